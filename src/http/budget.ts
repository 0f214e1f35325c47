/** One rate budget per external host and credential, shared by everything in this process that talks to it (rule I11). */

import { createHash } from 'node:crypto';
import { SyncError } from '../errors.ts';
import { MAX_WAIT_MS } from './backoff.ts';
import { computeSlowdown, type RateHint } from './rate-hints.ts';
import { systemTiming, type Timing } from './timing.ts';

export interface RateLimits {
  /** Null: as many as the other side bears. */
  readonly requestsPerSecond: number | null;
  /** Requests under way at once, at least 1. */
  readonly concurrency: number;
}

export interface RateBudget {
  /** Waits, first come first served, until one more request may start; the caller calls what it gets once it is over. */
  acquire(signal: AbortSignal): Promise<() => void>;
  /** Nobody who shares the budget starts a request for so long. Requests under way go on. */
  pause(ms: number): void;
  /** Slows everybody down to what the other side says that it still takes; called after each answer that says so. */
  heed(hints: readonly RateHint[]): void;
}

/** The part of one user of the budget; its limits hold until it is closed. */
export interface BudgetShare extends RateBudget {
  close(): void;
}

export interface Budgets {
  /**
   * Joins the budget of this host and credential. The lowest limits of all who have joined hold for all of them.
   * @param onPause told when nobody may start a request for so many milliseconds, whoever was asked to wait
   */
  join(host: string, credentialKey: string, limits: RateLimits, onPause?: (ms: number) => void): BudgetShare;
}

/** What tells credentials apart without being one: equal for equal values, whatever the order of the keys. */
export function toCredentialKey(secrets: Readonly<Record<string, string>>): string {
  const entries = Object.entries(secrets).sort(([a], [b]) => (a < b ? -1 : 1));
  return createHash('sha256').update(JSON.stringify(entries)).digest('hex').slice(0, 16);
}

/** Room for late timers: what was missed within this time may be caught up. */
const CATCH_UP_MS = 50;

export function createBudgets(timing: Timing = systemTiming): Budgets {
  const buckets = new Map<string, Bucket>();
  return {
    join(host, credentialKey, limits, onPause = () => undefined) {
      const key = `${host.toLowerCase()}\n${credentialKey}`;
      const bucket = buckets.get(key) ?? createBucket(timing);
      buckets.set(key, bucket);
      const leave = bucket.join({ limits, onPause });
      return {
        acquire: bucket.acquire,
        pause: bucket.pause,
        heed: bucket.heed,
        close() {
          leave();
          if (bucket.isIdle()) buckets.delete(key);
        },
      };
    },
  };
}

interface Member {
  readonly limits: RateLimits;
  readonly onPause: (ms: number) => void;
}

interface Bucket extends RateBudget {
  join(member: Member): () => void;
  /** Nobody has joined, and no pause or pace has to be remembered. */
  isIdle(): boolean;
}

function createBucket(timing: Timing): Bucket {
  const members = new Set<Member>();
  const waiting = new Set<() => void>();
  let running = 0;
  let pausedUntil = 0;
  /** When the next request is due at an even pace. */
  let dueAt = 0;
  /** What the other side was last heard to bear. */
  let slow = { everyMs: 0, until: 0 };
  let alarm: AbortController | null = null;

  const lowest = (select: (limits: RateLimits) => number) =>
    [...members].reduce((least, { limits }) => Math.min(least, select(limits)), Number.POSITIVE_INFINITY);

  function computeWait(now: number): number {
    return Math.max(pausedUntil - now, dueAt - CATCH_UP_MS - now, 0);
  }

  function startWaiting(): void {
    const concurrency = Math.max(
      1,
      lowest((each) => each.concurrency),
    );
    const perSecond = lowest((each) => each.requestsPerSecond ?? Number.POSITIVE_INFINITY);
    for (const start of waiting) {
      if (running >= concurrency) return;
      const now = timing.elapsed();
      const wait = computeWait(now);
      if (wait > 0) {
        setAlarm(wait);
        return;
      }
      waiting.delete(start);
      running += 1;
      const from = Math.max(dueAt, now);
      // A new window is not made to wait by the pace of the old one.
      dueAt = Math.max(from + 1000 / perSecond, Math.min(from + slow.everyMs, slow.until));
      start();
    }
  }

  function setAlarm(ms: number): void {
    if (alarm !== null) return;
    const controller = new AbortController();
    alarm = controller;
    timing.sleep(ms, controller.signal).then(
      () => {
        alarm = null;
        startWaiting();
      },
      () => undefined,
    );
  }

  function clearAlarm(): void {
    alarm?.abort();
    alarm = null;
  }

  function release(): void {
    running -= 1;
    startWaiting();
  }

  function pause(ms: number): void {
    const until = timing.elapsed() + ms;
    if (until <= pausedUntil) return;
    pausedUntil = until;
    for (const { onPause } of members) onPause(ms);
    clearAlarm();
    startWaiting();
  }

  return {
    join(member) {
      members.add(member);
      return () => {
        members.delete(member);
        startWaiting();
      };
    },
    isIdle: () => members.size === 0 && waiting.size === 0 && Math.max(pausedUntil, slow.until) <= timing.elapsed(),
    pause,
    heed(hints) {
      // Whose answer it is has not given its place back yet.
      const slowdown = computeSlowdown(hints, Math.max(0, running - 1));
      slow = { everyMs: 0, until: 0 };
      if (slowdown?.kind === 'pace') slow = { everyMs: slowdown.everyMs, until: timing.elapsed() + slowdown.forMs };
      // A longer wait is the work queue's: the next request will be refused, and says when to come back.
      else if (slowdown !== null && slowdown.ms <= MAX_WAIT_MS) pause(slowdown.ms);
    },
    acquire: (signal) =>
      new Promise((resolve, reject) => {
        const abort = () => {
          waiting.delete(start);
          if (waiting.size === 0) clearAlarm();
          reject(new SyncError('Aborted', 'the run was ended before it was done'));
        };
        const start = () => {
          signal.removeEventListener('abort', abort);
          resolve(once(release));
        };
        if (signal.aborted) return abort();
        signal.addEventListener('abort', abort, { once: true });
        waiting.add(start);
        startWaiting();
      }),
  };
}

function once(action: () => void): () => void {
  let done = false;
  return () => {
    if (done) return;
    done = true;
    action();
  };
}
