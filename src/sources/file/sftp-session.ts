/** A connection over SSH (RFC 4251) with the SFTP subsystem, whose every step ends: by an answer, an abort, or silence. */
import type { Client, SFTPWrapper } from 'ssh2';
import { SyncError } from '../../errors.ts';
import { readSecret } from '../../http/credentials.ts';
import type { NamedSecret } from '../source.ts';
import { toReadFailed } from './failure.ts';

export interface SftpServer {
  readonly host: string;
  readonly port: number;
  /** `type base64`, as in known_hosts. */
  readonly hostKey: string;
}

export interface SftpSession {
  /**
   * What one request is answered with. Throws `Aborted`; a failure of the connection as `Disconnected`; a refusal of the
   * server as ssh2 has it, with its status as `code`.
   */
  ask<T>(request: (sftp: SFTPWrapper, done: (error: Error | null | undefined, value: T) => void) => void): Promise<T>;
  close(): void;
}

/** The connection failed, and another one may not. */
export class Disconnected extends Error {}

export interface SessionOptions {
  readonly server: SftpServer;
  readonly secret: NamedSecret;
  /** For messages. */
  readonly label: string;
  /** How long the other side may be silent. */
  readonly silenceMs: number;
}

/** The algorithms in which a key of this type signs; others are not even offered, so that the pinned key is the one shown. */
const SIGNATURES = {
  'ssh-ed25519': ['ssh-ed25519'],
  'ssh-rsa': ['rsa-sha2-512', 'rsa-sha2-256'],
  'ecdsa-sha2-nistp256': ['ecdsa-sha2-nistp256'],
  'ecdsa-sha2-nistp384': ['ecdsa-sha2-nistp384'],
  'ecdsa-sha2-nistp521': ['ecdsa-sha2-nistp521'],
} as const;

/**
 * Connects and logs in. Nothing is sent to a host whose key is another one.
 * @throws SyncError `CredentialsRejected` where the server refuses them, `Invalid` for a private key that cannot be read,
 *   `ReferenceNotFound` for keys that the Secret lacks, `ReadFailed` for another host key
 */
export async function openSession(options: SessionOptions, signal: AbortSignal): Promise<SftpSession> {
  const login = toLogin(options.secret);
  signal.throwIfAborted();
  // Loaded when it is needed: most runs read no file over SSH.
  const { default: ssh2 } = await import('ssh2');
  checkPrivateKey(ssh2.utils.parseKey, login, options.secret.where);
  const client = new ssh2.Client();
  const broken = Promise.withResolvers<never>();
  broken.promise.catch(() => undefined);
  const isKnown = { host: true };
  client.on('error', (error) => broken.reject(toProblem(error, options, isKnown.host)));
  client.on('close', () => broken.reject(new Disconnected('closes the connection')));
  const stop = (): void => {
    broken.reject(new SyncError('Aborted', 'the read was ended before it was done', { cause: signal.reason }));
    client.destroy();
  };
  signal.addEventListener('abort', stop, { once: true });
  const close = (): void => {
    signal.removeEventListener('abort', stop);
    client.destroy();
  };
  const within = <T>(work: Promise<T>): Promise<T> => race([work, broken.promise], options.silenceMs);
  try {
    await within(connect(client, { ...options, login, isKnown }));
    const sftp = await within(toPromise<SFTPWrapper>((done) => client.sftp(done)));
    return { ask: (request) => within(toPromise((done) => request(sftp, done))), close };
  } catch (thrown) {
    close();
    throw thrown;
  }
}

type Callback<T> = (error: Error | null | undefined, value: T) => void;

function toPromise<T>(start: (done: Callback<T>) => void): Promise<T> {
  return new Promise((resolve, reject) => {
    start((error, value) => (error ? reject(error) : resolve(value)));
  });
}

async function race<T>(works: readonly Promise<T>[], silenceMs: number): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const silence = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Disconnected('does not answer in time')), silenceMs);
  });
  try {
    return await Promise.race([...works, silence]);
  } finally {
    clearTimeout(timer);
  }
}

interface Login {
  readonly username: string;
  readonly password?: string;
  readonly privateKey?: string;
  readonly passphrase?: string;
}

function toLogin({ secrets, where }: NamedSecret): Login {
  const [username, password, passphrase] = ['username', 'password', 'passphrase'].map((key) =>
    readSecret(secrets, key),
  );
  // Its last line end is part of the form of a key.
  const privateKey = Object.hasOwn(secrets, 'privateKey') ? secrets['privateKey'] : undefined;
  if (username !== undefined && privateKey !== undefined && privateKey.trim() !== '') {
    return { username, privateKey, ...(passphrase === undefined ? {} : { passphrase }) };
  }
  if (username !== undefined && password !== undefined) return { username, password };
  const message = `${where} must have the key "username", and "password" or "privateKey"`;
  throw new SyncError('ReferenceNotFound', message);
}

function checkPrivateKey(
  parseKey: (data: string, passphrase?: string) => unknown,
  { privateKey, passphrase }: Login,
  where: string,
): void {
  if (privateKey === undefined) return;
  const parsed = parseKey(privateKey, passphrase);
  if (!(parsed instanceof Error)) return;
  const isLocked = /passphrase/i.test(parsed.message);
  const why = isLocked
    ? 'is encrypted, and the key "passphrase" is missing or another one'
    : 'is no private key in the form of OpenSSH, PEM or PuTTY';
  throw new SyncError('Invalid', `the key "privateKey" of ${where} ${why}`, { cause: parsed });
}

function connect(
  client: Client,
  {
    server: { host, port, hostKey },
    login,
    silenceMs,
    isKnown,
  }: SessionOptions & { readonly login: Login; readonly isKnown: { host: boolean } },
): Promise<void> {
  const [type = '', pinned = ''] = hostKey.split(' ');
  const { password } = login;
  return new Promise((resolve) => {
    client.on('ready', resolve);
    // Many servers ask for the password in a dialogue.
    client.on('keyboard-interactive', (...[, , , prompts, finish]) => {
      finish(prompts.map(({ echo }) => (echo === true ? '' : (password ?? ''))));
    });
    client.connect({
      host,
      port,
      ...login,
      tryKeyboard: password !== undefined,
      readyTimeout: silenceMs,
      keepaliveInterval: Math.ceil(silenceMs / 3),
      algorithms: { serverHostKey: [...SIGNATURES[type as keyof typeof SIGNATURES]] },
      hostVerifier: (shown: Buffer) => {
        isKnown.host = shown.equals(Buffer.from(pinned, 'base64'));
        return isKnown.host;
      },
    });
  });
}

function toProblem(
  error: Error & { level?: string },
  { label, server, secret }: SessionOptions,
  isKnown: boolean,
): Error {
  const [type = ''] = server.hostKey.split(' ');
  if (!isKnown) {
    const message =
      'the host shows another key than hostKey says, and nothing was sent to it. Ask who runs it whether the key was changed, and put the new one there';
    return toReadFailed(label, message, error);
  }
  if (error.level === 'client-authentication') {
    const message = `${server.host} rejects the credentials; check ${secret.where}`;
    return new SyncError('CredentialsRejected', message, { cause: error });
  }
  if (/no matching host key/i.test(error.message)) {
    return toReadFailed(label, `the host has no key of the type ${type}, which hostKey names`, error);
  }
  if (/no matching/i.test(error.message)) {
    return toReadFailed(label, 'the host takes none of the algorithms that are thought safe today', error);
  }
  const code = 'code' in error ? ` (${String(error.code)})` : '';
  return new Disconnected(error.level === 'client-timeout' ? 'does not answer in time' : `does not answer${code}`);
}
