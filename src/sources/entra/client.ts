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
  'the changes of people': 'User.Read.All',
  'the list of groups': 'GroupMember.Read.All',
  'the changes of groups': 'GroupMember.Read.All',
  'the members of a group': 'GroupMember.Read.All',
  'the application': 'Application.Read.All',
  'the assignments to the application': 'Application.Read.All',
  'the extensions of applications': 'Application.Read.All',
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
  /**
   * From where changes can be asked for from now on: a delta link.
   * @throws SyncError also where Graph does not track what is selected
   */
  latest(request: GraphRequest, signal: AbortSignal): Promise<string>;
  /**
   * What changed since a delta link, page by page; only the last page has the next one.
   * @throws SyncError `CursorExpired` where Graph does not take the link any more
   */
  changes(link: string, what: ChangeSubject, signal: AbortSignal): AsyncGenerator<PageOfChanges>;
}

export type ChangeSubject = Extract<GraphSubject, `the changes of ${string}`>;

export interface PageOfChanges {
  readonly items: readonly Json[];
  readonly link?: string;
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

  async function* readChanges(link: string, what: ChangeSubject, signal: AbortSignal): AsyncGenerator<PageOfChanges> {
    let last: string | null = null;
    const pages = readPagedList<Json>({
      origin,
      what,
      readPage: async (cursor) => {
        const body = await api.get({ path: cursor ?? link, what }, signal);
        last = toLink(body, { origin, baseUrl, what });
        return toPage(body, { origin, baseUrl, what });
      },
      // One group may be on several pages, with other members each time.
      toKey: (item) => JSON.stringify(item),
    });
    for await (const { items, total } of pages) {
      if (total === undefined) yield { items };
      else if (last !== null) yield { items, link: last };
      else throw new SyncError('ReadIncomplete', `${origin} ends ${what} without a link to the next ones`);
    }
  }

  return {
    origin,
    credential,
    changes: readChanges,
    async latest(request, signal) {
      const query = { ...request.query, $deltatoken: 'latest' };
      const link = toLink(await api.get({ ...request, query }, signal), { origin, baseUrl, what: request.what });
      if (link !== null) return link;
      throw new SyncError('ReadFailed', `${origin} gives no link to ${request.what}`);
    },
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

function toLink(body: JsonObject, { baseUrl }: PageOf): string | null {
  const link = body['@odata.deltaLink'];
  return typeof link === 'string' && link.startsWith(`${baseUrl}/`) ? link.slice(baseUrl.length) : null;
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
  // An old link, a damaged one and one that the service has reset cannot be told apart by status or code alone.
  if ([400, 404, 410].includes(status) && isOfChanges(what) && query['$deltatoken'] === undefined) {
    const said = code === '' ? String(status) : `${status} ${code}`;
    return new SyncError(
      'CursorExpired',
      `${origin} does not go on with ${what} from where the last read ended (${said})`,
    );
  }
  if (status === 404 && what === 'a photo') return toPhotoError(code, origin);
  const extensions = (query['$select'] ?? '').split(',').filter(isExtension);
  if (status === 400 && extensions.length > 0) {
    const message = `${origin} refuses the request for ${what} (400 ${code}); does the tenant have ${extensions.slice(0, 5).join(', ')}, in these letters?`;
    return new SyncError('ReadFailed', message);
  }
  return null;
}

function isOfChanges(what: GraphSubject): boolean {
  return what === 'the changes of people' || what === 'the changes of groups';
}

/** Seen for whoever has no photo. Another 404 may say that the person, or a mailbox, is not to be found now. */
const NO_PHOTO = new Set(['ImageNotFound', 'ErrorItemNotFound', 'itemNotFound', 'ErrorEntityNotFound', 'GetUserPhoto']);

function toPhotoError(code: string, origin: string): SyncError | null {
  if (NO_PHOTO.has(code)) return null;
  return new SyncError('ReadFailed', `${origin} does not say whether there is a photo (404 ${code})`);
}
