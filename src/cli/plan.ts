/** `dirsync plan`: what a run would do, without doing it. */
import type { Command } from 'commander';
import type { DirectorySyncResource } from '../api/directory-sync.ts';
import { type CommandContext, runCommand } from './command.ts';
import { EXIT, type ExitCode, toExitCode, toWorstExitCode } from './exit-code.ts';
import type { CliIo } from './io.ts';
import { withFolderOptions, withOutput } from './options.ts';
import { printFailure } from './outcome.ts';
import { printItems, printPlanJson } from './plan-json.ts';
import { countOperations } from './plan-operations.ts';
import { printPlan } from './plan-text.ts';
import { isSuspended, runSync, type SyncRun } from './run-sync.ts';
import { type FolderOptions, openSession, type Session, selectSyncs } from './session.ts';

export interface PlanOptions extends FolderOptions {
  readonly output: 'text' | 'json';
  readonly detailedExitcode?: boolean;
  readonly all?: boolean;
  readonly delete?: boolean;
}

export function declarePlan(program: Command, context: CommandContext): void {
  const command = program
    .command('plan')
    .description('read source and target, and print what would change')
    .argument('[name]', 'one DirectorySync; all of the folder without it')
    .option('--detailed-exitcode', 'end with 2 when there are changes')
    .option('--delete', 'what deleting the resource would do, by its deletionPolicy')
    .option('--all', 'shorten no list');
  withOutput(withFolderOptions(command), ['text', 'json']).action((name: string | undefined, options: PlanOptions) =>
    runCommand(context, () => plan(context.io, name, options)),
  );
}

async function plan(io: CliIo, name: string | undefined, options: PlanOptions): Promise<ExitCode> {
  const session = await openSession({ io, options, command: 'plan' });
  try {
    const syncs = await selectSyncs(session, name);
    const codes: ExitCode[] = [];
    const one = async (resource: DirectorySyncResource): Promise<void> => {
      codes.push(await planOne(session, resource, options));
    };
    if (options.output === 'json') await printItems(io, syncs, one);
    else for (const [index, resource] of syncs.entries()) await separate(io, index).then(() => one(resource));
    const changes = codes.includes(EXIT.changesPending);
    const worst = toWorstExitCode(codes.filter((code) => code !== EXIT.changesPending));
    return changes && worst === EXIT.done ? EXIT.changesPending : worst;
  } finally {
    await session.close();
  }
}

function separate(io: CliIo, index: number): Promise<void> {
  return index === 0 ? Promise.resolve() : io.stdout('\n');
}

async function planOne(session: Session, resource: DirectorySyncResource, options: PlanOptions): Promise<ExitCode> {
  const { io } = session;
  if (isSuspended(resource)) {
    await printSuspended(io, resource, options);
    return EXIT.done;
  }
  const run = await runSync(session, resource, { planOnly: true, findings: true, deletion: options.delete === true });
  const isFailed = await printFailure(session, run);
  if (options.output === 'json') await printPlanJson(io, run);
  else if (!isFailed) await printPlanText(session, run, options.all === true);
  const code = toExitCode(run.report);
  if (code !== EXIT.done || options.detailedExitcode !== true) return code;
  const { total } = await countOperations(run.state, run.report.runId);
  return total > 0 ? EXIT.changesPending : EXIT.done;
}

/** @returns how many operations the plan has */
export function printPlanText({ io, host, commands }: Session, run: SyncRun, all: boolean): Promise<number> {
  return printPlan(io, run, { all, commands, resources: host.resources() });
}

async function printSuspended(io: CliIo, { metadata }: DirectorySyncResource, options: PlanOptions): Promise<void> {
  const message = 'suspended: nothing was read or written';
  if (options.output === 'text') return io.stdout(`${metadata.name} is ${message}\n`);
  const directorySync = `${metadata.namespace}/${metadata.name}`;
  return io.stdout(JSON.stringify({ directorySync, reason: 'Suspended', message }, null, 2));
}
