/**
 * Where changes of a SCIM service are read from: the time of a read, by the clock of the service, where it is seen to filter
 * people by `meta.lastModified` (RFC 7643 section 3.1) as it should.
 */
import { SyncError } from '../../errors.ts';
import type { Json } from '../../model.ts';
import { isObject } from '../attribute-names.ts';
import type { Cursors, ReadEnd } from '../source.ts';
import { type ScimSourceClient, USERS } from './client.ts';
import { readField } from './convert.ts';

/** The cursor of groups. Many services leave `meta.lastModified` of a group as it is when somebody joins or leaves. */
export const ALL_GROUPS = 'all';

/**
 * Time that is asked for again: what was written shortly before a read may be seen only after it, and the clocks of the
 * service's own machines differ. What comes again costs a record and changes nothing.
 */
const OVERLAP_MS = 5 * 60_000;
const DAY_MS = 86_400_000;

/** When people were last changed, from the records of a full read. */
export interface ChangeTimes {
  add(attributes: Readonly<Record<string, Json>>): void;
  /** Where changes can be read from, or why from nowhere. */
  toCursor(read: WholeRead, signal: AbortSignal): Promise<Place>;
}

type Place = Pick<ReadEnd, 'cursor' | 'noCursor'>;

export interface WholeRead {
  readonly client: ScimSourceClient;
  /** Of its first page; see `ScimPage`. */
  readonly at: number | null;
}

export function createChangeTimes(): ChangeTimes {
  let oldest = Number.POSITIVE_INFINITY;
  let newest = Number.NEGATIVE_INFINITY;
  let isComplete = true;
  return {
    add(attributes) {
      const time = readTime(attributes);
      isComplete &&= time !== null;
      oldest = Math.min(oldest, time ?? oldest);
      newest = Math.max(newest, time ?? newest);
    },
    async toCursor({ client, at }, signal) {
      if (!isComplete) return { noCursor: 'the service does not say of everybody when they were last changed, in UTC' };
      if (newest < oldest) return {};
      if (at === null) return { noCursor: 'the service does not say its time' };
      const noCursor = await tryFilters(client, { oldest, newest, at }, signal);
      return noCursor === null ? { cursor: toUserCursor(at) } : { noCursor };
    },
  };
}

interface Times {
  readonly oldest: number;
  readonly newest: number;
  readonly at: number;
}

/**
 * What the service must answer to three filters is known by now: one that ignores them, or takes "greater" for "equal",
 * would hide changes.
 * @returns why it is not gone by; null: it answers rightly
 */
async function tryFilters(
  client: ScimSourceClient,
  { oldest, newest, at }: Times,
  signal: AbortSignal,
): Promise<string | null> {
  const count = async (since: number | null): Promise<number | null> =>
    (await client.readFirst(since === null ? USERS : { ...USERS, filter: toFilter(since) }, signal)).total;
  try {
    const toCome = await count(Math.max(newest, at) + DAY_MS);
    const latest = await count(newest);
    const everybody = await count(null);
    const sinceFirst = await count(oldest - DAY_MS);
    const isRight = toCome === 0 && (latest ?? 0) > 0 && everybody !== null && sinceFirst === everybody;
    return isRight ? null : 'the service does not filter people by meta.lastModified as it should';
  } catch (thrown) {
    const { code, message } = SyncError.from(thrown);
    if (code === 'CursorExpired' || code === 'ReadFailed' || code === 'CredentialsRejected') return message;
    throw thrown;
  }
}

const IN_UTC = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]00:00)$/;

/** Null: none, or one of another zone, which services that compare texts would put in the wrong place. */
function readTime(attributes: Readonly<Record<string, Json>>): number | null {
  const meta = readField(attributes, 'meta') ?? null;
  const text = isObject(meta) ? readField(meta, 'lastModified') : null;
  const time = typeof text === 'string' && IN_UTC.test(text) ? Date.parse(text) : Number.NaN;
  return Number.isNaN(time) ? null : time;
}

/** Whole seconds, as every service writes them, and never later than `time`. */
function printTime(time: number): string {
  return new Date(time).toISOString().replace(/\.\d+Z$/, 'Z');
}

export function toFilter(since: number): string {
  return `meta.lastModified ge "${printTime(since)}"`;
}

/** @param at when the service gave the first page of the read, in milliseconds since 1970 */
export function toCursors(at: number, withGroups: boolean): Cursors {
  return { users: toUserCursor(at), groups: withGroups ? ALL_GROUPS : null };
}

function toUserCursor(at: number): string {
  return printTime(at - OVERLAP_MS);
}

/**
 * @returns since when people are asked for
 * @throws SyncError `CursorExpired` for what is none
 */
export function parseCursors({ users, groups }: Cursors): number {
  const since = IN_UTC.test(users) ? Date.parse(users) : Number.NaN;
  if (!Number.isNaN(since) && (groups === null || groups === ALL_GROUPS)) return since;
  throw new SyncError('CursorExpired', 'what an earlier read left is no time');
}
