/** `dirsync schema`: the source's attributes as a tree, each with the path that a mapping takes. Writes nothing there. */
import { writeFile } from 'node:fs/promises';
import { type Command, InvalidArgumentError, Option } from 'commander';
import type { DirectorySyncResource } from '../api/directory-sync.ts';
import { SyncError } from '../errors.ts';
import { filterAttributes, listPaths } from '../mapping/attribute-tree.ts';
import { computeNearestName } from '../nearest-name.ts';
import { readShape } from '../reconcile/schema.ts';
import { type CommandContext, runCommand } from './command.ts';
import { EXIT, type ExitCode, UsageError } from './exit-code.ts';
import { type CliIo, toPath } from './io.ts';
import { openFolder, toLookInput } from './look.ts';
import { withOutput, withSecrets } from './options.ts';
import { printItems } from './plan-json.ts';
import { createProgress } from './progress.ts';
import { formatSample, readSample, type SourceSample } from './schema-sample.ts';
import { formatSchema } from './schema-text.ts';
import { selectSyncs } from './session.ts';
import { formatCount } from './wording.ts';

interface SchemaOptions {
  readonly filename?: string;
  readonly secrets?: string;
  readonly people: number;
  readonly attribute: readonly string[];
  readonly find?: string;
  readonly save?: string;
  readonly sample?: string;
  readonly output: 'text' | 'json';
}

export function declareSchema(program: Command, context: CommandContext): void {
  const command = program
    .command('schema')
    .description("the source's attributes as a tree, each with the path to paste into a mapping; reads only")
    .argument('[name]', 'one DirectorySync; all of the folder without it')
    .option('-f, --filename <dir>', 'folder with the manifests (or one file)')
    .addOption(
      new Option('--people <number>', 'how many people are looked at; all: everybody')
        .argParser(parsePeople)
        .default(1000),
    )
    .addOption(
      new Option('--attribute <name>', 'ask for this one too, which the source does not list by itself')
        .argParser((name: string, others: readonly string[]) => [...others, name])
        .default([]),
    )
    .option('--find <text>', 'only attributes with this text in their path')
    .option('--save <file>', 'write what was found to a file too, for --sample')
    .option('--sample <file>', 'show what --save wrote, without asking the source');
  withOutput(withSecrets(command), ['text', 'json']).action((name: string | undefined, options: SchemaOptions) =>
    runCommand(context, () => showSchema(context.io, name, options)),
  );
}

function parsePeople(text: string): number {
  if (text === 'all') return Number.POSITIVE_INFINITY;
  if (/^[1-9]\d{0,8}$/.test(text)) return Number(text);
  throw new InvalidArgumentError('write a number from 1, or all');
}

async function showSchema(io: CliIo, name: string | undefined, options: SchemaOptions): Promise<ExitCode> {
  const { filename, sample: file } = options;
  if (file !== undefined) {
    if (filename !== undefined || name !== undefined || options.save !== undefined)
      throw new UsageError('--sample is shown as it was saved: leave out -f, the name and --save');
    return show(io, [await readSample(io, file)], options);
  }
  if (filename === undefined) throw new UsageError('name the folder with -f, or a saved sample with --sample');
  const samples = await readSamples(io, name, { ...options, filename });
  if (options.save !== undefined) await saveSample(io, options.save, samples);
  return show(io, samples, options);
}

async function readSamples(
  io: CliIo,
  name: string | undefined,
  options: SchemaOptions & { readonly filename: string },
): Promise<readonly SourceSample[]> {
  const host = openFolder(io, options);
  try {
    const syncs = await selectSyncs({ io, host, options }, name);
    if (options.save !== undefined && syncs.length > 1)
      throw new UsageError(`--save takes one DirectorySync, and ${options.filename} has ${syncs.length}: name it`);
    const samples: SourceSample[] = [];
    for (const resource of syncs) samples.push(await readOne(io, resource, { host, options }));
    return samples;
  } finally {
    await host.close();
  }
}

async function readOne(
  io: CliIo,
  resource: DirectorySyncResource,
  { host, options }: { readonly host: ReturnType<typeof openFolder>; readonly options: SchemaOptions },
): Promise<SourceSample> {
  const { namespace, name } = resource.metadata;
  const progress = createProgress(io, name);
  try {
    const wish = {
      people: options.people,
      names: options.attribute,
      onPeople: (done: number) => progress.show({ step: 'read', done, total: null }),
    };
    const shape = await readShape(toLookInput(io, host, resource), wish, AbortSignal.any([io.stopping, io.hard]));
    return { directorySync: `${namespace}/${name}`, ...shape };
  } finally {
    progress.clear();
  }
}

async function saveSample(io: CliIo, file: string, samples: readonly SourceSample[]): Promise<void> {
  const [sample] = samples;
  if (sample === undefined) return;
  await writeFile(toPath(io, file), formatSample(sample)).catch(() => {
    throw new SyncError('Invalid', `--save: ${file} cannot be written`);
  });
  io.stderr(`saved to ${file}\n`);
}

async function show(io: CliIo, all: readonly SourceSample[], { find, output }: SchemaOptions): Promise<ExitCode> {
  const samples = find === undefined ? all : all.map((sample) => search(sample, find));
  const found = find === undefined ? samples : samples.filter(({ attributes }) => attributes.length > 0);
  if (output === 'json') await printItems(io, samples, (sample) => io.stdout(formatSample(sample).trimEnd()));
  else await io.stdout(found.map((sample) => formatSchema(io, sample)).join('\n'));
  if (find === undefined || found.length > 0) return EXIT.done;
  io.stderr(`${describeNothing(all, find)}\n`);
  return EXIT.failed;
}

function search(sample: SourceSample, text: string): SourceSample {
  return { ...sample, attributes: filterAttributes(sample.attributes, text) };
}

function describeNothing(samples: readonly SourceSample[], text: string): string {
  const paths = samples.flatMap(({ attributes }) => listPaths(attributes));
  const nearest = computeNearestName(
    text,
    paths.flatMap((path) => path.split(/[.:[\]]/)),
  );
  const hint = nearest === null ? '' : `; did you mean ${JSON.stringify(nearest)}?`;
  const count = formatCount(paths.length, 'attribute');
  return `no attribute has ${JSON.stringify(text)} in its path (${count})${hint}`;
}
