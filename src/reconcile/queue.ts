/**
 * A work queue of keys: each waits at most once, the earliest time wins, and one key is never worked on twice at the
 * same time. What is added while its key is being worked on runs afterwards.
 */

/** The timers and the clock, so that tests need not wait. */
export interface QueueClock {
  now(): number;
  /** Returns what cancels it. */
  after(ms: number, callback: () => void): () => void;
}

export const systemClock: QueueClock = {
  now: () => Date.now(),
  after: (ms, callback) => {
    // Longer waits than Node's timers know are cut; the queue looks at the time again when they end.
    const timer = setTimeout(callback, Math.min(ms, 2_147_483_647));
    return () => clearTimeout(timer);
  },
};

export interface QueueOptions {
  readonly work: (key: string) => Promise<void>;
  /** Keys that are worked on at once. */
  readonly concurrency: number;
  readonly clock: QueueClock;
}

export interface WorkQueue {
  /** Works on the key after so many milliseconds, or earlier when it already waits for an earlier time. */
  add(key: string, delayMs: number): void;
  /** The key waits no longer. Work under way goes on. */
  forget(key: string): void;
  /** Takes nothing up any more, and waits for the work under way. */
  stop(): Promise<void>;
}

export function createQueue({ work, concurrency, clock }: QueueOptions): WorkQueue {
  const due = new Map<string, number>();
  const busy = new Map<string, Promise<void>>();
  let cancel: (() => void) | null = null;
  let stopped = false;

  const start = (key: string): void => {
    due.delete(key);
    const done = work(key).finally(() => {
      busy.delete(key);
      schedule();
    });
    busy.set(key, done);
  };

  const schedule = (): void => {
    cancel?.();
    cancel = null;
    if (stopped) return;
    const now = clock.now();
    const waiting = [...due].filter(([key]) => !busy.has(key)).sort(([, a], [, b]) => a - b);
    for (const [key, at] of waiting) {
      if (busy.size >= concurrency) return;
      if (at > now) {
        cancel = clock.after(at - now, schedule);
        return;
      }
      start(key);
    }
  };

  return {
    add: (key, delayMs) => {
      const at = clock.now() + Math.max(0, delayMs);
      due.set(key, Math.min(at, due.get(key) ?? Number.POSITIVE_INFINITY));
      schedule();
    },
    forget: (key) => {
      due.delete(key);
      schedule();
    },
    stop: async () => {
      stopped = true;
      cancel?.();
      await Promise.allSettled(busy.values());
    },
  };
}
