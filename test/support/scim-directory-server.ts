/** A SCIM service in this process that is read as a directory (RFC 7644, RFC 9865), with tokens that end. */
import { isDeepStrictEqual } from 'node:util';
import type { Json } from '../../src/model.ts';
import { type Reply, type ScriptedServer, type SeenRequest, startScriptedServer } from './scripted-server.ts';

type JsonObject = { readonly [key: string]: Json };

export interface ScimDirectory {
  readonly url: string;
  readonly server: ScriptedServer;
  users: readonly JsonObject[];
  groups: readonly JsonObject[];
  /** Members stand in each group alone, as some services have it. */
  hidesMembers: boolean;
  /** `totalResults` of the list of users; null: as many as there are. */
  declared: number | null;
  /** Null: pages by index, else these by cursor; `next` says for some by number which page they name. */
  layout: {
    readonly pages: readonly (readonly JsonObject[])[];
    readonly next?: Readonly<Record<number, number>>;
  } | null;
  /** What it does with a filter of people by `meta.lastModified`. */
  filters: 'rightly' | 'never' | 'ignored' | 'equal';
  /** Puts other people and groups there; whoever is new or another one was changed now. */
  change(content: Pick<ScimDirectory, 'users' | 'groups'>): void;
  /** Secrets that an OAuth client gets tokens for. */
  readonly client: { readonly clientId: string; readonly clientSecret: string; readonly tokenUrl: string };
  /** Tokens given so far are refused from now on. */
  expireTokens(): void;
  close(): Promise<void>;
}

export async function startScimDirectory(
  content: Partial<Pick<ScimDirectory, 'users' | 'groups'>> = {},
): Promise<ScimDirectory> {
  let generation = 1;
  const server = await startScriptedServer((request) => {
    if (request.path === '/token') return toToken(request, generation);
    if (request.authorization !== `Bearer token-${generation}`) return toError(401, 'The token is not valid.');
    return answer(directory, request);
  });
  const directory: ScimDirectory = {
    url: `${server.url}/scim/v2`,
    server,
    users: [],
    groups: [],
    hidesMembers: false,
    declared: null,
    layout: null,
    filters: 'rightly',
    change(now) {
      const before = new Map(directory.users.map((user) => [user['id'], withoutMeta(user)]));
      const at = new Date().toISOString();
      const users = now.users.map((user) => {
        const isSame = isDeepStrictEqual(before.get(user['id'] ?? null), withoutMeta(user));
        const old = directory.users.find(({ id }) => id === user['id']);
        return isSame && old !== undefined ? old : { ...user, meta: { lastModified: at } };
      });
      Object.assign(directory, { users, groups: now.groups });
    },
    client: { clientId: 'dirsync', clientSecret: 'sesame', tokenUrl: `${server.url}/token` },
    expireTokens: () => {
      generation += 1;
    },
    close: server.close,
    ...content,
  };
  return directory;
}

function toToken({ authorization }: SeenRequest, generation: number): Reply {
  const isClient = authorization === `Basic ${Buffer.from('dirsync:sesame').toString('base64')}`;
  if (!isClient) return { status: 401, body: { error: 'invalid_client' } };
  return { status: 200, body: { access_token: `token-${generation}`, token_type: 'Bearer', expires_in: 3600 } };
}

function toError(status: number, detail: string): Reply {
  return { status, body: { schemas: ['urn:ietf:params:scim:api:messages:2.0:Error'], status: String(status), detail } };
}

function answer(directory: ScimDirectory, { path, query }: SeenRequest): Reply {
  const [resource = '', id] = path.replace('/scim/v2/', '').split('/').map(decodeURIComponent);
  const all = { Users: directory.users, Groups: directory.groups }[resource];
  if (all === undefined) return toError(404, 'There is no such endpoint.');
  if (id !== undefined) {
    const found = all.find((each) => each['id'] === id);
    return found === undefined ? toError(404, `There is no ${id}.`) : { status: 200, body: found };
  }
  if (resource === 'Users' && directory.layout !== null) return toLaidOut(directory, directory.layout, query);
  const filter = query.get('filter');
  if (filter !== null && directory.filters === 'never') return toError(400, 'invalidFilter');
  const found = filter === null ? all : all.filter((each) => isWithin(each, filter, directory.filters));
  const shown = directory.hidesMembers && resource === 'Groups' ? found.map(withoutMembers) : found;
  const start = Number(query.get('startIndex') ?? 1);
  const page = shown.slice(start - 1, start - 1 + Number(query.get('count') ?? 100));
  return toList(page, { totalResults: toTotal(directory, resource, shown), startIndex: start });
}

function isWithin(user: JsonObject, filter: string, filters: ScimDirectory['filters']): boolean {
  const { meta = null } = user;
  if (filters === 'ignored') return true;
  const equality = /^([\w.]+) eq ("(?:[^"\\]|\\.)*"|true|false)$/.exec(filter);
  if (equality !== null) return isEqual(user[equality[1] ?? ''], JSON.parse(equality[2] ?? 'null'));
  const asked = /^meta\.lastModified ge "([^"]+)"$/.exec(filter)?.[1] ?? '';
  const { lastModified = '' } = meta as { readonly lastModified?: string };
  const [time, since] = [Date.parse(lastModified), Date.parse(asked)];
  return filters === 'equal' ? time === since : time >= since;
}

/** Of a schema that does not ask for case (RFC 7643 section 2.2). */
function isEqual(value: Json | undefined, asked: Json): boolean {
  return String(value).toLowerCase() === String(asked).toLowerCase();
}

function withoutMeta({ meta: _when, ...rest }: JsonObject): unknown {
  return rest;
}

function toTotal({ declared }: ScimDirectory, resource: string, all: readonly JsonObject[]): number {
  return resource === 'Users' ? (declared ?? all.length) : all.length;
}

function withoutMembers({ members: _hidden, ...group }: JsonObject): JsonObject {
  return group as JsonObject;
}

function toLaidOut(
  directory: ScimDirectory,
  { pages, next = {} }: NonNullable<ScimDirectory['layout']>,
  query: URLSearchParams,
): Reply {
  const number = Number(query.get('cursor') ?? 0);
  const following = next[number] ?? number + 1;
  const nextCursor = following < pages.length ? String(following) : null;
  return toList(pages[number] ?? [], { totalResults: directory.declared ?? pages.flat().length, nextCursor });
}

function toList(Resources: readonly JsonObject[], more: JsonObject): Reply {
  const schemas = ['urn:ietf:params:scim:api:messages:2.0:ListResponse'];
  return { status: 200, body: { schemas, itemsPerPage: Resources.length, ...more, Resources } };
}
