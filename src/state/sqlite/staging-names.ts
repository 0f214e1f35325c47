import type { Contention } from '../staging.ts';
import { PAGE, readPages } from './connection.ts';
import type { Directory } from './directory.ts';

interface ContentionRow {
  seq: number;
  source_id: string;
  path: string;
  holder: string;
  freed_by: number | null;
}

export async function* readContentions(of: Directory): AsyncGenerator<readonly Contention[]> {
  of.db.openScratch();
  const directory = of.number();
  const pages = readPages<ContentionRow>((last) =>
    of.db.all(
      `SELECT w.seq, w.source_id, w.path, h.source_id AS holder,
         (SELECT max(f.seq) FROM run.names f
          WHERE f.directory = ?1 AND f.role = 'frees' AND f.path = w.path AND f.key = w.key
            AND f.source_id = h.source_id
            AND NOT EXISTS (SELECT 1 FROM run.names d
              WHERE d.directory = ?1 AND d.role = 'doubts' AND d.source_id = f.source_id AND d.seq = f.seq
                AND NOT EXISTS (SELECT 1 FROM run.names o
                  WHERE o.directory = ?1 AND o.role = 'has' AND o.path = d.path AND o.key = d.key
                    AND o.source_id <> d.source_id))) AS freed_by
       FROM run.names w
       JOIN run.names h ON h.directory = ?1 AND h.role = 'has' AND h.path = w.path AND h.key = w.key
         AND h.source_id <> w.source_id
       WHERE w.directory = ?1 AND w.role = 'wants' AND (w.seq, w.path, h.source_id) > (?2, ?3, ?4)
       ORDER BY w.seq, w.path, h.source_id LIMIT ${PAGE}`,
      ...[directory, last?.seq ?? 0, last?.path ?? '', last?.holder ?? ''],
    ),
  );
  for await (const rows of pages)
    yield rows.map(({ source_id, freed_by, ...row }) => ({ ...row, sourceId: source_id, freedBy: freed_by }));
}
