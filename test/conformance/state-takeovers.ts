import { createInterface } from 'node:readline';
import { describe, expect, it } from 'vitest';
import type { DirectoryState, StateStore } from '../../src/state/store.ts';
import { aLink, anAccount, anOperation, aPlannedRow, aTeamLink, collect } from '../support/state-rows.ts';
import type { Child, OpenStates } from './state.ts';

interface Processes {
  place(): Promise<string>;
  start(place: string, work: string): Child;
}

const OLD = { namespace: 'identity', id: 'acme' };
const NEW = { namespace: 'identity', id: 'acme-2' };
const PLAIN = { from: 'acme', prefix: null, without: [], facts: {}, left: {} };
const INHERIT = { ...PLAIN, prefix: 'inherited:acme:' };
const LEFT = { at: 3, cause: 'outOfScope', teams: ['rule:everybody'] } as const;

export function describeTakeovers(states: OpenStates, { place, start }: Processes): void {
  const both = async () => {
    const store = await states.store();
    return { store, old: await store.directory(OLD), young: await store.directory(NEW) };
  };

  describe('D9 a takeover is atomic', () => {
    it('everything of the old id is the new one’s afterwards, beside what that has itself', async () => {
      const { store, old, young } = await both();
      await fill(old);
      await young.journal.startRun({ id: 'run-2', kind: 'Full', startedAt: 9 });
      await young.facts.put('status', { of: 'new' });
      await young.ledger.addSamples(9, [{ scope: '', count: 0 }]);
      await old.facts.put('status', { of: 'old' });
      await young.takeovers.carryOut({
        ...PLAIN,
        without: ['status'],
        facts: { adopted: 'acme' },
        left: { to: 'acme-2' },
      });

      expect(await describeRows(young)).toEqual({
        links: [aLink('ada'), aLink('bob', { active: false, left: LEFT })],
        teams: [aTeamLink('Everybody')],
        members: 1,
        runs: ['run-2', 'run-1'],
        unsettled: [1, 2],
        removals: [{ kind: 'deactivate', scope: '', count: 1 }],
        baseline: 2,
        backoffs: ['ada'],
        status: { of: 'new' },
      });
      expect([await young.facts.get('endpoint'), await young.facts.get('adopted')]).toEqual(['here', 'acme']);
      expect(await describeRows(old)).toEqual(NOTHING);
      expect([await old.facts.get('endpoint'), await old.facts.get('to')]).toEqual([null, 'acme-2']);
      expect(await store.directories()).toEqual([OLD, NEW]);
    });

    it('what was begun under the old id is settled under the new one', async () => {
      const { old, young } = await both();
      await fill(old);
      await young.takeovers.carryOut(PLAIN);
      const link = aLink('person-1');
      await young.journal.settle('run-1', [{ seq: 1, status: 'done', effects: [{ type: 'putLink', link }] }]);
      expect(await young.links.get('person-1')).toEqual(link);
      expect(await old.links.get('person-1')).toBeNull();
    });

    it('with a prefix: source ids of the old id can meet no others, in links and in what was begun', async () => {
      const { old, young } = await both();
      await fill(old);
      await old.links.apply([{ type: 'putLink', link: aLink('inherited:first:cyd') }]);
      await young.takeovers.carryOut(INHERIT);

      const inherited = { origin: 'inherited' } as const;
      expect(await describeRows(young)).toMatchObject({
        links: [
          aLink('inherited:acme:ada', {
            targetId: 'account-ada',
            name: 'ada@example.com',
            applied: aLink('ada').applied,
            ...inherited,
          }),
          {
            ...aLink('bob', { active: false, left: LEFT, ...inherited }),
            sourceId: 'inherited:acme:bob',
          },
          aLink('inherited:first:cyd', inherited),
        ],
        teams: [aTeamLink('Everybody')],
        members: 1,
        backoffs: [],
      });
      const [person, member] = await collect(young.journal.unsettled());
      expect([person?.id, person?.member]).toEqual(['inherited:acme:person-1', null]);
      expect([member?.id, member?.member?.sourceId]).toEqual(['rule:everybody', 'inherited:acme:ada']);
    });

    it('with a prefix: so do keys of teams of groups, wherever they are named', async () => {
      const { old, young } = await both();
      const group = aTeamLink('Sales', { key: 'group:17', externalId: '17', rules: [] });
      await old.links.apply([
        { type: 'putTeam', team: group },
        { type: 'putTeam', team: aTeamLink('Everybody') },
        { type: 'addMembers', key: 'group:17', targetIds: ['account-ada'] },
        {
          type: 'putLink',
          link: aLink('bob', { left: { ...LEFT, teams: ['group:17', 'rule:everybody'] } }),
        },
        { type: 'count', kind: 'removeMembers', scope: 'group:17', unit: 'member:group:17:ada', at: 5 },
      ]);
      await old.ledger.addSamples(5, [{ scope: 'group:17', count: 9 }]);
      await old.journal.startRun({ id: 'run-1', kind: 'Full', startedAt: 5 });
      await old.journal.addOperations('run-1', [aPlannedRow(anOperation(1, { resource: 'Team', id: 'group:17' }))]);
      await old.journal.begin('run-1', [1]);
      await young.takeovers.carryOut(INHERIT);

      const key = 'inherited:acme:group:17';
      expect(await collect(young.links.teams())).toEqual([{ ...group, key }, aTeamLink('Everybody')]);
      expect(await young.links.members(key)).toBe(1);
      expect((await young.links.get('inherited:acme:bob'))?.left?.teams).toEqual([key, 'rule:everybody']);
      expect(await young.ledger.removals(0)).toEqual([{ kind: 'removeMembers', scope: key, count: 1 }]);
      expect(await young.ledger.baseline(key, 9)).toBe(9);
      expect((await collect(young.journal.unsettled())).map(({ id }) => id)).toEqual([key]);
    });

    it('is refused, and changes nothing, where the new id has links or nobody knows the old one', async () => {
      const { old, young } = await both();
      await fill(old);
      expect(await young.takeovers.find('nobody')).toBeNull();
      await expect(young.takeovers.carryOut({ ...PLAIN, from: 'nobody' })).rejects.toMatchObject({ code: 'Conflict' });
      await young.links.apply([{ type: 'putLink', link: aLink('cyd') }]);
      const before = await describeRows(old);
      await expect(young.takeovers.carryOut(PLAIN)).rejects.toMatchObject({ code: 'Conflict' });
      expect(await describeRows(old)).toEqual(before);
      expect(await young.links.counts()).toMatchObject({ people: 1 });
    });

    it('another namespace is not looked at', async () => {
      const { store, old } = await both();
      await fill(old);
      const elsewhere = await store.directory({ namespace: 'elsewhere', id: 'acme-2' });
      expect(await elsewhere.takeovers.find('acme')).toBeNull();
    });

    it('tells what stands under an id', async () => {
      const { old, young } = await both();
      await fill(old);
      expect(await young.takeovers.find('acme')).toEqual({
        links: { people: 2, active: 1, teams: 1, members: 1 },
        facts: { endpoint: 'here' },
      });
      expect(await young.takeovers.find('acme-2')).toBeNull();
    });

    it('a kill at any moment leaves everything under one of the two ids', async () => {
      for (const turns of [1, 2, 7, 20]) {
        const where = await place();
        const child = start(where, 'takeOver');
        for await (const line of createInterface({ input: child.stdout }))
          if (Number(line) === turns) child.kill('SIGKILL');
        const store = await states.store(where);
        const ids = ['one', 'two'];
        const found = await Promise.all(
          ids.map(async (id) => {
            const { links, facts } = await store.directory({ namespace: 'identity', id });
            return { people: (await links.counts()).people, from: await facts.get('from'), to: await facts.get('to') };
          }),
        );
        const owner = found.findIndex(({ people }) => people > 0);
        const heir = ids[owner];
        const other = ids[1 - owner];
        expect(found[owner]).toEqual({ people: 200, from: other, to: null });
        expect(found[1 - owner]).toEqual({ people: 0, from: null, to: heir });
      }
    });
  });

  describe('a copy', () => {
    it('begins with what the directories have, and nothing that is done to it reaches them', async () => {
      const { store, old, young } = await both();
      await fill(old);
      await young.facts.put('known', true);
      const before = await describeRows(old);
      const copy = await store.copy([OLD, NEW, { namespace: 'identity', id: 'nobody' }]);
      const copied = await copy.directory(NEW);
      await copied.takeovers.carryOut(INHERIT);
      await copied.links.apply([{ type: 'rekeyLink', from: 'inherited:acme:ada', to: 'person-7' }]);
      await copied.staging.addObservedUsers([{ object: anAccount('account-bob'), keys: [] }]);
      await copied.staging.setComplete('User');

      const people = await collect(copied.staging.people());
      expect(people.map(({ sourceId, gone }) => [sourceId, gone])).toEqual([
        ['inherited:acme:bob', false],
        ['person-7', true],
      ]);
      expect(await copied.ledger.removals(0)).toEqual([{ kind: 'deactivate', scope: '', count: 1 }]);
      expect((await collect(copied.journal.unsettled())).map(({ id }) => id)).toEqual([
        'inherited:acme:person-1',
        'rule:everybody',
      ]);
      expect(await copied.facts.get('known')).toBe(true);
      await copy.close();
      expect(await describeRows(old)).toEqual(before);
      expect(await describeRows(young)).toEqual(NOTHING);
      expect(await collect(old.staging.people())).toHaveLength(2);
    });

    it('knows no directory that it was not asked for', async () => {
      const { store, old } = await both();
      await fill(old);
      const copy: StateStore = await store.copy([NEW]);
      expect(await copy.directories()).toEqual([]);
      await copy.close();
    });
  });
}

const NOTHING = {
  links: [],
  teams: [],
  members: 0,
  runs: [],
  unsettled: [],
  removals: [],
  baseline: null,
  backoffs: [],
  status: null,
};

async function fill({ links, journal, ledger, facts }: DirectoryState): Promise<void> {
  await facts.put('endpoint', 'here');
  await links.apply([
    { type: 'putLink', link: aLink('ada') },
    { type: 'putLink', link: aLink('bob', { active: false, left: LEFT }) },
    { type: 'putTeam', team: aTeamLink('Everybody') },
    { type: 'addMembers', key: 'rule:everybody', targetIds: ['account-ada'] },
    { type: 'count', kind: 'deactivate', scope: '', unit: 'person:bob:outOfScope', at: 5 },
    {
      type: 'backOff',
      backoff: { sourceId: 'ada', mark: 'm', failures: 1, until: 99, code: 'TargetRejected', message: 'no' },
    },
  ]);
  await ledger.addSamples(5, [{ scope: '', count: 2 }]);
  await journal.startRun({ id: 'run-1', kind: 'Full', startedAt: 5 });
  const member = { sourceId: 'ada', targetId: 'account-ada', name: 'ada@example.com' };
  await journal.addOperations('run-1', [
    aPlannedRow(anOperation(1)),
    aPlannedRow(anOperation(2, { resource: 'Team', kind: 'removeMembers', id: 'rule:everybody', member })),
    aPlannedRow(anOperation(3)),
  ]);
  await journal.begin('run-1', [1, 2]);
}

async function describeRows({ links, journal, ledger, backoffs, facts, staging }: DirectoryState) {
  const people = await collect(staging.people());
  return {
    links: people.map(({ link }) => link),
    teams: await collect(links.teams()),
    members: (await links.counts()).members,
    runs: (await journal.runs(10)).map(({ id }) => id),
    unsettled: (await collect(journal.unsettled())).map(({ seq }) => seq),
    removals: await ledger.removals(0),
    baseline: await ledger.baseline('', 100),
    backoffs: [...(await backoffs.many(['ada', 'inherited:acme:ada'])).keys()],
    status: await facts.get('status'),
  };
}
