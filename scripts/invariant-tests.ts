/** Which tests prove which rule: read from the titles that cite it, for the generated table in docs/invariants.md. */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';

/** A title is the first argument of a test or suite, or of the call after the table of `each`. */
const TITLE =
  /(?:\b(?:it|test|describe)(?:\.\w+)*|\beach\([^()\n]*\)|[\])}]\))\(\s*(?<quote>['"`])(?<title>(?:(?!\k<quote>)[^\n])*)\k<quote>/g;
const CITATION = /\bI(?<number>[1-9]\d?)\b/g;

/** Numbers of the rules that the titles of a test file cite, each once, ascending. */
export function readCitations(text: string): readonly number[] {
  const titles = [...text.matchAll(TITLE)].map((match) => match.groups?.['title'] ?? '');
  const numbers = titles.flatMap((title) =>
    [...title.matchAll(CITATION)].map((match) => Number(match.groups?.['number'])),
  );
  return [...new Set(numbers)].sort((a, b) => a - b);
}

/** Rule number → paths below `root` of the test files that cite it, sorted. */
export async function listCitingTests(root: string): Promise<ReadonlyMap<number, readonly string[]>> {
  const entries = await readdir(join(root, 'test'), { recursive: true, encoding: 'utf8' });
  const files = entries.filter((path) => path.endsWith('.test.ts')).map((path) => `test/${path.replaceAll('\\', '/')}`);
  const citing = new Map<number, string[]>();
  for (const file of files.sort()) {
    for (const number of readCitations(await readFile(join(root, file), 'utf8')))
      citing.set(number, [...(citing.get(number) ?? []), file]);
  }
  return new Map([...citing].sort(([a], [b]) => a - b));
}

export async function renderInvariantTests(root: string): Promise<string> {
  const rows = [...(await listCitingTests(root))].map(([number, files]) => {
    const links = files.map((file) => `[${file.replace(/^test\/|\.test\.ts$/g, '')}](../${file})`);
    return `| **I${number}** | ${links.join(', ')} |`;
  });
  return ['| rule | tests whose titles cite it |', '| --- | --- |', ...rows].join('\n');
}
