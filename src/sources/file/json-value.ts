/** Finds where a JSON value ends, without parsing it. */

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const OPEN = new Set([0x5b, 0x7b]);
const CLOSE = new Set([0x5d, 0x7d]);
/** What can follow a number or a word: white space, a comma, a closing bracket. */
const AFTER_SCALAR = new Set([0x20, 0x09, 0x0a, 0x0d, 0x2c, 0x5d, 0x7d]);

export interface ValueCutter {
  /** Is a value begun and not yet ended? */
  readonly active: boolean;
  /** Bytes of the value so far. */
  readonly size: number;
  /**
   * Takes bytes from `from` on; the index of the first one that is not part of the value, or the chunk's length where
   * the value goes on.
   */
  take(chunk: Buffer, from: number): number;
  /** The text of the value that has ended, and the start of a new one. */
  finish(): string;
}

/** Values of JSON text in UTF-8: all that has a meaning is ASCII, so bytes are enough. */
export function createValueCutter(): ValueCutter {
  let parts: Buffer[] = [];
  let size = 0;
  let depth = 0;
  let active = false;
  let quoted = false;
  let escaped = false;
  let scalar = false;

  /** Index after the closing quote, or the chunk's length. */
  function skipText(chunk: Buffer, from: number): number {
    for (let at = from; at < chunk.length; at += 1) {
      const byte = chunk[at];
      if (escaped) escaped = false;
      else if (byte === BACKSLASH) escaped = true;
      else if (byte === QUOTE) {
        quoted = false;
        return at + 1;
      }
    }
    return chunk.length;
  }

  function skipScalar(chunk: Buffer, from: number): number {
    let at = from;
    while (at < chunk.length && !AFTER_SCALAR.has(chunk[at] ?? 0)) at += 1;
    if (at < chunk.length) active = false;
    return at;
  }

  /** One byte outside of a text. */
  function step(byte: number): void {
    if (byte === QUOTE) quoted = true;
    else if (OPEN.has(byte)) depth += 1;
    else if (CLOSE.has(byte)) depth -= 1;
  }

  function skipNested(chunk: Buffer, from: number): number {
    let at = from;
    while (at < chunk.length && active) {
      if (quoted) {
        at = skipText(chunk, at);
      } else {
        step(chunk[at] ?? 0);
        at += 1;
      }
      active = quoted || depth > 0;
    }
    return at;
  }

  return {
    get active() {
      return active;
    },
    get size() {
      return size;
    },
    take: (chunk, from) => {
      if (!active) {
        active = true;
        const first = chunk[from] ?? 0;
        scalar = first !== QUOTE && !OPEN.has(first);
      }
      const end = scalar ? skipScalar(chunk, from) : skipNested(chunk, from);
      parts.push(chunk.subarray(from, end));
      size += end - from;
      return end;
    },
    finish: () => {
      const text = (parts.length === 1 ? (parts[0] ?? Buffer.alloc(0)) : Buffer.concat(parts)).toString('utf8');
      parts = [];
      size = 0;
      return text;
    },
  };
}
