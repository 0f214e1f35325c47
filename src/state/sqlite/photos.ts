import type { Photos, SeenPhoto } from '../store.ts';
import type { Directory } from './directory.ts';

interface PhotoRow {
  source_id: string;
  etag: string;
  hash: string | null;
  size: number | null;
}

export function toPhotos(of: Directory): Photos {
  return {
    async many(sourceIds) {
      const rows = of.db.all<PhotoRow>(
        `SELECT source_id, etag, hash, size FROM photos
         WHERE directory = ?1 AND source_id IN (SELECT value FROM json_each(?2))`,
        of.number(),
        JSON.stringify(sourceIds),
      );
      return new Map(rows.map((row) => [row.source_id, toSeenPhoto(row)]));
    },
    async put(photos) {
      if (photos.length === 0) return;
      await of.write((directory) => {
        for (const { sourceId, etag, hash, size } of photos)
          of.db.run(
            'INSERT OR REPLACE INTO photos (directory, source_id, etag, hash, size) VALUES (?1, ?2, ?3, ?4, ?5)',
            ...[directory, sourceId, etag, hash, size],
          );
      });
    },
    async purge() {
      await of.write((directory) =>
        of.db.run(
          `DELETE FROM photos WHERE directory = ?1
           AND source_id NOT IN (SELECT source_id FROM links WHERE directory = ?1)`,
          directory,
        ),
      );
    },
  };
}

function toSeenPhoto({ source_id, etag, hash, size }: PhotoRow): SeenPhoto {
  return { sourceId: source_id, etag, hash, size };
}
