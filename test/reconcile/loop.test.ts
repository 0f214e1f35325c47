import { expect, it } from 'vitest';
import { findCondition } from '../../src/api/kstatus.ts';
import { ACME, createLoopWorld, MINUTE } from '../support/loop-world.ts';

it('runs once, and again after the interval', async () => {
  const world = await createLoopWorld();
  world.putSync();
  await world.start();
  expect(world.reports()).toHaveLength(1);
  const sync = world.host.get('DirectorySync', 'acme');
  expect(findCondition(sync?.status?.conditions, 'Ready')).toMatchObject({ status: 'True', reason: 'Synced' });
  expect(world.host.problems).toEqual([]);
  await world.advance(39 * MINUTE);
  expect(world.reports()).toHaveLength(1);
  await world.advance(1 * MINUTE);
  expect(world.reports()).toHaveLength(2);
  expect(ACME.name).toBe('acme');
});
