import { describe, expect, it } from 'vitest';
import { toMatchKey } from '../../src/mapping/match-key.ts';
import { toTeamKey } from '../../src/team-key.ts';

describe('toMatchKey', () => {
  it('drops case and the way an accent is written, unless the attribute is exact', () => {
    expect(toMatchKey('ZOË@example.com', false)).toBe(toMatchKey('zoë@example.com', false));
    expect(toMatchKey('ID', true)).toBe('ID');
  });
});

describe('toTeamKey', () => {
  it.each([
    ['  Chess Club ', 'rule:chess club'],
    ['CHESS CLUB', 'rule:chess club'],
    ['Zoë', 'rule:zoë'],
  ])('%j is %j', (name, key) => {
    expect(toTeamKey(name)).toBe(key);
  });
});
