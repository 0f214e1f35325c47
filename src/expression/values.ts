import { SyncError } from '../errors.ts';
import type { Json } from '../model.ts';
import type { ComparisonOperator } from './ast.ts';
import { DateTime } from './dates/date-time.ts';
import { DATE_FORMS, parseDate } from './dates/parse.ts';

/**
 * What SelectUniqueValue gives: values in the order in which they are wanted, none of them null or empty. Which one is
 * free, only the target can say.
 */
export class UniqueCandidates {
  readonly values: readonly Json[];

  constructor(values: readonly Json[]) {
    this.values = values;
  }
}

/** What an expression computes with. `null` is an absent value, which is not the same as `""`. */
export type Value = Json | DateTime | UniqueCandidates;

/** A way to say that nothing flows: not a value, nor the absence of one. */
export type Skip = 'SkipAttribute' | 'SkipObject';

/** Ends an evaluation, from whichever depth: IgnoreAttributeFlow, IgnoreObjectFlow, IgnoreFlowIfNullOrEmpty. */
export class SkipSignal extends Error {
  readonly skip: Skip;

  constructor(skip: Skip) {
    super(skip);
    this.skip = skip;
  }
}

/** The person as a whole fails, not only the attribute: the function Error. */
export class PersonError extends SyncError {
  constructor(message: string) {
    super('RecordInvalid', message);
  }
}

/** Facts about the tenant that no record of a person has. */
export interface TenantContext {
  readonly defaultDomain: string | null;
}

/** What an expression is evaluated against: one person, at one moment. */
export interface Environment {
  /** The value of an attribute by the name the expression wrote; null when the person has none. */
  attribute(name: string): Json;
  /** One moment for the whole run. */
  readonly now: Date;
  /** The next random number, from 0 to below 1. Of the run and the person: asked again, it gives the same sequence. */
  random(): number;
  readonly context: TenantContext;
}

/** One argument, not evaluated yet. */
export interface Thunk {
  /** Function and parameter, for messages: `Mid: start`. */
  readonly label: string;
  readonly evaluate: (environment: Environment) => Value;
}

/**
 * Nested Replace calls could double a text two hundred times. A value that a function makes longer than this many UTF-16
 * units fails the one record; a photo of the largest size allowed still fits.
 */
const MAX_TEXT = 1_048_576;

const WHOLE = /^\s*[+-]?\d+\s*$/;
const NUMERIC = /^\s*[+-]?\d+(?:\.\d+)?\s*$/;
const LONGEST_EXACT = 15;

/** A failure of one person's value. Names the function and what it needs, never the value: that is personal data. */
export function recordError(label: string, expected: string): SyncError {
  return new SyncError('RecordInvalid', `${label} must be ${expected}`);
}

export function isList(value: Value): value is readonly Json[] {
  return Array.isArray(value);
}

/** Absent: null, or a multi-valued attribute without any value. */
export function isNull(value: Value): boolean {
  return value === null || (isList(value) && value.length === 0);
}

/** Absent or `""`. */
export function isNullOrEmpty(value: Value): boolean {
  return value === '' || isNull(value);
}

/** Evaluates an argument; a parameter that was not given is null. */
export function evaluateArgument(argument: Thunk | undefined, environment: Environment): Value {
  return argument === undefined ? null : argument.evaluate(environment);
}

/** Evaluates an argument to text; null when it is absent or not given. Throws RecordInvalid for lists and objects. */
export function textOf(argument: Thunk | undefined, environment: Environment): string | null {
  if (argument === undefined) return null;
  const value = argument.evaluate(environment);
  return typeof value === 'string' ? value : toText(value, argument.label);
}

/** Evaluates an argument to a whole number; numeric texts are converted. Throws RecordInvalid for anything else. */
export function integerOf(argument: Thunk | undefined, environment: Environment): number {
  const value = singleValue(evaluateArgument(argument, environment), argument?.label ?? '');
  if (typeof value === 'number' && Number.isInteger(value)) return value;
  if (typeof value === 'string' && WHOLE.test(value)) return Number(value);
  throw recordError(argument?.label ?? 'an argument', 'a whole number');
}

/**
 * Evaluates a condition: True and False as booleans or words (case does not matter), numbers by being non-zero, and an
 * absent or empty value as False. Throws RecordInvalid for other texts.
 */
export function conditionOf(argument: Thunk | undefined, environment: Environment): boolean {
  const label = argument?.label ?? '';
  const value = singleValue(evaluateArgument(argument, environment), label);
  if (typeof value === 'boolean') return value;
  if (value === null || value === '') return false;
  if (typeof value === 'number') return value !== 0;
  if (value instanceof DateTime) throw recordError(label, 'True or False');
  if (isTrueWord(value)) return true;
  if (value.toLowerCase() === 'false') return false;
  if (NUMERIC.test(value)) return Number(value) !== 0;
  throw recordError(label, 'True or False');
}

/** The word `True`, however written. */
export function isTrueWord(text: string): boolean {
  return text.length === 4 && text.toLowerCase() === 'true';
}

/** The text of one value: booleans are the words True and False, numbers have no exponent, a list of one is its value. */
export function toText(value: Value, label: string): string | null {
  const single = singleValue(value, label);
  if (typeof single === 'number') return numberText(single);
  if (typeof single === 'boolean') return single ? 'True' : 'False';
  return single instanceof DateTime ? single.toString() : single;
}

/** Evaluates an argument to a date; null when it is absent or empty. Throws RecordInvalid for what is none. */
export function dateOf(argument: Thunk | undefined, environment: Environment): DateTime | null {
  const label = argument?.label ?? '';
  const value = singleValue(evaluateArgument(argument, environment), label);
  if (value === null || value === '') return null;
  const date = value instanceof DateTime ? value : typeof value === 'string' ? parseDate(value) : undefined;
  if (date === undefined) throw recordError(label, DATE_FORMS);
  return date;
}

/** Evaluates an argument to a whole number of any size. Throws RecordInvalid for anything else. */
export function bigIntegerOf(argument: Thunk | undefined, environment: Environment): bigint {
  const value = singleValue(evaluateArgument(argument, environment), argument?.label ?? '');
  if (typeof value === 'number' && Number.isInteger(value)) return BigInt(value);
  if (typeof value === 'string' && WHOLE.test(value)) return BigInt(value.trim());
  throw recordError(argument?.label ?? 'an argument', 'a whole number');
}

/** A whole number as a value: digits that a JavaScript number cannot hold stay text. */
export function toWholeNumber(value: bigint): number | string {
  const isSafe = value <= BigInt(Number.MAX_SAFE_INTEGER) && value >= BigInt(Number.MIN_SAFE_INTEGER);
  return isSafe ? Number(value) : value.toString();
}

/** Refuses a text that a function has made too long. `length` may be computed before the text is built. */
export function checkLength(length: number, functionName: string): void {
  if (length > MAX_TEXT) {
    throw new SyncError('RecordInvalid', `the result of ${functionName} is longer than ${MAX_TEXT} characters`);
  }
}

/** Makes `start` and `count` count characters as people do: no pair of surrogates is ever cut in half. */
export function sliceCharacters(text: string, start: number, end: number): string {
  return isBasic(text) ? text.slice(start, end) : Array.from(text).slice(start, end).join('');
}

export function countCharacters(text: string): number {
  return isBasic(text) ? text.length : Array.from(text).length;
}

/**
 * Equality compares texts with their case, an absent value being `""`; a real number compares with a numeric text as a
 * number, so that `[level] = 7` holds for `"007"` and `[id] = "7"` does not. Order compares numerically when both sides
 * are numeric, else by code unit; an absent value has no place in it.
 */
export function compareValues(operator: ComparisonOperator, sides: readonly [Value, Value], label: string): boolean {
  const left = singleValue(sides[0], label);
  const right = singleValue(sides[1], label);
  if (operator === '=') return isEqual(left, right);
  if (operator === '<>') return !isEqual(left, right);
  if (left === null || right === null) return false;
  return isOrdered(operator, order(left, right));
}

type Single = string | number | boolean | null | DateTime;

function isEqual(left: Single, right: Single): boolean {
  const dates = toDates(left, right);
  if (dates !== undefined) return dates[0].fileTime === dates[1].fileTime;
  if (typeof left === 'number' || typeof right === 'number') {
    const numbers = [toNumber(left), toNumber(right)] as const;
    if (numbers[0] !== undefined && numbers[1] !== undefined) return numbers[0] === numbers[1];
  }
  return singleText(left) === singleText(right);
}

function order(left: Single, right: Single): number {
  const dates = toDates(left, right);
  if (dates !== undefined) return dates[0].ms - dates[1].ms || dates[0].ticks - dates[1].ticks;
  // File times do not fit a number; as text they would be ordered by their first digit.
  if (isLongWhole(left) && isLongWhole(right)) return compareBigIntegers(BigInt(left), BigInt(right));
  const numbers = [toNumber(left), toNumber(right)] as const;
  if (numbers[0] !== undefined && numbers[1] !== undefined) return numbers[0] - numbers[1];
  const texts = [singleText(left), singleText(right)] as const;
  if (texts[0] === texts[1]) return 0;
  return texts[0] < texts[1] ? -1 : 1;
}

/** Two dates, or a date and a text that is one. */
function toDates(left: Single, right: Single): readonly [DateTime, DateTime] | undefined {
  if (!(left instanceof DateTime || right instanceof DateTime)) return undefined;
  const [a, b] = [left, right].map((side) => (typeof side === 'string' ? parseDate(side) : side));
  return a instanceof DateTime && b instanceof DateTime ? [a, b] : undefined;
}

function isLongWhole(value: Single): value is string {
  return typeof value === 'string' && value.length > LONGEST_EXACT && WHOLE.test(value);
}

function compareBigIntegers(left: bigint, right: bigint): number {
  if (left === right) return 0;
  return left < right ? -1 : 1;
}

function isOrdered(operator: ComparisonOperator, difference: number): boolean {
  switch (operator) {
    case '>':
      return difference > 0;
    case '>=':
      return difference >= 0;
    case '<':
      return difference < 0;
    default:
      return difference <= 0;
  }
}

function toNumber(value: Single): number | undefined {
  if (typeof value === 'number') return value;
  return typeof value === 'string' && NUMERIC.test(value) ? Number(value) : undefined;
}

function singleText(value: Single): string {
  return value === null ? '' : (toText(value, '') ?? '');
}

/** The value of a list of one, null of an empty list. More values, and objects, are not one value. */
function singleValue(value: Value, label: string): Single {
  const single = isList(value) && value.length <= 1 ? (value[0] ?? null) : value;
  if (single === null || typeof single !== 'object' || single instanceof DateTime) return single;
  throw recordError(label, isList(single) ? 'one value, but the person has several' : 'a text, number or boolean');
}

function numberText(value: number): string {
  return Number.isInteger(value) && Math.abs(value) >= 1e21 ? BigInt(value).toString() : String(value);
}

function isBasic(text: string): boolean {
  return !/[\ud800-\udfff]/.test(text);
}
