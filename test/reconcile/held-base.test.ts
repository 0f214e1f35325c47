import { expect, it } from 'vitest';
import { aCompanyOf, createCompany } from '../support/company.ts';

const rule = (value: string) => ({
  directorySyncRef: { name: 'acme' },
  team: { displayName: 'Research' },
  match: [{ attribute: 'department', operator: 'Equals' as const, value }],
});

it('releases nothing because a team grew while removals from it were held (I4)', async () => {
  const company = await createCompany();
  company.people = aCompanyOf(60, (index) => ({ department: index % 3 === 0 ? 'Sales' : 'Research' }));
  company.rules = { research: rule('Sales') };
  await company.run();
  company.rules = { research: rule('Research') };
  expect(await company.run()).toMatchObject({ applied: { addMembers: 40 }, held: { kinds: { removeMembers: 20 } } });
  expect(await company.run()).toMatchObject({ held: { kinds: { removeMembers: 20 } } });
  expect(company.teamMembers('Research')).toHaveLength(60);
});

it('releases nobody because the company grew while they were held (I4)', async () => {
  const company = await createCompany();
  company.people = aCompanyOf(60);
  await company.run();
  company.people = company.people.slice(7);
  const held = await company.run();
  expect(held).toMatchObject({ held: { count: 7, kinds: { deactivate: 7 } } });
  company.people = [...company.people, ...aCompanyOf(80).slice(60)];
  await company.run();
  expect(await company.run()).toMatchObject({ held: { count: 7, hash: held.held.hash } });
});

it('changes nobody when the attribute that told who is active is gone, until a resync says it is meant (I13)', async () => {
  const company = await createCompany();
  const active = company;
  active.people = aCompanyOf(12);
  active.columns = ['id', 'mail', 'title', 'department', 'manager', 'active'];
  await company.run();
  company.people = company.people.map((person, index) => (index < 3 ? { ...person, active: false } : person));
  expect(await company.run()).toMatchObject({ applied: { deactivate: 3 } });
  company.people = company.people.map(({ active: _gone, ...person }) => person as never);
  company.columns = ['id', 'mail', 'title', 'department', 'manager'];
  company.target.writes.length = 0;
  expect(await company.run()).toMatchObject({ reason: 'ReadFailed', message: expect.stringContaining('"active"') });
  expect(company.target.writes).toEqual([]);
  expect(await company.run({ resync: true })).toMatchObject({ applied: { reactivate: 3 } });
});

it('counts what was changed by a clock that was set back since something was held (I4)', async () => {
  const company = await createCompany();
  company.people = aCompanyOf(30);
  company.spec = { ...company.spec, guards: { floor: 0, rename: { percent: 10 } } };
  await company.run();
  const rename = (...numbers: readonly number[]): void => {
    company.people = aCompanyOf(30).map((person, at) =>
      numbers.includes(at) ? { ...person, mail: `new${at}@example.com` } : person,
    );
  };
  rename(0, 1, 2, 3);
  expect(await company.run()).toMatchObject({ held: { kinds: { rename: 4 } } });
  company.now = new Date(company.now.getTime() - 30 * 3_600_000);
  rename(0, 1, 2);
  const everybody = company.people;
  company.people = everybody.slice(0, 15);
  expect(await company.run()).toMatchObject({ reason: 'ReadSuspect', applied: { rename: 3 } });
  rename(0, 1, 2, 3);
  expect(await company.run()).toMatchObject({ held: { kinds: { rename: 1 } }, applied: { rename: 0 } });
});

it('a suspect read is confirmed by a clock that was set back, in its time (I1)', async () => {
  const company = await createCompany();
  company.people = aCompanyOf(30);
  company.spec = { ...company.spec, guards: { deactivate: { percent: 100 } } };
  await company.run();
  company.people = company.people.slice(0, 15);
  expect(await company.run()).toMatchObject({ reason: 'ReadSuspect' });
  company.now = new Date(company.now.getTime() - 30 * 3_600_000);
  expect(await company.run()).toMatchObject({ reason: 'ReadSuspect' });
  company.now = new Date(company.now.getTime() + 2 * 3_600_000);
  expect(await company.run()).toMatchObject({ applied: { deactivate: 15 } });
});
