import { describe, expect, it } from 'vitest';
import type { AttributeEntry } from '../../src/api/attribute-mapping.ts';
import { compileMapping } from '../../src/mapping/compile.ts';
import { compileCustomAttributes } from '../../src/mapping/custom-attributes.ts';
import { readMediaType } from '../../src/mapping/photo.ts';
import { NOTHING_OFFERED, type PhotoOffer } from '../../src/model.ts';
import { aCustomAttribute, aMapping, BASE_ENTRIES, compile } from '../support/builders.ts';

const PATH = 'photos[type eq "photo"].value';
const FILE: PhotoOffer = { url: 'photo', bytes: true, needs: 'photo' };

function problemsOf(entry: AttributeEntry, photos: PhotoOffer | null = FILE): string[] {
  const customs = [aCustomAttribute('badge', { multiValued: true }), aCustomAttribute('floor', { type: 'Integer' })];
  return compile([...BASE_ENTRIES, entry], customs, { offers: { ...NOTHING_OFFERED, photos } }).problems;
}

const bytes: AttributeEntry = { target: PATH, photo: { as: 'DataUri' } };
const url: AttributeEntry = { target: PATH, photo: { as: 'Url' } };

describe('an entry with photo', () => {
  it.each<readonly [AttributeEntry, PhotoOffer | null, string]>([
    [bytes, null, '/photo the provider file has no photos; name their column in source.file.photoAttribute'],
    [url, null, '/photo the provider file has no photos; name their column in source.file.photoAttribute'],
    [url, { ...FILE, url: null }, '/photo the provider file has no URLs of photos; write as: DataUri'],
    [bytes, { ...FILE, bytes: false }, '/photo the provider file gives URLs of photos alone; write as: Url'],
    [
      { ...bytes, target: 'floor' },
      FILE,
      '/photo a photo is one text, and "floor" takes none; write photos[type eq "photo"].value',
    ],
    [
      { ...url, target: 'badge' },
      FILE,
      '/photo a photo is one text, and "badge" takes none; write photos[type eq "photo"].value',
    ],
    [{ ...bytes, default: 'x' }, FILE, '/photo default is not for a photo that is written as: DataUri'],
    [{ ...bytes, required: true }, FILE, '/photo required is not for a photo that is written as: DataUri'],
    [{ ...bytes, matching: { precedence: 3 } }, FILE, '/photo matching is not for a photo that is written as: DataUri'],
    [
      { ...bytes, apply: 'OnCreate' },
      FILE,
      '/photo a photo that is written as: DataUri is always kept up to date: leave out apply',
    ],
  ])('%j from %j is refused', (entry, offer, problem) => {
    expect(problemsOf(entry, offer)).toEqual([problem.replace('/photo', '/spec/attributes/2/photo')]);
  });

  it.each<readonly [AttributeEntry, readonly string[]]>([
    [bytes, ['source:photo']],
    [{ ...bytes, onEmpty: 'Clear' }, ['source:photo']],
    [url, ['source:photo']],
    [{ ...url, default: 'https://people.corp.example/nobody.png', required: true }, ['source:photo']],
    [{ ...url, apply: 'OnCreate' }, ['source:photo']],
    [{ ...bytes, target: 'profileUrl' }, ['source:photo']],
  ])('%j reads %j', (entry, names) => {
    const offers = { ...NOTHING_OFFERED, photos: FILE };
    const { mapping, problems } = compile([...BASE_ENTRIES, entry], [], { offers });
    expect(problems).toEqual([]);
    expect(mapping.entries.at(-1)?.names).toEqual(names);
  });

  it('takes whatever the column is called', () => {
    const offers = { ...NOTHING_OFFERED, photos: { ...FILE, needs: 'Bild (klein)' } };
    const { mapping } = compile([...BASE_ENTRIES, bytes], [], { offers });
    expect(mapping.usedNames).toContain('source:["Bild (klein)"]');
  });

  it('needs no attribute of a directory that is asked for photos by the id', () => {
    const offers = { ...NOTHING_OFFERED, photos: { url: null, bytes: true, needs: null } };
    const { mapping } = compile([...BASE_ENTRIES, bytes], [], { offers });
    expect(mapping.entries.at(-1)).toMatchObject({ names: [], photo: { maxBytes: 262_144 } });
  });

  it('is taken where nobody said which source it is', () => {
    const mapping = aMapping([...BASE_ENTRIES, bytes, { ...url, target: 'profileUrl' }]);
    const customs = compileCustomAttributes([], '', []);
    const compiled = compileMapping([mapping], customs, { provider: 'file', hasGroups: false }, []);
    expect(compiled.entries).toHaveLength(4);
  });
});

describe('readMediaType', () => {
  it.each<readonly [readonly number[] | string, string | null]>([
    [[0xff, 0xd8, 0xff, 0xe0, 0, 16], 'image/jpeg'],
    [[0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 0], 'image/png'],
    ['GIF89a..', 'image/gif'],
    ['GIF87a..', 'image/gif'],
    ['RIFF\u0001\u0002\u0003\u0004WEBPVP8 ', 'image/webp'],
    ['RIFF\u0001\u0002\u0003\u0004WAVEfmt ', null],
    ['<svg xmlns="http://www.w3.org/2000/svg"/>', null],
    ['root:x:0:0', null],
    [[], null],
    [[0xff, 0xd8], null],
  ])('%j is %s', (begin, type) => {
    expect(readMediaType(typeof begin === 'string' ? Buffer.from(begin, 'latin1') : Uint8Array.from(begin))).toBe(type);
  });
});
