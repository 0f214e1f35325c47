/** Bytes of the file, and the proof that they are of one version of it. */
import { type BigIntStats, constants } from 'node:fs';
import { type FileHandle, open, stat } from 'node:fs/promises';
import { SyncError } from '../../errors.ts';
import type { SourceContext } from '../source.ts';
import { type FileLocation, toLabel } from './config.ts';
import { toReadFailed } from './failure.ts';
import { readSftp, SFTP_TIMES, type SftpPlace } from './sftp.ts';
import { isUrlUnchanged, readUrl } from './url.ts';

/** As the schema says it. */
const DEFAULT_SSH_PORT = 22;
const CHUNK_BYTES = 64 * 1024;

const REASON_OF_CODE: Readonly<Record<string, string>> = {
  ENOENT: 'no such file',
  ENOTDIR: 'no such file',
  EACCES: 'permission denied',
  EPERM: 'permission denied',
  EISDIR: 'it is a directory; name the file in it',
  ELOOP: 'too many symbolic links',
};

/** Where the bytes are, with the permission to read them already given. */
export interface FileSpot {
  /** For messages. */
  readonly label: string;
  /**
   * The bytes in chunks, each time from the start. After an abort the next chunk throws `Aborted`.
   * @param onWhole gets the version of the file that these are, or null, before their end is given
   */
  readBytes(signal: AbortSignal, onWhole?: OnWhole): AsyncGenerator<Buffer>;
  /** Whether the file is still this version; absent where only its bytes could say it. */
  isUnchanged?(version: string, signal: AbortSignal): Promise<boolean>;
}

export type OnWhole = (version: string | null) => void;

export interface SpotContext extends Pick<SourceContext, 'files' | 'http' | 'network' | 'now'> {
  readonly allowHTTP: boolean;
}

/** Throws `Invalid` for a path that may not be read. */
export function openSpot(location: FileLocation, context: SpotContext): FileSpot {
  const label = toLabel(location);
  const { files } = context;
  const { configMapRef, path, url, credentialsRef, sftp } = location;
  if (sftp !== undefined) {
    const { host, port = DEFAULT_SSH_PORT, hostKey } = sftp;
    const place: SftpPlace = {
      ...sftp,
      server: { host, port, hostKey },
      label,
      readSecret: () => files.readSecret(sftp.credentialsRef.name),
      now: context.now,
      times: { ...SFTP_TIMES, silence: context.network.timeoutMs },
    };
    return { label, readBytes: (signal) => readSftp(place, signal) };
  }
  if (url !== undefined) {
    const readSecret = credentialsRef === undefined ? null : () => files.readSecret(credentialsRef.name);
    const place = { ...context, url, label, readSecret };
    return {
      label,
      readBytes: (signal, onWhole) => readUrl(place, signal, onWhole),
      isUnchanged: (version, signal) => isUrlUnchanged(place, version, signal),
    };
  }
  if (configMapRef !== undefined) {
    return { label, readBytes: (signal) => readConfigMap(configMapRef, files, signal) };
  }
  const absolute = files.resolvePath(path ?? '');
  return { label, readBytes: (signal) => readPath(absolute, label, signal) };
}

/** A key of a ConfigMap arrives in one answer (at most 1 MiB), so it cannot change under the reader. */
async function* readConfigMap(
  ref: { readonly name: string; readonly key: string },
  files: SourceContext['files'],
  signal: AbortSignal,
): AsyncGenerator<Buffer> {
  throwIfAborted(signal);
  const bytes = await files.readConfigMap(ref.name, ref.key);
  const whole = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let from = 0; from < whole.length; from += CHUNK_BYTES) {
    throwIfAborted(signal);
    yield whole.subarray(from, from + CHUNK_BYTES);
  }
}

/**
 * A file is compared with itself before and after: the open file by size and times, and the path by what it points to,
 * so that a rewrite in place and a file moved over it are both noticed (S8).
 */
async function* readPath(path: string, label: string, signal: AbortSignal): AsyncGenerator<Buffer> {
  throwIfAborted(signal);
  const handle = await attempt(label, () => openFile(path));
  try {
    const before = await attempt(label, () => handle.stat({ bigint: true }));
    if (before.isDirectory()) throw toReadFailed(label, 'it is a directory; name the file in it');
    if (!before.isFile()) throw toReadFailed(label, 'it is no regular file');
    let position = 0;
    for (;;) {
      throwIfAborted(signal);
      const chunk = await attempt(label, () => readChunk(handle, position));
      if (chunk.length === 0) break;
      position += chunk.length;
      yield chunk;
    }
    const after = await attempt(label, () => handle.stat({ bigint: true }));
    const there = await stat(path, { bigint: true }).catch(() => null);
    if (BigInt(position) !== before.size || !isSame(before, after) || there === null || !isSame(before, there)) {
      throw toReadFailed(
        label,
        'it changed while it was read; write to another name and rename it into place, so that it is always whole',
      );
    }
  } finally {
    await handle.close();
  }
}

/** Without O_NONBLOCK a named pipe that nobody writes to would block the open for ever. */
export function openFile(path: string): Promise<FileHandle> {
  return open(path, constants.O_RDONLY | constants.O_NONBLOCK);
}

async function readChunk(handle: FileHandle, position: number): Promise<Buffer> {
  const buffer = Buffer.allocUnsafe(CHUNK_BYTES);
  const { bytesRead } = await handle.read(buffer, 0, CHUNK_BYTES, position);
  return buffer.subarray(0, bytesRead);
}

/** `ctime` too: a copy that keeps the old modification time is a change all the same. */
export function isSame(left: BigIntStats, right: BigIntStats): boolean {
  return (
    left.dev === right.dev &&
    left.ino === right.ino &&
    left.size === right.size &&
    left.mtimeNs === right.mtimeNs &&
    left.ctimeNs === right.ctimeNs
  );
}

/** Throws `ReadFailed` with the label, and the reason in words. */
export async function attempt<T>(label: string, action: () => Promise<T>): Promise<T> {
  try {
    return await action();
  } catch (thrown) {
    const code = thrown instanceof Error && 'code' in thrown ? String(thrown.code) : 'unknown error';
    throw toReadFailed(label, REASON_OF_CODE[code] ?? `the system says ${code}`, thrown);
  }
}

/** Throws `Aborted`. */
export function throwIfAborted(signal: AbortSignal): void {
  if (!signal.aborted) return;
  throw new SyncError('Aborted', 'the read was ended before it was done', { cause: signal.reason });
}
