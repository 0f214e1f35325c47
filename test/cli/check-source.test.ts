/** `dirsync check source` over directories in this process: each line is ok, or says what to do. */
import { describe, expect, it, onTestFinished } from 'vitest';
import { createCertificate } from '../support/certificates.ts';
import { startEntra, toGraphUser } from '../support/entra-server.ts';
import { type ScimDirectory, startScimDirectory } from '../support/scim-directory-server.ts';
import { startScriptedServer } from '../support/scripted-server.ts';
import { startWorkos, toWorkosUser, type WorkosServer } from '../support/workos-server.ts';
import { type Company, createCompany, SECRET, startApplication, toSyncText } from './company.ts';

interface Given {
  readonly source: string;
  readonly secret: Readonly<Record<string, string>>;
  readonly files?: Readonly<Record<string, string>>;
}

async function aCompany({ source, secret, files = {} }: Given): Promise<Company> {
  return createCompany({
    'manifests/sync.yaml': toSyncText({
      url: 'https://app.example.com/scim/v2',
      spec: source.includes('/people.csv') ? '' : '  groups: { provision: All }\n',
    }).replace(/source: .*/, `source: ${source}`),
    'manifests/mapping.yaml': `apiVersion: dirsync.dev/v1alpha1
kind: AttributeMapping
metadata: { name: users }
spec:
  attributes:
    - { target: userName, source: id, matching: { precedence: 1 } }
    - { target: externalId, source: id, matching: { precedence: 2 } }
`,
    'manifests/secret.yaml': `${SECRET}---\napiVersion: v1\nkind: Secret\nmetadata: { name: directory }\nstringData: ${JSON.stringify(secret)}\n`,
    ...files,
  });
}

/** The lines, without those of identity, page and attributes, which every source has. */
async function check(company: Company, now?: () => Date) {
  const { code, stdout } = await company.run(['check', 'source', '-f', 'manifests'], now === undefined ? {} : { now });
  const lines = stdout.split('\n').slice(1, -1);
  return { code, lines: lines.filter((line) => !/^ {2}\w+ +(?:identity|first page|attributes):/.test(line)) };
}

const inAnHour = () => new Date(Date.now() + 3_600_000);

describe('check source of a directory of WorkOS', () => {
  async function start(content: Parameters<typeof startWorkos>[0] = {}): Promise<[WorkosServer, Company]> {
    const workos = await startWorkos({
      users: [toWorkosUser('ada'), toWorkosUser('zoe')],
      groups: [{ id: 'directory_group_eng', idp_id: 'eng', name: 'Engineering', members: ['ada'] }],
      ...content,
    });
    onTestFinished(() => workos.close());
    const source = `{ workos: { directoryId: ${workos.directoryId}, apiUrl: "${workos.url}", credentialsRef: { name: directory } } }`;
    return [workos, await aCompany({ source, secret: { apiKey: workos.apiKey } })];
  }

  it('says what the key opens and how many there are', async () => {
    const [, company] = await start();
    expect(await check(company)).toEqual({
      code: 0,
      lines: [
        '  ok      credentials: the API key is taken',
        '  ok      clock: as that of the other side',
        '  ok      directory: it is linked, so that its lists can be trusted',
        '  ok      people: 2 in the directory',
        '  ok      groups: 1 in the directory',
        '  ok      members of groups: they can be read',
        '  ok      changes: there was none in the 30 days that they are kept',
      ],
    });
  });

  it('warns of a clock that is wrong, and of events that the key does not get', async () => {
    const [workos, company] = await start({ groups: [] });
    workos.server.fault = ({ path }) => (path === '/events' ? { status: 403, body: { message: 'Forbidden' } } : null);
    const { code, lines } = await check(company, inAnHour);
    expect(code).toBe(0);
    expect(lines).toContainEqual(
      expect.stringMatching(/^ {2}warning clock: 3\d{3} seconds away .*; set this machine's by a time server$/),
    );
    expect(lines).toContain('  ok      members of groups: there is no group to look at');
    expect(lines.at(-1)).toMatch(
      /^ {2}warning changes: .* does not let these credentials read the list of events \(403\); check .*; each run reads everybody$/,
    );
  });

  it('names each list that the key does not open', async () => {
    const [workos, company] = await start();
    workos.server.fault = ({ query }) => (query.has('group') ? { status: 403, body: { message: 'Forbidden' } } : null);
    const { code, lines } = await check(company);
    expect(code).toBe(1);
    expect(lines).toContain('  ok      groups: 1 in the directory');
    expect(lines).toContainEqual(
      expect.stringMatching(/^ {2}error {3}members of groups: .*the members of a group \(403\)/),
    );
  });

  it('ends at a key that is refused, and at a directory that is being deleted', async () => {
    const [workos, company] = await start();
    workos.state = 'deleting';
    expect(await check(company)).toEqual({
      code: 1,
      lines: [expect.stringMatching(/^ {2}error {3}read: the directory .* is being deleted, and its people with it/)],
    });
    await company.write(
      'manifests/secret.yaml',
      (await company.read('manifests/secret.yaml')).replace(workos.apiKey, 'x'),
    );
    const { code, lines } = await check(company);
    expect([code, lines]).toEqual([
      1,
      [expect.stringMatching(/^ {2}error {3}credentials: .*\(401\); check Secret default\/directory$/)],
    ]);
  });
});

describe('check source of a tenant of Entra', () => {
  const DAY = 86_400_000;

  it('warns of a client certificate that ends soon, and so does the status of a run', async () => {
    const entra = await startEntra({ users: [toGraphUser('ada')] });
    onTestFinished(() => entra.close());
    const notBefore = new Date(Date.now() - DAY);
    const soon = createCertificate({ notBefore, notAfter: new Date(Date.now() + 5 * DAY) }, 'rsa');
    entra.certificate = soon.cert;
    const application = await startApplication();
    const { url, tenantId, clientId } = entra;
    const company = await aCompany({
      source: `{ entra: { tenantId: ${tenantId}, authorityUrl: "${url}", graphUrl: "${url}", credentialsRef: { name: directory } } }`,
      secret: { clientId, 'tls.crt': soon.cert, 'tls.key': soon.key },
    });
    const message = 'the certificate or token of the Secret of the source expires within 7 days; renew it';
    const { code, lines } = await check(company);
    expect(code).toBe(0);
    expect(lines).toContain('  ok      credentials: the client certificate is taken');
    expect(lines).toContain(`  warning credentials: ${message}`);
    const sync = await company.read('manifests/sync.yaml');
    await company.write('manifests/sync.yaml', sync.replace('https://app.example.com/scim/v2', application.url));
    expect((await company.apply()).code).toBe(0);
    const { conditions, credentials } = await company.status();
    expect(conditions?.find(({ type }) => type === 'CredentialsExpiring')).toMatchObject({
      status: 'True',
      reason: 'SourceCredentialExpiring',
      message,
    });
    expect(credentials).toEqual([{ kind: 'SourceCredential', expiresAt: expect.stringMatching(/^20/) }]);
    // One that has expired is told although nothing can be read with it.
    const late = await check(company, () => new Date(Date.now() + 6 * DAY));
    expect(late.code).toBe(1);
    expect(late.lines).toContain(`  warning credentials: ${message.replace('expires within 7 days', 'has expired')}`);
  });
});

describe('check source of a SCIM service', () => {
  async function start(content: Parameters<typeof startScimDirectory>[0] = {}): Promise<[ScimDirectory, Company]> {
    const directory = await startScimDirectory({
      users: [{ id: '1', userName: 'ada@corp.example' }],
      groups: [{ id: 'g1', displayName: 'Engineering', members: [{ value: '1' }] }],
      ...content,
    });
    onTestFinished(() => directory.close());
    const { url, client } = directory;
    return [
      directory,
      await aCompany({ source: `{ scim: { url: "${url}", credentialsRef: { name: directory } } }`, secret: client }),
    ];
  }

  it('says how many there are, where members stand, and that its schemas are missing', async () => {
    const [directory, company] = await start();
    expect(await check(company)).toEqual({
      code: 0,
      lines: [
        '  ok      credentials: they are taken',
        '  ok      clock: as that of the other side',
        '  ok      people: 1 in all',
        '  ok      groups: 1 in all',
        '  ok      members of groups: the list shows them',
        '  warning schemas: the service does not list any (/Schemas): an attribute that nobody has is unknown, and what depends on it stays as it is',
      ],
    });
    directory.hidesMembers = true;
    directory.server.fault = ({ path }) =>
      path.endsWith('/Schemas')
        ? {
            status: 200,
            body: {
              Resources: [
                {
                  id: 'urn:ietf:params:scim:schemas:core:2.0:User',
                  attributes: [
                    { name: 'userName', type: 'string' },
                    { name: 'title', type: 'string' },
                  ],
                },
              ],
            },
          }
        : null;
    expect((await check(company, inAnHour)).lines.slice(1)).toEqual([
      expect.stringMatching(/^ {2}warning clock: 3\d{3} seconds away/),
      '  ok      people: 1 in all',
      '  ok      groups: 1 in all',
      '  ok      members of groups: the list does not show any: each group without is asked for by itself',
      '  ok      schemas: they name 2 attributes of people',
    ]);
  });

  it('names groups that the credentials do not open', async () => {
    const [directory, company] = await start();
    directory.server.fault = ({ path }) =>
      path.includes('/Groups') ? { status: 403, body: { status: '403', detail: 'no' } } : null;
    const { code, lines } = await check(company);
    expect(code).toBe(1);
    expect(lines).toContainEqual(
      expect.stringMatching(/^ {2}error {3}groups: .*does not let these credentials read the list of groups \(403\)/),
    );
    expect(lines).toContain('  ok      members of groups: there is no group to look at');
  });

  it('ends at credentials that are refused', async () => {
    const [, company] = await start();
    await company.write(
      'manifests/secret.yaml',
      (await company.read('manifests/secret.yaml')).replace('sesame', 'wrong'),
    );
    const { code, lines } = await check(company);
    expect([code, lines]).toEqual([1, [expect.stringMatching(/^ {2}error {3}credentials: .*gives no token/)]]);
  });
});

describe('check source of files', () => {
  const PEOPLE = 'id,active\n1,true\n2,false\n';
  const GROUPS = 'id,members\neng,1;2\nops,\n';

  it('reads each to its end, and says what is in it', async () => {
    const company = await aCompany({
      source: '{ file: { users: { path: people.csv }, groups: { path: groups.csv } } }',
      secret: {},
      files: { 'manifests/people.csv': PEOPLE, 'manifests/groups.csv': GROUPS },
    });
    expect(await check(company)).toEqual({
      code: 0,
      lines: [
        '  ok      people: 2 in people.csv (CSV), read to its end, 1 of them inactive',
        '  ok      groups: 2 in groups.csv (CSV), read to its end, with 2 members',
      ],
    });
    await company.write('manifests/people.csv', `${PEOPLE}3,"tr`);
    await company.write('manifests/groups.csv', 'id\neng\n');
    const { code, lines } = await check(company);
    expect(code).toBe(1);
    expect(lines).toEqual([
      expect.stringMatching(/^ {2}error {3}people: cannot read people\.csv: /),
      expect.stringMatching(/^ {2}error {3}groups: cannot read groups\.csv: no group has "members"/),
    ]);
  });

  it('reaches a server with the credentials of the place, and compares the clocks', async () => {
    const server = await startScriptedServer(({ authorization }) =>
      authorization === 'Bearer sesame'
        ? { status: 200, headers: { 'content-type': 'text/csv' }, body: Buffer.from(PEOPLE) }
        : { status: 401, body: 'who is there?' },
    );
    onTestFinished(() => server.close());
    const given = {
      source: `{ file: { users: { url: "${server.url}/people.csv", credentialsRef: { name: directory } } } }`,
      secret: { token: 'sesame' },
    };
    const company = await aCompany(given);
    expect(await check(company)).toEqual({
      code: 0,
      lines: [
        `  ok      people: 2 in ${server.url}/people.csv (CSV; the credentials are taken), read to its end, 1 of them inactive`,
        '  ok      clock: as that of the other side',
      ],
    });
    await company.write(
      'manifests/secret.yaml',
      (await company.read('manifests/secret.yaml')).replace('sesame', 'wrong'),
    );
    const { code, lines } = await check(company);
    expect(code).toBe(1);
    expect(lines[0]).toMatch(/^ {2}error {3}people: .*\(401\); check Secret default\/directory/);
  });
});
