/**
 * A work queue of keys: each waits at most once, the earliest time wins, and one key is never worked on twice at the
 * same time. What is added while its key is being worked on runs afterwards.
 */

/** The timers and the clock, so that tests need not wait. */
export interface QueueClock {
  /** Milliseconds since 1970, as the machine's clock says; it may be set back or forth. */
  now(): number;
  /** Milliseconds since some moment of this process; never goes back. */
  elapsed(): number;
  /** Returns what cancels it. */
  after(ms: number, callback: () => void): () => void;
}

/** Node's timers end at 2^31 - 1 ms, almost 25 days. */
const LONGEST_TIMER_MS = 2_147_483_647;

export const systemClock: QueueClock = {
  now: () => Date.now(),
  elapsed: () => performance.now(),
  after: (ms, callback) => {
    const timer = setTimeout(callback, ms);
    return () => clearTimeout(timer);
  },
};

export interface QueueOptions {
  readonly work: (key: string) => Promise<void>;
  /** Keys that are worked on at once. */
  readonly concurrency: number;
  readonly clock: QueueClock;
  /** Told of what `work` threw; the key waits no longer. */
  readonly onError: (key: string, thrown: unknown) => void;
}

export interface WorkQueue {
  /** Works on the key after so many milliseconds, or earlier when it already waits for an earlier time. */
  add(key: string, delayMs: number): void;
  /** When the key is due, in milliseconds since 1970; null when it does not wait. */
  due(key: string): number | null;
  /** Takes nothing up any more, and waits for the work under way. */
  stop(): Promise<void>;
}

export function createQueue({ work, concurrency, clock, onError }: QueueOptions): WorkQueue {
  /** By the clock that is never set: who sets the other one back stops nothing. */
  const due = new Map<string, number>();
  const busy = new Map<string, Promise<void>>();
  let cancel: (() => void) | null = null;
  let stopped = false;

  const attend = async (key: string): Promise<void> => {
    try {
      await work(key);
    } catch (thrown) {
      onError(key, thrown);
    }
    busy.delete(key);
    schedule();
  };

  const schedule = (): void => {
    cancel?.();
    cancel = null;
    if (stopped) return;
    const now = clock.elapsed();
    const waiting = [...due].filter(([key]) => !busy.has(key)).sort(([, a], [, b]) => a - b);
    for (const [key, at] of waiting) {
      if (busy.size >= concurrency) return;
      if (at > now) {
        // A longer wait is looked at again when the timer ends.
        cancel = clock.after(Math.min(at - now, LONGEST_TIMER_MS), schedule);
        return;
      }
      due.delete(key);
      // Busy before it begins: whatever is added by its first, synchronous part comes afterwards.
      const { promise, resolve } = Promise.withResolvers<void>();
      busy.set(key, promise);
      attend(key).then(resolve, resolve);
    }
  };

  return {
    add: (key, delayMs) => {
      const at = clock.elapsed() + Math.max(0, delayMs);
      due.set(key, Math.min(at, due.get(key) ?? Number.POSITIVE_INFINITY));
      schedule();
    },
    due: (key) => {
      const at = due.get(key);
      return at === undefined ? null : clock.now() + at - clock.elapsed();
    },
    stop: async () => {
      stopped = true;
      cancel?.();
      cancel = null;
      await Promise.all(busy.values());
    },
  };
}
