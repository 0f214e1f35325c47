/** Follows one list of objects: list, watch, and again for ever, whatever breaks. */
import { SyncError } from '../errors.ts';
import { computeBackoff } from '../http/backoff.ts';
import type { Timing } from '../http/timing.ts';
import { type KubeClient, toAnswerError } from './client.ts';
import { isKubeObject, isOlder, isRecord, type KubeObject, toKey } from './object.ts';
import { sleepUntilAborted } from './pause.ts';

export interface FollowOptions {
  readonly client: KubeClient;
  /** Path of the collection. */
  readonly path: string;
  /** As messages name it: `directorysyncs in namespace identity`. */
  readonly about: string;
  readonly labelSelector?: string;
  /** Names, labels and versions without contents, which never reach this process then. */
  readonly metadataOnly?: boolean;
  /** What of an object counts as changed; two equal texts are no change. */
  readonly fingerprint: (object: KubeObject) => string;
  /** An object that came, changed or went, also when that happened while the server could not be reached. */
  readonly onChange: (object: KubeObject) => void;
  /** Called for each failure; the follower goes on by itself after the wait. */
  readonly onFailure: (error: SyncError, waitMs: number) => void;
  readonly timing: Timing;
  readonly signal: AbortSignal;
  /** Longest silence of a watch before it is taken for dead, 7 minutes by default. */
  readonly idleMs?: number;
}

export interface Follower {
  /** Resolves after the first whole list; never when the signal aborts before. */
  readonly synced: Promise<void>;
  /** Resolves when the signal aborted and nothing is under way any more. Never rejects. */
  readonly ended: Promise<void>;
  objects(): Iterable<KubeObject>;
  get(namespace: string, name: string): KubeObject | undefined;
  /**
   * Takes over the answer to a write, so that the next reader does not see the object from before it. One that is not known is left
   * to the watch: its deletion may have been seen before this answer, and nothing would ever remove it.
   */
  accept(object: KubeObject): void;
}

const PAGE_SIZE = '500';
/** The server ends a watch by itself after 5 to 6 minutes, so silence for longer than this means that nobody is there. */
const DEFAULT_IDLE_MS = 420_000;
const SHORTEST_WATCH_S = 300;
const WATCH_SPREAD_S = 60;
/** A watch that ends sooner, without an event, counts as failed: a server that ends each at once must not be hammered. */
const SHORT_LIVED_MS = 1000;
const METADATA_LIST = 'application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1';
const METADATA_ONE = 'application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1';

/**
 * Begins to follow a list; runs until the signal aborts. After any error the whole list is read again and compared with what was
 * known; after a regular end the watch goes on where it stopped. A list that is no list changes nothing.
 */
export function followObjects(options: FollowOptions): Follower {
  const { signal, timing } = options;
  const first = Promise.withResolvers<void>();
  let known = new Map<string, KubeObject>();

  function report(before: KubeObject | undefined, after: KubeObject | undefined): void {
    const object = after ?? before;
    if (object === undefined) return;
    const same =
      before !== undefined && after !== undefined && options.fingerprint(before) === options.fingerprint(after);
    if (!same) options.onChange(object);
  }

  function replaceAll(listed: Map<string, KubeObject>): void {
    const before = known;
    known = listed;
    for (const [key, object] of listed) report(before.get(key), object);
    for (const [key, object] of before) if (!listed.has(key)) report(object, undefined);
    first.resolve();
  }

  function take(object: KubeObject): void {
    const before = known.get(toKey(object));
    if (before !== undefined && isOlder(object, before)) return;
    known.set(toKey(object), object);
    report(before, object);
  }

  function remove(object: KubeObject): void {
    const before = known.get(toKey(object));
    if (before === undefined) return;
    known.delete(toKey(object));
    report(before, undefined);
  }

  /** Watches from a version on until the server ends it; gives the version to go on from. */
  async function watch(from: string): Promise<{ version: string; events: number }> {
    let version = from;
    let events = 0;
    for await (const event of readEvents(options, from)) {
      if (event.type === 'DELETED') remove(event.object);
      else if (event.type !== 'BOOKMARK') take(event.object);
      version = event.object.metadata.resourceVersion ?? version;
      events += 1;
    }
    return { version, events };
  }

  /** One list when nothing is known, then one watch. Gives the version to go on from. */
  async function followOnce(from: string | null): Promise<string> {
    let version = from;
    if (version === null) {
      const listed = await readList(options);
      replaceAll(listed.objects);
      version = listed.version;
    }
    const began = timing.elapsed();
    const ended = await watch(version);
    if (ended.events === 0 && timing.elapsed() - began < SHORT_LIVED_MS) {
      throw new SyncError('Unknown', `the Kubernetes API server ended the watch of ${options.about} at once`);
    }
    return ended.version;
  }

  async function follow(): Promise<void> {
    let version: string | null = null;
    let failures = 0;
    while (!signal.aborted) {
      const began: number = timing.elapsed();
      try {
        version = await followOnce(version);
        failures = 0;
      } catch (thrown) {
        if (signal.aborted) return;
        version = null;
        // What lived for a while and then broke is a new failure, not one more of the same.
        failures = timing.elapsed() - began > MAX_FAILURE_SPAN_MS ? 1 : failures + 1;
        const error = SyncError.from(thrown);
        const waitMs = computeWaitMs(error, failures, timing.random);
        options.onFailure(error, waitMs);
        await sleepUntilAborted(timing, waitMs, signal);
      }
    }
  }

  return {
    synced: first.promise,
    ended: follow(),
    objects: () => known.values(),
    get: (namespace, name) => known.get(`${namespace}/${name}`),
    accept: (object) => {
      if (known.has(toKey(object))) take(object);
    },
  };
}

/** Longer than connecting and the longest wait take together. */
const MAX_FAILURE_SPAN_MS = 60_000;

function computeWaitMs(error: SyncError, failures: number, random: () => number): number {
  const backoffMs = computeBackoff(failures, random);
  if (typeof error.retry !== 'object') return backoffMs;
  // "Too old" asks for no wait; said again and again it is a failure like any other.
  if (error.retry.afterMs === 0) return failures === 1 ? 0 : backoffMs;
  return Math.max(backoffMs, error.retry.afterMs);
}

interface Listed {
  readonly objects: Map<string, KubeObject>;
  readonly version: string;
}

async function readList(options: FollowOptions): Promise<Listed> {
  const objects = new Map<string, KubeObject>();
  let next = '';
  for (;;) {
    const page = await readPage(options, next);
    for (const object of page.items) objects.set(toKey(object), object);
    next = page.next;
    if (next === '') return { objects, version: page.version };
  }
}

interface Page {
  readonly items: readonly KubeObject[];
  readonly version: string;
  readonly next: string;
}

async function readPage(options: FollowOptions, next: string): Promise<Page> {
  const response = await options.client.send({
    method: 'GET',
    path: options.path,
    query: {
      limit: PAGE_SIZE,
      ...(options.labelSelector === undefined ? {} : { labelSelector: options.labelSelector }),
      ...(next === '' ? {} : { continue: next }),
    },
    ...(options.metadataOnly === true ? { accept: METADATA_LIST } : {}),
    about: options.about,
    signal: options.signal,
    attempts: 1,
  });
  if (response.status !== 200) throw toAnswerError(response, options.about);
  return parsePage(response.body, options.about);
}

/** Anything but a well-formed page is an error: read as an empty list it would remove every object. */
function parsePage(body: Readonly<Record<string, unknown>> | undefined, about: string): Page {
  const metadata = body?.['metadata'];
  // Go writes an empty list of metadata as null; a key that is missing is something else.
  const items = body?.['items'] === null ? [] : body?.['items'];
  const version = isRecord(metadata) ? metadata['resourceVersion'] : undefined;
  if (
    !isRecord(metadata) ||
    !Array.isArray(items) ||
    typeof version !== 'string' ||
    version === '' ||
    !items.every(isKubeObject)
  ) {
    throw new SyncError('Unknown', `the Kubernetes API server's list of ${about} is not one`);
  }
  return { items, version, next: typeof metadata['continue'] === 'string' ? metadata['continue'] : '' };
}

interface WatchEvent {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK';
  /** That of a bookmark has a version and no name. */
  readonly object: KubeObject;
}

async function* readEvents(options: FollowOptions, from: string): AsyncGenerator<WatchEvent, void, void> {
  const { client, path, about, labelSelector, signal, timing } = options;
  const seconds = SHORTEST_WATCH_S + Math.floor(timing.random() * WATCH_SPREAD_S);
  const request = {
    method: 'GET',
    path,
    query: {
      watch: 'true',
      allowWatchBookmarks: 'true',
      resourceVersion: from,
      timeoutSeconds: String(seconds),
      ...(labelSelector === undefined ? {} : { labelSelector }),
    },
    ...(options.metadataOnly === true ? { accept: METADATA_ONE } : {}),
    about,
    signal,
  } as const;
  for await (const line of client.lines(request, options.idleMs ?? DEFAULT_IDLE_MS)) yield parseEvent(line, about);
}

const TYPES: ReadonlySet<unknown> = new Set(['ADDED', 'MODIFIED', 'DELETED', 'BOOKMARK']);

function parseEvent(line: string, about: string): WatchEvent {
  const event = parseJson(line);
  if (!isRecord(event) || !isRecord(event['object'])) throw unreadable(about);
  const { type, object } = event;
  if (type === 'ERROR') {
    throw toAnswerError({ status: Number(object['code'] ?? 0), body: object }, about);
  }
  const well = type === 'BOOKMARK' ? isRecord(object['metadata']) : isKubeObject(object);
  if (!TYPES.has(type) || !well) throw unreadable(about);
  return event as unknown as WatchEvent;
}

function parseJson(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}

function unreadable(about: string): SyncError {
  return new SyncError('Unknown', `the Kubernetes API server sent something in the watch of ${about} that is no event`);
}
