/** One run of the only DirectorySync of a folder: the real engine, state file, file source and SCIM target. */

import { createLocalHost } from '../../src/local/host.ts';
import { createConnections } from '../../src/reconcile/connections.ts';
import { createEngine } from '../../src/reconcile/engine.ts';
import type { Providers, RunOptions, RunReport } from '../../src/reconcile/run.ts';
import { sourceProviders } from '../../src/sources/registry.ts';
import { openSqliteStore } from '../../src/state/sqlite/store.ts';
import type { DirectoryState } from '../../src/state/store.ts';
import { targetProviders } from '../../src/targets/registry.ts';
import { createLogger } from '../../src/telemetry/log.ts';

/**
 * @param look what to read of the state before it is closed
 * @param sources others than those of this build
 */
export async function runFolder(
  folder: string,
  file: string,
  options: Partial<RunOptions> & {
    readonly look?: (state: DirectoryState) => Promise<void>;
    readonly sources?: Providers['sources'];
  } = {},
): Promise<RunReport> {
  const { look, sources = sourceProviders, ...rest } = options;
  const store = await openSqliteStore(file);
  const host = createLocalHost({ folder, loadStatus: async () => null, saveStatus: async () => undefined });
  await host.read();
  const [resource] = host.resources().directorySyncs;
  if (resource === undefined) throw new Error(`there is no DirectorySync in ${folder}`);
  const engine = createEngine({
    host,
    store,
    providers: { sources, targets: targetProviders },
    createHttp: createConnections({ userAgent: 'dirsync/test' }),
    now: () => new Date(),
    log: createLogger({ level: 'silent' }),
    holder: `test (process ${process.pid})`,
  });
  const report = await engine.run({ resource, signal: new AbortController().signal, ...rest });
  await look?.(await store.directory({ namespace: resource.metadata.namespace, id: resource.metadata.name }));
  await host.close();
  await store.close();
  return report;
}
