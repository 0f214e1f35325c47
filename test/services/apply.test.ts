/** The whole engine against a SCIM server that others wrote: converge, change, lose the state, and write nothing twice. */
import { expect, it, onTestFinished } from 'vitest';
import { createReadyCompany, makePeople } from '../cli/company.ts';
import { startScim2Server } from './python.ts';

async function createCompany() {
  const server = await startScim2Server();
  onTestFinished(() => server.stop());
  const people = makePeople(60, (index) => ({
    department: index % 2 === 0 ? 'Sales' : 'Research',
    teams: index % 5 === 0 ? 'Chess; Choir' : '',
  }));
  const company = await createReadyCompany(server.url, { people });
  await company.write(
    'manifests/secret.yaml',
    `apiVersion: v1\nkind: Secret\nmetadata: { name: app }\nstringData: { token: ${server.token} }\n`,
  );
  return { company, people };
}

it('converges a company and then writes nothing, by links and by the own list of the server', async () => {
  const { company } = await createCompany();
  const first = await company.apply();
  expect(first).toMatchObject({
    code: 0,
    stdout: expect.stringContaining('60 created, 3 teams created, 54 memberships added'),
  });
  expect((await company.apply()).stdout).toContain('nothing changes: 60 people and 3 teams');
  expect((await company.apply('--resync')).stdout).toContain('nothing changes: 60 people and 3 teams');
  expect(await company.status()).toMatchObject({ users: { active: 60 }, teams: { managed: 3, members: 54 } });
});

it('changes, empties and removes exactly what changed, and finds it so afterwards', async () => {
  const { company, people } = await createCompany();
  await company.apply();
  const changed = people
    .filter(({ id }) => id !== 'id-3')
    .map((person) =>
      person.id === 'id-2'
        ? { ...person, title: '', department: 'Research', userName: 'renamed@corp.example' }
        : person,
    );
  await company.writePeople(changed);
  const second = await company.apply();
  expect(second).toMatchObject({
    code: 0,
    stdout: expect.stringContaining('1 updated, 1 renamed, 1 deactivated, 1 membership removed'),
  });
  expect((await company.apply('--resync')).stdout).toContain('nothing changes');
  await company.writePeople(people);
  const third = (await company.apply()).stdout;
  for (const count of ['1 updated', '1 renamed', '1 reactivated', '1 membership added']) expect(third).toContain(count);
  expect((await company.apply('--resync')).stdout).toContain('nothing changes');
});

it('knows everybody again after its state was lost, and writes nothing', async () => {
  const { company } = await createCompany();
  await company.apply();
  const fresh = ['--state', 'other/state.db'];
  expect((await company.apply(...fresh)).stdout).toContain('60 linked again, 3 teams linked again');
  expect((await company.apply(...fresh)).stdout).toContain('nothing changes');
  expect((await company.apply('--resync', ...fresh)).stdout).toContain('nothing changes');
});
