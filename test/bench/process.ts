/** `dirsync apply` in a process of its own, so that its time and its peak memory are its own. */
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import type { DirectorySyncStatus } from '../../src/api/directory-sync-status.ts';
import type { Directory } from '../../src/directory/server.ts';

const LAUNCHER = join(import.meta.dirname, '../../bin/dirsync.js');
/** As the launcher starts itself; see docs/decisions/0013-a-small-heap.md. */
const NODE_FLAGS = readFileSync(LAUNCHER, 'utf8')
  .split('\n', 1)
  .flatMap((line) => line.split(' ').slice(3));
/** The command itself is measured: at its end it says how much memory it had at most, in KiB, and its processor time, in µs. */
const SAY_COST = `data:text/javascript,${encodeURIComponent(
  `process.on("exit", () => {
    const { maxRSS, userCPUTime, systemCPUTime } = process.resourceUsage();
    process.stderr.write("\\ncost " + maxRSS + " " + (userCPUTime + systemCPUTime) + "\\n");
  })`,
)}`;

export interface Measured {
  readonly seconds: number;
  /** Seconds of processor time. */
  readonly cpu: number;
  /** To the directory. */
  readonly asked: number;
  /** To the application. */
  readonly requests: number;
  readonly writes: number;
  readonly peakMiB: number;
  readonly kind: string;
  readonly outcome: string;
}

/** One run of the only DirectorySync of the folder into this application. */
export async function applyFolder(
  folder: string,
  application: Pick<Directory, 'counts'>,
  flags: readonly string[] = [],
): Promise<Measured> {
  const { writes } = application.counts();
  const started = performance.now();
  const args = ['apply', '-f', '.', '--yes', '-o', 'json', ...flags];
  const child = spawn(process.execPath, [...NODE_FLAGS, '--import', SAY_COST, LAUNCHER, ...args], {
    cwd: folder,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr)]);
  const [, peak, cpu] = /^cost (\d+) (\d+)$/m.exec(stderr) ?? [];
  if (peak === undefined || stdout === '') throw new Error(`dirsync apply ended without a result:\n${stderr}`);
  const { lastRun, conditions } = JSON.parse(stdout) as DirectorySyncStatus;
  return {
    seconds: (performance.now() - started) / 1000,
    cpu: Number(cpu) / 1e6,
    asked: lastRun?.requests?.source ?? 0,
    requests: lastRun?.requests?.target ?? 0,
    writes: application.counts().writes - writes,
    peakMiB: Math.round(Number(peak) / 1024),
    kind: lastRun?.kind ?? 'none',
    outcome: conditions?.find(({ type }) => type === 'Ready')?.reason ?? 'nothing',
  };
}
