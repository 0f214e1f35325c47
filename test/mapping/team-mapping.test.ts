/** Mappings of teams, as far as they are judged without any group. What comes of them: reconcile/team-mappings. */
import { describe, expect, it } from 'vitest';
import type { AttributeEntry, AttributeMappingSpec } from '../../src/api/attribute-mapping.ts';
import type { CustomAttributeResource } from '../../src/api/custom-attribute.ts';
import { type CompiledMapping, compileMapping } from '../../src/mapping/compile.ts';
import { compileCustomAttributes } from '../../src/mapping/custom-attributes.ts';
import { createGroupMapper, type HeldNames } from '../../src/mapping/group.ts';
import { KnownAttributes } from '../../src/mapping/names.ts';
import type { MappingProblem } from '../../src/mapping/problem.ts';
import type { Json } from '../../src/model.ts';
import { aCustomAttribute, aMapping, toLine } from '../support/builders.ts';

const URN = 'urn:ietf:params:scim:schemas:extension:acme:2.0:Group';
const CUSTOMS = [
  aCustomAttribute('cost_centre', { path: `${URN}:costCentre`, type: 'Integer' }),
  aCustomAttribute('tier'),
  aCustomAttribute('owner', { path: `${URN}:owner`, type: 'Reference', references: { resource: 'User' } }),
];

function compileTeam(
  spec: AttributeMappingSpec,
  customs: readonly CustomAttributeResource[] = CUSTOMS,
): { mapping: CompiledMapping; problems: string[] } {
  const problems: MappingProblem[] = [];
  const set = compileCustomAttributes(customs, 'acme', problems, 'Team');
  const resource = { ...aMapping([], 'teams'), spec: { resource: 'Team' as const, ...spec } };
  const mapping = compileMapping([resource], set, { provider: 'entra', hasGroups: true }, problems);
  return { mapping, problems: problems.map(toLine) };
}

const problemsOf = (...attributes: AttributeEntry[]): string[] => compileTeam({ attributes }).problems;

describe('a mapping of teams', () => {
  it('takes attributes of groups, in every form of an entry, and needs none for matching or userName', () => {
    const { mapping, problems } = compileTeam({
      attributes: [
        { target: 'displayName', expression: 'Trim([displayName])', required: true },
        { target: 'externalId', source: 'guid' },
        { target: 'Description', constant: 'x', apply: 'OnCreate' },
        { target: 'cost_centre', cel: 'group.number' },
      ],
    });
    expect(problems).toEqual([]);
    expect([...mapping.paths.keys()].sort()).toEqual(['description', 'displayName', 'externalId', `${URN}:costCentre`]);
    expect(mapping.usedNames).toEqual(['number', 'displayName', 'guid']);
  });

  it.each<readonly [AttributeEntry, string]>([
    [
      { target: 'displayNam', source: 'a' },
      '/spec/attributes/0/target the schema has no attribute "displayNam"; did you mean "displayName"?',
    ],
    [{ target: 'userName', source: 'a' }, '/spec/attributes/0/target the schema has no attribute "userName"'],
    [{ target: 'id', source: 'a' }, '/spec/attributes/0/target "id" belongs to the target and cannot be written'],
    [
      { target: 'members', source: 'a' },
      '/spec/attributes/0/target "members" are those of the group, and have no entry',
    ],
    [
      { target: 'members', expression: '[a]' },
      '/spec/attributes/0/target "members" are those of the group, and have no entry',
    ],
    [
      { target: 'owner', source: 'a', default: 'p1' },
      '/spec/attributes/0/default "owner" refers to a person: who has none gets none',
    ],
    [{ target: 'tier', source: 'a' }, '/spec/attributes/0/target the schema has no attribute "tier"'],
    [
      { target: 'displayName', source: 'a', matching: { precedence: 1 } },
      '/spec/attributes/0/matching matching is for users: a team is found by its externalId, and with adoptTeams by its displayName',
    ],
    [
      { target: 'externalId', source: 'a', onEmpty: 'Clear' },
      '/spec/attributes/0/onEmpty "externalId" is what a team is known by and cannot be cleared',
    ],
    [
      { target: 'description', source: 'standard:email' },
      '/spec/attributes/0/source a group has no standard attributes; name an attribute of its record',
    ],
    [
      { target: 'description', expression: 'ToUpper([predefined:username])' },
      '/spec/attributes/0/expression column 9: a group has no predefined attributes; name an attribute of its record',
    ],
    [
      { target: 'description', expression: 'Jion("-", [a])' },
      '/spec/attributes/0/expression column 1: unknown function "Jion"; did you mean "Join"?',
    ],
    [
      { target: 'displayName', expression: 'SelectUniqueValue([a], [b])', apply: 'OnCreate' },
      '/spec/attributes/0/expression SelectUniqueValue is for mappings of users',
    ],
    [
      { target: 'description', expression: 'SingleAppRoleAssignment([appRoleAssignments])' },
      '/spec/attributes/0/expression SingleAppRoleAssignment is for mappings of users',
    ],
    [
      { target: 'cost_centre', constant: 'many' },
      '/spec/attributes/0/constant attribute "cost_centre": "many" is not a whole number; expected digits, such as 42',
    ],
  ])('%j is refused: %s', (entry, problem) => {
    expect(problemsOf(entry)).toEqual([problem]);
  });

  it('has CEL over the group, and none over a user', () => {
    expect(problemsOf({ target: 'description', cel: 'group.mail' })).toEqual([]);
    expect(problemsOf({ target: 'description', cel: 'user.mail' })[0]).toContain('/spec/attributes/0/cel');
  });

  it('warns of a mark that changes', () => {
    expect(problemsOf({ target: 'externalId', source: 'mail' })).toEqual([
      'warning: /spec/attributes externalId comes from an attribute that changes (a mail address or sign-in name): after a change and a lost state store the team is not recognised',
    ]);
  });

  it('warns of what changes on every run', () => {
    expect(problemsOf({ target: 'description', expression: 'Guid()' })).toEqual([
      expect.stringMatching(/^warning: \/spec\/attributes\/0\/expression Guid\(\) under apply: Always/),
    ]);
  });

  it('a CustomAttribute of groups has no predefined value', () => {
    const customs = [aCustomAttribute('department_name', { path: `${URN}:d`, predefined: 'department_name' })];
    const { problems } = compileTeam({ attributes: [{ target: 'description', source: 'a' }] }, customs);
    expect(problems).toEqual(['/spec/predefined a group has no predefined attributes; leave it out']);
  });
});

describe('what a group’s team is called', () => {
  const known = new KnownAttributes(['displayName', 'mail']);
  const nameOf = (entry: AttributeEntry, attributes: Record<string, Json>, held: HeldNames | null = null) => {
    const { mapping } = compileTeam({ attributes: [entry] });
    const mapper = createGroupMapper({ mapping, known, seed: null, tenant: { defaultDomain: null } });
    const group = { id: 'g-1', displayName: 'Sales', attributes };
    return mapper.map(group, held, new Date(0)).team?.displayName ?? null;
  };
  const held = { displayName: 'Old', externalId: 'g-1' };
  const direct = { target: 'displayName', source: 'mail' };

  it.each<readonly [AttributeEntry, Record<string, Json>, HeldNames | null, string | null, string]>([
    [{ target: 'description', source: 'mail' }, {}, held, 'Sales', 'no entry: the name of the group'],
    [direct, { mail: 'sales@x' }, held, 'sales@x', 'its value'],
    [direct, { mail: ' ' }, null, 'Sales', 'a blank one is none: the name of the group'],
    [direct, {}, held, 'Old', 'empty: what it has'],
    [{ ...direct, default: 'Team' }, {}, null, 'Team', 'empty, and new: the default'],
    [{ ...direct, default: 'Team' }, {}, held, 'Old', 'a default is for new teams'],
    [{ ...direct, apply: 'OnCreate' }, { mail: 'sales@x' }, null, 'sales@x', 'OnCreate, and new'],
    [{ ...direct, apply: 'OnCreate' }, { mail: 'sales@x' }, held, 'Old', 'OnCreate, and there'],
    [{ ...direct, required: true }, {}, held, null, 'required and empty: the team stays'],
    [{ target: 'displayName', source: 'gone' }, {}, held, 'Old', 'unknown: what it has'],
    [{ target: 'displayName', source: 'gone' }, {}, null, null, 'unknown, and new: no team'],
    [
      { target: 'displayName', expression: 'IIF(IsPresent([mail]), [mail], IgnoreAttributeFlow)' },
      {},
      held,
      'Old',
      'nothing flows',
    ],
  ])('%j of %j, called %j: %s (%s)', (entry, attributes, before, name) => {
    expect(nameOf(entry, attributes, before)).toBe(name);
  });

  it('an unknown value that is required makes no new team', () => {
    const { mapping } = compileTeam({ attributes: [{ target: 'description', source: 'gone', required: true }] });
    const mapper = createGroupMapper({ mapping, known, seed: null, tenant: { defaultDomain: null } });
    const { team } = mapper.map({ id: 'g-1', displayName: 'Sales', attributes: {} }, null, new Date(0));
    expect(team?.values.creation).toEqual({
      errors: ['description is required and unknown: the team cannot be created'],
      held: true,
    });
    expect(mapper.missingNames).toEqual(['gone']);
  });
});
