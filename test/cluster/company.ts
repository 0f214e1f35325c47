import { randomBytes } from 'node:crypto';
import { GROUP_VERSION, type Kind } from '../../src/api/metadata.ts';
import { type Directory, startDirectory } from '../../src/directory/server.ts';
import type { Cluster } from './cluster.ts';
import { type Followed, followNamespace } from './follow.ts';

/** A namespace and what is done in it with the real kubectl. */
export interface Workplace {
  readonly cluster: Cluster;
  readonly namespace: string;
  readonly followed: Followed;
  /** Output of a kubectl command that has to succeed. */
  kubectl(args: readonly string[], input?: string): Promise<string>;
  apply(...manifests: readonly object[]): Promise<void>;
  /** A JSON merge patch; `undefined` cannot be written, null removes. */
  patch(kind: string, name: string, change: object): Promise<void>;
  /** All events, oldest first. */
  events(): Promise<readonly SeenEvent[]>;
  close(): Promise<void>;
}

export interface SeenEvent {
  readonly type: string;
  readonly reason: string;
  readonly message: string;
  /** Missing while it happened once. */
  readonly series?: { readonly count: number };
  readonly involvedObject: { readonly kind: string; readonly name: string };
}

export async function openWorkplace(cluster: Cluster, namespace: string): Promise<Workplace> {
  const kubectl = async (args: readonly string[], input?: string): Promise<string> => {
    const { stdout, stderr, code } = await cluster.kubectl(['-n', namespace, ...args], { input });
    if (code !== 0) throw new Error(`kubectl ${args.slice(0, 4).join(' ')}: ${stderr}`);
    return stdout;
  };
  await cluster.kubectl(['create', 'namespace', namespace]);
  const followed = await followNamespace(cluster, namespace);
  return {
    ...{ cluster, namespace, followed, kubectl },
    async apply(...items) {
      await kubectl(['apply', '-f', '-'], JSON.stringify({ apiVersion: 'v1', kind: 'List', items }));
    },
    async patch(kind, name, change) {
      await kubectl(['patch', kind, name, '--type=merge', '-p', JSON.stringify(change)]);
    },
    async events() {
      const { items } = JSON.parse(await kubectl(['get', 'events', '-o', 'json', '--sort-by=.eventTime']));
      return items;
    },
    async close() {
      await followed.stop();
      await cluster.kubectl(['delete', 'namespace', namespace, '--wait=false']);
    },
  };
}

export interface Person {
  readonly id: string;
  readonly userName: string;
  readonly givenName: string;
  readonly surname: string;
  readonly department: string;
}

const GIVEN_NAMES = ['Aurelia', 'Benedikt', 'Cosima', 'Dragomir', 'Euphemia', 'Florestan', 'Gwendolyn', 'Hjalmar'];

/** Invented people; names and addresses of this kind stand nowhere else, so that a leak of one can be searched for. */
function createPeople(company: string, count: number): Person[] {
  return Array.from({ length: count }, (_, index) => ({
    id: `${company}-${1000 + index}`,
    userName: `person${index}@${company}.corp.example`,
    givenName: `${GIVEN_NAMES[index % GIVEN_NAMES.length]}`,
    surname: `Quillfeather${index}`,
    department: index % 2 === 0 ? 'Finance' : 'Sales',
  }));
}

interface ScimUser {
  readonly id: string;
  readonly userName: string;
  readonly active: boolean;
  readonly title?: string;
}

/** A DirectorySync with people in a ConfigMap, and a SCIM directory of its own as the target. */
export interface Company {
  readonly name: string;
  readonly people: readonly Person[];
  readonly directory: Directory;
  readonly token: string;
  /** All its manifests. `spec` is merged into that of the DirectorySync, key by key. */
  manifests(options?: CompanyOptions): readonly object[];
  peopleManifest(people: readonly Person[]): object;
  secretManifest(token: string): object;
  /** All of them, or those of `manifests` for these options. */
  apply(options?: CompanyOptions): Promise<void>;
  users(): Promise<readonly ScimUser[]>;
  teams(): Promise<readonly string[]>;
  /** Requests received so far that could change something. */
  writes(): number;
  requests(): number;
  send(method: string, path: string, body: object): Promise<void>;
  /** Keeps the `n`-th write from now on, and those behind it, unanswered until it is released. */
  holdWrites(n: number): { readonly reached: Promise<void>; release(): void };
}

export interface CompanyOptions {
  readonly spec?: Readonly<Record<string, unknown>>;
  /** Merged into the spec of the TeamRule. */
  readonly rule?: Readonly<Record<string, unknown>>;
  readonly people?: readonly Person[];
  readonly without?: readonly string[];
}

interface Hold {
  readonly at: number;
  readonly reached: PromiseWithResolvers<void>;
  readonly released: PromiseWithResolvers<void>;
}

/** Companies of one test file; `close` ends their directories. */
export function createCompanies(workplace: Workplace): {
  open(name: string, people: number): Promise<Company>;
  all(): readonly Company[];
  close(): Promise<void>;
} {
  const companies: Company[] = [];
  return {
    async open(name, people) {
      const company = await openCompany(workplace, name, people);
      companies.push(company);
      return company;
    },
    all: () => companies,
    async close() {
      await Promise.all(companies.map(({ directory }) => directory.close()));
    },
  };
}

async function openCompany(workplace: Workplace, name: string, count: number): Promise<Company> {
  const token = `token-of-${name}-${randomBytes(12).toString('hex')}`;
  const people = createPeople(name, count);
  let written = 0;
  let hold: Hold | null = null;
  const directory = await startDirectory({
    file: ':memory:',
    token,
    // Requests are counted, held up and cut one by one.
    maxOperations: 1,
    async onRequest({ method, phase }) {
      if (phase !== 'received' || method === 'GET') return;
      written += 1;
      if (hold === null || written < hold.at) return;
      hold.reached.resolve();
      await hold.released.promise;
    },
  });
  const list = async <T>(resource: string): Promise<readonly T[]> => {
    const response = await fetch(`${directory.url}/${resource}?count=1000`, {
      headers: { authorization: `Bearer ${token}` },
    });
    return ((await response.json()) as { Resources: readonly T[] }).Resources;
  };
  const peopleManifest = (listed: readonly Person[]): Manifest => toPeople(name, listed);
  const secretManifest = (value: string): Manifest => toSecret(name, value);
  const manifests = (options: CompanyOptions = {}): readonly object[] =>
    [
      peopleManifest(options.people ?? people),
      secretManifest(token),
      toMapping(name),
      toRule(name, options.rule),
      toSync(name, directory.url, options.spec),
    ].filter(({ kind }) => !(options.without ?? []).includes(kind));
  return {
    ...{ name, people, directory, token, manifests, peopleManifest, secretManifest },
    apply: (options) => workplace.apply(...manifests(options)),
    users: () => list<ScimUser>('Users'),
    teams: async () => (await list<{ displayName: string }>('Groups')).map(({ displayName }) => displayName).toSorted(),
    writes: () => directory.counts().writes,
    requests: () => Object.values(directory.counts().byMethod).reduce((sum, each) => sum + each, 0),
    async send(method, path, body) {
      const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/scim+json' };
      const response = await fetch(`${directory.url}${path}`, { method, headers, body: JSON.stringify(body) });
      if (!response.ok) throw new Error(await response.text());
    },
    holdWrites(n) {
      const held = { at: written + n, reached: Promise.withResolvers<void>(), released: Promise.withResolvers<void>() };
      hold = held;
      return {
        reached: held.reached.promise,
        release() {
          hold = null;
          held.released.resolve();
        },
      };
    },
  };
}

interface Manifest {
  readonly kind: string;
}

function toManifest(kind: Kind, name: string, spec: object): Manifest {
  return { apiVersion: GROUP_VERSION, kind, metadata: { name }, spec } as Manifest;
}

function toCore(kind: string, name: string, content: object): Manifest {
  const metadata = { name, labels: { 'dirsync.dev/watch': 'true' } };
  return { apiVersion: 'v1', kind, metadata, ...content } as Manifest;
}

function toPeople(name: string, people: readonly Person[]): Manifest {
  const lines = people.map((person) => Object.values(person).join(','));
  const csv = ['id,userName,givenName,surname,department', ...lines].join('\n');
  return toCore('ConfigMap', `${name}-people`, { data: { 'people.csv': `${csv}\n` } });
}

function toSecret(name: string, token: string): Manifest {
  return toCore('Secret', `${name}-app`, { stringData: { token } });
}

function toMapping(name: string): Manifest {
  return toManifest('AttributeMapping', `${name}-users`, {
    attributes: [
      { target: 'userName', source: 'userName', matching: { precedence: 1 } },
      { target: 'externalId', source: 'id', matching: { precedence: 2 } },
      { target: 'displayName', expression: 'Join(" ", [givenName], [surname])' },
      { target: 'title', source: 'department' },
    ],
  });
}

function toRule(name: string, spec: CompanyOptions['rule'] = {}): Manifest {
  return toManifest('TeamRule', `${name}-finance`, {
    directorySyncRef: { name },
    team: { displayName: 'Finance' },
    match: [{ attribute: 'department', operator: 'Equals', value: 'Finance' }],
    ...spec,
  });
}

function toSync(name: string, url: string, spec: CompanyOptions['spec'] = {}): Manifest {
  return toManifest('DirectorySync', name, {
    // Long enough for the watches of all kinds to bring what one kubectl apply made.
    settle: '300ms',
    source: { file: { users: { configMapRef: { name: `${name}-people`, key: 'people.csv' } } } },
    mappings: [{ name: `${name}-users` }],
    target: { scim: { url, credentialsRef: { name: `${name}-app` } } },
    ...spec,
  });
}
