/**
 * Cursors of RFC 9865. A cursor holds the place after which its page begins, so nothing is kept for it: a list goes on
 * where it stopped whatever was made, changed or deleted meanwhile, after a restart too.
 */

import { createHash } from 'node:crypto';
import type { Json } from '../model.ts';
import type { ResourceType } from './catalog.ts';
import { toBadRequest } from './refusal.ts';
import type { SortKey } from './sort.ts';

/** The last resource of a page. */
export interface Position {
  readonly type: ResourceType;
  readonly seq: number;
  /** What it was sorted by then; null in a list that is not sorted. */
  readonly key: SortKey;
}

/** What a cursor belongs to. */
export interface CursorScope {
  /** Equal for requests that differ in their cursor, and `count`, alone. */
  readonly fingerprint: string;
  readonly count: number;
  readonly timeoutSeconds: number;
  readonly now: Date;
}

export function toFingerprint(parameters: Json): string {
  return createHash('sha256').update(JSON.stringify(parameters)).digest('base64url').slice(0, 12);
}

/** In the unreserved characters of RFC 3986. */
export function printCursor({ type, seq, key }: Position, { fingerprint, count, now }: CursorScope): string {
  return Buffer.from(JSON.stringify([fingerprint, count, now.getTime(), type, seq, key])).toString('base64url');
}

/** Refuses with 400 invalidCursor, invalidCount or expiredCursor. */
export function parseCursor(text: string, { fingerprint, count, timeoutSeconds, now }: CursorScope): Position {
  const [made, firstCount, issued, type, seq, key] = readParts(text);
  if (made !== fingerprint || (type !== 'User' && type !== 'Group')) throw toInvalid();
  if (typeof seq !== 'number' || typeof issued !== 'number' || (typeof key === 'object' && key !== null))
    throw toInvalid();
  if (firstCount !== count) {
    throw toBadRequest('invalidCount', `"count" must stay ${String(firstCount)}, as on the first page`);
  }
  if (now.getTime() - issued > timeoutSeconds * 1000) {
    throw toBadRequest('expiredCursor', `the cursor is older than ${timeoutSeconds} seconds: begin again without one`);
  }
  return { type, seq, key: key ?? null };
}

function readParts(text: string): readonly Json[] {
  try {
    const parts = JSON.parse(Buffer.from(text, 'base64url').toString('utf8'));
    if (Array.isArray(parts)) return parts;
  } catch {
    // No cursor of this directory: refused like one of another list.
  }
  throw toInvalid();
}

function toInvalid() {
  return toBadRequest(
    'invalidCursor',
    'the cursor belongs to no such list: send the "nextCursor" of the page before, with the same parameters',
  );
}
