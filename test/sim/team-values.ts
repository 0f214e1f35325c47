/** What teams of groups have beside names and members: a mapping of teams, and CustomAttributes of groups. */
import type { AttributeEntry } from '../../src/api/attribute-mapping.ts';
import type { CustomAttributeSpec } from '../../src/api/custom-attribute.ts';

/** What a group says of itself, and its team by the mapping. */
export interface TeamValues {
  purpose: string | null;
  site: string | null;
}
export type TeamValueName = keyof TeamValues;
export const TEAM_VALUE_NAMES = ['purpose', 'site'] as const satisfies readonly TeamValueName[];

const EXTENSION = 'urn:ietf:params:scim:schemas:extension:acme:2.0:Group';
export const TEAM_VALUE_PATHS: Readonly<Record<TeamValueName, string>> = {
  purpose: `${EXTENSION}:purpose`,
  site: `${EXTENSION}:site`,
};

export const PURPOSE_ENTRY = { target: 'purpose', source: 'purpose', onEmpty: 'Clear' } as const;
export const SITE_ENTRY = { target: 'site', source: 'site', default: 'Anywhere' } as const;
/** In place of the group's id. */
export const CODE_ENTRY = { target: 'externalId', source: 'code' } as const;

/** The name says what a team has without an entry too, and an application that publishes no schema has no description. */
export const TEAM_ENTRIES: readonly AttributeEntry[] = [
  { target: 'displayName', source: 'displayName' },
  { target: 'description', source: 'source:purpose' },
  PURPOSE_ENTRY,
  SITE_ENTRY,
];

export function toTeamCustom(name: TeamValueName): CustomAttributeSpec {
  return { name, path: TEAM_VALUE_PATHS[name] };
}

const PURPOSES = ['Builds it', null, 'Sells it', null, 'Runs it', null] as const;
const SITES = ['Harbour', null, 'Hill'] as const;

export function toPurpose(n: number): string | null {
  return PURPOSES[n % PURPOSES.length] ?? null;
}

export function toSite(n: number): string | null {
  return SITES[n % SITES.length] ?? null;
}
