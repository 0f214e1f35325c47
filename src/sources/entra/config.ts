/** The config block `spec.source.entra`. */
import type { EntraSource } from '../../api/providers.ts';

export type EntraConfig = EntraSource;

const DEFAULT_AUTHORITY = 'https://login.microsoftonline.com';
const DEFAULT_GRAPH = 'https://graph.microsoft.com';

/** Problems that can be seen offline, one sentence each. */
export function validateConfig({ authorityUrl, graphUrl }: EntraConfig): readonly string[] {
  return Object.entries({ authorityUrl, graphUrl }).flatMap(([field, url]) =>
    url === undefined || URL.canParse(url)
      ? []
      : [`source.entra.${field} is no URL; leave it out, or write one such as https://graph.microsoft.us`],
  );
}

/** The root of Graph, without a slash at its end. */
export function toGraphUrl({ graphUrl = DEFAULT_GRAPH }: EntraConfig): string {
  return graphUrl.replace(/\/+$/, '');
}

/**
 * Where tokens are given.
 * @param offered the authority that the platform names, for whoever names none
 */
export function toTokenUrl({ tenantId, authorityUrl }: EntraConfig, offered: string | null): string {
  const authority = (authorityUrl ?? offered ?? DEFAULT_AUTHORITY).replace(/\/+$/, '');
  return `${authority}/${encodeURIComponent(tenantId)}/oauth2/v2.0/token`;
}
