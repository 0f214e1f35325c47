/**
 * Values that must be unique: what of the plan cannot have its value is taken back as a conflict, and the rest gets its
 * order. Asked twice: when people are planned, so that teams are planned without those who get no account, and when the
 * guards have spoken, because what they hold gives nothing up.
 */
import type { Operation, RecordError } from '../../model.ts';
import { isName } from '../../plan/changes.ts';
import type { OwnValues } from '../../plan/detour.ts';
import { type DraftOperation, toDraft, toOperationLine } from '../../plan/draft.ts';
import { toTemporary } from '../../plan/names.ts';
import { type Block, computeOrder, type Detour, findBlocked } from '../../plan/order.ts';
import { toReferenceUnit } from '../../plan/references.ts';
import type { Contention } from '../../state/staging.ts';
import type { StoredOperation } from '../../state/store.ts';
import type { TargetCapabilities } from '../../targets/target.ts';
import type { Guarded, RunDependencies } from '../run.ts';
import { rememberDetours } from './detours.ts';

export interface Withdrawn {
  /** What is left of operations that lost a value: all else that they write. */
  readonly rest: readonly DraftOperation[];
  readonly errors: readonly RecordError[];
  /** Units among them that were approved: what is left of an operation is approved with it. */
  readonly approved: readonly string[];
  /** Source ids of those who get no account in this run. */
  readonly withoutAccount: readonly string[];
}

/** Operations whose value nobody gives up leave the stored plan. */
export async function withdrawBlocked(run: RunDependencies): Promise<Withdrawn> {
  const contentions = await readContentions(run);
  return withdraw(run, contentions, findBlocked(contentions, new Set()));
}

/**
 * @param nextSeq the number of the first operation that is added
 * @param writes the plan is to be carried out
 * @param attribute what the target makes of a value
 */
export async function order(
  run: RunDependencies,
  {
    nextSeq,
    writes,
    attribute,
  }: { readonly nextSeq: number; readonly writes: boolean } & Pick<TargetCapabilities, 'attribute'>,
): Promise<Guarded['order']> {
  const contentions = await readContentions(run);
  if (contentions.length === 0) return { rounds: [], waits: new Map() };
  const seqs = contentions.flatMap(({ seq, freedBy }) => (freedBy === null ? [seq] : [seq, freedBy]));
  const operations = await readBySeq(run, [...new Set(seqs)]);
  const held = new Set([...operations.values()].filter(({ status }) => status === 'held').map(({ seq }) => seq));
  const straight = new Set([...operations.values()].filter(({ kind }) => kind === 'adopt').map(({ seq }) => seq));
  const blocked = findBlocked(contentions, held);
  const { rest, approved, errors } = await withdraw(run, contentions, blocked);
  const { rounds, waits, detours } = computeOrder({
    contentions: contentions.filter(({ seq }) => !blocked.has(seq) && !held.has(seq)),
    straight,
    nextSeq: nextSeq + rest.length,
  });
  const added = [...rest, ...detours.map((detour) => toDetour(detour, operations, attribute))];
  await run.state.journal.addOperations(
    run.runId,
    added.map((draft, index) => toRow(draft, nextSeq + index)),
  );
  const around = detours.flatMap(({ of }) => operations.get(of) ?? []).filter((each) => each.approved);
  await run.state.journal.release(run.runId, [...approved, ...around.map(({ unit }) => unit)]);
  if (errors.length > 0) await run.state.journal.addErrors(run.runId, errors);
  if (writes) await rememberDetours(run.state, new Map(detours.map((detour) => toOwnValues(detour, operations))));
  return { rounds, waits };
}

async function readContentions({ state }: RunDependencies): Promise<readonly Contention[]> {
  const all: Contention[] = [];
  for await (const page of state.staging.contentions()) all.push(...page);
  return all;
}

async function readBySeq(
  { state, runId }: RunDependencies,
  seqs: readonly number[],
): Promise<ReadonlyMap<number, StoredOperation>> {
  const found = new Map<number, StoredOperation>();
  for await (const page of state.journal.operations(runId, { seqs }))
    for (const operation of page) found.set(operation.seq, operation);
  return found;
}

async function withdraw(
  run: RunDependencies,
  contentions: readonly Contention[],
  blocked: ReadonlyMap<number, Block>,
): Promise<Withdrawn> {
  // What was taken back before is not there any more.
  const operations = blocked.size === 0 ? [] : [...(await readBySeq(run, [...blocked.keys()])).values()];
  const lost = Map.groupBy(contentions, ({ seq }) => seq);
  const units = operations.flatMap(({ id, unit, kind }) =>
    kind === 'create' ? [unit, toReferenceUnit('User', id)] : [unit],
  );
  if (units.length > 0) await run.state.journal.withdraw(run.runId, units);
  return {
    rest: operations.flatMap((operation) => toRest(operation, lost.get(operation.seq) ?? [])),
    approved: operations.flatMap(({ approved, unit }) => (approved ? [unit] : [])),
    errors: operations.map(({ seq, id }) => toError(id, blocked.get(seq), run.options.user !== null)),
    withoutAccount: operations.filter(isOfNewAccount).map(({ id }) => id),
  };
}

function isOfNewAccount({ kind }: Operation): boolean {
  return kind === 'create' || kind === 'adopt';
}

function toRest(operation: StoredOperation, lost: readonly Contention[]): readonly DraftOperation[] {
  const { runId: _run, status: _status, error: _error, code: _code, approved: _approved, ...stored } = operation;
  const { seq: _seq, held: _held, ...draft } = stored;
  const changes = draft.changes.filter(({ path }) => !lost.some((each) => each.path === path));
  return isOfNewAccount(operation) || changes.length === 0 ? [] : [toDraft({ ...draft, changes })];
}

/** @param alone nobody else is planned in this run, and so nobody else could give it up */
function toError(id: string, block: Block | undefined, alone: boolean): RecordError {
  const path = block?.path ?? 'a value';
  const holder = block?.holder ?? 'somebody else';
  const rest = `if both are one person, give it to one of them at the source or delete the account of ${holder}`;
  const kept = alone
    ? `whom this run leaves alone: where ${holder} gives it up (a swap, a chain), the next whole run does both`
    : 'whose account keeps it';
  const why = block?.isHeld
    ? `belongs to ${holder} until what is held of ${holder} is approved`
    : block?.freedBy === null
      ? `belongs to ${holder}, ${kept}; ${rest}`
      : `belongs to ${holder}, who cannot get another one`;
  return { resource: 'User', id, code: 'Conflict', message: `${path} of ${id} ${why}: neither is guessed` };
}

function toOwnValues(
  { of, paths }: Detour,
  operations: ReadonlyMap<number, StoredOperation>,
): readonly [string, OwnValues] {
  const { id, changes } = operations.get(of) as StoredOperation;
  const own = changes.flatMap(({ path, after }) =>
    paths.includes(path) && after !== undefined ? [[path, after]] : [],
  );
  return [id, Object.fromEntries(own)];
}

/** A request of its own, written down like every other, so that a kill after it is settled and mended. */
function toDetour(
  { of, paths }: Detour,
  operations: ReadonlyMap<number, StoredOperation>,
  attribute: TargetCapabilities['attribute'],
): DraftOperation {
  const { id, targetId, name, changes, unit, guards } = operations.get(of) as StoredOperation;
  const given = changes.filter(({ path }) => paths.includes(path));
  return toDraft({
    phase: 'people',
    kind: 'update',
    resource: 'User',
    id,
    targetId,
    name,
    changes: given.map(({ path, before }) => {
      const { maxLength } = attribute('User', path);
      return { path, before, after: toTemporary(id, { path, before }, maxLength) };
    }),
    // Counted here, where the value is given up: what is left after a kill is the end of it and no second loss.
    guards: guards.filter(({ kind, scope }) => (kind === 'rename' ? given.some(isName) : paths.includes(scope))),
    cause: 'swap',
    reason: 'makes way for who swaps with it',
    unit,
  });
}

function toRow(draft: DraftOperation, seq: number) {
  const { recovered, ...operation } = draft;
  return { operation: { ...operation, seq, held: null }, recovered, line: toOperationLine(draft) };
}
