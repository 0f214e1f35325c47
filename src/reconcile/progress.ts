/** What a run shows of itself while it lasts: `status.progress`, and how long its steps took. */
import type { DirectorySyncStatus, Step } from '../api/directory-sync-status.ts';
import { toInstant } from '../api/kstatus.ts';
import type { Progress } from './run.ts';

/** The API server need not know more often. */
const EVERY_MS = 10_000;
/** Whoever reads that it takes longer than this has learned nothing. */
const LONGEST_ESTIMATE_MS = 30 * 86_400_000;

/**
 * What a run tells of itself, with the time until which the other side keeps it waiting. A pause is told of at once: no
 * progress would come to say it.
 */
export function withPauses(
  tell: (progress: Progress) => void,
  now: () => Date,
): { readonly onProgress: (progress: Progress) => void; readonly onPause: (ms: number) => void } {
  let last: Progress | null = null;
  let pausedUntil = 0;
  const onProgress = (progress: Progress): void => {
    last = progress;
    tell(pausedUntil > now().getTime() ? { ...progress, pausedUntil: new Date(pausedUntil) } : progress);
  };
  return {
    onProgress,
    onPause(ms) {
      pausedUntil = Math.max(pausedUntil, now().getTime() + ms);
      if (last !== null) onProgress(last);
    },
  };
}

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

  const pauses = createPauses();

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
    onProgress({ step: name, done, total, pausedUntil }) {
      const at = now();
      pauses.note(at, pausedUntil);
      // A slow API server gets no second write while it is busy with the first.
      if (closed || writing !== null || at - last < EVERY_MS) return;
      last = at;
      written = true;
      const since = step?.since ?? started;
      const end = estimateEnd({ done, total, workedMs: at - since - pauses.since(since, at), at, pausedUntil });
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

/** Spans in which nothing could go on. */
interface Pauses {
  note(at: number, until: Date | undefined): void;
  /** How much of the time between the two was a pause. */
  since(from: number, to: number): number;
}

function createPauses(): Pauses {
  const spans: { from: number; to: number }[] = [];
  return {
    note(at, until) {
      if (until === undefined) return;
      const last = spans.at(-1);
      if (last !== undefined && last.to >= at) last.to = Math.max(last.to, until.getTime());
      else spans.push({ from: at, to: until.getTime() });
    },
    since: (from, to) =>
      spans.reduce((sum, span) => sum + Math.max(0, Math.min(span.to, to) - Math.max(span.from, from)), 0),
  };
}

interface Rate {
  readonly done: number;
  readonly total: number | null;
  /** How long the step has worked, without the pauses; milliseconds as all times here. */
  readonly workedMs: number;
  readonly at: number;
  readonly pausedUntil: Date | undefined;
}

/** When the step ends at its present rate, beginning again behind a pause; null while there is no rate. */
function estimateEnd({ done, total, workedMs, at, pausedUntil }: Rate): Date | null {
  if (total === null || done === 0 || workedMs <= 0) return null;
  const left = (workedMs * Math.max(0, total - done)) / done;
  return left > LONGEST_ESTIMATE_MS ? null : new Date(Math.max(at, pausedUntil?.getTime() ?? 0) + left);
}
