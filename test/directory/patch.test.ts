import { describe, expect, it } from 'vitest';
import { toAttributeDefinition, URN_ENTERPRISE_USER, URN_PATCH_OP, URN_USER } from '../../src/scim/schema.ts';
import { aUser, openTestDirectory, type TestDirectory } from './directory-client.ts';

const UNKNOWN = 'urn:example:acme:1.2.3:User';

const WORK = { type: 'work', value: 'ada@example.com', primary: true };
const HOME = { type: 'home', value: 'ada@home.example' };
const OFFICE = { type: 'work', streetAddress: '1 Engine Street', locality: 'London' };
const VILLA = { type: 'home', streetAddress: '2 Park Lane' };

const PERSON = {
  title: 'Countess',
  name: { givenName: 'Ada', familyName: 'Byron' },
  emails: [WORK, HOME],
  addresses: [OFFICE, VILLA],
  [URN_ENTERPRISE_USER]: { department: 'Engines', manager: { value: 'm1' } },
  [UNKNOWN]: { tier: 'gold', seats: [1, 2] },
};

async function patchPerson(...operations: readonly unknown[]) {
  return patchPersonIn(await openTestDirectory(), operations);
}

async function patchPersonIn(directory: TestDirectory, operations: readonly unknown[]) {
  const id = await directory.addUser({ userName: 'ada@example.com', ...PERSON });
  const answer = await directory.patch(`/Users/${id}`, ...operations);
  const { body } = await directory.call('GET', `/Users/${id}`);
  const { schemas, id: _id, userName: _userName, meta, ...attributes } = body;
  return { answer, schemas, meta, attributes };
}

describe('PATCH of users', () => {
  it.each([
    [
      'add without a path: the example of RFC 7644 section 3.5.2.1',
      { op: 'add', value: { emails: [{ value: 'babs@jensen.org', type: 'home' }], nickName: 'Babs' } },
      { emails: [WORK, HOME, { value: 'babs@jensen.org', type: 'home' }], nickName: 'Babs' },
    ],
    ['add of a single value replaces it', { op: 'add', path: 'title', value: 'Lady' }, { title: 'Lady' }],
    [
      'add of a complex value adds its sub-attributes',
      { op: 'add', path: 'name', value: { middleName: 'King' } },
      { name: { ...PERSON.name, middleName: 'King' } },
    ],
    [
      'add of one value to a list',
      { op: 'add', path: 'emails', value: { value: 'new@example.com' } },
      { emails: [WORK, HOME, { value: 'new@example.com' }] },
    ],
    [
      'add to a filtered entry',
      { op: 'add', path: 'addresses[type eq "home"]', value: { country: 'GB' } },
      { addresses: [OFFICE, { ...VILLA, country: 'GB' }] },
    ],
    [
      'add to an entry that is not there makes it',
      { op: 'add', path: 'phoneNumbers[type eq "mobile"].value', value: '+44 1' },
      { phoneNumbers: [{ type: 'mobile', value: '+44 1' }] },
    ],
    [
      'a new primary takes it from the old one',
      { op: 'add', path: 'emails', value: [{ value: 'new@example.com', primary: true }] },
      { emails: [{ ...WORK, primary: false }, HOME, { value: 'new@example.com', primary: true }] },
    ],
    [
      'a replaced primary takes it from the old one',
      { op: 'replace', path: 'emails[type eq "home"].primary', value: true },
      {
        emails: [
          { ...WORK, primary: false },
          { ...HOME, primary: true },
        ],
      },
    ],
    [
      'replace of a filtered entry: the example of section 3.5.2.3',
      {
        op: 'replace',
        path: 'addresses[type eq "work"]',
        value: { type: 'work', streetAddress: '911 Universal City Plaza', postalCode: '91608', country: 'US' },
      },
      {
        addresses: [
          { type: 'work', streetAddress: '911 Universal City Plaza', postalCode: '91608', country: 'US' },
          VILLA,
        ],
      },
    ],
    [
      'replace of a sub-attribute of a filtered entry: the example of section 3.5.2.3',
      { op: 'replace', path: 'addresses[type eq "work"].streetAddress', value: '1010 Broadway Ave' },
      { addresses: [{ ...OFFICE, streetAddress: '1010 Broadway Ave' }, VILLA] },
    ],
    [
      'replace without a path: the example of section 3.5.2.3',
      {
        op: 'replace',
        value: { emails: [{ value: 'bjensen@example.com', type: 'work', primary: true }], nickName: 'Babs' },
      },
      { emails: [{ value: 'bjensen@example.com', type: 'work', primary: true }], nickName: 'Babs' },
    ],
    [
      'replace of a complex value changes the named sub-attributes alone, with and without a path',
      { op: 'replace', value: { name: { familyName: 'King' } } },
      { name: { givenName: 'Ada', familyName: 'King' } },
    ],
    ['replace with null clears', { op: 'replace', path: 'title', value: null }, { title: undefined }],
    ['replace with an empty list clears', { op: 'replace', path: 'emails', value: [] }, { emails: undefined }],
    [
      'replace of a sub-attribute in all entries',
      { op: 'replace', path: 'addresses.country', value: 'GB' },
      {
        addresses: [
          { ...OFFICE, country: 'GB' },
          { ...VILLA, country: 'GB' },
        ],
      },
    ],
    [
      'names, and operators of filters, have no case',
      { OP: 'replace', PATH: 'EMAILS[TYPE EQ "Work"].Value', VALUE: 'x@example.com' },
      { emails: [{ ...WORK, value: 'x@example.com' }, HOME] },
    ],
    ['remove of an attribute', { op: 'remove', path: 'title' }, { title: undefined }],
    ['remove of a sub-attribute', { op: 'remove', path: 'name.givenName' }, { name: { familyName: 'Byron' } }],
    [
      'remove of entries: the example of section 3.5.2.2',
      { op: 'remove', path: 'emails[type eq "work" and value ew "example.com"]' },
      { emails: [HOME] },
    ],
    ['remove of the last entry', { op: 'remove', path: 'emails[value pr]' }, { emails: undefined }],
    [
      'remove of a sub-attribute of an entry',
      { op: 'remove', path: 'addresses[type eq "work"].locality' },
      { addresses: [{ type: 'work', streetAddress: '1 Engine Street' }, VILLA] },
    ],
    [
      'an attribute of an extension',
      { op: 'replace', path: `${URN_ENTERPRISE_USER}:department`, value: 'Looms' },
      { [URN_ENTERPRISE_USER]: { department: 'Looms', manager: { value: 'm1' } } },
    ],
    [
      'the manager as an object',
      { op: 'replace', path: `${URN_ENTERPRISE_USER}:manager`, value: { value: 'm2' } },
      { [URN_ENTERPRISE_USER]: { department: 'Engines', manager: { value: 'm2' } } },
    ],
    [
      'the manager by its value',
      { op: 'replace', path: `${URN_ENTERPRISE_USER.toUpperCase()}:manager.value`, value: 'm2' },
      { [URN_ENTERPRISE_USER]: { department: 'Engines', manager: { value: 'm2' } } },
    ],
    [
      'the manager removed',
      { op: 'remove', path: `${URN_ENTERPRISE_USER}:manager` },
      { [URN_ENTERPRISE_USER]: { department: 'Engines' } },
    ],
    [
      'an extension by its URN',
      { op: 'replace', path: URN_ENTERPRISE_USER, value: { schemas: [URN_ENTERPRISE_USER], department: 'Looms' } },
      { [URN_ENTERPRISE_USER]: { department: 'Looms', manager: { value: 'm1' } } },
    ],
    [
      'an extension in a value',
      { op: 'add', value: { schemas: [URN_USER], [URN_ENTERPRISE_USER]: { division: 'North' } } },
      { [URN_ENTERPRISE_USER]: { department: 'Engines', manager: { value: 'm1' }, division: 'North' } },
    ],
    ['an extension removed', { op: 'remove', path: URN_ENTERPRISE_USER }, { [URN_ENTERPRISE_USER]: undefined }],
    [
      'an attribute of an extension that no schema describes',
      { op: 'replace', path: `${UNKNOWN}:tier`, value: 'silver' },
      { [UNKNOWN]: { tier: 'silver', seats: [1, 2] } },
    ],
    [
      'a list of an extension that no schema describes',
      { op: 'add', path: `${UNKNOWN}:seats`, value: [2, 3] },
      { [UNKNOWN]: { tier: 'gold', seats: [1, 2, 3] } },
    ],
    [
      'a new extension that no schema describes',
      { op: 'add', path: 'urn:example:other:User', value: { a: 1 } },
      { 'urn:example:other:User': { a: 1 } },
    ],
    ['the core URN as a path', { op: 'replace', path: URN_USER, value: { title: 'Lady' } }, { title: 'Lady' }],
    [
      'the core URN before an attribute',
      { op: 'replace', path: `${URN_USER}:title`, value: 'Lady' },
      { title: 'Lady' },
    ],
    [
      'add of an entry that is there lays it over the old one',
      { op: 'add', path: 'emails', value: [{ ...HOME, primary: true, display: 'Home' }] },
      {
        emails: [
          { ...WORK, primary: false },
          { ...HOME, primary: true, display: 'Home' },
        ],
      },
    ],
    [
      'add of the address under another type makes another entry',
      { op: 'add', path: 'emails', value: { value: HOME.value, type: 'other' } },
      { emails: [WORK, HOME, { value: HOME.value, type: 'other' }] },
    ],
    [
      'a filter by or, not and parentheses',
      { op: 'remove', path: 'emails[not (type eq "home") or (value sw "x" and primary pr)]' },
      { emails: [HOME] },
    ],
    [
      'replace of every entry that a filter chooses',
      { op: 'replace', path: 'addresses[type pr].locality', value: 'Paris' },
      {
        addresses: [
          { ...OFFICE, locality: 'Paris' },
          { ...VILLA, locality: 'Paris' },
        ],
      },
    ],
    [
      'replace of a list',
      { op: 'replace', path: 'emails', value: [HOME, { value: 'new@example.com' }] },
      { emails: [HOME, { value: 'new@example.com' }] },
    ],
    ['replace of a list by one value', { op: 'replace', path: 'emails', value: HOME }, { emails: [HOME] }],
    [
      'a filter on a list of plain values names them by value',
      { op: 'remove', path: `${UNKNOWN}:seats[value gt 1]` },
      { [UNKNOWN]: { tier: 'gold', seats: [1] } },
    ],
    [
      'read-only attributes in a value are passed over',
      { op: 'replace', value: { id: 'x', title: 'Lady' } },
      { title: 'Lady' },
    ],
  ])('%s', async (_because, operation, changed) => {
    const { answer, attributes, meta } = await patchPerson(operation);
    expect(answer.status).toBe(200);
    expect(attributes).toEqual({ ...PERSON, ...changed });
    expect(meta.version).toBe('W/"2"');
    expect(answer.body.meta).toEqual(meta);
    expect(answer.headers.get('etag')).toBe('W/"2"');
  });

  it.each([
    ['add of a value that is there', { op: 'add', path: 'emails', value: [{ Value: HOME.value, type: 'home' }] }],
    ['replace with the same', { op: 'replace', path: 'name', value: { givenName: 'Ada' } }],
    ['remove of an entry that is not there', { op: 'remove', path: 'emails[value eq "gone"]' }],
    ['remove of an attribute that is not there', { op: 'remove', path: 'nickName' }],
    ['remove in an extension that is not there', { op: 'remove', path: 'urn:example:none:User:x' }],
    ['a password, which is not kept', { op: 'replace', path: 'password', value: 'Pass-1843' }],
    ['schemas, which follow from the extensions', { op: 'replace', path: 'schemas', value: [URN_USER] }],
    ['add of null', { op: 'add', path: 'title', value: null }],
  ])('%s is no change', async (_because, operation) => {
    const { answer, attributes, meta } = await patchPerson(operation);
    expect(answer.status).toBe(200);
    expect(attributes).toEqual(PERSON);
    expect(meta).toMatchObject({ version: 'W/"1"', lastModified: meta.created });
  });

  it.each([
    [{ op: 'move', path: 'title', value: 'x' }, 'invalidSyntax', 'add, replace or remove'],
    [{ op: 'Replace', path: 'title', value: 'x' }, 'invalidSyntax', 'in lower case'],
    [{ op: 'replace', value: { 'name.familyName': 'King' } }, 'invalidPath', '"name.familyName" is a path'],
    [{ op: 'replace', value: { 'emails[type eq "work"].value': 'x' } }, 'invalidPath', 'must stand in "path"'],
    [{ op: 'add', value: { [`${URN_ENTERPRISE_USER}:department`]: 'x' } }, 'invalidPath', 'is a path'],
    [{ op: 'add', value: { [`${UNKNOWN}:tier`]: 'x' } }, 'invalidPath', 'is a path'],
    [{ op: 'remove' }, 'noTarget', 'it needs a path'],
    [{ op: 'remove', path: URN_USER }, 'noTarget', 'must name an attribute'],
    [{ op: 'replace', path: 'title' }, 'invalidValue', 'needs a value'],
    [{ op: 'replace', value: 'x' }, 'invalidValue', 'must be an object of attributes'],
    [{ op: 'replace', path: 7, value: 'x' }, 'invalidPath', 'must be a string'],
    [{ op: 'replace', path: 'titel', value: 'x' }, 'invalidPath', 'did you mean "title"?'],
    [{ op: 'replace', path: 'name.givenNam', value: 'x' }, 'invalidPath', 'did you mean "name.givenName"?'],
    [
      { op: 'replace', path: `${URN_ENTERPRISE_USER}:dept`, value: 'x' },
      'invalidPath',
      'no schema has the attribute "dept"',
    ],
    [{ op: 'replace', path: 'emails[type eq "work"', value: 'x' }, 'invalidPath', 'lacks a "]"'],
    [{ op: 'replace', path: 'emails[type is "work"].value', value: 'x' }, 'invalidFilter', 'grammar'],
    [{ op: 'replace', path: 'name[givenName eq "Ada"]', value: {} }, 'invalidPath', 'not a list'],
    [{ op: 'replace', path: 'title[value eq "x"]', value: 'x' }, 'invalidPath', 'not a list'],
    [{ op: 'replace', path: '__proto__.x', value: 'x' }, 'invalidPath', 'no path'],
    [{ op: 'replace', path: 'phoneNumbers[type eq "mobile"].value', value: 'x' }, 'noTarget', 'no value that there is'],
    [{ op: 'add', path: 'phoneNumbers[type sw "m"].value', value: 'x' }, 'noTarget', 'no value that there is'],
    [{ op: 'replace', path: 'phoneNumbers.value', value: 'x' }, 'noTarget', 'no value that there is'],
    [{ op: 'remove', path: 'emails', value: [{ value: 'x' }] }, 'invalidValue', 'by a filter in the path'],
    [{ op: 'replace', path: 'id', value: 'x' }, 'mutability', 'read-only'],
    [{ op: 'remove', path: 'groups[value eq "x"]' }, 'mutability', 'read-only'],
    [{ op: 'replace', path: `${URN_ENTERPRISE_USER}:manager.displayName`, value: 'x' }, 'mutability', 'read-only'],
    [{ op: 'replace', path: `${URN_ENTERPRISE_USER}:manager`, value: 'm2' }, 'invalidValue', 'as {"value": "…"}'],
    [{ op: 'replace', path: 'active', value: 'False' }, 'invalidValue', 'true or false, without quotes'],
    [{ op: 'remove', path: 'userName' }, 'mutability', '"userName" is required'],
    [{ op: 'replace', path: 'userName', value: null }, 'invalidValue', '"userName" is required'],
    [
      { op: 'replace', path: 'emails[primary eq "True"].value', value: 'x' },
      'invalidFilter',
      'compared with a boolean',
    ],
    [{ op: 'remove', path: 'emails[type eq "home"]', value: [HOME] }, 'invalidValue', 'by a filter in the path'],
    [{ op: 'replace', path: 'emails[type eq "none"]', value: HOME }, 'noTarget', 'no value that there is'],
    [{ op: 'add', path: 'emails', value: 'x@example.com' }, 'invalidValue', 'must be an object'],
    [
      { op: 'replace', path: 'emails', value: [{ ...WORK }, { ...HOME, primary: true }] },
      'invalidValue',
      'more than one entry with "primary"',
    ],
  ])('refuses %j with %s', async (operation, scimType, detail) => {
    const { answer, attributes, meta } = await patchPerson({ op: 'replace', path: 'title', value: 'Lady' }, operation);
    expect(answer).toMatchObject({ status: 400, body: { scimType, detail: expect.stringContaining(detail) } });
    expect(attributes, 'the operation before it does not count either').toEqual(PERSON);
    expect(meta.version).toBe('W/"1"');
  });

  it('applies operations in order, each to what the one before left', async () => {
    const { attributes } = await patchPerson(
      { op: 'remove', path: 'emails' },
      { op: 'add', path: 'emails', value: [HOME] },
      { op: 'replace', path: 'emails[type eq "home"].display', value: 'Home' },
      { op: 'remove', path: 'title' },
      { op: 'add', path: 'title', value: 'Lady' },
    );
    expect(attributes).toEqual({ ...PERSON, emails: [{ ...HOME, display: 'Home' }], title: 'Lady' });
  });

  it.each<[unknown, string]>([
    [{}, 'a body without schemas'],
    [{ schemas: [URN_USER], Operations: [{ op: 'remove', path: 'title' }] }, 'the wrong schema'],
    [{ schemas: [URN_PATCH_OP] }, 'no operations'],
    [{ schemas: [URN_PATCH_OP], Operations: [] }, 'an empty list of operations'],
    [{ schemas: [URN_PATCH_OP], Operations: ['x'] }, 'an operation that is no object'],
    [[], 'a list'],
    ['not json', 'no JSON'],
  ])('refuses %j with invalidSyntax: %s', async (body) => {
    const directory = await openTestDirectory();
    const id = await directory.addUser();
    const answer = await directory.call('PATCH', `/Users/${id}`, body);
    expect(answer).toMatchObject({ status: 400, body: { scimType: 'invalidSyntax' } });
  });

  it('lists an extension in schemas as long as it has values', async () => {
    const directory = await openTestDirectory();
    const { body } = await directory.call('POST', '/Users', aUser());
    const path = `/Users/${body.id}`;
    const added = await directory.patch(path, { op: 'add', path: `${URN_ENTERPRISE_USER}:department`, value: 'D' });
    expect(added.body.schemas).toEqual([URN_USER, URN_ENTERPRISE_USER]);
    const removed = await directory.patch(path, { op: 'remove', path: `${URN_ENTERPRISE_USER}:department` });
    expect(removed.body.schemas).toEqual([URN_USER]);
  });
});

describe('PATCH of users, lenient', () => {
  it.each([
    ['op in any case', { op: 'Replace', path: 'title', value: 'Lady' }, { title: 'Lady' }],
    [
      'keys of a value that are paths',
      { op: 'Add', value: { 'name.familyName': 'King', [`${URN_ENTERPRISE_USER}:department`]: 'Looms' } },
      {
        name: { givenName: 'Ada', familyName: 'King' },
        [URN_ENTERPRISE_USER]: { department: 'Looms', manager: { value: 'm1' } },
      },
    ],
    ['a boolean as text', { op: 'Replace', path: 'active', value: 'False' }, { active: false }],
    [
      'a boolean as text in a filter',
      { op: 'Replace', path: 'emails[primary eq "True"].value', value: 'x@example.com' },
      { emails: [{ ...WORK, value: 'x@example.com' }, HOME] },
    ],
    [
      'the manager as text',
      { op: 'Replace', path: `${URN_ENTERPRISE_USER}:manager`, value: 'm2' },
      { [URN_ENTERPRISE_USER]: { department: 'Engines', manager: { value: 'm2' } } },
    ],
    [
      'entries to remove in the value',
      { op: 'Remove', path: 'emails', value: [{ value: WORK.value }] },
      { emails: [HOME] },
    ],
    ['and what the RFC has', { op: 'replace', path: 'title', value: 'Lady' }, { title: 'Lady' }],
  ])('takes %s', async (_because, operation, changed) => {
    const { answer, attributes } = await patchPersonIn(await openTestDirectory({ lenient: true }), [operation]);
    expect(answer.status, JSON.stringify(answer.body)).toBe(200);
    expect(attributes).toEqual({ ...PERSON, ...changed });
  });

  it.each([
    [{ op: 'Move', path: 'title', value: 'x' }, 'invalidSyntax'],
    [{ op: 'Replace', path: 'active', value: 'yes' }, 'invalidValue'],
    [{ op: 'Remove', path: 'emails', value: [{ type: 'work' }] }, 'invalidValue'],
    [{ op: 'Remove', path: 'emails.display', value: [{ value: 'x' }] }, 'invalidValue'],
    [{ op: 'Replace', path: 'emails[primary eq "yes"].value', value: 'x' }, 'invalidFilter'],
  ])('still refuses %j with %s', async (operation, scimType) => {
    const { answer, meta } = await patchPersonIn(await openTestDirectory({ lenient: true }), [operation]);
    expect(answer).toMatchObject({ status: 400, body: { scimType } });
    expect(meta.version).toBe('W/"1"');
  });

  it('takes the members to remove from a group in the value, and no others', async () => {
    const directory = await openTestDirectory({ lenient: true });
    const people = [await directory.addUser(), await directory.addUser()];
    const path = `/Groups/${await directory.addGroup('Engines', people)}`;
    await directory.patch(path, { op: 'Remove', path: 'members', value: [{ value: people[0] }] });
    const { body } = await directory.call('GET', path);
    expect(body.members.map((each: { value: string }) => each.value)).toEqual([people[1]]);
  });
});

describe('PATCH of attributes of other kinds', () => {
  const ACME = 'urn:example:params:acme:1.0:User';
  const schema = {
    id: ACME,
    name: 'Acme',
    description: '',
    attributes: [
      toAttributeDefinition('tags', 'String', '', { multiValued: true }),
      toAttributeDefinition('badge', 'String', '', { mutability: 'immutable' }),
      toAttributeDefinition('level', 'Integer', '', { required: true }),
      toAttributeDefinition('pin', 'String', '', { mutability: 'writeOnly', returned: 'never', required: true }),
      toAttributeDefinition('desks', 'Complex', '', {
        multiValued: true,
        subAttributes: [toAttributeDefinition('floor', 'Integer', ''), toAttributeDefinition('room', 'String', '')],
      }),
    ],
  };
  const VALUES = { tags: ['a', 'b'], badge: '7', level: 1, desks: [{ floor: 1, room: 'a' }, { floor: 2 }] };

  async function patchAcme(...operations: readonly unknown[]) {
    const directory = await openTestDirectory({ schemas: [schema] });
    const id = await directory.addUser({ [ACME]: { ...VALUES, pin: '1234' } });
    const { status, body } = await directory.patch(`/Users/${id}`, ...operations);
    return status === 200 ? { version: body.meta.version, ...body[ACME] } : `${status} ${body.scimType}`;
  }

  it.each([
    [{ op: 'add', path: `${ACME}:tags`, value: ['b', 'c'] }, { tags: ['a', 'b', 'c'] }],
    [{ op: 'add', path: `${ACME}:tags`, value: 'c' }, { tags: ['a', 'b', 'c'] }],
    [{ op: 'replace', path: `${ACME}:tags`, value: ['c'] }, { tags: ['c'] }],
    [{ op: 'remove', path: `${ACME}:tags[value eq "A"]` }, { tags: ['b'] }],
    [{ op: 'replace', path: `${ACME}:tags[value eq "a"]`, value: 'z' }, { tags: ['z', 'b'] }],
    [{ op: 'remove', path: `${ACME}:tags` }, { tags: undefined }],
    [
      { op: 'replace', path: `${ACME}:desks[floor gt 1].room`, value: 'b' },
      { desks: [VALUES.desks[0], { floor: 2, room: 'b' }] },
    ],
    [{ op: 'remove', path: `${ACME}:desks[room pr].room` }, { desks: [{ floor: 1 }, { floor: 2 }] }],
    [{ op: 'replace', path: ACME, value: { level: 2 } }, { level: 2 }],
  ])('%j', async (operation, changed) => {
    expect(await patchAcme(operation)).toEqual({ version: 'W/"2"', ...VALUES, ...changed });
  });

  it.each([
    [{ op: 'replace', path: `${ACME}:badge`, value: '8' }, '400 mutability'],
    [{ op: 'remove', path: `${ACME}:badge` }, '400 mutability'],
    [{ op: 'remove', path: `${ACME}:level` }, '400 mutability'],
    [{ op: 'replace', path: `${ACME}:level`, value: 'x' }, '400 invalidValue'],
    [{ op: 'replace', path: `${ACME}:desks[floor eq 9].room`, value: 'x' }, '400 noTarget'],
  ])('%j is refused with %s', async (operation, refusal) => {
    expect(await patchAcme(operation)).toBe(refusal);
  });

  it.each([
    { op: 'replace', path: `${ACME}:badge`, value: '7' },
    { op: 'replace', path: `${ACME}:pin`, value: '9999' },
    { op: 'remove', path: `${ACME}:tags[value eq "none"]` },
  ])('%j is no change', async (operation) => {
    expect(await patchAcme(operation)).toEqual({ version: 'W/"1"', ...VALUES });
  });
});
