/** One apply of a folder in a process of its own, so that its peak memory is its own. Prints JSON. */

import { createLocalHost } from '../../src/local/host.ts';
import { createConnections } from '../../src/reconcile/connections.ts';
import { createEngine } from '../../src/reconcile/engine.ts';
import { sourceProviders } from '../../src/sources/registry.ts';
import { openSqliteStore } from '../../src/state/sqlite/store.ts';
import { targetProviders } from '../../src/targets/registry.ts';
import { createLogger } from '../../src/telemetry/log.ts';

const [folder = '.', flag] = process.argv.slice(2);
const signal = new AbortController().signal;
const host = createLocalHost({ folder, loadStatus: async () => null, saveStatus: async () => undefined });
await host.read();
const store = await openSqliteStore(`${folder}/state.db`);
const engine = createEngine({
  host,
  store,
  providers: { sources: sourceProviders, targets: targetProviders },
  createHttp: createConnections({ userAgent: 'dirsync-bench' }),
  now: () => new Date(),
  log: createLogger({ level: 'error' }),
  holder: 'bench',
});
const [resource] = host.resources().directorySyncs;
if (resource === undefined) throw new Error('the folder has no DirectorySync');
const started = performance.now();
const report = await engine.run({ resource, signal, resync: flag === '--resync' });
await store.close();
await host.close();
const result = {
  seconds: (performance.now() - started) / 1000,
  requests: report.requests.target,
  peakMiB: Math.round(process.resourceUsage().maxRSS / 1024),
  outcome: `${report.reason}${report.failedStep === null ? '' : `: ${report.message}`}`,
};
process.stdout.write(`${JSON.stringify(result)}\n`);
