/** One person: from what must be, what was applied and what the target holds to operations. Pure. */
import type { AttributeChange, Attributes, Departure, DesiredUser, Json } from '../model.ts';
import type { PersonState } from '../state/staging.ts';
import type { Link } from '../state/store.ts';
import { planWithoutAccount } from './account.ts';
import { type ChangeGroup, isName, splitChanges, toChangeGuards } from './changes.ts';
import { diffValues, isClearing, isSameValue } from './diff.ts';
import { type DraftOperation, NOTHING, type Planned, toDraft } from './draft.ts';
import { overlookDrift } from './drift.ts';
import { isOldId, isUnclaimed, isUnclaimedForGood, settleInherited } from './inheritance.ts';
import { beginLeave, isGraceOver } from './leave.ts';
import { withPhotos } from './photos.ts';
import { isSpared } from './protection.ts';
import { mendReferences, toReferenceUpdate, toReplaced } from './references.ts';
import { addRetirement } from './retirement.ts';
import type { LeavingPolicy, PlanSettings } from './settings.ts';
import { fitPolicy, fitToTarget } from './target-limits.ts';
import {
  type Collision,
  failPerson,
  forget,
  type PersonContext,
  toClear,
  toOwner,
  toReferences,
  toReferring,
} from './values.ts';

export function planPerson(found: PersonState, context: PersonContext): Planned {
  const person = overlookDrift(fitToTarget(found, context.settings), context);
  const own = planOne(person, context);
  const planned = noteDoubt(person, { planned: addRetirement(own, person, context.settings), own }, context);
  return context.collidesWith === null ? withPhotos(person, planned, context.settings) : planned;
}

/**
 * What the target was seen to hold and the link does not say is forgotten when the operation that mends it is held or
 * fails: the next run would take the link for the truth. So the link stays in doubt until the operation is done. It is
 * forgotten too where nothing can be planned for the person.
 */
function noteDoubt(
  person: PersonState,
  { planned, own }: { readonly planned: Planned; readonly own: Planned },
  context: PersonContext,
): Planned {
  const { sourceId, link, gone } = person;
  if (link === null || planned.effects.some(({ type }) => type === 'dropLink')) return planned;
  const isOpen = gone || planned.operations.some((operation) => isNews(operation, link));
  if (!isOpen && !isUnplannedNews({ ...person, link }, own, context)) return planned;
  return { ...planned, effects: [...planned.effects, { type: 'markDirty', sourceId }] };
}

function isUnplannedNews(
  person: PersonState & { readonly link: Link },
  { operations, errors }: Planned,
  context: PersonContext,
): boolean {
  const isPlanned = operations.length > 0 || (errors.length === 0 && toDeparture(person.desired) !== null);
  if (isPlanned || person.observed === null) return false;
  return refresh(person, { ...person.link, dirty: false }, context).effects.length > 0;
}

function isNews({ kind, changes }: DraftOperation, link: Link): boolean {
  if (kind === 'deactivate') return !link.active;
  return changes.some(
    ({ path, before, reference }) => reference === undefined && !isSameValue(link.applied[path], before, true),
  );
}

function planOne(person: PersonState, context: PersonContext): Planned {
  const { desired, link, gone } = person;
  if (link !== null && gone && desired?.presence !== 'present') {
    // Somebody deleted the account by hand. There is nothing left to remove, and nothing to bring back.
    return { ...NOTHING, effects: [{ type: 'dropLink', sourceId: person.sourceId }, ...forget(link)] };
  }
  const departure = toDeparture(desired);
  if (departure === null) return NOTHING;
  if (person.contestedBy !== null) return departure === 'stays' ? planContested(person) : NOTHING;
  if (departure === 'deletedAtSource' && !isAbsent(person, context)) return NOTHING;
  if (departure !== 'stays' || desired === null) return planDeparture(person, departure as Departure, context);
  if (context.collidesWith !== null) return failCollision(desired, context.collidesWith);
  return link === null || gone
    ? planWithoutAccount(person, desired, context)
    : planUpdate(person, desired, { link, context });
}

/** The older DirectorySync keeps it: nothing of it is written here, and nobody is removed. */
function planContested({ desired, link, contestedBy }: PersonState): Planned {
  if (desired === null || link === null || contestedBy === null) return NOTHING;
  return failPerson(
    desired,
    `the account ${link.targetId} is owned by ${toOwner(contestedBy)} as well, which is older`,
  );
}

/** An account that was taken over waits until nobody can turn up any more whose it is. */
function isAbsent(person: PersonState, context: PersonContext): boolean {
  return context.settings.absenceProven && (!isUnclaimed(person) || isUnclaimedForGood(person, context));
}

/** Null: nothing is known for sure, nothing changes. */
function toDeparture(desired: DesiredUser | null): Departure | 'stays' | null {
  if (desired === null) return 'deletedAtSource';
  if (desired.presence === 'undecided') return null;
  return desired.presence === 'present' ? 'stays' : desired.presence;
}

const REASONS: Readonly<Record<Departure, string>> = {
  outOfScope: 'left the scope',
  disabledAtSource: 'is disabled at the source',
  deletedAtSource: 'is gone from the source',
};

function planDeparture(person: PersonState, departure: Departure, context: PersonContext): Planned {
  const isKept = toPersonPolicy(person.desired, departure, context.settings) !== 'Deactivate';
  const away = isKept ? person : beginLeave(person, departure, context.settings);
  const plan = departure === 'deletedAtSource' ? planLeaving : planPresentLeaver;
  const planned = plan(away, departure, context);
  if (away === person || away.link === null || planned.effects.some(({ type }) => type === 'putLink')) return planned;
  return { ...planned, effects: [{ type: 'putLink', link: away.link }, ...planned.effects] };
}

/** Out of scope or disabled, but there. */
function planPresentLeaver(person: PersonState, departure: Departure, context: PersonContext): Planned {
  const { desired, link } = person;
  if (link === null) return NOTHING;
  const leaving = planLeaving(person, departure, context);
  const stays = departure === 'disabledAtSource' && toPersonPolicy(desired, departure, context.settings) !== 'Delete';
  if (!stays || desired === null || leaving.operations.some(({ kind }) => kind === 'delete')) return leaving;
  if (context.collidesWith !== null) return join(leaving, failCollision(desired, context.collidesWith));
  // Disabled people keep their values up to date; `active` itself is the policy's business.
  const update = planUpdate(person, withoutActive(desired), { link, context });
  return join(leaving, update);
}

/** Whom only an entry for `active` switches off is not gone: the policy for disabled people may not delete them. */
function toPersonPolicy(desired: DesiredUser | null, departure: Departure, settings: PlanSettings): LeavingPolicy {
  return desired?.byEntry === true ? fitPolicy('Deactivate', settings) : toLeavingPolicy(departure, settings);
}

function withoutActive(desired: DesiredUser): DesiredUser {
  const { active: _policy, ...attributes } = desired.attributes;
  return { ...desired, attributes };
}

function join(first: Planned, second: Planned): Planned {
  return {
    operations: [...first.operations, ...second.operations],
    errors: [...first.errors, ...second.errors],
    effects: [...first.effects, ...second.effects],
    protected: first.protected + second.protected,
  };
}

/** What the policy for this departure comes to; an entry for `active` that says false deactivates whatever it says. */
export function toLeavingPolicy(departure: Departure, settings: PlanSettings): LeavingPolicy {
  const policy = settings.leaving[departure];
  const isEntrys = departure === 'disabledAtSource' && settings.activeMapped && policy === 'Retain';
  return fitPolicy(isEntrys ? 'Deactivate' : policy, settings);
}

/** Is the account to be deleted, now or when a guard lets it go? Presence null: the person is gone from the source. */
export function isEnding(link: Link, presence: DesiredUser['presence'] | null, settings: PlanSettings): boolean {
  if (presence === 'present' || presence === 'undecided') return false;
  if (presence === null && !settings.absenceProven) return false;
  const policy = toLeavingPolicy(presence ?? 'deletedAtSource', settings);
  return policy === 'Delete' || (policy === 'Deactivate' && !link.active && isGraceOver(link, null, settings));
}

/** Everything that belongs to one person's departure is one unit: held or released together. */
export function toDepartureUnit(sourceId: string, departure: Departure): string {
  return `person:${sourceId}:${departure}`;
}

/** So is everything that belongs to a return: who is not let in again is not put into teams. */
export function toReturnUnit(sourceId: string): string {
  return `person:${sourceId}:return`;
}

function planLeaving(person: PersonState, departure: Departure, context: PersonContext): Planned {
  const { link } = person;
  if (link === null) return NOTHING;
  const step = toLeavingStep(person, { departure, link, context });
  if (step === null) return refresh(person, link, context);
  const settled = toSeenReferences(person, link, context.settings);
  if (isSpared(person, context.settings)) return { ...noteSeen(person, link, context, settled), protected: 1 };
  const { kind, isOver } = step;
  const operation = toDraft({
    phase: isOver ? 'deletePeople' : toLeavingPhase(kind, context.settings),
    kind,
    resource: 'User',
    id: person.sourceId,
    targetId: link.targetId,
    name: link.name,
    changes: kind === 'delete' ? [] : [{ path: 'active', before: true, after: false }],
    cause: departure,
    reason: isOver ? 'was deactivated, and deleteAfter is over' : toLeavingReason(person, departure),
    unit: isOver ? `person:${person.sourceId}:grace` : toDepartureUnit(person.sourceId, departure),
    guards: [{ kind, scope: '' }],
    removal: true,
    recovered: link.origin === 'recovered' || isUnclaimed(person),
  });
  const seen = kind === 'deactivate' ? noteSeen(person, link, context, settled) : noteActive(person, link);
  return { ...seen, operations: [operation] };
}

/** `isOver`: the time after which who is switched off is deleted. */
interface LeavingStep {
  readonly kind: 'delete' | 'deactivate';
  readonly isOver: boolean;
}

/** Null: the account is as it must be. */
function toLeavingStep(
  person: PersonState,
  { departure, link, context }: { departure: Departure; link: Link; context: PersonContext },
): LeavingStep | null {
  const { settings, deletionFailed } = context;
  const { observed, desired } = person;
  const policy = toPersonPolicy(desired, departure, settings);
  const active = observed === null ? link.active : observed.attributes['active'] !== false;
  if (policy === 'Retain') return null;
  if (policy === 'Delete') {
    const isFirstOff = deletionFailed && settings.target.deactivation === 'deactivates';
    return { kind: isFirstOff ? 'deactivate' : 'delete', isOver: false };
  }
  if (active) return { kind: 'deactivate', isOver: false };
  return isGraceOver(link, desired, settings) ? { kind: 'delete', isOver: true } : null;
}

function toLeavingReason(person: PersonState, departure: Departure): string {
  const { desired } = person;
  if (isUnclaimed(person)) return 'was taken over, and nobody of the source matches it';
  return desired?.byEntry === true ? 'is inactive by the mapping of active' : REASONS[departure];
}

/** Where switching off removes, that is what people wait for: it does not go last, as other deletions do. */
function toLeavingPhase(kind: 'delete' | 'deactivate', { target }: PlanSettings): DraftOperation['phase'] {
  return kind === 'delete' && target.deactivation === 'deactivates' ? 'deletePeople' : 'deactivate';
}

/** What is wanted and needs no change. */
interface Settled {
  readonly values: Attributes;
  /** Paths that the target has nothing at: else the next run would clear them again. */
  readonly cleared: readonly string[];
}

const NOTHING_SETTLED: Settled = { values: {}, cleared: [] };

/**
 * Nothing is written of who leaves, for as long as that is held: whom the account refers to is what was seen, so that it lets
 * go of the same with a look at the target and without one.
 */
function toSeenReferences({ observed }: PersonState, link: Link, { shapes }: PlanSettings): Settled {
  const isReference = (path: string): boolean => (shapes.get(path)?.reference ?? null) !== null;
  const seen = Object.entries(observed?.attributes ?? {}).filter(([path]) => isReference(path));
  return {
    values: Object.fromEntries(seen),
    cleared: listAbsent(link, observed?.attributes, shapes).filter(isReference),
  };
}

/** The target was read and nothing is to be done: what was read is the truth now. */
function refresh({ observed }: PersonState, link: Link, context: PersonContext, settled = NOTHING_SETTLED): Planned {
  if (observed === null) return NOTHING;
  const active = observed.attributes['active'] !== false;
  const applied = toApplied(link, settled, { observed: observed.attributes, settings: context.settings });
  if (!link.dirty && active === link.active && JSON.stringify(applied) === JSON.stringify(link.applied)) return NOTHING;
  return { ...NOTHING, effects: [{ type: 'putLink', link: { ...link, applied, active, dirty: false } }] };
}

/**
 * The target was read and something is to be done: a link that knows nothing of an account (its create was never
 * confirmed) must know the rest of it when the operation is done, for then it is taken for the whole truth. Until then
 * it stays as doubtful as it was.
 */
function noteSeen({ observed }: PersonState, link: Link, context: PersonContext, settled = NOTHING_SETTLED): Planned {
  if (observed === null) return NOTHING;
  if (!link.dirty) return noteSettled(link, settled);
  const active = observed.attributes['active'] !== false;
  const applied = toApplied(link, settled, { observed: observed.attributes, settings: context.settings });
  return { ...NOTHING, effects: [{ type: 'putLink', link: { ...link, applied, active } }] };
}

/** What was found as it is wanted is not asked for again while something else of the person waits. */
function noteSettled(link: Link, settled: Settled): Planned {
  const applied = toSettled(link, settled);
  const active = Object.hasOwn(settled.values, 'active') ? settled.values['active'] !== false : link.active;
  if (active === link.active && JSON.stringify(applied) === JSON.stringify(link.applied)) return NOTHING;
  return { ...NOTHING, effects: [{ type: 'putLink', link: { ...link, applied, active } }] };
}

/** Where the deletion is refused, the next run must know whether there is anything left to switch off. */
function noteActive({ observed }: PersonState, link: Link): Planned {
  const active = observed === null ? link.active : observed.attributes['active'] !== false;
  return active === link.active ? NOTHING : { ...NOTHING, effects: [{ type: 'putLink', link: { ...link, active } }] };
}

function toSettled(link: Link, { values, cleared }: Settled): Record<string, Json> {
  const applied: Record<string, Json> = { ...link.applied, ...values };
  for (const path of cleared) delete applied[path];
  return applied;
}

/** What the target has, in our spelling where that is the same to it: the next diff compares with what we wrote. */
function toApplied(
  link: Link,
  settled: Settled,
  { observed, settings: { shapes } }: { readonly observed: Attributes; readonly settings: PlanSettings },
): Attributes {
  const applied = toSettled(link, settled);
  for (const path of listAbsent(link, observed, shapes)) if (!Object.hasOwn(settled.values, path)) delete applied[path];
  for (const [path, value] of Object.entries(observed)) {
    if (!isSameValue(applied[path], value, shapes.get(path)?.caseExact ?? true)) applied[path] = value;
  }
  return applied;
}

/**
 * What was applied, is still written by an entry, and is not at the target any more: it may come back as it was, or be
 * what somebody refers to who is deleted.
 */
function listAbsent(
  { applied }: Link,
  observed: Attributes | undefined,
  shapes: PlanSettings['shapes'],
): readonly string[] {
  if (observed === undefined) return [];
  return Object.keys(applied).filter((path) => {
    const shape = shapes.get(path);
    return shape !== undefined && shape.photo !== true && !Object.hasOwn(observed, path);
  });
}

function failCollision(desired: DesiredUser, { path, sourceIds }: Collision): Planned {
  const ids = sourceIds.filter((id) => id !== desired.sourceId).join(', ');
  return failPerson(desired, `${path} has the same value for ${desired.sourceId} and ${ids}: neither is guessed`);
}

function planUpdate(
  person: PersonState,
  desired: DesiredUser,
  { link, context }: { link: Link; context: PersonContext },
): Planned {
  const { observed } = person;
  const { shapes } = context.settings;
  const held = observed === null ? link.applied : { ...link.applied, ...clearAbsent(link, observed.attributes) };
  const last = { ...link.applied, ...observed?.attributes };
  const { known, coming } = toReferences(desired, context, last);
  const mended = mendReferences(last, { known, coming }, context);
  const current = { ...held, ...mended.current };
  const clear = [...toClear(desired, current, shapes), ...mended.clear];
  const wanted = { attributes: desired.attributes, clear, references: { ...mended.rest, ...known } };
  const all = diffValues(wanted, current, shapes, link.applied).map((change) => inOurSpelling(change, link, shapes));
  const oldIds = all.filter(({ path }) => isOldId(link, path));
  const others = all.filter((change) => !oldIds.includes(change));
  const { changes, spared } = spareName(person, others, context.settings);
  const later = toReferenceUpdate(toReferring(desired, link.targetId), toReplaced(coming, current), {
    settings: context.settings,
    cause: 'mapping',
  });
  const changed = new Set(all.map(({ path }) => path));
  const named = { ...settleInherited(link, desired, changed), name: toShownName(desired, link) };
  const settled = {
    values: Object.fromEntries(
      Object.entries({ ...desired.attributes, ...known }).filter(([path]) => !changed.has(path)),
    ),
    cleared: [...wanted.clear, ...listAbsent(link, observed?.attributes, shapes)].filter(
      (path) => !changed.has(path) && desired.attributes[path] === undefined && known[path] === undefined,
    ),
  };
  const isDone = changes.length + oldIds.length === 0;
  const truth = (isDone ? refresh : noteSeen)(person, named, context, settled);
  const isSettled = named.origin !== link.origin && truth.effects.length === 0;
  const effects: Planned['effects'] = isSettled ? [{ type: 'putLink', link: named }] : truth.effects;
  const groups = [...splitChanges(changes, context.settings), ...toIdGroup(oldIds)];
  const updates = groups.map((group) =>
    toUpdate(desired, link, { group, drift: observed !== null, settings: context.settings }),
  );
  return { ...truth, effects, operations: [...updates, ...later], protected: spared };
}

/** By itself: what a guard may hold of the rest must not hold it. */
function toIdGroup(changes: readonly AttributeChange[]): readonly ChangeGroup[] {
  return changes.length === 0 ? [] : [{ kind: 'update', unit: 'id', changes }];
}

/** Who is protected keeps the name by which the owner called them. */
function spareName(
  person: PersonState,
  changes: readonly AttributeChange[],
  settings: PlanSettings,
): { readonly changes: readonly AttributeChange[]; readonly spared: number } {
  if (!changes.some(isName) || !isSpared(person, settings)) return { changes, spared: 0 };
  return { changes: changes.filter((change) => !isName(change)), spared: 1 };
}

/** Whose userName and mail the read did not deliver is still called what they were called. */
function toShownName(desired: DesiredUser, link: Link): string {
  return desired.name === desired.sourceId ? link.name : desired.name;
}

/** A plan says the same whether or not the target was looked at, which may spell what was applied in its own way. */
function inOurSpelling(change: AttributeChange, { applied }: Link, shapes: PlanSettings['shapes']): AttributeChange {
  const { path, before } = change;
  const isOurs = isSameValue(applied[path], before, shapes.get(path)?.caseExact ?? true);
  return isOurs && applied[path] !== undefined ? { ...change, before: applied[path] } : change;
}

/** What was applied and is not at the target any more was removed there: absent, not "as applied". */
function clearAbsent(link: Link, observed: Attributes): Attributes {
  const cleared: Record<string, null> = {};
  for (const path of Object.keys(link.applied)) if (!Object.hasOwn(observed, path)) cleared[path] = null;
  return { ...cleared, ...observed };
}

function toUpdate(
  desired: DesiredUser,
  link: Link,
  { group, drift, settings }: { group: ChangeGroup; drift: boolean; settings: PlanSettings },
): DraftOperation {
  const { kind, changes } = group;
  // Only what was not to be changed by a mapping can have been changed by hand.
  const byHand =
    drift && changes.every(({ path, after }) => after !== undefined && isSameValue(link.applied[path], after, true));
  const [cause, reason] = byHand
    ? (['drift', 'was changed in the target'] as const)
    : kind === 'reactivate'
      ? (['return', 'is back'] as const)
      : (['mapping', 'values changed'] as const);
  return toDraft({
    phase: 'people',
    kind,
    resource: 'User',
    id: desired.sourceId,
    targetId: link.targetId,
    name: toShownName(desired, link),
    changes,
    cause,
    reason,
    unit: `person:${desired.sourceId}:${group.unit}`,
    guards: group.unit === 'id' ? [] : toChangeGuards(changes, settings),
    removal: changes.some(isClearing),
  });
}
