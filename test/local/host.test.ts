import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { ResourceChange, ResourceRef } from '../../src/api/host.ts';
import { createLocalHost, findUnreadable, type LocalHostOptions } from '../../src/local/host.ts';
import type { Problem } from '../../src/local/problem.ts';

const RULE = (name: string, more = ''): string => `apiVersion: dirsync.dev/v1alpha1
kind: TeamRule
metadata: { name: ${name} }
spec:
  directorySyncRef: { name: acme }
  team: { displayName: Team ${name} }
  match: [ { attribute: department, operator: In, values: [ Sales ] } ]
${more}`;

const SYNC = `apiVersion: dirsync.dev/v1alpha1
kind: DirectorySync
metadata: { name: acme }
spec:
  source: { file: { users: { path: ../people.csv } } }
  mappings: [ { name: users } ]
  target: { scim: { url: "https://app.example.com/scim", credentialsRef: { name: app } } }
`;

const ACME: ResourceRef = { kind: 'DirectorySync', namespace: 'default', name: 'acme' };

async function createHost(files: Readonly<Record<string, string>>, options: Partial<LocalHostOptions> = {}) {
  const folder = await mkdtemp(join(tmpdir(), 'dirsync-host-'));
  const write = async (name: string, text: string): Promise<void> => {
    await mkdir(join(folder, name, '..'), { recursive: true });
    await writeFile(join(folder, name), text);
  };
  for (const [name, text] of Object.entries(files)) await write(name, text);
  const saved = new Map<string, unknown>();
  const host = createLocalHost({
    folder,
    loadStatus: async ({ metadata }) => (saved.get(metadata.name) as Record<string, unknown> | undefined) ?? null,
    saveStatus: async ({ metadata }, status) => {
      saved.set(metadata.name, status);
    },
    ...options,
  });
  onTestFinished(async () => {
    await host.close();
    await rm(folder, { recursive: true, force: true });
  });
  return { host, folder, write, saved };
}

/** Resolves with what was reported next. */
function createMailbox<T>() {
  const waiting: ((item: T) => void)[] = [];
  const items: T[] = [];
  return {
    put(item: T) {
      const take = waiting.shift();
      if (take === undefined) items.push(item);
      else take(item);
    },
    next: () => {
      const item = items.shift();
      return item === undefined ? new Promise<T>((resolve) => waiting.push(resolve)) : Promise.resolve(item);
    },
  };
}

describe('resources of a folder', () => {
  it('are in their first generation, and carry the status that was saved', async () => {
    const { host, saved } = await createHost({ 'sync.yaml': SYNC, 'rules.yaml': RULE('sales') });
    saved.set('acme', { observedGeneration: 1 });
    await host.read();
    const { directorySyncs, teamRules } = host.resources();
    expect(directorySyncs).toMatchObject([
      { metadata: { name: 'acme', generation: 1 }, status: { observedGeneration: 1 } },
    ]);
    expect(teamRules.map((rule) => rule.metadata.namespace)).toEqual(['default']);
  });

  it('that break their schema are handed on as they are: nobody takes them for deleted', async () => {
    const { host } = await createHost({ 'a.yaml': `${RULE('sales', '  whenEmty: Delete\n')}---\n${RULE('support')}` });
    const set = await host.read();
    expect(findUnreadable(set)).toEqual([]);
    expect(host.resources().teamRules.map(({ metadata }) => metadata.name)).toEqual(['sales', 'support']);
    expect(host.resources().teamRules[0]?.spec).toHaveProperty('whenEmty');
  });

  it.each([
    { because: 'text that does not parse', text: 'kind: [' },
    { because: 'a name twice', text: RULE('sales') },
    { because: 'no name', text: RULE('sales').replace('metadata: { name: sales }\n', '') },
    { because: 'an unknown kind of ours', text: RULE('sales').replace('TeamRule', 'TeamRul') },
  ])('cannot be told with $because', async ({ text }) => {
    const { host } = await createHost({ 'a.yaml': RULE('sales'), 'b.yaml': text });
    expect(findUnreadable(await host.read())).toHaveLength(1);
    await expect(host.start(() => undefined, new AbortController().signal)).rejects.toMatchObject({ code: 'Invalid' });
  });

  it('has paths relative to the folder of the manifest', async () => {
    const { host, folder } = await createHost({ 'sub/sync.yaml': SYNC });
    await host.read();
    expect(host.resolvePath(ACME, '../people.csv')).toBe(join(folder, 'people.csv'));
    expect(host.resolvePath(ACME, '/srv/people.csv')).toBe('/srv/people.csv');
    expect(() => host.resolvePath({ ...ACME, name: 'other' }, 'x')).toThrow(
      'DirectorySync default/other is not in the folder',
    );
  });

  it('has Secrets and ConfigMaps, and Secrets from the folder of files first', async () => {
    const secret = 'apiVersion: v1\nkind: Secret\nmetadata: { name: app }\nstringData: { token: from-manifest }\n';
    const map = 'apiVersion: v1\nkind: ConfigMap\nmetadata: { name: people }\ndata: { people.csv: "id" }\n';
    const { host, write, folder } = await createHost({ 'a.yaml': `${secret}---\n${map}` });
    await host.read();
    expect(await host.readSecret('default', 'app')).toEqual({ token: 'from-manifest' });
    expect(Buffer.from(await host.readConfigMap('default', 'people', 'people.csv')).toString()).toBe('id');
    await expect(host.readConfigMap('default', 'people', 'x')).rejects.toMatchObject({ code: 'ReferenceNotFound' });
    await write('keys/app/token', 'from-file\n');
    const other = createLocalHost({
      folder,
      secretsFolder: join(folder, 'keys'),
      loadStatus: async () => null,
      saveStatus: async () => undefined,
    });
    await other.read();
    expect(await other.readSecret('default', 'app')).toEqual({ token: 'from-file' });
  });
});

describe('writeStatus', () => {
  it('saves what changed, starts from what another process saved, and writes nothing for the same', async () => {
    const { host, saved } = await createHost({ 'sync.yaml': SYNC });
    await host.read();
    saved.set('acme', { held: { count: 3 } });
    expect(await host.writeStatus(ACME, (status, generation) => ({ ...status, observedGeneration: generation }))).toBe(
      true,
    );
    expect(saved.get('acme')).toEqual({ held: { count: 3 }, observedGeneration: 1 });
    expect(host.resources().directorySyncs[0]?.status).toEqual(saved.get('acme'));
    const before = saved.get('acme');
    await host.writeStatus(ACME, (status) => ({ ...status, progress: undefined }));
    expect(saved.get('acme')).toBe(before);
    expect(await host.writeStatus({ ...ACME, name: 'gone' }, () => ({}))).toBe(false);
  });
});

describe('following a folder', () => {
  it.each([
    { because: 'told by the operating system', options: { settleMs: 20, pollMs: 60_000 } },
    { because: 'by looking now and then', options: { settleMs: 60_000, pollMs: 30 } },
  ])('reports what changed, came and went: $because', async ({ options }) => {
    const changes = createMailbox<ResourceChange>();
    const { host, write, folder } = await createHost({ 'a.yaml': RULE('sales'), 'b.yaml': RULE('support') }, options);
    await host.start(changes.put, new AbortController().signal);
    await write('a.yaml', RULE('sales', '  whenEmpty: Delete\n'));
    expect(await changes.next()).toEqual({ kind: 'TeamRule', namespace: 'default', name: 'sales' });
    expect(host.resources().teamRules[0]?.spec.whenEmpty).toBe('Delete');
    await write('sub/c.yaml', RULE('board'));
    expect(await changes.next()).toMatchObject({ name: 'board' });
    await rm(join(folder, 'b.yaml'));
    expect(await changes.next()).toMatchObject({ name: 'support' });
    expect(host.resources().teamRules.map(({ metadata }) => metadata.name)).toEqual(['board', 'sales']);
  });

  it('keeps the last good set while the folder has errors, and says so', async () => {
    const problems = createMailbox<readonly Problem[]>();
    const changes = createMailbox<ResourceChange>();
    const { host, write } = await createHost(
      { 'a.yaml': RULE('sales'), 'b.yaml': RULE('support') },
      { settleMs: 20, onProblems: problems.put },
    );
    await host.start(changes.put, new AbortController().signal);
    await write('a.yaml', RULE('sales', '  whenEmty: Delete\n'));
    expect(await problems.next()).toMatchObject([{ file: 'a.yaml', line: 8, severity: 'error' }]);
    expect(host.resources().teamRules[0]?.spec).not.toHaveProperty('whenEmty');
    await write('a.yaml', RULE('sales', '  whenEmpty: Delete\n'));
    expect(await changes.next()).toMatchObject({ name: 'sales' });
  });

  it('ends with its signal', async () => {
    const ends = new AbortController();
    const changes: ResourceChange[] = [];
    const { host, write } = await createHost({ 'a.yaml': RULE('sales') }, { settleMs: 1, pollMs: 5 });
    await host.start((change) => changes.push(change), ends.signal);
    ends.abort();
    await write('a.yaml', RULE('support'));
    await host.read();
    expect(changes).toEqual([]);
  });
});
