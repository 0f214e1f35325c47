import type { GroupMember, SourceUser } from '../../model.ts';
import type { Mirror, MirrorChange, MirrorHead } from '../mirror.ts';
import { firstPlace, PAGE, readPages } from './connection.ts';
import type { Directory } from './directory.ts';
import { writeSpaceBack } from './purge.ts';
import { parseJson } from './rows.ts';
import { toMemberRow } from './source-groups.ts';

/** Rows of one transaction: some tens of milliseconds. */
const CHUNK = 5000;
/** Tables of records, and where a run stages them. */
const RECORDS = [
  { mirror: 'mirror_users', staged: 'run.users', resource: 'User' },
  { mirror: 'mirror_groups', staged: 'run.groups', resource: 'Group' },
] as const;
type Records = (typeof RECORDS)[number];

export function toMirror(of: Directory): Mirror {
  return {
    head: async () => readHead(of),
    users: async (ids) => readUsers(of, ids),
    async stage(changes) {
      if (changes.length === 0) return;
      await of.stage((directory) => {
        for (const change of changes) stageChange(of, directory, change);
      });
    },
    untouched: () => readUntouched(of),
    fill: (what) => fill(of, what),
    async update(head) {
      if (countTouched(of) > CHUNK) await replace(of, head);
      else await of.write((directory) => writeTouched(of, directory, head));
    },
    replace: (head) => replace(of, head),
    drop: (what) => drop(of, what),
  };
}

function readHead({ db, number }: Directory): MirrorHead | null {
  const row = db.get<{ mark: string; cursors: string; full_at: number; summary: string }>(
    'SELECT mark, cursors, full_at, summary FROM mirrors WHERE directory = ?1',
    number(),
  );
  if (row === undefined) return null;
  const { mark, full_at: fullAt } = row;
  return {
    mark,
    fullAt,
    cursors: parseJson<MirrorHead['cursors']>(db, row.cursors),
    summary: parseJson<MirrorHead['summary']>(db, row.summary),
  };
}

function writeHead({ db }: Directory, directory: number, { mark, cursors, fullAt, summary }: MirrorHead): void {
  db.run(
    `INSERT INTO mirrors (directory, mark, cursors, full_at, summary) VALUES (?1, ?2, ?3, ?4, ?5)
     ON CONFLICT DO UPDATE SET
       mark = excluded.mark, cursors = excluded.cursors, full_at = excluded.full_at, summary = excluded.summary`,
    ...[directory, mark, JSON.stringify(cursors), fullAt, JSON.stringify(summary)],
  );
}

/** Of a table `m` of the mirror: no change has spoken of the record. */
const untouched = (resource: Records['resource']): string =>
  `NOT EXISTS (SELECT 1 FROM run.touched t WHERE t.directory = ?1 AND t.resource = '${resource}' AND t.id = m.id)`;

function readUsers({ db, number }: Directory, ids: readonly string[]): ReadonlyMap<string, SourceUser> {
  db.openScratch();
  const users = new Map<string, SourceUser>();
  for (let first = 0; first < ids.length; first += PAGE) {
    const rows = db.all<{ body: string }>(
      `SELECT u.body FROM json_each(?2) i JOIN run.users u ON u.directory = ?1 AND u.id = i.value
       UNION ALL
       SELECT m.body FROM json_each(?2) i JOIN mirror_users m ON m.directory = ?1 AND m.id = i.value
       WHERE ${untouched('User')}`,
      ...[number(), JSON.stringify(ids.slice(first, first + PAGE))],
    );
    for (const { body } of rows) {
      const user = parseJson<SourceUser>(db, body);
      users.set(user.id, user);
    }
  }
  return users;
}

async function* readUntouched({ db, number }: Directory): AsyncGenerator<readonly SourceUser[]> {
  db.openScratch();
  const directory = number();
  const pages = readPages<{ place: number; body: string }>((last) =>
    db.all(
      `SELECT m.place, m.body FROM mirror_users m
       WHERE m.place > ?2 AND m.place < ?3 AND ${untouched('User')} ORDER BY m.place LIMIT ${PAGE}`,
      ...[directory, last?.place ?? firstPlace(directory), firstPlace(directory + 1)],
    ),
  );
  for await (const rows of pages) yield rows.map(({ body }) => parseJson<SourceUser>(db, body));
}

function stageChange(of: Directory, directory: number, change: MirrorChange): void {
  switch (change.type) {
    case 'user':
      stageRecord(of, directory, { resource: 'User', table: 'run.users', record: change.user });
      return;
    case 'group':
      stageRecord(of, directory, { resource: 'Group', table: 'run.groups', record: change.group });
      return;
    case 'userUnread':
      unstageRecord(of, directory, { resource: 'User', table: 'run.users', id: change.id });
      return;
    case 'userRemoved':
      unstageRecord(of, directory, { resource: 'User', table: 'run.users', id: change.id });
      removeMember(of, directory, change.id);
      return;
    case 'groupRemoved':
      unstageRecord(of, directory, { resource: 'Group', table: 'run.groups', id: change.id });
      removeMember(of, directory, change.id);
      clearMembers(of, directory, change.id);
      return;
    case 'members':
      if (change.replaces) clearMembers(of, directory, change.group);
      for (const ref of change.removed) removeMember(of, directory, ref, change.group);
      addMembers(of, directory, change);
  }
}

type Staged = Pick<Records, 'resource'> & { readonly table: Records['staged'] };

function stageRecord(
  of: Directory,
  directory: number,
  { record, ...staged }: Staged & { readonly record: { readonly id: string } },
): void {
  unstageRecord(of, directory, { ...staged, id: record.id });
  of.db.run(
    `INSERT INTO ${staged.table} (place, directory, id, body) VALUES (?1, ?2, ?3, ?4)`,
    ...[of.db.nextPlace(directory), directory, record.id, JSON.stringify(record)],
  );
}

function unstageRecord(
  { db }: Directory,
  directory: number,
  { resource, table, id }: Staged & { readonly id: string },
): void {
  db.run('INSERT OR IGNORE INTO run.touched (directory, resource, id) VALUES (?1, ?2, ?3)', directory, resource, id);
  db.run(`DELETE FROM ${table} WHERE directory = ?1 AND id = ?2`, directory, id);
}

/** From one group, or from all of them. */
function removeMember({ db }: Directory, directory: number, ref: string, group: string | null = null): void {
  // Whom everybody stands for has no name.
  if (ref === '') return;
  db.run(
    `INSERT INTO run.touched_members (directory, group_id, ref, kind, alias, present)
     SELECT directory, group_id, ref, kind, alias, 0 FROM mirror_members
     WHERE directory = ?1 AND ref = ?2 AND (?3 IS NULL OR group_id = ?3)
     ON CONFLICT DO NOTHING`,
    ...[directory, ref, group],
  );
  db.run(
    `UPDATE run.touched_members SET present = 0 WHERE directory = ?1 AND ref = ?2 AND (?3 IS NULL OR group_id = ?3)`,
    ...[directory, ref, group],
  );
}

function clearMembers({ db }: Directory, directory: number, group: string): void {
  db.run('INSERT OR IGNORE INTO run.replaced_groups (directory, group_id) VALUES (?1, ?2)', directory, group);
  db.run('DELETE FROM run.touched_members WHERE directory = ?1 AND group_id = ?2', directory, group);
}

function addMembers(
  { db }: Directory,
  directory: number,
  { group, added }: { readonly group: string; readonly added: readonly GroupMember[] },
): void {
  if (added.length === 0) return;
  db.run(
    `INSERT OR REPLACE INTO run.touched_members (directory, group_id, kind, ref, alias, present)
     SELECT ?1, ?2, value ->> 0, value ->> 1, value ->> 2, 1 FROM json_each(?3)`,
    ...[directory, group, JSON.stringify(added.map(toMemberRow))],
  );
}

/** Of a row `m` of `mirror_members`: no change has spoken of it. */
const UNTOUCHED_MEMBER = `
  NOT EXISTS (SELECT 1 FROM run.replaced_groups r WHERE r.directory = ?1 AND r.group_id = m.group_id)
  AND NOT EXISTS (SELECT 1 FROM run.touched_members t
    WHERE t.directory = ?1 AND t.group_id = m.group_id AND t.ref = m.ref AND t.kind = m.kind)`;

async function fill(of: Directory, what: 'everything' | 'people'): Promise<void> {
  const { db } = of;
  const records = what === 'people' ? RECORDS.filter(({ resource }) => resource === 'User') : RECORDS;
  for (const { mirror, staged, resource } of records) {
    await inChunks(of, { table: mirror, key: ['place'] }, (directory, range, values) =>
      db.run(
        `INSERT INTO ${staged} (place, directory, id, body)
         SELECT ${db.nextPlace(directory, CHUNK)} + row_number() OVER (ORDER BY m.place) - 1, m.directory, m.id, m.body
         FROM ${mirror} m WHERE ${range} AND ${untouched(resource)}`,
        ...values,
      ),
    );
  }
  await inChunks(of, { table: 'mirror_aliases', key: ['source_id', 'name'] }, (_directory, range, values) =>
    db.run(
      `INSERT OR IGNORE INTO run.aliases (directory, name, source_id)
       SELECT m.directory, m.name, m.source_id FROM mirror_aliases m WHERE ${range} AND NOT EXISTS
         (SELECT 1 FROM run.touched t WHERE t.directory = ?1 AND t.resource = 'User' AND t.id = m.source_id)`,
      ...values,
    ),
  );
  if (what === 'people') return;
  await of.stage((directory) =>
    db.run(
      `INSERT OR IGNORE INTO run.group_members (directory, group_id, kind, ref, alias)
       SELECT directory, group_id, kind, ref, alias FROM run.touched_members WHERE directory = ?1 AND present = 1`,
      directory,
    ),
  );
  await inChunks(of, { table: 'mirror_members', key: ['group_id', 'ref', 'kind'] }, (_directory, range, values) =>
    db.run(
      `INSERT OR IGNORE INTO run.group_members (directory, group_id, kind, ref, alias)
       SELECT m.directory, m.group_id, m.kind, m.ref, m.alias FROM mirror_members m
       WHERE ${range} AND ${UNTOUCHED_MEMBER}`,
      ...values,
    ),
  );
}

interface Chunked {
  readonly table: string;
  /** Columns that tell the directory's rows apart, in the order of an index. */
  readonly key: readonly string[];
}

/**
 * A table chunk by chunk, each in a transaction of the scratch database, or of both.
 * @param work gets a condition on rows `m` of the chunk, and its values; `?1` is the directory
 */
async function inChunks(
  of: Directory,
  { table, key }: Chunked,
  work: (directory: number, range: string, values: readonly (number | string)[]) => void,
  transact: (work: (directory: number) => void) => Promise<void> = of.stage,
): Promise<void> {
  of.db.openScratch();
  const columns = key.map((column) => `m.${column}`).join(', ');
  const list = (first: number): string => key.map((_, index) => `?${first + index}`).join(', ');
  const isPlace = key[0] === 'place';
  // Of a place the directory is the first half.
  const own = isPlace ? `m.place < (?1 + 1) * ${firstPlace(1)}` : 'm.directory = ?1';
  const beyond = `${own} AND (${columns}) > (${list(2)})`;
  const ordered = (way: string): string => key.map((column) => `m.${column} ${way}`).join(', ');
  const select = `SELECT ${columns} FROM ${table} m WHERE ${beyond} ORDER BY`;
  let last: readonly (number | string)[] = isPlace ? [firstPlace(of.number())] : key.map(() => '');
  for (;;) {
    const values = [of.number(), ...last];
    const row =
      of.db.get<Record<string, number | string>>(
        `${select} ${ordered('ASC')} LIMIT 1 OFFSET ${CHUNK - 1}`,
        ...values,
      ) ?? of.db.get<Record<string, number | string>>(`${select} ${ordered('DESC')} LIMIT 1`, ...values);
    if (row === undefined) return;
    const end = key.map((column) => row[column] ?? '');
    const range = `${beyond} AND (${columns}) <= (${list(2 + key.length)})`;
    await transact((directory) => work(directory, range, [directory, ...last, ...end]));
    last = end;
  }
}

function countTouched({ db, number }: Directory): number {
  const row = db.get<{ count: number }>(
    `SELECT (SELECT count(*) FROM run.touched WHERE directory = ?1)
       + (SELECT count(*) FROM run.touched_members WHERE directory = ?1)
       + (SELECT count(*) FROM run.replaced_groups WHERE directory = ?1) AS count`,
    number(),
  );
  return row?.count ?? 0;
}

/** One transaction: a kill leaves the mirror and the cursors as they were, or as they are. */
function writeTouched(of: Directory, directory: number, head: MirrorHead): void {
  const { db } = of;
  for (const { mirror, staged, resource } of RECORDS) {
    const touched = `SELECT id FROM run.touched WHERE directory = ?1 AND resource = '${resource}'`;
    db.run(
      `DELETE FROM ${mirror} AS m WHERE m.directory = ?1 AND m.id IN (${touched})
       AND NOT EXISTS (SELECT 1 FROM ${staged} u WHERE u.directory = ?1 AND u.id = m.id)`,
      directory,
    );
    insertRecords(of, directory, { mirror, rows: `${staged} m WHERE m.directory = ?1 AND m.id IN (${touched})` });
  }
  const people = `SELECT id FROM run.touched WHERE directory = ?1 AND resource = 'User'`;
  db.run(`DELETE FROM mirror_aliases WHERE directory = ?1 AND source_id IN (${people})`, directory);
  db.run(
    `INSERT OR IGNORE INTO mirror_aliases (directory, source_id, name)
     SELECT directory, source_id, name FROM run.aliases WHERE directory = ?1 AND source_id IN (${people})`,
    directory,
  );
  db.run(`DELETE FROM mirror_members AS m WHERE m.directory = ?1 AND NOT (${UNTOUCHED_MEMBER})`, directory);
  db.run(
    `INSERT OR IGNORE INTO mirror_members (directory, group_id, ref, kind, alias)
     SELECT directory, group_id, ref, kind, alias FROM run.touched_members WHERE directory = ?1 AND present = 1`,
    directory,
  );
  writeHead(of, directory, head);
}

/** Known ones keep their place, and what is the same already costs no page of the log. */
function insertRecords(
  { db }: Directory,
  directory: number,
  { mirror, rows }: { readonly mirror: Records['mirror']; readonly rows: string },
  values: readonly (number | string)[] = [directory],
): void {
  const last = db.get<{ place: number | null }>(
    `SELECT max(place) AS place FROM ${mirror} WHERE place > ?1 AND place < ?2`,
    ...[firstPlace(directory), firstPlace(directory + 1)],
  );
  db.run(
    `INSERT INTO ${mirror} (place, directory, id, body)
     SELECT ${last?.place ?? firstPlace(directory)} + row_number() OVER (ORDER BY m.place), m.directory, m.id, m.body
     FROM ${rows}
     ON CONFLICT (directory, id) DO UPDATE SET body = excluded.body WHERE body <> excluded.body`,
    ...values,
  );
}

async function replace(of: Directory, head: MirrorHead): Promise<boolean> {
  await drop(of, 'head');
  if (hasDuplicates(of)) return false;
  for (const { mirror, staged } of RECORDS) {
    const written = { table: staged, key: ['place'] };
    await inChunks(
      of,
      written,
      (directory, range, values) =>
        insertRecords(of, directory, { mirror, rows: `${staged} m WHERE ${range}` }, values),
      of.write,
    );
    await deleteOthers(of, { table: mirror, key: ['place'] }, { staged, same: ['id'] });
  }
  const aliases = ['source_id', 'name'];
  await insertAll(
    of,
    { table: 'run.aliases', key: ['name', 'source_id'] },
    { mirror: 'mirror_aliases', columns: aliases },
  );
  await deleteOthers(of, { table: 'mirror_aliases', key: aliases }, { staged: 'run.aliases', same: aliases });
  const members = ['group_id', 'ref', 'kind'];
  await insertAll(
    of,
    { table: 'run.group_members', key: ['group_id', 'kind', 'ref'] },
    { mirror: 'mirror_members', columns: [...members, 'alias'] },
  );
  await deleteOthers(of, { table: 'mirror_members', key: members }, { staged: 'run.group_members', same: members });
  await of.write((directory) => writeHead(of, directory, head));
  return true;
}

function hasDuplicates({ db, number }: Directory): boolean {
  db.openScratch();
  return RECORDS.some(
    ({ staged }) =>
      db.get(`SELECT 1 FROM ${staged} WHERE directory = ?1 GROUP BY id HAVING count(*) > 1 LIMIT 1`, number()) !==
      undefined,
  );
}

async function insertAll(
  of: Directory,
  from: Chunked,
  { mirror, columns }: { readonly mirror: string; readonly columns: readonly string[] },
): Promise<void> {
  const insert = `INSERT OR IGNORE INTO ${mirror} (directory, ${columns.join(', ')})
    SELECT m.directory, ${columns.map((column) => `m.${column}`).join(', ')} FROM ${from.table} m`;
  await inChunks(of, from, (_directory, range, values) => of.db.run(`${insert} WHERE ${range}`, ...values), of.write);
}

/** Rows of the mirror that the scratch space does not have. */
async function deleteOthers(
  of: Directory,
  from: Chunked,
  { staged, same }: { readonly staged: string; readonly same: readonly string[] },
): Promise<void> {
  const isSame = same.map((column) => `s.${column} = m.${column}`).join(' AND ');
  await inChunks(
    of,
    from,
    (_directory, range, values) =>
      of.db.run(
        `DELETE FROM ${from.table} AS m WHERE ${range}
         AND NOT EXISTS (SELECT 1 FROM ${staged} s WHERE s.directory = ?1 AND ${isSame})`,
        ...values,
      ),
    of.write,
  );
}

async function drop(of: Directory, what: 'head' | 'everything'): Promise<void> {
  const { db } = of;
  const directory = of.number();
  if (db.get('SELECT 1 FROM mirrors WHERE directory = ?1', directory) !== undefined)
    await of.write((number) => db.run('DELETE FROM mirrors WHERE directory = ?1', number));
  if (what === 'head') return;
  let deleted = 0;
  for (const [table, key] of Object.entries(KEYS)) {
    await inChunks(
      of,
      { table, key },
      (_directory, range, values) => {
        deleted += db.run(`DELETE FROM ${table} AS m WHERE ${range}`, ...values);
      },
      of.write,
    );
  }
  if (deleted > 0) await writeSpaceBack(of);
}

const KEYS: Readonly<Record<string, readonly string[]>> = {
  mirror_users: ['place'],
  mirror_aliases: ['source_id', 'name'],
  mirror_groups: ['place'],
  mirror_members: ['group_id', 'ref', 'kind'],
};
