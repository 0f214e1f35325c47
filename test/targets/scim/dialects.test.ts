/** The conformance suite over applications as their vendors document them, and over Standard with everything it may meet. */
import type { ScimProfileName } from '../../../src/api/providers.ts';
import { describeTarget, type TargetHarness } from '../../conformance/target.ts';
import { APPLICATIONS, type Dialect, QUIRKS } from '../../support/dialects/dialect.ts';
import { createDialectServer } from '../../support/dialects/server.ts';
import { toTransport } from '../../support/dialects/transport.ts';
import { toRunningTarget } from '../../support/scim-application.ts';

type Harness = Partial<Pick<TargetHarness, 'required' | 'toUserName' | 'unsupported' | 'manyUsers'>>;

function describeDialect(name: string, dialect: Dialect, profile: ScimProfileName, harness: Harness = {}): void {
  describeTarget(name, {
    // Small pages, where there is more than one.
    start: async () => {
      const pageSize = dialect.ignoresStartIndex ? dialect.pageSize : 20;
      const server = createDialectServer({ ...dialect, pageSize });
      const url = `https://app.example.com${server.basePath}`;
      return toRunningTarget(
        { url, token: server.token, transport: toTransport(server), stop: async () => undefined },
        profile,
      );
    },
    manyUsers: dialect.ignoresStartIndex ? 110 : 45,
    unsupported: {},
    ...harness,
  });
}

const NAME = { 'name.givenName': 'Given', 'name.familyName': 'Family', displayName: 'Given Family' };
const MAIL = { 'emails[type eq "work"].value': 'somebody@corp.example' };
const NO_GROUPS = { teams: 'it has none' } as const;
const NO_MAIL_SEARCH = { 'search by mail address': 'its filters do not take it' } as const;

const HARNESSES: Readonly<Record<keyof typeof APPLICATIONS, Harness>> = {
  MicrosoftStyle: {},
  MicrosoftStyleLegacy: { unsupported: { 'filters in paths': 'its members are removed by values in the body' } },
  MicrosoftEntra: {
    required: { ...NAME, 'urn:ietf:params:scim:schemas:extension:Microsoft:Entra:2.0:User:mailNickname': 'nick' },
    unsupported: { ...NO_MAIL_SEARCH, 'marks of teams are found': 'its filters take name and id only' },
  },
  AWSIdentityCenter: {
    required: NAME,
    unsupported: {
      ...NO_MAIL_SEARCH,
      'texts with any character': 'it refuses a percent sign',
      'several entries in a list': 'it takes one',
    },
  },
  Slack: {
    toUserName: (count) => `user${count}`,
    unsupported: {
      'userNames of any form': 'they have at most 20 characters',
      'search by externalId': 'its filters take userName and mail address only',
      'marks of teams are found': 'its filters take the name only',
      'deletion of users': 'DELETE deactivates',
    },
  },
  GitHubEnterprise: {
    toUserName: (count) => `user${count}`,
    unsupported: {
      ...NO_MAIL_SEARCH,
      'userNames of any form': 'they become logins',
      'filters in paths': 'it takes none',
    },
  },
  GitHubOrganization: {
    unsupported: { ...NO_GROUPS, 'search by externalId': 'its filters do not take it', ...REMOVES() },
  },
  GitLab: {
    required: { ...NAME, ...MAIL },
    unsupported: { ...NO_GROUPS, ...NO_MAIL_SEARCH, ...REMOVES(), ...FIXED(), 'search by userName': 'only by id' },
  },
  Sentry: {
    unsupported: {
      ...NO_MAIL_SEARCH,
      ...REMOVES(),
      ...FIXED(),
      'search by externalId': 'it keeps none',
      'every attribute is kept': 'it keeps userName only',
      'marks of teams are found': 'it keeps none',
      'teams keep their name as it is written': 'they become slugs',
    },
  },
  Atlassian: {
    unsupported: {
      ...NO_MAIL_SEARCH,
      'renaming of teams': 'it takes none',
      'deletion of users': 'DELETE deactivates',
    },
  },
  Zoom: {
    unsupported: {
      ...NO_GROUPS,
      ...NO_MAIL_SEARCH,
      'search by externalId': 'it keeps none',
      'every attribute is kept': 'it keeps few',
      'values can be changed': 'it keeps few of those that are changed here',
    },
  },
};

function REMOVES() {
  return { 'switching off keeps the account': 'it removes' } as const;
}

function FIXED() {
  return { 'values can be changed': 'they are what they were on creation' } as const;
}

for (const [name, harness] of Object.entries(HARNESSES)) {
  const profile = name as keyof typeof APPLICATIONS;
  describeDialect(`a server that behaves as ${name}`, APPLICATIONS[profile], profile, harness);
}

/** What changes the protocol; what loses values or members is followed over several runs in dialect-runs.test.ts. */
const QUIRKY: Partial<Record<keyof typeof QUIRKS, Harness['unsupported']>> = {
  plain: {},
  'no PATCH, although it is announced': { 'filters in paths': 'it has no PATCH' },
  'filters ignored': {},
  'strict about missing targets': {},
  'active as text': {},
  'ids in upper case': {},
  'no bodies': {},
  'no totalResults': {},
  'page 1 for ever': {},
  'cursor paging only, not announced': {},
};

for (const [name, unsupported = {}] of Object.entries(QUIRKY)) {
  describeDialect(`Standard, ${name}`, QUIRKS[name as keyof typeof QUIRKS], 'Standard', { unsupported });
}
