/**
 * PATCH as RFC 7644 section 3.5.2 has it.
 *
 * scim-patch 0.8.3 was tried for this and is not used: a path `__proto__.x` writes into Object.prototype; names are
 * compared with case, so that `TITLE` stands beside `title`; a path-less value replaces `name` as a whole, and
 * sub-attributes that it does not name are lost; `primary` stays true in two entries; a list replaced by one value has
 * that value once for each old entry; and it needs all members of a group in memory.
 */

import { isDeepStrictEqual } from 'node:util';
import type { Json } from '../model.ts';
import { type AttributeDefinition, findAttribute, URN_PATCH_OP } from '../scim/schema.ts';
import { type FilterNode, isMatch } from './filter.ts';
import {
  assertSafeName,
  findKey,
  isObject,
  isUnassigned,
  type JsonObject,
  type MutableObject,
  readKey,
  toList,
} from './json.ts';
import { type AttributeTarget, type PatchTarget, parsePatchPath } from './patch-path.ts';
import { toBadRequest } from './refusal.ts';
import { assertSchemas, toMemberIds, toValidValue, type ValidationContext } from './validate.ts';

export interface PatchOperation {
  readonly op: 'add' | 'replace' | 'remove';
  readonly path: string | null;
  /** Undefined when the operation has none. */
  readonly value: Json | undefined;
}

/** A change of a group's members, carried out by the store in the order of the operations. */
export type MemberChange =
  | { readonly op: 'add' | 'replace'; readonly ids: readonly string[] }
  | { readonly op: 'clear' }
  | { readonly op: 'remove'; readonly filter: FilterNode };

export interface PatchResult {
  /** The changed document, still to be validated. */
  readonly body: MutableObject;
  readonly memberChanges: readonly MemberChange[];
}

/**
 * The operations of a PATCH body; names have no case, and `op` has none when `lenient` (Entra ID sends "Replace"). Refuses
 * with 400 invalidSyntax.
 */
export function parsePatchRequest(input: Json, lenient: boolean): PatchOperation[] {
  if (!isObject(input)) throw toBadRequest('invalidSyntax', 'the body must be a JSON object');
  assertSchemas(readKey(input, 'schemas'), URN_PATCH_OP);
  const operations = readKey(input, 'Operations');
  if (!Array.isArray(operations) || operations.length === 0) {
    throw toBadRequest('invalidSyntax', '"Operations" must be a list of at least one operation');
  }
  return operations.map((each: Json, index) => parseOperation(each, `Operations[${index}]`, lenient));
}

function parseOperation(input: Json, where: string, lenient: boolean): PatchOperation {
  const op = parseVerb(readKey(input, 'op'), where, lenient);
  const path = readKey(input, 'path') ?? null;
  const value = readKey(input, 'value');
  if (path !== null && typeof path !== 'string') throw toBadRequest('invalidPath', `"${where}.path" must be a string`);
  if (op === 'remove' && (path === null || path === '')) {
    throw toBadRequest('noTarget', `"${where}" removes nothing: it needs a path`);
  }
  if (op !== 'remove' && value === undefined) throw toBadRequest('invalidValue', `"${where}" needs a value`);
  return { op, path: path === '' ? null : path, value };
}

function parseVerb(given: Json | undefined, where: string, lenient: boolean): PatchOperation['op'] {
  const op = lenient && typeof given === 'string' ? given.toLowerCase() : given;
  if (op === 'add' || op === 'replace' || op === 'remove') return op;
  throw toBadRequest('invalidSyntax', `"${where}.op" must be add, replace or remove, in lower case`);
}

/** Applies the operations in order to a copy. Refuses with 400, and then none of them counts. */
export function applyPatch(
  body: JsonObject,
  operations: readonly PatchOperation[],
  context: ValidationContext,
): PatchResult {
  const state: PatchState = { body: structuredClone(body), memberChanges: [], context };
  for (const operation of operations) applyOperation(state, operation);
  return state;
}

interface PatchState {
  readonly body: MutableObject;
  readonly memberChanges: MemberChange[];
  readonly context: ValidationContext;
}

function applyOperation(state: PatchState, operation: PatchOperation): void {
  const target = findTarget(state, operation);
  switch (target.kind) {
    case 'resource':
      applyMembers(state, operation, '');
      return;
    case 'extension':
      if (operation.op === 'remove' || isUnassigned(operation.value)) delete state.body[target.urn];
      else applyMembers(state, operation, `${target.urn}:`);
      return;
    case 'attribute':
      applyAttribute(state, target, operation);
  }
}

function findTarget(state: PatchState, { path, value }: PatchOperation): PatchTarget {
  if (path === null) return { kind: 'resource' };
  const target = parsePatchPath(path, state.context, state.body);
  // A new extension that no schema describes looks like an attribute "User" of another one.
  const isNewExtension = target.kind === 'attribute' && target.urn !== null && target.definition === null;
  if (isNewExtension && isObject(value) && /^(?:user|group)$/i.test(target.name))
    return { kind: 'extension', urn: path };
  return target;
}

/**
 * Each attribute of an object as an operation of its own. At the top a read-only one is passed over, as in PUT (clients
 * repeat the `id` here), and `schemas` follows from the extensions. Keys that are paths, as Entra ID's `name.givenName`,
 * are taken as such when lenient.
 */
function applyMembers(state: PatchState, operation: PatchOperation, prefix: string): void {
  if (operation.op === 'remove') throw toBadRequest('noTarget', 'the path of a remove must name an attribute');
  if (!isObject(operation.value)) throw toBadRequest('invalidValue', 'the value must be an object of attributes');
  for (const [key, value] of Object.entries(operation.value)) {
    assertSafeName(key);
    if (key === 'schemas' || (prefix === '' && isPassedOver(state, key))) continue;
    if (!state.context.lenient) assertNoPath(key, prefix, state);
    applyOperation(state, { op: operation.op, path: `${prefix}${key}`, value });
  }
}

/** The URN of an extension is a key, and `urn:…:User:department` is a path. */
function assertNoPath(key: string, prefix: string, { context, body }: PatchState): void {
  const isUrn = prefix === '' && /^urn:/i.test(key);
  const isPath = isUrn ? isPathInExtension(key, context, body) : /[.[:]/.test(key);
  if (!isPath) return;
  throw toBadRequest('invalidPath', `${JSON.stringify(key)} is a path: it must stand in "path", not in the value`);
}

function isPathInExtension(key: string, context: ValidationContext, body: JsonObject): boolean {
  const target = parsePatchPath(key, context, body);
  return target.kind === 'attribute' && (target.definition !== null || findKey(body, target.urn ?? '') !== undefined);
}

function isPassedOver({ context }: PatchState, key: string): boolean {
  return context.catalog.findCore(context.type, key)?.mutability === 'readOnly';
}

function applyAttribute(state: PatchState, target: AttributeTarget, operation: PatchOperation): void {
  const { definition, sub } = target;
  const leaf = sub === null || definition === null ? definition : findAttribute(definition.subAttributes, sub);
  if (definition?.mutability === 'readOnly' || leaf?.mutability === 'readOnly') {
    throw toBadRequest('mutability', `${JSON.stringify(target.text)} is read-only`);
  }
  // The directory derives `schemas` from the extensions that a resource has.
  if (target.urn === null && target.name === 'schemas') return;
  if (operation.op === 'remove' && definition?.multiValued !== false && !isUnassigned(operation.value)) {
    removeByValue(state, target, operation);
    return;
  }
  if (state.context.type === 'Group' && target.urn === null && target.name === 'members') {
    state.memberChanges.push(toMemberChange(target, operation, state.context.lenient));
    return;
  }
  const container = target.urn === null ? state.body : openObject(state.body, target.urn);
  const next = computeNext(container[target.name], target, operation);
  if (operation.op === 'remove') assertRemovable(target, leaf, next);
  if (next === undefined) delete container[target.name];
  else container[target.name] = next;
}

/** What is required cannot be removed: RFC 7644 section 3.5.2.2 has the same code for it as for what is read-only. */
function assertRemovable(
  { definition, sub, text }: AttributeTarget,
  leaf: AttributeDefinition | null | undefined,
  next: Json | undefined,
) {
  const isGone = sub !== null || isUnassigned(next);
  if (!isGone || !(leaf ?? definition)?.required) return;
  throw toBadRequest('mutability', `${JSON.stringify(text)} is required: it can be replaced, and not be removed`);
}

/**
 * Some clients name the entries to remove in the value. Read literally such a request removes the whole list, so it is
 * refused; when lenient, each entry is a remove of its own.
 */
function removeByValue(state: PatchState, target: AttributeTarget, { value }: PatchOperation): void {
  const { text, filter, sub } = target;
  if (!state.context.lenient || filter !== null || sub !== null) {
    throw toBadRequest(
      'invalidValue',
      `a remove takes no value: name the entries by a filter in the path, as in ${text}[value eq "…"]`,
    );
  }
  for (const entry of toList(value)) {
    const id = isObject(entry) ? readKey(entry, 'value') : entry;
    if (typeof id !== 'string') throw toBadRequest('invalidValue', `an entry to remove from ${text} needs a "value"`);
    applyOperation(state, { op: 'remove', path: `${text}[value eq ${JSON.stringify(id)}]`, value: undefined });
  }
}

function toMemberChange(target: AttributeTarget, { op, value }: PatchOperation, lenient: boolean): MemberChange {
  if (target.sub !== null || (target.filter !== null && op !== 'remove')) {
    throw toBadRequest('mutability', 'members are immutable: remove one and add another');
  }
  if (op === 'remove') return target.filter === null ? { op: 'clear' } : { op, filter: target.filter };
  if (isUnassigned(value)) return op === 'add' ? { op, ids: [] } : { op: 'clear' };
  const { definition } = target;
  const where = { name: 'members', lenient };
  const members = definition === null ? undefined : toValidValue(definition, toList(value), where);
  return { op, ids: toMemberIds(members ?? []) };
}

function openObject(body: MutableObject, urn: string): MutableObject {
  const key = findKey(body, urn) ?? urn;
  const known = body[key];
  if (isObject(known)) return known as MutableObject;
  const made: MutableObject = {};
  body[key] = made;
  return made;
}

/** What stands at the attribute after the operation; undefined for nothing. */
function computeNext(current: Json | undefined, target: AttributeTarget, operation: PatchOperation): Json | undefined {
  const { definition, filter, sub } = target;
  const isList = definition?.multiValued ?? (filter !== null || Array.isArray(current));
  if (filter === null && sub === null) return computeNextWhole(current, isList, target, operation);
  if (isList) return computeNextList(toList(current), target, operation);
  const object = isObject(current) ? current : {};
  return withSub(object, sub ?? '', operation.op === 'remove' ? null : (operation.value ?? null));
}

function computeNextWhole(
  current: Json | undefined,
  isList: boolean,
  target: AttributeTarget,
  { op, value }: PatchOperation,
): Json | undefined {
  if (op === 'remove' || isUnassigned(value)) return op === 'add' ? current : undefined;
  if (isList) return op === 'replace' ? [...toList(value)] : appendTo(toList(current), target, value);
  return target.definition?.type === 'Complex' ? merge(current, value, target.definition) : value;
}

/** The object with the value's attributes laid over it; a null takes one away. Anything but an object is left to validation. */
function merge(current: Json | undefined, value: Json | undefined, definition: AttributeDefinition | null): Json {
  if (!isObject(value)) return value ?? null;
  let merged: JsonObject = isObject(current) ? current : {};
  for (const [key, each] of Object.entries(value)) {
    assertSafeName(key);
    const name = findAttribute(definition?.subAttributes ?? [], key)?.name ?? key;
    merged = withSub(merged, name, each as Json);
  }
  return merged;
}

function withSub(object: JsonObject, name: string, value: Json): JsonObject {
  if (!isUnassigned(value)) return { ...object, [name]: value };
  return Object.fromEntries(Object.entries(object).filter(([key]) => key !== name));
}

/** An entry with the `value` and `type` of one that is there is laid over it: RFC 7643 section 2.4 wants no such pair twice. */
function appendTo(list: readonly Json[], { definition }: AttributeTarget, value: Json | undefined): Json[] {
  const next = [...list];
  const touched = new Set<Json>();
  for (const given of toList(value)) {
    const entry = merge(undefined, given, definition);
    const at = next.findIndex((known) => isSameEntry(known, entry));
    const placed = at === -1 ? entry : merge(next[at], entry, definition);
    next.splice(at === -1 ? next.length : at, 1, placed);
    touched.add(placed);
  }
  return withOnePrimary(next, touched);
}

function isSameEntry(a: Json, b: Json): boolean {
  const value = readKey(a, 'value');
  if (value === undefined || value === null) return isDeepStrictEqual(a, b);
  return isDeepStrictEqual(value, readKey(b, 'value')) && readKey(a, 'type') === readKey(b, 'type');
}

/** A list of which a filter chooses entries, or a sub-attribute is meant in all entries. */
function computeNextList(list: readonly Json[], target: AttributeTarget, operation: PatchOperation): Json[] {
  const { filter, sub } = target;
  const isChosen = (entry: Json) => filter === null || isMatch(filter, isObject(entry) ? entry : { value: entry });
  if (operation.op === 'remove') {
    // Nothing chosen is what a remove wants: a repeated request finds its work done.
    if (sub === null) return list.filter((each) => !isChosen(each));
    return list.map((each) => (isChosen(each) ? withSub(each as JsonObject, sub, null) : each));
  }
  const touched = new Set<Json>();
  const next = list.map((entry) => {
    if (!isChosen(entry)) return entry;
    const changed = toChangedEntry(entry, target, operation);
    touched.add(changed);
    return changed;
  });
  if (touched.size > 0) return withOnePrimary(next, touched);
  const made = toChangedEntry(toTemplate(target, operation), target, { ...operation, op: 'add' });
  return withOnePrimary([...list, made], new Set([made]));
}

function toChangedEntry(entry: Json, { definition, sub }: AttributeTarget, { op, value }: PatchOperation): Json {
  if (sub !== null) return withSub(isObject(entry) ? entry : {}, sub, value ?? null);
  return merge(op === 'replace' ? undefined : entry, value, definition);
}

/**
 * The entry that an `add` makes when its filter chooses none: it carries the filter's terms. The RFC leaves this open;
 * for `replace` it demands noTarget.
 */
function toTemplate({ filter, text }: AttributeTarget, { op }: PatchOperation): JsonObject {
  const terms = op === 'add' && filter !== null ? toTerms(filter) : null;
  if (terms === null) throw toBadRequest('noTarget', `${JSON.stringify(text)} names no value that there is`);
  return Object.fromEntries(terms);
}

/** Name and value of every term of a filter that joins `eq` by `and`; null for any other filter. */
function toTerms(filter: FilterNode): [string, Json][] | null {
  if (filter.op === 'eq') return [[filter.place.text, filter.value]];
  if (filter.op !== 'and') return null;
  const terms = filter.nodes.map(toTerms);
  return terms.includes(null) ? null : terms.flatMap((each) => each ?? []);
}

/** Setting one entry's `primary` takes it from the others (RFC 7644 section 3.5.2). */
function withOnePrimary(list: readonly Json[], touched: ReadonlySet<Json>): Json[] {
  const isPrimary = (entry: Json) => readKey(entry, 'primary') === true;
  if (![...touched].some(isPrimary)) return [...list];
  return list.map((each) =>
    isPrimary(each) && !touched.has(each) ? { ...(each as JsonObject), primary: false } : each,
  );
}
