/** Client credentials (RFC 6749 section 4.4): an id and a secret for a token. */
import type { HttpClient, HttpResponse } from './client.ts';
import { createTokenSource, readTokenError, type TokenGrant, type TokenSource } from './token-source.ts';

export interface ClientCredentials {
  readonly tokenUrl: string;
  readonly clientId: string;
  readonly clientSecret: string;
  /** Null: the server's default. */
  readonly scope: string | null;
}

export interface ClientTokenOptions extends ClientCredentials, Pick<TokenGrant, 'where' | 'unavailable' | 'now'> {
  readonly http: HttpClient;
}

export function createClientTokens(options: ClientTokenOptions): TokenSource {
  const { tokenUrl, where, unavailable, now } = options;
  const request = (signal: AbortSignal): Promise<HttpResponse> => requestToken(options, signal);
  return createTokenSource({ tokenUrl, where, unavailable, now, request, credential: 'clientId and clientSecret' });
}

async function requestToken(options: ClientTokenOptions, signal: AbortSignal): Promise<HttpResponse> {
  const inHeader = await sendCredentials(options, signal, true);
  // Every server must take the header (section 2.3.1), and some take the credentials in the body alone.
  const isRefused = inHeader.status === 400 || inHeader.status === 401;
  return isRefused && isAboutClient(inHeader) ? sendCredentials(options, signal, false) : inHeader;
}

function sendCredentials(
  { http, tokenUrl, clientId, clientSecret, scope }: ClientTokenOptions,
  signal: AbortSignal,
  inHeader: boolean,
): Promise<HttpResponse> {
  const form = new URLSearchParams({ grant_type: 'client_credentials' });
  if (scope !== null) form.set('scope', scope);
  const headers: Record<string, string> = {};
  if (inHeader) {
    const pair = `${encodeForm(clientId)}:${encodeForm(clientSecret)}`;
    headers['authorization'] = `Basic ${Buffer.from(pair, 'utf8').toString('base64')}`;
  } else {
    form.set('client_id', clientId);
    form.set('client_secret', clientSecret);
  }
  return postForm(http, { url: tokenUrl, form, headers, signal });
}

/** A request to a token endpoint: it may be repeated, for a token more does no harm. */
export function postForm(
  http: HttpClient,
  {
    url,
    form,
    headers = {},
    signal,
  }: {
    readonly url: string;
    readonly form: URLSearchParams;
    readonly headers?: Readonly<Record<string, string>>;
    readonly signal: AbortSignal;
  },
): Promise<HttpResponse> {
  const all = { accept: 'application/json', 'content-type': 'application/x-www-form-urlencoded', ...headers };
  const body = form.toString();
  return http.send({ method: 'POST', url, headers: all, body, repeatable: true, forToken: true, signal });
}

/** Section 2.3.1 wants both parts form-encoded before they are put together. */
function encodeForm(text: string): string {
  return new URLSearchParams({ v: text }).toString().slice(2);
}

/** Codes that say that the client is not known by what was sent, not what it may do. */
function isAboutClient(answer: HttpResponse): boolean {
  return ['invalid_client', 'invalid_request', 'access_denied', ''].includes(readTokenError(answer));
}
