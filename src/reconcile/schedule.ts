/** When the next run is due. Pure but for the cron library's arithmetic; the time comes in as an argument. */
import { Cron } from 'croner';
import type { ResolvedSchedule } from '../api/defaults.ts';

/** Null: `once`, which has no next time. */
export function computeNextRun(schedule: ResolvedSchedule, from: Date): Date | null {
  switch (schedule.kind) {
    case 'Interval':
      return new Date(from.getTime() + schedule.everyMs);
    case 'Cron':
      return new Cron(schedule.expression, { timezone: schedule.timeZone }).nextRun(from);
    case 'Once':
      return null;
  }
}

const FIRST_RETRY_MS = 5_000;

/**
 * Wait before a failed run is tried again: exponential with jitter (between half and all of the step), and never longer
 * than the schedule would have waited.
 * @param attempt failures in a row, from 1
 * @param next when the schedule is due; null when it has no next time
 */
export function computeRetry(
  attempt: number,
  { now, next, random }: { now: Date; next: Date | null; random: () => number },
): number {
  const step = Math.min(FIRST_RETRY_MS * 2 ** Math.min(attempt - 1, 16), 3_600_000);
  const wait = Math.round(step * (0.5 + random() / 2));
  return next === null ? wait : Math.max(0, Math.min(wait, next.getTime() - now.getTime()));
}
