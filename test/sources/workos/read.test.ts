/** What only WorkOS has: states of a directory and of people, custom attributes, ids. */
import { describe, expect, it, onTestFinished } from 'vitest';
import { SyncError } from '../../../src/errors.ts';
import type { Source, SourcePage } from '../../../src/sources/source.ts';
import { workosSource } from '../../../src/sources/workos/index.ts';
import { startWorkos, toWorkosUser, type WorkosServer } from '../../support/workos-server.ts';
import { createTestClient, NO_FILES, NO_NETWORK } from '../http-client.ts';
import { connectWorkos } from './connect.ts';

const NEVER = new AbortController().signal;

async function start(content: Parameters<typeof startWorkos>[0]): Promise<{ workos: WorkosServer; source: Source }> {
  const workos = await startWorkos(content);
  const http = createTestClient();
  onTestFinished(async () => {
    http.close();
    await workos.close();
  });
  return { workos, source: await connectWorkos(workos, http) };
}

async function readAll(source: Source): Promise<SourcePage[]> {
  const pages: SourcePage[] = [];
  for await (const page of source.readUsers([], NEVER)) pages.push(page);
  return pages;
}

const toError = (work: Promise<unknown>): Promise<SyncError> =>
  work.then(
    () => Promise.reject(new Error('it did not fail')),
    (thrown: unknown) => SyncError.from(thrown),
  );

describe('a directory', () => {
  it('says who it is', async () => {
    const { source } = await start({});
    expect(await source.identity(NEVER)).toEqual({
      tenantId: 'directory_01TEST',
      tenantName: 'Acme',
      domains: ['corp.example'],
    });
  });

  it.each([
    ['deleting', 'it is being deleted, and its people with it'],
    ['invalid_credentials', 'its own directory refuses the credentials that WorkOS has'],
    ['unlinked', 'link it again'],
    ['validating', 'it is being set up'],
    ['something new', 'what it lists cannot be trusted'],
  ])('in the state %s is not read: nobody is taken for gone (I1)', async (state, says) => {
    const { workos, source } = await start({ users: [toWorkosUser('ada')] });
    workos.state = state;
    for (const work of [readAll(source), source.identity(NEVER), source.readOne?.('ada', [], NEVER)]) {
      const { code, message, retry } = await toError(work ?? Promise.resolve());
      expect([code, retry]).toEqual(['ReadFailed', 'backoff']);
      expect(message).toContain(says);
    }
  });

  it('that is deleted while it is read is a failed read (I1)', async () => {
    const { workos, source } = await start({ users: [toWorkosUser('ada')] });
    workos.server.fault = ({ path }) => {
      if (path === '/directory_users') workos.state = 'deleting';
      return null;
    };
    expect((await toError(readAll(source))).message).toContain('deleting');
  });

  it('that the key does not know is named', async () => {
    const { workos } = await start({});
    const http = createTestClient();
    onTestFinished(() => http.close());
    const source = await connectWorkos({ ...workos, directoryId: 'directory_02' }, http);
    expect((await toError(source.identity(NEVER))).message).toMatch(
      /has no directory directory_02 for this key; check directoryId/,
    );
  });
});

describe('people', () => {
  it('have idp_id for their id, are active or not, and keep their custom attributes', async () => {
    const { source } = await start({
      users: [
        toWorkosUser('ada', { custom_attributes: { department_name: 'R&D', grade: 7 } }),
        toWorkosUser('bo', { state: 'inactive' }),
        toWorkosUser('cy', { state: 'suspended', custom_attributes: { address: { city: 'York' } } }),
      ],
    });
    const [page] = await readAll(source);
    expect(page?.users.map(({ id, active }) => [id, active])).toEqual([
      ['ada', true],
      ['bo', false],
      ['cy', false],
    ]);
    expect(page?.users[0]?.attributes).toMatchObject({
      id: 'directory_user_ada',
      email: 'ada@example.com',
      custom_attributes: { department_name: 'R&D', grade: 7 },
    });
    // Deprecated: null for newer accounts, where the custom attribute of that name has the value.
    for (const name of ['username', 'job_title', 'emails', 'raw_attributes', 'groups']) {
      expect(page?.users[0]?.attributes).not.toHaveProperty(name);
      expect(page?.end?.attributes).not.toContain(name);
    }
    expect(page?.end?.attributes).toEqual(expect.arrayContaining(['email', 'custom_attributes.address.city']));
  });

  it('without any custom attribute leave all of them unknown (I13)', async () => {
    const { source } = await start({ users: [toWorkosUser('ada')] });
    expect((await readAll(source)).at(-1)?.end?.attributes).not.toContain('custom_attributes');
  });

  it('in a state that is not known, or of another directory, are failed records', async () => {
    const { source } = await start({
      users: [
        toWorkosUser('ada', { state: 'on leave' }),
        { ...toWorkosUser('bo'), directory_id: 'directory_02' },
        toWorkosUser('cy'),
      ],
    });
    const [page] = await readAll(source);
    expect(page?.users.map(({ id }) => id)).toEqual(['cy']);
    expect(page?.failed).toEqual([
      { id: 'ada', code: 'RecordInvalid', message: 'its state is none of active, inactive and suspended' },
      { id: null, code: 'RecordInvalid', message: 'directory_user_bo is of another directory' },
    ]);
  });

  it('with one id are not told apart when one is asked for', async () => {
    const { source } = await start({
      users: [toWorkosUser('ada'), { ...toWorkosUser('ada'), id: 'directory_user_02' }],
    });
    expect((await toError(source.readOne?.('ada', [], NEVER) ?? Promise.resolve())).code).toBe('RecordInvalid');
  });

  it('that were not asked for are not taken for the one who was', async () => {
    const { workos, source } = await start({ users: [toWorkosUser('ada')] });
    workos.server.fault = ({ path }) =>
      path === '/directory_users'
        ? { status: 200, body: { data: [toWorkosUser('bo')], list_metadata: { after: null } } }
        : null;
    expect((await toError(source.readOne?.('ada', [], NEVER) ?? Promise.resolve())).code).toBe('ReadFailed');
  });
});

describe('the Secret', () => {
  it.each([
    [{}, 'ReferenceNotFound', 'Secret default/acme-workos must have the key "apiKey"; it has no keys'],
    [{ token: 'x' }, 'ReferenceNotFound', 'Secret default/acme-workos must have the key "apiKey"; it has token'],
    [{ apiKey: 'sk test' }, 'Invalid', 'the key "apiKey" of Secret default/acme-workos has blanks'],
  ])('%j', async (secrets, code, message) => {
    const http = createTestClient();
    onTestFinished(() => http.close());
    const context = { secrets, where: 'Secret default/acme-workos', http, network: NO_NETWORK, now: () => new Date(0) };
    const files = NO_FILES;
    const config = { directoryId: 'directory_01', credentialsRef: { name: 'acme-workos' } };
    const error = await toError((async () => workosSource.connect(config, { ...context, files }))());
    expect(error.code).toBe(code);
    expect(error.message).toContain(message);
  });

  it('may end with a line end, as files do', async () => {
    const { workos } = await start({ users: [toWorkosUser('ada')] });
    const http = createTestClient();
    onTestFinished(() => http.close());
    const source = await connectWorkos({ ...workos, apiKey: `${workos.apiKey}\n` }, http);
    expect(await readAll(source)).toHaveLength(1);
  });
});
