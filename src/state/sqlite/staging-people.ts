import { setImmediate as nextTurn } from 'node:timers/promises';
import type { DesiredUser } from '../../model.ts';
import type { TargetObject } from '../../targets/target.ts';
import type { Candidate, PersonState } from '../staging.ts';
import { type Connection, firstPlace, PAGE, readPages } from './connection.ts';
import type { Directory } from './directory.ts';
import { LINK_COLUMNS, type LinkRow, parseJson, toLink } from './rows.ts';
import { neighbourExpression, readDirectoryKey } from './staging-neighbours.ts';

/** More accounts than this say nothing that two do not say: nobody is guessed. */
const CANDIDATES = 10;
/** Source ids that are named of one shared value. */
const NAMED = 10;
/** Accounts that are counted in one turn of the event loop. */
const COUNTED = 5000;

type PersonRow = { [Column in keyof LinkRow]: LinkRow[Column] | null } & {
  place: number | null;
  desired: string | null;
  observed: string | null;
  gone: number;
  contested_by: number | null;
};

/**
 * Was the account (or team) of `link`, a row of an outer join, looked for and not found? `?1` is the directory. What was
 * seen is asked last, because it is the dearest question, and never asked where nobody looked.
 */
export function goneExpression(resource: 'User' | 'Team', link: string): string {
  const observed = resource === 'User' ? 'run.observed' : 'run.observed_teams';
  return `(${link}.id IS NOT NULL
    AND (EXISTS (SELECT 1 FROM run.complete WHERE directory = ?1 AND resource = '${resource}')
      OR EXISTS (SELECT 1 FROM run.missing x
                 WHERE x.directory = ?1 AND x.resource = '${resource}' AND x.id = ${link}.target_id))
    AND NOT EXISTS (SELECT 1 FROM ${observed} x WHERE x.directory = ?1 AND x.id = ${link}.target_id))`;
}

const CONTESTED_BY = neighbourExpression('User', 'l.target_id', 'n.neighbour < ?1');

export async function* readPeople(of: Directory, only: string | null): AsyncGenerator<readonly PersonState[]> {
  of.db.openScratch();
  const directory = of.number();
  for await (const rows of readDesiredRows(of.db, directory, only)) yield toPeople(of.db, directory, rows);
  for await (const rows of readLinkedRows(of.db, directory, only)) yield toPeople(of.db, directory, rows);
}

/** Of the row `d` of what is wanted. */
const DESIRED_PERSON = `
  SELECT d.place, b.body AS desired, o.body AS observed, ${goneExpression('User', 'l')} AS gone,
    ${CONTESTED_BY} AS contested_by, ${LINK_COLUMNS}
  FROM run.desired d
  JOIN run.desired_bodies b ON b.place = d.place
  LEFT JOIN main.links l ON l.directory = ?1 AND l.source_id = d.source_id
  LEFT JOIN run.observed o ON o.directory = ?1 AND o.id = l.target_id`;

/** Of the row `l` of links. */
const LINKED_PERSON = `
  SELECT NULL AS place, NULL AS desired, o.body AS observed, ${goneExpression('User', 'l')} AS gone,
    ${CONTESTED_BY} AS contested_by, ${LINK_COLUMNS}
  FROM main.links l
  LEFT JOIN run.observed o ON o.directory = ?1 AND o.id = l.target_id`;

const IS_UNREAD = 'NOT EXISTS (SELECT 1 FROM run.desired d WHERE d.directory = ?1 AND d.source_id = l.source_id)';

function readDesiredRows(db: Connection, directory: number, only: string | null): AsyncGenerator<PersonRow[]> {
  return readPages<PersonRow>((last) =>
    db.all(
      `${DESIRED_PERSON} WHERE d.place > ?2 AND d.place < ?3 ${toOnly('d', 4, only)} ORDER BY d.place LIMIT ${PAGE}`,
      ...[directory, last?.place ?? firstPlace(directory), firstPlace(directory + 1), ...toList(only)],
    ),
  );
}

/** Links of people who are not in the read. */
function readLinkedRows(db: Connection, directory: number, only: string | null): AsyncGenerator<PersonRow[]> {
  return readPages<PersonRow>((last) =>
    db.all(
      `${LINKED_PERSON} WHERE l.directory = ?1 AND l.source_id > ?2 ${toOnly('l', 3, only)} AND ${IS_UNREAD}
       ORDER BY l.source_id LIMIT ${PAGE}`,
      ...[directory, last?.source_id ?? '', ...toList(only)],
    ),
  );
}

function toOnly(table: 'd' | 'l', parameter: number, only: string | null): string {
  return only === null ? '' : `AND ${table}.directory = ?1 AND ${table}.source_id = ?${parameter}`;
}

const toList = (only: string | null): readonly string[] => (only === null ? [] : [only]);

/** Nearly everybody has an account: what else is known is asked for those alone who have none. */
export async function* readWithoutAccount(of: Directory, only: string | null): AsyncGenerator<readonly PersonState[]> {
  of.db.openScratch();
  const { db } = of;
  const directory = of.number();
  const desired = readPages<{ place: number; open: number }>((last) =>
    db.all(
      `SELECT d.place, (l.id IS NULL OR ${goneExpression('User', 'l')}) AS open
       FROM run.desired d LEFT JOIN main.links l ON l.directory = ?1 AND l.source_id = d.source_id
       WHERE d.place > ?2 AND d.place < ?3 ${toOnly('d', 4, only)} ORDER BY d.place LIMIT ${PAGE}`,
      ...[directory, last?.place ?? firstPlace(directory), firstPlace(directory + 1), ...toList(only)],
    ),
  );
  for await (const rows of desired) {
    const places = rows.flatMap(({ place, open }) => (open === 1 ? [place] : []));
    if (places.length === 0) continue;
    const found = `${DESIRED_PERSON} WHERE d.place IN (SELECT value FROM json_each(?2)) ORDER BY d.place`;
    yield toPeople(db, directory, db.all(found, directory, JSON.stringify(places)));
  }
  const linked = readPages<{ source_id: string; open: number }>((last) =>
    db.all(
      `SELECT l.source_id, (${goneExpression('User', 'l')} AND ${IS_UNREAD}) AS open FROM main.links l
       WHERE l.directory = ?1 AND l.source_id > ?2 ${toOnly('l', 3, only)} ORDER BY l.source_id LIMIT ${PAGE}`,
      ...[directory, last?.source_id ?? '', ...toList(only)],
    ),
  );
  for await (const rows of linked) {
    const ids = rows.flatMap(({ source_id, open }) => (open === 1 ? [source_id] : []));
    if (ids.length === 0) continue;
    const found = `${LINKED_PERSON} WHERE l.directory = ?1 AND l.source_id IN (SELECT value FROM json_each(?2))
      ORDER BY l.source_id`;
    yield toPeople(db, directory, db.all(found, directory, JSON.stringify(ids)));
  }
}

function toPeople(db: Connection, directory: number, rows: readonly PersonRow[]): readonly PersonState[] {
  const open = rows.filter((row) => row.place !== null && (row.source_id === null || row.gone === 1));
  const candidates = readCandidates(
    db,
    directory,
    open.map((row) => row.place),
  );
  return rows.map((row) => {
    const desired = row.desired === null ? null : parseJson<DesiredUser>(db, row.desired);
    const link = isLinked(row) ? toLink(db, row) : null;
    return {
      sourceId: desired?.sourceId ?? link?.sourceId ?? '',
      desired,
      link,
      observed: row.observed === null ? null : parseJson<TargetObject>(db, row.observed),
      gone: row.gone === 1,
      candidates: candidates.get(row.place) ?? [],
      contestedBy: readDirectoryKey({ db }, row.contested_by),
    };
  });
}

function isLinked(row: PersonRow): row is PersonRow & LinkRow {
  return row.source_id !== null;
}

function readCandidates(
  db: Connection,
  directory: number,
  places: readonly (number | null)[],
): ReadonlyMap<number | null, readonly Candidate[]> {
  if (places.length === 0) return new Map();
  const rows = db.all<{
    place: number;
    path: string;
    body: string;
    linked_to: string | null;
    neighbour: number | null;
  }>(
    `SELECT c.place, c.path, o.body, l.source_id AS linked_to, ${neighbourExpression('User', 'o.id')} AS neighbour FROM (
       SELECT k.place, k.path, ok.place AS object,
         row_number() OVER (PARTITION BY k.place ORDER BY k.rank, o.id) AS position
       FROM run.desired_keys k
       JOIN run.observed_keys ok ON ok.directory = ?1 AND ok.path = k.path AND ok.key = k.key
       JOIN run.observed o ON o.place = ok.place
       WHERE k.place IN (SELECT value FROM json_each(?2))
     ) c
     JOIN run.observed o ON o.place = c.object
     LEFT JOIN main.links l ON l.directory = ?1 AND l.target_id = o.id
     WHERE c.position <= ${CANDIDATES} ORDER BY c.place, c.position`,
    directory,
    JSON.stringify(places),
  );
  const found = new Map<number, Candidate[]>();
  for (const row of rows) {
    const candidate: Candidate = {
      object: parseJson<TargetObject>(db, row.body),
      path: row.path,
      linkedTo: row.linked_to,
      neighbour: readDirectoryKey({ db }, row.neighbour),
    };
    const others = found.get(row.place);
    if (others === undefined) found.set(row.place, [candidate]);
    else others.push(candidate);
  }
  return found;
}

export async function* readCollisions(
  of: Directory,
): AsyncGenerator<readonly { readonly path: string; readonly sourceIds: readonly string[] }[]> {
  of.db.openScratch();
  const directory = of.number();
  const pages = readPages<{ path: string; key: string }>((last) =>
    of.db.all(
      `SELECT path, key FROM run.desired_keys WHERE directory = ?1 AND (path, key) > (?2, ?3)
       GROUP BY path, key HAVING min(place) <> max(place) ORDER BY path, key LIMIT ${PAGE}`,
      ...[directory, last?.path ?? '', last?.key ?? ''],
    ),
  );
  for await (const rows of pages) {
    const collisions = rows.flatMap(({ path, key }) =>
      toNamed(readSharers(of.db, directory, path, key)).map((sourceIds) => ({ path, sourceIds })),
    );
    if (collisions.length > 0) yield collisions;
  }
}

/** Everybody is in one of the lists, and no list is longer than a message should be. */
function toNamed(sourceIds: readonly string[]): readonly (readonly string[])[] {
  const [first, ...others] = sourceIds;
  if (first === undefined) return [];
  const count = Math.ceil(others.length / (NAMED - 1));
  return Array.from({ length: count }, (_, at) => [first, ...others.slice(at * (NAMED - 1), (at + 1) * (NAMED - 1))]);
}

function readSharers(db: Connection, directory: number, path: string, key: string): readonly string[] {
  const rows = db.all<{ source_id: string }>(
    `SELECT DISTINCT d.source_id FROM run.desired_keys k JOIN run.desired d ON d.place = k.place
     WHERE k.directory = ?1 AND k.path = ?2 AND k.key = ?3 AND (d.presence = 'present' OR EXISTS
       (SELECT 1 FROM main.links l WHERE l.directory = ?1 AND l.source_id = d.source_id))
     ORDER BY d.source_id`,
    ...[directory, path, key],
  );
  return rows.map((row) => row.source_id);
}

export async function readPresences(
  of: Directory,
  sourceIds: readonly string[],
): Promise<ReadonlyMap<string, DesiredUser['presence']>> {
  of.db.openScratch();
  const rows = of.db.all<{ source_id: string; presence: DesiredUser['presence'] }>(
    `SELECT source_id, presence FROM run.desired
     WHERE directory = ?1 AND source_id IN (SELECT value FROM json_each(?2))`,
    of.number(),
    JSON.stringify(sourceIds),
  );
  return new Map(rows.map((row) => [row.source_id, row.presence]));
}

/** Of the row `o` of what was observed: nobody's account. */
const UNMANAGED = `NOT EXISTS (SELECT 1 FROM main.links l WHERE l.directory = ?1 AND l.target_id = o.id)
  AND ${neighbourExpression('User', 'o.id')} IS NULL
  AND NOT EXISTS (
    SELECT 1 FROM run.observed_keys ok
    JOIN run.desired_keys dk ON dk.directory = ?1 AND dk.path = ok.path AND dk.key = ok.key
    JOIN run.desired d ON d.place = dk.place
    LEFT JOIN main.links l ON l.directory = ?1 AND l.source_id = d.source_id
    WHERE ok.place = o.place AND (l.id IS NULL OR ${goneExpression('User', 'l')})
  )`;

export async function countUnmanaged(of: Directory): Promise<number> {
  of.db.openScratch();
  const directory = of.number();
  let unmanaged = 0;
  let last = firstPlace(directory);
  for (;;) {
    const row = of.db.get<{ count: number; seen: number; last: number }>(
      `SELECT count(*) FILTER (WHERE unmanaged) AS count, count(*) AS seen, max(place) AS last FROM (
         SELECT o.place, ${UNMANAGED} AS unmanaged
         FROM run.observed o WHERE o.place > ?2 AND o.place < ?3 ORDER BY o.place LIMIT ${COUNTED})`,
      ...[directory, last, firstPlace(directory + 1)],
    );
    if (row === undefined || row.seen === 0) return unmanaged;
    unmanaged += row.count;
    last = row.last;
    await nextTurn();
  }
}

export async function* readUnmanaged(of: Directory): AsyncGenerator<readonly TargetObject[]> {
  of.db.openScratch();
  const directory = of.number();
  const pages = readPages<{ place: number; body: string }>((last) =>
    of.db.all(
      `SELECT o.place, o.body FROM run.observed o
       WHERE o.place > ?2 AND o.place < ?3 AND ${UNMANAGED} ORDER BY o.place LIMIT ${PAGE}`,
      ...[directory, last?.place ?? firstPlace(directory), firstPlace(directory + 1)],
    ),
  );
  for await (const rows of pages) yield rows.map(({ body }) => parseJson<TargetObject>(of.db, body));
}
