import type { HttpClient } from '../../../src/http/client.ts';
import { scimSource } from '../../../src/sources/scim/index.ts';
import type { Source } from '../../../src/sources/source.ts';
import type { ScimDirectory } from '../../support/scim-directory-server.ts';
import { NO_FILES, NO_NETWORK } from '../http-client.ts';

export function connectScim(
  { url, client }: Pick<ScimDirectory, 'url' | 'client'>,
  http: HttpClient,
  secrets: Readonly<Record<string, string>> = client,
): Promise<Source> {
  const where = 'Secret default/acme-directory';
  const config = { url, credentialsRef: { name: 'acme-directory' } };
  return scimSource.connect(config, {
    secrets,
    where,
    files: NO_FILES,
    network: NO_NETWORK,
    http,
    now: () => new Date(0),
  });
}
