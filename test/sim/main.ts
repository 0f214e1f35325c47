/**
 * `npm run test:sim`: plays many seeds on all cores and says what broke.
 *
 *   npm run test:sim                          2,000 seeds, from 1
 *   npm run test:sim -- --seeds 100000        more of them (or SIM_SEEDS)
 *   npm run test:sim -- --from 5000           others
 *   npm run test:sim -- --seed 4711           one, with everything that happened in it
 *   npm run test:sim -- --seed 4711 --shrink  and as small as it can be made
 *
 * `--until-broken` ends with the first seed that breaks a rule, `--workers` says on how many cores.
 * `--outputFile.json=PATH` writes the counts in the form of a vitest report.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { checkCounts } from './coverage.ts';
import { makeFolder } from './folder.ts';
import { REGRESSIONS } from './regressions.ts';
import { createScenario } from './scenario.ts';
import { shrink } from './shrink.ts';
import { simulate } from './simulate.ts';
import type { SeedResult } from './worker.ts';

const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: process.env['SIM_SEEDS'] ?? '2000' },
    from: { type: 'string', default: '1' },
    seed: { type: 'string' },
    shrink: { type: 'boolean', default: false },
    workers: { type: 'string', default: String(availableParallelism()) },
    'until-broken': { type: 'boolean', default: false },
    reporter: { type: 'string', multiple: true },
    'outputFile.json': { type: 'string' },
  },
});

/** However busy the machine is, a seed is not played for as long as this. */
const TOO_LONG_MS = 180_000;
const RULES = [...Array.from({ length: 13 }, (_, n) => `I${n + 1}`), 'oracle', 'kstatus', 'engine'];
const print = (line: string): void => void process.stdout.write(`${line}\n`);
let passed = 0;
let failed = 0;
const check = (name: string, problems: readonly string[]): void => {
  if (problems.length === 0) passed += 1;
  else failed += 1;
  if (problems.length > 0) print(`FAILED ${name}`);
  for (const problem of problems.slice(0, 20)) print(`  ${problem}`);
};

if (values['until-broken']) await playUntilBroken(Number(values.from), Number(values.seeds));
else if (values.seed === undefined) await playMany(Number(values.from), Number(values.seeds));
else await playOne(Number(values.seed));

const report = values['outputFile.json'];
if (report !== undefined)
  writeFileSync(report, JSON.stringify({ numPassedTests: passed, numFailedTests: failed, success: failed === 0 }));
print(`${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 && passed > 0 ? 0 : 1;

async function playOne(seed: number): Promise<void> {
  const { folder, remove } = makeFolder();
  try {
    const scenario = createScenario(seed);
    const { log, violations, digest } = await simulate(scenario, folder);
    for (const line of log) print(line);
    check(`seed ${seed} (log ${digest})`, violations.map(toLine));
    const [first] = violations;
    if (first === undefined || !values.shrink) return;
    const small = await shrink(scenario, first.rule, folder);
    print(`the smallest scenario that breaks ${first.rule}, for test/sim/regressions.ts:`);
    print(JSON.stringify(small, null, 2));
    for (const line of (await simulate(small, folder)).log) print(line);
  } finally {
    remove();
  }
}

/** For code that was broken on purpose: whether any seed notices. */
async function playUntilBroken(from: number, seeds: number): Promise<void> {
  const results = await playSeeds(from, from + seeds);
  check(
    'every rule held',
    results.flatMap(({ violations }) => violations.map(toLine)),
  );
}

function toLine({ rule, message }: { readonly rule: string; readonly message: string }): string {
  return `${rule}: ${message}`;
}

async function playMany(from: number, seeds: number): Promise<void> {
  const start = performance.now();
  await playRegressions();
  const results = await playSeeds(from, from + seeds);
  const took = performance.now() - start;
  const broken = results.filter(({ violations }) => violations.length > 0).sort((a, b) => a.seed - b.seed);
  for (const { seed } of broken.slice(0, 20)) print(`npm run test:sim -- --seed ${seed} --shrink`);
  for (const rule of RULES) {
    const some = broken.filter(({ violations }) => violations.some((each) => each.rule === rule));
    check(
      `${rule} in ${results.length} seeds`,
      some.map(({ seed }) => `seed ${seed}`),
    );
  }
  check('every seed was played', results.length === seeds ? [] : [`${results.length} of ${seeds} seeds`]);
  await playAgain(results);
  const counts = new Map<string, number>();
  for (const result of results)
    for (const [name, count] of result.counts) counts.set(name, (counts.get(name) ?? 0) + count);
  for (const name of [...counts.keys()].sort()) print(`${String(counts.get(name)).padStart(9)}  ${name}`);
  // Fewer seeds than that cannot meet everything.
  if (seeds >= 2000) for (const { name, problems } of checkCounts(counts)) check(name, problems);
  print(
    `${results.length} seeds in ${(took / 1000).toFixed(0)} s, ${(took / Math.max(1, results.length)).toFixed(0)} ms a seed`,
  );
}

async function playRegressions(): Promise<void> {
  const { folder, remove } = makeFolder();
  try {
    for (const { name, scenario } of REGRESSIONS) {
      const { violations } = await simulate(scenario, folder);
      check(`regression: ${name}`, violations.map(toLine));
    }
  } finally {
    remove();
  }
}

/** The same seed gives the same log, in another process too. */
async function playAgain(results: readonly SeedResult[]): Promise<void> {
  const { folder, remove } = makeFolder();
  try {
    const whole = results.filter(({ digest }) => digest !== '');
    for (const { seed, digest } of whole.sort((a, b) => a.seed - b.seed).slice(0, 5)) {
      const again = await simulate(createScenario(seed), folder);
      check(`seed ${seed} twice`, again.digest === digest ? [] : [`the log was ${digest} and is ${again.digest}`]);
    }
  } finally {
    remove();
  }
}

async function playSeeds(from: number, to: number): Promise<readonly SeedResult[]> {
  const results: SeedResult[] = [];
  const workers = new Set<ChildProcess>();
  let ended = false;
  const take = (result: SeedResult): void => {
    results.push(result);
    if (result.violations.length > 0)
      print(`seed ${result.seed} broke: ${result.violations.slice(0, 3).map(toLine).join('; ')}`);
    ended ||= result.violations.length > 0 && values['until-broken'];
    if (ended) for (const worker of workers) worker.kill();
    if (results.length % 500 === 0) print(`${results.length} seeds played`);
  };
  const cores = Number(values.workers);
  const work = async (first: number): Promise<void> => {
    for (let seed = first; seed < to && !ended; ) {
      const failed = await playShare({ from: seed, to, step: cores }, { take, workers });
      if (failed === null || ended) return;
      take(failed);
      seed = failed.seed + cores;
    }
  };
  await Promise.all(Array.from({ length: cores }, (_, core) => work(from + core)));
  return results;
}

interface Crew {
  readonly take: (result: SeedResult) => void;
  readonly workers: Set<ChildProcess>;
}

/** Returns the seed at which the process died or got no further; null when all were played. */
function playShare(
  { from, to, step }: { readonly from: number; readonly to: number; readonly step: number },
  { take, workers }: Crew,
): Promise<SeedResult | null> {
  const path = fileURLToPath(new URL('worker.ts', import.meta.url));
  const worker = fork(path, [from, to, step].map(String));
  workers.add(worker);
  let seed = from;
  let end = 'ended its process';
  const watch = setTimeout(() => {
    end = `did not end within ${TOO_LONG_MS / 1000} s`;
    worker.kill('SIGKILL');
  }, TOO_LONG_MS);
  worker.on('message', (message) => {
    watch.refresh();
    seed += step;
    take(message as SeedResult);
  });
  return new Promise((resolve) => {
    // Once everything that it sent has come.
    worker.on('close', (code, signal) => {
      clearTimeout(watch);
      workers.delete(worker);
      const message = `seed ${seed} ${end} (${signal ?? code})`;
      resolve(seed >= to ? null : { seed, violations: [{ rule: 'engine', message }], counts: [], digest: '' });
    });
  });
}
