import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { Json } from '../../src/model.ts';
import { compileCelCondition } from '../../src/rule/cel-condition.ts';
import { type Clause, compileAny, compileClause } from '../../src/rule/clause.ts';
import type { Condition } from '../../src/rule/condition.ts';
import { aSubject } from '../support/builders.ts';

/** Operators of Entra's scoping filters, each with the clause that docs/directory-sync.md maps it to. */
const clause = (operator: Clause['operator'], value?: string | number, more: Partial<Clause> = {}): Condition =>
  compileClause({ attribute: 'a', operator, ...(value === undefined ? {} : { value }), ...more });
const exact = { caseSensitive: true };

const CASES: readonly (readonly [string, Condition, Json, boolean])[] = [
  ['EQUALS', clause('Equals', 'sales', exact), 'sales', true],
  ['EQUALS', clause('Equals', 'sales', exact), 'Sales', false],
  ['NOT EQUALS', clause('NotEquals', 'sales', exact), 'Sales', true],
  ['NOT EQUALS', clause('NotEquals', 'sales', exact), 'sales', false],
  ['INCLUDES', clause('Contains', 'ale', exact), 'sales', true],
  ['INCLUDES', clause('Contains', 'ALE', exact), 'sales', false],
  ['ENDS_WITH', clause('EndsWith', 'les', exact), 'sales', true],
  ['ENDS_WITH', clause('EndsWith', 'sal', exact), 'sales', false],
  ['&', clause('In', undefined, { values: ['sales', 'legal'] }), 'legal', true],
  ['&', clause('In', undefined, { values: ['sales', 'legal'] }), 'it', false],
  ['&', compileCelCondition('"sales and legal".contains(user.a)'), 'legal', true],
  ['&', compileCelCondition('"sales and legal".contains(user.a)'), 'it', false],
  ['!&', clause('NotIn', undefined, { values: ['sales', 'legal'] }), 'it', true],
  ['!&', clause('NotIn', undefined, { values: ['sales', 'legal'] }), 'sales', false],
  ['GREATER_THAN', clause('GreaterThan', 7), '8', true],
  ['GREATER_THAN', clause('GreaterThan', 7), '7', false],
  ['GREATER_THAN_OR_EQUALS', clause('GreaterThanOrEquals', 7), '7', true],
  ['GREATER_THAN_OR_EQUALS', clause('GreaterThanOrEquals', 7), '6', false],
  ['IS TRUE', clause('IsTrue'), true, true],
  ['IS TRUE', clause('IsTrue'), false, false],
  ['IS FALSE', clause('IsFalse'), false, true],
  ['IS FALSE', clause('IsFalse'), true, false],
  ['IS NULL', clause('IsNull'), '', true],
  ['IS NULL', clause('IsNull'), 'x', false],
  ['IS NOT NULL', clause('IsNotNull'), 'x', true],
  ['IS NOT NULL', clause('IsNotNull'), null, false],
  ['REGEX MATCH', clause('Matches', '.*\\@domain.com', exact), 'ada@domain.com', true],
  ['REGEX MATCH', clause('Matches', '.*\\@domain.com', exact), 'ada@DOMAIN.com', false],
  ['REGEX MATCH', clause('Matches', '^(1[0-9][0-9][0-9][0-9][0-9][0-9])$', exact), '1000000', true],
  ['REGEX MATCH', clause('Matches', '^(1[0-9][0-9][0-9][0-9][0-9][0-9])$', exact), '2000000', false],
  ['REGEX MATCH', clause('Matches', '^([1-9][0-9])$', exact), 10, true],
  ['REGEX MATCH', clause('Matches', '^([1-9][0-9])$', exact), 100, false],
  ['NOT REGEX MATCH', clause('NotMatches', '^test', exact), 'Test', true],
  ['NOT REGEX MATCH', clause('NotMatches', '^test', exact), 'tester', false],
  ['NOT REGEX MATCH', clause('NotMatches', '^test', exact), null, false],
];

describe('scoping filters of Entra', () => {
  it.each(CASES.map(([operator, condition, value, expected]) => ({ operator, condition, value, expected })))(
    '$operator of $value: $expected',
    ({ condition, value, expected }) => {
      expect(condition.matches(aSubject({ a: value }))).toBe(expected);
    },
  );

  it('IsMemberOf, which Entra lacks, and several filters of several clauses', () => {
    const groups = [{ id: 'g-1', displayName: 'Engineering' }];
    const filter = compileAny([
      [
        { operator: 'IsMemberOf', value: 'Engineering' },
        { attribute: 'a', operator: 'IsTrue' },
      ],
      [{ attribute: 'a', operator: 'Equals', value: 'x' }],
    ]);
    expect(filter.matches(aSubject({ a: true }, { groups }))).toBe(true);
    expect(filter.matches(aSubject({ a: 'x' }))).toBe(true);
    expect(filter.matches(aSubject({ a: true }))).toBe(false);
  });

  it('are the ones of the table in the documentation, each with cases both ways', () => {
    const page = readFileSync(new URL('../../docs/directory-sync.md', import.meta.url), 'utf8');
    const section = page.slice(page.indexOf('#### Scoping filters of Entra'), page.indexOf('### Mappings'));
    const rows = section.split('\n').filter((line) => /^\| [A-Z`]/.test(line) && !line.startsWith('| IsMemberOf'));
    const listed = rows
      .flatMap((row) => (row.split('|')[1] ?? '').replaceAll('`', '').split(','))
      .map((name) => name.trim());
    const cited = [...new Set(CASES.map(([operator]) => operator))];
    expect(cited.sort()).toEqual(listed.sort());
    for (const operator of cited) {
      const results = new Set(CASES.filter(([name]) => name === operator).map(([, , , expected]) => expected));
      expect([operator, results.size]).toEqual([operator, 2]);
    }
  });
});
