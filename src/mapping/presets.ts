/**
 * Presets: which attribute of a SCIM application is made from which of a directory, for whoever wants what everybody
 * wants. The one table: mappings begin with it, and `docs/presets.md` is made from it. Pure.
 */
import type { AttributeEntry, AttributeMappingSpec, PresetName } from '../api/attribute-mapping.ts';
import type { ResourceKind } from '../model.ts';
import { ENTRA_USER } from '../scim/entra-user.ts';
import type { DirectoryName } from './catalog.ts';

/** Of a directory without one, as a file, nobody knows what its columns mean. */
export const PRESET_OF: Readonly<Partial<Record<string, PresetName>>> = {
  entra: 'EntraToSCIM',
  google: 'GoogleToSCIM',
  workos: 'WorkOSToSCIM',
  ldap: 'LDAPToSCIM',
  activeDirectory: 'ActiveDirectoryToSCIM',
  scim: 'SCIMToSCIM',
} satisfies Partial<Record<DirectoryName, PresetName>>;

const PRESETS = [
  'EntraToSCIM',
  'GoogleToSCIM',
  'WorkOSToSCIM',
  'LDAPToSCIM',
  'ActiveDirectoryToSCIM',
  'SCIMToSCIM',
] as const;

const U = 'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:';
const NICKNAME = `${ENTRA_USER.id}:mailNickname`;
const ADDRESS = 'addresses[type eq "work"]';
const WORKOS = 'custom_attributes';

/**
 * A path, or an expression, which has a parenthesis; null: the directory has nothing of the kind. Names are written
 * without the prefix that they get: nothing that is called the same comes before them.
 */
type Source = string | null;

/** In the order of PRESETS. */
type Row = readonly [target: string, Source, Source, Source, Source, Source, Source];

const MAIL = 'Coalesce([mail], [userPrincipalName])';
const SIGN_IN = 'Coalesce([userPrincipalName], [sAMAccountName])';
const SHOWN = 'Coalesce([displayName], [cn])';
const NUMBER = 'Coalesce([employeeNumber], [employeeID])';
const STATE = 'Switch([standard:state], "False", "active", "True")';

const ROWS: readonly Row[] = [
  [
    'userName',
    'userPrincipalName',
    'primaryEmail',
    `Coalesce([${WORKOS}.username], [email])`,
    'uid',
    SIGN_IN,
    'userName',
  ],
  ['externalId', 'id', 'id', 'idp_id', 'entryUUID', 'objectGUID', 'id'],
  ['active', STATE, STATE, STATE, STATE, STATE, STATE],
  ['name.givenName', 'givenName', 'name.givenName', 'first_name', 'givenName', 'givenName', 'name.givenName'],
  ['name.familyName', 'surname', 'name.familyName', 'last_name', 'sn', 'sn', 'name.familyName'],
  ['displayName', 'displayName', 'name.fullName', 'Join(" ", [first_name], [last_name])', SHOWN, SHOWN, 'displayName'],
  ['emails[type eq "work"].value', MAIL, 'primaryEmail', 'email', 'mail', 'mail', 'emails[type eq "work"].value'],
  [
    'emails[type eq "work"].primary',
    `IIF(IsNullOrEmpty(${MAIL}), "", "True")`,
    'IIF(IsNullOrEmpty([primaryEmail]), "", "True")',
    'IIF(IsNullOrEmpty([email]), "", "True")',
    'IIF(IsNullOrEmpty([mail]), "", "True")',
    'IIF(IsNullOrEmpty([mail]), "", "True")',
    'IIF(IsNullOrEmpty([emails[type eq "work"].value]), "", "True")',
  ],
  [
    'phoneNumbers[type eq "work"].value',
    'businessPhones[0]',
    'phones[type eq "work"].value',
    null,
    'telephoneNumber',
    'telephoneNumber',
    'phoneNumbers[type eq "work"].value',
  ],
  [
    'phoneNumbers[type eq "mobile"].value',
    'mobilePhone',
    'phones[type eq "mobile"].value',
    null,
    'mobile',
    'mobile',
    'phoneNumbers[type eq "mobile"].value',
  ],
  ['title', 'jobTitle', 'organizations[primary].title', `${WORKOS}.job_title`, 'title', 'title', 'title'],
  [
    'preferredLanguage',
    'preferredLanguage',
    'languages[0].languageCode',
    null,
    'preferredLanguage',
    'preferredLanguage',
    'preferredLanguage',
  ],
  ...addressRow('streetAddress', ['streetAddress', 'street_address', 'street', 'streetAddress']),
  ...addressRow('locality', ['city', 'locality', 'l', 'l']),
  ...addressRow('region', ['state', 'region', 'st', 'st']),
  ...addressRow('postalCode', ['postalCode', 'postal_code', 'postalCode', 'postalCode']),
  ...addressRow('country', ['country', 'country', null, 'co']),
  [
    `${U}department`,
    'department',
    'organizations[primary].department',
    `${WORKOS}.department_name`,
    'departmentNumber',
    'department',
    `${U}department`,
  ],
  [`${U}division`, 'employeeOrgData.division', null, `${WORKOS}.division_name`, null, 'division', `${U}division`],
  [
    `${U}organization`,
    'companyName',
    'organizations[primary].name',
    `${WORKOS}.organization`,
    'o',
    'company',
    `${U}organization`,
  ],
  [
    `${U}costCenter`,
    'employeeOrgData.costCenter',
    'organizations[primary].costCenter',
    `${WORKOS}.cost_center_name`,
    null,
    null,
    `${U}costCenter`,
  ],
  [
    `${U}employeeNumber`,
    'employeeId',
    'externalIds[type eq "organization"].value',
    `${WORKOS}.employee_number`,
    'employeeNumber',
    NUMBER,
    `${U}employeeNumber`,
  ],
  [
    `${U}manager`,
    'manager.id',
    'relations[type eq "manager"].value',
    `${WORKOS}.manager_email`,
    'manager',
    'manager',
    `${U}manager.value`,
  ],
  ['userType', 'employeeType', null, `${WORKOS}.employee_type`, 'employeeType', 'employeeType', 'userType'],
  [
    NICKNAME,
    'mailNickname',
    'Word([primaryEmail], 1, "@")',
    'Word([email], 1, "@")',
    'uid',
    'Coalesce([mailNickname], [sAMAccountName])',
    'Word([userName], 1, "@")',
  ],
];

/** Whoever belongs to a team is who belongs to the group: that has no row. */
const TEAM_ROWS: readonly Row[] = [
  ['displayName', 'displayName', 'name', 'name', 'cn', SHOWN, 'displayName'],
  ['externalId', 'id', 'id', 'idp_id', 'entryUUID', 'objectGUID', 'id'],
];

const ROWS_OF: Readonly<Record<ResourceKind, readonly Row[]>> = { User: ROWS, Team: TEAM_ROWS };

function addressRow(part: string, [entra, workos, ldap, ad]: readonly [string, string, Source, Source]): Row[] {
  const own = `${ADDRESS}.${part}`;
  return [[own, entra, own, `${WORKOS}.${ADDRESS}.${workos}`, ldap, ad, own]];
}

const PRECEDENCE: Readonly<Record<string, number>> = { userName: 1, externalId: 2 };

function toEntry(target: string, source: string, resource: ResourceKind): AttributeEntry {
  const precedence = resource === 'User' ? PRECEDENCE[target] : undefined;
  const matching = precedence === undefined ? {} : { matching: { precedence } };
  if (!source.includes('(')) return { target, source: `source:${source}`, ...matching };
  const expression = source.replaceAll(/\[(?=\w)(?!(?:standard|predefined):|type )/g, '[source:');
  return { target, expression, ...matching };
}

/** Paths of a preset that an application does without, because it would refuse or forget them. */
export type LeavesOut = (paths: readonly string[], resource: ResourceKind) => readonly string[];

/** What an application takes of which nothing is known: everything but the extension of one product. */
export const LEAVES_EXTENSIONS_OUT: LeavesOut = (paths) => paths.filter((path) => path === NICKNAME);

/** The entries of a preset, for an application. Every name has its prefix. */
export function listPresetEntries(
  preset: PresetName,
  resource: ResourceKind,
  leavesOut: LeavesOut = LEAVES_EXTENSIONS_OUT,
): readonly AttributeEntry[] {
  const column = PRESETS.indexOf(preset) + 1;
  const entries = ROWS_OF[resource].flatMap((row) => {
    const source = row[column] ?? null;
    return source === null ? [] : [toEntry(row[0], source, resource)];
  });
  const out = new Set(
    leavesOut(
      entries.map(({ target }) => target),
      resource,
    ),
  );
  return entries.filter(({ target }) => !out.has(target));
}

/**
 * A mapping as it is carried out: every entry of its preset that it does not give itself, and then its own.
 * @param keyOf one key for every spelling of one target
 */
export function resolvePreset(
  spec: AttributeMappingSpec,
  leavesOut: LeavesOut,
  keyOf: (target: string) => string,
): AttributeMappingSpec {
  if (spec.preset === undefined) return spec;
  const own = spec.attributes ?? [];
  const keys = new Set(own.map(({ target }) => keyOf(target)));
  const rest = listPresetEntries(spec.preset, spec.resource ?? 'User', leavesOut).filter(
    ({ target }) => !keys.has(keyOf(target)),
  );
  return { ...spec, attributes: [...rest, ...own] };
}

/** For docs/presets.md, in Markdown: names without their prefix. */
export function renderPresetTable(resource: ResourceKind): string {
  const heading = ['target', ...PRESETS];
  const lines = ROWS_OF[resource].map(([target, ...sources]) => [
    `\`${target.replace(U, 'U:').replace(`${ENTRA_USER.id}:`, 'E:')}\``,
    ...sources.map((source) => (source === null ? '–' : `\`${source.replace(U, 'U:')}\``)),
  ]);
  return [heading, heading.map(() => '---'), ...lines].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}
