/** Runs that read the people in scope alone: they end where full reads would have, whatever the source's filter is like. */
import { describe, expect, it } from 'vitest';
import { SyncError } from '../../src/errors.ts';
import { isWanted } from '../../src/mapping/wanted-people.ts';
import type { WantedPeople } from '../../src/model.ts';
import type { RunReport } from '../../src/reconcile/run.ts';
import { aCompanyOf, type Company, createCompany } from '../support/company.ts';
import type { Person, ScriptedGroup } from '../support/scripted-source.ts';

const SCOPE = { kind: 'Scope' } as const;
const FILTERS = [[{ attribute: 'department', operator: 'Equals' as const, value: 'research' }]];
const MANY_GONE = 'more than 100 people did not come with those in scope';
const OTHER_NAMES = 'the people in scope came with other attributes than the last whole read';

interface Scoped {
  readonly company: Company;
  /** Minutes later, a run. */
  run(minutes?: number, request?: Parameters<Company['run']>[0]): Promise<RunReport>;
}

interface Setting {
  readonly people?: number;
  readonly spec?: Partial<Company['spec']>;
  readonly groups?: readonly ScriptedGroup[];
}

const filter = (people: readonly Person[], wanted: WantedPeople): readonly Person[] =>
  people.filter((person) => isWanted(wanted, person));

/** Converged, with everybody but the last four in scope; the reads of before are forgotten. */
async function aScopedCompany({ people = 12, spec = {}, groups }: Setting = {}): Promise<Scoped> {
  const company = await createCompany();
  const { source, target } = company;
  company.people = aCompanyOf(people).map((person, index) =>
    index < people - 4 ? person : { ...person, department: 'Sales' },
  );
  Object.assign(source, { matching: filter, answersOne: true, ...(groups === undefined ? {} : { groups }) });
  const ofGroups = {
    groups: { provision: 'All' as const },
    source: { file: { users: { path: 'people.csv' }, groups: { path: 'groups.json' } } },
  };
  company.spec = { ...company.spec, scope: { filters: FILTERS }, ...(groups === undefined ? {} : ofGroups), ...spec };
  expect(await company.run()).toMatchObject({ outcome: 'synced', readWay: { kind: 'Full' } });
  target.writes.length = 0;
  source.reads.length = 0;
  return {
    company,
    run: (minutes = 40, request = {}) => {
      company.now = new Date(company.now.getTime() + minutes * 60_000);
      return company.run(request);
    },
  };
}

const replace = (people: readonly Person[], id: string, more: Record<string, string | boolean | null>): Person[] =>
  people.map((person) => (person.id === id ? { ...person, ...more } : person));

const isActive = ({ target }: Company, id: string): unknown =>
  [...target.users.values()].find(({ attributes }) => attributes['externalId'] === id)?.attributes['active'];

describe('the people in scope', () => {
  it('are read in place of everybody, and come to what a full read comes to', async () => {
    const { company, run } = await aScopedCompany();
    const moved = replace(replace(company.people, 'p3', { department: 'Sales' }), 'p9', { department: 'Research' });
    company.people = replace(replace(moved, 'p2', { title: 'Lead' }), 'p5', { active: false }).filter(
      ({ id }) => id !== 'p4',
    );
    const report = await run();
    expect(report).toMatchObject({ outcome: 'synced', kind: 'Delta', readWay: SCOPE, sourceRead: true });
    expect(report.applied).toMatchObject({ create: 1, update: 1, deactivate: 3 });
    expect(company.source.reads).toEqual([]);
    expect(company.source.matchingReads).toEqual([[[{ path: 'department', values: ['research'] }]]]);
    expect(company.source.oneReads.toSorted()).toEqual(['p3', 'p4']);
    company.target.writes.length = 0;
    expect(await run()).toMatchObject({ readWay: SCOPE });
    // Who has left is known to have left.
    expect(company.source.oneReads).toHaveLength(2);
    expect(await run(1, { resync: true })).toMatchObject({ readWay: { kind: 'Full' } });
    expect(company.target.writes).toEqual([]);
  });

  it('who do not come any more are told apart: one has moved, one was deleted', async () => {
    const deprovisioning = { outOfScope: 'Retain' as const, deletedAtSource: 'Deactivate' as const };
    const { company, run } = await aScopedCompany({ spec: { deprovisioning } });
    company.people = replace(company.people, 'p3', { department: 'Sales' }).filter(({ id }) => id !== 'p4');
    expect(await run()).toMatchObject({ readWay: SCOPE, applied: { deactivate: 1 } });
    expect([isActive(company, 'p3'), isActive(company, 'p4')]).toEqual([true, false]);
  });

  it('are all there although the filter of the source finds nobody (I1, S21)', async () => {
    const { company, run } = await aScopedCompany();
    company.source.matching = () => [];
    company.people = replace(company.people, 'p2', { title: 'Lead' });
    expect(await run()).toMatchObject({ outcome: 'synced', readWay: SCOPE, applied: { update: 1, deactivate: 0 } });
    expect(company.source.oneReads).toHaveLength(8);
  });

  it('are as they were although the filter takes everybody', async () => {
    const { company, run } = await aScopedCompany();
    company.source.matching = (people) => people;
    expect(await run()).toMatchObject({ outcome: 'synced', readWay: SCOPE });
    expect(company.target.writes).toEqual([]);
    expect(company.source.oneReads).toEqual([]);
  });

  it.each([
    [104, SCOPE, 100],
    [105, { kind: 'Full', why: MANY_GONE }, 0],
  ])('of %i people are asked for one by one, up to a hundred', async (people, readWay, asked) => {
    const { company, run } = await aScopedCompany({ people });
    company.source.matching = () => [];
    expect(await run()).toMatchObject({ outcome: 'synced', readWay });
    expect(company.source.oneReads).toHaveLength(asked);
    expect(company.target.writes).toEqual([]);
  });

  it('have managers and groups among those who are not', async () => {
    const groups = [{ id: 'choir', displayName: 'Choir', members: ['p1', 'p10'] }];
    const { company, run } = await aScopedCompany({ groups });
    company.source.groups = [{ id: 'choir', displayName: 'Choir', members: ['p1', 'P2@example.com', 'p11'] }];
    expect(await run()).toMatchObject({ readWay: SCOPE, applied: { addMembers: 1 } });
    expect(company.teamMembers('Choir')).toEqual(['p1@example.com', 'p2@example.com']);
  });
});

describe('everybody is read', () => {
  it('where the source refuses the filter', async () => {
    const { company, run } = await aScopedCompany();
    company.source.matching = () => {
      throw new SyncError('ReadFailed', 'it knows no filters');
    };
    company.people = replace(company.people, 'p2', { title: 'Lead' });
    const why = 'the people in scope could not be asked for: it knows no filters';
    expect(await run()).toMatchObject({ readWay: { kind: 'Full', why }, applied: { update: 1 } });
    company.source.matching = filter;
    expect(await run()).toMatchObject({ readWay: SCOPE });
  });

  it('where they come without an attribute, and nothing is lost by that (I13)', async () => {
    const { company, run } = await aScopedCompany();
    company.source.unknown = ['title'];
    expect(await run()).toMatchObject({ readWay: { kind: 'Full', why: OTHER_NAMES } });
    expect(company.target.writes).toEqual([]);
  });

  it('at the first run, after an edit of the filter, a resync and every verifyEvery', async () => {
    const { company, run } = await aScopedCompany({ spec: { drift: { verifyEvery: '2h' } } });
    expect(await run(119)).toMatchObject({ readWay: SCOPE });
    expect(await run(1)).toMatchObject({ readWay: { kind: 'Full', why: 'drift.verifyEvery is over' } });
    expect(await run(1)).toMatchObject({ readWay: SCOPE });
    expect(await run(1, { resync: true })).toMatchObject({ readWay: { kind: 'Full', why: 'a resync was asked for' } });
    const [[first] = []] = FILTERS;
    company.spec = { ...company.spec, scope: { filters: first === undefined ? [] : [[{ ...first, value: 'Sales' }]] } };
    const why = 'source, scope or what is asked for are not those of the last read';
    expect(await run(1)).toMatchObject({ readWay: { kind: 'Full', why } });
  });

  it.each([
    ['nothing says when everybody is read again', { drift: { verifyEvery: '0s' } }],
    ['the scope has no filter', { scope: {} }],
    [
      'a filter asks for what the source cannot be asked for',
      { scope: { filters: [...FILTERS, [{ attribute: 'title', operator: 'StartsWith' as const, value: 'E' }]] } },
    ],
  ])('each time where %s', async (_what, spec) => {
    const { run } = await aScopedCompany({ spec });
    expect(await run()).toMatchObject({ outcome: 'synced', readWay: { kind: 'Full', why: null } });
    expect(await run()).toMatchObject({ readWay: { kind: 'Full', why: null } });
  });

  it('after a read of them that lost too many: the next one is whole (I1)', async () => {
    const { company, run } = await aScopedCompany({ people: 60 });
    const { people } = company;
    company.people = people.slice(40);
    expect(await run()).toMatchObject({ readWay: SCOPE, reason: 'ReadSuspect' });
    expect(company.target.writes).toEqual([]);
    company.people = people;
    expect(await run()).toMatchObject({ readWay: { kind: 'Full', why: 'the last read was suspect' } });
    expect(company.target.writes).toEqual([]);
  });
});

describe('somebody who is asked for by id', () => {
  it('and cannot be read stays as they are, and is a record error (I13)', async () => {
    const { company, run } = await aScopedCompany();
    company.source.matching = (people, wanted) => filter(people, wanted).filter(({ id }) => id !== 'p3');
    company.failed = [{ id: 'p3', code: 'RecordInvalid', message: 'it has no name' }];
    const report = await run();
    expect(report).toMatchObject({ readWay: SCOPE, applied: { deactivate: 0 } });
    expect(await company.errors(report)).toContainEqual(expect.stringContaining('it has no name'));
    company.failed = [];
    expect(await run()).toMatchObject({ readWay: SCOPE, outcome: 'synced' });
    expect(company.target.writes).toEqual([]);
  });

  it('when the source is away ends the run, and nobody is changed (I1)', async () => {
    const { company, run } = await aScopedCompany();
    company.source.matching = (people, wanted) => {
      company.source.failsAfter = { pages: 9, error: new SyncError('CredentialsRejected', 'not any more') };
      return filter(people, wanted).slice(1);
    };
    expect(await run()).toMatchObject({ reason: 'CredentialsRejected' });
    expect(company.target.writes).toEqual([]);
    company.source.failsAfter = null;
    company.source.matching = filter;
    expect(await run()).toMatchObject({ outcome: 'synced', readWay: SCOPE });
  });
});
