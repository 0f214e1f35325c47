/** What commands over a folder share: the state store, the resources, and the engine over both. */
import { readFileSync } from 'node:fs';
import type { DirectorySyncResource } from '../api/directory-sync.ts';
import { SyncError } from '../errors.ts';
import { createPlatformTokens } from '../http/platform-token.ts';
import { createLocalHost, findUnreadable, type LocalHost } from '../local/host.ts';
import type { Problem } from '../local/problem.ts';
import { computeNearestName } from '../nearest-name.ts';
import { createConnections } from '../reconcile/connections.ts';
import { createEngine, type Engine } from '../reconcile/engine.ts';
import type { Commands } from '../reconcile/status.ts';
import { sourceProviders } from '../sources/registry.ts';
import { openSqliteStore } from '../state/sqlite/store.ts';
import type { StateStore } from '../state/store.ts';
import { targetProviders } from '../targets/registry.ts';
import { createLogger, type Logger, type LogLevel } from '../telemetry/log.ts';
import { type CliIo, toPath } from './io.ts';
import { printProblems } from './problems.ts';
import { createStatusStore, type StatusStore } from './status-store.ts';

/** Options of every command that works on a folder. */
export interface FolderOptions {
  /** As typed. */
  readonly filename: string;
  readonly secrets?: string;
  readonly state: string;
  readonly logLevel: LogLevel;
}

export const DEFAULT_STATE = '.dirsync/state.db';

export interface Session {
  readonly io: CliIo;
  readonly options: FolderOptions;
  readonly store: StateStore;
  readonly statuses: StatusStore;
  readonly host: LocalHost;
  readonly engine: Engine;
  readonly log: Logger;
  readonly commands: Commands;
  close(): Promise<void>;
}

export interface SessionInput {
  readonly io: CliIo;
  readonly options: FolderOptions;
  /** Name of the command, shown to whoever waits for the state store. */
  readonly command: string;
  readonly onProblems?: (problems: readonly Problem[]) => void;
}

export function readVersion(): string {
  const text = readFileSync(new URL('../../package.json', import.meta.url), 'utf8');
  return (JSON.parse(text) as { version: string }).version;
}

function createCliLogger(io: CliIo, level: LogLevel): Logger {
  return createLogger({ level, destination: { write: (line) => io.stderr(line) } });
}

/** @throws SyncError `StateUnavailable` */
export async function openSession({ io, options, command, onProblems }: SessionInput): Promise<Session> {
  const log = createCliLogger(io, options.logLevel);
  const store = await openSqliteStore(toPath(io, options.state));
  const statuses = createStatusStore(store);
  const host = createLocalHost({
    folder: toPath(io, options.filename),
    secretsFolder: options.secrets === undefined ? null : toPath(io, options.secrets),
    readPlatformToken: createPlatformTokens(io.env),
    loadStatus: statuses.loadStatus,
    saveStatus: statuses.saveStatus,
    onEvent: ({ kind, namespace, name }, { type, reason, message }) =>
      log.info({ resource: `${kind} ${namespace}/${name}`, type, reason }, message),
    onProblems,
  });
  const engine = createEngine({
    host,
    store,
    providers: { sources: sourceProviders, targets: targetProviders },
    createHttp: createConnections({ userAgent: `dirsync/${readVersion()}` }),
    now: io.now,
    log,
    holder: `dirsync ${command} (process ${process.pid})`,
  });
  const commands = toCommands(options);
  return {
    ...{ io, options, store, statuses, host, engine, log, commands },
    async close() {
      await host.close();
      await store.close();
    },
  };
}

/** The commands that a person is told to type, with the options that were given. */
export function toCommands(options: FolderOptions): Commands {
  const words = ['-f', quote(options.filename)];
  if (options.secrets !== undefined) words.push('--secrets', quote(options.secrets));
  if (options.state !== DEFAULT_STATE) words.push('--state', quote(options.state));
  const rest = words.join(' ');
  return { review: `dirsync plan ${rest}`, approve: (hash) => `dirsync approve ${hash} ${rest}` };
}

function quote(word: string): string {
  return /^[\w./:@%+,=-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}

/**
 * The DirectorySyncs that a command works on. What is wrong in the folder is said on standard error.
 * @param name `NAME` or `NAMESPACE/NAME`; undefined: all of them
 * @throws SyncError `Invalid` where the folder cannot be trusted to be whole, or has no such resource
 */
export async function selectSyncs(
  session: Pick<Session, 'io' | 'host'> & { readonly options: Pick<FolderOptions, 'filename'> },
  name: string | undefined,
): Promise<readonly DirectorySyncResource[]> {
  const { io, host, options } = session;
  const set = await host.read();
  await printProblems(io, options.filename, set.problems);
  const unreadable = findUnreadable(set);
  if (unreadable.length > 0) {
    throw new SyncError('Invalid', `${options.filename} has errors that leave open what it wants; nothing was done`);
  }
  return pickSyncs(host.resources().directorySyncs, name, options.filename);
}

function pickSyncs(
  syncs: readonly DirectorySyncResource[],
  name: string | undefined,
  folder: string,
): readonly DirectorySyncResource[] {
  if (syncs.length === 0) throw new SyncError('Invalid', `there is no DirectorySync in ${folder}`);
  if (name === undefined) return syncs;
  const found = syncs.filter(
    ({ metadata }) => metadata.name === name || `${metadata.namespace}/${metadata.name}` === name,
  );
  if (found.length > 1) {
    const namespaces = found.map(({ metadata }) => metadata.namespace).join(', ');
    throw new SyncError(
      'Invalid',
      `DirectorySync ${name} stands in several namespaces (${namespaces}); write NAMESPACE/${name}`,
    );
  }
  if (found.length === 1) return found;
  const names = syncs.map(({ metadata }) => metadata.name);
  const near = computeNearestName(name, names);
  const hint = near === null ? `it has ${names.join(', ')}` : `did you mean "${near}"?`;
  throw new SyncError('Invalid', `there is no DirectorySync "${name}" in ${folder}; ${hint}`);
}
