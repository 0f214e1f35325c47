/** Configuration of the providers under `spec.source` and `spec.target`: one key each, the key is the provider's name. */
import { Type } from '@sinclair/typebox';
import { GoogleSourceSchema } from './google-source.ts';
import { LdapSourceSchema } from './ldap-source.ts';
import { authorities, dataKey } from './provider-fields.ts';
import { exactlyOneOf, type SchemaRule, toFields } from './rules.ts';
import { flag, type Of, object, objectName, oneOf, reference, text, words } from './schema.ts';
import { encryptedRule, URL_PATTERN } from './urls.ts';

const FILE_FORMATS = ['CSV', 'JSON', 'JSONLines', 'LDIF'] as const;
export type FileFormat = (typeof FILE_FORMATS)[number];

const FILE_ENCODINGS = ['UTF-8', 'UTF-16', 'Windows-1252'] as const;
export type FileEncoding = (typeof FILE_ENCODINGS)[number];

/** As `URL_PATTERN`, with a query: exports are told apart by it. */
const FILE_URL_PATTERN = '^https?://[^\\s/?#@]+(/[^\\s?#]*)?(\\?[^\\s#]*)?$';
const LOCATIONS = ['path', 'configMapRef', 'url'];

/** `exactlyOneOf` with `credentialsRef`, which stands beside a URL alone. */
const locationRule: SchemaRule = {
  name: 'locationExactlyOne',
  message: `exactly one of ${LOCATIONS.join(', ')} must be set, and credentialsRef beside url alone`,
  cel: `[${LOCATIONS.map((key) => `has(self.${key})`).join(', ')}].exists_one(x, x) && (!has(self.credentialsRef) || has(self.url))`,
  holds: (value) => {
    const fields = toFields(value);
    if (fields === null) return true;
    const set = Object.keys(fields).filter((key) => fields[key] !== undefined && key !== 'credentialsRef');
    return set.length === 1 && (fields['credentialsRef'] === undefined || fields['url'] !== undefined);
  },
};

const FileLocationSchema = object(
  {
    path: Type.Optional(
      text({
        maxLength: 1024,
        description:
          'Path of a file, relative to the folder of the manifest. In a cluster it must lie under a folder given to the controller with `--allow-path`.',
      }),
    ),
    url: Type.Optional(
      text({
        maxLength: 2048,
        pattern: FILE_URL_PATTERN,
        expected: 'an http or https URL without user and fragment',
        description:
          'URL of a file. Its query may say which export is meant; everybody who may read the resource sees it, so it holds no secret. At most 5 redirects are followed, and at most 1 GiB is read.',
      }),
    ),
    credentialsRef: Type.Optional(
      reference(
        'Secret',
        'For `url`: Secret with `token`, sent as a bearer token, or with `username` and `password`. Without it nothing is sent. It is read at each run.',
      ),
    ),
    configMapRef: Type.Optional(
      object(
        {
          name: objectName({ description: 'Name of the ConfigMap in the same namespace.' }),
          key: dataKey('Key under `data` or `binaryData`. Its extension says the format, as that of a path does.'),
        },
        { description: 'A key of a ConfigMap. A missing one is `ReferenceNotFound`, never an empty file.' },
      ),
    ),
  },
  {
    description: 'Where a file is. Exactly one of `path`, `configMapRef` and `url`.',
    rules: [locationRule],
  },
);

const FileSourceSchema = object(
  {
    format: Type.Optional(
      oneOf(FILE_FORMATS, {
        documentedDefault: 'by extension',
        description:
          'How the files are written. By default the extension of the path or key says it, without a `.gz` behind it: `.csv` and `.tsv` are CSV, `.json` is JSON (a list of objects), `.jsonl` and `.ndjson` are JSONLines, `.ldif` is LDIF; any other extension needs this field.',
      }),
    ),
    encoding: Type.Optional(
      oneOf(FILE_ENCODINGS, {
        documentedDefault: 'detected',
        description:
          'In which encoding the files are. By default a byte order mark says it, or the zeros that text has in UTF-16; else it is UTF-8, or Windows-1252 where the first character beyond ASCII is none of UTF-8.',
      }),
    ),
    users: FileLocationSchema,
    groups: Type.Optional(FileLocationSchema),
    membersAttribute: Type.Optional(
      text({
        maxLength: 256,
        default: 'members',
        description:
          'Column (CSV) or key (JSON) of the groups file with the members: ids, userNames or mail addresses of people, or ids of groups. In a CSV, or a text of JSON, separated by `;`; in JSON also a list. A file of groups without it is a failed read.',
      }),
    ),
    idAttribute: Type.Optional(
      text({
        maxLength: 256,
        default: 'id',
        description:
          'Column (CSV) or key (JSON) with the id of each person: unique, not empty and never changed, for it is what a person is recognised by. A mail address or user principal name is a warning, because it changes with the name. Fixed once people are linked.',
      }),
    ),
    duplicateIds: Type.Optional(
      oneOf(['Error', 'Merge'] as const, {
        default: 'Error',
        description:
          'What several rows of people with one id are. `Error`: a mistake; the person is left as they are, and both rows are named. `Merge`: one person, as in exports with one row for each team or contract: values in which the rows differ become a list, and inactive is who is so in all rows.',
      }),
    ),
    photoAttribute: Type.Optional(
      text({
        maxLength: 256,
        documentedDefault: 'none: people have no photos',
        description:
          'Column (CSV) or key (JSON) with the photo of each person, for mappings with `photo`: the path of a JPEG, PNG, GIF or WebP file, relative to the file of users and in its folder or below, or an http or https URL. Empty: no photo.',
      }),
    ),
    allowHTTP: Type.Optional(
      flag({
        default: false,
        description:
          'Take a `url` that begins with `http://` for a host other than loopback. Credentials and people then travel readable for everybody on the way.',
      }),
    ),
    delimiter: Type.Optional(
      text({
        maxLength: 1,
        pattern: '^[^"\\r\\n]$',
        expected: 'one character, neither a quote nor a line end',
        documentedDefault: 'detected',
        description:
          'One character between the columns of a CSV. By default the header says which of `,` `;` tab `|` it is.',
      }),
    ),
  },
  {
    description: 'People in a CSV, JSON, JSON Lines or LDIF file.',
    rules: [
      encryptedRule('users.url', 'has(self.users.url)'),
      encryptedRule('groups.url', 'has(self.groups) && has(self.groups.url)'),
    ],
  },
);
export type FileSource = Of<typeof FileSourceSchema>;

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
  { path: ['source', 'google'], keys: [['serviceAccount.json']] },
  { path: ['source', 'ldap'], keys: [['bindDN', 'password']] },
  { path: ['source', 'scim'], keys: SCIM_KEYS },
  { path: ['source', 'workos'], keys: [['apiKey']] },
  { path: ['target', 'scim'], keys: SCIM_KEYS },
];
