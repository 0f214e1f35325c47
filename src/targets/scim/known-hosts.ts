/** Addresses that tell which application answers there, and so which profile fits. */
import type { ScimProfileName } from '../../api/providers.ts';

/** Host and path without scheme. A host of one's own (GitHub Enterprise Server, a self-managed GitLab) is not among them. */
const KNOWN: readonly (readonly [RegExp, ScimProfileName])[] = [
  [/^scim\.[a-z0-9-]+\.amazonaws\.com(\/|$)/, 'AWSIdentityCenter'],
  [/^graph\.microsoft\.com(\/|$)/, 'MicrosoftEntra'],
  [/^([a-z0-9-]+\.)?slack\.com(\/|$)/, 'Slack'],
  [/^api\.([a-z0-9-]+\.)?(github|ghe)\.com\/scim\/v2\/enterprises\//, 'GitHubEnterprise'],
  [/^api\.github\.com\/scim\/v2\/organizations\//, 'GitHubOrganization'],
  [/^gitlab\.com(\/|$)/, 'GitLab'],
  [/^([a-z0-9-]+\.)?sentry\.io(\/|$)/, 'Sentry'],
  [/^api\.atlassian\.com(\/|$)/, 'Atlassian'],
  [/^api\.zoom\.us(\/|$)/, 'Zoom'],
];

/** Null: an address that says nothing. */
export function findKnownProfile(url: string): ScimProfileName | null {
  if (!URL.canParse(url)) return null;
  const { hostname, pathname } = new URL(url);
  return KNOWN.find(([pattern]) => pattern.test(`${hostname}${pathname}`))?.[1] ?? null;
}
