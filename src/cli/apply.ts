/** `dirsync apply` and `dirsync approve`: one run, now. */
import type { Command } from 'commander';
import type { DirectorySyncResource } from '../api/directory-sync.ts';
import { SyncError } from '../errors.ts';
import { type CommandContext, runCommand } from './command.ts';
import { EXIT, type ExitCode, toExitCode, toWorstExitCode, UsageError } from './exit-code.ts';
import type { CliIo } from './io.ts';
import { parseHash, withFolderOptions, withOutput } from './options.ts';
import { printFailure, printOutcome, printWarnings } from './outcome.ts';
import { printPlanText } from './plan.ts';
import { printItems } from './plan-json.ts';
import { toHost } from './plan-text.ts';
import { isSuspended, readStatus, runSync, type SyncRun, saveRun, saveSuspended } from './run-sync.ts';
import { type FolderOptions, openSession, type Session, selectSyncs } from './session.ts';

export interface ApplyOptions extends FolderOptions {
  readonly output: 'text' | 'json';
  readonly yes?: boolean;
  readonly approve?: string;
  readonly resync?: boolean;
}

export function declareApply(program: Command, context: CommandContext): void {
  const command = program
    .command('apply')
    .description('one run: make the target what the folder says')
    .argument('[name]', 'one DirectorySync; all of the folder without it')
    .option('--yes', 'do not ask; needed where nobody can be asked')
    .option('--approve <hash>', 'release the held set with this hash, in this run', parseHash)
    .option('--resync', "compare with the target's own list, whatever was applied before");
  withOutput(withFolderOptions(command), ['text', 'json']).action((name: string | undefined, options: ApplyOptions) =>
    runCommand(context, () => apply(context.io, name, options)),
  );
}

async function apply(io: CliIo, name: string | undefined, options: ApplyOptions): Promise<ExitCode> {
  const canAsk = io.isTTY.stdin && io.isTTY.stderr;
  if (options.yes !== true && !canAsk) throw new UsageError('apply needs --yes where nobody can be asked');
  const session = await openSession({ io, options, command: 'apply' });
  try {
    const syncs = await selectSyncs(session, name);
    const holder = options.approve === undefined ? null : findHolder(session, syncs, options.approve);
    const codes: ExitCode[] = [];
    const one = async (resource: DirectorySyncResource): Promise<void> => {
      const approve = resource === holder ? options.approve : undefined;
      codes.push(await applyOne(session, resource, { ...options, approve }));
    };
    if (options.output === 'json') await printItems(io, syncs, one);
    else for (const resource of syncs) await one(resource);
    return toWorstExitCode(codes);
  } finally {
    await session.close();
  }
}

/** Of several resources only the one that holds the set is given the approval: for the others it names nothing. */
function findHolder(session: Session, syncs: readonly DirectorySyncResource[], hash: string): DirectorySyncResource {
  const [only] = syncs;
  if (syncs.length === 1 && only !== undefined) return only;
  const holder = syncs.find((resource) => readStatus(session, resource)?.held?.hash === hash);
  if (holder !== undefined) return holder;
  throw new SyncError(
    'ApprovalMismatch',
    `no DirectorySync of the folder holds a set with the hash ${hash}; name the one that is meant`,
  );
}

async function applyOne(session: Session, resource: DirectorySyncResource, options: ApplyOptions): Promise<ExitCode> {
  const { io } = session;
  if (isSuspended(resource)) {
    await saveSuspended(session, resource);
    const line = `${resource.metadata.name} is suspended: nothing was read or written\n`;
    if (options.output === 'json') await printStatus(session, resource);
    if (options.output === 'json') io.stderr(line);
    else await io.stdout(line);
    return EXIT.done;
  }
  if (options.yes !== true) {
    const code = await askFirst(session, resource, options);
    if (code !== null) return code;
  }
  const { approve = null, resync = false } = options;
  const run = await runSync(session, resource, { approve, approvedBy: approve === null ? null : io.user, resync });
  return finishRun(session, run, options);
}

export async function finishRun(
  session: Session,
  run: SyncRun,
  options: Pick<ApplyOptions, 'output'>,
): Promise<ExitCode> {
  const { io } = session;
  await saveRun(session, run);
  printWarnings(io, run);
  const isFailed = await printFailure(session, run);
  if (options.output === 'json') await printStatus(session, run.resource);
  else if (!isFailed && run.report.reason === 'Planned') await printModePlan(session, run);
  else if (!isFailed) await printOutcome(session, run);
  return toExitCode(run.report);
}

function printStatus(session: Session, resource: DirectorySyncResource): Promise<void> {
  return session.io.stdout(JSON.stringify(readStatus(session, resource) ?? {}, null, 2));
}

async function printModePlan(session: Session, run: SyncRun): Promise<void> {
  await printPlanText(session, run, false);
  await session.io.stdout(`${run.resource.metadata.name} has mode: Plan, so nothing was written\n`);
}

/** Shows the plan and asks. Null: go on; else the exit code. */
async function askFirst(
  session: Session,
  resource: DirectorySyncResource,
  options: ApplyOptions,
): Promise<ExitCode | null> {
  const { io } = session;
  const run = await runSync(session, resource, { planOnly: true, resync: options.resync ?? false });
  if (await printFailure(session, run)) {
    if (!run.report.stopped) await saveRun(session, run);
    return toExitCode(run.report);
  }
  // A plan that waits for an answer is no result; results are for whoever reads the JSON.
  const shown =
    options.output === 'json'
      ? { ...session, io: { ...io, stdout: async (text: string) => io.stderr(text) } }
      : session;
  const total = await printPlanText(shown, run, false);
  if (total === 0) return null;
  const host = toHost(resource.spec.target?.scim?.url);
  const answer = await io.ask(`\nApply this to ${host}? Only "yes" does: `);
  if (answer.trim().toLowerCase() === 'yes') return null;
  io.stderr(`${resource.metadata.name}: nothing was written\n`);
  return EXIT.failed;
}
