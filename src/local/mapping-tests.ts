/** MappingTests of files, with the place of each case. */
import { readFile } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import type { MappingTest, MappingTestCase } from '../api/mapping-test.ts';
import { MAPPING_TEST_KIND } from '../api/metadata.ts';
import { toFields } from '../api/rules.ts';
import { validateMappingTest } from '../api/validate.ts';
import { SyncError } from '../errors.ts';
import { formatProblem, type Position } from './problem.ts';
import { parseDocuments } from './yaml-document.ts';

export interface PlacedCase {
  /** Of the MappingTest, and of the case where it has one. */
  readonly name: string;
  readonly namespace: string;
  readonly test: MappingTestCase;
  readonly at: Position;
}

/**
 * The cases of every MappingTest of a file, in order.
 * @throws SyncError `Invalid` with the place of the first thing that is wrong, or where the file has no MappingTest
 */
export async function readMappingTests(path: string): Promise<readonly PlacedCase[]> {
  const text = await readFile(path, 'utf8').catch(() => {
    throw new SyncError('Invalid', `${path}: there is no such file, or it cannot be read`);
  });
  const parsed = parseDocuments(text, path);
  if ('error' in parsed) throw invalid({ ...parsed.error.at, message: `is no YAML: ${parsed.error.message}` });
  const documents = parsed.documents.filter(({ data }) => toFields(data)?.['kind'] === MAPPING_TEST_KIND);
  if (documents.length === 0) throw new SyncError('Invalid', `${path}: there is no ${MAPPING_TEST_KIND} in it`);
  return documents.flatMap(({ data, locate }) => {
    const [problem] = validateMappingTest(data);
    if (problem !== undefined) throw invalid({ ...locate(problem.pointer, problem.onKey), message: problem.message });
    const { metadata, spec } = data as MappingTest;
    return spec.cases.map((test, index) => ({
      name: `${metadata.name}: ${test.name ?? toSubject(test, index)}`,
      namespace: metadata.namespace ?? 'default',
      test,
      at: locate(`/spec/cases/${index}`),
    }));
  });
}

function invalid(problem: Position & { readonly message: string }): SyncError {
  return new SyncError('Invalid', formatProblem({ ...problem, severity: 'error' }));
}

function toSubject({ expression, rule, match, mapping, teamRules }: MappingTestCase, index: number): string {
  const what = expression ?? rule ?? mapping ?? teamRules ?? (match === undefined ? '' : 'match');
  return `case ${index + 1} (${what.length > 60 ? `${what.slice(0, 60)}…` : what})`;
}

/** Where the resources are that the tests of a file refer to: beside it, or above the folder `tests` that it lies in. */
export function toResourceFolder(path: string): string {
  const folder = dirname(path);
  return basename(folder) === 'tests' ? dirname(folder) : folder;
}
