/** Text of whatever encoding → UTF-8, in which the formats are read. */
import { isAscii, isUtf8 } from 'node:buffer';
import type { FileEncoding } from '../../api/file-source.ts';
import { rejoin, takeHead } from './chunks.ts';
import { toReadFailed } from './failure.ts';
import { checkText, countLines, FILE_START, type Place, readUtf8 } from './utf8.ts';

/** What the first bytes are looked at for: a byte order mark, NULs, a web page. */
const HEAD_BYTES = 64;

/**
 * The text in UTF-8, without a byte order mark, cut so that no chunk ends inside a character.
 * @param encoding null: detected. A byte order mark says it, or the zeros that ASCII has in UTF-16. What is left is ASCII
 *   up to the first character beyond it: where that is one of UTF-8, all is, else all is Windows-1252
 * @throws SyncError `ReadFailed` for bytes that are no text in this encoding, with their line, and for a web page
 */
export async function* readText(
  chunks: AsyncIterable<Buffer>,
  { label, encoding }: { readonly label: string; readonly encoding: FileEncoding | null },
): AsyncGenerator<Buffer> {
  const iterator = chunks[Symbol.asyncIterator]();
  try {
    const head = await takeHead(iterator, HEAD_BYTES);
    refuseWebPage(head, label);
    yield* toDecoder(head, encoding)(rejoin(head, iterator), label);
  } finally {
    await iterator.return?.(undefined);
  }
}

type Decoder = (chunks: AsyncIterable<Buffer>, label: string) => AsyncGenerator<Buffer>;

function toDecoder(head: Buffer, encoding: FileEncoding | null): Decoder {
  const wide = detectUtf16(head);
  if (encoding === 'UTF-8') return readUtf8;
  if (encoding === 'Windows-1252') return (chunks, label) => readWindows1252(chunks, { label, ...FILE_START });
  if (encoding === 'UTF-16' || wide !== null) return (chunks, label) => readUtf16(chunks, label, wide ?? 'utf-16le');
  return head.subarray(0, 3).equals(MARK_OF_UTF8) ? readUtf8 : readUndecided;
}

const MARK_OF_UTF8 = Buffer.from([0xef, 0xbb, 0xbf]);

/** By its mark; without one by the zeros of its first two characters, which in every format of ours are ASCII. */
function detectUtf16(head: Buffer): 'utf-16le' | 'utf-16be' | null {
  const [first = 1, second = 1, third = 1, fourth = 1] = head;
  if (first === 0xff && second === 0xfe) return 'utf-16le';
  if (first === 0xfe && second === 0xff) return 'utf-16be';
  if (head.length < 4) return null;
  if (first !== 0 && second === 0 && third !== 0 && fourth === 0) return 'utf-16le';
  return first === 0 && second !== 0 && third === 0 && fourth !== 0 ? 'utf-16be' : null;
}

/** The page of a proxy or of a login in place of the file. */
function refuseWebPage(head: Buffer, label: string): void {
  if (!/^\W*<(!doctype\s+html|html[\s>])/i.test(head.toString('latin1').replaceAll('\0', ''))) return;
  throw toReadFailed(label, 'it is a web page, such as that of a login or a proxy');
}

async function* readUtf16(
  chunks: AsyncIterable<Buffer>,
  label: string,
  name: 'utf-16le' | 'utf-16be',
): AsyncGenerator<Buffer> {
  const decoder = new TextDecoder(name, { fatal: true });
  let line = 1;
  const decode = (chunk: Buffer | null, what: string): Buffer => {
    let text: string;
    try {
      text = chunk === null ? decoder.decode() : decoder.decode(chunk, { stream: true });
    } catch (thrown) {
      throw toReadFailed(label, what, thrown);
    }
    const nul = text.indexOf('\0');
    line += countLines(Buffer.from(nul === -1 ? text : text.slice(0, nul)));
    if (nul !== -1) throw toReadFailed(label, `there is a NUL in line ${line}; it is no text`);
    return Buffer.from(text);
  };
  for await (const chunk of chunks) {
    const text = decode(chunk, `there is half a character in line ${line} or soon after it; it is no UTF-16`);
    if (text.length > 0) yield text;
  }
  const rest = decode(null, `it ends in the middle of a character (line ${line}); it is cut off or not UTF-16`);
  if (rest.length > 0) yield rest;
}

/** ASCII, until a character decides between UTF-8 and Windows-1252. */
async function* readUndecided(chunks: AsyncIterable<Buffer>, label: string): AsyncGenerator<Buffer> {
  const iterator = chunks[Symbol.asyncIterator]();
  const place: Place = { ...FILE_START };
  for (let next = await iterator.next(); next.done !== true; next = await iterator.next()) {
    const chunk = next.value;
    if (!isAscii(chunk)) {
      yield* decide(chunk, iterator, { label, ...place });
      return;
    }
    checkText(chunk, { label, ...place });
    place.offset += chunk.length;
    place.line += countLines(chunk);
    yield chunk;
  }
}

async function* decide(
  first: Buffer,
  iterator: AsyncIterator<Buffer>,
  at: Place & { readonly label: string },
): AsyncGenerator<Buffer> {
  const index = first.findIndex((byte) => byte >= 0x80);
  const rest = await takeHead(iterator, Math.max(0, index + 4 - first.length));
  const chunk = rest.length === 0 ? first : Buffer.concat([first, rest]);
  const all = rejoin(chunk, iterator);
  yield* beginsUtf8(chunk.subarray(index, index + 4))
    ? readUtf8(all, at.label, at)
    : readWindows1252(all, { ...at, isDetected: true });
}

/** Is the first character one of UTF-8, or, where the text ends, the beginning of one? */
function beginsUtf8(bytes: Buffer): boolean {
  const [lead = 0] = bytes;
  if (lead < 0xc2 || lead > 0xf4) return false;
  const length = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
  if (bytes.length >= length) return isUtf8(bytes.subarray(0, length));
  return bytes.subarray(1).every((byte) => byte >= 0x80 && byte < 0xc0);
}

/** Bytes that are no character of Windows-1252. */
const UNDEFINED = /[\0\x81\x8d\x8f\x90\x9d]/;
/** A character of UTF-8 beyond ASCII, each byte of it taken for a character. */
const UTF8_SEQUENCE = /[\xc2-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}|[\xf0-\xf4][\x80-\xbf]{3}/;

/** @param isDetected a character of UTF-8 in it means that the detection was wrong, or the file damaged */
async function* readWindows1252(
  chunks: AsyncIterable<Buffer>,
  { label, line, isDetected = false }: Place & { readonly label: string; readonly isDetected?: boolean },
): AsyncGenerator<Buffer> {
  const decoder = new TextDecoder('windows-1252');
  let at = line;
  let before = '';
  for await (const chunk of chunks) {
    const bytes = chunk.toString('latin1');
    const wrong = UNDEFINED.exec(bytes);
    const lineOf = (index: number): number => at + bytes.slice(0, index).split('\n').length - 1;
    if (wrong !== null) {
      throw toReadFailed(label, `line ${lineOf(wrong.index)} has a byte that is neither UTF-8 nor Windows-1252`);
    }
    const mixed = isDetected ? UTF8_SEQUENCE.exec(before + bytes) : null;
    if (mixed !== null) {
      const where = lineOf(Math.max(0, mixed.index - before.length));
      throw toReadFailed(label, `line ${where} looks like UTF-8, and what stands before it is none; set encoding`);
    }
    at += countLines(chunk);
    before = bytes.slice(-3);
    yield Buffer.from(decoder.decode(chunk, { stream: true }));
  }
}
