/** `dirsync get`: the columns of `kubectl get`, from the local state; and the teams that Dirsync owns. */
import { Value } from '@sinclair/typebox/value';
import type { Command } from 'commander';
import { stringify } from 'yaml';
import { PRINTER_COLUMNS, type PrinterColumn, readColumn } from '../api/columns.ts';
import type { DirectorySyncResource } from '../api/directory-sync.ts';
import type { ResourceSet } from '../api/host.ts';
import { API_GROUP, KIND_NAMES, KINDS, type Kind } from '../api/metadata.ts';
import { RESOURCE_SCHEMAS, type Resource } from '../api/resources.ts';
import { SyncError } from '../errors.ts';
import { createLocalHost } from '../local/host.ts';
import { findFault } from '../reconcile/compile.ts';
import { writeDependents } from '../reconcile/dependents.ts';
import { computeUnfit } from '../reconcile/status.ts';
import { toDirectoryKey } from '../reconcile/takeover.ts';
import { sourceProviders } from '../sources/registry.ts';
import type { StateStore } from '../state/store.ts';
import { targetProviders } from '../targets/registry.ts';
import { type CommandContext, runCommand } from './command.ts';
import { EXIT, type ExitCode, UsageError } from './exit-code.ts';
import { getTeams } from './get-teams.ts';
import { type CliIo, toPath } from './io.ts';
import { withOutput, withState } from './options.ts';
import { printProblems } from './problems.ts';
import { resolveMapping } from './resolved-mapping.ts';
import { openExistingStore } from './state-file.ts';
import { createStatusStore } from './status-store.ts';
import { formatAge, formatTable } from './table.ts';

export interface GetOptions {
  readonly empty?: boolean;
  readonly filename?: string;
  readonly state: string;
  readonly output: 'text' | 'wide' | 'json' | 'yaml';
}

export function declareGet(program: Command, context: CommandContext): void {
  const command = program
    .command('get')
    .description('the resources and their status, in the columns of kubectl get')
    .argument(
      '[kind]',
      `${KINDS.map((kind) => KIND_NAMES[kind].shortName).join(', ')}, or a whole name; all without it. Or teams: those that are managed`,
    )
    .argument('[name]', 'one resource')
    .option('--empty', 'of teams, those without members')
    .option('-f, --filename <dir>', 'folder with the manifests; without it, as they were applied last');
  withOutput(withState(command), ['text', 'wide', 'json', 'yaml']).action(
    (kind: string | undefined, name: string | undefined, options: GetOptions) =>
      runCommand(context, () => get(context.io, { kind, name }, options)),
  );
}

async function get(
  io: CliIo,
  { kind: word, name }: { readonly kind?: string | undefined; readonly name?: string | undefined },
  options: GetOptions,
): Promise<ExitCode> {
  const isTeams = word !== undefined && TEAMS.includes(word.toLowerCase());
  if (options.empty === true && !isTeams) throw new UsageError('--empty is for get teams');
  if (isTeams && options.filename !== undefined)
    throw new UsageError('get teams reads the state file alone; leave -f out');
  const kinds = word === undefined || isTeams ? KINDS : [parseKind(word)];
  const store = await openExistingStore(io, options.state, { orEmpty: options.filename !== undefined });
  try {
    if (isTeams) {
      const { output, empty = false } = options;
      await getTeams(io, store, { name, output, empty });
      return EXIT.done;
    }
    const resources = await readResources(io, store, options);
    const found = kinds.map((kind) => ({ kind, list: listOf(resources, kind).filter((each) => isNamed(each, name)) }));
    const all = found.flatMap(({ list }) => list);
    if (name !== undefined && all.length === 0) {
      throw new SyncError('ReferenceNotFound', `there is no ${kinds[0]} "${name}"`);
    }
    const whole = (): unknown => toDocument(resolveAll(io, all, resources), name);
    if (options.output === 'json') await io.stdout(`${JSON.stringify(whole(), null, 2)}\n`);
    else if (options.output === 'yaml') await io.stdout(stringify(whole()));
    else await printTables(io, found, options.output === 'wide');
    if (all.length === 0) io.stderr('there are no resources; dirsync apply has not been run with this state file\n');
    return EXIT.done;
  } finally {
    await store.close();
  }
}

const PROVIDERS = { sources: sourceProviders, targets: targetProviders };

/** No kind of resource. */
const TEAMS: readonly string[] = ['teams', 'team'];

/** Whoever asks for a whole mapping wants to see what its preset comes to. */
function resolveAll(io: CliIo, all: readonly Resource[], resources: ResourceSet): readonly Resource[] {
  return all.map((each) => {
    if (each.kind !== 'AttributeMapping' || each.spec.preset === undefined) return each;
    const { resource, otherwise } = resolveMapping(each, resources);
    const { name } = each.metadata;
    if (otherwise.length > 0) {
      io.stderr(`${name}: the applications of ${otherwise.join(', ')} take other attributes of the preset\n`);
    }
    return resource;
  });
}

function parseKind(word: string): Kind {
  const lower = word.toLowerCase();
  const kind = KINDS.find((each) => {
    const { plural, singular, shortName } = KIND_NAMES[each];
    return [plural, singular, shortName, ...(ALIASES[each] ?? [])].includes(lower);
  });
  if (kind !== undefined) return kind;
  const known = KINDS.map((each) => `${KIND_NAMES[each].singular} (${KIND_NAMES[each].shortName})`).join(', ');
  throw new UsageError(`there is no kind "${word}"; known are ${known}`);
}

/** Words that kubectl does not have. */
const ALIASES: Readonly<Partial<Record<Kind, readonly string[]>>> = { AttributeMapping: ['mapping', 'mappings'] };

/** What is said of rules and mappings is worked out anew, so that it is true of the folder as it is now. */
async function readResources(io: CliIo, store: StateStore, { filename }: GetOptions): Promise<ResourceSet> {
  const statuses = createStatusStore(store);
  if (filename === undefined) return statuses.loadResources();
  const host = createLocalHost({
    folder: toPath(io, filename),
    loadStatus: statuses.loadStatus,
    saveStatus: async () => undefined,
  });
  const { problems } = await host.read();
  await printProblems(io, filename, problems);
  const resources = host.resources();
  const namespaces = new Set(
    KINDS.flatMap((kind) => listOf(resources, kind)).map(({ metadata }) => metadata.namespace),
  );
  for (const namespace of namespaces) {
    await writeDependents({
      host,
      namespace,
      now: io.now(),
      providers: PROVIDERS,
      stateOf: async (name) => {
        const owner = resources.directorySyncs.find(
          ({ metadata }) => metadata.namespace === namespace && metadata.name === name,
        );
        return owner === undefined ? null : store.directory(toDirectoryKey(owner));
      },
    });
  }
  const now = host.resources();
  return { ...now, directorySyncs: now.directorySyncs.map((each) => withFault(each, now, io.now())) };
}

/** As the controller would say it: a cell that is blank says that nobody has looked yet. */
function withFault(resource: DirectorySyncResource, resources: ResourceSet, now: Date): DirectorySyncResource {
  const fault = findFault({ resource, resources }, PROVIDERS);
  if (fault === null) return resource;
  const generation = resource.metadata.generation ?? 1;
  return { ...resource, status: computeUnfit(resource.status, { fault, generation, now }) };
}

function listOf(resources: ResourceSet, kind: Kind): readonly Resource[] {
  switch (kind) {
    case 'DirectorySync':
      return resources.directorySyncs;
    case 'AttributeMapping':
      return resources.attributeMappings;
    case 'TeamRule':
      return resources.teamRules;
    case 'CustomAttribute':
      return resources.customAttributes;
  }
}

function isNamed({ metadata }: Resource, name: string | undefined): boolean {
  return name === undefined || metadata.name === name || `${metadata.namespace}/${metadata.name}` === name;
}

/** As kubectl does: one that was named by itself, else a List. */
function toDocument(all: readonly Resource[], name: string | undefined): unknown {
  return name !== undefined && all.length === 1 ? all[0] : { apiVersion: 'v1', kind: 'List', items: all };
}

interface Found {
  readonly kind: Kind;
  readonly list: readonly Resource[];
}

async function printTables(io: CliIo, found: readonly Found[], wide: boolean): Promise<void> {
  const filled = found.filter(({ list }) => list.length > 0);
  const namespaces = new Set(filled.flatMap(({ list }) => list).map(({ metadata }) => metadata.namespace));
  for (const [index, { kind, list }] of filled.entries()) {
    const columns = PRINTER_COLUMNS[kind].filter((column) => wide || column.wide !== true);
    const prefix = found.length > 1 ? `${KIND_NAMES[kind].singular}.${API_GROUP}/` : '';
    const isNamespaced = namespaces.size > 1;
    const heading = [...(isNamespaced ? ['NAMESPACE'] : []), 'NAME', ...columns.map(({ name }) => name.toUpperCase())];
    const rows = list
      .map(fillDefaults)
      .map((resource) => [
        ...(isNamespaced ? [resource.metadata.namespace] : []),
        `${prefix}${resource.metadata.name}`,
        ...columns.map((column) => formatCell(resource, column, io.now())),
      ]);
    await io.stdout(`${index > 0 ? '\n' : ''}${formatTable([heading, ...rows])}`);
  }
}

/** A cluster fills them in when a resource is created. */
function fillDefaults(resource: Resource): Resource {
  const spec = Value.Default(RESOURCE_SCHEMAS[resource.kind].spec, structuredClone(resource.spec));
  return { ...resource, spec } as Resource;
}

function formatCell(resource: Resource, column: PrinterColumn, now: Date): string {
  const value = readColumn(resource, column);
  if (value === null) return '';
  return column.type === 'date' ? formatAge(now.getTime() - Date.parse(String(value))) : String(value);
}
