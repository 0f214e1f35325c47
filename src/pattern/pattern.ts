/**
 * Regular expressions that people write into expressions and rules: .NET's syntax, matched by RE2 in a time that grows
 * with the length of the text and never with what the pattern might try.
 */
import { RE2JS } from 're2js';
import { SyncError } from '../errors.ts';
import { PatternError } from './error.ts';
import { parseReplacement } from './replacement.ts';
import { translatePattern } from './translate.ts';

/** Where something was found, in UTF-16 units; `end` is behind the last one. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

export interface PatternMatch extends Span {
  /** By number (0 is the whole) or name; undefined when that group took no part. */
  group(key: number | string): Span | undefined;
}

/**
 * Counts the work. One step is one instruction of the compiled pattern looking at one character, and every search is
 * charged beforehand with the most that it can take: so the count is the same on every machine.
 */
export interface StepMeter {
  steps: number;
  readonly limit: number;
}

export interface CompiledPattern {
  readonly source: string;
  /** Each name once, in the order of the parentheses. */
  readonly groupNames: readonly string[];
  /** The most steps that one search takes for each character that it looks at. */
  readonly stepsPerCharacter: number;
  /** Whether the pattern is found anywhere in the text. `^` and `$` make it the whole. */
  isMatch(text: string, meter?: StepMeter): boolean;
  /** Every match from left to right, as .NET finds them. */
  findAll(text: string, meter?: StepMeter): PatternMatch[];
  /** The text with every match replaced; see parseReplacement for what `$` does. Throws when it grows beyond a megabyte. */
  replaceAll(text: string, replacement: string, meter?: StepMeter): string;
}

/** A second at the very worst: what needs more fails that one record. */
const MAX_STEPS = 10_000_000;

const MAX_RESULT = 1_048_576;

/** A pattern of more instructions is refused when it is loaded. */
export const MAX_PROGRAM = 5000;

/** A meter for one evaluation, or for several that share a budget. */
export function createStepMeter(limit: number = MAX_STEPS): StepMeter {
  return { steps: 0, limit };
}

/**
 * Compiles a .NET pattern; matching then throws SyncError `RecordInvalid` when a text would take too many steps.
 * Throws PatternError for what is wrong, or needs lookaround or back-references.
 */
export function compilePattern(source: string, options: { readonly ignoreCase?: boolean } = {}): CompiledPattern {
  const { text: translated, groups } = translatePattern(source);
  const engine = compileEngine(translated, options.ignoreCase === true ? RE2JS.CASE_INSENSITIVE : 0);
  const stepsPerCharacter = engine.programSize();
  if (stepsPerCharacter > MAX_PROGRAM) {
    throw new PatternError(`the pattern is too large: ${stepsPerCharacter} instructions, at most ${MAX_PROGRAM}`, 1);
  }
  const charge = (meter: StepMeter, length: number): void => {
    meter.steps += stepsPerCharacter * (length + 1);
    if (meter.steps > meter.limit) {
      throw new SyncError('RecordInvalid', `the pattern would take more than ${meter.limit} steps on this text`);
    }
  };
  const numbers = numberGroups(groups);
  const findAll = (text: string, meter: StepMeter = createStepMeter()): PatternMatch[] => {
    const found: PatternMatch[] = [];
    const matcher = engine.matcher(text);
    for (let at = 0; at <= text.length; ) {
      charge(meter, text.length - at);
      if (!matcher.find(at)) break;
      const spans = readSpans(matcher, groups.length);
      const [whole] = spans;
      if (whole === undefined) break;
      found.push({ ...whole, group: (key) => findSpan(spans, numbers.get(key)) });
      at = whole.end > whole.start ? whole.end : whole.end + (isPairAt(text, whole.end) ? 2 : 1);
    }
    return found;
  };
  return {
    source,
    groupNames: [...new Set(groups.filter((name) => name !== null))],
    stepsPerCharacter,
    isMatch: (text, meter = createStepMeter()) => {
      charge(meter, text.length);
      return engine.test(text);
    },
    findAll,
    replaceAll: (text, replacement, meter) => {
      const matches = findAll(text, meter);
      if (matches.length === 0) return text;
      const parts = parseReplacement(replacement, numbers);
      const out = new BoundedText();
      let at = 0;
      for (const match of matches) {
        out.add(text.slice(at, match.start));
        for (const part of parts) out.add(typeof part === 'string' ? part : part(text, match));
        at = match.end;
      }
      out.add(text.slice(at));
      return out.text;
    },
  };
}

/** A replacement such as `$_$_` could otherwise be made to fill the memory. */
class BoundedText {
  text = '';

  add(part: string): void {
    if (this.text.length + part.length > MAX_RESULT) {
      throw new SyncError(
        'RecordInvalid',
        `the text with the matches replaced is longer than ${MAX_RESULT} characters`,
      );
    }
    this.text += part;
  }
}

function compileEngine(translated: string, flags: number): RE2JS {
  try {
    return RE2JS.compile(translated, flags);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    const isRepeat = reason.includes('repeat count') || reason.includes('too large');
    throw new PatternError(
      isRepeat ? 'repetitions within repetitions multiply to more than 1000' : 'the pattern cannot be compiled',
      1,
    );
  }
}

/** .NET numbers the groups without a name first, then the named ones; groups of one name are one group. */
function numberGroups(groups: readonly (string | null)[]): Map<number | string, readonly number[]> {
  const numbers = new Map<number | string, readonly number[]>([[0, [0]]]);
  for (const [index, name] of groups.entries()) if (name === null) numbers.set(numbers.size, [index + 1]);
  const named = Map.groupBy(groups.entries(), ([, name]) => name);
  let next = numbers.size;
  for (const [name, members] of named) {
    if (name === null) continue;
    const indexes = members.map(([index]) => index + 1);
    numbers.set(next, indexes);
    numbers.set(name, indexes);
    next += 1;
  }
  return numbers;
}

function readSpans(matcher: ReturnType<RE2JS['matcher']>, count: number): (Span | undefined)[] {
  return Array.from({ length: count + 1 }, (_, index) => {
    const start = matcher.start(index);
    return start < 0 ? undefined : { start, end: matcher.end(index) };
  });
}

/** Of several groups with one name the one that matched last. */
function findSpan(spans: readonly (Span | undefined)[], indexes: readonly number[] = []): Span | undefined {
  let found: Span | undefined;
  for (const index of indexes) {
    const span = spans[index];
    if (span !== undefined && (found === undefined || span.start >= found.start)) found = span;
  }
  return found;
}

function isPairAt(text: string, index: number): boolean {
  return (text.codePointAt(index) ?? 0) > 0xffff;
}
