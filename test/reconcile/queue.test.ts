import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createQueue, systemClock } from '../../src/reconcile/queue.ts';
import { createManualClock } from '../support/manual-clock.ts';

/** A queue whose work ends when the test says so. */
function aQueue(concurrency = 4) {
  const clock = createManualClock(0);
  const started: string[] = [];
  const open = new Map<string, PromiseWithResolvers<void>>();
  const errors: unknown[] = [];
  const queue = createQueue({
    clock,
    concurrency,
    onError: (_key, thrown) => errors.push(thrown),
    work: (key) => {
      if (open.has(key)) throw new Error(`${key} is worked on twice at once`);
      started.push(key);
      const deferred = Promise.withResolvers<void>();
      open.set(key, deferred);
      return deferred.promise;
    },
  });
  const end = async (key: string, thrown?: Error): Promise<void> => {
    const deferred = open.get(key);
    open.delete(key);
    if (thrown === undefined) deferred?.resolve();
    else deferred?.reject(thrown);
    await new Promise((resolve) => setImmediate(resolve));
  };
  return { queue, clock, started, open, errors, end };
}

describe('a queue', () => {
  it('works on a key when it is due, once', () => {
    const { queue, clock, started } = aQueue();
    queue.add('a', 100);
    expect(queue.due('a')).toBe(100);
    clock.advance(99);
    expect(started).toEqual([]);
    clock.advance(1);
    expect(started).toEqual(['a']);
    expect(queue.due('a')).toBeNull();
    clock.advance(10_000);
    expect(started).toEqual(['a']);
  });

  it('works on a key after as long as was asked, wherever the clock of the machine is set', () => {
    const { queue, clock, started } = aQueue();
    queue.add('a', 60_000);
    clock.advance(10_000);
    clock.set(-30 * 3_600_000);
    expect(queue.due('a')).toBe(clock.now() + 50_000);
    clock.advance(50_000);
    expect(started).toEqual(['a']);
  });

  it('takes the earliest of several times, whatever their order', () => {
    const { queue, clock, started } = aQueue();
    queue.add('a', 100);
    queue.add('a', 500);
    queue.add('a', 50);
    clock.advance(50);
    expect(started).toEqual(['a']);
    clock.advance(1000);
    expect(started).toEqual(['a']);
  });

  it('never works on one key twice at once, and takes up afterwards what came meanwhile', async () => {
    const { queue, clock, started, end } = aQueue();
    queue.add('a', 0);
    queue.add('a', 0);
    queue.add('a', 20);
    clock.advance(100);
    expect(started).toEqual(['a']);
    await end('a');
    expect(started).toEqual(['a', 'a']);
    await end('a');
    clock.advance(100);
    expect(started).toEqual(['a', 'a']);
  });

  it('takes what is added by the first, synchronous part of the work for later', async () => {
    const clock = createManualClock(0);
    let times = 0;
    const queue = createQueue({
      clock,
      concurrency: 4,
      onError: () => undefined,
      work: async (key) => {
        times += 1;
        if (times < 3) queue.add(key, 0);
      },
    });
    queue.add('a', 0);
    expect(times).toBe(1);
    await new Promise((resolve) => setImmediate(resolve));
    expect(times).toBe(3);
  });

  it('works on so many at once, the longest due first', async () => {
    const { queue, clock, started, end } = aQueue(2);
    queue.add('late', 30);
    queue.add('early', 10);
    queue.add('middle', 20);
    queue.add('now', 0);
    clock.advance(100);
    expect(started).toEqual(['now', 'early']);
    await end('early');
    expect(started).toEqual(['now', 'early', 'middle']);
    await end('now');
    expect(started).toEqual(['now', 'early', 'middle', 'late']);
  });

  it('goes on after work that throws, at once or later', async () => {
    const clock = createManualClock(0);
    const errors: string[] = [];
    const done: string[] = [];
    const queue = createQueue({
      clock,
      concurrency: 1,
      onError: (key, thrown) => errors.push(`${key}: ${(thrown as Error).message}`),
      work: (key) => {
        if (key === 'sync') throw new Error('at once');
        if (key === 'async') return Promise.reject(new Error('later'));
        done.push(key);
        return Promise.resolve();
      },
    });
    for (const key of ['sync', 'async', 'good']) queue.add(key, 0);
    await new Promise((resolve) => setImmediate(resolve));
    expect(errors).toEqual(['sync: at once', 'async: later']);
    expect(done).toEqual(['good']);
  });

  it('stops: takes nothing up any more, and waits for what is under way', async () => {
    const { queue, clock, started, end } = aQueue();
    queue.add('a', 0);
    queue.add('b', 10);
    let stopped = false;
    const stopping = queue.stop().then(() => {
      stopped = true;
    });
    queue.add('c', 0);
    clock.advance(1000);
    await new Promise((resolve) => setImmediate(resolve));
    expect(stopped).toBe(false);
    await end('a');
    await stopping;
    expect(started).toEqual(['a']);
    expect(clock.waiting).toBe(0);
  });

  it('waits longer than a timer can', () => {
    const { queue, clock, started } = aQueue();
    const days = 40 * 24 * 3_600_000;
    queue.add('a', days);
    clock.advance(days - 1);
    expect(started).toEqual([]);
    clock.advance(1);
    expect(started).toEqual(['a']);
  });

  it('keeps all of this whatever is added and ended in whatever order', async () => {
    type Step = (queue: ReturnType<typeof aQueue>) => unknown;
    const key = fc.constantFrom(...KEYS);
    const step = fc.oneof(
      fc.tuple(key, fc.nat(50)).map(
        ([name, ms]): Step =>
          ({ queue }) =>
            queue.add(name, ms),
      ),
      key.map(
        (name): Step =>
          ({ end }) =>
            end(name),
      ),
      fc.nat(60).map(
        (ms): Step =>
          ({ clock }) =>
            clock.advance(ms),
      ),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
        const all = aQueue(2);
        for (const each of steps) {
          await each(all);
          expectOrder(all);
        }
        expect(all.errors).toEqual([]);
      }),
      { numRuns: 200 },
    );
  });
});

const KEYS = ['a', 'b', 'c'] as const;

/** At most two at once, and what is due waits only for itself or for a free place. */
function expectOrder({ queue, clock, open }: ReturnType<typeof aQueue>): void {
  expect(open.size).toBeLessThanOrEqual(2);
  const overdue = KEYS.filter((key) => (queue.due(key) ?? Number.POSITIVE_INFINITY) <= clock.now());
  for (const key of overdue) expect(open.has(key) || open.size === 2, key).toBe(true);
}

it('the system clock calls back, and not after it was cancelled', async () => {
  const called = Promise.withResolvers<void>();
  const cancel = systemClock.after(1, () => called.reject(new Error('was cancelled')));
  cancel();
  systemClock.after(2, called.resolve);
  await called.promise;
  expect(Math.abs(systemClock.now() - Date.now())).toBeLessThan(1000);
});
