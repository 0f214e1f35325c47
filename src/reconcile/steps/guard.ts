/** guard: what may go and what is held. Gathers what the pure guard needs, and remembers what it decided. */
import { isDeepStrictEqual } from 'node:util';
import { SyncError } from '../../errors.ts';
import type { GuardSubject } from '../../model.ts';
import { computeGuard, type GuardInput, type GuardLimit, type GuardResult, isLost } from '../../plan/guard.ts';
import { toDeletionUnit } from '../../plan/member.ts';
import { toAdoptionUnit } from '../../plan/team.ts';
import type { Unit } from '../../state/store.ts';
import { type FactShapes, getFact, putFact } from '../facts.ts';
import type { Guarded, Loaded, Mapped, Observed, PlanResult, ReadResult, RunDependencies } from '../run.ts';
import { toConfirmAfterMs } from '../schedule.ts';
import { order } from './order.ts';

export interface GuardStepInput {
  readonly loaded: Loaded;
  readonly read: ReadResult;
  readonly mapped: Mapped;
  readonly planned: PlanResult;
  readonly observed: Observed;
}

export async function guard(run: RunDependencies, input: GuardStepInput, _signal: AbortSignal): Promise<Guarded> {
  const { journal, facts } = run.state;
  const units = await journal.units(run.runId);
  const suspect = await judgeSuspicion(run, input);
  const approval = await getFact(facts, 'approval');
  const heldBefore = (await getFact(facts, 'held')) ?? [];
  const arithmetic = await toLimits(run, input, { units, heldBefore });
  const result = computeGuard({
    units,
    ...arithmetic,
    suspect: suspect === null ? null : { confirmed: suspect.confirmed },
    approved: new Set(Object.values(approval?.units ?? {}).flat()),
    approve: toApproval(run, input, approval),
  });
  // Before the first write: an approval that names something else releases nothing.
  if (result.mismatch) throw mismatch(result);
  if (result.held.size > 0) await journal.hold(run.runId, result.held);
  if (result.released.size > 0) await journal.release(run.runId, result.released.keys());
  const trusted = isTrusted(suspect, result);
  // One person says nothing about what else is held or doubted.
  if (!run.options.planOnly && run.options.user === null) {
    const { mode } = input.loaded.spec;
    const { base } = arithmetic;
    const { waiting } = input.planned;
    await remember(run, { result, base, heldBefore, approval, suspect: suspect !== null, mode, waiting });
    await rememberSuspicion(run, input.read, { suspect, result, trusted });
  }
  const writes = !run.options.planOnly && input.loaded.spec.mode === 'Apply';
  const { attribute } = input.observed.capabilities;
  const ordered = await order(run, { nextSeq: input.planned.operations + 1, writes, attribute });
  return { ...result, trusted, heldUnits: result.held.size, order: ordered };
}

/** Null: nothing is approved now. What was approved before a kill goes on by its units and needs no second match. */
function toApproval(
  { options }: RunDependencies,
  { loaded }: GuardStepInput,
  before: FactShapes['approval'] | null,
): string | null {
  const goesOn = before?.hash === options.approve && Object.keys(before?.units ?? {}).length > 0;
  return goesOn || loaded.spec.mode === 'Plan' ? null : options.approve;
}

function mismatch({ hash }: GuardResult): SyncError {
  const now =
    hash === '' ? 'nothing is held now' : `what is held now has the hash ${hash}; review it with dirsync plan`;
  return new SyncError('ApprovalMismatch', `the approval names no held set: ${now}. Nothing was released`);
}

interface Suspicion {
  readonly confirmed: ReadonlySet<string>;
  /** Null: this is the first suspect read, or the wait is not over. */
  readonly before: FactShapes['suspect'] | null;
  readonly isConfirming: boolean;
}

async function judgeSuspicion(run: RunDependencies, { loaded, read }: GuardStepInput): Promise<Suspicion | null> {
  const before = await getFact(run.state.facts, 'suspect');
  if (read.suspicion === null) return null;
  const wait = toConfirmAfterMs(loaded.spec.schedule);
  const isConfirming = before !== null && run.now().getTime() - before.since >= wait;
  return { before, isConfirming, confirmed: new Set(isConfirming ? before.removals : []) };
}

/** Good at once, or because two reads far enough apart call for the same removals: then it is the new measure. */
function isTrusted(suspect: Suspicion | null, { removals }: GuardResult): boolean {
  if (suspect === null) return true;
  return suspect.isConfirming && removals.every((fingerprint) => suspect.confirmed.has(fingerprint));
}

interface Judged {
  readonly suspect: Suspicion | null;
  readonly result: GuardResult;
  readonly trusted: boolean;
}

async function rememberSuspicion(
  run: RunDependencies,
  read: ReadResult,
  { suspect, result, trusted }: Judged,
): Promise<void> {
  const { facts } = run.state;
  if (trusted) {
    await putFact(facts, 'suspect', null);
    await putFact(facts, 'lastGoodRead', read.stats);
    return;
  }
  const now = run.now().getTime();
  // By a clock that was set back it would not be over for as long.
  const waits = suspect !== null && suspect.before !== null && !suspect.isConfirming && suspect.before.since <= now;
  if (!waits) await putFact(facts, 'suspect', { since: now, removals: result.removals });
}

type Arithmetic = Pick<GuardInput, 'limits' | 'floor' | 'removed' | 'lostTeams' | 'base'>;

const NO_LIMIT: GuardLimit = { max: null, percent: 100 };

interface LimitInput {
  readonly units: readonly Unit[];
  readonly heldBefore: FactShapes['held'];
}

async function toLimits(
  run: RunDependencies,
  { loaded, mapped }: GuardStepInput,
  { units, heldBefore }: LimitInput,
): Promise<Arithmetic> {
  const { guards } = loaded.spec;
  const removed = new Map<string, number>();
  const bases = new Map<string, number>();
  // A read of one person does not tell how many there are.
  const inScope = Math.max(mapped.inScope, run.options.user === null ? 0 : (await run.state.links.counts()).active);
  const window: Window = { run, heldBefore, windowMs: guards.windowMs, inScope };
  for (const subject of toSubjects(units)) {
    removed.set(keyOf(subject), await countRemoved(subject, window));
    bases.set(keyOf(subject), await baseOf(subject, window));
  }
  return {
    limits: { ...guards, update: guards.update ?? NO_LIMIT },
    floor: guards.floor,
    // What is held as a whole does not go one by one.
    removed: (subject) =>
      run.options.user !== null && heldBefore.some((held) => isSame(held, subject))
        ? Number.POSITIVE_INFINITY
        : (removed.get(keyOf(subject)) ?? 0),
    lostTeams: removed.has(keyOf(LOST)) ? await findLostTeams(window, guards.removeMembers) : new Set(),
    base: (subject) => bases.get(keyOf(subject)) ?? 0,
  };
}

const LOST: GuardSubject = { kind: 'deleteTeams', scope: '' };

interface Window {
  readonly run: RunDependencies;
  readonly heldBefore: FactShapes['held'];
  readonly windowMs: number;
  readonly inScope: number;
}

/** The window of a subject that is held begins where it began when it was first held. */
function toSince(subject: GuardSubject, { run, heldBefore, windowMs }: Window): number {
  return toHeldSince(subject, heldBefore, run.now().getTime()) - windowMs;
}

/** A clock that was set back must not leave out of the window what is done from now on. */
function toHeldSince(subject: GuardSubject, heldBefore: FactShapes['held'], now: number): number {
  return Math.min(now, heldBefore.find((held) => isSame(held, subject))?.since ?? now);
}

async function countRemoved(subject: GuardSubject, window: Window): Promise<number> {
  const counts = await window.run.state.ledger.removals(toSince(subject, window));
  return counts.find((each) => isSame(each, subject))?.count ?? 0;
}

/** Deleted in the window, or emptied member by member. */
async function findLostTeams(window: Window, { percent }: GuardLimit): Promise<ReadonlySet<string>> {
  const since = toSince(LOST, window);
  const { ledger } = window.run.state;
  const lost = new Set(await ledger.units('deleteTeams', since));
  for (const { kind, scope, count } of await ledger.removals(since)) {
    if (kind !== 'removeMembers') continue;
    if (isLost(count, { percent, base: await baseOf({ kind, scope }, window) })) lost.add(toDeletionUnit(scope));
  }
  return lost;
}

/** What was held once is measured against what stood then: a team (or company) that grew meanwhile releases nothing. */
async function baseOf(subject: GuardSubject, window: Window): Promise<number> {
  const base = await readBase(subject, window);
  return Math.min(base, window.heldBefore.find((held) => isSame(held, subject))?.base ?? base);
}

/** Of teams their members, of lost teams the owned ones, of who comes the people in scope, else people owned and active. */
async function readBase(subject: GuardSubject, window: Window): Promise<number> {
  const { kind, scope } = subject;
  if (kind === 'adopt' || kind === 'reactivate') return window.inScope;
  const { ledger, links } = window.run.state;
  const since = toSince(subject, window);
  if (kind === 'removeMembers') return (await ledger.baseline(scope, since)) ?? (await countMembers(scope, window));
  if (kind === 'deleteTeams') return (await ledger.baseline('teams', since)) ?? (await links.counts()).teams;
  return (await ledger.baseline('', since)) ?? (await links.counts()).active;
}

/** Of a team that this plan takes over those that it has in the target. */
async function countMembers(key: string, { run }: Window): Promise<number> {
  const { journal, staging, links } = run.state;
  for await (const [adoption] of journal.operations(run.runId, { unit: toAdoptionUnit(key) })) {
    if (adoption?.targetId != null) return (await staging.countMembers(key, adoption.targetId)).all;
  }
  return links.members(key);
}

/** Where somebody leaves a team, the team may be lost too. */
function toSubjects(units: readonly Unit[]): readonly GuardSubject[] {
  const subjects = new Map<string, GuardSubject>();
  for (const { guards } of units) for (const subject of guards) subjects.set(keyOf(subject), subject);
  if ([...subjects.values()].some(({ kind }) => kind === 'removeMembers')) subjects.set(keyOf(LOST), LOST);
  return [...subjects.values()];
}

function keyOf({ kind, scope }: GuardSubject): string {
  return `${kind}\n${scope}`;
}

function isSame(left: GuardSubject, right: GuardSubject): boolean {
  return left.kind === right.kind && left.scope === right.scope;
}

interface Remembering extends Pick<Arithmetic, 'base'> {
  readonly result: GuardResult;
  readonly heldBefore: FactShapes['held'];
  readonly approval: FactShapes['approval'] | null;
  readonly waiting: PlanResult['waiting'];
  readonly suspect: boolean;
  readonly mode: 'Apply' | 'Plan';
}

async function remember(run: RunDependencies, remembering: Remembering): Promise<void> {
  const { result, heldBefore, suspect, mode } = remembering;
  const now = run.now().getTime();
  const held = result.subjects.map((subject) => ({
    ...subject,
    since: toHeldSince(subject, heldBefore, now),
    base: remembering.base(subject),
  }));
  // What a suspect read holds is not asked of the guards: it says nothing about what they held before.
  const kept = suspect ? heldBefore.filter((each) => !held.some((other) => isSame(each, other))) : [];
  const all = [...held, ...kept];
  await putFact(run.state.facts, 'held', all.length === 0 ? null : all);
  if (mode === 'Apply') await rememberApproval(run, remembering);
}

/** Written before the first request, so that a kill in the middle neither loses nor widens the approval. */
async function rememberApproval(
  { state, options, now }: RunDependencies,
  { result, approval, waiting }: Pick<Remembering, 'result' | 'approval' | 'waiting'>,
): Promise<void> {
  const units: Record<string, readonly string[]> = Object.fromEntries(result.released);
  // What was refused and waits for its next try is still approved.
  for (const [unit, operations] of Object.entries(approval?.units ?? {}))
    if (waiting.has(unit)) units[unit] = [...new Set([...(units[unit] ?? []), ...operations])];
  if (options.approve !== null && result.released.size > 0) {
    const { approve: hash, approvedBy: by } = options;
    await putFact(state.facts, 'approval', { hash, by, at: now().getTime(), units });
    return;
  }
  // What is not called for any more is not approved any more: somebody who comes back and leaves again is a new loss.
  if (approval !== null && !isDeepStrictEqual(approval.units, units))
    await putFact(state.facts, 'approval', { ...approval, units });
}
