import { describe, expect, it } from 'vitest';
import { type Company, createCompany, MAPPING, RULES, SECRET, toSyncText } from './company.ts';

const URL = 'http://127.0.0.1:8085/scim/v2';
const SYNC = toSyncText({ url: URL });

function createFolder(files: Readonly<Record<string, string>> = {}): Promise<Company> {
  const all = { 'sync.yaml': SYNC, 'mapping.yaml': MAPPING, 'rules.yaml': RULES, 'secret.yaml': SECRET, ...files };
  return createCompany(Object.fromEntries(Object.entries(all).map(([name, text]) => [`manifests/${name}`, text])));
}

const TEAMS = `apiVersion: dirsync.dev/v1alpha1
kind: AttributeMapping
metadata: { name: teams }
spec: { resource: Team,
  attributes: [
    { target: description, source: note } ] }
`;

const withEntry = (entry: string): string => `${MAPPING}    - ${entry}\n`;
/** The line of that entry. */
const LINE = MAPPING.split('\n').length;

interface Case {
  readonly because: string;
  readonly files: Readonly<Record<string, string>>;
  /** Whole lines of the output. */
  readonly says: readonly string[];
}

const BAD: readonly Case[] = [
  {
    because: 'an unknown field',
    files: { 'sync.yaml': `${SYNC}  guard: { floor: 5 }\n` },
    says: ['manifests/sync.yaml:8:3 unknown field "spec.guard"; did you mean "guards"?'],
  },
  {
    because: 'two providers',
    files: { 'sync.yaml': SYNC.replace('source: { ', 'source: { okta: { url: "https://127.0.0.1" }, ') },
    says: [
      'manifests/sync.yaml:5:3 spec.source: exactly one of entra, file, google, ldap, scim, workos must be set (found okta and file); known here: entra, file, google, ldap, scim, workos',
    ],
  },
  {
    because: 'a profile that requires what no entry writes',
    files: { 'sync.yaml': SYNC.replace('scim: { ', 'scim: { profile: AWSIdentityCenter, ') },
    says: [
      'manifests/sync.yaml:7:13 spec.target.scim: the profile AWSIdentityCenter requires name.givenName, name.familyName, displayName of every new user, and no entry of the mappings writes it',
    ],
  },
  {
    because: 'a bad duration',
    files: { 'sync.yaml': `${SYNC}  schedule: { interval: 40 minutes }\n` },
    says: ['manifests/sync.yaml:8:25 spec.schedule.interval: must be a duration such as 30s, 40m or 1h30m'],
  },
  {
    because: 'an expression with an error at column 17',
    files: { 'mapping.yaml': withEntry(`{ target: displayName, expression: 'Join([abc], [b] [c])' }`) },
    says: [
      `manifests/mapping.yaml:${LINE}:59 spec.attributes[4].expression: column 17: expected "," or ")" but found "[c]"`,
    ],
  },
  {
    because: 'an unknown function in a mapping of teams that nothing uses',
    files: { 'teams.yaml': TEAMS.replace('source: note', "expression: 'Joint([a], [b])'") },
    says: [
      'manifests/teams.yaml:6:41 spec.attributes[0].expression: column 1: unknown function "Joint"; did you mean "Join"?',
    ],
  },
  {
    because: 'an attribute of users in a mapping of teams',
    files: {
      'teams.yaml': TEAMS.replace('description', 'nickName'),
      'sync.yaml': SYNC.replace('mappings: [', 'mappings: [{ name: teams }, '),
    },
    says: ['manifests/teams.yaml:6:15 spec.attributes[0].target: the schema has no attribute "nickName"'],
  },
  {
    because: 'no mapping but one of teams',
    files: {
      'teams.yaml': TEAMS,
      'sync.yaml': SYNC.replace(/mappings: \[[^\]]*\]/, 'mappings: [{ name: teams }]'),
    },
    says: [
      'manifests/sync.yaml:6:3 spec.mappings: must name an AttributeMapping: without one nobody knows what to write; those that are named are of teams',
    ],
  },
  {
    because: 'an unknown function',
    files: { 'mapping.yaml': withEntry(`{ target: displayName, expression: 'Joint(" ", [a])' }`) },
    says: [
      `manifests/mapping.yaml:${LINE}:43 spec.attributes[4].expression: column 1: unknown function "Joint"; did you mean "Join"?`,
    ],
  },
  {
    because: 'a wrong argument count',
    files: { 'mapping.yaml': withEntry(`{ target: displayName, expression: 'ToLower()' }`) },
    says: [
      `manifests/mapping.yaml:${LINE}:43 spec.attributes[4].expression: column 1: ToLower takes 1 to 2 arguments, got 0: ToLower(source, culture?)`,
    ],
  },
  {
    because: 'a target path that the schema does not have',
    files: { 'mapping.yaml': withEntry('{ target: displayNam, source: name }') },
    says: [
      `manifests/mapping.yaml:${LINE}:17 spec.attributes[4].target: the schema has no attribute "displayNam"; did you mean "displayName"?`,
    ],
  },
  {
    because: 'a mapping that is not there',
    files: { 'sync.yaml': toSyncText({ url: URL, mapping: 'user' }) },
    says: ['manifests/sync.yaml:6:23 there is no AttributeMapping "user" in namespace default; did you mean "users"?'],
  },
  {
    because: 'a rule of nobody',
    files: { 'rules.yaml': RULES.replace('name: acme', 'name: acmee') },
    says: ['manifests/rules.yaml:5:29 there is no DirectorySync "acmee" in namespace default; did you mean "acme"?'],
  },
  {
    because: 'a rule over an attribute that can mean nothing',
    files: { 'rules.yaml': RULES.replace('attribute: department', 'attribute: "custom:tier"') },
    says: ['manifests/rules.yaml:7:3 spec.match: there is no CustomAttribute "tier"'],
  },
  {
    because: 'a Secret without the key that is needed',
    files: { 'secret.yaml': SECRET.replace('token:', 'tokem:') },
    says: [
      'manifests/sync.yaml:7:83 Secret default/app needs token, or username and password, or clientId and clientSecret and tokenUrl; it has tokem',
    ],
  },
  {
    because: 'what only the provider knows: a file whose format cannot be told',
    files: { 'sync.yaml': SYNC.replace('people.csv', 'people.txt') },
    says: [
      'manifests/sync.yaml:5:13 spec.source.file: the format of people.txt cannot be told from its extension; set format to CSV, JSON, JSONLines or LDIF',
    ],
  },
  {
    because: 'text that is no YAML',
    files: { 'rules.yaml': 'kind: [\n' },
    says: [
      'manifests/rules.yaml:2:1 is no YAML: Flow sequence in block collection must be sufficiently indented and end with a ]',
    ],
  },
  {
    because: 'one name twice',
    files: { 'more.yaml': MAPPING },
    says: ['manifests/more.yaml:3:19 AttributeMapping default/users stands twice: here and in mapping.yaml:1:1'],
  },
];

describe('dirsync validate', () => {
  it('says how many resources are valid', async () => {
    const company = await createFolder();
    const result = await company.run(['validate', '-f', 'manifests']);
    expect(result).toEqual({ code: 0, stdout: '4 resources are valid\n', stderr: '' });
  });

  it('takes a Secret that is not in the folder for a warning', async () => {
    const company = await createFolder({ 'secret.yaml': '' });
    const { code, stdout } = await company.run(['validate', '-f', 'manifests']);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^manifests\/sync\.yaml:7:83 warning: Secret default\/app is missing: put it among/);
    expect(stdout).toMatch(/4 resources are valid, 1 warning\n$/);
  });

  it.each(BAD)('ends with 1 and names the place: $because', async ({ files, says }) => {
    const company = await createFolder(files);
    const { code, stdout, stderr } = await company.run(['validate', '-f', 'manifests']);
    expect(stderr).toBe('');
    for (const line of says) expect(stdout.split('\n')).toContain(line);
    expect(stdout).toMatch(/\n\d+ errors?(, \d+ warnings?)? in \d+ resources?\n$/);
    expect(code).toBe(1);
  });

  it('does not take an empty folder for a valid one', async () => {
    const company = await createCompany({ 'manifests/notes.txt': 'nothing' });
    const { code, stdout } = await company.run(['validate', '-f', 'manifests']);
    expect(code).toBe(1);
    expect(stdout).toContain('manifests:1:1 there is no resource of dirsync.dev/v1alpha1 in it\n');
    expect(await company.run(['validate', '-f', 'elsewhere'])).toMatchObject({ code: 1 });
  });

  it('counts a mapping error once, however many DirectorySyncs use the mapping', async () => {
    const bad = withEntry('{ target: displayNam, source: name }');
    const second = toSyncText({ url: `${URL}/second`, name: 'other' });
    const company = await createFolder({ 'mapping.yaml': bad, 'sync.yaml': `${SYNC}---\n${second}` });
    const { stdout } = await company.run(['validate', '-f', 'manifests']);
    expect(stdout).toContain('1 error in 5 resources');
  });

  it('checks the entries of a mapping that nobody uses yet, and does not ask them to be a whole', async () => {
    const half = MAPPING.replace('users', 'half').replace(
      /attributes:[\s\S]*/,
      'attributes: [ { target: titel, source: a } ]\n',
    );
    const company = await createFolder({ 'half.yaml': half });
    const { stdout } = await company.run(['validate', '-f', 'manifests']);
    expect(stdout).toBe(
      'manifests/half.yaml:5:27 spec.attributes[0].target: the schema has no attribute "titel"; did you mean "title"?\n1 error in 5 resources\n',
    );
  });
});

describe('the place of an error inside an expression', () => {
  const cases = [
    { because: 'plain', yaml: 'expression: Join([abc], [b] [c])', at: [11, 35] },
    { because: 'in single quotes, a quote doubled', yaml: `expression: 'Join("''c", "b" [c])'`, at: [11, 36] },
    { because: 'in double quotes, with escapes', yaml: `expression: "Join(\\"ab\\", [b] [c])"`, at: [11, 37] },
    { because: 'a literal block', yaml: 'expression: |\n          Join([abc],\n            [b] [c])', at: [13, 17] },
    {
      because: 'a folded block keeps no columns: its beginning',
      yaml: 'expression: >\n          Join([abc], [b] [c])',
      at: [11, 19],
    },
  ] as const;

  it.each(cases)('is found where the text stands as it is: $because', async ({ yaml, at }) => {
    const mapping = `${MAPPING}    - target: displayName\n      ${yaml}\n`;
    const company = await createFolder({ 'mapping.yaml': mapping });
    const { stdout } = await company.run(['validate', '-f', 'manifests']);
    expect(stdout).toMatch(
      new RegExp(`^manifests/mapping.yaml:${at[0]}:${at[1]} spec.attributes\\[4\\].expression: .*found "\\[c\\]"`),
    );
  });
});

describe('dirsync validate -o', () => {
  const files = { 'sync.yaml': `${SYNC}  guard: { floor: 5 }\n` };

  it('json', async () => {
    const company = await createFolder(files);
    const { code, stdout } = await company.run(['validate', '-f', 'manifests', '-o', 'json']);
    expect(code).toBe(1);
    expect(JSON.parse(stdout)).toEqual({
      valid: false,
      resources: 4,
      problems: [
        {
          severity: 'error',
          file: 'manifests/sync.yaml',
          line: 8,
          column: 3,
          message: 'unknown field "spec.guard"; did you mean "guards"?',
          resource: { kind: 'DirectorySync', namespace: 'default', name: 'acme' },
        },
      ],
    });
  });

  it('github', async () => {
    const company = await createFolder(files);
    const { stdout } = await company.run(['validate', '-f', 'manifests', '-o', 'github']);
    expect(stdout).toBe(
      '::error file=manifests/sync.yaml,line=8,col=3::unknown field "spec.guard"; did you mean "guards"?\n',
    );
  });

  it('sarif', async () => {
    const company = await createFolder(files);
    const { stdout } = await company.run(['validate', '-f', 'manifests', '-o', 'sarif']);
    const log = JSON.parse(stdout);
    expect(log.version).toBe('2.1.0');
    expect(log.runs[0].results[0]).toMatchObject({
      level: 'error',
      locations: [
        {
          physicalLocation: {
            artifactLocation: { uri: 'manifests/sync.yaml' },
            region: { startLine: 8, startColumn: 3 },
          },
        },
      ],
    });
  });
});
