import { afterAll, expect, it } from 'vitest';
import { makeFolder } from './folder.ts';
import { REGRESSIONS } from './regressions.ts';
import { createScenario } from './scenario.ts';
import { simulate } from './simulate.ts';

const { folder, remove } = makeFolder();
afterAll(remove);

it('plays twenty seeds in which every rule holds', async () => {
  for (let seed = 1; seed <= 20; seed += 1) {
    const { violations } = await simulate(createScenario(seed), folder);
    expect(violations, `npm run test:sim -- --seed ${seed}`).toEqual([]);
  }
}, 120_000);

it('plays the same seed twice in the same way', async () => {
  const [first, second] = [await simulate(createScenario(7), folder), await simulate(createScenario(7), folder)];
  expect(second.log).toEqual(first.log);
});

it.each(REGRESSIONS)('$name', async ({ scenario }) => {
  expect((await simulate(scenario, folder)).violations).toEqual([]);
});
