/** The Directory Sync API of WorkOS in this process, as far as a directory is read by it: made after its public description. */
import type { Json } from '../../src/model.ts';
import { type Reply, type ScriptedServer, type SeenRequest, startScriptedServer } from './scripted-server.ts';

type JsonObject = { readonly [key: string]: Json };

export interface WorkosUser extends JsonObject {
  readonly id: string;
  readonly idp_id: string;
}

export interface WorkosGroup {
  readonly id: string;
  readonly idp_id: string;
  readonly name: string;
  /** `idp_id` of each. */
  readonly members: readonly string[];
}

export interface WorkosServer {
  readonly url: string;
  readonly apiKey: string;
  readonly directoryId: string;
  readonly server: ScriptedServer;
  state: string;
  users: readonly WorkosUser[];
  groups: readonly WorkosGroup[];
  /** Null: pages as asked for, else these, one after the other. `next` says for some by number which page they name. */
  layout: {
    readonly pages: readonly (readonly JsonObject[])[];
    readonly next?: Readonly<Record<number, number>>;
  } | null;
  /** All of the environment, the oldest first. */
  readonly events: WorkosEvent[];
  /** When the first event happened, in milliseconds since 1970; the others each a second after the one before. */
  eventsSince: number;
  /** Events before this place are not kept any more. */
  oldest: number;
  /** The directory has these people and groups now; its events say what has changed. */
  change(content: Pick<WorkosServer, 'users' | 'groups'>): void;
  /** What the directory says of the number of its people, where it is not as many as there are. */
  declared: number | null;
  close(): Promise<void>;
}

export interface WorkosEvent extends JsonObject {
  readonly id: string;
  readonly event: string;
  readonly created_at: string;
}

const DIRECTORY = 'directory_01TEST';
const API_KEY = 'sk_test_sesame';

const LIST_PARAMETERS = new Set(['before', 'after', 'limit', 'order', 'directory', 'group', 'idp_id', 'email', 'user']);

export async function startWorkos(
  content: Partial<Pick<WorkosServer, 'users' | 'groups'>> = {},
): Promise<WorkosServer> {
  const server = await startScriptedServer((request) => answer(workos, request));
  const workos: WorkosServer = {
    url: server.url,
    apiKey: API_KEY,
    directoryId: DIRECTORY,
    server,
    state: 'linked',
    users: [],
    groups: [],
    layout: null,
    declared: null,
    events: [],
    eventsSince: Date.parse('2026-01-15T12:00:00.000Z'),
    oldest: 0,
    change: (now) => change(workos, now),
    ...content,
    close: server.close,
  };
  return workos;
}

/** As the API gives one. */
export function toWorkosUser(
  id: string,
  { first = 'Ada', last = 'Byron', ...more }: { first?: string; last?: string } & Record<string, Json> = {},
): WorkosUser {
  const { email = `${id}@example.com`, state = 'active', custom_attributes = {} } = more;
  return {
    object: 'directory_user',
    id: `directory_user_${id.replaceAll(/[^A-Za-z0-9]/g, '')}`,
    directory_id: DIRECTORY,
    organization_id: 'org_01TEST',
    idp_id: id,
    email,
    first_name: first,
    last_name: last,
    name: `${first} ${last}`,
    state,
    custom_attributes,
    emails: [],
    username: null,
    job_title: null,
    raw_attributes: {},
    groups: [],
    role: null,
    roles: [],
    created_at: '2026-01-15T12:00:00.000Z',
    updated_at: '2026-01-15T12:00:00.000Z',
  };
}

const message = (status: number, text: string): Reply => ({ status, body: { message: text } });

function answer(workos: WorkosServer, { path, query, authorization }: SeenRequest): Reply {
  if (authorization !== `Bearer ${workos.apiKey}`) return message(401, 'Unauthorized');
  if (path === `/directories/${DIRECTORY}`) return { status: 200, body: toDirectory(workos) };
  if (path === '/events') return toEvents(workos, query);
  if (path !== '/directory_users' && path !== '/directory_groups') return message(404, `Not found: ${path}`);
  const limit = Number(query.get('limit') ?? 10);
  const isValid = [...query.keys()].every((name) => LIST_PARAMETERS.has(name)) && limit >= 1 && limit <= 100;
  if (!isValid || (!query.has('directory') && !query.has('group'))) return message(422, 'Validation failed.');
  if (path === '/directory_groups') return toList(workos.groups.map(toGroup), query);
  if (query.has('group')) return toMembers(workos, query);
  if (query.has('idp_id'))
    return toList(
      workos.users.filter(({ idp_id: id }) => id === query.get('idp_id')),
      query,
    );
  return workos.layout === null ? toList(workos.users, query) : toLaidOut(workos.layout, query);
}

const EVENT_PARAMETERS = new Set([
  'events',
  'before',
  'after',
  'limit',
  'order',
  'range_start',
  'range_end',
  'organization_id',
]);

/** `after` and `range_start` exclude each other; `events` must be there, joined by commas. */
function toEvents({ events, oldest }: WorkosServer, query: URLSearchParams): Reply {
  const types = new Set((query.get('events') ?? '').split(','));
  const isValid = [...query.keys()].every((name) => EVENT_PARAMETERS.has(name));
  const after = query.get('after');
  const since = query.get('range_start');
  if (!isValid || !query.has('events') || (after !== null && since !== null)) return message(422, 'Validation failed.');
  const kept = events.slice(oldest).filter(({ event }) => types.has(event));
  const ordered = query.get('order') === 'asc' ? kept : kept.toReversed();
  const from = after === null ? 0 : ordered.findIndex(({ id }) => id === after) + 1;
  if (after !== null && from === 0) return message(400, `Could not find event with id '${after}'.`);
  const found = ordered.slice(from).filter(({ created_at }) => since === null || created_at >= since);
  const data = found.slice(0, Number(query.get('limit') ?? 10));
  const next = data.length < found.length ? (data.at(-1)?.id ?? null) : null;
  return { status: 200, body: { object: 'list', data, list_metadata: { after: next } } };
}

export function emit({ events, eventsSince }: WorkosServer, event: string, data: JsonObject): void {
  const id = `event_${String(events.length).padStart(8, '0')}`;
  const created_at = new Date(eventsSince + events.length * 1000).toISOString();
  events.push({ object: 'event', id, event, created_at, data, context: {} });
}

function change(workos: WorkosServer, { users, groups }: Pick<WorkosServer, 'users' | 'groups'>): void {
  const before = new Map(workos.users.map((user) => [user.idp_id, user]));
  for (const user of users) changeUser(workos, user, before.get(user.idp_id));
  const groupsBefore = new Map(workos.groups.map((group) => [group.idp_id, group]));
  const all = new Map([...before, ...users.map((user) => [user.idp_id, user] as const)]);
  for (const group of groups) changeGroup(workos, { group, before: groupsBefore.get(group.idp_id), all });
  for (const group of workos.groups)
    if (groups.every(({ idp_id: id }) => id !== group.idp_id)) emit(workos, 'dsync.group.deleted', toGroup(group));
  const ids = new Set(users.map(({ idp_id: id }) => id));
  for (const [id, user] of before) if (!ids.has(id)) emit(workos, 'dsync.user.deleted', toEventUser(user));
  Object.assign(workos, { users, groups });
}

function changeUser(workos: WorkosServer, user: WorkosUser, before: WorkosUser | undefined): void {
  if (before === undefined) emit(workos, 'dsync.user.created', toEventUser(user));
  else if (JSON.stringify(before) !== JSON.stringify(user)) {
    const { roles: _roles, ...event } = toEventUser(user);
    emit(workos, 'dsync.user.updated', { ...event, previous_attributes: {} });
  }
}

function toEventUser({ groups: _groups, ...user }: WorkosUser): JsonObject {
  return user;
}

interface GroupChange {
  readonly group: WorkosGroup;
  readonly before: WorkosGroup | undefined;
  readonly all: ReadonlyMap<string, WorkosUser>;
}

function changeGroup(workos: WorkosServer, { group, before, all }: GroupChange): void {
  if (before === undefined) emit(workos, 'dsync.group.created', toGroup(group));
  else if (before.name !== group.name)
    emit(workos, 'dsync.group.updated', { ...toGroup(group), previous_attributes: { name: before.name } });
  const tell = (event: string, ids: readonly string[]): void => {
    for (const id of ids) {
      const user = all.get(id);
      if (user !== undefined)
        emit(workos, event, { directory_id: DIRECTORY, user: toEventUser(user), group: toGroup(group) });
    }
  };
  const old = new Set(before?.members ?? []);
  tell(
    'dsync.group.user_added',
    group.members.filter((id) => !old.has(id)),
  );
  tell(
    'dsync.group.user_removed',
    [...old].filter((id) => !group.members.includes(id)),
  );
}

function toDirectory({ state, users, groups, declared }: WorkosServer): JsonObject {
  const inactive = declared === null ? users.filter((user) => user['state'] !== 'active').length : 0;
  return {
    object: 'directory',
    id: DIRECTORY,
    organization_id: 'org_01TEST',
    external_key: 'sPa12',
    type: 'okta scim v2.0',
    state,
    name: 'Acme',
    domain: 'corp.example',
    metadata: { users: { active: (declared ?? users.length) - inactive, inactive }, groups: groups.length },
    created_at: '2026-01-15T12:00:00.000Z',
    updated_at: '2026-01-15T12:00:00.000Z',
  };
}

function toGroup({ id, idp_id, name }: WorkosGroup): JsonObject & { readonly id: string } {
  return { object: 'directory_group', id, idp_id, directory_id: DIRECTORY, organization_id: 'org_01TEST', name };
}

function toMembers({ groups, users }: WorkosServer, query: URLSearchParams): Reply {
  const group = groups.find(({ id }) => id === query.get('group'));
  if (group === undefined) return message(404, `Directory Group not found: '${query.get('group')}'.`);
  const members = new Set(group.members);
  return toList(
    users.filter(({ idp_id: id }) => members.has(id)),
    query,
  );
}

/** `after` is the id of the last object that was shown. */
function toList(items: readonly (JsonObject & { readonly id: string })[], query: URLSearchParams): Reply {
  const after = query.get('after');
  const from = after === null ? 0 : items.findIndex(({ id }) => id === after) + 1;
  if (after !== null && from === 0) return message(400, 'Invalid cursor.');
  const page = items.slice(from, from + Number(query.get('limit') ?? 10));
  const isLast = from + page.length >= items.length;
  return toPage(page, isLast ? null : (page.at(-1)?.id ?? null));
}

function toPage(data: readonly JsonObject[], after: string | null): Reply {
  return { status: 200, body: { object: 'list', data, list_metadata: { before: null, after } } };
}

function toLaidOut({ pages, next = {} }: NonNullable<WorkosServer['layout']>, query: URLSearchParams): Reply {
  const number = Number(/\d+$/.exec(query.get('after') ?? '0')?.[0]);
  const following = next[number] ?? number + 1;
  return toPage(pages[number] ?? [], following >= pages.length ? null : `directory_user_page${following}`);
}
