import { once } from 'node:events';
import { appendFileSync, writeFileSync } from 'node:fs';
import { appendFile, mkdir, rename, truncate, utimes, writeFile } from 'node:fs/promises';
import type { AddressInfo, Socket } from 'node:net';
import { createServer } from 'node:net';
import { join } from 'node:path';
import type { Connection } from 'ssh2';
import { describe, expect, it } from 'vitest';
import { fileSource } from '../../../src/sources/file/index.ts';
import { readSftp, type SftpPlace } from '../../../src/sources/file/sftp.ts';
import { createHostKey, type RunningSftpServer, startSftpServer } from '../../support/sftp-server.ts';
import { connectFile, createFileAccess, toSyncError, withFolder } from './files.ts';

const LOGIN = { username: 'hr', password: 'pass-word-1' };
const TIMES = { silence: 5_000, watch: 20, pause: 5 };
const NOW = new Date('2026-06-01T12:00:00Z');
const LONG_AGO = new Date('2026-05-01T12:00:00Z');

interface Running {
  readonly folder: string;
  readonly server: RunningSftpServer;
  /** The text, and how many connections it took. */
  read(more?: Partial<SftpPlace>, signal?: AbortSignal): Promise<string>;
}

async function withServer(run: (running: Running) => Promise<void>, { asks = false } = {}): Promise<void> {
  await withFolder(async (folder) => {
    const server = await startSftpServer({ folder, ...LOGIN, asks });
    try {
      await run({ folder, server, read: (more, signal) => readWhole(server, more, signal) });
    } finally {
      await server.close();
    }
  });
}

async function readWhole(
  { port, hostKey }: Pick<RunningSftpServer, 'port' | 'hostKey'>,
  more: Partial<SftpPlace> = {},
  signal = new AbortController().signal,
): Promise<string> {
  const place = {
    server: { host: '127.0.0.1', port, hostKey },
    label: 'sftp://hr/people.csv',
    readSecret: async () => ({ secrets: LOGIN, where: 'Secret identity/hr' }),
    now: () => NOW,
    times: TIMES,
    ...(more.pattern === undefined ? { path: '/people.csv' } : {}),
    ...more,
  };
  const chunks: Buffer[] = [];
  for await (const chunk of readSftp(place, signal)) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}

async function put(folder: string, name: string, content: string, time = LONG_AGO): Promise<void> {
  await writeFile(join(folder, name), content);
  await utimes(join(folder, name), time, time);
}

const BIG = Array.from({ length: 60_000 }, (_, index) => `${index},Person ${index}\n`).join('');

describe('a file over SFTP', () => {
  it('is read whole, by password', async () => {
    await withServer(async ({ folder, read, server }) => {
      await put(folder, 'people.csv', BIG);
      expect(await read()).toBe(BIG);
      await put(folder, 'people.csv', '');
      expect(await read()).toBe('');
      expect(server.logins()).toBe(2);
    });
  });

  it('is read where the password is asked for in a dialogue', async () => {
    await withServer(
      async ({ folder, read }) => {
        await put(folder, 'people.csv', 'id\n');
        expect(await read()).toBe('id\n');
      },
      { asks: true },
    );
  });

  it('is the newest one of a pattern, and of equally new ones the last by name', async () => {
    await withServer(async ({ folder, read }) => {
      await mkdir(join(folder, 'export'));
      await mkdir(join(folder, 'export/people-9.csv'));
      const at = (day: number) => new Date(Date.UTC(2026, 2, day));
      await put(folder, 'export/people-1.csv', 'one', at(3));
      await put(folder, 'export/people-2.csv', 'two', at(5));
      await put(folder, 'export/people-3.csv', 'three', at(5));
      await put(folder, 'export/people-4.csv.part', 'four', at(9));
      await put(folder, 'export/.people-5.csv', 'five', at(9));
      await put(folder, 'export/teams.csv', 'teams', at(9));
      expect(await read({ pattern: '/export/people-*.csv' })).toBe('three');
      expect(await read({ pattern: '/export/people-?.csv' })).toBe('three');
      expect(await read({ pattern: '/export/*' })).toBe('teams');
      const failure = await toSyncError(read({ pattern: '/export/people+*.csv' }));
      expect(failure.message).toBe('cannot read sftp://hr/people.csv: no file has a name of this pattern');
    });
  });

  it('that was written to a moment ago is watched, and read when it stays as it is', async () => {
    await withServer(async ({ folder, read }) => {
      await put(folder, 'people.csv', 'id\n1\n', new Date(NOW.getTime() - 5_000));
      expect(await read()).toBe('id\n1\n');
      // Asked after the file was looked at for the first time.
      const now = () => {
        appendFileSync(join(folder, 'people.csv'), '2\n');
        return NOW;
      };
      expect(await toSyncError(read({ now }))).toMatchObject({
        code: 'ReadFailed',
        message: 'cannot read sftp://hr/people.csv: it is being uploaded; it is read when it is whole',
      });
    });
  });

  it.each([
    ['longer', (path: string) => appendFile(path, '2\n')],
    ['shorter', (path: string) => truncate(path, 10)],
    [
      'another one',
      async (path: string) => {
        await writeFile(`${path}.new`, BIG.replace('Person 1', 'Person X'));
        await rename(`${path}.new`, path);
      },
    ],
  ])('that becomes %s while it is read is a failed read (S8)', async (_because, change) => {
    await withServer(async ({ folder, read, server }) => {
      await put(folder, 'people.csv', BIG);
      let changing: Promise<void> | null = null;
      server.onRead = () => {
        changing ??= change(join(folder, 'people.csv'));
        return 'answer';
      };
      expect((await toSyncError(read())).message).toBe(
        'cannot read sftp://hr/people.csv: it changed while it was read; upload to another name and rename it, so that it is always whole',
      );
      await changing;
    });
  });

  it('goes on where the connection breaks, and gives no byte twice', async () => {
    await withServer(async ({ folder, read, server }) => {
      await put(folder, 'people.csv', BIG);
      let most = 2;
      const broken = new Set<Connection>();
      server.onRead = (offset, connection) => {
        if (offset < 800_000 || (broken.size >= most && !broken.has(connection))) return 'answer';
        broken.add(connection);
        connection.end();
        return 'nothing';
      };
      expect(await read()).toBe(BIG);
      expect(server.logins()).toBe(3);
      most = Number.POSITIVE_INFINITY;
      expect((await toSyncError(read())).message).toMatch(/^cannot read sftp:\/\/hr\/people.csv: 127.0.0.1 /);
      expect(server.logins()).toBe(6);
    });
  });

  it('throws where the file begins otherwise after the connection broke', async () => {
    await withServer(async ({ folder, read, server }) => {
      await put(folder, 'people.csv', BIG);
      let isChanged = false;
      server.onRead = (offset, connection) => {
        if (offset < 800_000 || isChanged) return 'answer';
        isChanged = true;
        writeFileSync(join(folder, 'people.csv'), BIG.replace('Person 7\n', 'Person X\n'));
        connection.end();
        return 'nothing';
      };
      expect((await toSyncError(read())).message).toBe(
        'cannot read sftp://hr/people.csv: it changed while it was read',
      );
    });
  });

  it('S5 ends at once when it is aborted, and when the server says nothing any more', async () => {
    await withServer(async ({ folder, read, server }) => {
      await put(folder, 'people.csv', BIG);
      const controller = new AbortController();
      server.onRead = (offset) => {
        if (offset < 800_000) return 'answer';
        setTimeout(() => controller.abort(), 10);
        return 'nothing';
      };
      expect((await toSyncError(read({}, controller.signal))).code).toBe('Aborted');
      expect((await toSyncError(read({}, AbortSignal.abort()))).code).toBe('Aborted');
      const silent = await toSyncError(read({ times: { ...TIMES, silence: 400 } }));
      expect(silent.message).toBe('cannot read sftp://hr/people.csv: 127.0.0.1 does not answer in time');
    });
  });

  it('is refused by what the server says, whose own words are not shown', async () => {
    await withServer(async ({ folder, read, server }) => {
      expect((await toSyncError(read())).message).toBe('cannot read sftp://hr/people.csv: no such file');
      await mkdir(join(folder, 'people.csv'));
      expect((await toSyncError(read())).message).toBe(
        'cannot read sftp://hr/people.csv: it is a directory; name the file in it',
      );
      await put(folder, 'other.csv', BIG);
      server.onRead = () => 'denied';
      expect((await toSyncError(read({ path: '/other.csv' }))).message).toBe(
        'cannot read sftp://hr/people.csv: permission denied',
      );
    });
  });
});

describe('the login over SSH', () => {
  const SECRET = (secrets: Record<string, string>) => ({
    readSecret: async () => ({ secrets, where: 'Secret identity/hr' }),
  });

  it.each([
    [
      { ...LOGIN, password: 'wrong' },
      'CredentialsRejected',
      '127.0.0.1 rejects the credentials; check Secret identity/hr',
    ],
    [
      { username: 'hr' },
      'ReferenceNotFound',
      'Secret identity/hr must have the key "username", and "password" or "privateKey"',
    ],
    [
      { password: 'x' },
      'ReferenceNotFound',
      'Secret identity/hr must have the key "username", and "password" or "privateKey"',
    ],
    [
      { username: 'hr', privateKey: 'abc' },
      'Invalid',
      'the key "privateKey" of Secret identity/hr is no private key in the form of OpenSSH, PEM or PuTTY',
    ],
  ])('with %j', async (secrets, code, message) => {
    await withServer(async ({ folder, read, server }) => {
      await put(folder, 'people.csv', 'id\n');
      expect(await toSyncError(read(SECRET(secrets)))).toMatchObject({ code, message });
      expect(server.logins()).toBe(0);
    });
  });

  it('sends nothing to a host that shows another key', async () => {
    await withServer(async ({ read, server }) => {
      const { hostKey } = createHostKey();
      const failure = await toSyncError(read({ server: { host: '127.0.0.1', port: server.port, hostKey } }));
      expect(failure).toMatchObject({ code: 'ReadFailed' });
      expect(failure.message).toMatch(
        /^cannot read .*: the host shows another key than hostKey says, and nothing was sent/,
      );
      const other = await toSyncError(
        read({ server: { host: '127.0.0.1', port: server.port, hostKey: 'ssh-ed25519 AAAA' } }),
      );
      expect(other.message).toBe(
        'cannot read sftp://hr/people.csv: the host has no key of the type ssh-ed25519, which hostKey names',
      );
      expect(server.logins()).toBe(0);
    });
  });

  it('fails where nobody listens, and where somebody listens and says nothing', async () => {
    const server = createServer((socket) => socket.on('error', () => undefined).resume());
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const { hostKey } = createHostKey();
    const silent = await toSyncError(readWhole({ port, hostKey }, { times: { ...TIMES, silence: 100 } }));
    expect(silent.message).toBe('cannot read sftp://hr/people.csv: 127.0.0.1 does not answer in time');
    server.close();
    await once(server, 'close');
    const away = await toSyncError(readWhole({ port, hostKey }));
    expect(away.message).toBe('cannot read sftp://hr/people.csv: 127.0.0.1 does not answer (ECONNREFUSED)');
  });
});

it('a source waits for a server that says nothing as long as timeouts.request says', async () => {
  const server = createServer((socket) => socket.on('error', () => undefined).resume());
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const { hostKey } = createHostKey();
  const sftp = { host: '127.0.0.1', port, path: '/people.csv', credentialsRef: { name: 'hr' }, hostKey };
  const files = createFileAccess('/nowhere', {}, { hr: LOGIN });
  const network = { ca: null, timeoutMs: 100 };
  const source = await connectFile({ users: { sftp } }, files, undefined, network);
  const stopping = new AbortController();
  const connected = once(server, 'connection');
  const read = toSyncError(source.readUsers([], stopping.signal)[Symbol.asyncIterator]().next());
  const [socket] = (await connected) as [Socket];
  await once(socket, 'close');
  stopping.abort();
  expect((await read).code).toBe('Aborted');
  server.close();
  await once(server, 'close');
});

describe('the config of a file over SFTP', () => {
  const place = { host: 'sftp.example.com', credentialsRef: { name: 'hr' }, hostKey: 'ssh-ed25519 AAAA' };

  it('has its format in the pattern', () => {
    expect(fileSource.validate({ users: { sftp: { ...place, pattern: '/a/people-*.csv.gz' } } })).toEqual([]);
    expect(fileSource.validate({ users: { sftp: { ...place, path: 'export/people' } } })).toEqual([
      'the format of sftp://sftp.example.com/export/people cannot be told from its extension; set format to CSV, JSON, JSONLines or LDIF',
    ]);
  });

  it('has wildcards in the last part of its pattern alone', () => {
    expect(fileSource.validate({ users: { sftp: { ...place, pattern: '/*/people.csv' } } })).toEqual([
      'the wildcards * and ? of sftp.pattern stand in its last part alone, as /export/people-*.csv',
    ]);
  });
});
