/**
 * How SCIM applications behave that are no textbook: what each takes, refuses and answers. Written from their own
 * documentation, apart from the profiles of the provider, which the conformance suite holds against it.
 */

export interface Dialect {
  /** Paths that PATCH of a user may name; null: all. Empty: there is no PATCH of users. */
  readonly patchable: readonly string[] | null;
  /** 405 to every PATCH, whatever ServiceProviderConfig says. */
  readonly refusesPatch: boolean;
  /** A path with a filter is refused. */
  readonly noPathFilter: boolean;
  /** How the word of an operation must be written. */
  readonly opCase: 'any' | 'lower' | 'capitalised';
  /**
   * The filter of a missing entry makes one, and paths with dots inside of a value without path are understood. `old`:
   * operations without a path are not, `active` is a word, `manager` is a list of one.
   */
  readonly microsoftStyle: 'no' | 'new' | 'old';
  /** `remove` of `members` with a value. `all`: by the letter of RFC 7644, which knows no value there. */
  readonly memberRemoval: 'refused' | 'named' | 'all';
  /** `remove` of what is not there, and replace through a filter without a match, are refused with noTarget. */
  readonly strict: boolean;
  readonly put: boolean;
  readonly groups: 'full' | 'updateOnly' | 'none';
  readonly renameGroup: boolean;
  /** Of one PATCH of a group. `total` exceeded is answered with `tooMany`. */
  readonly members: {
    readonly add: number;
    readonly remove: number;
    readonly total: number;
    readonly mixed: boolean;
    readonly tooMany: 400 | 413;
    /** `single`: by a group that is read by itself; `empty`: `[]` whatever there is; `absent`: no such key. */
    readonly shown: 'all' | 'single' | 'empty' | 'absent';
  };
  readonly paging: 'index' | 'cursor' | 'cursorOnly';
  readonly pageSize: number;
  /** The first page, whatever is asked for. */
  readonly ignoresStartIndex: boolean;
  readonly totals: boolean;
  /** Attributes that a filter may name, by resource; null: all. */
  readonly filters: { readonly User: readonly string[] | null; readonly Group: readonly string[] | null };
  /** `ignored`: everybody is the answer. */
  readonly filtering: 'works' | 'ignored' | 'refused';
  /** Characters that make a filter invalid. */
  readonly filterForbids: string;
  /** Parameters that are refused. */
  readonly refusedParameters: readonly string[];
  readonly deleteUser: 'deletes' | 'deactivates' | 'forbidden' | 'unsupported';
  readonly activeFalse: 'deactivates' | 'removes';
  /** Top attributes that a new user must have. */
  readonly required: readonly string[];
  /** Top attributes of users that are refused. */
  readonly forbidden: readonly string[];
  /** Top attributes of users that are taken and forgotten. */
  readonly dropped: readonly string[];
  /** Top attributes of users that are kept in lower case. */
  readonly lowered: readonly string[];
  /** What a value becomes: `User.userName` → login. */
  readonly rewritten: Readonly<Record<string, (value: string) => string>>;
  readonly maxLength: Readonly<Record<string, number>>;
  /** Refused in every text value. */
  readonly forbiddenCharacters: RegExp | null;
  /** Refused in the text of this attribute. */
  readonly forbiddenIn: Readonly<Record<string, RegExp>>;
  /** More than one entry of a list is refused. */
  readonly oneValue: boolean;
  /** `active` is answered as "True" and "False". */
  readonly activeAsText: boolean;
  /** `active` is not answered. */
  readonly hidesActive: boolean;
  /** Ids are answered in upper case and found in any case. */
  readonly upperIds: boolean;
  readonly idFromExternalId: boolean;
  /** Operations of a bulk request; null: there is none. */
  readonly bulk: number | null;
  readonly envelope: 'Resources' | 'resources';
  readonly status: { readonly create: 200 | 201 | 204; readonly patch: 200 | 204; readonly delete: 200 | 204 };
  /** Null: 404. */
  readonly config: Readonly<Record<string, unknown>> | null;
}

const ALL = Number.POSITIVE_INFINITY;

/** By the RFC, and lenient where it leaves a choice. */
const PLAIN: Dialect = {
  patchable: null,
  refusesPatch: false,
  noPathFilter: false,
  opCase: 'any',
  microsoftStyle: 'no',
  memberRemoval: 'refused',
  strict: false,
  put: true,
  groups: 'full',
  renameGroup: true,
  members: { add: ALL, remove: ALL, total: ALL, mixed: true, tooMany: 400, shown: 'all' },
  paging: 'index',
  pageSize: 100,
  ignoresStartIndex: false,
  totals: true,
  filters: { User: null, Group: null },
  filtering: 'works',
  filterForbids: '',
  refusedParameters: [],
  deleteUser: 'deletes',
  activeFalse: 'deactivates',
  required: ['userName'],
  forbidden: [],
  dropped: [],
  lowered: [],
  rewritten: {},
  maxLength: {},
  forbiddenCharacters: null,
  forbiddenIn: {},
  oneValue: false,
  activeAsText: false,
  hidesActive: false,
  upperIds: false,
  idFromExternalId: false,
  bulk: null,
  envelope: 'Resources',
  status: { create: 201, patch: 200, delete: 204 },
  config: { patch: { supported: true }, filter: { supported: true, maxResults: 100 } },
};

function toLogin(value: string): string {
  return value.split('@')[0]?.replace(/[^A-Za-z0-9]+/g, '-') ?? '';
}

function toSlug(value: string): string {
  return value.toLowerCase().replace(/[^a-z0-9]+/g, '-');
}

/** Applications that a profile is named after. */
export const APPLICATIONS = {
  MicrosoftStyle: {
    ...PLAIN,
    microsoftStyle: 'new',
    put: false,
    filters: { User: ['userName', 'externalId', 'id', 'emails.value'], Group: ['displayName', 'externalId', 'id'] },
    status: { create: 201, patch: 204, delete: 204 },
    config: null,
  },
  MicrosoftStyleLegacy: {
    ...PLAIN,
    microsoftStyle: 'old',
    memberRemoval: 'named',
    opCase: 'capitalised',
    put: false,
    filters: { User: ['userName', 'externalId', 'id', 'emails.value'], Group: ['displayName', 'externalId', 'id'] },
    status: { create: 201, patch: 204, delete: 204 },
    config: null,
  },
  MicrosoftEntra: {
    ...PLAIN,
    strict: true,
    put: false,
    members: { add: 20, remove: 1, total: 20, mixed: false, tooMany: 400, shown: 'absent' },
    paging: 'cursorOnly',
    totals: false,
    filters: {
      User: ['userName', 'externalId', 'id', 'groups.value'],
      Group: ['displayName', 'id', 'members.value'],
    },
    required: ['userName', 'name.givenName', 'name.familyName', 'displayName', 'active'],
    envelope: 'resources',
    config: { patch: { supported: true }, filter: { supported: true }, pagination: { cursor: true, index: false } },
  },
  AWSIdentityCenter: {
    ...PLAIN,
    members: { add: 100, remove: 100, total: 100, mixed: true, tooMany: 400, shown: 'empty' },
    paging: 'cursor',
    filters: {
      User: ['userName', 'externalId', 'groups.value'],
      Group: ['displayName', 'externalId', 'id', 'members'],
    },
    refusedParameters: ['startIndex', 'attributes', 'excludedAttributes'],
    required: ['userName', 'name.givenName', 'name.familyName', 'displayName'],
    forbidden: ['ims', 'photos', 'entitlements', 'x509Certificates', 'password', 'groups'],
    forbiddenCharacters: /[\t\r\n<>;:%]/,
    oneValue: true,
    config: { patch: { supported: true }, filter: { supported: true, maxResults: 100 }, bulk: { supported: false } },
  },
  Slack: {
    ...PLAIN,
    filters: { User: ['userName', 'email'], Group: ['displayName'] },
    deleteUser: 'deactivates',
    maxLength: { userName: 20 },
    forbiddenIn: { displayName: /@/ },
  },
  GitHubEnterprise: {
    ...PLAIN,
    noPathFilter: true,
    filters: { User: ['externalId', 'userName'], Group: ['displayName', 'externalId'] },
    rewritten: { 'User.userName': toLogin },
    members: { ...PLAIN.members, total: 1000 },
  },
  GitHubOrganization: {
    ...PLAIN,
    noPathFilter: true,
    groups: 'none',
    filters: { User: ['userName', 'emails.value'], Group: [] },
    activeFalse: 'removes',
  },
  GitLab: {
    ...PLAIN,
    patchable: ['externalId', 'active'],
    opCase: 'capitalised',
    put: false,
    groups: 'none',
    pageSize: 20,
    filters: { User: ['id'], Group: [] },
    activeFalse: 'removes',
    required: ['externalId', 'userName', 'emails', 'name'],
    idFromExternalId: true,
    config: null,
  },
  Sentry: {
    ...PLAIN,
    patchable: ['active'],
    put: false,
    filters: { User: ['userName'], Group: ['displayName'] },
    filterForbids: ',',
    activeFalse: 'removes',
    dropped: ['name', 'displayName', 'title', 'emails', 'phoneNumbers', 'addresses', 'externalId'],
    hidesActive: true,
    rewritten: { 'Group.displayName': toSlug },
    members: { ...PLAIN.members, total: 100 },
    config: null,
  },
  Atlassian: {
    ...PLAIN,
    filters: { User: ['userName', 'externalId'], Group: ['displayName', 'externalId'] },
    renameGroup: false,
    deleteUser: 'deactivates',
  },
  Zoom: {
    ...PLAIN,
    groups: 'none',
    filters: { User: ['userName'], Group: [] },
    dropped: ['externalId', 'title', 'displayName', 'phoneNumbers', 'addresses'],
    config: null,
  },
} as const satisfies Record<string, Dialect>;

/** What is met anywhere, and has to be found out. */
export const QUIRKS = {
  plain: PLAIN,
  'no PATCH, although it is announced': { ...PLAIN, refusesPatch: true },
  'filters refused, although they are announced': { ...PLAIN, filtering: 'refused' },
  'filters ignored': { ...PLAIN, filtering: 'ignored' },
  'strict about missing targets': { ...PLAIN, strict: true },
  'lower case operations only': { ...PLAIN, opCase: 'lower' },
  'members never returned': { ...PLAIN, members: { ...PLAIN.members, shown: 'absent' } },
  'members always empty': { ...PLAIN, members: { ...PLAIN.members, shown: 'empty' } },
  'members only of a group by itself': { ...PLAIN, members: { ...PLAIN.members, shown: 'single' } },
  'few members in a request': { ...PLAIN, members: { ...PLAIN.members, total: 30, tooMany: 413 } },
  'active as text': { ...PLAIN, activeAsText: true },
  'DELETE forbidden': { ...PLAIN, deleteUser: 'forbidden' },
  'DELETE not supported': { ...PLAIN, deleteUser: 'unsupported' },
  'ids in upper case': { ...PLAIN, upperIds: true },
  '200 for everything': { ...PLAIN, status: { create: 200, patch: 200, delete: 200 } },
  'no bodies': { ...PLAIN, status: { create: 204, patch: 204, delete: 204 } },
  'no totalResults': { ...PLAIN, totals: false },
  'page 1 for ever': { ...PLAIN, ignoresStartIndex: true, pageSize: 500 },
  'cursor paging beside index paging': { ...PLAIN, paging: 'cursor' },
  'cursor paging only, not announced': { ...PLAIN, paging: 'cursorOnly', totals: false },
  'values in lower case': { ...PLAIN, lowered: ['externalId', 'userName', 'displayName', 'title'] },
  'drops attributes silently': { ...PLAIN, dropped: ['title', 'phoneNumbers'] },
  'drops attributes silently, without bodies': {
    ...PLAIN,
    dropped: ['title', 'phoneNumbers'],
    status: { create: 201, patch: 204, delete: 204 },
  },
  'bulk requests': { ...PLAIN, bulk: 8, config: { ...PLAIN.config, bulk: { supported: true, maxOperations: 8 } } },
  'bulk requests, which are announced and not there': {
    ...PLAIN,
    config: { ...PLAIN.config, bulk: { supported: true, maxOperations: 8 } },
  },
  'keys in lower case': { ...PLAIN, envelope: 'resources' },
} as const satisfies Record<string, Dialect>;
