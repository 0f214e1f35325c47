/**
 * What a company has beyond the plain one, most of it in its manifests, by name. They are drawn apart from everything else:
 * a scenario without them is played as it always was.
 */
import type { AttributeEntry } from '../../src/api/attribute-mapping.ts';
import type { CustomAttributeSpec } from '../../src/api/custom-attribute.ts';

export const FEATURES = [
  'onCreate',
  'chosen',
  'custom',
  'managersByMail',
  'scopeGroups',
  'teamValues',
  'feed',
  'countedFeed',
  'scopeReads',
] as const;
export type Feature = (typeof FEATURES)[number];

/** Written when an account is made, and never again. */
export const ONCE_ENTRY = { target: 'userType', source: 'department', apply: 'OnCreate' } as const;
/** Chosen when an account is made, so that nobody else has it. */
export const CHOSEN_ENTRY = {
  target: 'nickName',
  expression: 'SelectUniqueValue([title], Join("", [title], "2"))',
  apply: 'OnCreate',
} as const;

/** The value of the CustomAttribute of this name. */
export const CUSTOM_ENTRY = { target: 'tier', source: 'clubs', onEmpty: 'Clear' } as const;
const EXTENSION = 'urn:ietf:params:scim:schemas:extension:acme:2.0:User';
/** Where its values may be, by what the checkers call them. */
export const CUSTOM_PATHS = { tier: `${EXTENSION}:tier`, grade: `${EXTENSION}:grade` } as const;
export type CustomName = keyof typeof CUSTOM_PATHS;
export const CUSTOM_NAMES = ['tier', 'grade'] as const satisfies readonly CustomName[];

export function toCustom(name: CustomName): CustomAttributeSpec {
  return { name: CUSTOM_ENTRY.target, path: CUSTOM_PATHS[name] };
}

const ENTRIES: Readonly<Record<Feature, readonly AttributeEntry[]>> = {
  onCreate: [ONCE_ENTRY],
  chosen: [CHOSEN_ENTRY],
  custom: [CUSTOM_ENTRY],
  managersByMail: [],
  // Nothing where the source has no groups.
  scopeGroups: [],
  teamValues: [],
  // Of a feed alone.
  feed: [],
  countedFeed: [],
  // Of a source without a feed.
  scopeReads: [],
};

export function toFeatureEntries(features: readonly Feature[]): readonly AttributeEntry[] {
  return features.flatMap((feature) => ENTRIES[feature]);
}

/** In the order in which they are wanted. */
export function toChoices(title: unknown): readonly string[] {
  const text = typeof title === 'string' ? title : '';
  return [text, `${text}2`].filter((each) => each !== '');
}

export const isSameChoice = (a: string | null, b: string | null): boolean => a?.toLowerCase() === b?.toLowerCase();
