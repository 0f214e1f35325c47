import { describe, expect, it } from 'vitest';
import type { CustomAttributeResource, CustomAttributeSpec } from '../../src/api/custom-attribute.ts';
import {
  type CustomAttributeSet,
  compileCustomAttributes,
  findForeignValue,
  splitValue,
} from '../../src/mapping/custom-attributes.ts';
import type { MappingProblem } from '../../src/mapping/problem.ts';
import type { Json } from '../../src/model.ts';
import { aCustomAttribute, toLine } from '../support/builders.ts';

const ACME = 'urn:ietf:params:scim:schemas:extension:acme:2.0:User';

function compile(...resources: CustomAttributeResource[]): { set: CustomAttributeSet; problems: string[] } {
  const problems: MappingProblem[] = [];
  const set = compileCustomAttributes(resources, 'acme', problems);
  return { set, problems: problems.map((problem) => `${problem.name} ${toLine(problem)}`) };
}

function compileOne(spec: Partial<CustomAttributeSpec>) {
  const { set, problems } = compile(aCustomAttribute('license-tier', spec));
  return { custom: [...set.byName.values()][0], problems };
}

describe('compileCustomAttributes', () => {
  it('calls an attribute by its metadata name where it has no name', () => {
    expect([...compile(aCustomAttribute('license-tier')).set.byName.keys()]).toEqual(['license_tier']);
    expect([...compile(aCustomAttribute('license-tier', { name: 'tier' })).set.byName.keys()]).toEqual(['tier']);
  });

  it('takes those that apply to this DirectorySync', () => {
    const { set } = compile(
      aCustomAttribute('all'),
      aCustomAttribute('here', { directorySyncs: { names: ['other', 'acme'] } }),
      aCustomAttribute('there', { directorySyncs: { names: ['other'] } }),
    );
    expect([...set.byName.keys()]).toEqual(['all', 'here']);
  });

  it.each<readonly [Partial<CustomAttributeSpec>, string, string]>([
    [{ path: 'nickName' }, 'nickName', 'a core path'],
    [{ path: 'NICKNAME' }, 'nickName', 'in any case'],
    [{ path: `${ACME}:licenseTier` }, `${ACME}:licenseTier`, 'an extension of its own'],
    [{ path: 'urn:acme:2.0:User:tier' }, 'urn:acme:2.0:User:tier', 'with a short name'],
    [
      { path: 'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:costCenter' },
      'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:costCenter',
      'the enterprise extension',
    ],
    [{ path: 'emails[type eq "home"].value' }, 'emails[type eq "home"].value', 'one entry of a list'],
    [{ path: 'active', type: 'Boolean' }, 'active', 'a core path of that type'],
    [{ path: `${ACME}:fte`, type: 'Decimal' }, `${ACME}:fte`, 'a number'],
    [{ path: `${ACME}:key`, type: 'Binary' }, `${ACME}:key`, 'bytes'],
    [{ path: `${ACME}:desk`, type: 'Complex' }, `${ACME}:desk`, 'an object'],
    [{ path: 'addresses', type: 'Complex', multiValued: true }, 'addresses', 'a whole list of the core schema'],
    [
      { path: `${ACME}:buddy`, type: 'Reference', references: { resource: 'User' } },
      `${ACME}:buddy`,
      'the account of another person',
    ],
    [
      {
        path: 'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager',
        type: 'Reference',
        references: { resource: 'User' },
      },
      'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager.value',
      'the manager by a name of one’s own',
    ],
    [
      { path: 'urn:ietf:params:scim:schemas:extension:acme.corp.example:2.0:User:tier' },
      'urn:ietf:params:scim:schemas:extension:acme.corp.example:2.0:User:tier',
      'a URN with dots',
    ],
  ])('%j lives at %s: %s', (spec, path) => {
    const { custom, problems } = compileOne(spec);
    expect(problems).toEqual([]);
    expect(custom?.path).toBe(path);
  });

  it.each<readonly [Partial<CustomAttributeSpec>, string, string]>([
    [
      { path: 'urn:acme:licenseTier' },
      '"urn:acme:licenseTier" is no extension attribute; write urn:ietf:params:scim:schemas:extension:acme:2.0:User:licenseTier',
      'the corrected URN keeps organisation and attribute',
    ],
    [
      { path: 'urn:ietf:params:scim:schemas:extension:globex:User:tier' },
      '"urn:ietf:params:scim:schemas:extension:globex:User:tier" is no extension attribute; write urn:ietf:params:scim:schemas:extension:globex:2.0:User:tier',
      'without the version',
    ],
    [
      { path: `${ACME}:a.b` },
      `"${ACME}:a.b" is no extension attribute; write urn:ietf:params:scim:schemas:extension:acme:2.0:User:a.b`,
      'an attribute inside one',
    ],
    [{ path: 'nickname2' }, 'the schema has no attribute "nickname2"; did you mean "nickName"?', 'a name that is none'],
    [{ path: 'id' }, '"id" belongs to the target and cannot be written', 'the target’s own'],
    [
      { path: 'name' },
      '"name" is complex; name one value of it, such as name.formatted',
      'a complex attribute has no value',
    ],
    [
      { path: 'groups[type eq "direct"].value' },
      '"groups[type eq \\"direct\\"].value" is read-only and cannot be written',
      'read-only',
    ],
    [
      { path: 'password' },
      '"password" is never shown by the target, so nobody could tell whether it is right',
      'never shown',
    ],
    [{ path: 'manager' }, 'the schema has no attribute "manager"', 'manager is not of the core schema'],
    [
      { path: 'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager' },
      '"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager" refers to one person; map it by its path, or say type: Reference with references: {resource: User}',
      'a reference is no text',
    ],
    [
      {
        path: 'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager',
        type: 'Reference',
        references: { resource: 'Team' },
      },
      '"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager" refers to one person; map it by its path, or say type: Reference with references: {resource: User}',
      'a manager is no team',
    ],
    [
      { path: 'title', type: 'Integer' },
      '"title" holds one String, and the CustomAttribute says one Integer',
      'a core attribute has a type of its own',
    ],
    [
      { path: 'title', multiValued: true },
      '"title" holds one String, and the CustomAttribute says a list of String',
      'and holds one value',
    ],
  ])('%j: %s', (spec, message) => {
    expect(compileOne(spec).problems).toEqual([`license-tier /spec/path ${message}`]);
  });

  it('refuses two of one name, and two of one path', () => {
    const { set, problems } = compile(
      aCustomAttribute('tier', { path: 'nickName' }),
      aCustomAttribute('tier-two', { name: 'tier' }),
      aCustomAttribute('nick', { path: 'nickname' }),
    );
    expect(problems).toEqual([
      'tier-two /spec/name the name "tier" is already used by CustomAttribute tier',
      'nick /spec/path "nickname" is already the path of CustomAttribute tier',
    ]);
    expect(set.byName.get('tier')?.resource).toBe('tier');
  });

  it('adds the attribute to the schemas, several to one extension', () => {
    const { set, problems } = compile(
      aCustomAttribute('tier', { path: `${ACME}:tier` }),
      aCustomAttribute('seats', { path: `${ACME}:seats`, type: 'Integer', multiValued: true }),
    );
    expect(problems).toEqual([]);
    expect(set.schemas.find(ACME)?.attributes.map(({ name, type, multiValued }) => [name, type, multiValued])).toEqual([
      ['tier', 'String', false],
      ['seats', 'Integer', true],
    ]);
  });
});

describe('findForeignValue', () => {
  const foreign = (value: Json, spec: Partial<CustomAttributeSpec>): Json | undefined => {
    const { custom } = compileOne(spec);
    return custom === undefined ? 'none' : findForeignValue(custom, value);
  };
  const canonicalValues = ['bronze', 'silver'];

  it.each<readonly [Json, Partial<CustomAttributeSpec>, Json | undefined, string]>([
    ['gold', {}, undefined, 'without a list anything goes'],
    ['Bronze', { canonicalValues }, undefined, 'case does not matter'],
    ['Bronze', { canonicalValues, caseExact: true }, 'Bronze', 'unless it is exact'],
    ['gold', { canonicalValues }, 'gold', 'another value'],
    [['silver', 'gold'], { canonicalValues, multiValued: true }, 'gold', 'one of several'],
  ])('of %j with %j is %j: %s', (value, spec, expected) => {
    expect(foreign(value, spec)).toEqual(expected);
  });
});

describe('splitValue', () => {
  const split = (value: Json, separator?: string): Json => {
    const { custom } = compileOne({ multiValued: true, ...(separator === undefined ? {} : { separator }) });
    return splitValue(custom ?? null, value);
  };

  it.each<readonly [Json, string | undefined, Json, string]>([
    ['a; b ;', ';', ['a', 'b', ''], 'parts without blanks at their ends'],
    ['a;b', undefined, 'a;b', 'without a separator one value'],
    [['a;b'], ';', ['a;b'], 'a list is split already'],
    [7, ';', 7, 'what is no text'],
  ])('%j by %s is %j: %s', (value, separator, expected) => {
    expect(split(value, separator)).toEqual(expected);
  });
});
