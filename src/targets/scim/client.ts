/** Requests to a SCIM service (RFC 7644): credentials, JSON, and the one switch from status to error. */

import { SyncError } from '../../errors.ts';
import { createAuthorizer, sendAuthorized } from '../../http/authorization.ts';
import type { HttpClient, HttpRequest, HttpResponse, LastResponse } from '../../http/client.ts';
import type { HttpCredentials } from '../../http/credentials.ts';
import { computeAskedWait } from '../../http/rate-hints.ts';
import { redact, toOrigin } from '../../http/redact.ts';
import type { Json } from '../../model.ts';
import { readField, toObject } from './convert.ts';

export type JsonObject = { readonly [key: string]: Json };

export interface ScimRequest {
  readonly method: HttpRequest['method'];
  /** Behind the base URL, each part encoded: `/Users/2819c223`. */
  readonly path: string;
  readonly query?: Readonly<Record<string, string>>;
  readonly body?: JsonObject;
  /** Version that the object must still have. */
  readonly ifMatch?: string | null;
  /** Would a second time change nothing more? GET, PUT and DELETE need not say it. */
  readonly repeatable?: boolean;
  /** 403 may mean this request alone and comes back as an answer: the caller finds out whether it does. */
  readonly mayBeForbidden?: boolean;
}

export interface ScimAnswer {
  readonly request: ScimRequest;
  readonly status: number;
  readonly headers: HttpResponse['headers'];
  /** The body where it is a JSON object (or list, under `Resources`); null for anything else. */
  readonly body: JsonObject | null;
  readonly isHTML: boolean;
  /** Characters of the body. */
  readonly length: number;
  /** An earlier attempt of this write may have been carried out, whatever this answer says. */
  readonly mayBeDone: boolean;
}

export interface ScimClient {
  /** Scheme and host, for messages. */
  readonly origin: string;
  /**
   * Answers of any status come back but 401 and 403: these throw `CredentialsRejected`, and so does every later call,
   * without a request (T7). A 403 to a change of one object comes back too, unless nothing but that was answered.
   */
  send(request: ScimRequest, signal: AbortSignal): Promise<ScimAnswer>;
  /** As `send`, and throws what `toScimError` says of an answer that is no success. */
  request(request: ScimRequest, signal: AbortSignal): Promise<ScimAnswer>;
  /** A change was carried out, as the answer to several says: these credentials may change something. */
  noteChanged(): void;
}

/** Sent and preferred is SCIM's own type (RFC 7644 section 3.1); some services know JSON only. */
const SCIM_JSON = 'application/scim+json';

export interface ScimClientOptions {
  readonly baseUrl: string;
  readonly credentials: HttpCredentials;
  /** The Secret that they come from, for messages. */
  readonly where: string;
  /** Headers of every request beside its own. */
  readonly headers: Readonly<Record<string, string>>;
  readonly http: HttpClient;
  readonly now: () => Date;
}

export function createScimClient(options: ScimClientOptions): ScimClient {
  const { baseUrl, http, where, now } = options;
  const origin = toOrigin(baseUrl);
  const authorizer = createAuthorizer(options.credentials, {
    http,
    where,
    unavailable: 'TargetUnavailable',
    now: () => now().getTime(),
  });
  const judge = createJudge();
  let rejected: SyncError | null = null;

  async function attempt(request: ScimRequest, authorization: string, signal: AbortSignal): Promise<LastResponse> {
    return http.send({
      method: request.method,
      url: `${baseUrl}${request.path}${toQuery(request.query)}`,
      headers: { ...options.headers, ...toHeaders(request, authorization) },
      ...(request.body === undefined ? {} : { body: JSON.stringify(request.body) }),
      repeatable: request.repeatable ?? false,
      signal,
    });
  }

  async function send(request: ScimRequest, signal: AbortSignal): Promise<ScimAnswer> {
    if (rejected !== null) throw rejected;
    try {
      const sendWith = (authorization: string): Promise<LastResponse> => attempt(request, authorization, signal);
      const response = await sendAuthorized(authorizer, sendWith, signal);
      if (!judge.isRejection(request, response.status)) return toAnswer(request, response);
      throw new SyncError(
        'CredentialsRejected',
        `${origin} rejects the credentials (${response.status}); check ${where}`,
        { outcomeUnknown: response.mayBeDone },
      );
    } catch (thrown) {
      const error = SyncError.from(thrown);
      if (error.code !== 'CredentialsRejected') throw error;
      rejected ??= error;
      throw rejected;
    }
  }

  return {
    origin,
    send,
    request: async (request, signal) => requireSuccess(await send(request, signal), origin),
    noteChanged: judge.noteChanged,
  };
}

/** Changes that may be forbidden, one after another from the first, before the credentials are those of a mere reader. */
const FORBIDDEN_AT_FIRST = 5;

/**
 * Whether a status says that the credentials are refused. A 403 to a change of one object may be about that object (the
 * last owner), and must not stop the others; from whoever may change something it is never more.
 */
function createJudge(): { isRejection(request: ScimRequest, status: number): boolean; noteChanged(): void } {
  let mayWrite = false;
  let forbidden = 0;
  return {
    noteChanged: () => {
      mayWrite = true;
    },
    isRejection({ method, path, mayBeForbidden = false }, status) {
      // An answer to several changes says nothing of any of them.
      if (method !== 'GET' && path !== '/Bulk' && status < 300) mayWrite = true;
      if (status !== 403) return status === 401;
      if (mayBeForbidden) return false;
      if (method !== 'PATCH' && method !== 'PUT') return true;
      forbidden += 1;
      return !mayWrite && forbidden >= FORBIDDEN_AT_FIRST;
    },
  };
}

/** A page of a proxy (a sign-in, a network for guests) has carried nothing out, whatever its status says. */
export function isSuccess({ status, isHTML, length }: ScimAnswer): boolean {
  return status >= 200 && status < 300 && !(isHTML && length > 0);
}

/** Throws what `toScimError` says of an answer that is no success. */
export function requireSuccess(answer: ScimAnswer, origin: string): ScimAnswer {
  if (!isSuccess(answer)) throw toScimError(answer, origin);
  return answer;
}

/** `encodeURIComponent` also encodes `+`, which many servers would read as a blank. */
function toQuery(query: Readonly<Record<string, string>> = {}): string {
  const pairs = Object.entries(query).map(([key, value]) => `${key}=${encodeURIComponent(value)}`);
  return pairs.length > 0 ? `?${pairs.join('&')}` : '';
}

function toHeaders(request: ScimRequest, authorization: string): Record<string, string> {
  const headers: Record<string, string> = { authorization, accept: `${SCIM_JSON}, application/json` };
  if (request.body !== undefined) headers['content-type'] = SCIM_JSON;
  if (typeof request.ifMatch === 'string') headers['if-match'] = request.ifMatch;
  return headers;
}

function toAnswer(request: ScimRequest, response: LastResponse): ScimAnswer {
  const { status, headers, body, mayBeDone } = response;
  const isHTML = /^\s*</.test(body) || (headers['content-type'] ?? '').toLowerCase().includes('text/html');
  return { request, status, headers, body: isHTML ? null : parseObject(body), isHTML, length: body.length, mayBeDone };
}

function parseObject(text: string): JsonObject | null {
  try {
    const value: Json = JSON.parse(text.replace(/^\uFEFF/, ''));
    return Array.isArray(value) ? { Resources: value } : toObject(value);
  } catch {
    return null;
  }
}

/** The resource of an answer. Throws when there is none: a proxy's page, half an interface, another service. */
export function requireBody(answer: ScimAnswer, origin: string): JsonObject {
  if (answer.body !== null) return answer.body;
  throw toUnreadable(answer, origin);
}

function toUnreadable(answer: ScimAnswer, origin: string): SyncError {
  const what = answer.isHTML ? 'an HTML page, not SCIM' : 'something that is not JSON';
  return new SyncError('TargetUnavailable', `${origin} answered with ${what}; check the URL`, {
    outcomeUnknown: answer.request.method !== 'GET',
  });
}

/**
 * What an answer that is no success means (RFC 7644 section 3.12), decided by the status, for bodies of proxies say
 * anything:
 * - 400, 413 and other 4xx → `TargetRejected`; 404 → `NotFound`; 409 → `Conflict`; 412 → `PreconditionFailed`
 * - an HTML page with 404 → `TargetUnavailable`: that is an address without SCIM, and no object that is gone
 * - 429 and 5xx → `TargetUnavailable`; a 500 ends one write only, for a server may fail on one record alone
 *
 * A refusal of the last attempt leaves open what became of those before it.
 */
export function toScimError(answer: ScimAnswer, origin: string): SyncError {
  const error = toLastError(answer, origin);
  return answer.mayBeDone ? SyncError.ofUnknownOutcome(error) : error;
}

function toLastError(answer: ScimAnswer, origin: string): SyncError {
  const { status } = answer;
  if (answer.isHTML && (status === 404 || status < 400)) return toUnreadable(answer, origin);
  const said = describeRefusal(answer);
  switch (status) {
    case 404:
      return new SyncError('NotFound', `the target does not have it any more (${said})`);
    case 409:
      return new SyncError('Conflict', `the target already has a unique value of it (${said})`);
    case 412:
      return new SyncError('PreconditionFailed', `somebody else changed it in the target at the same time (${said})`);
    case 413:
      return new SyncError('TargetRejected', `the target finds the request too large (${said})`);
    case 429: {
      const afterMs = computeAskedWait(answer.headers, Date.now());
      const retry = afterMs === null ? 'backoff' : { afterMs };
      return new SyncError('TargetUnavailable', `${origin} is throttling`, { retry });
    }
    default:
      return status >= 500 && !isMissingMethod(answer) ? toServerError(answer, origin) : toRejected(said);
  }
}

/** What is refused is one way of changing an object; others may be had without it. */
function isMissingMethod({ status, request }: ScimAnswer): boolean {
  return status === 501 && (request.method === 'PATCH' || request.method === 'DELETE');
}

function toRejected(said: string): SyncError {
  return new SyncError('TargetRejected', `the target refused the request (${said})`);
}

function toServerError({ request, status }: ScimAnswer, origin: string): SyncError {
  const isWrite = request.method !== 'GET';
  return new SyncError('TargetUnavailable', `${origin} answers with an error of its own (${status})`, {
    scope: status === 500 && isWrite ? 'record' : 'run',
    // 501: the server does not know how to do it, so it did not.
    outcomeUnknown: isWrite && status !== 501,
  });
}

export function readScimType(answer: ScimAnswer): string {
  const value = answer.body === null ? undefined : readField(answer.body, 'scimType');
  return typeof value === 'string' ? value : '';
}

function describeRefusal(answer: ScimAnswer): string {
  const detail = answer.body === null ? undefined : readField(answer.body, 'detail');
  const type = readScimType(answer);
  const head = type === '' ? String(answer.status) : `${answer.status} ${redact(type, 40)}`;
  return typeof detail === 'string' && detail !== '' ? `${head}: ${redact(detail, 200)}` : head;
}
