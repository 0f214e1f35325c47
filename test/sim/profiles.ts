/** Applications that a profile is made for, and what a company must write there beside what every company writes. */

import type { AttributeEntry } from '../../src/api/attribute-mapping.ts';
import type { APPLICATIONS } from '../support/dialects/dialect.ts';

export type ProfileName = keyof typeof APPLICATIONS;

export const PROFILE_NAMES = ['GitHubOrganization', 'GitLab'] as const satisfies readonly ProfileName[];

/** Every one of them takes these, and some ask for them. They never change, and name nobody. */
export function toProfileEntries(profile: ProfileName | undefined): readonly AttributeEntry[] {
  if (profile === undefined) return [];
  return [
    { target: 'name.givenName', source: 'id' },
    { target: 'name.familyName', source: 'id' },
    { target: 'displayName', source: 'id' },
    { target: 'emails[type eq "work"].value', source: 'id' },
  ];
}
