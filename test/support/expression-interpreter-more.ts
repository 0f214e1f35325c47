import type { Environment } from '../../src/expression/values.ts';
import type { Json } from '../../src/model.ts';
import type { Args, Interpretation, Naive } from './expression-interpreter.ts';

/** What the interpretations of the core are made of. */
export interface Tools {
  readonly any: (argument: Args[number] | undefined, environment: Environment) => Naive;
  readonly text: (argument: Args[number] | undefined, environment: Environment) => string | null;
  readonly plain: (value: Naive) => string | null;
  readonly one: (value: Naive) => Exclude<Naive, readonly Json[]>;
  readonly whole: (value: Naive) => number;
  readonly truth: (value: Naive) => boolean;
  /** Ends the evaluation: one record fails. */
  readonly fail: () => never;
  /** Ends the evaluation: nothing flows. */
  readonly skip: () => never;
}

const DAY = 86_400_000;
const UNITS: Readonly<Record<string, number>> = { ww: 7 * DAY, d: DAY, h: 3_600_000, n: 60_000, s: 1000 };
const FILE_TIME = 11_644_473_600_000n;
const LETTERS = 'ÀàÉéÎîÕõÜüÑñçßø';
const PLAIN = ['A', 'a', 'E', 'e', 'I', 'i', 'O', 'o', 'U', 'u', 'N', 'n', 'c', 'ss', 'oe'];

/** `3/16/2026 7:00:00 AM` */
export function printDate(date: Date): string {
  const [hour, two] = [date.getUTCHours(), (value: number) => `${value < 10 ? '0' : ''}${value}`];
  const day = `${date.getUTCMonth() + 1}/${date.getUTCDate()}/${String(date.getUTCFullYear()).padStart(4, '0')}`;
  const clock = `${((hour + 11) % 12) + 1}:${two(date.getUTCMinutes())}:${two(date.getUTCSeconds())}`;
  return `${day} ${clock} ${hour >= 12 ? 'PM' : 'AM'}`;
}

/** Date.UTC takes the year 1 for 1901. */
function utc(year: number, month: number, day: number): number {
  return new Date(0).setUTCFullYear(year, month, day);
}

/** Only the forms that random expressions have. */
export function readDate(text: string): Date | null {
  const iso = /^\d{4}-\d\d-\d\d(T\d\d:\d\d:\d\dZ)?$/.test(text) ? new Date(text) : null;
  if (iso !== null) return !Number.isNaN(iso.getTime()) && iso.toISOString().startsWith(text.slice(0, 10)) ? iso : null;
  const found = /^(\d+)\/(\d+)\/(\d{4}) (\d+):(\d\d):(\d\d) ([AP]M)$/.exec(text);
  if (found === null) return null;
  const [month = 0, day = 0, year = 0, hour = 0, minute = 0, second = 0] = found.slice(1, 7).map(Number);
  const half = found[7] === 'PM' ? 12 : 0;
  return new Date(utc(year, month - 1, day) + (((hour % 12) + half) * 60 + minute) * 60_000 + second * 1000);
}

export function createMoreInterpretations(tools: Tools): Readonly<Record<string, Interpretation>> {
  const { any, text, plain, one, whole, truth, fail, skip } = tools;
  const values = (value: Naive): Json[] => {
    if (Array.isArray(value)) return value as Json[];
    if (value instanceof Date) return [printDate(value)];
    return value === null ? [] : [value as Json];
  };
  const date = (value: Naive): Date | null => {
    const single = one(value);
    if (single === null || single === '') return null;
    if (single instanceof Date) return single;
    return (typeof single === 'string' ? readDate(single) : null) ?? fail();
  };
  const big = (value: Naive): bigint => {
    const found = one(value);
    if (typeof found === 'number' && Number.isInteger(found)) return BigInt(found);
    return typeof found === 'string' && /^\s*[+-]?\d+\s*$/.test(found) ? BigInt(found.trim()) : fail();
  };
  const digits = (value: bigint): number | string => {
    return value === BigInt(Number(value)) && Number.isSafeInteger(Number(value)) ? Number(value) : String(value);
  };
  const bounded = (at: number): Date => {
    const found = new Date(at);
    const year = found.getUTCFullYear();
    return Number.isNaN(year) || year < 1 || year > 9999 ? fail() : found;
  };
  const isGiven = (argument: Args[number] | undefined) => argument !== undefined && argument.kind !== 'Empty';
  const letter = (before: string, after: string) => (before.length === after.length ? after : before);
  return {
    PCase: (args, env) => {
      const ends = isGiven(args[1]) ? / / : /[\p{Z}\p{Cc}\p{Cf}\p{P}\p{S}]/u;
      const letters = [...(text(args[0], env) ?? '')];
      // A capital that has no small letter of one character's capital, as of Greek titles, stays as it is in front.
      const words = letters.map((one, at) =>
        !ends.test(one) && ends.test(letters[at - 1] ?? ' ')
          ? letter(one, one.toUpperCase())
          : letter(one, one.toLowerCase()),
      );
      return text(args[0], env) === null ? null : words.join('');
    },
    SelectUniqueValue: (args, env) => {
      const all = args.map((arg) => text(arg, env)).filter((value) => value !== null && value !== '');
      return all.length === 0 ? null : [...new Set(all)];
    },
    Replace: (args, env) => {
      const source = text(args[0], env);
      const pattern = text(args[2], env) ?? '';
      const other = isGiven(args[5]);
      if (other && !source) return new RegExp(pattern, 'u').exec(text(args[5], env) ?? '')?.groups?.['g'] ?? null;
      if (other || source === null) return source;
      const put = text(args[4], env) ?? '';
      const inMatch = (whole: string, group: unknown) =>
        typeof group === 'string' ? whole.replace(group, () => put) : whole;
      return source.replace(new RegExp(pattern, 'gu'), isGiven(args[3]) ? inMatch : () => put);
    },
    Len: (args, env) => [...(text(args[0], env) ?? '')].length,
    InStr: (args, env) => {
      const [source, wanted] = [text(args[0], env), text(args[1], env)];
      const start = args[2] === undefined || args[2].kind === 'Empty' ? 1 : whole(any(args[2], env));
      if (start < 1) fail();
      if (source === null || wanted === null) return 0;
      const lower = args[3]?.kind === 'Keyword' && args[3].name === 'vbTextCompare';
      const fold = (one: string) => (lower && one.toLowerCase().length === one.length ? one.toLowerCase() : one);
      const [all, part] = [[...source].map(fold), [...wanted].map(fold).join('')];
      for (let at = start - 1; at <= all.length - [...wanted].length; at += 1) {
        if (all.slice(at, at + [...wanted].length).join('') === part) return at + 1;
      }
      return 0;
    },
    Word: (args, env) => {
      const source = text(args[0], env);
      if (source === null) return '';
      const number = whole(any(args[1], env));
      const ends = [...(text(args[2], env) ?? '')];
      const words = ends.reduce((all, end) => all.flatMap((word) => word.split(end)), [source]);
      return words.filter((word) => word !== '')[number - 1] ?? '';
    },
    Trim: (args, env) => {
      const value = any(args[0], env);
      return Array.isArray(value) ? value.map((item) => plain(item)?.trim() ?? null) : (plain(value)?.trim() ?? null);
    },
    NormalizeDiacritics: (args, env) => {
      return text(args[0], env)?.replace(/./gsu, (one) => PLAIN[LETTERS.indexOf(one)] ?? one) ?? null;
    },
    CStr: (args, env) => text(args[0], env),
    IsString: (args, env) => {
      const value = any(args[0], env);
      const single = Array.isArray(value) && value.length === 1 ? (value[0] as Json) : value;
      return single instanceof Date || (single !== null && typeof single !== 'object');
    },
    CBool: (args, env) => truth(any(args[0], env)),
    Count: (args, env) => values(any(args[0], env)).length,
    Item: (args, env) => {
      const all = values(any(args[0], env));
      const number = whole(any(args[1], env));
      return number < 1 || number > all.length ? fail() : (all[number - 1] ?? null);
    },
    RemoveDuplicates: (args, env) => {
      const all = values(any(args[0], env)).map((value) => JSON.stringify(value));
      return [...new Set(all)].map((value) => JSON.parse(value) as Json);
    },
    BitAnd: (args, env) => digits(big(any(args[0], env)) & big(any(args[1], env))),
    ConvertToBase64: (args, env) => {
      const source = text(args[0], env);
      if (source === null) return null;
      const bytes = Array.from(source, (_, index) => source.charCodeAt(index));
      const units = source.split('').map((unit) => unit.charCodeAt(0));
      return btoa(
        (bytes.length === units.length ? bytes : units)
          .flatMap((unit) => [unit & 255, unit >> 8])
          .map((byte) => String.fromCharCode(byte))
          .join(''),
      );
    },
    ConvertToUTF8Hex: (args, env) => {
      const source = text(args[0], env);
      if (source === null) return null;
      return [...new TextEncoder().encode(source)]
        .map((byte) => (byte + 256).toString(16).slice(1).toUpperCase())
        .join('');
    },
    IgnoreFlowIfNullOrEmpty: (args, env) => {
      const value = any(args[0], env);
      return value === null || value === '' || (Array.isArray(value) && value.length === 0) ? skip() : value;
    },
    Redact: (args, env) => any(args[0], env),
    Now: (_, env) => env.now,
    DefaultDomain: (_, env) => env.context.defaultDomain ?? fail(),
    Error: (args, env) => {
      text(args[0], env);
      return fail();
    },
    CDate: (args, env) => date(any(args[0], env)),
    DateAdd: (args, env) => {
      const start = date(any(args[2], env));
      if (start === null) return null;
      const interval = text(args[0], env) ?? '';
      const count = whole(any(args[1], env));
      const unit = UNITS[interval];
      if (unit !== undefined) return bounded(start.getTime() + unit * count);
      const months = start.getUTCFullYear() * 12 + start.getUTCMonth() + count * (interval === 'm' ? 1 : 12);
      const [year, month] = [Math.floor(months / 12), ((months % 12) + 12) % 12];
      const last = [
        31,
        year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0) ? 29 : 28,
        31,
        30,
        31,
        30,
        31,
        31,
        30,
        31,
        30,
        31,
      ];
      const day = Math.min(start.getUTCDate(), last[month] ?? 0);
      return bounded(utc(year, month, day) + (start.getTime() - Math.floor(start.getTime() / DAY) * DAY));
    },
    DateDiff: (args, env) => {
      const [first, second] = [date(any(args[1], env)), date(any(args[2], env))];
      if (first === null || second === null) return null;
      const interval = text(args[0], env) ?? '';
      const months = (at: Date) => at.getUTCFullYear() * 12 + at.getUTCMonth();
      if (interval === 'yyyy') return second.getUTCFullYear() - first.getUTCFullYear();
      if (interval === 'm') return months(second) - months(first);
      // From a Sunday.
      const sunday = Date.UTC(2000, 0, 2);
      const weeks = (at: Date) => Math.floor((at.getTime() - sunday) / (7 * DAY));
      if (interval === 'ww') return weeks(second) - weeks(first);
      return Math.trunc((second.getTime() - first.getTime()) / (UNITS[interval] ?? 1)) + 0;
    },
    DateFromNum: (args, env) => {
      const value = any(args[0], env);
      if (value === null || value === '' || (Array.isArray(value) && value.length === 0)) return null;
      const ms = big(value) / 10_000n;
      return big(value) === 9_223_372_036_854_775_807n ? null : bounded(Number(ms - FILE_TIME));
    },
    NumFromDate: (args, env) => {
      const found = date(any(args[0], env));
      return found === null ? null : digits((BigInt(found.getTime()) + FILE_TIME) * 10_000n);
    },
    FormatDateTime: (args, env) => {
      const source = text(args[0], env);
      if (source === null || source === '') return null;
      const found = /^\s*(\d{4})-(\d\d)-(\d\d)\s*$/.exec(source);
      const at = found === null ? null : readDate(source.trim());
      return at === null || at.getUTCDate() !== Number(found?.[3])
        ? fail()
        : `${found?.[3]}.${found?.[2]}.${found?.[1]}`;
    },
    DNComponent: (args, env) => {
      const dn = text(args[0], env);
      if (dn === null) return null;
      const number = whole(any(args[1], env));
      const parts =
        dn === '' ? [] : dn.split(',').map((part) => /^\s*[^=;+\\]+=([^=;+\\]*)$/.exec(part)?.[1] ?? fail());
      return parts[number - 1]?.trim() ?? null;
    },
  };
}
