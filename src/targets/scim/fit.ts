/** What was seen of an application against what profiles say of it. Pure. */
import type { ScimProfileName } from '../../api/providers.ts';
import type { ProbeFinding } from '../target.ts';
import { PROFILES, type Profile } from './profiles.ts';

/** Null: not seen. */
export interface Sight {
  /** PATCH is announced. */
  readonly patch: boolean | null;
  /** Filters are announced. */
  readonly filter: boolean | null;
  /** Lists can be paged so. */
  readonly index: boolean | null;
  /** `startIndex` is refused, which says more than that it is not announced. */
  readonly refusesIndex: boolean;
  readonly cursor: boolean | null;
  /** That lists go by cursor only is announced, so that nobody has to know it. */
  readonly announcesCursor: boolean;
  readonly groups: boolean | null;
  /** A group shows its members; false: it shows none, and has some. */
  readonly members: boolean | null;
  /** `excludedAttributes` is taken. */
  readonly projection: boolean | null;
  /** Users and groups by what a filter calls the attribute: whether such a search is taken. */
  readonly searches: Readonly<Record<'User' | 'Group', Readonly<Record<string, boolean>>>>;
}

export const NOTHING_SEEN: Sight = {
  patch: null,
  filter: null,
  index: null,
  refusesIndex: false,
  cursor: null,
  announcesCursor: false,
  groups: null,
  members: null,
  projection: null,
  searches: { User: {}, Group: {} },
};

/** `ok`: the application can more than the profile uses. */
export type Difference = Pick<ProbeFinding, 'verdict' | 'message'>;

interface Wanted {
  readonly teams: boolean;
}

/** Where an application is not as the profile says; an `error` would break what is written. */
export function compareWithProfile(sight: Sight, profile: Profile, wanted: Wanted): readonly Difference[] {
  const differences = [
    comparePatch(sight, profile),
    compareIndex(sight, profile),
    compareCursor(sight, profile),
    compareGroups(sight, profile, wanted),
    compareMembers(sight, profile, wanted),
    compareProjection(sight, profile),
    compareFilter(sight, profile),
    ...compareSearches(sight, profile),
  ];
  return differences.filter((each) => each !== null);
}

export interface Closest {
  readonly names: readonly ScimProfileName[];
  /** Nothing that was seen speaks against them. */
  readonly fits: boolean;
}

/** What speaks against a profile outweighs whatever an application can beside. */
const CONTRADICTION = 100;

/** The profiles that differ least from what was seen, in the order of the table. */
export function findClosest(sight: Sight): Closest {
  const names = Object.keys(PROFILES) as ScimProfileName[];
  const weights = names.map((name) => weigh(compareWithProfile(sight, PROFILES[name], { teams: true })));
  const least = Math.min(...weights);
  return { names: names.filter((_, index) => weights[index] === least), fits: least < CONTRADICTION };
}

function weigh(differences: readonly Difference[]): number {
  return differences.reduce((sum, { verdict }) => sum + (verdict === 'ok' ? 1 : CONTRADICTION), 0);
}

function differ(verdict: Difference['verdict'], message: string): Difference {
  return { verdict, message };
}

function comparePatch({ patch }: Sight, profile: Profile): Difference | null {
  if (profile.patch === 'announced' || patch !== false) return null;
  return profile.put
    ? differ('warning', 'PATCH is not announced: where it is refused, objects are read and written back whole')
    : differ('error', 'PATCH is not announced, and the profile knows no other way to change an account');
}

function compareIndex({ index, refusesIndex, announcesCursor }: Sight, { paging }: Profile): Difference | null {
  if (index !== false || paging === 'cursor' || (paging === 'announced' && announcesCursor)) return null;
  return refusesIndex
    ? differ('error', 'startIndex is refused, which the profile pages by: nobody can be listed')
    : differ('warning', 'paging by index is not announced, which the profile asks for');
}

function compareCursor({ cursor }: Sight, { paging }: Profile): Difference | null {
  if (cursor !== false || paging !== 'cursor') return null;
  return differ(
    'error',
    'lists are not paged by cursor, as the profile asks for them: none is whole that has two pages',
  );
}

function compareGroups({ groups: seen }: Sight, { groups }: Profile, { teams }: Wanted): Difference | null {
  if (seen === null || seen === (groups !== 'none')) return null;
  if (seen) return differ('ok', 'there are groups, which the profile does not use');
  return differ(teams ? 'error' : 'ok', 'there are no groups: TeamRules cannot be carried out');
}

function compareMembers({ members, searches }: Sight, profile: Profile, { teams }: Wanted): Difference | null {
  if (profile.groups === 'none') return null;
  if (profile.readMembers === 'byFilter') {
    if (searches.User['groups.value'] === false)
      return differ(teams ? 'error' : 'ok', 'users are not found by groups.value, so that members cannot be read');
    return members === true ? differ('ok', 'members of groups are shown, which the profile does not expect') : null;
  }
  if (members !== false) return null;
  return differ('warning', 'members of groups are not shown, so that changes of them by hand go unnoticed');
}

function compareProjection({ projection }: Sight, profile: Profile): Difference | null {
  if (projection === null || projection === profile.projection || profile.groups === 'none') return null;
  return projection
    ? differ('ok', 'excludedAttributes is taken, which the profile does not use')
    : differ('warning', 'excludedAttributes is refused: a team is searched in the whole list');
}

function compareFilter({ filter }: Sight, { filters }: Profile): Difference | null {
  if (filter !== false || filters.User === null) return null;
  return differ('warning', 'filters are not announced, which the profile searches by');
}

function compareSearches({ searches }: Sight, { filters, groups }: Profile): readonly Difference[] {
  const kinds = groups === 'none' ? (['User'] as const) : (['User', 'Group'] as const);
  return kinds.flatMap((kind) => {
    const expected = filters[kind];
    if (expected === null) return [];
    const names = new Set(Object.values(expected));
    return Object.entries(searches[kind]).flatMap(([name, isTaken]): Difference[] => {
      const about = `${kind === 'User' ? 'users' : 'groups'} by ${name}`;
      // By their groups users are searched for members alone, which is compared there.
      if (name === 'groups.value' || isTaken === names.has(name)) return [];
      if (isTaken) return [differ('ok', `a search for ${about} is taken, which the profile does not use`)];
      return [differ('warning', `a search for ${about} is refused or ignored: the whole list is read instead`)];
    });
  });
}
