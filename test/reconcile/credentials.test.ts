/** What a target is reached with: Secret and authorities, read by name. */
import { describe, expect, it } from 'vitest';
import type { ResolvedTarget } from '../../src/api/defaults.ts';
import type { ScimTarget } from '../../src/api/providers.ts';
import { SyncError } from '../../src/errors.ts';
import { readCredentials } from '../../src/reconcile/credentials.ts';
import { createExpiryLog } from '../../src/reconcile/expiry.ts';
import { targetProviders } from '../../src/targets/registry.ts';
import { createCertificate } from '../support/certificates.ts';

const OLD = createCertificate({ notBefore: new Date('2020-01-01'), notAfter: new Date('2026-04-01T00:00:00Z') });
const NEW = createCertificate({ notBefore: new Date('2020-01-01'), notAfter: new Date('2036-04-01T00:00:00Z') });
const JWT = ['e30', Buffer.from('{"exp":1800000000}').toString('base64url'), 'sig'].join('.');

const SECRETS: Record<string, Record<string, string>> = {
  'acme-app': { token: JWT },
  ca: { 'ca.crt': `${OLD.cert}${NEW.cert}`, key: OLD.key, broken: OLD.cert.replace(/\n./, '\n') },
  empty: {},
};

async function read(caRef?: NonNullable<ScimTarget['caRef']>) {
  const provider = targetProviders.get('scim');
  if (provider === undefined) throw new Error('there is no scim');
  const config: ScimTarget = {
    url: 'https://app.example.com/scim',
    credentialsRef: { name: 'acme-app' },
    ...(caRef === undefined ? {} : { caRef }),
  };
  const target: ResolvedTarget = { provider: 'scim', config };
  const expiries = createExpiryLog();
  const host = {
    readSecret: async (namespace: string, name: string) => {
      const found = SECRETS[name];
      if (found === undefined) throw new SyncError('ReferenceNotFound', `Secret ${namespace}/${name} does not exist`);
      return found;
    },
    readConfigMap: async (_namespace: string, name: string, key: string) => Buffer.from(`${name} ${key}\n${NEW.cert}`),
  };
  const credentials = await readCredentials({ host, namespace: 'identity', target, provider }, expiries);
  return { credentials, expiries: expiries.list() };
}

describe('credentials', () => {
  it('are the Secret, and the end of a token that says it', async () => {
    const { credentials, expiries } = await read();
    expect(credentials).toMatchObject({ secrets: { token: JWT }, ca: null });
    expect(credentials.key).toMatch(/^[0-9a-f]{16}$/);
    expect(expiries).toEqual([{ kind: 'Token', host: null, expiresAt: 1_800_000_000_000 }]);
  });

  it('have authorities from a Secret; of several the last to end counts', async () => {
    const { credentials, expiries } = await read({ kind: 'Secret', name: 'ca', key: 'ca.crt' });
    expect(credentials.ca).toBe(`${OLD.cert}${NEW.cert}`);
    expect(expiries[0]).toEqual({ kind: 'Authority', host: null, expiresAt: Date.parse('2036-04-01T00:00:00Z') });
  });

  it('have authorities from a ConfigMap', async () => {
    const { credentials } = await read({ kind: 'ConfigMap', name: 'corp-ca', key: 'ca.crt' });
    expect(credentials.ca).toBe(`corp-ca ca.crt\n${NEW.cert}`);
  });

  it.each([
    ['gone', 'ca.crt', 'ReferenceNotFound', 'Secret identity/gone does not exist'],
    [
      'ca',
      'tls.crt',
      'ReferenceNotFound',
      'Secret identity/ca, key "tls.crt" (caRef) does not exist; it has broken, ca.crt, key',
    ],
    ['empty', 'ca.crt', 'ReferenceNotFound', 'Secret identity/empty, key "ca.crt" (caRef) does not exist; it is empty'],
    [
      'ca',
      'key',
      'Invalid',
      'Secret identity/ca, key "key" (caRef) has no certificate; put PEM there that begins with -----BEGIN CERTIFICATE-----',
    ],
    [
      'ca',
      'broken',
      'Invalid',
      'Secret identity/ca, key "broken" (caRef) has a certificate that cannot be read; put PEM there that begins with -----BEGIN CERTIFICATE-----',
    ],
  ])('cannot have authorities from Secret %s, key %s: %s', async (name, key, code, message) => {
    await expect(read({ kind: 'Secret', name, key })).rejects.toMatchObject({ code, message });
  });
});
