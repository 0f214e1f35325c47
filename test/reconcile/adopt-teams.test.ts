import { describe, expect, it } from 'vitest';
import type { TeamRuleResource } from '../../src/api/team-rule.ts';
import { SyncError } from '../../src/errors.ts';
import { aCompanyOf, type Company, createCompany } from '../support/company.ts';

const RESEARCH: TeamRuleResource['spec'] = {
  directorySyncRef: { name: 'acme' },
  team: { displayName: 'Research' },
  match: [{ attribute: 'department', operator: 'Equals', value: 'research' }],
};
const MARK = 'dirsync:identity/acme:research';

/** Four people, a rule, and a team of its name that somebody made by hand. */
async function aCompanyWithATeam(guests: number, adoptTeams = true): Promise<Company> {
  const company = await createCompany();
  company.people = aCompanyOf(4);
  company.rules = { research: RESEARCH };
  company.spec = { ...company.spec, adoptTeams };
  const ids = Array.from(
    { length: guests },
    (_, n) => company.target.addUser({ userName: `guest${n}@example.com` }).id,
  );
  company.target.addTeam('RESEARCH', ids);
  return company;
}

describe('adoptTeams', () => {
  it('lets a rule take over a team of its name, with its spelling, and make its members those of the rule', async () => {
    const company = await aCompanyWithATeam(2);
    const report = await company.run();
    expect(report).toMatchObject({ outcome: 'synced', plan: { createTeams: 0, addMembers: 4, removeMembers: 2 } });
    expect([...company.target.teams.values()].map(({ attributes }) => attributes)).toEqual([
      { displayName: 'RESEARCH', externalId: MARK },
    ]);
    expect(company.teamMembers('RESEARCH')).toEqual(company.people.map(({ mail }) => mail));
    expect(await (await company.state()).links.team('rule:research')).toMatchObject({
      origin: 'adopted',
      // Which values it had before is for the next run to see.
      dirty: true,
    });
    company.target.writes.length = 0;
    await company.run();
    await company.run({ resync: true });
    expect(company.target.writes).toEqual([]);
  });

  it('holds removals from it beyond the guard, and they stay held (I4)', async () => {
    const company = await aCompanyWithATeam(12);
    for (const run of [1, 2])
      expect(await company.run(), `run ${run}`).toMatchObject({
        outcome: 'held',
        held: { kinds: { removeMembers: 12 } },
      });
    expect(company.teamMembers('RESEARCH')).toHaveLength(16);
    expect(await (await company.state()).links.members('rule:research')).toBe(16);
  });

  it('measures removals from it against the members that it had (I4)', async () => {
    for (const [guests, held] of [
      [12, {}],
      [13, { removeMembers: 13 }],
    ] as const) {
      const company = await aCompanyWithATeam(guests);
      const [team] = company.target.teams.values();
      company.people = aCompanyOf(12);
      company.rules = {};
      await company.run();
      for (const { id, attributes } of company.target.users.values())
        if (attributes['externalId']) team?.members.add(id);
      company.rules = { research: RESEARCH };
      // Half of 24 go; more than half of 25 wait.
      expect((await company.run({ resync: true })).held.kinds).toEqual(held);
      expect(team?.members.size).toBe(guests === 12 ? 12 : 25);
    }
  });

  it('leaves it to whole runs: one person alone takes no team over', async () => {
    const company = await aCompanyWithATeam(1);
    company.rules = {};
    await company.run();
    company.rules = { research: RESEARCH };
    company.target.writes.length = 0;
    const report = await company.run({ user: 'p1' });
    expect(report).toMatchObject({ outcome: 'synced', plan: { addMembers: 0 } });
    expect(company.target.writes).toEqual([]);
    expect(await company.run()).toMatchObject({ outcome: 'synced', applied: { addMembers: 4, removeMembers: 1 } });
    expect(company.teamMembers('RESEARCH')).toContain('p1@example.com');
  });

  it('takes over nothing while it is false, by a plan, of two teams, or of one with another mark (I3)', async () => {
    const off = await aCompanyWithATeam(1, false);
    expect(await off.run()).toMatchObject({ outcome: 'failed', people: { conflicts: 1 } });
    const planned = await aCompanyWithATeam(1);
    await planned.run({ planOnly: true });
    expect(await (await planned.state()).links.team('rule:research')).toBeNull();
    const two = await aCompanyWithATeam(1);
    two.target.addTeam('Research');
    expect(await two.run()).toMatchObject({ outcome: 'failed', people: { conflicts: 1 } });
    const marked = await aCompanyWithATeam(1);
    const [team] = marked.target.teams.values();
    if (team !== undefined) team.attributes['externalId'] = 'dirsync:identity/other:research';
    const report = await marked.run();
    expect(await marked.errors(report)).toEqual([
      `research Conflict: the team ${team?.id} of this name carries the mark of somebody else`,
    ]);
    for (const { target } of [off, two, marked])
      expect(target.writes.filter((line) => /^(updateTeam|changeMembers)/.test(line))).toEqual([]);
  });

  it('is finished by the next run when its answer was lost (I6)', async () => {
    const company = await aCompanyWithATeam(2);
    company.target.intercept = (request) => {
      if (!request.startsWith('updateTeam')) return;
      company.target.intercept = () => undefined;
      const [team] = company.target.teams.values();
      if (team !== undefined) team.attributes['externalId'] = MARK;
      throw new SyncError('TargetUnavailable', 'no answer', { outcomeUnknown: true, scope: 'record' });
    };
    await company.run();
    expect(await company.run()).toMatchObject({ outcome: 'synced' });
    expect(company.teamMembers('RESEARCH')).toEqual(company.people.map(({ mail }) => mail));
    expect(company.target.teams.size).toBe(1);
  });
});
