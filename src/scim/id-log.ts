/** Which ids a list has shown, in a few bytes each: a list may be far longer than what a page of it takes. */
import { hash } from 'node:crypto';

/** `new`: never before. `again`: in an earlier pass. `repeated`: in this pass already. */
export type Sighting = 'new' | 'again' | 'repeated';

export interface IdLog {
  /** @param pass 1 to 255, never less than before */
  note(id: string, pass: number): Sighting;
}

const FIRST_CAPACITY = 1024;
/** Words of a fingerprint. With 96 bits two of a hundred million ids are alike once in 10^13 lists. */
const WORDS = 3;

/** A hash table of fingerprints. Should two ids ever be alike, the list counts too few objects, and is not taken for whole. */
export function createIdLog(): IdLog {
  let table = toTable(FIRST_CAPACITY);
  let size = 0;
  return {
    note(id, pass) {
      if (size * 2 >= table.passes.length) table = grow(table);
      const slot = findSlot(table, toFingerprint(id));
      const before = table.passes[slot] ?? 0;
      if (before === pass) return 'repeated';
      table.passes[slot] = pass;
      if (before !== 0) return 'again';
      size += 1;
      return 'new';
    },
  };
}

interface Table {
  readonly words: Uint32Array;
  /** The last pass that showed it; 0: the slot is free. */
  readonly passes: Uint8Array;
}

function toTable(capacity: number): Table {
  return { words: new Uint32Array(capacity * WORDS), passes: new Uint8Array(capacity) };
}

function toFingerprint(id: string): Uint32Array {
  // As text it costs a third of what a buffer does.
  const digest = hash('sha256', id, 'hex');
  const fingerprint = new Uint32Array(WORDS);
  for (let word = 0; word < WORDS; word += 1)
    fingerprint[word] = Number.parseInt(digest.slice(word * 8, (word + 1) * 8), 16);
  return fingerprint;
}

/** The slot of the fingerprint, which is put there where the slot was free. */
function findSlot({ words, passes }: Table, fingerprint: Uint32Array): number {
  const capacity = passes.length;
  for (let slot = (fingerprint[0] ?? 0) % capacity; ; slot = (slot + 1) % capacity) {
    if (passes[slot] === 0) {
      words.set(fingerprint, slot * WORDS);
      return slot;
    }
    if (fingerprint.every((word, index) => words[slot * WORDS + index] === word)) return slot;
  }
}

function grow(old: Table): Table {
  const table = toTable(old.passes.length * 2);
  for (const [slot, pass] of old.passes.entries()) {
    if (pass === 0) continue;
    table.passes[findSlot(table, old.words.subarray(slot * WORDS, (slot + 1) * WORDS))] = pass;
  }
  return table;
}
