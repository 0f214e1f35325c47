/** Members of one team, many in one request. */
import { toMemory } from '../../plan/leave.ts';
import type { Effect, OperationResult, StoredOperation } from '../../state/store.ts';
import type { Applying } from './apply.ts';
import { toCounts } from './count.ts';

interface Resolved {
  readonly operation: StoredOperation;
  /** Null: the person got no account in this run; the next one plans it again. */
  readonly targetId: string | null;
}

export async function carryOutMembers(
  task: readonly StoredOperation[],
  applying: Applying,
): Promise<readonly OperationResult[]> {
  const { run, loaded, signal } = applying;
  const key = task[0]?.id ?? '';
  const team = await run.state.links.team(key);
  const resolved = await resolveMembers(task, applying);
  const open = team === null ? [] : resolved.filter((each) => each.targetId !== null);
  if (team !== null && open.length > 0) {
    const ids = (kind: StoredOperation['kind']): string[] =>
      open.filter((each) => each.operation.kind === kind).map((each) => each.targetId ?? '');
    await loaded.target.changeMembers(team.targetId, { add: ids('addMembers'), remove: ids('removeMembers') }, signal);
  }
  const sent = new Set(open);
  return resolved.map((each) => toResult(each, sent.has(each), applying));
}

function toResult({ operation, targetId }: Resolved, sent: boolean, applying: Applying): OperationResult {
  const { seq, id, kind } = operation;
  if (!sent || targetId === null) return { seq, status: 'dropped', effects: [] };
  const change: Effect = {
    type: kind === 'addMembers' ? 'addMembers' : 'removeMembers',
    key: id,
    targetIds: [targetId],
  };
  const counts = toCounts(operation, applying.run.now());
  return { seq, status: 'done', effects: [change, ...toMemory(operation), ...counts] };
}

async function resolveMembers(task: readonly StoredOperation[], { run }: Applying): Promise<readonly Resolved[]> {
  const wanted = task
    .filter(({ member }) => member?.targetId === null && member.sourceId !== null)
    .map(({ member }) => member?.sourceId ?? '');
  const links = await run.state.links.many(wanted);
  return task.map((operation) => {
    const { member } = operation;
    const link = links.get(member?.sourceId ?? '');
    // One in doubt still has the account that is gone: the new one was not made.
    const targetId = member?.targetId ?? (link === undefined || link.dirty ? null : link.targetId);
    return { operation, targetId };
  });
}
