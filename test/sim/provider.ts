/** The source directory of the simulator as the engine asks it: everybody, every group, and what has changed. */
import { SyncError } from '../../src/errors.ts';
import type {
  ChangePage,
  ChangeProjection,
  Cursors,
  GroupPage,
  Source,
  SourcePage,
  SourceProvider,
  WantedMembers,
} from '../../src/sources/source.ts';
import type { ReadFault } from './faults.ts';
import { answerChanges, type Feed, type FeedAnswer, issueCursor } from './feed.ts';
import { type Group, toReach } from './groups.ts';
import { answerFilter, noteTold, type ScopeFilter, toScopeReading } from './scope-filter.ts';
import { type Reading, toMember, toSourceGroup } from './source.ts';

/** What the source has for the run that reads now. */
export interface Telling {
  /** Of everybody: what there is, and what a fault makes of it. */
  readonly whole: Reading;
  readonly full: Reading;
  readonly fault: ReadFault | null;
  /** Null: it tells no changes. */
  readonly feed: Feed | null;
  /** Null: it cannot be asked for the people in scope, or the run is about one person. */
  readonly filter: ScopeFilter | null;
  /** What the run gets to see, by the way that it has chosen. */
  onTold(reading: Reading, way: 'full' | 'changes' | 'scope'): void;
}

interface Telephone {
  readonly next: () => Telling;
  readonly wait: (where: string, ms: number, signal: AbortSignal) => Promise<void>;
}

const PAGE = 4;

export function createProvider(line: Telephone): SourceProvider<unknown> {
  const { next } = line;
  return {
    name: 'file',
    validate: () => [],
    connect: async () => ({
      identity: async () => ({ tenantId: next().full.tenantId, tenantName: 'Acme', domains: [] }),
      readUsers: (_projection, signal) => readUsers(line, signal),
      ...(next().full.groups === null
        ? {}
        : { readGroups: (_names, signal, wanted) => readGroups(line, signal, wanted) }),
      ...(next().feed === null
        ? {}
        : {
            readChanges: (since: Cursors, projection: ChangeProjection, signal: AbortSignal) =>
              readChanges(line, { since, projection, signal }),
          }),
      ...toScopeReads(line),
      close: async () => undefined,
    }),
  };
}

/** With a filter, what goes by it. */
function toScopeReads({ next, wait }: Telephone): Pick<Source, 'readMatching' | 'readOne'> {
  const { filter } = next();
  if (filter === null) return {};
  return {
    readMatching: (wanted) =>
      async function* (signal) {
        const telling = next();
        const reading = toScopeReading(telling);
        const found = answerFilter(filter, wanted, telling);
        noteTold(filter, reading.users);
        telling.onTold(reading, 'scope');
        for (let at = 0; at < found.length; at += PAGE) {
          await wait('page', 20, signal);
          yield { users: found.slice(at, at + PAGE), failed: [] };
        }
        if (reading.end === 'hangs') await wait('page', 100 * 3_600_000, signal);
        if (reading.end === 'error') throw new SyncError('ReadFailed', 'the source stopped in the middle');
        if (reading.end === 'whole') yield { users: [], failed: [], end: { attributes: reading.attributes } };
      },
    readOne: async (id, _names, signal) => {
      await wait('person', 20, signal);
      const { users, attributes } = toScopeReading(next());
      return { user: users.find((user) => user.id === id) ?? null, attributes };
    },
  };
}

function toCursor({ feed, full }: Telling): { readonly cursor?: string } {
  return feed === null ? {} : { cursor: issueCursor(feed, full) };
}

async function* readUsers({ next, wait }: Telephone, signal: AbortSignal): AsyncGenerator<SourcePage> {
  const telling = next();
  telling.onTold(telling.full, 'full');
  if (telling.filter !== null) noteTold(telling.filter, telling.full.users);
  const cursor = toCursor(telling);
  const { users, failed, attributes, end } = telling.full;
  for (let at = 0; at < users.length; at += PAGE) {
    await wait('page', 20, signal);
    yield { users: users.slice(at, at + PAGE), failed: [] };
  }
  if (end === 'hangs') await wait('page', 100 * 3_600_000, signal);
  if (end === 'error') throw new SyncError('ReadFailed', 'the source stopped in the middle');
  if (end === 'whole') yield { users: [], failed, end: { attributes, ...cursor } };
}

/** Whose members a read tells: where some are wanted, no others. */
function toTold(list: readonly Group[], wanted: WantedMembers | undefined): readonly Group[] {
  if (wanted === undefined) return list;
  const nested = wanted.nested ? 'Flatten' : 'DirectOnly';
  const some = list.filter(({ id, name }) => wanted.of({ id, displayName: name }));
  const told = new Set(some.flatMap((group) => toReach(group, { groups: list, nested })));
  return list.filter((group) => told.has(group));
}

/** Each with its members on the page after it. */
async function* readGroups(
  { next, wait }: Telephone,
  signal: AbortSignal,
  wanted: WantedMembers | undefined,
): AsyncGenerator<GroupPage> {
  const telling = next();
  const cursor = toCursor(telling);
  const { list, failed, end, attributes } = telling.full.groups ?? {
    list: [],
    failed: [],
    end: 'error',
    attributes: [],
  };
  await wait('groups', 20, signal);
  yield {
    groups: list.map((group) => toSourceGroup(group, attributes)),
    members: [],
    failed: [],
  };
  yield {
    groups: [],
    members: toTold(list, wanted).map(({ id, members }) => ({
      group: id,
      members: members.map((ref) => toMember(id, ref)),
    })),
    failed: [],
  };
  if (end === 'error') throw new SyncError('ReadFailed', 'the source stopped in the middle of its groups');
  if (end === 'whole') yield { groups: [], members: [], failed, end: { attributes, ...cursor } };
}

interface Changing {
  readonly since: Cursors;
  readonly projection: ChangeProjection;
  readonly signal: AbortSignal;
}

async function* readChanges({ next, wait }: Telephone, asked: Changing): AsyncGenerator<ChangePage> {
  const telling = next();
  const { feed, fault } = telling;
  const answer = feed === null ? null : answerChanges(feed, { ...telling, since: asked.since });
  if (feed === null || answer === null) throw toExpired();
  telling.onTold(answer.reading, 'changes');
  const isExpired = fault?.kind === 'feedExpired';
  if (isExpired && fault.which % 2 === 0) throw toExpired();
  const cursor = issueCursor(feed, answer.reading);
  const end = toEnd(answer, asked.projection);
  const { changes } = answer;
  // Half of it was told when it broke off.
  const told = end === 'whole' ? changes.length : Math.ceil(changes.length / 2);
  for (let at = 0; at < told; at += PAGE) {
    await wait('page', 20, asked.signal);
    yield { changes: changes.slice(at, Math.min(at + PAGE, told)), failed: [], failedGroups: [] };
    if (isExpired) throw toExpired();
  }
  if (isExpired) throw toExpired();
  if (end === 'hangs') await wait('page', 100 * 3_600_000, asked.signal);
  if (end === 'error') throw new SyncError('ReadFailed', 'the source stopped in the middle of its changes');
  if (end === 'whole') yield toLast(answer, asked.projection, cursor);
}

function toExpired(): SyncError {
  return new SyncError('CursorExpired', 'it is too long ago');
}

function toEnd({ reading }: FeedAnswer, { groups }: ChangeProjection): Reading['end'] {
  return reading.end === 'whole' && groups !== null ? (reading.groups?.end ?? 'whole') : reading.end;
}

function toLast(
  { reading, failed, failedGroups, totals }: FeedAnswer,
  { groups }: ChangeProjection,
  cursor: string,
): ChangePage {
  const end = {
    attributes: reading.attributes,
    groupAttributes: groups === null ? [] : (reading.groups?.attributes ?? []),
    cursors: { users: cursor, groups: groups === null ? null : cursor },
    ...(totals === null ? {} : { totals }),
  };
  return { changes: [], failed, failedGroups, end };
}
