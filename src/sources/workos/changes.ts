/** Events of a directory → changes of its users and groups. */
import { SyncError } from '../../errors.ts';
import type { Json, SourceUser } from '../../model.ts';
import { isObject, type NameCollector } from '../attribute-names.ts';
import type { Converted } from '../converted.ts';
import type { ChangePage, Cursors, FailedRecord, SourceChange } from '../source.ts';
import type { WorkosClient } from './client.ts';
import { CUSTOM_ATTRIBUTES, GROUP_ATTRIBUTES, toGroup, toUser, USER_ATTRIBUTES } from './convert.ts';
import { older, parseCursor, printCursor, toEvent, toStart } from './cursor.ts';
import { createUserNames, listNames } from './read.ts';

interface Feed {
  readonly client: WorkosClient;
  readonly now: () => Date;
}

interface Since {
  readonly since: Cursors;
  readonly withGroups: boolean;
}

/** The directory is looked at behind the last event: of one that is being deleted or was unlinked the events say nothing. */
export async function* readChangePages(
  { client, now }: Feed,
  { since, withGroups }: Since,
  signal: AbortSignal,
): AsyncGenerator<ChangePage> {
  const at = now().getTime();
  const users = parseCursor(since.users, at);
  const from = since.groups === null ? users : older(users, parseCursor(since.groups, at));
  const names = createUserNames();
  let { event } = from;
  for await (const { items, total } of client.listEvents(toStart(from, at), signal)) {
    const page = toPage(items, { directoryId: client.directoryId, withGroups, names });
    event = items.map(toEvent).findLast((each) => each !== null) ?? event;
    if (total === undefined) {
      yield page;
      continue;
    }
    await client.readDirectory(signal);
    const cursor = printCursor({ organizationId: from.organizationId, event, at });
    const cursors = { users: cursor, groups: withGroups ? cursor : null };
    yield { ...page, end: { attributes: listNames(names), groupAttributes: GROUP_ATTRIBUTES, cursors } };
  }
}

interface Reading {
  readonly directoryId: string;
  readonly withGroups: boolean;
  readonly names: NameCollector;
}

function toPage(items: readonly Json[], reading: Reading): ChangePage {
  const changes: SourceChange[] = [];
  const failed: FailedRecord[] = [];
  const failedGroups: FailedRecord[] = [];
  for (const item of items) {
    const { event, data } = toOwn(item, reading.directoryId);
    if (event === null) continue;
    const isOfGroup = event.startsWith('dsync.group.');
    if (isOfGroup && !reading.withGroups) continue;
    const converted = isOfGroup ? toGroupChange(event, data, reading) : toUserChange(event, data, reading);
    if ('item' in converted) changes.push(converted.item);
    else (isOfGroup ? failedGroups : failed).push(converted.failed);
  }
  return { changes, failed, failedGroups };
}

interface OwnEvent {
  /** Null: of another directory of the environment. */
  readonly event: string | null;
  readonly data: Readonly<Record<string, Json>>;
}

/** @throws SyncError `CursorExpired` for what can be told by a full read alone (rule S15) */
function toOwn(item: Json, directoryId: string): OwnEvent {
  const { event = null, data = null } = isObject(item) ? item : {};
  if (typeof event !== 'string' || !isObject(data)) throw unclear('an event is none');
  const isOfDirectory = event === 'dsync.activated' || event === 'dsync.deleted';
  const directory = isOfDirectory ? data['id'] : data['directory_id'];
  if (typeof directory !== 'string') throw unclear('an event does not say of which directory it is');
  if (directory !== directoryId) return { event: null, data };
  if (isOfDirectory) throw unclear('the directory was linked anew');
  return { event, data };
}

function unclear(why: string): SyncError {
  return new SyncError('CursorExpired', `${why}: everybody must be read`);
}

function toUserChange(event: string, data: OwnEvent['data'], { directoryId, names }: Reading): Converted<SourceChange> {
  const converted = toUser(data, directoryId);
  if (event === 'dsync.user.deleted') {
    const id = data['idp_id'];
    if (typeof id !== 'string' || id === '') throw unclear('an event does not say who was deleted');
    return { item: { type: 'userRemoved', id } };
  }
  if (event !== 'dsync.user.created' && event !== 'dsync.user.updated') throw unclear('an event is of a new kind');
  if (isRenamed(data)) throw unclear('somebody has another idp_id');
  if ('failed' in converted) return converted;
  const keeps = [...USER_ATTRIBUTES, CUSTOM_ATTRIBUTES].filter((name) => data[name] === undefined);
  const user = without(converted.item, keeps);
  names.addRecord(user.attributes);
  return { item: { type: 'user', user, keeps } };
}

/** An event has not always all that the API gives. */
function without(user: SourceUser, keeps: readonly string[]): SourceUser {
  const entries = Object.entries(user.attributes).filter(([name]) => !keeps.includes(name));
  return { ...user, attributes: Object.fromEntries(entries) };
}

function isRenamed({ idp_id: id, previous_attributes: previous = null }: OwnEvent['data']): boolean {
  return isObject(previous) && Object.hasOwn(previous, 'idp_id') && previous['idp_id'] !== id;
}

function toGroupChange(event: string, data: OwnEvent['data'], { directoryId }: Reading): Converted<SourceChange> {
  if (event === 'dsync.group.user_added' || event === 'dsync.group.user_removed') return toMember(event, data);
  if (event === 'dsync.group.deleted') {
    const id = data['idp_id'];
    if (typeof id !== 'string' || id === '') throw unclear('an event does not say which group was deleted');
    return { item: { type: 'groupRemoved', id } };
  }
  if (event !== 'dsync.group.created' && event !== 'dsync.group.updated') throw unclear('an event is of a new kind');
  if (isRenamed(data)) throw unclear('a group has another idp_id');
  const converted = toGroup(data, directoryId);
  return 'failed' in converted ? converted : { item: { type: 'group', group: converted.item.group } };
}

function toMember(event: string, { user = null, group = null }: OwnEvent['data']): Converted<SourceChange> {
  const [ref, id] = [user, group].map((each) => (isObject(each) ? each['idp_id'] : undefined));
  if (typeof ref !== 'string' || ref === '' || typeof id !== 'string' || id === '')
    throw unclear('an event does not say who is in which group');
  const isAdded = event === 'dsync.group.user_added';
  return {
    item: {
      ...{ type: 'members', group: id, replaces: false },
      added: isAdded ? [{ kind: 'User', ref }] : [],
      removed: isAdded ? [] : [ref],
    },
  };
}
