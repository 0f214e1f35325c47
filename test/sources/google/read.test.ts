/** What only Google Workspace has: fields that are asked for, custom schemas, states, types of members, photos, quotas. */
import { describe, expect, it, onTestFinished } from 'vitest';
import type { GoogleSource } from '../../../src/api/google-source.ts';
import { SyncError } from '../../../src/errors.ts';
import type { SourceUser } from '../../../src/model.ts';
import type {
  GroupPage,
  PhotoRequest,
  Source,
  SourceContext,
  SourcePage,
  WantedMembers,
} from '../../../src/sources/source.ts';
import {
  CUSTOMER,
  type GoogleServer,
  GROUP_SCOPE,
  MEMBER_SCOPE,
  refuse,
  startGoogle,
  toGoogleUser,
  USER_SCOPE,
} from '../../support/google-server.ts';
import type { Reply } from '../../support/scripted-server.ts';
import { createTestClient } from '../http-client.ts';
import { connectGoogle } from './connect.ts';

const NEVER = new AbortController().signal;
const DIRECTORY = '/admin/directory/v1/';

async function start(
  content: Parameters<typeof startGoogle>[0] = {},
  options: { readonly config?: Partial<GoogleSource> } & Partial<SourceContext> = {},
): Promise<{ google: GoogleServer; source: Source }> {
  const google = await startGoogle(content);
  const http = createTestClient();
  onTestFinished(async () => {
    http.close();
    await google.close();
  });
  return { google, source: await connectGoogle(google, http, options) };
}

async function readAll(source: Source, projection: readonly string[] = []): Promise<SourcePage[]> {
  const pages: SourcePage[] = [];
  for await (const page of source.readUsers(projection, NEVER)) pages.push(page);
  return pages;
}

async function readGroups(
  source: Source,
  projection: readonly string[] = [],
  wanted?: WantedMembers,
): Promise<GroupPage[]> {
  const pages: GroupPage[] = [];
  for await (const page of source.readGroups?.(projection, NEVER, wanted) ?? []) pages.push(page);
  return pages;
}

async function toError(work: Promise<unknown> | undefined): Promise<SyncError> {
  try {
    await work;
  } catch (thrown) {
    return SyncError.from(thrown);
  }
  throw new Error('it did not fail');
}

const asked = ({ server }: GoogleServer, path: string) =>
  server.requests.filter((request) => request.path === `${DIRECTORY}${path}`);
const lastQuery = (google: GoogleServer, path: string): Readonly<Record<string, string>> =>
  Object.fromEntries(asked(google, path).at(-1)?.query ?? []);

describe('the account', () => {
  it('is told by the administrator', async () => {
    const { source } = await start();
    const identity = { tenantId: CUSTOMER, tenantName: null, domains: ['corp.example'] };
    expect(await source.identity(NEVER)).toEqual(identity);
    const named = await start({}, { config: { customer: CUSTOMER } });
    expect(await named.source.identity(NEVER)).toEqual(identity);
    const narrowed = await start({}, { config: { domain: 'sub.corp.example' } });
    expect(await narrowed.source.identity(NEVER)).toEqual({ ...identity, domains: ['sub.corp.example'] });
  });

  it('must be the one that customer names', async () => {
    const { source } = await start({}, { config: { customer: 'C99other' } });
    const error = await toError(source.identity(NEVER));
    expect([error.code, error.message]).toEqual([
      'EndpointChanged',
      `the administrator of adminEmail is one of the account ${CUSTOMER}, and customer says C99other: nothing was read`,
    ]);
  });

  it.each([
    [refuse(404, 'notFound', 'Resource Not Found: userKey'), 'has no user with the address of adminEmail'],
    [{ status: 200, body: { kind: 'admin#directory#user' } }, 'does not say which account it is'],
  ])('that cannot be told is a failed read', async (reply, message) => {
    const { google, source } = await start();
    google.server.fault = ({ path }) => (path.startsWith(`${DIRECTORY}users/`) ? reply : null);
    const error = await toError(source.identity(NEVER));
    expect([error.code, error.message]).toEqual(['ReadFailed', `${google.url} ${message}`]);
  });
});

describe('people', () => {
  it('are asked for what is mapped and what the API has, and the state', async () => {
    const { google, source } = await start({
      users: [toGoogleUser('1', { phones: [{ type: 'work', value: '+44 1904 1' }] }), toGoogleUser('2')],
    });
    const pages = await readAll(source, ['primaryemail', 'phones', 'name', 'givenName', 'password', 'first_name']);
    expect(lastQuery(google, 'users')).toEqual({
      customer: 'my_customer',
      maxResults: '500',
      projection: 'full',
      fields: 'kind,nextPageToken,users(id,suspended,archived,primaryEmail,phones,name)',
    });
    expect(pages.flatMap((page) => page.users.map(({ attributes }) => attributes))).toEqual([
      {
        ...{ id: '1', suspended: false, archived: false, primaryEmail: '1@corp.example' },
        phones: [{ type: 'work', value: '+44 1904 1' }],
        name: { givenName: '1', familyName: 'Byron', fullName: '1 Byron' },
      },
      {
        ...{ id: '2', suspended: false, archived: false, primaryEmail: '2@corp.example', phones: null },
        name: { givenName: '2', familyName: 'Byron', fullName: '2 Byron' },
      },
    ]);
    expect(pages.at(-1)?.end?.attributes).toEqual([
      ...['id', 'suspended', 'archived', 'primaryEmail', 'phones'],
      ...['name', 'name.givenName', 'name.familyName', 'name.fullName'],
    ]);
  });

  it('are those of one domain where it is named', async () => {
    const elsewhere = toGoogleUser('2', { primaryEmail: 'bo@sub.corp.example' });
    const { google, source } = await start(
      { users: [toGoogleUser('1'), elsewhere] },
      { config: { domain: 'sub.corp.example' } },
    );
    expect((await readAll(source)).flatMap(({ users }) => users.map(({ id }) => id))).toEqual(['2']);
    expect(lastQuery(google, 'users')).toMatchObject({ domain: 'sub.corp.example' });
    expect(lastQuery(google, 'users')).not.toHaveProperty('customer');
    expect((await source.readOne?.('2', [], NEVER))?.user?.id).toBe('2');
    // A list of the domain would not have them; what becomes of them is not for one look to say.
    expect(await toError(source.readOne?.('1', [], NEVER))).toMatchObject({ code: 'RecordInvalid' });
  });

  it('who are suspended or archived are inactive; who does not say so is a failed record', async () => {
    const { source } = await start({
      users: [
        toGoogleUser('1'),
        toGoogleUser('2', { suspended: true, suspensionReason: 'ADMIN' }),
        toGoogleUser('3', { archived: true }),
        toGoogleUser('4', { suspended: 'no' }),
        toGoogleUser('5', { archived: 1 }),
      ],
    });
    const [page] = await readAll(source);
    expect(page?.users.map(({ id, active }) => [id, active])).toEqual([
      ['1', true],
      ['2', false],
      ['3', false],
    ]);
    const message = 'it does not say whether it is suspended and archived';
    expect(page?.failed).toEqual(['4', '5'].map((id) => ({ id, code: 'RecordInvalid', message })));
  });

  it('who were deleted are absent, also when one is asked for', async () => {
    const deleted = { deletionTime: '2026-01-02T00:00:00.000Z' };
    const { source } = await start({ users: [toGoogleUser('1'), toGoogleUser('2', deleted)] });
    expect((await readAll(source)).flatMap(({ users }) => users.map(({ id }) => id))).toEqual(['1']);
    expect((await source.readOne?.('2', [], NEVER))?.user).toBeNull();
  });

  it('have their custom schemas; one that nobody has a value of is unknown (I13)', async () => {
    const { google, source } = await start({
      users: [
        toGoogleUser('1', { customSchemas: { HR: { grade: '7', sites: [{ value: 'York' }] } } }),
        toGoogleUser('2'),
      ],
    });
    const [page] = await readAll(source, ['customSchemas']);
    expect(page?.users[0]?.attributes['customSchemas']).toEqual({ HR: { grade: '7', sites: [{ value: 'York' }] } });
    expect(page?.users[1]?.attributes).not.toHaveProperty('customSchemas');
    expect(page?.end?.attributes).toEqual(
      expect.arrayContaining(['customSchemas', 'customSchemas.HR', 'customSchemas.HR.grade', 'customSchemas.HR.sites']),
    );
    google.users = [toGoogleUser('1')];
    expect((await readAll(source, ['customSchemas'])).at(-1)?.end?.attributes).not.toContain('customSchemas');
  });

  it('that were not asked for are not taken for the one who was', async () => {
    const { source } = await start({ users: [toGoogleUser('1')] });
    // The API takes the address in the place of the id.
    expect((await toError(source.readOne?.('1@corp.example', [], NEVER))).code).toBe('ReadFailed');
  });

  it('are not taken for gone by a 404 that is not the directory’s own', async () => {
    const { google, source } = await start({ users: [toGoogleUser('1')] });
    google.server.fault = ({ path }) =>
      path === `${DIRECTORY}users/1` ? { status: 404, body: { detail: 'x' } } : null;
    expect(await toError(source.readOne?.('1', [], NEVER))).toMatchObject({
      code: 'ReadFailed',
      message: `${google.url} does not say whether there is one person (404)`,
    });
  });
});

describe('groups', () => {
  it('have people, groups and everybody for their members, and nobody from outside', async () => {
    const { google, source } = await start({
      groups: [
        {
          ...{ id: 'g1', name: 'Engineering', more: { description: 'All who build', aliases: ['dev@corp.example'] } },
          members: [
            { id: '1', type: 'USER' },
            { id: 'g2', type: 'GROUP' },
            { id: CUSTOMER, type: 'CUSTOMER' },
            { id: '9', type: 'EXTERNAL' },
          ],
        },
        { id: 'g2', name: 'Nobody', members: [] },
      ],
    });
    const pages = await readGroups(source, ['description', 'displayName']);
    expect(lastQuery(google, 'groups')).toEqual({
      customer: 'my_customer',
      maxResults: '200',
      fields: 'kind,nextPageToken,groups(id,email,name,description)',
    });
    expect(lastQuery(google, 'groups/g1/members')).toEqual({
      maxResults: '200',
      fields: 'kind,nextPageToken,members(id,type)',
    });
    expect(pages.flatMap((page) => page.groups)).toEqual([
      {
        ...{ id: 'g1', displayName: 'Engineering' },
        attributes: { id: 'g1', email: 'g1@corp.example', name: 'Engineering', description: 'All who build' },
      },
      {
        ...{ id: 'g2', displayName: 'Nobody' },
        attributes: { id: 'g2', email: 'g2@corp.example', name: 'Nobody', description: '' },
      },
    ]);
    expect(pages.flatMap((page) => page.members)).toEqual([
      {
        group: 'g1',
        members: [{ kind: 'User', ref: '1' }, { kind: 'Group', ref: 'g2' }, { kind: 'Everyone' }],
      },
    ]);
    expect(pages.at(-1)?.end?.attributes).toEqual(['id', 'email', 'name', 'description']);
  });

  it.each([
    ['nested ones', true, ['g1', 'g2', 'g4']],
    ['no nested ones', false, ['g1']],
  ])(
    'S19 are asked for the members that are wanted, and %s: one request each, and a group of elsewhere none',
    async (_what, nested, asked) => {
      const member = (id: string) => ({ id, type: 'GROUP' });
      const { google, source } = await start({
        groups: [
          { id: 'g0', name: 'Others', members: [{ id: '7', type: 'USER' }] },
          { id: 'g1', name: 'Engineering', members: [member('g4'), member('g2'), member('elsewhere')] },
          { id: 'g2', name: 'Web', members: [{ id: '1', type: 'USER' }, member('g1')] },
          { id: 'g3', name: 'Apps', members: [member('g1')] },
          { id: 'g4', name: 'Core', members: [{ id: '2', type: 'USER' }] },
          { id: 'g5', name: ' ', members: [] },
        ],
      });
      const pages = await readGroups(source, [], { of: ({ id }) => id === 'g1' || id === 'g5', nested });
      expect(pages.flatMap((page) => page.groups.map(({ id }) => id))).toEqual(['g0', 'g1', 'g2', 'g3', 'g4']);
      expect(pages.flatMap((page) => page.members.map(({ group }) => group)).sort()).toEqual(asked);
      expect(pages.flatMap((page) => page.failed.map(({ id }) => id))).toEqual(['g5']);
      expect(pages.map((page) => page.end !== undefined)).toEqual(pages.map((_, at) => at === pages.length - 1));
      const paths = google.server.requests.map(({ path }) => path).filter((path) => path.endsWith('/members'));
      expect(paths.sort()).toEqual(asked.map((id) => `${DIRECTORY}groups/${id}/members`));
    },
  );

  it('S19 whose members are wanted and cannot be read are failed, those in them too', async () => {
    const { google, source } = await start({
      groups: [
        { id: 'g1', name: 'Engineering', members: [{ id: 'g2', type: 'GROUP' }] },
        { id: 'g2', name: 'Web', members: [{ id: '1', type: 'USER' }] },
      ],
    });
    google.server.fault = ({ path }) =>
      path === `${DIRECTORY}groups/g2/members` ? refuse(404, 'notFound', 'Resource Not Found: groupKey') : null;
    const pages = await readGroups(source, [], {
      of: ({ displayName }) => displayName === 'Engineering',
      nested: true,
    });
    expect(pages.flatMap((page) => page.failed.map(({ id }) => id))).toEqual(['g2']);
    expect(pages.at(-1)?.end).toBeDefined();
  });

  it('with a member of another type, or without an id, are failed, and so are those without a name', async () => {
    const { source } = await start({
      groups: [
        { id: 'g1', name: 'One', members: [{ id: '1', type: 'ROBOT' }] },
        { id: 'g2', name: 'Two', members: [{ id: '', type: 'USER' }] },
        { id: 'g3', name: ' ', members: [] },
      ],
    });
    const failed = (await readGroups(source)).flatMap((page) => page.failed.map(({ id, message }) => [id, message]));
    expect(failed).toEqual([
      ['g3', 'it has no name'],
      ['g1', expect.stringContaining('a member of it is of none of the types')],
      ['g2', expect.stringContaining('a member of the list has no id')],
    ]);
  });

  it('that cannot be read by the role of the administrator end the read', async () => {
    const { google, source } = await start({ groups: [{ id: 'g1', name: 'One', members: [] }] });
    google.server.fault = ({ path }) =>
      path === `${DIRECTORY}groups` ? refuse(403, 'forbidden', 'Not Authorized to access this resource/api') : null;
    const error = await toError(readGroups(source));
    expect([error.code, error.message]).toEqual([
      'CredentialsRejected',
      `${google.url} does not let the administrator of adminEmail read the list of groups (403 forbidden): they need a role with the privilege Groups > Read, the client ID of the service account needs the scope ${GROUP_SCOPE}, and customer or domain must be theirs`,
    ]);
  });
});

describe('photos', () => {
  const ask = { etag: null, maxBytes: 10_000 };
  const look = (source: Source, attributes: SourceUser['attributes'], request: PhotoRequest = ask) =>
    source.readPhoto?.({ id: '1', active: true, attributes }, request, NEVER) ?? Promise.reject(new Error('no photos'));
  const WITHOUT = { thumbnailPhotoEtag: null, thumbnailPhotoUrl: null };
  const WITH = { thumbnailPhotoEtag: '"p1"', thumbnailPhotoUrl: 'https://photos.example/1' };
  // Of every length that Base64 fills up differently, and with both of its special characters.
  const PHOTOS = [
    [0xfb, 0xff, 0xbf],
    [0xfb, 0xff, 0xbf, 0xfb],
    [0xfb, 0xff, 0xbf, 0xfb, 0xff],
  ];

  it('are known by the record: nothing is asked for who has none, or the same one', async () => {
    const { google, source } = await start({ users: [toGoogleUser('1', WITH), toGoogleUser('2')] });
    const [page] = await readAll(source, ['thumbnailPhotoEtag']);
    expect(page?.users.map(({ attributes }) => attributes)).toEqual([
      { id: '1', suspended: false, archived: false, ...WITH },
      { id: '2', suspended: false, archived: false, ...WITHOUT },
    ]);
    expect(await look(source, WITHOUT)).toEqual({ kind: 'none' });
    expect(await look(source, WITH, { ...ask, etag: '"p1"' })).toEqual({ kind: 'unchanged' });
    expect(asked(google, 'users/1/photos/thumbnail')).toHaveLength(0);
  });

  it.each(PHOTOS)('come whole out of web-safe Base64: %j', async (...bytes: readonly number[]) => {
    const { google, source } = await start({ users: [toGoogleUser('1')] });
    google.photos.set('1', { etag: '"another"', bytes: Uint8Array.from(bytes) });
    const answer = await look(source, WITH);
    expect(answer).toMatchObject({ kind: 'photo', etag: '"p1"' });
    expect('bytes' in answer ? [...answer.bytes] : null).toEqual(bytes);
  });

  it('that are none any more are none', async () => {
    const { source } = await start({ users: [toGoogleUser('1')] });
    expect(await look(source, WITH)).toEqual({ kind: 'none' });
  });

  it('that are too large are not held', async () => {
    const { google, source } = await start({ users: [toGoogleUser('1')] });
    google.photos.set('1', { etag: '"another"', bytes: new Uint8Array(9_000) });
    expect(await look(source, WITH, { etag: null, maxBytes: 8_999 })).toEqual({
      kind: 'tooLarge',
      etag: '"p1"',
      size: 9_000,
    });
    expect(await look(source, WITH, { etag: null, maxBytes: 1_000 })).toEqual({
      kind: 'tooLarge',
      etag: '"p1"',
      size: null,
    });
  });

  it.each([
    [{ id: '1', photoData: 'not base64!' }, 'answers the request for a photo with something else'],
    [{ id: '2', photoData: 'AAAA' }, 'answers the request for a photo with something else'],
    [{ id: '1' }, 'answers the request for a photo with something else'],
  ])('that are none at all throw: %j', async (body, message) => {
    const { google, source } = await start({ users: [toGoogleUser('1')] });
    google.server.fault = ({ path }) => (path.endsWith('/thumbnail') ? { status: 200, body } : null);
    expect(await toError(look(source, WITH))).toMatchObject({
      code: 'ReadFailed',
      message: `${google.url} ${message}`,
    });
  });
});

describe('a refusal', () => {
  /** Every request for people, or the first ones. */
  const refusePeople = (google: GoogleServer, reply: Reply, times = Number.POSITIVE_INFINITY): void => {
    let left = times;
    google.server.fault = ({ path }) => {
      if (path !== `${DIRECTORY}users` || left <= 0) return null;
      left -= 1;
      return reply;
    };
  };

  it.each(['userRateLimitExceeded', 'quotaExceeded', 'rateLimitExceeded'])(
    'with 403 %s is a quota: it is waited for, and is no matter of permissions',
    async (reason) => {
      const { google, source } = await start({ users: [toGoogleUser('1')] });
      refusePeople(google, refuse(403, reason, 'Quota exceeded.'), 3);
      expect(await readAll(source)).toHaveLength(1);
      expect(asked(google, 'users')).toHaveLength(4);
      refusePeople(google, refuse(403, reason, 'Quota exceeded.'));
      expect(await toError(readAll(source))).toMatchObject({
        ...{ code: 'ReadFailed', retry: 'backoff', message: `${google.url} is throttling` },
      });
    },
  );

  it('with 429 is waited for as long as it asks', async () => {
    const { google, source } = await start({ users: [toGoogleUser('1')] });
    refusePeople(google, { ...refuse(429, 'rateLimitExceeded'), headers: { 'retry-after': '900' } });
    expect(await toError(readAll(source))).toMatchObject({ code: 'ReadFailed', retry: { afterMs: 900_000 } });
  });

  it('for the rest of the day is not asked again soon', async () => {
    const { google, source } = await start({ users: [toGoogleUser('1')] });
    refusePeople(google, refuse(403, 'dailyLimitExceeded', 'Daily Limit Exceeded.'));
    expect(await toError(readAll(source))).toMatchObject({
      ...{ code: 'ReadFailed', retry: { afterMs: 3_600_000 } },
      message: `${google.url} gives the project of the service account no more answers today (403 dailyLimitExceeded)`,
    });
    expect(asked(google, 'users')).toHaveLength(1);
  });

  it.each([
    ['accessNotConfigured', 'enable the Admin SDK API there'],
    ['domainCannotUseApis', 'an administrator must allow access by API in the Admin console'],
    [
      'notAuthorized',
      `a role with the privilege Users > Read, the client ID of the service account needs the scope ${USER_SCOPE}`,
    ],
  ])('with 403 %s says what to do', async (reason, says) => {
    const { google, source } = await start({ users: [toGoogleUser('1')] });
    refusePeople(google, refuse(403, reason, 'ada@corp.example may not.'));
    const { code, message } = await toError(readAll(source));
    expect([code, message]).toEqual(['CredentialsRejected', expect.stringContaining(`(403 ${reason})`)]);
    expect(message).toContain(says);
    expect(message).not.toContain('ada@');
    expect(asked(google, 'users')).toHaveLength(1);
  });

  it.each([
    [refuse(400, 'invalid', 'Invalid Input'), '(400 invalid)'],
    [refuse(404, 'notFound', 'Domain not found.'), '(404 notFound)'],
  ])('of the list says what may be wrong', async (reply, said) => {
    const { google, source } = await start();
    refusePeople(google, reply);
    expect(await toError(readAll(source))).toMatchObject({
      code: 'ReadFailed',
      message: `${google.url} refuses the request for the list of people ${said}; check customer and domain`,
    });
  });
});

describe('check source', () => {
  const inspect = async (source: Source, groups: boolean) => {
    const findings: string[] = [];
    for await (const { verdict, about, message } of source.inspect?.({ projection: [], groups }, NEVER) ?? [])
      findings.push(`${verdict} ${about}: ${message}`);
    return findings;
  };

  it('looks at the key, the clock and each thing that is read', async () => {
    const { source } = await start({ users: [toGoogleUser('1')], groups: [{ id: 'g1', name: 'One', members: [] }] });
    expect(await inspect(source, true)).toEqual([
      'ok clock: as that of the other side',
      'ok credentials: the key of the service account is taken',
      'ok people: they can be read',
      'ok deleted people: nobody who could be restored',
      'ok groups: they can be read',
      'ok members of groups: they can be read',
    ]);
  });

  it('counts who was deleted and can be restored', async () => {
    const deleted = (count: number) =>
      Array.from({ length: count }, (_, n) => toGoogleUser(String(n), { deletionTime: '2026-01-05T08:00:00Z' }));
    const { google, source } = await start({ users: [toGoogleUser('here'), ...deleted(2)] });
    const rest = 'who can be restored, for about twenty days after their deletion';
    expect(await inspect(source, false)).toContain(`ok deleted people: 2 ${rest}`);
    google.users = deleted(500);
    expect(await inspect(source, false)).toContain(`ok deleted people: 500 ${rest}`);
    google.users = deleted(501);
    expect(await inspect(source, false)).toContain(`ok deleted people: more than 500 ${rest}`);
  });

  it('names each scope that is missing, and needs none for groups where nobody wants them', async () => {
    const { google, source } = await start();
    google.scopes = [USER_SCOPE];
    expect(await inspect(source, false)).toHaveLength(4);
    const [, , people, , groups, members] = await inspect(source, true);
    expect(people).toBe('ok people: they can be read');
    expect(groups).toMatch(/^error groups: .*give its client ID 108234567890123456789 the scope \S*group.readonly;/);
    expect(members).toContain(`the scope ${MEMBER_SCOPE}`);
    google.scopes = [USER_SCOPE, GROUP_SCOPE, MEMBER_SCOPE];
    expect((await inspect(source, true)).at(-1)).toBe('ok members of groups: there is no group to look at');
  });
});
