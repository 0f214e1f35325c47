/** Where events go on: behind the newest one that a read can have seen (rules S14 and S15 of `source.ts`). */
import { SyncError } from '../../errors.ts';
import type { Json } from '../../model.ts';
import { isObject } from '../attribute-names.ts';
import type { ReadEnd } from '../source.ts';
import type { EventsFrom, WorkosClient, WorkosDirectory } from './client.ts';

export interface WorkosCursor {
  readonly organizationId: string | null;
  /** The newest event; null: there was none. */
  readonly event: { readonly id: string; readonly createdAt: number } | null;
  /** When it was looked at, in milliseconds since 1970. */
  readonly at: number;
}

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
/** Events are kept for 30 days; nothing is asked for at the edge of that. */
const KEPT_MS = 29 * DAY_MS;

export function printCursor({ organizationId, event, at }: WorkosCursor): string {
  return JSON.stringify([organizationId, event?.id ?? null, event?.createdAt ?? null, at]);
}

/** @throws SyncError `CursorExpired` for what is none, or is older than events are kept */
export function parseCursor(text: string, now: number): WorkosCursor {
  const cursor = toCursor(text);
  if (cursor === null) throw new SyncError('CursorExpired', 'the place from which events go on cannot be read');
  if (now - cursor.at > KEPT_MS) throw new SyncError('CursorExpired', 'WorkOS keeps events for 30 days');
  return cursor;
}

function toCursor(text: string): WorkosCursor | null {
  const value = parse(text);
  if (!Array.isArray(value)) return null;
  const [organizationId, id, createdAt, at] = value as readonly unknown[];
  if (typeof at !== 'number' || (organizationId !== null && typeof organizationId !== 'string')) return null;
  if (id === null) return { organizationId, event: null, at };
  return typeof id === 'string' && typeof createdAt === 'number'
    ? { organizationId, event: { id, createdAt }, at }
    : null;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

/** Ids of events are in the order of time too. */
export function older(left: WorkosCursor, right: WorkosCursor): WorkosCursor {
  const [first, second] = [toTime(left), toTime(right)];
  if (first !== second) return first < second ? left : right;
  return (left.event?.id ?? '') <= (right.event?.id ?? '') ? left : right;
}

function toTime({ event, at }: WorkosCursor): number {
  return event?.createdAt ?? at - DAY_MS;
}

/**
 * What is asked for. An event that is not kept any more is no place to go on from; the time of the last look is, which saw
 * everything before it. Clocks differ, and what comes twice does no harm.
 */
export function toStart({ organizationId, event, at }: WorkosCursor, now: number): EventsFrom {
  if (event !== null && now - event.createdAt <= KEPT_MS) return { organizationId, start: { after: event.id } };
  const since = event === null ? at - DAY_MS : at - HOUR_MS;
  return { organizationId, start: { range_start: new Date(since).toISOString() } };
}

/** Null: not an event. */
export function toEvent(value: Json): WorkosCursor['event'] {
  if (!isObject(value)) return null;
  const { id, created_at: createdAt } = value;
  const time = typeof createdAt === 'string' ? Date.parse(createdAt) : Number.NaN;
  return typeof id === 'string' && id !== '' && !Number.isNaN(time) ? { id, createdAt: time } : null;
}

/**
 * Where a full read leaves to go on from, before its first page. Where the key gets no events everybody is read each time, as
 * without them.
 */
export async function readPlace(
  { client, now }: { readonly client: WorkosClient; readonly now: () => Date },
  { organizationId }: WorkosDirectory,
  signal: AbortSignal,
): Promise<Pick<ReadEnd, 'cursor' | 'noCursor'>> {
  const at = now().getTime();
  try {
    const last = await client.readLastEvent(organizationId, signal);
    const event = toEvent(last);
    if (last !== null && event === null) return { noCursor: `the last event of ${client.origin} has no id or time` };
    return { cursor: printCursor({ organizationId, event, at }) };
  } catch (thrown) {
    if (signal.aborted) throw thrown;
    return { noCursor: SyncError.from(thrown).message };
  }
}
