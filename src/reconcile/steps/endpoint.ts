/**
 * Which directory and which application the links were made with. Ids of another tenant, or of another application, mean
 * somebody else: nothing is read into them, and nothing is written there.
 */
import { SyncError } from '../../errors.ts';
import { type FactShapes, getFact, putFact } from '../facts.ts';
import { findProviders } from '../open.ts';
import type { Loaded, RunDependencies } from '../run.ts';

/** Before anything is connected: an application that is the wrong one gets no request, and no credentials. */
export async function checkTargetEndpoint(run: RunDependencies, spec: Loaded['spec']): Promise<void> {
  const before = await getFact(run.state.facts, 'endpoint');
  if (before !== null && before.target !== toTargetEndpoint(run, spec)) await refuseMove(run, 'target');
}

/** The tenant is known when the source was asked for it. What was compared is remembered. */
export async function checkEndpoints(
  run: RunDependencies,
  { spec, identity }: Pick<Loaded, 'spec' | 'identity'>,
): Promise<void> {
  const { facts } = run.state;
  const now = toEndpoint(run, { spec, identity });
  const before = await getFact(facts, 'endpoint');
  if (before?.source === now.source && before.target === now.target) return;
  if (before !== null && before.source !== now.source) {
    await refuseMove(run, 'source');
    // How many people another directory had says nothing about this one.
    await putFact(facts, 'lastGoodRead', null);
    await putFact(facts, 'suspect', null);
    await putFact(facts, 'scopeGroups', null);
  }
  await putFact(facts, 'endpoint', now);
}

export function toEndpoint(
  run: RunDependencies,
  { spec, identity }: Pick<Loaded, 'spec' | 'identity'>,
): FactShapes['endpoint'] {
  return { source: toSourceEndpoint(spec.source, identity.tenantId), target: toTargetEndpoint(run, spec) };
}

export function toTargetEndpoint({ providers }: RunDependencies, spec: Loaded['spec']): string {
  return findProviders(providers, spec).target.endpoint(spec.target.config);
}

/** Provider, tenant and id attribute are fixed once links exist; where a file lies is not. */
function toSourceEndpoint(source: Loaded['spec']['source'], tenantId: string | null): string {
  const idAttribute = 'idAttribute' in source.config ? source.config.idAttribute : undefined;
  return [source.provider, tenantId ?? '', idAttribute ?? 'id'].join('|');
}

/** Without links nothing hangs on it. */
async function refuseMove({ state }: RunDependencies, side: 'source' | 'target'): Promise<void> {
  const { people, teams } = await state.links.counts();
  if (people + teams === 0) return;
  throw new SyncError(
    'EndpointChanged',
    `the ${side} is another one than the ${people} people and ${teams} teams were linked with: nothing was read or written. Put it back, or move on purpose: a new spec.id, with spec.adoptFrom to take them over`,
  );
}
