import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { createCompany, startApplication, TOKEN } from '../cli/company.ts';

const FOLDER = fileURLToPath(new URL('../../examples/mappings/', import.meta.url));
const ACME = 'urn:ietf:params:scim:schemas:extension:acme:2.0:User';
const ENTERPRISE = 'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User';

it('examples/mappings validates without a word, runs, and has nothing more to do', async () => {
  const directory = await startApplication();
  const files: Record<string, string> = {};
  for (const name of await readdir(FOLDER)) {
    const text = await readFile(join(FOLDER, name), 'utf8');
    files[`manifests/${name}`] = text
      .replace('http://127.0.0.1:8086/scim/v2', directory.url)
      .replaceAll('mappings-token', TOKEN);
  }
  const company = await createCompany(files);
  const validated = await company.run(['validate', '-f', 'manifests']);
  expect([validated.code, validated.stderr]).toEqual([0, '']);
  const applied = await company.apply();
  expect([applied.code, applied.stderr]).toEqual([
    0,
    `acme: warning: the target does not list the schema ${ACME}; it may drop its attributes\n`,
  ]);

  const answer = await fetch(`${directory.url}/Users`, { headers: { authorization: `Bearer ${TOKEN}` } });
  const { Resources: users } = (await answer.json()) as { Resources: Record<string, unknown>[] };
  const [ada, hugo, mei] = ['ada.okafor', 'hugo.lindqvist', 'mei.fenwick'].map((name) =>
    users.find(({ userName }) => userName === `${name}@corp.example`),
  );
  // Who is disabled gets no account.
  expect(users).toHaveLength(3);
  expect(ada).toMatchObject({
    displayName: 'Ada OKAFOR',
    nickName: '6 June 2026',
    emails: [{ type: 'work', value: 'ada.okafor@corp.example', primary: true }],
    roles: [{ primary: true, value: 'admin', type: 'app' }],
    addresses: [{ type: 'work', locality: 'York' }],
    [ACME]: {
      licenseTier: 'gold',
      desks: ['Y-2', 'Y-3'],
      clubs: ['Everybody', 'Newcomers'],
      onboarded: '2026-06-06T00:00:00.000Z',
      fte: 1,
      startDate: '2021-06-27T00:00:00.000Z',
    },
  });
  expect(ada).not.toHaveProperty('preferredLanguage');
  expect(hugo).toMatchObject({
    [ENTERPRISE]: { employeeNumber: '0007', manager: { value: ada?.['id'] } },
    [ACME]: { licenseTier: 'bronze', fte: 0.8, buddy: ada?.['id'] },
  });
  expect(mei).toMatchObject({ emails: [{ value: 'mei.fenwick@corp.example' }], title: 'Agent' });
  expect(mei).not.toHaveProperty('roles');

  const { writes } = directory.counts();
  expect((await company.apply('--resync')).code).toBe(0);
  expect(directory.counts().writes).toBe(writes);
});
