import { describe, expect, it } from 'vitest';
import type { Condition } from '../../src/api/condition-schema.ts';
import { type ConditionChange, checkKstatus, cutMessage, findCondition, setCondition } from '../../src/api/kstatus.ts';

const NOW = new Date('2026-01-01T00:00:00.123Z');
const LATER = new Date('2026-01-02T00:00:00Z');

function aCondition(change: Partial<Condition> = {}): Condition {
  return {
    type: 'Ready',
    status: 'True',
    reason: 'Synced',
    message: 'nothing left to do',
    lastTransitionTime: '2026-01-01T00:00:00Z',
    observedGeneration: 1,
    ...change,
  };
}

function aResource(conditions: Condition[], status: Record<string, unknown> = {}, kind = 'DirectorySync') {
  return { kind, metadata: { generation: 1 }, status: { observedGeneration: 1, conditions, ...status } };
}

describe('setCondition', () => {
  const change: ConditionChange = {
    type: 'Ready',
    status: 'True',
    reason: 'Synced',
    message: 'nothing left to do',
    observedGeneration: 1,
  };

  it('moves the time with the status and with nothing else', () => {
    const first = setCondition([], change, NOW);
    expect(first).toEqual([aCondition()]);
    const again = setCondition(first, { ...change, reason: 'Planned', observedGeneration: 2 }, LATER);
    expect(again).toEqual([aCondition({ reason: 'Planned', observedGeneration: 2 })]);
    const other = setCondition(first, { ...change, status: 'False', reason: 'ReadFailed' }, LATER);
    expect(other[0]?.lastTransitionTime).toBe('2026-01-02T00:00:00Z');
  });

  it('takes Reconciling and Stalled away when they are not true', () => {
    const stalled = setCondition([], { ...change, type: 'Stalled', reason: 'Invalid' }, NOW);
    expect(stalled).toHaveLength(1);
    expect(setCondition(stalled, { ...change, type: 'Stalled', status: 'False' }, NOW)).toEqual([]);
  });

  it('sorts by type and changes nothing that it was given', () => {
    const before = [aCondition()];
    const after = setCondition(before, { ...change, type: 'Held', status: 'False', reason: 'NothingHeld' }, NOW);
    expect(after.map(({ type }) => type)).toEqual(['Held', 'Ready']);
    expect(before).toHaveLength(1);
    expect(findCondition(after, 'Held')?.reason).toBe('NothingHeld');
  });

  it('cuts messages at 1,024 characters', () => {
    expect(cutMessage('x'.repeat(2000))).toHaveLength(1024);
    expect(setCondition([], { ...change, message: 'x'.repeat(2000) }, NOW)[0]?.message).toHaveLength(1024);
  });
});

const failed = (reason: string, type = 'Ready') => aCondition({ type, status: 'False', reason });
const reconciling = aCondition({ type: 'Reconciling', reason: 'ProgressingWithRetry' });
const stalled = (reason: string) => aCondition({ type: 'Stalled', reason });
const held = aCondition({ type: 'Held', reason: 'GuardLimit' });

describe('checkKstatus', () => {
  it.each([
    { because: 'all applied', resource: aResource([aCondition()]) },
    {
      because: 'some held',
      resource: aResource([aCondition({ reason: 'SyncedWithHeld' }), held], {
        held: { count: 2, hash: '0123456789abcdef', kinds: { deactivate: 2 } },
      }),
    },
    {
      because: 'a failed read',
      resource: aResource([failed('ReadFailed'), failed('ReadFailed', 'SourceRead'), reconciling]),
    },
    { because: 'an invalid spec', resource: aResource([failed('Invalid'), stalled('Invalid')]) },
    { because: 'suspended after a failure', resource: aResource([failed('Suspended')]) },
    {
      because: 'an invalid mapping',
      resource: aResource([failed('Invalid', 'Valid'), stalled('Invalid')], {}, 'AttributeMapping'),
    },
    {
      because: 'a spec that is newer than the status',
      resource: { ...aResource([aCondition()]), metadata: { generation: 2 } },
    },
  ])('has nothing against $because', ({ resource }) => {
    expect(checkKstatus(resource)).toEqual([]);
  });

  it.each([
    { says: 'there is no status', resource: { kind: 'TeamRule', metadata: {} } },
    { says: 'this is no resource of ours', resource: { kind: 'Pod', status: {} } },
    { says: 'Ready is missing', resource: aResource([]) },
    { says: 'Valid is missing', resource: aResource([], {}, 'CustomAttribute') },
    { says: 'Ready stands twice', resource: aResource([aCondition(), aCondition()]), schema: true },
    { says: 'Happy is no known kind of condition', resource: aResource([aCondition(), aCondition({ type: 'Happy' })]) },
    { says: 'Ready has the unknown reason Fine', resource: aResource([aCondition({ reason: 'Fine' })]) },
    {
      says: 'Stalled is False: it may stand only while it is True',
      resource: aResource([failed('ReadFailed'), failed('Invalid', 'Stalled')]),
    },
    {
      says: 'Reconciling and Stalled stand together',
      resource: aResource([failed('Invalid'), stalled('Invalid'), reconciling]),
    },
    { says: 'Stalled stands beside Ready=True', resource: aResource([aCondition(), stalled('Synced')]) },
    {
      says: 'Stalled has the reason IdInUse, Ready has Invalid',
      resource: aResource([failed('Invalid'), stalled('IdInUse')]),
    },
    { says: 'Reconciling stands beside Ready=True', resource: aResource([aCondition(), reconciling]) },
    { says: 'Valid=False without Stalled', resource: aResource([failed('Invalid', 'Valid')], {}, 'AttributeMapping') },
    { says: 'Ready has the reason Synced but is False', resource: aResource([failed('Synced')]) },
    {
      says: 'Ready has the reason TargetUnavailable but Reconciling is missing',
      resource: aResource([failed('TargetUnavailable')]),
    },
    {
      says: 'Ready has the reason Suspended but Reconciling or Stalled stands',
      resource: aResource([failed('Suspended'), reconciling]),
    },
    {
      says: 'Ready has the reason ReadFailed but SourceRead is absent, not False',
      resource: aResource([failed('ReadFailed'), reconciling]),
    },
    {
      says: 'Ready has the reason SyncedWithErrors but Degraded is absent, not True',
      resource: aResource([aCondition({ reason: 'SyncedWithErrors' })]),
    },
    {
      says: 'observedGeneration is missing',
      resource: { ...aResource([aCondition()]), status: { conditions: [aCondition()] } },
    },
    {
      says: 'observedGeneration 2 is beyond the generation 1',
      resource: aResource([aCondition()], { observedGeneration: 2 }),
    },
    {
      says: 'Ready has no observedGeneration',
      resource: aResource([aCondition({ observedGeneration: undefined })]),
    },
    {
      says: 'Ready observed a generation beyond that of the status',
      resource: aResource([aCondition()], { observedGeneration: 0 }),
    },
    {
      says: 'held.count is 1 but Held is not True',
      resource: aResource([aCondition()], { held: { count: 1, hash: '' } }),
    },
    {
      says: 'held.hash is not 16 hexadecimal digits',
      resource: aResource([aCondition({ reason: 'SyncedWithHeld' }), held], { held: { count: 1, hash: 'abc' } }),
    },
    {
      says: 'held.hash stands for nothing',
      resource: aResource([aCondition()], { held: { count: 0, hash: '0123456789abcdef' } }),
    },
    {
      says: 'status.conditions.0.message holds a mail address',
      resource: aResource([aCondition({ message: 'cannot write ada@corp.example' })]),
    },
    {
      says: 'unknown field "status.user"; did you mean "users"?',
      resource: aResource([aCondition()], { user: {} }),
    },
    {
      says: 'status.conditions[0].message must have at most 1024 characters',
      resource: aResource([aCondition({ message: 'x'.repeat(1025) })]),
    },
  ])('says: $says', ({ says, resource, schema }) => {
    expect(checkKstatus(resource)).toContain(schema ? 'status.conditions[1].type: "Ready" stands twice' : says);
  });
});
