/** Requests to Microsoft Graph v1.0: objects, and lists page by page. */
import { SyncError } from '../../errors.ts';
import { toTokenAuthorizer } from '../../http/authorization.ts';
import type { LastResponse } from '../../http/client.ts';
import { createJsonApi, type JsonObject, type JsonRequest } from '../../http/json-api.ts';
import type { Json } from '../../model.ts';
import { isObject } from '../attribute-names.ts';
import { type ListPage, type PageOfList, readPagedList } from '../paged-list.ts';
import type { SourceContext } from '../source.ts';
import { type EntraConfig, toGraphUrl } from './config.ts';
import { type EntraCredential, toCredential } from './credentials.ts';
import { isExtension } from './properties.ts';

/** The most that a page may have. */
export const PAGE_SIZE = 999;

export const VERSION = '/v1.0';

/** What is asked for, as messages call it → the application permission that it needs. */
const PERMISSIONS = {
  'the tenant': 'Organization.Read.All',
  'the list of people': 'User.Read.All',
  'one person': 'User.Read.All',
  'a photo': 'User.Read.All',
  'the list of groups': 'GroupMember.Read.All',
  'the members of a group': 'GroupMember.Read.All',
  'the application': 'Application.Read.All',
  'the assignments to the application': 'Application.Read.All',
} as const;

export type GraphSubject = keyof typeof PERMISSIONS;

export interface GraphRequest extends JsonRequest {
  readonly what: GraphSubject;
}

export interface GraphClient {
  readonly origin: string;
  readonly credential: EntraCredential;
  /** Null: there is none. */
  find(request: GraphRequest, signal: AbortSignal): Promise<JsonObject | null>;
  get(request: GraphRequest, signal: AbortSignal): Promise<JsonObject>;
  findBytes(request: GraphRequest, mostBytes: number, signal: AbortSignal): Promise<Uint8Array | 'tooLarge' | null>;
  /** Items as they are, whatever they are. */
  list(request: GraphRequest, signal: AbortSignal): AsyncGenerator<PageOfList<Json>>;
}

export function createGraphClient(config: EntraConfig, context: SourceContext): GraphClient {
  const credential = toCredential(config, context);
  const baseUrl = toGraphUrl(config);
  const api = createJsonApi({
    baseUrl,
    http: context.http,
    authorizer: toTokenAuthorizer(credential.tokens),
    where: context.where === '' ? 'the workload identity' : context.where,
    now: () => context.now().getTime(),
    explain: (response, request) => explain(response, request as GraphRequest, { origin: api.origin, credential }),
  });
  const { origin } = api;

  async function readPage(request: GraphRequest, cursor: string | null, signal: AbortSignal): Promise<ListPage<Json>> {
    const { what } = request;
    // The link holds the query; headers it does not.
    const { query: _asked, ...rest } = request;
    const body = await api.get(cursor === null ? request : { ...rest, path: cursor }, signal);
    return toPage(body, { origin, baseUrl, what });
  }

  return {
    origin,
    credential,
    find: api.find,
    get: api.get,
    findBytes: api.findBytes,
    list: (request, signal) =>
      readPagedList({
        origin,
        what: request.what,
        readPage: (cursor) => readPage(request, cursor, signal),
        toKey: (item) => (isObject(item) && typeof item['id'] === 'string' ? item['id'] : JSON.stringify(item)),
      }),
  };
}

interface PageOf {
  readonly origin: string;
  readonly baseUrl: string;
  readonly what: GraphSubject;
}

/** `@odata.nextLink` is followed as it is, and nowhere else than where the credentials belong. */
function toPage(body: JsonObject, { origin, baseUrl, what }: PageOf): ListPage<Json> {
  const { value, '@odata.nextLink': next = null } = body;
  if (!Array.isArray(value) || (next !== null && typeof next !== 'string')) {
    throw new SyncError('ReadFailed', `${origin} answers the request for ${what} with no list; check graphUrl`);
  }
  if (next !== null && !next.startsWith(`${baseUrl}/`)) {
    const message = `${origin} names a next page of ${what} at another address, which is not followed; check graphUrl`;
    throw new SyncError('ReadFailed', message);
  }
  return { items: value as readonly Json[], next: next === null ? null : next.slice(baseUrl.length) };
}

/** Graph's own code; empty where the answer has none. Texts of errors may name people, and are not stable. */
function readGraphCode({ body }: Pick<LastResponse, 'body'>): string {
  try {
    const value: unknown = JSON.parse(body);
    const error = isObject(value) ? value['error'] : undefined;
    const code = isObject(error) ? error['code'] : undefined;
    return typeof code === 'string' && /^\w{1,64}$/.test(code) ? code : '';
  } catch {
    return '';
  }
}

function explain(
  response: LastResponse,
  { what, query = {} }: GraphRequest,
  { origin, credential: { clientId } }: Pick<GraphClient, 'origin' | 'credential'>,
): SyncError | null {
  const { status } = response;
  const code = readGraphCode(response);
  if (status === 403 && code === 'Authorization_RequestDenied') {
    const application = clientId === '' ? 'the application' : `the application ${clientId}`;
    const message = `${origin} does not let ${application} read ${what} (403 ${code}): give it the application permission ${PERMISSIONS[what]}, with the consent of an administrator`;
    return new SyncError('CredentialsRejected', message);
  }
  if (status === 404 && what === 'a photo') return toPhotoError(code, origin);
  const extensions = (query['$select'] ?? '').split(',').filter(isExtension);
  if (status === 400 && extensions.length > 0) {
    const message = `${origin} refuses the request for ${what} (400 ${code}); does the tenant have ${extensions.slice(0, 5).join(', ')}, in these letters?`;
    return new SyncError('ReadFailed', message);
  }
  return null;
}

/** Seen for whoever has no photo. Another 404 may say that the person, or a mailbox, is not to be found now. */
const NO_PHOTO = new Set(['ImageNotFound', 'ErrorItemNotFound', 'itemNotFound', 'ErrorEntityNotFound', 'GetUserPhoto']);

function toPhotoError(code: string, origin: string): SyncError | null {
  if (NO_PHOTO.has(code)) return null;
  return new SyncError('ReadFailed', `${origin} does not say whether there is a photo (404 ${code})`);
}
