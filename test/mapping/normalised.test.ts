import { describe, expect, it } from 'vitest';
import { PREDEFINED_NAMES } from '../../src/api/custom-attribute.ts';
import { DIRECTORIES, type DirectoryName, PREDEFINED } from '../../src/mapping/catalog.ts';
import { bindName, KnownAttributes, type NameContext } from '../../src/mapping/names.ts';
import { findPredefinedAttribute, findStandardAttribute, STANDARD_NAMES } from '../../src/mapping/normalised.ts';
import type { Json } from '../../src/model.ts';
import { namesOf, RECORDS } from '../support/directory-records.ts';

function read(directory: DirectoryName, name: string, attributes?: Record<string, Json>): Json | undefined {
  const user = attributes === undefined ? RECORDS[directory] : { id: 'p1', active: false, attributes };
  const attribute = findStandardAttribute(directory, name) ?? findPredefinedAttribute(directory, name);
  return attribute?.read(user);
}

const of = (type: string, value: string, primary: boolean) => ({ type, value, primary });
const UK = 'United Kingdom';
const WORK = { type: 'work', street_address: '1 High St', locality: 'York' };

/** In the order of DIRECTORIES: file, Entra, Google, WorkOS, LDAP, Active Directory, SCIM. */
const EXPECTED: Readonly<Record<string, readonly Json[]>> = {
  idp_id: DIRECTORIES.map((directory) => RECORDS[directory].id),
  state: DIRECTORIES.map(() => 'active'),
  IsSoftDeleted: DIRECTORIES.map(() => false),
  email: [
    'ada@example.com',
    'Ada@example.com',
    'ada@corp.example',
    'ada@example.com',
    'ada@example.com',
    'ada@corp.example',
    'ada@example.com',
  ],
  first_name: DIRECTORIES.map(() => 'Ada'),
  last_name: DIRECTORIES.map(() => 'Byron'),
  addresses: [
    [{ ...WORK, primary: false, raw_address: '1 High St, York' }],
    [
      {
        ...WORK,
        region: 'North Yorkshire',
        postal_code: 'YO1',
        country: UK,
        primary: true,
        raw_address: `1 High St, York, North Yorkshire, YO1, ${UK}`,
      },
    ],
    [
      { type: 'home', primary: false, raw_address: '2 Low St' },
      { ...WORK, postal_code: 'YO1', country: 'UK', primary: false, raw_address: '1 High St, York, YO1, UK' },
    ],
    [{ ...WORK, postal_code: 'YO1', country: 'UK', primary: true, raw_address: '1 High St, York' }],
    [{ ...WORK, postal_code: 'YO1', primary: true, raw_address: '1 High St, York, YO1' }],
    [{ ...WORK, postal_code: 'YO1', country: UK, primary: true, raw_address: `1 High St, York, YO1, ${UK}` }],
    [{ ...WORK, postal_code: 'YO1', country: 'UK', primary: false, raw_address: '1 High St, York, YO1, UK' }],
  ],
  cost_center_name: [null, 'CC-7', 'CC-7', 'CC-7', null, null, 'CC-7'],
  department_name: [null, 'Research', 'Research', 'Research', 'Research', 'Research', 'Research'],
  division_name: [null, 'North', null, 'North', null, 'North', 'North'],
  emails: [
    null,
    [
      of('work', 'Ada@example.com', true),
      of('other', 'ada.home@example.com', false),
      of('other', 'a.byron@example.com', false),
    ],
    [
      of('private', 'ada.home@example.com', false),
      { value: 'ada@corp.example', primary: true },
      of('other', 'a.byron@corp.example', false),
    ],
    [of('work', 'ada@example.com', true)],
    [of('work', 'ada@example.com', true), of('other', 'a.byron@example.com', false)],
    [of('other', 'a.byron@example.com', false), of('work', 'ada@example.com', true)],
    [of('home', 'ada.home@example.com', false), of('work', 'ada@example.com', true)],
  ],
  employee_number: [null, '0042', '0042', '0042', '0042', '0042', '0042'],
  employee_type: [null, 'Full Time', 'Full Time', 'Full Time', 'Full Time', 'Full Time', 'Full Time'],
  employment_start_date: [
    '2021-06-27T00:00:00.000Z',
    '2021-06-27T12:00:00.000Z',
    null,
    '2021-06-27T12:00:00.000Z',
    null,
    null,
    null,
  ],
  job_title: DIRECTORIES.map(() => 'Engineer'),
  manager_email: [null, 'bo@example.com', 'bo@corp.example', 'bo@example.com', 'bo@example.com', null, null],
  organization: [null, 'Corp', 'Corp', 'Corp', 'Corp', 'Corp', 'Corp'],
  username: [
    null,
    'ada@corp.example',
    'ada@corp.example',
    'ada@corp.example',
    'ada',
    'ada@corp.example',
    'ada@corp.example',
  ],
};

describe('standard and predefined attributes', () => {
  it('are all of the table', () => {
    expect(Object.keys(EXPECTED).sort()).toEqual([...STANDARD_NAMES, ...PREDEFINED_NAMES].sort());
    expect(PREDEFINED_NAMES).toHaveLength(12);
  });

  const cases = Object.entries(EXPECTED).flatMap(([name, values]) =>
    DIRECTORIES.map((directory, index) => [name, directory, values[index] ?? null] as const),
  );
  it.each(cases)('%s of %s', (name, directory, expected) => {
    expect(read(directory, name)).toEqual(expected);
  });

  it.each<readonly [DirectoryName, string, Record<string, Json>, Json, string]>([
    ['entra', 'email', { mail: '', userPrincipalName: 'ada@corp.example' }, 'ada@corp.example', 'without a mailbox'],
    ['entra', 'email', { userPrincipalName: 'ada.b_example.com#EXT#@corp.example' }, 'ada.b@example.com', 'of a guest'],
    ['entra', 'state', {}, 'inactive', 'of who is inactive'],
    ['entra', 'IsSoftDeleted', {}, true, 'of who is inactive'],
    ['entra', 'addresses', { streetAddress: null, city: '' }, null, 'an address without parts is none'],
    ['entra', 'emails', {}, null, 'nor is a list without mails'],
    [
      'entra',
      'emails',
      { otherMails: ['a@example.com', 'A@example.com'] },
      [of('other', 'a@example.com', false)],
      'each address once',
    ],
    [
      'google',
      'emails',
      {
        emails: [
          { address: 'a@example.com', primary: true },
          { address: 'b@example.com', primary: true },
        ],
      },
      [
        { value: 'a@example.com', primary: true },
        { value: 'b@example.com', primary: false },
      ],
      'one primary address',
    ],
    ['google', 'job_title', { organizations: [{ title: 'Fellow' }, { title: 'Lead' }] }, 'Fellow', 'no primary entry'],
    ['google', 'employee_number', { externalIds: [] }, null, 'no entry of the type'],
    ['ldap', 'department_name', { departmentNumber: ['7', '8'], ou: ['Research'] }, '7', 'the first of two attributes'],
    ['workos', 'employment_start_date', { custom_attributes: { employment_start_date: 'soon' } }, 'soon', 'no date'],
    ['file', 'employee_number', { employee_number: 42 }, '42', 'a number is a text'],
  ])('%s: %s of %j is %j, %s', (directory, name, attributes, expected) => {
    expect(read(directory, name, attributes)).toEqual(expected);
  });
});

describe('bound to a read (I13)', () => {
  const bind = (name: string, directory: DirectoryName, names: readonly string[]) => {
    const context: NameContext = {
      resource: 'User',
      customs: new Set(),
      mapped: new Set(),
      provider: directory,
      hasGroups: true,
      desired: null,
    };
    return bindName(name, context, new KnownAttributes(names));
  };

  it.each(DIRECTORIES)('none of %s is unknown where its attributes are read', (directory) => {
    const names = namesOf(RECORDS[directory]);
    const missing = PREDEFINED_NAMES.filter((name) => bind(`predefined:${name}`, directory, names).missing);
    const none = PREDEFINED_NAMES.filter((name) => PREDEFINED[name].cells[directory] === null);
    expect(missing.filter((name) => none.includes(name))).toEqual([]);
    if (directory !== 'file') expect(missing.filter((name) => name !== 'manager_email')).toEqual([]);
  });

  it('is unknown where nothing of it was read, and for a record whose part was not', () => {
    expect(bind('predefined:job_title', 'file', ['id']).missing).toBe(true);
    expect(bind('predefined:division_name', 'google', ['id']).missing).toBe(false);
    const bound = bind('department_name', 'ldap', ['ou']);
    const person = { user: RECORDS.ldap, customs: new Map(), mapped: {} as never };
    expect(bound.read(person)).toBe('Research');
    expect(bound.isUnknown({ ...person, user: { ...RECORDS.ldap, unknown: ['ou'] } })).toBe(true);
  });

  it('comes after the attribute of the source, before the standard one', () => {
    const user = { id: 'p1', active: true, attributes: { organization: 'Own', title: 'Boss' } };
    const person = { user, customs: new Map(), mapped: {} as never };
    expect(bind('organization', 'scim', ['organization']).read(person)).toBe('Own');
    expect(bind('predefined:organization', 'scim', ['organization']).read(person)).toBe(null);
    expect(bind('job_title', 'scim', ['title']).read(person)).toBe('Boss');
  });
});
