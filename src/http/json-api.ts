/** Reads of a directory that is asked over HTTP and answers in JSON: the one switch from an answer to an error. */
import { SyncError } from '../errors.ts';
import type { Json } from '../model.ts';
import { type Authorizer, sendAuthorized } from './authorization.ts';
import type { HttpClient, HttpRequest, HttpResponse, LastResponse } from './client.ts';
import { computeAskedWait } from './rate-hints.ts';
import { toOrigin } from './redact.ts';

export type JsonObject = { readonly [key: string]: Json };

export interface JsonApiOptions {
  /** Root of the interface, without a slash at its end. */
  readonly baseUrl: string;
  readonly http: HttpClient;
  readonly authorizer: Authorizer;
  /** `application/json` by default. */
  readonly accept?: string;
  /** Where the credentials come from, for messages: `Secret identity/acme-workos`. */
  readonly where: string;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** Does an answer other than 429 say "later"? It is waited for and asked again as after a 429. */
  readonly isThrottled?: (response: HttpResponse) => boolean;
  /** What an answer other than 200 means to this interface; null: what it means everywhere. */
  readonly explain?: (response: LastResponse, request: JsonRequest) => SyncError | null;
}

export interface JsonRequest {
  /** Behind the root, each part encoded: `/directories/directory_01`. */
  readonly path: string;
  readonly query?: Readonly<Record<string, string>>;
  readonly headers?: Readonly<Record<string, string>>;
  /** What is asked for, for messages: `the list of people`. No names, no ids of people. */
  readonly what: string;
  /** Told the head of the answer that is taken. */
  readonly onHead?: (headers: HttpResponse['headers']) => void;
}

export interface JsonApi {
  /** Scheme and host, for messages. */
  readonly origin: string;
  /**
   * The object that a GET is answered with; null where there is none (404). A refused token is renewed once. Throws
   * - `CredentialsRejected` for 401 and 403
   * - `ReadFailed` for every other status, with the wait that a 429 or 503 asks for, for what `isThrottled` takes for a 429,
   *   and for 200 with something that is no JSON object: a page of a proxy, or the half of an answer
   */
  find(request: JsonRequest, signal: AbortSignal): Promise<JsonObject | null>;
  /** The same where it must be there: 404 is `ReadFailed` too. */
  get(request: JsonRequest, signal: AbortSignal): Promise<JsonObject>;
  /** The bytes that a GET is answered with; null where there are none (404). Throws as `find` does. */
  findBytes(request: JsonRequest, mostBytes: number, signal: AbortSignal): Promise<Uint8Array | 'tooLarge' | null>;
}

export function createJsonApi(options: JsonApiOptions): JsonApi {
  const { baseUrl, http, authorizer, explain, isThrottled, accept = 'application/json' } = options;
  const origin = toOrigin(baseUrl);
  const reading = isThrottled === undefined ? {} : { isThrottled };

  /** Null: 404, of the interface itself. */
  async function send(
    request: JsonRequest,
    wanted: Pick<HttpRequest, 'mostBytes'>,
    signal: AbortSignal,
  ): Promise<LastResponse | null> {
    const url = `${baseUrl}${request.path}${toQuery(request.query)}`;
    const response = await sendAuthorized(
      authorizer,
      (authorization) => {
        const headers = { accept, ...request.headers, authorization };
        return http.send({ method: 'GET', url, headers, repeatable: true, ...reading, ...wanted, signal });
      },
      signal,
    );
    if (response.status === 200) {
      request.onHead?.(response.headers);
      return response;
    }
    const own = isHTML(response) ? null : (explain?.(response, request) ?? null);
    if (own !== null) throw own;
    // A page of a proxy says nothing of what is there.
    if (response.status === 404 && !isHTML(response)) return null;
    const meant = isThrottled?.(response) === true ? { ...response, status: 429 } : response;
    throw toReadError(meant, request, { ...options, origin });
  }

  async function find(request: JsonRequest, signal: AbortSignal): Promise<JsonObject | null> {
    const response = await send(request, {}, signal);
    return response === null ? null : toObject(response, origin, request);
  }

  return {
    origin,
    find,
    async findBytes(request, mostBytes, signal) {
      const response = await send(request, { mostBytes }, signal);
      if (response === null) return null;
      if (isHTML(response)) throw toHTMLError(origin, request);
      return response.bytes ?? 'tooLarge';
    },
    async get(request, signal) {
      const object = await find(request, signal);
      if (object !== null) return object;
      throw new SyncError('ReadFailed', `${origin} does not have ${request.what} (404)`);
    },
  };
}

/** `encodeURIComponent` also encodes `+`, which many servers would read as a blank. */
function toQuery(query: Readonly<Record<string, string>> = {}): string {
  const pairs = Object.entries(query).map(([key, value]) => `${key}=${encodeURIComponent(value)}`);
  return pairs.length > 0 ? `?${pairs.join('&')}` : '';
}

function isHTML({ headers, body }: LastResponse): boolean {
  return /^\s*</.test(body) || (headers['content-type'] ?? '').toLowerCase().includes('text/html');
}

function toObject(response: LastResponse, origin: string, { what }: JsonRequest): JsonObject {
  if (isHTML(response)) throw toHTMLError(origin, { what });
  const value = parse(response.body);
  if (isObject(value)) return value;
  const message = `${origin} answers the request for ${what} with something that is no JSON object; it may be cut off`;
  throw new SyncError('ReadFailed', message);
}

function toHTMLError(origin: string, { what }: Pick<JsonRequest, 'what'>): SyncError {
  const message = `${origin} answers the request for ${what} with an HTML page; check the URL, and what stands in between`;
  return new SyncError('ReadFailed', message);
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // What JSON.parse says quotes the text, which is people's data.
    return undefined;
  }
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Why an answer that is no 2xx ends a read. The body is not shown: it may name people, and this error is the whole read's. */
export function toReadError(
  { status, headers }: Pick<LastResponse, 'status' | 'headers'>,
  { what }: Pick<JsonRequest, 'what'>,
  { origin, where, now }: Pick<JsonApiOptions, 'where' | 'now'> & Pick<JsonApi, 'origin'>,
): SyncError {
  if (status === 401)
    return new SyncError('CredentialsRejected', `${origin} rejects the credentials (401); check ${where}`);
  if (status === 403) {
    const message = `${origin} does not let these credentials read ${what} (403); check what those of ${where} may do`;
    return new SyncError('CredentialsRejected', message);
  }
  const afterMs = status === 429 || status === 503 ? computeAskedWait(headers, now()) : null;
  const retry = afterMs === null ? 'backoff' : { afterMs };
  if (status === 429) return new SyncError('ReadFailed', `${origin} is throttling`, { retry });
  if (status >= 500) {
    return new SyncError('ReadFailed', `${origin} answers with an error of its own (${status})`, { retry });
  }
  return new SyncError('ReadFailed', `${origin} refuses the request for ${what} (${status})`);
}
