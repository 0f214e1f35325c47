import { DatabaseSync } from 'node:sqlite';
import type { DirectoryKey } from '../store.ts';
import { type Connection, toConnection, withNamelessFile } from './connection.ts';
import { toStateError } from './errors.ts';
import { applyMigrations, MIGRATIONS } from './schema.ts';

const BEGUN = `SELECT r.id FROM runs r WHERE r.directory = ?1
  AND EXISTS (SELECT 1 FROM operations o WHERE o.run = r.id AND o.status = 'begun')`;

/** Rows that are copied, by table, in an order in which each finds what it refers to. `?1` is the directory. */
const ROWS: Readonly<Record<string, string>> = {
  directories: 'SELECT * FROM directories WHERE id = ?1',
  facts: 'SELECT * FROM facts WHERE directory = ?1',
  links: 'SELECT * FROM links WHERE directory = ?1',
  teams: 'SELECT * FROM teams WHERE directory = ?1',
  members: 'SELECT m.* FROM members m JOIN teams t ON t.id = m.team WHERE t.directory = ?1',
  removals: 'SELECT * FROM removals WHERE directory = ?1',
  samples: 'SELECT * FROM samples WHERE directory = ?1',
  backoffs: 'SELECT * FROM backoffs WHERE directory = ?1',
  photos: 'SELECT * FROM photos WHERE directory = ?1',
  runs: `SELECT * FROM runs WHERE id IN (${BEGUN})`,
  operations: `SELECT * FROM operations WHERE status = 'begun' AND run IN (${BEGUN})`,
  operation_texts: `SELECT x.* FROM operation_texts x JOIN operations o ON o.run = x.run AND o.seq = x.seq
    WHERE o.status = 'begun' AND o.run IN (${BEGUN})`,
};

/** A database of its own with these directories; its file has no name and ends with it, like the scratch database's. */
export function copyDirectories(from: Connection, path: string, keys: readonly DirectoryKey[]): Connection {
  const db = openNameless(from.location, path);
  const copy = toConnection(db, path, from.location);
  try {
    db.exec('BEGIN');
    for (const { namespace, id } of keys) {
      const row = from.get<{ id: number }>(
        'SELECT id FROM directories WHERE namespace = ?1 AND name = ?2',
        namespace,
        id,
      );
      if (row !== undefined) copyRows(from, copy, row.id);
    }
    db.exec('COMMIT');
    return copy;
  } catch (error) {
    copy.close();
    throw toStateError(from.location, error);
  }
}

/** Numbers are kept: they are unique over all directories of a file. */
function copyRows(from: Connection, copy: Connection, directory: number): void {
  for (const [table, sql] of Object.entries(ROWS)) {
    from.each<Record<string, string | number | null | Uint8Array>>(
      (row) => {
        const columns = Object.keys(row);
        const values = columns.map((_, index) => `?${index + 1}`).join(', ');
        copy.run(`INSERT INTO ${table} (${columns.join(', ')}) VALUES (${values})`, ...Object.values(row));
      },
      sql,
      directory,
    );
  }
}

function openNameless(location: string, path: string): DatabaseSync {
  return withNamelessFile(path, (name) => {
    const db = new DatabaseSync(name);
    try {
      // As of the scratch database: nothing of it is worth a disk's time.
      db.exec('PRAGMA journal_mode = MEMORY; PRAGMA synchronous = OFF; PRAGMA locking_mode = EXCLUSIVE');
      applyMigrations(db, location, MIGRATIONS);
      db.exec('PRAGMA foreign_keys = ON; PRAGMA temp_store = MEMORY; PRAGMA cache_size = -16000');
      return db;
    } catch (error) {
      db.close();
      throw toStateError(location, error);
    }
  });
}
