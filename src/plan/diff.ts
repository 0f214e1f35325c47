/** What differs between what must be and what is. Pure. */
import type { AttributeChange, Attributes, Json, ResourceKind } from '../model.ts';

/** How values at a path compare. */
export interface PathShape {
  /** Text that differs in case alone is another value. */
  readonly caseExact: boolean;
  readonly multiValued: boolean;
  /** What its values refer to; null: to nothing. */
  readonly reference: ResourceKind | null;
  /** Accounts are matched by it. */
  readonly matching: boolean;
  /** No account is made without a value. */
  readonly required: boolean;
  /** The target takes a value from one account only. */
  readonly unique: boolean;
  /** Its values are not shown to whoever reads a plan. */
  readonly redacted?: true;
  /** Entries are added to the list; those that are there stay. */
  readonly adds?: true;
  /** A photo, which is written and never read. */
  readonly photo?: true;
}

/** Null, empty text and empty lists are one state: "unassigned" (RFC 7643 section 2.5). */
export function isUnassigned(value: Json | undefined): boolean {
  return value === undefined || value === null || value === '' || (Array.isArray(value) && value.length === 0);
}

/**
 * The values are one to the target: lists as sets, text by the path's case rule, date-times by the instant. A number or
 * boolean and its text are the same (servers return either).
 */
export function isSameValue(left: Json | undefined, right: Json | undefined, caseExact: boolean): boolean {
  if (left === right) return true;
  if (isUnassigned(left) || isUnassigned(right)) return isUnassigned(left) && isUnassigned(right);
  // Booleans arrive as words from some servers, in any case.
  const isExact = caseExact && typeof left !== 'boolean' && typeof right !== 'boolean';
  const ours = toKeys(left, isExact);
  const theirs = toKeys(right, isExact);
  return ours.size === theirs.size && [...ours].every((key) => theirs.has(key));
}

function toKeys(value: Json | undefined, caseExact: boolean): ReadonlySet<string> {
  return new Set([value].flat().map((each) => toComparable(each as Json, caseExact)));
}

const DATE_TIME = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d+)?(Z|[-+]\d{2}:\d{2})$/;

function toComparable(value: Json, caseExact: boolean): string {
  if (typeof value === 'object' && value !== null) return toComparableObject(value as JsonObject, caseExact);
  const at = typeof value === 'string' && DATE_TIME.test(value) ? Date.parse(value) : Number.NaN;
  if (!Number.isNaN(at)) return new Date(at).toISOString();
  const text = String(value).normalize('NFC');
  return caseExact ? text : text.toLowerCase();
}

type JsonObject = { readonly [key: string]: Json };

/** Keys in any case and order; what is unassigned, and what says the same as its absence, counts for nothing. */
function toComparableObject(value: JsonObject, caseExact: boolean): string {
  const parts = Object.entries(value)
    .map(([key, part]) => [key.toLowerCase(), part] as const)
    // Servers add the address of what is referred to, and say of every entry whether it is primary.
    .filter(([key, part]) => !isUnassigned(part) && key !== '$ref' && !(key === 'primary' && String(part) === 'false'))
    .map(([key, part]) => [key, [...toKeys(part, caseExact && typeof part !== 'boolean')].sort()] as const);
  return JSON.stringify(parts.sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** What is wanted at the path is there, whatever a list that is only added to has besides. */
export function isHeld(held: Json | undefined, wanted: Json | undefined, shape: PathShape | undefined): boolean {
  const caseExact = shape?.caseExact ?? true;
  if (shape?.adds !== true) return isSameValue(held, wanted, caseExact);
  return findMissing(held, wanted, caseExact).length === 0;
}

/** Entries of a list that is wanted that are not there. An entry is known by its value: what it is called is not ours to mend. */
function findMissing(held: Json | undefined, wanted: Json | undefined, caseExact: boolean): readonly Json[] {
  const toKey = (entry: Json): string => {
    const value = typeof entry === 'object' && entry !== null ? (entry as JsonObject)['value'] : undefined;
    return toComparable(value ?? entry, caseExact);
  };
  const there = new Set(toList(held).map(toKey));
  return toList(wanted).filter((entry) => !there.has(toKey(entry)));
}

function toList(value: Json | undefined): readonly Json[] {
  return isUnassigned(value) ? [] : ([value].flat() as readonly Json[]);
}

export interface DesiredValues {
  readonly attributes: Attributes;
  /** Paths to be emptied where the target has a value. */
  readonly clear: readonly string[];
  /** Reference paths → target ids, where they are known. */
  readonly references: Attributes;
}

/**
 * Changes from `current` to `desired`, sorted by path. What `desired` does not speak of stays.
 * @param sent what was last written. A value that differs from it in case alone is written once more, so that a name
 * that was mended in the source is mended in the target too; a target that has a spelling of its own is left alone
 */
export function diffValues(
  desired: DesiredValues,
  current: Attributes,
  shapes: ReadonlyMap<string, PathShape>,
  sent: Attributes = {},
): readonly AttributeChange[] {
  const changes: AttributeChange[] = [];
  for (const [path, after] of [...Object.entries(desired.attributes), ...Object.entries(desired.references)]) {
    const before = current[path];
    const shape = shapes.get(path);
    if (shape?.adds === true) {
      const missing = findMissing(before, after, shape.caseExact);
      if (missing.length > 0) changes.push({ ...toChange(path, before, [...toList(before), ...missing]), adds: true });
      continue;
    }
    const isSame = isSameValue(before, after, shape?.caseExact ?? true);
    if (!isSame || isRespelled(before, sent[path], after)) changes.push(toChange(path, before, after));
  }
  for (const path of new Set(desired.clear)) {
    const before = current[path];
    if (!isUnassigned(before)) changes.push(toChange(path, before, undefined));
  }
  return changes.sort((a, b) => (a.path < b.path ? -1 : 1));
}

function isRespelled(before: Json | undefined, sent: Json | undefined, after: Json): boolean {
  return !isUnassigned(sent) && !isSameValue(sent, after, true) && !isSameValue(before, after, true);
}

function toChange(path: string, before: Json | undefined, after: Json | undefined): AttributeChange {
  return {
    path,
    ...(isUnassigned(before) ? {} : { before }),
    ...(after === undefined ? {} : { after }),
  };
}

/** Is this change the loss of a value? */
export function isClearing(change: AttributeChange): boolean {
  return change.after === undefined;
}
