/**
 * load: the resource and all that it names, compiled and checked, with connections that have not been used yet. What is
 * invalid stops here, before any call to a source or target.
 */
import { withDefaults } from '../../api/defaults.ts';
import { toPlacedMessage } from '../../api/messages.ts';
import { validateResource } from '../../api/validate.ts';
import { SyncError } from '../../errors.ts';
import type { MappingProblem } from '../../mapping/problem.ts';
import { readAttributes } from '../attribute-memory.ts';
import { compileResources, toDirectoryName, toMappingOptions, toTargetUse } from '../compile.ts';
import { createExpiryLog } from '../expiry.ts';
import { getFact } from '../facts.ts';
import { checkConfigs, openSource, openTarget } from '../open.ts';
import type { Loaded, RunDependencies, RunHttpClient } from '../run.ts';
import { carryOutMove, findMove, type Move, toOldMemory } from '../takeover.ts';
import { compileNothing, NO_ATTRIBUTES, NO_HTTP, NO_SOURCE } from './deletion.ts';
import { checkEndpoints, checkTargetEndpoint, toEndpoint, toTargetEndpoint } from './endpoint.ts';

export async function load(run: RunDependencies, signal: AbortSignal): Promise<Loaded> {
  const { resource } = run;
  checkSchema(run);
  const spec = withDefaults(resource);
  const { deletion } = run.options;
  // Who has an heir is let go as Retain.
  if (!deletion) checkIdentity(run, spec.id);
  const move = deletion ? null : await findMove(run.state, resource, run.resources);
  const compiled = deletion
    ? compileNothing(toDirectoryName(spec.source, run.providers.sources))
    : compileResources(run, toMappingOptions(spec, run.providers));
  // Nothing of the mappings is written any more.
  const problems = deletion ? [] : [...compiled.problems, ...checkTarget(run, spec, compiled)];
  const opened: RunHttpClient[] = [];
  try {
    await checkTargetEndpoint(run, spec);
    const teamPaths = [...compiled.teamMapping.paths.keys()];
    const connections = await connect(run, { spec, teamPaths, move, opened });
    const identity = await connections.source.identity(signal);
    if (move !== null)
      await carryOutMove(run.state, move, { id: spec.id, endpoint: toEndpoint(run, { spec, identity }) });
    if (!deletion) await checkEndpoints(run, { spec, identity });
    const attributes = deletion ? NO_ATTRIBUTES : await readAttributes(run, compiled);
    return { spec, identity, ...compiled, problems, attributes, ...connections };
  } catch (thrown) {
    // Nobody else knows of them yet: kept open they would go on taking their share of the budget.
    for (const client of opened) client.close();
    throw thrown;
  }
}

function checkSchema({ resource }: RunDependencies): void {
  const problem = validateResource(resource).find(({ severity }) => severity === 'error');
  if (problem !== undefined) throw new SyncError('Invalid', toPlacedMessage(problem));
}

/** What the application cannot do and the resources want: an error stops the run, the rest is a warning in the status. */
function checkTarget(
  { providers, resource }: RunDependencies,
  spec: Loaded['spec'],
  compiled: Parameters<typeof toTargetUse>[0],
): readonly MappingProblem[] {
  const { target } = spec;
  const problems = providers.targets.get(target.provider)?.check(target.config, toTargetUse(compiled, spec)) ?? [];
  const error = problems.find(({ severity }) => severity === 'error');
  if (error !== undefined) throw new SyncError('Invalid', error.message);
  const pointer = `/spec/target/${target.provider}`;
  return problems.map((problem) => ({ ...problem, kind: 'DirectorySync', name: resource.metadata.name, pointer }));
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

type Connections = Pick<Loaded, 'source' | 'target' | 'http' | 'expiries'>;

interface Connecting {
  readonly spec: Loaded['spec'];
  readonly teamPaths: readonly string[];
  readonly move: Move | null;
  /** Gets the clients as they are made, so that a failure can close them. */
  readonly opened: RunHttpClient[];
}

async function connect(run: RunDependencies, { spec, teamPaths, move, opened }: Connecting): Promise<Connections> {
  checkConfigs(run.providers, spec);
  const own = await getFact(run.state.facts, 'targetMemory');
  const memory = move === null ? own : toOldMemory(move, toTargetEndpoint(run, spec));
  const expiries = createExpiryLog();
  const target = await openTarget(run, spec, {
    ...{ teamPaths, memory, afresh: run.options.resync },
    ...{ expiries, opened },
  });
  const nothing = { source: NO_SOURCE, http: NO_HTTP };
  const source = run.options.deletion ? nothing : await openSource(run, spec, { expiries, opened });
  return {
    source: source.source,
    target: target.target,
    http: { source: source.http, target: target.http },
    expiries,
  };
}
