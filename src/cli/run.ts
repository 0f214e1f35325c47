/** `dirsync run`: the controller's loop over a folder. */
import type { Command } from 'commander';
import type { DirectorySyncResource } from '../api/directory-sync.ts';
import { formatProblem, type Problem } from '../local/problem.ts';
import type { Engine } from '../reconcile/engine.ts';
import { createLoop } from '../reconcile/loop.ts';
import type { RunReport } from '../reconcile/run.ts';
import { toDirectoryKey } from '../reconcile/takeover.ts';
import { type CommandContext, runCommand } from './command.ts';
import { EXIT, type ExitCode } from './exit-code.ts';
import type { CliIo } from './io.ts';
import { withFolder, withLogLevel, withSecrets, withState } from './options.ts';
import { printFailure, printOutcome, printWarnings } from './outcome.ts';
import { findShownRoot, toShownProblem } from './problems.ts';
import { type FolderOptions, openSession, type Session, selectSyncs } from './session.ts';

export function declareRun(program: Command, context: CommandContext): void {
  const command = program
    .command('run')
    .description(
      'keep the target what the folder says: runs by schedule and on every change of the manifests, until stopped',
    );
  withLogLevel(withState(withSecrets(withFolder(command))), 'warn').action((options: FolderOptions) =>
    runCommand(context, () => run(context.io, options)),
  );
}

async function run(io: CliIo, options: FolderOptions): Promise<ExitCode> {
  const root = await findShownRoot(io, options.filename);
  const onProblems = (problems: readonly Problem[]): void => {
    for (const problem of problems) io.stderr(`${formatProblem(toShownProblem(root, problem))}\n`);
    io.stderr(`${options.filename} has errors: what was read before stays in force\n`);
  };
  const session = await openSession({ io, options, command: 'run', onProblems });
  try {
    await selectSyncs(session, undefined);
    const loop = createLoop({
      host: session.host,
      store: session.store,
      log: session.log,
      engine: withWaitMessage(session.engine, io),
      // A condition is one line: the two commands are kept apart.
      commands: () => ({ ...session.commands, review: `${session.commands.review};` }),
      onReport: createReporter(session),
    });
    io.stderr(`following ${options.filename}; Ctrl-C ends it\n`);
    await loop.run(io.stopping, io.hard);
    io.stderr('stopped\n');
    return EXIT.done;
  } finally {
    await session.close();
  }
}

function withWaitMessage(engine: Engine, io: CliIo): Engine {
  const onWait = (holder: string): void => io.stderr(`waiting for ${holder}\n`);
  return { ...engine, run: (request) => engine.run({ ...request, onWait }) };
}

/** One after another, so that lines of two runs that end together do not mix. */
function createReporter(session: Session): (resource: DirectorySyncResource, report: RunReport) => void {
  let last = Promise.resolve();
  return (resource, report) => {
    const write = async (): Promise<void> => {
      const state = await session.store.directory(toDirectoryKey(resource));
      await session.statuses.saveResources(session.host.resources());
      printWarnings(session.io, { resource, report, state });
      if (!(await printFailure(session, { resource, report, state })))
        await printOutcome(session, { resource, report, state });
    };
    last = last.then(write).catch((thrown: unknown) => session.log.warn({ err: thrown }, 'result not shown'));
  };
}
