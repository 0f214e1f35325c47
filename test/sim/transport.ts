/** The network between a process and the server, below the HTTP client: virtual time, and every way to fail. */
import { SyncError } from '../../src/errors.ts';
import type { HttpRequest, HttpResponse } from '../../src/http/client.ts';
import type { Exchange, Failure, Transport } from '../../src/http/exchange.ts';
import type { VirtualClock } from './clock.ts';
import type { HttpFaultKind } from './faults.ts';
import type { Seam } from './process.ts';
import type { Random } from './random.ts';
import type { ServerAnswer } from './server.ts';

/** One request under way. */
export interface Passage {
  /** What becomes of it; null: it goes through. */
  readonly fault: HttpFaultKind | null;
  /** The server has it. May happen twice, or after everybody has given it up. */
  readonly arrive: () => ServerAnswer;
  /** The client knows how it ended. */
  readonly end: (outcome: string, response: HttpResponse | null) => void;
}

export interface Network {
  readonly clock: VirtualClock;
  readonly random: Random;
  readonly open: (request: HttpRequest) => Passage;
}

export function createTransport(seamOf: () => Seam, network: Network): Transport {
  return (request, { timeoutMs }) => seamOf().wait(request.method, () => exchangeOnce(request, timeoutMs, network));
}

function exchangeOnce(request: HttpRequest, timeoutMs: number, { clock, random, open }: Network): Promise<Exchange> {
  return new Promise((resolve, reject) => {
    if (request.signal.aborted) return reject(toAborted());
    const passage = open(request);
    let over = false;
    const end = (outcome: string, response: HttpResponse | null, settle: () => void): void => {
      if (over) return;
      over = true;
      request.signal.removeEventListener('abort', abort);
      passage.end(outcome, response);
      settle();
    };
    const abort = (): void => end('aborted', null, () => reject(toAborted()));
    request.signal.addEventListener('abort', abort, { once: true });
    const trip: Trip = {
      timeoutMs,
      random,
      arrive: passage.arrive,
      wall: clock.wall,
      after: (ms, action) => void clock.after(ms, action),
      // Answers take their time too, so that requests that run side by side end in any order.
      answer: (response, ms = 1 + random.below(20)) =>
        void clock.after(ms, () => end(String(response.status), response, () => resolve({ response }))),
      fail: (failure, ms = 1) => void clock.after(ms, () => end(failure.what, null, () => resolve({ failure }))),
    };
    TRIPS[passage.fault ?? 'through'](trip);
  });
}

function toAborted(): SyncError {
  return new SyncError('Aborted', 'the run was ended before it was done');
}

interface Trip {
  readonly timeoutMs: number;
  readonly random: Random;
  readonly arrive: () => ServerAnswer;
  /** The machine's clock. */
  readonly wall: () => number;
  after(ms: number, action: () => void): void;
  answer(response: HttpResponse, ms?: number): void;
  fail(failure: Failure, ms?: number): void;
}

const TIMEOUT: Failure = { what: 'does not answer in time', sent: true, passing: true };
const CLOSED: Failure = { what: 'closes the connection without an answer (ECONNRESET)', sent: true, passing: true };
const BROKEN_OFF: Failure = { what: 'breaks off in the middle of an answer', sent: true, passing: true };
const REFUSED: Failure = { what: 'does not answer (ECONNREFUSED)', sent: false, passing: true };

const JSON_TYPE = { 'content-type': 'application/scim+json' };

function toResponse({ status, headers, body }: ServerAnswer): HttpResponse {
  return { status, headers: { ...headers }, body };
}

/** Once the request has travelled, and with what the server says to it. */
function onArrival({ random, arrive, after }: Trip, act: (answer: ServerAnswer) => void): void {
  after(1 + random.below(20), () => act(arrive()));
}

const refuse =
  (status: number, headers: Record<string, string> = {}, body = '') =>
  (trip: Trip): void =>
    trip.answer({ status, headers: { ...JSON_TYPE, ...headers }, body }, 5);

const PAGE = '<html><body>Please sign in to the guest network</body></html>';

const TRIPS: Readonly<Record<HttpFaultKind | 'through', (trip: Trip) => void>> = {
  through: (trip) => onArrival(trip, (answer) => trip.answer(toResponse(answer))),
  refused: (trip) => trip.fail(REFUSED),
  lostRequest: (trip) => trip.fail(TIMEOUT, trip.timeoutMs),
  lostResponse: (trip) => onArrival(trip, () => trip.fail(CLOSED)),
  late(trip) {
    trip.fail(TIMEOUT, trip.timeoutMs);
    trip.after(trip.timeoutMs + trip.random.below(trip.timeoutMs), () => trip.arrive());
  },
  doubled: (trip) =>
    onArrival(trip, (first) => {
      const second = trip.arrive();
      trip.answer(toResponse(trip.random.chance(0.5) ? first : second));
    }),
  half: (trip) => onArrival(trip, () => trip.fail(BROKEN_OFF)),
  halfJson: (trip) =>
    onArrival(trip, (answer) => {
      const { body } = toResponse(answer);
      trip.answer({ ...toResponse(answer), body: body.slice(0, Math.floor(body.length / 2)) });
    }),
  throttled: (trip) => refuse(429, { 'retry-after': String(1 + trip.random.below(30)) })(trip),
  // In whole seconds, as HTTP dates are.
  throttledUntil: (trip) =>
    refuse(429, { 'retry-after': new Date(trip.wall() + 1000 * (2 + trip.random.below(30))).toUTCString() })(trip),
  // It went through, and was the last one for now.
  usedUp: (trip) =>
    onArrival(trip, (answer) => {
      const { headers, ...rest } = toResponse(answer);
      const reset = String(1 + trip.random.below(30));
      trip.answer({
        ...rest,
        headers: { ...headers, 'ratelimit-limit': '9', 'ratelimit-remaining': '0', 'ratelimit-reset': reset },
      });
    }),
  // The server knows the token no more.
  revoked: (trip) => onArrival(trip, (answer) => trip.answer(toResponse(answer))),
  throttledLong: refuse(429, { 'retry-after': '3600' }),
  busy: refuse(503, { 'retry-after': '5' }),
  unavailable: refuse(503),
  errorBefore: refuse(500),
  errorAfter: (trip) => onArrival(trip, () => refuse(500)(trip)),
  gatewayTimeout: (trip) => onArrival(trip, () => refuse(504, { 'content-type': 'text/html' }, PAGE)(trip)),
  html: refuse(200, { 'content-type': 'text/html' }, PAGE),
  hang: (trip) => onArrival(trip, (answer) => trip.answer(toResponse(answer), trip.timeoutMs - 1000)),
  forbidden: refuse(403),
};
