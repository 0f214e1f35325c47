/**
 * What is known of applications before they are asked: one object each, facts only. What the code makes of a fact stands
 * where it is used; `docs/targets/scim.md` has the same table, and a test compares both.
 *
 * Vendors change limits without notice: every profile says when its facts were read and where.
 */
import type { ScimProfileName } from '../../api/providers.ts';

/** Attributes are named by their top (`emails`, `name`), extensions' by the attribute alone (`department`). */
export interface AttributeFacts {
  /** Only these are taken; null: all. */
  readonly taken: readonly string[] | null;
  /** Refused, or forgotten. */
  readonly never: readonly string[];
  /** Set once: changes are refused. */
  readonly onCreate: readonly string[] | 'all';
  /** Kept in a form of the application's own. */
  readonly rewritten: readonly string[];
  /** Not shown. */
  readonly hidden: readonly string[];
}

export interface Profile {
  /** When the facts were read, and from what. */
  readonly asOf: string;
  readonly source: string;
  /** `announced`: ServiceProviderConfig says it. `activeOnly`: whatever else is sent is refused. */
  readonly patch: 'announced' | 'full' | 'noPathFilter' | 'activeOnly';
  readonly put: boolean;
  /** `merged`: what needs no filter goes into one operation without a path, its keys with dots, as Entra's client does. */
  readonly operations: 'single' | 'merged';
  /** A new entry of a list: `added` to the list, or set through its filter, which makes what is missing. */
  readonly newEntries: 'added' | 'throughFilter';
  /** In PATCH: JSON's own, or the words `True` and `False`. */
  readonly booleans: 'json' | 'text';
  /** An attribute that has a reference and nothing else, such as `manager`: an object, or a list of one. */
  readonly references: 'object' | 'list';
  /** Roles that are added to those that are there: as objects, or each as the JSON of one. */
  readonly addedRoles: 'objects' | 'json';
  /** `value`: the body names who goes, as Entra's old client does; who takes RFC 7644 by the letter removes everybody. */
  readonly memberRemoval: 'filter' | 'value';
  readonly opCase: 'lower' | 'capitalised';
  /** Of one request. */
  readonly members: { readonly add: number; readonly remove: number; readonly total: number; readonly mixed: boolean };
  /** `byFilter`: as the users of whom `groups.value eq "…"` is true. */
  readonly readMembers: 'full' | 'byFilter';
  readonly paging: 'announced' | 'index' | 'cursor';
  /** Several changes in one request. */
  readonly bulk: 'announced' | 'no';
  /** Null: as announced. */
  readonly pageSize: number | null;
  /** `attribute.sub` → what a filter calls it; null: any attribute. */
  readonly filters: Readonly<Record<'User' | 'Group', Readonly<Record<string, string>> | null>>;
  /** Characters that no filter may have. */
  readonly filterForbids: string;
  /** `excludedAttributes` is understood. */
  readonly projection: boolean;
  readonly deleteUser: 'deletes' | 'deactivates' | 'removes';
  readonly activeFalse: 'deactivates' | 'removes';
  readonly groups: 'full' | 'updateOnly' | 'none';
  readonly renameGroup: boolean;
  readonly attributes: Readonly<Record<'User' | 'Group', AttributeFacts>>;
  /** Every new user must have a value of these. */
  readonly required: readonly string[];
  readonly maxLength: Readonly<Record<string, number>>;
  /** Refused in every text. */
  readonly forbiddenCharacters: string;
  /** Refused in the text at a path. */
  readonly forbiddenIn: Readonly<Record<string, string>>;
  /** `one`: a list may have one entry; a mail address must be primary. */
  readonly multiValued: 'one' | 'many';
}

const ANY: AttributeFacts = { taken: null, never: [], onCreate: [], rewritten: [], hidden: [] };
const USER_NAME = { userName: 'userName' };
const EXTERNAL_ID = { externalId: 'externalId' };
const DISPLAY_NAME = { displayName: 'displayName' };
const DOCUMENTED = '2026-07';

/** Nothing is known: the application is asked, and watched. */
const STANDARD: Profile = {
  asOf: '2015-09',
  source: 'RFC 7643, RFC 7644, RFC 9865',
  patch: 'announced',
  put: true,
  operations: 'single',
  newEntries: 'added',
  booleans: 'json',
  references: 'object',
  addedRoles: 'objects',
  memberRemoval: 'filter',
  opCase: 'lower',
  members: { add: 1000, remove: 1000, total: 1000, mixed: true },
  readMembers: 'full',
  paging: 'announced',
  bulk: 'announced',
  pageSize: null,
  filters: { User: null, Group: null },
  filterForbids: '',
  projection: true,
  deleteUser: 'deletes',
  activeFalse: 'deactivates',
  groups: 'full',
  renameGroup: true,
  attributes: { User: ANY, Group: ANY },
  required: ['userName'],
  maxLength: {},
  forbiddenCharacters: '',
  forbiddenIn: {},
  multiValued: 'many',
};

/** Made for the provisioning client of Entra ID as it is with the flag aadOptscim062020. */
const MICROSOFT_STYLE: Profile = {
  ...STANDARD,
  asOf: DOCUMENTED,
  source: 'Microsoft: develop a SCIM endpoint for Entra ID, with the flag aadOptscim062020',
  patch: 'full',
  put: false,
  operations: 'merged',
  newEntries: 'throughFilter',
  paging: 'index',
  bulk: 'no',
  filters: {
    User: { ...USER_NAME, ...EXTERNAL_ID, id: 'id', 'emails.value': 'emails.value' },
    Group: { ...DISPLAY_NAME, ...EXTERNAL_ID, id: 'id' },
  },
};

export const PROFILES: Readonly<Record<ScimProfileName, Profile>> = {
  Standard: STANDARD,
  MicrosoftStyle: MICROSOFT_STYLE,
  MicrosoftStyleLegacy: {
    ...MICROSOFT_STYLE,
    source: 'Microsoft: develop a SCIM endpoint for Entra ID, without a flag',
    operations: 'single',
    opCase: 'capitalised',
    booleans: 'text',
    references: 'list',
    addedRoles: 'json',
    memberRemoval: 'value',
  },
  MicrosoftEntra: {
    ...STANDARD,
    asOf: DOCUMENTED,
    source: 'Microsoft: SCIM API of Entra ID, reference and schema pages',
    patch: 'full',
    put: false,
    members: { add: 20, remove: 1, total: 20, mixed: false },
    readMembers: 'byFilter',
    paging: 'cursor',
    bulk: 'no',
    pageSize: 100,
    filters: {
      User: { ...USER_NAME, ...EXTERNAL_ID, id: 'id' },
      Group: { ...DISPLAY_NAME, id: 'id' },
    },
    projection: false,
    attributes: { User: { ...ANY, onCreate: ['password'], hidden: ['password'] }, Group: ANY },
    required: ['userName', 'name.givenName', 'name.familyName', 'displayName', 'mailNickname'],
  },
  AWSIdentityCenter: {
    ...STANDARD,
    asOf: DOCUMENTED,
    source: 'AWS: IAM Identity Center SCIM developer guide',
    patch: 'full',
    members: { add: 100, remove: 100, total: 100, mixed: true },
    readMembers: 'byFilter',
    paging: 'cursor',
    bulk: 'no',
    pageSize: 100,
    filters: { User: { ...USER_NAME, ...EXTERNAL_ID }, Group: { ...DISPLAY_NAME, ...EXTERNAL_ID } },
    projection: false,
    attributes: {
      User: {
        ...ANY,
        never: ['ims', 'photos', 'entitlements', 'x509Certificates', 'password', 'groups', 'manager.displayName'],
      },
      Group: ANY,
    },
    required: ['userName', 'name.givenName', 'name.familyName', 'displayName'],
    forbiddenCharacters: '\t\r\n<>;:%',
    multiValued: 'one',
  },
  Slack: {
    ...STANDARD,
    asOf: DOCUMENTED,
    source: 'Slack: SCIM API v2',
    patch: 'full',
    pageSize: 1000,
    filters: { User: { ...USER_NAME, 'emails.value': 'email' }, Group: DISPLAY_NAME },
    deleteUser: 'deactivates',
    maxLength: { userName: 20 },
    forbiddenIn: { displayName: '@' },
  },
  GitHubEnterprise: {
    ...STANDARD,
    asOf: DOCUMENTED,
    source: 'GitHub: REST API for SCIM of enterprises (managed users)',
    patch: 'noPathFilter',
    filters: { User: { ...USER_NAME, ...EXTERNAL_ID }, Group: { ...DISPLAY_NAME, ...EXTERNAL_ID } },
    attributes: { User: { ...ANY, rewritten: ['userName'] }, Group: ANY },
  },
  GitHubOrganization: {
    ...STANDARD,
    asOf: DOCUMENTED,
    source: 'GitHub: REST API for SCIM of organisations',
    patch: 'noPathFilter',
    filters: { User: { ...USER_NAME, 'emails.value': 'emails.value' }, Group: {} },
    deleteUser: 'removes',
    activeFalse: 'removes',
    groups: 'none',
  },
  GitLab: {
    ...STANDARD,
    asOf: DOCUMENTED,
    source: 'GitLab: SCIM API of groups on gitlab.com',
    patch: 'activeOnly',
    put: false,
    opCase: 'capitalised',
    paging: 'index',
    pageSize: 20,
    // The id of an account is its externalId.
    filters: { User: { externalId: 'id', id: 'id' }, Group: {} },
    deleteUser: 'removes',
    activeFalse: 'removes',
    groups: 'none',
    attributes: { User: { ...ANY, onCreate: 'all' }, Group: ANY },
    required: ['externalId', 'userName', 'emails', 'name'],
  },
  Sentry: {
    ...STANDARD,
    asOf: DOCUMENTED,
    source: 'Sentry: source code of its SCIM interface',
    patch: 'activeOnly',
    put: false,
    members: { add: 100, remove: 100, total: 100, mixed: true },
    paging: 'index',
    pageSize: 100,
    filters: { User: USER_NAME, Group: DISPLAY_NAME },
    filterForbids: ',',
    deleteUser: 'removes',
    activeFalse: 'removes',
    attributes: {
      User: { ...ANY, taken: ['userName', 'active'], onCreate: 'all', hidden: ['active'] },
      Group: { ...ANY, never: ['externalId'], rewritten: ['displayName'] },
    },
  },
  Atlassian: {
    ...STANDARD,
    asOf: DOCUMENTED,
    source: 'Atlassian: user provisioning REST API; Entra connector page',
    patch: 'full',
    filters: { User: { ...USER_NAME, ...EXTERNAL_ID }, Group: { ...DISPLAY_NAME, ...EXTERNAL_ID } },
    deleteUser: 'deactivates',
    renameGroup: false,
  },
  Zoom: {
    ...STANDARD,
    asOf: DOCUMENTED,
    source: 'Zoom: SCIM2 API; Entra connector page',
    patch: 'full',
    filters: { User: USER_NAME, Group: {} },
    groups: 'none',
    attributes: {
      User: { ...ANY, taken: ['userName', 'active', 'name', 'emails', 'department', 'userType'] },
      Group: ANY,
    },
  },
};
