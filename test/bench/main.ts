/**
 * Measures what must stay in proportion, and fails when it does not. Everything is a ratio within one run, because a
 * time by itself says more about the machine than about the program.
 */
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { writePeople } from '../../scripts/generate-people.ts';
import type { DirectorySyncStatus } from '../../src/api/directory-sync-status.ts';
import { startDirectory } from '../../src/directory/server.ts';
import { measureMapping } from './mapping.ts';

const EXAMPLE = join(import.meta.dirname, '../../examples/quickstart');
const TOKEN = 'quickstart-token';
const LAUNCHER = join(import.meta.dirname, '../../bin/dirsync.js');
/** As the launcher starts itself; see docs/decisions/0013-a-small-heap.md. */
const NODE_FLAGS = readFileSync(LAUNCHER, 'utf8')
  .split('\n', 1)
  .flatMap((line) => line.split(' ').slice(3));
/** The command itself is measured: at its end it says how much memory it had at most, in KiB. */
const SAY_PEAK = `data:text/javascript,${encodeURIComponent(
  'process.on("exit", () => process.stderr.write("\\npeak " + process.resourceUsage().maxRSS + "\\n"))',
)}`;

/** Peak memory at 100,000 people may be at most this many times that at 10,000: pages stream, nothing is held. */
const MEMORY_CEILING = 1.3;
const SMALL = 10_000;
const LARGE = 100_000;

interface Measured {
  readonly seconds: number;
  readonly requests: number;
  readonly writes: number;
  readonly peakMiB: number;
  readonly outcome: string;
}

interface Sizes {
  readonly apply: Measured;
  readonly again: Measured;
  readonly verify: Measured;
}

async function measure(people: number): Promise<Sizes> {
  const folder = await mkdtemp(join(tmpdir(), 'dirsync-bench-'));
  const directory = await startDirectory({ file: ':memory:', token: TOKEN });
  try {
    await prepare(folder, directory.url, people);
    const run = async (...flags: readonly string[]): Promise<Measured> => {
      const before = directory.counts().writes;
      const result = await applyFolder(folder, flags);
      return { ...result, writes: directory.counts().writes - before };
    };
    return { apply: await run(), again: await run(), verify: await run('--resync') };
  } finally {
    await directory.close();
    await rm(folder, { recursive: true, force: true });
  }
}

/** `dirsync apply` in a process of its own, so that its peak memory is its own. */
async function applyFolder(folder: string, flags: readonly string[]): Promise<Omit<Measured, 'writes'>> {
  const started = performance.now();
  const args = ['apply', '-f', '.', '--yes', '-o', 'json', ...flags];
  const child = spawn(process.execPath, [...NODE_FLAGS, '--import', SAY_PEAK, LAUNCHER, ...args], {
    cwd: folder,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr)]);
  const peak = /^peak (\d+)$/m.exec(stderr)?.[1];
  if (peak === undefined || stdout === '') throw new Error(`dirsync apply ended without a result:\n${stderr}`);
  const status = JSON.parse(stdout) as DirectorySyncStatus;
  return {
    seconds: (performance.now() - started) / 1000,
    requests: status.lastRun?.requests?.target ?? 0,
    peakMiB: Math.round(Number(peak) / 1024),
    outcome: status.conditions?.find(({ type }) => type === 'Ready')?.reason ?? 'nothing',
  };
}

/** The manifests of the quickstart, with as many people. */
async function prepare(folder: string, url: string, people: number): Promise<void> {
  await cp(EXAMPLE, folder, { recursive: true });
  await writePeople(join(folder, 'people.csv'), people, 1);
  const sync = join(folder, 'directory-sync.yaml');
  await writeFile(sync, (await readFile(sync, 'utf8')).replace(/http:\/\/127\.0\.0\.1:\d+\/scim\/v2/, url));
}

function print(people: number, sizes: Sizes): void {
  for (const [name, { seconds, requests, writes, peakMiB, outcome }] of Object.entries(sizes)) {
    const cells = [
      String(people).padStart(7),
      name.padEnd(7),
      `${seconds.toFixed(1)} s`.padStart(8),
      `${requests} requests`.padStart(16),
      `${writes} writes`.padStart(14),
      `${peakMiB} MiB peak`.padStart(13),
      outcome,
    ];
    process.stdout.write(`${cells.join('  ')}\n`);
  }
}

let failed = 0;
function check(what: string, holds: boolean): void {
  process.stdout.write(`${holds ? 'ok  ' : 'FAIL'}  ${what}\n`);
  if (!holds) failed += 1;
}

/** Twenty mappings of a person may take at most this many times what a function takes that was written by hand. */
const MAPPING_CEILING = 2.5;

const { hand, mapping, jsonata, cel } = await measureMapping();
for (const [name, time] of Object.entries({ 'by hand': hand, mapping, JSONata: jsonata, CEL: cel }))
  process.stdout.write(`twenty mappings  ${name.padEnd(8)}  ${time.toFixed(1).padStart(6)} µs a person\n`);
check(
  `twenty mappings take ${(mapping / hand).toFixed(2)} times what a function written by hand takes, at most ${MAPPING_CEILING}`,
  mapping <= MAPPING_CEILING * hand,
);
check(
  `they take less than JSONata (${(jsonata / mapping).toFixed(1)} times as much) and CEL (${(cel / mapping).toFixed(1)} times)`,
  mapping < jsonata && mapping < cel,
);

const small = await measure(SMALL);
print(SMALL, small);
const large = await measure(LARGE);
print(LARGE, large);

function checkMemory(what: string, ratio: number): void {
  check(
    `peak memory${what}: ${LARGE} people need ${ratio.toFixed(2)} times that of ${SMALL}, at most ${MEMORY_CEILING}`,
    ratio <= MEMORY_CEILING,
  );
}

for (const name of ['apply', 'again', 'verify'] as const)
  checkMemory(` of ${name}`, large[name].peakMiB / small[name].peakMiB);
/** Whatever of the three it takes most for: what a machine must have. */
const toPeak = (sizes: Sizes): number => Math.max(...Object.values(sizes).map(({ peakMiB }) => peakMiB));
checkMemory('', toPeak(large) / toPeak(small));
for (const [people, sizes] of [
  [SMALL, small],
  [LARGE, large],
] as const) {
  check(
    `every run of ${people} people ends well, and the first one writes all of them and their managers`,
    Object.values(sizes).every(({ outcome }) => outcome === 'Synced') && sizes.apply.writes > 2 * people * 0.9,
  );
}
/** Creates, managers and members travel together; what is left is lists, and changes that were alone in their turn. */
const WRITES_PER_REQUEST = 10;
for (const [people, { apply }] of [
  [SMALL, small],
  [LARGE, large],
] as const) {
  check(
    `the first apply of ${people} people makes more than ${WRITES_PER_REQUEST} changes a request`,
    apply.writes > WRITES_PER_REQUEST * apply.requests,
  );
}
for (const [people, { again, verify }] of [
  [SMALL, small],
  [LARGE, large],
] as const) {
  check(
    `a second apply of ${people} people writes nothing, before and after a full verify`,
    again.writes + verify.writes === 0,
  );
}
process.exitCode = failed === 0 ? 0 : 1;
