import { describe, expect, it } from 'vitest';
import type { CustomAttributeResource } from '../../src/api/custom-attribute.ts';
import type { DirectorySyncResource } from '../../src/api/directory-sync.ts';
import { checkResources } from '../../src/reconcile/compile.ts';
import { aCustomAttribute, aMapping, BASE_ENTRIES } from '../support/builders.ts';

const EARLY = '2026-01-01T00:00:00Z';
const LATE = '2026-02-01T00:00:00Z';

function check(made: { readonly sync?: string; readonly custom?: string }, isMapped = false): string[] {
  const stamp = (time: string | undefined) => (time === undefined ? {} : { creationTimestamp: time });
  const custom: CustomAttributeResource = aCustomAttribute('tier', { required: true, path: 'nickName' });
  const tier = { ...custom, metadata: { ...custom.metadata, ...stamp(made.custom) } };
  const resource: DirectorySyncResource = {
    apiVersion: 'dirsync.dev/v1alpha1',
    kind: 'DirectorySync',
    metadata: { name: 'acme', namespace: custom.metadata.namespace, ...stamp(made.sync) },
    spec: { source: { file: { users: {} } }, mappings: [{ name: 'users' }], target: {} },
  };
  const attributes = isMapped ? [...BASE_ENTRIES, { target: 'tier', source: 'tier' }] : BASE_ENTRIES;
  const resources = {
    directorySyncs: [resource],
    attributeMappings: [aMapping(attributes)],
    teamRules: [],
    customAttributes: [tier],
  };
  const { problems } = checkResources({ resource, resources }, { provider: 'file' });
  return problems.map(
    ({ severity, kind, name, pointer, message }) => `${severity} ${kind}/${name} ${pointer}: ${message}`,
  );
}

describe('a required CustomAttribute without an entry', () => {
  const said =
    'no entry of the mappings of DirectorySync acme gives the required attribute "tier" a value; add one with target: tier';

  it('is an error of a DirectorySync that was made after it', () => {
    expect(check({ sync: LATE, custom: EARLY })).toEqual([`error DirectorySync/acme /spec/mappings: ${said}`]);
  });

  it.each([
    { because: 'an older one goes on as it did', sync: EARLY, custom: LATE },
    { because: 'so does one of the same moment', sync: EARLY, custom: EARLY },
    { because: 'in a folder nothing is older than anything' },
  ])('is a warning where $because', ({ because: _because, ...made }) => {
    expect(check(made)).toEqual([`warning CustomAttribute/tier /spec/required: ${said}`]);
  });

  it('is nothing to speak of where there is one', () => {
    expect(check({ sync: LATE, custom: EARLY }, true)).toEqual([]);
  });
});
