/** An account that nobody saw before its create was refused with 409. */
import { describe, expect, it } from 'vitest';
import { SyncError } from '../../src/errors.ts';
import type { Json } from '../../src/model.ts';
import { aCompanyOf, type Company, createCompany } from '../support/company.ts';

async function aCompany(): Promise<Company> {
  const company = await createCompany();
  company.people = aCompanyOf(8);
  return company;
}

/** Somebody else makes an account while p2's create is on its way. */
function makeMeanwhile(company: Company, attributes: Record<string, Json>, then = (_request: string) => {}): void {
  company.target.intercept = (request) => {
    if (request !== 'createUser p2@example.com') return;
    company.target.intercept = then;
    company.target.addUser({ userName: 'P2@example.com', ...attributes });
  };
}

const accountId = (company: Company): string =>
  [...company.target.users.values()].find(({ attributes }) => attributes['userName'] === 'P2@example.com')?.id ?? '';
const creates = ({ target }: Company): string[] => target.writes.filter((line) => line.startsWith('createUser p2@'));

describe('a create that is refused because its value is taken', () => {
  it('recovers the account with the same externalId; the next run updates it and removes nothing unasked (I6, I7)', async () => {
    const company = await aCompany();
    makeMeanwhile(company, { externalId: 'p2', title: 'Old' });
    const first = await company.run();
    const id = accountId(company);
    expect(first).toMatchObject({ outcome: 'failed', people: { conflicts: 1 } });
    expect(await company.errors(first)).toEqual([
      `p2 Conflict: the account ${id} has this externalId already: it is taken for theirs, and the next run brings it up to date`,
    ]);
    expect((await (await company.state()).links.get('p2'))?.origin).toBe('recovered');

    expect(await company.run()).toMatchObject({ outcome: 'synced', plan: { create: 0, update: 1 } });
    expect(company.target.users.get(id)?.attributes['title']).toBe('Engineer');
    expect(creates(company)).toHaveLength(1);

    company.people = company.people.filter((person) => person.id !== 'p2');
    expect(await company.run()).toMatchObject({ outcome: 'held', held: { kinds: { recovered: 1 } } });
  });

  it('recovers it where the target does not search by every attribute, too (I6)', async () => {
    const company = await aCompany();
    makeMeanwhile(company, { externalId: 'p2' }, (request) => {
      if (request === 'findUsers externalId') throw new SyncError('TargetRejected', 'no filter for externalId');
    });
    await company.run();
    expect((await (await company.state()).links.get('p2'))?.origin).toBe('recovered');
  });

  it('leaves taking over to the next plan, where guards count it (I3)', async () => {
    const company = await aCompany();
    makeMeanwhile(company, {});
    const first = await company.run();
    const id = accountId(company);
    expect(await company.errors(first)).toEqual([
      `p2 Conflict: the account ${id} has this userName already: the next run decides whether it is taken over`,
    ]);
    expect(await company.run()).toMatchObject({ outcome: 'synced', plan: { create: 0, adopt: 1 } });
    expect(creates(company)).toHaveLength(1);
  });

  it('names the account where accounts are not matched by the value, and what to do (I3)', async () => {
    const company = await aCompany();
    const [userName, externalId, ...rest] = company.mapping.attributes ?? [];
    company.mapping = {
      attributes: [
        { target: userName?.target ?? '', source: 'mail' },
        { target: externalId?.target ?? '', source: 'id', matching: { precedence: 1 } },
        ...rest,
      ],
    };
    const { id } = company.target.addUser({ userName: 'P2@example.com', title: 'By hand' });
    for (let run = 1; run <= 2; run += 1) {
      const report = await company.run();
      expect(report).toMatchObject({ outcome: 'failed', people: { conflicts: 1 } });
      expect(await company.errors(report)).toEqual([
        `p2 Conflict: the account ${id} has this userName already, by which accounts are not matched: ` +
          'give its entry a matching precedence, or change one of the two',
      ]);
    }
    expect(company.target.users.get(id)?.attributes).toEqual({
      active: true,
      userName: 'P2@example.com',
      title: 'By hand',
    });
  });

  it('names the person whose account it is', async () => {
    const company = await aCompany();
    company.people = aCompanyOf(1);
    await company.run();
    const [user] = [...company.target.users.values()];
    if (user === undefined) throw new Error('nobody was created');
    company.people = aCompanyOf(2);
    company.target.intercept = (request) => {
      if (request === 'createUser p2@example.com') user.attributes['userName'] = 'P2@example.com';
    };
    expect(await company.errors(await company.run())).toEqual([
      `p2 Conflict: the account ${user.id} that has this userName belongs to p1`,
    ]);
  });

  it('says what the target said where the account is not to be seen, and guesses none of two', async () => {
    const company = await aCompany();
    makeMeanwhile(company, {}, (request) => {
      if (request.startsWith('findUsers')) throw new SyncError('TargetRejected', 'no filters today');
    });
    expect(await company.errors(await company.run())).toEqual(['p2 Conflict: userName is taken']);

    const other = await aCompany();
    makeMeanwhile(other, { title: 'First' });
    const made = other.target.intercept;
    other.target.intercept = (request) => {
      if (request === 'createUser p2@example.com') other.target.addUser({ userName: 'x', externalId: 'p2' });
      made(request);
    };
    const [error] = await other.errors(await other.run());
    expect(error).toMatch(/^p2 Conflict: the accounts u\d+, u\d+ have its values already$/);
  });
});
