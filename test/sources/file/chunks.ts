import { readUtf8 } from '../../../src/sources/file/utf8.ts';

/** The bytes in chunks of so many at most, cut at characters as every reader of a format gets them. */
export function cut(text: string, size: number): AsyncGenerator<Buffer> {
  return readUtf8(cutBytes(Buffer.from(text), size), 'people.csv');
}

/** The bytes in chunks of so many at most. */
export async function* cutBytes(bytes: Buffer, size: number): AsyncGenerator<Buffer> {
  for (let from = 0; from < bytes.length; from += size) yield bytes.subarray(from, from + size);
}
