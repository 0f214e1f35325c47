import { describe, expect, it } from 'vitest';
import { toAliases } from '../../src/mapping/aliases.ts';
import {
  computeTeamNames,
  createGroupSelection,
  type GroupChoice,
  toGroupTeam,
  withoutSuffix,
} from '../../src/mapping/groups.ts';
import { type Json, NO_VALUES } from '../../src/model.ts';

describe('createGroupSelection', () => {
  const eng = { id: 'g-1', displayName: ' Engineering ' };
  const all = { provision: 'All', include: [], exclude: [] } as const;

  it.each<readonly [GroupChoice, boolean, string]>([
    [{ ...all }, true, 'all groups'],
    [{ ...all, provision: 'InScope' } as const, true, 'scope takes people by no group'],
    [{ ...all, provision: 'None' } as const, false, 'none is asked for'],
    [{ ...all, include: ['ENGINEERING'] }, true, 'by name, trimmed and without case'],
    [{ ...all, include: ['g-1'] }, true, 'by id'],
    [{ ...all, include: ['G-1'] }, false, 'an id is compared as it is'],
    [{ ...all, include: ['Sales'] }, false, 'only others'],
    [{ ...all, exclude: ['engineering'] }, false, 'left out by name'],
    [{ ...all, include: ['g-1'], exclude: ['Engineering'] }, false, 'exclude wins'],
  ])('%j takes the group: %s (%s)', (choice, selected, _because) => {
    expect(createGroupSelection(choice, null).selects(eng)).toBe(selected);
  });

  it.each<readonly [GroupChoice, readonly string[], boolean, string]>([
    [{ ...all, provision: 'InScope' }, ['g-1'], true, 'one of scope.groups'],
    [{ ...all, provision: 'InScope' }, ['g-2'], false, 'the scope has others'],
    [{ ...all, provision: 'InScope', include: ['Sales'] }, ['g-1'], false, 'include narrows it further'],
    [{ ...all, provision: 'All' }, ['g-2'], true, 'all are asked for, whatever the scope has'],
  ])('%j with the groups %j in scope takes the group: %s (%s)', (choice, ids, selected) => {
    expect(createGroupSelection(choice, new Set(ids)).selects(eng)).toBe(selected);
  });

  it('does not call an entry unknown because the scope has no such group', () => {
    const selection = createGroupSelection({ ...all, provision: 'InScope', include: ['Engineering'] }, new Set());
    expect([selection.selects(eng), selection.unresolved()]).toEqual([false, []]);
  });

  it('tells entries that no group answers to', () => {
    const selection = createGroupSelection({ ...all, include: ['engineering', 'Typo'], exclude: ['g-9', 'g-1'] }, null);
    selection.selects(eng);
    expect(selection.unresolved()).toEqual(['Typo', 'g-9']);
  });
});

describe('computeTeamNames', () => {
  const names = (groups: readonly { id: string; held: string | null }[], name = 'Eng') =>
    Object.fromEntries(computeTeamNames(name, groups));
  const [a, b] = ['aaaaaaaa-1111', 'bbbbbbbb-2222'];
  const [C1, C2, C3] = ['cccccccc-1', 'cccccccc-2', 'cccccccc-3'];

  it.each([
    [[{ id: a, held: null }], { [a]: 'Eng' }, 'a name of its own'],
    [
      [
        { id: C1, held: 'Eng' },
        { id: C2, held: 'eng (cccccccc)' },
        { id: C3, held: 'Eng (cccccccc)' },
      ],
      { [C1]: 'Eng', [C2]: 'Eng (cccccccc)', [C3]: 'Eng (cccccccc-3)' },
      'a suffix that two were given stays with the first of them',
    ],
    [
      [
        { id: a, held: null },
        { id: b, held: null },
      ],
      { [a]: 'Eng', [b]: 'Eng (bbbbbbbb)' },
      'the later one gets a suffix',
    ],
    [
      [
        { id: a, held: null },
        { id: b, held: 'Eng' },
      ],
      { [a]: 'Eng (aaaaaaaa)', [b]: 'Eng' },
      'whoever has the name keeps it, whatever the order of the read',
    ],
    [
      [
        { id: a, held: 'Eng (aaaaaaaa)' },
        { id: b, held: null },
      ],
      { [a]: 'Eng (aaaaaaaa)', [b]: 'Eng' },
      'a suffix stays, and the plain name is free',
    ],
    [[{ id: b, held: 'Eng (bbbbbbbb)' }], { [b]: 'Eng (bbbbbbbb)' }, 'a suffix stays when the other group is gone'],
    [
      [
        { id: a, held: 'Ops' },
        { id: b, held: 'ENG' },
      ],
      { [a]: 'Eng (aaaaaaaa)', [b]: 'Eng' },
      'whoever has the name in other letters has it',
    ],
    [[{ id: b, held: 'Ops (bbbbbbbb)' }], { [b]: 'Eng' }, 'a renamed group begins anew'],
  ])('%j are called %j: %s', (groups, expected) => {
    expect(names(groups)).toEqual(expected);
  });

  it('takes the whole id where its beginning tells nothing', () => {
    const groups = ['prefix00-1', 'prefix00-2'].map((id) => ({ id, held: null }));
    expect(names(groups)).toEqual({ 'prefix00-1': 'Eng', 'prefix00-2': 'Eng (prefix00-2)' });
  });

  it.each<readonly [readonly { id: string; held: string | null }[], Record<string, string>, string]>([
    [
      [{ id: 'prefix00-2', held: 'Eng (prefix00-2)' }],
      { 'prefix00-2': 'Eng (prefix00-2)' },
      'a whole one, although short would do',
    ],
    [
      [
        { id: 'prefix00-1', held: 'Eng (prefix00)' },
        { id: 'prefix00-2', held: null },
        { id: 'c', held: 'Eng' },
      ],
      { 'prefix00-1': 'Eng (prefix00)', 'prefix00-2': 'Eng (prefix00-2)', c: 'Eng' },
      'a short one, although another begins alike',
    ],
    [
      [
        { id: 'prefix00-1', held: 'Eng (prefix00)' },
        { id: 'prefix00', held: null },
        { id: 'c', held: 'Eng' },
      ],
      { 'prefix00-1': 'Eng (prefix00-1)', prefix00: 'Eng (prefix00)', c: 'Eng' },
      'but for one that is the whole id of another',
    ],
  ])('%j are called %j: a suffix once given stays, %s', (groups, expected) => {
    expect(names(groups)).toEqual(expected);
  });
});

it.each([
  ['Eng (g-1)', 'g-1', 'Eng'],
  ['Eng (prefix00)', 'prefix00-1', 'Eng'],
  ['Eng (prefix00-1)', 'prefix00-1', 'Eng'],
  ['Eng (prefix00-2)', 'prefix00-1', 'Eng (prefix00-2)'],
  ['Eng (g-1) ', 'g-1', 'Eng (g-1) '],
  ['Eng', 'g-1', 'Eng'],
])('%s is, without the suffix of %s, %s', (displayName, id, expected) => {
  expect(withoutSuffix(displayName, id)).toBe(expected);
});

it('a team of a group is the team of its id, whatever mappings make of it', () => {
  const team = { displayName: 'Eng', externalId: 'e-1', values: NO_VALUES };
  expect(toGroupTeam({ id: 'g-1' }, team)).toMatchObject({ ...team, key: 'group:g-1', rules: [] });
});

describe('toAliases', () => {
  const of = (attributes: Parameters<typeof toAliases>[0]['attributes']) =>
    toAliases({ id: 'p1', active: true, attributes });

  it.each<readonly [Record<string, Json>, readonly string[]]>([
    [{ mail: 'ada@example.com', userPrincipalName: 'ada@corp.example' }, ['ada@corp.example', 'ada@example.com']],
    [{ proxyAddresses: ['SMTP:ada@example.com', 'smtp:a@example.com'] }, ['ada@example.com', 'a@example.com']],
    [{ emails: [{ value: 'ada@example.com' }, { address: 'a@example.com' }] }, ['ada@example.com', 'a@example.com']],
    [{ dn: 'cn=Ada,dc=corp,dc=example' }, ['cn=Ada,dc=corp,dc=example']],
    [{ mail: '', email: null, otherMails: [], displayName: 'Ada' }, []],
    [{ mail: 'ada@example.com', primaryEmail: 'ada@example.com' }, ['ada@example.com']],
  ])('%j is also called %j', (attributes, names) => {
    expect(of(attributes)).toEqual(names);
  });
});
