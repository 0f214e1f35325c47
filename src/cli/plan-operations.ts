/** Reading a stored plan page by page: what is shown of it never has to fit into memory. */
import type { Operation, Phase } from '../model.ts';
import { isTemporary } from '../plan/names.ts';
import type { DirectoryState, OperationStatus, StoredOperation } from '../state/store.ts';
import { formatCount } from './wording.ts';

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

/**
 * The same, with the way round of a swap where it went: the temporary value before the others of its circle, the end of it
 * behind them. Both are few.
 */
export async function* readAsDone(state: DirectoryState, runId: string): AsyncGenerator<StoredOperation> {
  const detours: StoredOperation[] = [];
  let last = 0;
  for await (const operation of readOperations(state, runId, { phase: 'people' })) {
    if (isDetour(operation)) detours.push(operation);
    else last = operation.seq;
  }
  const units = new Set(detours.map(({ unit }) => unit));
  const ends: StoredOperation[] = [];
  for await (const operation of readOperations(state, runId)) {
    if (operation.phase === 'people') yield* detours.splice(0);
    if (isDetour(operation)) continue;
    if (units.has(operation.unit)) ends.push(operation);
    else yield operation;
    if (operation.seq === last) yield* ends.splice(0);
  }
}

function isDetour({ cause, changes }: StoredOperation): boolean {
  return cause === 'swap' && changes.some(({ after }) => isTemporary(after));
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

/** How many operations there are, by kind and resource. */
export interface OperationTally {
  count(kind: Operation['kind'], resource?: Operation['resource']): number;
  /** Second requests of people who refer to somebody new; `count` leaves them out. */
  readonly references: number;
  /** Requests with a photo; `count` leaves them out too. */
  readonly photos: number;
  readonly total: number;
}

/** @param statuses operations in one of these; all without it */
export async function countOperations(
  { journal }: DirectoryState,
  runId: string,
  statuses?: readonly OperationStatus[],
): Promise<OperationTally> {
  const isMeant = ({ status }: { status: OperationStatus }): boolean => statuses?.includes(status) ?? true;
  const counts = (await journal.counts(runId)).filter(isMeant);
  const sum = (where: (each: (typeof counts)[number]) => boolean): number =>
    counts.filter(where).reduce((total, each) => total + each.count, 0);
  const countPhase = async (phase: Phase): Promise<number> => {
    let count = 0;
    for await (const page of journal.operations(runId, { phase })) count += page.filter(isMeant).length;
    return count;
  };
  const references = await countPhase('references');
  const photos = await countPhase('photos');
  return {
    count: (kind, resource = 'User') =>
      sum((each) => each.kind === kind && each.resource === resource) -
      (kind === 'update' && resource === 'User' ? references + photos : 0),
    references,
    photos,
    total: sum(() => true),
  };
}

type Words = readonly [one: string, many: string];

/** In the order in which people read them; the words of what is to be done, and of what was done. */
const WORDS: readonly {
  readonly of: (tally: OperationTally) => number;
  readonly planned: Words;
  readonly done: Words;
}[] = [
  line('create', 'User', 'to create', 'created'),
  line('adopt', 'User', 'to take over', 'taken over'),
  line('recover', 'User', 'to link again', 'linked again'),
  line('update', 'User', 'to update', 'updated'),
  line('rename', 'User', 'to rename', 'renamed'),
  line('reactivate', 'User', 'to reactivate', 'reactivated'),
  line('deactivate', 'User', 'to deactivate', 'deactivated'),
  line('delete', 'User', 'to delete', 'deleted'),
  {
    of: (tally) => tally.references,
    planned: ['reference to set', 'references to set'],
    done: ['reference set', 'references set'],
  },
  {
    of: (tally) => tally.photos,
    planned: ['photo to write', 'photos to write'],
    done: ['photo written', 'photos written'],
  },
  team('create', 'to create', 'created'),
  team('adopt', 'to take over', 'taken over'),
  team('recover', 'to link again', 'linked again'),
  team('update', 'to update', 'updated'),
  team('delete', 'to delete', 'deleted'),
  member('addMembers', 'to add', 'added'),
  member('removeMembers', 'to remove', 'removed'),
];

function line(kind: Operation['kind'], resource: Operation['resource'], planned: string, done: string) {
  const of = (tally: OperationTally): number => tally.count(kind, resource);
  return { of, planned: [planned, planned] as const, done: [done, done] as const };
}

function counted(what: string, kind: Operation['kind'], planned: string, done: string) {
  const words = (end: string): Words => [`${what} ${end}`, `${what}s ${end}`];
  return { of: (tally: OperationTally) => tally.count(kind, 'Team'), planned: words(planned), done: words(done) };
}

function team(kind: Operation['kind'], planned: string, done: string) {
  return counted('team', kind, planned, done);
}

function member(kind: Operation['kind'], planned: string, done: string) {
  return counted('membership', kind, planned, done);
}

/** `4 to create, 11 to update` or `4 created, 11 updated`; empty for nothing. */
export function formatTally(tally: OperationTally, tense: 'planned' | 'done'): string {
  return WORDS.map((words) => ({ count: words.of(tally), words: words[tense] }))
    .filter(({ count }) => count > 0)
    .map(({ count, words: [one, many] }) => formatCount(count, one, many))
    .join(', ');
}
