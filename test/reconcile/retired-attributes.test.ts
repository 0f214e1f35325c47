/** Values of a CustomAttribute that is gone, or lives somewhere else now, leave the target. */
import { describe, expect, it } from 'vitest';
import { type AttributeBehaviour, PLAIN_ATTRIBUTE } from '../../src/targets/target.ts';
import { aCompanyOf, type Company, createCompany } from '../support/company.ts';

const ACME = 'urn:ietf:params:scim:schemas:extension:acme:2.0:User';
const TIER = `${ACME}:licenseTier`;
const LEVEL = `${ACME}:level`;

/** Ten people of whom all but the last have a tier, synced. */
async function aSynced(options: Parameters<typeof createCompany>[0] = {}): Promise<Company> {
  const company = await createCompany(options);
  company.people = aCompanyOf(10, (index) => ({ tier: index === 9 ? null : 'gold' }));
  company.customs = { tier: { name: 'tier', path: TIER } };
  company.mapping = { attributes: [...(company.mapping.attributes ?? []), { target: 'tier', source: 'tier' }] };
  expect(await company.run()).toMatchObject({ reason: 'Synced', applied: { create: 10 } });
  expect(holders(company)).toHaveLength(9);
  company.target.writes.length = 0;
  return company;
}

function holders({ target }: Company, path = TIER): readonly string[] {
  return [...target.users.values()].filter(({ attributes }) => path in attributes).map(({ id }) => id);
}

function dropEntry(company: Company): void {
  company.mapping = { attributes: company.mapping.attributes?.filter(({ target }) => target !== 'tier') ?? [] };
}

function drop(company: Company): void {
  company.customs = {};
  dropEntry(company);
}

describe('a CustomAttribute whose document is gone', () => {
  it('is removed from everybody by the next run, and the one after writes nothing (I2)', async () => {
    const company = await aSynced();
    drop(company);
    const report = await company.run();
    expect(report).toMatchObject({ reason: 'Synced', kind: 'Verify', applied: { update: 9 } });
    expect(holders(company)).toEqual([]);
    const [operation] = await company.operations(report);
    expect(operation).toMatchObject({
      unit: 'person:p1:attribute',
      cause: 'mapping',
      removal: true,
      changes: [{ path: TIER, before: 'gold' }],
    });
    company.target.writes.length = 0;
    expect(await company.run()).toMatchObject({ reason: 'Synced', kind: 'Full' });
    expect(company.target.writes).toEqual([]);
  });

  it('is removed from people who are out of scope, gone or broken, and from nobody that is not owned', async () => {
    const company = await aSynced();
    const stranger = company.target.addUser({ userName: 'theirs@example.com', [TIER]: 'silver' });
    company.spec = {
      ...company.spec,
      scope: { filters: [[{ attribute: 'title', operator: 'NotEquals', value: 'x' }]] },
    };
    company.people = company.people
      .filter(({ id }) => id !== 'p1')
      .map((each) => (each.id === 'p2' ? { ...each, title: 'x' } : each.id === 'p3' ? { ...each, mail: null } : each));
    company.spec = { ...company.spec, guards: { suspiciousDrop: 100 } };
    drop(company);
    await company.run();
    expect(holders(company)).toEqual([stranger.id]);
  });

  it('is removed from who comes back before a deletion that is held', async () => {
    const company = await aSynced();
    const everybody = company.people;
    company.spec = {
      ...company.spec,
      deprovisioning: { deletedAtSource: 'Delete' },
      guards: { delete: { max: 0 }, suspiciousDrop: 100 },
    };
    company.people = everybody.filter(({ id }) => id !== 'p1');
    drop(company);
    expect(await company.run()).toMatchObject({ held: { kinds: { delete: 1 } }, applied: { update: 8 } });
    expect(holders(company)).toEqual(['u1']);
    await company.run();
    company.people = everybody;
    expect(await company.run()).toMatchObject({ held: { count: 0 }, applied: { update: 1 } });
    expect(holders(company)).toEqual([]);
  });

  it('takes along what somebody has set by hand, of which no link knows', async () => {
    const company = await aSynced();
    const last = company.target.users.get('u10');
    if (last !== undefined) last.attributes[TIER] = 'platinum';
    drop(company);
    expect(await company.run()).toMatchObject({ applied: { update: 10 } });
    expect(holders(company)).toEqual([]);
  });

  it('is shown by a plan, which forgets nothing', async () => {
    const company = await aSynced();
    drop(company);
    expect(await company.run({ planOnly: true })).toMatchObject({ reason: 'Planned', plan: { update: 9 } });
    expect(company.target.writes).toEqual([]);
    expect(await company.run()).toMatchObject({ applied: { update: 9 } });
  });

  it('comes back when the document does', async () => {
    const company = await aSynced();
    const { mapping, customs } = company;
    const gone = company.target.users.get('u1');
    if (gone !== undefined) delete gone.attributes[TIER];
    drop(company);
    expect(await company.run()).toMatchObject({ applied: { update: 8 } });
    Object.assign(company, { mapping, customs });
    expect(await company.run()).toMatchObject({ applied: { update: 9 } });
    expect(holders(company)).toHaveLength(9);
  });

  it('stays where its path is written by an entry of its own', async () => {
    const company = await aSynced();
    company.customs = { tier: { name: 'tier', path: 'nickName' } };
    await company.run();
    company.customs = {};
    company.mapping = {
      attributes:
        company.mapping.attributes?.map((each) => (each.target === 'tier' ? { ...each, target: 'nickName' } : each)) ??
        [],
    };
    company.target.writes.length = 0;
    expect(await company.run()).toMatchObject({ reason: 'Synced', applied: { update: 0 } });
    expect(holders(company, 'nickName')).toHaveLength(9);
  });

  it('is counted by guards.update, held beside everything else that goes, and released by approval', async () => {
    const company = await aSynced();
    company.spec = { ...company.spec, guards: { suspiciousDrop: 100, floor: 0, update: { max: 5 } } };
    company.people = company.people.map((each) => (each.id === 'p1' ? { ...each, department: 'Sales' } : each));
    drop(company);
    const held = await company.run();
    expect(held).toMatchObject({ reason: 'SyncedWithHeld', held: { count: 9, kinds: { update: 9 } } });
    expect(held.applied).toMatchObject({ update: 1 });
    expect(holders(company)).toHaveLength(9);
    expect(await company.run({ approve: held.held.hash })).toMatchObject({ reason: 'Synced', applied: { update: 9 } });
    expect(holders(company)).toEqual([]);
  });

  it('waits for a second read where the first lost too much (I1)', async () => {
    const company = await aSynced();
    company.people = company.people.map((each) => ({ ...each, department: null }));
    drop(company);
    expect(await company.run()).toMatchObject({ reason: 'ReadSuspect', held: { kinds: { suspect: 9 } } });
    expect(holders(company)).toHaveLength(9);
  });

  it('goes on at the next run where the target refused it (I8)', async () => {
    const company = await aSynced();
    company.target.intercept = (request) => {
      if (request.startsWith('updateUser u4')) throw new Error('no');
    };
    drop(company);
    await company.run();
    expect(holders(company)).toContain('u4');
    company.target.intercept = () => undefined;
    await company.run();
    expect(holders(company)).toEqual([]);
    company.target.writes.length = 0;
    await company.run();
    expect(company.target.writes).toEqual([]);
  });
});

describe('a CustomAttribute with another path', () => {
  it('is an update: the new path gets the value, and the old one is emptied', async () => {
    const company = await aSynced();
    company.customs = { tier: { name: 'tier', path: LEVEL } };
    const report = await company.run();
    expect(report).toMatchObject({ reason: 'Synced', applied: { update: 18, create: 0, delete: 0 } });
    expect([holders(company), holders(company, LEVEL).length]).toEqual([[], 9]);
    company.target.writes.length = 0;
    await company.run();
    expect(company.target.writes).toEqual([]);
  });

  it('may go back before that is done', async () => {
    const company = await aSynced();
    const { customs } = company;
    company.spec = { ...company.spec, guards: { floor: 0, update: { max: 5 } } };
    company.customs = { tier: { name: 'tier', path: LEVEL } };
    expect(await company.run()).toMatchObject({ reason: 'SyncedWithHeld', applied: { update: 0 } });
    company.customs = customs;
    expect(await company.run()).toMatchObject({ reason: 'Synced', applied: { update: 0 } });
    expect(holders(company)).toHaveLength(9);
  });
});

describe('a CustomAttribute that applies no more', () => {
  it('leaves what it has written', async () => {
    const company = await aSynced();
    company.customs = { tier: { name: 'tier', path: TIER, directorySyncs: { names: ['other'] } } };
    dropEntry(company);
    expect(await company.run()).toMatchObject({ reason: 'Synced', applied: { update: 0 } });
    expect(holders(company)).toHaveLength(9);
    company.customs = {};
    await company.run();
    expect(holders(company)).toHaveLength(9);
  });

  it('is removed where it has taken a predefined attribute and does so no more', async () => {
    const company = await aSynced();
    dropEntry(company);
    const path = 'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:organization';
    company.people = company.people.map((each) => ({ ...each, organization: 'Acme' }));
    company.customs = { organization: { predefined: 'organization', path } };
    await company.run();
    expect(holders(company, path)).toHaveLength(10);
    company.customs = { organization: { path } };
    expect(await company.run()).toMatchObject({ reason: 'Synced', applied: { update: 10 } });
    expect(holders(company, path)).toEqual([]);
  });
});

describe('what cannot be removed', () => {
  it('stays, and a warning says so, where the target lets nobody change it', async () => {
    const attribute = (_resource: string, path: string): AttributeBehaviour =>
      path === TIER ? { writes: 'onCreate', shows: 'exactly' } : PLAIN_ATTRIBUTE;
    const company = await aSynced({ capabilities: { attribute } });
    drop(company);
    const message = `the target does not let "${TIER}" be changed: values of CustomAttribute tier, which is gone, stay there`;
    const report = await company.run();
    expect(report).toMatchObject({ reason: 'Synced', warnings: [{ reason: 'AttributeStays', message }] });
    expect(holders(company)).toHaveLength(9);
    expect(await company.run()).toMatchObject({ reason: 'Synced', kind: 'Full', warnings: [] });
  });
});
