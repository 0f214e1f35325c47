/** Rows of one id → one person (`duplicateIds: Merge`). */
import { DatabaseSync } from 'node:sqlite';
import { SyncError } from '../../errors.ts';
import type { Json } from '../../model.ts';
import { type FileRecord, type FormatOptions, isActive, toId } from './convert.ts';
import { MAX_RECORD_BYTES, toReadFailed } from './failure.ts';

const PAGE_SIZE = 500;

/** What the rows of one person have had so far: distinct values by name, null and empty left out. */
interface Merged {
  readonly values: Record<string, Json[]>;
  /** Names that some row had a list for. */
  readonly lists: string[];
}

/**
 * One record for each id, where its first row stands. A value that all rows agree in is that value; those that differ are
 * a list, in the order of the rows; lists are joined. Empty cells count for nothing. A person is inactive when all rows
 * say so.
 *
 * Rows of one id may stand anywhere, so nothing is given before all are read. They wait in a temporary file of SQLite,
 * which vanishes with the connection; about 2 MiB of it are in memory.
 */
export async function* mergeRows(
  rows: AsyncIterable<readonly FileRecord[]>,
  options: FormatOptions,
): AsyncGenerator<FileRecord[]> {
  const store = openStore(options.label);
  try {
    for await (const some of rows) store.add(some, options);
    yield* store.list();
  } finally {
    store.close();
  }
}

interface MergeStore {
  add(rows: readonly FileRecord[], options: FormatOptions): void;
  list(): Generator<FileRecord[]>;
  close(): void;
}

function openStore(label: string): MergeStore {
  // An empty name is a temporary file that SQLite deletes; with ":memory:" it would grow with the directory.
  const database = attempt(label, () => {
    const opened = new DatabaseSync('');
    opened.exec('PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF');
    opened.exec(
      'CREATE TABLE people (place INTEGER PRIMARY KEY, id TEXT UNIQUE, position TEXT, active INTEGER, merged TEXT)',
    );
    return opened;
  });
  const find = database.prepare('SELECT place, active, merged FROM people WHERE id = ?');
  const insert = database.prepare('INSERT INTO people (id, position, active, merged) VALUES (?, ?, ?, ?)');
  const update = database.prepare('UPDATE people SET active = ?, merged = ? WHERE place = ?');
  const after = database.prepare(`SELECT * FROM people WHERE place > ? ORDER BY place LIMIT ${PAGE_SIZE}`);

  function addRow(row: FileRecord, options: FormatOptions): void {
    const id = toId(row, options);
    const found = find.get(id);
    const before: Merged = found === undefined ? { values: {}, lists: [] } : JSON.parse(String(found['merged']));
    // The id may be a number in one row and a text in the next: it is one all the same.
    const { [options.idAttribute]: first, ...others } = row.attributes;
    const attributes = found === undefined ? { ...others, [options.idAttribute]: first ?? null } : others;
    const merged = JSON.stringify(mergeRow(before, attributes));
    if (merged.length > MAX_RECORD_BYTES) {
      throw toReadFailed(label, `${row.position}: what the rows of its id have together is larger than 1 MiB`);
    }
    const active = isActive(row.attributes) ? 1 : 0;
    if (found === undefined) insert.run(id, row.position, active, merged);
    else update.run(Number(found['active']) | active, merged, Number(found['place']));
  }

  return {
    add: (rows, options) =>
      attempt(label, () => {
        database.exec('BEGIN');
        for (const row of rows) addRow(row, options);
        database.exec('COMMIT');
      }),
    *list() {
      let place = 0;
      for (;;) {
        const rows = attempt(label, () => after.all(place));
        if (rows.length === 0) return;
        place = Number(rows.at(-1)?.['place']);
        yield rows.map((row) => toRecord(row));
      }
    },
    close: () => database.close(),
  };
}

function mergeRow({ values, lists }: Merged, attributes: FileRecord['attributes']): Merged {
  for (const [name, value] of Object.entries(attributes)) {
    const known = values[name] ?? [];
    values[name] = known;
    if (Array.isArray(value) && !lists.includes(name)) lists.push(name);
    const items = Array.isArray(value) ? (value as readonly Json[]) : [value];
    for (const item of items) if (item !== null && item !== '' && !isAmong(item, known)) known.push(item);
  }
  return { values, lists };
}

function isAmong(item: Json, known: readonly Json[]): boolean {
  if (typeof item !== 'object') return known.includes(item);
  const text = JSON.stringify(item);
  return known.some((each) => typeof each === 'object' && JSON.stringify(each) === text);
}

function toRecord(row: Record<string, unknown>): FileRecord {
  const { values, lists }: Merged = JSON.parse(String(row['merged']));
  const attributes: Record<string, Json> = {};
  for (const [name, known] of Object.entries(values)) {
    attributes[name] = lists.includes(name) || known.length > 1 ? known : (known[0] ?? null);
  }
  return { position: String(row['position']), attributes, active: row['active'] === 1 };
}

/** What SQLite throws is a full disk or a folder that cannot be written. */
function attempt<T>(label: string, action: () => T): T {
  try {
    return action();
  } catch (thrown) {
    if (thrown instanceof SyncError) throw thrown;
    throw toReadFailed(label, 'its rows could not be put into the folder for temporary files (TMPDIR)', thrown);
  }
}
