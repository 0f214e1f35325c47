import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { SyncError } from '../../../src/errors.ts';
import type { FileSourceConfig } from '../../../src/sources/file/config.ts';
import type { GroupPage } from '../../../src/sources/source.ts';
import { connectFile, createFileAccess, withFolder } from './files.ts';

async function readGroups(name: string, text: string, more: Partial<FileSourceConfig> = {}): Promise<GroupPage[]> {
  return withFolder(async (folder) => {
    await writeFile(join(folder, name), text);
    const config = { users: { path: 'people.csv' }, groups: { path: name }, ...more };
    const source = await connectFile(config, createFileAccess(folder));
    const pages: GroupPage[] = [];
    for await (const page of source.readGroups?.([], new AbortController().signal) ?? []) pages.push(page);
    return pages;
  });
}

async function failure(name: string, text: string, more: Partial<FileSourceConfig> = {}): Promise<string> {
  try {
    await readGroups(name, text, more);
  } catch (thrown) {
    if (thrown instanceof SyncError) return `${thrown.code}: ${thrown.message}`;
    throw thrown;
  }
  return 'no error';
}

const any = (...refs: readonly string[]) => refs.map((ref) => ({ kind: 'Any', ref }));

describe('groups of a file', () => {
  it.each([
    ['groups.csv', 'id,displayName,members\ng1,Eng,p1; p2;ada@example.com\ng2,Ops,\n', 'CSV, separated by semicolons'],
    [
      'groups.json',
      JSON.stringify([
        { id: 'g1', displayName: 'Eng', members: ['p1', { value: 'p2' }, { id: 'ada@example.com' }] },
        { id: 'g2', displayName: 'Ops' },
      ]),
      'JSON: texts, or objects with value or id',
    ],
    [
      'groups.jsonl',
      '{"id":"g1","displayName":"Eng","members":"p1;p2;ada@example.com"}\n{"id":"g2","displayName":"Ops","members":null}\n',
      'JSON Lines: one text',
    ],
  ])('%s gives ids, names and members (%s)', async (name, text) => {
    const pages = await readGroups(name, text);
    expect(pages.map(({ end }) => end !== undefined)).toEqual([true]);
    expect(pages[0]?.groups.map(({ id, displayName }) => [id, displayName])).toEqual([
      ['g1', 'Eng'],
      ['g2', 'Ops'],
    ]);
    expect(pages[0]?.members).toEqual([
      { group: 'g1', members: any('p1', 'p2', 'ada@example.com') },
      { group: 'g2', members: [] },
    ]);
  });

  it('a number is a member by its digits, and a group without a name is called by its id', async () => {
    const [page] = await readGroups('groups.json', '[{"id":7,"who":[12]}]', { membersAttribute: 'who' });
    expect(page?.groups).toMatchObject([{ id: '7', displayName: '7' }]);
    expect(page?.members).toEqual([{ group: '7', members: any('12') }]);
  });

  it('a column of members that is gone is a failed read, and never a company of empty groups (I13)', async () => {
    expect(await failure('groups.csv', 'id,displayName,people\ng1,Eng,p1\n')).toBe(
      'ReadFailed: cannot read groups.csv: no group has "members"; there are: id, displayName, people. Set membersAttribute to the one that has the members',
    );
    const pages = await readGroups('groups.csv', 'id,displayName\n');
    expect(pages).toMatchObject([{ groups: [], end: {} }]);
  });

  it.each([
    ['groups.json', '[{"id":"g1","members":[true]}]', 'a member is neither a text nor a number'],
    ['groups.json', '[{"displayName":"Eng","members":[]}]', 'has no "id"'],
    ['groups.json', '[{"id":"g1","members":["p1"]}', 'ReadFailed'],
  ])('%s with %s fails as a whole', async (name, text, message) => {
    expect(await failure(name, text)).toContain(message);
  });

  it('comes in pages of bounded size, with the end on the last one alone', async () => {
    const lines = Array.from({ length: 1_201 }, (_, n) => `g${n},Group ${n},p${n}\n`);
    const pages = await readGroups('groups.csv', `id,displayName,members\n${lines.join('')}`);
    expect(pages.map(({ groups }) => groups.length)).toEqual([500, 500, 201]);
    expect(pages.map(({ end }) => end !== undefined)).toEqual([false, false, true]);
  });

  it('without a groups file there are no groups to be read', async () => {
    const source = await connectFile({ users: { path: 'people.csv' } }, createFileAccess('/nowhere'));
    expect(source.readGroups).toBeUndefined();
  });
});
