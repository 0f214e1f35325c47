import { once } from 'node:events';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import nock from 'nock';
import { describe, expect, it, onTestFinished } from 'vitest';
import { openService } from '../../src/directory/service.ts';
import { createCertificate } from '../support/certificates.ts';
import { createCompany, createReadyCompany, MAPPING, SECRET, startApplication, TOKEN, toSyncText } from './company.ts';

/** An application that nock answers: bare, and not as one would wish. */
const ORIGIN = 'https://app.example.com';

async function aCompany(more: Readonly<Record<string, string>> = {}) {
  return await createCompany({
    'manifests/sync.yaml': toSyncText({ url: `${ORIGIN}/scim/v2` }),
    'manifests/mapping.yaml': MAPPING,
    'manifests/secret.yaml': SECRET,
    'manifests/people.csv': 'id,userName,department,title\n1,ada@corp.example,Sales,Agent\n',
    ...more,
  });
}

describe('check target', () => {
  it('says what an application can do, with nothing written and nobody named', async () => {
    const directory = await startApplication();
    const company = await createReadyCompany(directory.url);
    await company.apply();
    const { writes } = directory.counts();
    const { code, stdout, stderr } = await company.run(['check', 'target', '-f', 'manifests']);
    expect(stderr).toBe('');
    expect(stdout.split('\n')).toEqual([
      'acme: target',
      '  ok      credentials: are taken',
      expect.stringMatching(/^ {2}ok {6}ServiceProviderConfig: patch yes, filter yes, bulk \w+, sort \w+, etag yes/),
      expect.stringMatching(/^ {2}ok {6}Schemas: .*urn:ietf:params:scim:schemas:core:2.0:User/),
      '  ok      ResourceTypes: User, Group',
      expect.stringMatching(/^ {2}ok {6}\/Users: 6 in all, paged by (index|cursor)$/),
      '  ok      ids: lead to the account, with versions (ETag)',
      '  ok      case: userName is found whatever its case',
      '  ok      errors: are SCIM errors',
      '  ok      search by userName: works',
      '  ok      search by externalId: works',
      expect.stringMatching(/^ {2}ok {6}\/Groups: 1 in all, paged by (index|cursor)$/),
      '  ok      members: of groups can be read',
      '  ok      profile: Standard; the address is not one that tells which fits, and nothing that was seen speaks against it',
      '  ok      mapping: nothing that the target says of itself speaks against it',
      '',
    ]);
    expect(code).toBe(0);
    expect(directory.counts().writes).toBe(writes);
    expect(stdout).not.toMatch(/@corp\.example|test-token/);
  });

  it('needs no state, and leaves none', async () => {
    const directory = await startApplication();
    const company = await createReadyCompany(directory.url);
    await company.run(['check', 'target', '-f', 'manifests']);
    await expect(company.read('.dirsync/state.db')).rejects.toThrow(/ENOENT/);
  });

  it('as JSON has the same findings', async () => {
    const directory = await startApplication();
    const company = await createReadyCompany(directory.url);
    const { code, stdout } = await company.run(['check', 'target', '-f', 'manifests', '-o', 'json']);
    expect(code).toBe(0);
    const result = JSON.parse(stdout);
    expect(result).toMatchObject({ directorySync: 'default/acme', side: 'target', ok: true });
    expect(result.findings[0]).toEqual({ verdict: 'ok', about: 'credentials', message: 'are taken' });
  });

  it('ends at credentials that are refused', async () => {
    const directory = await startApplication();
    const company = await createReadyCompany(directory.url);
    await company.write('manifests/secret.yaml', SECRET.replace(TOKEN, 'wrong'));
    const { code, stdout } = await company.run(['check', 'target', '-f', 'manifests']);
    expect(code).toBe(1);
    const origin = new URL(directory.url).origin;
    expect(stdout.split('\n').slice(1)).toEqual([
      `  error   credentials: ${origin} rejects the credentials (401); check Secret default/app`,
      '',
    ]);
  });

  it('ends at a Secret that is missing', async () => {
    const company = await aCompany({ 'manifests/secret.yaml': '' });
    const { code, stdout } = await company.run(['check', 'target', '-f', 'manifests']);
    expect(code).toBe(1);
    expect(stdout).toMatch(/error {3}reference: Secret default\/app is missing/);
  });

  it('says what will not work with the mapping as it is, and how the rest goes on', async () => {
    const attribute = (name: string, more: object = {}) => ({ name, type: 'string', ...more });
    const attributes = [
      attribute('userName', { required: true }),
      attribute('displayName', { required: true }),
      attribute('title', { mutability: 'readOnly' }),
    ];
    const schema = { id: 'urn:ietf:params:scim:schemas:core:2.0:User', attributes };
    const user = { id: 'A1', userName: 'Ada@corp.example' };
    const list = (...Resources: object[]) => ({ totalResults: Resources.length, Resources });
    const scope = nock(`${ORIGIN}/scim/v2`)
      // Once for the probe, once for what a run would be told.
      .get('/ServiceProviderConfig')
      .times(2)
      .reply(404)
      .get('/Schemas')
      .times(2)
      .reply(200, list(schema))
      .get('/ResourceTypes')
      .reply(404)
      .get('/Users?count=1')
      .reply(200, list(user, { ...user, id: 'B2' }))
      .get('/Users/A1')
      .reply(200, user)
      .get('/Users')
      .query({ filter: 'userName eq "aDA@CORP.EXAMPLE"' })
      .reply(200, list())
      .get('/Users')
      .query(({ filter = '' }) => /^userName eq "dirsync-check-[0-9a-f-]{36}@example\.invalid"$/.test(String(filter)))
      .reply(200, list(user))
      .get('/Users')
      .query(({ filter = '' }) => String(filter).startsWith('externalId eq "dirsync-check-'))
      .reply(400, { scimType: 'invalidFilter' })
      .get(/^\/scim\/v2\/Users\/dirsync-check-/)
      .reply(404, { status: '404' })
      .get('/Groups?count=1')
      .reply(404)
      .get('/Users?startIndex=1&count=1')
      .reply(200, list(user))
      .get('/Users?cursor=&count=1')
      .reply(501)
      // What tells profiles apart: first whether a search by nothing is taken too.
      .get('/Users')
      .query(({ filter = '' }) => String(filter).startsWith('dirsyncCheck eq "'))
      .reply(200, list())
      .get('/Users')
      .query(({ filter = '' }) => String(filter).includes(' eq "dirsync-check-'))
      .times(6)
      .reply(400, { scimType: 'invalidFilter' });
    const company = await aCompany();
    const { code, stdout } = await company.run(['check', 'target', '-f', 'manifests']);
    scope.done();
    expect(stdout.split('\n')).toEqual([
      'acme: target',
      '  ok      credentials: are taken',
      '  warning ServiceProviderConfig: is missing (404): PATCH and ETags are taken for unsupported, filters for supported',
      '  ok      Schemas: urn:ietf:params:scim:schemas:core:2.0:User',
      '  ok      ResourceTypes: are missing (404); nothing depends on them',
      '  ok      /Users: 2 in all, paged by index',
      '  warning /Users: count is ignored: pages are as large as the application likes',
      '  ok      ids: lead to the account, without versions',
      '  warning case: userName is found in its own case only; an account in another case is not matched by a search',
      '  ok      errors: are SCIM errors',
      '  warning search by userName: is ignored: everybody answers, so that each search reads the whole list',
      '  warning search by externalId: is refused (400 invalidFilter): the whole list is read instead',
      '  ok      /Groups: cannot be listed (404)',
      '  ok      profile: there are no groups: TeamRules cannot be carried out',
      '  ok      profile: Standard; the address is not one that tells which fits, and nothing that was seen speaks against it',
      '  warning mapping: the target does not list the schema urn:ietf:params:scim:schemas:extension:enterprise:2.0:User; it may drop its attributes',
      '  error   mapping: the target lists "title" as read-only: take its entry out of the mapping',
      '  error   mapping: the target lists "displayName" as required: give it an entry in the mapping',
      '',
    ]);
    expect(code).toBe(1);
  });

  it('goes on without mappings, which are not compared then', async () => {
    const directory = await startApplication();
    const company = await createReadyCompany(directory.url);
    await company.write('manifests/mapping.yaml', '');
    const { code, stdout } = await company.run(['check', 'target', '-f', 'manifests']);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^ {2}warning resources: nothing is compared: .*users/m);
    expect(stdout).toMatch(/^ {2}ok {6}\/Users: 0 in all/m);
    expect(stdout).not.toMatch(/search by|mapping:/);
  });

  it('warns of a token that ends soon', async () => {
    const directory = await startApplication();
    const company = await createReadyCompany(directory.url);
    const claims = Buffer.from('{"exp":1800000000}').toString('base64url');
    await company.write('manifests/secret.yaml', SECRET.replace(TOKEN, `e30.${claims}.sig`));
    const now = () => new Date(1_800_000_000_000 - 5 * 86_400_000);
    // The application knows another token, which is what this one would be taken for once it has expired.
    const { stdout } = await company.run(['check', 'target', '-f', 'manifests'], { now });
    expect(stdout.split('\n').slice(1)).toEqual([
      '  warning credentials: the token of the Secret expires within 7 days; renew it',
      expect.stringMatching(/^ {2}error {3}credentials: .* rejects the credentials \(401\)/),
      '',
    ]);
  });

  it('needs a side', async () => {
    const company = await aCompany();
    expect((await company.run(['check', 'middle', '-f', 'manifests'])).code).toBe(64);
    expect((await company.run(['check', 'target'])).code).toBe(64);
  });
});

describe('check source', () => {
  it('says who it is and which attributes it has, and nobody’s values', async () => {
    const company = await aCompany();
    const { code, stdout } = await company.run(['check', 'source', '-f', 'manifests']);
    expect(stdout.split('\n')).toEqual([
      'acme: source',
      '  ok      people: 1 in people.csv (CSV), read to its end, 0 of them inactive',
      '  ok      state: nobody has active or accountEnabled: everybody who is there counts as active, and leaves by being taken out',
      '  ok      identity: it has none of its own',
      expect.stringMatching(/^ {2}ok {6}first page: 1 person/),
      '  ok      attributes: department, id, title, userName',
      '',
    ]);
    expect(code).toBe(0);
  });

  it('names what mappings read and the source does not have', async () => {
    const company = await aCompany({ 'manifests/people.csv': 'id,userName,department\n1,ada@corp.example,Sales\n' });
    const { stdout } = await company.run(['check', 'source', '-f', 'manifests']);
    expect(stdout).toMatch(
      /^ {2}warning attributes: "title" is not (there|on the first page), but mappings, rules or filters read it: what depends on it stays as it is$/m,
    );
  });

  it('fails for a file that is not there', async () => {
    const company = await aCompany();
    await company.write('manifests/sync.yaml', toSyncText({ url: ORIGIN }).replace('people.csv', 'nobody.csv'));
    const { code, stdout } = await company.run(['check', 'source', '-f', 'manifests']);
    expect(code).toBe(1);
    expect(stdout).toMatch(/^ {2}error {3}\w+: .*nobody\.csv/m);
  });
});

it('check target names the profile that the address calls for', async () => {
  const company = await aCompany({
    'manifests/sync.yaml': toSyncText({ url: 'https://api.zoom.us/scim2' }),
    'manifests/mapping.yaml': '',
  });
  const list = { totalResults: 0, Resources: [] };
  nock('https://api.zoom.us/scim2')
    .get(/ServiceProviderConfig|Schemas|ResourceTypes/)
    .times(3)
    .reply(404)
    .get(/Users\/dirsync-check/)
    .reply(404)
    .get(/Users|Groups/)
    .times(16)
    .reply(200, list);
  const { code, stdout } = await company.run(['check', 'target', '-f', 'manifests']);
  expect(stdout).toMatch(
    /^ {2}warning profile: Standard, but the one for this address is Zoom: set target\.scim\.profile: Zoom$/m,
  );
  expect(code).toBe(0);
});

describe('an application behind a private authority', () => {
  /** The directory behind TLS, with a certificate that ends in five days. */
  async function aSecureApplication() {
    const now = Date.now();
    const [notBefore, notAfter] = [new Date(now - 86_400_000), new Date(now + 5 * 86_400_000)];
    const certificate = createCertificate({ notBefore, notAfter });
    const directory = openService('https://app.example.com/scim/v2', { file: ':memory:', token: TOKEN });
    const server = createServer(certificate, async ({ method = 'GET', url: path = '/', headers }, response) => {
      const { authorization } = headers;
      const answer = await directory.handle({ method, path, headers: { authorization }, body: '' });
      response.writeHead(answer.status, answer.headers).end(answer.body ?? '');
    });
    await once(server.listen(0, '127.0.0.1'), 'listening');
    onTestFinished(() => {
      server.closeAllConnections();
      server.close();
      directory.close();
    });
    const host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
    return { url: `https://${host}/scim/v2`, host, cert: certificate.cert };
  }

  const toConfigMap = (cert: string) =>
    `apiVersion: v1\nkind: ConfigMap\nmetadata: { name: corp-ca }\ndata:\n  ca.crt: |\n    ${cert.trim().replaceAll('\n', '\n    ')}\n`;

  it('is reached when caRef names it, and its end is told of', async () => {
    const { url, host, cert } = await aSecureApplication();
    const sync = toSyncText({ url });
    const company = await aCompany({ 'manifests/sync.yaml': sync, 'manifests/ca.yaml': toConfigMap(cert) });
    const distrusted = await company.run(['check', 'target', '-f', 'manifests']);
    expect(distrusted.code).toBe(1);
    expect(distrusted.stdout.split('\n').slice(1)).toEqual([
      `  error   connection: https://${host} cannot be trusted or does not speak TLS (DEPTH_ZERO_SELF_SIGNED_CERT)`,
      '',
    ]);
    const caRef = 'caRef: { kind: ConfigMap, name: corp-ca, key: ca.crt }';
    await company.write('manifests/sync.yaml', sync.replace('credentialsRef:', `${caRef}, credentialsRef:`));
    const { code, stdout } = await company.run(['check', 'target', '-f', 'manifests']);
    expect(code).toBe(0);
    expect(stdout).toContain('  ok      credentials: are taken\n');
    expect(stdout).toMatch(/^ {2}warning credentials: .*the certificate of caRef expires within 7 days/m);
    expect(stdout).toContain(`the certificate of ${host} expires within 7 days`);
  });

  it('whose caRef holds no certificate is refused before anything is asked', async () => {
    const { url } = await aSecureApplication();
    const caRef = 'caRef: { kind: ConfigMap, name: corp-ca, key: ca.crt }';
    const sync = toSyncText({ url }).replace('credentialsRef:', `${caRef}, credentialsRef:`);
    const company = await aCompany({ 'manifests/sync.yaml': sync, 'manifests/ca.yaml': toConfigMap('nothing') });
    const { code, stdout } = await company.run(['check', 'target', '-f', 'manifests']);
    expect(code).toBe(1);
    expect(stdout).toMatch(
      /^ {2}error {3}spec: ConfigMap default\/corp-ca, key "ca\.crt" \(caRef\) has no certificate/m,
    );
  });
});
