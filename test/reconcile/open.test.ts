/** What a source is reached with: its Secret, a budget that is told apart by it, and the rate that the directory takes. */
import { describe, expect, it } from 'vitest';
import { withDefaults } from '../../src/api/defaults.ts';
import type { DirectorySyncResource } from '../../src/api/directory-sync.ts';
import type { ResourceHost } from '../../src/api/host.ts';
import { toCredentialKey } from '../../src/http/budget.ts';
import { createExpiryLog } from '../../src/reconcile/expiry.ts';
import { type Opening, openSource } from '../../src/reconcile/open.ts';
import type { HttpClientNeeds, RunHttpClient } from '../../src/reconcile/run.ts';
import type { SourceContext, SourceProvider } from '../../src/sources/source.ts';

const SECRETS = { apiKey: 'sk_test_sesame' };

/** Opens the source of a DirectorySync with these limits; what the provider and the HTTP client were given. */
async function open(limits: object, requestsPerSecond?: number) {
  const resource = {
    apiVersion: 'dirsync.dev/v1alpha1',
    kind: 'DirectorySync',
    metadata: { name: 'acme', namespace: 'identity' },
    spec: {
      source: { workos: { directoryId: 'directory_01', credentialsRef: { name: 'acme-workos' } } },
      target: { scim: { url: 'https://app.example.com/scim', credentialsRef: { name: 'app' } } },
      limits,
    },
  } as DirectorySyncResource;
  const given: { context?: SourceContext; needs?: HttpClientNeeds; secret?: string } = {};
  const provider: SourceProvider<unknown> = {
    name: 'workos',
    validate: () => [],
    ...(requestsPerSecond === undefined ? {} : { requestsPerSecond }),
    connect: (_config, context) => {
      given.context = context;
      return Promise.reject(new Error('enough'));
    },
  };
  const host: Pick<ResourceHost, 'readSecret'> = {
    readSecret: async (namespace, name) => {
      given.secret = `${namespace}/${name}`;
      return SECRETS;
    },
  };
  const opening = {
    host,
    resource,
    providers: { sources: new Map([['workos', provider]]), targets: new Map([['scim', {}]]) },
    createHttp: (needs: HttpClientNeeds) => {
      given.needs = needs;
      return {} as RunHttpClient;
    },
    onPause: () => undefined,
    now: () => new Date(0),
  } as unknown as Opening;
  await expect(
    openSource(opening, withDefaults(resource), { expiries: createExpiryLog(), opened: [] }),
  ).rejects.toThrow('enough');
  return given;
}

describe('a source', () => {
  it('gets the values of its Secret, and the budget of these credentials (I11)', async () => {
    const { context, needs, secret } = await open({});
    expect(secret).toBe('identity/acme-workos');
    expect(context).toMatchObject({ secrets: SECRETS, where: 'Secret identity/acme-workos' });
    expect(needs).toMatchObject({ side: 'source', credential: toCredentialKey(SECRETS) });
  });

  it.each([
    { because: 'the directory’s own', own: 4, limits: {}, rate: 4 },
    { because: 'the lower one of the spec', own: 4, limits: { sourceRequestsPerSecond: 2 }, rate: 2 },
    { because: 'not more than the directory takes', own: 4, limits: { sourceRequestsPerSecond: 50 }, rate: 4 },
    { because: 'that of the spec alone', own: undefined, limits: { sourceRequestsPerSecond: 50 }, rate: 50 },
    { because: 'none', own: undefined, limits: {}, rate: null },
  ])('is asked at a rate: $because (I11)', async ({ own, limits, rate }) => {
    expect((await open(limits, own)).needs?.spec.limits.sourceRequestsPerSecond).toBe(rate);
  });
});
