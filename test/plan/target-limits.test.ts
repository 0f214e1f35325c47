import { describe, expect, it } from 'vitest';
import type { DesiredUser } from '../../src/model.ts';
import { planPerson } from '../../src/plan/person.ts';
import type { TargetLimits } from '../../src/plan/settings.ts';
import { planTeam } from '../../src/plan/team.ts';
import type { PersonState } from '../../src/state/staging.ts';
import { type AttributeBehaviour, PLAIN_ATTRIBUTE } from '../../src/targets/target.ts';
import {
  aDesiredTeam,
  aDesiredUser,
  aLink,
  aPersonContext,
  aPersonState,
  aTargetLimits,
  aTeamContext,
  aTeamLink,
  aTeamState,
  type planSettings,
} from '../support/builders.ts';

const behaves = (path: string, behaviour: Partial<AttributeBehaviour>): TargetLimits =>
  aTargetLimits({ attribute: (_, each) => (each === path ? { ...PLAIN_ATTRIBUTE, ...behaviour } : PLAIN_ATTRIBUTE) });

const plan = (person: Partial<PersonState>, target: TargetLimits, settings: Parameters<typeof planSettings>[0] = {}) =>
  planPerson(aPersonState(person), aPersonContext({ settings: { target, ...settings } }));

describe('a target where switching off removes', () => {
  const target = aTargetLimits({ deactivation: 'removes', deleteUsers: true });

  it.each(['outOfScope', 'disabledAtSource'] as const)(
    'a leaver (%s) is a delete: for guards, in the unit of the departure, and before others are served',
    (presence) => {
      const { operations } = plan({ link: aLink(), desired: aDesiredUser({ presence }) }, target);
      expect(operations).toMatchObject([
        {
          kind: 'delete',
          guards: [{ kind: 'delete', scope: '' }],
          phase: 'deactivate',
          removal: true,
          unit: `person:p1:${presence}`,
        },
      ]);
    },
  );

  it('an entry for active that says false is a delete too', () => {
    const desired = aDesiredUser({ presence: 'disabledAtSource', byEntry: true });
    expect(plan({ link: aLink(), desired }, target).operations).toMatchObject([
      { kind: 'delete', guards: [{ kind: 'delete', scope: '' }] },
    ]);
  });

  it('Retain keeps the account', () => {
    const leaving = { outOfScope: 'Retain', disabledAtSource: 'Retain', deletedAtSource: 'Retain' } as const;
    const desired = aDesiredUser({ presence: 'outOfScope' });
    expect(plan({ link: aLink(), desired }, target, { leaving }).operations).toEqual([]);
  });
});

it('a target that deletes nobody: the policy Delete switches off, once', () => {
  const target = aTargetLimits({ deleteUsers: false });
  const leaving = { outOfScope: 'Delete', disabledAtSource: 'Delete', deletedAtSource: 'Delete' } as const;
  const desired = aDesiredUser({ presence: 'outOfScope' });
  const { operations } = plan({ link: aLink(), desired }, target, { leaving });
  expect(operations).toMatchObject([{ kind: 'deactivate', guards: [{ kind: 'deactivate', scope: '' }] }]);
  const off = aLink({ active: false, applied: { ...aLink().applied, active: false } });
  expect(plan({ link: off, desired }, target, { leaving }).operations).toEqual([]);
});

it('a target that deletes nobody: a grace that is over deletes nobody either', () => {
  const left = { at: 0, cause: 'outOfScope', teams: [] } as const;
  const link = aLink({ active: false, applied: { ...aLink().applied, active: false }, left });
  const person = { link, desired: aDesiredUser({ presence: 'outOfScope' }) };
  const grace = { deleteAfterMs: 1, now: 10 };
  expect(plan(person, aTargetLimits(), grace).operations).toMatchObject([{ kind: 'delete' }]);
  expect(plan(person, aTargetLimits({ deleteUsers: false }), grace).operations).toEqual([]);
});

describe('an attribute that the target', () => {
  const wanted = (title: string): DesiredUser => {
    const desired = aDesiredUser();
    return { ...desired, attributes: { ...aLink().applied, ...desired.attributes, title } };
  };
  const linked = (title: string) => aLink({ applied: { ...wanted(title).attributes } });
  const observed = (attributes: Record<string, string>) => ({
    id: 'u1',
    version: null,
    attributes: { ...wanted('x').attributes, ...attributes },
  });
  const { title: _title, ...withoutTitle } = wanted('x').attributes;

  it('never takes is left out of the creation and of every update', () => {
    const target = behaves('title', { writes: 'never' });
    const [create] = plan({ desired: wanted('Engineer') }, target).operations;
    expect(create?.kind).toBe('create');
    expect(create?.changes.map(({ path }) => path)).not.toContain('title');
    expect(plan({ link: linked('Engineer'), desired: wanted('Analyst') }, target).operations).toEqual([]);
  });

  it('takes only on creation is written then, and never changed nor cleared', () => {
    const target = behaves('title', { writes: 'onCreate' });
    const [create] = plan({ desired: wanted('Engineer') }, target).operations;
    expect(create?.changes).toContainEqual({ path: 'title', after: 'Engineer' });
    expect(plan({ link: linked('Engineer'), desired: wanted('Analyst') }, target).operations).toEqual([]);
    const cleared = { ...wanted(''), clear: ['title'] };
    expect(plan({ link: linked('Engineer'), desired: cleared }, target).operations).toEqual([]);
  });

  it('keeps in a form of its own is not written again (I2), and is when the wanted value changes', () => {
    const target = behaves('title', { shows: 'otherwise' });
    const seen = { link: linked('Engineer'), observed: observed({ title: 'engineer-1' }) };
    expect(plan({ ...seen, desired: wanted('Engineer') }, target).operations).toEqual([]);
    expect(plan({ ...seen, desired: wanted('Analyst') }, target).operations).toMatchObject([
      { kind: 'update', changes: [{ path: 'title', before: 'Engineer', after: 'Analyst' }] },
    ]);
  });

  it('never shows is taken for what was written (I2)', () => {
    const target = behaves('title', { shows: 'never' });
    const hidden = { id: 'u1', version: null, attributes: withoutTitle };
    const person = { link: linked('Engineer'), observed: hidden, desired: wanted('Engineer') };
    expect(plan(person, target).operations).toEqual([]);
    expect(plan(person, aTargetLimits()).operations).toHaveLength(1);
  });
});

describe('teams of a target', () => {
  const planOf = (team: Parameters<typeof aTeamState>[0], target: Partial<TargetLimits>) =>
    planTeam(aTeamState(team), aTeamContext({ settings: { target: aTargetLimits(target) } }));

  it('without groups: the rule is a Conflict, nothing is compared', () => {
    const { operations, errors, members } = planOf({ desired: aDesiredTeam(), desiredMembers: 3 }, { teams: 'none' });
    expect(operations).toEqual([]);
    expect(errors).toMatchObject([{ resource: 'TeamRule', id: 'research', code: 'Conflict' }]);
    expect(members).toBe('keep');
  });

  it('that can only be filled: none is made, those that are there keep their members right and are not deleted', () => {
    const missing = planOf({ desired: aDesiredTeam(), desiredMembers: 3 }, { teams: 'updateOnly' });
    expect(missing).toMatchObject({ operations: [], errors: [{ code: 'Conflict' }], members: 'keep' });
    const desired = aDesiredTeam({ whenEmpty: 'Delete' });
    const linked = planOf({ desired, link: aTeamLink(), desiredMembers: 0 }, { teams: 'updateOnly' });
    expect(linked).toMatchObject({ operations: [], errors: [], members: 'compare', deleteWhenEmpty: false });
  });

  it('that cannot be renamed: the old name stays, the members follow the rule, the rule says so', () => {
    const desired = aDesiredTeam({ key: 'rule:science', displayName: 'Science' });
    const team = { key: 'rule:science', desired, link: aTeamLink({ key: 'rule:science' }), desiredMembers: 3 };
    const planned = planOf(team, { renameTeams: false });
    expect(planned.operations.flatMap(({ changes }) => changes.map(({ path }) => path))).not.toContain('displayName');
    expect(planned).toMatchObject({ errors: [{ code: 'Conflict', id: 'research' }], members: 'compare' });
  });

  it('that cannot be renamed: a name that was given there is taken as it is, and ends what waited for it', () => {
    const toTeam = (shown: string, wanted: string) => ({
      key: `rule:${wanted.toLowerCase()}`,
      desired: aDesiredTeam({ key: `rule:${wanted.toLowerCase()}`, displayName: wanted }),
      link: aTeamLink({ key: `rule:${wanted.toLowerCase()}`, displayName: 'Research', externalId: null }),
      observed: { id: 't1', version: null, members: null, attributes: { displayName: shown } },
      desiredMembers: 3,
    });
    const isOfName = ({ path }: { path: string }): boolean => path === 'displayName';
    const mended = planOf(toTeam('Science', 'Science'), { renameTeams: false });
    expect(mended).toMatchObject({ errors: [], effects: [{ type: 'putTeam', team: { displayName: 'Science' } }] });
    const byHand = planOf(toTeam('Anything', 'Research'), { renameTeams: false });
    expect(byHand.operations.some(({ changes }) => changes.some(isOfName))).toBe(false);
    expect(byHand).toMatchObject({ errors: [{ code: 'Conflict' }], members: 'compare' });
  });

  it('whose names come back in a form of their own are not renamed again (I2)', () => {
    const observed = { id: 't1', version: null, members: null, attributes: { displayName: 'research-team' } };
    const seen = { desired: aDesiredTeam(), link: aTeamLink(), observed, desiredMembers: 3 };
    const slug: TargetLimits['attribute'] = (resource, path) =>
      resource === 'Team' && path === 'displayName' ? { writes: 'always', shows: 'otherwise' } : PLAIN_ATTRIBUTE;
    expect(planOf(seen, {}).operations).toHaveLength(1);
    expect(planOf(seen, { attribute: slug }).operations).toEqual([]);
  });
});
