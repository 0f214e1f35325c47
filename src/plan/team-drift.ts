/** What was changed by hand of a team itself: its name and its mark. Pure. */
import type { TeamState } from '../state/staging.ts';
import { type AttributeDrift, toDrift } from './drift.ts';
import { type TeamContext, toBelievedTeam } from './team.ts';

/** A team whose rules want another name now has changed by that. */
export function findTeamDrift(
  { key, link, observed, gone }: TeamState,
  { toKey, settings: { target } }: Pick<TeamContext, 'toKey' | 'settings'>,
): readonly AttributeDrift[] {
  if (link === null || gone || toKey(link.displayName) !== key) return [];
  const shown = toBelievedTeam(observed, link, target)?.attributes ?? {};
  const applied = { displayName: link.displayName, externalId: link.externalId };
  return (
    Object.entries(applied)
      .filter(
        ([path, was]) => was !== null && shown[path] !== was && target.attribute('Team', path).writes === 'always',
      )
      // A target that keeps no externalId of teams has lost nothing.
      .filter(([path]) => shown[path] !== undefined)
      .map(([path, was]) => toDrift(path, was ?? undefined, shown[path]))
  );
}
