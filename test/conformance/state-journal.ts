import { describe, expect, it } from 'vitest';
import type { GuardKind, Operation } from '../../src/model.ts';
import type { DirectoryState, Finding, Journal, OperationResult } from '../../src/state/store.ts';
import { aLink, anOperation, aPlannedRow, collect, numbers } from '../support/state-rows.ts';
import type { OpenStates } from './state.ts';

export function describeJournal(states: OpenStates): void {
  describe('facts', () => {
    it('are kept by name, replaced, and removed by null', async () => {
      const { facts } = await states.directory();
      await facts.put('source', { tenant: 'acme', domains: ['corp.example'] });
      await facts.put('held', [1]);
      await facts.put('source', { tenant: 'acme 2' });
      await facts.put('held', null);
      expect(await facts.get('source')).toEqual({ tenant: 'acme 2' });
      expect(await facts.get('held')).toBeNull();
    });
  });

  describe('journal', () => {
    it('shows runs newest first, with how they ended', async () => {
      const { journal } = await states.directory();
      for (const n of numbers(3)) await journal.startRun({ id: `run-${n}`, kind: 'Full', startedAt: n * 10 });
      await journal.finishRun('run-2', { finishedAt: 25, outcome: 'held', reason: 'Held', summary: { create: 4 } });
      expect(await journal.runs(2)).toEqual([
        { id: 'run-3', kind: 'Full', startedAt: 30, finishedAt: null, outcome: null, reason: null, summary: {} },
        {
          id: 'run-2',
          kind: 'Full',
          startedAt: 20,
          finishedAt: 25,
          outcome: 'held',
          reason: 'Held',
          summary: { create: 4 },
        },
      ]);
    });

    it('takes units back that were not begun, and gives operations by number or unit', async () => {
      const { journal } = await states.directory();
      const planned = numbers(4).map((seq) => anOperation(seq, { unit: seq < 4 ? 'swap' : 'other' }));
      await start(journal, planned);
      await journal.begin('run-1', [2]);
      await journal.withdraw('run-1', ['swap', 'unknown']);
      expect((await collect(journal.operations('run-1'))).map(({ seq }) => seq)).toEqual([2, 4]);
      const numbered = await collect(journal.operations('run-1', { seqs: [1, 2, 4], status: 'planned' }));
      expect(numbered.map(({ seq }) => seq)).toEqual([4]);
      const ofUnit = await collect(journal.operations('run-1', { unit: 'swap', status: 'begun' }));
      expect(ofUnit.map(({ seq }) => seq)).toEqual([2]);
    });

    it('D5 D8 gives operations back as they were planned, in pages, while they are settled', async () => {
      const { journal } = await states.directory();
      const planned = numbers(1_201).map((seq) =>
        anOperation(seq, {
          phase: seq % 2 === 0 ? 'members' : 'people',
          targetId: seq % 3 === 0 ? null : `account-${seq}`,
        }),
      );
      await start(journal, planned);
      const people = planned.filter(({ phase }) => phase === 'people');

      const seen: Operation[] = [];
      for await (const page of journal.operations('run-1', { phase: 'people', status: 'planned' })) {
        expect(page.length).toBeLessThanOrEqual(500);
        seen.push(...page);
        const seqs = page.map(({ seq }) => seq);
        await journal.begin('run-1', seqs);
        await journal.settle('run-1', seqs.map(done));
      }
      expect(seen).toEqual(
        people.map((operation) => ({
          ...operation,
          runId: 'run-1',
          status: 'planned',
          approved: false,
          error: null,
          code: null,
        })),
      );
      expect(await collect(journal.operations('run-1', { phase: 'people', status: 'planned' }))).toEqual([]);
      expect(await collect(journal.operations('run-1', { status: 'planned' }))).toHaveLength(600);
      expect(await collect(journal.operations('run-1', { phase: 'people' }))).toHaveLength(601);
      expect((await collect(journal.operations('run-1'))).map(({ seq }) => seq)).toEqual(numbers(1_201));
      expect(await collect(journal.operations('run-9'))).toEqual([]);
    });

    it('counts operations by kind, resource and status, and keeps why one failed', async () => {
      const { journal } = await states.directory();
      await start(journal, [
        anOperation(1),
        anOperation(2),
        anOperation(3, { kind: 'create' }),
        anOperation(4, { kind: 'create', resource: 'Team' }),
      ]);
      await journal.settle('run-1', [
        done(1),
        { seq: 2, status: 'failed', error: { code: 'TargetRejected', message: 'refused' }, effects: [] },
        { seq: 3, status: 'dropped', effects: [] },
      ]);
      expect(await journal.counts('run-1')).toEqual([
        { kind: 'create', resource: 'Team', status: 'planned', count: 1 },
        { kind: 'create', resource: 'User', status: 'dropped', count: 1 },
        { kind: 'update', resource: 'User', status: 'done', count: 1 },
        { kind: 'update', resource: 'User', status: 'failed', count: 1 },
      ]);
      expect((await collect(journal.operations('run-1', { status: 'failed' })))[0]).toMatchObject({
        error: 'refused',
        code: 'TargetRejected',
      });
    });

    it('units are those that a guard counts or that remove something, with all their lines, sorted', async () => {
      const { journal } = await states.directory();
      await journal.startRun({ id: 'run-1', kind: 'Full', startedAt: 1 });
      const leaving = { unit: 'ada/outOfScope', cause: 'outOfScope' } as const;
      const one = (kind: GuardKind, scope = '') => ({ guards: [{ kind, scope }] });
      const ofSales = one('removeMembers', 'rule:sales');
      const two = { guards: [...one('update', 'title').guards, ...one('update', 'nickName').guards] };
      const moved = { ...ofSales, unit: 'bob/sales', kind: 'removeMembers', removal: true } as const;
      await journal.addOperations('run-1', [
        aPlannedRow(anOperation(1, { ...leaving, kind: 'removeMembers', removal: true }), { line: 'z' }),
        aPlannedRow(anOperation(2, { ...leaving, kind: 'deactivate', ...one('deactivate'), removal: true }), {
          line: 'b',
        }),
        aPlannedRow(anOperation(3, { ...leaving, kind: 'update' }), { line: 'a', recovered: true }),
        aPlannedRow(anOperation(4, moved), { line: 'c', recovered: true }),
        aPlannedRow(anOperation(5, { unit: 'cyd/match', kind: 'adopt', ...one('adopt') }), {
          line: 'd',
          recovered: true,
        }),
        aPlannedRow(anOperation(6, { unit: 'dee/mapping' }), { line: 'e', recovered: true }),
        aPlannedRow(anOperation(7, { unit: 'eve/mapping', removal: true }), { line: 'f' }),
        aPlannedRow(anOperation(8, { unit: 'fay/mapping', ...two }), { line: 'g' }),
        aPlannedRow(anOperation(9, { unit: 'fay/mapping', ...one('update', 'title') }), { line: 'h' }),
      ]);
      const unit = { guards: [], removal: true, recovered: false };
      expect(await journal.units('run-1')).toEqual([
        { ...unit, unit: 'ada/outOfScope', ...one('deactivate'), lines: ['a', 'b', 'z'] },
        { ...unit, unit: 'bob/sales', ...ofSales, recovered: true, lines: ['c'] },
        { ...unit, unit: 'cyd/match', ...one('adopt'), removal: false, lines: ['d'] },
        { ...unit, unit: 'eve/mapping', lines: ['f'] },
        { ...unit, unit: 'fay/mapping', ...two, removal: false, lines: ['g', 'h'] },
      ]);
    });

    it('holds all operations of a unit, and none that was begun', async () => {
      const { journal } = await states.directory();
      await start(journal, [
        anOperation(1, { unit: 'ada' }),
        anOperation(2, { unit: 'ada' }),
        anOperation(3, { unit: 'bob' }),
        anOperation(4, { unit: 'cyd' }),
      ]);
      await journal.begin('run-1', [4]);
      await journal.hold(
        'run-1',
        new Map([
          ['ada', 'deactivate'],
          ['cyd', 'suspect'],
        ]),
      );
      const operations = await collect(journal.operations('run-1'));
      expect(operations.map(({ status, held }) => [status, held])).toEqual([
        ['held', 'deactivate'],
        ['held', 'deactivate'],
        ['planned', null],
        ['begun', null],
      ]);
    });

    it('releases all operations of a unit, whatever becomes of them, and says so of each', async () => {
      const { journal } = await states.directory();
      await start(journal, [
        anOperation(1, { unit: 'ada' }),
        anOperation(2, { unit: 'ada' }),
        anOperation(3, { unit: 'bob' }),
      ]);
      await journal.release('run-1', ['ada', 'nobody']);
      await journal.begin('run-1', [1]);
      const approved = (await collect(journal.operations('run-1'))).map((operation) => operation.approved);
      expect(approved).toEqual([true, true, false]);
      expect((await collect(journal.unsettled())).map((operation) => operation.approved)).toEqual([true]);
    });

    it('names what was begun and not settled, of any run, oldest first', async () => {
      const { journal } = await states.directory();
      for (const run of ['run-b', 'run-a']) {
        await journal.startRun({ id: run, kind: 'Full', startedAt: 1 });
        await journal.addOperations(
          run,
          numbers(700).map((seq) => aPlannedRow(anOperation(seq))),
        );
        await journal.begin(run, numbers(600));
      }
      await journal.settle('run-b', [done(1)]);
      await journal.settle('run-a', [{ seq: 2, status: 'failed', effects: [] }]);
      const open = (await collect(journal.unsettled())).map(({ runId, seq }) => `${runId} ${seq}`);
      expect(open).toEqual([
        ...numbers(599).map((n) => `run-b ${n + 1}`),
        ...numbers(600)
          .filter((n) => n !== 2)
          .map((n) => `run-a ${n}`),
      ]);
    });

    it('a run that is not there is an error and not silence', async () => {
      const { journal } = await states.directory();
      const missing = 'run run-9 is not in the journal';
      await expect(journal.begin('run-9', [1])).rejects.toThrow(missing);
      await expect(journal.addErrors('run-9', [])).rejects.toThrow(missing);
      await expect(journal.hold('run-9', new Map())).rejects.toThrow(missing);
      await expect(journal.release('run-9', [])).rejects.toThrow(missing);
      await expect(journal.addOperations('run-9', [])).rejects.toThrow(missing);
      await journal.startRun({ id: 'run-1', kind: 'Full', startedAt: 1 });
      await expect(journal.begin('run-1', [1])).rejects.toThrow('operation 1 of run run-1 is not in the journal');
    });

    it('keeps the errors of records in order and counts conflicts', async () => {
      const { journal } = await states.directory();
      await journal.startRun({ id: 'run-1', kind: 'Full', startedAt: 1 });
      const errors = numbers(501).map((n) => ({
        resource: 'User' as const,
        id: `person-${n}`,
        code: n === 1 ? ('Conflict' as const) : ('RecordInvalid' as const),
        message: `number ${n}`,
      }));
      await journal.addErrors('run-1', errors);
      expect(await collect(journal.errors('run-1'))).toEqual(errors);
      expect(await journal.countErrors('run-1')).toEqual({ total: 501, conflicts: 1 });
      expect(await journal.countErrors('run-9')).toEqual({ total: 0, conflicts: 0 });
    });

    it('keeps the findings of a run in order, and they go with it', async () => {
      const { journal } = await states.directory();
      await journal.startRun({ id: 'run-1', kind: 'Verify', startedAt: 1 });
      const finding = (id: number): Finding => ({
        kind: 'attribute',
        resource: 'User',
        id: `p${id}`,
        targetId: `u${id}`,
        name: `p${id}@example.com`,
        attribute: { path: 'title', applied: 'Engineer', found: ['x', { y: 1 }] },
        member: null,
      });
      const all = numbers(600).map(finding);
      await journal.addFindings('run-1', all.slice(0, 300));
      await journal.addFindings('run-1', all.slice(300));
      expect(await collect(journal.findings('run-1'))).toEqual(all);
      await expect(journal.addFindings('run-2', all)).rejects.toMatchObject({ code: 'Unknown' });
      await journal.purge(2);
      expect(await collect(journal.findings('run-1'))).toEqual([]);
    });

    it('purges old runs with all that hangs on them, but none that still has to be settled', async () => {
      const { journal } = await states.directory();
      for (const n of numbers(4)) {
        await journal.startRun({ id: `run-${n}`, kind: 'Full', startedAt: n });
        await journal.addOperations(
          `run-${n}`,
          numbers(20).map((seq) => aPlannedRow(anOperation(seq))),
        );
        await journal.addErrors(`run-${n}`, [{ resource: 'User', id: 'ada', code: 'Conflict', message: 'two' }]);
      }
      await journal.begin('run-2', [5]);
      await journal.purge(4);

      expect((await journal.runs(10)).map(({ id }) => id)).toEqual(['run-4', 'run-2']);
      expect(await collect(journal.operations('run-1'))).toEqual([]);
      expect(await journal.countErrors('run-1')).toEqual({ total: 0, conflicts: 0 });
      expect(await collect(journal.operations('run-2'))).toHaveLength(20);
      await journal.settle('run-2', [done(5)]);
      await journal.purge(4);
      expect((await journal.runs(10)).map(({ id }) => id)).toEqual(['run-4']);
    });
  });

  describe('ledger', () => {
    it('counts removals of the window, each once', async () => {
      const { links, ledger } = await states.directory();
      const removal = { type: 'count', kind: 'removeMembers', scope: 'rule:sales', unit: 'ada/rule' } as const;
      await links.apply([
        { ...removal, at: 10 },
        { ...removal, at: 10 },
        { ...removal, at: 20 },
        { ...removal, at: 20, unit: 'bob/rule' },
        { ...removal, at: 20, kind: 'deactivate', scope: '' },
        { ...removal, at: 5 },
      ]);
      expect(await ledger.removals(10)).toEqual([
        { kind: 'deactivate', scope: '', count: 1 },
        { kind: 'removeMembers', scope: 'rule:sales', count: 3 },
      ]);
      await ledger.purge(20);
      expect(await ledger.removals(0)).toEqual([
        { kind: 'deactivate', scope: '', count: 1 },
        { kind: 'removeMembers', scope: 'rule:sales', count: 2 },
      ]);
    });

    it('names the units of a kind, each once whatever its scope and time', async () => {
      const { links, ledger } = await states.directory();
      const lost = { type: 'count', kind: 'deleteTeams', scope: '' } as const;
      await links.apply([
        { ...lost, unit: 'team/sales', at: 10 },
        { ...lost, unit: 'team/sales', at: 20 },
        { ...lost, unit: 'team/chess', at: 20, scope: 'other' },
        { ...lost, unit: 'team/old', at: 9 },
        { ...lost, kind: 'delete', unit: 'ada', at: 20 },
      ]);
      expect(await ledger.units('deleteTeams', 10)).toEqual(['team/chess', 'team/sales']);
      expect(await ledger.units('adopt', 0)).toEqual([]);
    });

    it.each([
      { because: 'the newest at or before the time counts', since: 25, expected: 12 },
      { because: 'the time itself is included', since: 30, expected: 9 },
      { because: 'a sample that repeats the one before stands for its time as well', since: 45, expected: 9 },
      { because: 'where the record does not go back that far, the largest after it', since: 5, expected: 15 },
    ])('baseline: $because', async ({ since, expected }) => {
      const { ledger } = await states.directory();
      await fillSamples(ledger);
      expect(await ledger.baseline('', since)).toBe(expected);
      expect(await ledger.baseline('rule:none', since)).toBeNull();
    });

    it('a purge changes no baseline of a later window', async () => {
      const { ledger } = await states.directory();
      await fillSamples(ledger);
      await ledger.purge(25);
      expect([
        await ledger.baseline('', 25),
        await ledger.baseline('', 30),
        await ledger.baseline('rule:sales', 25),
      ]).toEqual([12, 9, 3]);
      expect(await ledger.baseline('', 5)).toBe(15);
      await ledger.purge(100);
      expect(await ledger.baseline('', 5)).toBe(15);
    });
  });
}

async function fillSamples(ledger: DirectoryState['ledger']): Promise<void> {
  const counts: [number, number][] = [
    [10, 10],
    [20, 12],
    [30, 9],
    [40, 9],
    [50, 15],
  ];
  for (const [at, count] of counts) {
    await ledger.addSamples(at, [
      { scope: '', count },
      { scope: 'rule:sales', count: 3 },
    ]);
  }
}

async function start(journal: Journal, operations: readonly Operation[]): Promise<void> {
  await journal.startRun({ id: 'run-1', kind: 'Full', startedAt: 1 });
  await journal.addOperations(
    'run-1',
    operations.map((operation) => aPlannedRow(operation)),
  );
}

function done(seq: number): OperationResult {
  return { seq, status: 'done', effects: [{ type: 'putLink', link: aLink(`person-${seq}`) }] };
}
