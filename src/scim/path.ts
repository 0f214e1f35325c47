/**
 * Attribute paths of SCIM (RFC 7644 sections 3.5.2 and 3.10): `userName`, `name.givenName`,
 * `emails[type eq "work"].value`, `urn:…:2.0:User:department`.
 *
 * Only `eq` terms joined by `and` stand between the brackets: a path names a place to write to, and only such a filter
 * says how the entry looks that must be made when there is none.
 */

import { SyncError } from '../errors.ts';
import type { Json } from '../model.ts';
import { computeNearestName } from '../nearest-name.ts';
import {
  type AttributeDefinition,
  COMMON_ATTRIBUTES,
  findAttribute,
  type SchemaDefinition,
  type SchemaSet,
  URN_GROUP,
  URN_USER,
} from './schema.ts';

export interface FilterTerm {
  /** A sub-attribute of the list's entries. */
  readonly attribute: string;
  readonly value: string | number | boolean | null;
}

export interface ScimPath {
  /** The schema's URN, or null for the core schema. */
  readonly urn: string | null;
  readonly attribute: string;
  /** The terms that an entry of the list must fulfil, all of them; null without brackets. */
  readonly filter: readonly FilterTerm[] | null;
  readonly sub: string | null;
}

/** RFC 7643 section 2.1, and `$ref`. A name cannot begin with `_`, so `__proto__` is no name. */
const NAME = /\$ref\b|[A-Za-z][A-Za-z0-9_-]*/y;
const SPACE = /[ \t]*/y;
const STRING = /"(?:[^"\\]|\\.)*"/y;
const BARE = /true\b|false\b|null\b|-?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?/iy;
const OPERATOR = /[A-Za-z]+/y;

interface Scanner {
  readonly text: string;
  at: number;
}

/** Throws SyncError `Invalid` that names the column (from 1) at which the text stops to be a path. */
export function parseScimPath(text: string): ScimPath {
  const bracket = text.indexOf('[');
  const head = bracket === -1 ? text : text.slice(0, bracket);
  const colon = /^urn:/i.test(head) ? head.lastIndexOf(':') : -1;
  const scanner: Scanner = { text, at: colon + 1 };
  const urn = colon === -1 ? null : text.slice(0, colon);
  if (urn !== null && !/^urn:[A-Za-z0-9][A-Za-z0-9-]*(?::[A-Za-z0-9._~%-]+)+$/i.test(urn)) {
    throw toPathError(scanner, 0, 'a URN such as "urn:ietf:params:scim:schemas:extension:acme:2.0:User"');
  }
  const attribute = take(scanner, NAME) ?? fail(scanner, 'the name of an attribute');
  const filter = takeText(scanner, '[') ? parseFilter(scanner) : null;
  const sub = takeText(scanner, '.') ? (take(scanner, NAME) ?? fail(scanner, 'the name of a sub-attribute')) : null;
  if (scanner.at < text.length) fail(scanner, 'the end of the path');
  return { urn, attribute, filter, sub };
}

function parseFilter(scanner: Scanner): FilterTerm[] {
  const terms: FilterTerm[] = [];
  do {
    take(scanner, SPACE);
    terms.push(parseTerm(scanner));
    take(scanner, SPACE);
  } while (takeWord(scanner, 'and'));
  if (!takeText(scanner, ']')) fail(scanner, '"and" or "]"');
  return terms;
}

function parseTerm(scanner: Scanner): FilterTerm {
  const attribute = take(scanner, NAME) ?? fail(scanner, 'the name of a sub-attribute');
  take(scanner, SPACE);
  if (!takeWord(scanner, 'eq')) fail(scanner, '"eq", the only operator that a path can be written with,');
  take(scanner, SPACE);
  return { attribute, value: parseValue(scanner) };
}

function parseValue(scanner: Scanner): FilterTerm['value'] {
  const start = scanner.at;
  const literal = take(scanner, STRING) ?? take(scanner, BARE)?.toLowerCase();
  try {
    if (literal !== undefined) return JSON.parse(literal);
  } catch {
    // An escape that JSON does not have: the same message as for no value at all.
  }
  throw toPathError(scanner, start, 'a value such as "work" in double quotes, true, false or a number');
}

function take(scanner: Scanner, pattern: RegExp): string | undefined {
  pattern.lastIndex = scanner.at;
  const match = pattern.exec(scanner.text)?.[0];
  scanner.at += match?.length ?? 0;
  return match;
}

function takeText(scanner: Scanner, expected: string): boolean {
  if (!scanner.text.startsWith(expected, scanner.at)) return false;
  scanner.at += expected.length;
  return true;
}

function takeWord(scanner: Scanner, expected: string): boolean {
  const start = scanner.at;
  if (take(scanner, OPERATOR)?.toLowerCase() === expected) return true;
  scanner.at = start;
  return false;
}

function fail(scanner: Scanner, expected: string): never {
  throw toPathError(scanner, scanner.at, expected);
}

function toPathError(scanner: Scanner, at: number, expected: string): SyncError {
  const found = at >= scanner.text.length ? 'it ends' : `there is ${JSON.stringify(scanner.text.slice(at, at + 20))}`;
  return new SyncError(
    'Invalid',
    `the path ${JSON.stringify(scanner.text)} is wrong at column ${at + 1}: ${expected} is expected, but ${found}`,
  );
}

/** The one spelling of a path: `parseScimPath(printScimPath(path))` equals `path`. */
export function printScimPath(path: ScimPath): string {
  const urn = path.urn === null ? '' : `${path.urn}:`;
  const terms = path.filter?.map((term) => `${term.attribute} eq ${JSON.stringify(term.value)}`).join(' and ');
  const filter = terms === undefined ? '' : `[${terms}]`;
  const sub = path.sub === null ? '' : `.${path.sub}`;
  return `${urn}${path.attribute}${filter}${sub}`;
}

type JsonObject = { readonly [key: string]: Json };

/** A document under construction, as `writeScimPath` fills it. */
export type ScimDocument = { [key: string]: Json };

/**
 * What stands at the path, or undefined. Names compare without case, as the values of a filter do. With a filter the
 * first entry that fulfils it; on a list without a filter the list itself, or with a sub-attribute every entry's value
 * of it.
 */
export function readScimPath(path: ScimPath, resource: Readonly<Record<string, Json>>): Json | undefined {
  const container = isCoreUrn(path.urn) ? resource : readKey(resource, path.urn ?? '');
  const value = readKey(container, path.attribute);
  if (path.filter !== null) {
    const { filter } = path;
    const entry = toList(value).find((each) => isMatch(each, filter));
    return path.sub === null ? entry : readKey(entry, path.sub);
  }
  if (path.sub === null) return value;
  const { sub } = path;
  if (!Array.isArray(value)) return readKey(value, sub);
  const values = value.map((each: Json) => readKey(each, sub)).filter((each) => each !== undefined);
  return values.length > 0 ? values : undefined;
}

/**
 * Puts a value at the path of a document that is being built. A filter finds its entry of the list, or makes one that
 * carries the filter's terms (`emails[type eq "work"].value` makes `{type: "work", value: …}`). An extension's values
 * go under its URN, which is added to `schemas`; the core schema's URN is the caller's to add.
 *
 * Write canonical paths (`resolveScimPath`): only the schema knows that `manager` is `manager.value`, and a list without
 * a filter is written whole. Throws SyncError `Invalid` when two paths of one document contradict each other.
 */
export function writeScimPath(path: ScimPath, resource: ScimDocument, value: Json): void {
  const names = [path.attribute, path.sub, ...(path.filter ?? []).map((term) => term.attribute)];
  // No parsed path has this name; one made by hand would replace the prototype of the document.
  if (names.includes('__proto__')) throw toClash(path, '"__proto__" is no name of an attribute');
  const container = isCoreUrn(path.urn) ? resource : openExtension(path.urn ?? '', resource);
  const key = findKey(container, path.attribute) ?? path.attribute;
  if (path.filter === null) {
    if (path.sub === null) container[key] = value;
    else writeSub(path, openObject(path, container, key), value);
    return;
  }
  const list = openList(path, container, key);
  const { filter } = path;
  let entry = list.find((each) => isMatch(each, filter)) as ScimDocument | undefined;
  if (entry === undefined) {
    entry = Object.fromEntries(filter.map((term) => [term.attribute, term.value]));
    list.push(entry);
  }
  if (path.sub !== null) writeSub(path, entry, value);
  else if (isObject(value)) Object.assign(entry, value);
  else throw toClash(path, 'a list entry takes an object');
}

function writeSub(path: ScimPath, container: ScimDocument, value: Json): void {
  const sub = path.sub ?? '';
  container[findKey(container, sub) ?? sub] = value;
}

function openExtension(urn: string, resource: ScimDocument): ScimDocument {
  const schemas = toList(readKey(resource, 'schemas'));
  const listed = schemas.some((each) => typeof each === 'string' && each.toLowerCase() === urn.toLowerCase());
  if (!listed) resource[findKey(resource, 'schemas') ?? 'schemas'] = [...schemas, urn];
  const key = findKey(resource, urn) ?? urn;
  const known = readOwn(resource, key);
  if (isObject(known)) return known as ScimDocument;
  const made: ScimDocument = {};
  resource[key] = made;
  return made;
}

function openObject(path: ScimPath, container: ScimDocument, key: string): ScimDocument {
  const known = readOwn(container, key) ?? null;
  // Null is unassigned (RFC 7643 section 2.5).
  if (known === null) {
    const made: ScimDocument = {};
    container[key] = made;
    return made;
  }
  if (!isObject(known)) throw toClash(path, 'the attribute already has a value of another form');
  return known as ScimDocument;
}

function openList(path: ScimPath, container: ScimDocument, key: string): Json[] {
  const known = readOwn(container, key) ?? null;
  // Null is unassigned (RFC 7643 section 2.5).
  if (known === null) {
    const made: Json[] = [];
    container[key] = made;
    return made;
  }
  if (!Array.isArray(known)) throw toClash(path, 'the attribute already has a value that is no list');
  return known as Json[];
}

function toClash(path: ScimPath, what: string): SyncError {
  return new SyncError('Invalid', `cannot write ${JSON.stringify(printScimPath(path))}: ${what}`);
}

/** Whether an entry of a list fulfils every term. Entra's "True" means true. */
function isMatch(entry: Json, filter: readonly FilterTerm[]): boolean {
  return filter.every((term) => toComparable(readKey(entry, term.attribute)) === toComparable(term.value));
}

function toComparable(value: Json | undefined): string {
  return String(value ?? null).toLowerCase();
}

function isCoreUrn(urn: string | null): boolean {
  const lower = urn?.toLowerCase();
  return lower === undefined || lower === URN_USER.toLowerCase() || lower === URN_GROUP.toLowerCase();
}

function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function toList(value: Json | undefined): readonly Json[] {
  return Array.isArray(value) ? value : [];
}

/** Own keys only: whatever name a path has, it never reaches a prototype. */
function findKey(container: JsonObject, name: string): string | undefined {
  if (Object.hasOwn(container, name)) return name;
  const wanted = name.toLowerCase();
  return Object.keys(container).find((key) => key.toLowerCase() === wanted);
}

function readOwn(container: JsonObject, key: string): Json | undefined {
  return Object.hasOwn(container, key) ? container[key] : undefined;
}

function readKey(container: Json | undefined, name: string): Json | undefined {
  if (!isObject(container)) return undefined;
  const key = findKey(container, name);
  return key === undefined ? undefined : container[key];
}

export interface ResolvedPath {
  /** In the schema's spelling; the core schema's URN left out. */
  readonly path: ScimPath;
  /** `path` printed: equal for every spelling of one place. */
  readonly text: string;
  /** Null for the attributes that every resource has (`id`, `externalId`, `meta`, `schemas`). */
  readonly schema: SchemaDefinition | null;
  /** The complex attribute that `definition` belongs to; null when the path ends at a top attribute. */
  readonly parent: AttributeDefinition | null;
  /** What the path ends at: the type of the value that stands there. */
  readonly definition: AttributeDefinition;
  /**
   * Whether the place holds a list: a multi-valued attribute without a filter, with or without a sub-attribute. A path
   * such as `emails.value` can be read and filtered by, but does not say which entry a written value goes to.
   */
  readonly multiValued: boolean;
}

/**
 * Finds the definition of a path without regard to case. A complex attribute with one writable sub-attribute, `value`,
 * stands for it: `manager` resolves to `manager.value`, so both spellings are one place. `"True"` and `"False"` in a
 * filter on a boolean become booleans.
 *
 * Throws SyncError `Invalid` naming what the schema does not have, with the nearest name.
 */
export function resolveScimPath(path: ScimPath, schemas: SchemaSet, resource: 'User' | 'Group'): ResolvedPath {
  const coreUrn = resource === 'User' ? URN_USER : URN_GROUP;
  const schema = findSchema(path, schemas, coreUrn);
  const isCore = schema.id.toLowerCase() === coreUrn.toLowerCase();
  const common = isCore ? findAttribute(COMMON_ATTRIBUTES, path.attribute) : undefined;
  const attributes = isCore ? [...schema.attributes, ...COMMON_ATTRIBUTES] : schema.attributes;
  const owner = isCore ? 'the schema' : `the schema ${schema.id}`;
  const top = findAttribute(attributes, path.attribute) ?? failUnknown(owner, 'attribute', path.attribute, attributes);
  if (path.filter !== null && !(top.multiValued && top.type === 'Complex')) {
    throw new SyncError('Invalid', `"${top.name}" takes no filter: it is not a list of complex values`);
  }
  const filter = path.filter?.map((term) => toCanonicalTerm(term, top)) ?? null;
  const leaf = findLeaf(path, top);
  const canonical: ScimPath = {
    urn: isCore ? null : schema.id,
    attribute: top.name,
    filter,
    sub: leaf?.name ?? null,
  };
  return {
    path: canonical,
    text: printScimPath(canonical),
    schema: common === undefined ? schema : null,
    parent: leaf === null ? null : top,
    definition: leaf ?? top,
    multiValued: top.multiValued && filter === null,
  };
}

function findSchema(path: ScimPath, schemas: SchemaSet, coreUrn: string): SchemaDefinition {
  const urn = path.urn ?? coreUrn;
  const found = schemas.find(urn);
  if (found !== undefined) return found;
  const known = schemas.schemas.map((each) => each.id);
  const nearest = computeNearestName(urn, known);
  // Entra's first SCIM client wrote the attribute after a dot, and mappings made for it are still around.
  const meant = /^(?:User|Group)$/i.test(path.attribute) && path.sub !== null;
  const hint = meant
    ? `write ${urn}:${path.attribute}:${path.sub}`
    : nearest === null
      ? `known are ${known.join(', ')}`
      : `did you mean "${nearest}"?`;
  throw new SyncError('Invalid', `no schema has the URN "${urn}"; ${hint}`);
}

function findLeaf(path: ScimPath, top: AttributeDefinition): AttributeDefinition | null {
  if (path.sub === null) return top.multiValued ? null : findOnlyValue(top);
  if (top.type !== 'Complex') throw new SyncError('Invalid', `"${top.name}" has no sub-attributes`);
  return (
    findAttribute(top.subAttributes, path.sub) ??
    failUnknown(`"${top.name}"`, 'sub-attribute', path.sub, top.subAttributes)
  );
}

/** `manager` of RFC 7643 section 4.3: beside `value` it has a reference and a read-only name. */
function findOnlyValue(top: AttributeDefinition): AttributeDefinition | null {
  const useful = top.subAttributes.filter((each) => each.mutability !== 'readOnly' && each.type !== 'Reference');
  const [only] = useful;
  return useful.length === 1 && only?.name.toLowerCase() === 'value' ? only : null;
}

function toCanonicalTerm(term: FilterTerm, top: AttributeDefinition): FilterTerm {
  const definition =
    findAttribute(top.subAttributes, term.attribute) ??
    failUnknown(`"${top.name}"`, 'sub-attribute', term.attribute, top.subAttributes);
  const text = String(term.value).toLowerCase();
  const isBoolean = definition.type === 'Boolean' && (text === 'true' || text === 'false');
  return { attribute: definition.name, value: isBoolean ? text === 'true' : term.value };
}

function failUnknown(owner: string, kind: string, name: string, known: readonly AttributeDefinition[]): never {
  const nearest = computeNearestName(
    name,
    known.map((each) => each.name),
  );
  const hint = nearest === null ? '' : `; did you mean "${nearest}"?`;
  throw new SyncError('Invalid', `${owner} has no ${kind} "${name}"${hint}`);
}
