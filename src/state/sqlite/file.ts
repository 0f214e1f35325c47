import { closeSync, existsSync, mkdirSync, openSync, readSync, realpathSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as pause } from 'node:timers/promises';
import { isBusy, toStateError, toUnavailable } from './errors.ts';
import { APPLICATION_ID, applyMigrations, MIGRATIONS } from './schema.ts';

export const MEMORY = ':memory:';

/** sqlite.org/fileformat.html, section 1.3. */
const MAGIC = 'SQLite format 3\0';
const HEADER_BYTES = 100;
const APPLICATION_ID_OFFSET = 68;

/**
 * State files that this process has open, with how often. Closing any descriptor of a file drops all POSIX locks that
 * the process holds on it (sqlite.org/howtocorrupt.html, section 2.2), so the header is read only while nobody has any.
 */
const OPEN = new Map<string, number>();

/**
 * Opens or creates a state file, migrated to the newest version.
 * @returns the database, and what to call when it was closed
 * @throws SyncError StateUnavailable; a file that is not ours has then not been written to
 */
export async function openStateFile(
  file: string,
  { busyTimeoutMs = 5000, maxBytes }: { readonly busyTimeoutMs?: number; readonly maxBytes?: number } = {},
): Promise<{ db: DatabaseSync; path: string; forget: () => void }> {
  let db: DatabaseSync | null = null;
  let forget = () => {};
  try {
    const path = file === MEMORY ? file : await prepareFile(file);
    if (path !== MEMORY) forget = remember(path);
    db = new DatabaseSync(path, { timeout: busyTimeoutMs });
    applyMigrations(db, file, MIGRATIONS);
    await applyPragmas(db, file, busyTimeoutMs);
    if (maxBytes !== undefined) limitSize(db, maxBytes);
    return { db, path, forget };
  } catch (error) {
    if (db?.isOpen) db.close();
    forget();
    throw toStateError(file, error);
  }
}

/**
 * `synchronous = NORMAL` survives a kill at any moment. A power cut may lose the last transactions but not break the file:
 * links lost like this come back as recovered, and an operation lost from the journal is found again by its account.
 */
async function applyPragmas(db: DatabaseSync, file: string, busyTimeoutMs: number): Promise<void> {
  if (file !== MEMORY) await switchToWal(db, file, Date.now() + busyTimeoutMs);
  db.exec(`
    PRAGMA synchronous = NORMAL;
    PRAGMA foreign_keys = ON;
    PRAGMA temp_store = MEMORY;
    PRAGMA cache_size = -16000;
    PRAGMA wal_autocheckpoint = 8000;
    PRAGMA journal_size_limit = 67108864;
  `);
}

/** A file that is larger already stays as large as it is. */
function limitSize(db: DatabaseSync, maxBytes: number): void {
  const pageSize = Number(db.prepare('PRAGMA page_size').get()?.['page_size']);
  db.exec(`PRAGMA max_page_count = ${Math.max(1, Math.floor(maxBytes / pageSize))}`);
}

/** Needs the file for itself for a moment; SQLite's own busy timeout does not cover this one. */
async function switchToWal(db: DatabaseSync, file: string, deadline: number): Promise<void> {
  for (;;) {
    const mode = readJournalMode(db);
    if (mode === 'wal') return;
    if (mode !== null) {
      throw toUnavailable(file, 'cannot have a write-ahead log here (a network volume?); name a file on a local disk');
    }
    if (Date.now() > deadline) throw toUnavailable(file, 'is in use by another program for too long; try again');
    await pause(20);
  }
}

function readJournalMode(db: DatabaseSync): string | null {
  try {
    return String(db.prepare('PRAGMA journal_mode = WAL').get()?.['journal_mode']);
  } catch (error) {
    if (isBusy(error)) return null;
    throw error;
  }
}

/** Makes the folder and an empty file that only the owner reads, or checks that an existing one is a state file. */
async function prepareFile(file: string): Promise<string> {
  const folder = dirname(resolve(file));
  makeFolder(folder);
  const path = join(realpathSync(folder), basename(file));
  if (OPEN.has(path)) return path;
  if (!existsSync(path)) closeSync(openSync(path, 'a', 0o600));
  else await refuseForeign(file, path);
  return path;
}

/** Step by step: Node's recursive `mkdir` never ends below a folder in which nothing can be made, such as `/proc`. */
function makeFolder(folder: string): void {
  if (existsSync(folder)) return;
  makeFolder(dirname(folder));
  try {
    mkdirSync(folder, { mode: 0o700 });
  } catch (error) {
    if (!existsSync(folder)) throw error;
  }
}

const LOOKS = 10;
const BETWEEN_LOOKS_MS = 20;

/** Another process may be making the file at this moment, and its first page is not all there yet: worth another look. */
async function refuseForeign(file: string, path: string): Promise<void> {
  for (let look = 1; !isOurs(readHeader(path)); look += 1) {
    if (look === LOOKS) {
      throw toUnavailable(file, 'is not a Dirsync state file; name another file (it was left as it is)');
    }
    await pause(BETWEEN_LOOKS_MS);
  }
}

/** An empty file is a store whose first transaction never came: as good as none. */
function isOurs(header: Buffer): boolean {
  if (header.length === 0) return true;
  return (
    header.length === HEADER_BYTES &&
    header.toString('latin1', 0, MAGIC.length) === MAGIC &&
    header.readUInt32BE(APPLICATION_ID_OFFSET) === APPLICATION_ID
  );
}

function readHeader(path: string): Buffer {
  const descriptor = openSync(path, 'r');
  try {
    const header = Buffer.alloc(HEADER_BYTES);
    return header.subarray(0, readSync(descriptor, header, 0, HEADER_BYTES, 0));
  } finally {
    closeSync(descriptor);
  }
}

function remember(path: string): () => void {
  OPEN.set(path, (OPEN.get(path) ?? 0) + 1);
  return () => {
    const rest = (OPEN.get(path) ?? 1) - 1;
    if (rest > 0) OPEN.set(path, rest);
    else OPEN.delete(path);
  };
}
