import { describe, expect, it } from 'vitest';
import { createCompany, MAPPING, RULES, SECRET, toSyncText } from './company.ts';

const SYNC = toSyncText({ url: 'http://127.0.0.1:8085/scim/v2' });

const TEAMS = `apiVersion: dirsync.dev/v1alpha1
kind: AttributeMapping
metadata: { name: teams }
spec:
  resource: Team
  attributes:
    - { target: description, expression: 'IIF([note] = "skip", IgnoreObjectFlow, ToUpper([note]))' }
`;

interface Shown {
  readonly name: string;
  readonly pass: boolean;
  readonly message: string | null;
}

const toTest = (cases: readonly unknown[]): string =>
  JSON.stringify({
    apiVersion: 'dirsync.dev/v1alpha1',
    kind: 'MappingTest',
    metadata: { name: 'all' },
    spec: { cases },
  });

async function run(cases: readonly unknown[], ...more: readonly string[]) {
  const company = await createCompany({
    'manifests/sync.yaml': SYNC,
    'manifests/mapping.yaml': MAPPING,
    'manifests/rules.yaml': RULES,
    'manifests/teams.yaml': TEAMS,
    'manifests/secret.yaml': SECRET,
    'manifests/tests/all.json': toTest(cases),
  });
  const { code, stdout, stderr } = await company.run(['test', 'manifests/tests/all.json', ...more]);
  return { code, stdout, stderr };
}

async function messages(...cases: readonly unknown[]): Promise<readonly (string | null)[]> {
  const { stdout } = await run(cases, '-o', 'json');
  return (JSON.parse(stdout) as { results: readonly Shown[] }).results.map(({ message }) => message);
}

const ADA = { givenName: 'Ada', surname: 'Byron', department: 'SALES' };

describe('dirsync test', () => {
  it.each<readonly [string, Record<string, unknown>]>([
    ['an expression', { expression: 'Join(" ", [givenName], [surname])', user: ADA, expect: 'Ada Byron' }],
    ['what is not there is null', { expression: '[mobile]', user: ADA, expect: null }],
    ['a pattern', { expression: 'Guid()', user: ADA, expectPattern: '^[0-9a-f-]{36}$' }],
    ['an error of the person', { expression: 'Error("no")', user: ADA, expectError: true }],
    ['an error of the text', { expression: 'Joint([a])', user: ADA, expectError: true }],
    [
      'that nothing flows',
      { expression: 'IIF(IsPresent([x]), "a", IgnoreAttributeFlow)', user: ADA, expectIgnored: true },
    ],
    [
      'the moment',
      {
        expression: 'FormatDateTime(Now(), , "M/d/yyyy h:mm:ss tt", "yyyy")',
        user: ADA,
        now: '2030-05-01T00:00:00Z',
        expect: '2030',
      },
    ],
    [
      'values that are taken',
      { expression: 'SelectUniqueValue("ada", "ada2")', user: ADA, taken: ['ADA'], expect: 'ada2' },
    ],
    [
      'that all are taken',
      { expression: 'SelectUniqueValue("a", "b")', user: ADA, taken: ['a', 'b'], expectError: true },
    ],
    [
      'the tenant',
      { expression: 'DefaultDomain()', user: ADA, context: { defaultDomain: 'corp.example' }, expect: 'corp.example' },
    ],
    ['a rule', { rule: 'user.department -eq "Sales"', user: ADA, expect: true }],
    ['a rule that takes them not', { rule: 'user.department -ne "Sales"', user: ADA, expect: false }],
    ['clauses', { match: [{ attribute: 'department', operator: 'In', values: ['sales'] }], user: ADA, expect: true }],
    [
      'groups',
      { match: [{ operator: 'IsMemberOf', value: 'Engineering' }], user: ADA, groups: ['engineering'], expect: true },
    ],
    [
      'a mapping: values by target, of which only those listed are compared',
      {
        mapping: 'users',
        user: { id: 'p1', userName: 'ada@example.com' },
        expect: { userName: 'ada@example.com', nickName: null },
      },
    ],
    [
      'the teams of every rule of a DirectorySync, in any order',
      {
        teamRules: 'acme',
        user: { id: 'p1', userName: 'ada', department: 'Sales', teams: 'Chess' },
        expect: ['Sales People', 'Chess'],
      },
    ],
    [
      'a mapping of teams, over a group',
      {
        mapping: 'teams',
        group: { id: 'g-1', displayName: 'Sales', note: 'x' },
        expect: { displayName: 'Sales', externalId: 'g-1', description: 'X' },
      },
    ],
    ['a group that is left alone', { mapping: 'teams', group: { note: 'skip' }, expectIgnored: true }],
    ['an expression over a group', { expression: '[displayName]', group: { displayName: 'Sales' }, expect: 'Sales' }],
  ])('knows %s', async (_what, test) => {
    expect(await messages(test)).toEqual([null]);
  });

  it.each<readonly [Record<string, unknown>, string]>([
    [{ expression: '[givenName]', user: ADA, expect: 'Bob' }, 'expected "Bob"\n     got "Ada"'],
    [{ expression: 'Error("no")', user: ADA, expect: 'a' }, 'expected "a"\n     got the error: '],
    [{ expression: '[givenName]', user: ADA, expectError: true }, 'expected an error\n     got "Ada"'],
    [{ expression: '[givenName]', user: ADA, expectIgnored: true }, 'expected that nothing flows\n     got "Ada"'],
    [
      { expression: '[givenName]', user: ADA, expectPattern: '^b' },
      'expected a text that ^b is found in\n     got "Ada"',
    ],
    [{ rule: 'user.department -eq', user: ADA, expect: true }, 'column 20: expected a value'],
    [{ mapping: 'teams', user: ADA, expect: {} }, '"teams" is a mapping of teams: describe a group'],
    [{ mapping: 'users', group: ADA, expect: {} }, '"users" is a mapping of users: describe a user'],
    [{ mapping: 'nobody', user: ADA, expect: {} }, 'there is no valid AttributeMapping "nobody"'],
    [{ teamRules: 'nobody', user: ADA, expect: [] }, 'there is no valid DirectorySync "nobody"'],
    [
      { mapping: 'users', user: { id: 'p1', userName: 'ada' }, expect: { userName: 'bob' } },
      'expected {"userName":"bob"}\n     got {"userName":"ada"}',
    ],
  ])('%j fails and says what came', async (test, says) => {
    const [message] = await messages(test);
    expect(message).toContain(says);
  });

  it('prints failures with their place, and ends with 1', async () => {
    const cases = [
      { name: 'first', expression: '"a"', user: {}, expect: 'a' },
      { name: 'second', expression: '"a"', user: {}, expect: 'b' },
    ];
    const text = await run(cases);
    expect(text).toEqual({
      code: 1,
      stderr: '',
      stdout: `FAILED all: second
  manifests/tests/all.json:1:${toTest(cases).indexOf('{"name":"second"') + 1}
  expected "b"
       got "a"
1 passed, 1 failed
`,
    });
    expect(JSON.parse((await run(cases, '-o', 'json')).stdout)).toEqual({
      passed: 1,
      failed: 1,
      results: [
        { name: 'all: first', pass: true, message: null },
        { name: 'all: second', pass: false, message: 'expected "b"\n     got "a"' },
      ],
    });
    const { stdout } = await run(cases, '-o', 'junit');
    expect(stdout).toContain('<testsuites tests="2" failures="1">');
    expect(stdout).toContain('<failure message="expected &quot;b&quot;&#10;     got &quot;a&quot;"/>');
    expect((await run(cases.slice(0, 1))).code).toBe(0);
  });

  it.each<readonly [string, string, string]>([
    ['tests.yaml', 'kind: [', 'tests.yaml:1:8 is no YAML: '],
    ['tests.yaml', 'kind: Secret\n', 'tests.yaml: there is no MappingTest in it'],
    [
      'tests.yaml',
      'apiVersion: dirsync.dev/v1alpha1\nkind: MappingTest\nmetadata: { name: t }\nspec:\n  cases:\n    - { expression: a, rule: b, user: {}, expect: 1 }\n',
      'tests.yaml:6:7 spec.cases[0]: exactly one of expression, rule, match, mapping, teamRules must be set (found expression and rule)',
    ],
    [
      'tests.yaml',
      'apiVersion: dirsync.dev/v1alpha1\nkind: MappingTest\nmetadata: { name: t }\nspec:\n  cases:\n    - { expression: a, user: {} }\n',
      'exactly one of expect, expectPattern, expectError, expectIgnored must be set (found none)',
    ],
    ['none.yaml', '', 'tests.yaml: there is no such file, or it cannot be read'],
  ])('%s with %j is refused with its place', async (file, text, says) => {
    const company = await createCompany({ [file]: text });
    const { code, stderr } = await company.run(['test', 'tests.yaml']);
    expect(code).toBe(1);
    expect(stderr).toContain(says);
  });

  it('takes resources from -f, or beside the file', async () => {
    const test = toTest([{ mapping: 'users', user: { id: 'p1', userName: 'ada' }, expect: { userName: 'ada' } }]);
    const company = await createCompany({
      'manifests/mapping.yaml': MAPPING,
      'manifests/one.json': test,
      'elsewhere/one.json': test,
    });
    expect((await company.run(['test', 'manifests/one.json'])).code).toBe(0);
    expect((await company.run(['test', 'elsewhere/one.json'])).code).toBe(1);
    expect((await company.run(['test', 'elsewhere/one.json', 'manifests/one.json', '-f', 'manifests'])).code).toBe(0);
  });
});
