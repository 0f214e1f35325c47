/**
 * What every state store must do: the rules D1 to D10 of `src/state/store.ts`. A store's test calls `describeStateStore`
 * with a harness that makes places for it, breaks them, and names a module by which a child process opens it.
 */
import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, it } from 'vitest';
import type { DirectoryState, StateStore } from '../../src/state/store.ts';
import { aLink, anOperation, aPlannedRow, aSourceUser, aTeamLink, collect, numbers } from '../support/state-rows.ts';
import { describeGroups } from './state-groups.ts';
import { describeJournal } from './state-journal.ts';
import { describeLinks } from './state-links.ts';
import { describeMirror } from './state-mirror.ts';
import { describeStaging } from './state-staging.ts';
import { describeTakeovers } from './state-takeovers.ts';

export interface StateHarness {
  /** An empty place for a store. */
  place(): Promise<string>;
  open(place: string): Promise<StateStore>;
  /** URL of a module that exports `open`, for a child process. */
  readonly module: string;
  /** D6: makes a closed store look as if a newer version had written it. */
  makeNewer(place: string): Promise<void>;
  /** D7: damages the rows of a closed store. */
  damage(place: string): Promise<void>;
  /** D7: puts something else in the place of a store. */
  makeForeign(place: string): Promise<void>;
  /** D7: everything that lies at the place, to be compared. */
  snapshot(place: string): Promise<unknown>;
}

/** What the parts of the suite open; all of it is closed after the test. */
export interface OpenStates {
  store(place?: string): Promise<StateStore>;
  /** `identity/acme` of a store of its own. */
  directory(): Promise<DirectoryState>;
}

const ACME = { namespace: 'identity', id: 'acme' };
const NEVER = new AbortController().signal;
const PROCESS = fileURLToPath(new URL('../support/state-process.ts', import.meta.url));

export type Child = ChildProcessByStdio<null, Readable, null>;

export function describeStateStore(name: string, harness: StateHarness): void {
  const opened: StateStore[] = [];
  const children: Child[] = [];
  const states: OpenStates = {
    async store(place) {
      const store = await harness.open(place ?? (await harness.place()));
      opened.push(store);
      return store;
    },
    directory: async () => (await states.store()).directory(ACME),
  };
  const start = (place: string, work: string): Child => {
    const child = spawn(process.execPath, [PROCESS, harness.module, place, work], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    children.push(child);
    return child;
  };

  describe(name, () => {
    afterEach(async () => {
      await Promise.all(children.splice(0).map(kill));
      for (const store of opened.splice(0)) await store.close();
    });

    describe('D1 what was written survives a kill', () => {
      it('every operation that was reported as settled is there, with its link and membership', async () => {
        const place = await harness.place();
        const child = start(place, 'settle');
        let printed = 0;
        for await (const line of createInterface({ input: child.stdout })) {
          printed = Number(line);
          if (printed === 120) child.kill('SIGKILL');
        }
        expect(printed).toBeGreaterThanOrEqual(120);

        const { journal, links } = await (await states.store(place)).directory(ACME);
        const operations = await collect(journal.operations('run-1'));
        const done = operations.filter(({ status }) => status === 'done').map(({ seq }) => seq);
        expect(done.length).toBeGreaterThanOrEqual(printed);
        expect(done).toEqual(numbers(done.length));
        expect(await links.counts()).toEqual({
          people: done.length,
          active: done.length,
          teams: 1,
          members: done.length,
        });
        expect((await collect(journal.unsettled())).length).toBeLessThanOrEqual(1);
      });

      it('a closed store is the same when it is opened again', async () => {
        const place = await harness.place();
        const store = await states.store(place);
        const before = await store.directory(ACME);
        await before.facts.put('source', { tenant: 'acme' });
        await before.links.apply([{ type: 'putLink', link: aLink('ada') }]);
        await store.close();

        const after = await (await states.store(place)).directory(ACME);
        expect(await after.facts.get('source')).toEqual({ tenant: 'acme' });
        expect(await after.links.get('ada')).toEqual(aLink('ada'));
      });
    });

    describe('D2 a result and its effects are one', () => {
      it('an effect that cannot be written takes the results of the whole call back', async () => {
        const { journal, links } = await states.directory();
        await links.apply([{ type: 'putLink', link: aLink('ada') }]);
        await journal.startRun({ id: 'run-1', kind: 'Full', startedAt: 1 });
        await journal.addOperations('run-1', [aPlannedRow(anOperation(1)), aPlannedRow(anOperation(2))]);
        await journal.begin('run-1', [1, 2]);
        const stolen = aLink('bob', { targetId: 'account-ada' });

        await expect(
          journal.settle('run-1', [
            { seq: 1, status: 'done', effects: [{ type: 'putLink', link: aLink('cyd') }] },
            { seq: 2, status: 'done', effects: [{ type: 'putLink', link: stolen }] },
          ]),
        ).rejects.toMatchObject({ code: 'Conflict', scope: 'run' });

        expect(await links.get('cyd')).toBeNull();
        expect((await collect(journal.operations('run-1'))).map(({ status }) => status)).toEqual(['begun', 'begun']);
      });

      it('an operation that is not in the journal takes the effects before it back', async () => {
        const { journal, links } = await states.directory();
        await journal.startRun({ id: 'run-1', kind: 'Full', startedAt: 1 });
        await journal.addOperations('run-1', [aPlannedRow(anOperation(1))]);

        await expect(
          journal.settle('run-1', [
            { seq: 1, status: 'done', effects: [{ type: 'putLink', link: aLink('ada') }] },
            { seq: 7, status: 'done', effects: [] },
          ]),
        ).rejects.toThrow('operation 7 of run run-1 is not in the journal');
        expect(await links.get('ada')).toBeNull();
      });
    });

    describe('D3 two directories never see each other', () => {
      it('of the same ids, each has its own rows', async () => {
        const store = await states.store();
        const keys = [ACME, { namespace: 'identity', id: 'other' }, { namespace: 'elsewhere', id: 'acme' }];
        expect(await store.directories()).toEqual([]);
        for (const [index, key] of keys.entries()) await fill(await store.directory(key), index + 1);

        expect(await store.directories()).toEqual([keys[2], keys[0], keys[1]]);
        for (const [index, key] of keys.entries()) {
          expect(await describeRows(await store.directory(key)), key.id).toEqual(rowsOf(index + 1));
        }
      });

      it('clearing one, dropping its teams or purging its journal leaves the others', async () => {
        const store = await states.store();
        const [acme, other] = [
          await store.directory(ACME),
          await store.directory({ namespace: 'identity', id: 'other' }),
        ];
        await fill(acme, 1);
        await fill(other, 2);

        await acme.staging.clear();
        await acme.links.apply([
          { type: 'dropTeam', key: 'rule:everybody' },
          { type: 'dropMember', targetId: 'account-ada' },
          { type: 'dropLink', sourceId: 'ada' },
        ]);
        await acme.journal.purge(100);
        await acme.ledger.purge(100);
        await acme.facts.put('source', null);

        expect(await describeRows(other)).toEqual(rowsOf(2));
        expect(await collect(acme.staging.users())).toEqual([]);
        expect(await acme.links.counts()).toEqual({ people: 0, active: 0, teams: 0, members: 0 });
      });

      it('clearing a large one leaves what another one stages meanwhile', async () => {
        const store = await states.store();
        const acme = await store.directory(ACME);
        for (const n of numbers(150)) await acme.staging.addUsers([aSourceUser(`p${n}`)]);
        const other = await store.directory({ namespace: 'identity', id: 'other' });

        const clearing = acme.staging.clear();
        await other.staging.addNames([
          { path: 'userName', key: 'ada', role: 'has', sourceId: 'ada', seq: 0 },
          { path: 'userName', key: 'ada', role: 'wants', sourceId: 'bob', seq: 1 },
        ]);
        await clearing;

        expect(await collect(other.staging.contentions())).toHaveLength(1);
        expect(await collect(acme.staging.users())).toEqual([]);
      });

      it('a directory that was only looked at is not listed', async () => {
        const store = await states.store();
        const { facts, links, journal, ledger, staging } = await store.directory(ACME);
        expect(await facts.get('source')).toBeNull();
        expect(await links.counts()).toEqual({ people: 0, active: 0, teams: 0, members: 0 });
        expect(await journal.runs(10)).toEqual([]);
        expect(await ledger.baseline('', 5)).toBeNull();
        expect(await collect(staging.people())).toEqual([]);
        expect(await store.directories()).toEqual([]);
      });
    });

    describe('D4 one holder has the lease', () => {
      it('another process holds it: the waiter learns for whom, and gets it when that one is killed', async () => {
        const place = await harness.place();
        const child = start(place, 'hold');
        await once(createInterface({ input: child.stdout }), 'line');

        const store = await states.store(place);
        const holders: string[] = [];
        const waiting = Promise.withResolvers<void>();
        const lease = store.acquire('dirsync apply (process 2)', {
          signal: NEVER,
          onWait: (holder) => {
            holders.push(holder);
            waiting.resolve();
          },
        });
        await waiting.promise;
        child.kill('SIGKILL');
        await (await lease).release();
        expect(holders).toEqual(['dirsync run (process 1)']);
      });

      it('a waiter whose run is ended gives up', async () => {
        const place = await harness.place();
        const child = start(place, 'hold');
        await once(createInterface({ input: child.stdout }), 'line');

        const store = await states.store(place);
        const ending = new AbortController();
        const lease = store.acquire('dirsync apply', { signal: ending.signal, onWait: () => ending.abort() });
        await expect(lease).rejects.toMatchObject({ code: 'Aborted' });
        await expect(store.acquire('dirsync apply', { signal: AbortSignal.abort() })).rejects.toMatchObject({
          code: 'Aborted',
        });
      });

      it('within a process it is shared, and free for others when the last one gives it back', async () => {
        const place = await harness.place();
        const [first, second] = [await states.store(place), await states.store(place)];
        const leases = [
          await first.acquire('one', { signal: NEVER }),
          await first.acquire('two', { signal: NEVER }),
          await second.acquire('three', { signal: NEVER }),
        ];
        const child = start(place, 'hold');
        let heldByChild = false;
        const line = once(createInterface({ input: child.stdout }), 'line').then(() => {
          heldByChild = true;
        });
        for (const lease of leases) {
          expect(heldByChild).toBe(false);
          await lease.release();
          await lease.release();
        }
        await line;
      });

      it('closing a store gives back what it still held', async () => {
        const place = await harness.place();
        const store = await states.store(place);
        await store.acquire('forgotten', { signal: NEVER });
        await store.close();
        const child = start(place, 'hold');
        await once(createInterface({ input: child.stdout }), 'line');
      });
    });

    describe('D6 versions', () => {
      it('a store of a newer version is refused and left as it is', async () => {
        const place = await harness.place();
        await (await harness.open(place)).close();
        await harness.makeNewer(place);
        const before = await harness.snapshot(place);
        await expect(harness.open(place)).rejects.toMatchObject({
          code: 'StateUnavailable',
          message: expect.stringMatching(/was written by a newer Dirsync \(schema \d+, this one knows \d+\); /),
        });
        expect(await harness.snapshot(place)).toEqual(before);
      });
    });

    describe('D7 what is no store, or a broken one', () => {
      it('something else is refused and left as it is', async () => {
        const place = await harness.place();
        await harness.makeForeign(place);
        const before = await harness.snapshot(place);
        await expect(harness.open(place)).rejects.toMatchObject({
          code: 'StateUnavailable',
          message: expect.stringContaining('is not a Dirsync state file'),
        });
        expect(await harness.snapshot(place)).toEqual(before);
      });

      it('a damaged one says so and is left as it is', async () => {
        const place = await harness.place();
        const store = await harness.open(place);
        const { links } = await store.directory(ACME);
        for (const batch of numbers(10)) {
          await links.apply(numbers(100).map((n) => ({ type: 'putLink', link: aLink(`person-${batch}-${n}`) })));
        }
        await store.close();
        await harness.damage(place);
        const before = await harness.snapshot(place);

        await expect(readEverything(harness, place)).rejects.toMatchObject({
          code: 'StateUnavailable',
          message: expect.stringContaining('is damaged'),
        });
        expect(await harness.snapshot(place)).toEqual(before);
      });

      it('a closed store answers with an error of its own', async () => {
        const store = await states.store();
        const { links } = await store.directory(ACME);
        await store.close();
        await store.close();
        await expect(links.get('ada')).rejects.toMatchObject({ code: 'StateUnavailable' });
        await expect(links.apply([])).rejects.toMatchObject({ code: 'StateUnavailable' });
      });
    });

    describeLinks(states);
    describeJournal(states);
    describeGroups(states);
    describeStaging(states);
    describeMirror(states, { place: () => harness.place(), start });
    describeTakeovers(states, { place: () => harness.place(), start });
  });
}

async function readEverything(harness: StateHarness, place: string): Promise<void> {
  const store = await harness.open(place);
  try {
    const { links, staging } = await store.directory(ACME);
    await links.counts();
    await collect(staging.people());
  } finally {
    await store.close();
  }
}

/** The same ids in every directory; what is said of them differs by `size`. */
async function fill({ facts, links, staging, journal, ledger }: DirectoryState, size: number): Promise<void> {
  await facts.put('source', size);
  await links.apply([
    { type: 'putLink', link: aLink('ada', { name: `ada ${size}` }) },
    { type: 'putTeam', team: aTeamLink('Everybody') },
    { type: 'setMembers', key: 'rule:everybody', targetIds: ['account-ada', ...numbers(size).map(String)] },
    { type: 'count', kind: 'deactivate', scope: '', unit: `ada ${size}`, at: size },
  ]);
  await staging.addUsers(numbers(size).map(() => aSourceUser('ada')));
  await journal.startRun({ id: 'run-1', kind: 'Full', startedAt: size });
  await journal.addOperations(
    'run-1',
    numbers(size).map((seq) => aPlannedRow(anOperation(seq))),
  );
  await ledger.addSamples(1, [{ scope: '', count: size }]);
}

async function describeRows({ facts, links, staging, journal, ledger }: DirectoryState): Promise<unknown> {
  return {
    fact: await facts.get('source'),
    name: (await links.byTarget('account-ada'))?.name,
    counts: await links.counts(),
    staged: (await collect(staging.users())).map(({ duplicate }) => duplicate),
    people: (await collect(staging.people())).map(({ sourceId }) => sourceId),
    runs: (await journal.runs(10)).map(({ startedAt }) => startedAt),
    operations: (await collect(journal.operations('run-1'))).length,
    removals: await ledger.removals(0),
    baseline: await ledger.baseline('', 1),
  };
}

function rowsOf(size: number): unknown {
  return {
    fact: size,
    name: `ada ${size}`,
    counts: { people: 1, active: 1, teams: 1, members: size + 1 },
    staged: numbers(size).map(() => size > 1),
    people: ['ada'],
    runs: [size],
    operations: size,
    removals: [{ kind: 'deactivate', scope: '', count: 1 }],
    baseline: size,
  };
}

async function kill(child: Child): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, 'exit');
  child.kill('SIGKILL');
  await ended;
}
