/** Which accounts and teams other directories of the same application have linked. */
import type { DirectoryKey } from '../store.ts';
import type { Directory } from './directory.ts';

/** Those that nothing was ever written for have nothing linked. */
export async function writeNeighbours(of: Directory, keys: readonly DirectoryKey[]): Promise<void> {
  await of.stage((directory) => {
    of.db.run('DELETE FROM run.neighbours WHERE directory = ?1', directory);
    of.db.run(
      `INSERT OR IGNORE INTO run.neighbours (directory, neighbour)
       SELECT ?1, d.id FROM json_each(?2) k
       JOIN main.directories d ON d.namespace = k.value ->> 0 AND d.name = k.value ->> 1
       WHERE d.id <> ?1`,
      directory,
      JSON.stringify(keys.map(({ namespace, id }) => [namespace, id])),
    );
  });
}

/**
 * Number of the oldest neighbour that has linked the object with this id. Directories are numbered in the order of their
 * first write. `?1` is the directory.
 * @param targetId an SQL expression
 * @param condition on the row `n` of the neighbour
 */
export function neighbourExpression(resource: 'User' | 'Team', targetId: string, condition = 'TRUE'): string {
  const table = resource === 'User' ? 'main.links' : 'main.teams';
  return `(SELECT min(n.neighbour) FROM run.neighbours n
    JOIN ${table} x ON x.directory = n.neighbour AND x.target_id = ${targetId}
    WHERE n.directory = ?1 AND ${condition})`;
}

/** Null for null. */
export function readDirectoryKey({ db }: Pick<Directory, 'db'>, number: number | null): DirectoryKey | null {
  if (number === null) return null;
  const row = db.get<DirectoryKey>('SELECT namespace, name AS id FROM main.directories WHERE id = ?1', number);
  return row === undefined ? null : { ...row };
}

export function readNeighbourOf(of: Directory, resource: 'User' | 'Team', targetId: string): DirectoryKey | null {
  of.db.openScratch();
  const row = of.db.get<{ neighbour: number | null }>(
    `SELECT ${neighbourExpression(resource, '?2')} AS neighbour`,
    ...[of.number(), targetId],
  );
  return readDirectoryKey(of, row?.neighbour ?? null);
}
