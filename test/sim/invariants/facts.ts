/** What the checkers go by: a run as the world knows it, and what it was told. Nothing of it is asked of the engine. */
import type { Owned } from '../deletion.ts';
import {
  asksForGroups,
  type Group,
  isAmbiguous,
  isChosen,
  isGroupId,
  type Membership,
  makesTeams,
  scopeGroupsOf,
  toNested,
  toPeopleOf,
  toPerson,
  toReach,
} from '../groups.ts';
import type { Manifests } from '../model.ts';
import type { Server, User } from '../server.ts';
import type { Reading } from '../source.ts';

export type Rule = `I${1 | 2 | 3 | 4 | 5 | 6 | 7 | 8 | 9 | 10 | 11 | 12 | 13}` | 'oracle' | 'kstatus' | 'engine';

export interface Violation {
  readonly rule: Rule;
  readonly message: string;
}

export interface RunFacts {
  readonly name: string;
  readonly manifests: Manifests;
  /** What it was told, once it has read; before, what it would be told of everybody. */
  reading: Reading;
  /** Of whom it may have an older record than that: people out of scope, where it asks for those in scope alone. */
  outdated: ReadonlySet<string>;
  readonly startedAt: number;
  /** The hash that is approved in this run. */
  readonly approve: string | null;
  /** Somebody says that what the read lacks is to be done without. */
  readonly resync: boolean;
  /** The store was lost or rolled back before it. */
  readonly forgot: boolean;
  /** It only plans. */
  readonly plans: boolean;
  /** Who alone this run is about; null: everybody. */
  readonly only: string | null;
  /** What goes in this run, because the DirectorySync is deleted; null: it stays. */
  readonly owned: Owned | null;
}

/** One request's change, and whose it is. */
export interface Moment {
  readonly facts: RunFacts;
  readonly now: number;
}

/** What the checkers share. */
export interface Scene {
  readonly server: Server;
  /** Objects that were made or taken over by a request. */
  readonly ours: Set<string>;
  /** The store was lost or rolled back. */
  damaged: boolean;
  fail(rule: Rule, message: string): void;
  /** What was met, for the coverage. */
  count(what: string): void;
  /** A request has come late or twice by now. */
  mixedUp(): boolean;
}

export type Standing = 'present' | 'leaves' | 'unknown';

/** Where this person stands by what the run read. */
export function standingOf(id: string | null, facts: RunFacts): Standing {
  const { reading, manifests } = facts;
  const [record, twin] = reading.users.filter((user) => user.id === id);
  if (record === undefined)
    return reading.failed.some((each) => each.id === null || each.id === id) ? 'unknown' : 'leaves';
  if (twin !== undefined) return 'unknown';
  const isMember = isInScopeGroups(record.id, facts);
  if (isMember === null) return 'unknown';
  const { filters = [] } = manifests.spec.scope ?? {};
  if (!isMember || (filters.length > 0 && record.attributes['scope'] !== 'in')) return 'leaves';
  return record.active ? 'present' : 'leaves';
}

/** Null: the read does not say. Everybody is where the scope takes people by no group. */
function isInScopeGroups(id: string, facts: RunFacts): boolean | null {
  const listed = scopeGroupsOf(facts.manifests);
  if (listed === null) return true;
  const { list = [], failed = [] } = facts.reading.groups ?? {};
  const groups = list.filter((group) => listed.includes(group.id));
  const membership = toMembership(facts);
  if (groups.some((group) => toPeopleOf(group, membership).has(id))) return true;
  const isUnread = failed.some((each) => each.id !== null && listed.includes(each.id));
  const isUnsure = (group: Group): boolean =>
    !isWholeGroup(group, facts) ||
    toReach(group, membership).some(({ members }) => members.some((ref) => isAmbiguous(ref, membership)));
  return isUnread || groups.some(isUnsure) ? null : false;
}

/** Are all groups there that the scope takes people by? Without one nothing may be done. */
export function hasScopeGroups({ reading, manifests }: RunFacts): boolean {
  const { list = [], failed = [] } = reading.groups ?? {};
  return (scopeGroupsOf(manifests) ?? []).every((id) => [...list, ...failed].some((each) => each.id === id));
}

export function isProtected({ externalId }: User, { manifests }: RunFacts): boolean {
  return externalId !== null && (manifests.spec.guards?.protectedUsers ?? []).includes(externalId);
}

/** Did the read come to its end, groups included where they are asked for? */
export function isReadWhole(facts: RunFacts): boolean {
  const { reading, manifests } = facts;
  const isOfGroups = asksForGroups(manifests) && reading.groups !== null;
  return reading.end === 'whole' && (!isOfGroups || reading.groups?.end === 'whole') && hasScopeGroups(facts);
}

/** Of a record that comes twice, once. */
function toMembership({ reading, manifests }: RunFacts): Membership {
  const people = reading.users.map(({ id, attributes }) => ({
    id,
    mail: (attributes['mail'] ?? null) as string | null,
  }));
  const once = [...new Map(people.map((person) => [person.id, person])).values()];
  return { people: once, groups: reading.groups?.list ?? [], nested: toNested(manifests) };
}

/** Is everybody and everything that the group names, and the groups in it, known to the read? */
function isWholeGroup(group: Group, facts: RunFacts): boolean {
  const { reading, resync, forgot } = facts;
  const { list = [], failed = [] } = reading.groups ?? {};
  const isUnnamed = failed.some((each) => each.id === null);
  const membership = toMembership(facts);
  // Without what it knew before it takes names that are missing for names that nobody has.
  const lacksNames = !resync && !forgot && reading.users.some((user) => isUnknown('mail', user.id, facts));
  // Who or what is meant may not have been read.
  const mayMean = (ref: string): boolean =>
    isGroupId(ref)
      ? isUnnamed && !list.some((other) => other.id === ref)
      : lacksNames && toPerson(ref, membership) === null;
  const isBroken = (each: Group): boolean =>
    failed.some((one) => one.id === each.id) ||
    list.some((other) => other !== each && other.id === each.id) ||
    // The group that is meant may be one that failed, and who is in it belongs to this one.
    (membership.nested === 'Flatten' && each.members.some((ref) => failed.some((one) => one.id === ref))) ||
    each.members.some((ref) => mayMean(ref));
  return !toReach(group, membership).some(isBroken);
}

/** Who is to be in the team of this group; null where the read does not say, or the manifests leave the team alone. */
export function toGroupPeople(id: string, facts: RunFacts): ReadonlySet<string> | null {
  const { reading, manifests } = facts;
  const { list = [], failed = [] } = reading.groups ?? {};
  const isUnnamed = failed.some((each) => each.id === null);
  const [group, twin] = list.filter((each) => each.id === id);
  const isEnded = makesTeams(manifests.spec) && manifests.spec.groups?.deletedAtSource !== 'Retain';
  if (group === undefined) {
    const isThere = isUnnamed || failed.some((each) => each.id === id);
    return isThere || !isEnded ? null : new Set();
  }
  if (twin !== undefined || !isChosen(group, manifests)) return null;
  return isWholeGroup(group, facts) ? toPeopleOf(group, toMembership(facts)) : null;
}

/** Did the read leave out this attribute, for everybody or for this person? */
export function isUnknown(name: string, id: string | null, { reading }: RunFacts): boolean {
  const record = reading.users.find((user) => user.id === id);
  return !reading.attributes.includes(name) || (record?.unknown ?? []).includes(name);
}
