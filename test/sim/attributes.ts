/** The CustomAttributes of the company as a cluster has them: with a finalizer, each going only when its values are gone. */
import type { CustomAttributeResource, CustomAttributeSpec } from '../../src/api/custom-attribute.ts';
import { SyncError } from '../../src/errors.ts';
import { writeDependents } from '../../src/reconcile/dependents.ts';
import { toRef } from '../support/memory-host.ts';
import { CUSTOM_ENTRY, CUSTOM_NAMES, CUSTOM_PATHS } from './features.ts';
import type { RunFacts } from './invariants/facts.ts';
import { type Manifests, NAMESPACE, toStateKey } from './model.ts';
import { TEAM_VALUE_NAMES } from './team-values.ts';
import type { Process, World } from './world.ts';

const NAMES = [CUSTOM_ENTRY.target, ...TEAM_VALUE_NAMES] as const;
type Name = (typeof NAMES)[number];

function specOf(name: Name, { custom, teamCustoms }: Manifests): CustomAttributeSpec | undefined {
  return name === CUSTOM_ENTRY.target ? custom : teamCustoms?.[name];
}

function find({ host }: World, name: Name): CustomAttributeResource | undefined {
  return host.get('CustomAttribute', name);
}

/** What the manifests say of them; one that is under deletion is made again when it is gone. */
export function applyCustoms(world: World): void {
  for (const name of NAMES) applyCustom(world, name);
}

function applyCustom(world: World, name: Name): void {
  const { host, company, count } = world;
  const there = find(world, name);
  const spec = specOf(name, company.manifests);
  if (spec === undefined && there !== undefined && !isLeaving(there)) {
    host.remove(toRef('CustomAttribute', name));
    count('custom attributes deleted');
  }
  if (spec === undefined || (there !== undefined && isLeaving(there))) return;
  host.put({
    apiVersion: 'dirsync.dev/v1alpha1',
    kind: 'CustomAttribute',
    metadata: { name, namespace: NAMESPACE },
    spec,
  });
  if (there !== undefined && there.spec.path !== spec.path) count('custom attributes moved');
}

function isLeaving({ metadata }: CustomAttributeResource): boolean {
  return metadata.deletionTimestamp !== undefined;
}

/** What a controller does beside its runs: the finalizer before the first of them, and the end of a deletion. */
export async function settleCustoms(world: World, { store, engine }: Process): Promise<void> {
  const { host, clock, company } = world;
  const there = NAMES.filter((name) => find(world, name) !== undefined);
  if (there.every((name) => isAtRest(find(world, name)))) return;
  try {
    await writeDependents({
      host,
      namespace: NAMESPACE,
      now: new Date(clock.wall()),
      providers: engine.providers,
      stateOf: () => store.directory(toStateKey(company.manifests)),
    });
  } catch (thrown) {
    // A controller tries again later; so does the next run here.
    if (SyncError.from(thrown).code !== 'StateUnavailable') throw thrown;
    world.count('custom attributes that had to wait for the state');
  }
  for (const name of there.filter((each) => find(world, each) === undefined))
    world.count(name === CUSTOM_ENTRY.target ? 'custom attributes gone' : 'custom attributes of groups gone');
}

/** Nothing is to be done with it but by runs. */
function isAtRest(custom: CustomAttributeResource | undefined): boolean {
  return custom === undefined || (custom.metadata.finalizers?.length === 1 && !isLeaving(custom));
}

/** After a run that planned, and wrote down what it writes; an edit meanwhile speaks of another one. */
export function noteCustom(world: World, { manifests }: Pick<RunFacts, 'manifests'>): void {
  const { company } = world;
  const there = find(world, CUSTOM_ENTRY.target);
  // While the old one is under deletion, the new one of the manifests is not there yet.
  if (there === undefined || isLeaving(there)) return;
  if (manifests.spec.mode === 'Plan' || manifests.custom?.path !== company.manifests.custom?.path) return;
  for (const name of CUSTOM_NAMES) if (manifests.custom?.path === CUSTOM_PATHS[name]) company.customWritten.add(name);
}

/** The deletion of one has not come to its end. */
export function isCustomLeft(world: World): boolean {
  const { manifests } = world.company;
  return NAMES.some((name) => specOf(name, manifests) === undefined && find(world, name) !== undefined);
}
