import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { readUnpacked } from '../../../src/sources/file/gzip.ts';
import { cutBytes } from './chunks.ts';
import { readContent, readFailure, toSyncError } from './files.ts';

const PEOPLE = `id,name\n${Array.from({ length: 3_000 }, (_, index) => `${index},Person ${index}\n`).join('')}`;

describe('gzip', () => {
  it.each(['people.csv.gz', 'people.csv'])('is known by its first bytes, whatever the name: %s', async (name) => {
    const { users } = await readContent(gzipSync(PEOPLE), { name });
    expect(users).toHaveLength(3_000);
    expect(users.at(-1)?.attributes['name']).toBe('Person 2999');
  });

  it('may be of several parts, put together', async () => {
    const packed = Buffer.concat([gzipSync('id,name\n1,Ada\n'), gzipSync('2,Bo\n')]);
    expect((await readContent(packed)).users).toHaveLength(2);
  });

  it('that is cut off is a failed read, wherever', async () => {
    const packed = gzipSync(PEOPLE);
    for (const length of [3, 10, 500, packed.length - 8, packed.length - 1]) {
      const failure = await readFailure(packed.subarray(0, length));
      expect(failure).toMatchObject({
        code: 'ReadFailed',
        message: 'cannot read people.csv: it is packed with gzip and cut off',
      });
    }
  });

  it('that is damaged is a failed read', async () => {
    for (const at of [4_000, -6]) {
      const packed = gzipSync(PEOPLE);
      const index = at < 0 ? packed.length + at : at;
      packed[index] = ~(packed[index] ?? 0) & 0xff;
      expect((await readFailure(packed)).message).toBe('cannot read people.csv: it is packed with gzip and damaged');
    }
  });

  it('that unpacks to very much more is not unpacked to the end', async () => {
    const bomb = gzipSync(Buffer.alloc(64 * 1024 * 1024, 'a'));
    let unpacked = 0;
    const read = async (): Promise<void> => {
      for await (const chunk of readUnpacked(cutBytes(bomb, 1024), 'people.csv')) unpacked += chunk.length;
    };
    const failure = await toSyncError(read());
    expect(failure.message).toBe(
      'cannot read people.csv: it unpacks to more than 200 times its size, as no list of people does',
    );
    expect(unpacked).toBeLessThan(20 * 1024 * 1024);
  });
});
