/** One team: what rules, or a group of the source, call for against what the target holds. Pure. */
import { type AttributeChange, type DesiredTeam, isInherited, type Operation, type RecordError } from '../model.ts';
import type { TeamState } from '../state/staging.ts';
import type { TeamLink } from '../state/store.ts';
import type { TargetTeam } from '../targets/target.ts';
import { toComparableName, toGroupId } from '../team-key.ts';
import { isSameValue, isUnassigned, type PathShape } from './diff.ts';
import { type DraftOperation, NOTHING, type Planned, toDraft } from './draft.ts';
import type { ReferenceContext } from './references.ts';
import type { PlanSettings, TargetLimits } from './settings.ts';
import { isHidden, toTeamChanges } from './target-limits.ts';
import { toOrigin } from './team-origin.ts';
import { settleReferences, withComing } from './team-references.ts';
import { diffTeam, diffToFound, toBelievedTeam, toNewValues, toSeen, toWritten } from './team-values.ts';
import { toOwner } from './values.ts';

export interface TeamContext extends ReferenceContext {
  readonly settings: PlanSettings;
  /** What becomes of the team of a group that is gone from the source. */
  readonly groupGone: 'Retain' | 'Empty' | 'Delete';
  /** Names of all TeamRules of this DirectorySync, whatever their state. */
  readonly rules: ReadonlySet<string>;
  /** Rules whose teams stay as they are: suspended, invalid, or without an attribute that they need. */
  readonly frozen: ReadonlySet<string>;
  /** What rules say of their teams' emptiness, by rule. */
  readonly whenEmpty: ReadonlyMap<string, DesiredTeam['whenEmpty']>;
  /** Longest display name that the target takes; null when not known. */
  readonly maxNameLength: number | null;
  /** How values of teams compare, beside names and marks; those of a path that is missing exactly. */
  readonly shapes: ReadonlyMap<string, PathShape>;
}

export interface TeamPlan extends Planned {
  /** Whether the memberships of this team are to be compared. */
  readonly members: 'compare' | 'empty' | 'keep';
  /** The team goes when it has no members left. */
  readonly deleteWhenEmpty: boolean;
}

const KEEP: TeamPlan = { ...NOTHING, members: 'keep', deleteWhenEmpty: false };

export function planTeam(found: TeamState, context: TeamContext): TeamPlan {
  const { team, coming } = settleReferences(found, context);
  return withComing(planSettled(team, context), team, { coming, settings: context.settings });
}

function planSettled(team: TeamState, context: TeamContext): TeamPlan {
  const { teams } = context.settings.target;
  if (teams === 'none')
    return team.desired === null ? KEEP : fail(team.desired, 'Conflict', 'the target has no groups');
  const planned = planKnownTeam(team, context);
  return teams === 'full' ? planned : { ...planned, deleteWhenEmpty: false };
}

function planKnownTeam(team: TeamState, context: TeamContext): TeamPlan {
  const { desired, link, gone } = team;
  // Whoever mends the rule later must not meet a link to a team that is known to be gone.
  const inDoubt: TeamPlan = { ...KEEP, effects: [{ type: 'markTeamDirty', key: team.key }] };
  if (isFrozen(team, context)) return link !== null && gone ? inDoubt : KEEP;
  if (link !== null && gone && (desired === null || team.desiredMembers === 0)) {
    return { ...KEEP, effects: [{ type: 'dropTeam', key: team.key }] };
  }
  if (desired === null) return link === null ? KEEP : planUncalled(team, { link, context });
  if (team.claimedBy !== null)
    return fail(desired, 'Conflict', `a group of the source has the name ${JSON.stringify(desired.displayName)}`);
  if (link !== null && !gone) return planExisting(team, desired, { link, context });
  const missing = planMissing(team, desired, context);
  return { ...missing, effects: [...missing.effects, ...(gone ? inDoubt.effects : [])] };
}

/** Who belongs to it is not known whole, or not to be decided now. */
function isFrozen({ desired, link, group }: TeamState, { frozen }: TeamContext): boolean {
  const rules = [...(desired?.rules ?? []), ...(link?.rules ?? [])];
  return group === 'partial' || rules.some((rule) => frozen.has(rule));
}

/**
 * No rule calls for the team now: its values vanished from the source, or its rules were deleted. Or it is that of a group
 * which is gone, and not only left out of `groups`.
 */
function planUncalled(
  { key, group }: TeamState,
  { link, context }: { link: TeamLink; context: TeamContext },
): TeamPlan {
  if (toGroupId(key) !== null) return group === 'absent' ? planEnded(context.groupGone) : KEEP;
  const alive = link.rules.filter((rule) => context.rules.has(rule));
  if (alive.length > 0) {
    const deletes = alive.every((rule) => context.whenEmpty.get(rule) === 'Delete');
    return { ...NOTHING, members: 'compare', deleteWhenEmpty: deletes };
  }
  return planEnded(link.deletionPolicy);
}

function planEnded(policy: DesiredTeam['deletionPolicy']): TeamPlan {
  if (policy === 'Retain') return KEEP;
  return { ...NOTHING, members: 'empty', deleteWhenEmpty: policy === 'Delete' };
}

/**
 * A team that carries our mark is ours, whatever became of the store (rule I7). Where the target keeps no marks a name is
 * all there is: it counts only where accounts of ours were found again too, and a team made by hand cannot be told from it.
 * It needs no request.
 * @param isStoreLost people of this DirectorySync were found again by their externalId
 */
export function planTeamRecovery(
  { desired, link, gone, candidates }: TeamState,
  { target, isStoreLost }: { readonly target: TargetLimits; readonly isStoreLost: boolean },
): Planned {
  if (desired === null || (link !== null && !gone)) return NOTHING;
  const old = findInherited(desired, candidates);
  if (old !== null) return planTeamInheritance(desired, old, link);
  const marked = findOnly(candidates, ({ attributes }) => attributes['externalId'] === desired.externalId);
  const isNamed = isStoreLost && !keepsMarks(target);
  const mine = marked ?? (isNamed ? findOnly(candidates, (each) => hasNameAlone(each, desired)) : null);
  if (mine === null) return NOTHING;
  const { id, attributes } = mine;
  const recovered: TeamLink = {
    key: desired.key,
    targetId: id,
    displayName: String(attributes['displayName'] ?? desired.displayName),
    externalId: marked === null ? null : desired.externalId,
    // What was written is not known: what the team has now is looked at like anything that was changed by hand.
    applied: {},
    rules: desired.rules,
    deletionPolicy: desired.deletionPolicy,
    origin: 'recovered',
    dirty: false,
  };
  const operation = toTeamDraft(desired, {
    kind: 'recover',
    phase: 'recover',
    targetId: id,
    reason: marked === null ? 'has the name of the team' : 'carries the mark of this DirectorySync',
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

/** The only one that is meant, if nobody owns it. */
function findOnly(candidates: TeamState['candidates'], isMeant: (team: TargetTeam) => boolean): TargetTeam | null {
  const [mine, second] = candidates.filter(({ object }) => isMeant(object));
  if (mine === undefined || second !== undefined) return null;
  return mine.linkedTo === null && mine.neighbour === null ? mine.object : null;
}

function hasNameAlone({ attributes }: TargetTeam, { displayName }: DesiredTeam): boolean {
  const isUnmarked = isUnassigned(attributes['externalId']);
  return isUnmarked && toComparableName(String(attributes['displayName'] ?? '')) === toComparableName(displayName);
}

/** Does a team show the mark that it was given? */
export function keepsMarks(target: TargetLimits): boolean {
  const behaviour = target.attribute('Team', 'externalId');
  return behaviour.writes !== 'never' && !isHidden(behaviour);
}

/** Of a team that was taken over with an id of another source, the name alone says which group it is of there. */
function isEvidence({ displayName }: DesiredTeam, { linkedTo, object }: TeamState['candidates'][number]): boolean {
  if (linkedTo === null || !isInherited(linkedTo)) return true;
  return toComparableName(String(object.attributes['displayName'] ?? '')) === toComparableName(displayName);
}

function findInherited(
  desired: DesiredTeam,
  candidates: TeamState['candidates'],
): { readonly key: string; readonly targetId: string } | null {
  const [only, second] = candidates.filter((each) => isEvidence(desired, each));
  if (only === undefined || second !== undefined || only.linkedTo === null || !isInherited(only.linkedTo)) return null;
  return { key: only.linkedTo, targetId: only.object.id };
}

/** The team of the old source's group becomes that of the new one's, with its members. It needs no request. */
function planTeamInheritance(
  desired: DesiredTeam,
  { key, targetId }: { readonly key: string; readonly targetId: string },
  own: TeamLink | null,
): Planned {
  const reason = 'has the name of a team that was taken over';
  const operation = toTeamDraft(desired, { kind: 'recover', phase: 'recover', targetId, reason });
  const before = own === null ? [] : [{ type: 'dropTeam', key: desired.key } as const];
  return {
    ...NOTHING,
    operations: [operation],
    effects: [...before, { type: 'rekeyTeam', from: key, to: desired.key }],
  };
}

/** A team is made when somebody belongs to it: so an empty one that was deleted by hand does not come back. */
function planMissing(team: TeamState, desired: DesiredTeam, context: TeamContext): TeamPlan {
  if (team.desiredMembers === 0 || (team.gone && context.settings.drift === 'Report')) return KEEP;
  const [other, second] = team.candidates.filter((each) => isEvidence(desired, each));
  const isUnowned = other?.linkedTo === null && other.neighbour === null;
  if (other !== undefined && second === undefined && isUnowned && context.settings.adoptTeams)
    return planTeamAdoption(desired, other.object, context);
  if (other !== undefined) {
    const message = `the target already has a team of this name (${other.object.id}), which ${toTeamOwner(other)}`;
    return fail(desired, 'Conflict', message);
  }
  const { target } = context.settings;
  if (target.teams === 'updateOnly')
    return fail(desired, 'Conflict', 'the target does not let teams be made, and it has none of this name');
  const tooLong = checkName(desired, context);
  if (tooLong !== null) return tooLong;
  const { errors = [], held = false } = desired.values.creation ?? {};
  const found = errors.flatMap((message) => toErrors(desired, 'RecordInvalid', message));
  if (held) return { ...KEEP, errors: found };
  const { text: reason } = toOrigin(desired);
  const create = toTeamDraft(desired, { kind: 'create', phase: 'teams', targetId: null, reason });
  const changes = Object.entries(toNewValues(desired)).map(([path, after]) => ({ path, after }));
  return {
    ...NOTHING,
    errors: found,
    operations: [
      {
        ...create,
        changes: toTeamChanges(changes, target, ['always', 'onCreate']),
        cause: team.gone ? 'drift' : create.cause,
      },
    ],
    members: 'compare',
    deleteWhenEmpty: false,
  };
}

function toTeamOwner({ linkedTo, neighbour }: TeamState['candidates'][number]): string {
  if (neighbour !== null) return `belongs to ${toOwner(neighbour)}`;
  return linkedTo === null ? 'is not managed by Dirsync' : 'is managed as another team';
}

/** Its members are compared with those of the rules; what guards hold of that stays in it. */
function planTeamAdoption(
  desired: DesiredTeam,
  { id, attributes }: TargetTeam,
  { settings: { target }, shapes }: TeamContext,
): TeamPlan {
  const mark = attributes['externalId'];
  if (!isUnassigned(mark) && mark !== desired.externalId)
    return fail(desired, 'Conflict', `the team ${id} of this name carries the mark of somebody else`);
  const reason = 'has the name of the team, and nobody owns it';
  const adopt = toTeamDraft(desired, { kind: 'adopt', phase: 'teams', targetId: id, reason });
  const operation: DraftOperation = {
    ...adopt,
    name: String(attributes['displayName'] ?? desired.displayName),
    cause: 'match',
    changes: toTeamChanges(diffToFound(desired, attributes, shapes), target, ['always']),
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

function fail(desired: DesiredTeam, code: RecordError['code'], message: string): TeamPlan {
  return { ...KEEP, errors: toErrors(desired, code, message) };
}

/** Of the rules that call for the team, or of the group. */
function toErrors({ key, rules }: DesiredTeam, code: RecordError['code'], message: string): readonly RecordError[] {
  const group = toGroupId(key);
  if (group !== null) return [{ resource: 'Team', id: group, code, message }];
  return rules.map((rule) => ({ resource: 'TeamRule', id: rule, code, message }));
}

const NOT_RENAMED =
  'the target does not let teams be renamed: the team keeps its old name until somebody renames it there';

function planExisting(
  team: TeamState,
  desired: DesiredTeam,
  { link: known, context }: { link: TeamLink; context: TeamContext },
): TeamPlan {
  // A name that was changed by hand stays, where that is the policy; one that the rules change goes on as ever.
  const observed = context.settings.drift === 'Report' && !known.dirty ? null : team.observed;
  const link = takeName(known, desired, { seen: team.observed, settings: context.settings });
  // The first spelling of a name stays while the team exists; only another name is a rename.
  const calledOtherwise = toComparableName(link.displayName) !== toComparableName(desired.displayName);
  const { target } = context.settings;
  const renamed = calledOtherwise && target.renameTeams;
  const displayName = renamed ? desired.displayName : link.displayName;
  const tooLong = renamed ? checkName(desired, context) : null;
  if (tooLong !== null) return tooLong;
  const wanted = { ...desired, displayName };
  const believed = toBelievedTeam(observed, link, target);
  const { shapes, settings } = context;
  const difference = { wanted, link, observed: believed, shapes, suspect: settings.suspect };
  const changes = toTeamChanges(diffTeam(difference), target, ['always']);
  const { cause, reason } = toUpdateCause(desired, link, { renamed, changes, shapes });
  const update = toTeamDraft(desired, { kind: 'update', phase: 'teams', targetId: link.targetId, reason });
  // What was seen and is not mended yet is looked at again, should the update fail.
  const dirty = observed !== null && changes.length > 0;
  const { rules, deletionPolicy } = desired;
  const stored: TeamLink = { ...toSeen(wanted, observed, changes)(link), rules, deletionPolicy, dirty };
  const changed = JSON.stringify(stored) !== JSON.stringify(known);
  return {
    ...NOTHING,
    operations: changes.length === 0 ? [] : [{ ...update, changes, cause }],
    effects: changed ? [{ type: 'putTeam', team: stored }] : [],
    errors: calledOtherwise && !renamed ? toErrors(desired, 'Conflict', NOT_RENAMED) : [],
    members: 'compare',
    deleteWhenEmpty: desired.whenEmpty === 'Delete' && team.desiredMembers === 0,
  };
}

/** Where Dirsync cannot rename a team, its name is what somebody has made it there. */
function takeName(
  link: TeamLink,
  desired: DesiredTeam,
  { seen, settings: { target, drift } }: Pick<TeamContext, 'settings'> & { readonly seen: TeamState['observed'] },
): TeamLink {
  const displayName = toBelievedTeam(seen, link, target)?.attributes['displayName'];
  if (target.renameTeams || typeof displayName !== 'string') return link;
  const isCalledFor = toComparableName(displayName) === toComparableName(desired.displayName);
  return isCalledFor || drift === 'Repair' || link.dirty ? { ...link, displayName } : link;
}

interface Updating extends Pick<TeamContext, 'shapes'> {
  readonly renamed: boolean;
  readonly changes: readonly AttributeChange[];
}

function toUpdateCause(
  desired: DesiredTeam,
  link: TeamLink,
  { renamed, changes, shapes }: Updating,
): Pick<Operation, 'cause' | 'reason'> {
  const { cause, text } = toOrigin(desired);
  if (renamed) return { cause, reason: text };
  const { externalId } = link;
  if (externalId !== null && externalId !== desired.externalId) {
    // The mark names the id of the DirectorySync: this one took the team over from another.
    const areMarks = [externalId, desired.externalId].every((each) => each.startsWith('dirsync:'));
    return { cause, reason: areMarks ? 'takes the mark of this id' : text };
  }
  const written = toWritten(link);
  const isWantedAnew = ({ path, after }: AttributeChange): boolean =>
    path !== 'displayName' && !isSameValue(written[path], after, shapes.get(path)?.caseExact ?? true);
  if (changes.some(isWantedAnew)) return { cause, reason: text };
  return { cause: 'drift', reason: 'was changed in the target' };
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
    cause: toOrigin(desired).cause,
    reason,
    unit: `team:${desired.key}:${kind}`,
    team: { rules: desired.rules, deletionPolicy: desired.deletionPolicy },
  });
}

/** The unit of taking a team over. */
export function toAdoptionUnit(key: string): string {
  return `team:${key}:adopt`;
}
