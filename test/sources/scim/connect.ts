import type { HttpClient } from '../../../src/http/client.ts';
import { scimSource } from '../../../src/sources/scim/index.ts';
import type { Source } from '../../../src/sources/source.ts';
import type { ScimDirectory } from '../../support/scim-directory-server.ts';
import { NO_FILES } from '../http-client.ts';

export function connectScim(
  { url, client }: Pick<ScimDirectory, 'url' | 'client'>,
  http: HttpClient,
  secrets: Readonly<Record<string, string>> = client,
): Promise<Source> {
  const where = 'Secret default/acme-directory';
  const config = { url, credentialsRef: { name: 'acme-directory' } };
  return scimSource.connect(config, { secrets, where, files: NO_FILES, http, now: () => new Date(0) });
}
