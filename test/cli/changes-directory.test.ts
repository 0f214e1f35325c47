/** The whole way by changes from an Active Directory. */
import { expect, it, onTestFinished } from 'vitest';
import { AD_BASE, AD_TREE, toAdGroup, toAdUser } from '../sources/ldap/entries.ts';
import { createLdapDirectory } from '../support/ldap-directory.ts';
import { type ServedEntry, startLdapServer } from '../support/ldap-server.ts';
import { type Company, createCompany, startApplication, TOKEN, toSyncText } from './company.ts';

const MAPPING = `apiVersion: dirsync.dev/v1alpha1
kind: AttributeMapping
metadata: { name: users }
spec:
  attributes:
    - { target: userName, source: sAMAccountName, required: true, matching: { precedence: 1 } }
    - { target: externalId, source: objectGUID, matching: { precedence: 2 } }
    - { target: displayName, source: displayName }
`;

async function aCompany(entries: readonly ServedEntry[]) {
  const server = await startLdapServer();
  onTestFinished(() => server.close());
  const directory = createLdapDirectory(server);
  const set = (now: readonly ServedEntry[]): void => directory.set([...AD_TREE, ...now]);
  set(entries);
  const application = await startApplication();
  const source = `source: { ldap: { url: "${server.url}", baseDN: "${AD_BASE}", schema: ActiveDirectory, credentialsRef: { name: ad } } }
  groups: { provision: All }`;
  const secrets = { app: `token: ${TOKEN}`, ad: `{ bindDN: "${server.bindDN}", password: ${server.password} }` };
  const company = await createCompany({
    'manifests/sync.yaml': toSyncText({ url: application.url }).replace(/source: .*/, source),
    'manifests/mapping.yaml': MAPPING,
    'manifests/secrets.yaml': Object.entries(secrets)
      .map(
        ([name, data]) =>
          `apiVersion: v1\nkind: Secret\nmetadata: { name: ${name} }\nstringData: ${data.startsWith('{') ? data : `{ ${data} }`}\n`,
      )
      .join('---\n'),
  });
  return { server, directory, set, company };
}

async function lookAt(company: Company) {
  const { lastRun, conditions, teams } = await company.status();
  const sourceRead = conditions?.find(({ type }) => type === 'SourceRead')?.message;
  const { kind, applied, requests } = lastRun ?? {};
  return { kind, applied, sourceRead, members: teams?.members, requests: requests?.source };
}

const people = (count: number): readonly ServedEntry[] =>
  Array.from({ length: count }, (_, index) => toAdUser(`p${index}`, { displayName: [`Person ${index}`] }));
const members = (...numbers: readonly number[]): readonly string[] => numbers.map((number) => `p${number}`);

it('people who change, join, leave and are in groups come to what a full read comes to', async () => {
  const { set, company } = await aCompany([...people(60), toAdGroup('Staff', 1100, members(1, 2, 3))]);
  expect((await company.apply()).code).toBe(0);
  expect(await lookAt(company)).toMatchObject({ kind: 'Verify', members: 3 });
  const changed = people(62)
    .slice(2)
    .map((entry, index) =>
      index === 5
        ? { dn: entry.dn.replace('CN=', 'CN=Renamed '), attributes: { ...entry.attributes, displayName: ['Renamed'] } }
        : entry,
    );
  set([...changed, toAdGroup('Staff', 1100, members(2, 3, 61))]);
  const { code, stdout } = await company.apply();
  expect([code, stdout]).toEqual([0, expect.stringContaining('2 created, 1 updated, 2 deactivated')]);
  expect(await lookAt(company)).toMatchObject({
    kind: 'Delta',
    members: 3,
    sourceRead: 'the changes since the last read arrived whole',
  });
  expect((await company.apply()).code).toBe(0);
  // Who asks and which directory it is, three of them; who asks, what has changed, and whose time is up.
  expect(await lookAt(company)).toMatchObject({ kind: 'Delta', requests: 6 });
  expect((await company.apply('--resync')).stdout).not.toMatch(/created|updated|deactivated/);
});

it('an account without the right to ask for changes reads everybody, and says so', async () => {
  const { directory, set, company } = await aCompany(people(3));
  directory.mayReplicate = false;
  for (const count of [3, 4]) {
    set(people(count));
    expect((await company.apply()).code).toBe(0);
    expect((await lookAt(company)).sourceRead).toBe(
      'the last read arrived whole: everybody was read, for the account has not the right "Replicating Directory Changes"',
    );
  }
});
