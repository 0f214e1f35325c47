import { mkdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Json } from '../../../src/model.ts';
import { fileSource } from '../../../src/sources/file/index.ts';
import type { PhotoAnswer } from '../../../src/sources/source.ts';
import { connectFile, createFileAccess, toSyncError, withFolder } from './files.ts';

const PATH = { users: { path: 'data/people.csv' } };
const CONFIG_MAP = { users: { configMapRef: { name: 'people', key: 'people.csv' } } };

describe('what a file offers', () => {
  it.each([
    [PATH, null],
    [CONFIG_MAP, null],
    [
      { ...PATH, photoAttribute: 'Bild' },
      { url: 'Bild', bytes: true, needs: 'Bild' },
    ],
    [
      { ...CONFIG_MAP, photoAttribute: 'photo' },
      { url: 'photo', bytes: false, needs: 'photo' },
    ],
  ])('%j: photos %j', (config, photos) => {
    expect(fileSource.offers?.(config)).toEqual({ appRoles: false, defaultDomain: false, photos });
  });
});

async function look(folder: string, photo: Json): Promise<PhotoAnswer> {
  const source = await connectFile({ ...PATH, photoAttribute: 'photo' }, createFileAccess(folder));
  const user = { id: 'ada', active: true, attributes: { photo } };
  const asked = { etag: null, maxBytes: 100 };
  return (await source.readPhoto?.(user, asked, new AbortController().signal)) ?? { kind: 'none' };
}

async function inFolder<T>(run: (folder: string) => Promise<T>): Promise<T> {
  return await withFolder(async (folder) => {
    await mkdir(join(folder, 'data', 'photos'), { recursive: true });
    await writeFile(join(folder, 'data', 'people.csv'), '');
    await writeFile(join(folder, 'data', 'photos', 'ada.png'), 'a photo');
    await writeFile(join(folder, 'elsewhere.png'), 'a secret');
    return await run(folder);
  });
}

describe('the column of photos', () => {
  it.each(['photos/ada.png', './photos/ada.png', 'photos/../photos/ada.png'])('%s is read', async (path) => {
    const answer = await inFolder((folder) => look(folder, path));
    expect(answer).toMatchObject({ kind: 'photo', bytes: Buffer.from('a photo') });
  });

  it.each([null, ''])('%j is no photo', async (value) => {
    expect(await inFolder((folder) => look(folder, value))).toEqual({ kind: 'none' });
  });

  it.each<readonly [Json, string, string]>([
    ['../elsewhere.png', 'RecordInvalid', 'the photo ("photo") lies outside of the folder of data/people.csv'],
    ['/etc/passwd', 'RecordInvalid', 'the photo ("photo") lies outside of the folder of data/people.csv'],
    ['file:///etc/passwd', 'RecordInvalid', 'the photo ("photo") is a URL, and its bytes are not read; write as: Url'],
    [['photos/ada.png'], 'RecordInvalid', 'the photo ("photo") is no path'],
    ['photos/bob.png', 'ReadFailed', 'cannot read data/photos/bob.png: no such file'],
    ['photos', 'ReadFailed', 'cannot read data/photos: it is no regular file'],
  ])('%j is refused', async (value, code, message) => {
    expect(await inFolder((folder) => toSyncError(look(folder, value)))).toMatchObject({ code, message });
  });

  it('follows symlinks within the folder alone', async () => {
    await inFolder(async (folder) => {
      await symlink('ada.png', join(folder, 'data/photos/same.png'));
      await symlink(join(folder, 'elsewhere.png'), join(folder, 'data/photos/other.png'));
      expect(await look(folder, 'photos/same.png')).toMatchObject({ kind: 'photo' });
      expect(await toSyncError(look(folder, 'photos/other.png'))).toMatchObject({
        code: 'RecordInvalid',
        message: 'the photo data/photos/other.png leads outside of the folder of data/people.csv',
      });
    });
  });
});
