/** The check that a file is UTF-8 text. A wrong byte would otherwise become a replacement character in somebody's name. */
import { isUtf8 } from 'node:buffer';
import { toReadFailed } from './failure.ts';

const BYTE_ORDER_MARK = Buffer.from([0xef, 0xbb, 0xbf]);

/** How far a reader is. */
export interface Place {
  /** Bytes before. */
  offset: number;
  /** From 1. */
  line: number;
}

export const FILE_START: Readonly<Place> = { offset: 0, line: 1 };

/**
 * The same bytes without a byte order mark, cut so that no chunk ends inside a character. Throws `ReadFailed` with line
 * and byte (both from 1) at the first byte that is no UTF-8, at a NUL, and when the last character is cut off.
 */
export async function* readUtf8(
  chunks: AsyncIterable<Buffer>,
  label: string,
  from: Readonly<Place> = FILE_START,
): AsyncGenerator<Buffer> {
  let started = from.offset > 0;
  let rest: Buffer = Buffer.alloc(0);
  let { offset, line } = from;
  for await (const chunk of chunks) {
    let bytes: Buffer = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    if (!started && bytes.length < BYTE_ORDER_MARK.length) {
      rest = bytes;
      continue;
    }
    if (!started) {
      started = true;
      const mark = bytes.subarray(0, BYTE_ORDER_MARK.length).equals(BYTE_ORDER_MARK) ? BYTE_ORDER_MARK.length : 0;
      offset += mark;
      bytes = bytes.subarray(mark);
    }
    const length = computeWholeLength(bytes);
    rest = bytes.subarray(length);
    const text = bytes.subarray(0, length);
    checkText(text, { label, offset, line });
    offset += length;
    line += countLines(text);
    if (length > 0) yield text;
  }
  if (rest.length === 0) return;
  if (computeWholeLength(rest) !== rest.length) {
    throw toReadFailed(
      label,
      `it ends in the middle of a character (line ${line}); it is cut off, or not UTF-8: then set encoding`,
    );
  }
  checkText(rest, { label, offset, line });
  yield rest;
}

/** Throws `ReadFailed` at the first byte that is no UTF-8, and at a NUL. */
export function checkText(text: Buffer, at: { label: string; offset: number; line: number }): void {
  const nul = text.indexOf(0);
  const wrong = isUtf8(text) ? -1 : computeFirstInvalid(text);
  const index = wrong === -1 || (nul !== -1 && nul < wrong) ? nul : wrong;
  if (index === -1) return;
  const place = `line ${at.line + countLines(text.subarray(0, index))} (byte ${at.offset + index + 1} of the file)`;
  const what =
    index === nul
      ? `there is a NUL byte in ${place}, as in no text at all`
      : `${place} is not UTF-8; set encoding, or save it as UTF-8`;
  throw toReadFailed(at.label, what);
}

/** Bytes up to the end of the last character that is whole. */
function computeWholeLength(bytes: Buffer): number {
  for (let back = 1; back <= 3 && back <= bytes.length; back += 1) {
    const byte = bytes[bytes.length - back] ?? 0;
    if (byte < 0x80) return bytes.length;
    if (byte >= 0xc0) return computeSequenceLength(byte) > back ? bytes.length - back : bytes.length;
  }
  return bytes.length;
}

function computeSequenceLength(lead: number): number {
  if (lead >= 0xf0) return 4;
  return lead >= 0xe0 ? 3 : 2;
}

/** Index of the first character that is none; by halves, for a prefix is decodable or not for good. */
function computeFirstInvalid(text: Buffer): number {
  let good = 0;
  let bad = text.length;
  while (bad - good > 1) {
    const middle = (good + bad) >>> 1;
    if (isDecodablePrefix(text.subarray(0, middle))) good = middle;
    else bad = middle;
  }
  return computeWholeLength(text.subarray(0, bad - 1));
}

function isDecodablePrefix(bytes: Buffer): boolean {
  try {
    new TextDecoder('utf-8', { fatal: true }).decode(bytes, { stream: true });
    return true;
  } catch {
    return false;
  }
}

export function countLines(text: Buffer): number {
  let lines = 0;
  for (let at = text.indexOf(10); at !== -1; at = text.indexOf(10, at + 1)) lines += 1;
  return lines;
}
