import { describe, expect, it } from 'vitest';
import type { Attributes } from '../../src/model.ts';
import { fingerprint } from '../../src/state/fingerprint.ts';

describe('fingerprint', () => {
  it('has 16 hex digits and never changes its meaning: stored ones are compared with those of later versions', () => {
    expect(fingerprint({ userName: 'ada@example.com', active: true, emails: [{ value: 'a', type: 'work' }] })).toBe(
      '06a5bf48561b3c69',
    );
  });

  it.each<{ because: string; a: Attributes; b: Attributes; same: boolean }>([
    { because: 'the order of keys does not count', a: { x: 1, y: 2 }, b: { y: 2, x: 1 }, same: true },
    {
      because: 'nor does it inside of lists and objects',
      a: { x: [{ p: 1, q: { r: null, s: true } }] },
      b: { x: [{ q: { s: true, r: null }, p: 1 }] },
      same: true,
    },
    { because: 'the order of a list counts', a: { x: [1, 2] }, b: { x: [2, 1] }, same: false },
    { because: 'a number is not its text', a: { x: 1 }, b: { x: '1' }, same: false },
    { because: 'null is not absent', a: { x: null }, b: {}, same: false },
    { because: 'values cannot run into one another', a: { x: 'a","y":"b' }, b: { x: 'a', y: 'b' }, same: false },
    { because: 'an empty list is not an empty object', a: { x: [] }, b: { x: {} }, same: false },
  ])('$because', ({ a, b, same }) => {
    expect(fingerprint(a) === fingerprint(b)).toBe(same);
  });
});
