/** The parameters of a list, from a query (RFC 7644 section 3.4.2) or a SearchRequest (section 3.4.3). */

import type { Json } from '../model.ts';
import { URN_SEARCH_REQUEST } from '../scim/schema.ts';
import type { ResourceType } from './catalog.ts';
import { toFingerprint } from './cursor.ts';
import { readKey } from './json.ts';
import type { CursorPage, IndexPage, ListRequest } from './listing.ts';
import { parseProjection } from './projection.ts';
import { toBadRequest } from './refusal.ts';
import type { SortRequest } from './sort.ts';
import { assertSchemas } from './validate.ts';

/** As they were sent: null for none. */
export interface ListParameters {
  readonly filter: string | null;
  readonly sortBy: string | null;
  readonly sortOrder: string | null;
  readonly startIndex: Json;
  readonly count: Json;
  readonly cursor: string | null;
  readonly attributes: readonly string[] | null;
  readonly excludedAttributes: readonly string[] | null;
}

export interface PageLimits {
  readonly defaultPageSize: number;
  readonly maxPageSize: number;
  readonly cursorTimeoutSeconds: number;
  readClock(): Date;
}

export function fromQuery(query: URLSearchParams): ListParameters {
  return {
    filter: query.get('filter'),
    sortBy: query.get('sortBy'),
    sortOrder: query.get('sortOrder'),
    startIndex: query.get('startIndex'),
    count: query.get('count'),
    cursor: query.get('cursor'),
    attributes: toNames(query.get('attributes')),
    excludedAttributes: toNames(query.get('excludedAttributes')),
  };
}

/** A list of names that commas separate. */
function toNames(text: string | null): string[] | null {
  return text === null ? null : text.split(',');
}

/** Refuses with 400 what has the wrong type. */
export function fromSearchRequest(body: Json): ListParameters {
  assertSchemas(readKey(body, 'schemas'), URN_SEARCH_REQUEST);
  const text = (name: string, scimType: 'invalidFilter' | 'invalidValue' | 'invalidCursor') => {
    const value = readKey(body, name) ?? null;
    if (value === null || typeof value === 'string') return value;
    throw toBadRequest(scimType, `"${name}" must be a string`);
  };
  return {
    filter: text('filter', 'invalidFilter'),
    sortBy: text('sortBy', 'invalidValue'),
    sortOrder: text('sortOrder', 'invalidValue'),
    startIndex: readKey(body, 'startIndex') ?? null,
    count: readKey(body, 'count') ?? null,
    cursor: text('cursor', 'invalidCursor'),
    attributes: toNameList('attributes', readKey(body, 'attributes')),
    excludedAttributes: toNameList('excludedAttributes', readKey(body, 'excludedAttributes')),
  };
}

function toNameList(name: string, value: Json | undefined): string[] | null {
  if (value === undefined || value === null) return null;
  if (Array.isArray(value) && value.every((each): each is string => typeof each === 'string')) return value;
  throw toBadRequest('invalidValue', `"${name}" must be a list of strings`);
}

/** Refuses with 400 what has no meaning. `types` are those that the list is of: a cursor is good for no other list. */
export function toListRequest(
  parameters: ListParameters,
  types: readonly ResourceType[],
  limits: PageLimits,
): ListRequest {
  return {
    filter: parameters.filter?.trim() === '' ? null : parameters.filter,
    sort: toSort(parameters),
    page: parameters.cursor === null ? toIndexPage(parameters, limits) : toCursorPage(parameters, types, limits),
    toProjection: (type, catalog) => parseProjection(parameters, type, catalog),
  };
}

function toSort({ sortBy, sortOrder }: ListParameters): SortRequest | null {
  const order = (sortOrder ?? 'ascending').toLowerCase();
  if (order !== 'ascending' && order !== 'descending') {
    throw toBadRequest('invalidValue', '"sortOrder" must be ascending or descending');
  }
  return sortBy === null || sortBy === '' ? null : { by: sortBy, descending: order === 'descending' };
}

function toIndexPage({ startIndex, count }: ListParameters, limits: PageLimits): IndexPage {
  return {
    kind: 'index',
    startIndex: Math.max(1, toInteger('startIndex', startIndex, 1)),
    count: Math.min(limits.maxPageSize, Math.max(0, toInteger('count', count, limits.defaultPageSize))),
  };
}

function toCursorPage(parameters: ListParameters, types: readonly ResourceType[], limits: PageLimits): CursorPage {
  const { filter, sortBy, sortOrder, attributes, excludedAttributes } = parameters;
  if (parameters.startIndex !== null) {
    throw toBadRequest('invalidCursor', '"cursor" and "startIndex" cannot be used together');
  }
  const count = Math.min(limits.maxPageSize, toCursorCount(parameters.count, limits));
  const fingerprint = toFingerprint([types, filter, sortBy, sortOrder, attributes, excludedAttributes]);
  const scope = { fingerprint, count, timeoutSeconds: limits.cursorTimeoutSeconds, now: limits.readClock() };
  return { kind: 'cursor', cursor: parameters.cursor ?? '', count, scope };
}

function toCursorCount(given: Json, { defaultPageSize, maxPageSize }: PageLimits): number {
  const count = given === null || given === '' ? defaultPageSize : Number(given);
  if (Number.isSafeInteger(count) && count >= 1) return count;
  throw toBadRequest('invalidCount', `"count" must be a whole number from 1 to ${maxPageSize}`);
}

function toInteger(name: string, value: Json, fallback: number): number {
  if (value === null || value === '') return fallback;
  const number = typeof value === 'string' ? Number(value) : value;
  if (typeof number === 'number' && Number.isSafeInteger(number)) return number;
  throw toBadRequest('invalidValue', `"${name}" must be a whole number`);
}
