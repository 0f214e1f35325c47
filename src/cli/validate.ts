/** `dirsync validate`: what is wrong with a folder, without a source or target. */
import type { Command } from 'commander';
import { hasErrors, type Problem } from '../local/problem.ts';
import { type CommandContext, runCommand } from './command.ts';
import { EXIT, type ExitCode } from './exit-code.ts';
import { type CliIo, toPath } from './io.ts';
import { withFolder, withOutput, withSecrets } from './options.ts';
import { findShownRoot, toShownProblem } from './problems.ts';
import { validateFolder } from './validation.ts';
import { VALIDATION_FORMATS, type ValidationFormat } from './validation-formats.ts';

export interface ValidateOptions {
  readonly filename: string;
  readonly secrets?: string;
  readonly output: ValidationFormat;
}

export function declareValidate(program: Command, context: CommandContext): void {
  const command = program
    .command('validate')
    .description('check schema, references, expressions and types of a folder, offline');
  withOutput(withSecrets(withFolder(command)), Object.keys(VALIDATION_FORMATS)).action((options: ValidateOptions) =>
    runCommand(context, () => validate(context.io, options)),
  );
}

async function validate(io: CliIo, { filename, secrets, output }: ValidateOptions): Promise<ExitCode> {
  const found = await validateFolder(toPath(io, filename), secrets === undefined ? null : toPath(io, secrets));
  const root = await findShownRoot(io, filename);
  const problems = found.problems.map((problem) => toShownProblem(root, problem));
  const validation = { ...found, problems: found.resources === 0 ? [...problems, toEmpty(root)] : problems };
  await io.stdout(VALIDATION_FORMATS[output](validation, io));
  return hasErrors(validation.problems) ? EXIT.failed : EXIT.done;
}

/** Most likely the wrong folder: saying that all of nothing is valid would hide it. */
function toEmpty(root: string): Problem {
  const message = 'there is no resource of dirsync.dev/v1alpha1 in it';
  return { file: root, line: 1, column: 1, severity: 'error', message };
}
