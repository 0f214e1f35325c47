/** What a Secret holds to ask an interface over HTTP with: a bearer token, basic credentials, or those of an OAuth client. */
import { SyncError } from '../errors.ts';
import type { ClientCredentials } from './client-credentials.ts';

const LOOPBACK = /^(localhost|127(\.\d{1,3}){3}|\[::1\])$/;

/** Is this a host that requests never leave the machine for? Takes what `URL.hostname` gives. */
export function isLoopbackHost(hostname: string): boolean {
  return LOOPBACK.test(hostname);
}

/** What the Secret of `credentialsRef` holds. A line end behind a value is left out, as files of Secrets often have one. */
export type HttpCredentials =
  | { readonly kind: 'Static'; readonly authorization: string }
  | ({ readonly kind: 'ClientCredentials' } & ClientCredentials);

export interface CredentialsOptions {
  /** Plain http is taken for hosts other than loopback too. */
  readonly allowHTTP: boolean;
  /** What the Secret is called in messages. */
  readonly where: string;
}

/**
 * A bearer token, basic credentials (RFC 7617) or those of an OAuth client; the first of these that is whole counts.
 * Throws `ReferenceNotFound` naming the keys that are wanted, and `Invalid` for values that cannot be sent.
 */
export function toHttpCredentials(
  secrets: Readonly<Record<string, string>>,
  { allowHTTP, where }: CredentialsOptions,
): HttpCredentials {
  const read = (key: string): string | undefined => readSecret(secrets, key);
  const token = read('token');
  if (token !== undefined) return { kind: 'Static', authorization: `Bearer ${requireToken(token, where)}` };
  const [username, password] = [read('username'), read('password')];
  if (username !== undefined && password !== undefined) {
    const pair = Buffer.from(`${username}:${password}`, 'utf8').toString('base64');
    return { kind: 'Static', authorization: `Basic ${pair}` };
  }
  const [clientId, clientSecret, tokenUrl] = [read('clientId'), read('clientSecret'), read('tokenUrl')];
  if (clientId !== undefined && clientSecret !== undefined && tokenUrl !== undefined) {
    requireTokenUrl(tokenUrl, { allowHTTP, where });
    return { kind: 'ClientCredentials', clientId, clientSecret, tokenUrl, scope: read('scope') ?? null };
  }
  throw toMissingKeys(secrets, where);
}

const WANTED = ['username', 'password', 'clientId', 'clientSecret', 'tokenUrl'] as const;

function toMissingKeys(secrets: Readonly<Record<string, string>>, where: string): SyncError {
  const there = WANTED.filter((key) => readSecret(secrets, key) !== undefined).map((key) => `"${key}"`);
  const keys = Object.keys(secrets).toSorted().slice(0, 10).join(', ');
  const found =
    there.length === 0
      ? `it has ${keys === '' ? 'no keys' : keys}`
      : `of these only ${there.join(' and ')} ${there.length === 1 ? 'is' : 'are'} there`;
  return new SyncError(
    'ReferenceNotFound',
    `${where} must have the key "token", or "username" and "password", or "clientId", "clientSecret" and "tokenUrl"; ${found}`,
  );
}

/** The secret of the client would travel readable for everybody on the way. */
function requireTokenUrl(tokenUrl: string, { allowHTTP, where }: CredentialsOptions): void {
  const url = URL.canParse(tokenUrl) ? new URL(tokenUrl) : null;
  const isPlain = url?.protocol === 'http:' && (allowHTTP || isLoopbackHost(url.hostname));
  if (url !== null && (url.protocol === 'https:' || isPlain) && url.username === '' && url.password === '') return;
  throw new SyncError(
    'Invalid',
    `the key "tokenUrl" of ${where} must be an https URL without user and password; plain http to a host other than loopback needs allowHTTP: true`,
  );
}

/** A value without a line end behind it; undefined where it is missing or empty. */
export function readSecret(secrets: Readonly<Record<string, string>>, key: string): string | undefined {
  const value = Object.hasOwn(secrets, key) ? secrets[key]?.replace(/[\r\n]+$/, '') : undefined;
  return value === '' ? undefined : value;
}

function requireToken(token: string, where: string): string {
  if (/^[\x21-\x7e]+$/.test(token)) return token;
  throw new SyncError(
    'Invalid',
    `the key "token" of ${where} has blanks, line ends or other characters that no header can carry`,
  );
}
