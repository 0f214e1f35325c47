import { describe, expect, it } from 'vitest';
import { createBudgets, toCredentialKey } from '../../src/http/budget.ts';
import { createManualTiming } from '../support/manual-timing.ts';

const NEVER = new AbortController().signal;

describe('a rate budget', () => {
  it('slows everybody down to what the other side still takes, and no more once it takes all again (I11)', async () => {
    const timing = createManualTiming(0);
    const budgets = createBudgets(timing);
    const limits = { requestsPerSecond: null, concurrency: 100 };
    const first = budgets.join('a.example.com', 'k', limits);
    const second = budgets.join('a.example.com', 'k', limits);
    first.heed([{ remaining: 10, resetMs: 20_000, limit: 100 }]);
    for (let count = 0; count < 6; count += 1) (await second.acquire(NEVER))();
    // Five intervals of two seconds.
    expect(timing.now()).toBeGreaterThanOrEqual(9_950);
    expect(timing.now()).toBeLessThanOrEqual(10_000);
    first.heed([{ remaining: 90, resetMs: 20_000, limit: 100 }]);
    const from = timing.now();
    for (let count = 0; count < 20; count += 1) (await second.acquire(NEVER))();
    expect(timing.now() - from).toBeLessThanOrEqual(2_000);
  });

  it('is full speed again when the window has ended', async () => {
    const timing = createManualTiming(0);
    const share = createBudgets(timing).join('a.example.com', 'k', { requestsPerSecond: null, concurrency: 100 });
    share.heed([{ remaining: 2, resetMs: 4_000, limit: 100 }]);
    for (let count = 0; count < 50; count += 1) (await share.acquire(NEVER))();
    expect(timing.now()).toBeLessThanOrEqual(4_000);
  });

  it('waits for the next window when nothing is left, but for minutes only when it is refused', async () => {
    const timing = createManualTiming(0);
    const share = createBudgets(timing).join('a.example.com', 'k', { requestsPerSecond: null, concurrency: 100 });
    share.heed([{ remaining: 0, resetMs: 40_000, limit: 100 }]);
    (await share.acquire(NEVER))();
    expect(timing.now()).toBe(40_000);
    share.heed([{ remaining: 0, resetMs: 3_600_000, limit: 100 }]);
    (await share.acquire(NEVER))();
    expect(timing.now()).toBe(40_000);
  });

  it('tells all who share it of a pause, once', () => {
    const budgets = createBudgets(createManualTiming(0));
    const told: string[] = [];
    const join = (name: string) =>
      budgets.join('a.example.com', 'k', { requestsPerSecond: null, concurrency: 1 }, (ms) =>
        told.push(`${name} ${ms}`),
      );
    const [one, two] = [join('one'), join('two')];
    one.pause(60_000);
    two.pause(30_000);
    expect(told).toEqual(['one 60000', 'two 60000']);
    one.close();
    two.pause(90_000);
    expect(told.slice(2)).toEqual(['two 90000']);
  });

  it('spreads requests evenly at the lowest rate of all who share it (I11)', async () => {
    const timing = createManualTiming(0);
    const budgets = createBudgets(timing);
    const fast = budgets.join('a.example.com', 'k', { requestsPerSecond: 100, concurrency: 100 });
    budgets.join('a.example.com', 'k', { requestsPerSecond: 10, concurrency: 100 });
    for (let count = 0; count < 21; count += 1) (await fast.acquire(NEVER))();
    // 20 intervals of 100 ms; the last may start 50 ms early.
    expect(timing.now()).toBeGreaterThanOrEqual(1_950);
    expect(timing.now()).toBeLessThanOrEqual(2_000);
  });

  it('forgets the limits of who leaves', async () => {
    const timing = createManualTiming(0);
    const budgets = createBudgets(timing);
    const free = budgets.join('a.example.com', 'k', { requestsPerSecond: null, concurrency: 100 });
    budgets.join('a.example.com', 'k', { requestsPerSecond: 1, concurrency: 1 }).close();
    for (let count = 0; count < 50; count += 1) (await free.acquire(NEVER))();
    expect(timing.now()).toBe(0);
  });

  it('lets no more run at once than the lowest concurrency, first come first served', async () => {
    const budgets = createBudgets(createManualTiming(0));
    const share = budgets.join('a.example.com', 'k', { requestsPerSecond: null, concurrency: 2 });
    const started: number[] = [];
    const releases: (() => void)[] = [];
    const all = [0, 1, 2, 3].map(async (each) => {
      releases.push(await share.acquire(NEVER));
      started.push(each);
    });
    await Promise.all(all.slice(0, 2));
    expect(started).toEqual([0, 1]);
    releases[0]?.();
    releases[0]?.();
    await all[2];
    expect(started).toEqual([0, 1, 2]);
    releases[1]?.();
    await all[3];
    expect(started).toEqual([0, 1, 2, 3]);
  });

  it('is another one for another host or credential (I11)', async () => {
    const timing = createManualTiming(0);
    const budgets = createBudgets(timing);
    const limits = { requestsPerSecond: null, concurrency: 1 };
    budgets.join('a.example.com', 'k', limits).pause(1_000);
    (await budgets.join('b.example.com', 'k', limits).acquire(NEVER))();
    (await budgets.join('a.example.com', 'l', limits).acquire(NEVER))();
    expect(timing.now()).toBe(0);
    (await budgets.join('A.example.com', 'k', limits).acquire(NEVER))();
    expect(timing.now()).toBe(1_000);
  });

  it('remembers a pause that outlives everybody who shared it', async () => {
    const timing = createManualTiming(0);
    const budgets = createBudgets(timing);
    const limits = { requestsPerSecond: null, concurrency: 1 };
    const gone = budgets.join('a.example.com', 'k', limits);
    gone.pause(5_000);
    gone.close();
    (await budgets.join('a.example.com', 'k', limits).acquire(NEVER))();
    expect(timing.now()).toBe(5_000);
  });

  it('waits as long as before when the clock of the machine is set back', async () => {
    const timing = createManualTiming(Date.UTC(2026, 2, 1));
    const share = createBudgets(timing).join('a.example.com', 'k', { requestsPerSecond: 2, concurrency: 1 });
    (await share.acquire(NEVER))();
    timing.set(Date.UTC(2026, 1, 28));
    for (let count = 0; count < 4; count += 1) (await share.acquire(NEVER))();
    expect(timing.waits.reduce((sum, ms) => sum + ms, 0)).toBeLessThanOrEqual(2_000);
  });

  it('gives up a place in the queue when the signal aborts', async () => {
    const budgets = createBudgets(createManualTiming(0));
    const share = budgets.join('a.example.com', 'k', { requestsPerSecond: null, concurrency: 1 });
    const release = await share.acquire(NEVER);
    const controller = new AbortController();
    const waiting = share.acquire(controller.signal);
    controller.abort();
    await expect(waiting).rejects.toMatchObject({ code: 'Aborted' });
    const next = share.acquire(NEVER);
    release();
    (await next)();
  });
});

describe('the key of a credential', () => {
  it('is equal for equal values and shows none of them', () => {
    const key = toCredentialKey({ username: 'u', password: 'hunter2' });
    expect(toCredentialKey({ password: 'hunter2', username: 'u' })).toBe(key);
    expect(toCredentialKey({ password: 'hunter3', username: 'u' })).not.toBe(key);
    expect(key).not.toContain('hunter2');
  });
});
