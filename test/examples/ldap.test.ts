import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it, onTestFinished } from 'vitest';
import { type Company, createCompany, readTeams, readUsers, startApplication, TOKEN } from '../cli/company.ts';
import { AD_TREE, toAdGroup, toAdUser, toSampleGuid } from '../sources/ldap/entries.ts';
import { createCertificate } from '../support/certificates.ts';
import { createLdapDirectory } from '../support/ldap-directory.ts';
import { type LdapServer, type ServedEntry, startLdapServer } from '../support/ldap-server.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));

/** A copy of the example whose source and application are those of the test. */
async function copyExample({ ldap, ca }: Controller, application: string): Promise<Company> {
  const files: Record<string, string> = {};
  for (const name of await readdir(join(ROOT, 'examples/ldap'))) {
    const text = await readFile(join(ROOT, 'examples/ldap', name), 'utf8');
    files[`manifests/${name}`] = text
      .replace('http://127.0.0.1:8090/scim/v2', application)
      .replace('ldap-token', TOKEN)
      .replace('ldaps://dc1.corp.example', ldap.url)
      .replace('put-yours-here', ldap.password)
      .replace(/ {4}-----BEGIN[\s\S]*END CERTIFICATE-----/, ca.trim().replaceAll(/^/gm, '    '));
  }
  return createCompany(files);
}

const at = (names: string): string[] => names.split(' ').map((name) => `${name}@corp.example`);

function person(name: string, department: string, title: string, userAccountControl = '512'): ServedEntry {
  const [first = '', last = ''] = name.split(' ');
  const principal = `${first}.${last}@corp.example`.toLowerCase();
  return toAdUser(name, {
    ...{
      cn: [name],
      userPrincipalName: [principal],
      mail: [principal],
      givenName: [first],
      sn: [last],
      displayName: [name],
    },
    ...{ department: [department], title: [title], company: ['Acme'], division: ['EMEA'], employeeType: ['Full Time'] },
    ...{ employeeID: [`4${last.length}`], employeeNumber: [`4${last.length}`], telephoneNumber: ['+44 1632 960042'] },
    ...{ mobile: ['+44 7700 900042'], preferredLanguage: ['en'], streetAddress: ['1 High St'], l: ['Leeds'] },
    ...{ st: ['Yorkshire'], postalCode: ['LS1 1AA'], co: ['United Kingdom'] },
    ...{ manager: ['CN=Mei Fenwick,CN=Users,DC=corp,DC=example'], userAccountControl: [userAccountControl] },
  });
}

function withTime({ dn, attributes }: ServedEntry, now: number): ServedEntry {
  const currentTime = [
    new Date(now)
      .toISOString()
      .replace(/[-:T]|\.\d+/g, '')
      .replace('Z', '.0Z'),
  ];
  return { dn, attributes: { ...attributes, currentTime } };
}

interface Controller {
  readonly ldap: LdapServer;
  readonly ca: string;
}

/** A domain controller with three people, one of whom may not sign in, and groups of either kind. */
async function start(): Promise<Controller> {
  const now = Date.now();
  const tls = createCertificate({ notBefore: new Date(now - 1_000), notAfter: new Date(now + 400 * 86_400_000) });
  const ldap = await startLdapServer({ tls, encrypted: true });
  onTestFinished(() => ldap.close());
  ldap.bindDN = 'dirsync@corp.example';
  createLdapDirectory(ldap).set([
    ...AD_TREE.map((entry) => (entry.dn === '' ? withTime(entry, now) : entry)),
    person('Mei Fenwick', 'Finance', 'Controller'),
    person('Zoe Olofsson', 'Sales', 'Agent'),
    person('Hugo Lindqvist', 'Finance', 'Clerk', '514'),
    toAdGroup('Domain Users', 513, []),
    toAdGroup('Engineering', 1201, ['Zoe Olofsson', 'Night Shift']),
    toAdGroup('Night Shift', 1202, ['Mei Fenwick', 'Engineering']),
  ]);
  return { ldap, ca: tls.cert };
}

describe('examples/ldap', () => {
  it('does what its page shows', async () => {
    const controller = await start();
    const application = await startApplication();
    const company = await copyExample(controller, application.url);
    const page = await readFile(join(ROOT, 'docs/sources/ldap.md'), 'utf8');
    const validated = await company.run(['validate', '-f', 'manifests']);
    expect([validated.code, validated.stderr]).toEqual([0, '']);
    for (const argv of [['check', 'source'], ['schema', '--find', 'manager'], ['plan']]) {
      const { code, stdout, stderr } = await company.run([...argv, '-f', 'manifests']);
      expect([code, stderr]).toEqual([0, expect.not.stringContaining('warning')]);
      expect(page).toContain(`$ dirsync ${argv.join(' ')} -f examples/ldap\n${stdout.trim()}\n`);
    }
  });

  it('runs with nested and primary groups, and writes nothing the second time (I2)', async () => {
    const controller = await start();
    const application = await startApplication();
    const company = await copyExample(controller, application.url);
    const applied = await company.apply();
    expect([applied.code, applied.stderr]).toEqual([0, expect.not.stringContaining('warning')]);
    const users = await readUsers(application);
    expect([...users.keys()]).toEqual(at('mei.fenwick zoe.olofsson'));
    expect(await readTeams(application)).toMatchObject({
      'Domain Users': at('mei.fenwick zoe.olofsson'),
      Engineering: at('mei.fenwick zoe.olofsson'),
      'Finance People': at('mei.fenwick'),
    });
    const manager = { value: users.get('mei.fenwick@corp.example')?.['id'] };
    expect(users.get('zoe.olofsson@corp.example')).toMatchObject({
      externalId: toSampleGuid('Zoe Olofsson'),
      'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User': { department: 'Sales', manager },
    });
    expect((await company.status()).source).toEqual({
      provider: 'ldap',
      tenantId: toSampleGuid('the domain'),
      tenantName: 'corp.example',
      domains: ['corp.example'],
    });
    const { writes } = application.counts();
    expect((await company.apply()).code).toBe(0);
    expect(application.counts().writes).toBe(writes);
  });

  it('removes nobody when the list of people ends at a limit (I1)', async () => {
    const controller = await start();
    const application = await startApplication();
    const company = await copyExample(controller, application.url);
    await company.apply();
    const { writes } = application.counts();
    controller.ldap.fault = ({ page }) => (page > 0 ? { code: 4, entries: 1 } : null);
    const failed = await company.apply();
    expect(failed.code).toBe(1);
    expect(failed.stderr).toContain('the account may read no more entries (result 4)');
    expect((await company.status()).conditions).toContainEqual(
      expect.objectContaining({ type: 'Ready', status: 'False', reason: 'ReadIncomplete' }),
    );
    expect(application.counts().writes).toBe(writes);
  });
});
