import type { DatabaseSync } from 'node:sqlite';
import { toUnavailable } from './errors.ts';

/** `dsyn`, in the header of the file (sqlite.org/fileformat.html, offset 68): nobody else's database is touched. */
export const APPLICATION_ID = 0x6473796e;

/**
 * One text a schema version, in order; what was published is never edited, only followed by another.
 *
 * `applied` is JSON text, or that text deflated where this is shorter. Members stand under the number of their team, so
 * that a rename does not touch them. `operation_texts.body` is the operation as JSON; it stands apart because every
 * operation's status changes twice, and SQLite writes the whole row each time.
 */
export const MIGRATIONS: readonly string[] = [
  `
  CREATE TABLE directories (
    id INTEGER PRIMARY KEY,
    namespace TEXT NOT NULL,
    name TEXT NOT NULL,
    UNIQUE (namespace, name)
  ) STRICT;

  CREATE TABLE facts (
    directory INTEGER NOT NULL REFERENCES directories (id) ON DELETE CASCADE,
    name TEXT NOT NULL,
    value TEXT NOT NULL,
    PRIMARY KEY (directory, name)
  ) STRICT;

  CREATE TABLE links (
    id INTEGER PRIMARY KEY,
    directory INTEGER NOT NULL REFERENCES directories (id) ON DELETE CASCADE,
    source_id TEXT NOT NULL,
    target_id TEXT NOT NULL,
    name TEXT NOT NULL,
    active INTEGER NOT NULL,
    origin TEXT NOT NULL,
    dirty INTEGER NOT NULL,
    fingerprint TEXT NOT NULL,
    applied ANY NOT NULL,
    UNIQUE (directory, source_id),
    UNIQUE (directory, target_id)
  ) STRICT;
  CREATE INDEX links_active ON links (directory) WHERE active = 1;
  CREATE INDEX links_dirty ON links (directory, source_id) WHERE dirty = 1;

  CREATE TABLE teams (
    id INTEGER PRIMARY KEY,
    directory INTEGER NOT NULL REFERENCES directories (id) ON DELETE CASCADE,
    key TEXT NOT NULL,
    target_id TEXT NOT NULL,
    display_name TEXT NOT NULL,
    external_id TEXT,
    rules TEXT NOT NULL,
    deletion_policy TEXT NOT NULL,
    origin TEXT NOT NULL,
    dirty INTEGER NOT NULL,
    UNIQUE (directory, key),
    UNIQUE (directory, target_id)
  ) STRICT;

  CREATE TABLE members (
    team INTEGER NOT NULL REFERENCES teams (id) ON DELETE CASCADE,
    target_id TEXT NOT NULL,
    PRIMARY KEY (team, target_id)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX members_target ON members (target_id);

  CREATE TABLE runs (
    id INTEGER PRIMARY KEY,
    directory INTEGER NOT NULL REFERENCES directories (id) ON DELETE CASCADE,
    name TEXT NOT NULL,
    kind TEXT NOT NULL,
    started_at INTEGER NOT NULL,
    finished_at INTEGER,
    outcome TEXT,
    reason TEXT,
    summary TEXT NOT NULL DEFAULT '{}',
    UNIQUE (directory, name)
  ) STRICT;
  CREATE INDEX runs_started ON runs (directory, started_at);

  CREATE TABLE operations (
    run INTEGER NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
    seq INTEGER NOT NULL,
    phase TEXT NOT NULL,
    kind TEXT NOT NULL,
    resource TEXT NOT NULL,
    unit TEXT NOT NULL,
    guard TEXT,
    scope TEXT NOT NULL,
    removal INTEGER NOT NULL,
    recovered INTEGER NOT NULL,
    status TEXT NOT NULL,
    held TEXT,
    code TEXT,
    error TEXT,
    PRIMARY KEY (run, seq)
  ) STRICT;
  CREATE INDEX operations_phase ON operations (run, phase, seq);
  CREATE INDEX operations_unit ON operations (run, unit);
  CREATE INDEX operations_guarded ON operations (run, unit) WHERE guard IS NOT NULL OR removal = 1;
  CREATE INDEX operations_begun ON operations (run, seq) WHERE status = 'begun';

  CREATE TABLE operation_texts (
    run INTEGER NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
    seq INTEGER NOT NULL,
    line TEXT NOT NULL,
    body TEXT NOT NULL,
    PRIMARY KEY (run, seq)
  ) STRICT;

  CREATE TABLE record_errors (
    id INTEGER PRIMARY KEY,
    run INTEGER NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
    resource TEXT NOT NULL,
    record TEXT NOT NULL,
    code TEXT NOT NULL,
    message TEXT NOT NULL
  ) STRICT;
  CREATE INDEX record_errors_run ON record_errors (run, id);

  CREATE TABLE removals (
    directory INTEGER NOT NULL REFERENCES directories (id) ON DELETE CASCADE,
    at INTEGER NOT NULL,
    kind TEXT NOT NULL,
    scope TEXT NOT NULL,
    unit TEXT NOT NULL,
    PRIMARY KEY (directory, at, kind, scope, unit)
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE samples (
    directory INTEGER NOT NULL REFERENCES directories (id) ON DELETE CASCADE,
    scope TEXT NOT NULL,
    at INTEGER NOT NULL,
    count INTEGER NOT NULL,
    PRIMARY KEY (directory, scope, at)
  ) STRICT, WITHOUT ROWID;
  `,
  // A unit may count under several guards; `guards` is a list of kind and scope as JSON.
  `
  ALTER TABLE operations ADD COLUMN guards TEXT NOT NULL DEFAULT '[]';
  ALTER TABLE operations ADD COLUMN approved INTEGER NOT NULL DEFAULT 0;
  UPDATE operations SET guards = json_array(json_object('kind', guard, 'scope', scope)) WHERE guard = kind;
  DROP INDEX operations_guarded;
  ALTER TABLE operations DROP COLUMN guard;
  ALTER TABLE operations DROP COLUMN scope;
  CREATE INDEX operations_guarded ON operations (run, unit) WHERE guards <> '[]' OR removal = 1;
  `,
  // People who left, and people whose operations failed. `left_teams` is a JSON list of team keys.
  `
  ALTER TABLE links ADD COLUMN left_at INTEGER;
  ALTER TABLE links ADD COLUMN left_cause TEXT;
  ALTER TABLE links ADD COLUMN left_teams TEXT;

  CREATE TABLE backoffs (
    directory INTEGER NOT NULL REFERENCES directories (id) ON DELETE CASCADE,
    source_id TEXT NOT NULL,
    mark TEXT NOT NULL,
    failures INTEGER NOT NULL,
    until INTEGER NOT NULL,
    code TEXT NOT NULL,
    message TEXT NOT NULL,
    PRIMARY KEY (directory, source_id)
  ) STRICT, WITHOUT ROWID;
  `,
  // Several operations of one person may wait, each by itself.
  `
  DROP TABLE backoffs;
  CREATE TABLE backoffs (
    directory INTEGER NOT NULL REFERENCES directories (id) ON DELETE CASCADE,
    source_id TEXT NOT NULL,
    mark TEXT NOT NULL,
    failures INTEGER NOT NULL,
    until INTEGER NOT NULL,
    code TEXT NOT NULL,
    message TEXT NOT NULL,
    PRIMARY KEY (directory, source_id, mark)
  ) STRICT, WITHOUT ROWID;
  `,
  // Findings of a look at the whole target, as JSON.
  `
  CREATE TABLE findings (
    id INTEGER PRIMARY KEY,
    run INTEGER NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
    body TEXT NOT NULL
  ) STRICT;
  CREATE INDEX findings_run ON findings (run, id);
  `,
  // What was written last as the description of a team.
  `
  ALTER TABLE teams ADD COLUMN description TEXT;
  `,
  // Members who may be in the team or not: a change of them had no known end, and the target does not show members.
  `
  ALTER TABLE members ADD COLUMN doubtful INTEGER NOT NULL DEFAULT 0;
  `,
  // By which a photo is known again without being read. Never the photo.
  `
  CREATE TABLE photos (
    directory INTEGER NOT NULL REFERENCES directories (id) ON DELETE CASCADE,
    source_id TEXT NOT NULL,
    etag TEXT NOT NULL,
    hash TEXT,
    size INTEGER,
    PRIMARY KEY (directory, source_id)
  ) STRICT, WITHOUT ROWID;
  `,
  // The same of whatever else was written of a team, as JSON.
  `
  ALTER TABLE teams ADD COLUMN applied TEXT NOT NULL DEFAULT '{}';
  UPDATE teams SET applied = json_object('description', description) WHERE description IS NOT NULL;
  ALTER TABLE teams DROP COLUMN description;
  `,
  // What the source said last. `place` is as in SCRATCH; a mirror without its row in `mirrors` is none.
  `
  CREATE TABLE mirrors (
    directory INTEGER PRIMARY KEY REFERENCES directories (id) ON DELETE CASCADE,
    mark TEXT NOT NULL,
    cursors TEXT NOT NULL,
    full_at INTEGER NOT NULL,
    summary TEXT NOT NULL
  ) STRICT;

  CREATE TABLE mirror_users (
    place INTEGER PRIMARY KEY,
    directory INTEGER NOT NULL REFERENCES directories (id) ON DELETE CASCADE,
    id TEXT NOT NULL,
    body TEXT NOT NULL,
    UNIQUE (directory, id)
  ) STRICT;

  CREATE TABLE mirror_aliases (
    directory INTEGER NOT NULL REFERENCES directories (id) ON DELETE CASCADE,
    source_id TEXT NOT NULL,
    name TEXT NOT NULL,
    PRIMARY KEY (directory, source_id, name)
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE mirror_groups (
    place INTEGER PRIMARY KEY,
    directory INTEGER NOT NULL REFERENCES directories (id) ON DELETE CASCADE,
    id TEXT NOT NULL,
    body TEXT NOT NULL,
    UNIQUE (directory, id)
  ) STRICT;

  CREATE TABLE mirror_members (
    directory INTEGER NOT NULL REFERENCES directories (id) ON DELETE CASCADE,
    group_id TEXT NOT NULL,
    ref TEXT NOT NULL,
    kind TEXT NOT NULL,
    alias TEXT NOT NULL,
    PRIMARY KEY (directory, group_id, ref, kind)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX mirror_members_ref ON mirror_members (directory, ref);
  `,
];

/**
 * Brings the file to the newest version in one transaction: a kill leaves the old version or the new one. Two processes
 * that open a new file at once are put in order by the write lock.
 * @throws SyncError StateUnavailable for a version that this list does not know, before anything is written
 */
export function applyMigrations(db: DatabaseSync, location: string, migrations: readonly string[]): void {
  refuseNewer(db, location, migrations.length);
  if (readVersion(db) === migrations.length) return;
  // Must precede the first table, and cannot be part of a transaction.
  if (readVersion(db) === 0) db.exec('PRAGMA auto_vacuum = INCREMENTAL');
  db.exec('BEGIN IMMEDIATE');
  try {
    refuseNewer(db, location, migrations.length);
    for (const migration of migrations.slice(readVersion(db))) db.exec(migration);
    db.exec(`PRAGMA application_id = ${APPLICATION_ID}; PRAGMA user_version = ${migrations.length}; COMMIT`);
  } catch (error) {
    if (db.isTransaction) db.exec('ROLLBACK');
    throw error;
  }
}

function refuseNewer(db: DatabaseSync, location: string, known: number): void {
  const version = readVersion(db);
  if (version <= known) return;
  throw toUnavailable(
    location,
    `was written by a newer Dirsync (schema ${version}, this one knows ${known}); update Dirsync or name another file`,
  );
}

function readVersion(db: DatabaseSync): number {
  return Number(db.prepare('PRAGMA user_version').get()?.['user_version'] ?? 0);
}
