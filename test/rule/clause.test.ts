import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SyncError } from '../../src/errors.ts';
import type { Json } from '../../src/model.ts';
import { type Clause, compileAll, compileAny, compileClause } from '../../src/rule/clause.ts';
import { type ClauseNeeds, OPERATORS, type Operator } from '../../src/rule/operators.ts';
import { aSubject } from '../support/builders.ts';

type Parts = Omit<Clause, 'attribute' | 'operator'>;

function holds(operator: Operator, parts: Parts, value: Json): boolean {
  return compileClause({ attribute: 'a', operator, ...parts }).matches(aSubject({ a: value }));
}

const CASES: readonly (readonly [Operator, Parts, Json, boolean, string])[] = [
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
  ['NotStartsWith', { value: 'Senior' }, 'junior', true, 'another beginning'],
  ['NotStartsWith', { value: 'Senior' }, 'SENIOR clerk', false, 'the beginning in another case'],
  ['NotStartsWith', { value: 'S', caseSensitive: true }, 'senior', true, 'with case'],
  ['NotStartsWith', { value: 'a' }, ['b', 'abc'], false, 'one of several values begins so'],
  ['NotEndsWith', { value: '@corp.example' }, 'ada@example.com', true, 'another end'],
  ['NotEndsWith', { value: '@corp.example' }, 'ada@CORP.example', false, 'the end in another case'],
  ['NotContains', { value: 'boss' }, 'Senior Manager', true, 'nowhere'],
  ['NotContains', { value: 'man' }, 'Senior Manager', false, 'in the middle'],
  ['NotContains', { value: 'x' }, ['abc', 'wxyz'], false, 'in one of several values'],
  ['Matches', { value: 'ago' }, 'Lagos', true, 'a part of the text'],
  ['Matches', { value: '^da' }, 'David', true, 'case does not matter'],
  ['Matches', { value: '^da', caseSensitive: true }, 'David', false, 'unless asked for'],
  ['Matches', { value: '^Da.*' }, 'aDa', false, 'anchored'],
  ['Matches', { value: '^[0-9]{3}$' }, 123, true, 'the text of a number'],
  ['Matches', { value: 'b$' }, ['a', 'ab'], true, 'any of several values'],
  ['Matches', { value: '.' }, {}, false, 'an object is no text'],
  ['NotMatches', { value: '^test' }, 'real', true, 'not found'],
  ['NotMatches', { value: '^test' }, 'Tester', false, 'found in another case'],
  ['NotMatches', { value: '^test' }, ['real', 'test'], false, 'found in one of several values'],
  ['GreaterThan', { value: 7 }, 8, true, 'above'],
  ['GreaterThan', { value: 7 }, 7, false, 'equal is not above'],
  ['GreaterThan', { value: 7 }, '10', true, 'digits count as a number, not letter by letter'],
  ['GreaterThan', { value: '7' }, 7.5, true, 'on either side, with decimals'],
  ['GreaterThan', { value: 7 }, 'many', false, 'what is no number is not above'],
  ['GreaterThan', { value: 7 }, true, false, 'a boolean is no number'],
  ['GreaterThan', { value: 7 }, [1, 9], true, 'any of several values'],
  ['GreaterThanOrEquals', { value: 7 }, 7, true, 'equal'],
  ['GreaterThanOrEquals', { value: 7 }, 6, false, 'below'],
  ['LessThan', { value: 7 }, -1, true, 'below'],
  ['LessThan', { value: 7 }, 7, false, 'equal is not below'],
  ['LessThan', { value: 7 }, 'few', false, 'what is no number is not below either'],
  ['LessThanOrEquals', { value: 7 }, '7.0', true, 'equal as a number'],
  ['LessThanOrEquals', { value: 7 }, 8, false, 'above'],
  ['Before', { value: '2026-03-01' }, '2026-02-28', true, 'a day before'],
  ['Before', { value: '2026-03-01' }, '2026-03-01T00:00:00Z', false, 'the same moment, midnight UTC'],
  ['Before', { value: '2026-03-01T12:00:00Z' }, '2026-03-01T13:30:00+02:00', true, 'time zones count'],
  ['Before', { value: 'now' }, '2026-06-14T23:59:59.999Z', true, 'the run is at 2026-06-15T00:00:00Z'],
  ['Before', { value: 'now' }, '2026-06-15', false, 'now is not before now'],
  ['Before', { value: 'now+24h' }, '2026-06-15', true, 'a duration after now'],
  ['Before', { value: '2026-03-01' }, 'last spring', false, 'what is no date'],
  ['Before', { value: '2026-03-01' }, '2026-02-30', false, 'a day that there is not'],
  ['Before', { value: '2026-03-01' }, 20260228, false, 'a number is no date'],
  ['After', { value: 'now-720h' }, '2026-05-17', true, 'within the last thirty days'],
  ['After', { value: 'now-720h' }, '2026-05-16', false, 'thirty days ago to the moment'],
  ['After', { value: '2026-03-01' }, ['2020-01-01', '2026-03-02'], true, 'any of several values'],
  ['IsTrue', {}, true, true, 'a boolean'],
  ['IsTrue', {}, 'TRUE', true, 'the word'],
  ['IsTrue', {}, 'yes', false, 'no other word'],
  ['IsTrue', {}, 1, false, 'no number'],
  ['IsTrue', {}, [false, true], true, 'any value'],
  ['IsFalse', {}, false, true, 'a boolean'],
  ['IsFalse', {}, 'False', true, 'the word'],
  ['IsFalse', {}, 0, false, 'no number'],
  ['IsFalse', {}, true, false, 'the other one'],
  ['IsNull', {}, ['', null], true, 'a list of nothing'],
  ['IsNotNull', {}, '', false, 'an empty text'],
  ['IsNull', {}, 'x', false, 'a value'],
  ['IsNull', {}, false, false, 'false is a value'],
  ['IsNull', {}, 0, false, 'zero is a value'],
  ['IsNull', {}, {}, false, 'an object is a value'],
  ['IsNotNull', {}, false, true, 'false is a value'],
  ['IsNotNull', {}, ['', 'x'], true, 'one value of the list'],
  ['NotEquals', { value: 'x' }, ['', 'y'], true, 'empty values of a list do not count'],
];

describe('compileClause', () => {
  it.each(CASES)('%s %j on %j is %s: %s', (operator, parts, value, expected) => {
    expect(holds(operator, parts, value)).toBe(expected);
  });

  const samples: Readonly<Record<ClauseNeeds, Parts>> = {
    value: { value: '7' },
    values: { values: ['x'] },
    none: {},
    name: {},
  };

  it.each(OPERATORS.filter(({ needs }) => needs !== 'name'))(
    '$name on an absent value holds only for IsNull',
    ({ name, needs }) => {
      const isOfTime = name === 'Before' || name === 'After';
      for (const absent of [null, '', [], [null], ['', null]]) {
        expect(holds(name, isOfTime ? { value: 'now' } : samples[needs], absent)).toBe(name === 'IsNull');
      }
    },
  );

  it('has a case for every operator, where it holds and where it does not', () => {
    for (const { name, needs } of OPERATORS) {
      const results = CASES.filter(([operator]) => operator === name).map(([, , , expected]) => expected);
      expect([name, new Set(results)]).toEqual([name, needs === 'name' ? new Set() : new Set([true, false])]);
    }
  });

  it.each<readonly [Operator, string, boolean, string]>([
    ['IsMemberOf', 'g-1', true, 'by id'],
    ['IsMemberOf', 'G-1', true, 'without case'],
    ['IsMemberOf', 'engineering', true, 'by name'],
    ['IsMemberOf', ' Engineering ', true, 'trimmed'],
    ['IsMemberOf', 'Engine', false, 'no part of a name'],
    ['IsInTeam', 'Chess', true, 'a team'],
    ['IsInTeam', 'Go', false, 'another team'],
  ])('%s %s is %s: %s', (operator, value, expected) => {
    const { needs, matches } = compileClause({ operator, value });
    expect(needs.groups).toBe(operator === 'IsMemberOf');
    expect(needs.teams).toEqual(operator === 'IsInTeam' ? [value] : []);
    expect(matches(aSubject({}, { groups: [{ id: 'g-1', displayName: 'Engineering' }], teams: ['Chess'] }))).toBe(
      expected,
    );
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
    [{ operator: 'Equals', value: 'x' }, 'Equals needs the name of an attribute'],
    [{ operator: 'IsMemberOf' }, 'IsMemberOf needs value (a name), but neither is given'],
    [
      { attribute: 'a', operator: 'IsInTeam', value: 'x' },
      'IsInTeam takes no attribute: it asks where the person belongs',
    ],
    [{ attribute: 'a', operator: 'Matches', value: '(' }, 'Matches: character 1:'],
    [{ attribute: 'a', operator: 'NotMatches', value: '(?=x)' }, 'NotMatches: character 1:'],
    [
      { attribute: 'a', operator: 'GreaterThan', value: 'many' },
      'GreaterThan needs a number, such as 7, but value is "many"',
    ],
    [
      { attribute: 'a', operator: 'LessThan', value: '2026-03-01' },
      'LessThan needs a number, such as 7, but value is "2026-03-01"; use Before or After',
    ],
    [
      { attribute: 'a', operator: 'Before', value: 'now-30d' },
      'Before needs an RFC 3339 date-time, a date such as 2026-03-01, or now with a duration such as now-720h, but value is "now-30d"',
    ],
    [{ attribute: 'a', operator: 'After', value: 7 }, 'After needs an RFC 3339 date-time'],
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
  const read = aSubject;

  it('compileAll needs every clause', () => {
    const filter = compileAll([sales, enabled, { ...enabled }]);
    expect(filter.needs.attributes).toEqual(['department', 'accountEnabled']);
    expect(filter.matches(read({ department: 'sales', accountEnabled: 'True' }))).toBe(true);
    expect(filter.matches(read({ department: 'sales', accountEnabled: false }))).toBe(false);
    expect(filter.matches(read({ accountEnabled: true }))).toBe(false);
  });

  it('compileAny needs one of the groups', () => {
    const filter = compileAny([[sales, enabled], [notSales]]);
    expect(filter.needs.attributes).toEqual(['department', 'accountEnabled']);
    expect(filter.matches(read({ department: 'Sales', accountEnabled: true }))).toBe(true);
    expect(filter.matches(read({ department: 'Sales' }))).toBe(false);
    expect(filter.matches(read({ department: 'Legal' }))).toBe(true);
    expect(filter.matches(read({}))).toBe(false);
  });

  it('an empty match is an error, no groups at all let everybody pass', () => {
    expect(() => compileAll([])).toThrow('an empty match is an error, never everybody');
    expect(() => compileAny([[sales], []])).toThrow('an empty match is an error, never everybody');
    expect(compileAny([]).matches(aSubject())).toBe(true);
    expect(compileAny([]).needs.attributes).toEqual([]);
  });
});
