/**
 * From a .NET regular expression to one of RE2. Groups become numbered ones, in the order of their parentheses; what
 * RE2 cannot do in linear time is refused with its place.
 */
import { type Reader, readClass, readCodePoint, readEscape, toLiteral } from './characters.ts';
import { PatternError } from './error.ts';

/** A pattern for RE2, and the name of each capturing group of it; null for one without a name. */
export interface Translation {
  readonly text: string;
  readonly groups: readonly (string | null)[];
}

interface Options {
  /** `n`: only named groups capture. */
  readonly explicitCapture: boolean;
  /** `x`: blanks and `#` comments do not count. */
  readonly ignoreBlanks: boolean;
}

interface Translator extends Reader {
  out: string;
  options: Options;
  /** The options outside of each group that is open, and where it was opened. */
  readonly open: { readonly options: Options; readonly at: number }[];
  readonly groups: (string | null)[];
  /** What a quantifier would apply to. */
  last: 'nothing' | 'atom' | 'quantified';
}

const QUANTIFIER = /[*+?]\??|\{(\d+)(,(\d*))?\}\??/y;
const NAMED = /\(\?(?:<([^>]*)>|'([^']*)')/y;
const INLINE_OPTIONS = /\(\?([imnsx]*)(-[imnsx]*)?([:)])/y;
const MOST_REPEATS = 1000;

/** Why a construct is refused. RE2 reads the text once; these need it to go back. */
const REFUSED: readonly (readonly [start: string, reason: string])[] = [
  ['(?=', 'lookahead is not supported: a pattern runs in linear time and cannot look ahead'],
  ['(?!', 'lookahead is not supported: a pattern runs in linear time and cannot look ahead'],
  ['(?<=', 'lookbehind is not supported: a pattern runs in linear time and cannot look back'],
  ['(?<!', 'lookbehind is not supported: a pattern runs in linear time and cannot look back'],
  ['(?>', 'atomic groups are not supported: a pattern runs in linear time, so there is nothing to cut off'],
  ['(?(', 'conditions in a pattern are not supported: they depend on what was found before'],
];

/** Throws PatternError. */
export function translatePattern(source: string): Translation {
  const translator: Translator = {
    text: source,
    at: 0,
    out: '',
    options: { explicitCapture: false, ignoreBlanks: false },
    open: [],
    groups: [],
    last: 'nothing',
  };
  while (translator.at < source.length) translateNext(translator);
  const unclosed = translator.open.at(-1);
  if (unclosed !== undefined) throw new PatternError('the group is not closed with ")"', unclosed.at + 1);
  return { text: translator.out, groups: translator.groups };
}

function translateNext(translator: Translator): void {
  const character = translator.text[translator.at] ?? '';
  const isBlank = translator.options.ignoreBlanks && /[\s#]/.test(character);
  const handler = isBlank ? skipBlank : (SPECIAL[character] ?? translateOther);
  handler(translator, character);
}

const writeAtom = (translator: Translator, character: string) => write(translator, character, 'atom');

const SPECIAL: Readonly<Record<string, (translator: Translator, character: string) => void>> = {
  '(': openGroup,
  ')': closeGroup,
  '[': (translator) => atom(translator, readClass(translator)),
  '\\': translateEscape,
  '|': (translator, character) => write(translator, character, 'nothing'),
  '.': writeAtom,
  '^': writeAtom,
  $: writeAtom,
};

function translateOther(translator: Translator): void {
  if (!quantify(translator)) atom(translator, toLiteral(readCodePoint(translator)));
}

function skipBlank(translator: Translator, character: string): void {
  const end = character === '#' ? translator.text.indexOf('\n', translator.at) : translator.at;
  translator.at = end < 0 ? translator.text.length : end + 1;
}

/** Of text that has been read already. */
function atom(translator: Translator, text: string): void {
  translator.out += text;
  translator.last = 'atom';
}

function write(translator: Translator, character: string, last: Translator['last']): void {
  translator.out += character;
  translator.at += 1;
  translator.last = last;
}

/** False where no quantifier stands: a brace that is none is an ordinary character. */
function quantify(translator: Translator): boolean {
  QUANTIFIER.lastIndex = translator.at;
  const match = QUANTIFIER.exec(translator.text);
  if (match === null) return false;
  const place = translator.at + 1;
  if (translator.last === 'nothing') throw new PatternError('there is nothing to repeat', place);
  if (translator.last === 'quantified') throw new PatternError('a repetition cannot be repeated; use (?:…)', place);
  const [text, least = '0', , most = ''] = match;
  if (Number(least) > MOST_REPEATS || Number(most) > MOST_REPEATS) {
    throw new PatternError(`at most ${MOST_REPEATS} repetitions are possible`, place);
  }
  if (most !== '' && Number(most) < Number(least)) throw new PatternError('the repetition runs backwards', place);
  translator.out += text;
  translator.at += text.length;
  translator.last = 'quantified';
  return true;
}

function translateEscape(translator: Translator): void {
  const letter = translator.text[translator.at + 1] ?? '';
  if (/[1-9k]/.test(letter)) {
    throw new PatternError(
      'back-references are not supported: a pattern runs in linear time and cannot compare with what it found before',
      translator.at + 1,
    );
  }
  if (letter === 'G') throw new PatternError('\\G is not supported', translator.at + 1);
  if (/[AbBzZ]/.test(letter)) {
    translator.out += letter === 'Z' ? '\\z' : `\\${letter}`;
    translator.at += 2;
    translator.last = 'atom';
    return;
  }
  const item = readEscape(translator);
  atom(translator, 'set' in item ? `[${item.set}]` : toLiteral(item.codePoint));
}

function openGroup(translator: Translator): void {
  const { text, at } = translator;
  if (text[at + 1] !== '?') openCapture(translator);
  else if (text[at + 2] === '#') skipComment(translator);
  else {
    const refused = REFUSED.find(([start]) => text.startsWith(start, at));
    if (refused !== undefined) throw new PatternError(refused[1], at + 1);
    NAMED.lastIndex = at;
    const named = NAMED.exec(text);
    if (named === null) applyOptions(translator);
    else {
      translator.groups.push(checkName(named[1] ?? named[2] ?? '', at));
      enter(translator, '(', at + named[0].length);
    }
  }
}

function openCapture(translator: Translator): void {
  const captures = !translator.options.explicitCapture;
  if (captures) translator.groups.push(null);
  enter(translator, captures ? '(' : '(?:', translator.at + 1);
}

function skipComment(translator: Translator): void {
  const end = translator.text.indexOf(')', translator.at);
  if (end < 0) throw new PatternError('the comment is not closed with ")"', translator.at + 1);
  translator.at = end + 1;
}

function checkName(name: string, at: number): string {
  if (/^[\p{L}_][\p{L}\p{Nd}_]*$/u.test(name)) return name;
  throw new PatternError(
    name.includes('-')
      ? 'balancing groups are not supported: they depend on what was found before'
      : 'the name of a group begins with a letter and has letters, digits and underscores',
    at + 1,
  );
}

function enter(translator: Translator, written: string, next: number): void {
  translator.open.push({ options: translator.options, at: translator.at });
  translator.out += written;
  translator.at = next;
  translator.last = 'nothing';
}

function closeGroup(translator: Translator): void {
  const group = translator.open.pop();
  if (group === undefined) throw new PatternError('")" without "("', translator.at + 1);
  translator.options = group.options;
  write(translator, ')', 'atom');
}

/** `(?i)` holds to the end of the group, `(?i:…)` inside of itself. RE2 has i, m and s; n and x end here. */
function applyOptions(translator: Translator): void {
  INLINE_OPTIONS.lastIndex = translator.at;
  const match = INLINE_OPTIONS.exec(translator.text);
  if (match === null) {
    throw new PatternError('"(?" begins no known group; a named one is written (?<name>…)', translator.at + 1);
  }
  const [, on = '', off = '', end] = match;
  const next = INLINE_OPTIONS.lastIndex;
  const outside = translator.options;
  const isOn = (letter: string, before: boolean) => (on.includes(letter) || before) && !off.includes(letter);
  const options = {
    explicitCapture: isOn('n', outside.explicitCapture),
    ignoreBlanks: isOn('x', outside.ignoreBlanks),
  };
  const left = [on, off].map((letters) => letters.replace(/[nx]/g, ''));
  const flags = `${left[0]}${(left[1]?.length ?? 0) > 1 ? left[1] : ''}`;
  if (end === ':') enter(translator, `(?${flags}:`, next);
  else {
    translator.out += flags === '' ? '' : `(?${flags})`;
    translator.at = next;
    translator.last = 'nothing';
  }
  translator.options = options;
}
