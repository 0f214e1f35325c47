import { execFileSync } from 'node:child_process';
import { appendFile, mkdir, rename, rm, stat, truncate, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { SyncError } from '../../../src/errors.ts';
import { NO_FILES } from '../http-client.ts';
import { connectFile, createFileAccess, readWhole, toSyncError, withFolder } from './files.ts';

const CHANGED =
  'cannot read people.csv: it changed while it was read; write to another name and rename it into place, so that it is always whole';

/** Large enough that the first page comes long before the last byte is read. */
function createRows(count: number): string {
  const rows = Array.from({ length: count }, (_, index) => `${index + 1},${'x'.repeat(200)}\n`);
  return `id,name\n${rows.join('')}`;
}

describe('a file', () => {
  it.each([
    ['that is not there', async () => undefined, 'no such file'],
    ['that is a directory', (path: string) => mkdir(path), 'it is a directory; name the file in it'],
    [
      'that is a pipe nobody writes to',
      async (path: string) => {
        execFileSync('mkfifo', [path]);
      },
      'it is no regular file',
    ],
  ])('%s is a failed read, named as the resource names it', async (_because, prepare, reason) => {
    await withFolder(async (folder) => {
      await prepare(join(folder, 'people.csv'));
      const source = await connectFile({ users: { path: 'people.csv' } }, createFileAccess(folder));
      const failure = await toSyncError(readWhole(source));
      expect(failure).toMatchObject({
        code: 'ReadFailed',
        retry: 'backoff',
        message: `cannot read people.csv: ${reason}`,
      });
    });
  });

  it.each([
    ['grows', (path: string) => appendFile(path, '9999,x\n')],
    ['is cut', (path: string) => truncate(path, 100_000)],
    ['is rewritten with as many bytes', (path: string) => writeFile(path, createRows(2000))],
    [
      'is replaced by an equal one',
      async (path: string) => {
        await writeFile(`${path}.new`, createRows(2000));
        const { atime, mtime } = await stat(path);
        await utimes(`${path}.new`, atime, mtime);
        await rename(`${path}.new`, path);
      },
    ],
    ['is deleted', (path: string) => rm(path)],
  ])('that %s while it is read is a failed read', async (_because, change) => {
    await withFolder(async (folder) => {
      const path = join(folder, 'people.csv');
      await writeFile(path, createRows(2000));
      const source = await connectFile({ users: { path: 'people.csv' } }, createFileAccess(folder));
      const pages = source.readUsers([], new AbortController().signal)[Symbol.asyncIterator]();
      expect((await pages.next()).value?.users).toHaveLength(500);
      await change(path);
      const failure = await toSyncError(
        (async () => {
          for (let next = await pages.next(); next.done !== true; next = await pages.next()) {
            expect(next.value.end).toBeUndefined();
          }
        })(),
      );
      expect(failure.code).toBe('ReadFailed');
      // Cut off, it may break its format before its end is compared.
      if (!failure.message.includes('row ')) expect(failure.message).toBe(CHANGED);
    });
  });

  it('may change between two reads', async () => {
    await withFolder(async (folder) => {
      await writeFile(join(folder, 'people.csv'), 'id\n1\n');
      const source = await connectFile({ users: { path: 'people.csv' } }, createFileAccess(folder));
      expect((await readWhole(source)).users).toHaveLength(1);
      await appendFile(join(folder, 'people.csv'), '2\n');
      expect((await readWhole(source)).users).toHaveLength(2);
    });
  });

  it('that may not be read is refused before a run reads anything', async () => {
    const refuse = new SyncError('Invalid', 'path ../x lies outside of what may be read');
    const files = {
      resolvePath: () => {
        throw refuse;
      },
      readConfigMap: async () => new Uint8Array(),
      readSecret: NO_FILES.readSecret,
    };
    expect(await toSyncError(connectFile({ users: { path: '../x.csv' } }, files))).toBe(refuse);
  });
});

describe('a ConfigMap', () => {
  const users = { configMapRef: { name: 'people', key: 'people.csv' } };

  it('is read by its key, whose extension says the format', async () => {
    const files = createFileAccess('', { people: { 'people.csv': Buffer.from('id\n1\n') } });
    expect((await readWhole(await connectFile({ users }, files))).users.map((user) => user.id)).toEqual(['1']);
  });

  it('that is not there is the reference that is not found', async () => {
    const failure = await toSyncError(readWhole(await connectFile({ users }, createFileAccess(''))));
    expect(failure.code).toBe('ReferenceNotFound');
  });

  it('is named in messages', async () => {
    const files = createFileAccess('', { people: { 'people.csv': Buffer.from('') } });
    const failure = await toSyncError(readWhole(await connectFile({ users }, files)));
    expect(failure.message).toBe(
      'cannot read key people.csv of ConfigMap people: it is empty; the first row must be a header',
    );
  });
});
