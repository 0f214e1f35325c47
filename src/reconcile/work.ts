/**
 * One turn of the queue for one DirectorySync: gates first, the run after, and its outcome written. Returns when to look
 * again.
 */
import type { DirectorySyncResource } from '../api/directory-sync.ts';
import { FINALIZER } from '../api/metadata.ts';
import { SyncError } from '../errors.ts';
import { toDeletionPolicy } from './deletion-policy.ts';
import { type LoopState, readFact, readStatus, type Tracked, track, WRITE_AGAIN_MS } from './loop-state.ts';
import { type Outcome, toRef } from './publish.ts';
import type { RunOptions, RunReport } from './run.ts';
import { computeNextAfter, computeNextDeletion, computeRetry } from './schedule.ts';
import {
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
} from './triggers.ts';
import { isAbandoned } from './watch.ts';

/** As often as the progress of a run is shown. */
const SHOWN_EVERY_MS = 10_000;

/** Never throws: what could not be written is tried again. */
export async function work(loop: LoopState, key: string): Promise<void> {
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
  const { namespace } = resource.metadata;
  // Statuses of CustomAttributes under deletion say how many people are left.
  const isRemoving = loop.host
    .resources()
    .customAttributes.some(
      ({ metadata }) => metadata.namespace === namespace && metadata.deletionTimestamp !== undefined,
    );
  const report = await loop.engine.run({
    ...asked,
    resource,
    signal: loop.hard,
    stopping: AbortSignal.any([loop.stopping, ...(state.current === null ? [] : [state.current.signal])]),
    onProgress: (moment) => {
      progress.onProgress(moment);
      if (moment.step === 'apply' && isRemoving) loop.dependents.add(namespace, SHOWN_EVERY_MS);
    },
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
