import { describe, expect, it } from 'vitest';
import type { AttributeEntry } from '../../src/api/attribute-mapping.ts';
import type { Clause } from '../../src/api/clause.ts';
import { KnownAttributes } from '../../src/mapping/names.ts';
import { createPersonMapper } from '../../src/mapping/person.ts';
import type { MappingProblem } from '../../src/mapping/problem.ts';
import { compileRules } from '../../src/mapping/rules.ts';
import { compileScope, type ScopeSpec, takesUnassigned } from '../../src/mapping/scope.ts';
import { createTeamMapper } from '../../src/mapping/teams.ts';
import type { Json, SourceUser } from '../../src/model.ts';
import {
  aDesiredUser,
  aMapping,
  aPersonView,
  aSourceUser,
  aTeamRule,
  BASE_ENTRIES,
  compile,
  compileWell,
  NOW,
  toLine,
} from '../support/builders.ts';

const COLUMNS = ['id', 'mail', 'department', 'level', 'hired', 'appRoleAssignments'];

function createMapper(spec: ScopeSpec, entries: AttributeEntry[] = []) {
  const mapping = compileWell([...BASE_ENTRIES, ...entries]);
  const problems: string[] = [];
  const scope = compileScope(spec, { ...mapping.names, hasGroups: true }, (field, message) => {
    problems.push(`${field} ${message}`);
  });
  const people = createPersonMapper({
    mapping,
    scope,
    known: new KnownAttributes(COLUMNS),
    disabledAtSource: 'Deactivate',
    seed: null,
    tenant: { defaultDomain: null },
  });
  return { people, problems };
}

function presenceOf(spec: ScopeSpec, attributes: Record<string, Json>, rest: Partial<SourceUser> = {}): string {
  const { people, problems } = createMapper(spec);
  expect(problems).toEqual([]);
  return people.map(aSourceUser(attributes, rest), NOW).desired.presence;
}

describe('who is not assigned to the application', () => {
  const assigned: Clause = { attribute: 'appRoleAssignments', operator: 'IsNotNull' };
  const sales: Clause = { attribute: 'department', operator: 'Equals', value: 'Sales' };

  it.each<readonly [ScopeSpec, boolean]>([
    [{}, true],
    [{ filters: [[sales]] }, true],
    [{ users: 'AssignedToApplication' }, false],
    [{ filters: [[sales, assigned]] }, false],
    [{ filters: [[sales, assigned], [sales]] }, true],
    [{ filters: [[{ ...assigned, attribute: 'source:appRoleAssignments' }]] }, false],
    [{ filters: [[{ ...assigned, operator: 'IsNull' }]] }, true],
    [{ cel: 'size(user.appRoleAssignments) > 0' }, false],
    [{ expression: 'IsPresent([appRoleAssignments])' }, false],
  ])('is in the scope %j: %s', (scope, is) => {
    expect(takesUnassigned(scope)).toBe(is);
  });
});

describe('the scope of who is assigned to the application', () => {
  const role = { id: 'r', value: 'Editor', displayName: 'Editors' };

  it('takes whoever has a role, and nobody else, by the attribute of the source', () => {
    const users = 'AssignedToApplication';
    expect(presenceOf({ users }, { appRoleAssignments: [role] })).toBe('present');
    expect(presenceOf({ users }, { appRoleAssignments: null })).toBe('outOfScope');
    expect(presenceOf({ users }, {}, { unknown: ['appRoleAssignments'] })).toBe('undecided');
    expect(presenceOf({ users }, { appRoleAssignments: [] })).toBe('outOfScope');
    const filters = [[{ attribute: 'department', operator: 'Equals', value: 'Sales' } as const]];
    expect(presenceOf({ users, filters }, { appRoleAssignments: [role], department: 'Legal' })).toBe('outOfScope');
  });
});

describe('the scope of members of groups', () => {
  const scope = { users: 'MembersOfGroups', groups: ['Engineering', 'g-fin'] } as const;
  const groups = [{ id: 'g-sales', displayName: 'Sales' }];

  it.each<readonly [Partial<SourceUser>, string, string]>([
    [{ inScopeGroups: true, groups }, 'present', 'who belongs to one of them'],
    [{ inScopeGroups: false, groups }, 'outOfScope', 'who belongs to none'],
    [{ groups }, 'undecided', 'of whom it cannot be told (I13)'],
    [{ inScopeGroups: true }, 'present', 'whatever is not known of other groups'],
    [{ inScopeGroups: false }, 'outOfScope', 'whatever is not known of other groups'],
  ])('%j is %s: %s', (rest, presence) => {
    expect(presenceOf(scope, {}, rest)).toBe(presence);
  });

  it('is narrowed by filters', () => {
    const filters = [[{ attribute: 'department', operator: 'Equals', value: 'Sales' } as const]];
    const of = (department: string) => presenceOf({ ...scope, filters }, { department }, { inScopeGroups: true });
    expect([of('Sales'), of('Legal')]).toEqual(['present', 'outOfScope']);
  });

  it.each<readonly [Partial<SourceUser>, object]>([
    [
      { inScopeGroups: false, groups },
      { holds: false, values: [{ name: 'groups', value: ['Sales'] }] },
    ],
    [{ groups }, { holds: null, values: [{ name: 'groups', value: null, unknown: 'person' }] }],
    [{ inScopeGroups: false }, { holds: false, values: [] }],
    [
      { inScopeGroups: true, groups },
      { holds: true, values: [] },
    ],
  ])('tells why: %j', (rest, trace) => {
    const { people } = createMapper(scope);
    const { scope: traced } = people.trace(aSourceUser({}, rest), NOW);
    expect(traced).toMatchObject({ text: 'member of "Engineering" or "g-fin"', ...trace });
  });

  it('names some of many groups', () => {
    const many = ['a', 'b', 'c', 'd', 'e', 'f', 'g'];
    const { people } = createMapper({ ...scope, groups: many });
    expect(people.trace(aSourceUser({}), NOW).scope?.text).toBe('member of "a" or "b" or "c" or "d" or "e" or 2 more');
  });

  it('needs groups, in the spec and in the source', () => {
    expect(createMapper({ users: 'MembersOfGroups' }).problems).toEqual(['users MembersOfGroups needs scope.groups']);
    const problems: string[] = [];
    compileScope(scope, compileWell(BASE_ENTRIES).names, (field, message) => problems.push(`${field} ${message}`));
    expect(problems[0]).toContain('users it asks for groups of the source, and spec.source reads none');
  });
});

describe('the scope', () => {
  const sales = { department: 'Sales', level: 7 };

  it.each<readonly [ScopeSpec, string, string]>([
    [{}, 'present', 'everybody'],
    [{ filters: [] }, 'present', 'an empty list of filters takes everybody too'],
    [{ cel: 'user.department == "Sales"' }, 'present', 'whom CEL takes'],
    [{ cel: 'user.department == "Legal"' }, 'outOfScope', 'whom CEL does not take'],
    [{ cel: 'user.level > 5 && user.department.startsWith("S")' }, 'present', 'with the types of the source'],
    [{ cel: 'desired.userName.endsWith("@example.com")' }, 'present', 'what mappings give'],
    [{ cel: 'now > timestamp("2026-06-01T00:00:00Z")' }, 'present', 'the moment of the run'],
    [{ expression: 'Switch([department], "False", "Sales", "True")' }, 'present', 'an expression that is true'],
    [{ expression: 'IsPresent([hired])' }, 'outOfScope', 'one that is false'],
    [{ expression: '[hired]' }, 'outOfScope', 'one without a value'],
    [
      { filters: [[{ attribute: 'department', operator: 'Equals', value: 'Sales' }]], cel: 'user.level > 8' },
      'outOfScope',
      'all of them must hold',
    ],
    [
      {
        filters: [[{ attribute: 'department', operator: 'Equals', value: 'Sales' }]],
        cel: 'user.level > 5',
        expression: 'IsPresent([mail])',
      },
      'present',
      'as here',
    ],
    [
      { filters: [[{ attribute: 'department', operator: 'Matches', value: '^s', caseSensitive: true }]] },
      'outOfScope',
      'with regard to case',
    ],
  ])('%j: %s, %s', (spec, presence) => {
    expect(presenceOf(spec, sales)).toBe(presence);
  });

  it('asks for groups of the source', () => {
    const groups = [{ id: 'g-1', displayName: 'Engineering' }];
    expect(presenceOf({ cel: '"Engineering" in groups' }, sales, { groups })).toBe('present');
    expect(presenceOf({ cel: '"Sales" in groups' }, sales, { groups })).toBe('outOfScope');
  });

  it.each<readonly [ScopeSpec, Partial<SourceUser>, string]>([
    [{ cel: 'user.department == "Legal"' }, { unknown: ['department'] }, 'an attribute'],
    [{ expression: 'IsPresent([hired])' }, { unknown: ['hired'] }, 'one of an expression'],
    [{ cel: '"Engineering" in groups' }, {}, 'the groups'],
  ])('%j decides nothing while it is unknown: %s (I13)', (spec, rest) => {
    expect(presenceOf(spec, sales, rest)).toBe('undecided');
  });

  it.each<readonly [ScopeSpec, string]>([
    [{ cel: 'user.hired.startsWith("2026")' }, 'scope: found no matching overload'],
    [{ cel: 'user.level' }, 'scope: the expression gives neither true nor false'],
    [{ expression: '[department]' }, 'scope: the expression gives neither True nor False'],
    [
      { expression: 'Switch([department], "True", "Sales", IgnoreAttributeFlow)' },
      'scope: the expression gives neither True nor False',
    ],
  ])('leaves whom it cannot judge as they are: %j (I8)', (spec, message) => {
    const { people } = createMapper(spec);
    const { desired, errors } = people.map(aSourceUser(sales), NOW);
    expect(desired.presence).toBe('undecided');
    expect(errors.map((error) => error.message)[0]).toContain(message);
  });

  it.each<readonly [ScopeSpec, string]>([
    [{ filters: [[]] }, 'filters the list of clauses is empty: an empty match is an error, never everybody'],
    [{ filters: [[{ operator: 'IsInTeam', value: 'Sales' }]] }, 'filters the scope cannot ask for teams'],
    [{ cel: 'user.department ==' }, 'cel column 17: cannot be read from here on: "=="'],
    [{ cel: 'usr.department == "x"' }, 'cel column 1: undeclared reference to "usr"; did you mean "user"?'],
    [{ cel: 'user["custom:teir"] == "x"' }, 'cel there is no CustomAttribute "teir"'],
    [{ cel: 'desired.usrName == "x"' }, 'cel no entry of the mappings writes "usrName" in the target'],
    [{ expression: 'Foo([x])' }, 'expression column 1: unknown function "Foo"'],
    [{ expression: 'Guid()' }, 'expression Guid cannot decide who is in scope'],
  ])('%j is refused: %s', (spec, message) => {
    expect(createMapper(spec).problems[0]).toContain(message);
  });
});

describe('a TeamRule with cel', () => {
  const problemsOf = (cel: string): string[] => {
    const problems: MappingProblem[] = [];
    compileRules([aTeamRule('x', { team: { displayName: 'X' }, cel })], compileWell(BASE_ENTRIES), problems);
    return problems.map(toLine);
  };

  it('has everybody whom it takes, and keeps what somebody has whom it cannot judge (I8)', () => {
    const mapping = compileWell(BASE_ENTRIES);
    const cel = 'user.level >= 5 && "Sales" == user.department';
    const rules = compileRules([aTeamRule('sales', { team: { displayName: 'Seniors' }, cel })], mapping, []);
    const mapper = createTeamMapper({ mapping, rules, known: new KnownAttributes(COLUMNS), mark: 'dirsync:x/y:' });
    const map = (attributes: Record<string, Json>) =>
      mapper.map(aDesiredUser(), aPersonView(aSourceUser(attributes)), NOW);
    expect(map({ level: 7, department: 'Sales' }).memberOf).toEqual(['rule:seniors']);
    expect(map({ level: 3, department: 'Sales' }).memberOf).toEqual([]);
    const failed = map({ level: null, department: 'Sales' });
    expect(failed.undecidedRules).toEqual(['sales']);
    expect(failed.errors[0]?.message).toContain('has(user.name) asks whether there is a value');
  });

  it.each<readonly [string, string]>([
    ['user.a + 1', '/spec/cel column 1: expected true or false'],
    ['"x" in groups', '/spec/cel it asks for groups of the source, and spec.source reads none'],
    ['user.a == foo', '/spec/cel column 11: undeclared reference to "foo"'],
  ])('%s is refused: %s', (cel, message) => {
    expect(problemsOf(cel)[0]).toContain(message);
  });
});

describe('an entry of a mapping with cel', () => {
  function map(entry: Partial<AttributeEntry>, user: SourceUser) {
    const { people } = createMapper({}, [{ target: 'title', ...entry }]);
    const { desired, errors } = people.map(user, NOW);
    return { title: desired.attributes['title'] ?? null, kept: desired.kept, errors: errors.map((e) => e.message) };
  }

  it.each<readonly [string, Record<string, Json>, Json]>([
    ['user.department + " " + string(user.level)', { department: 'Sales', level: 7 }, 'Sales 7'],
    ['has(user.hired) ? user.hired : user.department', { department: 'Sales' }, 'Sales'],
    ['user["source:department"].upperAscii()', { department: 'Sales' }, 'SALES'],
    ['user.department', {}, null],
    ['user.level', { level: 7 }, '7'],
  ])('%s of %j is %j', (cel, attributes, title) => {
    expect(map({ cel }, aSourceUser(attributes)).title).toBe(title);
  });

  it('keeps the value while what it asks for is unknown (I13)', () => {
    expect(map({ cel: 'user.department' }, aSourceUser({}, { unknown: ['department'] })).kept).toEqual(['title']);
  });

  it('holds back that attribute where it fails (I8)', () => {
    const { title, kept, errors } = map({ cel: 'user.department.upperAscii()' }, aSourceUser({ department: 7 }));
    expect([title, kept]).toEqual([null, ['title']]);
    expect(errors[0]).toContain('found no matching overload');
  });

  it.each<readonly [string, string]>([
    ['user.department.upper()', '/spec/attributes/2/cel undeclared function'],
    ['desired.userName', '/spec/attributes/2/cel column 1: undeclared reference to "desired"'],
    ['groups[0]', '/spec/attributes/2/cel it asks for groups of the source'],
    ['user["custom:x"]', '/spec/attributes/2/cel there is no CustomAttribute "x"'],
  ])('%s is refused: %s', (cel, message) => {
    const { problems } = compile([aMapping([...BASE_ENTRIES, { target: 'title', cel }])]);
    expect(problems[0]?.replace(/column 16: (?=undeclared function)/, '')).toContain(message);
  });
});
