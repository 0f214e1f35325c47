/** PATCH on a plain document, the way each dialect does it. */
import type { Json } from '../../../src/model.ts';
import { type FilterTerm, parseScimPath, type ScimPath } from '../../../src/scim/path.ts';
import type { Dialect } from './dialect.ts';
import { DialectRefusal } from './refusal.ts';

export type Document = { [key: string]: Json };

export interface Operation {
  readonly op: 'add' | 'replace' | 'remove';
  readonly path: string | null;
  readonly value: Json | undefined;
}

export function toOperations(body: Document, { opCase }: Dialect): Operation[] {
  if (!Array.isArray(body['Operations'])) throw new DialectRefusal(400, 'no Operations', 'invalidSyntax');
  return (body['Operations'] as Document[]).map((each) => {
    const word = String(each['op']);
    const lower = word.toLowerCase();
    if (lower !== 'add' && lower !== 'replace' && lower !== 'remove')
      throw new DialectRefusal(400, `no operation ${word}`, 'invalidSyntax');
    const isWrong = opCase === 'lower' ? word !== lower : opCase === 'capitalised' && !/^[A-Z][a-z]+$/.test(word);
    if (isWrong) throw new DialectRefusal(400, `op ${word} is not understood`, 'invalidSyntax');
    const path = typeof each['path'] === 'string' ? each['path'] : null;
    if (lower === 'remove' && path === null) throw new DialectRefusal(400, 'remove without a path', 'noTarget');
    return { op: lower, path, value: each['value'] };
  });
}

/** Of one operation: with a path it is itself, without one there is one for each key of the value. */
export function expand(operation: Operation, dialect: Dialect): Operation[] {
  if (operation.path !== null) return [dialect.microsoftStyle === 'old' ? toOld(operation) : operation];
  if (dialect.microsoftStyle === 'old') throw new DialectRefusal(400, 'an operation without a path', 'noTarget');
  const values = toObject(operation.value) ?? {};
  for (const key of Object.keys(values)) {
    const isDotted = !key.startsWith('urn:') && key.includes('.');
    if (isDotted && dialect.microsoftStyle === 'no')
      throw new DialectRefusal(400, `no attribute ${key}`, 'invalidPath');
  }
  return Object.entries(values).map(([path, value]) => ({ op: operation.op, path, value }));
}

/** What Entra's client means by its own words. */
function toOld(operation: Operation): Operation {
  const { path, value } = operation;
  if (path === 'active' && typeof value === 'boolean')
    throw new DialectRefusal(400, 'active is "True" or "False"', 'invalidValue');
  if (path?.endsWith('manager') !== true || value === undefined) return operation;
  if (!Array.isArray(value)) throw new DialectRefusal(400, 'manager is a list', 'invalidValue');
  return { ...operation, value: (value[0] as Json | undefined) ?? null };
}

export function applyOperation(document: Document, operation: Operation, dialect: Dialect): void {
  const path = parseScimPath(operation.path ?? '');
  if (path.filter !== null && dialect.noPathFilter)
    throw new DialectRefusal(400, 'filters in paths are not supported', 'invalidPath');
  const root = path.urn === null ? document : toChild(document, path.urn);
  if (path.filter === null) applyPlain(root, path, { operation, dialect });
  else applyFiltered(root, { ...path, filter: path.filter }, { operation, dialect });
}

interface Applied {
  readonly operation: Operation;
  readonly dialect: Dialect;
}

function applyPlain(root: Document, { attribute, sub }: ScimPath, { operation, dialect }: Applied): void {
  const parent = sub === null ? root : toChild(root, attribute);
  const name = sub ?? attribute;
  const before = parent[name];
  if (operation.op === 'remove') {
    if (before === undefined && dialect.strict) throw new DialectRefusal(400, `no ${name}`, 'noTarget');
    delete parent[name];
    return;
  }
  const { value } = operation;
  if (value === null || value === undefined) delete parent[name];
  else if (operation.op === 'add' && Array.isArray(before)) parent[name] = unite(before, value);
  else if (toObject(before) !== null && toObject(value) !== null)
    parent[name] = { ...toObject(before), ...toObject(value) };
  else parent[name] = structuredClone(value);
}

/** A member is one once, however often it is added. */
function unite(before: readonly Json[], value: Json): Json[] {
  const all = [...before];
  const keyOf = (each: Json): string => JSON.stringify(toObject(each)?.['value'] ?? each);
  for (const each of [value].flat() as Json[]) if (!all.some((old) => keyOf(old) === keyOf(each))) all.push(each);
  return all;
}

type FilteredPath = ScimPath & { readonly filter: readonly FilterTerm[] };

function applyFiltered(root: Document, path: FilteredPath, applied: Applied): void {
  const { attribute, filter, sub } = path;
  const list = Array.isArray(root[attribute]) ? (root[attribute] as Document[]) : [];
  const found = list.filter((each) => filter.every((term) => isSame(each[term.attribute], term.value)));
  const isWholeRemoval = applied.operation.op === 'remove' && sub === null;
  if (found.length === 0) applyToNothing(root, path, { ...applied, list });
  else if (!isWholeRemoval) for (const entry of found) applyToEntry(entry, sub, applied.operation);
  else {
    const kept = list.filter((each) => !found.includes(each));
    if (kept.length > 0) root[attribute] = kept;
    else delete root[attribute];
  }
}

function applyToNothing(
  root: Document,
  { attribute, filter, sub }: FilteredPath,
  { operation, dialect, list }: Applied & { readonly list: readonly Document[] },
): void {
  if (operation.op !== 'remove' && dialect.microsoftStyle !== 'no' && sub !== null) {
    const entry = Object.fromEntries(filter.map((term) => [term.attribute, term.value]));
    root[attribute] = [...list, { ...entry, [sub]: operation.value ?? null }];
  } else if (dialect.strict) throw new DialectRefusal(400, 'the filter matches nothing', 'noTarget');
}

function applyToEntry(entry: Document, sub: string | null, { op, value }: Operation): void {
  if (sub === null) Object.assign(entry, toObject(value));
  else if (op === 'remove') delete entry[sub];
  else entry[sub] = value ?? null;
}

export function isSame(left: Json | undefined, right: Json | undefined): boolean {
  if (typeof left === 'string' && typeof right === 'string') return left.toLowerCase() === right.toLowerCase();
  return left === right;
}

export function toObject(value: Json | undefined): Document | null {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Document) : null;
}

function toChild(document: Document, name: string): Document {
  const child = toObject(document[name]) ?? {};
  document[name] = child;
  return child;
}
