/** The pages of a directory's users and groups, and one user. */
import { AndFilter, type Control, EqualityFilter, type Filter, FilterParser } from 'ldapts';
import { SyncError } from '../../errors.ts';
import type { GroupMember, SourceUser } from '../../model.ts';
import { createNameCollector, type NameCollector } from '../attribute-names.ts';
import { type Converted, fail } from '../converted.ts';
import { createGroupFailures, type GroupFailures, toFailedGroup } from '../group-failures.ts';
import type { FailedRecord, GroupPage, OneUser, ReadEnd, SourcePage } from '../source.ts';
import { type Dialect, type LdapConfig, toDialect } from './config.ts';
import { ExtendedDnControl } from './controls.ts';
import { hidesMembers, type LdapGroup, toGroup, toMembers, toUser } from './convert.ts';
import { printCursor } from './cursor.ts';
import { ATTRIBUTE, type LdapEntry, readTexts } from './entry.ts';
import { createManagerMails, MANAGER_EMAIL } from './manager.ts';
import { readSchemaNames } from './schema.ts';
import { completeRanges, type EntryPage, type PagedSearch, searchPages } from './search.ts';
import type { Session } from './session.ts';
import type { Tracked, Tracking } from './tracking.ts';
import { fromGuid } from './values.ts';

const PEOPLE = 'the list of people';
const GROUPS = 'the list of groups';
const DEFAULT_PAGE = 500;
/** Fewer: each comes with its members. */
const GROUPS_OF_A_PAGE = 50;
const MEMBERS_OF_A_PAGE = 1000;

export interface Reading {
  readonly session: Session;
  readonly config: LdapConfig;
  readonly projection: readonly string[];
  readonly now: Date;
}

/** What is asked for, of which directory. */
type Asking = Pick<Reading, 'config' | 'projection'>;

/** All that are not operational (RFC 4511 section 4.5.1.8). */
const EVERYTHING = '*';
/** All that are (RFC 3673); a server that does not know it passes it by. */
const OPERATIONAL = '+';
const LISTS: ReadonlySet<string> = new Set([EVERYTHING, OPERATIONAL]);

/** For a projection: everything that the account may see, and the mail addresses of managers, which are looked up. */
export const ALL_ATTRIBUTES: readonly string[] = [EVERYTHING, OPERATIONAL, MANAGER_EMAIL];

/** Nobody asked for anything: everything that the server shows. */
function toAsked(projection: readonly string[], always: readonly string[]): readonly string[] {
  const named = projection.filter((name) => LISTS.has(name) || (ATTRIBUTE.test(name) && name.toLowerCase() !== 'dn'));
  const manager = projection.includes(MANAGER_EMAIL) ? ['manager'] : [];
  const all = [...always, ...(projection.length === 0 ? [EVERYTHING] : [...named, ...manager])];
  return [...new Map(all.map((name) => [name.toLowerCase(), name])).values()];
}

/** Which changes must be told to the next read of people, for it to read nothing else. */
export function toTrackedUsers({ config, projection, now }: Omit<Reading, 'session'>): Tracked {
  const { userFilter, userAttributes } = toDialect(config);
  const mail = projection.includes(MANAGER_EMAIL) ? ['mail'] : [];
  const isAll = projection.length === 0 || projection.some((name) => LISTS.has(name));
  const asked = isAll ? null : [...toAsked(projection, userAttributes), ...mail];
  return { config, asked, filter: userFilter, now };
}

/** The same for a read of groups. */
export function toTrackedGroups({ config, projection, now }: Omit<Reading, 'session'>): Tracked {
  const dialect = toDialect(config);
  const asked = [...toAskedOfGroups(projection, dialect), dialect.primaryGroup];
  return { config, asked, filter: dialect.groupFilter, now };
}

/** Null: this directory tells no changes. */
function toCursorEnd(tracking: Tracking | null): Pick<ReadEnd, 'cursor' | 'noCursor'> {
  if (tracking === null) return {};
  return tracking.cursor === null ? { noCursor: tracking.why } : { cursor: printCursor(tracking.cursor) };
}

export function toUserSearch({ config, projection }: Asking, dialect: Dialect): PagedSearch {
  return {
    baseDN: config.usersBaseDN ?? config.baseDN,
    filter: dialect.userFilter,
    attributes: toAsked(projection, dialect.userAttributes),
    pageSize: config.pageSize ?? DEFAULT_PAGE,
    what: PEOPLE,
  };
}

/**
 * @param tracking where changes go on from, taken before
 * @param filter of fewer people; null: everybody
 */
export async function* readUserPages(
  reading: Reading,
  tracking: Tracking | null,
  filter: Filter | null = null,
): AsyncGenerator<SourcePage> {
  const dialect = toDialect(reading.config);
  const names = await createNames(reading, dialect.userAttributes);
  const convert = createUserConverter(reading, dialect, names);
  const search = toUserSearch(reading, dialect);
  for await (const page of searchPages(reading.session, filter === null ? search : { ...search, filter })) {
    const { users, failed } = await convert(page.entries);
    const end = { attributes: names.list(), ...toCursorEnd(tracking) };
    yield page.isLast ? { users, failed, end } : { users, failed };
  }
}

/**
 * What is asked for by name and the server knows is null where nobody has it, as what is asked for in any case; of the rest
 * records tell.
 */
async function createNames(
  { session, projection }: Pick<Reading, 'session' | 'projection'>,
  always: readonly string[],
): Promise<NameCollector> {
  const names = createNameCollector();
  names.addColumns(['dn', ...always]);
  if (projection.length === 0) return names;
  const known = await readSchemaNames(session);
  names.addColumns(projection.filter((name) => known.has(name.toLowerCase().split(';')[0] ?? '')));
  if (projection.includes(MANAGER_EMAIL)) names.addColumns([MANAGER_EMAIL]);
  return names;
}

export type ConvertUsers = (
  entries: readonly LdapEntry[],
) => Promise<{ readonly users: readonly SourceUser[]; readonly failed: readonly FailedRecord[] }>;

export function createUserConverter(
  { session, projection, now }: Reading,
  dialect: Dialect,
  names: NameCollector,
): ConvertUsers {
  const managers = projection.includes(MANAGER_EMAIL) ? createManagerMails(session) : null;
  return async (entries) => {
    const found: SourceUser[] = [];
    const failed: FailedRecord[] = [];
    for (const entry of entries) {
      const converted = await toWholeUser(session, entry, { dialect, projection, now });
      if ('failed' in converted) failed.push(converted.failed);
      else found.push(converted.item);
    }
    const users = managers === null ? found : await managers.add(found);
    for (const { attributes } of users) names.addRecord(attributes);
    return { users, failed };
  };
}

/** Somebody with an attribute whose rest is not to be had cannot be read; that nothing is to be had ends the next request. */
async function toWholeUser(
  session: Session,
  entry: LdapEntry,
  options: Parameters<typeof toUser>[1],
): Promise<Converted<SourceUser>> {
  const converted = toUser(entry, options);
  if ('failed' in converted) return converted;
  try {
    return toUser(await completeRanges(session, entry, { what: 'an entry' }), options);
  } catch (thrown) {
    const error = SyncError.from(thrown);
    if (error.code !== 'ReadFailed') throw error;
    return fail(converted.item.id, error.message);
  }
}

/**
 * The same as `readUserPages` of one person. Fewer may tell fewer names.
 * @throws SyncError `RecordInvalid` for somebody who is there and cannot be read, or there twice
 */
export async function readOneUser(reading: Reading, id: string): Promise<OneUser> {
  const dialect = toDialect(reading.config);
  const names = await createNames(reading, dialect.userAttributes);
  const value = dialect.idAttribute === 'objectGUID' ? fromGuid(id) : id;
  // What is no id of the kind has nobody.
  if (value === null) return { user: null, attributes: names.list() };
  const filters = [
    new EqualityFilter({ attribute: dialect.idAttribute, value }),
    FilterParser.parseString(dialect.userFilter),
  ];
  const convert = createUserConverter(reading, dialect, names);
  const found: SourceUser[] = [];
  const search = { ...toUserSearch(reading, dialect), filter: new AndFilter({ filters }) };
  for await (const { entries } of searchPages(reading.session, search)) {
    const { users, failed } = await convert(entries);
    const [broken] = failed;
    if (broken !== undefined) throw new SyncError(broken.code, broken.message);
    found.push(...users);
  }
  const [user = null] = found;
  if (found.length > 1) throw new SyncError('RecordInvalid', `more than one entry has this ${dialect.idAttribute}`);
  if (user !== null && user.id !== id)
    throw new SyncError('ReadFailed', `${reading.session.origin} answers with another person than it was asked for`);
  return { user, attributes: names.list() };
}

/** Without what is not asked for: nobody reads whole groups to look at them. */
function toAskedOfGroups(projection: readonly string[], dialect: Dialect): readonly string[] {
  return projection.length === 0 ? dialect.groupAttributes : toAsked(projection, dialect.groupAttributes);
}

/** Members by their ids, where the directory names them so. */
export function toGroupSearch({ config, projection }: Asking, dialect: Dialect): PagedSearch {
  return {
    baseDN: config.groupsBaseDN ?? config.baseDN,
    filter: dialect.groupFilter,
    attributes: toAskedOfGroups(projection, dialect),
    pageSize: Math.min(config.pageSize ?? DEFAULT_PAGE, GROUPS_OF_A_PAGE),
    controls: toNaming(dialect),
    what: GROUPS,
  };
}

function toNaming({ idAttribute }: Dialect): readonly Control[] {
  return idAttribute === 'objectGUID' ? [new ExtendedDnControl()] : [];
}

/**
 * Every group with its members after it, and in the end those whose primary group it is.
 * @param tracking where changes go on from, taken before
 */
export async function* readGroupPages(reading: Reading, tracking: Tracking | null): AsyncGenerator<GroupPage> {
  const { session, config, projection } = reading;
  const dialect = toDialect(config);
  const names = await createNames(reading, dialect.groupNames);
  const failures = createGroupFailures();
  const numbers = new Map<string, readonly string[]>();
  for await (const { entries } of searchPages(session, toGroupSearch(reading, dialect))) {
    const converted = entries.map((entry) => ({ entry, group: toGroup(entry, { dialect, projection }) }));
    const found = converted.flatMap(({ entry, group }) => ('item' in group ? [{ entry, ...group.item }] : []));
    for (const { group, number } of found) {
      names.addRecord(group.attributes);
      if (number !== null) numbers.set(number, [...(numbers.get(number) ?? []), group.id]);
    }
    yield {
      groups: found.map(({ group }) => group),
      members: [],
      failed: converted.flatMap(({ group }) => toFailed(group)),
    };
    for (const each of found) yield* readMembers(reading, each, failures);
  }
  yield* readPrimaryMembers(reading, dialect, numbers);
  yield { groups: [], members: [], failed: [], end: { attributes: names.list(), ...toCursorEnd(tracking) } };
}

function toFailed(converted: Converted<LdapGroup>): readonly FailedRecord[] {
  return 'failed' in converted ? [converted.failed] : [];
}

export async function* readMembers(
  { session, config }: Pick<Reading, 'session' | 'config'>,
  { entry, group: { id } }: LdapGroup & { readonly entry: LdapEntry },
  failures: GroupFailures,
): AsyncGenerator<GroupPage> {
  let whole: LdapEntry;
  try {
    whole = await completeRanges(session, entry, {
      what: 'the members of a group',
      controls: toNaming(toDialect(config)),
    });
    failures.reset();
  } catch (thrown) {
    yield { groups: [], members: [], failed: [failures.toFailed(id, thrown)] };
    return;
  }
  if (hidesMembers(whole)) {
    const failed = [toFailedGroup(id, 'it has some, and the account may not see them')];
    yield { groups: [], members: [], failed };
  }
  const members = toMembers(whole);
  for (let from = 0; from < members.length; from += MEMBERS_OF_A_PAGE) {
    yield { groups: [], members: [{ group: id, members: members.slice(from, from + MEMBERS_OF_A_PAGE) }], failed: [] };
  }
}

/** Domain Users: of nearly everybody the primary group, so that nobody is asked about who has it where it is not wanted. */
const DOMAIN_USERS = '513';

/**
 * Whose primary group it is: neither the group names them nor they it, but by a number.
 * @param groups ids of groups by that number
 */
export async function* readPrimaryMembers(
  reading: Reading,
  dialect: Dialect,
  groups: ReadonlyMap<string, readonly string[]>,
): AsyncGenerator<GroupPage> {
  if (groups.size === 0) return;
  const { primaryGroup, idAttribute, userFilter } = dialect;
  const others =
    primaryGroup === 'primaryGroupID' && !groups.has(DOMAIN_USERS) ? `(!(${primaryGroup}=${DOMAIN_USERS}))` : '';
  const search: PagedSearch = {
    ...toUserSearch(reading, dialect),
    filter: `(&${userFilter}(${primaryGroup}=*)${others})`,
    attributes: [...new Set([...dialect.userAttributes, idAttribute, primaryGroup])],
  };
  for await (const page of searchPages(reading.session, search))
    yield toPrimaryMembers(page, { reading, dialect, groups });
}

function toPrimaryMembers(
  { entries }: EntryPage,
  {
    reading,
    dialect,
    groups,
  }: { readonly reading: Reading; readonly dialect: Dialect; readonly groups: ReadonlyMap<string, readonly string[]> },
): GroupPage {
  const members = new Map<string, GroupMember[]>();
  for (const entry of entries) {
    const converted = toUser(entry, { dialect, projection: [], now: reading.now });
    const [number = ''] = readTexts(entry, dialect.primaryGroup);
    // Whoever cannot be read is a failed record of the list of people.
    if ('failed' in converted) continue;
    for (const group of groups.get(number) ?? []) {
      const list = members.get(group) ?? [];
      list.push({ kind: 'User', ref: converted.item.id });
      members.set(group, list);
    }
  }
  return { groups: [], members: [...members].map(([group, list]) => ({ group, members: list })), failed: [] };
}
