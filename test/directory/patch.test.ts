import { describe, expect, it } from 'vitest';
import { URN_ENTERPRISE_USER, URN_PATCH_OP, URN_USER } from '../../src/scim/schema.ts';
import { aUser, openTestDirectory } from './directory-client.ts';

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
  const directory = await openTestDirectory();
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
      'names and operators have no case',
      { OP: 'Replace', PATH: 'EMAILS[TYPE EQ "Work"].Value', VALUE: 'x@example.com' },
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
      'keys of a value that are paths',
      { op: 'replace', value: { 'name.familyName': 'King', [`${URN_ENTERPRISE_USER}:department`]: 'Looms' } },
      {
        name: { givenName: 'Ada', familyName: 'King' },
        [URN_ENTERPRISE_USER]: { department: 'Looms', manager: { value: 'm1' } },
      },
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
    [{ op: 'remove', path: 'userName' }, 'invalidValue', '"userName" is required'],
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
