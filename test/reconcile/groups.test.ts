/** Groups of the source as teams, from the read to the target. */
import { describe, expect, it } from 'vitest';
import type { DirectorySyncSpec } from '../../src/api/directory-sync.ts';
import type { TeamRuleResource } from '../../src/api/team-rule.ts';
import { aCompanyOf, type Company, createCompany } from '../support/company.ts';
import type { ScriptedGroup } from '../support/scripted-source.ts';

type Groups = NonNullable<DirectorySyncSpec['groups']>;

const ENG: ScriptedGroup = { id: 'g-eng', displayName: 'Engineering', members: ['p1', 'p2'] };
const OPS: ScriptedGroup = { id: 'g-ops', displayName: 'Operations', members: ['p3'] };

async function aCompanyWith(groups: readonly ScriptedGroup[], choice: Groups = {}, people = 6): Promise<Company> {
  const company = await createCompany();
  company.people = aCompanyOf(people);
  company.source.groups = groups;
  const { source } = company.spec;
  company.spec = {
    ...company.spec,
    source: { file: { users: { path: 'people.csv' }, ...source.file, groups: { path: 'groups.json' } } },
    groups: { provision: 'All', ...choice },
    guards: { removeMembers: { percent: 100 } },
  };
  return company;
}

const memberRule = (group: string): TeamRuleResource['spec'] => ({
  directorySyncRef: { name: 'acme' },
  team: { displayName: `In ${group}` },
  match: [{ operator: 'IsMemberOf', value: group }],
});

const mails = (...ids: readonly string[]): string[] => ids.map((id) => `${id}@example.com`);
const teams = ({ target }: Company): string[] =>
  [...target.teams.values()].map(({ attributes }) => String(attributes['displayName'])).sort();

/** Two runs; nothing is left for the second (rule I2). */
async function settle(company: Company): Promise<void> {
  expect(await company.run()).toMatchObject({ outcome: 'synced' });
  company.target.writes.length = 0;
  expect(await company.run()).toMatchObject({ outcome: 'synced' });
  expect(company.target.writes).toEqual([]);
}

describe('groups of the source', () => {
  it('of one protected name keep their members all of them, whichever has the name (protectedTeams)', async () => {
    const company = await aCompanyWith([ENG, { ...OPS, displayName: 'Engineering' }]);
    const guards = { removeMembers: { percent: 100 }, deleteTeams: { percent: 100 } };
    company.spec = { ...company.spec, guards: { ...guards, protectedTeams: ['engineering'], keepAtLeast: 1 } };
    await settle(company);
    expect(teams(company)).toEqual(['Engineering', 'Engineering (g-ops)']);
    company.source.groups = [ENG, { ...OPS, displayName: 'Engineering' }].map((group) => ({ ...group, members: [] }));
    expect(await company.run()).toMatchObject({ plan: { removeMembers: 1 }, people: { protected: 2 } });
    company.source.groups = [];
    await company.run();
    expect([company.teamMembers('Engineering'), company.teamMembers('Engineering (g-ops)')]).toEqual([
      mails('p2'),
      mails('p3'),
    ]);
    company.spec = { ...company.spec, deletionPolicy: 'Delete' };
    await company.run({ deletion: true });
    expect(company.target.teams.size).toBe(2);
  });

  it('become teams with those of their members who are in scope, and a second run writes nothing (I2)', async () => {
    const company = await aCompanyWith([ENG, { ...OPS, members: ['p3', 'p4', 'nobody'] }]);
    company.people = company.people.map((person) => ({ ...person, title: person.id === 'p4' ? 'Out' : 'In' }));
    company.spec = {
      ...company.spec,
      scope: { filters: [[{ attribute: 'title', operator: 'Equals', value: 'In' }]] },
    };
    const report = await company.run();
    expect(report).toMatchObject({ outcome: 'synced', applied: { createTeams: 2, addMembers: 3 } });
    expect(report.warnings).toContainEqual({
      reason: 'UnresolvedMember',
      message: 'members of groups name nobody in the read',
      count: 1,
    });
    expect(company.teamMembers('Engineering')).toEqual(mails('p1', 'p2'));
    expect(company.teamMembers('Operations')).toEqual(mails('p3'));
    const [team] = [...company.target.teams.values()];
    expect(team?.attributes['externalId']).toBe('g-eng');
    await settle(company);
  });

  it('name members by id, userName or mail address; one that two people have is nobody’s', async () => {
    const company = await aCompanyWith([{ ...ENG, members: ['P1@Example.com', 'login-2', 'shared@example.com'] }]);
    company.people = company.people.map((person, index) => ({
      ...person,
      userName: `login-${index + 1}`,
      otherMails: index > 2 ? ['shared@example.com'] : [],
    }));
    await company.run();
    expect(company.teamMembers('Engineering')).toEqual(mails('p1', 'p2'));
  });

  it.each([
    ['Flatten', mails('p1', 'p2', 'p3')],
    ['DirectOnly', mails('p1', 'p2')],
  ] as const)('nestedGroups %s: a group in a group, and in itself, gives %j', async (nestedGroups, members) => {
    const company = await aCompanyWith([
      { ...ENG, members: ['p1', 'p2', 'g-ops'] },
      { ...OPS, members: ['p3', 'g-eng'] },
    ]);
    company.spec = { ...company.spec, scope: { nestedGroups } };
    await settle(company);
    expect(company.teamMembers('Engineering')).toEqual(members);
  });

  it('are chosen by name or id; the team of one that is left out later stays as it is', async () => {
    const company = await aCompanyWith([ENG, OPS], { include: ['engineering', 'g-ops', 'Typo'] });
    const report = await company.run();
    expect(report.warnings).toContainEqual({
      reason: 'UnresolvedGroup',
      message: 'entries of groups.include or groups.exclude name no group of the source',
      count: 1,
    });
    expect(teams(company)).toEqual(['Engineering', 'Operations']);
    company.spec = { ...company.spec, groups: { provision: 'All', exclude: ['g-ops'] } };
    company.source.groups = [ENG, { ...OPS, members: [] }];
    await settle(company);
    company.spec = { ...company.spec, groups: { provision: 'None' } };
    company.source.groups = [];
    await settle(company);
    expect(company.teamMembers('Operations')).toEqual(mails('p3'));
  });

  it('I10 a renamed group is a renamed team, members and all', async () => {
    const company = await aCompanyWith([ENG]);
    await settle(company);
    const [id] = company.target.teams.keys();
    company.source.groups = [{ ...ENG, displayName: 'Platform' }];
    expect(await company.run()).toMatchObject({
      outcome: 'synced',
      applied: { updateTeams: 1, createTeams: 0, addMembers: 0, removeMembers: 0 },
    });
    expect([...company.target.teams.keys()]).toEqual([id]);
    expect(company.teamMembers('Platform')).toEqual(mails('p1', 'p2'));
    await settle(company);
  });

  it('two of one name are two teams that keep their names, whoever of them comes first or goes', async () => {
    const twin = { id: 'twin-of-eng', displayName: ' engineering', members: ['p5'] };
    const company = await aCompanyWith([ENG, twin], { deletedAtSource: 'Delete' });
    company.spec = { ...company.spec, guards: { ...company.spec.guards, deleteTeams: { percent: 100 } } };
    await settle(company);
    expect(teams(company)).toEqual(['Engineering', 'engineering (twin-of-)']);
    company.source.groups = [twin, ENG];
    await settle(company);
    expect(teams(company)).toEqual(['Engineering', 'engineering (twin-of-)']);
    expect(company.teamMembers('Engineering')).toEqual(mails('p1', 'p2'));
    company.source.groups = [twin];
    await settle(company);
    expect(teams(company)).toEqual(['engineering (twin-of-)']);
  });

  it('a rule of the same name is a Conflict of the rule, and the team is the group’s', async () => {
    const rule: TeamRuleResource['spec'] = {
      directorySyncRef: { name: 'acme' },
      team: { displayName: 'ENGINEERING' },
      match: [{ attribute: 'department', operator: 'Equals', value: 'Research' }],
    };
    const company = await aCompanyWith([ENG]);
    company.rules = { eng: rule };
    const report = await company.run();
    expect(report).toMatchObject({ outcome: 'failed', applied: { createTeams: 1 } });
    expect(await company.errors(report)).toEqual(['eng Conflict: a group of the source has the name "ENGINEERING"']);
    expect(company.teamMembers('Engineering')).toEqual(mails('p1', 'p2'));
  });
});

describe('a group that is gone from the source', () => {
  it.each([
    ['Retain', mails('p3'), 'stays'],
    ['Empty', [], 'is emptied'],
    ['Delete', null, 'is deleted'],
  ] as const)('deletedAtSource %s: its team has %j (%s)', async (deletedAtSource, members, _what) => {
    const company = await aCompanyWith([ENG, OPS], { deletedAtSource });
    company.spec = { ...company.spec, guards: { ...company.spec.guards, deleteTeams: { percent: 100 } } };
    await settle(company);
    company.source.groups = [ENG];
    await settle(company);
    if (members === null) expect(teams(company)).toEqual(['Engineering']);
    else expect(company.teamMembers('Operations')).toEqual(members);
    expect(company.teamMembers('Engineering')).toEqual(mails('p1', 'p2'));
  });

  it('leaves its team as it is where no teams are made of groups, whatever else asks for them', async () => {
    const company = await aCompanyWith([ENG, OPS]);
    company.rules = { eng: memberRule('g-eng') };
    await settle(company);
    company.spec = { ...company.spec, groups: { provision: 'None', deletedAtSource: 'Delete' } };
    company.source.groups = [ENG];
    await settle(company);
    expect(company.teamMembers('Operations')).toEqual(mails('p3'));
  });

  it('gives nobody back to a team that it empties', async () => {
    const company = await aCompanyWith([ENG, OPS]);
    await settle(company);
    const everybody = company.people;
    company.people = everybody.filter(({ id }) => id !== 'p3');
    await settle(company);
    company.source.groups = [ENG];
    await settle(company);
    company.people = everybody;
    expect(await company.run()).toMatchObject({ applied: { addMembers: 0 } });
    await settle(company);
  });

  it('takes no more members than the guard lets go (I4)', async () => {
    const ten = { ...OPS, members: aCompanyOf(10).map(({ id }) => id) };
    const company = await aCompanyWith([ENG, ten], {}, 12);
    company.spec = { ...company.spec, guards: { removeMembers: { percent: 50 } } };
    await settle(company);
    company.source.groups = [ENG];
    expect(await company.run()).toMatchObject({ outcome: 'held', held: { kinds: { removeMembers: 10 } } });
    expect(company.teamMembers('Operations')).toHaveLength(10);
  });

  it('comes back to the team that it had, with those who belong to it now', async () => {
    const company = await aCompanyWith([ENG, OPS]);
    await settle(company);
    company.source.groups = [ENG];
    await settle(company);
    company.source.groups = [ENG, { ...OPS, members: ['p4'] }];
    expect(await company.run()).toMatchObject({ applied: { createTeams: 0, addMembers: 1 } });
    expect(company.teamMembers('Operations')).toEqual(mails('p4'));
  });
});

describe('a list of groups that cannot be trusted', () => {
  it('an item without an id may be any group: none is taken for gone (I1)', async () => {
    const company = await aCompanyWith([ENG, OPS], { deletedAtSource: 'Delete' });
    await settle(company);
    company.source.groups = [ENG];
    company.source.failedGroups = [{ id: null, code: 'ReadFailed', message: 'an item has no id' }];
    expect(await company.run()).toMatchObject({ outcome: 'failed' });
    expect(teams(company)).toEqual(['Engineering', 'Operations']);
  });

  it('a group whose item has no id may be in another one: who belongs to it by that stays (I1)', async () => {
    const company = await aCompanyWith([{ ...ENG, members: ['p1', 'g-ops'] }, OPS]);
    await settle(company);
    company.source.groups = [{ ...ENG, members: ['p1', 'g-ops'] }];
    company.source.failedGroups = [{ id: null, code: 'ReadFailed', message: 'an item has no id' }];
    await company.run();
    expect(company.teamMembers('Engineering')).toEqual(mails('p1', 'p3'));
  });

  it('names of people that the read lacks take nobody out of a team, until somebody asks for a resync (I13)', async () => {
    const company = await aCompanyWith([{ ...ENG, members: ['p1', 'login-2'] }, OPS]);
    const { people } = company;
    company.people = people.map((person, index) => ({ ...person, userName: `login-${index + 1}` }));
    await settle(company);
    company.people = people;
    company.source.groups = [
      { ...ENG, members: ['login-2'] },
      { ...OPS, members: [] },
    ];
    for (const _ of [1, 2]) {
      const report = await company.run();
      expect(report.warnings).toContainEqual({
        reason: 'UnresolvedMember',
        message:
          'members of groups name nobody in the read, which lacks names that people have: the teams of these groups stay as they are',
        count: 1,
      });
      expect(company.teamMembers('Engineering')).toEqual(mails('p1', 'p2'));
      expect(company.teamMembers('Operations')).toEqual([]);
    }
    await company.run({ resync: true });
    expect(company.teamMembers('Engineering')).toEqual([]);
  });

  it.each([
    ['early', 'ReadIncomplete'],
    [new Error('socket hang up'), 'ReadFailed'],
  ] as const)('a list that ends %s is a failed read, and nothing follows from it (I1)', async (groupsEnd, reason) => {
    const company = await aCompanyWith([ENG, OPS]);
    await settle(company);
    company.source.groups = [ENG];
    company.source.groupsEnd = groupsEnd;
    expect(await company.run()).toMatchObject({ outcome: 'waiting', reason, plan: null });
    expect(company.target.writes).toEqual([]);
  });

  it('no groups, or far fewer, where there were some is suspect: nothing is removed before a second read (I1)', async () => {
    const many = Array.from({ length: 20 }, (_, n) => ({ id: `g${n}`, displayName: `Group ${n}`, members: ['p1'] }));
    const company = await aCompanyWith(many);
    await settle(company);
    const doubted = { outcome: 'waiting', reason: 'ReadSuspect' };
    company.source.groups = many.slice(0, 10);
    expect(await company.run()).toMatchObject({
      ...doubted,
      suspicion: 'the read has 10 groups, the last good one had 20',
      held: { kinds: { suspect: 10 } },
    });
    company.source.groups = [];
    expect(await company.run()).toMatchObject({
      ...doubted,
      suspicion: 'the read has no groups, the last good one had 20',
    });
    expect(company.target.writes).toEqual([]);
    company.source.groups = many;
    await settle(company);
  });

  it('two records of one id are used neither, and its team stays (I8)', async () => {
    const company = await aCompanyWith([ENG, OPS]);
    await settle(company);
    company.source.groups = [ENG, { ...OPS, members: ['p1'] }, { ...OPS, members: ['p2'] }];
    const report = await company.run();
    expect(new Set(await company.errors(report))).toEqual(
      new Set(['g-ops RecordInvalid: two groups have the id g-ops: the team stays as it is']),
    );
    expect(company.teamMembers('Operations')).toEqual(mails('p3'));
  });
});

describe('groups and what else there is', () => {
  it('a lost store finds the teams again by the ids of their groups (I7)', async () => {
    const company = await aCompanyWith([ENG, OPS]);
    await settle(company);
    await company.loseState();
    expect(await company.run()).toMatchObject({ applied: { createTeams: 0 } });
    expect(teams(company)).toEqual(['Engineering', 'Operations']);
    await settle(company);
  });

  it('whoever leaves leaves the teams of groups too, and is put into them again on return', async () => {
    const company = await aCompanyWith([ENG, OPS]);
    await settle(company);
    const everybody = company.people;
    company.people = everybody.filter(({ id }) => id !== 'p1');
    await settle(company);
    expect(company.teamMembers('Engineering')).toEqual(mails('p2'));
    company.people = everybody;
    await settle(company);
    expect(company.teamMembers('Engineering')).toEqual(mails('p1', 'p2'));
  });

  it.each(['deleted', 'renamed'])(
    'a new group waits for the name of a kept team until that is %s in the target (I3)',
    async (how) => {
      const company = await aCompanyWith([ENG, OPS], { deletedAtSource: 'Retain' });
      await settle(company);
      company.source.groups = [{ ...ENG, id: 'g-new', members: ['p4'] }, OPS];
      const report = await company.run();
      const message = expect.stringMatching(/^g-new Conflict: .* which is managed as another team$/);
      expect(await company.errors(report)).toEqual([message]);
      const [old] = [...company.target.teams.values()].filter(({ attributes }) => attributes['externalId'] === 'g-eng');
      if (old !== undefined && how === 'renamed') old.attributes['displayName'] = 'Engineering before';
      if (how === 'deleted') company.target.teams.delete(old?.id ?? '');
      await company.run({ resync: true });
      await settle(company);
      expect(company.teamMembers('Engineering')).toEqual(mails('p4'));
    },
  );

  it('one person alone: a run for them changes their memberships and nobody else’s', async () => {
    const company = await aCompanyWith([ENG, OPS]);
    await settle(company);
    company.source.answersOne = true;
    company.source.groups = [
      { ...ENG, members: ['p1'] },
      { ...OPS, members: ['p2', 'p5'] },
    ];
    await company.run({ user: 'p2' });
    expect(company.teamMembers('Engineering')).toEqual(mails('p1'));
    expect(company.teamMembers('Operations')).toEqual(mails('p2', 'p3'));
  });

  it('a manager may be named by mail address, and one who is still to come is written later', async () => {
    const company = await aCompanyWith([], {}, 3);
    company.spec = { ...company.spec, groups: { provision: 'None' } };
    const path = 'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager.value';
    const managerOf = (mail: string): unknown => {
      const all = [...company.target.users.values()];
      const id = all.find(({ attributes }) => attributes['userName'] === mail)?.attributes[path];
      return all.find((user) => user.id === id)?.attributes['userName'] ?? null;
    };
    company.people = company.people.map((person) => ({
      ...person,
      manager: person.id === 'p1' ? 'P2@EXAMPLE.COM' : person.id === 'p3' ? 'late@example.com' : null,
    }));
    await settle(company);
    expect([managerOf('p1@example.com'), managerOf('p3@example.com')]).toEqual(['p2@example.com', null]);
    company.people = [...company.people, { id: 'p9', mail: 'late@example.com', manager: null }];
    await settle(company);
    expect(managerOf('p3@example.com')).toBe('late@example.com');
  });
});

describe('rules that ask for groups', () => {
  async function aCompanyAsking(): Promise<Company> {
    const company = await aCompanyWith([
      { ...ENG, members: ['p1', 'p2', 'g-ops'] },
      { ...OPS, members: ['p3', 'p4'] },
    ]);
    const { groups: _none, ...spec } = company.spec;
    company.spec = spec;
    company.rules = { eng: memberRule('engineering'), ops: memberRule('g-ops') };
    return company;
  }

  it('by name or id, nested ones as scope.nestedGroups says; no team is made of the groups themselves', async () => {
    const company = await aCompanyAsking();
    await settle(company);
    expect(teams(company)).toEqual(['In engineering', 'In g-ops']);
    expect(company.teamMembers('In engineering')).toEqual(mails('p1', 'p2', 'p3', 'p4'));
    expect(company.teamMembers('In g-ops')).toEqual(mails('p3', 'p4'));
    company.spec = { ...company.spec, scope: { nestedGroups: 'DirectOnly' } };
    await settle(company);
    expect(company.teamMembers('In engineering')).toEqual(mails('p1', 'p2'));
  });

  it('a group that cannot be read decides nothing for whom it would matter, and all else goes on (I8, I13)', async () => {
    const company = await aCompanyAsking();
    await settle(company);
    company.source.groups = [
      { ...ENG, members: ['p1', 'p5'] },
      { ...OPS, members: [] },
    ];
    company.source.failedGroups = [{ id: 'g-ops', code: 'ReadFailed', message: 'the members cannot be read' }];
    await company.run();
    // Whether p3 and p4 belong to operations is not known; to engineering they do not belong any more.
    expect(company.teamMembers('In g-ops')).toEqual(mails('p3', 'p4'));
    expect(company.teamMembers('In engineering')).toEqual(mails('p1', 'p5'));
  });

  it('an item without an id may be any group: nobody leaves a team by that (I13)', async () => {
    const company = await aCompanyAsking();
    await settle(company);
    company.source.groups = [ENG];
    company.source.failedGroups = [{ id: null, code: 'ReadFailed', message: 'an item has no id' }];
    await company.run();
    expect(company.target.writes).toEqual([]);
  });

  it('a scope may ask too: who is in no such group is out of scope', async () => {
    const company = await aCompanyAsking();
    company.rules = {};
    company.spec = { ...company.spec, scope: { filters: [[{ operator: 'IsMemberOf', value: 'Operations' }]] } };
    await settle(company);
    expect(company.target.users.size).toBe(2);
  });
});
