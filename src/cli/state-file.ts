/** The state file for commands that only show what it holds. */
import { existsSync } from 'node:fs';
import { SyncError } from '../errors.ts';
import { openSqliteStore } from '../state/sqlite/store.ts';
import type { StateStore } from '../state/store.ts';
import { type CliIo, toPath } from './io.ts';
import { DEFAULT_STATE } from './session.ts';

/**
 * Opens it, and makes none: a name that was mistyped would look like a company without any history.
 * @param orEmpty where nobody named a file, one that nothing was written to yet is as good as an empty one
 * @throws SyncError `StateUnavailable`
 */
export async function openExistingStore(
  io: Pick<CliIo, 'cwd'>,
  state: string,
  { orEmpty = false }: { readonly orEmpty?: boolean } = {},
): Promise<StateStore> {
  const path = toPath(io, state);
  if (existsSync(path)) return openSqliteStore(path);
  if (orEmpty && state === DEFAULT_STATE) return openSqliteStore(':memory:');
  throw new SyncError(
    'StateUnavailable',
    `there is no state file ${state}; name another one with --state, or make it with dirsync apply`,
  );
}
