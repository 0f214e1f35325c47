/** One case of a MappingTest: what comes out for the user, compared with what must. Pure. */
import { isDeepStrictEqual } from 'node:util';
import type { MappingTestCase } from '../api/mapping-test.ts';
import { SyncError } from '../errors.ts';
import { createRandom } from '../expression/chance.ts';
import { type TenantContext, UniqueCandidates, type Value } from '../expression/values.ts';
import type { Json, SourceUser } from '../model.ts';
import { compilePattern } from '../pattern/pattern.ts';
import { compileAll } from '../rule/clause.ts';
import { EVERYBODY } from '../rule/condition.ts';
import {
  type Attributes,
  compileBareRule,
  decideBare,
  evaluateBare,
  toAttributeReader,
  toBareUser,
  toKnownAttributes,
} from './bare-user.ts';
import type { CompiledMapping } from './compile.ts';
import { toPlainValue } from './expressions.ts';
import { createGroupMapper } from './group.ts';
import { createPersonMapper } from './person.ts';
import { type RuleSet, toRuleNames } from './rules.ts';
import { createTeamMapper } from './teams.ts';

/** What cases refer to by name. */
export interface TestedResources {
  /** @throws SyncError where there is none of this name, or it is wrong */
  readonly mapping: (name: string) => CompiledMapping;
  /** Of a DirectorySync. @throws SyncError likewise */
  readonly teamRules: (name: string) => { readonly mapping: CompiledMapping; readonly rules: RuleSet };
}

export interface CaseResult {
  readonly pass: boolean;
  /** What was expected and what came; null for a case that passed. */
  readonly message: string | null;
}

type Came = { readonly value: Json } | { readonly ignored: true } | { readonly error: string };

const DEFAULT_NOW = '2026-01-01T00:00:00Z';

export function runCase(test: MappingTestCase, resources: TestedResources): CaseResult {
  return judge(test, evaluate(test, resources));
}

function evaluate(test: MappingTestCase, resources: TestedResources): Came {
  try {
    if (test.expression !== undefined) return evaluateExpression(test.expression, test);
    if (test.mapping !== undefined) return evaluateMapping(resources.mapping(test.mapping), test);
    if (test.teamRules !== undefined) return { value: evaluateTeams(resources.teamRules(test.teamRules), test) };
    return { value: evaluateCondition(test) };
  } catch (thrown) {
    return { error: SyncError.from(thrown).message };
  }
}

function judge(test: MappingTestCase, came: Came): CaseResult {
  if (test.expectError === true) return 'error' in came ? PASSED : fail('an error', came);
  if (test.expectIgnored === true) return 'ignored' in came ? PASSED : fail('that nothing flows', came);
  if (test.expectPattern !== undefined) {
    const isFound = 'value' in came && compilePattern(test.expectPattern).isMatch(toText(came.value));
    return isFound ? PASSED : fail(`a text that ${test.expectPattern} is found in`, came);
  }
  const expected = (test.expect ?? null) as Json;
  if (!('value' in came)) return fail(show(expected), came);
  const value = test.mapping === undefined ? came.value : pick(came.value, expected);
  const [left, right] = test.teamRules === undefined ? [value, expected] : [sort(value), sort(expected)];
  return isDeepStrictEqual(left, right) ? PASSED : fail(show(right), { value: left });
}

const PASSED: CaseResult = { pass: true, message: null };

function fail(expected: string, came: Came): CaseResult {
  const got = 'error' in came ? `the error: ${came.error}` : 'ignored' in came ? 'nothing flows' : show(came.value);
  return { pass: false, message: `expected ${expected}\n     got ${got}` };
}

function show(value: Json): string {
  return JSON.stringify(value);
}

function toText(value: Json): string {
  return typeof value === 'string' ? value : show(value);
}

function sort(value: Json): Json {
  return Array.isArray(value) ? [...value].sort() : value;
}

/** Of what a mapping gives, the values that are expected to be this or that. */
function pick(value: Json, expected: Json): Json {
  const [values, wanted] = [value, expected] as readonly Readonly<Record<string, Json>>[];
  return Object.fromEntries(Object.keys(wanted ?? {}).map((name) => [name, values?.[name] ?? null]));
}

function toTenant({ context }: MappingTestCase): TenantContext {
  return { defaultDomain: context?.defaultDomain ?? null };
}

function toNow({ now }: MappingTestCase): Date {
  return new Date(now ?? DEFAULT_NOW);
}

/** The attributes of the user or group. */
function toRecord({ user, group }: MappingTestCase): Attributes {
  return (group ?? user ?? {}) as Attributes;
}

function toUser({ user, groups = [] }: MappingTestCase): SourceUser {
  return toBareUser((user ?? {}) as Attributes, groups);
}

function evaluateExpression(text: string, test: MappingTestCase): Came {
  const outcome = evaluateBare(text, {
    attribute: toAttributeReader(toRecord(test)),
    now: toNow(test),
    random: createRandom(['mapping test', text]),
    context: toTenant(test),
  });
  return 'skip' in outcome ? { ignored: true } : { value: toValue(outcome.value, test) };
}

/** Of several candidates the first that nobody has. */
function toValue(value: Value, { taken = [] }: MappingTestCase): Json {
  if (!(value instanceof UniqueCandidates)) return toPlainValue(value, false);
  const names = new Set(taken.map((name) => name.toLowerCase()));
  const free = value.values.find((each) => !names.has(String(each).toLowerCase()));
  if (free === undefined) throw new SyncError('RecordInvalid', 'every value of SelectUniqueValue is taken');
  return free;
}

function evaluateCondition(test: MappingTestCase): Json {
  const { match, rule = '' } = test;
  const condition = match === undefined ? compileBareRule(rule) : compileAll(match);
  return decideBare(condition, toUser(test), toNow(test));
}

function evaluateMapping(mapping: CompiledMapping, test: MappingTestCase): Came {
  const isOfTeams = mapping.names.resource === 'Team';
  if (isOfTeams !== (test.group !== undefined)) {
    const expected = isOfTeams ? 'teams: describe a group' : 'users: describe a user';
    throw new SyncError('Invalid', `${JSON.stringify(test.mapping)} is a mapping of ${expected}`);
  }
  if (isOfTeams) return evaluateTeamMapping(mapping, test);
  const mapped = mapUser(mapping, test);
  const [error] = mapped.errors;
  if (error !== undefined) return { error: error.message };
  const { attributes, onCreate, defaults, references, candidates = {} } = mapped.desired;
  const chosen = Object.entries(candidates).map(([path, values]) => [
    path,
    toValue(new UniqueCandidates(values), test),
  ]);
  const values: Readonly<Record<string, Json>> = {
    ...defaults,
    ...onCreate,
    ...Object.fromEntries(chosen),
    ...attributes,
    ...references,
  };
  return { value: withTargets(values, mapping) };
}

/** By canonical path, and as the entries write it. */
function withTargets(values: Attributes, { entries }: CompiledMapping): Attributes {
  const written = entries.flatMap(({ target, path }) =>
    path === null || values[path] === undefined ? [] : [[target, values[path]] as const],
  );
  return { ...values, ...Object.fromEntries(written) };
}

/** Of a team that is to be made. */
function evaluateTeamMapping(mapping: CompiledMapping, test: MappingTestCase): Came {
  const attributes = toRecord(test);
  const record = toBareUser(attributes, []);
  const mapper = createGroupMapper({
    mapping,
    known: toKnownAttributes(record, mapping.usedNames),
    seed: 'mapping test',
    tenant: toTenant(test),
  });
  const id = typeof attributes['id'] === 'string' ? attributes['id'] : 'test-group';
  const displayName = typeof attributes['displayName'] === 'string' ? attributes['displayName'] : id;
  const { team, errors } = mapper.map({ id, displayName, attributes }, null, toNow(test));
  const [error] = [...errors.map(({ message }) => message), ...(team?.values.creation?.errors ?? [])];
  if (error !== undefined) return { error };
  if (team === null) return { ignored: true };
  const { values } = team;
  const names = { displayName: team.displayName, externalId: team.externalId };
  return { value: withTargets({ ...names, ...values.defaults, ...values.onCreate, ...values.attributes }, mapping) };
}

function evaluateTeams(
  { mapping, rules }: ReturnType<TestedResources['teamRules']>,
  test: MappingTestCase,
): readonly string[] {
  const mapped = mapUser(mapping, test);
  const teams = createTeamMapper({
    mapping,
    rules,
    known: toKnownAttributes(toUser(test), [...mapping.usedNames, ...rules.rules.flatMap(toRuleNames)]),
    mark: '',
  });
  const result = teams.map(mapped.desired, mapped.view, toNow(test));
  const [error] = result.errors;
  if (error !== undefined) throw new SyncError(error.code, `rule ${error.id}: ${error.message}`);
  return result.teams.map(({ displayName }) => displayName);
}

function mapUser(mapping: CompiledMapping, test: MappingTestCase) {
  const user = toUser(test);
  const people = createPersonMapper({
    mapping,
    scope: EVERYBODY,
    known: toKnownAttributes(user, mapping.usedNames),
    disabledAtSource: 'Deactivate',
    seed: 'mapping test',
    tenant: toTenant(test),
  });
  return people.map(user, toNow(test));
}
