/** The whole way by changes: what a run asks of a directory and of an application when ten of many people have changed. */
import { describe, expect, it, onTestFinished } from 'vitest';
import { startFileServer } from '../sources/file/file-server.ts';
import { APPLICATION, EDITOR, startEntra, toGraphUser } from '../support/entra-server.ts';
import { startWorkos, toWorkosUser, type WorkosUser } from '../support/workos-server.ts';
import { type Company, createCompany, startApplication, TOKEN, toSyncText } from './company.ts';

const MAPPING = `apiVersion: dirsync.dev/v1alpha1
kind: AttributeMapping
metadata: { name: users }
spec:
  attributes:
    - { target: userName, source: email, required: true, matching: { precedence: 1 } }
    - { target: externalId, source: idp_id, matching: { precedence: 2 } }
    - { target: name.familyName, source: last_name }
`;

async function aCompany(people: readonly WorkosUser[]) {
  const workos = await startWorkos({ users: people });
  onTestFinished(() => workos.close());
  workos.eventsSince = Date.now();
  const application = await startApplication();
  const source = `source: { workos: { directoryId: ${workos.directoryId}, apiUrl: "${workos.url}", credentialsRef: { name: workos } } }`;
  const company = await createCompany({
    'manifests/sync.yaml': toSyncText({ url: application.url }).replace(/source: .*/, source),
    'manifests/mapping.yaml': MAPPING,
    'manifests/secrets.yaml': ['app', 'workos']
      .map((name) => {
        const value = name === 'app' ? `token: ${TOKEN}` : `apiKey: ${workos.apiKey}`;
        return `apiVersion: v1\nkind: Secret\nmetadata: { name: ${name} }\nstringData: { ${value} }\n`;
      })
      .join('---\n'),
  });
  return { workos, company };
}

const GUARDED = '  groups: { provision: All }\n  guards: { deactivate: { percent: 100 } }\n';

/** People with managers and groups, by the preset. */
async function aTenant(count: number) {
  const users = Array.from({ length: count }, (_, n) =>
    toGraphUser(`u${n}`, { surname: 'Byron', ...(n === 0 ? {} : { manager: `u${Math.floor(n / 10)}` }) }),
  );
  const groups = ['Choir', 'Chess'].map((displayName, g) => ({
    ...{ id: `g${g}`, displayName },
    members: users.flatMap(({ id }, n) => (n % 10 === g ? [{ id, type: 'user' as const }] : [])),
  }));
  const entra = await startEntra({ users, groups });
  onTestFinished(() => entra.close());
  const { url, tenantId, clientId, clientSecret } = entra;
  const application = await startApplication();
  const source = `source: { entra: { tenantId: ${tenantId}, authorityUrl: "${url}", graphUrl: "${url}", credentialsRef: { name: entra } } }`;
  const company = await createCompany({
    'manifests/sync.yaml': toSyncText({ url: application.url, spec: GUARDED })
      .replace(/source: .*/, source)
      .replace(/ *mappings: .*\n/, ''),
    'manifests/secrets.yaml': `apiVersion: v1
kind: Secret
metadata: { name: app }
stringData: { token: ${TOKEN} }
---
apiVersion: v1
kind: Secret
metadata: { name: entra }
stringData: { clientId: ${clientId}, clientSecret: "${clientSecret}" }
`,
  });
  return { entra, company };
}

const lastRun = async (company: Company) => (await company.status()).lastRun;
const sourceRead = async (company: Company) =>
  (await company.status()).conditions?.find(({ type }) => type === 'SourceRead')?.message;

describe('ten changes', () => {
  it('of 250 people are three requests to the directory and twelve to the application at most', async () => {
    const people = Array.from({ length: 250 }, (_, n) => toWorkosUser(`u${n}`));
    const { workos, company } = await aCompany(people);
    expect((await company.apply()).code).toBe(0);
    expect(await lastRun(company)).toMatchObject({ kind: 'Verify' });
    expect(await sourceRead(company)).toBe(
      'the last read arrived whole: everybody was read, for there is no complete read to go on from',
    );
    workos.change({ users: people.map((each, n) => (n < 10 ? { ...each, last_name: 'Renamed' } : each)), groups: [] });
    const { code, stdout } = await company.apply();
    expect([code, stdout]).toEqual([0, expect.stringContaining('10 updated')]);
    const run = await lastRun(company);
    expect(run).toMatchObject({ kind: 'Delta', outcome: 'Synced', applied: { update: 10 } });
    expect(run?.requests?.source).toBeLessThanOrEqual(3);
    expect(run?.requests?.target).toBeLessThanOrEqual(12);
    expect(await sourceRead(company)).toBe('the changes since the last read arrived whole');
  });

  it('of 1,200 people of a tenant, with managers and groups, are no more', async () => {
    const { entra, company } = await aTenant(1_200);
    expect((await company.apply()).code).toBe(0);
    const everybody = (await lastRun(company))?.requests?.source;
    // The tenant, two cursors, two pages of people, one of groups and one of members of each.
    expect(everybody).toBe(1 + 2 + 2 + 1 + 2);
    const asked = entra.server.requests.length;
    entra.change({
      users: entra.users.map((each, n) => (n < 8 ? { ...each, surname: 'Lovelace' } : each)),
      groups: entra.groups.map((each) => ({ ...each, members: each.members.slice(1) })),
    });
    expect((await company.apply()).code).toBe(0);
    const run = await lastRun(company);
    expect(run).toMatchObject({ kind: 'Delta', outcome: 'Synced', applied: { update: 8, removeMembers: 2 } });
    expect(run?.requests?.source).toBe(3);
    expect(run?.requests?.target).toBeLessThanOrEqual(12);
    // One more is for the token: nothing is kept when the command has ended.
    expect(entra.server.requests.slice(asked).map(({ path }) => path.split('/').at(-1))).toEqual([
      'token',
      'organization',
      'delta',
      'delta',
    ]);
  });

  it('joiners and leavers among them are not many more', async () => {
    const people = Array.from({ length: 120 }, (_, n) => toWorkosUser(`u${n}`));
    const { workos, company } = await aCompany(people);
    await company.apply();
    workos.change({
      users: [...people.slice(5), ...Array.from({ length: 5 }, (_, n) => toWorkosUser(`new${n}`))],
      groups: [],
    });
    expect((await company.apply()).stdout).toContain('5 created, 5 deactivated');
    const run = await lastRun(company);
    expect(run?.requests?.source).toBeLessThanOrEqual(3);
    // Each joiner is searched for by what they may have an account under.
    expect(run?.requests?.target).toBeLessThanOrEqual(2 + 5 + 5 + 2 * 5);
  });
});

const ANEW =
  'the last read arrived whole: everybody was read, for source, scope or what is asked for are not those of the last read';
const BY_CHANGES = 'the changes since the last read arrived whole';

/** Only people called Byron. */
const BYRONS = (attribute: string) =>
  `  scope: { filters: [ [ { attribute: ${attribute}, operator: Equals, value: Byron } ] ] }\n`;

describe('what is asked for is another thing (S17): everybody is read once, and then changes again', () => {
  async function edit(company: Company, change: (text: string) => string): Promise<void> {
    const text = await company.read('manifests/sync.yaml');
    await company.write('manifests/sync.yaml', change(text));
  }

  it('a scope that people leave, and come back into by a change alone, of a tenant', async () => {
    const { entra, company } = await aTenant(20);
    const named = (name: string, from: number) => ({
      users: entra.users.map((each, n) => (n >= from && n < from + 2 ? { ...each, surname: name } : each)),
    });
    entra.change(named('Lovelace', 0));
    await company.apply();
    entra.change(named('Hopper', 2));
    await edit(company, (text) => `${text}${BYRONS('surname')}`);
    expect((await company.apply()).stdout).toContain('4 deactivated');
    expect(await sourceRead(company)).toBe(ANEW);
    entra.change(named('Byron', 0));
    expect((await company.apply()).stdout).toContain('2 updated');
    expect(await sourceRead(company)).toBe(BY_CHANGES);
    entra.change(named('Hopper', 4));
    expect((await company.apply()).stdout).toContain('2 deactivated');
    expect(await sourceRead(company)).toBe(BY_CHANGES);
  });

  it('an application of the tenant, whose roles no change tells: everybody is read from then on', async () => {
    const { entra, company } = await aTenant(10);
    entra.assignments = ['u1', 'u2'].map((id) => ({ principalId: id, principalType: 'User', appRoleId: EDITOR }));
    await company.apply();
    await edit(company, (text) => text.replace('entra: {', `entra: { applicationId: ${APPLICATION},`));
    await company.apply();
    expect(await sourceRead(company)).toBe(ANEW);
    await company.apply();
    expect(await sourceRead(company)).toBe(BY_CHANGES);
    await edit(company, (text) => `${text}  scope: { users: AssignedToApplication }\n`);
    expect((await company.apply()).stdout).toContain('8 deactivated');
    entra.assignments = entra.assignments.slice(1);
    expect((await company.apply()).stdout).toContain('1 deactivated');
    expect((await lastRun(company))?.kind).toBe('Full');
  });

  it('a scope that people leave, and groups that were not asked for, of a directory of WorkOS', async () => {
    const people = Array.from({ length: 12 }, (_, n) => toWorkosUser(`u${n}`, { last: n < 3 ? 'Lovelace' : 'Byron' }));
    const { workos, company } = await aCompany(people);
    await company.apply();
    const group = { id: 'directory_group_1', idp_id: 'g1', name: 'Choir', members: ['u5', 'u6'] };
    workos.change({ users: people, groups: [group] });
    await company.apply();
    expect(await sourceRead(company)).toBe(BY_CHANGES);
    await edit(company, (text) => `${text}${BYRONS('last_name')}  groups: { provision: All }\n`);
    expect((await company.apply()).stdout).toMatch(/3 deactivated.*1 team created/);
    expect(await sourceRead(company)).toBe(ANEW);
    workos.change({ users: people, groups: [{ ...group, members: ['u6'] }] });
    expect((await company.apply()).stdout).toContain('1 membership removed');
    expect(await sourceRead(company)).toBe(BY_CHANGES);
  });
});

describe('a file over HTTP with an ETag', () => {
  it('is read when it has changed, and else by what was read before', async () => {
    const server = await startFileServer();
    onTestFinished(() => server.close());
    const toCsv = (people: number, title: string): Buffer =>
      Buffer.from(
        `id,email,last_name\n${Array.from({ length: people }, (_, n) => `u${n},u${n}@corp.example,${title}\n`).join('')}`,
      );
    let file = toCsv(20, 'Byron');
    server.answer = (outgoing, incoming) => {
      const etag = `"${file.length}"`;
      if (incoming.headers['if-none-match'] === etag) outgoing.writeHead(304, { etag }).end();
      else outgoing.writeHead(200, { etag, 'content-length': file.length }).end(file);
      return true;
    };
    const application = await startApplication();
    const spec = '  guards: { deactivate: { percent: 100 }, suspiciousDrop: 50 }\n';
    const company = await createCompany({
      'manifests/sync.yaml': toSyncText({ url: application.url, spec }).replace(
        /source: .*/,
        `source: { file: { users: { url: "${server.url}/people.csv" } } }`,
      ),
      'manifests/mapping.yaml': MAPPING.replace('idp_id', 'id'),
      'manifests/secrets.yaml': `apiVersion: v1\nkind: Secret\nmetadata: { name: app }\nstringData: { token: ${TOKEN} }\n`,
    });
    expect((await company.apply()).code).toBe(0);
    expect((await company.apply()).code).toBe(0);
    expect(server.requests.map(({ headers }) => headers['if-none-match'])).toEqual([undefined, `"${file.length}"`]);
    expect(await lastRun(company)).toMatchObject({ kind: 'Delta', requests: { source: 1 } });
    expect(await sourceRead(company)).toBe(BY_CHANGES);
    // Everybody is evaluated all the same.
    await company.write(
      'manifests/mapping.yaml',
      `${MAPPING.replace('idp_id', 'id')}    - { target: title, constant: Staff }\n`,
    );
    expect((await company.apply()).stdout).toContain('20 updated');
    file = toCsv(15, 'Lovelace');
    expect((await company.apply()).stdout).toContain('5 deactivated');
    expect(await sourceRead(company)).toBe(
      'the last read arrived whole: everybody was read, for the source has changed since the last read',
    );
    expect((await company.apply()).code).toBe(0);
    expect(await sourceRead(company)).toBe(BY_CHANGES);
  });
});
