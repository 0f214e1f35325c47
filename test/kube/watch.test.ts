import { describe, expect, it } from 'vitest';
import type { KubeObject } from '../../src/kube/object.ts';
import { answering, reply } from './api-server.ts';
import { aScene, aSync, CONFIG_MAPS, RULES, type Scene, SECRETS, SYNCS } from './setup.ts';

const isList = (request: { method: string; path: string; query: URLSearchParams }): boolean =>
  request.method === 'GET' && request.path === SYNCS && !request.query.has('watch');
const isWatch = (request: { path: string; query: URLSearchParams }): boolean =>
  request.path === SYNCS && request.query.has('watch');

const listsOf = ({ api }: Scene): number => api.seen.filter(isList).length;
const watchesOf = ({ api }: Scene): number => api.seen.filter(isWatch).length;

/** A second watch is open: whatever broke the first was survived. */
const untilWatchedAgain = (scene: Scene, count = 2): Promise<void> =>
  scene.api.until(() => watchesOf(scene) >= count && scene.api.watchCount(SYNCS) === 1);

const namesOf = (scene: Scene): string[] => scene.host.resources().directorySyncs.map((sync) => sync.metadata.name);

describe('following resources', () => {
  it('starts with the first whole list of each kind, in order, and reports none of it', async () => {
    const scene = await aScene();
    scene.api.put(SYNCS, aSync('zeta'));
    scene.api.put(SYNCS, aSync('beta', { namespace: 'other' }));
    scene.api.put(SYNCS, aSync('acme'));
    scene.api.put(RULES, { metadata: { name: 'rule', namespace: 'identity' } });
    await scene.start();
    const { directorySyncs, teamRules } = scene.host.resources();
    expect(directorySyncs.map(({ metadata }) => `${metadata.namespace}/${metadata.name}`)).toEqual([
      'identity/acme',
      'identity/zeta',
      'other/beta',
    ]);
    expect(teamRules).toMatchObject([{ apiVersion: 'dirsync.dev/v1alpha1', kind: 'TeamRule' }]);
    expect(scene.changes).toEqual([]);
  });

  it('takes an empty list of metadata as the API server writes it, with null for its items', async () => {
    const scene = await aScene();
    const empty = { kind: 'PartialObjectMetadataList', metadata: { resourceVersion: '1' }, items: null };
    scene.api.faults.push(answering(({ path }) => path === SECRETS, 200, empty));
    await scene.start();
    expect(scene.warnings).toEqual([]);
    scene.api.put(SECRETS, { metadata: { name: 'acme', namespace: 'identity' } });
    expect(await scene.untilChanges(1)).toEqual([{ kind: 'Secret', namespace: 'identity', name: 'acme' }]);
  });

  it('reports nothing of a list of Secrets that comes when the rest is on its way', async () => {
    const scene = await aScene();
    const before = scene.api.put(SECRETS, { metadata: { name: 'before', namespace: 'identity' } });
    const late = Promise.withResolvers<void>();
    scene.api.faults.push(({ path }, response) => {
      if (path !== SECRETS) return false;
      const list = { metadata: { resourceVersion: '1' }, items: [before] };
      late.promise.then(() => reply(response, 200, list), response.destroy);
      return true;
    });
    const started = scene.start();
    await scene.api.until(() => scene.api.seen.filter(({ query }) => query.get('watch') === 'true').length === 5);
    late.resolve();
    await started;
    scene.api.put(SECRETS, { metadata: { name: 'after', namespace: 'identity' } });
    expect(await scene.untilChanges(1)).toEqual([{ kind: 'Secret', namespace: 'identity', name: 'after' }]);
  });

  it('reads a list in pages', async () => {
    const scene = await aScene();
    for (let i = 0; i < 1001; i += 1) scene.api.put(SYNCS, aSync(`s${i}`));
    await scene.start();
    expect(namesOf(scene)).toHaveLength(1001);
    expect(listsOf(scene)).toBe(3);
  });

  it('reports what comes, changes and goes', async () => {
    const scene = await aScene();
    await scene.start();
    scene.api.put(SYNCS, aSync('acme'));
    scene.api.put(SYNCS, aSync('acme', { generation: 2 }));
    scene.api.remove(SYNCS, 'identity', 'acme');
    const change = { kind: 'DirectorySync', namespace: 'identity', name: 'acme' };
    expect(await scene.untilChanges(3)).toEqual([change, change, change]);
    expect(namesOf(scene)).toEqual([]);
  });

  it.each<{ what: string; metadata: Partial<KubeObject['metadata']>; reported: boolean }>([
    { what: 'the spec (generation)', metadata: { generation: 2 }, reported: true },
    { what: 'an annotation of ours', metadata: { annotations: { 'dirsync.dev/requestedAt': 'now' } }, reported: true },
    { what: 'the start of deletion', metadata: { deletionTimestamp: '2026-01-01T00:00:00Z' }, reported: true },
    { what: 'another object of that name', metadata: { uid: 'another' }, reported: true },
    { what: 'a label', metadata: { labels: { team: 'it' } }, reported: false },
    { what: 'an annotation of others', metadata: { annotations: { 'example.com/x': '1' } }, reported: false },
    { what: 'the status alone', metadata: {}, reported: false },
  ])('takes $what for a change: $reported', async ({ metadata, reported }) => {
    const scene = await aScene();
    scene.api.put(SYNCS, aSync('acme'));
    await scene.start();
    scene.api.put(SYNCS, { ...aSync('acme', metadata), status: { observedGeneration: 1 } });
    scene.api.put(SYNCS, aSync('last'));
    const names = (await scene.untilChanges(reported ? 2 : 1)).map(({ name }) => name);
    expect(names).toEqual(reported ? ['acme', 'last'] : ['last']);
    expect(scene.host.resources().directorySyncs[0]).toMatchObject({ status: { observedGeneration: 1 } });
  });

  it('follows labelled Secrets and ConfigMaps by their metadata only', async () => {
    const scene = await aScene();
    await scene.start();
    for (const [path, kind] of [
      [SECRETS, 'Secret'],
      [CONFIG_MAPS, 'ConfigMap'],
    ] as const) {
      const [list, watch] = scene.api.requests('GET', path);
      expect(list?.query.get('labelSelector')).toBe('dirsync.dev/watch=true');
      expect(watch?.query.get('labelSelector')).toBe('dirsync.dev/watch=true');
      expect(list?.accept).toContain('as=PartialObjectMetadataList');
      expect(watch?.accept).toContain('as=PartialObjectMetadata;');
      scene.api.put(path, { metadata: { name: `a-${kind.toLowerCase()}`, namespace: 'identity' } });
    }
    expect((await scene.untilChanges(2)).map(({ kind }) => kind).toSorted()).toEqual(['ConfigMap', 'Secret']);
  });

  it('follows only the namespaces that it is given', async () => {
    const scene = await aScene({ namespaces: ['identity', 'it'] });
    scene.api.put(SYNCS, aSync('acme'));
    scene.api.put(SYNCS, aSync('hidden', { namespace: 'other' }));
    await scene.start();
    expect(namesOf(scene)).toEqual(['acme']);
    const paths = new Set(scene.api.seen.map(({ path }) => path));
    expect(paths).toContain('/apis/dirsync.dev/v1alpha1/namespaces/it/directorysyncs');
    expect([...paths].filter((path) => !path.includes('/namespaces/'))).toEqual([]);
  });

  it('starts without the right to list Secrets, and says what is missing', async () => {
    const scene = await aScene();
    const forbidden = (): void => {
      scene.api.faults.push((request, response) => {
        if (request.path !== SECRETS) return false;
        reply(response, 403, { code: 403 });
        forbidden();
        return true;
      });
    };
    forbidden();
    await scene.host.start(() => undefined, scene.controller.signal);
    await scene.api.until(() => scene.warnings.length > 0);
    expect(scene.warnings[0]?.reason).toBe(
      "the controller's account may not use secrets; its Role or ClusterRole lacks it",
    );
  });
});

describe('a watch that breaks', () => {
  const breaks: { how: string; lists: number; act: (scene: Scene) => void }[] = [
    {
      how: 'a regular end after a while goes on where it was',
      lists: 1,
      act: (scene) => {
        scene.timing.time += 300_000;
        scene.api.endWatches(SYNCS);
      },
    },
    {
      how: '410 in the stream',
      lists: 2,
      act: (scene) =>
        scene.api.sendLine(SYNCS, '{"type":"ERROR","object":{"kind":"Status","code":410,"reason":"Expired"}}\n'),
    },
    {
      how: 'another error in the stream',
      lists: 2,
      act: (scene) => scene.api.sendLine(SYNCS, '{"type":"ERROR","object":{"kind":"Status","code":500}}\n'),
    },
    {
      how: '410 as the answer to a watch',
      lists: 2,
      act: (scene) => {
        scene.api.faults.push(answering(isWatch, 410));
        scene.timing.time += 300_000;
        scene.api.endWatches(SYNCS);
      },
    },
    { how: 'a cut connection', lists: 2, act: (scene) => scene.api.cutWatches(SYNCS) },
    { how: 'a line that is no JSON', lists: 2, act: (scene) => scene.api.sendLine(SYNCS, '<html>\n') },
    {
      how: 'a line that is no event',
      lists: 2,
      act: (scene) => scene.api.sendLine(SYNCS, '{"type":"ADDED","object":{}}\n'),
    },
    {
      how: 'an event of an unknown type',
      lists: 2,
      act: (scene) =>
        scene.api.sendLine(SYNCS, '{"type":"MOVED","object":{"metadata":{"name":"x","namespace":"identity"}}}\n'),
    },
    {
      how: 'an end in the middle of a line',
      lists: 2,
      act: (scene) => {
        scene.api.sendLine(SYNCS, '{"type":"ADD');
        scene.timing.time += 300_000;
        scene.api.endWatches(SYNCS);
      },
    },
    { how: 'an end at once', lists: 2, act: (scene) => scene.api.endWatches(SYNCS) },
  ];

  it.each(breaks)('begins again after $how', async ({ act, lists }) => {
    const scene = await aScene();
    await scene.start();
    act(scene);
    await untilWatchedAgain(scene);
    expect(listsOf(scene)).toBe(lists);
    scene.api.put(SYNCS, aSync('after'));
    await scene.untilChanges(1);
    expect(namesOf(scene)).toEqual(['after']);
  });

  it('goes on from the version of the last event or bookmark', async () => {
    const scene = await aScene();
    await scene.start();
    scene.api.sendLine(SYNCS, '{"type":"BOOKMARK","object":{"metadata":{"resourceVersion":"4711"}}}\n');
    scene.api.endWatches(SYNCS);
    await untilWatchedAgain(scene);
    const watches = scene.api.seen.filter(isWatch);
    expect(watches[0]?.query.get('allowWatchBookmarks')).toBe('true');
    expect(Number(watches[0]?.query.get('timeoutSeconds'))).toBeGreaterThanOrEqual(300);
    expect(watches[1]?.query.get('resourceVersion')).toBe('4711');
  });

  it('reports what came, changed and went while nobody was connected, and nothing else', async () => {
    const scene = await aScene();
    for (const name of ['same', 'changed', 'gone']) scene.api.put(SYNCS, aSync(name));
    await scene.start();
    await scene.api.stop();
    scene.api.put(SYNCS, aSync('changed', { generation: 2 }));
    scene.api.remove(SYNCS, 'identity', 'gone');
    scene.api.put(SYNCS, aSync('new'));
    expect(namesOf(scene)).toEqual(['changed', 'gone', 'same']);
    await scene.api.start();
    expect((await scene.untilChanges(3)).map(({ name }) => name).toSorted()).toEqual(['changed', 'gone', 'new']);
    expect(namesOf(scene)).toEqual(['changed', 'new', 'same']);
  });

  it('takes a silent watch for dead and reads the list again', async () => {
    const scene = await aScene({ watchIdleMs: 50 });
    await scene.start();
    await untilWatchedAgain(scene, 3);
    expect(listsOf(scene)).toBeGreaterThanOrEqual(3);
    const reasons = scene.warnings.map(({ reason }) => reason);
    expect(reasons).toContain('the Kubernetes API server does not answer in time; it was asked for directorysyncs');
  });

  it.each([
    { what: 'an HTML page', body: '<html>maintenance</html>' },
    { what: 'an empty object', body: {} },
    { what: 'items without names', body: { metadata: { resourceVersion: '1' }, items: [{}] } },
    { what: 'no version', body: { metadata: {}, items: [] } },
  ])('keeps what it knows when a list is $what', async ({ body }) => {
    const scene = await aScene();
    scene.api.put(SYNCS, aSync('acme'));
    await scene.start();
    scene.api.faults.push(answering(isList, 200, body));
    scene.api.cutWatches(SYNCS);
    await untilWatchedAgain(scene);
    expect(listsOf(scene)).toBe(3);
    expect(scene.changes).toEqual([]);
    expect(namesOf(scene)).toEqual(['acme']);
  });

  it('waits longer with each failure, up to a limit, and as long as the server asks', async () => {
    const scene = await aScene();
    for (let i = 0; i < 8; i += 1) scene.api.faults.push(answering(isList, 500));
    scene.api.faults.push((request, response) => {
      if (!isList(request)) return false;
      response.writeHead(429, { 'retry-after': '40' }).end();
      return true;
    });
    await scene.start();
    const ofSyncs = scene.warnings.filter(({ message }) => message.startsWith('directorysyncs:'));
    expect(ofSyncs.map(({ waitMs }) => waitMs)).toEqual([250, 500, 1000, 2000, 4000, 8000, 15_000, 15_000, 40_000]);
  });

  it('begins again at once after the first 410, and waits when it is said again', async () => {
    const scene = await aScene();
    for (let i = 0; i < 3; i += 1) scene.api.faults.push(answering(isWatch, 410));
    await scene.start();
    await untilWatchedAgain(scene, 4);
    expect(scene.warnings.map(({ waitMs }) => waitMs)).toEqual([0, 500, 1000]);
  });

  it('counts a failure after a long life as the first', async () => {
    const scene = await aScene();
    await scene.start();
    for (let n = 2; n <= 4; n += 1) {
      scene.timing.time += 120_000;
      scene.api.cutWatches(SYNCS);
      await untilWatchedAgain(scene, n);
    }
    expect(scene.warnings.map(({ waitMs }) => waitMs)).toEqual([250, 250, 250]);
  });

  it('does not bring back what was deleted before the answer to a write came', async () => {
    const scene = await aScene();
    scene.api.put(SYNCS, aSync('acme'));
    await scene.start();
    scene.api.faults.push((request, response) => {
      if (request.method !== 'PUT') return false;
      const answer = scene.api.get(SYNCS, 'identity', 'acme');
      scene.api.remove(SYNCS, 'identity', 'acme');
      scene.untilChanges(1).then(() => reply(response, 200, answer), response.destroy);
      return true;
    });
    await scene.host.writeStatus({ kind: 'DirectorySync', namespace: 'identity', name: 'acme' }, () => ({ n: 1 }));
    expect(namesOf(scene)).toEqual([]);
  });

  it('does not let an older event replace the answer to a write', async () => {
    const scene = await aScene();
    const before = scene.api.put(SYNCS, aSync('acme'));
    await scene.start();
    await scene.host.writeStatus({ kind: 'DirectorySync', namespace: 'identity', name: 'acme' }, () => ({ users: 1 }));
    scene.api.sendLine(SYNCS, `${JSON.stringify({ type: 'MODIFIED', object: before })}\n`);
    scene.api.put(SYNCS, aSync('last'));
    await scene.untilChanges(1);
    expect(scene.host.resources().directorySyncs[0]).toMatchObject({ status: { users: 1 } });
  });
});

describe('ending', () => {
  it('rejects a start that is ended before the first lists', async () => {
    const scene = await aScene();
    scene.api.faults.push((request) => isList(request));
    const started = scene.host.start(() => undefined, scene.controller.signal);
    await scene.api.until(() => listsOf(scene) === 1);
    scene.controller.abort();
    await expect(started).rejects.toMatchObject({ code: 'Aborted' });
  });

  it('closes every watch when the signal aborts', async () => {
    const scene = await aScene();
    await scene.start();
    scene.controller.abort();
    await scene.api.until(() => scene.api.watchCount(SYNCS) === 0 && scene.api.watchCount(SECRETS) === 0);
    await scene.host.close();
    expect(scene.warnings).toEqual([]);
  });
});
