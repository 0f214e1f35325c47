import type { DirectoryKey } from '../store.ts';
import type { Connection } from './connection.ts';

/** The rows of one DirectorySync: every statement has its number (rule D3). */
export interface Directory {
  readonly db: Connection;
  /** 0, which no row has, before the first write. */
  number(): number;
  /** In a transaction of the state file. */
  write<T>(work: (directory: number) => T): Promise<T>;
  /** In a transaction of the scratch database. */
  stage<T>(work: (directory: number) => T): Promise<T>;
}

export function toDirectory(db: Connection, key: DirectoryKey): Directory {
  let known = 0;
  const find = () =>
    db.get<{ id: number }>('SELECT id FROM directories WHERE namespace = ?1 AND name = ?2', key.namespace, key.id)
      ?.id ?? 0;
  const number = () => {
    if (known === 0) known = find();
    return known;
  };
  // Never remembered from inside a transaction: it may yet be rolled back.
  const insert = () => {
    db.run('INSERT OR IGNORE INTO directories (namespace, name) VALUES (?1, ?2)', key.namespace, key.id);
    return find();
  };
  return {
    db,
    number,
    write: (work) => db.write(() => work(known === 0 ? insert() : known)),
    stage: async (work) => {
      if (number() === 0) await db.write(insert);
      const directory = number();
      db.staging.set(directory, (db.staging.get(directory) ?? 0) + 1);
      return db.stage(() => work(directory));
    },
  };
}
