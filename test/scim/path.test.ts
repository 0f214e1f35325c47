import { describe, expect, it } from 'vitest';
import {
  parseScimPath,
  printScimPath,
  readScimPath,
  resolveScimPath,
  type ScimDocument,
  writeScimPath,
} from '../../src/scim/path.ts';
import {
  CORE_GROUP,
  CORE_USER,
  createSchemaSet,
  ENTERPRISE_USER,
  toAttributeDefinition,
  URN_USER,
} from '../../src/scim/schema.ts';

const ENTERPRISE = 'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User';
const ACME = 'urn:ietf:params:scim:schemas:extension:acme:2.10.3:User';
const SCHEMAS = createSchemaSet([
  CORE_USER,
  CORE_GROUP,
  ENTERPRISE_USER,
  {
    id: ACME,
    name: 'Acme',
    description: '',
    attributes: [toAttributeDefinition('licenseTier', 'String', '')],
  },
]);

describe('parseScimPath', () => {
  it.each([
    ['userName', { urn: null, attribute: 'userName', filter: null, sub: null }],
    ['name.givenName', { urn: null, attribute: 'name', filter: null, sub: 'givenName' }],
    ['members.$ref', { urn: null, attribute: 'members', filter: null, sub: '$ref' }],
    [
      'emails[type eq "work"].value',
      { urn: null, attribute: 'emails', filter: [{ attribute: 'type', value: 'work' }], sub: 'value' },
    ],
    [
      'emails[ type EQ "a:b]\\" \\\\" and  primary eq True ]',
      {
        urn: null,
        attribute: 'emails',
        filter: [
          { attribute: 'type', value: 'a:b]" \\' },
          { attribute: 'primary', value: true },
        ],
        sub: null,
      },
    ],
    [
      'roles[primary eq "True"].value',
      { urn: null, attribute: 'roles', filter: [{ attribute: 'primary', value: 'True' }], sub: 'value' },
    ],
    ['x[n eq -1.5e3]', { urn: null, attribute: 'x', filter: [{ attribute: 'n', value: -1500 }], sub: null }],
    [`${ENTERPRISE}:department`, { urn: ENTERPRISE, attribute: 'department', filter: null, sub: null }],
    [`${ENTERPRISE}:manager.value`, { urn: ENTERPRISE, attribute: 'manager', filter: null, sub: 'value' }],
    [
      `${ACME}:things[type eq "a:b"].value`,
      { urn: ACME, attribute: 'things', filter: [{ attribute: 'type', value: 'a:b' }], sub: 'value' },
    ],
  ])('reads %s', (text, expected) => {
    const path = parseScimPath(text);
    expect(path).toEqual(expected);
    expect(parseScimPath(printScimPath(path))).toEqual(path);
  });

  it.each([
    ['', 1, 'nothing is no path'],
    ['1name', 1, 'a name begins with a letter'],
    ['__proto__', 1, 'a name cannot begin with an underscore'],
    ['constructor.__proto__', 13, 'nor can a sub-attribute'],
    ['name.', 6, 'a dot needs a sub-attribute'],
    ['name.given.x', 11, 'there is one level of sub-attributes'],
    ['emails[type eq "work"', 22, 'the bracket is not closed'],
    ['emails[type ne "work"].value', 13, 'ne says what an entry is not'],
    ['emails[type eq "a" or type eq "b"]', 20, 'or says nothing about the entry to make'],
    ['emails[type eq work].value', 16, 'strings need quotes'],
    ['emails[type eq "wo\\q"].value', 16, 'JSON has no such escape'],
    ['emails[]', 8, 'an empty filter'],
    ['emails[type eq "work"]value', 23, 'a dot is missing'],
    ['urn:x', 1, 'a URN alone'],
    ['urn:ietf:a b:x', 1, 'a space in the URN'],
    [`${ENTERPRISE}:`, ENTERPRISE.length + 2, 'no attribute after the URN'],
  ])('refuses %j at column %i: %s', (text, column) => {
    expect(() => parseScimPath(text)).toThrow(expect.objectContaining({ code: 'Invalid' }));
    expect(() => parseScimPath(text)).toThrow(`column ${column}:`);
  });
});

describe('resolveScimPath', () => {
  const resolve = (text: string, resource: 'User' | 'Group' = 'User') =>
    resolveScimPath(parseScimPath(text), SCHEMAS, resource);

  it.each([
    ['USERNAME', 'userName', 'String'],
    [`${URN_USER}:name.GIVENNAME`, 'name.givenName', 'String'],
    ['Emails[TYPE eq "work"].Value', 'emails[type eq "work"].value', 'String'],
    ['roles[primary eq "True"].value', 'roles[primary eq true].value', 'String'],
    ['externalid', 'externalId', 'String'],
    ['meta.lastmodified', 'meta.lastModified', 'DateTime'],
    [`${ENTERPRISE.toUpperCase()}:Department`, `${ENTERPRISE}:department`, 'String'],
    [`${ENTERPRISE}:manager`, `${ENTERPRISE}:manager.value`, 'String'],
    [`${ENTERPRISE}:manager.value`, `${ENTERPRISE}:manager.value`, 'String'],
    [`${ACME}:licensetier`, `${ACME}:licenseTier`, 'String'],
    ['active', 'active', 'Boolean'],
    ['name', 'name', 'Complex'],
  ])('spells %s as %s, a %s', (text, canonical, type) => {
    const resolved = resolve(text);
    expect(resolved.text).toBe(canonical);
    expect(resolved.definition.type).toBe(type);
  });

  it('says what a place is part of and whether it is a list', () => {
    expect(resolve('name.givenName')).toMatchObject({ parent: { name: 'name' }, multiValued: false });
    expect(resolve('emails')).toMatchObject({ parent: null, multiValued: true });
    expect(resolve('emails.value')).toMatchObject({ parent: { name: 'emails' }, multiValued: true });
    expect(resolve('emails[type eq "work"].value')).toMatchObject({ multiValued: false });
    expect(resolve('externalId').schema).toBeNull();
    expect(resolve('members[value eq "1"]', 'Group')).toMatchObject({ definition: { name: 'members' } });
  });

  it.each([
    ['nam', 'the schema has no attribute "nam"; did you mean "name"?'],
    ['qwertyuiop', 'the schema has no attribute "qwertyuiop"'],
    ['name.givenNam', '"name" has no sub-attribute "givenNam"; did you mean "givenName"?'],
    ['userName.x', '"userName" has no sub-attributes'],
    ['name[x eq "y"].z', '"name" takes no filter: it is not a list of complex values'],
    ['emails[typ eq "work"].value', '"emails" has no sub-attribute "typ"; did you mean "type"?'],
    [`${ENTERPRISE}:departmant`, `the schema ${ENTERPRISE} has no attribute "departmant"; did you mean "department"?`],
    [`${ENTERPRISE}s:department`, `no schema has the URN "${ENTERPRISE}s"; did you mean "${ENTERPRISE}"?`],
    [
      `${ENTERPRISE}.department`,
      `no schema has the URN "${ENTERPRISE.replace(/:User$/, '')}"; write ${ENTERPRISE}:department`,
    ],
    ['members', 'the schema has no attribute "members"'],
  ])('refuses %s', (text, message) => {
    expect(() => resolve(text)).toThrow(expect.objectContaining({ code: 'Invalid', message }));
  });
});

describe('readScimPath', () => {
  const user: ScimDocument = {
    UserName: 'ada@example.com',
    name: { givenName: 'Ada' },
    emails: [
      { type: 'home', value: 'ada@home.example' },
      { type: 'Work', primary: true, value: 'ada@example.com' },
    ],
    [ENTERPRISE]: { manager: { value: '7' } },
  };

  it.each([
    ['userName', 'ada@example.com'],
    [`${URN_USER}:username`, 'ada@example.com'],
    ['name.GIVENNAME', 'Ada'],
    ['emails[type eq "work"].value', 'ada@example.com'],
    ['emails[type eq "work" and primary eq "True"].value', 'ada@example.com'],
    ['emails[type eq "work" and primary eq false].value', undefined],
    ['emails.value', ['ada@home.example', 'ada@example.com']],
    ['emails.display', undefined],
    [`${ENTERPRISE.toLowerCase()}:manager.value`, '7'],
    ['constructor', undefined],
    ['name.constructor', undefined],
    ['userName.length', undefined],
  ])('reads %s', (text, expected) => {
    expect(readScimPath(parseScimPath(text), user)).toEqual(expected);
  });
});

describe('writeScimPath', () => {
  it('builds a document: one list entry a filter, extensions under their URN', () => {
    const document: ScimDocument = { schemas: [URN_USER] };
    const entries = {
      userName: 'ada@example.com',
      'name.givenName': 'Ada',
      'name.familyName': 'Byron',
      'emails[type eq "work"].value': 'ada@example.com',
      'emails[type eq "work"].display': 'Office',
      'emails[type eq "home" and primary eq true].value': 'ada@home.example',
      [`${ENTERPRISE}:department`]: 'Engines',
      [`${ENTERPRISE}:manager.value`]: '7',
      [`${ACME}:licenseTier`]: 'gold',
    };
    for (const [path, value] of Object.entries(entries)) writeScimPath(parseScimPath(path), document, value);
    expect(document).toEqual({
      schemas: [URN_USER, ENTERPRISE, ACME],
      userName: 'ada@example.com',
      name: { givenName: 'Ada', familyName: 'Byron' },
      emails: [
        { type: 'work', value: 'ada@example.com', display: 'Office' },
        { type: 'home', primary: true, value: 'ada@home.example' },
      ],
      [ENTERPRISE]: { department: 'Engines', manager: { value: '7' } },
      [ACME]: { licenseTier: 'gold' },
    });
    for (const [path, value] of Object.entries(entries))
      expect(readScimPath(parseScimPath(path), document)).toEqual(value);
  });

  it('merges an object into the entry that a filter names', () => {
    const document: ScimDocument = {};
    writeScimPath(parseScimPath('addresses[type eq "work"]'), document, { country: 'GB' });
    expect(document).toEqual({ addresses: [{ type: 'work', country: 'GB' }] });
    expect(() => writeScimPath(parseScimPath('addresses[type eq "work"]'), document, 'x')).toThrow('takes an object');
  });

  it('takes null for nothing: an application may show so what was cleared (RFC 7643 section 2.5)', () => {
    const resource: ScimDocument = { name: null, emails: null, [ENTERPRISE]: { manager: null } };
    writeScimPath(parseScimPath('name.givenName'), resource, 'Ada');
    writeScimPath(parseScimPath('emails[type eq "work"].value'), resource, 'ada@example.com');
    writeScimPath(parseScimPath(`${ENTERPRISE}:manager.value`), resource, 'u1');
    expect(resource).toMatchObject({
      name: { givenName: 'Ada' },
      emails: [{ type: 'work', value: 'ada@example.com' }],
      [ENTERPRISE]: { manager: { value: 'u1' } },
    });
  });

  it('refuses paths that contradict each other', () => {
    const document: ScimDocument = { name: 'Ada', emails: 'ada@example.com' };
    expect(() => writeScimPath(parseScimPath('name.givenName'), document, 'Ada')).toThrow('"name.givenName"');
    expect(() => writeScimPath(parseScimPath('emails[type eq "work"].value'), document, 'x')).toThrow('no list');
  });

  it('never reaches a prototype, even with a path made by hand', () => {
    const path = { urn: null, attribute: '__proto__', filter: null, sub: 'polluted' };
    expect(() => writeScimPath(path, {}, 'yes')).toThrow('"__proto__" is no name');
    writeScimPath(parseScimPath('constructor.prototype'), {}, { polluted: 'yes' });
    writeScimPath({ urn: '__proto__', attribute: 'polluted', filter: null, sub: null }, {}, 'yes');
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
  });
});
