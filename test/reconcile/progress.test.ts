import { describe, expect, it } from 'vitest';
import { createProgressWriter, withPauses } from '../../src/reconcile/progress.ts';
import type { Progress } from '../../src/reconcile/run.ts';

function aWriter(write?: () => Promise<unknown>) {
  let now = Date.parse('2026-03-01T09:00:00Z');
  const written: object[] = [];
  const steps: string[] = [];
  const writer = createProgressWriter({
    now: () => now,
    observeStep: (step, seconds) => steps.push(`${step} ${seconds}`),
    write: (progress) => {
      written.push(progress);
      return write?.() ?? Promise.resolve();
    },
  });
  const advance = (ms: number): number => (now += ms);
  return { writer, written, steps, advance };
}

describe('progress', () => {
  it('is written ten seconds after the beginning, and every ten seconds', async () => {
    const { writer, written, advance } = aWriter();
    for (let second = 1; second <= 35; second += 1) {
      advance(1_000);
      writer.onProgress({ step: 'read', done: second, total: null });
      await Promise.resolve();
      await Promise.resolve();
    }
    expect(written).toEqual([10, 20, 30].map((done) => ({ step: 'read', done, startedAt: '2026-03-01T09:00:00Z' })));
  });

  it('estimates the end at the rate of the step', () => {
    const { writer, written, advance } = aWriter();
    advance(60_000);
    writer.onStep('apply');
    advance(20_000);
    writer.onProgress({ step: 'apply', done: 50, total: 200 });
    expect(written).toEqual([
      {
        step: 'apply',
        done: 50,
        total: 200,
        startedAt: '2026-03-01T09:00:00Z',
        // 20 seconds for 50, 60 more for the other 150.
        estimatedEnd: '2026-03-01T09:02:20Z',
      },
    ]);
  });

  it('counts a pause in, and the time before it as work', () => {
    const { writer, written, advance } = aWriter();
    writer.onStep('apply');
    advance(20_000);
    // Two and a half a second; nothing goes on for a minute.
    const progress = { step: 'apply', done: 50, total: 200 } as const;
    writer.onProgress({ ...progress, pausedUntil: new Date('2026-03-01T09:01:20Z') });
    expect(written.at(-1)).toMatchObject({ estimatedEnd: '2026-03-01T09:02:20Z' });
  });

  it('keeps the rate of the work after a pause', async () => {
    const { writer, written, advance } = aWriter();
    writer.onStep('apply');
    advance(10_000);
    writer.onProgress({ step: 'apply', done: 50, total: 200, pausedUntil: new Date('2026-03-01T09:01:10Z') });
    await Promise.resolve();
    await Promise.resolve();
    // A minute of waiting, then ten seconds for the next 50.
    advance(70_000);
    writer.onProgress({ step: 'apply', done: 100, total: 200 });
    expect(written.at(-1)).toMatchObject({ done: 100, estimatedEnd: '2026-03-01T09:01:40Z' });
  });

  it.each([
    ['no rate yet', 0, 200],
    ['the total not known', 50, null],
    ['a rate that says nothing', 1, 1_000_000],
  ])('estimates nothing with %s', (_because, done, total) => {
    const { writer, written, advance } = aWriter();
    writer.onStep('plan');
    advance(20_000);
    writer.onProgress({ step: 'plan', done, total });
    expect(written).toEqual([expect.not.objectContaining({ estimatedEnd: expect.anything() })]);
  });

  it('measures every step, the last one too', async () => {
    const { writer, steps, advance } = aWriter();
    writer.onStep('load');
    advance(500);
    writer.onStep('read');
    advance(2_000);
    await writer.close();
    expect(steps).toEqual(['load 0.5', 'read 2']);
  });

  it('waits at its end for the write under way, and writes no more', async () => {
    const gate = Promise.withResolvers<void>();
    const { writer, written, advance } = aWriter(() => gate.promise);
    expect(writer.written).toBe(false);
    advance(10_000);
    writer.onProgress({ step: 'read', done: 1, total: null });
    // A second one while the first is under way would overtake it.
    advance(10_000);
    writer.onProgress({ step: 'read', done: 2, total: null });
    expect(writer.written).toBe(true);
    let closed = false;
    const closing = writer.close().then(() => {
      closed = true;
    });
    await new Promise((resolve) => setImmediate(resolve));
    expect(closed).toBe(false);
    gate.resolve();
    await closing;
    advance(10_000);
    writer.onProgress({ step: 'read', done: 3, total: null });
    expect(written).toHaveLength(1);
  });

  it('survives writes that fail', async () => {
    const { writer, written, advance } = aWriter(() => Promise.reject(new Error('away')));
    advance(10_000);
    writer.onProgress({ step: 'read', done: 1, total: null });
    await new Promise((resolve) => setImmediate(resolve));
    advance(10_000);
    writer.onProgress({ step: 'read', done: 2, total: null });
    await writer.close();
    expect(written).toHaveLength(2);
  });
});

describe('a pause that the other side asks for', () => {
  it('is told of at once, and with everything until it is over', () => {
    let now = Date.parse('2026-03-01T09:00:00Z');
    const told: Progress[] = [];
    const { onProgress, onPause } = withPauses(
      (progress) => told.push(progress),
      () => new Date(now),
    );
    const progress = { step: 'apply', done: 1, total: 2 } as const;
    // Before there is anything to tell it is remembered.
    onPause(60_000);
    expect(told).toEqual([]);
    onProgress(progress);
    const pausedUntil = new Date('2026-03-01T09:01:00Z');
    expect(told).toEqual([{ ...progress, pausedUntil }]);
    onPause(90_000);
    expect(told.at(-1)).toEqual({ ...progress, pausedUntil: new Date('2026-03-01T09:01:30Z') });
    now += 90_000;
    onProgress(progress);
    expect(told.at(-1)).toEqual(progress);
  });
});
