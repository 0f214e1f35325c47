/**
 * What was begun and not finished when an earlier run died is settled by asking the target (rule I6). Nothing unsent of
 * an old plan is ever sent; this run plans anew.
 */
import { toGuard } from '../../plan/draft.ts';
import type { Effect, OperationResult, StoredOperation } from '../../state/store.ts';
import type { Target, TargetObject } from '../../targets/target.ts';
import { getFact } from '../facts.ts';
import type { RunDependencies } from '../run.ts';

export async function settleBegun(run: RunDependencies, target: Target, signal: AbortSignal): Promise<void> {
  const approval = await getFact(run.state.facts, 'approval');
  const approved = new Set(Object.keys(approval?.units ?? {}));
  for await (const page of run.state.journal.unsettled()) {
    for (const operation of page) {
      signal.throwIfAborted();
      const { status, effects } = await ask(operation, { run, target, signal });
      // An approved removal is not counted, whatever run finds that it went.
      const counted = approved.has(operation.unit) ? effects.filter((effect) => effect.type !== 'count') : effects;
      await run.state.journal.settle(operation.runId, [{ seq: operation.seq, status, effects: counted }]);
    }
  }
}

interface Asking {
  readonly run: RunDependencies;
  readonly target: Target;
  readonly signal: AbortSignal;
}

type Answer = Pick<OperationResult, 'status' | 'effects'>;

function ask(operation: StoredOperation, asking: Asking): Promise<Answer> | Answer {
  if (operation.kind === 'recover') return { status: 'done', effects: [] };
  if (operation.resource === 'Team') return askTeam(operation, asking);
  if (operation.kind === 'create') return askCreated(operation, asking);
  return askPerson(operation, asking);
}

/** An account found after a create that was written down as begun is ours. */
async function askCreated(operation: StoredOperation, { target, signal }: Asking): Promise<Answer> {
  const found = await findCreated(operation, target, signal);
  if (found === null) return { status: 'dropped', effects: [] };
  return { status: 'done', effects: [toCreatedLink(operation, found)] };
}

/** Null when the request never arrived. Also asked by apply before a create is repeated. */
export async function findCreated(
  operation: Pick<StoredOperation, 'changes'>,
  target: Target,
  signal: AbortSignal,
): Promise<TargetObject | null> {
  const values = new Map(operation.changes.map(({ path, after }) => [path, after]));
  const externalId = values.get('externalId');
  for (const path of ['externalId', 'userName']) {
    const value = values.get(path);
    if (value === undefined) continue;
    const found = await target.findUsers({ path, value }, ['externalId', 'userName', 'active'], signal);
    const ours = found.filter(
      (each) => externalId === undefined || (each.attributes['externalId'] ?? externalId) === externalId,
    );
    if (ours[0] !== undefined) return ours[0];
  }
  return null;
}

function toCreatedLink(operation: StoredOperation, found: TargetObject): Effect {
  const active = found.attributes['active'] !== false;
  return {
    type: 'putLink',
    link: {
      sourceId: operation.id,
      targetId: found.id,
      name: operation.name,
      active,
      applied: {},
      origin: 'created',
      dirty: true,
    },
  };
}

/** What was asked of an account is compared by the plan of this run; here only what guards count is told. */
async function askPerson(operation: StoredOperation, { run, target, signal }: Asking): Promise<Answer> {
  const { id, targetId, kind } = operation;
  if (targetId === null) return { status: 'dropped', effects: [] };
  const now = await target.readUser(targetId, ['active'], signal);
  const count = countOf(operation, run.now().getTime());
  if (now === null) {
    const gone: Effect[] = [
      { type: 'dropLink', sourceId: id },
      { type: 'dropMember', targetId },
    ];
    return { status: 'done', effects: [...gone, ...(kind === 'delete' ? count : [])] };
  }
  if (kind === 'adopt') {
    const link = {
      sourceId: id,
      targetId,
      name: operation.name,
      active: now.attributes['active'] !== false,
      applied: {},
      origin: 'adopted',
      dirty: true,
    } as const;
    return { status: 'done', effects: [{ type: 'putLink', link }, ...count] };
  }
  const went = kind === 'deactivate' && now.attributes['active'] === false;
  return { status: 'done', effects: [{ type: 'markDirty', sourceId: id }, ...(went ? count : [])] };
}

function countOf(operation: StoredOperation, at: number): Effect[] {
  const { guard, unit } = operation;
  if (guard === null || toGuard(operation.kind) !== guard) return [];
  return [{ type: 'count', kind: guard, scope: guard === 'removeMembers' ? operation.id : '', unit, at }];
}

async function askTeam(operation: StoredOperation, { run, target, signal }: Asking): Promise<Answer> {
  const { id, kind, targetId, changes } = operation;
  if (kind === 'create') {
    const values = new Map(changes.map(({ path, after }) => [path, after]));
    const found = targetId === null ? await findTeam(target, values, signal) : await target.readTeam(targetId, signal);
    if (found === null) return { status: 'dropped', effects: [] };
    const team = {
      key: id,
      targetId: found.id,
      displayName: operation.name,
      externalId: textOf(values.get('externalId')),
      rules: operation.team?.rules ?? [],
      deletionPolicy: operation.team?.deletionPolicy ?? 'Retain',
      origin: 'created',
      dirty: true,
    } as const;
    return { status: 'done', effects: [{ type: 'putTeam', team }] };
  }
  // Members may have gone although no answer came: they count, lest a loop of kills empties the team unseen.
  return { status: 'done', effects: [{ type: 'markTeamDirty', key: id }, ...countOf(operation, run.now().getTime())] };
}

async function findTeam(
  target: Target,
  values: ReadonlyMap<string, unknown>,
  signal: AbortSignal,
): Promise<TargetObject | null> {
  const mark = textOf(values.get('externalId'));
  const name = textOf(values.get('displayName'));
  if (mark !== null) {
    const [marked] = await target.findTeams({ path: 'externalId', value: mark }, signal);
    if (marked !== undefined) return marked;
  }
  if (name === null) return null;
  const named = await target.findTeams({ path: 'displayName', value: name }, signal);
  // A server that keeps no externalId for teams leaves only the name to go by.
  return named.find((team) => (team.attributes['externalId'] ?? mark) === mark) ?? null;
}

function textOf(value: unknown): string | null {
  return typeof value === 'string' ? value : null;
}
