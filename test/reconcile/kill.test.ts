/**
 * Rule I6: the process is killed at every write of a plan, and the next run ends where an unkilled one would have. A
 * process of its own works on a state file against the embedded directory, which runs here and kills it at the moment
 * that the test names.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFile, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Directory, type ObservedRequest, startDirectory } from '../../src/directory/server.ts';
import { URN_ENTERPRISE_USER } from '../../src/scim/schema.ts';
import { runFolder } from '../support/folder-run.ts';
import { freePort } from '../support/program.ts';

/** A server with a port, a state and a folder of its own: cases in different places run side by side. */
interface Place {
  readonly folder: string;
  readonly port: number;
}

/** `received`: killed first, carried out afterwards. `answered`: the answer was sent. `lost`: never carried out. */
const MOMENTS = ['received', 'answered', 'lost'] as const;
type Moment = (typeof MOMENTS)[number];

interface Case {
  /** Which write of the run, from 1. */
  readonly n: number;
  readonly moment: Moment;
  readonly concurrency: number;
  /** The directory takes bulk requests, so that one write is several changes. */
  readonly bulk?: boolean;
}

interface End {
  /** What the directory holds, without ids, versions and times. */
  readonly dump: unknown;
  /** Objects that were created, by path. */
  readonly created: Readonly<Record<string, number>>;
  /** What guards will remember of it. */
  readonly removals: unknown;
}

const PLACES = 3;
const RUN_ONCE = fileURLToPath(new URL('../support/run-once.ts', import.meta.url));

let root = '';
const places: Place[] = [];
let unkilled: End & { readonly writes: number };

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'dirsync-kill-'));
  for (let index = 0; index < PLACES; index += 1) places.push(await preparePlace(join(root, String(index))));
  const [place] = places;
  if (place === undefined) throw new Error('there is no place');
  unkilled = await observe(place, { n: 0, moment: 'answered', concurrency: 1 });
}, 60_000);

afterAll(() => rm(root, { recursive: true, force: true }));

/** People before and after: what a plan with every kind of operation is made of. */
const HEADER = 'id,mail,title,department,manager,active,scope,teams';
const BEFORE = [
  'p1,p1@example.com,Engineer,Research,,true,in,Chess;Everybody',
  'p2,p2@example.com,Engineer,Research,p1,true,in,Chess;Everybody',
  'p3,p3@example.com,Engineer,Research,p1,true,in,Chess;Everybody',
  'p4,p4@example.com,Engineer,Sales,p1,true,in,Everybody',
  'p5,p5@example.com,Engineer,Sales,p1,true,in,Everybody',
  'p6,p6@example.com,Engineer,Sales,,true,in,Everybody',
  'p7,p7@example.com,Engineer,Sales,,true,in,Everybody;Leavers',
  'p11,p11@example.com,Engineer,Sales,,true,in,Everybody;Leavers',
  'p13,p13@example.com,Engineer,Sales,,true,in,Everybody',
  'p14,p14@example.com,Engineer,Sales,,true,in,',
  'p15,p15@example.com,Engineer,Sales,,true,in,',
];
/** Between the two p13 is away: their return is one of the operations. */
const AWAY = BEFORE.map((row) => (row.startsWith('p13,') ? row.replace(',true,', ',false,') : row));
const AFTER = [
  'p1,p1@example.com,Principal,Research,p21,true,in,Chess;Everybody',
  'p2,p2@example.com,Lead,Research,p3,true,in,Everybody',
  'p3,p3@example.com,Lead,Sales,p1,true,in,Chess;Everybody',
  'p4,p4.married@example.com,Engineer,Sales,p1,true,in,Chess;Everybody;Design',
  'p5,p5@example.com,Engineer,Sales,p1,true,in,Everybody;Design',
  'p6,p6@example.com,Engineer,Sales,,true,out,Everybody',
  'p7,p7@example.com,Engineer,Sales,,false,in,Everybody;Leavers',
  'p13,p13@example.com,Engineer,Sales,,true,in,Everybody',
  'p14,p15@example.com,Engineer,Sales,,true,in,',
  'p15,p14@example.com,Engineer,Sales,,true,in,',
  'p21,p21@example.com,Engineer,Research,p22,true,in,Chess;Everybody;Design',
  'p22,p22@example.com,Engineer,Research,,true,in,Everybody',
  'p23,p23@example.com,Engineer,Research,p1,true,in,Everybody',
  'p26,p26@example.com,Engineer,Sales,,true,in,Everybody',
];

function toManifests({ port, concurrency, team }: { port: number; concurrency: number; team: string }): string {
  const documents = [
    {
      apiVersion: 'dirsync.dev/v1alpha1',
      kind: 'DirectorySync',
      metadata: { name: 'acme', namespace: 'identity' },
      spec: {
        source: { file: { users: { path: 'people.csv' } } },
        scope: { filters: [[{ attribute: 'scope', operator: 'Equals', value: 'in' }]] },
        mappings: [{ name: 'users' }],
        target: { scim: { url: `http://127.0.0.1:${port}/scim/v2`, credentialsRef: { name: 'app' } } },
        deprovisioning: { outOfScope: 'Delete' },
        // Exactly what goes: a removal that is counted twice, or for somebody else, is held.
        guards: {
          floor: 0,
          suspiciousDrop: 100,
          deactivate: { max: 3, percent: 100 },
          delete: { max: 1, percent: 100 },
          adopt: { max: 1, percent: 100 },
          reactivate: { max: 1, percent: 100 },
          rename: { max: 3, percent: 100 },
          update: { max: 3 },
          deleteTeams: { max: 0 },
          removeMembers: { percent: 40 },
        },
        limits: { concurrency },
      },
    },
    {
      apiVersion: 'dirsync.dev/v1alpha1',
      kind: 'AttributeMapping',
      metadata: { name: 'users', namespace: 'identity' },
      spec: {
        attributes: [
          { target: 'userName', source: 'mail', matching: { precedence: 1 } },
          { target: 'externalId', source: 'id', matching: { precedence: 2 } },
          { target: 'title', source: 'title' },
          { target: `${URN_ENTERPRISE_USER}:department`, source: 'department' },
          { target: `${URN_ENTERPRISE_USER}:manager`, source: 'manager' },
        ],
      },
    },
    {
      apiVersion: 'dirsync.dev/v1alpha1',
      kind: 'TeamRule',
      metadata: { name: 'research', namespace: 'identity' },
      spec: {
        directorySyncRef: { name: 'acme' },
        team: { displayName: team },
        match: [{ attribute: 'department', operator: 'Equals', value: 'Research' }],
      },
    },
    {
      apiVersion: 'dirsync.dev/v1alpha1',
      kind: 'TeamRule',
      metadata: { name: 'clubs', namespace: 'identity' },
      spec: { directorySyncRef: { name: 'acme' }, teamsFrom: { attributes: ['teams'] } },
    },
    {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name: 'app', namespace: 'identity' },
      stringData: { token: 'sesame' },
    },
  ];
  return documents.map((document) => JSON.stringify(document)).join('\n---\n');
}

const TOKEN = 'sesame';

async function writeFolder(
  folder: string,
  rows: readonly string[],
  manifests: Parameters<typeof toManifests>[0],
): Promise<void> {
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, 'people.csv'), `${[HEADER, ...rows].join('\n')}\n`);
  await writeFile(join(folder, 'acme.yaml'), toManifests(manifests));
}

/** The directory and the state from which every case begins. */
async function preparePlace(folder: string): Promise<Place> {
  const port = await freePort();
  const place = { folder, port };
  const manifests = { port, concurrency: 8, team: 'Research' };
  await writeFolder(folder, BEFORE, manifests);
  const directory = await startDirectory({ file: join(folder, 'directory.db'), token: TOKEN, port });
  await send(directory, '/Users', {
    schemas: ['urn:ietf:params:scim:schemas:core:2.0:User'],
    userName: 'p26@example.com',
  });
  for (const rows of [BEFORE, AWAY]) {
    await writeFolder(folder, rows, manifests);
    expect(await runFolder(folder, join(folder, 'state.db'))).toMatchObject({ reason: 'Synced' });
  }
  await directory.close();
  return place;
}

async function send({ url }: Directory, path: string, body?: unknown): Promise<unknown> {
  const response = await fetch(`${url}${path}`, {
    method: body === undefined ? 'GET' : 'POST',
    headers: { authorization: `Bearer ${TOKEN}`, 'content-type': 'application/scim+json' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  if (!response.ok) throw new Error(`${path} was answered with ${response.status}`);
  return response.json();
}

/** Runs in a process that is killed at write `n` (0: not at all), then to the end, then once more. */
async function observe(
  place: Place,
  { n, moment, concurrency, bulk = false }: Case,
): Promise<End & { readonly writes: number }> {
  const folder = join(place.folder, `${moment}-${n}-${concurrency}-${bulk}`);
  await writeFolder(folder, AFTER, { port: place.port, concurrency, team: 'Science' });
  const [state, file] = [join(folder, 'state.db'), join(folder, 'directory.db')];
  await copyFile(join(place.folder, 'state.db'), state);
  await copyFile(join(place.folder, 'directory.db'), file);
  const counts = { received: 0, answered: 0 };
  const created: Record<string, number> = {};
  let child: ChildProcess | null = null;

  const onRequest = async ({ method, path, status, phase }: ObservedRequest): Promise<void> => {
    if (method === 'GET') return;
    if (method === 'POST' && status === 201) created[path] = (created[path] ?? 0) + 1;
    counts[phase] += 1;
    const isTime = counts[phase] === n && phase === (moment === 'answered' ? 'answered' : 'received');
    if (!isTime || child === null) return;
    await kill(child);
    if (moment === 'lost') throw new Error('the connection is cut');
  };
  const maxOperations = bulk ? 1000 : 1;
  const directory = await startDirectory({ file, token: TOKEN, port: place.port, onRequest, maxOperations });
  try {
    child = spawn(process.execPath, [RUN_ONCE, folder, state], {
      env: { ...process.env, NODE_COMPILE_CACHE: join(root, 'cache') },
      stdio: 'ignore',
    });
    const [code, signal] = await once(child, 'exit');
    expect([code, signal]).toEqual(n === 0 ? [0, null] : [null, 'SIGKILL']);
    child = null;
    if (n > 0) expect(await runFolder(folder, state)).toMatchObject({ reason: 'Synced' });
    const writes = counts.received;
    let removals: unknown;
    const again = await runFolder(folder, state, {
      look: async ({ ledger }) => {
        removals = await ledger.removals(0);
      },
    });
    expect(again).toMatchObject({ reason: 'Synced' });
    const verified = await runFolder(folder, state, { resync: true });
    expect(verified).toMatchObject({ reason: 'Synced', kind: 'Verify' });
    expect(counts.received, 'writes of a further run').toBe(writes);
    return { dump: await dump(directory), created, removals, writes };
  } finally {
    await directory.close();
    await rm(folder, { recursive: true, force: true });
  }
}

async function kill(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, 'exit');
  child.kill('SIGKILL');
  await exited;
}

type Resources = { readonly Resources: readonly Record<string, never>[] };

/** Everything but ids, versions and times; ids that refer to people become what those people are known by. */
async function dump(directory: Directory): Promise<unknown> {
  const users = ((await send(directory, '/Users?count=1000')) as Resources).Resources;
  const groups = ((await send(directory, '/Groups?count=1000')) as Resources).Resources;
  const names = new Map(users.map(({ id, userName }) => [id, userName]));
  const toText = (resource: object): string =>
    JSON.stringify(resource, (key, value) => {
      // A user's `groups` say what the members of the groups say.
      if (['id', 'meta', '$ref', 'display', 'groups'].includes(key)) return undefined;
      if (key === 'members') return value.map((member: { value: never }) => names.get(member.value)).sort();
      return key === 'value' ? (names.get(value as never) ?? value) : value;
    });
  return { users: users.map(toText).sort(), groups: groups.map(toText).sort() };
}

const WRITES = 24;
const numbers = Array.from({ length: WRITES }, (_, index) => index + 1);
const CASES: Case[] = [
  ...numbers.flatMap((n): Case[] => [
    { n, moment: 'received', concurrency: 1 },
    { n, moment: 'answered', concurrency: 1 },
  ]),
  // What a cut line adds, and what several requests under way at once add, shows at some of them.
  ...numbers.filter((n) => n % 5 === 1).map((n): Case => ({ n, moment: 'lost', concurrency: 1 })),
  ...numbers.filter((n) => n % 5 === 3).map((n): Case => ({ n, moment: 'received', concurrency: 8 })),
];

/** Requests of the same plan where several changes travel in one: which go together is a matter of moments. */
const BULK_WRITES = 10;
const BULK_CASES = Array.from({ length: BULK_WRITES }, (_, index) => index + 1).flatMap((n): Case[] =>
  MOMENTS.map((moment) => ({ n, moment, concurrency: 8, bulk: true })),
);

describe('a plan whose process is killed', () => {
  const free: Place[] = [];
  const waiting: ((place: Place) => void)[] = [];
  const give = (place: Place): void => {
    const next = waiting.shift();
    if (next === undefined) free.push(place);
    else next(place);
  };
  const take = (): Promise<Place> => {
    const place = free.pop();
    return place === undefined ? new Promise((resolve) => waiting.push(resolve)) : Promise.resolve(place);
  };
  beforeAll(() => free.push(...places));

  it('has every kind of operation, and more than twenty writes', () => {
    expect(unkilled.writes).toBe(WRITES);
    expect(unkilled.created).toEqual({ '/scim/v2/Users': 3, '/scim/v2/Groups': 1 });
  });

  it.concurrent.each(CASES)(
    'ends like an unkilled one: write $n $moment, $concurrency at once (I2, I4, I6)',
    async (each) => {
      const place = await take();
      try {
        const { dump: end, created, removals } = await observe(place, each);
        expect(end).toEqual(unkilled.dump);
        expect(created).toEqual(unkilled.created);
        expect(removals).toEqual(unkilled.removals);
      } finally {
        give(place);
      }
    },
    120_000,
  );

  it('takes half as many requests where several changes travel in one', async () => {
    const place = await take();
    const { writes, dump: end } = await observe(place, { n: 0, moment: 'answered', concurrency: 8, bulk: true });
    give(place);
    expect(end).toEqual(unkilled.dump);
    expect(writes).toBeGreaterThanOrEqual(BULK_WRITES);
    expect(writes).toBeLessThan(WRITES * 0.75);
  });

  it.concurrent.each(BULK_CASES)(
    'ends like an unkilled one: request $n, $moment, with several changes in it (I2, I4, I6)',
    async (each) => {
      const place = await take();
      try {
        const { dump: end, removals } = await observe(place, each);
        expect(end).toEqual(unkilled.dump);
        expect(removals).toEqual(unkilled.removals);
      } finally {
        give(place);
      }
    },
    120_000,
  );
});
