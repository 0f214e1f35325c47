import { describe, expect, it } from 'vitest';
import { computeOrder, findBlocked } from '../../src/plan/order.ts';
import type { Contention } from '../../src/state/staging.ts';

/** `3>1`: operation 3 wants what operation 1 gives up; `3>`: nobody gives it up. */
function contentions(...lines: string[]): Contention[] {
  return lines.map((line) => {
    const [seq = '', freedBy = ''] = line.split('>');
    return {
      seq: Number(seq),
      sourceId: `p${seq}`,
      path: 'userName',
      holder: freedBy === '' ? 'p0' : `p${freedBy}`,
      freedBy: freedBy === '' ? null : Number(freedBy),
    };
  });
}

const order = (lines: string[], straight: number[] = []) =>
  computeOrder({ contentions: contentions(...lines), straight: new Set(straight), nextSeq: 100 });

describe('the order of operations that want each other’s values', () => {
  it.each([
    [[], [], 'nothing to order'],
    [['2>1'], [[1], [2]], 'who gives it up goes first'],
    [['1>2', '2>3'], [[3], [2], [1]], 'a chain goes from its end'],
    [['1>9', '2>9'], [[9], [1, 2]], 'two may wait for one'],
    [['1>8', '1>9', '8>9'], [[9], [8], [1]], 'who waits for two goes when both are done'],
  ])('of %j is %j: %s', (lines, rounds) => {
    expect(order(lines)).toMatchObject({ rounds, detours: [] });
  });

  it('in a circle the first one goes round, and its own operation comes last', () => {
    const { rounds, detours, waits } = order(['1>2', '2>3', '3>1']);
    expect(detours).toEqual([{ seq: 100, of: 1, paths: ['userName'] }]);
    expect(rounds).toEqual([[100], [3], [2], [1]]);
    expect(waits.get(3)?.map(({ freedBy }) => freedBy)).toEqual([100]);
    expect(waits.get(1)?.map(({ freedBy }) => freedBy)).toEqual([2, 100]);
  });

  it('every circle has one detour, and what hangs on a circle waits for it', () => {
    const { rounds, detours } = order(['1>2', '2>1', '3>4', '4>3', '5>1', '6>5']);
    expect(detours.map(({ of }) => of)).toEqual([1, 3]);
    expect(rounds[0]).toEqual([100, 101]);
    expect(rounds.flat().sort((a, b) => a - b)).toEqual([1, 2, 3, 4, 5, 6, 100, 101]);
    expect(rounds.flat().indexOf(6)).toBeGreaterThan(rounds.flat().indexOf(5));
  });

  it('two circles through one operation end too', () => {
    const { rounds, detours } = order(['1>2', '2>1', '2>3', '3>2']);
    expect(rounds.flat().sort((a, b) => a - b)).toEqual([1, 2, 3, ...detours.map(({ seq }) => seq)]);
  });

  it('goes round by an account that is owned, where there is one', () => {
    expect(order(['1>2', '2>1'], [1]).detours).toEqual([{ seq: 100, of: 2, paths: ['userName'] }]);
    expect(order(['1>2', '2>1'], [1, 2]).detours).toEqual([{ seq: 100, of: 1, paths: ['userName'] }]);
  });

  it('of a company that moves up by one takes a moment', () => {
    const lines = Array.from({ length: 20_000 }, (_, index) => `${index + 1}>${index + 2}`);
    expect(order(lines).rounds).toHaveLength(20_001);
  });
});

describe('what cannot have its value', () => {
  const blocked = (lines: string[], held: number[] = []) => [
    ...findBlocked(contentions(...lines), new Set(held)).keys(),
  ];

  it.each([
    [['1>'], [], [1], 'nobody gives it up'],
    [['1>2'], [2], [1], 'who has it is held'],
    [['1>2', '2>3', '3>'], [], [3, 2, 1], 'nor has who waits for them'],
    [['1>2', '1>3'], [3], [1], 'one of two is enough'],
    [['1>2', '2>1'], [], [], 'a circle is no reason'],
    [['1>'], [1], [], 'who is held is not asked'],
    [['1>2', '2>'], [2], [1], 'and what it would give up stays where it is'],
  ])('of %j with %j held is %j: %s', (lines, held, expected) => {
    expect(blocked(lines, held)).toEqual(expected);
  });
});
