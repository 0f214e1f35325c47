import { SyncError } from '../../errors.ts';
import type { GuardSubject, Operation, RecordError } from '../../model.ts';
import type { Finding, Journal, OperationStatus, RunRecord, StoredOperation, Unit } from '../store.ts';
import { PAGE, readPages } from './connection.ts';
import type { Directory } from './directory.ts';
import { applyEffects } from './effects.ts';
import { readPurgeable, writePurge } from './purge.ts';
import { parseJson } from './rows.ts';

interface RunRow extends Omit<RunRecord, 'id' | 'summary' | 'startedAt' | 'finishedAt'> {
  name: string;
  started_at: number;
  finished_at: number | null;
  summary: string;
}

interface OperationRow extends Pick<StoredOperation, 'seq' | 'status' | 'held' | 'code' | 'error'> {
  run: number;
  name: string;
  guards: string;
  approved: number;
  body: string;
}

interface UnitRow extends Pick<Unit, 'unit'> {
  /** A list of lists as text. */
  guards: string;
  removal: number;
  recovered: number;
  lines: string;
}

const OPERATION_COLUMNS = 'o.run, r.name, o.seq, o.status, o.held, o.approved, o.guards, o.code, o.error, x.body';

export function toJournal(of: Directory): Journal {
  const { db } = of;
  return {
    async startRun(run) {
      await of.write((directory) =>
        db.run(
          'INSERT INTO runs (directory, name, kind, started_at) VALUES (?1, ?2, ?3, ?4)',
          ...[directory, run.id, run.kind, run.startedAt],
        ),
      );
    },
    async finishRun(id, end) {
      await of.write((directory) =>
        db.run(
          'UPDATE runs SET finished_at = ?2, outcome = ?3, reason = ?4, summary = ?5 WHERE id = ?1',
          ...[runNumber(of, directory, id), end.finishedAt, end.outcome, end.reason, JSON.stringify(end.summary)],
        ),
      );
    },
    async runs(limit) {
      const rows = db.all<RunRow>(
        `SELECT name, kind, started_at, finished_at, outcome, reason, summary FROM runs
         WHERE directory = ?1 ORDER BY started_at DESC, id DESC LIMIT ?2`,
        of.number(),
        limit,
      );
      return rows.map((row) => toRunRecord(of, row));
    },
    async addOperations(runId, rows) {
      await of.write((directory) => {
        const run = runNumber(of, directory, runId);
        for (const row of rows) insertOperation(of, run, row);
      });
    },
    async units(runId) {
      const rows = db.all<UnitRow>(
        `SELECT o.unit, json_group_array(DISTINCT o.guards) AS guards, max(o.removal) AS removal,
           max(o.recovered AND o.removal) AS recovered, json_group_array(x.line ORDER BY x.line) AS lines
         FROM runs r JOIN operations o ON o.run = r.id JOIN operation_texts x ON x.run = o.run AND x.seq = o.seq
         WHERE r.directory = ?1 AND r.name = ?2 AND o.unit IN
           (SELECT unit FROM operations g WHERE g.run = r.id AND (g.guards <> '[]' OR g.removal = 1))
         GROUP BY o.unit ORDER BY o.unit`,
        of.number(),
        runId,
      );
      return rows.map((row) => toUnit(of, row));
    },
    async hold(runId, units) {
      await of.write((directory) => {
        const run = runNumber(of, directory, runId);
        for (const [unit, heldBy] of units) {
          db.run(
            `UPDATE operations SET status = 'held', held = ?3 WHERE run = ?1 AND unit = ?2 AND status IN ('planned', 'held')`,
            ...[run, unit, heldBy],
          );
        }
      });
    },
    async release(runId, units) {
      await of.write((directory) => {
        const run = runNumber(of, directory, runId);
        for (const unit of units)
          db.run('UPDATE operations SET approved = 1 WHERE run = ?1 AND unit = ?2', ...[run, unit]);
      });
    },
    operations: (runId, filter = {}) => readOperations(of, runId, filter),
    async withdraw(runId, units) {
      await of.write((directory) => {
        const run = runNumber(of, directory, runId);
        for (const unit of units) withdrawUnit(of, run, unit);
      });
    },
    async counts(runId) {
      const rows = db.all<{
        kind: Operation['kind'];
        resource: Operation['resource'];
        status: OperationStatus;
        count: number;
      }>(
        `SELECT o.kind, o.resource, o.status, count(*) AS count FROM runs r JOIN operations o ON o.run = r.id
         WHERE r.directory = ?1 AND r.name = ?2
         GROUP BY o.kind, o.resource, o.status ORDER BY o.kind, o.resource, o.status`,
        of.number(),
        runId,
      );
      return rows.map((row) => ({ ...row }));
    },
    async begin(runId, seqs) {
      await of.write((directory) => {
        const run = runNumber(of, directory, runId);
        for (const seq of seqs) {
          mustHit(
            db.run(`UPDATE operations SET status = 'begun' WHERE run = ?1 AND seq = ?2`, run, seq),
            `operation ${seq} of run ${runId}`,
          );
        }
      });
    },
    async settle(runId, results) {
      await of.write((directory) => {
        const run = runNumber(of, directory, runId);
        for (const { seq, status, error, effects } of results) {
          mustHit(
            db.run(
              'UPDATE operations SET status = ?3, code = ?4, error = ?5 WHERE run = ?1 AND seq = ?2',
              ...[run, seq, status, error?.code ?? null, error?.message ?? null],
            ),
            `operation ${seq} of run ${runId}`,
          );
          applyEffects(db, directory, effects);
        }
      });
    },
    unsettled: () => readUnsettled(of),
    async addErrors(runId, errors) {
      await of.write((directory) => {
        const run = runNumber(of, directory, runId);
        for (const error of errors) {
          db.run(
            'INSERT INTO record_errors (run, resource, record, code, message) VALUES (?1, ?2, ?3, ?4, ?5)',
            ...[run, error.resource, error.id, error.code, error.message],
          );
        }
      });
    },
    errors: (runId) => readErrors(of, runId),
    async countErrors(runId) {
      const row = db.get<{ total: number; conflicts: number }>(
        `SELECT count(*) AS total, count(*) FILTER (WHERE e.code = 'Conflict') AS conflicts
         FROM runs r JOIN record_errors e ON e.run = r.id WHERE r.directory = ?1 AND r.name = ?2`,
        of.number(),
        runId,
      );
      return { total: 0, conflicts: 0, ...row };
    },
    async addFindings(runId, findings) {
      await of.write((directory) => {
        const run = runNumber(of, directory, runId);
        for (const finding of findings)
          db.run('INSERT INTO findings (run, body) VALUES (?1, ?2)', run, JSON.stringify(finding));
      });
    },
    findings: (runId) => readFindings(of, runId),
    async purge(before) {
      for (const run of readPurgeable(of, before)) await writePurge(of, run);
    },
  };
}

function insertOperation(
  of: Directory,
  run: number,
  row: { operation: Operation; recovered: boolean; line: string },
): void {
  const { seq, held, guards, ...body } = row.operation;
  of.db.run(
    `INSERT INTO operations
       (run, seq, phase, kind, resource, unit, guards, removal, recovered, status, held)
     VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)`,
    ...[run, seq, body.phase, body.kind, body.resource, body.unit, JSON.stringify(guards), body.removal ? 1 : 0],
    ...[row.recovered ? 1 : 0, held === null ? 'planned' : 'held', held],
  );
  of.db.run(
    'INSERT INTO operation_texts (run, seq, line, body) VALUES (?1, ?2, ?3, ?4)',
    ...[run, seq, row.line, JSON.stringify(body)],
  );
}

function withdrawUnit({ db }: Directory, run: number, unit: string): void {
  const rows = db.all<{ seq: number }>(
    `DELETE FROM operations WHERE run = ?1 AND unit = ?2 AND status IN ('planned', 'held') RETURNING seq`,
    run,
    unit,
  );
  for (const { seq } of rows) db.run('DELETE FROM operation_texts WHERE run = ?1 AND seq = ?2', run, seq);
}

async function* readOperations(
  of: Directory,
  runId: string,
  { phase, status, seqs, unit }: NonNullable<Parameters<Journal['operations']>[1]>,
): AsyncGenerator<readonly StoredOperation[]> {
  const filters = [
    ...(phase === undefined ? [] : [{ condition: 'o.phase =', value: phase }]),
    ...(unit === undefined ? [] : [{ condition: 'o.unit =', value: unit }]),
    ...(seqs === undefined
      ? []
      : [{ condition: 'o.seq IN (SELECT value FROM json_each', value: JSON.stringify(seqs) }]),
  ];
  const conditions = filters
    .map(({ condition }, index) =>
      condition.includes('(') ? `AND ${condition}(?${index + 4}))` : `AND ${condition} ?${index + 4}`,
    )
    .join(' ');
  const values = filters.map(({ value }) => value);
  // Not as a parameter: an index has a status as its condition, so that SQLite would prepare the statement at every call.
  const ofStatus = status === undefined ? '' : `AND o.status = '${status}'`;
  const sql = `SELECT ${OPERATION_COLUMNS} FROM runs r JOIN operations o ON o.run = r.id
     JOIN operation_texts x ON x.run = o.run AND x.seq = o.seq
     WHERE r.directory = ?1 AND r.name = ?2 AND o.seq > ?3 ${ofStatus} ${conditions} ORDER BY o.seq LIMIT ${PAGE}`;
  const pages = readPages<OperationRow>((last) => of.db.all(sql, of.number(), runId, last?.seq ?? 0, ...values));
  for await (const rows of pages) yield rows.map((row) => toStoredOperation(of, row));
}

async function* readUnsettled(of: Directory): AsyncGenerator<readonly StoredOperation[]> {
  const pages = readPages<OperationRow>((last) =>
    of.db.all(
      `SELECT ${OPERATION_COLUMNS} FROM operations o JOIN runs r ON r.id = o.run
       JOIN operation_texts x ON x.run = o.run AND x.seq = o.seq
       WHERE o.status = 'begun' AND r.directory = ?1 AND (o.run, o.seq) > (?2, ?3)
       ORDER BY o.run, o.seq LIMIT ${PAGE}`,
      ...[of.number(), last?.run ?? 0, last?.seq ?? 0],
    ),
  );
  for await (const rows of pages) yield rows.map((row) => toStoredOperation(of, row));
}

async function* readErrors(of: Directory, runId: string): AsyncGenerator<readonly RecordError[]> {
  const pages = readPages<Omit<RecordError, 'id'> & { id: number; record: string }>((last) =>
    of.db.all(
      `SELECT e.id, e.resource, e.record, e.code, e.message FROM runs r JOIN record_errors e ON e.run = r.id
       WHERE r.directory = ?1 AND r.name = ?2 AND e.id > ?3 ORDER BY e.id LIMIT ${PAGE}`,
      ...[of.number(), runId, last?.id ?? 0],
    ),
  );
  for await (const rows of pages) {
    yield rows.map(({ resource, record, code, message }) => ({ resource, id: record, code, message }));
  }
}

async function* readFindings(of: Directory, runId: string): AsyncGenerator<readonly Finding[]> {
  const pages = readPages<{ id: number; body: string }>((last) =>
    of.db.all(
      `SELECT f.id, f.body FROM runs r JOIN findings f ON f.run = r.id
       WHERE r.directory = ?1 AND r.name = ?2 AND f.id > ?3 ORDER BY f.id LIMIT ${PAGE}`,
      ...[of.number(), runId, last?.id ?? 0],
    ),
  );
  for await (const rows of pages) yield rows.map(({ body }) => parseJson<Finding>(of.db, body));
}

function toRunRecord(of: Directory, row: RunRow): RunRecord {
  const { name, started_at, finished_at, summary, ...rest } = row;
  return { ...rest, id: name, startedAt: started_at, finishedAt: finished_at, summary: parseJson(of.db, summary) };
}

function toStoredOperation(of: Directory, row: OperationRow): StoredOperation {
  const body = parseJson<Omit<Operation, 'seq' | 'held' | 'guards'>>(of.db, row.body);
  const guards = parseJson<GuardSubject[]>(of.db, row.guards);
  const { seq, held, status, code, error } = row;
  return { ...body, seq, held, guards, approved: row.approved === 1, runId: row.name, status, code, error };
}

function toUnit(of: Directory, row: UnitRow): Unit {
  const { unit } = row;
  const lines = parseJson<string[]>(of.db, row.lines);
  const all = parseJson<string[]>(of.db, row.guards).flatMap((text) => parseJson<GuardSubject[]>(of.db, text));
  const guards = [...new Map(all.map((subject) => [JSON.stringify(subject), subject])).values()];
  return { unit, guards, removal: row.removal === 1, recovered: row.recovered === 1, lines };
}

function runNumber(of: Directory, directory: number, id: string): number {
  const row = of.db.get<{ id: number }>('SELECT id FROM runs WHERE directory = ?1 AND name = ?2', directory, id);
  if (row === undefined) throw notInJournal(`run ${id}`);
  return row.id;
}

function mustHit(changes: number, what: string): void {
  if (changes === 0) throw notInJournal(what);
}

/** A defect of the caller, or a journal that was purged under a run: going on would lose what the target confirmed. */
function notInJournal(what: string): SyncError {
  return new SyncError('Unknown', `${what} is not in the journal`);
}
