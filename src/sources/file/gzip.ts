/** Files that are packed with gzip (RFC 1952), known by their first two bytes. */
import { pipeline, Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { SyncError } from '../../errors.ts';
import { rejoin, takeHead } from './chunks.ts';
import { toReadFailed } from './failure.ts';

const MAGIC = Buffer.from([0x1f, 0x8b]);
/** Text of people packs five to twenty times; a bomb a thousand times. */
const MOST_TIMES = 200;
/** Below it nobody counts. */
const FREE_BYTES = 16 * 1024 * 1024;

/**
 * The bytes unpacked, or as they are where they are not packed. Throws `ReadFailed` for a pack that is cut off or damaged
 * (it ends with a checksum), and for one that unpacks to more than 16 MiB and 200 times its size.
 */
export async function* readUnpacked(chunks: AsyncIterable<Buffer>, label: string): AsyncGenerator<Buffer> {
  const iterator = chunks[Symbol.asyncIterator]();
  try {
    const head = await takeHead(iterator, MAGIC.length);
    const all = rejoin(head, iterator);
    yield* head.subarray(0, MAGIC.length).equals(MAGIC) ? unpack(all, label) : all;
  } finally {
    await iterator.return?.(undefined);
  }
}

async function* unpack(chunks: AsyncIterable<Buffer>, label: string): AsyncGenerator<Buffer> {
  let packed = 0;
  let unpacked = 0;
  async function* count(): AsyncGenerator<Buffer> {
    for await (const chunk of chunks) {
      packed += chunk.length;
      yield chunk;
    }
  }
  const gunzip = createGunzip();
  // The error of either end arrives in the loop below.
  pipeline(Readable.from(count(), { objectMode: true, highWaterMark: 1 }), gunzip, () => undefined);
  try {
    for await (const chunk of gunzip as AsyncIterable<Buffer>) {
      unpacked += chunk.length;
      if (unpacked > FREE_BYTES && unpacked > packed * MOST_TIMES) {
        throw toReadFailed(label, `it unpacks to more than ${MOST_TIMES} times its size, as no list of people does`);
      }
      yield chunk;
    }
  } catch (thrown) {
    if (thrown instanceof SyncError) throw thrown;
    const isCut = thrown instanceof Error && 'code' in thrown && thrown.code === 'Z_BUF_ERROR';
    throw toReadFailed(
      label,
      isCut ? 'it is packed with gzip and cut off' : 'it is packed with gzip and damaged',
      thrown,
    );
  }
}
