/** Two DirectorySyncs that write to one application: what one of them owns there, the other never touches (rule I3). */
import { describe, expect, it } from 'vitest';
import type { DirectorySyncResource } from '../../src/api/directory-sync.ts';
import type { TeamRuleSpec } from '../../src/api/team-rule.ts';
import type { Json } from '../../src/model.ts';
import { aLink } from '../support/builders.ts';
import { aCompanyOf, type Company, createCompany } from '../support/company.ts';

const RESEARCH: TeamRuleSpec = {
  directorySyncRef: { name: 'acme' },
  team: { displayName: 'Research' },
  match: [{ attribute: 'department', operator: 'Equals', value: 'Research' }],
};

interface Pair {
  readonly company: Company;
  /** The other one, as it stands beside. */
  readonly others: readonly DirectorySyncResource[];
  readonly otherState: Awaited<ReturnType<Company['state']>>;
}

/** `globex` has made accounts for two people and the team Research; what follows is `acme`, of another source. */
async function aPair(): Promise<Pair> {
  const company = await createCompany();
  company.name = 'globex';
  company.people = aCompanyOf(2, (index) => ({ id: `g${index + 1}` }));
  company.rules = { research: { ...RESEARCH, directorySyncRef: { name: 'globex' } } };
  expect(await company.run()).toMatchObject({ outcome: 'synced' });
  const [resource, otherState] = [company.resource(), await company.state()];
  company.name = 'acme';
  company.rules = {};
  company.people = [];
  company.target.writes.length = 0;
  return { company, others: [resource], otherState };
}

const readValue = ({ target }: Company, id: string, path: string): Json | undefined =>
  target.users.get(id)?.attributes[path];

describe('an account of another DirectorySync', () => {
  it('is a Conflict that names it, and is not counted among those of nobody', async () => {
    const { company, others } = await aPair();
    company.people = aCompanyOf(1, () => ({ title: 'Boss' }));
    const report = await company.run({ others });
    expect(report).toMatchObject({ outcome: 'failed', people: { conflicts: 1, unmanaged: 0 } });
    expect(await company.errors(report)).toEqual([
      'p1 Conflict: the account u1 that matches by userName belongs to the DirectorySync identity/globex',
    ]);
    expect(company.target.writes).toEqual([]);
  });

  it('is nobody’s again when no resource has that id any more, and was never one’s of another application', async () => {
    const { company, others } = await aPair();
    company.people = aCompanyOf(1, () => ({ id: 'g1', title: 'Boss' }));
    const scim = { url: 'https://elsewhere.example.com/scim', credentialsRef: { name: 'app' } };
    const { spec } = company;
    company.spec = { ...spec, id: 'acme-2', target: { scim } };
    expect(await company.run({ others, planOnly: true })).toMatchObject({ plan: { recover: 1, update: 1 } });
    company.spec = spec;
    expect(await company.run()).toMatchObject({ outcome: 'synced', plan: { recover: 1, update: 1 } });
    expect(readValue(company, 'u1', 'title')).toBe('Boss');
  });

  it('is left alone where the other one was as fast', async () => {
    const { company, others, otherState } = await aPair();
    const { id } = company.target.addUser({ userName: 'p4@example.com' });
    company.people = aCompanyOf(4).slice(2);
    const link = aLink({ sourceId: 'late', targetId: id });
    company.target.intercept = async (request) => {
      // In the middle of carrying out the plan.
      if (request.startsWith('createUser')) await otherState.links.apply([{ type: 'putLink', link }]);
    };
    const limits = { concurrency: 1 };
    company.spec = { ...company.spec, limits, guards: { adopt: { percent: 100 } } };
    const report = await company.run({ others });
    expect(await company.errors(report)).toEqual([
      `p4 Conflict: the account ${id} belongs to the DirectorySync identity/globex by now`,
    ]);
    expect(readValue(company, id, 'externalId')).toBeUndefined();
  });

  it('is named where the application refuses a new account because of it', async () => {
    const { company, others, otherState } = await aPair();
    company.people = aCompanyOf(3).slice(2);
    company.target.intercept = async (request) => {
      if (!request.startsWith('createUser')) return;
      const { id } = company.target.addUser({ userName: 'p3@example.com', externalId: 'p3' });
      await otherState.links.apply([{ type: 'putLink', link: aLink({ sourceId: 'late', targetId: id }) }]);
    };
    const [error] = await company.errors(await company.run({ others }));
    expect(error).toMatch(
      /^p3 Conflict: the account u\d+ that has this externalId belongs to the DirectorySync identity\/globex$/,
    );
    expect(await (await company.state()).links.get('p3')).toBeNull();
  });
});

describe('an account that two DirectorySyncs have linked', () => {
  /** How that came about does not matter here: two stores that were joined, an address that had two names. */
  async function aContest(): Promise<Pair> {
    const pair = await aPair();
    const { company } = pair;
    const { links } = await company.state();
    await links.apply([{ type: 'putLink', link: aLink({ sourceId: 'p1', targetId: 'u1', name: 'p1@example.com' }) }]);
    return pair;
  }

  it('is the older one’s: the younger has a Conflict, writes nothing and removes nobody', async () => {
    const { company, others } = await aContest();
    company.people = aCompanyOf(1, () => ({ title: 'Boss' }));
    const report = await company.run({ others });
    expect(await company.errors(report)).toEqual([
      'p1 Conflict: the account u1 is owned by the DirectorySync identity/globex as well, which is older',
    ]);
    company.people = aCompanyOf(9).slice(8);
    expect(await company.run({ others })).toMatchObject({ plan: { create: 1, deactivate: 0 } });
    company.spec = { ...company.spec, deletionPolicy: 'Delete' };
    await company.run({ others, deletion: true });
    expect(company.target.writes).toEqual(['createUser p9@example.com', expect.stringMatching(/^deleteUser/)]);
    expect(readValue(company, 'u1', 'title')).toBe('Engineer');
  });

  it('goes on to be written by the older one', async () => {
    const { company } = await aContest();
    const others = [company.resource()];
    await company.run();
    company.name = 'globex';
    company.people = aCompanyOf(2, (index) => ({ id: `g${index + 1}`, title: 'Boss' }));
    expect(await company.run({ others })).toMatchObject({ outcome: 'synced' });
    expect(readValue(company, 'u1', 'title')).toBe('Boss');
  });
});

describe('a team of another DirectorySync', () => {
  it.each([true, false])('is a Conflict that names it, with adoptTeams: %s', async (adoptTeams) => {
    const { company, others } = await aPair();
    company.people = aCompanyOf(5).slice(4);
    company.rules = { research: RESEARCH };
    company.spec = { ...company.spec, adoptTeams };
    const report = await company.run({ others });
    expect(await company.errors(report)).toEqual([
      'research Conflict: the target already has a team of this name (t3), which belongs to the DirectorySync identity/globex',
    ]);
    expect(company.teamMembers('Research')).toEqual(['p1@example.com', 'p2@example.com']);
  });
});

describe('a takeover that is only planned', () => {
  it('knows the accounts of others as the one that is carried out does', async () => {
    const { company, others } = await aPair();
    company.people = aCompanyOf(4).slice(2);
    expect(await company.run({ others })).toMatchObject({ outcome: 'synced' });
    company.spec = { ...company.spec, id: 'acme-2', adoptFrom: 'acme' };
    company.people = [...company.people, ...aCompanyOf(1)];
    const expected = [
      'p1 Conflict: the account u1 that matches by userName belongs to the DirectorySync identity/globex',
    ];
    expect(await company.errors(await company.run({ others, planOnly: true, resync: true }))).toEqual(expected);
    expect(await company.errors(await company.run({ others, resync: true }))).toEqual(expected);
  });
});
