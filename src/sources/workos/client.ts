/** Requests to the Directory Sync API of WorkOS: the directory itself, its lists page by page, and its events. */
import { SyncError } from '../../errors.ts';
import { toStaticAuthorizer } from '../../http/authorization.ts';
import { createJsonApi, type JsonApi, type JsonObject } from '../../http/json-api.ts';
import type { Json } from '../../model.ts';
import { isObject } from '../attribute-names.ts';
import { type ListPage, type PageOfList, readPagedList } from '../paged-list.ts';
import type { SourceContext } from '../source.ts';
import { toAuthorization, toBaseUrl, type WorkosConfig } from './config.ts';

/** The most that a page may have. */
const PAGE_SIZE = 100;

export interface WorkosDirectory {
  readonly id: string;
  readonly name: string | null;
  readonly domain: string | null;
  readonly organizationId: string | null;
  /** How many it says that it has; null where it does not. */
  readonly users: number | null;
  readonly groups: number | null;
}

/** A list by its path, with what narrows it. */
export interface WorkosList {
  readonly path: '/directory_users' | '/directory_groups';
  readonly query: Readonly<Record<string, string>>;
  /** For messages: `the list of people`. */
  readonly what: string;
}

export interface WorkosClient {
  readonly origin: string;
  readonly directoryId: string;
  /**
   * @throws SyncError `ReadFailed` where there is none, or it is in a state in which its lists say nothing: being deleted,
   *   unlinked, or with credentials that its own directory refuses
   */
  readDirectory(signal: AbortSignal): Promise<WorkosDirectory>;
  /** Items as they are, whatever they are. */
  list(list: WorkosList, signal: AbortSignal): AsyncGenerator<PageOfList<Json>>;
  /** The first page alone. */
  readPage(list: WorkosList, signal: AbortSignal): Promise<ListPage<Json>>;
  /**
   * Events that came behind an event, or since a time, the oldest first.
   * @throws SyncError `CursorExpired` where the event is not known (any more)
   */
  listEvents(from: EventsFrom, signal: AbortSignal): AsyncGenerator<PageOfList<Json>>;
  /** The newest event; null: there is none in the 30 days that events are kept. */
  readLastEvent(organizationId: string | null, signal: AbortSignal): Promise<Json>;
}

export interface EventsFrom {
  /** Null: of all organisations of the environment. */
  readonly organizationId: string | null;
  /** The id of an event, or a time in the form of ISO 8601. The API takes one of them. */
  readonly start: { readonly after: string } | { readonly range_start: string };
}

const EVENTS = 'the list of events';
/** Of a request that names an event: it is not known, or not any more. */
const REFUSED: ReadonlySet<number> = new Set([400, 404, 410, 422]);
/** Of the directory itself too: what becomes of its people then is not told one by one. */
const EVENT_TYPES = [
  'dsync.activated',
  'dsync.deleted',
  'dsync.user.created',
  'dsync.user.updated',
  'dsync.user.deleted',
  'dsync.group.created',
  'dsync.group.updated',
  'dsync.group.deleted',
  'dsync.group.user_added',
  'dsync.group.user_removed',
].join(',');

export function createWorkosClient(config: WorkosConfig, { secrets, where, http, now }: SourceContext): WorkosClient {
  const api = createJsonApi({
    baseUrl: toBaseUrl(config),
    http,
    authorizer: toStaticAuthorizer(toAuthorization(secrets, where)),
    where,
    now: () => now().getTime(),
    explain: ({ status }, { query = {} }) =>
      query['events'] !== undefined && query['after'] !== undefined && REFUSED.has(status)
        ? toExpired(api.origin)
        : null,
  });
  const { directoryId } = config;
  const { origin } = api;

  async function readPage(list: WorkosList, signal: AbortSignal, after: string | null = null): Promise<ListPage<Json>> {
    const { path, query, what } = list;
    // Ascending: who joins while the list is read comes at its end.
    const paging: Record<string, string> = { ...query, limit: String(PAGE_SIZE), order: 'asc' };
    if (after !== null) paging['after'] = after;
    return toPage(await api.get({ path, query: paging, what }, signal), origin, what);
  }

  async function readEvents(
    organizationId: string | null,
    query: Readonly<Record<string, string>>,
    signal: AbortSignal,
  ): Promise<ListPage<Json>> {
    const ofOne: Record<string, string> = organizationId === null ? {} : { organization_id: organizationId };
    const request = { path: '/events', query: { events: EVENT_TYPES, ...query, ...ofOne }, what: EVENTS };
    return toPage(await api.get(request, signal), origin, EVENTS);
  }

  return {
    origin,
    directoryId,
    listEvents: ({ organizationId, start }, signal) =>
      readPagedList({
        origin,
        what: EVENTS,
        readPage: (cursor) => {
          const from = cursor === null ? start : { after: cursor };
          return readEvents(organizationId, { ...from, limit: String(PAGE_SIZE), order: 'asc' }, signal);
        },
        toKey,
      }),
    async readLastEvent(organizationId, signal) {
      const { items } = await readEvents(organizationId, { limit: '1', order: 'desc' }, signal);
      return items[0] ?? null;
    },
    readDirectory: (signal) => readDirectory(api, directoryId, signal),
    readPage: (list, signal) => readPage(list, signal),
    list: (list, signal) =>
      readPagedList({
        origin,
        what: list.what,
        readPage: (cursor) => readPage(list, signal, cursor),
        toKey,
      }),
  };
}

function toExpired(origin: string): SyncError {
  return new SyncError('CursorExpired', `${origin} does not go on from the event that was the last one`);
}

function toKey(item: Json): string {
  return isObject(item) && typeof item['id'] === 'string' ? item['id'] : JSON.stringify(item);
}

/** Of `linked` events say `active`. */
const READABLE_STATES = new Set(['linked', 'active']);
const ADVICE: Readonly<Record<string, string>> = {
  deleting: 'it is being deleted, and its people with it',
  unlinked: 'link it again',
  inactive: 'link it again',
  validating: 'it is being set up',
  invalid_credentials:
    'its own directory refuses the credentials that WorkOS has; mend them in the dashboard of WorkOS',
};

async function readDirectory(api: JsonApi, directoryId: string, signal: AbortSignal): Promise<WorkosDirectory> {
  const path = `/directories/${encodeURIComponent(directoryId)}`;
  const body = await api.find({ path, what: 'the directory' }, signal);
  if (body === null) {
    const message = `${api.origin} has no directory ${directoryId} for this key; check directoryId, and of which environment the key is`;
    throw new SyncError('ReadFailed', message);
  }
  const { id, state, name = null, domain = null, organization_id: organizationId = null } = body;
  if (id !== directoryId)
    throw new SyncError('ReadFailed', `${api.origin} answers with another directory than ${directoryId}`);
  const shown = typeof state === 'string' && /^\w{1,40}$/.test(state) ? state : 'unknown';
  if (!READABLE_STATES.has(shown)) {
    const message = `the directory ${directoryId} is in the state ${shown}: ${ADVICE[shown] ?? 'what it lists cannot be trusted'}. Nobody is changed`;
    throw new SyncError('ReadFailed', message);
  }
  return {
    id: directoryId,
    name: typeof name === 'string' ? name : null,
    domain: typeof domain === 'string' && domain !== '' ? domain : null,
    organizationId: typeof organizationId === 'string' && organizationId !== '' ? organizationId : null,
    ...toTotals(body['metadata'] ?? null),
  };
}

/** People by their state; whoever is in a state that is not counted makes the list longer, which is no loss. */
function toTotals(metadata: Json): Pick<WorkosDirectory, 'users' | 'groups'> {
  const { users = null, groups = null } = isObject(metadata) ? metadata : {};
  const counts = isObject(users) ? ['active', 'inactive'].map((state) => toCount(users[state])) : [];
  const sum = counts.reduce<number>((total, count) => total + (count ?? 0), 0);
  return { users: counts.some((count) => count !== null) ? sum : null, groups: toCount(groups) };
}

function toCount(value: Json | undefined): number | null {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 ? value : null;
}

/** `list_metadata.after` must be said: a list without it does not tell whether it is at its end. */
function toPage({ data, list_metadata: metadata }: JsonObject, origin: string, what: string): ListPage<Json> {
  const after = isObject(metadata) ? metadata['after'] : undefined;
  if (Array.isArray(data) && (after === null || (typeof after === 'string' && after !== ''))) {
    return { items: data as readonly Json[], next: after };
  }
  throw new SyncError('ReadFailed', `${origin} answers the request for ${what} with no list; check apiUrl`);
}
