import { describe, expect, it } from 'vitest';
import { planMember, planTeamDeletion } from '../../src/plan/member.ts';
import { toOrigin } from '../../src/plan/team-origin.ts';
import { aDifference, aMemberContext, planSettings } from '../support/builders.ts';

describe('planMember', () => {
  const add = aDifference({ change: 'add', targetId: null });

  it('adds who belongs', () => {
    expect(
      planMember(add, aMemberContext({ origin: toOrigin({ key: 'rule:research', rules: ['a', 'b'] }) })),
    ).toMatchObject({
      kind: 'addMembers',
      phase: 'members',
      resource: 'Team',
      id: 'rule:research',
      targetId: 't1',
      name: 'Research',
      member: { sourceId: 'p1', targetId: null, name: 'p1@example.com' },
      cause: 'rule',
      reason: 'rules a, b',
      unit: 'member:rule:research:p1:addMembers',
      guards: [],
      removal: false,
    });
  });

  it.each<readonly [Parameters<typeof aMemberContext>[0], string]>([
    [{ emptied: true }, 'the team is being emptied'],
    [{ withoutAccount: new Set(['p1']) }, 'the person gets no account in this run'],
  ])('does not add anybody: %#, %s', (context) => {
    expect(planMember(add, aMemberContext(context))).toBeNull();
    expect(planMember(aDifference({ change: 'add', sourceId: null }), aMemberContext())).toBeNull();
  });

  it('puts who comes back into teams in the unit of the return: held with it, released with it', () => {
    expect(planMember(add, aMemberContext({ returning: new Set(['p1']) }))).toMatchObject({
      kind: 'addMembers',
      unit: 'person:p1:return',
      cause: 'return',
      guards: [],
      removal: false,
    });
  });

  const guards = [{ kind: 'removeMembers', scope: 'rule:research' }];
  const removal = { kind: 'removeMembers', guards, removal: true };

  it.each<readonly [Parameters<typeof aDifference>[0], Parameters<typeof aMemberContext>[0], object, string]>([
    [{}, {}, { cause: 'rule', reason: 'no longer by rule research' }, 'who stays and matches no more'],
    [{ sourceId: null }, {}, { cause: 'drift', reason: 'was added in the target' }, 'whom nobody knows'],
    [
      {},
      { emptied: true },
      { cause: 'ruleDeleted', reason: 'the rule was deleted' },
      'everybody, when the rule is gone',
    ],
    [
      { presence: 'undecided' },
      { emptied: true },
      { cause: 'ruleDeleted' },
      'also whom nothing is known of: it is not about them',
    ],
    [{ presence: 'outOfScope' }, {}, { cause: 'outOfScope', reason: 'leaves' }, 'who left and is deactivated already'],
    [{ presence: null }, {}, { cause: 'deletedAtSource', reason: 'leaves' }, 'who is gone and deactivated already'],
  ])('removes %j with %j: %#, %s', (difference, context, expected) => {
    expect(planMember(aDifference(difference), aMemberContext(context))).toMatchObject({ ...removal, ...expected });
  });

  it('removes who leaves in the unit of the deactivation, counted as that', () => {
    const leaving = new Map([['p1', 'outOfScope' as const]]);
    expect(planMember(aDifference({ presence: 'outOfScope' }), aMemberContext({ leaving }))).toMatchObject({
      kind: 'removeMembers',
      unit: 'person:p1:outOfScope',
      guards: [],
      cause: 'outOfScope',
      removal: true,
    });
    // Whom an entry for active switches off is deactivated, whatever the policy for disabled people.
    const settings = { leaving: { ...planSettings().leaving, disabledAtSource: 'Delete' as const } };
    const disabled = new Map([['p1', 'disabledAtSource' as const]]);
    expect(
      planMember(aDifference({ presence: 'disabledAtSource' }), aMemberContext({ leaving: disabled, settings })),
    ).toMatchObject({ unit: 'person:p1:disabledAtSource' });
  });

  it('ends a departure that the guards have let go, uncounted (I4, I6)', () => {
    const context = aMemberContext({ deactivated: new Set(['p1']) });
    expect(planMember(aDifference({ presence: 'outOfScope' }), context)).toMatchObject({
      kind: 'removeMembers',
      unit: 'person:p1:outOfScope',
      guards: [],
      removal: true,
    });
  });

  it.each<readonly [Parameters<typeof aDifference>[0], Parameters<typeof aMemberContext>[0], string]>([
    [{ presence: 'undecided' }, {}, 'nothing is known of the person (I13)'],
    [{ presence: null }, { settings: { absenceProven: false } }, 'absence is not proven (I1)'],
    [{ presence: 'outOfScope' }, { settings: { memberships: 'Keep' } }, 'memberships are kept on leaving'],
    [
      { presence: 'outOfScope' },
      { settings: { leaving: { ...planSettings().leaving, outOfScope: 'Retain' } } },
      'the account is retained',
    ],
    [
      { presence: null },
      { settings: { leaving: { ...planSettings().leaving, deletedAtSource: 'Delete' } } },
      'the account is deleted, and with it its memberships',
    ],
    [{ presence: 'outOfScope' }, { spared: new Set(['p1']) }, 'the person is protected'],
    [{ sourceId: null, targetId: 'u7' }, { claimed: new Set(['u7']) }, 'whose account it is is not settled (I7)'],
  ])('removes nobody: %j with %j, %s', (difference, context) => {
    expect(planMember(aDifference(difference), aMemberContext(context))).toBeNull();
  });

  it('tells members of the target that nobody knows apart', () => {
    const unit = (targetId: string) => planMember(aDifference({ sourceId: null, targetId }), aMemberContext())?.unit;
    expect(unit('u1')).not.toBe(unit('u2'));
  });
});

describe('a team that was recognised by its name alone (I7)', () => {
  const unproven = aMemberContext({ isUnproven: true });
  const remove = aDifference({ change: 'remove', targetId: 'u1' });

  it.each<readonly [string, Parameters<typeof aDifference>[0]]>([
    ['who is no longer called for', { change: 'remove', targetId: 'u1', presence: 'present' }],
    ['whom no link knows', { change: 'remove', targetId: 'u1', sourceId: null, presence: null }],
  ])('removes %s only after approval', (_who, difference) => {
    expect(planMember(aDifference(difference), unproven)).toMatchObject({ kind: 'removeMembers', recovered: true });
    expect(planMember(aDifference(difference), aMemberContext())).toMatchObject({ recovered: false });
  });

  it('adds at once, and lets those go who leave', () => {
    expect(planMember(aDifference({ change: 'add' }), unproven)).toMatchObject({
      kind: 'addMembers',
      recovered: false,
    });
    const leaving = aMemberContext({ isUnproven: true, leaving: new Map([['p1', 'outOfScope']]) });
    expect(planMember({ ...remove, presence: 'outOfScope' }, leaving)).toMatchObject({ recovered: false });
  });

  it('is deleted only after approval', () => {
    expect(planTeamDeletion(unproven)).toMatchObject({ kind: 'delete', recovered: true });
  });
});

describe('planTeamDeletion', () => {
  it('is a unit of its own, which counts as a lost team and which a suspect read holds', () => {
    expect(planTeamDeletion(aMemberContext())).toMatchObject({
      kind: 'delete',
      phase: 'deleteTeams',
      resource: 'Team',
      id: 'rule:research',
      targetId: 't1',
      unit: 'team:rule:research:delete',
      guards: [{ kind: 'deleteTeams', scope: '' }],
      cause: 'rule',
      reason: 'is empty',
      removal: true,
    });
    expect(planTeamDeletion(aMemberContext({ emptied: true })).cause).toBe('ruleDeleted');
  });
});
