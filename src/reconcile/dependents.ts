/** Statuses of AttributeMappings, TeamRules and CustomAttributes: what the last look at them found. */
import type { Condition } from '../api/condition-schema.ts';
import type { ResourceHost, ResourceRef, ResourceSet } from '../api/host.ts';
import { removeCondition, setCondition, toInstant } from '../api/kstatus.ts';
import { SyncError } from '../errors.ts';
import type { MappingProblem } from '../mapping/problem.ts';
import type { RecordError } from '../model.ts';
import type { DirectoryState } from '../state/store.ts';
import { checkResources } from './compile.ts';

export interface DependentsInput {
  readonly host: ResourceHost;
  readonly namespace: string;
  readonly now: Date;
  /** State of a DirectorySync by its name; null where it has none yet. */
  readonly stateOf: (name: string) => Promise<DirectoryState | null>;
}

/** Writes the status of everything in the namespace that a DirectorySync may name; unchanged ones cost no request. */
export async function writeDependents(input: DependentsInput): Promise<void> {
  const { host, namespace } = input;
  const resources = host.resources();
  const problems = collectProblems(resources, namespace);
  const here = <T extends { metadata: { namespace: string } }>(list: readonly T[]): readonly T[] =>
    list.filter((each) => each.metadata.namespace === namespace);
  const syncs = here(resources.directorySyncs);
  for (const { metadata } of here(resources.attributeMappings)) {
    const usedBy = syncs
      .filter(({ spec }) => spec.mappings?.some(({ name }) => name === metadata.name))
      .map((sync) => sync.metadata.name);
    const attributesUsed = [...(problems.attributes.get(metadata.name) ?? [])].sort();
    await writeValid(
      input,
      { kind: 'AttributeMapping', namespace, name: metadata.name },
      { problems: problems.list, extra: { usedBy, attributesUsed } },
    );
  }
  for (const { metadata, spec } of here(resources.customAttributes)) {
    const { directorySyncs = 'All' } = spec;
    const usedBy = syncs
      .map((sync) => sync.metadata.name)
      .filter((name) => directorySyncs === 'All' || directorySyncs.names.includes(name));
    await writeValid(
      input,
      { kind: 'CustomAttribute', namespace, name: metadata.name },
      { problems: problems.list, extra: { usedBy } },
    );
  }
  for (const rule of here(resources.teamRules)) {
    await writeRule(input, {
      name: rule.metadata.name,
      sync: rule.spec.directorySyncRef?.name ?? '',
      problems: problems.list,
      suspend: rule.spec.suspend ?? false,
    });
  }
}

interface Problems {
  readonly list: readonly MappingProblem[];
  /** Source attributes by mapping. */
  readonly attributes: ReadonlyMap<string, ReadonlySet<string>>;
}

function collectProblems(resources: ResourceSet, namespace: string): Problems {
  const list: MappingProblem[] = [];
  const attributes = new Map<string, Set<string>>();
  for (const resource of resources.directorySyncs) {
    if (resource.metadata.namespace !== namespace) continue;
    try {
      const checked = checkResources({ resource, resources }, Object.keys(resource.spec.source)[0] ?? '');
      list.push(...checked.problems);
      for (const { name } of resource.spec.mappings)
        attributes.set(name, new Set([...(attributes.get(name) ?? []), ...checked.mapping.usedNames]));
    } catch (thrown) {
      // A reference that is missing stands in the DirectorySync's own status.
      if (SyncError.from(thrown).code !== 'ReferenceNotFound' && SyncError.from(thrown).code !== 'Invalid')
        throw thrown;
    }
  }
  return { list, attributes };
}

function findProblem(problems: readonly MappingProblem[], { kind, name }: ResourceRef): MappingProblem | undefined {
  return problems.find((problem) => problem.severity === 'error' && problem.kind === kind && problem.name === name);
}

interface ValidInput {
  readonly problems: readonly MappingProblem[];
  readonly extra: Readonly<Record<string, unknown>>;
}

async function writeValid(
  { host, now }: DependentsInput,
  ref: ResourceRef,
  { problems, extra }: ValidInput,
): Promise<void> {
  const problem = findProblem(problems, ref);
  await host.writeStatus(ref, (status, generation) => {
    const before = (status['conditions'] ?? []) as readonly Condition[];
    const message = problem === undefined ? 'the resource compiles' : `${problem.pointer}: ${problem.message}`;
    const reason = problem === undefined ? 'Valid' : 'Invalid';
    const set = (type: 'Valid' | 'Stalled', value: boolean, conditions: readonly Condition[]): Condition[] =>
      setCondition(
        conditions,
        { type, status: value ? 'True' : 'False', reason, message, observedGeneration: generation },
        now,
      );
    const conditions = set('Stalled', problem !== undefined, set('Valid', problem === undefined, before));
    return { ...status, observedGeneration: generation, conditions, ...extra };
  });
}

interface RuleInput {
  readonly name: string;
  readonly sync: string;
  readonly problems: readonly MappingProblem[];
  readonly suspend: boolean;
}

async function writeRule(input: DependentsInput, rule: RuleInput): Promise<void> {
  const { host, namespace, now } = input;
  const ref: ResourceRef = { kind: 'TeamRule', namespace, name: rule.name };
  const verdict = await judgeRule(input, rule, ref);
  const counts = await countRule(await input.stateOf(rule.sync), rule.name);
  await host.writeStatus(ref, (status, generation) => {
    let conditions = (status['conditions'] ?? []) as readonly Condition[];
    const { reason, message } = verdict;
    const base = { reason, message, observedGeneration: generation };
    conditions = setCondition(conditions, { ...base, type: 'Ready', status: verdict.ready ? 'True' : 'False' }, now);
    conditions = removeCondition(removeCondition(conditions, 'Stalled'), 'Reconciling');
    if (verdict.progress === 'Stalled')
      conditions = setCondition(conditions, { ...base, type: 'Stalled', status: 'True' }, now);
    if (verdict.progress === 'Reconciling') {
      conditions = setCondition(
        conditions,
        { ...base, type: 'Reconciling', status: 'True', reason: 'ProgressingWithRetry' },
        now,
      );
    }
    const changed = status['members'] !== counts.members || status['teams'] !== counts.teams;
    const lastChange = changed ? { lastChange: toInstant(now) } : {};
    return {
      ...status,
      observedGeneration: generation,
      conditions,
      ...counts,
      conflicts: verdict.conflicts,
      ...lastChange,
    };
  });
}

interface RuleVerdict {
  readonly ready: boolean;
  readonly reason: string;
  readonly message: string;
  readonly progress: 'Reconciling' | 'Stalled' | null;
  readonly conflicts: number;
}

async function judgeRule(
  { host, namespace, stateOf }: DependentsInput,
  { name, sync, problems, suspend }: RuleInput,
  ref: ResourceRef,
): Promise<RuleVerdict> {
  const problem = findProblem(problems, ref);
  if (problem !== undefined)
    return {
      ready: false,
      reason: 'Invalid',
      message: `${problem.pointer}: ${problem.message}`,
      progress: 'Stalled',
      conflicts: 0,
    };
  const owner = host
    .resources()
    .directorySyncs.find(({ metadata }) => metadata.namespace === namespace && metadata.name === sync);
  if (owner === undefined) {
    return {
      ready: false,
      reason: 'ReferenceNotFound',
      message: `DirectorySync ${sync} does not exist in this namespace`,
      progress: 'Reconciling',
      conflicts: 0,
    };
  }
  const errors = await readRuleErrors(await stateOf(sync), name);
  const [first] = errors;
  if (first !== undefined)
    return {
      ready: false,
      reason: 'Conflict',
      message: first.message,
      progress: 'Reconciling',
      conflicts: errors.length,
    };
  if (suspend)
    return { ready: true, reason: 'Suspended', message: 'its teams stay as they are', progress: null, conflicts: 0 };
  return { ready: true, reason: 'Synced', message: 'its teams are as the rule says', progress: null, conflicts: 0 };
}

async function readRuleErrors(state: DirectoryState | null, rule: string): Promise<readonly RecordError[]> {
  const [run] = (await state?.journal.runs(1)) ?? [];
  const errors: RecordError[] = [];
  if (state === null || run === undefined) return errors;
  for await (const page of state.journal.errors(run.id))
    errors.push(...page.filter(({ resource, id }) => resource === 'TeamRule' && id === rule));
  return errors;
}

async function countRule(state: DirectoryState | null, rule: string): Promise<{ teams: number; members: number }> {
  const counts = { teams: 0, members: 0 };
  if (state === null) return counts;
  for await (const page of state.links.teams()) {
    for (const team of page.filter(({ rules }) => rules.includes(rule))) {
      counts.teams += 1;
      counts.members += await state.links.members(team.key);
    }
  }
  return counts;
}
