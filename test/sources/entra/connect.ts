import type { EntraSource } from '../../../src/api/providers.ts';
import type { HttpClient } from '../../../src/http/client.ts';
import { entraSource } from '../../../src/sources/entra/index.ts';
import type { Source, SourceContext } from '../../../src/sources/source.ts';
import type { EntraServer } from '../../support/entra-server.ts';
import { NO_FILES, NO_NETWORK } from '../http-client.ts';

export const WHERE = 'Secret default/acme-entra';

/** By client secret, unless other secrets are given. */
export function connectEntra(
  { url, tenantId, clientId, clientSecret }: Pick<EntraServer, 'url' | 'tenantId' | 'clientId' | 'clientSecret'>,
  http: HttpClient,
  { config = {}, ...context }: { readonly config?: Partial<EntraSource> } & Partial<SourceContext> = {},
): Promise<Source> {
  const whole = { tenantId, credentialsRef: { name: 'acme-entra' }, authorityUrl: url, graphUrl: url, ...config };
  const secrets = { clientId, clientSecret };
  return entraSource.connect(whole, {
    ...{ secrets, where: WHERE, files: NO_FILES, http, network: NO_NETWORK, now: () => new Date() },
    ...context,
  });
}
