import { randomBytes } from 'node:crypto';
import { closeSync, openSync, rmSync } from 'node:fs';
import type { DatabaseSync, SQLInputValue, StatementSync } from 'node:sqlite';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { toStateError, toUnavailable } from './errors.ts';
import { MEMORY } from './file.ts';
import { SCRATCH } from './scratch-schema.ts';

/** Rows of a page (rule D5). */
export const PAGE = 500;

/** One open state file and, once somebody stages, its scratch database `run`. Every failure is a SyncError. */
export interface Connection {
  readonly location: string;
  all<Row>(sql: string, ...values: readonly SQLInputValue[]): Row[];
  get<Row>(sql: string, ...values: readonly SQLInputValue[]): Row | undefined;
  /** Row by row, for what is too much to be held at once; `work` must not wait. */
  each<Row>(work: (row: Row) => void, sql: string, ...values: readonly SQLInputValue[]): void;
  /** Returns the number of rows that were changed. */
  run(sql: string, ...values: readonly SQLInputValue[]): number;
  /** All of it or nothing, and no other process writes between its statements. `work` must not wait. */
  write<T>(work: () => T): Promise<T>;
  /** The same for the scratch database alone: it does not lock the state file. */
  stage<T>(work: () => T): Promise<T>;
  /** Attaches the scratch database if it is not there yet. */
  openScratch(): void;
  hasScratch(): boolean;
  /** Directories that have staged since they last cleared, and in how many transactions. */
  readonly staging: Map<number, number>;
  /** Position of the next staged row of a directory, or of the first of so many; see SCRATCH. */
  nextPlace(directory: number, rows?: number): number;
  close(): void;
}

/**
 * @param db open, migrated; the connection owns it from now on
 * @param path absolute, or `:memory:`
 * @param location the same as its owner wrote it, for messages
 */
export function toConnection(db: DatabaseSync, path: string, location: string): Connection {
  const statements = new Map<string, StatementSync>();
  const counters = new Map<number, number>();
  let scratch = false;

  /** node:sqlite would answer with an error of its own after close, which says nothing to a person. */
  const perform = <T>(work: () => T): T => {
    if (!db.isOpen) throw toUnavailable(location, 'was closed before this was asked of it');
    try {
      return work();
    } catch (error) {
      throw toStateError(location, error);
    }
  };
  const prepared = (sql: string): StatementSync => {
    const known = statements.get(sql);
    if (known !== undefined) return known;
    const statement = db.prepare(sql);
    statements.set(sql, statement);
    return statement;
  };
  const transact = async <T>(begin: string, work: () => T): Promise<T> => {
    const result = perform(() => {
      prepared(begin).run();
      try {
        const value = work();
        prepared('COMMIT').run();
        return value;
      } catch (error) {
        // A full disk ends the transaction by itself.
        if (db.isTransaction) prepared('ROLLBACK').run();
        throw error;
      }
    });
    // Callers write in long loops without I/O of their own; signals and timers must be served in between.
    await nextTurn();
    return result;
  };
  const openScratch = () => {
    if (scratch) return;
    perform(() => attachScratch(db, path));
    scratch = true;
  };

  return {
    location,
    all: (sql, ...values) => perform(() => prepared(sql).all(...values) as never),
    get: (sql, ...values) => perform(() => prepared(sql).get(...values) as never),
    each: (work, sql, ...values) =>
      perform(() => {
        for (const row of prepared(sql).iterate(...values)) work(row as never);
      }),
    run: (sql, ...values) => perform(() => Number(prepared(sql).run(...values).changes)),
    write: (work) => transact('BEGIN IMMEDIATE', work),
    stage: async (work) => {
      openScratch();
      return transact('BEGIN', work);
    },
    openScratch,
    hasScratch: () => scratch,
    staging: new Map(),
    nextPlace: (directory, rows = 1) => {
      const before = counters.get(directory) ?? 0;
      counters.set(directory, before + rows);
      return firstPlace(directory) + before + 1;
    },
    close: () => {
      statements.clear();
      if (db.isOpen) db.close();
    },
  };
}

/** Before the first staged row of a directory. */
export function firstPlace(directory: number): number {
  return directory * 2 ** 32;
}

/**
 * Pages of at most 500 rows by a query that goes on after the last row. No statement stays open between pages, so that
 * writes, and the checkpoints of the write-ahead log, are not held up by a slow reader (rule D8).
 */
export async function* readPages<Row>(next: (last: Row | undefined) => Row[]): AsyncGenerator<Row[], void, undefined> {
  let last: Row | undefined;
  for (;;) {
    const rows = next(last);
    if (rows.length > 0) yield rows;
    if (rows.length < PAGE) return;
    last = rows.at(-1);
    await nextTurn();
  }
}

/**
 * A killed run's staging is worthless, so nothing of it is made durable, and the file loses its name as soon as it is
 * open: the space comes back when the process ends, however it ends. It lies beside the state file because that folder
 * is known to be writable, which /tmp in a container with a read-only root is not; for the same reason SQLite's own
 * temporary tables stay in memory. Every open store has a scratch of its own: a second process that only plans does not
 * get in the way of one that applies.
 */
function attachScratch(db: DatabaseSync, path: string): void {
  withNamelessFile(path, (name) => {
    db.prepare('ATTACH ? AS run').run(name);
    // The rollback journal in memory, because a rollback without any would leave a broken scratch behind.
    db.exec(`
      PRAGMA run.page_size = 8192;
      PRAGMA run.journal_mode = MEMORY;
      PRAGMA run.synchronous = OFF;
      PRAGMA run.locking_mode = EXCLUSIVE;
      PRAGMA run.cache_size = -16000;
      BEGIN;
      ${SCRATCH}
      COMMIT;
    `);
  });
}

/** An empty file beside the state file that has lost its name when `work` is done with opening it; memory for a store in memory. */
export function withNamelessFile<T>(path: string, work: (name: string) => T): T {
  const name = path === MEMORY ? MEMORY : `${path}.run-${process.pid}-${randomBytes(4).toString('hex')}`;
  if (name !== MEMORY) closeSync(openSync(name, 'wx', 0o600));
  try {
    return work(name);
  } finally {
    if (name !== MEMORY) rmSync(name, { force: true });
  }
}
