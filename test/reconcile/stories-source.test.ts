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

describe('the directory', () => {
  it('answers 200 with nobody: an empty read is suspect and removes nobody, on the second run too (I1)', async () => {
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

  it('answers 200 with a part: a read without its end is incomplete, and nothing follows from it (I1)', async () => {
    const company = await aConvergedCompany(12);
    company.source.endsAfter = 2;
    company.people = company.people.map((person) => ({ ...person, title: 'Lead' }));
    const report = await company.run();
    expect(report).toMatchObject({ outcome: 'waiting', reason: 'ReadIncomplete', sourceRead: false, plan: null });
    expect(company.target.writes).toEqual([]);
    company.source.endsAfter = null;
    expect(await company.run()).toMatchObject({ outcome: 'synced', plan: { update: 12, deactivate: 0 } });
  });

  it('breaks off in the middle: what arrived is not taken for everybody (I1)', async () => {
    const company = await aConvergedCompany(12);
    company.source.failsAfter = { pages: 3, error: new Error('socket hang up') };
    expect(await company.run()).toMatchObject({ outcome: 'waiting', reason: 'ReadFailed', sourceRead: false });
    expect(company.target.writes).toEqual([]);
  });

  it('cannot say one attribute of one person: that person’s value and team stay, the others go on (I13)', async () => {
    const company = await aConvergedCompany(6);
    company.source.unknownOf = new Map([['p2', ['department']]]);
    company.people = company.people.map((person) => ({ ...person, department: 'Sales' }));
    await company.run();
    expect(company.teamMembers('Research')).toContain('p2@example.com');
    const departments = [...company.target.users.values()].map(
      ({ attributes }) => attributes['urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department'],
    );
    expect(departments).toEqual(['Sales', 'Research', 'Sales', 'Sales', 'Sales', 'Sales']);
  });
});
