/** `dirsync eval`: one expression or rule against one record, with every value on the way. */
import { readFile } from 'node:fs/promises';
import { type Command, InvalidArgumentError, Option } from 'commander';
import { toFields } from '../api/rules.ts';
import { SyncError } from '../errors.ts';
import { type Trial, traceText } from '../mapping/trial.ts';
import type { Json } from '../model.ts';
import { type CommandContext, runCommand } from './command.ts';
import { EXIT, type ExitCode } from './exit-code.ts';
import { type CliIo, toPath } from './io.ts';
import { withOutput } from './options.ts';
import { formatValue } from './plan-values.ts';
import { formatSteps } from './value-steps.ts';

interface EvalOptions {
  readonly rule?: true;
  readonly user?: string;
  readonly set: readonly (readonly [string, Json])[];
  readonly group: readonly string[];
  readonly defaultDomain?: string;
  readonly now?: Date;
  readonly output: 'text' | 'json';
}

export function declareEval(program: Command, context: CommandContext): void {
  const command = program
    .command('eval')
    .description('evaluate one expression or rule against one record, and show every value on the way')
    .argument('<text>', 'the expression, or with --rule the rule')
    .option('--rule', 'the text is a rule in the language of dynamic membership')
    .option('--user <json>', 'the record: JSON, or @FILE')
    .addOption(
      new Option('--set <name=value>', 'one attribute of it; the value is JSON where it can be read so, else a text')
        .argParser(collectAttribute)
        .default([]),
    )
    .addOption(
      new Option('--group <name>', 'a group of the source that the user belongs to')
        .argParser((name: string, others: readonly string[]) => [...others, name])
        .default([]),
    )
    .option('--default-domain <domain>', 'what DefaultDomain() gives')
    .addOption(new Option('--now <instant>', 'the moment of the run; by default now').argParser(parseInstant));
  withOutput(command, ['text', 'json']).action((text: string, options: EvalOptions) =>
    runCommand(context, () => evaluate(context.io, text, options)),
  );
}

function collectAttribute(
  text: string,
  others: readonly (readonly [string, Json])[],
): readonly (readonly [string, Json])[] {
  const at = text.indexOf('=');
  if (at < 1) throw new InvalidArgumentError('write name=value');
  return [...others, [text.slice(0, at), toJson(text.slice(at + 1))]];
}

function toJson(text: string): Json {
  try {
    return JSON.parse(text) as Json;
  } catch {
    return text;
  }
}

function parseInstant(text: string): Date {
  const instant = new Date(text);
  if (Number.isNaN(instant.getTime())) throw new InvalidArgumentError('write a time such as 2026-01-31T09:00:00Z');
  return instant;
}

async function evaluate(io: CliIo, text: string, options: EvalOptions): Promise<ExitCode> {
  const user = { ...(await readUser(io, options.user)), ...Object.fromEntries(options.set) };
  const trial = traceText(text, {
    language: options.rule === true ? 'rule' : 'expression',
    user,
    groups: options.group,
    now: options.now ?? io.now(),
    tenant: { defaultDomain: options.defaultDomain ?? null },
  });
  await io.stdout(options.output === 'json' ? `${JSON.stringify(trial, null, 2)}\n` : toText(trial));
  return trial.error === undefined ? EXIT.done : EXIT.failed;
}

async function readUser(io: CliIo, given: string | undefined): Promise<Readonly<Record<string, Json>>> {
  if (given === undefined) return {};
  const text = given.startsWith('@') ? await readText(toPath(io, given.slice(1))) : given;
  const fields = toFields(toJson(text));
  if (fields === null)
    throw new SyncError('Invalid', '--user: expected one record as a JSON object, or @FILE with one');
  return fields as Readonly<Record<string, Json>>;
}

async function readText(path: string): Promise<string> {
  return readFile(path, 'utf8').catch(() => {
    throw new SyncError('Invalid', `--user: ${path} cannot be read`);
  });
}

function toText({ steps, result, ignored, error }: Trial): string {
  const end =
    error === undefined
      ? ignored === undefined
        ? formatValue(result ?? null, true)
        : `nothing flows (${ignored})`
      : `error: ${error}`;
  return [...steps.flatMap((step) => formatSteps(step)), `= ${end}`, ''].join('\n');
}
