import { describe, expect, it } from 'vitest';
import type { TeamRuleSpec } from '../../src/api/team-rule.ts';
import { SyncError } from '../../src/errors.ts';
import { type AttributeBehaviour, PLAIN_ATTRIBUTE, type TargetCapabilities } from '../../src/targets/target.ts';
import { aCompanyOf, type Company, createCompany } from '../support/company.ts';

const everyone: Pick<TeamRuleSpec, 'match'> = {
  match: [{ attribute: 'department', operator: 'Equals', value: 'Research' }],
};

async function aCompany(capabilities: Partial<TargetCapabilities>, people = 4) {
  const company = await createCompany({ capabilities });
  company.people = aCompanyOf(people);
  company.rules = { research: { directorySyncRef: { name: 'acme' }, team: { displayName: 'Research' }, ...everyone } };
  return company;
}

it('where switching off removes, a leaver is deleted, counted as a delete, forgotten, and new when back', async () => {
  const company = await aCompany({ deactivation: 'removes' });
  await company.run();
  const [leaver, ...others] = company.people;
  company.people = others;
  const left = await company.run();
  expect(left.applied).toMatchObject({ delete: 1, deactivate: 0 });
  expect(company.target.writes).toContain('deleteUser u1');
  expect(await (await company.state()).links.get('p1')).toBeNull();
  expect(await (await company.state()).ledger.removals(0)).toMatchObject([{ kind: 'delete', count: 1 }]);
  expect(company.teamMembers('Research')).toHaveLength(3);
  if (leaver !== undefined) company.people = [leaver, ...others];
  expect((await company.run()).applied).toMatchObject({ create: 1, addMembers: 1, reactivate: 0 });
});

it('where switching off removes, the guard for deletions holds what the one for deactivations would let go (I4)', async () => {
  const company = await aCompany({ deactivation: 'removes' }, 20);
  company.spec = { ...company.spec, guards: { deactivate: { percent: 100 }, delete: { max: 0, percent: 100 } } };
  await company.run();
  company.people = company.people.slice(0, 18);
  const report = await company.run();
  expect(report).toMatchObject({ outcome: 'held', held: { count: 2, kinds: { delete: 2 } } });
  expect(company.target.users.size).toBe(20);
});

it('where switching off removes, a lost store removes nobody unasked: not who is disabled, nor who is gone (I7)', async () => {
  const company = await aCompany({ deactivation: 'removes' });
  await company.run();
  await company.loseState();
  company.target.writes.length = 0;
  // p1 has left while nobody looked, p2 leaves now, p3 is disabled.
  company.people = company.people.slice(1);
  const recovered = await company.run();
  expect(recovered).toMatchObject({ outcome: 'synced', plan: { create: 0, delete: 0 }, people: { unmanaged: 1 } });
  company.people = company.people.slice(1).map((each) => (each.id === 'p3' ? { ...each, active: false } : each));
  for (const run of [1, 2])
    expect(await company.run(), `run ${run}`).toMatchObject({ outcome: 'held', held: { kinds: { recovered: 2 } } });
  expect(company.target.writes.filter((line) => line.startsWith('deleteUser'))).toEqual([]);
  const { held } = await company.run();
  expect((await company.run({ approve: held.hash })).applied).toMatchObject({ delete: 2, deactivate: 0 });
  expect([...company.target.users.keys()]).toEqual(['u1', 'u4']);
  // Nothing of them is remembered: who is back gets a new account.
  company.people = aCompanyOf(4, () => ({ active: true })).slice(1);
  expect(await company.run()).toMatchObject({ outcome: 'synced', applied: { create: 2, reactivate: 0 } });
});

it('members go in requests of the size and kind that the target takes', async () => {
  const company = await aCompany({ memberChanges: { add: 3, remove: 1, mixed: false } }, 7);
  company.spec = { ...company.spec, guards: { removeMembers: { percent: 100 } } };
  await company.run();
  const members = (): string[] => company.target.writes.filter((line) => line.startsWith('changeMembers'));
  expect(members().map((line) => line.replace(/t\d+/, 't'))).toEqual([
    'changeMembers t +3 -0',
    'changeMembers t +3 -0',
    'changeMembers t +1 -0',
  ]);
  company.people = company.people.map((person, index) => (index < 2 ? { ...person, department: 'Sales' } : person));
  await company.run();
  expect(members().slice(3)).toHaveLength(2);
  expect(company.teamMembers('Research')).toHaveLength(5);
});

it('where no members are shown, links are the truth: a look at the whole target writes nothing (I2)', async () => {
  const company = await aCompany({ readsMembers: false });
  await company.run();
  const { length } = company.target.writes;
  const verified = await company.run({ resync: true });
  expect(verified.kind).toBe('Verify');
  expect(company.target.writes.slice(length)).toEqual([]);
  company.people = company.people
    .slice(1)
    .map((person, index) => (index === 0 ? { ...person, department: 'x' } : person));
  await company.run();
  expect(company.teamMembers('Research')).toHaveLength(2);
});

it('a target without groups: people are served, the rule says why it has no team', async () => {
  const company = await aCompany({ teams: 'none' });
  const report = await company.run();
  expect(report).toMatchObject({ outcome: 'failed', applied: { create: 4, createTeams: 0 } });
  expect(await company.errors(report)).toEqual([expect.stringMatching(/^research Conflict: the target has no groups/)]);
  expect(company.target.writes.filter((line) => line.includes('Team'))).toEqual([]);
});

it('what was observed is given to the next connection, with a word where a fresh look is asked for', async () => {
  const company = await aCompany({});
  company.target.memory = { hidden: ['title'] };
  await company.run();
  await company.run();
  await company.run({ resync: true });
  const memory = { hidden: ['title'] };
  expect(company.target.remembered).toEqual([
    { memory: null, afresh: false },
    { memory, afresh: false },
    { memory, afresh: true },
  ]);
});

it('what is known to be impossible stops the run before any request, or is a warning in the status', async () => {
  const company = await aCompany({});
  company.target.problems = [{ severity: 'warning', message: 'title is not taken' }];
  const warned = await company.run();
  expect(warned.outcome).toBe('synced');
  expect(warned.warnings).toMatchObject([{ message: expect.stringContaining('title is not taken') }]);
  company.target.problems = [{ severity: 'error', message: 'name.givenName has no entry' }];
  const { length } = company.target.reads;
  expect(await company.run()).toMatchObject({
    outcome: 'stalled',
    reason: 'Invalid',
    message: 'name.givenName has no entry',
  });
  expect(company.target.reads).toHaveLength(length);
});

it('where no members are shown, a team that was recognised again is not deleted as if it were empty (I4, I7)', async () => {
  const capabilities = { readsMembers: false, tellsMembers: false };
  const company = await aCompany(capabilities);
  company.target.hideMembers = 'always';
  await company.run();
  await company.loseState();
  const rule = company.rules['research'];
  if (rule !== undefined) company.rules = { research: { ...rule, whenEmpty: 'Delete' } };
  company.people = company.people.map((person) => ({ ...person, department: 'Sales' }));
  await company.run();
  await company.run();
  expect(company.teamMembers('Research')).toHaveLength(4);
});

it('where no members are shown, a removal whose answer was lost is made again, and counted once (I4, I6)', async () => {
  const company = await aCompany({ readsMembers: false });
  await company.run();
  company.people = company.people.map((person, index) => (index === 0 ? { ...person, department: 'Sales' } : person));
  company.target.intercept = (request) => {
    if (!request.startsWith('changeMembers')) return;
    throw new SyncError('TargetUnavailable', 'no answer', { outcomeUnknown: true });
  };
  await company.run();
  company.target.intercept = () => undefined;
  await company.run();
  expect(company.teamMembers('Research')).toHaveLength(3);
  const { ledger } = await company.state();
  expect(await ledger.removals(0)).toMatchObject([{ kind: 'removeMembers', count: 1 }]);
});

describe('a target that keeps no marks of teams, after a lost store (I7)', () => {
  const NO_MARKS: AttributeBehaviour = { writes: 'never', shows: 'never' };

  async function aCompanyWithoutMarks(): Promise<Company> {
    const company = await createCompany({
      capabilities: {
        attribute: (resource, path) => (resource === 'Team' && path === 'externalId' ? NO_MARKS : PLAIN_ATTRIBUTE),
      },
    });
    company.people = aCompanyOf(6);
    company.rules = {
      research: {
        directorySyncRef: { name: 'acme' },
        team: { displayName: 'Research' },
        match: [{ attribute: 'department', operator: 'Equals', value: 'Research' }],
      },
    };
    return company;
  }

  it('knows its teams by name, adds at once and removes only after approval', async () => {
    const company = await aCompanyWithoutMarks();
    expect(await company.run()).toMatchObject({ outcome: 'synced' });
    await company.loseState();
    company.people = [
      ...company.people.map((person) => (person.id === 'p1' ? { ...person, department: 'Sales' } : person)),
      { id: 'p7', mail: 'p7@example.com', department: 'Research' },
    ];
    const report = await company.run();
    expect(report).toMatchObject({
      outcome: 'held',
      applied: { createTeams: 0, addMembers: 1 },
      held: { count: 1, kinds: { recovered: 1 } },
    });
    expect(company.target.teams.size).toBe(1);
    expect(company.teamMembers('Research')).toHaveLength(7);
    await company.run({ approve: report.held.hash });
    expect(company.teamMembers('Research')).toHaveLength(6);
    company.target.writes.length = 0;
    expect(await company.run()).toMatchObject({ outcome: 'synced' });
    expect(company.target.writes).toEqual([]);
  });

  it('a team of that name which was there before anybody of ours is a Conflict', async () => {
    const company = await aCompanyWithoutMarks();
    company.target.teams.set('by-hand', {
      id: 'by-hand',
      attributes: { displayName: 'Research' },
      members: new Set(),
    });
    const report = await company.run();
    expect(await company.errors(report)).toEqual([
      expect.stringContaining('research Conflict: the target already has'),
    ]);
    expect(company.teamMembers('Research')).toEqual([]);
  });
});
