import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ResolvedSchedule } from '../../src/api/defaults.ts';
import { type AfterRun, computeNextAfter, computeNextRun, computeRetry } from '../../src/reconcile/schedule.ts';

const at = (text: string): Date => new Date(text);
const every = (minutes: number): ResolvedSchedule => ({ kind: 'Interval', everyMs: minutes * 60_000 });
const cron = (expression: string, timeZone: string): ResolvedSchedule => ({ kind: 'Cron', expression, timeZone });

describe('the next time of a schedule', () => {
  const cases: { because: string; schedule: ResolvedSchedule; startedAt?: string; now: string; next: string | null }[] =
    [
      {
        because: 'an interval counts from the beginning of the run',
        schedule: every(40),
        startedAt: '2026-03-01T09:00:00Z',
        now: '2026-03-01T09:10:00Z',
        next: '2026-03-01T09:40:00Z',
      },
      {
        because: 'a run longer than the interval is followed at once',
        schedule: every(5),
        startedAt: '2026-03-01T09:00:00Z',
        now: '2026-03-01T09:10:00Z',
        next: '2026-03-01T09:10:00Z',
      },
      {
        because: 'times that passed during the run are left out',
        schedule: cron('*/5 * * * *', 'UTC'),
        startedAt: '2026-03-01T09:00:00Z',
        now: '2026-03-01T09:12:00Z',
        next: '2026-03-01T09:15:00Z',
      },
      {
        because: 'the time of now is not the next one',
        schedule: cron('0 9 * * *', 'UTC'),
        now: '2026-03-01T09:00:00Z',
        next: '2026-03-02T09:00:00Z',
      },
      {
        because: 'Mondays at six in Belfast, in winter',
        schedule: cron('0 6 * * 1', 'Europe/Belfast'),
        now: '2026-03-01T09:00:00Z',
        next: '2026-03-02T06:00:00Z',
      },
      {
        because: 'Mondays at six in Belfast, in summer',
        schedule: cron('0 6 * * 1', 'Europe/Belfast'),
        now: '2026-06-03T09:00:00Z',
        next: '2026-06-08T05:00:00Z',
      },
      {
        because: 'half past one does not exist when summer time begins: the run comes when the clock goes on',
        schedule: cron('30 1 * * *', 'Europe/Belfast'),
        now: '2026-03-28T12:00:00Z',
        next: '2026-03-29T01:00:00Z',
      },
      {
        because: 'and on the day after at its usual time',
        schedule: cron('30 1 * * *', 'Europe/Belfast'),
        now: '2026-03-29T01:00:00Z',
        next: '2026-03-30T00:30:00Z',
      },
      {
        because: 'half past one comes twice when summer time ends: the first counts',
        schedule: cron('30 1 * * *', 'Europe/Belfast'),
        now: '2026-10-24T12:00:00Z',
        next: '2026-10-25T00:30:00Z',
      },
      {
        because: 'and the second does not',
        schedule: cron('30 1 * * *', 'Europe/Belfast'),
        now: '2026-10-25T00:30:00Z',
        next: '2026-10-26T01:30:00Z',
      },
      { because: '`once` has no next time', schedule: { kind: 'Once' }, now: '2026-03-01T09:00:00Z', next: null },
    ];
  it.each(cases)('$because', ({ schedule, startedAt, now, next }) => {
    const result = computeNextRun(schedule, { startedAt: at(startedAt ?? now), now: at(now) });
    expect(result?.toISOString() ?? null).toBe(next === null ? null : at(next).toISOString());
  });
});

describe('a retry', () => {
  it('doubles from five seconds to an hour, with jitter of at most half', () => {
    const waits = (random: number): number[] =>
      [1, 2, 3, 10, 11, 100].map((attempt) =>
        computeRetry(attempt, { now: at('2026-03-01T09:00:00Z'), next: null, random: () => random }),
      );
    expect(waits(1)).toEqual([5_000, 10_000, 20_000, 2_560_000, 3_600_000, 3_600_000]);
    expect(waits(0)).toEqual([2_500, 5_000, 10_000, 1_280_000, 1_800_000, 1_800_000]);
  });

  it('is never later than the schedule, never in less than a second, and never in more than an hour', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 1_000_000 }),
        fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true }),
        fc.option(fc.integer({ min: -10_000_000, max: 100_000_000 })),
        (attempt, random, dueIn) => {
          const now = at('2026-03-01T09:00:00Z');
          const next = dueIn === null ? null : new Date(now.getTime() + dueIn);
          const wait = computeRetry(attempt, { now, next, random: () => random });
          expect(wait).toBeGreaterThanOrEqual(1_000);
          expect(wait).toBeLessThanOrEqual(3_600_000);
          if (dueIn !== null) expect(wait).toBeLessThanOrEqual(Math.max(1_000, dueIn));
        },
      ),
    );
  });
});

describe('after a run', () => {
  const now = at('2026-03-01T09:10:00Z');
  const wait = (report: Partial<AfterRun['report']>, more: Partial<AfterRun> = {}): number | null => {
    const whole = {
      outcome: 'synced',
      reason: 'Synced',
      retryAfterMs: null,
      startedAt: at('2026-03-01T09:00:00Z'),
    } as const;
    const next = computeNextAfter({
      schedule: every(40),
      report: { ...whole, ...report },
      failures: 1,
      now,
      random: () => 1,
      ...more,
    });
    return next === null ? null : (next.getTime() - now.getTime()) / 1000;
  };
  const waiting = { outcome: 'waiting', reason: 'TargetUnavailable' } as const;

  it.each([
    ['that ended well the schedule counts', wait({}), 1800],
    ['with failed records too', wait({ outcome: 'failed', reason: 'SyncedWithErrors' }), 1800],
    ['that a person must mend too: one probe', wait({ outcome: 'stalled', reason: 'CredentialsRejected' }), 1800],
    ['of a wrong spec only an edit helps', wait({ outcome: 'stalled', reason: 'Invalid' }, { schedule: null }), null],
    ['that failed it is tried again soon', wait(waiting), 5],
    ['that failed often it is tried again with the schedule', wait(waiting, { failures: 20 }), 1800],
    ['that failed under `once` it is tried again', wait(waiting, { schedule: { kind: 'Once' } }), 5],
    ['with Retry-After it waits that long', wait({ ...waiting, retryAfterMs: 7_200_000 }), 7200],
    [
      'with a short Retry-After again and again it backs off',
      wait({ ...waiting, retryAfterMs: 1_000 }, { failures: 5 }),
      80,
    ],
    ['with an absurd Retry-After it comes back within a day', wait({ ...waiting, retryAfterMs: 1e12 }), 86_400],
    ['of a suspect read it is confirmed after ten minutes', wait({ ...waiting, reason: 'ReadSuspect' }), 600],
    ['or one interval', wait({ ...waiting, reason: 'ReadSuspect' }, { schedule: every(3) }), 180],
    ['also under cron', wait({ ...waiting, reason: 'ReadSuspect' }, { schedule: cron('0 9 * * *', 'UTC') }), 600],
  ])('%s', (_because, seconds, expected) => {
    expect(seconds).toBe(expected);
  });
});
