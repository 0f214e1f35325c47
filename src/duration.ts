/** Durations in Go's style, as Kubernetes users write them: `40m`, `1h30m`, `500ms`. */
import { SyncError } from './errors.ts';

const UNIT_MS: Readonly<Record<string, number>> = { h: 3_600_000, m: 60_000, s: 1000, ms: 1 };

/** `0`, or numbers with units. Seven digits keep every value inside what Go's parser (64-bit nanoseconds) takes. */
export const DURATION_PATTERN = '^(0|([0-9]{1,7}(\\.[0-9]{1,3})?(ms|s|m|h))+)$';
export const DURATION_MAX_LENGTH = 24;

const LONGEST_MS = 876_000 * 3_600_000;
const WHOLE = new RegExp(DURATION_PATTERN);

/** Milliseconds, or null for a text that is no duration or one longer than a hundred years. */
export function tryParseDuration(text: string): number | null {
  if (text.length > DURATION_MAX_LENGTH || !WHOLE.test(text)) return null;
  let total = 0;
  for (const [, amount, unit] of text.matchAll(/([0-9.]+)(ms|s|m|h)/g)) {
    total += Number(amount) * (UNIT_MS[unit ?? ''] ?? 0);
  }
  return total <= LONGEST_MS ? Math.round(total) : null;
}

/**
 * Milliseconds of a duration such as `40m`, `1h30m`, `1.5h`, `500ms` or `0`.
 * @throws SyncError `Invalid` for anything else: no sign, no spaces, no days, at most 876000h (a hundred years)
 */
export function parseDuration(text: string): number {
  const ms = tryParseDuration(text);
  if (ms === null) throw new SyncError('Invalid', `"${text}" is no duration; write for example 30s, 40m or 1h30m`);
  return ms;
}

/** The shortest text that `parseDuration` reads back as the same whole number of milliseconds: `5400000` → `1h30m`. */
export function formatDuration(ms: number): string {
  let rest = Math.max(0, Math.round(ms));
  let text = '';
  for (const [unit, size] of Object.entries(UNIT_MS)) {
    const count = Math.floor(rest / size);
    rest -= count * size;
    if (count > 0) text += `${count}${unit}`;
  }
  return text === '' ? '0s' : text;
}
