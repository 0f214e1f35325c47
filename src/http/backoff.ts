/** How long to wait before a request is sent again. */

/** A wait that the other side asks for and that is longer than this ends the run instead: the work queue waits better. */
export const MAX_WAIT_MS = 300_000;
const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 30_000;

/**
 * Exponential backoff with full jitter: any time up to 0.5 s after the first attempt, 1 s after the second, and so on,
 * at most 30 s. Full jitter, because clients that were refused together must not come back together.
 */
export function computeBackoff(attempt: number, random: () => number): number {
  return Math.round(random() * Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** (attempt - 1)));
}

/**
 * Milliseconds that a `Retry-After` header asks for (RFC 9110 section 10.2.3): seconds or an HTTP date. A date that has
 * passed is 0. Null when the header is missing or neither of the two.
 */
export function parseRetryAfter(value: string | undefined, now: number): number | null {
  const text = value?.trim() ?? '';
  if (/^\d+(\.\d+)?$/.test(text)) return Math.ceil(Number(text) * 1000);
  // Date.parse takes nearly anything; an HTTP date begins with the name of a weekday.
  if (!/^(Mon|Tue|Wed|Thu|Fri|Sat|Sun)/i.test(text)) return null;
  const at = Date.parse(text);
  return Number.isNaN(at) ? null : Math.max(0, at - now);
}
