/** Conditions bound to a read: what they depend on is looked up, and what is unknown decides nothing (rule I13). */
import { SyncError } from '../errors.ts';
import type { GroupName, SourceUser } from '../model.ts';
import type { Condition } from '../rule/condition.ts';
import { checkName, type NameContext, type PersonView } from './names.ts';
import type { NameReader } from './reader.ts';
import { toPropertyNames } from './user-properties.ts';

/**
 * @throws SyncError `Invalid` where the condition can never be judged, whatever a read delivers
 */
export function checkCondition({ needs }: Condition, context: NameContext): void {
  for (const name of needs.attributes) checkName(name, context);
  if (needs.groups || needs.scopeGroups) checkGroups(context);
}

/** @throws SyncError `Invalid` where the source reads no groups */
export function checkGroups({ hasGroups }: NameContext): void {
  if (hasGroups) return;
  throw new SyncError(
    'Invalid',
    'it asks for groups of the source, and spec.source reads none: set source.file.groups, or use an attribute, or IsInTeam for a team of another rule',
  );
}

/** The same for a scope, which is decided before any team. */
export function checkScope(scope: Condition, context: NameContext): void {
  checkCondition(scope, context);
  if (scope.needs.teams.length === 0) return;
  throw new SyncError('Invalid', 'the scope cannot ask for teams: who is in a team follows from who is in scope');
}

/** What the condition reads of a person, as its text calls it. */
export function toConditionNames({ needs }: Condition): readonly string[] {
  return [...needs.attributes, ...needs.properties.map((name) => `user.${name}`)];
}

/** The same as names of clauses. */
export function toReadNames({ needs }: Condition, context: NameContext): readonly string[] {
  return [...needs.attributes, ...needs.properties.flatMap((name) => toPropertyNames(name, context))];
}

export interface Moment {
  readonly now: Date;
  /** Whether a rule gives the person the team of this name; null: not to be told. */
  readonly isInTeam: (team: string) => boolean | null;
}

export interface BoundCondition {
  /** Names that the condition uses and the read did not deliver for anybody. */
  readonly missing: readonly string[];
  /**
   * Null: not to be told of this person.
   * @throws SyncError `RecordInvalid` where this person's values cannot be judged
   */
  decide(person: PersonView, moment: Moment): boolean | null;
}

export function bindCondition(condition: Condition, reader: NameReader): BoundCondition {
  const { attributes, properties, groups, scopeGroups, teams } = condition.needs;
  const names = [
    ...attributes.map((name) => reader.bind(name)),
    ...properties.map((name) => reader.bindProperty(name)),
  ];
  return {
    missing: toConditionNames(condition).filter((_, index) => names[index]?.missing === true),
    decide: (person, { now, isInTeam }) => {
      if (names.some((name) => name.isUnknown(person))) return null;
      if (groups && person.user.groups === undefined) return null;
      const { inScopeGroups } = person.user;
      if (scopeGroups && inScopeGroups === undefined) return null;
      if (teams.some((team) => isInTeam(team) === null)) return null;
      const matches = (belongsTo: readonly GroupName[]): boolean =>
        condition.matches({
          read: (name) => reader.bind(name).read(person),
          property: (name) => reader.bindProperty(name).read(person),
          now,
          groups: belongsTo,
          inScopeGroups: inScopeGroups === true,
          isInTeam: (team) => isInTeam(team) === true,
        });
      return decideByGroups(person.user, matches);
    },
  };
}

/** More groups than these that somebody may belong to or not, and nothing is decided. */
const MOST_OPEN = 4;

/** Decided where it comes to the same in whichever of the groups the person is whose members are not known whole. */
function decideByGroups(
  { groups = [], maybeGroups = [] }: Pick<SourceUser, 'groups' | 'maybeGroups'>,
  matches: (groups: readonly GroupName[]) => boolean,
): boolean | null {
  if (maybeGroups.length === 0) return matches(groups);
  if (maybeGroups.length > MOST_OPEN) return null;
  const cases = Array.from({ length: 2 ** maybeGroups.length }, (_, bits) =>
    matches([...groups, ...maybeGroups.filter((_group, index) => (bits & (1 << index)) !== 0)]),
  );
  const [first = false] = cases;
  return cases.every((each) => each === first) ? first : null;
}
