/** What only SCIM has of changes: times of another machine, filters that do not filter, groups that keep their time. */
import { describe, expect, it, onTestFinished } from 'vitest';
import { SyncError } from '../../../src/errors.ts';
import type { ChangePage, ReadEnd, Source } from '../../../src/sources/source.ts';
import { type ScimDirectory, startScimDirectory } from '../../support/scim-directory-server.ts';
import { createTestClient } from '../http-client.ts';
import { connectScim } from './connect.ts';

const NEVER = new AbortController().signal;

type Users = ScimDirectory['users'];

const people = (count: number, lastModified: unknown = '2026-01-05T08:00:00.250Z'): Users =>
  Array.from({ length: count }, (_, index) => ({
    id: `p${index + 1}`,
    userName: `u${index + 1}`,
    active: true,
    meta: { lastModified: lastModified as string },
  }));

async function start(content: Parameters<typeof startScimDirectory>[0] = { users: people(3) }) {
  const directory = await startScimDirectory(content);
  const http = createTestClient();
  onTestFinished(async () => {
    http.close();
    await directory.close();
  });
  return { directory, source: await connectScim(directory, http) };
}

async function readEnd(source: Source): Promise<ReadEnd | undefined> {
  let end: ReadEnd | undefined;
  for await (const page of source.readUsers([], NEVER)) end = page.end;
  return end;
}

async function readFrom(source: Source, users: string, groups: string | null = null): Promise<ChangePage[]> {
  const pages: ChangePage[] = [];
  const asked = { users: [], groups: groups === null ? null : [] };
  for await (const page of source.readChanges?.({ users, groups }, asked, NEVER) ?? []) pages.push(page);
  return pages;
}

const toError = (work: Promise<unknown>): Promise<SyncError> =>
  work.then(
    () => Promise.reject(new Error('it did not fail')),
    (thrown: unknown) => SyncError.from(thrown),
  );

const toIds = (pages: readonly ChangePage[]): string[] =>
  pages.flatMap(({ changes }) => changes.flatMap((each) => (each.type === 'user' ? [each.user.id] : [])));

/** The service's clock, by the heads of its answers. */
function setClock({ server }: ScimDirectory, at: string | null): void {
  server.date = at === null ? null : new Date(at).toUTCString();
}

describe('changes of a SCIM service', () => {
  it('are two requests, whatever its size: how many there are, and who has changed', async () => {
    const { directory, source } = await start({ users: people(300) });
    const cursor = (await readEnd(source))?.cursor ?? '';
    directory.change({
      users: directory.users.map((user) => (user['id'] === 'p7' ? { ...user, title: 'Lead' } : user)),
      groups: [],
    });
    const before = directory.server.requests.length;
    const pages = await readFrom(source, cursor);
    expect(toIds(pages)).toEqual(['p7']);
    expect(pages.at(-1)?.end?.totals).toEqual({ users: 300, groups: null });
    const requests = directory.server.requests.slice(before).map(({ path, query }) => [path, query.get('filter')]);
    expect(requests).toEqual([
      ['/scim/v2/Users', null],
      ['/scim/v2/Users', `meta.lastModified ge "${cursor}"`],
    ]);
  });

  it('begin five minutes before the read by the clock of the service, whatever time it is here', async () => {
    const { directory, source } = await start();
    setClock(directory, '2031-07-01T10:20:30Z');
    const cursor = (await readEnd(source))?.cursor;
    expect(cursor).toBe('2031-07-01T10:15:30Z');
    setClock(directory, '2031-07-01T11:00:00Z');
    const pages = await readFrom(source, cursor ?? '');
    expect(pages.at(-1)?.end?.cursors.users).toBe('2031-07-01T10:55:00Z');
    const [edge, earlier] = people(2, '2031-07-01T10:15:30.000Z');
    directory.users = [edge ?? {}, { ...earlier, meta: { lastModified: '2031-07-01T10:15:29.999Z' } }];
    expect(toIds(await readFrom(source, cursor ?? ''))).toEqual(['p1']);
  });

  it('are those since the read began, not since it ended', async () => {
    const { directory, source } = await start({ users: people(250) });
    setClock(directory, '2031-07-01T10:00:00Z');
    directory.server.fault = ({ query }) => {
      if (query.get('startIndex') === '101') setClock(directory, '2031-07-01T10:40:00Z');
      return null;
    };
    expect((await readEnd(source))?.cursor).toBe('2031-07-01T09:55:00Z');
  });

  const withNobodysTime: Users = [...people(2), { id: 'p9', userName: 'u9' }];
  const noCursor: readonly (readonly [string, Partial<ScimDirectory>, RegExp])[] = [
    ['ignores filters', { filters: 'ignored' }, /does not filter people by meta.lastModified/],
    ['takes "greater" for "equal"', { filters: 'equal' }, /does not filter people by meta.lastModified/],
    ['takes no filters', { filters: 'never' }, /does not take the filter \(400\)/],
    ['says of somebody no time', { users: withNobodysTime }, /not say of everybody when/],
    ['says times of another zone', { users: people(2, '2026-01-05T10:00:00+02:00') }, /changed, in UTC/],
    ['says what is no time', { users: people(2, '2026-13-45T10:00:00Z') }, /not say of everybody when/],
  ];
  it.each(noCursor)('are not asked of a service that %s', async (_what, content, why) => {
    const { directory, source } = await start();
    Object.assign(directory, content);
    const end = await readEnd(source);
    expect(end?.cursor).toBeUndefined();
    expect(end?.noCursor).toMatch(why);
  });

  it('are not asked of a service that does not say its time', async () => {
    const { directory, source } = await start();
    setClock(directory, null);
    expect(await readEnd(source)).toMatchObject({ noCursor: 'the service does not say its time' });
  });

  it('are not asked of an empty service, and nothing is said of that', async () => {
    const { source } = await start({ users: [] });
    expect(await readEnd(source)).toMatchObject({ attributes: [] });
    expect(await readEnd(source)).not.toHaveProperty('noCursor');
  });

  it('end where the service takes its filter no more, says no number or no time', async () => {
    const { directory, source } = await start();
    const cursor = (await readEnd(source))?.cursor ?? '';
    directory.filters = 'never';
    expect((await toError(readFrom(source, cursor))).code).toBe('CursorExpired');
    directory.filters = 'rightly';
    setClock(directory, null);
    expect((await toError(readFrom(source, cursor))).code).toBe('CursorExpired');
    setClock(directory, '2031-07-01T10:00:00Z');
    directory.server.fault = ({ query }) =>
      query.has('filter') ? null : { status: 200, body: { Resources: [...people(1)] } };
    expect((await toError(readFrom(source, cursor))).code).toBe('CursorExpired');
  });

  it('tell every group with all its members, whose time often stands still', async () => {
    const meta = { lastModified: '2026-01-05T08:00:00Z' };
    const toMembers = (count: number) => people(count).map(({ id = null }) => ({ value: id, type: 'User' }));
    const groups: Users = [
      { id: 'g1', displayName: 'Crew', members: toMembers(2500), meta },
      { id: 'g2', displayName: 'Nobody', meta },
    ];
    const { directory, source } = await start({ users: people(3), groups });
    const cursor = (await readEnd(source))?.cursor ?? '';
    directory.groups = groups.map((group) => (group.id === 'g1' ? { ...group, members: toMembers(2100) } : group));
    const pages = await readFrom(source, cursor, 'all');
    const changes = pages.flatMap((page) => page.changes);
    const members = changes.flatMap((each) => (each.type === 'members' ? [each] : []));
    expect(members.map(({ group, replaces, added }) => [group, replaces, added.length])).toEqual([
      ['g1', true, 1000],
      ['g1', false, 1000],
      ['g1', false, 100],
      ['g2', true, 0],
    ]);
    expect(pages.at(-1)?.end).toMatchObject({ cursors: { groups: 'all' }, totals: { users: 3, groups: 2 } });
  });

  it('leave a group as it was whose members cannot be read', async () => {
    const groups = ['g1', 'g2'].map((id) => ({ id, displayName: id, members: [{ value: 'p1', type: 'User' }] }));
    const { directory, source } = await start({ users: people(3), groups });
    directory.hidesMembers = true;
    const cursor = (await readEnd(source))?.cursor ?? '';
    directory.server.fault = ({ path }) => (path.endsWith('/g1') ? { status: 404, body: {} } : null);
    const pages = await readFrom(source, cursor, 'all');
    expect(pages.flatMap(({ failedGroups }) => failedGroups.map(({ id }) => id))).toEqual(['g1']);
    const named = pages.flatMap(({ changes }) =>
      changes.flatMap((each) => (each.type === 'members' ? [each.group] : [])),
    );
    expect(named).toEqual(['g2']);
  });
});
