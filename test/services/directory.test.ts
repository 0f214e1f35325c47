/** The embedded directory, judged by others: scim2-tester, and scim2-client, which checks every answer against the RFCs. */
import { join } from 'node:path';
import { beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { type DirectoryOptions, startDirectory } from '../../src/directory/server.ts';
import { requireSuccess } from '../support/program.ts';
import { resolvePython, SCIM2_TESTER } from './python.ts';

interface Result {
  readonly status: string;
  /** Null for a check of the server as a whole. */
  readonly resource: string | null;
  readonly check: string;
  readonly reason: string;
}

/** How many results each check has: one that does not run, or passes over an attribute, must be noticed. */
const CHECKS = {
  access_invalid_resource_type: 1,
  access_invalid_schema: 1,
  access_schema_by_id: 6,
  query_all_resource_types: 1,
  query_all_schemas: 1,
  query_resource_type_by_id: 2,
  random_url: 1,
  resource_types_endpoint_methods: 4,
  resource_types_schema_validation: 2,
  schemas_endpoint_methods: 4,
  service_provider_config_endpoint: 1,
  service_provider_config_endpoint_methods: 4,
  'User object_creation': 1,
  'User object_query': 1,
  'User object_query_with_attributes': 2,
  'User object_query_without_id': 1,
  'User object_list_with_attributes': 2,
  'User search_with_attributes': 2,
  'User object_replacement': 1,
  'User object_deletion': 1,
  'User check_add_attribute': 27,
  'User check_remove_attribute': 26,
  'User check_replace_attribute': 28,
  'Group object_creation': 1,
  'Group object_query': 1,
  'Group object_query_with_attributes': 2,
  'Group object_query_without_id': 1,
  'Group object_list_with_attributes': 2,
  'Group search_with_attributes': 2,
  'Group object_replacement': 1,
  'Group object_deletion': 1,
  'Group check_add_attribute': 2,
  'Group check_remove_attribute': 2,
  'Group check_replace_attribute': 3,
};

/** Of one run; the tester makes a thousand requests or so. */
const MOST_MS = 150_000;

/** Making the environment is a download. */
beforeAll(() => resolvePython(SCIM2_TESTER), 300_000);

/** What the script prints of a new directory. */
async function run(script: string, options: Partial<DirectoryOptions> = {}): Promise<unknown> {
  const directory = await startDirectory({ file: ':memory:', token: 'secret', ...options });
  onTestFinished(() => directory.close());
  const python = await resolvePython(SCIM2_TESTER);
  const args = [join(import.meta.dirname, script), directory.url, 'secret'];
  return JSON.parse(await requireSuccess(python, args, { timeoutMs: MOST_MS }));
}

async function runTester(options: Partial<DirectoryOptions> = {}): Promise<readonly Result[]> {
  return (await run('scim2_tester_run.py', options)) as Result[];
}

function toName({ resource, check }: Result): string {
  return resource === null ? check : `${resource} ${check}`;
}

function count(results: readonly Result[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const name of results.map(toName)) counts[name] = (counts[name] ?? 0) + 1;
  return counts;
}

/**
 * No result is exempt. The tester has a fault, as has the client under it: it puts `schemas` into the object of an
 * extension. The directory passes over it, strict or not, and says so in its documentation.
 */
describe('scim2-tester', { timeout: MOST_MS }, () => {
  it.each([false, true])('finds no error, lenient: %s', async (lenient) => {
    const results = await runTester({ lenient });
    expect(results.filter(({ status }) => status !== 'SUCCESS')).toEqual([]);
    expect(count(results)).toEqual(CHECKS);
  });

  it('finds the errors of a directory that has some: names of groups that are too short for it', async () => {
    const results = await runTester({ maxNameLength: 10 });
    const failed = results.filter(({ status }) => status === 'ERROR').map(toName);
    expect(failed).toContain('Group object_creation');
    expect(failed.filter((each) => !each.startsWith('Group '))).toEqual([]);
  });
});

it('scim2-client takes every answer to bulk requests, cursors, sorting and versions', async () => {
  expect(await run('scim2_client_run.py')).toEqual({
    bulk: [
      ['a', 201],
      ['b', 201],
      ['u0', 201],
      ['u1', 201],
      ['u2', 201],
      ['u3', 201],
      ['u4', 201],
      ['u5', 409],
    ],
    conflict: 'uniqueness',
    cursor: [['user0', 'user1'], ['user2', 'user3'], ['user4']],
    sorted: ['5', '6', '7'],
    replaced: 'W/"2"',
  });
});
