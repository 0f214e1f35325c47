/** Several directories into one application, and one directory into several: docs/side-by-side.md. */
import { readFile } from 'node:fs/promises';
import { expect, it } from 'vitest';
import { type Company, createCompany, readTeams, readUsers, SECRET, startApplication } from './company.ts';

const PAGE = new URL('../../docs/side-by-side.md', import.meta.url);

const at = (names: string): string[] => names.split(' ').map((name) => `${name}@corp.example`);

const HEAD = 'id,userName,department,title,accountEnabled';
const STAFF = `${HEAD}
s1,ines.caldwell@corp.example,Finance,Controller,true
s2,tomas.berg@corp.example,Sales,Agent,true
s3,mei.fenwick@corp.example,Sales,Agent,true
`;
const CONTRACTORS = `${HEAD}
c1,ivo.maric@corp.example,Sales,Agent,true
`;

const MAPPING = `apiVersion: dirsync.dev/v1alpha1
kind: AttributeMapping
metadata: { name: people }
spec:
  attributes:
    - { target: userName, source: userName, required: true, matching: { precedence: 1 } }
    - { target: externalId, source: id, matching: { precedence: 2 } }
    - { target: title, source: title }
`;

/** The manifests that the page shows, with the addresses of the test. */
async function aCompany(app: string, wiki: string): Promise<Company> {
  const page = await readFile(PAGE, 'utf8');
  const [shown = ''] = /(?<=^```yaml\n)[\s\S]*?(?=^```)/m.exec(page) ?? [];
  return createCompany({
    'manifests/syncs.yaml': shown
      .replaceAll('https://app.example.com/scim/v2', app)
      .replaceAll('https://wiki.example.com/scim/v2', wiki),
    'manifests/mapping.yaml': MAPPING,
    'manifests/secret.yaml': SECRET,
    'manifests/staff.csv': STAFF,
    'manifests/contractors.csv': CONTRACTORS,
  });
}

/** What differs from run to run, and where the application is. */
const toShown = (text: string): string =>
  text
    .replaceAll(/[0-9a-f]{8}-[0-9a-f-]{27}/g, '…')
    .replaceAll(/, [\d.]+ s\)/g, ', … s)')
    .replaceAll(/127\.0\.0\.1:\d+/g, 'app.example.com');

async function expectShown(command: string, stdout: string): Promise<void> {
  const page = toShown(await readFile(PAGE, 'utf8'));
  expect(page).toContain(`$ dirsync ${command} -f acme --yes\n${toShown(stdout).trim()}\n`);
}

it('two directories fill one application side by side, and one of them a second one', async () => {
  const [app, wiki] = [await startApplication(), await startApplication()];
  const company = await aCompany(app.url, wiki.url);
  const { code, stdout, stderr } = await company.apply();
  expect([code, stderr]).toEqual([0, '']);
  await expectShown('apply', stdout);
  expect([...(await readUsers(app)).keys()].sort()).toEqual(at('ines.caldwell ivo.maric mei.fenwick tomas.berg'));
  expect([...(await readUsers(wiki)).keys()].sort()).toEqual(at('ines.caldwell mei.fenwick tomas.berg'));
  expect(await readTeams(app)).toEqual({
    'Contractors in Sales': at('ivo.maric'),
    Sales: at('mei.fenwick tomas.berg'),
  });
  const before = app.counts().writes + wiki.counts().writes;
  // Each looks at the whole application, and takes nobody of another one for a stranger.
  expect(await company.apply('--resync')).toMatchObject({ code: 0, stderr: '' });
  expect(app.counts().writes + wiki.counts().writes).toBe(before);
});

it('who is claimed by two is a loud conflict of the one that came later, and nobody else is touched (I3)', async () => {
  const [app, wiki] = [await startApplication(), await startApplication()];
  const company = await aCompany(app.url, wiki.url);
  await company.apply();
  await company.write('manifests/contractors.csv', `${CONTRACTORS}c2,tomas.berg@corp.example,Sales,Boss,true\n`);
  const argv = ['apply', 'contractors', '-f', 'manifests', '--yes'];
  const conflict = await company.run(argv);
  expect(conflict.code).toBe(4);
  await expectShown('apply contractors', conflict.stdout + conflict.stderr);
  expect((await company.status('contractors')).lastRun?.failures).toEqual([
    { resource: 'User', id: 'c2', reason: 'Conflict' },
  ]);
  expect((await readUsers(app)).get('tomas.berg@corp.example')).toMatchObject({ title: 'Agent', externalId: 's2' });
  // Gone from the one they are switched off, and still its own.
  await company.write('manifests/staff.csv', STAFF.replace(/s2.*\n/, ''));
  expect((await company.apply()).code).toBe(4);
  expect((await readUsers(app)).get('tomas.berg@corp.example')).toMatchObject({ active: false, externalId: 's2' });
  expect((await company.status('contractors')).lastRun?.failures).toHaveLength(1);
  // Deleted there, they are the other one's.
  const syncs = await company.read('manifests/syncs.yaml');
  const policy = '  deprovisioning: { deletedAtSource: Delete }\n  source: { file: { users: { path: staff.csv } } }';
  await company.write('manifests/syncs.yaml', syncs.replaceAll(/ {2}source: .*staff\.csv.*/g, policy));
  await company.run(['apply', 'staff', '-f', 'manifests', '--yes']);
  expect((await company.run(argv)).code).toBe(0);
  expect((await readUsers(app)).get('tomas.berg@corp.example')).toMatchObject({ active: true, externalId: 'c2' });
});

it('a team of one name is that of the rule that was first, and a conflict of the other rule', async () => {
  const [app, wiki] = [await startApplication(), await startApplication()];
  const company = await aCompany(app.url, wiki.url);
  await company.apply();
  const syncs = await company.read('manifests/syncs.yaml');
  await company.write('manifests/syncs.yaml', syncs.replace('displayName: Contractors in Sales', 'displayName: Sales'));
  expect((await company.apply()).code).toBe(4);
  const { stdout } = await company.run(['get', 'trule', 'contractors-sales', '-o', 'json']);
  const { conditions } = JSON.parse(stdout).status;
  expect(conditions).toContainEqual(expect.objectContaining({ type: 'Ready', status: 'False', reason: 'Conflict' }));
  expect((await readTeams(app))['Sales']).toEqual(at('mei.fenwick tomas.berg'));
});
