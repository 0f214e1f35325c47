/** When the next run is due. Pure but for the cron library's arithmetic; the time comes in as an argument. */
import { Cron } from 'croner';
import type { ResolvedSchedule } from '../api/defaults.ts';
import type { RunReport } from './run.ts';

const CONFIRM_AFTER_MS = 10 * 60_000;

/** A suspect read is confirmed by one that is made 10 minutes after it, or one interval if that is shorter. */
export function toConfirmAfterMs(schedule: ResolvedSchedule): number {
  return schedule.kind === 'Interval' ? Math.min(CONFIRM_AFTER_MS, schedule.everyMs) : CONFIRM_AFTER_MS;
}

const FIRST_RETRY_MS = 5_000;
const LONGEST_RETRY_MS = 3_600_000;
/** The shortest interval that a resource may ask for: whatever fails is not tried more often. */
const SHORTEST_RETRY_MS = 1_000;
/** A wait that the other side asks for is believed up to here. */
const LONGEST_ASKED_MS = 24 * 3_600_000;

/**
 * When the schedule is due next. An interval counts from the beginning of a run, and a run that lasted longer is
 * followed at once; times of a cron expression that passed during the run are left out.
 * @returns null when there is no next time: `once`, or a date that never comes
 */
export function computeNextRun(
  schedule: ResolvedSchedule,
  { startedAt, now }: { startedAt: Date; now: Date },
): Date | null {
  switch (schedule.kind) {
    case 'Interval':
      return new Date(Math.max(now.getTime(), startedAt.getTime() + schedule.everyMs));
    case 'Cron':
      return new Cron(schedule.expression, { paused: true, timezone: schedule.timeZone }).nextRun(now);
    case 'Once':
      return null;
  }
}

/**
 * Wait before a failed run is tried again: exponential with jitter (between half and all of the step), never longer
 * than the schedule would have waited, and never shorter than a second.
 * @param attempt failures in a row, from 1
 * @param next when the schedule is due; null when it has no next time
 */
export function computeRetry(
  attempt: number,
  { now, next, random }: { now: Date; next: Date | null; random: () => number },
): number {
  const step = Math.min(FIRST_RETRY_MS * 2 ** Math.min(attempt - 1, 16), LONGEST_RETRY_MS);
  const wait = Math.round(step * (0.5 + random() / 2));
  const bound = next === null ? wait : next.getTime() - now.getTime();
  return Math.max(SHORTEST_RETRY_MS, Math.min(wait, bound));
}

export interface AfterRun {
  /** Null: the spec is wrong, and with it the schedule. */
  readonly schedule: ResolvedSchedule | null;
  readonly report: Pick<RunReport, 'outcome' | 'reason' | 'retryAfterMs' | 'startedAt'>;
  /** Failures in a row, this one included. */
  readonly failures: number;
  readonly now: Date;
  readonly random: () => number;
}

/** When to run again after a run that ended. Null: when something changes, or somebody asks. */
export function computeNextAfter({ schedule, report, failures, now, random }: AfterRun): Date | null {
  const next = schedule === null ? null : computeNextRun(schedule, { startedAt: report.startedAt, now });
  // What only a person can mend is looked at once each schedule, no more: a refused secret tried again may lock it.
  if (report.outcome !== 'waiting') return next;
  if (report.reason === 'ReadSuspect' && schedule !== null) return new Date(now.getTime() + toConfirmAfterMs(schedule));
  const retry = computeRetry(Math.max(1, failures), { now, next, random });
  const asked = Math.min(report.retryAfterMs ?? 0, LONGEST_ASKED_MS);
  return new Date(now.getTime() + Math.max(retry, asked));
}

/**
 * When to try again what the deletion of a resource asks for. Records that failed are tried like a target that is away;
 * what only a person can mend is looked at once each schedule.
 */
export function computeNextDeletion(after: AfterRun): Date | null {
  const outcome = after.report.outcome === 'stalled' ? 'stalled' : 'waiting';
  return computeNextAfter({ ...after, report: { ...after.report, outcome } });
}
