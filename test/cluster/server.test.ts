import { readFile } from 'node:fs/promises';
import { get } from 'node:https';
import { beforeAll, describe, expect, inject, it } from 'vitest';
import { connectCluster } from './cluster.ts';
import { HELM_VERSION } from './helm.ts';
import { KUBERNETES_VERSION } from './tools.ts';

const cluster = connectCluster(inject('cluster'));
const own = inject('cluster').own !== undefined;

const CRD = {
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: 'lamps.test.dirsync.dev' },
  spec: {
    group: 'test.dirsync.dev',
    names: { kind: 'Lamp', plural: 'lamps', singular: 'lamp' },
    scope: 'Namespaced',
    versions: [
      {
        name: 'v1',
        served: true,
        storage: true,
        schema: {
          openAPIV3Schema: {
            type: 'object',
            properties: {
              spec: {
                type: 'object',
                properties: { watts: { type: 'integer' }, limit: { type: 'integer' } },
                'x-kubernetes-validations': [
                  { rule: 'self.watts <= self.limit', message: 'watts is beyond the limit' },
                ],
              },
            },
          },
        },
      },
    ],
  },
};

const LAMPS = '/apis/test.dirsync.dev/v1/namespaces/default/lamps';

function aLamp(name: string, watts: number): string {
  const spec = { watts, limit: 60 };
  return JSON.stringify({ apiVersion: 'test.dirsync.dev/v1', kind: 'Lamp', metadata: { name }, spec });
}

async function kubectl(args: string[], input?: string): Promise<string> {
  const { stdout, stderr, code } = await cluster.kubectl(args, { input });
  expect(code, stderr).toBe(0);
  return stdout;
}

async function readResourceVersion(): Promise<string> {
  const list: { metadata: { resourceVersion: string } } = JSON.parse(await kubectl(['get', '--raw', LAMPS]));
  return list.metadata.resourceVersion;
}

interface WatchEvent {
  type: string;
  object: { code?: number; reason?: string; metadata: { name?: string } };
}

/** Watches the lamps: the first event, or undefined when the watch ends without one. */
async function watchLamps(
  resourceVersion: string,
): Promise<{ opened: Promise<void>; event: Promise<WatchEvent | undefined> }> {
  const { clusters, users } = JSON.parse(await readFile(cluster.kubeconfig, 'utf8'));
  const ca = Buffer.from(clusters[0].cluster['certificate-authority-data'], 'base64');
  const headers = { authorization: `Bearer ${users[0].user.token}` };
  const opened = Promise.withResolvers<void>();
  const event = new Promise<WatchEvent | undefined>((resolve, reject) => {
    const url = `${cluster.server}${LAMPS}?watch=true&resourceVersion=${resourceVersion}`;
    get(url, { ca, headers, agent: false }, (response) => {
      opened.resolve();
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (piece: string) => {
        text += piece;
        if (!text.includes('\n')) return;
        resolve(JSON.parse(text.slice(0, text.indexOf('\n'))));
        response.destroy();
      });
      // A server that is killed breaks the connection off: an error for node, the end of the watch for a client.
      response.on('error', () => resolve(undefined));
      response.on('end', () => resolve(undefined));
    }).on('error', reject);
  });
  return { opened: opened.promise, event };
}

describe('the API server of the tests', () => {
  beforeAll(async () => {
    await kubectl(['apply', '-f', '-'], JSON.stringify(CRD));
    await kubectl(['wait', '--for=condition=Established', 'crd/lamps.test.dirsync.dev', '--timeout=30s']);
    return async () => {
      await kubectl(['delete', 'crd', 'lamps.test.dirsync.dev']);
      const made = ['serviceaccount/reader', 'role/reader', 'rolebinding/reader', 'configmap/audited'];
      await kubectl(['delete', '--ignore-not-found', ...made]);
    };
  });

  it('is ready and says its version', async () => {
    expect(await kubectl(['get', '--raw', '/readyz'])).toBe('ok');
    const version: { gitVersion: string } = JSON.parse(await kubectl(['get', '--raw', '/version']));
    expect(version.gitVersion).toMatch(own ? KUBERNETES_VERSION : /^v1\./);
  });

  it('is what helm talks to', async () => {
    const version = await cluster.helm(['version', '--short']);
    expect(version).toMatchObject({ code: 0, stdout: expect.stringContaining(HELM_VERSION) });
    expect(await cluster.helm(['list', '-A'])).toMatchObject({ code: 0, stderr: '' });
  });

  it('rejects what a CEL rule forbids, with its message', async () => {
    const refused = await cluster.kubectl(['apply', '-f', '-'], { input: aLamp('bright', 100) });
    expect(refused.code).not.toBe(0);
    expect(refused.stderr).toContain('watts is beyond the limit');
    await kubectl(['apply', '-f', '-'], aLamp('dim', 40));
  });

  it('allows a service account what RBAC grants, and nothing else', async () => {
    await kubectl(['create', 'serviceaccount', 'reader']);
    await kubectl(['create', 'role', 'reader', '--verb=list', '--resource=configmaps']);
    await kubectl(['create', 'rolebinding', 'reader', '--role=reader', '--serviceaccount=default:reader']);
    const kubeconfig = await cluster.serviceAccountKubeconfig('default', 'reader');
    expect((await cluster.kubectl([`--kubeconfig=${kubeconfig}`, 'get', 'configmaps'])).code).toBe(0);
    const refused = await cluster.kubectl([`--kubeconfig=${kubeconfig}`, 'get', 'secrets']);
    expect(refused.stderr).toContain('User "system:serviceaccount:default:reader" cannot list resource "secrets"');
    const as = 'system:serviceaccount:default:reader';
    expect((await cluster.kubectl(['get', 'secrets'], { as })).stderr).toBe(refused.stderr);
  });

  it('writes an audit log that names who did what', async () => {
    await kubectl(['create', 'configmap', 'audited']);
    const events = await cluster.auditEvents();
    expect(events.find((event) => event.objectRef?.name === 'audited' && event.verb === 'create')).toMatchObject({
      stage: 'ResponseComplete',
      user: { username: 'admin' },
      objectRef: { resource: 'configmaps', namespace: 'default' },
      responseStatus: { code: 201 },
    });
  });

  it('keeps its data when it is stopped and started again', async () => {
    await kubectl(['apply', '-f', '-'], aLamp('kept', 40));
    await cluster.stopApiServer();
    expect((await cluster.kubectl(['get', 'lamps'])).code).not.toBe(0);
    await cluster.startApiServer();
    expect(await kubectl(['get', 'lamps', 'kept', '-o', 'jsonpath={.spec.watts}'])).toBe('40');
  });

  it('breaks a watch off and answers 410 when it resumes after expireWatches', async () => {
    const seen = await readResourceVersion();
    const watch = await watchLamps(seen);
    await watch.opened;
    await cluster.expireWatches();
    expect(await watch.event).toBeUndefined();

    // A server that has just started answers 429 until its cache of this kind is filled.
    const resume = async () => (await watchLamps(seen)).event;
    await expect
      .poll(resume, { timeout: 30_000, interval: 200 })
      .toMatchObject({ type: 'ERROR', object: { code: 410, reason: 'Expired' } });

    const again = await watchLamps(await readResourceVersion());
    await again.opened;
    await kubectl(['apply', '-f', '-'], aLamp('late', 20));
    expect(await again.event).toMatchObject({ type: 'ADDED', object: { metadata: { name: 'late' } } });
  });
});
