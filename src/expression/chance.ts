import { createHash } from 'node:crypto';

const DRAWS_PER_HASH = 5;
const BYTES_PER_DRAW = 6;

/**
 * Random numbers from 0 to below 1 that follow from the keys alone: the same keys give the same sequence. Nobody can tell
 * the numbers who does not know the keys, so one of them must be a secret of this installation: passwords are made of it.
 */
export function createRandom(keys: readonly string[]): () => number {
  let count = 0;
  let block = Buffer.alloc(0);
  return () => {
    const index = count % DRAWS_PER_HASH;
    if (index === 0)
      block = createHash('sha256')
        .update(JSON.stringify([...keys, count]))
        .digest();
    count += 1;
    return block.readUIntBE(index * BYTES_PER_DRAW, BYTES_PER_DRAW) / 2 ** (8 * BYTES_PER_DRAW);
  };
}
