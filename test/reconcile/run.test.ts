import { describe, expect, it } from 'vitest';
import { aCompanyOf, createCompany } from '../support/company.ts';

describe('a run', () => {
  it('creates everybody on the first run and writes nothing on the second (I2)', async () => {
    const company = await createCompany();
    company.people = aCompanyOf(8, (index) => ({ manager: index === 0 ? null : 'p1' }));
    company.rules = {
      research: { directorySyncRef: { name: 'acme' }, team: { displayName: 'Research' }, match: [{ attribute: 'department', operator: 'Equals', value: 'research' }] },
    };
    const first = await company.run();
    expect(first).toMatchObject({ outcome: 'synced', reason: 'Synced', plan: { create: 8, createTeams: 1, addMembers: 8 } });
    expect(company.target.users.size).toBe(8);
    expect(company.teamMembers('Research')).toHaveLength(8);
    const boss = [...company.target.users.values()].find(({ attributes }) => attributes['externalId'] === 'p1');
    const other = [...company.target.users.values()].find(({ attributes }) => attributes['externalId'] === 'p5');
    expect(other?.attributes['urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager.value']).toBe(boss?.id);

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
      research: { directorySyncRef: { name: 'acme' }, team: { displayName: 'Research' }, match: [{ attribute: 'department', operator: 'Equals', value: 'research' }] },
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
    expect(held).toMatchObject({ outcome: 'held', reason: 'SyncedWithHeld', held: { count: 10, kinds: { deactivate: 10 } } });
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
      research: { directorySyncRef: { name: 'acme' }, team: { displayName: 'Research' }, match: [{ attribute: 'department', operator: 'Equals', value: 'research' }] },
    };
    await company.run();
    await company.loseState();
    company.target.writes.length = 0;
    company.people = company.people.map((person, index) => (index === 7 ? { ...person, active: false } : person));
    const report = await company.run();
    expect(await company.errors(report)).toEqual([]);
    expect(report).toMatchObject({ outcome: 'held', plan: { create: 0, recover: 9 }, held: { kinds: { recovered: 1 } } });
    expect(company.target.writes).toEqual([]);
    expect(company.teamMembers('Research')).toHaveLength(8);
  });
});
