/** Paging by cursor (RFC 9865) and sorting (RFC 7644 section 3.4.2.3). */
import { describe, expect, it } from 'vitest';
import type { DirectoryOptions } from '../../src/directory/server.ts';
import { URN_ENTERPRISE_USER, URN_SEARCH_REQUEST } from '../../src/scim/schema.ts';
import { openTestDirectory, type TestDirectory } from './directory-client.ts';

const PERSON_FILTER = encodeURIComponent('title eq "person"');

async function openWithPeople(count: number, options: Partial<DirectoryOptions> = {}) {
  const directory = await openTestDirectory(options);
  const ids: string[] = [];
  for (let index = 0; index < count; index += 1) ids.push(await directory.addUser({ title: 'person' }));
  return { directory, ids };
}

interface Pages {
  readonly ids: string[];
  readonly sizes: number[];
  readonly totals: number[];
}

/** Follows the cursors from the first page to the last; `between` is called after each page. */
async function follow(directory: TestDirectory, path: string, between: () => Promise<unknown> = async () => undefined) {
  const pages: Pages = { ids: [], sizes: [], totals: [] };
  for (let cursor: string | undefined = ''; cursor !== undefined; ) {
    const { status, body } = await directory.call('GET', `${path}&cursor=${cursor}`);
    expect(status, JSON.stringify(body)).toBe(200);
    expect(body).not.toHaveProperty('startIndex');
    pages.ids.push(...body.Resources.map(({ id }: { id: string }) => id));
    pages.sizes.push(body.itemsPerPage);
    pages.totals.push(body.totalResults);
    cursor = body.nextCursor;
    if (cursor !== undefined) expect(cursor).toMatch(/^[A-Za-z0-9._~-]+$/);
    await between();
  }
  return pages;
}

describe('paging by cursor', () => {
  it.each([
    ['all users', '/Users?count=2'],
    ['a filter that an index answers', `/Users?count=2&filter=${encodeURIComponent('userName pr or title eq "x"')}`],
    ['a filter that is tested', `/Users?count=2&filter=${PERSON_FILTER}`],
    ['sorted', '/Users?count=2&sortBy=userName'],
  ])('reads %s once each', async (_because, path) => {
    const { directory, ids } = await openWithPeople(5);
    expect(await follow(directory, path)).toEqual({ ids, sizes: [2, 2, 1], totals: [5, 5, 5] });
  });

  it('ends with a page that is exactly full, and with an empty one', async () => {
    const { directory, ids } = await openWithPeople(4);
    expect(await follow(directory, '/Users?count=2')).toEqual({ ids, sizes: [2, 2], totals: [4, 4] });
    expect(await follow(directory, '/Groups?count=2')).toEqual({ ids: [], sizes: [0], totals: [0] });
  });

  it.each(['/Users?count=3', `/Users?count=3&filter=${PERSON_FILTER}`])(
    'misses and repeats nobody of %s while people come, change and go',
    async (path) => {
      const { directory, ids } = await openWithPeople(9);
      const gone = new Set<string>();
      const late: string[] = [];
      let pages = 0;
      const found = await follow(directory, path, async () => {
        if (pages >= 2) return;
        // one who was read already, and the one at whom the next page begins
        for (const index of [pages, 3 + 3 * pages]) {
          const id = ids[index] ?? '';
          gone.add(id);
          await directory.call('DELETE', `/Users/${id}`);
        }
        await directory.patch(`/Users/${ids[8]}`, { op: 'replace', path: 'nickName', value: `n${pages}` });
        late.push(await directory.addUser({ title: 'person' }));
        pages += 1;
      });
      const stayed = ids.filter((each) => !gone.has(each));
      expect(found.ids.filter((each) => !gone.has(each))).toEqual([...stayed, ...late]);
      expect(new Set(found.ids).size).toBe(found.ids.length);
    },
  );

  it('goes over users and then groups, by .search too', async () => {
    const { directory, ids } = await openWithPeople(3);
    ids.push(await directory.addGroup('A'), await directory.addGroup('B'));
    // made after the groups, and yet before them in the list
    ids.splice(3, 0, await directory.addUser({ title: 'person' }));
    expect((await follow(directory, '/?count=2')).ids).toEqual(ids);
    const search = async (cursor: string) =>
      (await directory.call('POST', '/.search', { schemas: [URN_SEARCH_REQUEST], count: 4, cursor })).body;
    const first = await search('');
    const second = await search(first.nextCursor);
    expect(second).not.toHaveProperty('nextCursor');
    expect([...first.Resources, ...second.Resources].map(({ id }) => id)).toEqual(ids);
  });

  it('keeps index paging as the default, without a cursor in the answer', async () => {
    const { directory } = await openWithPeople(3);
    const { body } = await directory.call('GET', '/Users?count=2');
    expect(body).toMatchObject({ startIndex: 1, totalResults: 3 });
    expect(body).not.toHaveProperty('nextCursor');
  });

  it('takes as many as the server allows when asked for more, and the default when not asked', async () => {
    const { directory } = await openWithPeople(5, { pageSize: 3 });
    expect((await follow(directory, '/Users?count=1000')).sizes).toEqual([3, 2]);
    expect((await follow(directory, '/Users?')).sizes).toEqual([3, 2]);
  });

  it('refuses a cursor with the errors of RFC 9865', async () => {
    let now = Date.UTC(2026, 0, 1);
    const { directory } = await openWithPeople(3, { cursorTimeoutSeconds: 60, readClock: () => new Date(now) });
    const { nextCursor } = (await directory.call('GET', '/Users?count=1&cursor')).body;
    const list = async (query: string) => {
      const { status, body } = await directory.call('GET', query);
      return status === 200 ? 'ok' : `${status} ${body.scimType}`;
    };
    expect(await list(`/Users?count=1&cursor=${nextCursor}`)).toBe('ok');
    expect(await list(`/Users?count=2&cursor=${nextCursor}`)).toBe('400 invalidCount');
    expect(await list(`/Users?cursor=${nextCursor}`)).toBe('400 invalidCount');
    for (const count of ['0', '-1', 'x', '1.5']) {
      expect(await list(`/Users?count=${count}&cursor`), count).toBe('400 invalidCount');
    }
    for (const cursor of ['x', 'bnVsbA', `${nextCursor}A`, nextCursor.slice(4), 'W10']) {
      expect(await list(`/Users?count=1&cursor=${cursor}`), cursor).toBe('400 invalidCursor');
    }
    for (const other of [`filter=${PERSON_FILTER}`, 'sortBy=userName', 'attributes=userName', 'startIndex=1']) {
      expect(await list(`/Users?count=1&cursor=${nextCursor}&${other}`), other).toBe('400 invalidCursor');
    }
    expect(await list(`/Groups?count=1&cursor=${nextCursor}`)).toBe('400 invalidCursor');
    const search = { schemas: [URN_SEARCH_REQUEST], cursor: 7 };
    expect((await directory.call('POST', '/Users/.search', search)).body.scimType).toBe('invalidCursor');
    now += 60_000;
    expect(await list(`/Users?count=1&cursor=${nextCursor}`)).toBe('ok');
    now += 1;
    expect(await list(`/Users?count=1&cursor=${nextCursor}`)).toBe('400 expiredCursor');
  });
});

describe('sorting', () => {
  const PEOPLE = [
    {
      userName: 'cyd',
      title: 'b',
      active: true,
      emails: [{ value: 'z@x.example' }, { value: 'b@x.example', primary: true }],
    },
    { userName: 'Ada', externalId: 'a', title: 'B', emails: [{ value: 'c@x.example' }] },
    { userName: 'bob', externalId: 'B', active: false, [URN_ENTERPRISE_USER]: { manager: { value: 'm' } } },
    { userName: 'dan', name: { familyName: 'Byron' }, title: 'a', emails: [{ value: 'A@x.example' }] },
  ];

  async function sort(query: string) {
    const directory = await openTestDirectory();
    for (const each of PEOPLE) await directory.addUser(each);
    const { status, body } = await directory.call('GET', `/Users?${query}`);
    if (status !== 200) return `${status} ${body.scimType}`;
    return body.Resources.map((each: { userName: string }) => each.userName).join(' ');
  }

  it.each([
    ['sortBy=userName', 'Ada bob cyd dan', 'without regard to case'],
    ['sortBy=userName&sortOrder=descending', 'dan cyd bob Ada', ''],
    ['sortBy=USERNAME&sortOrder=Ascending', 'Ada bob cyd dan', 'names have no case'],
    ['sortBy=externalId', 'bob Ada cyd dan', 'caseExact: B before a; who has none comes last, in the old order'],
    ['sortBy=externalId&sortOrder=descending', 'cyd dan Ada bob', 'who has none comes first'],
    ['sortBy=title', 'dan cyd Ada bob', 'equal values in the order in which they were made'],
    ['sortBy=title&sortOrder=descending', 'bob cyd Ada dan', 'in descending order too'],
    ['sortBy=emails', 'dan cyd Ada bob', 'a list by its primary value, or else its first'],
    ['sortBy=emails.value', 'dan cyd Ada bob', ''],
    ['sortBy=active', 'bob cyd Ada dan', 'false before true'],
    ['sortBy=name.familyName', 'dan cyd Ada bob', ''],
    [`sortBy=${URN_ENTERPRISE_USER}:manager`, 'bob cyd Ada dan', 'an extension'],
    ['sortBy=meta.created&sortOrder=descending&count=1', expect.any(String), 'a time'],
    ['sortBy=userName&startIndex=2&count=2', 'bob cyd', 'by page'],
    [`sortBy=userName&filter=${encodeURIComponent('title eq "b"')}`, 'Ada cyd', 'after the filter'],
    ['sortBy=', 'cyd Ada bob dan', 'nothing to sort by'],
    ['sortOrder=descending', 'cyd Ada bob dan', 'an order of nothing'],
    ['sortBy=nothing', '400 invalidValue', 'an unknown attribute'],
    ['sortBy=name', '400 invalidValue', 'a complex attribute'],
    ['sortBy=password', '400 invalidValue', 'what is never returned'],
    ['sortBy=__proto__', '400 invalidValue', 'no name'],
    ['sortBy=userName&sortOrder=up', '400 invalidValue', 'an unknown order'],
  ])('%s gives %s: %s', async (query, expected) => {
    expect(await sort(query)).toEqual(expected);
  });

  it('follows cursors through equal and missing values, both ways', async () => {
    const directory = await openTestDirectory();
    const ids: string[] = [];
    for (const title of ['b', undefined, 'a', 'b', undefined, 'a']) ids.push(await directory.addUser({ title }));
    const order = async (query: string) =>
      (await follow(directory, `/Users?count=1&sortBy=title${query}`)).ids.map((each) => ids.indexOf(each));
    expect(await order('')).toEqual([2, 5, 0, 3, 1, 4]);
    expect(await order('&sortOrder=descending')).toEqual([1, 4, 0, 3, 2, 5]);
  });

  it('sorts users and groups together, and what lacks the attribute comes last', async () => {
    const directory = await openTestDirectory();
    const user = await directory.addUser({ displayName: 'm', userName: 'u' });
    const groups = [await directory.addGroup('z'), await directory.addGroup('a')];
    const search = async (sortBy: string) => {
      const { body } = await directory.call('POST', '/.search', { schemas: [URN_SEARCH_REQUEST], sortBy });
      return body.Resources?.map(({ id }: { id: string }) => id) ?? body.scimType;
    };
    expect(await search('displayName')).toEqual([groups[1], user, groups[0]]);
    expect(await search('userName')).toEqual([user, ...groups]);
    expect(await search('nothing')).toBe('invalidValue');
  });

  it('keeps cursors short that hold a long value', async () => {
    const directory = await openTestDirectory();
    const long = 'x'.repeat(5000);
    const ids = [await directory.addUser({ title: `${long}b` }), await directory.addUser({ title: `${long}a` })];
    const { body } = await directory.call('GET', '/Users?count=1&sortBy=title&cursor');
    expect(body.nextCursor.length).toBeLessThan(1000);
    expect((await follow(directory, '/Users?count=1&sortBy=title')).ids).toEqual(ids);
  });
});
