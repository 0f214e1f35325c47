import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { MappingTestSpecSchema } from '../../src/api/mapping-test.ts';
import { RESOURCE_SCHEMAS } from '../../src/api/resources.ts';
import { createCompany, readTeams, startApplication, TOKEN } from '../cli/company.ts';

const EXAMPLES = fileURLToPath(new URL('../../examples/', import.meta.url));
/** Those that a test runs. */
const FOLDERS = ['features', 'groups', 'mappings', 'members', 'quickstart', 'rules', 'workos'];
const ACME = 'urn:ietf:params:scim:schemas:extension:acme:2.0:User';

const at = (names: string): string[] => names.split(' ').map((name) => `${name}@corp.example`);

describe('examples/features', () => {
  it('validates, tests and applies without a word of complaint, and has nothing more to do', async () => {
    const directory = await startApplication();
    const files: Record<string, string> = {};
    for (const name of await readdir(join(EXAMPLES, 'features'), { recursive: true })) {
      if (!name.includes('.')) continue;
      const text = await readFile(join(EXAMPLES, 'features', name), 'utf8');
      files[`manifests/${name}`] = text
        .replace('http://127.0.0.1:8088/scim/v2', directory.url)
        .replaceAll('features-token', TOKEN);
    }
    const company = await createCompany(files);
    const validated = await company.run(['validate', '-f', 'manifests']);
    expect([validated.code, validated.stderr]).toEqual([0, '']);
    const tested = await company.run(['test', 'manifests/tests/features.yaml']);
    expect([tested.stdout, tested.stderr]).toEqual(['10 passed, 0 failed\n', '']);
    const applied = await company.apply();
    // How far it is stands there too where it takes a while.
    expect([applied.code, applied.stderr.replaceAll(/^acme: applying .*\n/gm, '')]).toEqual([
      0,
      `acme: warning: the target does not list the schema ${ACME}; it may drop its attributes\n`,
    ]);

    const answer = await fetch(`${directory.url}/Users`, { headers: { authorization: `Bearer ${TOKEN}` } });
    const { Resources: users } = (await answer.json()) as { Resources: Record<string, unknown>[] };
    const [ada, hugo, mei] = ['f-01', 'f-02', 'f-03'].map((id) => users.find(({ externalId }) => externalId === id));
    expect(users).toHaveLength(3);
    expect(ada).toMatchObject({
      userName: 'ada.okafor@corp.example',
      title: 'Senior Engineer',
      profileUrl: 'https://people.corp.example/f-01',
      preferredLanguage: 'en-GB',
      timezone: 'Europe/London',
      [ACME]: {
        tier: 'silver',
        contractor: false,
        level: 7,
        fte: 0.8,
        joined: '2021-06-06T00:00:00.000Z',
        badge: 'aGVsbG8=',
        buddy: hugo?.['id'],
        desk: { value: 'Y-2', type: 'window' },
        pets: ['cat', 'dog'],
        normalDepartmentName: 'Research',
        normalUsername: 'Ada.Okafor',
      },
    });
    expect(mei).not.toHaveProperty('timezone');
    expect([ada?.['nickName'], mei?.['nickName']].sort()).toEqual(['Ada', 'AdaF']);
    expect(await readTeams(directory)).toEqual({
      Away: at('hugo.lindqvist'),
      Board: at('mei.fenwick'),
      'Club: Chess': at('ada.okafor hugo.lindqvist'),
      'Club: Rowing': at('ada.okafor'),
      Engineers: at('ada.okafor'),
      Everyone: at('ada.okafor hugo.lindqvist mei.fenwick'),
      Patterns: at('ada.okafor mei.fenwick'),
      Staff: at('ada.okafor'),
      'Staff on Call': at('ada.okafor'),
      'Upper Levels': at('ada.okafor mei.fenwick'),
      'York Engineers': at('ada.okafor'),
    });

    const { writes } = directory.counts();
    expect((await company.apply('--resync')).code).toBe(0);
    expect(directory.counts().writes).toBe(writes);
  });
});

type Node = Readonly<Record<string, unknown>>;

/** Fields of a schema, and each of the values that a field may be, as lines such as `TeamRule.match[].value`. */
function toFeatures(node: Node, path: string): readonly string[] {
  const properties = Object.entries((node['properties'] ?? {}) as Readonly<Record<string, Node>>);
  const choices = [
    ...((node['enum'] ?? []) as unknown[]),
    ...((node['anyOf'] ?? []) as Node[]).map((each) => each['const']),
  ];
  return [
    ...properties.flatMap(([name, field]) => [`${path}.${name}`, ...toFeatures(field, `${path}.${name}`)]),
    ...(node['then'] === undefined ? [] : toFeatures(node['then'] as Node, path)),
    ...(node['items'] === undefined ? [] : toFeatures(node['items'] as Node, `${path}[]`)),
    ...choices.filter((choice) => choice !== undefined).map((choice) => `${path}: ${choice}`),
  ];
}

function toUsed(value: unknown, path: string): readonly string[] {
  if (Array.isArray(value)) return value.flatMap((each) => toUsed(each, `${path}[]`));
  if (typeof value !== 'object' || value === null) return [`${path}: ${value}`];
  return Object.entries(value).flatMap(([name, each]) => [`${path}.${name}`, ...toUsed(each, `${path}.${name}`)]);
}

/** A clause is the same wherever it stands. */
function normalise(feature: string): string {
  return feature.replace(
    /^(DirectorySync\.scope\.filters\[\]\[\]|TeamRule\.match\[\]|MappingTest\.cases\[\]\.match\[\])/,
    'Clause',
  );
}

/** What mappings, attributes, rules, tests and the scope consist of; what a DirectorySync is beside that is no feature of these. */
const CONCERNED =
  /^(AttributeMapping|TeamRule|CustomAttribute|MappingTest|Clause|DirectorySync\.(scope|groups|mappings))\b/;

/** What no example shows, and why. */
const NOT_SHOWN: readonly (readonly [feature: RegExp, reason: string])[] = [
  [/^AttributeMapping\.preset: (Google|LDAP|ActiveDirectory|SCIM)ToSCIM$/, 'of a directory that no example has'],
  [/^TeamRule\.team\.description$/, 'groups of the embedded directory have no description'],
  [/^DirectorySync\.scope\.nestedGroups: Flatten$/, 'the default'],
  [/^DirectorySync\.groups\.provision: None$/, 'the default'],
  [/^DirectorySync\.groups\.deletedAtSource: Retain$/, 'the gentlest of three'],
  [/^AttributeMapping\.attributes\[\]\.photo\b/, 'stands in examples/photos, which a test of its own runs'],
  [/^DirectorySync\.scope\.users: All$/, 'the default'],
  [/^DirectorySync\.scope\.users: AssignedToApplication$/, 'of a tenant with applications, in docs/sources/entra.md'],
];

async function readUsed(): Promise<ReadonlySet<string>> {
  const used = new Set<string>();
  for (const folder of FOLDERS) {
    const names = await readdir(join(EXAMPLES, folder), { recursive: true });
    for (const name of names.filter((each) => each.endsWith('.yaml')))
      for (const feature of toUsedOf(await readFile(join(EXAMPLES, folder, name), 'utf8')))
        used.add(normalise(feature));
  }
  return used;
}

function toUsedOf(text: string): readonly string[] {
  const documents = parseAllDocuments(text).map((each) => each.toJSON() as { kind?: string; spec?: unknown } | null);
  return documents.flatMap((each) => toUsed(each?.spec ?? {}, each?.kind ?? ''));
}

describe('the examples', () => {
  it('show every feature of mappings, attributes, rules and tests but those that are said not to be shown', async () => {
    const schemas = [
      ...Object.entries(RESOURCE_SCHEMAS).map(([kind, { spec }]) => [kind, spec] as const),
      ['MappingTest', MappingTestSpecSchema] as const,
    ];
    const features = schemas.flatMap(([kind, spec]) => toFeatures(spec as unknown as Node, kind).map(normalise));
    const concerned = [...new Set(features)].filter((feature) => CONCERNED.test(feature));
    expect(concerned.length).toBeGreaterThan(100);
    const used = await readUsed();
    const isExcused = (feature: string) => NOT_SHOWN.some(([pattern]) => pattern.test(feature));
    expect(concerned.filter((feature) => !used.has(feature) && !isExcused(feature))).toEqual([]);
    expect(
      concerned.filter((feature) => used.has(feature) && isExcused(feature)),
      'shown after all',
    ).toEqual([]);
  });
});
