/**
 * What the directories call what: the standard attributes, which every source gives for every user, and the predefined
 * ones, which normalise what is left. The one table: code reads by it, and `docs/presets.md` is made from it. Facts only;
 * how a list of addresses or mails is put together stands in `predefined.ts`.
 */
import type { PredefinedName } from '../api/custom-attribute.ts';
import type { AttributeType } from '../scim/schema.ts';

export const DIRECTORIES = ['file', 'entra', 'google', 'workos', 'ldap', 'activeDirectory', 'scim'] as const;
/** A kind of source: by what its records call their attributes. LDAP servers and Active Directory share a provider. */
export type DirectoryName = (typeof DIRECTORIES)[number];

const DIRECTORY_TITLES: Readonly<Record<DirectoryName, string>> = {
  file: 'file',
  entra: 'Entra (Graph)',
  google: 'Google',
  workos: 'WorkOS',
  ldap: 'LDAP (inetOrgPerson)',
  activeDirectory: 'Active Directory',
  scim: 'SCIM',
};

/** Paths in a record, the first that is not empty counts. Null: the directory has nothing of the kind, and so has nobody. */
export type Cell = readonly string[] | null;

export interface CatalogRow {
  readonly type: AttributeType;
  readonly multiValued: boolean;
  readonly meaning: string;
  readonly cells: Readonly<Record<DirectoryName, Cell>>;
}

const U = 'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:';

/** What the read must add, because it stands in another object: the mail address of the manager. */
const JOINED_MANAGER = 'manager_email';

function text(meaning: string, cells: CatalogRow['cells']): CatalogRow {
  return { type: 'String', multiValued: false, meaning, cells };
}

/** `idp_id` and `state` are parts of every record, made by the provider; the cells are for the documentation alone. */
const OF_THE_RECORD: Readonly<Record<'idp_id' | 'state', CatalogRow>> = {
  idp_id: text('the immutable id; never a mail address, user name or DN', {
    file: ['the column of idAttribute'],
    entra: ['id'],
    google: ['id'],
    workos: ['idp_id'],
    ldap: ['entryUUID'],
    activeDirectory: ['objectGUID'],
    scim: ['id'],
  }),
  state: text('`active` or `inactive`: may this person sign in', {
    file: ['active or accountEnabled is not false'],
    entra: ['accountEnabled'],
    google: ['neither suspended nor archived'],
    workos: ['state'],
    ldap: ['neither nsAccountLock nor locked for good'],
    activeDirectory: ['userAccountControl and accountExpires'],
    scim: ['active'],
  }),
};

export const STANDARD: Readonly<Record<'email' | 'first_name' | 'last_name', CatalogRow>> = {
  email: text('the main mail address, as the provider writes it; of a guest in Entra `alias@domain`', {
    file: ['email', 'mail'],
    entra: ['mail', 'userPrincipalName'],
    google: ['primaryEmail'],
    workos: ['email'],
    ldap: ['mail[0]'],
    activeDirectory: ['mail', 'userPrincipalName'],
    scim: ['emails[primary].value'],
  }),
  first_name: text('given name', {
    file: ['first_name'],
    entra: ['givenName'],
    google: ['name.givenName'],
    workos: ['first_name'],
    ldap: ['givenName[0]'],
    activeDirectory: ['givenName'],
    scim: ['name.givenName'],
  }),
  last_name: text('family name', {
    file: ['last_name'],
    entra: ['surname'],
    google: ['name.familyName'],
    workos: ['last_name'],
    ldap: ['sn[0]'],
    activeDirectory: ['sn'],
    scim: ['name.familyName'],
  }),
};

/** Of addresses and emails the cells are what the list is put together from. A file has a column of that very name. */
export const PREDEFINED: Readonly<Record<PredefinedName, CatalogRow>> = {
  addresses: {
    type: 'Complex',
    multiValued: true,
    meaning:
      'objects of type, street_address, locality, region, postal_code, country, primary and raw_address (one line of the rest)',
    cells: {
      file: ['addresses'],
      entra: ['streetAddress', 'city', 'state', 'postalCode', 'country'],
      google: ['addresses'],
      workos: ['custom_attributes.addresses'],
      ldap: ['street', 'l', 'st', 'postalCode', 'postalAddress'],
      activeDirectory: ['streetAddress', 'l', 'st', 'postalCode', 'co'],
      scim: ['addresses'],
    },
  },
  cost_center_name: text('cost centre', {
    file: ['cost_center_name'],
    entra: ['employeeOrgData.costCenter'],
    google: ['organizations[primary].costCenter'],
    workos: ['custom_attributes.cost_center_name'],
    ldap: null,
    activeDirectory: null,
    scim: [`${U}costCenter`],
  }),
  department_name: text('department', {
    file: ['department_name'],
    entra: ['department'],
    google: ['organizations[primary].department'],
    workos: ['custom_attributes.department_name'],
    ldap: ['departmentNumber[0]', 'ou[0]'],
    activeDirectory: ['department'],
    scim: [`${U}department`],
  }),
  division_name: text('division', {
    file: ['division_name'],
    entra: ['employeeOrgData.division'],
    google: null,
    workos: ['custom_attributes.division_name'],
    ldap: null,
    activeDirectory: ['division'],
    scim: [`${U}division`],
  }),
  emails: {
    type: 'Complex',
    multiValued: true,
    meaning: 'objects of type, value and primary',
    cells: {
      file: ['emails'],
      entra: ['mail', 'otherMails', 'proxyAddresses'],
      google: ['emails', 'aliases'],
      workos: ['custom_attributes.emails'],
      ldap: ['mail'],
      activeDirectory: ['mail', 'proxyAddresses'],
      scim: ['emails'],
    },
  },
  employee_number: text('number given by the employer; text, for leading zeros count', {
    file: ['employee_number'],
    entra: ['employeeId'],
    google: ['externalIds[type eq "organization"].value'],
    workos: ['custom_attributes.employee_number'],
    ldap: ['employeeNumber'],
    activeDirectory: ['employeeNumber', 'employeeID'],
    scim: [`${U}employeeNumber`],
  }),
  employee_type: text('as Full Time, Contractor', {
    file: ['employee_type'],
    entra: ['employeeType'],
    google: ['organizations[primary].description'],
    workos: ['custom_attributes.employee_type'],
    ldap: ['employeeType[0]'],
    activeDirectory: ['employeeType'],
    scim: ['userType'],
  }),
  employment_start_date: {
    type: 'DateTime',
    multiValued: false,
    meaning: 'first day, in UTC; a date without time is midnight',
    cells: {
      file: ['employment_start_date'],
      entra: ['employeeHireDate'],
      google: null,
      workos: ['custom_attributes.employment_start_date'],
      ldap: null,
      activeDirectory: null,
      scim: null,
    },
  },
  job_title: text('title', {
    file: ['job_title'],
    entra: ['jobTitle'],
    google: ['organizations[primary].title'],
    workos: ['custom_attributes.job_title'],
    ldap: ['title[0]'],
    activeDirectory: ['title'],
    scim: ['title'],
  }),
  manager_email: text('mail address of the manager; of LDAP, Active Directory and SCIM added by the read', {
    file: ['manager_email'],
    entra: ['manager.mail'],
    google: ['relations[type eq "manager"].value'],
    workos: ['custom_attributes.manager_email'],
    ldap: [JOINED_MANAGER],
    activeDirectory: [JOINED_MANAGER],
    scim: [JOINED_MANAGER],
  }),
  organization: text('name of the employing organisation', {
    file: ['organization'],
    entra: ['companyName'],
    google: ['organizations[primary].name'],
    workos: ['custom_attributes.organization'],
    ldap: ['o[0]'],
    activeDirectory: ['company'],
    scim: [`${U}organization`],
  }),
  username: text('sign-in name', {
    file: ['username'],
    entra: ['userPrincipalName'],
    google: ['primaryEmail'],
    workos: ['custom_attributes.username'],
    ldap: ['uid[0]'],
    activeDirectory: ['userPrincipalName', 'sAMAccountName'],
    scim: ['userName'],
  }),
};

function renderTable(rows: Readonly<Record<string, CatalogRow>>): string {
  const heading = ['attribute', 'type', 'is', ...DIRECTORIES.map((name) => DIRECTORY_TITLES[name])];
  const lines = Object.entries(rows).map(([name, row]) => [
    name,
    row.multiValued ? `list of ${row.type}` : row.type,
    row.meaning,
    ...DIRECTORIES.map((directory) => renderCell(row.cells[directory])),
  ]);
  return [heading, heading.map(() => '---'), ...lines].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}

function renderCell(cell: Cell): string {
  return cell === null
    ? '–'
    : cell.map((path) => (path.includes(' ') && !path.includes('[') ? path : `\`${path}\``)).join(', ');
}

/** For docs/presets.md, in Markdown. */
export function renderStandardTable(): string {
  return renderTable({ ...OF_THE_RECORD, ...STANDARD });
}

/** For docs/presets.md, in Markdown. */
export function renderPredefinedTable(): string {
  return renderTable(PREDEFINED);
}
