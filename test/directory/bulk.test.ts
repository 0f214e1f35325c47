import { describe, expect, it } from 'vitest';
import { orderByReference } from '../../src/directory/bulk-order.ts';
import {
  URN_BULK_REQUEST,
  URN_BULK_RESPONSE,
  URN_ENTERPRISE_USER,
  URN_ERROR,
  URN_GROUP,
  URN_PATCH_OP,
  URN_USER,
} from '../../src/scim/schema.ts';
import { openTestDirectory, type TestDirectory } from './directory-client.ts';

type Body = Record<string, unknown>;

function postUser(bulkId: string, attributes: Body = {}): Body {
  const data = { schemas: [URN_USER], userName: `${bulkId}@example.com`, ...attributes };
  return { method: 'POST', path: '/Users', bulkId, data };
}

function postGroup(bulkId: string, ...members: readonly string[]): Body {
  const data = { schemas: [URN_GROUP], displayName: bulkId, members: members.map((value) => ({ value })) };
  return { method: 'POST', path: '/Groups', bulkId, data };
}

function patch(path: string, ...operations: readonly unknown[]): Body {
  return { method: 'PATCH', path, data: { schemas: [URN_PATCH_OP], Operations: operations } };
}

async function bulk(directory: TestDirectory, operations: readonly unknown[], rest: Body = {}) {
  return directory.call('POST', '/Bulk', { schemas: [URN_BULK_REQUEST], Operations: operations, ...rest });
}

/** Carries the operations out and gives the status of each, with the scimType of a refusal. */
async function statuses(directory: TestDirectory, operations: readonly unknown[], rest: Body = {}) {
  const { status, body } = await bulk(directory, operations, rest);
  expect(status, JSON.stringify(body)).toBe(200);
  return body.Operations.map((each: { status: string; response?: { scimType?: string } }) =>
    [each.status, each.response?.scimType].filter((part) => part !== undefined).join(' '),
  );
}

async function membersByName(directory: TestDirectory): Promise<Record<string, string[]>> {
  const names = new Map<string, string>();
  for (const path of ['/Users', '/Groups']) {
    const { body } = await directory.call('GET', path);
    for (const each of body.Resources) names.set(each.id, each.displayName ?? each.userName);
  }
  const { body } = await directory.call('GET', '/Groups');
  return Object.fromEntries(
    body.Resources.map((group: { displayName: string; members?: { value: string }[] }) => [
      group.displayName,
      (group.members ?? []).map(({ value }) => names.get(value) ?? value),
    ]),
  );
}

describe('POST /Bulk', () => {
  it('answers as the example of RFC 7644 section 3.7.3: each operation with its own status', async () => {
    const directory = await openTestDirectory();
    const [bob, dave] = [await directory.addUser(), await directory.addUser()];
    const { status, body } = await bulk(directory, [
      postUser('alice', { userName: 'Alice' }),
      {
        method: 'PUT',
        path: `/Users/${bob}`,
        version: 'W/"1"',
        data: { schemas: [URN_USER], id: bob, userName: 'Bob' },
      },
      patch(`/Users/${dave}`, { op: 'replace', path: 'nickName', value: 'Dave' }),
      { method: 'DELETE', path: `/Users/${bob}`, version: 'W/"2"' },
      { method: 'DELETE', path: `/Users/${dave}`, version: 'W/"1"' },
    ]);
    expect(status).toBe(200);
    const alice = (await directory.call('GET', '/Users')).body.Resources.at(-1).id;
    expect(body).toEqual({
      schemas: [URN_BULK_RESPONSE],
      Operations: [
        {
          method: 'POST',
          bulkId: 'alice',
          location: `${directory.url}/Users/${alice}`,
          version: 'W/"1"',
          status: '201',
        },
        { method: 'PUT', location: `${directory.url}/Users/${bob}`, version: 'W/"2"', status: '200' },
        { method: 'PATCH', location: `${directory.url}/Users/${dave}`, version: 'W/"2"', status: '200' },
        { method: 'DELETE', location: `${directory.url}/Users/${bob}`, status: '204' },
        {
          method: 'DELETE',
          location: `${directory.url}/Users/${dave}`,
          status: '412',
          response: { schemas: [URN_ERROR], status: '412', detail: 'the User has changed: its version is W/"2"' },
        },
      ],
    });
  });

  it('goes on after a failure, and keeps what was done', async () => {
    const directory = await openTestDirectory();
    expect(
      await statuses(directory, [
        postUser('a'),
        postUser('b', { userName: 'A@example.com' }),
        postUser('c', { nikName: 'x' }),
        { method: 'DELETE', path: '/Users/nobody' },
        postUser('d'),
      ]),
    ).toEqual(['201', '409 uniqueness', '400 invalidSyntax', '404', '201']);
    expect((await directory.call('GET', '/Users')).body.totalResults).toBe(2);
  });

  it('stops after failOnErrors errors, and shows what was carried out alone', async () => {
    const directory = await openTestDirectory();
    const operations = [postUser('a'), postUser('b', { userName: 7 }), postUser('c', { active: 7 }), postUser('d')];
    expect(await statuses(directory, operations, { failOnErrors: 1 })).toEqual(['201', '400 invalidValue']);
    const again = operations.with(0, postUser('e'));
    expect(await statuses(directory, again, { failOnErrors: 2 })).toEqual([
      '201',
      '400 invalidValue',
      '400 invalidValue',
    ]);
    expect((await directory.call('GET', '/Users')).body.totalResults).toBe(2);
  });

  it.each([
    [{ method: 'GET', path: '/Users' }, '400 invalidSyntax'],
    [{ method: 'post', path: '/Users', bulkId: 'x', data: {} }, '400 invalidSyntax'],
    [{ path: '/Users' }, '400 invalidSyntax'],
    ['text', '400 invalidSyntax'],
    [{ method: 'POST', path: '/Users', data: {} }, '400 invalidSyntax'],
    [{ method: 'POST', path: '/Users', bulkId: 'x' }, '400 invalidSyntax'],
    [{ method: 'POST', path: '/Users/.search', bulkId: 'x', data: {} }, '400 invalidPath'],
    [{ method: 'POST', path: '/Bulk', bulkId: 'x', data: {} }, '400 invalidPath'],
    [{ method: 'POST', path: 'Users', bulkId: 'x', data: {} }, '400 invalidPath'],
    [{ method: 'PUT', path: '/Users', data: {} }, '400 invalidPath'],
    [{ method: 'DELETE', path: '/Users/' }, '400 invalidPath'],
    [{ method: 'DELETE', path: '/Users/%ZZ' }, '400 invalidPath'],
    [{ method: 'DELETE' }, '400 invalidPath'],
    [{ method: 'PATCH', path: '/Users/x', data: { schemas: [URN_PATCH_OP], Operations: [] } }, '400 invalidSyntax'],
    [postUser('first'), '400 invalidValue'],
    [postUser('x', { urn: JSON.parse(`${'['.repeat(40)}${']'.repeat(40)}`) }), '400 invalidValue'],
  ])('refuses the operation %j with %s, and no other', async (operation, expected) => {
    const directory = await openTestDirectory();
    expect(await statuses(directory, [postUser('first'), operation, postUser('last')])).toEqual([
      '201',
      expected,
      '201',
    ]);
  });

  it.each([
    [{ Operations: undefined }, 400],
    [{ Operations: [] }, 400],
    [{ Operations: { method: 'POST' } }, 400],
    [{ schemas: [URN_USER] }, 400],
    [{ failOnErrors: 0 }, 400],
    [{ failOnErrors: '1' }, 400],
    [{ Operations: Array.from({ length: 4 }, (_, index) => postUser(`p${index}`)) }, 413],
    [{ Operations: [postUser('a', { title: 'x'.repeat(1024 * 1024) })] }, 413],
  ])('refuses a request that is none, or too large', async (rest, status) => {
    const directory = await openTestDirectory({ maxOperations: 3 });
    const answer = await bulk(directory, [postUser('a')], rest);
    expect(answer).toMatchObject({ status, body: { schemas: [URN_ERROR], status: String(status) } });
    expect((await directory.call('GET', '/Users')).body.totalResults).toBe(0);
  });
});

describe('references in a bulk request', () => {
  it('fills in ids of what was made before: the example of section 3.7.2', async () => {
    const directory = await openTestDirectory();
    const operations = [postUser('alice', { displayName: 'alice' }), postGroup('Tour Guides', 'bulkId:alice')];
    expect(await statuses(directory, operations)).toEqual(['201', '201']);
    expect(await membersByName(directory)).toEqual({ 'Tour Guides': ['alice'] });
  });

  it('fills in what is made later, and answers in the order of the request', async () => {
    const directory = await openTestDirectory();
    const { body } = await bulk(directory, [
      postGroup('outer', 'bulkId:inner', 'bulkId:ann'),
      postGroup('inner', 'bulkId:ann'),
      postUser('ann', { displayName: 'ann' }),
    ]);
    expect(body.Operations.map(({ bulkId, status }: Body) => [bulkId, status])).toEqual([
      ['outer', '201'],
      ['inner', '201'],
      ['ann', '201'],
    ]);
    expect(await membersByName(directory)).toEqual({ outer: ['ann', 'inner'], inner: ['ann'] });
  });

  it('fills in circles: the example of section 3.7.1', async () => {
    const directory = await openTestDirectory();
    const operations = [
      postGroup('Group A', 'bulkId:Group B'),
      postGroup('Group B', 'bulkId:Group A', 'bulkId:ann'),
      postUser('ann'),
    ];
    expect(await statuses(directory, operations)).toEqual(['201', '201', '201']);
    expect(await membersByName(directory)).toEqual({
      'Group A': ['Group B'],
      'Group B': ['ann@example.com', 'Group A'],
    });
    const { body } = await directory.call('GET', '/Groups');
    expect(body.Resources.map(({ meta }: { meta: { version: string } }) => meta.version)).toEqual(['W/"1"', 'W/"1"']);
  });

  it('fills in a manager, of oneself and in a circle too, and URIs', async () => {
    const directory = await openTestDirectory();
    const manager = (bulkId: string) => ({
      [URN_ENTERPRISE_USER]: { manager: { value: `bulkId:${bulkId}`, $ref: `../Users/bulkId:${bulkId}` } },
    });
    const operations = [postUser('a', manager('a')), postUser('b', manager('c')), postUser('c', manager('b'))];
    expect(await statuses(directory, operations)).toEqual(['201', '201', '201']);
    const [a, b, c] = (await directory.call('GET', '/Users')).body.Resources;
    expect(a[URN_ENTERPRISE_USER].manager).toEqual({ value: a.id, $ref: `../Users/${a.id}` });
    expect(b[URN_ENTERPRISE_USER].manager.value).toBe(c.id);
    expect(c[URN_ENTERPRISE_USER].manager.value).toBe(b.id);
  });

  it('fills in paths, and the path of a PATCH', async () => {
    const directory = await openTestDirectory();
    const old = await directory.addUser();
    const group = await directory.addGroup('Engines', [old]);
    const operations = [
      postUser('ann'),
      patch('/Users/bulkId:ann', { op: 'add', path: 'title', value: 'Countess' }),
      patch(`/Groups/${group}`, { op: 'add', path: 'members', value: [{ value: 'bulkId:ann' }] }),
      patch(`/Groups/${group}`, { op: 'remove', path: 'members[value eq "bulkId:ann"]' }),
      { ...patch('/Users/bulkId:bea', { op: 'add', path: 'title', value: 'x' }), bulkId: 'p' },
      { method: 'DELETE', path: '/Users/bulkId:ann' },
    ];
    const { body } = await bulk(directory, operations);
    expect(body.Operations.map(({ status }: Body) => status)).toEqual(['201', '200', '204', '204', '400', '204']);
    expect(body.Operations[1].location).toBe(body.Operations[0].location);
    expect(body.Operations[4]).not.toHaveProperty('location');
    expect(await membersByName(directory)).toEqual({ Engines: [expect.any(String)] });
  });

  it('refuses what refers to nothing, or to what failed, and what refers to that', async () => {
    const directory = await openTestDirectory();
    const operations = [
      postGroup('none', 'bulkId:nobody'),
      postGroup('outer', 'bulkId:inner'),
      postGroup('inner', 'bulkId:bad'),
      postUser('bad', { active: 'yes' }),
      postGroup('good'),
    ];
    expect(await statuses(directory, operations)).toEqual([
      '400 invalidValue',
      '409',
      '409',
      '400 invalidValue',
      '201',
    ]);
    expect(await membersByName(directory)).toEqual({ good: [] });
  });

  it('makes nothing of a circle in which one fails', async () => {
    const directory = await openTestDirectory();
    const bad = postGroup('bad', 'bulkId:a', 'no-such-id');
    expect(await statuses(directory, [postGroup('a', 'bulkId:bad'), bad, postGroup('c')])).toEqual([
      '409',
      '400 invalidValue',
      '201',
    ]);
    expect(await membersByName(directory)).toEqual({ c: [] });
    expect(await statuses(directory, [postGroup('self', 'bulkId:self')])).toEqual(['400 invalidValue']);
    expect(await membersByName(directory)).toEqual({ c: [] });
  });

  it('counts the errors of a circle for failOnErrors', async () => {
    const directory = await openTestDirectory();
    const operations = [postGroup('a', 'bulkId:b'), postGroup('b', 'bulkId:a', 'no-such-id'), postGroup('c')];
    expect(await statuses(directory, operations, { failOnErrors: 2 })).toEqual(['409', '400 invalidValue']);
  });

  it('follows a chain of a thousand', async () => {
    const directory = await openTestDirectory();
    const chain = Array.from({ length: 999 }, (_, index) => postGroup(`g${index}`, `bulkId:g${index + 1}`));
    const result = await statuses(directory, [...chain, postGroup('g999')]);
    expect(new Set(result)).toEqual(new Set(['201']));
    expect(await directory.call('GET', '/Groups?count=0')).toMatchObject({ body: { totalResults: 1000 } });
  });
});

describe('orderByReference', () => {
  it.each([
    ['nothing', [], []],
    ['the order of the request', [[], [], []], [[0], [1], [2]]],
    ['what is referred to first', [[2], [], [1]], [[1], [2], [0]]],
    ['itself', [[0]], [[0]]],
    ['a circle of two', [[1], [0]], [[0, 1]]],
    ['a circle with a tail on both sides', [[1], [2], [1, 3], [], [0]], [[3], [1, 2], [0], [4]]],
    [
      'two circles, one of which refers to the other',
      [[1, 2], [0], [3], [2]],
      [
        [2, 3],
        [0, 1],
      ],
    ],
    ['one that two refer to', [[2], [2], []], [[2], [0], [1]]],
  ])('%s', (_because, dependencies, groups) => {
    expect(orderByReference(dependencies)).toEqual(groups);
  });
});
