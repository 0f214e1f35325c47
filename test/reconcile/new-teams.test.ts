import { describe, expect, it } from 'vitest';
import { SyncError } from '../../src/errors.ts';
import { aCompanyOf, type Company, createCompany } from '../support/company.ts';

async function aCompanyWithTeams(): Promise<Company> {
  const company = await createCompany();
  company.people = aCompanyOf(8, (index) => ({ department: index < 4 ? 'Research' : 'Sales' }));
  company.rules = {
    departments: { directorySyncRef: { name: 'acme' }, teamsFrom: { attributes: ['department'] } },
  };
  return company;
}

function refuseAccounts(company: Company, isRefused: (request: string) => boolean): void {
  company.target.intercept = (request) => {
    if (request.startsWith('createUser') && isRefused(request)) throw new SyncError('TargetRejected', 'refused');
  };
}

const teamNames = (company: Company) =>
  [...company.target.teams.values()].map(({ attributes }) => attributes['displayName']);

describe('a new team', () => {
  it('is neither planned nor made while nobody who belongs to it can get an account', async () => {
    const company = await aCompanyWithTeams();
    company.mapping = {
      attributes: [
        { target: 'userName', source: 'mial' },
        { target: 'externalId', source: 'id', matching: { precedence: 1 } },
      ],
    };
    const report = await company.run();
    expect(report).toMatchObject({ outcome: 'failed', plan: { create: 0, createTeams: 0, addMembers: 0 } });
    expect(company.target.writes).toEqual([]);
  });

  it('is not made when every account of its members is refused, and is with the first of them', async () => {
    const company = await aCompanyWithTeams();
    refuseAccounts(company, (request) => /p[1-4]@/.test(request));
    const report = await company.run();
    expect(report).toMatchObject({ outcome: 'failed', plan: { createTeams: 2 }, applied: { createTeams: 1 } });
    expect(teamNames(company)).toEqual(['Sales']);

    refuseAccounts(company, (request) => /p[1-3]@/.test(request));
    await company.run();
    expect(teamNames(company)).toEqual(['Sales', 'Research']);
    expect(company.teamMembers('Research')).toEqual(['p4@example.com']);
  });

  it('is not made while the accounts of all its members are held', async () => {
    const company = await aCompanyWithTeams();
    for (const index of [1, 2, 3, 4]) company.target.addUser({ userName: `p${index}@example.com` });
    company.spec = { ...company.spec, guards: { adopt: { max: 0 } } };
    const held = await company.run();
    expect(held).toMatchObject({ outcome: 'held', held: { kinds: { adopt: 4 } } });
    expect(teamNames(company)).toEqual(['Sales']);
    await company.run({ approve: held.held.hash });
    expect(company.teamMembers('Research')).toHaveLength(4);
  });

  it('is made for people who have an account already', async () => {
    const company = await aCompanyWithTeams();
    const { rules } = company;
    company.rules = {};
    await company.run();
    company.rules = rules;
    const report = await company.run();
    expect(report).toMatchObject({ outcome: 'synced', applied: { createTeams: 2, addMembers: 8 } });
  });
});
