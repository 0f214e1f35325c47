/** Rule I6 for values of a CustomAttribute that is gone or has moved: the process dies at any write of their removal. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFile, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Directory, type ObservedRequest, startDirectory } from '../../src/directory/server.ts';
import { getFact } from '../../src/reconcile/facts.ts';
import { runFolder } from '../support/folder-run.ts';
import { freePort } from '../support/program.ts';

const RUN_ONCE = fileURLToPath(new URL('../support/run-once.ts', import.meta.url));
const TOKEN = 'sesame';
const PEOPLE = ['p1', 'p2', 'p3'];

let folder = '';
let port = 0;
const file = (name: string): string => join(folder, name);

/** @param path where the attribute lives; null: it is gone */
function toManifests(path: string | null): string {
  const named = (kind: string, name: string, spec: object) =>
    JSON.stringify({ apiVersion: 'dirsync.dev/v1alpha1', kind, metadata: { name, namespace: 'identity' }, spec });
  const scim = { url: `http://127.0.0.1:${port}/scim/v2`, credentialsRef: { name: 'app' } };
  const attributes = [
    { target: 'userName', source: 'mail', matching: { precedence: 1 } },
    { target: 'externalId', source: 'id' },
    ...(path === null ? [] : [{ target: 'tier', source: 'tier' }]),
  ];
  const source = { file: { users: { path: 'people.csv' } } };
  const limits = { concurrency: 1 };
  return [
    named('DirectorySync', 'acme', { source, mappings: [{ name: 'users' }], target: { scim }, limits }),
    named('AttributeMapping', 'users', { attributes }),
    ...(path === null ? [] : [named('CustomAttribute', 'tier', { path })]),
    JSON.stringify({
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name: 'app', namespace: 'identity' },
      stringData: { token: TOKEN },
    }),
  ].join('\n---\n');
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'dirsync-kill-attributes-'));
  port = await freePort();
  const rows = PEOPLE.map((id) => `${id},${id}@example.com,gold`);
  await writeFile(file('people.csv'), `${['id,mail,tier', ...rows].join('\n')}\n`);
  await writeFile(file('acme.yaml'), toManifests('nickName'));
  const directory = await startDirectory({ file: file('directory.before'), token: TOKEN, port, maxOperations: 1 });
  expect(await runFolder(folder, file('state.before'))).toMatchObject({ reason: 'Synced' });
  expect(await readValues(directory)).toEqual(PEOPLE.map(() => ['gold', null]));
  await directory.close();
}, 60_000);

afterAll(() => rm(folder, { recursive: true, force: true }));

/** `nickName` and `title` of everybody. */
async function readValues({ url }: Directory): Promise<unknown[]> {
  const response = await fetch(`${url}/Users?count=100`, { headers: { authorization: `Bearer ${TOKEN}` } });
  const { Resources } = (await response.json()) as { Resources: Record<string, unknown>[] };
  return Resources.map(({ nickName = null, title = null }) => [nickName, title]);
}

const MOMENTS = ['received', 'answered'] as const;
const CASES = [
  ...[1, 3].flatMap((n) => MOMENTS.map((moment) => ({ to: null, n, moment }))),
  { to: 'title', n: 1, moment: 'answered' },
  { to: 'title', n: 2, moment: 'received' },
  { to: 'title', n: 6, moment: 'answered' },
] as const;

describe('the removal of values whose process is killed', () => {
  it.each(CASES)(
    'to $to goes on after a kill at write $n $moment, and asks for nothing twice (I6)',
    async ({ to, n, moment }) => {
      await copyFile(file('state.before'), file('state.db'));
      await copyFile(file('directory.before'), file('directory.db'));
      await writeFile(file('acme.yaml'), toManifests(to));
      const written: string[] = [];
      let child: ChildProcess | null = null;
      let seen = 0;
      const onRequest = async ({ method, path, phase }: ObservedRequest): Promise<void> => {
        if (method === 'GET') return;
        if (phase === 'received') written.push(path);
        if (phase === moment) seen += 1;
        if (seen !== n || phase !== moment || child === null) return;
        const exited = once(child, 'exit');
        child.kill('SIGKILL');
        await exited;
        child = null;
      };
      const directory = await startDirectory({
        file: file('directory.db'),
        token: TOKEN,
        port,
        onRequest,
        maxOperations: 1,
      });
      try {
        child = spawn(process.execPath, [RUN_ONCE, folder, file('state.db')], {
          env: { ...process.env, NODE_COMPILE_CACHE: file('cache') },
          stdio: 'ignore',
        });
        expect(await once(child, 'exit')).toEqual([null, 'SIGKILL']);
        const look = async (state: Parameters<typeof getFact>[0]): Promise<void> => {
          expect((await getFact(state, 'attributes'))?.retired).toEqual({});
        };
        const report = await runFolder(folder, file('state.db'), { look: ({ facts }) => look(facts) });
        expect(report).toMatchObject({ reason: 'Synced' });
        expect(await readValues(directory)).toEqual(PEOPLE.map(() => [null, to === null ? null : 'gold']));
        expect(written).toHaveLength(PEOPLE.length * (to === null ? 1 : 2));
        expect(await runFolder(folder, file('state.db'))).toMatchObject({ reason: 'Synced' });
        expect(written).toHaveLength(PEOPLE.length * (to === null ? 1 : 2));
      } finally {
        await directory.close();
      }
    },
    60_000,
  );
});
