/** .NET's custom and standard date format strings: how they are cut into parts, and how a date is written with them. */
import type { DateTime } from './date-time.ts';
import { MONTHS, WEEKDAYS } from './names.ts';

/** A specifier such as `yyyy`, or text that stands as it is. */
export type FormatPart = { readonly letter: string; readonly count: number } | { readonly text: string };

/** The standard formats of one letter, in the invariant culture. */
const STANDARD: Readonly<Record<string, string>> = {
  d: 'MM/dd/yyyy',
  D: 'dddd, dd MMMM yyyy',
  f: 'dddd, dd MMMM yyyy HH:mm',
  F: 'dddd, dd MMMM yyyy HH:mm:ss',
  g: 'MM/dd/yyyy HH:mm',
  G: 'MM/dd/yyyy HH:mm:ss',
  m: 'MMMM dd',
  M: 'MMMM dd',
  o: "yyyy-MM-dd'T'HH:mm:ss.fffffffK",
  O: "yyyy-MM-dd'T'HH:mm:ss.fffffffK",
  r: "ddd, dd MMM yyyy HH:mm:ss 'GMT'",
  R: "ddd, dd MMM yyyy HH:mm:ss 'GMT'",
  s: "yyyy-MM-dd'T'HH:mm:ss",
  t: 'HH:mm',
  T: 'HH:mm:ss',
  u: "yyyy-MM-dd HH:mm:ss'Z'",
  U: 'dddd, dd MMMM yyyy HH:mm:ss',
  y: 'yyyy MMMM',
  Y: 'yyyy MMMM',
};

const SPECIFIERS = 'dfFgHhKMmstyz';
const MOST_DIGITS: Readonly<Record<string, number>> = { f: 7, F: 7 };

/** What a text is wrong about as a format; undefined when nothing is. */
export function formatProblem(format: string): string | undefined {
  try {
    toFormatParts(format);
    return undefined;
  } catch (error) {
    if (error instanceof FormatError) return error.message;
    throw error;
  }
}

/** The text is no format. */
export class FormatError extends Error {}

/** Cuts a format into its parts. Throws FormatError. */
export function toFormatParts(format: string): readonly FormatPart[] {
  if (format === '') throw new FormatError('must not be empty');
  if (format.length === 1) {
    const standard = STANDARD[format];
    if (standard === undefined) {
      throw new FormatError(`must have more than the letter "${format}"; one specifier alone is written "%${format}"`);
    }
    return toFormatParts(standard);
  }
  const parts: FormatPart[] = [];
  for (let at = 0; at < format.length; ) at = readPart(format, at, parts);
  return parts;
}

function readPart(format: string, at: number, parts: FormatPart[]): number {
  const letter = format[at] ?? '';
  if (letter === "'" || letter === '"') return readQuoted(format, at, parts);
  if (letter === '\\' || letter === '%') return readEscaped(format, at, parts);
  if (SPECIFIERS.includes(letter)) return readSpecifier(format, at, parts);
  parts.push({ text: letter });
  return at + 1;
}

function readQuoted(format: string, at: number, parts: FormatPart[]): number {
  const quote = format[at] ?? '';
  const end = format.indexOf(quote, at + 1);
  if (end < 0) throw new FormatError(`must close the quote ${quote}`);
  parts.push({ text: format.slice(at + 1, end) });
  return end + 1;
}

/** A percent sign only keeps one specifier from being a standard format. */
function readEscaped(format: string, at: number, parts: FormatPart[]): number {
  const next = format[at + 1];
  if (next === undefined || next === '%') throw new FormatError(`must have something after ${format[at]}`);
  if (format[at] === '%') return at + 1;
  parts.push({ text: next });
  return at + 2;
}

function readSpecifier(format: string, at: number, parts: FormatPart[]): number {
  const letter = format[at] ?? '';
  let end = at + 1;
  while (format[end] === letter) end += 1;
  if (end - at > (MOST_DIGITS[letter] ?? Infinity)) throw new FormatError(`must not have more than seven "${letter}"`);
  parts.push({ letter, count: end - at });
  return end;
}

/** Writes a date, which is always UTC. Throws FormatError. */
export function formatDate(date: DateTime, format: string): string {
  return toFormatParts(format).reduce((out, part, index, parts) => {
    if ('text' in part) return out + part.text;
    const written = writePart(date, part.letter, part.count);
    // Digits that are dropped because they are zero take the point before them along.
    const dropsPoint = part.letter === 'F' && written === '' && isPoint(parts[index - 1]);
    return dropsPoint ? out.slice(0, -1) : out + written;
  }, '');
}

function isPoint(part: FormatPart | undefined): boolean {
  return part !== undefined && 'text' in part && part.text === '.';
}

type Write = (date: DateTime, count: number) => string;

const number = (value: number, count: number) => String(value).padStart(Math.min(count, 2), '0');

const WRITERS: Readonly<Record<string, Write>> = {
  y: ({ parts: { year } }, count) => {
    return count < 3 ? number(year % 100, count) : String(year).padStart(count, '0');
  },
  M: ({ parts: { month } }, count) => (count < 3 ? number(month, count) : named(MONTHS[month - 1], count)),
  d: (date, count) => {
    return count < 3 ? number(date.parts.day, count) : named(WEEKDAYS[new Date(date.ms).getUTCDay()], count);
  },
  H: ({ parts: { hour } }, count) => number(hour, count),
  h: ({ parts: { hour } }, count) => number(hour % 12 || 12, count),
  m: ({ parts: { minute } }, count) => number(minute, count),
  s: ({ parts: { second } }, count) => number(second, count),
  f: ({ parts: { fraction } }, count) => String(fraction).padStart(7, '0').slice(0, count),
  F: ({ parts: { fraction } }, count) => String(fraction).padStart(7, '0').slice(0, count).replace(/0+$/, ''),
  t: ({ parts: { hour } }, count) => (hour < 12 ? 'AM' : 'PM').slice(0, Math.min(count, 2)),
  g: () => 'A.D.',
  K: ({ isUtc }, count) => (isUtc ? 'Z'.repeat(count) : ''),
  z: (_, count) => (count > 2 ? '+00:00' : `+${'0'.repeat(count)}`),
};

function writePart(date: DateTime, letter: string, count: number): string {
  return WRITERS[letter]?.(date, count) ?? '';
}

function named(name = '', count = 0): string {
  return count === 3 ? name.slice(0, 3) : name;
}
