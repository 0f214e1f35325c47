/** One person taken through now: by the same plan and guards, and without a word about the rest. */
import { describe, expect, it } from 'vitest';
import { aCompanyOf, type Company, createCompany } from '../support/company.ts';

const NO_LIMITS = { max: -1, percent: 100 };

const team = (department: string) => ({
  directorySyncRef: { name: 'acme' },
  team: { displayName: department },
  match: [{ attribute: 'department', operator: 'Equals' as const, value: department }],
});

async function aSettledCompany(n = 6): Promise<Company> {
  const company = await createCompany();
  company.spec = { ...company.spec, guards: { deactivate: NO_LIMITS, suspiciousDrop: 100 } };
  company.people = aCompanyOf(n);
  company.rules = { research: team('Research'), sales: team('Sales') };
  expect((await company.run()).reason).toBe('Synced');
  company.target.writes.length = 0;
  return company;
}

const change = (company: Company, id: string, values: object): void => {
  company.people = company.people.map((person) => (person.id === id ? { ...person, ...values } : person));
};

const facts = async (company: Company): Promise<unknown> => {
  const state = await company.state();
  const names = ['held', 'suspect', 'lastGoodRead', 'verifiedAt', 'ended', 'approval', 'endpoint'];
  return Promise.all(names.map(async (name) => [name, await state.facts.get(name)]));
};

describe.each([
  ['that is read whole', false],
  ['that can be asked for one', true],
])('one person of a source %s', (_what, readOne) => {
  async function aCompany(n?: number): Promise<Company> {
    const company = await aSettledCompany(n);
    company.source.answersOne = readOne;
    company.source.reads.length = 0;
    return company;
  }

  it('gets their changes and teams, and nobody else is touched', async () => {
    const company = await aCompany();
    change(company, 'p1', { title: 'Lead', department: 'Sales' });
    change(company, 'p2', { title: 'Lead', department: 'Sales' });
    company.people = company.people.filter(({ id }) => id !== 'p3');
    const before = await facts(company);
    const report = await company.run({ user: 'p1' });
    expect(report).toMatchObject({ kind: 'OneUser', reason: 'Synced', held: { count: 0 } });
    expect(company.target.writes).toEqual([
      'updateUser u1 title urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department',
      'createTeam Sales',
      'changeMembers t7 +0 -1',
      'changeMembers t8 +1 -0',
    ]);
    expect(company.source.reads).toHaveLength(readOne ? 0 : 1);
    expect(company.teamMembers('Sales')).toEqual(['p1@example.com']);
    expect(company.teamMembers('Research')).toHaveLength(5);
    expect(await facts(company)).toEqual(before);
    // The next whole run does the rest, and nothing twice.
    company.target.writes.length = 0;
    expect((await company.run()).applied).toMatchObject({ update: 1, deactivate: 1, addMembers: 1, removeMembers: 2 });
  });

  it('joins, leaves and comes back', async () => {
    const company = await aCompany(2);
    company.people = aCompanyOf(4);
    await company.run({ user: 'p4' });
    expect([...company.target.users.values()].map(({ attributes }) => attributes['externalId'])).toEqual([
      'p1',
      'p2',
      'p4',
    ]);
    expect(company.teamMembers('Research')).toEqual(['p1@example.com', 'p2@example.com', 'p4@example.com']);
    company.people = company.people.filter(({ id }) => id !== 'p4');
    await company.run({ user: 'p4' });
    expect(company.teamMembers('Research')).toEqual(['p1@example.com', 'p2@example.com']);
    expect([...company.target.users.values()].map(({ attributes }) => attributes['active'])).toEqual([
      true,
      true,
      false,
    ]);
    company.people = aCompanyOf(4);
    await company.run({ user: 'p4' });
    expect(company.teamMembers('Research')).toEqual(['p1@example.com', 'p2@example.com', 'p4@example.com']);
  });

  it('is held by the same guards, one by one no less than together (I4)', async () => {
    const company = await aCompany(20);
    company.spec = { ...company.spec, guards: { ...company.spec.guards, deactivate: { max: 2 } } };
    company.people = company.people.filter(({ id }) => !['p1', 'p2', 'p3'].includes(id));
    const whole = await company.run();
    expect(whole).toMatchObject({ reason: 'SyncedWithHeld', held: { kinds: { deactivate: 3 } } });
    const before = await facts(company);
    expect(await company.run({ user: 'p1' })).toMatchObject({
      reason: 'SyncedWithHeld',
      held: { kinds: { deactivate: 1 } },
    });
    expect(company.target.writes).toEqual([]);
    expect(await facts(company)).toEqual(before);
    expect((await company.run({ approve: whole.held.hash })).reason).toBe('Synced');
  });

  it('is not removed while a read is doubted, and does not settle the doubt (I1)', async () => {
    const company = await aCompany(20);
    company.spec = { ...company.spec, guards: { ...company.spec.guards, suspiciousDrop: 30 } };
    company.people = company.people.slice(0, 5);
    expect((await company.run()).reason).toBe('ReadSuspect');
    const before = await facts(company);
    expect((await company.run({ user: 'p20' })).reason).toBe('ReadSuspect');
    expect(company.target.writes).toEqual([]);
    expect(await facts(company)).toEqual(before);
  });

  it('whose name belongs to somebody else is a conflict that names both', async () => {
    const company = await aCompany(2);
    company.target.unique = [];
    change(company, 'p1', { mail: 'p2@example.com' });
    company.people = company.people.filter(({ id }) => id !== 'p2');
    const report = await company.run({ user: 'p1' });
    expect(await company.errors(report)).toEqual([
      expect.stringMatching(
        /^p1 Conflict: userName of p1 belongs to p2, whom this run leaves alone: where p2 gives it up \(a swap, a chain\), the next whole run does both; if both are one person/,
      ),
    ]);
    expect(company.target.writes).toEqual([]);
  });

  it('in a swap is a conflict alone, and the next whole run does both', async () => {
    const company = await aCompany(2);
    change(company, 'p1', { mail: 'p2@example.com' });
    change(company, 'p2', { mail: 'p1@example.com' });
    expect(await company.run({ user: 'p1' })).toMatchObject({ outcome: 'failed', people: { conflicts: 1 } });
    expect(company.target.writes).toEqual([]);
    expect(await company.run()).toMatchObject({ reason: 'Synced', applied: { rename: 2 } });
  });

  it('whom nobody knows is said to be unknown', async () => {
    const company = await aCompany();
    const report = await company.run({ user: 'p404' });
    expect(await company.errors(report)).toEqual([
      'p404 NotFound: neither the source nor the state knows anybody with the source id "p404"',
    ]);
  });

  it('is brought back to what mapping and rules say, whatever was changed by hand', async () => {
    const company = await aCompany();
    (company.target.users.get('u1')?.attributes ?? {})['title'] = 'by hand';
    (company.target.users.get('u2')?.attributes ?? {})['title'] = 'by hand';
    await company.run({ user: 'p1' });
    expect(company.target.writes).toEqual(['updateUser u1 title']);
  });

  it('spends of an approval only what is theirs (I5)', async () => {
    const company = await aCompany(20);
    company.spec = { ...company.spec, guards: { ...company.spec.guards, deactivate: { max: 0 } } };
    company.people = company.people.slice(2);
    const { held } = await company.run();
    const killed = new AbortController();
    company.target.intercept = (request) => {
      if (!request.startsWith('deactivateUser')) return;
      killed.abort();
      throw new Error('killed');
    };
    await company.run({ approve: held.hash, signal: killed.signal });
    company.target.intercept = () => undefined;
    company.target.writes.length = 0;
    expect((await company.run({ user: 'p1' })).reason).toBe('Synced');
    expect(company.target.writes[0]).toBe('deactivateUser u1');
    expect((await company.run()).reason).toBe('Synced');
    expect(company.target.users.get('u2')?.attributes).toMatchObject({ active: false });
  });
});

describe('one person of a source that is read whole', () => {
  it('is not taken for absent by a read that broke off (I1)', async () => {
    const company = await aSettledCompany();
    company.people = company.people.filter(({ id }) => id !== 'p3');
    company.readError = new Error('the line was cut');
    expect(await company.run({ user: 'p3' })).toMatchObject({ kind: 'OneUser', failedStep: 'read' });
    expect(company.target.writes).toEqual([]);
  });

  it('says whose run it was also when the state store is not to be had', async () => {
    const company = await aSettledCompany();
    await company.store.close();
    expect(await company.run({ user: 'p3' })).toMatchObject({ kind: 'OneUser', reason: 'StateUnavailable' });
  });
});
