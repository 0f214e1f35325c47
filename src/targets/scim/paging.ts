/** Whole lists, by index (RFC 7644 section 3.4.2.4) and by cursor (RFC 9865). */

import { SyncError } from '../../errors.ts';
import type { Json } from '../../model.ts';
import { createIdLog, type IdLog } from '../../scim/id-log.ts';
import { isSuccess, type JsonObject, readScimType, requireBody, type ScimClient, toScimError } from './client.ts';
import { readField, toCount, toObject } from './convert.ts';

export interface ListRequest {
  /** `/Users` */
  readonly path: string;
  /** Parameters beside those of paging. */
  readonly query: Readonly<Record<string, string>>;
  readonly pageSize: number;
  /** Objects may be of any size, as groups with their members are: as many are asked for as make a page of bearable size. */
  readonly isHeavy?: boolean;
  readonly cursorOnly: boolean;
  /** Whole only if the service showed a cursor: one that knows none answers its first page, and nothing else, to any. */
  readonly provesCursor?: boolean;
  /** A search: a page that is not full and comes again has all that was found. */
  readonly isSearch?: boolean;
  /** Called when it did. */
  readonly onCursor?: () => void;
}

export interface ListPage {
  readonly resources: readonly JsonObject[];
  /** Every object of the list was delivered. */
  readonly last: boolean;
  readonly total: number | null;
}

/** How a pass over the list stands after a page. */
type Standing = 'more' | 'complete' | 'incomplete';

interface Pass {
  readonly list: ListRequest;
  /** What all passes over the list have shown. */
  readonly ids: IdLog;
  /** 1 for the first. */
  readonly number: number;
  /** Objects that this pass has shown, each counted once, and the first of them. */
  shown: number;
  firstId: string | null;
  readonly cursors: Set<string>;
  /** `totalResults` of the first page. */
  total: number | null;
  startIndex: number;
  /** Objects to ask for in the next page. */
  count: number;
  /** Null: by index. */
  cursor: string | null;
  /** The first page came again: the service answers it whatever is asked for. */
  repeats: boolean;
}

/**
 * Delivers every object once, or throws (T1). Paging is no snapshot: a pass that shows fewer objects than `totalResults`
 * says, whose total changes in between, or that comes to a page without anything new, is made once more, in another way
 * where the service repeats its first page; it delivers only what was not delivered yet. A second such pass throws
 * `TargetUnavailable`.
 */
export async function* listResources(
  client: ScimClient,
  list: ListRequest,
  signal: AbortSignal,
): AsyncGenerator<ListPage> {
  const ids = createIdLog();
  let request = list;
  for (const number of [1, 2]) {
    const pass = toPass(request, ids, number);
    let standing: Standing = 'more';
    for await (const page of readPass(client, pass, signal)) {
      standing = page.standing;
      yield { resources: page.fresh, last: standing === 'complete', total: page.total };
    }
    if (standing === 'complete') return;
    request = toOtherWay(pass);
  }
  throw toIncomplete(client, list);
}

function toPass(list: ListRequest, ids: IdLog, number: number): Pass {
  const cursor = list.cursorOnly ? '' : null;
  const heaviest = list.cursorOnly ? HEAVY_BY_CURSOR : HEAVY_AT_FIRST;
  const count = list.isHeavy === true ? Math.min(list.pageSize, heaviest) : list.pageSize;
  const start = { shown: 0, firstId: null, total: null, startIndex: 1, repeats: false };
  return { ...start, list, ids, number, cursors: new Set(), count, cursor };
}

/** Objects of any size that are asked for before it is known how large they are. */
const HEAVY_AT_FIRST = 2;
/** The same by cursor, where a list has pages of one size from its beginning to its end (RFC 9865 section 2.4). */
const HEAVY_BY_CURSOR = 25;
/** Characters of a page that are borne: members of some thousand. */
const BEARABLE = 512 * 1024;
/** Pages grow no faster, for the next objects may be larger than those before. */
const GROWTH = 4;

/** Of a list by index; where a page was too large the next is smaller. */
function toNextCount({ list, count }: Pass, { objects, length }: Page): number {
  if (list.isHeavy !== true || objects.length === 0) return count;
  const bearable = Math.floor((BEARABLE * objects.length) / length);
  return Math.max(1, Math.min(bearable, objects.length * GROWTH, list.pageSize));
}

/** The most that is asked for in one page of a service that has no other. */
const WHOLE_LIST = 5_000;

/**
 * A service that repeats its first page may give all in one, if that is asked for; or it pages by cursor without saying
 * so, which a page of half the size brings to light.
 */
function toOtherWay({ list, shown, total, repeats }: Pass): ListRequest {
  if (!repeats || list.cursorOnly) return list;
  if (total !== null) return { ...list, isHeavy: false, pageSize: Math.min(total, WHOLE_LIST) };
  return { ...list, cursorOnly: true, provesCursor: true, pageSize: Math.max(1, Math.ceil(shown / 2)) };
}

/** From the first page to one that ends the pass, whole or not; also ends when a cursor got lost. */
async function* readPass(
  client: ScimClient,
  pass: Pass,
  signal: AbortSignal,
): AsyncGenerator<Pick<Page, 'total'> & { fresh: readonly JsonObject[]; standing: Standing }> {
  for (;;) {
    const page = await readPage(client, pass, signal);
    if (page === null) return;
    const { total } = page;
    const { fresh, hasNews } = noteObjects(pass, page);
    const standing = advance(pass, page, hasNews);
    yield { fresh, total, standing };
    if (standing !== 'more') return;
  }
}

/** What no pass has shown yet, and whether this one came any further. */
function noteObjects(pass: Pass, { objects }: Page): { fresh: readonly JsonObject[]; hasNews: boolean } {
  const before = pass.shown;
  const fresh: JsonObject[] = [];
  for (const { id, resource } of objects) {
    pass.firstId ??= id;
    const sighting = pass.ids.note(id, pass.number);
    if (sighting !== 'repeated') pass.shown += 1;
    if (sighting === 'new') fresh.push(resource);
  }
  return { fresh, hasNews: pass.shown > before };
}

function toIncomplete(client: ScimClient, list: ListRequest): SyncError {
  return new SyncError(
    'TargetUnavailable',
    `${client.origin} twice gave a list of ${list.path} that is not complete; it may be changing, or pages may be broken`,
  );
}

interface Page {
  readonly objects: readonly { readonly id: string; readonly resource: JsonObject }[];
  readonly total: number | null;
  readonly nextCursor: string | null;
  /** Characters. */
  readonly length: number;
}

const LOST_CURSORS = new Set(['invalidcursor', 'expiredcursor', 'invalidcount']);

/** Null when the cursor got lost, so that the list has to be begun again. */
async function readPage(client: ScimClient, pass: Pass, signal: AbortSignal): Promise<Page | null> {
  const { list } = pass;
  const position: Record<string, string> =
    pass.cursor === null ? { startIndex: String(pass.startIndex) } : { cursor: pass.cursor };
  const query = { ...list.query, ...position, count: String(pass.count) };
  const answer = await client.send({ method: 'GET', path: list.path, query }, signal);
  if (answer.status === 400 && LOST_CURSORS.has(readScimType(answer).toLowerCase())) return null;
  if (answer.status === 404) throw toMissing(client, list);
  if (!isSuccess(answer)) throw toScimError(answer, client.origin);
  return { ...toPage(requireBody(answer, client.origin), client, list), length: answer.length };
}

function toMissing(client: ScimClient, list: ListRequest): SyncError {
  return new SyncError('TargetUnavailable', `${client.origin} has no ${list.path} below the URL; check the URL`);
}

function toPage(body: JsonObject, client: ScimClient, list: ListRequest): Omit<Page, 'length'> {
  const resources = readField(body, 'Resources') ?? [];
  const total = toCount(readField(body, 'totalResults'));
  const nextCursor = readField(body, 'nextCursor');
  const isList =
    Array.isArray(resources) && (resources.length > 0 || total !== null || readField(body, 'Resources') !== undefined);
  if (!isList) {
    throw new SyncError('TargetUnavailable', `${client.origin} answers ${list.path} with no list; check the URL`);
  }
  const objects = resources.map((each: Json) => {
    const resource = toObject(each) ?? {};
    const id = readField(resource, 'id');
    if (typeof id === 'string' && id !== '') return { id, resource };
    throw new SyncError('TargetUnavailable', `${client.origin} lists an object of ${list.path} that has no id`);
  });
  return { objects, total, nextCursor: typeof nextCursor === 'string' && nextCursor !== '' ? nextCursor : null };
}

function advance(pass: Pass, page: Page, hasNews: boolean): Standing {
  const changed = pass.total !== null && page.total !== null && page.total !== pass.total;
  pass.total ??= page.total;
  if (changed) return 'incomplete';
  // Whatever was asked for: a service that pages by cursor only may send one, and its first page is not its whole list.
  if (page.nextCursor !== null) return followCursor(pass, page.nextCursor);
  const isShort = page.total !== null && pass.shown < page.total;
  if (pass.cursor !== null) return isShort || isUnproven(pass) ? 'incomplete' : 'complete';
  if (!isShort && page.total !== null) return 'complete';
  if (!hasNews) return endAtNothingNew(pass, page, isShort);
  // Fewer may come than were asked for, so the next page begins behind what was received.
  pass.startIndex += page.objects.length;
  pass.count = toNextCount(pass, page);
  return 'more';
}

/** An empty page is the end; one that shows what came before is none. Of one object alone nobody makes pages. */
function endAtNothingNew(pass: Pass, { objects: [first] }: Page, isShort: boolean): Standing {
  pass.repeats = first !== undefined && first.id === pass.firstId;
  const isSure = pass.list.isSearch === true || pass.shown === 1;
  const isAll = pass.repeats && isSure && pass.shown < pass.list.pageSize;
  return isShort || (first !== undefined && !isAll) ? 'incomplete' : 'complete';
}

function isUnproven({ list, cursors }: Pass): boolean {
  return list.provesCursor === true && cursors.size === 0;
}

function followCursor(pass: Pass, cursor: string): Standing {
  if (pass.cursors.has(cursor)) return 'incomplete';
  pass.cursors.add(cursor);
  if (pass.list.provesCursor === true) pass.list.onCursor?.();
  pass.cursor = cursor;
  return 'more';
}
