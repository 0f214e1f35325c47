import type { Facts } from '../store.ts';
import type { Directory } from './directory.ts';
import { parseJson } from './rows.ts';

export function toFacts(of: Directory): Facts {
  return {
    async get<T>(name: string): Promise<T | null> {
      const row = of.db.get<{ value: string }>(
        'SELECT value FROM facts WHERE directory = ?1 AND name = ?2',
        of.number(),
        name,
      );
      return row === undefined ? null : parseJson<T>(of.db, row.value);
    },
    async put(name, value) {
      await of.write((directory) => {
        if (value === null) of.db.run('DELETE FROM facts WHERE directory = ?1 AND name = ?2', directory, name);
        else {
          // What is the same already costs no page of the log.
          of.db.run(
            `INSERT INTO facts VALUES (?1, ?2, ?3)
             ON CONFLICT DO UPDATE SET value = excluded.value WHERE value IS NOT excluded.value`,
            directory,
            name,
            JSON.stringify(value),
          );
        }
      });
    },
  };
}
