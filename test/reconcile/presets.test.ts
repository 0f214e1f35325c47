/** Records as the API of each directory gives them, by its preset, to the end: an export in a JSON file is a source too. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { stringify } from 'yaml';
import { startDirectory } from '../../src/directory/server.ts';
import { DIRECTORIES } from '../../src/mapping/catalog.ts';
import { PRESET_OF } from '../../src/mapping/presets.ts';
import { checkResources, compileResources } from '../../src/reconcile/compile.ts';
import { aFolder } from '../local/folder.ts';
import { RECORDS } from '../support/directory-records.ts';
import { runFolder } from '../support/folder-run.ts';

const TOKEN = 'sesame';
const IDS: Readonly<Record<string, string>> = {
  workos: 'idp_id',
  ldap: 'entryUUID',
  activeDirectory: 'objectGUID',
};

const CASES = DIRECTORIES.flatMap((directory) => {
  const preset = PRESET_OF[directory];
  return preset === undefined ? [] : [{ directory, preset }];
});

function toManifests(url: string, preset: string, idAttribute: string): string {
  const resource = (kind: string, name: string, spec: unknown) =>
    stringify({ apiVersion: 'dirsync.dev/v1alpha1', kind, metadata: { name }, spec });
  return [
    resource('DirectorySync', 'acme', {
      source: { file: { users: { path: 'people.json' }, idAttribute } },
      mappings: [{ name: 'users' }],
      target: { scim: { url, credentialsRef: { name: 'app' } } },
    }),
    resource('AttributeMapping', 'users', { preset }),
    stringify({ apiVersion: 'v1', kind: 'Secret', metadata: { name: 'app' }, stringData: { token: TOKEN } }),
  ].join('---\n');
}

describe('a preset, to the end', () => {
  it.each(CASES)('$preset (I2)', async ({ directory, preset }) => {
    const folder = await aFolder({});
    const application = await startDirectory({ file: join(folder, 'directory.db'), token: TOKEN });
    onTestFinished(() => application.close());
    await writeFile(join(folder, 'acme.yaml'), toManifests(application.url, preset, IDS[directory] ?? 'id'));
    await writeFile(join(folder, 'people.json'), JSON.stringify([RECORDS[directory].attributes]));
    const run = (resync: boolean) => runFolder(folder, join(folder, 'state.db'), { resync });
    expect(await run(false)).toMatchObject({ reason: 'Synced' });
    const answer = await fetch(`${application.url}/Users`, { headers: { authorization: `Bearer ${TOKEN}` } });
    expect(await answer.json()).toMatchObject({
      totalResults: 1,
      Resources: [
        {
          externalId: RECORDS[directory].id,
          active: true,
          name: { givenName: 'Ada', familyName: 'Byron' },
          title: 'Engineer',
          addresses: [{ type: 'work', streetAddress: '1 High St', locality: 'York', postalCode: 'YO1' }],
        },
      ],
    });
    const { writes } = application.counts();
    expect(await run(false)).toMatchObject({ reason: 'Synced' });
    expect(await run(true)).toMatchObject({ reason: 'Synced' });
    expect(application.counts().writes).toBe(writes);
  });
});

describe('without any mapping', () => {
  const resource = {
    apiVersion: 'dirsync.dev/v1alpha1',
    kind: 'DirectorySync',
    metadata: { name: 'acme', namespace: 'identity' },
    spec: { source: {}, target: {} },
  } as const;
  const resources = { directorySyncs: [resource], attributeMappings: [], teamRules: [], customAttributes: [] };

  it.each(CASES)('the preset of $directory makes the users', ({ directory, preset }) => {
    const { mapping, problems } = checkResources({ resource, resources }, { provider: directory });
    expect(problems).toEqual([]);
    const named = { ...resource, spec: { ...resource.spec, mappings: [{ name: 'users' }] } };
    const users = {
      apiVersion: resource.apiVersion,
      kind: 'AttributeMapping',
      metadata: { name: 'users', namespace: 'identity' },
      spec: { preset },
    } as const;
    const other = checkResources(
      { resource: named, resources: { ...resources, attributeMappings: [users] } },
      { provider: directory },
    );
    expect([...mapping.paths]).toEqual([...other.mapping.paths]);
  });

  it.each(CASES)(
    'the preset of $directory makes the teams, where there is no mapping of any',
    ({ directory, preset }) => {
      const withGroups = { ...resource, spec: { ...resource.spec, groups: { provision: 'All' as const } } };
      const { teamMapping, presets, problems } = checkResources(
        { resource: withGroups, resources },
        { provider: directory },
      );
      expect(problems).toEqual([]);
      expect([...teamMapping.paths.keys()]).toEqual(['displayName', 'externalId']);
      expect(presets).toEqual({ User: preset, Team: preset });
      expect(checkResources({ resource, resources }, { provider: directory }).presets.Team).toBeNull();
    },
  );

  it('a file says nothing of what its columns mean', () => {
    expect(() => compileResources({ resource, resources }, { provider: 'file' })).toThrow(
      'spec.mappings: must name an AttributeMapping: without one nobody knows what to write',
    );
  });
});
