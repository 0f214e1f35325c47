import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ExpressionError } from '../../src/expression/error.ts';
import { parseSourcePath, readSourcePath, topLevelNames } from '../../src/expression/paths.ts';
import type { Json } from '../../src/model.ts';

const ENTERPRISE = 'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User';

const record: Readonly<Record<string, Json>> = {
  mail: 'ada@example.com',
  Mail: 'other case',
  'First Name': 'Ada',
  'a.b.c': null,
  'x.y.z': 'xyz',
  'x.y': { z: 'x.y, z', w: 'x.y, w' },
  x: { y: { z: 'x, y, z', v: 'x, y, v' }, 'y.u': 'x, y.u' },
  name: { givenName: 'Ada', familyName: null },
  phones: [
    { type: 'Home', value: '1', primary: false },
    { type: 'Work', value: '2', primary: true, order: 7 },
    { type: 'work', value: '3' },
  ],
  single: { type: 'work', value: 'only' },
  mails: ['first', 'second'],
  matrix: [[1, 2], [3]],
  quoted: [{ type: 'a"b]', value: 'q' }],
  [ENTERPRISE]: { department: 'Sales', manager: { value: '42' } },
  'urn:acme:2.0:User:tier': 'gold',
  'q"t': { 'd.e': 'forced' },
};

describe('readSourcePath', () => {
  it.each<readonly [path: string, value: Json, because: string]>([
    ['mail', 'ada@example.com', 'a name'],
    ['Mail', 'other case', 'names are case-sensitive'],
    ['MAIL', null, 'no other case is tried'],
    ['First Name', 'Ada', 'names hold blanks'],
    ['name.givenName', 'Ada', 'nesting'],
    ['name.familyName', null, 'null there'],
    ['name.middleName.more', null, 'nothing there'],
    ['mail.length', null, 'a text has no attributes'],
    ['mails.length', null, 'a list has no attributes'],
    ['a.b.c', null, 'a verbatim key that is null is null'],
    ['x.y.z', 'xyz', 'the verbatim key comes first'],
    ['x.y.w', 'x.y, w', 'then the longest key at the first level'],
    ['x.y.v', 'x, y, v', 'then shorter ones'],
    ['x.y.u', 'x, y.u', 'longest first at the second level too'],
    ['["x.y"].z', 'x.y, z', 'a forced name is one key'],
    ['["x"]["y"].z', 'x, y, z', 'forced names in a row'],
    ['["q\\"t"]["d.e"]', 'forced', 'quotes are escaped'],
    ['mails[1]', 'second', 'an index'],
    ['mails[2]', null, 'past the end'],
    ['matrix[0][1]', 2, 'an index after an index'],
    ['phones[primary].value', '2', 'the entry that is marked as primary'],
    ['mails[ Primary ]', 'first', 'else the first one'],
    ['single[primary].value', 'only', 'a single entry'],
    ['name.more[primary].value', null, 'no list'],
    ['mail[0]', 'ada@example.com', 'a single value is a list of one'],
    ['mail[1]', null, 'and of no more'],
    ['phones[type eq "work"].value', '2', 'the first entry that matches, without case'],
    ['phones[type EQ "HOME"].value', '1', 'the operator without case too'],
    ['phones[type eq "fax"].value', null, 'no entry'],
    ['phones[primary eq true].value', '2', 'a boolean'],
    ['phones[order eq 7].value', '2', 'a number'],
    ['phones[order eq "7"].value', null, 'a text is no number'],
    ['phones[ type  eq "home" ]', { type: 'Home', value: '1', primary: false }, 'the whole entry'],
    ['single[type eq "work"].value', 'only', 'a single entry is a list of one'],
    ['mails[type eq "work"]', null, 'texts have no attributes to select by'],
    ['quoted[type eq "a\\"b]"].value', 'q', 'quotes and brackets in a literal'],
    [`${ENTERPRISE}:department`, 'Sales', 'a colon after a URN'],
    [`${ENTERPRISE}:manager.value`, '42', 'and a dot after that'],
    [`${ENTERPRISE}.department`, 'Sales', 'a dot after a URN'],
    ['urn:acme:2.0:User:tier', 'gold', 'a URN that is a key'],
    [`["${ENTERPRISE}"].department`, 'Sales', 'a forced URN'],
    ['__proto__', null, 'no prototype'],
    ['constructor.name', null, 'no constructor'],
    ['name.toString', null, 'no method'],
    ['mails.__proto__', null, 'of a list neither'],
    ['phones[constructor eq "x"]', null, 'selectors see own properties only'],
  ])('%s is %j: %s', (path, value) => {
    expect(readSourcePath(parseSourcePath(path), record)).toEqual(value);
  });

  it('reads an own key named __proto__', () => {
    const own = JSON.parse('{"__proto__": {"a": "own"}}') as Record<string, Json>;
    expect(readSourcePath(parseSourcePath('__proto__.a'), own)).toBe('own');
  });
});

describe('topLevelNames', () => {
  it.each([
    ['mail', ['mail']],
    ['a.b.c', ['a.b.c', 'a.b', 'a']],
    ['a.b[0].c', ['a.b', 'a']],
    ['["a.b"].c', ['a.b']],
    ['urn:x:2.0:User:y', ['urn:x:2.0:User:y', 'urn:x:2.0:User', 'urn:x:2.0', 'urn:x:2', 'urn:x', 'urn']],
  ])('%s may be found under %j', (path, names) => {
    expect(topLevelNames(parseSourcePath(path))).toEqual(names);
  });
});

describe('parseSourcePath', () => {
  it.each([
    ['', 'column 1: the path is empty'],
    ['a..b', 'column 3: a name is empty'],
    ['.a', 'column 1: a name is empty'],
    ['a.', 'column 3: a name is empty'],
    ['a.[0]', 'column 3: a name is empty'],
    ['a[0]b', 'column 5: expected "." or "["'],
    ['a[0].', 'column 5: expected a name after "."'],
    ['a[0].[1]', 'column 5: expected a name after "."'],
    ['a[0]..b', 'column 6: a name is empty'],
    ['a]b', 'column 2: "]" without "["'],
    ['[0]', 'column 1: a path begins with a name'],
    ['a[type ne "x"]', 'column 2: expected an index like [0], a selector like [type eq "work"] or a name like ["a.b"]'],
    ['a[-1]', 'column 2: expected an index like [0], a selector like [type eq "work"] or a name like ["a.b"]'],
    ['a[', 'column 2: expected an index like [0], a selector like [type eq "work"] or a name like ["a.b"]'],
    ['["a', 'column 2: the name is not closed with "'],
    ['["a"', 'column 5: expected "]" after the name'],
    ['[""]', 'column 1: a name is empty'],
    ['x'.repeat(1001), 'column 1001: a path has at most 1000 characters'],
    [`${'a.'.repeat(32)}a`, 'column 1: a path has at most 32 names'],
  ])('refuses %s', (path, message) => {
    expect(() => parseSourcePath(path)).toThrow(ExpressionError);
    expect(() => parseSourcePath(path)).toThrow(message);
  });

  it('throws nothing but ExpressionError, and what it accepts can be read from any record', () => {
    const pieces = fc.constantFrom(
      'a',
      'b',
      '.',
      '[',
      ']',
      '"',
      '0',
      ' eq ',
      'type',
      ':',
      'urn:',
      '\\',
      '__proto__',
      ' ',
    );
    const texts = fc.oneof(
      fc.string(),
      fc.array(pieces, { maxLength: 15 }).map((list) => list.join('')),
    );
    const records = fc.dictionary(
      fc.constantFrom('a', 'b', 'a.b', 'type', 'urn:a'),
      fc.jsonValue() as fc.Arbitrary<Json>,
    );
    fc.assert(
      fc.property(texts, records, (text, attributes) => {
        try {
          expect(readSourcePath(parseSourcePath(text), attributes)).toBeDefined();
        } catch (error) {
          expect(error).toBeInstanceOf(ExpressionError);
        }
      }),
      { numRuns: 2000 },
    );
  });

  it('finds every key of a record when it is forced', () => {
    fc.assert(
      fc.property(fc.string({ minLength: 1, maxLength: 50 }), (key) => {
        const forced = `["${key.replace(/["\\]/g, '\\$&')}"]`;
        expect(readSourcePath(parseSourcePath(forced), Object.fromEntries([[key, 'found']]))).toBe('found');
      }),
    );
  });
});
