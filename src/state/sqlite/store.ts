import type { DirectoryKey, DirectoryState, Lease, StateStore } from '../store.ts';
import { toBackoffs } from './backoffs.ts';
import { type Connection, toConnection } from './connection.ts';
import { copyDirectories } from './copy.ts';
import { toDirectory } from './directory.ts';
import { toFacts } from './facts.ts';
import { openStateFile } from './file.ts';
import { toJournal } from './journal.ts';
import { acquireLease } from './lease.ts';
import { toLedger } from './ledger.ts';
import { toLinks } from './links.ts';
import { toMirror } from './mirror.ts';
import { toPhotos } from './photos.ts';
import { toSourceGroups } from './source-groups.ts';
import { toStaging } from './staging.ts';
import { toTakeovers } from './takeovers.ts';

export interface SqliteOptions {
  /** How long a write waits for one of another process. Default 5000; the event loop stands still meanwhile. */
  readonly busyTimeoutMs?: number;
  /** Largest size of the file; a write beyond it fails as on a full disk. No bound by default. */
  readonly maxBytes?: number;
}

/**
 * Opens the state file, or creates it (mode 0600) with its folder (0700). Beside it lie, while it is open, SQLite's own
 * `-wal` and `-shm`, and from the first lease on `.lock`.
 * @param file path, or `:memory:` for a store that ends with the process
 * @throws SyncError StateUnavailable: no state file, a newer or damaged one, no permission, no space
 */
export async function openSqliteStore(file: string, options: SqliteOptions = {}): Promise<StateStore> {
  const { db, path, forget } = await openStateFile(file, options);
  return toStore(toConnection(db, path, file), path, forget);
}

function toStore(connection: Connection, path: string, forget: () => void): StateStore {
  const { location } = connection;
  const leases = new Set<Lease>();
  let open = true;
  return {
    location,
    async acquire(holder, waiting) {
      const lease = await acquireLease(path, holder, waiting);
      leases.add(lease);
      return {
        async release() {
          leases.delete(lease);
          await lease.release();
        },
      };
    },
    directory: async (key) => toDirectoryState(connection, key),
    async directories() {
      const rows = connection.all<DirectoryKey>(
        'SELECT namespace, name AS id FROM directories ORDER BY namespace, name',
      );
      return rows.map((row) => ({ ...row }));
    },
    copy: async (keys) => toStore(copyDirectories(connection, path, keys), path, () => undefined),
    async close() {
      if (!open) return;
      open = false;
      for (const lease of leases) await lease.release();
      connection.close();
      forget();
    },
  };
}

function toDirectoryState(connection: Connection, key: DirectoryKey): DirectoryState {
  const directory = toDirectory(connection, key);
  return {
    facts: toFacts(directory),
    links: toLinks(directory),
    staging: toStaging(directory),
    groups: toSourceGroups(directory),
    mirror: toMirror(directory),
    journal: toJournal(directory),
    ledger: toLedger(directory),
    backoffs: toBackoffs(directory),
    photos: toPhotos(directory),
    takeovers: toTakeovers(directory, (id) => toDirectory(connection, { ...key, id })),
  };
}
