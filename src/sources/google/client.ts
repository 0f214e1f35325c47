/** Requests to the Directory API of Google Workspace: objects, and lists page by page. */
import { SyncError } from '../../errors.ts';
import { toTokenAuthorizer } from '../../http/authorization.ts';
import { createJsonApi, type JsonApi, type JsonObject, type JsonRequest } from '../../http/json-api.ts';
import type { Json } from '../../model.ts';
import { isObject } from '../attribute-names.ts';
import { type ListPage, type PageOfList, readPagedList } from '../paged-list.ts';
import type { SourceContext } from '../source.ts';
import { type GoogleConfig, toBaseUrl, toRange } from './config.ts';
import { type GoogleCredentials, toCredentials } from './credentials.ts';
import { AREAS, explain, isThrottled, type Subject } from './refusal.ts';
import type { Area } from './scopes.ts';

export interface GoogleRequest extends JsonRequest {
  readonly what: Subject;
}

/** A list, whose pages have their items under `key`. */
export interface GoogleList extends GoogleRequest {
  readonly key: 'users' | 'groups' | 'members';
}

export interface GoogleClient {
  readonly origin: string;
  readonly credentials: GoogleCredentials;
  /** What a list of people or groups is narrowed by. */
  readonly range: Readonly<Record<string, string>>;
  /** Null: there is none. */
  find(request: GoogleRequest, signal: AbortSignal): Promise<JsonObject | null>;
  findBytes(request: GoogleRequest, mostBytes: number, signal: AbortSignal): Promise<Uint8Array | 'tooLarge' | null>;
  /** Items as they are, whatever they are. */
  list(list: GoogleList, signal: AbortSignal): AsyncGenerator<PageOfList<Json>>;
  /** The first page alone. */
  readPage(list: GoogleList, signal: AbortSignal): Promise<ListPage<Json>>;
}

export function createGoogleClient(config: GoogleConfig, context: SourceContext): GoogleClient {
  const { http, where, now } = context;
  const credentials = toCredentials(config, context);
  const toApi = (area: Area): JsonApi => {
    const api: JsonApi = createJsonApi({
      baseUrl: toBaseUrl(config),
      http,
      authorizer: toTokenAuthorizer(credentials.tokens(area)),
      where,
      now: () => now().getTime(),
      isThrottled,
      explain: (response, { what }) => explain(response, { what: what as Subject, origin: api.origin }),
    });
    return api;
  };
  const apis = { users: toApi('users'), groups: toApi('groups'), members: toApi('members') };
  const { origin } = apis.users;

  async function readPage(list: GoogleList, signal: AbortSignal, token: string | null = null): Promise<ListPage<Json>> {
    const { path, what } = list;
    const query = { ...list.query, ...(token !== null && { pageToken: token }) };
    const body = await apis[AREAS[what]].get({ path, query, what }, signal);
    return toPage(body, list, origin);
  }

  return {
    origin,
    credentials,
    range: toRange(config),
    find: (request, signal) => apis[AREAS[request.what]].find(request, signal),
    findBytes: (request, mostBytes, signal) => apis[AREAS[request.what]].findBytes(request, mostBytes, signal),
    readPage: (list, signal) => readPage(list, signal),
    list: (list, signal) =>
      readPagedList({
        origin,
        what: list.what,
        readPage: (token) => readPage(list, signal, token),
        toKey: (item) => (isObject(item) && typeof item['id'] === 'string' ? item['id'] : JSON.stringify(item)),
      }),
  };
}

/** A page without anything on it has no list: then its `kind` says that it is one. */
function toPage(body: JsonObject, { key, what }: GoogleList, origin: string): ListPage<Json> {
  const { kind, nextPageToken: next = null, [key]: items = null } = body;
  const isList = Array.isArray(items) || (items === null && kind === `admin#directory#${key}`);
  if (isList && (next === null || typeof next === 'string'))
    return { items: (items ?? []) as readonly Json[], next: next === '' ? null : next };
  throw new SyncError('ReadFailed', `${origin} answers the request for ${what} with no list; check apiUrl`);
}
