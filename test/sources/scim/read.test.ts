/** What only SCIM has: lists by index that change, names without case, members that lists leave out. */
import { describe, expect, it, onTestFinished } from 'vitest';
import { SyncError } from '../../../src/errors.ts';
import { URN_GROUP, URN_SCHEMA, URN_USER } from '../../../src/scim/schema.ts';
import type { GroupPage, Source, SourcePage } from '../../../src/sources/source.ts';
import { type ScimDirectory, startScimDirectory } from '../../support/scim-directory-server.ts';
import type { Fault } from '../../support/scripted-server.ts';
import { createTestClient } from '../http-client.ts';
import { connectScim } from './connect.ts';

const NEVER = new AbortController().signal;
const ENTERPRISE = 'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User';

async function start(content: Parameters<typeof startScimDirectory>[0]) {
  const directory = await startScimDirectory(content);
  const http = createTestClient();
  onTestFinished(async () => {
    http.close();
    await directory.close();
  });
  return { directory, source: await connectScim(directory, http) };
}

async function collect<Page>(pages: AsyncIterable<Page> | undefined): Promise<Page[]> {
  const all: Page[] = [];
  for await (const page of pages ?? []) all.push(page);
  return all;
}

const readAll = (source: Source): Promise<SourcePage[]> => collect(source.readUsers([], NEVER));
const toIds = (pages: readonly SourcePage[]): string[] => pages.flatMap((page) => page.users.map(({ id }) => id));
const people = (count: number) =>
  Array.from({ length: count }, (_, index) => ({ id: `p${index + 1}`, userName: `u${index}` }));

/** Calls back when the page that begins there is asked for, so many times. */
function onPage(directory: ScimDirectory, startIndex: number, times: number, change: () => void): void {
  let left = times;
  directory.server.fault = ({ path, query }) => {
    if (path === '/scim/v2/Users' && query.get('startIndex') === String(startIndex) && left > 0) {
      left -= 1;
      change();
    }
    return null;
  };
}

const toError = (work: Promise<unknown>): Promise<SyncError> =>
  work.then(
    () => Promise.reject(new Error('it did not fail')),
    (thrown: unknown) => SyncError.from(thrown),
  );

describe('a list by index', () => {
  it('is read again where somebody was deleted meanwhile: who moved up is in no page', async () => {
    const { directory, source } = await start({ users: people(250) });
    onPage(directory, 101, 1, () => {
      directory.users = directory.users.slice(1);
    });
    const pages = await readAll(source);
    expect(pages.at(-1)?.end).toBeDefined();
    expect(new Set(toIds(pages))).toEqual(new Set(people(250).map(({ id }) => id)));
    expect(toIds(pages)).toHaveLength(250);
  });

  it('that changes all the time is not taken for whole', async () => {
    const { directory, source } = await start({ users: people(250) });
    onPage(directory, 101, 9, () => {
      directory.users = directory.users.slice(1);
    });
    const { code, message } = await toError(readAll(source));
    expect(code).toBe('ReadIncomplete');
    expect(message).toContain('the list of people 3 times');
  });

  it('whose first page comes whatever is asked for is a failed read', async () => {
    const { directory, source } = await start({ users: people(250) });
    const first = { totalResults: 250, Resources: people(100) };
    directory.server.fault = ({ path }) => (path === '/scim/v2/Users' ? { status: 200, body: first } : null);
    expect((await toError(readAll(source))).message).toContain('the same page twice');
  });

  it('without totalResults ends with an empty page', async () => {
    const { directory, source } = await start({ users: people(150) });
    directory.server.fault = ({ path, query }) => {
      if (path !== '/scim/v2/Users') return null;
      const from = Number(query.get('startIndex')) - 1;
      return { status: 200, body: { Resources: people(150).slice(from, from + 100) } };
    };
    expect(toIds(await readAll(source))).toHaveLength(150);
    expect(directory.server.requests.filter(({ path }) => path === '/scim/v2/Users')).toHaveLength(3);
  });
});

describe('people', () => {
  it('are inactive where active is false, however it is written, and keep all but a password', async () => {
    const extension = { [ENTERPRISE]: { department: 'Finance' } };
    const { source } = await start({
      users: [
        { id: '1', userName: 'ada', ...extension, password: 'hunter2' },
        { id: '2', userName: 'bo', active: false },
        { id: '3', userName: 'cy', active: 'False' },
        { ID: '4', userName: 'di', ACTIVE: false },
        { id: '5', userName: 'ed', active: true },
      ],
    });
    const pages = await readAll(source);
    expect(pages.flatMap((page) => page.users.map(({ id, active }) => [id, active]))).toEqual([
      ['1', true],
      ['2', false],
      ['3', false],
      ['4', false],
      ['5', true],
    ]);
    expect(pages[0]?.users[0]?.attributes).toEqual({ id: '1', userName: 'ada', ...extension });
    expect(pages.at(-1)?.end?.attributes).toContain(`${ENTERPRISE}.department`);
  });
});

describe('attributes', () => {
  const attribute = (name: string, more: object = {}) => ({ name, type: 'string', multiValued: false, ...more });
  const schemas = {
    Resources: [
      {
        id: URN_USER,
        name: 'User',
        attributes: [
          attribute('title'),
          attribute('active', { type: 'boolean' }),
          attribute('password', { returned: 'never' }),
          attribute('name', { type: 'complex', subAttributes: [attribute('givenName')] }),
          attribute('emails', { type: 'complex', multiValued: true, subAttributes: [attribute('value')] }),
        ],
      },
      { id: ENTERPRISE, name: 'EnterpriseUser', attributes: [attribute('department')] },
      { id: URN_GROUP, name: 'Group', attributes: [attribute('members')] },
      { id: URN_SCHEMA, name: 'Schema', attributes: [attribute('attributes')] },
    ],
  };
  const published = ['title', 'name', 'name.givenName', 'emails', ENTERPRISE, `${ENTERPRISE}.department`];

  it('that the service says it has are known, though nobody has them; active is not (I13)', async () => {
    const { directory, source } = await start({ users: [{ id: '1' }] });
    directory.server.fault = ({ path }) => (path === '/scim/v2/Schemas' ? { status: 200, body: schemas } : null);
    expect((await readAll(source)).at(-1)?.end?.attributes).toEqual(['id', ...published]);
    expect((await source.readOne?.('1', [], NEVER))?.attributes).toEqual(['id', ...published]);
  });

  it.each([
    'html',
    'half',
    { status: 500, body: {} },
    { status: 403, body: {} },
    { status: 200, body: { Resources: [{}] } },
  ])('are those of the records where it does not say: %j', async (fault) => {
    const { directory, source } = await start({ users: [{ id: '1', active: true }] });
    directory.server.fault = ({ path }) => (path === '/scim/v2/Schemas' ? (fault as Fault) : null);
    expect((await readAll(source)).at(-1)?.end?.attributes).toEqual(['id', 'active']);
  });
});

describe('groups', () => {
  const groups: ScimDirectory['groups'] = [
    {
      id: 'g1',
      displayName: 'Engineering',
      members: [{ value: 'p1', type: 'User' }, { value: 'g2', type: 'Group' }, { value: 'p2' }],
    },
    { id: 'g2', displayName: 'Empty' },
  ];
  const read = async (source: Source): Promise<GroupPage[]> => collect(source.readGroups?.([], NEVER));
  const members = (pages: readonly GroupPage[]) => pages.flatMap((page) => page.members);

  it.each([false, true])('say who belongs to them, groups too; left out of the list: %s', async (hidesMembers) => {
    const { directory, source } = await start({ users: people(2), groups });
    directory.hidesMembers = hidesMembers;
    const pages = await read(source);
    expect(pages.flatMap((page) => page.failed)).toEqual([]);
    expect(members(pages)).toEqual([
      {
        group: 'g1',
        members: [
          { kind: 'User', ref: 'p1' },
          { kind: 'Group', ref: 'g2' },
          { kind: 'Any', ref: 'p2' },
        ],
      },
    ]);
    expect(pages.flatMap((page) => page.groups.map(({ attributes }) => Object.keys(attributes)))).toEqual([
      ['id', 'displayName'],
      ['id', 'displayName'],
    ]);
  });

  it('come in parts where they are large', async () => {
    const many = Array.from({ length: 2_500 }, (_, index) => ({ value: `p${index}` }));
    const { source } = await start({ groups: [{ id: 'g1', displayName: 'All', members: many }] });
    expect(members(await read(source)).map((part) => part.members.length)).toEqual([1000, 1000, 500]);
  });
});

it('is known by its address', async () => {
  const { directory, source } = await start({});
  const { tenantId } = await source.identity(NEVER);
  expect(`http://${tenantId}`).toBe(directory.url);
});
