import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import type { Directory } from '../../src/directory/server.ts';
import { type Company, createCompany, readTeams, readUsers, startApplication, TOKEN } from '../cli/company.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const GROUPS = 'manifests/groups.json';

async function start(): Promise<{ company: Company; application: Directory }> {
  const application = await startApplication();
  const files: Record<string, string> = {};
  for (const name of await readdir(join(ROOT, 'examples/members'))) {
    const text = await readFile(join(ROOT, 'examples/members', name), 'utf8');
    files[`manifests/${name}`] = text
      .replace('http://127.0.0.1:8087/scim/v2', application.url)
      .replaceAll('members-token', TOKEN);
  }
  return { company: await createCompany(files), application };
}

const at = (names: string): string[] => names.split(' ').map((name) => `${name}@corp.example`);

async function regroup(company: Company, from: string, to: string): Promise<void> {
  const text = await company.read(GROUPS);
  expect(text).toContain(from);
  await company.write(GROUPS, text.replace(from, to));
}

describe('examples/members', () => {
  it('does what its page shows', async () => {
    const { company } = await start();
    const page = await readFile(join(ROOT, 'docs/groups.md'), 'utf8');
    const shown = (argv: string, stdout: string): void =>
      expect(page).toContain(`$ dirsync ${argv} -f examples/members\n${stdout.trim()}\n`);
    const validated = await company.run(['validate', '-f', 'manifests']);
    expect([validated.code, validated.stderr]).toEqual([0, '']);
    for (const argv of ['plan', 'explain hugo.lindqvist@corp.example']) {
      const { code, stdout } = await company.run([...argv.split(' '), '-f', 'manifests']);
      expect(code).toBe(0);
      shown(argv, stdout);
    }
    const { code, stdout } = await company.run(['check', 'source', '-f', 'manifests']);
    expect(code).toBe(0);
    expect(stdout.split('\n').filter((line) => line.includes(' scope: '))).toEqual([
      '  ok      scope: "Engineering" is the group 3f1c-eng',
      '  ok      scope: "b2d9-fin" is the group b2d9-fin',
    ]);
    // What was taken for the Engineering of the scope is shown where nobody has to ask.
    await company.apply();
    expect((await company.status()).resolvedGroups).toEqual([
      { name: 'Engineering', id: '3f1c-eng' },
      { name: 'b2d9-fin', id: 'b2d9-fin' },
    ]);
  });

  it('has members of two groups and of those in them, and writes nothing the second time (I2)', async () => {
    const { company, application } = await start();
    expect(await company.apply()).toMatchObject({ code: 0, stderr: expect.not.stringContaining('warning') });
    expect([...(await readUsers(application)).keys()].sort()).toEqual(at('ines.byron mei.fenwick zoe.olofsson'));
    expect(await readTeams(application)).toEqual({
      Engineering: at('mei.fenwick zoe.olofsson'),
      Finance: at('ines.byron'),
    });
    const { writes } = application.counts();
    expect((await company.apply()).code).toBe(0);
    expect(application.counts().writes).toBe(writes);
  });

  it('keeps everybody while a group is not there, and says so in conditions (I1)', async () => {
    const { company, application } = await start();
    // A team is never handed from one group to another.
    const manifest = 'manifests/directory-sync.yaml';
    await company.write(manifest, (await company.read(manifest)).replace('provision: InScope', 'provision: None'));
    await company.apply();
    const { writes } = application.counts();
    await regroup(company, '"3f1c-eng", "displayName": "Engineering"', '"9999-new", "displayName": "Engineering"');
    const failed = await company.apply();
    const message =
      'scope.groups: nobody is changed, for "Engineering" is the group 3f1c-eng, which is not in the source any more; put it back, take the entry out, or ask for a resync to look for the name again';
    expect(failed.code).toBe(1);
    expect(failed.stderr).toContain(message);
    expect(application.counts().writes).toBe(writes);
    const { conditions, resolvedGroups } = await company.status();
    expect(conditions).toContainEqual(
      expect.objectContaining({ type: 'Ready', status: 'False', reason: 'ReadFailed', message }),
    );
    expect(conditions).toContainEqual(
      expect.objectContaining({ type: 'SourceRead', status: 'False', reason: 'ReadFailed', message }),
    );
    expect(resolvedGroups).toContainEqual({ name: 'Engineering', id: '3f1c-eng' });
    expect((await company.apply('--resync')).code).toBe(0);
    expect((await company.status()).resolvedGroups).toContainEqual({ name: 'Engineering', id: '9999-new' });
  });

  it('goes on with a group that is called otherwise, and warns in a check that knows nothing of before', async () => {
    const { company, application } = await start();
    await company.apply();
    await regroup(company, '"displayName": "Engineering"', '"displayName": "Platform"');
    expect((await company.apply()).code).toBe(0);
    expect(Object.keys(await readTeams(application)).sort()).toEqual(['Finance', 'Platform']);
    expect((await readUsers(application)).get('zoe.olofsson@corp.example')?.active).toBe(true);
    const { code, stdout } = await company.run(['check', 'source', '-f', 'manifests']);
    expect(code).toBe(0);
    expect(stdout).toContain('warning scope: no group of the source has the name or id "Engineering"');
  });

  it.each([
    ['users: MembersOfGroups', 'users: All', 'scope.groups names the groups of scope.users MembersOfGroups'],
    ['      groups:\n        path: groups.json\n', '', 'scope.users MembersOfGroups needs a source with groups'],
  ])('is refused with %j as %j: %s', async (from, to, message) => {
    const { company } = await start();
    const manifest = 'manifests/directory-sync.yaml';
    await company.write(manifest, (await company.read(manifest)).replace(from, to));
    const { code, stdout, stderr } = await company.run(['validate', '-f', 'manifests']);
    expect(code).toBe(1);
    expect(`${stdout}${stderr}`).toContain(message);
  });
});
