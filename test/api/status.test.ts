import { describe, expect, it } from 'vitest';
import { PLAN_COUNT_NAMES, summarizePlan } from '../../src/api/directory-sync-status.ts';

describe('summarizePlan', () => {
  it.each([
    [{}, 'none'],
    [{ create: 4, update: 11, deactivate: 1 }, '+4 ~11 -1'],
    [{ createTeams: 1, addMembers: 2, updateTeams: 1 }, '+3 ~1'],
    [{ delete: 1, deleteTeams: 1, removeMembers: 1 }, '-3'],
    [{ adopt: 1, recover: 1, reactivate: 1 }, '+2 ~1'],
  ])('%j', (plan, text) => {
    expect(summarizePlan(plan)).toBe(text);
  });

  it('counts every kind', () => {
    for (const name of PLAN_COUNT_NAMES) expect(summarizePlan({ [name]: 1 })).toMatch(/^[+~-]1$/);
  });
});
