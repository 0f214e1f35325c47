/**
 * Memberships that people get back when they return. What rules grant they get like everybody; here it is about owned
 * teams that no rule computes any more, from which only their departure took them. Pure.
 */
import type { PersonState, TeamState } from '../state/staging.ts';
import { type DraftOperation, toDraft } from './draft.ts';
import type { PlanSettings } from './settings.ts';
import type { TeamContext } from './team.ts';

export interface Returning {
  readonly sourceId: string;
  readonly targetId: string;
  readonly name: string;
  readonly teams: ReadonlySet<string>;
  /** Their reactivation in this plan: what is given back is held with it. Null: they are active already. */
  readonly reactivation: Pick<DraftOperation, 'unit'> | null;
}

/** Null for everybody who was not away. */
export function toReturning(
  { sourceId, desired, link, observed, gone }: PersonState,
  operations: readonly DraftOperation[],
  { restoreMemberships }: Pick<PlanSettings, 'restoreMemberships'>,
): Returning | null {
  if (desired?.presence !== 'present' || link?.left === undefined || gone) return null;
  const reactivation = operations.find(({ kind }) => kind === 'reactivate') ?? null;
  const active = observed === null ? link.active : observed.attributes['active'] !== false;
  if (!active && reactivation === null) return null;
  return {
    sourceId,
    targetId: link.targetId,
    name: link.name,
    teams: new Set(restoreMemberships ? link.left.teams : []),
    reactivation,
  };
}

export function planRestoration(
  team: TeamState,
  people: readonly Returning[],
  context: Pick<TeamContext, 'frozen' | 'rules' | 'groupGone'>,
): readonly DraftOperation[] {
  const { link } = team;
  if (link === null || !isLeftAlone(team, context)) return [];
  return people
    .filter(({ teams }) => teams.has(team.key))
    .map(({ sourceId, targetId, name, reactivation }) =>
      toDraft({
        phase: 'members',
        kind: 'addMembers',
        resource: 'Team',
        id: team.key,
        targetId: link.targetId,
        name: link.displayName,
        member: { sourceId, targetId, name },
        cause: 'return',
        reason: 'was a member before they left',
        unit: reactivation?.unit ?? `member:${team.key}:${sourceId}:addMembers`,
      }),
    );
}

/** Owned, there, and kept although all its rules are deleted, or its group is gone. */
function isLeftAlone(
  { desired, link, gone, group }: TeamState,
  { frozen, rules, groupGone }: Pick<TeamContext, 'frozen' | 'rules' | 'groupGone'>,
): boolean {
  if (desired !== null || link === null || gone || group === 'partial' || group === 'read') return false;
  // Whom a team that ends got back it would lose again.
  if (group === 'absent' && groupGone !== 'Retain') return false;
  return link.deletionPolicy === 'Retain' && !link.rules.some((rule) => frozen.has(rule) || rules.has(rule));
}
