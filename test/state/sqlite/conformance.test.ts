import { createHash } from 'node:crypto';
import { mkdtemp, open, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterAll } from 'vitest';
import { MIGRATIONS } from '../../../src/state/sqlite/schema.ts';
import { openSqliteStore } from '../../../src/state/sqlite/store.ts';
import { describeStateStore } from '../../conformance/state.ts';

const folders: string[] = [];

afterAll(async () => {
  for (const folder of folders) await rm(folder, { recursive: true, force: true });
});

describeStateStore('SQLite state store', {
  async place() {
    const folder = await mkdtemp(join(tmpdir(), 'dirsync-state-'));
    folders.push(folder);
    return join(folder, 'state.db');
  },
  open: (place) => openSqliteStore(place),
  module: new URL('./open.ts', import.meta.url).href,
  async makeNewer(place) {
    const db = new DatabaseSync(place);
    db.exec(`PRAGMA user_version = ${MIGRATIONS.length + 1}`);
    db.close();
  },
  async damage(place) {
    const file = await open(place, 'r+');
    const { size } = await file.stat();
    // The header and the schema stay whole, so that the file still opens.
    const garbage = Buffer.alloc(size - 8 * 4096, 0xa5);
    await file.write(garbage, 0, garbage.length, 8 * 4096);
    await file.close();
  },
  makeForeign: (place) => writeFile(place, 'sourceId,targetId\nada,1\n'.repeat(100)),
  async snapshot(place) {
    const folder = join(place, '..');
    const names = (await readdir(folder)).sort();
    return Promise.all(
      names.map(async (name) => [
        name,
        createHash('sha256')
          .update(await readFile(join(folder, name)))
          .digest('hex'),
      ]),
    );
  },
});
