/** Paths of the API's collections and objects. */
import { API_GROUP, API_VERSION, KIND_NAMES, type Kind, type ResourceReference } from '../api/metadata.ts';

export type FollowedKind = Kind | 'Secret' | 'ConfigMap';

interface Address {
  readonly prefix: string;
  readonly plural: string;
}

function toAddress(kind: FollowedKind): Address {
  if (kind === 'Secret') return { prefix: '/api/v1', plural: 'secrets' };
  if (kind === 'ConfigMap') return { prefix: '/api/v1', plural: 'configmaps' };
  return { prefix: `/apis/${API_GROUP}/${API_VERSION}`, plural: KIND_NAMES[kind].plural };
}

/** `namespace` undefined: that of all namespaces. */
export function toCollectionPath(kind: FollowedKind, namespace: string | undefined): string {
  const { prefix, plural } = toAddress(kind);
  return namespace === undefined
    ? `${prefix}/${plural}`
    : `${prefix}/namespaces/${encodeURIComponent(namespace)}/${plural}`;
}

export function toObjectPath({ kind, namespace, name }: ResourceReference & { readonly kind: FollowedKind }): string {
  return `${toCollectionPath(kind, namespace)}/${encodeURIComponent(name)}`;
}

/** `directorysyncs in namespace identity`: a collection as messages name it. */
export function formatCollection(kind: FollowedKind, namespace: string | undefined): string {
  const { plural } = toAddress(kind);
  return namespace === undefined ? plural : `${plural} in namespace ${namespace}`;
}
