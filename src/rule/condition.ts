/** What every language of conditions compiles to: clauses, Entra's membership rules and CEL. */
import type { GroupName, Json } from '../model.ts';

/** One person, at one moment, as a condition sees them. What is unknown never comes here (rule I13). */
export interface Subject {
  /** An attribute's value by the name as written; null when the person has none. */
  readonly read: (attribute: string) => Json;
  /** The same by Entra's name of a property of users, such as `department` of `user.department`. */
  readonly property: (name: string) => Json;
  readonly now: Date;
  /** Empty where the condition asks for no groups. */
  readonly groups: readonly GroupName[];
  /** Whether the person belongs to one of `scope.groups`. */
  readonly inScopeGroups: boolean;
  /** Whether a rule gives the person the team of this name. */
  readonly isInTeam: (team: string) => boolean;
}

/** What a condition depends on: whoever evaluates it must know all of it of the person. */
export interface Needs {
  /** Attribute names as written, each once, in order of appearance. */
  readonly attributes: readonly string[];
  /** Names of Entra's properties of users; what stands behind each depends on the source. */
  readonly properties: readonly string[];
  /** Whether it asks which groups of the source the person belongs to. */
  readonly groups: boolean;
  /** Whether it asks if the person belongs to one of `scope.groups`. */
  readonly scopeGroups: boolean;
  /** Display names of the teams of other rules that it asks for. */
  readonly teams: readonly string[];
}

export interface Condition {
  /** As it is written; what it is made of stands in `parts`. */
  readonly text: string;
  readonly needs: Needs;
  /** @throws SyncError `RecordInvalid` where this person's values cannot be judged */
  matches(subject: Subject): boolean;
  /** What it is put together from, for whoever asks why; absent for one that is judged as a whole. */
  readonly parts?: ConditionParts;
}

export interface ConditionParts {
  readonly join: 'and' | 'or' | 'not';
  /** Made when they are asked for: a run asks for none. */
  list(): readonly Condition[];
}

export const NO_NEEDS: Needs = { attributes: [], properties: [], groups: false, scopeGroups: false, teams: [] };

/** Holds for everybody. */
export const EVERYBODY: Condition = { text: 'everybody', needs: NO_NEEDS, matches: () => true };

/** Every condition must hold; those that come first are asked first. */
export function allOf(conditions: readonly Condition[]): Condition {
  const [only, second] = conditions;
  if (only !== undefined && second === undefined) return only;
  return {
    text: joinTexts(conditions, 'and'),
    needs: uniteNeeds(conditions.map(({ needs }) => needs)),
    matches: (subject) => conditions.every((condition) => condition.matches(subject)),
    parts: { join: 'and', list: () => conditions },
  };
}

/** One of them must hold; those that come first are asked first. */
export function anyOf(conditions: readonly Condition[]): Condition {
  const [only, second] = conditions;
  if (only !== undefined && second === undefined) return only;
  return {
    text: joinTexts(conditions, 'or'),
    needs: uniteNeeds(conditions.map(({ needs }) => needs)),
    matches: (subject) => conditions.some((condition) => condition.matches(subject)),
    parts: { join: 'or', list: () => conditions },
  };
}

function joinTexts(conditions: readonly Condition[], word: 'and' | 'or'): string {
  return conditions.map(({ text, parts }) => (parts === undefined ? text : `(${text})`)).join(` ${word} `);
}

function uniteNeeds(needs: readonly Needs[]): Needs {
  return {
    attributes: [...new Set(needs.flatMap(({ attributes }) => attributes))],
    properties: [...new Set(needs.flatMap(({ properties }) => properties))],
    groups: needs.some(({ groups }) => groups),
    scopeGroups: needs.some(({ scopeGroups }) => scopeGroups),
    teams: [...new Set(needs.flatMap(({ teams }) => teams))],
  };
}
