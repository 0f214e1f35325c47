/** Compiled rules → teams and who belongs to them. Pure. */
import { SyncError } from '../errors.ts';
import { type DesiredTeam, type DesiredUser, type Json, NO_VALUES, type RecordError } from '../model.ts';
import type { Condition } from '../rule/condition.ts';
import { isMailPath, readMails } from '../scim/mail.ts';
import { toTeamKey } from '../team-key.ts';
import type { CompiledMapping } from './compile.ts';
import { type ConditionTrace, type NamedValue, readName, traceCondition } from './condition-trace.ts';
import { type BoundCondition, bindCondition } from './conditions.ts';
import type { BoundName, KnownAttributes, PersonView } from './names.ts';
import { NameReader } from './reader.ts';
import { type CompiledRule, type RuleSet, type TeamNames, toRuleNames } from './rules.ts';

/** What the rules say of one person. */
export interface PersonTeams {
  readonly teams: readonly DesiredTeam[];
  /** Keys of `teams`: the person belongs to them. */
  readonly memberOf: readonly string[];
  /** Rules that refer to an attribute unknown for this person: memberships in their teams stay as they are. */
  readonly undecidedRules: readonly string[];
  /** Keys of the teams of those of them that name one: known even where the state store has lost the team. */
  readonly undecidedTeams: readonly string[];
  /** Rules that this person's values could not be judged by. */
  readonly errors: readonly RecordError[];
}

/**
 * `grants`, `denies`; `undecided`: something that it reads is unknown for this person, or cannot be judged; `frozen`: it is
 * suspended, invalid, or needs what the whole read lacks, and its teams stay as they are.
 */
export interface RuleTrace {
  readonly rule: string;
  readonly verdict: 'grants' | 'denies' | 'undecided' | 'frozen';
  /** The teams that it grants; of a rule that names one team that one, whatever the verdict. */
  readonly teams: readonly { readonly key: string; readonly displayName: string }[];
  /** An entry of `include` or `exclude` that the person answers to, which decides whatever the condition says. */
  readonly by?: 'include' | 'exclude';
  /** Of a rule that names one team and is not frozen. */
  readonly condition?: ConditionTrace;
  /** What names of teams were read from. */
  readonly values?: readonly NamedValue[];
  /** Why it is undecided or frozen, where the condition does not tell it. */
  readonly message?: string;
}

export interface TeamMapper {
  /** Teams of rules that name one team: they are called for even when nobody belongs to them. */
  readonly fixedTeams: readonly DesiredTeam[];
  /** Suspended or invalid rules, and those that need an attribute which the whole read lacks: their teams stay. */
  readonly frozenRules: readonly string[];
  /** Names that rules use and the read did not deliver for anybody. */
  readonly missingNames: readonly string[];
  map(person: DesiredUser, view: PersonView, now: Date): PersonTeams;
  /** What each rule says of the person and why, in the order in which rules are evaluated; those that stand still last. */
  trace(person: DesiredUser, view: PersonView, now: Date): readonly RuleTrace[];
  /** Entries of `include` and `exclude` that no person mapped so far answers to, with their rule. */
  unresolved(): readonly { readonly rule: string; readonly entry: string }[];
}

export interface TeamMapperOptions {
  readonly mapping: CompiledMapping;
  readonly rules: RuleSet;
  readonly known: KnownAttributes;
  /** `dirsync:<namespace>/<id>:`; the normalised name follows. */
  readonly mark: string;
}

export function createTeamMapper({ mapping, rules, known, mark }: TeamMapperOptions): TeamMapper {
  const reader = new NameReader(mapping, known);
  const bound = rules.rules.map((rule) => bindRule(rule, reader));
  const active = bound.filter(({ rule, missing }) => !rule.suspend && missing.length === 0);
  const frozen = bound.filter((each) => !active.includes(each));
  const open = new Map(active.map(({ rule }) => [rule.name, new Set([...rule.include, ...rule.exclude])]));
  const context: RulesContext = {
    rules: active,
    read: (person) => (name) => reader.bind(name).read(person),
    unsettled: [...rules.unsettled, ...frozen.flatMap(({ rule }) => toOwnKeys(rule))],
    // Which teams its values name is not known, so it may be any.
    isAnyUnsettled: frozen.some(({ rule }) => rule.teamsFrom !== null),
    mark,
    marks: new Map(rules.rules.flatMap(toOwnMark)),
    descriptions: toDescriptions(rules.rules),
  };
  return {
    fixedTeams: active.flatMap(({ rule }) =>
      rule.displayName === null ? [] : [toTeam(rule, rule.displayName, context)],
    ),
    frozenRules: [...rules.invalid, ...frozen.map(({ rule }) => rule.name)],
    missingNames: [...new Set(bound.flatMap(({ missing }) => missing))],
    map: (person, view, now) => {
      const names = toPersonNames(person, view);
      for (const unresolved of open.values()) for (const name of names) unresolved.delete(name);
      return mapPerson({ names, hasUnknownNames: hasUnknownNames(person), view, now }, context);
    },
    trace: (person, view, now) => {
      const traced: RuleTrace[] = [];
      const names = toPersonNames(person, view);
      mapPerson({ names, hasUnknownNames: hasUnknownNames(person), view, now }, context, (bound, end) =>
        traced.push(toRuleTrace(bound, end, { reader, context })),
      );
      const still = frozen.map(({ rule, missing }) => toFrozen(rule, missing));
      return [...traced, ...still, ...rules.invalid.map(toInvalid)];
    },
    unresolved: () => [...open].flatMap(([rule, entries]) => [...entries].map((entry) => ({ rule, entry }))),
  };
}

interface RulesContext {
  readonly rules: readonly BoundRule[];
  readonly read: (person: PersonView) => (name: string) => Json;
  /** Keys of teams of rules that are left alone: who belongs to them is not to be told. */
  readonly unsettled: readonly string[];
  readonly isAnyUnsettled: boolean;
  readonly mark: string;
  /** What rules say instead of the mark, by key: it holds for whatever else makes the team. */
  readonly marks: ReadonlyMap<string, string>;
  /** By key; of several rules of one team the first in their order by name. */
  readonly descriptions: ReadonlyMap<string, string>;
}

interface BoundRule {
  readonly rule: CompiledRule;
  readonly condition: BoundCondition | null;
  /** What the names of its teams are read from. */
  readonly names: readonly BoundName[];
  /** Names that the rule uses and the read did not deliver for anybody. */
  readonly missing: readonly string[];
}

function bindRule(rule: CompiledRule, reader: NameReader): BoundRule {
  const condition = rule.condition === null ? null : bindCondition(rule.condition, reader);
  if (condition !== null) return { rule, condition, names: [], missing: condition.missing };
  const names = toRuleNames(rule);
  return {
    rule,
    condition,
    names: names.map((name) => reader.bind(name)),
    missing: names.filter((name) => reader.bind(name).missing),
  };
}

function toOwnKeys({ displayName }: CompiledRule): readonly string[] {
  return displayName === null ? [] : [toTeamKey(displayName)];
}

function toOwnMark(rule: CompiledRule): readonly (readonly [string, string])[] {
  const { externalId } = rule;
  return externalId === null ? [] : toOwnKeys(rule).map((key) => [key, externalId]);
}

function toDescriptions(rules: readonly CompiledRule[]): ReadonlyMap<string, string> {
  const descriptions = new Map<string, string>();
  for (const rule of [...rules].sort((a, b) => (a.name < b.name ? 1 : -1))) {
    for (const key of rule.description === null ? [] : toOwnKeys(rule)) descriptions.set(key, rule.description ?? '');
  }
  return descriptions;
}

interface RuleInput {
  readonly names: readonly string[];
  readonly hasUnknownNames: boolean;
  readonly view: PersonView;
  readonly now: Date;
}

/** How one rule ended for a person. */
interface RuleEnd {
  readonly input: TeamInput;
  /** Null: undecided. */
  readonly teams: readonly DesiredTeam[] | null;
  readonly error: RecordError | undefined;
}

type Watch = (bound: BoundRule, end: RuleEnd) => void;

function mapPerson(input: RuleInput, context: RulesContext, watch?: Watch): PersonTeams {
  const teams = new Map<string, DesiredTeam>();
  const undecided: CompiledRule[] = [];
  const errors: RecordError[] = [];
  const unsettled = new Set(context.unsettled);
  let { isAnyUnsettled } = context;
  const isInTeam = (name: string): boolean | null => {
    const key = toTeamKey(name);
    if (teams.has(key)) return true;
    return isAnyUnsettled || unsettled.has(key) ? null : false;
  };
  for (const bound of context.rules) {
    const before = errors.length;
    const called = tryTeams(bound, { ...input, isInTeam }, context, errors);
    watch?.(bound, { input: { ...input, isInTeam }, teams: called, error: errors[before] });
    for (const team of called ?? []) unite(teams, team);
    if (called !== null) continue;
    undecided.push(bound.rule);
    for (const key of toOwnKeys(bound.rule)) unsettled.add(key);
    isAnyUnsettled ||= bound.rule.teamsFrom !== null;
  }
  return {
    teams: [...teams.values()],
    memberOf: [...teams.keys()],
    undecidedRules: undecided.map((rule) => rule.name),
    undecidedTeams: undecided.flatMap(toOwnKeys),
    errors,
  };
}

type TeamInput = RuleInput & { readonly isInTeam: (name: string) => boolean | null };

/** Null: not to be told. Whom a rule cannot judge keeps what they have, and hinders nobody else (rule I8). */
function tryTeams(
  bound: BoundRule,
  input: TeamInput,
  context: RulesContext,
  errors: RecordError[],
): readonly DesiredTeam[] | null {
  try {
    return computeTeams(bound, input, context);
  } catch (thrown) {
    const message = `rule ${bound.rule.name}: ${SyncError.from(thrown).message}`;
    errors.push({ resource: 'User', id: input.view.user.id, code: 'RecordInvalid', message });
    return null;
  }
}

/**
 * What `protectedUsers` calls a person by: source id, userName or a mail address that the mapping writes, in lower case.
 * Only these are still known when the person is gone from the source.
 */
export function toAccountNames({
  sourceId,
  attributes,
  onCreate,
}: Pick<DesiredUser, 'sourceId' | 'attributes' | 'onCreate'>): readonly string[] {
  const written = { ...onCreate, ...attributes };
  return [sourceId, written['userName'], ...readMails(written)]
    .filter((value) => typeof value === 'string' && value !== '')
    .map((value) => String(value).toLowerCase());
}

/** What `include` and `exclude` call a person by: the same, and the source's own mail address. */
function toPersonNames(person: DesiredUser, { user }: PersonView): readonly string[] {
  const { email, mail } = user.attributes;
  const ofSource = [email, mail].filter((value) => typeof value === 'string' && value !== '');
  return [...toAccountNames(person), ...ofSource.map((value) => String(value).toLowerCase())];
}

/** An include or exclude entry may be a name that this person's read did not deliver (rule I13). */
function hasUnknownNames({ kept }: DesiredUser): boolean {
  return kept.some((path) => path === 'userName' || isMailPath(path));
}

/** By an entry of `include` or `exclude`. */
function isNamed(entries: ReadonlySet<string>, { names }: Pick<RuleInput, 'names'>): boolean {
  return names.some((name) => entries.has(name));
}

/** Null: not to be told, because of an unknown attribute, or because an entry of `include` or `exclude` may be meant. */
function computeTeams(bound: BoundRule, input: TeamInput, context: RulesContext): readonly DesiredTeam[] | null {
  const { rule, condition, names } = bound;
  if (names.some((name) => name.isUnknown(input.view))) return null;
  const belongs = condition?.decide(input.view, input) ?? null;
  if (condition !== null && belongs === null) return null;
  if (isNamed(rule.exclude, input)) return [];
  if (input.hasUnknownNames && rule.exclude.size > 0) return null;
  if (rule.teamsFrom !== null) {
    const found = computeTeamNames(rule.teamsFrom, context.read(input.view), input.now);
    return found?.map((name) => toTeam(rule, name, context)) ?? null;
  }
  const isMember = belongs === true || isNamed(rule.include, input);
  if (isMember && rule.displayName !== null) return [toTeam(rule, rule.displayName, context)];
  return input.hasUnknownNames && rule.include.size > 0 ? null : [];
}

/** Null: an expression says that nothing is to change. */
function computeTeamNames(
  { sources, separator, prefix }: TeamNames,
  read: (name: string) => Json,
  now: Date,
): readonly string[] | null {
  const names: string[] = [];
  for (const source of sources) {
    const value = source.evaluate(read, now);
    if (value === undefined) return null;
    for (const each of Array.isArray(value) ? (value as readonly Json[]) : [value]) {
      if (typeof each !== 'string' && typeof each !== 'number') continue;
      const parts = separator === '' ? [String(each)] : String(each).split(separator);
      names.push(...parts.map((part) => part.trim()).filter((part) => part !== ''));
    }
  }
  return names.map((name) => `${prefix}${name}`);
}

function toTeam(
  rule: CompiledRule,
  displayName: string,
  { mark, marks, descriptions }: Pick<RulesContext, 'mark' | 'marks' | 'descriptions'>,
): DesiredTeam {
  const key = toTeamKey(displayName);
  const description = descriptions.get(key);
  return {
    key,
    displayName,
    values: description === undefined ? NO_VALUES : { ...NO_VALUES, attributes: { description } },
    externalId: marks.get(key) ?? `${mark}${key.slice('rule:'.length)}`,
    rules: [rule.name],
    whenEmpty: rule.whenEmpty,
    deletionPolicy: rule.deletionPolicy,
  };
}

/** What a rule said of somebody, with what it was said from; asked at the moment of the rule, for teams come one by one. */
function toRuleTrace(
  { rule, names }: BoundRule,
  { input, teams, error }: RuleEnd,
  { reader, context }: { readonly reader: NameReader; readonly context: RulesContext },
): RuleTrace {
  const verdict = teams === null ? 'undecided' : teams.length > 0 ? 'grants' : 'denies';
  const own = rule.displayName === null ? [] : [toTeam(rule, rule.displayName, context)];
  const by = isNamed(rule.exclude, input) ? 'exclude' : isNamed(rule.include, input) ? 'include' : undefined;
  const { view: person, now, isInTeam } = input;
  const trace = (condition: Condition): ConditionTrace =>
    traceCondition(condition, { reader, person, moment: { now, isInTeam } });
  return {
    rule: rule.name,
    verdict,
    teams: (rule.displayName === null ? (teams ?? []) : own).map(({ key, displayName }) => ({ key, displayName })),
    ...(by === undefined || verdict === 'undecided' ? {} : { by }),
    ...(rule.condition === null ? {} : { condition: trace(rule.condition) }),
    ...(names.length === 0 ? {} : { values: toRuleNames(rule).map((name) => readName(name, reader, person)) }),
    ...(error === undefined ? {} : { message: error.message }),
  };
}

function toFrozen(rule: CompiledRule, missing: readonly string[]): RuleTrace {
  const { name, displayName } = rule;
  const names = missing.map((each) => JSON.stringify(each)).join(', ');
  return {
    rule: name,
    verdict: 'frozen',
    teams: displayName === null ? [] : toOwnKeys(rule).map((key) => ({ key, displayName })),
    message: rule.suspend ? 'the rule is suspended' : `the read did not deliver ${names}`,
  };
}

function toInvalid(rule: string): RuleTrace {
  return { rule, verdict: 'frozen', teams: [], message: 'the rule is invalid; dirsync validate says what is wrong' };
}

const CAUTION: readonly string[] = ['Retain', 'Empty', 'Delete'];

/** Rules of one name make one team; of two policies the one that removes less holds. */
export function uniteTeams(first: DesiredTeam, second: DesiredTeam): DesiredTeam {
  const careful = <T extends string>(a: T, b: T): T => (CAUTION.indexOf(a) <= CAUTION.indexOf(b) ? a : b);
  return {
    ...first,
    rules: [...new Set([...first.rules, ...second.rules])].sort(),
    whenEmpty: careful(first.whenEmpty, second.whenEmpty),
    deletionPolicy: careful(first.deletionPolicy, second.deletionPolicy),
  };
}

function unite(teams: Map<string, DesiredTeam>, team: DesiredTeam): void {
  const known = teams.get(team.key);
  teams.set(team.key, known === undefined ? team : uniteTeams(known, team));
}
