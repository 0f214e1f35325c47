import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { listCitingTests, readCitations } from '../../scripts/invariant-tests.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const RULES = Array.from({ length: 13 }, (_, index) => index + 1);

describe('docs/invariants.md', () => {
  it('says every rule once, in order', () => {
    const page = readFileSync(join(ROOT, 'docs/invariants.md'), 'utf8');
    const [said = '', listed = ''] = page.split('## Tests');
    const numbers = (text: string): number[] => [...text.matchAll(/^\| \*\*I(\d+)\*\*/gm)].map((row) => Number(row[1]));
    expect(numbers(said)).toEqual(RULES);
    expect(numbers(listed)).toEqual(RULES);
  });

  it('every rule is cited by tests, and no test cites another', async () => {
    expect([...(await listCitingTests(ROOT)).keys()]).toEqual(RULES);
  });
});

/** Written apart, so that these samples cite nothing themselves. */
const I = 'I';

describe('readCitations', () => {
  it.each([
    [`it('removes nobody (${I}1)', run)`, [1]],
    [`describe('one failing group', () => { it('${I}8 and ${I}13: stays', run) })`, [8, 13]],
    [`it.each([\n  [1],\n])('%s holds (${I}2)', run)`, [2]],
    [`test.each(table)('${I}10 %s', run)`, [10]],
    [`it.fails("${I}3 is not kept", run)`, [3]],
    [`// it is ${I}1 that matters\nconst text = '${I}7';`, []],
  ])('%s cites %j', (text, rules) => {
    expect(readCitations(text)).toEqual(rules);
  });
});
