/** Everything that can be wrong with a folder and told without a source or target. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { AttributeMappingResource } from '../api/attribute-mapping.ts';
import { withDefaults } from '../api/defaults.ts';
import type { DirectorySyncResource } from '../api/directory-sync.ts';
import { formatPath } from '../api/messages.ts';
import type { ResourceReference } from '../api/metadata.ts';
import { SyncError } from '../errors.ts';
import { type ManifestSet, readManifests, toProblem, toResourceSet } from '../local/manifests.ts';
import { compareProblems, formatProblem, type Problem } from '../local/problem.ts';
import { checkReferences } from '../local/references.ts';
import type { MappingProblem } from '../mapping/problem.ts';
import { type CompiledResources, checkResources, toMappingOptions, toTargetUse } from '../reconcile/compile.ts';
import { sourceProviders } from '../sources/registry.ts';
import { targetProviders } from '../targets/registry.ts';
import { locateInScalar, parseTextPlace } from './expression-position.ts';

export interface Validation {
  /** By file and line; files are relative to the folder. */
  readonly problems: readonly Problem[];
  readonly resources: number;
}

/** @throws SyncError `Invalid` when there is no such folder */
export async function validateFolder(folder: string, secretsDir: string | null): Promise<Validation> {
  const set = await readManifests(folder);
  const problems: Problem[] = [...set.problems];
  problems.push(...(await checkReferences(set, { missingSecret: 'warning', secretsDir })));
  const compiled = set.directorySyncs.flatMap(({ resource }) => [
    ...checkProviders(resource),
    ...compileFor(set, resource),
  ]);
  const unused = set.attributeMappings.filter(({ resource }) => !isUsed(set, resource));
  compiled.push(...unused.flatMap(({ resource }) => compileUnused(set, resource)));
  problems.push(...(await placeInExpressions(set, compiled)));
  return { problems: withoutRepetitions(problems).sort(compareProblems), resources: countResources(set) };
}

/** What is wrong with a DirectorySync and with what it is made of, so that it stalls; by file and line. */
export interface SyncErrors {
  /** Found when the folder was read. */
  readonly ofSchemas: readonly Problem[];
  /** Found by compiling: expressions, types, paths. */
  readonly ofContents: readonly Problem[];
}

/** @param resource of the set; valid or not */
export async function findErrors(set: ManifestSet, resource: DirectorySyncResource): Promise<SyncErrors> {
  const { name, namespace } = resource.metadata;
  const { mappings }: { readonly mappings?: unknown } = resource.spec;
  // What breaks its schema may say anything.
  const named = new Set(
    Array.isArray(mappings) ? mappings.map((each: { readonly name?: unknown } | null) => each?.name) : [],
  );
  const stalls = (reference: ResourceReference | undefined): boolean =>
    reference?.namespace === namespace &&
    ((reference.kind === 'DirectorySync' && reference.name === name) ||
      (reference.kind === 'AttributeMapping' && named.has(reference.name)) ||
      reference.kind === 'CustomAttribute');
  const isError = ({ severity }: Pick<Problem, 'severity'>): boolean => severity === 'error';
  const ofSchemas = set.problems.filter((problem) => isError(problem) && stalls(problem.resource));
  const isSound = set.directorySyncs.some(
    ({ reference }) => reference.namespace === namespace && reference.name === name,
  );
  const found = isSound ? [...checkProviders(resource), ...compileFor(set, resource)] : [];
  const ofContents = found.filter((each) => isError(each) && stalls(each.reference));
  return { ofSchemas, ofContents: withoutRepetitions(await placeInExpressions(set, ofContents)).sort(compareProblems) };
}

function countResources(set: ManifestSet): number {
  const lists = [set.directorySyncs, set.attributeMappings, set.teamRules, set.customAttributes, set.invalid];
  return lists.reduce((sum, list) => sum + list.length, 0);
}

/** A problem and the place in its resource that it was found at. */
interface Found {
  readonly reference: ResourceReference;
  readonly pointer: string;
  readonly severity: Problem['severity'];
  readonly message: string;
}

function checkProviders({ metadata, spec }: DirectorySyncResource): Found[] {
  const reference = { kind: 'DirectorySync', namespace: metadata.namespace, name: metadata.name };
  const of = (
    side: 'source' | 'target',
    providers: ReadonlyMap<string, { validate(config: unknown): readonly string[] }>,
  ): Found[] =>
    Object.entries(spec[side]).flatMap(([name, config]) =>
      (providers.get(name)?.validate(config) ?? []).map((message) => ({
        ...{ reference, message, severity: 'error' as const },
        pointer: `/spec/${side}/${name}`,
      })),
    );
  return [...of('source', sourceProviders), ...of('target', targetProviders)];
}

function compileFor(set: ManifestSet, resource: DirectorySyncResource): Found[] {
  const { namespace } = resource.metadata;
  try {
    const [source = '', own] = Object.entries(resource.spec.source)[0] ?? [];
    const [target = '', config] = Object.entries(resource.spec.target)[0] ?? [];
    const spec = { source: { provider: source, config: own }, target: { provider: target, config } };
    const options = toMappingOptions(spec, { sources: sourceProviders, targets: targetProviders });
    const compiled = checkResources({ resource, resources: toResourceSet(set) }, options);
    return [...compiled.problems.map((problem) => toFound(namespace, problem)), ...checkWishes(resource, compiled)];
  } catch (thrown) {
    const { code } = SyncError.from(thrown);
    // A mapping that is missing or invalid is reported where it is named, or where it stands.
    if (code === 'ReferenceNotFound' || code === 'Invalid') return [];
    throw thrown;
  }
}

/** What the application is known not to do. Whether that is asked of it is told only by mappings without errors. */
function checkWishes(resource: DirectorySyncResource, compiled: CompiledResources): Found[] {
  if (compiled.problems.some(({ severity, kind }) => severity === 'error' && kind !== 'TeamRule')) return [];
  const { metadata } = resource;
  const reference = { kind: 'DirectorySync', namespace: metadata.namespace, name: metadata.name };
  const spec = withDefaults(resource);
  const { provider, config } = spec.target;
  const problems = targetProviders.get(provider)?.check(config, toTargetUse(compiled, spec)) ?? [];
  return problems.map((problem) => ({ ...problem, reference, pointer: `/spec/target/${provider}` }));
}

function isUsed(set: ManifestSet, { metadata }: AttributeMappingResource): boolean {
  return set.directorySyncs.some(
    ({ resource }) =>
      resource.metadata.namespace === metadata.namespace &&
      (resource.spec.mappings ?? []).some(({ name }) => name === metadata.name),
  );
}

/** Half a mapping is no mistake while nobody says what the other half is: only its entries are judged. */
function compileUnused(set: ManifestSet, { metadata }: AttributeMappingResource): Found[] {
  const { namespace, name } = metadata;
  const owner: DirectorySyncResource = {
    apiVersion: 'dirsync.dev/v1alpha1',
    kind: 'DirectorySync',
    metadata: { namespace, name: '' },
    spec: { source: { file: { users: {} } }, mappings: [{ name }], target: {} },
  };
  return compileFor(set, owner).filter(
    ({ reference, pointer }) => reference.kind === 'AttributeMapping' && pointer !== '/spec/attributes',
  );
}

function toFound(namespace: string, { kind, name, pointer, severity, message }: MappingProblem): Found {
  return { reference: { kind, namespace, name }, pointer, severity, message };
}

/** With the path of the field before the message, and the place inside an expression where there is one. */
async function placeInExpressions(set: ManifestSet, found: readonly Found[]): Promise<Problem[]> {
  const files = new Map<string, readonly string[]>();
  const problems: Problem[] = [];
  for (const each of found) {
    const path = formatPath(each.pointer);
    const message = each.message.startsWith('target.scim') || path === '' ? each.message : `${path}: ${each.message}`;
    const problem = toProblem(set, each.reference, { ...each, message });
    const place = parseTextPlace(each.message);
    if (place === null) {
      problems.push(problem);
      continue;
    }
    const lines = files.get(problem.file) ?? (await readFile(join(set.root, problem.file), 'utf8')).split('\n');
    files.set(problem.file, lines);
    problems.push({ ...problem, ...locateInScalar(lines, problem, place) });
  }
  return problems;
}

/** Two DirectorySyncs with one mapping find the same mistake in it. */
function withoutRepetitions(problems: readonly Problem[]): Problem[] {
  return [...new Map(problems.map((problem) => [formatProblem(problem), problem])).values()];
}
