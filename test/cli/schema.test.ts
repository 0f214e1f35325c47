/** `dirsync schema` over real files and over directories in this process. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it, onTestFinished } from 'vitest';
import { APPLICATION, startEntra, toGraphUser } from '../support/entra-server.ts';
import { startScimDirectory } from '../support/scim-directory-server.ts';
import { type Company, createCompany, MAPPING, makePeople, SECRET, toSyncText } from './company.ts';

const URL_OF_NOBODY = 'https://app.example.com/scim/v2';

async function aCompany(more: Readonly<Record<string, string>> = {}): Promise<Company> {
  return createCompany({
    'manifests/sync.yaml': toSyncText({ url: URL_OF_NOBODY }),
    'manifests/mapping.yaml': MAPPING,
    'manifests/secret.yaml': SECRET,
    'manifests/people.csv': 'id,userName,department,title\n1,ada@corp.example,Sales,\n2,zoe@corp.example,R&D,Agent 7\n',
    ...more,
  });
}

const schema = (company: Company, ...more: string[]) => company.run(['schema', ...more]);

describe('dirsync schema', () => {
  it('shows each attribute with its type, who has it and the form of a value, and asks no application', async () => {
    const company = await aCompany();
    const { code, stdout, stderr } = await schema(company, '-f', 'manifests');
    expect([code, stderr]).toEqual([0, '']);
    expect(stdout).toBe(`acme: file, all of its 2 people

ATTRIBUTE    TYPE     HAVE IT   LOOKS LIKE
department   String   all       Aaaaa
id           String   all       9
title        String   50%       Aaaaa 9
userName     String   all       aaa@aaaa.aaaaaaa
`);
    await expect(company.read('.dirsync/state.db')).rejects.toThrow(/ENOENT/);
  });

  it('gives a path that a mapping and an expression take', async () => {
    const company = await aCompany({
      'manifests/sync.yaml': toSyncText({ url: URL_OF_NOBODY }).replace('people.csv', 'people.json'),
      'manifests/people.json': JSON.stringify([
        { id: '1', phones: [{ type: 'mobile', value: '+49 170 1' }], 'acme.tier': 'gold', org: { cost: { unit: 7 } } },
      ]),
    });
    const { stdout } = await schema(company, '-f', 'manifests', '-o', 'json');
    const paths = JSON.stringify(JSON.parse(stdout)).matchAll(/"path":("(?:[^"\\]|\\.)*")/g);
    const given = [...paths].map(([, path = '']) => JSON.parse(path) as string);
    expect(given).toEqual([
      '["acme.tier"]',
      'id',
      'org',
      'org.cost',
      'org.cost.unit',
      'phones',
      'phones[type eq "mobile"]',
      'phones[type eq "mobile"].type',
      'phones[type eq "mobile"].value',
    ]);
    for (const path of ['["acme.tier"]', 'org.cost.unit', 'phones[type eq "mobile"].value']) {
      const user = JSON.stringify(JSON.parse(await company.read('manifests/people.json'))[0]);
      const { stdout: shown } = await company.run(['eval', `[${path}]`, '--user', user]);
      expect(shown).not.toContain('= null');
    }
  });

  it('tells an attribute of the source from a CustomAttribute of that name', async () => {
    const company = await aCompany({
      'manifests/custom.yaml': `apiVersion: dirsync.dev/v1alpha1
kind: CustomAttribute
metadata: { name: department }
spec: { name: department, type: String, path: 'urn:ietf:params:scim:schemas:extension:acme:2.0:User:department' }
`,
      'manifests/mapping.yaml': `${MAPPING}    - { target: department, source: department }\n`,
    });
    const path = async (): Promise<string | undefined> =>
      (await schema(company, '-f', 'manifests', '--find', 'department')).stdout.split('\n').at(3)?.split(' ')[0];
    expect(await path()).toBe('source:department');
  });

  it('finds attributes by a part of their path, and says which was meant', async () => {
    const company = await aCompany();
    const found = await schema(company, '-f', 'manifests', '--find', 'ITL');
    expect(found.stdout.split('\n').slice(2)).toEqual([
      'ATTRIBUTE   TYPE     HAVE IT   LOOKS LIKE',
      'title       String   50%       Aaaaa 9',
      '',
    ]);
    const { code, stdout, stderr } = await schema(company, '-f', 'manifests', '--find', 'departmnet');
    expect([code, stdout]).toEqual([1, '']);
    expect(stderr).toBe('no attribute has "departmnet" in its path (4 attributes); did you mean "department"?\n');
  });

  it('looks at as many people as it is told', async () => {
    const company = await aCompany();
    await company.writePeople(makePeople(1200));
    const first = async (...more: string[]) =>
      (await schema(company, '-f', 'manifests', ...more)).stdout.split('\n')[0];
    expect(await first()).toBe('acme: file, its first 1,000 people, and more may follow (--people all)');
    expect(await first('--people', '7')).toBe('acme: file, its first 7 people, and more may follow (--people all)');
    expect(await first('--people', 'all')).toBe('acme: file, all of its 1,200 people');
    expect(await first('--people', '5000')).toBe('acme: file, all of its 1,200 people');
    expect((await schema(company, '-f', 'manifests', '--people', '0')).code).toBe(64);
  });

  it('saves what it found, and shows it again without the source', async () => {
    const company = await aCompany();
    const { stdout, stderr } = await schema(company, '-f', 'manifests', '--save', 'acme.json', '--find', 'title');
    expect(stderr).toBe('saved to acme.json\n');
    await company.write('manifests/people.csv', '');
    const again = await schema(company, '--sample', 'acme.json', '--find', 'title');
    expect(again).toEqual({ code: 0, stdout, stderr: '' });
    // All of it is there, whatever was looked for; and no value of anybody.
    expect((await schema(company, '--sample', 'acme.json')).stdout).toContain('userName');
    expect(await company.read('acme.json')).not.toMatch(/ada|zoe|Sales|Agent/);
    expect((await schema(company, '--sample', 'acme.json', '-o', 'json')).stdout).toBe(await company.read('acme.json'));
  });

  it.each<readonly [text: string, says: RegExp]>([
    ['[1', /--sample: acme\.json is no JSON/],
    ['{}', /--sample: acme\.json is none that dirsync schema --save has written \(\/sourceSchema: /],
    ['[]', /--sample: acme\.json is none that dirsync schema --save has written/],
  ])('refuses %j as a sample', async (text, says) => {
    const company = await aCompany({ 'acme.json': text });
    const { code, stderr } = await schema(company, '--sample', 'acme.json');
    expect([code, stderr]).toEqual([1, expect.stringMatching(says)]);
  });

  it.each<readonly [argv: readonly string[], code: number, says: string]>([
    [[], 64, 'name the folder with -f, or a saved sample with --sample'],
    [['--sample', 'acme.json', '-f', 'manifests'], 64, 'leave out -f, the name and --save'],
    [['--sample', 'nobody.json'], 1, '--sample: nobody.json cannot be read'],
    [['-f', 'manifests', '--save', 'no/folder.json'], 1, '--save: no/folder.json cannot be written'],
    [['-f', 'manifests', 'other'], 1, 'there is no DirectorySync "other"'],
  ])('%j ends with %i and says %j', async (argv, code, says) => {
    const ended = await schema(await aCompany(), ...argv);
    expect([ended.code, ended.stderr]).toEqual([code, expect.stringContaining(says)]);
  });

  it('shows several DirectorySyncs, of which one alone is saved', async () => {
    const company = await aCompany();
    await company.write('manifests/other.yaml', toSyncText({ url: URL_OF_NOBODY, name: 'other' }));
    const { stdout } = await schema(company, '-f', 'manifests');
    expect(stdout.match(/^\w+: file, all of its 2 people$/gm)).toEqual([
      'acme: file, all of its 2 people',
      'other: file, all of its 2 people',
    ]);
    expect(JSON.parse((await schema(company, '-f', 'manifests', '-o', 'json')).stdout).items).toHaveLength(2);
    expect((await schema(company, '-f', 'manifests', '--save', 'x.json')).code).toBe(64);
    expect((await schema(company, 'other', '-f', 'manifests', '--save', 'x.json')).code).toBe(0);
  });

  it('fails where the source cannot be read, and goes on without a mapping', async () => {
    const company = await aCompany({ 'manifests/mapping.yaml': '' });
    expect((await schema(company, '-f', 'manifests')).code).toBe(0);
    await company.write('manifests/people.csv', 'id,userName\n1,"ada');
    const { code, stdout, stderr } = await schema(company, '-f', 'manifests');
    expect([code, stdout]).toEqual([1, '']);
    expect(stderr).toMatch(/^dirsync: cannot read people\.csv: /);
  });

  it('lets no name of an attribute steer the terminal', async () => {
    const company = await aCompany({ 'manifests/people.csv': 'id,\u001b[31mred\n1,x\n' });
    const { stdout } = await schema(company, '-f', 'manifests');
    expect(stdout).not.toContain('\u001b');
  });
});

describe('the pages', () => {
  const ROOT = fileURLToPath(new URL('../../', import.meta.url));

  it.each([
    ['docs/cli.md', 'schema -f examples/features'],
    ['docs/cli.md', 'schema -f examples/quickstart --find tier'],
    ['docs/sources/file.md', 'schema -f examples/quickstart --find tier'],
    ['docs/sources/file.md', 'check source -f examples/quickstart'],
  ])('%s shows what dirsync %s prints', async (page, command) => {
    const company = await createCompany();
    const argv = command.split(' ').map((word) => word.replace(/^examples/, join(ROOT, 'examples')));
    const { code, stdout } = await company.run(argv);
    expect(code).toBe(0);
    const [, shown = ''] = (await readFile(join(ROOT, page), 'utf8')).split(`$ dirsync ${command}\n`);
    const lines = shown
      .replace(/\n(?:```|\$ dirsync)[\s\S]*/, '')
      .trim()
      .split('\n');
    expect(lines.length).toBeGreaterThan(3);
    // Lines may be left out where an ellipsis stands.
    if (!lines.includes('…')) expect(`${lines.join('\n')}\n`).toBe(stdout);
    expect(stdout.split('\n')).toEqual(expect.arrayContaining(lines.filter((line) => line !== '…')));
  });
});

describe('dirsync schema of a tenant of Entra', () => {
  const TIER = 'extension_2b8f4a105c3d4e778a610d9e5b7f3c22_tier';

  async function aTenant(source = '') {
    const entra = await startEntra({
      users: [
        toGraphUser('ada', {
          department: 'Sales',
          manager: 'zoe',
          onPremisesExtensionAttributes: { extensionAttribute1: 'blue', extensionAttribute2: null },
          [TIER]: 'gold',
        }),
        toGraphUser('zoe'),
      ],
      extensions: [TIER],
    });
    onTestFinished(() => entra.close());
    const { url, tenantId, clientId, clientSecret } = entra;
    const config = `tenantId: ${tenantId}, authorityUrl: "${url}", graphUrl: "${url}", credentialsRef: { name: entra }${source}`;
    const company = await aCompany({
      'manifests/sync.yaml': toSyncText({ url: URL_OF_NOBODY }).replace(
        /source: .*/,
        `source: { entra: { ${config} } }`,
      ),
      'manifests/mapping.yaml': MAPPING.replace('source: title', 'source: jobTitle').replace(
        'source: userName',
        'source: userPrincipalName',
      ),
      'manifests/entra.yaml': `apiVersion: v1\nkind: Secret\nmetadata: { name: entra }\nstringData: { clientId: ${clientId}, clientSecret: ${clientSecret} }\n`,
    });
    return { entra, company };
  }

  it('asks for what Graph gives in every tenant, and for the extensions of its applications', async () => {
    const { company } = await aTenant(`, applicationId: ${APPLICATION}`);
    const { code, stdout } = await schema(company, '-f', 'manifests');
    expect(code).toBe(0);
    expect(
      stdout.split('\n').filter((line) => /^ *(?:ok|warning|department|extension|manager|on|app|mail )/.test(line)),
    ).toEqual([
      '  ok      extensions: 1 of applications of the tenant',
      '  ok      roles: of Wiki',
      '  ok      left out: customSecurityAttributes (CustomSecAttributeAssignment.Read.All) and employeeLeaveDateTime (User-LifeCycleInfo.Read.All), schema extensions, and extensions of applications of other tenants are asked for by name alone',
      expect.stringMatching(/^department +String +50% +Aaaaa$/),
      expect.stringMatching(new RegExp(`^${TIER} +String +50% +aaaa$`)),
      expect.stringMatching(/^mail +String +all/),
      expect.stringMatching(/^manager +Complex +50%$/),
      expect.stringMatching(/^ {2}manager\.id +String +50% +aaa$/),
      expect.stringMatching(/^ {2}manager\.mail +String +50%/),
      expect.stringMatching(/^onPremisesExtensionAttributes +Complex +50%$/),
      expect.stringMatching(/^ {2}onPremisesExtensionAttributes\.extensionAttribute1 +String +50% +aaaa$/),
    ]);
    expect(stdout).toMatch(/^nobody has: .*ageGroup, .*appRoleAssignments/m);
  });

  it('goes on without the permission to list them, and asks for what is named', async () => {
    const { entra, company } = await aTenant();
    entra.permissions = ['Organization.Read.All', 'User.Read.All'];
    const { code, stdout } = await schema(company, '-f', 'manifests', '--find', 'extension');
    expect(code).toBe(0);
    expect(stdout).toMatch(
      /^ {2}warning extensions: .* give it the application permission Application\.Read\.All, .*; what is not listed can be asked for by name$/m,
    );
    expect(stdout).not.toContain(TIER);
    const named = await schema(company, '-f', 'manifests', '--attribute', TIER, '--find', 'tier');
    expect(named.stdout).toContain(`${TIER}   String   50%       aaaa`);
    // A mapping names it too.
    await company.write(
      'manifests/mapping.yaml',
      `${await company.read('manifests/mapping.yaml')}    - { target: nickName, source: ${TIER} }\n`,
    );
    expect((await schema(company, '-f', 'manifests', '--find', 'tier')).stdout).toContain(TIER);
  });
});

it('dirsync schema of a SCIM service has the attributes of its extensions', async () => {
  const ENTERPRISE = 'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User';
  const directory = await startScimDirectory({
    users: [
      { id: '1', userName: 'ada@corp.example', [ENTERPRISE]: { department: 'Sales', manager: { value: '2' } } },
      { id: '2', userName: 'zoe@corp.example', emails: [{ type: 'work', value: 'zoe@corp.example', primary: true }] },
    ],
  });
  onTestFinished(() => directory.close());
  const { url, client } = directory;
  const company = await aCompany({
    'manifests/sync.yaml': toSyncText({ url: URL_OF_NOBODY }).replace(
      /source: .*/,
      `source: { scim: { url: "${url}", credentialsRef: { name: directory } } }`,
    ),
    'manifests/directory.yaml': `apiVersion: v1\nkind: Secret\nmetadata: { name: directory }\nstringData: ${JSON.stringify(client)}\n`,
  });
  const { code, stdout } = await schema(company, '-f', 'manifests');
  expect(code).toBe(0);
  for (const path of [`${ENTERPRISE}:department`, `${ENTERPRISE}:manager.value`, 'emails[type eq "work"].value'])
    expect(stdout).toMatch(new RegExp(`^ +${path.replace(/[[\].]/g, '\\$&')} +String +50% +`, 'm'));
});
