import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SyncError } from '../../src/errors.ts';
import { checkExpression } from '../../src/expression/checker.ts';
import { compileExpression } from '../../src/expression/compiler.ts';
import { DateTime } from '../../src/expression/dates/date-time.ts';
import { parseExpression } from '../../src/expression/parser.ts';
import { printExpression } from '../../src/expression/print.ts';
import { UniqueCandidates, type Value } from '../../src/expression/values.ts';
import type { Json } from '../../src/model.ts';
import { EvaluationFailure, EvaluationSkip, interpret } from '../support/expression-interpreter.ts';
import { ATTRIBUTES, anEnvironment, anyValue, wellTypedExpression } from '../support/expressions.ts';

function evaluate(source: string, user: Readonly<Record<string, Json>> = {}): Value {
  const outcome = compileExpression(source).evaluate(anEnvironment(user));
  return 'skip' in outcome ? outcome.skip : outcome.value;
}

interface Row {
  readonly source: string;
  readonly user?: Readonly<Record<string, Json>>;
  readonly gives: Value;
  readonly because: string;
}

const ada = { givenName: 'Ada', surname: 'Byron', none: null, empty: '', list: ['x', 'y'], active: true, level: 7 };

describe('values', () => {
  it.each<Row>([
    { source: '[level]', gives: 7, because: 'an attribute alone keeps its type' },
    { source: '[missing]', gives: null, because: 'an attribute that a person does not have is absent' },
    { source: '"x"', gives: 'x', because: 'a constant' },
    { source: '&HF7', gives: 247, because: 'hexadecimal' },
    { source: '-2.50', gives: -2.5, because: 'a decimal' },
    { source: '9223372036854775807', gives: '9223372036854775807', because: 'digits beyond a number stay exact' },
    { source: '&HFFFFFFFFFFFFFFFF', gives: '18446744073709551615', because: 'hexadecimal ones too' },
  ])('$source: $because', ({ source, gives }) => {
    expect(evaluate(source, ada)).toEqual(gives);
  });
});

describe('string functions', () => {
  it.each<Row>([
    { source: 'Append([givenName], "!")', gives: 'Ada!', because: 'it concatenates' },
    { source: 'Append([none], "@corp.example")', gives: null, because: 'a suffix alone is no value' },
    { source: 'Append([empty], "!")', gives: '!', because: 'an empty text is a value' },
    { source: 'Append([givenName], [none])', gives: 'Ada', because: 'an absent suffix adds nothing' },
    { source: 'Append([level], [active])', gives: '7True', because: 'numbers and booleans are words' },
    {
      source: 'Join(", ", "", [surname], [givenName])',
      gives: 'Byron, Ada',
      because: 'an empty source goes with its separator',
    },
    { source: 'Join(", ", [none], [surname], [missing])', gives: 'Byron', because: 'so does an absent one' },
    { source: 'Join("-", [list], "z")', gives: 'x-y-z', because: 'a multi-valued source gives each value' },
    { source: 'Join("", 1000, [level], [active])', gives: '10007True', because: 'bare numbers' },
    { source: 'Join(",", [none])', gives: '', because: 'nothing joined is an empty text' },
    {
      source: 'Join("-", [mixed])',
      user: { mixed: ['a', null, '', true] },
      gives: 'a-True',
      because: 'empty values of a list are skipped',
    },
    { source: 'Left([surname], 2)', gives: 'By', because: 'the first characters' },
    { source: 'Left([surname], 0)', gives: '', because: 'zero' },
    { source: 'Left([surname], -1)', gives: 'Byron', because: 'negative leaves it unchanged' },
    { source: 'Left([none], 2)', gives: '', because: 'absent gives ""' },
    { source: 'Left([surname], 99)', gives: 'Byron', because: 'more than there is' },
    { source: 'Left("😀😀", 1)', gives: '😀', because: 'no surrogate pair is cut' },
    { source: 'Mid([surname], 2, 3)', gives: 'yro', because: 'positions begin at 1' },
    { source: 'Mid([surname], "1", "1")', gives: 'B', because: 'quoted numbers' },
    { source: 'Mid([surname], 4, 99)', gives: 'on', because: 'beyond the end gives the rest' },
    { source: 'Mid([surname], 0, 2)', gives: 'Byron', because: 'a start below 1 leaves it unchanged' },
    { source: 'Mid([surname], 6, 2)', gives: 'Byron', because: 'so does one past the end' },
    { source: 'Mid("😀😀", 3, 1)', gives: '😀😀', because: 'characters are counted as people do' },
    { source: 'Mid("a😀b", 2, 1)', gives: '😀', because: 'and cut so' },
    { source: 'Append([huge], "")', user: { huge: 1e21 }, gives: '1000000000000000000000', because: 'no exponent' },
    { source: 'Mid([surname], 5, 2)', gives: 'n', because: 'the last character is inside' },
    { source: 'Mid([surname], 1, -1)', gives: 'Byron', because: 'a negative length too' },
    { source: 'Mid([surname], 9, 0)', gives: '', because: 'no length gives ""' },
    { source: 'Mid([none], 1, 1)', gives: '', because: 'absent gives ""' },
    { source: 'Mid([level], 1, 1)', gives: '7', because: 'a number has digits' },
    { source: 'Replace("a-b-c", "-", , , "", , )', gives: 'abc', because: 'every occurrence' },
    { source: 'Replace("a.b", ".", , , "$&")', gives: 'a$&b', because: 'neither side is a pattern' },
    { source: 'Replace("Aa", "a", , , "b")', gives: 'Ab', because: 'case matters' },
    {
      source: 'Replace([surname], "%", , , , , "dn=%;cn=%")',
      gives: 'dn=Byron;cn=Byron',
      because: 'the template mode',
    },
    { source: 'Replace([none], "%", , , , , "cn=%")', gives: null, because: 'absent stays absent' },
    { source: 'Replace("abc", [none], , , "x")', gives: 'abc', because: 'nothing to replace' },
    { source: 'Replace("abc", "b", , , [none])', gives: 'ac', because: 'an absent replacement removes' },
    { source: 'StripSpaces(" a\tb c ")', gives: 'a\tbc', because: 'spaces only' },
    { source: 'StripSpaces([none])', gives: null, because: 'absent stays absent' },
    { source: 'ToLower("ÄBC")', gives: 'äbc', because: 'letters beyond ASCII' },
    { source: 'ToUpper("straße")', gives: 'STRAßE', because: 'one character stays one, as in .NET' },
    { source: 'ToLower("ΟΔΟΣ")', gives: 'οδοσ', because: 'a sigma does not look around, as in .NET' },
    { source: 'ToUpper("title", "tr-TR")', gives: 'TİTLE', because: 'Turkish has a dotted capital' },
    { source: 'ToLower("TITLE", "tr-TR")', gives: 'tıtle', because: 'and a dotless small letter' },
    { source: 'ToUpper("title", [none])', gives: 'TITLE', because: 'no culture is the invariant one' },
    { source: 'ToLower("ÎÌ", "lt-LT")', gives: 'îì', because: 'a culture that adds characters falls back' },
    { source: 'ToLower([active])', gives: 'true', because: 'a boolean is the word' },
    { source: 'ToLower([none])', gives: null, because: 'absent stays absent' },
    { source: 'ToLower([one])', user: { one: ['ADA'] }, gives: 'ada', because: 'a list of one is its value' },
    { source: 'ToLower([one])', user: { one: [] }, gives: null, because: 'a list of none is absent' },
  ])('$source: $because', ({ source, user, gives }) => {
    expect(evaluate(source, user ?? ada)).toEqual(gives);
  });
});

describe('conditions and null handling', () => {
  it.each<Row>([
    {
      source: 'Coalesce([none], [missing], [surname], [givenName])',
      gives: 'Byron',
      because: 'the first that is there',
    },
    { source: 'Coalesce([empty], "d")', gives: '', because: '"" is a value' },
    { source: 'Coalesce([none], "")', gives: '', because: 'the last is the default and may be ""' },
    { source: 'Coalesce([none], [missing])', gives: null, because: 'all absent' },
    { source: 'Coalesce([noValues], "d")', user: { noValues: [] }, gives: 'd', because: 'a list of none is absent' },
    { source: 'Coalesce([list], "d")', gives: ['x', 'y'], because: 'a list stays a list' },
    { source: 'IsNull([none])', gives: true, because: 'absent' },
    { source: 'IsNull([empty])', gives: false, because: '"" is a value' },
    { source: 'IsNullOrEmpty([empty])', gives: true, because: '""' },
    { source: 'IsNullOrEmpty([noValues])', user: { noValues: [] }, gives: true, because: 'a list of none' },
    { source: 'IsPresent([surname])', gives: true, because: 'it has a value' },
    { source: 'IsPresent([empty])', gives: false, because: '"" is not present' },
    { source: 'IsPresent([off])', user: { off: false }, gives: true, because: 'False is a value' },
    { source: 'Not([active])', gives: false, because: 'a boolean' },
    { source: 'Not("true")', gives: false, because: 'the word, however written' },
    { source: 'Not("False")', gives: true, because: 'the other word' },
    { source: 'Not([none])', gives: true, because: 'anything else is not True' },
    { source: 'Not([level])', gives: true, because: 'a number is not True' },
    { source: 'Not([surname] = "Byron")', gives: false, because: 'a comparison' },
    { source: 'Switch([surname], "d", "Byron", "b", "Byron", "c")', gives: 'b', because: 'the first key wins' },
    { source: 'Switch([surname], "d", "byron", "b")', gives: 'd', because: 'case matters' },
    { source: 'Switch([surname], , "x", "b")', gives: null, because: 'no default' },
    { source: 'Switch([none], "d", "", "b")', gives: 'b', because: 'the key "" stands for absent' },
    { source: 'Switch([empty], "d", "", "b")', gives: 'b', because: 'and for empty' },
    { source: 'Switch(IsPresent([surname]), "d", "True", [surname])', gives: 'Byron', because: 'booleans are words' },
    { source: 'Switch([active], "d", "True", "active")', gives: 'active', because: "a source's booleans too" },
    { source: 'Switch([level], "d", 7, "seven")', gives: 'seven', because: 'numbers are compared as text' },
    { source: 'Switch([surname], "d", "Byron", )', gives: null, because: 'a value that was not given' },
  ])('$source: $because', ({ source, user, gives }) => {
    expect(evaluate(source, user ?? ada)).toEqual(gives);
  });

  it.each<readonly [condition: string, holds: boolean, because: string]>([
    ['[surname] = "Byron"', true, 'equal texts'],
    ['[surname] = "byron"', false, 'case matters'],
    ['[surname] <> "byron"', true, 'the negation'],
    ['[none] = ""', true, 'an absent value equals ""'],
    ['[none] <> "x"', true, 'and differs from a text'],
    ['[none] < 5', false, 'it has no place in an order'],
    ['[none] >= ""', false, 'not even at its beginning'],
    ['[active] = "True"', true, 'booleans are words'],
    ['[level] = 7', true, 'numbers'],
    ['[level] = "007"', true, 'a number and a numeric text compare as numbers'],
    ['"007" = "7"', false, 'two texts compare as texts: leading zeros count'],
    ['"10" > "9"', true, 'order is numeric where both sides are'],
    ['"10" > "9a"', false, 'else by code unit'],
    ['[level] <= 7', true, 'the edge is inside'],
    ['[level] < 7', false, 'the edge is outside'],
    ['[level] > -1', true, 'negative numbers'],
    ['[level] >= 7.5', false, 'decimals'],
    ['"b" >= "b"', true, 'equal texts are in order'],
    ['[active]', true, 'a boolean attribute'],
    ['IsPresent([empty])', false, 'a call'],
    ['[none]', false, 'absent is False'],
    ['[empty]', false, '"" is False'],
    ['[level]', true, 'a number that is not zero'],
    ['"0"', false, 'zero'],
    ['"FALSE"', false, 'the word, however written'],
    ['Left("True", 4)', true, 'a text that is the word'],
  ])('IIF(%s, …) is %s: %s', (condition, holds) => {
    expect(evaluate(`IIF(${condition}, "yes", "no")`, ada)).toBe(holds ? 'yes' : 'no');
  });

  it.each([
    ['IIF([surname] = "Byron", "ok", Left("x", [surname]))', 'ok'],
    ['IIF([surname] = "x", Left("x", [surname]), "ok")', 'ok'],
    ['Switch("a", Left("x", [surname]), "a", "ok", "b", Left("x", [surname]))', 'ok'],
    ['Coalesce("ok", Left("x", [surname]))', 'ok'],
  ])('%s does not evaluate the branches not taken', (source, gives) => {
    expect(evaluate(source, ada)).toBe(gives);
  });
});

describe('list functions', () => {
  it.each<Row>([
    { source: 'Split("A, B", ",")', gives: ['A', 'B'], because: 'values are trimmed' },
    { source: 'Split("A;;B;", ";")', gives: ['A', '', 'B', ''], because: 'empty parts keep their place' },
    { source: 'Split("A--B", "--")', gives: ['A', 'B'], because: 'a delimiter may be long' },
    { source: 'Split([none], ",")', gives: null, because: 'absent stays absent' },
    { source: 'Split([empty], ",")', gives: [], because: 'an empty text has no parts' },
    {
      source: 'Split([several], ",")',
      user: { several: ['a,b', 'c', ''] },
      gives: ['a', 'b', 'c'],
      because: 'every value of a list',
    },
    { source: 'Join("/", Split("A,B", ","))', gives: 'A/B', because: 'lists go into Join' },
  ])('$source: $because', ({ source, user, gives }) => {
    expect(evaluate(source, user ?? ada)).toEqual(gives);
  });
});

describe('failures of one person', () => {
  it.each([
    ['ToLower([list])', 'ToLower: source must be one value, but the person has several'],
    ['ToLower([complex])', 'ToLower: source must be a text, number or boolean'],
    ['Join("", [complexes])', 'Join: source1 must be a text, number or boolean'],
    ['Left("abc", [surname])', 'Left: NumChars must be a whole number'],
    ['Left("abc", [missing])', 'Left: NumChars must be a whole number'],
    ['Mid("abc", 1, [fraction])', 'Mid: length must be a whole number'],
    ['IIF([surname], 1, 2)', 'IIF: condition must be True or False'],
    ['IIF([list] = "x", 1, 2)', 'IIF: condition: each side of = must be one value, but the person has several'],
    ['Switch([list], "", "x", "y")', 'Switch: source must be one value, but the person has several'],
    ['Switch("q", "", "x", "y", [list], "z")', 'Switch: key2 must be one value, but the person has several'],
    ['ToUpper("a", [surname_])', 'ToUpper: culture must be the name of a culture, for example "en-US"'],
    ['Split("a", [missing])', 'Split: delimiter must be a text that is not empty'],
  ])('%s', (source, message) => {
    const user = { ...ada, complex: { a: 1 }, complexes: [{ a: 1 }], fraction: 1.5, surname_: 'x_y' };
    let thrown: unknown;
    try {
      evaluate(source, user);
    } catch (error) {
      thrown = error;
    }
    expect(thrown).toBeInstanceOf(SyncError);
    expect(thrown).toMatchObject({ code: 'RecordInvalid', scope: 'record', message });
  });

  it('bounds texts that functions make longer', () => {
    const doubled = (times: number) =>
      Array.from({ length: times }).reduce<string>((inner) => `Replace(${inner}, "a", , , "aa")`, '"a"');
    expect(evaluate(doubled(20))).toHaveLength(2 ** 20);
    expect(() => evaluate(doubled(21))).toThrow('the result of Replace is longer than 1048576 characters');
    const half = 'x'.repeat(2 ** 19);
    expect(() => evaluate('Append(Append([h], [h]), "x")', { h: half })).toThrow('the result of Append is longer');
    expect(() => evaluate('Join("-", [h], [h])', { h: half })).toThrow('the result of Join is longer');
  });
});

describe('compiled expressions', () => {
  it('equal a naive interpreter on random expressions and people', () => {
    const users = fc.record(Object.fromEntries(ATTRIBUTES.map((name) => [name, anyValue])));
    fc.assert(
      fc.property(wellTypedExpression, users, (tree, user) => {
        const source = printExpression(tree);
        fc.pre(canMatch(source));
        expect(outcomeOf(() => evaluate(source, user))).toEqual(
          outcomeOf(() => interpret(parseExpression(source), anEnvironment(user))),
        );
      }),
      { numRuns: 3000 },
    );
  });
});

/** Random keys are seldom ones that their source can be. */
function canMatch(source: string): boolean {
  return checkExpression(parseExpression(source)).problems.every(({ message }) => !message.endsWith('never matches'));
}

function outcomeOf(run: () => Value | Date): unknown {
  try {
    const value = run();
    if (value instanceof DateTime) return { date: new Date(value.ms) };
    if (value instanceof Date) return { date: value };
    return { value: value instanceof UniqueCandidates ? value.values : value };
  } catch (error) {
    if (error instanceof EvaluationFailure) return 'RecordInvalid';
    if (error instanceof EvaluationSkip) return { value: 'SkipAttribute' };
    if (error instanceof SyncError && error.code === 'RecordInvalid') return 'RecordInvalid';
    throw error;
  }
}
