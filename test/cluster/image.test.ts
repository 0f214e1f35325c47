import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, chown, copyFile, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { type Instruction, lastOf, layOutImage, readDockerfile, runShell } from '../manifests/dockerfile.ts';
import { freePort } from '../support/program.ts';
import { connectCluster } from './cluster.ts';

const cluster = connectCluster(inject('cluster'));
const root = join(import.meta.dirname, '../..');
const USER = 65_532;
/** Another user can only be had by root; everybody else runs the same in a tree that is not theirs to write. */
const isRoot = process.getuid?.() === 0;

interface Container {
  readonly args: string[];
  readonly env?: { readonly name: string; readonly value: string }[];
  readonly livenessProbe: Probe;
  readonly readinessProbe: Probe;
}
interface Probe {
  readonly httpGet: { readonly path: string };
}

let folder: string;
let image: string;
let instructions: Instruction[];
let container: Container;
let child: ChildProcess;
let address: string;
let log = '';
let before: string[];

async function readContainer(): Promise<Container> {
  const { stdout } = await cluster.kubectl(['kustomize', join(root, 'config/default')]);
  const manifests = parseAllDocuments(stdout).map((document) => document.toJS());
  return manifests.find(({ kind }) => kind === 'Deployment').spec.template.spec.containers[0];
}

/** Every path below a folder, but for what the pod mounts. */
async function listFiles(): Promise<string[]> {
  const paths = await readdir(image, { recursive: true });
  return paths.filter((path) => !path.startsWith('var/lib/dirsync/') && !path.startsWith('tmp/')).toSorted();
}

async function giveTo(path: string): Promise<void> {
  if (isRoot) await chown(path, USER, USER);
}

/** What a pod has beside its image: a node in the PATH, /tmp, and credentials. */
async function preparePod(): Promise<string> {
  await mkdir(join(image, 'usr/local/bin'), { recursive: true });
  await copyFile(process.execPath, join(image, 'usr/local/bin/node'));
  await mkdir(join(image, 'tmp'));
  await chmod(folder, 0o755);
  await runShell('chmod -R a-w,a+rX .', image);
  for (const path of ['tmp', 'var/lib/dirsync']) {
    await chmod(join(image, path), 0o700);
    await giveTo(join(image, path));
  }
  const kubeconfig = join(folder, 'kubeconfig');
  const credentials = await cluster.serviceAccountKubeconfig('dirsync-system', 'dirsync-controller');
  await writeFile(kubeconfig, await readFile(credentials), { mode: 0o400 });
  await giveTo(kubeconfig);
  return kubeconfig;
}

/** Runs the image's entry point with the Deployment's arguments; absolute paths lead into the image. */
function startContainer(kubeconfig: string, port: number): ChildProcess {
  const [program = '', ...entry]: string[] = JSON.parse(lastOf(instructions, 'ENTRYPOINT'));
  const args = [...entry, ...container.args].map((arg) =>
    arg.startsWith('/') ? join(image, arg) : arg.replace('0.0.0.0:8080', `0.0.0.0:${port}`),
  );
  const env = {
    ...Object.fromEntries((container.env ?? []).map(({ name, value }) => [name, value])),
    NODE_ENV: 'production',
    PATH: join(image, 'usr/local/bin'),
    TMPDIR: join(image, 'tmp'),
    HOME: '/nonexistent',
    KUBECONFIG: kubeconfig,
  };
  const user = isRoot ? { uid: USER, gid: USER } : {};
  const started = spawn(join(image, 'usr/local/bin', program), args, { cwd: join(image, 'app'), env, ...user });
  for (const stream of [started.stdout, started.stderr]) stream.on('data', (text) => (log += text));
  return started;
}

const ask = async (path: string): Promise<number> =>
  fetch(`${address}${path}`).then(
    (response) => response.status,
    () => 0,
  );

beforeAll(async () => {
  expect((await cluster.kubectl(['apply', '-k', join(root, 'config/default')])).code).toBe(0);
  await cluster.kubectl(['wait', '--for=condition=Established', 'crd', '--all', '--timeout=30s']);
  folder = await mkdtemp(join(tmpdir(), 'dirsync-image-'));
  instructions = await readDockerfile(join(root, 'Dockerfile'));
  container = await readContainer();
  image = await layOutImage(instructions, { root, folder, run: runShell });
  const kubeconfig = await preparePod();
  before = await listFiles();
  const port = await freePort();
  address = `http://127.0.0.1:${port}`;
  child = startContainer(kubeconfig, port);
}, 300_000);

afterAll(async () => {
  child?.kill('SIGKILL');
  if (folder !== undefined) await runShell('chmod -R u+w .', folder);
  if (folder !== undefined) await rm(folder, { recursive: true });
});

describe('the image, laid out in an empty folder', () => {
  it('has what runs and none of the development dependencies', async () => {
    const packages = await readdir(join(image, 'app/node_modules'));
    expect(packages).toContain('xstate');
    expect(packages).not.toContain('vitest');
    expect(packages).not.toContain('typescript');
  });

  it('answers its probes, as another user, on a file system that is read-only', async () => {
    await expect.poll(() => ask(container.livenessProbe.httpGet.path), { timeout: 30_000, message: log }).toBe(200);
    await expect.poll(() => ask(container.readinessProbe.httpGet.path), { timeout: 30_000, message: log }).toBe(200);
    expect(await ask('/metrics')).toBe(200);
    expect(child.exitCode, log).toBeNull();
  });

  it('writes its state where the volume is, and nowhere else', async () => {
    expect(await readdir(join(image, 'var/lib/dirsync'))).toContain('state.db');
    expect(await listFiles()).toEqual(before);
  });

  it('ends on SIGTERM, with nothing wrong', async () => {
    const ended = once(child, 'exit');
    child.kill('SIGTERM');
    expect(await ended, log).toEqual([0, null]);
  });
});
