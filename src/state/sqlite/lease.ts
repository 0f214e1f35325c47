import { randomUUID } from 'node:crypto';
import { closeSync, openSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as pause } from 'node:timers/promises';
import { SyncError } from '../../errors.ts';
import type { Lease } from '../store.ts';
import { isBusy, isGarbage, toStateError, toUnavailable } from './errors.ts';
import { MEMORY } from './file.ts';

const FIRST_WAIT_MS = 10;
const LONGEST_WAIT_MS = 250;

interface Lock {
  /** Leases of this process that stand on it. */
  held: number;
  /** The open transaction in it is the lock. */
  readonly db: DatabaseSync;
}

/** Locks of this process by file: its stores share one, because the operating system's locks belong to processes. */
const LOCKS = new Map<string, Lock>();

/**
 * Takes the lease of the state file at `path` (rule D4). The lock is a write transaction that stays open in a second
 * SQLite file, `<path>.lock`: the operating system ends it with the process, however that dies, and readers can still
 * see the holder's name in it. The file itself stays; removing it would let two processes lock two different files.
 * @throws SyncError Aborted by the signal, StateUnavailable where the lock file cannot be used
 */
export async function acquireLease(
  path: string,
  holder: string,
  options: { signal: AbortSignal; onWait?: (holder: string) => void },
): Promise<Lease> {
  // Nobody else can see a store in memory.
  if (path === MEMORY) return { release: async () => {} };
  const lockFile = `${path}.lock`;
  let announce = options.onWait;
  for (let attempt = 0; ; attempt++) {
    if (options.signal.aborted) throw aborted(options.signal.reason);
    if (tryLock(lockFile, holder)) return toLease(lockFile);
    // Not at once: in its first moments a new holder has the lock but not yet its name in the file.
    const present = attempt > 0 && announce !== undefined ? readHolder(lockFile) : null;
    if (present !== null) {
      announce?.(present);
      announce = undefined;
    }
    const wait = Math.min(FIRST_WAIT_MS * 2 ** Math.min(attempt, 10), LONGEST_WAIT_MS);
    await pause(wait, undefined, { signal: options.signal }).catch((error: unknown) => {
      throw aborted(error);
    });
  }
}

function toLease(lockFile: string): Lease {
  let released = false;
  return {
    async release() {
      if (released) return;
      released = true;
      unlock(lockFile);
    },
  };
}

function tryLock(lockFile: string, holder: string): boolean {
  const held = LOCKS.get(lockFile);
  if (held !== undefined) {
    held.held++;
    return true;
  }
  const db = lockFileFor(lockFile, holder);
  if (db === null) return false;
  LOCKS.set(lockFile, { held: 1, db });
  return true;
}

function unlock(lockFile: string): void {
  const lock = LOCKS.get(lockFile);
  if (lock === undefined) return;
  lock.held--;
  if (lock.held > 0) return;
  LOCKS.delete(lockFile);
  try {
    lock.db.exec(`UPDATE holder SET name = ''; COMMIT`);
  } catch {
    // The name is only for messages; closing below is what frees the lock.
  } finally {
    lock.db.close();
  }
}

/** The database with its open transaction, or null when somebody else has the lock. */
function lockFileFor(lockFile: string, holder: string): DatabaseSync | null {
  const token = randomUUID();
  let db: DatabaseSync | null = null;
  try {
    createFile(lockFile);
    db = new DatabaseSync(lockFile, { timeout: 0 });
    // A rollback journal, because in a write-ahead log a name that is not checkpointed could be lost with the process;
    // not synchronised, because the name is worth nothing after a power cut.
    db.exec('PRAGMA journal_mode = DELETE; PRAGMA synchronous = OFF; BEGIN IMMEDIATE');
    // A name can only be read by others once it is committed, and committing lets go of the lock. Whoever comes in
    // between is seen by the token: then the name is written again.
    while (readToken(db) !== token) {
      db.exec('CREATE TABLE IF NOT EXISTS holder (id INTEGER PRIMARY KEY CHECK (id = 1), name TEXT, token TEXT)');
      db.prepare('INSERT OR REPLACE INTO holder VALUES (1, ?, ?)').run(holder, token);
      db.exec('COMMIT; BEGIN IMMEDIATE');
    }
    return db;
  } catch (error) {
    if (db?.isOpen) db.close();
    if (isBusy(error)) return null;
    if (isGarbage(error)) throw toUnavailable(lockFile, 'is no lock; remove it while no Dirsync runs', error);
    throw toStateError(lockFile, error);
  }
}

/** `wx`: an existing one is never opened here, as closing it would drop the locks that this process has on it. */
function createFile(lockFile: string): void {
  try {
    closeSync(openSync(lockFile, 'wx', 0o600));
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
  }
}

function readToken(db: DatabaseSync): unknown {
  const known = db.prepare(`SELECT count(*) AS count FROM sqlite_schema WHERE name = 'holder'`).get();
  return known?.['count'] === 0 ? null : db.prepare('SELECT token FROM holder').get()?.['token'];
}

/** Null while it cannot be read, or nobody has the lock any more. */
function readHolder(lockFile: string): string | null {
  let db: DatabaseSync | null = null;
  try {
    db = new DatabaseSync(lockFile, { readOnly: true, timeout: 0 });
    const name = db.prepare('SELECT name FROM holder').get()?.['name'];
    return typeof name === 'string' && name !== '' ? name : null;
  } catch {
    return null;
  } finally {
    if (db?.isOpen) db.close();
  }
}

function aborted(cause: unknown): SyncError {
  return new SyncError('Aborted', 'the run was ended while it waited for the state store', { cause });
}
