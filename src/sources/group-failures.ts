/** Groups whose members cannot be had: named one by one, as long as it is the groups (rule S9 of `source.ts`). */
import { SyncError } from '../errors.ts';
import type { FailedRecord } from './source.ts';

/** So many, one after another, and it is the directory. */
const MOST_IN_A_ROW = 3;

export interface GroupFailures {
  /**
   * The group as a failed record.
   * @throws what was thrown, where it is no failed read, or the third in a row
   */
  toFailed(group: string, thrown: unknown): FailedRecord;
  /** The members of a group were read. */
  reset(): void;
}

export function createGroupFailures(): GroupFailures {
  let count = 0;
  return {
    toFailed(group, thrown) {
      const error = SyncError.from(thrown);
      count += 1;
      const isOfRead = error.code === 'ReadFailed' || error.code === 'ReadIncomplete';
      if (!isOfRead || count >= MOST_IN_A_ROW) throw error;
      return toFailedGroup(group, error.message);
    },
    reset: () => {
      count = 0;
    },
  };
}

export function toFailedGroup(group: string, why: string): FailedRecord {
  return { id: group, code: 'RecordInvalid', message: `its members cannot be read: ${why}` };
}
