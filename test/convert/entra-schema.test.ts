import { describe, expect, it } from 'vitest';
import { convertEntraSchema } from '../../src/convert/entra-schema.ts';
import type { MappingSource } from '../../src/convert/synchronization-schema.ts';

type Source = Omit<MappingSource, 'parameters'> & { readonly parameters?: readonly unknown[] };

const attribute = (name: string): Source => ({ type: 'Attribute', name, expression: `[${name}]`, parameters: [] });
const constant = (name: string): Source => ({ type: 'Constant', name, expression: JSON.stringify(name) });
const call = (expression: string, name: string, parameters: readonly unknown[] = []): Source => ({
  type: 'Function',
  name,
  expression,
  parameters,
});

const USER_NAME = { targetAttributeName: 'userName', source: attribute('userPrincipalName'), matchingPriority: 1 };

interface SchemaOptions {
  readonly users?: readonly object[];
  readonly scope?: object | null;
  readonly mapping?: object;
  readonly more?: readonly object[];
  readonly directories?: readonly object[];
}

function toSchema({ users = [], scope = null, mapping = {}, more = [], directories = [] }: SchemaOptions): string {
  const objectMapping = {
    enabled: true,
    flowTypes: 'Add, Update',
    name: 'Users',
    sourceObjectName: 'User',
    targetObjectName: 'User',
    scope,
    attributeMappings: [USER_NAME, ...users],
    ...mapping,
  };
  return JSON.stringify({
    directories,
    synchronizationRules: [
      {
        sourceDirectoryName: 'Azure Active Directory',
        targetDirectoryName: 'acme app',
        objectMappings: [objectMapping, ...more],
      },
    ],
  });
}

function convert(schema: SchemaOptions, naming: 'portal' | 'graph' = 'portal') {
  const { mappings, notes, ...rest } = convertEntraSchema(toSchema(schema), {
    name: 'acme',
    naming,
    url: 'https://app.example.com/scim',
  });
  const shown = notes.map(({ kind, about, message }) => `${kind}: ${about}: ${message}`);
  return { ...rest, entries: mappings[0]?.spec.attributes?.slice(1), teams: mappings[1]?.spec, notes: shown };
}

describe('attribute mappings', () => {
  it.each([
    ['Direct', { source: attribute('jobTitle') }, { source: 'jobTitle' }],
    ['Constant', { source: constant('Employee') }, { constant: 'Employee' }],
    ['Expression', { source: call('ToLower([a],  )', 'ToLower') }, { expression: 'ToLower([a],  )' }],
    ['None', { source: null, defaultValue: 'x' }, { default: 'x' }],
    ['a default', { source: attribute('a'), defaultValue: 'x' }, { source: 'a', default: 'x' }],
    ['an empty default', { source: attribute('a'), defaultValue: '' }, { source: 'a' }],
    ['a constant with a default', { source: constant('c'), defaultValue: 'x' }, { constant: 'c' }],
    ['only on creation', { source: attribute('a'), flowType: 'ObjectAddOnly' }, { source: 'a', apply: 'OnCreate' }],
    ['a source without a type', { source: { name: 'a' } }, { source: 'a' }],
  ])('%s', (_, mapping, entry) => {
    const { entries, notes } = convert({ users: [{ targetAttributeName: 'title', ...mapping }] });
    expect([entries, notes]).toEqual([[{ target: 'title', ...entry }], []]);
  });

  it.each(['AttributeAddOnly', 'ValueAddOnly', 'MultiValueAddOnly'])('%s is noted', (flowType) => {
    const { entries, notes } = convert({ users: [{ targetAttributeName: 'title', source: attribute('a'), flowType }] });
    expect(entries).toHaveLength(1);
    expect(notes).toEqual([expect.stringMatching(`^changed: User title: ${flowType}: `)]);
  });

  it('FlowAlways is noted', () => {
    const users = [{ targetAttributeName: 'title', source: attribute('a'), flowBehavior: 'FlowAlways' }];
    expect(convert({ users }).notes).toEqual([expect.stringMatching('^changed: User title: FlowAlways: ')]);
  });

  it.each([
    [
      'an unknown function',
      { source: call('Fancy([a])', 'Fancy') },
      'column 1: unknown function "Fancy"; see docs/expressions.md for those there are: Fancy([a])',
    ],
    ['neither source nor default', { source: null }, 'it has neither a source nor a default'],
  ])('%s is lost', (_, mapping, message) => {
    const { entries, notes } = convert({ users: [{ targetAttributeName: 'title', ...mapping }] });
    expect([entries, notes]).toEqual([[], [`lost: User title: ${message}`]]);
  });

  it('orders by priority, which need be neither distinct nor small', () => {
    const users = [
      { targetAttributeName: 'externalId', source: attribute('objectId'), matchingPriority: 300 },
      { targetAttributeName: 'displayName', source: attribute('displayName'), matchingPriority: 300 },
      { targetAttributeName: 'nickName', source: attribute('mailNickname'), matchingPriority: 0 },
    ];
    expect(convert({ users }).entries?.map(({ matching }) => matching?.precedence)).toEqual([2, 3, undefined]);
  });

  it('puts an expression together from its tree where the text is missing, empty arguments in their place', () => {
    const source = call('', 'Replace', [
      { key: 'source', value: call('', 'ToLower', [{ key: 'source', value: { type: 'Attribute', name: 'mail' } }]) },
      { key: 'regexPattern', value: { type: 'Constant', name: '"@.*' } },
      { key: 'replacementValue', value: constant('') },
    ]);
    expect(convert({ users: [{ targetAttributeName: 'nickName', source }] }).entries?.[0]?.expression).toBe(
      'Replace(ToLower([mail]), , "\\"@.*", , "")',
    );
  });

  it('declares attributes of an extension with the type that the schema gives them', () => {
    const urn = 'urn:ietf:params:scim:schemas:extension:acme:2.0:User';
    const attributes = [
      { name: `${urn}:since`, type: 'DateTime' },
      { name: `${urn}:clubs`, type: 'String', multivalued: true, caseExact: true },
      { name: `${urn}:buddy`, type: 'Reference' },
    ];
    const { customAttributes } = convert({
      users: ['since', 'clubs', 'buddy', 'level'].map((name) => ({
        targetAttributeName: `${urn}:${name}`,
        source: attribute(name),
      })),
      directories: [{ name: 'acme app', objects: [{ name: 'User', attributes }] }],
    });
    expect(customAttributes.map(({ metadata, spec }) => [metadata.name, spec])).toEqual([
      ['acme-acme-since', { name: 'acme_since', type: 'DateTime', path: `${urn}:since` }],
      [
        'acme-acme-clubs',
        { name: 'acme_clubs', type: 'String', multiValued: true, caseExact: true, path: `${urn}:clubs` },
      ],
      [
        'acme-acme-buddy',
        { name: 'acme_buddy', type: 'Reference', references: { resource: 'User' }, path: `${urn}:buddy` },
      ],
      ['acme-acme-level', { name: 'acme_level', type: 'String', path: `${urn}:level` }],
    ]);
  });
});

describe('names of Graph', () => {
  it.each([
    ['objectId', 'id'],
    ['mobile', 'mobilePhone'],
    ['telephoneNumber', 'businessPhones[0]'],
    ['facsimileTelephoneNumber', 'faxNumber'],
    ['physicalDeliveryOfficeName', 'officeLocation'],
    ['extensionAttribute15', 'onPremisesExtensionAttributes.extensionAttribute15'],
    ['department', 'department'],
    ['IsSoftDeleted', 'IsSoftDeleted'],
  ])('%s is %s', (name, graph) => {
    const users = [{ targetAttributeName: 'title', source: attribute(name) }];
    expect(convert({ users }, 'graph').entries?.[0]?.source).toBe(graph);
    expect(convert({ users }).entries?.[0]?.source).toBe(name);
  });

  it('changes nothing of an expression but names of attributes', () => {
    const text = 'IIF([mobile] = "[mobile]",  [objectId], "a\\"b") ';
    const users = [{ targetAttributeName: 'title', source: call(text, 'IIF') }];
    expect(convert({ users }).entries?.[0]?.expression).toBe(text);
    expect(convert({ users }, 'graph').entries?.[0]?.expression).toBe(
      'IIF([mobilePhone] = "[mobile]",  [id], "a\\"b") ',
    );
  });

  it('holds for filters', () => {
    const scope = toFilter([['mobile', 'IS NOT NULL']]);
    expect(convert({ scope }, 'graph').directorySync.spec.scope?.filters).toEqual([
      [{ attribute: 'mobilePhone', operator: 'IsNotNull' }],
    ]);
  });
});

type ClauseText = readonly [attribute: string, operator: string, ...values: string[]];

function toFilter(...groups: readonly (readonly ClauseText[])[]) {
  return {
    groups: groups.map((clauses, index) => ({
      name: `filter ${index + 1}`,
      clauses: clauses.map(([sourceOperandName, operatorName, ...values]) => ({
        sourceOperandName,
        operatorName,
        targetOperand: { values },
      })),
    })),
  };
}

describe('scoping filters', () => {
  const exact = { caseSensitive: true };
  it.each<readonly [ClauseText, object]>([
    [['a', 'EQUALS', 'x'], { operator: 'Equals', value: 'x', ...exact }],
    [['a', 'EQUALS', 'x', 'y'], { operator: 'In', values: ['x', 'y'], ...exact }],
    [['a', 'NOT EQUALS', 'x'], { operator: 'NotEquals', value: 'x', ...exact }],
    [['a', 'NOT EQUALS', 'x', 'y'], { operator: 'NotIn', values: ['x', 'y'], ...exact }],
    [['a', 'INCLUDES', 'x'], { operator: 'Contains', value: 'x', ...exact }],
    [['a', 'ENDS_WITH', 'x'], { operator: 'EndsWith', value: 'x', ...exact }],
    [['a', 'GREATER_THAN', '7'], { operator: 'GreaterThan', value: 7 }],
    [['a', 'Greater_Than_Or_Equals', '7'], { operator: 'GreaterThanOrEquals', value: 7 }],
    [['a', 'IS TRUE'], { operator: 'IsTrue' }],
    [['a', 'IS FALSE'], { operator: 'IsFalse' }],
    [['a', 'IS NULL'], { operator: 'IsNull' }],
    [['a', 'IS NOT NULL'], { operator: 'IsNotNull' }],
    [['a', 'REGEX MATCH', '^x'], { operator: 'Matches', value: '^x', ...exact }],
    [['a', 'NOT REGEX MATCH', '^x'], { operator: 'NotMatches', value: '^x', ...exact }],
  ])('%s', (clause, expected) => {
    const { directorySync, notes } = convert({ scope: toFilter([clause]) });
    expect([directorySync.spec.scope, notes]).toEqual([{ filters: [[{ attribute: 'a', ...expected }]] }, []]);
  });

  it('IsMemberOf, which the portal has and does not do', () => {
    const scope = toFilter([['memberOf', 'IsMemberOf', 'Sales']]);
    expect(convert({ scope }).directorySync.spec.scope).toEqual({
      filters: [[{ operator: 'IsMemberOf', value: 'Sales' }]],
    });
  });

  it('& and !& of one filter become CEL', () => {
    const scope = toFilter([
      ['department', '&', 'Sales and "Legal"'],
      ['city', '!&', 'Derry'],
      ['title', 'IS NOT NULL'],
    ]);
    expect(convert({ scope }).directorySync.spec.scope).toEqual({
      filters: [[{ attribute: 'title', operator: 'IsNotNull' }]],
      cel: 'has(user.department) && "Sales and \\"Legal\\"".contains(user.department) && has(user.city) && !"Derry".contains(user.city)',
    });
  });

  it('a clause that cannot be carried over takes its filter with it', () => {
    const scope = toFilter(
      [['a', 'EQUALS', 'x']],
      [
        ['b', 'IS TRUE'],
        ['c', 'SOUNDS LIKE', 'y'],
      ],
    );
    const { directorySync, notes } = convert({ scope });
    expect(directorySync.spec.scope).toEqual({
      filters: [[{ attribute: 'a', operator: 'Equals', value: 'x', ...exact }]],
    });
    expect(notes).toEqual([
      'lost: User scope: the filter "filter 2" is left out: the operator "SOUNDS LIKE" on c has no counterpart',
    ]);
  });

  it('keeps everybody out when no filter is left, for without any everybody would be in scope', () => {
    const { directorySync, notes } = convert({ scope: toFilter([['a', 'REGEX MATCH', '(?=x)']]) });
    expect(directorySync.spec.scope).toEqual({ cel: 'false' });
    expect(notes.map((note) => note.slice(0, 17))).toEqual(['lost: User scope:', 'changed: User sco']);
  });

  it('early filters are lost', () => {
    const scope = { inputFilterGroups: toFilter([['a', 'IS TRUE']]).groups, categoryFilterGroups: [{ clauses: [] }] };
    const { directorySync, notes } = convert({ scope });
    expect(directorySync.spec.scope).toBeUndefined();
    expect(notes).toEqual(['lost: User scope: inputFilterGroups: early filters have no counterpart']);
  });
});

describe('mappings of objects', () => {
  const groups = {
    enabled: true,
    name: 'Groups',
    sourceObjectName: 'Group',
    attributeMappings: [
      { targetAttributeName: 'displayName', source: attribute('displayName'), matchingPriority: 1 },
      { targetAttributeName: 'externalId', source: attribute('objectId') },
      { targetAttributeName: 'members', source: attribute('members') },
    ],
  };

  it('groups become teams, with their members', () => {
    const { directorySync, teams, notes } = convert({ more: [groups] });
    expect(teams).toEqual({
      resource: 'Team',
      attributes: [
        { target: 'displayName', source: 'displayName' },
        { target: 'externalId', source: 'id' },
      ],
    });
    expect(directorySync.spec).toMatchObject({
      groups: { provision: 'InScope' },
      mappings: [{ name: 'acme-users' }, { name: 'acme-teams' }],
    });
    expect(notes).toEqual([expect.stringMatching('^changed: Group displayName: teams are not matched by it')]);
  });

  it.each([
    ['switched off', { ...groups, enabled: false }, 'lost: Group: "Groups" is switched off'],
    ['filtered', { ...groups, scope: toFilter([['a', 'IS TRUE']]) }, 'lost: Group: scoping filters of groups'],
    ['a second one of users', { ...groups, sourceObjectName: 'User' }, 'lost: User: "Groups": only the first'],
    ['of another kind', { ...groups, sourceObjectName: 'Device' }, 'lost: Device: objects of this kind'],
  ])('%s is lost', (_, mapping, note) => {
    expect(convert({ more: [mapping] }).notes).toContainEqual(expect.stringContaining(note));
  });

  it.each([
    ['Add', 'Update, Delete', 'lost: User: Create is switched off'],
    ['Update', 'Add', 'lost: User: Update is switched off'],
    ['no Delete', 'Add, Update, Delete', 'changed: User: who is gone is deactivated'],
  ])('%s of flowTypes is noted', (_, flowTypes, note) => {
    expect(convert({ mapping: { flowTypes } }).notes).toContainEqual(expect.stringContaining(note));
  });

  it('nothing is written before a person has looked', () => {
    expect(convert({}).directorySync.spec).toEqual({
      mode: 'Plan',
      source: { file: { users: { path: 'people.json' }, idAttribute: 'objectId' } },
      mappings: [{ name: 'acme-users' }],
      target: { scim: { url: 'https://app.example.com/scim', credentialsRef: { name: 'acme-app' } } },
    });
  });
});

describe('what is no schema', () => {
  const run = (text: string) => () => convertEntraSchema(text, { name: 'acme', naming: 'portal', url: '' });

  it.each([
    ['no JSON', '{', 'this is no JSON'],
    ['a list', '[]', 'there is no list "synchronizationRules"'],
    ['something else', '{"value": 1}', 'there is no list "synchronizationRules"'],
    ['nothing to convert', '{"synchronizationRules": []}', 'has no enabled mapping of users'],
    ['nonsense inside', '{"synchronizationRules": [null, {"objectMappings": [7]}]}', 'has no enabled mapping of users'],
    [
      'people who come into Entra',
      '{"synchronizationRules": [{"sourceDirectoryName": "Workday", "objectMappings": [{"sourceObjectName": "User"}]}]}',
      'has no enabled mapping of users',
    ],
  ])('%s', (_, text, message) => {
    expect(run(text)).toThrow(message);
  });

  it('a mark of the encoding, and a template around the schema, are no hindrance', () => {
    expect(run(`\uFEFF{"id": "t", "schema": ${toSchema({})}}`)).not.toThrow();
  });
});
