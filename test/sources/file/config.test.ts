import { describe, expect, it } from 'vitest';
import { fileSource } from '../../../src/sources/file/index.ts';
import { readContent } from './files.ts';

describe('the config of a file', () => {
  it.each([
    ['a path of a known extension', { users: { path: 'a/people.csv' } }],
    ['an extension in capitals', { users: { path: 'PEOPLE.TSV' } }],
    ['JSON Lines by either extension', { users: { path: 'people.ndjson' } }],
    ['the extension of a key', { users: { configMapRef: { name: 'people.d', key: 'x.json' } } }],
    ['LDIF', { users: { path: 'people.ldif' } }],
    ['the extension before that of gzip', { users: { path: 'people.csv.gz' } }],
    ['a format in words', { format: 'JSONLines' as const, users: { path: 'people.txt' } }],
    ['a delimiter', { delimiter: ':', users: { path: 'people.csv' } }],
  ])('takes %s', (_because, config) => {
    expect(fileSource.validate(config)).toEqual([]);
  });

  it.each([
    [
      { users: { path: 'people.txt' } },
      'the format of people.txt cannot be told from its extension; set format to CSV, JSON, JSONLines or LDIF',
    ],
    [
      { users: { path: 'csv' } },
      'the format of csv cannot be told from its extension; set format to CSV, JSON, JSONLines or LDIF',
    ],
    [
      { users: { configMapRef: { name: 'people.csv', key: 'list' } } },
      'the format of key list of ConfigMap people.csv cannot be told from its extension; set format to CSV, JSON, JSONLines or LDIF',
    ],
    [
      { users: { path: 'people.csv' }, delimiter: '"' },
      'delimiter must be one character and neither a quote nor a line end, as ";"',
    ],
    [
      { users: { path: 'people.csv' }, delimiter: '::' },
      'delimiter must be one character and neither a quote nor a line end, as ";"',
    ],
    [{ users: { path: 'people.json' }, delimiter: ';' }, 'delimiter is for CSV, but the format of people.json is JSON'],
  ])('refuses %j', (config, problem) => {
    expect(fileSource.validate(config)).toEqual([problem]);
  });

  it('reads by the format in words, whatever the extension', async () => {
    const { users } = await readContent('{"id":1}\n', { name: 'people.csv', format: 'JSONLines' });
    expect(users).toHaveLength(1);
  });
});

describe('who is active', () => {
  it.each([
    ['false in the portal’s spelling', 'accountEnabled', 'False', false],
    ['false in lower case', 'active', 'false', false],
    ['true', 'accountEnabled', 'True', true],
    ['an empty cell, which says nothing', 'active', '', true],
    ['a word that is not false', 'active', '0', true],
    ['another column', 'enabled', 'false', true],
  ])('a CSV with %s', async (_because, column, cell, active) => {
    expect((await readContent(`id,${column}\n1,${cell}\n`)).users[0]?.active).toBe(active);
  });

  it('is inactive by either of the two names', async () => {
    const { users } = await readContent('[{"id":1,"active":true,"accountEnabled":false},{"id":2,"active":false}]', {
      name: 'people.json',
    });
    expect(users.map((user) => user.active)).toEqual([false, false]);
  });
});
