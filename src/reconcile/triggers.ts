/** Which changes of resources concern which DirectorySync, and what its annotations ask for. Pure. */
import type { DirectorySyncResource } from '../api/directory-sync.ts';
import type { DirectorySyncStatus } from '../api/directory-sync-status.ts';
import type { ResourceChange, ResourceSet } from '../api/host.ts';
import { ANNOTATIONS } from '../api/metadata.ts';

/** Key of a DirectorySync in the queue. */
export function toQueueKey({ metadata }: { metadata: { namespace: string; name: string } }): string {
  return `${metadata.namespace}/${metadata.name}`;
}

/** DirectorySyncs that a change may concern; a rule or attribute that is gone concerns the whole namespace. */
export function findConcerned(change: ResourceChange, resources: ResourceSet): readonly DirectorySyncResource[] {
  const here = resources.directorySyncs.filter(({ metadata }) => metadata.namespace === change.namespace);
  switch (change.kind) {
    case 'DirectorySync':
      return here.filter(({ metadata }) => metadata.name === change.name);
    case 'AttributeMapping':
      return here.filter(({ spec }) => spec.mappings?.some(({ name }) => name === change.name));
    case 'TeamRule':
    case 'CustomAttribute':
      return here;
    case 'Secret':
      return here.filter(({ spec }) => spec.target?.scim?.credentialsRef?.name === change.name);
    case 'ConfigMap':
      return here.filter(({ spec }) => spec.source?.file?.users?.configMapRef?.name === change.name);
  }
}

/**
 * Everything of a DirectorySync and of what it names that calls for a run when it changes. Status is left out: a status
 * that was just written must not start the next run.
 */
export function toFingerprint(resource: DirectorySyncResource, resources: ResourceSet): string {
  const { metadata, spec } = resource;
  const here = (other: { metadata: { namespace: string } }): boolean => other.metadata.namespace === metadata.namespace;
  const named = new Set((spec.mappings ?? []).map(({ name }) => name));
  return JSON.stringify([
    spec,
    metadata.deletionTimestamp ?? null,
    Object.values(ANNOTATIONS).map((name) => metadata.annotations?.[name] ?? null),
    resources.attributeMappings
      .filter((each) => here(each) && named.has(each.metadata.name))
      .map((each) => [each.metadata.name, each.spec]),
    resources.teamRules
      .filter((each) => here(each) && each.spec.directorySyncRef?.name === metadata.name)
      .map((each) => [each.metadata.name, each.spec]),
    resources.customAttributes.filter(here).map((each) => [each.metadata.name, each.spec]),
  ]);
}

/** What annotations ask for that the status does not say was done. */
export interface Requests {
  readonly runNow: string | null;
  readonly resync: string | null;
  readonly approve: string | null;
}

export function toRequests({ metadata }: DirectorySyncResource, status: DirectorySyncStatus | undefined): Requests {
  const open = (annotation: string, handled: string | undefined): string | null => {
    const value = metadata.annotations?.[annotation];
    return value === undefined || value === handled ? null : value;
  };
  return {
    runNow: open(ANNOTATIONS.requestedAt, status?.lastHandledRequest),
    resync: open(ANNOTATIONS.resync, status?.lastHandledResync),
    approve: open(ANNOTATIONS.approve, status?.lastHandledApproval),
  };
}
