/** The properties of `user.` in rules, with their types: facts of Entra's documentation, names without regard to case. */

export type PropertyType = 'String' | 'Boolean' | 'DateTime' | 'StringCollection' | 'Plans' | 'Groups' | 'Any';

const STRINGS = [
  'city',
  'country',
  'companyName',
  'department',
  'displayName',
  'employeeId',
  'facsimileTelephoneNumber',
  'givenName',
  'jobTitle',
  'mail',
  'mailNickName',
  'mobile',
  'objectId',
  'onPremisesDistinguishedName',
  'onPremisesSecurityIdentifier',
  'passwordPolicies',
  'physicalDeliveryOfficeName',
  'postalCode',
  'preferredLanguage',
  'sipProxyAddress',
  'state',
  'streetAddress',
  'surname',
  'telephoneNumber',
  'usageLocation',
  'userPrincipalName',
  'userType',
  ...Array.from({ length: 15 }, (_, index) => `extensionAttribute${index + 1}`),
] as const;

function typed(type: PropertyType, names: readonly string[]): readonly (readonly [string, PropertyType])[] {
  return names.map((name) => [name, type]);
}

/** By the name as the documentation spells it. */
export const USER_PROPERTIES: ReadonlyMap<string, PropertyType> = new Map([
  ...typed('Boolean', ['accountEnabled', 'dirSyncEnabled']),
  ...typed('DateTime', ['employeeHireDate']),
  ...typed('String', STRINGS),
  ...typed('StringCollection', ['otherMails', 'proxyAddresses']),
  ...typed('Plans', ['assignedPlans']),
  ...typed('Groups', ['memberOf']),
]);

/** What a rule asks of a manager: not written by anybody, but read like a property. */
export const MANAGER = 'manager';

const BY_LOWER_CASE: ReadonlyMap<string, string> = new Map(
  USER_PROPERTIES.keys().map((name) => [name.toLowerCase(), name] as const),
);

/** The documented spelling; undefined for a name that Entra does not have. */
export function findProperty(name: string): string | undefined {
  return BY_LOWER_CASE.get(name.toLowerCase());
}

const DIRECTORY_EXTENSION = /^extension_[0-9a-f]{32}_(\w+)$/i;

/** `licenseTier` of `extension_<application id>_licenseTier`; undefined for other names. */
export function findExtension(name: string): string | undefined {
  return DIRECTORY_EXTENSION.exec(name)?.[1];
}

/** Parts of an item of `assignedPlans`, by lower case. */
export const PLAN_PARTS: ReadonlyMap<string, string> = new Map(
  ['capabilityStatus', 'service', 'servicePlanId'].map((name) => [name.toLowerCase(), name]),
);
