/**
 * The loop: watches the resources and decides when each DirectorySync runs. The same loop serves a cluster and a folder.
 *
 * A run is due by its schedule, by a change of the resource or of what it names (after `settle`), by an annotation, or
 * sooner after a failure. An edit during a run ends it at the next operation and starts a new one.
 */
import type { DirectorySyncResource } from '../api/directory-sync.ts';
import type { ResourceChange, ResourceHost } from '../api/host.ts';
import { ANNOTATIONS, FINALIZER } from '../api/metadata.ts';
import { SyncError } from '../errors.ts';
import type { StateStore } from '../state/store.ts';
import type { Logger } from '../telemetry/log.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import { toDeletionPolicy } from './deletion-policy.ts';
import { writeDependents } from './dependents.ts';
import { type Engine, toDirectoryKey } from './engine.ts';
import { type FactShapes, getFact } from './facts.ts';
import { createPublisher, type Outcome, type Publisher, toRef } from './publish.ts';
import { createQueue, type QueueClock, systemClock, type WorkQueue } from './queue.ts';
import type { RunOptions, RunReport } from './run.ts';
import { computeNextAfter, computeNextDeletion, computeNextRun, computeRetry } from './schedule.ts';
import type { Commands } from './status.ts';
import {
  findConcerned,
  isAsked,
  isSuspended,
  NOTHING_ASKED,
  type Requests,
  readSpec,
  toApprover,
  toFingerprint,
  toMark,
  toQueueKey,
  toRequests,
  toSettle,
} from './triggers.ts';

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

export interface Loop {
  /** Resolves when `stopping` aborts and the runs under way have ended. */
  run(stopping: AbortSignal, hard: AbortSignal): Promise<void>;
  /** True once the resources were listed; else what is waited for. */
  ready(): true | string;
}

/** What is remembered of a DirectorySync while the process lives. Nothing of it decides about people. */
interface Tracked {
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

/** Statuses of rules and mappings follow a change after this, so that many changes at once cost one pass. */
const DEPENDENTS_AFTER_MS = 1_000;
/** The longest wait before something is written again that the host did not take. */
const WRITE_AGAIN_MS = 60_000;

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

interface LoopState extends LoopOptions {
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

/** Null also when the store is away: the run will say so. */
async function readFact<K extends keyof FactShapes>(
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

function track(loop: LoopState, resource: DirectorySyncResource): Tracked {
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

function onChange(loop: LoopState, change: ResourceChange): void {
  const resources = loop.host.resources();
  const concerned = findConcerned(change, resources);
  for (const resource of concerned) {
    const fingerprint = toFingerprint(resource, resources);
    const isOwn = change.kind === 'DirectorySync' && change.name === resource.metadata.name;
    const isOfSpec = isOwn || (change.kind !== 'DirectorySync' && !isData(change));
    const known = loop.tracked.get(toQueueKey(resource));
    if (isOfSpec && known?.fingerprint === fingerprint) continue;
    notice(loop, resource, { fingerprint, isData: isData(change) });
    if (isOwn && isAbandoned(resource)) letGo(loop, resource);
    loop.queue.add(toQueueKey(resource), change.kind === 'Secret' ? 0 : toSettle(resource));
  }
  if (change.kind === 'DirectorySync' && !concerned.some(({ metadata }) => metadata.name === change.name)) {
    // Gone: the queue finds nothing to do, and forgets it.
    const key = `${change.namespace}/${change.name}`;
    loop.tracked.get(key)?.current?.abort();
    loop.queue.add(key, 0);
  }
  if (!isData(change)) loop.dependents.add(change.namespace, DEPENDENTS_AFTER_MS);
}

function isAbandoned({ metadata }: DirectorySyncResource): boolean {
  return metadata.deletionTimestamp !== undefined && metadata.annotations?.[ANNOTATIONS.abandon] === 'true';
}

/** Without waiting for the run under way, which may hang on a target that is gone for good. */
function letGo(loop: LoopState, resource: DirectorySyncResource): void {
  loop.host.setFinalizer(toRef(resource), false).catch((thrown: unknown) => {
    // The queue tries it again as for every deletion.
    loop.log.warn({ directorySync: toQueueKey(resource), err: SyncError.from(thrown) }, 'not let go yet');
  });
}

function isData({ kind }: ResourceChange): boolean {
  return kind === 'Secret' || kind === 'ConfigMap';
}

function notice(
  loop: LoopState,
  resource: DirectorySyncResource,
  { fingerprint, isData }: { fingerprint: string; isData: boolean },
): void {
  const state = track(loop, resource);
  if (state.fingerprint !== fingerprint || isData) state.current?.abort();
  state.fingerprint = fingerprint;
  state.failures = 0;
  state.changed = true;
}

async function work(loop: LoopState, key: string): Promise<void> {
  const resources = loop.host.resources();
  const resource = resources.directorySyncs.find((each) => toQueueKey(each) === key);
  if (resource === undefined) {
    loop.tracked.delete(key);
    loop.publisher.forget(key);
    return;
  }
  // In one breath with the look at the resource: a change from here on ends the run.
  const state = track(loop, resource);
  state.current = new AbortController();
  state.fingerprint = toFingerprint(resource, resources);
  try {
    const next = await workOn(loop, { resource, state });
    state.troubles = 0;
    if (next !== null) loop.queue.add(key, next.getTime() - loop.clock.now());
  } catch (thrown) {
    // The host is away: what was to be written is written after the next try.
    state.troubles += 1;
    loop.log.warn({ directorySync: key, err: SyncError.from(thrown) }, 'the status could not be written');
    const now = new Date(loop.clock.now());
    const next = new Date(now.getTime() + WRITE_AGAIN_MS);
    loop.queue.add(key, computeRetry(state.troubles, { now, next, random: loop.random }));
  } finally {
    state.current = null;
  }
}

interface Working {
  readonly resource: DirectorySyncResource;
  readonly state: Tracked;
}

/** Gates first, the run after. Returns when to look again; null when only a change can call for it. */
async function workOn(loop: LoopState, working: Working): Promise<Date | null> {
  const { resource, state } = working;
  const { metadata } = resource;
  if (metadata.deletionTimestamp !== undefined) return workOnDeletion(loop, working);
  if (metadata.finalizers?.includes(FINALIZER) !== true) await loop.host.setFinalizer(toRef(resource), true);
  if (state.unwritten !== null) {
    const { next } = state.unwritten;
    await writeOutcome(loop, state, state.unwritten);
    if (!state.changed) return next;
  }
  state.changed = false;
  if (isSuspended(resource)) {
    await loop.publisher.rest(resource, 'Suspended');
    return null;
  }
  const spec = readSpec(resource);
  const requests = toRequests(resource, readStatus(loop, resource));
  const ended = await readFact(loop, resource, 'ended');
  const isNew = ended?.mark !== toMark(resource, loop.host.resources());
  if (spec?.schedule.kind === 'Once' && !isNew && ended?.completed === true && !isAsked(requests)) {
    await loop.publisher.rest(resource, 'Completed');
    return null;
  }
  if (requests.syncUser !== null && ended !== null) {
    const isDue = isNew || isAsked({ ...requests, syncUser: null });
    return runOneUser(loop, working, { spec, user: requests.syncUser, isDue });
  }
  await announce(loop, working, isNew || isAsked(requests));
  return runOnce(loop, working, { spec, requests });
}

/** The state stays whatever the policy, for a resource of the same id. */
async function workOnDeletion(loop: LoopState, { resource, state }: Working): Promise<Date | null> {
  const retains = toDeletionPolicy(resource, loop.host.resources()) === 'Retain';
  if (retains || isAbandoned(resource)) {
    await loop.host.setFinalizer(toRef(resource), false);
    return null;
  }
  state.changed = false;
  await announce(loop, { resource, state }, true);
  const report = await runEngine(loop, { resource, state }, { deletion: true });
  if (report === null) return null;
  const spec = readSpec(resource);
  const isDone = report.outcome === 'synced';
  state.failures = isDone ? 0 : state.failures + 1;
  const after = { schedule: spec?.schedule ?? null, report, failures: state.failures, random: loop.random };
  const next = isDone ? null : computeNextDeletion({ ...after, now: new Date(loop.clock.now()) });
  const rest = { requests: NOTHING_ASKED, isSpent: false, completed: false };
  await writeOutcome(loop, state, { resource, report, spec, next, ...rest });
  if (isDone) await loop.host.setFinalizer(toRef(resource), false);
  return next;
}

/** The newest status: what was handled may have been written since the resource was looked at. */
function readStatus(loop: LoopState, resource: DirectorySyncResource): DirectorySyncResource['status'] {
  const key = toQueueKey(resource);
  return loop.host.resources().directorySyncs.find((each) => toQueueKey(each) === key)?.status;
}

/** Says once that a run works on what is new. Retries of it change nothing but the outcome. */
async function announce(loop: LoopState, { resource, state }: Working, isNew: boolean): Promise<void> {
  const { metadata, status } = resource;
  const isSeen = status?.observedGeneration === (metadata.generation ?? 1);
  if (state.announced === state.fingerprint || (isSeen && !isNew)) return;
  await loop.publisher.begin(resource);
  state.announced = state.fingerprint;
}

/** Null: the run was ended on purpose, by who has asked for the next one. */
async function runEngine(
  loop: LoopState,
  { resource, state }: Working,
  asked: Partial<RunOptions>,
): Promise<RunReport | null> {
  const progress = loop.publisher.follow(resource);
  const report = await loop.engine.run({
    ...asked,
    resource,
    signal: loop.hard,
    stopping: AbortSignal.any([loop.stopping, ...(state.current === null ? [] : [state.current.signal])]),
    onProgress: progress.onProgress,
    onStep: progress.onStep,
  });
  await progress.close();
  if (!report.stopped) return report;
  if (progress.written) await loop.publisher.endStopped(resource);
  return null;
}

async function runOnce(
  loop: LoopState,
  { resource, state }: Working,
  { spec, requests }: Pick<Outcome, 'spec' | 'requests'>,
): Promise<Date | null> {
  const isSpent = await isApprovalSpent(loop, resource, requests);
  const approve = isSpent || spec?.mode === 'Plan' ? null : requests.approve;
  const approvedBy = approve === null ? null : toApprover(resource);
  const tryAll = requests.runNow !== null || requests.resync !== null;
  const asked = { approve, approvedBy, resync: requests.resync !== null, tryAll };
  const report = await runEngine(loop, { resource, state }, asked);
  if (report === null) return null;
  state.failures = report.outcome === 'waiting' && report.failedStep !== null ? state.failures + 1 : 0;
  const now = new Date(loop.clock.now());
  const schedule = spec?.schedule ?? null;
  const next = computeNextAfter({ schedule, report, failures: state.failures, now, random: loop.random });
  const isDone = report.outcome !== 'waiting' && report.outcome !== 'stalled';
  const completed = schedule?.kind === 'Once' && isDone;
  await writeOutcome(loop, state, { resource, report, spec, requests, isSpent, next, completed });
  return next;
}

/** The fast lane: before everything else that is due, and without a word about the rest. */
async function runOneUser(
  loop: LoopState,
  { resource, state }: Working,
  { spec, user, isDue }: Pick<Outcome, 'spec'> & { readonly user: string; readonly isDue: boolean },
): Promise<Date | null> {
  const report = await runEngine(loop, { resource, state }, { tryAll: true, user });
  if (report === null) return null;
  const due = readStatus(loop, resource)?.nextRunAt;
  const next = due === undefined ? null : new Date(due);
  const requests = { ...NOTHING_ASKED, syncUser: user };
  await writeOutcome(loop, state, { resource, report, spec, requests, isSpent: false, next, completed: false });
  return isDue ? new Date(loop.clock.now()) : next;
}

/**
 * Was the held set that is to be approved released before, by a run whose end the status never learned of (a kill
 * between the last request and the write)? To ask for it again would name nothing that is held.
 */
async function isApprovalSpent(
  loop: LoopState,
  resource: DirectorySyncResource,
  { approve }: Requests,
): Promise<boolean> {
  if (approve === null) return false;
  const { history = [] } = readStatus(loop, resource) ?? {};
  if (history.some(({ approval }) => approval?.hash === approve)) return false;
  const before = await readFact(loop, resource, 'approval');
  return before?.hash === approve && Object.keys(before.units).length === 0;
}

async function writeOutcome(loop: LoopState, state: Tracked, outcome: Outcome): Promise<void> {
  state.unwritten = outcome;
  await loop.publisher.end(outcome);
  state.unwritten = null;
  loop.dependents.add(outcome.resource.metadata.namespace, 0);
  loop.onReport?.(outcome.resource, outcome.report);
}

async function workOnDependents(loop: LoopState, namespace: string): Promise<void> {
  try {
    await writeDependents({
      host: loop.host,
      namespace,
      now: new Date(loop.clock.now()),
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
