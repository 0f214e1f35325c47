import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type CelOptions, type CelValues, compileCel } from '../../src/cel/compiler.ts';
import { CelProblem } from '../../src/cel/error.ts';
import { createFunctions } from '../../src/cel/functions.ts';
import { loadLibrary } from '../../src/cel/library.ts';
import { CostMeter } from '../../src/cel/meter.ts';
import { SyncError } from '../../src/errors.ts';
import type { Json } from '../../src/model.ts';
import { NOW } from '../support/builders.ts';

const ANY: CelOptions = { variables: ['user', 'desired', 'groups', 'now'], result: 'any' };

function evaluate(source: string, user: Readonly<Record<string, Json>> = {}, rest: CelValues = {}): Json {
  const compiled = compileCel(source, ANY);
  // As whoever evaluates does: a name that the person has no value for is null.
  const values = new Map(compiled.user.map((name) => [name, user[name] ?? null]));
  return compiled.evaluate({ user: values, now: NOW, ...rest });
}

const ADA: Readonly<Record<string, Json>> = {
  department: 'Sales',
  level: 7,
  share: 0.5,
  active: true,
  mails: ['ada@corp.example', 'a@example.com'],
  name: { givenName: 'Ada', familyName: 'Byron' },
  hired: '2026-06-01T00:00:00Z',
  note: null,
  'cost center': 'C-7',
};

const CASES: readonly (readonly [string, Json, string])[] = [
  ['user.department == "Sales"', true, 'a field'],
  ['user["cost center"] == "C-7"', true, 'a name that is no identifier'],
  ['user.department != "Legal" && user.level > 5', true, 'operators'],
  ['user.level + 1', 8, 'whole numbers stay whole'],
  ['user.share * 2.0', 1, 'others are doubles'],
  ['user.level > 6.5', true, 'numbers of both kinds compare'],
  ['user.active ? "yes" : "no"', 'yes', 'the conditional'],
  ['user.name.givenName + " " + user.name.familyName', 'Ada Byron', 'parts of an object'],
  ['user.name', { givenName: 'Ada', familyName: 'Byron' }, 'an object as it is'],
  ['user.mails', ['ada@corp.example', 'a@example.com'], 'a list as it is'],
  ['user.mails[0]', 'ada@corp.example', 'an element'],
  ['user.mails.exists(mail, mail.endsWith("@corp.example"))', true, 'exists'],
  ['user.mails.all(mail, mail.contains("@"))', true, 'all'],
  ['user.mails.exists_one(mail, mail.startsWith("a"))', false, 'exists_one'],
  ['user.mails.filter(mail, mail.startsWith("ada"))', ['ada@corp.example'], 'filter'],
  ['user.mails.map(mail, mail.size())', [16, 13], 'map'],
  ['user.mails.map(mail, mail.startsWith("ada"), size(mail))', [16], 'map with a filter'],
  ['has(user.note)', false, 'null is not there'],
  ['has(user.department)', true, 'a value is'],
  ['user.note == null', true, 'null compares'],
  ['has(user.name.middleName)', false, 'a part that is missing'],
  ['"Sales" in ["Sales", "Legal"]', true, 'in a list'],
  ['"givenName" in user.name', true, 'a key of a map'],
  ['{"a": 1}.a', 1, 'a map'],
  ['user.department.matches("^S.l")', true, 'a pattern'],
  ['user.department.matches("^al")', false, 'patterns are not anchored by themselves'],
  ['timestamp(user.hired) > now - duration("720h")', true, 'moments and durations'],
  ['now', '2026-06-15T00:00:00Z', 'a moment becomes text'],
  ['duration("90m")', '5400s', 'a duration too'],
  ['type(user.level) == int', true, 'types'],
  ['string(user.level)', '7', 'conversions'],
  ['int("42") + 1', 43, 'of text'],
  ['b"abc"', 'YWJj', 'bytes become Base64'],
  ['9007199254740993', '9007199254740993', 'what a number of JSON cannot hold becomes text'],
  ['[1, "a", null, true]', [1, 'a', null, true], 'a list of everything'],
  // The strings extension.
  ['"tacocat".charAt(3)', 'o', 'charAt'],
  ['"tacocat".indexOf("c")', 2, 'indexOf'],
  ['"tacocat".indexOf("c", 3)', 4, 'indexOf from a place'],
  ['"tacocat".indexOf("x")', -1, 'indexOf of what is not there'],
  ['"tacocat".indexOf("")', 0, 'indexOf of nothing'],
  ['"tacocat".lastIndexOf("c")', 4, 'lastIndexOf'],
  ['"tacocat".lastIndexOf("c", 3)', 2, 'lastIndexOf from a place'],
  ['"TacoÄ".lowerAscii()', 'tacoÄ', 'lowerAscii leaves other letters'],
  ['"tacoä".upperAscii()', 'TACOä', 'upperAscii too'],
  ['"a-b-c".replace("-", "+")', 'a+b+c', 'replace'],
  ['"a-b-c".replace("-", "+", 1)', 'a+b-c', 'replace of the first'],
  ['"a-b-c".replace("-", "+", 0)', 'a-b-c', 'replace of none'],
  ['"a-b-c".replace("-", "+", -1)', 'a+b+c', 'replace of all'],
  ['"a,b,c".split(",")', ['a', 'b', 'c'], 'split'],
  ['"a,b,c".split(",", 2)', ['a', 'b,c'], 'split keeps the rest together'],
  ['"a,b,c".split(",", 0)', [], 'split into none'],
  ['"a,b".split(",", -1)', ['a', 'b'], 'split into all'],
  ['"tacocat".substring(4)', 'cat', 'substring to the end'],
  ['"tacocat".substring(0, 4)', 'taco', 'substring'],
  ['"😀ab".substring(1)', 'ab', 'characters are counted, not units'],
  ['"  x \\t".trim()', 'x', 'trim'],
  ['" ".trim()', '', 'trim of blanks alone'],
  ['["a", "b"].join()', 'ab', 'join'],
  ['["a", "b"].join("-")', 'a-b', 'join with a separator'],
  ['"gums".reverse()', 'smug', 'reverse'],
  ['strings.quote("a\\"b")', '"a\\"b"', 'quote'],
  ['"%s is %d".format(["Ada", 7])', 'Ada is 7', 'format'],
  // The sets extension.
  ['sets.contains([1, 2, 3], [2, 1])', true, 'sets.contains'],
  ['sets.contains([1], [1, 2])', false, 'sets.contains of more'],
  ['sets.contains([], [])', true, 'sets.contains of nothing'],
  ['sets.equivalent([1, 1, 2], [2, 1])', true, 'sets.equivalent'],
  ['sets.equivalent([1], [1, 2])', false, 'sets.equivalent of others'],
  ['sets.intersects([1, 2], [2, 3])', true, 'sets.intersects'],
  ['sets.intersects([1], [])', false, 'sets.intersects with nothing'],
  // What the language itself has, as far as it does not stand above.
  ['-user.level', -7, 'a negative number'],
  ['7 - 2', 5, 'subtraction'],
  ['7 * 2', 14, 'multiplication'],
  ['7 / 2', 3, 'division of whole numbers'],
  ['7 % 2', 1, 'the rest'],
  ['!user.active', false, 'not'],
  ['user.level <= 7 || false', true, 'at most, and or'],
  ['user.level < 7', false, 'below'],
  ['user.level >= 7', true, 'at least'],
  ['uint(7) + 1u', 8, 'numbers without a sign'],
  ['double("0.5")', 0.5, 'text to double'],
  ['bool("true")', true, 'text to boolean'],
  ['string(bytes("abc"))', 'abc', 'text to bytes and back'],
  ['dyn(1) == 1', true, 'a value of any type'],
  ['duration("90s").getSeconds()', 90, 'seconds of a duration'],
  ['duration("90m").getMinutes()', 90, 'its minutes'],
  ['duration("90m").getHours()', 1, 'its hours'],
  ['timestamp("2026-06-15T10:20:30.500Z").getMilliseconds()', 500, 'milliseconds of a moment'],
  ['now.getFullYear()', 2026, 'its year'],
  ['now.getMonth()', 5, 'its month, from 0'],
  ['now.getDate()', 15, 'its day, from 1'],
  ['now.getDayOfMonth()', 14, 'its day, from 0'],
  ['now.getDayOfWeek()', 1, 'its day of the week, from Sunday'],
  ['now.getDayOfYear()', 165, 'its day of the year, from 0'],
  ['now.getHours("Europe/Belfast")', 1, 'its hour in a time zone'],
];

describe('compileCel', () => {
  it.each(CASES)('%s gives %j: %s', (source, expected) => {
    expect(evaluate(source, ADA)).toEqual(expected);
  });

  it('has a case for every function and operator', () => {
    const library = loadLibrary();
    const { funcs } = library.celEnv({ funcs: [...createFunctions(library, new CostMeter())] });
    const called = new Set<string>();
    const note = (key: string, value: unknown): unknown => {
      if (key === 'function') called.add(String(value));
      return typeof value === 'bigint' ? String(value) : value;
    };
    for (const [source] of CASES) JSON.stringify(library.parse(source).expr, note);
    const names = new Set([...funcs].map(({ name }) => name.replace(/^(?:sets|strings)\./, '')));
    expect([...names].filter((name) => !called.has(name))).toEqual([]);
  });

  it('knows groups and what the mappings give', () => {
    const groups = ['Engineering', 'Chess'];
    expect(evaluate('"Chess" in groups', {}, { groups })).toBe(true);
    expect(evaluate('sets.intersects(groups, ["Sales"])', {}, { groups })).toBe(false);
    expect(evaluate('desired.userName', {}, { desired: new Map([['userName', 'ada']]) })).toBe('ada');
  });

  it('says what it asks for', () => {
    const { user, desired, groups } = compileCel(
      'user.a == user["b c"] && has(user.d) && user.e.f == 1 && [1].all(user, user > 0) && desired["name.givenName"] == "x"',
      ANY,
    );
    expect(user).toEqual(['a', 'b c', 'd', 'e']);
    expect(desired).toEqual(['name.givenName']);
    expect(groups).toBe(false);
    expect(compileCel('size(groups) > 0', ANY).groups).toBe(true);
  });

  it.each<readonly [string, string]>([
    ['usr.department == "x"', 'column 1: undeclared reference to "usr"; did you mean "user"?'],
    ['department == "x"', 'column 1: undeclared reference to "department"; there are user, desired, groups, now'],
    ['user == null', 'column 1: user is asked by names: user.department or user["cost center"]'],
    ['user[string(1)]', 'column 6: user is asked by names: user["cost center"]'],
    ['user.a.startWith("x")', 'undeclared function "startWith"; did you mean "startsWith"?'],
    ['"a".startsWith(1)', 'no overload of "startsWith" takes string.(int)'],
    ['"a" + 1', 'no overload of "+" takes (string, int)'],
    ['1 == "a"', 'no overload of "==" takes (int, string)'],
    ['"a" in [1]', 'no overload of "in" takes (string, list(int))'],
    ['"a" in "abc"', 'no overload of "in" takes (string, string)'],
    ['1 && true', 'expected true or false, but this is of type int'],
    ['"x" ? 1 : 2', 'expected true or false, but this is of type string'],
    ['!"x"', 'expected true or false, but this is of type string'],
    ['"abc".all(x, true)', 'a value of type string has no elements to go through'],
    ['[1].all(x, x.startsWith("a"))', 'no overload of "startsWith" takes int.(string)'],
    ['[1].map(x, x + 1)["a"]', 'no overload of "[]" takes'],
    ['"a".b', 'a value of type string has no field "b"'],
    ['now.b', 'a value of type google.protobuf.Timestamp has no field "b"'],
    ['now + 1', 'no overload of "+" takes (google.protobuf.Timestamp, int)'],
    ['now > "2026-01-01"', 'no overload of ">" takes (google.protobuf.Timestamp, string)'],
    ['user.a.matches("(")', 'the regular expression cannot be compiled'],
    ['user.a.matches("(?=x)")', 'the regular expression cannot be compiled'],
    ['Person{name: "x"}', 'there is no message "Person"; a map is written as {"key": value}'],
    ['foo()', 'undeclared function "foo"'],
    ['size(1)', 'no overload of "size" takes (int)'],
    ['user.a ==', 'column 8: cannot be read from here on: "=="'],
    ['user.a == "x', 'cannot be read from here on'],
    ['', 'column 1: the expression is not complete'],
    ['true &&\n  usr.a', 'line 2, column 3: undeclared reference to "usr"'],
  ])('refuses %j: %s', (source, message) => {
    expect(() => compileCel(source, ANY)).toThrow(CelProblem);
    expect(() => compileCel(source, ANY)).toThrow(message);
  });

  it('refuses a variable that is not there, and what is neither true nor false where that is wanted', () => {
    const rule: CelOptions = { variables: ['user'], result: 'bool' };
    expect(() => compileCel('"x" in groups', rule)).toThrow('undeclared reference to "groups"');
    expect(() => compileCel('user.a', rule)).not.toThrow();
    expect(() => compileCel('1 + 1', rule)).toThrow('column 1: expected true or false, but this gives int');
    expect(() => compileCel('user.a', rule).evaluate({ user: new Map([['a', 'x']]) })).toThrow(
      'the expression gives neither true nor false',
    );
  });

  it.each<readonly [string, string]>([
    ['user.note.startsWith("x")', 'has(user.name) asks whether there is a value'],
    ['user.department + user.level', 'found no matching overload'],
    ['user.mails[7]', ''],
    ['1 / 0', ''],
    ['int(user.department)', ''],
    ['user.mails.join(user.level)', 'found no matching overload'],
    ['"abc".substring(2, 1)', 'substring: the end stands before the start'],
    ['"abc".charAt(4)', 'index 4 is outside of the text'],
    ['[1].join()', 'join: the list holds what is no string'],
    ['user.department.matches(user.department + "(")', 'the regular expression cannot be compiled'],
    ['type(1)', 'the expression gives a type, which is no value'],
    ['1.0 / 0.0', 'the expression gives no finite number'],
  ])('fails the one record for %s', (source, message) => {
    const error = catchError(() => evaluate(source, ADA));
    expect(error.code).toBe('RecordInvalid');
    expect(error.message).toContain(message);
  });

  const ten = '[0, 1, 2, 3, 4, 5, 6, 7, 8, 9]';
  const grown = (times: number): string => `["0123456789"]${'.map(x, x + x)'.repeat(times)}[0].size()`;

  it.each<readonly [string, string]>([
    [`${`${ten}.all(a, `.repeat(7)}true${')'.repeat(7)}`, 'loops within loops'],
    [
      `${ten}${'.map(x, [x, x, x, x, x, x, x, x, x, x])'.repeat(1)}.map(x, x.map(y, ${ten}.map(z, ${ten}.map(w, ${ten}.map(v, ${ten}))))).size() > 0`,
      'loops that make lists',
    ],
    [grown(40), 'texts that double'],
    [
      `"${'a'.repeat(2000)}".replace("a", "${'b'.repeat(2000)}").replace("b", "${'c'.repeat(2000)}").size()`,
      'texts that are replaced by longer ones',
    ],
    [
      `${ten}.all(x, ${ten}.all(y, ${ten}.all(z, "${'a'.repeat(6000)}".matches("(a*)*b") == false)))`,
      'patterns that try much',
    ],
    [`true || ${grown(40)} > 0 || ${grown(40)} > 0`, ''],
  ])('costs at most so much: %#', (source, because) => {
    const run = () => evaluate(source, ADA);
    if (because === '') expect(run()).toBe(true);
    else expect(catchError(run).message).toBe('the expression would cost more than 100000');
  });

  it('begins every evaluation with a whole budget', () => {
    const compiled = compileCel(`${ten}.map(a, ${ten}.map(b, a + b)).size()`, ANY);
    for (let round = 0; round < 300; round += 1) expect(compiled.evaluate({})).toBe(10);
  });

  it('throws nothing but its own error for any text', () => {
    const piece = fc.constantFrom(
      ...[
        'user',
        '.',
        'a',
        '(',
        ')',
        '[',
        ']',
        '"x"',
        '&&',
        '==',
        '1',
        'has',
        'map',
        ',',
        'now',
        '{',
        '}',
        ':',
        '?',
        '!',
        '\n',
        'in',
      ],
    );
    const anything = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.array(piece, { maxLength: 12 }).map((parts) => parts.join('')),
    );
    fc.assert(
      fc.property(anything, (text) => {
        try {
          compileCel(text, ANY);
        } catch (thrown) {
          expect(thrown).toBeInstanceOf(CelProblem);
        }
      }),
      { numRuns: 500 },
    );
  });

  it('refuses an expression that is nested too deep', () => {
    expect(() => compileCel(`${'('.repeat(5000)}1${')'.repeat(5000)}`, ANY)).toThrow(CelProblem);
  });
});

function catchError(run: () => unknown): SyncError {
  try {
    run();
  } catch (thrown) {
    return SyncError.from(thrown);
  }
  throw new Error('nothing was thrown');
}
