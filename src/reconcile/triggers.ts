/**
 * Which changes of resources concern which DirectorySync, and what its spec and annotations ask of the loop. Pure. Resources of a folder
 * may break their schema: nothing here takes a shape for granted.
 */
import { createHash } from 'node:crypto';
import type { CustomAttributeResource } from '../api/custom-attribute.ts';
import { type ResolvedDirectorySyncSpec, withDefaults } from '../api/defaults.ts';
import type { DirectorySyncResource } from '../api/directory-sync.ts';
import type { DirectorySyncStatus } from '../api/directory-sync-status.ts';
import type { ResourceChange, ResourceSet } from '../api/host.ts';
import { findCondition } from '../api/kstatus.ts';
import { ANNOTATIONS } from '../api/metadata.ts';
import { CREDENTIAL_PLACES } from '../api/providers.ts';
import { toFields } from '../api/rules.ts';
import { validateResource } from '../api/validate.ts';

/** Key of a DirectorySync in the queue. */
export function toQueueKey({ metadata }: { metadata: { namespace: string; name: string } }): string {
  return `${metadata.namespace}/${metadata.name}`;
}

/** DirectorySyncs that a change may concern; a rule or attribute that is gone concerns the whole namespace. */
export function findConcerned(change: ResourceChange, resources: ResourceSet): readonly DirectorySyncResource[] {
  const here = resources.directorySyncs.filter(({ metadata }) => metadata.namespace === change.namespace);
  switch (change.kind) {
    case 'DirectorySync':
      // Who waits for an id to become free has no other way to learn of it.
      return here.filter(({ metadata, status }) => metadata.name === change.name || isWaitingForId(status));
    case 'AttributeMapping':
      return here.filter((sync) => listMappings(sync).includes(change.name));
    case 'TeamRule':
    case 'CustomAttribute':
      return here;
    case 'Secret':
      return here.filter(({ spec }) => listCredentials(spec).includes(change.name) || isAuthority(spec, change));
    case 'ConfigMap':
      return here.filter(({ spec }) => listFiles(spec).includes(change.name) || isAuthority(spec, change));
  }
}

/** Names of Secrets, of whichever provider. */
function listCredentials(spec: unknown): readonly (string | null)[] {
  return CREDENTIAL_PLACES.map(({ path }) => readName(spec, [...path, 'credentialsRef', 'name']));
}

/** Names of ConfigMaps that people and groups are read from. */
function listFiles(spec: unknown): readonly (string | null)[] {
  return ['users', 'groups'].map((what) => readName(spec, ['source', 'file', what, 'configMapRef', 'name']));
}

/** Does `caRef` name it? */
function isAuthority(spec: unknown, { kind, name }: ResourceChange): boolean {
  const caRef = ['target', 'scim', 'caRef'];
  return readName(spec, [...caRef, 'kind']) === kind && readName(spec, [...caRef, 'name']) === name;
}

function isWaitingForId(status: DirectorySyncStatus | undefined): boolean {
  return findCondition(status?.conditions, 'Ready')?.reason === 'IdInUse';
}

/** Names under `spec.mappings`, whatever else stands there. */
export function listMappings({ spec }: DirectorySyncResource): readonly string[] {
  const mappings: unknown = toFields(spec)?.['mappings'];
  if (!Array.isArray(mappings)) return [];
  return mappings.flatMap((each: unknown) => readName(each, ['name']) ?? []);
}

/** The text at the end of the keys; null where there is none. */
function readName(value: unknown, keys: readonly string[]): string | null {
  const end = keys.reduce<unknown>((fields, key) => toFields(fields)?.[key], value);
  return typeof end === 'string' ? end : null;
}

/**
 * Everything of a DirectorySync and of what it names that calls for a run when it changes. Status is left out: a status
 * that was just written must not start the next run.
 */
export function toFingerprint(resource: DirectorySyncResource, resources: ResourceSet): string {
  const annotations = Object.values(ANNOTATIONS).map((name) => resource.metadata.annotations?.[name] ?? null);
  return digest([toMark(resource, resources), annotations]);
}

/** The same without annotations: what a run was made for. Kept in the state store, so that a restart knows it. */
export function toMark(resource: DirectorySyncResource, resources: ResourceSet): string {
  const { metadata, spec } = resource;
  const here = (other: { metadata: { namespace: string } }): boolean => other.metadata.namespace === metadata.namespace;
  const named = new Set(listMappings(resource));
  return digest([
    spec,
    metadata.uid ?? null,
    metadata.deletionTimestamp ?? null,
    resources.attributeMappings
      .filter((each) => here(each) && named.has(each.metadata.name))
      .map((each) => [each.metadata.name, each.spec]),
    resources.teamRules
      .filter((each) => here(each) && isOwnedBy(each, metadata.name))
      .map((each) => [each.metadata.name, each.spec]),
    resources.customAttributes.filter(here).map((each) => [each.metadata.name, each.spec, ...listGoing(each)]),
  ]);
}

/** What of a CustomAttribute beside its spec asks something of the runs. */
function listGoing({ metadata }: CustomAttributeResource): readonly string[] {
  const { deletionTimestamp, annotations } = metadata;
  const abandon = annotations?.[ANNOTATIONS.abandon];
  return [...(deletionTimestamp === undefined ? [] : [deletionTimestamp]), ...(abandon === undefined ? [] : [abandon])];
}

/** A rule that does not say where it belongs may belong anywhere. */
function isOwnedBy({ spec }: { readonly spec: unknown }, name: string): boolean {
  const owner = readName(spec, ['directorySyncRef', 'name']);
  return owner === null || owner === name;
}

/** Mark of a TeamRule: has a run taken account of what it says now? */
export function toRuleMark(rule: { readonly spec: unknown }): string {
  return digest(rule.spec);
}

function digest(value: unknown): string {
  return createHash('sha256').update(JSON.stringify(value)).digest('hex').slice(0, 16);
}

const ECHO_MAX_LENGTH = 253;

/** What annotations ask for that the status does not say was done. */
export interface Requests {
  readonly runNow: string | null;
  readonly resync: string | null;
  readonly approve: string | null;
  /** Source id of one person. */
  readonly syncUser: string | null;
}

export const NOTHING_ASKED: Requests = { runNow: null, resync: null, approve: null, syncUser: null };

export function toRequests({ metadata }: DirectorySyncResource, status: DirectorySyncStatus | undefined): Requests {
  const open = (annotation: string, handled: string | undefined): string | null => {
    // As long as the status can echo it: a value that it cannot hold would ask again after every run.
    const value = metadata.annotations?.[annotation]?.slice(0, ECHO_MAX_LENGTH);
    return value === undefined || value === handled ? null : value;
  };
  return {
    runNow: open(ANNOTATIONS.requestedAt, status?.lastHandledRequest),
    resync: open(ANNOTATIONS.resync, status?.lastHandledResync),
    approve: open(ANNOTATIONS.approve, status?.lastHandledApproval),
    syncUser: open(ANNOTATIONS.syncUser, status?.lastHandledUser),
  };
}

/**
 * Who set the annotation, for the history: the field manager, which is how a client calls itself and proves nothing about
 * a person.
 */
export function toApprover({ metadata }: DirectorySyncResource): string {
  const owners = (metadata.managedFields ?? []).filter(({ fieldsV1 }) => {
    const annotations = toFields(toFields(toFields(fieldsV1)?.['f:metadata'])?.['f:annotations']);
    return annotations?.[`f:${ANNOTATIONS.approve}`] !== undefined;
  });
  const [latest] = owners.sort((a, b) => ((a.time ?? '') < (b.time ?? '') ? 1 : -1));
  const manager = latest?.manager ?? '';
  return manager === '' ? ANNOTATIONS.approve : `${ANNOTATIONS.approve}, field manager ${manager.slice(0, 128)}`;
}

export function isAsked(requests: Requests): boolean {
  return Object.values(requests).some((request) => request !== null);
}

/** Milliseconds in which further edits are taken together with this one. What people ask for need not settle. */
export function toSettle(resource: DirectorySyncResource): number {
  const { metadata, status } = resource;
  if (metadata.deletionTimestamp !== undefined || isSuspended(resource)) return 0;
  return isAsked(toRequests(resource, status)) ? 0 : (readSpec(resource)?.settleMs ?? 0);
}

/** Also of a resource that is wrong in other ways. */
export function isSuspended({ spec }: DirectorySyncResource): boolean {
  return toFields(spec)?.['suspend'] === true;
}

/** Null: the spec is wrong; the run will say how. */
export function readSpec(resource: DirectorySyncResource): ResolvedDirectorySyncSpec | null {
  try {
    return validateResource(resource).some(({ severity }) => severity === 'error') ? null : withDefaults(resource);
  } catch {
    return null;
  }
}
