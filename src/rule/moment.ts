/** Moments as conditions write them. Time comes in as an argument: a run has one `now` for everybody. */
import { tryParseDuration } from '../duration.ts';

const DATE_TIME = /^(\d{4}-\d{2}-\d{2})(?:[Tt ](\d{2}:\d{2}(?::\d{2}(?:\.\d{1,9})?)?)([Zz]|[-+]\d{2}:\d{2}))?$/;
const RELATIVE = /^now(?:([-+])(\S+))?$/;

/** An RFC 3339 date-time, or a date (midnight UTC), as milliseconds of the epoch; null for anything else. */
export function parseDateTime(text: string): number | null {
  const match = DATE_TIME.exec(text);
  if (match === null) return null;
  const [, day = '', time = '00:00:00', offset = 'Z'] = match;
  const at = new Date(`${day}T${time}${offset.toUpperCase()}`).getTime();
  const midnight = new Date(`${day}T00:00:00Z`);
  // The Date constructor turns the 30th of February into March: a date that does not print as itself is none.
  if (Number.isNaN(at) || Number.isNaN(midnight.getTime()) || !midnight.toISOString().startsWith(day)) return null;
  return at;
}

/** The same, or `now` with a duration before or after it, such as `now-720h`; null for anything else. */
export function parseMoment(text: string): ((now: Date) => number) | null {
  const relative = RELATIVE.exec(text);
  if (relative === null) {
    const fixed = parseDateTime(text);
    return fixed === null ? null : () => fixed;
  }
  const [, sign, duration] = relative;
  const offset = duration === undefined ? 0 : tryParseDuration(duration);
  if (offset === null) return null;
  return (now) => now.getTime() + (sign === '-' ? -offset : offset);
}
