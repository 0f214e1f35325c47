import { describe, expect, it } from 'vitest';
import { checkExpression } from '../../src/expression/checker.ts';
import { compileExpression } from '../../src/expression/compiler.ts';
import { ExpressionError } from '../../src/expression/error.ts';
import { parseExpression } from '../../src/expression/parser.ts';

function problemsOf(source: string): string[] {
  return checkExpression(parseExpression(source)).problems.map((problem) => problem.message);
}

describe('checkExpression', () => {
  it.each([
    {
      source: 'Jion(" ", [a])',
      problem: 'column 1: unknown function "Jion"; did you mean "Join"?',
      because: 'two letters are swapped',
    },
    {
      source: 'join(" ", [a])',
      problem: 'column 1: unknown function "join"; did you mean "Join"?',
      because: 'names are case-sensitive',
    },
    {
      source: 'Concatenate([a])',
      problem: 'column 1: unknown function "Concatenate"; see docs/expressions.md for those there are',
      because: 'nothing is near',
    },
    {
      source: 'Mid([a], 1)',
      problem: 'column 1: Mid takes 3 arguments, got 2: Mid(source, start, length)',
      because: 'one is missing',
    },
    {
      source: 'IsNull()',
      problem: 'column 1: IsNull takes 1 argument, got 0: IsNull(source)',
      because: 'none is given',
    },
    {
      source: 'ToLower([a], "tr", "x")',
      problem: 'column 1: ToLower takes 1 to 2 arguments, got 3: ToLower(source, culture?)',
      because: 'one too many',
    },
    {
      source: 'Join(" ")',
      problem: 'column 1: Join takes at least 2 arguments, got 1: Join(separator, source1, source2, …)',
      because: 'nothing to join',
    },
    {
      source: 'Switch([a], "", "k")',
      problem:
        'column 1: Switch takes at least 4 arguments, got 3: Switch(source, defaultValue?, key1, value1?, key2, value2?, …)',
      because: 'a key without a value',
    },
    {
      source: 'Switch([a], "", "k", "v", "l")',
      problem: 'column 1: Switch takes an even number of arguments, got 5: every key needs a value after it',
      because: 'the last key has no value',
    },
    {
      source: 'Left( , 1)',
      problem: 'column 7: Left: String is missing; write "" for an empty text',
      because: 'it is required',
    },
    {
      source: 'Join("", [a], , [b])',
      problem: 'column 15: Join: source2 is missing; write "" for an empty text',
      because: 'repeated ones are required too',
    },
    {
      source: 'Mid([a], "x", 3)',
      problem: 'column 10: Mid: start must be a whole number, but is "x"',
      because: 'a constant of the wrong kind',
    },
    {
      source: 'Mid([a], 1, 2.5)',
      problem: 'column 13: Mid: length must be a whole number, but is "2.5"',
      because: 'a fraction',
    },
    {
      source: 'Left([a], IsNull([b]))',
      problem: 'column 11: Left: NumChars must be a whole number, but IsNull gives a Boolean',
      because: 'a call of the wrong kind',
    },
    {
      source: 'ToLower(Split([a], ","))',
      problem: 'column 9: ToLower: source must be one value, but Split gives a List',
      because: 'a list is not one value',
    },
    {
      source: 'IIF("maybe", 1, 2)',
      problem: 'column 5: IIF: condition must be True or False, but is "maybe"',
      because: 'not a condition',
    },
    {
      source: 'Join("", [a] = [b])',
      problem: 'column 14: Join: source1 cannot be a comparison; only conditions can, as in IIF',
      because: 'comparisons are conditions',
    },
    {
      source: 'IIF(Split([a], ",") = "b", 1, 2)',
      problem: 'column 5: a list cannot be compared',
      because: 'lists have no order',
    },
    {
      source: 'Join("", IgnoreAttributeFlow, [a])',
      problem: 'column 10: the keyword IgnoreAttributeFlow cannot stand here',
      because: 'no parameter takes it',
    },
    {
      source: 'IIF([a] = UTF8, 1, 2)',
      problem: 'column 11: the keyword UTF8 cannot stand here',
      because: 'it has no value',
    },
    {
      source: 'vbTextCompare',
      problem: 'column 1: the keyword vbTextCompare cannot stand here',
      because: 'it has no value',
    },
    {
      source: 'ToUpper([a], "en_US")',
      problem: 'column 14: ToUpper: culture must be the name of a culture, for example "en-US", but is "en_US"',
      because: 'an unknown form',
    },
    {
      source: 'Split([a], "")',
      problem: 'column 12: Split: delimiter must not be empty',
      because: 'it would split between letters',
    },
    {
      source: 'Replace([a], "", , , "x")',
      problem: 'column 14: Replace: oldValue must not be empty',
      because: 'it stands everywhere and nowhere',
    },
    {
      source: 'Replace([a], , "(a", , "x")',
      problem: 'column 16: Replace: regexPattern is no pattern: character 1: the group is not closed with ")"',
      because: 'patterns are compiled when they are loaded',
    },
    {
      source: 'Replace([a], "b", , "g", "x")',
      problem: 'column 1: Replace takes regexGroupName and replacementAttributeName only with regexPattern',
      because: 'a group is one of a pattern',
    },
    {
      source: 'Replace([a], , , , "x")',
      problem: 'column 1: Replace needs oldValue (the 2nd argument) or regexPattern (the 3rd), found neither',
      because: 'nothing to look for',
    },
    {
      source: 'IIF(IsNull([a]) = "yes", 1, 2)',
      problem: 'column 19: IsNull gives "True" or "False": this never matches',
      because: 'a boolean is no other word',
    },
    {
      source: 'IIF("ADA" <> ToLower([a]), 1, 2)',
      problem: 'column 5: ToLower gives no capitals: this never matches',
      because: 'on either side of the comparison',
    },
    {
      source: 'Switch(ToUpper([a]), "", "GB", 1, "fr", 2)',
      problem: 'column 35: ToUpper gives no small letters: this never matches',
      because: 'keys are compared with case',
    },
    {
      source: 'Switch(Len([a]), "", "five", 1)',
      problem: 'column 22: Len gives a whole number: this never matches',
      because: 'a number is no word',
    },
    {
      source: 'Switch(Left([a], 2), "", "GBR", 1)',
      problem: 'column 26: Left gives at most 2 characters: this never matches',
      because: 'the key is longer',
    },
    {
      source: 'Switch(Mid([a], 1, 2), "", "GBR", 1)',
      problem: 'column 28: Mid gives at most 2 characters: this never matches',
      because: 'the key is longer',
    },
    {
      source: 'IIF(StripSpaces([a]) = "a b", 1, 2)',
      problem: 'column 24: StripSpaces gives no spaces: this never matches',
      because: 'they are gone',
    },
    {
      source: 'IIF(ConvertToUTF8Hex([a]) = "c3", 1, 2)',
      problem: 'column 29: ConvertToUTF8Hex gives hexadecimal digits in upper case: this never matches',
      because: 'it never gives these letters',
    },
    {
      source: 'DateDiff("d", Split([a], ","), Now())',
      problem:
        'column 15: DateDiff: date1 must be a date such as 2026-03-01, 2026-03-01T09:00:00Z or 3/1/2026 9:00:00 AM, but Split gives a List',
      because: 'a list is no date',
    },
    {
      source: 'Left([a], Now())',
      problem: 'column 11: Left: NumChars must be a whole number, but Now gives a DateTime',
      because: 'a date is no number',
    },
    {
      source: 'Now("x")',
      problem: 'column 1: Now takes 0 arguments, got 1: Now()',
      because: 'it takes none',
    },
    {
      source: 'Replace([a], "b", , , "x", , "y")',
      problem: 'column 1: Replace needs replacementValue (the 5th argument) or template (the 7th), not both',
      because: 'two modes at once',
    },
    {
      source: 'Replace([a], "b")',
      problem: 'column 1: Replace needs replacementValue (the 5th argument) or template (the 7th), found neither',
      because: 'no mode at all',
    },
    { source: 'ToLower([a..b])', problem: 'column 12: a name is empty', because: 'paths are checked where they stand' },
    {
      source: 'ToLower(\n [phones[0])',
      problem: 'line 2, column 2: the attribute is not closed with "]"',
      because: 'the inner bracket is closed only',
    },
  ])('says of $source: $because', ({ source, problem }) => {
    if (problem.includes('attribute is not closed')) expect(() => parseExpression(source)).toThrow(problem);
    else expect(problemsOf(source)).toEqual([problem]);
  });

  it.each([
    { source: 'ToLower([a], )', because: 'an optional parameter may be left empty' },
    { source: 'Left([a], 3, , )', because: 'empty positions after the last parameter do no harm' },
    { source: 'Mid([a], "1", "3")', because: 'numbers may be quoted' },
    { source: 'Left([a], &HF)', because: 'hexadecimal numbers are numbers' },
    { source: 'Switch([a], , "1", "True")', because: 'a default may be left out' },
    { source: 'Switch(IsPresent([a]), "d", "True", [a])', because: 'booleans are words' },
    { source: 'Not([a] = "b")', because: 'a comparison is something to negate' },
    { source: 'IIF(ToLower([a], "tr-TR") = "I", 1, 2)', because: 'with a culture it is not judged' },
    { source: 'IIF(Len([a]) = "7", 1, 2)', because: 'a number compares with its digits' },
    { source: 'Switch(Left([a], [n]), "", "GBR", 1)', because: 'the length is that of a person' },
    { source: 'Switch(Mid([a], 2, 1), "", "GBR", 1)', because: 'a start outside of the text leaves it whole' },
    { source: 'IIF(ToLower([a]) = &HF, 1, 2)', because: 'a number is compared by its value' },
    { source: 'IIF(Left([a], 1) = 1.0, 1, 2)', because: 'however it is written' },
    { source: 'Switch(DateDiff("d", [a], Now()), "", "", "no date")', because: 'an absent date has no difference' },
    { source: 'Item([a], &H1)', because: 'a hexadecimal number is one' },
    { source: 'Now()', because: 'there are functions of nothing' },
    { source: 'Not("abc")', because: 'Not takes anything' },
    { source: 'ToLower([a], "")', because: 'the invariant culture' },
    { source: 'Left([a], Left([b], 1))', because: 'a text may turn out to be a number' },
    { source: 'Replace([a], "b", , , "", , )', because: 'an empty replacement removes' },
  ])('accepts $source: $because', ({ source }) => {
    expect(problemsOf(source)).toEqual([]);
  });

  it.each([
    ['[a]', 'Any'],
    ['"a"', 'String'],
    ['7', 'Integer'],
    ['7.5', 'Decimal'],
    ['Join("", [a], [b])', 'String'],
    ['Split([a], ",")', 'List'],
    ['IsNull([a])', 'Boolean'],
    ['IIF([a] = "", "b", "c")', 'String'],
    ['IIF([a] = "", 1, 2.5)', 'Decimal'],
    ['IIF([a] = "", 1, "2")', 'Any'],
    ['Switch([a], , "x", IsNull([b]), "y", Not([c]))', 'Boolean'],
    ['Switch([a], "0", "x", 1)', 'Any'],
    ['Coalesce([a], "b")', 'Any'],
    ['Coalesce(ToLower([a]), "b")', 'String'],
  ])('%s gives %s', (source, type) => {
    expect(compileExpression(source).resultType).toBe(type);
  });

  it('reports every problem, and still the attributes', () => {
    const result = checkExpression(parseExpression('Jion([b], Mid([a]), ToLower([b], "x_y"))'));
    expect(result.problems.map((problem) => problem.column)).toEqual([1, 11, 34]);
    expect([...result.attributes]).toEqual([
      ['b', { line: 1, column: 6, length: 3 }],
      ['a', { line: 1, column: 15, length: 3 }],
    ]);
  });
});

describe('compileExpression', () => {
  it('throws the leftmost problem', () => {
    expect(() => compileExpression('Left(Mid([a]), "x")')).toThrow(ExpressionError);
    expect(() => compileExpression('Left(Mid([a]), "x")')).toThrow('column 6: Mid takes 3 arguments, got 1');
    expect(() => compileExpression('Left([x], IsNull([a..b]))')).toThrow('column 11: Left: NumChars');
    expect(() => compileExpression('Join(\n "", Jion(" ", [a]))')).toThrow('line 2, column 6: unknown function "Jion"');
  });

  it('lists attributes once, raw, in order', () => {
    const { attributes, source } = compileExpression('Join("", [b], [custom:tier], [a.b], [b], ["a.b"])');
    expect(attributes).toEqual(['b', 'custom:tier', 'a.b', '["a.b"]']);
    expect(source).toBe('Join("", [b], [custom:tier], [a.b], [b], ["a.b"])');
  });
});
