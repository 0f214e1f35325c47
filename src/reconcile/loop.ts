/**
 * The loop: watches the resources, decides when each DirectorySync runs, and writes what came of it. The same loop
 * serves a cluster and a folder.
 *
 * A run is due by its schedule, by a change of the resource or of what it names (after `settle`), by an annotation, or
 * sooner after a failure. An edit during a run ends it at the next operation and starts a new one.
 */
import { createHash } from 'node:crypto';
import { type ResolvedDirectorySyncSpec, withDefaults } from '../api/defaults.ts';
import type { DirectorySyncResource } from '../api/directory-sync.ts';
import type { DirectorySyncStatus } from '../api/directory-sync-status.ts';
import type { ResourceChange, ResourceHost, ResourceRef } from '../api/host.ts';
import { findCondition, setCondition, toInstant } from '../api/kstatus.ts';
import { ANNOTATIONS, FINALIZER } from '../api/metadata.ts';
import type { ReadyReason } from '../api/reasons.ts';
import { SyncError } from '../errors.ts';
import type { DirectoryState, StateStore } from '../state/store.ts';
import type { Logger } from '../telemetry/log.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import { writeDependents } from './dependents.ts';
import { type Engine, toDirectoryKey } from './engine.ts';
import { createQueue, type QueueClock, systemClock } from './queue.ts';
import type { Progress, RunReport } from './run.ts';
import { computeNextRun, computeRetry } from './schedule.ts';
import { type Commands, computeStatus, toEvents } from './status.ts';
import { findConcerned, type Requests, toFingerprint, toQueueKey, toRequests } from './triggers.ts';

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
  /** Called after each run, once its status is written. */
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
  fingerprint: string;
  /** Failures in a row. */
  failures: number;
  /** Ends the run under way at its next operation. */
  current: AbortController | null;
}

const PROGRESS_MS = 10_000;
const CONFIRM_MS = 10 * 60_000;

export function createLoop(options: LoopOptions): Loop {
  const clock = options.clock ?? systemClock;
  const tracked = new Map<string, Tracked>();
  let listed = false;

  return {
    ready: () => listed || 'the resources are being listed',
    run: async (stopping, hard) => {
      const loop: LoopState = { ...options, clock, random: options.random ?? Math.random, tracked, stopping, hard };
      const queue = createQueue({
        work: (key) => work(loop, key, queue.add),
        concurrency: options.concurrency ?? 4,
        clock,
      });
      const watching = new AbortController();
      await options.host.start((change) => onChange(loop, change, queue.add), AbortSignal.any([watching.signal, hard]));
      listed = true;
      for (const resource of options.host.resources().directorySyncs)
        queue.add(toQueueKey(resource), delayAtStart(loop, resource));
      await writeAllDependents(loop);
      await aborted(stopping);
      for (const { current } of tracked.values()) current?.abort();
      await queue.stop();
      watching.abort();
    },
  };
}

interface LoopState extends LoopOptions {
  readonly clock: QueueClock;
  readonly random: () => number;
  readonly tracked: Map<string, Tracked>;
  readonly stopping: AbortSignal;
  readonly hard: AbortSignal;
}

type Add = (key: string, delayMs: number) => void;

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}

function track(loop: LoopState, resource: DirectorySyncResource): Tracked {
  const key = toQueueKey(resource);
  const known = loop.tracked.get(key);
  if (known !== undefined) return known;
  const fresh: Tracked = { fingerprint: toFingerprint(resource, loop.host.resources()), failures: 0, current: null };
  loop.tracked.set(key, fresh);
  return fresh;
}

/** After a restart a run that is not due yet waits for its time: a crash loop must not become a flood of reads. */
function delayAtStart(loop: LoopState, resource: DirectorySyncResource): number {
  track(loop, resource);
  const { status, metadata } = resource;
  const requests = toRequests(resource, status);
  const asked = requests.runNow !== null || requests.resync !== null || requests.approve !== null;
  const current =
    status?.observedGeneration === (metadata.generation ?? 1) &&
    findCondition(status.conditions, 'Ready')?.status === 'True';
  if (asked || !current || status.nextRunAt === undefined || metadata.deletionTimestamp !== undefined) return 0;
  return Math.max(0, Date.parse(status.nextRunAt) - loop.clock.now());
}

function onChange(loop: LoopState, change: ResourceChange, add: Add): void {
  const resources = loop.host.resources();
  const concerned = findConcerned(change, resources);
  if (change.kind === 'DirectorySync' && concerned.length === 0) {
    // Gone: the queue finds nothing to do, and forgets it.
    add(`${change.namespace}/${change.name}`, 0);
    return;
  }
  for (const resource of concerned) {
    const state = track(loop, resource);
    const fingerprint = toFingerprint(resource, resources);
    const data = change.kind === 'Secret' || change.kind === 'ConfigMap';
    const fresh = resource.status?.observedGeneration === undefined || resource.status.observedGeneration < 0;
    if (!data && fingerprint === state.fingerprint && !(fresh && state.current === null)) continue;
    state.fingerprint = fingerprint;
    state.failures = 0;
    state.current?.abort();
    add(toQueueKey(resource), toSettle(resource));
  }
  if (change.kind !== 'Secret' && change.kind !== 'ConfigMap') {
    writeDependentsOf(loop, change.namespace).catch((thrown: unknown) =>
      loop.log.warn({ err: SyncError.from(thrown) }, 'status not written'),
    );
  }
}

/** What people asked for by annotation, and deletions, need not settle. */
function toSettle(resource: DirectorySyncResource): number {
  const requests = toRequests(resource, resource.status);
  const now =
    Object.values(requests).some((request) => request !== null) || resource.metadata.deletionTimestamp !== undefined;
  if (now) return 0;
  return tryDefaults(resource)?.settleMs ?? 0;
}

/** Null: the spec is wrong; the run will say how. */
function tryDefaults(resource: DirectorySyncResource): ResolvedDirectorySyncSpec | null {
  try {
    return withDefaults(resource);
  } catch {
    return null;
  }
}

async function work(loop: LoopState, key: string, add: Add): Promise<void> {
  const resource = loop.host.resources().directorySyncs.find((each) => toQueueKey(each) === key);
  if (resource === undefined) {
    forget(loop, key);
    return;
  }
  try {
    const delay = await workOn(loop, resource);
    if (delay !== null) add(key, delay);
  } catch (thrown) {
    // The API server or the store is away: what was to be written is written after the next try.
    const state = track(loop, resource);
    state.failures += 1;
    loop.log.warn({ directorySync: key, err: SyncError.from(thrown) }, 'run not finished');
    add(key, computeRetry(state.failures, { now: new Date(loop.clock.now()), next: null, random: loop.random }));
  }
}

function forget(loop: LoopState, key: string): void {
  const [namespace = '', directorySync = ''] = key.split('/');
  loop.tracked.delete(key);
  loop.metrics?.forget({ namespace, directorySync });
}

function toRef({ metadata }: DirectorySyncResource): ResourceRef {
  return { kind: 'DirectorySync', namespace: metadata.namespace, name: metadata.name };
}

/** Returns when to look again; null when only a change can call for it. */
async function workOn(loop: LoopState, resource: DirectorySyncResource): Promise<number | null> {
  const { metadata } = resource;
  if (metadata.deletionTimestamp !== undefined) {
    // deletionPolicy Retain: what Dirsync made stays. The state stays too, for a resource of the same id.
    await loop.host.setFinalizer(toRef(resource), false);
    return null;
  }
  if (metadata.finalizers?.includes(FINALIZER) !== true) await loop.host.setFinalizer(toRef(resource), true);
  const spec = tryDefaults(resource);
  if (spec?.suspend === true) {
    await writeRest(loop, resource, { reason: 'Suspended', message: 'suspended: nothing is read or written' });
    return null;
  }
  const requests = toRequests(resource, resource.status);
  if (
    spec?.schedule.kind === 'Once' &&
    requests.runNow === null &&
    requests.approve === null &&
    requests.resync === null
  ) {
    if (await isCompleted(loop, resource)) {
      await writeRest(loop, resource, { reason: 'Completed', message: 'ran once for this generation' });
      return null;
    }
  }
  return runOnce(loop, resource, { spec, requests });
}

function hashOf(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 16);
}

function completedMark(loop: LoopState, resource: DirectorySyncResource): string {
  const bare = { ...resource, metadata: { ...resource.metadata, annotations: {} } };
  return hashOf(toFingerprint(bare, loop.host.resources()));
}

async function isCompleted(loop: LoopState, resource: DirectorySyncResource): Promise<boolean> {
  const state = await loop.store.directory(toDirectoryKey(resource));
  return (await state.facts.get<string>('completed')) === completedMark(loop, resource);
}

interface RunInput {
  readonly spec: ResolvedDirectorySyncSpec | null;
  readonly requests: Requests;
}

async function runOnce(
  loop: LoopState,
  resource: DirectorySyncResource,
  { spec, requests }: RunInput,
): Promise<number | null> {
  const state = track(loop, resource);
  const { metadata } = resource;
  state.fingerprint = toFingerprint(resource, loop.host.resources());
  state.current = new AbortController();
  await writeProgressing(loop, resource);
  const started = loop.clock.now();
  const report = await loop.engine.run({
    resource,
    signal: loop.hard,
    stopping: state.current.signal,
    approve: requests.approve,
    approvedBy: requests.approve === null ? null : ANNOTATIONS.approve,
    resync: requests.resync !== null,
    onProgress: toProgressWriter(loop, resource, started),
  });
  state.current = null;
  state.failures = report.outcome === 'waiting' || report.outcome === 'stalled' ? state.failures + 1 : 0;
  const next = computeNext(loop, { spec, report, failures: state.failures });
  if (report.stopped) return loop.stopping.aborted ? null : 0;
  await finish(loop, { resource, report, spec, requests, next });
  const labels = { namespace: metadata.namespace, directorySync: metadata.name };
  loop.metrics?.countRun(
    { ...labels, outcome: report.outcome },
    (report.finishedAt.getTime() - report.startedAt.getTime()) / 1000,
  );
  loop.metrics?.setHeldOperations(labels, report.held.count);
  await countOperations(loop, resource, report);
  await writeDependentsOf(loop, metadata.namespace);
  loop.onReport?.(resource, report);
  return next === null ? null : Math.max(0, next.getTime() - loop.clock.now());
}

async function countOperations(loop: LoopState, resource: DirectorySyncResource, { runId }: RunReport): Promise<void> {
  if (loop.metrics === undefined || runId === '') return;
  const state = await loop.store.directory(toDirectoryKey(resource));
  for (const { kind, resource: of, status, count } of await state.journal.counts(runId)) {
    if (status !== 'done' && status !== 'failed') continue;
    for (let n = 0; n < count; n += 1) loop.metrics.countOperation({ kind, resource: of, result: status });
  }
}

interface NextInput {
  readonly spec: ResolvedDirectorySyncSpec | null;
  readonly report: RunReport;
  readonly failures: number;
}

function computeNext(loop: LoopState, { spec, report, failures }: NextInput): Date | null {
  const now = new Date(loop.clock.now());
  const scheduled = spec === null ? new Date(now.getTime() + 600_000) : computeNextRun(spec.schedule, report.startedAt);
  const after = (ms: number): Date => new Date(now.getTime() + ms);
  if (report.reason === 'ReadSuspect')
    return after(Math.min(CONFIRM_MS, spec?.schedule.kind === 'Interval' ? spec.schedule.everyMs : CONFIRM_MS));
  if (report.outcome === 'stalled') return scheduled ?? null;
  if (report.outcome !== 'waiting') return scheduled;
  if (report.retryAfterMs !== null) return after(report.retryAfterMs);
  return after(computeRetry(failures, { now, next: scheduled, random: loop.random }));
}

interface Finished extends RunInput {
  readonly resource: DirectorySyncResource;
  readonly report: RunReport;
  readonly next: Date | null;
}

async function finish(loop: LoopState, { resource, report, spec, requests, next }: Finished): Promise<void> {
  const ref = toRef(resource);
  const previous = loop.host
    .resources()
    .directorySyncs.find((each) => toQueueKey(each) === toQueueKey(resource))?.status;
  if (spec?.schedule.kind === 'Once' && report.failedStep === null) {
    const state: DirectoryState = await loop.store.directory(toDirectoryKey(resource));
    await state.facts.put('completed', completedMark(loop, resource));
  }
  await loop.host.writeStatus(ref, (status) => ({
    ...computeStatus({
      resource,
      previous: status as DirectorySyncStatus,
      report,
      nextRunAt: next,
      historyLimit: spec?.historyLimit ?? 10,
      commands: loop.commands(resource),
    }),
    ...toHandled(requests, report),
  }));
  for (const event of toEvents(report, previous)) await loop.host.event(ref, event);
}

/** An annotation is done with once the run that it asked for has ended, well or not: a new value asks again. */
function toHandled({ runNow, resync, approve }: Requests, report: RunReport): Partial<DirectorySyncStatus> {
  const judged = report.approval !== null || report.reason === 'ApprovalMismatch';
  return {
    ...(runNow === null ? {} : { lastHandledRequest: runNow }),
    ...(resync === null ? {} : { lastHandledResync: resync }),
    ...(approve === null || !judged ? {} : { lastHandledApproval: approve }),
  };
}

async function writeProgressing(loop: LoopState, resource: DirectorySyncResource): Promise<void> {
  const { generation = 1 } = resource.metadata;
  if (resource.status?.observedGeneration === generation) return;
  const message = 'a run works on this generation';
  await loop.host.writeStatus(toRef(resource), (status) => {
    const now = new Date(loop.clock.now());
    const before = ((status as DirectorySyncStatus).conditions ?? []).filter(({ type }) => type !== 'Stalled');
    const ready = setCondition(
      before,
      { type: 'Ready', status: 'Unknown', reason: 'Progressing', message, observedGeneration: generation },
      now,
    );
    const conditions = setCondition(
      ready,
      { type: 'Reconciling', status: 'True', reason: 'Progressing', message, observedGeneration: generation },
      now,
    );
    return { ...status, conditions };
  });
}

/** Suspended and Completed keep everything of the last run but the reason. */
async function writeRest(
  loop: LoopState,
  resource: DirectorySyncResource,
  { reason, message }: { reason: ReadyReason; message: string },
): Promise<void> {
  await loop.host.writeStatus(toRef(resource), (status, generation) => {
    const { nextRunAt: _none, progress: _over, ...rest } = status as DirectorySyncStatus;
    const ready = findCondition(rest.conditions, 'Ready');
    const kept = (rest.conditions ?? []).filter(({ type }) => type !== 'Reconciling' && type !== 'Stalled');
    const conditions = setCondition(
      kept,
      {
        type: 'Ready',
        status: ready?.status === 'False' ? 'False' : 'True',
        reason,
        message,
        observedGeneration: generation,
      },
      new Date(loop.clock.now()),
    );
    return { ...rest, observedGeneration: generation, conditions };
  });
}

function toProgressWriter(
  loop: LoopState,
  resource: DirectorySyncResource,
  started: number,
): (progress: Progress) => void {
  let last = started;
  let step: { name: string; since: number } = { name: '', since: started };
  return ({ step: name, done, total }) => {
    const now = loop.clock.now();
    if (step.name !== name) {
      loop.metrics?.observeStep(step.name === '' ? 'load' : step.name, (now - step.since) / 1000);
      step = { name, since: now };
    }
    if (now - last < PROGRESS_MS) return;
    last = now;
    const rate = done / Math.max(1, now - step.since);
    const end = total === null || rate === 0 ? null : new Date(now + (total - done) / rate);
    const progress = {
      step: name,
      done,
      ...(total === null ? {} : { total }),
      startedAt: toInstant(new Date(started)),
      ...(end === null ? {} : { estimatedEnd: toInstant(end) }),
    };
    loop.host.writeStatus(toRef(resource), (status) => ({ ...status, progress })).catch(() => undefined);
  };
}

async function writeAllDependents(loop: LoopState): Promise<void> {
  const { attributeMappings, teamRules, customAttributes } = loop.host.resources();
  const namespaces = new Set(
    [...attributeMappings, ...teamRules, ...customAttributes].map(({ metadata }) => metadata.namespace),
  );
  for (const namespace of namespaces) await writeDependentsOf(loop, namespace);
}

async function writeDependentsOf(loop: LoopState, namespace: string): Promise<void> {
  await writeDependents({
    host: loop.host,
    namespace,
    now: new Date(loop.clock.now()),
    stateOf: async (name) => {
      const sync = loop.host
        .resources()
        .directorySyncs.find(({ metadata }) => metadata.namespace === namespace && metadata.name === name);
      return sync === undefined ? null : loop.store.directory(toDirectoryKey(sync));
    },
  });
}
