import { describe, expect, it } from 'vitest';
import { createCompany } from './company.ts';

async function run(...argv: readonly string[]) {
  const company = await createCompany({ 'ada.json': '{"givenName":"Ada","surname":"Byron","department":"SALES"}' });
  return company.run(['eval', ...argv]);
}

describe('dirsync eval', () => {
  it('shows every value of an expression as a tree, branches that were not taken left out', async () => {
    const text =
      'Switch(ToLower([department]), "Other", "sales", Join(" ", [givenName], Mid([surname], 1, 1)), "it", [x])';
    const { code, stdout, stderr } = await run(text, '--user', '@ada.json');
    expect([code, stderr]).toEqual([0, '']);
    expect(stdout).toBe(`${text}  → "Ada B"
  ToLower([department])  → "sales"
    [department]  → "SALES"
  Join(" ", [givenName], Mid([surname], 1, 1))  → "Ada B"
    [givenName]  → "Ada"
    Mid([surname], 1, 1)  → "B"
      [surname]  → "Byron"
= "Ada B"
`);
  });

  it('shows what each part of a rule comes to, and what its properties are', async () => {
    const { code, stdout } = await run(
      '--rule',
      'user.department -eq "Sales" -and -not (user.country -in ["DE"])',
      '--set',
      'department=sales',
    );
    expect(code).toBe(0);
    expect(stdout).toBe(`user.department -eq "Sales" -and -not user.country -in ["DE"]  → true
  user.department -eq "Sales"  → true
    user.department  → "sales"
  -not user.country -in ["DE"]  → true
    user.country -in ["DE"]  → false
      user.country  → null
= true
`);
  });

  it.each<readonly [readonly string[], string]>([
    [['Join(", ", [tags])', '--set', 'tags=["a","b"]'], '= "a, b"\n'],
    [['[level]', '--set', 'level=3'], '= 3\n'],
    [['DefaultDomain()', '--default-domain', 'corp.example'], '= "corp.example"\n'],
    [['Now()', '--now', '2026-01-31T09:00:00Z'], '2026'],
    [['IIF(IsPresent([a]), "b", IgnoreAttributeFlow)'], '= nothing flows (SkipAttribute)\n'],
    [['SelectUniqueValue("a", "b")'], '= ["a","b"]\n'],
    [['--rule', "user.memberOf -any (group.objectId -in ['g1'])", '--group', 'g1'], '= true\n'],
  ])('%j gives %j', async (argv, says) => {
    const { code, stdout } = await run(...argv);
    expect(code).toBe(0);
    expect(stdout).toContain(says);
  });

  it.each<readonly [readonly string[], string]>([
    [['Joint("a")'], '= error: column 1: unknown function "Joint"; did you mean "Join"?\n'],
    [['Join(", ", Error("wrong"))'], '= error: wrong\n'],
    [['--rule', 'user.department -eq'], '= error: column 20: expected a value, but found the end\n'],
  ])('%j ends with 1 and says %j', async (argv, says) => {
    const { code, stdout } = await run(...argv);
    expect(code).toBe(1);
    expect(stdout).toContain(says);
  });

  it.each<readonly [readonly string[], number, string]>([
    [['[a]', '--user', '[1]'], 1, '--user: expected one record as a JSON object, or @FILE with one'],
    [['[a]', '--user', '@nobody.json'], 1, 'nobody.json cannot be read'],
    [['[a]', '--set', 'a'], 64, 'write name=value'],
    [['[a]', '--now', 'yesterday'], 64, 'write a time such as 2026-01-31T09:00:00Z'],
  ])('%j ends with %i and says %j', async (argv, code, says) => {
    const ended = await run(...argv);
    expect(ended.code).toBe(code);
    expect(ended.stderr).toContain(says);
  });

  it('prints the tree as JSON', async () => {
    const { stdout } = await run('ToUpper([a])', '--set', 'a=x', '-o', 'json');
    expect(JSON.parse(stdout)).toEqual({
      steps: [{ text: 'ToUpper([a])', value: 'X', steps: [{ text: '[a]', value: 'x', steps: [] }] }],
      result: 'X',
    });
  });
});
