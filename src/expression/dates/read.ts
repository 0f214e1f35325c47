/** Reading a date by a .NET format string. */
import { type DateParts, DateTime } from './date-time.ts';
import { type FormatPart, toFormatParts } from './format.ts';
import { MONTHS, WEEKDAYS } from './names.ts';
import { toHour, toOffset } from './parse.ts';

/** Where blanks that the format does not have may stand in the text. */
export interface BlankStyle {
  readonly leading: boolean;
  readonly trailing: boolean;
  readonly inner: boolean;
}

interface Reading {
  readonly text: string;
  readonly style: BlankStyle;
  at: number;
  readonly fields: Map<keyof DateParts | 'twelve', number>;
  meridiem: string | undefined;
  weekday: number | undefined;
  offset: number | null;
}

/**
 * The date that a text says by this format; undefined when it does not keep to it. Where the format has no date, `today`
 * gives one. Throws FormatError for a format that is none.
 */
export function readDate(
  text: string,
  format: string,
  { style, today }: { style: BlankStyle; today: Date },
): DateTime | undefined {
  const start = style.leading ? text.trimStart() : text;
  const reading: Reading = {
    text: style.trailing ? start.trimEnd() : start,
    style,
    at: 0,
    fields: new Map(),
    meridiem: undefined,
    weekday: undefined,
    offset: null,
  };
  const parts = toFormatParts(format);
  for (let index = 0; index < parts.length; index += 1) {
    const [part, next] = [parts[index], parts[index + 1]];
    if (part === undefined) break;
    if (style.inner) skipBlanks(reading);
    if (readPart(reading, part)) continue;
    // A point before digits that may be left out may be left out with them.
    if (!isText(part, '.') || next === undefined || !('letter' in next) || next.letter !== 'F') return undefined;
    index += 1;
  }
  if (style.inner) skipBlanks(reading);
  return reading.at === reading.text.length ? toDate(reading, today) : undefined;
}

function isText(part: FormatPart, text: string): boolean {
  return 'text' in part && part.text === text;
}

function skipBlanks(reading: Reading): void {
  while (/\s/.test(reading.text[reading.at] ?? '')) reading.at += 1;
}

function readPart(reading: Reading, part: FormatPart): boolean {
  if ('text' in part) {
    const wanted = reading.style.inner ? part.text.trim() : part.text;
    if (!reading.text.startsWith(wanted, reading.at)) return false;
    reading.at += wanted.length;
    return true;
  }
  return READERS[part.letter]?.(reading, part.count) ?? false;
}

type Read = (reading: Reading, count: number) => boolean;

const READERS: Readonly<Record<string, Read>> = {
  y: (reading, count) => {
    const year = digits(reading, count < 3 ? [count, 2] : [count, count]);
    if (year === undefined) return false;
    // .NET's window for years of two digits: 1950 to 2049.
    const century = year < 50 ? 2000 : 1900;
    return put(reading, 'year', count < 3 ? century + year : year);
  },
  M: (reading, count) => (count < 3 ? field(reading, 'month', count) : month(reading, count)),
  d: (reading, count) => (count < 3 ? field(reading, 'day', count) : weekday(reading, count)),
  H: (reading, count) => field(reading, 'hour', count),
  h: (reading, count) => {
    reading.fields.set('twelve', 1);
    return field(reading, 'hour', count);
  },
  m: (reading, count) => field(reading, 'minute', count),
  s: (reading, count) => field(reading, 'second', count),
  f: (reading, count) => fraction(reading, [count, count]),
  F: (reading, count) => fraction(reading, [0, count]),
  t: (reading, count) => {
    reading.meridiem = match(reading, count === 1 ? /[AP]/iy : /[AP]M/iy);
    return reading.meridiem !== undefined;
  },
  g: (reading) => match(reading, /A\.?D\.?/iy) !== undefined,
  K: (reading) => {
    reading.offset = toOffset(match(reading, /Z|[+-]\d{2}:?\d{2}/y));
    return true;
  },
  z: (reading, count) => {
    const zone = match(reading, count > 2 ? /[+-]\d{2}:?\d{2}/y : /[+-]\d{1,2}/y);
    if (zone === undefined) return false;
    reading.offset = toOffset(count > 2 ? zone : `${zone[0]}${zone.slice(1).padStart(2, '0')}00`);
    return true;
  },
};

function match(reading: Reading, pattern: RegExp): string | undefined {
  pattern.lastIndex = reading.at;
  const found = pattern.exec(reading.text)?.[0];
  reading.at += found?.length ?? 0;
  return found;
}

function digits(reading: Reading, [least, most]: readonly [number, number]): number | undefined {
  const found = match(reading, new RegExp(`\\d{${least},${most}}`, 'y'));
  return found === undefined ? undefined : Number(found);
}

/** A field is said once; said twice it must be the same. */
function put(reading: Reading, name: keyof DateParts, value: number): boolean {
  const before = reading.fields.get(name);
  reading.fields.set(name, value);
  return before === undefined || before === value;
}

function field(reading: Reading, name: keyof DateParts, count: number): boolean {
  const value = digits(reading, [Math.min(count, 2), 2]);
  return value !== undefined && put(reading, name, value);
}

function fraction(reading: Reading, [least, most]: readonly [number, number]): boolean {
  const found = match(reading, new RegExp(`\\d{${least},${most}}`, 'y'));
  return found !== undefined && put(reading, 'fraction', Number(found.padEnd(7, '0')));
}

function month(reading: Reading, count: number): boolean {
  const index = name(reading, MONTHS, count);
  return index >= 0 && put(reading, 'month', index + 1);
}

function weekday(reading: Reading, count: number): boolean {
  const index = name(reading, WEEKDAYS, count);
  reading.weekday = index;
  return index >= 0;
}

function name(reading: Reading, names: readonly string[], count: number): number {
  const rest = reading.text.slice(reading.at).toLowerCase();
  const written = names.map((each) => (count === 3 ? each.slice(0, 3) : each));
  const index = written.findIndex((each) => rest.startsWith(each.toLowerCase()));
  reading.at += written[index]?.length ?? 0;
  return index;
}

function toDate({ fields, meridiem, weekday: day, offset }: Reading, today: Date): DateTime | undefined {
  const hasDate = fields.has('year') || fields.has('month') || fields.has('day');
  const get = (key: keyof DateParts, otherwise: number) => fields.get(key) ?? otherwise;
  // With h and without tt .NET takes the morning.
  const half = fields.has('twelve') ? (meridiem ?? 'AM') : undefined;
  const hour = half === undefined ? halfless(get('hour', 0), meridiem) : toHour(get('hour', 0), half);
  if (hour === undefined) return undefined;
  const parts: DateParts = {
    year: get('year', today.getUTCFullYear()),
    month: get('month', hasDate ? 1 : today.getUTCMonth() + 1),
    day: get('day', hasDate ? 1 : today.getUTCDate()),
    hour,
    minute: get('minute', 0),
    second: get('second', 0),
    fraction: get('fraction', 0),
  };
  const written = DateTime.fromParts(parts, null);
  if (day !== undefined && written !== undefined && new Date(written.ms).getUTCDay() !== day) return undefined;
  return DateTime.fromParts(parts, offset);
}

/** An hour of 24 with AM or PM beside it, which must agree. */
function halfless(hour: number, meridiem: string | undefined): number | undefined {
  if (meridiem === undefined) return hour;
  return /^p/i.test(meridiem) === hour >= 12 ? hour : undefined;
}
