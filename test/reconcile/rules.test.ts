/** Every form of a TeamRule and of a scope, from the read to the application. */
import { describe, expect, it } from 'vitest';
import type { TeamRuleSpec } from '../../src/api/team-rule.ts';
import { PLAIN_ATTRIBUTE } from '../../src/targets/target.ts';
import { aCompanyOf, type Company, createCompany } from '../support/company.ts';

type Rule = Omit<TeamRuleSpec, 'directorySyncRef'>;

async function aCompanyWith(rules: Readonly<Record<string, Rule>>, people = 6): Promise<Company> {
  const company = await createCompany();
  company.people = aCompanyOf(people).map((person, index) => ({
    ...person,
    jobTitle: index % 2 === 0 ? 'Lead' : 'Clerk',
    department: index < 3 ? 'Sales' : 'Legal',
    hired: `2026-0${index + 1}-01`,
    level: index,
  }));
  setRules(company, rules);
  company.spec = { ...company.spec, guards: { removeMembers: { percent: 100 } } };
  return company;
}

function setRules(company: Company, rules: Readonly<Record<string, Rule>>): void {
  const entries = Object.entries(rules);
  company.rules = Object.fromEntries(
    entries.map(([name, rule]) => [name, { directorySyncRef: { name: 'acme' }, ...rule }]),
  );
}

const mails = (...numbers: readonly number[]): string[] => numbers.map((number) => `p${number}@example.com`);
const team = (displayName: string) => ({ team: { displayName } });

/** Two runs; nothing is left for the second (rule I2). */
async function settle(company: Company): Promise<void> {
  expect(await company.run()).toMatchObject({ outcome: 'synced' });
  company.target.writes.length = 0;
  expect(await company.run()).toMatchObject({ outcome: 'synced' });
  expect(company.target.writes).toEqual([]);
}

const FORMS: readonly (readonly [string, Rule, readonly string[]])[] = [
  [
    'match',
    { ...team('T'), match: [{ attribute: 'jobTitle', operator: 'NotContains', value: 'cle' }] },
    mails(1, 3, 5),
  ],
  [
    'match by time',
    { ...team('T'), match: [{ attribute: 'hired', operator: 'After', value: 'now-720h' }] },
    mails(2, 3, 4, 5, 6),
  ],
  [
    'match by number',
    { ...team('T'), match: [{ attribute: 'level', operator: 'GreaterThan', value: 3 }] },
    mails(5, 6),
  ],
  [
    'match by mapped value',
    { ...team('T'), match: [{ attribute: 'desired:userName', operator: 'Matches', value: '^p[12]@' }] },
    mails(1, 2),
  ],
  [
    'rule',
    { ...team('T'), rule: '(user.department -eq "Sales") -and (user.jobTitle -startsWith "Lead")' },
    mails(1, 3),
  ],
  ['cel', { ...team('T'), cel: 'user.department == "Sales" && user.level >= 1' }, mails(2, 3)],
  ['everyone', { ...team('T'), everyone: true }, mails(1, 2, 3, 4, 5, 6)],
];

describe('a TeamRule', () => {
  it.each(FORMS)(
    'by %s gives its team to the application, and a second run writes nothing (I2)',
    async (_, rule, members) => {
      const company = await aCompanyWith({ rule });
      await settle(company);
      expect(company.teamMembers('T')).toEqual(members);
    },
  );

  it.each(FORMS)(
    'by %s that names another team renames it, whose id and members stay (I10)',
    async (_, rule, members) => {
      const company = await aCompanyWith({ rule });
      await company.run();
      const [id] = [...company.target.teams.keys()];
      company.target.writes.length = 0;
      setRules(company, { rule: { ...rule, ...team('Renamed') } });
      await company.run();
      expect([...company.target.teams.keys()]).toEqual([id]);
      expect(company.teamMembers('Renamed')).toEqual(members);
      expect(company.target.writes.length).toBe(1);
    },
  );

  it('that says another thing changes members and keeps its team (I10)', async () => {
    const company = await aCompanyWith({ rule: { ...team('T'), rule: 'user.department -eq "Sales"' } });
    await company.run();
    const [id] = [...company.target.teams.keys()];
    setRules(company, { rule: { ...team('T'), cel: 'user.department == "Legal"' } });
    const report = await company.run();
    expect(report).toMatchObject({ outcome: 'synced', applied: { addMembers: 3, removeMembers: 3 } });
    expect([...company.target.teams.keys()]).toEqual([id]);
    expect(company.teamMembers('T')).toEqual(mails(4, 5, 6));
  });

  it('gives names by expression, with a prefix', async () => {
    const company = await aCompanyWith({
      rule: { teamsFrom: { expressions: ['Join(" ", [department], [jobTitle])'], prefix: 'All ' } },
    });
    await settle(company);
    const names = [...company.target.teams.values()].map(({ attributes }) => attributes['displayName']);
    expect(names.sort()).toEqual(['All Legal Clerk', 'All Legal Lead', 'All Sales Clerk', 'All Sales Lead']);
    expect(company.teamMembers('All Sales Lead')).toEqual(mails(1, 3));
  });

  it('follows the teams of others, joiners and leavers alike', async () => {
    const sales: Rule = { ...team('Sales'), rule: 'user.department -eq "Sales"' };
    const best: Rule = {
      ...team('Best'),
      match: [
        { operator: 'IsInTeam', value: 'sales' },
        { attribute: 'jobTitle', operator: 'Equals', value: 'Lead' },
      ],
    };
    const company = await aCompanyWith({ best, sales });
    await settle(company);
    expect(company.teamMembers('Best')).toEqual(mails(1, 3));
    setRules(company, { best, sales: { ...sales, exclude: ['p1'] } });
    await company.run();
    expect(company.teamMembers('Best')).toEqual(mails(3));
    setRules(company, { best, sales: { ...sales, suspend: true } });
    company.people = company.people.map((person) => ({ ...person, department: 'Legal' }));
    await company.run();
    expect(company.teamMembers('Best')).toEqual(mails(3));
  });

  it('of one name with another unites with it, whatever languages they are in', async () => {
    const company = await aCompanyWith({
      a: { ...team('Both'), rule: 'user.department -eq "Sales"' },
      b: { ...team('both'), cel: 'user.level == 5' },
    });
    await settle(company);
    expect(company.target.teams.size).toBe(1);
    expect(company.teamMembers('Both')).toEqual(mails(1, 2, 3, 6));
  });

  it('with an externalId marks its team by it, and finds it again without the store (I7)', async () => {
    const company = await aCompanyWith({ rule: { team: { displayName: 'T', externalId: 'T-7' }, everyone: true } });
    await settle(company);
    const [[id, made] = []] = [...company.target.teams];
    expect(made?.attributes['externalId']).toBe('T-7');
    await company.loseState();
    await company.run();
    expect([...company.target.teams.keys()]).toEqual([id]);
    setRules(company, { rule: { team: { displayName: 'T', externalId: 'T-8' }, everyone: true } });
    company.target.writes.length = 0;
    const [operation] = await company.operations(await company.run());
    expect([operation?.cause, operation?.reason]).toEqual(['rule', 'rule rule']);
    expect([...company.target.teams].map(([key, { attributes }]) => [key, attributes['externalId']])).toEqual([
      [id, 'T-8'],
    ]);
    expect(company.target.writes.length).toBe(1);
  });

  it('with a description writes it, follows its change and mends it, and takes none away (I2)', async () => {
    const described = (description?: string): Record<string, Rule> => ({
      rule: { team: { displayName: 'T', ...(description === undefined ? {} : { description }) }, everyone: true },
    });
    const company = await aCompanyWith(described('All of us'));
    const shown = () => [...company.target.teams.values()].map(({ attributes }) => attributes['description']);
    await settle(company);
    expect(shown()).toEqual(['All of us']);
    setRules(company, described('Everybody'));
    const [operation] = await company.operations(await company.run());
    expect([operation?.cause, operation?.reason]).toEqual(['rule', 'rule rule']);
    await settle(company);
    expect(shown()).toEqual(['Everybody']);
    const [team] = [...company.target.teams.values()];
    if (team !== undefined) (team.attributes as Record<string, unknown>)['description'] = 'changed by hand';
    const [mended] = await company.operations(await company.run({ resync: true }));
    expect([mended?.cause, mended?.reason]).toEqual(['drift', 'was changed in the target']);
    expect(shown()).toEqual(['Everybody']);
    setRules(company, described());
    await settle(company);
    expect(shown()).toEqual(['Everybody']);
  });

  it('with a description asks for none of an application that has none', async () => {
    const never = { writes: 'never', shows: 'exactly' } as const;
    const attribute = (kind: string, path: string) =>
      kind === 'Team' && path === 'description' ? never : PLAIN_ATTRIBUTE;
    const company = await createCompany({ capabilities: { attribute } });
    company.people = aCompanyOf(2);
    setRules(company, { rule: { team: { displayName: 'T', description: 'All of us' }, everyone: true } });
    await settle(company);
    expect([...company.target.teams.values()].map(({ attributes }) => attributes['description'])).toEqual([undefined]);
  });

  it('that cannot judge somebody leaves them as they are, and names them (I8)', async () => {
    const rule: Rule = { ...team('T'), cel: 'user.jobTitle.startsWith("Lead")' };
    const company = await aCompanyWith({ rule });
    await settle(company);
    company.people = company.people.map((person, index) => ({
      ...person,
      jobTitle: index === 0 ? null : index === 1 ? 'Lead' : (person['jobTitle'] ?? null),
    }));
    const report = await company.run();
    expect(company.teamMembers('T')).toEqual(mails(1, 2, 3, 5));
    const errors = await company.errors(report);
    expect(errors.length).toBe(1);
    expect(errors[0]).toContain('rule rule: found no matching overload');
  });

  it('whose columns are gone keeps its team as it is (I13)', async () => {
    const company = await aCompanyWith({ rule: { ...team('T'), rule: 'user.jobTitle -eq "Lead"' } });
    await settle(company);
    company.people = company.people.map(({ jobTitle: _, ...person }) => person);
    const report = await company.run();
    expect(company.teamMembers('T')).toEqual(mails(1, 3, 5));
    expect(report.warnings.map(({ message }) => message)).toContain(
      'the read did not deliver "user.jobTitle": rule rule changed no team',
    );
  });

  it('leaves a team of its name alone that nobody owns (I3)', async () => {
    const company = await aCompanyWith({ rule: { ...team('Theirs'), everyone: true } });
    company.target.teams.set('t-1', { id: 't-1', attributes: { displayName: 'Theirs' }, members: [] } as never);
    const before = JSON.stringify(company.target.teams.get('t-1'));
    const report = await company.run();
    expect((await company.errors(report))[0]).toContain('the target already has a team of this name (t-1)');
    expect(JSON.stringify(company.target.teams.get('t-1'))).toBe(before);
  });
});

describe('a scope', () => {
  it('by CEL and expression takes whom both take, and a change of it deactivates the others', async () => {
    const company = await aCompanyWith({});
    company.spec = { ...company.spec, scope: { cel: 'user.level < 4', expression: 'IsPresent([jobTitle])' } };
    await settle(company);
    expect(company.target.users.size).toBe(4);
    company.spec = { ...company.spec, scope: { cel: 'user.level < 3' }, guards: { deactivate: { percent: 100 } } };
    expect(await company.run()).toMatchObject({ applied: { deactivate: 1 } });
  });

  it('that does not compile stops the run before it reads', async () => {
    const company = await aCompanyWith({});
    company.spec = { ...company.spec, scope: { cel: 'usr.level < 4' } };
    const report = await company.run();
    expect(report).toMatchObject({ outcome: 'stalled' });
    expect(JSON.stringify(report)).toContain('undeclared reference to');
    expect(company.target.writes).toEqual([]);
  });
});
