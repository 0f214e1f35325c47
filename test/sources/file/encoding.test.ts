import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { FileEncoding } from '../../../src/api/file-source.ts';
import { readText } from '../../../src/sources/file/encoding.ts';
import { cutBytes } from './chunks.ts';
import { readContent, readFailure, toSyncError } from './files.ts';

const TEXT = 'id,name\n1,Ada\n2,Zoë Žižková €\n3,Ngô\n';
/** The letters of `TEXT` that Windows-1252 has. */
const WESTERN = 'id,name\n1,Ada\n2,Zoë Žiž ‘€’\n3,Ngô\n';
const BYTES_OF_1252: Readonly<Record<string, number>> = { Ž: 0x8e, ž: 0x9e, '€': 0x80, '‘': 0x91, '’': 0x92 };

function toWindows1252(text: string): Buffer {
  return Buffer.from([...text].map((character) => BYTES_OF_1252[character] ?? character.charCodeAt(0)));
}

function toUtf16(text: string, { isBig = false } = {}): Buffer {
  const bytes = Buffer.from(text, 'utf16le');
  return isBig ? bytes.swap16() : bytes;
}

async function read(bytes: Buffer, encoding: FileEncoding | null = null, size = 1000): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of readText(cutBytes(bytes, size), { label: 'people.csv', encoding })) {
    expect(chunk.toString('utf8')).not.toContain('\uFFFD');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

describe('the encoding', () => {
  it.each<[string, Buffer, FileEncoding | null, string]>([
    ['UTF-8 is found', Buffer.from(TEXT), null, TEXT],
    ['UTF-8 is found by its mark', Buffer.from(`\uFEFF${TEXT}`), null, TEXT],
    ['UTF-8 is taken by its name', Buffer.from(TEXT), 'UTF-8', TEXT],
    ['ASCII alone is what it is', Buffer.from('id\n1\n'), null, 'id\n1\n'],
    ['UTF-16 is found by its mark', toUtf16(`\uFEFF${TEXT}`), null, TEXT],
    ['big-endian UTF-16 is found by its mark', toUtf16(`\uFEFF${TEXT}`, { isBig: true }), null, TEXT],
    ['UTF-16 is found by its zeros', toUtf16(TEXT), null, TEXT],
    ['big-endian UTF-16 is found by its zeros', toUtf16(TEXT, { isBig: true }), null, TEXT],
    ['UTF-16 is taken by its name', toUtf16('é長\n'), 'UTF-16', 'é長\n'],
    ['UTF-16 by its name may be big-endian', toUtf16('\uFEFFé長\n', { isBig: true }), 'UTF-16', 'é長\n'],
    ['Windows-1252 is found', toWindows1252(WESTERN), null, WESTERN],
    ['Windows-1252 is taken by its name', toWindows1252(WESTERN), 'Windows-1252', WESTERN],
    ['Windows-1252 by its name may look like UTF-8', Buffer.from('CAFÉ', 'latin1'), 'Windows-1252', 'CAFÉ'],
    ['nothing is nothing', Buffer.alloc(0), null, ''],
  ])('%s', async (_because, bytes, encoding, text) => {
    for (const size of [1000, 3, 1]) expect(await read(bytes, encoding, size)).toBe(text);
  });

  it('keeps every text in UTF-8 and in UTF-16, wherever the chunks end', async () => {
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: 'grapheme' }), fc.integer({ min: 1, max: 9 }), async (text, size) => {
        fc.pre(!/^\uFEFF|\0|<html/i.test(text));
        expect(await read(Buffer.from(text), null, size)).toBe(text);
        expect(await read(toUtf16(`\uFEFF${text}`), null, size)).toBe(text);
      }),
    );
  });

  it.each<[string, Buffer, FileEncoding | null, string]>([
    [
      'a byte that neither has',
      Buffer.from([0x61, 0x0a, 0xe9, 0x0a, 0x81]),
      null,
      'line 3 has a byte that is neither UTF-8 nor Windows-1252',
    ],
    [
      'UTF-8 after what is none',
      Buffer.concat([Buffer.from('a\né\n', 'latin1'), Buffer.from('é\n')]),
      null,
      'line 3 looks like UTF-8, and what stands before it is none; set encoding',
    ],
    [
      'what is no UTF-8 after UTF-8',
      Buffer.concat([Buffer.from('a\né\n'), Buffer.from('é\n', 'latin1')]),
      null,
      'line 3 (byte 6 of the file) is not UTF-8; set encoding, or save it as UTF-8',
    ],
    [
      'another encoding than its name says',
      Buffer.from('é\n', 'latin1'),
      'UTF-8',
      'line 1 (byte 1 of the file) is not UTF-8; set encoding, or save it as UTF-8',
    ],
    [
      'an end in the only character that could decide',
      Buffer.from('a\né', 'latin1'),
      null,
      'it ends in the middle of a character (line 2); it is cut off, or not UTF-8: then set encoding',
    ],
    [
      'half of a character of UTF-16 at the end',
      toUtf16('\uFEFFid\n').subarray(0, -1),
      null,
      'it ends in the middle of a character (line 1); it is cut off or not UTF-16',
    ],
    [
      'half of a pair in UTF-16',
      Buffer.from([0xff, 0xfe, 0x61, 0, 0x3d, 0xd8, 0x61, 0, 0x61, 0]),
      null,
      'there is half a character in line 1 or soon after it; it is no UTF-16',
    ],
    ['a NUL in UTF-16', toUtf16('\uFEFFa\n\0'), null, 'there is a NUL in line 2; it is no text'],
    [
      'a web page',
      Buffer.from('\n<!DOCTYPE html><html><title>Log in</title>'),
      null,
      'it is a web page, such as that of a login or a proxy',
    ],
    [
      'a web page in UTF-16',
      toUtf16('\uFEFF<html lang="en">'),
      null,
      'it is a web page, such as that of a login or a proxy',
    ],
  ])('refuses %s', async (_because, bytes, encoding, message) => {
    const failure = await toSyncError(read(bytes, encoding));
    expect(failure).toMatchObject({ code: 'ReadFailed', message: `cannot read people.csv: ${message}` });
  });

  it('is that of the file, whatever its format', async () => {
    for (const content of [Buffer.from(TEXT), toUtf16(`\uFEFF${TEXT}`)]) {
      const { users } = await readContent(content);
      expect(users.map(({ attributes }) => attributes['name'])).toEqual(['Ada', 'Zoë Žižková €', 'Ngô']);
    }
    const json = await readContent(toWindows1252('[{"id":"1","name":"Zoë"}]'), { name: 'people.json' });
    expect(json.users[0]?.attributes['name']).toBe('Zoë');
  });

  it('is what the field says', async () => {
    const content = Buffer.from('id,name\n1,CAFÉ’S', 'latin1');
    content[content.length - 2] = 0x92;
    expect((await readContent(content, { encoding: 'Windows-1252' })).users[0]?.attributes['name']).toBe('CAFÉ’S');
    expect((await readFailure(toUtf16('\uFEFFid\n1\n'), { encoding: 'UTF-8' })).message).toContain('is not UTF-8');
  });
});
