/** One member of a team: what rules or a group call for against what the target holds. Pure. */
import { type Departure, isInherited } from '../model.ts';
import type { MemberDifference } from '../state/staging.ts';
import { type DraftOperation, toDraft } from './draft.ts';
import { toDepartureUnit, toLeavingPolicy, toReturnUnit } from './person.ts';
import type { PlanSettings } from './settings.ts';
import type { TeamOrigin } from './team-origin.ts';

/** What plan knows of the team whose members it compares. */
export interface MemberContext {
  readonly settings: PlanSettings;
  readonly key: string;
  readonly targetId: string | null;
  readonly name: string;
  /** For the reason of additions and removals. */
  readonly origin: TeamOrigin;
  /** The team was recognised by its name alone: who does not belong there is removed only after approval (rule I7). */
  readonly isUnproven: boolean;
  /** All members go, because the team's rules were deleted, or its group is gone. */
  readonly emptied: boolean;
  /** People who get no account in this run (a record error), by source id. */
  readonly withoutAccount: ReadonlySet<string>;
  /** People whose departure this plan carries out or holds: removals from teams are part of that unit. */
  readonly leaving: ReadonlyMap<string, Departure>;
  /** People whom this plan activates again, or would: additions to teams are part of that unit. */
  readonly returning: ReadonlySet<string>;
  /** People who have left and whose account is deactivated: the guards have let their departure go. */
  readonly deactivated: ReadonlySet<string>;
  /** People who would leave and are protected: they keep their teams too. */
  readonly spared: ReadonlySet<string>;
  /** Accounts that somebody without an account matches: whose they are is not settled, so they keep their teams. */
  readonly claimed: ReadonlySet<string>;
  /**
   * What was changed by hand and stays: nothing; whom it added that no link knows (of a team in doubt, which may have what
   * an unfinished run of ours has left); all of it.
   */
  readonly overlooked: 'nothing' | 'strangers' | 'all';
}

/** A difference that was made by hand and stays as it is. */
export function isOverlooked(difference: MemberDifference, { overlooked, emptied }: MemberContext): boolean {
  if (overlooked === 'nothing' || emptied) return false;
  const isStranger = difference.change === 'remove' && difference.sourceId === null;
  return isStranger || (overlooked === 'all' && difference.byHand);
}

/** Null: the difference stays as it is. */
export function planMember(difference: MemberDifference, context: MemberContext): DraftOperation | null {
  if (isOverlooked(difference, context)) return null;
  return difference.change === 'add' ? planAdd(difference, context) : planRemove(difference, context);
}

function planAdd(difference: MemberDifference, context: MemberContext): DraftOperation | null {
  if (context.emptied || difference.sourceId === null || context.withoutAccount.has(difference.sourceId)) return null;
  if (context.returning.has(difference.sourceId)) {
    return {
      ...toMemberDraft(difference, context, { kind: 'addMembers', cause: 'return', reason: 'is back' }),
      unit: toReturnUnit(difference.sourceId),
    };
  }
  const byHand = { kind: 'addMembers', cause: 'drift', reason: 'was removed in the target' } as const;
  const { cause, text } = context.origin;
  const wanted = { kind: 'addMembers', cause, reason: text } as const;
  return toMemberDraft(difference, context, difference.byHand ? byHand : wanted);
}

function planRemove(difference: MemberDifference, context: MemberContext): DraftOperation | null {
  const { sourceId, targetId, presence } = difference;
  const { isUnproven: recovered } = context;
  const guarded = { kind: 'removeMembers', guards: toMemberGuards(context), recovered } as const;
  if (context.emptied) return toMemberDraft(difference, context, { ...guarded, ...context.origin.end });
  if (sourceId === null && targetId !== null && context.claimed.has(targetId)) return null;
  if (sourceId === null || (difference.byHand && presence === 'present'))
    return toMemberDraft(difference, context, { ...guarded, cause: 'drift', reason: 'was added in the target' });
  if (presence === 'undecided' || waitsForOwner(sourceId, context)) return null;
  if (presence === 'present')
    return toMemberDraft(difference, context, {
      ...guarded,
      cause: context.origin.cause,
      reason: `no longer by ${context.origin.text}`,
    });
  return planLeaverRemoval(difference, { ...context, sourceId, departure: presence ?? 'deletedAtSource' });
}

/** Whose account it is may still be found out: only with the account itself goes what it belongs to. */
function waitsForOwner(sourceId: string, { leaving, deactivated }: MemberContext): boolean {
  return isInherited(sourceId) && !leaving.has(sourceId) && !deactivated.has(sourceId);
}

function planLeaverRemoval(
  difference: MemberDifference,
  context: MemberContext & { sourceId: string; departure: Departure },
): DraftOperation | null {
  const { settings, sourceId, departure } = context;
  if (departure === 'deletedAtSource' && !settings.absenceProven) return null;
  if (settings.memberships === 'Keep' || context.spared.has(sourceId)) return null;
  const reason = 'leaves';
  if (context.leaving.has(sourceId)) {
    return {
      ...toMemberDraft(difference, context, { kind: 'removeMembers', cause: departure, reason }),
      unit: toDepartureUnit(sourceId, departure),
    };
  }
  if (toLeavingPolicy(departure, settings) !== 'Deactivate') return null;
  if (context.deactivated.has(sourceId)) {
    // What a run that died has left of a departure. Counted for the team it could be held for ever.
    return {
      ...toMemberDraft(difference, context, { kind: 'removeMembers', cause: departure, reason }),
      unit: toDepartureUnit(sourceId, departure),
    };
  }
  return toMemberDraft(difference, context, {
    kind: 'removeMembers',
    guards: toMemberGuards(context),
    cause: departure,
    reason,
  });
}

function toMemberGuards({ key }: MemberContext): DraftOperation['guards'] {
  return [{ kind: 'removeMembers', scope: key }];
}

type MemberDraft = Pick<DraftOperation, 'cause' | 'reason'> &
  Partial<Pick<DraftOperation, 'guards' | 'recovered'>> & { readonly kind: 'addMembers' | 'removeMembers' };

function toMemberDraft(difference: MemberDifference, context: MemberContext, draft: MemberDraft): DraftOperation {
  const { sourceId, targetId, name } = difference;
  return toDraft({
    ...draft,
    phase: 'members',
    resource: 'Team',
    id: context.key,
    targetId: context.targetId,
    name: context.name,
    member: { sourceId, targetId, name },
    unit: `member:${context.key}:${sourceId ?? `target:${targetId}`}:${draft.kind}`,
    removal: draft.kind === 'removeMembers',
  });
}

/** The unit of a team's deletion; also what the guard of lost teams counts a team by. */
export function toDeletionUnit(key: string): string {
  return `team:${key}:delete`;
}

/** The team goes when nobody is left in it: a guard that holds one of the removals holds this too. */
export function planTeamDeletion(context: MemberContext): DraftOperation {
  return toDraft({
    phase: 'deleteTeams',
    kind: 'delete',
    resource: 'Team',
    id: context.key,
    targetId: context.targetId,
    name: context.name,
    cause: context.emptied ? context.origin.end.cause : context.origin.cause,
    reason: 'is empty',
    unit: toDeletionUnit(context.key),
    guards: [{ kind: 'deleteTeams', scope: '' }],
    removal: true,
    recovered: context.isUnproven,
  });
}
