/** Delta queries: what only Graph does with them. The rules themselves are in the conformance suite. */
import nock from 'nock';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { EntraSource } from '../../../src/api/providers.ts';
import { SyncError } from '../../../src/errors.ts';
import { entraSource } from '../../../src/sources/entra/index.ts';
import type { ChangePage, Cursors, Source } from '../../../src/sources/source.ts';
import {
  APPLICATION,
  CLIENT,
  type EntraServer,
  type GraphMember,
  startEntra,
  TENANT,
  toGraphUser,
} from '../../support/entra-server.ts';
import { createTestClient, NO_FILES, NO_NETWORK } from '../http-client.ts';
import { connectEntra, WHERE } from './connect.ts';

const NEVER = new AbortController().signal;

async function start(
  content: Parameters<typeof startEntra>[0],
  config: Partial<EntraSource> = {},
): Promise<{ entra: EntraServer; source: Source }> {
  const entra = await startEntra(content);
  const http = createTestClient();
  onTestFinished(async () => {
    http.close();
    await entra.close();
  });
  return { entra, source: await connectEntra(entra, http, { config }) };
}

async function readUserCursor(source: Source, projection: readonly string[] = []): Promise<string | null> {
  let cursor: string | null = null;
  for await (const page of source.readUsers(projection, NEVER)) cursor = page.end?.cursor ?? cursor;
  return cursor;
}

/** Why there is none; null: there is one. */
async function readNoCursor(source: Source, projection: readonly string[] = []): Promise<string | null> {
  let why: string | null = null;
  for await (const page of source.readUsers(projection, NEVER)) why = page.end?.noCursor ?? why;
  return why;
}

async function readCursors(source: Source, projection: readonly string[] = []): Promise<Cursors> {
  const users = await readUserCursor(source, projection);
  let groups: string | null = null;
  for await (const page of source.readGroups?.([], NEVER) ?? []) groups = page.end?.cursor ?? groups;
  if (users === null) throw new Error('there is no cursor');
  return { users, groups };
}

async function readChanges(
  source: Source,
  since: Cursors,
  projection: readonly string[] = [],
): Promise<readonly ChangePage[]> {
  const pages: ChangePage[] = [];
  const asked = { users: projection, groups: since.groups === null ? null : [] };
  for await (const page of source.readChanges?.(since, asked, NEVER) ?? []) pages.push(page);
  return pages;
}

const toChanges = (pages: readonly ChangePage[]) => pages.flatMap(({ changes }) => changes);

async function toError(work: Promise<unknown>): Promise<SyncError> {
  try {
    await work;
  } catch (thrown) {
    return SyncError.from(thrown);
  }
  throw new Error('it did not fail');
}

describe('a cursor', () => {
  it.each(['old', 'reset', 'lost'] as const)(
    'that Graph does not take any more (%s) is one that expired',
    async (how) => {
      const { entra, source } = await start({ users: [toGraphUser('ada')] });
      const cursors = await readCursors(source);
      entra.expireLinks(how);
      const { code, message } = await toError(readChanges(source, cursors));
      expect(code).toBe('CursorExpired');
      expect(message).toContain('does not go on with the changes of people from where the last read ended (4');
      // A new one is there at once.
      expect(toChanges(await readChanges(source, await readCursors(source)))).toEqual([]);
    },
  );

  it('of groups expires by itself, and is none of people', async () => {
    const { source } = await start({ users: [toGraphUser('ada')] });
    const cursors = await readCursors(source);
    for (const groups of ['/v1.0/groups/delta?$deltatoken=x', cursors.users])
      expect((await toError(readChanges(source, { ...cursors, groups }))).code).toBe('CursorExpired');
  });

  it('is none where something is asked for that Graph does not track', async () => {
    const { source } = await start({ users: [toGraphUser('ada')] }, { applicationId: APPLICATION });
    expect(await readUserCursor(source, ['appRoleAssignments'])).toBeNull();
    expect(await readNoCursor(source, ['appRoleAssignments'])).toBe(
      'Graph does not tell changes of appRoleAssignments',
    );
    expect(await readNoCursor(source, ['department'])).toBeNull();
    expect(await readUserCursor(source, ['department'])).not.toBeNull();
  });

  it('is none where Graph gives none, and everybody is read all the same', async () => {
    const { entra, source } = await start({ users: [toGraphUser('ada')] });
    for (const status of [400, 403, 500]) {
      entra.server.fault = ({ path }) => (path === '/v1.0/users/delta' ? { status, body: {} } : null);
      expect(await readUserCursor(source)).toBeNull();
      expect(await readNoCursor(source)).toContain(`(${status})`);
    }
  });
});

describe('people', () => {
  const asked = ['manager', 'department'];

  it('keep their manager where an item does not speak of one; a new one comes with the mail', async () => {
    const users = ['ada', 'bo', 'cy'].map((id) => toGraphUser(id));
    const { entra, source } = await start({ users });
    const cursors = await readCursors(source, asked);
    const [ada, bo, cy] = users as [(typeof users)[0], (typeof users)[0], (typeof users)[0]];
    entra.change({ users: [{ ...ada, manager: 'bo' }, { ...bo, department: 'R&D' }, cy] });
    expect(toChanges(await readChanges(source, cursors, asked))).toMatchObject([
      { user: { id: 'ada', attributes: { manager: { id: 'bo', mail: 'bo@corp.example' } } } },
      { user: { id: 'bo', attributes: { department: 'R&D', manager: null } }, keeps: ['manager'] },
    ]);
    const again = await readCursors(source, asked);
    entra.change({ users: [ada, bo, cy] });
    const [change] = toChanges(await readChanges(source, again, asked));
    expect(change).toMatchObject({ user: { id: 'ada', attributes: { manager: null } } });
    expect(change).not.toHaveProperty('keeps');
  });

  it('who were deleted and restored between two reads were not gone', async () => {
    const users = ['ada', 'bo'].map((id) => toGraphUser(id));
    const { entra, source } = await start({ users });
    const cursors = await readCursors(source);
    entra.change({ users: users.slice(1) });
    entra.change({ users });
    expect(toChanges(await readChanges(source, cursors)).map((change) => change.type)).toEqual(['user']);
    entra.change({ users: users.slice(1) });
    expect(toChanges(await readChanges(source, cursors)).at(-1)).toEqual({ type: 'userRemoved', id: 'ada' });
  });

  it('come back only for what is asked for', async () => {
    const { entra, source } = await start({ users: [toGraphUser('ada')] });
    const cursors = await readCursors(source, ['department']);
    entra.change({ users: [toGraphUser('ada', { officeLocation: '4.2' })] });
    expect(toChanges(await readChanges(source, cursors, ['department']))).toEqual([]);
  });
});

describe('groups', () => {
  const user = (id: string): GraphMember => ({ id, type: 'user' });

  it('tell who joined and left over as many items as it takes', async () => {
    const before = Array.from({ length: 30 }, (_, index) => user(`old-${index}`));
    const now = Array.from({ length: 70 }, (_, index) => user(`new-${index}`));
    const group = { id: 'eng', displayName: 'Engineering' };
    const { entra, source } = await start({ groups: [{ ...group, members: before }] });
    const cursors = await readCursors(source);
    entra.change({ groups: [{ ...group, members: [...now, { id: 'laptop', type: 'device' }] }] });
    const parts = toChanges(await readChanges(source, cursors)).flatMap((each) =>
      each.type === 'members' ? [each] : [],
    );
    expect(parts.length).toBeGreaterThan(3);
    expect(parts.flatMap(({ removed }) => removed)).toEqual(before.map(({ id }) => id));
    expect(parts.flatMap(({ added }) => added)).toEqual(now.map(({ id }) => ({ kind: 'User', ref: id })));
  });

  it('that are gone are gone', async () => {
    const group = { id: 'eng', displayName: 'Engineering', members: [] };
    const { entra, source } = await start({ groups: [group] });
    const cursors = await readCursors(source);
    entra.change({ groups: [] });
    expect(toChanges(await readChanges(source, cursors))).toEqual([{ type: 'groupRemoved', id: 'eng' }]);
  });
});

describe('an answer of Graph, word for word', () => {
  const GRAPH = 'https://graph.microsoft.com';
  const LINK = '/v1.0/groups/delta?$deltatoken=AbC+dE_1';

  async function readPage(value: readonly object[]): Promise<readonly ChangePage[]> {
    nock('https://login.microsoftonline.com')
      .post(`/${TENANT}/oauth2/v2.0/token`)
      .reply(200, { token_type: 'Bearer', access_token: 'eyJ' });
    nock(GRAPH)
      .get('/v1.0/users/delta?$deltatoken=u')
      .reply(200, { value: [], '@odata.deltaLink': `${GRAPH}/v1.0/users/delta?$deltatoken=v` });
    nock(GRAPH)
      .get(LINK)
      .reply(200, { value, '@odata.deltaLink': `${GRAPH}${LINK}` });
    const http = createTestClient();
    onTestFinished(() => http.close());
    const secrets = { clientId: CLIENT, clientSecret: 'sesame' };
    const context = { secrets, where: WHERE, files: NO_FILES, network: NO_NETWORK, http, now: () => new Date() };
    const source = await entraSource.connect({ tenantId: TENANT }, context);
    return readChanges(source, { users: '/v1.0/users/delta?$deltatoken=u', groups: LINK });
  }

  it('may name a member twice, of which the last word counts, and a group by its members alone', async () => {
    const pages = await readPage([
      {
        id: 'g1',
        displayName: 'Eng',
        'members@delta': [
          { '@odata.type': '#microsoft.graph.user', id: 'u1' },
          { '@odata.type': '#microsoft.graph.group', id: 'g2' },
          { '@odata.type': '#microsoft.graph.user', id: 'u7', '@removed': { reason: 'deleted' } },
          { '@odata.type': '#microsoft.graph.user', id: 'u1', '@removed': { reason: 'deleted' } },
          { '@odata.type': '#microsoft.graph.user', id: 'u7' },
        ],
      },
      { id: 'g1', 'members@delta': [{ '@odata.type': '#microsoft.graph.user', id: 'u8' }] },
    ]);
    const user = (ref: string) => ({ kind: 'User', ref });
    expect(toChanges(pages)).toMatchObject([
      { type: 'group', group: { id: 'g1', displayName: 'Eng' } },
      { type: 'members', group: 'g1', added: [{ kind: 'Group', ref: 'g2' }, user('u7')], removed: ['u1'] },
      { type: 'members', group: 'g1', added: [user('u8')], removed: [] },
    ]);
    expect(pages.at(-1)?.end?.cursors).toEqual({ users: '/v1.0/users/delta?$deltatoken=v', groups: LINK });
  });

  it('with what is no group, or no member, says of which one', async () => {
    const pages = await readPage([
      { id: 'g1', displayName: '' },
      { id: 'g2', displayName: 'Eng', 'members@delta': [{ '@odata.type': '#microsoft.graph.user' }] },
      { displayName: 'Nobody' },
    ]);
    expect(pages.flatMap(({ failedGroups }) => failedGroups.map(({ id }) => id)).toSorted()).toEqual(
      [null, 'g1', 'g2'].toSorted(),
    );
  });
});
