import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readUtf8 } from '../../../src/sources/file/utf8.ts';
import { cutBytes } from './chunks.ts';
import { toSyncError } from './files.ts';

async function read(bytes: Buffer, size = 1000): Promise<string> {
  let text = '';
  for await (const chunk of readUtf8(cutBytes(bytes, size), 'people.csv')) text += chunk.toString('utf8');
  return text;
}

describe('UTF-8', () => {
  it('gives every text back, wherever the chunks end, without its byte order mark', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.string({ unit: 'grapheme' }),
        fc.integer({ min: 1, max: 9 }),
        fc.boolean(),
        async (text, size, mark) => {
          fc.pre(!text.includes('\0') && !text.startsWith('\uFEFF'));
          expect(await read(Buffer.from(mark ? `\uFEFF${text}` : text), size)).toBe(text);
        },
      ),
    );
  });

  it('never cuts a character', async () => {
    const chunks: string[] = [];
    for await (const chunk of readUtf8(cutBytes(Buffer.from('aé長🦊'), 1), 'x')) chunks.push(chunk.toString('utf8'));
    expect(chunks.join('')).toBe('aé長🦊');
    expect(chunks.join('|')).not.toContain('\uFFFD');
  });

  it.each([
    [
      'Latin-1',
      Buffer.from('id,name\n1,Ada\n2,Zo\xEB\n', 'latin1'),
      'line 3 (byte 19 of the file) is not UTF-8; set encoding, or save it as UTF-8',
    ],
    [
      'a stray continuation',
      Buffer.from([0x61, 0x0a, 0x80, 0x62]),
      'line 2 (byte 3 of the file) is not UTF-8; set encoding, or save it as UTF-8',
    ],
    [
      'an overlong form',
      Buffer.from([0x61, 0xc0, 0xaf, 0x62]),
      'line 1 (byte 2 of the file) is not UTF-8; set encoding, or save it as UTF-8',
    ],
    [
      'half of a surrogate pair',
      Buffer.from([0x61, 0xed, 0xa0, 0x80, 0x62]),
      'line 1 (byte 2 of the file) is not UTF-8; set encoding, or save it as UTF-8',
    ],
    [
      'an end inside a character',
      Buffer.from('a\n長').subarray(0, 4),
      'it ends in the middle of a character (line 2); it is cut off, or not UTF-8: then set encoding',
    ],
    [
      'a NUL',
      Buffer.from('id\n', 'utf16le'),
      'there is a NUL byte in line 1 (byte 2 of the file), as in no text at all',
    ],
    [
      'a mark, then a wrong byte',
      Buffer.from([0xef, 0xbb, 0xbf, 0x61, 0xff, 0x61]),
      'line 1 (byte 5 of the file) is not UTF-8; set encoding, or save it as UTF-8',
    ],
  ])('refuses %s', async (_because, bytes, message) => {
    for (const size of [1000, 5, 1]) {
      const failure = await toSyncError(read(bytes, size));
      expect(failure).toMatchObject({ code: 'ReadFailed', message: `cannot read people.csv: ${message}` });
    }
  });
});
