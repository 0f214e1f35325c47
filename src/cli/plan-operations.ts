/** Reading a stored plan page by page: what is shown of it never has to fit into memory. */
import type { Operation, Phase } from '../model.ts';
import type { DirectoryState, OperationStatus, StoredOperation } from '../state/store.ts';

export interface OperationFilter {
  readonly phase?: Phase;
  readonly status?: OperationStatus;
  readonly where?: (operation: StoredOperation) => boolean;
}

export async function* readOperations(
  { journal }: DirectoryState,
  runId: string,
  { phase, status, where = () => true }: OperationFilter = {},
): AsyncGenerator<StoredOperation> {
  for await (const page of journal.operations(runId, { phase, status })) {
    for (const operation of page) if (where(operation)) yield operation;
  }
}

/** The first ones, and how many there are in all. */
export async function takeFirst<T>(
  items: AsyncIterable<T>,
  limit: number,
): Promise<{ readonly first: readonly T[]; readonly total: number }> {
  const first: T[] = [];
  let total = 0;
  for await (const item of items) {
    total += 1;
    if (first.length < limit) first.push(item);
  }
  return { first, total };
}

/** What of a plan goes, by kind and resource; what guards hold is counted apart. */
export interface PlanTally {
  count(kind: Operation['kind'], resource?: Operation['resource']): number;
  /** Second requests of people who refer to somebody new. */
  readonly references: number;
  readonly held: number;
  readonly total: number;
}

export async function countPlan(state: DirectoryState, runId: string): Promise<PlanTally> {
  const counts = await state.journal.counts(runId);
  const sum = (where: (each: (typeof counts)[number]) => boolean): number =>
    counts.filter(where).reduce((total, each) => total + each.count, 0);
  const { total: references } = await takeFirst(readOperations(state, runId, { phase: 'references' }), 0);
  return {
    count: (kind, resource = 'User') =>
      sum((each) => each.kind === kind && each.resource === resource && each.status !== 'held') -
      (kind === 'update' && resource === 'User' ? references : 0),
    references,
    held: sum((each) => each.status === 'held'),
    total: sum(() => true),
  };
}
