import type { Directory } from './directory.ts';

/** Rows of one transaction: some tens of milliseconds, so that a purge of months does not stop everything else. */
const CHUNK = 5000;
const FREED_PAGES = 1000;
const TABLES = ['operations', 'operation_texts', 'record_errors', 'findings'] as const;

/** Not those with an operation whose end is not known: the next run still has to ask the target about it. */
export function readPurgeable(of: Directory, before: number): readonly number[] {
  const rows = of.db.all<{ id: number }>(
    `SELECT id FROM runs r WHERE directory = ?1 AND started_at < ?2
     AND NOT EXISTS (SELECT 1 FROM operations o WHERE o.run = r.id AND o.status = 'begun') ORDER BY id`,
    of.number(),
    before,
  );
  return rows.map((row) => row.id);
}

/** The run's own row goes last: what a kill leaves of it, the next purge finds. */
export async function writePurge(of: Directory, run: number): Promise<void> {
  const { db } = of;
  const deleteSome = (table: (typeof TABLES)[number]) =>
    db.write(() =>
      db.run(`DELETE FROM ${table} WHERE rowid IN (SELECT rowid FROM ${table} WHERE run = ?1 LIMIT ${CHUNK})`, run),
    );
  for (const table of TABLES) {
    while ((await deleteSome(table)) > 0);
  }
  await db.write(() => db.run('DELETE FROM runs WHERE id = ?1', run));
  await writeSpaceBack(of);
}

/** A plan for everybody can be as large as all links together; without this the file would keep that size for ever. */
export async function writeSpaceBack(of: Directory): Promise<void> {
  const { db } = of;
  const free = () => db.get<{ freelist_count: number }>('PRAGMA main.freelist_count')?.freelist_count ?? 0;
  for (let before = free(); before > 0; ) {
    await db.write(() => db.all(`PRAGMA main.incremental_vacuum(${FREED_PAGES})`));
    const after = free();
    if (after >= before) return;
    before = after;
  }
}
