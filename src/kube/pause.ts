import type { Timing } from '../http/timing.ts';

/** Resolves after so many milliseconds, or at once when the signal aborts. */
export async function sleepUntilAborted(timing: Timing, ms: number, signal: AbortSignal): Promise<void> {
  await timing.sleep(ms, signal).catch((error: unknown) => {
    if (!signal.aborted) throw error;
  });
}
