/**
 * `npm run test:mutation`: breaks the safety code in one way after another, each in a copy of the tree, and sees whether
 * a test notices that cites the rule. `-- I4` takes the breaks of one rule, `-- --no-sim` leaves the simulator out.
 *
 * `--outputFile.json=PATH` writes the counts in the form of a vitest report.
 */
import { spawn } from 'node:child_process';
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { BREAKS, type Break } from './breaks.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const COPIED = ['src', 'test', 'docs', 'examples', 'scripts', 'package.json', 'tsconfig.json', 'vitest.config.ts'];
/** The simulator must notice within so many seeds. */
const SEEDS = 2000;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    'no-sim': { type: 'boolean', default: false },
    reporter: { type: 'string', multiple: true },
    'outputFile.json': { type: 'string' },
  },
});

interface Outcome {
  readonly name: string;
  /** Null: it was noticed. */
  readonly problem: string | null;
}

const wanted = BREAKS.filter(({ rule }) => positionals.length === 0 || positionals.includes(rule));
const outcomes: Outcome[] = checkNumbers();
const queue = wanted.values();
await Promise.all(Array.from({ length: availableParallelism() }, work));

const failed = outcomes.filter(({ problem }) => problem !== null).length;
const passed = outcomes.length - failed;
const report = values['outputFile.json'];
if (report !== undefined)
  writeFileSync(report, JSON.stringify({ numPassedTests: passed, numFailedTests: failed, success: failed === 0 }));
process.stdout.write(`${passed} passed, ${failed} failed\n`);
process.exitCode = failed === 0 && passed > 0 ? 0 : 1;

/** Every rule is broken in two ways at least. */
function checkNumbers(): Outcome[] {
  if (positionals.length > 0) return [];
  return Array.from({ length: 13 }, (_, n) => `I${n + 1}`).map((rule) => {
    const count = BREAKS.filter((each) => each.rule === rule).length;
    return { name: `${rule} has two breaks`, problem: count >= 2 ? null : `it has ${count}` };
  });
}

async function work(): Promise<void> {
  const tree = mkdtempSync(join(tmpdir(), 'dirsync-mutation-'));
  try {
    for (const name of COPIED) cpSync(join(ROOT, name), join(tree, name), { recursive: true });
    symlinkSync(join(ROOT, 'node_modules'), join(tree, 'node_modules'));
    for (const each of queue) await judge(each, tree);
  } finally {
    rmSync(tree, { recursive: true, force: true });
  }
}

async function judge(change: Break, tree: string): Promise<void> {
  const { rule, name, file, find, replace } = change;
  const path = join(tree, file);
  const before = readFileSync(path, 'utf8');
  const note = (by: string, problem: string | null): void => {
    outcomes.push({ name: `${rule} ${name}`, problem });
    process.stdout.write(
      `${problem === null ? 'noticed' : 'FAILED '} ${rule} ${by}: ${name}${problem === null ? '' : `: ${problem}`}\n`,
    );
  };
  const found = before.split(find).length - 1;
  if (found !== 1) {
    note('stale', `${file} has the text to be broken ${found} times: ${find}`);
    return;
  }
  writeFileSync(
    path,
    before.replace(find, () => replace),
  );
  try {
    note('by tests', await runTests(change, tree));
    if (change.sim === true && !values['no-sim']) note('by the simulator', await runSimulator(tree));
  } finally {
    writeFileSync(path, before);
  }
}

/** Only tests that cite the rule count: one of them must fail. */
async function runTests({ rule, tests }: Break, tree: string): Promise<string | null> {
  const report = join(tree, 'report.json');
  rmSync(report, { force: true });
  const vitest = join(tree, 'node_modules/vitest/vitest.mjs');
  const options = ['--reporter=json', `--outputFile.json=${report}`, '--testNamePattern', `\\b${rule}\\b`];
  await run([vitest, 'run', ...tests, ...options], tree);
  if (!existsSync(report)) return 'the tests did not run';
  const { numFailedTests, numPassedTests } = JSON.parse(readFileSync(report, 'utf8')) as {
    numFailedTests: number;
    numPassedTests: number;
  };
  if (numFailedTests > 0) return null;
  return `${numPassedTests} tests that cite ${rule} passed in ${tests.join(', ')}`;
}

async function runSimulator(tree: string): Promise<string | null> {
  const code = await run(['test/sim/main.ts', '--until-broken', '--seeds', String(SEEDS), '--workers', '1'], tree);
  return code === 1 ? null : `${SEEDS} seeds broke no rule (exit code ${code})`;
}

function run(args: readonly string[], cwd: string): Promise<number | null> {
  const child = spawn(process.execPath, args, { cwd, stdio: 'ignore', env: { ...process.env, NO_COLOR: '1' } });
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('exit', resolve);
  });
}
