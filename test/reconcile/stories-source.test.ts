/** What directories do that must not cost anybody the account, each story by the name that people give it. */
import { describe, expect, it } from 'vitest';
import type { TeamRuleResource } from '../../src/api/team-rule.ts';
import { aCompanyOf, type Company, createCompany } from '../support/company.ts';

const RESEARCH: TeamRuleResource['spec'] = {
  directorySyncRef: { name: 'acme' },
  team: { displayName: 'Research' },
  match: [{ attribute: 'department', operator: 'Equals', value: 'research' }],
};

async function aConvergedCompany(people: number): Promise<Company> {
  const company = await createCompany();
  company.people = aCompanyOf(people);
  company.rules = { research: RESEARCH };
  expect(await company.run()).toMatchObject({ outcome: 'synced' });
  company.target.writes.length = 0;
  return company;
}

const departments = ({ target }: Company): unknown[] =>
  [...target.users.values()].map(
    ({ attributes }) => attributes['urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department'],
  );

describe('empty 200', () => {
  it('is suspect and removes nobody, on the second run too (I1)', async () => {
    const company = await aConvergedCompany(12);
    company.source.columns = Object.keys(company.people[0] ?? {});
    company.people = [];
    const later = async (minutes: number) => {
      company.now = new Date(company.now.getTime() + minutes * 60_000);
      return company.run();
    };
    const held = { reason: 'ReadSuspect', held: { kinds: { suspect: 12 } } };
    expect(await later(0)).toMatchObject({ ...held, suspicion: 'the read has nobody, the last good one had 12' });
    expect(await later(1)).toMatchObject(held);
    // Confirmed by a second read, the guards judge: nobody is gone for that either.
    expect(await later(20)).toMatchObject({ outcome: 'held', held: { kinds: { deactivate: 12 } } });
    expect(company.target.writes).toEqual([]);
    expect(company.teamMembers('Research')).toHaveLength(12);
  });
});

describe('partial 200', () => {
  it('is a read without its end: incomplete, and nothing follows from it (I1)', async () => {
    const company = await aConvergedCompany(12);
    company.source.endsAfter = 2;
    company.people = company.people.map((person) => ({ ...person, title: 'Lead' }));
    const report = await company.run();
    expect(report).toMatchObject({ outcome: 'waiting', reason: 'ReadIncomplete', sourceRead: false, plan: null });
    expect(company.target.writes).toEqual([]);
    company.source.endsAfter = null;
    expect(await company.run()).toMatchObject({ outcome: 'synced', plan: { update: 12, deactivate: 0 } });
  });

  it('that breaks off in the middle is not taken for everybody either (I1)', async () => {
    const company = await aConvergedCompany(12);
    company.source.failsAfter = { pages: 3, error: new Error('socket hang up') };
    expect(await company.run()).toMatchObject({ outcome: 'waiting', reason: 'ReadFailed', sourceRead: false });
    expect(company.target.writes).toEqual([]);
  });
});

describe('one failing group', () => {
  it('keeps every team of groups as it is, and everything else goes on (I1, I13)', async () => {
    const company = await createCompany();
    company.people = aCompanyOf(12);
    const ids = company.people.map(({ id }) => id);
    const groups = [
      { name: 'Choir', members: ids.slice(0, 6) },
      { name: 'Chess', members: ids.slice(6) },
    ];
    company.source.groups = groups;
    company.rules = { groups: { directorySyncRef: { name: 'acme' }, teamsFrom: { attributes: ['groups'] } } };
    expect(await company.run()).toMatchObject({ outcome: 'synced', links: { teams: 2 } });
    // Chess fails; two have moved to it, one has left the company, one has another title.
    const [choir] = groups;
    company.source.groups = [
      { name: 'Choir', members: choir?.members.slice(2) ?? [] },
      { name: 'Chess', members: [], fails: true },
    ];
    company.people = company.people.slice(0, 11).map((each) => (each.id === 'p3' ? { ...each, title: 'Lead' } : each));
    const report = await company.run();
    expect(report).toMatchObject({ suspicion: null, applied: { update: 1, deactivate: 1, removeMembers: 0 } });
    expect(report.warnings).toContainEqual(
      expect.objectContaining({ reason: 'UnknownAttribute', message: expect.stringContaining('groups') }),
    );
    expect([company.teamMembers('Choir').length, company.teamMembers('Chess').length]).toEqual([6, 6]);
    // Read again, the groups are what they were, but for who has left the company.
    company.source.groups = groups;
    company.target.writes.length = 0;
    expect(await company.run()).toMatchObject({ outcome: 'synced' });
    expect(company.target.writes).toEqual([expect.stringMatching(/^changeMembers \w+ \+0 -1$/)]);
    expect(company.teamMembers('Chess')).not.toContain('p12@example.com');
  });
});

describe('column gone', () => {
  it('is unknown, not empty: values and teams stay, everything else goes on, and a warning names it (I13)', async () => {
    const company = await aConvergedCompany(12);
    company.source.unknown = ['department'];
    company.people = [...aCompanyOf(13)].map((person) => ({ ...person, title: 'Lead' }));
    const report = await company.run();
    expect(report).toMatchObject({ suspicion: null, plan: { create: 1, update: 12, deactivate: 0, removeMembers: 0 } });
    expect(report.warnings).toContainEqual(
      expect.objectContaining({ reason: 'UnknownAttribute', message: expect.stringContaining('department') }),
    );
    expect(departments(company).slice(0, 12)).toEqual(Array.from({ length: 12 }, () => 'Research'));
    expect(company.teamMembers('Research')).toHaveLength(12);
    // Back again, it is a column like any other: the joiner gets their team, and nobody else is written.
    company.source.unknown = [];
    company.target.writes.length = 0;
    expect(await company.run()).toMatchObject({ outcome: 'synced', plan: { update: 1, addMembers: 1 } });
  });

  it('for one person alone keeps that person’s value and team, and the others go on (I13)', async () => {
    const company = await aConvergedCompany(6);
    company.source.unknownOf = new Map([['p2', ['department']]]);
    company.people = company.people.map((person) => ({ ...person, department: 'Sales' }));
    await company.run();
    expect(company.teamMembers('Research')).toContain('p2@example.com');
    expect(departments(company)).toEqual(['Sales', 'Research', 'Sales', 'Sales', 'Sales', 'Sales']);
  });
});
