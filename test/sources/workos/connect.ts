import type { HttpClient } from '../../../src/http/client.ts';
import type { Source } from '../../../src/sources/source.ts';
import { workosSource } from '../../../src/sources/workos/index.ts';
import type { WorkosServer } from '../../support/workos-server.ts';
import { NO_FILES, NO_NETWORK } from '../http-client.ts';

export function connectWorkos(
  { url, directoryId, apiKey }: Pick<WorkosServer, 'url' | 'directoryId' | 'apiKey'>,
  http: HttpClient,
  now: () => Date = () => new Date(0),
): Promise<Source> {
  const config = { directoryId, apiUrl: url, credentialsRef: { name: 'acme-workos' } };
  const where = 'Secret default/acme-workos';
  return workosSource.connect(config, {
    secrets: { apiKey },
    where,
    files: NO_FILES,
    network: NO_NETWORK,
    http,
    now,
  });
}
