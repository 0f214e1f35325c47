/** The source directory of the simulator: reads what the company is, or what a fault makes of it. */
import { SyncError } from '../../src/errors.ts';
import type { GroupMember, Json, SourceUser } from '../../src/model.ts';
import type { FailedRecord, GroupPage, SourceProvider, WantedMembers } from '../../src/sources/source.ts';
import { type GroupFaultKind, isGroupFault, type ReadFault } from './faults.ts';
import { type Group, groupsOf, isGroupId, toReach } from './groups.ts';
import { type Company, type Employee, toManagerName } from './model.ts';

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
}

const ATTRIBUTES = ['id', 'mail', 'title', 'department', 'manager', 'clubs', 'scope', 'active'] as const;
const LOSABLE = ['title', 'department', 'manager', 'clubs', 'scope', 'active', 'mail'] as const;
const TENANT = 'acme-tenant';

export function toReading(company: Company, fault: ReadFault | null): Reading {
  const groups = groupsOf(company);
  const whole: Reading = {
    users: company.people.map((person) => toUser({ ...person, manager: toManagerName(person, company) })),
    failed: [],
    attributes: ATTRIBUTES,
    tenantId: TENANT,
    end: 'whole',
    groups: groups === null ? null : { list: groups.map((group) => ({ ...group })), failed: [], end: 'whole' },
  };
  if (fault === null) return whole;
  const { kind, which } = fault;
  if (!isGroupFault(kind)) return spoil(whole, { kind, which });
  return whole.groups === null ? whole : { ...whole, groups: spoilGroups(whole.groups, kind, which) };
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
  }
}

function toUser({ id, active, ...attributes }: Employee): SourceUser {
  return { id, active, attributes: { id, active, ...attributes } as Record<string, Json> };
}

type UserFault = { readonly kind: Exclude<ReadFault['kind'], GroupFaultKind>; readonly which: number };

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

function without(user: SourceUser, name: string): SourceUser {
  const { [name]: _gone, ...attributes } = user.attributes;
  return { ...user, attributes };
}

const PAGE = 4;

/** @param next what the run that reads now gets to see */
export function createProvider(
  next: () => Reading,
  wait: (where: string, ms: number, signal: AbortSignal) => Promise<void>,
): SourceProvider<unknown> {
  return {
    name: 'file',
    validate: () => [],
    connect: async () => ({
      identity: async () => ({ tenantId: next().tenantId, tenantName: 'Acme', domains: [] }),
      async *readUsers(_projection, signal) {
        const { users, failed, attributes, end } = next();
        for (let at = 0; at < users.length; at += PAGE) {
          await wait('page', 20, signal);
          yield { users: users.slice(at, at + PAGE), failed: [] };
        }
        if (end === 'hangs') await wait('page', 100 * 3_600_000, signal);
        if (end === 'error') throw new SyncError('ReadFailed', 'the source stopped in the middle');
        if (end === 'whole') yield { users: [], failed, end: { attributes } };
      },
      ...(next().groups === null
        ? {}
        : { readGroups: (_names, signal, wanted) => readGroups(next, { wait, signal, wanted }) }),
      close: async () => undefined,
    }),
  };
}

interface Asked {
  readonly wait: (where: string, ms: number, signal: AbortSignal) => Promise<void>;
  readonly signal: AbortSignal;
  readonly wanted: WantedMembers | undefined;
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
async function* readGroups(next: () => Reading, { wait, signal, wanted }: Asked): AsyncGenerator<GroupPage> {
  const { list, failed, end } = next().groups ?? { list: [], failed: [], end: 'error' };
  await wait('groups', 20, signal);
  yield {
    groups: list.map(({ id, name }) => ({ id, displayName: name, attributes: { displayName: name } })),
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
  if (end === 'whole') yield { groups: [], members: [], failed, end: { attributes: ['displayName'] } };
}

/** Some groups say whether a member is a person or a group. */
function toMember(group: string, ref: string): GroupMember {
  if (group.startsWith('grp-')) return { kind: 'Any', ref };
  return { kind: isGroupId(ref) ? 'Group' : 'User', ref };
}
