import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runProgram } from '../support/program.ts';

const SCRIPT = join(import.meta.dirname, '../../scripts/ci-count.ts');

const cases = [
  {
    because: 'tests and checks add up',
    lines: ['unit 0 good.json', 'static 0 -'],
    last: '8 passed, 0 failed',
    code: 0,
  },
  {
    because: 'failed tests are counted',
    lines: ['unit 1 bad.json', 'static 0 -'],
    last: '6 passed, 2 failed',
    code: 1,
  },
  {
    because: 'a failed check counts as one',
    lines: ['unit 0 good.json', 'bench 3 -'],
    last: '7 passed, 1 failed',
    code: 1,
  },
  {
    because: 'a suite that crashed left no report',
    lines: ['unit 1 none.json', 'static 0 -'],
    last: '1 passed, 1 failed',
    code: 1,
  },
  {
    because: 'a file that does not load fails without a failed test',
    lines: ['unit 1 good.json'],
    last: '7 passed, 1 failed',
    code: 1,
  },
  {
    because: 'a suite without tests is not a success',
    lines: ['unit 0 empty.json'],
    last: '0 passed, 0 failed',
    code: 1,
  },
];

describe('ci-count', () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'dirsync-ci-count-'));
    const report = (numPassedTests: number, numFailedTests: number) =>
      JSON.stringify({ numPassedTests, numFailedTests });
    await writeFile(join(folder, 'good.json'), report(7, 0));
    await writeFile(join(folder, 'bad.json'), report(5, 2));
    await writeFile(join(folder, 'empty.json'), report(0, 0));
  });
  afterAll(() => rm(folder, { recursive: true }));

  it.each(cases)('$because', async ({ lines, last, code }) => {
    const results = join(folder, `results-${lines.join('-').replaceAll(' ', '-')}`);
    await writeFile(results, lines.map((line) => `${line.split(' ').join('\t')}\n`).join(''));
    const { stdout, code: ended } = await runProgram(process.execPath, [SCRIPT, results], { cwd: folder });
    expect(stdout.trim().split('\n').at(-1)).toBe(last);
    expect(ended).toBe(code);
  });
});
