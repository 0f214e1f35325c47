/** Photos that a column of the users names: files in the folder of the file of users, or below. */
import type { BigIntStats } from 'node:fs';
import { realpath } from 'node:fs/promises';
import { dirname, isAbsolute, join, relative, sep } from 'node:path';
import { SyncError } from '../../errors.ts';
import type { Json, SourceUser } from '../../model.ts';
import type { FileAccess, PhotoAnswer, PhotoRequest } from '../source.ts';
import { attempt, isSame, openFile, throwIfAborted } from './client.ts';
import { toReadFailed } from './failure.ts';

export interface PhotoColumn {
  readonly name: string;
  /** Path of the file of users, as the resource has it. */
  readonly users: string;
}

/** Throws `RecordInvalid` for what is no such path, `ReadFailed` where there is no such file, or it cannot be read. */
export async function readPhoto(
  { attributes }: SourceUser,
  { column, files }: { readonly column: PhotoColumn; readonly files: FileAccess },
  asked: PhotoRequest,
  signal: AbortSignal,
): Promise<PhotoAnswer> {
  throwIfAborted(signal);
  const value = attributes[column.name] ?? null;
  if (value === null || value === '') return { kind: 'none' };
  const label = toLabel(value, column);
  const path = await locate(label, { column, files });
  return await readWhole({ path, label }, asked, signal);
}

/** The path as the resource would write it. */
function toLabel(value: Json, { name, users }: PhotoColumn): string {
  const refuse = (why: string): never => {
    throw new SyncError('RecordInvalid', `the photo (${JSON.stringify(name)}) ${why}`);
  };
  if (typeof value !== 'string') return refuse('is no path');
  if (/^[a-z][a-z0-9+.-]*:\/\//i.test(value)) return refuse('is a URL, and its bytes are not read; write as: Url');
  const folder = dirname(users);
  const label = join(folder, value);
  if (isAbsolute(value) || isOutside(folder, label)) return refuse(`lies outside of the folder of ${users}`);
  return label;
}

function isOutside(folder: string, path: string): boolean {
  const way = relative(folder, path);
  return way === '..' || way.startsWith(`..${sep}`) || isAbsolute(way);
}

/** Symlinks followed: who writes the file of users must not be able to show any other file as a photo. */
async function locate(
  label: string,
  { column, files }: { readonly column: PhotoColumn; readonly files: FileAccess },
): Promise<string> {
  const [users, photo] = [files.resolvePath(column.users), files.resolvePath(label)];
  const folder = await attempt(column.users, () => realpath(dirname(users)));
  const path = await attempt(label, () => realpath(photo));
  if (isOutside(folder, path))
    throw new SyncError('RecordInvalid', `the photo ${label} leads outside of the folder of ${column.users}`);
  return path;
}

async function readWhole(
  { path, label }: { readonly path: string; readonly label: string },
  { etag, maxBytes }: PhotoRequest,
  signal: AbortSignal,
): Promise<PhotoAnswer> {
  const handle = await attempt(label, () => openFile(path));
  try {
    const stats = () => attempt(label, () => handle.stat({ bigint: true }));
    const before = await stats();
    if (!before.isFile()) throw toReadFailed(label, 'it is no regular file');
    const now = toEtag(before);
    if (now === etag) return { kind: 'unchanged' };
    const size = Number(before.size);
    if (size > maxBytes) return { kind: 'tooLarge', etag: now, size };
    const bytes = Buffer.alloc(size);
    const { bytesRead } = await attempt(label, () => handle.read(bytes, 0, size, 0));
    throwIfAborted(signal);
    if (bytesRead !== size || !isSame(before, await stats())) throw toReadFailed(label, 'it changed while it was read');
    return { kind: 'photo', etag: now, bytes };
  } finally {
    await handle.close();
  }
}

/** Whatever of it is another one, the file is looked at again. */
function toEtag({ dev, ino, size, mtimeNs, ctimeNs }: BigIntStats): string {
  return [dev, ino, size, mtimeNs, ctimeNs].join('-');
}
