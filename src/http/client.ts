/** The one HTTP client: the only place that opens connections to sources and targets. */

import http from 'node:http';
import https from 'node:https';
import { TLSSocket } from 'node:tls';
import { type ErrorCode, SyncError } from '../errors.ts';
import { computeBackoff, MAX_WAIT_MS } from './backoff.ts';
import type { RateBudget } from './budget.ts';
import { type Exchange, exchange, type Failure, type Transport, type Wire } from './exchange.ts';
import { computeAskedWait, parseRateHints } from './rate-hints.ts';
import { toOrigin } from './redact.ts';
import { systemTiming, type Timing } from './timing.ts';
import { toSecureContext } from './trust.ts';

export interface HttpRequest {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  readonly url: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Already serialised; its type is said by `headers`. */
  readonly body?: string;
  /**
   * May this be sent again after a failure that leaves open whether it was carried out? GET, PUT and DELETE always may
   * (RFC 9110 section 9.2.2).
   */
  readonly repeatable: boolean;
  /** Does an answer say "later" in a way of its own, beside 429? It was not carried out then. */
  readonly isThrottled?: (response: HttpResponse) => boolean;
  /** The body is wanted as bytes, and is at most so long: of a longer one nothing is kept. */
  readonly mostBytes?: number;
  /** Answers of 3xx come back as they are, for whoever follows them; without it they are a failure. */
  readonly returnsRedirects?: boolean;
  /** It asks for a token, and is not counted in `sent`. */
  readonly forToken?: boolean;
  /**
   * Takes the body of an answer piece by piece instead of `body`, which is then empty; without a limit but its own. Asked
   * with the head of every answer, so again when a request is repeated. Null: the body is read as usual. What it throws
   * ends the request.
   */
  readonly sink?: (head: Pick<HttpResponse, 'status' | 'headers'>) => BodySink | null;
  readonly signal: AbortSignal;
}

export interface BodySink {
  /** The next piece is read when this one was taken. */
  write(chunk: Buffer): Promise<void>;
}

export interface HttpResponse {
  readonly status: number;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  /** Empty where bytes were wanted. */
  readonly body: string;
  /** Only where bytes were wanted; null: there are more than `mostBytes`. */
  readonly bytes?: Uint8Array | null;
}

/** The answer to the last attempt. */
export interface LastResponse extends HttpResponse {
  /** An earlier attempt of this write may have been carried out: a refusal does not say that nothing was done. */
  readonly mayBeDone: boolean;
}

/** Answers of any status but redirects come back; it throws SyncError when no whole answer came. */
export interface HttpClient {
  send(request: HttpRequest): Promise<LastResponse>;
  /** Requests sent so far, retries included and those for tokens left out. */
  readonly sent: number;
}

/** What happened to one attempt, for metrics. */
export interface Attempt {
  readonly method: HttpRequest['method'];
  /** The status, or `none` when no whole answer came. */
  readonly code: string;
}

export interface HttpClientOptions {
  readonly userAgent: string;
  /** What an error is called: a source that does not answer is a failed read. */
  readonly unavailable: Extract<ErrorCode, 'TargetUnavailable' | 'ReadFailed'>;
  readonly budget: RateBudget;
  /** How long one attempt may go without a byte, connecting included. */
  readonly timeoutMs: number;
  /** Connections kept open at most. */
  readonly concurrency: number;
  /** 4 by default. */
  readonly maxAttempts?: number;
  /** Headers of every request. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Certificates of authorities in PEM that are trusted beside the system's. */
  readonly ca?: string;
  /** Told, with each new connection, when the certificate of the other side ends; milliseconds since 1970. */
  readonly onCertificate?: (expiresAt: number) => void;
  /** 64 MiB by default; a longer answer is an error. */
  readonly maxBodyBytes?: number;
  readonly timing?: Timing;
  /** How one request and its answer travel; node:http and node:https by default. */
  readonly transport?: Transport;
  readonly onAttempt?: (attempt: Attempt) => void;
}

/** A client with connections of its own. */
export interface PooledHttpClient extends HttpClient {
  /** Closes idle connections; what is under way is cut off. */
  close(): void;
}

/**
 * Repeats, with exponential backoff and full jitter, what is safe to repeat:
 * - every method when nothing was sent (no connection), on 429 and what the request takes for it, and on 503 with
 *   Retry-After: it was not processed
 * - GET, PUT, DELETE and what says `repeatable` also on 408, 500, 502, 503, 504 and on a lost answer
 *
 * After the last attempt an answer is returned as it is; a lost one throws `unavailable`, with `outcomeUnknown` when a
 * write may have been carried out. `Retry-After` is obeyed by everybody who shares the budget; one of more than 5
 * minutes throws at once with that wait as `retry`. So are the headers that say how much of a rate limit is left.
 */
export function createHttpClient(options: HttpClientOptions): PooledHttpClient {
  const pool = { keepAlive: true, maxSockets: options.concurrency, scheduling: 'lifo' } as const;
  const agents = {
    http: new http.Agent(pool),
    https: createSecureAgent(pool, options),
  };
  const wire: Wire = { agents, timeoutMs: options.timeoutMs, maxBodyBytes: options.maxBodyBytes ?? 64 * 1024 * 1024 };
  const timing = options.timing ?? systemTiming;
  const transport = options.transport ?? exchange;
  const maxAttempts = options.maxAttempts ?? 4;
  const headers = { 'user-agent': options.userAgent, ...options.headers };
  let sent = 0;

  function heed({ headers: said }: HttpResponse): void {
    const hints = parseRateHints(said, timing.now());
    if (hints.length > 0) options.budget.heed(hints);
  }

  async function attempt(request: HttpRequest, count: number): Promise<Attempted> {
    const release = await options.budget.acquire(request.signal);
    try {
      if (request.forToken !== true) sent += 1;
      const result = await transport(request, wire);
      if ('response' in result) heed(result.response);
      options.onAttempt?.({
        method: request.method,
        code: 'response' in result ? String(result.response.status) : 'none',
      });
      const wait = computeWait(request, result, { attempt: count, timing });
      // While this one still has its place: whoever waits for it would start at once.
      if (wait.isThrottled && wait.ms <= MAX_WAIT_MS) options.budget.pause(wait.ms);
      return { result, wait };
    } finally {
      release();
    }
  }

  /** Resolves once another attempt may be made, and to false when none is worth it. */
  async function prepareNext(request: HttpRequest, wait: Wait, count: number, mayBeDone: boolean): Promise<boolean> {
    if (wait.isThrottled) throwIfTooLong(request, { ms: wait.ms, mayBeDone, code: options.unavailable });
    if (!wait.isWorthIt || count >= maxAttempts) return false;
    if (!wait.isThrottled) await timing.sleep(wait.ms, request.signal).catch(rethrowAbort);
    return true;
  }

  return {
    async send(request) {
      const whole = { ...request, headers: { ...headers, ...request.headers } };
      let { result, wait } = await attempt(whole, 1);
      let mayBeDone = false;
      for (let count = 1; await prepareNext(request, wait, count, mayBeDone); count += 1) {
        mayBeDone ||= isDoubtful(request, result, wait);
        ({ result, wait } = await attempt(whole, count + 1));
      }
      if ('response' in result) return { ...result.response, mayBeDone };
      throw toSyncError(request, { ...result.failure, mayBeDone, code: options.unavailable });
    },
    get sent() {
      return sent;
    },
    close() {
      agents.http.destroy();
      agents.https.destroy();
    },
  };
}

function createSecureAgent(
  pool: http.AgentOptions,
  { ca, onCertificate }: Pick<HttpClientOptions, 'ca' | 'onCertificate'>,
): https.Agent {
  const agent = new https.Agent({ ...pool, ...(ca === undefined ? {} : { secureContext: toSecureContext(ca) }) });
  if (onCertificate === undefined) return agent;
  const connect = agent.createConnection.bind(agent);
  agent.createConnection = (connection, callback) => {
    const socket = connect(connection, callback);
    if (socket instanceof TLSSocket) {
      socket.once('secureConnect', () => {
        // Without any where the connection was resumed: it was told of when it was made.
        const expiresAt = Date.parse(socket.getPeerCertificate().valid_to ?? '');
        if (!Number.isNaN(expiresAt)) onCertificate(expiresAt);
      });
    }
    return socket;
  };
  return agent;
}

interface Wait {
  readonly isWorthIt: boolean;
  readonly ms: number;
  /** The other side said "later": it was not processed, and everybody waits. */
  readonly isThrottled: boolean;
}

interface Attempted {
  readonly result: Exchange;
  readonly wait: Wait;
}

const PASSING_STATUS = new Set([408, 500, 502, 503, 504]);

function computeWait(request: HttpRequest, result: Exchange, at: { attempt: number; timing: Timing }): Wait {
  const ms = computeBackoff(at.attempt, at.timing.random);
  const isSafe = request.repeatable || ['GET', 'PUT', 'DELETE'].includes(request.method);
  if ('failure' in result) {
    const { passing, sent } = result.failure;
    return { isWorthIt: passing && (isSafe || !sent), ms, isThrottled: false };
  }
  const { status, headers } = result.response;
  const asked = computeAskedWait(headers, at.timing.now());
  const isLater = status === 429 || request.isThrottled?.(result.response) === true;
  if (isLater || (status === 503 && headers['retry-after'] !== undefined && asked !== null)) {
    return { isWorthIt: true, ms: asked ?? ms, isThrottled: true };
  }
  return { isWorthIt: isSafe && PASSING_STATUS.has(status), ms, isThrottled: false };
}

/** A write that was sent and got no answer, or that of something in between (504), or of a server that broke over it. */
function isDoubtful({ method }: HttpRequest, result: Exchange, { isThrottled }: Wait): boolean {
  if (method === 'GET' || isThrottled) return false;
  return 'failure' in result ? result.failure.sent : PASSING_STATUS.has(result.response.status);
}

interface End {
  readonly mayBeDone: boolean;
  readonly code: HttpClientOptions['unavailable'];
}

function throwIfTooLong(request: HttpRequest, { ms, mayBeDone, code }: End & { readonly ms: number }): void {
  if (ms <= MAX_WAIT_MS) return;
  const message = `${toOrigin(request.url)} is throttling and asks to come back in more than 5 minutes`;
  throw new SyncError(code, message, { retry: { afterMs: ms }, outcomeUnknown: mayBeDone });
}

function toSyncError(request: HttpRequest, { what, sent, cause, mayBeDone, code }: End & Failure): SyncError {
  return new SyncError(code, `${toOrigin(request.url)} ${what}`, {
    outcomeUnknown: mayBeDone || (sent && request.method !== 'GET'),
    cause,
  });
}

function rethrowAbort(thrown: unknown): never {
  throw SyncError.from(thrown);
}
