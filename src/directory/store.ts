/**
 * The directory's SQLite file. Members of groups stand in a table of their own: a change of some members of a large
 * group touches as many rows, and a group is read without them. Every method is one synchronous step, so requests
 * that read, change and write cannot overtake each other.
 */

import { DatabaseSync, type SQLInputValue, type StatementSync } from 'node:sqlite';
import { SyncError } from '../errors.ts';
import type { ResourceType } from './catalog.ts';
import type { SqlCondition } from './filter-sql.ts';
import type { JsonObject } from './json.ts';
import { Refusal, toBadRequest } from './refusal.ts';

/** "dsDR": tells a directory's file from any other SQLite file. */
const APPLICATION_ID = 0x64734452;
const SCHEMA_VERSION = 1;

const SCHEMA = `
  CREATE TABLE resources (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    type TEXT NOT NULL,
    id TEXT NOT NULL UNIQUE,
    user_name TEXT UNIQUE,
    display_name TEXT,
    display_key TEXT,
    external_id TEXT,
    version INTEGER NOT NULL,
    created TEXT NOT NULL,
    modified TEXT NOT NULL,
    body TEXT NOT NULL
  ) STRICT;
  CREATE INDEX resources_by_type ON resources (type);
  CREATE INDEX resources_by_display ON resources (display_key) WHERE display_key IS NOT NULL;
  CREATE INDEX resources_by_external_id ON resources (external_id) WHERE external_id IS NOT NULL;
  CREATE TABLE members (
    group_seq INTEGER NOT NULL,
    member_seq INTEGER NOT NULL,
    PRIMARY KEY (group_seq, member_seq)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX members_by_member ON members (member_seq, group_seq);
  PRAGMA application_id = ${APPLICATION_ID};
  PRAGMA user_version = ${SCHEMA_VERSION};
`;

/** A checkpoint waits for the disk: with 16 MiB of log rather than 4 it does so a quarter as often. */
const PRAGMAS = `
  PRAGMA locking_mode = EXCLUSIVE;
  PRAGMA journal_mode = WAL;
  PRAGMA synchronous = NORMAL;
  PRAGMA wal_autocheckpoint = 4000;
`;

const MAX_STATEMENTS = 256;

const COLUMNS = 'seq, type, id, version, created, modified, body';

export interface StoredResource {
  /** Grows with every resource: the order of lists. */
  readonly seq: number;
  readonly type: ResourceType;
  readonly id: string;
  readonly version: number;
  /** ISO 8601, UTC. */
  readonly created: string;
  readonly modified: string;
  /** JSON of the attributes, as `toStoredForm` gives them. */
  readonly body: string;
}

export interface PageRange {
  readonly after: number;
  readonly offset: number;
  readonly limit: number;
}

export interface DirectoryStore {
  /** Refuses with 409 a userName that another user has. */
  insert(type: ResourceType, id: string, body: JsonObject, now: string): StoredResource;
  /** A new version with this body. Refuses as `insert` does. */
  update(resource: StoredResource, body: JsonObject, now: string): StoredResource;
  /** Removes the resource, and from every group that held it: these get a new version. */
  delete(resource: StoredResource, now: string): void;
  find(type: ResourceType, id: string): StoredResource | undefined;
  count(type: ResourceType, condition: SqlCondition | null): number;
  /** In the order of lists, from the first one whose `seq` is greater than `after`. */
  page(type: ResourceType, condition: SqlCondition | null, range: PageRange): StoredResource[];
  /** Every resource that the condition holds for, in the order of lists, one at a time. */
  scan(type: ResourceType, condition: SqlCondition | null): Iterable<StoredResource>;
  membersOf(group: StoredResource): { id: string; type: ResourceType }[];
  groupsOf(member: StoredResource): { id: string; display: string }[];
  /** Those that were not members before, by `seq`. Refuses with 400 invalidValue an id that does not exist. */
  addMembers(group: StoredResource, ids: readonly string[]): readonly number[];
  /** Those that were members before, by `seq`. */
  removeMembers(group: StoredResource, ids: readonly string[]): readonly number[];
  /** Everybody who was, by `seq`. */
  clearMembers(group: StoredResource): readonly number[];
  /** Who was added or removed, by `seq`. */
  replaceMembers(group: StoredResource, ids: readonly string[]): readonly number[];
  /** All of what `work` writes, or nothing when it throws. */
  transaction<T>(work: () => T): T;
  close(): void;
}

/**
 * Opens or makes the file; `:memory:` keeps nothing. The file belongs to one process at a time. Throws SyncError
 * StateUnavailable for a file that is no directory's, StateLocked for one that is in use.
 */
export function openStore(file: string): DirectoryStore {
  const database = openDatabase(file);
  const statements = new Map<string, StatementSync>();
  const prepare = (sql: string): StatementSync => {
    const known = statements.get(sql);
    if (known !== undefined) return known;
    // Filters make statements of ever new forms.
    if (statements.size >= MAX_STATEMENTS) statements.clear();
    const made = database.prepare(sql);
    statements.set(sql, made);
    return made;
  };
  return createStore(database, prepare);
}

function openDatabase(file: string): DatabaseSync {
  let database: DatabaseSync | undefined;
  try {
    database = new DatabaseSync(file);
    database.exec(PRAGMAS);
    prepareSchema(database, file);
    return database;
  } catch (error) {
    database?.close();
    throw toOpenError(error, file);
  }
}

function prepareSchema(database: DatabaseSync, file: string): void {
  database.exec('BEGIN IMMEDIATE');
  const read = (pragma: string) => Object.values(database.prepare(`PRAGMA ${pragma}`).get() ?? {})[0];
  const isEmpty = Number(read('schema_version')) === 0;
  if (isEmpty) database.exec(SCHEMA);
  else if (read('application_id') !== APPLICATION_ID) {
    throw new SyncError('StateUnavailable', `${file} is an SQLite file, but not one of a directory`, {
      retry: 'never',
    });
  } else if (read('user_version') !== SCHEMA_VERSION) {
    throw new SyncError('StateUnavailable', `${file} was written by a newer version`, { retry: 'never' });
  }
  database.exec('COMMIT');
}

function toOpenError(error: unknown, file: string): SyncError {
  if (error instanceof SyncError) return error;
  const text = error instanceof Error ? error.message : '';
  if (/database is locked/.test(text)) {
    return new SyncError('StateLocked', `the directory's file ${file} is in use by another process`, { cause: error });
  }
  const reason = /not a database/.test(text) ? 'it is no SQLite file' : 'check that its folder exists and is writable';
  return new SyncError('StateUnavailable', `cannot open the directory's file ${file}: ${reason}`, { cause: error });
}

type Prepare = (sql: string) => StatementSync;

function createStore(database: DatabaseSync, prepare: Prepare): DirectoryStore {
  const transaction = <T>(work: () => T): T => {
    if (database.isTransaction) return work();
    prepare('BEGIN IMMEDIATE').run();
    try {
      const result = work();
      prepare('COMMIT').run();
      return result;
    } catch (error) {
      database.exec('ROLLBACK');
      throw error;
    }
  };
  return {
    ...createResourceStatements(prepare, transaction),
    ...createMemberStatements(prepare),
    transaction,
    close: () => database.close(),
  };
}

type ResourceMethods = 'insert' | 'update' | 'delete' | 'find' | 'count' | 'page' | 'scan';

function createResourceStatements(
  prepare: Prepare,
  transaction: DirectoryStore['transaction'],
): Pick<DirectoryStore, ResourceMethods> {
  return {
    insert(type, id, body, now) {
      const sql = `INSERT INTO resources (type, id, version, created, modified, user_name, display_name, display_key, external_id, body)
        VALUES (?, ?, 1, ?, ?, ?, ?, ?, ?, ?)`;
      const text = JSON.stringify(body);
      const values = [...toColumns(type, body), text];
      const result = refuseDuplicate(() => prepare(sql).run(type, id, now, now, ...values));
      return { seq: Number(result.lastInsertRowid), type, id, version: 1, created: now, modified: now, body: text };
    },
    update(resource, body, now) {
      const sql = `UPDATE resources SET version = ?, modified = ?, user_name = ?, display_name = ?, display_key = ?,
        external_id = ?, body = ? WHERE seq = ?`;
      const text = JSON.stringify(body);
      const version = resource.version + 1;
      const values = [...toColumns(resource.type, body), text];
      refuseDuplicate(() => prepare(sql).run(version, now, ...values, resource.seq));
      return { ...resource, version, modified: now, body: text };
    },
    delete(resource, now) {
      transaction(() => {
        prepare(`UPDATE resources SET version = version + 1, modified = ?
          WHERE seq IN (SELECT group_seq FROM members WHERE member_seq = ?)`).run(now, resource.seq);
        prepare('DELETE FROM members WHERE member_seq = ?').run(resource.seq);
        prepare('DELETE FROM members WHERE group_seq = ?').run(resource.seq);
        prepare('DELETE FROM resources WHERE seq = ?').run(resource.seq);
      });
    },
    find(type, id) {
      return toResource(prepare(`SELECT ${COLUMNS} FROM resources WHERE id = ? AND type = ?`).get(id, type));
    },
    count(type, condition) {
      const row = prepare(`SELECT count(*) AS n FROM resources WHERE ${toWhere(condition)}`).get(
        type,
        ...(condition?.parameters ?? []),
      );
      return Number(row?.['n']);
    },
    page(type, condition, { after, offset, limit }) {
      // The inner query walks an index alone, so that a late page does not read the bodies of all before it.
      const sql = `SELECT ${COLUMNS} FROM resources WHERE seq IN
        (SELECT seq FROM resources WHERE ${toWhere(condition)} AND ${condition === null ? '' : '+'}seq > ?
        ORDER BY seq LIMIT ? OFFSET ?) ORDER BY seq`;
      const rows = prepare(sql).all(type, ...(condition?.parameters ?? []), after, limit, offset);
      return rows.map(toResource).filter((each) => each !== undefined);
    },
    *scan(type, condition) {
      const sql = `SELECT ${COLUMNS} FROM resources WHERE ${toWhere(condition)} ORDER BY seq`;
      for (const row of prepare(sql).iterate(type, ...(condition?.parameters ?? []))) {
        const resource = toResource(row);
        if (resource !== undefined) yield resource;
      }
    },
  };
}

/** `+type`, `+seq`: with a condition, its index shall be used, and not one that half of the rows share. */
function toWhere(condition: SqlCondition | null): string {
  return condition === null ? 'type = ?' : `+type = ? AND (${condition.sql})`;
}

function toColumns(type: ResourceType, body: JsonObject): SQLInputValue[] {
  const text = (name: string) => (typeof body[name] === 'string' ? body[name] : null);
  const userName = type === 'User' ? text('userName') : null;
  const display = text('displayName');
  return [userName?.toLowerCase() ?? null, display, display?.toLowerCase() ?? null, text('externalId')];
}

function refuseDuplicate<T>(write: () => T): T {
  try {
    return write();
  } catch (error) {
    if (error instanceof Error && error.message.includes('resources.user_name')) {
      throw new Refusal(409, 'another user has this userName', { scimType: 'uniqueness' });
    }
    throw error;
  }
}

function toResource(row: Record<string, unknown> | undefined): StoredResource | undefined {
  return row as StoredResource | undefined;
}

type MemberMethods = 'membersOf' | 'groupsOf' | 'addMembers' | 'removeMembers' | 'clearMembers' | 'replaceMembers';

function createMemberStatements(prepare: Prepare): Pick<DirectoryStore, MemberMethods> {
  const findSeq = (id: string): number | undefined => {
    const row = prepare('SELECT seq FROM resources WHERE id = ?').get(id.toLowerCase());
    return row === undefined ? undefined : Number(row['seq']);
  };
  const requireSeq = (group: StoredResource, id: string): number => {
    const seq = findSeq(id);
    if (seq === undefined)
      throw toBadRequest('invalidValue', `"members" names ${JSON.stringify(id)}, which does not exist`);
    if (seq === group.seq) throw toBadRequest('invalidValue', 'a group cannot be a member of itself');
    return seq;
  };
  const add = (group: StoredResource, seq: number): boolean =>
    Number(prepare('INSERT OR IGNORE INTO members (group_seq, member_seq) VALUES (?, ?)').run(group.seq, seq).changes) >
    0;
  const remove = (group: StoredResource, seq: number): boolean =>
    Number(prepare('DELETE FROM members WHERE group_seq = ? AND member_seq = ?').run(group.seq, seq).changes) > 0;
  return {
    membersOf(group) {
      const sql = `SELECT r.id AS id, r.type AS type FROM members m JOIN resources r ON r.seq = m.member_seq
        WHERE m.group_seq = ? ORDER BY m.member_seq`;
      return prepare(sql).all(group.seq) as unknown as { id: string; type: ResourceType }[];
    },
    groupsOf(member) {
      const sql = `SELECT r.id AS id, r.display_name AS display FROM members m JOIN resources r ON r.seq = m.group_seq
        WHERE m.member_seq = ? ORDER BY m.group_seq`;
      return prepare(sql).all(member.seq) as unknown as { id: string; display: string }[];
    },
    addMembers: (group, ids) => ids.map((id) => requireSeq(group, id)).filter((seq) => add(group, seq)),
    removeMembers: (group, ids) => ids.flatMap((id) => findSeq(id) ?? []).filter((seq) => remove(group, seq)),
    clearMembers: (group) =>
      prepare('DELETE FROM members WHERE group_seq = ? RETURNING member_seq')
        .all(group.seq)
        .map((row) => Number(row['member_seq'])),
    replaceMembers(group, ids) {
      const wanted = new Set(ids.map((id) => requireSeq(group, id)));
      const rows = prepare('SELECT member_seq FROM members WHERE group_seq = ?').all(group.seq);
      const present = new Set(rows.map((row) => Number(row['member_seq'])));
      const removed = [...present].filter((seq) => !wanted.has(seq) && remove(group, seq));
      return [...removed, ...[...wanted].filter((seq) => !present.has(seq) && add(group, seq))];
    },
  };
}
