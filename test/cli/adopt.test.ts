import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Directory } from '../../src/directory/server.ts';
import { createReadyCompany, makePeople, readUsers, startApplication, TOKEN } from './company.ts';

async function post(directory: Directory, userName: string, more: Record<string, unknown> = {}): Promise<string> {
  const response = await fetch(`${directory.url}/Users`, {
    method: 'POST',
    headers: { authorization: `Bearer ${TOKEN}`, 'content-type': 'application/scim+json' },
    body: JSON.stringify({ schemas: ['urn:ietf:params:scim:schemas:core:2.0:User'], userName, ...more }),
  });
  expect(response.status).toBe(201);
  return String(((await response.json()) as { id: unknown }).id);
}

describe('dirsync adopt --dry-run', () => {
  it('says who matches, who is ambiguous, which accounts are nobody’s and who is to be made, before the first write', async () => {
    const directory = await startApplication();
    const company = await createReadyCompany(directory.url, { people: makePeople(4) });
    const ids = {
      matched: await post(directory, 'p1@corp.example'),
      recovered: await post(directory, 'p2@corp.example', { externalId: 'id-2' }),
      other: await post(directory, 'p3@corp.example', { externalId: 'somebody-else' }),
      nobody: await post(directory, 'guest@corp.example'),
    };
    const { writes } = directory.counts();
    const shown = await company.run(['adopt', '--dry-run', '-f', 'manifests']);
    expect(shown.code).toBe(4);
    expect(shown.stdout.split('\n')).toEqual([
      'Matched 1',
      `  p1@corp.example (id-1): ${ids.matched}, matches the account by userName`,
      '',
      'Linked again 1',
      `  p2@corp.example (id-2): ${ids.recovered}, has the same externalId`,
      '',
      'Ambiguous 1',
      `  id-3: the account ${ids.other} that matches by userName has an externalId that names somebody else`,
      '',
      'Accounts of nobody 1',
      `  guest@corp.example (${ids.nobody})`,
      '',
      'To create 1',
      '  p4@corp.example (id-4)',
      '',
      'acme: 1 matched, 1 linked again, 1 ambiguous, 1 unmanaged, 1 to create; nothing was written',
      '',
    ]);
    expect(directory.counts().writes).toBe(writes);
  });

  it('prints the same as JSON, and what the guard would hold; the plan counts it too', async () => {
    const directory = await startApplication();
    const spec = '  guards: { adopt: { max: 1 } }\n';
    const company = await createReadyCompany(directory.url, { people: makePeople(4), spec });
    const [first, second] = [await post(directory, 'p1@corp.example'), await post(directory, 'p2@corp.example')];
    const guest = await post(directory, 'guest@corp.example');
    const { stdout, code } = await company.run(['adopt', '--dry-run', '-f', 'manifests', '-o', 'json']);
    expect(code).toBe(0);
    const counts = { matched: 2, recovered: 0, ambiguous: 0, unmanaged: 1, create: 2 };
    expect(JSON.parse(stdout)).toMatchObject({
      counts,
      matched: [
        { id: 'id-1', targetId: first, name: 'p1@corp.example', held: 'adopt' },
        { id: 'id-2', targetId: second, held: 'adopt' },
      ],
      recovered: [],
      ambiguous: [],
      unmanaged: [{ targetId: guest, name: 'guest@corp.example' }],
      create: [
        { id: 'id-3', name: 'p3@corp.example' },
        { id: 'id-4', name: 'p4@corp.example' },
      ],
    });
    const plan = await company.run(['plan', '-f', 'manifests', '-o', 'json']);
    expect(JSON.parse(plan.stdout)).toMatchObject({ accounts: counts, unmanaged: [{ targetId: guest }] });
    const text = await company.run(['plan', '-f', 'manifests']);
    expect(text.stdout).toContain('\nAccounts: 2 matched, 0 ambiguous, 1 unmanaged, 2 to create.\n');
  });
});

describe('dirsync adopt --confirm', () => {
  it('makes recovered links ordinary, lists them first, and says who in the history (I7)', async () => {
    const directory = await startApplication();
    const company = await createReadyCompany(directory.url, { people: makePeople(8) });
    await company.apply();
    await rm(join(company.folder, '.dirsync'), { recursive: true });
    await company.apply();
    await company.writePeople(makePeople(8).slice(1));
    const held = await company.apply();
    expect(held.code).toBe(3);
    expect(held.stdout).toContain('1 unit waits for approval (1 recovered)');

    const refused = await company.run(['adopt', '--confirm', '-f', 'manifests'], { answers: ['no'] });
    expect([refused.code, refused.stderr]).toEqual([1, expect.stringContaining('nothing was changed')]);
    const { writes } = directory.counts();
    const confirmed = await company.run(['adopt', '--confirm', '--yes', '-f', 'manifests']);
    expect(confirmed.code).toBe(0);
    expect(confirmed.stdout).toMatch(
      /^ {2}p1@corp\.example \(id-1\): \S+\n[\s\S]*\n {2}team Sales People: \S+\nacme: 9 links made ordinary\n$/,
    );
    expect(directory.counts().writes).toBe(writes);
    const history = await company.run(['history', 'acme', 'last']);
    expect(history.stdout).toContain('9 recovered links were confirmed by reviewer');
    expect(history.stdout).toMatch(
      /done +adopt User p1@corp\.example \(id-1\), the recovered link was confirmed by reviewer/,
    );

    const applied = await company.apply();
    expect(applied.code).toBe(0);
    expect(applied.stdout).toContain('1 deactivated');
    expect((await readUsers(directory)).get('p1@corp.example')?.['active']).toBe(false);
    const again = await company.run(['adopt', '--confirm', '--yes', '-f', 'manifests', '-o', 'json']);
    expect(JSON.parse(again.stdout)).toEqual({ directorySync: 'default/acme', confirmed: 0 });
  });

  it.each([
    [['adopt', '-f', 'x']],
    [['adopt', '-f', 'x', '--dry-run', '--confirm']],
    [['adopt', '-f', 'x', '--confirm']],
  ])('is wrong usage as %s', async (argv) => {
    const company = await createReadyCompany('http://127.0.0.1:9/scim');
    const { code, stderr } = await company.run(argv);
    expect(code).toBe(64);
    expect(stderr).toMatch(/needs (one of --dry-run and --confirm|--yes where nobody can be asked)/);
  });
});
