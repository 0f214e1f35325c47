/** The three ways to prove who asks, against a token endpoint that checks each, and what its refusals mean. */
import nock from 'nock';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { EntraSource } from '../../../src/api/providers.ts';
import { SyncError } from '../../../src/errors.ts';
import { entraSource } from '../../../src/sources/entra/index.ts';
import type { Source, SourceContext } from '../../../src/sources/source.ts';
import { createCertificate } from '../../support/certificates.ts';
import { CLIENT, type EntraServer, startEntra, TENANT } from '../../support/entra-server.ts';
import { createTestClient, NO_FILES, NO_NETWORK } from '../http-client.ts';
import { connectEntra, WHERE } from './connect.ts';

const NEVER = new AbortController().signal;
const VALID = { notBefore: new Date(Date.now() - 86_400_000), notAfter: new Date(Date.now() + 86_400_000) };

async function start(): Promise<{
  entra: EntraServer;
  connect: (options: { readonly config?: Partial<EntraSource> } & Partial<SourceContext>) => Promise<Source>;
}> {
  const entra = await startEntra();
  const http = createTestClient();
  onTestFinished(async () => {
    http.close();
    await entra.close();
  });
  return { entra, connect: async (options) => connectEntra(entra, http, options) };
}

async function toError(work: Promise<unknown>): Promise<SyncError> {
  try {
    await work;
  } catch (thrown) {
    return SyncError.from(thrown);
  }
  throw new Error('it did not fail');
}

describe('a client certificate', () => {
  const { key, cert } = createCertificate(VALID, 'rsa');
  const secrets = { clientId: CLIENT, 'tls.crt': cert, 'tls.key': key };

  it('signs an assertion that the token endpoint takes', async () => {
    const { entra, connect } = await start();
    entra.certificate = cert;
    const source = await connect({ secrets });
    expect((await source.identity(NEVER)).tenantId).toBe(TENANT);
  });

  it('says when it ends, where it is what the application proves itself with', () => {
    const end = Math.floor(VALID.notAfter.getTime() / 1000) * 1000;
    const other = createCertificate({ ...VALID, notAfter: new Date(0) }, 'rsa').cert;
    const expiresAt = (given: Readonly<Record<string, string>>) =>
      entraSource.expiresAt?.({ clientId: CLIENT, ...given });
    expect(expiresAt(secrets)).toBe(end);
    // Of a chain the first one signs.
    expect(expiresAt({ 'tls.crt': `${cert}${other}` })).toBe(end);
    expect(expiresAt({ ...secrets, clientSecret: 'x' })).toBeNull();
    expect(expiresAt({ 'tls.crt': 'no' })).toBeNull();
    expect(expiresAt({})).toBeNull();
  });

  it('that was not uploaded, or a clock that is wrong, is told', async () => {
    const { entra, connect } = await start();
    entra.certificate = createCertificate(VALID, 'rsa').cert;
    const source = await connect({ secrets });
    expect(await toError(source.identity(NEVER))).toMatchObject({
      code: 'CredentialsRejected',
      message: `${entra.url} gives no token for the client certificate (401 invalid_client): AADSTS700027 of tenant ${TENANT}: the certificate is not among those of the app registration, or has expired; upload the one of "tls.crt"`,
    });
    entra.certificate = cert;
    const late = await connect({ secrets, now: () => new Date(Date.now() - 600_000) });
    expect((await toError(late.identity(NEVER))).message).toContain('compare the clock of this machine');
  });

  it.each([
    [{ 'tls.crt': 'no' }, 'the key "tls.crt" of Secret default/acme-entra is no certificate in PEM'],
    [{ 'tls.key': 'no' }, 'the key "tls.key" of Secret default/acme-entra is no private key in PEM'],
    [{ 'tls.key': createCertificate(VALID, 'rsa').key }, 'is not the key of the certificate in "tls.crt"'],
    [{ 'tls.key': createCertificate(VALID).key }, 'is no RSA key'],
  ])('with something else is refused before any request', async (wrong, message) => {
    const { entra, connect } = await start();
    const error = await toError(connect({ secrets: { ...secrets, ...wrong } }));
    expect(error.code).toBe('Invalid');
    expect(error.message).toContain(message);
    expect(entra.server.requests).toEqual([]);
  });
});

describe('workload identity', () => {
  const platform = { token: 'eyJ.platform.token', clientId: CLIENT, authorityUrl: null };

  it('gives the token of the platform, read anew each time, and needs no Secret', async () => {
    const { entra, connect } = await start();
    entra.federatedToken = platform.token;
    let reads = 0;
    const readPlatformToken: SourceContext['readPlatformToken'] = async () => {
      reads += 1;
      return { ...platform, authorityUrl: entra.url };
    };
    const { url: graphUrl } = entra;
    const http = createTestClient();
    onTestFinished(() => http.close());
    // The platform says where tokens are given.
    const now = () => new Date();
    const context = { secrets: {}, where: '', files: NO_FILES, http, network: NO_NETWORK, now, readPlatformToken };
    const source = await entraSource.connect({ tenantId: TENANT, graphUrl }, context);
    await source.identity(NEVER);
    entra.expireTokens();
    await source.identity(NEVER);
    expect(reads).toBe(2);
    // The Secret may name another application.
    const other = await connect({ secrets: { clientId: 'other' }, readPlatformToken });
    expect((await toError(other.identity(NEVER))).code).toBe('CredentialsRejected');
    expect((await toError(other.identity(NEVER))).message).toContain('the tenant does not know the application');
  });

  it('sends the token to Microsoft and to whom the platform names, and to nobody else', async () => {
    const { entra, connect } = await start();
    entra.federatedToken = platform.token;
    const readPlatformToken = async () => platform;
    const source = await connect({ secrets: {}, where: '', readPlatformToken });
    const error = await toError(source.identity(NEVER));
    expect(error.code).toBe('Invalid');
    expect(error.message).toContain('source.entra.authorityUrl must be an authority of Microsoft');
    expect(entra.server.requests).toEqual([]);
  });

  it.each([
    [{ secrets: {}, where: '' }, 'source.entra has no credentialsRef, and there is no workload identity here'],
    [{ secrets: { clientId: CLIENT } }, `${WHERE} has "clientId" alone, and there is no workload identity here`],
  ])('that is not there is told', async (context, message) => {
    const { connect } = await start();
    for (const readPlatformToken of [undefined, async () => null]) {
      const source = await connect({ ...context, ...(readPlatformToken === undefined ? {} : { readPlatformToken }) });
      const error = await toError(source.identity(NEVER));
      expect(error.code).toBe('ReferenceNotFound');
      expect(error.message).toContain(message);
    }
  });
});

describe('the Secret', () => {
  it.each([
    [{}, 'it has no keys'],
    [{ clientSecret: 'x' }, 'it has clientSecret'],
    [{ clientId: 'x', 'tls.crt': 'y' }, 'it has clientId, tls.crt'],
  ])('%j lacks something', async (secrets, message) => {
    const { connect } = await start();
    const error = await toError(connect({ secrets }));
    expect(error.code).toBe('ReferenceNotFound');
    expect(error.message).toContain(message);
  });
});

describe('the token endpoint', () => {
  const GRAPH = 'https://graph.microsoft.us';
  const LOGIN = 'https://login.microsoftonline.us';

  function connect(): Promise<Source> {
    const http = createTestClient();
    onTestFinished(() => http.close());
    const config = { tenantId: TENANT, authorityUrl: LOGIN, graphUrl: `${GRAPH}/`, credentialsRef: { name: 'x' } };
    const secrets = { clientId: CLIENT, clientSecret: 'sesame' };
    const context = { secrets, where: WHERE, files: NO_FILES, http, network: NO_NETWORK, now: () => new Date() };
    return entraSource.connect(config, context);
  }

  it('is that of the cloud, and is asked for the Graph of the cloud', async () => {
    const form = {
      ...{ grant_type: 'client_credentials', client_id: CLIENT, client_secret: 'sesame' },
      scope: `${GRAPH}/.default`,
    };
    nock(LOGIN)
      .post(`/${TENANT}/oauth2/v2.0/token`, form)
      .reply(200, { token_type: 'Bearer', expires_in: 3599, access_token: 'eyJ' });
    nock(GRAPH, { reqheaders: { authorization: 'Bearer eyJ' } })
      .get('/v1.0/organization')
      .query({ $select: 'id,displayName,verifiedDomains' })
      .reply(200, { value: [{ id: TENANT, displayName: null, verifiedDomains: [] }] });
    const source = await connect();
    expect(await source.identity(NEVER)).toEqual({ tenantId: TENANT, tenantName: null, domains: [] });
  });

  it.each([
    [401, 'invalid_client', 7000215, '"clientSecret" must be the value of the secret, not its id'],
    [401, 'invalid_client', 7000222, 'the secret has expired'],
    [400, 'unauthorized_client', 700016, 'the tenant does not know the application'],
    [400, 'invalid_request', 90002, 'there is no such tenant'],
    [400, 'invalid_request', 4711, 'AADSTS4711'],
  ])('that says %i %s %i is understood', async (status, error, number, message) => {
    nock(LOGIN)
      .post(`/${TENANT}/oauth2/v2.0/token`)
      .reply(status, { error, error_description: 'sesame', error_codes: [number] });
    const failure = await toError((await connect()).identity(NEVER));
    expect(failure.code).toBe('CredentialsRejected');
    expect(failure.message).toContain(message);
    expect(failure.message).not.toContain('sesame');
  });

  it('that is out of order is asked again later', async () => {
    nock(LOGIN).post(`/${TENANT}/oauth2/v2.0/token`).times(4).reply(503, 'no');
    const failure = await toError((await connect()).identity(NEVER));
    expect([failure.code, failure.retry]).toEqual(['ReadFailed', 'backoff']);
  });
});
