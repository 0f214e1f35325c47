/** Dates as people and directories write them, where no format says how. */
import { DateTime } from './date-time.ts';
import { MONTHS } from './names.ts';

const TIME = String.raw`(?<hour>\d{1,2}):(?<minute>\d{2})(?::(?<second>\d{2})(?:\.(?<fraction>\d{1,9}))?)?`;
const ZONE = String.raw`(?:\s*(?<zone>[Zz]|GMT|UTC|[+-]\d{2}:?\d{2}))?`;
const MERIDIEM = String.raw`(?:\s*(?<meridiem>[AaPp][Mm]))?`;
const WEEKDAY = String.raw`(?:[A-Za-z]{3,9},?\s+)?`;
const WITH_TIME = `(?:[Tt ,]\\s*${TIME}${MERIDIEM})?${ZONE}`;

const FORMS: readonly RegExp[] = [
  String.raw`(?<year>\d{4})-(?<month>\d{1,2})-(?<day>\d{1,2})`,
  String.raw`(?<year>\d{4})/(?<month>\d{1,2})/(?<day>\d{1,2})`,
  String.raw`(?<month>\d{1,2})/(?<day>\d{1,2})/(?<year>\d{4})`,
  String.raw`${WEEKDAY}(?<day>\d{1,2})[ -](?<name>[A-Za-z]{3,9}),?[ -](?<year>\d{4})`,
  String.raw`${WEEKDAY}(?<name>[A-Za-z]{3,9})\s+(?<day>\d{1,2}),?\s+(?<year>\d{4})`,
].map((date) => new RegExp(`^\\s*${date}${WITH_TIME}\\s*$`));

/** What a message says is expected. */
export const DATE_FORMS = 'a date such as 2026-03-01, 2026-03-01T09:00:00Z or 3/1/2026 9:00:00 AM';

/**
 * Reads ISO 8601 with or without a time and an offset, `M/d/yyyy` and named months, the latter two with a time of 12 or 24
 * hours. Without an offset it is UTC. Undefined for anything else.
 */
export function parseDate(text: string): DateTime | undefined {
  for (const form of FORMS) {
    const groups = form.exec(text)?.groups;
    if (groups !== undefined) return toDate(groups);
  }
  return undefined;
}

function toDate(groups: Readonly<Record<string, string | undefined>>): DateTime | undefined {
  const number = (name: string) => Number(groups[name] ?? 0);
  const month = groups['name'] === undefined ? number('month') : monthOf(groups['name']);
  const hour = toHour(number('hour'), groups['meridiem']);
  if (month === undefined || hour === undefined) return undefined;
  const fraction = Number((groups['fraction'] ?? '').slice(0, 7).padEnd(7, '0'));
  const parts = { year: number('year'), day: number('day'), minute: number('minute'), second: number('second') };
  return DateTime.fromParts({ ...parts, month, hour, fraction }, toOffset(groups['zone']));
}

function monthOf(name: string): number | undefined {
  const wanted = name.toLowerCase();
  const index = MONTHS.findIndex((month) => {
    const full = month.toLowerCase();
    return full === wanted || full.slice(0, 3) === wanted;
  });
  return index < 0 ? undefined : index + 1;
}

/** Of 24 hours; undefined for an hour that the clock of twelve does not have. */
export function toHour(hour: number, meridiem: string | undefined): number | undefined {
  if (meridiem === undefined) return hour;
  if (hour > 12) return undefined;
  return (hour % 12) + (/^p/i.test(meridiem) ? 12 : 0);
}

/** Minutes east of UTC; null where no zone is named. */
export function toOffset(zone: string | undefined): number | null {
  if (zone === undefined) return null;
  const match = /^([+-])(\d{2}):?(\d{2})$/.exec(zone);
  if (match === null) return 0;
  return (match[1] === '-' ? -1 : 1) * (Number(match[2]) * 60 + Number(match[3]));
}
