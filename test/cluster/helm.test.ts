import { join } from 'node:path';
import { beforeAll, describe, expect, inject, it } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { connectCluster } from './cluster.ts';

const cluster = connectCluster(inject('cluster'));
const root = join(import.meta.dirname, '../..');
const chart = join(root, 'helm/dirsync');
const namespace = 'dirsync-system';

interface Manifest {
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly labels?: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
  };
  readonly [field: string]: unknown;
}

async function helmTemplate(...args: string[]): Promise<Manifest[]> {
  const { stdout, stderr, code } = await cluster.helm(['template', 'dirsync', chart, '-n', namespace, ...args]);
  expect(code, stderr).toBe(0);
  return parseManifests(stdout);
}

function parseManifests(text: string): Manifest[] {
  return parseAllDocuments(text)
    .map((document): unknown => document.toJS())
    .filter((manifest): manifest is Manifest => manifest !== null);
}

/** By kind and name, without the marks by which helm knows its own. */
function toComparable(manifests: Manifest[]): Map<string, unknown> {
  const kept = manifests.filter(({ kind }) => kind !== 'Namespace' && kind !== 'CustomResourceDefinition');
  return new Map(
    kept
      .map(({ metadata: { labels, annotations, ...metadata }, ...rest }): [string, unknown] => [
        `${rest.kind}/${metadata.name}`,
        { ...rest, metadata: { ...metadata, labels: withoutHelm(labels), annotations: withoutHelm(annotations) } },
      ])
      .toSorted(([a], [b]) => a.localeCompare(b)),
  );
}

const OF_HELM = [
  'app.kubernetes.io/managed-by',
  'app.kubernetes.io/version',
  'helm.sh/chart',
  'helm.sh/resource-policy',
];

function withoutHelm(words: Readonly<Record<string, string>> = {}): Record<string, string> {
  return Object.fromEntries(Object.entries(words).filter(([key]) => !OF_HELM.includes(key)));
}

const DRY_RUN = ['apply', '--dry-run=server', '--validate=strict'];

/** The server's word on manifests, nothing is stored. Warnings count: they name what a pod may not do or a field that does not exist. */
async function applyDryRun(manifests: Manifest[]): Promise<void> {
  const input = manifests.map((manifest) => JSON.stringify(manifest)).join('\n---\n');
  const { stderr, code } = await cluster.kubectl([...DRY_RUN, '-f', '-'], { input });
  // Who applied an object before, and how, depends on the order of the suites.
  const warnings = stderr.split('\n').filter((line) => line !== '' && !line.includes('last-applied-configuration'));
  expect({ warnings, code }).toEqual({ warnings: [], code: 0 });
}

beforeAll(async () => {
  const { stderr, code } = await cluster.kubectl(['apply', '-k', join(root, 'config/default')]);
  expect(code, stderr).toBe(0);
  await cluster.kubectl(['wait', '--for=condition=Established', 'crd', '--all', '--timeout=30s']);
});

describe('config', () => {
  it('installs everything with kubectl apply -k', async () => {
    const kinds = 'serviceaccount,deployment,persistentvolumeclaim,service';
    const { stdout } = await cluster.kubectl(['-n', namespace, 'get', kinds, '-o', 'name']);
    expect(stdout.trim().split('\n').toSorted()).toEqual([
      'deployment.apps/dirsync-controller',
      'persistentvolumeclaim/dirsync-controller-state',
      'service/dirsync-controller',
      'serviceaccount/dirsync-controller',
    ]);
  });

  it('has samples that the server takes, without a word of warning', async () => {
    const args = [...DRY_RUN, '-k', join(root, 'config/samples')];
    const { stdout, stderr, code } = await cluster.kubectl(args);
    expect({ stderr, code }).toEqual({ stderr: '', code: 0 });
    expect(stdout.trim().split('\n')).toHaveLength(6);
  });
});

describe('the chart', () => {
  it('passes helm lint --strict', async () => {
    const { stdout, code } = await cluster.helm(['lint', '--strict', chart]);
    expect(code, stdout).toBe(0);
  });

  it('renders by default what config/default installs', async () => {
    const { stdout } = await cluster.kubectl(['kustomize', join(root, 'config/default')]);
    expect(toComparable(await helmTemplate())).toEqual(toComparable(parseManifests(stdout)));
  });

  it('brings the CRDs', async () => {
    const crds = (await helmTemplate('--include-crds')).filter(({ kind }) => kind === 'CustomResourceDefinition');
    expect(crds.map(({ metadata }) => metadata.name).toSorted()).toEqual([
      'attributemappings.dirsync.dev',
      'customattributes.dirsync.dev',
      'directorysyncs.dirsync.dev',
      'teamrules.dirsync.dev',
    ]);
    await applyDryRun(crds);
  });

  it('is accepted by the server by default', async () => {
    await applyDryRun(await helmTemplate());
  });

  it('is accepted by the server with every value set', async () => {
    const values = {
      image: { repository: 'registry.example.com/dirsync', digest: `sha256:${'0'.repeat(64)}`, pullPolicy: 'Always' },
      imagePullSecrets: [{ name: 'login' }],
      fullnameOverride: 'people',
      allowPaths: ['/data'],
      workloadIdentityNamespaces: ['identity'],
      serviceAccount: { annotations: { a: 'b' } },
      persistence: { size: '2Gi', storageClassName: 'fast', annotations: { a: 'b' } },
      service: { annotations: { a: 'b' } },
      podAnnotations: { a: 'b' },
      podLabels: { a: 'b' },
      priorityClassName: 'high',
      nodeSelector: { a: 'b' },
      tolerations: [{ key: 'a', operator: 'Exists' }],
      affinity: { nodeAffinity: {} },
      extraEnv: [{ name: 'NODE_EXTRA_CA_CERTS', value: '/data/ca.crt' }],
      extraVolumes: [{ name: 'data', configMap: { name: 'data' } }],
      extraVolumeMounts: [{ name: 'data', mountPath: '/data' }],
    };
    const manifests = await helmTemplate(
      '--set-json',
      `${Object.entries(values)
        .map(([k, v]) => `${k}=${JSON.stringify(v)}`)
        .join(',')}`,
    );
    await applyDryRun(manifests);
    expect(manifests.find(({ kind }) => kind === 'Deployment')).toMatchObject({
      metadata: { name: 'people' },
      spec: {
        template: {
          spec: {
            containers: [
              {
                image: `registry.example.com/dirsync@sha256:${'0'.repeat(64)}`,
                args: [
                  'controller',
                  '--state',
                  '/var/lib/dirsync/state.db',
                  '--listen',
                  '0.0.0.0:8080',
                  '--allow-path',
                  '/data',
                  '--workload-identity-namespace',
                  'identity',
                ],
              },
            ],
          },
        },
      },
    });
  });

  it('follows named namespaces with a Role in each and no ClusterRole for the controller', async () => {
    const manifests = await helmTemplate('--set', 'namespaces={default,kube-public}');
    const names = (kind: string) =>
      manifests
        .filter((one) => one.kind === kind)
        .map(({ metadata }) => `${metadata.namespace ?? ''}/${metadata.name}`);
    expect(names('Role')).toEqual(['default/dirsync-controller', 'kube-public/dirsync-controller']);
    expect(names('RoleBinding')).toEqual(names('Role'));
    expect(names('ClusterRole').toSorted()).toEqual(['/dirsync-edit', '/dirsync-view']);
    expect(names('ClusterRoleBinding')).toEqual([]);
    expect(JSON.stringify(manifests)).toContain('"--namespace","default","kube-public"');
    await applyDryRun(manifests);
  });

  it('says what happens next', async () => {
    const args = ['install', 'dirsync', chart, '-n', namespace, '--dry-run=client', '--skip-crds'];
    const { stdout, code } = await cluster.helm(args);
    expect(code).toBe(0);
    expect(stdout).toContain('kubectl -n dirsync-system rollout status deployment/dirsync-controller');
  });

  it.each([
    { set: 'replicas=2', because: 'an unknown value', says: "additional properties 'replicas' not allowed" },
    {
      set: 'image.pullPolicy=Sometimes',
      because: 'a word that is none',
      says: "/image/pullPolicy': value must be one of",
    },
    { set: 'allowPaths={data}', because: 'a relative folder', says: "/allowPaths/0': 'data' does not match pattern" },
    { set: 'persistence.size=big', because: 'no quantity', says: "/persistence/size': 'big' does not match pattern" },
  ])('refuses $set: $because', async ({ set, says }) => {
    const { stderr, code } = await cluster.helm(['template', 'dirsync', chart, '--set', set]);
    expect(code).not.toBe(0);
    expect(stderr).toContain(says);
  });
});
