import { createBudgets } from '../../src/http/budget.ts';
import { createHttpClient, type PooledHttpClient } from '../../src/http/client.ts';
import type { FileAccess, NetworkOptions } from '../../src/sources/source.ts';
import { createManualTiming } from '../support/manual-timing.ts';

export const NO_FILES: FileAccess = {
  resolvePath: (path) => path,
  readConfigMap: () => Promise.reject(new Error('it needs no ConfigMap')),
  readSecret: () => Promise.reject(new Error('it needs no other Secret')),
};

export const NO_NETWORK: NetworkOptions = { ca: null, timeoutMs: 10_000 };

/** Waits take no time. */
export function createTestClient({
  timeoutMs = 10_000,
  timing = createManualTiming(),
}: {
  readonly timeoutMs?: number;
  readonly timing?: ReturnType<typeof createManualTiming>;
} = {}): PooledHttpClient {
  return createHttpClient({
    userAgent: 'dirsync/test',
    unavailable: 'ReadFailed',
    budget: createBudgets(timing).join('directory', '', { requestsPerSecond: null, concurrency: 8 }),
    timeoutMs,
    concurrency: 8,
    timing,
  });
}
