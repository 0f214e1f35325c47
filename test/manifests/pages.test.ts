import { existsSync, globSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { MAPPING_TEST_KIND } from '../../src/api/metadata.ts';
import { toFields } from '../../src/api/rules.ts';
import { validateMappingTest, validateResource } from '../../src/api/validate.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const PAGES = ['*.md', 'docs/**/*.md'].flatMap((pattern) => globSync(pattern, { cwd: ROOT })).sort();

const scripts = Object.keys(JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')).scripts);

const read = (page: string) => readFileSync(join(ROOT, page), 'utf8');

/** What is no prose: an address or a heading in there is an example. */
const withoutCode = (text: string) => text.replaceAll(/^```[\s\S]*?^```/gm, '').replaceAll(/`[^`\n]*`/g, '');

/** The anchor that a heading gets where Markdown is shown. */
const toAnchor = (heading: string) =>
  heading
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N} _-]/gu, '')
    .replaceAll(' ', '-');

const anchorsOf = (page: string) =>
  [
    ...read(page)
      .replaceAll(/^```[\s\S]*?^```/gm, '')
      .matchAll(/^#+ (.*)$/gm),
  ].map(([, heading = '']) => toAnchor(heading));

function listBrokenLinks(page: string): string[] {
  const links = [...withoutCode(read(page)).matchAll(/\]\(([^)\s]+)\)/g)].map(([, link = '']) => link);
  return links.filter((link) => {
    if (/^[a-z]+:/.test(link)) return false;
    const [path = '', anchor] = link.split('#');
    const target = path === '' ? page : join(dirname(page), path);
    if (!existsSync(join(ROOT, target))) return true;
    return anchor !== undefined && !anchorsOf(target).includes(anchor);
  });
}

/** Whole resources of ours among the YAML examples; what has no kind is a part of one. */
function readExamples(page: string): unknown[] {
  const blocks = [...read(page).matchAll(/^```yaml\n([\s\S]*?)^```/gm)].map(([, block = '']) => block);
  return blocks
    .flatMap((block) => parseAllDocuments(block))
    .map((document) => document.toJS() as { apiVersion?: unknown; kind?: unknown } | null)
    .filter((document) => document?.kind !== undefined && document.apiVersion === 'dirsync.dev/v1alpha1');
}

describe.each(PAGES)('%s', (page) => {
  it('links to what is there', () => {
    expect(listBrokenLinks(page)).toEqual([]);
  });

  it('shows resources that are valid', () => {
    expect(readExamples(page).map((document) => ({ document, findings: validate(document) }))).toEqual(
      readExamples(page).map((document) => ({ document, findings: [] })),
    );
  });

  it('names npm scripts that exist', () => {
    const named = [...read(page).matchAll(/\bnpm run (?:-s |-- )?([a-z][\w:]*)/g)].map(([, name]) => name);
    expect(scripts).toEqual(expect.arrayContaining(named));
  });
});

/** MappingTests stand in examples too, and are no resources. */
function validate(document: unknown) {
  const isTest = toFields(document)?.['kind'] === MAPPING_TEST_KIND;
  return isTest ? validateMappingTest(document) : validateResource(document);
}

it('there are examples to check', () => {
  expect(readExamples('README.md')).toHaveLength(3);
});
