import type { Json } from '../model.ts';
import { ExpressionError } from './error.ts';
import { decodeText, endOfText } from './lexer.ts';

/** Where a value stands in a source record. */
export interface SourcePath {
  readonly text: string;
  readonly steps: readonly Step[];
}

type Step = NamesStep | IndexStep | SelectorStep | PrimaryStep;

/** A run of dotted names. `splits[n]`: the keys that may follow after n of its names, the longest first. */
interface NamesStep {
  readonly kind: 'names';
  readonly splits: readonly (readonly Split[])[];
}

interface Split {
  readonly key: string;
  /** How many names of the run are consumed after this key. */
  readonly next: number;
}

interface IndexStep {
  readonly kind: 'index';
  readonly index: number;
}

/** The entry that is marked as primary, else the first one: lists of directories have no order. */
interface PrimaryStep {
  readonly kind: 'primary';
}

interface SelectorStep {
  readonly kind: 'selector';
  readonly attribute: string;
  /** In lower case when it is a text. */
  readonly value: string | number | boolean;
}

const MAX_PATH = 1000;
const MAX_NAMES = 32;
const INDEX = /\[(\d{1,9})\]/y;
const PRIMARY = /\[\s*primary\s*\]/iy;
const SELECTOR = /\[\s*([A-Za-z_$][\w$-]*)\s+eq\s+("(?:[^"\\]|\\.)*"|true|false|-?\d+(?:\.\d+)?)\s*\]/iy;

/**
 * Parses `a.b.c`, `a[0]`, `a[primary]`, `a[type eq "work"].value`, `["a.b"]` and names that themselves hold dots or, in URNs, colons.
 * Names are taken as written: case and blanks count. Throws ExpressionError with the column.
 */
export function parseSourcePath(text: string): SourcePath {
  if (text.length === 0) throw pathError('the path is empty', 0, 0);
  if (text.length > MAX_PATH) throw pathError(`a path has at most ${MAX_PATH} characters`, MAX_PATH, text.length);
  const steps: Step[] = [];
  let offset = 0;
  while (offset < text.length) {
    if (text[offset] === '[') {
      offset = readBracket(text, offset, steps);
    } else {
      offset = readNames(text, offset, steps);
    }
    if (text[offset] === '.') offset = readDot(text, offset);
    else if (offset < text.length && text[offset] !== '[') throw pathError('expected "." or "["', offset, offset + 1);
  }
  return { text, steps };
}

/**
 * The value at a path; null when there is none. Only a record's own properties are seen, so that no path reaches into
 * JavaScript's prototypes. At each level the longest name that exists wins: `a.b.c` is the key `a.b.c`, else `c` in
 * `a.b`, else `b.c` in `a`, else `c` in `b` in `a`. A value that is no list stands for a list of one.
 */
export function readSourcePath(path: SourcePath, attributes: Readonly<Record<string, Json>>): Json {
  let value: Json | undefined = attributes;
  for (const step of path.steps) {
    value = readStep(step, value);
    if (value === undefined || value === null) return null;
  }
  return value;
}

/** `readSourcePath` for one path, with what the path alone decides decided once: most are one name. */
export function compileSourcePath(path: SourcePath): (attributes: Readonly<Record<string, Json>>) => Json {
  const key = toOnlyName(path);
  if (key === null) return (attributes) => readSourcePath(path, attributes);
  return (attributes) => (Object.hasOwn(attributes, key) ? (attributes[key] ?? null) : null);
}

/** Null for a path of several steps, or of a name that may be several. */
function toOnlyName({ steps: [first, second] }: SourcePath): string | null {
  if (first?.kind !== 'names' || second !== undefined) return null;
  return first.splits.length === 1 ? (first.splits[0]?.[0]?.key ?? null) : null;
}

/**
 * The top-level names under which the path may be found, the longest first. When a record's source knows none of them,
 * the path is unknown rather than absent.
 */
export function topLevelNames(path: SourcePath): string[] {
  const first = path.steps[0];
  return first?.kind === 'names' ? (first.splits[0] ?? []).map((split) => split.key) : [];
}

/**
 * What a directory is asked for that the path may be found in: the first of its names, or all of a URN, in which dots and
 * colons separate nothing that could be told here.
 */
export function toAskedName(path: SourcePath): string {
  const names = topLevelNames(path);
  return (/^urn:/i.test(path.text) ? names[0] : names.at(-1)) ?? path.text;
}

function readBracket(text: string, offset: number, steps: Step[]): number {
  if (text[offset + 1] === '"') return readForcedName(text, offset, steps);
  if (offset === 0) throw pathError('a path begins with a name', 0, 1);
  INDEX.lastIndex = offset;
  const index = INDEX.exec(text)?.[1];
  if (index !== undefined) {
    steps.push({ kind: 'index', index: Number(index) });
    return INDEX.lastIndex;
  }
  PRIMARY.lastIndex = offset;
  if (PRIMARY.test(text)) {
    steps.push({ kind: 'primary' });
    return PRIMARY.lastIndex;
  }
  SELECTOR.lastIndex = offset;
  const selector = SELECTOR.exec(text);
  const [, attribute, literal] = selector ?? [];
  if (attribute === undefined || literal === undefined) {
    throw pathError(
      'expected an index like [0], a selector like [type eq "work"] or a name like ["a.b"]',
      offset,
      text.length,
    );
  }
  steps.push({ kind: 'selector', attribute, value: literalValue(literal) });
  return SELECTOR.lastIndex;
}

function readForcedName(text: string, offset: number, steps: Step[]): number {
  const end = endOfText(text, offset + 1);
  if (end === undefined) throw pathError('the name is not closed with "', offset + 1, text.length);
  if (text[end] !== ']') throw pathError('expected "]" after the name', end, end + 1);
  const key = decodeText(text.slice(offset + 1, end));
  if (key === '') throw pathError('a name is empty', offset, end + 1);
  steps.push({ kind: 'names', splits: [[{ key, next: 1 }]] });
  return end + 1;
}

function readNames(text: string, offset: number, steps: Step[]): number {
  const bracket = text.indexOf('[', offset);
  const end = bracket === -1 ? text.length : bracket;
  const run = text.slice(offset, end);
  const stray = run.indexOf(']');
  if (stray !== -1) throw pathError('"]" without "["', offset + stray, offset + stray + 1);
  const cuts = cutsOf(run, steps.length === 0 && /^urn:/i.test(run));
  for (const [index, cut] of cuts.entries()) {
    const start = index === 0 ? 0 : (cuts[index - 1] ?? 0) + 1;
    if (cut === start) throw pathError('a name is empty', offset + cut, Math.min(offset + cut + 1, text.length));
  }
  if (cuts.length > MAX_NAMES) throw pathError(`a path has at most ${MAX_NAMES} names`, offset, end);
  steps.push({ kind: 'names', splits: splitsOf(run, cuts) });
  return end;
}

/** Offsets at which a name may end: at dots and, in a URN, at colons; the last one is the end of the run. */
function cutsOf(run: string, isUrn: boolean): number[] {
  const cuts: number[] = [];
  for (let index = 0; index < run.length; index += 1) {
    if (run[index] === '.' || (isUrn && run[index] === ':')) cuts.push(index);
  }
  cuts.push(run.length);
  return cuts;
}

function splitsOf(run: string, cuts: readonly number[]): Split[][] {
  return cuts.map((_, from) => {
    const start = from === 0 ? 0 : (cuts[from - 1] ?? 0) + 1;
    return cuts
      .slice(from)
      .map((cut, more) => ({ key: run.slice(start, cut), next: from + more + 1 }))
      .toReversed();
  });
}

function readDot(text: string, offset: number): number {
  const next = text[offset + 1];
  if (next === undefined || next === '[') throw pathError('expected a name after "."', offset, offset + 1);
  return offset + 1;
}

function literalValue(literal: string): string | number | boolean {
  if (literal.startsWith('"')) return decodeText(literal).toLowerCase();
  if (/^(?:true|false)$/i.test(literal)) return literal.toLowerCase() === 'true';
  return Number(literal);
}

function readStep(step: Step, value: Json | undefined): Json | undefined {
  if (value === undefined || value === null) return undefined;
  switch (step.kind) {
    case 'names':
      return readSplits(step.splits, value, 0);
    case 'index':
      return isList(value) ? value[step.index] : step.index === 0 ? value : undefined;
    case 'selector':
      return (isList(value) ? value : [value]).find((entry) => isSelected(step, entry));
    case 'primary':
      return isList(value) ? (value.find(isPrimary) ?? value[0]) : value;
  }
}

function readSplits(splits: readonly (readonly Split[])[], value: Json | undefined, from: number): Json | undefined {
  const candidates = splits[from];
  if (candidates === undefined) return value;
  if (!isObject(value)) return undefined;
  for (const { key, next } of candidates) {
    if (!Object.hasOwn(value, key)) continue;
    const found = readSplits(splits, value[key], next);
    if (found !== undefined) return found;
  }
  return undefined;
}

function isSelected(step: SelectorStep, entry: Json): boolean {
  if (!isObject(entry) || !Object.hasOwn(entry, step.attribute)) return false;
  const value = entry[step.attribute];
  return (typeof value === 'string' ? value.toLowerCase() : value) === step.value;
}

function isPrimary(entry: Json): boolean {
  return isObject(entry) && Object.hasOwn(entry, 'primary') && String(entry['primary']).toLowerCase() === 'true';
}

function isList(value: Json | undefined): value is readonly Json[] {
  return Array.isArray(value);
}

function isObject(value: Json | undefined): value is { readonly [key: string]: Json } {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function pathError(detail: string, start: number, end: number): ExpressionError {
  return new ExpressionError(detail, { line: 1, column: start + 1, length: end - start });
}
