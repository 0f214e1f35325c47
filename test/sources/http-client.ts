import { createBudgets } from '../../src/http/budget.ts';
import { createHttpClient, type PooledHttpClient } from '../../src/http/client.ts';
import type { FileAccess } from '../../src/sources/source.ts';
import { createManualTiming } from '../support/manual-timing.ts';

export const NO_FILES: FileAccess = {
  resolvePath: (path) => path,
  readConfigMap: () => Promise.reject(new Error('it needs no ConfigMap')),
};

/** Waits take no time. */
export function createTestClient(): PooledHttpClient {
  const timing = createManualTiming();
  return createHttpClient({
    userAgent: 'dirsync/test',
    unavailable: 'ReadFailed',
    budget: createBudgets(timing).join('directory', '', { requestsPerSecond: null, concurrency: 8 }),
    timeoutMs: 10_000,
    concurrency: 8,
    timing,
  });
}
