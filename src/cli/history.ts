/** `dirsync history`: runs, and what became of every operation of one. */
import type { Command } from 'commander';
import { type PlanCount, summarizePlan } from '../api/directory-sync-status.ts';
import { SyncError } from '../errors.ts';
import { getFact } from '../reconcile/facts.ts';
import type { DirectoryKey, DirectoryState, RunRecord, StateStore, StoredOperation } from '../state/store.ts';
import { type CommandContext, runCommand } from './command.ts';
import { EXIT, type ExitCode } from './exit-code.ts';
import type { CliIo } from './io.ts';
import { withState } from './options.ts';
import { readAsDone } from './plan-operations.ts';
import { formatValue, shortenPath, toShownValue } from './plan-values.ts';
import { openExistingStore } from './state-file.ts';
import { createStatusStore } from './status-store.ts';
import { formatTable } from './table.ts';
import { formatDuration } from './wording.ts';

export interface HistoryOptions {
  readonly state: string;
  readonly limit: number;
}

const DEFAULT_LIMIT = 20;

export function declareHistory(program: Command, context: CommandContext): void {
  const command = program
    .command('history')
    .description('runs; with a run, every operation with its result and every error')
    .argument('[name]', 'a DirectorySync, by its name or spec.id; all of the state file without it')
    .argument('[run]', 'id of a run, its beginning, or "last"')
    .option(
      '--limit <runs>',
      'runs that are listed',
      (text) => Math.max(1, Number.parseInt(text, 10) || 1),
      DEFAULT_LIMIT,
    );
  withState(command).action((name: string | undefined, run: string | undefined, options: HistoryOptions) =>
    runCommand(context, () => history(context.io, { name, run }, options)),
  );
}

async function history(
  io: CliIo,
  { name, run }: { readonly name?: string | undefined; readonly run?: string | undefined },
  options: HistoryOptions,
): Promise<ExitCode> {
  const store = await openExistingStore(io, options.state);
  try {
    const directories = await findDirectories(store, name).then((keys) => followTakeovers(store, keys));
    if (run !== undefined) {
      const [key] = directories;
      if (key !== undefined) await printRun(io, await store.directory(key), run);
      return EXIT.done;
    }
    for (const [index, key] of directories.entries()) {
      if (index > 0) await io.stdout('\n');
      if (directories.length > 1) await io.stdout(`${key.namespace}/${key.id}\n`);
      await printRuns(io, await store.directory(key), options.limit);
    }
    return EXIT.done;
  } finally {
    await store.close();
  }
}

/** A name is the one of the resource as it was applied last; an id is known even when nobody applied anything since. */
async function findDirectories(store: StateStore, name: string | undefined): Promise<readonly DirectoryKey[]> {
  const statuses = createStatusStore(store);
  const all = await statuses.directories();
  if (name === undefined) return all;
  const { directorySyncs } = await statuses.loadResources();
  const ids = directorySyncs
    .filter(({ metadata }) => metadata.name === name || `${metadata.namespace}/${metadata.name}` === name)
    .map(({ metadata, spec }) => `${metadata.namespace}/${spec.id ?? metadata.name}`);
  const found = all.filter(
    ({ namespace, id }) => id === name || `${namespace}/${id}` === name || ids.includes(`${namespace}/${id}`),
  );
  if (found.length > 0) return found;
  const known = all.length === 0 ? 'it has none' : `it has ${all.map(({ id }) => id).join(', ')}`;
  throw new SyncError('ReferenceNotFound', `the state file knows no DirectorySync "${name}"; ${known}`);
}

/** What another id has taken over, and with it the history, is found there; each once. */
async function followTakeovers(store: StateStore, keys: readonly DirectoryKey[]): Promise<readonly DirectoryKey[]> {
  const ends = new Map<string, DirectoryKey>();
  for (const key of keys) {
    const end = await followTakeover(store, key);
    ends.set(`${end.namespace}/${end.id}`, end);
  }
  return [...ends.values()];
}

async function followTakeover(store: StateStore, key: DirectoryKey): Promise<DirectoryKey> {
  const { facts, journal } = await store.directory(key);
  const heir = await getFact(facts, 'takenOverBy');
  const hasRuns = (await journal.runs(1)).length > 0;
  return heir === null || hasRuns ? key : followTakeover(store, { ...key, id: heir });
}

async function printRuns(io: CliIo, { journal }: DirectoryState, limit: number): Promise<void> {
  const runs = await journal.runs(limit);
  const heading = ['RUN', 'STARTED', 'TOOK', 'KIND', 'REASON', 'DONE', 'HELD', 'FAILED', 'REQUESTS', 'APPROVED'];
  await io.stdout(formatTable([heading, ...runs.map(toRow)]));
}

function toRow(run: RunRecord): readonly string[] {
  const { kind = run.kind, applied, held, people, requests, approval } = readSummary(run);
  return [
    run.id,
    formatTime(run.startedAt),
    run.finishedAt === null ? '' : formatDuration(run.finishedAt - run.startedAt),
    kind,
    run.outcome === 'stopped' ? 'stopped' : (run.reason ?? 'not finished'),
    run.finishedAt === null ? '' : summarizePlan(applied ?? {}),
    String(held?.count ?? ''),
    String(people?.failed ?? ''),
    requests === undefined ? '' : String(requests.source + requests.target),
    approval === null || approval === undefined ? '' : `${approval.hash} by ${approval.by ?? 'unknown'}`,
  ];
}

function formatTime(ms: number): string {
  return new Date(ms).toISOString().replace('T', ' ').replace(/\..*$/, 'Z');
}

/** What the run's report left; a run that was killed left nothing. */
interface Summary {
  /** Known only at the end: a run begins as Full. */
  readonly kind?: RunRecord['kind'];
  readonly message?: string;
  readonly applied?: Partial<Record<PlanCount, number>>;
  readonly held?: { readonly count: number; readonly hash: string };
  readonly people?: { readonly failed: number };
  readonly requests?: { readonly source: number; readonly target: number };
  readonly approval?: { readonly hash: string; readonly by: string | null } | null;
  readonly warnings?: readonly { readonly message: string }[];
  readonly takenOver?: string;
}

function readSummary(run: RunRecord): Summary {
  return run.summary as Summary;
}

/** Runs that are looked through for one by its beginning. */
const MOST_RUNS = 100_000;

async function printRun(io: CliIo, state: DirectoryState, wanted: string): Promise<void> {
  const runs = await state.journal.runs(wanted === 'last' ? 1 : MOST_RUNS);
  const found = wanted === 'last' ? runs : runs.filter(({ id }) => id.startsWith(wanted));
  const [run] = found;
  if (run === undefined)
    throw new SyncError('ReferenceNotFound', `there is no run "${wanted}"; dirsync history lists them`);
  if (found.length > 1)
    throw new SyncError('Invalid', `${found.length} runs begin with "${wanted}"; write more of the id`);
  const { message, approval, warnings, takenOver } = readSummary(run);
  const line = (text: string): Promise<void> => io.stdout(`${text}\n`);
  await io.stdout(
    formatTable([
      ['RUN', 'STARTED', 'TOOK', 'KIND', 'REASON', 'DONE', 'HELD', 'FAILED', 'REQUESTS'],
      toRow(run).slice(0, 9),
    ]),
  );
  if (message !== undefined) await line(message);
  if (takenOver !== undefined) await line(takenOver);
  if (approval !== null && approval !== undefined) {
    await line(`approved: ${approval.hash} by ${approval.by ?? 'unknown'}`);
  }
  for (const warning of warnings ?? []) await line(`warning: ${warning.message}`);
  for await (const page of state.journal.errors(run.id)) {
    for (const { resource, id, code, message: error } of page)
      await line(`error: ${resource} ${id}: ${error} (${code})`);
  }
  for await (const operation of readAsDone(state, run.id)) await line(formatOperation(operation));
}

/** `   12  done    update User ada@corp.example: title "Engineer" → "Senior Engineer"`. */
function formatOperation(operation: StoredOperation): string {
  const { seq, status, held, approved, kind, resource, name, member, id, changes, reason, error } = operation;
  const result = status === 'held' ? `held (${held})` : approved ? `${status} (approved)` : status;
  const who = member === null ? name : `${member.name} ${kind === 'addMembers' ? 'to' : 'from'} ${name}`;
  const what =
    kind === 'create'
      ? ''
      : changes
          .map(
            (change) =>
              ` ${shortenPath(change.path)} ${formatValue(toShownValue(change, change.before), false)} → ${formatValue(toShownValue(change, change.after), false)}`,
          )
          .join(';');
  const why = error === null ? '' : ` — ${error}`;
  return `${String(seq).padStart(6)}  ${result.padEnd(17)} ${kind} ${resource} ${who} (${id}), ${reason}${what === '' ? '' : `:${what}`}${why}`;
}
