import { SyncError } from '../../errors.ts';
import { fingerprint } from '../fingerprint.ts';
import type { Effect, Link, TeamLink } from '../store.ts';
import type { Connection } from './connection.ts';
import { isDuplicate } from './errors.ts';
import { pack } from './rows.ts';
import { goneExpression } from './staging-people.ts';

type EffectOf<Type extends Effect['type']> = Extract<Effect, { type: Type }>;

type Handlers = {
  readonly [Type in Effect['type']]: (db: Connection, directory: number, effect: EffectOf<Type>) => void;
};

const HANDLERS: Handlers = {
  putLink,
  markDirty: (db, directory, { sourceId }) => {
    db.run('UPDATE links SET dirty = 1 WHERE directory = ?1 AND source_id = ?2', directory, sourceId);
  },
  remember: (db, directory, { sourceId, key, cause }) => {
    db.run(
      `UPDATE links SET left_cause = coalesce(left_cause, ?4),
           left_teams = json_insert(coalesce(left_teams, '[]'), '$[#]', ?3)
       WHERE directory = ?1 AND source_id = ?2
         AND NOT EXISTS (SELECT 1 FROM json_each(left_teams) WHERE value = ?3)`,
      ...[directory, sourceId, key, cause],
    );
  },
  recall: (db, directory, { sourceId, key }) => {
    db.run(
      `UPDATE links SET left_teams = (SELECT json_group_array(value) FROM json_each(left_teams) WHERE value <> ?3)
       WHERE directory = ?1 AND source_id = ?2 AND left_teams IS NOT NULL`,
      ...[directory, sourceId, key],
    );
  },
  endLeave: (db, directory, { sourceId }) => {
    db.run(
      `UPDATE links SET left_at = NULL, left_cause = NULL, left_teams = NULL WHERE directory = ?1 AND source_id = ?2`,
      ...[directory, sourceId],
    );
  },
  backOff: (db, directory, { backoff }) => {
    const { sourceId, mark, failures, until, code, message } = backoff;
    db.run(
      `INSERT OR REPLACE INTO backoffs (directory, source_id, mark, failures, until, code, message)
       VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)`,
      ...[directory, sourceId, mark, failures, until, code, message],
    );
  },
  endBackOff: (db, directory, { sourceId, mark }) => {
    db.run('DELETE FROM backoffs WHERE directory = ?1 AND source_id = ?2 AND mark = ?3', directory, sourceId, mark);
  },
  dropLink: (db, directory, { sourceId }) => {
    db.run('DELETE FROM links WHERE directory = ?1 AND source_id = ?2', directory, sourceId);
  },
  rekeyLink: (db, directory, { from, to }) => {
    refuseTaken(
      () => db.run('UPDATE links SET source_id = ?3 WHERE directory = ?1 AND source_id = ?2', directory, from, to),
      `the link of ${from} cannot become that of ${to}, who has one`,
    );
  },
  putTeam,
  rekeyTeam,
  markTeamDirty: (db, directory, { key }) => {
    db.run('UPDATE teams SET dirty = 1 WHERE directory = ?1 AND key = ?2', directory, key);
  },
  dropTeam: (db, directory, { key }) => {
    db.run('DELETE FROM teams WHERE directory = ?1 AND key = ?2', directory, key);
  },
  addMembers: (db, directory, effect) => putMembers(db, directory, effect, 0),
  doubtMembers: (db, directory, effect) => putMembers(db, directory, effect, 1),
  removeMembers: (db, directory, { key, targetIds }) => {
    db.run(
      `DELETE FROM members WHERE team = (SELECT id FROM teams WHERE directory = ?1 AND key = ?2)
       AND target_id IN (SELECT value FROM json_each(?3))`,
      ...[directory, key, JSON.stringify(targetIds)],
    );
  },
  setMembers: (db, directory, effect) => {
    db.run(
      'DELETE FROM members WHERE team = (SELECT id FROM teams WHERE directory = ?1 AND key = ?2)',
      ...[directory, effect.key],
    );
    putMembers(db, directory, effect, 0);
  },
  takeMembers,
  dropMember: (db, directory, { targetId }) => {
    db.run(
      'DELETE FROM members WHERE target_id = ?2 AND team IN (SELECT id FROM teams WHERE directory = ?1)',
      ...[directory, targetId],
    );
  },
  count: (db, directory, { at, kind, scope, unit }) => {
    db.run(
      'INSERT OR IGNORE INTO removals (directory, at, kind, scope, unit) VALUES (?1, ?2, ?3, ?4, ?5)',
      ...[directory, at, kind, scope, unit],
    );
  },
};

/** In order, inside the caller's transaction. */
export function applyEffects(db: Connection, directory: number, effects: readonly Effect[]): void {
  for (const effect of effects) applyEffect(db, directory, effect);
}

function applyEffect<Type extends Effect['type']>(db: Connection, directory: number, effect: EffectOf<Type>): void {
  // The compiler does not see that the type picks the handler of its own effect.
  const handler = HANDLERS[effect.type] as Handlers[Type];
  handler(db, directory, effect);
}

function putLink(db: Connection, directory: number, { link }: { link: Link }): void {
  const print = fingerprint(link.applied);
  const active = link.active ? 1 : 0;
  const dirty = link.dirty ? 1 : 0;
  const { left } = link;
  const leave = [left?.at ?? null, left?.cause ?? null, left === undefined ? null : JSON.stringify(left.teams)];
  refuseTaken(() => {
    // Most writes confirm what was there: then the packed values need not be made and stored again.
    const same = db.run(
      `UPDATE links SET target_id = ?4, name = ?5, active = ?6, origin = ?7, dirty = ?8,
           left_at = ?9, left_cause = ?10, left_teams = ?11
         WHERE directory = ?1 AND source_id = ?2 AND fingerprint = ?3`,
      ...[directory, link.sourceId, print, link.targetId, link.name, active, link.origin, dirty, ...leave],
    );
    if (same > 0) return;
    db.run(
      `INSERT INTO links (directory, source_id, fingerprint, target_id, name, active, origin, dirty,
           left_at, left_cause, left_teams, applied)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)
         ON CONFLICT (directory, source_id) DO UPDATE SET
           fingerprint = excluded.fingerprint, target_id = excluded.target_id, name = excluded.name,
           active = excluded.active, origin = excluded.origin, dirty = excluded.dirty, left_at = excluded.left_at,
           left_cause = excluded.left_cause, left_teams = excluded.left_teams, applied = excluded.applied`,
      ...[directory, link.sourceId, print, link.targetId, link.name, active, link.origin, dirty, ...leave],
      pack(link.applied),
    );
  }, `the account ${link.targetId} of the target is linked to another person than ${link.sourceId}`);
}

function putTeam(db: Connection, directory: number, { team }: { team: TeamLink }): void {
  // Whoever was in the team that is gone is not in the one that takes its place.
  db.run(
    'DELETE FROM members WHERE team = (SELECT id FROM teams WHERE directory = ?1 AND key = ?2 AND target_id <> ?3)',
    ...[directory, team.key, team.targetId],
  );
  refuseTaken(
    () =>
      db.run(
        `INSERT INTO teams
           (directory, key, target_id, display_name, external_id, applied, rules, deletion_policy, origin, dirty)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)
         ON CONFLICT (directory, key) DO UPDATE SET
           target_id = excluded.target_id, display_name = excluded.display_name, external_id = excluded.external_id,
           applied = excluded.applied, rules = excluded.rules, deletion_policy = excluded.deletion_policy,
           origin = excluded.origin, dirty = excluded.dirty`,
        ...[directory, team.key, team.targetId, team.displayName, team.externalId],
        ...[
          JSON.stringify(team.applied),
          JSON.stringify(team.rules),
          team.deletionPolicy,
          team.origin,
          team.dirty ? 1 : 0,
        ],
      ),
    `the team ${team.targetId} of the target is linked to another key than ${team.key}`,
  );
}

function rekeyTeam(db: Connection, directory: number, effect: EffectOf<'rekeyTeam'>): void {
  const { from, to } = effect;
  refuseTaken(() => {
    if (db.run('UPDATE teams SET key = ?3 WHERE directory = ?1 AND key = ?2', directory, from, to) === 0) return;
    db.run(
      `UPDATE links SET left_teams =
           (SELECT json_group_array(DISTINCT CASE value WHEN ?2 THEN ?3 ELSE value END) FROM json_each(left_teams))
       WHERE directory = ?1 AND left_teams IS NOT NULL
         AND EXISTS (SELECT 1 FROM json_each(left_teams) WHERE value = ?2)`,
      ...[directory, from, to],
    );
    // A guard goes on counting under the new name; what stood there belonged to a team that is no more.
    for (const table of ['removals', 'samples']) {
      db.run(`DELETE FROM ${table} WHERE directory = ?1 AND scope = ?2`, directory, to);
      db.run(`UPDATE ${table} SET scope = ?3 WHERE directory = ?1 AND scope = ?2`, directory, from, to);
    }
  }, `the team ${from} cannot become ${to}: there is such a team already`);
}

type MembersEffect = EffectOf<'addMembers' | 'doubtMembers' | 'setMembers'>;

function putMembers(db: Connection, directory: number, { key, targetIds }: MembersEffect, doubtful: 0 | 1): void {
  db.run(
    `INSERT INTO members (team, target_id, doubtful)
     SELECT t.id, m.value, ?4 FROM teams t, json_each(?3) m WHERE t.directory = ?1 AND t.key = ?2
     ON CONFLICT (team, target_id) DO UPDATE SET doubtful = excluded.doubtful`,
    ...[directory, key, JSON.stringify(targetIds), doubtful],
  );
}

function takeMembers(db: Connection, directory: number, effect: EffectOf<'takeMembers'>): void {
  if (!db.hasScratch()) return;
  const read = db.get<{ team: number; place: number }>(
    `SELECT t.id AS team, o.place FROM teams t
     JOIN run.observed_teams o ON o.directory = ?1 AND o.id = t.target_id AND o.has_members = 1
     WHERE t.directory = ?1 AND t.key = ?2`,
    directory,
    effect.key,
  );
  if (read === undefined) return;
  db.run('DELETE FROM members WHERE team = ?1', read.team);
  db.run(
    `INSERT INTO members (team, target_id) SELECT ?2, m.target_id FROM run.observed_members m
     LEFT JOIN main.links l ON l.directory = ?1 AND l.target_id = m.target_id
     WHERE m.place = ?3 AND NOT ${goneExpression('User', 'l')}`,
    ...[directory, read.team, read.place],
  );
}

/** Two owners of one account would undo each other's work for ever; the whole list of effects is rolled back. */
function refuseTaken(work: () => void, message: string): void {
  try {
    work();
  } catch (error) {
    if (error instanceof SyncError && isDuplicate(error.cause)) {
      throw new SyncError('Conflict', message, { scope: 'run', cause: error });
    }
    throw error;
  }
}
