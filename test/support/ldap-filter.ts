/** Filters of LDAP as they arrive at the server of tests. */
import type { BerReader } from 'ldapts';
import type { ServedEntry, Values } from './ldap-server.ts';

export type Matches = (entry: ServedEntry) => boolean;

/** RFC 4511 section 4.5.1.7; comparisons are by text without case, by bytes, or of numbers. */
export function parseFilter(reader: BerReader): { readonly matches: Matches; readonly text: string } {
  const tag = reader.readSequence();
  const end = reader.offset + reader.length;
  if (tag === 0x87) {
    // The tag of presence is that of its value: the name begins right here.
    const name = reader.buffer.subarray(reader.offset, end).toString('utf8').toLowerCase();
    reader.offset = end;
    return { matches: (entry) => valuesOf(entry, name).length > 0, text: `(${name}=*)` };
  }
  if (tag === 0xa3) {
    const name = (reader.readString() ?? '').toLowerCase();
    const value = reader.readString(4, true) ?? Buffer.alloc(0);
    const isSame = (each: string | Buffer): boolean =>
      typeof each === 'string' ? each.toLowerCase() === value.toString('utf8').toLowerCase() : each.equals(value);
    return { matches: (entry) => valuesOf(entry, name).some(isSame), text: `(${name}=${value.toString('utf8')})` };
  }
  if (tag === 0xa5 || tag === 0xa6) {
    const name = (reader.readString() ?? '').toLowerCase();
    const bound = BigInt(reader.readString() ?? '0');
    const isMeant = (value: bigint): boolean => (tag === 0xa5 ? value >= bound : value <= bound);
    const matches: Matches = (entry) => valuesOf(entry, name).some((each) => isMeant(BigInt(String(each))));
    return { matches, text: `(${name}${tag === 0xa5 ? '>' : '<'}=${bound})` };
  }
  if (tag === 0xa9) {
    // By a rule of the server's own, which nobody here has.
    reader.offset = end;
    return { matches: () => false, text: '(:=)' };
  }
  const parts: ReturnType<typeof parseFilter>[] = [];
  while (reader.offset < end) parts.push(parseFilter(reader));
  const texts = parts.map(({ text }) => text).join('');
  if (tag === 0xa0) return { matches: (entry) => parts.every(({ matches }) => matches(entry)), text: `(&${texts})` };
  if (tag === 0xa1) return { matches: (entry) => parts.some(({ matches }) => matches(entry)), text: `(|${texts})` };
  if (tag === 0xa2) return { matches: (entry) => !parts.some(({ matches }) => matches(entry)), text: `(!${texts})` };
  throw new Error(`the server of tests has no filter 0x${tag?.toString(16)}`);
}

function valuesOf({ attributes }: ServedEntry, name: string): Values {
  return Object.entries(attributes).find(([each]) => each.toLowerCase() === name)?.[1] ?? [];
}
