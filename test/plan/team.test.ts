import { describe, expect, it } from 'vitest';
import { type DesiredTeam, NO_VALUES } from '../../src/model.ts';
import { planTeam, planTeamRecovery, type TeamContext, type TeamPlan } from '../../src/plan/team.ts';
import type { TeamState } from '../../src/state/staging.ts';
import type { TeamLink } from '../../src/state/store.ts';
import { PLAIN_ATTRIBUTE } from '../../src/targets/target.ts';
import { aDesiredTeam, aTeam, aTeamContext, aTeamLink, aTeamState, planSettings } from '../support/builders.ts';

const plan = (team: Partial<TeamState>, context: Partial<Omit<TeamContext, 'settings'>> = {}): TeamPlan =>
  planTeam(aTeamState(team), aTeamContext(context));
const KEEP = { operations: [], errors: [], effects: [], protected: 0, members: 'keep', deleteWhenEmpty: false };
const COMPARE = { ...KEEP, members: 'compare' };
const MARK = 'dirsync:identity/acme:research';
const candidate = (attributes = {}, linkedTo: string | null = null, id = 't9') => ({
  object: aTeam(attributes, id),
  linkedTo,
  neighbour: null,
});

describe('a team that is not there', () => {
  it('is made, with its mark, when somebody belongs to it', () => {
    expect(plan({})).toEqual({
      ...COMPARE,
      operations: [
        expect.objectContaining({
          kind: 'create',
          phase: 'teams',
          resource: 'Team',
          id: 'rule:research',
          targetId: null,
          name: 'Research',
          cause: 'rule',
          reason: 'rule research',
          unit: 'team:rule:research:create',
          team: { rules: ['research'], deletionPolicy: 'Retain' },
          changes: [
            { path: 'displayName', after: 'Research' },
            { path: 'externalId', after: MARK },
          ],
        }),
      ],
    });
  });

  it('is not made while nobody belongs to it, whoever has the name', () => {
    expect(plan({ desiredMembers: 0 })).toEqual(KEEP);
    expect(plan({ desiredMembers: 0, candidates: [candidate()] })).toEqual(KEEP);
  });

  it.each<readonly [TeamState['candidates'], string, string]>([
    [[candidate()], 'the target already has a team of this name (t9), which is not managed by Dirsync', 'made by hand'],
    [
      [candidate({}, 'rule:other')],
      'the target already has a team of this name (t9), which is managed as another team',
      'another of ours',
    ],
  ])('is a Conflict of every rule where the name is taken: %#, %s, %s (I3)', (candidates, message) => {
    const desired = aDesiredTeam({ rules: ['a', 'b'] });
    expect(plan({ desired, candidates })).toEqual({
      ...KEEP,
      errors: ['a', 'b'].map((id) => ({ resource: 'TeamRule', id, code: 'Conflict', message })),
    });
  });

  it('has a name that the target takes', () => {
    const of = (displayName: string, link: TeamLink | null = null) =>
      plan({ desired: aDesiredTeam({ displayName }), link }, { maxNameLength: 50 });
    expect(of('x'.repeat(50)).errors).toEqual([]);
    const message = `the name of team "${'x'.repeat(40)}…" has 51 characters; the target takes 50`;
    expect(of('x'.repeat(51))).toMatchObject({ operations: [], errors: [{ code: 'RecordInvalid', message }] });
    // A rename too: the team keeps the old name and its members.
    expect(of('x'.repeat(51), aTeamLink({ displayName: 'Other' }))).toMatchObject({
      operations: [],
      members: 'keep',
      errors: [{ id: 'research', message }],
    });
    const short = planTeam(aTeamState(), aTeamContext({ maxNameLength: 3 })).errors;
    expect(short).toMatchObject([{ message: 'the name of team "Research" has 8 characters; the target takes 3' }]);
  });

  it('is made again when it was deleted by hand and somebody belongs to it', () => {
    expect(plan({ link: aTeamLink(), gone: true })).toMatchObject({
      operations: [{ kind: 'create', cause: 'drift' }],
      members: 'compare',
    });
  });

  it('is forgotten when it was deleted by hand and nobody does, or no rule calls for it', () => {
    const dropped = { ...KEEP, effects: [{ type: 'dropTeam', key: 'rule:research' }] };
    expect(plan({ link: aTeamLink(), gone: true, desiredMembers: 0 })).toEqual(dropped);
    expect(plan({ link: aTeamLink(), gone: true, desired: null })).toEqual(dropped);
  });

  it('is no business of ours when no rule calls for it', () => {
    expect(plan({ desired: null })).toEqual(KEEP);
  });
});

describe('an owned team', () => {
  it('is left alone but for its members while nothing differs (I2)', () => {
    expect(plan({ link: aTeamLink() })).toEqual(COMPARE);
    expect(plan({ link: aTeamLink(), observed: aTeam({ externalId: MARK }) })).toEqual(COMPARE);
  });

  it('keeps the first spelling of its name', () => {
    expect(plan({ link: aTeamLink({ displayName: 'RESEARCH' }) })).toEqual(COMPARE);
  });

  it('is renamed with its mark, in one request (I10)', () => {
    const link = aTeamLink({ displayName: 'Science', externalId: 'dirsync:identity/acme:science' });
    expect(plan({ link }).operations).toMatchObject([
      {
        kind: 'update',
        targetId: 't1',
        cause: 'rule',
        reason: 'rule research',
        changes: [
          { path: 'displayName', before: 'Science', after: 'Research' },
          { path: 'externalId', before: 'dirsync:identity/acme:science', after: MARK },
        ],
      },
    ]);
  });

  it('gets its name back when it was renamed by hand', () => {
    const observed = aTeam({ displayName: 'Gang', externalId: MARK });
    expect(plan({ link: aTeamLink(), observed }).operations).toMatchObject([
      {
        cause: 'drift',
        reason: 'was changed in the target',
        changes: [{ path: 'displayName', before: 'Gang', after: 'Research' }],
      },
    ]);
  });

  it.each<readonly [string | null, string | undefined, boolean, string]>([
    [MARK, undefined, false, 'sent before and not kept: the target has no externalId of teams'],
    [null, undefined, false, 'known not to be kept'],
    ['another', undefined, true, 'ours is to be another one now'],
    [MARK, 'theirs', true, 'changed by hand'],
  ])('with mark %j, seen as %j: repaired %s, %s', (externalId, seen, isRepaired) => {
    const observed = aTeam(seen === undefined ? {} : { externalId: seen });
    const { operations } = plan({ link: aTeamLink({ externalId }), observed });
    expect(operations.map(({ changes }) => changes.map(({ path }) => path))).toEqual(
      isRepaired ? [['externalId']] : [],
    );
  });

  it('stays in doubt until what was changed by hand is mended', () => {
    const observed = aTeam({ displayName: 'Gang', externalId: MARK });
    expect(plan({ link: aTeamLink(), observed }).effects).toEqual([
      { type: 'putTeam', team: aTeamLink({ dirty: true }) },
    ]);
    expect(plan({ link: aTeamLink({ dirty: true }), observed: aTeam({ externalId: MARK }) }).effects).toEqual([
      { type: 'putTeam', team: aTeamLink() },
    ]);
    expect(plan({ link: aTeamLink(), gone: true }).effects).toEqual([{ type: 'markTeamDirty', key: 'rule:research' }]);
  });

  it('notes new rules and policies without a request', () => {
    const desired = aDesiredTeam({ rules: ['a', 'b'], deletionPolicy: 'Delete' });
    expect(plan({ link: aTeamLink({ dirty: true }), desired })).toEqual({
      ...COMPARE,
      effects: [{ type: 'putTeam', team: aTeamLink({ rules: ['a', 'b'], deletionPolicy: 'Delete' }) }],
    });
  });

  it('goes when it is empty, where that is wanted', () => {
    const desired = aDesiredTeam({ whenEmpty: 'Delete' });
    expect(plan({ link: aTeamLink(), desired, desiredMembers: 0 }).deleteWhenEmpty).toBe(true);
    expect(plan({ link: aTeamLink(), desired, desiredMembers: 1 }).deleteWhenEmpty).toBe(false);
    expect(plan({ link: aTeamLink(), desiredMembers: 0 }).deleteWhenEmpty).toBe(false);
  });

  it('of a frozen rule stays as it is, alone or shared (I13)', () => {
    const frozen = new Set(['paused']);
    expect(plan({ link: aTeamLink({ rules: ['paused'] }), desired: null }, { frozen })).toEqual(KEEP);
    expect(plan({ link: aTeamLink({ rules: ['paused', 'research'] }) }, { frozen })).toEqual(KEEP);
    expect(plan({ desired: aDesiredTeam({ rules: ['paused', 'research'] }) }, { frozen })).toEqual(KEEP);
    // Seen to be gone: whoever mends the rule later must not meet a link to it.
    expect(plan({ link: aTeamLink({ rules: ['paused'] }), gone: true, desired: null }, { frozen })).toEqual({
      ...KEEP,
      effects: [{ type: 'markTeamDirty', key: 'rule:research' }],
    });
  });
});

describe('a team that no rule calls for now', () => {
  it.each<readonly [Partial<TeamLink>, Partial<TeamContext>, Partial<TeamPlan>, string]>([
    [{}, {}, { members: 'compare', deleteWhenEmpty: false }, 'its value is gone from the source: it becomes empty'],
    [
      {},
      { whenEmpty: new Map([['research', 'Delete']]) },
      { members: 'compare', deleteWhenEmpty: true },
      'and goes, where that is wanted',
    ],
    [
      { rules: ['research', 'other'] },
      {
        rules: new Set(['research', 'other']),
        whenEmpty: new Map([
          ['research', 'Delete'],
          ['other', 'Retain'],
        ]),
      },
      { members: 'compare', deleteWhenEmpty: false },
      'by all of its rules',
    ],
    [{ rules: ['deleted'] }, {}, { members: 'keep', deleteWhenEmpty: false }, 'its rule was deleted: Retain'],
    [
      { rules: ['deleted'], deletionPolicy: 'Empty' },
      {},
      { members: 'empty', deleteWhenEmpty: false },
      'its rule was deleted: Empty',
    ],
    [
      { rules: ['deleted'], deletionPolicy: 'Delete' },
      {},
      { members: 'empty', deleteWhenEmpty: true },
      'its rule was deleted: Delete',
    ],
    [
      { rules: ['deleted', 'research'], deletionPolicy: 'Delete' },
      {},
      { members: 'compare', deleteWhenEmpty: false },
      'one of its rules is left',
    ],
  ])('%j: %#, %s', (link, context, expected) => {
    expect(plan({ desired: null, link: aTeamLink(link) }, context)).toMatchObject({ operations: [], ...expected });
  });
});

describe('values beside name and mark', () => {
  const valued = (values: Partial<DesiredTeam['values']>): DesiredTeam =>
    aDesiredTeam({ values: { ...NO_VALUES, ...values } });
  const written = aTeamLink({ applied: { description: 'old', tier: 'Gold' } });
  const aShape = { multiValued: false, reference: null, matching: false, required: false, unique: false };
  const shapes = new Map([['tier', { ...aShape, caseExact: false }]]);
  const changesOf = (team: Partial<TeamState>, settings = {}) =>
    planTeam(aTeamState({ link: written, ...team }), aTeamContext({ shapes, settings })).operations.map(
      ({ cause, changes }) => ({ cause, changes }),
    );

  it('go into the first request, OnCreate and defaults with them', () => {
    const desired = valued({ attributes: { description: 'a' }, onCreate: { tier: 'b' }, defaults: { note: 'c' } });
    expect(plan({ desired }).operations[0]?.changes.slice(2)).toEqual([
      { path: 'note', after: 'c' },
      { path: 'tier', after: 'b' },
      { path: 'description', after: 'a' },
    ]);
  });

  it('are what is wrong with a team that is to be made, and not with one that is there', () => {
    const desired = valued({ creation: { errors: ['no tier'], held: true } });
    expect(plan({ desired })).toMatchObject({
      operations: [],
      errors: [{ code: 'RecordInvalid', message: 'no tier' }],
    });
    expect(plan({ desired: valued({ creation: { errors: ['no tier'], held: false } }) })).toMatchObject({
      operations: [{ kind: 'create' }],
      errors: [{ message: 'no tier' }],
    });
    expect(plan({ desired, link: written })).toMatchObject({ operations: [], errors: [] });
  });

  it.each<readonly [string, Partial<DesiredTeam['values']>, readonly unknown[]]>([
    ['the rules or the group want it', { attributes: { description: 'new', tier: 'gold' } }, ['description', 'tier']],
    ['nothing is new', { attributes: { description: 'old', tier: 'Gold' } }, []],
    ['it is written once', { onCreate: { description: 'new' }, defaults: { tier: 'x' } }, []],
  ])('change when %s', (_when, values, paths) => {
    const [update] = changesOf({ desired: valued(values) });
    expect(update?.changes.map(({ path }) => path) ?? []).toEqual(paths);
    expect(update?.cause ?? 'rule').toBe('rule');
  });

  it('are drift where the target alone changed, and cleared where that is wanted', () => {
    const observed = aTeam({ externalId: MARK, description: 'by hand', tier: 'GOLD' });
    expect(changesOf({ observed, desired: valued({ attributes: { description: 'old', tier: 'Gold' } }) })).toEqual([
      { cause: 'drift', changes: [{ path: 'description', before: 'by hand', after: 'old' }] },
    ]);
    expect(changesOf({ desired: valued({ clear: ['tier', 'note'] }) })).toEqual([
      { cause: 'rule', changes: [{ path: 'tier', before: 'Gold' }] },
    ]);
    expect(changesOf({ desired: valued({ clear: ['tier'] }) }, { suspect: true })).toEqual([]);
    expect(changesOf({ desired: valued({ clear: ['tier'], defaults: { tier: 'gold' } }) })).toEqual([]);
  });
});

describe('planTeamRecovery (I7)', () => {
  const lost = { target: planSettings().target, isStoreLost: true };
  const recover = (team: Partial<TeamState>, over: Partial<typeof lost> = {}) =>
    planTeamRecovery(aTeamState(team), { ...lost, ...over });

  it('knows an owned team by its mark, with its members, without a request', () => {
    const { operations, effects } = recover({ candidates: [candidate({ displayName: 'RESEARCH', externalId: MARK })] });
    expect(operations).toMatchObject([{ kind: 'recover', phase: 'recover', targetId: 't9', changes: [] }]);
    expect(effects).toEqual([
      { type: 'putTeam', team: aTeamLink({ targetId: 't9', displayName: 'RESEARCH', origin: 'recovered' }) },
      { type: 'takeMembers', key: 'rule:research' },
    ]);
  });

  it.each<readonly [Partial<TeamState>, string]>([
    [{ candidates: [candidate()] }, 'a name is no mark'],
    [{ candidates: [candidate({ externalId: 'theirs' })] }, 'another mark'],
    [{ candidates: [candidate({ externalId: MARK }, 'rule:other')] }, 'it is another team’s'],
    [
      { candidates: [candidate({ externalId: MARK }), candidate({ externalId: MARK }, null, 't8')] },
      'two of one mark: none is guessed',
    ],
    [{ candidates: [candidate({ externalId: MARK })], link: aTeamLink() }, 'there is a link'],
    [{ candidates: [candidate({ externalId: MARK })], desired: null }, 'no rule calls for it'],
  ])('%#: not when %s', (team) => {
    expect(recover(team)).toMatchObject({ operations: [], effects: [] });
  });

  describe('where the target keeps no marks of teams', () => {
    const settings = planSettings();
    const target = { ...settings.target, attribute: () => ({ ...PLAIN_ATTRIBUTE, shows: 'never' as const }) };
    const named = { candidates: [candidate({ displayName: ' RESEARCH ' })] };

    it('knows the team by its name, where accounts were found again too', () => {
      const { operations, effects } = recover(named, { target });
      expect(operations).toMatchObject([{ kind: 'recover', targetId: 't9', reason: 'has the name of the team' }]);
      expect(effects[0]).toMatchObject({ type: 'putTeam', team: { origin: 'recovered', externalId: null } });
    });

    it.each<readonly [string, Parameters<typeof recover>]>([
      ['no account was found again: it may have been made by hand', [named, { target, isStoreLost: false }]],
      ['a mark would be shown', [named]],
      ['it has another name', [{ candidates: [candidate({ displayName: 'Sales' })] }, { target }]],
      ['it shows a mark of somebody else', [{ candidates: [candidate({ externalId: 'theirs' })] }, { target }]],
      ['two have the name', [{ candidates: [candidate(), candidate({}, null, 't10')] }, { target }]],
      ['it is linked as another team', [{ candidates: [candidate({}, 'rule:sales')] }, { target }]],
    ])('does not where %s', (_because, args) => {
      expect(recover(...args)).toMatchObject({ operations: [], effects: [] });
    });
  });

  it('finds the team also when the linked one is gone', () => {
    const team = { candidates: [candidate({ externalId: MARK })], link: aTeamLink(), gone: true };
    expect(recover(team).effects).toHaveLength(2);
  });
});
