/** The binary as a process of its own: streams, signals and the lock between processes. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it, onTestFinished } from 'vitest';
import { openSqliteStore } from '../../src/state/sqlite/store.ts';
import { type Company, createReadyCompany, makePeople, readUsers, startApplication } from './company.ts';

const BIN = fileURLToPath(new URL('../../bin/dirsync.js', import.meta.url));

function start(company: Company, argv: readonly string[]) {
  const child = spawn(process.execPath, [BIN, ...argv], { cwd: company.folder, stdio: ['ignore', 'pipe', 'pipe'] });
  onTestFinished(() => {
    child.kill('SIGKILL');
  });
  const output = { stdout: '', stderr: '' };
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output.stdout += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    output.stderr += text;
  });
  return { child, output, ended: once(child, 'close').then(([code]) => ({ code, ...output })) };
}

describe('the binary', () => {
  it('applies; results go to standard output, nothing else does', async () => {
    const directory = await startApplication();
    const company = await createReadyCompany(directory.url);
    const { code, stdout, stderr } = await start(company, ['apply', '-f', 'manifests', '--yes', '-o', 'json']).ended;
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(JSON.parse(stdout)).toMatchObject({ users: { active: 6 } });
    expect(await start(company, ['validate', '-f', 'manifests']).ended).toMatchObject({
      code: 0,
      stdout: '4 resources are valid\n',
    });
    expect((await start(company, ['plan']).ended).code).toBe(64);
  });

  it('goes on when whoever reads its output has gone', async () => {
    const directory = await startApplication();
    const company = await createReadyCompany(directory.url, { people: makePeople(300) });
    const { child, ended } = start(company, ['plan', '-f', 'manifests', '--all']);
    child.stdout.destroy();
    expect(await ended).toMatchObject({ code: 0, stderr: '' });
  });

  it('waits for whoever holds the state file, and says for whom', async () => {
    const directory = await startApplication();
    const company = await createReadyCompany(directory.url);
    const store = await openSqliteStore(join(company.folder, '.dirsync/state.db'));
    onTestFinished(() => store.close());
    const lease = await store.acquire('a test (process 1)', { signal: new AbortController().signal });
    const { child, output, ended } = start(company, ['apply', '-f', 'manifests', '--yes']);
    while (!output.stderr.includes('\n')) await once(child.stderr, 'data');
    expect(output.stderr).toBe('waiting for a test (process 1)\n');
    expect(directory.counts().byMethod).toEqual({});
    await lease.release();
    expect(await ended).toMatchObject({ code: 0, stdout: expect.stringContaining('acme: 6 created') });
  });
});

describe('signals', () => {
  const ONE_BY_ONE = { people: makePeople(20), spec: '  limits: { concurrency: 1 }\n' };

  it.each(['SIGINT', 'SIGTERM'] as const)(
    '%s lets the request under way end, and the next run goes on',
    async (signal) => {
      let posts = 0;
      const stop: { now: () => void } = { now: () => undefined };
      const directory = await startApplication({
        maxOperations: 1,
        onRequest: ({ method, phase }) => {
          if (method !== 'POST' || phase !== 'received') return;
          posts += 1;
          // Once: a second signal would cut the request.
          if (posts === 5) stop.now();
        },
      });
      const company = await createReadyCompany(directory.url, ONE_BY_ONE);
      const { child, ended } = start(company, ['apply', '-f', 'manifests', '--yes']);
      stop.now = () => child.kill(signal);
      const { code, stderr } = await ended;
      expect(code).toBe(1);
      expect(stderr).toMatch(
        /^acme: stopped before it was done: \d+ operations were carried out; the next run goes on\n$/,
      );
      const made = (await readUsers(directory)).size;
      expect(stderr).toContain(`: ${made} operations`);
      stop.now = () => undefined;
      expect((await company.apply()).stdout).toContain(`acme: ${20 - made} created`);
      expect((await readUsers(directory)).size).toBe(20);
    },
  );

  it('a second one cuts the request under way, and nobody is made twice afterwards', async () => {
    const hanging = Promise.withResolvers<void>();
    let posts = 0;
    const reached = Promise.withResolvers<void>();
    const directory = await startApplication({
      maxOperations: 1,
      onRequest: async ({ method, phase }) => {
        if (method !== 'POST' || phase !== 'received') return;
        posts += 1;
        if (posts !== 5) return;
        reached.resolve();
        await hanging.promise;
      },
    });
    const company = await createReadyCompany(directory.url, ONE_BY_ONE);
    const { child, ended } = start(company, ['apply', '-f', 'manifests', '--yes']);
    await reached.promise;
    child.kill('SIGINT');
    child.kill('SIGTERM');
    expect((await ended).code).toBe(1);
    hanging.resolve();
    expect((await company.apply()).code).toBe(0);
    expect((await readUsers(directory)).size).toBe(20);
  });
});
