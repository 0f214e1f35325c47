import { describe, expect, it } from 'vitest';
import type { AttributeChange, Json } from '../../../src/model.ts';
import { createPlaces } from '../../../src/targets/scim/convert.ts';
import { applyChanges, computePatch, needsCurrent, type PatchOperation } from '../../../src/targets/scim/patch.ts';

const ENTERPRISE = 'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User';
const ACME = 'urn:ietf:params:scim:schemas:extension:acme:2.0:User';
const MOBILE = 'phoneNumbers[type eq "mobile"].value';
const STREET = 'addresses[type eq "work"].streetAddress';
const CITY = 'addresses[type eq "work"].locality';
const placeOf = createPlaces([]).User;

interface Case {
  because: string;
  changes: AttributeChange[];
  current?: Record<string, Json>;
  patch: PatchOperation[];
}

const CASES: Case[] = [
  {
    because: 'a value where there was none is added',
    changes: [{ path: 'title', after: 'Analyst' }],
    patch: [{ op: 'add', path: 'title', value: 'Analyst' }],
  },
  {
    because: 'a value where there was one is replaced',
    changes: [{ path: 'name.givenName', before: 'Ada', after: 'Augusta' }],
    patch: [{ op: 'replace', path: 'name.givenName', value: 'Augusta' }],
  },
  {
    because: 'null is never sent: what is empty is removed',
    changes: [{ path: 'title', before: 'Analyst', after: null }],
    patch: [{ op: 'remove', path: 'title' }],
  },
  {
    because: 'false is a value',
    changes: [{ path: 'active', before: true, after: false }],
    patch: [{ op: 'replace', path: 'active', value: false }],
  },
  {
    because: 'add would append to a list that somebody filled meanwhile',
    changes: [{ path: 'roles', after: [{ value: 'admin' }] }],
    patch: [{ op: 'replace', path: 'roles', value: [{ value: 'admin' }] }],
  },
  {
    because: 'an attribute of an extension stands behind a colon, even of one that no schema describes',
    changes: [
      { path: `${ENTERPRISE}:department`, before: 'A', after: 'B' },
      { path: `${ACME}:licenseTier`, after: 'gold' },
    ],
    patch: [
      { op: 'replace', path: `${ENTERPRISE}:department`, value: 'B' },
      { op: 'add', path: `${ACME}:licenseTier`, value: 'gold' },
    ],
  },
  {
    because: 'the manager is a complex value, whichever way the path is written',
    changes: [{ path: `${ENTERPRISE}:manager`, after: 'm1' }],
    patch: [{ op: 'add', path: `${ENTERPRISE}:manager`, value: { value: 'm1' } }],
  },
  {
    because: 'the manager is removed whole',
    changes: [{ path: `${ENTERPRISE}:manager.value`, before: 'm1' }],
    patch: [{ op: 'remove', path: `${ENTERPRISE}:manager` }],
  },
  {
    because: 'an entry that was there is changed through its filter',
    changes: [{ path: MOBILE, before: '1', after: '2' }],
    patch: [{ op: 'replace', path: MOBILE, value: '2' }],
  },
  {
    because: 'an entry that is not there is added with what its filter says',
    changes: [{ path: MOBILE, after: '2' }],
    current: { id: '1', phoneNumbers: [{ type: 'work', value: '1' }] },
    patch: [{ op: 'add', path: 'phoneNumbers', value: [{ type: 'mobile', value: '2' }] }],
  },
  {
    because: 'several changes of one entry are one entry, and several entries of one list one operation',
    changes: [
      { path: STREET, after: '1 Example Street' },
      { path: 'addresses[type eq "home"].country', after: 'GB' },
      { path: CITY, after: 'Belfast' },
    ],
    current: { id: '1' },
    patch: [
      {
        op: 'add',
        path: 'addresses',
        value: [
          { type: 'work', streetAddress: '1 Example Street', locality: 'Belfast' },
          { type: 'home', country: 'GB' },
        ],
      },
    ],
  },
  {
    because: 'a part that an entry lacks goes into that entry and not into a second one',
    changes: [{ path: CITY, after: 'Belfast' }],
    current: { id: '1', addresses: [{ type: 'Work', streetAddress: '1 Example Street' }] },
    patch: [{ op: 'replace', path: CITY, value: 'Belfast' }],
  },
  {
    because: 'an entry without its value means nothing',
    changes: [{ path: MOBILE, before: '1' }],
    patch: [{ op: 'remove', path: 'phoneNumbers[type eq "mobile"]' }],
  },
  {
    because: 'a part is removed from an entry that keeps others',
    changes: [{ path: CITY, before: 'Belfast' }],
    current: { id: '1', addresses: [{ type: 'work', streetAddress: '1 Example Street', locality: 'Belfast' }] },
    patch: [{ op: 'remove', path: CITY }],
  },
  {
    because: 'an entry that would keep only its type is removed whole',
    changes: [
      { path: CITY, before: 'Belfast' },
      { path: STREET, before: '1 Example Street' },
    ],
    current: {
      id: '1',
      addresses: [{ type: 'work', primary: false, streetAddress: '1 Example Street', locality: 'Belfast', region: '' }],
    },
    patch: [{ op: 'remove', path: 'addresses[type eq "work"]' }],
  },
  {
    because: 'what is gone already is not removed again',
    changes: [
      { path: 'title', before: 'Analyst' },
      { path: MOBILE, before: '1' },
    ],
    current: { id: '1', phoneNumbers: [] },
    patch: [],
  },
  {
    because: 'a mark that moves would stand twice on some servers, so the list is replaced',
    changes: [{ path: 'emails[type eq "work"].primary', after: true }],
    current: {
      id: '1',
      emails: [
        { type: 'home', value: 'h@corp.example', primary: true },
        { type: 'work', value: 'w@corp.example' },
      ],
    },
    patch: [
      {
        op: 'replace',
        path: 'emails',
        value: [
          { type: 'home', value: 'h@corp.example', primary: false },
          { type: 'work', value: 'w@corp.example', primary: true },
        ],
      },
    ],
  },
  {
    because: 'what is added to a list is added by itself, and what is called otherwise stays',
    changes: [
      {
        path: 'roles',
        before: [{ value: 'a' }],
        after: [{ value: 'a', display: 'A' }, { value: 'b' }],
        adds: true,
      },
    ],
    patch: [{ op: 'add', path: 'roles', value: [{ value: 'b' }] }],
  },
  {
    because: 'nor is anything added twice that somebody else has added',
    changes: [
      { path: 'roles', after: [{ value: 'b' }], adds: true },
      { path: MOBILE, after: '2' },
    ],
    current: { id: '1', roles: [{ value: 'b' }, { value: 'c' }], phoneNumbers: [{ type: 'mobile', value: '1' }] },
    patch: [{ op: 'replace', path: MOBILE, value: '2' }],
  },
  {
    because: 'what stays as it is is no change, and neither is another order of a list',
    changes: [
      { path: 'title', before: 'Analyst', after: 'Analyst' },
      { path: 'roles', before: [{ value: 'a' }, { value: 'b' }], after: [{ value: 'b' }, { value: 'a' }] },
    ],
    patch: [],
  },
  {
    because: 'another case is a change: names of people are spelled with it',
    changes: [{ path: 'displayName', before: 'mcdonald', after: 'McDonald' }],
    patch: [{ op: 'replace', path: 'displayName', value: 'McDonald' }],
  },
  {
    because: 'nothing, null and an empty list are no change of each other',
    changes: [
      { path: 'title', after: null },
      { path: 'roles', before: [] },
      { path: MOBILE },
      { path: CITY, after: '' },
    ],
    patch: [],
  },
];

describe('computePatch', () => {
  it.each(CASES)('$because', ({ changes, current, patch }) => {
    if (current === undefined) expect(needsCurrent(changes, placeOf)).toBe(false);
    expect(computePatch(changes, placeOf, { current: current ?? null })).toEqual(patch);
  });

  it.each([
    ['a new entry', [{ path: MOBILE, after: '1' }], true],
    ['a part that was not there', [{ path: CITY, after: 'Belfast' }], true],
    [
      'a part beside one that was there',
      [
        { path: CITY, after: 'B' },
        { path: STREET, before: 'a', after: 'b' },
      ],
      false,
    ],
    ['the last known part of an entry', [{ path: CITY, before: 'Belfast' }], true],
    ['a primary mark', [{ path: 'emails[type eq "work"].primary', before: false, after: true }], true],
    ['a value without a filter', [{ path: 'title', after: 'x' }], false],
  ])('needsCurrent: %s', (_what, changes, needed) => {
    expect(needsCurrent(changes, placeOf)).toBe(needed);
  });
});

describe('applyChanges', () => {
  it('leaves no entry of a list that keeps nothing but its type', () => {
    const current: Record<string, Json> = {
      addresses: [{ type: 'work', streetAddress: '1 High St', locality: 'York' }, { type: 'home' }],
    };
    const street = { path: STREET, before: '1 High St' };
    expect(applyChanges(current, [street], placeOf)).toEqual({
      addresses: [{ type: 'work', streetAddress: null, locality: 'York' }, { type: 'home' }],
    });
    expect(applyChanges(current, [street, { path: CITY, before: 'York' }], placeOf)).toEqual({
      addresses: [{ type: 'home' }],
    });
  });

  it('adds to a list what it has not', () => {
    const change: AttributeChange = { path: 'roles', after: [{ value: 'a' }, { value: 'b' }], adds: true };
    expect(applyChanges({ roles: [{ value: 'a', display: 'A' }, { value: 'c' }] }, [change], placeOf)).toEqual({
      roles: [{ value: 'a', display: 'A' }, { value: 'c' }, { value: 'b' }],
    });
    expect(applyChanges({}, [change], placeOf)).toEqual({ roles: [{ value: 'a' }, { value: 'b' }] });
  });

  it('keeps everything that is not changed, under its own spelling', () => {
    const current = {
      schemas: ['urn:ietf:params:scim:schemas:core:2.0:User'],
      id: '1',
      UserName: 'ada@corp.example',
      title: 'Analyst',
      phoneNumbers: [
        { type: 'work', value: '1' },
        { type: 'mobile', value: '2' },
      ],
      'urn:x:acme:User': { kept: true },
    };
    const changed = applyChanges(
      current,
      [
        { path: 'userName', before: 'ada@corp.example', after: 'lovelace@corp.example' },
        { path: 'title', before: 'Analyst' },
        { path: MOBILE, before: '2' },
        { path: `${ENTERPRISE}:department`, after: 'Research' },
      ],
      placeOf,
    );
    expect(changed).toEqual({
      schemas: ['urn:ietf:params:scim:schemas:core:2.0:User', ENTERPRISE],
      id: '1',
      UserName: 'lovelace@corp.example',
      title: null,
      phoneNumbers: [{ type: 'work', value: '1' }],
      'urn:x:acme:User': { kept: true },
      [ENTERPRISE]: { department: 'Research' },
    });
    expect(current.phoneNumbers).toHaveLength(2);
  });
});
