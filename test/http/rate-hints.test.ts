import { describe, expect, it } from 'vitest';
import { computeAskedWait, computeSlowdown, parseRateHints, type RateHint } from '../../src/http/rate-hints.ts';

const NOW = Date.UTC(2026, 0, 1);
const SECONDS = NOW / 1000;

describe('limits that an answer names', () => {
  it.each<[string, Record<string, string>, RateHint[]]>([
    ['nothing', {}, []],
    [
      'the draft with its policy',
      { ratelimit: '"default";r=50;t=30', 'ratelimit-policy': '"default";q=100;w=60' },
      [{ remaining: 50, resetMs: 30_000, limit: 100 }],
    ],
    [
      'two policies, the window taken from the policy',
      { ratelimit: '"burst";r=9, "day";r=900;t=80000', 'ratelimit-policy': '"burst";q=10;w=1, "day";q=1000;w=86400' },
      [
        { remaining: 9, resetMs: 1_000, limit: 10 },
        { remaining: 900, resetMs: 80_000_000, limit: 1000 },
      ],
    ],
    [
      'the share of a limit that Graph says is used',
      { 'x-ms-throttle-limit-percentage': '0.85' },
      [{ remaining: 15, resetMs: 10_000, limit: 100 }],
    ],
    [
      'one that is used up, and more',
      { 'x-ms-throttle-limit-percentage': '1.3' },
      [{ remaining: 0, resetMs: 10_000, limit: 100 }],
    ],
    ['the draft alone', { ratelimit: '"a";r=5;t=10' }, [{ remaining: 5, resetMs: 10_000, limit: null }]],
    [
      'the older draft',
      { ratelimit: 'limit=100, remaining=20, reset=7' },
      [{ remaining: 20, resetMs: 7_000, limit: 100 }],
    ],
    [
      'three headers with the limit and its policies',
      { 'ratelimit-limit': '100, 100;w=60', 'ratelimit-remaining': '3', 'ratelimit-reset': '12' },
      [{ remaining: 3, resetMs: 12_000, limit: 100 }],
    ],
    [
      'X-RateLimit with seconds from now',
      { 'x-ratelimit-limit': '60', 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': '15.5' },
      [{ remaining: 0, resetMs: 15_500, limit: 60 }],
    ],
    [
      'X-RateLimit with seconds since 1970',
      { 'x-ratelimit-limit': '60', 'x-ratelimit-remaining': '1', 'x-ratelimit-reset': String(SECONDS + 90) },
      [{ remaining: 1, resetMs: 90_000, limit: 60 }],
    ],
    [
      'X-Rate-Limit with milliseconds since 1970',
      { 'x-rate-limit-remaining': '1', 'x-rate-limit-reset': String(NOW + 500) },
      [{ remaining: 1, resetMs: 500, limit: null }],
    ],
    [
      'a time of a server whose clock is an hour ahead',
      {
        'x-ratelimit-remaining': '1',
        'x-ratelimit-reset': String(SECONDS + 3_660),
        date: 'Thu, 01 Jan 2026 01:00:00 GMT',
      },
      [{ remaining: 1, resetMs: 60_000, limit: null }],
    ],
    [
      'a time that has passed',
      { 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': String(SECONDS - 90) },
      [{ remaining: 0, resetMs: 0, limit: null }],
    ],
    ['no reset', { 'x-ratelimit-limit': '60', 'x-ratelimit-remaining': '0' }, []],
    [
      'a limit of nothing, which is none',
      { 'x-ratelimit-limit': '0', 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': '9' },
      [],
    ],
    ['words', { 'x-ratelimit-remaining': 'many', 'x-ratelimit-reset': 'soon' }, []],
  ])('%s', (_what, headers, hints) => {
    expect(parseRateHints(headers, NOW)).toEqual(hints);
  });
});

describe('slowing down', () => {
  const hint = (remaining: number, limit: number | null = 100, resetMs = 60_000): RateHint => ({
    remaining,
    resetMs,
    limit,
  });

  it.each<[string, RateHint[], number, unknown]>([
    ['plenty is left', [hint(26)], 0, null],
    ['a quarter is left: it is spread over the window', [hint(25)], 0, { kind: 'pace', everyMs: 2_400, forMs: 60_000 }],
    ['what is on its way counts as used', [hint(28)], 4, { kind: 'pace', everyMs: 2_500, forMs: 60_000 }],
    ['the whole is not known', [hint(60, null)], 0, { kind: 'pace', everyMs: 1_000, forMs: 60_000 }],
    ['nothing is left', [hint(0)], 0, { kind: 'pause', ms: 60_000 }],
    ['all that is left is on its way', [hint(2)], 2, { kind: 'pause', ms: 60_000 }],
    [
      'no wait of minutes between two',
      [hint(1, 100, 3_600_000)],
      0,
      { kind: 'pace', everyMs: 30_000, forMs: 3_600_000 },
    ],
    [
      'the tightest of several counts',
      [hint(20), hint(5), hint(90)],
      0,
      { kind: 'pace', everyMs: 12_000, forMs: 60_000 },
    ],
    ['a pause is tighter than any pace', [hint(0, 100, 10), hint(1, 100, 3_600_000)], 0, { kind: 'pause', ms: 10 }],
  ])('%s', (_because, hints, underWay, slowdown) => {
    expect(computeSlowdown(hints, underWay)).toEqual(slowdown);
  });
});

describe('the wait that a refusal asks for', () => {
  it.each([
    [{ 'retry-after': '7', 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': '99' }, 7_000],
    [{ 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': '99' }, 99_000],
    [{ ratelimit: '"second";r=0;t=1, "hour";r=0;t=600, "day";r=7;t=9000' }, 600_000],
    [{ 'x-ratelimit-remaining': '3', 'x-ratelimit-reset': '99' }, null],
    [{}, null],
  ])('%j is %j', (headers, ms) => {
    expect(computeAskedWait(headers as Record<string, string>, NOW)).toBe(ms);
  });
});
