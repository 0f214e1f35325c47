/** The CustomAttribute of the company as a cluster has it: with a finalizer, and going only when its values are gone. */
import type { CustomAttributeResource } from '../../src/api/custom-attribute.ts';
import { SyncError } from '../../src/errors.ts';
import { writeDependents } from '../../src/reconcile/dependents.ts';
import { toRef } from '../support/memory-host.ts';
import { CUSTOM_ENTRY, CUSTOM_NAMES, CUSTOM_PATHS } from './features.ts';
import type { RunFacts } from './invariants/facts.ts';
import { NAMESPACE, toStateKey } from './model.ts';
import type { Process, World } from './world.ts';

const REF = toRef('CustomAttribute', CUSTOM_ENTRY.target);

/** What the manifests say of it; one that is under deletion is made again when it is gone. */
export function applyCustom({ host, company, count }: World): void {
  const there = host.get('CustomAttribute', REF.name);
  const { custom } = company.manifests;
  if (custom === undefined && there !== undefined && !isLeaving(there)) {
    host.remove(REF);
    count('custom attributes deleted');
  }
  if (custom === undefined || (there !== undefined && isLeaving(there))) return;
  const { name, namespace } = REF;
  host.put({
    apiVersion: 'dirsync.dev/v1alpha1',
    kind: 'CustomAttribute',
    metadata: { name, namespace },
    spec: custom,
  });
  if (there !== undefined && there.spec.path !== custom.path) count('custom attributes moved');
}

function isLeaving({ metadata }: CustomAttributeResource): boolean {
  return metadata.deletionTimestamp !== undefined;
}

/** What a controller does beside its runs: the finalizer before the first of them, and the end of a deletion. */
export async function settleCustom(world: World, { store, engine }: Process): Promise<void> {
  const { host, clock, company } = world;
  const custom = host.get('CustomAttribute', REF.name);
  if (custom === undefined || (custom.metadata.finalizers?.length === 1 && !isLeaving(custom))) return;
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
  if (host.get('CustomAttribute', REF.name) === undefined) world.count('custom attributes gone');
}

/** After a run that planned, and wrote down what it writes; an edit meanwhile speaks of another one. */
export function noteCustom({ company }: World, { manifests }: Pick<RunFacts, 'manifests'>): void {
  if (manifests.spec.mode === 'Plan' || manifests.custom?.path !== company.manifests.custom?.path) return;
  for (const name of CUSTOM_NAMES) if (manifests.custom?.path === CUSTOM_PATHS[name]) company.customWritten.add(name);
}

/** The deletion of one has not come to its end. */
export function isCustomLeft({ host, company }: World): boolean {
  return company.manifests.custom === undefined && host.get('CustomAttribute', REF.name) !== undefined;
}
