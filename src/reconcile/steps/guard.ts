/** guard: what may go and what is held. Gathers what the pure guard needs, and remembers what it decided. */
import { SyncError } from '../../errors.ts';
import { computeGuard, type GuardInput, type GuardResult, type GuardSubject } from '../../plan/guard.ts';
import type { Unit } from '../../state/store.ts';
import { type FactShapes, getFact, putFact } from '../facts.ts';
import type { Guarded, Loaded, Mapped, PlanResult, ReadResult, RunDependencies } from '../run.ts';
import { toConfirmAfterMs } from '../schedule.ts';
import { order } from './order.ts';

export interface GuardStepInput {
  readonly loaded: Loaded;
  readonly read: ReadResult;
  readonly mapped: Mapped;
  readonly planned: PlanResult;
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
  await journal.hold(run.runId, result.held);
  const trusted = isTrusted(suspect, result);
  if (!run.options.planOnly) {
    const { mode } = input.loaded.spec;
    const { base } = arithmetic;
    await remember(run, { result, base, heldBefore, approval, suspect: suspect !== null, mode });
    await rememberSuspicion(run, input.read, { suspect, result, trusted });
  }
  return { ...result, trusted, heldUnits: result.held.size, order: await order(run, input.planned.operations + 1) };
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
  const waits = suspect !== null && suspect.before !== null && !suspect.isConfirming;
  if (!waits) await putFact(facts, 'suspect', { since: run.now().getTime(), removals: result.removals });
}

type Arithmetic = Pick<GuardInput, 'limits' | 'floor' | 'removed' | 'base'>;

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
  const now = run.now().getTime();
  const removed = new Map<string, number>();
  const bases = new Map<string, number>();
  const owned = (await run.state.links.counts()).active;
  for (const subject of toSubjects(units)) {
    const since = (heldBefore.find((held) => isSame(held, subject))?.since ?? now) - guards.windowMs;
    const counts = await run.state.ledger.removals(since);
    removed.set(keyOf(subject), counts.find((each) => isSame(each, subject))?.count ?? 0);
    const base = await baseOf(run, subject, { since, owned, inScope: mapped.inScope });
    // What was held once is measured against what stood then: a team (or company) that grew meanwhile releases nothing.
    bases.set(keyOf(subject), Math.min(base, heldBefore.find((held) => isSame(held, subject))?.base ?? base));
  }
  return {
    limits: guards,
    floor: guards.floor,
    removed: (subject) => removed.get(keyOf(subject)) ?? 0,
    base: (subject) => bases.get(keyOf(subject)) ?? 0,
  };
}

interface BaseInput {
  readonly since: number;
  readonly owned: number;
  readonly inScope: number;
}

async function baseOf(
  { state }: RunDependencies,
  { kind, scope }: GuardSubject,
  { since, owned, inScope }: BaseInput,
): Promise<number> {
  if (kind === 'adopt') return inScope;
  const sample = await state.ledger.baseline(scope, since);
  if (sample !== null) return sample;
  return kind === 'removeMembers' ? await state.links.members(scope) : owned;
}

function toSubjects(units: readonly Unit[]): readonly GuardSubject[] {
  const subjects = new Map<string, GuardSubject>();
  for (const { guard: kind, scope } of units) {
    if (kind !== null) subjects.set(keyOf({ kind, scope }), { kind, scope });
  }
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
  readonly suspect: boolean;
  readonly mode: 'Apply' | 'Plan';
}

async function remember(run: RunDependencies, remembering: Remembering): Promise<void> {
  const { result, heldBefore, suspect, mode } = remembering;
  const now = run.now().getTime();
  const held = result.subjects.map((subject) => ({
    ...subject,
    since: heldBefore.find((each) => isSame(each, subject))?.since ?? now,
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
  { result, approval }: Pick<Remembering, 'result' | 'approval'>,
): Promise<void> {
  const units = Object.fromEntries(result.released);
  if (options.approve !== null && result.released.size > 0) {
    const { approve: hash, approvedBy: by } = options;
    await putFact(state.facts, 'approval', { hash, by, at: now().getTime(), units });
    return;
  }
  // What is not called for any more is not approved any more: somebody who comes back and leaves again is a new loss.
  if (approval !== null && Object.keys(approval.units).length > result.released.size)
    await putFact(state.facts, 'approval', { ...approval, units });
}
