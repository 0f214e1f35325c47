/** What a run is doing, on standard error: a bar on a terminal, a line every few seconds elsewhere. */
import type { Progress } from '../reconcile/run.ts';
import type { CliIo } from './io.ts';
import { formatDuration, formatNumber } from './wording.ts';

export interface ProgressDisplay {
  show(progress: Progress): void;
  /** Takes the bar away; whoever writes to standard error afterwards begins on a fresh line. */
  clear(): void;
}

const REDRAW_MS = 100;
const LINE_MS = 5000;
const BAR_WIDTH = 24;
/** Rates of the first moment say nothing. */
const RATE_AFTER_MS = 500;

const WORDS: Readonly<Record<Progress['step'], string>> = {
  load: 'loading',
  read: 'reading the source',
  map: 'mapping people',
  observe: 'reading the target',
  plan: 'planning',
  guard: 'checking guards',
  apply: 'applying',
  report: 'finishing',
};

export function createProgress(io: Pick<CliIo, 'stderr' | 'isTTY' | 'columns' | 'now'>, name: string): ProgressDisplay {
  const start = io.now().getTime();
  const step = { name: '', since: start };
  let drawnAt = io.isTTY.stderr ? 0 : start;
  let isDrawn = false;
  let pausedUntil = 0;

  const draw = (progress: Progress, elapsed: number): void => {
    const text = `${name}: ${WORDS[progress.step]}${describe(progress, elapsed, io.now())}`;
    if (!io.isTTY.stderr) {
      io.stderr(`${text}\n`);
      return;
    }
    const bar = progress.total === null ? '' : ` ${drawBar(progress.done, progress.total)}`;
    const line = `${text}${bar}`.slice(0, Math.max(20, (io.columns() ?? 80) - 1));
    io.stderr(`\r\u001b[2K${line}`);
    isDrawn = true;
  };

  return {
    show(progress) {
      const now = io.now().getTime();
      const isNew = step.name !== progress.step;
      if (isNew) Object.assign(step, { name: progress.step, since: now });
      const wait = io.isTTY.stderr ? REDRAW_MS : LINE_MS;
      // Nothing will come to say it later. A pause of a moment is not worth a line.
      const isPause = isLonger(progress.pausedUntil, Math.max(pausedUntil, now + wait));
      if (isPause) pausedUntil = progress.pausedUntil?.getTime() ?? 0;
      const isDue = now - drawnAt >= wait || (io.isTTY.stderr && isNew) || isPause;
      if (!isDue) return;
      drawnAt = now;
      draw(progress, now - step.since);
    },
    clear() {
      if (isDrawn) io.stderr('\r\u001b[2K');
      isDrawn = false;
    },
  };
}

/** ` 412 of 1,204, 38/s, 21 s left`; ` 412 of 1,204; throttled, goes on in 42 s`. */
function describe({ done, total, pausedUntil }: Progress, elapsed: number, now: Date): string {
  const count = total === null ? ` ${formatNumber(done)}` : ` ${formatNumber(done)} of ${formatNumber(total)}`;
  if (pausedUntil !== undefined) {
    return `${count}; throttled, goes on in ${formatDuration(pausedUntil.getTime() - now.getTime())}`;
  }
  const rate = elapsed < RATE_AFTER_MS ? 0 : done / (elapsed / 1000);
  if (rate === 0) return count;
  const speed = `, ${formatNumber(rate < 10 ? Math.round(rate * 10) / 10 : Math.round(rate))}/s`;
  if (total === null || done >= total) return `${count}${speed}`;
  return `${count}${speed}, ${formatDuration(((total - done) / rate) * 1000)} left`;
}

function isLonger(until: Date | undefined, than: number): boolean {
  return until !== undefined && until.getTime() > than;
}

function drawBar(done: number, total: number): string {
  const share = total === 0 ? 1 : Math.min(1, done / total);
  const filled = Math.round(share * BAR_WIDTH);
  return `[${'='.repeat(filled)}${' '.repeat(BAR_WIDTH - filled)}] ${Math.floor(share * 100)} %`;
}
