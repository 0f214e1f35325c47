/**
 * Several changes in one request (RFC 7644 section 3.7), for services that announce it. Changes that are asked for at the
 * same time travel together, and each ends as if it had been sent alone: with its own answer, or with its own doubt.
 */
import { SyncError } from '../../errors.ts';
import type { Json } from '../../model.ts';
import { URN_BULK_REQUEST } from '../../scim/schema.ts';
import {
  isSuccess,
  type JsonObject,
  requireSuccess,
  type ScimAnswer,
  type ScimClient,
  type ScimRequest,
} from './client.ts';
import { readField, toCount, toObject } from './convert.ts';
import type { Observations } from './observations.ts';

/** What one request takes. */
export interface BulkLimits {
  readonly operations: number;
  readonly bytes: number;
}

/** What a lost answer leaves in doubt at most, and what goes on for a moment when a run is to be stopped. */
const MOST_TOGETHER = 50;
/** Fewer are no faster together than side by side. */
const FEWEST = 5;
/** Where the service announces no size. */
const DEFAULT_BYTES = 1024 * 1024;

/** Null: bulk requests are not announced, or too small to help. */
export function readBulkLimits(config: JsonObject | null): BulkLimits | null {
  const bulk = toObject(readField(config ?? {}, 'bulk')) ?? {};
  const operations = toCount(readField(bulk, 'maxOperations')) ?? 0;
  const isSupported = String(readField(bulk, 'supported')).toLowerCase() === 'true';
  if (!isSupported || operations < FEWEST) return null;
  const bytes = toCount(readField(bulk, 'maxPayloadSize')) ?? 0;
  return { operations: Math.min(operations, MOST_TOGETHER), bytes: bytes > 0 ? bytes : DEFAULT_BYTES };
}

/** A change that waits for others to travel with. */
interface Waiting {
  readonly request: ScimRequest;
  readonly signal: AbortSignal;
  readonly operation: JsonObject;
  readonly bytes: number;
  readonly resolve: (answer: ScimAnswer | Promise<ScimAnswer>) => void;
  readonly reject: (error: SyncError) => void;
}

/** A client that sends what is asked of it in the same turn together; everything else goes the way it would go anyway. */
export function createBulkClient(client: ScimClient, limits: BulkLimits, seen: Observations): ScimClient {
  let waiting: Waiting[] = [];
  let serial = 0;

  function flush(): void {
    const all = waiting;
    waiting = [];
    for (const group of toGroups(all, { ...limits, operations: toMost(limits, seen) })) void carryOut(group);
  }

  async function carryOut(group: readonly Waiting[]): Promise<void> {
    const [first] = group;
    if (first === undefined) return;
    if (group.length < FEWEST) return sendAlone(group, false);
    const body = { schemas: [URN_BULK_REQUEST], Operations: group.map(({ operation }) => operation) };
    const repeatable = group.every(({ request }) => isRepeatable(request));
    try {
      const request = { method: 'POST', path: '/Bulk', body, repeatable, mayBeForbidden: true } as const;
      settle(group, await client.send(request, first.signal));
    } catch (thrown) {
      for (const { reject } of group) reject(SyncError.from(thrown));
    }
  }

  function sendAlone(group: readonly Waiting[], mayBeDone: boolean): void {
    for (const each of group) each.resolve(sendOne(each, mayBeDone));
  }

  async function sendOne({ request, signal }: Waiting, mayBeDone: boolean): Promise<ScimAnswer> {
    try {
      const answer = await client.send(request, signal);
      return { ...answer, mayBeDone: mayBeDone || answer.mayBeDone };
    } catch (thrown) {
      throw mayBeDone ? SyncError.ofUnknownOutcome(thrown) : thrown;
    }
  }

  /** What was refused as a whole was not carried out, and goes alone. */
  function settle(group: readonly Waiting[], answer: ScimAnswer): void {
    if (answer.status === 413) seen.bulkOperations = Math.floor(group.length / 2);
    if (WRONG_HERE.has(answer.status) || answer.status === 500) seen.bulkOperations = 0;
    if (answer.status === 413 || WRONG_HERE.has(answer.status)) sendAlone(group, answer.mayBeDone);
    else if (isSuccess(answer)) settleEach(group, answer);
    else for (const { request, resolve } of group) resolve({ ...answer, request });
  }

  function settleEach(group: readonly Waiting[], whole: ScimAnswer): void {
    const matched = matchResults(group, readResults(whole));
    for (const [index, each] of group.entries()) {
      const { request, resolve, reject } = each;
      const answer = toAnswer(request, matched[index], whole);
      if (answer === null) {
        seen.bulkOperations = 0;
        reject(toUntold(client.origin));
      } else if (BETTER_ALONE.has(answer.status)) resolve(sendOne(each, whole.mayBeDone));
      else {
        if (isSuccess(answer)) client.noteChanged();
        resolve(answer);
      }
    }
  }

  function send(request: ScimRequest, signal: AbortSignal): Promise<ScimAnswer> {
    serial += 1;
    const operation = toMost(limits, seen) < FEWEST ? null : toOperation(request, `${serial}`);
    if (operation === null) return client.send(request, signal);
    return new Promise((resolve, reject) => {
      // By then everybody who goes on in this turn has said what they want to send.
      if (waiting.length === 0) setImmediate(flush);
      const bytes = Buffer.byteLength(JSON.stringify(operation)) + 1;
      waiting.push({ request, signal, operation, bytes, resolve, reject });
    });
  }

  return {
    ...client,
    send,
    request: async (request, signal) => requireSuccess(await send(request, signal), client.origin),
  };
}

function toMost(limits: BulkLimits, { bulkOperations }: Observations): number {
  return Math.min(limits.operations, bulkOperations ?? limits.operations);
}

/** Null for what cannot be part of a bulk request, or would mean something else there. */
function toOperation({ method, path, query, body, ifMatch }: ScimRequest, bulkId: string): JsonObject | null {
  if (method === 'GET' || query !== undefined) return null;
  // In a value too this refers to another operation of the request.
  if (`${path}${JSON.stringify(body ?? null)}`.includes('bulkId:')) return null;
  const operation: Record<string, Json> = { method, bulkId, path };
  if (typeof ifMatch === 'string') operation['version'] = ifMatch;
  if (body !== undefined) operation['data'] = body;
  return operation;
}

/** The frame around the operations. */
const ENVELOPE = 200;

/** In their order; each group is one request. Of several runs each has its own. */
function toGroups(all: readonly Waiting[], { operations, bytes }: BulkLimits): Waiting[][] {
  const groups: Waiting[][] = [];
  for (const some of Map.groupBy(all, ({ signal }) => signal).values()) {
    let size = Number.POSITIVE_INFINITY;
    for (const each of some) {
      const last = groups.at(-1);
      if (last === undefined || size + each.bytes > bytes || last.length >= operations) {
        groups.push([each]);
        size = ENVELOPE + each.bytes;
      } else {
        last.push(each);
        size += each.bytes;
      }
    }
  }
  return groups;
}

function isRepeatable({ method, repeatable }: ScimRequest): boolean {
  return repeatable ?? (method === 'PUT' || method === 'DELETE');
}

/** There is no bulk, or not for this client, or not in this form. */
const WRONG_HERE: ReadonlySet<number> = new Set([400, 403, 404, 405, 501]);
/** Not carried out, and told in full only to a request of its own: refused credentials, throttling with its time. */
const BETTER_ALONE: ReadonlySet<number> = new Set([401, 403, 429, 503]);

function readResults({ body }: ScimAnswer): readonly JsonObject[] {
  const results = readField(body ?? {}, 'Operations');
  return Array.isArray(results) ? results.map((each: Json) => toObject(each) ?? {}) : [];
}

/** By their place where they agree with what was sent, else by what they name; undefined where nothing is told. */
function matchResults(group: readonly Waiting[], results: readonly JsonObject[]): readonly (JsonObject | undefined)[] {
  const inOrder = results.length === group.length && group.every((each, index) => isOf(each, results[index] ?? {}));
  return inOrder ? results : group.map((each) => results.find((result) => names(each, result)));
}

/** Nothing that the result says is about another operation. */
function isOf({ request, operation }: Waiting, result: JsonObject): boolean {
  const [method, bulkId, location] = ['method', 'bulkId', 'location'].map((name) => readField(result, name));
  if (typeof method === 'string' && method.toUpperCase() !== request.method) return false;
  if (typeof bulkId === 'string' && bulkId !== operation['bulkId']) return false;
  return typeof location !== 'string' || request.method === 'POST' || isAt(location, request);
}

function names({ request, operation }: Waiting, result: JsonObject): boolean {
  if (readField(result, 'bulkId') === operation['bulkId']) return true;
  const location = readField(result, 'location');
  return request.method !== 'POST' && typeof location === 'string' && isAt(location, request);
}

/** Ids may come back in other case. */
function isAt(location: string, { path }: ScimRequest): boolean {
  return location.toLowerCase().endsWith(path.toLowerCase());
}

/** Null where no status can be read. A status is a text, a number, or an object with a `code`. */
function toAnswer(request: ScimRequest, result: JsonObject | undefined, { mayBeDone }: ScimAnswer): ScimAnswer | null {
  const said = result === undefined ? undefined : readField(result, 'status');
  const status = toCount(readField(toObject(said) ?? {}, 'code') ?? said);
  if (result === undefined || status === null) return null;
  const [location, etag] = ['location', 'version'].map((name) => readField(result, name));
  const headers = {
    ...(typeof location === 'string' ? { location } : {}),
    ...(typeof etag === 'string' ? { etag } : {}),
  };
  const body = toObject(readField(result, 'response'));
  return { request, status, headers, body, isHTML: false, length: 0, mayBeDone };
}

function toUntold(origin: string): SyncError {
  const message = `${origin} does not say what became of a change that was sent together with others`;
  return new SyncError('TargetUnavailable', message, { scope: 'record', outcomeUnknown: true });
}
