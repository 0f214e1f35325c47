/**
 * A target application in memory: a dialect server of the test support that tells what every request changed, and lets
 * an administrator change things past Dirsync.
 */
import type { Json } from '../../src/model.ts';
import type { Dialect } from '../support/dialects/dialect.ts';
import { type Document, toObject } from '../support/dialects/patch.ts';
import { createDialectServer, type DialectServer } from '../support/dialects/server.ts';
import { CUSTOM_PATHS } from './features.ts';
import { DEPARTMENT } from './model.ts';
import { TEAM_VALUE_NAMES, TEAM_VALUE_PATHS, type TeamValues } from './team-values.ts';

export interface User {
  readonly id: string;
  readonly userName: string;
  readonly externalId: string | null;
  readonly title: string | null;
  readonly active: boolean;
  readonly department: string | null;
  readonly manager: string | null;
  readonly userType: string | null;
  readonly nickName: string | null;
  /** Of the CustomAttribute, at either of its paths. */
  readonly tier: string | null;
  readonly grade: string | null;
}

export interface Team extends Readonly<TeamValues> {
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
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

export interface ServerAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  readonly changes: readonly Change[];
}

export interface Server {
  readonly dialect: Dialect;
  readonly users: ReadonlyMap<string, User>;
  readonly teams: ReadonlyMap<string, Team>;
  handle(request: ServerRequest): ServerAnswer;
  /** What an administrator does by hand; what the application refuses is left as it is. */
  putUser(user: User): void;
  dropUser(id: string): void;
  putTeam(team: Team): void;
  dropTeam(id: string): void;
  nextId(): string;
  /** No token that was given out is good any more. False: none are given out. */
  revoke(): boolean;
  /** Teams whose members somebody changed by hand. */
  readonly byHand: ReadonlySet<string>;
}

const ENTERPRISE = DEPARTMENT.slice(0, DEPARTMENT.lastIndexOf(':'));
const ACME = CUSTOM_PATHS.tier.slice(0, CUSTOM_PATHS.tier.lastIndexOf(':'));
const ACME_GROUP = TEAM_VALUE_PATHS.site.slice(0, TEAM_VALUE_PATHS.site.lastIndexOf(':'));

export interface ServerOptions {
  readonly token: string;
  /** Seconds that a token lasts; null: one token is good for ever. */
  readonly tokenLife: number | null;
  /** Milliseconds, by the server's own clock. */
  readonly now: () => number;
}

export function createServer(dialect: Dialect, options: ServerOptions): Server {
  const { token } = options;
  let made = 0;
  // Letters in it, so that its case can be changed.
  const nextId = (): string => {
    made += 1;
    return `abcdef00-0000-4000-8000-${String(made).padStart(12, '0')}`;
  };
  const inner = createDialectServer(dialect, { token, newId: nextId });
  const mirror = createMirror(inner);
  const byHand = new Set<string>();
  const tokens = options.tokenLife === null ? null : createTokens({ ...options, tokenLife: options.tokenLife });

  const drop = (id: string): void => {
    inner.users.delete(id);
    for (const [team, members] of inner.members) if (members.delete(id)) byHand.add(team);
  };

  return {
    dialect,
    users: mirror.users,
    teams: mirror.teams,
    nextId,
    byHand,
    revoke: () => tokens?.revoke() ?? false,
    handle({ method, url, headers = {}, body }) {
      const lower = Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));
      if (tokens !== null && new URL(url).pathname === TOKEN_PATH) return { ...tokens.give(), changes: [] };
      const authorization = tokens?.knows(lower['authorization']) === true ? `Bearer ${token}` : 'Bearer unknown';
      const known = tokens === null ? lower : { ...lower, authorization };
      const answer = inner.handle({ method, url, headers: known, ...(body === undefined ? {} : { body }) });
      return { ...answer, changes: method === 'GET' ? [] : mirror.sync() };
    },
    putUser(user) {
      const isTaken = [...mirror.users.values()].some(
        ({ id, userName }) => id !== user.id && userName.toLowerCase() === user.userName.toLowerCase(),
      );
      if (isTaken) return;
      // Whoever is switched off there is gone.
      if (!user.active && dialect.activeFalse === 'removes') drop(user.id);
      else inner.users.set(user.id, toUserDocument(user, inner));
      mirror.sync();
    },
    dropUser(id) {
      drop(id);
      mirror.sync();
    },
    putTeam(team) {
      if (dialect.groups === 'none') return;
      const { id, members } = team;
      inner.groups.set(id, toTeamDocument(team));
      inner.members.set(id, new Set(members));
      byHand.add(id);
      mirror.sync();
    },
    dropTeam(id) {
      inner.groups.delete(id);
      inner.members.delete(id);
      mirror.sync();
    },
  };
}

export const TOKEN_PATH = '/oauth/token';

/** OAuth 2.0 client credentials: tokens that end. */
function createTokens({ token, tokenLife, now }: ServerOptions & { readonly tokenLife: number }) {
  const ends = new Map<string, number>();
  let given = 0;
  return {
    knows: (authorization = ''): boolean => (ends.get(authorization.replace('Bearer ', '')) ?? 0) > now(),
    revoke(): boolean {
      ends.clear();
      return true;
    },
    give(): Omit<ServerAnswer, 'changes'> {
      given += 1;
      const value = `${token}-${given}`;
      ends.set(value, now() + tokenLife * 1000);
      const body = JSON.stringify({ access_token: value, token_type: 'Bearer', expires_in: tokenLife });
      return { status: 200, headers: { 'content-type': 'application/json' }, body };
    },
  };
}

/** What the application holds, in the form that the checkers read. */
function createMirror(inner: DialectServer) {
  const users = new Map<string, User>();
  const teams = new Map<string, Team>();
  /** What was read last: documents are replaced and never changed. */
  const known = new Map<string, Document>();

  /** A membership or a reference that ends with the account is no change of its own. */
  const forget = (id: string): void => {
    users.delete(id);
    for (const team of teams.values())
      if (team.members.includes(id)) teams.set(team.id, { ...team, members: team.members.filter((one) => one !== id) });
    for (const user of [...users.values()].filter((each) => each.manager === id && inner.users.has(each.id))) {
      users.set(user.id, { ...user, manager: null });
      inner.users.set(user.id, toUserDocument({ ...user, manager: null }, inner));
    }
  };
  const syncUsers = (): Change[] => {
    const changes: Change[] = [];
    for (const [id, before] of users) {
      if (inner.users.has(id)) continue;
      forget(id);
      changes.push({ kind: 'User', before, after: null });
    }
    for (const [id, document] of inner.users) {
      if (known.get(id) === document) continue;
      known.set(id, document);
      const before = users.get(id) ?? null;
      const after = readUser(id, document);
      users.set(id, after);
      if (JSON.stringify(before) !== JSON.stringify(after)) changes.push({ kind: 'User', before, after });
    }
    return changes;
  };
  const syncTeams = (): Change[] => {
    const changes: Change[] = [];
    for (const [id, before] of teams) {
      if (inner.groups.has(id)) continue;
      teams.delete(id);
      changes.push({ kind: 'Team', before, after: null });
    }
    for (const [id, document] of inner.groups) {
      const before = teams.get(id) ?? null;
      const members = inner.members.get(id) ?? new Set();
      if (known.get(id) === document && isSameSet(before?.members ?? [], members)) continue;
      known.set(id, document);
      const after = readTeam(id, document, members);
      teams.set(id, after);
      changes.push({ kind: 'Team', before, after });
    }
    return changes.filter((change) => JSON.stringify(change.before) !== JSON.stringify(change.after));
  };
  return { users, teams, sync: (): Change[] => [...syncUsers(), ...syncTeams()] };
}

function isSameSet(list: readonly string[], set: ReadonlySet<string>): boolean {
  return list.length === set.size && list.every((each) => set.has(each));
}

function toText(value: Json | undefined): string | null {
  return value === undefined || value === null || value === '' ? null : String(value);
}

function readUser(id: string, document: Document): User {
  const extension = toObject(document[ENTERPRISE]);
  const own = toObject(document[ACME]);
  const manager = extension?.['manager'];
  return {
    id,
    userName: String(document['userName']),
    externalId: toText(document['externalId']),
    title: toText(document['title']),
    active: document['active'] !== false,
    department: toText(extension?.['department']),
    manager: toText(toObject(manager)?.['value'] ?? (toObject(manager) === null ? manager : null)),
    userType: toText(document['userType']),
    nickName: toText(document['nickName']),
    tier: toText(own?.['tier']),
    grade: toText(own?.['grade']),
  };
}

function readTeam(id: string, document: Document, members: ReadonlySet<string>): Team {
  const own = toObject(document[ACME_GROUP]);
  return {
    id,
    displayName: String(document['displayName']),
    externalId: toText(document['externalId']),
    members: [...members],
    purpose: toText(own?.['purpose']),
    site: toText(own?.['site']),
  };
}

function toTeamDocument(team: Team): Document {
  const { id, displayName, externalId } = team;
  const own = TEAM_VALUE_NAMES.flatMap((name) => (team[name] === null ? [] : [[name, team[name]]]));
  return {
    id,
    displayName,
    ...(externalId === null ? {} : { externalId }),
    ...(own.length === 0 ? {} : { [ACME_GROUP]: Object.fromEntries(own) }),
  };
}

/** As the application would keep it. */
function toUserDocument(user: User, { users, dialect }: DialectServer): Document {
  const { id, department, manager, tier, grade } = user;
  const extension: Document = {
    ...(department === null ? {} : { department }),
    ...(manager === null ? {} : { manager: { value: manager } }),
  };
  const own: Document = { ...(tier === null ? {} : { tier }), ...(grade === null ? {} : { grade }) };
  const document: Document = { ...users.get(id), id, active: user.active, [ENTERPRISE]: extension, [ACME]: own };
  if (tier === null && grade === null) delete document[ACME];
  for (const name of ['userName', 'externalId', 'title', 'userType', 'nickName'] as const) {
    const value = user[name];
    if (value === null) delete document[name];
    else document[name] = dialect.lowered.includes(name) ? value.toLowerCase() : value;
  }
  for (const name of dialect.dropped) delete document[name];
  return document;
}
