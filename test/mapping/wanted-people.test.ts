import { describe, expect, it } from 'vitest';
import type { Clause } from '../../src/api/clause.ts';
import { KnownAttributes, type NameContext } from '../../src/mapping/names.ts';
import { isWanted, toWantedPeople } from '../../src/mapping/wanted-people.ts';

const NAMES: NameContext = {
  resource: 'User',
  customs: new Set(['tier']),
  mapped: new Set(['tier']),
  provider: 'scim',
  hasGroups: false,
  desired: new Map([['title', 'title']]),
};
const ENTERPRISE = 'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User';
const KNOWN = ['title', 'active', 'name', 'name.givenName', 'tier', 'emails', ENTERPRISE, `${ENTERPRISE}.department`];

const wantedOf = (...filters: Clause[][]) =>
  toWantedPeople(filters, { names: NAMES, known: new KnownAttributes(KNOWN) });
const equals = (attribute: string, value: string | number | boolean): Clause => ({
  attribute,
  operator: 'Equals',
  value,
});

describe('what a directory is asked for', () => {
  it.each([
    ['equality', equals('title', 'Lead'), { path: 'title', values: ['Lead'] }],
    ['a list', { attribute: 'title', operator: 'In', values: ['A', 'B'] }, { path: 'title', values: ['A', 'B'] }],
    ['a flag', { attribute: 'active', operator: 'IsTrue' }, { path: 'active', values: [true] }],
    ['the absence of a flag', { attribute: 'active', operator: 'IsFalse' }, { path: 'active', values: [false] }],
    ['a nested name', equals('name.givenName', 'Mei'), { path: 'name.givenName', values: ['Mei'] }],
    ['a name of the source alone', equals('source:tier', 'x'), { path: 'tier', values: ['x'] }],
    [
      'an attribute of an extension',
      equals(`${ENTERPRISE}:department`, 'Sales'),
      { path: `${ENTERPRISE}:department`, values: ['Sales'] },
    ],
  ] as const)('is %s', (_what, clause, wanted) => {
    expect(wantedOf([clause as Clause])).toEqual([[wanted]]);
  });

  it.each([
    ['other comparisons', { attribute: 'title', operator: 'StartsWith', value: 'L' }],
    ['denials', { attribute: 'title', operator: 'NotEquals', value: 'Lead' }],
    ['groups', { operator: 'IsMemberOf', value: 'Choir' }],
    ['values of CustomAttributes', equals('tier', 'x')],
    ['values of mappings', equals('desired:title', 'x')],
    ['what the last read did not deliver', equals('nickName', 'x')],
    ['predefined names', equals('predefined:department_name', 'Sales')],
    ['a predefined name without a prefix', equals('department_name', 'Sales')],
    ['places in lists', equals('emails[0].value', 'x')],
  ] as const)(
    'is nothing of %s: such a clause is left to the engine, and alone asks for everybody',
    (_what, clause) => {
      expect(wantedOf([clause as Clause])).toBeNull();
      expect(wantedOf([clause as Clause, equals('title', 'Lead')])).toEqual([[{ path: 'title', values: ['Lead'] }]]);
      expect(wantedOf([equals('title', 'Lead')], [clause as Clause])).toBeNull();
    },
  );

  it('is everybody where there are no filters', () => {
    expect(wantedOf()).toBeNull();
  });
});

describe('who is wanted', () => {
  const wanted = [
    [
      { path: 'title', values: ['lead', 7] },
      { path: 'active', values: [true] },
    ],
    [{ path: 'teams', values: ['Choir'] }],
  ];
  it.each([
    [{ title: 'LEAD', active: true }, true],
    [{ title: '7', active: 'True' }, true],
    [{ title: 'Lead', active: false }, false],
    [{ title: 'Lead' }, false],
    [{ teams: ['Chess', 'choir'] }, true],
    [{ teams: 'choir' }, true],
    [{ teams: [] }, false],
    [{ teams: null }, false],
  ])('%j: %s', (attributes, is) => {
    expect(isWanted(wanted, attributes)).toBe(is);
  });
});
