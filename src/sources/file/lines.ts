/** Text in UTF-8, line by line. */

const LINE_END = 0x0a;

export interface Line {
  /** Without its line end; a carriage return before it is part of it. */
  readonly text: string;
  /** From 1. */
  readonly number: number;
  /** False for a last line without a line end. */
  readonly isEnded: boolean;
}

/**
 * Lines in the chunks in which they end.
 * @param throwTooLong called with the number of a line of more than `maxBytes`
 */
export async function* readLines(
  chunks: AsyncIterable<Buffer>,
  { maxBytes, throwTooLong }: { readonly maxBytes: number; readonly throwTooLong: (line: number) => never },
): AsyncGenerator<readonly Line[]> {
  let parts: Buffer[] = [];
  let size = 0;
  let number = 1;
  const take = (piece: Buffer, isEnded: boolean): Line => {
    if (size + piece.length > maxBytes) throwTooLong(number);
    const bytes = parts.length === 0 ? piece : Buffer.concat([...parts, piece]);
    const line = { text: bytes.toString('utf8'), number, isEnded };
    parts = [];
    size = 0;
    number += 1;
    return line;
  };
  for await (const chunk of chunks) {
    const lines: Line[] = [];
    let from = 0;
    for (let end = chunk.indexOf(LINE_END); end !== -1; end = chunk.indexOf(LINE_END, from)) {
      lines.push(take(chunk.subarray(from, end), true));
      from = end + 1;
    }
    size += chunk.length - from;
    if (size > maxBytes) throwTooLong(number);
    if (from < chunk.length) parts.push(chunk.subarray(from));
    if (lines.length > 0) yield lines;
  }
  if (parts.length > 0) {
    size = 0;
    yield [take(Buffer.alloc(0), false)];
  }
}
