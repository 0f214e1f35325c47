/**
 * Whatever a client sends: no request ends in 500, a refused one changes nothing, a PATCH makes a new version exactly when it
 * makes a difference, and no list has two primary values.
 */
import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { openService } from '../../src/directory/service.ts';
import type { Json } from '../../src/model.ts';
import {
  URN_BULK_REQUEST,
  URN_ENTERPRISE_USER,
  URN_GROUP,
  URN_PATCH_OP,
  URN_SEARCH_REQUEST,
  URN_USER,
} from '../../src/scim/schema.ts';

const NAMES = [
  ...[
    'userName',
    'title',
    'active',
    'name',
    'name.givenName',
    'emails',
    'emails.value',
    'addresses',
    'roles',
    'groups',
  ],
  ...[
    'members',
    'displayName',
    'id',
    'meta',
    'meta.created',
    'schemas',
    'password',
    'x509Certificates',
    '$ref',
    'nothing',
  ],
  ...['__proto__', 'constructor', 'value', 'type', 'primary', URN_USER, `${URN_USER}:title`, URN_ENTERPRISE_USER],
  ...[
    `${URN_ENTERPRISE_USER}:manager`,
    `${URN_ENTERPRISE_USER}:manager.value`,
    'urn:x:1:User',
    'urn:x:1:User:a',
    'urn:',
  ],
] as const;
const name = fc.constantFrom<string>(...NAMES);
const literal = fc.constantFrom(
  '"work"',
  '"ada"',
  '"id-1"',
  '"bulkId:a"',
  'true',
  '7',
  '-1.5',
  'null',
  '"2026-01-01T00:00:00Z"',
  '"',
  '"\\',
);
const filter = fc.letrec<{ filter: string }>((tie) => ({
  filter: fc.oneof(
    { maxDepth: 3 },
    fc
      .tuple(name, fc.constantFrom('eq', 'ne', 'co', 'sw', 'ew', 'gt', 'ge', 'lt', 'le', 'is'), literal)
      .map((parts) => parts.join(' ')),
    name.map((each) => `${each} pr`),
    fc.tuple(tie('filter'), fc.constantFrom('and', 'or'), tie('filter')).map((parts) => parts.join(' ')),
    tie('filter').map((each) => `not (${each})`),
    tie('filter').map((each) => `(${each})`),
    fc.tuple(name, tie('filter')).map(([list, each]) => `${list}[${each}]`),
  ),
})).filter;
const path = fc.oneof(
  name,
  fc.tuple(name, filter).map(([list, each]) => `${list}[${each}]`),
  fc
    .tuple(name, filter, fc.constantFrom('value', 'type', 'primary', 'x'))
    .map(([list, each, sub]) => `${list}[${each}].${sub}`),
  fc.string(),
);
const scalar = fc.constantFrom<Json>(
  'work',
  'ada',
  'id-1',
  'bulkId:a',
  true,
  false,
  7,
  -1.5,
  null,
  '',
  '2026-01-01T00:00:00Z',
);
const value = fc.letrec<{ value: Json }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 3 },
    scalar,
    fc.array(tie('value'), { maxLength: 3 }),
    fc.array(fc.tuple(name, tie('value')), { maxLength: 4 }).map((entries) => Object.fromEntries(entries) as Json),
  ),
})).value;
const operation = fc.record(
  { op: fc.constantFrom('add', 'replace', 'remove', 'Replace', 'move'), path, value },
  { requiredKeys: ['op'] },
);
/** What a client might well mean, so that changes are made as well as refused. */
const plausible = fc.constantFrom<Json>(
  { op: 'add', path: 'emails', value: { value: 'b', type: 'home', primary: true } },
  { op: 'add', path: 'emails', value: [{ value: 'ada', type: 'work', display: 'd' }] },
  { op: 'add', value: { emails: [{ value: 'c', primary: true }], nickName: 'n' } },
  { op: 'replace', path: 'emails[type eq "work"].primary', value: true },
  { op: 'replace', path: 'emails[value sw "b" or not (type pr)]', value: { value: 'd', primary: true } },
  { op: 'replace', path: 'emails', value: [{ value: 'ada', type: 'work', primary: true }] },
  { op: 'replace', path: 'emails.primary', value: false },
  { op: 'remove', path: 'emails[value eq "ada"]' },
  { op: 'remove', path: 'emails[type eq "home"].primary' },
  { op: 'remove', path: 'emails' },
  { op: 'add', path: 'name', value: { givenName: 'Ada' } },
  { op: 'remove', path: 'name.givenName' },
  { op: 'replace', path: `${URN_ENTERPRISE_USER}:manager`, value: { value: 'id-1' } },
  { op: 'remove', path: URN_ENTERPRISE_USER },
  { op: 'replace', value: { displayName: 'new', externalId: 'e' } },
  { op: 'add', path: 'displayName', value: 'g' },
  { op: 'add', path: 'members', value: [{ value: 'id-1' }] },
  { op: 'remove', path: 'members[value eq "id-1"]' },
  { op: 'remove', path: 'members' },
);
const patch = fc
  .oneof(
    fc.array(plausible, { minLength: 1, maxLength: 4 }),
    fc.array(fc.oneof(plausible, operation), { maxLength: 4 }),
  )
  .map((Operations) => ({ schemas: [URN_PATCH_OP], Operations }) as Json);
const resource = fc.tuple(fc.constantFrom(URN_USER, URN_GROUP), value).map(
  ([urn, given]) =>
    ({
      schemas: [urn],
      userName: 'zoe',
      displayName: 'z',
      ...(typeof given === 'object' && !Array.isArray(given) ? given : {}),
    }) as Json,
);
const place = fc.constantFrom('/Users', '/Groups', '/Users/id-1', '/Groups/id-2', '/Users/bulkId:a', '/Nothing', '');
const bulk = fc
  .array(
    fc.record(
      {
        method: fc.constantFrom('POST', 'PUT', 'PATCH', 'DELETE', 'GET'),
        path: place,
        bulkId: fc.constantFrom('a', 'b', ''),
        data: fc.oneof(patch, resource, value),
      },
      { requiredKeys: ['method', 'path'] },
    ),
    { maxLength: 5 },
  )
  .map((Operations) => ({ schemas: [URN_BULK_REQUEST], Operations }) as Json);
const list = fc
  .record(
    {
      filter,
      sortBy: name,
      sortOrder: fc.constantFrom('ascending', 'descending'),
      cursor: fc.constantFrom('', 'x'),
      count: fc.integer({ min: -1, max: 3 }),
      attributes: fc.array(name, { maxLength: 2 }),
    },
    { requiredKeys: [] },
  )
  .map((request) => ({ schemas: [URN_SEARCH_REQUEST], ...request }) as Json);
const request = fc.oneof(
  fc.tuple(fc.constant('PATCH'), fc.constantFrom('/Users/id-1', '/Groups/id-2'), patch),
  fc.tuple(fc.constant('PUT'), fc.constantFrom('/Users/id-1', '/Groups/id-2'), resource),
  fc.tuple(fc.constant('POST'), fc.constantFrom('/Users', '/Groups'), resource),
  fc.tuple(fc.constant('POST'), fc.constant('/Bulk'), bulk),
  fc.tuple(fc.constant('POST'), fc.constantFrom('/.search', '/Users/.search', '/Groups/.search'), list),
);

function open(lenient: boolean) {
  let made = 0;
  const errors: unknown[] = [];
  const service = openService('http://x.example/scim/v2', {
    file: ':memory:',
    token: null,
    lenient,
    makeId: () => `id-${++made}`,
    onError: (error) => errors.push(error),
  });
  const call = async (method: string, at: string, body: Json = null) => {
    const answer = await service.handle({ method, path: `/scim/v2${at}`, headers: {}, body: JSON.stringify(body) });
    return { status: answer.status, body: JSON.parse(answer.body ?? 'null') };
  };
  return { service, call, errors };
}

/** Every resource without what tells of its history. */
function toState(body: { Resources: Resource[] }) {
  return Object.fromEntries(
    body.Resources.map(({ meta, ...attributes }) => [attributes.id, { version: meta.version, attributes }]),
  );
}

interface Resource {
  readonly id: string;
  readonly meta: { readonly version: string };
  readonly emails?: readonly { readonly primary?: boolean }[];
}

const SETUP: readonly (readonly [string, Json])[] = [
  ['/Users', { schemas: [URN_USER], userName: 'ada', emails: [{ value: 'ada', type: 'work', primary: true }] }],
  ['/Groups', { schemas: [URN_GROUP], displayName: 'g', members: [{ value: 'id-1' }] }],
];

/** Ends as it began. */
const OUT_AND_IN: readonly [string, string, Json] = [
  'PATCH',
  '/Groups/id-2',
  {
    schemas: [URN_PATCH_OP],
    Operations: [
      { op: 'remove', path: 'members[value eq "id-1"]' },
      { op: 'add', path: 'members', value: [{ value: 'id-1' }] },
    ],
  },
];

type Call = ReturnType<typeof open>['call'];

async function send(call: Call, [method, at, body]: readonly [string, string, Json]): Promise<void> {
  const before = toState((await call('GET', '/')).body);
  const { status } = await call(method, at, body);
  const resources: Resource[] = (await call('GET', '/')).body.Resources;
  const after = toState({ Resources: resources });
  if (status >= 400) expect(after).toEqual(before);
  if (method === 'PATCH' && status < 300) {
    const id = at.slice(at.lastIndexOf('/') + 1);
    const isChanged = !isDeepStrictEqual(before[id]?.attributes, after[id]?.attributes);
    expect(after[id]?.version !== before[id]?.version).toBe(isChanged);
  }
  for (const { emails = [] } of resources) {
    expect(emails.filter(({ primary }) => primary === true).length).toBeLessThanOrEqual(1);
  }
}

it.each([false, true])('answers anything, lenient: %s', async (lenient) => {
  await fc.assert(
    fc.asyncProperty(fc.array(request, { minLength: 1, maxLength: 6 }), async (requests) => {
      const { service, call, errors } = open(lenient);
      for (const [at, body] of SETUP) await call('POST', at, body);
      for (const each of requests) await send(call, each);
      expect(errors).toEqual([]);
      service.close();
    }),
    { numRuns: 100, examples: [[[OUT_AND_IN]]] },
  );
});
