import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, it } from 'vitest';
import { requireSuccess } from '../support/program.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** This file, which names what it forbids. */
const SELF = 'test/manifests/tree.test.ts';

interface TextFile {
  path: string;
  lines: string[];
}

let files: TextFile[];

beforeAll(async () => {
  // Also what is new and not ignored: the check is for the commit that is about to be made.
  const list = await requireSuccess('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'], {
    cwd: ROOT,
  });
  files = list
    .split('\0')
    .filter((path) => path !== '' && path !== SELF && statSync(join(ROOT, path), { throwIfNoEntry: false })?.isFile())
    .map((path) => ({ path, text: readFileSync(join(ROOT, path), 'utf8') }))
    .filter(({ text }) => !text.includes('\0'))
    .map(({ path, text }) => ({ path, lines: text.split('\n') }));
});

const FORBIDDEN = [
  {
    what: 'a path of somebody’s machine',
    pattern: /(?<![\w.$}])\/(?:home\/\w+|root|work)(?:\/|\b(?!\w))|[A-Z]:\\Users\\/,
  },
  {
    what: 'the host of a package registry',
    pattern:
      /registry\.(?:npmjs|yarnpkg)\.|npmmirror\.|(?:files\.)?pythonhosted\.org|pypi\.org|(?:proxy|sum)\.golang\.org|(?:static\.)?crates\.io|(?:deb|security)\.debian\.org|repo1?\.maven\./,
  },
  { what: 'a note of work left over', pattern: /\b(?:TO[D]O|FIX[M]E|X[X]X|HA[C]K)\b|\bnot (?:yet )?implemented\b/i },
  { what: 'a test that does not run', pattern: /\b(?:it|test|describe)\.(?:skip|todo|only)\b/ },
  {
    what: 'a page that this repository does not hold',
    pattern: /\bDESIGN(?:\.md)?,? section|RESOURCES\.md|style-anchors/,
  },
  { what: 'a conflict marker', pattern: /^(?:<{7}|>{7}) / },
];

describe('the tree', () => {
  it('is listed', () => {
    expect(files.map(({ path }) => path)).toEqual(
      expect.arrayContaining(['package.json', 'README.md', 'src/errors.ts']),
    );
  });

  it.each(FORBIDDEN)('holds nowhere $what', ({ pattern }) => {
    const found = files.flatMap(({ path, lines }) =>
      lines.flatMap((line, index) =>
        pattern.test(line) ? [`${path}:${index + 1}: ${line.trim().slice(0, 120)}`] : [],
      ),
    );
    expect(found).toEqual([]);
  });

  it.each([
    ['a path of somebody’s machine', 'cd /home/ada/dirsync'],
    ['a path of somebody’s machine', `"/${'root'}/.npmrc"`],
    ['the host of a package registry', `https://registry.${'npmjs'}.org/ajv`],
    ['a note of work left over', '// todo: later'],
    ['a note of work left over', 'throw new Error("Not implemented")'],
    ['a test that does not run', `it.${'only'}("x", () => {})`],
    ['a page that this repository does not hold', 'as DESIGN section 3 says'],
    ['a conflict marker', '>>>>>>> theirs'],
  ])('would find %s', (what, line) => {
    expect(FORBIDDEN.find((entry) => entry.what === what)?.pattern.test(line)).toBe(true);
  });
});
