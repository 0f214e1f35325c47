import type { ErrorCode } from '../../errors.ts';
import type { Backoff, Backoffs } from '../store.ts';
import type { Directory } from './directory.ts';

interface BackoffRow {
  source_id: string;
  mark: string;
  failures: number;
  until: number;
  code: ErrorCode;
  message: string;
}

export function toBackoffs(of: Directory): Backoffs {
  return {
    async many(sourceIds) {
      const rows = of.db.all<BackoffRow>(
        `SELECT source_id, mark, failures, until, code, message FROM backoffs
         WHERE directory = ?1 AND source_id IN (SELECT value FROM json_each(?2)) ORDER BY source_id, mark`,
        of.number(),
        JSON.stringify(sourceIds),
      );
      return Map.groupBy(rows.map(toBackoff), ({ sourceId }) => sourceId);
    },
    async purge(before) {
      await of.write((directory) =>
        of.db.run('DELETE FROM backoffs WHERE directory = ?1 AND until < ?2', directory, before),
      );
    },
  };
}

function toBackoff({ source_id, ...row }: BackoffRow): Backoff {
  return { ...row, sourceId: source_id };
}
