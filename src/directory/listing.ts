/** Lists of users and groups (RFC 7644 section 3.4.2), by index and by cursor. */

import { URN_LIST_RESPONSE } from '../scim/schema.ts';
import type { Catalog, ResourceType } from './catalog.ts';
import { type CursorScope, type Position, parseCursor, printCursor } from './cursor.ts';
import { type FilterNode, isMatch, listTops, parseResourceFilter } from './filter.ts';
import { type SqlCondition, toSqlCondition } from './filter-sql.ts';
import type { JsonObject } from './json.ts';
import type { Projection } from './projection.ts';
import { Refusal } from './refusal.ts';
import { type ResourceContext, toRepresentation, toWhole } from './resources.ts';
import { compareKeys, createSorter, type Sorter, type SortKey, type SortRequest } from './sort.ts';
import type { StoredResource } from './store.ts';

export interface ListRequest {
  readonly filter: string | null;
  readonly sort: SortRequest | null;
  readonly page: IndexPage | CursorPage;
  toProjection(type: ResourceType, catalog: Catalog): Projection;
}

export interface IndexPage {
  readonly kind: 'index';
  /** From 1. */
  readonly startIndex: number;
  /** 0 answers the number of matches alone. */
  readonly count: number;
}

export interface CursorPage {
  readonly kind: 'cursor';
  /** Empty for the first page. */
  readonly cursor: string;
  /** At least 1. */
  readonly count: number;
  readonly scope: CursorScope;
}

/**
 * A page of a list. Without a sort it has the order in which resources were made, one type after the other. A filter
 * that names what a type does not have matches none of it (RFC 7644 section 3.4.2.1); when no type has it, it is
 * refused with 400.
 */
export function listResources(request: ListRequest, contexts: readonly ResourceContext[]): JsonObject {
  const lists = toUsable(contexts.map((context) => attempt(() => toTypeList(request, context))));
  const { page } = request;
  const read = request.sort === null ? readInOrder : createSortedReader(request.sort, lists);
  if (page.kind === 'index') {
    const { total, items } = read(lists, { after: null, offset: page.startIndex - 1, limit: page.count });
    return toListResponse(total, items, { startIndex: page.startIndex });
  }
  const after = page.cursor === '' ? null : parseCursor(page.cursor, page.scope);
  const { total, items } = read(lists, { after, offset: 0, limit: page.count + 1 });
  const shown = items.slice(0, page.count);
  const last = items.length > page.count ? shown.at(-1) : undefined;
  return toListResponse(total, shown, last === undefined ? {} : { nextCursor: printCursor(last, page.scope) });
}

function toListResponse(total: number, items: readonly Item[], paging: JsonObject): JsonObject {
  return {
    schemas: [URN_LIST_RESPONSE],
    totalResults: total,
    itemsPerPage: items.length,
    ...paging,
    Resources: items.map(({ list, resource }) => toRepresentation(resource, list.projection, list.context)),
  };
}

/** The resources of one type that a request asks for. */
interface TypeList {
  readonly context: ResourceContext;
  readonly filter: FilterNode | null;
  readonly condition: SqlCondition | null;
  readonly projection: Projection;
}

interface Item extends Position {
  readonly list: TypeList;
  readonly resource: StoredResource;
}

interface Range {
  /** Null from the beginning. */
  readonly after: Position | null;
  readonly offset: number;
  readonly limit: number;
}

interface Page<T> {
  /** Of the whole list, whatever the range. */
  readonly total: number;
  readonly items: readonly T[];
}

type Reader = (lists: readonly TypeList[], range: Range) => Page<Item>;

function toTypeList(request: ListRequest, context: ResourceContext): TypeList {
  const filter = request.filter === null ? null : parseResourceFilter(request.filter, context.type, context.catalog);
  const condition = filter === null ? null : toSqlCondition(filter, context.type);
  return { context, filter, condition, projection: request.toProjection(context.type, context.catalog) };
}

function attempt<T>(work: () => T): T | Refusal {
  try {
    return work();
  } catch (error) {
    if (error instanceof Refusal) return error;
    throw error;
  }
}

/** What was not refused; refuses itself when nothing is left. */
function toUsable<T extends object>(results: readonly (T | Refusal)[]): T[] {
  const usable = results.filter((each): each is T => !(each instanceof Refusal));
  const refused = results.find((each) => each instanceof Refusal);
  if (refused !== undefined && usable.length === 0) throw refused;
  return usable;
}

function readInOrder(lists: readonly TypeList[], { after, offset, limit }: Range): Page<Item> {
  const items: Item[] = [];
  let total = 0;
  let isReached = after === null;
  for (const list of lists) {
    const isHere = after?.type === list.context.type;
    isReached ||= isHere;
    const page = readType(list, {
      after: isHere ? (after?.seq ?? 0) : 0,
      offset: Math.max(0, offset - total),
      limit: isReached ? limit - items.length : 0,
    });
    const { type } = list.context;
    items.push(...page.items.map((resource) => ({ list, resource, type, seq: resource.seq, key: null })));
    total += page.total;
  }
  return { total, items };
}

interface TypeRange {
  readonly after: number;
  readonly offset: number;
  readonly limit: number;
}

function readType(list: TypeList, range: TypeRange): Page<StoredResource> {
  const { filter, condition, context } = list;
  if (filter !== null && condition?.exact !== true) return searchType(list, range);
  const { store, type } = context;
  return {
    total: store.count(type, condition),
    items: range.limit <= 0 ? [] : store.page(type, condition, range),
  };
}

/** Tests one resource after the other and keeps the page alone. */
function searchType(list: TypeList, { after, offset, limit }: TypeRange): Page<StoredResource> {
  const items: StoredResource[] = [];
  let total = 0;
  let passed = 0;
  for (const { resource } of scanMatches(list, [])) {
    total += 1;
    if (resource.seq <= after) continue;
    passed += 1;
    if (passed > offset && items.length < limit) items.push(resource);
  }
  return { total, items };
}

/** Every match with its attributes, of which those that the filter and `tops` name are complete. */
function* scanMatches({ filter, condition, context }: TypeList, tops: readonly string[]) {
  const needed = new Set([...(filter === null ? [] : listTops(filter)), ...tops]);
  for (const resource of context.store.scan(context.type, condition)) {
    const whole = toWhole(resource, (name) => needed.has(name), context);
    if (filter === null || isMatch(filter, whole)) yield { resource, whole };
  }
}

/** A resource in a sorted list: its body is read again when it is on the page, and not kept until then. */
interface Entry extends Position {
  readonly id: string;
  readonly list: TypeList;
}

/** Sorting reads every match, for every page. Refuses as `createSorter` does when no type has the attribute. */
function createSortedReader({ by, descending }: SortRequest, lists: readonly TypeList[]): Reader {
  const sorters = lists.map(({ context }) => attempt(() => createSorter(by, context.type, context.catalog)));
  toUsable(sorters);
  const compare = (a: Position, b: Position) => {
    const order = compareKeys(a.key, b.key);
    return (descending ? -order : order) || compareOrigin(a, b);
  };
  return (_lists, { after, offset, limit }) => {
    const entries = lists.flatMap((list, index) => toEntries(list, sorters[index])).sort(compare);
    const rest = after === null ? entries : entries.filter((each) => compare(each, after) > 0);
    return { total: entries.length, items: rest.slice(offset, offset + limit).flatMap(toItem) };
  };
}

/** Users before groups, older before newer. */
function compareOrigin(a: Position, b: Position): number {
  if (a.type !== b.type) return a.type === 'User' ? -1 : 1;
  return a.seq - b.seq;
}

/** A type that lacks the attribute has no value of it. */
function toEntries(list: TypeList, sorter: Sorter | Refusal | undefined): Entry[] {
  const { type } = list.context;
  const usable = sorter instanceof Refusal ? undefined : sorter;
  const entries: Entry[] = [];
  for (const { resource, whole } of scanMatches(list, usable === undefined ? [] : [usable.top])) {
    const key: SortKey = usable?.toKey(whole) ?? null;
    entries.push({ list, type, key, id: resource.id, seq: resource.seq });
  }
  return entries;
}

function toItem({ id, ...entry }: Entry): Item[] {
  const resource = entry.list.context.store.find(entry.type, id);
  return resource === undefined ? [] : [{ ...entry, resource }];
}
