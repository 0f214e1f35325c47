import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { SyncError } from '../../../src/errors.ts';
import { toStateError } from '../../../src/state/sqlite/errors.ts';
import { applyMigrations, MIGRATIONS } from '../../../src/state/sqlite/schema.ts';
import { openSqliteStore } from '../../../src/state/sqlite/store.ts';
import { aLink, anOperation, aPlannedRow, aSourceUser, collect, numbers } from '../../support/state-rows.ts';

const ACME = { namespace: 'identity', id: 'acme' };
const NEVER = new AbortController().signal;

let folder: string;
let file: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'dirsync-file-'));
  file = join(folder, 'state.db');
});

afterEach(async () => {
  await rm(folder, { recursive: true, force: true });
});

describe('the state file', () => {
  it('is made with its folder, for the owner alone, and leaves nothing beside it but the lock', async () => {
    file = join(folder, 'new', 'folder', 'state.db');
    const store = await openSqliteStore(file);
    const lease = await store.acquire('dirsync apply', { signal: NEVER });
    await (await store.directory(ACME)).facts.put('a', 1);
    expect(await modeOf(join(folder, 'new'))).toBe(0o700);
    expect(await modeOf(join(folder, 'new', 'folder'))).toBe(0o700);
    expect(await modeOf(file)).toBe(0o600);
    expect(await modeOf(`${file}-wal`)).toBe(0o600);
    expect(await modeOf(`${file}.lock`)).toBe(0o600);
    await lease.release();
    await store.close();
    expect((await readdir(join(folder, 'new', 'folder'))).sort()).toEqual(['state.db', 'state.db.lock']);
    expect(store.location).toBe(file);
  });

  it('takes an empty file for a store that is still to be made', async () => {
    await writeFile(file, '');
    const store = await openSqliteStore(file);
    expect(await store.directories()).toEqual([]);
    await store.close();
  });

  it('that was deleted is a new one, whatever a killed process left beside it', async () => {
    const store = await openSqliteStore(file);
    await (await store.directory(ACME)).facts.put('a', 1);
    const log = await readFile(`${file}-wal`);
    await store.close();
    await rm(file);
    await writeFile(`${file}-wal`, log);
    const again = await openSqliteStore(file);
    expect(await again.directories()).toEqual([]);
    await again.close();
  });

  it('uses a write-ahead log and gives space back after a purge', async () => {
    const store = await openSqliteStore(file);
    const { journal } = await store.directory(ACME);
    await journal.startRun({ id: 'run-1', kind: 'Full', startedAt: 1 });
    const bulky = { reason: 'x'.repeat(2_000) };
    await journal.addOperations(
      'run-1',
      numbers(2_000).map((seq) => aPlannedRow(anOperation(seq, bulky))),
    );
    await store.close();
    const full = (await stat(file)).size;
    expect(pragma('journal_mode')).toBe('wal');

    const again = await openSqliteStore(file);
    await (await again.directory(ACME)).journal.purge(2);
    await again.close();
    expect(full).toBeGreaterThan(4_000_000);
    expect((await stat(file)).size).toBeLessThan(full / 10);
  });

  it('stores what was last applied compressed where that is shorter, with its fingerprint', async () => {
    const store = await openSqliteStore(file);
    const { links } = await store.directory(ACME);
    const applied = { title: 'again and again '.repeat(100) };
    await links.apply([
      { type: 'putLink', link: aLink('ada', { applied }) },
      { type: 'putLink', link: aLink('bob', { applied: { title: 'short' } }) },
    ]);
    await store.close();
    const db = new DatabaseSync(file);
    const rows = db.prepare('SELECT typeof(applied) AS type, length(applied) AS length, fingerprint FROM links').all();
    db.close();
    expect(rows).toMatchObject([
      { type: 'blob', fingerprint: expect.stringMatching(/^[0-9a-f]{16}$/) },
      { type: 'text' },
    ]);
    expect(Number(rows[0]?.['length'])).toBeLessThan(100);
  });

  it('stages without a file of its own that could be left behind', async () => {
    const store = await openSqliteStore(file);
    const { staging } = await store.directory(ACME);
    await staging.addUsers(
      numbers(2_000).map((n) => aSourceUser(String(n), { attributes: { text: 'x'.repeat(5_000) } })),
    );
    expect((await readdir(folder)).sort()).toEqual(['state.db', 'state.db-shm', 'state.db-wal']);
    expect(await staging.countUsers()).toBe(2_000);
    await store.close();
    const again = await openSqliteStore(file);
    expect(await (await again.directory(ACME)).staging.countUsers(), 'it ends with the store').toBe(0);
    await again.close();
  });

  it('may be in memory, with a lease that only this store can hold', async () => {
    const store = await openSqliteStore(':memory:');
    const { links, staging } = await store.directory(ACME);
    await links.apply([{ type: 'putLink', link: aLink('ada') }]);
    await staging.addUsers([aSourceUser('ada')]);
    expect(await collect(staging.people())).toHaveLength(1);
    await (await store.acquire('one', { signal: NEVER })).release();
    await store.close();
  });

  it('in a folder that cannot be made is refused at once', async () => {
    await expect(openSqliteStore('/proc/nothing/below/state.db')).rejects.toMatchObject({ code: 'StateUnavailable' });
  });

  it('may be made by several processes at once', async () => {
    const process = fileURLToPath(new URL('../../support/state-process.ts', import.meta.url));
    const module = new URL('./open.ts', import.meta.url).href;
    const codes = await Promise.all(numbers(4).map(() => runNode([process, module, file, 'write'])));
    expect(codes).toEqual([0, 0, 0, 0]);
    const store = await openSqliteStore(file);
    expect(await store.directories()).toHaveLength(4);
    await store.close();
  });
});

describe('D7 a file that cannot be used', () => {
  it('another program’s SQLite file is refused and not touched', async () => {
    const db = new DatabaseSync(file);
    db.exec(
      `PRAGMA application_id = 42; PRAGMA journal_mode = WAL; CREATE TABLE mine (x); INSERT INTO mine VALUES (1)`,
    );
    db.close();
    const before = await readFile(file);
    await expect(openSqliteStore(file)).rejects.toMatchObject({
      code: 'StateUnavailable',
      message: `state file ${file} is not a Dirsync state file; name another file (it was left as it is)`,
    });
    expect(await readFile(file)).toEqual(before);
    expect(await readdir(folder)).toEqual(['state.db']);
  });

  it.each([
    { because: 'shorter than a header', content: 'SQLite format 3\0' },
    { because: 'a CSV', content: 'id,mail\n'.repeat(50) },
  ])('a text file is refused: $because', async ({ content }) => {
    await writeFile(file, content);
    await expect(openSqliteStore(file)).rejects.toThrow('is not a Dirsync state file');
    expect(await readFile(file, 'latin1')).toBe(content);
    expect(await readdir(folder)).toEqual(['state.db']);
  });

  it('a folder in its place', async () => {
    await mkdir(file);
    await expect(openSqliteStore(file)).rejects.toMatchObject({
      code: 'StateUnavailable',
      message: `state file ${file} is a folder; name a file`,
    });
  });

  it('a file where its folder should be', async () => {
    await writeFile(join(folder, 'config'), '');
    await expect(openSqliteStore(join(folder, 'config', 'state.db'))).rejects.toMatchObject({
      code: 'StateUnavailable',
      message: expect.stringContaining('a part of its path is a file and not a folder'),
    });
  });

  it('a folder that may not be written', async () => {
    await chmod(folder, 0o555);
    await expect(asOrdinaryUser(() => openSqliteStore(file))).rejects.toMatchObject({
      code: 'StateUnavailable',
      message: `state file ${file} cannot be opened: permission denied; check the permissions of the file and its folder`,
    });
  });

  it('a lock file that is none', async () => {
    const store = await openSqliteStore(file);
    await writeFile(`${file}.lock`, 'something else, long enough to be looked at as a header of a database'.repeat(10));
    await expect(store.acquire('dirsync apply', { signal: NEVER })).rejects.toMatchObject({
      code: 'StateUnavailable',
      message: `state file ${file}.lock is no lock; remove it while no Dirsync runs`,
    });
    await store.close();
  });

  it('a full disk', () => {
    const db = new DatabaseSync(file);
    db.exec('PRAGMA max_page_count = 3; CREATE TABLE t (x)');
    expect(caught(() => db.exec(`INSERT INTO t VALUES ('${'x'.repeat(50_000)}')`))).toMatchObject({
      code: 'StateUnavailable',
      message: `state file ${file} could not be written: the disk is full; free some space and run again`,
    });
    db.close();
  });

  it('a file that may only be read', () => {
    new DatabaseSync(file).exec('CREATE TABLE t (x)');
    const db = new DatabaseSync(file, { readOnly: true });
    expect(caught(() => db.exec('INSERT INTO t VALUES (1)'))).toMatchObject({
      code: 'StateUnavailable',
      message: expect.stringContaining('cannot be written; check the permissions'),
    });
    db.close();
  });

  it('one that another program has locked', async () => {
    await (await openSqliteStore(file)).close();
    const other = new DatabaseSync(file);
    other.exec('BEGIN IMMEDIATE');
    const store = await openSqliteStore(file, { busyTimeoutMs: 20 });
    const { facts } = await store.directory(ACME);
    await expect(facts.put('a', 1)).rejects.toMatchObject({
      code: 'StateUnavailable',
      message: expect.stringContaining('is in use by another program for too long'),
    });
    other.exec('COMMIT');
    await facts.put('a', 1);
    await store.close();
    other.close();
  });

  it('a defect of the program is not blamed on the file', () => {
    const db = new DatabaseSync(':memory:');
    expect(caught(() => db.exec('SELECT nonsense'))).toMatchObject({ code: 'Unknown' });
  });
});

describe('D6 migrations', () => {
  const known = MIGRATIONS.length;
  const another = 'CREATE TABLE later (x); INSERT INTO later SELECT name FROM directories';

  it('an older file gets what it lacks, once, and keeps its rows', async () => {
    const store = await openSqliteStore(file);
    await (await store.directory(ACME)).facts.put('a', 1);
    await store.close();
    const db = new DatabaseSync(file);
    applyMigrations(db, file, [...MIGRATIONS, another]);
    applyMigrations(db, file, [...MIGRATIONS, another]);
    expect(db.prepare('SELECT x FROM later').all()).toMatchObject([{ x: 'acme' }]);
    db.close();
    expect(pragma('user_version')).toBe(known + 1);
    await expect(openSqliteStore(file)).rejects.toThrow(
      `state file ${file} was written by a newer Dirsync (schema ${known + 1}, this one knows ${known}); update Dirsync or name another file`,
    );
  });

  it('operations of the first version keep the guard that counts them', () => {
    const db = new DatabaseSync(file);
    applyMigrations(db, file, MIGRATIONS.slice(0, 1));
    db.exec(`INSERT INTO directories VALUES (1, 'identity', 'acme');
      INSERT INTO runs (id, directory, name, kind, started_at) VALUES (1, 1, 'run-1', 'Full', 1);`);
    const columns = 'run, seq, phase, kind, resource, unit, guard, scope, removal, recovered, status';
    const insert = db.prepare(
      `INSERT INTO operations (${columns}) VALUES (1, ?, 'p', ?, 'User', 'u', ?, ?, 1, 0, 'begun')`,
    );
    insert.run(1, 'removeMembers', 'removeMembers', 'rule:sales');
    insert.run(2, 'removeMembers', 'deactivate', '');
    insert.run(3, 'update', null, '');
    applyMigrations(db, file, MIGRATIONS);
    expect(db.prepare('SELECT guards, approved FROM operations ORDER BY seq').all()).toMatchObject([
      { guards: '[{"kind":"removeMembers","scope":"rule:sales"}]', approved: 0 },
      { guards: '[]', approved: 0 },
      { guards: '[]', approved: 0 },
    ]);
    db.close();
  });

  it('descriptions of teams are kept among what was written of them', () => {
    const db = new DatabaseSync(file);
    const at = MIGRATIONS.findIndex((each) => each.includes('ADD COLUMN applied'));
    applyMigrations(db, file, MIGRATIONS.slice(0, at));
    db.exec(`INSERT INTO directories VALUES (1, 'identity', 'acme');
      INSERT INTO teams (id, directory, key, target_id, display_name, description, rules, deletion_policy, origin, dirty)
      VALUES (1, 1, 'rule:a', 't1', 'A', 'what it is for', '[]', 'Retain', 'created', 0),
             (2, 1, 'rule:b', 't2', 'B', NULL, '[]', 'Retain', 'created', 0);`);
    applyMigrations(db, file, MIGRATIONS);
    expect(db.prepare('SELECT applied FROM teams ORDER BY id').all()).toMatchObject([
      { applied: '{"description":"what it is for"}' },
      { applied: '{}' },
    ]);
    db.close();
  });

  it('one that fails half way leaves the file as it was', () => {
    const db = new DatabaseSync(file);
    applyMigrations(db, file, MIGRATIONS);
    expect(() => applyMigrations(db, file, [...MIGRATIONS, `${another}; SELECT nonsense`])).toThrow('nonsense');
    expect(db.prepare(`SELECT count(*) AS count FROM sqlite_schema WHERE name = 'later'`).get()).toMatchObject({
      count: 0,
    });
    db.close();
    expect(pragma('user_version')).toBe(known);
  });
});

async function modeOf(path: string): Promise<number> {
  return (await stat(path)).mode & 0o777;
}

function pragma(name: string): unknown {
  const db = new DatabaseSync(file);
  const value = db.prepare(`PRAGMA ${name}`).get()?.[name];
  db.close();
  return value;
}

function caught(work: () => unknown): SyncError {
  try {
    work();
  } catch (error) {
    return toStateError(file, error);
  }
  return new SyncError('Unknown', 'nothing was thrown');
}

/** Permissions do not bind root, and that is who runs tests in a container. */
async function asOrdinaryUser<T>(work: () => Promise<T>): Promise<T> {
  const { geteuid, seteuid } = process;
  if (geteuid?.() !== 0 || seteuid === undefined) return work();
  seteuid(65_534);
  try {
    return await work();
  } finally {
    seteuid(0);
  }
}

async function runNode(args: readonly string[]): Promise<unknown> {
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'inherit', 'inherit'] });
  const [code] = await once(child, 'exit');
  return code;
}
