import { describe, expect, it } from 'vitest';
import type { Cause, DesiredUser } from '../../src/model.ts';
import { planPerson, toDepartureUnit, toLeavingPolicy } from '../../src/plan/person.ts';
import type { LeavingPolicy } from '../../src/plan/settings.ts';
import type { PersonState } from '../../src/state/staging.ts';
import type { Leave, Link } from '../../src/state/store.ts';
import {
  aDesiredUser,
  aLink,
  aPersonContext,
  aPersonState,
  DEPARTMENT,
  MANAGER,
  planSettings,
} from '../support/builders.ts';

type Context = Parameters<typeof aPersonContext>[0];

const plan = (person: Partial<PersonState>, context: Context = {}) =>
  planPerson(aPersonState({ link: aLink(), ...person }), aPersonContext(context));
const HOUR = 3_600_000;
const LEFT = { at: Date.parse('2026-01-01T00:00:00Z'), cause: 'deletedAtSource', teams: [] } satisfies Leave;
const NOTHING = { operations: [], errors: [], effects: [], protected: 0 };
const observe = (attributes: Link['applied']) => ({ id: 'u1', version: null, attributes });

describe('somebody who leaves', () => {
  interface Case {
    readonly desired: DesiredUser | null;
    readonly policy: LeavingPolicy;
    readonly active?: boolean;
    readonly kind: 'deactivate' | 'delete' | null;
    readonly cause: Cause;
    readonly because: string;
  }
  const out = aDesiredUser({ presence: 'outOfScope' });
  const disabled = aDesiredUser({ presence: 'disabledAtSource', attributes: { active: false } });

  it.each<Case>([
    { desired: out, policy: 'Deactivate', kind: 'deactivate', cause: 'outOfScope', because: 'out of scope' },
    { desired: out, policy: 'Delete', kind: 'delete', cause: 'outOfScope', because: 'out of scope' },
    { desired: out, policy: 'Retain', kind: null, cause: 'outOfScope', because: 'out of scope' },
    { desired: disabled, policy: 'Deactivate', kind: 'deactivate', cause: 'disabledAtSource', because: 'disabled' },
    { desired: disabled, policy: 'Delete', kind: 'delete', cause: 'disabledAtSource', because: 'disabled' },
    { desired: disabled, policy: 'Retain', kind: null, cause: 'disabledAtSource', because: 'disabled' },
    { desired: null, policy: 'Deactivate', kind: 'deactivate', cause: 'deletedAtSource', because: 'absent' },
    { desired: null, policy: 'Delete', kind: 'delete', cause: 'deletedAtSource', because: 'absent' },
    { desired: null, policy: 'Retain', kind: null, cause: 'deletedAtSource', because: 'absent' },
    { desired: out, policy: 'Deactivate', active: false, kind: null, cause: 'outOfScope', because: 'is off already' },
    { desired: null, policy: 'Delete', active: false, kind: 'delete', cause: 'deletedAtSource', because: 'was off' },
  ])('$because, with $policy: $kind', ({ desired, policy, active = true, kind, cause }) => {
    const link = aLink({ active, applied: { ...aLink().applied, active } });
    const leaving = { outOfScope: 'Retain', disabledAtSource: 'Retain', deletedAtSource: 'Retain', [cause]: policy };
    const { operations } = plan({ desired, link }, { settings: { leaving: leaving as never } });
    if (kind === null) {
      expect(operations).toEqual([]);
      return;
    }
    expect(operations).toEqual([
      expect.objectContaining({
        kind,
        cause,
        guards: [{ kind, scope: '' }],
        phase: kind === 'delete' ? 'deletePeople' : 'deactivate',
        targetId: 'u1',
        removal: true,
        recovered: false,
        unit: `person:p1:${cause}`,
        changes: kind === 'delete' ? [] : [{ path: 'active', before: true, after: false }],
      }),
    ]);
  });

  it('and has no account is no business of anybody', () => {
    for (const desired of [out, disabled]) expect(plan({ desired, link: null })).toEqual(NOTHING);
  });

  it('is not absent while items of the read have no id (I1)', () => {
    expect(plan({ desired: null }, { settings: { absenceProven: false } })).toEqual(NOTHING);
    expect(plan({ desired: out }, { settings: { absenceProven: false } }).operations).toHaveLength(1);
  });

  it('is said why, by whatever it is', () => {
    const reason = (desired: DesiredUser | null) => plan({ desired }).operations[0]?.reason;
    expect(reason(out)).toBe('left the scope');
    expect(reason(disabled)).toBe('is disabled at the source');
    expect(reason(null)).toBe('is gone from the source');
    expect(reason({ ...disabled, byEntry: true })).toBe('is inactive by the mapping of active');
  });

  it('by an entry for active alone is deactivated, whatever the policy', () => {
    for (const policy of ['Deactivate', 'Delete', 'Retain'] as const) {
      const leaving = { ...planSettings().leaving, disabledAtSource: policy };
      const { operations } = plan({ desired: { ...disabled, byEntry: true } }, { settings: { leaving } });
      expect(operations.map(({ kind }) => kind)).toEqual(['deactivate']);
    }
  });

  it('stays when protected, and is counted', () => {
    const settings = { protectedUsers: new Set(['p1@example.com']) };
    expect(plan({ desired: null }, { settings })).toEqual({ ...NOTHING, protected: 1 });
    expect(plan({ desired: out }, { settings })).toEqual({ ...NOTHING, protected: 1 });
    // Nothing would be done to an account that is off: nothing is protected.
    const left = { at: 7, cause: 'deletedAtSource', teams: [] } as const;
    expect(plan({ desired: null, link: aLink({ active: false, left }) }, { settings })).toEqual(NOTHING);
  });

  it('refers to whom the target shows, while that is held or refused', () => {
    const { [MANAGER]: _none, ...rest } = aLink().applied;
    const link = aLink({ applied: { ...rest, [MANAGER]: 'u9' } });
    const protectedUsers = new Set(['p1@example.com']);
    for (const settings of [{}, { protectedUsers }]) {
      expect(plan({ desired: null, link, observed: observe(rest) }, { settings }).effects).toEqual([
        { type: 'putLink', link: { ...link, applied: rest } },
      ]);
      const another = { ...rest, [MANAGER]: 'u8' };
      expect(plan({ desired: out, link, observed: observe(another) }, { settings }).effects).toEqual([
        { type: 'putLink', link: { ...link, applied: another } },
      ]);
    }
    expect(plan({ desired: null, link, observed: observe(link.applied) }).effects).toEqual([]);
    expect(plan({ desired: null, link }).effects).toEqual([]);
  });

  it('by way of a recovered link says so (I7)', () => {
    expect(plan({ desired: null, link: aLink({ origin: 'recovered' }) }).operations[0]?.recovered).toBe(true);
  });

  it('disabled keeps the other values up to date, and leaves active to the policy', () => {
    const values = { ...disabled, attributes: { active: false, title: 'Boss' } };
    expect(plan({ desired: values }).operations.map(({ kind, changes }) => [kind, changes.map((c) => c.path)])).toEqual(
      [
        ['deactivate', ['active']],
        ['update', ['title']],
      ],
    );
    const leaving = { ...planSettings().leaving, disabledAtSource: 'Delete' as const };
    expect(plan({ desired: values }, { settings: { leaving } }).operations.map(({ kind }) => kind)).toEqual(['delete']);
  });

  it('disabled is deactivated, and not updated to a value that somebody else has', () => {
    const values = { ...disabled, attributes: { active: false, title: 'Boss' } };
    const { operations, errors } = plan(
      { desired: values },
      { collidesWith: { path: 'userName', sourceIds: ['p1', 'p2'] } },
    );
    expect(operations.map(({ kind }) => kind)).toEqual(['deactivate']);
    expect(errors).toMatchObject([{ id: 'p1', code: 'Conflict' }]);
  });

  it('whose account was deleted by hand is forgotten', () => {
    for (const desired of [null, out, disabled, aDesiredUser({ presence: 'undecided' })]) {
      expect(plan({ desired, gone: true })).toEqual({
        ...NOTHING,
        effects: [
          { type: 'dropLink', sourceId: 'p1' },
          { type: 'dropMember', targetId: 'u1' },
        ],
      });
    }
  });

  it('is not known to leave while undecided (I13)', () => {
    expect(plan({ desired: aDesiredUser({ presence: 'undecided', attributes: { title: 'x' } }) })).toEqual(NOTHING);
  });

  it('and was seen inactive at the target needs nothing but that the link says so, and since when', () => {
    const observed = observe({ ...aLink().applied, active: false });
    const left = { at: planSettings().now, cause: 'deletedAtSource', teams: [] } as const;
    expect(plan({ desired: null, observed })).toEqual({
      ...NOTHING,
      effects: [{ type: 'putLink', link: aLink({ active: false, applied: observed.attributes, left }) }],
    });
  });

  it.each<readonly [Leave | undefined, number | null, number, string[], string]>([
    [LEFT, 720, 719, [], 'the grace is not over'],
    [LEFT, 720, 720, ['delete'], 'it is'],
    [LEFT, null, 100_000, [], 'there is no end of it'],
    [undefined, 720, 100_000, [], 'it begins now'],
    [{ ...LEFT, at: LEFT.at + 1_000_000 * HOUR }, 720, 1_000, [], 'a time ahead was written by a wrong clock'],
  ])('left as %j, with %j hours of grace, after %j hours: %j, because %s', (...[left, grace, hours, kinds]) => {
    const settings = { deleteAfterMs: grace === null ? null : grace * HOUR, now: LEFT.at + hours * HOUR };
    const link = aLink({ active: false, ...(left === undefined ? {} : { left }) });
    const { operations } = plan({ desired: null, link }, { settings });
    expect(operations.map(({ kind }) => kind)).toEqual(kinds);
    // Whom only a mapping switches off is not gone.
    const byEntry = aDesiredUser({ presence: 'disabledAtSource', byEntry: true });
    expect(plan({ desired: byEntry, link }, { settings }).operations).toEqual([]);
  });
});

describe('toLeavingPolicy', () => {
  it('is the one of the departure, but an entry for active that says false is never retained', () => {
    const leaving = { outOfScope: 'Delete', disabledAtSource: 'Retain', deletedAtSource: 'Deactivate' } as const;
    expect(toLeavingPolicy('outOfScope', planSettings({ leaving }))).toBe('Delete');
    expect(toLeavingPolicy('disabledAtSource', planSettings({ leaving }))).toBe('Retain');
    expect(toLeavingPolicy('disabledAtSource', planSettings({ leaving, activeMapped: true }))).toBe('Deactivate');
  });

  it('gives departures of one person units of their own', () => {
    expect(toDepartureUnit('p1', 'outOfScope')).not.toBe(toDepartureUnit('p1', 'deletedAtSource'));
  });
});

describe('somebody who stays', () => {
  const withValues = (attributes: DesiredUser['attributes'], more: Partial<DesiredUser> = {}) =>
    aDesiredUser({ ...more, attributes: { ...aDesiredUser().attributes, ...attributes } });

  it('is left alone while nothing differs (I2)', () => {
    expect(plan({})).toEqual(NOTHING);
    expect(plan({ observed: observe(aLink().applied) })).toEqual(NOTHING);
    const onCreate = { title: 'once' };
    const defaults = { nickName: 'n/a' };
    expect(plan({ desired: aDesiredUser({ onCreate, defaults }) })).toEqual(NOTHING);
  });

  it('is not cleared again of what the target is seen without (I2)', () => {
    const link = aLink({ applied: { ...aLink().applied, title: 'Clerk' } });
    const desired = aDesiredUser({ clear: ['title'] });
    const { operations, effects } = plan({ link, desired, observed: observe(aLink().applied) });
    expect(operations).toEqual([]);
    expect(effects).toEqual([{ type: 'putLink', link: aLink() }]);
    expect(plan({ link: aLink(), desired })).toEqual(NOTHING);
  });

  it('is planned for in the same words whether or not the target was looked at (I5)', () => {
    const link = aLink({ applied: { ...aLink().applied, userName: 'P1@corp.example' } });
    const desired = withValues({ userName: 'new@corp.example' });
    const seen = observe({ ...link.applied, userName: 'p1@corp.example' });
    expect(plan({ link, desired, observed: seen }).operations).toEqual(plan({ link, desired }).operations);
  });

  it('refers to nobody where the account is gone, whether or not the target has cleared it (I5)', () => {
    const link = aLink({ applied: { ...aLink().applied, [MANAGER]: 'u9' } });
    const desired = aDesiredUser({ references: { [MANAGER]: 'p9' } });
    const more = { coming: new Set(['p9']), gone: new Set(['u9']) };
    const [operation, ...others] = plan({ link, desired }, more).operations;
    expect(operation).toMatchObject({
      phase: 'references',
      changes: [{ path: MANAGER, after: 'p9', reference: 'User' }],
    });
    expect(operation?.guards).toEqual([]);
    expect(others).toEqual([]);
    expect(plan({ link, desired, observed: observe(aLink().applied) }, more).operations).toEqual([operation]);
    expect(plan({ link, desired, observed: observe(link.applied) }, more).operations).toEqual([operation]);
  });

  it('is not asked again for what was found as it is wanted, while something else waits (I2)', () => {
    const link = aLink({ applied: { ...aLink().applied, title: 'Old', [DEPARTMENT]: 'IT' } });
    const desired = withValues({ title: 'Boss', [DEPARTMENT]: 'Law' });
    const { operations, effects } = plan({ link, desired, observed: observe({ ...link.applied, title: 'Boss' }) });
    expect(operations.map(({ changes }) => changes)).toEqual([[{ path: DEPARTMENT, before: 'IT', after: 'Law' }]]);
    expect(effects).toEqual([{ type: 'putLink', link: { ...link, applied: { ...link.applied, title: 'Boss' } } }]);
    const off = { ...link, active: false, applied: { ...link.applied, active: false } };
    const back = plan({
      link: off,
      desired: withValues({ active: true, title: 'Boss' }),
      observed: observe(link.applied),
    });
    expect(back.effects).toEqual([
      { type: 'putLink', link: { ...off, active: true, applied: { ...off.applied, active: true } } },
    ]);
  });

  it('stays in doubt while nothing can be planned, and the target holds what nobody wrote (I8)', () => {
    const link = aLink();
    const seen = observe({ ...link.applied, title: 'By hand' });
    const doubt = [{ type: 'markDirty', sourceId: 'p1' }];
    const undecided = aDesiredUser({ presence: 'undecided' });
    expect(plan({ link, desired: undecided, observed: seen })).toEqual({ ...NOTHING, effects: doubt });
    expect(plan({ link: { ...link, active: false }, desired: undecided, observed: observe(link.applied) })).toEqual({
      ...NOTHING,
      effects: doubt,
    });
    expect(plan({ link, desired: undecided, observed: observe(link.applied) })).toEqual(NOTHING);
  });

  it('gets the smallest change', () => {
    const link = aLink({ applied: { ...aLink().applied, title: 'Clerk', [DEPARTMENT]: 'IT' } });
    const desired = withValues({ title: 'Boss', [DEPARTMENT]: 'it' }, { clear: ['nickName'] });
    expect(plan({ link: { ...link, applied: { ...link.applied, [DEPARTMENT]: 'it' } }, desired }).operations).toEqual([
      expect.objectContaining({
        kind: 'update',
        phase: 'people',
        cause: 'mapping',
        reason: 'values changed',
        unit: 'person:p1:update',
        guards: [],
        removal: false,
        changes: [{ path: 'title', before: 'Clerk', after: 'Boss' }],
      }),
    ]);
  });

  it('is updated under a new name, not made anew (I10)', () => {
    const desired = withValues({ userName: 'byron@example.com' }, { name: 'byron@example.com' });
    expect(plan({ desired }).operations).toMatchObject([
      { kind: 'rename', targetId: 'u1', name: 'byron@example.com', changes: [{ path: 'userName' }] },
    ]);
  });

  it('is written in the new spelling once, though it is the same to the target', () => {
    const desired = withValues({ title: 'McCoy' });
    const link = aLink({ applied: { ...aLink().applied, title: 'Mccoy' } });
    expect(plan({ desired, link }).operations[0]?.changes).toEqual([
      { path: 'title', before: 'Mccoy', after: 'McCoy' },
    ]);
    // The target keeps a spelling of its own: a look at it changes nothing, now or later.
    const sent = aLink({ applied: desired.attributes });
    const observed = observe({ ...desired.attributes, title: 'MCCOY' });
    expect(plan({ desired, link: sent, observed })).toEqual(NOTHING);
  });

  it('takes what the target spells as we want it for written', () => {
    const desired = withValues({ title: 'McCoy' });
    const link = aLink({ applied: { ...aLink().applied, title: 'Mccoy' } });
    const { operations, effects } = plan({ desired, link, observed: observe(desired.attributes) });
    expect(operations).toEqual([]);
    expect(effects).toEqual([{ type: 'putLink', link: { ...link, applied: desired.attributes } }]);
  });

  it('is still called what they were called when the read has no name for them (I13)', () => {
    const desired = aDesiredUser({ name: 'p1', attributes: { title: 'Boss' }, kept: ['userName'] });
    expect(plan({ desired }).operations[0]?.name).toBe('p1@example.com');
  });

  it('comes back', () => {
    const link = aLink({ active: false, applied: { ...aLink().applied, active: false } });
    expect(plan({ link }).operations).toMatchObject([
      {
        kind: 'reactivate',
        cause: 'return',
        reason: 'is back',
        changes: [{ path: 'active', before: false, after: true }],
      },
    ]);
  });

  it('loses values in a unit that says so, and after a suspect read in one of its own (I1)', () => {
    const link = aLink({ applied: { ...aLink().applied, title: 'Clerk', nickName: 'x' } });
    const desired = withValues({ title: 'Boss' }, { clear: ['nickName'] });
    expect(plan({ link, desired }).operations).toMatchObject([{ unit: 'person:p1:update', removal: true }]);
    expect(plan({ link, desired }, { settings: { suspect: true } }).operations).toMatchObject([
      { unit: 'person:p1:update', removal: false, changes: [{ path: 'title' }] },
      { unit: 'person:p1:clear', removal: true, changes: [{ path: 'nickName', before: 'x' }] },
    ]);
  });

  it('keeps a default that was written on creation, and loses any other value (I2)', () => {
    const desired = aDesiredUser({ defaults: { title: 'n/a' }, clear: ['title'] });
    const withTitle = (title: string) => aLink({ applied: { ...aLink().applied, title } });
    expect(plan({ desired, link: withTitle('n/a') })).toEqual(NOTHING);
    expect(plan({ desired, link: withTitle('Boss') }).operations[0]?.changes).toEqual([
      { path: 'title', before: 'Boss' },
    ]);
  });

  it('refers to whom there is, in a second pass to who comes, and to nobody else', () => {
    const desired = aDesiredUser({ references: { [MANAGER]: 'boss' } });
    expect(plan({ desired }, { accounts: new Map([['boss', 'u9']]) }).operations).toMatchObject([
      { phase: 'people', changes: [{ path: MANAGER, after: 'u9' }] },
    ]);
    expect(plan({ desired }, { coming: new Set(['boss']) }).operations).toMatchObject([
      { phase: 'references', changes: [{ path: MANAGER, after: 'boss', reference: 'User' }] },
    ]);
    expect(plan({ desired })).toEqual(NOTHING);
    const link = aLink({ applied: { ...aLink().applied, [MANAGER]: 'u9' } });
    expect(plan({ desired, link }, { accounts: new Map([['boss', 'u9']]) })).toEqual(NOTHING);
  });

  it('shares a matching value with nobody, or stays as is (I3)', () => {
    const { operations, errors } = plan(
      { desired: withValues({ title: 'Boss' }) },
      { collidesWith: { path: 'userName', sourceIds: ['p0', 'p1'] } },
    );
    expect(operations).toEqual([]);
    expect(errors).toMatchObject([{ id: 'p1', code: 'Conflict', message: expect.stringContaining('p1 and p0') }]);
  });
});

describe('what was changed by hand', () => {
  it.each<readonly [Link['applied'], string]>([
    [{ ...aLink().applied, title: 'Hacker' }, 'another value'],
    [aLink().applied, 'a value that was removed'],
  ])('is repaired: %#, %s', (attributes) => {
    const desired = aDesiredUser({ attributes: { ...aDesiredUser().attributes, title: 'Boss' } });
    const link = aLink({ applied: desired.attributes });
    expect(plan({ desired, link, observed: observe(attributes) }).operations).toMatchObject([
      {
        kind: 'update',
        cause: 'drift',
        reason: 'was changed in the target',
        changes: [{ path: 'title', after: 'Boss' }],
      },
    ]);
  });

  it('leaves the link in doubt until it is mended', () => {
    const observed = observe({ ...aLink().applied, active: false });
    expect(plan({ observed }).effects).toEqual([{ type: 'markDirty', sourceId: 'p1' }]);
    const on = observe(aLink().applied);
    expect(plan({ desired: null, link: aLink({ active: false }), observed: on })).toMatchObject({
      operations: [{ kind: 'deactivate' }],
      effects: [{ type: 'markDirty', sourceId: 'p1' }],
    });
  });

  it('is no drift where the mapping changed too', () => {
    const desired = aDesiredUser({ attributes: { ...aDesiredUser().attributes, title: 'Boss' } });
    const observed = observe({ ...aLink().applied, title: 'Hacker' });
    expect(plan({ desired, observed }).operations).toMatchObject([{ cause: 'mapping' }]);
  });

  it('is switched on again, as drift', () => {
    const observed = observe({ ...aLink().applied, active: false });
    expect(plan({ observed }).operations).toMatchObject([{ kind: 'reactivate', cause: 'drift' }]);
  });

  it('is the truth where nothing speaks against it', () => {
    const observed = observe({ ...aLink().applied, title: 'theirs' });
    expect(plan({ observed }).effects).toEqual([
      { type: 'putLink', link: aLink({ applied: { ...aLink().applied, title: 'theirs' } }) },
    ]);
    expect(plan({ link: aLink({ dirty: true }), observed: observe(aLink().applied) }).effects).toEqual([
      { type: 'putLink', link: aLink() },
    ]);
  });
});
