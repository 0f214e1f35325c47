/** Characters and classes of .NET patterns, written as RE2 understands them. */
import { PatternError } from './error.ts';

/** A place in a pattern that is read from left to right. */
export interface Reader {
  readonly text: string;
  /** 0-based. */
  at: number;
}

/** What `\w`, `\d` and `\s` stand for in .NET: Unicode categories, where RE2 itself looks at ASCII only. */
const WORD = String.raw`\p{L}\p{Mn}\p{Nd}\p{Pc}`;
const NO_WORD = String.raw`\p{Mc}\p{Me}\p{Nl}\p{No}\p{Pd}\p{Ps}\p{Pe}\p{Pi}\p{Pf}\p{Po}\p{S}\p{Z}\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Cn}`;
const SPACE = String.raw`\x{9}-\x{D}\x{20}\x{85}\x{A0}\x{1680}\x{2000}-\x{200A}\x{2028}\x{2029}\x{202F}\x{205F}\x{3000}`;
const NO_SPACE = String.raw`\x{0}-\x{8}\x{E}-\x{1F}\x{21}-\x{84}\x{86}-\x{9F}\x{A1}-\x{167F}\x{1681}-\x{1FFF}\x{200B}-\x{2027}\x{202A}-\x{202E}\x{2030}-\x{205E}\x{2060}-\x{2FFF}\x{3001}-\x{10FFFF}`;

const SHORTHANDS: Readonly<Record<string, string>> = {
  d: String.raw`\p{Nd}`,
  D: String.raw`\P{Nd}`,
  w: WORD,
  W: NO_WORD,
  s: SPACE,
  S: NO_SPACE,
};

const CATEGORIES: ReadonlySet<string> = new Set(
  'L Lu Ll Lt Lm Lo M Mn Mc Me N Nd Nl No P Pc Pd Ps Pe Pi Pf Po S Sm Sc Sk So Z Zs Zl Zp C Cc Cf Cs Co Cn'.split(' '),
);

/** The named blocks of .NET that stand for letters and marks; the others can be written as a range. */
const BLOCKS: Readonly<Record<string, readonly [first: number, last: number]>> = {
  IsBasicLatin: [0x0, 0x7f],
  'IsLatin-1Supplement': [0x80, 0xff],
  'IsLatinExtended-A': [0x100, 0x17f],
  'IsLatinExtended-B': [0x180, 0x24f],
  IsCombiningDiacriticalMarks: [0x300, 0x36f],
  IsGreek: [0x370, 0x3ff],
  IsGreekandCoptic: [0x370, 0x3ff],
  IsCyrillic: [0x400, 0x4ff],
  IsHebrew: [0x590, 0x5ff],
  IsArabic: [0x600, 0x6ff],
  IsLatinExtendedAdditional: [0x1e00, 0x1eff],
  IsGeneralPunctuation: [0x2000, 0x206f],
  IsHiragana: [0x3040, 0x309f],
  IsKatakana: [0x30a0, 0x30ff],
  IsCJKUnifiedIdeographs: [0x4e00, 0x9fff],
  IsHangulSyllables: [0xac00, 0xd7af],
};

const CONTROLS: Readonly<Record<string, number>> = { a: 7, e: 27, f: 12, n: 10, r: 13, t: 9, v: 11 };
const OCTAL = /[0-7]{1,3}/y;
const HEXADECIMAL = { x: /[0-9A-Fa-f]{2}/y, u: /[0-9A-Fa-f]{4}/y } as const;

/** A code point as RE2 writes it, so that it is never taken for an operator. */
export function toLiteral(codePoint: number): string {
  return `\\x{${codePoint.toString(16).toUpperCase()}}`;
}

/** What stands in a class: a set such as `\d`, or one code point. */
type Item = { readonly set: string } | { readonly codePoint: number };

/** Reads `\d` and the like, `\p{…}`, or an escaped character after its backslash. */
export function readEscape(reader: Reader): Item {
  const start = reader.at;
  const letter = reader.text[start + 1];
  if (letter === undefined) throw new PatternError('the pattern ends with a backslash', start + 1);
  const set = SHORTHANDS[letter];
  if (set !== undefined) {
    reader.at += 2;
    return { set };
  }
  if (letter === 'p' || letter === 'P') return { set: readCategory(reader, letter === 'P') };
  return { codePoint: readEscapedCharacter(reader, letter) };
}

function readCategory(reader: Reader, isNegated: boolean): string {
  const end = reader.text.indexOf('}', reader.at);
  const name = reader.text[reader.at + 2] === '{' && end >= 0 ? reader.text.slice(reader.at + 3, end) : '';
  const block = BLOCKS[name];
  if (block === undefined && !CATEGORIES.has(name)) {
    throw new PatternError(
      'a category is written as \\p{L}, \\p{Lu} and so on; blocks that are not known here as a range like [\\u0370-\\u03FF]',
      reader.at + 1,
    );
  }
  reader.at = end + 1;
  if (block === undefined) return `\\${isNegated ? 'P' : 'p'}{${name}}`;
  const [first, last] = block;
  if (!isNegated) return range(first, last);
  return `${first === 0 ? '' : range(0, first - 1)}${range(last + 1, 0x10ffff)}`;
}

function range(first: number, last: number): string {
  return `${toLiteral(first)}-${toLiteral(last)}`;
}

function readEscapedCharacter(reader: Reader, letter: string): number {
  const control = CONTROLS[letter];
  if (control !== undefined) {
    reader.at += 2;
    return control;
  }
  if (letter === 'x' || letter === 'u') return readHexadecimal(reader, letter);
  if (letter === 'c') return readControl(reader);
  if (letter === '0') {
    OCTAL.lastIndex = reader.at + 1;
    const digits = OCTAL.exec(reader.text)?.[0] ?? '0';
    reader.at += 1 + digits.length;
    return Number.parseInt(digits, 8) & 0xff;
  }
  if (/\w/.test(letter)) throw new PatternError(`the escape \\${letter} is not known`, reader.at + 1);
  reader.at += 1;
  return readCodePoint(reader);
}

function readHexadecimal(reader: Reader, letter: 'x' | 'u'): number {
  const high = hexadecimalAt(reader, letter);
  const isPair = letter === 'u' && high >= 0xd800 && high <= 0xdbff;
  if (!isPair || !/^\\u[dD][c-fC-F]/.test(reader.text.slice(reader.at, reader.at + 4))) return high;
  return ((high - 0xd800) << 10) + (hexadecimalAt(reader, 'u') - 0xdc00) + 0x10000;
}

function hexadecimalAt(reader: Reader, letter: 'x' | 'u'): number {
  const pattern = HEXADECIMAL[letter];
  pattern.lastIndex = reader.at + 2;
  const digits = pattern.exec(reader.text)?.[0];
  if (digits === undefined) {
    throw new PatternError(`\\${letter} needs ${letter === 'x' ? 2 : 4} hexadecimal digits`, reader.at + 1);
  }
  reader.at += 2 + digits.length;
  return Number.parseInt(digits, 16);
}

function readControl(reader: Reader): number {
  const letter = reader.text[reader.at + 2]?.toUpperCase() ?? '';
  if (!/^[@-_]$/.test(letter)) throw new PatternError('\\c needs a letter', reader.at + 1);
  reader.at += 3;
  return letter.charCodeAt(0) - 64;
}

/** Reads one character, which is two UTF-16 units outside of the basic plane. */
export function readCodePoint(reader: Reader): number {
  const codePoint = reader.text.codePointAt(reader.at) ?? 0;
  reader.at += codePoint > 0xffff ? 2 : 1;
  return codePoint;
}

/** Reads `[…]` and gives the same class for RE2. */
export function readClass(reader: Reader): string {
  const start = reader.at;
  reader.at += 1;
  let out = '[';
  if (reader.text[reader.at] === '^') {
    out += '^';
    reader.at += 1;
  }
  for (let isFirst = true; ; isFirst = false) {
    const character = reader.text[reader.at];
    if (character === undefined) throw new PatternError('the class is not closed with "]"', start + 1);
    if (character === ']' && !isFirst) break;
    if (character === '-' && reader.text[reader.at + 1] === '[' && !isFirst) {
      throw new PatternError(
        'one class cannot be subtracted from another; write the characters that stay',
        reader.at + 1,
      );
    }
    out += readClassItem(reader);
  }
  reader.at += 1;
  return `${out}]`;
}

function readClassItem(reader: Reader): string {
  const start = reader.at;
  const first = readOne(reader);
  if ('set' in first) return first.set;
  const next = reader.text[reader.at + 1];
  if (reader.text[reader.at] !== '-' || next === undefined || next === ']' || next === '[') {
    return toLiteral(first.codePoint);
  }
  reader.at += 1;
  const last = readOne(reader);
  if ('set' in last) throw new PatternError('a range ends with one character', start + 1);
  if (last.codePoint < first.codePoint) throw new PatternError('the range runs backwards', start + 1);
  return range(first.codePoint, last.codePoint);
}

function readOne(reader: Reader): Item {
  if (reader.text[reader.at] !== '\\') return { codePoint: readCodePoint(reader) };
  // In a class \b is the backspace, and a digit is octal as there is nothing to refer back to.
  if (reader.text[reader.at + 1] === 'b') {
    reader.at += 2;
    return { codePoint: 8 };
  }
  return readEscape(reader);
}
