/** The pages of a SCIM service's users and groups, and one user. */
import { SyncError } from '../../errors.ts';
import type { GroupMember } from '../../model.ts';
import { createNameCollector, type NameCollector } from '../attribute-names.ts';
import { convertAll } from '../converted.ts';
import { createGroupFailures, type GroupFailures } from '../group-failures.ts';
import type { GroupPage, OneUser, SourcePage } from '../source.ts';
import type { ScimList, ScimSourceClient } from './client.ts';
import { type ScimGroup, toGroup, toUser } from './convert.ts';

export const USERS: ScimList = { path: '/Users', count: 100, what: 'the list of people' };
/** Fewer: each comes with all its members. */
export const GROUPS: ScimList = { path: '/Groups', count: 20, what: 'the list of groups' };

export async function* readUserPages(client: ScimSourceClient, signal: AbortSignal): AsyncGenerator<SourcePage> {
  const names = createNameCollector();
  for await (const { items, isLast } of client.list(USERS, signal)) {
    const { found: users, failed } = convertAll(items, toUser);
    for (const { attributes } of users) names.addRecord(attributes);
    if (isLast) yield { users, failed, end: { attributes: await listAttributes(client, names, signal) } };
    else yield { users, failed };
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

/** Members stand in the list, or in each group alone: some services leave them out of lists. */
export async function* readGroupPages(client: ScimSourceClient, signal: AbortSignal): AsyncGenerator<GroupPage> {
  const names = createNameCollector();
  const failures = createGroupFailures();
  for await (const { items, isLast } of client.list(GROUPS, signal)) {
    const { found, failed } = convertAll(items, toGroup);
    for (const { group } of found) names.addRecord(group.attributes);
    yield { groups: found.map(({ group }) => group), members: [], failed };
    for (const each of found) yield* readMembers({ client, failures }, each, signal);
    if (isLast) yield { groups: [], members: [], failed: [], end: { attributes: names.list() } };
  }
}

interface MembersOf {
  readonly client: ScimSourceClient;
  readonly failures: GroupFailures;
}

async function* readMembers(
  { client, failures }: MembersOf,
  { group: { id }, members }: ScimGroup,
  signal: AbortSignal,
): AsyncGenerator<GroupPage> {
  let all: readonly GroupMember[];
  try {
    all = members ?? (await readOwnMembers(client, id, signal));
    failures.reset();
  } catch (thrown) {
    yield { groups: [], members: [], failed: [failures.toFailed(id, thrown)] };
    return;
  }
  for (let from = 0; from < all.length; from += MEMBERS) {
    yield { groups: [], members: [{ group: id, members: all.slice(from, from + MEMBERS) }], failed: [] };
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
