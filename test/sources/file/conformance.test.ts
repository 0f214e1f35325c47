import { appendFile, mkdir, mkdtemp, readFile, rm, truncate, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { toCsvLine } from '../../../scripts/generate-people.ts';
import type { FileSourceConfig } from '../../../src/sources/file/config.ts';
import {
  describeSizes,
  describeSource,
  type SampleGroup,
  type SamplePerson,
  type SeededGroups,
  type SeededPhotos,
  type SourceHarness,
} from '../../conformance/source.ts';
import { startSftpServer } from '../../support/sftp-server.ts';
import { createTestClient } from '../http-client.ts';
import { startFileServer } from './file-server.ts';
import { connectFile, createFileAccess } from './files.ts';

type Write = (people: readonly SamplePerson[]) => string | Buffer;

const toObject = ({ id, active, attributes }: SamplePerson) => ({ id, active, ...attributes });

const writeCsv: Write = (people) => {
  const names = Object.keys(people[0]?.attributes ?? { displayName: '' });
  const lines = people.map((each) => [
    each.id,
    String(each.active),
    ...names.map((name) => each.attributes[name] ?? ''),
  ]);
  return [['id', 'active', ...names], ...lines].map(toCsvLine).join('');
};

const writeLdif: Write = (people) => {
  const toLine = ([name, value]: [string, string]): string => {
    const isPlain = /^[!-9;-~][ -~]*$/.test(value);
    const line = isPlain ? `${name}: ${value}` : `${name}:: ${Buffer.from(value).toString('base64')}`;
    return `${(line.match(/.{1,76}/g) ?? []).join('\n ')}\n`;
  };
  const entries = people.map(({ id, active, attributes }) => {
    const fields = { dn: `uid=${id},ou=people`, id, active: String(active), ...attributes };
    return Object.entries(fields).map(toLine).join('');
  });
  return `version: 1\n\n${entries.join('\n')}`;
};

const FORMATS: Readonly<Record<string, { readonly extension: string; readonly write: Write }>> = {
  CSV: { extension: 'csv', write: writeCsv },
  JSON: { extension: 'json', write: (people) => JSON.stringify(people.map(toObject)) },
  'JSON with "users"': { extension: 'json', write: (people) => JSON.stringify({ users: people.map(toObject) }) },
  'JSON Lines': {
    extension: 'jsonl',
    write: (people) => people.map((each) => `${JSON.stringify(toObject(each))}\n`).join(''),
  },
  LDIF: { extension: 'ldif', write: writeLdif },
  'JSON in UTF-16': {
    extension: 'json',
    write: (people) => Buffer.from(`\uFEFF${JSON.stringify(people.map(toObject))}`, 'utf16le'),
  },
  // Not made smaller, so that it is more than one chunk.
  'CSV in gzip': { extension: 'csv.gz', write: (people) => gzipSync(writeCsv(people), { level: 0 }) },
};

const NO_FILTER = 'a file has no filters, and is read as a whole';
const NO_ONE = 'a file is read as a whole, and the engine takes the one person from it';
const NO_FAILED_RECORDS = 'a file that breaks its format in one row cannot be trusted in the others: the read fails';
/** Cuts inside the last record, also where a line end or bracket follows it. */
const CUT_BYTES = 60;

function createPathHarness(
  extension: string,
  write: Write,
  more: Pick<FileSourceConfig, 'duplicateIds'> = {},
): SourceHarness {
  const isMerged = more.duplicateIds === 'Merge';
  return {
    unsupported: {
      S2: NO_FAILED_RECORDS,
      'S9 one group': NO_FAILED_RECORDS,
      S10: NO_ONE,
      S21: NO_FILTER,
      ...(isMerged && { S8: 'the whole file is read, and was compared, before the first page is given' }),
    },
    seedGroups: (people, groups) => seedGroups(`people.${extension}`, write(people), groups),
    seedPhotos: (people) => seedPhotos(`people.${extension}`, people, write),
    seed: async (people) => {
      const folder = await mkdtemp(join(tmpdir(), 'dirsync-conformance-'));
      const name = `people.${extension}`;
      const path = join(folder, name);
      await writeFile(path, write(people));
      return {
        source: await connectFile({ ...more, users: { path: name } }, createFileAccess(folder)),
        truncate: async () => truncate(path, (await readFile(path)).length - CUT_BYTES),
        remove: () => rm(path),
        ...(isMerged ? {} : { change: () => appendFile(path, '\n') }),
        close: () => rm(folder, { recursive: true, force: true }),
      };
    },
  };
}

/** Groups stand in a file of their own. */
async function seedGroups(
  name: string,
  people: string | Buffer,
  groups: readonly SampleGroup[],
): Promise<SeededGroups> {
  const folder = await mkdtemp(join(tmpdir(), 'dirsync-conformance-'));
  const path = join(folder, 'groups.json');
  await writeFile(join(folder, name), people);
  await writeFile(path, JSON.stringify(groups));
  return {
    source: await connectFile({ users: { path: name }, groups: { path: 'groups.json' } }, createFileAccess(folder)),
    truncate: async () => truncate(path, (await readFile(path)).length - CUT_BYTES),
    close: () => rm(folder, { recursive: true, force: true }),
  };
}

/** Photos are files beside that of the users, whose column names them. */
async function seedPhotos(name: string, people: readonly SamplePerson[], write: Write): Promise<SeededPhotos> {
  const folder = await mkdtemp(join(tmpdir(), 'dirsync-conformance-'));
  await mkdir(join(folder, 'photos'));
  const named = new Map<string, string>();
  const writeUsers = () =>
    writeFile(
      join(folder, name),
      write(people.map((each) => ({ ...each, attributes: { ...each.attributes, photo: named.get(each.id) ?? '' } }))),
    );
  await writeUsers();
  return {
    source: await connectFile({ users: { path: name }, photoAttribute: 'photo' }, createFileAccess(folder)),
    async setPhoto(id, bytes) {
      named.delete(id);
      if (bytes !== null) {
        named.set(id, `photos/${id}.png`);
        await writeFile(join(folder, `photos/${id}.png`), bytes);
      }
      await writeUsers();
    },
    breakPhoto: (id) => rm(join(folder, `photos/${id}.png`)),
    close: () => rm(folder, { recursive: true, force: true }),
  };
}

function createConfigMapHarness(extension: string, write: Write): SourceHarness {
  return {
    unsupported: {
      S2: NO_FAILED_RECORDS,
      S9: 'a ConfigMap with groups is read as a file with groups is',
      S8: 'the bytes of a ConfigMap arrive in one answer',
      S13: 'there is no folder beside a ConfigMap',
      S10: NO_ONE,
      S21: NO_FILTER,
    },
    seed: async (people) => {
      const key = `people.${extension}`;
      const keys: Record<string, Uint8Array> = { [key]: Buffer.from(write(people) as string) };
      return {
        source: await connectFile(
          { users: { configMapRef: { name: 'people', key } }, photoAttribute: 'photo' },
          createFileAccess('', { people: keys }),
        ),
        truncate: async () => {
          keys[key] = (keys[key] ?? new Uint8Array()).subarray(0, -CUT_BYTES);
        },
        remove: async () => {
          delete keys[key];
        },
        close: async () => undefined,
      };
    },
  };
}

/** Each seeded directory has a server of its own. */
function createUrlHarness(extension: string, write: Write): SourceHarness {
  const start = async (config: (url: string) => FileSourceConfig, files: Readonly<Record<string, string | Buffer>>) => {
    const server = await startFileServer();
    const http = createTestClient();
    for (const [path, content] of Object.entries(files)) server.files.set(path, Buffer.from(content));
    return {
      server,
      source: await connectFile(config(server.url), createFileAccess(''), http),
      truncate: async (path: string) => {
        server.files.set(path, (server.files.get(path) ?? Buffer.alloc(0)).subarray(0, -CUT_BYTES));
      },
      close: async () => {
        http.close();
        await server.close();
      },
    };
  };
  const users = `/people.${extension}`;
  return {
    unsupported: {
      S2: NO_FAILED_RECORDS,
      'S9 one group': NO_FAILED_RECORDS,
      S8: 'one answer has one version of the file',
      S10: NO_ONE,
      S21: NO_FILTER,
      S13: 'photos are URLs alone',
    },
    seed: async (people) => {
      const config = (url: string) => ({ users: { url: `${url}${users}` } });
      const { server, truncate, ...seeded } = await start(config, { [users]: write(people) });
      return {
        ...seeded,
        truncate: () => truncate(users),
        remove: async () => {
          server.files.delete(users);
        },
      };
    },
    seedGroups: async (people, groups) => {
      const config = (url: string) => ({ users: { url: `${url}${users}` }, groups: { url: `${url}/groups.json` } });
      const files = { [users]: write(people), '/groups.json': JSON.stringify(groups) };
      const { source, truncate, close } = await start(config, files);
      return { source, truncate: () => truncate('/groups.json'), close };
    },
  };
}

const LOGIN = { username: 'hr', password: 'pass-word-1' };
/** A file that was written to a moment ago would be watched for a while. */
const LONG_AGO = new Date('1999-01-01T00:00:00Z');

function createSftpHarness(extension: string, write: Write): SourceHarness {
  const start = async (files: Readonly<Record<string, string | Buffer>>, groups: string | null) => {
    const folder = await mkdtemp(join(tmpdir(), 'dirsync-conformance-'));
    for (const [name, content] of Object.entries(files)) {
      await writeFile(join(folder, name), content);
      await utimes(join(folder, name), LONG_AGO, LONG_AGO);
    }
    const server = await startSftpServer({ folder, ...LOGIN });
    const { port, hostKey } = server;
    const place = { host: '127.0.0.1', port, hostKey, credentialsRef: { name: 'hr' } };
    const config = {
      users: { sftp: { ...place, pattern: `/people*.${extension}` } },
      ...(groups === null ? {} : { groups: { sftp: { ...place, path: `/${groups}` } } }),
    };
    return {
      folder,
      source: await connectFile(config, createFileAccess('', {}, { hr: LOGIN })),
      truncate: async (name: string) => {
        await truncate(join(folder, name), (await readFile(join(folder, name))).length - CUT_BYTES);
        await utimes(join(folder, name), LONG_AGO, LONG_AGO);
      },
      close: async () => {
        await server.close();
        await rm(folder, { recursive: true, force: true });
      },
    };
  };
  const users = `people.${extension}`;
  return {
    unsupported: {
      S2: NO_FAILED_RECORDS,
      'S9 one group': NO_FAILED_RECORDS,
      S10: NO_ONE,
      S21: NO_FILTER,
      S13: 'photos are URLs alone',
    },
    seed: async (people) => {
      const { folder, source, truncate: cut, close } = await start({ [users]: write(people) }, null);
      return {
        source,
        truncate: () => cut(users),
        remove: () => rm(join(folder, users)),
        change: () => appendFile(join(folder, users), '\n'),
        close,
      };
    },
    seedGroups: async (people, groups) => {
      const files = { [users]: write(people), 'groups.json': JSON.stringify(groups) };
      const { source, truncate: cut, close } = await start(files, 'groups.json');
      return { source, truncate: () => cut('groups.json'), close };
    },
  };
}

const HARNESSES: Readonly<Record<string, SourceHarness>> = {
  ...Object.fromEntries(
    Object.entries(FORMATS).map(([format, { extension, write }]) => [
      `file, ${format}, path`,
      createPathHarness(extension, write),
    ]),
  ),
  'file, CSV, rows merged by id': createPathHarness('csv', writeCsv, { duplicateIds: 'Merge' }),
  'file, CSV, URL': createUrlHarness('csv', writeCsv),
  'file, LDIF, URL': createUrlHarness('ldif', writeLdif),
  'file, CSV, SFTP': createSftpHarness('csv', writeCsv),
  'file, CSV, ConfigMap': createConfigMapHarness('csv', writeCsv),
};
for (const [name, harness] of Object.entries(HARNESSES)) {
  describeSource(name, harness);
  // JSON Lines have neither a header nor brackets that would stand there without anybody.
  describeSizes(name, harness, /JSON Lines/.test(name) ? 'fails' : 'isRead');
}
