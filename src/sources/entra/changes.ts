/** What has changed in a tenant since a read, by delta queries of Graph: of people, and of groups with their members. */
import { SyncError } from '../../errors.ts';
import type { GroupMember, Json } from '../../model.ts';
import { isObject } from '../attribute-names.ts';
import { convertAll } from '../converted.ts';
import type { ChangePage, ChangeProjection, Cursors, FailedRecord, ReadEnd, SourceChange } from '../source.ts';
import { type ChangeSubject, type GraphClient, VERSION } from './client.ts';
import { toGroup, toMember, toUser } from './convert.ts';
import { toGroupSelect, toUserSelection, type UserSelection } from './properties.ts';

type Fields = Readonly<Record<string, Json>>;

/** Where changes can be read from after a full read, or why from nowhere: then the next run reads everybody again. */
type Place = Pick<ReadEnd, 'cursor' | 'noCursor'>;

/** Taken before the first page of the read. */
export async function readUserPlace(
  client: GraphClient,
  selection: UserSelection,
  signal: AbortSignal,
): Promise<Place> {
  const { untracked } = selection;
  if (untracked.length > 0) return { noCursor: `Graph does not tell changes of ${untracked.join(' and ')}` };
  return readLatest(client, { kind: 'users', select: toTracked(selection) }, signal);
}

export async function readGroupPlace(
  client: GraphClient,
  select: readonly string[],
  signal: AbortSignal,
): Promise<Place> {
  return readLatest(client, { kind: 'groups', select: [...select, 'members'] }, signal);
}

function toTracked({ select, manager }: UserSelection): readonly string[] {
  return manager ? [...select, 'manager'] : select;
}

type Kind = 'users' | 'groups';

const SUBJECTS: Readonly<Record<Kind, ChangeSubject>> = {
  users: 'the changes of people',
  groups: 'the changes of groups',
};

async function readLatest(
  client: GraphClient,
  { kind, select }: { readonly kind: Kind; readonly select: readonly string[] },
  signal: AbortSignal,
): Promise<Place> {
  const path = `${VERSION}/${kind}/delta`;
  try {
    const query = { $select: select.join(',') };
    return { cursor: await client.latest({ path, query, what: SUBJECTS[kind] }, signal) };
  } catch (thrown) {
    const { code, message } = SyncError.from(thrown);
    // Whatever is wrong with Graph as such the read itself will meet.
    if (code === 'ReadFailed' || code === 'CredentialsRejected') return { noCursor: message };
    throw thrown;
  }
}

/** @throws SyncError `CursorExpired` for what is no link of this kind */
function requireLink(link: string, kind: Kind): string {
  const isLink = new RegExp(`^${VERSION.replace('.', '\\.')}/${kind}/(microsoft\\.graph\\.)?delta(\\(\\))?\\?`).test(
    link,
  );
  if (isLink) return link;
  throw new SyncError('CursorExpired', `what an earlier read left is no link to ${SUBJECTS[kind]}`);
}

/** First people, then groups: whoever is named as a member is there by then. */
export async function* readChangePages(
  client: GraphClient,
  { since, projection }: { readonly since: Cursors; readonly projection: ChangeProjection },
  signal: AbortSignal,
): AsyncGenerator<ChangePage> {
  const selection = toUserSelection(projection.users, false);
  const users = yield* readUserChanges(client, { link: since.users, selection }, signal);
  const isWithGroups = since.groups !== null && projection.groups !== null;
  const select = projection.groups === null ? [] : toGroupSelect(projection.groups);
  const groups = isWithGroups ? yield* readGroupChanges(client, { link: since.groups, select }, signal) : null;
  yield {
    ...NOTHING,
    end: { attributes: selection.names, groupAttributes: select, cursors: { users, groups } },
  };
}

const NOTHING: ChangePage = { changes: [], failed: [], failedGroups: [] };

async function* readUserChanges(
  client: GraphClient,
  { link, selection }: { readonly link: string; readonly selection: UserSelection },
  signal: AbortSignal,
): AsyncGenerator<ChangePage, string> {
  const removed = new Set<string>();
  let next = link;
  for await (const page of client.changes(requireLink(link, 'users'), SUBJECTS.users, signal)) {
    const { present, failed } = takeRemoved(page.items, removed);
    const mails = await readMails(client, present.flatMap(toNewManagers), signal);
    const changes: SourceChange[] = [];
    for (const item of present) {
      const change = toUserChange(item, selection, mails);
      if ('failed' in change) failed.push(change.failed);
      else changes.push(change);
    }
    yield { ...NOTHING, changes, failed };
    next = page.link ?? next;
  }
  yield* toRemovals([...removed], 'userRemoved');
  return next;
}

/**
 * Those who are there. Whoever is not is noted, and forgotten again where a later item has them: who was restored between
 * two reads has what they had, which a removal on the way would take.
 */
function takeRemoved(
  items: readonly Json[],
  removed: Set<string>,
): { readonly present: readonly Fields[]; readonly failed: FailedRecord[] } {
  const present: Fields[] = [];
  const failed: FailedRecord[] = [];
  for (const item of items) {
    const id = isObject(item) ? item['id'] : undefined;
    if (!isObject(item) || typeof id !== 'string' || id === '') {
      failed.push({ id: null, code: 'RecordInvalid', message: 'an item of the changes has no id' });
    } else if (item['@removed'] === undefined) {
      removed.delete(id);
      present.push(item);
    } else {
      removed.add(id);
    }
  }
  return { present, failed };
}

/** Changes of one page. */
const MOST_CHANGES = 500;

function* toRemovals(ids: readonly string[], type: 'userRemoved' | 'groupRemoved'): Generator<ChangePage> {
  for (let from = 0; from < ids.length; from += MOST_CHANGES) {
    yield { ...NOTHING, changes: ids.slice(from, from + MOST_CHANGES).map((id) => ({ type, id })) };
  }
}

/** A manager stands in an item only where there is another one, or none any more. */
function toUserChange(
  item: Fields,
  selection: UserSelection,
  mails: ReadonlyMap<string, Json>,
): SourceChange | { readonly failed: FailedRecord } {
  const delta = item['manager@delta'];
  const id = toManagerId(delta);
  const manager = id === null ? null : { id, mail: mails.get(id) ?? null };
  const converted = toUser({ ...item, manager }, selection, null);
  if ('failed' in converted) return converted;
  const isKept = selection.manager && delta === undefined;
  return { type: 'user', user: converted.item, ...(isKept ? { keeps: ['manager'] } : {}) };
}

/** Null: nobody any more. */
function toManagerId(delta: Json | undefined): string | null {
  const entries = (Array.isArray(delta) ? (delta as readonly Json[]) : []).filter(isObject);
  const id = entries.findLast((entry) => entry['@removed'] === undefined)?.['id'];
  return typeof id === 'string' ? id : null;
}

function toNewManagers(item: Fields): readonly string[] {
  const id = toManagerId(item['manager@delta']);
  return id === null ? [] : [id];
}

/** The most that Graph takes in one `in` filter. */
const MOST_IN_FILTER = 15;

async function readMails(
  client: GraphClient,
  ids: readonly string[],
  signal: AbortSignal,
): Promise<ReadonlyMap<string, Json>> {
  const mails = new Map<string, Json>();
  const wanted = [...new Set(ids)];
  for (let from = 0; from < wanted.length; from += MOST_IN_FILTER) {
    const quoted = wanted.slice(from, from + MOST_IN_FILTER).map((id) => `'${id.replaceAll("'", "''")}'`);
    const query = { $select: 'id,mail', $filter: `id in (${quoted.join(',')})` };
    for await (const { items } of client.list(
      { path: `${VERSION}/users`, query, what: 'the list of people' },
      signal,
    )) {
      for (const item of items.filter(isObject)) mails.set(String(item['id']), item['mail'] ?? null);
    }
  }
  return mails;
}

async function* readGroupChanges(
  client: GraphClient,
  { link, select }: { readonly link: string; readonly select: readonly string[] },
  signal: AbortSignal,
): AsyncGenerator<ChangePage, string> {
  const removed = new Set<string>();
  let next = link;
  for await (const page of client.changes(requireLink(link, 'groups'), SUBJECTS.groups, signal)) {
    const { present, failed } = takeRemoved(page.items, removed);
    yield { ...NOTHING, failedGroups: failed };
    for (const item of present) yield* toGroupPages(item, select);
    next = page.link ?? next;
  }
  yield* toRemovals([...removed], 'groupRemoved');
  return next;
}

/** Large groups come on several pages, each with another part of their members. */
function* toGroupPages(item: Fields, select: readonly string[]): Generator<ChangePage> {
  const id = String(item['id']);
  // Without a name it is a further part of a group that was named before, or its members alone have changed.
  if (item['displayName'] !== undefined || item['members@delta'] === undefined) {
    const converted = toGroup(item, select);
    if ('failed' in converted) {
      yield { ...NOTHING, failedGroups: [converted.failed] };
      return;
    }
    yield { ...NOTHING, changes: [{ type: 'group', group: converted.item.group }] };
  }
  const { changed, failed } = toMembership(item['members@delta']);
  if (failed.length > 0) yield { ...NOTHING, failedGroups: failed.map((each) => ({ ...each, id })) };
  for (let from = 0; from < changed.length; from += MOST_CHANGES) {
    const part = changed.slice(from, from + MOST_CHANGES);
    const added = part.flatMap(({ member, isRemoved }) => (isRemoved ? [] : [member]));
    const gone = part.flatMap(({ member, isRemoved }) => (isRemoved && 'ref' in member ? [member.ref] : []));
    yield { ...NOTHING, changes: [{ type: 'members', group: id, replaces: false, added, removed: gone }] };
  }
}

interface Membership {
  readonly member: GroupMember;
  readonly isRemoved: boolean;
}

/** The last word on each member: one may be named twice. */
function toMembership(delta: Json | undefined): {
  readonly changed: readonly Membership[];
  readonly failed: readonly FailedRecord[];
} {
  const entries = Array.isArray(delta) ? (delta as readonly Json[]) : [];
  const { found, failed } = convertAll(entries, (entry) => {
    const converted = toMember(entry);
    if ('failed' in converted) return converted;
    const isRemoved = isObject(entry) && entry['@removed'] !== undefined;
    return { item: converted.item === null ? null : { member: converted.item, isRemoved } };
  });
  const last = new Map<string, Membership>();
  for (const each of found) {
    if (each === null || !('ref' in each.member)) continue;
    last.delete(each.member.ref);
    last.set(each.member.ref, each);
  }
  return { changed: [...last.values()], failed };
}
