/** A clock with timers that moves only when it is told to. */
import type { QueueClock } from '../../src/reconcile/queue.ts';

export interface ManualClock extends QueueClock {
  /** Moves on, and calls what comes due on the way, each at its time. */
  advance(ms: number): void;
  /** Sets the machine's clock; what waits goes on waiting as long as it would have. */
  set(ms: number): void;
  /** How many timers wait. */
  readonly waiting: number;
}

interface Timer {
  readonly at: number;
  readonly callback: () => void;
}

export function createManualClock(start = Date.parse('2026-03-01T09:00:00Z')): ManualClock {
  const timers = new Set<Timer>();
  let offset = start;
  let now = 0;
  return {
    now: () => now + offset,
    elapsed: () => now,
    after(ms, callback) {
      const timer = { at: now + ms, callback };
      timers.add(timer);
      return () => timers.delete(timer);
    },
    advance(ms) {
      const end = now + ms;
      for (;;) {
        const [next] = [...timers].filter(({ at }) => at <= end).sort((a, b) => a.at - b.at);
        if (next === undefined) break;
        timers.delete(next);
        now = Math.max(now, next.at);
        next.callback();
      }
      now = end;
    },
    set(ms) {
      offset = ms - now;
    },
    get waiting() {
      return timers.size;
    },
  };
}
