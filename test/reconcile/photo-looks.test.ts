/** What is asked of a source for photos, told by one that writes down every question. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { stringify } from 'yaml';
import { startDirectory } from '../../src/directory/server.ts';
import { SyncError } from '../../src/errors.ts';
import type { RunReport } from '../../src/reconcile/run.ts';
import type { StoredOperation } from '../../src/state/store.ts';
import { aFolder } from '../local/folder.ts';
import { runFolder } from '../support/folder-run.ts';
import { createScriptedSource, type ScriptedSource } from '../support/scripted-source.ts';

const TOKEN = 'sesame';
const PATH = 'photos[type eq "photo"].value';
const PNG = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a];

function aPhoto(text: string): Buffer {
  return Buffer.concat([Buffer.from(PNG), Buffer.from(text)]);
}

/** The script's ETag of a photo. */
function toEtag(photo: Buffer): string {
  return photo.toString('base64');
}

function toManifests(url: string, maxBytes: number, filters: unknown): string {
  const resource = (kind: string, name: string, spec: unknown) =>
    stringify({ apiVersion: 'dirsync.dev/v1alpha1', kind, metadata: { name }, spec });
  return [
    resource('DirectorySync', 'acme', {
      source: { file: { users: { path: 'people.json' } } },
      scope: { filters },
      mappings: [{ name: 'users' }],
      target: { scim: { url, credentialsRef: { name: 'app' } } },
    }),
    resource('AttributeMapping', 'users', {
      attributes: [
        { target: 'userName', source: 'id', matching: { precedence: 1 } },
        { target: PATH, photo: { as: 'DataUri', maxBytes } },
      ],
    }),
    stringify({ apiVersion: 'v1', kind: 'Secret', metadata: { name: 'app' }, stringData: { token: TOKEN } }),
  ].join('---\n');
}

interface World {
  readonly source: ScriptedSource;
  readonly write: (maxBytes: number) => Promise<void>;
  readonly run: () => Promise<{ readonly report: RunReport; readonly operations: readonly StoredOperation[] }>;
  /** What was asked for since the last call. */
  readonly asked: () => readonly (readonly [string, string | null])[];
  readonly photoOf: (name: string) => Promise<unknown>;
}

async function aWorld(people: readonly string[], filters: unknown = []): Promise<World> {
  const folder = await aFolder({});
  const directory = await startDirectory({ file: join(folder, 'directory.db'), token: TOKEN });
  onTestFinished(() => directory.close());
  const source = createScriptedSource({
    people: people.map((id) => ({ id, department: id === 'out' ? 'Legal' : 'Sales' })),
    offers: { appRoles: false, defaultDomain: false, photos: { url: null, bytes: true, needs: null } },
  });
  const write = (maxBytes: number) =>
    writeFile(join(folder, 'acme.yaml'), toManifests(directory.url, maxBytes, filters));
  await write(100);
  return {
    source,
    write,
    run: async () => {
      const operations: StoredOperation[] = [];
      const report = await runFolder(folder, join(folder, 'state.db'), {
        sources: new Map([['file', source.provider]]),
        look: async ({ journal }) => {
          const [last] = await journal.runs(1);
          for await (const page of journal.operations(last?.id ?? '')) operations.push(...page);
        },
      });
      return { report, operations };
    },
    asked: () => source.photoReads.splice(0),
    photoOf: async (name) => {
      const answer = await fetch(`${directory.url}/Users?filter=userName%20eq%20%22${name}%22`, {
        headers: { authorization: `Bearer ${TOKEN}` },
      });
      const { Resources: list = [] } = (await answer.json()) as { Resources?: { photos?: unknown }[] };
      return list[0]?.photos ?? null;
    },
  };
}

describe('a source of photos', () => {
  it('is asked with the ETag of the last look, and for the bytes of what is written alone', async () => {
    const { source, run, asked } = await aWorld(['ada', 'bob']);
    const photo = aPhoto('ada');
    source.photos.set('ada', photo);
    await run();
    expect(asked()).toEqual([
      ['ada', null],
      ['bob', null],
      ['ada', null],
    ]);
    await run();
    expect(asked()).toEqual([
      ['ada', toEtag(photo)],
      ['bob', null],
    ]);
    source.photos.set('ada', aPhoto('ada again'));
    const { operations } = await run();
    expect(operations).toHaveLength(1);
    expect(asked()).toEqual([
      ['ada', toEtag(photo)],
      ['bob', null],
      ['ada', null],
    ]);
  });

  it('is not asked for who is out of scope', async () => {
    const filters = [[{ attribute: 'department', operator: 'Equals', value: 'Sales' }]];
    const { run, asked } = await aWorld(['ada', 'out'], filters);
    await run();
    expect(asked()).toEqual([['ada', null]]);
  });

  it('is not asked again for what is too large, until the limit is another one', async () => {
    const { source, write, run, asked, photoOf } = await aWorld(['ada']);
    const photo = aPhoto('x'.repeat(200));
    source.photos.set('ada', photo);
    for (const etag of [null, toEtag(photo)]) {
      expect((await run()).report.reason).toBe('SyncedWithErrors');
      expect(asked()).toEqual([['ada', etag]]);
    }
    await write(1000);
    expect((await run()).report.reason).toBe('Synced');
    expect(await photoOf('ada')).not.toBeNull();
    await write(150);
    expect((await run()).report.reason).toBe('SyncedWithErrors');
  });

  it('that fails ten times in a row is asked no more in this run, and everybody keeps their photo (I13)', async () => {
    const people = Array.from({ length: 15 }, (_, index) => `person-${index}`);
    const { source, run, asked, photoOf } = await aWorld(people);
    for (const id of people) source.photos.set(id, aPhoto(id));
    await run();
    asked();
    const before = await photoOf('person-14');
    for (const id of people) source.photos.set(id, new SyncError('ReadFailed', 'the source does not answer'));
    const { report, operations } = await run();
    expect(report.reason).toBe('Synced');
    expect(report.warnings).toEqual([expect.objectContaining({ reason: 'UnknownPhoto', count: 15 })]);
    expect(operations).toEqual([]);
    expect(asked()).toHaveLength(10);
    expect(await photoOf('person-14')).toEqual(before);
  });

  it('whose photo changes before it is written is asked in the next run', async () => {
    const { source, run, photoOf } = await aWorld(['ada']);
    const photos = [aPhoto('first'), aPhoto('second')];
    source.photos.get = () => photos[Math.min(source.photoReads.length, photos.length) - 1];
    expect((await run()).report.reason).toBe('Synced');
    expect(await photoOf('ada')).toBeNull();
    expect((await run()).report.reason).toBe('Synced');
    expect(await photoOf('ada')).toEqual([
      { type: 'photo', value: `data:image/png;base64,${photos[1]?.toString('base64')}` },
    ]);
  });

  it('that cannot give the photo when it is written fails that photo alone', async () => {
    const { source, run, photoOf } = await aWorld(['ada']);
    const photo = aPhoto('ada');
    source.photos.get = () => (source.photoReads.length === 2 ? new SyncError('ReadFailed', 'it is away') : photo);
    const { report, operations } = await run();
    expect(report).toMatchObject({ reason: 'SyncedWithErrors', applied: { create: 1 } });
    expect(operations.map(({ kind, status, code }) => [kind, status, code])).toEqual([
      ['create', 'done', null],
      ['update', 'failed', 'ReadFailed'],
    ]);
    expect(await photoOf('ada')).toBeNull();
  });
});
