import type { DesiredTeam, DesiredUser } from '../../model.ts';
import type { TargetTeam } from '../../targets/target.ts';
import { toComparableName } from '../../team-key.ts';
import type { MemberCount, MemberDifference, TeamState } from '../staging.ts';
import { type Connection, PAGE, readPages } from './connection.ts';
import type { Directory } from './directory.ts';
import { parseJson, TEAM_COLUMNS, type TeamRow, toTeamLink } from './rows.ts';
import { neighbourExpression, readDirectoryKey } from './staging-neighbours.ts';
import { goneExpression } from './staging-people.ts';

const CANDIDATES = 10;

type TeamStateRow = { [Column in keyof TeamRow]: TeamRow[Column] | null } & {
  wanted: string;
  desired: string | null;
  observed: string | null;
  gone: number;
  members: number;
  source_group: TeamState['group'];
  claimed_by: string | null;
};

/** Team keys: `group:` and the id of a group, or `rule:` and a name. */
const GROUP = "substr(k.key, 1, 6) = 'group:'";
const GROUP_ID = 'substr(k.key, 7)';

/** Of the row `k`: what was read of the group that its team is made of. `?1` is the directory. */
const SOURCE_GROUP = `CASE
  WHEN NOT ${GROUP} THEN NULL
  WHEN EXISTS (SELECT 1 FROM run.partial_groups f WHERE f.directory = ?1 AND f.group_id = ${GROUP_ID}) THEN 'partial'
  WHEN EXISTS (SELECT 1 FROM run.groups g WHERE g.directory = ?1 AND g.id = ${GROUP_ID}) THEN 'read'
  WHEN EXISTS (SELECT 1 FROM run.complete WHERE directory = ?1 AND resource = 'Group') THEN 'absent'
END`;

const CLAIMED_BY = `CASE WHEN NOT ${GROUP} THEN
  (SELECT min(x.key) FROM run.desired_teams x WHERE x.directory = ?1 AND x.name = d.name
   AND x.key >= 'group:' AND x.key < 'group;') END`;

export async function* readTeams(of: Directory): AsyncGenerator<readonly TeamState[]> {
  of.db.openScratch();
  const directory = of.number();
  const pages = readPages<TeamStateRow>((last) =>
    of.db.all(
      `SELECT k.key AS wanted, d.body AS desired, o.body AS observed, ${goneExpression('Team', 't')} AS gone,
         (SELECT count(*) FROM run.memberships m WHERE m.directory = ?1 AND m.team = k.key AND m.keep = 0) AS members,
         ${SOURCE_GROUP} AS source_group, ${CLAIMED_BY} AS claimed_by, ${TEAM_COLUMNS}
       FROM (
         SELECT key FROM run.desired_teams WHERE directory = ?1 AND key > ?2
         UNION SELECT key FROM main.teams WHERE directory = ?1 AND key > ?2
         ORDER BY key LIMIT ${PAGE}
       ) k
       LEFT JOIN run.desired_teams d ON d.directory = ?1 AND d.key = k.key
       LEFT JOIN main.teams t ON t.directory = ?1 AND t.key = k.key
       LEFT JOIN run.observed_teams o ON o.directory = ?1 AND o.id = t.target_id
       ORDER BY k.key`,
      directory,
      last?.wanted ?? '',
    ),
  );
  for await (const rows of pages) yield rows.map((row) => toTeamState(of.db, directory, row));
}

function toTeamState(db: Connection, directory: number, row: TeamStateRow): TeamState {
  const desired = row.desired === null ? null : parseJson<DesiredTeam>(db, row.desired);
  const link = isLinked(row) ? toTeamLink(db, row) : null;
  return {
    key: row.wanted,
    desired,
    link,
    observed: row.observed === null ? null : toTeam(db, row.observed),
    gone: row.gone === 1,
    candidates: desired === null ? [] : readCandidates(db, directory, desired, link?.targetId ?? null),
    desiredMembers: row.members,
    group: row.source_group,
    claimedBy: row.claimed_by,
  };
}

function isLinked(row: TeamStateRow): row is TeamStateRow & TeamRow {
  return row.key !== null;
}

function readCandidates(
  db: Connection,
  directory: number,
  desired: DesiredTeam,
  linkedId: string | null,
): TeamState['candidates'] {
  const rows = db.all<{ body: string; linked_to: string | null; neighbour: number | null }>(
    `SELECT o.body, t.key AS linked_to, ${neighbourExpression('Team', 'o.id')} AS neighbour FROM run.observed_teams o
     LEFT JOIN main.teams t ON t.directory = ?1 AND t.target_id = o.id
     WHERE o.directory = ?1 AND (o.external_id = ?2 OR o.name = ?3) AND o.id IS NOT ?4
     ORDER BY o.external_id IS ?2 DESC, o.id LIMIT ${CANDIDATES}`,
    ...[directory, desired.externalId, toComparableName(desired.displayName), linkedId],
  );
  return rows.map((row) => ({
    object: toTeam(db, row.body),
    linkedTo: row.linked_to,
    neighbour: readDirectoryKey({ db }, row.neighbour),
  }));
}

function toTeam(db: Connection, body: string): TargetTeam {
  return { ...parseJson<Omit<TargetTeam, 'members'>>(db, body), members: null };
}

interface DifferenceRow {
  place: number;
  change: MemberDifference['change'];
  source_id: string | null;
  target_id: string | null;
  name: string;
  presence: DesiredUser['presence'] | null;
  by_hand: number;
  doubtful: number;
}

/**
 * The differences are written down first and then read in pages: sorting the members of a large team again for every page
 * would take the square of its size.
 */
export async function* readMemberDifferences(
  of: Directory,
  teamKey: string,
  targetId: string | undefined,
): AsyncGenerator<readonly MemberDifference[]> {
  const { db } = of;
  const { first, end, directory } = await of.stage((number) => ({
    ...writeDifferences(db, number, teamKey, targetId),
    directory: number,
  }));
  if (first === end) return;
  try {
    const pages = readPages<DifferenceRow>((last) =>
      db.all(
        `SELECT x.place, x.change, x.source_id, x.target_id,
           coalesce(d.name, l.name, x.source_id, x.target_id) AS name, d.presence, x.by_hand, x.doubtful
         FROM run.differences x
         LEFT JOIN run.desired d ON d.directory = ?1 AND d.source_id = x.source_id
         LEFT JOIN main.links l ON l.directory = ?1 AND l.source_id = x.source_id
         WHERE x.place > ?2 AND x.place <= ?3 ORDER BY x.place LIMIT ${PAGE}`,
        ...[directory, last?.place ?? first, end],
      ),
    );
    for await (const rows of pages) {
      yield rows.map(({ change, source_id, target_id, name, presence, by_hand, doubtful }) => ({
        change,
        sourceId: source_id,
        targetId: target_id,
        name,
        presence,
        byHand: by_hand === 1,
        doubtful: doubtful === 1,
      }));
    }
  } finally {
    await db.stage(() => db.run('DELETE FROM run.differences WHERE place > ?1 AND place <= ?2', first, end));
  }
}

/** Returns the range of the rows that it wrote. */
function writeDifferences(
  db: Connection,
  directory: number,
  teamKey: string,
  targetId: string | undefined,
): { first: number; end: number } {
  const actual = readActualMembers(db, directory, teamKey, targetId);
  const first = lastDifference(db);
  db.run(
    `INSERT INTO run.differences (directory, change, source_id, target_id, by_hand)
     SELECT ?1, 'add', m.source_id, CASE WHEN ${goneExpression('User', 'l')} THEN NULL ELSE l.target_id END,
       NOT ${goneExpression('User', 'l')}
         AND EXISTS (SELECT 1 FROM main.members s WHERE s.team = ?4 AND s.target_id = l.target_id AND s.doubtful = 0)
     FROM run.memberships m
     LEFT JOIN main.links l ON l.directory = ?1 AND l.source_id = m.source_id
     WHERE m.directory = ?1 AND m.team = ?2 AND m.keep = 0
       AND (NOT EXISTS (SELECT 1 FROM ${actual.table} a WHERE a.${actual.column} = ?3 AND a.target_id = l.target_id
           AND ${actual.sure})
         OR ${goneExpression('User', 'l')})
       AND NOT ${undecidedExpression('m.source_id')}
     ORDER BY m.source_id`,
    ...[directory, teamKey, actual.number, actual.stored],
  );
  db.run(
    `INSERT INTO run.differences (directory, change, source_id, target_id, by_hand, doubtful)
     SELECT ?1, 'remove', l.source_id, a.target_id,
       ?4 > 0 AND NOT EXISTS (SELECT 1 FROM main.members s WHERE s.team = ?4 AND s.target_id = a.target_id),
       NOT (${actual.sure})
     FROM ${actual.table} a
     LEFT JOIN main.links l ON l.directory = ?1 AND l.target_id = a.target_id
     WHERE a.${actual.column} = ?3
       AND NOT EXISTS
         (SELECT 1 FROM run.memberships m WHERE m.directory = ?1 AND m.team = ?2 AND m.source_id = l.source_id)
       AND NOT ${undecidedExpression('l.source_id')}
     ORDER BY l.source_id IS NULL, l.source_id, a.target_id`,
    ...[directory, teamKey, actual.number, actual.stored],
  );
  return { first, end: lastDifference(db) };
}

/** Asked last and only of those who differ: in most teams hardly anybody does. */
function undecidedExpression(sourceId: string): string {
  return `EXISTS (SELECT 1 FROM run.desired d
    WHERE d.directory = ?1 AND d.source_id = ${sourceId} AND d.presence = 'undecided')`;
}

function lastDifference(db: Connection): number {
  return db.get<{ place: number }>('SELECT coalesce(max(place), 0) AS place FROM run.differences')?.place ?? 0;
}

export function readMemberCount(of: Directory, teamKey: string, targetId: string | undefined): MemberCount {
  of.db.openScratch();
  const { table, column, number, sure } = readActualMembers(of.db, of.number(), teamKey, targetId);
  const row = of.db.get<{ count: number; sure: number }>(
    `SELECT count(*) AS count, count(*) FILTER (WHERE ${sure}) AS sure FROM ${table} a WHERE ${column} = ?1`,
    number,
  );
  return { all: row?.count ?? 0, sure: row?.sure ?? 0 };
}

interface ActualMembers {
  readonly table: string;
  readonly column: string;
  readonly number: number;
  /** Of a row `a` of the table: it is known to be a member. */
  readonly sure: string;
  /** Number of the members that the team's link has; 0 where it has none. */
  readonly stored: number;
}

/** Where the members stand that the team has now. */
function readActualMembers(
  db: Connection,
  directory: number,
  teamKey: string,
  targetId: string | undefined,
): ActualMembers {
  const row = db.get<{ observed: number | null; stored: number | null; gone: number }>(
    `SELECT o.place AS observed, t.id AS stored, ${goneExpression('Team', 't')} AS gone
     FROM (SELECT 1)
     LEFT JOIN main.teams t ON t.directory = ?1 AND t.key = ?2
     LEFT JOIN run.observed_teams o ON o.directory = ?1 AND o.id = coalesce(?3, t.target_id) AND o.has_members = 1`,
    ...[directory, teamKey, targetId ?? null],
  );
  const stored = (targetId === undefined && row?.gone !== 1 ? row?.stored : null) ?? 0;
  if (row?.observed != null)
    return { table: 'run.observed_members', column: 'place', number: row.observed, sure: 'TRUE', stored };
  return { table: 'main.members', column: 'team', number: stored, sure: 'a.doubtful = 0', stored };
}
