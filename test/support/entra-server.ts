/**
 * Microsoft Graph v1.0 and the token endpoint of Entra ID in this process, as far as a tenant is read by them: made after
 * Microsoft's public documentation. Queries that the real one refuses are refused here too.
 */
import { constants, verify, X509Certificate } from 'node:crypto';
import type { Json } from '../../src/model.ts';
import { type Reply, type ScriptedServer, type SeenRequest, startScriptedServer } from './scripted-server.ts';

type JsonObject = { readonly [key: string]: Json };

export interface GraphUser extends JsonObject {
  readonly id: string;
}

export interface GraphMember {
  readonly id: string;
  readonly type: 'user' | 'group' | 'device';
}

export interface GraphGroup {
  readonly id: string;
  readonly displayName: string;
  readonly members: readonly GraphMember[];
  readonly more?: JsonObject;
}

export interface GraphAssignment {
  readonly principalId: string;
  readonly principalType: 'User' | 'Group' | 'ServicePrincipal';
  readonly appRoleId: string;
}

export interface GraphPhoto {
  readonly etag: string;
  readonly bytes: Uint8Array;
}

/** `old`: of more than 30 days; `reset`: by the service; `lost`: the documented end. */
export type ExpiredLink = 'old' | 'reset' | 'lost';

/** What one object was after a change; null: it is gone. */
interface LogEntry {
  readonly kind: 'users' | 'groups';
  readonly id: string;
  readonly now: JsonObject | null;
  /** Properties that changed; null: all of them, for it is new or gone. */
  readonly changed: readonly string[] | null;
  readonly manager: { readonly before: Json; readonly now: Json } | null;
  readonly members: { readonly added: readonly GraphMember[]; readonly removed: readonly GraphMember[] };
}

export interface EntraServer {
  readonly url: string;
  readonly server: ScriptedServer;
  readonly tenantId: string;
  readonly clientId: string;
  readonly clientSecret: string;
  /** In PEM, as it was uploaded to the app registration; null: none. */
  certificate: string | null;
  /** The token of the platform that a federated credential takes; null: none. */
  federatedToken: string | null;
  /** Milliseconds since 1970, by which assertions are judged. */
  now: () => number;
  /** Application permissions that an administrator has consented to. */
  permissions: readonly string[];
  users: readonly GraphUser[];
  groups: readonly GraphGroup[];
  /** Directory extensions that the tenant has. */
  extensions: readonly string[];
  readonly applicationId: string;
  assignments: readonly GraphAssignment[];
  readonly photos: Map<string, GraphPhoto>;
  /** Null: pages as asked for, else these, one after the other. `next` says for some by number which page they name. */
  layout: {
    readonly pages: readonly (readonly JsonObject[])[];
    readonly next?: Readonly<Record<number, number>>;
  } | null;
  /** Pages may be smaller than they were asked for. */
  mostOfPage: number;
  /** Tokens given so far are refused from now on. */
  expireTokens(): void;
  /** The tenant has these from now on, and tells so by delta queries. */
  change(now: Partial<Pick<EntraServer, 'users' | 'groups'>>): void;
  /** Delta links given so far are refused from now on, in one of the ways that were seen. */
  expireLinks(how: ExpiredLink): void;
  /** Items of one page of changes, at most. */
  mostOfChanges: number;
  close(): Promise<void>;
}

export const TENANT = '7d1f2c5e-0b64-4a5e-9a3d-6f1b2a7c9e01';
export const CLIENT = '2b8f4a10-5c3d-4e77-8a61-0d9e5b7f3c22';
export const APPLICATION = 'c0a9e3d4-1f52-4b8a-93e7-5d60b1a2f433';
export const EDITOR = '0f6c2a11-8d3e-4c1b-a7f5-2b94d6e3c001';
export const READER = '0f6c2a11-8d3e-4c1b-a7f5-2b94d6e3c002';
const SERVICE_PRINCIPAL = 'e5d40c77-6b1a-4f28-8c39-7a02f9b1d644';
const SECRET = 'Xy8~sesame-sesame';

const ALL_PERMISSIONS = ['Organization.Read.All', 'User.Read.All', 'GroupMember.Read.All', 'Application.Read.All'];

export async function startEntra(
  content: Partial<Pick<EntraServer, 'users' | 'groups' | 'assignments' | 'extensions' | 'mostOfPage'>> = {},
): Promise<EntraServer> {
  const tokens = new Set<string>();
  const feed: Feed = { log: [], generation: 0, expired: 'old' };
  const server = await startScriptedServer((request) => answer(entra, { tokens, feed }, request));
  const entra: EntraServer = {
    url: server.url,
    server,
    tenantId: TENANT,
    clientId: CLIENT,
    clientSecret: SECRET,
    certificate: null,
    federatedToken: null,
    now: () => Date.now(),
    permissions: ALL_PERMISSIONS,
    users: [],
    groups: [],
    extensions: [],
    applicationId: APPLICATION,
    assignments: [],
    photos: new Map(),
    layout: null,
    mostOfPage: 999,
    ...content,
    mostOfChanges: 50,
    expireTokens: () => tokens.clear(),
    change: ({ users = entra.users, groups = entra.groups }) => {
      feed.log.push(...listUserChanges(entra.users, users), ...listGroupChanges(entra.groups, groups));
      entra.users = users;
      entra.groups = groups;
    },
    expireLinks: (how) => {
      feed.generation += 1;
      feed.expired = how;
    },
    close: server.close,
  };
  return entra;
}

/** Somebody as the tenant keeps them. `manager` is an id. */
export function toGraphUser(id: string, more: Readonly<Record<string, Json>> = {}): GraphUser {
  return {
    accountEnabled: true,
    displayName: id,
    userPrincipalName: `${id}@corp.example`,
    mail: `${id}@corp.example`,
    ...more,
    id,
  };
}

function refuse(status: number, code: string, message: string): Reply {
  return { status, body: { error: { code, message, innerError: { 'request-id': 'r', date: '2026-01-02T03:04:05' } } } };
}

interface Feed {
  readonly log: LogEntry[];
  /** Links of another one are refused. */
  generation: number;
  expired: ExpiredLink;
}

interface Kept {
  readonly tokens: Set<string>;
  readonly feed: Feed;
}

function answer(entra: EntraServer, { tokens, feed }: Kept, request: SeenRequest): Reply {
  const { method, path, authorization } = request;
  if (method === 'POST' && path.endsWith('/oauth2/v2.0/token')) return giveToken(entra, tokens, request);
  const token = /^Bearer (.+)$/.exec(authorization)?.[1] ?? '';
  if (!tokens.has(token)) return refuse(401, 'InvalidAuthenticationToken', 'Lifetime validation failed.');
  if (method !== 'GET') return refuse(405, 'Request_BadRequest', 'Specified HTTP method is not allowed.');
  const delta = /^\/v1\.0\/(users|groups)\/delta$/.exec(path)?.[1];
  if (delta === 'users' || delta === 'groups') return toDelta(entra, { feed, kind: delta }, request);
  return readGraph(entra, request);
}

// Tokens

function giveToken(entra: EntraServer, tokens: Set<string>, { path, body }: SeenRequest): Reply {
  const form = new URLSearchParams(body);
  const [, tenant = ''] = path.split('/');
  if (tenant !== entra.tenantId && tenant !== 'corp.example') return refuseToken(400, 'invalid_request', 90002);
  if (form.get('grant_type') !== 'client_credentials') return refuseToken(400, 'unsupported_grant_type', 70003);
  if (form.get('scope') !== `${entra.url}/.default`) return refuseToken(400, 'invalid_scope', 70011);
  if (form.get('client_id') !== entra.clientId) return refuseToken(400, 'unauthorized_client', 700016);
  const problem = checkProof(entra, `${entra.url}${path}`, form);
  if (problem !== null) return refuseToken(401, 'invalid_client', problem);
  const token = `eyJ0.${tokens.size}.${Math.random().toString(36).slice(2)}`;
  tokens.add(token);
  return {
    status: 200,
    body: { token_type: 'Bearer', expires_in: 3599, ext_expires_in: 3599, access_token: token },
  };
}

function refuseToken(status: number, error: string, number: number): Reply {
  const error_description = `AADSTS${number}: refused. Trace ID: t`;
  return { status, body: { error, error_description, error_codes: [number], trace_id: 't', correlation_id: 'c' } };
}

/** The number of what is wrong; null: nothing. */
function checkProof(entra: EntraServer, tokenUrl: string, form: URLSearchParams): number | null {
  const secret = form.get('client_secret');
  if (secret !== null) return secret === entra.clientSecret ? null : 7000215;
  const type = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';
  const assertion = form.get('client_assertion');
  if (form.get('client_assertion_type') !== type || assertion === null) return 7000218;
  if (entra.federatedToken !== null && assertion === entra.federatedToken) return null;
  if (entra.certificate === null) return 700213;
  return checkAssertion(entra, new X509Certificate(entra.certificate), { assertion, tokenUrl });
}

function checkAssertion(
  { clientId, now }: EntraServer,
  certificate: X509Certificate,
  { assertion, tokenUrl }: { readonly assertion: string; readonly tokenUrl: string },
): number | null {
  const [head = '', claims = '', signature = ''] = assertion.split('.');
  const parse = (part: string): Record<string, unknown> => JSON.parse(Buffer.from(part, 'base64url').toString('utf8'));
  const thumbprint = Buffer.from(certificate.fingerprint256.replaceAll(':', ''), 'hex').toString('base64url');
  const { alg, 'x5t#S256': named } = parse(head);
  const key = { key: certificate.publicKey, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: 32 };
  const isSigned = verify('sha256', Buffer.from(`${head}.${claims}`), key, Buffer.from(signature, 'base64url'));
  if (alg !== 'PS256' || named !== thumbprint || !isSigned) return 700027;
  const { aud, iss, sub, jti, nbf, exp } = parse(claims);
  if (aud !== tokenUrl || iss !== clientId || sub !== clientId || typeof jti !== 'string') return 700023;
  const seconds = now() / 1000;
  return Number(nbf) <= seconds && seconds < Number(exp) && Number(exp) - Number(nbf) <= 600 ? null : 700024;
}

// Graph

interface Route {
  readonly pattern: RegExp;
  readonly permission: string;
  readonly reply: (entra: EntraServer, request: SeenRequest, id: string) => Reply;
}

const ROUTES: readonly Route[] = [
  { pattern: /^organization$/, permission: 'Organization.Read.All', reply: toOrganization },
  { pattern: /^users$/, permission: 'User.Read.All', reply: toUsers },
  { pattern: /^users\/([^/]+)$/, permission: 'User.Read.All', reply: toOneUser },
  { pattern: /^users\/([^/]+)\/photo$/, permission: 'User.Read.All', reply: toPhoto },
  { pattern: /^users\/([^/]+)\/photo\/\$value$/, permission: 'User.Read.All', reply: toPhotoBytes },
  { pattern: /^groups$/, permission: 'GroupMember.Read.All', reply: toGroups },
  { pattern: /^groups\/([^/]+)\/members$/, permission: 'GroupMember.Read.All', reply: toMembers },
  { pattern: /^groups\/([^/]+)\/transitiveMembers$/, permission: 'GroupMember.Read.All', reply: toAllMembers },
  { pattern: /^applications$/, permission: 'Application.Read.All', reply: toApplications },
  {
    pattern: /^applications\/([^/]+)\/extensionProperties$/,
    permission: 'Application.Read.All',
    reply: toExtensions,
  },
  {
    pattern: /^servicePrincipals\(appId='([^']+)'\)$/,
    permission: 'Application.Read.All',
    reply: toServicePrincipal,
  },
  {
    pattern: /^servicePrincipals\/([^/]+)\/appRoleAssignedTo$/,
    permission: 'Application.Read.All',
    reply: toAssignments,
  },
];

function readGraph(entra: EntraServer, request: SeenRequest): Reply {
  const path = request.path.replace(/^\/v1\.0\//, '');
  for (const { pattern, permission, reply } of ROUTES) {
    const match = pattern.exec(path);
    if (match === null) continue;
    if (!entra.permissions.includes(permission))
      return refuse(403, 'Authorization_RequestDenied', 'Insufficient privileges to complete the operation.');
    return reply(entra, request, decodeURIComponent(match[1] ?? ''));
  }
  return refuse(400, 'BadRequest', `Resource not found for the segment '${path}'.`);
}

const NOT_FOUND = refuse(404, 'Request_ResourceNotFound', "Resource 'x' does not exist.");

function toOrganization({ tenantId }: EntraServer): Reply {
  const verifiedDomains = [
    { name: 'corp.onmicrosoft.example', isDefault: false, isInitial: true },
    { name: 'corp.example', isDefault: true, isInitial: false },
  ];
  return { status: 200, body: { value: [{ id: tenantId, displayName: 'Corp', verifiedDomains }] } };
}

const USER_PROPERTIES = new Set(
  `accountEnabled ageGroup assignedLicenses assignedPlans authorizationInfo businessPhones city companyName
   consentProvidedForMinor country createdDateTime creationType department displayName employeeHireDate employeeId employeeOrgData
   employeeType externalUserState externalUserStateChangeDateTime faxNumber givenName id identities imAddresses isResourceAccount
   jobTitle lastPasswordChangeDateTime legalAgeGroupClassification mail mailNickname mobilePhone officeLocation
   onPremisesDistinguishedName onPremisesDomainName onPremisesExtensionAttributes onPremisesImmutableId
   onPremisesLastSyncDateTime onPremisesSamAccountName onPremisesSecurityIdentifier onPremisesSyncEnabled
   onPremisesUserPrincipalName otherMails passwordPolicies postalCode preferredDataLocation preferredLanguage provisionedPlans
   proxyAddresses securityIdentifier showInAddressList signInSessionsValidFromDateTime state streetAddress surname usageLocation
   userPrincipalName userType`.split(/\s+/),
);
const DEFAULTS =
  `businessPhones displayName givenName id jobTitle mail mobilePhone officeLocation preferredLanguage surname
   userPrincipalName`.split(/\s+/);

const PARAMETERS = new Set(['$select', '$expand', '$top', '$count', '$filter', '$skiptoken']);

/** Null: it is all right. */
function checkQuery({ query, headers }: SeenRequest): Reply | null {
  const unknown = [...query.keys()].find((name) => !PARAMETERS.has(name));
  if (unknown !== undefined) return refuse(400, 'Request_BadRequest', `Unrecognized query argument '${unknown}'.`);
  const top = Number(query.get('$top') ?? 100);
  if (!(top >= 1 && top <= 999)) return refuse(400, 'Request_BadRequest', `Invalid page size specified: '${top}'.`);
  if (query.has('$count') && headers['consistencylevel'] !== 'eventual')
    return refuse(400, 'Request_UnsupportedQuery', '$count needs ConsistencyLevel: eventual.');
  return null;
}

/** Null: a property that there is not. */
function toSelect(
  { query }: Pick<SeenRequest, 'query'>,
  known: ReadonlySet<string>,
  defaults: readonly string[],
): readonly string[] | null {
  const names = query.get('$select')?.split(',') ?? defaults;
  return names.every((name) => known.has(name)) ? names : null;
}

const NO_PROPERTY = refuse(400, 'Request_BadRequest', 'Could not find a property named ….');

type Show = (user: JsonObject) => JsonObject;

/** Made once for each list of people that the tenant has had. */
const BY_ID = new WeakMap<readonly GraphUser[], ReadonlyMap<string, GraphUser>>();

function findUser({ users }: EntraServer, id: string): GraphUser | undefined {
  const known = BY_ID.get(users) ?? new Map(users.map((user) => [user.id, user]));
  BY_ID.set(users, known);
  return known.get(id);
}

function toShow(entra: EntraServer, request: SeenRequest): Show | Reply {
  const select = toSelect(request, new Set([...USER_PROPERTIES, ...entra.extensions]), DEFAULTS);
  if (select === null) return NO_PROPERTY;
  const expand = request.query.get('$expand');
  if (expand !== null && !/^manager\(\$select=[\w,]+\)$/.test(expand))
    return refuse(400, 'Request_BadRequest', 'The result of parsing $expand contained too many items.');
  return (user) => {
    const manager = expand === null ? undefined : findUser(entra, String(user['manager'] ?? ''));
    return {
      // What was never set is missing as often as it is null.
      ...Object.fromEntries(select.filter((name) => name in user).map((name) => [name, user[name] ?? null])),
      ...(manager === undefined
        ? {}
        : {
            manager: { '@odata.type': '#microsoft.graph.user', id: manager.id, mail: manager['mail'] ?? null },
          }),
    };
  };
}

function toUsers(entra: EntraServer, request: SeenRequest): Reply {
  const problem = checkQuery(request);
  if (problem !== null) return problem;
  const show = toShow(entra, request);
  if (typeof show !== 'function') return show;
  const filter = request.query.get('$filter');
  if (filter !== null) {
    const ids = /^id in \(([^)]*)\)$/.exec(filter)?.[1]?.split(',') ?? [];
    if (ids.length === 0 || ids.length > 15) return refuse(400, 'Request_UnsupportedQuery', 'Too many child clauses.');
    const wanted = new Set(ids.map((id) => id.replace(/^'|'$/g, '')));
    const found = [...wanted].flatMap((id) => findUser(entra, id) ?? []);
    return toList(entra, request, found, show);
  }
  return entra.layout === null
    ? toList(entra, request, entra.users, show)
    : toLaidOut(entra.layout, { entra, request, show });
}

function toOneUser(entra: EntraServer, request: SeenRequest, id: string): Reply {
  const show = toShow(entra, request);
  if (typeof show !== 'function') return show;
  // Graph takes the user principal name in the place of the id.
  const user = entra.users.find((each) => each.id === id || each['userPrincipalName'] === id);
  return user === undefined ? NOT_FOUND : { status: 200, body: show(user) };
}

const GROUP_PROPERTIES = new Set(['id', 'displayName', 'description', 'mail', 'visibility', 'securityEnabled']);

function toGroups(entra: EntraServer, request: SeenRequest): Reply {
  const problem = checkQuery(request);
  if (problem !== null) return problem;
  const select = toSelect(request, GROUP_PROPERTIES, ['id', 'displayName']);
  if (select === null) return NO_PROPERTY;
  const groups = entra.groups.map(({ id, displayName, more = {} }): JsonObject => {
    const all: JsonObject = { visibility: null, ...more, id, displayName };
    return Object.fromEntries(select.map((name) => [name, all[name] ?? null]));
  });
  return toList(entra, request, groups);
}

const toDirectoryObject = ({ id, type }: GraphMember): JsonObject => ({
  '@odata.type': `#microsoft.graph.${type}`,
  id,
});

function toMembers(entra: EntraServer, request: SeenRequest, id: string): Reply {
  const problem = checkQuery(request);
  if (problem !== null) return problem;
  const group = entra.groups.find((each) => each.id === id);
  return group === undefined ? NOT_FOUND : toList(entra, request, group.members.map(toDirectoryObject));
}

function toAllMembers(entra: EntraServer, request: SeenRequest, id: string): Reply {
  const problem = checkQuery(request);
  if (problem !== null) return problem;
  const seen = new Map<string, GraphMember>();
  const walk = (groupId: string): void => {
    for (const member of entra.groups.find((each) => each.id === groupId)?.members ?? []) {
      if (seen.has(member.id)) continue;
      seen.set(member.id, member);
      if (member.type === 'group') walk(member.id);
    }
  };
  walk(id);
  return toList(entra, request, [...seen.values()].map(toDirectoryObject));
}

const REGISTRATION = '5f3c1b90-2a7e-4d6f-8b1c-9e0a4d7c6b55';

/** The one that has them all, where there are any. */
function toApplications(entra: EntraServer, request: SeenRequest): Reply {
  const problem = checkQuery(request);
  if (problem !== null) return problem;
  const { query } = request;
  if (query.get('$filter') !== 'extensionProperties/$count ne 0' || !query.has('$count'))
    return refuse(400, 'Request_UnsupportedQuery', 'Only those with extensions are listed here.');
  return toList(entra, request, entra.extensions.length === 0 ? [] : [{ id: REGISTRATION }]);
}

/** One of them is not of users. */
function toExtensions(entra: EntraServer, request: SeenRequest, id: string): Reply {
  const problem = checkQuery(request);
  if (problem !== null) return problem;
  if (id !== REGISTRATION) return NOT_FOUND;
  const ofGroups = { name: `extension_${CLIENT.replaceAll('-', '')}_room`, targetObjects: ['Group'] };
  const ofUsers = entra.extensions.map((name) => ({ name, targetObjects: ['User', 'Device'] }));
  return toList(entra, request, [ofGroups, ...ofUsers]);
}

function toServicePrincipal({ applicationId }: EntraServer, _request: SeenRequest, appId: string): Reply {
  if (appId !== applicationId) return NOT_FOUND;
  const role = (id: string, value: string, displayName: string) => ({ id, value, displayName, isEnabled: true });
  const appRoles = [role(EDITOR, 'Editor', 'Editors'), role(READER, 'Reader', 'Readers')];
  return { status: 200, body: { id: SERVICE_PRINCIPAL, displayName: 'Wiki', appRoles } };
}

function toAssignments(entra: EntraServer, request: SeenRequest): Reply {
  const problem = checkQuery(request);
  if (problem !== null) return problem;
  const assignments = entra.assignments.map((each, index) => ({ ...each, id: `assignment-${index}` }));
  return toList(entra, request, assignments);
}

function toPhoto({ photos }: EntraServer, _request: SeenRequest, id: string): Reply {
  const photo = photos.get(id);
  if (photo === undefined) return refuse(404, 'ImageNotFound', 'ImageNotFoundException was thrown.');
  const body = { '@odata.mediaContentType': 'image/png', '@odata.mediaEtag': photo.etag, id: '648x648' };
  return { status: 200, body };
}

function toPhotoBytes({ photos }: EntraServer, _request: SeenRequest, id: string): Reply {
  const photo = photos.get(id);
  if (photo === undefined) return refuse(404, 'ImageNotFound', 'ImageNotFoundException was thrown.');
  return { status: 200, headers: { 'content-type': 'image/png', etag: photo.etag }, body: photo.bytes };
}

/** A `+` in a token of Graph stands for itself: whoever decodes and encodes the link breaks it. */
const MARK = 'RFNwdAoAAQ+';

function toPage(
  { url }: EntraServer,
  { path, query }: SeenRequest,
  {
    items,
    next,
    count,
  }: { readonly items: readonly JsonObject[]; readonly next: number | null; readonly count?: number },
): Reply {
  const rest = new URLSearchParams(query);
  for (const name of ['$skiptoken', '$count']) rest.delete(name);
  const link = `${url}${path}?${rest}&$skiptoken=${MARK}${next}`;
  return {
    status: 200,
    body: {
      '@odata.context': `${url}/v1.0/$metadata`,
      ...(count === undefined ? {} : { '@odata.count': count }),
      ...(next === null ? {} : { '@odata.nextLink': link }),
      value: items,
    },
  };
}

/** What stands behind the mark; null: the first page. NaN: a token that was broken on its way. */
function readSkipToken({ query }: SeenRequest): number | null {
  const token = query.get('$skiptoken');
  if (token === null) return null;
  const mark = MARK.replace('+', ' ');
  return token.startsWith(mark) ? Number(token.slice(mark.length)) : Number.NaN;
}

const BAD_TOKEN = refuse(400, 'Request_BadRequest', 'Skip token is not valid.');

function toList(
  entra: EntraServer,
  request: SeenRequest,
  all: readonly JsonObject[],
  show: Show = (item) => item,
): Reply {
  const { query } = request;
  const from = readSkipToken(request) ?? 0;
  if (Number.isNaN(from)) return BAD_TOKEN;
  const end = from + Math.min(entra.mostOfPage, Number(query.get('$top') ?? 100));
  const items = all.slice(from, end).map(show);
  const count = query.get('$count') === 'true' ? { count: all.length } : {};
  return toPage(entra, request, { items, next: end < all.length ? end : null, ...count });
}

function toLaidOut(
  { pages, next = {} }: NonNullable<EntraServer['layout']>,
  { entra, request, show }: { readonly entra: EntraServer; readonly request: SeenRequest; readonly show: Show },
): Reply {
  const number = readSkipToken(request) ?? 0;
  if (Number.isNaN(number)) return BAD_TOKEN;
  const following = next[number] ?? number + 1;
  const items = (pages[number] ?? []).map(show);
  return toPage(entra, request, { items, next: following >= pages.length ? null : following });
}

// Changes

const NO_MEMBERS = { added: [], removed: [] };

function listUserChanges(before: readonly GraphUser[], now: readonly GraphUser[]): readonly LogEntry[] {
  const was = new Map(before.map((user) => [user.id, user]));
  const is = new Map(now.map((user) => [user.id, user]));
  const gone = before.filter(({ id }) => !is.has(id));
  const entries = now.flatMap((user): LogEntry[] => {
    const old = was.get(user.id);
    if (old === user) return [];
    const names = [...new Set([...Object.keys(user), ...Object.keys(old ?? {})])];
    const changed = names.filter((name) => JSON.stringify(user[name]) !== JSON.stringify(old?.[name]));
    if (old !== undefined && changed.length === 0) return [];
    const managers = { before: old?.['manager'] ?? null, now: user['manager'] ?? null };
    const manager = managers.before === managers.now ? null : managers;
    return [
      {
        kind: 'users',
        id: user.id,
        now: user,
        changed: old === undefined ? null : changed,
        manager,
        members: NO_MEMBERS,
      },
    ];
  });
  return [...gone.map(({ id }) => toGone('users', id)), ...entries];
}

function toGone(kind: LogEntry['kind'], id: string): LogEntry {
  return { kind, id, now: null, changed: null, manager: null, members: NO_MEMBERS };
}

function listGroupChanges(before: readonly GraphGroup[], now: readonly GraphGroup[]): readonly LogEntry[] {
  const was = new Map(before.map((group) => [group.id, group]));
  const is = new Set(now.map(({ id }) => id));
  const entries = now.flatMap(({ id, displayName, members, more = {} }): LogEntry[] => {
    const old = was.get(id);
    const without = (all: readonly GraphMember[], others: readonly GraphMember[]): readonly GraphMember[] => {
      const ids = new Set(others.map((member) => member.id));
      return all.filter((member) => !ids.has(member.id));
    };
    const added = without(members, old?.members ?? []);
    const removed = without(old?.members ?? [], members);
    const isSame = JSON.stringify([old?.displayName, old?.more ?? {}]) === JSON.stringify([displayName, more]);
    if (isSame && added.length === 0 && removed.length === 0) return [];
    const group: JsonObject = { visibility: null, ...more, id, displayName };
    return [{ kind: 'groups', id, now: group, changed: null, manager: null, members: { added, removed } }];
  });
  return [...before.filter(({ id }) => !is.has(id)).map(({ id }) => toGone('groups', id)), ...entries];
}

/** What a token holds: of which generation it is, where it stands in the log, and what was selected. */
interface Place {
  readonly generation: number;
  readonly from: number;
  readonly select: string;
}

function toToken({ generation, from, select }: Place): string {
  return `${MARK}${generation}.${from}.${Buffer.from(select).toString('base64url')}`;
}

/** Null: a token that was broken on its way. */
function parsePlace(token: string): Place | null {
  // A decoded + is a blank.
  const match = /^(.*) (\d+)\.(\d+)\.([\w-]*)$/.exec(token);
  if (match === null || `${match[1]}+` !== MARK) return null;
  const select = Buffer.from(match[4] ?? '', 'base64url').toString('utf8');
  return { generation: Number(match[2]), from: Number(match[3]), select };
}

const EXPIRED: Readonly<Record<ExpiredLink, Reply>> = {
  old: refuse(400, 'Request_UnsupportedQuery', 'DeltaLink older than 30 days is not supported.'),
  reset: refuse(410, 'resyncRequired', 'Resync required.'),
  lost: refuse(400, 'syncStateNotFound', 'The sync state generation is not found.'),
};

function toDelta(
  entra: EntraServer,
  { feed, kind }: { readonly feed: Feed; readonly kind: LogEntry['kind'] },
  request: SeenRequest,
): Reply {
  const { query } = request;
  const permission = kind === 'users' ? 'User.Read.All' : 'GroupMember.Read.All';
  if (!entra.permissions.includes(permission))
    return refuse(403, 'Authorization_RequestDenied', 'Insufficient privileges to complete the operation.');
  const token = query.get('$deltatoken') ?? query.get('$skiptoken');
  const { generation, log } = feed;
  const context = `${entra.url}/v1.0/$metadata#${kind}`;
  const link = `${entra.url}/v1.0/${kind}/delta`;
  if (token === 'latest') {
    const select = query.get('$select') ?? '';
    const known = new Set([...USER_PROPERTIES, ...GROUP_PROPERTIES, ...entra.extensions, 'manager', 'members']);
    if (!select.split(',').every((name) => known.has(name))) return NO_PROPERTY;
    const place = toToken({ generation, from: log.length, select });
    const body = { '@odata.context': context, value: [], '@odata.deltaLink': `${link}?$deltatoken=${place}` };
    return { status: 200, body };
  }
  const place = parsePlace(token ?? '');
  if (place === null) return refuse(400, 'Request_BadRequest', 'Badly formed token.');
  if (place.generation !== generation) return EXPIRED[feed.expired];
  const entries = log.slice(place.from).filter((entry) => entry.kind === kind);
  const page = entries.slice(0, entra.mostOfChanges);
  const last = page.at(-1);
  const isLast = page.length === entries.length;
  const from = isLast || last === undefined ? log.length : log.indexOf(last) + 1;
  const next = toToken({ ...place, from });
  const names = place.select.split(',');
  const value = page.flatMap((entry) => toDeltaItem(entry, names));
  const more = isLast
    ? { '@odata.deltaLink': `${link}?$deltatoken=${next}` }
    : { '@odata.nextLink': `${link}?$skiptoken=${next}` };
  return { status: 200, body: { '@odata.context': context, value, ...more } };
}

/** Only changes to what is selected bring an object back; it then has all of that which was ever set. */
function toDeltaItem(
  { id, now, changed, manager, members }: LogEntry,
  names: readonly string[],
): readonly JsonObject[] {
  if (now === null) return [{ id, '@removed': { reason: 'changed' } }];
  const isAbout = changed === null || changed.some((name) => names.includes(name));
  if (!isAbout) return [];
  const own = Object.fromEntries(
    names
      .filter((name) => name !== 'manager' && name !== 'members' && name in now)
      .map((name) => [name, now[name] ?? null]),
  );
  const item: JsonObject = { ...own, id };
  const withManager =
    manager === null || !names.includes('manager')
      ? item
      : {
          ...item,
          'manager@delta':
            manager.now === null
              ? [{ '@odata.type': '#microsoft.graph.user', id: manager.before, '@removed': { reason: 'deleted' } }]
              : [{ '@odata.type': '#microsoft.graph.user', id: manager.now }],
        };
  const { added, removed } = members;
  const all = [
    ...removed.map((member) => ({ ...toDirectoryObject(member), '@removed': { reason: 'deleted' } })),
    ...added.map(toDirectoryObject),
  ];
  // A large group comes in parts.
  const parts = Array.from({ length: Math.ceil(all.length / 20) }, (_, index) =>
    all.slice(index * 20, index * 20 + 20),
  );
  return parts.length === 0 ? [withManager] : parts.map((part) => ({ ...withManager, 'members@delta': part }));
}
