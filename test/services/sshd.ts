/** A real OpenSSH server on a free port of loopback, that serves the machine's files by SFTP to whoever has the key. */
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { freePort, requireSuccess, runProgram } from '../support/program.ts';
import { startServer } from '../support/server-process.ts';

const SSHD = '/usr/sbin/sshd';

/** Throws one line that says what the machine lacks. */
export async function readSshdVersion(): Promise<string> {
  try {
    const { stderr } = await runProgram(SSHD, ['-V'], { timeoutMs: 10_000 });
    return stderr.trim();
  } catch {
    throw new Error(`the test of SFTP needs ${SSHD}: apt-get install openssh-server`);
  }
}

export interface Sshd {
  readonly port: number;
  readonly username: string;
  /** `type base64` of its key of this type. */
  readonly hostKeys: Readonly<Record<'ed25519' | 'rsa' | 'ecdsa', string>>;
  /** Private keys that it takes, in the form that OpenSSH writes; `locked` is encrypted with `passphrase`. */
  readonly privateKeys: { readonly ed25519: string; readonly rsa: string; readonly locked: string };
  readonly passphrase: string;
  /** A private key that it does not take. */
  readonly stranger: string;
  /** For files of the test. */
  readonly folder: string;
  stop(): Promise<void>;
}

export async function startSshd(): Promise<Sshd> {
  const folder = await mkdtemp(join(tmpdir(), 'dirsync-sshd-'));
  const port = await freePort();
  const passphrase = 'correct horse';
  const generate = async (
    name: string,
    type: string,
    words = '',
  ): Promise<{ privateKey: string; publicKey: string }> => {
    const file = join(folder, name);
    const args = ['-q', '-t', type, '-N', words, '-C', name, '-f', file];
    await requireSuccess('ssh-keygen', args, { timeoutMs: 30_000 });
    return { privateKey: await readFile(file, 'utf8'), publicKey: await readFile(`${file}.pub`, 'utf8') };
  };
  const hosts = {
    ed25519: await generate('host-1', 'ed25519'),
    rsa: await generate('host-2', 'rsa'),
    ecdsa: await generate('host-3', 'ecdsa'),
  };
  const keys = {
    ed25519: await generate('user-1', 'ed25519'),
    rsa: await generate('user-2', 'rsa'),
    locked: await generate('user-3', 'ed25519', passphrase),
  };
  const stranger = await generate('stranger', 'ed25519');
  await mkdir(join(folder, 'files'));
  await writeFile(
    join(folder, 'authorized_keys'),
    Object.values(keys)
      .map(({ publicKey }) => publicKey)
      .join(''),
  );
  await writeFile(
    join(folder, 'sshd_config'),
    [
      `Port ${port}`,
      'ListenAddress 127.0.0.1',
      ...[1, 2, 3].map((number) => `HostKey ${folder}/host-${number}`),
      `AuthorizedKeysFile ${folder}/authorized_keys`,
      `PidFile ${folder}/pid`,
      'PermitRootLogin prohibit-password',
      'PasswordAuthentication no',
      'KbdInteractiveAuthentication no',
      'StrictModes no',
      'Subsystem sftp internal-sftp',
    ].join('\n'),
  );
  // Where it separates its rights; only a server of root asks for it, and packages make it at their start.
  if (userInfo().uid === 0) await mkdir('/run/sshd', { recursive: true, mode: 0o755 });
  const server = await startServer(SSHD, ['-D', '-e', '-f', join(folder, 'sshd_config')], {
    log: join(folder, 'log'),
    ready: () => canConnect(port),
  });
  const toKey = ({ publicKey }: { publicKey: string }): string => publicKey.split(' ').slice(0, 2).join(' ').trim();
  return {
    port,
    username: userInfo().username,
    hostKeys: { ed25519: toKey(hosts.ed25519), rsa: toKey(hosts.rsa), ecdsa: toKey(hosts.ecdsa) },
    privateKeys: { ed25519: keys.ed25519.privateKey, rsa: keys.rsa.privateKey, locked: keys.locked.privateKey },
    passphrase,
    stranger: stranger.privateKey,
    folder: join(folder, 'files'),
    async stop() {
      await server.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

function canConnect(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}
