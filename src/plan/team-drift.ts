/** What was changed by hand of a team itself: its name and its mark. Pure. */
import type { TeamState } from '../state/staging.ts';
import { toGroupId, toTeamKey } from '../team-key.ts';
import { type AttributeDrift, toDrift } from './drift.ts';
import { type TeamContext, toBelievedTeam } from './team.ts';

/** A team whose rules want another name now has changed by that. */
export function findTeamDrift(
  { key, desired, link, observed, gone }: TeamState,
  { settings: { target } }: Pick<TeamContext, 'settings'>,
): readonly AttributeDrift[] {
  if (link === null || gone) return [];
  const isOfGroup = toGroupId(key) !== null;
  const wanted = isOfGroup ? toTeamKey(desired?.displayName ?? link.displayName) : key;
  if (toTeamKey(link.displayName) !== wanted) return [];
  const shown = toBelievedTeam(observed, link, target)?.attributes ?? {};
  const applied = { displayName: link.displayName, externalId: link.externalId, description: link.description ?? null };
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
