import { describe, expect, it } from 'vitest';
import type { DesiredUser } from '../../src/model.ts';
import { planRecovery, type RecoveryClaim, selectRecoveries } from '../../src/plan/account.ts';
import type { DraftOperation } from '../../src/plan/draft.ts';
import { planPerson } from '../../src/plan/person.ts';
import type { PersonState } from '../../src/state/staging.ts';
import {
  aCandidate,
  aDesiredUser,
  aLink,
  aPersonContext,
  aPersonState,
  MANAGER,
  planSettings,
} from '../support/builders.ts';

type Context = Parameters<typeof aPersonContext>[0];

const plan = (person: Partial<PersonState>, context: Context = {}) =>
  planPerson(aPersonState(person), aPersonContext(context));
const errorsOf = (person: Partial<PersonState>, context: Context = {}): string[] => {
  const { operations, errors } = plan(person, context);
  expect(operations).toEqual([]);
  return errors.map(({ id, code, message }) => `${id} ${code}: ${message}`);
};
const IN_DOUBT = [
  { type: 'dropMember', targetId: 'u1' },
  { type: 'markDirty', sourceId: 'p1' },
];
const changesOf = ({ changes }: DraftOperation) => Object.fromEntries(changes.map(({ path, after }) => [path, after]));

describe('a person without an account', () => {
  it('gets one, with defaults and what is written once', () => {
    const desired = aDesiredUser({
      defaults: { nickName: 'n/a', title: 'n/a' },
      onCreate: { title: 'Clerk' },
      clear: ['nickName'],
    });
    const { operations, errors } = plan({ desired });
    expect(errors).toEqual([]);
    expect(operations).toEqual([
      expect.objectContaining({
        kind: 'create',
        phase: 'people',
        id: 'p1',
        targetId: null,
        name: 'p1@example.com',
        cause: 'mapping',
        reason: 'is new in scope',
        unit: 'person:p1:create',
        guards: [],
        removal: false,
      }),
    ]);
    expect(operations[0]?.changes).toEqual([
      { path: 'active', after: true },
      { path: 'externalId', after: 'p1' },
      { path: 'nickName', after: 'n/a' },
      { path: 'title', after: 'Clerk' },
      { path: 'userName', after: 'p1@example.com' },
    ]);
  });

  it('is not made while it lacks what only a new account needs, and whoever has one is kept back by none of it', () => {
    const creation = { errors: ['attribute "tier" is required and empty'], held: true };
    const desired = aDesiredUser({ creation });
    expect(errorsOf({ desired })).toEqual(['p1 RecordInvalid: attribute "tier" is required and empty']);
    const linked = plan({ desired, link: aLink({ applied: {} }) });
    expect(linked.errors).toEqual([]);
    expect(linked.operations.map(({ kind }) => kind)).not.toEqual([]);
    const { operations, errors } = plan({ desired: aDesiredUser({ creation: { ...creation, held: false } }) });
    expect(operations.map(({ kind }) => kind)).toEqual(['create']);
    expect(errors.map(({ message }) => message)).toEqual(creation.errors);
  });

  it('refers to who has an account, and in a second pass to who gets one', () => {
    const desired = aDesiredUser({ references: { [MANAGER]: 'boss' } });
    const known = plan({ desired }, { accounts: new Map([['boss', 'u9']]) }).operations;
    expect(known.map(({ kind }) => kind)).toEqual(['create']);
    expect(known.map(changesOf)[0]).toMatchObject({ [MANAGER]: 'u9' });
    const coming = plan({ desired }, { coming: new Set(['boss']) }).operations;
    expect(coming.map(({ kind, phase }) => [kind, phase])).toEqual([
      ['create', 'people'],
      ['update', 'references'],
    ]);
    expect(coming[1]).toMatchObject({
      targetId: null,
      changes: [{ path: MANAGER, after: 'boss', reference: 'User' }],
      reason: 'refers to somebody who is new',
    });
    expect(plan({ desired }).operations).toHaveLength(1);
  });

  it.each<readonly [Partial<DesiredUser>, string, string]>([
    [
      { attributes: { externalId: 'p1' } },
      'p1 RecordInvalid: userName is empty or unknown: the account cannot be created',
      'SCIM requires it',
    ],
    [
      { kept: ['externalId'] },
      'p1 RecordInvalid: externalId is unknown: whether there is an account already cannot be told',
      'there may be an account with that id',
    ],
    [
      { kept: ['userName', 'title'] },
      'p1 RecordInvalid: userName is unknown: whether there is an account already cannot be told',
      'what accounts are matched by',
    ],
    [
      { kept: ['name.familyName', 'title'] },
      'p1 RecordInvalid: name.familyName is required and unknown: the account cannot be created',
      'an account without it is not wanted',
    ],
  ])('with %j gets none: %s, %s', (overrides, error) => {
    expect(errorsOf({ desired: aDesiredUser(overrides) })).toEqual([error]);
  });

  it('is guessed by nothing when another person has the same matching value, both named (I3)', () => {
    expect(errorsOf({}, { collidesWith: { path: 'userName', sourceIds: ['p1', 'p7'] } })).toEqual([
      'p1 Conflict: userName has the same value for p1 and p7: neither is guessed',
    ]);
  });

  it('whose account was deleted by hand gets a new one', () => {
    const { operations, effects } = plan({ link: aLink(), gone: true });
    expect(operations).toMatchObject([{ kind: 'create', cause: 'drift', reason: 'was deleted in the target' }]);
    expect(effects).toEqual(IN_DOUBT);
    // Or none, when there is an error: the next run looks again, and does not take the link for the truth.
    expect(
      plan({ link: aLink(), gone: true }, { collidesWith: { path: 'userName', sourceIds: ['p1', 'p2'] } }),
    ).toMatchObject({
      operations: [],
      errors: [{ code: 'Conflict' }],
      effects: [{ type: 'markDirty', sourceId: 'p1' }],
    });
  });

  it.each<PersonState['desired']>([
    aDesiredUser({ presence: 'outOfScope' }),
    aDesiredUser({ presence: 'disabledAtSource' }),
    aDesiredUser({ presence: 'undecided' }),
  ])('gets none while %j', (desired) => {
    expect(plan({ desired, candidates: [aCandidate()] })).toMatchObject({ operations: [], errors: [], effects: [] });
  });
});

describe('an account that matches (I3)', () => {
  const OTHER = 'has an externalId that names somebody else';
  const NEVER = 'p1 Conflict: the account u1 matches by userName, and adoption is Never';

  /** externalId of the account × adoption × owner → what is planned, for a person with the externalId `p1`. */
  it.each<readonly [string | undefined, 'OnMatch' | 'Never', string | null, string, string]>([
    [undefined, 'OnMatch', null, 'adopt', 'nobody owns it, and it names nobody'],
    ['', 'OnMatch', null, 'adopt', 'an empty id names nobody'],
    ['p1', 'OnMatch', null, 'adopt', 'it names this person (a recovery, had it been planned before)'],
    ['p9', 'OnMatch', null, `p1 Conflict: the account u1 that matches by userName ${OTHER}`, 'it names somebody else'],
    ['P1', 'OnMatch', null, `p1 Conflict: the account u1 that matches by userName ${OTHER}`, 'ids are exact'],
    [undefined, 'Never', null, NEVER, 'adoption is off'],
    ['p9', 'Never', null, `p1 Conflict: the account u1 that matches by userName ${OTHER}`, 'it names somebody else'],
    [undefined, 'OnMatch', 'p9', 'create', 'whether the owner gives the value up is seen when everybody is planned'],
    ['p1', 'OnMatch', 'p9', 'create', 'whatever it names'],
    ['p1', 'Never', 'p9', 'create', 'whatever it names'],
  ])('with externalId %j, adoption %s and owner %j: %s, %s', (...[externalId, adoption, linkedTo, expected]) => {
    const candidates = [aCandidate(externalId === undefined ? {} : { externalId }, { linkedTo })];
    const { operations, errors } = plan({ candidates }, { settings: { adoption } });
    const planned = [...operations.map(({ kind }) => kind), ...errors.map((e) => `${e.id} ${e.code}: ${e.message}`)];
    expect(planned).toEqual([expected]);
  });

  it('is taken over with what differs, within the guard', () => {
    const desired = aDesiredUser({
      attributes: { userName: 'P1@example.com', externalId: 'p1', active: true, title: 'Boss' },
      onCreate: { nickName: 'once' },
      references: { [MANAGER]: 'boss' },
    });
    const candidates = [aCandidate({ title: 'Clerk', nickName: 'theirs', active: false })];
    expect(plan({ desired, candidates }, { accounts: new Map([['boss', 'u9']]) }).operations).toEqual([
      expect.objectContaining({
        kind: 'adopt',
        guards: [{ kind: 'adopt', scope: '' }],
        removal: false,
        targetId: 'u1',
        cause: 'match',
        reason: 'matches the account by userName',
        unit: 'person:p1:adopt',
        changes: [
          { path: 'active', before: false, after: true },
          { path: 'externalId', after: 'p1' },
          { path: 'title', before: 'Clerk', after: 'Boss' },
          { path: MANAGER, after: 'u9' },
          { path: 'userName', before: 'p1@example.com', after: 'P1@example.com' },
        ],
      }),
    ]);
  });

  it('gets defaults only where it has nothing, and loses what is to be cleared', () => {
    const desired = aDesiredUser({
      attributes: {},
      defaults: { title: 'n/a', nickName: 'n/a' },
      clear: ['nickName', 'userName'],
    });
    const candidates = [aCandidate({ nickName: 'theirs' })];
    const [adopt] = plan({ desired, candidates }).operations;
    expect(adopt?.changes).toEqual([
      { path: 'nickName', before: 'theirs' },
      { path: 'title', after: 'n/a' },
      { path: 'userName', before: 'p1@example.com' },
    ]);
  });

  it('loses nothing after a suspect read (I1)', () => {
    const desired = aDesiredUser({ clear: ['title'] });
    const candidates = [aCandidate({ title: 'theirs', externalId: 'p1' })];
    expect(plan({ desired, candidates }, { settings: { suspect: true } }).operations[0]?.changes).toEqual([]);
  });

  it('is not taken over when it or the person is protected', () => {
    const isLeft = (name: string, account = {}) =>
      plan({ candidates: [aCandidate(account)] }, { settings: { protectedUsers: new Set([name]) } });
    expect(isLeft('p1')).toMatchObject({ operations: [], errors: [], protected: 1 });
    expect(isLeft('admin@example.com', { userName: 'Admin@example.com' })).toMatchObject({ protected: 1 });
    expect(isLeft('other')).toMatchObject({ operations: [{ kind: 'adopt' }], protected: 0 });
  });

  it('is compared with an externalId that is written once', () => {
    const desired = aDesiredUser({ attributes: { userName: 'p1@example.com' }, onCreate: { externalId: 'p1' } });
    expect(errorsOf({ desired, candidates: [aCandidate({ externalId: 'p9' })] })).toEqual([
      `p1 Conflict: the account u1 that matches by userName ${OTHER}`,
    ]);
  });

  it('is none when two do, by whatever attributes', () => {
    const candidates = [
      aCandidate({}, { id: 'u1' }),
      aCandidate({ externalId: 'p1' }, { id: 'u2', path: 'externalId' }),
    ];
    expect(errorsOf({ candidates })).toEqual(['p1 Conflict: 2 accounts of the target match (u1, u2): none is guessed']);
  });

  it('is one when two attributes find it', () => {
    const candidates = [aCandidate(), aCandidate({}, { path: 'externalId' })];
    expect(plan({ candidates }).operations.map(({ kind }) => kind)).toEqual(['adopt']);
  });

  it('is nobody’s when two people match it, both named', () => {
    const rivals = new Map([['u1', ['p1', 'p5']]]);
    expect(errorsOf({ candidates: [aCandidate()] }, { rivals })).toEqual([
      'p1 Conflict: the account u1 matches p1 and p5: neither is guessed',
    ]);
    expect(plan({ candidates: [aCandidate()] }, { rivals: new Map([['u1', ['p1']]]) }).errors).toEqual([]);
  });
});

describe('recovery of a link (I7)', () => {
  const mine = aCandidate({ externalId: 'p1', title: 'Boss', active: false }, { path: 'externalId' });
  const recover = (person: Partial<PersonState>, adoption: 'OnMatch' | 'Never' = 'OnMatch') =>
    planRecovery(aPersonState({ candidates: [mine], ...person }), planSettings({ adoption }));

  it('takes the account with the same externalId for the person’s, without a request', () => {
    const { operations, effects } = recover({});
    expect(operations).toMatchObject([
      { kind: 'recover', phase: 'recover', targetId: 'u1', changes: [], guards: [], removal: false },
    ]);
    expect(effects).toEqual([
      {
        type: 'putLink',
        link: aLink({
          active: false,
          applied: { userName: 'p1@example.com', active: false, externalId: 'p1', title: 'Boss' },
          origin: 'recovered',
        }),
      },
    ]);
  });

  it.each<readonly [Partial<PersonState>, string]>([
    [{ desired: aDesiredUser({ presence: 'outOfScope' }) }, 'also of who leaves, so that it can be approved'],
    [{ desired: aDesiredUser({ presence: 'disabledAtSource' }) }, 'also of who is disabled'],
    [
      { desired: aDesiredUser({ attributes: {}, onCreate: { externalId: 'p1' } }) },
      'also by an id that is written once',
    ],
  ])('%#: %s', (person) => {
    expect(recover(person).effects).toHaveLength(1);
  });

  it('finds the account also when the linked one is gone, which is a member of nothing', () => {
    expect(recover({ link: aLink({ targetId: 'u0' }), gone: true }).effects).toMatchObject([
      { type: 'dropMember', targetId: 'u0' },
      { type: 'putLink', link: { targetId: 'u1' } },
    ]);
  });

  it.each<readonly [Partial<PersonState>, 'OnMatch' | 'Never', string]>([
    [{ candidates: [aCandidate({ externalId: 'p9' })] }, 'OnMatch', 'another id'],
    [{ candidates: [aCandidate()] }, 'OnMatch', 'no id: that is an adoption'],
    [{ candidates: [mine, aCandidate({}, { id: 'u2' })] }, 'OnMatch', 'a second account matches'],
    [{ candidates: [{ ...mine, linkedTo: 'p9' }] }, 'OnMatch', 'it belongs to somebody'],
    [{ desired: aDesiredUser({ presence: 'undecided' }) }, 'OnMatch', 'nothing is known of the person'],
    [{ desired: null }, 'OnMatch', 'nobody is there'],
    [{ link: aLink() }, 'OnMatch', 'there is a link'],
    [
      { desired: aDesiredUser({ attributes: { externalId: 'e7' } }), candidates: [aCandidate({ externalId: 'e7' })] },
      'Never',
      'with adoption Never the id must be the immutable one',
    ],
  ])('is none: %#, %s, %s', (person, adoption) => {
    expect(recover(person, adoption)).toMatchObject({ operations: [], effects: [] });
  });

  it('goes on with adoption Never where the id is the source’s', () => {
    expect(recover({}, 'Never').effects).toHaveLength(1);
  });

  it.each<readonly [readonly RecoveryClaim[], string[], string]>([
    [[{ sourceId: 'a', targetId: 'u1', present: true }], ['a'], 'one alone'],
    [
      [
        { sourceId: 'a', targetId: 'u1', present: false },
        { sourceId: 'b', targetId: 'u1', present: true },
      ],
      ['b'],
      'who stays, before who left (hired again, with two records)',
    ],
    [
      [
        { sourceId: 'a', targetId: 'u1', present: true },
        { sourceId: 'b', targetId: 'u1', present: true },
        { sourceId: 'c', targetId: 'u2', present: false },
      ],
      ['c'],
      'nobody of two who stay',
    ],
    [
      [
        { sourceId: 'a', targetId: 'u1', present: false },
        { sourceId: 'b', targetId: 'u1', present: false },
      ],
      [],
      'nobody of two who left',
    ],
  ])('of %j is for %j: %s', (claims, selected) => {
    expect([...selectRecoveries(claims)]).toEqual(selected);
  });
});
