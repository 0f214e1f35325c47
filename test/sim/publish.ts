/** The outcome of a run as the status and the events tell it, read for what must not stand there. */
import type { DirectorySyncResource } from '../../src/api/directory-sync.ts';
import { createPublisher } from '../../src/reconcile/publish.ts';
import type { RunReport } from '../../src/reconcile/run.ts';
import { readSpec } from '../../src/reconcile/triggers.ts';
import { createLogger } from '../../src/telemetry/log.ts';
import { SYNC } from './model.ts';
import { checkText, type Process, type World } from './world.ts';

const SILENT = createLogger({ level: 'silent' });
const INTERVAL = 40 * 60_000;

export async function publishOutcome(
  world: World,
  { process, resource, report }: { process: Process; resource: DirectorySyncResource; report: RunReport },
): Promise<void> {
  const { host, clock } = world;
  const publisher = createPublisher({
    host,
    store: process.store,
    log: SILENT,
    now: clock.wall,
    commands: () => ({ review: 'dirsync plan', approve: (hash) => `dirsync approve ${hash}` }),
  });
  await publisher.end({
    resource,
    report,
    requests: { runNow: null, resync: null, approve: null, syncUser: null },
    isSpent: false,
    spec: readSpec(resource),
    next: new Date(clock.wall() + INTERVAL),
    completed: false,
  });
  checkText(world, 'status', JSON.stringify(host.get('DirectorySync', SYNC)?.status));
  for (const event of host.events.splice(0)) checkText(world, 'event', JSON.stringify(event));
}
