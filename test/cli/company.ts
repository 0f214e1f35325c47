/** A small invented company in a temporary folder, the application it is converged into, and the CLI over both. */
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { expect, onTestFinished } from 'vitest';
import type { DirectorySyncStatus } from '../../src/api/directory-sync-status.ts';
import { checkKstatus } from '../../src/api/kstatus.ts';
import type { CliIo } from '../../src/cli/io.ts';
import { runCli } from '../../src/cli/program.ts';
import { type Directory, type DirectoryOptions, startDirectory } from '../../src/directory/server.ts';

export const TOKEN = 'test-token';

export interface Person {
  readonly id: string;
  readonly userName: string;
  readonly department?: string;
  readonly title?: string;
  readonly teams?: string;
  readonly active?: boolean;
}

export interface CliResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Terminal {
  /** What is typed when a question is asked; without it there is no terminal. */
  readonly answers?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly now?: () => Date;
  readonly stopping?: AbortSignal;
  readonly hard?: AbortSignal;
  /** Told of what is written to standard error, as it comes. */
  readonly onStderr?: (text: string) => void;
  readonly onStdout?: (text: string) => void;
}

export interface Company {
  readonly folder: string;
  /** Writes a file below the folder; `manifests/` is what `-f` names. */
  write(file: string, text: string): Promise<void>;
  read(file: string): Promise<string>;
  writePeople(people: readonly Person[], options?: { columns?: readonly (keyof Person)[] }): Promise<void>;
  /** Runs the CLI in the folder. */
  run(argv: readonly string[], terminal?: Terminal): Promise<CliResult>;
  /** `apply -f manifests --yes` and whatever else is given. */
  apply(...more: string[]): Promise<CliResult>;
  /** The saved status of a DirectorySync, checked for what every status must keep to. */
  status(name?: string): Promise<DirectorySyncStatus>;
}

/** A folder of its own for one test; it is gone afterwards. */
export async function createCompany(files: Readonly<Record<string, string>> = {}): Promise<Company> {
  const folder = await mkdtemp(join(tmpdir(), 'dirsync-cli-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const company: Company = {
    folder,
    async write(file, text) {
      await mkdir(dirname(join(folder, file)), { recursive: true });
      await writeFile(join(folder, file), text);
    },
    read: (file) => readFile(join(folder, file), 'utf8'),
    writePeople: (people, { columns = COLUMNS } = {}) => company.write('manifests/people.csv', toCsv(people, columns)),
    run: (argv, terminal) => runInProcess(folder, argv, terminal),
    apply: (...more) => company.run(['apply', '-f', 'manifests', '--yes', ...more]),
    async status(name = 'acme') {
      const { stdout } = await company.run(['get', 'dsync', name, '-o', 'json']);
      const resource = JSON.parse(stdout);
      expect(checkKstatus(resource)).toEqual([]);
      return resource.status;
    },
  };
  for (const [file, text] of Object.entries(files)) await company.write(file, text);
  return company;
}

const COLUMNS = ['id', 'userName', 'department', 'title', 'teams', 'active'] as const;

function toCsv(people: readonly Person[], columns: readonly (keyof Person)[]): string {
  const header = columns.map((column) => (column === 'active' ? 'accountEnabled' : column)).join(',');
  const rows = people.map((person) => columns.map((column) => String(person[column] ?? DEFAULTS[column])).join(','));
  return `${[header, ...rows].join('\n')}\n`;
}

const DEFAULTS: Readonly<Record<keyof Person, string>> = {
  id: '',
  userName: '',
  department: 'Sales',
  title: 'Agent',
  teams: '',
  active: 'true',
};

/** `p1@corp.example`, … with the ids `1`, … */
export function makePeople(count: number, change: (index: number) => Partial<Person> = () => ({})): Person[] {
  return Array.from({ length: count }, (_, index) => ({
    id: `id-${index + 1}`,
    userName: `p${index + 1}@corp.example`,
    ...change(index + 1),
  }));
}

export interface SyncText {
  readonly url: string;
  readonly name?: string;
  /** More lines of the spec, indented by two. */
  readonly spec?: string;
  readonly mapping?: string;
}

export function toSyncText({ url, name = 'acme', spec = '', mapping = 'users' }: SyncText): string {
  return `apiVersion: dirsync.dev/v1alpha1
kind: DirectorySync
metadata: { name: ${name} }
spec:
  source: { file: { users: { path: people.csv } } }
  mappings: [ { name: ${mapping} } ]
  target: { scim: { url: "${url}", credentialsRef: { name: app } } }
${spec}`;
}

export const MAPPING = `apiVersion: dirsync.dev/v1alpha1
kind: AttributeMapping
metadata: { name: users }
spec:
  attributes:
    - { target: userName, source: userName, required: true, matching: { precedence: 1 } }
    - { target: externalId, source: id, matching: { precedence: 2 } }
    - { target: title, source: title, onEmpty: Clear }
    - { target: 'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department', source: department }
`;

export const RULES = `apiVersion: dirsync.dev/v1alpha1
kind: TeamRule
metadata: { name: sales }
spec:
  directorySyncRef: { name: acme }
  team: { displayName: Sales People }
  match: [ { attribute: department, operator: In, values: [ Sales ] } ]
---
apiVersion: dirsync.dev/v1alpha1
kind: TeamRule
metadata: { name: teams-column }
spec:
  directorySyncRef: { name: acme }
  teamsFrom: { attributes: [ teams ] }
`;

export const SECRET = `apiVersion: v1
kind: Secret
metadata: { name: app }
stringData: { token: ${TOKEN} }
`;

/** The application; closed after the test. */
export async function startApplication(options: Partial<DirectoryOptions> = {}): Promise<Directory> {
  const directory = await startDirectory({ file: ':memory:', token: TOKEN, ...options });
  onTestFinished(() => directory.close());
  return directory;
}

/** A company with the usual manifests, ready to be applied. */
export async function createReadyCompany(
  url: string,
  { people = makePeople(6), spec = '' }: { people?: readonly Person[]; spec?: string } = {},
): Promise<Company> {
  const company = await createCompany({
    'manifests/sync.yaml': toSyncText({ url, spec }),
    'manifests/mapping.yaml': MAPPING,
    'manifests/rules.yaml': RULES,
    'manifests/secret.yaml': SECRET,
  });
  await company.writePeople(people);
  return company;
}

async function runInProcess(cwd: string, argv: readonly string[], terminal: Terminal = {}): Promise<CliResult> {
  const output = { stdout: '', stderr: '' };
  const isTTY = terminal.answers !== undefined;
  const answers = [...(terminal.answers ?? [])];
  const io: CliIo = {
    stdout: async (text) => {
      output.stdout += text;
      terminal.onStdout?.(text);
    },
    stderr: (text) => {
      output.stderr += text;
      terminal.onStderr?.(text);
    },
    ask: async (question) => {
      output.stderr += question;
      return answers.shift() ?? '';
    },
    isTTY: { stdin: isTTY, stdout: isTTY, stderr: isTTY },
    columns: () => (isTTY ? 100 : null),
    env: terminal.env ?? {},
    cwd,
    user: 'reviewer',
    now: terminal.now ?? (() => new Date()),
    stopping: terminal.stopping ?? new AbortController().signal,
    hard: terminal.hard ?? new AbortController().signal,
  };
  const code = await runCli(argv, io);
  return { code, ...output };
}

/** All users of the application, by userName. */
export async function readUsers(directory: Directory): Promise<Map<string, Record<string, unknown>>> {
  const users = await readList(directory, 'Users');
  return new Map(users.map((user) => [String(user['userName']), user]));
}

/** Teams of the application: display name → userNames of the members, sorted. */
export async function readTeams(directory: Directory): Promise<Record<string, string[]>> {
  const users = await readList(directory, 'Users');
  const names = new Map(users.map((user) => [user['id'], String(user['userName'])]));
  const groups = await readList(directory, 'Groups');
  return Object.fromEntries(
    groups.map((group) => {
      const members = (group['members'] ?? []) as readonly { value: string }[];
      return [String(group['displayName']), members.map(({ value }) => names.get(value) ?? value).sort()];
    }),
  );
}

async function readList(directory: Directory, type: 'Users' | 'Groups'): Promise<Record<string, unknown>[]> {
  const response = await fetch(`${directory.url}/${type}?count=1000`, {
    headers: { authorization: `Bearer ${TOKEN}` },
  });
  const body = (await response.json()) as { Resources?: Record<string, unknown>[] };
  return body.Resources ?? [];
}
