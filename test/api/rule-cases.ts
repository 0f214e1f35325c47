/**
 * Resources that keep or break a rule, for both of its twins: `validateResource` here, and the API server in the cluster
 * suite. Every rule of the schemas has at least one of each.
 */
import { GROUP_VERSION, type Kind } from '../../src/api/metadata.ts';

export interface RuleCase {
  /** Name of the rule in src/api. */
  readonly rule: string;
  readonly because: string;
  readonly kind: Kind;
  readonly spec: Readonly<Record<string, unknown>>;
  readonly holds: boolean;
}

/** A valid resource of a kind, `spec` replaced key by key. */
export function aDocument(kind: Kind, spec: Readonly<Record<string, unknown>> = {}, name = 'sample') {
  return { apiVersion: GROUP_VERSION, kind, metadata: { name }, spec: { ...VALID_SPECS[kind], ...spec } };
}

const VALID_SPECS: Readonly<Record<Kind, Readonly<Record<string, unknown>>>> = {
  DirectorySync: {
    source: { file: { users: { path: 'people.csv' } } },
    mappings: [{ name: 'users' }],
    target: { scim: { url: 'https://app.example.com/scim/v2', credentialsRef: { name: 'app' } } },
  },
  AttributeMapping: { attributes: [{ target: 'userName', source: 'userPrincipalName', matching: { precedence: 1 } }] },
  TeamRule: {
    directorySyncRef: { name: 'sample' },
    team: { displayName: 'Finance' },
    match: [{ attribute: 'department', operator: 'Equals', value: 'Finance' }],
  },
  CustomAttribute: { path: 'urn:ietf:params:scim:schemas:extension:acme:2.0:User:licenseTier' },
};

function of(kind: Kind, rule: string) {
  return (holds: boolean, because: string, spec: RuleCase['spec']): RuleCase => ({ rule, because, kind, spec, holds });
}

const schedule = of('DirectorySync', 'scheduleExactlyOne');
const source = of('DirectorySync', 'sourceExactlyOne');
const location = of('DirectorySync', 'locationExactlyOne');
const groups = of('DirectorySync', 'groupsNeedSource');
const assigned = of('DirectorySync', 'assignedNeedsApplication');
const members = of('DirectorySync', 'membersNeedSource');
const scopeGroups = of('DirectorySync', 'scopeGroupsWithMembers');
const adoptFrom = of('DirectorySync', 'adoptFromAnother');
const target = of('DirectorySync', 'targetExactlyOne');
const url = of('DirectorySync', 'urlEncrypted');
const graphUrl = of('DirectorySync', 'graphUrlEncrypted');
const authorityUrl = of('DirectorySync', 'authorityUrlEncrypted');
const apiUrl = of('DirectorySync', 'apiUrlEncrypted');
const usersUrl = of('DirectorySync', 'usersUrlEncrypted');
const groupsUrl = of('DirectorySync', 'groupsUrlEncrypted');
const tokenUrl = of('DirectorySync', 'tokenUrlEncrypted');
const range = of('DirectorySync', 'customerOrDomain');
const ldapUrl = of('DirectorySync', 'ldapEncrypted');
const sftp = of('DirectorySync', 'sftpPathOrPattern');
const duration = of('DirectorySync', 'durationForm');
const least = of('DirectorySync', 'durationAtLeast1s');
const most = of('DirectorySync', 'durationAtMost2160h');
const value = of('TeamRule', 'clauseValueByOperator');
const single = of('AttributeMapping', 'entryAtMostOneValue');
const some = of('AttributeMapping', 'entryHasValue');
const omit = of('AttributeMapping', 'omitAlone');
const entries = of('AttributeMapping', 'mappingHasEntries');
const needed = of('DirectorySync', 'fileNeedsMappings');
const rule = of('TeamRule', 'ruleExactlyOne');
const attribute = of('TeamRule', 'clauseAttributeByOperator');
const team = of('TeamRule', 'ruleTeamUnlessValues');
const names = of('TeamRule', 'teamsFromSomething');
const include = of('TeamRule', 'ruleIncludeWithOneTeam');
const canonical = of('CustomAttribute', 'canonicalValuesAreStrings');
const references = of('CustomAttribute', 'referencesWithReference');
const predefined = of('CustomAttribute', 'predefinedHasName');
const separator = of('CustomAttribute', 'separatorWithMultiValued');
const syncs = of('CustomAttribute', 'directorySyncsAllOrNames');

const cron = { expression: '0 6 * * 1', timeZone: 'Europe/Belfast' };
const scim = (config: object) => ({ target: { scim: { credentialsRef: { name: 'app' }, ...config } } });
const entraSource = (config: object) => ({ source: { entra: { tenantId: 'corp.example', ...config } } });
const GROUPED = { source: { file: { users: { path: 'people.csv' }, groups: { path: 'groups.json' } } } };
const google = (config: object) => ({
  source: { google: { adminEmail: 'sync.admin@corp.example', credentialsRef: { name: 'key' }, ...config } },
});
const scimSource = (config: object) => ({ source: { scim: { credentialsRef: { name: 'key' }, ...config } } });
const ldap = (config: object) => ({
  source: {
    ldap: { baseDN: 'dc=corp', schema: 'RFC2307bis', credentialsRef: { name: 'key' }, ...config },
  },
});
const workos = (config: object) => ({
  source: { workos: { directoryId: 'directory_01', credentialsRef: { name: 'key' }, ...config } },
});
const file = (users: object, more: object = {}) => ({ source: { file: { format: 'CSV', users, ...more } } });
const onSftp = (place: object) => ({
  ...file({
    sftp: { host: 'sftp.example.com', credentialsRef: { name: 'hr' }, hostKey: 'ssh-ed25519 AAAAC3Nz', ...place },
  }),
});
const clause = (fields: object) => ({ match: [{ attribute: 'department', ...fields }] });
const entry = (fields: object) => ({ attributes: [{ target: 'userName', ...fields }] });
const teamsFrom = { team: undefined, match: undefined, teamsFrom: { attributes: ['teams'] } };

export const RULE_CASES: readonly RuleCase[] = [
  schedule(true, 'an interval alone', { schedule: { interval: '1h30m' } }),
  schedule(true, 'a cron alone', { schedule: { cron } }),
  schedule(true, 'once alone', { schedule: { once: true } }),
  schedule(false, 'an interval and a cron', { schedule: { interval: '40m', cron } }),
  schedule(false, 'a schedule of nothing', { schedule: {} }),
  source(true, 'one provider', { source: { file: { users: { path: 'people.csv' } } } }),
  source(false, 'no provider', { source: {} }),
  adoptFrom(true, 'another id', { id: 'acme-2', adoptFrom: 'acme' }),
  adoptFrom(true, 'the name, where the id is another', { id: 'acme', adoptFrom: 'sample' }),
  adoptFrom(false, 'the own id', { id: 'acme', adoptFrom: 'acme' }),
  assigned(true, 'everybody', { scope: { users: 'All' } }),
  assigned(false, 'a file has no application', { scope: { users: 'AssignedToApplication' } }),
  assigned(false, 'which application is not said', { ...entraSource({}), scope: { users: 'AssignedToApplication' } }),
  assigned(true, 'it is said', {
    ...entraSource({ applicationId: 'c0a9e3d4-1f52-4b8a-93e7-5d60b1a2f433' }),
    scope: { users: 'AssignedToApplication' },
  }),
  scopeGroups(true, 'everybody', { scope: { users: 'All', groups: [] } }),
  scopeGroups(true, 'members of a group', { ...GROUPED, scope: { users: 'MembersOfGroups', groups: ['Sales'] } }),
  scopeGroups(false, 'of which groups is not said', { ...GROUPED, scope: { users: 'MembersOfGroups' } }),
  scopeGroups(false, 'none is named', { ...GROUPED, scope: { users: 'MembersOfGroups', groups: [] } }),
  scopeGroups(false, 'the scope is everybody all the same', { ...GROUPED, scope: { groups: ['Sales'] } }),
  members(true, 'the file has groups', { ...GROUPED, scope: { users: 'MembersOfGroups', groups: ['Sales'] } }),
  members(true, 'a tenant has groups', { ...entraSource({}), scope: { users: 'MembersOfGroups', groups: ['Sales'] } }),
  members(false, 'the file has none', { scope: { users: 'MembersOfGroups', groups: ['Sales'] } }),
  groups(true, 'no groups are asked for', { groups: { provision: 'None' } }),
  groups(true, 'the file has groups', {
    groups: { provision: 'All' },
    source: { file: { users: { path: 'people.csv' }, groups: { path: 'groups.json' } } },
  }),
  groups(false, 'the file has none', {
    groups: { provision: 'InScope' },
    source: { file: { users: { path: 'people.csv' } } },
  }),
  location(true, 'a ConfigMap', {
    source: { file: { users: { configMapRef: { name: 'people', key: 'people.csv' } } } },
  }),
  location(false, 'a path and a ConfigMap', {
    source: { file: { users: { path: 'people.csv', configMapRef: { name: 'people', key: 'people.csv' } } } },
  }),
  location(false, 'no place', { source: { file: { users: {} } } }),
  location(true, 'a URL', file({ url: 'https://hr.example.com/export?format=csv' })),
  location(true, 'a URL with credentials', file({ url: 'https://hr.example.com', credentialsRef: { name: 'hr' } })),
  location(false, 'a path with credentials', file({ path: 'people.csv', credentialsRef: { name: 'hr' } })),
  location(false, 'credentials alone', file({ credentialsRef: { name: 'hr' } })),
  location(false, 'a server and a path', {
    ...file({ path: 'people.csv', ...onSftp({ path: '/people.csv' }).source.file.users }),
  }),
  sftp(true, 'a path', onSftp({ path: '/people.csv' })),
  sftp(true, 'a pattern', onSftp({ pattern: '/people-*.csv', port: 2222 })),
  sftp(false, 'neither', onSftp({})),
  sftp(false, 'both', onSftp({ path: '/people.csv', pattern: '/people-*.csv' })),
  usersUrl(true, 'none', file({ path: 'people.csv' })),
  usersUrl(true, 'https anywhere', file({ url: 'https://hr.example.com' })),
  usersUrl(true, 'loopback', file({ url: 'http://localhost:8080/x' })),
  usersUrl(true, 'allowed', file({ url: 'http://hr.example.com' }, { allowHTTP: true })),
  usersUrl(false, 'another host', file({ url: 'http://hr.example.com' })),
  groupsUrl(true, 'none', file({ path: 'people.csv' }, { groups: { path: 'groups.csv' } })),
  groupsUrl(true, 'https anywhere', file({ path: 'a.csv' }, { groups: { url: 'https://hr.example.com' } })),
  groupsUrl(false, 'another host', file({ path: 'a.csv' }, { groups: { url: 'http://hr.example.com' } })),
  target(true, 'one provider', scim({ url: 'https://app.example.com/scim/v2' })),
  target(false, 'no provider', { target: {} }),
  url(true, 'https anywhere', scim({ url: 'https://app.example.com' })),
  url(true, 'loopback by address', scim({ url: 'http://127.0.0.1:8080/scim/v2' })),
  url(true, 'loopback by address of version 6', scim({ url: 'http://[::1]:8080/scim/v2' })),
  url(true, 'loopback by name', scim({ url: 'http://localhost/scim/v2' })),
  url(true, 'allowed', scim({ url: 'http://app.example.com/scim/v2', allowHTTP: true })),
  url(false, 'another host', scim({ url: 'http://app.example.com/scim/v2' })),
  url(false, 'a name that only begins like loopback', scim({ url: 'http://localhost.example.com/scim' })),
  url(false, 'a name that only begins like an address', scim({ url: 'http://127.0.0.1.example.com/scim' })),
  graphUrl(true, 'none', entraSource({})),
  graphUrl(true, 'another cloud', entraSource({ graphUrl: 'https://graph.microsoft.us' })),
  graphUrl(false, 'plain http', entraSource({ graphUrl: 'http://graph.example.com' })),
  graphUrl(true, 'plain http allowed', entraSource({ graphUrl: 'http://graph.example.com', allowHTTP: true })),
  authorityUrl(true, 'plain http of loopback', entraSource({ authorityUrl: 'http://127.0.0.1:8080' })),
  authorityUrl(false, 'plain http', entraSource({ authorityUrl: 'http://login.example.com' })),
  url(true, 'https of a source', scimSource({ url: 'https://directory.example.com' })),
  url(false, 'plain http of a source', scimSource({ url: 'http://directory.example.com' })),
  tokenUrl(true, 'none said', google({})),
  tokenUrl(false, 'plain http of a token endpoint', google({ tokenUrl: 'http://login.example.com/token' })),
  apiUrl(false, 'plain http of Google', google({ apiUrl: 'http://proxy.example.com' })),
  range(true, 'neither', google({})),
  range(true, 'an account', google({ customer: 'C03az79cb' })),
  range(true, 'a domain', google({ domain: 'corp.example' })),
  range(false, 'both', google({ customer: 'my_customer', domain: 'corp.example' })),
  apiUrl(true, 'none said', workos({})),
  apiUrl(true, 'https anywhere', workos({ apiUrl: 'https://proxy.example.com/workos' })),
  apiUrl(true, 'loopback', workos({ apiUrl: 'http://127.0.0.1:8080' })),
  apiUrl(true, 'allowed', workos({ apiUrl: 'http://proxy.example.com', allowHTTP: true })),
  apiUrl(false, 'another host', workos({ apiUrl: 'http://proxy.example.com' })),
  apiUrl(false, 'allowed for nobody', workos({ apiUrl: 'http://proxy.example.com', allowHTTP: false })),
  url(false, 'said, but not allowed', scim({ url: 'http://app.example.com/scim/v2', allowHTTP: false })),
  ldapUrl(true, 'LDAPS', ldap({ url: 'ldaps://dc1.corp.example:636/' })),
  ldapUrl(true, 'StartTLS', ldap({ url: 'ldap://dc1.corp.example', startTLS: true })),
  ldapUrl(true, 'loopback', ldap({ url: 'ldap://127.0.0.1:1389' })),
  ldapUrl(true, 'allowed', ldap({ url: 'ldap://dc1.corp.example', allowHTTP: true })),
  ldapUrl(false, 'plain', ldap({ url: 'ldap://dc1.corp.example' })),
  ldapUrl(false, 'plain, said so', ldap({ url: 'ldap://dc1.corp.example', startTLS: false, allowHTTP: false })),
  duration(true, 'several units', { settle: '1h30m15s500ms' }),
  duration(true, 'a part of a unit', { settle: '1.5h' }),
  duration(true, 'zero without a unit', { settle: '0' }),
  duration(false, 'a word for the unit', { schedule: { interval: '40 minutes' } }),
  duration(false, 'days, which Go does not have', { settle: '1d' }),
  duration(false, 'no unit', { timeouts: { request: '30' } }),
  duration(false, 'a sign', { settle: '-5s' }),
  least(true, 'a second', { schedule: { interval: '1s' } }),
  least(true, 'the same in milliseconds', { schedule: { interval: '1000ms' } }),
  least(false, 'half a second', { schedule: { interval: '500ms' } }),
  least(false, 'nothing', { timeouts: { request: '0' } }),
  least(false, 'nothing for a run', { timeouts: { run: '0.5s' } }),
  most(true, 'ninety days', { guards: { window: '2160h' } }),
  most(false, 'a second more', { guards: { window: '2160h1s' } }),
  value(true, 'In with values', clause({ operator: 'In', values: ['Finance', 7, true] })),
  value(false, 'In without values', clause({ operator: 'In' })),
  value(false, 'IsTrue with values', clause({ operator: 'IsTrue', values: ['Finance'] })),
  value(true, 'Equals with a string', clause({ operator: 'Equals', value: 'Finance' })),
  value(true, 'Equals with a boolean', clause({ operator: 'Equals', value: true })),
  value(true, 'Contains with a number', clause({ operator: 'Contains', value: 7 })),
  value(true, 'IsNull alone', clause({ operator: 'IsNull' })),
  value(false, 'Equals without a value', clause({ operator: 'Equals' })),
  value(false, 'IsNull with a value', clause({ operator: 'IsNull', value: 'x' })),
  value(false, 'IsNotNull with values', clause({ operator: 'IsNotNull', values: ['x'] })),
  value(false, 'In with a value beside its values', clause({ operator: 'In', values: ['x'], value: 'x' })),
  value(true, 'After with a moment', clause({ operator: 'After', value: 'now-720h' })),
  value(true, 'IsInTeam with a value', { match: [{ operator: 'IsInTeam', value: 'Chess' }] }),
  value(false, 'IsMemberOf without a value', { match: [{ operator: 'IsMemberOf' }] }),
  attribute(true, 'IsMemberOf alone', { match: [{ operator: 'IsMemberOf', value: 'Engineering' }] }),
  attribute(false, 'IsInTeam with an attribute', clause({ operator: 'IsInTeam', value: 'Chess' })),
  attribute(false, 'Equals without an attribute', { match: [{ operator: 'Equals', value: 'x' }] }),
  single(true, 'a list of constants', entry({ constant: ['a', 'b'] })),
  single(true, 'a source and a default', entry({ source: 'mail', default: 'none' })),
  single(false, 'a source and an expression', entry({ source: 'mail', expression: '[mail]' })),
  single(false, 'an expression and CEL', entry({ expression: '[mail]', cel: 'user.mail' })),
  single(false, 'a source and a constant', entry({ source: 'mail', constant: 'x' })),
  single(false, 'an expression and a constant', entry({ expression: '[mail]', constant: false })),
  some(true, 'CEL alone', entry({ cel: 'user.mail' })),
  some(true, 'a default alone', entry({ default: 'none' })),
  some(true, 'a constant that is false', entry({ constant: false })),
  some(false, 'a target alone', entry({})),
  rule(true, 'match alone', {}),
  rule(true, 'teamsFrom alone', teamsFrom),
  rule(false, 'match and teamsFrom', { teamsFrom: { attributes: ['teams'] } }),
  rule(true, 'everyone alone', { match: undefined, everyone: true }),
  rule(true, 'rule alone', { match: undefined, rule: 'user.department -eq "Finance"' }),
  rule(false, 'match and rule', { rule: 'user.department -eq "Finance"' }),
  rule(true, 'cel alone', { match: undefined, cel: 'user.department == "Finance"' }),
  rule(false, 'rule and cel', { match: undefined, rule: 'user.city -eq "x"', cel: 'true' }),
  rule(false, 'match and everyone', { everyone: true }),
  rule(false, 'neither', { match: undefined, team: undefined }),
  team(true, 'match with a team', {}),
  team(false, 'match without a team', { team: undefined }),
  team(false, 'teamsFrom with a team', { ...teamsFrom, team: { displayName: 'Finance' } }),
  team(false, 'everyone without a team', { match: undefined, team: undefined, everyone: true }),
  names(true, 'attributes', teamsFrom),
  names(true, 'expressions', { ...teamsFrom, teamsFrom: { expressions: ['[teams]'] } }),
  names(true, 'both', { ...teamsFrom, teamsFrom: { attributes: ['teams'], expressions: ['[teams]'] } }),
  names(false, 'neither', { ...teamsFrom, teamsFrom: { prefix: 'Club ' } }),
  include(true, 'include beside match', { include: ['u-1'] }),
  include(true, 'an empty include beside teamsFrom', { ...teamsFrom, include: [] }),
  include(false, 'include beside teamsFrom', { ...teamsFrom, include: ['u-1'] }),
  needed(true, 'a mapping', { mappings: [{ name: 'users' }] }),
  needed(false, 'none', { mappings: [] }),
  needed(false, 'left out', { mappings: undefined }),
  entries(true, 'a preset alone', { preset: 'EntraToSCIM', attributes: undefined }),
  entries(true, 'both', { preset: 'EntraToSCIM' }),
  entries(false, 'nothing', { attributes: undefined }),
  omit(true, 'nothing else', { attributes: [{ target: 'title', omit: true }] }),
  omit(true, 'not left out', { attributes: [{ target: 'title', omit: false, source: 'title' }] }),
  omit(false, 'with a source', { attributes: [{ target: 'title', omit: true, source: 'title' }] }),
  omit(false, 'with a default', { attributes: [{ target: 'title', omit: true, default: 'n/a' }] }),
  omit(false, 'with a constant', { attributes: [{ target: 'title', omit: true, constant: 'n/a' }] }),
  omit(false, 'that is required', { attributes: [{ target: 'title', omit: true, required: true }] }),
  canonical(true, 'strings', { type: 'String', canonicalValues: ['bronze'] }),
  canonical(true, 'strings by default', { canonicalValues: ['bronze'] }),
  canonical(false, 'numbers', { type: 'Integer', canonicalValues: ['1'] }),
  references(true, 'a reference', { type: 'Reference', references: { resource: 'User' } }),
  references(false, 'a reference to nobody knows what', { type: 'Reference' }),
  references(false, 'a text that refers', { references: { resource: 'User' } }),
  references(true, 'several', { type: 'Reference', references: { resource: 'User' }, multiValued: true }),
  references(true, 'a team', { type: 'Reference', references: { resource: 'Team' } }),
  predefined(true, 'no name', { predefined: 'job_title' }),
  predefined(true, 'its name', { predefined: 'job_title', name: 'job_title' }),
  predefined(false, 'that is required', { predefined: 'job_title', required: true }),
  predefined(false, 'another name', { predefined: 'job_title', name: 'title' }),
  predefined(false, 'a reference', { predefined: 'job_title', type: 'Reference', references: { resource: 'User' } }),
  separator(true, 'a list', { multiValued: true, separator: ';' }),
  separator(false, 'one value', { separator: ';' }),
  separator(false, 'one value, said', { multiValued: false, separator: ';' }),
  syncs(true, 'all', { directorySyncs: 'All' }),
  syncs(true, 'named ones', { directorySyncs: { names: ['sample'] } }),
  syncs(false, 'another word', { directorySyncs: 'Some' }),
  syncs(false, 'another key', { directorySyncs: { name: ['sample'] } }),
];
