/** People in scope by the groups of the source, from the read to the target. */
import { describe, expect, it } from 'vitest';
import type { DirectorySyncSpec } from '../../src/api/directory-sync.ts';
import { aCompanyOf, type Company, createCompany } from '../support/company.ts';
import { createFeed } from '../support/scripted-feed.ts';
import { change, type ScriptedGroup } from '../support/scripted-source.ts';

const ENG: ScriptedGroup = { id: 'g-eng', displayName: 'Engineering', members: ['p1', 'p2'] };
const OPS: ScriptedGroup = { id: 'g-ops', displayName: 'Operations', members: ['p3', 'g-eng'] };
const ALL: ScriptedGroup = { id: 'g-all', displayName: 'Everybody', members: ['p1', 'p2', 'p3', 'p4', 'p5', 'p6'] };

interface Choice {
  readonly groups?: readonly ScriptedGroup[];
  readonly listed?: readonly string[];
  readonly scope?: DirectorySyncSpec['scope'];
  readonly spec?: Partial<DirectorySyncSpec>;
}

async function aCompanyWith({ groups = [ENG, OPS, ALL], listed = ['Engineering'], scope, spec }: Choice = {}) {
  const company = await createCompany();
  company.people = aCompanyOf(6);
  company.source.groups = groups;
  company.spec = {
    ...company.spec,
    source: { file: { users: { path: 'people.csv' }, groups: { path: 'groups.json' } } },
    scope: { users: 'MembersOfGroups', groups: [...listed], ...scope },
    deprovisioning: { outOfScope: 'Deactivate', deletedAtSource: 'Delete' },
    ...spec,
  };
  return company;
}

/** Ids of people with an account that is switched on. */
function active({ target }: Company): string[] {
  const on = [...target.users.values()].filter(({ attributes }) => attributes['active'] === true);
  return on.map(({ attributes }) => String(attributes['externalId'])).sort();
}

/** A run after which nothing is left to do (rule I2). */
async function settle(company: Company): Promise<void> {
  expect(await company.run()).toMatchObject({ outcome: 'synced' });
  company.target.writes.length = 0;
  expect(await company.run()).toMatchObject({ outcome: 'synced' });
  expect(company.target.writes).toEqual([]);
}

const teams = ({ target }: Company): string[] =>
  [...target.teams.values()].map(({ attributes }) => String(attributes['displayName'])).sort();

describe('members of groups', () => {
  it.each<readonly [string, Choice, readonly string[]]>([
    ['by its name', { listed: ['ENGINEERING '] }, ['p1', 'p2']],
    ['by its id', { listed: ['g-eng'] }, ['p1', 'p2']],
    ['and of those in it', { listed: ['Operations'] }, ['p1', 'p2', 'p3']],
    ['and of none in it', { listed: ['Operations'], scope: { nestedGroups: 'DirectOnly' } }, ['p3']],
    [
      'or of another one',
      { listed: ['g-ops', 'Engineering'], scope: { nestedGroups: 'DirectOnly' } },
      ['p1', 'p2', 'p3'],
    ],
    [
      'whom the filters take',
      { scope: { filters: [[{ attribute: 'id', operator: 'NotIn', values: ['p2'] }]] } },
      ['p1'],
    ],
  ])('of a group %s are in scope, and nobody else', async (_what, choice, ids) => {
    const company = await aCompanyWith(choice);
    await settle(company);
    expect(active(company)).toEqual(ids);
    expect([...company.target.users.values()].length).toBe(ids.length);
  });

  it('leave as outOfScope says when they leave the group, and come back', async () => {
    const company = await aCompanyWith();
    await settle(company);
    company.source.groups = [{ ...ENG, members: ['p1'] }, OPS, ALL];
    expect(await company.run()).toMatchObject({ outcome: 'synced', applied: { deactivate: 1, delete: 0 } });
    expect(active(company)).toEqual(['p1']);
    company.source.groups = [ENG, OPS, ALL];
    expect(await company.run()).toMatchObject({ outcome: 'synced', applied: { reactivate: 1, create: 0 } });
    await settle(company);
  });

  it('whose group is empty leave all of them, as guards allow (I4)', async () => {
    const company = await aCompanyWith({ listed: ['Everybody'] });
    await settle(company);
    company.source.groups = [ENG, OPS, { ...ALL, members: [] }];
    expect(await company.run()).toMatchObject({ outcome: 'held', applied: { deactivate: 0 }, held: { count: 6 } });
  });

  it('are told in the report, which groups and of what id', async () => {
    const company = await aCompanyWith({ listed: ['Engineering', 'g-ops'] });
    expect((await company.run()).resolvedGroups).toEqual([
      { entry: 'Engineering', id: 'g-eng' },
      { entry: 'g-ops', id: 'g-ops' },
    ]);
    company.spec = { ...company.spec, scope: {} };
    expect((await company.run()).resolvedGroups).toEqual([]);
  });

  it('may have a manager who is out of scope, and refer to them when they come in', async () => {
    const company = await aCompanyWith();
    company.people = company.people.map((person) =>
      person.id === 'p1' ? { ...person, manager: 'P4@example.com' } : person,
    );
    const MANAGER = 'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager.value';
    const account = (id: string) =>
      [...company.target.users].find(([, { attributes }]) => attributes['externalId'] === id) ?? null;
    await settle(company);
    expect(account('p1')?.[1].attributes).not.toHaveProperty([MANAGER]);
    company.source.groups = [{ ...ENG, members: ['p1', 'p2', 'p4'] }, OPS, ALL];
    await settle(company);
    expect(account('p1')?.[1].attributes).toHaveProperty([MANAGER], account('p4')?.[0]);
  });

  it('are planned, and looked at one by one, with nothing left behind', async () => {
    const company = await aCompanyWith();
    expect(await company.run({ planOnly: true })).toMatchObject({ plan: { create: 2 } });
    expect(await company.run({ user: 'p1' })).toMatchObject({ kind: 'OneUser', applied: { create: 1 } });
    expect(await company.run({ user: 'p4' })).toMatchObject({ applied: { create: 0 } });
    // Neither of them has said which group the name means.
    company.source.groups = [{ ...ENG, id: 'g-new', members: ['p1', 'p4'] }, OPS, ALL];
    await settle(company);
    expect(active(company)).toEqual(['p1', 'p4']);
  });
});

describe('a group of the scope that is not found', () => {
  it.each<readonly [string, readonly ScriptedGroup[], string]>([
    ['is gone', [OPS, ALL], '"Engineering" is the group g-eng, which is not in the source any more'],
    ['is another one of its name', [{ ...ENG, id: 'g-2' }, OPS, ALL], '"Engineering" is the group g-eng, which'],
  ])('because it %s is a failed read, and nobody leaves (I1)', async (_what, groups, message) => {
    const company = await aCompanyWith();
    await settle(company);
    company.source.groups = groups;
    const report = await company.run();
    expect(report).toMatchObject({ outcome: 'waiting', reason: 'ReadFailed', sourceRead: false, failedStep: 'read' });
    expect(report.message).toContain(`scope.groups: nobody is changed, for ${message}`);
    expect(company.target.writes).toEqual([]);
    expect(active(company)).toEqual(['p1', 'p2']);
    company.source.groups = [ENG, OPS, ALL];
    await settle(company);
  });

  it('at the first run makes nobody, and says which entry is wrong', async () => {
    const company = await aCompanyWith({ listed: ['Engineering', 'Typo', 'Slip'] });
    const { reason, message } = await company.run();
    expect([reason, message]).toEqual([
      'ReadFailed',
      'scope.groups: nobody is changed, for no group of the source has the name or id "Typo"; put it back, or mend the entry (1 more of its entries mean none)',
    ]);
    expect(company.target.users.size).toBe(0);
  });

  it('of two of the name is neither, until one is named by its id', async () => {
    const twin = { ...OPS, displayName: 'engineering' };
    const company = await aCompanyWith({ groups: [ENG, twin, ALL] });
    expect((await company.run()).message).toContain('2 groups of the source are called "Engineering" (g-eng, g-ops)');
    company.spec = { ...company.spec, scope: { users: 'MembersOfGroups', groups: ['g-ops'] } };
    await settle(company);
    expect(active(company)).toEqual(['p1', 'p2', 'p3']);
  });

  it('is looked for by its name again on a resync', async () => {
    const company = await aCompanyWith();
    await settle(company);
    company.source.groups = [{ ...ENG, id: 'g-2', members: ['p1', 'p4'] }, OPS, ALL];
    expect(await company.run()).toMatchObject({ reason: 'ReadFailed' });
    expect(await company.run({ resync: true })).toMatchObject({
      outcome: 'synced',
      resolvedGroups: [{ entry: 'Engineering', id: 'g-2' }],
    });
    await settle(company);
    expect(active(company)).toEqual(['p1', 'p4']);
  });

  it('I10 is not one that is called otherwise now, whoever has its old name', async () => {
    const company = await aCompanyWith();
    await settle(company);
    company.source.groups = [
      { id: 'g-new', displayName: 'Engineering', members: ['p5'] },
      { ...ENG, displayName: 'Platform' },
      OPS,
    ];
    await settle(company);
    expect(active(company)).toEqual(['p1', 'p2']);
    // Whoever takes the entry out and puts it back says that it means the other one.
    company.spec = { ...company.spec, scope: { users: 'MembersOfGroups', groups: ['Operations'] } };
    await settle(company);
    company.spec = { ...company.spec, scope: { users: 'MembersOfGroups', groups: ['Engineering'] } };
    await company.run();
    expect(active(company)).toEqual(['p5']);
  });

  it('is found anew in a directory that is another one', async () => {
    const company = await aCompanyWith({ spec: { mode: 'Plan' } });
    company.source.identity = { tenantId: 'one', tenantName: null, domains: [] };
    await company.run();
    company.source.identity = { tenantId: 'two', tenantName: null, domains: [] };
    company.source.groups = [{ ...ENG, id: 'g-2' }, OPS, ALL];
    expect(await company.run()).toMatchObject({ resolvedGroups: [{ entry: 'Engineering', id: 'g-2' }] });
  });
});

describe('a group of the scope that is not known whole', () => {
  const failed = (id: string | null) => [{ id, code: 'ReadFailed', message: 'the members cannot be read' } as const];
  const KNOWN = 'whoever is not known to belong to a group of scope.groups stays as they are';

  it('takes nobody out, and nobody in whom it does not name (I13)', async () => {
    const company = await aCompanyWith({ listed: ['Operations'] });
    await settle(company);
    company.source.failedGroups = failed('g-eng');
    company.source.groups = [ENG, { ...OPS, members: ['p4', 'g-eng'] }, ALL];
    const report = await company.run();
    expect(report).toMatchObject({ reason: 'SyncedWithErrors', applied: { create: 1, deactivate: 0, delete: 0 } });
    expect(active(company)).toEqual(['p1', 'p2', 'p3', 'p4']);
    expect(await company.errors(report)).toEqual([
      'g-eng ReadFailed: the members cannot be read',
      `g-ops RecordInvalid: its members are not known whole, for something in it could not be read or has a name that several have: ${KNOWN}`,
    ]);
    company.source.failedGroups = [];
    expect(await company.run()).toMatchObject({ outcome: 'synced', applied: { deactivate: 1 } });
    expect(active(company)).toEqual(['p1', 'p2', 'p4']);
  });

  it('is there although nothing but its id is known', async () => {
    const company = await aCompanyWith();
    await settle(company);
    company.source.groups = [OPS, ALL];
    company.source.failedGroups = failed('g-eng');
    const report = await company.run();
    expect(report).toMatchObject({ reason: 'SyncedWithErrors', applied: { deactivate: 0 } });
    expect(await company.errors(report)).toEqual(['g-eng ReadFailed: the members cannot be read']);
    expect(active(company)).toEqual(['p1', 'p2']);
  });

  it('says so once where groups become teams, too', async () => {
    const company = await aCompanyWith({ spec: { groups: { provision: 'InScope' } } });
    await settle(company);
    company.source.failedGroups = failed('g-eng');
    const report = await company.run();
    expect(await company.errors(report)).toEqual(['g-eng ReadFailed: the members cannot be read']);
    expect(company.teamMembers('Engineering')).toEqual(['p1@example.com', 'p2@example.com']);
  });

  it('says nothing in a run about one person, who stays', async () => {
    const company = await aCompanyWith();
    await settle(company);
    company.source.failedGroups = failed('g-eng');
    const report = await company.run({ user: 'p2' });
    expect(report).toMatchObject({ outcome: 'synced', applied: { deactivate: 0 } });
    expect(await company.errors(report)).toEqual([]);
  });

  it.each([
    ['one without an id', failed(null)],
    ['one of which nothing but the id is known', failed('g-x')],
    ['many', ['a', 'b', 'c', 'd', 'e', 'f'].flatMap((id) => failed(id))],
  ])('is no other one: %s that failed hinders nobody', async (_what, others) => {
    const company = await aCompanyWith();
    await settle(company);
    company.source.groups = [{ ...ENG, members: ['p1', 'p3'] }, OPS, ALL];
    company.source.failedGroups = others;
    expect(await company.run()).toMatchObject({ applied: { create: 1, deactivate: 1 } });
    expect(active(company)).toEqual(['p1', 'p3']);
  });

  it('by the name of somebody whose mail address another person has got keeps both as they are (I13)', async () => {
    const company = await aCompanyWith({ groups: [{ ...ENG, members: ['p1', 'login-2'] }, OPS, ALL] });
    const name = (id: string, login: string) => {
      company.people = company.people.map((person) => (person.id === id ? { ...person, userName: login } : person));
    };
    company.people = company.people.map((person, index) => ({ ...person, userName: `login-${index + 1}` }));
    await settle(company);
    expect(active(company)).toEqual(['p1', 'p2']);
    name('p5', 'login-2');
    const report = await company.run();
    expect(report).toMatchObject({ reason: 'SyncedWithErrors', applied: { create: 0, deactivate: 0 } });
    expect((await company.errors(report))[0]).toContain('g-eng RecordInvalid: its members are not known whole');
    expect(active(company)).toEqual(['p1', 'p2']);
  });
});

describe('groups.provision InScope', () => {
  it('makes teams of the groups of the scope; of one that is taken out the team stays', async () => {
    const company = await aCompanyWith({
      listed: ['Engineering', 'Operations'],
      spec: { groups: { provision: 'InScope' }, guards: { deactivate: { percent: 100 } } },
    });
    await settle(company);
    expect(teams(company)).toEqual(['Engineering', 'Operations']);
    expect(company.teamMembers('Operations')).toEqual(['p1@example.com', 'p2@example.com', 'p3@example.com']);
    company.spec = { ...company.spec, scope: { users: 'MembersOfGroups', groups: ['Engineering'] } };
    await settle(company);
    expect(teams(company)).toEqual(['Engineering', 'Operations']);
    expect(company.teamMembers('Engineering')).toEqual(['p1@example.com', 'p2@example.com']);
  });

  it('is the same as All while the scope takes people by no group', async () => {
    const company = await aCompanyWith({ spec: { scope: {}, groups: { provision: 'InScope' } } });
    await settle(company);
    expect(teams(company)).toEqual(['Engineering', 'Everybody', 'Operations']);
  });
});

describe('members of groups, by changes', () => {
  async function aFedCompany(): Promise<Company> {
    const company = await aCompanyWith();
    company.source.feed = createFeed();
    await settle(company);
    return company;
  }
  const BY_CHANGES = { readWay: { kind: 'Changes' } } as const;

  it('come and go as the feed says', async () => {
    const company = await aFedCompany();
    change(company.source, { groups: [{ ...ENG, members: ['p1', 'p4'] }, OPS, ALL] });
    expect(await company.run()).toMatchObject({ ...BY_CHANGES, applied: { create: 1, deactivate: 1 } });
    expect(active(company)).toEqual(['p1', 'p4']);
    change(company.source, { groups: [{ ...ENG, displayName: 'Platform', members: ['p1', 'p4', 'g-ops'] }, OPS, ALL] });
    expect(await company.run()).toMatchObject({ ...BY_CHANGES, applied: { create: 1 } });
    expect(active(company)).toEqual(['p1', 'p3', 'p4']);
  });

  it('stay when the feed says that the group is gone (I1), and the next run goes on from there', async () => {
    const company = await aFedCompany();
    change(company.source, { groups: [OPS, ALL] });
    expect(await company.run()).toMatchObject({ reason: 'ReadFailed', sourceRead: false });
    expect(await company.run()).toMatchObject({ reason: 'ReadFailed', sourceRead: false });
    expect(active(company)).toEqual(['p1', 'p2']);
    change(company.source, { groups: [{ ...ENG, members: ['p2'] }, OPS, ALL] });
    expect(await company.run()).toMatchObject({ ...BY_CHANGES, applied: { deactivate: 1 } });
    // The first read, and no other one.
    expect(company.source.reads).toHaveLength(1);
  });

  it('are all read again when the scope has other groups', async () => {
    const company = await aFedCompany();
    company.spec = { ...company.spec, scope: { users: 'MembersOfGroups', groups: ['Operations'] } };
    expect(await company.run()).toMatchObject({ readWay: { kind: 'Full' }, applied: { create: 1 } });
    expect(active(company)).toEqual(['p1', 'p2', 'p3']);
  });
});

describe('members that nobody asks for', () => {
  const told = ({ source }: Company): unknown[] =>
    source.groupReads.map((wanted) => wanted && [ENG, OPS, ALL].filter(wanted.of).map(({ id }) => id));

  it('are not read, and it comes to the same', async () => {
    const company = await aCompanyWith({ listed: ['Operations'], spec: { groups: { provision: 'InScope' } } });
    await settle(company);
    expect(told(company)).toEqual([['g-ops'], ['g-ops']]);
    expect(active(company)).toEqual(['p1', 'p2', 'p3']);
    expect(company.teamMembers('Operations')).toEqual(['p1@example.com', 'p2@example.com', 'p3@example.com']);
    // By the id that the name was found to mean, too.
    company.source.groups = [ENG, { ...OPS, displayName: 'Platform', members: ['p3'] }, ALL];
    expect(await company.run()).toMatchObject({ applied: { deactivate: 2 } });
    expect(active(company)).toEqual(['p3']);
  });

  it('are those of groups in groups where these do not count', async () => {
    const company = await aCompanyWith({ listed: ['Operations'], scope: { nestedGroups: 'DirectOnly' } });
    await settle(company);
    expect(company.source.groupReads.map((wanted) => wanted?.nested)).toEqual([false, false]);
    expect(active(company)).toEqual(['p3']);
  });

  it.each<readonly [string, Partial<DirectorySyncSpec>]>([
    ['all groups become teams', { groups: { provision: 'All' } }],
    [
      'the scope asks for another group',
      { scope: { users: 'MembersOfGroups', groups: ['Engineering'], cel: '!("x" in groups)' } },
    ],
    ['the scope takes people by no group', { scope: {}, groups: { provision: 'InScope' } }],
  ])('are none where %s', async (_why, spec) => {
    const company = await aCompanyWith({ spec });
    await settle(company);
    expect(told(company)).toEqual([undefined, undefined]);
  });

  it('are none where a rule asks who is in a group, or a mapping', async () => {
    const company = await aCompanyWith();
    company.rules = {
      all: {
        directorySyncRef: { name: 'acme' },
        team: { displayName: 'All of us' },
        match: [{ operator: 'IsMemberOf', value: 'Everybody' }],
      },
    };
    await settle(company);
    expect(company.teamMembers('All of us')).toEqual(['p1@example.com', 'p2@example.com']);
    company.rules = {};
    const title = { target: 'title', cel: 'size(groups) > 1 ? "Many" : "One"' } as const;
    const others = company.mapping.attributes.filter(({ target }) => target !== 'title');
    company.mapping = { ...company.mapping, attributes: [...others, title] };
    await company.run();
    expect(told(company)).toEqual([undefined, undefined, undefined]);
  });

  it('are none where the source tells changes: a later one may put any group into one of the scope', async () => {
    const company = await aCompanyWith();
    company.source.feed = createFeed();
    await settle(company);
    change(company.source, { groups: [{ ...ENG, members: ['g-all'] }, OPS, ALL] });
    expect(await company.run()).toMatchObject({ readWay: { kind: 'Changes' }, applied: { create: 4 } });
    expect(told(company)).toEqual([undefined]);
  });
});
