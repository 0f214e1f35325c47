/**
 * Resources in memory, as a cluster keeps them: a generation for each change of a spec, a status that only `writeStatus`
 * changes, deletion that waits for finalizers, and changes told a moment after they were made. Every status that is
 * written is checked; `problems` has what breaks a rule.
 */
import { isDeepStrictEqual } from 'node:util';
import type { ResourceChange, ResourceEvent, ResourceHost, ResourceRef, ResourceSet } from '../../src/api/host.ts';
import { checkKstatus } from '../../src/api/kstatus.ts';
import { FINALIZER, formatReference, KINDS, type Kind } from '../../src/api/metadata.ts';
import type { Resource, ResourceByKind } from '../../src/api/resources.ts';
import { SyncError } from '../../src/errors.ts';

export interface MemoryHost extends ResourceHost {
  /** Creates it, or replaces its spec. Its status stays. */
  put(resource: Resource): void;
  annotate(ref: ResourceRef, annotations: Readonly<Record<string, string>>): void;
  /** `kubectl delete`: it goes at once without a finalizer, else when the last one is removed. */
  remove(ref: ResourceRef): void;
  /** A labelled Secret or ConfigMap was changed. */
  touch(change: ResourceChange): void;
  get<K extends Kind>(kind: K, name: string): ResourceByKind[K] | undefined;
  /** Every status that was written, the newest last. */
  readonly written: { readonly ref: ResourceRef; readonly status: Readonly<Record<string, unknown>> }[];
  readonly events: (ResourceEvent & { readonly ref: ResourceRef })[];
  readonly problems: string[];
  /** Asked before each write: throws, or waits, for a host that is away. */
  beforeWrite: (ref: ResourceRef) => Promise<void> | void;
  /** Called after everything that happens here. */
  onActivity: () => void;
  secret: Readonly<Record<string, string>> | null;
}

export const NAMESPACE = 'identity';

export function toRef(kind: Kind, name: string): ResourceRef {
  return { kind, namespace: NAMESPACE, name };
}

export function createMemoryHost(): MemoryHost {
  const objects = new Map<string, Resource>();
  let tell: ((change: ResourceChange) => void) | null = null;
  let uids = 0;

  const notify = (change: ResourceChange): void => {
    // What was there before anybody followed is told to nobody.
    const follower = tell;
    queueMicrotask(() => {
      follower?.(change);
      host.onActivity();
    });
  };
  const store = (ref: ResourceRef, resource: Resource | null): void => {
    if (resource === null) objects.delete(formatReference(ref));
    else objects.set(formatReference(ref), resource);
    notify(ref);
  };
  const need = (ref: ResourceRef): Resource => {
    const found = objects.get(formatReference(ref));
    if (found === undefined) throw new Error(`${formatReference(ref)} is not there`);
    return found;
  };
  const list = <K extends Kind>(kind: K): ResourceByKind[K][] =>
    [...objects.values()]
      .filter((each): each is ResourceByKind[K] => each.kind === kind)
      .sort((a, b) => (formatName(a) < formatName(b) ? -1 : 1));
  const withMetadata = (resource: Resource, more: Partial<Resource['metadata']>): Resource =>
    ({ ...resource, metadata: { ...resource.metadata, ...more } }) as Resource;

  const host: MemoryHost = {
    written: [],
    events: [],
    problems: [],
    beforeWrite: () => undefined,
    onActivity: () => undefined,
    secret: { token: 'sesame' },
    put(resource) {
      const ref = toReference(resource);
      const before = objects.get(formatReference(ref));
      uids += before === undefined ? 1 : 0;
      const generation = (before?.metadata.generation ?? 0) + (isDeepStrictEqual(before?.spec, resource.spec) ? 0 : 1);
      const metadata = {
        ...before?.metadata,
        uid: before?.metadata.uid ?? `uid-${uids}`,
        ...resource.metadata,
        generation,
      };
      const status = before === undefined ? { observedGeneration: -1 } : before.status;
      store(ref, { ...structuredClone(resource), metadata, status } as Resource);
    },
    annotate(ref, annotations) {
      const resource = need(ref);
      store(ref, withMetadata(resource, { annotations: { ...resource.metadata.annotations, ...annotations } }));
    },
    remove(ref) {
      const resource = need(ref);
      const isKept = (resource.metadata.finalizers ?? []).length > 0;
      store(ref, isKept ? withMetadata(resource, { deletionTimestamp: '2026-03-01T10:00:00Z' }) : null);
    },
    touch: notify,
    get: (kind, name) => list(kind).find(({ metadata }) => metadata.name === name),
    start: async (onChange) => {
      tell = onChange;
    },
    resources: (): ResourceSet => ({
      directorySyncs: list('DirectorySync'),
      attributeMappings: list('AttributeMapping'),
      teamRules: list('TeamRule'),
      customAttributes: list('CustomAttribute'),
    }),
    readSecret: async (namespace, name) => {
      if (host.secret === null) throw new SyncError('ReferenceNotFound', `Secret ${namespace}/${name} does not exist`);
      return host.secret;
    },
    readConfigMap: async () => new Uint8Array(),
    resolvePath: (_owner, path) => path,
    async writeStatus(ref, change) {
      await host.beforeWrite(ref);
      const resource = objects.get(formatReference(ref));
      if (resource === undefined) return false;
      const before = structuredClone((resource.status ?? {}) as Record<string, unknown>);
      const status = JSON.parse(JSON.stringify(change(before, resource.metadata.generation ?? 1)));
      if (isDeepStrictEqual(resource.status, status)) return true;
      const after = { ...resource, status } as Resource;
      // Like the watch of a cluster, which leaves out changes of nothing but a status.
      objects.set(formatReference(ref), after);
      host.written.push({ ref, status });
      host.problems.push(...checkKstatus(after).map((problem) => `${formatReference(ref)}: ${problem}`));
      host.onActivity();
      return true;
    },
    async setFinalizer(ref, present) {
      await host.beforeWrite(ref);
      const resource = objects.get(formatReference(ref));
      if (resource === undefined) return;
      const others = (resource.metadata.finalizers ?? []).filter((each) => each !== FINALIZER);
      const finalizers = present ? [...others, FINALIZER] : others;
      const isGone = finalizers.length === 0 && resource.metadata.deletionTimestamp !== undefined;
      if (isGone) store(ref, null);
      else objects.set(formatReference(ref), withMetadata(resource, { finalizers }));
      host.onActivity();
    },
    async event(ref, event) {
      host.events.push({ ...event, ref });
      host.onActivity();
    },
    close: async () => undefined,
  };
  return host;
}

function toReference({ kind, metadata }: Resource): ResourceRef {
  if (!KINDS.includes(kind)) throw new Error(`${kind} is no kind`);
  return { kind, namespace: metadata.namespace, name: metadata.name };
}

function formatName({ metadata }: Resource): string {
  return `${metadata.namespace}/${metadata.name}`;
}
