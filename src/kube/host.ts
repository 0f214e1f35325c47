/** The resources as they stand in a Kubernetes cluster. */
import { hostname } from 'node:os';
import type { KubeConfig } from '@kubernetes/client-node';
import type { ResourceChange, ResourceHost } from '../api/host.ts';
import { API_GROUP, GROUP_VERSION, KINDS, type Kind } from '../api/metadata.ts';
import type { ResourceByKind } from '../api/resources.ts';
import { SyncError } from '../errors.ts';
import { systemTiming, type Timing } from '../http/timing.ts';
import type { Logger } from '../telemetry/log.ts';
import { resolveAllowedPath } from './allowed-paths.ts';
import { createKubeClient, type KubeClient, loadKubeConfig } from './client.ts';
import { createEventRecorder } from './events.ts';
import { type LentIdentity, lendIdentity } from './lent-identity.ts';
import type { KubeObject } from './object.ts';
import { type FollowedKind, formatCollection, toCollectionPath } from './paths.ts';
import { readConfigMapKey, readSecret } from './secrets.ts';
import { createStatusWriter } from './status.ts';
import { type Follower, followObjects } from './watch.ts';

export interface KubeHostOptions {
  /** By default that of KUBECONFIG, `~/.kube/config` or the pod's service account, in this order. */
  readonly kubeConfig?: KubeConfig;
  /** Namespaces to follow; none or an empty list: all of them. */
  readonly namespaces?: readonly string[];
  /** Folders whose files sources may read; none or an empty list: no file at all. */
  readonly allowPaths?: readonly string[];
  /** The identity of the pod, lent to the resources of these namespaces alone; absent: there is none. */
  readonly workloadIdentity?: LentIdentity;
  readonly log: Logger;
  /** Who reports events, by default the host's name (in a cluster that of the pod). */
  readonly instance?: string;
  /** For one whole answer, 30 seconds by default. */
  readonly requestTimeoutMs?: number;
  /** Longest silence of a watch, 7 minutes by default. */
  readonly watchIdleMs?: number;
  readonly timing?: Timing;
}

/** Objects of others that are followed only with this label; every one can be named and is read then. */
const WATCH_LABEL = 'dirsync.dev/watch=true';
const LABELLED_KINDS = ['Secret', 'ConfigMap'] as const;

/**
 * Connects the engine to a cluster. Objects of the first lists are not reported as changes: they are in `resources()` when `start`
 * resolves. Changes of nothing but a status, labels or foreign annotations are not reported either, so a written status causes no
 * run. While the API server is away `resources()` stays as last seen, and reads and writes throw an error to be tried again.
 * @throws SyncError `Invalid` when no kubeconfig can be used
 */
export function createKubeHost(options: KubeHostOptions): ResourceHost {
  const timing = options.timing ?? systemTiming;
  const namespaces = toNamespaces(options.namespaces);
  const closing = new AbortController();
  const client = createKubeClient({
    kubeConfig: options.kubeConfig ?? loadKubeConfig(),
    timing,
    closing: closing.signal,
    ...(options.requestTimeoutMs === undefined ? {} : { timeoutMs: options.requestTimeoutMs }),
  });
  const followers = new Map<FollowedKind, Follower[]>();
  const writes = new Set<Promise<unknown>>();

  function followerOf(kind: FollowedKind, namespace: string): Follower | undefined {
    const index = namespaces.findIndex((one) => one === undefined || one === namespace);
    return followers.get(kind)?.[index];
  }

  const statuses = createStatusWriter({
    client,
    timing,
    signal: closing.signal,
    onObject: (ref, object) => followerOf(ref.kind, ref.namespace)?.accept(object),
  });
  const events = createEventRecorder({
    client,
    timing,
    instance: options.instance ?? hostname(),
    readUid: (ref) => followerOf(ref.kind, ref.namespace)?.get(ref.namespace, ref.name)?.metadata.uid,
    onFailure: (error) => logFailure(options, 'an event was not written', error),
  });

  /** Writes are remembered, so that `close` can wait for those under way. */
  function remember<T>(write: Promise<T>): Promise<T> {
    writes.add(write);
    const forget = (): void => {
      writes.delete(write);
    };
    write.then(forget, forget);
    return write;
  }

  function listResources<K extends Kind>(kind: K): ResourceByKind[K][] {
    const objects = (followers.get(kind) ?? []).flatMap((follower) => [...follower.objects()]);
    return objects.toSorted(compareByName).map((object) => toResource(kind, object));
  }

  return {
    async start(onChange, signal) {
      const ends = AbortSignal.any([signal, closing.signal]);
      let started = false;
      const begin = (kind: FollowedKind): void => {
        const report = (object: KubeObject): void => {
          if (started) onChange(toChange(kind, object));
        };
        followers.set(kind, beginToFollow({ options, namespaces, client, timing, signal: ends }, kind, report));
      };
      for (const kind of [...KINDS, ...LABELLED_KINDS]) begin(kind);
      // Secrets and ConfigMaps only trigger runs: a controller that may not list them starts all the same.
      const needed = KINDS.flatMap((kind) => followers.get(kind) ?? []).map((follower) => follower.synced);
      await Promise.race([Promise.all(needed), rejectOnAbort(ends)]);
      started = true;
      options.log.info({ namespaces: options.namespaces ?? [] }, 'following the resources');
    },

    resources: () => ({
      directorySyncs: listResources('DirectorySync'),
      attributeMappings: listResources('AttributeMapping'),
      teamRules: listResources('TeamRule'),
      customAttributes: listResources('CustomAttribute'),
    }),

    readSecret: (namespace, name) => readSecret(client, namespace, name),
    readConfigMap: (namespace, name, key) => readConfigMapKey(client, { namespace, name, key }),
    resolvePath: (owner, path) => resolveAllowedPath(options.allowPaths ?? [], owner, path),
    readPlatformToken: (owner) => lendIdentity(options.workloadIdentity, owner),
    writeStatus: (ref, change) => remember(statuses.writeStatus(ref, change)),
    setFinalizer: (ref, present) => remember(statuses.setFinalizer(ref, present)),
    event: (ref, event) => remember(events.write(ref, event)),

    async close() {
      closing.abort();
      await Promise.all([...followers.values()].flat().map((follower) => follower.ended));
      await Promise.allSettled(writes);
      client.close();
    },
  };
}

interface FollowContext {
  readonly options: KubeHostOptions;
  readonly namespaces: readonly (string | undefined)[];
  readonly client: KubeClient;
  readonly timing: Timing;
  readonly signal: AbortSignal;
}

/** One follower for each entry of `namespaces`, in its order. */
function beginToFollow(context: FollowContext, kind: FollowedKind, onChange: (object: KubeObject) => void): Follower[] {
  const { options } = context;
  const labelled = kind === 'Secret' || kind === 'ConfigMap';
  return context.namespaces.map((namespace) => {
    let listed = false;
    const follower = followObjects({
      client: context.client,
      path: toCollectionPath(kind, namespace),
      about: formatCollection(kind, namespace),
      ...(labelled ? { labelSelector: WATCH_LABEL, metadataOnly: true } : {}),
      fingerprint: labelled ? toVersion : toFingerprint,
      // What was there before is no change, also where its list comes later than the others.
      onChange: (object) => {
        if (listed) onChange(object);
      },
      onFailure: (error, waitMs) =>
        logFailure(options, `${formatCollection(kind, namespace)}: following begins again`, error, waitMs),
      timing: context.timing,
      signal: context.signal,
      ...(options.watchIdleMs === undefined ? {} : { idleMs: options.watchIdleMs }),
    });
    void follower.synced.then(() => {
      listed = true;
    });
    return follower;
  });
}

/** Each once; undefined stands for all of them. */
function toNamespaces(wanted: readonly string[] = []): readonly (string | undefined)[] {
  return wanted.length === 0 ? [undefined] : [...new Set(wanted)];
}

function logFailure({ log }: KubeHostOptions, what: string, error: SyncError, waitMs?: number): void {
  log.warn({ err: error, ...(waitMs === undefined ? {} : { waitMs }) }, what);
}

/** What people can change of a resource and runs depend on. The API server raises the generation for changes of the spec only. */
function toFingerprint({ metadata }: KubeObject): string {
  const ours = Object.entries(metadata.annotations ?? {}).filter(([key]) => key.startsWith(`${API_GROUP}/`));
  return JSON.stringify([metadata.uid, metadata.generation, metadata.deletionTimestamp, ours.toSorted()]);
}

function toVersion({ metadata }: KubeObject): string {
  return metadata.resourceVersion ?? '';
}

function toChange(kind: FollowedKind, { metadata }: KubeObject): ResourceChange {
  return { kind, namespace: metadata.namespace ?? '', name: metadata.name };
}

/** The API server has checked it against the CRD, whose schema and these types have one source. */
function toResource<K extends Kind>(kind: K, object: KubeObject): ResourceByKind[K] {
  return { ...object, apiVersion: GROUP_VERSION, kind } as unknown as ResourceByKind[K];
}

function compareByName(a: KubeObject, b: KubeObject): number {
  return (
    compareText(a.metadata.namespace ?? '', b.metadata.namespace ?? '') || compareText(a.metadata.name, b.metadata.name)
  );
}

function compareText(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}

function rejectOnAbort(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    const end = (): void => reject(new SyncError('Aborted', 'ended before the resources were read'));
    if (signal.aborted) end();
    else signal.addEventListener('abort', end, { once: true });
  });
}
