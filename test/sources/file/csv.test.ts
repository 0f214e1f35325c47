import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { toCsvLine } from '../../../scripts/generate-people.ts';
import type { FileRecord } from '../../../src/sources/file/convert.ts';
import { readCsv } from '../../../src/sources/file/csv.ts';
import { cut } from './chunks.ts';
import { readContent, readFailure, toFormatOptions } from './files.ts';

describe('CSV', () => {
  it('reads rows under their header, with positions as a spreadsheet counts them', async () => {
    const { users, attributes } = await readContent('id,displayName,department\n1,Ada Byron,Finance\n2,,Sales\n');
    expect(attributes).toEqual(['id', 'displayName', 'department']);
    expect(users).toEqual([
      {
        id: '1',
        active: true,
        position: 'row 2',
        attributes: { id: '1', displayName: 'Ada Byron', department: 'Finance' },
      },
      { id: '2', active: true, position: 'row 3', attributes: { id: '2', displayName: null, department: 'Sales' } },
    ]);
  });

  it.each([
    ['a quoted delimiter', 'id,name\n1,"Byron, Ada"\n', 'Byron, Ada'],
    ['a doubled quote', 'id,name\n1,"Ada ""Lace"" Byron"\n', 'Ada "Lace" Byron'],
    ['a line end inside quotes', 'id,name\r\n1,"Ada\r\nByron"\r\n', 'Ada\r\nByron'],
    ['blanks, which are the value’s own', 'id,name\n1,  Ada \n', '  Ada '],
    ['an empty quoted cell', 'id,name\n1,""\n', null],
    ['Windows line ends', 'id,name\r\n1,Ada\r\n', 'Ada'],
    ['old Macintosh line ends', 'id,name\r1,Ada\r', 'Ada'],
    ['line ends of both kinds', 'id,name\n1,Ada\r\n', 'Ada'],
    ['no line end after the last row', 'id,name\n1,Ada', 'Ada'],
    ['blank lines at the end', 'id,name\n1,Ada\n\n\r\n', 'Ada'],
    ['a byte order mark', '\uFEFFid,name\n1,Ada\n', 'Ada'],
    ['semicolons', 'id;name\n1;Ada, B\n', 'Ada, B'],
    ['tabs', 'id\tname\n1\tAda; B\n', 'Ada; B'],
    ['bars', 'id|name\n1|Ada\n', 'Ada'],
    ['a delimiter that stands quoted in the header more often', 'id;name;"a,b,c,d"\n1;Ada;x\n', 'Ada'],
    ['letters of all kinds', 'id,name\n1,Zoë 長谷川 🦊\n', 'Zoë 長谷川 🦊'],
  ])('takes %s', async (_because, content, name) => {
    const { users } = await readContent(content);
    expect(users.map((user) => user.attributes['name'])).toEqual([name]);
  });

  it('takes the delimiter that the config says, whatever the header looks like', async () => {
    const { users } = await readContent('id,x;a,b;name\n1;2;Ada\n', { delimiter: ';', idAttribute: 'id,x' });
    expect(users[0]?.attributes).toEqual({ 'id,x': '1', 'a,b': '2', name: 'Ada' });
  });

  it('reads a header alone as a whole list with nobody, whose columns are known', async () => {
    expect(await readContent('id,name\n')).toEqual({ users: [], attributes: ['id', 'name'] });
  });

  it('reads a single column', async () => {
    expect((await readContent('id\n1\n2\n\n')).users.map((user) => user.id)).toEqual(['1', '2']);
  });

  it.each([
    [
      'a quote that is never closed',
      'id,name\n1,Ada\n2,"Bo\n3,Cy\n',
      'row 3 has a quote that is never closed; the file is cut off or the quote must be doubled',
    ],
    [
      'a quote inside a bare cell',
      'id,name\n1,Ada "Lace" Byron\n',
      'row 2 has a quote inside a cell that is not quoted; quote the cell and double the quote',
    ],
    [
      'text after a closing quote',
      'id,name\n1,"Ada" Byron\n',
      'row 2 has text after a closing quote; a quote inside a quoted cell must be doubled',
    ],
    ['a short row', 'id,name\n1,Ada\n2\n3,Cy\n', 'row 3 has 1 cells where the header has 2; the row is cut off'],
    ['a short last row', 'id,name\n1,Ada\n2', 'row 3 has 1 cells where the header has 2; the row is cut off'],
    [
      'a row that is too long',
      'id,name\n1,Byron, Ada\n',
      'row 2 has 3 cells where the header has 2; a cell with the delimiter in it must be quoted',
    ],
    [
      'a blank line before the end',
      'id,name\n1,Ada\n\n2,Bo\n',
      'there is a blank line before row 3; blank lines may only be at the end',
    ],
    ['a name twice', 'id,mail,mail\n', 'the header has "mail" twice; each name must be there once'],
    ['a column without a name', 'id,,mail\n', 'column 2 has no name in the header'],
    ['a name that no object can have', 'id,__proto__\n', 'a column cannot be named __proto__'],
    ['no byte at all', '', 'it is empty; the first row must be a header'],
    ['nothing but line ends', '\n\r\n\n', 'it is empty; the first row must be a header'],
    ['an empty id', 'id,name\n1,Ada\n,Bo\n', 'row 3: the id ("id") is empty'],
    ['an id of blanks', 'id,name\n  ,Bo\n', 'row 2: the id ("id") is empty'],
    [
      'a cell longer than a megabyte',
      `id,name\n1,${'x'.repeat(1_100_000)}\n`,
      'row 2 is longer than 1 MiB; a quote may be missing',
    ],
  ])('fails for %s', async (_because, content, message) => {
    const failure = await readFailure(content);
    expect(failure).toMatchObject({ code: 'ReadFailed', scope: 'run', message: `cannot read people.csv: ${message}` });
  });

  it('never quotes a cell in a message: it may be personal data', async () => {
    const failure = await readFailure('id,name\n1,Ada "Lace" Byron\n');
    expect(failure.message).not.toContain('Ada');
  });

  it.each([
    [
      'names what is there and the column that is usual',
      'userPrincipalName,displayName,objectId\n',
      'id',
      'there is no column "id"; there are: userPrincipalName, displayName, objectId. Set idAttribute to the one that has each person\'s immutable id, for example objectId',
    ],
    [
      'names the one that was probably meant',
      'id,employeeNumber\n',
      'emplyeeNumber',
      'there is no column "emplyeeNumber"; there are: id, employeeNumber. Set idAttribute to the one that has each person\'s immutable id, for example employeeNumber',
    ],
    [
      'names the one of other case',
      'name,ID\n',
      'id',
      'there is no column "id"; there are: name, ID. Set idAttribute to the one that has each person\'s immutable id, for example ID',
    ],
    [
      'names none where none is near',
      'mail,displayName\n',
      'id',
      'there is no column "id"; there are: mail, displayName. Set idAttribute to the one that has each person\'s immutable id',
    ],
    [
      'shows no person where the header is missing',
      'ada@example.com,Ada Byron\n',
      'id',
      'there is no column "id"; what stands there looks like data, so the header may be missing. Add one, with a column for the id',
    ],
  ])('without the id column %s', async (_because, content, idAttribute, message) => {
    const failure = await readFailure(content, { idAttribute });
    expect(failure.message).toBe(`cannot read people.csv: ${message}`);
  });

  it('shows thirty of many columns', async () => {
    const header = Array.from(
      { length: 40 },
      (_, index) => `column${String.fromCharCode(97 + (index % 26))}${'x'.repeat(index)}`,
    );
    expect((await readFailure(`${header.join(',')}\n`)).message).toContain(' and 10 more. Set idAttribute');
  });

  it('gives back what was written, whatever is in the cells and wherever the chunks end', async () => {
    const nasty = fc.string({
      unit: fc.constantFrom('a', ',', ';', '\t', '|', '"', '\n', '\r', ' ', 'é', '長', '🦊', "'", '\\'),
    });
    const rows = fc.array(fc.tuple(fc.stringMatching(/^[a-z0-9]{1,4}$/), nasty, nasty), { maxLength: 12 });
    await fc.assert(
      fc.asyncProperty(rows, fc.integer({ min: 1, max: 40 }), fc.boolean(), async (cells, size, final) => {
        const text = [['id', 'a', 'b'], ...cells].map(toCsvLine).join('');
        const records = await readChunks(final ? text : text.slice(0, -1), size);
        expect(records.map((record) => Object.values(record.attributes))).toEqual(
          cells.map((row) => row.map((cell) => (cell === '' ? null : cell))),
        );
      }),
    );
  });

  it('notices a cut at any byte, but at the end of a row and inside the last cell', async () => {
    const text = 'id,name,department\n1,"Byron, Ada",Finance\n2,Bo,\n3,"Cy ""C""","Sales, EU"\n';
    const whole = await readChunks(text, 1000);
    const unnoticed: string[] = [];
    for (let length = 0; length < text.length; length += 1) {
      const content = text.slice(0, length);
      try {
        const records = await readChunks(content, 1000);
        unnoticed.push(content);
        expect(records.slice(0, -1)).toEqual(whole.slice(0, Math.max(0, records.length - 1)));
      } catch (thrown) {
        expect(thrown).toMatchObject({ code: 'ReadFailed' });
      }
    }
    const last = unnoticed.map((content) => content.split('\n').at(-1) ?? '');
    // The header's own last name while nobody has followed, a whole row without its line end, or a cut inside the last bare cell.
    expect(
      last.filter(
        (line) =>
          !/^(|id|id,[a-z]+|id,name,[a-z]+|1,"Byron, Ada",[A-Za-z]*|2,Bo,|3,"Cy ""C""",("Sales, EU")?)$/.test(line),
      ),
    ).toEqual([]);
    expect(unnoticed).not.toContain('id,name,department\n1,"Byron, Ada"');
    expect(unnoticed).not.toContain('id,name,department\n1,"Byron, Ada",Finance\n2,Bo');
  });
});

/** Rows of a text, handed over in chunks of so many bytes at most. */
async function readChunks(text: string, size: number): Promise<FileRecord[]> {
  const options = { ...toFormatOptions('people.csv'), delimiter: ',' };
  const records: FileRecord[] = [];
  for await (const batch of readCsv(cut(text, size), options)) records.push(...batch);
  return records;
}
