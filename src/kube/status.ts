/** Writes to our own resources: the status subresource and the finalizer, both against the newest version only. */
import { isDeepStrictEqual } from 'node:util';
import type { ResourceRef } from '../api/host.ts';
import { FINALIZER, formatReference, GROUP_VERSION } from '../api/metadata.ts';
import { SyncError } from '../errors.ts';
import { computeBackoff } from '../http/backoff.ts';
import type { Timing } from '../http/timing.ts';
import { type KubeClient, type KubeResponse, toAnswerError } from './client.ts';
import { isKubeObject, isRecord, type KubeObject } from './object.ts';
import { toObjectPath } from './paths.ts';
import { sleepUntilAborted } from './pause.ts';

export interface StatusWriterOptions {
  readonly client: KubeClient;
  readonly timing: Timing;
  /** Ends waits between two tries. */
  readonly signal: AbortSignal;
  /** Told of every newer version of the object that a request brought. */
  readonly onObject: (ref: ResourceRef, object: KubeObject) => void;
}

/**
 * Gets the newest whole status and its resource's generation, returns the whole next one: a field that it leaves out is removed.
 * Called again after a conflict, so it must not have effects of its own.
 */
export type StatusChange = (status: Readonly<Record<string, unknown>>, generation: number) => Record<string, unknown>;

export interface StatusWriter {
  /** False when the resource is gone. Sends no write when the status stays the same. */
  writeStatus(ref: ResourceRef, change: StatusChange): Promise<boolean>;
  /** A resource that is gone, or that is going and would get the finalizer, is left as it is. */
  setFinalizer(ref: ResourceRef, present: boolean): Promise<void>;
}

const MAX_CONFLICTS = 8;
/** A conflict is settled by reading anew, so the wait is a fraction of that after a failure. */
const CONFLICT_HASTE = 10;

export function createStatusWriter(options: StatusWriterOptions): StatusWriter {
  const { client, timing, signal } = options;

  async function readNewest(ref: ResourceRef): Promise<KubeObject | null> {
    const response = await client.send({ method: 'GET', path: toObjectPath(ref), about: formatReference(ref) });
    if (isGone(response, ref)) return null;
    const object = parseObject(response, ref);
    options.onObject(ref, object);
    return object;
  }

  /** Reads, lets `write` send its request, and begins again after each conflict. False when the resource is gone. */
  async function changeNewest(
    ref: ResourceRef,
    write: (newest: KubeObject) => Promise<KubeResponse | null>,
  ): Promise<boolean> {
    for (let conflicts = 1; ; conflicts += 1) {
      const newest = await readNewest(ref);
      if (newest === null) return false;
      const response = await write(newest);
      if (response === null) return true;
      if (response.status !== 409) return acceptAnswer(response, ref);
      if (conflicts === MAX_CONFLICTS || signal.aborted) {
        throw new SyncError('Unknown', `${formatReference(ref)} is changed by others all the time; it was not written`);
      }
      await sleepUntilAborted(timing, computeBackoff(conflicts, timing.random) / CONFLICT_HASTE, signal);
    }
  }

  function acceptAnswer(response: KubeResponse, ref: ResourceRef): boolean {
    if (isGone(response, ref)) return false;
    options.onObject(ref, parseObject(response, ref));
    return true;
  }

  return {
    writeStatus: (ref, change) =>
      changeNewest(ref, async (newest) => {
        const before = isRecord(newest['status']) ? newest['status'] : {};
        const after = toJson(change(structuredClone(before), newest.metadata.generation ?? 0));
        if (isDeepStrictEqual(before, after)) return null;
        return client.send({
          method: 'PUT',
          path: `${toObjectPath(ref)}/status`,
          body: { ...newest, apiVersion: GROUP_VERSION, kind: ref.kind, status: after },
          about: `the status of ${formatReference(ref)}`,
        });
      }),

    async setFinalizer(ref, present) {
      await changeNewest(ref, async (newest) => {
        const before = newest.metadata.finalizers ?? [];
        const going = newest.metadata.deletionTimestamp !== undefined;
        if (before.includes(FINALIZER) === present || (present && going)) return null;
        const finalizers = present ? [...before, FINALIZER] : before.filter((entry) => entry !== FINALIZER);
        return client.send({
          method: 'PATCH',
          path: toObjectPath(ref),
          // A merge patch replaces the list, so it must name the version that the list was read with.
          body: { metadata: { resourceVersion: newest.metadata.resourceVersion, finalizers } },
          about: formatReference(ref),
        });
      });
    },
  };
}

/** As it will come back: without keys that are undefined. */
function toJson(value: Record<string, unknown>): unknown {
  return JSON.parse(JSON.stringify(value));
}

function isGone(response: KubeResponse, ref: ResourceRef): boolean {
  if (response.status === 404) return true;
  if (response.status !== 200) throw toAnswerError(response, formatReference(ref));
  return false;
}

function parseObject({ body }: KubeResponse, ref: ResourceRef): KubeObject {
  if (isKubeObject(body)) return body;
  throw new SyncError('Unknown', `the Kubernetes API server's answer for ${formatReference(ref)} is no object`);
}
