/** `spec.adoptFrom`: a directory or an application moves, and one id takes over what stands under another. */
import { describe, expect, it, onTestFinished } from 'vitest';
import type { TeamRuleResource } from '../../src/api/team-rule.ts';
import { aCompanyOf, type Company, type CompanyRequest, createCompany } from '../support/company.ts';

const RESEARCH: TeamRuleResource['spec'] = {
  directorySyncRef: { name: 'acme' },
  team: { displayName: 'Research' },
  match: [{ attribute: 'department', operator: 'Equals', value: 'research' }],
};

/** Under the id `acme`, with one team. */
async function aConvergedCompany(people: number, options: Parameters<typeof createCompany>[0] = {}): Promise<Company> {
  const company = await createCompany(options);
  onTestFinished(() => company.store.close());
  company.source.identity = { tenantId: 'tenant-a', tenantName: 'Acme', domains: [] };
  company.people = aCompanyOf(people);
  company.rules = { research: RESEARCH };
  expect(await company.run()).toMatchObject({ outcome: 'synced' });
  forget(company);
  return company;
}

function forget({ target, source }: Company): void {
  target.writes.length = 0;
  target.reads.length = 0;
  source.reads.length = 0;
}

function giveNewId(company: Company, adoptFrom = 'acme', id = 'acme-2'): void {
  company.spec = { ...company.spec, id, adoptFrom };
}

async function expectQuiet(company: Company): Promise<void> {
  forget(company);
  expect(await company.run()).toMatchObject({ outcome: 'synced', takenOver: null });
  expect(await company.run({ resync: true })).toMatchObject({ outcome: 'synced' });
  expect(company.target.writes).toEqual([]);
}

const countsOf = async ({ store }: Company, id: string) => {
  const { people, teams } = await (await store.directory({ namespace: 'identity', id })).links.counts();
  return { people, teams };
};

describe('the same directory and application under another id', () => {
  it('go on as if nothing had happened: only marks of teams are rewritten, in place (I2, I10)', async () => {
    const company = await aConvergedCompany(8);
    giveNewId(company);
    const report = await company.run();
    expect(report).toMatchObject({
      outcome: 'synced',
      plan: { create: 0, update: 0, recover: 0, adopt: 0, updateTeams: 1, createTeams: 0 },
      takenOver: { planned: false, message: 'took over 8 people and 1 team of the id acme' },
    });
    expect(company.target.writes).toHaveLength(1);
    expect(company.target.writes[0]).toMatch(/^updateTeam/);
    const [team] = company.target.teams.values();
    expect(team?.attributes['externalId']).toBe('dirsync:identity/acme-2:research');
    const [operation] = await company.operations(report);
    expect([operation?.cause, operation?.reason]).toEqual(['rule', 'takes the mark of this id']);
    expect([await countsOf(company, 'acme'), await countsOf(company, 'acme-2')]).toEqual([
      { people: 0, teams: 0 },
      { people: 8, teams: 1 },
    ]);
    await expectQuiet(company);
  });
});

/** The same people in a directory of another tenant, with ids of its own: `q` instead of `p`. */
function moveToTenantB(company: Company, people = company.people): void {
  company.source.identity = { tenantId: 'tenant-b', tenantName: 'Acme B', domains: [] };
  company.people = people.map((person) => ({ ...person, id: String(person['id']).replace('p', 'q') }));
}

const externalIds = ({ target }: Company): unknown[] =>
  [...target.users.values()].map(({ attributes }) => attributes['externalId']);

describe('a directory', () => {
  it('moved to another tenant with adoptFrom: people keep their accounts and teams, only ids are rewritten (I3, I7, I10)', async () => {
    const company = await aConvergedCompany(40);
    moveToTenantB(company);
    giveNewId(company);
    const report = await company.run();
    expect(report).toMatchObject({
      outcome: 'synced',
      suspicion: null,
      plan: {
        create: 0,
        adopt: 0,
        rename: 0,
        recover: 40,
        update: 40,
        updateTeams: 1,
        addMembers: 0,
        removeMembers: 0,
      },
    });
    expect(report.takenOver?.message).toContain('took over the accounts of 40 people and 1 team of the id acme');
    expect(externalIds(company)).toEqual(company.people.map(({ id }) => id));
    expect(new Set(company.target.writes.map((line) => line.split(' ')[0]))).toEqual(
      new Set(['updateUser', 'updateTeam']),
    );
    expect(company.teamMembers('Research')).toHaveLength(40);
    await expectQuiet(company);
    // From here on they are people like any others: who leaves is deactivated without being asked about.
    company.people = company.people.slice(1);
    expect(await company.run()).toMatchObject({ outcome: 'synced', applied: { deactivate: 1 } });
  });

  it('moved, and not everybody came along: who is not found waits for approval with all that they have (I7)', async () => {
    const company = await aConvergedCompany(8);
    moveToTenantB(company, company.people.slice(0, 5));
    giveNewId(company);
    const report = await company.run();
    expect(report).toMatchObject({ outcome: 'held', suspicion: null, held: { count: 3, kinds: { recovered: 3 } } });
    expect(company.target.writes.filter((line) => /deactivate|delete|removeMembers/.test(line))).toEqual([]);
    expect(company.teamMembers('Research')).toHaveLength(8);
    const late = aCompanyOf(8).slice(5, 6);
    company.people.push({ ...late[0], id: 'q6' });
    expect(await company.run()).toMatchObject({ outcome: 'held', applied: { recover: 1 }, held: { count: 2 } });
    const { held } = await company.run();
    const approved = await company.run({ approve: held.hash });
    expect(approved).toMatchObject({ outcome: 'synced', applied: { deactivate: 2, removeMembers: 2 } });
    expect(company.teamMembers('Research')).toHaveLength(6);
    await expectQuiet(company);
  });

  it('moved, and counts its people alike: an equal id is somebody else there, and is no match (I3)', async () => {
    const company = await aConvergedCompany(4);
    company.source.identity = { tenantId: 'tenant-b', tenantName: 'Acme B', domains: [] };
    // p1 of the new source is new; p2 there is p1 of the old one.
    const shifted = company.people.map((person, index) => ({ ...person, id: `p${index + 2}` }));
    company.people = [{ ...shifted[0], id: 'p1', mail: 'new@example.com', title: 'Chief' }, ...shifted];
    giveNewId(company);
    expect(await company.run()).toMatchObject({ outcome: 'synced', applied: { create: 1, recover: 4 } });
    const found = [...company.target.users.values()].map(({ id, attributes }) => [
      id,
      attributes['userName'],
      attributes['externalId'],
    ]);
    expect(found).toEqual([
      ['u1', 'p1@example.com', 'p2'],
      ['u2', 'p2@example.com', 'p3'],
      ['u3', 'p3@example.com', 'p4'],
      ['u4', 'p4@example.com', 'p5'],
      ['u6', 'new@example.com', 'p1'],
    ]);
    await expectQuiet(company);
  });

  it('moved, and two people match one account: neither is guessed, and the account stays (I3, I8)', async () => {
    const company = await aConvergedCompany(4);
    company.mapping = {
      attributes: [
        ...company.mapping.attributes.filter(({ target }) => target !== 'title'),
        { target: 'title', source: 'title', matching: { precedence: 3 } },
      ],
    };
    company.people = company.people.map((person, index) => ({ ...person, title: `T${index}` }));
    await company.run();
    moveToTenantB(company);
    company.people = [...company.people, { ...company.people[0], id: 'q9', mail: 'double@example.com' }];
    giveNewId(company);
    const report = await company.run();
    expect(report.people.conflicts).toBeGreaterThan(0);
    expect(report.held.count).toBe(0);
    expect(company.target.users.get('u1')?.attributes).toMatchObject({ active: true, externalId: 'p1' });
    expect(company.teamMembers('Research')).toContain('p1@example.com');
  });

  it('moved, and who had left comes back in the new one: in the old account (I7)', async () => {
    const company = await aConvergedCompany(8);
    const all = company.people;
    company.people = all.slice(1);
    expect(await company.run()).toMatchObject({ applied: { deactivate: 1 } });
    moveToTenantB(company, all);
    giveNewId(company);
    expect(await company.run()).toMatchObject({ outcome: 'synced', applied: { create: 0, reactivate: 1, recover: 8 } });
    expect(company.teamMembers('Research')).toHaveLength(8);
    await expectQuiet(company);
  });

  it('moved, and an item of the read fails: nobody is missed while it may be theirs (I1, I8)', async () => {
    const company = await aConvergedCompany(8);
    moveToTenantB(company, company.people.slice(0, 7));
    company.failed = [{ id: 'q8', code: 'RecordInvalid', message: 'broken' }];
    giveNewId(company);
    expect(await company.run()).toMatchObject({ outcome: 'failed', held: { count: 0 } });
    expect(company.teamMembers('Research')).toHaveLength(8);
  });
});

describe('groups of a directory that moved', () => {
  const inTenant = (letter: string, groups: readonly { id: string; displayName: string; members: string[] }[]) =>
    groups.map(({ id, displayName, members }) => ({ id, displayName, members: members.map((n) => `${letter}${n}`) }));

  async function aCompanyWithGroups(): Promise<Company> {
    const company = await aConvergedCompany(6);
    company.rules = {};
    company.spec = {
      ...company.spec,
      source: { file: { users: { path: 'people.csv' }, groups: { path: 'groups.json' } } },
      groups: { provision: 'All', deletedAtSource: 'Delete' },
    };
    company.source.groups = inTenant('p', [
      { id: '1', displayName: 'Engineering', members: ['1', '2'] },
      { id: '2', displayName: 'Operations', members: ['3'] },
      { id: '3', displayName: 'Chess', members: ['4', '5'] },
    ]);
    await company.run();
    forget(company);
    return company;
  }

  it('are found by their names and keep their teams; an equal id is another group there (I3, I10)', async () => {
    const company = await aCompanyWithGroups();
    const idOf = (name: string) =>
      [...company.target.teams.values()].find(({ attributes }) => attributes['displayName'] === name)?.id;
    const before = ['Engineering', 'Operations', 'Chess'].map(idOf);
    moveToTenantB(company);
    company.source.groups = inTenant('q', [
      { id: '2', displayName: 'Engineering', members: ['1', '2'] },
      { id: '7', displayName: 'operations', members: ['3', '4'] },
      { id: '3', displayName: 'Go', members: ['6'] },
    ]);
    giveNewId(company);
    const report = await company.run();
    expect(report).toMatchObject({
      outcome: 'synced',
      applied: { createTeams: 1, deleteTeams: 0, removeMembers: 0, addMembers: 2 },
    });
    expect(['Engineering', 'Chess'].map(idOf)).toEqual([before[0], before[2]]);
    const marks = [...company.target.teams.values()].map(({ id, attributes }) => [id, attributes['externalId']]);
    expect(Object.fromEntries(marks)).toMatchObject({
      [before[0] ?? '']: '2',
      [before[1] ?? '']: '7',
      [before[2] ?? '']: '3',
    });
    // Nobody of the new source has it: it stays as it is, whatever becomes of groups that are gone.
    expect(company.teamMembers('Chess')).toHaveLength(2);
    await expectQuiet(company);
  });
});

describe('a target', () => {
  it('moved to another URL with adoptFrom: no id of the old one is carried over, and its people are found as ever (I7)', async () => {
    const company = await aConvergedCompany(8);
    const old = [...company.target.users.values()].map(({ attributes }) => attributes);
    moveTarget(company, 'https://new.example.com/scim');
    // Somebody has carried the accounts over: other ids, and one is missing.
    company.target.users.clear();
    company.target.teams.clear();
    for (const [index, attributes] of old.slice(0, 7).entries())
      company.target.users.set(`n${index}`, { id: `n${index}`, attributes });
    giveNewId(company);
    const report = await company.run();
    expect(report).toMatchObject({
      outcome: 'synced',
      applied: { recover: 7, create: 1, createTeams: 1 },
      takenOver: {
        message:
          'took over nothing of the id acme, which had another target: its 8 people and 1 team stay there as they are',
      },
    });
    expect([await countsOf(company, 'acme'), await countsOf(company, 'acme-2')]).toEqual([
      { people: 8, teams: 1 },
      { people: 8, teams: 1 },
    ]);
    await expectQuiet(company);
  });

  it('moved, and the source lost half of its people at the same time: the read is suspect as it would have been (I1)', async () => {
    const company = await aConvergedCompany(40);
    moveTarget(company, 'https://new.example.com/scim');
    company.target.users.clear();
    company.target.teams.clear();
    company.people = company.people.slice(0, 20);
    giveNewId(company);
    const report = await company.run();
    expect(report.suspicion).toBe('the read has 20 people, the last good one had 40');
  });

  it('named wrong at first, before anybody was linked: with the right URL everything is taken over', async () => {
    const company = await aConvergedCompany(4);
    moveTarget(company, 'https://wrong.example.com/scim');
    company.source.failsAfter = { pages: 0, error: new Error('away') };
    giveNewId(company);
    expect(await company.run()).toMatchObject({ outcome: 'waiting' });
    company.source.failsAfter = null;
    moveTarget(company, 'https://app.example.com/scim');
    expect(await company.run({ planOnly: true })).toMatchObject({ takenOver: { planned: true } });
    expect(await countsOf(company, 'acme')).toEqual({ people: 4, teams: 1 });
    expect(await company.run()).toMatchObject({ outcome: 'synced', plan: { create: 0, recover: 0 } });
    expect(await countsOf(company, 'acme-2')).toEqual({ people: 4, teams: 1 });
  });
});

function moveTarget(company: Company, url: string): void {
  company.spec = { ...company.spec, target: { scim: { url, credentialsRef: { name: 'app' } } } };
}

describe('adoptFrom', () => {
  it('names the id of a resource that is there: it waits, and nothing is moved (IdInUse)', async () => {
    const company = await aConvergedCompany(4);
    const old = company.resource();
    giveNewId(company);
    company.name = 'acme-new';
    const others = [{ ...old, spec: { ...old.spec, suspend: true } }];
    expect(await company.run({ others })).toMatchObject({
      outcome: 'stalled',
      reason: 'IdInUse',
      message:
        'spec.adoptFrom: "acme" is still the id of DirectorySync acme; delete that one first (it leaves everything as it is while this one names its id)',
    });
    expect(await countsOf(company, 'acme')).toEqual({ people: 4, teams: 1 });
    company.rules = { research: { ...RESEARCH, directorySyncRef: { name: 'acme-new' } } };
    expect(await company.run()).toMatchObject({ outcome: 'synced', plan: { create: 0, recover: 0 } });
    // The field stays, and somebody else may have the old id again.
    expect(await company.run({ others })).toMatchObject({ outcome: 'synced', takenOver: null });
    await expectQuiet(company);
  });

  it('names an id that nobody knows: it is an error and no beginning from nothing', async () => {
    const company = await aConvergedCompany(4);
    giveNewId(company, 'amce');
    expect(await company.run()).toMatchObject({
      outcome: 'stalled',
      reason: 'Invalid',
      message:
        'spec.adoptFrom: "amce" is an id that the state store does not know in this namespace: nothing was read or written. Check its spelling, and that this is the state store of that resource; take the field out to begin with what the target holds',
    });
    expect([company.source.reads, company.target.reads, company.target.writes]).toEqual([[], [], []]);
  });

  it('names an id that nobody knows, where people are linked already: it changes nothing', async () => {
    const company = await aConvergedCompany(4);
    company.spec = { ...company.spec, id: 'acme', adoptFrom: 'older' };
    await expectQuiet(company);
  });

  it('names an id with people, where people are linked already: two owners are not made one', async () => {
    const company = await aConvergedCompany(4);
    company.spec = { ...company.spec, id: 'other', adoption: 'Never' };
    company.people = [];
    await company.run();
    const other = await company.store.directory({ namespace: 'identity', id: 'other' });
    const link = await (await company.state()).links.get('p1');
    expect(link).toBeNull();
    const stolen = await (await company.store.directory({ namespace: 'identity', id: 'acme' })).links.get('p1');
    if (stolen !== null) await other.links.apply([{ type: 'putLink', link: { ...stolen, targetId: 'u99' } }]);
    company.people = aCompanyOf(4);
    giveNewId(company, 'acme', 'other');
    expect(await company.run()).toMatchObject({
      outcome: 'stalled',
      reason: 'Invalid',
      message:
        'spec.adoptFrom: "acme" cannot be taken over, for 1 people and 0 teams are linked under this id already. Take the field out, or give the resource an id that has none',
    });
    expect(await countsOf(company, 'acme')).toEqual({ people: 4, teams: 1 });
  });

  it('goes from id to id, back too, and never twice from one', async () => {
    const company = await aConvergedCompany(4);
    giveNewId(company, 'acme', 'b');
    await company.run();
    giveNewId(company, 'b', 'c');
    await company.run();
    giveNewId(company, 'acme', 'd');
    expect(await company.run()).toMatchObject({
      reason: 'Invalid',
      message:
        'spec.adoptFrom: "acme" was taken over by the id "b" already: name that one, if no resource uses it any more',
    });
    for (const [from, to] of [
      ['c', 'acme'],
      ['acme', 'b'],
      ['b', 'c'],
    ] as const) {
      giveNewId(company, from, to);
      forget(company);
      expect(await company.run()).toMatchObject({ outcome: 'synced', plan: { create: 0, recover: 0, updateTeams: 1 } });
      expect([await countsOf(company, from), await countsOf(company, to)]).toEqual([
        { people: 0, teams: 0 },
        { people: 4, teams: 1 },
      ]);
    }
    await expectQuiet(company);
  });

  it('keeps what the guards have counted: a move is no new window (I4)', async () => {
    const company = await aConvergedCompany(100);
    company.people = company.people.slice(8);
    expect(await company.run()).toMatchObject({ applied: { deactivate: 8 } });
    company.people = company.people.slice(8);
    giveNewId(company);
    expect(await company.run()).toMatchObject({ outcome: 'held', held: { count: 8, kinds: { deactivate: 8 } } });
  });

  it('keeps the history, and tells of the takeover once', async () => {
    const company = await aConvergedCompany(4);
    const [before] = await (await company.state()).journal.runs(1);
    giveNewId(company);
    const { runId } = await company.run();
    const runs = await (await company.state()).journal.runs(10);
    expect(runs.map(({ id }) => id)).toEqual([runId, before?.id]);
    expect(runs[0]?.summary).toMatchObject({ takenOver: 'took over 4 people and 1 team of the id acme' });
    await expectQuiet(company);
  });

  it('is carried out by a run of one person too, and goes on with everybody', async () => {
    const company = await aConvergedCompany(8);
    moveToTenantB(company);
    giveNewId(company);
    expect(await company.run({ user: 'q3' })).toMatchObject({ applied: { recover: 1, update: 1, deactivate: 0 } });
    expect(await company.run()).toMatchObject({
      outcome: 'synced',
      applied: { recover: 7, create: 0 },
      held: { count: 0 },
    });
    await expectQuiet(company);
  });

  it('and a deletionPolicy: accounts that nobody of the new source matches are left alone (I7)', async () => {
    const company = await aConvergedCompany(8);
    moveToTenantB(company, company.people.slice(0, 6));
    giveNewId(company);
    await company.run();
    company.spec = { ...company.spec, deletionPolicy: 'Delete' };
    expect(await company.run({ deletion: true })).toMatchObject({ applied: { delete: 6 } });
    expect(externalIds(company)).toEqual(['p7', 'p8']);
  });
});

describe('a plan', () => {
  it.each<[string, Partial<Company['spec']>, CompanyRequest]>([
    ['dirsync plan', {}, { planOnly: true }],
    ['mode: Plan', { mode: 'Plan' }, {}],
  ])('by %s shows what a takeover would do and moves nothing (I12)', async (_name, spec, request) => {
    const company = await aConvergedCompany(8);
    moveToTenantB(company, company.people.slice(0, 7));
    giveNewId(company);
    company.spec = { ...company.spec, ...spec };
    for (let turn = 0; turn < 2; turn += 1) {
      const report = await company.run(request);
      expect(report).toMatchObject({
        reason: 'Planned',
        plan: { recover: 7, update: 7, updateTeams: 1, deactivate: 1, create: 0 },
        held: { count: 1, kinds: { recovered: 1 } },
        links: { people: 8 },
        takenOver: { planned: true },
      });
      expect(report.takenOver?.message).toMatch(/^would take over the accounts of 8 people and 1 team of the id acme/);
      expect(await company.operations(report)).toHaveLength(17);
      expect([await countsOf(company, 'acme'), await countsOf(company, 'acme-2')]).toEqual([
        { people: 8, teams: 1 },
        { people: 0, teams: 0 },
      ]);
    }
    const { held } = await company.run(request);
    company.spec = { ...company.spec, mode: 'Apply' };
    expect(await company.run({ approve: held.hash })).toMatchObject({ outcome: 'synced', applied: { deactivate: 1 } });
    expect(company.target.users.get('u8')?.attributes['active']).toBe(false);
  });

  it('leaves the old id as it was: its resource goes on where it stood (I2)', async () => {
    const company = await aConvergedCompany(8);
    giveNewId(company);
    await company.run({ planOnly: true });
    const { id: _id, adoptFrom: _from, ...spec } = company.spec;
    company.spec = spec;
    await expectQuiet(company);
  });
});
