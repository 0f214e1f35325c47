/** Photos, from files beside the users to what the embedded directory holds; and what of them stands nowhere else. */
import { mkdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { stringify } from 'yaml';
import type { AttributeEntry } from '../../src/api/attribute-mapping.ts';
import { type Directory, startDirectory } from '../../src/directory/server.ts';
import type { RecordError } from '../../src/model.ts';
import type { RunOptions, RunReport } from '../../src/reconcile/run.ts';
import type { StoredOperation } from '../../src/state/store.ts';
import { aFolder } from '../local/folder.ts';
import { runFolder } from '../support/folder-run.ts';

const TOKEN = 'sesame';
const PATH = 'photos[type eq "photo"].value';
const PNG = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a];
const JPEG = [0xff, 0xd8, 0xff, 0xe0];

/** A file that begins as such a photo does, of so many bytes that say what it is. */
function aPhoto(begin: readonly number[], text: string, size = 64): Buffer {
  return Buffer.concat([Buffer.from(begin), Buffer.from(text.repeat(size).slice(0, size - begin.length))]);
}

function toUri(type: string, bytes: Buffer): string {
  return `data:image/${type};base64,${bytes.toString('base64')}`;
}

const ENTRY: AttributeEntry = { target: PATH, photo: { as: 'DataUri', maxBytes: 1000 }, onEmpty: 'Clear' };

function toManifests(url: string, { entry, profile }: { entry: AttributeEntry; profile: string }): string {
  const resource = (kind: string, name: string, spec: unknown) =>
    stringify({ apiVersion: 'dirsync.dev/v1alpha1', kind, metadata: { name }, spec });
  const attributes: AttributeEntry[] = [
    { target: 'userName', source: 'id', matching: { precedence: 1 } },
    { target: 'externalId', source: 'id', matching: { precedence: 2 } },
    { target: 'title', source: 'title' },
    entry,
  ];
  return [
    resource('DirectorySync', 'acme', {
      source: { file: { users: { path: 'data/people.json' }, photoAttribute: 'photo' } },
      mappings: [{ name: 'users' }],
      target: { scim: { url, profile, credentialsRef: { name: 'app' } } },
      guards: { suspiciousDrop: 100 },
    }),
    resource('AttributeMapping', 'users', { attributes }),
    stringify({ apiVersion: 'v1', kind: 'Secret', metadata: { name: 'app' }, stringData: { token: TOKEN } }),
  ].join('---\n');
}

interface World {
  readonly folder: string;
  readonly directory: Directory;
  readonly write: (name: string, bytes: Buffer) => Promise<void>;
  readonly people: (...people: readonly Record<string, unknown>[]) => Promise<void>;
  readonly run: (options?: Partial<RunOptions>) => Promise<Ran>;
  /** userName → photos. */
  readonly photos: () => Promise<Readonly<Record<string, unknown>>>;
}

interface Ran {
  readonly report: RunReport;
  readonly errors: readonly RecordError[];
  readonly operations: readonly StoredOperation[];
}

async function aWorld(entry: AttributeEntry = ENTRY, profile = 'Standard'): Promise<World> {
  const folder = await aFolder({});
  const directory = await startDirectory({
    file: join(folder, 'directory.db'),
    token: TOKEN,
    lenient: profile === 'MicrosoftStyle',
  });
  onTestFinished(() => directory.close());
  await mkdir(join(folder, 'data', 'photos'), { recursive: true });
  await writeFile(join(folder, 'acme.yaml'), toManifests(directory.url, { entry, profile }));
  return {
    folder,
    directory,
    write: (name, bytes) => writeFile(join(folder, 'data', name), bytes),
    people: (...people) =>
      writeFile(join(folder, 'data', 'people.json'), JSON.stringify(people.map((each) => ({ title: '', ...each })))),
    run: async (options = {}) => {
      const errors: RecordError[] = [];
      const operations: StoredOperation[] = [];
      const report = await runFolder(folder, join(folder, 'state.db'), {
        ...options,
        look: async ({ journal }) => {
          const [last] = await journal.runs(1);
          for await (const page of journal.errors(last?.id ?? '')) errors.push(...page);
          for await (const page of journal.operations(last?.id ?? '')) operations.push(...page);
        },
      });
      return { report, errors, operations };
    },
    photos: async () => {
      const headers = { authorization: `Bearer ${TOKEN}` };
      const answer = (await (await fetch(`${directory.url}/Users`, { headers })).json()) as {
        Resources: { userName: string; photos?: unknown }[];
      };
      return Object.fromEntries(answer.Resources.map(({ userName, photos = null }) => [userName, photos]));
    },
  };
}

describe.each(['Standard', 'MicrosoftStyle', 'GitHubEnterprise'])('a photo in the profile %s', (profile) => {
  it('is written as a data URL, changed when the file has, and removed', async () => {
    const { write, people, run, photos, directory } = await aWorld(ENTRY, profile);
    const first = aPhoto(PNG, 'first');
    const second = aPhoto(JPEG, 'second');
    await write('photos/ada.png', first);
    await people({ id: 'ada', photo: 'photos/ada.png' }, { id: 'bob', photo: '' });
    const settled = async () => {
      const { writes } = directory.counts();
      expect((await run()).operations).toEqual([]);
      expect((await run({ resync: true })).operations).toEqual([]);
      expect(directory.counts().writes).toBe(writes);
    };
    const { report, operations } = await run();
    expect(report).toMatchObject({ reason: 'Synced', warnings: [] });
    expect(await photos()).toEqual({ ada: [{ type: 'photo', value: toUri('png', first) }], bob: null });
    expect(operations.map(({ kind, id, phase }) => `${phase} ${kind} ${id}`).toSorted()).toEqual([
      'people create ada',
      'people create bob',
      'photos update ada',
    ]);
    await settled();

    await write('photos/ada.png', second);
    await people({ id: 'ada', photo: 'photos/ada.png', title: 'Lead' }, { id: 'bob', photo: null });
    const changed = await run();
    expect(changed.report.reason).toBe('Synced');
    expect(await photos()).toEqual({ ada: [{ type: 'photo', value: toUri('jpeg', second) }], bob: null });
    await settled();

    await people({ id: 'ada', photo: '' }, { id: 'bob', photo: '' });
    expect((await run()).report.reason).toBe('Synced');
    expect(await photos()).toEqual({ ada: null, bob: null });
    await settled();
  });
});

describe('a photo', () => {
  it('stands in plan, state and messages by its hash alone (I9)', async () => {
    const { write, people, run, folder } = await aWorld();
    const photo = aPhoto(PNG, 'recognise me');
    await write('photos/ada.png', photo);
    await people({ id: 'ada', photo: 'photos/ada.png' });
    const planned = await run({ planOnly: true });
    expect(planned.operations.at(-1)?.changes).toEqual([
      { path: PATH, after: expect.stringMatching(/^sha256:[0-9a-f]{64}$/), photo: true },
    ]);
    const done = await run();
    expect(done.report.reason).toBe('Synced');
    expect(JSON.stringify([planned, done])).not.toContain(photo.toString('base64').slice(0, 40));
    const state = await Promise.all(
      ['state.db', 'state.db-wal'].map((name) => readFile(join(folder, name)).catch(() => Buffer.alloc(0))),
    );
    for (const bytes of state) {
      expect(bytes.includes('recognise me')).toBe(false);
      expect(bytes.includes(photo.toString('base64').slice(0, 40))).toBe(false);
    }
  });

  it('that is too large, no photo or elsewhere is an error of its person, and the one that is there stays', async () => {
    const { write, people, run, photos, folder } = await aWorld();
    const good = aPhoto(PNG, 'good');
    const names = ['large', 'text', 'outside', 'link', 'url', 'number'];
    for (const name of names) await write(`photos/${name}.png`, good);
    const withPhoto = (photo: (name: string) => unknown) => people(...names.map((id) => ({ id, photo: photo(id) })));
    await withPhoto((name) => `photos/${name}.png`);
    expect((await run()).report.reason).toBe('Synced');
    const before = await photos();

    await write('photos/large.png', aPhoto(PNG, 'large', 1001));
    await write('photos/text.png', Buffer.from('name,title\nAda,Clerk\n'));
    await writeFile(join(folder, 'secret.png'), aPhoto(PNG, 'secret'));
    await rm(join(folder, 'data/photos/link.png'));
    await symlink(join(folder, 'secret.png'), join(folder, 'data/photos/link.png'));
    const wrong: Record<string, unknown> = {
      outside: '../secret.png',
      url: 'https://people.corp.example/ada.jpg',
      number: 7,
    };
    await withPhoto((name) => wrong[name] ?? `photos/${name}.png`);
    const { report, errors, operations } = await run();
    expect(report.reason).toBe('SyncedWithErrors');
    expect(operations).toEqual([]);
    expect(Object.fromEntries(errors.map(({ id, message }) => [id, message]))).toEqual({
      large: `attribute "${PATH.replaceAll('"', '\\"')}": the photo has 1001 bytes; at most 1000 are written (photo.maxBytes)`,
      text: `attribute "${PATH.replaceAll('"', '\\"')}": the photo is neither JPEG, PNG, GIF nor WebP`,
      outside: `attribute "${PATH.replaceAll('"', '\\"')}": the photo ("photo") lies outside of the folder of data/people.json`,
      link: `attribute "${PATH.replaceAll('"', '\\"')}": the photo data/photos/link.png leads outside of the folder of data/people.json`,
      url: `attribute "${PATH.replaceAll('"', '\\"')}": the photo ("photo") is a URL, and its bytes are not read; write as: Url`,
      number: `attribute "${PATH.replaceAll('"', '\\"')}": the photo ("photo") is no path`,
    });
    expect(await photos()).toEqual(before);
  });

  it('that cannot be read, or whose column is gone, stays as it is (I13)', async () => {
    const { write, people, run, photos, folder } = await aWorld();
    await write('photos/ada.png', aPhoto(PNG, 'ada'));
    await people({ id: 'ada', photo: 'photos/ada.png', title: 'Engineer' });
    await run();
    const before = await photos();
    await rm(join(folder, 'data/photos/ada.png'));
    await people({ id: 'ada', photo: 'photos/ada.png', title: 'Lead' });
    const { report, operations } = await run();
    expect(report).toMatchObject({
      reason: 'Synced',
      warnings: [
        {
          reason: 'UnknownPhoto',
          message: 'people whose photo could not be read: it stays as it is in the application',
          count: 1,
        },
      ],
    });
    expect(operations.map(({ changes }) => changes.map(({ path }) => path))).toEqual([['title']]);
    await people({ id: 'ada', title: 'Lead' });
    expect((await run()).report.warnings.map(({ reason }) => reason)).toEqual(['UnknownAttribute']);
    expect(await photos()).toEqual(before);
  });

  it('of an account that is adopted, recovered or made again is written', async () => {
    const { write, people, run, photos, folder, directory } = await aWorld();
    const photo = aPhoto(PNG, 'ada');
    const whole = { ada: [{ type: 'photo', value: toUri('png', photo) }] };
    await write('photos/ada.png', photo);
    await people({ id: 'ada', photo: 'photos/ada.png' });
    const headers = { authorization: `Bearer ${TOKEN}`, 'content-type': 'application/scim+json' };
    const body = JSON.stringify({ schemas: ['urn:ietf:params:scim:schemas:core:2.0:User'], userName: 'ada' });
    await fetch(`${directory.url}/Users`, { method: 'POST', headers, body });
    const adopted = await run();
    expect(adopted.operations.map(({ kind, phase }) => `${phase} ${kind}`)).toEqual(['people adopt', 'photos update']);
    expect(await photos()).toEqual(whole);
    await rm(join(folder, 'state.db'));
    const recovered = await run();
    expect(recovered.operations.map(({ kind, phase }) => `${phase} ${kind}`)).toEqual([
      'recover recover',
      'photos update',
    ]);
    expect((await run({ resync: true })).operations).toEqual([]);
    const { Resources } = (await (await fetch(`${directory.url}/Users`, { headers })).json()) as {
      Resources: { id: string }[];
    };
    await fetch(`${directory.url}/Users/${Resources[0]?.id}`, { method: 'DELETE', headers });
    await run({ resync: true });
    expect(await photos()).toEqual(whole);
  });

  it('of one person is looked at in a run of that person', async () => {
    const { write, people, run, photos } = await aWorld();
    for (const name of ['ada', 'bob']) await write(`photos/${name}.png`, aPhoto(PNG, name));
    await people({ id: 'ada', photo: 'photos/ada.png' }, { id: 'bob', photo: 'photos/bob.png' });
    await run();
    for (const name of ['ada', 'bob']) await write(`photos/${name}.png`, aPhoto(PNG, `${name} again`));
    const { operations } = await run({ user: 'bob' });
    expect(operations.map(({ id }) => id)).toEqual(['bob']);
    expect((await photos())['bob']).toEqual([{ type: 'photo', value: toUri('png', aPhoto(PNG, 'bob again')) }]);
  });

  it('is its URL where the application fetches it, and what is no URL an error', async () => {
    const { people, run, photos } = await aWorld({ target: PATH, photo: { as: 'Url' }, onEmpty: 'Clear' });
    await people({ id: 'ada', photo: 'https://people.corp.example/ada.jpg?v=1' }, { id: 'bob', photo: 'bob.jpg' });
    const { report, errors } = await run();
    expect(report.reason).toBe('SyncedWithErrors');
    expect(errors.map(({ id, message }) => `${id}: ${message}`)).toEqual([
      `bob: attribute "${PATH.replaceAll('"', '\\"')}": "bob.jpg" is not a URL; expected an address, such as https://people.corp.example/ada.jpg`,
    ]);
    expect(await photos()).toEqual({
      ada: [{ type: 'photo', value: 'https://people.corp.example/ada.jpg?v=1' }],
      bob: null,
    });
    await people({ id: 'ada', photo: '' }, { id: 'bob', photo: '' });
    expect((await run()).report.reason).toBe('Synced');
    expect(await photos()).toEqual({ ada: null, bob: null });
  });
});
