import { SyncError } from '../../errors.ts';

/** Primary result codes of SQLite (sqlite.org/rescode.html) that say something about the file and not about the statement. */
const BUSY = 5;
const LOCKED = 6;
const READONLY = 8;
const IOERR = 10;
const CORRUPT = 11;
const FULL = 13;
const CANTOPEN = 14;
const NOTADB = 26;

const CORRUPTED =
  'is damaged; move it away (and the files beside it whose names begin alike) and run again: links are rebuilt from the target';

const SENTENCES: ReadonlyMap<number, string> = new Map([
  [BUSY, 'is in use by another program for too long; end that program or try again'],
  [LOCKED, 'is in use by another program for too long; end that program or try again'],
  [
    READONLY,
    'cannot be written; check the permissions of the file and its folder, and whether the volume is read-only',
  ],
  [IOERR, 'could not be read or written; check the disk'],
  [CORRUPT, CORRUPTED],
  [FULL, 'could not be written: the disk is full; free some space and run again'],
  [CANTOPEN, 'cannot be opened; check that its folder exists and may be written'],
  [NOTADB, 'is not a Dirsync state file; name another file (it was left as it is)'],
]);

const FILE_SENTENCES: ReadonlyMap<string, string> = new Map([
  ['EACCES', 'cannot be opened: permission denied; check the permissions of the file and its folder'],
  ['EPERM', 'cannot be opened: permission denied; check the permissions of the file and its folder'],
  ['EROFS', 'cannot be written: the volume is read-only; name a file on another one'],
  ['ENOSPC', 'could not be written: the disk is full; free some space and run again'],
  ['ENOTDIR', 'cannot be opened: a part of its path is a file and not a folder'],
  ['EEXIST', 'cannot be opened: a part of its path is a file and not a folder'],
  ['EISDIR', 'is a folder; name a file'],
  ['ENOENT', 'cannot be opened: its folder does not exist and cannot be made'],
]);

export function toUnavailable(location: string, sentence: string, cause?: unknown): SyncError {
  return new SyncError('StateUnavailable', `state file ${location} ${sentence}`, { cause });
}

/** Data that this program did not write like that. */
export function toDamaged(location: string, cause: unknown): SyncError {
  return toUnavailable(location, CORRUPTED, cause);
}

/** Whatever SQLite or the file system threw. A wrong statement stays what it is: a defect, `Unknown` to the run. */
export function toStateError(location: string, thrown: unknown): SyncError {
  if (thrown instanceof SyncError) return thrown;
  const sentence = sentenceFor(thrown);
  return sentence === undefined ? SyncError.from(thrown) : toUnavailable(location, sentence, thrown);
}

/** The bytes are wrong, whoever wrote them. */
export function isGarbage(thrown: unknown): boolean {
  const code = resultCode(thrown);
  return code === CORRUPT || code === NOTADB;
}

export function isBusy(thrown: unknown): boolean {
  const code = resultCode(thrown);
  return code === BUSY || code === LOCKED;
}

/** SQLITE_CONSTRAINT_UNIQUE. */
export function isDuplicate(thrown: unknown): boolean {
  return extendedCode(thrown) === 2067;
}

function sentenceFor(thrown: unknown): string | undefined {
  const code = resultCode(thrown);
  if (code !== null) return SENTENCES.get(code);
  if (thrown instanceof Error && 'code' in thrown && typeof thrown.code === 'string') {
    return FILE_SENTENCES.get(thrown.code);
  }
  return undefined;
}

function resultCode(thrown: unknown): number | null {
  const code = extendedCode(thrown);
  return code === null ? null : code & 0xff;
}

function extendedCode(thrown: unknown): number | null {
  return thrown instanceof Error && 'errcode' in thrown && typeof thrown.errcode === 'number' ? thrown.errcode : null;
}
