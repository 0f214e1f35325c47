/** `kubectl delete` of a CustomAttribute: its values go before the resource does. */
import { describe, expect, it } from 'vitest';
import type { CustomAttributeSpec } from '../../src/api/custom-attribute.ts';
import type { DirectorySyncSpec } from '../../src/api/directory-sync.ts';
import { findCondition } from '../../src/api/kstatus.ts';
import { FINALIZER } from '../../src/api/metadata.ts';
import { SyncError } from '../../src/errors.ts';
import { ACME, createLoopWorld, type LoopWorld, MINUTE } from '../support/loop-world.ts';
import { NAMESPACE, toRef } from '../support/memory-host.ts';

const TIER = 'urn:ietf:params:scim:schemas:extension:acme:2.0:User:licenseTier';
const CUSTOM = toRef('CustomAttribute', 'license-tier');

function putCustom({ host }: LoopWorld, spec: Partial<CustomAttributeSpec> = {}): void {
  const { kind, name } = CUSTOM;
  const metadata = { name, namespace: NAMESPACE };
  const whole = { name: 'tier', path: TIER, ...spec };
  host.put({ apiVersion: 'dirsync.dev/v1alpha1', kind: kind as 'CustomAttribute', metadata, spec: whole });
}

function putMapping({ host, company }: LoopWorld, isMapped: boolean): void {
  const attributes = [
    ...(company.mapping.attributes ?? []),
    ...(isMapped ? [{ target: 'tier', source: 'title' }] : []),
  ];
  const metadata = { name: 'users', namespace: NAMESPACE };
  host.put({ apiVersion: 'dirsync.dev/v1alpha1', kind: 'AttributeMapping', metadata, spec: { attributes } });
}

/** Ten people with a value, synced by the loop. */
async function aSyncedWorld(
  options: { spec?: Partial<DirectorySyncSpec>; custom?: Partial<CustomAttributeSpec> } = {},
): Promise<LoopWorld> {
  const world = await createLoopWorld(options.spec === undefined ? {} : { spec: options.spec });
  putMapping(world, true);
  putCustom(world, options.custom);
  world.putSync();
  await world.start();
  await world.advance(1000);
  expect(holders(world)).toHaveLength(10);
  expect(custom(world)?.metadata.finalizers).toEqual([FINALIZER]);
  world.company.target.writes.length = 0;
  world.host.events.length = 0;
  return world;
}

function holders({ company }: LoopWorld): readonly string[] {
  return [...company.target.users.values()].filter(({ attributes }) => TIER in attributes).map(({ id }) => id);
}

const custom = ({ host }: LoopWorld) => host.get('CustomAttribute', 'license-tier');

/** The mapping says nothing of it any more, and the resource is deleted. */
async function remove(world: LoopWorld, { unmap = true } = {}): Promise<void> {
  if (unmap) putMapping(world, false);
  world.host.remove(CUSTOM);
  await world.settle();
  await world.advance(1000);
}

const deleting = (world: LoopWorld) => findCondition(custom(world)?.status?.conditions, 'Deleting');
const events = ({ host }: LoopWorld) =>
  host.events
    .filter(({ ref }) => ref.kind === 'CustomAttribute')
    .map(({ type, reason, message }) => `${type} ${reason}: ${message}`);

describe('the deletion of a CustomAttribute', () => {
  it('removes its values from everybody, and then lets the resource go', async () => {
    const world = await aSyncedWorld();
    await remove(world);
    expect([holders(world), custom(world)]).toEqual([[], undefined]);
    expect(world.company.target.writes).toHaveLength(10);
    expect(events(world)).toEqual(['Normal Deleted: nobody has a value any more; the resource goes']);
    await world.advance(MINUTE);
    expect(world.reports().at(-1)).toMatchObject({ reason: 'Synced', applied: { update: 0 } });
    expect(world.company.target.writes).toHaveLength(10);
    expect(world.host.problems).toEqual([]);
  });

  it('goes on while mappings, rules and filters still read it, and says beforehand what will be wrong', async () => {
    const world = await aSyncedWorld({
      spec: { scope: { filters: [[{ attribute: 'custom:tier', operator: 'Equals', value: 'Engineer' }]] } },
    });
    world.company.target.intercept = (request) => {
      if (request.startsWith('updateUser u5')) throw new SyncError('TargetUnavailable', 'down');
    };
    await remove(world, { unmap: false });
    expect(deleting(world)).toMatchObject({ status: 'True', reason: 'RemovalFailing' });
    expect(deleting(world)?.message).toContain('DirectorySync acme could not remove them (TargetUnavailable)');
    expect(deleting(world)?.message).toContain(
      'Without it this will be Invalid: AttributeMapping users: spec.attributes[5].target',
    );
    world.company.target.intercept = () => undefined;
    await world.advance(40 * MINUTE);
    expect([holders(world), custom(world)]).toEqual([[], undefined]);
    // Nobody was out of scope for a moment.
    expect(world.company.target.writes.every((line) => line.startsWith('updateUser'))).toBe(true);
    expect(world.reports().at(-1)).toMatchObject({ reason: 'Invalid' });
    expect(world.host.problems).toEqual([]);
  });

  it('shows how many are left, goes on after a restart where it was, and asks for nothing twice (I6)', async () => {
    const world = await aSyncedWorld({ spec: { limits: { concurrency: 1 } } });
    world.company.target.intercept = (request) => {
      if (request.startsWith('updateUser u7')) throw new SyncError('TargetUnavailable', 'down');
    };
    await remove(world);
    const { left, directorySyncs } = custom(world)?.status?.deletion ?? {};
    expect(left).toBe(holders(world).length);
    expect(left).toBeGreaterThan(0);
    expect(directorySyncs).toEqual([{ name: 'acme', state: 'Failed', left }]);
    await world.restart();
    expect(custom(world)?.status?.deletion?.left).toBe(holders(world).length);
    world.company.target.intercept = () => undefined;
    await world.advance(40 * MINUTE);
    expect([holders(world), custom(world)]).toEqual([[], undefined]);
    expect(new Set(world.company.target.writes).size).toBe(10);
    expect(world.company.target.writes).toHaveLength(10);
  });

  it.each([1, 2, 3, 4, 5, 6])(
    'comes to the same end when the API server fails at write %i and the process dies',
    async (n) => {
      const world = await aSyncedWorld();
      let seen = 0;
      world.host.beforeWrite = () => {
        seen += 1;
        if (seen >= n) throw new SyncError('Unknown', 'the API server is away');
      };
      await remove(world);
      world.host.beforeWrite = () => undefined;
      await world.restart();
      await world.advance(MINUTE);
      await world.advance(MINUTE);
      expect([holders(world), custom(world)]).toEqual([[], undefined]);
      expect(world.company.target.writes).toHaveLength(10);
    },
  );

  it('waits for approval where guards.update says so', async () => {
    const world = await aSyncedWorld({ spec: { guards: { suspiciousDrop: 100, floor: 0, update: { max: 3 } } } });
    await remove(world);
    expect(deleting(world)).toMatchObject({
      reason: 'ValuesHeld',
      message: 'DirectorySync acme holds 10 removals for approval; 10 people still have a value',
    });
    expect(custom(world)?.status?.deletion).toEqual({
      left: 10,
      directorySyncs: [{ name: 'acme', state: 'Held', left: 10 }],
    });
    expect(events(world).at(-1)).toContain('Warning Held: DirectorySync acme holds 10 removals');
    const hash = world.host.get('DirectorySync', 'acme')?.status?.held?.hash ?? '';
    world.host.annotate(ACME, { 'dirsync.dev/approve': hash });
    await world.settle();
    await world.advance(1000);
    expect([holders(world), custom(world)]).toEqual([[], undefined]);
  });

  it('waits for a DirectorySync that is suspended, and says so; resumed, it does the rest', async () => {
    const world = await aSyncedWorld();
    world.putSync({ suspend: true });
    await world.settle();
    await remove(world);
    expect(holders(world)).toHaveLength(10);
    expect(deleting(world)?.message).toBe(
      'DirectorySync acme is suspended and removes nothing. Annotate it with dirsync.dev/abandon=true to let it go with its values left where they are',
    );
    expect(events(world)).toEqual([expect.stringContaining('Warning Suspended: DirectorySync acme is suspended')]);
    world.putSync({ suspend: false });
    await world.settle();
    await world.advance(1000);
    expect([holders(world), custom(world)]).toEqual([[], undefined]);
  });

  it('waits for one whose mode is Plan, which shows what it would remove', async () => {
    const world = await aSyncedWorld();
    world.putSync({ mode: 'Plan' });
    await world.settle();
    await remove(world);
    expect(deleting(world)).toMatchObject({ reason: 'SyncSuspended' });
    expect(deleting(world)?.message).toContain('DirectorySync acme has mode: Plan and removes nothing');
    expect(world.reports().at(-1)).toMatchObject({ reason: 'Planned', plan: { update: 10 } });
    expect(holders(world)).toHaveLength(10);
  });

  it('does not wait for a DirectorySync that is gone, going, or without it', async () => {
    const world = await aSyncedWorld({ custom: { directorySyncs: { names: ['acme', 'elsewhere'] } } });
    world.putSync({ suspend: true }, 'other');
    await world.settle();
    world.company.target.intercept = () => {
      throw new SyncError('TargetUnavailable', 'down');
    };
    await remove(world);
    expect(deleting(world)?.message).toContain('DirectorySync elsewhere does not exist: what it wrote stays');
    expect(custom(world)?.status?.deletion?.directorySyncs).toMatchObject([{ name: 'acme' }]);
    world.host.remove(ACME);
    await world.settle();
    await world.advance(1000);
    expect(custom(world)).toBeUndefined();
    expect(holders(world)).toHaveLength(10);
  });

  it('goes at once, values untouched for good, with dirsync.dev/abandon', async () => {
    const world = await aSyncedWorld();
    world.company.readError = new SyncError('ReadFailed', 'gone for good');
    await remove(world);
    expect(deleting(world)?.message).toContain('DirectorySync acme could not remove them (ReadFailed)');
    world.host.annotate(CUSTOM, { 'dirsync.dev/abandon': 'true' });
    await world.settle();
    await world.advance(1000);
    expect(custom(world)).toBeUndefined();
    expect(events(world).at(-1)).toContain('Warning Abandoned');
    world.company.readError = null;
    await world.advance(40 * MINUTE);
    expect(world.reports().at(-1)).toMatchObject({ reason: 'Synced', applied: { update: 0 } });
    expect(holders(world)).toHaveLength(10);
    // A new one of the name has nothing to do with the old one.
    putCustom(world);
    await world.advance(40 * MINUTE);
    world.host.remove(CUSTOM);
    await world.settle();
    await world.advance(1000);
    await world.advance(40 * MINUTE);
    expect([holders(world), custom(world)]).toEqual([[], undefined]);
  });

  it('hands over to another resource of the same name and path without a write', async () => {
    const world = await aSyncedWorld();
    const metadata = { name: 'tier', namespace: NAMESPACE };
    world.host.put({
      apiVersion: 'dirsync.dev/v1alpha1',
      kind: 'CustomAttribute',
      metadata,
      spec: { name: 'tier', path: TIER },
    });
    await remove(world, { unmap: false });
    expect(custom(world)).toBeUndefined();
    expect(world.company.target.writes).toEqual([]);
    expect(world.reports().at(-1)).toMatchObject({ reason: 'Synced' });
  });

  it('has nothing to remove where nothing was ever written: null and absent are one', async () => {
    const world = await createLoopWorld();
    world.company.people = world.company.people.map((each) => ({ ...each, title: null }));
    putMapping(world, true);
    putCustom(world);
    world.putSync();
    await world.start();
    await world.advance(1000);
    world.company.target.writes.length = 0;
    await remove(world);
    expect(custom(world)).toBeUndefined();
    expect(world.company.target.writes).toEqual([]);
    expect(events(world)).toEqual(['Normal Deleted: nobody has a value any more; the resource goes']);
  });
});
