import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it, onTestFinished } from 'vitest';
import { type Company, createCompany, readTeams, readUsers, startApplication, TOKEN } from '../cli/company.ts';
import { APPLICATION, EDITOR, type EntraServer, startEntra, toGraphUser } from '../support/entra-server.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));

/** A copy of the example whose source and application are those of the test. */
async function copyExample(entra: EntraServer, application: string): Promise<Company> {
  const files: Record<string, string> = {};
  for (const name of await readdir(join(ROOT, 'examples/entra'))) {
    const text = await readFile(join(ROOT, 'examples/entra', name), 'utf8');
    files[`manifests/${name}`] = text
      .replace('http://127.0.0.1:8087/scim/v2', application)
      .replace('entra-token', TOKEN)
      .replace('put-yours-here', entra.clientSecret)
      .replace(/(tenantId: .*)/, `$1\n      authorityUrl: ${entra.url}\n      graphUrl: ${entra.url}`);
  }
  return createCompany(files);
}

const at = (names: string): string[] => names.split(' ').map((name) => `${name}@corp.example`);

function person(name: string, more: Parameters<typeof toGraphUser>[1] = {}) {
  const [givenName = '', surname = ''] = name.split(' ');
  const id = `${givenName}-${surname}`.toLowerCase();
  const mail = `${givenName}.${surname}@corp.example`.toLowerCase();
  const own = { displayName: name, givenName, surname, mail, userPrincipalName: mail, userType: 'Member' };
  return toGraphUser(id, { ...own, ...more });
}

const TIER = 'extension_2b8f4a105c3d4e778a610d9e5b7f3c22_tier';

async function start(): Promise<EntraServer> {
  const entra = await startEntra({
    extensions: [TIER],
    users: [
      person('Mei Fenwick', { jobTitle: 'Controller', department: 'Finance' }),
      person('Zoe Olofsson', {
        jobTitle: 'Engineer',
        department: 'Engineering',
        manager: 'mei-fenwick',
        [TIER]: 'gold',
      }),
      person('Hugo Lindqvist', { department: 'Finance', accountEnabled: false }),
      person('Ivy Guest', { userType: 'Guest', userPrincipalName: 'ivy_example.com#EXT#@corp.example' }),
    ],
    groups: [
      {
        id: 'group-eng',
        displayName: 'Engineering',
        members: [
          { id: 'zoe-olofsson', type: 'user' },
          { id: 'group-sre', type: 'group' },
        ],
      },
      { id: 'group-sre', displayName: 'Site Reliability', members: [{ id: 'mei-fenwick', type: 'user' }] },
    ],
  });
  onTestFinished(() => entra.close());
  return entra;
}

describe('examples/entra', () => {
  it('does what its page shows', async () => {
    const entra = await start();
    const application = await startApplication();
    const company = await copyExample(entra, application.url);
    const page = await readFile(join(ROOT, 'docs/sources/entra.md'), 'utf8');
    const validated = await company.run(['validate', '-f', 'manifests']);
    expect([validated.code, validated.stderr]).toEqual([0, '']);
    for (const argv of [['check', 'source'], ['schema'], ['plan']]) {
      const { code, stdout, stderr } = await company.run([...argv, '-f', 'manifests']);
      expect([code, stderr]).toEqual([0, expect.not.stringContaining('warning')]);
      expect(page).toContain(`$ dirsync ${argv.join(' ')} -f examples/entra\n${stdout.trim()}\n`);
    }
  });

  it('runs, writes nothing the second time (I2), and takes a soft-deleted person for deleted', async () => {
    const entra = await start();
    const application = await startApplication();
    const company = await copyExample(entra, application.url);
    const applied = await company.apply();
    expect([applied.code, applied.stderr]).toEqual([0, expect.not.stringContaining('warning')]);
    const users = await readUsers(application);
    expect([...users.keys()]).toEqual(at('mei.fenwick zoe.olofsson'));
    expect(await readTeams(application)).toMatchObject({
      Engineering: at('mei.fenwick zoe.olofsson'),
      'Finance People': at('mei.fenwick'),
    });
    expect((await company.status()).source).toEqual({
      provider: 'entra',
      tenantId: entra.tenantId,
      tenantName: 'Corp',
      domains: ['corp.onmicrosoft.example', 'corp.example'],
    });
    const { writes } = application.counts();
    expect((await company.apply()).code).toBe(0);
    expect(application.counts().writes).toBe(writes);
    entra.change({ users: entra.users.filter(({ id }) => id !== 'zoe-olofsson') });
    expect((await company.apply()).code).toBe(0);
    expect((await readUsers(application)).get('zoe.olofsson@corp.example')?.active).toBe(false);
  });

  it('reads what changed in three requests, and everybody where Graph does not know the link any more', async () => {
    const entra = await start();
    const application = await startApplication();
    const company = await copyExample(entra, application.url);
    await company.apply();
    const graph = (): string[] =>
      entra.server.requests.map(({ path }) => path).filter((path) => path.startsWith('/v1.0/'));
    const asked = graph().length;
    const [mei, zoe, ...rest] = entra.users;
    if (mei === undefined || zoe === undefined) throw new Error('nobody is there');
    entra.change({ users: [{ ...mei, jobTitle: 'Senior Controller' }, ...rest], groups: entra.groups });
    expect((await company.apply()).code).toBe(0);
    expect(graph().slice(asked)).toEqual(['/v1.0/organization', '/v1.0/users/delta', '/v1.0/groups/delta']);
    const users = await readUsers(application);
    expect(users.get('mei.fenwick@corp.example')?.title).toBe('Senior Controller');
    expect(users.get('zoe.olofsson@corp.example')?.active).toBe(false);
    for (const how of ['old', 'reset', 'lost'] as const) {
      entra.expireLinks(how);
      entra.change({ users: [{ ...mei, jobTitle: how }, ...rest], groups: entra.groups });
      const { code } = await company.apply();
      expect(code).toBe(0);
      expect((await readUsers(application)).get('mei.fenwick@corp.example')?.title).toBe(how);
      expect((await company.status()).warnings).toContainEqual(expect.objectContaining({ reason: 'CursorExpired' }));
    }
    await company.apply();
    expect((await company.status()).warnings ?? []).not.toContainEqual(
      expect.objectContaining({ reason: 'CursorExpired' }),
    );
  });

  it('takes people of the application alone, with their roles, where it is asked to', async () => {
    const entra = await start();
    entra.assignments = [
      { principalId: 'group-eng', principalType: 'Group', appRoleId: EDITOR },
      { principalId: 'hugo-lindqvist', principalType: 'User', appRoleId: EDITOR },
    ];
    const application = await startApplication();
    const company = await copyExample(entra, application.url);
    const manifest = await company.read('manifests/directory-sync.yaml');
    const scoped = manifest
      .replace('tenantId:', `applicationId: ${APPLICATION}\n      tenantId:`)
      .replace(
        'scope:',
        'mappings: [{ name: acme-roles }]\n  scope:\n    users: AssignedToApplication\n    nestedGroups: DirectOnly',
      );
    await company.write('manifests/directory-sync.yaml', scoped);
    await company.write(
      'manifests/mapping.yaml',
      `apiVersion: dirsync.dev/v1alpha1
kind: AttributeMapping
metadata: { name: acme-roles }
spec:
  preset: EntraToSCIM
  attributes:
    - target: roles
      expression: AssertiveAppRoleAssignmentsComplex([appRoleAssignments])
      onEmpty: Clear
    - target: nickName
      expression: Append(Append([givenName], "@"), DefaultDomain())
`,
    );
    expect(await company.apply()).toMatchObject({ code: 0 });
    const users = await readUsers(application);
    expect([...users.keys()]).toEqual(at('zoe.olofsson'));
    expect(users.get('zoe.olofsson@corp.example')).toMatchObject({
      roles: [{ value: 'Editor', display: 'Editors' }],
      nickName: 'Zoe@corp.example',
    });
    entra.assignments = [];
    await company.apply();
    expect((await readUsers(application)).get('zoe.olofsson@corp.example')?.['active']).toBe(false);
  });

  it('keeps everybody when a permission is taken away (I1)', async () => {
    const entra = await start();
    const application = await startApplication();
    const company = await copyExample(entra, application.url);
    await company.apply();
    const { writes } = application.counts();
    entra.permissions = ['Organization.Read.All', 'User.Read.All'];
    const failed = await company.apply();
    expect(failed.code).toBe(1);
    expect(failed.stderr).toContain('give it the application permission GroupMember.Read.All');
    expect((await company.status()).conditions).toContainEqual(
      expect.objectContaining({ type: 'Ready', status: 'False', reason: 'CredentialsRejected' }),
    );
    expect(application.counts().writes).toBe(writes);
    const { code, stdout } = await company.run(['check', 'source', '-f', 'manifests']);
    expect(code).toBe(1);
    expect(stdout).toContain('error   groups: ');
  });
});
