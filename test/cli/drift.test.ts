import { describe, expect, it } from 'vitest';
import type { Directory } from '../../src/directory/server.ts';
import { createReadyCompany, makePeople, readTeams, readUsers, startApplication, TOKEN } from './company.ts';

/** What an administrator does by hand. */
async function patch(directory: Directory, path: string, operations: readonly unknown[]): Promise<void> {
  const response = await fetch(`${directory.url}/${path}`, {
    method: 'PATCH',
    headers: { authorization: `Bearer ${TOKEN}`, 'content-type': 'application/scim+json' },
    body: JSON.stringify({
      schemas: ['urn:ietf:params:scim:api:messages:2.0:PatchOp'],
      Operations: operations,
    }),
  });
  expect(response.ok).toBe(true);
}

async function post(directory: Directory, userName: string): Promise<string> {
  const response = await fetch(`${directory.url}/Users`, {
    method: 'POST',
    headers: { authorization: `Bearer ${TOKEN}`, 'content-type': 'application/scim+json' },
    body: JSON.stringify({ schemas: ['urn:ietf:params:scim:schemas:core:2.0:User'], userName }),
  });
  return String(((await response.json()) as { id: unknown }).id);
}

async function aDriftedCompany(spec: string) {
  const directory = await startApplication();
  const company = await createReadyCompany(directory.url, { people: makePeople(4), spec });
  await company.apply();
  const users = await readUsers(directory);
  const idOf = (n: number): string => String(users.get(`p${n}@corp.example`)?.['id']);
  await patch(directory, `Users/${idOf(2)}`, [{ op: 'replace', path: 'title', value: 'Hacker' }]);
  const guest = await post(directory, 'guest@corp.example');
  const [team] = await listTeamIds(directory);
  await patch(directory, `Groups/${team}`, [
    { op: 'add', path: 'members', value: [{ value: guest }] },
    { op: 'remove', path: `members[value eq "${idOf(1)}"]` },
  ]);
  await fetch(`${directory.url}/Users/${idOf(3)}`, {
    method: 'DELETE',
    headers: { authorization: `Bearer ${TOKEN}` },
  });
  return { directory, company, idOf, guest };
}

async function listTeamIds(directory: Directory): Promise<string[]> {
  const response = await fetch(`${directory.url}/Groups`, { headers: { authorization: `Bearer ${TOKEN}` } });
  return ((await response.json()) as { Resources: { id: string }[] }).Resources.map(({ id }) => id);
}

describe('dirsync drift', () => {
  it('prints what was changed by hand, person by person and team by team, and writes nothing', async () => {
    const { directory, company, idOf, guest } = await aDriftedCompany('  drift: { policy: Report }\n');
    const { writes } = directory.counts();
    const { stdout, stderr, code } = await company.run(['drift', '-f', 'manifests']);
    expect({ stderr, code }).toEqual({ stderr: '', code: 0 });
    expect(stdout.split('\n')).toEqual([
      'p2@corp.example (id-2)',
      '  ~ title: "Agent" → "Hacker"',
      'p3@corp.example (id-3)',
      `  - the account ${idOf(3)} does not exist any more`,
      'Team Sales People',
      '  - p1@corp.example was removed',
      `  + ${guest}, whom Dirsync does not know, was added`,
      'Accounts that belong to nobody',
      `  ? guest@corp.example (${guest})`,
      '',
      expect.stringMatching(
        /^acme: drift among 4 people and 1 team at 127\.0\.0\.1:\d+: 1 value, 2 memberships, 1 account or team gone; they stay, for drift\.policy is Report; 1 account belongs to nobody and stays$/,
      ),
      '',
    ]);
    expect(directory.counts().writes).toBe(writes);
  });

  it('prints the same as JSON, ends with 2 where that is asked for, and shows it in the status', async () => {
    const { directory, company } = await aDriftedCompany('');
    const { stdout, code } = await company.run(['drift', '-f', 'manifests', '-o', 'json', '--detailed-exitcode']);
    expect(code).toBe(2);
    const printed = JSON.parse(stdout);
    const counts = { attributes: 1, memberships: 2, missing: 1, unmanaged: 1, unreadTeams: 0 };
    expect(printed).toMatchObject({ directorySync: 'default/acme', policy: 'Repair', drift: counts });
    expect(printed.findings.map(({ kind }: { kind: string }) => kind)).toEqual([
      'attribute',
      'missing',
      'membership',
      'membership',
      'unmanaged',
    ]);
    await company.apply('--resync');
    expect((await company.status()).drift).toEqual({ policy: 'Repair', ...counts });
    expect((await readTeams(directory))['Sales People']).toEqual(makePeople(4).map(({ userName }) => userName));
    const after = await company.run(['drift', '-f', 'manifests', '--detailed-exitcode']);
    expect(after.code).toBe(0);
    expect(after.stdout).toMatch(/\nacme: no drift: 4 people and 1 team at \S+ are as they were applied; 1 account /);
  });

  it('says how many of the people that it looked at are deactivated', async () => {
    const directory = await startApplication();
    const company = await createReadyCompany(directory.url);
    await company.writePeople(makePeople(20));
    await company.apply();
    await company.writePeople(makePeople(19));
    await company.apply();
    const { stdout } = await company.run(['drift', '-f', 'manifests']);
    expect(stdout).toMatch(
      /^acme: no drift: 20 people \(1 deactivated\) and \d+ teams? at \S+ are as they were applied/m,
    );
  });

  it('says so when nothing is managed yet, and fails where the source cannot be read', async () => {
    const directory = await startApplication();
    const company = await createReadyCompany(directory.url);
    expect((await company.run(['drift', '-f', 'manifests'])).stdout).toBe('acme: nothing is managed yet\n');
    await company.write('manifests/people.csv', 'id,userName\n"');
    const failed = await company.run(['drift', '-f', 'manifests', '-o', 'json']);
    expect(failed.code).toBe(1);
    expect(JSON.parse(failed.stdout)).toMatchObject({ reason: 'ReadFailed' });
  });
});
