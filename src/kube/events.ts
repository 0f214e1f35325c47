/** Kubernetes Events (events.k8s.io/v1): what `kubectl describe` shows below a resource. */
import type { ResourceEvent, ResourceRef } from '../api/host.ts';
import { formatReference, GROUP_VERSION } from '../api/metadata.ts';
import { SyncError } from '../errors.ts';
import type { Timing } from '../http/timing.ts';
import { type KubeClient, toAnswerError } from './client.ts';

export interface EventRecorderOptions {
  readonly client: KubeClient;
  readonly timing: Timing;
  /** Who reports: the pod's name, at most 128 characters are used. */
  readonly instance: string;
  /** `kubectl describe` finds events by the uid of their object; events for an object without one are found by name only. */
  readonly readUid: (ref: ResourceRef) => string | undefined;
  readonly onFailure: (error: SyncError) => void;
}

export interface EventRecorder {
  /**
   * Writes an event. The same one said again within the hour raises the count of the first instead of adding another, at most
   * once every 10 seconds; what comes in between is counted with the next. Never rejects: an event that cannot be written is lost.
   */
  write(ref: ResourceRef, event: ResourceEvent): Promise<void>;
}

interface Series {
  readonly name: string;
  count: number;
  /** Milliseconds since 1970. */
  lastSeen: number;
  /** By the clock that is never set. */
  lastSeenAt: number;
  lastSentAt: number;
  /** Events of one series are sent one after the other: a count must not arrive before what it counts. */
  sending: Promise<void>;
}

const CONTROLLER = 'dirsync.dev/controller';
const LONGEST_NOTE = 1024;
const LONGEST_WORD = 128;
/** The API server keeps events for an hour by default; a count for one that is gone would be lost. */
const SERIES_MS = 50 * 60_000;
const PATCH_EVERY_MS = 10_000;
const MAX_SERIES = 2000;

export function createEventRecorder(options: EventRecorderOptions): EventRecorder {
  const { client, timing } = options;
  const series = new Map<string, Series>();
  let written = 0;

  function openSeries(key: string, ref: ResourceRef): { entry: Series; isNew: boolean } {
    const now = timing.now();
    const at = timing.elapsed();
    const open = series.get(key);
    if (open !== undefined && at - open.lastSeenAt < SERIES_MS) {
      open.count += 1;
      open.lastSeen = now;
      open.lastSeenAt = at;
      return { entry: open, isNew: false };
    }
    written += 1;
    const suffix = `${now.toString(16)}.${Math.floor(timing.random() * 2 ** 32).toString(16)}${written.toString(16)}`;
    const name = `${ref.name.slice(0, 200).replace(/[^a-z0-9]+$/, '')}.${suffix}`;
    const entry: Series = { name, count: 1, lastSeen: now, lastSeenAt: at, lastSentAt: at, sending: Promise.resolve() };
    // The oldest first: a Map keeps the order of insertion.
    series.delete(key);
    series.set(key, entry);
    for (const old of [...series.keys()].slice(0, series.size - MAX_SERIES)) series.delete(old);
    return { entry, isNew: true };
  }

  async function create(ref: ResourceRef, event: ResourceEvent, entry: Series): Promise<void> {
    const response = await client.send({
      method: 'POST',
      path: toEventsPath(ref.namespace),
      body: toEvent(ref, event, entry),
      about: `an Event for ${formatReference(ref)}`,
    });
    // 409: an earlier try of this very request arrived after all.
    if (response.status !== 201 && response.status !== 409) throw toAnswerError(response, 'events.events.k8s.io');
  }

  function toEvent(ref: ResourceRef, event: ResourceEvent, entry: Series): Record<string, unknown> {
    const uid = options.readUid(ref);
    return {
      apiVersion: 'events.k8s.io/v1',
      kind: 'Event',
      metadata: { name: entry.name, namespace: ref.namespace },
      eventTime: toMicroTime(entry.lastSeen),
      type: event.type,
      reason: event.reason.slice(0, LONGEST_WORD),
      note: event.message.slice(0, LONGEST_NOTE),
      action: 'Reconcile',
      reportingController: CONTROLLER,
      reportingInstance: options.instance.slice(0, LONGEST_WORD),
      regarding: {
        apiVersion: GROUP_VERSION,
        kind: ref.kind,
        namespace: ref.namespace,
        name: ref.name,
        ...(uid === undefined ? {} : { uid }),
      },
    };
  }

  async function count(ref: ResourceRef, entry: Series): Promise<'counted' | 'gone'> {
    const response = await client.send({
      method: 'PATCH',
      path: `${toEventsPath(ref.namespace)}/${entry.name}`,
      body: { series: { count: entry.count, lastObservedTime: toMicroTime(entry.lastSeen) } },
      about: `an Event for ${formatReference(ref)}`,
    });
    if (response.status === 404) return 'gone';
    if (response.status !== 200) throw toAnswerError(response, 'events.events.k8s.io');
    return 'counted';
  }

  async function send(ref: ResourceRef, event: ResourceEvent): Promise<void> {
    const key = JSON.stringify([
      ref.kind,
      ref.namespace,
      ref.name,
      options.readUid(ref),
      event.type,
      event.reason,
      event.message,
    ]);
    const { entry, isNew } = openSeries(key, ref);
    if (isNew) {
      const created = create(ref, event, entry);
      entry.sending = settled(created);
      return created;
    }
    if (timing.elapsed() - entry.lastSentAt < PATCH_EVERY_MS) return;
    entry.lastSentAt = timing.elapsed();
    const counted = entry.sending.then(() => count(ref, entry));
    entry.sending = settled(counted);
    if ((await counted) === 'counted') return;
    series.delete(key);
    await send(ref, event);
  }

  return {
    async write(ref, event) {
      try {
        await send(ref, event);
      } catch (thrown) {
        options.onFailure(SyncError.from(thrown));
      }
    },
  };
}

/** Where one failed the next tries anyway: the event that it counts for is found missing, and made. */
function settled(sent: Promise<unknown>): Promise<void> {
  return sent.then(
    () => undefined,
    () => undefined,
  );
}

function toEventsPath(namespace: string): string {
  return `/apis/events.k8s.io/v1/namespaces/${encodeURIComponent(namespace)}/events`;
}

/** RFC 3339 with the six digits that the API demands of a MicroTime. */
function toMicroTime(ms: number): string {
  return new Date(ms).toISOString().replace('Z', '000Z');
}
