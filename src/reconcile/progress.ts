/** What a run shows of itself while it lasts: `status.progress`, and how long its steps took. */
import type { DirectorySyncStatus, Step } from '../api/directory-sync-status.ts';
import { toInstant } from '../api/kstatus.ts';
import type { Progress } from './run.ts';

/** The API server need not know more often. */
const EVERY_MS = 10_000;
/** Whoever reads that it takes longer than this has learned nothing. */
const LONGEST_ESTIMATE_MS = 30 * 86_400_000;

export interface ProgressOptions {
  /** Writes `status.progress`. Its failure is nobody's business: the outcome comes later. */
  readonly write: (progress: NonNullable<DirectorySyncStatus['progress']>) => Promise<unknown>;
  readonly observeStep: (step: Step, seconds: number) => void;
  readonly now: () => number;
}

export interface ProgressWriter {
  onStep(step: Step): void;
  onProgress(progress: Progress): void;
  /**
   * Writes nothing any more, and waits for a write under way: one that came after the outcome would show a run that is
   * over.
   */
  close(): Promise<void>;
  /** Something was written that the outcome has to take away. */
  readonly written: boolean;
}

/** Times count from this call on; the first write is 10 seconds later. */
export function createProgressWriter({ write, observeStep, now }: ProgressOptions): ProgressWriter {
  const started = now();
  let last = started;
  let step: { readonly name: Step; readonly since: number } | null = null;
  let writing: Promise<unknown> | null = null;
  let written = false;
  let closed = false;

  const endStep = (at: number): void => {
    if (step !== null) observeStep(step.name, (at - step.since) / 1000);
    step = null;
  };

  return {
    get written() {
      return written;
    },
    onStep(name) {
      const at = now();
      endStep(at);
      step = { name, since: at };
    },
    onProgress({ step: name, done, total }) {
      const at = now();
      // A slow API server gets no second write while it is busy with the first.
      if (closed || writing !== null || at - last < EVERY_MS) return;
      last = at;
      written = true;
      const end = estimateEnd({ done, total, since: step?.since ?? started, at });
      writing = write({
        step: name,
        done,
        ...(total === null ? {} : { total }),
        startedAt: toInstant(new Date(started)),
        ...(end === null ? {} : { estimatedEnd: toInstant(end) }),
      })
        .catch(() => undefined)
        .then(() => {
          writing = null;
        });
    },
    async close() {
      closed = true;
      endStep(now());
      await writing;
    },
  };
}

interface Rate {
  readonly done: number;
  readonly total: number | null;
  /** When the step began; milliseconds as all times here. */
  readonly since: number;
  readonly at: number;
}

/** When the step ends at its present rate; null while there is none. */
function estimateEnd({ done, total, since, at }: Rate): Date | null {
  if (total === null || done === 0 || at <= since) return null;
  const left = ((at - since) * Math.max(0, total - done)) / done;
  return left > LONGEST_ESTIMATE_MS ? null : new Date(at + left);
}
