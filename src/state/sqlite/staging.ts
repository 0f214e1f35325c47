import type { DesiredTeam, SourceUser } from '../../model.ts';
import type { TargetTeam } from '../../targets/target.ts';
import { toComparableName } from '../../team-key.ts';
import type { StagedUser, Staging } from '../staging.ts';
import { type Connection, firstPlace, PAGE, readPages } from './connection.ts';
import type { Directory } from './directory.ts';
import { parseJson } from './rows.ts';
import { readContentions } from './staging-names.ts';
import { readNeighbourOf, writeNeighbours } from './staging-neighbours.ts';
import {
  countUnmanaged,
  readCollisions,
  readPeople,
  readPresences,
  readUnmanaged,
  readWithoutAccount,
} from './staging-people.ts';
import { readMemberCount, readMemberDifferences, readTeams } from './staging-teams.ts';

/** Tables of the scratch database, and by what a directory's rows are found in them. */
const BY_PLACE = [
  'users',
  'groups',
  'desired',
  'desired_bodies',
  'desired_keys',
  'observed',
  'observed_keys',
  'observed_teams',
  'observed_members',
];
const BY_DIRECTORY = [
  'partial_groups',
  'group_aliases',
  'group_members',
  'group_groups',
  'group_people',
  'aliases',
  'touched',
  'replaced_groups',
  'touched_members',
  'desired_teams',
  'memberships',
  'neighbours',
  'missing',
  'complete',
  'differences',
  'names',
  'claims',
];

export function toStaging(of: Directory): Staging {
  const { db } = of;
  return {
    clear: () => clearStaging(of),
    async addUsers(users) {
      await of.stage((directory) => {
        for (const user of users) {
          db.run(
            'INSERT INTO run.users (place, directory, id, body) VALUES (?1, ?2, ?3, ?4)',
            ...[db.nextPlace(directory), directory, user.id, JSON.stringify(user)],
          );
        }
      });
    },
    users: () => readUsers(of),
    async user(id) {
      db.openScratch();
      const row = db.get<{ body: string }>(
        'SELECT body FROM run.users WHERE directory = ?1 AND id = ?2 ORDER BY place LIMIT 1',
        of.number(),
        id,
      );
      return row === undefined ? null : parseJson<SourceUser>(db, row.body);
    },
    async countUsers() {
      db.openScratch();
      const row = db.get<{ count: number }>(
        'SELECT count(*) AS count FROM run.users WHERE directory = ?1',
        of.number(),
      );
      return row?.count ?? 0;
    },
    async addDesired(rows) {
      if (rows.length === 0) return;
      await of.stage((directory) => {
        for (const row of rows) insertDesired(of, directory, row);
      });
    },
    collisions: () => readCollisions(of),
    async addTeams(teams) {
      if (teams.length === 0) return;
      await of.stage((directory) => {
        for (const team of teams) insertTeam(of, directory, team);
      });
    },
    async addMemberships(rows) {
      if (rows.length === 0) return;
      await of.stage((directory) => {
        for (const { team, sourceId, keep } of rows) {
          db.run(
            `INSERT INTO run.memberships (directory, team, source_id, keep) VALUES (?1, ?2, ?3, ?4)
             ON CONFLICT DO UPDATE SET keep = min(keep, excluded.keep)`,
            ...[directory, team, sourceId, keep ? 1 : 0],
          );
        }
      });
    },
    async addObservedUsers(rows) {
      await of.stage((directory) => {
        for (const row of rows) insertObserved(of, directory, row);
      });
    },
    async addObservedTeams(teams) {
      await of.stage((directory) => {
        for (const team of teams) insertObservedTeam(of, directory, team);
      });
    },
    setNeighbours: (keys) => writeNeighbours(of, keys),
    neighbourOf: async (resource, targetId) => readNeighbourOf(of, resource, targetId),
    async isObserved({ path, key }) {
      db.openScratch();
      const row = db.get(
        'SELECT 1 FROM run.observed_keys WHERE directory = ?1 AND path = ?2 AND key = ?3 LIMIT 1',
        ...[of.number(), path, key],
      );
      return row !== undefined;
    },
    claim: ({ path, key }, sourceId) =>
      of.stage((directory) => {
        db.run(
          'INSERT OR IGNORE INTO run.claims (directory, path, key, source_id) VALUES (?1, ?2, ?3, ?4)',
          ...[directory, path, key, sourceId],
        );
        const row = db.get<{ source_id: string }>(
          'SELECT source_id FROM run.claims WHERE directory = ?1 AND path = ?2 AND key = ?3',
          ...[directory, path, key],
        );
        return row?.source_id === sourceId;
      }),
    async addMissing({ users = [], teams = [] }) {
      await of.stage((directory) => {
        for (const id of users) deleteObserved(of, directory, id);
        for (const id of teams) deleteObservedTeam(of, directory, id);
      });
    },
    async setComplete(resource) {
      await of.stage((directory) =>
        db.run('INSERT OR IGNORE INTO run.complete (directory, resource) VALUES (?1, ?2)', directory, resource),
      );
    },
    people: (only = null) => readPeople(of, only),
    withoutAccount: (only = null) => readWithoutAccount(of, only),
    teams: () => readTeams(of),
    memberDifferences: (teamKey, targetId) => readMemberDifferences(of, teamKey, targetId),
    presences: (sourceIds) => readPresences(of, sourceIds),
    countMembers: async (teamKey, targetId) => readMemberCount(of, teamKey, targetId),
    countUnmanaged: () => countUnmanaged(of),
    unmanaged: () => readUnmanaged(of),
    async addNames(rows) {
      await of.stage((directory) =>
        db.run(
          `INSERT OR IGNORE INTO run.names (directory, role, path, key, source_id, seq)
           SELECT ?1, value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4 FROM json_each(?2)`,
          directory,
          JSON.stringify(rows.map(({ role, path, key, sourceId, seq }) => [role, path, key, sourceId, seq])),
        ),
      );
    },
    contentions: () => readContentions(of),
  };
}

/** Staged in fewer transactions, everything is cleared in one turn. */
const MANY = 100;

async function clearStaging(of: Directory): Promise<void> {
  const { db } = of;
  const directory = of.number();
  const staged = db.staging.get(directory);
  if (staged === undefined) return;
  const tables = [...BY_PLACE, ...BY_DIRECTORY];
  const turns = staged < MANY ? [tables] : tables.map((table) => [table]);
  for (const turn of turns) {
    await db.stage(() => {
      for (const table of turn) clearTable(db, table, directory);
    });
  }
  db.staging.delete(directory);
}

/** The whole table goes in no time; but between two turns another directory may have come. */
function clearTable(db: Connection, table: string, directory: number): void {
  if (db.staging.size === 1) db.run(`DELETE FROM run.${table}`);
  else if (BY_DIRECTORY.includes(table)) db.run(`DELETE FROM run.${table} WHERE directory = ?1`, directory);
  else {
    db.run(
      `DELETE FROM run.${table} WHERE place > ?1 AND place < ?2`,
      firstPlace(directory),
      firstPlace(directory + 1),
    );
  }
}

async function* readUsers(of: Directory): AsyncGenerator<readonly StagedUser[]> {
  of.db.openScratch();
  const directory = of.number();
  const pages = readPages<{ place: number; body: string; duplicate: number }>((last) =>
    of.db.all(
      `SELECT u.place, u.body, EXISTS
         (SELECT 1 FROM run.users x WHERE x.directory = ?1 AND x.id = u.id AND x.place <> u.place) AS duplicate
       FROM run.users u WHERE u.place > ?2 AND u.place < ?3 ORDER BY u.place LIMIT ${PAGE}`,
      ...[directory, last?.place ?? firstPlace(directory), firstPlace(directory + 1)],
    ),
  );
  for await (const rows of pages) {
    yield rows.map((row) => ({ user: parseJson<SourceUser>(of.db, row.body), duplicate: row.duplicate === 1 }));
  }
}

function insertDesired(of: Directory, directory: number, row: Parameters<Staging['addDesired']>[0][number]): void {
  const { db } = of;
  const { desired, keys } = row;
  const fresh = db.nextPlace(directory);
  const place = placeOf(
    db.get(
      `INSERT INTO run.desired (place, directory, source_id, presence, name) VALUES (?1, ?2, ?3, ?4, ?5)
       ON CONFLICT (directory, source_id) DO UPDATE SET
         presence = excluded.presence, name = excluded.name
       RETURNING place`,
      ...[fresh, directory, desired.sourceId, desired.presence, desired.name],
    ),
  );
  db.run('INSERT OR REPLACE INTO run.desired_bodies (place, body) VALUES (?1, ?2)', place, JSON.stringify(desired));
  if (place !== fresh) db.run('DELETE FROM run.desired_keys WHERE place = ?1', place);
  for (const [rank, { path, key }] of keys.entries()) {
    db.run(
      'INSERT INTO run.desired_keys (place, rank, directory, path, key) VALUES (?1, ?2, ?3, ?4, ?5)',
      ...[place, rank, directory, path, key],
    );
  }
}

function insertObserved(
  of: Directory,
  directory: number,
  row: Parameters<Staging['addObservedUsers']>[0][number],
): void {
  const { db } = of;
  const { object, keys } = row;
  const fresh = db.nextPlace(directory);
  const place = placeOf(
    db.get(
      `INSERT INTO run.observed (place, directory, id, body) VALUES (?1, ?2, ?3, ?4)
       ON CONFLICT (directory, id) DO UPDATE SET body = excluded.body RETURNING place`,
      ...[fresh, directory, object.id, JSON.stringify(object)],
    ),
  );
  if (place !== fresh) db.run('DELETE FROM run.observed_keys WHERE place = ?1', place);
  for (const { path, key } of keys) {
    db.run(
      'INSERT OR IGNORE INTO run.observed_keys (place, directory, path, key) VALUES (?1, ?2, ?3, ?4)',
      ...[place, directory, path, key],
    );
  }
  deleteMissing(of, directory, 'User', object.id);
}

function insertTeam(of: Directory, directory: number, team: DesiredTeam): void {
  const { db } = of;
  const known = db.get<{ body: string }>(
    'SELECT body FROM run.desired_teams WHERE directory = ?1 AND key = ?2',
    directory,
    team.key,
  );
  const merged = known === undefined ? team : mergeTeams(parseJson<DesiredTeam>(db, known.body), team);
  db.run(
    `INSERT INTO run.desired_teams (directory, key, name, body) VALUES (?1, ?2, ?3, ?4)
     ON CONFLICT DO UPDATE SET name = excluded.name, body = excluded.body`,
    ...[directory, team.key, toComparableName(merged.displayName), JSON.stringify(merged)],
  );
}

/** Rules that disagree about how a team ends: what removes least wins. */
function mergeTeams(first: DesiredTeam, second: DesiredTeam): DesiredTeam {
  const policies = [first.deletionPolicy, second.deletionPolicy];
  const gentlest = (['Retain', 'Empty', 'Delete'] as const).find((policy) => policies.includes(policy));
  return {
    ...first,
    rules: [...new Set([...first.rules, ...second.rules])].sort(),
    whenEmpty: first.whenEmpty === 'Retain' ? 'Retain' : second.whenEmpty,
    deletionPolicy: gentlest ?? 'Retain',
  };
}

function insertObservedTeam(of: Directory, directory: number, team: TargetTeam): void {
  const { db } = of;
  const { members, ...object } = team;
  const { displayName, externalId } = team.attributes;
  const place = placeOf(
    db.get(
      `INSERT INTO run.observed_teams (place, directory, id, name, external_id, has_members, body)
       VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
       ON CONFLICT (directory, id) DO UPDATE SET
         name = excluded.name, external_id = excluded.external_id, body = excluded.body,
         has_members = max(has_members, excluded.has_members)
       RETURNING place`,
      ...[db.nextPlace(directory), directory, team.id],
      ...[typeof displayName === 'string' ? toComparableName(displayName) : null],
      ...[typeof externalId === 'string' ? externalId : null, members === null ? 0 : 1, JSON.stringify(object)],
    ),
  );
  deleteMissing(of, directory, 'Team', team.id);
  if (members === null) return;
  db.run('DELETE FROM run.observed_members WHERE place = ?1', place);
  db.run(
    'INSERT OR IGNORE INTO run.observed_members (place, target_id) SELECT ?1, value FROM json_each(?2)',
    place,
    JSON.stringify(members),
  );
}

function deleteObserved(of: Directory, directory: number, id: string): void {
  const { db } = of;
  insertMissing(of, directory, 'User', id);
  const row = db.get<{ place: number }>(
    'DELETE FROM run.observed WHERE directory = ?1 AND id = ?2 RETURNING place',
    directory,
    id,
  );
  if (row !== undefined) db.run('DELETE FROM run.observed_keys WHERE place = ?1', row.place);
}

function deleteObservedTeam(of: Directory, directory: number, id: string): void {
  const { db } = of;
  insertMissing(of, directory, 'Team', id);
  const row = db.get<{ place: number }>(
    'DELETE FROM run.observed_teams WHERE directory = ?1 AND id = ?2 RETURNING place',
    directory,
    id,
  );
  if (row !== undefined) db.run('DELETE FROM run.observed_members WHERE place = ?1', row.place);
}

function insertMissing(of: Directory, directory: number, resource: 'User' | 'Team', id: string): void {
  of.db.run('INSERT OR IGNORE INTO run.missing (directory, resource, id) VALUES (?1, ?2, ?3)', directory, resource, id);
}

function deleteMissing(of: Directory, directory: number, resource: 'User' | 'Team', id: string): void {
  of.db.run('DELETE FROM run.missing WHERE directory = ?1 AND resource = ?2 AND id = ?3', directory, resource, id);
}

/** RETURNING always has a row here; 0 would break a NOT NULL reference and be seen at once. */
function placeOf(row: { place: number } | undefined): number {
  return row?.place ?? 0;
}
