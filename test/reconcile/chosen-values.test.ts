/** Values that nobody else may have, chosen among several when the account is made. */
import { describe, expect, it } from 'vitest';
import { SyncError } from '../../src/errors.ts';
import { aCompanyOf, type Company, createCompany, type Person } from '../support/company.ts';

const EXPRESSION = 'SelectUniqueValue([nick], Join("", [nick], "2"), Join("", [nick], "3"))';

async function aCompanyNamed(...nicks: readonly string[]): Promise<Company> {
  const company = await createCompany();
  company.people = aCompanyOf(nicks.length, (index) => ({ nick: nicks[index] ?? null }));
  company.mapping = {
    attributes: [
      { target: 'userName', expression: EXPRESSION, apply: 'OnCreate' },
      { target: 'externalId', source: 'id', matching: { precedence: 1 } },
      { target: 'title', source: 'title' },
    ],
  };
  return company;
}

/** Both have an account, and a value of their own. */
async function twoOfOneNick(): Promise<Company> {
  const company = await createCompany();
  const noLimits = { max: -1, percent: 100 };
  company.people = aCompanyOf(2, () => ({ nick: 'ada' }));
  company.spec = { ...company.spec, guards: { delete: noLimits, rename: noLimits, suspiciousDrop: 100 } };
  company.mapping = {
    attributes: [
      { target: 'userName', source: 'mail', matching: { precedence: 1 } },
      { target: 'externalId', source: 'id' },
      { target: 'nickName', expression: EXPRESSION, apply: 'OnCreate' },
    ],
  };
  await company.run();
  return company;
}

const nicks = ({ target }: Company): unknown[] =>
  [...target.users.values()].map(({ attributes: { nickName } }) => nickName);

const names = ({ target }: Company): string[] =>
  [...target.users.values()].map(({ attributes }) => String(attributes['userName']));

describe('values chosen among several', () => {
  it('are nobody else’s: two people of one run never get the same, in the order of the read', async () => {
    const company = await aCompanyNamed('ada', 'ADA', 'bob');
    expect(await company.run()).toMatchObject({ outcome: 'synced', applied: { create: 3 } });
    expect(names(company)).toEqual(['ada', 'ADA2', 'bob']);
  });

  it('are what the plan says, and what a plan that is made again says', async () => {
    const company = await aCompanyNamed('ada', 'ada');
    const planned = async () =>
      (await company.operations(await company.run({ planOnly: true }))).flatMap(({ changes }) =>
        changes.filter(({ path }) => path === 'userName').map(({ after }) => after),
      );
    expect(await planned()).toEqual(['ada', 'ada2']);
    expect(await planned()).toEqual(['ada', 'ada2']);
    await company.run();
    expect(names(company)).toEqual(['ada', 'ada2']);
  });

  it('pass over what an account has that nobody manages, on the first run and by searching on later ones', async () => {
    const company = await aCompanyNamed('ada');
    company.target.addUser({ userName: 'ADA' });
    await company.run();
    expect(names(company)).toEqual(['ADA', 'ada2']);
    company.target.addUser({ userName: 'bob' });
    company.people = [...company.people, ...aCompanyOf(3, () => ({ nick: 'bob' })).slice(2)];
    await company.run();
    expect(names(company)).toEqual(['ADA', 'ada2', 'bob', 'bob2']);
  });

  it('pass over what an account has where the target does not search by the attribute: it is listed, once', async () => {
    const company = await twoOfOneNick();
    company.target.addUser({ userName: 'stranger@example.com', nickName: 'bob' });
    company.people = [...company.people, ...aCompanyOf(4, () => ({ nick: 'bob' })).slice(2)];
    company.target.intercept = (request) => {
      if (request === 'findUsers nickName')
        throw new SyncError('RecordInvalid', 'the filter is not supported', { scope: 'record' });
    };
    company.target.reads.length = 0;
    expect(await company.run()).toMatchObject({ kind: 'Full', applied: { create: 2 } });
    expect(nicks(company)).toEqual(['ada', 'ada2', 'bob', 'bob2', 'bob3']);
    expect(company.target.reads.filter((read) => read.startsWith('listUsers'))).toHaveLength(1);
  });

  it('stay with the account, whatever the source says later (I2)', async () => {
    const company = await aCompanyNamed('ada', 'ada');
    await company.run();
    company.people = company.people.map((person) => ({ ...person, nick: 'eve' }));
    company.target.writes.length = 0;
    await company.run();
    expect(company.target.writes).toEqual([]);
    expect(names(company)).toEqual(['ada', 'ada2']);
  });

  it('wait where none is free, with an error that names the attribute; nobody else does (I8)', async () => {
    const company = await aCompanyNamed('ada', 'ada', 'ada', 'ada', 'bob');
    const report = await company.run();
    expect(report).toMatchObject({ outcome: 'failed', applied: { create: 4 } });
    expect(await company.errors(report)).toEqual([
      'p4 RecordInvalid: attribute "userName": every value that it may have is taken; give the expression more of them',
    ]);
    expect(names(company)).toEqual(['ada', 'ada2', 'ada3', 'bob']);
    const [first] = company.target.users.keys();
    company.target.users.delete(first ?? '');
    company.people = company.people.slice(1);
    await company.run({ resync: true });
    expect(names(company)).toEqual(['ada2', 'ada3', 'bob', 'ada']);
  });

  it('are looked up for who waits for the name of a leaver, too, before the account is made', async () => {
    const company = await twoOfOneNick();
    expect(nicks(company)).toEqual(['ada', 'ada2']);
    // The second has left, and somebody new gets the mail address as soon as the account is gone.
    const [first, second] = company.people;
    company.people = [first as Person, { ...(second as Person), id: 'p9' }];
    expect(await company.run()).toMatchObject({ reason: 'SyncedWithErrors', applied: { create: 0 } });
    company.spec = { ...company.spec, deprovisioning: { deletedAtSource: 'Delete' } };
    expect(await company.run()).toMatchObject({ applied: { delete: 1, create: 1 } });
    expect(nicks(company)).toEqual(['ada', 'ada3']);
  });

  it('are looked up for who waits for a name whose owner a lost store has forgotten', async () => {
    const company = await twoOfOneNick();
    const [first, second] = company.people;
    company.people = [
      { ...(first as Person), mail: 'new@example.com' },
      second as Person,
      { ...(first as Person), id: 'p9' },
    ];
    await company.loseState();
    expect(await company.run()).toMatchObject({ applied: { recover: 2, create: 1 } });
    expect(nicks(company)).toEqual(['ada', 'ada2', 'ada3']);
  });

  it('are not chosen again after a lost store: the account is found by its externalId (I7)', async () => {
    const company = await aCompanyNamed('ada', 'ada');
    await company.run();
    await company.loseState();
    await company.run();
    expect(names(company)).toEqual(['ada', 'ada2']);
  });
});
