/** What guards count of an operation that was carried out, found to be so by the run itself or by the next one. */
import type { Effect, Journal, StoredOperation } from '../../state/store.ts';

/** What was approved is not counted. */
export function toCounts({ guards, unit, approved }: StoredOperation, now: Date): readonly Effect[] {
  const at = now.getTime();
  return approved ? [] : guards.map((subject) => ({ type: 'count', ...subject, unit, at }));
}

/** The same for an operation on a person that may end a swap: what the way round has counted is not counted again. */
export async function readCounts(
  operation: StoredOperation,
  journal: Pick<Journal, 'operations'>,
  now: Date,
): Promise<readonly Effect[]> {
  const { runId, unit, seq, approved, guards, kind } = operation;
  if (approved || guards.length === 0 || (kind !== 'rename' && kind !== 'update')) return toCounts(operation, now);
  const counted = new Set<string>();
  for await (const page of journal.operations(runId, { unit, status: 'done' })) {
    for (const other of page.filter((each) => each.cause === 'swap' && each.seq !== seq))
      for (const subject of other.guards) counted.add(toKey(subject));
  }
  return toCounts({ ...operation, guards: guards.filter((subject) => !counted.has(toKey(subject))) }, now);
}

function toKey({ kind, scope }: StoredOperation['guards'][number]): string {
  return `${kind}\n${scope}`;
}
