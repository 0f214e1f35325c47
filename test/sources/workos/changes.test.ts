/** What only WorkOS has of changes: events of a whole environment, how long they are kept, what they do not tell. */
import { describe, expect, it, onTestFinished } from 'vitest';
import { SyncError } from '../../../src/errors.ts';
import type { Json } from '../../../src/model.ts';
import type { ChangePage, Source } from '../../../src/sources/source.ts';
import { emit, startWorkos, toWorkosUser, type WorkosServer } from '../../support/workos-server.ts';
import { createTestClient } from '../http-client.ts';
import { connectWorkos } from './connect.ts';

const NEVER = new AbortController().signal;
const DAY_MS = 86_400_000;
const START = Date.parse('2026-01-15T12:00:00.000Z');

interface World {
  readonly workos: WorkosServer;
  readonly source: Source;
  readonly clock: { now: number };
}

async function start(content: Parameters<typeof startWorkos>[0] = { users: [toWorkosUser('ada')] }): Promise<World> {
  const workos = await startWorkos(content);
  const http = createTestClient();
  onTestFinished(async () => {
    http.close();
    await workos.close();
  });
  const clock = { now: START };
  return { workos, source: await connectWorkos(workos, http, () => new Date(clock.now)), clock };
}

async function readCursor(source: Source): Promise<string | null> {
  let cursor: string | null = null;
  for await (const { end } of source.readUsers([], NEVER)) cursor = end?.cursor ?? cursor;
  return cursor;
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

const withoutGroups = ({ groups: _groups, ...user }: Record<string, Json>): Record<string, Json> => user;

describe('events', () => {
  it('are two requests, whatever the size of the directory, and name what is asked for', async () => {
    const { workos, source } = await start({ users: Array.from({ length: 300 }, (_, n) => toWorkosUser(`u${n}`)) });
    const cursor = (await readCursor(source)) ?? '';
    workos.change({ users: workos.users.slice(10), groups: [] });
    const before = workos.server.requests.length;
    const [page] = await readFrom(source, cursor);
    expect(page?.changes).toHaveLength(10);
    const requests = workos.server.requests.slice(before);
    expect(requests.map(({ path }) => path)).toEqual(['/events', '/directories/directory_01TEST']);
    expect(requests[0]?.query.get('organization_id')).toBe('org_01TEST');
  });

  it('of other directories of the environment are passed over, and the cursor goes past them', async () => {
    const { workos, source } = await start();
    const cursor = (await readCursor(source)) ?? '';
    emit(workos, 'dsync.user.deleted', { ...withoutGroups(toWorkosUser('ada')), directory_id: 'directory_02' });
    emit(workos, 'dsync.deleted', { object: 'directory', id: 'directory_02', state: 'deleting' });
    const [page] = await readFrom(source, cursor);
    expect(page?.changes).toEqual([]);
    workos.change({ users: [], groups: [] });
    const next = await readFrom(source, page?.end?.cursors.users ?? '');
    expect(next.flatMap(({ changes }) => changes)).toEqual([{ type: 'userRemoved', id: 'ada' }]);
  });

  it('of a directory that is being deleted meanwhile are a failed read: they remove nobody (I1)', async () => {
    const { workos, source } = await start();
    const cursor = (await readCursor(source)) ?? '';
    workos.change({ users: [], groups: [] });
    workos.state = 'deleting';
    expect(await toError(readFrom(source, cursor))).toMatchObject({ code: 'ReadFailed' });
  });

  it.each<[string, string, Record<string, Json>]>([
    ['the directory was linked anew', 'dsync.activated', { id: 'directory_01TEST', state: 'active' }],
    ['the directory was deleted', 'dsync.deleted', { id: 'directory_01TEST', state: 'inactive' }],
    ['an event does not say of which directory', 'dsync.user.updated', { idp_id: 'ada' }],
    [
      'an id is another one',
      'dsync.user.updated',
      { ...withoutGroups(toWorkosUser('bo')), previous_attributes: { idp_id: 'ada' } },
    ],
    ['an event does not say who was deleted', 'dsync.user.deleted', { directory_id: 'directory_01TEST', id: 'x' }],
  ])('that only a full read can tell the meaning of end as CursorExpired: %s (S15)', async (_why, event, data) => {
    const { workos, source } = await start();
    const cursor = (await readCursor(source)) ?? '';
    emit(workos, event, data);
    expect(await toError(readFrom(source, cursor))).toMatchObject({ code: 'CursorExpired' });
  });
});

describe('a cursor', () => {
  it('of a directory without events goes on from a time before the read', async () => {
    const { workos, source } = await start();
    const cursor = (await readCursor(source)) ?? '';
    workos.change({ users: [toWorkosUser('ada', { first: 'Augusta' })], groups: [] });
    const pages = await readFrom(source, cursor);
    expect(pages.flatMap(({ changes }) => changes)).toMatchObject([
      { type: 'user', user: { id: 'ada', attributes: { first_name: 'Augusta' } }, keeps: ['roles'] },
    ]);
  });

  it('outlives its event as long as somebody looks, and 29 days without a look', async () => {
    const { workos, source, clock } = await start();
    workos.change({ users: [toWorkosUser('ada'), toWorkosUser('bo')], groups: [] });
    let cursor = (await readCursor(source)) ?? '';
    for (let day = 20; day <= 60; day += 20) {
      clock.now = START + day * DAY_MS;
      // What is 30 days old is gone.
      if (day > 30) workos.oldest = 1;
      const [page] = await readFrom(source, cursor);
      expect(page?.changes).toEqual([]);
      cursor = page?.end?.cursors.users ?? '';
    }
    clock.now += 30 * DAY_MS;
    expect(await toError(readFrom(source, cursor))).toMatchObject({ code: 'CursorExpired' });
  });

  it('is none where the key gets no events: everybody is read each time', async () => {
    const { workos, source } = await start();
    workos.server.fault = ({ path }) => (path === '/events' ? { status: 403, body: {} } : null);
    expect(await readCursor(source)).toBeNull();
    for await (const { end } of source.readUsers([], NEVER))
      expect(end?.noCursor).toMatch(/does not let these credentials read the list of events \(403\)/);
  });

  it('of two that are not of one time is the older one', async () => {
    const { workos, source } = await start();
    const early = (await readCursor(source)) ?? '';
    workos.change({ users: [toWorkosUser('ada'), toWorkosUser('bo')], groups: [] });
    const late = (await readCursor(source)) ?? '';
    for (const [users, groups] of [
      [early, late],
      [late, early],
    ] as const) {
      expect((await readFrom(source, users, groups)).flatMap(({ changes }) => changes)).toHaveLength(1);
    }
    expect((await readFrom(source, late, late)).flatMap(({ changes }) => changes)).toEqual([]);
  });
});
