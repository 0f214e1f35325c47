/** One team and its members: what rules call for against what the target holds. Pure. */
import type { AttributeChange, Attributes, Departure, DesiredTeam, Json, Operation, RecordError } from '../model.ts';
import type { MemberDifference, TeamState } from '../state/staging.ts';
import type { TeamLink } from '../state/store.ts';
import type { TargetTeam } from '../targets/target.ts';
import { isUnassigned } from './diff.ts';
import { type DraftOperation, NOTHING, type Planned, toDraft } from './draft.ts';
import { toDepartureUnit, toLeavingPolicy, toReturnUnit } from './person.ts';
import type { PlanSettings, TargetLimits } from './settings.ts';
import { isHidden, toTeamChanges } from './target-limits.ts';

export interface TeamContext {
  readonly settings: PlanSettings;
  /** Names of all TeamRules of this DirectorySync, whatever their state. */
  readonly rules: ReadonlySet<string>;
  /** Rules whose teams stay as they are: suspended, invalid, or without an attribute that they need. */
  readonly frozen: ReadonlySet<string>;
  /** What rules say of their teams' emptiness, by rule. */
  readonly whenEmpty: ReadonlyMap<string, DesiredTeam['whenEmpty']>;
  /** Normal form of a display name, as it stands in the key. */
  readonly toKey: (displayName: string) => string;
  /** Longest display name that the target takes; null when not known. */
  readonly maxNameLength: number | null;
}

export interface TeamPlan extends Planned {
  /** Whether the memberships of this team are to be compared. */
  readonly members: 'compare' | 'empty' | 'keep';
  /** The team goes when it has no members left. */
  readonly deleteWhenEmpty: boolean;
}

const KEEP: TeamPlan = { ...NOTHING, members: 'keep', deleteWhenEmpty: false };

export function planTeam(team: TeamState, context: TeamContext): TeamPlan {
  const { teams } = context.settings.target;
  if (teams === 'none')
    return team.desired === null ? KEEP : fail(team.desired, 'Conflict', 'the target has no groups: remove the rule');
  const planned = planKnownTeam(team, context);
  return teams === 'full' ? planned : { ...planned, deleteWhenEmpty: false };
}

function planKnownTeam(team: TeamState, context: TeamContext): TeamPlan {
  const { desired, link, gone } = team;
  const rules = [...(desired?.rules ?? []), ...(link?.rules ?? [])];
  // Whoever mends the rule later must not meet a link to a team that is known to be gone.
  const inDoubt: TeamPlan = { ...KEEP, effects: [{ type: 'markTeamDirty', key: team.key }] };
  if (rules.some((rule) => context.frozen.has(rule))) return link !== null && gone ? inDoubt : KEEP;
  if (link !== null && gone && (desired === null || team.desiredMembers === 0)) {
    return { ...KEEP, effects: [{ type: 'dropTeam', key: team.key }] };
  }
  if (desired !== null && link !== null && !gone) return planExisting(team, desired, { link, context });
  if (desired !== null) {
    const missing = planMissing(team, desired, context);
    return { ...missing, effects: [...missing.effects, ...(gone ? inDoubt.effects : [])] };
  }
  return link === null ? KEEP : planUncalled(link, context);
}

/** No rule calls for the team now: its values vanished from the source, or its rules were deleted. */
function planUncalled(link: TeamLink, context: TeamContext): TeamPlan {
  const alive = link.rules.filter((rule) => context.rules.has(rule));
  if (alive.length > 0) {
    const deletes = alive.every((rule) => context.whenEmpty.get(rule) === 'Delete');
    return { ...NOTHING, members: 'compare', deleteWhenEmpty: deletes };
  }
  if (link.deletionPolicy === 'Retain') return KEEP;
  return { ...NOTHING, members: 'empty', deleteWhenEmpty: link.deletionPolicy === 'Delete' };
}

/** A team that carries our mark is ours, whatever became of the store (rule I7). It needs no request. */
export function planTeamRecovery({ desired, link, gone, candidates }: TeamState): Planned {
  if (desired === null || (link !== null && !gone)) return NOTHING;
  const [mine, second] = candidates.filter(({ object }) => object.attributes['externalId'] === desired.externalId);
  if (mine === undefined || second !== undefined || mine.linkedTo !== null) return NOTHING;
  const { id, attributes } = mine.object;
  const recovered: TeamLink = {
    key: desired.key,
    targetId: id,
    displayName: String(attributes['displayName'] ?? desired.displayName),
    externalId: desired.externalId,
    rules: desired.rules,
    deletionPolicy: desired.deletionPolicy,
    origin: 'recovered',
    dirty: false,
  };
  const operation = toTeamDraft(desired, {
    kind: 'recover',
    phase: 'recover',
    targetId: id,
    reason: 'carries the mark of this DirectorySync',
  });
  return {
    ...NOTHING,
    operations: [operation],
    effects: [
      { type: 'putTeam', team: recovered },
      { type: 'takeMembers', key: desired.key },
    ],
  };
}

/** A team is made when somebody belongs to it: so an empty one that was deleted by hand does not come back. */
function planMissing(team: TeamState, desired: DesiredTeam, context: TeamContext): TeamPlan {
  if (team.desiredMembers === 0 || (team.gone && context.settings.drift === 'Report')) return KEEP;
  const [other, second] = team.candidates;
  if (other !== undefined && second === undefined && other.linkedTo === null && context.settings.adoptTeams)
    return planTeamAdoption(desired, other.object, context);
  if (other !== undefined) {
    const owner = other.linkedTo === null ? 'is not managed by Dirsync' : 'is managed as another team';
    return fail(desired, 'Conflict', `the target already has a team of this name (${other.object.id}), which ${owner}`);
  }
  const { target } = context.settings;
  if (target.teams === 'updateOnly')
    return fail(desired, 'Conflict', 'the target does not let teams be made, and it has none of this name');
  const tooLong = checkName(desired, context);
  if (tooLong !== null) return tooLong;
  const create = toTeamDraft(desired, { kind: 'create', phase: 'teams', targetId: null, reason: ruleReason(desired) });
  const changes = [
    { path: 'displayName', after: desired.displayName },
    { path: 'externalId', after: desired.externalId },
  ];
  return {
    ...NOTHING,
    operations: [
      {
        ...create,
        changes: toTeamChanges(changes, target, ['always', 'onCreate']),
        cause: team.gone ? 'drift' : 'rule',
      },
    ],
    members: 'compare',
    deleteWhenEmpty: false,
  };
}

/** Its members are compared with those of the rules; what guards hold of that stays in it. */
function planTeamAdoption(
  desired: DesiredTeam,
  { id, attributes }: TargetTeam,
  { settings: { target } }: TeamContext,
): TeamPlan {
  const mark = attributes['externalId'];
  if (!isUnassigned(mark) && mark !== desired.externalId)
    return fail(desired, 'Conflict', `the team ${id} of this name carries the mark of somebody else`);
  const reason = 'has the name of the team, and nobody owns it';
  const adopt = toTeamDraft(desired, { kind: 'adopt', phase: 'teams', targetId: id, reason });
  const changes = mark === desired.externalId ? [] : [{ path: 'externalId', after: desired.externalId }];
  const operation: DraftOperation = {
    ...adopt,
    name: String(attributes['displayName'] ?? desired.displayName),
    cause: 'match',
    changes: toTeamChanges(changes, target, ['always']),
  };
  return { ...NOTHING, operations: [operation], members: 'compare', deleteWhenEmpty: false };
}

function checkName(desired: DesiredTeam, { maxNameLength }: TeamContext): TeamPlan | null {
  const { length } = desired.displayName;
  if (maxNameLength === null || length <= maxNameLength) return null;
  const shown = length > 40 ? `${desired.displayName.slice(0, 40)}…` : desired.displayName;
  const message = `the name of team ${JSON.stringify(shown)} has ${length} characters; the target takes ${maxNameLength}`;
  return fail(desired, 'RecordInvalid', message);
}

function ruleReason(desired: Pick<DesiredTeam, 'rules'>): string {
  return `${desired.rules.length === 1 ? 'rule' : 'rules'} ${desired.rules.join(', ')}`;
}

function fail(desired: DesiredTeam, code: RecordError['code'], message: string): TeamPlan {
  return { ...KEEP, errors: toRuleErrors(desired, code, message) };
}

function toRuleErrors({ rules }: DesiredTeam, code: RecordError['code'], message: string): readonly RecordError[] {
  return rules.map((rule) => ({ resource: 'TeamRule', id: rule, code, message }));
}

const NOT_RENAMED =
  'the target does not let teams be renamed: the team keeps its old name until somebody renames it there';

function planExisting(
  team: TeamState,
  desired: DesiredTeam,
  { link, context }: { link: TeamLink; context: TeamContext },
): TeamPlan {
  // A name that was changed by hand stays, where that is the policy; one that the rules change goes on as ever.
  const observed = context.settings.drift === 'Report' && !link.dirty ? null : team.observed;
  // The first spelling of a name stays while the team exists; only another name is a rename.
  const calledOtherwise = context.toKey(link.displayName) !== team.key;
  const { target } = context.settings;
  const renamed = calledOtherwise && target.renameTeams;
  const displayName = renamed ? desired.displayName : link.displayName;
  const tooLong = renamed ? checkName(desired, context) : null;
  if (tooLong !== null) return tooLong;
  const wanted = { displayName, externalId: desired.externalId };
  const changes = toTeamChanges(diffTeam(wanted, link, toBelievedTeam(observed, link, target)), target, ['always']);
  const update = toTeamDraft(desired, {
    kind: 'update',
    phase: 'teams',
    targetId: link.targetId,
    reason: renamed ? ruleReason(desired) : 'was changed in the target',
  });
  // What was seen and is not mended yet is looked at again, should the update fail.
  const dirty = observed !== null && changes.length > 0;
  const { rules, deletionPolicy } = desired;
  const seen = toSeen(wanted, observed, changes);
  const stored: TeamLink = { ...link, ...seen, rules, deletionPolicy, dirty };
  const changed = JSON.stringify(stored) !== JSON.stringify(link);
  return {
    ...NOTHING,
    operations: changes.length === 0 ? [] : [{ ...update, changes, cause: renamed ? 'rule' : 'drift' }],
    effects: changed ? [{ type: 'putTeam', team: stored }] : [],
    errors: calledOtherwise && !renamed ? toRuleErrors(desired, 'Conflict', NOT_RENAMED) : [],
    members: 'compare',
    deleteWhenEmpty: desired.whenEmpty === 'Delete' && team.desiredMembers === 0,
  };
}

/** The team as if it showed what was written, where the target makes something else of it. */
export function toBelievedTeam(
  observed: TeamState['observed'],
  link: TeamLink,
  target: TargetLimits,
): TeamState['observed'] {
  if (observed === null) return null;
  const attributes: Record<string, Json> = { ...observed.attributes };
  for (const path of ['displayName', 'externalId'] as const) {
    const behaviour = target.attribute('Team', path);
    const [shown, written] = [attributes[path], link[path]];
    if (written === null) continue;
    const isRecased = behaviour.shows === 'otherCase' && String(shown).toLowerCase() === written.toLowerCase();
    if (isHidden(behaviour) || isRecased) attributes[path] = written;
  }
  return { ...observed, attributes };
}

/** What is wanted and was seen to be so already, although no answer ever said it: a rename before a kill. */
function toSeen(
  wanted: Pick<DesiredTeam, 'displayName' | 'externalId'>,
  observed: TeamState['observed'],
  changes: readonly AttributeChange[],
): Partial<Pick<TeamLink, 'displayName' | 'externalId'>> {
  const isSo = ([path]: [string, string]): boolean =>
    observed?.attributes[path] !== undefined && !changes.some((change) => change.path === path);
  return Object.fromEntries(Object.entries(wanted).filter(isSo));
}

function diffTeam(
  wanted: Pick<DesiredTeam, 'displayName' | 'externalId'>,
  link: TeamLink,
  observed: TeamState['observed'],
): readonly AttributeChange[] {
  const { displayName, externalId } = link;
  const current: Attributes = observed?.attributes ?? { displayName, ...(externalId === null ? {} : { externalId }) };
  // A target that keeps no externalId of teams would be sent it again at every look.
  const isDropped = observed !== null && current['externalId'] === undefined;
  const isSent = externalId === null || externalId === wanted.externalId;
  return Object.entries(wanted)
    .filter(([path, after]) => current[path] !== after && !(path === 'externalId' && isDropped && isSent))
    .map(([path, after]) => ({ path, ...(current[path] === undefined ? {} : { before: current[path] }), after }));
}

type TeamDraft = Pick<Operation, 'kind' | 'phase' | 'targetId' | 'reason'>;

function toTeamDraft(desired: DesiredTeam, { kind, phase, targetId, reason }: TeamDraft): DraftOperation {
  return toDraft({
    phase,
    kind,
    resource: 'Team',
    id: desired.key,
    targetId,
    name: desired.displayName,
    cause: 'rule',
    reason,
    unit: `team:${desired.key}:${kind}`,
    team: { rules: desired.rules, deletionPolicy: desired.deletionPolicy },
  });
}

/** What plan knows of the team whose members it compares. */
export interface MemberContext {
  readonly settings: PlanSettings;
  readonly key: string;
  readonly targetId: string | null;
  readonly name: string;
  /** For the reason of additions and removals. */
  readonly rules: readonly string[];
  /** All members go, because the team's rules were deleted. */
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
  const byRule = { kind: 'addMembers', cause: 'rule', reason: ruleReason(context) } as const;
  return toMemberDraft(difference, context, difference.byHand ? byHand : byRule);
}

function planRemove(difference: MemberDifference, context: MemberContext): DraftOperation | null {
  const { sourceId, targetId, presence } = difference;
  const guarded = { kind: 'removeMembers', guards: toMemberGuards(context) } as const;
  if (context.emptied)
    return toMemberDraft(difference, context, { ...guarded, cause: 'ruleDeleted', reason: 'the rule was deleted' });
  if (sourceId === null && targetId !== null && context.claimed.has(targetId)) return null;
  if (sourceId === null || (difference.byHand && presence === 'present'))
    return toMemberDraft(difference, context, { ...guarded, cause: 'drift', reason: 'was added in the target' });
  if (presence === 'undecided') return null;
  if (presence === 'present')
    return toMemberDraft(difference, context, {
      ...guarded,
      cause: 'rule',
      reason: `no longer by ${ruleReason(context)}`,
    });
  return planLeaverRemoval(difference, { ...context, sourceId, departure: presence ?? 'deletedAtSource' });
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
  Partial<Pick<DraftOperation, 'guards'>> & { readonly kind: 'addMembers' | 'removeMembers' };

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

/** The unit of taking a team over. */
export function toAdoptionUnit(key: string): string {
  return `team:${key}:adopt`;
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
    cause: context.emptied ? 'ruleDeleted' : 'rule',
    reason: 'is empty',
    unit: toDeletionUnit(context.key),
    guards: [{ kind: 'deleteTeams', scope: '' }],
    removal: true,
  });
}
