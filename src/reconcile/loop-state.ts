/** What the parts of the loop share: what it was given, its queues, and what is remembered of each DirectorySync. */
import type { DirectorySyncResource } from '../api/directory-sync.ts';
import type { ResourceHost } from '../api/host.ts';
import type { StateStore } from '../state/store.ts';
import type { Logger } from '../telemetry/log.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import type { Engine } from './engine.ts';
import { type FactShapes, getFact } from './facts.ts';
import type { Outcome, Publisher } from './publish.ts';
import type { QueueClock, WorkQueue } from './queue.ts';
import type { RunReport } from './run.ts';
import type { Commands } from './status.ts';
import { toDirectoryKey } from './takeover.ts';
import { toFingerprint, toQueueKey } from './triggers.ts';

export interface LoopOptions {
  readonly host: ResourceHost;
  readonly engine: Engine;
  readonly store: StateStore;
  readonly log: Logger;
  readonly metrics?: Metrics;
  readonly clock?: QueueClock;
  readonly random?: () => number;
  /** DirectorySyncs that run at once. */
  readonly concurrency?: number;
  /** What a person is told to type. */
  readonly commands: (resource: DirectorySyncResource) => Commands;
  /** Called after each run that was not ended on purpose, once its status is written. Must not throw. */
  readonly onReport?: (resource: DirectorySyncResource, report: RunReport) => void;
}

/** What is remembered of a DirectorySync while the process lives. Nothing of it decides about people. */
export interface Tracked {
  /** Of the resources as they were last seen. */
  fingerprint: string;
  /** The fingerprint for which the status has said that a run works on it. */
  announced: string | null;
  /** Something changed since the last time that the resource was worked on. */
  changed: boolean;
  /** Runs that failed in a row. */
  failures: number;
  /** Tries in a row that met a host which is away. */
  troubles: number;
  /** Ends the run under way at its next operation. Null: nobody works on the resource. */
  current: AbortController | null;
  /** An outcome that could not be written. The run is not repeated for it. */
  unwritten: Outcome | null;
}

export interface LoopState extends LoopOptions {
  readonly clock: QueueClock;
  readonly random: () => number;
  readonly publisher: Publisher;
  readonly tracked: Map<string, Tracked>;
  /** Keys of DirectorySyncs. */
  readonly queue: WorkQueue;
  /** Namespaces whose rules and mappings need a look. */
  readonly dependents: WorkQueue;
  readonly stopping: AbortSignal;
  readonly hard: AbortSignal;
}

/** The longest wait before something is written again that the host did not take. */
export const WRITE_AGAIN_MS = 60_000;

/** Null also when the store is away: the run will say so. */
export async function readFact<K extends keyof FactShapes>(
  loop: LoopState,
  resource: DirectorySyncResource,
  name: K,
): Promise<FactShapes[K] | null> {
  try {
    return await getFact((await loop.store.directory(toDirectoryKey(resource))).facts, name);
  } catch {
    return null;
  }
}

/** The newest status: what was handled may have been written since the resource was looked at. */
export function readStatus(loop: LoopState, resource: DirectorySyncResource): DirectorySyncResource['status'] {
  const key = toQueueKey(resource);
  return loop.host.resources().directorySyncs.find((each) => toQueueKey(each) === key)?.status;
}

export function track(loop: LoopState, resource: DirectorySyncResource): Tracked {
  const key = toQueueKey(resource);
  const known = loop.tracked.get(key);
  if (known !== undefined) return known;
  const fresh: Tracked = {
    fingerprint: toFingerprint(resource, loop.host.resources()),
    announced: null,
    changed: false,
    failures: 0,
    troubles: 0,
    current: null,
    unwritten: null,
  };
  loop.tracked.set(key, fresh);
  return fresh;
}
