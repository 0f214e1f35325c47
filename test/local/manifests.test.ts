import { symlink, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { SyncError } from '../../src/errors.ts';
import { findManifest, readManifests, toProblem, toResourceSet } from '../../src/local/manifests.ts';
import { formatProblem, hasErrors } from '../../src/local/problem.ts';
import { aFolder, MAPPING, RULE, SECRET, SYNC } from './folder.ts';

async function problemsOf(files: Readonly<Record<string, string>>): Promise<string[]> {
  return (await readManifests(await aFolder(files))).problems.map(formatProblem);
}

describe('readManifests', () => {
  it('reads a folder and below, several documents a file, in the order of their names', async () => {
    const root = await aFolder({
      'b.yml': `${RULE.replace('name: finance', 'name: sales')}---\n${RULE}`,
      'a.yaml': `# a comment\n---\n${SYNC}---\n---\n${MAPPING}`,
      'secrets/app.yaml': SECRET,
      'more/attribute.json': JSON.stringify({
        apiVersion: 'dirsync.dev/v1alpha1',
        kind: 'CustomAttribute',
        metadata: { name: 'tier', namespace: 'identity' },
        spec: { path: 'urn:ietf:params:scim:schemas:extension:acme:2.0:User:tier' },
      }),
    });
    const set = await readManifests(root);
    expect(set.problems).toEqual([]);
    expect(set.root).toBe(root);
    const resources = toResourceSet(set);
    expect(resources.directorySyncs.map(({ metadata }) => metadata)).toEqual([{ name: 'acme', namespace: 'default' }]);
    expect(resources.attributeMappings.map(({ metadata }) => metadata.name)).toEqual(['acme-users']);
    expect(resources.teamRules.map(({ metadata }) => metadata.name)).toEqual(['finance', 'sales']);
    expect(resources.customAttributes.map(({ metadata }) => metadata.namespace)).toEqual(['identity']);
    expect(set.secrets.map(({ reference }) => reference.name)).toEqual(['acme-app']);
    expect(set.directorySyncs[0]?.at).toEqual({ file: 'a.yaml', line: 3, column: 1 });
    expect(set.customAttributes[0]?.folder).toBe(join(root, 'more'));
  });

  it('reads a single file', async () => {
    const root = await aFolder({ 'a.yaml': SYNC, 'b.yaml': RULE });
    const set = await readManifests(join(root, 'a.yaml'));
    expect([set.root, set.directorySyncs.length, set.teamRules.length]).toEqual([root, 1, 0]);
  });

  it('passes by other kinds, other files, dot folders, node_modules and links', async () => {
    const root = await aFolder({
      'deployment.yaml': 'apiVersion: apps/v1\nkind: Deployment\n',
      'values.yaml': 'a: 1\n',
      'list.json': '[{"kind": "TeamRule"}]',
      'people.json': '{"people": []}',
      'empty.yaml': '',
      'readme.md': 'kind: TeamRule',
      'test.yaml': 'apiVersion: dirsync.dev/v1alpha1\nkind: MappingTest\n',
      'foreign.yaml': 'apiVersion: example.com/v1\nkind: Rule\n',
      '.hidden/a.yaml': 'kind: TeamRule',
      '.b.yaml': 'kind: TeamRule',
      'node_modules/x/a.yaml': 'kind: TeamRule',
    });
    const outside = await aFolder({ 'a.yaml': 'kind: TeamRule' });
    await symlink(outside, join(root, 'linked'));
    await symlink(join(outside, 'a.yaml'), join(root, 'linked.yaml'));
    const set = await readManifests(root);
    expect(set.problems).toEqual([]);
    expect(set.invalid).toEqual([]);
  });

  it('fails for a folder that is not there', async () => {
    const root = await aFolder({});
    await expect(readManifests(join(root, 'none'))).rejects.toThrow(SyncError);
    await expect(readManifests(join(root, 'none'))).rejects.toThrow(/none: there is no such folder or file$/);
  });
});

describe('problems have their place', () => {
  it.each([
    {
      because: 'an unknown field: its key',
      text: SYNC.replace('spec:\n', 'spec:\n  scop: {}\n'),
      says: ['a.yaml:5:3 unknown field "spec.scop"; did you mean "scope"?'],
    },
    {
      because: 'two providers: the key of the union',
      text: SYNC.replace('    file:', '    okta: {}\n    file:'),
      says: [
        'a.yaml:5:3 spec.source: exactly one of entra, file, google, ldap, scim, workos must be set (found okta and file); known here: entra, file, google, ldap, scim, workos',
      ],
    },
    {
      because: 'a bad duration: the value',
      text: `${SYNC}  schedule: { interval: 40 minutes }\n`,
      says: ['a.yaml:12:25 spec.schedule.interval: must be a duration such as 30s, 40m or 1h30m'],
    },
    {
      because: 'a missing field: what it is missing from',
      text: SYNC.replace('      credentialsRef: { name: acme-app }\n', ''),
      says: ['a.yaml:9:5 spec.target.scim.credentialsRef is required'],
    },
    {
      because: 'inside a list',
      text: RULE.replace('match:', 'include: [ a, 7 ]\n  match:'),
      says: ['a.yaml:7:17 spec.include[1] must be a string; write it in quotes: "7"'],
    },
    {
      because: 'the second document',
      text: `${SYNC}---\n${RULE.replace(/match: .*/, 'match: []')}`,
      says: ['a.yaml:19:3 spec.match must not be empty: no clause would mean everybody'],
    },
    {
      because: 'a warning says that it is one',
      text: SYNC.replace('people.csv }', 'people.csv }, idAttribute: mail'),
      says: [
        `a.yaml:6:55 warning: spec.source.file.idAttribute: "mail" changes with a person's name, who is then deactivated and created again; take an id that never changes`,
      ],
    },
    {
      because: 'a kind that is none of ours',
      text: RULE.replace('kind: TeamRule', 'kind: TeamRules'),
      says: ['a.yaml:2:7 there is no kind "TeamRules" in dirsync.dev/v1alpha1; did you mean "TeamRule"?'],
    },
    {
      because: 'another version',
      text: RULE.replace('v1alpha1', 'v1'),
      says: ['a.yaml:1:13 apiVersion must be dirsync.dev/v1alpha1'],
    },
    {
      because: 'no YAML: one error',
      text: 'apiVersion: dirsync.dev/v1alpha1\nkind: [TeamRule\nspec:\n  a: }\n',
      says: [expect.stringMatching(/^a\.yaml:\d+:\d+ is no YAML: /)],
    },
    {
      because: 'a key that stands twice',
      text: 'kind: TeamRule\nkind: TeamRule\n',
      says: ['a.yaml:2:1 is no YAML: Map keys must be unique'],
    },
    {
      because: 'aliases that would fill the memory',
      text: `kind: TeamRule\na: &a [x, x, x, x, x, x, x, x, x, x]\nb: &b [*a, *a, *a, *a, *a, *a, *a, *a, *a, *a]\nc: &c [*b, *b, *b, *b, *b, *b, *b, *b, *b, *b]\nd: [*c, *c, *c, *c, *c, *c, *c, *c, *c, *c]\n`,
      says: ['a.yaml:1:1 is no YAML: its aliases (*name) lead nowhere or make it too large'],
    },
    {
      because: 'a Secret that is no base64, without its value',
      text: SECRET.replace('stringData', 'data').replace('sesame', 'open sesame!'),
      says: [
        'a.yaml:4:16 data.token of Secret default/acme-app is no base64; plain text stands under stringData (Secret) or data (ConfigMap)',
      ],
    },
    {
      because: 'a Secret with a number',
      text: SECRET.replace('sesame', '1234'),
      says: ['a.yaml:4:22 stringData.token of Secret default/acme-app must be a string; write it in quotes'],
    },
  ])('$because', async ({ text, says }) => {
    expect(await problemsOf({ 'a.yaml': text })).toEqual(says);
  });

  it('names both places of what stands twice, and keeps the first', async () => {
    const set = await readManifests(await aFolder({ 'a.yaml': `${MAPPING}---\n${RULE}`, 'sub/b.yaml': RULE }));
    expect(set.problems.map(formatProblem)).toEqual([
      'sub/b.yaml:3:19 TeamRule default/finance stands twice: here and in a.yaml:8:1',
    ]);
    expect(set.teamRules.map(({ at }) => at.file)).toEqual(['a.yaml']);
  });

  it('does not take the same name in another namespace for the same', async () => {
    const other = RULE.replace('name: finance', 'name: finance, namespace: other');
    expect(await problemsOf({ 'a.yaml': RULE, 'b.yaml': other })).toEqual([]);
  });

  it('names JSON that is none, and finds places in it', async () => {
    expect(await problemsOf({ 'a.json': '{"kind": ' })).toEqual([expect.stringMatching(/^a\.json:1:\d+ is no JSON: /)]);
    const text = JSON.stringify(
      { apiVersion: 'dirsync.dev/v1alpha1', kind: 'TeamRule', metadata: {}, spec: {} },
      null,
      2,
    );
    expect((await problemsOf({ 'a.json': text }))[0]).toBe('a.json:4:3 metadata.name is required');
  });

  it('reads no file of more than 10 MiB', async () => {
    const root = await aFolder({ 'a.yaml': SYNC });
    await writeFile(join(root, 'big.yaml'), 'a: 1\n');
    await truncate(join(root, 'big.yaml'), 10 * 1024 * 1024 + 1);
    await writeFile(join(root, 'people.json'), '[]');
    await truncate(join(root, 'people.json'), 10 * 1024 * 1024 + 1);
    const { problems } = await readManifests(root);
    expect(problems.map(formatProblem)).toEqual([
      'big.yaml:1:1 is larger than 10 MiB and was not read',
      'people.json:1:1 warning: is larger than 10 MiB and was not read',
    ]);
    expect(hasErrors(problems.slice(1))).toBe(false);
  });

  it('keeps an invalid resource apart, so that it is not taken for missing', async () => {
    const set = await readManifests(await aFolder({ 'a.yaml': RULE.replace('Equals', 'Equal') }));
    expect(set.teamRules).toEqual([]);
    expect(set.invalid.map(({ reference }) => reference)).toEqual([
      { kind: 'TeamRule', namespace: 'default', name: 'finance' },
    ]);
    expect(set.problems[0]?.resource).toEqual({ kind: 'TeamRule', namespace: 'default', name: 'finance' });
  });

  it('places what compilers find in a resource', async () => {
    const set = await readManifests(await aFolder({ 'sub/a.yaml': MAPPING }));
    const reference = { kind: 'AttributeMapping', namespace: 'default', name: 'acme-users' };
    const finding = { severity: 'error', pointer: '/spec/attributes/0/source', message: 'says so' } as const;
    expect(formatProblem(toProblem(set, reference, finding))).toBe('sub/a.yaml:6:35 says so');
    expect(findManifest(set, { ...reference, name: 'other' })).toBeNull();
  });
});
