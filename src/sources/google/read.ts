/** The account, its users and groups page by page, and one user. */
import { SyncError } from '../../errors.ts';
import { createNameCollector, type NameCollector } from '../attribute-names.ts';
import { convertAll } from '../converted.ts';
import { createGroupFailures, type GroupFailures, toFailedGroup } from '../group-failures.ts';
import type { GroupPage, OneUser, SourceIdentity, SourcePage, WantedMembers } from '../source.ts';
import type { GoogleClient, GoogleList } from './client.ts';
import { type GoogleConfig, toNamedCustomer } from './config.ts';
import { toGroup, toMember, toUser } from './convert.ts';
import { CUSTOM_SCHEMAS, toGroupFields, toListSelector, toUserFields } from './fields.ts';

/** What a read is made with. */
export interface Reading {
  readonly client: GoogleClient;
  readonly config: GoogleConfig;
}

/** The most that a page may have. */
const USERS_OF_A_PAGE = '500';
const OTHERS_OF_A_PAGE = '200';

/**
 * Which account it is the administrator tells, who is always there. Its name and all of its domains would need one more
 * scope.
 * @throws SyncError `EndpointChanged` where `customer` names another one
 */
export async function readAccount({ client, config }: Reading, signal: AbortSignal): Promise<SourceIdentity> {
  const { origin } = client;
  const path = `/users/${encodeURIComponent(config.adminEmail)}`;
  const query = { fields: 'customerId,primaryEmail' };
  const body = await client.find({ path, query, what: 'the administrator' }, signal);
  if (body === null) throw new SyncError('ReadFailed', `${origin} has no user with the address of adminEmail`);
  const { customerId, primaryEmail } = body;
  if (typeof customerId !== 'string' || customerId === '')
    throw new SyncError('ReadFailed', `${origin} does not say which account it is`);
  const named = toNamedCustomer(config);
  if (named !== null && named !== customerId) {
    const message = `the administrator of adminEmail is one of the account ${customerId}, and customer says ${named}: nothing was read`;
    throw new SyncError('EndpointChanged', message);
  }
  const domain = config.domain ?? toDomain(primaryEmail);
  return { tenantId: customerId, tenantName: null, domains: domain === null ? [] : [domain] };
}

function toDomain(address: unknown): string | null {
  return typeof address === 'string' ? (/@([^@\s]+)$/.exec(address)?.[1]?.toLowerCase() ?? null) : null;
}

export interface UsersAsked {
  readonly projection: readonly string[];
  /** Of fewer people; null: everybody. */
  readonly query: string | null;
}

/** Pages of at most 500. */
export async function* readUserPages(
  { client }: Pick<Reading, 'client'>,
  { projection, query }: UsersAsked,
  signal: AbortSignal,
): AsyncGenerator<SourcePage> {
  const fields = toUserFields(projection);
  const names = createUserNames(fields);
  const list = toUserList(client, fields);
  const asked = query === null ? list : { ...list, query: { ...list.query, query } };
  for await (const { items, total } of client.list(asked, signal)) {
    const { found: users, failed } = convertAll(items, (item) => toUser(item, fields));
    for (const { attributes } of users) names.addRecord(attributes);
    yield total === undefined ? { users, failed } : { users, failed, end: { attributes: listNames(names) } };
  }
}

/** `full`, for the API leaves custom schemas out else; `fields` makes the answer small. */
export function toUserList({ range }: GoogleClient, fields: readonly string[]): GoogleList {
  const selector = toListSelector('users', fields);
  const query = { ...range, maxResults: USERS_OF_A_PAGE, projection: 'full', fields: selector };
  return { path: '/users', query, what: 'the list of people', key: 'users' };
}

/**
 * The same as `readUserPages` of one person.
 * @throws SyncError `RecordInvalid` for somebody who is there and cannot be read, or is of another domain than the one
 *   that is read; `ReadFailed` where the API answers with somebody else, as for a mail address in the place of an id
 */
export async function readOneUser(
  { client, config }: Reading,
  id: string,
  projection: readonly string[],
  signal: AbortSignal,
): Promise<OneUser> {
  const fields = toUserFields(projection);
  const names = createUserNames(fields);
  const query = { projection: 'full', fields: [...new Set([...fields, 'primaryEmail', 'deletionTime'])].join(',') };
  const body = await client.find({ path: `/users/${encodeURIComponent(id)}`, query, what: 'one person' }, signal);
  // Lists have nobody who was deleted.
  if (body === null || (body['deletionTime'] ?? '') !== '') return { user: null, attributes: listNames(names) };
  const converted = toUser(body, fields);
  if ('failed' in converted) throw new SyncError(converted.failed.code, converted.failed.message);
  const { item: user } = converted;
  if (user.id !== id)
    throw new SyncError('ReadFailed', `${client.origin} answers with another person than it was asked for`);
  const { domain } = config;
  if (domain !== undefined && toDomain(body['primaryEmail']) !== domain.toLowerCase())
    throw new SyncError(
      'RecordInvalid',
      `the person is of another domain than ${domain}; a whole read says what becomes of them`,
    );
  names.addRecord(user.attributes);
  return { user, attributes: listNames(names) };
}

function createUserNames(fields: readonly string[]): NameCollector {
  const names = createNameCollector();
  names.addColumns(fields.filter((name) => name !== CUSTOM_SCHEMAS));
  if (fields.includes('name')) names.addRecord({ name: { givenName: null, familyName: null, fullName: null } });
  return names;
}

/** Where nobody has a value of a custom schema nothing is known of any: it is not null for everybody (rule I13). */
function listNames(names: NameCollector): readonly string[] {
  const all = names.list();
  const isFilled = all.some((name) => name.startsWith(`${CUSTOM_SCHEMAS}.`));
  return isFilled ? all : all.filter((name) => name !== CUSTOM_SCHEMAS);
}

/** Every group by itself with its members after it. One whose members cannot be had is named, and the others go on. */
export async function* readGroupPages(
  { client }: Reading,
  projection: readonly string[],
  signal: AbortSignal,
): AsyncGenerator<GroupPage> {
  const fields = toGroupFields(projection);
  const failures = createGroupFailures();
  for await (const { items, total } of client.list(toGroupList(client, fields), signal)) {
    const { found: groups, failed } = convertAll(items, (item) => toGroup(item, fields));
    yield { groups, members: [], failed };
    for (const { id } of groups) yield* readMembers({ client, failures }, id, signal);
    if (total !== undefined) yield { groups: [], members: [], failed: [], end: { attributes: fields } };
  }
}

export interface WantedGroups {
  readonly projection: readonly string[];
  readonly wanted: WantedMembers;
}

/**
 * The same with the members of wanted groups alone: a request for each of these, in place of one for each group of the
 * account. Ids of all groups are kept while it lasts, some twenty bytes each: a group in a group is asked for where it is one
 * of the account, and is nobody's business where it is not.
 */
export async function* readWantedPages(
  { client }: Reading,
  { projection, wanted }: WantedGroups,
  signal: AbortSignal,
): AsyncGenerator<GroupPage> {
  const fields = toGroupFields(projection);
  const listed = new Set<string>();
  const asked = new Set<string>();
  for await (const { items } of client.list(toGroupList(client, fields), signal)) {
    const { found: groups, failed } = convertAll(items, (item) => toGroup(item, fields));
    for (const { id } of groups) listed.add(id);
    for (const { id } of groups.filter(wanted.of)) asked.add(id);
    yield { groups, members: [], failed };
  }
  const failures = createGroupFailures();
  // What is added while it is gone through comes too.
  for (const id of asked) {
    for await (const page of readMembers({ client, failures }, id, signal)) {
      const nested = wanted.nested ? listGroups(page).filter((each) => listed.has(each)) : [];
      for (const each of nested) asked.add(each);
      yield page;
    }
  }
  yield { groups: [], members: [], failed: [], end: { attributes: fields } };
}

function listGroups({ members }: GroupPage): readonly string[] {
  return members.flatMap((each) => each.members.flatMap((member) => (member.kind === 'Group' ? [member.ref] : [])));
}

export function toGroupList({ range }: GoogleClient, fields: readonly string[]): GoogleList {
  const query = { ...range, maxResults: OTHERS_OF_A_PAGE, fields: toListSelector('groups', fields) };
  return { path: '/groups', query, what: 'the list of groups', key: 'groups' };
}

export function toMemberList(group: string): GoogleList {
  const query = { maxResults: OTHERS_OF_A_PAGE, fields: toListSelector('members', ['id', 'type']) };
  return {
    path: `/groups/${encodeURIComponent(group)}/members`,
    query,
    what: 'the members of a group',
    key: 'members',
  };
}

async function* readMembers(
  { client, failures }: { readonly client: GoogleClient; readonly failures: GroupFailures },
  group: string,
  signal: AbortSignal,
): AsyncGenerator<GroupPage> {
  try {
    for await (const { items } of client.list(toMemberList(group), signal)) {
      const { found, failed } = convertAll(items, toMember);
      const members = found.filter((member) => member !== null);
      if (members.length > 0) yield { groups: [], members: [{ group, members }], failed: [] };
      const [first] = failed;
      if (first !== undefined) yield { groups: [], members: [], failed: [toFailedGroup(group, first.message)] };
    }
    failures.reset();
  } catch (thrown) {
    yield { groups: [], members: [], failed: [failures.toFailed(group, thrown)] };
  }
}
