/** Accounts that a look at the whole target found, by what the plan makes of them. */
import type { DirectoryState, Finding, StoredOperation } from '../state/store.ts';
import { countOperations, readOperations } from './plan-operations.ts';
import type { SyncRun } from './run-sync.ts';
import { formatNumber } from './wording.ts';

export interface AccountCounts {
  /** To be taken over: one account matches, and nobody has it. */
  readonly matched: number;
  /** Known by their externalId: links are rebuilt. */
  readonly recovered: number;
  /** People for whom none is guessed. */
  readonly ambiguous: number;
  /** Accounts of nobody. */
  readonly unmanaged: number;
  readonly create: number;
}

/** Null: the run did not look at the whole target. */
export async function countAccounts({ report, state }: SyncRun): Promise<AccountCounts | null> {
  if (report.drift === null) return null;
  const tally = await countOperations(state, report.runId);
  return {
    matched: tally.count('adopt'),
    recovered: tally.count('recover'),
    ambiguous: report.people.conflicts,
    unmanaged: report.drift.unmanaged,
    create: tally.count('create'),
  };
}

export function readAccounts(
  { report, state }: SyncRun,
  kind: 'adopt' | 'recover' | 'create',
): AsyncGenerator<StoredOperation> {
  const phase = kind === 'recover' ? 'recover' : 'people';
  return readOperations(state, report.runId, {
    phase,
    where: (each) => each.kind === kind && each.resource === 'User',
  });
}

export async function* readConflicts({ report, state }: SyncRun): AsyncGenerator<{ id: string; message: string }> {
  for await (const page of state.journal.errors(report.runId)) {
    for (const { code, id, message } of page) if (code === 'Conflict') yield { id, message };
  }
}

export async function* readUnmanaged({ report, state }: SyncRun): AsyncGenerator<Finding> {
  for await (const page of readFindings(state, report.runId)) yield* page.filter(({ kind }) => kind === 'unmanaged');
}

function readFindings({ journal }: DirectoryState, runId: string): AsyncIterable<readonly Finding[]> {
  return journal.findings(runId);
}

/** `3 matched, 1 ambiguous, 2 unmanaged, 40 to create`. */
export function formatAccounts({ matched, recovered, ambiguous, unmanaged, create }: AccountCounts): string {
  const words = [`${formatNumber(matched)} matched`, `${formatNumber(ambiguous)} ambiguous`];
  if (recovered > 0) words.splice(1, 0, `${formatNumber(recovered)} linked again`);
  return [...words, `${formatNumber(unmanaged)} unmanaged`, `${formatNumber(create)} to create`].join(', ');
}
