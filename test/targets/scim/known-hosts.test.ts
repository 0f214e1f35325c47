import { describe, expect, it } from 'vitest';
import { findKnownProfile } from '../../../src/targets/scim/known-hosts.ts';
import { PROFILES } from '../../../src/targets/scim/profiles.ts';

const ADDRESSES: readonly (readonly [string, string | null])[] = [
  ['https://scim.eu-west-1.amazonaws.com/AbC-tenant/scim/v2', 'AWSIdentityCenter'],
  ['https://graph.microsoft.com/rp/scim', 'MicrosoftEntra'],
  ['https://api.slack.com/scim/v2', 'Slack'],
  ['https://api.github.com/scim/v2/enterprises/acme', 'GitHubEnterprise'],
  ['https://api.acme.ghe.com/scim/v2/enterprises/acme', 'GitHubEnterprise'],
  ['https://api.github.com/scim/v2/organizations/acme', 'GitHubOrganization'],
  ['https://gitlab.com/api/scim/v2/groups/acme', 'GitLab'],
  ['https://sentry.io/api/0/organizations/acme/scim/v2', 'Sentry'],
  ['https://api.atlassian.com/scim/directory/1', 'Atlassian'],
  ['https://API.ZOOM.US/scim2', 'Zoom'],
  ['https://app.example.com/scim/v2', null],
  ['https://gitlab.corp.example/api/scim/v2', null],
  ['https://notslack.com.example/scim', null],
  ['nonsense', null],
];

describe('the profile that an address calls for', () => {
  it.each(ADDRESSES)('%s: %s', (url, profile) => {
    expect(findKnownProfile(url)).toBe(profile);
  });

  it('is known for every application with one address', () => {
    // Whoever serves these has an address of their own.
    const own = ['Standard', 'MicrosoftStyle', 'MicrosoftStyleLegacy'];
    const known = ADDRESSES.map(([, profile]) => profile);
    expect(Object.keys(PROFILES).filter((name) => !known.includes(name))).toEqual(own);
  });
});
