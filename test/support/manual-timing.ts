import type { Timing } from '../../src/http/timing.ts';

export interface ManualTiming extends Timing {
  /** Every wait that was asked for, in milliseconds. */
  readonly waits: readonly number[];
  /** Sets the machine's clock. */
  set(ms: number): void;
}

/**
 * A clock that jumps over every wait at once, so that nothing really waits. `random` gives the value of `chance`; 1 asks
 * for the longest wait.
 */
export function createManualTiming(start = Date.UTC(2026, 0, 1), chance = 1): ManualTiming {
  let offset = start;
  let elapsed = 0;
  const waits: number[] = [];
  return {
    waits,
    now: () => offset + elapsed,
    elapsed: () => elapsed,
    set(ms) {
      offset = ms - elapsed;
    },
    random: () => chance,
    async sleep(ms, signal) {
      signal.throwIfAborted();
      waits.push(ms);
      elapsed += ms;
      await Promise.resolve();
      signal.throwIfAborted();
    },
  };
}
