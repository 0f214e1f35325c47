import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it, onTestFinished } from 'vitest';
import { type Company, createCompany, readTeams, readUsers, startApplication, TOKEN } from '../cli/company.ts';
import {
  CUSTOMER,
  type GoogleServer,
  refuse,
  startGoogle,
  toGoogleUser,
  USER_SCOPE,
} from '../support/google-server.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));

/** A copy of the example whose source and application are those of the test. */
async function copyExample(google: GoogleServer, application: string): Promise<Company> {
  const files: Record<string, string> = {};
  for (const name of await readdir(join(ROOT, 'examples/google'))) {
    const text = await readFile(join(ROOT, 'examples/google', name), 'utf8');
    files[`manifests/${name}`] = text
      .replace('http://127.0.0.1:8087/scim/v2', application)
      .replace('google-token', TOKEN)
      .replace('put-yours-here', () => JSON.stringify(google.serviceAccount))
      .replace(/(adminEmail: .*)/, `$1\n      apiUrl: ${google.url}\n      tokenUrl: ${google.tokenUrl}`);
  }
  return createCompany(files);
}

const at = (names: string): string[] => names.split(' ').map((name) => `${name}@corp.example`);

function person(id: string, name: string, more: Parameters<typeof toGoogleUser>[1] = {}) {
  const [givenName = '', familyName = ''] = name.split(' ');
  const primaryEmail = `${givenName}.${familyName}@corp.example`.toLowerCase();
  const emails = [{ address: primaryEmail, primary: true }];
  return toGoogleUser(id, { primaryEmail, emails, name: { givenName, familyName, fullName: name }, ...more });
}

const work = (title: string, department: string) => ({ organizations: [{ title, department, primary: true }] });
const grade = (value: string) => ({ customSchemas: { HR: { grade: value } } });

async function start(): Promise<GoogleServer> {
  const google = await startGoogle({
    users: [
      person('1001', 'Mei Fenwick', { ...work('Controller', 'Finance'), ...grade('8') }),
      person('1002', 'Zoe Olofsson', {
        ...{ ...work('Engineer', 'Engineering'), ...grade('5') },
        relations: [{ value: 'mei.fenwick@corp.example', type: 'manager' }],
      }),
      person('1003', 'Hugo Lindqvist', { ...work('Clerk', 'Finance'), suspended: true }),
    ],
    groups: [
      {
        ...{ id: '02grq', name: 'Engineering' },
        members: [
          { id: '1002', type: 'USER' },
          { id: '02abc', type: 'GROUP' },
        ],
      },
      { id: '02abc', name: 'Site Reliability', members: [{ id: '1001', type: 'USER' }] },
      { id: '02xyz', name: 'All of Corp', members: [{ id: CUSTOMER, type: 'CUSTOMER' }] },
    ],
  });
  onTestFinished(() => google.close());
  return google;
}

describe('examples/google', () => {
  it('does what its page shows', async () => {
    const google = await start();
    const application = await startApplication();
    const company = await copyExample(google, application.url);
    const page = await readFile(join(ROOT, 'docs/sources/google.md'), 'utf8');
    const validated = await company.run(['validate', '-f', 'manifests']);
    expect([validated.code, validated.stderr]).toEqual([0, '']);
    for (const argv of [['check', 'source'], ['schema', '--find', 'customSchemas'], ['plan']]) {
      const { code, stdout, stderr } = await company.run([...argv, '-f', 'manifests']);
      expect([code, stderr]).toEqual([0, expect.not.stringContaining('warning')]);
      expect(page).toContain(`$ dirsync ${argv.join(' ')} -f examples/google\n${stdout.trim()}\n`);
    }
  });

  it('runs, writes nothing the second time (I2), and takes who was deleted for deleted', async () => {
    const google = await start();
    const application = await startApplication();
    const company = await copyExample(google, application.url);
    const applied = await company.apply();
    expect([applied.code, applied.stderr]).toEqual([0, expect.not.stringContaining('warning')]);
    expect([...(await readUsers(application)).keys()]).toEqual(at('mei.fenwick zoe.olofsson'));
    expect(await readTeams(application)).toMatchObject({
      Engineering: at('mei.fenwick zoe.olofsson'),
      'Site Reliability': at('mei.fenwick'),
      // The member that stands for the whole account, but who is suspended.
      'All of Corp': at('mei.fenwick zoe.olofsson'),
      Leads: at('mei.fenwick'),
    });
    expect((await company.status()).source).toEqual({
      provider: 'google',
      tenantId: CUSTOMER,
      domains: ['corp.example'],
    });
    const { writes } = application.counts();
    expect((await company.apply()).code).toBe(0);
    expect(application.counts().writes).toBe(writes);
    google.users = google.users.map((user) =>
      user.id === '1002' ? { ...user, deletionTime: '2026-01-02T00:00:00.000Z' } : user,
    );
    expect((await company.apply()).code).toBe(0);
    expect((await readUsers(application)).get('zoe.olofsson@corp.example')?.active).toBe(false);
  });

  it('keeps everybody when a quota is used up, or a scope is taken away (I1)', async () => {
    const google = await start();
    const application = await startApplication();
    const company = await copyExample(google, application.url);
    await company.apply();
    const { writes } = application.counts();
    google.server.fault = ({ path }) =>
      path.endsWith('/users') ? refuse(403, 'dailyLimitExceeded', 'Daily Limit Exceeded.') : null;
    const used = await company.apply();
    expect([used.code, used.stderr]).toEqual([1, expect.stringContaining('no more answers today')]);
    google.server.fault = () => null;
    google.scopes = [USER_SCOPE];
    const failed = await company.apply();
    expect([failed.code, failed.stderr]).toEqual([1, expect.stringContaining('admin.directory.group.readonly')]);
    expect((await company.status()).conditions).toContainEqual(
      expect.objectContaining({ type: 'Ready', status: 'False', reason: 'CredentialsRejected' }),
    );
    expect(application.counts().writes).toBe(writes);
    const { code, stdout } = await company.run(['check', 'source', '-f', 'manifests']);
    expect([code, stdout]).toEqual([1, expect.stringContaining('error   groups: ')]);
  });
});
