import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { parse } from 'csv-parse/sync';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { type Directory, startDirectory } from '../../src/directory/server.ts';
import { connectCluster } from './cluster.ts';
import { openWorkplace, type Workplace } from './company.ts';
import { type Controller, installDirsync, startController } from './controller.ts';
import { conditionOf, isReady } from './follow.ts';

const cluster = connectCluster(inject('cluster'));
const EXAMPLES = join(import.meta.dirname, '../../examples');
const TOKEN = 'quickstart-token';

type Row = Readonly<Record<string, string>>;

let place: Workplace;
let controller: Controller;
let directory: Directory;
let rows: Row[];

/** The folder in which somebody keeps the example with an address of their own. */
async function writeOverlay(people?: string): Promise<string> {
  const folder = join(cluster.folder, 'acme');
  await mkdir(folder, { recursive: true });
  const url = { op: 'replace', path: '/spec/target/scim/url', value: directory.url };
  const overlay = {
    apiVersion: 'kustomize.config.k8s.io/v1beta1',
    kind: 'Kustomization',
    namespace: 'identity',
    resources: [relative(folder, join(EXAMPLES, 'cluster'))],
    patches: [{ target: { kind: 'DirectorySync', name: 'acme' }, patch: JSON.stringify([url]) }],
    ...(people && {
      configMapGenerator: [{ name: 'acme-people', behavior: 'replace', files: ['people.csv'] }],
      generatorOptions: { disableNameSuffixHash: true },
    }),
  };
  if (people) await writeFile(join(folder, 'people.csv'), people);
  await writeFile(join(folder, 'kustomization.yaml'), JSON.stringify(overlay));
  return folder;
}

beforeAll(async () => {
  directory = await startDirectory({ file: ':memory:', token: TOKEN });
  rows = parse(await readFile(join(EXAMPLES, 'quickstart/people.csv'), 'utf8'), { columns: true });
  await installDirsync(cluster);
  place = await openWorkplace(cluster, 'identity');
  controller = await startController(cluster, { namespaces: ['identity'], state: 'quickstart.db' });
});

afterAll(async () => {
  await place?.kubectl(['delete', 'dirsync', '--all', '--timeout=30s']);
  await controller?.stop();
  await place?.close();
  await directory?.close();
});

describe('examples/quickstart in a cluster', () => {
  it('is refused as it stands, for its file is not in the cluster: the condition says so and what to do', async () => {
    await place.kubectl(['apply', '-f', join(EXAMPLES, 'quickstart')]);
    const sync = await place.followed.until('DirectorySync', 'acme', isReady('Invalid'));
    expect(conditionOf(sync, 'Stalled')?.message).toBe(
      'DirectorySync identity/acme: path "people.csv" may not be read in a cluster: put the file into a ConfigMap and name it as source.file.users.configMapRef (examples/cluster does), or start the controller with --allow-path',
    );
    expect(directory.counts().writes).toBe(0);
  });

  it('converges with its people in a ConfigMap, and kubectl wait sees it', async () => {
    const { stdout, stderr, code } = await cluster.kubectl(['apply', '-k', await writeOverlay()]);
    expect(code, stderr).toBe(0);
    expect(stdout).toMatch(/^directorysync.dirsync.dev\/acme configured$/m);
    await place.kubectl(['wait', '--for=condition=Ready', 'directorysync/acme', '--timeout=90s']);
    const active = rows.filter((row) => row['accountEnabled']?.toLowerCase() === 'true').length;
    expect(active).toBeGreaterThan(200);
    const { status } = await place.followed.until('DirectorySync', 'acme', isReady('Synced'));
    expect(status?.users).toMatchObject({ active, failed: 0, conflicts: 0 });
    expect(status?.plan).toMatchObject({ create: active });
    const response = await fetch(`${directory.url}/Users?count=1`, { headers: { authorization: `Bearer ${TOKEN}` } });
    expect(await response.json()).toMatchObject({ totalResults: active });
  });

  it('shows in the columns of kubectl get how it stands', async () => {
    const { status } = await place.followed.until('DirectorySync', 'acme', isReady('Synced'));
    const { host } = new URL(directory.url);
    const age = '\\d+[ms]\\w*';
    const plain = ['acme', 'True', 'Synced', 'file', host, status?.users?.active, status?.teams?.managed, 0, age, age];
    const table = await place.kubectl(['get', 'directorysyncs']);
    expect(table).toMatch(/^NAME +READY +STATUS +SOURCE +TARGET +USERS +TEAMS +HELD +LAST SYNC +AGE\n/);
    expect(table).toMatch(new RegExp(`^${plain.join(' +')}$`, 'm'));
    const wide = await place.kubectl(['get', 'directorysyncs', '-o', 'wide']);
    expect(wide).toMatch(/ AGE +MODE +NEXT SYNC +FAILED +PLAN\n/);
    expect(wide).toMatch(
      new RegExp(`^${[...plain, 'Apply', status?.nextRunAt, 0, '\\+\\d+'].join(' +')}( ~\\d+)?$`, 'm'),
    );
  });

  it('shows the other kinds, all at once by their category', async () => {
    await place.followed.until('TeamRule', 'finance-managers', ({ status }) => Number(status?.['members']) > 0);
    const table = await place.kubectl(['get', 'dirsync', '--no-headers']);
    expect(table).toMatch(/^attributemapping.dirsync.dev\/acme-users +True +Valid +User +\S+$/m);
    expect(table).toMatch(/^customattribute.dirsync.dev\/license-tier +True +Valid +String +\S+$/m);
    expect(table).toMatch(/^teamrule.dirsync.dev\/finance-managers +True +Synced +acme +1 +\d+ +\S+$/m);
    expect(table).toMatch(/^teamrule.dirsync.dev\/teams-column +True +Synced +acme +8 +\d+ +\S+$/m);
    const mapping = JSON.parse(await place.kubectl(['get', 'amap', 'acme-users', '-o', 'json']));
    expect(mapping.status.usedBy).toEqual(['acme']);
    expect(mapping.status.attributesUsed).toContain('objectId');
  });

  it('tells of the run below the resource, in one event', async () => {
    const events = (await place.events()).filter(({ reason }) => reason === 'Synced');
    expect(events.map(({ type, involvedObject }) => [type, involvedObject.kind, involvedObject.name])).toEqual([
      ['Normal', 'DirectorySync', 'acme'],
    ]);
    expect(await place.kubectl(['describe', 'directorysync', 'acme'])).toMatch(
      /Normal +Synced +\S+ +dirsync.dev\/controller.* +\d+ operations were carried out: \+\d+/,
    );
  });

  it('follows an edit of the ConfigMap at once: the labelled one needs no schedule', async () => {
    const before = directory.counts().writes;
    const text = await readFile(join(EXAMPLES, 'quickstart/people.csv'), 'utf8');
    const [first, second] = rows;
    const joiner = Object.values({
      ...second,
      objectId: '00000000-0000-4000-8000-00000000a001',
      manager: '',
      teams: '',
    });
    joiner[0] = 'nadia.newcomer@corp.example';
    joiner[3] = 'nadia.newcomer@corp.example';
    const title = first?.['jobTitle'] ?? '';
    const edited = `${text.replace(title, 'Chief Example Officer')}${joiner.map((cell) => `"${cell}"`).join(',')}\n`;
    expect((await cluster.kubectl(['apply', '-k', await writeOverlay(edited)])).code).toBe(0);
    const { status } = await place.followed.until(
      'DirectorySync',
      'acme',
      (sync) => sync.status?.plan?.create === 1 && isReady('Synced')(sync),
    );
    expect(status?.plan).toMatchObject({ create: 1, update: 1, deactivate: 0, summary: '+1 ~1' });
    expect(directory.counts().writes - before).toBe(2);
  });

  it('answers its probes and gives its figures to Prometheus', async () => {
    const ask = async (path: string) => {
      const response = await fetch(`${controller.url}${path}`);
      return { status: response.status, text: await response.text() };
    };
    expect(await ask('/healthz')).toEqual({ status: 200, text: 'ok\n' });
    expect(await ask('/readyz')).toEqual({ status: 200, text: 'ok\n' });
    const { text } = await ask('/metrics');
    expect(text).toMatch(/^dirsync_runs_total\{namespace="identity",directorysync="acme",outcome="synced"\} 2$/m);
    expect(text).toMatch(/^dirsync_operations_total\{kind="create",resource="User",result="done"\} 2\d\d$/m);
    expect(text).toMatch(/^dirsync_operations_total\{kind="create",resource="Team",result="done"\} 9$/m);
    expect(text).toMatch(/^dirsync_held_units\{namespace="identity",directorysync="acme",kind="deactivate"\} 0$/m);
    expect(text).toMatch(/^dirsync_seconds_since_last_success\{namespace="identity",directorysync="acme"\} [\d.]+$/m);
    expect(text).toMatch(/^dirsync_http_requests_total\{side="target",method="POST",code="201"\} \d+$/m);
    for (const step of ['load', 'read', 'map', 'observe', 'plan', 'guard', 'apply', 'report'])
      expect(text).toContain(`dirsync_step_duration_seconds_count{step="${step}"}`);
  });

  it('I9: has good statuses at every moment, and shows no secret and nobody by name or mail anywhere', async () => {
    expect(place.followed.problems()).toEqual([]);
    const metrics = await (await fetch(`${controller.url}/metrics`)).text();
    const events = JSON.stringify(await place.events());
    const public_ = [await controller.log(), metrics, events, place.followed.text()].join('\n').toLowerCase();
    const personal = rows.flatMap((row) =>
      ['userPrincipalName', 'mail', 'displayName', 'mobile'].map((key) => row[key]),
    );
    const leaked = [TOKEN, 'nadia', ...personal].filter((text) => text && public_.includes(text.toLowerCase()));
    expect(leaked).toEqual([]);
  });
});
