import { describe, expect, it } from 'vitest';
import { SyncError } from '../../src/errors.ts';
import { aCompanyOf, createCompany } from '../support/company.ts';

describe('a run', () => {
  it('creates everybody on the first run and writes nothing on the second (I2)', async () => {
    const company = await createCompany();
    company.people = aCompanyOf(8, (index) => ({ manager: index === 0 ? null : 'p1' }));
    company.rules = {
      research: {
        directorySyncRef: { name: 'acme' },
        team: { displayName: 'Research' },
        match: [{ attribute: 'department', operator: 'Equals', value: 'research' }],
      },
    };
    const first = await company.run();
    expect(first).toMatchObject({
      outcome: 'synced',
      reason: 'Synced',
      plan: { create: 8, createTeams: 1, addMembers: 8 },
    });
    expect(company.target.users.size).toBe(8);
    expect(company.teamMembers('Research')).toHaveLength(8);
    const boss = [...company.target.users.values()].find(({ attributes }) => attributes['externalId'] === 'p1');
    const other = [...company.target.users.values()].find(({ attributes }) => attributes['externalId'] === 'p5');
    expect(other?.attributes['urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager.value']).toBe(
      boss?.id,
    );

    company.target.writes.length = 0;
    const second = await company.run();
    expect(second).toMatchObject({ outcome: 'synced', plan: { create: 0, update: 0 } });
    expect(company.target.writes).toEqual([]);
    const verified = await company.run({ resync: true });
    expect(verified.kind).toBe('Verify');
    expect(company.target.writes).toEqual([]);
  });

  it('deactivates who leaves, removes from teams in the same unit, and brings back who returns', async () => {
    const company = await createCompany();
    company.people = aCompanyOf(8);
    company.rules = {
      research: {
        directorySyncRef: { name: 'acme' },
        team: { displayName: 'Research' },
        match: [{ attribute: 'department', operator: 'Equals', value: 'research' }],
      },
    };
    await company.run();
    const all = company.people;
    company.people = all.slice(0, 7);
    const left = await company.run();
    expect(left).toMatchObject({ outcome: 'synced', plan: { deactivate: 1, removeMembers: 1 } });
    expect(company.teamMembers('Research')).toHaveLength(7);
    company.people = all;
    const back = await company.run();
    expect(back).toMatchObject({ plan: { reactivate: 1, addMembers: 1 } });
    expect(company.teamMembers('Research')).toHaveLength(8);
  });

  it('holds what exceeds the guard, and releases exactly that by its hash (I4, I5)', async () => {
    const company = await createCompany();
    company.people = aCompanyOf(40);
    company.spec = { ...company.spec, guards: { suspiciousDrop: 100 } };
    await company.run();
    const all = company.people;
    company.people = all.slice(0, 30);
    const held = await company.run();
    expect(held).toMatchObject({
      outcome: 'held',
      reason: 'SyncedWithHeld',
      held: { count: 10, kinds: { deactivate: 10 } },
    });
    const again = await company.run();
    expect(again.held.hash).toBe(held.held.hash);
    const wrong = await company.run({ approve: '0123456789abcdef' });
    expect(wrong).toMatchObject({ outcome: 'stalled', reason: 'ApprovalMismatch' });
    company.target.writes.length = 0;
    const released = await company.run({ approve: held.held.hash });
    expect(released).toMatchObject({ outcome: 'synced', held: { count: 0 } });
    expect(company.target.writes).toHaveLength(10);
  });

  it('removes nobody after a failed read (I1)', async () => {
    const company = await createCompany();
    company.people = aCompanyOf(8);
    await company.run();
    company.readError = new Error('boom');
    company.people = company.people.slice(0, 4);
    company.target.writes.length = 0;
    const failed = await company.run();
    expect(failed).toMatchObject({ outcome: 'waiting', reason: 'ReadFailed', failedStep: 'read', sourceRead: false });
    expect(company.target.writes).toEqual([]);
  });

  it('loses no user when the state store is lost (I7)', async () => {
    const company = await createCompany();
    company.people = aCompanyOf(8);
    company.rules = {
      research: {
        directorySyncRef: { name: 'acme' },
        team: { displayName: 'Research' },
        match: [{ attribute: 'department', operator: 'Equals', value: 'research' }],
      },
    };
    await company.run();
    await company.loseState();
    company.target.writes.length = 0;
    company.people = company.people.map((person, index) => (index === 7 ? { ...person, active: false } : person));
    const report = await company.run();
    expect(await company.errors(report)).toEqual([]);
    expect(report).toMatchObject({
      outcome: 'held',
      plan: { create: 0, recover: 9 },
      held: { kinds: { recovered: 1 } },
    });
    expect(company.target.writes).toEqual([]);
    expect(company.teamMembers('Research')).toHaveLength(8);
  });
});

describe('people', () => {
  it('keeps everything of an attribute that the read did not deliver (I13)', async () => {
    const company = await createCompany();
    company.people = aCompanyOf(8);
    company.rules = {
      research: {
        directorySyncRef: { name: 'acme' },
        team: { displayName: 'Research' },
        match: [{ attribute: 'department', operator: 'Equals', value: 'research' }],
      },
    };
    await company.run();
    company.target.writes.length = 0;
    company.people = company.people.map(({ department: _gone, ...person }) => person as never);
    const report = await company.run();
    expect(report.outcome).toBe('synced');
    expect(report.warnings).toContainEqual(
      expect.objectContaining({ reason: 'UnknownAttribute', message: expect.stringContaining('"department"') }),
    );
    expect(company.target.writes).toEqual([]);
  });

  it('writes nothing after a lost state was rebuilt, on the run after', async () => {
    const company = await createCompany();
    company.people = aCompanyOf(8);
    company.rules = {
      research: {
        directorySyncRef: { name: 'acme' },
        team: { displayName: 'Research' },
        match: [{ attribute: 'department', operator: 'Equals', value: 'research' }],
      },
    };
    await company.run();
    await company.loseState();
    await company.run();
    company.target.writes.length = 0;
    const next = await company.run();
    expect(next).toMatchObject({ kind: 'Full', outcome: 'synced' });
    expect(company.target.writes).toEqual([]);
  });

  it('adopts on a unique match, within the guard, and names conflicts by id (I3)', async () => {
    const company = await createCompany();
    company.people = aCompanyOf(8);
    company.target.addUser({ userName: 'P1@example.com' });
    company.target.addUser({ userName: 'p2@example.com', externalId: 'someone-else' });
    const report = await company.run();
    expect(report).toMatchObject({ outcome: 'failed', plan: { adopt: 1, create: 6 }, people: { conflicts: 1 } });
    expect(await company.errors(report)).toEqual([
      expect.stringMatching(/^p2 Conflict: the account u2 .* externalId that names somebody else/),
    ]);
    expect(company.target.users.get('u2')?.attributes).toEqual({
      active: true,
      userName: 'p2@example.com',
      externalId: 'someone-else',
    });
  });

  it('guesses neither of two people with one userName, and names both', async () => {
    const company = await createCompany();
    company.people = aCompanyOf(4).map((person, index) =>
      index === 1 ? { ...person, mail: 'P1@example.com' } : person,
    );
    const report = await company.run();
    expect((await company.errors(report)).join('\n')).toMatch(
      /p1 Conflict: .*p1 and p2[\s\S]*p2 Conflict: .*p2 and p1/,
    );
    expect(company.target.users.size).toBe(2);
  });

  it('uses neither of two records with one id', async () => {
    const company = await createCompany();
    company.people = [...aCompanyOf(4), { ...aCompanyOf(1)[0], id: 'p2', mail: 'other@example.com' } as never];
    const report = await company.run();
    expect(report).toMatchObject({ outcome: 'failed', plan: { create: 3 } });
  });

  it('holds removals of a suspect read until a second one confirms them', async () => {
    const company = await createCompany();
    company.people = aCompanyOf(40);
    await company.run();
    company.people = company.people.slice(0, 20).map((person) => ({ ...person, title: 'Lead' }));
    company.target.writes.length = 0;
    const suspect = await company.run();
    expect(suspect).toMatchObject({
      outcome: 'waiting',
      reason: 'ReadSuspect',
      held: { count: 20, kinds: { suspect: 20 } },
    });
    expect(company.target.writes).toHaveLength(20);
    company.now = new Date(company.now.getTime() + 60_000);
    expect(await company.run()).toMatchObject({ held: { kinds: { suspect: 20 } } });
    company.now = new Date(company.now.getTime() + 600_000);
    // Confirmed: now the guards judge, and hold them still.
    expect(await company.run()).toMatchObject({ outcome: 'held', held: { kinds: { deactivate: 20 } } });
  });

  it('recreates an account that was deleted by hand, on verify', async () => {
    const company = await createCompany();
    company.people = aCompanyOf(3);
    await company.run();
    const [first] = company.target.users.keys();
    company.target.users.delete(first ?? '');
    const report = await company.run({ resync: true });
    expect(report).toMatchObject({ outcome: 'synced', plan: { create: 1 } });
    expect(company.target.users.size).toBe(3);
  });

  it('repairs what was changed by hand, on verify', async () => {
    const company = await createCompany();
    company.people = aCompanyOf(3);
    await company.run();
    const [user] = company.target.users.values();
    if (user !== undefined) user.attributes['title'] = 'Hacker';
    expect(await company.run()).toMatchObject({ plan: { update: 0 } });
    expect(await company.run({ resync: true })).toMatchObject({ plan: { update: 1 } });
    expect(user?.attributes['title']).toBe('Engineer');
  });
});

describe('teams', () => {
  const rule = (displayName: string, value = 'research') => ({
    directorySyncRef: { name: 'acme' },
    team: { displayName },
    match: [{ attribute: 'department', operator: 'Equals' as const, value }],
  });

  it('renames the team of a rule that names another one, without losing it (I10)', async () => {
    const company = await createCompany();
    company.people = aCompanyOf(4);
    company.rules = { research: rule('Research') };
    await company.run();
    const [id] = company.target.teams.keys();
    company.rules = { research: rule('Science') };
    const report = await company.run();
    expect(report).toMatchObject({
      outcome: 'synced',
      plan: { updateTeams: 1, createTeams: 0, addMembers: 0, removeMembers: 0 },
    });
    expect([...company.target.teams.keys()]).toEqual([id]);
    expect(company.teamMembers('Science')).toHaveLength(4);
    company.target.writes.length = 0;
    await company.run({ resync: true });
    expect(company.target.writes).toEqual([]);
  });

  it('makes a team for each value, and leaves teams made by hand alone', async () => {
    const company = await createCompany();
    company.people = aCompanyOf(4, (index) => ({ teams: index < 2 ? 'Chess; Choir' : 'choir' }));
    company.target.addTeam('Handmade', ['x']);
    company.rules = { clubs: { directorySyncRef: { name: 'acme' }, teamsFrom: { attributes: ['teams'] } } };
    await company.run();
    expect(company.teamMembers('Choir')).toHaveLength(4);
    expect(company.teamMembers('Chess')).toHaveLength(2);
    expect(company.teamMembers('Handmade')).toEqual(['x']);
  });

  it('never takes over an unowned team of the same name', async () => {
    const company = await createCompany();
    company.people = aCompanyOf(2);
    company.target.addTeam('Research', ['x']);
    company.rules = { research: rule('Research') };
    const report = await company.run();
    expect(await company.errors(report)).toEqual([
      expect.stringMatching(/^research Conflict: .*already has a team of this name/),
    ]);
    expect(company.teamMembers('Research')).toEqual(['x']);
  });

  it('holds what would empty a team, and leaves the rest of the plan alone', async () => {
    const company = await createCompany();
    company.people = aCompanyOf(20);
    company.rules = { research: rule('Research') };
    await company.run();
    company.rules = { research: rule('Research', 'nobody') };
    const report = await company.run();
    expect(report).toMatchObject({ outcome: 'held', held: { kinds: { removeMembers: 20 } } });
    expect(company.teamMembers('Research')).toHaveLength(20);
  });

  it('carries out the deletion policy of a rule that is gone, and keeps teams of a frozen one', async () => {
    const company = await createCompany();
    company.people = aCompanyOf(4);
    company.rules = {
      research: { ...rule('Research'), deletionPolicy: 'Delete' },
      all: { ...rule('All'), suspend: false },
    };
    await company.run();
    company.rules = { all: { ...rule('All', 'nobody'), suspend: true } };
    await company.run();
    expect([...company.target.teams.values()].map(({ attributes }) => attributes['displayName'])).toEqual(['All']);
    expect(company.teamMembers('All')).toHaveLength(4);
  });

  it('is not made again while nobody belongs to it, after it was deleted by hand', async () => {
    const company = await createCompany();
    company.people = aCompanyOf(2);
    company.rules = { research: rule('Research') };
    await company.run();
    company.people = company.people.map((person) => ({ ...person, department: 'Sales' }));
    await company.run();
    company.target.teams.clear();
    await company.run({ resync: true });
    expect(company.target.teams.size).toBe(0);
  });
});

describe('apply', () => {
  it('leaves a write whose end is not known as begun, goes on with the others, and settles it in the next run (I6, I8)', async () => {
    const company = await createCompany();
    company.people = aCompanyOf(6);
    await company.run();
    company.people = company.people.map((person) => ({ ...person, title: 'Lead' }));
    company.target.intercept = (request) => {
      if (request.startsWith('updateUser u3')) {
        throw new SyncError('TargetUnavailable', 'no answer', { outcomeUnknown: true, scope: 'record' });
      }
    };
    const report = await company.run();
    expect(report).toMatchObject({ outcome: 'failed', people: { failed: 1 } });
    expect(
      (await company.operations(report)).filter(({ status }) => status === 'begun').map(({ targetId }) => targetId),
    ).toEqual(['u3']);
    company.target.intercept = () => undefined;
    company.target.writes.length = 0;
    const next = await company.run();
    expect(next).toMatchObject({ outcome: 'synced', plan: { update: 1 } });
    expect(company.target.writes).toEqual(['updateUser u3 title']);
    company.target.writes.length = 0;
    await company.run();
    expect(company.target.writes).toEqual([]);
  });

  it('finds its own account when the answer to a create was lost, and creates nobody twice (I6)', async () => {
    const company = await createCompany();
    company.people = aCompanyOf(3);
    let lost = false;
    const create = company.target.addUser;
    company.target.addUser = (attributes) => {
      const user = create(attributes);
      if (lost) return user;
      lost = true;
      throw new SyncError('TargetUnavailable', 'no answer', { outcomeUnknown: true });
    };
    const report = await company.run();
    expect(report.outcome).toBe('synced');
    expect(company.target.users.size).toBe(3);
    company.target.writes.length = 0;
    await company.run();
    expect(company.target.writes).toEqual([]);
  });

  it('stops at once when the credentials are refused', async () => {
    const company = await createCompany();
    company.people = aCompanyOf(50);
    company.spec = { ...company.spec, limits: { concurrency: 1 } };
    company.target.intercept = (request) => {
      if (request.startsWith('createUser'))
        throw new SyncError('CredentialsRejected', 'https://app.example.com refuses the credentials');
    };
    const report = await company.run();
    expect(report).toMatchObject({ outcome: 'stalled', reason: 'CredentialsRejected', failedStep: 'apply' });
    const operations = await company.operations(report);
    expect(operations.filter(({ status }) => status === 'failed')).toHaveLength(1);
  });
});
