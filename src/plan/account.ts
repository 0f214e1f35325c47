/** A person without an account: create one, take over the one that matches, or say why neither. Pure. */
import type { AttributeChange, Attributes, Cause, DesiredUser, Json, RecordError } from '../model.ts';
import type { Candidate, PersonState } from '../state/staging.ts';
import type { Link } from '../state/store.ts';
import { diffValues, isUnassigned } from './diff.ts';
import { NOTHING, type Planned, toDraft } from './draft.ts';
import { isEvidence, isFree, planInheritance } from './inheritance.ts';
import { isSpared } from './protection.ts';
import { toReferenceUpdate } from './references.ts';
import type { PlanSettings } from './settings.ts';
import { toUpdatable } from './target-limits.ts';
import { failPerson, forget, type PersonContext, toClear, toOwner, toReferences, toReferring } from './values.ts';

export function planWithoutAccount(person: PersonState, desired: DesiredUser, context: PersonContext): Planned {
  const planned = planAccount(person, desired, context);
  return person.link === null ? planned : { ...planned, effects: [...forget(person.link), ...planned.effects] };
}

function planAccount(person: PersonState, desired: DesiredUser, context: PersonContext): Planned {
  const unknown = desired.kept.filter((path) => path === 'externalId' || context.settings.shapes.get(path)?.matching);
  if (unknown.length > 0) {
    const paths = unknown.join(' and ');
    return failPerson(
      desired,
      `${paths} is unknown: whether there is an account already cannot be told`,
      'RecordInvalid',
    );
  }
  const candidates = distinctAccounts(person.candidates);
  const [only, second] = candidates;
  // Who has the value may give it up in this run. Whether they do is seen when everybody is planned.
  if (only === undefined || candidates.every((each) => isTaken(each, desired))) {
    // Deleted by hand, and that is to stay so: it is looked for again until it is back, or the person leaves.
    if (person.gone && context.settings.drift === 'Report') return NOTHING;
    return planCreate(desired, context, person.gone ? 'drift' : 'mapping');
  }
  if (second !== undefined) {
    const ids = candidates.map((each) => each.object.id).join(', ');
    return failPerson(desired, `${candidates.length} accounts of the target match (${ids}): none is guessed`);
  }
  if (only.neighbour !== null) {
    const owner = toOwner(only.neighbour);
    return failPerson(desired, `the account ${only.object.id} that matches by ${only.path} belongs to ${owner}`);
  }
  const others = (context.rivals.get(only.object.id) ?? []).filter((id) => id !== desired.sourceId);
  if (others.length > 0) {
    return failPerson(
      desired,
      `the account ${only.object.id} matches ${desired.sourceId} and ${others.join(', ')}: neither is guessed`,
    );
  }
  return planMatch(desired, only, context);
}

/**
 * No account that matches can be theirs, also where a lost link has still to be found again: if any is made for them it is a
 * new one.
 */
export function mayBeMade({ candidates }: Pick<PersonState, 'candidates'>, desired: DesiredUser): boolean {
  return distinctAccounts(candidates).every(
    (each) => isTaken(each, desired) || (each.linkedTo === null && namesAnother(each, desired)),
  );
}

/** By its externalId the account is somebody else's. */
function namesAnother({ object }: Candidate, desired: DesiredUser): boolean {
  const theirs = object.attributes['externalId'];
  const ours = toExternalId(desired);
  return !isUnassigned(theirs) && !isUnassigned(ours) && theirs !== ours;
}

/** By another person of this DirectorySync. */
function isTaken(candidate: Candidate, { sourceId }: DesiredUser): boolean {
  const { linkedTo, neighbour } = candidate;
  return linkedTo !== null && neighbour === null && !isFree(candidate) && linkedTo !== sourceId;
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
  if (only === undefined || second !== undefined || !isFree(only)) return NOTHING;
  if (only.linkedTo !== null) return planInheritance(desired, only, link);
  if (!namesSameId(only, desired, settings)) return NOTHING;
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
  const before = link === null ? [] : forget(link);
  return { ...NOTHING, operations: [operation], effects: [...before, { type: 'putLink', link: recovered }] };
}

/** One person who would recover one account. */
export interface RecoveryClaim {
  readonly sourceId: string;
  readonly targetId: string;
  readonly present: boolean;
}

/**
 * Source ids whose recovery is plain: of several people with one externalId the one who stays, if it is one alone (who
 * was hired again has two records); never two, and nobody is guessed.
 */
export function selectRecoveries(claims: readonly RecoveryClaim[]): ReadonlySet<string> {
  const byTarget = Map.groupBy(claims, (claim) => claim.targetId);
  return new Set(
    [...byTarget.values()].flatMap((some) => {
      const present = some.filter((claim) => claim.present);
      const [only, second] = present.length > 0 ? present : some;
      return only === undefined || second !== undefined ? [] : [only.sourceId];
    }),
  );
}

function distinctAccounts(candidates: readonly Candidate[]): readonly Candidate[] {
  return [...new Map(candidates.filter(isEvidence).map((each) => [each.object.id, each])).values()];
}

function planMatch(desired: DesiredUser, candidate: Candidate, context: PersonContext): Planned {
  const { object, path } = candidate;
  if (namesAnother(candidate, desired)) {
    return failPerson(
      desired,
      `the account ${object.id} that matches by ${path} has an externalId that names somebody else`,
    );
  }
  if (context.settings.adoption === 'Never') {
    return failPerson(desired, `the account ${object.id} matches by ${path}, and adoption is Never`);
  }
  if (isSpared({ sourceId: desired.sourceId, desired, link: null, account: object.attributes }, context.settings))
    return { ...NOTHING, protected: 1 };
  const adopt = toDraft({
    phase: 'people',
    kind: 'adopt',
    resource: 'User',
    id: desired.sourceId,
    targetId: object.id,
    name: desired.name,
    changes: diffToAccount(toUpdatable(desired, context.settings), object.attributes, context),
    cause: 'match',
    reason: `matches the account by ${path}`,
    unit: `person:${desired.sourceId}:adopt`,
    guards: [{ kind: 'adopt', scope: '' }],
  });
  return { ...NOTHING, operations: [adopt] };
}

/** Differences to an account that is taken over: defaults count where it has nothing. */
function diffToAccount(desired: DesiredUser, current: Attributes, context: PersonContext): readonly AttributeChange[] {
  const { suspect, shapes } = context.settings;
  const defaults = Object.fromEntries(Object.entries(desired.defaults).filter(([path]) => isUnassigned(current[path])));
  const { known } = toReferences(desired, context, current);
  // A suspect read clears nothing (rule I1); the next good one does.
  const clear = suspect ? [] : toClear(desired, current, shapes);
  return diffValues(
    { attributes: { ...defaults, ...desired.attributes }, clear, references: known },
    current,
    shapes,
    current,
  );
}

/** What is wrong with values that only a new account needs is said when one is to be made. */
function planCreate(desired: DesiredUser, context: PersonContext, cause: Cause): Planned {
  const { errors = [], held = false } = desired.creation ?? {};
  const found = errors.map((message): RecordError => {
    return { resource: 'User', id: desired.sourceId, code: 'RecordInvalid', message };
  });
  if (held) return { ...NOTHING, errors: found };
  const planned = planNewAccount(desired, context, cause);
  return { ...planned, errors: [...planned.errors, ...found] };
}

function planNewAccount(desired: DesiredUser, context: PersonContext, cause: Cause): Planned {
  const { known, coming } = toReferences(desired, context, {});
  const values: Attributes = { ...desired.defaults, ...desired.onCreate, ...desired.attributes, ...known };
  if (isUnassigned(values['userName'])) {
    return failPerson(desired, 'userName is empty or unknown: the account cannot be created', 'RecordInvalid');
  }
  const unknown = desired.kept.filter((path) => context.settings.shapes.get(path)?.required);
  if (unknown.length > 0) {
    const paths = unknown.join(' and ');
    return failPerson(desired, `${paths} is required and unknown: the account cannot be created`, 'RecordInvalid');
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
  return {
    ...NOTHING,
    operations: [
      create,
      ...toReferenceUpdate(toReferring(desired, null), coming, { settings: context.settings, cause: 'mapping' }),
    ],
  };
}
