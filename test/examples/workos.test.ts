import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it, onTestFinished } from 'vitest';
import { type Company, createCompany, readTeams, readUsers, startApplication, TOKEN } from '../cli/company.ts';
import { startWorkos, toWorkosUser, type WorkosServer } from '../support/workos-server.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));

/** A copy of the example whose source and application are those of the test. */
async function copyExample(workos: WorkosServer, application: string): Promise<Company> {
  const files: Record<string, string> = {};
  for (const name of await readdir(join(ROOT, 'examples/workos'))) {
    const text = await readFile(join(ROOT, 'examples/workos', name), 'utf8');
    files[`manifests/${name}`] = text
      .replace('http://127.0.0.1:8087/scim/v2', application)
      .replace('workos-token', TOKEN)
      .replace('sk_test_put_yours_here', workos.apiKey)
      .replace('directory_01ECAZ4NV9QMV47GW873HDCX74', `${workos.directoryId}\n      apiUrl: ${workos.url}`);
  }
  return createCompany(files);
}

const at = (names: string): string[] => names.split(' ').map((name) => `${name}@corp.example`);

const person = (name: string, more: Parameters<typeof toWorkosUser>[1] = {}) => {
  const [first = '', last = ''] = name.split(' ');
  const id = `${first}-${last}`.toLowerCase();
  return toWorkosUser(id, { first, last, email: `${first}.${last}@corp.example`.toLowerCase(), ...more });
};
const attributes = (department_name: string, job_title: string) => ({
  custom_attributes: {
    ...{ department_name, job_title, division_name: null, organization: null, cost_center_name: null },
    ...{ employee_number: null, employee_type: null, manager_email: null, addresses: null },
  },
});

async function start(): Promise<WorkosServer> {
  const workos = await startWorkos({
    users: [
      person('Mei Fenwick', attributes('Finance', 'Controller')),
      person('Zoe Olofsson', attributes('Sales', 'Agent')),
      person('Hugo Lindqvist', { ...attributes('Finance', 'Clerk'), state: 'inactive' }),
    ],
    groups: [
      { id: 'directory_group_01', idp_id: 'eng', name: 'Engineering', members: ['zoe-olofsson', 'mei-fenwick'] },
      { id: 'directory_group_02', idp_id: 'board', name: 'Board', members: [] },
    ],
  });
  onTestFinished(() => workos.close());
  return workos;
}

describe('examples/workos', () => {
  it('does what its page shows', async () => {
    const workos = await start();
    const application = await startApplication();
    const company = await copyExample(workos, application.url);
    const page = await readFile(join(ROOT, 'docs/sources/workos.md'), 'utf8');
    const validated = await company.run(['validate', '-f', 'manifests']);
    expect([validated.code, validated.stderr]).toEqual([0, '']);
    for (const argv of [['check', 'source'], ['schema'], ['plan']]) {
      const { code, stdout, stderr } = await company.run([...argv, '-f', 'manifests']);
      expect(code).toBe(0);
      expect(stderr).not.toContain('warning');
      const shown = stdout.replace(workos.directoryId, 'directory_01ECAZ4NV9QMV47GW873HDCX74').trim();
      expect(page).toContain(`$ dirsync ${argv.join(' ')} -f examples/workos\n${shown}\n`);
    }
  });

  it('runs, and writes nothing the second time (I2)', async () => {
    const workos = await start();
    const application = await startApplication();
    const company = await copyExample(workos, application.url);
    const applied = await company.apply();
    expect(applied.code).toBe(0);
    expect(applied.stderr).not.toContain('warning');
    expect([...(await readUsers(application)).keys()]).toEqual(at('mei.fenwick zoe.olofsson'));
    expect(await readTeams(application)).toMatchObject({
      Engineering: at('mei.fenwick zoe.olofsson'),
      'Finance People': at('mei.fenwick'),
    });
    expect((await company.status()).source).toEqual({
      provider: 'workos',
      tenantId: workos.directoryId,
      tenantName: 'Acme',
      domains: ['corp.example'],
    });
    const { writes } = application.counts();
    expect((await company.apply()).code).toBe(0);
    expect(application.counts().writes).toBe(writes);
  });

  it('keeps the people of a directory that is being deleted (I1)', async () => {
    const workos = await start();
    const application = await startApplication();
    const company = await copyExample(workos, application.url);
    await company.apply();
    const { writes } = application.counts();
    workos.state = 'deleting';
    workos.users = [];
    const failed = await company.apply();
    expect(failed.code).toBe(1);
    expect(failed.stderr).toContain('is in the state deleting: it is being deleted, and its people with it');
    expect((await company.status()).conditions).toContainEqual(
      expect.objectContaining({ type: 'Ready', status: 'False', reason: 'ReadFailed' }),
    );
    expect(application.counts().writes).toBe(writes);
  });
});
