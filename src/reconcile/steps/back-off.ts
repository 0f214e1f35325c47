/** What becomes of an operation's backoff when it was sent. */
import type { SyncError } from '../../errors.ts';
import { toBackoff, toBackoffMark } from '../../plan/backoff.ts';
import type { Effect, StoredOperation } from '../../state/store.ts';
import type { RunDependencies } from '../run.ts';

/** The way round of a swap is planned anew each time: it is not what failed. */
function isOfPerson({ resource, cause }: StoredOperation): boolean {
  return resource === 'User' && cause !== 'swap';
}

/** The target refused it: the next runs leave it alone for a while. */
export async function toBackOff(
  operation: StoredOperation,
  { code, message }: SyncError,
  { state, now }: RunDependencies,
): Promise<readonly Effect[]> {
  if (!isOfPerson(operation)) return [];
  const failure = { sourceId: operation.id, mark: toBackoffMark(operation), code, message };
  const before = (await state.backoffs.many([operation.id])).get(operation.id) ?? [];
  const failures = before.find(({ mark }) => mark === failure.mark)?.failures ?? 0;
  return [{ type: 'backOff', backoff: toBackoff(failure, { before: failures, now: now().getTime() }) }];
}

/** It went: should the same be called for again, it is tried at once. */
export async function toEndBackOff(operation: StoredOperation, { state }: RunDependencies): Promise<readonly Effect[]> {
  if (!isOfPerson(operation)) return [];
  const mark = toBackoffMark(operation);
  const before = (await state.backoffs.many([operation.id])).get(operation.id) ?? [];
  return before.some((each) => each.mark === mark) ? [{ type: 'endBackOff', sourceId: operation.id, mark }] : [];
}
