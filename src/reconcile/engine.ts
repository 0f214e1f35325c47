/** Runs one DirectorySync once: everything that a run needs is put together here and given back afterwards. */
import { randomBytes, randomUUID } from 'node:crypto';
import { createActor, toPromise } from 'xstate';
import { withDefaults } from '../api/defaults.ts';
import type { DirectorySyncResource } from '../api/directory-sync.ts';
import type { Step } from '../api/directory-sync-status.ts';
import type { ResourceHost } from '../api/host.ts';
import { toReadyReason } from '../api/reasons.ts';
import { SyncError } from '../errors.ts';
import type { StateStore } from '../state/store.ts';
import type { Logger } from '../telemetry/log.ts';
import { runMachine } from './machine.ts';
import { findNeighbours } from './neighbours.ts';
import { openRunState, type RunState } from './preview.ts';
import { withPauses } from './progress.ts';
import type {
  HttpClientNeeds,
  Progress,
  Providers,
  RunDependencies,
  RunHttpClient,
  RunOptions,
  RunReport,
} from './run.ts';
import { toLostReport, toRunKind } from './steps/report.ts';
import { toDirectoryKey, toOldId } from './takeover.ts';
import type { Witness } from './witness.ts';

const SEED_BYTES = 32;

export interface EngineOptions {
  readonly host: ResourceHost;
  readonly store: StateStore;
  readonly providers: Providers;
  readonly createHttp: (needs: HttpClientNeeds) => RunHttpClient;
  readonly now: () => Date;
  readonly log: Logger;
  /** Shown to other processes that wait for the state store: `dirsync apply (process 4711)`. */
  readonly holder: string;
  /** Aborts after so many milliseconds: the bound of a run. `AbortSignal.timeout` by default. */
  readonly timeout?: (ms: number) => AbortSignal;
}

export interface RunRequest extends Partial<RunOptions> {
  readonly resource: DirectorySyncResource;
  readonly signal: AbortSignal;
  readonly stopping?: AbortSignal;
  readonly onProgress?: (progress: Progress) => void;
  /** Called as each step begins. */
  readonly onStep?: (step: Step) => void;
  /** Shown what becomes of people and teams, to explain one of them. */
  readonly witness?: Witness;
  /** Called once when another process holds the state store. */
  readonly onWait?: (holder: string) => void;
}

export interface Engine {
  /**
   * Never throws for what a run may meet: every failure is part of the report. Resources with one id take turns: they
   * share their state, and what one has staged the other would clear. So do one and another that takes over its id.
   */
  run(request: RunRequest): Promise<RunReport>;
  readonly providers: Providers;
}

export function createEngine(options: EngineOptions): Engine {
  const turns = new Map<string, Promise<unknown>>();
  return {
    providers: options.providers,
    run: (request) => {
      const keys = toTurns(request.resource);
      const run = Promise.all(keys.map((key) => turns.get(key))).then(() => runLeased(options, request));
      for (const key of keys) turns.set(key, run);
      return run.finally(() => {
        for (const key of keys) if (turns.get(key) === run) turns.delete(key);
      });
    },
  };
}

/** Its own id, and the one that it may take over: a run of that one may still be ending. */
function toTurns(resource: DirectorySyncResource): readonly string[] {
  const key = toDirectoryKey(resource);
  const old = toOldId(resource);
  return [key, ...(old === null ? [] : [{ ...key, id: old }])].map((each) => JSON.stringify(each));
}

async function runLeased(options: EngineOptions, request: RunRequest): Promise<RunReport> {
  const stopping = request.stopping ?? new AbortController().signal;
  const startedAt = options.now();
  try {
    const signal = AbortSignal.any([request.signal, stopping]);
    const lease = await options.store.acquire(options.holder, { signal, onWait: request.onWait });
    try {
      return await runMachineOnce(options, { ...request, stopping });
    } finally {
      await lease.release();
    }
  } catch (thrown) {
    return toFailedReport(thrown, { kind: toRunKind(request), startedAt, finishedAt: options.now() });
  }
}

async function runMachineOnce(
  options: EngineOptions,
  request: RunRequest & { stopping: AbortSignal },
): Promise<RunReport> {
  const opened = await openRunState(options.store, request, options.host.resources());
  try {
    return await runMachineWith(options, request, opened);
  } finally {
    await opened.close();
  }
}

async function runMachineWith(
  options: EngineOptions,
  request: RunRequest & { stopping: AbortSignal },
  { state, store }: RunState,
): Promise<RunReport> {
  const { host, providers, createHttp, now } = options;
  const { resource } = request;
  const runId = toRunId(now());
  const startedAt = now();
  await state.journal.startRun({
    id: runId,
    kind: toRunKind(request),
    startedAt: startedAt.getTime(),
  });
  const log = options.log.child({
    run: runId,
    directorySync: `${resource.metadata.namespace}/${resource.metadata.name}`,
  });
  const run: RunDependencies = {
    resource,
    resources: host.resources(),
    neighbours: (target) => findNeighbours(store, { resource, resources: host.resources(), target }),
    host,
    state,
    providers,
    createHttp,
    now,
    makeSeed: () => randomBytes(SEED_BYTES).toString('hex'),
    runId,
    log,
    startedAt,
    stopping: AbortSignal.any([request.stopping, runTimeout(resource, options.timeout)]),
    signal: request.signal,
    ...withPauses(request.onProgress ?? (() => undefined), now),
    witness: request.witness ?? null,
    options: {
      planOnly: request.planOnly ?? false,
      approve: request.approve ?? null,
      approvedBy: request.approvedBy ?? null,
      deletion: request.deletion ?? false,
      resync: request.resync ?? false,
      tryAll: request.tryAll ?? false,
      user: request.user ?? null,
      findings: request.findings ?? false,
    },
  };
  const actor = createActor(runMachine, { input: run });
  let step: Step | 'done' | null = null;
  actor.subscribe(({ value }) => {
    if (value === step) return;
    step = value;
    if (step !== 'done') request.onStep?.(step);
  });
  const done = toPromise(actor);
  actor.start();
  return await done;
}

/** A spec that is wrong elsewhere still gets a bound. */
function runTimeout(
  resource: DirectorySyncResource,
  timeout: (ms: number) => AbortSignal = (ms) => AbortSignal.timeout(ms),
): AbortSignal {
  try {
    // Node's timers end at 2^31 - 1 ms.
    return timeout(Math.min(withDefaults(resource).timeouts.runMs, 2_147_483_647));
  } catch {
    return timeout(12 * 3_600_000);
  }
}

/** Sorts by time, and is unique where two runs start in one millisecond. */
export function toRunId(now: Date): string {
  return `${now.toISOString().replace(/[-:.]/g, '')}-${randomUUID().slice(0, 8)}`;
}

/** The store could not be had: there is nothing to report from. */
function toFailedReport(thrown: unknown, basics: Pick<RunReport, 'kind' | 'startedAt' | 'finishedAt'>): RunReport {
  const error = SyncError.from(thrown);
  const stopped = error.code === 'Aborted';
  const reason = error.code === 'Unknown' ? 'StateUnavailable' : toReadyReason(error.code, 'load');
  return {
    ...toLostReport({ failure: { step: 'load', thrown: error }, runId: '', ...basics }),
    reason,
    stopped,
  };
}
