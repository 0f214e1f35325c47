/**
 * What stands behind `user.X` of Entra's membership rules on each source: the one table of code and documentation. A
 * row lists names as in a clause, the first that has a value counts; a source that is not in it has no such attribute,
 * and the property is null there.
 */
import { PREDEFINED_NAMES } from '../api/custom-attribute.ts';
import type { Json } from '../model.ts';
import { findExtension } from '../rule/membership/properties.ts';
import { isEmptyValue } from './coerce.ts';
import { type BoundName, bindName, type KnownAttributes, type NameContext } from './names.ts';
import { STANDARD_NAMES } from './normalised.ts';

/** How the value becomes that of the property. */
type Form =
  /** The first name that has a value. */
  | 'first'
  /** All that have one, with blanks between them. */
  | 'joined'
  /** `active` becomes true, everything else false. */
  | 'isActive'
  /** What stands before the @. */
  | 'localPart'
  /** All values of the list but the first. */
  | 'rest'
  /** The `value` (or `address`) of every entry. */
  | 'values';

interface Row {
  readonly names: readonly string[];
  readonly form: Form;
}

/** Sources, as columns of the table. */
export const TABLE_SOURCES = ['file', 'entra', 'google', 'workos', 'ldap', 'activeDirectory', 'scim'] as const;
export type TableSource = (typeof TABLE_SOURCES)[number];

type Rows = Partial<Record<TableSource, Row>>;

const ENTERPRISE = 'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User';

function first(...names: string[]): Row {
  return as('first', ...names);
}

/** Attributes of the source, whatever CustomAttribute has the same name; a prefix chooses otherwise. */
function as(form: Form, ...names: string[]): Row {
  return { names: names.map((name) => (name.startsWith('standard:') ? name : `source:${name}`)), form };
}

/** The entry that is primary, else the first. */
function primary(list: string, part: string): Row {
  return first(`${list}[primary eq true].${part}`, `${list}[0].${part}`);
}

function typed(list: string, type: string, part: string): string {
  return `${list}[type eq "${type}"].${part}`;
}

function workAddress(part: string, ofWorkOs: string): Rows {
  return {
    google: first(typed('addresses', 'work', part)),
    workos: first(typed('custom_attributes.addresses', 'work', ofWorkOs)),
    scim: first(typed('addresses', 'work', part)),
  };
}

const STATE = as('isActive', 'standard:state');

const EXTENSION_ATTRIBUTES = Object.fromEntries(
  Array.from({ length: 15 }, (_, index) => {
    const name = `extensionAttribute${index + 1}`;
    const rows: Rows = {
      file: first(name),
      entra: first(`onPremisesExtensionAttributes.${name}`),
      google: first(`customSchemas.${name}`),
      workos: first(`custom_attributes.${name}`),
      activeDirectory: first(name),
      scim: first(name),
    };
    return [name, rows];
  }),
);

/** By the documented name of the property. */
export const USER_PROPERTY_SOURCES: Readonly<Record<string, Rows>> = {
  objectId: {
    file: first('standard:idp_id'),
    entra: first('standard:idp_id'),
    google: first('standard:idp_id'),
    workos: first('standard:idp_id'),
    ldap: first('standard:idp_id'),
    activeDirectory: first('standard:idp_id'),
    scim: first('standard:idp_id'),
  },
  accountEnabled: {
    file: STATE,
    entra: first('accountEnabled'),
    google: STATE,
    workos: STATE,
    ldap: STATE,
    activeDirectory: STATE,
    scim: first('active'),
  },
  userPrincipalName: {
    file: first('userPrincipalName', 'username'),
    entra: first('userPrincipalName'),
    google: first('primaryEmail'),
    workos: first('custom_attributes.username', 'email'),
    ldap: first('uid'),
    activeDirectory: first('userPrincipalName'),
    scim: first('userName'),
  },
  mail: {
    file: first('standard:email'),
    entra: first('mail'),
    google: first('primaryEmail'),
    workos: first('email'),
    ldap: first('mail'),
    activeDirectory: first('mail'),
    scim: primary('emails', 'value'),
  },
  mailNickName: {
    file: first('mailNickname', 'mailNickName'),
    entra: first('mailNickname'),
    google: as('localPart', 'primaryEmail'),
    ldap: first('uid'),
    activeDirectory: first('mailNickname', 'sAMAccountName'),
  },
  displayName: {
    file: first('displayName', 'display_name'),
    entra: first('displayName'),
    google: first('name.fullName'),
    workos: as('joined', 'first_name', 'last_name'),
    ldap: first('displayName', 'cn'),
    activeDirectory: first('displayName', 'cn'),
    scim: first('displayName'),
  },
  givenName: {
    file: first('givenName', 'standard:first_name'),
    entra: first('givenName'),
    google: first('name.givenName'),
    workos: first('first_name'),
    ldap: first('givenName'),
    activeDirectory: first('givenName'),
    scim: first('name.givenName'),
  },
  surname: {
    file: first('surname', 'standard:last_name'),
    entra: first('surname'),
    google: first('name.familyName'),
    workos: first('last_name'),
    ldap: first('sn'),
    activeDirectory: first('sn'),
    scim: first('name.familyName'),
  },
  jobTitle: {
    file: first('jobTitle', 'job_title'),
    entra: first('jobTitle'),
    google: primary('organizations', 'title'),
    workos: first('custom_attributes.job_title', 'job_title'),
    ldap: first('title'),
    activeDirectory: first('title'),
    scim: first('title'),
  },
  department: {
    file: first('department', 'department_name'),
    entra: first('department'),
    google: primary('organizations', 'department'),
    workos: first('custom_attributes.department_name'),
    ldap: first('departmentNumber'),
    activeDirectory: first('department'),
    scim: first(`${ENTERPRISE}:department`),
  },
  companyName: {
    file: first('companyName', 'organization'),
    entra: first('companyName'),
    google: primary('organizations', 'name'),
    workos: first('custom_attributes.organization'),
    ldap: first('o'),
    activeDirectory: first('company'),
    scim: first(`${ENTERPRISE}:organization`),
  },
  employeeId: {
    file: first('employeeId', 'employee_number'),
    entra: first('employeeId'),
    google: first(typed('externalIds', 'organization', 'value')),
    workos: first('custom_attributes.employee_number'),
    ldap: first('employeeNumber'),
    activeDirectory: first('employeeID'),
    scim: first(`${ENTERPRISE}:employeeNumber`),
  },
  employeeHireDate: {
    file: first('employeeHireDate', 'employment_start_date'),
    entra: first('employeeHireDate'),
    workos: first('custom_attributes.employment_start_date'),
  },
  city: {
    ...workAddress('locality', 'locality'),
    file: first('city'),
    entra: first('city'),
    ldap: first('l'),
    activeDirectory: first('l'),
  },
  state: {
    ...workAddress('region', 'region'),
    file: first('state'),
    entra: first('state'),
    ldap: first('st'),
    activeDirectory: first('st'),
  },
  streetAddress: {
    ...workAddress('streetAddress', 'street_address'),
    file: first('streetAddress'),
    entra: first('streetAddress'),
    ldap: first('street'),
    activeDirectory: first('streetAddress'),
  },
  postalCode: {
    ...workAddress('postalCode', 'postal_code'),
    file: first('postalCode'),
    entra: first('postalCode'),
    ldap: first('postalCode'),
    activeDirectory: first('postalCode'),
  },
  country: {
    ...workAddress('country', 'country'),
    file: first('country'),
    entra: first('country'),
    activeDirectory: first('co'),
  },
  usageLocation: { file: first('usageLocation'), entra: first('usageLocation'), activeDirectory: first('c') },
  telephoneNumber: {
    file: first('telephoneNumber', 'businessPhones[0]'),
    entra: first('businessPhones[0]'),
    google: first(typed('phones', 'work', 'value')),
    ldap: first('telephoneNumber'),
    activeDirectory: first('telephoneNumber'),
    scim: first(typed('phoneNumbers', 'work', 'value')),
  },
  mobile: {
    file: first('mobile', 'mobilePhone'),
    entra: first('mobilePhone'),
    google: first(typed('phones', 'mobile', 'value')),
    ldap: first('mobile'),
    activeDirectory: first('mobile'),
    scim: first(typed('phoneNumbers', 'mobile', 'value')),
  },
  facsimileTelephoneNumber: { file: first('facsimileTelephoneNumber', 'faxNumber'), entra: first('faxNumber') },
  physicalDeliveryOfficeName: {
    file: first('physicalDeliveryOfficeName', 'officeLocation'),
    entra: first('officeLocation'),
    google: first('locations[0].buildingId'),
    ldap: first('physicalDeliveryOfficeName'),
    activeDirectory: first('physicalDeliveryOfficeName'),
  },
  preferredLanguage: {
    file: first('preferredLanguage'),
    entra: first('preferredLanguage'),
    google: first('languages[0].languageCode'),
    ldap: first('preferredLanguage'),
    activeDirectory: first('preferredLanguage'),
    scim: first('preferredLanguage'),
  },
  userType: { file: first('userType'), entra: first('userType') },
  otherMails: {
    file: first('otherMails'),
    entra: first('otherMails'),
    google: first('aliases'),
    workos: as('values', 'custom_attributes.emails', 'emails'),
    ldap: as('rest', 'mail'),
    activeDirectory: first('otherMailbox'),
    scim: as('values', 'emails'),
  },
  proxyAddresses: {
    file: first('proxyAddresses'),
    entra: first('proxyAddresses'),
    google: first('aliases'),
    workos: as('values', 'custom_attributes.emails', 'emails'),
    ldap: as('rest', 'mail'),
    activeDirectory: first('proxyAddresses'),
    scim: as('values', 'emails'),
  },
  assignedPlans: { file: first('assignedPlans'), entra: first('assignedPlans') },
  dirSyncEnabled: { file: first('dirSyncEnabled'), entra: first('onPremisesSyncEnabled') },
  onPremisesDistinguishedName: {
    file: first('onPremisesDistinguishedName'),
    entra: first('onPremisesDistinguishedName'),
    activeDirectory: first('distinguishedName'),
  },
  onPremisesSecurityIdentifier: {
    file: first('onPremisesSecurityIdentifier'),
    entra: first('onPremisesSecurityIdentifier'),
    activeDirectory: first('objectSid'),
  },
  passwordPolicies: { file: first('passwordPolicies'), entra: first('passwordPolicies') },
  sipProxyAddress: { file: first('sipProxyAddress'), entra: first('sipProxyAddress') },
  ...EXTENSION_ATTRIBUTES,
  /** For `Direct Reports for`: the manager's id, or what the source says instead of it. */
  manager: {
    file: first('manager', 'managerId', 'manager_email'),
    entra: first('manager.id'),
    google: first(typed('relations', 'manager', 'value')),
    workos: first('custom_attributes.manager_email', 'manager_email'),
    ldap: first('manager'),
    activeDirectory: first('manager'),
    scim: first(`${ENTERPRISE}:manager.value`),
  },
};

/** Whether a name after `user.` is one of Dirsync's own, which every source has. */
export function isOwnName(name: string, { customs }: NameContext): boolean {
  return findOwnName(name, customs) !== undefined;
}

function findOwnName(name: string, customs: ReadonlySet<string>): string | undefined {
  if (customs.has(name)) return name;
  const wanted = name.toLowerCase();
  return [...customs, ...PREDEFINED_NAMES, ...STANDARD_NAMES].find((each) => each.toLowerCase() === wanted);
}

/** Names as in a clause that a property is read from. */
export function toPropertyNames(property: string, context: NameContext): readonly string[] {
  return findRow(property, context)?.names ?? [];
}

function findRow(property: string, context: NameContext): Row | undefined {
  if (Object.hasOwn(USER_PROPERTY_SOURCES, property)) {
    return USER_PROPERTY_SOURCES[property]?.[context.provider as TableSource];
  }
  const extension = findExtension(property);
  if (extension !== undefined) {
    const own = findOwnName(extension, context.customs);
    return own === undefined ? first(property, extension) : { names: [own], form: 'first' };
  }
  const own = findOwnName(property, context.customs);
  return own === undefined ? undefined : { names: [own], form: 'first' };
}

const NULL: BoundName = { read: () => null, isUnknown: () => false, missing: false };

/** Of several names those that the read delivered count; a property of none of them is missing. */
export function bindProperty(property: string, context: NameContext, known: KnownAttributes): BoundName {
  const row = findRow(property, context);
  if (row === undefined) return NULL;
  const bound = row.names.map((name) => bindName(name, context, known));
  const present = bound.filter(({ missing }) => !missing);
  return {
    read: (person) => {
      const values = present.map(({ read }) => read(person)).filter((each) => !isEmptyValue(each));
      const [value] = values;
      if (value === undefined) return null;
      return row.form === 'joined' ? values.join(' ') : FORMS[row.form](value);
    },
    isUnknown: (person) => present.length === 0 || present.some(({ isUnknown }) => isUnknown(person)),
    missing: present.length === 0,
  };
}

const FORMS: Readonly<Record<Exclude<Form, 'joined'>, (value: Json) => Json>> = {
  first: (value) => value,
  isActive: (value) => value === 'active',
  localPart: (value) => (typeof value === 'string' ? (value.split('@')[0] ?? value) : value),
  rest: (value) => (isList(value) ? value.slice(1) : []),
  values: (value) => (isList(value) ? value : [value]).map(toEntryValue),
};

function toEntryValue(entry: Json): Json {
  if (typeof entry !== 'object' || entry === null || isList(entry)) return entry;
  return entry['value'] ?? entry['address'] ?? null;
}

function isList(value: Json): value is readonly Json[] {
  return Array.isArray(value);
}

const FORM_WORDS: Readonly<Record<Form, (names: string) => string>> = {
  first: (names) => names,
  joined: (names) => `${names}, joined`,
  isActive: () => 'the state is active',
  localPart: (names) => `${names} before the @`,
  rest: (names) => `${names} but the first`,
  values: (names) => `every value of ${names}`,
};

/** The table of docs/membership-rules.md, in Markdown. */
export function renderPropertyTable(): string {
  const properties = Object.entries(USER_PROPERTY_SOURCES).filter(([name]) => !/^extensionAttribute(?!1$)/.test(name));
  const rows = properties.map(([name, rows]) => {
    const cells = TABLE_SOURCES.map((source) => toCell(rows[source]));
    return `| ${toLabel(name)} | ${cells.join(' | ')} |`;
  });
  const head = ['user.', ...TABLE_SOURCES.map((source) => `\`${source}\``)];
  return [`| ${head.join(' | ')} |`, `| ${head.map(() => '---').join(' | ')} |`, ...rows, ''].join('\n');
}

function toLabel(name: string): string {
  if (name === 'manager') return 'the manager, for `Direct Reports for`';
  return name === 'extensionAttribute1' ? '`extensionAttribute1` … `15`' : `\`${name}\``;
}

function toCell(row: Row | undefined): string {
  return row === undefined
    ? '–'
    : FORM_WORDS[row.form](row.names.map((name) => `\`${name.replace(/^source:/, '')}\``).join(', '));
}
