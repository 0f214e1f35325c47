import { describe, expect, it } from 'vitest';
import { formatDuration, parseDuration, tryParseDuration } from '../src/duration.ts';
import { SyncError } from '../src/errors.ts';

describe('parseDuration', () => {
  it.each([
    ['0', 0],
    ['0s', 0],
    ['500ms', 500],
    ['30s', 30_000],
    ['40m', 2_400_000],
    ['1h30m', 5_400_000],
    ['1.5h', 5_400_000],
    ['720h', 2_592_000_000],
    ['1h1m1s1ms', 3_661_001],
    ['876000h', 3_153_600_000_000],
  ])('%s', (text, ms) => {
    expect(parseDuration(text)).toBe(ms);
  });

  it.each([
    '',
    ' ',
    '5',
    'm',
    '40 m',
    '40 minutes',
    '1d',
    '-5s',
    '+5s',
    '1h 30m',
    '1e3s',
    '.5s',
    '5.s',
    '876001h',
    '1H',
    '5s\n',
  ])('refuses %j', (text) => {
    expect(tryParseDuration(text)).toBeNull();
    expect(() => parseDuration(text)).toThrow(
      new SyncError('Invalid', `"${text}" is no duration; write for example 30s, 40m or 1h30m`),
    );
  });

  it('refuses a text that would take long to look at', () => {
    expect(tryParseDuration(`${'1h'.repeat(100_000)}x`)).toBeNull();
  });
});

describe('formatDuration', () => {
  it.each([0, 1, 999, 1000, 61_000, 5_400_000, 86_400_000, 2_592_000_001])(
    'writes %d so that it is read back',
    (ms) => {
      expect(parseDuration(formatDuration(ms))).toBe(ms);
    },
  );

  it('is short', () => {
    expect(formatDuration(5_400_000)).toBe('1h30m');
    expect(formatDuration(0)).toBe('0s');
  });
});
