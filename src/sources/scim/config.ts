/** The config block `spec.source.scim`. */
import type { ScimSource } from '../../api/providers.ts';
import { type HttpCredentials, isLoopbackHost, toHttpCredentials } from '../../http/credentials.ts';

export type ScimSourceConfig = ScimSource;

/** Problems that can be seen offline, one sentence each. */
export function validateConfig({ url: text, allowHTTP = false }: ScimSourceConfig): readonly string[] {
  if (!URL.canParse(text))
    return ['source.scim.url is no URL; write one such as https://directory.example.com/scim/v2'];
  const url = new URL(text);
  const problems: string[] = [];
  if (url.username !== '' || url.password !== '' || url.search !== '' || url.hash !== '')
    problems.push('source.scim.url must not have a user, password, query or fragment');
  if (url.protocol === 'http:' && !allowHTTP && !isLoopbackHost(url.hostname))
    problems.push('source.scim.url is plain http, which needs allowHTTP: true for a host other than loopback');
  return problems;
}

/** The address without a slash at its end, to which `/Users` is added. */
export function toBaseUrl({ url }: ScimSourceConfig): string {
  return url.replace(/\/+$/, '');
}

/** `host[:port]/path`: the same for every spelling of one address. */
export function toDirectoryId({ url }: ScimSourceConfig): string {
  const { host, pathname } = new URL(url);
  return `${host}${pathname.replace(/\/+$/, '')}`;
}

/** As those of the target: `token`, `username` and `password`, or `clientId`, `clientSecret` and `tokenUrl`. */
export function toCredentials(
  { allowHTTP = false }: ScimSourceConfig,
  secrets: Readonly<Record<string, string>>,
  where: string,
): HttpCredentials {
  return toHttpCredentials(secrets, { allowHTTP, where });
}
