/** Corners of mapping and plan that only a whole run shows. */
import { describe, expect, it } from 'vitest';
import type { TeamRuleSpec } from '../../src/api/team-rule.ts';
import { SyncError } from '../../src/errors.ts';
import { MANAGER } from '../support/builders.ts';
import { aCompanyOf, type Company, createCompany } from '../support/company.ts';

const WORK = 'emails[type eq "work"].value';

const IN_OBJECT = { attribute: 'custom.department', operator: 'Equals' as const, value: 'Research' };

function byDepartment(displayName: string, value = displayName): TeamRuleSpec {
  return {
    directorySyncRef: { name: 'acme' },
    team: { displayName },
    match: [{ attribute: 'department', operator: 'Equals', value }],
  };
}

async function aConvergedCompany(
  people: number,
  more: Parameters<typeof aCompanyOf>[1] = () => ({}),
): Promise<Company> {
  const company = await createCompany();
  company.people = aCompanyOf(people, more);
  company.rules = { research: byDepartment('Research') };
  await company.run();
  company.target.writes.length = 0;
  return company;
}

function change(company: Company, id: string, values: Record<string, string | boolean | null>): void {
  company.people = company.people.map((person) => (person.id === id ? { ...person, ...values } : person));
}

describe('matching', () => {
  it('gives an account that two people match, by whatever attributes, to neither (I3)', async () => {
    const company = await createCompany();
    company.mapping.attributes.push({ target: WORK, source: 'mail2', matching: { precedence: 3 } });
    company.people = aCompanyOf(4, (index) => ({ mail2: index === 1 ? 'shared@example.com' : null }));
    company.target.addUser({ userName: 'p1@example.com', [WORK]: 'shared@example.com' });
    const report = await company.run();
    expect(report).toMatchObject({ outcome: 'failed', plan: { adopt: 0, create: 2 }, people: { conflicts: 2 } });
    expect(await company.errors(report)).toEqual([
      'p1 Conflict: the account u1 matches p1 and p2: neither is guessed',
      'p2 Conflict: the account u1 matches p2 and p1: neither is guessed',
    ]);
  });

  it('recovers who was hired again by the record that stays, after a lost state (I7)', async () => {
    const company = await createCompany();
    company.mapping.attributes = [
      { target: 'userName', source: 'mail', matching: { precedence: 1 } },
      { target: 'externalId', source: 'number' },
    ];
    company.people = [
      { id: 'old', mail: 'first@example.com', number: '7', active: false },
      { id: 'new', mail: 'second@example.com', number: '7' },
    ];
    company.target.addUser({ userName: 'second@example.com', externalId: '7' });
    const report = await company.run();
    expect(await company.errors(report)).toEqual([]);
    expect(report).toMatchObject({ outcome: 'synced', plan: { recover: 1, deactivate: 0, create: 0 } });
    expect((await (await company.state()).links.get('new'))?.targetId).toBe('u1');
  });

  it('keeps the teams of accounts whose adoption is held, after a lost state (I7)', async () => {
    const company = await createCompany();
    company.mapping.attributes = [
      { target: 'userName', source: 'mail', matching: { precedence: 1 } },
      { target: 'title', source: 'title' },
    ];
    company.spec = { ...company.spec, guards: { adopt: { max: 0 } } };
    company.people = aCompanyOf(4);
    company.rules = { research: byDepartment('Research') };
    await company.run();
    await company.loseState();
    expect(await company.run()).toMatchObject({ outcome: 'held', plan: { adopt: 4, removeMembers: 0 } });
    expect(company.teamMembers('Research')).toHaveLength(4);
  });
});

describe('values', () => {
  it('are written once more when case alone was mended, and not again at a verify (I2)', async () => {
    const company = await aConvergedCompany(3);
    change(company, 'p1', { title: 'ENGINEER' });
    await company.run();
    expect(company.target.writes).toEqual(['updateUser u1 title']);
    // This application has a spelling of its own.
    for (const user of company.target.users.values()) user.attributes['title'] = 'engineer';
    company.target.writes.length = 0;
    await company.run({ resync: true });
    await company.run();
    expect(company.target.writes).toEqual([]);
  });

  it('with a default and onEmpty Clear settle on the default (I2)', async () => {
    const company = await createCompany();
    company.mapping.attributes.push({ target: 'nickName', source: 'nick', default: 'n/a', onEmpty: 'Clear' });
    company.people = aCompanyOf(2, (index) => ({ nick: index === 0 ? '' : 'Bo' }));
    await company.run();
    const nick = (id: string) => company.target.users.get(id)?.attributes['nickName'];
    expect([nick('u1'), nick('u2')]).toEqual(['n/a', 'Bo']);
    company.target.writes.length = 0;
    await company.run();
    expect(company.target.writes).toEqual([]);
    change(company, 'p2', { nick: '' });
    await company.run();
    expect([nick('u1'), nick('u2')]).toEqual(['n/a', undefined]);
  });

  it('refer to the new account of a manager whose old one was deleted by hand, in the same run (I2)', async () => {
    const company = await aConvergedCompany(3, (index) => ({ manager: index === 0 ? null : 'p1' }));
    const bosses = () => [...company.target.users.values()].map(({ attributes }) => attributes[MANAGER]);
    expect(bosses()).toEqual([undefined, 'u1', 'u1']);
    company.target.users.delete('u1');
    await company.run({ resync: true });
    const boss = (await (await company.state()).links.get('p1'))?.targetId;
    expect(bosses().filter((id) => id === boss)).toHaveLength(2);
    company.target.writes.length = 0;
    await company.run();
    expect(company.target.writes).toEqual([]);
  });

  it('to somebody in a conflict are neither planned nor held, and nobody approves them for nothing (I8)', async () => {
    const company = await aConvergedCompany(3, (index) => ({ manager: index === 0 ? null : 'p1' }));
    company.spec = { ...company.spec, guards: { ...company.spec.guards, floor: 0, update: { max: 0 } } };
    const [twin] = aCompanyOf(1);
    company.people = [...company.people, ...['p8', 'p9'].map((id) => ({ ...twin, id, mail: 'same@example.com' }))];
    change(company, 'p3', { manager: 'p9' });
    const report = await company.run();
    expect(report).toMatchObject({ reason: 'SyncedWithErrors', held: { count: 0 }, plan: { update: 0 } });
    company.people = company.people.filter(({ id }) => id !== 'p8');
    expect(await company.run()).toMatchObject({ applied: { create: 1 }, held: { count: 1 } });
    const { held } = await company.run();
    expect(held).toMatchObject({ count: 1, kinds: { update: 1 } });
    await company.run({ approve: held.hash });
    const boss = (await (await company.state()).links.get('p9'))?.targetId;
    expect(company.target.users.get('u3')?.attributes[MANAGER]).toBe(boss);
  });

  it('that vanished from every record are a suspect read, which clears nothing (I1)', async () => {
    const company = await aConvergedCompany(8);
    company.people = company.people.map((person) => ({ ...person, title: null, department: null }));
    const report = await company.run();
    expect(report).toMatchObject({ outcome: 'waiting', reason: 'ReadSuspect', held: { kinds: { suspect: 16 } } });
    expect(report.suspicion).toBe('0 people have a value for "title", in the last good read 8 had');
    expect(company.target.writes).toEqual([]);
  });

  it('are measured against a whole read even where its run came to nothing (I1)', async () => {
    const company = await createCompany();
    company.people = aCompanyOf(12);
    await company.run({ user: 'p1' });
    company.target.intercept = (request) => {
      if (request === 'listUsers') throw new SyncError('TargetUnavailable', 'the target is down');
    };
    expect(await company.run()).toMatchObject({ failedStep: 'observe' });
    company.target.intercept = () => undefined;
    company.people = company.people.slice(0, 3);
    change(company, 'p1', { active: false });
    const report = await company.run();
    expect(report).toMatchObject({ reason: 'ReadSuspect', held: { kinds: { suspect: 1 } } });
    expect(report.suspicion).toBe('the read has 3 people, the last good one had 12');
  });
});

describe('values inside of objects', () => {
  it('that vanished from every record are a suspect read too (I1)', async () => {
    const company = await createCompany();
    const custom = (department: string | null) => ({ custom: { department } });
    company.people = aCompanyOf(8).map((person) => ({ ...person, ...custom('Research') }));
    company.rules = { research: { ...byDepartment('Nested'), match: [IN_OBJECT] } };
    expect(await company.run()).toMatchObject({ outcome: 'synced' });
    expect(company.source.reads.at(-1)).toContain('custom');
    company.target.writes.length = 0;
    company.people = company.people.map((person) => ({ ...person, ...custom(null) }));
    const report = await company.run();
    expect(report).toMatchObject({ reason: 'ReadSuspect' });
    expect(report.suspicion).toBe('0 people have a value for "custom.department", in the last good read 8 had');
    expect(company.target.writes).toEqual([]);
  });
});

describe('leaving', () => {
  it('is the policy’s also of whoever has a record error; their values wait (I8)', async () => {
    const company = await aConvergedCompany(3);
    company.mapping.attributes = company.mapping.attributes.map((entry) =>
      entry.target === 'title' ? { ...entry, required: true } : entry,
    );
    change(company, 'p1', { active: false, title: null, department: 'Sales' });
    const report = await company.run();
    expect(report).toMatchObject({ outcome: 'synced', plan: { deactivate: 1, update: 0 } });
    expect(company.target.users.get('u1')?.attributes).toMatchObject({ active: false, title: 'Engineer' });
  });

  it('deletes nobody whom an entry for active alone switches off', async () => {
    const company = await createCompany();
    company.mapping.attributes.push({ target: 'active', source: 'working' });
    company.spec = { ...company.spec, deprovisioning: { disabledAtSource: 'Delete' } };
    company.people = aCompanyOf(3, () => ({ working: 'True' }));
    company.rules = { research: byDepartment('Research') };
    await company.run();
    change(company, 'p1', { working: 'False' });
    expect(await company.run()).toMatchObject({
      outcome: 'synced',
      plan: { deactivate: 1, delete: 0, removeMembers: 1 },
    });
    expect(company.target.users.size).toBe(3);
    change(company, 'p2', { active: false });
    expect(await company.run()).toMatchObject({ plan: { delete: 1 } });
  });

  it('leaves protected people their teams too, by mail address', async () => {
    const company = await createCompany();
    company.mapping.attributes.push({ target: WORK, source: 'mail2' });
    company.spec = { ...company.spec, guards: { protectedUsers: ['Root@corp.example', 'p9@example.com'] } };
    company.people = aCompanyOf(3, (index) => ({ mail2: index === 0 ? 'root@corp.example' : null }));
    company.rules = { research: byDepartment('Research') };
    await company.run();
    company.target.writes.length = 0;
    company.people = company.people.slice(1);
    const report = await company.run();
    expect(report).toMatchObject({
      outcome: 'synced',
      plan: { deactivate: 0, removeMembers: 0 },
      people: { protected: 1 },
    });
    expect(company.target.writes).toEqual([]);
    expect(company.teamMembers('Research')).toHaveLength(3);
  });
});

describe('teams', () => {
  it('stay while somebody is left in them whose removal is held (I4)', async () => {
    const company = await createCompany();
    company.people = aCompanyOf(12, (index) => ({ department: index < 2 ? 'Research' : 'Sales' }));
    company.spec = { ...company.spec, guards: { deactivate: { max: 0 } } };
    company.rules = { research: { ...byDepartment('Research'), whenEmpty: 'Delete' } };
    await company.run();
    // p1 leaves the company (held), p2 moves to another department (goes): the team is not empty.
    company.people = company.people.slice(1);
    change(company, 'p2', { department: 'Sales' });
    const held = await company.run();
    expect(held).toMatchObject({ outcome: 'held', held: { kinds: { deactivate: 2 } } });
    expect(company.teamMembers('Research')).toEqual(['p1@example.com']);
    // The deletion waits with the departure: what is approved is the same set from run to run.
    const released = await company.run({ approve: held.held.hash });
    expect(released).toMatchObject({ outcome: 'synced', applied: { deactivate: 1, removeMembers: 1, deleteTeams: 1 } });
    expect(company.target.teams.size).toBe(0);
  });

  it('keep an included person whose userName the read did not deliver (I13)', async () => {
    const company = await createCompany();
    company.people = aCompanyOf(3, (index) => ({ department: index === 0 ? 'Board' : 'Research' }));
    company.rules = { research: { ...byDepartment('Research'), include: ['p1@example.com'] } };
    await company.run();
    expect(company.teamMembers('Research')).toHaveLength(3);
    company.target.writes.length = 0;
    company.people = company.people.map(({ mail: _gone, ...person }) => person as never);
    await company.run();
    expect(company.target.writes).toEqual([]);
    expect(company.teamMembers('Research')).toHaveLength(3);
  });

  it('rebuilt after a lost state keep whom nothing is known of (I7, I13)', async () => {
    const company = await createCompany();
    const tier = 'urn:acme:2.0:User:tier';
    company.customs = { tier: { path: tier, canonicalValues: ['gold'] } };
    company.mapping.attributes.push({ target: 'tier', source: 'tier' });
    company.people = aCompanyOf(3, () => ({ tier: 'gold' }));
    company.rules = {
      gold: {
        directorySyncRef: { name: 'acme' },
        team: { displayName: 'Gold' },
        match: [{ attribute: 'tier', operator: 'Equals', value: 'gold' }],
      },
    };
    await company.run();
    await company.loseState();
    change(company, 'p1', { tier: 'lead' });
    expect(await company.run()).toMatchObject({ outcome: 'failed', plan: { recover: 4, removeMembers: 0 } });
    expect(company.teamMembers('Gold')).toHaveLength(3);
  });
});
