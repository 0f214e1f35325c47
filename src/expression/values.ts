import { SyncError } from '../errors.ts';
import type { Json } from '../model.ts';
import type { ComparisonOperator } from './ast.ts';

/** What an expression takes and gives. `null` is an absent value, which is not the same as `""`. */
export type Value = Json;

/** What an expression is evaluated against: one person, at one moment. */
export interface Environment {
  /** The value of an attribute by the name the expression wrote; null when the person has none. */
  attribute(name: string): Value;
  readonly now: Date;
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

/** A failure of one person's value. Names the function and what it needs, never the value: that is personal data. */
export function recordError(label: string, expected: string): SyncError {
  return new SyncError('RecordInvalid', `${label} must be ${expected}`);
}

export function isList(value: Value): value is readonly Value[] {
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
  return single;
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

type Single = string | number | boolean | null;

function isEqual(left: Single, right: Single): boolean {
  if (typeof left === 'number' || typeof right === 'number') {
    const numbers = [toNumber(left), toNumber(right)] as const;
    if (numbers[0] !== undefined && numbers[1] !== undefined) return numbers[0] === numbers[1];
  }
  return singleText(left) === singleText(right);
}

function order(left: Single, right: Single): number {
  const numbers = [toNumber(left), toNumber(right)] as const;
  if (numbers[0] !== undefined && numbers[1] !== undefined) return numbers[0] - numbers[1];
  const texts = [singleText(left), singleText(right)] as const;
  if (texts[0] === texts[1]) return 0;
  return texts[0] < texts[1] ? -1 : 1;
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
  if (single === null || typeof single !== 'object') return single;
  throw recordError(label, isList(single) ? 'one value, but the person has several' : 'a text, number or boolean');
}

function numberText(value: number): string {
  return Number.isInteger(value) && Math.abs(value) >= 1e21 ? BigInt(value).toString() : String(value);
}

function isBasic(text: string): boolean {
  return !/[\ud800-\udfff]/.test(text);
}
