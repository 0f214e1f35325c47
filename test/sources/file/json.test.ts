import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createNameCollector } from '../../../src/sources/attribute-names.ts';
import type { FileRecord } from '../../../src/sources/file/convert.ts';
import { readJson } from '../../../src/sources/file/json.ts';
import { readJsonLines } from '../../../src/sources/file/json-lines.ts';
import { cut } from './chunks.ts';
import { readContent, readFailure, toFormatOptions } from './files.ts';

const JSON_FILE = { name: 'people.json' };
const LINES_FILE = { name: 'people.jsonl' };

describe('JSON', () => {
  it('reads a list of objects, nested ones and lists kept', async () => {
    const ada = { id: 7, name: { givenName: 'Ada', more: { x: null } }, teams: ['a', { b: 1 }], active: true };
    const { users, attributes } = await readContent(JSON.stringify([ada, { id: 'b', 'dotted.name': [] }]), JSON_FILE);
    expect(users).toEqual([
      { id: '7', active: true, position: 'record 1', attributes: ada },
      { id: 'b', active: true, position: 'record 2', attributes: { id: 'b', 'dotted.name': [] } },
    ]);
    expect(attributes).toEqual([
      'id',
      'name',
      'name.givenName',
      'name.more',
      'name.more.x',
      'teams',
      'active',
      'dotted.name',
    ]);
  });

  it.each([
    ['an object with "users"', '{"users":[{"id":"1"}]}', ['1']],
    ['other members before and after it', '{"$schema":"x","n":[1,{"a":"]"}],"users":[{"id":"1"}],"count":1e3}', ['1']],
    ['a member with the name of the list inside another', '{"meta":{"users":[1]},"users":[{"id":"1"}]}', ['1']],
    ['brackets and quotes inside texts', '[{"id":"a]}\\",[{"},{"id":"\\\\"}]', ['a]}",[{', '\\']],
    ['white space everywhere', ' \r\n\t[ {"id" : "1" }\n,\n{"id":"2"} ] \n', ['1', '2']],
    ['a byte order mark', '\uFEFF[{"id":"1"}]', ['1']],
    ['nobody', '[]', []],
    ['nobody in "users"', '{ "users" : [ ] }', []],
  ])('takes %s', async (_because, content, ids) => {
    expect((await readContent(content, JSON_FILE)).users.map((user) => user.id)).toEqual(ids);
  });

  it.each([
    ['no byte', '', 'it is empty; there must be a list of objects'],
    ['white space alone', ' \n', 'it is empty; there must be a list of objects'],
    ['an end inside a record', '[{"id":"1"},{"id":"2', 'it ends in the middle of record 2; it is cut off'],
    ['an end after a record', '[{"id":"1"}', 'it ends before its list is closed, after record 1; it is cut off'],
    ['an end after a comma', '[{"id":"1"},', 'it ends before its list is closed, after record 1; it is cut off'],
    [
      'an end before "users" is closed',
      '{"users":[{"id":"1"}]',
      'it ends before its list is closed, after record 1; it is cut off',
    ],
    ['no list', '{"people":[{"id":"1"}]}', 'it has no list: it must be one, or an object with "users"'],
    ['"users" that is no list', '{"users":{"id":"1"}}', '"users" is no list'],
    ['"users" twice', '{"users":[],"users":[]}', '"users" is there twice'],
    ['a text at the top', '"id"', 'it is no valid JSON: a list or an object with "users" must begin at byte 1'],
    [
      'a missing comma',
      '[{"id":"1"} {"id":"2"}]',
      'it is no valid JSON: a comma or ] must be at byte 13, after record 1',
    ],
    ['a comma too many', '[{"id":"1"},]', 'it is no valid JSON: a record must be at byte 13, after record 1'],
    ['a second list', '[{"id":"1"}][]', 'it is no valid JSON: nothing may follow at byte 13, after record 1'],
    ['a missing colon', '{"users" []}', 'it is no valid JSON: a colon must be at byte 10'],
    ['a name without quotes', '{users:[]}', 'a name is no valid JSON; it may be cut off'],
    ['a record that is no object', '[{"id":"1"},17]', 'record 2 is no object'],
    ['a record that is null', '[null]', 'record 1 is no object'],
    ['a list in the list', '[["id"]]', 'record 1 is no object'],
    ['a record that does not parse', '[{"id":"1"},{"id":tru}]', 'record 2 is no valid JSON; it may be cut off'],
    [
      'a record without the id',
      '[{"objectId":"1","mail":"x"}]',
      'record 1 has no "id"; there are: objectId, mail. Set idAttribute to the one that has each person\'s immutable id, for example objectId',
    ],
    [
      'an empty record',
      '[{}]',
      'record 1 has no "id"; it has nothing. Set idAttribute to the one that has each person\'s immutable id',
    ],
    ['an id that is null', '[{"id":null}]', 'record 1: the id ("id") is empty'],
    ['an id that is a list', '[{"id":["1"]}]', 'record 1: the id ("id") is neither a text nor an integer'],
    [
      'an id that loses digits',
      '[{"id":12345678901234567890}]',
      'record 1: the id ("id") is a number that is no integer below 2^53; write it as a text, in quotes',
    ],
    [
      'a record larger than a megabyte',
      `[{"id":"${'x'.repeat(1_100_000)}"}]`,
      'record 1 is larger than 1 MiB; a quote or bracket may be missing',
    ],
    [
      'a member larger than a megabyte',
      `{"x":"${'x'.repeat(1_100_000)}"}`,
      'the value of "x" is larger than 1 MiB; a quote or bracket may be missing',
    ],
  ])('fails for %s', async (_because, content, message) => {
    const failure = await readFailure(content, JSON_FILE);
    expect(failure).toMatchObject({ code: 'ReadFailed', message: `cannot read people.json: ${message}` });
  });

  it('gives back what was written, wherever the chunks end', async () => {
    await fc.assert(
      fc.asyncProperty(
        listOfObjects,
        fc.integer({ min: 1, max: 40 }),
        fc.nat({ max: 2 }),
        async (list, size, indent) => {
          const expected = list.map((each, index) => ({ position: `record ${index + 1}`, attributes: each }));
          expect(await readText(readJson, JSON.stringify(list, null, indent), size)).toEqual(expected);
          expect(await readText(readJson, JSON.stringify({ a: list, users: list }, null, indent), size)).toEqual(
            expected,
          );
        },
      ),
    );
  });

  it('notices a cut at every byte', async () => {
    const list = JSON.stringify([
      { id: '1', name: 'é"]' },
      { id: '2', tags: [{}, 'x'] },
    ]);
    for (const text of [list, `{"n":1,"users":${list}}`]) {
      for (let length = 0; length < text.length; length += 1) {
        await expect(readText(readJson, text.slice(0, length), 1000), text.slice(0, length)).rejects.toMatchObject({
          code: 'ReadFailed',
        });
      }
    }
  });

  it('takes no text that JSON.parse refuses', async () => {
    const token = fc.constantFrom('[', ']', '{', '}', ',', ':', '"id"', '"users"', '1', 'null', ' ', '"', '\\', 'x');
    await fc.assert(
      fc.asyncProperty(fc.array(token, { maxLength: 12 }), async (tokens) => {
        const text = tokens.join('');
        const read = await readText(readJson, text, 3).then(
          () => true,
          () => false,
        );
        expect(read && !isJson(text)).toBe(false);
      }),
      { numRuns: 2000 },
    );
  });
});

describe('JSON Lines', () => {
  it('reads an object a line; the last line needs no line end', async () => {
    const { users, attributes } = await readContent('{"id":1,"a":{"b":2}}\r\n{"id":"2","c":null}', LINES_FILE);
    expect(users.map(({ id, position }) => [id, position])).toEqual([
      ['1', 'line 1'],
      ['2', 'line 2'],
    ]);
    expect(attributes).toEqual(['id', 'a', 'a.b', 'c']);
  });

  it('takes blank lines at the end', async () => {
    expect((await readContent('{"id":1}\n\n \r\n', LINES_FILE)).users).toHaveLength(1);
  });

  it.each([
    ['no line', '', 'it is empty; there must be one object a line'],
    ['blank lines alone', '\n\n', 'it is empty; there must be one object a line'],
    ['a line that does not parse', '{"id":1}\n{"id":}\n{"id":3}\n', 'line 2 is no valid JSON; it may be cut off'],
    ['an end that does not parse', '{"id":1}\n{"id":2', 'line 2 is no valid JSON; it may be cut off'],
    ['a line that is no object', '{"id":1}\n[]\n', 'line 2 is no object'],
    ['a blank line before the end', '{"id":1}\n\n{"id":2}\n', 'line 2 is blank; blank lines may only be at the end'],
    [
      'a line without the id',
      '{"id":1}\n{"name":"x"}\n',
      'line 2 has no "id"; there are: name. Set idAttribute to the one that has each person\'s immutable id',
    ],
    ['an empty id', '{"id":""}\n', 'line 1: the id ("id") is empty'],
    ['a line longer than a megabyte', `{"id":"${'x'.repeat(1_100_000)}"}\n`, 'line 1 is longer than 1 MiB'],
  ])('fails for %s', async (_because, content, message) => {
    const failure = await readFailure(content, LINES_FILE);
    expect(failure).toMatchObject({ code: 'ReadFailed', message: `cannot read people.jsonl: ${message}` });
  });

  it('gives back what was written, wherever the chunks end', async () => {
    await fc.assert(
      fc.asyncProperty(listOfObjects, fc.integer({ min: 1, max: 40 }), async (list, size) => {
        fc.pre(list.length > 0);
        const text = list.map((each) => JSON.stringify(each)).join('\n');
        expect(await readText(readJsonLines, text, size)).toEqual(
          list.map((each, index) => ({ position: `line ${index + 1}`, attributes: each })),
        );
      }),
    );
  });

  it('notices a cut at every byte but those where a line ends', async () => {
    const lines = ['{"id":"1","n":{"x":[1]}}', '{"id":"2"}'];
    const text = `${lines.join('\n')}\n`;
    const unnoticed: string[] = [];
    for (let length = 0; length < text.length; length += 1) {
      const content = text.slice(0, length);
      if (await isRead(content)) unnoticed.push(content);
    }
    expect(unnoticed).toEqual([lines[0], `${lines[0]}\n`, lines.join('\n')]);
  });
});

describe('names of attributes', () => {
  it('stops at ten thousand, so that objects used as maps do not grow it without end', () => {
    const names = createNameCollector();
    names.addRecord({ id: '1' });
    for (let index = 0; index < 11_000; index += 1) names.addRecord({ [`key${index}`]: 1 });
    expect(names.list()).toHaveLength(10_000);
    expect(names.list()[0]).toBe('id');
  });

  it('stops at a depth that no directory has', () => {
    const names = createNameCollector();
    names.addRecord(JSON.parse(`${'{"a":'.repeat(10_000)}1${'}'.repeat(10_000)}`));
    expect(names.list()).toHaveLength(32);
  });
});

const listOfObjects = fc
  .array(fc.dictionary(fc.string({ unit: 'binary' }), fc.jsonValue({ stringUnit: 'binary' })), { maxLength: 6 })
  // -0 is 0 in JSON, and the name is one that objects do not keep.
  .map((list) => JSON.parse(JSON.stringify(list).replaceAll('\\u0000', '')) as Record<string, never>[]);

async function readText(read: typeof readJson, text: string, size: number): Promise<FileRecord[]> {
  const options = toFormatOptions('people.json');
  const records: FileRecord[] = [];
  for await (const batch of read(cut(text, size), options)) records.push(...batch);
  return records;
}

function isRead(text: string): Promise<boolean> {
  return readText(readJsonLines, text, 1000).then(
    () => true,
    () => false,
  );
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
