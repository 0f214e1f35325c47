/** Groups of an Active Directory of which a change was told, and the groups that changed entries are in. */
import { AndFilter, EqualityFilter, type Filter, FilterParser, OrFilter } from 'ldapts';
import type { GroupMember } from '../../model.ts';
import type { NameCollector } from '../attribute-names.ts';
import { createGroupFailures } from '../group-failures.ts';
import type { ChangePage, FailedRecord, GroupPage, SourceChange } from '../source.ts';
import type { Dialect } from './config.ts';
import { ExtendedDnControl } from './controls.ts';
import { type LdapGroup, toGroup } from './convert.ts';
import { type LdapEntry, readBytes, readTexts, toNamedId } from './entry.ts';
import { type Reading, readMembers, readPrimaryMembers, toGroupSearch } from './read.ts';
import { completeRanges, searchPages } from './search.ts';
import { toGuid, toGuidFilter } from './values.ts';

/** Names of entries in one filter. */
const AT_ONCE = 100;

interface Named {
  readonly dialect: Dialect;
  readonly ids: readonly string[];
}

export interface ChangedGroups {
  /** Of those that are there, read or not. */
  readonly ids: ReadonlySet<string>;
  readonly failed: readonly FailedRecord[];
  /** Each with all its members: a large group is read whole for one who joins it. */
  pages(): AsyncGenerator<ChangePage>;
}

/** @param reading projection is that of groups */
export async function readChangedGroups(
  reading: Reading,
  { dialect, ids, names }: Named & { readonly names: NameCollector },
): Promise<ChangedGroups> {
  const found: (LdapGroup & { readonly entry: LdapEntry })[] = [];
  const failed: FailedRecord[] = [];
  if (ids.length > 0) {
    const filters = [FilterParser.parseString(dialect.groupFilter), toGuidFilter(ids)];
    const search = { ...toGroupSearch(reading, dialect), filter: new AndFilter({ filters }) };
    for await (const { entries } of searchPages(reading.session, search)) {
      for (const entry of entries) {
        const converted = toGroup(entry, { dialect, projection: reading.projection });
        if ('failed' in converted) failed.push(converted.failed);
        else found.push({ entry, ...converted.item });
      }
    }
  }
  for (const { group } of found) names.addRecord(group.attributes);
  return {
    ids: new Set([...found.map(({ group }) => group.id), ...failed.map(({ id }) => id ?? '')]),
    failed,
    pages: () => readPages(reading, { dialect, found, failed }),
  };
}

interface Found {
  readonly dialect: Dialect;
  readonly found: readonly (LdapGroup & { readonly entry: LdapEntry })[];
  readonly failed: readonly FailedRecord[];
}

async function* readPages(reading: Reading, { dialect, found, failed }: Found): AsyncGenerator<ChangePage> {
  if (found.length === 0 && failed.length === 0) return;
  yield {
    changes: found.flatMap(({ group }): readonly SourceChange[] => [
      { type: 'group', group },
      { type: 'members', group: group.id, replaces: true, added: [], removed: [] },
    ]),
    failed: [],
    failedGroups: failed,
  };
  const failures = createGroupFailures();
  for (const each of found) {
    for await (const page of readMembers(reading, each, failures)) yield toChangePage(page);
  }
  const numbers = new Map(
    found.flatMap(({ number, group }) => (number === null ? [] : [[number, [group.id]] as const])),
  );
  for await (const page of readPrimaryMembers(reading, dialect, numbers)) yield toChangePage(page);
}

function toChangePage({ members, failed }: GroupPage): ChangePage {
  const changes = members.map(({ group, members: added }): SourceChange => toAdded(group, added));
  return { changes, failed: [], failedGroups: failed };
}

function toAdded(group: string, added: readonly GroupMember[]): SourceChange {
  return { type: 'members', group, replaces: false, added, removed: [] };
}

/**
 * The groups of the read that these entries are in, by what they say themselves. Of somebody who comes into scope again, or
 * whose primary group is another one, no group tells.
 */
export async function readMemberships(
  { session, config }: Reading,
  { dialect, context, ids }: Named & { readonly context: string },
): Promise<readonly SourceChange[]> {
  if (ids.length === 0) return [];
  const controls = [new ExtendedDnControl()];
  const search = {
    ...{ baseDN: context, filter: toGuidFilter(ids), pageSize: AT_ONCE, what: 'the groups of people', controls },
    attributes: ['objectGUID', 'objectSid', 'primaryGroupID', 'memberOf'],
  };
  const joined = new Map<string, GroupMember[]>();
  for await (const { entries } of searchPages(session, search)) {
    for (const part of entries) {
      const entry = await completeRanges(session, part, { what: search.what, controls });
      for (const [group, member] of toMemberships(entry)) joined.set(group, [...(joined.get(group) ?? []), member]);
    }
  }
  const known = await readKnownGroups({ session, config }, { dialect, names: [...joined.keys()] });
  return [...joined].flatMap(([name, members]) => {
    const group = known.get(name);
    return group === undefined ? [] : [toAdded(group, members)];
  });
}

/** Groups by their ids, or by their SIDs in hexadecimal. */
function toMemberships(entry: LdapEntry): readonly (readonly [group: string, member: GroupMember])[] {
  const guid = readBytes(entry, 'objectGUID');
  if (guid?.length !== 16) return [];
  const ref = toGuid(guid);
  const groups = readTexts(entry, 'memberOf').flatMap((name) => toNamedId(name) ?? []);
  const primary = toPrimaryGroup(entry);
  return [
    ...groups.map((group) => [group, { kind: 'Any', ref }] as const),
    ...(primary === null ? [] : [[primary.toString('hex'), { kind: 'User', ref }] as const]),
  ];
}

/** The SID of the group: that of the domain, which the SID of the entry begins with, and its number there. */
function toPrimaryGroup(entry: LdapEntry): Buffer | null {
  const sid = readBytes(entry, 'objectSid');
  const [number = ''] = readTexts(entry, 'primaryGroupID');
  if (sid === null || sid.length < 8 || !/^\d{1,10}$/.test(number)) return null;
  const group = Buffer.from(sid);
  group.writeUInt32LE(Number(number), group.length - 4);
  return group;
}

/**
 * Those that a full read would list.
 * @param names ids, or SIDs in hexadecimal
 * @returns ids by these
 */
async function readKnownGroups(
  { session, config }: Pick<Reading, 'session' | 'config'>,
  { dialect, names }: { readonly dialect: Dialect; readonly names: readonly string[] },
): Promise<ReadonlyMap<string, string>> {
  const known = new Map<string, string>();
  for (let from = 0; from < names.length; from += AT_ONCE) {
    const filters = [FilterParser.parseString(dialect.groupFilter), toNameFilter(names.slice(from, from + AT_ONCE))];
    const search = {
      ...{ baseDN: config.groupsBaseDN ?? config.baseDN, filter: new AndFilter({ filters }), pageSize: AT_ONCE },
      ...{ attributes: ['objectGUID', 'objectSid'], what: 'the list of groups' },
    };
    for await (const { entries } of searchPages(session, search)) {
      for (const entry of entries) {
        const guid = readBytes(entry, 'objectGUID');
        if (guid?.length !== 16) continue;
        const id = toGuid(guid);
        known.set(id, id);
        known.set(readBytes(entry, 'objectSid')?.toString('hex') ?? id, id);
      }
    }
  }
  return known;
}

function toNameFilter(names: readonly string[]): Filter {
  const ids = names.filter((name) => name.includes('-'));
  const sids = names.filter((name) => !name.includes('-'));
  const ofSids = sids.map((sid) => new EqualityFilter({ attribute: 'objectSid', value: Buffer.from(sid, 'hex') }));
  return new OrFilter({ filters: [...(ids.length === 0 ? [] : [toGuidFilter(ids)]), ...ofSids] });
}
