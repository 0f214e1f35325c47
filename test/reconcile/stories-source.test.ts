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
  it('keeps its team and those of groups above it; everything else goes on, and the history names it (I1, I8)', async () => {
    const company = await createCompany();
    company.people = aCompanyOf(12);
    company.spec = {
      ...company.spec,
      source: { file: { users: { path: 'people.csv' }, groups: { path: 'groups.json' } } },
      groups: { provision: 'All' },
    };
    const groups = [
      { id: 'g1', displayName: 'Choir', members: ['p1', 'p2', 'p3'] },
      { id: 'g2', displayName: 'Chess', members: ['p4', 'p12'] },
      { id: 'g3', displayName: 'Clubs', members: ['g2', 'p5'] },
    ];
    company.source.groups = groups;
    expect(await company.run()).toMatchObject({ outcome: 'synced', links: { teams: 3 } });
    // The members of Chess cannot be read. Somebody has moved between choirs, one has another title, one has left the company.
    company.source.groups = [
      { id: 'g1', displayName: 'Choir', members: ['p1', 'p2', 'p6'] },
      { id: 'g2', displayName: 'Chess', members: [] },
      { id: 'g3', displayName: 'Clubs', members: ['g2'] },
    ];
    company.source.failedGroups = [{ id: 'g2', code: 'ReadFailed', message: 'the members cannot be read' }];
    company.people = company.people.slice(0, 11).map((each) => (each.id === 'p3' ? { ...each, title: 'Lead' } : each));
    const report = await company.run();
    expect(report).toMatchObject({
      reason: 'SyncedWithErrors',
      suspicion: null,
      applied: { update: 1, deactivate: 1 },
    });
    expect(await company.errors(report)).toEqual(['g2 ReadFailed: the members cannot be read']);
    expect(company.teamMembers('Choir')).toEqual(['p1@example.com', 'p2@example.com', 'p6@example.com']);
    expect(company.teamMembers('Chess')).toEqual(['p12@example.com', 'p4@example.com']);
    expect(company.teamMembers('Clubs')).toEqual(['p12@example.com', 'p4@example.com', 'p5@example.com']);
    // Read again, the groups are what they were, but for who has left the company.
    company.source.groups = groups;
    company.source.failedGroups = [];
    expect(await company.run()).toMatchObject({ outcome: 'synced' });
    expect(company.teamMembers('Chess')).toEqual(['p4@example.com']);
    expect(company.teamMembers('Clubs')).toEqual(['p4@example.com', 'p5@example.com']);
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
    const { warnings } = await company.run();
    expect(warnings).toEqual([
      {
        reason: 'UnknownAttribute',
        message: 'people whose record came without "department": what depends on it stays as it is for them',
        count: 1,
      },
    ]);
    expect(company.teamMembers('Research')).toContain('p2@example.com');
    expect(departments(company)).toEqual(['Sales', 'Research', 'Sales', 'Sales', 'Sales', 'Sales']);
  });
});
