/** A file on a server with SFTP (draft-ietf-secsh-filexfer-02), or the newest one of a pattern. */
import { posix } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Stats } from 'ssh2';
import { SyncError } from '../../errors.ts';
import type { NamedSecret } from '../source.ts';
import { type Attempt, createDownload, MAX_DOWNLOAD_BYTES } from './download.ts';
import { toReadFailed } from './failure.ts';
import { Disconnected, openSession, type SftpServer, type SftpSession } from './sftp-session.ts';

export interface SftpPlace {
  readonly server: SftpServer;
  /** Exactly one of the two is set. The wildcards `*` and `?` stand in the last part of the pattern alone. */
  readonly path?: string;
  readonly pattern?: string;
  /** For messages. */
  readonly label: string;
  readonly readSecret: () => Promise<NamedSecret>;
  readonly now: () => Date;
  readonly times: SftpTimes;
}

/** Milliseconds. */
export interface SftpTimes {
  /** How long the server may be silent: `timeouts.request`. */
  readonly silence: number;
  /** How long a file that was written to a moment ago is watched. */
  readonly watch: number;
  /** Before the second attempt; four times as long before the third. */
  readonly pause: number;
}

export const SFTP_TIMES: Omit<SftpTimes, 'silence'> = { watch: 2_000, pause: 1_000 };

const ATTEMPTS = 3;
/** What was written to so long ago is whole, as far as the clocks agree. */
const FRESH_MS = 60_000;
/** What every server answers in one piece. */
const PIECE_BYTES = 32 * 1024;
/** Requests under way at once, so that distance does not make it slow: half a MiB is in memory. */
const PIECES_AHEAD = 16;

/**
 * The bytes of the file, given while they come. A connection that breaks is made again, three times in all, and the file must
 * then begin with the same bytes. A file that is being written, by its size and time before and after, is a failed read.
 */
export async function* readSftp(place: SftpPlace, signal: AbortSignal): AsyncGenerator<Buffer> {
  const secret = await place.readSecret();
  const download = createDownload(place.label);
  for (let attempt = 1; ; attempt += 1) {
    try {
      yield* readOnce(place, { secret, attempt: download.begin() }, signal);
      return;
    } catch (thrown) {
      if (!(thrown instanceof Disconnected)) throw toFailure(thrown, place.label);
      if (attempt === ATTEMPTS) {
        throw toReadFailed(place.label, `${place.server.host} ${thrown.message}`, thrown);
      }
    }
    await pause(place.times.pause * 4 ** (attempt - 1), signal);
  }
}

async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await sleep(ms, undefined, { signal }).catch((thrown: unknown) => {
    throw SyncError.from(thrown);
  });
}

const END_OF_FILE = 1;
const REASON_OF_STATUS: Readonly<Record<number, string>> = {
  2: 'no such file',
  3: 'permission denied',
};

/** What the server refuses, in its status; its own words are not shown. */
function toFailure(thrown: unknown, label: string): unknown {
  if (thrown instanceof SyncError || !(thrown instanceof Error)) return thrown;
  if (thrown.name === 'AbortError') return SyncError.from(thrown);
  const code = 'code' in thrown ? Number(thrown.code) : Number.NaN;
  return toReadFailed(label, REASON_OF_STATUS[code] ?? 'the server refuses to read it', thrown);
}

async function* readOnce(
  place: SftpPlace,
  { secret, attempt }: { readonly secret: NamedSecret; readonly attempt: Attempt },
  signal: AbortSignal,
): AsyncGenerator<Buffer> {
  const { label, server, times } = place;
  const session = await openSession({ server, secret, label, silenceMs: times.silence }, signal);
  try {
    const path = await locate(session, place);
    const before = await watch(session, path, place, signal);
    const handle = await session.ask<Buffer>((sftp, done) => sftp.open(path, 'r', done));
    for await (const chunk of readPieces({ session, handle, label }, before.size)) {
      const fresh = attempt.take(chunk);
      if (fresh.length > 0) yield fresh;
    }
    const after = await readStats(session, path);
    if (!isSame(before, after)) throw toChanged(label);
  } finally {
    session.close();
  }
}

function toChanged(label: string): SyncError {
  return toReadFailed(
    label,
    'it changed while it was read; upload to another name and rename it, so that it is always whole',
  );
}

async function locate(session: SftpSession, { path, pattern, label }: SftpPlace): Promise<string> {
  if (pattern === undefined) return path ?? '';
  const folder = posix.dirname(pattern);
  const isWanted = toMatcher(posix.basename(pattern));
  const list = await session.ask<{ filename: string; attrs: Stats }[]>((sftp, done) => sftp.readdir(folder, done));
  const [newest] = list
    .filter(({ filename, attrs }) => isWanted(filename) && attrs.isFile())
    .toSorted((a, b) => b.attrs.mtime - a.attrs.mtime || (a.filename < b.filename ? 1 : -1));
  if (newest === undefined) throw toReadFailed(label, 'no file has a name of this pattern');
  return posix.join(folder, newest.filename);
}

/** `*` and `?` of a shell; a name that begins with a dot is matched only by a pattern that does. */
function toMatcher(pattern: string): (name: string) => boolean {
  const source = pattern
    .replace(/[.+^${}()|[\]\\]/g, '\\$&')
    .replaceAll('*', '.*')
    .replaceAll('?', '.');
  const expression = new RegExp(`^${source}$`, 's');
  return (name) => expression.test(name) && (!name.startsWith('.') || pattern.startsWith('.'));
}

/** The file as it is, and stays for a while where it was written to a moment ago. */
async function watch(session: SftpSession, path: string, place: SftpPlace, signal: AbortSignal): Promise<Stats> {
  const { label, now, times } = place;
  const first = await readStats(session, path);
  if (first.isDirectory()) throw toReadFailed(label, 'it is a directory; name the file in it');
  if (!first.isFile()) throw toReadFailed(label, 'it is no regular file');
  if (first.size > MAX_DOWNLOAD_BYTES) throw toReadFailed(label, 'it is larger than 1 GiB');
  // A clock that is ahead of ours makes a file that is being written younger than now.
  if (now().getTime() - first.mtime * 1000 > FRESH_MS) return first;
  await pause(times.watch, signal);
  const second = await readStats(session, path);
  if (isSame(first, second)) return second;
  throw toReadFailed(label, 'it is being uploaded; it is read when it is whole');
}

function readStats(session: SftpSession, path: string): Promise<Stats> {
  return session.ask<Stats>((sftp, done) => sftp.stat(path, done));
}

function isSame(left: Stats, right: Stats): boolean {
  return left.size === right.size && left.mtime === right.mtime;
}

interface OpenFile {
  readonly session: SftpSession;
  readonly handle: Buffer;
  readonly label: string;
}

async function* readPieces(file: OpenFile, size: number): AsyncGenerator<Buffer> {
  const ahead: Promise<Buffer>[] = [];
  let next = 0;
  while (next < size || ahead.length > 0) {
    while (next < size && ahead.length < PIECES_AHEAD) {
      const piece = readPiece(file, { from: next, length: Math.min(PIECE_BYTES, size - next) });
      // It is waited for in its turn; until then a failure is none of the process.
      piece.catch(() => undefined);
      ahead.push(piece);
      next += PIECE_BYTES;
    }
    const bytes = await ahead.shift();
    if (bytes !== undefined) yield bytes;
  }
}

/** A server may give less than it was asked for; nothing at all where the file has become shorter. */
async function readPiece(
  { session, handle, label }: OpenFile,
  { from, length }: { readonly from: number; readonly length: number },
): Promise<Buffer> {
  const bytes = Buffer.allocUnsafe(length);
  let filled = 0;
  while (filled < length) {
    const offset = filled;
    const count = await session.ask<number>((sftp, done) => {
      sftp.read(handle, bytes, offset, length - offset, from + offset, (error, read) => {
        const isEnd = error !== undefined && error !== null && 'code' in error && error.code === END_OF_FILE;
        done(isEnd ? null : error, isEnd ? 0 : read);
      });
    });
    if (count === 0) throw toChanged(label);
    filled += count;
  }
  return bytes;
}
