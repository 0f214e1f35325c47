/** Names that are fixed for good: group, version, kinds, annotations, and the metadata every resource has. */

export const API_GROUP = 'dirsync.dev';
export const API_VERSION = 'v1alpha1';
export const GROUP_VERSION = 'dirsync.dev/v1alpha1';

export const KINDS = ['DirectorySync', 'AttributeMapping', 'TeamRule', 'CustomAttribute'] as const;
export type Kind = (typeof KINDS)[number];

/** A kind of file for `dirsync test`, never a cluster resource. */
export const MAPPING_TEST_KIND = 'MappingTest';

/** How a kind is spelled where: in URLs, in `kubectl get`, in a sentence. */
interface KindNames {
  readonly plural: string;
  readonly singular: string;
  readonly shortName: string;
}

export const KIND_NAMES: Readonly<Record<Kind, KindNames>> = {
  DirectorySync: { plural: 'directorysyncs', singular: 'directorysync', shortName: 'dsync' },
  AttributeMapping: { plural: 'attributemappings', singular: 'attributemapping', shortName: 'amap' },
  TeamRule: { plural: 'teamrules', singular: 'teamrule', shortName: 'trule' },
  CustomAttribute: { plural: 'customattributes', singular: 'customattribute', shortName: 'cattr' },
};

/** `kubectl get dirsync` shows all four. */
export const CATEGORY = 'dirsync';

/** Set by people on a DirectorySync; status echoes the ones that were acted upon. */
export const ANNOTATIONS = {
  /** Run now. Any new value counts; the time is the custom. Echoed in `status.lastHandledRequest`. */
  requestedAt: 'dirsync.dev/requestedAt',
  /** Read everything again and verify the target. Any new value counts. Echoed in `status.lastHandledResync`. */
  resync: 'dirsync.dev/resync',
  /** The hash of the held set to release. Echoed in `status.lastHandledApproval`. */
  approve: 'dirsync.dev/approve',
  /** Source id of one person who is to be taken through now. Echoed in `status.lastHandledUser`. */
  syncUser: 'dirsync.dev/sync-user',
  /** `"true"`: a DirectorySync or CustomAttribute under deletion goes at once, target untouched. */
  abandon: 'dirsync.dev/abandon',
} as const;

/** Keeps a DirectorySync until its `deletionPolicy` was carried out, and a CustomAttribute until its values are removed. */
export const FINALIZER = 'dirsync.dev/finalizer';

/** The part of Kubernetes' ObjectMeta that is read here. Local mode fills `namespace` with `default`. */
export interface ObjectMeta {
  readonly name: string;
  readonly namespace: string;
  readonly uid?: string;
  readonly resourceVersion?: string;
  readonly generation?: number;
  readonly creationTimestamp?: string;
  readonly deletionTimestamp?: string;
  readonly finalizers?: readonly string[];
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
  /** Which client has set which field, as that client calls itself. */
  readonly managedFields?: readonly ManagedFields[];
}

interface ManagedFields {
  readonly manager?: string;
  /** RFC 3339. */
  readonly time?: string;
  readonly fieldsV1?: unknown;
}

export const DEFAULT_NAMESPACE = 'default';

/** Which object a message is about. */
export interface ResourceReference {
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
}

/** `AttributeMapping identity/acme-users`: how messages name an object. */
export function formatReference({ kind, namespace, name }: ResourceReference): string {
  return `${kind} ${namespace}/${name}`;
}
