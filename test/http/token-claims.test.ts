import { describe, expect, it } from 'vitest';
import { readTokenExpiry } from '../../src/http/token-claims.ts';

describe('the end of a token', () => {
  const jwt = (claims: unknown) => ['e30', Buffer.from(JSON.stringify(claims)).toString('base64url'), 'sig'].join('.');
  it.each<[string, string, number | null]>([
    ['is that of a JSON Web Token', jwt({ exp: 1_800_000_000 }), 1_800_000_000_000],
    ['is not known of one that does not say it', jwt({ iss: 'x' }), null],
    ['is not known of one that says nonsense', jwt({ exp: 'soon' }), null],
    ['is not known of one that says what no date is', jwt({ exp: 1e18 }), null],
    ['is not known of claims that are none', jwt('x'), null],
    ['is not known of anything else', 'abc', null],
    ['is not known of what only looks like one', 'a.b.c', null],
  ])('%s', (_what, token, expiresAt) => {
    expect(readTokenExpiry({ token })).toBe(expiresAt);
  });
});
