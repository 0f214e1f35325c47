/** Values that one account at most may have, against a target that enforces it: who waits for whom, and who is a conflict. */
import { describe, expect, it } from 'vitest';
import { SyncError } from '../../src/errors.ts';
import { PLAIN_ATTRIBUTE } from '../../src/targets/target.ts';
import { aCompanyOf, type Company, createCompany, type Person } from '../support/company.ts';

const NO_LIMITS = { max: -1, percent: 100 };

async function aSettledCompany(n: number): Promise<Company> {
  const company = await createCompany();
  company.spec = {
    ...company.spec,
    guards: { deactivate: NO_LIMITS, delete: NO_LIMITS, suspiciousDrop: 100 },
    limits: { concurrency: 1 },
  };
  company.people = aCompanyOf(n);
  expect((await company.run()).reason).toBe('Synced');
  company.target.writes.length = 0;
  return company;
}

/** The company with other mails, and without those whose mail is null. */
function withMails(company: Company, mails: Record<string, string | null>): Person[] {
  return company.people.flatMap((person) => {
    const mail = mails[person.id] === undefined ? person['mail'] : mails[person.id];
    return mail === null || mail === undefined ? [] : [{ ...person, mail }];
  });
}

const aPerson = (id: string, mail: string): Person => ({ ...(aCompanyOf(1)[0] as Person), id, mail });

/** `p1 p2@example.com`, by source id, deactivated ones in brackets. */
function names(company: Company): string[] {
  return [...company.target.users.values()]
    .map(({ attributes: { externalId, userName, active } }) =>
      active === false ? `(${externalId} ${userName})` : `${externalId} ${userName}`,
    )
    .sort();
}

async function expectSettled(company: Company, expected: readonly string[]): Promise<void> {
  expect(names(company)).toEqual(expected);
  company.target.writes.length = 0;
  expect((await company.run({ resync: true })).reason).toBe('Synced');
  expect(company.target.writes).toEqual([]);
}

describe('values that must be unique', () => {
  it('mail swapped between two people: one goes round by a temporary value, and both have their own (I10)', async () => {
    const company = await aSettledCompany(3);
    company.people = withMails(company, { p1: 'p2@example.com', p2: 'p1@example.com' });
    const report = await company.run();
    expect(report.reason).toBe('Synced');
    expect(company.target.writes).toEqual([
      'updateUser u1 userName',
      'updateUser u2 userName',
      'updateUser u1 userName',
    ]);
    const [, , detour] = await company.operations(report);
    expect(detour).toMatchObject({
      kind: 'update',
      id: 'p1',
      cause: 'swap',
      status: 'done',
      guards: [{ kind: 'rename', scope: '' }],
    });
    expect(detour?.changes[0]?.after).toMatch(/^dirsync-[0-9a-f]{12}@example\.com$/);
    await expectSettled(company, ['p1 p2@example.com', 'p2 p1@example.com', 'p3 p3@example.com']);
  });

  it('a swap where no name may be longer than twenty characters: the temporary value has none of the domain', async () => {
    const company = await createCompany({
      capabilities: {
        attribute: (_, path) => ({ ...PLAIN_ATTRIBUTE, ...(path === 'userName' ? { maxLength: 20 } : {}) }),
      },
    });
    company.people = aCompanyOf(2);
    await company.run();
    company.people = withMails(company, { p1: 'p2@example.com', p2: 'p1@example.com' });
    const [, , detour] = await company.operations(await company.run());
    const after = expect.stringMatching(/^dirsync-[0-9a-f]{12}$/);
    expect(detour).toMatchObject({ cause: 'swap', changes: [{ path: 'userName', after }] });
    await expectSettled(company, ['p1 p2@example.com', 'p2 p1@example.com']);
  });

  it('a circle of three and one of two, in the same run', async () => {
    const company = await aSettledCompany(5);
    company.people = withMails(company, {
      ...{ p1: 'p2@example.com', p2: 'p3@example.com', p3: 'p1@example.com' },
      ...{ p4: 'p5@example.com', p5: 'p4@example.com' },
    });
    expect((await company.run()).reason).toBe('Synced');
    expect(company.target.writes).toHaveLength(7);
    await expectSettled(company, [
      'p1 p2@example.com',
      'p2 p3@example.com',
      'p3 p1@example.com',
      'p4 p5@example.com',
      'p5 p4@example.com',
    ]);
  });

  it('chain of three: it goes from its end, without a temporary value', async () => {
    const company = await aSettledCompany(3);
    company.people = withMails(company, { p1: 'p2@example.com', p2: 'p3@example.com', p3: 'new@example.com' });
    expect((await company.run()).reason).toBe('Synced');
    expect(company.target.writes).toEqual([3, 2, 1].map((n) => `updateUser u${n} userName`));
    await expectSettled(company, ['p1 p2@example.com', 'p2 p3@example.com', 'p3 new@example.com']);
  });

  it('recycled mail: a joiner takes what a rename has freed', async () => {
    const company = await aSettledCompany(2);
    company.people = [...withMails(company, { p1: 'married@example.com' }), aPerson('p9', 'p1@example.com')];
    expect((await company.run()).reason).toBe('Synced');
    expect(company.target.writes).toEqual(['updateUser u1 userName', 'createUser p1@example.com']);
    await expectSettled(company, ['p1 married@example.com', 'p2 p2@example.com', 'p9 p1@example.com']);
  });

  it('a name freed by a deletion and taken by a joiner in the same run', async () => {
    const company = await aSettledCompany(2);
    company.spec = { ...company.spec, deprovisioning: { deletedAtSource: 'Delete' } };
    company.people = [...withMails(company, { p1: null }), aPerson('p9', 'p1@example.com')];
    expect((await company.run()).reason).toBe('Synced');
    expect(company.target.writes).toEqual(['deleteUser u1', 'createUser p1@example.com']);
    await expectSettled(company, ['p2 p2@example.com', 'p9 p1@example.com']);
  });

  it('a name that a deactivated leaver still has makes the joiner a conflict that names both, and nobody waits (I8)', async () => {
    const company = await aSettledCompany(2);
    company.rules = { everybody: { directorySyncRef: { name: 'acme' }, ...RESEARCH } };
    company.people = withMails(company, { p1: null });
    expect((await company.run()).reason).toBe('Synced');
    company.people = [...company.people, aPerson('p9', 'p1@example.com'), aPerson('p10', 'p10@example.com')];
    const report = await company.run();
    expect(report).toMatchObject({ reason: 'SyncedWithErrors', people: { conflicts: 1, failed: 1 } });
    expect(await company.errors(report)).toEqual([
      expect.stringMatching(/^p9 Conflict: userName of p9 belongs to p1, whose account keeps it/),
    ]);
    // No request for the joiner, and no membership either.
    expect(
      (await company.operations(report)).filter(({ id, member }) => [id, member?.sourceId].includes('p9')),
    ).toEqual([]);
    expect(names(company)).toEqual(['(p1 p1@example.com)', 'p10 p10@example.com', 'p2 p2@example.com']);
    expect(company.teamMembers('Research')).toEqual(['p10@example.com', 'p2@example.com']);
  });

  it('who is renamed to the name of a deactivated leaver is a conflict, and gets everything else', async () => {
    const company = await aSettledCompany(3);
    company.people = withMails(company, { p1: null });
    await company.run();
    company.people = withMails(company, { p2: 'p1@example.com', p3: 'p2@example.com' }).map((person) =>
      person.id === 'p2' ? { ...person, title: 'Lead' } : person,
    );
    const report = await company.run();
    expect(await company.errors(report)).toEqual([
      expect.stringMatching(/^p2 Conflict: userName of p2 belongs to p1, whose account keeps it/),
      expect.stringMatching(/^p3 Conflict: userName of p3 belongs to p2, who cannot get another one/),
    ]);
    expect(company.target.users.get('u2')?.attributes).toMatchObject({ userName: 'p2@example.com', title: 'Lead' });
  });

  it('a name whose deletion is held makes the joiner a conflict until it is approved', async () => {
    const company = await aSettledCompany(2);
    company.spec = {
      ...company.spec,
      deprovisioning: { deletedAtSource: 'Delete' },
      guards: { ...company.spec.guards, delete: { max: 0 } },
    };
    company.people = [...withMails(company, { p1: null }), aPerson('p9', 'p1@example.com')];
    const report = await company.run();
    expect(report).toMatchObject({ reason: 'SyncedWithErrors', held: { count: 1 } });
    expect(await company.errors(report)).toEqual([
      'p9 Conflict: userName of p9 belongs to p1 until what is held of p1 is approved: neither is guessed',
    ]);
    expect(names(company)).toEqual(['p1 p1@example.com', 'p2 p2@example.com']);
    expect((await company.run({ approve: report.held.hash })).reason).toBe('Synced');
    await expectSettled(company, ['p2 p2@example.com', 'p9 p1@example.com']);
  });

  it('rehire under a new source id: a conflict that names both ids, and nobody else waits for it (I3, I8)', async () => {
    const company = await aSettledCompany(2);
    company.people = [
      ...withMails(company, { p1: null }),
      aPerson('p1-again', 'p1@example.com'),
      aPerson('p9', 'p9@example.com'),
    ];
    const report = await company.run();
    expect(report.applied).toMatchObject({ create: 1, deactivate: 1 });
    expect(await company.errors(report)).toEqual([
      expect.stringMatching(
        /^p1-again Conflict: userName of p1-again belongs to p1, whose account keeps it; if both are one person/,
      ),
    ]);
    expect(names(company)).toEqual(['(p1 p1@example.com)', 'p2 p2@example.com', 'p9 p9@example.com']);
  });

  it('what waits for a change that failed is not sent, and is mended when that one goes', async () => {
    const company = await aSettledCompany(3);
    company.target.unique = [];
    company.people = withMails(company, { p1: 'p2@example.com', p2: 'p3@example.com', p3: 'new@example.com' });
    company.target.intercept = (request) => {
      if (request === 'updateUser u3 userName') throw new SyncError('TargetRejected', 'no');
    };
    const report = await company.run();
    expect(company.target.writes).toEqual([]);
    expect(await company.errors(report)).toEqual([
      'p3 TargetRejected: no',
      expect.stringMatching(/^p2 Conflict: userName of p2 still belongs to p3, whose change failed/),
      expect.stringMatching(/^p1 Conflict: userName of p1 still belongs to p2, whose change failed/),
    ]);
    company.target.intercept = () => undefined;
    // Nobody counts on what it frees before it went.
    expect(await company.run()).toMatchObject({ reason: 'SyncedWithErrors', applied: { rename: 1 } });
    expect((await company.run()).reason).toBe('Synced');
    await expectSettled(company, ['p1 p2@example.com', 'p2 p3@example.com', 'p3 new@example.com']);
  });

  it('accounts that are taken over with each other’s names swap them', async () => {
    const company = await createCompany();
    company.spec = { ...company.spec, guards: { adopt: NO_LIMITS } };
    // Without a mapped externalId of their own they are matched by their number alone.
    company.mapping = {
      attributes: [
        { target: 'userName', source: 'mail' },
        { target: 'externalId', source: 'number', matching: { precedence: 1 } },
      ],
    };
    company.target.addUser({ userName: 'b@example.com', externalId: '1' });
    company.target.addUser({ userName: 'a@example.com', externalId: '2' });
    company.people = [
      { id: 'p1', mail: 'a@example.com', number: '1' },
      { id: 'p2', mail: 'b@example.com', number: '2' },
    ];
    await company.run();
    await company.run();
    await expectSettled(company, ['1 a@example.com', '2 b@example.com']);
  });
});

const RESEARCH = {
  team: { displayName: 'Research' },
  match: [{ attribute: 'department', operator: 'Equals' as const, value: 'Research' }],
};

/** Two swap, three go in a chain, one takes a name that is freed by a deletion: ten writes with the detour. */
async function aTangledCompany(): Promise<Company> {
  const company = await aSettledCompany(6);
  company.spec = { ...company.spec, deprovisioning: { deletedAtSource: 'Delete' } };
  company.people = [
    ...withMails(company, {
      ...{ p1: 'p2@example.com', p2: 'p1@example.com' },
      ...{ p3: 'p4@example.com', p4: 'p5@example.com', p5: 'new@example.com' },
      p6: null,
    }),
    aPerson('p9', 'p6@example.com'),
  ];
  return company;
}

const WRITES = 8;
const END = [
  'p1 p2@example.com',
  'p2 p1@example.com',
  'p3 p4@example.com',
  'p4 p5@example.com',
  'p5 new@example.com',
  'p9 p6@example.com',
];

describe('swaps and chains that are killed', () => {
  it('are of this many writes', async () => {
    const company = await aTangledCompany();
    expect((await company.run()).reason).toBe('Synced');
    expect(company.target.writes).toHaveLength(WRITES);
    await expectSettled(company, END);
  });

  const moments = ['intercept', 'answering'] as const;
  const cases = Array.from({ length: WRITES }, (_, n) => moments.map((moment) => ({ n: n + 1, moment }))).flat();
  it.each(cases)(
    'end right after a kill at write $n, $moment, and no temporary value stays (I6)',
    async ({ n, moment }) => {
      const company = await aTangledCompany();
      const killed = new AbortController();
      let writes = 0;
      company.target[moment] = (request) => {
        if (/^(find|list|read)/.test(request)) return;
        writes += 1;
        if (writes < n) return;
        killed.abort();
        throw new SyncError('Aborted', 'killed', { outcomeUnknown: true });
      };
      expect((await company.run({ signal: killed.signal })).outcome).toBe('waiting');
      company.target[moment] = () => undefined;
      expect((await company.run()).reason).toBe('Synced');
      await expectSettled(company, END);
    },
  );

  const ways = [
    ['deletedAtSource', () => null],
    ['outOfScope', (person: Person) => ({ ...person, department: 'Sales' })],
    ['disabledAtSource', (person: Person) => ({ ...person, active: false })],
  ] as const;
  const leavers = ways.flatMap(([way, leave]) =>
    moments.flatMap((moment) => [1, 2, 3].map((n) => ({ way, leave, moment, n }))),
  );
  it.each(leavers)(
    'leave nobody with a temporary value who leaves then: $way, killed at write $n, $moment (I6)',
    async ({ way, leave, moment, n }) => {
      const company = await aSettledCompany(3);
      company.spec = {
        ...company.spec,
        scope: { filters: [[{ attribute: 'department', operator: 'Equals', value: 'Research' }]] },
      };
      company.people = withMails(company, { p1: 'p2@example.com', p2: 'p1@example.com' });
      const killed = new AbortController();
      let writes = 0;
      company.target[moment] = (request) => {
        if (/^(find|list|read)/.test(request)) return;
        writes += 1;
        if (writes < n) return;
        killed.abort();
        throw new SyncError('Aborted', 'killed', { outcomeUnknown: true });
      };
      await company.run({ signal: killed.signal });
      company.target[moment] = () => undefined;
      company.people = company.people.flatMap((person) => (person.id === 'p1' ? (leave(person) ?? []) : [person]));
      const report = await company.run();
      // Before the first request of the swap is carried out p1 still has the name that p2 wants, and keeps it; but whoever is
      // disabled is kept up to date.
      const isBegun = n > 1 || moment === 'answering' || way === 'disabledAtSource';
      expect(report.reason).toBe(isBegun ? 'Synced' : 'SyncedWithErrors');
      expect(names(company)).toEqual(
        isBegun
          ? ['(p1 p2@example.com)', 'p2 p1@example.com', 'p3 p3@example.com']
          : ['(p1 p1@example.com)', 'p2 p2@example.com', 'p3 p3@example.com'],
      );
      company.target.writes.length = 0;
      await company.run({ resync: true });
      expect(company.target.writes).toEqual([]);
    },
  );
});
