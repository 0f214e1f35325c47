/**
 * Every form of a target path, from a record of the source to what the embedded directory holds: made, changed, taken
 * away. After each step two more runs, one of which looks at every account, have nothing to write (I2).
 */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { stringify } from 'yaml';
import type { AttributeEntry } from '../../src/api/attribute-mapping.ts';
import type { CustomAttributeSpec } from '../../src/api/custom-attribute.ts';
import { type Directory, startDirectory } from '../../src/directory/server.ts';
import type { Json } from '../../src/model.ts';
import { URN_ENTERPRISE_USER } from '../../src/scim/schema.ts';
import { aFolder } from '../local/folder.ts';
import { runFolder } from '../support/folder-run.ts';

const TOKEN = 'sesame';
const ACME = 'urn:ietf:params:scim:schemas:extension:acme.corp.example:2.0:User';
const GLOBEX = 'urn:globex:2.0:User';

type Values = Readonly<Record<string, Json>>;

interface Case {
  readonly form: string;
  readonly entries: readonly AttributeEntry[];
  readonly customs?: Readonly<Record<string, Partial<CustomAttributeSpec>>>;
  /** What the source says of p1, and what the directory has then; `null`: no such attribute. */
  readonly steps: readonly (readonly [Values, Values])[];
}

const clear = (target: string, source: string): AttributeEntry => ({ target, source, onEmpty: 'Clear' });

const CASES: readonly Case[] = [
  {
    form: 'a part of a complex attribute',
    entries: [clear('name.givenName', 'first'), clear('name.familyName', 'last')],
    steps: [
      [{ first: 'Ada', last: 'Byron' }, { name: { givenName: 'Ada', familyName: 'Byron' } }],
      [{ first: 'Ada', last: 'King' }, { name: { givenName: 'Ada', familyName: 'King' } }],
      [{ first: 'Ada', last: '' }, { name: { givenName: 'Ada' } }],
      [{ first: '', last: '' }, { name: null }],
    ],
  },
  {
    form: 'typed values of one list from several entries, one of them deleted',
    entries: [
      clear('phoneNumbers[type eq "work"].value', 'work'),
      clear('phoneNumbers[type eq "mobile"].value', 'mobile'),
      clear('phoneNumbers[type eq "fax"].value', 'fax'),
    ],
    steps: [
      [
        { work: '1', mobile: '2' },
        {
          phoneNumbers: [
            { type: 'work', value: '1' },
            { type: 'mobile', value: '2' },
          ],
        },
      ],
      [
        { work: '1', mobile: '', fax: '3' },
        {
          phoneNumbers: [
            { type: 'work', value: '1' },
            { type: 'fax', value: '3' },
          ],
        },
      ],
      [
        { work: '9', mobile: null, fax: '3' },
        {
          phoneNumbers: [
            { type: 'work', value: '9' },
            { type: 'fax', value: '3' },
          ],
        },
      ],
      [{ work: '', mobile: '', fax: '' }, { phoneNumbers: null }],
    ],
  },
  {
    form: 'value, display, type and primary of one filter fill one object',
    entries: [
      clear('roles[primary eq "True"].value', 'role'),
      clear('roles[primary eq "True"].display', 'roleName'),
      { target: 'roles[primary eq "True"].type', constant: 'WindowsAzureActiveDirectoryRole' },
    ],
    steps: [
      [
        { role: 'admin', roleName: 'Administrator' },
        {
          roles: [{ primary: true, value: 'admin', display: 'Administrator', type: 'WindowsAzureActiveDirectoryRole' }],
        },
      ],
      [
        { role: 'user', roleName: '' },
        { roles: [{ primary: true, value: 'user', type: 'WindowsAzureActiveDirectoryRole' }] },
      ],
    ],
  },
  {
    form: 'an entry that is primary, beside another one',
    entries: [
      clear('emails[type eq "work"].value', 'mail'),
      { target: 'emails[type eq "work"].primary', constant: true },
      clear('emails[type eq "home"].value', 'home'),
    ],
    steps: [
      [{ mail: 'a@example.com', home: '' }, { emails: [{ type: 'work', value: 'a@example.com', primary: true }] }],
      [
        { mail: 'a@example.com', home: 'h@example.com' },
        {
          emails: [
            { type: 'work', value: 'a@example.com', primary: true },
            { type: 'home', value: 'h@example.com' },
          ],
        },
      ],
      [{ mail: 'b@example.com', home: '' }, { emails: [{ type: 'work', value: 'b@example.com', primary: true }] }],
    ],
  },
  {
    form: 'several parts of a typed address, Entra’s form',
    entries: [
      clear('addresses[type eq "work"].streetAddress', 'street'),
      clear('addresses[type eq "work"].locality', 'city'),
      clear('addresses[type eq "work"].country', 'country'),
    ],
    steps: [
      [
        { street: '1 High St', city: 'York', country: '' },
        { addresses: [{ type: 'work', streetAddress: '1 High St', locality: 'York' }] },
      ],
      [{ street: '', city: 'York', country: 'UK' }, { addresses: [{ type: 'work', locality: 'York', country: 'UK' }] }],
      [{ street: '', city: '', country: '' }, { addresses: null }],
    ],
  },
  {
    form: 'a filter of two terms',
    entries: [clear('ims[type eq "xmpp" and primary eq true].value', 'chat')],
    steps: [
      [{ chat: 'ada' }, { ims: [{ type: 'xmpp', primary: true, value: 'ada' }] }],
      [{ chat: 'byron' }, { ims: [{ type: 'xmpp', primary: true, value: 'byron' }] }],
      [{ chat: '' }, { ims: null }],
    ],
  },
  {
    form: 'an extension of the standard, with dots in its URN',
    entries: [
      clear(`${URN_ENTERPRISE_USER}:department`, 'department'),
      clear(`${URN_ENTERPRISE_USER}:employeeNumber`, 'number'),
    ],
    steps: [
      [
        { department: 'Sales', number: '007' },
        { [URN_ENTERPRISE_USER]: { department: 'Sales', employeeNumber: '007' } },
      ],
      [{ department: 'Research', number: '' }, { [URN_ENTERPRISE_USER]: { department: 'Research' } }],
      [{ department: '', number: '' }, { [URN_ENTERPRISE_USER]: null }],
    ],
  },
  {
    form: 'extensions of one’s own, each listed in schemas',
    entries: [clear('tier', 'tier'), clear('desks', 'desks'), clear('fte', 'fte'), clear('start', 'start')],
    customs: {
      tier: { path: `${ACME}:licenseTier`, canonicalValues: ['gold', 'silver'] },
      desks: { path: `${ACME}:desks`, multiValued: true, separator: ';' },
      fte: { path: `${GLOBEX}:fte`, type: 'Decimal' },
      start: { path: `${GLOBEX}:start`, type: 'DateTime' },
    },
    steps: [
      [
        { tier: 'gold', desks: 'a; b', fte: '0.8', start: '2026-03-01' },
        {
          schemas: ['urn:ietf:params:scim:schemas:core:2.0:User', ACME, GLOBEX],
          [ACME]: { licenseTier: 'gold', desks: ['a', 'b'] },
          [GLOBEX]: { fte: 0.8, start: '2026-03-01T00:00:00.000Z' },
        },
      ],
      // A list in another order, and a text that differs in case alone, are the same (caseExact is false).
      [
        { tier: 'silver', desks: ['b', 'A'], fte: 1, start: '2026-03-01T01:00:00+01:00' },
        {
          [ACME]: { licenseTier: 'silver', desks: ['b', 'A'] },
          [GLOBEX]: { fte: 1, start: '2026-03-01T00:00:00.000Z' },
        },
      ],
      [
        { tier: '', desks: [], fte: '', start: null },
        { schemas: ['urn:ietf:params:scim:schemas:core:2.0:User'], [ACME]: null, [GLOBEX]: null },
      ],
    ],
  },
  {
    form: 'objects and bytes in an extension',
    entries: [clear('desk', 'desk'), clear('key', 'key'), clear('visits', 'visits')],
    customs: {
      desk: { path: `${ACME}:desk`, type: 'Complex' },
      key: { path: `${ACME}:key`, type: 'Binary', caseExact: true },
      visits: { path: `${ACME}:visits`, type: 'Complex', multiValued: true },
    },
    steps: [
      [
        { desk: { floor: 2, room: 'b' }, key: 'aGVsbG8=', visits: [{ city: 'York' }, { city: 'Leeds' }] },
        { [ACME]: { desk: { floor: 2, room: 'b' }, key: 'aGVsbG8=', visits: [{ city: 'York' }, { city: 'Leeds' }] } },
      ],
      [
        { desk: { room: 'c' }, key: 'aGVSbG8=', visits: [{ city: 'Leeds' }] },
        { [ACME]: { desk: { room: 'c' }, key: 'aGVSbG8=', visits: [{ city: 'Leeds' }] } },
      ],
      [{ desk: null, key: '', visits: [] }, { [ACME]: null }],
    ],
  },
  {
    form: 'a whole list of complex values',
    entries: [{ target: 'roles', expression: 'Coalesce([roles])', onEmpty: 'Clear' }, clear('places', 'places')],
    customs: { places: { path: 'addresses', type: 'Complex', multiValued: true } },
    steps: [
      [
        {
          roles: ['{"value":"admin","type":"app"}', { value: 'user', primary: 'False' }],
          places: [{ type: 'work', street_address: '1 High St', raw_address: '1 High St, York', primary: true }],
        },
        {
          roles: [
            { value: 'admin', type: 'app' },
            { value: 'user', primary: false },
          ],
          addresses: [{ type: 'work', streetAddress: '1 High St', formatted: '1 High St, York', primary: true }],
        },
      ],
      [
        { roles: [{ value: 'user' }], places: [{ type: 'home', locality: 'York' }] },
        { roles: [{ value: 'user' }], addresses: [{ type: 'home', locality: 'York' }] },
      ],
      [
        { roles: [], places: null },
        { roles: null, addresses: null },
      ],
    ],
  },
  {
    form: 'lists and numbers as constants, defaults, and what is written once',
    entries: [
      { target: 'desks', constant: ['a', 'b'] },
      { target: 'floor', constant: 3 },
      { target: 'title', source: 'title', default: 'n/a' },
      { target: 'nickName', source: 'nick', apply: 'OnCreate' },
      { target: 'userType', default: 'Employee' },
    ],
    customs: {
      desks: { path: `${ACME}:desks`, multiValued: true },
      floor: { path: `${ACME}:floor`, type: 'Integer' },
    },
    steps: [
      [
        { title: '', nick: 'Bo' },
        { [ACME]: { desks: ['a', 'b'], floor: 3 }, title: 'n/a', nickName: 'Bo', userType: 'Employee' },
      ],
      [
        { title: 'Lead', nick: 'Bea' },
        { title: 'Lead', nickName: 'Bo', userType: 'Employee' },
      ],
      [
        { title: '', nick: '' },
        { title: 'Lead', nickName: 'Bo', userType: 'Employee' },
      ],
    ],
  },
];

const BASE: readonly AttributeEntry[] = [
  { target: 'userName', source: 'id', matching: { precedence: 1 } },
  { target: 'externalId', source: 'id', matching: { precedence: 2 } },
];

/** How each writes entries of lists differs most: through filters, merged into one operation, the list as a whole. */
const PROFILES = ['Standard', 'MicrosoftStyle', 'GitHubEnterprise'] as const;

function toManifests(url: string, profile: string, { entries, customs = {} }: Case): string {
  const resource = (kind: string, name: string, spec: unknown) =>
    stringify({ apiVersion: 'dirsync.dev/v1alpha1', kind, metadata: { name }, spec });
  return [
    resource('DirectorySync', 'acme', {
      source: { file: { users: { path: 'people.json' } } },
      mappings: [{ name: 'users' }, { name: 'more' }],
      target: { scim: { url, profile, credentialsRef: { name: 'app' } } },
      // Each step of one person is a drop of all values that there are.
      guards: { suspiciousDrop: 100 },
    }),
    // What belongs to one list may come from several mappings.
    resource('AttributeMapping', 'users', { attributes: [...BASE, ...entries.slice(1)] }),
    resource('AttributeMapping', 'more', { attributes: entries.slice(0, 1) }),
    ...Object.entries(customs).map(([name, spec]) => resource('CustomAttribute', name, spec)),
    stringify({ apiVersion: 'v1', kind: 'Secret', metadata: { name: 'app' }, stringData: { token: TOKEN } }),
  ].join('---\n');
}

async function readUser(directory: Directory): Promise<Values> {
  const answer = await fetch(`${directory.url}/Users`, { headers: { authorization: `Bearer ${TOKEN}` } });
  const { Resources: list = [] } = (await answer.json()) as { Resources?: Values[] };
  expect(list).toHaveLength(1);
  return list[0] ?? {};
}

/** Lists have no order. */
function toUnordered(values: Values): Values {
  const sort = (value: Json) =>
    Array.isArray(value) ? value.toSorted((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1)) : value;
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [name, sort(value)]));
}

const isOfList = ({ entries }: Case) => entries.some(({ target }) => target.includes('['));

describe.each(PROFILES)('a target path, in the profile %s', (profile) => {
  const cases = profile === 'Standard' ? CASES : CASES.filter(isOfList);
  it.each(cases.map((each) => [each.form, each] as const))('%s (I2)', async (_form, each) => {
    const folder = await aFolder({});
    const directory = await startDirectory({
      file: join(folder, 'directory.db'),
      token: TOKEN,
      lenient: profile === 'MicrosoftStyle',
    });
    onTestFinished(() => directory.close());
    await writeFile(join(folder, 'acme.yaml'), toManifests(directory.url, profile, each));
    const sources = [...new Set(each.steps.flatMap(([record]) => Object.keys(record)))];
    const nothing = Object.fromEntries(sources.map((name) => [name, null]));
    const run = async (resync = false) => {
      const { reason, message } = await runFolder(folder, join(folder, 'state.db'), { resync });
      expect(`${reason}: ${message}`).toMatch(/^Synced: /);
    };
    for (const [record, expected] of each.steps) {
      await writeFile(join(folder, 'people.json'), JSON.stringify([{ id: 'p1', ...nothing, ...record }]));
      await run();
      const user = await readUser(directory);
      const found = Object.fromEntries(Object.keys(expected).map((name) => [name, user[name] ?? null]));
      expect(toUnordered(found)).toEqual(toUnordered(expected));
      const { writes } = directory.counts();
      await run();
      await run(true);
      expect(directory.counts().writes).toBe(writes);
    }
  });
});
