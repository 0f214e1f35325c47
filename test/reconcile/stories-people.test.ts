/** What happens to the addresses of people over months, each story by the name that people give it. */
import { describe, expect, it } from 'vitest';
import type { TeamRuleSpec } from '../../src/api/team-rule.ts';
import { aCompanyOf, type Company, createCompany, type Person } from '../support/company.ts';

const HOUR = 3_600_000;

const RESEARCH: TeamRuleSpec = {
  directorySyncRef: { name: 'acme' },
  team: { displayName: 'Research' },
  match: [{ attribute: 'department', operator: 'Equals', value: 'research' }],
};

/** Everybody has an account, on a target that gives a userName to one account only. */
async function aConvergedCompany(people: number): Promise<Company> {
  const company = await createCompany();
  company.spec = { ...company.spec, deprovisioning: { deleteAfter: '720h' } };
  company.people = aCompanyOf(people);
  company.rules = { research: RESEARCH };
  expect(await company.run()).toMatchObject({ outcome: 'synced' });
  company.target.writes.length = 0;
  return company;
}

function edit(company: Company, changes: Readonly<Record<string, Partial<Person>>>): void {
  company.people = company.people.map((person) => ({ ...person, ...changes[person.id] }) as Person);
}

/** `p1 p2@example.com` by target id: who has which account under which name. */
function accounts({ target }: Company): Record<string, string> {
  const all = [...target.users.values()].map(({ id, attributes }) => {
    const name = `${attributes['externalId']} ${attributes['userName']}`;
    return [id, attributes['active'] === false ? `(${name})` : name];
  });
  return Object.fromEntries(all);
}

async function expectQuiet(company: Company): Promise<void> {
  company.target.writes.length = 0;
  expect(await company.run()).toMatchObject({ outcome: 'synced' });
  expect(await company.run({ resync: true })).toMatchObject({ outcome: 'synced' });
  expect(company.target.writes).toEqual([]);
}

describe('mail swapped between two people', () => {
  it('leaves both their own account and teams, whatever else changes with it (I3, I10)', async () => {
    const company = await aConvergedCompany(12);
    edit(company, {
      p1: { mail: 'p2@example.com', title: 'Lead' },
      p2: { mail: 'p1@example.com', department: 'Sales' },
    });
    const report = await company.run();
    expect(report).toMatchObject({ outcome: 'synced', plan: { rename: 2, create: 0, deactivate: 0, delete: 0 } });
    expect(accounts(company)).toMatchObject({ u1: 'p1 p2@example.com', u2: 'p2 p1@example.com' });
    expect(company.target.users.get('u1')?.attributes).toMatchObject({ title: 'Lead' });
    // p1 under the name that was p2's: it is the person who stays in the team, not the address.
    expect(company.teamMembers('Research')).toContain('p2@example.com');
    expect(company.teamMembers('Research')).not.toContain('p1@example.com');
    await expectQuiet(company);
  });

  it('and back again on the next day ends where it began (I10)', async () => {
    const company = await aConvergedCompany(12);
    const before = accounts(company);
    edit(company, { p1: { mail: 'p2@example.com' }, p2: { mail: 'p1@example.com' } });
    expect(await company.run()).toMatchObject({ outcome: 'synced' });
    edit(company, { p1: { mail: 'p1@example.com' }, p2: { mail: 'p2@example.com' } });
    company.now = new Date(company.now.getTime() + 24 * HOUR);
    expect(await company.run()).toMatchObject({ outcome: 'synced' });
    expect(accounts(company)).toEqual(before);
    await expectQuiet(company);
  });
});

describe('recycled mail', () => {
  it('of a leaver is a conflict for the joiner until the account is deleted; then it is a new account (I3, I8)', async () => {
    const company = await aConvergedCompany(12);
    company.people = company.people.filter(({ id }) => id !== 'p1');
    expect(await company.run()).toMatchObject({ outcome: 'synced', applied: { deactivate: 1 } });
    const joiner = { ...aCompanyOf(1)[0], id: 'p90' } as Person;
    const other = { ...joiner, id: 'p91', mail: 'p91@example.com' };
    company.people = [...company.people, joiner, other];
    const report = await company.run();
    expect(report).toMatchObject({ reason: 'SyncedWithErrors', people: { conflicts: 1 }, applied: { create: 1 } });
    expect(await company.errors(report)).toEqual([
      expect.stringMatching(/^p90 Conflict: userName of p90 belongs to p1, whose account keeps it/),
    ]);
    expect(company.teamMembers('Research')).not.toContain('p1@example.com');
    // The grace is over: the account of who left goes, and the joiner gets one of their own in the same run.
    company.now = new Date(company.now.getTime() + 720 * HOUR);
    expect(await company.run()).toMatchObject({ outcome: 'synced', applied: { delete: 1, create: 1 } });
    const [id] = Object.entries(accounts(company)).find(([, name]) => name === 'p90 p1@example.com') ?? [];
    expect(id).not.toBe('u1');
    expect(company.target.users.has('u1')).toBe(false);
    expect(company.teamMembers('Research')).toContain('p1@example.com');
    await expectQuiet(company);
  });

  it('of somebody who has a new one is the joiner’s at once, and neither gets the other’s account (I3, I10)', async () => {
    const company = await aConvergedCompany(12);
    edit(company, { p1: { mail: 'married@example.com' } });
    company.people = [...company.people, { ...aCompanyOf(1)[0], id: 'p90' } as Person];
    expect(await company.run()).toMatchObject({ outcome: 'synced', applied: { rename: 1, create: 1 } });
    const after = accounts(company);
    expect(after['u1']).toBe('p1 married@example.com');
    expect(Object.values(after)).toContain('p90 p1@example.com');
    await expectQuiet(company);
  });
});
