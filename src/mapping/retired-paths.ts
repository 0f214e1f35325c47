/**
 * Paths of the target that CustomAttributes have written and write no more: one was deleted, moved to another path, or does not
 * take its predefined attribute any more. Their values are to be removed. Pure.
 */
import { parseScimPath, printScimPath, type ScimPath } from '../scim/path.ts';
import type { CompiledMapping } from './compile.ts';
import type { CustomAttribute, CustomAttributeSet } from './custom-attributes.ts';

/** Where the values of one CustomAttribute are. */
export interface WrittenAttribute {
  readonly path: string;
  /** They are those of a predefined attribute. */
  readonly predefined: boolean;
  /** They are not shown to whoever reads a plan. */
  readonly redacted: boolean;
}

export interface RetiredPath {
  /** Name of the CustomAttribute. */
  readonly resource: string;
  readonly redacted: boolean;
}

/** What earlier runs have written; by name of the resource, and by path. */
export interface AttributeMemory {
  readonly written: Readonly<Record<string, WrittenAttribute>>;
  readonly retired: Readonly<Record<string, RetiredPath>>;
}

export interface RetiringInput {
  /** Null: no run has remembered anything yet. */
  readonly memory: AttributeMemory | null;
  readonly customs: CustomAttributeSet;
  readonly mapping: Pick<CompiledMapping, 'paths' | 'entries'>;
  /** Names of all CustomAttributes of the namespace, whether they apply or not. */
  readonly present: ReadonlySet<string>;
  /** Those whose values are to stay, whatever becomes of them. */
  readonly kept: ReadonlySet<string>;
}

/** By these Dirsync and the application know an account, and whether it is open: no attribute takes them along. */
const NEVER_RETIRED: ReadonlySet<string> = new Set(['userName', 'externalId', 'active']);

/** What is written from now on, and what is to be removed. */
export function computeRetired(input: RetiringInput): AttributeMemory {
  const { memory, mapping, kept } = input;
  const written = toAllWritten(input);
  const retired = new Map(Object.entries(memory?.retired ?? {}));
  for (const [resource, { path, redacted }] of listLeft(input, written)) retired.set(path, { resource, redacted });
  const live = [...mapping.paths.keys()].map(parseScimPath);
  const isOver = (path: string, resource: string): boolean =>
    kept.has(resource) || NEVER_RETIRED.has(path) || live.some((each) => overlaps(each, parseScimPath(path)));
  return {
    written: Object.fromEntries(Object.entries(written).filter(([resource]) => !kept.has(resource))),
    retired: Object.fromEntries([...retired].filter(([path, { resource }]) => !isOver(path, resource))),
  };
}

function toAllWritten({ memory, customs, mapping }: RetiringInput): AttributeMemory['written'] {
  const staying = [...customs.byName.values()].filter(({ leaving }) => !leaving);
  const entries = staying.flatMap((custom) => {
    const now = toWritten(custom, mapping) ?? memory?.written[custom.resource];
    return now === undefined ? [] : [[custom.resource, now] as const];
  });
  return Object.fromEntries(entries);
}

/** What was written until now and is not any more, by resource. */
function listLeft(
  { memory, customs, mapping, present }: RetiringInput,
  written: AttributeMemory['written'],
): readonly (readonly [string, WrittenAttribute])[] {
  const leaving = new Set(customs.leaving.map(({ resource }) => resource));
  const before = Object.entries(memory?.written ?? {}).filter(([resource, was]) => {
    const now = written[resource];
    return !present.has(resource) || leaving.has(resource) || (now !== undefined && isLeft(was, now));
  });
  // Also what was written before anything was remembered.
  const now = customs.leaving.flatMap((custom) => {
    const each = toWritten(custom, mapping);
    const redacted = each?.redacted === true || memory?.written[custom.resource]?.redacted === true;
    return each === null ? [] : [[custom.resource, { ...each, redacted }] as const];
  });
  return [...before, ...now];
}

/** Null: its path is wrong, and nothing is written. */
function toWritten(
  { path, name, predefined }: CustomAttribute,
  { entries }: RetiringInput['mapping'],
): WrittenAttribute | null {
  if (path === null) return null;
  const redacted = entries.some((entry) => entry.custom?.name === name && entry.redacted);
  return { path, predefined: predefined !== null, redacted };
}

/** A predefined attribute that is not taken any more is gone like a deleted one, unless an entry gives it another value. */
function isLeft(was: WrittenAttribute, now: WrittenAttribute): boolean {
  return was.path !== now.path || (was.predefined && !now.predefined);
}

/** One of the two is the other, or a part of it: to remove it would take what is written along. */
function overlaps(left: ScimPath, right: ScimPath): boolean {
  const [whole, other] = [printScimPath(left), printScimPath(right)];
  if (whole === other) return true;
  const isWhole = ({ filter, sub }: ScimPath): boolean => filter === null && sub === null;
  return (isWhole(left) || isWhole(right)) && toAttribute(left) === toAttribute(right);
}

function toAttribute(path: ScimPath): string {
  return printScimPath({ ...path, filter: null, sub: null }).toLowerCase();
}
