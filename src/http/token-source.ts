/** Access tokens of OAuth 2.0 (RFC 6749), fetched when needed and shared while they last. How one is asked for is the caller's. */
import { type ErrorCode, SyncError } from '../errors.ts';
import type { HttpResponse } from './client.ts';
import { computeAskedWait } from './rate-hints.ts';
import { redact, toOrigin } from './redact.ts';

export interface TokenGrant {
  readonly tokenUrl: string;
  /** Asks for a token once. Throws SyncError when no answer came. */
  readonly request: (signal: AbortSignal) => Promise<HttpResponse>;
  /** What it is given for, in messages: `clientId and clientSecret`. */
  readonly credential: string;
  /** Where `tokenUrl` was written: `"tokenUrl"` in `where` by default. */
  readonly urlField?: string;
  /** What is to be checked when it is refused: `the Secret of target.scim.credentialsRef`. */
  readonly where: string;
  readonly unavailable: Extract<ErrorCode, 'TargetUnavailable' | 'ReadFailed'>;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** What a refusal of this server means, as advice that follows the message; null: nothing more than its code says. */
  readonly advise?: (answer: HttpResponse) => string | null;
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

export function createTokenSource(grant: TokenGrant): TokenSource {
  let token: Token | null = null;
  let fetching: Promise<Token> | null = null;

  function startFetching(signal: AbortSignal): Promise<Token> {
    const current = fetchToken(grant, signal).finally(() => {
      if (fetching === current) fetching = null;
    });
    fetching = current;
    return current;
  }

  return {
    async get(signal) {
      if (token !== null && grant.now() < token.renewAt) return token.value;
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

async function fetchToken(grant: TokenGrant, signal: AbortSignal): Promise<Token> {
  const answer = await grant.request(signal);
  if (answer.status !== 200) throw toTokenError(grant, answer);
  return toToken(grant, answer);
}

/** A field of the answer's object; undefined where it has none, or is none. */
export function readTokenField(answer: HttpResponse, name: string): unknown {
  try {
    const body: unknown = JSON.parse(answer.body);
    return typeof body === 'object' && body !== null ? (body as Record<string, unknown>)[name] : undefined;
  } catch {
    return undefined;
  }
}

/** The `error` of RFC 6749 section 5.2; empty when there is none. */
export function readTokenError(answer: HttpResponse): string {
  const code = readTokenField(answer, 'error');
  return typeof code === 'string' ? code : '';
}

const OF_THE_SERVER: ReadonlySet<string> = new Set(['server_error', 'temporarily_unavailable']);

function toTokenError(grant: TokenGrant, answer: HttpResponse): SyncError {
  const { tokenUrl, where, unavailable, credential, advise, now, urlField = toUrlField(where) } = grant;
  const origin = toOrigin(tokenUrl);
  const { status } = answer;
  const code = readTokenError(answer);
  const said = code === '' ? String(status) : `${status} ${redact(code, 40)}`;
  if (status === 429 || status >= 500 || OF_THE_SERVER.has(code)) {
    const afterMs = status === 429 ? computeAskedWait(answer.headers, now()) : null;
    return new SyncError(unavailable, `${origin} gives no token now (${said})`, {
      retry: afterMs === null ? 'backoff' : { afterMs },
    });
  }
  const advice = advise?.(answer) ?? null;
  if (advice !== null)
    return new SyncError('CredentialsRejected', `${origin} gives no token for ${credential} (${said}): ${advice}`);
  if (code === 'invalid_scope') {
    return new SyncError(
      'CredentialsRejected',
      `${origin} does not know the scope (${said}); check "scope" in ${where}`,
    );
  }
  if (code !== '' || status === 401 || status === 403) {
    const message = `${origin} gives no token for ${credential} (${said}); check ${where}`;
    return new SyncError('CredentialsRejected', message);
  }
  return new SyncError(unavailable, `${origin} does not answer as a token endpoint (${said}); check ${urlField}`);
}

function toUrlField(where: string): string {
  return `"tokenUrl" in ${where}`;
}

function toToken(grant: TokenGrant, answer: HttpResponse): Token {
  const { tokenUrl, where, unavailable, now, urlField = toUrlField(where) } = grant;
  const value = readTokenField(answer, 'access_token');
  const type = readTokenField(answer, 'token_type');
  const isBearer = type === undefined || String(type).toLowerCase() === 'bearer';
  if (typeof value !== 'string' || !/^[\x21-\x7e]+$/.test(value) || !isBearer) {
    const message = `${toOrigin(tokenUrl)} answers without a bearer token; check ${urlField}`;
    throw new SyncError(unavailable, message);
  }
  const seconds = Number(readTokenField(answer, 'expires_in'));
  if (!(seconds > 0)) return { value, renewAt: Number.POSITIVE_INFINITY };
  const lifeMs = seconds * 1000;
  return { value, renewAt: now() + Math.max(lifeMs - AHEAD_MS, lifeMs * 0.9) };
}
