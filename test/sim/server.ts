/**
 * A target application in memory: a SCIM 2.0 server that is strict where it matters (unique userNames without case,
 * references to members that exist) and otherwise behaves as its dialect says. It tells what every request changed.
 */
import { DEPARTMENT, MANAGER } from './model.ts';

/** How this application deviates from the letter of the standard. */
export interface Dialect {
  readonly patch: boolean;
  readonly filter: boolean;
  /** Are members part of lists of groups? */
  readonly listsMembers: boolean;
  readonly activeAsText: boolean;
  /** 200 in place of 201 and 204. */
  readonly sloppyStatus: boolean;
  readonly pageSize: number;
  readonly totals: boolean;
  readonly cursors: boolean;
  /** userNames are kept in lower case. */
  readonly lowerCase: boolean;
}

export const PLAIN: Dialect = {
  patch: true,
  filter: true,
  listsMembers: true,
  activeAsText: false,
  sloppyStatus: false,
  pageSize: 100,
  totals: true,
  cursors: false,
  lowerCase: false,
};

export interface User {
  readonly id: string;
  readonly userName: string;
  readonly externalId: string | null;
  readonly title: string | null;
  readonly active: boolean;
  readonly department: string | null;
  readonly manager: string | null;
}

export interface Team {
  readonly id: string;
  readonly displayName: string;
  readonly externalId: string | null;
  readonly members: readonly string[];
}

/** One object before and after a request; null where there was or is none. */
export type Change =
  | { readonly kind: 'User'; readonly before: User | null; readonly after: User | null }
  | { readonly kind: 'Team'; readonly before: Team | null; readonly after: Team | null };

export interface ServerRequest {
  readonly method: string;
  readonly url: string;
  readonly body?: string;
}

export interface ServerAnswer {
  readonly status: number;
  readonly body: string;
  readonly changes: readonly Change[];
}

export interface Server {
  readonly dialect: Dialect;
  readonly users: ReadonlyMap<string, User>;
  readonly teams: ReadonlyMap<string, Team>;
  handle(request: ServerRequest): ServerAnswer;
  /** What an administrator does by hand. Null removes. */
  putUser(user: User): void;
  dropUser(id: string): void;
  putTeam(team: Team): void;
  dropTeam(id: string): void;
  nextId(): string;
  takeSnapshot(): () => void;
}

interface Refusal {
  readonly status: number;
  readonly scimType?: string;
  readonly detail: string;
}

class Refused extends Error {
  readonly refusal: Refusal;
  constructor(refusal: Refusal) {
    super(refusal.detail);
    this.refusal = refusal;
  }
}

type Body = Readonly<Record<string, unknown>>;

export function createServer(dialect: Dialect): Server {
  const users = new Map<string, User>();
  const teams = new Map<string, Team>();
  let made = 0;
  let changes: Change[] = [];

  const storeUser = (user: User): void => {
    for (const other of users.values()) {
      if (other.id === user.id || other.userName.toLowerCase() !== user.userName.toLowerCase()) continue;
      throw new Refused({ status: 409, scimType: 'uniqueness', detail: 'userName is taken' });
    }
    const after = dialect.lowerCase ? { ...user, userName: user.userName.toLowerCase() } : user;
    const before = users.get(user.id) ?? null;
    users.set(user.id, after);
    if (JSON.stringify(before) !== JSON.stringify(after)) changes.push({ kind: 'User', before, after });
  };
  const storeTeam = (team: Team): void => {
    for (const member of team.members) {
      if (!users.has(member)) throw new Refused({ status: 400, scimType: 'invalidValue', detail: 'no such member' });
    }
    const before = teams.get(team.id) ?? null;
    teams.set(team.id, team);
    if (JSON.stringify(before) !== JSON.stringify(team)) changes.push({ kind: 'Team', before, after: team });
  };
  const removeUser = (id: string): void => {
    const before = users.get(id);
    if (before === undefined) throw new Refused({ status: 404, detail: 'no such user' });
    users.delete(id);
    changes.push({ kind: 'User', before, after: null });
    for (const team of teams.values()) {
      if (team.members.includes(id))
        teams.set(team.id, { ...team, members: team.members.filter((each) => each !== id) });
    }
    for (const user of users.values()) if (user.manager === id) users.set(user.id, { ...user, manager: null });
  };
  const removeTeam = (id: string): void => {
    const before = teams.get(id);
    if (before === undefined) throw new Refused({ status: 404, detail: 'no such group' });
    teams.delete(id);
    changes.push({ kind: 'Team', before, after: null });
  };
  const nextId = (): string => {
    made += 1;
    return `t${made}`;
  };

  const routes: Record<'Users' | 'Groups', Resource> = {
    Users: {
      list: () => [...users.values()].map((user) => ({ document: toUserDocument(user, dialect), values: { ...user } })),
      get: (id) => toDocument(users.get(id), (user) => toUserDocument(user, dialect)),
      create(body) {
        const user = readUser({ id: nextId(), ...EMPTY_USER }, body);
        storeUser(user);
        return user.id;
      },
      replace: (id, body) => storeUser(readUser({ ...EMPTY_USER, id: need(users, id).id }, body)),
      patch: (id, body) => storeUser(readOperations(body).reduce(patchUser, need(users, id))),
      remove: removeUser,
    },
    Groups: {
      list: (withMembers) =>
        [...teams.values()].map((team) => ({
          document: toTeamDocument(team, withMembers && dialect.listsMembers),
          values: { ...team },
        })),
      get: (id) => toDocument(teams.get(id), (team) => toTeamDocument(team, true)),
      create(body) {
        const team = readTeam({ id: nextId(), displayName: '', externalId: null, members: [] }, body);
        storeTeam(team);
        return team.id;
      },
      replace: (id, body) => storeTeam(readTeam(need(teams, id), body)),
      patch: (id, body) => storeTeam(readOperations(body).reduce(patchTeam, need(teams, id))),
      remove: removeTeam,
    },
  };

  function handle({ method, url, body }: ServerRequest): ServerAnswer {
    changes = [];
    try {
      const answer = dispatch({ method, url: new URL(url), body: body === undefined ? {} : JSON.parse(body) });
      return { status: answer.status, body: answer.body === null ? '' : JSON.stringify(answer.body), changes };
    } catch (thrown) {
      if (!(thrown instanceof Refused)) throw thrown;
      const { status, scimType, detail } = thrown.refusal;
      const schemas = ['urn:ietf:params:scim:api:messages:2.0:Error'];
      return { status, body: JSON.stringify({ schemas, status: String(status), scimType, detail }), changes: [] };
    }
  }

  function dispatch(request: Dispatched): Answer {
    const { url } = request;
    const [kind = '', id] = url.pathname.replace('/scim/v2/', '').split('/').map(decodeURIComponent);
    if (kind === 'ServiceProviderConfig') return { status: 200, body: toConfig(dialect) };
    const route = kind === 'Users' || kind === 'Groups' ? routes[kind] : null;
    if (route === null) throw new Refused({ status: 404, detail: 'no such endpoint' });
    return id === undefined ? onAll(route, request) : onOne(route, id, request);
  }

  function onAll(route: Resource, { method, url, body }: Dispatched): Answer {
    if (method === 'GET') return { status: 200, body: toList(route, url, dialect) };
    if (method !== 'POST') throw new Refused({ status: 405, detail: 'not here' });
    return { status: dialect.sloppyStatus ? 200 : 201, body: route.get(route.create(body)) };
  }

  function onOne(route: Resource, id: string, { method, body }: Dispatched): Answer {
    if (method === 'DELETE') {
      route.remove(id);
      return dialect.sloppyStatus ? { status: 200, body: {} } : { status: 204, body: null };
    }
    if (method === 'PATCH' && !dialect.patch) throw new Refused({ status: 501, detail: 'no PATCH here' });
    if (method === 'PATCH') route.patch(id, body);
    if (method === 'PUT') route.replace(id, body);
    return { status: 200, body: route.get(id) };
  }

  const byHand =
    <T>(work: (value: T) => void) =>
    (value: T): void => {
      try {
        work(value);
      } catch (thrown) {
        // An administrator is told the same, and does something else.
        if (!(thrown instanceof Refused)) throw thrown;
      }
    };
  return {
    dialect,
    users,
    teams,
    handle,
    nextId,
    putUser: byHand(storeUser),
    dropUser: byHand(removeUser),
    putTeam: byHand(storeTeam),
    dropTeam: byHand(removeTeam),
    takeSnapshot() {
      const before = { users: [...users], teams: [...teams] };
      return () => {
        users.clear();
        teams.clear();
        for (const [id, user] of before.users) users.set(id, user);
        for (const [id, team] of before.teams) teams.set(id, team);
      };
    },
  };
}

interface Dispatched {
  readonly method: string;
  readonly url: URL;
  readonly body: Body;
}

interface Answer {
  readonly status: number;
  readonly body: Body | null;
}

interface Resource {
  list(withMembers: boolean): readonly { document: Body; values: Body }[];
  get(id: string): Body;
  create(body: Body): string;
  replace(id: string, body: Body): void;
  patch(id: string, body: Body): void;
  remove(id: string): void;
}

const EMPTY_USER = {
  userName: '',
  externalId: null,
  title: null,
  active: true,
  department: null,
  manager: null,
} as const;

function need<T>(objects: ReadonlyMap<string, T>, id: string): T {
  const found = objects.get(id);
  if (found === undefined) throw new Refused({ status: 404, detail: 'no such object' });
  return found;
}

function toDocument<T>(object: T | undefined, print: (object: T) => Body): Body {
  if (object === undefined) throw new Refused({ status: 404, detail: 'no such object' });
  return print(object);
}

const ENTERPRISE = DEPARTMENT.slice(0, DEPARTMENT.lastIndexOf(':'));

function toUserDocument(user: User, { activeAsText }: Dialect): Body {
  const { id, userName, externalId, title, active, department, manager } = user;
  const extension = {
    ...(department === null ? {} : { department }),
    ...(manager === null ? {} : { manager: { value: manager } }),
  };
  return {
    schemas: ['urn:ietf:params:scim:schemas:core:2.0:User', ENTERPRISE],
    id,
    userName,
    ...(externalId === null ? {} : { externalId }),
    ...(title === null ? {} : { title }),
    active: activeAsText ? (active ? 'True' : 'False') : active,
    ...(Object.keys(extension).length === 0 ? {} : { [ENTERPRISE]: extension }),
  };
}

function toTeamDocument({ id, displayName, externalId, members }: Team, withMembers: boolean): Body {
  return {
    schemas: ['urn:ietf:params:scim:schemas:core:2.0:Group'],
    id,
    displayName,
    ...(externalId === null ? {} : { externalId }),
    ...(withMembers ? { members: members.map((value) => ({ value })) } : {}),
  };
}

function toConfig({ patch, filter, cursors, pageSize }: Dialect): Body {
  return {
    patch: { supported: patch },
    filter: { supported: filter, maxResults: pageSize },
    etag: { supported: false },
    ...(cursors ? { pagination: { cursor: true, index: false } } : {}),
  };
}

const FILTER = /^(\w+) eq "((?:[^"\\]|\\.)*)"$/;

function toList(route: Resource, url: URL, dialect: Dialect): Body {
  const filter = url.searchParams.get('filter');
  const all = route.list(url.searchParams.get('excludedAttributes') !== 'members');
  const found = filter === null ? all : all.filter(({ values }) => matches(values, filter, dialect));
  const cursor = url.searchParams.get('cursor');
  const from = cursor === null ? Math.max(1, Number(url.searchParams.get('startIndex') ?? 1)) : Number(cursor || 1);
  const count = Math.min(dialect.pageSize, Number(url.searchParams.get('count') ?? dialect.pageSize));
  const page = found.slice(from - 1, from - 1 + count).map(({ document }) => document);
  const next = from + count <= found.length ? String(from + count) : null;
  return {
    schemas: ['urn:ietf:params:scim:api:messages:2.0:ListResponse'],
    ...(dialect.totals ? { totalResults: found.length } : {}),
    ...(dialect.cursors && next !== null ? { nextCursor: next } : {}),
    Resources: page,
  };
}

function matches(values: Body, filter: string, { filter: supported }: Dialect): boolean {
  if (!supported) throw new Refused({ status: 400, scimType: 'invalidFilter', detail: 'no filters here' });
  const [, attribute = '', quoted = ''] = FILTER.exec(filter) ?? [];
  const value = JSON.parse(`"${quoted}"`) as string;
  const actual = values[attribute];
  if (typeof actual !== 'string') return false;
  return attribute === 'externalId' ? actual === value : actual.toLowerCase() === value.toLowerCase();
}

function toText(value: unknown): string | null {
  if (value === undefined || value === null || value === '') return null;
  return String(value);
}

function toBoolean(value: unknown): boolean {
  return String(value).toLowerCase() !== 'false';
}

function toReference(value: unknown): string | null {
  return typeof value === 'object' && value !== null ? toText((value as Body)['value']) : toText(value);
}

function toMembers(value: unknown): readonly string[] {
  const list = Array.isArray(value) ? value : [value];
  return list.map((each) => toReference(each) ?? '').filter((each) => each !== '');
}

function readUser(user: User, body: Body): User {
  const extension = (body[ENTERPRISE] ?? {}) as Body;
  const userName = toText(body['userName']);
  if (userName === null) throw new Refused({ status: 400, scimType: 'invalidValue', detail: 'userName is required' });
  return {
    id: user.id,
    userName,
    externalId: toText(body['externalId']),
    title: toText(body['title']),
    active: toBoolean(body['active'] ?? true),
    department: toText(extension['department']),
    manager: toReference(extension['manager']),
  };
}

function readTeam(team: Team, body: Body): Team {
  const displayName = toText(body['displayName']);
  if (displayName === null) throw new Refused({ status: 400, scimType: 'invalidValue', detail: 'no displayName' });
  return {
    id: team.id,
    displayName,
    externalId: toText(body['externalId']),
    members: [...new Set(toMembers(body['members'] ?? []))],
  };
}

interface PatchOperation {
  readonly op: string;
  readonly path: string;
  readonly value: unknown;
}

function readOperations(body: Body): readonly PatchOperation[] {
  const operations = body['Operations'];
  if (!Array.isArray(operations))
    throw new Refused({ status: 400, scimType: 'invalidSyntax', detail: 'no Operations' });
  return operations.map(({ op, path, value }) => ({ op: String(op).toLowerCase(), path: String(path), value }));
}

const FIELDS: Readonly<Record<string, (value: unknown) => Partial<User>>> = {
  userName: (value) => ({ userName: toText(value) ?? '' }),
  externalId: (value) => ({ externalId: toText(value) }),
  title: (value) => ({ title: toText(value) }),
  active: (value) => ({ active: toBoolean(value ?? true) }),
  [DEPARTMENT]: (value) => ({ department: toText(value) }),
  [MANAGER]: (value) => ({ manager: toReference(value) }),
  [`${MANAGER}.value`]: (value) => ({ manager: toReference(value) }),
};

function patchUser(user: User, { op, path, value }: PatchOperation): User {
  const field = FIELDS[path];
  if (field === undefined) throw new Refused({ status: 400, scimType: 'invalidPath', detail: `no ${path} here` });
  return { ...user, ...field(op === 'remove' ? null : value) };
}

const ONE_MEMBER = /^members\[value eq "([^"]+)"\]$/;

function patchTeam(team: Team, { op, path, value }: PatchOperation): Team {
  if (path === 'displayName') return { ...team, displayName: toText(value) ?? team.displayName };
  if (path === 'externalId') return { ...team, externalId: op === 'remove' ? null : toText(value) };
  if (path === 'members' && op === 'add')
    return { ...team, members: [...new Set([...team.members, ...toMembers(value)])] };
  const [, member] = ONE_MEMBER.exec(path) ?? [];
  if (op !== 'remove' || member === undefined) {
    // A remove without a filter empties the group: nobody may ever ask for it.
    throw new Refused({ status: 400, scimType: 'invalidPath', detail: `no ${op} of ${path} here` });
  }
  if (!team.members.includes(member))
    throw new Refused({ status: 400, scimType: 'noTarget', detail: 'no such member' });
  return { ...team, members: team.members.filter((each) => each !== member) };
}
