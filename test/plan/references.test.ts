import { describe, expect, it } from 'vitest';
import type { Attributes, References } from '../../src/model.ts';
import type { PathShape } from '../../src/plan/diff.ts';
import {
  type Ending,
  mendReferences,
  planRelease,
  type ReferenceContext,
  resolveReferences,
  toEndingKey,
} from '../../src/plan/references.ts';
import { planTeam } from '../../src/plan/team.ts';
import { PLAIN_ATTRIBUTE } from '../../src/targets/target.ts';
import { aDesiredTeam, aTeamContext, aTeamLink, aTeamState, planSettings } from '../support/builders.ts';

const plain = { caseExact: true, multiValued: false, matching: false, required: false, unique: false };
const SHAPES: ReadonlyMap<string, PathShape> = new Map([
  ['boss', { ...plain, reference: 'User' }],
  ['buddies', { ...plain, reference: 'User', multiValued: true }],
  ['home', { ...plain, reference: 'Team' }],
  ['teams', { ...plain, reference: 'Team', multiValued: true }],
  ['title', { ...plain, reference: null }],
]);

const NOBODY: ReferenceContext = {
  accounts: new Map([
    ['p1', 'u1'],
    ['p2', 'u2'],
    ['p8', 'u8'],
  ]),
  coming: new Set(['p3']),
  ending: new Set(['p8']),
  teams: new Map([
    ['g-1', { key: 'group:1', targetId: 't1', coming: false, ending: false }],
    ['One', { key: 'group:1', targetId: 't1', coming: false, ending: false }],
    ['g-2', { key: 'group:2', targetId: null, coming: true, ending: false }],
    ['g-3', { key: 'group:3', targetId: null, coming: false, ending: false }],
  ]),
  gone: new Set(['u9']),
  goneTeams: new Set(['t9']),
};
const settings = planSettings({ shapes: SHAPES });

describe('references', () => {
  it.each<readonly [References, Attributes, object[], string]>([
    [{ boss: 'p1' }, { boss: 'u1' }, [], 'who has an account'],
    [{ boss: 'p3' }, {}, [{ path: 'boss', after: 'p3', reference: 'User' }], 'who will have one'],
    [{ boss: 'p4' }, {}, [], 'nobody'],
    [{ buddies: ['p1', 'p4', 'p2'] }, { buddies: ['u1', 'u2'] }, [], 'those who have one'],
    [
      { buddies: ['p1', 'p3'] },
      { buddies: ['u1'] },
      [{ path: 'buddies', after: ['p1', 'p3'], reference: 'User' }],
      'all of it once more when the rest is there',
    ],
    [{ buddies: ['p4'] }, {}, [], 'nobody of a list'],
    [{ home: 'g-1' }, { home: 't1' }, [], 'a team'],
    [{ home: 'g-2' }, {}, [{ path: 'home', after: 'group:2', reference: 'Team' }], 'a team that will be'],
    [{ home: 'g-3' }, {}, [], 'a team that will not be'],
    [{ teams: ['One', 'g-1', 'g-4'] }, { teams: ['t1'] }, [], 'one team by two names'],
  ])('%j: %j now, %j later (%s)', (references, known, coming) => {
    expect(resolveReferences(references, NOBODY, { settings, shapes: SHAPES, resource: 'User', held: {} })).toEqual({
      known,
      coming,
    });
  });

  it('is not written later where the target takes it only when an account is made', () => {
    const target = { ...settings.target, attribute: () => ({ ...PLAIN_ATTRIBUTE, writes: 'onCreate' as const }) };
    const to = { settings: { target }, shapes: SHAPES, resource: 'User', held: {} } as const;
    expect(resolveReferences({ boss: 'p3' }, NOBODY, to).coming).toEqual([]);
  });
});

describe('who is to be deleted', () => {
  it.each<readonly [Attributes, Attributes, string]>([
    [{}, { buddies: ['u1'] }, 'is referred to by nobody new'],
    [{ boss: 'u1', buddies: ['u1'] }, { buddies: ['u1'] }, 'nor by whoever refers to others'],
    [{ boss: 'u8', buddies: ['u8'] }, { boss: 'u8', buddies: ['u1', 'u8'] }, 'but by whoever does, until the deletion'],
  ])('held %j: %j (%s)', (held, known) => {
    const to = { settings, shapes: SHAPES, resource: 'User', held } as const;
    expect(resolveReferences({ boss: 'p8', buddies: ['p1', 'p8'] }, NOBODY, to).known).toEqual(known);
  });
});

describe('who is gone', () => {
  const mend = (held: Attributes, references: References, suspect = false) =>
    mendReferences(
      held,
      resolveReferences(references, NOBODY, { settings, shapes: SHAPES, resource: 'User', held: {} }),
      {
        ...NOBODY,
        settings: { ...settings, suspect },
      },
    );

  it.each<readonly [Attributes, References, object, string]>([
    [{ boss: 'u1', home: 't1', title: 'u9' }, {}, {}, 'nobody'],
    [{ boss: 'u9', home: 't9' }, {}, { clear: ['boss', 'home'] }, 'is referred to no longer'],
    [{ boss: 'u9' }, { boss: 'p4' }, { clear: ['boss'] }, 'nor where the source still says so'],
    [{ boss: 'u9' }, { boss: 'p3' }, { current: { boss: null } }, 'somebody else comes'],
    [{ boss: 't9', home: 'u9' }, {}, {}, 'ids of people and teams are apart'],
    [{ buddies: ['u1', 'u9'] }, {}, { rest: { buddies: ['u1'] } }, 'the others stay'],
    [{ buddies: ['u9'], teams: ['t9'] }, {}, { clear: ['buddies', 'teams'] }, 'nobody is left'],
    [{ buddies: ['u1', 'u9'] }, { buddies: ['p1'] }, {}, 'a list that is written as a whole'],
  ])('%j with %j: %j (%s)', (held, references, mended) => {
    expect(mend(held, references)).toEqual({ current: {}, rest: {}, clear: [], ...mended });
  });

  it('stays while the read is suspect (I1)', () => {
    expect(mend({ boss: 'u9', buddies: ['u1', 'u9'] }, {}, true)).toEqual({ current: {}, rest: {}, clear: [] });
  });
});

describe('who refers to what is deleted', () => {
  const ending = (resource: Ending['resource'], targetId: string): readonly [string, Ending] => [
    toEndingKey(resource, targetId),
    { resource, targetId, unit: `end of ${targetId}`, cause: 'deletedAtSource' },
  ];
  const endings = new Map([ending('User', 'u1'), ending('User', 'u2'), ending('Team', 't1')]);
  const referring = { resource: 'User', id: 'p5', targetId: 'u5', name: 'p5@example.com' } as const;
  const release = (held: Attributes, later: readonly string[] = []) =>
    planRelease(referring, held, { endings, later: new Set(later), settings, shapes: SHAPES }).map(
      ({ unit, changes, phase, kind, removal }) => [unit, changes, `${phase} ${kind} ${removal}`],
    );
  const HOW = 'references update true';

  it.each<readonly [Attributes, unknown[], string]>([
    [{ boss: 'u3', home: 'u1', title: 'u1' }, [], 'to nobody of them'],
    [{ boss: 'u1' }, [['end of u1', [{ path: 'boss', before: 'u1' }], HOW]], 'lets go, in the unit of the deletion'],
    [
      { buddies: ['u1', 'u3'] },
      [['end of u1', [{ path: 'buddies', before: ['u1', 'u3'], after: ['u3'] }], HOW]],
      'keeps the others',
    ],
    [
      { buddies: ['u1', 'u2'], home: 't1' },
      [
        ['end of u1', [{ path: 'buddies', before: ['u1', 'u2'] }], HOW],
        ['end of t1', [{ path: 'home', before: 't1' }], HOW],
      ],
      'lets go of several',
    ],
  ])('%j: %j (%s)', (held, expected) => {
    expect(release(held)).toEqual(expected);
  });

  it('is counted by the guard of the deletion alone (I4)', () => {
    const counting = { ...settings, countUpdates: true };
    const [operation] = planRelease(
      referring,
      { boss: 'u1' },
      { endings, later: new Set(), settings: counting, shapes: SHAPES },
    );
    expect(operation?.guards).toEqual([]);
  });

  it('is left to the next run where this one writes the list when everybody is there', () => {
    expect(release({ buddies: ['u1'] }, ['buddies'])).toEqual([]);
  });
});

describe('a team that refers', () => {
  const desired = aDesiredTeam({ key: 'group:7', rules: [] });
  const refer = (references: References) => ({ ...desired, values: { ...desired.values, references } });
  const context = aTeamContext({ ...NOBODY, shapes: SHAPES });
  const link = aTeamLink({ key: 'group:7', rules: [], externalId: desired.externalId, applied: { boss: 'u1' } });
  const planned = (team: Parameters<typeof aTeamState>[0]) =>
    planTeam(aTeamState({ key: 'group:7', group: 'read', ...team }), context).operations.map(
      ({ kind, phase, unit, changes }) => [kind, phase, unit, changes.filter(({ path }) => SHAPES.has(path))],
    );

  it('is made with whom there is, and given the rest later', () => {
    expect(planned({ desired: refer({ boss: 'p1', home: 'g-2', buddies: ['p4'] }) })).toEqual([
      ['create', 'teams', 'team:group:7:create', [{ path: 'boss', after: 'u1' }]],
      ['update', 'references', 'team:group:7:references', [{ path: 'home', after: 'group:2', reference: 'Team' }]],
    ]);
  });

  it('follows, and has nothing to do for whom it has', () => {
    expect(planned({ desired: refer({ boss: 'p1' }), link })).toEqual([]);
    expect(planned({ desired: refer({ boss: 'p2' }), link })).toEqual([
      ['update', 'teams', 'team:group:7:update', [{ path: 'boss', before: 'u1', after: 'u2' }]],
    ]);
    expect(planned({ desired: refer({ boss: 'p3' }), link })).toEqual([
      [
        'update',
        'references',
        'team:group:7:references',
        [{ path: 'boss', before: 'u1', after: 'p3', reference: 'User' }],
      ],
    ]);
  });
});
