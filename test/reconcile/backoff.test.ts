/** Operations that the target refuses: when they are tried again, and when the run stops for them. */
import { describe, expect, it } from 'vitest';
import { SyncError } from '../../src/errors.ts';
import { aCompanyOf, type Company, createCompany } from '../support/company.ts';

const MINUTE = 60_000;
const NO_LIMITS = { max: -1, percent: 100 };

async function aSettledCompany(n = 3): Promise<Company> {
  const company = await createCompany();
  company.spec = {
    ...company.spec,
    guards: { deactivate: NO_LIMITS, delete: NO_LIMITS, rename: NO_LIMITS, suspiciousDrop: 100 },
    limits: { concurrency: 1 },
  };
  company.people = aCompanyOf(n);
  expect((await company.run()).reason).toBe('Synced');
  company.target.writes.length = 0;
  return company;
}

/** The target refuses requests that begin so. */
function refuse(company: Company, pattern: RegExp): void {
  company.target.intercept = (request) => {
    if (!pattern.test(request)) return;
    company.target.writes.push(`refused ${request}`);
    throw new SyncError('TargetRejected', 'the target refused it');
  };
}

const change = (company: Company, id: string, values: object): void => {
  company.people = company.people.map((person) => (person.id === id ? { ...person, ...values } : person));
};

function pass(company: Company, minutes: number): void {
  company.now = new Date(company.now.getTime() + minutes * MINUTE);
}

/** A scheduled run; gives what was sent. */
async function scheduled(company: Company): Promise<string[]> {
  company.target.writes.length = 0;
  const report = await company.run({ tryAll: false });
  expect(report.failedStep).toBeNull();
  return [...company.target.writes];
}

const REFUSED = 'refused updateUser u1 title';

describe('an operation that failed', () => {
  it('waits for minutes, then longer, up to a day, and is counted as failed all the while (I8)', async () => {
    const company = await aSettledCompany();
    change(company, 'p1', { title: 'Lead' });
    refuse(company, /^updateUser u1/);
    expect(await scheduled(company)).toEqual([REFUSED]);
    for (const wait of [5, 10, 20, 40, 80, 160, 320, 640, 1280, 1440, 1440]) {
      pass(company, wait - 1);
      const before = await company.run({ tryAll: false });
      expect(before).toMatchObject({ reason: 'SyncedWithErrors', people: { failed: 1 }, plan: { update: 0 } });
      expect(await company.errors(before)).toEqual([
        expect.stringMatching(
          /^p1 TargetRejected: the target refused it \(failed .*; tried again after 2026-.*Z, or by hand\)$/,
        ),
      ]);
      pass(company, 1);
      expect(await scheduled(company)).toEqual([REFUSED]);
    }
    company.target.intercept = () => undefined;
    pass(company, 1440);
    expect(await scheduled(company)).toEqual(['updateUser u1 title']);
    expect((await company.run({ tryAll: false })).reason).toBe('Synced');
  });

  it('holds back nothing else of the person, and nobody else', async () => {
    const company = await aSettledCompany();
    change(company, 'p1', { title: 'Lead' });
    refuse(company, /^updateUser u1 title/);
    await scheduled(company);
    change(company, 'p1', { mail: 'new@example.com' });
    change(company, 'p2', { title: 'Lead' });
    expect((await scheduled(company)).sort()).toEqual(['updateUser u1 userName', 'updateUser u2 title']);
  });

  it('is tried at once by hand, and when another value is wanted', async () => {
    const company = await aSettledCompany();
    change(company, 'p1', { title: 'Lead' });
    refuse(company, /^updateUser u1/);
    await scheduled(company);
    expect(await scheduled(company)).toEqual([]);
    company.target.writes.length = 0;
    await company.run({ tryAll: true });
    expect(company.target.writes).toEqual([REFUSED]);
    expect(await scheduled(company)).toEqual([]);
    change(company, 'p1', { title: 'Principal' });
    expect(await scheduled(company)).toEqual([REFUSED]);
    // Of the first value nothing is remembered.
    expect(await (await company.state()).backoffs.many(['p1'])).toMatchObject(new Map([['p1', [{ failures: 1 }]]]));
  });

  it('and was a deletion frees no name before it went: what is held stays the same set (I5)', async () => {
    const company = await aSettledCompany();
    company.spec = { ...company.spec, deprovisioning: { deletedAtSource: 'Delete' }, guards: { rename: { max: 0 } } };
    company.target.unique = ['userName'];
    refuse(company, /^deleteUser u1/);
    company.people = company.people.filter(({ id }) => id !== 'p1');
    await scheduled(company);
    change(company, 'p2', { mail: 'p1@example.com' });
    const held: unknown[] = [];
    for (const minutes of [1, 1440, 1, 1440]) {
      pass(company, minutes);
      held.push((await company.run({ tryAll: false })).held.count);
    }
    expect(held).toEqual([0, 0, 0, 0]);
    company.target.intercept = () => undefined;
    pass(company, 1440);
    await company.run({ tryAll: false });
    expect(await company.run({ tryAll: false })).toMatchObject({ outcome: 'held', held: { kinds: { rename: 1 } } });
  });

  it('and would free a name for others frees it when it went: what is held stays the same set (I5)', async () => {
    const company = await aSettledCompany(4);
    company.spec = { ...company.spec, guards: { rename: { max: 0 } } };
    company.target.unique = ['userName'];
    company.target.users.set('stranger', { id: 'stranger', attributes: { userName: 'taken@example.com' } });
    change(company, 'p1', { mail: 'taken@example.com' });
    const approve = (await company.run({ tryAll: false })).held.hash;
    expect(await company.run({ tryAll: false, approve })).toMatchObject({ people: { failed: 1 }, held: { count: 0 } });
    change(company, 'p2', { mail: 'p1@example.com' });
    change(company, 'p3', { mail: 'p2@example.com' });
    change(company, 'p4', { mail: 'p4.married@example.com' });
    const held: unknown[] = [];
    for (const minutes of [1, 1440, 1, 1440]) {
      pass(company, minutes);
      held.push((await company.run({ tryAll: false })).held);
    }
    expect(held).toEqual(Array(4).fill(expect.objectContaining({ ...(held[0] as object), count: 1 })));
    company.target.users.delete('stranger');
    company.spec = { ...company.spec, guards: { rename: NO_LIMITS } };
    for (const minutes of [1440, 1]) {
      pass(company, minutes);
      await company.run({ tryAll: false });
    }
    expect(['u1', 'u2', 'u3'].map((id) => company.target.users.get(id)?.attributes['userName'])).toEqual(
      ['taken', 'p1', 'p2'].map((name) => `${name}@example.com`),
    );
  });

  it('that went is forgotten: the same is done at once when it is called for again', async () => {
    const company = await aSettledCompany();
    change(company, 'p1', { title: 'Lead' });
    refuse(company, /^updateUser u1/);
    await scheduled(company);
    company.target.intercept = () => undefined;
    await company.run({ tryAll: true });
    (company.target.users.get('u1')?.attributes ?? {})['title'] = 'by hand';
    company.target.writes.length = 0;
    await company.run({ tryAll: false, resync: true });
    expect(company.target.writes).toEqual(['updateUser u1 title']);
  });

  it('a creation waits with its memberships', async () => {
    const company = await aSettledCompany(2);
    company.rules = {
      research: {
        directorySyncRef: { name: 'acme' },
        team: { displayName: 'Research' },
        match: [{ attribute: 'department', operator: 'Equals', value: 'Research' }],
      },
    };
    await company.run();
    company.people = aCompanyOf(4);
    refuse(company, /^createUser p3/);
    await scheduled(company);
    const report = await company.run({ tryAll: false });
    expect(await company.operations(report)).toEqual([]);
    expect(company.teamMembers('Research')).toEqual(['p1@example.com', 'p2@example.com', 'p4@example.com']);
    company.target.intercept = () => undefined;
    pass(company, 5);
    expect(await scheduled(company)).toEqual(['createUser p3@example.com', 'changeMembers t3 +1 -0']);
  });

  it('and was a deletion: the account is switched off until it goes, and the deletion is tried again (I8)', async () => {
    const company = await aSettledCompany();
    company.spec = { ...company.spec, deprovisioning: { deletedAtSource: 'Delete' } };
    company.people = company.people.filter(({ id }) => id !== 'p1');
    refuse(company, /^deleteUser u1/);
    expect(await scheduled(company)).toEqual(['refused deleteUser u1']);
    expect(await scheduled(company)).toEqual(['deactivateUser u1']);
    const waiting = await company.run({ tryAll: false });
    expect(waiting).toMatchObject({ reason: 'SyncedWithErrors', people: { failed: 1 }, plan: { delete: 0 } });
    expect(await company.errors(waiting)).toEqual([expect.stringMatching(/^p1 TargetRejected: .*failed once; tried/)]);
    pass(company, 5);
    expect(await scheduled(company)).toEqual(['refused deleteUser u1']);
    pass(company, 10);
    company.target.intercept = () => undefined;
    expect(await scheduled(company)).toEqual(['deleteUser u1']);
    expect((await company.run({ tryAll: false })).reason).toBe('Synced');
  });

  it('and was a deletion: who was switched off by hand is not switched off again, whichever run looks (I5)', async () => {
    const company = await aSettledCompany();
    const guards = { ...company.spec.guards, deactivate: { max: 0 } };
    company.spec = { ...company.spec, guards, deprovisioning: { deletedAtSource: 'Delete' } };
    company.people = company.people.filter(({ id }) => id !== 'p1');
    refuse(company, /^deleteUser u1/);
    await scheduled(company);
    const account = company.target.users.get('u1');
    if (account !== undefined) account.attributes['active'] = false;
    await company.run({ tryAll: false, resync: true });
    expect(await company.run({ tryAll: false })).toMatchObject({ held: { count: 0 }, people: { failed: 1 } });
  });

  it('and was a deletion: where switching off fails too, both are tried', async () => {
    const company = await aSettledCompany();
    company.spec = { ...company.spec, deprovisioning: { deletedAtSource: 'Delete' } };
    company.people = company.people.filter(({ id }) => id !== 'p1');
    refuse(company, /^(delete|deactivate)User u1/);
    const sent = [];
    for (const minutes of [0, 1, 1, 3, 10]) {
      pass(company, minutes);
      sent.push(...(await scheduled(company)));
    }
    expect(sent).toEqual(
      ['delete', 'deactivate', 'deactivate', 'delete', 'deactivate'].map((kind) => `refused ${kind}User u1`),
    );
  });

  it('and was a deletion: switching off is counted by its guard (I5)', async () => {
    const company = await aSettledCompany(3);
    const guards = { deactivate: { max: 0 }, delete: { percent: 100, max: -1 }, suspiciousDrop: 100 };
    company.spec = { ...company.spec, guards, deprovisioning: { deletedAtSource: 'Delete' } };
    company.people = company.people.filter(({ id }) => id !== 'p1');
    refuse(company, /^deleteUser u1/);
    await scheduled(company);
    const held = await company.run({ tryAll: false });
    expect(held).toMatchObject({ held: { count: 1, kinds: { deactivate: 1 } } });
    expect(await company.run({ tryAll: false, approve: held.held.hash })).toMatchObject({ applied: { deactivate: 1 } });
  });

  it('a deactivation never waits', async () => {
    const company = await aSettledCompany();
    company.people = company.people.filter(({ id }) => id !== 'p1');
    refuse(company, /^deactivateUser/);
    expect(await scheduled(company)).toEqual(['refused deactivateUser u1']);
    expect(await scheduled(company)).toEqual(['refused deactivateUser u1']);
  });
});

describe('guards.maxFailures', () => {
  async function aFailingCompany(failing: number, maxFailures?: number): Promise<Company> {
    const company = await aSettledCompany(100);
    if (maxFailures !== undefined) company.spec = { ...company.spec, guards: { ...company.spec.guards, maxFailures } };
    company.people = company.people.map((person) => ({ ...person, title: 'Lead' }));
    const numbers = Array.from({ length: failing }, (_, index) => `u${index + 1}`);
    refuse(company, new RegExp(`^updateUser (${numbers.join('|')}) `));
    return company;
  }

  it('stops a run before it floods the target, and the next one comes further', async () => {
    const company = await aFailingCompany(30);
    const report = await company.run({ tryAll: false });
    expect(report).toMatchObject({
      reason: 'TooManyFailures',
      outcome: 'waiting',
      failedStep: 'apply',
      people: { failed: 10 },
    });
    expect(report.message).toMatch(/^more than 20 % of the operations failed, and the run was stopped/);
    expect(company.target.writes).toHaveLength(10);
    expect((await company.run({ tryAll: false })).reason).toBe('TooManyFailures');
    expect((await company.run({ tryAll: false })).reason).toBe('TooManyFailures');
    const last = await company.run({ tryAll: false });
    expect(last).toMatchObject({ reason: 'SyncedWithErrors', people: { failed: 30 }, applied: { update: 70 } });
  });

  it.each<readonly [number, number | undefined, string, string]>([
    [9, undefined, 'SyncedWithErrors', 'fewer than ten say nothing'],
    [10, undefined, 'TooManyFailures', 'ten of ten are more than 20 %'],
    [30, 100, 'SyncedWithErrors', '100 never stops'],
  ])('with %i that fail and maxFailures %j is %s: %s', async (...[failing, maxFailures, reason]) => {
    const company = await aFailingCompany(failing, maxFailures);
    expect((await company.run({ tryAll: false })).reason).toBe(reason);
  });
});
