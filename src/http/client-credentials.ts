/** Access tokens by OAuth 2.0 client credentials (RFC 6749 section 4.4), fetched when needed and shared while they last. */
import { type ErrorCode, SyncError } from '../errors.ts';
import type { HttpClient, HttpResponse } from './client.ts';
import { computeAskedWait } from './rate-hints.ts';
import { redact, toOrigin } from './redact.ts';

export interface ClientCredentials {
  readonly tokenUrl: string;
  readonly clientId: string;
  readonly clientSecret: string;
  /** Null: the server's default. */
  readonly scope: string | null;
}

export interface TokenSourceOptions extends ClientCredentials {
  readonly http: HttpClient;
  /** What is to be checked when they are refused: `the Secret of target.scim.credentialsRef`. */
  readonly where: string;
  readonly unavailable: Extract<ErrorCode, 'TargetUnavailable' | 'ReadFailed'>;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

export interface TokenSource {
  /** A token that is good for a while yet. Callers that come at once share one request. */
  get(signal: AbortSignal): Promise<string>;
  /** The token was refused: the next `get` fetches another one, unless somebody has done so since. */
  drop(token: string): void;
}

interface Token {
  readonly value: string;
  /** When another one is to be fetched; infinity where the server did not say how long it lasts. */
  readonly renewAt: number;
}

/** A token is renewed so long before its end, or at nine tenths of a short life. */
const AHEAD_MS = 60_000;

export function createTokenSource(options: TokenSourceOptions): TokenSource {
  let token: Token | null = null;
  let fetching: Promise<Token> | null = null;

  function startFetching(signal: AbortSignal): Promise<Token> {
    const current = fetchToken(options, signal).finally(() => {
      if (fetching === current) fetching = null;
    });
    fetching = current;
    return current;
  }

  return {
    async get(signal) {
      if (token !== null && options.now() < token.renewAt) return token.value;
      try {
        token = await (fetching ?? startFetching(signal));
      } catch (thrown) {
        // Whoever asked first has given up; that is no answer for the others.
        if (SyncError.from(thrown).code !== 'Aborted' || signal.aborted) throw thrown;
        token = await startFetching(signal);
      }
      return token.value;
    },
    drop(value) {
      if (token?.value === value) token = null;
    },
  };
}

async function fetchToken(options: TokenSourceOptions, signal: AbortSignal): Promise<Token> {
  const inHeader = await requestToken(options, signal, true);
  // Every server must take the header (section 2.3.1), and some take the credentials in the body alone.
  const isRefused = inHeader.status === 400 || inHeader.status === 401;
  const answer = isRefused && isAboutClient(inHeader) ? await requestToken(options, signal, false) : inHeader;
  if (answer.status !== 200) throw toTokenError(options, answer, options.now());
  return toToken(options, answer, options.now());
}

function requestToken(
  { http, tokenUrl, clientId, clientSecret, scope }: TokenSourceOptions,
  signal: AbortSignal,
  inHeader: boolean,
): Promise<HttpResponse> {
  const form = new URLSearchParams({ grant_type: 'client_credentials' });
  if (scope !== null) form.set('scope', scope);
  const headers: Record<string, string> = {
    accept: 'application/json',
    'content-type': 'application/x-www-form-urlencoded',
  };
  if (inHeader) {
    const pair = `${encodeForm(clientId)}:${encodeForm(clientSecret)}`;
    headers['authorization'] = `Basic ${Buffer.from(pair, 'utf8').toString('base64')}`;
  } else {
    form.set('client_id', clientId);
    form.set('client_secret', clientSecret);
  }
  return http.send({ method: 'POST', url: tokenUrl, headers, body: form.toString(), repeatable: true, signal });
}

/** Section 2.3.1 wants both parts form-encoded before they are put together. */
function encodeForm(text: string): string {
  return new URLSearchParams({ v: text }).toString().slice(2);
}

/** Codes that say that the client is not known by what was sent, not what it may do. */
function isAboutClient(answer: HttpResponse): boolean {
  return ['invalid_client', 'invalid_request', 'access_denied', ''].includes(readCode(answer));
}

function readField(answer: HttpResponse, name: string): unknown {
  try {
    const body: unknown = JSON.parse(answer.body);
    return typeof body === 'object' && body !== null ? (body as Record<string, unknown>)[name] : undefined;
  } catch {
    return undefined;
  }
}

/** The `error` of RFC 6749 section 5.2; empty when there is none. */
function readCode(answer: HttpResponse): string {
  const code = readField(answer, 'error');
  return typeof code === 'string' ? code : '';
}

const OF_THE_SERVER: ReadonlySet<string> = new Set(['server_error', 'temporarily_unavailable']);

function toTokenError(
  { tokenUrl, where, unavailable }: TokenSourceOptions,
  answer: HttpResponse,
  now: number,
): SyncError {
  const origin = toOrigin(tokenUrl);
  const { status } = answer;
  const code = readCode(answer);
  const said = code === '' ? String(status) : `${status} ${redact(code, 40)}`;
  if (status === 429 || status >= 500 || OF_THE_SERVER.has(code)) {
    const afterMs = status === 429 ? computeAskedWait(answer.headers, now) : null;
    return new SyncError(unavailable, `${origin} gives no token now (${said})`, {
      retry: afterMs === null ? 'backoff' : { afterMs },
    });
  }
  if (code === 'invalid_scope') {
    return new SyncError(
      'CredentialsRejected',
      `${origin} does not know the scope (${said}); check "scope" in ${where}`,
    );
  }
  if (code !== '' || status === 401 || status === 403) {
    const message = `${origin} gives no token for clientId and clientSecret (${said}); check ${where}`;
    return new SyncError('CredentialsRejected', message);
  }
  return new SyncError(
    unavailable,
    `${origin} does not answer as a token endpoint (${said}); check "tokenUrl" in ${where}`,
  );
}

function toToken({ tokenUrl, where, unavailable }: TokenSourceOptions, answer: HttpResponse, now: number): Token {
  const value = readField(answer, 'access_token');
  const type = readField(answer, 'token_type');
  const isBearer = type === undefined || String(type).toLowerCase() === 'bearer';
  if (typeof value !== 'string' || !/^[\x21-\x7e]+$/.test(value) || !isBearer) {
    const message = `${toOrigin(tokenUrl)} answers without a bearer token; check "tokenUrl" in ${where}`;
    throw new SyncError(unavailable, message);
  }
  const seconds = Number(readField(answer, 'expires_in'));
  if (!(seconds > 0)) return { value, renewAt: Number.POSITIVE_INFINITY };
  const lifeMs = seconds * 1000;
  return { value, renewAt: now + Math.max(lifeMs - AHEAD_MS, lifeMs * 0.9) };
}
