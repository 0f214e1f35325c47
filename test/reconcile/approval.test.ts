/** Approvals and guards when runs fail in the middle, and when other things are edited meanwhile. */
import { describe, expect, it } from 'vitest';
import type { TeamRuleSpec } from '../../src/api/team-rule.ts';
import { SyncError } from '../../src/errors.ts';
import { aCompanyOf, type Company, createCompany } from '../support/company.ts';

const DAY = 86_400_000;

function rule(displayName: string, value = 'research'): TeamRuleSpec {
  return {
    directorySyncRef: { name: 'acme' },
    team: { displayName },
    match: [{ attribute: 'department', operator: 'Equals', value }],
  };
}

async function aConvergedCompany(people: number): Promise<Company> {
  const company = await createCompany();
  company.spec = { ...company.spec, guards: { suspiciousDrop: 100 } };
  company.people = aCompanyOf(people);
  company.rules = { research: rule('Research') };
  await company.run();
  company.target.writes.length = 0;
  return company;
}

function isActive(company: Company): number {
  return [...company.target.users.values()].filter(({ attributes }) => attributes['active'] !== false).length;
}

describe('an approval', () => {
  it('is finished by the next run: memberships go with the deactivations that were approved (I5, I6)', async () => {
    const company = await aConvergedCompany(40);
    company.people = company.people.slice(0, 15);
    const held = await company.run();
    expect(held).toMatchObject({ outcome: 'held', held: { count: 25 } });
    company.target.intercept = (request) => {
      if (request.startsWith('changeMembers')) throw new SyncError('TargetUnavailable', 'down');
    };
    expect(await company.run({ approve: held.held.hash })).toMatchObject({ outcome: 'waiting' });
    expect(isActive(company)).toBe(15);
    company.target.intercept = () => undefined;
    expect(await company.run()).toMatchObject({ outcome: 'synced', held: { count: 0 } });
    expect(company.teamMembers('Research')).toHaveLength(15);
  });

  it('is not spent by a request that failed: its unit goes in the next run (I5)', async () => {
    const company = await aConvergedCompany(40);
    company.spec = { ...company.spec, guards: { suspiciousDrop: 100, deactivate: { max: 0 } } };
    company.people = company.people.slice(0, 20);
    const held = await company.run();
    company.target.intercept = (request) => {
      if (request === 'deactivateUser u30') throw new SyncError('TargetRejected', 'not now');
    };
    expect(await company.run({ approve: held.held.hash })).toMatchObject({ outcome: 'failed' });
    company.target.intercept = () => undefined;
    expect(await company.run()).toMatchObject({ outcome: 'synced', held: { count: 0 } });
    expect(isActive(company)).toBe(20);
  });

  it('is spent: who came back and leaves again needs a new one (I5)', async () => {
    const company = await aConvergedCompany(20);
    const all = company.people;
    company.spec = { ...company.spec, guards: { suspiciousDrop: 100, deactivate: { max: 0 } } };
    company.people = all.slice(0, 17);
    const held = await company.run();
    company.target.intercept = (request) => {
      if (request.startsWith('deactivateUser u19')) throw new SyncError('TargetRejected', 'never');
    };
    await company.run({ approve: held.held.hash });
    company.target.intercept = () => undefined;
    company.people = all;
    await company.run();
    company.people = all.slice(0, 17);
    expect(await company.run()).toMatchObject({ outcome: 'held', held: { count: 3 } });
    expect(isActive(company)).toBe(20);
  });

  it('is spent by what it let go: who is switched on by hand afterwards needs a new one (I5)', async () => {
    const company = await aConvergedCompany(20);
    company.spec = { ...company.spec, guards: { suspiciousDrop: 100, deactivate: { max: 0 } } };
    company.people = company.people.slice(0, 17);
    const held = await company.run();
    expect(await company.run({ approve: held.held.hash })).toMatchObject({ outcome: 'synced' });
    const user = company.target.users.get('u18');
    if (user !== undefined) user.attributes['active'] = true;
    expect(await company.run({ resync: true })).toMatchObject({ outcome: 'held', held: { count: 1 } });
    expect(isActive(company)).toBe(18);
  });

  it('of what then gets no answer is not counted when the next run finds that it went (I4)', async () => {
    const company = await aConvergedCompany(40);
    company.people = company.people.slice(0, 30);
    const held = await company.run();
    const lost = new SyncError('TargetUnavailable', 'no answer', { outcomeUnknown: true, scope: 'record' });
    company.target.intercept = (request) => {
      const [, id] = /^deactivateUser (.*)$/.exec(request) ?? [];
      const user = company.target.users.get(id ?? '');
      if (user === undefined) return;
      user.attributes['active'] = false;
      throw lost;
    };
    await company.run({ approve: held.held.hash });
    company.target.intercept = () => undefined;
    await company.run();
    expect(isActive(company)).toBe(30);
    expect((await (await company.state()).ledger.removals(0)).filter(({ kind }) => kind === 'deactivate')).toEqual([]);
  });
});

describe('guards', () => {
  it('count what a team has lost under whatever name it had (I4)', async () => {
    const company = await aConvergedCompany(40);
    const move = (from: number, to: number) => {
      company.people = company.people.map((person, index) =>
        index >= from && index < to ? { ...person, department: 'Sales' } : person,
      );
    };
    move(0, 20);
    expect(await company.run()).toMatchObject({ outcome: 'synced', plan: { removeMembers: 20 } });
    company.rules = { research: rule('Science') };
    move(20, 30);
    expect(await company.run()).toMatchObject({ outcome: 'held', held: { kinds: { removeMembers: 10 } } });
    expect(company.teamMembers('Science')).toHaveLength(20);
  });

  it('go on holding what they held when a suspect read comes in between and time passes (I4)', async () => {
    const company = await aConvergedCompany(40);
    company.spec = { ...company.spec, guards: { suspiciousDrop: 30, deactivate: { max: 8, percent: 100 } } };
    const all = company.people;
    company.people = all.slice(0, 32);
    await company.run();
    expect(isActive(company)).toBe(32);
    company.people = all.slice(0, 28);
    expect(await company.run()).toMatchObject({ outcome: 'held', held: { kinds: { deactivate: 4 } } });
    company.people = all.slice(0, 10);
    company.now = new Date(company.now.getTime() + DAY + 1);
    expect(await company.run()).toMatchObject({ reason: 'ReadSuspect' });
    company.people = all.slice(0, 28);
    expect(await company.run()).toMatchObject({ outcome: 'held', held: { kinds: { deactivate: 4 } } });
    expect(isActive(company)).toBe(32);
  });

  it('never rename who is protected, and say so (protectedUsers)', async () => {
    const company = await aConvergedCompany(3);
    company.spec = { ...company.spec, guards: { protectedUsers: ['p1@example.com'] } };
    company.people = company.people.map((person) =>
      person.id === 'p1' ? { ...person, mail: 'new@example.com', title: 'Lead' } : person,
    );
    expect(await company.run()).toMatchObject({ outcome: 'synced', people: { protected: 1 } });
    expect(company.target.users.get('u1')?.attributes).toMatchObject({ userName: 'p1@example.com', title: 'Lead' });
    for (const resync of [true, false, false]) {
      company.target.writes.length = 0;
      expect(await company.run({ resync })).toMatchObject({ outcome: 'synced', people: { protected: 1 } });
      expect(company.target.writes).toEqual([]);
    }
  });

  it('give nobody the account of a value that more people share than a message names (I3)', async () => {
    const company = await createCompany();
    company.people = aCompanyOf(11, () => ({ mail: 'same@example.com' }));
    const report = await company.run();
    expect(report).toMatchObject({ plan: { create: 0 }, people: { conflicts: 11 } });
    expect(company.target.users.size).toBe(0);
  });
});

describe('a rename of a team', () => {
  it('can be taken back after the target refused it (I10)', async () => {
    const company = await aConvergedCompany(3);
    company.rules = { research: rule('Science') };
    company.target.intercept = (request) => {
      if (request.startsWith('updateTeam')) throw new SyncError('TargetRejected', 'not now');
    };
    await company.run();
    company.target.intercept = () => undefined;
    company.rules = { research: rule('Research') };
    expect(await company.run({ resync: true })).toMatchObject({ outcome: 'synced' });
    expect(company.teamMembers('Research')).toHaveLength(3);
    company.target.writes.length = 0;
    await company.run({ resync: true });
    expect(company.target.writes).toEqual([]);
  });

  it('to a name that somebody else’s team has empties nothing (I10)', async () => {
    const company = await aConvergedCompany(3);
    company.target.addTeam('Science', ['x']);
    company.rules = { research: rule('Science') };
    for (const resync of [true, false]) {
      expect(await company.run({ resync })).toMatchObject({ outcome: 'failed', people: { conflicts: 1 } });
      expect(company.teamMembers('Research')).toHaveLength(3);
    }
    company.target.teams.delete('t5');
    await company.run({ resync: true });
    expect(company.teamMembers('Science')).toHaveLength(3);
    expect(company.target.teams.size).toBe(1);
  });
});

describe('requests that change one team', () => {
  it('follow each other: services that write groups whole would lose members (I6)', async () => {
    const company = await createCompany();
    company.people = aCompanyOf(250);
    company.rules = { research: rule('Research') };
    let open = 0;
    let most = 0;
    const connect = company.target.provider.connect;
    Object.assign(company.target.provider, {
      connect: async (...args: Parameters<typeof connect>) => {
        const target = await connect(...args);
        return {
          ...target,
          changeMembers: async (...change: Parameters<typeof target.changeMembers>) => {
            open += 1;
            most = Math.max(most, open);
            await new Promise((resolve) => setImmediate(resolve));
            open -= 1;
            await target.changeMembers(...change);
          },
        };
      },
    });
    await company.run();
    expect(company.teamMembers('Research')).toHaveLength(250);
    expect(most).toBe(1);
  });
});
