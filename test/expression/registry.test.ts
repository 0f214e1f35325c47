import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { compileExpression } from '../../src/expression/compiler.ts';
import { parseSourcePath } from '../../src/expression/paths.ts';
import { FUNCTIONS, renderFunctionTable, signatureOf } from '../../src/expression/registry.ts';
import { isList, toText, UniqueCandidates, type Value } from '../../src/expression/values.ts';
import type { Json } from '../../src/model.ts';
import { anEnvironment } from '../support/expressions.ts';

const page = readFileSync(new URL('../../docs/expressions.md', import.meta.url), 'utf8');

describe('the registry', () => {
  it.each([...FUNCTIONS.values()])('$name has a description and an example that compiles', (definition) => {
    expect(definition.description).toMatch(/^\S.*\.$/);
    expect(compileExpression(definition.example).source).toContain(`${definition.name}(`);
  });

  it.each([...FUNCTIONS.values()])('$name gives for the person of the page what its example says', (definition) => {
    const person = JSON.parse(page.split('```json\n')[1]?.split('```')[0] ?? '') as Record<string, Json>;
    const outcome = compileExpression(definition.example).evaluate(anEnvironment(person));
    expect('value' in outcome && shown(outcome.value)).toBe(definition.gives);
  });

  it.each([
    ['Mid', 'Mid(source, start, length)'],
    ['ToLower', 'ToLower(source, culture?)'],
    ['Join', 'Join(separator, source1, source2, …)'],
    ['Switch', 'Switch(source, defaultValue?, key1, value1?, key2, value2?, …)'],
  ])('shows the signature of %s', (name, signature) => {
    const definition = FUNCTIONS.get(name);
    expect(definition && signatureOf(definition)).toBe(signature);
  });
});

/** Text as it is, True and False, dates as they are printed, lists as JSON. */
function shown(value: Value): string {
  if (value instanceof UniqueCandidates) return JSON.stringify(value.values);
  return isList(value) ? JSON.stringify(value) : (toText(value, '') ?? '');
}

describe('docs/expressions.md', () => {
  it('holds the table that is generated from the registry', () => {
    const table = page.split('<!-- functions:begin -->\n')[1]?.split('<!-- functions:end -->')[0];
    expect(table?.trim()).toBe(renderFunctionTable().trim());
    expect(table?.match(/^\| `/gm)).toHaveLength(FUNCTIONS.size);
  });

  it('shows only expressions that compile', () => {
    const examples = [...page.matchAll(/```text\n(.*?)```/gs)].flatMap((block) =>
      (block[1] ?? '').trim().split(/\n\n/),
    );
    expect(examples.length).toBeGreaterThan(5);
    for (const example of examples) expect(() => compileExpression(example), example).not.toThrow();
  });

  it('shows messages as they are', () => {
    const rows = [...page.matchAll(/^\| `([^|]*)` \| `(column[^|]*)` \|$/gm)];
    expect(rows.length).toBeGreaterThan(5);
    for (const [, source = '', message] of rows) expect(() => compileExpression(source), source).toThrow(message);
  });

  it('shows only paths that parse', () => {
    const section = page.split('## Paths')[1]?.split('## Errors')[0] ?? '';
    const rows = [...section.matchAll(/^\| `([^`]*)`/gm)].map((row) => row[1] ?? '');
    expect(rows.length).toBeGreaterThan(5);
    for (const text of rows) expect(() => parseSourcePath(text), text).not.toThrow();
  });
});
