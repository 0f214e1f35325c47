/** What the deletion of a DirectorySync does to what it owns (`deletionPolicy`). */
import { describe, expect, it } from 'vitest';
import type { DirectorySyncSpec } from '../../src/api/directory-sync.ts';
import { findCondition } from '../../src/api/kstatus.ts';
import type { TeamRuleResource } from '../../src/api/team-rule.ts';
import { SyncError } from '../../src/errors.ts';
import { aCompanyOf } from '../support/company.ts';
import { ACME, createLoopWorld, type LoopWorld, MINUTE } from '../support/loop-world.ts';
import { NAMESPACE } from '../support/memory-host.ts';

const RULE: TeamRuleResource = {
  apiVersion: 'dirsync.dev/v1alpha1',
  kind: 'TeamRule',
  metadata: { name: 'research', namespace: NAMESPACE },
  spec: {
    directorySyncRef: { name: 'acme' },
    team: { displayName: 'Research' },
    match: [{ attribute: 'department', operator: 'Equals', value: 'research' }],
  },
};

/** Ten people and a team, synced by the loop. Guards let nothing go: they have no say in a deletion. */
async function aSyncedWorld(spec: Partial<DirectorySyncSpec>): Promise<LoopWorld> {
  const guards = { suspiciousDrop: 100, deactivate: { max: 0 }, delete: { max: 0 }, deleteTeams: { max: 0 } };
  const world = await createLoopWorld({ spec: { guards, ...spec } });
  world.host.put(RULE);
  world.putSync();
  await world.start();
  expect(world.reports().map(({ reason }) => reason)).toEqual(['Synced']);
  expect(world.company.teamMembers('Research')).toHaveLength(10);
  world.company.target.writes.length = 0;
  return world;
}

async function remove(world: LoopWorld): Promise<void> {
  world.host.remove(ACME);
  await world.settle();
}

const isThere = ({ host }: LoopWorld): boolean => host.get('DirectorySync', 'acme') !== undefined;
const countActive = ({ company }: LoopWorld): number =>
  [...company.target.users.values()].filter(({ attributes }) => attributes['active'] !== false).length;

describe('deletionPolicy Deactivate', () => {
  it('switches everybody off whom it owns, leaves teams, and lets the resource go', async () => {
    const world = await aSyncedWorld({ deletionPolicy: 'Deactivate' });
    world.company.target.addUser({ userName: 'theirs@example.com' });
    await remove(world);
    expect(countActive(world)).toBe(1);
    expect(world.company.teamMembers('Research')).toHaveLength(10);
    expect(world.company.target.writes.every((line) => line.startsWith('deactivateUser'))).toBe(true);
    expect(isThere(world)).toBe(false);
    const report = world.reports().at(-1);
    expect(report).toMatchObject({ reason: 'Synced', applied: { deactivate: 10 } });
    if (report === undefined) return;
    const [first] = await world.company.operations(report);
    expect(first).toMatchObject({ cause: 'resourceDeleted', unit: 'person:p1:resourceDeleted', status: 'done' });
    expect(await (await world.company.state()).ledger.removals(0)).toEqual([]);
  });

  it('needs neither source nor mapping nor rule', async () => {
    const world = await aSyncedWorld({ deletionPolicy: 'Deactivate' });
    world.company.source.failsAfter = { pages: 0, error: new SyncError('ReadFailed', 'gone for good') };
    world.host.remove({ kind: 'AttributeMapping', namespace: NAMESPACE, name: 'users' });
    await remove(world);
    expect([countActive(world), isThere(world)]).toEqual([0, false]);
  });

  it('leaves alone whom a lost state has only recognised again (I7)', async () => {
    const world = await aSyncedWorld({ deletionPolicy: 'Deactivate' });
    await world.stop();
    await world.company.loseState();
    const { target } = world.company;
    target.users.delete('u2');
    await world.company.run();
    const report = await world.company.run({ deletion: true });
    expect(report).toMatchObject({ outcome: 'synced', applied: { deactivate: 1 } });
    expect(countActive(world)).toBe(9);
  });
});

describe('deletionPolicy Delete', () => {
  it('deletes owned accounts and teams, protected people not', async () => {
    const world = await aSyncedWorld({
      deletionPolicy: 'Delete',
      guards: { protectedUsers: ['P1@example.com'], delete: { max: 0 } },
    });
    world.company.target.addUser({ userName: 'theirs@example.com' });
    world.company.target.addTeam('Theirs');
    await remove(world);
    const names = [...world.company.target.users.values()].map(({ attributes }) => attributes['userName']);
    expect(names).toEqual(['p1@example.com', 'theirs@example.com']);
    expect([...world.company.target.teams.values()].map(({ attributes }) => attributes['displayName'])).toEqual([
      'Theirs',
    ]);
    expect(world.reports().at(-1)).toMatchObject({ people: { protected: 1 } });
    expect(isThere(world)).toBe(false);
  });

  it('goes on after a failure where it was, says so meanwhile, and ends without a second request for anybody (I6)', async () => {
    const world = await aSyncedWorld({ deletionPolicy: 'Delete', limits: { concurrency: 1 } });
    world.company.target.intercept = (request) => {
      if (request === 'deleteUser u5') throw new SyncError('TargetUnavailable', 'the application is down');
    };
    await remove(world);
    expect(isThere(world)).toBe(true);
    const status = world.host.get('DirectorySync', 'acme')?.status;
    expect(findCondition(status?.conditions, 'Ready')).toMatchObject({
      status: 'False',
      reason: 'TargetUnavailable',
      message: expect.stringContaining('annotate it with dirsync.dev/abandon=true to let it go'),
    });
    expect(status?.nextRunAt).toBeDefined();
    world.company.target.intercept = () => undefined;
    await world.advance(40 * MINUTE);
    expect(isThere(world)).toBe(false);
    expect(world.company.target.users.size).toBe(0);
    expect(new Set(world.company.target.writes).size).toBe(world.company.target.writes.length);
    expect(world.host.problems).toEqual([]);
  });

  it('is ended by `abandon`, and by a process that stops; the next one goes on', async () => {
    const world = await aSyncedWorld({ deletionPolicy: 'Delete', limits: { concurrency: 1 } });
    world.company.target.intercept = (request) => {
      if (request === 'deleteUser u3') world.stopping.abort();
    };
    await remove(world);
    expect([isThere(world), world.company.target.users.size > 0]).toEqual([true, true]);
    world.company.target.intercept = () => {
      throw new SyncError('TargetUnavailable', 'the application is gone for good');
    };
    await world.restart();
    expect(isThere(world)).toBe(true);
    world.host.annotate(ACME, { 'dirsync.dev/abandon': 'true' });
    await world.settle();
    expect(isThere(world)).toBe(false);
  });

  it.each<readonly [string, Partial<DirectorySyncSpec>]>([
    ['suspended', { suspend: true }],
    ['in mode Plan', { mode: 'Plan' }],
  ])('is Retain for a resource that is %s', async (_, more) => {
    const world = await aSyncedWorld({ deletionPolicy: 'Delete' });
    world.putSync({ ...world.company.spec, ...more });
    await world.settle();
    world.company.target.writes.length = 0;
    await remove(world);
    expect([isThere(world), world.company.target.writes.length]).toEqual([false, 0]);
  });

  it.each<readonly [string, object]>([
    ['has the same id', { id: 'one' }],
    ['takes its links over', { id: 'two', adoptFrom: 'one', suspend: true }],
  ])('is Retain while another resource %s', async (_, successor) => {
    const world = await aSyncedWorld({ deletionPolicy: 'Delete', id: 'one' });
    world.putSync(successor, 'successor');
    await world.settle();
    await remove(world);
    expect([isThere(world), world.company.target.users.size]).toEqual([false, 10]);
  });

  it('is Retain while another resource waits for its id, which goes on by itself and has the same people (I2)', async () => {
    const world = await aSyncedWorld({ deletionPolicy: 'Delete', id: 'one' });
    world.putSync({ ...world.company.spec, id: 'two', adoptFrom: 'one' }, 'successor');
    await world.settle();
    const ready = () =>
      findCondition(world.host.get('DirectorySync', 'successor')?.status?.conditions, 'Ready')?.reason;
    expect(ready()).toBe('IdInUse');
    world.company.target.writes.length = 0;
    await remove(world);
    await world.settle();
    expect([isThere(world), ready(), world.company.target.users.size]).toEqual([false, 'Synced', 10]);
    expect(world.company.target.writes).toEqual([]);
    expect(world.host.events.map(({ reason, message }) => `${reason}: ${message}`)).toContain(
      'TakenOver: took over 10 people and 1 team of the id one',
    );
  });

  it('is none for a document that vanishes from a folder', async () => {
    const world = await aSyncedWorld({ deletionPolicy: 'Delete' });
    await world.host.setFinalizer(ACME, false);
    await remove(world);
    await world.advance(60 * MINUTE);
    expect([isThere(world), world.company.target.users.size, world.company.target.writes.length]).toEqual([
      false,
      10,
      0,
    ]);
  });
});

it('planned, a deletion changes nothing and lists everything', async () => {
  const world = await aSyncedWorld({ deletionPolicy: 'Delete' });
  world.company.people = aCompanyOf(3);
  const report = await world.company.run({ deletion: true, planOnly: true });
  expect(report).toMatchObject({ reason: 'Planned', plan: { delete: 10, deleteTeams: 1 }, held: { count: 0 } });
  expect(world.company.target.writes).toEqual([]);
});
