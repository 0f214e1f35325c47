/** Statuses of AttributeMappings, TeamRules and CustomAttributes: what the last look at them, and the last run, found. */
import { isDeepStrictEqual } from 'node:util';
import { PRESET_NAMES } from '../api/attribute-mapping.ts';
import type { Condition } from '../api/condition-schema.ts';
import { SITUATIONS, type Situation } from '../api/conditions.ts';
import type { CustomAttributeResource } from '../api/custom-attribute.ts';
import { withDefaults } from '../api/defaults.ts';
import type { DirectorySyncResource } from '../api/directory-sync.ts';
import type { ResourceHost, ResourceRef, ResourceSet } from '../api/host.ts';
import { type ConditionChange, removeCondition, setCondition, toInstant } from '../api/kstatus.ts';
import { toPlacedMessage } from '../api/messages.ts';
import { FINALIZER } from '../api/metadata.ts';
import type { ReadyReason } from '../api/reasons.ts';
import type { Resource } from '../api/resources.ts';
import type { TeamRuleResource } from '../api/team-rule.ts';
import { validateResource } from '../api/validate.ts';
import { SyncError } from '../errors.ts';
import type { CompiledMapping } from '../mapping/compile.ts';
import type { DirectoryState } from '../state/store.ts';
import { ABANDONED, appliesTo, judgeDeletion, toDeletionEvent, type Verdict } from './attribute-deletion.ts';
import { abandonAttribute, isKept } from './attribute-memory.ts';
import { type CompiledResources, checkResources, toMappingOptions } from './compile.ts';
import { NO_RULE_FACTS, type RuleFacts, readRuleFacts } from './rule-facts.ts';
import type { Providers } from './run.ts';
import { listMappings, toRuleMark } from './triggers.ts';

export interface DependentsInput {
  readonly host: ResourceHost;
  readonly namespace: string;
  readonly now: Date;
  /** What sources and targets of DirectorySyncs are, and have. */
  readonly providers: Providers;
  /** State of a DirectorySync by its name; null where it has none yet. */
  readonly stateOf: (name: string) => Promise<DirectoryState | null>;
}

/** Writes the status of everything in the namespace that a DirectorySync may name; unchanged ones cost no request. */
export async function writeDependents(input: DependentsInput): Promise<void> {
  const { host, namespace, providers } = input;
  const resources = toLocal(host.resources(), namespace);
  const findings = compileAll(resources, providers);
  for (const mapping of resources.attributeMappings) {
    const { name } = mapping.metadata;
    const usedBy = toNames(resources.directorySyncs.filter((sync) => listMappings(sync).includes(name)));
    const attributesUsed = [...(findings.attributes.get(name) ?? [])].sort().slice(0, MAX_ITEMS);
    const preset = PRESET_NAMES.find((each) => each === mapping.spec.preset);
    await writeValid(input, mapping, { findings, usedBy, extra: { usedBy, attributesUsed, preset } });
  }
  for (const custom of resources.customAttributes) {
    const usedBy = toNames(resources.directorySyncs.filter((sync) => appliesTo(custom.spec, sync.metadata.name)));
    const unmappedIn = [...(findings.unmapped.get(custom.metadata.name) ?? [])].sort().slice(0, MAX_ITEMS);
    const valid = { findings, usedBy, extra: { usedBy, unmappedIn } };
    if (custom.metadata.deletionTimestamp === undefined) await writeCustom(input, custom, valid);
    else await writeLeaving(input, custom, { resources, valid });
  }
  await writeRules(input, resources, findings);
}

const MAX_ITEMS = 1000;

function toLocal(resources: ResourceSet, namespace: string): ResourceSet {
  const here = <T extends { metadata: { namespace: string } }>(list: readonly T[]): readonly T[] =>
    list.filter((each) => each.metadata.namespace === namespace);
  return {
    directorySyncs: here(resources.directorySyncs),
    attributeMappings: here(resources.attributeMappings),
    teamRules: here(resources.teamRules),
    customAttributes: here(resources.customAttributes),
  };
}

function toNames(syncs: readonly DirectorySyncResource[]): readonly string[] {
  return syncs
    .map(({ metadata }) => metadata.name)
    .sort()
    .slice(0, MAX_ITEMS);
}

interface Findings {
  /** First error by `kind/name`, with the path of its field. */
  readonly errors: ReadonlyMap<string, string>;
  /** Source attributes by mapping. */
  readonly attributes: ReadonlyMap<string, ReadonlySet<string>>;
  /** DirectorySyncs without an entry for a required CustomAttribute, by its resource. */
  readonly unmapped: ReadonlyMap<string, readonly string[]>;
}

function toKey({ kind, name }: { readonly kind: string; readonly name: string }): string {
  return `${kind}/${name}`;
}

function compileAll(resources: ResourceSet, providers: Providers): Findings {
  const errors = new Map<string, string>();
  const note = (key: string, problem: { readonly pointer: string; readonly message: string }): void => {
    if (!errors.has(key)) errors.set(key, toPlacedMessage(problem));
  };
  for (const resource of [...resources.attributeMappings, ...resources.teamRules, ...resources.customAttributes]) {
    const error = findSchemaError(resource);
    if (error !== null) note(toKey({ kind: resource.kind, name: resource.metadata.name }), error);
  }
  // What is wrong with a DirectorySync itself stands in its own status.
  const syncs = resources.directorySyncs.filter((each) => findSchemaError(each) === null);
  const unmapped = new Map<string, string[]>();
  for (const sync of syncs) {
    const compiled = check(sync, resources, providers);
    for (const problem of compiled?.problems ?? []) if (problem.severity === 'error') note(toKey(problem), problem);
    for (const { resource } of listUnmapped(compiled))
      unmapped.set(resource, [...(unmapped.get(resource) ?? []), sync.metadata.name]);
  }
  return { errors, unmapped, attributes: listAllAttributes(syncs, resources, providers) };
}

function listUnmapped(compiled: CompiledResources | null): CompiledMapping['unmapped'] {
  if (compiled === null) return [];
  const { mapping, teamMapping, provisionsGroups } = compiled;
  return [...mapping.unmapped, ...(provisionsGroups ? teamMapping.unmapped : [])];
}

function listAllAttributes(
  syncs: readonly DirectorySyncResource[],
  resources: ResourceSet,
  providers: Providers,
): Findings['attributes'] {
  const attributes = new Map<string, Set<string>>();
  for (const sync of syncs) {
    for (const name of listMappings(sync))
      attributes.set(
        name,
        new Set([...(attributes.get(name) ?? []), ...listAttributes(sync, name, { resources, providers })]),
      );
  }
  return attributes;
}

function findSchemaError(resource: Resource): { readonly pointer: string; readonly message: string } | null {
  return validateResource(resource).find(({ severity }) => severity === 'error') ?? null;
}

/** Null where a mapping is missing, or breaks its schema. */
function check(
  resource: DirectorySyncResource,
  resources: ResourceSet,
  providers: Providers,
): ReturnType<typeof checkResources> | null {
  try {
    return checkResources({ resource, resources }, toMappingOptions(withDefaults(resource), providers));
  } catch (thrown) {
    const { code } = SyncError.from(thrown);
    if (code === 'ReferenceNotFound' || code === 'Invalid') return null;
    throw thrown;
  }
}

/** What this mapping alone reads. */
function listAttributes(
  sync: DirectorySyncResource,
  mapping: string,
  { resources, providers }: { readonly resources: ResourceSet; readonly providers: Providers },
): readonly string[] {
  const found = resources.attributeMappings.find(({ metadata }) => metadata.name === mapping);
  const isOfTeams = found?.spec.resource === 'Team';
  const alone = { ...sync, spec: { ...sync.spec, mappings: [{ name: mapping }] } };
  const compiled = check(alone, { ...resources, teamRules: [] }, providers);
  const names = (isOfTeams ? compiled?.teamMapping : compiled?.mapping)?.usedNames ?? [];
  return names
    .filter((name) => !/^(custom|standard|predefined):/.test(name))
    .map((name) => name.replace(/^source:/, ''));
}

type StatusChange = Parameters<ResourceHost['writeStatus']>[1];

/** Asks the host only for what is known to differ: a look at every resource after every run would be a request each. */
async function write(host: ResourceHost, resource: Resource, change: StatusChange): Promise<void> {
  const { metadata, status } = resource;
  const before = JSON.parse(JSON.stringify(status ?? {})) as Record<string, unknown>;
  const after: unknown = JSON.parse(JSON.stringify(change(before, metadata.generation ?? 1)));
  if (isDeepStrictEqual(before, after)) return;
  await host.writeStatus(toRef(resource), change);
}

interface ValidInput {
  readonly findings: Findings;
  readonly usedBy: readonly string[];
  readonly extra: Readonly<Record<string, unknown>>;
  /** What is still to be done for its deletion; null: nothing. */
  readonly leaving?: Verdict | null;
}

async function writeValid(
  { host, now }: DependentsInput,
  resource: Resource,
  { findings, usedBy, extra, leaving = null }: ValidInput,
): Promise<void> {
  const error = findings.errors.get(toKey({ kind: resource.kind, name: resource.metadata.name }));
  const fine = usedBy.length > 0 ? 'the resource compiles' : 'the resource keeps to its schema; nothing uses it';
  const reason = error === undefined ? 'Valid' : 'Invalid';
  await write(host, resource, (status, generation) => {
    const base = { reason, message: error ?? fine, observedGeneration: generation };
    const set = (conditions: readonly Condition[], type: 'Valid' | 'Stalled', value: boolean): Condition[] =>
      setCondition(conditions, { ...base, type, status: value ? 'True' : 'False' }, now);
    const before = (status['conditions'] ?? []) as readonly Condition[];
    const judged = set(set(before, 'Valid', error === undefined), 'Stalled', error !== undefined);
    const conditions = setCondition(judged, toDeletingChange(leaving, generation), now);
    return { ...status, observedGeneration: generation, conditions, ...extra };
  });
}

/** It goes when nothing is to be done any more. */
function toDeletingChange(leaving: Verdict | null, observedGeneration: number): ConditionChange {
  const { reason, message } = leaving ?? { reason: 'RemovingValues', message: '' };
  return { type: 'Deleting', status: leaving === null ? 'False' : 'True', reason, message, observedGeneration };
}

/** Its finalizer stands before the first run writes a value, or a run soon after. */
async function writeCustom(input: DependentsInput, custom: CustomAttributeResource, valid: ValidInput): Promise<void> {
  if (custom.metadata.finalizers?.includes(FINALIZER) !== true) await input.host.setFinalizer(toRef(custom), true);
  await writeValid(input, custom, valid);
}

async function writeLeaving(
  input: DependentsInput,
  custom: CustomAttributeResource,
  { resources, valid }: { readonly resources: ResourceSet; readonly valid: ValidInput },
): Promise<void> {
  const { host, stateOf } = input;
  const ref = toRef(custom);
  const isOurs = custom.metadata.finalizers?.includes(FINALIZER) === true;
  if (isKept(custom)) {
    for (const { metadata } of resources.directorySyncs) {
      const state = await stateOf(metadata.name);
      if (state !== null) await abandonAttribute(state, custom);
    }
    if (isOurs) await host.event(ref, ABANDONED);
    await host.setFinalizer(ref, false);
    return;
  }
  const leaving = await judgeDeletion({ custom, resources, stateOf, broken: findBroken(custom, resources, input) });
  const event = isOurs ? toDeletionEvent(custom, leaving) : null;
  const deletion = leaving?.deletion ?? { left: 0, directorySyncs: [] };
  await writeValid(input, custom, { ...valid, leaving, extra: { ...valid.extra, deletion } });
  if (event !== null) await host.event(ref, event);
  if (leaving === null) await host.setFinalizer(ref, false);
}

/** What compiles now and will not without it: better said before it is gone. */
function findBroken(
  custom: CustomAttributeResource,
  resources: ResourceSet,
  { providers }: Pick<DependentsInput, 'providers'>,
): string | null {
  const customAttributes = resources.customAttributes.filter((each) => each !== custom);
  for (const sync of resources.directorySyncs.filter((each) => findSchemaError(each) === null)) {
    const known = listErrors(sync, resources, providers);
    const fresh = [...listErrors(sync, { ...resources, customAttributes }, providers)].find(([key]) => !known.has(key));
    if (fresh !== undefined) return `Without it this will be Invalid: ${fresh[1]}`;
  }
  return null;
}

/** Sentences, by what they are about. */
function listErrors(
  sync: DirectorySyncResource,
  resources: ResourceSet,
  providers: Providers,
): ReadonlyMap<string, string> {
  const errors = (check(sync, resources, providers)?.problems ?? []).filter(({ severity }) => severity === 'error');
  return new Map(
    errors.map((error) => [
      `${toKey(error)} ${error.pointer}`,
      `${error.kind} ${error.name}: ${toPlacedMessage(error)}`,
    ]),
  );
}

function toRef({ kind, metadata }: Resource): ResourceRef {
  return { kind, namespace: metadata.namespace, name: metadata.name };
}

async function writeRules(input: DependentsInput, resources: ResourceSet, findings: Findings): Promise<void> {
  const facts = new Map<string, ReadonlyMap<string, RuleFacts>>();
  for (const rule of resources.teamRules) {
    const owner = resources.directorySyncs.find(({ metadata }) => metadata.name === rule.spec.directorySyncRef?.name);
    const name = owner?.metadata.name;
    if (name !== undefined && !facts.has(name)) {
      const state = await input.stateOf(name);
      facts.set(name, state === null ? new Map() : await readRuleFacts(state));
    }
    const ofRule = facts.get(name ?? '')?.get(rule.metadata.name) ?? NO_RULE_FACTS;
    const error = findings.errors.get(toKey({ kind: 'TeamRule', name: rule.metadata.name })) ?? null;
    await writeRule(input, rule, {
      facts: ofRule,
      verdict: judgeRule(rule, { error, owner: name ?? null, facts: ofRule }),
    });
  }
}

interface RuleVerdict {
  readonly reason: ReadyReason;
  readonly message: string;
}

interface RuleCase {
  /** What does not compile; null when all does. */
  readonly error: string | null;
  /** Name of its DirectorySync where that exists. */
  readonly owner: string | null;
  readonly facts: RuleFacts;
}

/** The first that is true, in this order. */
function judgeRule(rule: TeamRuleResource, { error, owner, facts }: RuleCase): RuleVerdict {
  const { spec } = rule;
  if (error !== null) return { reason: 'Invalid', message: error };
  if (owner === null) {
    const message = `DirectorySync ${spec.directorySyncRef.name} does not exist in this namespace`;
    return { reason: 'ReferenceNotFound', message };
  }
  if (spec.suspend === true) return { reason: 'Suspended', message: 'its teams stay as they are' };
  if (facts.mark !== toRuleMark(rule)) {
    return { reason: 'Progressing', message: `no run of DirectorySync ${owner} has taken account of it yet` };
  }
  return judgeRun(facts);
}

/** What the last run made of it. Messages name no team: names may come from values of people. */
function judgeRun({ errors, held, failed }: RuleFacts): RuleVerdict {
  const conflicts = errors.filter((code) => code === 'Conflict').length;
  if (conflicts > 0) {
    const message = `the target has teams of the same name that are not its own (${conflicts}); dirsync history names them`;
    return { reason: 'Conflict', message };
  }
  if (errors.length > 0) {
    const message = `the target takes no team of such a name (${errors.length}); dirsync history says why`;
    return { reason: 'Invalid', message };
  }
  if (failed > 0) {
    const message = `operations on its teams failed (${failed}); dirsync history names them`;
    return { reason: 'SyncedWithErrors', message };
  }
  if (held > 0) return { reason: 'SyncedWithHeld', message: `operations on its teams wait for approval (${held})` };
  return { reason: 'Synced', message: 'its teams are as the rule says' };
}

async function writeRule(
  { host, now }: DependentsInput,
  rule: TeamRuleResource,
  { facts, verdict }: { facts: RuleFacts; verdict: RuleVerdict },
): Promise<void> {
  const { teams, members, errors } = facts;
  await write(host, rule, (status, generation) => {
    const isChanged = (status['members'] ?? 0) !== members || (status['teams'] ?? 0) !== teams;
    return {
      ...status,
      observedGeneration: generation,
      conditions: toRuleConditions(status, verdict, { generation, now }),
      teams,
      members,
      conflicts: errors.filter((code) => code === 'Conflict').length,
      ...(isChanged ? { lastChange: toInstant(now) } : {}),
    };
  });
}

function toRuleConditions(
  status: Readonly<Record<string, unknown>>,
  { reason, message }: RuleVerdict,
  { generation, now }: { generation: number; now: Date },
): Condition[] {
  const situation: Situation = SITUATIONS[reason];
  const base = { reason, message, observedGeneration: generation };
  const before = (status['conditions'] ?? []) as readonly Condition[];
  const kept = removeCondition(removeCondition(before, 'Stalled'), 'Reconciling');
  // A suspended rule is as ready as it can be.
  const ready = situation.ready === 'AsBefore' ? 'True' : situation.ready;
  const conditions = setCondition(kept, { ...base, type: 'Ready', status: ready }, now);
  if (situation.progress === null) return conditions;
  // The time at which it began stays.
  const [was] = before.filter(({ type }) => type === situation.progress);
  const retrying = situation.progress === 'Reconciling' && reason !== 'Progressing';
  const change = {
    ...base,
    type: situation.progress,
    status: 'True',
    ...(retrying ? { reason: 'ProgressingWithRetry' } : {}),
  } as const;
  return setCondition(was === undefined ? conditions : [...conditions, was], change, now);
}
