import { SyncError } from '../../errors.ts';
import { INHERITED } from '../../model.ts';
import { toGroupKey } from '../../team-key.ts';
import type { Takeover, Takeovers } from '../takeovers.ts';
import type { Connection } from './connection.ts';
import type { Directory } from './directory.ts';
import { countLinks } from './links.ts';
import { parseJson } from './rows.ts';

/** How keys of teams of groups begin. */
const GROUP = toGroupKey('');

/**
 * Rows change their directory, and the old one keeps its number and its row: whoever still holds it sees it empty, and
 * never what is the new one's.
 * @param toOther the directory of another id of the same namespace
 */
export function toTakeovers(of: Directory, toOther: (id: string) => Directory): Takeovers {
  const { db } = of;
  return {
    async find(id) {
      const old = toOther(id).number();
      if (old === 0) return null;
      const facts = db.all<{ name: string; value: string }>('SELECT name, value FROM facts WHERE directory = ?1', old);
      return {
        links: countLinks(db, old),
        facts: Object.fromEntries(facts.map(({ name, value }) => [name, parseJson<unknown>(db, value)])),
      };
    },
    async carryOut(takeover) {
      const from = toOther(takeover.from).number();
      if (from === 0) throw refused(takeover, 'nothing stands under it');
      await of.write((to) => {
        const { people, teams } = countLinks(db, to);
        if (people + teams > 0) throw refused(takeover, 'this one has links of its own');
        moveRows(db, from, to);
        moveLinks(db, { from, to, prefix: takeover.prefix });
        moveFacts(db, { from, to, takeover });
      });
    },
  };
}

function refused({ from }: Takeover, why: string): SyncError {
  return new SyncError('Conflict', `what stands under the id ${from} cannot be taken over: ${why}`, { scope: 'run' });
}

function moveRows(db: Connection, from: number, to: number): void {
  // Sizes of a directory without links say nothing about the one that comes.
  db.run('DELETE FROM samples WHERE directory = ?1', to);
  // Known again only by reading: where the source is another one, its ids and ETags mean somebody else's.
  db.run('DELETE FROM photos WHERE directory = ?1', from);
  for (const directory of [from, to]) db.run('DELETE FROM mirrors WHERE directory = ?1', directory);
  for (const table of ['runs', 'teams', 'samples', 'removals', 'backoffs'])
    db.run(`UPDATE OR REPLACE ${table} SET directory = ?2 WHERE directory = ?1`, from, to);
}

interface Move {
  readonly from: number;
  readonly to: number;
}

function moveLinks(db: Connection, { from, to, prefix }: Move & Pick<Takeover, 'prefix'>): void {
  if (prefix === null) {
    db.run('UPDATE links SET directory = ?2 WHERE directory = ?1', from, to);
    return;
  }
  db.run(
    `UPDATE links SET directory = ?3, origin = 'inherited', source_id = ${prefixed('source_id')} WHERE directory = ?2`,
    ...[prefix, from, to],
  );
  db.run('DELETE FROM backoffs WHERE directory = ?1', to);
  renameGroupTeams(db, to, prefix);
  renameInBegun(db, to, prefix);
}

const IS_GROUP = (key: string): string => `substr(${key}, 1, ${GROUP.length}) = '${GROUP}'`;

function renameGroupTeams(db: Connection, directory: number, prefix: string): void {
  db.run(`UPDATE teams SET key = ?1 || key WHERE directory = ?2 AND ${IS_GROUP('key')}`, prefix, directory);
  for (const table of ['removals', 'samples'])
    db.run(`UPDATE ${table} SET scope = ?1 || scope WHERE directory = ?2 AND ${IS_GROUP('scope')}`, prefix, directory);
  db.run(
    `UPDATE links SET left_teams = (
       SELECT json_group_array(CASE WHEN ${IS_GROUP('value')} THEN ?1 || value ELSE value END) FROM json_each(left_teams))
     WHERE directory = ?2 AND left_teams LIKE '%"${GROUP}%'`,
    ...[prefix, directory],
  );
}

/** Effects of what was begun are for the links and teams that were just renamed. The runs are this directory's by now. */
function renameInBegun(db: Connection, directory: number, prefix: string): void {
  const rename = (path: string, resource: 'User' | 'Team', condition: (id: string) => string): void => {
    const id = `json_extract(body, '${path}')`;
    db.run(
      `UPDATE operation_texts SET body = json_set(body, '${path}', ${prefixed(id)})
       WHERE ${condition(id)} AND (run, seq) IN (
         SELECT o.run, o.seq FROM operations o JOIN runs r ON r.id = o.run
         WHERE r.directory = ?2 AND o.status = 'begun' AND o.resource = '${resource}')`,
      ...[prefix, directory],
    );
  };
  rename('$.id', 'User', (id) => `${id} IS NOT NULL`);
  rename('$.id', 'Team', IS_GROUP);
  rename('$.member.sourceId', 'Team', (id) => `${id} IS NOT NULL`);
}

/** `?1` is the prefix. */
function prefixed(id: string): string {
  return `CASE WHEN substr(${id}, 1, ${INHERITED.length}) = '${INHERITED}' THEN ${id} ELSE ?1 || ${id} END`;
}

function moveFacts(db: Connection, { from, to, takeover }: Move & { readonly takeover: Takeover }): void {
  db.run(
    `UPDATE OR REPLACE facts SET directory = ?2
     WHERE directory = ?1 AND name NOT IN (SELECT value FROM json_each(?3))`,
    ...[from, to, JSON.stringify(takeover.without)],
  );
  db.run('DELETE FROM facts WHERE directory = ?1', from);
  putFacts(db, to, takeover.facts);
  putFacts(db, from, takeover.left);
}

function putFacts(db: Connection, directory: number, facts: Readonly<Record<string, unknown>>): void {
  for (const [name, value] of Object.entries(facts)) {
    db.run('DELETE FROM facts WHERE directory = ?1 AND name = ?2', directory, name);
    if (value !== null) db.run('INSERT INTO facts VALUES (?1, ?2, ?3)', directory, name, JSON.stringify(value));
  }
}
