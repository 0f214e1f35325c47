/** The directory without a socket, as simulations run it. */
import { expect, it, onTestFinished } from 'vitest';
import { openService, type ServiceOptions } from '../../src/directory/service.ts';
import { URN_GROUP, URN_USER } from '../../src/scim/schema.ts';
import { aUser } from './directory-client.ts';

const URL_OF_IT = 'https://directory.example/scim/v2';

function open(options: Partial<ServiceOptions> = {}) {
  let made = 0;
  let seconds = 0;
  const service = openService(URL_OF_IT, {
    file: ':memory:',
    token: 'secret',
    readClock: () => new Date(Date.UTC(2026, 0, 1, 0, 0, seconds++)),
    makeId: () => `id-${++made}`,
    ...options,
  });
  onTestFinished(() => service.close());
  const call = (method: string, path: string, body: unknown = '', token = 'secret') =>
    service.handle({
      method,
      path: `/scim/v2${path}`,
      headers: { authorization: `Bearer ${token}` },
      body: typeof body === 'string' ? body : JSON.stringify(body),
    });
  return { service, call };
}

it('answers as the server does, with the URL, the ids and the times that it was given', async () => {
  const { call } = open();
  const { status, headers, body } = await call('POST', '/Users', aUser());
  expect({ status, headers, body: JSON.parse(body ?? '') }).toEqual({
    status: 201,
    headers: {
      Location: `${URL_OF_IT}/Users/id-1`,
      ETag: 'W/"1"',
      'Content-Type': 'application/scim+json; charset=utf-8',
      'Content-Length': String(Buffer.byteLength(body ?? '')),
    },
    body: {
      schemas: [URN_USER],
      id: 'id-1',
      userName: 'ada@example.com',
      meta: {
        resourceType: 'User',
        created: '2026-01-01T00:00:00.000Z',
        lastModified: '2026-01-01T00:00:00.000Z',
        location: `${URL_OF_IT}/Users/id-1`,
        version: 'W/"1"',
      },
    },
  });
  expect(await call('DELETE', '/Users/id-1')).toEqual({ status: 204, headers: {}, body: null });
  expect((await call('GET', '/Users', '', 'wrong')).status).toBe(401);
});

it('gives the same bytes for the same requests', async () => {
  const run = async () => {
    const { call } = open();
    const answers = [
      await call('POST', '/Users', aUser()),
      await call('POST', '/Groups', { schemas: [URN_GROUP], displayName: 'Engines', members: [{ value: 'id-1' }] }),
      await call('GET', '/Users'),
      await call('GET', '/Groups'),
    ];
    return JSON.stringify(answers);
  };
  expect(await run()).toBe(await run());
});

it('carries a request out when it is called, not when its answer is awaited', async () => {
  const { call } = open();
  const first = call('POST', '/Users', aUser());
  const second = call('POST', '/Users', aUser());
  const list = call('GET', '/Users');
  expect([(await second).status, (await first).status]).toEqual([409, 201]);
  expect(JSON.parse((await list).body ?? '').totalResults).toBe(1);
});

it('refuses a body over the limit, given or left out', async () => {
  const { call, service } = open();
  expect((await call('POST', '/Users', 'x'.repeat(1024 * 1024 + 1))).status).toBe(413);
  const headers = { authorization: 'Bearer secret' };
  expect((await service.handle({ method: 'POST', path: '/scim/v2/Users', headers, body: null })).status).toBe(413);
});
