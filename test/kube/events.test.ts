import { describe, expect, it } from 'vitest';
import { answering, type FakeApiServer } from './api-server.ts';
import { ACME, aScene, aSync, SYNCS } from './setup.ts';

const EVENTS = '/apis/events.k8s.io/v1/namespaces/identity/events';
const held = { type: 'Warning', reason: 'Held', message: '12 deactivations are held' } as const;

const posts = (api: FakeApiServer) => api.seen.filter(({ method }) => method === 'POST');
const patches = (api: FakeApiServer) => api.seen.filter(({ method }) => method === 'PATCH');

describe('events', () => {
  it('are written for the object with its uid', async () => {
    const scene = await aScene();
    scene.api.put(SYNCS, aSync('acme'));
    await scene.start();
    await scene.host.event(ACME, { ...held, message: 'x'.repeat(2000) });
    const [post] = posts(scene.api);
    expect(post?.path).toBe(EVENTS);
    expect(post?.body).toMatchObject({
      apiVersion: 'events.k8s.io/v1',
      kind: 'Event',
      metadata: { namespace: 'identity', name: expect.stringMatching(/^acme\.[0-9a-f.]+$/) },
      eventTime: '2026-01-01T00:00:00.000000Z',
      type: 'Warning',
      reason: 'Held',
      note: 'x'.repeat(1024),
      action: 'Reconcile',
      reportingController: 'dirsync.dev/controller',
      reportingInstance: 'pod-1',
      regarding: { apiVersion: 'dirsync.dev/v1alpha1', ...ACME, uid: 'uid-acme' },
    });
  });

  it('said again raise a count, at most every ten seconds', async () => {
    const { api, host, timing } = await aScene();
    await host.event(ACME, held);
    await host.event(ACME, held);
    timing.time += 9_000;
    await host.event(ACME, held);
    expect(patches(api)).toEqual([]);
    timing.time += 2_000;
    await host.event(ACME, held);
    expect(posts(api)).toHaveLength(1);
    expect(patches(api).map(({ body }) => body)).toEqual([
      { series: { count: 4, lastObservedTime: '2026-01-01T00:00:11.000000Z' } },
    ]);
  });

  it('of another reason, message or object are events of their own', async () => {
    const { api, host } = await aScene();
    await host.event(ACME, held);
    await host.event(ACME, { ...held, reason: 'Failed' });
    await host.event(ACME, { ...held, message: 'other' });
    await host.event({ ...ACME, name: 'other' }, held);
    expect(posts(api)).toHaveLength(4);
    expect(new Set(posts(api).map(({ body }) => (body as { metadata: { name: string } }).metadata.name)).size).toBe(4);
  });

  it('are made anew when the server forgot them or they are old', async () => {
    const { api, host, timing } = await aScene();
    await host.event(ACME, held);
    timing.time += 20_000;
    api.faults.push(answering(({ method }) => method === 'PATCH', 404));
    await host.event(ACME, held);
    expect(posts(api)).toHaveLength(2);
    timing.time += 3_000_000;
    await host.event(ACME, held);
    expect(posts(api)).toHaveLength(3);
  });

  it('are not written twice when an answer is lost', async () => {
    const { api, host, warnings } = await aScene();
    api.faults.push((request, response) => {
      api.put(EVENTS.replace('/namespaces/identity', ''), request.body as never);
      response.destroy();
      return true;
    });
    await host.event(ACME, held);
    expect(api.names(EVENTS)).toHaveLength(1);
    expect(warnings).toEqual([]);
  });

  it('never fail what they report; the next one of their kind is tried anew', async () => {
    const { api, host, warnings, timing } = await aScene();
    api.faults.push(answering(() => true, 403, { message: 'no' }));
    await host.event(ACME, held);
    expect(warnings).toEqual([
      {
        message: 'an event was not written',
        reason: "the controller's account may not use events.events.k8s.io; its Role or ClusterRole lacks it",
        waitMs: undefined,
      },
    ]);
    timing.time += 20_000;
    await host.event(ACME, held);
    expect(api.names(EVENTS)).toHaveLength(1);
  });
});
