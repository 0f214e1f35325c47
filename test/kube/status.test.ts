import { describe, expect, it } from 'vitest';
import { answering, type SeenRequest } from './api-server.ts';
import { ACME, aScene, aSync, SYNCS } from './setup.ts';

const OBJECT = '/apis/dirsync.dev/v1alpha1/namespaces/identity/directorysyncs/acme';
const STATUS = `${OBJECT}/status`;
const writes = (request: SeenRequest): boolean => request.method !== 'GET';

describe('writeStatus', () => {
  it('gives the newest status and the generation, and replaces the whole of it', async () => {
    const { api, host } = await aScene();
    api.put(SYNCS, { ...aSync('acme', { generation: 4 }), status: { old: true, users: { active: 3 } } });
    const seen: unknown[] = [];
    const written = await host.writeStatus(ACME, (status, generation) => {
      seen.push(status, generation);
      return { users: { active: 4 }, left: undefined };
    });
    expect(written).toBe(true);
    expect(seen).toEqual([{ old: true, users: { active: 3 } }, 4]);
    expect(api.get(SYNCS, 'identity', 'acme')).toMatchObject({
      spec: { mappings: [] },
      status: { users: { active: 4 } },
    });
    expect(api.get(SYNCS, 'identity', 'acme')?.['status']).toEqual({ users: { active: 4 } });
  });

  it('writes nothing when the status stays the same', async () => {
    const { api, host } = await aScene();
    api.put(SYNCS, { ...aSync('acme'), status: { a: 1, b: [{ c: null }] } });
    expect(await host.writeStatus(ACME, (status) => ({ b: status['b'], gone: undefined, a: 1 }))).toBe(true);
    expect(api.seen.filter(writes)).toEqual([]);
  });

  it('keeps a change from altering what it is compared with', async () => {
    const { api, host } = await aScene();
    api.put(SYNCS, { ...aSync('acme'), status: { users: { active: 3 } } });
    await host.writeStatus(ACME, (status) => {
      const users = status['users'] as Record<string, number>;
      users['active'] = 9;
      return { ...status };
    });
    expect(api.get(SYNCS, 'identity', 'acme')?.['status']).toEqual({ users: { active: 9 } });
  });

  it('begins again with the newest after a conflict', async () => {
    const { api, host } = await aScene();
    api.put(SYNCS, { ...aSync('acme'), status: { runs: 1 } });
    const seen: unknown[] = [];
    await host.writeStatus(ACME, (status) => {
      seen.push(status['runs']);
      if (seen.length === 1) api.put(SYNCS, { ...aSync('acme'), status: { runs: 5 } });
      return { runs: Number(status['runs']) + 1 };
    });
    expect(seen).toEqual([1, 5]);
    expect(api.get(SYNCS, 'identity', 'acme')?.['status']).toEqual({ runs: 6 });
  });

  it('gives up after eight conflicts with an error to be tried again', async () => {
    const { api, host } = await aScene();
    api.put(SYNCS, aSync('acme'));
    let n = 0;
    const written = host.writeStatus(ACME, () => {
      api.put(SYNCS, aSync('acme'));
      n += 1;
      return { n };
    });
    await expect(written).rejects.toMatchObject({
      retry: 'backoff',
      message: 'DirectorySync identity/acme is changed by others all the time; it was not written',
    });
    expect(n).toBe(8);
  });

  it('says that a resource is gone, also when it goes between read and write', async () => {
    const { api, host } = await aScene();
    expect(await host.writeStatus(ACME, () => ({ n: 1 }))).toBe(false);
    api.put(SYNCS, aSync('acme'));
    const written = host.writeStatus(ACME, () => {
      api.remove(SYNCS, 'identity', 'acme');
      return { n: 1 };
    });
    expect(await written).toBe(false);
  });

  it('shows the written status to the next reader at once', async () => {
    const scene = await aScene();
    scene.api.put(SYNCS, aSync('acme'));
    await scene.start();
    await scene.host.writeStatus(ACME, () => ({ lastHandledRequest: 'x' }));
    expect(scene.host.resources().directorySyncs[0]).toMatchObject({ status: { lastHandledRequest: 'x' } });
    expect(scene.changes).toEqual([]);
  });

  it.each([
    { what: 'a server that is starting', status: 503 },
    { what: 'throttling', status: 429 },
  ])('is sent again after $what', async ({ status }) => {
    const { api, host, timing } = await aScene();
    api.put(SYNCS, aSync('acme'));
    api.faults.push(answering(writes, status), answering(writes, status));
    expect(await host.writeStatus(ACME, () => ({ n: 1 }))).toBe(true);
    expect(api.requests('PUT', STATUS)).toHaveLength(3);
    expect(timing.sleeps).toEqual([250, 500]);
  });

  it('is settled by the next read when the answer to a write got lost', async () => {
    const { api, host } = await aScene();
    api.put(SYNCS, aSync('acme'));
    api.faults.push((request, response) => {
      if (!writes(request)) return false;
      api.put(SYNCS, { ...aSync('acme'), status: { n: 1 } });
      response.destroy();
      return true;
    });
    expect(await host.writeStatus(ACME, () => ({ n: 1 }))).toBe(true);
    expect(api.requests('PUT', STATUS)).toHaveLength(2);
  });

  it('does not repeat the server’s words about what it refuses', async () => {
    const { api, host } = await aScene();
    api.put(SYNCS, aSync('acme'));
    api.faults.push(answering(writes, 422, { code: 422, message: 'status.users: Invalid value: "ada@corp.example"' }));
    await expect(host.writeStatus(ACME, () => ({ n: 1 }))).rejects.toMatchObject({
      retry: 'backoff',
      message: 'the Kubernetes API server answered 422 for DirectorySync identity/acme',
    });
  });
});

describe('setFinalizer', () => {
  const finalizers = (api: Awaited<ReturnType<typeof aScene>>['api']): unknown =>
    api.get(SYNCS, 'identity', 'acme')?.metadata.finalizers;

  it('adds and removes ours and leaves those of others', async () => {
    const { api, host } = await aScene();
    api.put(SYNCS, aSync('acme', { finalizers: ['example.com/theirs'] }));
    await host.setFinalizer(ACME, true);
    expect(finalizers(api)).toEqual(['example.com/theirs', 'dirsync.dev/finalizer']);
    expect(api.requests('PATCH', OBJECT)[0]).toMatchObject({ contentType: 'application/merge-patch+json' });
    await host.setFinalizer(ACME, false);
    expect(finalizers(api)).toEqual(['example.com/theirs']);
  });

  it('does not lose a finalizer that somebody adds meanwhile', async () => {
    const { api, host } = await aScene();
    api.put(SYNCS, aSync('acme'));
    let meanwhile = 0;
    api.faults.push((request) => {
      if (!writes(request) || meanwhile > 0) return false;
      meanwhile += 1;
      api.put(SYNCS, aSync('acme', { finalizers: ['example.com/theirs'] }));
      return false;
    });
    await host.setFinalizer(ACME, true);
    expect(meanwhile).toBe(1);
    expect(finalizers(api)).toEqual(['example.com/theirs', 'dirsync.dev/finalizer']);
  });

  it('sends nothing when there is nothing to do', async () => {
    const { api, host } = await aScene();
    await host.setFinalizer(ACME, true);
    api.put(SYNCS, aSync('acme', { finalizers: ['dirsync.dev/finalizer'] }));
    await host.setFinalizer(ACME, true);
    api.put(SYNCS, aSync('acme', { finalizers: [], deletionTimestamp: '2026-01-01T00:00:00Z' }));
    await host.setFinalizer(ACME, true);
    await host.setFinalizer(ACME, false);
    expect(api.seen.filter(writes)).toEqual([]);
  });
});
