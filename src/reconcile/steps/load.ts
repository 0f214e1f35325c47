/**
 * load: the resource and all that it names, compiled and checked, with connections that have not been used yet. What is
 * invalid stops here, before any call to a source or target.
 */
import { createHash } from 'node:crypto';
import type { AttributeMappingResource } from '../../api/attribute-mapping.ts';
import { withDefaults } from '../../api/defaults.ts';
import type { ResourceRef } from '../../api/host.ts';
import { validateResource } from '../../api/validate.ts';
import { SyncError } from '../../errors.ts';
import { compileMapping } from '../../mapping/compile.ts';
import { compileCustomAttributes } from '../../mapping/custom-attributes.ts';
import { checkName } from '../../mapping/names.ts';
import type { MappingProblem } from '../../mapping/problem.ts';
import { compileRules } from '../../mapping/teams.ts';
import { compileAny } from '../../rule/clause.ts';
import { getFact, putFact } from '../facts.ts';
import type { HttpClientNeeds, Loaded, RunDependencies } from '../run.ts';

export async function load(run: RunDependencies, signal: AbortSignal): Promise<Loaded> {
  const { resource, resources } = run;
  checkSchema(run);
  const spec = withDefaults(resource);
  checkIdentity(run, spec.id);
  const compiled = compileResources(run, spec.source.provider);
  const connections = await connect(run, spec);
  const identity = await connections.source.identity(signal);
  await checkEndpoint(run, { source: toSourceEndpoint(spec.source, identity.tenantId), target: connections.endpoint });
  const ruleNames = resources.teamRules.filter((rule) => belongsHere(run, rule)).map((rule) => rule.metadata.name);
  return {
    spec,
    identity,
    ruleNames,
    ...compiled,
    source: connections.source,
    target: connections.target,
    http: connections.http,
  };
}

function checkSchema({ resource }: RunDependencies): void {
  const [problem] = validateResource(resource);
  if (problem !== undefined) throw new SyncError('Invalid', `${problem.pointer}: ${problem.message}`);
}

/** Of two resources with one id the newer waits: both would write the same accounts. */
function checkIdentity({ resource, resources }: RunDependencies, id: string): void {
  const { metadata } = resource;
  const age = (other: typeof resource): string => `${other.metadata.creationTimestamp ?? ''}\n${other.metadata.name}`;
  const older = resources.directorySyncs.find(
    (other) =>
      other.metadata.namespace === metadata.namespace &&
      other.metadata.name !== metadata.name &&
      (other.spec.id ?? other.metadata.name) === id &&
      age(other) < age(resource),
  );
  if (older !== undefined) {
    throw new SyncError(
      'IdInUse',
      `spec.id ${JSON.stringify(id)} is already used by DirectorySync ${older.metadata.name}; give one of them another id`,
    );
  }
}

function belongsHere(
  { resource }: RunDependencies,
  other: { metadata: { namespace?: string }; spec: { directorySyncRef: { name: string } } },
): boolean {
  return (
    other.metadata.namespace === resource.metadata.namespace &&
    other.spec.directorySyncRef.name === resource.metadata.name
  );
}

type Compiled = Pick<Loaded, 'mapping' | 'rules' | 'scope' | 'problems'>;

/** Also what `validate` runs: everything about mappings, rules and scope that can be told offline. */
export function compileResources(run: Pick<RunDependencies, 'resource' | 'resources'>, provider: string): Compiled {
  const { problems, ...compiled } = checkResources(run, provider);
  const fatal = problems.find((problem) => problem.severity === 'error' && problem.kind !== 'TeamRule');
  if (fatal !== undefined) {
    throw new SyncError('Invalid', `${fatal.kind} ${fatal.name}: ${fatal.pointer}: ${fatal.message}`);
  }
  return { ...compiled, problems };
}

/** The same without throwing for what is invalid; only a mapping that does not exist throws `ReferenceNotFound`. */
export function checkResources(run: Pick<RunDependencies, 'resource' | 'resources'>, provider: string): Compiled {
  const { resource, resources } = run;
  const { namespace, name } = resource.metadata;
  const problems: MappingProblem[] = [];
  const customs = compileCustomAttributes(
    resources.customAttributes.filter((each) => each.metadata.namespace === namespace),
    name,
    problems,
  );
  const mapping = compileMapping(findMappings(run), customs, provider, problems);
  const rules = compileRules(
    resources.teamRules.filter((rule) => belongsHere(run as RunDependencies, rule)),
    mapping,
    problems,
  );
  return { mapping, rules, scope: compileScope(run, mapping.names, problems), problems };
}

function findMappings({
  resource,
  resources,
}: Pick<RunDependencies, 'resource' | 'resources'>): readonly AttributeMappingResource[] {
  return resource.spec.mappings.map(({ name }) => {
    const found = resources.attributeMappings.find(
      (each) => each.metadata.name === name && each.metadata.namespace === resource.metadata.namespace,
    );
    if (found === undefined) {
      throw new SyncError(
        'ReferenceNotFound',
        `AttributeMapping ${JSON.stringify(name)} does not exist in namespace ${resource.metadata.namespace}; apply it, or mend spec.mappings`,
      );
    }
    const [problem] = validateResource(found);
    if (problem !== undefined)
      throw new SyncError('Invalid', `AttributeMapping ${name}: ${problem.pointer}: ${problem.message}`);
    return found;
  });
}

function compileScope(
  { resource }: Pick<RunDependencies, 'resource'>,
  names: Parameters<typeof checkName>[1],
  problems: MappingProblem[],
): Loaded['scope'] {
  const report = (thrown: unknown): void => {
    problems.push({
      severity: 'error',
      kind: 'DirectorySync',
      name: resource.metadata.name,
      pointer: '/spec/scope/filters',
      message: SyncError.from(thrown).message,
    });
  };
  try {
    const scope = compileAny(resource.spec.scope?.filters ?? []);
    for (const name of scope.attributes) checkName(name, names);
    return scope;
  } catch (thrown) {
    report(thrown);
    return compileAny([]);
  }
}

type Connections = Pick<Loaded, 'source' | 'target' | 'http'> & { readonly endpoint: string };

async function connect(run: RunDependencies, spec: Loaded['spec']): Promise<Connections> {
  const { host, providers, resource } = run;
  const sources = providers.sources.get(spec.source.provider);
  const targets = providers.targets.get(spec.target.provider);
  if (sources === undefined || targets === undefined) throw new SyncError('Invalid', 'this build has no such provider');
  const problems = [...sources.validate(spec.source.config), ...targets.validate(spec.target.config)];
  if (problems[0] !== undefined) throw new SyncError('Invalid', problems[0]);
  const namespace = resource.metadata.namespace ?? 'default';
  const owner: ResourceRef = { kind: 'DirectorySync', namespace, name: resource.metadata.name };
  const secrets = await host.readSecret(namespace, spec.target.config.credentialsRef.name);
  const endpoint = targets.endpoint(spec.target.config);
  const credential = createHash('sha256').update(JSON.stringify(secrets)).digest('hex');
  const needs: Omit<HttpClientNeeds, 'side'> = { endpoint, credential, spec };
  const http = {
    source: run.createHttp({ ...needs, side: 'source' }),
    target: run.createHttp({ ...needs, side: 'target' }),
  };
  const files = {
    resolvePath: (path: string): string => host.resolvePath(owner, path),
    readConfigMap: (name: string, key: string): Promise<Uint8Array> => host.readConfigMap(namespace, name, key),
  };
  const target = await targets.connect(spec.target.config, { secrets, http: http.target });
  const source = await sources.connect(spec.source.config, { secrets: {}, files, http: http.source });
  return { source, target, http, endpoint };
}

/** Provider, tenant and id attribute are fixed once links exist; where a file lies is not. */
function toSourceEndpoint(source: Loaded['spec']['source'], tenantId: string | null): string {
  return [source.provider, tenantId ?? '', source.config.idAttribute ?? 'id'].join('|');
}

async function checkEndpoint({ state }: RunDependencies, now: { source: string; target: string }): Promise<void> {
  const before = await getFact(state.facts, 'endpoint');
  if (before !== null && (await state.links.counts()).people > 0) {
    const side = before.source !== now.source ? 'source' : before.target !== now.target ? 'target' : null;
    if (side !== null) {
      throw new SyncError(
        'EndpointChanged',
        `the ${side} is another one than the ${(await state.links.counts()).people} links were made with; to move, give the resource a new spec.id`,
      );
    }
  }
  if (before === null || before.source !== now.source || before.target !== now.target)
    await putFact(state.facts, 'endpoint', now);
}
