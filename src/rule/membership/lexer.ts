import type { Position } from '../../text-error.ts';
import { RuleError } from './error.ts';

type TokenKind = 'word' | 'operator' | 'text' | 'literal' | 'symbol' | 'end';

export interface Token {
  readonly kind: TokenKind;
  /** A word or literal as written, an operator without its hyphen, a text without quotes and escapes. */
  readonly value: string;
  /** 0-based offsets into the source. */
  readonly start: number;
  readonly end: number;
}

const BLANK = /\s*/y;
const WORD = /[\p{L}_$][\p{L}\p{N}_.$]*/uy;
/** Documentation prints some operators with a dash that is no hyphen; whoever copies them means the operator. */
const OPERATOR = /[-\u2010-\u2015\u2212](\p{L}+)/uy;
/** Numbers and dates. */
const LITERAL = /-?\d[\d\p{L}:.+-]*/uy;
const SYMBOL = /[()[\],]/y;
const LINE_BREAK = /\r\n|\r|\n/g;

/** Reads the token at or after `offset`. Throws RuleError. */
export function readToken(source: string, offset: number): Token {
  const start = offset + (match(BLANK, source, offset)?.[0].length ?? 0);
  if (start >= source.length) return { kind: 'end', value: '', start, end: start };
  const first = source[start];
  if (first === '"') return readDoubleQuoted(source, start);
  if (first === '`') return readBareQuoted(source, start);
  if (first === "'") return readSingleQuoted(source, start);
  return (
    simpleToken('operator', OPERATOR, source, start) ??
    simpleToken('literal', LITERAL, source, start) ??
    simpleToken('word', WORD, source, start) ??
    simpleToken('symbol', SYMBOL, source, start) ??
    refuseCharacter(source, start)
  );
}

/** Line and column of the text between two offsets. */
export function positionOf(source: string, start: number, end: number): Position {
  const starts = [0, ...source.matchAll(LINE_BREAK).map((hit) => hit.index + hit[0].length)];
  const line = starts.findLastIndex((offset) => offset <= start) + 1;
  return { line, column: start - (starts[line - 1] ?? 0) + 1, length: end - start };
}

function match(pattern: RegExp, source: string, offset: number): RegExpExecArray | null {
  pattern.lastIndex = offset;
  return pattern.exec(source);
}

function simpleToken(kind: TokenKind, pattern: RegExp, source: string, start: number): Token | undefined {
  const found = match(pattern, source, start);
  return found === null ? undefined : { kind, value: found[1] ?? found[0], start, end: start + found[0].length };
}

/** `"…"` with each quote inside of it escaped by a backtick. */
function readDoubleQuoted(source: string, start: number): Token {
  let value = '';
  for (let index = start + 1; index < source.length; index += 1) {
    const isEscaped = isEscapedQuote(source, index);
    if (isEscaped) index += 1;
    else if (source[index] === '"') return { kind: 'text', value, start, end: index + 1 };
    value += source[index];
  }
  throw new RuleError('the text is not closed with "', positionOf(source, start, start + 1));
}

/**
 * The documentation also writes a value that begins and ends with a quote without the outer pair, `` `"Sales`" ``: then
 * the quotes are part of the value.
 */
function readBareQuoted(source: string, start: number): Token {
  if (!isEscapedQuote(source, start)) {
    throw new RuleError('a backtick stands before a quote only: `"', positionOf(source, start, start + 1));
  }
  for (let index = start + 2; index < source.length; index += 1) {
    if (!isEscapedQuote(source, index)) continue;
    return { kind: 'text', value: `"${source.slice(start + 2, index)}"`, start, end: index + 2 };
  }
  throw new RuleError('the text is not closed with `"', positionOf(source, start, start + 1));
}

function isEscapedQuote(source: string, index: number): boolean {
  return source[index] === '`' && source[index + 1] === '"';
}

/** `'…'` with each quote inside of it doubled. */
function readSingleQuoted(source: string, start: number): Token {
  let value = '';
  for (let index = start + 1; index < source.length; index += 1) {
    if (source[index] === "'") {
      if (source[index + 1] !== "'") return { kind: 'text', value, start, end: index + 1 };
      index += 1;
    }
    value += source[index];
  }
  throw new RuleError("the text is not closed with '", positionOf(source, start, start + 1));
}

function refuseCharacter(source: string, start: number): never {
  const character = String.fromCodePoint(source.codePointAt(start) ?? 0);
  const hint = /[\u2018-\u201f]/.test(character) ? '; texts stand between plain quotes: "Sales"' : '';
  throw new RuleError(
    `unexpected ${JSON.stringify(character)}${hint}`,
    positionOf(source, start, start + character.length),
  );
}
