import type { Position } from '../text-error.ts';
import type { Argument, ComparisonOperator, Expression } from './ast.ts';
import { KEYWORDS } from './ast.ts';
import { ExpressionError } from './error.ts';
import { lineStartsOf, positionOf, readToken, type Token } from './lexer.ts';

/** Entra's own limit for one mapping expression. */
export const MAX_LENGTH = 10_000;

/** Calls within calls. Everything that walks a tree recurses, so the parser is where the stack is protected. */
export const MAX_DEPTH = 200;

const COMPARISONS: ReadonlySet<string> = new Set(['=', '<>', '>', '>=', '<', '<=']);
const LONGEST_QUOTE = 40;

interface Cursor {
  readonly source: string;
  readonly lineStarts: readonly number[];
  token: Token;
  /** 1-based line of `token`; it only grows, so positions cost nothing. */
  line: number;
}

/**
 * Parses one expression of Entra's mapping language: a function call, an `[attribute]` or a constant. Names of functions
 * and counts of arguments are not looked at; see checkExpression. Throws ExpressionError and nothing else.
 */
export function parseExpression(source: string): Expression {
  if (source.length > MAX_LENGTH) {
    throw new ExpressionError(
      `the expression has ${source.length} characters, at most ${MAX_LENGTH} are allowed`,
      positionOf(source, MAX_LENGTH, source.length),
    );
  }
  if (source.trim() === '') throw new ExpressionError('the expression is empty', positionOf(source, 0, 0));
  const cursor: Cursor = { source, lineStarts: lineStartsOf(source), token: readToken(source, 0), line: 1 };
  const expression = parseValue(cursor, 0);
  if (isComparison(cursor.token)) {
    throw new ExpressionError('a comparison can only stand inside a function, as in IIF', positionHere(cursor));
  }
  if (cursor.token.kind !== 'end') throw unexpected(cursor, 'the end');
  return expression;
}

function parseValue(cursor: Cursor, depth: number): Expression {
  const token = cursor.token;
  const position = positionHere(cursor);
  switch (token.kind) {
    case 'name':
      advance(cursor);
      return parseNamed(cursor, token.value, { position, depth });
    case 'attribute':
      advance(cursor);
      return { kind: 'Attribute', name: token.value, position };
    case 'text':
      advance(cursor);
      return { kind: 'Text', value: token.value, position };
    case 'number':
      advance(cursor);
      return { kind: 'Number', text: token.value, position };
    default:
      throw unexpected(cursor, 'a function, an [attribute], a "text" or a number');
  }
}

function parseNamed(cursor: Cursor, name: string, at: { position: Position; depth: number }): Expression {
  const { position, depth } = at;
  if (isSymbol(cursor.token, '(')) {
    if (depth >= MAX_DEPTH) {
      throw new ExpressionError(`functions are nested deeper than ${MAX_DEPTH}`, position);
    }
    return { kind: 'Call', name, arguments: parseArguments(cursor, depth + 1), position };
  }
  if (KEYWORDS.has(name)) return { kind: 'Keyword', name, position };
  throw new ExpressionError(
    `${quote(name)} is not a function call; write [${name}] for the attribute or "${name}" for the text`,
    position,
  );
}

function parseArguments(cursor: Cursor, depth: number): readonly Argument[] {
  advance(cursor);
  const found: Argument[] = [];
  if (!isSymbol(cursor.token, ')')) {
    found.push(parseArgument(cursor, depth));
    while (isSymbol(cursor.token, ',')) {
      advance(cursor);
      found.push(parseArgument(cursor, depth));
    }
  }
  if (!isSymbol(cursor.token, ')')) throw unexpected(cursor, '"," or ")"');
  advance(cursor);
  return found;
}

function parseArgument(cursor: Cursor, depth: number): Argument {
  if (isSymbol(cursor.token, ',') || isSymbol(cursor.token, ')')) {
    return { kind: 'Empty', position: positionHere(cursor) };
  }
  const left = parseValue(cursor, depth);
  if (!isComparison(cursor.token)) return left;
  const operator = cursor.token.value as ComparisonOperator;
  const position = positionHere(cursor);
  advance(cursor);
  return { kind: 'Comparison', operator, left, right: parseValue(cursor, depth), position };
}

function advance(cursor: Cursor): void {
  cursor.token = readToken(cursor.source, cursor.token.end);
}

function isSymbol(token: Token, symbol: string): boolean {
  return token.kind === 'symbol' && token.value === symbol;
}

function isComparison(token: Token): boolean {
  return token.kind === 'symbol' && COMPARISONS.has(token.value);
}

function positionHere(cursor: Cursor): Position {
  const { start, end } = cursor.token;
  while ((cursor.lineStarts[cursor.line] ?? Infinity) <= start) cursor.line += 1;
  return { line: cursor.line, column: start - (cursor.lineStarts[cursor.line - 1] ?? 0) + 1, length: end - start };
}

function unexpected(cursor: Cursor, expected: string): ExpressionError {
  const { kind, value, start, end } = cursor.token;
  const found = kind === 'end' ? 'the end' : quote(kind === 'name' ? value : cursor.source.slice(start, end));
  const hint = kind === 'name' && /^(and|or)$/i.test(value) ? '; there is no AND or OR, nest IIF instead' : '';
  return new ExpressionError(`expected ${expected} but found ${found}${hint}`, positionHere(cursor));
}

function quote(text: string): string {
  const shown = text.length > LONGEST_QUOTE ? `${text.slice(0, LONGEST_QUOTE)}…` : text;
  return shown.startsWith('"') ? shown : `"${shown}"`;
}
