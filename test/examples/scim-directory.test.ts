import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { createCompany, readTeams, readUsers, startApplication, TOKEN } from '../cli/company.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const ENTERPRISE = 'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User';

type Directory = Awaited<ReturnType<typeof startApplication>>;

async function post({ url }: Directory, path: string, body: object): Promise<string> {
  const headers = { authorization: `Bearer ${TOKEN}`, 'content-type': 'application/scim+json' };
  const answer = await fetch(`${url}${path}`, { method: 'POST', headers, body: JSON.stringify(body) });
  expect(answer.status).toBe(201);
  return ((await answer.json()) as { id: string }).id;
}

const toUser = (given: string, family: string, department: string) => ({
  schemas: ['urn:ietf:params:scim:schemas:core:2.0:User', ENTERPRISE],
  userName: `${given}.${family}@corp.example`.toLowerCase(),
  name: { givenName: given, familyName: family },
  displayName: `${given} ${family}`,
  emails: [{ type: 'work', primary: true, value: `${given}.${family}@corp.example`.toLowerCase() }],
  active: true,
  [ENTERPRISE]: { department },
});

describe('examples/scim-directory', () => {
  it('reads the service that this project serves, and does what its page shows (I2)', async () => {
    const source = await startApplication();
    const application = await startApplication();
    const mei = await post(source, '/Users', toUser('Mei', 'Fenwick', 'Finance'));
    await post(source, '/Users', toUser('Zoe', 'Olofsson', 'Sales'));
    const members = [{ value: mei }];
    await post(source, '/Groups', {
      schemas: ['urn:ietf:params:scim:schemas:core:2.0:Group'],
      displayName: 'Leaders',
      members,
    });
    const files: Record<string, string> = {};
    for (const name of await readdir(join(ROOT, 'examples/scim-directory'))) {
      const text = await readFile(join(ROOT, 'examples/scim-directory', name), 'utf8');
      files[`manifests/${name}`] = text
        .replace('http://127.0.0.1:8088/scim/v2', source.url)
        .replace('http://127.0.0.1:8089/scim/v2', application.url)
        .replaceAll(/\w+-token/g, TOKEN);
    }
    const company = await createCompany(files);
    const validated = await company.run(['validate', '-f', 'manifests']);
    expect([validated.code, validated.stderr]).toEqual([0, '']);
    const page = await readFile(join(ROOT, 'docs/sources/scim.md'), 'utf8');
    for (const argv of [['check', 'source'], ['schema', '--find', 'department'], ['plan']]) {
      const { code, stdout, stderr } = await company.run([...argv, '-f', 'manifests']);
      expect([code, stderr]).toEqual([0, expect.not.stringContaining('warning')]);
      expect(stdout).not.toContain('warning');
      const shown = stdout.replace(new URL(source.url).host, '127.0.0.1:8088').trim();
      expect(page).toContain(`$ dirsync ${argv.join(' ')} -f examples/scim-directory\n${shown}\n`);
    }
    const applied = await company.apply();
    expect(applied.code).toBe(0);
    expect(applied.stderr).not.toContain('warning');
    expect([...(await readUsers(application)).keys()]).toEqual([
      'mei.fenwick@corp.example',
      'zoe.olofsson@corp.example',
    ]);
    expect(await readTeams(application)).toEqual({ Leaders: ['mei.fenwick@corp.example'] });
    const { writes } = application.counts();
    await company.apply('--resync');
    expect(application.counts().writes).toBe(writes);
  });
});
