import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { coerceValue, isEmptyValue, type ValueShape } from '../../src/mapping/coerce.ts';
import type { Json } from '../../src/model.ts';
import { type AttributeType, CORE_USER, ENTERPRISE_USER, findAttribute } from '../../src/scim/schema.ts';

const one = (type: AttributeType) => ({ type, multiValued: false });
const many = (type: AttributeType) => ({ type, multiValued: true });

const TEXT = 'text; text, such as "Sales"';
const BOOLEAN = 'a Boolean; true or false';
const WHOLE = 'a whole number; digits, such as 42';
const DECIMAL = 'a decimal number; digits with a point, such as 3.14';
const DATE = 'a date; an RFC 3339 date-time, such as 2026-03-01T09:00:00Z, or a date, such as 2026-03-01';
const BINARY = 'Base64; Base64 with its padding, such as aGVsbG8=';
const OBJECT = 'an object; an object, such as {"value": "x", "type": "work"}';

/** `a date; a date, such as 2026-03-01` */
function refusal(value: Json, shape: ValueShape): string {
  const coerced = coerceValue(value, shape);
  return 'refused' in coerced ? `${coerced.refused.noun}; ${coerced.refused.expected}` : JSON.stringify(coerced.value);
}

describe('coerceValue', () => {
  it.each<readonly [AttributeType, Json, Json, string]>([
    ['String', ' Sales ', ' Sales ', 'text is taken as it is, blanks included'],
    ['String', 42, '42', 'numbers in decimal'],
    ['String', 0.5, '0.5', 'with a fraction'],
    ['String', 1e21, '1000000000000000000000', 'without an exponent'],
    ['String', -2.5e-7, '-0.00000025', 'however small'],
    ['String', true, 'True', 'booleans are the words of Entra'],
    ['String', false, 'False', 'both of them'],
    ['Reference', 'https://example.com', 'https://example.com', 'a reference is text'],
    ['Binary', 'aGk=', 'aGk=', 'so is Base64'],
    ['Complex', { a: 1, b: '', c: [] }, { a: 1 }, 'an object whose parts nobody knows, without empty ones'],
    ['Complex', ' {"a":{"b":1}}', { a: { b: 1 } }, 'a text that is JSON of one'],
    ['Boolean', true, true, 'a boolean'],
    ['Boolean', 'TRUE', true, 'the word in any case'],
    ['Boolean', 'False', false, 'the word in any case'],
    ['Integer', 42, 42, 'a whole number'],
    ['Integer', '-42', -42, 'minus and digits'],
    ['Integer', '007', 7, 'leading zeros'],
    ['Integer', '9007199254740991', 9007199254740991, 'up to 2^53 - 1'],
    ['Decimal', 3.14, 3.14, 'a number'],
    ['Decimal', '3.14', 3.14, 'its text'],
    ['Decimal', '-3', -3, 'a whole number is one too'],
    ['DateTime', '2026-03-01T09:00:00Z', '2026-03-01T09:00:00.000Z', 'RFC 3339'],
    ['DateTime', '2026-03-01t09:00:00+01:00', '2026-03-01T08:00:00.000Z', 'another zone becomes UTC'],
    ['DateTime', '2026-03-01 09:00:00.5Z', '2026-03-01T09:00:00.500Z', 'a blank between, and a fraction'],
    ['DateTime', '2026-03-01', '2026-03-01T00:00:00.000Z', 'a date is its midnight'],
    ['String', ['', 'a', 'b'], 'a', 'the first value of a list that is not empty'],
    ['Integer', ['7'], 7, 'a list of one is its value'],
  ])('%s of %j is %j: %s', (type, value, expected) => {
    expect(coerceValue(value, one(type))).toEqual({ value: expected });
  });

  it.each<readonly [AttributeType, Json, string, string]>([
    ['String', { a: 1 }, TEXT, 'an object is no text'],
    ['Boolean', 'yes', BOOLEAN, 'no other word'],
    ['Boolean', 1, BOOLEAN, 'no number'],
    ['Integer', 1.5, WHOLE, 'a fraction'],
    ['Integer', '1.0', WHOLE, 'a fraction in text'],
    ['Integer', '1e3', WHOLE, 'an exponent'],
    ['Integer', ' 7', WHOLE, 'nothing is trimmed'],
    ['Integer', '9007199254740993', WHOLE, 'digits that a number cannot hold'],
    ['Integer', 2 ** 53, WHOLE, 'the same as a number'],
    ['Integer', true, WHOLE, 'a boolean'],
    ['Decimal', '3,14', DECIMAL, 'a comma'],
    ['Decimal', '.5', DECIMAL, 'no digit before the point'],
    ['DateTime', '2026-02-30', DATE, 'a day that does not exist'],
    ['DateTime', '2026-13-01', DATE, 'a month that does not exist'],
    ['DateTime', '01/03/2026', DATE, 'another order'],
    ['DateTime', '2026-03-01T09:00:00', DATE, 'no zone'],
    ['DateTime', '2026-03-01T25:00:00Z', DATE, 'an hour that does not exist'],
    ['DateTime', 1772355600, DATE, 'a number'],
    ['DateTime', 'June sixth', DATE, 'a date in words'],
    ['Reference', { a: 1 }, TEXT, 'an object refers to nothing'],
    ['Binary', 'aGk', BINARY, 'no padding'],
    ['Binary', 'a-_=', BINARY, 'the alphabet of URLs'],
    ['Binary', 42, BINARY, 'a number'],
    ['Complex', 'Ada', OBJECT, 'a complex attribute has no value of its own'],
    ['Complex', '{"value":', OBJECT, 'a text that is no JSON'],
    ['Complex', '[1]', OBJECT, 'a text that is JSON of a list'],
    ['Complex', 42, OBJECT, 'a number'],
    ['Complex', { value: '' }, OBJECT, 'nothing in it'],
  ])('%s refuses %j: %s', (type, value, expected) => {
    expect(refusal(value, one(type))).toBe(expected);
  });

  it.each<readonly [AttributeType, Json, Json, string]>([
    ['String', ['a', '', null, 'b'], ['a', 'b'], 'each value by itself, empty ones dropped'],
    ['String', 'a', ['a'], 'one value alone'],
    ['Integer', ['1', 2], [1, 2], 'converted one by one'],
    ['Boolean', 'true', [true], 'one value alone, converted'],
  ])('a list of %s from %j is %j: %s', (type, value, expected) => {
    expect(coerceValue(value, many(type))).toEqual({ value: expected });
  });

  it('refuses a list for one value of it that does not fit', () => {
    expect(refusal(['1', 'x'], many('Integer'))).toBe(WHOLE);
  });

  it.each<readonly [string, Json, Json | string, string]>([
    [
      'addresses',
      { street_address: '1 High St', TYPE: 'work' },
      [{ streetAddress: '1 High St', type: 'work' }],
      'names',
    ],
    ['addresses', { raw_address: '1 High St, York' }, [{ formatted: '1 High St, York' }], 'the one line of an address'],
    ['emails', [{ value: 'a@example.com', primary: 'True' }], [{ value: 'a@example.com', primary: true }], 'parts'],
    ['roles', '{"value":"admin","display":null}', [{ value: 'admin' }], 'a role as Entra sends it'],
    [
      'roles',
      { value: 'admin', id: '7' },
      'an object of known parts, for it has "id"; value, display, type, primary, such as {"value": "x"}',
      'a part that the schema lacks',
    ],
    [
      'emails',
      { value: 'a@example.com', primary: 'first' },
      'an object whose "primary" is a Boolean; in it true or false',
      'a part of another type',
    ],
  ])('%s from %j: %#, %s', (name, value, expected) => {
    const definition = findAttribute(CORE_USER.attributes, name);
    if (definition === undefined) throw new Error(name);
    if (typeof expected === 'string') expect(refusal(value, definition)).toBe(expected);
    else expect(coerceValue(value, definition)).toEqual({ value: expected });
  });

  it.each<readonly [AttributeType, string, Json, Json | string, string]>([
    ['DateTime', 'dd/MM/yyyy', '01/03/2026', { value: '2026-03-01T00:00:00.000Z' }, 'the first of March'],
    [
      'DateTime',
      "dd.MM.yyyy HH:mm 'Uhr'",
      '01.03.2026 09:30 Uhr',
      { value: '2026-03-01T09:30:00.000Z' },
      'with a time',
    ],
    ['DateTime', 'yyyy-MM-dd HH:mm zzz', '2026-03-01 09:00 +01:00', { value: '2026-03-01T08:00:00.000Z' }, 'a zone'],
    ['DateTime', 'HH:mm', '09:00', { value: '1970-01-01T09:00:00.000Z' }, 'no day: the same on every run'],
    ['DateTime', 'dd/MM/yyyy', '03/13/2026', 'a date; a date of the form dd/MM/yyyy, such as 01/03/2026', 'no month'],
    ['DateTime', 'dd/MM/yyyy', '2026-03-01', 'a date; a date of the form dd/MM/yyyy, such as 01/03/2026', 'RFC 3339'],
    ['DateTime', 'dd/MM/yyyy', ' 01/03/2026', 'a date; a date of the form dd/MM/yyyy, such as 01/03/2026', 'a blank'],
    ['DateTime', 'dd/MM/yyyy', 42, 'a date; a date of the form dd/MM/yyyy, such as 01/03/2026', 'a number'],
    ['String', 'dd/MM/yyyy', '2026-03-01T09:00:00+02:00', { value: '01/03/2026' }, 'written in UTC'],
    ['String', 'd MMMM yyyy', '2026-03-01', { value: '1 March 2026' }, 'in words'],
    ['String', 'dd/MM/yyyy', 'soon', DATE, 'no date'],
  ])('%s with the format %s from %j: %#, %s', (type, format, value, expected) => {
    const shape = { ...one(type), format };
    if (typeof expected === 'string') expect(refusal(value, shape)).toBe(expected);
    else expect(coerceValue(value, shape)).toEqual(expected);
  });

  it('leaves out what only the target writes', () => {
    const manager = findAttribute(ENTERPRISE_USER.attributes, 'manager') ?? one('String');
    expect(coerceValue({ value: 'u1', displayName: 'Ada' }, manager)).toEqual({ value: { value: 'u1' } });
  });

  it('gives what it takes, once it has given it', () => {
    const types: AttributeType[] = ['String', 'Boolean', 'Integer', 'Decimal', 'DateTime', 'Binary', 'Complex'];
    const values = fc.oneof(fc.string(), fc.double({ noNaN: true }), fc.boolean(), fc.date({ noInvalidDate: true }));
    fc.assert(
      fc.property(fc.constantFrom(...types), values, fc.boolean(), (type, raw, multiValued) => {
        const value: Json = raw instanceof Date ? raw.toISOString() : raw;
        const first = coerceValue(value, { type, multiValued });
        if ('refused' in first || isEmptyValue(first.value)) return;
        expect(coerceValue(first.value, { type, multiValued })).toEqual(first);
      }),
    );
  });
});

describe('isEmptyValue', () => {
  it.each<readonly [Json | undefined, boolean]>([
    [undefined, true],
    [null, true],
    ['', true],
    [[], true],
    [['', null], true],
    [' ', false],
    [0, false],
    [false, false],
    [{}, false],
    [['', 'a'], false],
  ])('of %j is %s', (value, expected) => {
    expect(isEmptyValue(value)).toBe(expected);
  });
});
