/**
 * The Directory API of Google Workspace and Google's token endpoint in this process, as far as an account is read by them:
 * made after Google's public documentation. Parameters, fields and tokens that the real ones refuse are refused here too.
 */
import { generateKeyPairSync, verify } from 'node:crypto';
import type { Json } from '../../src/model.ts';
import { type Reply, type ScriptedServer, type SeenRequest, startScriptedServer } from './scripted-server.ts';

type JsonObject = { readonly [key: string]: Json };

export interface GoogleUser extends JsonObject {
  readonly id: string;
  readonly primaryEmail: string;
}

export interface GoogleMember {
  readonly id: string;
  readonly type: string;
}

export interface GoogleGroup {
  readonly id: string;
  readonly name: string;
  readonly members: readonly GoogleMember[];
  readonly more?: JsonObject;
}

export interface GooglePhoto {
  readonly etag: string;
  readonly bytes: Uint8Array;
}

export interface GoogleServer {
  readonly url: string;
  readonly tokenUrl: string;
  readonly server: ScriptedServer;
  readonly customerId: string;
  readonly adminEmail: string;
  /** What the console gives for a new key. */
  readonly serviceAccount: string;
  /** Milliseconds since 1970, by which assertions are judged. */
  now: () => number;
  /** Scopes that the client ID was given under domain-wide delegation. */
  scopes: readonly string[];
  /** Seconds that tokens last. */
  tokenLife: number;
  /** Without the administrator, who is in every account. */
  users: readonly GoogleUser[];
  groups: readonly GoogleGroup[];
  readonly photos: Map<string, GooglePhoto>;
  /** Null: pages as asked for, else these, one after the other. `next` says for some by number which page they name. */
  layout: {
    readonly pages: readonly (readonly JsonObject[])[];
    readonly next?: Readonly<Record<number, number>>;
  } | null;
  /** Pages may be smaller than they were asked for. */
  mostOfPage: number;
  /** Tokens given so far are refused from now on. */
  expireTokens(): void;
  close(): Promise<void>;
}

export const CUSTOMER = 'C03az79cb';
const ADMIN = 'sync.admin@corp.example';
export const CLIENT_ID = '108234567890123456789';
const EMAIL = 'dirsync@acme-directory.iam.gserviceaccount.com';
const KEY_ID = '5f1c0a7be2d94c3aa8e6b90d7f21c4e3b6a8d015';
const AUTH = 'https://www.googleapis.com/auth/';
export const USER_SCOPE = `${AUTH}admin.directory.user.readonly`;
export const GROUP_SCOPE = `${AUTH}admin.directory.group.readonly`;
export const MEMBER_SCOPE = `${AUTH}admin.directory.group.member.readonly`;

const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });

/** As the console gives it; another key than the server's where one is given. */
export function toServiceAccount(key = privateKey, more: JsonObject = {}): string {
  return JSON.stringify(
    {
      type: 'service_account',
      project_id: 'acme-directory',
      private_key_id: KEY_ID,
      private_key: key.export({ type: 'pkcs8', format: 'pem' }).toString(),
      client_email: EMAIL,
      client_id: CLIENT_ID,
      auth_uri: 'https://accounts.google.com/o/oauth2/auth',
      token_uri: 'https://elsewhere.example/token',
      universe_domain: 'googleapis.com',
      ...more,
    },
    null,
    2,
  );
}

export async function startGoogle(
  content: Partial<Pick<GoogleServer, 'users' | 'groups' | 'mostOfPage'>> = {},
): Promise<GoogleServer> {
  const tokens = new Map<string, string>();
  const server = await startScriptedServer((request) => answer(google, tokens, request));
  const google: GoogleServer = {
    url: server.url,
    tokenUrl: `${server.url}/token`,
    server,
    customerId: CUSTOMER,
    adminEmail: ADMIN,
    serviceAccount: toServiceAccount(),
    now: () => Date.now(),
    scopes: [USER_SCOPE, GROUP_SCOPE, MEMBER_SCOPE],
    tokenLife: 3599,
    users: [],
    groups: [],
    photos: new Map(),
    layout: null,
    mostOfPage: 500,
    ...content,
    expireTokens: () => tokens.clear(),
    close: server.close,
  };
  return google;
}

/** Somebody as the account keeps them. */
export function toGoogleUser(id: string, more: Readonly<Record<string, Json>> = {}): GoogleUser {
  return {
    kind: 'admin#directory#user',
    etag: '"u"',
    primaryEmail: `${id}@corp.example`,
    name: { givenName: id, familyName: 'Byron', fullName: `${id} Byron` },
    isAdmin: false,
    suspended: false,
    archived: false,
    orgUnitPath: '/',
    creationTime: '2024-01-01T00:00:00.000Z',
    lastLoginTime: '1970-01-01T00:00:00.000Z',
    emails: [{ address: `${id}@corp.example`, primary: true }],
    customerId: CUSTOMER,
    isMailboxSetup: true,
    includeInGlobalAddressList: true,
    ...more,
    id,
  };
}

export function refuse(status: number, reason: string, message = 'Refused.'): Reply {
  return { status, body: { error: { code: status, message, errors: [{ domain: 'global', reason, message }] } } };
}

const ROOT = '/admin/directory/v1/';

function answer(google: GoogleServer, tokens: Map<string, string>, request: SeenRequest): Reply {
  const { method, path, authorization } = request;
  if (method === 'POST' && path === '/token') return giveToken(google, tokens, request);
  if (method !== 'GET' || !path.startsWith(ROOT)) return refuse(404, 'notFound', 'Not Found');
  const scope = tokens.get(/^Bearer (.+)$/.exec(authorization)?.[1] ?? '');
  if (scope === undefined) return refuse(401, 'authError', 'Invalid Credentials');
  return readDirectory(google, request, scope);
}

// Tokens

function refuseToken(status: number, error: string, error_description: string): Reply {
  return { status, body: { error, error_description } };
}

function giveToken(google: GoogleServer, tokens: Map<string, string>, { body }: SeenRequest): Reply {
  const form = new URLSearchParams(body);
  if (form.get('grant_type') !== 'urn:ietf:params:oauth:grant-type:jwt-bearer')
    return refuseToken(400, 'unsupported_grant_type', 'Invalid grant_type');
  const [head = '', claims = '', signature = ''] = (form.get('assertion') ?? '').split('.');
  const parse = (part: string): Record<string, unknown> => JSON.parse(Buffer.from(part, 'base64url').toString('utf8'));
  const { alg, kid } = parse(head);
  const isSigned = verify('sha256', Buffer.from(`${head}.${claims}`), publicKey, Buffer.from(signature, 'base64url'));
  if (alg !== 'RS256' || kid !== KEY_ID || !isSigned)
    return refuseToken(400, 'invalid_grant', 'Invalid JWT Signature.');
  const { iss, sub, scope, aud, iat, exp } = parse(claims);
  if (aud !== 'https://oauth2.googleapis.com/token')
    return refuseToken(400, 'invalid_grant', 'Invalid JWT: bad audience.');
  if (iss !== EMAIL) return refuseToken(400, 'invalid_grant', 'Invalid grant: account not found');
  const seconds = google.now() / 1000;
  const isTimely = Math.abs(seconds - Number(iat)) < 300 && Number(exp) > seconds && Number(exp) - Number(iat) <= 3600;
  if (!isTimely) {
    const text =
      'Invalid JWT: Token must be a short-lived token (60 minutes) and in a reasonable timeframe. Check your iat and exp values in the JWT claim.';
    return refuseToken(400, 'invalid_grant', text);
  }
  if (sub !== google.adminEmail) return refuseToken(400, 'invalid_grant', 'Invalid email or User ID');
  if (
    !String(scope)
      .split(' ')
      .every((each) => google.scopes.includes(each))
  ) {
    const text =
      'Client is unauthorized to retrieve access tokens using this method, or client not authorized for any of the scopes requested.';
    return refuseToken(401, 'unauthorized_client', text);
  }
  const token = `ya29.${tokens.size}.${Math.random().toString(36).slice(2)}`;
  tokens.set(token, String(scope));
  return { status: 200, body: { access_token: token, expires_in: google.tokenLife, token_type: 'Bearer' } };
}

// Directory

interface Route {
  readonly pattern: RegExp;
  readonly scope: string;
  readonly parameters: readonly string[];
  readonly reply: (google: GoogleServer, request: SeenRequest, key: string) => Reply;
}

const PAGING = ['maxResults', 'pageToken', 'fields'];

const ROUTES: readonly Route[] = [
  {
    pattern: /^users$/,
    scope: USER_SCOPE,
    parameters: ['customer', 'domain', 'query', 'projection', 'customFieldMask', 'showDeleted', ...PAGING],
    reply: toUsers,
  },
  { pattern: /^users\/([^/]+)$/, scope: USER_SCOPE, parameters: ['projection', 'fields'], reply: toOneUser },
  { pattern: /^users\/([^/]+)\/photos\/thumbnail$/, scope: USER_SCOPE, parameters: ['fields'], reply: toPhoto },
  { pattern: /^groups$/, scope: GROUP_SCOPE, parameters: ['customer', 'domain', ...PAGING], reply: toGroups },
  {
    pattern: /^groups\/([^/]+)\/members$/,
    scope: MEMBER_SCOPE,
    parameters: ['roles', 'includeDerivedMembership', ...PAGING],
    reply: toMembers,
  },
];

function readDirectory(google: GoogleServer, request: SeenRequest, scope: string): Reply {
  const path = request.path.slice(ROOT.length);
  for (const route of ROUTES) {
    const match = route.pattern.exec(path);
    if (match === null) continue;
    if (!scope.split(' ').includes(route.scope))
      return refuse(403, 'insufficientPermissions', 'Request had insufficient authentication scopes.');
    const unknown = [...request.query.keys()].find((name) => !route.parameters.includes(name));
    if (unknown !== undefined) return refuse(400, 'badRequest', `Invalid parameter ${unknown}`);
    return route.reply(google, request, decodeURIComponent(match[1] ?? ''));
  }
  return refuse(404, 'notFound', 'Not Found');
}

/** Null: it is all right. */
function checkRange({ customerId, users }: GoogleServer, { query }: SeenRequest): Reply | null {
  const [customer, domain] = [query.get('customer'), query.get('domain')];
  if ((customer === null) === (domain === null)) return refuse(400, 'invalid', 'Bad Request');
  if (customer !== null && customer !== 'my_customer' && customer !== customerId)
    return refuse(403, 'forbidden', 'Not Authorized to access this resource/api');
  const domains = ['corp.example', ...users.map(({ primaryEmail }) => primaryEmail.split('@')[1])];
  return domain === null || domains.includes(domain) ? null : refuse(404, 'notFound', 'Domain not found.');
}

const USER_FIELDS = new Set(
  `addresses agreedToTerms aliases archived changePasswordAtNextLogin creationTime customSchemas customerId deletionTime emails
   etag externalIds gender id ims includeInGlobalAddressList ipWhitelisted isAdmin isDelegatedAdmin isEnforcedIn2Sv
   isEnrolledIn2Sv isMailboxSetup keywords kind languages lastLoginTime locations name nonEditableAliases notes orgUnitPath
   organizations phones posixAccounts primaryEmail recoveryEmail recoveryPhone relations sshPublicKeys suspended
   suspensionReason thumbnailPhotoEtag thumbnailPhotoUrl websites`.split(/\s+/),
);
const GROUP_FIELDS = new Set(
  'adminCreated aliases description directMembersCount email etag id kind name nonEditableAliases'.split(' '),
);
const MEMBER_FIELDS = new Set('delivery_settings email etag id kind role status type'.split(' '));

type Show = (item: JsonObject) => JsonObject;

/** What `fields` leaves of an object; the refusal of a field that there is not. */
function toShow(text: string, known: ReadonlySet<string>): Show | Reply {
  const names = text.split(',');
  const unknown = names.find((name) => !known.has(name));
  if (unknown !== undefined) return refuse(400, 'invalidParameter', `Invalid field selection ${unknown}`);
  // What was never set is missing.
  return (item) =>
    Object.fromEntries(names.flatMap((name) => (item[name] === undefined ? [] : [[name, item[name] ?? null]])));
}

interface Kind {
  readonly key: 'users' | 'groups' | 'members';
  readonly known: ReadonlySet<string>;
  readonly most: number;
  readonly usual: number;
}

const USERS: Kind = { key: 'users', known: USER_FIELDS, most: 500, usual: 100 };
const GROUPS: Kind = { key: 'groups', known: GROUP_FIELDS, most: 200, usual: 200 };
const MEMBERS: Kind = { key: 'members', known: MEMBER_FIELDS, most: 200, usual: 200 };

/** With characters that mean something else in a form. */
const MARK = 'CAES+/~!';

function readToken({ query }: SeenRequest): number | null {
  const token = query.get('pageToken');
  if (token === null) return 0;
  return token.startsWith(MARK) ? Number(token.slice(MARK.length)) : null;
}

function toPage(request: SeenRequest, { key, known }: Kind, items: readonly JsonObject[], next: number | null): Reply {
  const selector = request.query.get('fields');
  const inner = selector === null ? null : /^kind,nextPageToken,(\w+)\(([\w,]+)\)$/.exec(selector);
  if (selector !== null && inner?.[1] !== key) return refuse(400, 'invalidParameter', 'Invalid field selection');
  const show = inner === null ? (item: JsonObject) => item : toShow(inner[2] ?? '', known);
  if (typeof show !== 'function') return show;
  return {
    status: 200,
    body: {
      kind: `admin#directory#${key}`,
      ...(selector === null ? { etag: '"l"' } : {}),
      ...(next === null ? {} : { nextPageToken: `${MARK}${next}` }),
      // Without any there is no list.
      ...(items.length === 0 ? {} : { [key]: items.map(show) }),
    },
  };
}

function toList(google: GoogleServer, request: SeenRequest, kind: Kind, all: readonly JsonObject[]): Reply {
  const size = Number(request.query.get('maxResults') ?? kind.usual);
  const from = readToken(request);
  if (!(size >= 1 && size <= kind.most) || from === null) return refuse(400, 'invalid', 'Invalid Input');
  const end = from + Math.min(size, google.mostOfPage);
  return toPage(request, kind, all.slice(from, end), end < all.length ? end : null);
}

const isOf = (user: GoogleUser, domain: string | null): boolean =>
  domain === null || user.primaryEmail.toLowerCase().endsWith(`@${domain.toLowerCase()}`);

const isDeleted = (user: GoogleUser): boolean => user['deletionTime'] !== undefined;

/** `basic` is without custom schemas. */
function toProjected(request: SeenRequest): Show {
  if (request.query.get('projection') === 'full') return (user) => user;
  return ({ customSchemas: _hidden, ...user }) => user;
}

function toUsers(google: GoogleServer, request: SeenRequest): Reply {
  const problem = checkRange(google, request);
  if (problem !== null) return problem;
  const { query } = request;
  const project = toProjected(request);
  if (google.layout !== null) {
    const { pages, next = {} } = google.layout;
    const number = readToken(request);
    if (number === null) return refuse(400, 'invalid', 'Invalid Input');
    const following = next[number] ?? number + 1;
    return toPage(request, USERS, (pages[number] ?? []).map(project), following >= pages.length ? null : following);
  }
  const isAsked = query.get('showDeleted') === 'true' ? isDeleted : (user: GoogleUser) => !isDeleted(user);
  const users = google.users.filter(
    (user) => isAsked(user) && isOf(user, query.get('domain')) && isFound(user, query.get('query')),
  );
  return toList(google, request, USERS, users.map(project));
}

const TERM = /([\w.]+)=(?:'((?:[^'\\]|\\.)*)'|(true|false))(?:\s|$)/y;
const FLAGS: Readonly<Record<string, string>> = {
  isSuspended: 'suspended',
  isArchived: 'archived',
  isAdmin: 'isAdmin',
};

/** Of its guide "Search for users" equality alone: `orgUnitPath='/Sales' isSuspended=false`. */
function isFound(user: GoogleUser, query: string | null): boolean {
  TERM.lastIndex = 0;
  while (query !== null && TERM.lastIndex < query.length) {
    const [, name = '', text, flag] = TERM.exec(query) ?? [];
    if (name === '') throw new Error(`the query cannot be understood: ${query}`);
    const value = readSearched(user, name);
    const isIt = flag === undefined ? isText(value, text ?? '', name) : String(value ?? false) === flag;
    if (!isIt) return false;
  }
  return true;
}

function readSearched(user: GoogleUser, name: string): unknown {
  const [schema = '', field] = name.split('.');
  const { customSchemas } = user as {
    readonly customSchemas?: Readonly<Record<string, Readonly<Record<string, Json>>>>;
  };
  if (field !== undefined) return customSchemas?.[schema]?.[field];
  return name === 'email' ? user.primaryEmail : user[FLAGS[name] ?? name];
}

/** A unit has those of the units in it. */
function isText(value: unknown, quoted: string, name: string): boolean {
  const [is, asked] = [String(value ?? ''), quoted.replace(/\\(.)/g, '$1')].map((each) => each.toLowerCase());
  return is === asked || (name === 'orgUnitPath' && is?.startsWith(`${asked}/`) === true);
}

/** By id, by the primary address, or by an alias. */
function findUser(google: GoogleServer, key: string): GoogleUser | undefined {
  const admin = toGoogleUser('100000000000000000001', { primaryEmail: google.adminEmail });
  return [...google.users, admin].find((user) => {
    const { aliases = [] } = user;
    return user.id === key || user.primaryEmail === key || (Array.isArray(aliases) && aliases.includes(key));
  });
}

const NO_USER = refuse(404, 'notFound', 'Resource Not Found: userKey');

function toOneUser(google: GoogleServer, request: SeenRequest, key: string): Reply {
  const user = findUser(google, key);
  if (user === undefined) return NO_USER;
  const projected = toProjected(request)(user);
  const fields = request.query.get('fields');
  const show = fields === null ? (item: JsonObject) => item : toShow(fields, USER_FIELDS);
  return typeof show === 'function' ? { status: 200, body: show(projected) } : show;
}

function toPhoto(google: GoogleServer, _request: SeenRequest, key: string): Reply {
  const user = findUser(google, key);
  if (user === undefined) return NO_USER;
  const photo = google.photos.get(user.id);
  if (photo === undefined) return refuse(404, 'notFound', 'Resource Not Found: photo');
  const { etag, bytes } = photo;
  const photoData = Buffer.from(bytes)
    .toString('base64')
    .replaceAll('+', '-')
    .replaceAll('/', '_')
    .replaceAll('=', '.');
  const { id, primaryEmail } = user;
  const kind = 'admin#directory#user#photo';
  return {
    status: 200,
    body: { kind, id, etag, primaryEmail, mimeType: 'image/png', width: 96, height: 96, photoData },
  };
}

function toGroups(google: GoogleServer, request: SeenRequest): Reply {
  const problem = checkRange(google, request);
  if (problem !== null) return problem;
  const groups = google.groups.map(({ id, name, members, more = {} }): JsonObject => {
    const email = `${id}@corp.example`;
    const directMembersCount = String(members.filter(({ type }) => type === 'USER').length);
    return {
      kind: 'admin#directory#group',
      etag: '"g"',
      email,
      description: '',
      directMembersCount,
      ...more,
      id,
      name,
    };
  });
  return toList(google, request, GROUPS, groups);
}

function toMembers(google: GoogleServer, request: SeenRequest, key: string): Reply {
  const group = google.groups.find(({ id }) => id === key);
  if (group === undefined) return refuse(404, 'notFound', 'Resource Not Found: groupKey');
  const members = group.members.map((member) => ({
    ...{ kind: 'admin#directory#member', etag: '"m"', role: 'MEMBER', status: 'ACTIVE' },
    ...member,
  }));
  return toList(google, request, MEMBERS, members);
}
