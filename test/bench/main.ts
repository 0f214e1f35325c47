/**
 * Measures what must stay in proportion, and fails when it does not. Everything is a ratio within one run, because a
 * time by itself says more about the machine than about the program.
 */
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { writePeople } from '../../scripts/generate-people.ts';
import { startDirectory } from '../../src/directory/server.ts';
import { measureMapping } from './mapping.ts';
import { applyFolder, type Measured } from './process.ts';
import { measureReading } from './reading.ts';
import { CHANGES, measureTenant, type TenantRuns } from './tenant.ts';

const EXAMPLE = join(import.meta.dirname, '../../examples/quickstart');
const TOKEN = 'quickstart-token';

/** Peak memory at 100,000 people may be at most this many times that at 10,000: pages stream, nothing is held. */
const MEMORY_CEILING = 1.3;
const SMALL = 10_000;
const LARGE = 100_000;

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
    const run = (...flags: readonly string[]): Promise<Measured> => applyFolder(folder, directory, flags);
    return { apply: await run(), again: await run(), verify: await run('--resync') };
  } finally {
    await directory.close();
    await rm(folder, { recursive: true, force: true });
  }
}

/** The manifests of the quickstart, with as many people. */
async function prepare(folder: string, url: string, people: number): Promise<void> {
  await cp(EXAMPLE, folder, { recursive: true });
  await writePeople(join(folder, 'people.csv'), people, 1);
  const sync = join(folder, 'directory-sync.yaml');
  await writeFile(sync, (await readFile(sync, 'utf8')).replace(/http:\/\/127\.0\.0\.1:\d+\/scim\/v2/, url));
}

function print(people: number, runs: Sizes | TenantRuns): void {
  for (const [name, { seconds, cpu, requests, writes, peakMiB, outcome }] of Object.entries(runs)) {
    const cells = [
      String(people).padStart(7),
      name.padEnd(7),
      `${seconds.toFixed(1)} s`.padStart(8),
      `${cpu.toFixed(1)} s of CPU`.padStart(15),
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

/**
 * Reading pages of people may take at most this many times what JSON.parse takes for them: of SCIM too, where each id is
 * noted, because its lists are no snapshot.
 */
const READING_CEILING = 3.5;

for (const { provider, pages, parse, read } of await measureReading()) {
  const times = `${read.toFixed(1).padStart(6)} µs a person, JSON.parse alone ${parse.toFixed(1)} µs`;
  process.stdout.write(`${String(pages).padStart(3)} pages  ${provider.padEnd(8)}  ${times}\n`);
  check(
    `reading pages of ${provider} takes ${(read / parse).toFixed(2)} times what JSON.parse takes for them, at most ${READING_CEILING}`,
    read <= READING_CEILING * parse,
  );
}

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

/** What a run may ask of the directory and of the application when ten people have changed. */
const MOST_ASKED = { source: 3, target: 12 };

const smallTenant = await measureTenant(SMALL);
print(SMALL, smallTenant);
const largeTenant = await measureTenant(LARGE);
print(LARGE, largeTenant);
for (const [people, { first, changes, full }] of [
  [SMALL, smallTenant],
  [LARGE, largeTenant],
] as const) {
  check(
    `${CHANGES} changes of a tenant of ${people} are ${changes.asked} requests to it, at most ${MOST_ASKED.source}, and ${changes.requests} to the application, at most ${MOST_ASKED.target}`,
    changes.asked <= MOST_ASKED.source && changes.requests <= MOST_ASKED.target,
  );
  check(
    `all its runs end well, and write as much by changes as by a full read, which asks the tenant ${full.asked} times`,
    [first, changes, full].every(({ outcome }) => outcome === 'Synced') &&
      changes.kind === 'Delta' &&
      full.kind === 'Full' &&
      [changes, full].every(({ writes }) => writes === CHANGES),
  );
}
const { first, changes, full } = largeTenant;
check(
  `by changes a run of ${LARGE} people takes ${(changes.cpu / full.cpu).toFixed(2)} times the processor time of one that reads everybody, and ${(changes.cpu / first.cpu).toFixed(2)} times that of the first one`,
  changes.cpu < full.cpu,
);
for (const name of ['first', 'changes', 'full'] as const)
  checkMemory(` of a tenant, ${name}`, largeTenant[name].peakMiB / smallTenant[name].peakMiB);
process.exitCode = failed === 0 ? 0 : 1;
