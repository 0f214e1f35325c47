import { describe, expect, it } from 'vitest';
import { createScopeGroupsSearch, isInScopeGroups, type PinnedGroup } from '../../src/mapping/scope-groups.ts';

const ENG = { id: 'g-eng', displayName: ' Engineering ' };
const FIN = { id: 'g-fin', displayName: 'Finance' };

type Shown = Parameters<ReturnType<typeof createScopeGroupsSearch>['see']>[0];

function search(
  entries: readonly string[],
  groups: readonly Shown[],
  { pins = [], afresh = false }: { pins?: readonly PinnedGroup[]; afresh?: boolean } = {},
) {
  const looking = createScopeGroupsSearch(entries, { pins, afresh });
  for (const group of groups) looking.see(group);
  const { found, problems } = looking.result();
  return { found: found.map(({ entry, id }) => `${entry} ${id}`), problems };
}

describe('an entry of scope.groups', () => {
  it.each<readonly [string, readonly Shown[], string, string]>([
    ['engineering', [ENG, FIN], 'engineering g-eng', 'a name, trimmed and without case'],
    [' Engineering', [ENG], 'Engineering g-eng', 'the entry trimmed, too'],
    ['g-eng', [ENG, FIN], 'g-eng g-eng', 'an id'],
    ['g-eng', [{ id: 'g-eng', displayName: null }], 'g-eng g-eng', 'an id of which nothing else is known'],
    ['g-eng', [{ id: 'x', displayName: 'g-eng' }, ENG], 'g-eng g-eng', 'an id before a name'],
    ['G-ENG', [{ id: 'x', displayName: 'G-Eng' }, ENG], 'G-ENG x', 'an id as it is alone'],
    ['Finance', [FIN, FIN], 'Finance g-fin', 'a group that comes twice'],
  ])('%j of %j means %s: %s', (entry, groups, found) => {
    expect(search([entry], groups)).toEqual({ found: [found], problems: [] });
  });

  it.each<readonly [string, readonly Shown[], string]>([
    ['Sales', [ENG], 'no group of the source has the name or id "Sales"; put it back, or mend the entry'],
    ['G-ENG', [ENG], 'no group of the source has the name or id "G-ENG"; put it back, or mend the entry'],
    [
      'Engineering',
      [ENG, { id: 'g-2', displayName: 'ENGINEERING' }],
      '2 groups of the source are called "Engineering" (g-eng, g-2); name the one that is meant by its id',
    ],
    [
      'Engineering',
      [ENG, ...['a', 'b', 'c'].map((id) => ({ id, displayName: 'engineering' }))],
      '4 groups of the source are called "Engineering" (g-eng, a, b, …); name the one that is meant by its id',
    ],
  ])('%j of %j means none: %s', (entry, groups, problem) => {
    expect(search([entry], groups)).toEqual({ found: [], problems: [problem] });
  });

  it('tells each that means none, and what the others mean', () => {
    const { found, problems } = search(['Finance', 'x', 'y', 'Finance '], [ENG, FIN]);
    expect([found, problems.length]).toEqual([['Finance g-fin'], 2]);
  });
});

describe('an entry that was found before', () => {
  const pins = [{ entry: 'Engineering', id: 'g-eng' }];
  const other = { id: 'g-2', displayName: 'Engineering' };
  const gone =
    '"Engineering" is the group g-eng, which is not in the source any more; put it back, take the entry out, or ask for a resync to look for the name again';

  it.each<readonly [string, readonly Shown[], boolean, { found: readonly string[]; problems: readonly string[] }]>([
    [
      'the same group when it is renamed (I10)',
      [{ ...ENG, displayName: 'Eng' }],
      false,
      { found: ['Engineering g-eng'], problems: [] },
    ],
    [
      'the same group although another is called so',
      [{ ...ENG, displayName: 'Eng' }, other],
      false,
      { found: ['Engineering g-eng'], problems: [] },
    ],
    [
      'the same group after a resync, too',
      [{ ...ENG, displayName: 'Eng' }, other],
      true,
      { found: ['Engineering g-eng'], problems: [] },
    ],
    ['the same group, although two are called so', [ENG, other], false, { found: ['Engineering g-eng'], problems: [] }],
    ['none when it is gone, whoever is called so (I1)', [other], false, { found: [], problems: [gone] }],
    [
      'whichever is called so when it is gone and a resync was asked for',
      [other],
      true,
      { found: ['Engineering g-2'], problems: [] },
    ],
  ])('means %s', (_what, groups, afresh, result) => {
    expect(search(['Engineering'], groups, { pins, afresh })).toEqual(result);
  });

  it('by its id is gone for good with its group', () => {
    const byId = [{ entry: 'g-eng', id: 'g-eng' }];
    expect(search(['g-eng'], [{ id: 'x', displayName: 'g-eng' }], { pins: byId }).problems).toEqual([
      'the group g-eng is not in the source any more; put it back, or take the entry out',
    ]);
  });

  it('and stands there no more means nothing', () => {
    expect(search(['Finance'], [ENG, FIN], { pins })).toEqual({ found: ['Finance g-fin'], problems: [] });
  });
});

describe('isInScopeGroups', () => {
  const groups = [{ entry: 'Engineering', id: 'g-eng' }];
  const ids = new Set(['g-eng']);

  it.each([
    ['belongs to one', [ENG, FIN], [], true],
    ['belongs to none', [FIN], [], false],
    ['belongs to one for certain', [ENG], ['g-eng'], true],
    ['may belong to one (I13)', [FIN], ['g-eng'], undefined],
  ] as const)('of who %s', (_what, own, partial, is) => {
    expect(isInScopeGroups(own, { groups, ids, partial })).toBe(is);
  });
});
