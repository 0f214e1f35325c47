import { describe, expect, it } from 'vitest';
import type { Json } from '../../src/model.ts';
import {
  COMMON_ATTRIBUTES,
  CORE_GROUP,
  CORE_USER,
  createSchemaSet,
  ENTERPRISE_USER,
  findAttribute,
  fromScimSchemaResource,
  toAttributeDefinition,
  toScimSchemaResource,
} from '../../src/scim/schema.ts';

describe('the schemas of RFC 7643', () => {
  it('have the attributes of sections 4.1 to 4.3', () => {
    const names = [CORE_USER, CORE_GROUP, ENTERPRISE_USER].map((each) =>
      each.attributes.map(({ name }) => name).join(' '),
    );
    expect(names).toEqual([
      'userName name displayName nickName profileUrl title userType preferredLanguage locale timezone active password ' +
        'emails phoneNumbers ims photos addresses groups entitlements roles x509Certificates',
      'displayName members',
      'employeeNumber costCenter organization division department manager',
    ]);
  });

  it.each([
    ['userName', { required: true, caseExact: false, uniqueness: 'server' }, 'section 4.1.1'],
    ['password', { mutability: 'writeOnly', returned: 'never' }, 'section 4.1.1'],
    ['groups', { mutability: 'readOnly', multiValued: true }, 'section 4.1.2'],
    ['emails', { type: 'Complex', multiValued: true }, 'section 4.1.2'],
    ['active', { type: 'Boolean' }, 'section 4.1.1'],
  ])('describe %s', (name, expected, _because) => {
    expect(findAttribute(CORE_USER.attributes, name)).toMatchObject(expected);
  });

  it('have the common attributes of section 3.1', () => {
    expect(findAttribute(COMMON_ATTRIBUTES, 'externalid')).toMatchObject({ name: 'externalId', caseExact: true });
    expect(findAttribute(COMMON_ATTRIBUTES, 'id')).toMatchObject({ mutability: 'readOnly', returned: 'always' });
  });
});

describe('createSchemaSet', () => {
  it('finds by URN without case and merges schemas of one URN', () => {
    const id = 'urn:ietf:params:scim:schemas:extension:acme:2.0:User';
    const schema = (...attributes: ReturnType<typeof toAttributeDefinition>[]) => ({
      id,
      name: 'Acme',
      description: '',
      attributes,
    });
    const set = createSchemaSet([
      schema(toAttributeDefinition('tier', 'String', ''), toAttributeDefinition('seat', 'String', '')),
      schema(toAttributeDefinition('TIER', 'Integer', '')),
    ]);
    expect(set.find(id.toUpperCase())?.attributes.map(({ name, type }) => [name, type])).toEqual([
      ['TIER', 'Integer'],
      ['seat', 'String'],
    ]);
    expect(set.schemas).toHaveLength(1);
    expect(set.find('urn:other')).toBeUndefined();
  });
});

describe('schemas on the wire', () => {
  it.each([CORE_USER, CORE_GROUP, ENTERPRISE_USER])('%o survives both ways', (schema) => {
    expect(fromScimSchemaResource(toScimSchemaResource(schema))).toEqual(schema);
  });

  it('has the form of RFC 7643 section 7', () => {
    expect(toScimSchemaResource(ENTERPRISE_USER)).toMatchObject({
      schemas: ['urn:ietf:params:scim:schemas:core:2.0:Schema'],
      attributes: expect.arrayContaining([
        {
          name: 'department',
          type: 'string',
          multiValued: false,
          description: 'The name of the department.',
          required: false,
          caseExact: false,
          mutability: 'readWrite',
          returned: 'default',
          uniqueness: 'none',
        },
      ]),
    });
  });

  it('reads a server that spells keys and values in its own way', () => {
    const schema = fromScimSchemaResource({
      ID: 'urn:x:2.0:User',
      Attributes: [
        { Name: 'a', Type: 'DATETIME', MultiValued: true, Mutability: 'READONLY' },
        { name: 'b', type: 'any', subAttributes: null },
        { name: 'c', subAttributes: [{ name: 'd', type: 'boolean' }] },
        { type: 'string' },
        'rubbish',
      ],
    });
    expect(schema).toMatchObject({ id: 'urn:x:2.0:User', name: 'User', description: '' });
    expect(schema?.attributes).toMatchObject([
      { name: 'a', type: 'DateTime', multiValued: true, mutability: 'readOnly' },
      { name: 'b', type: 'String', subAttributes: [] },
      { name: 'c', type: 'Complex', subAttributes: [{ name: 'd', type: 'Boolean' }] },
    ]);
  });

  it.each<Json>([null, 'x', [], {}, { id: 'urn:x' }, { id: '', attributes: [] }, { id: 7, attributes: [] }])(
    'takes %j for no schema',
    (json) => {
      expect(fromScimSchemaResource(json)).toBeNull();
    },
  );
});
