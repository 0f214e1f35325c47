/**
 * The feed of changes of the simulator's source: what has changed since what an earlier read told, by rules S14 to S17 and
 * S20 of `sources/source.ts`. A cursor names what the engine was told by then, faults included.
 */
import type { GroupMember, SourceUser } from '../../src/model.ts';
import type { FailedRecord, SourceChange } from '../../src/sources/source.ts';
import type { ReadFault } from './faults.ts';
import type { Group } from './groups.ts';
import { type GroupReading, LOSABLE, type Reading, toMember, toSourceGroup, without } from './source.ts';

/** What was told so far, by cursor: one for each read that issued any. */
export interface Feed {
  readonly told: Reading[];
  /** It says who is gone; else how many are left (S20). */
  readonly namesGone: boolean;
}

/** @returns the cursor of a read that tells this */
export function issueCursor({ told }: Feed, reading: Reading): string {
  told.push(reading);
  return String(told.length - 1);
}

export interface FeedAnswer {
  /** What the engine knows by it, with what it knew before. */
  readonly reading: Reading;
  readonly changes: readonly SourceChange[];
  readonly failed: readonly FailedRecord[];
  readonly failedGroups: readonly FailedRecord[];
  /** Only where it does not name who is gone. */
  readonly totals: { readonly users: number; readonly groups: number | null } | null;
}

export interface Asked {
  readonly since: { readonly users: string; readonly groups: string | null };
  /** What a full read would tell without a fault, and with it. */
  readonly whole: Reading;
  readonly full: Reading;
  readonly fault: ReadFault | null;
}

/** Null: nobody knows this cursor. */
export function answerChanges({ told, namesGone }: Feed, { since, whole, full, fault }: Asked): FeedAnswer | null {
  const [users, groups] = [told[Number(since.users)], told[Number(since.groups ?? since.users)]];
  if (users === undefined || groups === undefined) return null;
  const before: Reading = { ...users, groups: groups.groups };
  // Whoever has not changed since would be without what could not be told then.
  if (!knowsAll(before, whole)) return null;
  const asksGroups = since.groups !== null;
  const reading = toEffective({ before, whole, full }, fault);
  const { kind = null, which = 0 } = fault ?? {};
  const older = told[which % told.length] ?? before;
  const changes = [
    // What came before comes again, and then what has come since.
    ...(kind === 'feedReplayed' ? diff(older, before, asksGroups) : []),
    ...diff(before, reading, asksGroups).flatMap((change) => toSpoken(change, before, fault)),
  ];
  const failedGroups = asksGroups ? (reading.groups?.failed ?? []) : [];
  return {
    ...{ reading, failed: reading.failed, failedGroups },
    changes: namesGone ? changes : changes.filter(({ type }) => type !== 'userRemoved' && type !== 'groupRemoved'),
    totals: namesGone ? null : count(reading, asksGroups),
  };
}

function count({ users, failed, groups }: Reading, asksGroups: boolean): FeedAnswer['totals'] {
  return { users: users.length + failed.length, groups: asksGroups ? (groups?.list.length ?? 0) : null };
}

function knowsAll(before: Reading, whole: Reading): boolean {
  const told = [...before.attributes, ...(before.groups?.attributes ?? [])];
  return [...whole.attributes, ...(whole.groups?.attributes ?? [])].every((name) => told.includes(name));
}

interface Views {
  /** As the engine was told before. */
  readonly before: Reading;
  readonly whole: Reading;
  readonly full: Reading;
}

/** What a fault of the directory makes of it for somebody who knows what was before. */
function toEffective({ before, whole, full }: Views, fault: ReadFault | null): Reading {
  const which = fault?.which ?? 0;
  switch (fault?.kind) {
    case 'feedCut':
      return { ...whole, end: which % 2 === 0 ? 'short' : 'error' };
    case 'feedLate':
      return { ...whole, users: withOlder(whole.users, before.users, pickLate(whole, before, which)) };
    case 'columnGone':
      return toKept(before, whole, LOSABLE[which % LOSABLE.length] ?? 'title');
    case 'itemUnnamed': {
      const unnamed = whole.users.find(({ id }) => !full.users.some((user) => user.id === id));
      return { ...full, users: withOlder(full.users, before.users, unnamed?.id ?? null) };
    }
    // What was known of the group stays known.
    case 'groupFailed':
    case 'groupUnnamed':
      return { ...full, groups: withLost({ before, whole, full }) };
    // The last word on somebody counts, and a feed without a column cannot be told from one of groups that have no value.
    case 'duplicateId':
    case 'groupTwice':
    case 'groupColumnGone':
      return whole;
    default:
      return full;
  }
}

/** Somebody of whom the feed has not heard the latest. */
function pickLate({ users }: Reading, before: Reading, which: number): string | null {
  const isNews = (id: string): boolean =>
    !isSame(
      users.find((user) => user.id === id),
      before.users.find((user) => user.id === id),
    );
  const ids = [...new Set([...users, ...before.users].map(({ id }) => id))].filter(isNews);
  return ids[which % Math.max(1, ids.length)] ?? null;
}

/** The one with this id as they were, if they were there. */
function withOlder(now: readonly SourceUser[], before: readonly SourceUser[], id: string | null): SourceUser[] {
  return [...now.filter((user) => user.id !== id), ...before.filter((user) => user.id === id)];
}

function withLost({ before, whole, full }: Views): GroupReading | null {
  if (full.groups === null) return null;
  const list = full.groups.list;
  const lost = whole.groups?.list.find(({ id }) => !list.some((group) => group.id === id));
  return { ...full.groups, list: [...list, ...(before.groups?.list ?? []).filter(({ id }) => id === lost?.id)] };
}

/** Of whoever has changed the feed does not tell this attribute: it stays as it was. */
function toKept(before: Reading, whole: Reading, name: string): Reading {
  const users = whole.users.map((user) => {
    const old = before.users.find(({ id }) => id === user.id);
    if (old !== undefined && isSame(old, user)) return user;
    const rest = without(user, name);
    const isKnown = old !== undefined && Object.hasOwn(old.attributes, name);
    if (!isKnown) return { ...rest, unknown: [name] };
    return { ...rest, attributes: { ...rest.attributes, [name]: old.attributes[name] ?? null } };
  });
  return { ...whole, users };
}

/** The same change with what a fault makes of its telling. */
function toSpoken(change: SourceChange, before: Reading, fault: ReadFault | null): SourceChange[] {
  if (change.type !== 'user') return fault?.kind === 'feedDoubled' ? [change, change] : [change];
  const { user } = change;
  const old = before.users.find(({ id }) => id === user.id);
  switch (fault?.kind) {
    case 'feedDoubled':
      return [change, ...(old === undefined ? [] : [{ ...change, user: old }]), change];
    case 'duplicateId':
      return [{ ...change, user: { ...user, attributes: { ...user.attributes, title: 'Twin' } } }, change];
    case 'columnGone': {
      const name = LOSABLE[fault.which % LOSABLE.length] ?? 'title';
      const { unknown: _none, ...rest } = without(user, name);
      const isKept = old !== undefined && Object.hasOwn(old.attributes, name);
      return [isKept ? { ...change, user: rest, keeps: [name] } : change];
    }
    default:
      return [change];
  }
}

const isSame = (one: unknown, other: unknown): boolean => JSON.stringify(one) === JSON.stringify(other);

/** In an order in which it may have happened. */
function diff(before: Reading, now: Reading, asksGroups: boolean): SourceChange[] {
  const old = new Map(before.users.map((user) => [user.id, user]));
  const isThere = ({ users, failed }: Reading, id: string): boolean =>
    [...users, ...failed].some((each) => each.id === id);
  const known = [...new Set([...before.users, ...before.failed].flatMap(({ id }) => id ?? []))];
  const removed = known.filter((id) => !isThere(now, id));
  const changed = now.users.filter((user) => !isSame(old.get(user.id), user));
  const back = changed.map(({ id }) => id).filter((id) => !isThere(before, id));
  return [
    ...removed.map((id): SourceChange => ({ type: 'userRemoved', id })),
    ...changed.map((user): SourceChange => ({ type: 'user', user })),
    ...(asksGroups ? diffGroups(before.groups?.list ?? [], now.groups, back) : []),
  ];
}

/** @param back whoever is there again, and in no group but those that are named now */
function diffGroups(before: readonly Group[], now: GroupReading | null, back: readonly string[]): SourceChange[] {
  if (now === null) return [];
  const { list, failed, attributes } = now;
  const old = new Map(before.map((group) => [group.id, group]));
  const isFailed = (id: string): boolean => failed.some((each) => each.id === id);
  const removed = before.filter(({ id }) => !list.some((group) => group.id === id) && !isFailed(id));
  const some = list.filter(({ id }) => !isFailed(id));
  const returned = new Set([...back, ...some.map(({ id }) => id).filter((id) => !old.has(id))]);
  const record = (group: Group): unknown => toSourceGroup(group, attributes);
  return [
    ...removed.map(({ id }): SourceChange => ({ type: 'groupRemoved', id })),
    ...some
      .filter((group) => !isSame(record(group), record(old.get(group.id) ?? { ...group, id: '' })))
      .map((group): SourceChange => ({ type: 'group', group: toSourceGroup(group, attributes) })),
    ...some.flatMap((group) => diffMembers(group, old.get(group.id) ?? null, returned)),
  ];
}

/** Whole or in parts, as its id has it. */
function diffMembers(group: Group, before: Group | null, returned: ReadonlySet<string>): SourceChange[] {
  const { id, members } = group;
  const had = before?.members ?? [];
  const added = members.filter((ref) => !had.includes(ref) || returned.has(ref));
  const removed = had.filter((ref) => !members.includes(ref));
  const toMembers = (refs: readonly string[]): GroupMember[] => refs.map((ref) => toMember(id, ref));
  if (before === null || id.startsWith('grp-'))
    return added.length + removed.length === 0 && before !== null
      ? []
      : [{ type: 'members', group: id, replaces: true, added: toMembers(members), removed: [] }];
  if (added.length + removed.length === 0) return [];
  return [{ type: 'members', group: id, replaces: false, added: toMembers(added), removed }];
}
