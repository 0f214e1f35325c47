/** A SCIM service in this process that is read as a directory (RFC 7644, RFC 9865), with tokens that end. */
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
  const shown = directory.hidesMembers && resource === 'Groups' ? all.map(withoutMembers) : all;
  const start = Number(query.get('startIndex') ?? 1);
  const page = shown.slice(start - 1, start - 1 + Number(query.get('count') ?? 100));
  return toList(page, { totalResults: toTotal(directory, resource, shown), startIndex: start });
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
