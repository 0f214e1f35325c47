/** The pages of a directory's users and groups, and one user. */
import { SyncError } from '../../errors.ts';
import type { GroupMember } from '../../model.ts';
import { createNameCollector, type NameCollector } from '../attribute-names.ts';
import { convertAll } from '../converted.ts';
import { createGroupFailures, type GroupFailures, toFailedGroup } from '../group-failures.ts';
import { checkTotal } from '../paged-list.ts';
import type { GroupPage, OneUser, SourcePage } from '../source.ts';
import type { WorkosClient, WorkosDirectory, WorkosList } from './client.ts';
import { CUSTOM_ATTRIBUTES, toGroup, toUser, USER_ATTRIBUTES, type WorkosGroup } from './convert.ts';
import { readPlace } from './cursor.ts';

const PEOPLE = 'the list of people';
const GROUPS = 'the list of groups';

/**
 * Everybody, in pages of at most 100. The directory is looked at before and after: one that was deleted or unlinked
 * meanwhile lists fewer and fewer.
 */
export async function* readUserPages(
  client: WorkosClient,
  now: () => Date,
  signal: AbortSignal,
): AsyncGenerator<SourcePage> {
  const { directoryId } = client;
  const before = await client.readDirectory(signal);
  const place = await readPlace({ client, now }, before, signal);
  const names = createUserNames();
  for await (const { items, total } of client.list(toUserList(client), signal)) {
    const { found: users, failed } = convertAll(items, (item) => toUser(item, directoryId));
    for (const { attributes } of users) names.addRecord(attributes);
    if (total === undefined) yield { users, failed };
    else {
      await checkEnd(client, { before, key: 'users', what: PEOPLE, total }, signal);
      yield { users, failed, end: { attributes: listNames(names), ...place } };
    }
  }
}

function toUserList({ directoryId }: WorkosClient, more: Readonly<Record<string, string>> = {}): WorkosList {
  return { path: '/directory_users', query: { directory: directoryId, ...more }, what: PEOPLE };
}

/** Every group by itself with its members after it. One whose members cannot be had is named, and the others go on. */
export async function* readGroupPages(
  client: WorkosClient,
  now: () => Date,
  signal: AbortSignal,
): AsyncGenerator<GroupPage> {
  const { directoryId } = client;
  const before = await client.readDirectory(signal);
  const place = await readPlace({ client, now }, before, signal);
  const names = createNameCollector();
  const list: WorkosList = { path: '/directory_groups', query: { directory: directoryId }, what: GROUPS };
  const failures = createGroupFailures();
  for await (const { items, total } of client.list(list, signal)) {
    const { found, failed } = convertAll(items, (item) => toGroup(item, directoryId));
    for (const { group } of found) names.addRecord(group.attributes);
    yield { groups: found.map(({ group }) => group), members: [], failed };
    for (const each of found) yield* readMembers(client, each, failures, signal);
    if (total === undefined) continue;
    await checkEnd(client, { before, key: 'groups', what: GROUPS, total }, signal);
    yield { groups: [], members: [], failed: [], end: { attributes: names.list(), ...place } };
  }
}

async function* readMembers(
  client: WorkosClient,
  { group, ownId }: WorkosGroup,
  failures: GroupFailures,
  signal: AbortSignal,
): AsyncGenerator<GroupPage> {
  const list: WorkosList = { path: '/directory_users', query: { group: ownId }, what: 'the members of a group' };
  try {
    for await (const { items } of client.list(list, signal)) {
      const { found, failed } = convertAll(items, (item) => toUser(item, client.directoryId));
      const members = found.map(({ id }): GroupMember => ({ kind: 'User', ref: id }));
      if (members.length > 0) yield { groups: [], members: [{ group: group.id, members }], failed: [] };
      const [first] = failed;
      if (first !== undefined) yield { groups: [], members: [], failed: [toFailedGroup(group.id, first.message)] };
    }
    failures.reset();
  } catch (thrown) {
    yield { groups: [], members: [], failed: [failures.toFailed(group.id, thrown)] };
  }
}

/**
 * The same as `readUserPages` of one person.
 * @throws SyncError `RecordInvalid` for somebody who is there and cannot be read, or there twice
 */
export async function readOneUser(client: WorkosClient, id: string, signal: AbortSignal): Promise<OneUser> {
  await client.readDirectory(signal);
  const { items, next } = await client.readPage(toUserList(client, { idp_id: id }), signal);
  const { found, failed } = convertAll(items, (item) => toUser(item, client.directoryId));
  const [broken] = failed;
  if (broken !== undefined) throw new SyncError(broken.code, broken.message);
  if (next !== null || found.length > 1) throw new SyncError('RecordInvalid', 'more than one person has this idp_id');
  const names = createUserNames();
  const [user = null] = found;
  if (user === null) return { user, attributes: listNames(names) };
  if (user.id !== id)
    throw new SyncError('ReadFailed', `${client.origin} answers with another person than it was asked for`);
  names.addRecord(user.attributes);
  return { user, attributes: listNames(names) };
}

export function createUserNames(): NameCollector {
  const names = createNameCollector();
  names.addColumns(USER_ATTRIBUTES);
  return names;
}

/** Where nobody has a custom attribute nothing is known of any: it is not null for everybody (rule I13). */
export function listNames(names: NameCollector): readonly string[] {
  const all = names.list();
  const isFilled = all.some((name) => name.startsWith(`${CUSTOM_ATTRIBUTES}.`));
  return isFilled ? all : all.filter((name) => name !== CUSTOM_ATTRIBUTES);
}

interface End {
  readonly before: WorkosDirectory;
  readonly key: 'users' | 'groups';
  readonly what: string;
  /** Items of the list. */
  readonly total: number;
}

/** Who left meanwhile is counted no more afterwards, and who joined was not counted before. */
async function checkEnd(client: WorkosClient, { before, key, what, total }: End, signal: AbortSignal): Promise<void> {
  const after = await client.readDirectory(signal);
  const [was, is] = [before[key], after[key]];
  if (was === null || is === null) return;
  checkTotal({ origin: client.origin, what }, { read: total, declared: Math.min(was, is) });
}
