import type { Link, LinkCounts, Links, TeamLink } from '../store.ts';
import { type Connection, PAGE, readPages } from './connection.ts';
import type { Directory } from './directory.ts';
import { applyEffects } from './effects.ts';
import { LINK_COLUMNS, type LinkRow, TEAM_COLUMNS, type TeamRow, toLink, toTeamLink } from './rows.ts';

export function toLinks(of: Directory): Links {
  const { db } = of;
  const toLinkOrNull = (row: LinkRow | undefined) => (row === undefined ? null : toLink(db, row));
  return {
    async get(sourceId) {
      return toLinkOrNull(
        db.get<LinkRow>(
          `SELECT ${LINK_COLUMNS} FROM links l WHERE l.directory = ?1 AND l.source_id = ?2`,
          of.number(),
          sourceId,
        ),
      );
    },
    async byTarget(targetId) {
      return toLinkOrNull(
        db.get<LinkRow>(
          `SELECT ${LINK_COLUMNS} FROM links l WHERE l.directory = ?1 AND l.target_id = ?2`,
          of.number(),
          targetId,
        ),
      );
    },
    async many(sourceIds) {
      const rows = db.all<LinkRow>(
        `SELECT ${LINK_COLUMNS} FROM links l
         WHERE l.directory = ?1 AND l.source_id IN (SELECT value FROM json_each(?2))`,
        of.number(),
        JSON.stringify(sourceIds),
      );
      return new Map(rows.map((row) => [row.source_id, toLink(db, row)]));
    },
    dirty: () => readSome(of, 'l.dirty = 1'),
    recovered: () => readSome(of, `l.origin = 'recovered'`),
    async team(key) {
      const row = db.get<TeamRow>(
        `SELECT ${TEAM_COLUMNS} FROM teams t WHERE t.directory = ?1 AND t.key = ?2`,
        of.number(),
        key,
      );
      return row === undefined ? null : toTeamLink(db, row);
    },
    teams: () => readTeams(of),
    async members(teamKey) {
      const row = db.get<{ count: number }>(
        `SELECT count(*) AS count FROM members
         WHERE team = (SELECT id FROM teams WHERE directory = ?1 AND key = ?2)`,
        of.number(),
        teamKey,
      );
      return row?.count ?? 0;
    },
    counts: async () => countLinks(db, of.number()),
    async apply(effects) {
      await of.write((directory) => applyEffects(db, directory, effects));
    },
  };
}

/** Of the directory with this number. */
export function countLinks(db: Connection, directory: number): LinkCounts {
  const counts = db.get<LinkCounts>(
    `SELECT
       (SELECT count(*) FROM links WHERE directory = ?1) AS people,
       (SELECT count(*) FROM links WHERE directory = ?1 AND active = 1) AS active,
       (SELECT count(*) FROM teams WHERE directory = ?1) AS teams,
       (SELECT count(*) FROM teams t JOIN members m ON m.team = t.id WHERE t.directory = ?1) AS members`,
    directory,
  );
  return { people: 0, active: 0, teams: 0, members: 0, ...counts };
}

async function* readSome(of: Directory, condition: string): AsyncGenerator<readonly Link[]> {
  const pages = readPages<LinkRow>((last) =>
    of.db.all(
      `SELECT ${LINK_COLUMNS} FROM links l
       WHERE l.directory = ?1 AND l.source_id > ?2 AND ${condition} ORDER BY l.source_id LIMIT ${PAGE}`,
      of.number(),
      last?.source_id ?? '',
    ),
  );
  for await (const rows of pages) yield rows.map((row) => toLink(of.db, row));
}

async function* readTeams(of: Directory): AsyncGenerator<readonly TeamLink[]> {
  const pages = readPages<TeamRow>((last) =>
    of.db.all(
      `SELECT ${TEAM_COLUMNS} FROM teams t WHERE t.directory = ?1 AND t.key > ?2 ORDER BY t.key LIMIT ${PAGE}`,
      of.number(),
      last?.key ?? '',
    ),
  );
  for await (const rows of pages) yield rows.map((row) => toTeamLink(of.db, row));
}
