import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { connectCluster } from './cluster.ts';
import { type Company, createCompanies, openWorkplace, type Workplace } from './company.ts';
import { type Controller, installDirsync, startController } from './controller.ts';
import { conditionOf, isReady, type Seen } from './follow.ts';

const cluster = connectCluster(inject('cluster'));
const namespace = 'attributes';
const OPTIONS = { namespaces: [namespace], state: 'attributes.db' };

let place: Workplace;
let companies: ReturnType<typeof createCompanies>;
let controller: Controller;

beforeAll(async () => {
  await installDirsync(cluster);
  place = await openWorkplace(cluster, namespace);
  companies = createCompanies(place);
  controller = await startController(cluster, OPTIONS);
});

afterAll(async () => {
  await place?.kubectl(['delete', 'dirsync', '--all', '--timeout=30s']);
  await controller?.stop();
  await place?.close();
  await companies?.close();
});

/** A company whose people have a nickname by a CustomAttribute of its own name, which applies to it alone. */
async function openSynced(name: string, people: number, spec: Readonly<Record<string, unknown>> = {}) {
  const company = await companies.open(name, people);
  const attribute = `${name}-nick`;
  await place.apply({
    apiVersion: 'dirsync.dev/v1alpha1',
    kind: 'CustomAttribute',
    metadata: { name: attribute },
    spec: { path: 'nickName', directorySyncs: { names: [name] } },
  });
  const manifests = company.manifests({ spec });
  const mapping = manifests.find((each) => 'kind' in each && each.kind === 'AttributeMapping') as MappingManifest;
  const mapped = structuredClone(mapping);
  mapped.spec.attributes.push({ target: attribute.replaceAll('-', '_'), source: 'givenName' });
  await place.apply(...manifests.filter((each) => each !== mapping), mapped);
  await place.followed.until('DirectorySync', name, isReady('Synced'));
  const { metadata } = await place.followed.until('CustomAttribute', attribute, ({ metadata: { finalizers = [] } }) => {
    return finalizers.includes('dirsync.dev/finalizer');
  });
  expect(metadata.finalizers).toEqual(['dirsync.dev/finalizer']);
  expect(await countNicknames(company)).toBe(people);
  return {
    company,
    attribute,
    /** The entry goes first, as a commit that takes out both would have it. */
    remove: async () => {
      await place.apply(mapping);
      await place.kubectl(['delete', 'cattr', attribute, '--wait=false']);
    },
  };
}

interface MappingManifest {
  readonly spec: { readonly attributes: object[] };
}

async function countNicknames(company: Company): Promise<number> {
  return (await company.users()).filter((user) => 'nickName' in user).length;
}

const left = ({ status }: Seen): unknown => (status?.['deletion'] as { left?: number } | undefined)?.left;

async function eventsOf(name: string): Promise<string[]> {
  const events = (await place.events()).filter(({ involvedObject }) => involvedObject.name === name);
  return events.map(({ type, reason }) => `${type} ${reason}`);
}

describe('the deletion of a CustomAttribute', () => {
  it('removes its values from everybody before the resource goes', async () => {
    const { company, attribute, remove } = await openSynced('plain', 6);
    const writes = company.writes();
    await remove();
    await place.followed.untilGone('CustomAttribute', attribute);
    expect(await countNicknames(company)).toBe(0);
    expect(company.writes()).toBe(writes + 6);
    expect(await eventsOf(attribute)).toContain('Normal Deleted');
    await place.followed.until('DirectorySync', company.name, isReady('Synced'));
    expect(company.writes()).toBe(writes + 6);
  });

  it('is shown by kubectl get cattr, and goes on where it was after the controller was killed', async () => {
    const { company, attribute, remove } = await openSynced('killed', 30, { limits: { concurrency: 1 } });
    const writes = company.writes();
    const hold = company.holdWrites(12);
    await remove();
    await hold.reached;
    await place.followed.until('CustomAttribute', attribute, (seen) => Number(left(seen)) >= 19);
    const table = await place.kubectl(['get', 'cattr', attribute]);
    expect(table.split('\n')[0]).toMatch(/^NAME +VALID +STATUS +TYPE +LEFT +AGE$/);
    await controller.kill();
    hold.release();
    controller = await startController(cluster, OPTIONS);
    await place.followed.untilGone('CustomAttribute', attribute);
    expect(await countNicknames(company)).toBe(0);
    // What was in flight was carried out, and asked for by nobody a second time.
    expect(company.writes()).toBe(writes + 30);
  });

  it('waits while its DirectorySync is suspended, and goes with its values by dirsync.dev/abandon', async () => {
    const { company, attribute, remove } = await openSynced('suspended', 4);
    await place.patch('dsync', company.name, { spec: { suspend: true } });
    await place.followed.until('DirectorySync', company.name, isReady('Suspended'));
    await remove();
    const waiting = await place.followed.until(
      'CustomAttribute',
      attribute,
      (seen) => conditionOf(seen, 'Deleting')?.reason === 'SyncSuspended',
    );
    expect(conditionOf(waiting, 'Deleting')?.message).toContain('DirectorySync suspended is suspended');
    await place.kubectl(['annotate', 'cattr', attribute, 'dirsync.dev/abandon=true']);
    await place.followed.untilGone('CustomAttribute', attribute);
    expect(await eventsOf(attribute)).toEqual(['Warning Suspended', 'Warning Abandoned']);
    await place.patch('dsync', company.name, { spec: { suspend: null } });
    await place.followed.until('DirectorySync', company.name, isReady('Synced'));
    expect(await countNicknames(company)).toBe(4);
  });

  it('says that guards hold it, and goes when that is approved', async () => {
    const guards = { floor: 0, update: { max: 2 } };
    const { company, attribute, remove } = await openSynced('held', 8, { guards });
    await remove();
    const waiting = await place.followed.until(
      'CustomAttribute',
      attribute,
      (seen) => conditionOf(seen, 'Deleting')?.reason === 'ValuesHeld',
    );
    expect(conditionOf(waiting, 'Deleting')?.message).toBe(
      'DirectorySync held holds 8 removals for approval; 8 people still have a value',
    );
    expect(left(waiting)).toBe(8);
    const { status } = await place.followed.until('DirectorySync', company.name, isReady('SyncedWithHeld'));
    await place.kubectl(['annotate', 'dsync', company.name, `dirsync.dev/approve=${status?.held?.hash}`]);
    await place.followed.untilGone('CustomAttribute', attribute);
    expect(await countNicknames(company)).toBe(0);
  });

  it('does not keep a namespace that is deleted as a whole', async () => {
    const { company, attribute } = await openSynced('last', 4);
    await place.kubectl(['delete', 'dsync,cattr', company.name, attribute, '--ignore-not-found', '--wait=false']);
    await place.followed.untilGone('DirectorySync', company.name);
    await place.followed.untilGone('CustomAttribute', attribute);
  });
});

describe('after all of that', () => {
  it('every status seen was a good one', () => {
    expect(place.followed.problems()).toEqual([]);
  });
});
