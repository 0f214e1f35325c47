/** The source directory of the simulator: reads what the company is, or what a fault makes of it. */
import type { GroupMember, Json, SourceGroup, SourceUser } from '../../src/model.ts';
import type { FailedRecord } from '../../src/sources/source.ts';
import { type FeedFaultKind, type GroupFaultKind, isFeedFault, isGroupFault, type ReadFault } from './faults.ts';
import { type Group, groupsOf, isGroupId } from './groups.ts';
import { type Company, type Employee, toManagerName } from './model.ts';
import { TEAM_VALUE_NAMES } from './team-values.ts';

/** What one read is going to say. */
export interface Reading {
  readonly users: readonly SourceUser[];
  readonly failed: readonly FailedRecord[];
  readonly attributes: readonly string[];
  readonly tenantId: string;
  /** How the read ends. */
  readonly end: 'whole' | 'error' | 'short' | 'hangs';
  /** Null: the source cannot be asked for groups. */
  readonly groups: GroupReading | null;
}

export interface GroupReading {
  /** As they are told; of one that failed whoever came before. */
  readonly list: readonly Group[];
  readonly failed: readonly FailedRecord[];
  readonly end: 'whole' | 'error' | 'short';
  /** What of groups is told. */
  readonly attributes: readonly string[];
}

const ATTRIBUTES = ['id', 'mail', 'title', 'department', 'manager', 'clubs', 'scope', 'active'] as const;
export const LOSABLE = ['title', 'department', 'manager', 'clubs', 'scope', 'active', 'mail'] as const;
const GROUP_ATTRIBUTES = ['displayName', ...TEAM_VALUE_NAMES, 'code'] as const;
const TENANT = 'acme-tenant';

export function toReading(company: Company, fault: ReadFault | null): Reading {
  const groups = groupsOf(company);
  const whole: Reading = {
    users: company.people.map((person) => toUser({ ...person, manager: toManagerName(person, company) })),
    failed: [],
    attributes: ATTRIBUTES,
    tenantId: TENANT,
    end: 'whole',
    groups: groups === null ? null : toGroups(groups),
  };
  if (fault === null) return whole;
  const { kind, which } = fault;
  if (isFeedFault(kind)) return whole;
  if (!isGroupFault(kind)) return spoil(whole, { kind, which });
  return whole.groups === null ? whole : { ...whole, groups: spoilGroups(whole.groups, kind, which) };
}

function toGroups(groups: readonly Group[]): GroupReading {
  return { list: groups.map((group) => ({ ...group })), failed: [], end: 'whole', attributes: GROUP_ATTRIBUTES };
}

function spoilGroups(reading: GroupReading, kind: GroupFaultKind, which: number): GroupReading {
  const { list } = reading;
  const index = which % Math.max(1, list.length);
  const chosen = list[index];
  const others = list.filter((group) => group !== chosen);
  const failed = (id: string | null) => [{ id, code: 'ReadFailed' as const, message: 'the item cannot be read' }];
  if (chosen === undefined) return reading;
  switch (kind) {
    case 'groupFailed': {
      // Its name may be known all the same, and a part of its members.
      const part = list.map((group) => (group === chosen ? { ...group, members: group.members.slice(0, 1) } : group));
      return { ...reading, list: which % 3 === 0 ? others : part, failed: failed(chosen.id) };
    }
    case 'groupUnnamed':
      return { ...reading, list: others, failed: failed(null) };
    case 'groupTwice':
      return { ...reading, list: [...list, { ...chosen, members: chosen.members.slice(1) }] };
    case 'groupsError':
      return { ...reading, list: list.slice(0, index), end: 'error' };
    case 'groupsShort':
      return { ...reading, list: list.slice(0, index), end: 'short' };
    case 'groupsEmpty':
      return { ...reading, list: [] };
    case 'groupsPartial':
      return { ...reading, list: list.slice(0, Math.floor(list.length / 3)) };
    case 'groupColumnGone': {
      const gone = GROUP_ATTRIBUTES[1 + (which % (GROUP_ATTRIBUTES.length - 1))];
      return { ...reading, attributes: GROUP_ATTRIBUTES.filter((name) => name !== gone) };
    }
  }
}

function toUser({ id, active, ...attributes }: Employee): SourceUser {
  return { id, active, attributes: { id, active, ...attributes } as Record<string, Json> };
}

type UserFault = { readonly kind: Exclude<ReadFault['kind'], GroupFaultKind | FeedFaultKind>; readonly which: number };

function spoil(reading: Reading, { kind, which }: UserFault): Reading {
  const { users } = reading;
  const index = which % Math.max(1, users.length);
  const chosen = users[index];
  const others = users.filter((user) => user !== chosen);
  const failed = (id: string | null): FailedRecord[] => [
    { id, code: 'ReadFailed', message: 'the item cannot be read' },
  ];
  const attribute = LOSABLE[which % LOSABLE.length] ?? 'title';
  switch (kind) {
    case 'readError':
      return { ...reading, users: users.slice(0, index), end: 'error' };
    case 'readShort':
      return { ...reading, users: users.slice(0, index), end: 'short' };
    case 'readHangs':
      return { ...reading, users: users.slice(0, index), end: 'hangs' };
    case 'readEmpty':
      return { ...reading, users: [] };
    case 'readPartial':
      return { ...reading, users: users.slice(0, Math.floor(users.length / 3)) };
    case 'readBlank':
      return {
        ...reading,
        users: users.map((user) => withValue(user, which % 2 === 0 ? 'department' : 'title', null)),
      };
    case 'columnGone':
      return {
        ...reading,
        users: users.map((user) => without(user, attribute)),
        attributes: ATTRIBUTES.filter((name) => name !== attribute),
      };
    case 'recordUnknown':
      return {
        ...reading,
        users: users.map((user) => (user === chosen ? { ...without(user, attribute), unknown: [attribute] } : user)),
      };
    case 'itemFailed':
      return { ...reading, users: others, failed: chosen === undefined ? [] : failed(chosen.id) };
    case 'itemUnnamed':
      return { ...reading, users: others, failed: chosen === undefined ? [] : failed(null) };
    case 'duplicateId':
      return { ...reading, users: chosen === undefined ? users : [...users, withValue(chosen, 'title', 'Twin')] };
    case 'wrongTenant':
      return { ...reading, tenantId: 'another-tenant' };
  }
}

function withValue(user: SourceUser, name: string, value: Json): SourceUser {
  return { ...user, attributes: { ...user.attributes, [name]: value } };
}

export function without(user: SourceUser, name: string): SourceUser {
  const { [name]: _gone, ...attributes } = user.attributes;
  return { ...user, attributes };
}

export function toSourceGroup({ id, name, code, purpose, site }: Group, names: readonly string[]): SourceGroup {
  const all: Record<string, Json> = { displayName: name, code, purpose, site };
  const attributes = Object.fromEntries(Object.entries(all).filter(([key]) => names.includes(key)));
  return { id, displayName: name, attributes };
}

/** Some groups say whether a member is a person or a group. */
export function toMember(group: string, ref: string): GroupMember {
  if (group.startsWith('grp-')) return { kind: 'Any', ref };
  return { kind: isGroupId(ref) ? 'Group' : 'User', ref };
}
