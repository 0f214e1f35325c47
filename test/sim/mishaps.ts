/** State files that cannot be used: whoever meets one stops with one clear line, and leaves it as it is. */
import { readFileSync, writeFileSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { SyncError } from '../../src/errors.ts';
import { openSqliteStore } from '../../src/state/sqlite/store.ts';

/** What was said, and what is wrong with it; null where nothing is. */
export interface Refusal {
  readonly message: string;
  readonly problem: string | null;
}

/** Opens the file as if a newer Dirsync had written it. */
export async function openNewer(file: string): Promise<Refusal> {
  changeVersion(file, 1);
  const before = readFileSync(file);
  const refusal = await open(file);
  const isSame = readFileSync(file).equals(before);
  changeVersion(file, -1);
  if (refusal === null) return { message: '', problem: 'a file of a newer Dirsync was opened' };
  const says = refusal.message.includes('newer Dirsync') ? refusal.problem : `does not say it: ${refusal.message}`;
  return { ...refusal, problem: isSame ? says : 'a file of a newer Dirsync was changed' };
}

function changeVersion(file: string, by: number): void {
  const db = new DatabaseSync(file);
  const version = Number(db.prepare('PRAGMA user_version').get()?.['user_version'] ?? 0);
  db.exec(`PRAGMA user_version = ${version + by}; PRAGMA wal_checkpoint(TRUNCATE)`);
  db.close();
}

/** Fills one page, but the first, with what no page has. False: there is no other. */
export function breakPage(file: string, which: number): boolean {
  const bytes = readFileSync(file);
  const size = bytes.readUInt16BE(16);
  const pages = Math.floor(bytes.length / size);
  if (pages < 2) return false;
  const page = 1 + (which % (pages - 1));
  bytes.fill(0xa5, page * size, (page + 1) * size);
  writeFileSync(file, bytes);
  return true;
}

/** Null when it can be opened. */
export async function open(file: string): Promise<Refusal | null> {
  try {
    await (await openSqliteStore(file)).close();
    return null;
  } catch (thrown) {
    const { code, message } = SyncError.from(thrown);
    return { message, problem: code === 'StateUnavailable' ? findManyLines(message) : `${code}: ${message}` };
  }
}

export function findManyLines(message: string): string | null {
  return message.trim().includes('\n') ? `more than one line: ${message}` : null;
}
