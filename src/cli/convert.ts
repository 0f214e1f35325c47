/** `dirsync convert FILE`: what another product says of provisioning, as manifests of this one. */
import { readFile } from 'node:fs/promises';
import { type Command, InvalidArgumentError, Option } from 'commander';
import { stringify } from 'yaml';
import type { Conversion, ConversionNote } from '../convert/conversion.ts';
import type { Naming } from '../convert/entra-names.ts';
import { convertEntraSchema, toResourceName } from '../convert/entra-schema.ts';
import { SyncError } from '../errors.ts';
import { type CommandContext, runCommand } from './command.ts';
import { EXIT, type ExitCode } from './exit-code.ts';
import { type CliIo, toPath } from './io.ts';
import { settleConversion } from './settle-conversion.ts';
import { formatCount } from './wording.ts';

export interface ConvertOptions {
  readonly name: string;
  readonly url: string;
  readonly names: Naming;
  readonly output: 'yaml' | 'json';
}

export function declareConvert(program: Command, context: CommandContext): void {
  program
    .command('convert')
    .description("turn the JSON of Microsoft Graph's synchronization schema into manifests")
    .argument('<file>', 'the JSON')
    .addOption(
      new Option('--name <name>', 'name of the DirectorySync; names of the others begin with it')
        .argParser(parseName)
        .default('entra'),
    )
    .option('--url <url>', 'SCIM address of the application', 'https://app.example.com/scim/v2')
    .addOption(
      new Option('--names <whose>', 'what attributes of users are called: as in the portal, or as in records of Graph')
        .choices(['portal', 'graph'])
        .default('portal'),
    )
    .addOption(
      new Option('-o, --output <format>', 'how the manifests are printed').choices(['yaml', 'json']).default('yaml'),
    )
    .action((file: string, options: ConvertOptions) => runCommand(context, () => convert(context.io, file, options)));
}

function parseName(text: string): string {
  if (text === toResourceName(text)) return text;
  throw new InvalidArgumentError(`write a name of Kubernetes, such as ${toResourceName(text)}`);
}

async function convert(io: CliIo, file: string, options: ConvertOptions): Promise<ExitCode> {
  const { name, url, names: naming } = options;
  const settled = settleConversion(convertEntraSchema(await readText(io, file), { name, url, naming }));
  const lost = settled.notes.filter(({ kind }) => kind === 'lost');
  const changed = settled.notes.filter(({ kind }) => kind === 'changed');
  const conversion = { ...settled, notes: [...lost, ...changed] };
  const resources = [conversion.directorySync, ...conversion.mappings, ...conversion.customAttributes];
  await io.stdout(
    options.output === 'json'
      ? `${JSON.stringify({ resources, notes: conversion.notes }, null, 2)}\n`
      : `${toComment(conversion)}${resources.map((resource) => stringify(resource, { lineWidth: 0 })).join('---\n')}`,
  );
  io.stderr(`${summarize(conversion)}\n${conversion.notes.map((note) => `  ${toLine(note)}\n`).join('')}`);
  return lost.length === 0 ? EXIT.done : EXIT.recordsFailed;
}

async function readText(io: CliIo, file: string): Promise<string> {
  return readFile(toPath(io, file), 'utf8').catch(() => {
    throw new SyncError('Invalid', `${file} cannot be read`);
  });
}

function toComment({ notes, directorySync }: Conversion): string {
  const { url } = directorySync.spec.target.scim ?? {};
  const lines = [
    'Converted from a synchronization schema of Microsoft Graph. Before you apply it:',
    `- source: where people${directorySync.spec.groups === undefined ? '' : ' and groups'} are read from`,
    `- target: ${url} and the Secret of its credentials`,
    '- mode: Plan writes nothing; take it out when dirsync plan shows what you expect',
    ...(notes.length === 0 ? ['Everything was carried over.'] : ['Not everything was carried over as it is there:']),
    ...notes.map((note) => `- ${toLine(note)}`),
  ];
  return lines.map((line) => `# ${line}\n`).join('');
}

/** One line, whatever an expression holds. */
function toLine({ kind, about, message }: ConversionNote): string {
  return `${kind}: ${about}: ${message}`.replaceAll(/\s*\n\s*/g, ' ');
}

function summarize({ mappings, notes }: Conversion): string {
  const entries = mappings.reduce((sum, { spec }) => sum + (spec.attributes?.length ?? 0), 0);
  const lost = notes.filter(({ kind }) => kind === 'lost').length;
  const changed = notes.length - lost;
  const rest = [
    ...(lost === 0 ? [] : [`${lost} lost`]),
    ...(changed === 0 ? [] : [`${changed} changed or to be looked at`]),
  ];
  return `${formatCount(entries, 'attribute mapping', 'attribute mappings')} carried over${rest.length === 0 ? '' : `; ${rest.join(', ')}`}`;
}
