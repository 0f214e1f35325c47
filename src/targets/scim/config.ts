/** `spec.target.scim`: what can be judged without a connection, and what the Secret must hold. */

import type { ScimTarget } from '../../api/providers.ts';
import { SyncError } from '../../errors.ts';

export type ScimConfig = ScimTarget;

const LOOPBACK = /^(localhost|127(\.\d{1,3}){3}|\[::1\])$/;

export function validateScimConfig(config: ScimConfig): readonly string[] {
  if (!URL.canParse(config.url))
    return ['target.scim.url is no URL; write one such as https://app.example.com/scim/v2'];
  const url = new URL(config.url);
  if (url.protocol !== 'https:' && url.protocol !== 'http:') return ['target.scim.url must begin with https://'];
  const problems: string[] = [];
  if (url.username !== '' || url.password !== '') {
    problems.push('target.scim.url must not hold a user or password; put them into the Secret of credentialsRef');
  }
  if (url.search !== '' || url.hash !== '') problems.push('target.scim.url must not have a query or fragment');
  if (url.protocol === 'http:' && config.allowHTTP !== true && !LOOPBACK.test(url.hostname)) {
    problems.push('target.scim.url is plain http, which needs allowHTTP: true for a host other than loopback');
  }
  return problems;
}

/** The address without a slash at its end, to which `/Users` is added. */
export function toBaseUrl(config: ScimConfig): string {
  return config.url.replace(/\/+$/, '');
}

/** `host[:port]/path`: the same for every spelling of one address. */
export function toEndpoint(config: ScimConfig): string {
  const { host, pathname } = new URL(config.url);
  return `${host}${pathname.replace(/\/+$/, '')}`;
}

/**
 * The `Authorization` header: a bearer token, or basic credentials (RFC 7617). A line end behind a value is left out, as
 * files of Secrets often have one. Throws `ReferenceNotFound` naming the keys that are wanted.
 */
export function toAuthorization(secrets: Readonly<Record<string, string>>): string {
  const [token, username, password] = ['token', 'username', 'password'].map((key) => readSecret(secrets, key));
  if (token !== undefined) return `Bearer ${requireToken(token)}`;
  if (username !== undefined && password !== undefined) {
    return `Basic ${Buffer.from(`${username}:${password}`, 'utf8').toString('base64')}`;
  }
  const missing = username === undefined ? 'password' : 'username';
  const found =
    username === undefined && password === undefined
      ? ''
      : `; of these only "${missing === 'password' ? 'password' : 'username'}" is there`;
  throw new SyncError(
    'ReferenceNotFound',
    `the Secret of target.scim.credentialsRef must have the key "token", or "username" and "password"${found}`,
  );
}

function readSecret(secrets: Readonly<Record<string, string>>, key: string): string | undefined {
  const value = Object.hasOwn(secrets, key) ? secrets[key]?.replace(/[\r\n]+$/, '') : undefined;
  return value === '' ? undefined : value;
}

function requireToken(token: string): string {
  if (/^[\x21-\x7e]+$/.test(token)) return token;
  throw new SyncError(
    'Invalid',
    'the key "token" of the Secret of target.scim.credentialsRef has blanks, line ends or other characters that no header can carry',
  );
}
