/** Rule I6 for `deletionPolicy`: the process dies at any write of it, and the next one goes on where it was. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFile, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Directory, type ObservedRequest, startDirectory } from '../../src/directory/server.ts';
import { runFolder } from '../support/folder-run.ts';
import { freePort } from '../support/program.ts';

const RUN_ONCE = fileURLToPath(new URL('../support/run-once.ts', import.meta.url));
const TOKEN = 'sesame';
const PEOPLE = Array.from({ length: 5 }, (_, index) => `p${index + 1}`);

let folder = '';
let port = 0;
const file = (name: string): string => join(folder, name);

function toManifests(deletionPolicy: string): string {
  const named = (kind: string, name: string, spec: object) =>
    JSON.stringify({ apiVersion: 'dirsync.dev/v1alpha1', kind, metadata: { name, namespace: 'identity' }, spec });
  const scim = { url: `http://127.0.0.1:${port}/scim/v2`, credentialsRef: { name: 'app' } };
  const attributes = [
    { target: 'userName', source: 'mail', matching: { precedence: 1 } },
    { target: 'externalId', source: 'id' },
  ];
  return [
    named('DirectorySync', 'acme', {
      source: { file: { users: { path: 'people.csv' } } },
      mappings: [{ name: 'users' }],
      target: { scim },
      limits: { concurrency: 1 },
      deletionPolicy,
    }),
    named('AttributeMapping', 'users', { attributes }),
    named('TeamRule', 'clubs', { directorySyncRef: { name: 'acme' }, teamsFrom: { attributes: ['club'] } }),
    JSON.stringify({
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name: 'app', namespace: 'identity' },
      stringData: { token: TOKEN },
    }),
  ].join('\n---\n');
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'dirsync-kill-deletion-'));
  port = await freePort();
  const rows = PEOPLE.map((id, index) => `${id},${id}@example.com,${index < 3 ? 'Chess' : 'Choir'}`);
  await writeFile(file('people.csv'), `${['id,mail,club', ...rows].join('\n')}\n`);
  await writeFile(file('acme.yaml'), toManifests('Delete'));
  const directory = await startDirectory({ file: file('directory.before'), token: TOKEN, port, maxOperations: 1 });
  const theirs = { schemas: ['urn:ietf:params:scim:schemas:core:2.0:User'], userName: 'theirs@example.com' };
  await send(directory, 'POST', '/Users', theirs);
  expect(await runFolder(folder, file('state.before'))).toMatchObject({ reason: 'Synced' });
  await directory.close();
}, 60_000);

afterAll(() => rm(folder, { recursive: true, force: true }));

async function send({ url }: Directory, method: string, path: string, body?: object): Promise<unknown> {
  const headers = { authorization: `Bearer ${TOKEN}`, 'content-type': 'application/scim+json' };
  const response = await fetch(`${url}${path}`, { method, headers, body: JSON.stringify(body) ?? null });
  return response.json();
}

async function list(directory: Directory, path: string): Promise<readonly Record<string, unknown>[]> {
  const { Resources } = (await send(directory, 'GET', path)) as { Resources: Record<string, unknown>[] };
  return Resources;
}

/** `received`: killed first, carried out afterwards. `answered`: killed when the answer was sent. */
const CASES = [
  { policy: 'Delete', n: 1, moment: 'received' },
  { policy: 'Delete', n: 3, moment: 'answered' },
  { policy: 'Delete', n: 5, moment: 'received' },
  { policy: 'Delete', n: 6, moment: 'answered' },
  { policy: 'Delete', n: 7, moment: 'received' },
  { policy: 'Deactivate', n: 2, moment: 'received' },
] as const;

describe('a deletionPolicy whose process is killed', () => {
  it.each(CASES)(
    '$policy goes on after a kill at write $n $moment, and asks for nothing twice (I6)',
    async ({ policy, n, moment }) => {
      await copyFile(file('state.before'), file('state.db'));
      await copyFile(file('directory.before'), file('directory.db'));
      await writeFile(file('acme.yaml'), toManifests(policy));
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
        child = spawn(process.execPath, [RUN_ONCE, folder, file('state.db'), 'deletion'], {
          env: { ...process.env, NODE_COMPILE_CACHE: file('cache') },
          stdio: 'ignore',
        });
        const [code, signal] = await once(child, 'exit');
        expect([code, signal]).toEqual([null, 'SIGKILL']);
        expect(await runFolder(folder, file('state.db'), { deletion: true })).toMatchObject({ reason: 'Synced' });
        const { length } = written;
        expect(await runFolder(folder, file('state.db'), { deletion: true })).toMatchObject({ reason: 'Synced' });
        expect(written).toHaveLength(length);
        expect(new Set(written).size).toBe(length);
        const users = await list(directory, '/Users?count=100');
        const active = users.filter((user) => user['active'] !== false).map(({ userName }) => userName);
        expect(active).toEqual(['theirs@example.com']);
        expect(users).toHaveLength(policy === 'Delete' ? 1 : PEOPLE.length + 1);
        expect(await list(directory, '/Groups?count=100')).toHaveLength(policy === 'Delete' ? 0 : 2);
      } finally {
        await directory.close();
      }
    },
    60_000,
  );
});
