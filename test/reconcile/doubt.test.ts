/** What was seen or begun and is not settled: it must neither be forgotten nor be taken for done. */
import { describe, expect, it } from 'vitest';
import { SyncError } from '../../src/errors.ts';
import { aCompanyOf, type Company, createCompany } from '../support/company.ts';

const DEPARTMENT = 'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department';
const RESEARCH = {
  directorySyncRef: { name: 'acme' },
  team: { displayName: 'Research' },
  match: [{ attribute: 'department', operator: 'Equals' as const, value: 'research' }],
};

async function aConvergedCompany(people: number): Promise<Company> {
  const company = await createCompany();
  company.people = aCompanyOf(people);
  company.rules = { research: RESEARCH };
  await company.run();
  company.target.writes.length = 0;
  return company;
}

function refuse(
  company: Company,
  start: string,
  error = new SyncError('TargetRejected', 'the target refused it'),
): void {
  company.target.intercept = (request) => {
    if (request.startsWith(start)) throw error;
  };
}

function accept(company: Company): void {
  company.target.intercept = () => undefined;
  company.target.writes.length = 0;
}

async function expectQuiet(company: Company): Promise<void> {
  for (const resync of [false, true]) {
    company.target.writes.length = 0;
    expect(await company.run({ resync })).toMatchObject({ outcome: 'synced' });
    expect(company.target.writes).toEqual([]);
  }
}

describe('what a verify found', () => {
  it('is mended by the next run when the target refused it at first (I8)', async () => {
    const company = await aConvergedCompany(3);
    const user = company.target.users.get('u1');
    if (user !== undefined) user.attributes['title'] = 'Changed by hand';
    refuse(company, 'updateUser u1');
    expect(await company.run({ resync: true })).toMatchObject({ outcome: 'failed', plan: { update: 1 } });
    expect(await company.run()).toMatchObject({ outcome: 'failed', plan: { update: 1 } });
    accept(company);
    expect(await company.run()).toMatchObject({ outcome: 'synced' });
    expect(user?.attributes['title']).toBe('Engineer');
    await expectQuiet(company);
  });

  it('makes who was deleted by hand again, however often the target refuses it (I8)', async () => {
    const company = await aConvergedCompany(3);
    company.target.users.delete('u2');
    for (const team of company.target.teams.values()) team.members.delete('u2');
    refuse(company, 'createUser');
    expect(await company.run({ resync: true })).toMatchObject({ outcome: 'failed', plan: { create: 1 } });
    // Nothing may be asked for an account that does not exist.
    expect(company.target.writes).toEqual([]);
    expect(await company.run()).toMatchObject({ outcome: 'failed', plan: { create: 1 } });
    accept(company);
    expect(await company.run()).toMatchObject({ outcome: 'synced' });
    expect(company.teamMembers('Research')).toHaveLength(3);
    await expectQuiet(company);
  });

  it('makes a team that was deleted by hand again, after it was refused (I8)', async () => {
    const company = await aConvergedCompany(3);
    company.target.teams.clear();
    refuse(company, 'createTeam');
    await company.run({ resync: true });
    accept(company);
    await company.run();
    expect(company.teamMembers('Research')).toHaveLength(3);
    await expectQuiet(company);
  });

  it('gives a team its name back, after it was refused (I8)', async () => {
    const company = await aConvergedCompany(3);
    const [team] = company.target.teams.values();
    if (team !== undefined) team.attributes['displayName'] = 'By hand';
    refuse(company, 'updateTeam');
    await company.run({ resync: true });
    accept(company);
    await company.run();
    expect(team?.attributes['displayName']).toBe('Research');
    await expectQuiet(company);
  });

  it('stays held while it waits for approval: leavers switched on by hand (I4)', async () => {
    const company = await aConvergedCompany(10);
    company.spec = { ...company.spec, guards: { deactivate: { percent: 100 }, suspiciousDrop: 100 } };
    company.people = company.people.slice(0, 7);
    await company.run();
    for (const user of company.target.users.values()) user.attributes['active'] = true;
    company.spec = { ...company.spec, guards: { deactivate: { max: 0 } } };
    const held = await company.run({ resync: true });
    expect(held).toMatchObject({ outcome: 'held', held: { kinds: { deactivate: 3 } } });
    const next = await company.run();
    expect(next).toMatchObject({ outcome: 'held', held: { hash: held.held.hash } });
    expect(await company.run({ approve: held.held.hash })).toMatchObject({ outcome: 'synced' });
    expect([...company.target.users.values()].filter(({ attributes }) => attributes['active'] === true)).toHaveLength(
      7,
    );
  });
});

describe('two requests for one person in one run', () => {
  it('leave what both have written in the link, so that the next run writes nothing (I2)', async () => {
    const company = await aConvergedCompany(40);
    const set = (department: string): void => {
      company.people = company.people.map((person) => ({ ...person, title: null, department }));
    };
    set('Research');
    expect(await company.run()).toMatchObject({ reason: 'ReadSuspect', held: { kinds: { suspect: 40 } } });
    company.now = new Date(company.now.getTime() + 3_600_000);
    set('Lab');
    company.rules = {};
    await company.run();
    const [user] = company.target.users.values();
    expect(user?.attributes).toMatchObject({ [DEPARTMENT]: 'Lab' });
    expect(user?.attributes).not.toHaveProperty('title');
    await expectQuiet(company);
  });
});

describe('a lost answer', () => {
  it('is asked for again when the look-up fails too, so that the account is ours and not recovered (I6)', async () => {
    const company = await createCompany();
    company.people = aCompanyOf(1);
    await company.run();
    company.people = aCompanyOf(2);
    const add = company.target.addUser;
    company.target.addUser = (attributes) => {
      add(attributes);
      company.target.intercept = () => {
        throw new SyncError('TargetUnavailable', 'down');
      };
      throw new SyncError('TargetUnavailable', 'no answer', { outcomeUnknown: true });
    };
    expect(await company.run()).toMatchObject({ outcome: 'waiting', reason: 'TargetUnavailable' });
    company.target.addUser = add;
    accept(company);
    await company.run();
    expect(company.target.users.size).toBe(2);
    expect(await (await company.state()).links.get('p2')).toMatchObject({ targetId: 'u2', origin: 'created' });
  });

  it('of a team does not make a second one where the target keeps no externalId of teams (I6)', async () => {
    const company = await createCompany();
    company.people = aCompanyOf(2);
    company.rules = { research: RESEARCH };
    const add = company.target.addTeam;
    company.target.addTeam = (name, members) => {
      add(name, members);
      company.target.addTeam = add;
      throw new SyncError('TargetUnavailable', 'no answer', { outcomeUnknown: true });
    };
    await company.run();
    expect(company.target.teams.size).toBe(1);
    expect(company.teamMembers('Research')).toHaveLength(2);
  });

  it('of an adoption that never arrived leaves the account to be adopted, with its defaults (I6)', async () => {
    const company = await createCompany();
    company.mapping = {
      attributes: [...company.mapping.attributes, { target: 'nickName', source: 'nick', default: 'n/a' }],
    };
    company.people = aCompanyOf(2, () => ({ nick: null }));
    company.target.addUser({ userName: 'p1@example.com' });
    const lost = new SyncError('TargetUnavailable', 'no answer', { outcomeUnknown: true, scope: 'record' });
    refuse(company, 'updateUser u1', lost);
    await company.run();
    accept(company);
    await company.run();
    expect(company.target.users.get('u1')?.attributes).toMatchObject({ nickName: 'n/a', externalId: 'p1' });
    expect(await (await company.state()).links.get('p1')).toMatchObject({ origin: 'adopted' });
    await expectQuiet(company);
  });

  it('of the look after an adoption does not turn it into a recovery (I7)', async () => {
    const company = await createCompany();
    company.people = aCompanyOf(1);
    company.target.addUser({ userName: 'p1@example.com' });
    refuse(company, 'readUser u1', new SyncError('TargetUnavailable', 'down'));
    await company.run();
    accept(company);
    await company.run();
    expect(await (await company.state()).links.get('p1')).toMatchObject({ origin: 'adopted', dirty: false });
    expect(company.target.users.get('u1')?.attributes).toMatchObject({ [DEPARTMENT]: 'Research' });
  });

  it('of a create never gives somebody else’s account away, and never stops the others (I3, I8)', async () => {
    const company = await createCompany();
    company.mapping = {
      attributes: [
        { target: 'userName', source: 'mail' },
        { target: 'nickName', source: 'id', matching: { precedence: 1 } },
      ],
    };
    company.people = [{ id: 'a', mail: 'same@example.com' }];
    await company.run();
    company.people = [...company.people, { id: 'b', mail: 'same@example.com' }];
    refuse(
      company,
      'createUser',
      new SyncError('TargetUnavailable', 'no answer', { outcomeUnknown: true, scope: 'record' }),
    );
    await company.run();
    accept(company);
    company.people = [...company.people, { id: 'c', mail: 'c@example.com' }];
    const report = await company.run();
    expect(report).toMatchObject({ outcome: 'failed', people: { failed: 1 } });
    expect(company.target.users.size).toBe(2);
    expect(await (await company.state()).links.get('b')).toBeNull();
  });
});

describe('a search that the target refuses', () => {
  const refusal = new SyncError('RecordInvalid', 'the target does not take a search with this value');

  it('stops nobody: the list tells as well (I8)', async () => {
    const company = await aConvergedCompany(2);
    company.people = aCompanyOf(4);
    company.target.addUser({ userName: 'p3@example.com' });
    refuse(company, 'findUsers', refusal);
    expect(await company.run()).toMatchObject({ outcome: 'synced', plan: { create: 1, adopt: 1 } });
    expect(company.teamMembers('Research')).toHaveLength(4);
  });

  it('stops no other team either (I8)', async () => {
    const company = await aConvergedCompany(2);
    company.rules = { research: RESEARCH, other: { ...RESEARCH, team: { displayName: 'Other' } } };
    company.target.addTeam('Other');
    refuse(company, 'findTeams', refusal);
    expect(await company.run()).toMatchObject({ outcome: 'failed', people: { conflicts: 1 } });
  });

  it('does not hide an account that was created before a kill (I6)', async () => {
    const company = await aConvergedCompany(1);
    company.people = aCompanyOf(2);
    const add = company.target.addUser;
    company.target.addUser = (attributes) => {
      add(attributes);
      company.target.addUser = add;
      refuse(company, 'findUsers', new SyncError('TargetUnavailable', 'down'));
      throw new SyncError('TargetUnavailable', 'no answer', { outcomeUnknown: true });
    };
    await company.run();
    refuse(company, 'findUsers', refusal);
    expect(await company.run()).toMatchObject({ outcome: 'synced' });
    expect(company.target.users.size).toBe(2);
  });
});

describe('a change of members whose end nobody knows, where none are shown', () => {
  async function aRunThatEndsInDoubt(): Promise<Company> {
    const company = await aConvergedCompany(10);
    company.target.hideMembers = 'always';
    company.spec = { ...company.spec, guards: { deactivate: { percent: 100 }, removeMembers: { percent: 100 } } };
    const everybody = company.people;
    company.people = everybody.map((person, at) => (at < 2 ? { ...person, department: 'Sales' } : person));
    company.target.intercept = (request) => {
      if (!request.startsWith('changeMembers')) return;
      const [team] = company.target.teams.values();
      for (const id of ['u1', 'u2']) team?.members.delete(id);
      throw new SyncError('TargetUnavailable', 'no answer came', { scope: 'record', outcomeUnknown: true });
    };
    expect(await company.run()).toMatchObject({ outcome: 'failed' });
    expect(company.teamMembers('Research')).toHaveLength(8);
    company.people = everybody;
    return company;
  }

  it('is made good where they are wanted again (I6)', async () => {
    const company = await aRunThatEndsInDoubt();
    accept(company);
    expect(await company.run()).toMatchObject({ outcome: 'synced' });
    expect(company.teamMembers('Research')).toHaveLength(10);
    await expectQuiet(company);
  });

  it('lets nobody else leave a team that keeps so many, until it is known (I4)', async () => {
    const company = await aRunThatEndsInDoubt();
    const { guards } = company.spec;
    company.spec = { ...company.spec, guards: { ...guards, protectedTeams: ['Research'], keepAtLeast: 8 } };
    company.people = company.people.map((person, at) =>
      at < 2 || at > 3 ? person : { ...person, department: 'Sales' },
    );
    accept(company);
    expect(await company.run()).toMatchObject({ outcome: 'synced', plan: { addMembers: 2, removeMembers: 0 } });
    expect(await company.run()).toMatchObject({ outcome: 'synced', plan: { removeMembers: 2 } });
    expect(company.teamMembers('Research')).toHaveLength(8);
  });

  it('takes out who may be there or not, whatever the team keeps (I4)', async () => {
    const company = await aRunThatEndsInDoubt();
    const { guards } = company.spec;
    company.spec = { ...company.spec, guards: { ...guards, protectedTeams: ['Research'], keepAtLeast: 8 } };
    company.people = company.people.map((person, at) => (at < 2 ? { ...person, department: 'Sales' } : person));
    accept(company);
    expect(await company.run()).toMatchObject({ outcome: 'synced', plan: { removeMembers: 2 } });
    expect(company.teamMembers('Research')).toHaveLength(8);
    await expectQuiet(company);
  });

  it('is asked for once more where they are not (I6)', async () => {
    const company = await aRunThatEndsInDoubt();
    company.people = company.people.map((person, at) => (at < 2 ? { ...person, department: 'Sales' } : person));
    accept(company);
    expect(await company.run()).toMatchObject({ outcome: 'synced', plan: { removeMembers: 2 } });
    expect(company.teamMembers('Research')).toHaveLength(8);
    await expectQuiet(company);
  });
});

describe('a team that is to be deleted because it is empty', () => {
  it('stays while somebody is in it who was put in by hand, and goes once they are out (I4)', async () => {
    const company = await aConvergedCompany(3);
    const guards = { removeMembers: { percent: 100 }, deleteTeams: { percent: 100 } };
    company.spec = { ...company.spec, guards };
    company.rules = { research: { ...RESEARCH, whenEmpty: 'Delete' } };
    const stranger = company.target.addUser({ userName: 'stranger@example.com' });
    const [team] = company.target.teams.values();
    team?.members.add(stranger.id);
    company.people = company.people.map((person) => ({ ...person, department: 'Sales' }));
    expect((await company.run()).applied).toMatchObject({ update: 3, removeMembers: 3, deleteTeams: 0 });
    expect([...(team?.members ?? [])]).toEqual([stranger.id]);
    expect((await company.run()).applied).toMatchObject({ removeMembers: 1, deleteTeams: 1 });
    expect(company.target.teams.size).toBe(0);
    await expectQuiet(company);
  });
});

describe('a takeover that was begun', () => {
  it('is not taken for done because the account has the same name in other letters (I3)', async () => {
    const company = await createCompany();
    company.people = aCompanyOf(1);
    company.target.users.set('old', { id: 'old', attributes: { userName: 'P1@example.com', active: true } });
    refuse(company, 'updateUser old', new SyncError('TargetUnavailable', 'no answer', { outcomeUnknown: true }));
    expect(await company.run()).toMatchObject({ failedStep: 'apply' });
    accept(company);
    company.source.unknown = ['mail'];
    await company.run();
    expect(company.target.writes).toEqual([]);
    company.source.unknown = [];
    expect(await company.run()).toMatchObject({ outcome: 'synced', applied: { adopt: 1 } });
    expect(company.target.users.get('old')?.attributes['externalId']).toBe('p1');
  });
});
