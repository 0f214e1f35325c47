/** What the deletion of a DirectorySync comes to. Pure; the resource may break its schema. */
import type { DirectorySyncResource } from '../api/directory-sync.ts';
import type { ResourceSet } from '../api/host.ts';
import { toFields } from '../api/rules.ts';
import type { LeavingPolicy } from '../plan/settings.ts';
import { toId, toOldId } from './takeover.ts';
import { isSuspended } from './triggers.ts';

/**
 * `Retain` also where the resource writes nothing (suspended, mode Plan), and while another one has the same id or takes it over
 * (`adoptFrom`): that one owns what this one owned.
 */
export function toDeletionPolicy(resource: DirectorySyncResource, { directorySyncs }: ResourceSet): LeavingPolicy {
  const { deletionPolicy, mode } = toFields(resource.spec) ?? {};
  const asked = deletionPolicy === 'Deactivate' || deletionPolicy === 'Delete' ? deletionPolicy : 'Retain';
  const { metadata } = resource;
  const hasHeir = directorySyncs.some(
    (other) =>
      other.metadata.namespace === metadata.namespace &&
      other.metadata.name !== metadata.name &&
      (toId(other) === toId(resource) || toOldId(other) === toId(resource)),
  );
  return isSuspended(resource) || mode === 'Plan' || hasHeir ? 'Retain' : asked;
}
