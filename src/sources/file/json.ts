/** JSON: a list of objects, or an object whose `users` is one. Read value by value, never as a whole. */
import type { FileRecord, FormatOptions } from './convert.ts';
import { MAX_RECORD_BYTES, toReadFailed } from './failure.ts';
import { parseJson, parseRecord } from './json-record.ts';
import { createValueCutter } from './json-value.ts';

/**
 * Throws `ReadFailed` naming the record (from 1) for one that does not parse, is no object or is larger than 1 MiB, and
 * for text that breaks the list around the records or ends before it does.
 */
export async function* readJson(chunks: AsyncIterable<Buffer>, options: FormatOptions): AsyncGenerator<FileRecord[]> {
  const list = createListReader(options);
  for await (const chunk of chunks) {
    const records = list.read(chunk);
    if (records.length > 0) yield records;
  }
  list.checkEnd();
}

/** What is expected next. */
type State =
  | 'start'
  | 'elementOrEnd'
  | 'element'
  | 'afterElement'
  | 'keyOrEnd'
  | 'key'
  | 'colon'
  | 'member'
  | 'afterMember'
  | 'end';

const EXPECTED: Readonly<Record<State, string>> = {
  start: 'a list or an object with "users" must begin',
  elementOrEnd: 'a record or ] must be',
  element: 'a record must be',
  afterElement: 'a comma or ] must be',
  keyOrEnd: 'a name or } must be',
  key: 'a name must be',
  colon: 'a colon must be',
  member: 'a value must be',
  afterMember: 'a comma or } must be',
  end: 'nothing may follow',
};

const WHITE_SPACE = new Set([0x20, 0x09, 0x0a, 0x0d]);
/** Marks, in `NEXT`, that a value of any kind begins here. */
const VALUE = 'value';

/** State → punctuation → next state. What is not there is an error, or a value where the state takes one. */
const NEXT: Readonly<Record<State, Readonly<Record<string, State>> & { readonly [VALUE]?: State }>> = {
  start: { '[': 'elementOrEnd', '{': 'keyOrEnd' },
  elementOrEnd: { ']': 'end', [VALUE]: 'afterElement' },
  element: { [VALUE]: 'afterElement' },
  afterElement: { ',': 'element', ']': 'end' },
  keyOrEnd: { '}': 'end', [VALUE]: 'colon' },
  key: { [VALUE]: 'colon' },
  colon: { ':': 'member' },
  member: { [VALUE]: 'afterMember' },
  afterMember: { ',': 'key', '}': 'end' },
  end: {},
};

function createListReader(options: FormatOptions) {
  const { label } = options;
  const value = createValueCutter();
  let state: State = 'start';
  let wrapped = false;
  let found = false;
  let key = '';
  let record = 0;
  let offset = 0;

  function fail(at: number): never {
    const after = record === 0 ? '' : `, after record ${record}`;
    throw toReadFailed(label, `it is no valid JSON: ${EXPECTED[state]} at byte ${at + 1}${after}`);
  }

  function enter(next: State): void {
    if (state === 'start') {
      wrapped = next === 'keyOrEnd';
      found = !wrapped;
    }
    const closesInner = wrapped && (state === 'elementOrEnd' || state === 'afterElement');
    state = next === 'end' && closesInner ? 'afterMember' : next;
  }

  /** A character of the structure; true when it was one. */
  function stepPunctuation(byte: number): boolean {
    const character = String.fromCharCode(byte);
    if (state === 'member' && key === 'users' && character === '[') {
      if (found) throw toReadFailed(label, '"users" is there twice');
      found = true;
      state = 'elementOrEnd';
      return true;
    }
    const next = NEXT[state][character];
    if (next === undefined) return false;
    enter(next);
    return true;
  }

  function finishValue(records: FileRecord[]): void {
    const text = value.finish();
    const next = NEXT[state][VALUE] ?? 'end';
    if (next === 'afterElement') {
      record += 1;
      records.push(parseRecord(text, `record ${record}`, options));
    } else if (next === 'colon') {
      key = toKey(text, label);
    } else {
      if (key === 'users') throw toReadFailed(label, '"users" is no list');
      parseJson(text, `the value of "${key}"`, label);
    }
    state = next;
  }

  function takeValue(chunk: Buffer, at: number, records: FileRecord[]): number {
    const end = value.take(chunk, at);
    if (value.size > MAX_RECORD_BYTES) {
      const what = NEXT[state][VALUE] === 'afterElement' ? `record ${record + 1}` : `the value of "${key}"`;
      throw toReadFailed(label, `${what} is larger than 1 MiB; a quote or bracket may be missing`);
    }
    if (!value.active) finishValue(records);
    return end;
  }

  return {
    read: (chunk: Buffer): FileRecord[] => {
      const records: FileRecord[] = [];
      let at = 0;
      while (at < chunk.length) {
        const byte = chunk[at] ?? 0;
        if (value.active) at = takeValue(chunk, at, records);
        else if (WHITE_SPACE.has(byte) || stepPunctuation(byte)) at += 1;
        else if (NEXT[state][VALUE] === undefined || isPunctuation(byte)) fail(offset + at);
        else at = takeValue(chunk, at, records);
      }
      offset += chunk.length;
      return records;
    },
    checkEnd: (): void => {
      if (state === 'start') throw toReadFailed(label, 'it is empty; there must be a list of objects');
      if (state !== 'end') {
        const inside = value.active && NEXT[state][VALUE] === 'afterElement';
        throw toReadFailed(
          label,
          inside
            ? `it ends in the middle of record ${record + 1}; it is cut off`
            : `it ends before its list is closed, after record ${record}; it is cut off`,
        );
      }
      if (!found) throw toReadFailed(label, 'it has no list: it must be one, or an object with "users"');
    },
  };
}

function isPunctuation(byte: number): boolean {
  return byte === 0x2c || byte === 0x3a || byte === 0x5d || byte === 0x7d;
}

function toKey(text: string, label: string): string {
  const key = parseJson(text, 'a name', label);
  if (typeof key !== 'string') throw toReadFailed(label, 'it is no valid JSON: a name must be a text in quotes');
  return key;
}
