import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { type Company, createCompany, startApplication, TOKEN } from './company.ts';

const FIXTURE = new URL('../fixtures/entra/synchronization-schema.json', import.meta.url);

async function createCompanyWithSchema(): Promise<Company> {
  return createCompany({ 'synchronization-schema.json': await readFile(FIXTURE, 'utf8') });
}

interface SchemaJson {
  readonly synchronizationRules: readonly {
    readonly objectMappings: readonly {
      readonly attributeMappings: readonly {
        readonly source: { readonly type: string; readonly expression: string };
      }[];
    }[];
  }[];
}

async function listExpressions(): Promise<string[]> {
  const schema = JSON.parse(await readFile(FIXTURE, 'utf8')) as SchemaJson;
  return schema.synchronizationRules
    .flatMap(({ objectMappings }) => objectMappings)
    .flatMap(({ attributeMappings }) => attributeMappings)
    .flatMap(({ source }) => (source?.type === 'Function' && source.expression ? [source.expression] : []));
}

describe('convert', () => {
  it.each(['portal', 'graph'])('gives what validate takes, with names of %s', async (names) => {
    const company = await createCompanyWithSchema();
    const converted = await company.run(['convert', 'synchronization-schema.json', '--name', 'acme', '--names', names]);
    expect(converted.code).toBe(4);
    await company.write('manifests/acme.yaml', converted.stdout);
    await company.write('manifests/secret.yaml', SECRET);
    const validated = await company.run(['validate', '-f', 'manifests']);
    expect([validated.code, validated.stdout]).toEqual([0, '5 resources are valid\n']);
  });

  it('carries expressions over word for word, or says that it does not', async () => {
    const company = await createCompanyWithSchema();
    const { stdout, stderr } = await company.run(['convert', 'synchronization-schema.json']);
    const documents = parseAllDocuments(stdout).map((document) => document.toJS());
    const written = documents.flatMap(({ kind, spec }) => (kind === 'AttributeMapping' ? spec.attributes : []));
    const expressions = written.flatMap(({ expression }: { expression?: string }) => expression ?? []);
    const there = await listExpressions();
    expect(there.length).toBeGreaterThan(4);
    const lost = there.filter((text) => !expressions.includes(text));
    expect(lost).toEqual(['Fancy([department])']);
    expect(stderr).toContain('lost: User entitlements: column 1: unknown function "Fancy"');
  });

  it('makes a plan that runs against an application', async () => {
    const directory = await startApplication();
    const company = await createCompanyWithSchema();
    const argv = ['convert', 'synchronization-schema.json', '--name', 'acme', '--url', directory.url];
    await company.write('manifests/acme.yaml', (await company.run(argv)).stdout.replace('  mode: Plan\n', ''));
    await company.write('manifests/secret.yaml', SECRET);
    await company.write('manifests/people.json', JSON.stringify(PEOPLE));
    await company.write('manifests/groups.json', JSON.stringify(GROUPS));
    const applied = await company.run(['apply', '-f', 'manifests', '--yes']);
    expect(applied.code).toBe(0);
    expect(applied.stdout).toMatch(/^acme: 1 created, 1 team created, 1 membership added /);
    const answer = await fetch(`${directory.url}/Users`, { headers: { authorization: `Bearer ${TOKEN}` } });
    const { Resources: users } = (await answer.json()) as { Resources: unknown[] };
    expect(users).toMatchObject([
      {
        userName: 'ada@corp.example',
        externalId: 'e-1',
        displayName: 'Ada BYRON',
        name: { formatted: 'Ada Byron (Acme)' },
        title: 'Employee',
        preferredLanguage: 'en_GB',
        phoneNumbers: [{ type: 'work', value: '+44289649' }],
        'urn:ietf:params:scim:schemas:extension:acme:2.0:User': { licenseTier: 'bronze' },
      },
    ]);
  });

  it('prints resources and notes as JSON', async () => {
    const company = await createCompanyWithSchema();
    const { stdout } = await company.run(['convert', 'synchronization-schema.json', '-o', 'json']);
    const { resources, notes } = JSON.parse(stdout);
    expect(
      resources.map(({ kind, metadata }: { kind: string; metadata: { name: string } }) => [kind, metadata.name]),
    ).toEqual([
      ['DirectorySync', 'entra'],
      ['AttributeMapping', 'entra-users'],
      ['AttributeMapping', 'entra-teams'],
      ['CustomAttribute', 'entra-acme-license-tier'],
      ['CustomAttribute', 'entra-acme-hired-on'],
    ]);
    expect(notes).toContainEqual({
      kind: 'lost',
      about: 'User OfficeCode',
      message: 'the schema has no attribute "OfficeCode"',
    });
  });

  it('ends with 0 when nothing is lost', async () => {
    const company = await createCompany({ 'schema.json': JSON.stringify(SMALL) });
    const { code, stdout, stderr } = await company.run(['convert', 'schema.json']);
    expect([code, stderr]).toEqual([0, '1 attribute mapping carried over\n']);
    expect(stdout).toContain('# Everything was carried over.\n');
  });

  it.each([
    ['a file that is not there', 'none.json', 'dirsync: none.json cannot be read\n'],
    ['no JSON', 'text.json', 'dirsync: this is no JSON: '],
  ])('ends with 1 for %s', async (_, file, message) => {
    const company = await createCompany({ 'text.json': '<html>' });
    const { code, stdout, stderr } = await company.run(['convert', file]);
    expect([code, stdout]).toEqual([1, '']);
    expect(stderr).toContain(message);
  });

  it('refuses a name that no cluster takes, and proposes one', async () => {
    const company = await createCompany();
    const { code, stderr } = await company.run(['convert', 'x.json', '--name', 'Acme App']);
    expect(code).toBe(64);
    expect(stderr).toContain('such as acme-app');
  });

  it('prints what docs/migrating-from-entra.md shows', async () => {
    const company = await createCompanyWithSchema();
    const { stdout, stderr } = await company.run(['convert', 'synchronization-schema.json', '--name', 'acme']);
    const page = await readFile(new URL('../../docs/migrating-from-entra.md', import.meta.url), 'utf8');
    const [, report = ''] = /^\$ dirsync convert .*\n([\s\S]*?)^```/m.exec(page) ?? [];
    expect(stderr).toBe(report);
    const shown = [...page.matchAll(/^```yaml\n([\s\S]*?)^```/gm)].map(([, block = '']) => block);
    expect(shown).toHaveLength(2);
    for (const block of shown) expect(stdout).toContain(block);
  });
});

const SECRET = `apiVersion: v1
kind: Secret
metadata: { name: acme-app }
stringData: { token: ${TOKEN} }
`;

/** What the export of the portal has no value for. */
const NOTHING = Object.fromEntries(
  ['companyName', 'country', 'employeeHireDate', 'employeeId', 'extensionAttribute1', 'extensionAttribute2', 'jobTitle']
    .concat(['mailNickname', 'manager', 'mobile', 'physicalDeliveryOfficeName', 'usageLocation', 'extensionAttribute5'])
    .map((name) => [name, null]),
);

const PEOPLE = [
  {
    ...NOTHING,
    objectId: 'e-1',
    userPrincipalName: 'ada@corp.example',
    displayName: 'Ada Byron',
    givenName: 'Ada',
    surname: 'Byron',
    mail: 'ada@corp.example',
    department: 'Sales',
    city: 'Belfast',
    accountEnabled: true,
    preferredLanguage: 'en-GB',
    telephoneNumber: '+44 (28) 9649',
  },
  {
    ...NOTHING,
    objectId: 'e-2',
    userPrincipalName: 'hugo@corp.example',
    department: 'Legal',
    city: 'Derry',
    accountEnabled: true,
  },
];

const GROUPS = [{ id: 'g-1', displayName: 'Choir', members: ['e-1', 'e-2'] }];

const SMALL = {
  synchronizationRules: [
    {
      objectMappings: [
        {
          sourceObjectName: 'User',
          flowTypes: 'Add, Update',
          attributeMappings: [
            { targetAttributeName: 'userName', matchingPriority: 1, source: { name: 'userPrincipalName' } },
          ],
        },
      ],
    },
  ],
};
