import type { Position } from '../text-error.ts';
import { ExpressionError } from './error.ts';

type TokenKind = 'name' | 'attribute' | 'text' | 'number' | 'symbol' | 'end';

export interface Token {
  readonly kind: TokenKind;
  /** The decoded content: a name, an attribute's raw name, a text without quotes and escapes, a symbol. */
  readonly value: string;
  /** 0-based offsets into the source. */
  readonly start: number;
  readonly end: number;
}

const BLANK = /\s*/y;
const NAME = /[A-Za-z_][A-Za-z0-9_]*/y;
const NUMBER = /-?\d+(?:\.\d+)?|&[Hh][0-9A-Fa-f]+/y;
const SYMBOL = /<>|>=|<=|[=<>(),]/y;
const BRACKETS: ReadonlyMap<string | undefined, number> = new Map([
  ['[', 1],
  [']', -1],
]);
const LINE_BREAK = /\r\n|\r|\n/g;

/**
 * Reads the token at or after `offset`. Tokens are read one at a time, so that the parser reports the leftmost error
 * whatever its kind. Throws ExpressionError.
 */
export function readToken(source: string, offset: number): Token {
  const start = offset + (match(BLANK, source, offset)?.length ?? 0);
  if (start >= source.length) return { kind: 'end', value: '', start, end: start };
  const first = source[start];
  if (first === '"') return readText(source, start);
  if (first === '[') return readAttribute(source, start);
  return (
    simpleToken('name', NAME, source, start) ??
    simpleToken('number', NUMBER, source, start) ??
    simpleToken('symbol', SYMBOL, source, start) ??
    refuseCharacter(source, start)
  );
}

/** The offset at which each line begins; never empty. */
export function lineStartsOf(source: string): number[] {
  return [0, ...source.matchAll(LINE_BREAK).map((hit) => hit.index + hit[0].length)];
}

/** Line and column of the text between two offsets. */
export function positionOf(source: string, start: number, end: number): Position {
  const starts = lineStartsOf(source);
  const line = starts.findLastIndex((offset) => offset <= start) + 1;
  return { line, column: start - (starts[line - 1] ?? 0) + 1, length: end - start };
}

/**
 * The offset after the quoted text that begins at `start`, or undefined when no quote closes it. A backslash protects a
 * quote or a backslash and is an ordinary character before anything else, so that `"\+"` may be written for `"\\+"`.
 */
export function endOfText(source: string, start: number): number | undefined {
  for (let index = start + 1; index < source.length; index += 1) {
    const character = source[index];
    if (character === '"') return index + 1;
    if (character === '\\' && (source[index + 1] === '"' || source[index + 1] === '\\')) index += 1;
  }
  return undefined;
}

/** The value of a quoted text, quotes included in the argument. */
export function decodeText(quoted: string): string {
  return quoted.slice(1, -1).replace(/\\(["\\])/g, '$1');
}

function match(pattern: RegExp, source: string, offset: number): string | undefined {
  pattern.lastIndex = offset;
  return pattern.exec(source)?.[0];
}

function simpleToken(kind: TokenKind, pattern: RegExp, source: string, start: number): Token | undefined {
  const value = match(pattern, source, start);
  return value === undefined ? undefined : { kind, value, start, end: start + value.length };
}

function readText(source: string, start: number): Token {
  const end = endOfText(source, start);
  if (end === undefined)
    throw new ExpressionError('the text is not closed with "', positionOf(source, start, start + 1));
  return { kind: 'text', value: decodeText(source.slice(start, end)), start, end };
}

/**
 * An attribute reference ends at the bracket that balances its first one, so that a path with an index or a selector
 * can stand in it: `[phones[type eq "work"].value]`. `["a.b"]` is short for `[["a.b"]]`.
 */
function readAttribute(source: string, start: number): Token {
  const end = endOfAttribute(source, start);
  if (end === undefined) {
    throw new ExpressionError('the attribute is not closed with "]"', positionOf(source, start, start + 1));
  }
  const name = source.slice(start + 1, end - 1);
  if (name.trim() === '') {
    throw new ExpressionError('the attribute has no name', positionOf(source, start, end));
  }
  return { kind: 'attribute', value: name.startsWith('"') ? `[${name}]` : name, start, end };
}

function endOfAttribute(source: string, start: number): number | undefined {
  let depth = 1;
  for (let index = start + 1; index < source.length && depth > 0; index += 1) {
    const character = source[index];
    if (character === '\n' || character === '\r') return undefined;
    if (character === '"' && (depth > 1 || index === start + 1)) {
      index = (endOfText(source, index) ?? source.length) - 1;
    } else {
      depth += BRACKETS.get(character) ?? 0;
    }
    if (depth === 0) return index + 1;
  }
  return undefined;
}

function refuseCharacter(source: string, start: number): never {
  const character = String.fromCodePoint(source.codePointAt(start) ?? 0);
  const hint = CHARACTER_HINTS.get(character) ?? '';
  throw new ExpressionError(
    `unexpected character ${JSON.stringify(character)}${hint}`,
    positionOf(source, start, start + character.length),
  );
}

const QUOTE_HINT = '; texts stand in straight double quotes';

/** What people paste from word processors and from other dialects of the language. */
const CHARACTER_HINTS: ReadonlyMap<string, string> = new Map([
  ['“', QUOTE_HINT],
  ['”', QUOTE_HINT],
  ['„', QUOTE_HINT],
  ["'", QUOTE_HINT],
  ['&', '; use Join("", …) or Append to put texts together'],
  ['+', '; use Join("", …) or Append to put texts together'],
  [']', '; no "[" is open'],
]);
