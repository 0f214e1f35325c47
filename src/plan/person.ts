/** One person: from what must be, what was applied and what the target holds to operations. Pure. */
import type { AttributeChange, Attributes, Cause, Departure, DesiredUser, Json, RecordError } from '../model.ts';
import { readMails } from '../scim/mail.ts';
import type { Candidate, Effect, Link, PersonState } from '../state/store.ts';
import { diffValues, isClearing, isSameValue, isUnassigned } from './diff.ts';
import { type DraftOperation, NOTHING, type Planned, toDraft, toGuard } from './draft.ts';
import type { LeavingPolicy, PlanSettings } from './settings.ts';

/** What the plan knows of others when it plans one person. */
export interface PersonContext {
  readonly settings: PlanSettings;
  /** Target ids of the people that `references` name, by source id; missing: no account yet. */
  readonly accounts: ReadonlyMap<string, string>;
  /** Source ids among `references` for whom this plan makes an account. */
  readonly coming: ReadonlySet<string>;
  /** Others with the same matching value; empty for almost everybody. */
  readonly collidesWith: readonly string[];
  /** Accounts that more than one person without an account matches, by whatever attributes: target id → source ids. */
  readonly rivals: ReadonlyMap<string, readonly string[]>;
}

export function planPerson(person: PersonState, context: PersonContext): Planned {
  const { desired, link, gone } = person;
  if (link !== null && gone && desired?.presence !== 'present') {
    // Somebody deleted the account by hand. There is nothing left to remove, and nothing to bring back.
    return { ...NOTHING, effects: [{ type: 'dropLink', sourceId: person.sourceId }, ...forget(link)] };
  }
  const departure = toDeparture(desired);
  if (departure === null) return NOTHING;
  if (departure === 'deletedAtSource')
    return context.settings.absenceProven ? planLeaving(person, departure, context) : NOTHING;
  if (departure !== 'stays' || desired === null) return planPresentLeaver(person, departure as Departure, context);
  if (context.collidesWith.length > 0) return failCollision(desired, context.collidesWith);
  return link === null || gone
    ? planWithoutAccount(person, desired, context)
    : planUpdate(person, desired, { link, context });
}

/** An account that does not exist is a member of nothing. */
function forget({ targetId }: Link): readonly Effect[] {
  return [{ type: 'dropMember', targetId }];
}

/** Null: nothing is known for sure, nothing changes. */
function toDeparture(desired: DesiredUser | null): Departure | 'stays' | null {
  if (desired === null) return 'deletedAtSource';
  if (desired.presence === 'undecided') return null;
  return desired.presence === 'present' ? 'stays' : desired.presence;
}

/** Is the person's account kept from removals? By source id, userName or mail, without case. */
export function isProtected(
  person: Pick<PersonState, 'sourceId' | 'desired' | 'link'>,
  protectedUsers: ReadonlySet<string>,
): boolean {
  if (protectedUsers.size === 0) return false;
  const { sourceId, desired, link } = person;
  // Under the old name and the new one: a rename must not open an account that is protected.
  const written: Attributes = { ...desired?.onCreate, ...desired?.attributes };
  const known = [link?.applied ?? {}, written].flatMap((values) => [values['userName'], ...readMails(values)]);
  const names = [sourceId, link?.name, desired?.name, ...known];
  return names.some((name) => typeof name === 'string' && protectedUsers.has(name.toLowerCase()));
}

const REASONS: Readonly<Record<Departure, string>> = {
  outOfScope: 'left the scope',
  disabledAtSource: 'is disabled at the source',
  deletedAtSource: 'is gone from the source',
};

/** Out of scope or disabled, but there. */
function planPresentLeaver(person: PersonState, departure: Departure, context: PersonContext): Planned {
  const { desired, link } = person;
  if (link === null) return NOTHING;
  const leaving = planLeaving(person, departure, context);
  const stays = departure === 'disabledAtSource' && toPersonPolicy(desired, departure, context.settings) !== 'Delete';
  if (!stays || desired === null) return leaving;
  if (context.collidesWith.length > 0) return join(leaving, failCollision(desired, context.collidesWith));
  // Disabled people keep their values up to date; `active` itself is the policy's business.
  const update = planUpdate(person, withoutActive(desired), { link, context });
  return join(leaving, update);
}

/** Whom only an entry for `active` switches off is not gone: the policy for disabled people may not delete them. */
function toPersonPolicy(desired: DesiredUser | null, departure: Departure, settings: PlanSettings): LeavingPolicy {
  return desired?.byEntry === true ? 'Deactivate' : toLeavingPolicy(departure, settings);
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
  return departure === 'disabledAtSource' && settings.activeMapped && policy === 'Retain' ? 'Deactivate' : policy;
}

/** Everything that belongs to one person's departure is one unit: held or released together. */
export function toDepartureUnit(sourceId: string, departure: Departure): string {
  return `person:${sourceId}:${departure}`;
}

function planLeaving(person: PersonState, departure: Departure, context: PersonContext): Planned {
  const { link, observed, desired } = person;
  const policy = toPersonPolicy(desired, departure, context.settings);
  if (link === null || policy === 'Retain') return NOTHING;
  const active = observed === null ? link.active : observed.attributes['active'] !== false;
  if (policy === 'Deactivate' && !active) return refresh(person, link, context);
  if (isProtected(person, context.settings.protectedUsers)) return { ...NOTHING, protected: 1 };
  const kind = policy === 'Delete' ? 'delete' : 'deactivate';
  const operation = toDraft({
    phase: policy === 'Delete' ? 'deletePeople' : 'deactivate',
    kind,
    resource: 'User',
    id: person.sourceId,
    targetId: link.targetId,
    name: link.name,
    changes: kind === 'delete' ? [] : [{ path: 'active', before: true, after: false }],
    cause: departure,
    reason: desired?.byEntry === true ? 'is inactive by the mapping of active' : REASONS[departure],
    unit: toDepartureUnit(person.sourceId, departure),
    guard: toGuard(kind),
    removal: true,
    recovered: link.origin === 'recovered',
  });
  return { ...NOTHING, operations: [operation] };
}

/** The target was read and nothing is to be done: what was read is the truth now. */
function refresh(person: PersonState, link: Link, context: PersonContext): Planned {
  const { observed } = person;
  if (observed === null) return NOTHING;
  const active = observed.attributes['active'] !== false;
  const applied = toApplied(link, observed.attributes, context.settings);
  if (!link.dirty && active === link.active && JSON.stringify(applied) === JSON.stringify(link.applied)) return NOTHING;
  return { ...NOTHING, effects: [{ type: 'putLink', link: { ...link, applied, active, dirty: false } }] };
}

/** What the target has, in our spelling where that is the same to it: the next diff compares with what we wrote. */
function toApplied(link: Link, observed: Attributes, { shapes }: PlanSettings): Attributes {
  const applied = { ...link.applied };
  for (const [path, value] of Object.entries(observed)) {
    if (!isSameValue(applied[path], value, shapes.get(path)?.caseExact ?? true)) applied[path] = value;
  }
  return applied;
}

function failCollision(desired: DesiredUser, others: readonly string[]): Planned {
  const ids = others.filter((id) => id !== desired.sourceId).join(', ');
  return fail(
    desired,
    `a matching attribute has the same value for ${desired.sourceId} and ${ids}: neither is guessed`,
  );
}

function fail(desired: DesiredUser, message: string, code: RecordError['code'] = 'Conflict'): Planned {
  return { ...NOTHING, errors: [{ resource: 'User', id: desired.sourceId, code, message }] };
}

function planWithoutAccount(person: PersonState, desired: DesiredUser, context: PersonContext): Planned {
  const unknown = desired.kept.filter((path) => path === 'externalId' || context.settings.shapes.get(path)?.matching);
  if (unknown.length > 0) {
    const paths = unknown.join(' and ');
    return fail(desired, `${paths} is unknown: whether there is an account already cannot be told`, 'RecordInvalid');
  }
  const candidates = distinctAccounts(person.candidates);
  const [only, second] = candidates;
  if (only === undefined) {
    const created = planCreate(desired, context, person.gone ? 'drift' : 'mapping');
    return person.link === null ? created : { ...created, effects: forget(person.link) };
  }
  if (second !== undefined) {
    const ids = candidates.map((each) => each.object.id).join(', ');
    return fail(desired, `${candidates.length} accounts of the target match (${ids}): none is guessed`);
  }
  if (only.linkedTo !== null && only.linkedTo !== desired.sourceId) {
    return fail(desired, `the account ${only.object.id} that matches by ${only.path} belongs to ${only.linkedTo}`);
  }
  const others = (context.rivals.get(only.object.id) ?? []).filter((id) => id !== desired.sourceId);
  if (others.length > 0) {
    return fail(
      desired,
      `the account ${only.object.id} matches ${desired.sourceId} and ${others.join(', ')}: neither is guessed`,
    );
  }
  return planMatch(desired, only, context);
}

function toExternalId({ attributes, onCreate }: DesiredUser): Json | undefined {
  return attributes['externalId'] ?? onCreate['externalId'];
}

function namesSameId(candidate: Candidate, desired: DesiredUser, settings: Pick<PlanSettings, 'adoption'>): boolean {
  const id = toExternalId(desired);
  if (isUnassigned(id) || candidate.object.attributes['externalId'] !== id) return false;
  return settings.adoption === 'OnMatch' || id === desired.sourceId;
}

/**
 * A link that the store does not have and the target proves: the only account that matches carries the externalId that
 * this person must have (rule I7). It needs no request; what follows from it is planned like for any other link.
 */
export function planRecovery(person: PersonState, settings: Pick<PlanSettings, 'adoption'>): Planned {
  const { desired, link, gone } = person;
  if (desired === null || desired.presence === 'undecided' || (link !== null && !gone)) return NOTHING;
  const [only, second] = distinctAccounts(person.candidates);
  if (only === undefined || second !== undefined || only.linkedTo !== null || !namesSameId(only, desired, settings))
    return NOTHING;
  const recovered: Link = {
    sourceId: desired.sourceId,
    targetId: only.object.id,
    name: desired.name,
    active: only.object.attributes['active'] !== false,
    applied: only.object.attributes,
    origin: 'recovered',
    dirty: false,
  };
  const operation = toDraft({
    phase: 'recover',
    kind: 'recover',
    resource: 'User',
    id: desired.sourceId,
    targetId: only.object.id,
    name: desired.name,
    cause: 'match',
    reason: 'has the same externalId',
    unit: `person:${desired.sourceId}:recover`,
  });
  return { ...NOTHING, operations: [operation], effects: [{ type: 'putLink', link: recovered }] };
}

function distinctAccounts(candidates: readonly Candidate[]): readonly Candidate[] {
  return [...new Map(candidates.map((each) => [each.object.id, each])).values()];
}

function planMatch(desired: DesiredUser, candidate: Candidate, context: PersonContext): Planned {
  const { object, path } = candidate;
  const theirs = object.attributes['externalId'];
  const ours = toExternalId(desired);
  if (!isUnassigned(theirs) && !isUnassigned(ours) && theirs !== ours) {
    return fail(desired, `the account ${object.id} that matches by ${path} has an externalId that names somebody else`);
  }
  if (context.settings.adoption === 'Never') {
    return fail(desired, `the account ${object.id} matches by ${path}, and adoption is Never`);
  }
  const { protectedUsers } = context.settings;
  if (isProtected({ sourceId: desired.sourceId, desired, link: null }, protectedUsers))
    return { ...NOTHING, protected: 1 };
  const adopt = toDraft({
    phase: 'people',
    kind: 'adopt',
    resource: 'User',
    id: desired.sourceId,
    targetId: object.id,
    name: desired.name,
    changes: diffToAccount(desired, object.attributes, context),
    cause: 'match',
    reason: `matches the account by ${path}`,
    unit: `person:${desired.sourceId}:adopt`,
    guard: 'adopt',
  });
  return { ...NOTHING, operations: [adopt] };
}

/** Differences to an account that is taken over: defaults count where it has nothing. */
function diffToAccount(desired: DesiredUser, current: Attributes, context: PersonContext): readonly AttributeChange[] {
  const { suspect, shapes } = context.settings;
  const defaults = Object.fromEntries(Object.entries(desired.defaults).filter(([path]) => isUnassigned(current[path])));
  const { known } = toReferences(desired, context);
  // A suspect read clears nothing (rule I1); the next good one does.
  const clear = suspect ? [] : toClear(desired, current, shapes);
  return diffValues(
    { attributes: { ...defaults, ...desired.attributes }, clear, references: known },
    current,
    shapes,
    current,
  );
}

/** A default that was written on creation is not cleared by the next run, whose value is as empty. */
function toClear(desired: DesiredUser, current: Attributes, shapes: PlanSettings['shapes']): readonly string[] {
  return desired.clear.filter(
    (path) =>
      desired.defaults[path] === undefined ||
      !isSameValue(current[path], desired.defaults[path], shapes.get(path)?.caseExact ?? true),
  );
}

interface References {
  /** Path → target id. */
  readonly known: Readonly<Record<string, string>>;
  /** For the second pass: path → source id of somebody for whom this plan makes an account. */
  readonly coming: readonly AttributeChange[];
}

/** Whom nobody answers to is kept as debt: nothing is written, and the next run looks again. */
function toReferences(desired: DesiredUser, { accounts, coming }: PersonContext): References {
  const known: Record<string, string> = {};
  const later: AttributeChange[] = [];
  for (const [path, sourceId] of Object.entries(desired.references)) {
    const targetId = accounts.get(sourceId);
    if (targetId !== undefined) known[path] = targetId;
    else if (coming.has(sourceId)) later.push({ path, after: sourceId, reference: true });
  }
  return { known, coming: later };
}

function planCreate(desired: DesiredUser, context: PersonContext, cause: Cause): Planned {
  const { known, coming } = toReferences(desired, context);
  const values: Attributes = { ...desired.defaults, ...desired.onCreate, ...desired.attributes, ...known };
  if (isUnassigned(values['userName'])) {
    return fail(desired, 'userName is empty or unknown: the account cannot be created', 'RecordInvalid');
  }
  const changes = Object.keys(values)
    .sort()
    .map((path): AttributeChange => ({ path, after: values[path] ?? null }));
  const create = toDraft({
    phase: 'people',
    kind: 'create',
    resource: 'User',
    id: desired.sourceId,
    name: desired.name,
    changes,
    cause,
    reason: cause === 'drift' ? 'was deleted in the target' : 'is new in scope',
    unit: `person:${desired.sourceId}:create`,
  });
  return { ...NOTHING, operations: [create, ...toReferenceUpdate(desired, null, coming)] };
}

function toReferenceUpdate(
  desired: DesiredUser,
  targetId: string | null,
  changes: readonly AttributeChange[],
): readonly DraftOperation[] {
  if (changes.length === 0) return [];
  return [
    toDraft({
      phase: 'references',
      kind: 'update',
      resource: 'User',
      id: desired.sourceId,
      targetId,
      name: desired.name,
      changes,
      cause: 'mapping',
      reason: 'refers to somebody who is new',
      unit: `person:${desired.sourceId}:references`,
    }),
  ];
}

function planUpdate(
  person: PersonState,
  desired: DesiredUser,
  { link, context }: { link: Link; context: PersonContext },
): Planned {
  const { observed } = person;
  const current = observed === null ? link.applied : { ...link.applied, ...clearAbsent(link, observed.attributes) };
  const { shapes } = context.settings;
  const { known, coming } = toReferences(desired, context);
  const wanted = { attributes: desired.attributes, clear: toClear(desired, current, shapes), references: known };
  const changes = diffValues(wanted, current, shapes, link.applied);
  const later = toReferenceUpdate(desired, link.targetId, coming);
  const truth =
    changes.length === 0 ? refresh(person, { ...link, name: toShownName(desired, link) }, context) : NOTHING;
  const split = context.settings.suspect
    ? [changes.filter((each) => !isClearing(each)), changes.filter(isClearing)]
    : [changes];
  const updates = split
    .filter((some) => some.length > 0)
    .map((some) => toUpdate(desired, link, { changes: some, drift: observed !== null }));
  return { ...truth, operations: [...updates, ...later] };
}

/** Whose userName and mail the read did not deliver is still called what they were called. */
function toShownName(desired: DesiredUser, link: Link): string {
  return desired.name === desired.sourceId ? link.name : desired.name;
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
  { changes, drift }: { changes: readonly AttributeChange[]; drift: boolean },
): DraftOperation {
  const activates = changes.some((change) => change.path === 'active' && change.after === true);
  const clears = changes.every(isClearing);
  // Only what was not to be changed by a mapping can have been changed by hand.
  const byHand =
    drift && changes.every(({ path, after }) => after !== undefined && isSameValue(link.applied[path], after, true));
  const [cause, reason] = byHand
    ? (['drift', 'was changed in the target'] as const)
    : activates
      ? (['return', 'is back'] as const)
      : (['mapping', 'values changed'] as const);
  return toDraft({
    phase: 'people',
    kind: activates ? 'reactivate' : 'update',
    resource: 'User',
    id: desired.sourceId,
    targetId: link.targetId,
    name: toShownName(desired, link),
    changes,
    cause,
    reason,
    unit: `person:${desired.sourceId}:${clears ? 'clear' : 'update'}`,
    removal: changes.some(isClearing),
  });
}
