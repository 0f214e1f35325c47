/** TeamRules → compiled rules, in the order in which they are evaluated. Pure. */
import { type ResolvedTeamRuleSpec, withDefaults } from '../api/defaults.ts';
import type { TeamRuleResource } from '../api/team-rule.ts';
import { SyncError } from '../errors.ts';
import type { DesiredTeam, Json } from '../model.ts';
import { compileCelCondition } from '../rule/cel-condition.ts';
import { compileAll } from '../rule/clause.ts';
import { type Condition, EVERYBODY } from '../rule/condition.ts';
import { compileMembershipRule } from '../rule/membership/compiler.ts';
import { toTeamKey } from '../team-key.ts';
import type { CompiledMapping } from './compile.ts';
import { checkCondition, toConditionNames, toReadNames } from './conditions.ts';
import { compileMappedExpression, toPlainValue, UNSTABLE_FUNCTIONS } from './expressions.ts';
import { checkName, type NameContext } from './names.ts';
import type { MappingProblem } from './problem.ts';
import { orderRules } from './rule-order.ts';
import { isOwnName } from './user-properties.ts';

export interface CompiledRule {
  readonly name: string;
  readonly suspend: boolean;
  /** Who belongs to the one team; null for `teamsFrom`. */
  readonly condition: Condition | null;
  readonly displayName: string | null;
  /** Replaces the mark; null for none. */
  readonly externalId: string | null;
  /** Null: whatever stands in the target. */
  readonly description: string | null;
  readonly teamsFrom: TeamNames | null;
  /** Lower case. */
  readonly include: ReadonlySet<string>;
  readonly exclude: ReadonlySet<string>;
  readonly whenEmpty: DesiredTeam['whenEmpty'];
  readonly deletionPolicy: DesiredTeam['deletionPolicy'];
}

/** Values that name teams. */
export interface TeamNames {
  readonly sources: readonly NameSource[];
  readonly separator: string;
  /** Stands before every name. */
  readonly prefix: string;
}

interface NameSource {
  readonly names: readonly string[];
  /** Undefined: the expression says that nothing is to change. */
  readonly evaluate: (read: (name: string) => Json, now: Date) => Json | undefined;
}

export interface RuleSet {
  /** A rule comes after those whose teams it asks for. */
  readonly rules: readonly CompiledRule[];
  /** Rules that are invalid: their teams stay as they are, and nothing else is hindered. */
  readonly invalid: readonly string[];
  /** Keys of the teams that invalid rules name: who belongs to them is not to be told. */
  readonly unsettled: readonly string[];
}

export const NO_RULES: RuleSet = { rules: [], invalid: [], unsettled: [] };

/** The resources keep to their schema: whoever calls this has checked it. */
export function compileRules(
  resources: readonly TeamRuleResource[],
  mapping: CompiledMapping,
  problems: MappingProblem[],
): RuleSet {
  const rules: CompiledRule[] = [];
  const wrong = new Set<string>();
  const report = (name: string, pointer: string, message: string): void => {
    wrong.add(name);
    problems.push({ severity: 'error', kind: 'TeamRule', name, pointer, message });
  };
  for (const resource of resources) {
    const { name } = resource.metadata;
    const rule = compileRule(resource, mapping.names, (pointer, message) => report(name, pointer, message));
    if (rule !== null) rules.push(rule);
  }
  checkMarks(rules, report);
  const named = resources.flatMap(({ spec }) => (spec.team === undefined ? [] : [spec.team.displayName.trim()]));
  const ordered = orderRules(rules, named, report);
  const invalid = resources.filter(({ metadata }) => wrong.has(metadata.name));
  return {
    rules: ordered.filter(({ name }) => !wrong.has(name)),
    invalid: invalid.map(({ metadata }) => metadata.name),
    unsettled: invalid.flatMap(({ spec }) => (spec.team === undefined ? [] : [toTeamKey(spec.team.displayName)])),
  };
}

type Report = (pointer: string, message: string) => void;
export type ReportRule = (rule: string, pointer: string, message: string) => void;

function compileRule(resource: TeamRuleResource, names: NameContext, report: Report): CompiledRule | null {
  const { teams, include, exclude, whenEmpty, deletionPolicy, suspend } = withDefaults(resource);
  const common = {
    name: resource.metadata.name,
    suspend,
    include: toLowerCase(include),
    exclude: toLowerCase(exclude),
    whenEmpty,
    deletionPolicy,
  };
  const sound = <T>(pointer: string, compile: () => T): T | null => tryCompile(pointer, compile, report);
  if (teams.kind === 'TeamsFrom') {
    const teamsFrom = sound('/spec/teamsFrom', () => compileTeamNames(teams, names));
    if (teamsFrom === null) return null;
    return { ...common, condition: null, displayName: null, externalId: null, description: null, teamsFrom };
  }
  const condition = sound(teams.pointer, () => {
    const compiled = compileCondition(teams, names);
    checkCondition(compiled, names);
    return compiled;
  });
  const displayName = teams.displayName.trim();
  if (displayName === '') report('/spec/team/displayName', 'the name of a team must not be blank');
  if (condition === null || displayName === '') return null;
  const { externalId, description } = teams;
  return { ...common, condition, displayName, externalId, description, teamsFrom: null };
}

function tryCompile<T>(pointer: string, compile: () => T, report: Report): T | null {
  try {
    return compile();
  } catch (thrown) {
    report(pointer, SyncError.from(thrown).message);
    return null;
  }
}

type OneTeam = Extract<ResolvedTeamRuleSpec['teams'], { readonly kind: 'OneTeam' }>;
type ManyTeams = Extract<ResolvedTeamRuleSpec['teams'], { readonly kind: 'TeamsFrom' }>;

function compileCondition({ match, rule, cel }: OneTeam, names: NameContext): Condition {
  if (cel !== null) return compileCelCondition(cel);
  if (rule !== null) return compileMembershipRule(rule, { isOwnName: (name) => isOwnName(name, names) });
  return match === null ? EVERYBODY : compileAll(match);
}

function compileTeamNames({ attributes, expressions, separator, prefix }: ManyTeams, context: NameContext): TeamNames {
  const ofAttributes = attributes.map((name): NameSource => ({ names: [name], evaluate: (read) => read(name) }));
  const ofExpressions = expressions.map((text): NameSource => {
    const compiled = compileMappedExpression(text, (name) => name, context);
    // Of a name that is another one each time nobody could tell the team again.
    const changing = UNSTABLE_FUNCTIONS.find((name) => compiled.functions.has(name));
    if (changing !== undefined) throw new SyncError('Invalid', `${changing} cannot name a team`);
    return {
      names: compiled.attributes,
      evaluate: (read, now) => {
        const outcome = compiled.evaluate({ attribute: read, now, random: () => 0, context: { defaultDomain: null } });
        return 'skip' in outcome ? undefined : toPlainValue(outcome.value, false);
      },
    };
  });
  for (const name of attributes) checkName(name, context);
  return { sources: [...ofAttributes, ...ofExpressions], separator, prefix };
}

function toLowerCase(names: readonly string[]): ReadonlySet<string> {
  return new Set(names.map((name) => name.trim().toLowerCase()));
}

/** A mark belongs to one team: two teams with one mark would be taken for each other. */
function checkMarks(rules: readonly CompiledRule[], report: ReportRule): void {
  const keys = new Map<string, string>();
  const marks = new Map<string, string>();
  for (const { name, displayName, externalId } of rules) {
    if (displayName === null || externalId === null) continue;
    const key = toTeamKey(displayName);
    const pointer = '/spec/team/externalId';
    if ((keys.get(externalId) ?? key) !== key)
      report(name, pointer, `another team has the externalId ${JSON.stringify(externalId)}`);
    else if ((marks.get(key) ?? externalId) !== externalId)
      report(name, pointer, `another rule gives the team ${JSON.stringify(displayName)} another externalId`);
    else {
      keys.set(externalId, key);
      marks.set(key, externalId);
    }
  }
}

/** Names of attributes that the rule uses, as it calls them. */
export function toRuleNames({ condition, teamsFrom }: CompiledRule): readonly string[] {
  return condition === null ? toNamesOfTeams(teamsFrom) : toConditionNames(condition);
}

/** The same as names of clauses. */
export function toRuleReadNames({ condition, teamsFrom }: CompiledRule, context: NameContext): readonly string[] {
  return condition === null ? toNamesOfTeams(teamsFrom) : toReadNames(condition, context);
}

function toNamesOfTeams(teamsFrom: TeamNames | null): readonly string[] {
  return teamsFrom?.sources.flatMap(({ names }) => names) ?? [];
}
