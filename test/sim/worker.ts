/** A process that plays seeds: gets `[from, to)` in its arguments and sends a message for each of them. */

import { makeFolder } from './folder.ts';
import { createScenario } from './scenario.ts';
import { simulate } from './simulate.ts';

export interface SeedResult {
  readonly seed: number;
  readonly violations: readonly { readonly rule: string; readonly message: string }[];
  readonly counts: readonly (readonly [string, number])[];
  readonly digest: string;
}

const [from = 0, to = 0, step = 1] = process.argv.slice(2).map(Number);
const { folder, remove } = makeFolder();
try {
  for (let seed = from; seed < to; seed += step) {
    const { violations, counts, digest } = await simulate(createScenario(seed), folder);
    const result: SeedResult = { seed, violations, counts: [...counts], digest };
    process.send?.(result);
  }
} finally {
  remove();
}
process.disconnect?.();
