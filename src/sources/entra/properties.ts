/** Properties of users and groups of Microsoft Graph v1.0, and which of them are asked for. Pure. */

/**
 * What a list of users can give by `$select`. Left out are those that a list refuses (`aboutMe`, `skills`, `mailboxSettings`
 * and the like), `signInActivity`, which makes pages small and needs a licence, and `passwordProfile`.
 */
const USER_PROPERTIES = [
  'accountEnabled',
  'ageGroup',
  'assignedLicenses',
  'assignedPlans',
  'authorizationInfo',
  'businessPhones',
  'city',
  'companyName',
  'consentProvidedForMinor',
  'country',
  'createdDateTime',
  'creationType',
  'customSecurityAttributes',
  'department',
  'displayName',
  'employeeHireDate',
  'employeeId',
  'employeeLeaveDateTime',
  'employeeOrgData',
  'employeeType',
  'externalUserState',
  'externalUserStateChangeDateTime',
  'faxNumber',
  'givenName',
  'id',
  'identities',
  'imAddresses',
  'isResourceAccount',
  'jobTitle',
  'lastPasswordChangeDateTime',
  'legalAgeGroupClassification',
  'mail',
  'mailNickname',
  'mobilePhone',
  'officeLocation',
  'onPremisesDistinguishedName',
  'onPremisesDomainName',
  'onPremisesExtensionAttributes',
  'onPremisesImmutableId',
  'onPremisesLastSyncDateTime',
  'onPremisesSamAccountName',
  'onPremisesSecurityIdentifier',
  'onPremisesSyncEnabled',
  'onPremisesUserPrincipalName',
  'otherMails',
  'passwordPolicies',
  'postalCode',
  'preferredDataLocation',
  'preferredLanguage',
  'provisionedPlans',
  'proxyAddresses',
  'securityIdentifier',
  'showInAddressList',
  'signInSessionsValidFromDateTime',
  'state',
  'streetAddress',
  'surname',
  'usageLocation',
  'userPrincipalName',
  'userType',
] as const;

const GROUP_PROPERTIES = [
  'classification',
  'createdDateTime',
  'description',
  'displayName',
  'expirationDateTime',
  'groupTypes',
  'id',
  'isAssignableToRole',
  'mail',
  'mailEnabled',
  'mailNickname',
  'membershipRule',
  'membershipRuleProcessingState',
  'onPremisesDomainName',
  'onPremisesNetBiosName',
  'onPremisesSamAccountName',
  'onPremisesSecurityIdentifier',
  'onPremisesSyncEnabled',
  'preferredDataLocation',
  'preferredLanguage',
  'proxyAddresses',
  'renewedDateTime',
  'resourceProvisioningOptions',
  'securityEnabled',
  'securityIdentifier',
  'theme',
  'visibility',
] as const;

/** What objects have, and a record of which nobody has a value does not show. */
const INNER: Readonly<Record<string, readonly string[]>> = {
  employeeOrgData: ['costCenter', 'division'],
  manager: ['id', 'mail'],
  onPremisesExtensionAttributes: Array.from({ length: 15 }, (_, index) => `extensionAttribute${index + 1}`),
};

/**
 * A directory extension (`extension_`, the application's id without hyphens, a name) or a schema extension whose name Graph
 * made (`ext`, eight characters, a name). Whether the tenant has one only Graph can tell.
 */
const EXTENSION = /^(?:extension_[0-9a-f]{32}|ext[a-z0-9]{8})_\w+$/i;

export function isExtension(name: string): boolean {
  return EXTENSION.test(name);
}

/** The record's own name for the roles that people have in one application. */
export const ROLES = 'appRoleAssignments';

/** Each needs a permission of its own, so that they are asked for by name alone. */
export const RESTRICTED: Readonly<Record<string, string>> = {
  customSecurityAttributes: 'CustomSecAttributeAssignment.Read.All',
  employeeLeaveDateTime: 'User-LifeCycleInfo.Read.All',
};

/** What can be asked for in every tenant, with the permission to read people alone. */
export const ORDINARY_PROPERTIES: readonly string[] = [
  ...USER_PROPERTIES.filter((name) => !Object.hasOwn(RESTRICTED, name)),
  'manager',
];

export interface UserSelection {
  /** For `$select`: always with `id` and `accountEnabled`. */
  readonly select: readonly string[];
  /** For `$expand`. */
  readonly manager: boolean;
  /** Roles in the application are asked for. */
  readonly roles: boolean;
  /** Names that a read delivers with it, nested ones dotted. */
  readonly names: readonly string[];
  /** Of these names Graph does not tell when they change. */
  readonly untracked: readonly string[];
}

/** Kept elsewhere than in the directory itself. */
const UNTRACKED: ReadonlySet<string> = new Set(['customSecurityAttributes', ROLES]);

/** Names that Graph does not know are not asked for: it would refuse the whole request. */
export function toUserSelection(projection: readonly string[], hasApplication: boolean): UserSelection {
  const select = toSelect(['id', 'accountEnabled', ...projection], USER_PROPERTIES);
  const manager = projection.includes('manager');
  const roles = hasApplication && projection.includes(ROLES);
  const delivered = [...select, ...(manager ? ['manager'] : []), ...(roles ? [ROLES] : [])];
  const untracked = delivered.filter((name) => UNTRACKED.has(name));
  return { select, manager, roles, names: withInner(delivered), untracked };
}

/** Always with what a group is known by, and with what tells whether its members are shown. */
export function toGroupSelect(projection: readonly string[]): readonly string[] {
  return toSelect(['id', 'displayName', 'visibility', ...projection], GROUP_PROPERTIES);
}

function withInner(names: readonly string[]): readonly string[] {
  return names.flatMap((name) => [name, ...(INNER[name] ?? []).map((inner) => `${name}.${inner}`)]);
}

/** One that is written in other letters is asked for all the same: then the message about it can say how it is called. */
function toSelect(wanted: readonly string[], properties: readonly string[]): readonly string[] {
  const known = new Map(properties.map((name) => [name.toLowerCase(), name]));
  const names = wanted.flatMap((name) => known.get(name.toLowerCase()) ?? (isExtension(name) ? [name] : []));
  return [...new Set(names)];
}
