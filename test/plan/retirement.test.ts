import { describe, expect, it } from 'vitest';
import { planPerson } from '../../src/plan/person.ts';
import { PLAIN_ATTRIBUTE } from '../../src/targets/target.ts';
import { aDesiredUser, aLink, aPersonState, planSettings } from '../support/builders.ts';

const WORK = 'emails[type eq "work"].value';
const applied = {
  userName: 'p1@example.com',
  externalId: 'p1',
  active: true,
  nickName: 'Ada',
  [WORK]: 'ada@example.com',
};
const link = aLink({ applied });

function plan(person: Parameters<typeof aPersonState>[0], settings: Parameters<typeof planSettings>[0] = {}) {
  const context = {
    accounts: new Map(),
    coming: new Set<string>(),
    gone: new Set<string>(),
    ending: new Set<string>(),
    teams: new Map(),
    goneTeams: new Set<string>(),
    collidesWith: null,
    rivals: new Map(),
    deletionFailed: false,
  };
  const retired = new Set(['nickName']);
  return planPerson(aPersonState({ link, ...person }), {
    ...context,
    settings: planSettings({ retired, ...settings }),
  });
}

const REMOVAL = {
  kind: 'update',
  unit: 'person:p1:attribute',
  phase: 'people',
  removal: true,
  recovered: false,
  guards: [],
  changes: [{ path: 'nickName', before: 'Ada' }],
};

describe('a value of a CustomAttribute that is gone', () => {
  it('is removed by an operation of its own beside what else is to be done', () => {
    const desired = aDesiredUser({ attributes: { ...aDesiredUser().attributes, title: 'Engineer' } });
    expect(plan({ desired }).operations).toMatchObject([{ changes: [{ path: 'title' }] }, REMOVAL]);
  });

  it.each([
    { because: 'nobody knows anything of', desired: aDesiredUser({ presence: 'undecided' }), kinds: ['update'] },
    { because: 'is out of scope', desired: aDesiredUser({ presence: 'outOfScope' }), kinds: ['deactivate', 'update'] },
    { because: 'is gone from the source', desired: null, kinds: ['deactivate', 'update'] },
  ] as const)('is removed from whoever $because', ({ desired, kinds }) => {
    expect(plan({ desired }).operations.map(({ kind }) => kind)).toEqual(kinds);
  });

  it('goes with an account that is deleted', () => {
    const leaving = { outOfScope: 'Delete', disabledAtSource: 'Delete', deletedAtSource: 'Delete' } as const;
    expect(plan({ desired: null }, { leaving }).operations.map(({ kind }) => kind)).toEqual(['delete']);
  });

  it.each([
    { because: 'there is none', link: aLink({ applied: { ...applied, nickName: null } }) },
    { because: 'there is no account', link: null, desired: null },
    { because: 'the account is gone', gone: true, desired: null },
    { because: 'an older DirectorySync owns the account as well', contestedBy: { namespace: 'identity', id: 'older' } },
  ])('asks for nothing where $because', (person) => {
    expect(plan(person).operations.filter(({ unit }) => unit === REMOVAL.unit)).toEqual([]);
  });

  it('stays where the target lets nobody change it', () => {
    const target = planSettings().target;
    const attribute = () => ({ ...PLAIN_ATTRIBUTE, writes: 'onCreate' as const });
    expect(plan({}, { target: { ...target, attribute } }).operations).toEqual([]);
  });

  it('is removed as it stands in the target, also where nobody has written it', () => {
    const observed = { id: 'u1', version: null, attributes: { ...applied, nickName: 'By hand' } };
    expect(plan({ observed }).operations).toMatchObject([{ changes: [{ path: 'nickName', before: 'By hand' }] }]);
  });

  it('is forgotten where it was removed by hand, so that it is written again if it comes back', () => {
    const { nickName: _gone, ...attributes } = applied;
    const planned = plan({ observed: { id: 'u1', version: null, attributes } });
    expect(planned.operations).toEqual([]);
    expect(planned.effects).toMatchObject([{ type: 'putLink', link: { applied: attributes } }]);
    const [effect] = planned.effects;
    expect(effect?.type === 'putLink' && 'nickName' in effect.link.applied).toBe(false);
  });

  it('is counted by guards.update for its path, and by rename where people are known by it', () => {
    const [update] = plan({}, { countUpdates: true }).operations;
    expect(update?.guards).toEqual([{ kind: 'update', scope: 'nickName' }]);
    const [rename] = plan({}, { retired: new Set([WORK]) }).operations;
    expect(rename?.guards).toEqual([{ kind: 'rename', scope: '' }]);
  });

  it('stays with whoever is protected and known by it', () => {
    const settings = { retired: new Set([WORK, 'nickName']), protectedUsers: new Set(['p1']) };
    const planned = plan({}, settings);
    expect(planned.operations).toMatchObject([REMOVAL]);
    expect(planned.protected).toBe(1);
  });
});
