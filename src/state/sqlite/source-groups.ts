import { setImmediate as nextTurn } from 'node:timers/promises';
import type { GroupMember, GroupName, SourceGroup } from '../../model.ts';
import { toComparableName } from '../../team-key.ts';
import type { SourceGroups, StagedGroup } from '../source-groups.ts';
import { firstPlace, PAGE, readPages } from './connection.ts';
import type { Directory } from './directory.ts';
import { parseJson } from './rows.ts';

/** Of `group_members.kind`. */
const EVERYONE = 'Everyone';

export function toSourceGroups(of: Directory): SourceGroups {
  const { db } = of;
  return {
    async addGroups(groups) {
      await of.stage((directory) => {
        for (const group of groups) {
          db.run(
            'INSERT INTO run.groups (place, directory, id, body) VALUES (?1, ?2, ?3, ?4)',
            ...[db.nextPlace(directory), directory, group.id, JSON.stringify(group)],
          );
        }
      });
    },
    async addMembers(rows) {
      await of.stage((directory) => {
        for (const { group, members } of rows) {
          db.run(
            `INSERT OR IGNORE INTO run.group_members (directory, group_id, kind, ref, alias)
             SELECT ?1, ?2, value ->> 0, value ->> 1, value ->> 2 FROM json_each(?3)`,
            ...[directory, group, JSON.stringify(members.map(toMemberRow))],
          );
        }
      });
    },
    async addFailed(ids) {
      await of.stage((directory) => addPartial(of, directory, ids));
    },
    async addAliases(rows) {
      const pairs = rows.flatMap(({ sourceId, names }) => names.map((name) => [name.toLowerCase(), sourceId]));
      await of.stage((directory) =>
        db.run(
          `INSERT OR IGNORE INTO run.aliases (directory, name, source_id)
           SELECT ?1, value ->> 0, value ->> 1 FROM json_each(?2)`,
          ...[directory, JSON.stringify(pairs)],
        ),
      );
    },
    async setComplete() {
      await of.stage((directory) =>
        db.run("INSERT OR IGNORE INTO run.complete (directory, resource) VALUES (?1, 'Group')", directory),
      );
    },
    resolve: (nested, names = 'all') => resolve(of, nested, names),
    groups: () => readGroups(of),
    async nameTeams(rows) {
      await of.stage((directory) => {
        for (const { id, name } of rows) {
          db.run(
            'UPDATE run.groups SET team_name = ?3 WHERE directory = ?1 AND id = ?2',
            ...[directory, id, toComparableName(name)],
          );
        }
      });
    },
    async count() {
      db.openScratch();
      return (
        db.get<{ count: number }>(
          `SELECT count(*) AS count FROM (SELECT id FROM run.groups WHERE directory = ?1
             UNION SELECT group_id FROM run.partial_groups WHERE directory = ?1)`,
          of.number(),
        )?.count ?? 0
      );
    },
    groupsOf: (sourceIds) => readGroupsOf(of, sourceIds),
    async partial() {
      db.openScratch();
      const rows = db.all<{ id: string; name: string | null }>(
        `SELECT f.group_id AS id, (SELECT max(g.body ->> '$.displayName') FROM run.groups g
           WHERE g.directory = ?1 AND g.id = f.group_id) AS name
         FROM run.partial_groups f WHERE f.directory = ?1 ORDER BY f.group_id`,
        of.number(),
      );
      return rows.map(({ id, name }) => ({ id, displayName: name }));
    },
    async ambiguous(ids, nested) {
      db.openScratch();
      return ids.filter((id) => hasAmbiguous(of, id, nested));
    },
    people: (names) => readNamed(of, names),
    async addMemberships(group, team) {
      await of.stage((directory) =>
        db.run(
          `INSERT INTO run.memberships (directory, team, source_id, keep)
           SELECT ?1, ?3, p.source_id, 0 FROM run.group_people p
           JOIN run.desired d ON d.directory = ?1 AND d.source_id = p.source_id
           WHERE p.directory = ?1 AND p.group_id = ?2 AND d.presence = 'present'
           ON CONFLICT DO UPDATE SET keep = 0`,
          ...[directory, group, team],
        ),
      );
    },
  };
}

function addPartial({ db }: Directory, directory: number, ids: readonly string[]): void {
  db.run(
    'INSERT OR IGNORE INTO run.partial_groups (directory, group_id) SELECT ?1, value FROM json_each(?2)',
    directory,
    JSON.stringify(ids),
  );
}

interface AliasesRow {
  readonly place: number;
  readonly id: string;
  readonly aliases: string;
}

/** Of all groups of the read, wherever they came from. SQLite's own `lower` knows ASCII alone. */
async function addGroupAliases(of: Directory): Promise<void> {
  const directory = of.number();
  const pages = readPages<AliasesRow>((last) =>
    of.db.all(
      `SELECT place, id, body -> '$.aliases' AS aliases FROM run.groups
       WHERE place > ?1 AND place < ?2 AND aliases IS NOT NULL ORDER BY place LIMIT ${PAGE}`,
      last?.place ?? firstPlace(directory),
      firstPlace(directory + 1),
    ),
  );
  for await (const rows of pages) {
    const pairs = rows.flatMap(({ id, aliases }) =>
      parseJson<readonly string[]>(of.db, aliases).map((name) => [name.toLowerCase(), id]),
    );
    await of.stage((number) =>
      of.db.run(
        `INSERT OR IGNORE INTO run.group_aliases (directory, name, group_id)
         SELECT ?1, value ->> 0, value ->> 1 FROM json_each(?2)`,
        ...[number, JSON.stringify(pairs)],
      ),
    );
  }
}

export function toMemberRow(member: GroupMember): readonly [string, string, string] {
  return member.kind === EVERYONE ? [EVERYONE, '', ''] : [member.kind, ...toReference(member.ref)];
}

/** SQLite's own `lower` knows ASCII alone. */
function toReference(name: string): readonly [string, string] {
  return [name, name.toLowerCase()];
}

/** The person whom a row `m` with `ref` and `alias` means; an id goes before whatever else a name may be. */
const PERSON = `coalesce(
  (SELECT u.id FROM run.users u WHERE u.directory = ?1 AND u.id = m.ref LIMIT 1),
  (SELECT max(a.source_id) FROM run.aliases a WHERE a.directory = ?1 AND a.name = m.alias
   HAVING count(*) = 1))`;

/** The group that a row `m` means: one of the read, or one that could not be read and of which nothing else is known. */
const CHILD = `coalesce(
  (SELECT g.id FROM run.groups g WHERE g.directory = ?1 AND g.id = m.ref LIMIT 1),
  (SELECT f.group_id FROM run.partial_groups f WHERE f.directory = ?1 AND f.group_id = m.ref),
  (SELECT max(b.group_id) FROM run.group_aliases b WHERE b.directory = ?1 AND b.name = m.alias
   HAVING count(*) = 1))`;

async function resolve(of: Directory, nested: 'Flatten' | 'DirectOnly', names: 'all' | 'some'): Promise<number> {
  let unresolved = 0;
  await of.stage((directory) =>
    of.db.run(
      `INSERT OR IGNORE INTO run.partial_groups (directory, group_id)
       SELECT ?1, id FROM run.groups WHERE directory = ?1 GROUP BY id HAVING count(*) > 1`,
      directory,
    ),
  );
  await addGroupAliases(of);
  for await (const ids of readIds(of)) {
    for (const id of ids) {
      const open = await of.stage((directory) => resolveDirect(of, directory, id));
      unresolved += open;
      if (open > 0 && names === 'some') await of.stage((directory) => addPartial(of, directory, [id]));
    }
  }
  if (nested === 'Flatten') {
    for await (const ids of readIds(of)) {
      for (const id of ids) await of.stage((directory) => flatten(of, directory, id));
    }
  }
  return unresolved;
}

/** Ids of groups that have members or failed, named or not. */
function readIds(of: Directory): AsyncGenerator<readonly string[]> {
  return toIds(
    readPages<{ id: string }>((last) =>
      of.db.all(
        `SELECT DISTINCT group_id AS id FROM run.group_members
         WHERE directory = ?1 AND group_id > ?2 ORDER BY group_id LIMIT ${PAGE}`,
        of.number(),
        last?.id ?? '',
      ),
    ),
  );
}

async function* toIds(pages: AsyncIterable<readonly { id: string }[]>): AsyncGenerator<readonly string[]> {
  for await (const page of pages) yield page.map(({ id }) => id);
}

/** @returns references that name nobody */
function resolveDirect({ db }: Directory, directory: number, id: string): number {
  db.run(
    `INSERT OR IGNORE INTO run.group_groups (directory, group_id, child)
     SELECT ?1, ?2, x.child FROM (
       SELECT ${CHILD} AS child FROM run.group_members m
       WHERE m.directory = ?1 AND m.group_id = ?2 AND m.kind IN ('Group', 'Any')
     ) x WHERE x.child IS NOT NULL`,
    directory,
    id,
  );
  db.run(
    `INSERT OR IGNORE INTO run.group_people (directory, group_id, source_id)
     SELECT ?1, ?2, x.person FROM (
       SELECT ${PERSON} AS person FROM run.group_members m
       WHERE m.directory = ?1 AND m.group_id = ?2 AND m.kind IN ('User', 'Any')
     ) x WHERE x.person IS NOT NULL`,
    directory,
    id,
  );
  db.run(
    `INSERT OR IGNORE INTO run.group_people (directory, group_id, source_id)
     SELECT ?1, ?2, u.id FROM run.users u WHERE u.directory = ?1 AND EXISTS
       (SELECT 1 FROM run.group_members m WHERE m.directory = ?1 AND m.group_id = ?2 AND m.kind = '${EVERYONE}')`,
    directory,
    id,
  );
  const row = db.get<{ count: number }>(
    `SELECT count(*) AS count FROM run.group_members m
     WHERE m.directory = ?1 AND m.group_id = ?2 AND m.kind <> '${EVERYONE}'
       AND (m.kind = 'User' OR ${CHILD} IS NULL)
       AND (m.kind = 'Group' OR ${PERSON} IS NULL)`,
    directory,
    id,
  );
  return row?.count ?? 0;
}

/** UNION forgets what it has seen already, so a cycle of groups ends. */
const REACH = `WITH RECURSIVE reach (id) AS (
    SELECT ?2 UNION SELECT c.child FROM run.group_groups c JOIN reach ON c.directory = ?1 AND c.group_id = reach.id)`;

function flatten({ db }: Directory, directory: number, id: string): void {
  const nested = db.get<{ child: string }>(
    'SELECT child FROM run.group_groups WHERE directory = ?1 AND group_id = ?2 LIMIT 1',
    directory,
    id,
  );
  if (nested === undefined) return;
  db.run(
    `${REACH} INSERT OR IGNORE INTO run.group_people (directory, group_id, source_id)
     SELECT ?1, ?2, p.source_id FROM reach
     JOIN run.group_people p ON p.directory = ?1 AND p.group_id = reach.id`,
    directory,
    id,
  );
  db.run(
    `${REACH} INSERT OR IGNORE INTO run.partial_groups (directory, group_id)
     SELECT ?1, ?2 FROM reach JOIN run.partial_groups f ON f.directory = ?1 AND f.group_id = reach.id LIMIT 1`,
    directory,
    id,
  );
}

/** Of a row `m`: what it names is not an id, and several have the name. */
const AMBIGUOUS = `(m.kind = 'Group' OR ${PERSON} IS NULL) AND (m.kind = 'User' OR ${CHILD} IS NULL) AND (
  (m.kind IN ('User', 'Any') AND 1 <
    (SELECT count(*) FROM run.aliases a WHERE a.directory = ?1 AND a.name = m.alias)) OR
  (m.kind IN ('Group', 'Any') AND 1 <
    (SELECT count(*) FROM run.group_aliases b WHERE b.directory = ?1 AND b.name = m.alias)))`;

function hasAmbiguous({ db, number }: Directory, id: string, nested: 'Flatten' | 'DirectOnly'): boolean {
  const reach = nested === 'Flatten' ? REACH : 'WITH reach (id) AS (SELECT ?2)';
  const found = db.get(
    `${reach} SELECT 1 FROM reach
     JOIN run.group_members m ON m.directory = ?1 AND m.group_id = reach.id
     WHERE ${AMBIGUOUS} LIMIT 1`,
    number(),
    id,
  );
  return found !== undefined;
}

interface GroupRow {
  readonly place: number;
  readonly body: string;
  readonly duplicate: number;
  readonly partial: number;
  readonly namesakes: string;
}

async function* readGroups(of: Directory): AsyncGenerator<readonly StagedGroup[]> {
  of.db.openScratch();
  const directory = of.number();
  const pages = readPages<GroupRow>((last) =>
    of.db.all(
      `SELECT g.place, g.body,
         EXISTS (SELECT 1 FROM run.groups x WHERE x.directory = ?1 AND x.id = g.id AND x.place <> g.place) AS duplicate,
         EXISTS (SELECT 1 FROM run.partial_groups f WHERE f.directory = ?1 AND f.group_id = g.id) AS partial,
         (SELECT json_group_array(x.id ORDER BY x.place) FROM run.groups x
          WHERE x.directory = ?1 AND x.team_name = g.team_name) AS namesakes
       FROM run.groups g WHERE g.place > ?2 AND g.place < ?3 ORDER BY g.place LIMIT ${PAGE}`,
      ...[directory, last?.place ?? firstPlace(directory), firstPlace(directory + 1)],
    ),
  );
  for await (const rows of pages) {
    yield rows.map((row) => ({
      group: parseJson<SourceGroup>(of.db, row.body),
      duplicate: row.duplicate === 1,
      partial: row.partial === 1,
      namesakes: parseJson<readonly string[]>(of.db, row.namesakes),
    }));
  }
}

async function readGroupsOf(
  of: Directory,
  sourceIds: readonly string[],
): Promise<ReadonlyMap<string, readonly GroupName[]>> {
  of.db.openScratch();
  const rows = of.db.all<{ source_id: string; id: string; display_name: string }>(
    `SELECT p.source_id, p.group_id AS id, coalesce(g.body ->> '$.displayName', p.group_id) AS display_name
     FROM run.group_people p
     LEFT JOIN run.groups g ON g.directory = ?1 AND g.id = p.group_id
     WHERE p.directory = ?1 AND p.source_id IN (SELECT value FROM json_each(?2))
     ORDER BY p.source_id, p.group_id`,
    of.number(),
    JSON.stringify(sourceIds),
  );
  await nextTurn();
  const groups = new Map<string, GroupName[]>();
  for (const { source_id, id, display_name } of rows) {
    const name = { id, displayName: display_name };
    const others = groups.get(source_id);
    if (others === undefined) groups.set(source_id, [name]);
    else others.push(name);
  }
  return groups;
}

async function readNamed(of: Directory, names: readonly string[]): Promise<ReadonlyMap<string, string>> {
  of.db.openScratch();
  const rows = of.db.all<{ ref: string; person: string | null }>(
    `SELECT m.ref, ${PERSON} AS person
     FROM (SELECT value ->> 0 AS ref, value ->> 1 AS alias FROM json_each(?2)) m`,
    of.number(),
    JSON.stringify(names.map(toReference)),
  );
  return new Map(rows.flatMap(({ ref, person }) => (person === null ? [] : [[ref, person] as const])));
}
