/**
 * What has changed in an Active Directory since a read. The directory tells which entries; these are read anew, as a full
 * read reads them, so that one is never put together from parts. What depends on other entries is read beside: who names
 * somebody that has moved or is gone, who is in which group again, and whose time is up by the clock.
 */
import { AndFilter, EqualityFilter, type Filter, FilterParser, NotFilter, OrFilter, PresenceFilter } from 'ldapts';
import { SyncError } from '../../errors.ts';
import { createNameCollector, type NameCollector } from '../attribute-names.ts';
import type { ChangePage, Cursors, SourceChange } from '../source.ts';
import { readChangedGroups, readMemberships } from './changed-groups.ts';
import { type Dialect, toDialect } from './config.ts';
import { toTicks } from './convert.ts';
import { type LdapCursor, parseCursor, printCursor } from './cursor.ts';
import { type FeedItem, readFeed } from './feed.ts';
import { MANAGER_EMAIL } from './manager.ts';
import { type ConvertUsers, createUserConverter, type Reading, toUserSearch } from './read.ts';
import { searchPages } from './search.ts';
import { toGuidFilter } from './values.ts';

/** Entries that are read anew at a time: so long is a filter. */
const AT_ONCE = 100;
/** Distinguished names in one filter. */
const NAMES_AT_ONCE = 20;
const EVERYTHING = '(objectClass=*)';
const NOTHING: ChangePage = { changes: [], failed: [], failedGroups: [] };

interface Asked {
  readonly since: Cursors;
  /** Names of attributes of groups; null: groups are not asked for. */
  readonly groups: readonly string[] | null;
}

interface Changing {
  readonly reading: Reading;
  readonly dialect: Dialect;
  readonly context: string;
  /** Null: groups are not asked for. */
  readonly groups: readonly string[] | null;
  readonly convert: ConvertUsers;
  readonly groupNames: NameCollector;
}

/** @param reading projection and time are those of people */
export async function* readChangePages(reading: Reading, { since, groups }: Asked): AsyncGenerator<ChangePage> {
  const now = reading.now.getTime();
  const ofUsers = parseCursor(since.users, now);
  const ofGroups = since.groups === null || groups === null ? null : parseCursor(since.groups, now);
  const dialect = toDialect(reading.config);
  const names = createNameCollector();
  names.addColumns(['dn', ...dialect.userAttributes]);
  const groupNames = createNameCollector();
  groupNames.addColumns(['dn', ...dialect.groupNames]);
  const changing: Changing = {
    ...{ reading, dialect, context: ofUsers.context, groupNames },
    groups: ofGroups === null ? null : groups,
    convert: createUserConverter(reading, dialect, names),
  };
  const { cookie, seen } = yield* followFeeds(changing, ofUsers, ofGroups);
  yield* readReferring(changing, ofUsers.references, seen);
  yield* readExpiring(changing, ofUsers.at);
  const toNext = (cursor: LdapCursor): string => printCursor({ ...cursor, cookie, at: now });
  yield {
    ...NOTHING,
    end: {
      attributes: names.list(),
      groupAttributes: ofGroups === null ? [] : groupNames.list(),
      cursors: { users: toNext(ofUsers), groups: ofGroups === null ? null : toNext(ofGroups) },
    },
  };
}

/** What matters to entries that have not changed. A mail address is read from others as well where managers are. */
interface Seen {
  /** Distinguished names of those whom others may name in another way now. */
  readonly renamed: Set<string>;
  isAnyDeleted: boolean;
}

/**
 * After a full read people and groups go on from two cookies, one of which is older: both are followed, and what comes twice
 * is read twice.
 */
async function* followFeeds(
  changing: Changing,
  users: LdapCursor,
  groups: LdapCursor | null,
): AsyncGenerator<ChangePage, { readonly cookie: string; readonly seen: Seen }> {
  const { session, projection } = changing.reading;
  const watched = [...new Set([...users.watched, ...(groups?.watched ?? [])])];
  const seen: Seen = { renamed: new Set(), isAnyDeleted: false };
  const isMailRead = projection.includes(MANAGER_EMAIL);
  let { cookie } = users;
  for (const from of new Set([users.cookie, ...(groups === null ? [] : [groups.cookie])])) {
    const feed = { context: changing.context, cookie: from, watched, filter: EVERYTHING };
    for await (const page of readFeed(session, feed)) {
      cookie = page.cookie;
      for (const item of page.items) note(seen, item, isMailRead);
      for (const items of split(page.items, AT_ONCE)) yield* readItems(changing, items);
    }
  }
  return { cookie, seen };
}

function note(seen: Seen, { dn, isDeleted, isRenamed, changed }: FeedItem, isMailRead: boolean): void {
  if (isDeleted) seen.isAnyDeleted = true;
  else if (isRenamed || (isMailRead && changed.has('mail'))) seen.renamed.add(dn);
}

function split<T>(items: readonly T[], size: number): readonly (readonly T[])[] {
  return Array.from({ length: Math.ceil(items.length / size) }, (_, index) =>
    items.slice(index * size, (index + 1) * size),
  );
}

async function* readItems(changing: Changing, items: readonly FeedItem[]): AsyncGenerator<ChangePage> {
  const { reading, dialect, groups, groupNames } = changing;
  const present = items.filter(({ isDeleted }) => !isDeleted);
  const ids = present.map(({ id }) => id);
  const people = await collectPeople(changing, ids);
  const isWithGroups = groups !== null;
  const ofGroups = { ...reading, projection: groups ?? [] };
  const found = isWithGroups ? await readChangedGroups(ofGroups, { dialect, ids, names: groupNames }) : null;
  const isThere = (id: string): boolean => people.ids.has(id) || (found?.ids.has(id) ?? false);
  await requireLeaves(
    changing,
    present.filter(({ id, isRenamed }) => isRenamed && !isThere(id)),
  );
  // Somebody without an id may be any of them.
  const isCertain = [...people.failed, ...(found?.failed ?? [])].every(({ id }) => id !== null);
  // Who was restored has lost what they belonged to, and what they belong to now is told below.
  const gone = items.filter((item) => item.isDeleted || item.isRestored || (isCertain && !isThere(item.id)));
  yield {
    changes: [...gone.flatMap(({ id }) => toRemovals(id, isWithGroups)), ...people.changes],
    failed: people.failed,
    failedGroups: [],
  };
  if (found === null) return;
  const known = ids.filter(isThere);
  for (const changes of split(
    await readMemberships(reading, { dialect, context: changing.context, ids: known }),
    AT_ONCE,
  ))
    yield { ...NOTHING, changes };
  yield* found.pages();
}

function toRemovals(id: string, isWithGroups: boolean): readonly SourceChange[] {
  return [{ type: 'userRemoved', id }, ...(isWithGroups ? [{ type: 'groupRemoved', id } as const] : [])];
}

interface People {
  /** Of those who are there, read or not. */
  readonly ids: ReadonlySet<string>;
  readonly changes: readonly SourceChange[];
  readonly failed: ChangePage['failed'];
}

async function collectPeople(changing: Changing, ids: readonly string[]): Promise<People> {
  const changes: SourceChange[] = [];
  const failed: ChangePage['failed'][number][] = [];
  if (ids.length > 0) {
    for await (const page of readPeople(changing, toGuidFilter(ids))) {
      changes.push(...page.changes);
      failed.push(...page.failed);
    }
  }
  const there = [
    ...changes.flatMap((change) => (change.type === 'user' ? [change.user.id] : [])),
    ...failed.map(({ id }) => id ?? ''),
  ];
  return { ids: new Set(there), changes, failed };
}

/** Those of them whom a full read would list. */
async function* readPeople({ reading, dialect, convert }: Changing, chosen: Filter): AsyncGenerator<ChangePage> {
  const filters = [FilterParser.parseString(dialect.userFilter), chosen];
  const search = { ...toUserSearch(reading, dialect), filter: new AndFilter({ filters }) };
  for await (const { entries } of searchPages(reading.session, search)) {
    const { users, failed } = await convert(entries);
    yield { changes: users.map((user) => ({ type: 'user', user })), failed, failedGroups: [] };
  }
}

/** Entries of these classes have nobody below them. */
const LEAVES = ['user', 'group', 'contact'];

/**
 * Whoever is below an entry has another name when it has, and may be in scope or not, and nothing is told of them.
 * @throws SyncError `CursorExpired` where one of these is no leaf
 */
async function requireLeaves({ reading, context }: Changing, renamed: readonly FeedItem[]): Promise<void> {
  if (renamed.length === 0) return;
  const isLeaf = LEAVES.map((value) => new EqualityFilter({ attribute: 'objectClass', value }));
  const filters = [
    toGuidFilter(renamed.map(({ id }) => id)),
    new NotFilter({ filter: new OrFilter({ filters: isLeaf }) }),
  ];
  const search = {
    ...{ baseDN: context, filter: new AndFilter({ filters }), attributes: ['objectGUID'] },
    ...{ pageSize: AT_ONCE, what: 'the changes' },
  };
  for await (const { entries } of searchPages(reading.session, search)) {
    if (entries.length > 0)
      throw new SyncError('CursorExpired', 'a part of the tree was renamed or moved: everybody must be read');
  }
}

/** People who name somebody that has another name now, or is gone: nothing is told of them. */
async function* readReferring(
  changing: Changing,
  references: LdapCursor['references'],
  { renamed, isAnyDeleted }: Seen,
): AsyncGenerator<ChangePage> {
  const [isList] = isAnyDeleted ? references.filter((each) => each.isList) : [];
  if (isList !== undefined)
    throw new SyncError('CursorExpired', `somebody was deleted, and it is not told whose ${isList.name} they were`);
  if (references.length === 0) return;
  for (const names of split([...renamed], NAMES_AT_ONCE)) {
    const filters = names.flatMap((value) =>
      references.map(({ name }) => new EqualityFilter({ attribute: name, value })),
    );
    yield* readPeople(changing, new OrFilter({ filters }));
  }
  if (!isAnyDeleted) return;
  // Of somebody who is deleted nobody's manager is left: whoever has none may have had them.
  const filters = references.map(({ name }) => new NotFilter({ filter: new PresenceFilter({ attribute: name }) }));
  yield* readPeople(changing, new OrFilter({ filters }));
}

/** Whose account has expired, or would have by a clock that was wrong, since activity was judged last. */
async function* readExpiring(changing: Changing, since: number): AsyncGenerator<ChangePage> {
  const now = changing.reading.now.getTime();
  const [from, to] = since < now ? [since, now] : [now, since];
  yield* readPeople(
    changing,
    FilterParser.parseString(`(&(accountExpires>=${toTicks(from)})(accountExpires<=${toTicks(to)}))`),
  );
}
