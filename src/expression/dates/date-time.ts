/** A moment as .NET's DateTime keeps it: in units of 100 nanoseconds, from the year 1 to the year 9999. */

const TICKS_PER_MS = 10_000n;
/** Milliseconds from 1970 back to 1601, where Windows file times begin. */
const FILE_TIME_EPOCH_MS = Date.UTC(1601, 0, 1);
const FIRST = -62_135_596_800_000;
const LAST = 253_402_300_799_999;

/** The fields of a moment in UTC. */
export interface DateParts {
  readonly year: number;
  /** 1 to 12. */
  readonly month: number;
  readonly day: number;
  readonly hour: number;
  readonly minute: number;
  readonly second: number;
  /** Units of 100 nanoseconds after the second, 0 to 9,999,999. */
  readonly fraction: number;
}

export class DateTime {
  /** Milliseconds since 1970 in UTC, whole. */
  readonly ms: number;
  /** Units of 100 nanoseconds after the millisecond, 0 to 9999. */
  readonly ticks: number;
  /** Whether the text that it came from named a zone; one without counts as UTC all the same. */
  readonly isUtc: boolean;

  private constructor(ms: number, ticks: number, isUtc: boolean) {
    this.ms = ms;
    this.ticks = ticks;
    this.isUtc = isUtc;
  }

  /** Undefined outside of the years 1 to 9999. */
  static from(ms: number, ticks = 0, isUtc = true): DateTime | undefined {
    return ms >= FIRST && ms <= LAST ? new DateTime(ms, ticks, isUtc) : undefined;
  }

  /** Undefined for a day or hour that does not exist, such as the 30th of February. */
  static fromParts(parts: DateParts, offsetMinutes: number | null): DateTime | undefined {
    const { year, month, day, hour, minute, second, fraction } = parts;
    const date = new Date(0);
    date.setUTCFullYear(year, month - 1, day);
    if (date.getUTCFullYear() !== year || date.getUTCMonth() !== month - 1 || date.getUTCDate() !== day)
      return undefined;
    if (hour > 23 || minute > 59 || second > 59) return undefined;
    const time = ((hour * 60 + minute - (offsetMinutes ?? 0)) * 60 + second) * 1000 + Math.floor(fraction / 10_000);
    return DateTime.from(date.getTime() + time, fraction % 10_000, offsetMinutes !== null);
  }

  /** From a Windows file time: units of 100 nanoseconds since 1601. */
  static fromFileTime(value: bigint): DateTime | undefined {
    const ticks = ((value % TICKS_PER_MS) + TICKS_PER_MS) % TICKS_PER_MS;
    return DateTime.from(Number((value - ticks) / TICKS_PER_MS) + FILE_TIME_EPOCH_MS, Number(ticks));
  }

  get fileTime(): bigint {
    return BigInt(this.ms - FILE_TIME_EPOCH_MS) * TICKS_PER_MS + BigInt(this.ticks);
  }

  get parts(): DateParts {
    const date = new Date(this.ms);
    return {
      year: date.getUTCFullYear(),
      month: date.getUTCMonth() + 1,
      day: date.getUTCDate(),
      hour: date.getUTCHours(),
      minute: date.getUTCMinutes(),
      second: date.getUTCSeconds(),
      fraction: date.getUTCMilliseconds() * 10_000 + this.ticks,
    };
  }

  /** `3/16/2020 7:00:00 AM`, the form in which dates are printed. */
  toString(): string {
    const { year, month, day, hour, minute, second } = this.parts;
    const two = (value: number) => String(value).padStart(2, '0');
    const clock = `${hour % 12 || 12}:${two(minute)}:${two(second)} ${hour < 12 ? 'AM' : 'PM'}`;
    return `${month}/${day}/${String(year).padStart(4, '0')} ${clock}`;
  }

  /** `2020-03-16T07:00:00.000Z`, the form in which targets take dates. */
  toJSON(): string {
    return new Date(this.ms).toISOString();
  }
}
