/** Operations as planners write them, before they get their place in the plan. */
import type { Operation, RecordError } from '../model.ts';
import type { Effect } from '../state/store.ts';

/** An operation without its number and without a decision of the guards. */
export interface DraftOperation extends Omit<Operation, 'seq' | 'held'> {
  /** It removes something by way of a link that was rebuilt from the target (rule I7). */
  readonly recovered: boolean;
}

export interface Planned {
  readonly operations: readonly DraftOperation[];
  readonly errors: readonly RecordError[];
  /** Truths about links that need no request: an account that is gone, a value read back from the target. */
  readonly effects: readonly Effect[];
  /** Removals that were left out because the person is protected. */
  readonly protected: number;
}

export const NOTHING: Planned = { operations: [], errors: [], effects: [], protected: 0 };

type Defaults = 'targetId' | 'changes' | 'team' | 'member' | 'guards' | 'removal' | 'recovered';

export function toDraft(
  operation: Omit<DraftOperation, Defaults> & Partial<Pick<DraftOperation, Defaults>>,
): DraftOperation {
  return {
    targetId: null,
    changes: [],
    team: null,
    member: null,
    guards: [],
    removal: false,
    recovered: false,
    ...operation,
  };
}

/** Kind, ids, cause and values of one operation: what the hash of the held set covers. */
export function toOperationLine(operation: DraftOperation): string {
  const { kind, resource, id, targetId, member, cause, changes } = operation;
  return JSON.stringify([
    kind,
    resource,
    id,
    targetId,
    member?.sourceId ?? null,
    member?.targetId ?? null,
    cause,
    changes,
  ]);
}
