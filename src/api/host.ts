/**
 * What the engine needs of the place where the resources live: a cluster (`kube/`) or a folder (`local/`). The reconcile
 * loop knows only this, so that both run the same engine.
 */
import type { PlatformToken } from '../model.ts';
import type { AttributeMappingResource } from './attribute-mapping.ts';
import type { CustomAttributeResource } from './custom-attribute.ts';
import type { DirectorySyncResource } from './directory-sync.ts';
import type { TeamRuleResource } from './team-rule.ts';

/** The resources as last seen. Lists are in the order of namespace and name. */
export interface ResourceSet {
  readonly directorySyncs: readonly DirectorySyncResource[];
  readonly attributeMappings: readonly AttributeMappingResource[];
  readonly teamRules: readonly TeamRuleResource[];
  readonly customAttributes: readonly CustomAttributeResource[];
}

export type ResourceKindName = 'DirectorySync' | 'AttributeMapping' | 'TeamRule' | 'CustomAttribute';

export interface ResourceRef {
  readonly kind: ResourceKindName;
  readonly namespace: string;
  readonly name: string;
}

/** A change that may concern a DirectorySync. Secrets only when labelled `dirsync.dev/watch: "true"`. */
export interface ResourceChange {
  readonly kind: ResourceKindName | 'Secret' | 'ConfigMap';
  readonly namespace: string;
  readonly name: string;
}

export interface ResourceEvent {
  readonly type: 'Normal' | 'Warning';
  /** One of the event reasons of `api/reasons.ts`. */
  readonly reason: string;
  /** Stable and safe text: no secrets, no personal data, at most 1,024 characters. */
  readonly message: string;
}

export interface ResourceHost {
  /**
   * Begins to follow the resources; resolves once the first whole list of each kind was seen. Changes seen while
   * disconnected are reported as changes. Runs until the signal aborts.
   */
  start(onChange: (change: ResourceChange) => void, signal: AbortSignal): Promise<void>;
  resources(): ResourceSet;
  /** Values by key. Throws ReferenceNotFound naming Secret and namespace. */
  readSecret(namespace: string, name: string): Promise<Readonly<Record<string, string>>>;
  /** Throws ReferenceNotFound naming ConfigMap or key. */
  readConfigMap(namespace: string, name: string, key: string): Promise<Uint8Array>;
  /** Absolute path of a `path` in a resource's spec. Throws Invalid when it lies outside what may be read. */
  resolvePath(owner: ResourceRef, path: string): string;
  /**
   * The identity of this process, for a resource that brings no credentials. Null, or no such method: there is none.
   * Throws Invalid when the resource may not use it.
   */
  readPlatformToken?(owner: ResourceRef): Promise<PlatformToken | null>;
  /**
   * Replaces the status by what `change` makes of the newest one; nothing is written when it stays the same. A conflict
   * is retried with the newest resource; a resource that is gone is no error. Returns false when it is gone.
   */
  writeStatus(
    ref: ResourceRef,
    change: (status: Readonly<Record<string, unknown>>, generation: number) => Record<string, unknown>,
  ): Promise<boolean>;
  /** Adds or removes `dirsync.dev/finalizer`; a host without deletion does nothing. */
  setFinalizer(ref: ResourceRef, present: boolean): Promise<void>;
  event(ref: ResourceRef, event: ResourceEvent): Promise<void>;
  /** Ends watches and waits for writes under way. */
  close(): Promise<void>;
}
