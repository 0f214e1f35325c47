import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { KubeConfig } from '@kubernetes/client-node';

import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { parse } from 'yaml';
import type { ResourceChange, ResourceHost } from '../../src/api/host.ts';
import { KINDS } from '../../src/api/metadata.ts';
import { createKubeHost } from '../../src/kube/host.ts';
import { createLogger } from '../../src/telemetry/log.ts';
import { type AuditEvent, connectCluster } from './cluster.ts';

const cluster = connectCluster(inject('cluster'));
const own = inject('cluster').own !== undefined;
const root = join(import.meta.dirname, '../..');
const namespace = 'kube-host';
const account = 'system:serviceaccount:kube-host:dirsync-controller';
const SAMPLE = { kind: 'DirectorySync', namespace, name: 'sample' } as const;
const NAMES = {
  DirectorySync: 'sample',
  AttributeMapping: 'sample-users',
  TeamRule: 'sample-engineering',
  CustomAttribute: 'license-tier',
} as const;

async function kubectl(...args: string[]): Promise<string> {
  const { stdout, stderr, code } = await cluster.kubectl(['-n', namespace, ...args], { timeoutMs: 60_000 });
  expect(code, stderr).toBe(0);
  return stdout;
}

/** The rights of config/rbac, for an account of this suite's own. */
async function grantControllerRights(): Promise<void> {
  await kubectl('apply', '-f', join(root, 'config/rbac/controller-role.yaml'));
  await kubectl('create', 'serviceaccount', 'dirsync-controller');
  const binding = ['--clusterrole=dirsync-controller', `--serviceaccount=${namespace}:dirsync-controller`];
  await kubectl('create', 'clusterrolebinding', 'kube-host', ...binding);
}

const changes: ResourceChange[] = [];
const controller = new AbortController();
let host: ResourceHost;
let began: string;

/** A change of the object is reported, now or later, and not one from before `from`. */
async function awaitChange(from: number, kind: string, name: string, timeout = 30_000): Promise<void> {
  const reported = () => changes.slice(from).some((change) => change.kind === kind && change.name === name);
  await expect.poll(reported, { timeout, interval: 50 }).toBe(true);
}

beforeAll(async () => {
  began = new Date().toISOString();
  expect((await cluster.kubectl(['create', 'namespace', namespace])).code).toBe(0);
  await kubectl('apply', '-k', join(root, 'config/crd'));
  await kubectl('wait', '--for=condition=Established', 'crd', '--all', '--timeout=30s');
  await grantControllerRights();
  await kubectl('apply', '-k', join(root, 'config/samples'));
  const kubeConfig = new KubeConfig();
  kubeConfig.loadFromFile(await cluster.serviceAccountKubeconfig(namespace, 'dirsync-controller'));
  host = createKubeHost({ kubeConfig, log: createLogger({ level: 'silent' }) });
  await host.start((change) => changes.push(change), controller.signal);
});

afterAll(async () => {
  controller.abort();
  await host?.close();
  await kubectl('delete', 'clusterrolebinding', 'kube-host');
  await cluster.kubectl(['delete', 'namespace', namespace, '--wait=false']);
});

describe('the resources of a cluster', () => {
  it('are there once it has started, with the defaults of the CRDs', () => {
    const { directorySyncs, attributeMappings, teamRules, customAttributes } = host.resources();
    const mine = [...directorySyncs, ...attributeMappings, ...teamRules, ...customAttributes].filter(
      ({ metadata }) => metadata.namespace === namespace,
    );
    expect(mine.map(({ kind, metadata }) => [kind, metadata.name])).toEqual(Object.entries(NAMES));
    expect(directorySyncs.find(({ metadata }) => metadata.namespace === namespace)?.spec).toMatchObject({
      settle: '5s',
    });
  });

  it('report edits, and Secrets and ConfigMaps only with the label', async () => {
    const from = changes.length;
    await kubectl('label', 'secret', 'sample-app', 'dirsync.dev/watch=false');
    await kubectl('patch', 'dsync', 'sample', '--type=merge', '-p', '{"spec":{"suspend":true}}');
    await awaitChange(from, 'DirectorySync', 'sample');
    await kubectl('patch', 'configmap', 'sample-people', '--type=merge', '-p', '{"data":{"more":"1"}}');
    await awaitChange(from, 'ConfigMap', 'sample-people');
    expect(changes.slice(from).filter(({ kind }) => kind === 'Secret')).toEqual([]);
    await kubectl('label', '--overwrite', 'secret', 'sample-app', 'dirsync.dev/watch=true');
    await awaitChange(from, 'Secret', 'sample-app');
  });

  it('gives Secrets and ConfigMaps by name, and says which are missing', async () => {
    expect(await host.readSecret(namespace, 'sample-app')).toEqual({ token: 'replace-me' });
    const csv = await host.readConfigMap(namespace, 'sample-people', 'people.csv');
    expect(Buffer.from(csv).toString()).toContain('ada.byron@corp.example');
    await expect(host.readSecret(namespace, 'none')).rejects.toMatchObject({ code: 'ReferenceNotFound' });
    await expect(host.readConfigMap(namespace, 'sample-people', 'none')).rejects.toMatchObject({
      code: 'ReferenceNotFound',
      message: `ConfigMap ${namespace}/sample-people has no key "none"; it has more, people.csv`,
    });
  });
});

describe('writes to a cluster', () => {
  it.each(KINDS)('write the status of a %s, once', async (kind) => {
    const ref = { kind, namespace, name: NAMES[kind] };
    const lastTransitionTime = '2026-01-01T00:00:00Z';
    const write = () =>
      host.writeStatus(ref, (status, generation) => ({
        ...status,
        observedGeneration: generation,
        conditions: [
          {
            type: 'Ready',
            status: 'True',
            reason: 'Synced',
            message: 'well',
            observedGeneration: 1,
            lastTransitionTime,
          },
        ],
      }));
    expect(await write()).toBe(true);
    const version = await kubectl(
      'get',
      kind,
      ref.name,
      '-o',
      'jsonpath={.metadata.resourceVersion} {.status.conditions[0].reason}',
    );
    expect(version).toMatch(/ Synced$/);
    expect(await write()).toBe(true);
    expect(await kubectl('get', kind, ref.name, '-o', 'jsonpath={.metadata.resourceVersion} Synced')).toBe(version);
  });

  it('settle conflicts with what others write meanwhile', async () => {
    let tries = 0;
    await host.writeStatus(SAMPLE, (status) => {
      tries += 1;
      return { ...status, lastHandledRequest: `try ${tries}` };
    });
    const racing = Array.from({ length: 4 }, (_, i) =>
      host.writeStatus(SAMPLE, (status) => ({ ...status, users: { ...(status['users'] as object), ...COUNTS[i] } })),
    );
    expect(await Promise.all(racing)).toEqual([true, true, true, true]);
    const users = JSON.parse(await kubectl('get', 'dsync', 'sample', '-o', 'jsonpath={.status.users}'));
    expect(users).toEqual(Object.assign({}, ...COUNTS));
  });

  it('keep a resource with the finalizer until it is taken away', async () => {
    await host.setFinalizer(SAMPLE, true);
    const from = changes.length;
    await kubectl('delete', 'dsync', 'sample', '--wait=false');
    await awaitChange(from, 'DirectorySync', 'sample');
    const sample = host.resources().directorySyncs.find(({ metadata }) => metadata.namespace === namespace);
    expect(sample?.metadata).toMatchObject({
      finalizers: ['dirsync.dev/finalizer'],
      deletionTimestamp: expect.any(String),
    });
    await host.setFinalizer(SAMPLE, true);
    const gone = changes.length;
    await host.setFinalizer(SAMPLE, false);
    await awaitChange(gone, 'DirectorySync', 'sample');
    expect(await host.writeStatus(SAMPLE, () => ({ observedGeneration: 1 }))).toBe(false);
    await kubectl('apply', '-k', join(root, 'config/samples'));
    await awaitChange(gone, 'DirectorySync', 'sample');
    const attribute = { kind: 'CustomAttribute', namespace, name: NAMES.CustomAttribute } as const;
    for (const [present, finalizers] of [
      [true, ['dirsync.dev/finalizer']],
      [false, undefined],
    ] as const) {
      await host.setFinalizer(attribute, present);
      const { metadata } = JSON.parse(await kubectl('get', 'cattr', attribute.name, '-o', 'json'));
      expect(metadata.finalizers).toEqual(finalizers);
    }
  });

  it('show events below their resource, with a count', async () => {
    const event = { type: 'Warning', reason: 'Held', message: '12 deactivations are held' } as const;
    const present = () => host.resources().directorySyncs.some(({ metadata }) => metadata.namespace === namespace);
    await expect.poll(present).toBe(true);
    await host.event(SAMPLE, event);
    await delay(10_100);
    await host.event(SAMPLE, event);
    expect(await kubectl('describe', 'dsync', 'sample')).toMatch(/Warning\s+Held\s+.*x2.*12 deactivations are held/);
    const events = JSON.parse(await kubectl('get', 'events', '-o', 'json'));
    expect(events.items).toHaveLength(1);
  });
});

const COUNTS = [{ inScope: 4 }, { active: 3 }, { deactivated: 1 }, { conflicts: 0 }] as const;

describe.runIf(own)('a cluster that goes away', () => {
  it('is followed again after its watches expired (410)', async () => {
    await cluster.expireWatches();
    const from = changes.length;
    await kubectl('patch', 'trule', NAMES.TeamRule, '--type=merge', '-p', '{"spec":{"suspend":true}}');
    await awaitChange(from, 'TeamRule', NAMES.TeamRule);
  });

  it('fails reads in a way that is tried again, and reports what was edited right after its return', async () => {
    await cluster.stopApiServer();
    const from = changes.length;
    await expect(host.readSecret(namespace, 'sample-app')).rejects.toMatchObject({ code: 'Unknown', retry: 'backoff' });
    expect(host.resources().teamRules.some(({ metadata }) => metadata.namespace === namespace)).toBe(true);
    await cluster.startApiServer();
    await kubectl('delete', 'trule', NAMES.TeamRule);
    await kubectl(
      'patch',
      'cattr',
      NAMES.CustomAttribute,
      '--type=merge',
      '-p',
      '{"spec":{"canonicalValues":["gold"]}}',
    );
    await awaitChange(from, 'TeamRule', NAMES.TeamRule);
    await awaitChange(from, 'CustomAttribute', NAMES.CustomAttribute);
    expect(host.resources().teamRules.some(({ metadata }) => metadata.namespace === namespace)).toBe(false);
    expect(await host.readSecret(namespace, 'sample-app')).toEqual({ token: 'replace-me' });
  });

  it('saw nothing from the controller but what its role grants, and all of that', async () => {
    const role: Role = parse(await readFile(join(root, 'config/rbac/controller-role.yaml'), 'utf8'));
    const used = (await cluster.auditEvents()).filter(
      (event) => event.user.username === account && event.requestReceivedTimestamp >= began && event.objectRef,
    );
    const granted = listRights(role).toSorted();
    // A server that has just started refuses for a moment what it grants: it does not know the roles yet.
    const allowed = used.filter((event) => event.responseStatus?.code !== 403);
    expect([...new Set(allowed.map(toRight))].toSorted()).toEqual(granted);
    expect(used.map(toRight).filter((right) => !granted.includes(right))).toEqual([]);
  });
});

interface Role {
  readonly rules: { readonly apiGroups: string[]; readonly resources: string[]; readonly verbs: string[] }[];
}

function listRights({ rules }: Role): string[] {
  return rules.flatMap(({ apiGroups, resources, verbs }) =>
    apiGroups.flatMap((group) => resources.flatMap((resource) => verbs.map((verb) => `${verb} ${group}/${resource}`))),
  );
}

function toRight({ verb, objectRef }: AuditEvent): string {
  const { apiGroup = '', resource = '', subresource } = objectRef ?? {};
  return `${verb} ${apiGroup}/${resource}${subresource === undefined ? '' : `/${subresource}`}`;
}
