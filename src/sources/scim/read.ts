/** The pages of a SCIM service's users and groups, and one user. */
import { SyncError } from '../../errors.ts';
import type { GroupMember, SourceGroup } from '../../model.ts';
import { createNameCollector, type NameCollector } from '../attribute-names.ts';
import { convertAll } from '../converted.ts';
import { createGroupFailures } from '../group-failures.ts';
import type { FailedRecord, GroupPage, OneUser, SourcePage } from '../source.ts';
import { GROUPS, type ScimSourceClient, USERS } from './client.ts';
import { toGroup, toUser } from './convert.ts';
import { ALL_GROUPS, createChangeTimes } from './cursor.ts';

export async function* readUserPages(client: ScimSourceClient, signal: AbortSignal): AsyncGenerator<SourcePage> {
  const names = createNameCollector();
  const times = createChangeTimes();
  let began: { readonly at: number | null } | null = null;
  for await (const { items, isLast, at } of client.list(USERS, signal)) {
    began ??= { at };
    const { found: users, failed } = convertAll(items, toUser);
    for (const { attributes } of users) {
      names.addRecord(attributes);
      times.add(attributes);
    }
    if (!isLast) {
      yield { users, failed };
      continue;
    }
    const attributes = await listAttributes(client, names, signal);
    yield { users, failed, end: { attributes, ...(await times.toCursor({ client, at: began.at }, signal)) } };
  }
}

/** The same of those whom the filter takes, and without a place from which changes are read. */
export async function* readMatchingPages(
  client: ScimSourceClient,
  filter: string,
  signal: AbortSignal,
): AsyncGenerator<SourcePage> {
  const names = createNameCollector();
  for await (const { items, isLast } of client.list({ ...USERS, filter }, signal)) {
    const { found: users, failed } = convertAll(items, toUser);
    for (const { attributes } of users) names.addRecord(attributes);
    yield isLast
      ? { users, failed, end: { attributes: await listAttributes(client, names, signal) } }
      : { users, failed };
  }
}

/** What the service says that it has and nobody has is null for all; what it does not know is unknown (rule I13). */
async function listAttributes(
  client: ScimSourceClient,
  names: NameCollector,
  signal: AbortSignal,
): Promise<readonly string[]> {
  return [...new Set([...names.list(), ...(await client.publishedNames(signal))])];
}

/**
 * @throws SyncError `RecordInvalid` for somebody who is there and cannot be read; `ReadFailed` where the service answers
 *   with somebody else
 */
export async function readOneUser(client: ScimSourceClient, id: string, signal: AbortSignal): Promise<OneUser> {
  const body = await client.find('/Users', id, signal);
  if (body === null) return { user: null, attributes: [] };
  const converted = toUser(body);
  if ('failed' in converted) throw new SyncError(converted.failed.code, converted.failed.message);
  const { item: user } = converted;
  if (user.id !== id)
    throw new SyncError('ReadFailed', 'the directory answers with another person than it was asked for');
  const names = createNameCollector();
  names.addRecord(user.attributes);
  return { user, attributes: await listAttributes(client, names, signal) };
}

/** Members of one page. */
const MEMBERS = 1000;

/** Of a group that is in the list its members, or why they could not be read; or why an item of the list is no group. */
export type ReadGroup =
  | { readonly group: SourceGroup; readonly members: readonly GroupMember[] }
  | { readonly group?: SourceGroup; readonly failed: FailedRecord };

export async function* readGroupPages(client: ScimSourceClient, signal: AbortSignal): AsyncGenerator<GroupPage> {
  const names = createGroupNames();
  for await (const each of readEachGroup(client, signal)) {
    const groups = each.group === undefined ? [] : [each.group];
    for (const { attributes } of groups) names.addRecord(attributes);
    if ('failed' in each) {
      yield { groups, members: [], failed: [each.failed] };
      continue;
    }
    yield { groups, members: [], failed: [] };
    for (const members of toMemberPages(each.members))
      yield { groups: [], members: [{ group: each.group.id, members }], failed: [] };
  }
  yield { groups: [], members: [], failed: [], end: { attributes: names.list(), cursor: ALL_GROUPS } };
}

/** What every group has, so that a service without any has not lost it (RFC 7643 sections 3.1 and 4.2). */
export function createGroupNames(): NameCollector {
  const names = createNameCollector();
  names.addColumns(['id', 'displayName']);
  return names;
}

export function toMemberPages(members: readonly GroupMember[]): readonly (readonly GroupMember[])[] {
  const pages = Math.ceil(members.length / MEMBERS);
  return Array.from({ length: pages }, (_, page) => members.slice(page * MEMBERS, (page + 1) * MEMBERS));
}

/** Members stand in the list, or in each group alone: some services leave them out of lists. */
export async function* readEachGroup(client: ScimSourceClient, signal: AbortSignal): AsyncGenerator<ReadGroup> {
  const failures = createGroupFailures();
  for await (const { items } of client.list(GROUPS, signal)) {
    const { found, failed } = convertAll(items, toGroup);
    for (const each of failed) yield { failed: each };
    for (const { group, members } of found) {
      try {
        const all = members ?? (await readOwnMembers(client, group.id, signal));
        failures.reset();
        yield { group, members: all };
      } catch (thrown) {
        yield { group, failed: failures.toFailed(group.id, thrown) };
      }
    }
  }
}

async function readOwnMembers(
  client: ScimSourceClient,
  id: string,
  signal: AbortSignal,
): Promise<readonly GroupMember[]> {
  const body = await client.find('/Groups', id, signal);
  if (body === null) throw new SyncError('ReadFailed', 'it was in the list, and is not there');
  const converted = toGroup(body);
  if ('failed' in converted) throw new SyncError('ReadFailed', converted.failed.message);
  if (converted.item.group.id !== id) throw new SyncError('ReadFailed', 'another group comes in its place');
  return converted.item.members ?? [];
}
