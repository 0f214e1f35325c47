import { describe, expect, it } from 'vitest';
import type { TeamRuleResource } from '../../src/api/team-rule.ts';
import type { Finding } from '../../src/state/store.ts';
import { aCompanyOf, type Company, createCompany } from '../support/company.ts';
import { collect } from '../support/state-rows.ts';

const DEPARTMENT = 'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department';

const RESEARCH: TeamRuleResource['spec'] = {
  directorySyncRef: { name: 'acme' },
  team: { displayName: 'Research' },
  match: [{ attribute: 'department', operator: 'Equals', value: 'research' }],
};

async function aConvergedCompany(policy: 'Repair' | 'Report', people = 6): Promise<Company> {
  const company = await createCompany();
  company.people = aCompanyOf(people);
  company.rules = { research: RESEARCH };
  company.spec = { ...company.spec, drift: { policy } };
  expect(await company.run()).toMatchObject({ outcome: 'synced' });
  company.target.writes.length = 0;
  return company;
}

/** What an administrator does in an afternoon: a title, an account switched off, one out of the team and two in. */
function changeByHand({ target }: Company): void {
  const user = (id: string) => target.users.get(id)?.attributes ?? {};
  user('u1')['title'] = 'Hacker';
  delete user('u2')['title'];
  user('u3')['active'] = false;
  const [team] = target.teams.values();
  team?.members.delete('u4');
  team?.members.add(target.addUser({ userName: 'guest@example.com' }).id);
}

async function findings(company: Company, run: { runId: string }): Promise<Finding[]> {
  return collect((await company.state()).journal.findings(run.runId));
}

const FOUND = { attributes: 3, memberships: 2, missing: 0, unmanaged: 1, unreadTeams: 0 };

describe('drift.policy Repair', () => {
  it('counts what was changed by hand and puts it right, and the next look finds nothing', async () => {
    const company = await aConvergedCompany('Repair');
    changeByHand(company);
    const report = await company.run({ resync: true });
    expect(report).toMatchObject({ outcome: 'synced', drift: FOUND, plan: { update: 2, reactivate: 1 } });
    const causes = (await company.operations(report)).map(({ kind, cause, reason }) => `${kind} ${cause}: ${reason}`);
    expect(causes).toEqual([
      'update drift: was changed in the target',
      'update drift: was changed in the target',
      'reactivate drift: was changed in the target',
      'addMembers drift: was removed in the target',
      'removeMembers drift: was added in the target',
    ]);
    expect(company.target.users.get('u1')?.attributes['title']).toBe('Engineer');
    expect(company.teamMembers('Research')).toEqual(company.people.map(({ mail }) => mail));
    expect(await company.run({ resync: true })).toMatchObject({
      drift: { ...FOUND, attributes: 0, memberships: 0 },
      plan: { update: 0 },
    });
  });

  it('counts again what a look before has only planned to put right', async () => {
    const company = await aConvergedCompany('Repair');
    changeByHand(company);
    for (const look of [1, 2]) {
      expect(await company.run({ planOnly: true, resync: true }), `look ${look}`).toMatchObject({ drift: FOUND });
    }
    expect(company.target.writes).toEqual([]);
    expect(await company.run()).toMatchObject({ kind: 'Full', plan: { addMembers: 1, removeMembers: 1, update: 2 } });
  });

  it('writes again what was cleared by hand while the source had no value of it', async () => {
    const company = await aConvergedCompany('Repair');
    const retitle = (title: string): void => {
      company.people = company.people.map((each) => (each.id === 'p1' ? { ...each, title } : each));
    };
    retitle('');
    const { attributes = [] } = company.mapping;
    company.mapping = {
      ...company.mapping,
      attributes: attributes.map((each) => (each.target === 'title' ? { ...each, onEmpty: 'Keep' } : each)),
    };
    expect(await company.run()).toMatchObject({ plan: { update: 0 } });
    const account = company.target.users.get('u1')?.attributes ?? {};
    expect(account['title']).toBe('Engineer');
    delete account['title'];
    expect(await company.run({ resync: true })).toMatchObject({ plan: { update: 0 } });
    retitle('Engineer');
    expect(await company.run()).toMatchObject({ plan: { update: 1 } });
    expect(company.target.users.get('u1')?.attributes['title']).toBe('Engineer');
  });

  it('makes an account and a team again that are gone', async () => {
    const company = await aConvergedCompany('Repair');
    company.target.users.delete('u1');
    company.target.teams.clear();
    const report = await company.run({ resync: true });
    expect(report).toMatchObject({ outcome: 'synced', drift: { missing: 2 }, plan: { create: 1, createTeams: 1 } });
    expect(company.teamMembers('Research')).toHaveLength(6);
  });

  it('switches off again whom somebody has switched on after they left', async () => {
    const company = await aConvergedCompany('Repair');
    company.people = company.people.slice(1);
    await company.run();
    const [user] = company.target.users.values();
    if (user !== undefined) user.attributes['active'] = true;
    expect(await company.run({ resync: true })).toMatchObject({ drift: { attributes: 1 }, plan: { deactivate: 1 } });
    expect(user?.attributes['active']).toBe(false);
  });
});

describe('drift.policy Report', () => {
  it('counts what was changed by hand and leaves it, in every later run too (I2)', async () => {
    const company = await aConvergedCompany('Report');
    changeByHand(company);
    const report = await company.run({ resync: true });
    expect(report).toMatchObject({ outcome: 'synced', drift: FOUND, plan: { update: 0, addMembers: 0 } });
    expect(report.warnings).toContainEqual(expect.objectContaining({ reason: 'Drift', count: 5 }));
    expect(await company.run()).toMatchObject({ kind: 'Full', drift: null });
    expect(await company.run({ resync: true })).toMatchObject({ drift: FOUND });
    expect(company.target.writes).toEqual([]);
    expect(company.target.users.get('u1')?.attributes['title']).toBe('Hacker');
  });

  it('leaves what was only looked at, in the next run too (I2)', async () => {
    const company = await aConvergedCompany('Report');
    changeByHand(company);
    const look = { planOnly: true, resync: true, findings: true };
    expect(await company.run(look)).toMatchObject({ drift: FOUND });
    expect(await company.run()).toMatchObject({ outcome: 'synced', plan: { addMembers: 0, removeMembers: 0 } });
    expect(await company.run(look)).toMatchObject({ drift: FOUND });
    expect(await company.run({ resync: true })).toMatchObject({ outcome: 'synced', drift: FOUND });
    expect(company.target.writes).toEqual([]);
  });

  it('writes what the source changes, also where somebody has changed it by hand', async () => {
    const company = await aConvergedCompany('Report');
    changeByHand(company);
    await company.run({ resync: true });
    company.people = company.people.map((person, index) =>
      index < 2 ? { ...person, title: 'Lead', department: index === 0 ? 'Sales' : 'Research' } : person,
    );
    const report = await company.run({ resync: true });
    expect(report).toMatchObject({ outcome: 'synced', drift: { attributes: 1, memberships: 2 } });
    expect(company.target.users.get('u1')?.attributes).toMatchObject({ title: 'Lead', [DEPARTMENT]: 'Sales' });
    expect(company.target.users.get('u2')?.attributes).toMatchObject({ title: 'Lead' });
    expect(company.target.users.get('u3')?.attributes).toMatchObject({ active: false });
    const members = ['guest@example.com', ...[2, 3, 5, 6].map((n) => `p${n}@example.com`)];
    expect(company.teamMembers('Research')).toEqual(members);
  });

  it('takes for a change of the source what the link has, not what stands in the target', async () => {
    const company = await aConvergedCompany('Report');
    const [user] = company.target.users.values();
    if (user !== undefined) user.attributes['title'] = 'Lead';
    await company.run({ resync: true });
    company.people = company.people.map((person) => ({ ...person, title: 'Lead' }));
    expect(await company.run({ resync: true }), 'it is so already').toMatchObject({ plan: { update: 5 } });
    company.people = company.people.map((person) => ({ ...person, title: 'Engineer' }));
    expect(await company.run()).toMatchObject({ plan: { update: 6 } });
    expect(user?.attributes['title']).toBe('Engineer');
  });

  it('does not make again what is gone, fails for nobody because of it, and lets them leave', async () => {
    const company = await aConvergedCompany('Report');
    company.target.users.delete('u1');
    company.target.teams.clear();
    expect(await company.run({ resync: true })).toMatchObject({ outcome: 'synced', drift: { missing: 2 } });
    company.people = company.people.map((person) => ({ ...person, title: 'Lead' }));
    const report = await company.run();
    expect(report).toMatchObject({ outcome: 'synced', plan: { create: 0, update: 5, addMembers: 0 } });
    expect(company.target.teams.size).toBe(0);
    company.people = company.people.slice(1);
    expect(await company.run()).toMatchObject({ outcome: 'synced', plan: { deactivate: 0 } });
    expect(await (await company.state()).links.get('p1')).toBeNull();
  });

  it('leaves an account switched on that somebody has switched on after the person left', async () => {
    const company = await aConvergedCompany('Report');
    company.people = company.people.slice(1);
    await company.run();
    const [user] = company.target.users.values();
    if (user !== undefined) user.attributes['active'] = true;
    const report = await company.run({ resync: true });
    expect(report).toMatchObject({ drift: { attributes: 1 }, plan: { deactivate: 0 } });
    expect(user?.attributes['active']).toBe(true);
  });

  it('puts right what a request of its own has left half done (I6)', async () => {
    const company = await aConvergedCompany('Report');
    await (await company.state()).links.apply([
      { type: 'markDirty', sourceId: 'p1' },
      { type: 'markTeamDirty', key: 'rule:research' },
    ]);
    const [team] = company.target.teams.values();
    team?.members.delete('u4');
    const [user] = company.target.users.values();
    if (user !== undefined) user.attributes['title'] = 'half written';
    expect(await company.run()).toMatchObject({ plan: { update: 1, addMembers: 1 } });
    expect(user?.attributes['title']).toBe('Engineer');
  });

  it('keeps a name of a team that was changed by hand, and takes one that the rule changes', async () => {
    const company = await aConvergedCompany('Report');
    const [team] = company.target.teams.values();
    if (team !== undefined) team.attributes['displayName'] = 'The Lab';
    expect(await company.run({ resync: true })).toMatchObject({ drift: { attributes: 1 }, plan: { updateTeams: 0 } });
    company.rules = { research: { ...RESEARCH, team: { displayName: 'Science' } } };
    await company.run();
    expect(team?.attributes['displayName']).toBe('Science');
  });
});

describe('a target that does not tell members', () => {
  it('leaves drift of memberships unknown: nobody is taken for removed', async () => {
    const company = await aConvergedCompany('Repair');
    company.target.hideMembers = 'always';
    const report = await company.run({ resync: true });
    expect(report).toMatchObject({ outcome: 'synced', drift: { memberships: 0, unreadTeams: 1 } });
    expect(company.target.writes).toEqual([]);
  });

  it('in its list is asked for them team by team', async () => {
    const company = await aConvergedCompany('Repair');
    company.target.hideMembers = 'in lists';
    const [team] = company.target.teams.values();
    team?.members.delete('u4');
    const report = await company.run({ resync: true });
    expect(report).toMatchObject({ drift: { memberships: 1, unreadTeams: 0 }, plan: { addMembers: 1 } });
  });
});

describe('findings', () => {
  it('are kept with a run that was asked for them: who, which attribute, what was applied and what is there', async () => {
    const company = await aConvergedCompany('Report', 3);
    company.target.addUser({ userName: 'guest@example.com' });
    const [team] = company.target.teams.values();
    team?.members.delete('u1');
    team?.members.add('u5');
    const second = company.target.users.get('u2');
    if (second !== undefined) second.attributes['title'] = 'Hacker';
    company.target.users.delete('u3');
    const report = await company.run({ resync: true, findings: true, planOnly: true });
    expect(await findings(company, report)).toEqual([
      expect.objectContaining({
        kind: 'attribute',
        resource: 'User',
        id: 'p2',
        targetId: 'u2',
        name: 'p2@example.com',
        attribute: { path: 'title', applied: 'Engineer', found: 'Hacker' },
      }),
      expect.objectContaining({ kind: 'missing', resource: 'User', id: 'p3', targetId: 'u3' }),
      expect.objectContaining({
        kind: 'membership',
        resource: 'Team',
        name: 'Research',
        member: { change: 'removed', sourceId: 'p1', targetId: 'u1', name: 'p1@example.com' },
      }),
      expect.objectContaining({
        member: { change: 'added', sourceId: null, targetId: 'u5', name: 'u5' },
      }),
      expect.objectContaining({ kind: 'unmanaged', id: null, targetId: 'u5', name: 'guest@example.com' }),
    ]);
    expect(await findings(company, await company.run({ resync: true }))).toEqual([]);
  });
});
