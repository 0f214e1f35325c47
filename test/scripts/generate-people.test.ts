import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import {
  generatePeople,
  PEOPLE_COLUMNS,
  QUICKSTART_COUNT,
  QUICKSTART_SEED,
  toCsvLine,
  writePeople,
} from '../../scripts/generate-people.ts';
import { connectFile, createFileAccess, readWhole, withFolder } from '../sources/file/files.ts';

const QUICKSTART = fileURLToPath(new URL('../../examples/quickstart/', import.meta.url));

describe('the generated people', () => {
  it('are those of the quickstart, byte for byte', async () => {
    const lines = [...generatePeople(QUICKSTART_COUNT, QUICKSTART_SEED)].map((person) =>
      toCsvLine(PEOPLE_COLUMNS.map((column) => person[column])),
    );
    const committed = await readFile(join(QUICKSTART, 'people.csv'), 'utf8');
    expect(committed, 'run scripts/generate-people.ts').toBe([toCsvLine(PEOPLE_COLUMNS), ...lines].join(''));
  });

  it('show in the quickstart what real directories hold', async () => {
    const source = await connectFile(
      { users: { path: 'people.csv' }, idAttribute: 'objectId' },
      createFileAccess(QUICKSTART),
    );
    const { users, attributes } = await readWhole(source);
    const people = users.map((user) => user.attributes);
    const count = (column: string, pattern: RegExp) =>
      people.filter((each) => pattern.test(String(each[column]))).length;
    expect(attributes).toEqual(PEOPLE_COLUMNS);
    expect(users).toHaveLength(250);
    expect(users.filter((user) => !user.active)).toHaveLength(6);
    expect(count('displayName', /, /)).toBeGreaterThan(3);
    expect(count('surname', /[^\p{ASCII}]/u)).toBeGreaterThan(20);
    expect(count('mail', /[A-Z]/)).toBeGreaterThan(5);
    expect(count('mail', /^null$/)).toBeGreaterThan(0);
    expect(count('mobile', /^null$/)).toBeGreaterThan(20);
    expect(count('teams', /;/)).toBeGreaterThan(5);
    const leads = people.filter(
      (each) => each['department'] === 'Finance' && /^Senior Manager/.test(String(each['jobTitle'])),
    );
    expect(leads.length).toBeGreaterThan(1);
    expect(
      people.every((each) => /@(\w+\.)*(example\.(com|org)|corp\.example)$/i.test(String(each['userPrincipalName']))),
    ).toBe(true);
  });

  it('are one tree of managers, each before the people they lead', () => {
    const known = new Set<string>();
    const roots: string[] = [];
    for (const { objectId, manager } of generatePeople(3_000, 7)) {
      if (manager === '') roots.push(objectId);
      else expect(known.has(manager)).toBe(true);
      known.add(objectId);
    }
    expect(roots).toHaveLength(1);
    expect(known.size).toBe(3_000);
  });

  it('are called managers when they lead somebody, and only then', () => {
    const people = [...generatePeople(QUICKSTART_COUNT, QUICKSTART_SEED)];
    const leaders = new Set(people.map((person) => person.manager));
    const titled = people.filter((person) => /^(Chief|Head of|(Senior )?Manager) /.test(person.jobTitle));
    leaders.delete('');
    expect(new Set(titled.map((person) => person.objectId))).toEqual(leaders);
  });

  it('have one userPrincipalName each, also when every name has been used', () => {
    const names = new Set<string>();
    for (const person of generatePeople(45_000, 2)) names.add(person.userPrincipalName.toLowerCase());
    expect(names.size).toBe(45_000);
  });

  it('come one by one, however many are wanted', () => {
    expect(generatePeople(1_000_000_000, 1).next().value?.jobTitle).toBe('Chief Executive Officer');
  });

  it('are written to a file, the same for one seed and others for another', async () => {
    await withFolder(async (folder) => {
      for (const [name, seed] of [
        ['a', 5],
        ['b', 5],
        ['c', 6],
      ] as const)
        await writePeople(join(folder, name), 40, seed);
      const [a, b, c] = await Promise.all(['a', 'b', 'c'].map((name) => readFile(join(folder, name), 'utf8')));
      expect(a?.split('\n')).toHaveLength(42);
      expect(b).toBe(a);
      expect(c).not.toBe(a);
    });
  });
});
