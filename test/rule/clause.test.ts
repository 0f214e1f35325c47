import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SyncError } from '../../src/errors.ts';
import type { Json } from '../../src/model.ts';
import { type Clause, compileAll, compileAny, compileClause, OPERATORS, type Operator } from '../../src/rule/clause.ts';

type Parts = Omit<Clause, 'attribute' | 'operator'>;

function holds(operator: Operator, parts: Parts, value: Json): boolean {
  return compileClause({ attribute: 'a', operator, ...parts }).holds(value);
}

describe('compileClause', () => {
  it.each<readonly [Operator, Parts, Json, boolean, string]>([
    ['Equals', { value: 'Sales' }, 'sales', true, 'case does not matter'],
    ['Equals', { value: 'Sales', caseSensitive: true }, 'sales', false, 'unless asked for'],
    ['Equals', { value: 'Sales', caseSensitive: true }, 'Sales', true, 'the same case'],
    ['Equals', { value: 'Sales' }, ' Sales', false, 'nothing is trimmed'],
    ['Equals', { value: 7 }, '7', true, 'numbers compare as their text'],
    ['Equals', { value: '7' }, 7, true, 'on either side'],
    ['Equals', { value: 7 }, '007', false, 'leading zeros are text'],
    ['Equals', { value: true }, 'True', true, 'booleans compare as their word'],
    ['Equals', { value: 'true' }, true, true, 'on either side'],
    ['Equals', { value: 'x' }, ['a', 'X'], true, 'any of several values'],
    ['Equals', { value: 'x' }, ['a', 'b'], false, 'none of several values'],
    ['Equals', { value: '[object Object]' }, {}, false, 'an object is no text'],
    ['NotEquals', { value: 'x' }, 'y', true, 'another value'],
    ['NotEquals', { value: 'x' }, 'X', false, 'the value in another case'],
    ['NotEquals', { value: 'x' }, ['a', 'x'], false, 'one of several values equals it'],
    ['NotEquals', { value: 'x' }, ['a', 'b'], true, 'none of several values equals it'],
    ['In', { values: ['A', 'b'] }, 'a', true, 'one of them'],
    ['In', { values: ['A', 7] }, 7, true, 'numbers among them'],
    ['In', { values: ['A', 'b'], caseSensitive: true }, 'a', false, 'with case'],
    ['In', { values: ['A'] }, ['x', 'a'], true, 'any value in any of them'],
    ['NotIn', { values: ['A', 'b'] }, 'c', true, 'none of them'],
    ['NotIn', { values: ['A', 'b'] }, 'B', false, 'one of them'],
    ['NotIn', { values: ['A'] }, ['x', 'a'], false, 'one of several values is in'],
    ['StartsWith', { value: 'Senior' }, 'senior Manager', true, 'the beginning'],
    ['StartsWith', { value: 'Manager' }, 'Senior Manager', false, 'not the end'],
    ['StartsWith', { value: 'S', caseSensitive: true }, 'senior', false, 'with case'],
    ['EndsWith', { value: '@CORP.example' }, 'ada@corp.example', true, 'the end'],
    ['EndsWith', { value: 'ada' }, 'ada@corp.example', false, 'not the beginning'],
    ['Contains', { value: 'MAN' }, 'Senior Manager', true, 'in the middle'],
    ['Contains', { value: 'boss' }, 'Senior Manager', false, 'nowhere'],
    ['Contains', { value: 2 }, 123, true, 'in the text of a number'],
    ['Contains', { value: 'x' }, ['abc', 'wxyz'], true, 'in any value'],
    ['IsTrue', {}, true, true, 'a boolean'],
    ['IsTrue', {}, 'TRUE', true, 'the word'],
    ['IsTrue', {}, 'yes', false, 'no other word'],
    ['IsTrue', {}, 1, false, 'no number'],
    ['IsTrue', {}, [false, true], true, 'any value'],
    ['IsFalse', {}, false, true, 'a boolean'],
    ['IsFalse', {}, 'False', true, 'the word'],
    ['IsFalse', {}, 0, false, 'no number'],
    ['IsFalse', {}, true, false, 'the other one'],
    ['IsNull', {}, 'x', false, 'a value'],
    ['IsNull', {}, false, false, 'false is a value'],
    ['IsNull', {}, 0, false, 'zero is a value'],
    ['IsNull', {}, {}, false, 'an object is a value'],
    ['IsNotNull', {}, false, true, 'false is a value'],
    ['IsNotNull', {}, ['', 'x'], true, 'one value of the list'],
    ['NotEquals', { value: 'x' }, ['', 'y'], true, 'empty values of a list do not count'],
  ])('%s %j on %j is %s: %s', (operator, parts, value, expected) => {
    expect(holds(operator, parts, value)).toBe(expected);
  });

  const samples: Readonly<Record<'value' | 'values' | 'none', Parts>> = {
    value: { value: 'x' },
    values: { values: ['x'] },
    none: {},
  };

  it.each(OPERATORS)('$name on an absent value holds only for IsNull', ({ name, needs }) => {
    for (const absent of [null, '', [], [null], ['', null]]) {
      expect(holds(name, samples[needs], absent)).toBe(name === 'IsNull');
    }
  });

  it('has a negative for every positive, opposite on everything but absent values', () => {
    const scalars = fc.oneof(fc.constantFrom('x', 'X', 'y', '', null, true, 7), fc.string());
    const values: fc.Arbitrary<Json> = fc.oneof(scalars, fc.array(scalars));
    fc.assert(
      fc.property(values, fc.boolean(), (value, caseSensitive) => {
        const absent = holds('IsNull', {}, value);
        expect(holds('IsNotNull', {}, value)).toBe(!absent);
        const equals = holds('Equals', { value: 'x', caseSensitive }, value);
        expect(holds('NotEquals', { value: 'x', caseSensitive }, value)).toBe(!absent && !equals);
        const within = holds('In', { values: ['x', 7], caseSensitive }, value);
        expect(holds('NotIn', { values: ['x', 7], caseSensitive }, value)).toBe(!absent && !within);
        expect(equals).toBe(holds('In', { values: ['x'], caseSensitive }, value));
      }),
    );
  });

  it.each<readonly [Clause, string]>([
    [{ attribute: 'a', operator: 'Equals' }, 'Equals needs value (one constant), but neither is given'],
    [{ attribute: 'a', operator: 'Equals', values: ['x'] }, 'Equals needs value (one constant), but values is given'],
    [
      { attribute: 'a', operator: 'Contains', value: 'x', values: ['x'] },
      'Contains needs value (one constant), but value and values are given',
    ],
    [{ attribute: 'a', operator: 'In' }, 'In needs values (a list of constants), but neither is given'],
    [{ attribute: 'a', operator: 'NotIn', value: 'x' }, 'NotIn needs values (a list of constants), but value is given'],
    [{ attribute: 'a', operator: 'In', values: [] }, 'In needs at least one of values'],
    [{ attribute: 'a', operator: 'IsNull', value: 'x' }, 'IsNull takes neither value nor values, but value is given'],
    [{ attribute: 'a', operator: 'IsTrue', values: [] }, 'IsTrue takes neither value nor values, but values is given'],
    [
      { attribute: 'a', operator: 'Equals', value: '' },
      'Equals cannot compare with an empty text; use IsNull or IsNotNull',
    ],
    [
      { attribute: 'a', operator: 'StartsWith', value: '' },
      'StartsWith cannot compare with an empty text; use IsNull or IsNotNull',
    ],
    [
      { attribute: 'a', operator: 'In', values: ['x', ''] },
      'In cannot compare with an empty text; use IsNull or IsNotNull',
    ],
    [{ attribute: '', operator: 'IsNull' }, 'IsNull needs the name of an attribute'],
    [
      { attribute: 'a', operator: 'Equal' as Operator, value: 'x' },
      'unknown operator "Equal"; use one of In, NotIn, Equals',
    ],
  ])('refuses %j', (clause, message) => {
    expect(() => compileClause(clause)).toThrow(SyncError);
    expect(() => compileClause(clause)).toThrow(message);
  });
});

describe('filters', () => {
  const sales: Clause = { attribute: 'department', operator: 'Equals', value: 'Sales' };
  const enabled: Clause = { attribute: 'accountEnabled', operator: 'IsTrue' };
  const notSales: Clause = { attribute: 'department', operator: 'NotEquals', value: 'Sales' };
  const read = (user: Readonly<Record<string, Json>>) => (name: string) => user[name] ?? null;

  it('compileAll needs every clause', () => {
    const filter = compileAll([sales, enabled, { ...enabled }]);
    expect(filter.attributes).toEqual(['department', 'accountEnabled']);
    expect(filter.matches(read({ department: 'sales', accountEnabled: 'True' }))).toBe(true);
    expect(filter.matches(read({ department: 'sales', accountEnabled: false }))).toBe(false);
    expect(filter.matches(read({ accountEnabled: true }))).toBe(false);
  });

  it('compileAny needs one of the groups', () => {
    const filter = compileAny([[sales, enabled], [notSales]]);
    expect(filter.attributes).toEqual(['department', 'accountEnabled']);
    expect(filter.matches(read({ department: 'Sales', accountEnabled: true }))).toBe(true);
    expect(filter.matches(read({ department: 'Sales' }))).toBe(false);
    expect(filter.matches(read({ department: 'Legal' }))).toBe(true);
    expect(filter.matches(read({}))).toBe(false);
  });

  it('an empty match is an error, no groups at all let everybody pass', () => {
    expect(() => compileAll([])).toThrow('an empty match is an error, never everybody');
    expect(() => compileAny([[sales], []])).toThrow('an empty match is an error, never everybody');
    expect(compileAny([]).matches(() => null)).toBe(true);
    expect(compileAny([]).attributes).toEqual([]);
  });
});
