/** People who leave, are deleted after a grace, and come back before or after it. */
import { describe, expect, it } from 'vitest';
import { SyncError } from '../../src/errors.ts';
import { aCompanyOf, type Company, createCompany, type Person } from '../support/company.ts';

const NO_LIMITS = { max: -1, percent: 100 };
const HOUR = 3_600_000;

const RESEARCH = {
  directorySyncRef: { name: 'acme' },
  team: { displayName: 'Research' },
  match: [{ attribute: 'department', operator: 'Equals' as const, value: 'Research' }],
};

async function aSettledCompany(deprovisioning: object = { deleteAfter: '720h' }): Promise<Company> {
  const company = await createCompany();
  company.spec = {
    ...company.spec,
    deprovisioning,
    guards: { deactivate: NO_LIMITS, delete: NO_LIMITS, removeMembers: NO_LIMITS, suspiciousDrop: 100 },
  };
  company.people = aCompanyOf(3);
  company.rules = { research: RESEARCH };
  await settle(company);
  return company;
}

async function settle(company: Company): Promise<void> {
  expect((await company.run()).reason).toBe('Synced');
  company.target.writes.length = 0;
}

function pass(company: Company, hours: number): void {
  company.now = new Date(company.now.getTime() + hours * HOUR);
}

const without = (company: Company, id: string): Person[] => company.people.filter((person) => person.id !== id);

/** p2 is gone from the source and deactivated. */
async function aLeaver(deprovisioning?: object): Promise<Company> {
  const company = await aSettledCompany(deprovisioning);
  company.people = without(company, 'p2');
  await settle(company);
  expect(company.target.users.get('u2')?.attributes).toMatchObject({ active: false });
  return company;
}

describe('who was deactivated', () => {
  it('is deleted when the grace is over, and not before', async () => {
    const company = await aLeaver();
    pass(company, 719);
    await settle(company);
    expect(company.target.users.has('u2')).toBe(true);
    pass(company, 1);
    const report = await company.run();
    expect(company.target.writes).toEqual(['deleteUser u2']);
    expect((await company.operations(report))[0]).toMatchObject({
      kind: 'delete',
      cause: 'deletedAtSource',
      reason: 'was deactivated, and deleteAfter is over',
      guards: [{ kind: 'delete', scope: '' }],
      removal: true,
    });
    expect(report.links.people).toBe(2);
  });

  it.each([
    ['outOfScope', (person: Person) => ({ ...person, scope: 'out' })],
    ['disabledAtSource', (person: Person) => ({ ...person, active: false, title: 'Gone' })],
  ])('is deleted so too when they are %s', async (_departure, change) => {
    const company = await aSettledCompany();
    company.spec = {
      ...company.spec,
      scope: { filters: [[{ attribute: 'scope', operator: 'NotEquals', value: 'out' }]] },
    };
    company.people = company.people.map((person) => ({ ...person, scope: 'in' }));
    await settle(company);
    company.people = company.people.map((person) => (person.id === 'p2' ? (change(person) as Person) : person));
    await settle(company);
    pass(company, 720);
    expect((await company.run()).reason).toBe('Synced');
    expect(company.target.users.has('u2')).toBe(false);
  });

  it('is never deleted without deleteAfter, and a change of it applies to who is away already', async () => {
    const company = await aLeaver({});
    pass(company, 10_000);
    await settle(company);
    expect(company.target.users.has('u2')).toBe(true);
    company.spec = { ...company.spec, deprovisioning: { deleteAfter: '720h' } };
    await settle(company);
    expect(company.target.users.has('u2')).toBe(false);
  });

  it('waits for approval where the guard says so (I4)', async () => {
    const company = await aLeaver();
    company.spec = { ...company.spec, guards: { ...company.spec.guards, delete: { max: 0 } } };
    pass(company, 720);
    const report = await company.run();
    expect(report).toMatchObject({ reason: 'SyncedWithHeld', held: { kinds: { delete: 1 } } });
    expect((await company.run()).held.hash).toBe(report.held.hash);
    expect((await company.run({ approve: report.held.hash })).reason).toBe('Synced');
    expect(company.target.writes).toEqual(['deleteUser u2']);
  });

  it('is not deleted by a suspect read (I1), nor while it is not known who is absent', async () => {
    const company = await aLeaver();
    pass(company, 720);
    company.failed = [{ id: null, code: 'RecordInvalid', message: 'a row that cannot be read' }];
    await company.run();
    expect(company.target.writes).toEqual([]);
    company.failed = [];
    company.people = [];
    expect((await company.run()).reason).toBe('ReadSuspect');
    expect(company.target.writes).toEqual([]);
  });

  it('is not deleted when an entry for active alone has switched them off', async () => {
    const company = await aSettledCompany();
    company.mapping = { attributes: [...company.mapping.attributes, { target: 'active', source: 'employed' }] };
    company.people = company.people.map((person) => ({ ...person, employed: person.id !== 'p2' }));
    await settle(company);
    pass(company, 1_000);
    await settle(company);
    expect(company.target.users.get('u2')?.attributes).toMatchObject({ active: false });
  });

  it('begins a new grace after a lost store (I7)', async () => {
    const company = await aSettledCompany();
    company.people = company.people.map((person) => (person.id === 'p2' ? { ...person, active: false } : person));
    await settle(company);
    pass(company, 719);
    await company.loseState();
    await company.run();
    pass(company, 719);
    expect((await company.run()).held.count).toBe(0);
    pass(company, 1);
    // A link that was rebuilt removes nothing without approval.
    expect((await company.run()).held.kinds).toEqual({ recovered: 1 });
    expect(company.target.users.has('u2')).toBe(true);
  });

  it('is not deleted early by a clock that was wrong when they left, or that is set back', async () => {
    const company = await aSettledCompany();
    company.people = without(company, 'p2');
    pass(company, 5_000);
    await settle(company);
    // The clock is put right: the time of the departure lies ahead, and the grace begins now.
    pass(company, -5_000);
    await settle(company);
    pass(company, 719);
    await settle(company);
    expect(company.target.users.has('u2')).toBe(true);
    pass(company, 1);
    await settle(company);
    expect(company.target.users.has('u2')).toBe(false);
  });

  it('counts from the confirmed deactivation: one that fails begins no grace', async () => {
    const company = await aSettledCompany();
    company.people = without(company, 'p2');
    company.target.intercept = (request) => {
      if (request.startsWith('deactivateUser')) throw new SyncError('TargetRejected', 'no');
    };
    await company.run();
    company.target.intercept = () => undefined;
    pass(company, 720);
    await settle(company);
    expect(company.target.users.get('u2')?.attributes).toMatchObject({ active: false });
  });
});

describe('who comes back', () => {
  it('return within the grace: the same account, and the teams that rules grant now', async () => {
    const company = await aLeaver();
    const [, back] = aCompanyOf(2);
    pass(company, 700);
    company.people = [...company.people, back as Person];
    await settle(company);
    expect(company.target.users.get('u2')?.attributes).toMatchObject({ active: true });
    expect(company.teamMembers('Research')).toEqual(['p1@example.com', 'p2@example.com', 'p3@example.com']);
    // The next departure begins a grace of its own.
    company.people = without(company, 'p2');
    await settle(company);
    pass(company, 719);
    await settle(company);
    expect(company.target.users.has('u2')).toBe(true);
  });

  it('return after deletion: a new account', async () => {
    const company = await aLeaver();
    pass(company, 720);
    await settle(company);
    company.people = aCompanyOf(3);
    await settle(company);
    expect([...company.target.users.keys()].sort()).toEqual(['u1', 'u3', 'u5']);
    expect(company.teamMembers('Research')).toEqual(['p1@example.com', 'p2@example.com', 'p3@example.com']);
  });

  it('gets remembered memberships of teams that no rule computes any more, once', async () => {
    const company = await aLeaver();
    company.rules = {};
    await settle(company);
    expect(company.teamMembers('Research')).toEqual(['p1@example.com', 'p3@example.com']);
    company.people = aCompanyOf(3);
    const report = await company.run();
    expect(report.reason).toBe('Synced');
    expect(company.teamMembers('Research')).toEqual(['p1@example.com', 'p2@example.com', 'p3@example.com']);
    expect((await company.operations(report)).at(-1)).toMatchObject({
      kind: 'addMembers',
      cause: 'return',
      reason: 'was a member before they left',
    });
    // Taken out by hand later, they stay out.
    company.target.teams.values().next().value?.members.delete('u2');
    await settle(company);
    await company.run({ resync: true });
    expect(company.teamMembers('Research')).toEqual(['p1@example.com', 'p3@example.com']);
  });

  it('gets none of them with restoreMemberships: false', async () => {
    const company = await aLeaver({ deleteAfter: '720h', restoreMemberships: false });
    company.rules = {};
    company.people = aCompanyOf(3);
    await settle(company);
    expect(company.target.users.get('u2')?.attributes).toMatchObject({ active: true });
    expect(company.teamMembers('Research')).toEqual(['p1@example.com', 'p3@example.com']);
  });

  it('gets what a rule no longer grants from nobody', async () => {
    const company = await aLeaver();
    company.people = aCompanyOf(3).map((person) => (person.id === 'p2' ? { ...person, department: 'Sales' } : person));
    await settle(company);
    expect(company.teamMembers('Research')).toEqual(['p1@example.com', 'p3@example.com']);
  });

  it.each(['updateUser u2', 'changeMembers'])('gets everything after a kill at %s (I6)', async (at) => {
    for (const moment of ['intercept', 'answering'] as const) {
      const company = await aLeaver();
      company.rules = {};
      company.people = aCompanyOf(3);
      const killed = new AbortController();
      company.target[moment] = (request) => {
        if (!request.startsWith(at)) return;
        killed.abort();
        throw new SyncError('Aborted', 'killed', { outcomeUnknown: true });
      };
      expect((await company.run({ signal: killed.signal })).outcome).toBe('waiting');
      company.target[moment] = () => undefined;
      await settle(company);
      expect(company.target.users.get('u2')?.attributes).toMatchObject({ active: true });
      expect(company.teamMembers('Research')).toEqual(['p1@example.com', 'p2@example.com', 'p3@example.com']);
      await settle(company);
    }
  });

  it('gets remembered memberships also when the target refused to deactivate them, and no grace counts', async () => {
    const company = await aSettledCompany();
    company.people = without(company, 'p2');
    company.target.intercept = (request) => {
      if (request.startsWith('deactivateUser')) throw new SyncError('TargetRejected', 'no');
    };
    expect((await company.run()).applied).toMatchObject({ deactivate: 0, removeMembers: 1 });
    pass(company, 720);
    // Switched off by hand after that: the grace begins when it is seen.
    const [user] = [company.target.users.get('u2')];
    (user?.attributes ?? {})['active'] = false;
    await company.run({ resync: true });
    expect(company.target.users.has('u2')).toBe(true);
    (user?.attributes ?? {})['active'] = true;
    await company.run({ resync: true });
    company.target.intercept = () => undefined;
    company.rules = {};
    company.people = aCompanyOf(3);
    await settle(company);
    expect(company.teamMembers('Research')).toEqual(['p1@example.com', 'p2@example.com', 'p3@example.com']);
  });

  it('of a departure that was killed at its removals remembers them (I6)', async () => {
    for (const moment of ['intercept', 'answering'] as const) {
      const company = await aSettledCompany();
      company.people = without(company, 'p2');
      const killed = new AbortController();
      company.target[moment] = (request) => {
        if (!request.startsWith('changeMembers')) return;
        killed.abort();
        throw new SyncError('Aborted', 'killed', { outcomeUnknown: true });
      };
      await company.run({ signal: killed.signal });
      company.target[moment] = () => undefined;
      await settle(company);
      expect(company.teamMembers('Research')).toEqual(['p1@example.com', 'p3@example.com']);
      company.rules = {};
      company.people = aCompanyOf(3);
      await settle(company);
      expect(company.teamMembers('Research')).toEqual(['p1@example.com', 'p2@example.com', 'p3@example.com']);
    }
  });
});

describe('the fast lane', () => {
  it('sends deactivations before everything else of a run', async () => {
    const company = await aSettledCompany();
    company.people = [...aCompanyOf(20, (index) => ({ title: `Title ${index}` })).filter(({ id }) => id !== 'p3')];
    await company.run();
    expect(company.target.writes[0]).toBe('deactivateUser u3');
    expect(company.target.writes.length).toBeGreaterThan(18);
  });
});
