/** Whom people and teams refer to: people and teams, one or several, from the read to the target and after deletions. */
import { beforeEach, describe, expect, it } from 'vitest';
import { SyncError } from '../../src/errors.ts';
import type { Json } from '../../src/model.ts';
import type { RunReport } from '../../src/reconcile/run.ts';
import { aCompanyOf, type Company, createCompany, type Person } from '../support/company.ts';
import type { ScriptedGroup } from '../support/scripted-source.ts';

const URN = 'urn:ietf:params:scim:schemas:extension:acme:2.0';
const HOME = `${URN}:User:home`;
const TEAMS = `${URN}:User:advises`;
const BUDDIES = `${URN}:User:buddies`;
const MANAGER = 'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager.value';
const OWNERS = `${URN}:Group:owners`;
const PARENT = `${URN}:Group:parent`;

const ENG: ScriptedGroup = { id: 'g-eng', displayName: 'Engineering', members: ['p1'], attributes: {} };
const OPS: ScriptedGroup = { id: 'g-ops', displayName: 'Operations', members: ['p2'], attributes: {} };

let company: Company;

beforeEach(async () => {
  company = await createCompany();
  company.people = aCompanyOf(4);
  company.columns = ['id', 'mail', 'title', 'department', 'manager', 'home', 'advises', 'buddies'];
  company.source.groups = [ENG, OPS];
  const { source } = company.spec;
  company.spec = {
    ...company.spec,
    source: { file: { users: { path: 'people.csv' }, ...source.file, groups: { path: 'groups.json' } } },
    groups: { provision: 'All', deletedAtSource: 'Delete' },
    mappings: [{ name: 'users' }, { name: 'teams' }],
    deprovisioning: { deletedAtSource: 'Delete' },
    guards: { removeMembers: { percent: 100 }, deleteTeams: { percent: 100 }, delete: { percent: 100 } },
  };
  const refersTo = (resource: 'User' | 'Team') => ({ type: 'Reference', references: { resource } }) as const;
  company.customs = {
    home: { ...refersTo('Team'), path: HOME },
    advises: { ...refersTo('Team'), path: TEAMS, multiValued: true, separator: ';' },
    buddies: { ...refersTo('User'), path: BUDDIES, multiValued: true },
    owners: { ...refersTo('User'), path: OWNERS, multiValued: true },
    parent: { ...refersTo('Team'), path: PARENT },
  };
  const attributes = [...(company.mapping.attributes ?? [])];
  for (const name of ['home', 'advises', 'buddies']) attributes.push({ target: name, source: name });
  company.mapping = { ...company.mapping, attributes };
  company.teamMapping = {
    resource: 'Team',
    attributes: [
      { target: 'owners', source: 'owners' },
      { target: 'parent', source: 'parent' },
    ],
  };
});

function change(id: string, values: Partial<Person>): void {
  company.people = company.people.map((person) => (person.id === id ? ({ ...person, ...values } as Person) : person));
}

function regroup(id: string, attributes: Readonly<Record<string, Json>>): void {
  const groups = company.source.groups ?? [];
  company.source.groups = groups.map((group) =>
    group.id === id ? { ...group, attributes: { ...group.attributes, ...attributes } } : group,
  );
}

/** What the account of a person (`p1`), or the team of a group, has at the path: ids are replaced by names. */
function given(id: string, path: string): Json | undefined {
  const { users, teams } = company.target;
  const all = [...users.values(), ...teams.values()];
  const names = new Map(
    all.map(({ id: targetId, attributes }) => [targetId, attributes['userName'] ?? attributes['displayName'] ?? null]),
  );
  const value = all.find(({ attributes }) => attributes['externalId'] === id)?.attributes[path];
  const toName = (each: Json): Json => names.get(String(each)) ?? `nobody ${String(each)}`;
  return Array.isArray(value) ? value.map(toName) : value === undefined ? undefined : toName(value);
}

/** Until nothing is left, which a run that looks at the target confirms (rule I2). */
async function settle(): Promise<RunReport> {
  const first = await company.run();
  expect(first).toMatchObject({ outcome: 'synced' });
  company.target.writes.length = 0;
  expect(await company.run()).toMatchObject({ outcome: 'synced', plan: { update: 0, updateTeams: 0 } });
  expect(await company.run({ resync: true })).toMatchObject({ outcome: 'synced' });
  expect(company.target.writes).toEqual([]);
  return first;
}

describe('who refers to a team', () => {
  it('may name it by the id or the name of its group, and is given its id in the run that makes it', async () => {
    change('p1', { home: 'g-ops' });
    change('p2', { home: ' engineering ' });
    change('p3', { advises: 'g-eng;Operations' });
    await settle();
    expect(given('p1', HOME)).toBe('Operations');
    expect(given('p2', HOME)).toBe('Engineering');
    expect(given('p3', TEAMS)).toEqual(['Engineering', 'Operations']);
  });

  it('is owed a team that is not there, until it is', async () => {
    change('p1', { home: 'g-new', advises: 'g-eng;g-new' });
    await settle();
    expect(given('p1', HOME)).toBeUndefined();
    expect(given('p1', TEAMS)).toEqual(['Engineering']);
    company.source.groups = [ENG, OPS, { id: 'g-new', displayName: 'New', members: ['p4'], attributes: {} }];
    await settle();
    expect(given('p1', HOME)).toBe('New');
    expect(given('p1', TEAMS)).toEqual(['Engineering', 'New']);
  });

  it('may name the team of a rule, and not one name that two teams have', async () => {
    company.rules = {
      research: {
        directorySyncRef: { name: 'acme' },
        team: { displayName: 'Research' },
        match: [{ attribute: 'department', operator: 'Equals', value: 'Research' }],
      },
    };
    company.source.groups = [ENG, { ...ENG, id: 'h-eng' }];
    change('p1', { home: 'research' });
    change('p2', { home: 'Engineering' });
    change('p3', { home: 'h-eng' });
    await settle();
    expect(given('p1', HOME)).toBe('Research');
    expect(given('p2', HOME)).toBe('Engineering');
    expect(given('p3', HOME)).toBe('Engineering (h-eng)');
  });

  it('lets go of it when it is deleted, in the same run', async () => {
    change('p1', { home: 'g-ops' });
    change('p3', { advises: 'g-eng;g-ops' });
    regroup('g-eng', { parent: 'g-ops' });
    await settle();
    company.source.groups = [{ ...ENG, attributes: { parent: 'g-ops' } }];
    await company.run();
    expect([...company.target.teams.values()].map(({ attributes }) => attributes['displayName'])).toEqual([
      'Engineering',
    ]);
    expect(given('p1', HOME)).toBeUndefined();
    expect(given('p3', TEAMS)).toEqual(['Engineering']);
    expect(given('g-eng', PARENT)).toBeUndefined();
    await settle();
  });

  it('keeps it while the deletion of the team is held, and lets go with its approval', async () => {
    change('p1', { home: 'g-ops' });
    await settle();
    company.spec = { ...company.spec, guards: { removeMembers: { percent: 100 }, deleteTeams: { max: 0 } } };
    company.source.groups = [ENG];
    expect(await company.run()).toMatchObject({ held: { kinds: { deleteTeams: 2 } } });
    expect(given('p1', HOME)).toBe('Operations');
    await company.run({ approve: (await company.run()).held.hash });
    expect(given('p1', HOME)).toBeUndefined();
    await settle();
  });
});

describe('who refers to several people', () => {
  it('is given those who have an account, and the rest when they have one', async () => {
    change('p1', { buddies: ['P2@example.com', 'p3', 'late@example.com'] });
    await settle();
    expect(given('p1', BUDDIES)).toEqual(['p2@example.com', 'p3@example.com']);
    company.people = [
      ...company.people,
      ...aCompanyOf(1).map((one) => ({ ...one, id: 'p9', mail: 'late@example.com' })),
    ];
    await settle();
    expect(given('p1', BUDDIES)).toEqual(['p2@example.com', 'p3@example.com', 'late@example.com']);
  });

  it('lets go of who is deleted, and of nobody else', async () => {
    change('p1', { buddies: ['p2', 'p4'], manager: 'p4' });
    change('p2', { buddies: ['p4'], manager: 'p1' });
    regroup('g-eng', { owners: ['p4'] });
    regroup('g-ops', { owners: ['p1', 'p4'] });
    await settle();
    expect(given('g-eng', OWNERS)).toEqual(['p4@example.com']);
    company.people = company.people.filter(({ id }) => id !== 'p4');
    const report = await company.run();
    expect((await company.operations(report)).find(({ phase }) => phase === 'references')).toMatchObject({
      unit: 'person:p4:deletedAtSource',
      cause: 'deletedAtSource',
      reason: 'refers to somebody who is deleted',
    });
    expect([given('p1', MANAGER), given('p2', MANAGER)]).toEqual([undefined, 'p1@example.com']);
    expect([given('p1', BUDDIES), given('p2', BUDDIES)]).toEqual([['p2@example.com'], undefined]);
    expect([given('g-eng', OWNERS), given('g-ops', OWNERS)]).toEqual([undefined, ['p1@example.com']]);
    await settle();
  });

  it('changes nobody of whom nothing is known (I13)', async () => {
    change('p1', { manager: 'p4' });
    change('p2', { manager: 'p4' });
    await settle();
    company.people = company.people.filter(({ id }) => id !== 'p4');
    company.source.failed = [{ id: 'p2', code: 'RecordInvalid', message: 'cannot be read' }];
    await company.run();
    expect([given('p1', MANAGER), given('p2', MANAGER) === undefined]).toEqual([undefined, false]);
    company.source.failed = [];
    await settle();
    expect(given('p2', MANAGER)).toBeUndefined();
  });

  it('lets go in a later run where the request failed and the deletion did not', async () => {
    change('p1', { buddies: ['p2', 'p4'] });
    change('p2', { manager: 'p4' });
    await settle();
    company.people = company.people.filter(({ id }) => id !== 'p4');
    company.target.intercept = (line) => {
      if (line.startsWith('updateUser')) throw new SyncError('TargetUnavailable', 'not now', { scope: 'record' });
    };
    expect(await company.run()).toMatchObject({ outcome: 'failed', applied: { delete: 1 } });
    expect(given('p1', BUDDIES)).toEqual(['p2@example.com', expect.stringMatching(/^nobody /)]);
    company.target.intercept = () => undefined;
    await settle();
    expect(given('p1', BUDDIES)).toEqual(['p2@example.com']);
    expect(given('p2', MANAGER)).toBeUndefined();
    expect(await (await company.state()).facts.get('unreleased')).toBeNull();
  });

  it('lets go after a run that was about the leaver alone', async () => {
    change('p1', { manager: 'p4' });
    await settle();
    company.people = company.people.filter(({ id }) => id !== 'p4');
    expect(await company.run({ user: 'p4' })).toMatchObject({ applied: { delete: 1 } });
    expect(given('p1', MANAGER)).toMatch(/^nobody /);
    await settle();
    expect(given('p1', MANAGER)).toBeUndefined();
  });

  it('keeps who has been given the id of a deleted account', async () => {
    change('p1', { manager: 'p4' });
    await settle();
    const { id = '' } = [...company.target.users.values()].find((each) => each.attributes['externalId'] === 'p4') ?? {};
    const { facts } = await company.state();
    await facts.put('unreleased', [
      { resource: 'User', targetId: id, unit: 'person:gone:grace', cause: 'deletedAtSource' },
    ]);
    await settle();
    expect(given('p1', MANAGER)).toBe('p4@example.com');
  });

  it('keeps them while the deletion is held (I4)', async () => {
    change('p1', { buddies: ['p4'] });
    await settle();
    company.spec = { ...company.spec, guards: { delete: { max: 0 } } };
    company.people = company.people.filter(({ id }) => id !== 'p4');
    expect(await company.run()).toMatchObject({ held: { count: 1, kinds: { delete: 1 } } });
    expect(given('p1', BUDDIES)).toEqual(['p4@example.com']);
  });

  it('lets go once, and of what the application refuses to delete too (I2)', async () => {
    change('p1', { buddies: ['p2', 'p4'], manager: 'p4' });
    await settle();
    company.people = company.people.filter(({ id }) => id !== 'p4');
    company.target.intercept = (line) => {
      if (line.startsWith('deleteUser')) throw new SyncError('Conflict', 'the application refuses it');
    };
    await company.run();
    company.target.writes.length = 0;
    await company.run();
    expect(company.target.writes.filter((write) => !write.startsWith('deleteUser'))).toEqual([]);
  });

  it('refers no longer to an account that somebody deleted by hand, whoever it was', async () => {
    change('p1', { buddies: ['p2', 'p4'] });
    change('p2', { manager: 'p4' });
    regroup('g-ops', { owners: ['p4'] });
    await settle();
    const id = [...company.target.users.values()].find(({ attributes }) => attributes['externalId'] === 'p4')?.id;
    company.target.users.delete(id ?? '');
    company.people = company.people.filter((person) => person.id !== 'p4');
    await company.run({ resync: true });
    expect(given('p1', BUDDIES)).toEqual(['p2@example.com']);
    expect([given('p2', MANAGER), given('g-ops', OWNERS)]).toEqual([undefined, undefined]);
    await settle();
  });
});

describe('a team that refers to people and teams', () => {
  it('is given its owners and its parent, in the run that makes them all', async () => {
    regroup('g-eng', { owners: ['P3@example.com', 'p4'], parent: 'Operations' });
    regroup('g-ops', { owners: 'p1', parent: 'g-eng' });
    await settle();
    expect(given('g-eng', OWNERS)).toEqual(['p3@example.com', 'p4@example.com']);
    expect(given('g-ops', OWNERS)).toEqual(['p1@example.com']);
    expect([given('g-eng', PARENT), given('g-ops', PARENT)]).toEqual(['Operations', 'Engineering']);
  });

  it('follows the source, and is owed whom nobody answers to', async () => {
    regroup('g-eng', { owners: ['p3', 'late@example.com'] });
    await settle();
    expect(given('g-eng', OWNERS)).toEqual(['p3@example.com']);
    company.people = [
      ...company.people,
      ...aCompanyOf(1).map((one) => ({ ...one, id: 'p9', mail: 'late@example.com' })),
    ];
    regroup('g-ops', { owners: ['p9'] });
    await settle();
    expect(given('g-eng', OWNERS)).toEqual(['p3@example.com', 'late@example.com']);
    expect(given('g-ops', OWNERS)).toEqual(['late@example.com']);
    regroup('g-eng', { owners: ['p1'] });
    await settle();
    expect(given('g-eng', OWNERS)).toEqual(['p1@example.com']);
  });

  it('is put right where somebody else was put in by hand', async () => {
    regroup('g-eng', { owners: ['p3'] });
    await settle();
    const team = [...company.target.teams.values()].find(({ attributes }) => attributes['externalId'] === 'g-eng');
    if (team !== undefined) team.attributes[OWNERS] = ['u1'];
    expect(await company.run({ resync: true })).toMatchObject({ drift: { attributes: 1 } });
    expect(given('g-eng', OWNERS)).toEqual(['p3@example.com']);
    await settle();
  });
});
