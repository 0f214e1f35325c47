import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SyncError } from '../../src/errors.ts';
import { ExpressionError } from '../../src/expression/error.ts';
import { MAX_DEPTH, MAX_LENGTH, parseExpression } from '../../src/expression/parser.ts';
import { printExpression } from '../../src/expression/print.ts';
import { anyExpression, withoutPositions } from '../support/expressions.ts';

function errorOf(source: string): ExpressionError {
  try {
    parseExpression(source);
  } catch (error) {
    if (error instanceof ExpressionError) return error;
    throw error;
  }
  throw new Error(`${source} was accepted`);
}

describe('parseExpression', () => {
  it.each([
    { source: 'Join(" ", [givenName], [surname])', printed: 'Join(" ", [givenName], [surname])', because: 'a call' },
    { source: '[mail]', printed: '[mail]', because: 'an attribute alone is an expression' },
    { source: ' "x" ', printed: '"x"', because: 'a constant alone is an expression' },
    { source: '-12.50', printed: '-12.50', because: 'numbers keep the digits that were written' },
    { source: 'BitAnd(&HF,&hf7)', printed: 'BitAnd(&HF, &hf7)', because: 'hexadecimal numbers' },
    { source: 'Join ("",1000)', printed: 'Join("", 1000)', because: 'blanks may stand before the parenthesis' },
    {
      source: 'IIF(\r\n\t[a] <> "b",\n  "c",\r  "d"\n)',
      printed: 'IIF([a] <> "b", "c", "d")',
      because: 'line breaks and tabs are free between tokens',
    },
    { source: 'Now()', printed: 'Now()', because: 'a call without arguments' },
    {
      source: 'Replace([x],"a", , ,"b", , )',
      printed: 'Replace([x], "a", , , "b", , )',
      because: 'empty positions stay, also at the end',
    },
    { source: 'f(,)', printed: 'f(, )', because: 'two empty positions' },
    { source: 'InStr([a],"e",3,vbBinaryCompare)', printed: 'InStr([a], "e", 3, vbBinaryCompare)', because: 'keywords' },
    {
      source: 'f([a] >= 1, [b]<=2, [c]>3, [d]<4, [e]=5)',
      printed: 'f([a] >= 1, [b] <= 2, [c] > 3, [d] < 4, [e] = 5)',
      because: 'every comparison',
    },
    { source: String.raw`"\+(\d)\\ \""`, printed: String.raw`"\\+(\\d)\\ \""`, because: 'a single backslash stays' },
    { source: '[extension_42 Attribute]', printed: '[extension_42 Attribute]', because: 'names are taken verbatim' },
    {
      source: '[phones[type eq "a]b"].value]',
      printed: '[phones[type eq "a]b"].value]',
      because: 'paths hold brackets',
    },
    { source: '["a.b"]', printed: '[["a.b"]]', because: 'a forced name may leave its outer brackets out' },
    { source: '["a]b"]', printed: '[["a]b"]]', because: 'a forced name may hold brackets' },
    { source: '[custom:tier]', printed: '[custom:tier]', because: 'a prefix belongs to the name' },
  ])('reads $source: $because', ({ source, printed }) => {
    const expression = parseExpression(source);
    expect(printExpression(expression)).toBe(printed);
    expect(withoutPositions(parseExpression(printed))).toEqual(withoutPositions(expression));
  });

  it('keeps an empty position apart from an empty text', () => {
    expect(withoutPositions(parseExpression('f(, "")'))).toEqual({
      kind: 'Call',
      name: 'f',
      arguments: [{ kind: 'Empty' }, { kind: 'Text', value: '' }],
    });
  });

  it.each([
    { source: 'Join([givenName] surname)', message: 'column 18: expected "," or ")" but found "surname"', length: 7 },
    { source: 'Join(" ", [a]', message: 'column 14: expected "," or ")" but found the end', length: 0 },
    { source: 'Join(" ", [a]))', message: 'column 15: expected the end but found ")"', length: 1 },
    { source: '', message: 'column 1: the expression is empty', length: 0 },
    { source: ' \n ', message: 'column 1: the expression is empty', length: 0 },
    { source: 'Join(" ",\n  [a] [b])', message: 'line 2, column 7: expected "," or ")" but found "[b]"', length: 3 },
    { source: 'Join(" ",\r\n\r\n [a] "b")', message: 'line 3, column 6: expected "," or ")" but found "b"', length: 3 },
    {
      source: 'surname',
      message:
        'column 1: "surname" is not a function call; write [surname] for the attribute or "surname" for the text',
      length: 7,
    },
    {
      source: 'f(Name)',
      message: 'column 3: "Name" is not a function call; write [Name] for the attribute or "Name" for the text',
      length: 4,
    },
    { source: 'f("abc)', message: 'column 3: the text is not closed with "', length: 1 },
    { source: 'f("abc\\")', message: 'column 3: the text is not closed with "', length: 1 },
    { source: 'f([abc)', message: 'column 3: the attribute is not closed with "]"', length: 1 },
    { source: 'f([abc\n])', message: 'column 3: the attribute is not closed with "]"', length: 1 },
    { source: 'f([ ])', message: 'column 3: the attribute has no name', length: 3 },
    {
      source: 'f(“a”)',
      message: 'column 3: unexpected character "“"; texts stand in straight double quotes',
      length: 1,
    },
    {
      source: '"t-" & [alias]',
      message: 'column 6: unexpected character "&"; use Join("", …) or Append to put texts together',
      length: 1,
    },
    { source: 'f(😀)', message: 'column 3: unexpected character "😀"', length: 2 },
    { source: '[a] = "b"', message: 'column 5: a comparison can only stand inside a function, as in IIF', length: 1 },
    {
      source: 'IIF([a]="x" AND [b]="y", 1, 2)',
      message: 'column 13: expected "," or ")" but found "AND"; there is no AND or OR, nest IIF instead',
      length: 3,
    },
    {
      source: 'f([a] =)',
      message: 'column 8: expected a function, an [attribute], a "text" or a number but found ")"',
      length: 1,
    },
    {
      source: 'f([a] = = [b])',
      message: 'column 9: expected a function, an [attribute], a "text" or a number but found "="',
      length: 1,
    },
    {
      source: `f([a] "${'x'.repeat(60)}")`,
      message: `column 7: expected "," or ")" but found "${'x'.repeat(39)}…`,
      length: 62,
    },
  ])('refuses $source', ({ source, message, length }) => {
    const error = errorOf(source);
    expect(error.message).toBe(message);
    expect(error.length).toBe(length);
    expect(error).toBeInstanceOf(SyncError);
    expect([error.code, error.retry]).toEqual(['Invalid', 'never']);
    expect(error.message.endsWith(error.detail)).toBe(true);
  });

  it('takes the longest expression and refuses one more character', () => {
    const longest = `"${'x'.repeat(MAX_LENGTH - 2)}"`;
    expect(parseExpression(longest)).toMatchObject({ kind: 'Text' });
    expect(errorOf(`${longest} `).detail).toBe('the expression has 10001 characters, at most 10000 are allowed');
  });

  it('takes the deepest nesting and refuses one more level', () => {
    const nested = (depth: number) => `${'f('.repeat(depth)}[a]${')'.repeat(depth)}`;
    expect(printExpression(parseExpression(nested(MAX_DEPTH)))).toBe(nested(MAX_DEPTH));
    expect(errorOf(nested(MAX_DEPTH + 1)).message).toBe('column 401: functions are nested deeper than 200');
    expect(errorOf('f('.repeat(5000)).detail).toBe('functions are nested deeper than 200');
  });

  it('gives back what printExpression printed', () => {
    fc.assert(
      fc.property(anyExpression, (expression) => {
        const printed = printExpression(expression);
        fc.pre(printed.length <= MAX_LENGTH);
        expect(withoutPositions(parseExpression(printed))).toEqual(withoutPositions(expression));
      }),
      { numRuns: 500 },
    );
  });

  it('throws nothing but ExpressionError, with a position inside the text', () => {
    const pieces = fc.constantFrom(
      'Join',
      '(',
      ')',
      ',',
      '[',
      ']',
      '"',
      '\\',
      '&H',
      '-',
      '1',
      '.',
      '=',
      '<',
      '>',
      ' ',
      '\n',
      'a',
      '&',
      '😀',
    );
    const sources = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.array(pieces, { maxLength: 40 }).map((list) => list.join('')),
      fc
        .tuple(anyExpression.map(printExpression), fc.nat(), fc.string({ maxLength: 3 }))
        .map(
          ([source, at, junk]) =>
            source.slice(0, at % (source.length + 1)) + junk + source.slice(at % (source.length + 1)),
        ),
    );
    fc.assert(
      fc.property(sources, (source) => {
        try {
          parseExpression(source);
        } catch (error) {
          expect(error).toBeInstanceOf(ExpressionError);
          const { line, column, length } = error as ExpressionError;
          const text = source.split(/\r\n|\r|\n/)[line - 1];
          expect(text).toBeDefined();
          expect(column).toBeGreaterThanOrEqual(1);
          expect(column).toBeLessThanOrEqual((text ?? '').length + 1);
          expect(length).toBeGreaterThanOrEqual(0);
        }
      }),
      { numRuns: 2000 },
    );
  });
});
