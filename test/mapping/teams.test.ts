import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { TeamRuleSpec } from '../../src/api/team-rule.ts';
import { KnownAttributes } from '../../src/mapping/names.ts';
import type { MappingProblem } from '../../src/mapping/problem.ts';
import { compileRules } from '../../src/mapping/rules.ts';
import { createTeamMapper, toAccountNames, uniteTeams } from '../../src/mapping/teams.ts';
import { type DesiredTeam, type DesiredUser, type Json, NO_VALUES, type SourceUser } from '../../src/model.ts';
import {
  aCustomAttribute,
  aDesiredTeam,
  aDesiredUser,
  aPersonView,
  aSourceUser,
  aTeamRule,
  BASE_ENTRIES,
  compileWell,
  NOW,
  toLine,
} from '../support/builders.ts';

type Rules = Readonly<Record<string, Partial<TeamRuleSpec>>>;

const COLUMNS = ['id', 'mail', 'department', 'title', 'teams', 'clubs', 'tier'];

function compile(rules: Rules) {
  const problems: MappingProblem[] = [];
  const mapping = compileWell([...BASE_ENTRIES, { target: 'tier', source: 'tier' }], [aCustomAttribute('tier')]);
  const resources = Object.entries(rules).map(([name, spec]) => aTeamRule(name, spec));
  return { set: compileRules(resources, mapping, problems), mapping, problems: problems.map(toLine) };
}

function createMapper(rules: Rules, missing: readonly string[] = []) {
  const { set, mapping } = compile(rules);
  const known = new KnownAttributes(COLUMNS.filter((column) => !missing.includes(column)));
  return createTeamMapper({ mapping, rules: set, known, mark: 'dirsync:identity/acme:' });
}

/** Names of the person's teams. */
function teamsOf(rules: Rules, attributes: Record<string, Json>, desired: Partial<DesiredUser> = {}): string[] {
  const user = aSourceUser(attributes);
  const mapped = createMapper(rules).map(
    aDesiredUser(desired),
    aPersonView(user, { customs: new Map([['tier', 'gold']]) }),
    NOW,
  );
  expect(mapped.memberOf).toEqual(mapped.teams.map(({ key }) => key));
  return mapped.teams.map(({ displayName }) => displayName);
}

const byDepartment = (value: string, displayName = value): Partial<TeamRuleSpec> => ({
  team: { displayName },
  match: [{ attribute: 'department', operator: 'Equals', value }],
});
const clubs = (attributes: string[], separator?: string): Partial<TeamRuleSpec> => ({
  teamsFrom: { attributes, ...(separator === undefined ? {} : { separator }) },
});

describe('compileRules', () => {
  it.each<readonly [Partial<TeamRuleSpec>, string, string]>([
    [
      { team: { displayName: 'X' }, match: [] },
      '/spec/match the list of clauses is empty: an empty match is an error, never everybody',
      'an empty match',
    ],
    [
      { team: { displayName: 'X' }, match: [{ attribute: 'custom:teir', operator: 'IsTrue' }] },
      '/spec/match there is no CustomAttribute "teir"; did you mean "tier"?',
      'a name that is none',
    ],
    [
      clubs(['teams[']),
      '/spec/teamsFrom column 6: expected an index like [0], a selector like [type eq "work"] or a name like ["a.b"]',
      'a path that does not parse',
    ],
    [
      { team: { displayName: '  ' }, match: [{ attribute: 'department', operator: 'IsNotNull' }] },
      '/spec/team/displayName the name of a team must not be blank',
      'a blank name',
    ],
    [
      { team: { displayName: 'X' }, match: [{ operator: 'IsMemberOf', value: 'Engineering' }] },
      '/spec/match it asks for groups of the source, and spec.source reads none: set source.file.groups, or use an attribute, or IsInTeam for a team of another rule',
      'groups of a source that has none',
    ],
    [
      { team: { displayName: 'X' }, match: [{ operator: 'IsInTeam', value: 'Slaes' }] },
      '/spec/match no rule makes a team "Slaes"; did you mean "Sales"?',
      'a team that no rule makes',
    ],
    [
      { team: { displayName: 'X' }, match: [{ attribute: 'desired:usrName', operator: 'IsNotNull' }] },
      '/spec/match no entry of the mappings writes "usrName" in the target; did you mean "userName"?',
      'a value that no mapping gives',
    ],
    [
      { teamsFrom: { expressions: ['Join("-", [teams]'] } },
      '/spec/teamsFrom column 18: expected "," or ")" but found the end',
      'an expression that does not parse',
    ],
    [
      { teamsFrom: { expressions: ['Append("team-", Guid())'] } },
      '/spec/teamsFrom Guid cannot name a team',
      'a name that is another one for everybody',
    ],
    [
      { teamsFrom: { expressions: ['SelectUniqueValue([teams], "x")'] } },
      '/spec/teamsFrom SelectUniqueValue cannot name a team',
      'a name that depends on who has it',
    ],
  ])('%j: %s', (spec, problem) => {
    const { set, problems } = compile({ wrong: spec, right: byDepartment('Sales') });
    expect(problems).toEqual([problem]);
    expect(set.invalid).toEqual(['wrong']);
    expect(set.rules.map(({ name }) => name)).toEqual(['right']);
  });
});

describe('team.externalId', () => {
  const marked = (displayName: string, externalId: string): Partial<TeamRuleSpec> => ({
    team: { displayName, externalId },
    everyone: true,
  });

  it('replaces the mark, for whatever rule makes the team', () => {
    const rules: Rules = { all: marked('Chess', 'T-7'), clubs: clubs(['teams']), more: byDepartment('Sales', 'chess') };
    const mapper = createMapper(rules);
    expect(mapper.fixedTeams.map(({ externalId }) => externalId)).toEqual(['T-7', 'T-7']);
    const user = aSourceUser({ teams: 'CHESS;Go' });
    const { teams } = mapper.map(aDesiredUser(), aPersonView(user), NOW);
    expect(teams.map(({ externalId }) => externalId)).toEqual(['T-7', 'dirsync:identity/acme:go']);
  });

  it('stands beside a description, of several rules that of the first by name', () => {
    const described = (description?: string): Partial<TeamRuleSpec> => ({
      team: { displayName: 'Chess', ...(description === undefined ? {} : { description }) },
      everyone: true,
    });
    const { fixedTeams } = createMapper({ c: described('third'), b: described('second'), a: described() });
    expect(fixedTeams.map(({ values }) => values.attributes)).toEqual(Array(3).fill({ description: 'second' }));
    expect(createMapper({ a: described() }).fixedTeams[0]?.values.attributes).toEqual({});
  });

  it('belongs to one team', () => {
    const { set, problems } = compile({ a: marked('Chess', 'T-7'), b: marked('Go', 'T-7'), c: marked('chess', 'T-8') });
    expect(problems).toEqual([
      '/spec/team/externalId another team has the externalId "T-7"',
      '/spec/team/externalId another rule gives the team "chess" another externalId',
    ]);
    expect(set.invalid).toEqual(['b', 'c']);
  });
});

describe('a rule with match', () => {
  it('has everybody who meets all clauses', () => {
    const rules: Rules = {
      finance: {
        team: { displayName: ' Finance Seniors ' },
        match: [
          { attribute: 'department', operator: 'In', values: ['Finance'] },
          { attribute: 'title', operator: 'StartsWith', value: 'Senior' },
        ],
      },
    };
    expect(teamsOf(rules, { department: 'finance', title: 'Senior Clerk' })).toEqual(['Finance Seniors']);
    expect(teamsOf(rules, { department: 'Finance', title: 'Clerk' })).toEqual([]);
    expect(teamsOf(rules, { department: 'Finance', title: null })).toEqual([]);
  });

  it('reads CustomAttributes', () => {
    const rules: Rules = {
      gold: { team: { displayName: 'Gold' }, match: [{ attribute: 'tier', operator: 'Equals', value: 'GOLD' }] },
    };
    expect(teamsOf(rules, { tier: 'of the file' })).toEqual(['Gold']);
  });

  it('calls for its team also when nobody belongs to it, with a mark to recognise it by', () => {
    expect(createMapper({ sales: { ...byDepartment('Sales'), whenEmpty: 'Delete' } }).fixedTeams).toEqual([
      {
        key: 'rule:sales',
        displayName: 'Sales',
        externalId: 'dirsync:identity/acme:sales',
        values: NO_VALUES,
        rules: ['sales'],
        whenEmpty: 'Delete',
        deletionPolicy: 'Retain',
      },
    ]);
  });
});

describe('everyone', () => {
  it('is everybody, but for exclude', () => {
    const rules: Rules = { all: { team: { displayName: 'All' }, everyone: true } };
    expect(teamsOf(rules, {})).toEqual(['All']);
    expect(teamsOf({ all: { ...rules['all'], exclude: ['p1'] } }, {})).toEqual([]);
  });
});

describe('a rule that reads what the mappings give', () => {
  const rules: Rules = {
    named: {
      team: { displayName: 'Named' },
      match: [{ attribute: 'desired:userName', operator: 'EndsWith', value: '@corp.example' }],
    },
  };
  const withName = (userName: string, kept: string[] = []) => {
    const desired = aDesiredUser({ attributes: { userName }, kept });
    return createMapper(rules).map(desired, aPersonView(aSourceUser(), { mapped: desired }), NOW);
  };

  it('sees the value of the target', () => {
    expect(withName('ada@corp.example').memberOf).toEqual(['rule:named']);
    expect(withName('ada@example.com').memberOf).toEqual([]);
  });

  it('decides nothing while that is unknown (I13)', () => {
    expect(withName('ada@corp.example', ['userName']).undecidedRules).toEqual(['named']);
  });
});

describe('IsInTeam', () => {
  const inTeam = (value: string, displayName: string): Partial<TeamRuleSpec> => ({
    team: { displayName },
    match: [{ operator: 'IsInTeam', value }],
  });

  it('follows the other rule, whatever the order of the resources', () => {
    const rules: Rules = {
      a: inTeam('b team', 'A team'),
      b: inTeam('Sales', 'B team'),
      c: { ...byDepartment('Sales'), include: ['p2'] },
    };
    expect(compile(rules).set.rules.map(({ name }) => name)).toEqual(['c', 'b', 'a']);
    expect(teamsOf(rules, { department: 'Sales' })).toEqual(['Sales', 'B team', 'A team']);
    expect(teamsOf(rules, { department: 'IT' })).toEqual([]);
    expect(teamsOf(rules, { department: 'IT' }, { sourceId: 'p2' })).toEqual(['Sales', 'B team', 'A team']);
  });

  it('knows the teams that values name', () => {
    const rules: Rules = { players: inTeam('Chess', 'Players'), clubs: clubs(['teams']) };
    expect(teamsOf(rules, { teams: 'Go;CHESS' })).toEqual(['Go', 'CHESS', 'Players']);
    expect(teamsOf(rules, { teams: 'Go' })).toEqual(['Go']);
  });

  it('in a circle is refused, and freezes the teams of that circle alone', () => {
    const rules: Rules = { a: inTeam('B', 'A'), b: inTeam('C', 'B'), c: inTeam('A', 'C'), d: byDepartment('Sales') };
    const { set, problems } = compile(rules);
    expect(problems).toEqual(['a', 'b', 'c'].map(() => "/spec/match rules ask for each other's teams: a → b → c → a"));
    expect(set.invalid).toEqual(['a', 'b', 'c']);
    expect(set.rules.map(({ name }) => name)).toEqual(['d']);
    expect(compile({ self: inTeam('Self', 'self') }).problems).toEqual([
      "/spec/match rules ask for each other's teams: self → self",
    ]);
  });

  it.each<readonly [Rules, readonly string[], SourceUser, string]>([
    [
      { sales: byDepartment('Sales') },
      [],
      aSourceUser({ department: 'Sales' }, { unknown: ['department'] }),
      'unknown for the person',
    ],
    [{ sales: { ...byDepartment('Sales'), suspend: true } }, [], aSourceUser(), 'suspended'],
    [{ sales: byDepartment('Sales') }, ['department'], aSourceUser(), 'without its attribute'],
    [{ sales: { ...byDepartment('Sales'), match: [] } }, [], aSourceUser(), 'invalid'],
    [{ clubs: clubs(['teams']) }, [], aSourceUser({ teams: 'x' }, { unknown: ['teams'] }), 'of unknown values'],
    [{ clubs: { ...clubs(['teams']), suspend: true } }, [], aSourceUser(), 'of values, suspended'],
  ])('decides nothing while the other rule is left alone (I13): %#', (rules, missing, user) => {
    const mapper = createMapper({ ...rules, best: inTeam('Sales', 'Best') }, missing);
    const { undecidedRules, memberOf } = mapper.map(aDesiredUser(), aPersonView(user), NOW);
    expect(memberOf).toEqual([]);
    expect(undecidedRules).toContain('best');
  });

  it('is settled by a second rule of that team', () => {
    const rules: Rules = {
      paused: { ...byDepartment('Sales'), suspend: true },
      sales: byDepartment('IT', 'sales'),
      best: inTeam('Sales', 'Best'),
    };
    expect(teamsOf(rules, { department: 'IT' })).toEqual(['sales', 'Best']);
  });
});

describe('include and exclude', () => {
  const desired: Partial<DesiredUser> = {
    sourceId: 'P-1',
    attributes: { userName: 'Ada@corp.example', 'emails[type eq "work"].value': 'ada.byron@corp.example' },
  };

  it.each<readonly [Partial<TeamRuleSpec>, string[], string]>([
    [{}, [], 'neither'],
    [{ include: ['p-1'] }, ['Sales'], 'by source id, without case'],
    [{ include: [' ADA@corp.example '] }, ['Sales'], 'by userName, trimmed'],
    [{ include: ['ada.byron@corp.example'] }, ['Sales'], 'by a mail address that is written'],
    [{ include: ['p1@example.com'] }, ['Sales'], 'by the mail address of the source'],
    [{ include: ['p-1'], exclude: ['ada@corp.example'] }, [], 'exclude wins'],
  ])('%j: %j, %s', (spec, teams) => {
    expect(teamsOf({ sales: { ...byDepartment('Sales'), ...spec } }, { department: 'IT' }, desired)).toEqual(teams);
  });

  it('exclude takes out who would match', () => {
    const excluded = { ...byDepartment('Sales'), exclude: ['p1'] };
    expect(teamsOf({ sales: excluded }, { department: 'Sales' })).toEqual([]);
    expect(teamsOf({ clubs: { ...clubs(['teams']), exclude: ['p1'] } }, { teams: 'Chess' })).toEqual([]);
  });

  it('lists entries that nobody answers to', () => {
    const mapper = createMapper({
      sales: { ...byDepartment('Sales'), include: ['p1', 'Nobody@example.com'], exclude: ['nemo'] },
      it: { ...byDepartment('IT'), suspend: true, include: ['nobody'] },
    });
    mapper.map(aDesiredUser(), aPersonView(aSourceUser()), NOW);
    expect(mapper.unresolved()).toEqual([
      { rule: 'sales', entry: 'nobody@example.com' },
      { rule: 'sales', entry: 'nemo' },
    ]);
  });
});

describe('teamsFrom', () => {
  it.each<readonly [Partial<TeamRuleSpec>, Record<string, Json>, string[], string]>([
    [
      clubs(['teams']),
      { teams: ' Chess;Choir ;; ' },
      ['Chess', 'Choir'],
      'several values, trimmed, empty ones left out',
    ],
    [clubs(['teams'], ','), { teams: 'Chess;Choir, Go' }, ['Chess;Choir', 'Go'], 'another separator'],
    [clubs(['teams'], ''), { teams: 'Chess;Choir' }, ['Chess;Choir'], 'no separator: one name'],
    [clubs(['teams']), { teams: ['Chess', 'Go; Choir', 7] }, ['Chess', 'Go', 'Choir', '7'], 'a list, each value split'],
    [clubs(['clubs', 'teams']), { teams: 'Chess', clubs: 'Go' }, ['Go', 'Chess'], 'in the order of the attributes'],
    [clubs(['teams']), { teams: 'Chess;CHESS ; chess' }, ['Chess'], 'the first spelling, once'],
    [clubs(['teams']), { teams: null }, [], 'who has none is in none'],
    [clubs(['teams']), { teams: [true, { a: 1 }] }, [], 'what is no name'],
    [
      { teamsFrom: { attributes: ['teams'], prefix: 'Club ' } },
      { teams: 'Chess; Go' },
      ['Club Chess', 'Club Go'],
      'a prefix before every name',
    ],
    [
      { teamsFrom: { expressions: ['Join(" ", [department], [title])'] } },
      { department: 'Sales', title: 'Lead' },
      ['Sales Lead'],
      'a name by expression',
    ],
    [
      { teamsFrom: { expressions: ['[teams]', '[tier]'], attributes: ['department'] } },
      { teams: ['Chess', 'Go;Choir'], department: 'IT' },
      ['IT', 'Chess', 'Go', 'Choir', 'gold'],
      'attributes first, then expressions, of which a list gives several',
    ],
    [{ teamsFrom: { expressions: ['[teams]'] } }, { teams: null }, [], 'an expression without a value'],
    [{ teamsFrom: { expressions: ['CDate("2026-03-01")'] } }, { teams: 'x' }, ['3/1/2026 12:00:00 AM'], 'a date'],
  ])('%j of %j: %j, %s', (spec, attributes, teams) => {
    expect(teamsOf({ clubs: spec }, attributes)).toEqual(teams);
  });

  it('tells nothing of a person whom an expression cannot judge, and goes on (I8)', () => {
    const mapper = createMapper({
      clubs: { teamsFrom: { expressions: ['Mid([title], [department], 2)'] } },
      all: { team: { displayName: 'All' }, everyone: true },
    });
    const user = aSourceUser({ title: 'Lead', department: 'Sales' });
    const mapped = mapper.map(aDesiredUser(), aPersonView(user), NOW);
    expect(mapped.memberOf).toEqual(['rule:all']);
    expect(mapped.undecidedRules).toEqual(['clubs']);
    expect(mapped.errors).toEqual([
      {
        resource: 'User',
        id: 'p1',
        code: 'RecordInvalid',
        message: 'rule clubs: Mid: start must be a whole number',
      },
    ]);
  });

  it('leaves the teams of a person as they are where an expression says so', () => {
    const mapper = createMapper({
      clubs: { teamsFrom: { expressions: ['Switch([title], [teams], "Lead", IgnoreAttributeFlow)'] } },
    });
    const mapped = (title: string) =>
      mapper.map(aDesiredUser(), aPersonView(aSourceUser({ title, teams: 'Chess' })), NOW);
    expect(mapped('Clerk')).toMatchObject({ memberOf: ['rule:chess'], undecidedRules: [] });
    expect(mapped('Lead')).toMatchObject({ memberOf: [], undecidedRules: ['clubs'], errors: [] });
  });

  it('has no team of its own', () => {
    expect(createMapper({ clubs: clubs(['teams']) }).fixedTeams).toEqual([]);
  });
});

describe('rules of one name', () => {
  it('are one team with the members of all, and of two policies the more careful', () => {
    const user = aSourceUser({ department: 'Sales', teams: 'SALES' });
    const mapper = createMapper({
      b: { ...byDepartment('Sales'), deletionPolicy: 'Delete', whenEmpty: 'Delete' },
      a: { ...clubs(['teams']), deletionPolicy: 'Empty', whenEmpty: 'Retain' },
    });
    expect(mapper.map(aDesiredUser(), aPersonView(user), NOW).teams).toEqual([
      {
        key: 'rule:sales',
        displayName: 'Sales',
        externalId: 'dirsync:identity/acme:sales',
        values: NO_VALUES,
        rules: ['a', 'b'],
        whenEmpty: 'Retain',
        deletionPolicy: 'Empty',
      },
    ]);
  });

  it('unite in any order to the same policies and rules', () => {
    const team = fc.record({
      rules: fc.array(fc.constantFrom('a', 'b', 'c'), { minLength: 1, maxLength: 2 }),
      whenEmpty: fc.constantFrom<DesiredTeam['whenEmpty']>('Retain', 'Delete'),
      deletionPolicy: fc.constantFrom<DesiredTeam['deletionPolicy']>('Retain', 'Empty', 'Delete'),
    });
    fc.assert(
      fc.property(team, team, team, (...parts) => {
        const [a, b, c] = parts.map((part) => aDesiredTeam(part));
        if (a === undefined || b === undefined || c === undefined) return;
        expect(uniteTeams(uniteTeams(a, b), c)).toEqual(uniteTeams(c, uniteTeams(b, a)));
      }),
    );
  });
});

describe('frozen rules', () => {
  const rules: Rules = {
    sales: byDepartment('Sales'),
    paused: { ...byDepartment('IT'), suspend: true },
    clubs: clubs(['teams', 'clubs']),
    wrong: { team: { displayName: 'X' }, match: [] },
  };

  it('are those that are invalid or suspended, and those without a column that they need (I13)', () => {
    expect(createMapper(rules).frozenRules).toEqual(['wrong', 'paused']);
    const mapper = createMapper(rules, ['clubs']);
    expect(mapper.frozenRules).toEqual(['wrong', 'paused', 'clubs']);
    expect(mapper.missingNames).toEqual(['clubs']);
    expect(mapper.fixedTeams.map(({ displayName }) => displayName)).toEqual(['Sales']);
  });
});

describe('a person of whom something is unknown (I13)', () => {
  function undecided(spec: Partial<TeamRuleSpec>, user: SourceUser, desired: Partial<DesiredUser> = {}) {
    const { memberOf, undecidedRules, undecidedTeams } = createMapper({ rule: spec }).map(
      aDesiredUser(desired),
      aPersonView(user),
      NOW,
    );
    return { memberOf, undecidedRules, undecidedTeams };
  }
  const open = { memberOf: [], undecidedRules: ['rule'], undecidedTeams: ['rule:sales'] };
  const settled = (...memberOf: string[]) => ({ memberOf, undecidedRules: [], undecidedTeams: [] });
  const noMail: Partial<DesiredUser> = { attributes: {}, kept: ['userName'] };
  const sales = aSourceUser({ mail: null, department: 'Sales' });
  const itDepartment = aSourceUser({ mail: null, department: 'IT' });

  it('neither joins nor leaves the teams of a rule that asks for it', () => {
    const unknown = aSourceUser({ department: 'Sales' }, { unknown: ['department'] });
    expect(undecided(byDepartment('Sales'), unknown)).toEqual(open);
    expect(undecided({ ...byDepartment('Sales'), include: ['p1'] }, unknown)).toEqual(open);
    expect(undecided(clubs(['teams']), aSourceUser({ teams: 'x' }, { unknown: ['teams'] }))).toEqual({
      ...open,
      undecidedTeams: [],
    });
  });

  it('is not told from an entry of include or exclude while the userName is unknown', () => {
    expect(undecided({ ...byDepartment('Sales'), include: ['cfo@corp.example'] }, itDepartment, noMail)).toEqual(open);
    expect(undecided({ ...byDepartment('Sales'), exclude: ['cfo@corp.example'] }, sales, noMail)).toEqual(open);
    expect(undecided({ ...clubs(['teams']), exclude: ['cfo@corp.example'] }, sales, noMail).undecidedRules).toEqual([
      'rule',
    ]);
  });

  it('is settled where the unknown name makes no difference', () => {
    expect(undecided(byDepartment('Sales'), itDepartment, noMail)).toEqual(settled());
    expect(undecided({ ...byDepartment('Sales'), include: ['cfo@corp.example'] }, sales, noMail)).toEqual(
      settled('rule:sales'),
    );
    expect(undecided({ ...byDepartment('Sales'), include: ['p1'] }, itDepartment, noMail)).toEqual(
      settled('rule:sales'),
    );
    expect(undecided({ ...byDepartment('Sales'), exclude: ['p1'] }, sales, noMail)).toEqual(settled());
  });

  it('is undecided by a CustomAttribute without a value too', () => {
    const gold: Partial<TeamRuleSpec> = {
      team: { displayName: 'Sales' },
      match: [{ attribute: 'tier', operator: 'Equals', value: 'gold' }],
    };
    expect(undecided(gold, aSourceUser({ tier: 'gold' }))).toEqual(open);
  });
});

describe('toAccountNames', () => {
  it('are what an account is known by when the source has forgotten the person', () => {
    const desired = aDesiredUser({
      sourceId: 'P1',
      attributes: { 'emails[type eq "work"].value': 'Ada@corp.example' },
      onCreate: { userName: 'ADA' },
    });
    expect(toAccountNames(desired)).toEqual(['p1', 'ada', 'ada@corp.example']);
  });
});
