/** What was changed by hand of a team itself: its name, its mark and what mappings write. Pure. */
import type { Json } from '../model.ts';
import type { TeamState } from '../state/staging.ts';
import { toGroupId, toTeamKey } from '../team-key.ts';
import { isSameValue } from './diff.ts';
import { type AttributeDrift, toDrift } from './drift.ts';
import type { ReferenceContext } from './references.ts';
import type { TeamContext } from './team.ts';
import { settleReferences } from './team-references.ts';
import { toBelievedTeam } from './team-values.ts';

/** A team whose rules want another name now has changed by that. */
export function findTeamDrift(
  found: TeamState,
  context: Pick<TeamContext, 'settings' | 'shapes' | keyof ReferenceContext>,
): readonly AttributeDrift[] {
  const { key, desired, link, observed, gone } = settleReferences(found, context).team;
  const { settings, shapes } = context;
  const { target } = settings;
  if (link === null || gone) return [];
  const isOfGroup = toGroupId(key) !== null;
  const wanted = isOfGroup ? toTeamKey(desired?.displayName ?? link.displayName) : key;
  if (toTeamKey(link.displayName) !== wanted) return [];
  const shown = toBelievedTeam(observed, link, target)?.attributes ?? {};
  const { displayName, externalId } = link;
  const isSame = (path: string, one: Json | undefined, other: Json | undefined): boolean =>
    isSameValue(one, other, shapes.get(path)?.caseExact ?? true);
  const isWritten = (path: string): boolean => target.attribute('Team', path).writes === 'always';
  const names = Object.entries({ displayName, externalId })
    // A target that keeps no externalId of teams has lost nothing.
    .filter(([path, was]) => was !== null && shown[path] !== undefined && shown[path] !== was);
  // Where the source wants something new, that is no drift.
  const values = Object.entries(observed === null ? {} : (desired?.values.attributes ?? {})).filter(
    ([path, each]) => isSame(path, link.applied[path], each) && !isSame(path, shown[path], each),
  );
  return [...names, ...values]
    .filter(([path]) => isWritten(path))
    .map(([path, was]) => toDrift(path, was ?? undefined, shown[path]));
}
