/** The command line as a whole. */
import { Command, CommanderError } from 'commander';
import { declareAdopt } from './adopt.ts';
import { declareApply } from './apply.ts';
import { declareApprove } from './approve.ts';
import { declareCheck } from './check.ts';
import type { CommandContext } from './command.ts';
import { declareController } from './controller.ts';
import { declareConvert } from './convert.ts';
import { declareDrift } from './drift.ts';
import { declareEval } from './eval.ts';
import { EXIT, type ExitCode } from './exit-code.ts';
import { declareExplain } from './explain.ts';
import { declareGet } from './get.ts';
import { declareHistory } from './history.ts';
import type { CliIo } from './io.ts';
import { declarePlan } from './plan.ts';
import { declareRun } from './run.ts';
import { declareSchema } from './schema.ts';
import { declareServe } from './serve.ts';
import { readVersion } from './session.ts';
import { declareSyncUser } from './sync-user.ts';
import { declareTest } from './test.ts';
import { declareValidate } from './validate.ts';

const COMMANDS: readonly ((program: Command, context: CommandContext) => void)[] = [
  declareValidate,
  declareTest,
  declareEval,
  declareSchema,
  declareCheck,
  declarePlan,
  declareExplain,
  declareApply,
  declareApprove,
  declareAdopt,
  declareSyncUser,
  declareDrift,
  declareRun,
  declareGet,
  declareHistory,
  declareConvert,
  declareServe,
  declareController,
];

/**
 * Runs one command to its end.
 * @param argv what stands behind the program's name
 * @returns the exit code: never throws, never ends the process
 */
export async function runCli(argv: readonly string[], io: CliIo): Promise<ExitCode> {
  let code: ExitCode = EXIT.failed;
  const help: string[] = [];
  const program = new Command('dirsync')
    .description('GitOps for the company directory')
    .version(readVersion(), '-V, --version', 'print the version')
    .exitOverride()
    .configureOutput({ writeOut: (text) => help.push(text), writeErr: (text) => io.stderr(text) })
    .showHelpAfterError('(--help shows what there is)');
  const context: CommandContext = {
    io,
    finish: (ended) => {
      code = ended;
    },
  };
  for (const declare of COMMANDS) declare(program, context);
  try {
    await program.parseAsync([...argv], { from: 'user' });
    return code;
  } catch (thrown) {
    if (!(thrown instanceof CommanderError)) throw thrown;
    await io.stdout(help.join(''));
    return thrown.exitCode === 0 ? EXIT.done : EXIT.wrongUsage;
  }
}
