import { describe, expect, it } from 'vitest';
import type { Json } from '../../../src/model.ts';
import { aDiscovery, aWire, aWiredTarget, collect, failureOf, NEVER } from '../../support/scim-wire.ts';

const INCOMPLETE =
  'https://app.example.com twice gave a list of /Users that is not complete; it may be changing, or pages may be broken';

function users(...ids: string[]): Json[] {
  return ids.map((id) => ({ id, userName: `${id}@corp.example` }));
}

/** One page by index; `count` is the page size that discovery gave. */
function page(startIndex: number, body: Json): void {
  aWire()
    .get('/Users')
    .query({ startIndex: String(startIndex), count: '2' })
    .reply(200, body as Record<string, Json>);
}

async function list(): Promise<{ ids: string[]; lasts: boolean[] }> {
  const { target } = await aWiredTarget();
  const pages = await collect(target.listUsers(['userName'], NEVER));
  return { ids: pages.flatMap((each) => each.objects.map(({ id }) => id)), lasts: pages.map((each) => each.last) };
}

async function failure(): Promise<string> {
  const { target } = await aWiredTarget();
  const error = await failureOf(collect(target.listUsers([], NEVER)));
  return `${error.code}: ${error.message}`;
}

describe('T1 index paging', () => {
  it('goes on behind what was received, which may be less than was asked for', async () => {
    aDiscovery();
    page(1, { totalResults: 3, Resources: users('a') });
    page(2, { totalResults: 3, Resources: users('b', 'c') });
    expect(await list()).toEqual({ ids: ['a', 'b', 'c'], lasts: [false, true] });
  });

  it('leaves out what is large and not asked for', async () => {
    aDiscovery();
    const query = { startIndex: '1', count: '2', excludedAttributes: 'photos' };
    aWire()
      .get('/Users')
      .query(query)
      .reply(200, { totalResults: 1, Resources: users('a') });
    const { target } = await aWiredTarget();
    expect(await collect(target.listUsers(['userName'], NEVER, ['photos']))).toHaveLength(1);
  });

  it('understands keys of any case and numbers as strings', async () => {
    aDiscovery();
    page(1, { totalresults: '3', resources: users('a', 'b') });
    page(3, { totalresults: '3', resources: users('c') });
    expect((await list()).ids).toEqual(['a', 'b', 'c']);
  });

  it.each([
    ['no Resources', { totalResults: 0 }],
    ['null', { totalResults: 0, Resources: null }],
    ['empty Resources', { totalResults: 0, Resources: [] }],
  ])('nobody (%s) is a whole list', async (_how, body) => {
    aDiscovery();
    page(1, body);
    expect(await list()).toEqual({ ids: [], lasts: [true] });
  });

  it('a server that ignores startIndex is read twice and then refused, never believed', async () => {
    aDiscovery();
    aWire()
      .get('/Users')
      .query(true)
      .times(4)
      .reply(200, { totalResults: 5, Resources: users('a', 'b') });
    expect(await failure()).toBe(`TargetUnavailable: ${INCOMPLETE}`);
  });

  it('an end before totalResults is not the end', async () => {
    aDiscovery();
    for (let pass = 0; pass < 2; pass += 1) {
      page(1, { totalResults: 4, Resources: users('a', 'b') });
      page(3, { totalResults: 4, Resources: [] });
    }
    expect(await failure()).toBe(`TargetUnavailable: ${INCOMPLETE}`);
  });

  it('a total that changes is read again; every object comes once', async () => {
    aDiscovery();
    page(1, { totalResults: 4, Resources: users('a', 'b') });
    page(3, { totalResults: 3, Resources: users('d') });
    page(1, { totalResults: 3, Resources: users('b', 'c') });
    page(3, { totalResults: 3, Resources: users('d') });
    expect(await list()).toEqual({ ids: ['a', 'b', 'd', 'c'], lasts: [false, false, false, true] });
  });

  it('a total that changes each time is an error', async () => {
    aDiscovery();
    for (const total of [4, 6]) {
      page(1, { totalResults: total, Resources: users('a', 'b') });
      page(3, { totalResults: total + 1, Resources: users('c', 'd') });
    }
    expect(await failure()).toBe(`TargetUnavailable: ${INCOMPLETE}`);
  });

  it('an object that moved to the next page is delivered once', async () => {
    aDiscovery();
    page(1, { totalResults: 3, Resources: users('a', 'b') });
    page(3, { totalResults: 3, Resources: users('b') });
    page(1, { totalResults: 3, Resources: users('a', 'b') });
    page(3, { totalResults: 3, Resources: users('c') });
    expect((await list()).ids).toEqual(['a', 'b', 'c']);
  });

  it('without totalResults only an empty page is the end', async () => {
    aDiscovery();
    page(1, { Resources: users('a', 'b') });
    page(3, { Resources: users('c') });
    page(4, { Resources: [] });
    expect((await list()).ids).toEqual(['a', 'b', 'c']);
  });

  it('a page that fails fails the list', async () => {
    aDiscovery();
    page(1, { totalResults: 3, Resources: users('a', 'b') });
    aWire().get('/Users').query({ startIndex: '3', count: '2' }).times(4).reply(500);
    expect(await failure()).toBe('TargetUnavailable: https://app.example.com answers with an error of its own (500)');
  });

  it.each([
    [{ totalResults: 1, Resources: [{ userName: 'a' }] }, 'lists an object of /Users that has no id'],
    [{ hello: 'world' }, 'answers /Users with no list; check the URL'],
    [{ totalResults: 1, Resources: 'many' }, 'answers /Users with no list; check the URL'],
  ])('%j is refused', async (body, message) => {
    aDiscovery();
    page(1, body);
    expect(await failure()).toBe(`TargetUnavailable: https://app.example.com ${message}`);
  });
});

describe('T1 cursor paging', () => {
  const cursor = (value: string, body: Json) =>
    aWire()
      .get('/Users')
      .query({ cursor: value, count: '2' })
      .reply(200, body as Record<string, Json>);

  it('a cursor is followed although none was asked for: the first page is not the list', async () => {
    aDiscovery();
    page(1, { totalResults: 2, Resources: users('a', 'b'), nextCursor: 'c/1+' });
    cursor('c/1+', { Resources: users('c'), nextCursor: 'c2' });
    cursor('c2', { Resources: [] });
    expect(await list()).toEqual({ ids: ['a', 'b', 'c'], lasts: [false, false, true] });
  });

  it('a server with cursors only is asked with one', async () => {
    aDiscovery({
      patch: { supported: true },
      filter: { supported: true, maxResults: 2 },
      pagination: { cursor: true, index: false },
    });
    cursor('', { Resources: users('a'), nextCursor: 'n' });
    cursor('n', { Resources: users('b') });
    expect((await list()).ids).toEqual(['a', 'b']);
  });

  it('an expired cursor begins the list again, once', async () => {
    aDiscovery();
    page(1, { Resources: users('a'), nextCursor: 'n' });
    aWire().get('/Users').query({ cursor: 'n', count: '2' }).reply(400, { scimType: 'expiredCursor', status: '400' });
    page(1, { Resources: users('a'), nextCursor: 'm' });
    cursor('m', { Resources: users('b') });
    expect((await list()).ids).toEqual(['a', 'b']);
  });

  it('cursors in a circle are refused', async () => {
    aDiscovery();
    for (let pass = 0; pass < 2; pass += 1) {
      page(1, { Resources: users('a'), nextCursor: 'n' });
      cursor('n', { Resources: users('b'), nextCursor: 'n' });
    }
    expect(await failure()).toBe(`TargetUnavailable: ${INCOMPLETE}`);
  });

  it('fewer than totalResults is not the whole list', async () => {
    aDiscovery();
    for (let pass = 0; pass < 2; pass += 1) {
      page(1, { totalResults: 3, Resources: users('a'), nextCursor: 'n' });
      cursor('n', { totalResults: 3, Resources: users('b') });
    }
    expect(await failure()).toBe(`TargetUnavailable: ${INCOMPLETE}`);
  });
});

describe('T1 teams', () => {
  const groups = (body: Json) =>
    aWire()
      .get('/Groups')
      .query(true)
      .reply(200, body as Record<string, Json>);

  it('members that lists leave out are read team by team', async () => {
    aDiscovery();
    groups({
      totalResults: 2,
      Resources: [
        { id: 'g1', displayName: 'A' },
        { id: 'g2', displayName: 'B' },
      ],
    });
    aWire()
      .get('/Groups/g1')
      .reply(200, { id: 'g1', members: [{ value: 'u1' }, { value: 'u2' }, { value: 'u1' }] });
    aWire().get('/Groups/g2').reply(404, { status: '404' });
    const { target } = await aWiredTarget();
    const teams = (await collect(target.listTeams(NEVER))).flatMap((each) => each.objects);
    expect(teams).toEqual([{ id: 'g1', version: null, attributes: { displayName: 'A' }, members: ['u1', 'u2'] }]);
  });

  it('a team without members beside one that shows some is empty, without another request', async () => {
    aDiscovery();
    groups({
      totalResults: 2,
      Resources: [
        { id: 'g1', displayName: 'A' },
        { id: 'g2', displayName: 'B', Members: [{ Value: 'u1' }] },
      ],
    });
    const { target } = await aWiredTarget();
    const teams = (await collect(target.listTeams(NEVER))).flatMap((each) => each.objects);
    expect(teams.map((each) => each.members)).toEqual([[], ['u1']]);
  });

  describe('pages of bearable size', () => {
    const MANY = { patch: { supported: true }, filter: { supported: true, maxResults: 200 } };
    /** A group of about so many characters. */
    const group = (id: string, size: number): Json => ({
      id,
      members: Array.from({ length: Math.ceil(size / 100) }, (_, count) => ({
        value: `${id}-${count}`.padEnd(86, '-'),
      })),
    });
    const by = (query: Record<string, string>, body: Json) =>
      aWire()
        .get('/Groups')
        .query(query)
        .reply(200, body as Record<string, Json>);
    const idsOf = async (): Promise<string[]> => {
      const { target } = await aWiredTarget();
      return (await collect(target.listTeams(NEVER))).flatMap(({ objects }) => objects.map(({ id }) => id));
    };

    it('as many are asked for as the ones before were small, and every team comes once', async () => {
      aDiscovery(MANY);
      const total = { totalResults: 14 };
      by({ startIndex: '1', count: '2' }, { ...total, Resources: [group('a', 500_000), group('b', 500_000)] });
      by({ startIndex: '3', count: '1' }, { ...total, Resources: [group('c', 100)] });
      by({ startIndex: '4', count: '4' }, { ...total, Resources: ['d', 'e', 'f', 'g'].map((id) => group(id, 100)) });
      const rest = ['h', 'i', 'j', 'k', 'l', 'm', 'n'];
      by({ startIndex: '8', count: '16' }, { ...total, Resources: rest.map((id) => group(id, 100)) });
      expect(await idsOf()).toEqual(['a', 'b', 'c', 'd', 'e', 'f', 'g', ...rest]);
    });

    it('by cursor all pages are of one size, as RFC 9865 has it', async () => {
      aDiscovery({ ...MANY, pagination: { cursor: true, index: false } });
      by({ cursor: '', count: '25' }, { Resources: [group('a', 100)], nextCursor: 'n' });
      by({ cursor: 'n', count: '25' }, { Resources: [group('b', 100)] });
      expect(await idsOf()).toEqual(['a', 'b']);
    });

    it('a service that repeats its first page is asked for all in one', async () => {
      aDiscovery(MANY);
      const first = { totalResults: 3, Resources: [group('a', 100), group('b', 100)] };
      by({ startIndex: '1', count: '2' }, first);
      by({ startIndex: '3', count: '8' }, first);
      by({ startIndex: '1', count: '3' }, { totalResults: 3, Resources: ['a', 'b', 'c'].map((id) => group(id, 100)) });
      expect(await idsOf()).toEqual(['a', 'b', 'c']);
    });
  });
});
