/** The tenant, its users and groups page by page, and one user. */
import { SyncError } from '../../errors.ts';
import type { Json } from '../../model.ts';
import { isObject } from '../attribute-names.ts';
import { convertAll } from '../converted.ts';
import { createGroupFailures, type GroupFailures, toFailedGroup } from '../group-failures.ts';
import type { GroupPage, OneUser, SourceContext, SourceIdentity, SourcePage } from '../source.ts';
import { readGroupPlace, readUserPlace } from './changes.ts';
import { type GraphClient, type GraphRequest, PAGE_SIZE, VERSION } from './client.ts';
import type { EntraConfig } from './config.ts';
import { type GraphGroup, type RolesOf, toGroup, toMember, toUser } from './convert.ts';
import { toGroupSelect, toUserSelection, type UserSelection } from './properties.ts';
import { readRoles } from './roles.ts';

/** @throws SyncError `EndpointChanged` where the credentials are those of another tenant than `tenantId` says */
export async function readTenant(
  client: GraphClient,
  { tenantId }: EntraConfig,
  signal: AbortSignal,
): Promise<SourceIdentity> {
  const query = { $select: 'id,displayName,verifiedDomains' };
  const { value = null } = await client.get({ path: `${VERSION}/organization`, query, what: 'the tenant' }, signal);
  const [organization = null] = Array.isArray(value) ? (value as readonly Json[]) : [];
  const { id, displayName = null, verifiedDomains = [] } = isObject(organization) ? organization : {};
  if (typeof id !== 'string' || id === '')
    throw new SyncError('ReadFailed', `${client.origin} does not say which tenant it is`);
  const verified = (Array.isArray(verifiedDomains) ? (verifiedDomains as readonly Json[]) : []).filter(isObject);
  const domains = verified.map(({ name }) => name).filter((name) => typeof name === 'string');
  const wanted = tenantId.toLowerCase();
  if (![id, ...domains].some((each) => each.toLowerCase() === wanted)) {
    const message = `the credentials are those of the tenant ${id}, and tenantId says ${tenantId}: nothing was read`;
    throw new SyncError('EndpointChanged', message);
  }
  const main = verified.find(({ isDefault }) => isDefault === true)?.['name'];
  return {
    tenantId: id,
    tenantName: typeof displayName === 'string' ? displayName : null,
    domains,
    ...(typeof main === 'string' ? { defaultDomain: main } : {}),
  };
}

/** What a read of people is made with. */
export interface Reading extends Pick<SourceContext, 'nestedGroups'> {
  readonly client: GraphClient;
  readonly config: EntraConfig;
}

interface Asked {
  readonly selection: UserSelection;
  readonly query: Readonly<Record<string, string>>;
  readonly rolesOf: RolesOf;
}

async function ask(
  { client, config, nestedGroups }: Reading,
  projection: readonly string[],
  signal: AbortSignal,
): Promise<Asked> {
  const { applicationId } = config;
  const selection = toUserSelection(projection, applicationId !== undefined);
  const query: Record<string, string> = { $select: selection.select.join(',') };
  if (selection.manager) query['$expand'] = 'manager($select=id,mail)';
  const isWithRoles = selection.roles && applicationId !== undefined;
  const application = { applicationId: applicationId ?? '', ...(nestedGroups === undefined ? {} : { nestedGroups }) };
  const rolesOf = isWithRoles ? await readRoles(client, application, signal) : null;
  return { selection, query, rolesOf };
}

/** Everybody, in pages of at most 999. */
export async function* readUserPages(
  reading: Reading,
  projection: readonly string[],
  signal: AbortSignal,
): AsyncGenerator<SourcePage> {
  const { selection, query, rolesOf } = await ask(reading, projection, signal);
  const place = await readUserPlace(reading.client, selection, signal);
  const request: GraphRequest = {
    path: `${VERSION}/users`,
    query: { ...query, $top: String(PAGE_SIZE) },
    what: 'the list of people',
  };
  for await (const { items, total } of reading.client.list(request, signal)) {
    const { found: users, failed } = convertAll(items, (item) => toUser(item, selection, rolesOf));
    yield total === undefined ? { users, failed } : { users, failed, end: { attributes: selection.names, ...place } };
  }
}

/**
 * The same as `readUserPages` of one person.
 * @throws SyncError `RecordInvalid` for somebody who is there and cannot be read; `ReadFailed` where Graph answers with
 *   somebody else, as for a user principal name in the place of an id
 */
export async function readOneUser(
  reading: Reading,
  id: string,
  projection: readonly string[],
  signal: AbortSignal,
): Promise<OneUser> {
  const { selection, query, rolesOf } = await ask(reading, projection, signal);
  const path = `${VERSION}/users/${encodeURIComponent(id)}`;
  const body = await reading.client.find({ path, query, what: 'one person' }, signal);
  if (body === null) return { user: null, attributes: selection.names };
  const converted = toUser(body, selection, rolesOf);
  if ('failed' in converted) throw new SyncError(converted.failed.code, converted.failed.message);
  const { item: user } = converted;
  if (user.id !== id)
    throw new SyncError('ReadFailed', `${reading.client.origin} answers with another person than it was asked for`);
  return { user, attributes: selection.names };
}

/** Every group by itself with its members after it. One whose members cannot be had is named, and the others go on. */
export async function* readGroupPages(
  client: GraphClient,
  projection: readonly string[],
  signal: AbortSignal,
): AsyncGenerator<GroupPage> {
  const select = toGroupSelect(projection);
  const place = await readGroupPlace(client, select, signal);
  const failures = createGroupFailures();
  const query = { $select: select.join(','), $top: String(PAGE_SIZE) };
  for await (const { items, total } of client.list(
    { path: `${VERSION}/groups`, query, what: 'the list of groups' },
    signal,
  )) {
    const { found, failed } = convertAll(items, (item) => toGroup(item, select));
    yield { groups: found.map(({ group }) => group), members: [], failed };
    for (const each of found) yield* readMembers({ client, failures }, each, signal);
    if (total !== undefined) yield { groups: [], members: [], failed: [], end: { attributes: select, ...place } };
  }
}

const HIDDEN =
  'the group hides them (visibility HiddenMembership), and an empty list may mean that the application permission Member.Read.Hidden is missing';

async function* readMembers(
  { client, failures }: { readonly client: GraphClient; readonly failures: GroupFailures },
  { group, hidden }: GraphGroup,
  signal: AbortSignal,
): AsyncGenerator<GroupPage> {
  const path = `${VERSION}/groups/${encodeURIComponent(group.id)}/members`;
  const query = { $select: 'id', $top: String(PAGE_SIZE) };
  try {
    for await (const { items, total } of client.list({ path, query, what: 'the members of a group' }, signal)) {
      const { found, failed } = convertAll(items, toMember);
      const members = found.filter((member) => member !== null);
      if (members.length > 0) yield { groups: [], members: [{ group: group.id, members }], failed: [] };
      const [first] = failed;
      const problem = first?.message ?? (hidden && total === 0 ? HIDDEN : null);
      if (problem !== null) yield { groups: [], members: [], failed: [toFailedGroup(group.id, problem)] };
    }
    failures.reset();
  } catch (thrown) {
    yield { groups: [], members: [], failed: [failures.toFailed(group.id, thrown)] };
  }
}
