import type { GuardKind } from '../../model.ts';
import type { Ledger } from '../store.ts';
import type { Directory } from './directory.ts';

export function toLedger(of: Directory): Ledger {
  const { db } = of;
  return {
    async removals(since) {
      const rows = db.all<{ kind: GuardKind; scope: string; count: number }>(
        `SELECT kind, scope, count(*) AS count FROM removals WHERE directory = ?1 AND at >= ?2
         GROUP BY kind, scope ORDER BY kind, scope`,
        of.number(),
        since,
      );
      return rows.map((row) => ({ ...row }));
    },
    async units(kind, since) {
      const rows = db.all<{ unit: string }>(
        'SELECT DISTINCT unit FROM removals WHERE directory = ?1 AND kind = ?2 AND at >= ?3 ORDER BY unit',
        ...[of.number(), kind, since],
      );
      return rows.map(({ unit }) => unit);
    },
    async addSamples(at, samples) {
      await of.write((directory) => {
        // A sample that says what the newest one says changes no baseline: what stands still costs no space.
        for (const { scope, count } of samples) {
          db.run(
            `INSERT INTO samples (directory, scope, at, count)
             SELECT ?1, ?2, ?3, ?4 WHERE ?4 IS NOT
               (SELECT count FROM samples WHERE directory = ?1 AND scope = ?2 ORDER BY at DESC LIMIT 1)
             ON CONFLICT DO UPDATE SET count = excluded.count`,
            ...[directory, scope, at, count],
          );
        }
      });
    },
    async baseline(scope, since) {
      const row = db.get<{ count: number | null }>(
        `SELECT coalesce(
           (SELECT count FROM samples WHERE directory = ?1 AND scope = ?2 AND at <= ?3 ORDER BY at DESC LIMIT 1),
           (SELECT max(count) FROM samples WHERE directory = ?1 AND scope = ?2 AND at > ?3)
         ) AS count`,
        of.number(),
        scope,
        since,
      );
      return row?.count ?? null;
    },
    async purge(before) {
      await of.write((directory) => {
        db.run('DELETE FROM removals WHERE directory = ?1 AND at < ?2', directory, before);
        // The newest one at or before that time is the baseline of a window that begins then.
        db.run(
          `DELETE FROM samples WHERE directory = ?1 AND at <
             (SELECT max(at) FROM samples newest
              WHERE newest.directory = ?1 AND newest.scope = samples.scope AND newest.at <= ?2)`,
          directory,
          before,
        );
      });
    },
  };
}
