/** What guards count of an operation that was carried out, found to be so by the run itself or by the next one. */
import type { Effect, StoredOperation } from '../../state/store.ts';

/** What was approved is not counted. */
export function toCounts({ guards, unit, approved }: StoredOperation, now: Date): readonly Effect[] {
  const at = now.getTime();
  return approved ? [] : guards.map((subject) => ({ type: 'count', ...subject, unit, at }));
}
