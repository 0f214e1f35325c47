/**
 * The loop: watches the resources and decides when each DirectorySync runs. The same loop serves a cluster and a folder.
 *
 * A run is due by its schedule, by a change of the resource or of what it names (after `settle`), by an annotation, or
 * sooner after a failure. An edit during a run ends it at the next operation and starts a new one.
 */
import type { DirectorySyncResource } from '../api/directory-sync.ts';
import { SyncError } from '../errors.ts';
import { writeDependents } from './dependents.ts';
import { type LoopOptions, type LoopState, readFact, track, WRITE_AGAIN_MS } from './loop-state.ts';
import { createPublisher } from './publish.ts';
import { createQueue, systemClock } from './queue.ts';
import { computeNextRun } from './schedule.ts';
import { toDirectoryKey } from './takeover.ts';
import { isAsked, readSpec, toMark, toQueueKey, toRequests } from './triggers.ts';
import { onChange } from './watch.ts';
import { work } from './work.ts';

export interface Loop {
  /** Resolves when `stopping` aborts and the runs under way have ended. */
  run(stopping: AbortSignal, hard: AbortSignal): Promise<void>;
  /** True once the resources were listed; else what is waited for. */
  ready(): true | string;
}

export function createLoop(options: LoopOptions): Loop {
  let listed = false;
  return {
    ready: () => listed || 'the resources are being listed',
    async run(stopping, hard) {
      const loop = toState(options, { stopping, hard });
      const watching = new AbortController();
      const { host } = options;
      const first = host.start((change) => onChange(loop, change), AbortSignal.any([watching.signal, hard]));
      try {
        await Promise.race([first, aborted(stopping)]);
        if (stopping.aborted) return;
        listed = true;
        await begin(loop);
        await aborted(stopping);
      } finally {
        await Promise.all([loop.queue.stop(), loop.dependents.stop()]);
        watching.abort();
        // Whatever it still has to tell: that it was ended, or what was thrown above.
        await first.catch(() => undefined);
      }
    },
  };
}

function toState(options: LoopOptions, signals: Pick<LoopState, 'stopping' | 'hard'>): LoopState {
  const { clock = systemClock, random = Math.random, host, store, log } = options;
  const onError = (key: string, thrown: unknown): void =>
    log.error({ key, err: SyncError.from(thrown) }, 'work was given up');
  const loop: LoopState = {
    ...options,
    ...signals,
    clock,
    random,
    publisher: createPublisher({ ...options, host, store, log, now: clock.now }),
    tracked: new Map(),
    queue: createQueue({
      work: (key) => work(loop, key),
      concurrency: options.concurrency ?? 4,
      clock,
      onError,
    }),
    dependents: createQueue({ work: (namespace) => workOnDependents(loop, namespace), concurrency: 1, clock, onError }),
  };
  return loop;
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}

async function begin(loop: LoopState): Promise<void> {
  const { directorySyncs, attributeMappings, teamRules, customAttributes } = loop.host.resources();
  for (const resource of directorySyncs) {
    // A change that came first has put it into the queue.
    if (loop.tracked.has(toQueueKey(resource))) continue;
    track(loop, resource);
    loop.publisher.restore(resource);
    loop.queue.add(toQueueKey(resource), await computeDelayAtStart(loop, resource));
  }
  for (const { metadata } of [...attributeMappings, ...teamRules, ...customAttributes])
    loop.dependents.add(metadata.namespace, 0);
}

/** After a restart a run that is not due yet waits for its time: a crash loop must not become a flood of reads. */
async function computeDelayAtStart(loop: LoopState, resource: DirectorySyncResource): Promise<number> {
  const { status, metadata } = resource;
  if (metadata.deletionTimestamp !== undefined || isAsked(toRequests(resource, status))) return 0;
  const spec = readSpec(resource);
  if (spec === null || status?.nextRunAt === undefined) return 0;
  const ended = await readFact(loop, resource, 'ended');
  if (ended?.mark !== toMark(resource, loop.host.resources())) return 0;
  const now = new Date(loop.clock.now());
  // A clock that was set back must not make it wait for longer than the schedule does.
  const latest = computeNextRun(spec.schedule, { startedAt: now, now }) ?? now;
  return Math.max(0, Math.min(Date.parse(status.nextRunAt), latest.getTime()) - now.getTime()) || 0;
}

async function workOnDependents(loop: LoopState, namespace: string): Promise<void> {
  try {
    await writeDependents({
      host: loop.host,
      namespace,
      now: new Date(loop.clock.now()),
      providers: loop.engine.providers,
      stateOf: async (name) => {
        const { directorySyncs } = loop.host.resources();
        const sync = directorySyncs.find(({ metadata }) => toQueueKey({ metadata }) === `${namespace}/${name}`);
        return sync === undefined ? null : loop.store.directory(toDirectoryKey(sync));
      },
    });
  } catch (thrown) {
    loop.log.warn({ namespace, err: SyncError.from(thrown) }, 'statuses of rules and mappings could not be written');
    loop.dependents.add(namespace, WRITE_AGAIN_MS);
  }
}
