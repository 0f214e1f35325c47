import { describe, expect, it } from 'vitest';
import { readContent, readFailure } from './files.ts';

const merged = (content: string, name = 'people.csv') => readContent(content, { name, duplicateIds: 'Merge' });

describe('duplicateIds: Merge', () => {
  it('makes one person of the rows of one id, wherever they stand', async () => {
    const { users, attributes } = await merged(
      'id,name,team,cost\n1,Ada,Sales,\n2,Bo,Finance,7\n1,Ada,Support,9\n3,Cy,,\n1,Ada,Sales,\n',
    );
    expect(users).toEqual([
      {
        id: '1',
        active: true,
        position: 'row 2',
        attributes: { name: 'Ada', team: ['Sales', 'Support'], cost: '9', id: '1' },
      },
      { id: '2', active: true, position: 'row 3', attributes: { name: 'Bo', team: 'Finance', cost: '7', id: '2' } },
      { id: '3', active: true, position: 'row 5', attributes: { name: 'Cy', team: null, cost: null, id: '3' } },
    ]);
    expect(attributes).toEqual(['id', 'name', 'team', 'cost']);
  });

  it('joins lists, and keeps a list a list', async () => {
    const rows = [
      { id: 1, teams: ['a'], mails: ['x'], name: { first: 'Ada' }, tags: [] },
      { id: 1, teams: ['b', 'a'], mails: null, name: { first: 'Ada' } },
      { id: 1, teams: 'c', name: { first: 'Ada', last: 'Byron' } },
    ];
    const { users } = await merged(JSON.stringify(rows), 'people.json');
    expect(users[0]?.attributes).toEqual({
      id: 1,
      teams: ['a', 'b', 'c'],
      mails: ['x'],
      name: [{ first: 'Ada' }, { first: 'Ada', last: 'Byron' }],
      tags: [],
    });
  });

  it('takes a person for inactive only where all rows say so', async () => {
    const { users } = await merged('id,active\n1,false\n1,true\n2,false\n2,FALSE\n3,false\n3,\n');
    expect(users.map(({ id, active }) => [id, active])).toEqual([
      ['1', true],
      ['2', false],
      ['3', true],
    ]);
  });

  it('takes ids as a read without it does', async () => {
    const { users } = await merged('[{"id":7},{"id":"7"}]', 'people.json');
    expect(users.map(({ id }) => id)).toEqual(['7']);
    const failure = await readFailure('id,name\n1,Ada\n,Bo\n', { duplicateIds: 'Merge' });
    expect(failure.message).toBe('cannot read people.csv: row 3: the id ("id") is empty');
  });

  it('leaves rows of one id as they are without it', async () => {
    const { users } = await readContent('id,team\n1,a\n1,b\n');
    expect(users.map(({ position }) => position)).toEqual(['row 2', 'row 3']);
  });

  it('refuses what all rows of one id have together when it is too large', async () => {
    const row = (index: number) => `1,${String(index).padEnd(400_000, 'x')}\n`;
    const failure = await readFailure(`id,text\n${row(1)}${row(2)}${row(3)}`, { duplicateIds: 'Merge' });
    expect(failure.message).toBe(
      'cannot read people.csv: row 4: what the rows of its id have together is larger than 1 MiB',
    );
  });

  it('keeps the order of thousands', async () => {
    const rows = Array.from({ length: 4_000 }, (_, index) => `${index % 1_300},${index}\n`);
    const { users } = await merged(`id,n\n${rows.join('')}`);
    expect(users.map(({ id }) => id)).toEqual(Array.from({ length: 1_300 }, (_, index) => String(index)));
    expect(users[5]?.attributes['n']).toEqual(['5', '1305', '2605', '3905']);
  });
});
