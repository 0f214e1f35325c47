/**
 * Throws random input at the languages for so many minutes, and ends with 1 at the first thing that breaks:
 *
 *   npm run fuzz -- MINUTES [--seed N]
 */
import { parseArgs } from 'node:util';
import fc from 'fast-check';
import { PROPERTIES } from './properties.ts';

const { values, positionals } = parseArgs({ options: { seed: { type: 'string' } }, allowPositionals: true });
const minutes = Number(positionals[0] ?? 1);
let seed = Number(values.seed ?? Date.now() % 2 ** 31);
if (!(minutes > 0) || !Number.isInteger(seed)) throw new Error('usage: npm run fuzz -- MINUTES [--seed N]');

const end = Date.now() + minutes * 60_000;
const counts = new Map<string, number>();
let slowest = 0;
while (Date.now() < end) {
  for (const { name, batch, property } of PROPERTIES) {
    const before = Date.now();
    const details = fc.check(property, { numRuns: batch, seed });
    slowest = Math.max(slowest, Date.now() - before);
    counts.set(name, (counts.get(name) ?? 0) + details.numRuns);
    if (details.failed) {
      process.stderr.write(`${name}: broken with --seed ${seed}\n${fc.defaultReportMessage(details)}\n`);
      process.exit(1);
    }
  }
  seed += 1;
}
for (const [name, count] of counts) process.stdout.write(`${String(count).padStart(9)}  ${name}\n`);
process.stdout.write(`slowest batch ${slowest} ms\n`);
