import { describe, expect, it } from 'vitest';
import { SyncError } from '../../src/errors.ts';
import { bindName, checkName, KnownAttributes, type NameContext } from '../../src/mapping/names.ts';
import type { Json, SourceUser } from '../../src/model.ts';
import { aDesiredUser, aSourceUser } from '../support/builders.ts';

const CONTEXT: NameContext = {
  resource: 'User',
  customs: new Set(['tier', 'unused', 'state']),
  mapped: new Set(['tier', 'state']),
  provider: 'file',
  hasGroups: false,
  desired: new Map([
    ['username', 'userName'],
    ['title', 'title'],
  ]),
};

function problemOf(name: string): string | null {
  try {
    checkName(name, CONTEXT);
    return null;
  } catch (thrown) {
    return SyncError.from(thrown).message;
  }
}

describe('checkName', () => {
  it.each<readonly [string, string | null, string]>([
    ['tier', 'tier', 'a CustomAttribute by its bare name'],
    ['custom:tier', 'tier', 'or said to be one'],
    ['source:tier', null, 'the attribute of the source that is called the same'],
    ['department', null, 'an attribute of the source'],
    ['phones[type eq "work"].value', null, 'a path'],
    ['standard:email', null, 'a standard attribute'],
    ['predefined:department_name', null, 'a predefined attribute'],
    ['anything at all', null, 'only a read can tell what a source has'],
  ])('%s depends on %s: %s', (name, custom) => {
    expect(checkName(name, CONTEXT)).toBe(custom);
  });

  it.each<readonly [string, string]>([
    ['custom:teir', 'there is no CustomAttribute "teir"; did you mean "tier"?'],
    ['custom:zzz', 'there is no CustomAttribute "zzz"'],
    ['unused', 'no entry of the mappings gives the CustomAttribute "unused" a value; add one with target: unused'],
    [
      'custom:unused',
      'no entry of the mappings gives the CustomAttribute "unused" a value; add one with target: unused',
    ],
    ['standard:emial', 'there is no standard attribute "emial"; did you mean "email"?'],
    ['predefined:departmentname', 'there is no predefined attribute "departmentname"; did you mean "department_name"?'],
    ['desired:usrName', 'no entry of the mappings writes "usrName" in the target; did you mean "userName"?'],
    ['phones[', 'column 7: expected an index like [0], a selector like [type eq "work"] or a name like ["a.b"]'],
    ['a..b', 'column 3: a name is empty'],
  ])('refuses %s', (name, message) => {
    expect(problemOf(name)).toBe(message);
  });

  it('refuses inside of mappings what mappings give', () => {
    expect(() => checkName('desired:userName', { ...CONTEXT, desired: null })).toThrow(
      'desired: names what mappings give: it is for rules and scope, not for mappings',
    );
  });
});

describe('KnownAttributes', () => {
  const known = new KnownAttributes([
    ...['mail', 'name', 'name.givenName', 'a.b', 'phones'],
    ...['urn:acme:2.0:User', 'urn:acme:2.0:User.tier'],
  ]);
  const has = (name: string): boolean => !bindName(`source:${name}`, CONTEXT, known).missing;

  it.each<readonly [string, boolean, string]>([
    ['mail', true, 'a name'],
    ['Mail', false, 'case counts'],
    ['name.givenName', true, 'a nested key that some record has'],
    ['name.familyName', false, 'one that no record has below an object'],
    ['name', true, 'the object itself'],
    ['a.b', true, 'a name with a dot'],
    ['a', false, 'whose first part is no name'],
    ['phones[type eq "work"].value', true, 'what stands in lists is not told apart'],
    ['phones[0]', true, 'nor by its place'],
    ['mail.domain', true, 'a key below something that is no object in any record'],
    ['fax[0]', false, 'a list that the read does not have'],
    ['["a.b"]', true, 'a name that is forced to be one'],
    ['urn:acme:2.0:User:tier', true, 'an attribute of an extension'],
    ['urn:acme:2.0:User:desk', false, 'one that no record has'],
  ])('%s: %s, %s', (name, expected) => {
    expect(has(name)).toBe(expected);
  });
});

describe('bindName', () => {
  const read = (raw: string, user: SourceUser, names: string[], customs: Record<string, Json> = {}) => {
    const bound = bindName(raw, CONTEXT, new KnownAttributes(names));
    const mapped = aDesiredUser({ attributes: { userName: 'ada' }, kept: ['title'] });
    const person = { user, customs: new Map(Object.entries(customs)), mapped };
    return { value: bound.read(person), unknown: bound.isUnknown(person), missing: bound.missing };
  };
  const ada = aSourceUser({
    mail: 'ada@example.com',
    state: 'Ulster',
    name: { givenName: 'Ada' },
    tier: 'of the file',
  });
  const names = ['id', 'mail', 'state', 'name', 'name.givenName', 'tier'];

  it.each<readonly [string, Json, string]>([
    ['tier', 'gold', 'the CustomAttribute comes first'],
    ['source:tier', 'of the file', 'unless the source is asked for'],
    ['state', 'a custom one', 'before the attribute of the source'],
    ['source:state', 'Ulster', 'which comes before the standard one'],
    ['standard:state', 'active', 'the standard one'],
    ['idp_id', 'p1', 'a standard attribute where the source has none of the name'],
    ['IsSoftDeleted', false, 'whether the person is inactive'],
    ['email', 'ada@example.com', 'the standard mail address, from `mail`'],
    ['name.givenName', 'Ada', 'a path'],
    ['name.middleName', null, 'a path that leads nowhere'],
    ['desired:userName', 'ada', 'what the mappings write'],
    ['desired:USERNAME', 'ada', 'without case'],
  ])('%s reads %j: %s', (name, expected) => {
    const customs = { tier: 'gold', state: 'a custom one' };
    expect(read(name, ada, names, customs).value).toEqual(expected);
  });

  it('takes the first standard name that is not empty', () => {
    const both = aSourceUser({ email: '', mail: 'second@example.com' });
    expect(read('standard:email', both, ['email', 'mail']).value).toBe('second@example.com');
  });

  it.each<readonly [string, SourceUser, boolean, boolean, string]>([
    ['department', ada, true, true, 'the column is missing: unknown for everybody'],
    ['mail', aSourceUser({ mail: null }), false, false, 'an empty cell is null, not unknown'],
    ['mail', aSourceUser({}, { unknown: ['mail'] }), true, false, 'this one record lacks it'],
    ['name.givenName', aSourceUser({}, { unknown: ['name'] }), true, false, 'or the object around it'],
    ['email', aSourceUser({}, { unknown: ['mail'] }), true, false, 'a standard name whose source it lacks'],
    ['standard:first_name', ada, true, true, 'a standard name without any source'],
    ['standard:idp_id', aSourceUser({}, { unknown: ['id'] }), false, false, 'part of the record itself'],
    ['tier', ada, true, false, 'a CustomAttribute that has got no value'],
  ])('%s is unknown: %#, %s', (name, user, unknown, missing) => {
    expect(read(name, user, names)).toMatchObject({ unknown, missing });
  });
});
