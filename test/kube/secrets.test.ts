import { inspect } from 'node:util';
import { describe, expect, it } from 'vitest';
import { answering, TOKEN } from './api-server.ts';
import { aScene, CONFIG_MAPS, SECRETS } from './setup.ts';

const base64 = (text: string): string => Buffer.from(text).toString('base64');
const metadata = { name: 'acme-app', namespace: 'identity' };

describe('readSecret', () => {
  it('gives the values as text, newly read each time', async () => {
    const { api, host } = await aScene();
    api.put(SECRETS, { metadata, data: { token: base64('s3cret'), other: base64('ü') } });
    expect(await host.readSecret('identity', 'acme-app')).toEqual({ token: 's3cret', other: 'ü' });
    api.put(SECRETS, { metadata, data: { token: base64('rotated') } });
    expect(await host.readSecret('identity', 'acme-app')).toEqual({ token: 'rotated' });
    expect(api.seen[0]?.authorization).toBe(`Bearer ${TOKEN}`);
  });

  it('reads a Secret without data as empty', async () => {
    const { api, host } = await aScene();
    api.put(SECRETS, { metadata });
    expect(await host.readSecret('identity', 'acme-app')).toEqual({});
  });

  it('names Secret and namespace when it is missing', async () => {
    const { host } = await aScene();
    await expect(host.readSecret('identity', 'acme-app')).rejects.toMatchObject({
      code: 'ReferenceNotFound',
      message: 'Secret identity/acme-app does not exist; create it in the namespace identity, or correct the name',
    });
  });

  it.each([
    [401, 'the Kubernetes API server does not know who asks for Secret identity/acme-app; check the token'],
    [403, "the controller's account may not use Secret identity/acme-app; its Role or ClusterRole lacks it"],
    [500, 'the Kubernetes API server answered 500 for Secret identity/acme-app'],
  ])('I9: fails with something to be tried again and nothing secret on %d', async (status, message) => {
    const { api, host } = await aScene();
    for (let i = 0; i < 5; i += 1) {
      api.faults.push(answering(() => true, status, { code: status, message: 'secret word', data: { token: 'x' } }));
    }
    const error = await host.readSecret('identity', 'acme-app').catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: 'Unknown', retry: 'backoff', message });
    expect(inspect(error, { depth: 9 })).not.toMatch(/secret word|'x'/);
  });

  it('is tried again, and fails with the network’s code, while the server is away', async () => {
    const { api, host, timing } = await aScene();
    await api.stop();
    const error = await host.readSecret('identity', 'acme-app').catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({
      code: 'Unknown',
      retry: 'backoff',
      message: 'the Kubernetes API server cannot be reached (ECONNREFUSED); it was asked for Secret identity/acme-app',
    });
    expect(timing.sleeps).toEqual([250, 500, 1000, 2000]);
    await api.start();
    api.put(SECRETS, { metadata, data: { token: base64('back') } });
    expect(await host.readSecret('identity', 'acme-app')).toEqual({ token: 'back' });
  });

  it('does not wait for ever for an answer', async () => {
    const { api, host } = await aScene({ requestTimeoutMs: 30 });
    for (let i = 0; i < 5; i += 1) api.faults.push(() => true);
    await expect(host.readSecret('identity', 'acme-app')).rejects.toMatchObject({
      message: 'the Kubernetes API server does not answer in time; it was asked for Secret identity/acme-app',
    });
    expect(api.seen).toHaveLength(5);
  });

  it('gives up waiting for another try when the host closes', async () => {
    const { api, host, timing } = await aScene();
    api.faults.push(answering(() => true, 503));
    timing.sleep = (_ms: number, signal?: AbortSignal) =>
      new Promise((resolve) => signal?.addEventListener('abort', () => resolve()));
    const read = host.readSecret('identity', 'acme-app').catch((thrown: unknown) => thrown);
    await api.until(() => api.seen.length === 1);
    await host.close();
    expect(await read).toMatchObject({ retry: 'backoff' });
    expect(api.seen).toHaveLength(1);
  });
});

describe('readConfigMap', () => {
  it('gives text as UTF-8 and binary data as it is', async () => {
    const { api, host } = await aScene();
    api.put(CONFIG_MAPS, { metadata, data: { 'people.csv': 'id,näme\n' }, binaryData: { raw: '/wA=' } });
    expect(Buffer.from(await host.readConfigMap('identity', 'acme-app', 'people.csv')).toString()).toBe('id,näme\n');
    expect([...(await host.readConfigMap('identity', 'acme-app', 'raw'))]).toEqual([0xff, 0]);
  });

  it.each([
    {
      key: 'people.csv',
      data: { b: '1', a: '2' },
      message: 'ConfigMap identity/acme-app has no key "people.csv"; it has a, b',
    },
    { key: 'toString', data: undefined, message: 'ConfigMap identity/acme-app has no key "toString"; it is empty' },
  ])('names a missing key $key', async ({ key, data, message }) => {
    const { api, host } = await aScene();
    api.put(CONFIG_MAPS, { metadata, data });
    await expect(host.readConfigMap('identity', 'acme-app', key)).rejects.toMatchObject({
      code: 'ReferenceNotFound',
      message,
    });
  });

  it('names a missing ConfigMap', async () => {
    const { host } = await aScene();
    await expect(host.readConfigMap('identity', 'acme-app', 'a')).rejects.toMatchObject({
      code: 'ReferenceNotFound',
      message: 'ConfigMap identity/acme-app does not exist; create it in the namespace identity, or correct the name',
    });
  });
});
