import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

const FOLDER = fileURLToPath(new URL('../reconcile/', import.meta.url));

/** What goes wrong in directories, applications and hands: each has tests under the name that people give it. */
const STORIES = [
  'partial 200',
  'empty 200',
  'one failing group',
  'wrong tenant',
  'filter typo',
  'column gone',
  'DirectorySync renamed',
  'mapping deleted and restored',
  'mail swapped between two people',
  'recycled mail',
  'target restored from last week’s backup',
  '429 for an hour',
  'admin removed from the source',
  'team emptied by a rule edit',
  'rule deleted by mistake',
  'certificate expired in the middle of a run',
  'disk full',
  'approval that arrives late',
];

/** Suites and, under each, how many tests are written out. */
function readSuites(): ReadonlyMap<string, number> {
  const files = readdirSync(FOLDER).filter((name) => /^stories-.*\.test\.ts$/.test(name));
  const suites = files.flatMap((file) =>
    readFileSync(join(FOLDER, file), 'utf8')
      .split(/^describe\('/m)
      .slice(1),
  );
  return new Map(suites.map((suite) => [suite.slice(0, suite.indexOf("'")), (suite.match(/^ {2}it/gm) ?? []).length]));
}

const suites = readSuites();

it.each(STORIES)('%s is told by a suite of that name', (story) => {
  expect(suites.get(story) ?? 0).toBeGreaterThan(0);
});
