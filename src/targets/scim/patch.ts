/** The smallest PATCH that makes a set of changes (RFC 7644 section 3.5.2). Pure. */

import type { AttributeChange, Json } from '../../model.ts';
import { printScimPath, readScimPath, type ScimDocument, type ScimPath, writeScimPath } from '../../scim/path.ts';
import type { JsonObject } from './client.ts';
import { isEmpty, isSameValue, type Place, type PlaceOf, toObject } from './convert.ts';

export interface PatchOperation {
  readonly op: 'add' | 'replace' | 'remove';
  readonly path: string;
  readonly value?: Json;
}

/**
 * How entries of lists are written: `list`, an entry through its filter and a new one as an addition to the list; `entry`,
 * both through the filter, which makes what is missing; `whole`, the list as it is to be, where paths take no filters.
 */
export type PatchForm = 'list' | 'entry' | 'whole';

/** A change that is one: null, [] and absent count as the same. */
interface Change {
  readonly place: Place;
  readonly before: Json | undefined;
  readonly after: Json | undefined;
  /** Entries are added to the list, and none goes. */
  readonly adds: boolean;
}

/** All changes of one entry of a list: `phoneNumbers[type eq "mobile"]`. */
interface Entry {
  readonly path: ScimPath;
  readonly changes: readonly Change[];
}

function toChanges(changes: readonly AttributeChange[], placeOf: PlaceOf): readonly Change[] {
  return changes.filter(isChange).map((each) => ({
    place: placeOf(each.path),
    before: isEmpty(each.before) ? undefined : each.before,
    after: isEmpty(each.after) ? undefined : each.after,
    adds: each.adds === true,
  }));
}

/** Is there anything to send? */
export function hasChanges(changes: readonly AttributeChange[]): boolean {
  return changes.some(isChange);
}

/** T9: nothing, null and [] are one state, and a list in another order is the same list. */
function isChange({ before, after }: AttributeChange): boolean {
  return !isSameValue(before ?? undefined, after ?? undefined, true);
}

/**
 * Must the object be read before its PATCH can be made? Only for entries of lists: whether one exists cannot be told
 * from a value that was not there, adding a second one would be a duplicate, and replacing one that does not exist is an
 * error on many servers.
 */
export function needsCurrent(changes: readonly AttributeChange[], placeOf: PlaceOf, form: PatchForm = 'list'): boolean {
  return toEntries(toChanges(changes, placeOf)).some((entry) => {
    if (form === 'whole') return true;
    const sets = entry.changes.filter((each) => each.after !== undefined);
    if (sets.length === 0) return !entry.changes.some((each) => isWholeEntry(each.place.path));
    return entry.changes.every((each) => each.before === undefined) || sets.some((each) => isPrimary(each));
  });
}

/**
 * - A single value is added where there was none and replaced where there was one; a list without filter is replaced.
 * - An entry that exists is changed through its filter; one that does not is added to the list, carrying the filter's
 *   values. An entry that would keep nothing but its type is removed whole.
 * - What is added to a list that is not all ours is added by itself.
 * - When the primary mark moves, the list is replaced whole: servers disagree on what happens to the old mark.
 *
 * `current` is the object as it is, or null when `needsCurrent` says that it is not needed; changes that it already has
 * are left out.
 */
export function computePatch(
  changes: readonly AttributeChange[],
  placeOf: PlaceOf,
  { current, form = 'list' }: { readonly current: JsonObject | null; readonly form?: PatchForm },
): readonly PatchOperation[] {
  const all = toChanges(changes, placeOf);
  const operations = all.filter((each) => each.place.path.filter === null).flatMap((each) => patchValue(each, current));
  const lists = Map.groupBy(toEntries(all), (entry) => printScimPath(toListPath(entry.path)));
  for (const [path, entries] of lists) {
    if (form === 'whole' || movesPrimary(entries, current)) operations.push(replaceList(path, entries, current));
    else operations.push(...patchList(entries, { path, current, form }));
  }
  return operations;
}

interface ListPatch {
  readonly path: string;
  readonly current: JsonObject | null;
  readonly form: PatchForm;
}

function patchList(entries: readonly Entry[], { path, current, form }: ListPatch): PatchOperation[] {
  const [known, missing] = [true, false].map((side) => entries.filter((entry) => isThere(entry, current) === side));
  const operations = (known ?? []).flatMap((entry) => patchEntry(entry, current));
  if (form === 'entry') return [...operations, ...(missing ?? []).flatMap(addThroughFilter)];
  const value = (missing ?? []).flatMap(toNewEntries);
  return value.length > 0 ? [...operations, { op: 'add', path, value }] : operations;
}

function patchValue(change: Change, current: JsonObject | null): PatchOperation[] {
  const { place, after } = change;
  const path = printScimPath(place.isWhole ? { ...place.path, sub: null } : place.path);
  const before = current === null ? change.before : readScimPath(place.path, current);
  if (after === undefined) return current !== null && isEmpty(before) ? [] : [{ op: 'remove', path }];
  if (change.adds) {
    const value = findNew(before, after);
    return value.length === 0 ? [] : [{ op: 'add', path, value }];
  }
  const value = place.isWhole ? { value: after } : after;
  // "add" appends to a list, so a list is always replaced; for a single value both do the same (section 3.5.2.1).
  const op = isEmpty(before) && !Array.isArray(after) ? 'add' : 'replace';
  return [{ op, path, value }];
}

/** An entry is known by its value. */
function findNew(before: Json | undefined, after: Json): readonly Json[] {
  const toKey = (entry: Json): Json => toObject(entry)?.['value'] ?? entry;
  const there = toList(before).map(toKey);
  return toList(after).filter((entry) => !there.some((each) => isSameValue(each, toKey(entry), true)));
}

function toList(value: Json | undefined): readonly Json[] {
  return isEmpty(value) ? [] : ([value].flat() as readonly Json[]);
}

function toEntries(changes: readonly Change[]): Entry[] {
  const byPath = new Map<string, { path: ScimPath; changes: Change[] }>();
  for (const change of changes.filter((each) => each.place.path.filter !== null)) {
    const path = { ...change.place.path, sub: null };
    const key = printScimPath(path);
    const entry = byPath.get(key) ?? { path, changes: [] };
    entry.changes.push(change);
    byPath.set(key, entry);
  }
  return [...byPath.values()];
}

function isThere(entry: Entry, current: JsonObject | null): boolean {
  if (current !== null) return readScimPath(entry.path, current) !== undefined;
  return entry.changes.some((each) => each.before !== undefined);
}

function patchEntry(entry: Entry, current: JsonObject | null): PatchOperation[] {
  const path = printScimPath(entry.path);
  if (isEmptied(entry, current)) return [{ op: 'remove', path }];
  return entry.changes.flatMap((each): PatchOperation[] => {
    const path = printScimPath(each.place.path);
    if (each.after !== undefined) return [{ op: 'replace', path, value: each.after }];
    const isGone = current !== null && isEmpty(readScimPath(each.place.path, current));
    return isGone ? [] : [{ op: 'remove', path }];
  });
}

/** Would nothing be left of the entry but what its filter says and how it is shown? */
function isEmptied(entry: Entry, current: JsonObject | null): boolean {
  if (entry.changes.some((each) => each.after !== undefined)) return false;
  if (entry.changes.some((each) => isWholeEntry(each.place.path))) return true;
  const known = toObject(current === null ? undefined : readScimPath(entry.path, current));
  return known !== null && isIdle(known, entry.path, new Set(entry.changes.map((each) => each.place.path.sub)));
}

/** Does the entry say nothing but what it is found by and how it is shown, once the parts are gone? */
function isIdle(entry: JsonObject, { filter }: ScimPath, gone: ReadonlySet<string | null>): boolean {
  const idle = [...gone, ...(filter ?? []).map((each) => each.attribute), 'type', 'primary', 'display'];
  const names = new Set(idle.map((each) => each?.toLowerCase()));
  return Object.entries(entry).every(([key, value]) => names.has(key.toLowerCase()) || isEmpty(value));
}

/** Removing `value`, or the entry itself, leaves nothing that means anything. */
function isWholeEntry(path: ScimPath): boolean {
  return path.sub === null || path.sub.toLowerCase() === 'value';
}

function addThroughFilter({ changes }: Entry): PatchOperation[] {
  return changes.flatMap(({ place, after }): PatchOperation[] =>
    after === undefined ? [] : [{ op: 'add', path: printScimPath(place.path), value: after }],
  );
}

/** The entry that has the filter's values and the new ones; none when there is nothing new. */
function toNewEntries(entry: Entry): readonly Json[] {
  const document: ScimDocument = {};
  for (const { place, after } of entry.changes) {
    if (after !== undefined) writeScimPath({ ...place.path, urn: null }, document, after);
  }
  return readList({ ...entry.path, urn: null }, document);
}

function isPrimary(change: Change): boolean {
  const { sub, filter } = change.place.path;
  const marks = filter?.some((term) => term.attribute.toLowerCase() === 'primary' && term.value === true) ?? false;
  return change.after !== undefined && (marks || (sub?.toLowerCase() === 'primary' && change.after === true));
}

/** Does an entry get the primary mark while another one has it? */
function movesPrimary(entries: readonly Entry[], current: JsonObject | null): boolean {
  const marked = entries.find((entry) => entry.changes.some(isPrimary));
  if (current === null || marked === undefined) return false;
  const self = readScimPath(marked.path, current);
  return readList(marked.path, current).some((each) => each !== self && toObject(each)?.['primary'] === true);
}

function replaceList(path: string, entries: readonly Entry[], current: JsonObject | null): PatchOperation {
  const document = structuredClone(current ?? {}) as ScimDocument;
  for (const change of entries.flatMap((entry) => entry.changes)) applyChange(change, document);
  const [first] = entries;
  return { op: 'replace', path, value: first === undefined ? [] : readList(first.path, document) };
}

function toListPath(path: ScimPath): ScimPath {
  return { ...path, filter: null, sub: null };
}

function readList(path: ScimPath, resource: JsonObject): readonly Json[] {
  const list = readScimPath(toListPath(path), resource);
  return Array.isArray(list) ? list : [];
}

/** The whole object with the changes made, for PUT. Nothing that it has and that is not changed is lost. */
export function applyChanges(current: JsonObject, changes: readonly AttributeChange[], placeOf: PlaceOf): ScimDocument {
  const document = structuredClone(current) as ScimDocument;
  for (const change of toChanges(changes, placeOf)) applyChange(change, document);
  return document;
}

function applyChange(change: Change, document: ScimDocument): void {
  const { place, after } = change;
  if (after === undefined) removeAt(place, document);
  else if (change.adds) addTo(place, document, after);
  else writeScimPath(place.path, document, after);
  if (isPrimary(change)) unmarkOthers(place.path, document);
}

function addTo({ path }: Place, document: ScimDocument, after: Json): void {
  const there = toList(readScimPath(path, document));
  writeScimPath(path, document, [...there, ...findNew(there, after)]);
}

function unmarkOthers(path: ScimPath, document: ScimDocument): void {
  const self = readScimPath({ ...path, sub: null }, document);
  for (const each of readList(path, document) as ScimDocument[]) {
    if (each !== self && each['primary'] === true) each['primary'] = false;
  }
}

/** In a whole object null says "nothing there" (RFC 7643 section 2.5); a key that is left out would say the same. */
function removeAt(place: Place, document: ScimDocument): void {
  const { path } = place;
  if (path.filter !== null) removeFromList(path, document);
  else if (place.isWhole) writeScimPath({ ...path, sub: null }, document, null);
  else if (readScimPath(path, document) !== undefined) writeScimPath(path, document, null);
}

function removeFromList(path: ScimPath, document: ScimDocument): void {
  const entry = readScimPath({ ...path, sub: null }, document);
  if (entry === undefined) return;
  const others = readList(path, document).filter((each) => each !== entry);
  if (isWholeEntry(path) || isIdle(toObject(entry) ?? {}, path, new Set([path.sub])))
    writeScimPath(toListPath(path), document, others);
  else writeScimPath(path, document, null);
}
