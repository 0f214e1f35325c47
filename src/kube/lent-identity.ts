/** Which resources of a cluster may use the identity of the controller's own pod. */
import type { ResourceRef } from '../api/host.ts';
import { formatReference } from '../api/metadata.ts';
import { SyncError } from '../errors.ts';
import type { PlatformToken } from '../model.ts';

export interface LentIdentity {
  /** Null: the pod has none. */
  readonly read: () => Promise<PlatformToken | null>;
  /** Whose resources may use it: whoever writes one there can have everything read that the identity may read. */
  readonly namespaces: readonly string[];
}

/** @throws SyncError `Invalid` where the pod has an identity that is not lent to the namespace */
export async function lendIdentity(
  identity: LentIdentity | undefined,
  owner: ResourceRef,
): Promise<PlatformToken | null> {
  const token = (await identity?.read()) ?? null;
  if (token === null || identity?.namespaces.includes(owner.namespace) === true) return token;
  throw new SyncError(
    'Invalid',
    `${formatReference(owner)}: the controller does not lend its workload identity to namespace ${owner.namespace}: start it with --workload-identity-namespace ${owner.namespace}, or name a Secret with credentials`,
  );
}
