/** Other DirectorySyncs that write to the same application: what they own there is theirs. */
import type { DirectorySyncResource } from '../api/directory-sync.ts';
import type { ResourceSet } from '../api/host.ts';
import type { DirectoryKey, StateStore } from '../state/store.ts';
import { getFact } from './facts.ts';
import { toDirectoryKey } from './takeover.ts';

/**
 * Of those that stand in this store, in any namespace. An id that no resource uses any more owns nothing.
 * @param target as `FactShapes.endpoint` says it
 */
export async function findNeighbours(
  store: StateStore,
  {
    resource,
    resources,
    target,
  }: { readonly resource: DirectorySyncResource; readonly resources: ResourceSet; readonly target: string },
): Promise<readonly DirectoryKey[]> {
  const own = toDirectoryKey(resource);
  const found: DirectoryKey[] = [];
  for (const key of resources.directorySyncs.map(toDirectoryKey)) {
    if (key.namespace === own.namespace && key.id === own.id) continue;
    const { facts } = await store.directory(key);
    if ((await getFact(facts, 'endpoint'))?.target === target) found.push(key);
  }
  return found;
}
