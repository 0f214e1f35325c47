import { describe, expect, it } from 'vitest';
import { computeNearestName } from '../src/nearest-name.ts';

describe('computeNearestName', () => {
  const names = ['Join', 'Left', 'ToLower', 'ToUpper', 'IsNull', 'IsNullOrEmpty'];
  it.each([
    ['Jion', 'Join'],
    ['JOIN', 'Join'],
    ['Jon', 'Join'],
    ['Joins', 'Join'],
    ['tolowr', 'ToLower'],
    ['ISNULL', 'IsNull'],
    ['Len', null],
    ['', null],
    ['Whatever', null],
  ])('%s is near to %s', (name, near) => {
    expect(computeNearestName(name, names)).toBe(near);
  });
});
