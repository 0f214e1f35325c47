/** One request and its answer over node:http or node:https, without any repetition. */

import http from 'node:http';
import https from 'node:https';
import { SyncError } from '../errors.ts';
import type { BodySink, HttpRequest, HttpResponse } from './client.ts';
import { toOrigin } from './redact.ts';

export interface Wire {
  readonly agents: { readonly http: http.Agent; readonly https: https.Agent };
  /** How long may pass without a byte, connecting included. */
  readonly timeoutMs: number;
  readonly maxBodyBytes: number;
}

/** Either the whole answer, or why there is none. */
export type Exchange = { readonly response: HttpResponse } | { readonly failure: Failure };

export interface Failure {
  /** What the other side does, to be put behind its address: `does not answer (ECONNREFUSED)`. */
  readonly what: string;
  /** The request may have reached the other side. */
  readonly sent: boolean;
  /** Another attempt may go better. */
  readonly passing: boolean;
  readonly cause?: unknown;
}

/**
 * One request and its answer, without any repetition. Rejects only when the signal aborts (SyncError `Aborted`), and with
 * what the sink of the body throws.
 */
export type Transport = (request: HttpRequest, wire: Wire) => Promise<Exchange>;

/** @see Transport */
export async function exchange(request: HttpRequest, wire: Wire): Promise<Exchange> {
  if (request.signal.aborted) throw toAborted(request.signal.reason);
  const result = await start(request, wire);
  if ('failure' in result && request.signal.aborted) throw toAborted(result.failure.cause);
  return 'response' in result ? judge(request, result.response) : result;
}

function toAborted(cause: unknown): SyncError {
  return new SyncError('Aborted', 'the run was ended before it was done', { cause });
}

function start(request: HttpRequest, wire: Wire): Promise<Exchange> {
  const url = new URL(request.url);
  const secure = url.protocol === 'https:';
  return new Promise((resolve, reject) => {
    let connected = false;
    let stopped: Failure | null = null;
    let isTaking = false;
    const outgoing = (secure ? https : http).request(url, {
      method: request.method,
      agent: secure ? wire.agents.https : wire.agents.http,
      headers: toHeaders(request),
      signal: request.signal,
    });
    const timer = setTimeout(() => {
      // Whoever takes the body piece by piece is slow, and not the other side.
      if (isTaking) {
        timer.refresh();
        return;
      }
      stopped = { what: 'does not answer in time', sent: connected, passing: true };
      outgoing.destroy();
    }, wire.timeoutMs);
    const settle = (result: Exchange) => {
      clearTimeout(timer);
      resolve(stopped === null ? result : { failure: stopped });
    };

    outgoing.on('socket', (socket) => {
      if (!socket.connecting) connected = true;
      else socket.once('connect', () => (connected = true));
    });
    outgoing.on('error', (cause) => settle({ failure: toFailure(cause, connected) }));
    outgoing.on('response', (incoming) => {
      const most = request.mostBytes ?? wire.maxBodyBytes;
      const chunks: Buffer[] = [];
      let bytes = 0;
      const fail = (thrown: unknown): void => {
        clearTimeout(timer);
        outgoing.destroy();
        reject(thrown);
      };
      let sink: BodySink | null = null;
      try {
        sink = request.sink?.(toHead(incoming)) ?? null;
      } catch (thrown) {
        fail(thrown);
        return;
      }
      incoming.on('data', (chunk: Buffer) => {
        timer.refresh();
        bytes += chunk.length;
        if (sink !== null) {
          isTaking = true;
          incoming.pause();
          sink.write(chunk).then(() => {
            isTaking = false;
            timer.refresh();
            incoming.resume();
          }, fail);
          return;
        }
        chunks.push(chunk);
        if (bytes <= most) return;
        chunks.length = 0;
        if (request.mostBytes === undefined)
          stopped = { what: `answers with more than ${most} bytes`, sent: true, passing: false };
        else settle({ response: { ...toHead(incoming), body: '', bytes: null } });
        incoming.destroy();
      });
      incoming.on('error', (cause) => settle({ failure: { ...BROKEN_OFF, cause } }));
      incoming.on('close', () =>
        settle(
          isWhole(incoming, bytes) ? { response: toResponse(request, incoming, chunks) } : { failure: BROKEN_OFF },
        ),
      );
    });
    outgoing.end(request.body);
  });
}

const BROKEN_OFF: Failure = { what: 'breaks off in the middle of an answer', sent: true, passing: true };

function toHeaders(request: HttpRequest): Record<string, string> {
  const headers: Record<string, string> = { 'accept-encoding': 'identity', ...request.headers };
  if (request.body !== undefined) headers['content-length'] = String(Buffer.byteLength(request.body));
  return headers;
}

/** `complete` is false when the connection ended before the length or the last chunk that was announced. */
function isWhole(incoming: http.IncomingMessage, bytes: number): boolean {
  const announced = incoming.headers['content-length'];
  return incoming.complete && (announced === undefined || bytes >= Number(announced));
}

function toResponse(
  { mostBytes }: HttpRequest,
  incoming: http.IncomingMessage,
  chunks: readonly Buffer[],
): HttpResponse {
  const bytes = Buffer.concat(chunks);
  // What is wrong is told in words, whatever was wanted.
  const isText = mostBytes === undefined || incoming.statusCode !== 200;
  return { ...toHead(incoming), ...(isText ? { body: bytes.toString('utf8') } : { body: '', bytes }) };
}

function toHead(incoming: http.IncomingMessage): Omit<HttpResponse, 'body'> {
  const headers = Object.entries(incoming.headers).map(([name, value]) => [
    name,
    Array.isArray(value) ? value.join(', ') : (value ?? ''),
  ]);
  return {
    status: incoming.statusCode ?? 0,
    headers: Object.fromEntries(headers),
  };
}

/** Nothing left this machine for the other side, whatever the method. */
const NOT_SENT = new Set(['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN']);
const CERTIFICATE_ENDS: Readonly<Record<string, string>> = {
  CERT_HAS_EXPIRED: 'has a certificate that has expired, and must renew it',
  CERT_NOT_YET_VALID: 'has a certificate that is not valid yet; compare the clocks',
};
/** What to look at, where the code says it. */
const ADVICE: Readonly<Record<string, string>> = {
  ECONNREFUSED: '; is it running, and is the URL right?',
  ENOTFOUND: '; check the host name in the URL',
  EAI_AGAIN: '; can this machine look up names?',
  EHOSTUNREACH: '; can it be reached from this machine?',
  ENETUNREACH: '; can it be reached from this machine?',
  ETIMEDOUT: '; can it be reached from this machine?',
};
const CERTIFICATE = /CERT|SELF_SIGNED|UNABLE_TO_(VERIFY|GET)|ERR_TLS|ERR_SSL|EPROTO/;

function toFailure(cause: unknown, connected: boolean): Failure {
  const { code = 'no code', syscall } = cause as NodeJS.ErrnoException;
  const neverConnected = NOT_SENT.has(code) || syscall === 'connect' || syscall === 'getaddrinfo';
  const end = CERTIFICATE_ENDS[code];
  if (end !== undefined) return { what: `${end} (${code})`, sent: false, passing: false, cause };
  if (CERTIFICATE.test(code)) {
    return { what: `cannot be trusted or does not speak TLS (${code})`, sent: false, passing: false, cause };
  }
  if (code.startsWith('HPE_')) return { what: `does not speak HTTP (${code})`, sent: true, passing: false, cause };
  const verb = connected && !neverConnected ? 'closes the connection without an answer' : 'does not answer';
  return { what: `${verb} (${code})${ADVICE[code] ?? ''}`, sent: connected && !neverConnected, passing: true, cause };
}

/** Answers that were given but are none that a caller may act on. */
function judge(request: HttpRequest, response: HttpResponse): Exchange {
  const encoding = response.headers['content-encoding'] ?? 'identity';
  if (encoding !== 'identity' && (response.body !== '' || response.bytes !== undefined)) {
    return { failure: { what: 'answers in an encoding that it was not asked for', sent: true, passing: false } };
  }
  const location = response.headers['location'];
  const isRedirect = response.status >= 300 && response.status < 400 && response.status !== 304;
  if (!isRedirect || request.returnsRedirects === true) return { response };
  const base = URL.canParse(location ?? '', request.url) ? new URL(location ?? '', request.url).href : '';
  const where = base === '' ? '' : ` to ${toOrigin(base)}`;
  return {
    failure: { what: `redirects${where}, which is not followed; check the URL`, sent: false, passing: false },
  };
}
