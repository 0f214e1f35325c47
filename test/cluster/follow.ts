import { readFile } from 'node:fs/promises';
import { KubeConfig } from '@kubernetes/client-node';
import type { Condition } from '../../src/api/condition-schema.ts';
import type { DirectorySyncStatus } from '../../src/api/directory-sync-status.ts';
import { checkKstatus } from '../../src/api/kstatus.ts';
import { KINDS, type Kind } from '../../src/api/metadata.ts';
import { systemTiming } from '../../src/http/timing.ts';
import { createKubeClient } from '../../src/kube/client.ts';
import type { KubeMetadata } from '../../src/kube/object.ts';
import { toCollectionPath } from '../../src/kube/paths.ts';
import { followObjects } from '../../src/kube/watch.ts';
import type { Cluster } from './cluster.ts';

export interface Seen {
  readonly kind: Kind;
  readonly metadata: KubeMetadata;
  readonly spec: Readonly<Record<string, unknown>>;
  readonly status?: DirectorySyncStatus & Readonly<Record<string, unknown>>;
}

/** Every version of the resources of a namespace, as the administrator sees them come. */
export interface Followed {
  /** The newest version, once `holds` is true of it. Rejects, with the last status, after 40 s or the time given. */
  until(kind: Kind, name: string, holds: (resource: Seen) => boolean, timeoutMs?: number): Promise<Seen>;
  /** Resolves when it is gone. */
  untilGone(kind: Kind, name: string): Promise<void>;
  /** What breaks the rules of a good status, over every version seen. */
  problems(): string[];
  /** The statuses seen, as one text to search in. */
  text(): string;
  stop(): Promise<void>;
}

const UNTIL_MS = 40_000;
/** An API server that has come back is found at once. */
const HASTY = { ...systemTiming, sleep: (_ms: number, signal: AbortSignal) => systemTiming.sleep(250, signal) };

export async function followNamespace(cluster: Cluster, namespace: string): Promise<Followed> {
  const kubeConfig = new KubeConfig();
  kubeConfig.loadFromString(await readFile(cluster.kubeconfig, 'utf8'));
  const client = createKubeClient({ kubeConfig });
  const ending = new AbortController();
  const seen: Seen[] = [];
  const waiting = new Set<() => void>();
  const wake = (): void => {
    for (const check of [...waiting]) check();
  };
  const followers = KINDS.map((kind) => ({
    kind,
    follower: followObjects({
      client,
      path: toCollectionPath(kind, namespace),
      about: kind,
      fingerprint: ({ metadata }) => metadata.resourceVersion ?? '',
      onChange: (object) => {
        seen.push({ ...(object as unknown as Seen), kind });
        // What was deleted is reported before it is forgotten.
        queueMicrotask(wake);
      },
      onFailure: () => undefined,
      timing: HASTY,
      signal: ending.signal,
    }),
  }));
  await Promise.all(followers.map(({ follower }) => follower.synced));

  function get(kind: Kind, name: string): Seen | undefined {
    const object = followers.find((each) => each.kind === kind)?.follower.get(namespace, name);
    return object === undefined ? undefined : ({ ...object, kind } as unknown as Seen);
  }

  function wait<T>(what: string, find: () => T | undefined, timeoutMs = UNTIL_MS): Promise<T> {
    return new Promise((resolve, reject) => {
      const check = (): void => {
        const found = find();
        if (found === undefined) return;
        end();
        resolve(found);
      };
      const timer = setTimeout(() => {
        end();
        reject(new Error(`${what} did not come within ${timeoutMs} ms`));
      }, timeoutMs);
      const end = (): void => {
        clearTimeout(timer);
        waiting.delete(check);
      };
      waiting.add(check);
      check();
    });
  }

  return {
    async until(kind, name, holds, timeoutMs) {
      const find = (): Seen | undefined => {
        const resource = get(kind, name);
        return resource !== undefined && holds(resource) ? resource : undefined;
      };
      return wait(`what is expected of ${kind} ${name}`, find, timeoutMs).catch((error: Error) => {
        throw new Error(`${error.message}; it is ${JSON.stringify(get(kind, name), null, 1)}`);
      });
    },
    untilGone: (kind, name) =>
      wait(`the end of ${kind} ${name}`, () => (get(kind, name) === undefined ? true : undefined)).then(
        () => undefined,
      ),
    problems: () => [
      ...new Set(
        seen
          .filter(hasStatus)
          .flatMap((resource) =>
            checkKstatus(resource).map((problem) => `${resource.kind} ${resource.metadata.name}: ${problem}`),
          ),
      ),
    ],
    text: () => JSON.stringify(seen.map(({ status }) => status)),
    async stop() {
      ending.abort();
      await Promise.all(followers.map(({ follower }) => follower.ended));
      client.close();
    },
  };
}

/** A resource that nothing has looked at yet has none, or the CRD's default. */
function hasStatus({ status }: Seen): boolean {
  return status !== undefined && Object.keys(status).some((key) => key !== 'observedGeneration');
}

export function conditionOf({ status }: Seen, type: string): Condition | undefined {
  return status?.conditions?.find((condition) => condition.type === type);
}

/** Whether `Ready` has this reason, and says so of the newest generation. */
export function isReady(reason: string): (resource: Seen) => boolean {
  return (resource) => {
    const ready = conditionOf(resource, 'Ready');
    return ready?.reason === reason && ready.observedGeneration === resource.metadata.generation;
  };
}
