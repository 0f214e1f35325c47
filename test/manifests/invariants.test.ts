import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));

/** A title is the first argument of a test or suite, or of the call after the table of `each`. */
const TITLE =
  /(?:\b(?:it|test|describe)(?:\.\w+)*|\beach\([^()\n]*\)|[\])}]\))\(\s*(?<quote>['"`])(?<title>(?:(?!\k<quote>)[^\n])*)\k<quote>/g;
const CITATION = /\bI(?<number>[1-9]\d?)\b/g;

interface Citation {
  readonly rule: string;
  readonly file: string;
}

function readCitations(): Citation[] {
  const files = readdirSync(join(ROOT, 'test'), { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.test.ts'))
    .map((path) => `test/${path.replaceAll('\\', '/')}`);
  return files.flatMap((file) => {
    const titles = readFileSync(join(ROOT, file), 'utf8').matchAll(TITLE);
    const cited = [...titles].flatMap((match) => [...(match.groups?.['title'] ?? '').matchAll(CITATION)]);
    return cited.map((match) => ({ rule: `I${match.groups?.['number']}`, file }));
  });
}

interface Row {
  readonly rule: string;
  readonly files: readonly string[];
}

function readTable(): Row[] {
  const rows = readFileSync(join(ROOT, 'docs/invariants.md'), 'utf8').matchAll(/^\| \*\*(?<rule>I\d+)\*\* .*$/gm);
  return [...rows].map((row) => ({
    rule: row.groups?.['rule'] ?? '',
    files: [...row[0].matchAll(/\]\(\.\.\/(?<file>test\/[\w./-]+)\)/g)].map((link) => link.groups?.['file'] ?? ''),
  }));
}

describe('docs/invariants.md', () => {
  const table = readTable();
  const citations = readCitations();

  it('has every rule once, in order', () => {
    expect(table.map(({ rule }) => rule)).toEqual(Array.from({ length: 13 }, (_, index) => `I${index + 1}`));
  });

  it.each(table)('names tests for $rule whose titles cite it', ({ rule, files }) => {
    expect(files.length).toBeGreaterThan(0);
    const citing = citations.filter((citation) => citation.rule === rule).map(({ file }) => file);
    expect(files.filter((file) => !citing.includes(file))).toEqual([]);
  });

  it.each(table)('names every test whose titles cite $rule', ({ rule, files }) => {
    const citing = citations.filter((citation) => citation.rule === rule).map(({ file }) => file);
    expect([...new Set(citing)].filter((file) => !files.includes(file))).toEqual([]);
  });

  it('knows every rule that a title cites', () => {
    const known = new Set(table.map(({ rule }) => rule));
    expect(citations.filter(({ rule }) => !known.has(rule))).toEqual([]);
  });
});
