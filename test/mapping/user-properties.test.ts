import { describe, expect, it } from 'vitest';
import type { TeamRuleSpec } from '../../src/api/team-rule.ts';
import { KnownAttributes, type NameContext } from '../../src/mapping/names.ts';
import type { MappingProblem } from '../../src/mapping/problem.ts';
import { compileRules, toRuleReadNames } from '../../src/mapping/rules.ts';
import { createTeamMapper } from '../../src/mapping/teams.ts';
import {
  bindProperty,
  TABLE_SOURCES,
  toPropertyNames,
  USER_PROPERTY_SOURCES,
} from '../../src/mapping/user-properties.ts';
import type { Json, SourceUser } from '../../src/model.ts';
import { USER_PROPERTIES } from '../../src/rule/membership/properties.ts';
import {
  aCustomAttribute,
  aDesiredUser,
  aPersonView,
  aSourceUser,
  aTeamRule,
  BASE_ENTRIES,
  compileWell,
  NOW,
  toLine,
} from '../support/builders.ts';

const CONTEXT: NameContext = {
  resource: 'User',
  customs: new Set(['license_tier']),
  mapped: new Set(['license_tier']),
  provider: 'file',
  hasGroups: false,
  desired: new Map(),
};
const EXTENSION = `extension_${'0'.repeat(32)}_`;

function bind(property: string, provider: string, user: SourceUser) {
  const { attributes } = user;
  const nested = Object.entries(attributes).flatMap(([name, value]) =>
    typeof value === 'object' && value !== null && !Array.isArray(value)
      ? [name, ...Object.keys(value).map((key) => `${name}.${key}`)]
      : [name],
  );
  const bound = bindProperty(property, { ...CONTEXT, provider }, new KnownAttributes(nested));
  const person = aPersonView(user, { customs: new Map([['license_tier', 'gold']]) });
  return { value: bound.read(person), unknown: bound.isUnknown(person), missing: bound.missing };
}

describe('the table of properties', () => {
  it('has a row for every property of Entra but memberOf, and for the manager', () => {
    const wanted = [...USER_PROPERTIES.keys()].filter((name) => name !== 'memberOf');
    expect(Object.keys(USER_PROPERTY_SOURCES).sort()).toEqual([...wanted, 'manager'].sort());
  });

  it('names every property for a file and for Entra, which have no form of their own', () => {
    for (const [name, rows] of Object.entries(USER_PROPERTY_SOURCES)) {
      expect([name, rows.file !== undefined, rows.entra !== undefined]).toEqual([name, true, true]);
    }
  });

  it('has names that parse', () => {
    for (const provider of TABLE_SOURCES) {
      for (const name of Object.keys(USER_PROPERTY_SOURCES)) {
        expect(() => bindProperty(name, { ...CONTEXT, provider }, new KnownAttributes([]))).not.toThrow();
      }
    }
  });
});

describe('bindProperty', () => {
  it.each<readonly [string, string, Record<string, Json>, Json, string]>([
    ['department', 'file', { department: 'Sales' }, 'Sales', 'the column of the name'],
    ['department', 'file', { department_name: 'Sales' }, 'Sales', 'or the normalised one'],
    ['department', 'file', { department: '', department_name: 'Sales' }, 'Sales', 'the first that has a value'],
    ['givenName', 'file', { first_name: 'Ada' }, 'Ada', 'the standard attribute'],
    ['mail', 'file', { email: 'ada@corp.example' }, 'ada@corp.example', 'whichever column has the address'],
    ['objectId', 'file', {}, 'p1', 'the id, whatever column it stands in'],
    ['accountEnabled', 'file', {}, true, 'the state'],
    ['state', 'file', { state: 'Ulster' }, 'Ulster', 'the place, not the state of the account'],
    ['state', 'google', { addresses: [{ type: 'work', region: 'Ulster' }] }, 'Ulster', 'of the working address'],
    ['mailNickName', 'google', { primaryEmail: 'ada@corp.example' }, 'ada', 'what stands before the @'],
    [
      'department',
      'google',
      { organizations: [{ department: 'IT' }, { department: 'Sales', primary: true }] },
      'Sales',
      'of the primary organization',
    ],
    ['department', 'google', { organizations: [{ department: 'IT' }] }, 'IT', 'else of the first'],
    ['displayName', 'workos', { first_name: 'Ada', last_name: 'Byron' }, 'Ada Byron', 'both names'],
    ['userPrincipalName', 'workos', { email: 'a@b.example' }, 'a@b.example', 'the first that was delivered'],
    ['otherMails', 'ldap', { mail: ['a', 'b', 'c'] }, ['b', 'c'], 'all but the first'],
    ['otherMails', 'ldap', { mail: 'a' }, [], 'of one value none'],
    ['proxyAddresses', 'scim', { emails: [{ value: 'a' }, { value: 'b' }] }, ['a', 'b'], 'every value'],
    ['mailNickName', 'activeDirectory', { sAMAccountName: 'ada' }, 'ada', 'the name that every account has'],
    ['usageLocation', 'google', {}, null, 'what the source does not have is null'],
    ['extensionAttribute7', 'entra', { onPremisesExtensionAttributes: { extensionAttribute7: 'x' } }, 'x', 'in Graph'],
    [`${EXTENSION}tier`, 'entra', { [`${EXTENSION}tier`]: 'gold' }, 'gold', 'a directory extension of Graph'],
    [`${EXTENSION}tier`, 'file', { tier: 'gold' }, 'gold', 'its name alone elsewhere'],
    [`${EXTENSION}license_tier`, 'file', { license_tier: 'x' }, 'gold', 'or the CustomAttribute of its name'],
    ['license_tier', 'scim', {}, 'gold', 'a CustomAttribute on every source'],
    ['LICENSE_TIER', 'file', {}, 'gold', 'in any case'],
    ['idp_id', 'file', {}, 'p1', 'a standard attribute'],
  ])('%s of %s %j is %j: %s', (property, provider, attributes, expected) => {
    expect(bind(property, provider, aSourceUser({ mail: null, ...attributes })).value).toEqual(expected);
  });

  it('reads the state of the account', () => {
    expect(bind('accountEnabled', 'file', aSourceUser({}, { active: false })).value).toBe(false);
  });

  it('is the attribute of the source, whatever CustomAttribute has its name', () => {
    const context = { ...CONTEXT, customs: new Set(['department']) };
    const bound = bindProperty('department', context, new KnownAttributes(['department']));
    const person = aPersonView(aSourceUser({ department: 'IT' }), { customs: new Map([['department', 'Sales']]) });
    expect(bound.read(person)).toBe('IT');
  });

  it('is unknown where none of its names was delivered, or one of them not for this person (I13)', () => {
    expect(bind('department', 'file', aSourceUser())).toEqual({ value: null, unknown: true, missing: true });
    const person = aSourceUser({ department: 'x' }, { unknown: ['department'] });
    expect(bind('department', 'file', person)).toMatchObject({ unknown: true, missing: false });
    expect(bind('usageLocation', 'google', aSourceUser())).toMatchObject({ unknown: false, missing: false });
  });

  it('says what a source must be asked for', () => {
    expect(toPropertyNames('department', { ...CONTEXT, provider: 'entra' })).toEqual(['source:department']);
    expect(toPropertyNames('license_tier', CONTEXT)).toEqual(['license_tier']);
    expect(toPropertyNames('usageLocation', { ...CONTEXT, provider: 'google' })).toEqual([]);
  });
});

describe('a TeamRule with a rule', () => {
  const team = { displayName: 'Sales' };

  function compile(rule: string, provider = 'file', spec: Partial<TeamRuleSpec> = {}) {
    const problems: MappingProblem[] = [];
    const compiled = compileWell([...BASE_ENTRIES, { target: 'tier', source: 'tier' }], [aCustomAttribute('tier')]);
    const mapping = { ...compiled, names: { ...compiled.names, provider, hasGroups: provider !== 'file' } };
    const set = compileRules([aTeamRule('sales', { team, rule, ...spec })], mapping, problems);
    const createMapper = (columns: string[]) =>
      createTeamMapper({ mapping, rules: set, known: new KnownAttributes(columns), mark: 'dirsync:x/y:' });
    return { set, mapping, problems: problems.map(toLine), createMapper };
  }

  it('has everybody whom the rule takes', () => {
    const { createMapper } = compile('user.department -eq "Sales" -and user.tier -eq "gold"');
    const mapper = createMapper(['department', 'tier']);
    const teamsOf = (department: string, tier: string) =>
      mapper.map(aDesiredUser(), aPersonView(aSourceUser({ department }), { customs: new Map([['tier', tier]]) }), NOW)
        .memberOf;
    expect(teamsOf('SALES', 'Gold')).toEqual(['rule:sales']);
    expect(teamsOf('Sales', 'silver')).toEqual([]);
  });

  it('leaves the team as it is while none of the columns is there (I13)', () => {
    const mapper = compile('user.department -eq "Sales"').createMapper(['title']);
    expect(mapper.frozenRules).toEqual(['sales']);
    expect(mapper.missingNames).toEqual(['user.department']);
  });

  it.each<readonly [string, string]>([
    ['user.department -eq', '/spec/rule column 20: expected a value, but found the end'],
    ['device.displayName -eq "x"', '/spec/rule column 1: device rules choose devices'],
    [
      "user.memberOf -any (group.objectId -in ['g'])",
      '/spec/rule it asks for groups of the source, and spec.source reads none',
    ],
  ])('%s: %s', (rule, message) => {
    const { problems, set } = compile(rule);
    expect(problems[0]).toContain(message);
    expect(set.invalid).toEqual(['sales']);
  });

  it('decides by the groups of a source that has them, and not while they are unknown (I13)', () => {
    const { createMapper } = compile("user.memberOf -any (group.objectId -in ['g-1'])", 'entra');
    const mapper = createMapper(['id']);
    const decide = (rest: Partial<SourceUser>) => {
      const { memberOf, undecidedRules } = mapper.map(aDesiredUser(), aPersonView(aSourceUser({}, rest)), NOW);
      return [memberOf, undecidedRules];
    };
    expect(decide({ groups: [{ id: 'g-1', displayName: 'One' }] })).toEqual([['rule:sales'], []]);
    expect(decide({ groups: [] })).toEqual([[], []]);
    expect(decide({})).toEqual([[], ['sales']]);
  });

  it('asks the source for what stands behind its properties', () => {
    const { set, mapping } = compile('user.jobTitle -eq "x" -and user.otherMails -any (_ -eq "x")', 'entra');
    expect(set.rules.flatMap((rule) => toRuleReadNames(rule, mapping.names))).toEqual([
      'source:jobTitle',
      'source:otherMails',
    ]);
  });
});
