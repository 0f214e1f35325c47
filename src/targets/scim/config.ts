/** `spec.target.scim`: what can be judged without a connection, and what the Secret must hold. */

import type { ScimTarget } from '../../api/providers.ts';
import { type HttpCredentials, isLoopbackHost, readSecret, toHttpCredentials } from '../../http/credentials.ts';
import { readTokenClaims } from '../../http/token-claims.ts';

export type ScimConfig = ScimTarget;

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
  if (url.protocol === 'http:' && config.allowHTTP !== true && !isLoopbackHost(url.hostname)) {
    problems.push('target.scim.url is plain http, which needs allowHTTP: true for a host other than loopback');
  }
  return [...problems, ...validateHeaders(config.headers ?? {})];
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

/** Names of headers that Dirsync, HTTP or the connection decide about (RFC 9110, RFC 9112), in lower case. */
const OWN_HEADERS: ReadonlySet<string> = new Set(
  ['authorization', 'proxy-authorization', 'proxy-connection', 'cookie', 'host', 'accept', 'accept-encoding']
    .concat(['content-type', 'content-length', 'content-encoding', 'transfer-encoding', 'te', 'trailer', 'connection'])
    .concat(['keep-alive', 'upgrade', 'expect', 'if-match', 'if-none-match', 'user-agent']),
);

function validateHeaders(headers: Readonly<Record<string, string>>): readonly string[] {
  const names = Object.keys(headers);
  const lower = names.map((name) => name.toLowerCase());
  return names.flatMap((name, index) => {
    const where = `target.scim.headers: ${JSON.stringify(name)}`;
    if (!/^[A-Za-z0-9!#$%&'*+.^_`|~-]+$/.test(name)) return [`${where} cannot be the name of a header`];
    if (OWN_HEADERS.has(lower[index] ?? '')) return [`${where} is set by Dirsync itself and must be left out`];
    if (lower.indexOf(lower[index] ?? '') < index) return [`${where} stands twice; case does not tell headers apart`];
    if (!/^[\x21-\x7e]([\x20-\x7e]*[\x21-\x7e])?$/.test(headers[name] ?? ''))
      return [`${where} has a value that no header can carry: printable ASCII without blanks at its ends`];
    return [];
  });
}

/** What the Secret is called where nobody said its name. */
export const UNNAMED = 'the Secret of target.scim.credentialsRef';

/**
 * @throws SyncError `ReferenceNotFound` naming the keys that are wanted, and `Invalid` for values that cannot be sent
 */
export function toCredentials(
  { allowHTTP = false }: ScimConfig,
  secrets: Readonly<Record<string, string>>,
  where = UNNAMED,
): HttpCredentials {
  return toHttpCredentials(secrets, { allowHTTP, where });
}

const NAMING_CLAIMS = ['sub', 'preferred_username', 'upn', 'unique_name', 'email'];

/** Whose credentials these are: the user name of basic authentication, or what a JSON Web Token says of its subject. */
export function toOwnNames(secrets: Readonly<Record<string, string>>): readonly string[] {
  const claims = readTokenClaims(secrets);
  const names = [readSecret(secrets, 'username'), ...NAMING_CLAIMS.map((claim) => claims[claim])];
  return names.filter((name) => typeof name === 'string' && name !== '') as string[];
}
