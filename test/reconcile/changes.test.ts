/** Runs that read what has changed, each story by the name that people give it: they end where full reads would have. */
import { describe, expect, it } from 'vitest';
import { SyncError } from '../../src/errors.ts';
import type { RunReport } from '../../src/reconcile/run.ts';
import { aCompanyOf, type Company, createCompany } from '../support/company.ts';
import { createFeed, type ScriptedFeed } from '../support/scripted-feed.ts';
import { change, type Person, type ScriptedGroup } from '../support/scripted-source.ts';

interface Fed {
  readonly company: Company;
  readonly feed: ScriptedFeed;
  /** Minutes later, a run. */
  run(minutes?: number, request?: Parameters<Company['run']>[0]): Promise<RunReport>;
}

const GROUPS: readonly ScriptedGroup[] = [
  { id: 'choir', displayName: 'Choir', members: ['p1', 'p2@example.com'] },
  { id: 'chess', displayName: 'Chess', members: ['p3', 'p4'] },
  { id: 'clubs', displayName: 'Clubs', members: ['chess', 'p5'] },
];

/** A converged company whose directory has a feed; the reads of before are forgotten. */
async function aFedCompany({
  people = 12,
  groups = null,
  spec = {},
}: {
  people?: number;
  groups?: readonly ScriptedGroup[] | null;
  spec?: Partial<Company['spec']>;
} = {}): Promise<Fed> {
  const company = await createCompany();
  const feed = createFeed();
  company.source.feed = feed;
  company.people = aCompanyOf(people);
  company.source.groups = groups;
  const isGrouped = { groups: { provision: 'All' as const } };
  const source = { file: { users: { path: 'people.csv' }, groups: { path: 'groups.json' } } };
  company.spec = { ...company.spec, ...(groups === null ? {} : { ...isGrouped, source }), ...spec };
  expect(await company.run()).toMatchObject({
    outcome: 'synced',
    readWay: { kind: 'Full', why: 'there is no complete read to go on from' },
  });
  company.target.writes.length = 0;
  company.source.reads.length = 0;
  return {
    company,
    feed,
    run: (minutes = 40, request = {}) => {
      company.now = new Date(company.now.getTime() + minutes * 60_000);
      return company.run(request);
    },
  };
}

const CHANGES = { kind: 'Changes' } as const;
const replace = (people: readonly Person[], id: string, more: Record<string, string | boolean | null>): Person[] =>
  people.map((person) => (person.id === id ? { ...person, ...more } : person));

/** What the target holds, by names. */
function holdings({ target }: Company): unknown {
  const names = new Map([...target.users].map(([id, { attributes }]) => [id, String(attributes['userName'])]));
  return {
    users: [...target.users.values()].map(({ attributes }) => ({ ...attributes, [MANAGER]: undefined })).sort(byJson),
    teams: [...target.teams.values()]
      .map(({ attributes, members }) => [attributes['displayName'], [...members].map((id) => names.get(id)).sort()])
      .sort(byJson),
  };
}

const MANAGER = 'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager.value';
const byJson = (left: unknown, right: unknown): number => (JSON.stringify(left) < JSON.stringify(right) ? -1 : 1);

describe('changes', () => {
  it('are read in place of everybody, and come to what a full read comes to', async () => {
    const { company, run } = await aFedCompany({ groups: GROUPS });
    const people = replace(company.people, 'p2', { title: 'Lead', manager: 'P1@example.com' });
    change(company.source, {
      people: [
        ...replace(people, 'p4', { active: false }).filter(({ id }) => id !== 'p5'),
        ...aCompanyOf(13).slice(12),
      ],
      groups: [
        { id: 'choir', displayName: 'The Choir', members: ['p1', 'p6', 'p13'] },
        { id: 'clubs', displayName: 'Clubs', members: ['p2', 'choir'] },
      ],
    });
    const report = await run();
    expect(report).toMatchObject({ outcome: 'synced', kind: 'Delta', readWay: CHANGES, sourceRead: true });
    expect(report.applied).toMatchObject({ create: 1, update: 1, deactivate: 2, updateTeams: 1 });
    expect(company.source.reads).toEqual([]);
    const byChanges = holdings(company);
    company.target.writes.length = 0;
    expect(await run(1, { resync: true })).toMatchObject({
      outcome: 'synced',
      kind: 'Verify',
      readWay: { kind: 'Full' },
    });
    expect(company.target.writes).toEqual([]);
    expect(holdings(company)).toEqual(byChanges);
  });

  it('that are none write nothing (I2), run after run, each from the cursor of the one before', async () => {
    const { company, run } = await aFedCompany();
    await run();
    change(company.source, { people: replace(company.people, 'p3', { title: 'Lead' }) });
    expect(await run()).toMatchObject({ applied: { update: 1 }, readWay: CHANGES });
    company.target.writes.length = 0;
    expect(await run()).toMatchObject({ outcome: 'synced', readWay: CHANGES });
    expect(company.target.writes).toEqual([]);
    expect(company.source.changeReads.map(({ users }) => users)).toEqual(['0', '0', '1']);
  });
});

describe('feed replay', () => {
  it('changes nothing that came before, and what came twice counts once (I2)', async () => {
    const { company, feed, run } = await aFedCompany({ groups: GROUPS });
    change(company.source, { people: replace(company.people, 'p3', { title: 'Lead' }) });
    change(company.source, {
      groups: [{ id: 'choir', displayName: 'Choir', members: ['p1', 'p3'] }, ...GROUPS.slice(1)],
    });
    await run();
    company.target.writes.length = 0;
    const before = holdings(company);
    feed.log.push(...feed.log, ...feed.log);
    expect(await run()).toMatchObject({ outcome: 'synced', readWay: CHANGES });
    expect(company.target.writes).toEqual([]);
    expect(holdings(company)).toEqual(before);
  });
});

describe('duplicates out of order', () => {
  it('end in the last word, on one page or several', async () => {
    const { company, feed, run } = await aFedCompany();
    const lead = (title: string): void => change(company.source, { people: replace(company.people, 'p3', { title }) });
    for (const title of ['Lead', 'Head', 'Lead', 'Chief']) lead(title);
    // What was said first comes again in the middle.
    feed.log.splice(2, 0, ...feed.log.slice(0, 2));
    expect(await run()).toMatchObject({ applied: { update: 1 } });
    expect([...company.target.users.values()].map(({ attributes }) => attributes['title'])[2]).toBe('Chief');
  });
});

describe('removed and came back in one feed', () => {
  it('keeps the account, and has the groups that the feed named since', async () => {
    const { company, run } = await aFedCompany({ groups: GROUPS });
    const { people } = company;
    change(company.source, { people: people.filter(({ id }) => id !== 'p1' && id !== 'p3') });
    change(company.source, { people });
    change(company.source, { groups: GROUPS });
    company.source.feed?.log.push({
      type: 'members',
      group: 'chess',
      replaces: false,
      added: [{ kind: 'Any', ref: 'p3' }],
      removed: [],
    });
    expect(await run()).toMatchObject({ outcome: 'synced', applied: { deactivate: 0, create: 0, removeMembers: 1 } });
    expect(company.teamMembers('Choir')).toEqual(['p2@example.com']);
    expect(company.teamMembers('Chess')).toEqual(['p3@example.com', 'p4@example.com']);
  });
});

describe('group member change alone', () => {
  it('moves the membership, through groups in groups, and touches nobody else', async () => {
    const { company, run } = await aFedCompany({ groups: GROUPS });
    change(company.source, {
      groups: GROUPS.map((group) => (group.id === 'chess' ? { ...group, members: ['p4', 'P6@Example.com'] } : group)),
    });
    const { applied } = await run();
    expect(applied).toMatchObject({ addMembers: 2, removeMembers: 2, update: 0, deactivate: 0 });
    expect(company.teamMembers('Chess')).toEqual(['p4@example.com', 'p6@example.com']);
    expect(company.teamMembers('Clubs')).toEqual(['p4@example.com', 'p5@example.com', 'p6@example.com']);
  });
});

describe('expired cursor', () => {
  it('becomes a full read by itself, and the status says so; the next run reads changes again', async () => {
    const { company, feed, run } = await aFedCompany();
    feed.log.push({ type: 'userRemoved', id: 'p1' }, { type: 'userRemoved', id: 'p2' });
    feed.oldest = feed.log.length;
    company.people = replace(company.people, 'p7', { title: 'Lead' });
    const report = await run();
    expect(report).toMatchObject({
      outcome: 'synced',
      kind: 'Full',
      readWay: { kind: 'Full', why: 'the source no longer knows where the last read ended' },
      applied: { update: 1, deactivate: 0 },
      warnings: [
        {
          reason: 'CursorExpired',
          message: 'the source no longer knows where the last read ended: everybody was read',
        },
      ],
    });
    expect(await run()).toMatchObject({ kind: 'Delta', readWay: CHANGES, warnings: [] });
  });

  it('is not needed: an attribute that the last whole read did not deliver has everybody read (I13)', async () => {
    const { company, run } = await aFedCompany();
    company.source.unknown = ['title'];
    expect(await run(40, { resync: true })).toMatchObject({ outcome: 'synced', readWay: { kind: 'Full' } });
    company.target.writes.length = 0;
    company.source.unknown = [];
    change(company.source, { people: replace(company.people, 'p7', { title: 'Lead' }) });
    expect(await run()).toMatchObject({
      readWay: { kind: 'Full', why: 'the changes have an attribute that the last whole read did not deliver' },
      applied: { update: 1 },
    });
    expect([...company.target.users.values()].map(({ attributes }) => attributes['title'])).not.toContain(undefined);
    expect(await run()).toMatchObject({ kind: 'Delta', readWay: CHANGES, applied: { update: 0 } });
  });

  it('for whoever is told of no changes is every run a full read, which says why', async () => {
    const { company, feed, run } = await aFedCompany({ groups: GROUPS });
    feed.untold = 'the account may not see them';
    const why = { readWay: { kind: 'Full', why: 'the account may not see them' } };
    expect(await run(1, { resync: true })).toMatchObject({ outcome: 'synced', ...why });
    company.people = replace(company.people, 'p7', { title: 'Lead' });
    expect(await run()).toMatchObject({ outcome: 'synced', applied: { update: 1 }, ...why });
    feed.untold = null;
    expect(await run()).toMatchObject({ readWay: { why: 'there is no complete read to go on from' } });
    expect(await run()).toMatchObject({ readWay: CHANGES });
  });

  it('in the middle of the feed leaves nothing of the pages before it', async () => {
    const { company, feed, run } = await aFedCompany();
    change(company.source, { people: company.people.map((person) => ({ ...person, title: 'Lead' })) });
    feed.paging = (page) => {
      if (page === 2) feed.oldest = feed.log.length;
    };
    company.people = company.people.map((person) => ({ ...person, title: 'Engineer' }));
    expect(await run()).toMatchObject({ readWay: { kind: 'Full' }, applied: { update: 0 } });
    expect(company.target.writes).toEqual([]);
  });

  it('whose full read is suspect holds what is missing, and the next read is a full one too (I1)', async () => {
    const { company, feed, run } = await aFedCompany();
    feed.log.push({ type: 'userRemoved', id: 'p12' });
    feed.oldest = feed.log.length;
    const { people } = company;
    company.source.columns = Object.keys(people[0] ?? {});
    company.people = [];
    expect(await run()).toMatchObject({ reason: 'ReadSuspect', held: { kinds: { suspect: 12 } } });
    company.people = people;
    const report = await run(1);
    expect(report).toMatchObject({
      outcome: 'synced',
      suspicion: null,
      readWay: { kind: 'Full', why: 'the last read was suspect' },
    });
    expect(company.target.writes).toEqual([]);
    expect(await run()).toMatchObject({ readWay: CHANGES });
  });
});

describe('a feed that does not say who is gone', () => {
  const GONE = 'the source has another number of people or groups than its changes come to: somebody is gone';

  it('is followed while its numbers are those of the changes (S20)', async () => {
    const { company, feed, run } = await aFedCompany({ groups: GROUPS });
    feed.countsGone = true;
    change(company.source, {
      people: [...replace(company.people, 'p3', { title: 'Lead' }), ...aCompanyOf(13).slice(12)],
      groups: [...GROUPS, { id: 'band', displayName: 'Band', members: ['p13'] }],
    });
    expect(await run()).toMatchObject({ readWay: CHANGES, applied: { update: 1, create: 1, createTeams: 1 } });
    expect(await run()).toMatchObject({ readWay: CHANGES });
    expect(company.source.reads).toEqual([]);
  });

  it('has everybody read when somebody is gone, even where somebody new makes up for it (I1, S20)', async () => {
    const { company, feed, run } = await aFedCompany();
    feed.countsGone = true;
    change(company.source, { people: company.people.filter(({ id }) => id !== 'p4') });
    expect(await run()).toMatchObject({ readWay: { kind: 'Full', why: GONE }, applied: { deactivate: 1 } });
    const others = [...company.people.filter(({ id }) => id !== 'p5'), ...aCompanyOf(13).slice(12)];
    change(company.source, { people: others });
    expect(await run()).toMatchObject({ readWay: { kind: 'Full', why: GONE }, applied: { deactivate: 1, create: 1 } });
    expect(await run()).toMatchObject({ readWay: CHANGES, applied: { deactivate: 0, create: 0 } });
  });

  it('has everybody read when a group is gone, and not while one cannot be read (S20)', async () => {
    const { company, feed, run } = await aFedCompany({ groups: GROUPS });
    feed.countsGone = true;
    change(company.source, { groups: GROUPS.filter(({ id }) => id !== 'choir') });
    feed.failedGroups = [{ id: 'chess', code: 'RecordInvalid', message: 'its members cannot be read' }];
    expect(await run()).toMatchObject({ readWay: CHANGES });
    feed.failedGroups = [];
    expect(await run()).toMatchObject({ readWay: { kind: 'Full', why: GONE } });
    expect(company.teamMembers('Chess')).toEqual(['p3@example.com', 'p4@example.com']);
  });

  it('counts who is there and cannot be read (S20)', async () => {
    const { company, feed, run } = await aFedCompany();
    feed.countsGone = true;
    feed.failed = [{ id: 'p4', code: 'RecordInvalid', message: 'it has no name' }];
    company.people = company.people.filter(({ id }) => id !== 'p4');
    expect(await run()).toMatchObject({ readWay: CHANGES, applied: { deactivate: 0 } });
    // Who was said to be unreadable is there until the numbers say otherwise.
    feed.failed = [];
    expect(await run()).toMatchObject({ readWay: { kind: 'Full', why: GONE }, applied: { deactivate: 1 } });
  });
});

describe('kill between pages', () => {
  it.each([
    ['throws', (feed: ScriptedFeed) => Object.assign(feed, { failsAfter: { pages: 2, error: new Error('gone') } })],
    ['ends early', (feed: ScriptedFeed) => Object.assign(feed, { endsAfter: 2 })],
  ])('a feed that %s changes nobody, and comes again from the same cursor (I1)', async (_how, breakFeed) => {
    const { company, feed, run } = await aFedCompany();
    const people = company.people.filter(({ id }) => id !== 'p1').map((each) => ({ ...each, title: 'Lead' }));
    change(company.source, { people });
    breakFeed(feed);
    expect(await run()).toMatchObject({ outcome: 'waiting', sourceRead: false, readWay: null });
    expect(company.target.writes).toEqual([]);
    Object.assign(feed, { failsAfter: null, endsAfter: null });
    expect(await run()).toMatchObject({ readWay: CHANGES, applied: { update: 11, deactivate: 1 } });
    expect(company.source.changeReads.map(({ users }) => users)).toEqual(['0', '0']);
  });

  it('of the run behind the read loses nothing: the next one finds it in the mirror (I6)', async () => {
    const { company, run } = await aFedCompany();
    change(company.source, { people: replace(company.people, 'p3', { title: 'Lead' }) });
    const cut = new AbortController();
    company.target.intercept = () => {
      cut.abort();
      throw new SyncError('Aborted', 'the process is gone');
    };
    expect(await run(40, { signal: cut.signal })).toMatchObject({ stopped: true });
    company.target.intercept = () => undefined;
    expect(await run()).toMatchObject({ readWay: CHANGES, applied: { update: 1 } });
    expect(company.source.changeReads.map(({ users }) => users)).toEqual(['0', '1']);
  });

  it('that goes on failing is followed by a full read: it may be the cursor', async () => {
    const { company, feed, run } = await aFedCompany();
    feed.failsAfter = { pages: 0, error: new SyncError('ReadFailed', 'it cannot be read from there') };
    for (let time = 1; time <= 3; time += 1) expect(await run()).toMatchObject({ reason: 'ReadFailed' });
    company.people = replace(company.people, 'p3', { title: 'Lead' });
    expect(await run()).toMatchObject({
      readWay: { kind: 'Full', why: 'the changes could not be read several times in a row' },
      applied: { update: 1 },
    });
    feed.failsAfter = null;
    expect(await run()).toMatchObject({ readWay: CHANGES });
  });
});

describe('projection change', () => {
  it.each([
    [
      'another attribute is mapped',
      (company: Company) => {
        company.mapping = {
          attributes: [...(company.mapping.attributes ?? []), { target: 'nickName', source: 'nick' }],
        };
      },
    ],
    [
      'the scope is another one',
      (company: Company) => {
        const filters = [[{ attribute: 'department', operator: 'Equals' as const, value: 'Research' }]];
        company.spec = { ...company.spec, scope: { filters } };
      },
    ],
    [
      'the source has another endpoint',
      (company: Company) => {
        company.spec = { ...company.spec, source: { file: { users: { path: 'others.csv' } } } };
      },
    ],
  ])('reads everybody once: %s', async (_what, edit) => {
    const { company, run } = await aFedCompany();
    await run();
    edit(company);
    expect(await run()).toMatchObject({
      readWay: { kind: 'Full', why: 'source, scope or what is asked for are not those of the last read' },
    });
    expect(await run()).toMatchObject({ readWay: CHANGES });
  });

  it('and mappings that ask for the same are carried out for everybody by changes', async () => {
    const { company, run } = await aFedCompany();
    company.mapping = {
      attributes: [...(company.mapping.attributes ?? []), { target: 'userType', constant: 'Employee' }],
    };
    expect(await run()).toMatchObject({ readWay: CHANGES, applied: { update: 12 } });
  });
});

describe('everybody is read', () => {
  it('when a resync is asked for, and every verifyEvery: what the feed has lost is found', async () => {
    const { company, run } = await aFedCompany();
    const lose = (title: string): void => {
      company.people = replace(company.people, 'p3', { title });
    };
    lose('Lead');
    expect(await run()).toMatchObject({ readWay: CHANGES, applied: { update: 0 } });
    expect(await run(1, { resync: true })).toMatchObject({
      readWay: { kind: 'Full', why: 'a resync was asked for' },
      applied: { update: 1 },
    });
    lose('Head');
    expect(await run(23 * 60)).toMatchObject({ readWay: CHANGES, applied: { update: 0 } });
    expect(await run(61)).toMatchObject({
      readWay: { kind: 'Full', why: 'drift.verifyEvery is over' },
      kind: 'Verify',
      applied: { update: 1 },
    });
    expect(await run()).toMatchObject({ readWay: CHANGES });
  });

  it('once where the source has no feed any more, and nothing of the mirror is kept', async () => {
    const { company, run } = await aFedCompany();
    company.source.feed = null;
    expect(await run()).toMatchObject({ readWay: { kind: 'Full', why: null } });
    const { mirror } = await company.state();
    expect([await mirror.head(), await mirror.users(['p1'])]).toEqual([null, new Map()]);
  });
});

describe('the deletion of the DirectorySync', () => {
  it('leaves nothing of the mirror; planned, it leaves everything', async () => {
    const { company, run } = await aFedCompany({ spec: { deletionPolicy: 'Delete' } });
    const { mirror } = await company.state();
    await run(1, { deletion: true, planOnly: true });
    expect(await mirror.head()).not.toBeNull();
    await run(1, { deletion: true });
    expect([await mirror.head(), await mirror.users(['p1'])]).toEqual([null, new Map()]);
  });
});

describe('a feed that lies', () => {
  it('"removed" for half of the company is suspect, and a full read puts it right (I1)', async () => {
    const { company, feed, run } = await aFedCompany({ people: 20 });
    for (let n = 1; n <= 10; n += 1) feed.log.push({ type: 'userRemoved', id: `p${n}` });
    expect(await run()).toMatchObject({
      reason: 'ReadSuspect',
      suspicion: 'the read has 10 people, the last good one had 20',
      held: { kinds: { suspect: 10 } },
    });
    expect(company.target.writes).toEqual([]);
    expect(await run(20)).toMatchObject({ outcome: 'synced', readWay: { kind: 'Full' }, held: { count: 0 } });
    expect(company.target.writes).toEqual([]);
  });

  it('about fewer is held by guards (I4)', async () => {
    const { company, feed, run } = await aFedCompany({ people: 40 });
    for (let n = 1; n <= 8; n += 1) feed.log.push({ type: 'userRemoved', id: `p${n}` });
    expect(await run()).toMatchObject({ outcome: 'held', held: { kinds: { deactivate: 8 } } });
    expect(company.target.writes).toEqual([]);
  });

  it('about values is measured against everybody who has one', async () => {
    const { company, run } = await aFedCompany({ people: 20 });
    const people = company.people.map((each, index) => (index < 12 ? { ...each, title: null } : each));
    change(company.source, { people });
    expect(await run()).toMatchObject({
      suspicion: '8 people have a value for "title", in the last good read 20 had',
    });
  });
});

describe('records that cannot be read', () => {
  it('are there and nothing is known of them, until the feed says something of them again (I1, I8)', async () => {
    const { company, feed, run } = await aFedCompany();
    feed.failed = [{ id: 'p3', code: 'RecordInvalid', message: 'it has no name' }];
    const report = await run();
    expect(report).toMatchObject({ reason: 'SyncedWithErrors', readWay: CHANGES, applied: { deactivate: 0 } });
    expect(await company.errors(report)).toEqual(['p3 RecordInvalid: it has no name']);
    feed.failed = [];
    expect(await run()).toMatchObject({ reason: 'SyncedWithErrors', readWay: CHANGES });
    expect(company.target.writes).toEqual([]);
    change(company.source, { people: replace(company.people, 'p3', { title: 'Lead' }) });
    expect(await run()).toMatchObject({ outcome: 'synced', applied: { update: 1 } });
  });

  it('without an id, and groups, are asked for again from the same cursor (I1)', async () => {
    const { company, feed, run } = await aFedCompany({ groups: GROUPS });
    change(company.source, { people: company.people.filter(({ id }) => id !== 'p1') });
    feed.failed = [{ id: null, code: 'RecordInvalid', message: 'it has no id' }];
    expect(await run()).toMatchObject({ reason: 'SyncedWithErrors', applied: { deactivate: 0 } });
    feed.failed = [];
    feed.failedGroups = [{ id: 'chess', code: 'RecordInvalid', message: 'its members cannot be read' }];
    expect(await run()).toMatchObject({ reason: 'SyncedWithErrors', applied: { deactivate: 1 } });
    feed.failedGroups = [];
    expect(await run()).toMatchObject({ outcome: 'synced' });
    expect(company.source.changeReads.map(({ users }) => users)).toEqual(['0', '0', '0']);
    expect(company.teamMembers('Chess')).toEqual(['p3@example.com', 'p4@example.com']);
  });
});

describe('runs that leave nothing behind', () => {
  it('a plan, and a run about one person, go by changes and keep the cursor where it is', async () => {
    const { company, run } = await aFedCompany();
    change(company.source, { people: replace(company.people, 'p3', { title: 'Lead' }) });
    expect(await run(1, { planOnly: true })).toMatchObject({ readWay: CHANGES, plan: { update: 1 } });
    expect(await run(1, { user: 'p4' })).toMatchObject({ kind: 'OneUser', plan: { update: 0 } });
    expect(await run(1)).toMatchObject({ applied: { update: 1 } });
    expect(company.source.changeReads.map(({ users }) => users)).toEqual(['0', '0', '0']);
  });

  it('what a change does not speak of is as it was', async () => {
    const { company, feed, run } = await aFedCompany();
    change(company.source, { people: replace(company.people, 'p3', { manager: 'p1' }) });
    await run();
    const attributes = { id: 'p3', mail: 'p3@example.com', title: 'Lead', department: 'Research' };
    feed.log.push({ type: 'user', user: { id: 'p3', active: true, attributes }, keeps: ['manager'] });
    expect((await run()).applied).toMatchObject({ update: 1 });
    const account = [...company.target.users.values()].find(
      ({ attributes: { userName } }) => userName === 'p3@example.com',
    );
    expect(account?.attributes).toMatchObject({ title: 'Lead', [MANAGER]: expect.anything() });
  });
});
