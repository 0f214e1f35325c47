import type { GoogleSource } from '../../../src/api/google-source.ts';
import type { HttpClient } from '../../../src/http/client.ts';
import { googleSource } from '../../../src/sources/google/index.ts';
import type { Source, SourceContext } from '../../../src/sources/source.ts';
import type { GoogleServer } from '../../support/google-server.ts';
import { NO_FILES, NO_NETWORK } from '../http-client.ts';

export const WHERE = 'Secret default/acme-google';

export function connectGoogle(
  {
    url,
    tokenUrl,
    adminEmail,
    serviceAccount,
  }: Pick<GoogleServer, 'url' | 'tokenUrl' | 'adminEmail' | 'serviceAccount'>,
  http: HttpClient,
  { config = {}, ...context }: { readonly config?: Partial<GoogleSource> } & Partial<SourceContext> = {},
): Promise<Source> {
  const whole = { adminEmail, credentialsRef: { name: 'acme-google' }, apiUrl: url, tokenUrl, ...config };
  const secrets = { 'serviceAccount.json': serviceAccount };
  return googleSource.connect(whole, {
    ...{ secrets, where: WHERE, files: NO_FILES, network: NO_NETWORK, http, now: () => new Date() },
    ...context,
  });
}
