/**
 * Turns a value of the source into one of the target's type. What the table lists is all that is converted; everything
 * else is an error that says what was expected, because a guess would be written into somebody's account.
 */
import { DateTime } from '../expression/dates/date-time.ts';
import { formatDate } from '../expression/dates/format.ts';
import { readDate } from '../expression/dates/read.ts';
import type { Json } from '../model.ts';
import type { AttributeDefinition, AttributeType } from '../scim/schema.ts';

/** What a value is not, and what it should have been. */
export interface Refusal {
  /** `a date` */
  readonly noun: string;
  /** With an example: `a date, such as 2026-03-01`. */
  readonly expected: string;
}

export type Coerced = { readonly value: Json } | { readonly refused: Refusal };

/** What a value is compared and converted by. */
export type ValueShape = Pick<AttributeDefinition, 'type' | 'multiValued'> &
  Partial<Pick<AttributeDefinition, 'subAttributes'>> & {
    /** .NET pattern by which a DateTime is read, and written to a String. */
    readonly format?: string | null;
  };

interface Conversion {
  readonly to: readonly AttributeType[];
  /** For the documentation: what is taken, and what becomes of it. */
  readonly takes: string;
  readonly refusal: Refusal;
  /** Undefined: refused with the table's own words. */
  readonly convert: (value: Json, shape: ValueShape) => Coerced | undefined;
}

function plain(convert: (value: Json) => Json | undefined): Conversion['convert'] {
  return (value) => {
    const converted = convert(value);
    return converted === undefined ? undefined : { value: converted };
  };
}

const NO_DATE: Refusal = {
  noun: 'a date',
  expected: 'an RFC 3339 date-time, such as 2026-03-01T09:00:00Z, or a date, such as 2026-03-01',
};

const TABLE: readonly Conversion[] = [
  {
    to: ['String', 'Reference'],
    takes:
      'text as it is; numbers in decimal; booleans as `True` and `False`. With `format` a date-time, written by it',
    refusal: { noun: 'text', expected: 'text, such as "Sales"' },
    convert: (value, shape) => (isFormatted(shape) ? toFormatted(value, shape.format) : plain(toText)(value, shape)),
  },
  {
    to: ['Boolean'],
    takes: 'booleans; the words true and false in any case',
    refusal: { noun: 'a Boolean', expected: 'true or false' },
    convert: plain(toBoolean),
  },
  {
    to: ['Integer'],
    takes: 'whole numbers below 2^53; text of an optional minus and digits',
    refusal: { noun: 'a whole number', expected: 'digits, such as 42' },
    convert: plain(toInteger),
  },
  {
    to: ['Decimal'],
    takes: 'numbers; text that is a decimal number, with a point',
    refusal: { noun: 'a decimal number', expected: 'digits with a point, such as 3.14' },
    convert: plain(toDecimal),
  },
  {
    to: ['DateTime'],
    takes:
      'RFC 3339 date-times; `yyyy-MM-dd` (midnight UTC). With `format` what it says instead, in UTC where it has no zone. Written as UTC with milliseconds',
    refusal: NO_DATE,
    convert: (value, shape) =>
      isFormatted(shape) ? readFormatted(value, shape.format) : plain(toDateTime)(value, shape),
  },
  {
    to: ['Binary'],
    takes: 'text in Base64 with its padding, as it is',
    refusal: { noun: 'Base64', expected: 'Base64 with its padding, such as aGVsbG8=' },
    convert: plain(toBinary),
  },
  {
    to: ['Complex'],
    takes:
      'objects, and texts that are JSON of one. Names of parts compare without case and `_` (`street_address`; `raw_address` is `formatted`), each part is converted by this table, empty and read-only ones are left out',
    refusal: { noun: 'an object', expected: 'an object, such as {"value": "x", "type": "work"}' },
    convert: toComplex,
  },
];

const BY_TYPE: ReadonlyMap<AttributeType, Conversion> = new Map(
  TABLE.flatMap((conversion) => conversion.to.map((type) => [type, conversion] as const)),
);

/** The table of conversions of docs/attribute-mapping.md, in Markdown. */
export function renderCoercionTable(): string {
  const rows = [
    ...TABLE.map(({ to, takes, refusal }) => [to.join(', '), takes, refusal.expected]),
    ['a list', 'a list, each value by itself; one value alone. Empty values are dropped', ''],
    ['one value', 'the first value of a list that is not empty', ''],
  ];
  const lines = rows.map((cells) => `| ${cells.join(' | ')} |`.replaceAll('|  |', '| |'));
  return [
    '| type of the target | taken from | anything else is an error that expects |',
    '| --- | --- | --- |',
    ...lines,
  ]
    .join('\n')
    .concat('\n');
}

/** `attribute "hireDate": "June sixth" is not a date; expected a date, such as 2026-03-01`. */
export function toTypeMessage(target: string, value: Json, { noun, expected }: Refusal): string {
  return `attribute ${JSON.stringify(target)}: ${shorten(JSON.stringify(value))} is not ${noun}; expected ${expected}`;
}

/** A whole page of text in a title would hide what is said of it. */
function shorten(text: string): string {
  return text.length <= MAX_SHOWN ? text : `${text.slice(0, MAX_SHOWN)}…`;
}

const MAX_SHOWN = 200;

/** Null, empty text and empty lists are one state, "unassigned" (RFC 7643 section 2.5). */
export function isEmptyValue(value: Json | undefined): boolean {
  return value === undefined || value === null || value === '' || (Array.isArray(value) && value.every(isEmptyValue));
}

/** The value must not be empty. */
export function coerceValue(value: Json, shape: ValueShape): Coerced {
  if (!Array.isArray(value) && !shape.multiValued) return coerceOne(value, shape);
  const values = (Array.isArray(value) ? (value as readonly Json[]) : [value]).filter((each) => !isEmptyValue(each));
  const wanted = shape.multiValued ? values : values.slice(0, 1);
  const coerced: Json[] = [];
  for (const each of wanted) {
    const one = coerceOne(each, shape);
    if ('refused' in one) return one;
    coerced.push(one.value);
  }
  return { value: shape.multiValued ? coerced : (coerced[0] ?? null) };
}

function coerceOne(value: Json, shape: ValueShape): Coerced {
  const conversion = BY_TYPE.get(shape.type);
  if (conversion === undefined) throw new Error(`no conversion to ${shape.type}`);
  return conversion.convert(value, shape) ?? { refused: conversion.refusal };
}

function toText(value: Json): Json | undefined {
  if (typeof value === 'string') return value;
  if (typeof value === 'number') return toDecimalText(value);
  return typeof value === 'boolean' ? (value ? 'True' : 'False') : undefined;
}

/** Without an exponent, which nobody writes into a cost centre or a number of employee. */
function toDecimalText(value: number): string {
  const text = String(value);
  if (!text.includes('e')) return text;
  return Number.isInteger(value) ? BigInt(value).toString() : value.toFixed(20).replace(/\.?0+$/, '');
}

function toBoolean(value: Json): Json | undefined {
  if (typeof value === 'boolean') return value;
  const word = typeof value === 'string' ? value.toLowerCase() : '';
  return word === 'true' || word === 'false' ? word === 'true' : undefined;
}

function toInteger(value: Json): Json | undefined {
  const number = typeof value === 'string' && /^-?\d{1,16}$/.test(value) ? Number(value) : value;
  return typeof number === 'number' && Number.isSafeInteger(number) ? number : undefined;
}

function toDecimal(value: Json): Json | undefined {
  const number = typeof value === 'string' && /^-?\d{1,15}(\.\d{1,15})?$/.test(value) ? Number(value) : value;
  return typeof number === 'number' && Number.isFinite(number) ? number : undefined;
}

const DATE_TIME = /^(\d{4}-\d{2}-\d{2})(?:[Tt ](\d{2}:\d{2}(?::\d{2}(?:\.\d{1,9})?)?)([Zz]|[-+]\d{2}:\d{2}))?$/;

function toDateTime(value: Json): Json | undefined {
  const match = typeof value === 'string' ? DATE_TIME.exec(value) : null;
  if (match === null) return undefined;
  const [, day = '', time = '00:00:00', offset = 'Z'] = match;
  const at = new Date(`${day}T${time}${offset.toUpperCase()}`);
  const midnight = new Date(`${day}T00:00:00Z`);
  // The Date constructor turns the 30th of February into March: a date that does not print as itself is none.
  const isDay = !Number.isNaN(midnight.getTime()) && midnight.toISOString().startsWith(day);
  return isDay && !Number.isNaN(at.getTime()) ? at.toISOString() : undefined;
}

type Formatted = ValueShape & { readonly format: string };

function isFormatted(shape: ValueShape): shape is Formatted {
  return typeof shape.format === 'string';
}

const NO_BLANKS = { leading: false, trailing: false, inner: false };
/** A pattern without a day is one of the first of January 1970: the same on every run. */
const NO_DAY = new Date(0);

function readFormatted(value: Json, format: string): Coerced {
  const date = typeof value === 'string' ? readDate(value, format, { style: NO_BLANKS, today: NO_DAY }) : undefined;
  if (date !== undefined) return { value: new Date(date.ms).toISOString() };
  const example = write(EXAMPLE_DAY, format);
  return { refused: { noun: 'a date', expected: `a date of the form ${format}, such as ${example}` } };
}

function toFormatted(value: Json, format: string): Coerced {
  const at = toDateTime(value);
  const text = typeof at === 'string' ? write(Date.parse(at), format) : undefined;
  return text === undefined ? { refused: NO_DATE } : { value: text };
}

const EXAMPLE_DAY = Date.UTC(2026, 2, 1, 9);

function write(ms: number, format: string): string | undefined {
  const date = DateTime.from(ms);
  return date === undefined ? undefined : formatDate(date, format);
}

const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;

function toBinary(value: Json): Json | undefined {
  return typeof value === 'string' && BASE64.test(value) ? value : undefined;
}

type JsonObject = { readonly [key: string]: Json };

function toComplex(value: Json, { subAttributes = [] }: ValueShape): Coerced | undefined {
  const object = typeof value === 'string' ? parseObject(value) : value;
  if (typeof object !== 'object' || object === null || Array.isArray(object)) return undefined;
  const parts: [string, Json][] = [];
  for (const [name, part] of Object.entries(object as JsonObject)) {
    if (isEmptyValue(part)) continue;
    if (subAttributes.length === 0) {
      parts.push([name, part]);
      continue;
    }
    const definition = findPart(name, subAttributes);
    if (definition === undefined) return refusePart(name, subAttributes);
    if (definition.mutability === 'readOnly') continue;
    const coerced = coerceValue(part, definition);
    if ('refused' in coerced) return refuseValue(definition.name, coerced.refused);
    parts.push([definition.name, coerced.value]);
  }
  return parts.length === 0 ? undefined : { value: Object.fromEntries(parts) };
}

function parseObject(text: string): Json | undefined {
  if (!text.trimStart().startsWith('{')) return undefined;
  try {
    return JSON.parse(text) as Json;
  } catch {
    return undefined;
  }
}

function findPart(name: string, parts: readonly AttributeDefinition[]): AttributeDefinition | undefined {
  const fold = (text: string): string => text.toLowerCase().replaceAll('_', '');
  const find = (wanted: string) => parts.find((part) => fold(part.name) === wanted);
  return find(fold(name)) ?? (fold(name) === 'rawaddress' ? find('formatted') : undefined);
}

function refusePart(name: string, parts: readonly AttributeDefinition[]): Coerced {
  const known = parts.filter(({ mutability }) => mutability !== 'readOnly').map((part) => part.name);
  return {
    refused: {
      noun: `an object of known parts, for it has ${JSON.stringify(name)}`,
      expected: `${known.join(', ')}, such as {${JSON.stringify(known[0] ?? 'value')}: "x"}`,
    },
  };
}

function refuseValue(name: string, { noun, expected }: Refusal): Coerced {
  return { refused: { noun: `an object whose ${JSON.stringify(name)} is ${noun}`, expected: `in it ${expected}` } };
}
