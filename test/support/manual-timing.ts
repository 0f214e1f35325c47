import type { Timing } from '../../src/http/timing.ts';

export interface ManualTiming extends Timing {
  /** Every wait that was asked for, in milliseconds. */
  readonly waits: readonly number[];
}

/**
 * A clock that jumps over every wait at once, so that nothing really waits. `random` gives the value of `chance`; 1 asks
 * for the longest wait.
 */
export function createManualTiming(start = Date.UTC(2026, 0, 1), chance = 1): ManualTiming {
  let now = start;
  const waits: number[] = [];
  return {
    waits,
    now: () => now,
    random: () => chance,
    async sleep(ms, signal) {
      signal.throwIfAborted();
      waits.push(ms);
      now += ms;
      await Promise.resolve();
      signal.throwIfAborted();
    },
  };
}
