/** One rate budget per external host and credential, shared by everything in this process that talks to it (rule I11). */

import { createHash } from 'node:crypto';
import { SyncError } from '../errors.ts';
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
}

/** The part of one user of the budget; its limits hold until it is closed. */
export interface BudgetShare extends RateBudget {
  close(): void;
}

export interface Budgets {
  /** Joins the budget of this host and credential. The lowest limits of all who have joined hold for all of them. */
  join(host: string, credentialKey: string, limits: RateLimits): BudgetShare;
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
    join(host, credentialKey, limits) {
      const key = `${host.toLowerCase()}\n${credentialKey}`;
      const bucket = buckets.get(key) ?? createBucket(timing);
      buckets.set(key, bucket);
      const leave = bucket.join(limits);
      return {
        acquire: bucket.acquire,
        pause: bucket.pause,
        close() {
          leave();
          if (bucket.isIdle()) buckets.delete(key);
        },
      };
    },
  };
}

interface Bucket extends RateBudget {
  join(limits: RateLimits): () => void;
  /** Nobody has joined, and no pause has to be remembered. */
  isIdle(): boolean;
}

function createBucket(timing: Timing): Bucket {
  const members = new Set<RateLimits>();
  const waiting = new Set<() => void>();
  let running = 0;
  let pausedUntil = 0;
  /** When the next request is due at an even pace. */
  let dueAt = 0;
  let alarm: AbortController | null = null;

  const lowest = (select: (limits: RateLimits) => number) =>
    [...members].reduce((least, each) => Math.min(least, select(each)), Number.POSITIVE_INFINITY);

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
      const now = timing.now();
      const wait = computeWait(now);
      if (wait > 0) {
        setAlarm(wait);
        return;
      }
      waiting.delete(start);
      running += 1;
      dueAt = Math.max(dueAt, now) + 1000 / perSecond;
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

  return {
    join(limits) {
      members.add(limits);
      return () => {
        members.delete(limits);
        startWaiting();
      };
    },
    isIdle: () => members.size === 0 && waiting.size === 0 && pausedUntil <= timing.now(),
    pause(ms) {
      pausedUntil = Math.max(pausedUntil, timing.now() + ms);
      clearAlarm();
      startWaiting();
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
