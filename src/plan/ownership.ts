/** What the deletion of a DirectorySync makes of what it owns, by its `deletionPolicy`. A deliberate act: no guard counts it. Pure. */

import { isInherited } from '../model.ts';
import type { PersonState, TeamState } from '../state/staging.ts';
import { NOTHING, type Planned, toDraft } from './draft.ts';
import { toDeletionUnit } from './member.ts';
import { isSpared } from './protection.ts';
import type { LeavingPolicy, TargetLimits } from './settings.ts';
import { fitPolicy } from './target-limits.ts';
import { forget } from './values.ts';

export interface OwnershipSettings {
  readonly policy: LeavingPolicy;
  /** In lower case. */
  readonly protectedUsers: ReadonlySet<string>;
  readonly ownNames: ReadonlySet<string>;
  readonly isProtectedTeam: (team: TeamState) => boolean;
  readonly target: TargetLimits;
}

const REASON = 'the DirectorySync is deleted';

/**
 * Who was only recognised again (`recovered`) is left alone: whether Dirsync made that account nobody has confirmed (rule I7). So is
 * an inherited account that nobody of the new source has, and one that an older DirectorySync has linked as well.
 */
export function planOwnedPerson(person: PersonState, settings: OwnershipSettings): Planned {
  const { policy, target } = settings;
  const { sourceId, link, observed, gone, contestedBy } = person;
  const kind = toKind(fitPolicy(policy, { target }));
  if (link === null || kind === null) return NOTHING;
  if (gone) return { ...NOTHING, effects: [{ type: 'dropLink', sourceId }, ...forget(link)] };
  if (link.origin === 'recovered' || contestedBy !== null || isInherited(sourceId)) return NOTHING;
  const active = observed === null ? link.active : observed.attributes['active'] !== false;
  if (kind === 'deactivate' && !active) return NOTHING;
  if (isSpared(person, settings)) return { ...NOTHING, protected: 1 };
  const operation = toDraft({
    phase: kind === 'delete' ? 'deletePeople' : 'deactivate',
    kind,
    resource: 'User',
    id: sourceId,
    targetId: link.targetId,
    name: link.name,
    changes: kind === 'delete' ? [] : [{ path: 'active', before: true, after: false }],
    cause: 'resourceDeleted',
    reason: REASON,
    unit: `person:${sourceId}:resourceDeleted`,
    removal: true,
  });
  return { ...NOTHING, operations: [operation] };
}

function toKind(policy: LeavingPolicy): 'deactivate' | 'delete' | null {
  if (policy === 'Retain') return null;
  return policy === 'Delete' ? 'delete' : 'deactivate';
}

/** Teams go with `Delete` alone: whoever is deactivated keeps them, so that the resource can be made again. */
export function planOwnedTeam(team: TeamState, settings: OwnershipSettings): Planned {
  const { key, link, gone } = team;
  const { policy, target, isProtectedTeam } = settings;
  if (link === null || policy !== 'Delete' || target.teams !== 'full') return NOTHING;
  if (gone) return { ...NOTHING, effects: [{ type: 'dropTeam', key }] };
  if (link.origin === 'recovered' || isInherited(key)) return NOTHING;
  if (isProtectedTeam(team)) return { ...NOTHING, protected: 1 };
  const operation = toDraft({
    phase: 'deleteTeams',
    kind: 'delete',
    resource: 'Team',
    id: key,
    targetId: link.targetId,
    name: link.displayName,
    cause: 'resourceDeleted',
    reason: REASON,
    unit: toDeletionUnit(key),
    removal: true,
  });
  return { ...NOTHING, operations: [operation] };
}
