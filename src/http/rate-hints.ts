/** What servers say of their rate limits in ordinary answers, so that one slows down before one is refused. */
import { parseRetryAfter } from './backoff.ts';

/** One limit, as it stood when the answer was made. */
export interface RateHint {
  /** Requests that may still be made in this window. */
  readonly remaining: number;
  /** How long the window lasts from now on. */
  readonly resetMs: number;
  /** Requests that a whole window has; null when it was not said. */
  readonly limit: number | null;
}

/** Either nobody starts a request for so long, or one each `everyMs` does, for `forMs`. */
export type Slowdown =
  | { readonly kind: 'pause'; readonly ms: number }
  | { readonly kind: 'pace'; readonly everyMs: number; readonly forMs: number };

/** While more than this share of a window is left there is no hurry to save it: most runs end before. */
const PLENTY = 0.25;
/** A longer wait between two requests is left to the server to ask for, with 429. */
const LONGEST_PACE_MS = 30_000;

type Headers = Readonly<Record<string, string>>;

/**
 * Every limit that an answer names. Understood are:
 * - `RateLimit` and `RateLimit-Policy` of the IETF draft, as `"default";r=50;t=30` or, older, `limit=100, remaining=50, reset=30`
 * - `RateLimit-Limit`, `-Remaining` and `-Reset`, and the same after `X-RateLimit` and `X-Rate-Limit`
 * - `x-ms-throttle-limit-percentage` of Microsoft Graph, which is there once 0.8 of a limit per ten seconds is used up; it
 *   counts units of cost, so that a request is taken for a hundredth of the limit
 *
 * A reset is in seconds from now, or a time in seconds or milliseconds since 1970 (by its size), which is compared with
 * the answer's own `Date` where it has one. A limit of which the rest or the reset is missing is none.
 */
export function parseRateHints(headers: Headers, now: number): readonly RateHint[] {
  const at = toServerTime(headers, now);
  const ofDraft = parseRateLimit(headers, at);
  if (ofDraft.length > 0) return ofDraft;
  const hints = ['ratelimit', 'x-ratelimit', 'x-rate-limit'].map((prefix) => parseTriple(headers, prefix, at));
  return [...hints, parseUsedShare(headers)].filter((hint) => hint !== null);
}

const GRAPH_WINDOW_MS = 10_000;

function parseUsedShare(headers: Headers): RateHint | null {
  const share = toNumber(headers['x-ms-throttle-limit-percentage']);
  if (share === null) return null;
  return { remaining: Math.max(0, Math.round(100 * (1 - share))), resetMs: GRAPH_WINDOW_MS, limit: 100 };
}

/**
 * What the tightest of the limits asks for; null when there is plenty. What remains is spread over the window once a
 * quarter of it is left, or always where the whole is not known.
 * @param underWay requests that were sent and may not be counted in the hints yet
 */
export function computeSlowdown(hints: readonly RateHint[], underWay: number): Slowdown | null {
  let tightest: Slowdown | null = null;
  for (const hint of hints) {
    const slowdown = toSlowdown(hint, underWay);
    if (slowdown !== null && (tightest === null || toWeight(slowdown) > toWeight(tightest))) tightest = slowdown;
  }
  return tightest;
}

/** How long a refusal asks to wait: its `Retry-After`, else what the limits that are used up last; null when it does not. */
export function computeAskedWait(headers: Headers, now: number): number | null {
  const asked = parseRetryAfter(headers['retry-after'], now);
  if (asked !== null) return asked;
  const used = parseRateHints(headers, now).filter(({ remaining }) => remaining === 0);
  return used.length === 0 ? null : Math.max(...used.map(({ resetMs }) => resetMs));
}

function toSlowdown({ remaining, resetMs, limit }: RateHint, underWay: number): Slowdown | null {
  const left = Math.max(0, remaining - underWay);
  if (limit !== null && left > limit * PLENTY) return null;
  if (left === 0) return { kind: 'pause', ms: resetMs };
  return { kind: 'pace', everyMs: Math.min(LONGEST_PACE_MS, resetMs / left), forMs: resetMs };
}

/** Any pause is tighter than any pace. */
function toWeight(slowdown: Slowdown): number {
  return slowdown.kind === 'pause' ? LONGEST_PACE_MS + 1 + slowdown.ms : slowdown.everyMs;
}

/** The server's own clock, for whatever it says in times. */
function toServerTime(headers: Headers, now: number): number {
  const date = Date.parse(headers['date'] ?? '');
  return Number.isNaN(date) ? now : date;
}

function parseTriple(headers: Headers, prefix: string, at: number): RateHint | null {
  return toHint(
    {
      remaining: headers[`${prefix}-remaining`],
      reset: headers[`${prefix}-reset`],
      // `100, 100;w=60`: the limit, then its policies.
      limit: headers[`${prefix}-limit`]?.split(/[,;]/)[0],
    },
    at,
  );
}

function parseRateLimit(headers: Headers, at: number): readonly RateHint[] {
  const text = headers['ratelimit'] ?? '';
  if (/\bremaining\s*=/i.test(text)) {
    const parts = parseParameters(text.split(','));
    const hint = toHint({ remaining: parts['remaining'], reset: parts['reset'], limit: parts['limit'] }, at);
    return hint === null ? [] : [hint];
  }
  const policies = new Map(parseItems(headers['ratelimit-policy']).map((item) => [item.name, item.parameters]));
  const hints = parseItems(text).map(({ name, parameters }) => {
    const policy = policies.get(name) ?? {};
    return toHint({ remaining: parameters['r'], reset: parameters['t'] ?? policy['w'], limit: policy['q'] }, at);
  });
  return hints.filter((hint) => hint !== null);
}

/** `"default";r=50;t=30, "daily";r=900`, as a list of named items with parameters (RFC 9651). */
function parseItems(
  text = '',
): readonly { readonly name: string; readonly parameters: Readonly<Record<string, string>> }[] {
  return text.split(',').map((item) => {
    const [name = '', ...parameters] = item.split(';');
    return { name: name.trim(), parameters: parseParameters(parameters) };
  });
}

function parseParameters(texts: readonly string[]): Readonly<Record<string, string>> {
  const pairs = texts.map((text) => text.split('=').map((part) => part.trim()));
  return Object.fromEntries(pairs.map(([key = '', value = '']) => [key.toLowerCase(), value.replaceAll('"', '')]));
}

function toHint(
  said: { remaining: string | undefined; reset: string | undefined; limit: string | undefined },
  at: number,
): RateHint | null {
  const [remaining, reset, limit] = [toNumber(said.remaining), toNumber(said.reset), toNumber(said.limit)];
  if (remaining === null || reset === null || limit === 0) return null;
  return { remaining, resetMs: toResetMs(reset, at), limit };
}

function toNumber(text: string | undefined): number | null {
  return text !== undefined && /^\s*\d+(\.\d+)?\s*$/.test(text) ? Number(text) : null;
}

/** No window lasts 30 years, and no clock of a server stands in 1970. */
function toResetMs(reset: number, at: number): number {
  if (reset >= 1e12) return Math.max(0, reset - at);
  if (reset >= 1e9) return Math.max(0, reset * 1000 - at);
  return reset * 1000;
}
