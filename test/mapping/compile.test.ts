import { describe, expect, it } from 'vitest';
import type { AttributeEntry } from '../../src/api/attribute-mapping.ts';
import type { CustomAttributeSpec } from '../../src/api/custom-attribute.ts';
import {
  aCustomAttribute,
  aMapping,
  BASE_ENTRIES,
  compile,
  compileWell,
  DEPARTMENT,
  MANAGER,
} from '../support/builders.ts';

const MANAGER_TARGET = 'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager';

/** Problems of one more entry, beginning with the field. */
function problemsOf(entry: AttributeEntry, customs: Record<string, Partial<CustomAttributeSpec>> = {}): string[] {
  const resources = Object.entries(customs).map(([name, spec]) => aCustomAttribute(name, spec));
  return compile([...BASE_ENTRIES, entry], resources).problems.map((problem) =>
    problem.replace('/spec/attributes/2/', '/'),
  );
}

describe('compileMapping', () => {
  it('spells paths as the schema does and says how each compares', () => {
    const mapping = compileWell([
      { target: 'USERNAME', source: 'mail', matching: { precedence: 2 } },
      { target: 'externalid', source: 'id', matching: { precedence: 1 } },
      { target: 'urn:IETF:params:scim:schemas:extension:enterprise:2.0:user:Department', source: 'department' },
      { target: MANAGER_TARGET, source: 'manager' },
      { target: 'urn:ietf:params:scim:schemas:core:2.0:User:title', source: 'title' },
    ]);
    expect([...mapping.paths.keys()]).toEqual(['active', 'userName', 'externalId', DEPARTMENT, MANAGER, 'title']);
    expect(mapping.matching).toEqual([
      { path: 'externalId', caseExact: true },
      { path: 'userName', caseExact: false },
    ]);
    expect(mapping.paths.get(MANAGER)).toEqual({
      caseExact: true,
      multiValued: false,
      reference: 'User',
      matching: false,
      required: false,
      unique: false,
    });
    expect(mapping.usedNames).toEqual(['mail', 'id', 'department', 'manager', 'title']);
    expect(mapping.activeMapped).toBe(false);
  });

  it('lets a later mapping win over an earlier one, by target', () => {
    const { mapping, problems } = compile([
      aMapping([...BASE_ENTRIES, { target: 'title', source: 'title' }]),
      aMapping([{ target: 'TITLE', source: 'jobTitle' }], 'more'),
    ]);
    expect(problems).toEqual([]);
    expect(mapping.entries.find(({ path }) => path === 'title')?.names).toEqual(['jobTitle']);
  });

  it('knows the names of an expression, and which of them are CustomAttributes', () => {
    const mapping = compileWell(
      [
        ...BASE_ENTRIES,
        { target: 'displayName', expression: 'Join(" ", [givenName], [tier])' },
        { target: 'tier', source: 'tier' },
      ],
      [aCustomAttribute('tier')],
    );
    expect(mapping.entries.map(({ target, names }) => [target, names])).toEqual([
      ['tier', ['source:tier']],
      ['userName', ['mail']],
      ['externalId', ['id']],
      ['displayName', ['givenName', 'tier']],
    ]);
  });

  it('evaluates CustomAttributes before what reads them', () => {
    const custom = (name: string) => aCustomAttribute(name);
    const mapping = compileWell(
      [
        ...BASE_ENTRIES,
        { target: 'a', expression: 'Join("", [b], [c])' },
        { target: 'b', source: 'custom:c' },
        { target: 'c', source: 'department' },
      ],
      [custom('a'), custom('b'), custom('c')],
    );
    expect(mapping.entries.filter(({ custom: own }) => own !== null).map(({ target }) => target)).toEqual([
      'c',
      'b',
      'a',
    ]);
  });

  it('knows a CustomAttribute by its path too, with all that it says of its values', () => {
    const customs = [aCustomAttribute('tier', { canonicalValues: ['bronze'], onEmpty: 'Clear', path: 'nickName' })];
    const mapping = compileWell(
      [...BASE_ENTRIES, { target: 'nickname', source: 'x' }, { target: 'title', source: 'tier' }],
      customs,
    );
    expect(mapping.entries[0]).toMatchObject({ path: 'nickName', onEmpty: 'Clear', custom: { name: 'tier' } });
    expect(compile([...BASE_ENTRIES, { target: 'nickName', constant: 'gold' }], customs).problems).toEqual([
      '/spec/attributes/2/constant attribute "nickName": "gold" is not a canonical value; expected one of bronze',
    ]);
  });

  it('takes a list of complex values as a whole from an expression, without entries of it beside', () => {
    const roles = { target: 'roles', expression: 'Coalesce([roles])' };
    expect(compileWell([...BASE_ENTRIES, roles]).paths.get('roles')).toMatchObject({ multiValued: true });
    const { problems } = compile([
      ...BASE_ENTRIES,
      roles,
      { target: 'roles[primary eq "True"].value', source: 'role' },
    ]);
    expect(problems).toEqual([
      '/spec/attributes "roles" writes the whole list, and "roles[primary eq true].value" an entry of it; leave one out',
    ]);
  });

  it('takes a predefined attribute without an entry, by its name and type, until an entry says otherwise', () => {
    const department = aCustomAttribute('dept', { predefined: 'department_name', path: DEPARTMENT });
    const start = aCustomAttribute('start', { predefined: 'employment_start_date', type: 'String' });
    const addresses = aCustomAttribute('addresses', { predefined: 'addresses', path: 'addresses' });
    const rest: AttributeEntry[] = [...BASE_ENTRIES, { target: 'title', expression: 'ToUpper([department_name])' }];
    const mapping = compileWell(rest, [department, start, addresses]);
    expect(mapping.entries.map(({ path, names, definition }) => [path, names, definition.type])).toEqual([
      [DEPARTMENT, ['predefined:department_name'], 'String'],
      ['urn:acme:2.0:User:start', ['predefined:employment_start_date'], 'DateTime'],
      ['addresses', ['predefined:addresses'], 'Complex'],
      ['userName', ['mail'], 'String'],
      ['externalId', ['id'], 'String'],
      ['title', ['department_name'], 'String'],
    ]);
    const own = compileWell([...rest, { target: 'department_name', source: 'dept' }], [department]);
    expect(own.entries[0]?.names).toEqual(['dept']);
    const { problems } = compile([...rest, { target: DEPARTMENT, omit: true }], [department]);
    expect(problems).toEqual([
      '/spec/attributes/2/expression column 9: no entry of the mappings gives the CustomAttribute "department_name" a value; add one with target: department_name',
    ]);
  });

  it('names the members of a cycle', () => {
    const { problems } = compile(
      [...BASE_ENTRIES, { target: 'a', source: 'b' }, { target: 'b', expression: 'ToLower([a])' }],
      [aCustomAttribute('a'), aCustomAttribute('b')],
    );
    expect(problems).toEqual(['/spec/attributes CustomAttributes depend on each other: a → b → a']);
  });

  it('takes onEmpty of a CustomAttribute where the entry says nothing', () => {
    const customs = [aCustomAttribute('tier', { onEmpty: 'Clear', path: 'nickName' })];
    const onEmpty = (entry: Partial<AttributeEntry>) =>
      compileWell([...BASE_ENTRIES, { target: 'tier', source: 'x', ...entry }], customs).entries[0]?.onEmpty;
    expect(onEmpty({})).toBe('Clear');
    expect(onEmpty({ onEmpty: 'Keep' })).toBe('Keep');
  });
});

describe('problems of one entry', () => {
  it.each<readonly [AttributeEntry, string, string]>([
    [{ target: 'id', source: 'x' }, '/target "id" belongs to the target and cannot be written', 'the target’s own'],
    [
      { target: 'meta.created', source: 'x' },
      '/target "meta.created" belongs to the target and cannot be written',
      'and what is in it',
    ],
    [
      { target: 'urn:ietf:params:scim:schemas:core:2.0:User:schemas', source: 'x' },
      '/target "urn:ietf:params:scim:schemas:core:2.0:User:schemas" belongs to the target and cannot be written',
      'under its long name',
    ],
    [
      { target: 'groups[type eq "direct"].value', source: 'x' },
      '/target "groups[type eq \\"direct\\"].value" is read-only and cannot be written',
      'groups are changed through the groups',
    ],
    [
      { target: 'password', constant: 'x' },
      '/target "password" is never shown by the target, so nobody could tell whether it is right',
      'a secret is no attribute',
    ],
    [
      { target: 'emails', source: 'mail' },
      '/target "emails" is complex; name one value of it, such as emails[type eq "work"].value',
      'a list of complex values',
    ],
    [
      { target: 'name', source: 'displayName' },
      '/target "name" is complex; name one value of it, such as name.formatted',
      'a complex value',
    ],
    [
      { target: 'emails.value', source: 'mail' },
      '/target "emails.value" does not say which entry of the list; write emails[type eq "work"].value',
      'any entry of a list',
    ],
    [
      { target: 'nicName', source: 'x' },
      '/target the schema has no attribute "nicName"; did you mean "nickName"?',
      'a name that the schema lacks',
    ],
    [
      { target: 'name', expression: 'Coalesce([name])' },
      '/target "name" is complex; name one value of it, such as name.formatted',
      'a complex value, whatever gives it',
    ],
    [{ target: 'title.x', source: 'x' }, '/target "title" has no sub-attributes', 'a part of what has none'],
    [
      { target: 'title', source: 'a[' },
      '/source column 2: expected an index like [0], a selector like [type eq "work"] or a name like ["a.b"]',
      'a path that does not parse',
    ],
    [
      { target: 'title', expression: 'Join(" ", [a] [b])' },
      '/expression column 15: expected "," or ")" but found "[b]"',
      'an expression that does not parse',
    ],
    [
      { target: 'title', expression: 'Jion(" ", [a], [b])' },
      '/expression column 1: unknown function "Jion"; did you mean "Join"?',
      'a function that is none',
    ],
    [
      { target: 'active', source: 'enabled', format: 'dd/MM/yyyy' },
      '/format format is for DateTime and String, and "active" holds Boolean',
      'a pattern for what is no date',
    ],
    [
      { target: 'title', source: 'hired', format: 'x' },
      '/format format must have more than the letter "x"; one specifier alone is written "%x"',
      'a pattern that is none',
    ],
    [
      { target: 'title', constant: 'soon', format: 'dd/MM/yyyy' },
      '/constant attribute "title": "soon" is not a date; expected an RFC 3339 date-time, such as 2026-03-01T09:00:00Z, or a date, such as 2026-03-01',
      'a constant that is no date',
    ],
    [
      { target: 'active', constant: 'maybe' },
      '/constant attribute "active": "maybe" is not a Boolean; expected true or false',
      'a constant of another type',
    ],
    [
      { target: 'nickName', default: { a: 1 } },
      '/default attribute "nickName": {"a":1} is not text; expected text, such as "Sales"',
      'a default of another type',
    ],
    [
      { target: 'active', source: 'enabled', apply: 'OnCreate' },
      '/apply "active" decides who may sign in and is always kept up to date',
      'whoever is disabled later would stay',
    ],
    [
      { target: 'active', default: true },
      '/default "active" needs a source, an expression, CEL or a constant beside the default',
      'the same with None',
    ],
    [
      { target: 'active', source: 'enabled', onEmpty: 'Clear' },
      '/onEmpty "active" is true or false and cannot be cleared',
      'there is no third state',
    ],
    [
      { target: MANAGER_TARGET, source: 'manager', apply: 'OnCreate' },
      `/apply "${MANAGER_TARGET}" refers to a person and is always kept up to date`,
      'who is referred to may come later',
    ],
    [
      { target: MANAGER_TARGET, source: 'manager', default: 'p1' },
      `/default "${MANAGER_TARGET}" refers to a person: who has none gets none`,
      'nor a manager by default',
    ],
    [
      { target: MANAGER_TARGET, source: 'manager', matching: { precedence: 3 } },
      `/matching "${MANAGER_TARGET}" cannot match accounts: that takes one text or number`,
      'nobody is known by their manager',
    ],
  ])('%j: %s', (entry, problem) => {
    expect(problemsOf(entry)).toEqual([problem]);
  });

  it.each<readonly [AttributeEntry, Partial<CustomAttributeSpec>, string, string]>([
    [
      { target: 'teir', source: 'x' },
      {},
      '/target the schema has no attribute "teir" (or the CustomAttribute "tier"?)',
      'a CustomAttribute with a typing error',
    ],
    [
      { target: 'tier', source: 'x', matching: { precedence: 3 } },
      { path: 'urn:acme:2.0:User:tier', multiValued: true },
      '/matching "tier" cannot match accounts: that takes one text or number',
      'it is a list',
    ],
    [
      { target: 'tier', constant: 'gold' },
      { canonicalValues: ['bronze', 'silver'] },
      '/constant attribute "tier": "gold" is not a canonical value; expected one of bronze, silver',
      'a constant that it may not have',
    ],
    [
      { target: 'tier', source: 'x', default: 'a;gold' },
      { canonicalValues: ['a'], multiValued: true, separator: ';' },
      '/default attribute "tier": "gold" is not a canonical value; expected one of a',
      'one of several values of a default',
    ],
    [
      { target: 'displayName', expression: 'ToLower([tier])' },
      {},
      '/expression column 9: no entry of the mappings gives the CustomAttribute "tier" a value; add one with target: tier',
      'nothing would ever give it a value',
    ],
  ])('%j with %j: %s', (entry, custom, problem) => {
    expect(problemsOf(entry, { tier: custom })).toEqual([problem]);
  });

  it('stand beside each other, each at its place', () => {
    expect(
      problemsOf({ target: 'nicName', source: 'x' }).concat(problemsOf({ target: 'title', source: 'a[' })),
    ).toHaveLength(2);
    const { problems } = compile([
      { target: 'id', source: 'x' },
      { target: 'title', source: 'x' },
      { target: 'Title', source: 'y' },
    ]);
    expect(problems).toEqual([
      '/spec/attributes/0/target "id" belongs to the target and cannot be written',
      '/spec/attributes/2/target the target "Title" stands twice in this mapping',
    ]);
  });
});

describe('problems of the whole mapping', () => {
  const userName: AttributeEntry = { target: 'userName', source: 'upn', matching: { precedence: 1 } };

  it.each<readonly [AttributeEntry[], string[], string]>([
    [
      [{ target: 'userName', source: 'upn' }],
      ['no entry has matching: at least one attribute must tell which account belongs to whom'],
      'without one every run would make new accounts',
    ],
    [
      [userName, { target: 'externalId', source: 'id', matching: { precedence: 1 } }],
      ['two entries have the same matching.precedence'],
      'nobody could say which is tried first',
    ],
    [
      [{ target: 'externalId', source: 'id', matching: { precedence: 1 } }],
      ['the target requires userName, and no entry writes it'],
      'SCIM requires it',
    ],
  ])('%j: %s', (entries, problems) => {
    expect(compile(entries).problems).toEqual(problems.map((problem) => `/spec/attributes ${problem}`));
  });

  it.each<readonly [AttributeEntry[], string, string]>([
    [
      [
        userName,
        { target: 'externalId', source: 'id', matching: { precedence: 2 } },
        { target: 'title', source: 'x', matching: { precedence: 3 } },
      ],
      'more than two matching attributes make it hard to tell who will be taken for whom',
      'three',
    ],
    [
      [userName, { target: 'title', source: 'x', matching: { precedence: 2 } }],
      'the matching attribute "title" is not unique in the target: two accounts with one value are a Conflict',
      'not unique',
    ],
    [
      [userName, { target: 'externalId', source: 'userPrincipalName' }],
      'externalId comes from an attribute that changes (a mail address or sign-in name): after a change and a lost state store the account is not recognised',
      'an id that changes',
    ],
  ])('%j: a warning, %s', (entries, warning) => {
    const { problems } = compile(entries);
    expect(problems).toContain(`warning: /spec/attributes ${warning}`);
    expect(problems.filter((problem) => !problem.startsWith('warning'))).toEqual([]);
  });

  it('are not told while an entry is wrong, since they would only follow from it', () => {
    expect(compile([{ target: 'userName', source: 'a[' }]).problems).toHaveLength(1);
  });
});
