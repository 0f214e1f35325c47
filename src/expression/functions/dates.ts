import type { CallNode } from '../ast.ts';
import { DateTime } from '../dates/date-time.ts';
import { FormatError, formatDate, formatProblem } from '../dates/format.ts';
import { type BlankStyle, readDate } from '../dates/read.ts';
import {
  bigIntegerOf,
  dateOf,
  type Environment,
  evaluateArgument,
  integerOf,
  isNullOrEmpty,
  recordError,
  type Thunk,
  textOf,
  toWholeNumber,
  type Value,
} from '../values.ts';
import { constantAt, type FunctionDefinition, isGiven, type Parameter } from './definition.ts';

const TICKS_PER_SECOND = 10_000_000n;
/** What Active Directory writes for an account that never expires. */
const NEVER = 9_223_372_036_854_775_807n;
const YEARS = 'a date between the years 1 and 9999';

/** Seconds of an interval of fixed length; months for the others. */
const INTERVALS: ReadonlyMap<string, { readonly seconds?: number; readonly months?: number }> = new Map([
  ['yyyy', { months: 12 }],
  ['m', { months: 1 }],
  ['ww', { seconds: 604_800 }],
  ['d', { seconds: 86_400 }],
  ['h', { seconds: 3600 }],
  ['n', { seconds: 60 }],
  ['s', { seconds: 1 }],
]);

const INTERVAL_NAMES = '"yyyy", "m", "ww", "d", "h", "n" (minute) or "s"';

const INTERVAL: Parameter = {
  name: 'interval',
  type: 'String',
  checkConstant: (constant) =>
    INTERVALS.has(constant) ? undefined : `must be ${INTERVAL_NAMES}, but is ${JSON.stringify(constant)}`,
};

/** Dates, all in UTC, in alphabetical order. */
export const DATE_FUNCTIONS: readonly FunctionDefinition[] = [
  {
    name: 'CDate',
    parameters: [{ name: 'expression', type: 'DateTime' }],
    result: 'DateTime',
    description: 'The date that a text says; [which texts](#dates). One without an offset is UTC.',
    example: 'CDate("2026-03-16-07:00")',
    gives: '3/16/2026 7:00:00 AM',
    evaluate: (args, environment) => dateOf(args[0], environment),
  },
  {
    name: 'DateAdd',
    parameters: [INTERVAL, { name: 'value', type: 'Integer' }, { name: 'dateTime', type: 'DateTime' }],
    result: 'DateTime',
    description:
      'dateTime and so many intervals more; a negative value goes back. Intervals: `yyyy` `m` `ww` `d` `h` `n` (minute) `s`. The 31st becomes the last day of a shorter month.',
    example: 'DateAdd("m", 1, "2026-01-31")',
    gives: '2/28/2026 12:00:00 AM',
    evaluate: (args, environment) => {
      const date = dateOf(args[2], environment);
      return date === null ? null : addTo(date, args, environment);
    },
  },
  {
    name: 'DateDiff',
    parameters: [INTERVAL, { name: 'date1', type: 'DateTime' }, { name: 'date2', type: 'DateTime' }],
    result: 'Integer',
    description:
      'How many intervals date2 is later than date1: whole days, hours, minutes or seconds that passed; months and years of the calendar; Sundays for `ww`.',
    example: 'DateDiff("d", "2026-03-01", "2026-03-31")',
    gives: '30',
    evaluate: (args, environment) => {
      const [first, second] = [dateOf(args[1], environment), dateOf(args[2], environment)];
      return first === null || second === null ? null : diff(intervalOf(args[0], environment), first, second);
    },
  },
  {
    name: 'DateFromNum',
    parameters: [{ name: 'value', type: 'Integer' }],
    result: 'DateTime',
    description:
      'The date of a Windows file time (units of 100 nanoseconds since 1601). Absent for 9223372036854775807, which is "never" in Active Directory.',
    example: 'DateFromNum(129699324000000000)',
    gives: '1/1/2012 11:00:00 PM',
    evaluate: (args, environment) => {
      if (isNullOrEmpty(evaluateArgument(args[0], environment))) return null;
      const value = bigIntegerOf(args[0], environment);
      return value === NEVER ? null : within(DateTime.fromFileTime(value), 'DateFromNum');
    },
  },
  {
    name: 'FormatDateTime',
    parameters: [
      { name: 'source', type: 'String' },
      { name: 'dateTimeStyles', type: 'String', optional: true },
      { name: 'inputFormat', type: 'String' },
      { name: 'outputFormat', type: 'String', optional: true },
    ],
    result: 'String',
    description:
      "A date from one form into another, both written as [.NET's format strings](#dates). With three arguments they are source, inputFormat and outputFormat.",
    example: 'FormatDateTime([hireDate], , "yyyy-MM-dd", "dd MMM yyyy")',
    gives: '01 Mar 2025',
    check: checkFormats,
    evaluate: formatDateTime,
  },
  {
    name: 'Now',
    parameters: [],
    result: 'DateTime',
    description: 'The moment at which the run began, in UTC.',
    example: 'DateDiff("yyyy", [hireDate], Now())',
    gives: '1',
    evaluate: (_, environment) => within(DateTime.from(environment.now.getTime()), 'Now'),
  },
  {
    name: 'NumFromDate',
    parameters: [{ name: 'value', type: 'DateTime' }],
    result: 'Integer',
    description: 'The Windows file time of a date.',
    example: 'NumFromDate("2012-01-01T23:00:00Z")',
    gives: '129699324000000000',
    evaluate: (args, environment) => {
      const date = dateOf(args[0], environment);
      return date === null ? null : toWholeNumber(date.fileTime);
    },
  },
];

function within(date: DateTime | undefined, name: string): DateTime {
  if (date === undefined) throw recordError(`the result of ${name}`, YEARS);
  return date;
}

function intervalOf(argument: Thunk | undefined, environment: Environment): string {
  const interval = textOf(argument, environment) ?? '';
  if (!INTERVALS.has(interval)) throw recordError(argument?.label ?? '', INTERVAL_NAMES);
  return interval;
}

function addTo(date: DateTime, args: readonly (Thunk | undefined)[], environment: Environment): DateTime {
  const { months = 0, seconds = 0 } = INTERVALS.get(intervalOf(args[0], environment)) ?? {};
  const count = integerOf(args[1], environment);
  if (months === 0) return within(DateTime.from(date.ms + seconds * 1000 * count, date.ticks, date.isUtc), 'DateAdd');
  const at = new Date(date.ms);
  const day = at.getUTCDate();
  at.setUTCDate(1);
  at.setUTCMonth(at.getUTCMonth() + months * count);
  const last = new Date(at.getTime());
  last.setUTCMonth(last.getUTCMonth() + 1, 0);
  at.setUTCDate(Math.min(day, last.getUTCDate()));
  return within(DateTime.from(at.getTime(), date.ticks, date.isUtc), 'DateAdd');
}

const DAY_MS = 86_400_000;
/** The first of January 1970 was a Thursday. */
const DAYS_SINCE_SUNDAY = 4;

function diff(interval: string, first: DateTime, second: DateTime): number {
  if (interval === 'ww') {
    const week = ({ ms }: DateTime) => Math.floor((Math.floor(ms / DAY_MS) + DAYS_SINCE_SUNDAY) / 7);
    return week(second) - week(first);
  }
  const { months, seconds = 1 } = INTERVALS.get(interval) ?? {};
  if (months === undefined) {
    return Number((second.fileTime - first.fileTime) / (BigInt(seconds) * TICKS_PER_SECOND));
  }
  const [from, to] = [first.parts, second.parts];
  const years = to.year - from.year;
  return months === 1 ? years * 12 + to.month - from.month : years;
}

/** .NET's DateTimeStyles. Whether a zone is assumed makes no difference here: all is UTC. */
const STYLES: ReadonlyMap<string, Partial<BlankStyle>> = new Map([
  ['None', {}],
  ['AllowLeadingWhite', { leading: true }],
  ['AllowTrailingWhite', { trailing: true }],
  ['AllowInnerWhite', { inner: true }],
  ['AllowWhiteSpaces', { leading: true, trailing: true, inner: true }],
  ['NoCurrentDateDefault', {}],
  ['AdjustToUniversal', {}],
  ['AssumeLocal', {}],
  ['AssumeUniversal', {}],
  ['RoundtripKind', {}],
]);

interface Styles {
  readonly style: BlankStyle;
  /** A time without a date is one of the year 1 and not of today. */
  readonly isDateless: boolean;
}

const DEFAULT_STYLES: Styles = { style: { leading: true, trailing: true, inner: false }, isDateless: false };

/** Undefined for a list that names an unknown style. */
function toStyles(list: string): Styles | undefined {
  const names = list.split(',').map((name) => name.trim());
  const styles = names.map((name) => STYLES.get(name));
  if (styles.includes(undefined)) return undefined;
  const style = Object.assign({ leading: false, trailing: false, inner: false }, ...styles) as BlankStyle;
  return { style, isDateless: names.includes('NoCurrentDateDefault') };
}

const STYLE_NAMES = `one or more of ${[...STYLES.keys()].join(', ')}`;

/** Cloud Sync writes three arguments, without the styles. */
function placesOf(count: number): { readonly styles: number | null; readonly input: number; readonly output: number } {
  return count === 3 ? { styles: null, input: 1, output: 2 } : { styles: 1, input: 2, output: 3 };
}

function checkFormats(call: CallNode): string | undefined {
  const { styles, input, output } = placesOf(call.arguments.length);
  if (!isGiven(call, input) || !isGiven(call, output)) return 'FormatDateTime needs inputFormat and outputFormat';
  const list = styles === null ? undefined : constantAt(call, styles);
  if (list !== undefined && toStyles(list) === undefined)
    return `FormatDateTime: dateTimeStyles must be ${STYLE_NAMES}`;
  for (const [name, index] of [['inputFormat', input] as const, ['outputFormat', output] as const]) {
    const problem = formatProblem(constantAt(call, index) ?? 'yyyy');
    if (problem !== undefined) return `FormatDateTime: ${name} ${problem}`;
  }
  return checkSource(
    call,
    constantAt(call, input),
    (list === undefined ? undefined : toStyles(list)) ?? DEFAULT_STYLES,
  );
}

/** A date as functions print it, and a constant, either is in the form of inputFormat or never will be. */
function checkSource(call: CallNode, format: string | undefined, styles: Styles): string | undefined {
  const source = constantAt(call, 0) ?? (isDate(call) ? '12/20/2026 11:00:00 PM' : undefined);
  if (format === undefined || source === undefined || read(source, format, { styles, now: new Date(0) }))
    return undefined;
  return constantAt(call, 0) === undefined
    ? 'FormatDateTime: source is printed as M/d/yyyy h:mm:ss tt, which inputFormat does not read'
    : `FormatDateTime: source ${JSON.stringify(source)} is not in the form ${format}`;
}

const GIVE_DATES: ReadonlySet<string> = new Set(['CDate', 'DateAdd', 'DateFromNum', 'Now']);

function isDate(call: CallNode): boolean {
  const [source] = call.arguments;
  return source?.kind === 'Call' && GIVE_DATES.has(source.name);
}

function read(text: string, format: string, { styles, now }: { styles: Styles; now: Date }): DateTime | undefined {
  const today = new Date(now.getTime());
  if (styles.isDateless) today.setUTCFullYear(1, 0, 1);
  return readDate(text, format, { style: styles.style, today });
}

function formatDateTime(args: readonly (Thunk | undefined)[], environment: Environment): Value {
  const source = textOf(args[0], environment);
  if (source === null || source === '') return null;
  const places = placesOf(args.length);
  const list = places.styles === null ? null : textOf(args[places.styles], environment);
  const styles = list === null ? DEFAULT_STYLES : toStyles(list);
  if (styles === undefined) throw recordError('FormatDateTime: dateTimeStyles', STYLE_NAMES);
  const input = textOf(args[places.input], environment) ?? '';
  try {
    const date = read(source, input, { styles, now: environment.now });
    if (date === undefined) throw recordError('FormatDateTime: source', `a date in the form ${input}`);
    return formatDate(date, textOf(args[places.output], environment) ?? '');
  } catch (error) {
    if (error instanceof FormatError)
      throw recordError('FormatDateTime: a format', error.message.replace(/^must /, 'a text that must '));
    throw error;
  }
}
