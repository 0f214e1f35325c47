/**
 * apply: the plan's operations, phase by phase. Each is written down as begun before its request and as done, with what
 * it did to the links, when the target has confirmed it.
 */
import { SyncError } from '../../errors.ts';
import { PHASES, type Phase, type RecordError } from '../../model.ts';
import type { Contention } from '../../state/staging.ts';
import type { Effect, OperationResult, StoredOperation } from '../../state/store.ts';
import type { TargetCapabilities } from '../../targets/target.ts';
import { getFact, putFact } from '../facts.ts';
import type { Applied, Guarded, Loaded, Observed, PlanResult, RunDependencies } from '../run.ts';
import { carryOutMembers } from './apply-members.ts';
import { carryOutPerson } from './apply-person.ts';
import { carryOutTeam } from './apply-team.ts';
import { toBackOff, toEndBackOff } from './back-off.ts';
import { rememberUnreleased } from './unreleased.ts';

export interface ApplyInput {
  readonly loaded: Loaded;
  readonly observed: Observed;
  readonly planned: PlanResult;
  readonly guarded: Guarded;
}

/** What carrying out an operation needs. */
export interface Applying extends ApplyInput {
  readonly run: RunDependencies;
  readonly signal: AbortSignal;
  /** Operations that others waited for and that are done. */
  readonly done: Set<number>;
  /** Requests for operations in this run. */
  readonly tally: { sent: number; failed: number };
}

/** Operations that are begun together: few enough to settle soon, enough to keep all connections busy. */
const BATCHES_PER_CONNECTION = 4;

export async function apply(run: RunDependencies, input: ApplyInput, signal: AbortSignal): Promise<Applied> {
  const applying: Applying = { ...input, run, signal, done: new Set(), tally: { sent: 0, failed: 0 } };
  const planned = await run.state.journal.counts(run.runId);
  const total = planned.filter((each) => each.status === 'planned').reduce((sum, each) => sum + each.count, 0);
  const applied = { done: 0, failed: 0 };
  const waitedFor = new Set(input.guarded.order.rounds.flat());
  // Nothing is, in most runs.
  for (const phase of total === 0 ? [] : PHASES) {
    await applyPhase(applying, phase, (results) => {
      for (const { seq, status } of results) if (status === 'done' && waitedFor.has(seq)) applying.done.add(seq);
      applied.done += results.length;
      applied.failed += results.filter((result) => result.status === 'failed').length;
      run.onProgress({ step: 'apply', done: applied.done, total });
    });
    if (phase === 'references') await rememberUnreleased(run, input.planned.release);
  }
  if (total === 0) await rememberUnreleased(run, input.planned.release);
  // What is approved of others is still to be done.
  if (run.options.user === null) await spendApproval(run, input.planned);
  // Only now: what the target's list showed and was not put right would else be forgotten until the next verify.
  if (input.observed.verified) await putFact(run.state.facts, 'verifiedAt', run.startedAt.getTime());
  return applied;
}

/** What failed, got no answer or waits for its next try is still approved; the rest of the approval is spent. */
async function spendApproval({ runId, state }: RunDependencies, { waiting }: PlanResult): Promise<void> {
  const approval = await getFact(state.facts, 'approval');
  if (approval === null) return;
  const open = Object.fromEntries(Object.entries(approval.units).filter(([unit]) => waiting.has(unit)));
  for (const status of ['failed', 'begun'] as const) {
    for await (const page of state.journal.operations(runId, { status })) {
      for (const { unit } of page) {
        const approved = approval.units[unit];
        if (approved !== undefined) open[unit] = approved;
      }
    }
  }
  // The hash stays: who asks again for what was released already is not asked to review something new.
  await putFact(state.facts, 'approval', { ...approval, units: open });
}

type OnSettled = (results: readonly OperationResult[]) => void;

async function applyPhase(applying: Applying, phase: Phase, onSettled: OnSettled): Promise<void> {
  const { run, guarded } = applying;
  // Whoever leaves leaves first, whoever waits for the name.
  const ordered = new Set(phase === 'deactivate' ? [] : guarded.order.rounds.flat());
  for await (const page of run.state.journal.operations(run.runId, { phase, status: 'planned' })) {
    const free = page.filter(({ seq }) => !ordered.has(seq));
    await applyTasks(
      applying,
      phase === 'members' ? toMemberTasks(free, applying) : free.map((operation) => [operation]),
      onSettled,
    );
  }
  if (phase === 'people') await applyRounds(applying, onSettled);
}

async function applyTasks(applying: Applying, tasks: readonly Task[], onSettled: OnSettled): Promise<void> {
  const size = Math.max(
    applying.loaded.spec.limits.concurrency * BATCHES_PER_CONNECTION,
    applying.observed.capabilities.changesTogether,
  );
  for (let at = 0; at < tasks.length; at += size) await applyBatch(applying, tasks.slice(at, at + size), onSettled);
}

/** Operations that want each other's values, deletions among them: each round when the one before it is done. */
async function applyRounds(applying: Applying, onSettled: OnSettled): Promise<void> {
  const { run, guarded } = applying;
  for (const seqs of guarded.order.rounds) {
    for await (const page of run.state.journal.operations(run.runId, { seqs, status: 'planned' })) {
      const stuck = page.filter(({ seq }) => toMissing(seq, applying) !== undefined);
      if (stuck.length > 0) await failStuck(stuck, applying, onSettled);
      const free = page.filter((operation) => !stuck.includes(operation));
      await applyTasks(
        applying,
        free.map((operation) => [operation]),
        onSettled,
      );
    }
  }
}

function toMissing(seq: number, { guarded, done }: Applying): Contention | undefined {
  return guarded.order.waits.get(seq)?.find(({ freedBy }) => freedBy !== null && !done.has(freedBy));
}

/** Never sent: a server that does not enforce uniqueness would give two people one name. */
async function failStuck(stuck: readonly StoredOperation[], applying: Applying, onSettled: OnSettled): Promise<void> {
  const { run } = applying;
  const results = stuck.map((operation) => {
    const { path, holder } = toMissing(operation.seq, applying) as Contention;
    const message = `${path} of ${operation.id} still belongs to ${holder}, whose change failed: the next run tries both again`;
    return toFailed(operation, new SyncError('Conflict', message));
  });
  await run.state.journal.settle(run.runId, results);
  await run.state.journal.addErrors(
    run.runId,
    results.map(({ error }, index) => ({
      resource: 'User',
      id: stuck[index]?.id ?? '',
      code: 'Conflict',
      message: error?.message ?? '',
    })),
  );
  onSettled(results);
}

/** Operations of one request. */
type Task = readonly StoredOperation[];

function toMemberTasks(page: readonly StoredOperation[], { observed }: Applying): readonly Task[] {
  const tasks: StoredOperation[][] = [];
  for (const operation of page) {
    const last = tasks.at(-1);
    if (last !== undefined && last[0]?.id === operation.id && hasRoom(last, operation, observed.capabilities))
      last.push(operation);
    else tasks.push([operation]);
  }
  return tasks;
}

function hasRoom(task: Task, { kind }: StoredOperation, capabilities: TargetCapabilities): boolean {
  const { membersPerRequest, memberChanges } = capabilities;
  if (task.length >= membersPerRequest || (!memberChanges.mixed && task.some((each) => each.kind !== kind)))
    return false;
  const same = task.filter((each) => each.kind === kind).length;
  return same < (kind === 'addMembers' ? memberChanges.add : memberChanges.remove);
}

/**
 * What may not be under way at the same time: services that write objects whole would undo the one request with the
 * other.
 */
function toChains(tasks: readonly Task[]): readonly (readonly Task[])[] {
  return [...Map.groupBy(tasks, ([first]) => `${first?.resource}\n${first?.id}`).values()];
}

async function applyBatch(applying: Applying, tasks: readonly Task[], onSettled: OnSettled): Promise<void> {
  const { run, loaded, signal } = applying;
  const ended = (): SyncError | null =>
    signal.aborted || run.stopping.aborted
      ? new SyncError('Aborted', 'the run was ended before it was done; the next one goes on')
      : null;
  const before = ended();
  if (before !== null) throw before;
  const { journal } = run.state;
  await journal.begin(
    run.runId,
    tasks.flat().map((operation) => operation.seq),
  );
  const results: OperationResult[] = [];
  const errors: RecordError[] = [];
  const single: OperationResult[] = [];
  let fatal: SyncError | null = null;
  const chains = toChains(tasks);
  const queue = chains.values();
  const follow = async (chain: readonly Task[]): Promise<void> => {
    for (const task of chain) {
      // Also of the last batch: a run with something left out has not ended well.
      fatal ??= ended() ?? toTooMany(applying);
      if (fatal !== null) {
        // Never sent: the next run plans anew and owes nothing for it.
        const dropped = task.map(({ seq }) => ({ seq, status: 'dropped' as const, effects: [] }));
        results.push(...dropped);
        single.push(...dropped);
        continue;
      }
      const outcome = await carryOut(task, applying);
      results.push(...outcome.results);
      errors.push(...outcome.errors);
      fatal ??= outcome.fatal;
      if (chain.length === 1) single.push(...outcome.results);
      // At once, because the next request of the chain goes by what this one has left of the link.
      else await settle(outcome.results);
    }
  };
  const settle = async (some: readonly OperationResult[]): Promise<void> => {
    await journal.settle(run.runId, some).catch((thrown: unknown) => {
      fatal ??= SyncError.from(thrown);
    });
  };
  const work = async (): Promise<void> => {
    for (const chain of queue) await follow(chain);
  };
  // Requests under way are counted by whoever sends them; here only what may wait for them at once.
  const width = Math.max(loaded.spec.limits.concurrency, applying.observed.capabilities.changesTogether);
  await Promise.all(Array.from({ length: Math.min(width, chains.length) }, work));
  await settle(single);
  if (errors.length > 0) await journal.addErrors(run.runId, errors);
  onSettled(results);
  fatal ??= toTooMany(applying);
  if (fatal !== null) throw fatal;
}

/** Fewer say nothing about the target. */
const FEWEST_FAILURES = 10;

/** Null: the run may go on. What failed waits in the next one, so that it comes further. */
function toTooMany({ tally, loaded }: Applying): SyncError | null {
  const { maxFailures } = loaded.spec.guards;
  const { sent, failed } = tally;
  if (failed < FEWEST_FAILURES || failed * 100 <= maxFailures * sent) return null;
  return new SyncError(
    'TooManyFailures',
    `more than ${maxFailures} % of the operations failed, and the run was stopped; dirsync history names the records. Mend the target or the mappings; what failed is tried again later`,
  );
}

export interface Outcome {
  /** Missing for an operation whose end is not known: it stays begun, and the next run asks. */
  readonly results: readonly OperationResult[];
  readonly errors: readonly RecordError[];
  readonly fatal: SyncError | null;
}

async function carryOut(task: Task, applying: Applying): Promise<Outcome> {
  const [operation] = task;
  if (operation === undefined) return { results: [], errors: [], fatal: null };
  const { tally, run } = applying;
  tally.sent += 1;
  try {
    const results = await dispatch(task, operation, applying);
    const ended = await toEndBackOff(operation, run);
    return { results: withEffects(results, ended), errors: [], fatal: null };
  } catch (thrown) {
    const error = SyncError.from(thrown);
    const outcome = toFailure(task, error);
    if (outcome.fatal !== null) return outcome;
    tally.failed += 1;
    return { ...outcome, results: withEffects(outcome.results, await toBackOff(operation, error, run)) };
  }
}

function withEffects(results: readonly OperationResult[], effects: readonly Effect[]): readonly OperationResult[] {
  if (effects.length === 0) return results;
  return results.map((result) => ({ ...result, effects: [...result.effects, ...effects] }));
}

function dispatch(task: Task, operation: StoredOperation, applying: Applying): Promise<readonly OperationResult[]> {
  if (operation.member !== null) return carryOutMembers(task, applying);
  return operation.resource === 'User' ? carryOutPerson(operation, applying) : carryOutTeam(operation, applying);
}

function toFailure(task: Task, error: SyncError): Outcome {
  const [first] = task;
  const { code, message } = error;
  const errors = first === undefined ? [] : [{ resource: first.resource, id: first.id, code, message }];
  const ends = error.scope === 'run' || error.code === 'Aborted';
  // What may have been carried out stays begun: the next run asks.
  const results =
    error.outcomeUnknown || error.code === 'Aborted' ? [] : task.map((operation) => toFailed(operation, error));
  return { results, errors: ends ? [] : errors, fatal: ends ? error : null };
}

function toFailed({ seq, resource, id, targetId }: StoredOperation, { code, message }: SyncError): OperationResult {
  // The account is not there or not as thought: the next run looks before it plans.
  const doubt = (code === 'NotFound' || code === 'PreconditionFailed') && targetId !== null;
  const mark: Effect = resource === 'User' ? { type: 'markDirty', sourceId: id } : { type: 'markTeamDirty', key: id };
  return { seq, status: 'failed', error: { code, message }, effects: doubt ? [mark] : [] };
}
