/** Lists of a SCIM service (RFC 7644) as a source reads them: by cursor where the service gives one, else by index. */
import { SyncError } from '../../errors.ts';
import { createAuthorizer } from '../../http/authorization.ts';
import { createJsonApi, type JsonApi, type JsonObject } from '../../http/json-api.ts';
import type { Json } from '../../model.ts';
import { createIdLog, type IdLog } from '../../scim/id-log.ts';
import { isObject } from '../attribute-names.ts';
import { type ListPage, readPagedList } from '../paged-list.ts';
import type { SourceContext } from '../source.ts';
import { type ScimSourceConfig, toBaseUrl, toCredentials } from './config.ts';
import { readField } from './convert.ts';
import { listPublishedNames } from './published.ts';

/** A list by its path. */
export interface ScimList {
  readonly path: '/Users' | '/Groups';
  /** Resources of one page; fewer may come. */
  readonly count: number;
  /** For messages: `the list of people`. */
  readonly what: string;
  /** RFC 7644 section 3.4.2.2. What the service does not take, now or any more, throws `CursorExpired`. */
  readonly filter?: string;
}

export const USERS: ScimList = { path: '/Users', count: 100, what: 'the list of people' };
/** Fewer: each comes with all its members. */
export const GROUPS: ScimList = { path: '/Groups', count: 20, what: 'the list of groups' };

/** A page of a list, or what one pass more found of it. */
export interface ScimPage {
  readonly items: readonly Json[];
  readonly isLast: boolean;
  /** When it was given by the clock of the service, in milliseconds since 1970; null: it does not say. */
  readonly at: number | null;
}

export interface ScimSourceClient {
  /** The resource with this id; null where there is none. */
  find(path: string, id: string, signal: AbortSignal): Promise<JsonObject | null>;
  list(list: ScimList, signal: AbortSignal): AsyncGenerator<ScimPage>;
  /** The first resource of a list alone, and how many the service says that there are. */
  readFirst(list: ScimList, signal: AbortSignal): Promise<FirstOfList>;
  /** Attributes of users that the service says it has, dotted; none where it does not tell. */
  publishedNames(signal: AbortSignal): Promise<readonly string[]>;
}

export interface FirstOfList extends Pick<ScimPage, 'at'> {
  /** Null: there is none. */
  readonly first: Json;
  /** Null: the service does not say it. */
  readonly total: number | null;
}

export function createScimSourceClient(
  config: ScimSourceConfig,
  { secrets, where, http, now }: SourceContext,
): ScimSourceClient {
  const api = createJsonApi({
    baseUrl: toBaseUrl(config),
    http,
    // Sent and preferred is SCIM's own type (RFC 7644 section 3.1); some services know JSON only.
    accept: 'application/scim+json, application/json',
    authorizer: createAuthorizer(toCredentials(config, secrets, where), {
      http,
      where,
      unavailable: 'ReadFailed',
      now: () => now().getTime(),
    }),
    where,
    now: () => now().getTime(),
    explain: ({ status }, { query }) =>
      query?.['filter'] !== undefined && isRefusal(status) ? toRefused(status) : null,
  });
  return {
    find: (path, id, signal) => api.find({ path: `${path}/${encodeURIComponent(id)}`, what: 'one resource' }, signal),
    list: (list, signal) => readWhole(api, list, signal),
    async readFirst({ count: _one, ...list }, signal) {
      const { items, total, at } = await askPage(
        api,
        { list: { ...list, count: 1 }, place: { startIndex: '1' } },
        signal,
      );
      return { first: items[0] ?? null, total, at };
    },
    publishedNames: (signal) => readPublishedNames(api, signal),
  };
}

/** `invalidFilter` is 400 (RFC 7644 section 3.12); 501 is what a service may answer that has no filters. */
function isRefusal(status: number): boolean {
  return status === 400 || status === 501;
}

function toRefused(status: number): SyncError {
  return new SyncError('CursorExpired', `the service does not take the filter (${status})`);
}

/** Many services have no such endpoint, or one that does not work: then records alone tell. */
async function readPublishedNames(api: JsonApi, signal: AbortSignal): Promise<readonly string[]> {
  try {
    const body = await api.find({ path: '/Schemas', what: 'its schemas' }, signal);
    const resources = body === null ? null : readField(body, 'Resources');
    return Array.isArray(resources) ? listPublishedNames(resources) : [];
  } catch (thrown) {
    const error = SyncError.from(thrown);
    if (error.code === 'Aborted' || error.code === 'Unknown') throw error;
    return [];
  }
}

/** More passes over a list that changes all the time would only be slower. */
const MOST_PASSES = 3;

interface Pass {
  /** Resources that this pass has shown, each counted once. */
  shown: number;
  /** Resources of its pages so far: where the next page begins. */
  received: number;
  /** `totalResults` of the first page; null where the service does not say it. */
  total: number | null;
  /** It was another one on a later page. */
  changed: boolean;
  /** When its last page was given. */
  at: number | null;
}

/**
 * Every resource once. By index a list is no snapshot: when somebody is deleted, who comes behind moves up and may be in no
 * page. A pass whose total changes, or that shows fewer than it says, is followed by another one, which delivers what no
 * pass has shown.
 * @throws SyncError `ReadIncomplete` after the third such pass; what `readPagedList` throws
 */
async function* readWhole(api: JsonApi, list: ScimList, signal: AbortSignal): AsyncGenerator<ScimPage> {
  const ids = createIdLog();
  for (let number = 1; number <= MOST_PASSES; number += 1) {
    const pass: Pass = { shown: 0, received: 0, total: null, changed: false, at: null };
    const pages = readPagedList({
      origin: api.origin,
      what: list.what,
      readPage: (cursor) => readPage(api, { list, pass, cursor }, signal),
      toKey,
    });
    for await (const { items, total } of pages) {
      const fresh = noteItems(items, { ids, pass, number });
      const isLast = total !== undefined && isWhole(pass);
      yield { items: fresh, isLast, at: pass.at };
      if (isLast) return;
    }
  }
  throw new SyncError(
    'ReadIncomplete',
    `${api.origin} gave ${list.what} ${MOST_PASSES} times with fewer resources than it says, or with a total that changed; who is missing is not taken for gone`,
  );
}

function isWhole({ shown, total, changed }: Pass): boolean {
  return !changed && (total === null || shown >= total);
}

function toKey(item: Json): string {
  const id = isObject(item) ? readField(item, 'id') : null;
  return typeof id === 'string' ? id : JSON.stringify(item);
}

/** What no pass has shown yet. */
function noteItems(
  items: readonly Json[],
  { ids, pass, number }: { readonly ids: IdLog; readonly pass: Pass; readonly number: number },
): readonly Json[] {
  return items.filter((item) => {
    const sighting = ids.note(toKey(item), number);
    if (sighting !== 'repeated') pass.shown += 1;
    return sighting === 'new';
  });
}

const BY_CURSOR = 'cursor ';

interface PageOf {
  readonly list: ScimList;
  readonly pass: Pass;
  readonly cursor: string | null;
}

async function readPage(api: JsonApi, { list, pass, cursor }: PageOf, signal: AbortSignal): Promise<ListPage<Json>> {
  const place: PlaceInList = cursor?.startsWith(BY_CURSOR)
    ? { cursor: cursor.slice(BY_CURSOR.length) }
    : { startIndex: cursor ?? '1' };
  const { items, total, nextCursor, at } = await askPage(api, { list, place }, signal);
  pass.at = at;
  pass.changed ||= pass.total !== null && total !== null && total !== pass.total;
  pass.total ??= total;
  pass.received += items.length;
  if (nextCursor !== null) return { items, next: `${BY_CURSOR}${nextCursor}` };
  const isByCursor = cursor?.startsWith(BY_CURSOR) === true;
  // Without a total only an empty page is the end.
  const isEnd = isByCursor || items.length === 0 || (total !== null && pass.received >= total);
  return { items, next: isEnd ? null : String(pass.received + 1) };
}

type PlaceInList = { readonly cursor: string } | { readonly startIndex: string };

async function askPage(
  api: JsonApi,
  { list, place }: { readonly list: ScimList; readonly place: PlaceInList },
  signal: AbortSignal,
): Promise<ParsedPage & Pick<ScimPage, 'at'>> {
  const { path, count, what, filter } = list;
  const query = { ...place, count: String(count), ...(filter === undefined ? {} : { filter }) };
  let date = '';
  const onHead = (headers: Readonly<Record<string, string>>): void => {
    date = headers['date'] ?? '';
  };
  const body = await api.get({ path, query, what, onHead }, signal);
  const at = Date.parse(date);
  return { ...parsePage(body, api.origin, what), at: Number.isNaN(at) ? null : at };
}

interface ParsedPage {
  readonly items: readonly Json[];
  readonly total: number | null;
  readonly nextCursor: string | null;
}

/** RFC 7644 section 3.4.2: `Resources` may be missing where there are none, `totalResults` then says so. */
function parsePage(body: JsonObject, origin: string, what: string): ParsedPage {
  const resources = readField(body, 'Resources');
  const total = readField(body, 'totalResults');
  const nextCursor = readField(body, 'nextCursor');
  const isCount = typeof total === 'number' && Number.isSafeInteger(total) && total >= 0;
  if (!Array.isArray(resources ?? []) || (resources === undefined && !isCount)) {
    throw new SyncError('ReadFailed', `${origin} answers the request for ${what} with no list; check url`);
  }
  return {
    items: (resources ?? []) as readonly Json[],
    total: isCount ? total : null,
    nextCursor: typeof nextCursor === 'string' && nextCursor !== '' ? nextCursor : null,
  };
}
