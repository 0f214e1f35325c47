/**
 * Filters of RFC 7644 section 3.4.2.2. The grammar is scim2-parse-filter's; what a filter means for a resource is
 * decided here, because the library's own tester knows no schema: it compares without regard to `caseExact`, to dates
 * and to complex values, and never finds an attribute that is absent by `ne` or `eq null`.
 */

import { type Filter, parse } from 'scim2-parse-filter';
import { SyncError } from '../errors.ts';
import type { Json } from '../model.ts';
import { parseScimPath, resolveScimPath, type ScimPath } from '../scim/path.ts';
import { type AttributeDefinition, findAttribute } from '../scim/schema.ts';
import { type Catalog, CORE_URNS, type ResourceType } from './catalog.ts';
import { isObject, isUnassigned, type JsonObject, readKey } from './json.ts';
import { Refusal, toBadRequest } from './refusal.ts';

export type CompareOperator = 'eq' | 'ne' | 'co' | 'sw' | 'ew' | 'gt' | 'ge' | 'lt' | 'le';
export type CompareValue = string | number | boolean | null;

/** Where a filter looks: an attribute of the resource, or of a list's entry inside brackets. */
export interface Place {
  /** Canonical path, as `userName` or `members.value`; names of unknown extensions as written. */
  readonly text: string;
  /** The top attribute that must be loaded to look there. */
  readonly top: string;
  /** Null for attributes of extensions that no schema describes. */
  readonly definition: AttributeDefinition | null;
  /** Every value that stands there, lists taken apart. */
  read(object: JsonObject): Json[];
}

export type FilterNode =
  | { readonly op: 'and' | 'or'; readonly nodes: readonly FilterNode[] }
  | { readonly op: 'not'; readonly node: FilterNode }
  | { readonly op: 'any'; readonly place: Place; readonly node: FilterNode }
  | { readonly op: 'pr'; readonly place: Place }
  | Comparison;

export interface Comparison {
  readonly op: CompareOperator;
  readonly place: Place;
  readonly value: CompareValue;
}

/** How names in a filter are looked up: in a resource, or in the entries of a list. */
type Lookup = (name: string) => Place;

const MAX_LENGTH = 16_384;
const MAX_DEPTH = 32;

/** The filter of a list request. Refuses with 400 invalidFilter. */
export function parseResourceFilter(text: string, type: ResourceType, catalog: Catalog): FilterNode {
  return parseWith(text, (name) => toResourcePlace(name, type, catalog), false);
}

/**
 * What stands between the brackets of a path; `definitions` is null where no schema describes the entries. `lenient` lets
 * `"True"` be compared with a boolean.
 */
export function parseValueFilter(
  text: string,
  definitions: readonly AttributeDefinition[] | null,
  lenient: boolean,
): FilterNode {
  return parseWith(text, (name) => toEntryPlace(name, definitions), lenient);
}

function parseWith(text: string, lookup: Lookup, lenient: boolean): FilterNode {
  if (text.length > MAX_LENGTH) {
    throw toBadRequest('invalidFilter', `a filter takes at most ${MAX_LENGTH} characters`);
  }
  const literals: CompareValue[] = [];
  const skeleton = takeLiterals(text, literals);
  // The library reads this form, which is not in the RFC's grammar, as two conditions on any two entries of the list.
  if (/\]\s*\./.test(skeleton)) throw toUnreadable();
  let tree: Filter;
  try {
    tree = parse(skeleton);
  } catch (error) {
    throw error instanceof Refusal ? error : toUnreadable();
  }
  return toNode(tree, { lookup, literals, lenient, depth: 0 });
}

/**
 * Replaces every string and number by its index in quotes. scim2-parse-filter 0.2.10 takes JSON's escapes apart
 * wrongly (`"\\"` does not parse, `"\u0041"` stays six characters) and reads no negative number before a space.
 */
function takeLiterals(text: string, literals: CompareValue[]): string {
  const literal = /"(?:[^"\\]|\\.)*"|(?<=\s)-?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?(?=[\s)\]]|$)/g;
  return text.replace(literal, (match) => {
    try {
      return `"${literals.push(JSON.parse(match)) - 1}"`;
    } catch {
      throw toUnreadable();
    }
  });
}

function toUnreadable(): Refusal {
  return toBadRequest('invalidFilter', 'the filter does not follow the grammar of RFC 7644 section 3.4.2.2');
}

interface Reading {
  readonly lookup: Lookup;
  readonly literals: readonly CompareValue[];
  readonly lenient: boolean;
  readonly depth: number;
}

function toNode(tree: Filter, reading: Reading): FilterNode {
  if (reading.depth > MAX_DEPTH) {
    throw toBadRequest('invalidFilter', `a filter is nested at most ${MAX_DEPTH} levels deep`);
  }
  const inner: Reading = { ...reading, depth: reading.depth + 1 };
  switch (tree.op) {
    case 'and':
    case 'or':
      return { op: tree.op, nodes: tree.filters.map((each) => toNode(each, inner)) };
    case 'not':
      return { op: 'not', node: toNode(tree.filter, inner) };
    case '[]': {
      const place = reading.lookup(tree.attrPath);
      const definitions = place.definition?.subAttributes ?? null;
      if (definitions !== null && definitions.length === 0) {
        throw toBadRequest('invalidFilter', `"${place.text}" has no sub-attributes to filter by`);
      }
      const node = toNode(tree.valFilter, { ...inner, lookup: (name) => toEntryPlace(name, definitions) });
      return { op: 'any', place, node };
    }
    case 'pr':
      return { op: 'pr', place: reading.lookup(tree.attrPath) };
    default: {
      const place = toScalarPlace(reading.lookup(tree.attrPath));
      return toComparison(tree.op, place, toCompareValue(tree.compValue, place, reading));
    }
  }
}

function toCompareValue(raw: CompareValue, { definition }: Place, { literals, lenient }: Reading): CompareValue {
  const value = typeof raw === 'string' ? (literals[Number(raw)] ?? null) : raw;
  const isBoolean = lenient && definition?.type === 'Boolean' && typeof value === 'string';
  return isBoolean && /^(?:true|false)$/i.test(value) ? value.toLowerCase() === 'true' : value;
}

function toComparison(op: CompareOperator, place: Place, value: CompareValue): FilterNode {
  const type = place.definition?.type;
  if (place.definition?.returned === 'never') {
    throw toBadRequest('invalidFilter', `"${place.text}" cannot be filtered by`);
  }
  if (type === 'Complex') throw toBadRequest('invalidFilter', `"${place.text}" has no value to compare with`);
  if (value !== null && type !== undefined && typeof value !== toFilterForm(type)) {
    throw toBadRequest('invalidFilter', `"${place.text}" is compared with a ${toFilterForm(type)}`);
  }
  const unordered = typeof value === 'boolean' || value === null || type === 'Binary';
  if (unordered && op !== 'eq' && op !== 'ne') {
    throw toBadRequest('invalidFilter', `"${place.text}" can be compared with this value by eq and ne alone`);
  }
  return { op, place, value };
}

function toFilterForm(type: AttributeDefinition['type']): 'boolean' | 'number' | 'string' {
  if (type === 'Boolean') return 'boolean';
  return type === 'Integer' || type === 'Decimal' ? 'number' : 'string';
}

function toResourcePlace(name: string, type: ResourceType, catalog: Catalog): Place {
  try {
    const path = parseScimPath(name);
    const isKnown = path.urn === null || catalog.schemas.find(path.urn) !== undefined;
    if (!isKnown) return { text: name, top: path.urn ?? '', definition: null, read: toReader(path) };
    const resolved = resolveScimPath(path, catalog.schemas, type);
    const top = resolved.path.urn ?? resolved.path.attribute;
    return { text: resolved.text, top, definition: resolved.definition, read: toReader(resolved.path) };
  } catch (error) {
    if (error instanceof SyncError) throw toBadRequest('invalidFilter', error.message);
    throw error;
  }
}

function toReader(path: ScimPath): Place['read'] {
  const isCore = path.urn === null || Object.values(CORE_URNS).includes(path.urn);
  return (object) => {
    const container = isCore ? object : readKey(object, path.urn ?? '');
    return path.sub === null
      ? toValues(readKey(container, path.attribute))
      : toValues(readKey(container, path.attribute)).flatMap((each) => toValues(readKey(each, path.sub ?? '')));
  };
}

function toEntryPlace(name: string, definitions: readonly AttributeDefinition[] | null): Place {
  const definition = definitions === null ? null : findAttribute(definitions, name);
  if (definition === undefined || !/^(?:\$ref|[A-Za-z][\w-]*)$/.test(name)) {
    throw toBadRequest('invalidFilter', `the entries of the list have no sub-attribute "${name}"`);
  }
  const text = definition?.name ?? name;
  return { text, top: text, definition, read: (object) => toValues(readKey(object, text)) };
}

/** A comparison of a complex attribute is one of its `value` (RFC 7644 section 3.4.2.2, `emails co "example.com"`). */
function toScalarPlace(place: Place): Place {
  const value =
    place.definition?.type === 'Complex' ? findAttribute(place.definition.subAttributes, 'value') : undefined;
  if (value === undefined) return place;
  return {
    text: `${place.text}.value`,
    top: place.top,
    definition: value,
    read: (object) => place.read(object).flatMap((each) => toValues(readKey(each, 'value'))),
  };
}

function toValues(value: Json | undefined): Json[] {
  if (isUnassigned(value)) return [];
  return Array.isArray(value) ? [...value] : [value as Json];
}

/** Whether the resource, or the entry of a list, passes. It must hold every attribute of `listTops`. */
export function isMatch(node: FilterNode, object: JsonObject): boolean {
  switch (node.op) {
    case 'and':
      return node.nodes.every((each) => isMatch(each, object));
    case 'or':
      return node.nodes.some((each) => isMatch(each, object));
    case 'not':
      return !isMatch(node.node, object);
    case 'any':
      return node.place.read(object).some((each) => isObject(each) && isMatch(node.node, each));
    case 'pr':
      return node.place.read(object).some((each) => each !== '' && !(isObject(each) && Object.keys(each).length === 0));
    default:
      return isComparison(node, node.place.read(object));
  }
}

function isComparison(node: Comparison, values: readonly Json[]): boolean {
  const { op } = node;
  if (node.value === null) return (values.length === 0) === (op === 'eq');
  if (values.length === 0) return op === 'ne';
  const expected = toComparable(node.value, node.place.definition);
  return values.some((each) => compare(op, toComparable(each, node.place.definition), expected));
}

/** Attributes that no schema describes compare as strings do by default: without case. */
function toComparable(value: Json, definition: AttributeDefinition | null): Json {
  if (typeof value !== 'string') return value;
  if (definition?.type === 'DateTime') {
    const time = Date.parse(value);
    return Number.isNaN(time) ? value : time;
  }
  return definition?.caseExact === true ? value : value.toLowerCase();
}

function compare(op: CompareOperator, actual: Json, expected: Json): boolean {
  switch (op) {
    case 'eq':
      return actual === expected;
    case 'ne':
      return actual !== expected;
    case 'co':
      return String(actual).includes(String(expected));
    case 'sw':
      return String(actual).startsWith(String(expected));
    case 'ew':
      return String(actual).endsWith(String(expected));
    default:
      return typeof actual === typeof expected && isOrdered(op, actual as string, expected as string);
  }
}

function isOrdered(op: 'gt' | 'ge' | 'lt' | 'le', actual: string | number, expected: string | number): boolean {
  if (op === 'gt') return actual > expected;
  if (op === 'ge') return actual >= expected;
  return op === 'lt' ? actual < expected : actual <= expected;
}

/** The top attributes that the filter looks at. */
export function listTops(node: FilterNode): string[] {
  switch (node.op) {
    case 'and':
    case 'or':
      return node.nodes.flatMap(listTops);
    case 'not':
      return listTops(node.node);
    default:
      return [node.place.top];
  }
}
