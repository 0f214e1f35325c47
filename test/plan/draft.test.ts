import { describe, expect, it } from 'vitest';
import { type DraftOperation, toDraft, toOperationLine } from '../../src/plan/draft.ts';

const draft = (overrides: Partial<DraftOperation> = {}): DraftOperation =>
  toDraft({
    phase: 'deactivate',
    kind: 'deactivate',
    resource: 'User',
    id: 'p1',
    targetId: 'u1',
    name: 'ada@corp.example',
    changes: [{ path: 'active', before: true, after: false }],
    cause: 'outOfScope',
    reason: 'left the scope',
    unit: 'person:p1:outOfScope',
    ...overrides,
  });

describe('toOperationLine', () => {
  it('is kind, resource, ids, member, cause and values, as JSON', () => {
    expect(toOperationLine(draft())).toBe(
      '["deactivate","User","p1","u1",null,null,"outOfScope",[{"path":"active","before":true,"after":false}]]',
    );
    const member = { sourceId: null, targetId: 'u9', name: 'x' };
    expect(toOperationLine(draft({ kind: 'removeMembers', member, changes: [] }))).toBe(
      '["removeMembers","User","p1","u1",null,"u9","outOfScope",[]]',
    );
  });

  it('is the same under another name, reason, unit or place in the plan (I5)', () => {
    const other = draft({ name: 'byron@corp.example', reason: 'other', unit: 'other', phase: 'people' });
    expect(toOperationLine(other)).toBe(toOperationLine(draft()));
  });

  it.each<Partial<DraftOperation>>([
    { kind: 'delete' },
    { resource: 'Team' },
    { id: 'p2' },
    { targetId: 'u2' },
    { cause: 'deletedAtSource' },
    { changes: [] },
    { member: { sourceId: 'p1', targetId: 'u1', name: 'x' } },
  ])('is another one with %j', (overrides) => {
    expect(toOperationLine(draft(overrides))).not.toBe(toOperationLine(draft()));
  });
});
