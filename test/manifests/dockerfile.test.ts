import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { parse } from 'yaml';
import { type Instruction, lastOf, layOutImage, listContext, readDockerfile, runShell } from './dockerfile.ts';

const root = join(import.meta.dirname, '../..');
let instructions: Instruction[];
let deployment: Deployment;
let manifest: { version: string; engines: { node: string }; devDependencies: { node: string } };

interface Deployment {
  spec: {
    template: {
      spec: {
        securityContext: Record<string, unknown>;
        containers: {
          image: string;
          args: string[];
          ports: { containerPort: number }[];
          volumeMounts: { mountPath: string }[];
        }[];
      };
    };
  };
}

const read = (path: string): Promise<string> => readFile(join(root, path), 'utf8');

beforeAll(async () => {
  instructions = await readDockerfile(join(root, 'Dockerfile'));
  deployment = parse(await read('config/manager/deployment.yaml'));
  manifest = JSON.parse(await read('package.json'));
});

async function aFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'dirsync-image-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  return folder;
}

describe('the Dockerfile', () => {
  it('builds in two stages on the Node that the tests run on, pinned exactly', () => {
    const bases = instructions.filter(({ name }) => name === 'FROM').map(({ text }) => text.replace(/ AS .*/, ''));
    expect(bases).toHaveLength(2);
    expect(new Set(bases)).toEqual(new Set([`node:${manifest.devDependencies.node}-bookworm-slim`]));
    expect(process.versions.node).toBe(manifest.devDependencies.node);
  });

  it('lays out what runs, and nothing else', async () => {
    const folder = await aFolder();
    const final = await layOutImage(instructions, {
      root,
      folder,
      run: async (command, cwd) => {
        // Installing needs the network; the cluster tests do it.
        if (command.startsWith('npm ')) await mkdir(join(cwd, 'node_modules'));
        else await runShell(command, cwd);
      },
    });
    expect((await readdir(join(final, 'app'))).toSorted()).toEqual(['LICENSE', 'node_modules', 'package.json', 'src']);
    expect(await readdir(join(final, 'var/lib/dirsync'))).toEqual([]);
    const entry: string = JSON.parse(lastOf(instructions, 'ENTRYPOINT')).at(-1);
    expect((await stat(join(final, entry))).isFile()).toBe(true);
  });

  it('installs with the lock file, without development dependencies and without scripts', () => {
    const runs = instructions.filter(({ name }) => name === 'RUN').map(({ text }) => text);
    expect(runs[0]).toBe('npm ci --omit=dev --ignore-scripts');
  });

  it('agrees with the Deployment', () => {
    const { securityContext, containers } = deployment.spec.template.spec;
    const [container] = containers;
    expect(lastOf(instructions, 'USER')).toBe(`${securityContext['runAsUser']}:${securityContext['runAsGroup']}`);
    expect(securityContext['runAsUser']).toBeGreaterThanOrEqual(10_000);
    expect(securityContext['fsGroup']).toBe(securityContext['runAsGroup']);
    expect(Number(lastOf(instructions, 'EXPOSE'))).toBe(container?.ports[0]?.containerPort);
    expect(JSON.parse(lastOf(instructions, 'CMD'))).toEqual(container?.args);
    const state = instructions.find(({ name, options }) => name === 'COPY' && options['chown'] !== undefined);
    expect(state?.text.split(' ').at(-1)).toBe(container?.volumeMounts[0]?.mountPath);
    expect(state?.options['chown']).toBe(lastOf(instructions, 'USER'));
  });

  it('has the version of the package, the Deployment and the chart', async () => {
    const chart = parse(await read('helm/dirsync/Chart.yaml'));
    const overlay = parse(await read('config/default/kustomization.yaml'));
    expect(deployment.spec.template.spec.containers[0]?.image).toBe(`dirsync:${manifest.version}`);
    expect([chart.version, chart.appVersion, overlay.images[0].newTag]).toEqual(Array(3).fill(manifest.version));
  });
});

describe('.dockerignore', () => {
  it('keeps everything out but what is copied', async () => {
    const copied = instructions
      .filter(({ name, options }) => name === 'COPY' && options['from'] === undefined)
      .flatMap(({ text }) => text.split(' ').slice(0, -1));
    expect(await listContext(root)).toEqual(copied.filter((name, i) => copied.indexOf(name) === i).toSorted());
  });

  it('keeps a Secret, a state file and what is new out', async () => {
    const folder = await aFolder();
    await writeFile(join(folder, '.dockerignore'), await read('.dockerignore'));
    for (const name of ['secret.yaml', '.env', '.dirsync', 'anything', 'src']) await writeFile(join(folder, name), '');
    expect(await listContext(folder)).toEqual(['src']);
  });
});
