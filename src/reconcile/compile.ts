/**
 * Everything about mappings, rules, attributes and scope that can be told without a source or target. Used by the step
 * load, by `validate`, and for the statuses of the resources themselves.
 */
import type { AttributeMappingResource, PresetName } from '../api/attribute-mapping.ts';
import type { CustomAttributeResource } from '../api/custom-attribute.ts';
import { type ResolvedDirectorySyncSpec, withDefaults } from '../api/defaults.ts';
import { type DirectorySyncResource, MAPPINGS_NEEDED } from '../api/directory-sync.ts';
import type { ResourceSet } from '../api/host.ts';
import { toPlacedMessage } from '../api/messages.ts';
import { GROUP_VERSION } from '../api/metadata.ts';
import type { TeamRuleResource } from '../api/team-rule.ts';
import { validateResource } from '../api/validate.ts';
import { SyncError } from '../errors.ts';
import { type CompiledMapping, compileMapping, type MappingOptions, type SourceKind } from '../mapping/compile.ts';
import { type CustomAttributeSet, compileCustomAttributes } from '../mapping/custom-attributes.ts';
import { type LeavesOut, PRESET_OF } from '../mapping/presets.ts';
import type { MappingProblem } from '../mapping/problem.ts';
import { compileRules, type RuleSet } from '../mapping/rules.ts';
import { compareSchemas, type SchemaFinding, type WantedEntry } from '../mapping/schema-check.ts';
import { compileScope, takesUnassigned } from '../mapping/scope.ts';
import { NOTHING_OFFERED, type ResourceKind } from '../model.ts';
import type { Condition } from '../rule/condition.ts';
import type { TargetCapabilities, TargetProblem, TargetUse } from '../targets/target.ts';
import type { Providers } from './run.ts';

/** A DirectorySync and all resources around it. */
export interface CompileInput {
  readonly resource: DirectorySyncResource;
  readonly resources: ResourceSet;
}

/** What mappings must know of source and target. */
export type ReadOptions = Omit<MappingOptions, 'hasGroups' | 'takesUnassigned'>;

export interface CompiledResources {
  /** Of users. */
  readonly customs: CustomAttributeSet;
  /** Of users. */
  readonly mapping: CompiledMapping;
  /** Of the teams that are made of groups of the source. */
  readonly teamMapping: CompiledMapping;
  /** Which presets stand in for mappings that nobody named. */
  readonly presets: Readonly<Record<ResourceKind, PresetName | null>>;
  /** Groups of the source become teams. */
  readonly provisionsGroups: boolean;
  readonly rules: RuleSet;
  /** Names of all TeamRules that belong here, whatever their state: their teams must not be taken for those of nobody. */
  readonly ruleNames: readonly string[];
  readonly scope: Condition;
  readonly problems: readonly MappingProblem[];
}

/**
 * Compiles, and throws `Invalid` for the first error that stalls the DirectorySync. Errors of rules do not: an invalid
 * rule keeps its own teams as they are and hinders nothing else.
 */
export function compileResources(input: CompileInput, options: ReadOptions): CompiledResources {
  const compiled = checkResources(input, options);
  const fatal = compiled.problems.find((problem) => problem.severity === 'error' && problem.kind !== 'TeamRule');
  if (fatal === undefined) return compiled;
  throw new SyncError('Invalid', `${fatal.kind} ${fatal.name}: ${toPlacedMessage(fatal)}`);
}

/** Why no run of the resource could begin, as far as that can be told offline; null: it could. */
export function findFault(input: CompileInput, providers: Providers): SyncError | null {
  const problem = validateResource(input.resource).find(({ severity }) => severity === 'error');
  if (problem !== undefined) return new SyncError('Invalid', toPlacedMessage(problem));
  try {
    compileResources(input, toMappingOptions(withDefaults(input.resource), providers));
    return null;
  } catch (thrown) {
    return SyncError.from(thrown);
  }
}

export interface TargetFinding extends TargetProblem {
  readonly reason: SchemaFinding['reason'] | 'ProfileContradicted';
}

/** Mappings, rules and the target's configuration against what it says of itself; what it is never sent is left out. */
export function compareWithTarget(
  compiled: Pick<CompiledResources, 'mapping' | 'teamMapping' | 'rules' | 'provisionsGroups'>,
  { schemas, attribute, contradictions }: TargetCapabilities,
): readonly TargetFinding[] {
  const teams = compiled.rules.rules.length > 0 || compiled.provisionsGroups;
  const contradicted = contradictions({ teams }).map((each) => ({ ...each, reason: 'ProfileContradicted' as const }));
  if (schemas === null) return contradicted;
  const listWanted = (resource: ResourceKind, { entries }: CompiledMapping): readonly WantedEntry[] =>
    entries.flatMap(({ path, onCreate }) => {
      const writes = path === null ? 'never' : attribute(resource, path).writes;
      // What a target does not list of its groups is not sent to it, and that has to be told.
      const isLeftOut = writes === 'never' && resource === 'User';
      return path === null || isLeftOut ? [] : [{ path, onCreate: onCreate || writes === 'onCreate' }];
    });
  const wanted = {
    entries: listWanted('User', compiled.mapping),
    teams,
    teamEntries: compiled.provisionsGroups ? listWanted('Team', compiled.teamMapping) : [],
  };
  return [...contradicted, ...compareSchemas(wanted, schemas)];
}

/** What is wanted of a target, as its provider judges it offline. */
export function toTargetUse(
  { mapping, teamMapping, ruleNames, provisionsGroups }: Omit<CompiledResources, 'rules' | 'scope' | 'problems'>,
  { deprovisioning, deletionPolicy }: ResolvedDirectorySyncSpec,
): TargetUse {
  const { outOfScope, disabledAtSource, deletedAtSource, deleteAfterMs } = deprovisioning;
  return {
    userPaths: [...mapping.paths.keys()],
    teamPaths: provisionsGroups ? [...teamMapping.paths.keys()] : [],
    teams: ruleNames.length > 0 || provisionsGroups,
    deletes:
      deleteAfterMs !== null || [outOfScope, disabledAtSource, deletedAtSource, deletionPolicy].includes('Delete'),
  };
}

interface SidesOfSpec {
  readonly source: { readonly provider: string; readonly config: unknown };
  readonly target: { readonly provider: string; readonly config: unknown };
}

/** What mappings must know of the source and target of a spec. */
export function toMappingOptions({ source, target }: SidesOfSpec, { sources, targets }: Providers): ReadOptions {
  const provider = targets.get(target.provider);
  const offers = sources.get(source.provider)?.offers?.(source.config) ?? NOTHING_OFFERED;
  const leavesOut: LeavesOut = (paths, kind) => provider?.leavesOut?.(target.config, paths, kind) ?? [];
  return { provider: toDirectoryName(source, sources), offers, leavesOut };
}

/** The directory whose names the records have: presets, normalised attributes and `user.` of rules go by it. */
export function toDirectoryName({ provider, config }: SidesOfSpec['source'], sources: Providers['sources']): string {
  return sources.get(provider)?.directory?.(config) ?? provider;
}

/** The same of a resource that nobody has checked yet. */
export function toDirectoryOf({ spec: { source } }: DirectorySyncResource, sources: Providers['sources']): string {
  const [provider = '', config] = Object.entries(source)[0] ?? [];
  return toDirectoryName({ provider, config }, sources);
}

/** The same without throwing for what is invalid; only a mapping that does not exist throws `ReferenceNotFound`. */
export function checkResources(input: CompileInput, options: ReadOptions): CompiledResources {
  const { resource, resources } = input;
  const problems: MappingProblem[] = [];
  const found = findCustomAttributes(input, problems);
  const { provider } = options;
  const kind = { ...options, ...toSourceKind(resource, provider) };
  const mappings = findMappings(input, provider, problems);
  const compileFor = (of: ResourceKind): Pick<CompiledResources, 'customs' | 'mapping'> => {
    const customs = compileCustomAttributes(found, resource.metadata.name, problems, of);
    return { customs, mapping: compileMapping(mappings[of].resources, customs, kind, problems) };
  };
  const { customs, mapping } = compileFor('User');
  const { mapping: teamMapping } = compileFor('Team');
  problems.push(...checkRequired(resource, resources, mapping));
  if (isProvisioning(resource)) problems.push(...checkRequired(resource, resources, teamMapping));
  const rules = resources.teamRules.filter((rule) => belongsHere(resource, rule));
  const sound = rules.filter((rule) => isSound(rule, problems));
  const compiled = compileRules(sound, mapping, problems);
  const broken = rules.filter((rule) => !sound.includes(rule)).map((rule) => rule.metadata.name);
  return {
    customs,
    mapping,
    teamMapping,
    presets: { User: mappings.User.preset, Team: mappings.Team.preset },
    provisionsGroups: isProvisioning(resource),
    rules: { ...compiled, invalid: [...compiled.invalid, ...broken] },
    ruleNames: rules.map((rule) => rule.metadata.name),
    scope: compileScope(resource.spec.scope ?? {}, mapping.names, (field, message) => {
      const pointer = `/spec/scope/${field}`;
      problems.push({ severity: 'error', kind: 'DirectorySync', name: resource.metadata.name, pointer, message });
    }),
    problems,
  };
}

/**
 * One mapping by itself, as the first DirectorySync that names it reads it. What it lacks is no mistake while nobody says
 * what stands beside it.
 * @throws SyncError `Invalid` for the first error of an entry
 */
export function compileMappingAlone(
  mapping: AttributeMappingResource,
  resources: ResourceSet,
  sources: Providers['sources'],
): CompiledMapping {
  const { name, namespace } = mapping.metadata;
  const owner = resources.directorySyncs.find(
    ({ metadata, spec }) =>
      metadata.namespace === namespace && (spec.mappings ?? []).some((each) => each.name === name),
  );
  const problems: MappingProblem[] = [];
  const customs = resources.customAttributes.filter(({ metadata }) => metadata.namespace === namespace);
  const set = compileCustomAttributes(customs, owner?.metadata.name ?? '', problems, mapping.spec.resource);
  const kind =
    owner === undefined ? { provider: 'file', hasGroups: false } : toSourceKind(owner, toDirectoryOf(owner, sources));
  const compiled = compileMapping([mapping], set, kind, problems);
  const fatal = problems.find(({ severity, pointer }) => severity === 'error' && pointer !== '/spec/attributes');
  if (fatal === undefined) return compiled;
  throw new SyncError('Invalid', `${fatal.kind} ${fatal.name}: ${toPlacedMessage(fatal)}`);
}

/** A file has groups only where one is named; a directory always. */
function toSourceKind({ spec: { source, scope = {} } }: DirectorySyncResource, provider: string): SourceKind {
  return {
    provider,
    hasGroups: source.file === undefined || source.file.groups !== undefined,
    takesUnassigned: takesUnassigned(scope),
  };
}

/**
 * Who made the DirectorySync after the CustomAttribute knew what is asked; an older one goes on as it did. In a folder
 * nothing is older than anything.
 */
function checkRequired(
  { metadata }: DirectorySyncResource,
  { customAttributes }: ResourceSet,
  { unmapped }: CompiledMapping,
): MappingProblem[] {
  return unmapped.map(({ name, resource }): MappingProblem => {
    const custom = customAttributes.find(
      (each) => each.metadata.namespace === metadata.namespace && each.metadata.name === resource,
    );
    const made = metadata.creationTimestamp ?? '';
    const isNewer = made > (custom?.metadata.creationTimestamp ?? made);
    const message = `no entry of the mappings of DirectorySync ${metadata.name} gives the required attribute ${JSON.stringify(name)} a value; add one with target: ${name}`;
    return isNewer
      ? { severity: 'error', kind: 'DirectorySync', name: metadata.name, pointer: '/spec/mappings', message }
      : { severity: 'warning', kind: 'CustomAttribute', name: resource, pointer: '/spec/required', message };
  });
}

/** A rule that does not say where it belongs may belong here: to take it for deleted would be the worse mistake. */
function belongsHere({ metadata }: DirectorySyncResource, rule: TeamRuleResource): boolean {
  const owner: unknown = rule.spec?.directorySyncRef?.name;
  return rule.metadata.namespace === metadata.namespace && (owner === metadata.name || typeof owner !== 'string');
}

/** Whether the resource keeps to its schema; what breaks it becomes a problem. */
function isSound(resource: TeamRuleResource | CustomAttributeResource, problems: MappingProblem[]): boolean {
  const errors = validateResource(resource).filter(({ severity }) => severity === 'error');
  const { kind, metadata } = resource;
  problems.push(
    ...errors.map(({ pointer, message }) => ({
      severity: 'error' as const,
      kind,
      name: metadata.name,
      pointer,
      message,
    })),
  );
  return errors.length === 0;
}

function findCustomAttributes(
  { resource, resources }: CompileInput,
  problems: MappingProblem[],
): CustomAttributeResource[] {
  const here = resources.customAttributes.filter(({ metadata }) => metadata.namespace === resource.metadata.namespace);
  return here.filter((custom) => isSound(custom, problems));
}

interface FoundMappings {
  readonly resources: readonly AttributeMappingResource[];
  /** It stands in for what nobody named. */
  readonly preset: PresetName | null;
}

/** Those that are named; of what has none, the preset of the source's kind. */
function findMappings(
  input: CompileInput,
  provider: string,
  problems: MappingProblem[],
): Readonly<Record<ResourceKind, FoundMappings>> {
  const named = findNamed(input);
  const listOf = (kind: ResourceKind): readonly AttributeMappingResource[] =>
    named.filter(({ spec }) => (spec.resource ?? 'User') === kind);
  const [users, teams] = [listOf('User'), listOf('Team')];
  const preset = PRESET_OF[provider] ?? null;
  if (users.length === 0 && preset === null) {
    const message = `must ${MAPPINGS_NEEDED}${teams.length === 0 ? '' : '; those that are named are of teams'}`;
    const { name } = input.resource.metadata;
    problems.push({ severity: 'error', kind: 'DirectorySync', name, pointer: '/spec/mappings', message });
  }
  const standIn = (kind: ResourceKind): FoundMappings => ({
    preset,
    resources: preset === null ? [] : [toPresetMapping(input.resource, preset, kind)],
  });
  return {
    User: users.length > 0 ? { resources: users, preset: null } : standIn('User'),
    Team: teams.length > 0 || !isProvisioning(input.resource) ? { resources: teams, preset: null } : standIn('Team'),
  };
}

function isProvisioning({ spec: { groups } }: DirectorySyncResource): boolean {
  return (groups?.provision ?? 'None') !== 'None';
}

function findNamed({ resource, resources }: CompileInput): readonly AttributeMappingResource[] {
  const { namespace } = resource.metadata;
  return (resource.spec.mappings ?? []).map(({ name }) => {
    const found = resources.attributeMappings.find(
      ({ metadata }) => metadata.name === name && metadata.namespace === namespace,
    );
    if (found === undefined) {
      throw new SyncError(
        'ReferenceNotFound',
        `AttributeMapping ${JSON.stringify(name)} does not exist in namespace ${namespace}; apply it, or mend spec.mappings`,
      );
    }
    const problem = validateResource(found).find(({ severity }) => severity === 'error');
    if (problem === undefined) return found;
    throw new SyncError('Invalid', `AttributeMapping ${name}: ${toPlacedMessage(problem)}`);
  });
}

function toPresetMapping(
  { metadata }: DirectorySyncResource,
  preset: PresetName,
  resource: ResourceKind,
): AttributeMappingResource {
  const { namespace } = metadata;
  return {
    apiVersion: GROUP_VERSION,
    kind: 'AttributeMapping',
    metadata: { name: `preset ${preset}`, namespace },
    spec: { resource, preset },
  };
}
