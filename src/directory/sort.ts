/** `sortBy` and `sortOrder` (RFC 7644 section 3.4.2.3). */

import { SyncError } from '../errors.ts';
import type { Json } from '../model.ts';
import { parseScimPath, type ResolvedPath, resolveScimPath } from '../scim/path.ts';
import { type AttributeDefinition, findAttribute } from '../scim/schema.ts';
import { type Catalog, CORE_URNS, type ResourceType } from './catalog.ts';
import { isObject, isUnassigned, type JsonObject, readKey, toList } from './json.ts';
import { toBadRequest } from './refusal.ts';

/** What a resource is sorted by; null when it has no value there. */
export type SortKey = string | number | boolean | null;

export interface SortRequest {
  readonly by: string;
  readonly descending: boolean;
}

/** How resources of one type are sorted. */
export interface Sorter {
  /** The top attribute that must be loaded. */
  readonly top: string;
  toKey(resource: JsonObject): SortKey;
}

/**
 * Texts are compared by as many characters, so that a cursor, which holds the last one, fits into a URL. Those that
 * begin alike are in the order in which they were made.
 */
const MAX_KEY_LENGTH = 200;

/** Refuses with 400 what the type does not have, or what has no order. */
export function createSorter(by: string, type: ResourceType, catalog: Catalog): Sorter {
  const resolved = resolve(by, type, catalog);
  const definition = toScalar(resolved.definition);
  if (definition.type === 'Complex' || definition.returned === 'never' || resolved.path.filter !== null) {
    throw toBadRequest('invalidValue', `"sortBy" cannot be "${by}": name an attribute that has one value`);
  }
  const { urn, attribute, sub } = resolved.path;
  return {
    top: urn ?? attribute,
    toKey(resource) {
      const container = urn === null || urn === CORE_URNS[type] ? resource : readKey(resource, urn);
      const first = toFirst(readKey(container, attribute));
      return toSortKey(sub === null ? toValue(first) : readKey(first, sub), definition);
    },
  };
}

function resolve(by: string, type: ResourceType, catalog: Catalog): ResolvedPath {
  try {
    return resolveScimPath(parseScimPath(by), catalog.schemas, type);
  } catch (error) {
    if (error instanceof SyncError) throw toBadRequest('invalidValue', `"sortBy": ${error.message}`);
    throw error;
  }
}

/** A list of complex values is sorted by their `value`. */
function toScalar(definition: AttributeDefinition): AttributeDefinition {
  return findAttribute(definition.subAttributes, 'value') ?? definition;
}

function toValue(value: Json | undefined): Json | undefined {
  return isObject(value) ? readKey(value, 'value') : value;
}

/** A list is sorted by its primary value, or else its first. */
function toFirst(value: Json | undefined): Json | undefined {
  const list = toList(value);
  return list.find((each) => readKey(each, 'primary') === true) ?? list[0];
}

function toSortKey(value: Json | undefined, definition: AttributeDefinition): SortKey {
  if (isUnassigned(value) || typeof value === 'object') return null;
  if (typeof value !== 'string') return value as number | boolean;
  if (definition.type === 'DateTime') return Date.parse(value);
  return (definition.caseExact ? value : value.toLowerCase()).slice(0, MAX_KEY_LENGTH);
}

/** Negative when `a` comes first in ascending order. What has no value comes last then, and first in descending order. */
export function compareKeys(a: SortKey, b: SortKey): number {
  if (a === b) return 0;
  if (a === null) return 1;
  if (b === null) return -1;
  return a < b ? -1 : 1;
}
