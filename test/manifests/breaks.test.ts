import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { BREAKS } from '../mutation/breaks.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));

/** The run that breaks them takes minutes: what has moved is told here at once. */
it.each(BREAKS)('$rule, $name: the line that is broken stands in $file once', ({ file, find }) => {
  expect(readFileSync(join(ROOT, file), 'utf8').split(find)).toHaveLength(2);
});

it('every break changes something', () => {
  expect(BREAKS.filter(({ find, replace }) => find === replace)).toEqual([]);
});
