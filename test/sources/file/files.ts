import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'vitest';
import { SyncError } from '../../../src/errors.ts';
import type { HttpClient } from '../../../src/http/client.ts';
import type { SourceUser } from '../../../src/model.ts';
import { createNameCollector } from '../../../src/sources/attribute-names.ts';
import type { FileSourceConfig } from '../../../src/sources/file/config.ts';
import type { FormatOptions } from '../../../src/sources/file/convert.ts';
import { fileSource } from '../../../src/sources/file/index.ts';
import type { FileAccess, Source, SourcePage } from '../../../src/sources/source.ts';
import { NO_NETWORK } from '../http-client.ts';

/** Everything below `folder` may be read; ConfigMaps are name → key → bytes, Secrets name → key → text. */
export function createFileAccess(
  folder: string,
  configMaps: Readonly<Record<string, Readonly<Record<string, Uint8Array>>>> = {},
  secrets: Readonly<Record<string, Readonly<Record<string, string>>>> = {},
): FileAccess {
  return {
    resolvePath: (path) => join(folder, path),
    readConfigMap: async (name, key) => {
      const bytes = configMaps[name]?.[key];
      if (bytes === undefined) throw new SyncError('ReferenceNotFound', `ConfigMap ${name} has no key ${key}`);
      return bytes;
    },
    readSecret: async (name) => {
      const values = secrets[name];
      if (values === undefined) throw new SyncError('ReferenceNotFound', `Secret identity/${name} is missing`);
      return { secrets: values, where: `Secret identity/${name}` };
    },
  };
}

const NO_HTTP: HttpClient = {
  send: () => {
    throw new Error('a file needs no request');
  },
  sent: 0,
};

export function connectFile(
  config: FileSourceConfig,
  files: FileAccess,
  http = NO_HTTP,
  network = NO_NETWORK,
): Promise<Source> {
  return fileSource.connect(config, { secrets: {}, where: '', files, http, network, now: () => new Date(0) });
}

/** What a reader of people is told that has no wishes. */
export function toFormatOptions(label: string): FormatOptions {
  return { label, kind: 'users', idAttribute: 'id', delimiter: null, spellings: [], names: createNameCollector() };
}

/** A folder of its own, removed afterwards. */
export async function withFolder<T>(run: (folder: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'dirsync-file-'));
  try {
    return await run(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

export interface WholeRead {
  readonly users: readonly SourceUser[];
  readonly attributes: readonly string[];
}

export type ReadOptions = Omit<FileSourceConfig, 'users'> & { readonly name?: string };

/** All of a file with this content, from a path. */
export function readContent(content: string | Uint8Array, options: ReadOptions = {}): Promise<WholeRead> {
  const { name = 'people.csv', ...config } = options;
  return withFolder(async (folder) => {
    await writeFile(join(folder, name), content);
    return await readWhole(await connectFile({ ...config, users: { path: name } }, createFileAccess(folder)));
  });
}

/** Throws what the read throws. */
export async function readWhole(source: Source): Promise<WholeRead> {
  const pages: SourcePage[] = [];
  for await (const page of source.readUsers([], new AbortController().signal)) pages.push(page);
  expect(pages.flatMap((page) => page.failed)).toEqual([]);
  const end = pages.at(-1)?.end;
  if (end === undefined) throw new Error('the last page has no end');
  return { users: pages.flatMap((page) => page.users), attributes: end.attributes };
}

/** The error of a read that must fail as a whole. */
export async function readFailure(content: string | Uint8Array, options: ReadOptions = {}): Promise<SyncError> {
  return await toSyncError(readContent(content, options));
}

export async function toSyncError(work: Promise<unknown>): Promise<SyncError> {
  const thrown: unknown = await work.then(
    () => new Error('it did not fail'),
    (error: unknown) => error,
  );
  if (thrown instanceof SyncError) return thrown;
  throw thrown;
}
