/** Time and chance as arguments, so that tests of waiting do not wait. */

import { setTimeout as sleepFor } from 'node:timers/promises';

export interface Timing {
  /** Milliseconds since 1970, as the machine's clock says. It may be set back or forth: durations are not told by it. */
  now(): number;
  /** Milliseconds since some moment of this process; never goes back. */
  elapsed(): number;
  /** Resolves after so many milliseconds; rejects with an AbortError when the signal aborts. */
  sleep(ms: number, signal: AbortSignal): Promise<void>;
  /** From 0 to just below 1. */
  random(): number;
}

export const systemTiming: Timing = {
  now: () => Date.now(),
  elapsed: () => performance.now(),
  sleep: (ms, signal) => sleepFor(ms, undefined, { signal }),
  random: () => Math.random(),
};
