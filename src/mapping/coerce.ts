/**
 * Turns a value of the source into one of the target's type. What is listed here is all that is converted; everything
 * else is an error that says what was expected, because a guess would be written into somebody's account.
 *
 * | to | from |
 * | --- | --- |
 * | String, Reference, Binary | text as it is; numbers in decimal; booleans as `True` and `False` |
 * | Boolean | booleans; the words true and false in any case |
 * | Integer | whole numbers below 2^53; text of an optional minus and digits |
 * | Decimal | numbers; text that is a decimal number |
 * | DateTime | RFC 3339 date-times; `yyyy-MM-dd` (midnight UTC); the result is UTC with milliseconds |
 * | a list | a list, each value by itself; one value alone; empty values are dropped |
 * | a single value | the first value of a list that is not empty |
 */
import type { Json } from '../model.ts';
import type { AttributeDefinition, AttributeType } from '../scim/schema.ts';

export type Coerced = { readonly value: Json } | { readonly expected: string };

/** What a value is compared and converted by. */
export type ValueShape = Pick<AttributeDefinition, 'type' | 'multiValued'>;

/** Null, empty text and empty lists are one state, "unassigned" (RFC 7643 section 2.5). */
export function isEmptyValue(value: Json | undefined): boolean {
  return value === undefined || value === null || value === '' || (Array.isArray(value) && value.every(isEmptyValue));
}

/** The value must not be empty. */
export function coerceValue(value: Json, shape: ValueShape): Coerced {
  const values = (Array.isArray(value) ? (value as readonly Json[]) : [value]).filter((each) => !isEmptyValue(each));
  const wanted = shape.multiValued ? values : values.slice(0, 1);
  const coerced: Json[] = [];
  for (const each of wanted) {
    const one = coerceOne(each, shape.type);
    if ('expected' in one) return one;
    coerced.push(one.value);
  }
  return { value: shape.multiValued ? coerced : (coerced[0] ?? null) };
}

function coerceOne(value: Json, type: AttributeType): Coerced {
  switch (type) {
    case 'String':
    case 'Reference':
    case 'Binary':
      return toText(value);
    case 'Boolean':
      return toBoolean(value);
    case 'Integer':
      return toInteger(value);
    case 'Decimal':
      return toDecimal(value);
    case 'DateTime':
      return toDateTime(value);
    case 'Complex':
      return { expected: 'a sub-attribute in the target path, such as name.givenName' };
  }
}

function toText(value: Json): Coerced {
  if (typeof value === 'string') return { value };
  if (typeof value === 'number') return { value: toDecimalText(value) };
  if (typeof value === 'boolean') return { value: value ? 'True' : 'False' };
  return { expected: 'text, such as "Sales"' };
}

/** Without an exponent, which nobody writes into a cost centre or a number of employee. */
function toDecimalText(value: number): string {
  const text = String(value);
  if (!text.includes('e')) return text;
  return Number.isInteger(value) ? BigInt(value).toString() : value.toFixed(20).replace(/\.?0+$/, '');
}

function toBoolean(value: Json): Coerced {
  if (typeof value === 'boolean') return { value };
  const word = typeof value === 'string' ? value.toLowerCase() : '';
  if (word === 'true' || word === 'false') return { value: word === 'true' };
  return { expected: 'a Boolean: true or false' };
}

function toInteger(value: Json): Coerced {
  const number = typeof value === 'string' && /^-?\d{1,16}$/.test(value) ? Number(value) : value;
  if (typeof number === 'number' && Number.isSafeInteger(number)) return { value: number };
  return { expected: 'a whole number, such as 42' };
}

function toDecimal(value: Json): Coerced {
  const number = typeof value === 'string' && /^-?\d{1,15}(\.\d{1,15})?$/.test(value) ? Number(value) : value;
  if (typeof number === 'number' && Number.isFinite(number)) return { value: number };
  return { expected: 'a decimal number, such as 3.14' };
}

const DATE_TIME = /^(\d{4}-\d{2}-\d{2})(?:[Tt ](\d{2}:\d{2}(?::\d{2}(?:\.\d{1,9})?)?)([Zz]|[-+]\d{2}:\d{2}))?$/;

function toDateTime(value: Json): Coerced {
  const expected = 'an RFC 3339 date-time, such as 2026-03-01T09:00:00Z, or a date, such as 2026-03-01';
  const match = typeof value === 'string' ? DATE_TIME.exec(value) : null;
  if (match === null) return { expected };
  const [, day = '', time = '00:00:00', offset = 'Z'] = match;
  const at = new Date(`${day}T${time}${offset.toUpperCase()}`);
  const midnight = new Date(`${day}T00:00:00Z`);
  // The Date constructor turns the 30th of February into March: a date that does not print as itself is none.
  if (Number.isNaN(at.getTime()) || Number.isNaN(midnight.getTime()) || !midnight.toISOString().startsWith(day)) {
    return { expected };
  }
  return { value: at.toISOString() };
}
