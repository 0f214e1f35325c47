/** Configuration of the providers under `spec.source` and `spec.target`: one key each, the key is the provider's name. */
import { Type } from '@sinclair/typebox';
import { FileSourceSchema } from './file-source.ts';
import { GoogleSourceSchema } from './google-source.ts';
import { LdapSourceSchema } from './ldap-source.ts';
import { authorities } from './provider-fields.ts';
import { exactlyOneOf } from './rules.ts';
import { flag, type Of, object, oneOf, reference, text, words } from './schema.ts';
import { encryptedRule, URL_PATTERN } from './urls.ts';

const EntraSourceSchema = object(
  {
    tenantId: text({
      maxLength: 253,
      pattern: '^[A-Za-z0-9][A-Za-z0-9.-]*$',
      expected:
        'the id of a tenant or one of its verified domains, as 9b7c2f0e-4a51-4d0e-8f0b-2f6f5b1c7e10 or corp.example',
      description:
        'The tenant: its id, or one of its verified domains. Credentials of another tenant are `EndpointChanged`, and so is another tenant once people are linked.',
    }),
    credentialsRef: Type.Optional(
      reference(
        'Secret',
        'Secret with `clientId` of an app registration, and `clientSecret`, or `tls.crt` and `tls.key`; with `clientId` alone the token of the workload identity is used. Without a Secret the workload identity says the application too. It is read at each run.',
      ),
    ),
    applicationId: Type.Optional(
      text({
        maxLength: 36,
        pattern: '^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$',
        expected: 'an application (client) id, as 9b7c2f0e-4a51-4d0e-8f0b-2f6f5b1c7e10',
        documentedDefault: 'none: people have no roles',
        description:
          'Application (client) id of the application whose roles people have as `appRoleAssignments`. It needs an enterprise application in the tenant.',
      }),
    ),
    authorityUrl: Type.Optional(
      text({
        maxLength: 2048,
        pattern: URL_PATTERN,
        expected: 'an http or https URL without user, query and fragment',
        documentedDefault: 'that of the workload identity, else `https://login.microsoftonline.com`',
        description: 'Where tokens are given: another one in a sovereign cloud.',
      }),
    ),
    graphUrl: Type.Optional(
      text({
        maxLength: 2048,
        pattern: URL_PATTERN,
        expected: 'an http or https URL without user, query and fragment',
        default: 'https://graph.microsoft.com',
        description: 'Root of Microsoft Graph, without a version: another one in a sovereign cloud.',
      }),
    ),
    allowHTTP: Type.Optional(
      flag({
        default: false,
        description:
          'Take URLs that begin with `http://` for hosts other than loopback. Credentials and people then travel readable for everybody on the way.',
      }),
    ),
  },
  {
    description: 'People and groups of a tenant of Microsoft Entra ID.',
    rules: [encryptedRule('authorityUrl', 'has(self.authorityUrl)'), encryptedRule('graphUrl', 'has(self.graphUrl)')],
  },
);
export type EntraSource = Of<typeof EntraSourceSchema>;

const WorkosSourceSchema = object(
  {
    directoryId: text({
      maxLength: 128,
      pattern: '^directory_[A-Za-z0-9]+$',
      expected: 'the id of a directory, as directory_01ECAZ4NV9QMV47GW873HDCX74',
      description:
        'Id of the directory, as its page in the dashboard of WorkOS shows it. Fixed once people are linked: another one is `EndpointChanged`.',
    }),
    credentialsRef: reference(
      'Secret',
      'Secret with `apiKey`, a secret key of the environment that the directory is in. It is read at each run.',
    ),
    apiUrl: Type.Optional(
      text({
        maxLength: 2048,
        pattern: URL_PATTERN,
        expected: 'an http or https URL without user, query and fragment',
        default: 'https://api.workos.com',
        description: 'Root of the API, where it is reached through a proxy.',
      }),
    ),
    allowHTTP: Type.Optional(
      flag({
        default: false,
        description:
          'Take an `apiUrl` that begins with `http://` for a host other than loopback. The key and people then travel readable for everybody on the way.',
      }),
    ),
  },
  {
    description: 'People and groups of a directory of WorkOS Directory Sync.',
    rules: [encryptedRule('apiUrl', 'has(self.apiUrl)')],
  },
);
export type WorkosSource = Of<typeof WorkosSourceSchema>;

const ScimSourceSchema = object(
  {
    url: text({
      maxLength: 2048,
      pattern: URL_PATTERN,
      expected: 'an http or https URL without user, query and fragment',
      description:
        'Base URL of the SCIM 2.0 service, such as `https://directory.example.com/scim/v2`; `/Users` and `/Groups` are added to it. Fixed once people are linked: another one is `EndpointChanged`.',
    }),
    credentialsRef: reference(
      'Secret',
      'Secret with `token`, with `username` and `password`, or with `clientId`, `clientSecret` and `tokenUrl` (and `scope` where one is wanted). It is read at each run.',
    ),
    allowHTTP: Type.Optional(
      flag({
        default: false,
        description:
          'Take a `url` that begins with `http://` for a host other than loopback. Credentials and people then travel readable for everybody on the way.',
      }),
    ),
  },
  {
    description: 'People and groups of a service with a SCIM 2.0 interface.',
    rules: [encryptedRule('url', null)],
  },
);
export type ScimSource = Of<typeof ScimSourceSchema>;

/** Applications whose ways are known beforehand; Standard is asked and watched. */
export const SCIM_PROFILES = [
  'Standard',
  'MicrosoftStyle',
  'MicrosoftStyleLegacy',
  'MicrosoftEntra',
  'AWSIdentityCenter',
  'Slack',
  'GitHubEnterprise',
  'GitHubOrganization',
  'GitLab',
  'Sentry',
  'Atlassian',
  'Zoom',
] as const;
export type ScimProfileName = (typeof SCIM_PROFILES)[number];

const ScimTargetSchema = object(
  {
    url: text({
      maxLength: 2048,
      pattern: URL_PATTERN,
      expected: 'an http or https URL without user, query and fragment',
      description:
        'Base URL of the SCIM 2.0 service, such as `https://app.example.com/scim/v2`; `/Users` and `/Groups` are added to it. Without user, query and fragment. Fixed once people are linked: another one is `EndpointChanged`.',
    }),
    credentialsRef: reference(
      'Secret',
      'Secret with the credentials: `token` for a bearer token, `username` and `password`, or `clientId`, `clientSecret` and `tokenUrl` (and `scope` where one is wanted) for OAuth 2.0 client credentials. It is read at each run.',
    ),
    caRef: Type.Optional(authorities('target')),
    headers: Type.Optional(
      words({
        maxProperties: 16,
        maxLength: 1024,
        description:
          'Headers that every request to the target has besides, at most 16, such as `X-Tenant: acme`. Everybody who may read the resource sees them: never a secret. Headers that Dirsync or the connection sets, such as `Authorization`, `Host` and `Content-Length`, are refused.',
      }),
    ),
    profile: Type.Optional(
      oneOf(SCIM_PROFILES, {
        default: 'Standard',
        description:
          'Which application it is, where its ways differ from the standard: what it takes, refuses, limits and what `active: false` does there. `Standard` asks ServiceProviderConfig and Schemas and goes by what it sees. What the application cannot do is refused before the first request, or a warning in the status.',
      }),
    ),
    allowHTTP: Type.Optional(
      flag({
        default: false,
        description:
          'Take a `url` that begins with `http://` for a host other than loopback. Credentials and people then travel readable for everybody on the way.',
      }),
    ),
  },
  {
    description: 'An application with a SCIM 2.0 interface (RFC 7643, RFC 7644).',
    rules: [encryptedRule('url', null)],
  },
);
export type ScimTarget = Of<typeof ScimTargetSchema>;

/** Keys of `spec.source`. A key enters here when its provider is registered. */
const SOURCE_PROVIDERS = ['entra', 'file', 'google', 'ldap', 'scim', 'workos'] as const;
/** Keys of `spec.target`. */
const TARGET_PROVIDERS = ['scim'] as const;

export const SourceSchema = object(
  {
    entra: Type.Optional(EntraSourceSchema),
    file: Type.Optional(FileSourceSchema),
    google: Type.Optional(GoogleSourceSchema),
    ldap: Type.Optional(LdapSourceSchema),
    scim: Type.Optional(ScimSourceSchema),
    workos: Type.Optional(WorkosSourceSchema),
  },
  {
    description:
      'The directory to read people from; exactly one provider. The provider, which directory of it and `idAttribute` are fixed once people are linked; a file’s place is not.',
    rules: [exactlyOneOf('sourceExactlyOne', SOURCE_PROVIDERS)],
  },
);

export const TargetSchema = object(
  { scim: Type.Optional(ScimTargetSchema) },
  {
    description:
      'The application whose users and groups are converged; exactly one provider. Fixed once people are linked.',
    rules: [exactlyOneOf('targetExactlyOne', TARGET_PROVIDERS)],
  },
);

type KeySets = readonly (readonly string[])[];

const SCIM_KEYS: KeySets = [['token'], ['username', 'password'], ['clientId', 'clientSecret', 'tokenUrl']];

export interface CredentialPlace {
  /** Below `spec`, what `credentialsRef` stands in. */
  readonly path: readonly string[];
  /** The Secret must have all keys of one of these sets. */
  readonly keys: KeySets;
}

const PAIR = ['username', 'password'];

/** Wherever a DirectorySync may name a Secret with credentials. */
export const CREDENTIAL_PLACES: readonly CredentialPlace[] = [
  // The first alone is for workload identity.
  { path: ['source', 'entra'], keys: [['clientId'], ['clientId', 'clientSecret'], ['clientId', 'tls.crt', 'tls.key']] },
  { path: ['source', 'file', 'users'], keys: [['token'], PAIR] },
  { path: ['source', 'file', 'groups'], keys: [['token'], PAIR] },
  { path: ['source', 'file', 'users', 'sftp'], keys: [PAIR, ['username', 'privateKey']] },
  { path: ['source', 'file', 'groups', 'sftp'], keys: [PAIR, ['username', 'privateKey']] },
  { path: ['source', 'google'], keys: [['serviceAccount.json']] },
  { path: ['source', 'ldap'], keys: [['bindDN', 'password']] },
  { path: ['source', 'scim'], keys: SCIM_KEYS },
  { path: ['source', 'workos'], keys: [['apiKey']] },
  { path: ['target', 'scim'], keys: SCIM_KEYS },
];
