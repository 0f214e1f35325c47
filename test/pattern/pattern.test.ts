import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SyncError } from '../../src/errors.ts';
import { PatternError } from '../../src/pattern/error.ts';
import { compilePattern, createStepMeter, MAX_PROGRAM } from '../../src/pattern/pattern.ts';

function wholes(pattern: string, text: string): string[] {
  return compilePattern(pattern)
    .findAll(text)
    .map(({ start, end }) => text.slice(start, end));
}

function errorOf(pattern: string): PatternError {
  try {
    compilePattern(pattern);
  } catch (error) {
    if (error instanceof PatternError) return error;
    throw error;
  }
  throw new Error(`${pattern} was accepted`);
}

describe('compilePattern', () => {
  it.each<readonly [pattern: string, text: string, found: readonly string[], because: string]>([
    [String.raw`\d+`, 'a1b٤٥', ['1', '٤٥'], 'digits are those of Unicode'],
    [String.raw`\D+`, '1ab2', ['ab'], 'no digits'],
    [String.raw`\w+`, 'Zoë_7-x', ['Zoë_7', 'x'], 'letters are those of Unicode'],
    [String.raw`\W+`, 'Zoë, x', [', '], 'no letters'],
    [String.raw`[^\W\d]+`, 'a1é', ['a', 'é'], 'a negated shorthand within a negated class'],
    [String.raw`[\W_]+`, 'a_-b', ['_-'], 'a negated shorthand within a class'],
    [String.raw`\s`, 'a\u00a0b', ['\u00a0'], 'blanks are those of Unicode'],
    [String.raw`[\S]+`, 'a\u2003b', ['a', 'b'], 'no blanks, within a class'],
    [String.raw`[()\s-]+`, '+1 (999) 888-7777', [' (', ') ', '-'], 'a hyphen at the end of a class'],
    [String.raw`[\w-.]+`, 'a-b.c d', ['a-b.c', 'd'], 'a hyphen after a shorthand'],
    ['[]a]+', 'a]b', ['a]'], 'a bracket that comes first is a character'],
    ['[^]a]+', 'a]bc', ['bc'], 'also after a negation'],
    ['[[a]+', '[a]', ['[a'], 'an open bracket is a character in a class'],
    ['[a-]+', 'a-b', ['a-'], 'a hyphen before the end'],
    [String.raw`[\b]`, '\b', ['\b'], 'a backspace in a class'],
    [String.raw`\bx\b`, 'x xx x', ['x', 'x'], 'words'],
    [String.raw`\p{Lu}\P{Lu}`, 'aBc', ['Bc'], 'categories'],
    [String.raw`[\p{IsGreek}\p{IsCyrillic}]+`, 'aβд', ['βд'], 'blocks'],
    [String.raw`\P{IsBasicLatin}+`, 'aβдb', ['βд'], 'no block'],
    [String.raw`\u00e9\x41\e\cA\0\t`, 'éA\u001b\u0001\u0000\t', ['éA\u001b\u0001\u0000\t'], 'escaped characters'],
    [String.raw`\uD83D\uDE00|\u0041`, '😀A', ['😀', 'A'], 'a pair of surrogates'],
    [String.raw`\.\@\-\ \"`, '.@- "', ['.@- "'], 'escaped punctuation'],
    ['a{2}b{1,2}c{1,}', 'aabbcc', ['aabbcc'], 'counted repetitions'],
    ['a{x}|b{,2}|{', 'a{x} b{,2} {', ['a{x}', 'b{,2}', '{'], 'a brace that counts nothing'],
    ['a+?', 'aa', ['a', 'a'], 'lazy repetitions'],
    ['(?i)ab(?-i)C', 'ABC ABc', ['ABC'], 'options for the rest'],
    ['(?i:a)b', 'Ab AB', ['Ab'], 'options for a group'],
    ['(?x) a  b # both\n c', 'abc', ['abc'], 'blanks and comments do not count'],
    [String.raw`(?x:a\ b[ ]c) d`, 'a b c d', ['a b c d'], 'blanks that are escaped or in a class do'],
    ['(?s)a.b', 'a\nb', ['a\nb'], 'the dot takes line breaks'],
    ['a.b', 'a\nb', [], 'or not'],
    ['(?m)^b$', 'a\nb\nc', ['b'], 'lines'],
    ['^b$', 'a\nb\nc', [], 'or the whole'],
    ['a(?#any text)b', 'ab', ['ab'], 'a comment'],
    ['[a-zA-Z_]*', 'a-b', ['a', '', 'b', ''], 'empty matches end, and stand beside others as in .NET'],
    ['', '😀', ['', ''], 'an empty pattern steps over whole characters'],
    ['^a', 'aa', ['a'], 'the beginning is that of the text, not of the search'],
    [String.raw`\Aa|a\z|b\Z`, 'aab', ['a', 'b'], 'ends'],
  ])('%s finds in %j %j: %s', (pattern, text, found) => {
    expect(wholes(pattern, text)).toEqual(found);
    expect(compilePattern(pattern).isMatch(text)).toBe(found.length > 0);
  });

  it('ignores case when it is told to', () => {
    expect(compilePattern('straße', { ignoreCase: true }).isMatch('STRAßE')).toBe(true);
    expect(compilePattern('straße').isMatch('STRAßE')).toBe(false);
  });

  it('numbers groups as .NET does: those with a name come last, and one name is one group', () => {
    const pattern = compilePattern("(?<n>a)(b)|(?'n'c)(d)");
    expect(pattern.groupNames).toEqual(['n']);
    const groups = (text: string) =>
      [0, 1, 2, 3, 4, 'n', 'x'].map((key) => {
        const span = pattern.findAll(text)[0]?.group(key);
        return span && text.slice(span.start, span.end);
      });
    expect(groups('ab')).toEqual(['ab', 'b', undefined, 'a', undefined, 'a', undefined]);
    expect(groups('cd')).toEqual(['cd', undefined, 'd', 'c', undefined, 'c', undefined]);
    expect(compilePattern('(?n)(a)(?<b>c)').findAll('ac')[0]?.group(1)).toEqual({ start: 1, end: 2 });
  });

  it.each<readonly [pattern: string, replacement: string, result: string]>([
    ['(?<first>[a-z]+) (?<second>[a-z]+)', `\${second} \${first}`, 'world hello!'],
    ['([a-z]+) ([a-z]+)', '$2 $1', 'world hello!'],
    ['([a-z]+) ([a-z]+)', `\${2}0$10`, 'world0$10!'],
    ['o', '[$&]', 'hell[o] w[o]rld!'],
    ['l+', '$$', 'he$o wor$d!'],
    [' .*', '<$`>', 'hello<hello>'],
    ['hello', "$'", ' world! world!'],
    ['^h', '$_', 'hello world!ello world!'],
    ['(h)(?<x>e)', '$+', 'ello world!'],
    ['(h)|(x)', '<$2>', '<>ello world!'],
    ['h', `\${no}$9$`, `\${no}$9$ello world!`],
    ['z', 'x', 'hello world!'],
    ['x*', '-', '-h-e-l-l-o- -w-o-r-l-d-!-'],
  ])('replaces %s by %s', (pattern, replacement, result) => {
    expect(compilePattern(pattern).replaceAll('hello world!', replacement)).toBe(result);
  });

  it('finds what .NET finds for a repetition that may be empty', () => {
    expect(compilePattern('a*').replaceAll('baaac', '-')).toBe('-b--c-');
  });

  it.each<readonly [pattern: string, at: number, message: string]>([
    ['a(?=b)', 2, 'lookahead is not supported'],
    ['a(?!b)', 2, 'lookahead is not supported'],
    ['(?<=a)b', 1, 'lookbehind is not supported'],
    ['(?<!a)b', 1, 'lookbehind is not supported'],
    ['(?>a+)', 1, 'atomic groups are not supported'],
    ['(a)?(?(1)b|c)', 5, 'conditions in a pattern are not supported'],
    [String.raw`(a)\1`, 4, 'back-references are not supported'],
    [String.raw`(?<n>a)\k<n>`, 8, 'back-references are not supported'],
    ['(?<a-b>x)', 1, 'balancing groups are not supported'],
    ['(?<1>x)', 1, 'the name of a group begins with a letter'],
    ['(?P<n>x)', 1, 'a named one is written (?<name>…)'],
    [String.raw`\Ga`, 1, String.raw`\G is not supported`],
    ['[a-z-[aeiou]]', 5, 'one class cannot be subtracted from another'],
    ['x[a', 2, 'the class is not closed'],
    ['[z-a]', 2, 'the range runs backwards'],
    [String.raw`[a-\d]`, 2, 'a range ends with one character'],
    ['(a', 1, 'the group is not closed'],
    ['a)', 2, '")" without "("'],
    ['(?#a', 1, 'the comment is not closed'],
    ['*a', 1, 'there is nothing to repeat'],
    ['a|+', 3, 'there is nothing to repeat'],
    ['a**', 3, 'a repetition cannot be repeated'],
    ['a{2}{3}', 5, 'a repetition cannot be repeated'],
    ['a{3,2}', 2, 'the repetition runs backwards'],
    ['a{1001}', 2, 'at most 1000 repetitions'],
    ['(a{100}){100}', 1, 'multiply to more than 1000'],
    [String.raw`a\y`, 2, String.raw`the escape \y is not known`],
    ['a\\', 2, 'the pattern ends with a backslash'],
    [String.raw`\xZ`, 1, String.raw`\x needs 2 hexadecimal digits`],
    [String.raw`\u00`, 1, String.raw`\u needs 4 hexadecimal digits`],
    [String.raw`\c1`, 1, String.raw`\c needs a letter`],
    [String.raw`\p{Greek}`, 1, 'a category is written as'],
    [String.raw`\pL`, 1, 'a category is written as'],
  ])('refuses %s at %i: %s', (pattern, at, message) => {
    const error = errorOf(pattern);
    expect(error.message).toContain(message);
    expect(error.message.startsWith(`character ${at}: `)).toBe(true);
    expect([error.at, error.code]).toEqual([at, 'Invalid']);
  });

  it('refuses a pattern of too many instructions', () => {
    expect(errorOf('(?:ab?){900}(?:cd?){900}'.repeat(2)).message).toMatch(
      new RegExp(`^character 1: the pattern is too large: \\d+ instructions, at most ${MAX_PROGRAM}$`),
    );
  });
});

describe('the budget of steps', () => {
  const long = (unit: string) => unit.repeat(Math.ceil(100_000 / unit.length));

  it.each([
    ['(a+)+$', `${long('a')}!`],
    ['((a*)*)*b', long('a')],
    ['(a|a)*c', long('a')],
    ['(x+x+)+y', long('x')],
    ['((a|b)*)*[^ab]$', long('ab')],
    ['(.*)*(.*)*(.*)*=', long('a ')],
    ['(?:a?){20}a{20}$', `${long('a')}b`],
    [String.raw`^(\w+\s?)*$`, `${long('word ')}!`],
    [String.raw`([a-zA-Z0-9])(([\-.]|[_]+)?([a-zA-Z0-9]+))*(@){1}[a-z0-9]+[.]{1}`, long('a')],
  ])('%s looks at 100 KB once', (pattern, text) => {
    const compiled = compilePattern(pattern);
    const meter = createStepMeter();
    expect(compiled.isMatch(text, meter)).toBe(false);
    expect(meter.steps).toBe(compiled.stepsPerCharacter * (text.length + 1));
    const second = createStepMeter();
    expect(compiled.findAll(text, second)).toEqual([]);
    expect(second.steps).toBe(meter.steps);
    expect(compiled.stepsPerCharacter).toBeLessThan(100);
  });

  it('fails the record whose text would take more', () => {
    const text = long('ab');
    expect(() => compilePattern('b').replaceAll(text, '')).toThrow(
      new SyncError('RecordInvalid', 'the pattern would take more than 10000000 steps on this text'),
    );
    expect(() => compilePattern('(?:a?){999}').isMatch(text)).toThrow('would take more than');
    const meter = createStepMeter(100);
    expect(compilePattern('^').isMatch('x', meter)).toBe(true);
    expect(() => compilePattern('a').isMatch('x'.repeat(99), meter)).toThrow('more than 100 steps');
  });

  it('bounds what a replacement makes of a text', () => {
    expect(compilePattern('^').replaceAll('x'.repeat(1000), '$_'.repeat(1000)).length).toBe(1_001_000);
    expect(() => compilePattern('.').replaceAll('x'.repeat(500), '$_'.repeat(5000))).toThrow(
      'the text with the matches replaced is longer than 1048576 characters',
    );
  });

  it('throws nothing but PatternError, and what it accepts agrees with JavaScript', () => {
    const pieces = fc.constantFrom(
      ...[
        'a',
        'b',
        '(',
        ')',
        '(?:',
        '(?<n>',
        '[',
        ']',
        '^',
        '$',
        '*',
        '+',
        '?',
        '{2}',
        '|',
        '.',
        '\\d',
        '\\',
        '-',
        '{',
      ],
    );
    const patterns = fc.oneof(
      fc.string(),
      fc.array(pieces, { maxLength: 12 }).map((list) => list.join('')),
    );
    const texts = fc.string({ unit: fc.constantFrom('a', 'b', '1', '-'), maxLength: 8 });
    fc.assert(
      fc.property(patterns, texts, (pattern, text) => {
        let compiled: ReturnType<typeof compilePattern>;
        try {
          compiled = compilePattern(pattern);
        } catch (error) {
          expect(error).toBeInstanceOf(PatternError);
          return;
        }
        const found = compiled.isMatch(text);
        expect(compiled.findAll(text).length > 0).toBe(found);
        const native = toNative(pattern);
        if (native !== null) expect(native.test(text)).toBe(found);
      }),
      { numRuns: 3000 },
    );
  });
});

/** JavaScript's own reading, where it has one and the two dialects do not differ. */
function toNative(pattern: string): RegExp | null {
  if (!/^(?:[ab().*+?|^$]|\(\?:)*$/.test(pattern)) return null;
  try {
    return new RegExp(pattern);
  } catch {
    return null;
  }
}
