import { createBudgets } from '../../../src/http/budget.ts';
import { createHttpClient, type HttpClient, type PooledHttpClient } from '../../../src/http/client.ts';
import type { Source } from '../../../src/sources/source.ts';
import { workosSource } from '../../../src/sources/workos/index.ts';
import { createManualTiming } from '../../support/manual-timing.ts';
import type { WorkosServer } from '../../support/workos-server.ts';

const NO_FILES = {
  resolvePath: (path: string) => path,
  readConfigMap: () => Promise.reject(new Error('it needs no ConfigMap')),
};

/** Waits take no time. */
export function createTestClient(): PooledHttpClient {
  const timing = createManualTiming();
  return createHttpClient({
    userAgent: 'dirsync/test',
    unavailable: 'ReadFailed',
    budget: createBudgets(timing).join('workos', '', { requestsPerSecond: null, concurrency: 8 }),
    timeoutMs: 10_000,
    concurrency: 8,
    timing,
  });
}

export function connectWorkos(
  { url, directoryId, apiKey }: Pick<WorkosServer, 'url' | 'directoryId' | 'apiKey'>,
  http: HttpClient,
): Promise<Source> {
  const config = { directoryId, apiUrl: url, credentialsRef: { name: 'acme-workos' } };
  const where = 'Secret default/acme-workos';
  return workosSource.connect(config, { secrets: { apiKey }, where, files: NO_FILES, http, now: () => new Date(0) });
}
