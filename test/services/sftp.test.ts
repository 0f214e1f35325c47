/** Files of a real sshd, as the source `file` reads them. */
import { appendFile, chmod, rm, utimes, writeFile } from 'node:fs/promises';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { FileSourceConfig } from '../../src/sources/file/config.ts';
import { connectFile, createFileAccess, readWhole, toSyncError } from '../sources/file/files.ts';
import { type Sshd, startSshd } from './sshd.ts';

const PEOPLE = `id,name\n${Array.from({ length: 50_000 }, (_, index) => `${index},Person ${index}\n`).join('')}`;
const LONG_AGO = new Date('1999-01-01T00:00:00Z');

type Sftp = NonNullable<FileSourceConfig['users']['sftp']>;

let sshd: Sshd;

beforeAll(async () => {
  sshd = await startSshd();
});

afterAll(async () => {
  await sshd.stop();
});

async function put(name: string, content: string | Buffer, time = LONG_AGO): Promise<string> {
  const path = join(sshd.folder, name);
  await writeFile(path, content);
  await utimes(path, time, time);
  return path;
}

interface Login {
  readonly key?: string;
  readonly passphrase?: string;
}

function connect(place: Partial<Sftp>, { key = sshd.privateKeys.ed25519, passphrase }: Login = {}) {
  const { port, hostKeys, username } = sshd;
  const secret = { username, privateKey: key, ...(passphrase === undefined ? {} : { passphrase }) };
  const sftp = { host: '127.0.0.1', port, hostKey: hostKeys.ed25519, credentialsRef: { name: 'hr' }, ...place };
  return connectFile({ users: { sftp } }, createFileAccess('', {}, { hr: secret }));
}

describe('SFTP of OpenSSH', () => {
  it.each(['ed25519', 'rsa', 'ecdsa'] as const)(
    'is read from a host with the pinned key of the type %s',
    async (type) => {
      const path = await put('people.csv', PEOPLE);
      const { users } = await readWhole(await connect({ path, hostKey: sshd.hostKeys[type] }));
      expect(users.map(({ id }) => id)).toEqual(Array.from({ length: 50_000 }, (_, index) => String(index)));
    },
  );

  it('takes keys of RSA, and encrypted ones with their passphrase', async () => {
    const path = await put('people.csv', 'id\n1\n');
    const { rsa, locked } = sshd.privateKeys;
    expect((await readWhole(await connect({ path }, { key: rsa }))).users).toHaveLength(1);
    const open = await connect({ path }, { key: locked, passphrase: sshd.passphrase });
    expect((await readWhole(open)).users).toHaveLength(1);
    for (const passphrase of [undefined, 'another one']) {
      const login = passphrase === undefined ? { key: locked } : { key: locked, passphrase };
      expect(await toSyncError(readWhole(await connect({ path }, login)))).toMatchObject({
        code: 'Invalid',
        message:
          'the key "privateKey" of Secret identity/hr is encrypted, and the key "passphrase" is missing or another one',
      });
    }
  });

  it('refuses a key that it does not know', async () => {
    const path = await put('people.csv', 'id\n1\n');
    expect(await toSyncError(readWhole(await connect({ path }, { key: sshd.stranger })))).toMatchObject({
      code: 'CredentialsRejected',
      message: '127.0.0.1 rejects the credentials; check Secret identity/hr',
    });
  });

  it('is not spoken to when it shows another key than the pinned one', async () => {
    const path = await put('people.csv', 'id\n1\n');
    const [type = '', key = ''] = sshd.hostKeys.ed25519.split(' ');
    const other = `${type} ${key.slice(0, -4)}AAAA`;
    expect((await toSyncError(readWhole(await connect({ path, hostKey: other })))).message).toMatch(
      /: the host shows another key than hostKey says, and nothing was sent to it\./,
    );
  });

  it('gives the newest file of a pattern, packed with gzip', async () => {
    const at = (day: number) => new Date(Date.UTC(2026, 2, day));
    const older = await put('export-2.csv.gz', gzipSync('id\nold\n'), at(1));
    const newer = await put('export-1.csv.gz', gzipSync('id\nnew\n'), at(2));
    const source = await connect({ pattern: join(sshd.folder, 'export-*.csv.gz') });
    expect((await readWhole(source)).users.map(({ id }) => id)).toEqual(['new']);
    await rm(newer);
    expect((await readWhole(source)).users.map(({ id }) => id)).toEqual(['old']);
    await rm(older);
    expect((await toSyncError(readWhole(source))).message).toMatch(/: no file has a name of this pattern$/);
  });

  it('says why a file cannot be read', async () => {
    const gone = await connect({ path: join(sshd.folder, 'nothing.csv') });
    expect((await toSyncError(readWhole(gone))).message).toMatch(/nothing\.csv: no such file$/);
    const folder = await connect({ path: `${sshd.folder}/../files`, ...{} });
    expect((await toSyncError(readWhole(folder))).code).toBe('ReadFailed');
    if (userInfo().uid === 0) return;
    const path = await put('closed.csv', 'id\n1\n');
    await chmod(path, 0);
    expect((await toSyncError(readWhole(await connect({ path })))).message).toMatch(/: permission denied$/);
  });

  it('fails where a file grows while it is read (S8), and keeps nobody from ending early', async () => {
    const path = await put('people.csv', PEOPLE);
    const source = await connect({ path });
    const pages = source.readUsers([], new AbortController().signal)[Symbol.asyncIterator]();
    await pages.next();
    await appendFile(path, '50000,Person 50000\n');
    const rest = (async () => {
      for (let next = await pages.next(); next.done !== true; next = await pages.next())
        expect(next.value.end).toBeUndefined();
    })();
    expect((await toSyncError(rest)).message).toMatch(/: it changed while it was read; /);
    await put('people.csv', PEOPLE);
    const early = source.readUsers([], new AbortController().signal)[Symbol.asyncIterator]();
    await early.next();
    await early.return?.();
    expect((await readWhole(source)).users).toHaveLength(50_000);
  });
});
