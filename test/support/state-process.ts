/**
 * A process that works on a state store until it is killed: `node state-process.ts <module> <location> <work>`. The module
 * exports `open(location)`.
 */
import type { MirrorHead } from '../../src/state/mirror.ts';
import type { DirectoryState, StateStore } from '../../src/state/store.ts';
import { aLink, anOperation, aPlannedRow, aSourceUser, aTeamLink, numbers, toHead } from './state-rows.ts';

const WORKS: Readonly<Record<string, (store: StateStore) => Promise<void>>> = {
  /** Takes the lease, says so, and keeps it. */
  async hold(store) {
    await store.acquire('dirsync run (process 1)', { signal: new AbortController().signal });
    process.stdout.write('held\n');
    setInterval(() => {}, 60_000);
  },

  /** Writes one fact and ends. */
  async write(store) {
    const { facts } = await store.directory({ namespace: 'identity', id: String(process.pid) });
    await facts.put('written', true);
    await store.close();
  },

  /** Settles operations one after another and prints the number of each that is written. */
  async settle(store) {
    const { journal, links } = await store.directory({ namespace: 'identity', id: 'acme' });
    await journal.startRun({ id: 'run-1', kind: 'Full', startedAt: 1 });
    await links.apply([{ type: 'putTeam', team: aTeamLink('Everybody') }]);
    for (let batch = 0; ; batch++) {
      const seqs = numbers(50).map((number) => batch * 50 + number);
      await journal.addOperations(
        'run-1',
        seqs.map((seq) => aPlannedRow(anOperation(seq, { kind: 'create' }))),
      );
      for (const seq of seqs) {
        await journal.begin('run-1', [seq]);
        const link = aLink(`person-${seq}`);
        await journal.settle('run-1', [
          {
            seq,
            status: 'done',
            effects: [
              { type: 'putLink', link },
              { type: 'addMembers', key: 'rule:everybody', targetIds: [link.targetId] },
            ],
          },
        ]);
        process.stdout.write(`${seq}\n`);
      }
    }
  },

  /** Two ids take over from each other for ever; prints a line for each time. */
  async takeOver(store) {
    const open = async (id: string) => ({ id, state: await store.directory({ namespace: 'identity', id }) });
    let [old, young] = [await open('one'), await open('two')];
    const effects = numbers(200).map((n) => ({ type: 'putLink', link: aLink(`person-${n}`) }) as const);
    await old.state.links.apply(effects);
    for (let turn = 1; ; turn += 1) {
      const takeover = {
        from: old.id,
        prefix: null,
        without: [],
        facts: { from: old.id, to: null },
        left: { to: young.id },
      };
      await young.state.takeovers.carryOut(takeover);
      [old, young] = [young, old];
      process.stdout.write(`${turn}\n`);
    }
  },

  /** Everybody is read again and again, each time with another address; prints a line for each time. */
  'replace mirrors': (store) => mirror(store, 6_000, (state, head) => state.mirror.replace(head)),

  /** The same by changes. */
  'update mirrors': (store) => mirror(store, 500, (state, head) => state.mirror.update(head)),
};

async function mirror(
  store: StateStore,
  people: number,
  write: (state: DirectoryState, head: MirrorHead) => Promise<unknown>,
): Promise<void> {
  const state = await store.directory({ namespace: 'identity', id: 'acme' });
  for (let generation = 1; ; generation += 1) {
    await state.staging.clear();
    const attributes = { mail: `${generation}@example.com` };
    const users = numbers(people).map((n) => aSourceUser(`p${n}`, { attributes }));
    if (generation === 1 || people > 500) await state.staging.addUsers(users);
    else await state.mirror.stage(users.map((user) => ({ type: 'user', user })));
    await (generation === 1 ? state.mirror.replace(toHead(generation)) : write(state, toHead(generation)));
    process.stdout.write(`${generation}\n`);
  }
}

const [module = '', location = '', work = ''] = process.argv.slice(2);
const { open }: { open: (location: string) => Promise<StateStore> } = await import(module);
await WORKS[work]?.(await open(location));
