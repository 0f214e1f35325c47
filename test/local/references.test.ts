import { describe, expect, it } from 'vitest';
import { readManifests } from '../../src/local/manifests.ts';
import { formatProblem } from '../../src/local/problem.ts';
import { checkReferences, type ReferenceOptions } from '../../src/local/references.ts';
import { aFolder, MAPPING, RULE, SECRET, SYNC } from './folder.ts';

async function check(
  files: Readonly<Record<string, string>>,
  options: Partial<ReferenceOptions> = {},
): Promise<string[]> {
  const set = await readManifests(await aFolder(files));
  const problems = await checkReferences(set, { missingSecret: 'warning', secretsDir: null, ...options });
  return problems.map(formatProblem);
}

const FROM_WORKOS = SYNC.replace(
  'file: { users: { path: people.csv } }',
  'workos: { directoryId: directory_01, credentialsRef: { name: acme-workos } }',
);
const FROM_CONFIG_MAP = SYNC.replace('path: people.csv', 'configMapRef: { name: people, key: people.csv }');
const CONFIG_MAP = 'apiVersion: v1\nkind: ConfigMap\nmetadata: { name: people }\ndata: { people.csv: "id" }\n';
const ATTRIBUTE = `apiVersion: dirsync.dev/v1alpha1
kind: CustomAttribute
metadata: { name: tier }
spec:
  path: urn:ietf:params:scim:schemas:extension:acme:2.0:User:tier
  directorySyncs: { names: [ acme, other ] }
`;
const all = { 'sync.yaml': SYNC, 'mapping.yaml': MAPPING, 'rule.yaml': RULE, 'secret.yaml': SECRET };

describe('checkReferences', () => {
  it('has nothing against a whole folder', async () => {
    expect(await check(all)).toEqual([]);
    expect(await check({ ...all, 'sync.yaml': FROM_CONFIG_MAP, 'people.yaml': CONFIG_MAP })).toEqual([]);
  });

  it.each([
    {
      because: 'a ConfigMap of groups that is missing',
      files: {
        ...all,
        'people.yaml': CONFIG_MAP,
        'sync.yaml': SYNC.replace(
          '{ path: people.csv }',
          '{ path: people.csv }, groups: { configMapRef: { name: teams, key: groups.csv } }',
        ),
      },
      says: ['sync.yaml:6:52 ConfigMap default/teams is missing among the manifests'],
    },
    {
      because: 'a Secret of a file that has other keys',
      files: {
        ...all,
        'sync.yaml': SYNC.replace(
          '{ path: people.csv }',
          '{ url: https://hr.corp.example/people.csv, credentialsRef: { name: hr } }',
        ),
        'hr.yaml': 'apiVersion: v1\nkind: Secret\nmetadata: { name: hr }\nstringData: { username: x }\n',
      },
      says: ['sync.yaml:6:87 Secret default/hr needs token, or username and password; it has username'],
    },
    {
      because: 'a mapping that is spelled otherwise',
      files: { ...all, 'mapping.yaml': MAPPING.replace('acme-users', 'acme-user') },
      says: [
        'sync.yaml:7:23 there is no AttributeMapping "acme-users" in namespace default; did you mean "acme-user"?',
      ],
    },
    {
      because: 'a mapping in another namespace',
      files: { ...all, 'mapping.yaml': MAPPING.replace('name: acme-users', 'name: acme-users, namespace: other') },
      says: ['sync.yaml:7:23 there is no AttributeMapping "acme-users" in namespace default'],
    },
    {
      because: 'a mapping that is there but invalid: that is said where it stands, and not again',
      files: { ...all, 'mapping.yaml': MAPPING.replace('attributes', 'attribute') },
      says: [],
    },
    {
      because: 'a mapping named twice',
      files: { ...all, 'sync.yaml': SYNC.replace('[ {', '[ { name: acme-users }, {') },
      says: ['sync.yaml:7:45 warning: AttributeMapping "acme-users" is named twice'],
    },
    {
      because: 'a rule of nobody',
      files: { ...all, 'rule.yaml': RULE.replace('name: acme', 'name: acne') },
      says: ['rule.yaml:5:29 there is no DirectorySync "acne" in namespace default; did you mean "acme"?'],
    },
    {
      because: 'a CustomAttribute of somebody who is not there',
      files: { ...all, 'attribute.yaml': ATTRIBUTE },
      says: ['attribute.yaml:6:36 there is no DirectorySync "other" in namespace default'],
    },
    {
      because: 'a ConfigMap that is missing',
      files: { ...all, 'sync.yaml': FROM_CONFIG_MAP },
      says: ['sync.yaml:6:22 ConfigMap default/people is missing among the manifests'],
    },
    {
      because: 'a key that is missing',
      files: { ...all, 'sync.yaml': FROM_CONFIG_MAP, 'people.yaml': CONFIG_MAP.replace('people.csv', 'persons.csv') },
      says: ['sync.yaml:6:22 ConfigMap default/people has no key "people.csv"; it has persons.csv'],
    },
    {
      because: 'authorities that are missing',
      files: { ...all, 'sync.yaml': `${SYNC}      caRef: { kind: ConfigMap, name: corp-ca, key: ca.crt }\n` },
      says: ['sync.yaml:12:7 ConfigMap default/corp-ca is missing among the manifests'],
    },
    {
      because: 'authorities in a Secret that may be elsewhere',
      files: { ...all, 'sync.yaml': `${SYNC}      caRef: { kind: Secret, name: corp-ca, key: ca.crt }\n` },
      says: [
        'sync.yaml:12:7 warning: Secret default/corp-ca is missing: put it among the manifests, or one file per key into DIR/corp-ca (--secrets DIR)',
      ],
    },
    {
      because: 'authorities under another key',
      files: { ...all, 'sync.yaml': `${SYNC}      caRef: { kind: Secret, name: acme-app, key: ca.crt }\n` },
      says: ['sync.yaml:12:7 Secret default/acme-app needs ca.crt; it has token'],
    },
    {
      because: 'a Secret that is missing',
      files: { ...all, 'secret.yaml': '' },
      says: [
        'sync.yaml:11:31 warning: Secret default/acme-app is missing: put it among the manifests, or one file per key into DIR/acme-app (--secrets DIR)',
      ],
    },
    {
      because: 'a Secret without the keys',
      files: { ...all, 'secret.yaml': SECRET.replace('token', 'username') },
      says: [
        'sync.yaml:11:31 Secret default/acme-app needs token, or username and password, or clientId and clientSecret and tokenUrl; it has username',
      ],
    },
    {
      because: 'a Secret of the source that is missing',
      files: { ...all, 'sync.yaml': FROM_WORKOS },
      says: [
        'sync.yaml:6:66 warning: Secret default/acme-workos is missing: put it among the manifests, or one file per key into DIR/acme-workos (--secrets DIR)',
      ],
    },
    {
      because: 'a Secret of the source without the key',
      files: { ...all, 'sync.yaml': FROM_WORKOS, 'key.yaml': SECRET.replace('acme-app', 'acme-workos') },
      says: ['sync.yaml:6:66 Secret default/acme-workos needs apiKey; it has token'],
    },
    {
      because: 'two with one id',
      files: {
        ...all,
        'other.yaml': SYNC.replace('name: acme }', 'name: other }').replace('spec:', 'spec:\n  id: acme'),
      },
      says: [
        'other.yaml:5:7 the id "acme" is also that of DirectorySync acme in sync.yaml:1:1; give one of them another spec.id',
      ],
    },
  ])('$because', async ({ files, says }) => {
    expect(await check(files)).toEqual(says);
  });

  it('makes a missing Secret an error for whoever needs it, and takes it from --secrets', async () => {
    const secretsDir = await aFolder({ 'acme-app/token': 'sesame\n' });
    const files = { ...all, 'secret.yaml': '' };
    expect((await check(files, { missingSecret: 'error' }))[0]).toMatch(
      /^sync\.yaml:11:31 Secret default\/acme-app is missing/,
    );
    expect(await check(files, { missingSecret: 'error', secretsDir })).toEqual([]);
  });

  it('lets two namespaces use one id', async () => {
    const other = SYNC.replace('name: acme }', 'name: acme, namespace: other }');
    const says = await check({ ...all, 'other.yaml': other });
    expect(says.some((each) => each.includes('the id'))).toBe(false);
  });
});
