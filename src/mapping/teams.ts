/** TeamRules → teams and who belongs to them. Pure. */
import { withDefaults } from '../api/defaults.ts';
import type { TeamRuleResource } from '../api/team-rule.ts';
import { SyncError } from '../errors.ts';
import type { DesiredTeam, DesiredUser, Json } from '../model.ts';
import { type CompiledFilter, compileAll } from '../rule/clause.ts';
import { isMailPath, readMails } from '../scim/mail.ts';
import type { CompiledMapping } from './compile.ts';
import { toTeamKey } from './match-key.ts';
import { checkName, type KnownAttributes, type PersonView } from './names.ts';
import { NameReader } from './person.ts';
import type { MappingProblem } from './problem.ts';

export interface CompiledRule {
  readonly name: string;
  readonly suspend: boolean;
  /** One team, by this condition; null for `teamsFrom`. */
  readonly match: CompiledFilter | null;
  readonly displayName: string | null;
  readonly teamsFrom: { readonly attributes: readonly string[]; readonly separator: string } | null;
  /** Lower case. */
  readonly include: ReadonlySet<string>;
  readonly exclude: ReadonlySet<string>;
  readonly whenEmpty: DesiredTeam['whenEmpty'];
  readonly deletionPolicy: DesiredTeam['deletionPolicy'];
}

export interface RuleSet {
  readonly rules: readonly CompiledRule[];
  /** Rules that are invalid: their teams stay as they are, and nothing else is hindered. */
  readonly invalid: readonly string[];
}

/** The resources keep to their schema: whoever calls this has checked it. */
export function compileRules(
  resources: readonly TeamRuleResource[],
  mapping: CompiledMapping,
  problems: MappingProblem[],
): RuleSet {
  const rules: CompiledRule[] = [];
  const invalid: string[] = [];
  for (const resource of resources) {
    const report = (pointer: string, message: string): void => {
      problems.push({ severity: 'error', kind: 'TeamRule', name: resource.metadata.name, pointer, message });
    };
    const before = problems.length;
    const rule = compileRule(resource, mapping, report);
    if (rule === null || problems.length > before) invalid.push(resource.metadata.name);
    else rules.push(rule);
  }
  return { rules, invalid };
}

type Report = (pointer: string, message: string) => void;

function compileRule(resource: TeamRuleResource, mapping: CompiledMapping, report: Report): CompiledRule | null {
  const { spec } = resource;
  const { teams, include, exclude, whenEmpty, deletionPolicy, suspend } = withDefaults(resource);
  try {
    const match = teams.kind === 'Match' ? compileAll(teams.match) : null;
    const teamsFrom = teams.kind === 'TeamsFrom' ? { attributes: teams.attributes, separator: teams.separator } : null;
    for (const name of match?.attributes ?? teamsFrom?.attributes ?? []) checkName(name, mapping.names);
    const displayName = teams.kind === 'Match' ? teams.displayName.trim() : null;
    if (displayName === '') report('/spec/team/displayName', 'the name of a team must not be blank');
    return {
      name: resource.metadata.name,
      suspend,
      match,
      displayName,
      teamsFrom,
      include: toLowerCase(include),
      exclude: toLowerCase(exclude),
      whenEmpty,
      deletionPolicy,
    };
  } catch (thrown) {
    report(spec.match === undefined ? '/spec/teamsFrom' : '/spec/match', SyncError.from(thrown).message);
    return null;
  }
}

function toLowerCase(names: readonly string[]): ReadonlySet<string> {
  return new Set(names.map((name) => name.trim().toLowerCase()));
}

/** What the rules say of one person. */
export interface PersonTeams {
  readonly teams: readonly DesiredTeam[];
  /** Keys of `teams`: the person belongs to them. */
  readonly memberOf: readonly string[];
  /** Rules that refer to an attribute unknown for this person: memberships in their teams stay as they are. */
  readonly undecidedRules: readonly string[];
  /** Keys of the teams of those of them that name one: known even where the state store has lost the team. */
  readonly undecidedTeams: readonly string[];
}

export interface TeamMapper {
  /** Teams of rules that name one team: they are called for even when nobody belongs to them. */
  readonly fixedTeams: readonly DesiredTeam[];
  /** Suspended or invalid rules, and those that need an attribute which the whole read lacks: their teams stay. */
  readonly frozenRules: readonly string[];
  /** Names that rules use and the read did not deliver for anybody. */
  readonly missingNames: readonly string[];
  map(person: DesiredUser, view: PersonView): PersonTeams;
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
  const missing = (rule: CompiledRule): readonly string[] =>
    toRuleNames(rule).filter((name) => reader.bind(name).missing);
  const frozen = rules.rules.filter((rule) => rule.suspend || missing(rule).length > 0);
  const active = rules.rules.filter((rule) => !frozen.includes(rule));
  const open = new Map(active.map((rule) => [rule.name, new Set([...rule.include, ...rule.exclude])]));
  return {
    fixedTeams: active.flatMap((rule) => (rule.displayName === null ? [] : [toTeam(rule, rule.displayName, mark)])),
    frozenRules: [...rules.invalid, ...frozen.map((rule) => rule.name)],
    missingNames: [...new Set(rules.rules.flatMap(missing))],
    map: (person, view) => {
      const names = toPersonNames(person, view);
      for (const unresolved of open.values()) for (const name of names) unresolved.delete(name);
      const input: RuleInput = {
        names,
        hasUnknownNames: hasUnknownNames(person),
        read: (name) => reader.bind(name).read(view),
        isUnknown: (name) => reader.bind(name).isUnknown(view),
        mark,
      };
      return mapPerson(active, input);
    },
    unresolved: () => [...open].flatMap(([rule, entries]) => [...entries].map((entry) => ({ rule, entry }))),
  };
}

function mapPerson(rules: readonly CompiledRule[], input: RuleInput): PersonTeams {
  const teams = new Map<string, DesiredTeam>();
  const undecided: CompiledRule[] = [];
  for (const rule of rules) {
    const called = toRuleNames(rule).some(input.isUnknown) ? null : computeTeams(rule, input);
    if (called === null) undecided.push(rule);
    for (const team of called ?? []) unite(teams, team);
  }
  return {
    teams: [...teams.values()],
    memberOf: [...teams.keys()],
    undecidedRules: undecided.map((rule) => rule.name),
    undecidedTeams: undecided.flatMap(({ displayName }) => (displayName === null ? [] : [toTeamKey(displayName)])),
  };
}

export function toRuleNames(rule: CompiledRule): readonly string[] {
  return rule.match?.attributes ?? rule.teamsFrom?.attributes ?? [];
}

/**
 * What `protectedUsers` calls a person by: source id, userName or a mail address that the mapping writes, in lower case.
 * Only these are still known when the person is gone from the source.
 */
export function toAccountNames({ sourceId, attributes, onCreate }: DesiredUser): readonly string[] {
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

interface RuleInput {
  readonly names: readonly string[];
  readonly hasUnknownNames: boolean;
  readonly read: (name: string) => Json;
  readonly isUnknown: (name: string) => boolean;
  readonly mark: string;
}

/** Null: not to be told, because an entry of `include` or `exclude` may mean this person. */
function computeTeams(rule: CompiledRule, input: RuleInput): readonly DesiredTeam[] | null {
  const { names, hasUnknownNames, read, mark } = input;
  if (names.some((name) => rule.exclude.has(name))) return [];
  if (hasUnknownNames && rule.exclude.size > 0) return null;
  if (rule.teamsFrom !== null) return computeTeamNames(rule.teamsFrom, read).map((name) => toTeam(rule, name, mark));
  const belongs = rule.match?.matches(read) === true || names.some((name) => rule.include.has(name));
  if (belongs && rule.displayName !== null) return [toTeam(rule, rule.displayName, mark)];
  return hasUnknownNames && rule.include.size > 0 ? null : [];
}

function computeTeamNames(
  { attributes, separator }: NonNullable<CompiledRule['teamsFrom']>,
  read: (name: string) => Json,
): readonly string[] {
  const names: string[] = [];
  for (const attribute of attributes) {
    const value = read(attribute);
    for (const each of Array.isArray(value) ? (value as readonly Json[]) : [value]) {
      if (typeof each !== 'string' && typeof each !== 'number') continue;
      const parts = separator === '' ? [String(each)] : String(each).split(separator);
      names.push(...parts.map((part) => part.trim()).filter((part) => part !== ''));
    }
  }
  return names;
}

function toTeam(rule: CompiledRule, displayName: string, mark: string): DesiredTeam {
  const key = toTeamKey(displayName);
  return {
    key,
    displayName,
    externalId: `${mark}${key.slice('rule:'.length)}`,
    rules: [rule.name],
    whenEmpty: rule.whenEmpty,
    deletionPolicy: rule.deletionPolicy,
  };
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
