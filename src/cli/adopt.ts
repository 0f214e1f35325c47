/** `dirsync adopt`: who would be taken over, before the first write; and recovered links made ordinary. */
import type { Command } from 'commander';
import type { DirectorySyncResource } from '../api/directory-sync.ts';
import { confirmRecovered, readRecovered } from '../reconcile/confirm.ts';
import { toDirectoryKey } from '../reconcile/takeover.ts';
import type { DirectoryState } from '../state/store.ts';
import {
  type AccountCounts,
  countAccounts,
  formatAccounts,
  readAccounts,
  readConflicts,
  readUnmanaged,
} from './accounts.ts';
import { type CommandContext, runCommand } from './command.ts';
import { EXIT, type ExitCode, toExitCode, toWorstExitCode, UsageError } from './exit-code.ts';
import type { CliIo } from './io.ts';
import { withFolderOptions, withOutput } from './options.ts';
import { printFailure } from './outcome.ts';
import { printItems, printList } from './plan-json.ts';
import { takeFirst } from './plan-operations.ts';
import { toHost } from './plan-text.ts';
import { isSuspended, runSync, type SyncRun } from './run-sync.ts';
import { type FolderOptions, openSession, type Session, selectSyncs } from './session.ts';
import { createStyle } from './style.ts';
import { formatCount, formatNumber } from './wording.ts';

export interface AdoptOptions extends FolderOptions {
  readonly output: 'text' | 'json';
  readonly dryRun?: boolean;
  readonly confirm?: boolean;
  readonly yes?: boolean;
  readonly all?: boolean;
}

const SHOWN = 20;

export function declareAdopt(program: Command, context: CommandContext): void {
  const command = program
    .command('adopt')
    .description('who of the target would be taken over; or make recovered links ordinary')
    .argument('[name]', 'one DirectorySync; all of the folder without it')
    .option('--dry-run', 'print which accounts match, are ambiguous, belong to nobody, or are still to be made')
    .option('--confirm', 'make all recovered links ordinary: what removes by them waits no more for being recovered')
    .option('--yes', 'do not ask; needed for --confirm where nobody can be asked')
    .option('--all', 'shorten no list');
  withOutput(withFolderOptions(command), ['text', 'json']).action((name: string | undefined, options: AdoptOptions) =>
    runCommand(context, () => adopt(context.io, name, options)),
  );
}

async function adopt(io: CliIo, name: string | undefined, options: AdoptOptions): Promise<ExitCode> {
  const confirms = options.confirm === true;
  if (confirms === (options.dryRun === true)) throw new UsageError('adopt needs one of --dry-run and --confirm');
  const canAsk = io.isTTY.stdin && io.isTTY.stderr;
  if (confirms && options.yes !== true && !canAsk)
    throw new UsageError('adopt --confirm needs --yes where nobody can be asked');
  const session = await openSession({ io, options, command: 'adopt' });
  try {
    const syncs = (await selectSyncs(session, name)).filter((resource) => !isSuspended(resource));
    const codes: ExitCode[] = [];
    const one = async (resource: DirectorySyncResource): Promise<void> => {
      codes.push(await (confirms ? confirmOne : dryRunOne)(session, resource, options));
    };
    if (options.output === 'json') await printItems(io, syncs, one);
    else for (const resource of syncs) await one(resource);
    return toWorstExitCode(codes);
  } finally {
    await session.close();
  }
}

async function dryRunOne(session: Session, resource: DirectorySyncResource, options: AdoptOptions): Promise<ExitCode> {
  const { io } = session;
  const run = await runSync(session, resource, { planOnly: true, resync: true, findings: true });
  const isFailed = await printFailure(session, run);
  const counts = await countAccounts(run);
  if (options.output === 'json') await printJson(io, run, counts);
  else if (!isFailed && counts !== null) await printText(io, run, { counts, all: options.all === true });
  return toExitCode(run.report);
}

async function printJson(io: CliIo, run: SyncRun, counts: AccountCounts | null): Promise<void> {
  const { resource, report } = run;
  const { runId, reason, message } = report;
  const directorySync = `${resource.metadata.namespace}/${resource.metadata.name}`;
  await io.stdout(JSON.stringify({ directorySync, run: runId, reason, message, counts }, null, 2).slice(0, -2));
  if (counts !== null) {
    await printList(io, 'matched', each(readAccounts(run, 'adopt'), toAccount));
    await printList(io, 'recovered', each(readAccounts(run, 'recover'), toAccount));
    await printList(io, 'ambiguous', readConflicts(run));
    await printList(
      io,
      'unmanaged',
      each(readUnmanaged(run), ({ targetId, name }) => ({ targetId, name })),
    );
    await printList(
      io,
      'create',
      each(readAccounts(run, 'create'), ({ id, name }) => ({ id, name })),
    );
  }
  await io.stdout('\n}');
}

interface Account {
  readonly id: string;
  readonly targetId: string | null;
  readonly name: string;
  readonly reason: string;
  readonly held: string | null;
}

function toAccount({ id, targetId, name, reason, held }: Account): Account {
  return { id, targetId, name, reason, held };
}

async function* each<T, U>(items: AsyncIterable<T>, to: (item: T) => U): AsyncGenerator<U> {
  for await (const item of items) yield to(item);
}

async function printText(
  io: CliIo,
  run: SyncRun,
  { counts, all }: { readonly counts: AccountCounts; readonly all: boolean },
): Promise<void> {
  const style = createStyle(io);
  const print = async (title: string, lines: AsyncIterable<string>): Promise<void> => {
    const { first, total } = await takeFirst(lines, all ? Number.POSITIVE_INFINITY : SHOWN);
    if (total === 0) return;
    await io.stdout(`${style.bold(`${title} ${formatNumber(total)}`)}\n`);
    for (const line of first) await io.stdout(`  ${line}\n`);
    if (total > first.length)
      await io.stdout(`  … and ${formatNumber(total - first.length)} more (--all shows them)\n`);
    await io.stdout('\n');
  };
  const toLine = ({ id, targetId, name, reason, held }: Account): string =>
    `${name} (${id}): ${targetId}, ${reason}${held === null ? '' : `; waits (${held})`}`;
  await print('Matched', each(readAccounts(run, 'adopt'), toLine));
  await print('Linked again', each(readAccounts(run, 'recover'), toLine));
  await print(
    'Ambiguous',
    each(readConflicts(run), ({ id, message }) => `${id}: ${message}`),
  );
  await print(
    'Accounts of nobody',
    each(readUnmanaged(run), ({ name, targetId }) => `${name} (${targetId})`),
  );
  await print(
    'To create',
    each(readAccounts(run, 'create'), ({ id, name }) => `${name} (${id})`),
  );
  await io.stdout(`${run.resource.metadata.name}: ${formatAccounts(counts)}; nothing was written\n`);
}

async function confirmOne(session: Session, resource: DirectorySyncResource, options: AdoptOptions): Promise<ExitCode> {
  const { io, store } = session;
  const { name } = resource.metadata;
  const holder = `dirsync adopt (process ${process.pid})`;
  const onWait = (other: string): void => io.stderr(`waiting for ${other}\n`);
  const lease = await store.acquire(holder, { signal: io.stopping, onWait });
  try {
    const state = await store.directory(toDirectoryKey(resource));
    const total = await listRecovered(io, state, options);
    const isText = options.output === 'text';
    if (total > 0 && options.yes !== true) {
      const answer = await io.ask(
        `\nMake ${formatCount(total, 'link')} to ${toHost(resource.spec.target?.scim?.url)} ordinary? Only "yes" does: `,
      );
      if (answer.trim().toLowerCase() !== 'yes') {
        io.stderr(`${name}: nothing was changed\n`);
        if (!isText) await io.stdout(JSON.stringify({ directorySync: name, confirmed: 0 }));
        return EXIT.failed;
      }
    }
    const confirmed = total === 0 ? 0 : await confirmRecovered(state, { by: io.user, now: io.now });
    const what = confirmed === 0 ? 'no link is recovered' : `${formatCount(confirmed, 'link')} made ordinary`;
    if (isText) await io.stdout(`${name}: ${what}\n`);
    else await io.stdout(JSON.stringify({ directorySync: `${resource.metadata.namespace}/${name}`, confirmed }));
    return EXIT.done;
  } finally {
    await lease.release();
  }
}

/** Listed before anybody is asked; JSON goes to standard output alone, so the list goes beside it. */
async function listRecovered(io: CliIo, state: DirectoryState, { output, all }: AdoptOptions): Promise<number> {
  const lines = async function* (): AsyncGenerator<string> {
    for await (const page of readRecovered(state)) {
      for (const link of page)
        yield 'key' in link
          ? `team ${link.displayName}: ${link.targetId}`
          : `${link.name} (${link.sourceId}): ${link.targetId}${link.active ? '' : ', inactive'}`;
    }
  };
  const { first, total } = await takeFirst(lines(), all === true ? Number.POSITIVE_INFINITY : SHOWN);
  const print = output === 'text' ? io.stdout : async (text: string) => io.stderr(text);
  for (const line of first) await print(`  ${line}\n`);
  if (total > first.length) await print(`  … and ${formatNumber(total - first.length)} more (--all shows them)\n`);
  return total;
}
