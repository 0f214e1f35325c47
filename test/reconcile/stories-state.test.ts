/** What becomes of a state store and of an application that must not cost anybody the account, each story by its name. */
import { copyFile, mkdtemp, open, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { TeamRuleResource } from '../../src/api/team-rule.ts';
import { SyncError } from '../../src/errors.ts';
import type { RunReport } from '../../src/reconcile/run.ts';
import { openSqliteStore } from '../../src/state/sqlite/store.ts';
import { aCompanyOf, type Company, createCompany } from '../support/company.ts';

const RESEARCH: TeamRuleResource['spec'] = {
  directorySyncRef: { name: 'acme' },
  team: { displayName: 'Research' },
  match: [{ attribute: 'department', operator: 'Equals', value: 'research' }],
};

async function aStateFile(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'dirsync-story-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return join(folder, 'state.db');
}

async function aConvergedCompany(people: number, file?: string): Promise<Company> {
  const company = await createCompany(file === undefined ? {} : { file });
  onTestFinished(() => company.store.close());
  company.people = aCompanyOf(people);
  company.rules = { research: RESEARCH };
  expect(await company.run()).toMatchObject({ outcome: 'synced' });
  company.target.writes.length = 0;
  return company;
}

/** What a week brings: two join, one leaves, one is promoted. */
function liveOn(company: Company): void {
  const [first, second, ...rest] = company.people;
  const joiners = aCompanyOf(company.people.length + 2).slice(-2);
  company.people = [{ ...second, id: 'p2', title: 'Lead' }, ...rest, ...joiners];
  expect(first?.id).toBe('p1');
}

async function expectQuiet(company: Company): Promise<void> {
  company.target.writes.length = 0;
  expect(await company.run()).toMatchObject({ outcome: 'synced' });
  expect(await company.run({ resync: true })).toMatchObject({ outcome: 'synced' });
  expect(company.target.writes).toEqual([]);
}

const titles = ({ target }: Company): unknown[] =>
  [...target.users.values()].map(({ attributes }) => `${attributes['userName']} ${attributes['title']}`);

describe('wrong tenant', () => {
  it('stops the run: nothing is read from it, nothing is written, and putting it back is enough (I3)', async () => {
    const company = await createCompany();
    company.source.identity = { tenantId: 'tenant-a', tenantName: 'Acme', domains: [] };
    company.people = aCompanyOf(8);
    await company.run();
    const ours = company.people;
    company.target.writes.length = 0;
    company.target.reads.length = 0;
    company.source.reads.length = 0;
    company.source.identity = { tenantId: 'tenant-b', tenantName: 'Other', domains: [] };
    company.people = aCompanyOf(8).map((person, index) => ({ ...person, id: `other-${index}` }));
    expect(await company.run()).toMatchObject({
      outcome: 'stalled',
      reason: 'EndpointChanged',
      message:
        'the source is another one than the 8 people and 0 teams were linked with: nothing was read or written. Put it back, or move on purpose: a new spec.id, with spec.adoptFrom to take them over',
    });
    expect([company.source.reads, company.target.reads, company.target.writes]).toEqual([[], [], []]);
    company.source.identity = { tenantId: 'tenant-a', tenantName: 'Acme', domains: [] };
    company.people = ours;
    await expectQuiet(company);
  });
});

describe('mapping deleted and restored', () => {
  it('touches nobody meanwhile or after, leavers too; who left is seen when it is back', async () => {
    const company = await aConvergedCompany(8);
    company.mappingName = 'another';
    company.people = company.people.slice(1);
    expect(await company.run()).toMatchObject({ outcome: 'waiting', reason: 'ReferenceNotFound' });
    expect([company.target.writes, company.source.reads.length]).toEqual([[], 1]);
    company.mappingName = 'users';
    expect(await company.run()).toMatchObject({ outcome: 'synced', plan: { deactivate: 1, create: 0, update: 0 } });
    await expectQuiet(company);
  });
});

describe('DirectorySync renamed', () => {
  it('keeps its spec.id, and with it everybody and every team (I10)', async () => {
    const company = await aConvergedCompany(8);
    company.spec = { ...company.spec, id: 'acme' };
    company.name = 'acme-corp';
    company.rules = { research: { ...RESEARCH, directorySyncRef: { name: 'acme-corp' } } };
    await expectQuiet(company);
    expect(company.teamMembers('Research')).toHaveLength(8);
  });
});

describe('another target', () => {
  it('by mistake stops the run: it is not even connected to', async () => {
    const company = await aConvergedCompany(4);
    const { provider } = company.target;
    let connected = 0;
    Object.assign(provider, {
      endpoint: () => 'https://staging.example.com/scim',
      connect: async () => {
        connected += 1;
        throw new SyncError('TargetUnavailable', 'nobody is there');
      },
    });
    expect(await company.run()).toMatchObject({ outcome: 'stalled', reason: 'EndpointChanged' });
    expect([connected, company.source.identified.count]).toEqual([0, 1]);
  });
});

describe('target restored from last week’s backup', () => {
  it('becomes what it was by the next look, within the guards (I3)', async () => {
    const company = await aConvergedCompany(12);
    const { users, teams } = company.target;
    const backup = structuredClone({ users: [...users.values()], teams: [...teams.values()] });
    liveOn(company);
    await company.run();
    const before = titles(company).sort();
    users.clear();
    teams.clear();
    for (const user of backup.users) users.set(user.id, user);
    for (const team of backup.teams) teams.set(team.id, team);
    company.target.writes.length = 0;
    const report = await company.run({ resync: true });
    expect(report).toMatchObject({
      outcome: 'synced',
      drift: { attributes: 2, missing: 2 },
      plan: { create: 2, update: 1, deactivate: 1 },
    });
    expect(titles(company).sort()).toEqual(before);
    expect(users.get('u1')?.attributes['active']).toBe(false);
    expect(company.teamMembers('Research')).toHaveLength(13);
    await expectQuiet(company);
  });
});

describe('the state store', () => {
  it('is restored from an old backup: nobody is made twice or switched off for it (I7)', async () => {
    const file = await aStateFile();
    const company = await aConvergedCompany(12, file);
    await company.store.close();
    await copyFile(file, `${file}.old`);
    company.store = await openSqliteStore(file);
    liveOn(company);
    await company.run();
    const before = titles(company).sort();
    await company.store.close();
    await copyFile(`${file}.old`, file);
    company.store = await openSqliteStore(file);
    company.target.writes.length = 0;
    const report = await company.run();
    expect(report).toMatchObject({ outcome: 'synced', plan: { create: 0, recover: 2 } });
    expect(company.target.writes.filter((line) => /^(create|delete)/.test(line))).toEqual([]);
    expect(titles(company).sort()).toEqual(before);
    await company.run({ resync: true });
    await expectQuiet(company);
  });
});

describe('disk full', () => {
  it('stops each run with one line, and with space nobody is made twice (I6)', async () => {
    const file = await aStateFile();
    const company = await aConvergedCompany(3, file);
    company.people = aCompanyOf(150);
    const reports: RunReport[] = [];
    // A little more space each time: the disk is full at another point of the run.
    for (let more = 0; reports.at(-1)?.outcome !== 'synced'; more += 1) {
      await company.store.close();
      const { size } = await stat(file);
      company.store = await openSqliteStore(file, { maxBytes: size + more * 20_000 });
      reports.push(await company.run());
    }
    const failed = reports.slice(0, -1);
    expect(failed.length).toBeGreaterThan(3);
    expect(new Set(failed.map(({ reason }) => reason))).toEqual(new Set(['StateUnavailable']));
    expect(new Set(failed.map(({ message }) => message))).toEqual(
      new Set([`state file ${file} could not be written: the disk is full; free some space and run again`]),
    );
    expect(company.target.users.size).toBe(150);
    expect(company.target.writes.filter((line) => line.startsWith('createUser'))).toHaveLength(147);
    expect(company.teamMembers('Research')).toHaveLength(150);
    await expectQuiet(company);
  });

  it('has a broken page: the run says so and stops, or does not need it; nobody is touched (I7)', async () => {
    const file = await aStateFile();
    const company = await aConvergedCompany(60, file);
    await company.store.close();
    await copyFile(file, `${file}.good`);
    const pages = (await stat(file)).size / 4096;
    const outcomes = new Set<string>();
    for (let page = 0; page < pages; page += 1) {
      await copyFile(`${file}.good`, file);
      await scribble(file, page);
      const line = await openSqliteStore(file).then(
        async (store) => {
          company.store = store;
          const { reason, message } = await company.run({ resync: page % 2 === 0 });
          await store.close();
          return reason === 'Synced' ? reason : `${reason}: ${message}`;
        },
        (thrown: unknown) => `${SyncError.from(thrown).code}: ${SyncError.from(thrown).message}`,
      );
      outcomes.add(line);
    }
    const damaged = `StateUnavailable: state file ${file} is damaged; move it away (and the files beside it whose names begin alike) and run again: links are rebuilt from the target`;
    expect([...outcomes].filter((line) => line !== 'Synced' && line !== damaged)).toEqual([
      `StateUnavailable: state file ${file} is not a Dirsync state file; name another file (it was left as it is)`,
    ]);
    expect(outcomes).toContain(damaged);
    expect(company.target.writes).toEqual([]);
    await copyFile(`${file}.good`, file);
    company.store = await openSqliteStore(file);
    await expectQuiet(company);
  });
});

/** A page as a failing disk may give it back. */
async function scribble(file: string, page: number): Promise<void> {
  const handle = await open(file, 'r+');
  await handle.write(Buffer.alloc(4096, 0xa5), 0, 4096, page * 4096);
  await handle.close();
}
