/** Values made by chance: a plan that waits for approval stays the plan that was shown. */
import { describe, expect, it } from 'vitest';
import { aCompanyOf, createCompany } from '../support/company.ts';

describe('random values', () => {
  it('are the same in every plan until the account is made, and another person has others', async () => {
    const company = await createCompany();
    company.mapping = {
      attributes: [
        ...(company.mapping.attributes ?? []),
        { target: 'nickName', expression: 'RandomString(20, 1, 0, 1, 1)', apply: 'OnCreate' },
      ],
    };
    company.people = aCompanyOf(2);
    const plan = async () => {
      const operations = await company.operations(await company.run({ planOnly: true }));
      return operations.map(({ changes }) => changes.find(({ path }) => path === 'nickName')?.after);
    };
    const first = await plan();
    company.now = new Date(company.now.getTime() + 86_400_000);
    expect(await plan()).toEqual(first);
    expect(new Set(first)).toHaveLength(2);
    await company.run();
    expect([...company.target.users.values()].map(({ attributes }) => attributes['nickName'])).toEqual(first);
    const other = await createCompany();
    other.mapping = company.mapping;
    other.people = company.people;
    const [operation] = await other.operations(await other.run({ planOnly: true }));
    expect(operation?.changes.find(({ path }) => path === 'nickName')?.after).not.toBe(first[0]);
  });
});
