/** Why a condition holds for one person, or does not: each of its parts, and what was read for it. Pure. */
import { SyncError } from '../errors.ts';
import type { GroupName, Json, SourceUser } from '../model.ts';
import type { Condition } from '../rule/condition.ts';
import { bindCondition, type Moment } from './conditions.ts';
import type { BoundName, PersonView } from './names.ts';
import type { NameReader } from './reader.ts';

/** What a name gave for one person. */
export interface NamedValue {
  /** As it is written. */
  readonly name: string;
  /** Null: the person has none, or it is unknown. */
  readonly value: Json;
  /** The read did not deliver it (rule I13): `everybody` where nobody has it. */
  readonly unknown?: 'person' | 'everybody';
}

export interface ConditionTrace {
  /** The part as it is written. */
  readonly text: string;
  /** Null: not to be told. */
  readonly holds: boolean | null;
  /** Why this person's values cannot be judged. */
  readonly error?: string;
  /** How `parts` are joined; absent for a condition that is judged as a whole. */
  readonly join?: 'and' | 'or' | 'not';
  readonly parts: readonly ConditionTrace[];
  /** What was read; of a condition with parts the parts tell it. */
  readonly values: readonly NamedValue[];
}

export interface TraceInput {
  readonly reader: NameReader;
  readonly person: PersonView;
  readonly moment: Moment;
}

export function traceCondition(condition: Condition, input: TraceInput): ConditionTrace {
  const { text, parts } = condition;
  const verdict = decide(condition, input);
  if (parts === undefined) return { text, ...verdict, parts: [], values: readNeeds(condition, input) };
  return {
    text,
    ...verdict,
    join: parts.join,
    parts: parts.list().map((part) => traceCondition(part, input)),
    values: [],
  };
}

function decide(condition: Condition, { reader, person, moment }: TraceInput): Pick<ConditionTrace, 'holds' | 'error'> {
  try {
    return { holds: bindCondition(condition, reader).decide(person, moment) };
  } catch (thrown) {
    return { holds: null, error: SyncError.from(thrown).message };
  }
}

function readNeeds({ needs }: Condition, { reader, person, moment }: TraceInput): readonly NamedValue[] {
  const { groups } = person.user;
  return [
    ...needs.attributes.map((name) => readName(name, reader, person)),
    ...needs.properties.map((name) => toNamedValue(`user.${name}`, reader.bindProperty(name), person)),
    ...(needs.groups ? [toGroups(groups)] : []),
    ...(needs.scopeGroups ? toScopeGroups(person.user) : []),
    ...needs.teams.map((team) => toTeam(team, moment.isInTeam(team))),
  ];
}

function toGroups(groups: readonly GroupName[] | undefined): NamedValue {
  if (groups === undefined) return { name: 'groups', value: null, unknown: 'person' };
  return { name: 'groups', value: groups.map(({ displayName }) => displayName) };
}

/** Why somebody is in none of them; which groups they are in besides may not be known. */
function toScopeGroups({ groups, inScopeGroups }: SourceUser): readonly NamedValue[] {
  if (inScopeGroups === undefined) return [toGroups(undefined)];
  return inScopeGroups || groups === undefined ? [] : [toGroups(groups)];
}

function toTeam(team: string, isMember: boolean | null): NamedValue {
  const name = `team ${JSON.stringify(team)}`;
  return isMember === null ? { name, value: null, unknown: 'person' } : { name, value: isMember };
}

/** As it stands for a value that is written and not shown. */
export const HIDDEN = '[Redact]';

/** @param name as it is written */
export function readName(name: string, reader: NameReader, person: PersonView): NamedValue {
  const named = toNamedValue(name, reader.bind(name), person);
  return reader.isHidden(name) ? { ...named, value: HIDDEN } : named;
}

function toNamedValue(name: string, bound: BoundName, person: PersonView): NamedValue {
  if (bound.missing) return { name, value: null, unknown: 'everybody' };
  if (bound.isUnknown(person)) return { name, value: null, unknown: 'person' };
  return { name, value: bound.read(person) };
}
