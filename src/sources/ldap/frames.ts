/** Cuts a stream of bytes into messages of LDAP: each is a SEQUENCE of BER with its length before it (RFC 4511 section 5.1). Pure. */

const SEQUENCE = 0x30;
/** A group of two million members is smaller; what says that it is larger is no LDAP. */
const MOST_BYTES = 256 * 1024 * 1024;

export interface Frames {
  /**
   * Messages that are whole with these bytes.
   * @throws Error for what cannot be the beginning of a message
   */
  take(data: Buffer): readonly Buffer[];
  /** Nothing of a message is waiting for the rest. */
  isEmpty(): boolean;
}

const TOO_LONG = 'a message is too long';

/** Is it what `Frames` throws for a message that is longer than it takes? */
export function isTooLong(thrown: unknown): boolean {
  return thrown instanceof RangeError && thrown.message === TOO_LONG;
}

/** @param mostBytes of one message: of a longer one no more is held than has come with its beginning */
export function createFrames(mostBytes = MOST_BYTES): Frames {
  let chunks: Buffer[] = [];
  let size = 0;
  /** Bytes without which nothing can be told. */
  let wanted = 2;
  return {
    isEmpty: () => size === 0,
    take(data) {
      chunks.push(data);
      size += data.length;
      if (size < wanted) return [];
      let rest = Buffer.concat(chunks);
      const found: Buffer[] = [];
      for (;;) {
        wanted = readSize(rest);
        if (wanted > mostBytes) throw new RangeError(TOO_LONG);
        if (rest.length < wanted) break;
        found.push(rest.subarray(0, wanted));
        rest = rest.subarray(wanted);
      }
      chunks = rest.length === 0 ? [] : [rest];
      size = rest.length;
      return found;
    },
  };
}

/** Bytes of the message at the beginning; of one whose length has not come whole, more than there are. */
function readSize(bytes: Buffer): number {
  if (bytes.length > 0 && bytes.readUInt8(0) !== SEQUENCE) throw new Error('no message begins so');
  if (bytes.length < 2) return 2;
  const first = bytes.readUInt8(1);
  if (first < 0x80) return 2 + first;
  const digits = first & 0x7f;
  if (digits === 0 || digits > 4) throw new Error('the length of a message is no length');
  if (bytes.length < 2 + digits) return 2 + digits;
  const length = bytes.readUIntBE(2, digits);
  return 2 + digits + length;
}
