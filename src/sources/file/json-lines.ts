/** JSON Lines: one object a line. */
import type { FileRecord, FormatOptions } from './convert.ts';
import { MAX_RECORD_BYTES, toReadFailed } from './failure.ts';
import { parseRecord } from './json-record.ts';

const LINE_END = 0x0a;

/**
 * Throws `ReadFailed` naming the line for one that does not parse, is no object, is longer than 1 MiB, or is blank before
 * the last object. The last line may lack its line end. A file without any line is a failure: it cannot be told from
 * one that was cut off at its start.
 */
export async function* readJsonLines(
  chunks: AsyncIterable<Buffer>,
  options: FormatOptions,
): AsyncGenerator<FileRecord[]> {
  const lines = createLineReader(options);
  let parts: Buffer[] = [];
  let size = 0;
  for await (const chunk of chunks) {
    const records: FileRecord[] = [];
    let from = 0;
    for (let end = chunk.indexOf(LINE_END); end !== -1; end = chunk.indexOf(LINE_END, from)) {
      const piece = chunk.subarray(from, end);
      lines.read(parts.length === 0 ? piece : Buffer.concat([...parts, piece]), records);
      parts = [];
      size = 0;
      from = end + 1;
    }
    size += chunk.length - from;
    lines.checkSize(size);
    if (from < chunk.length) parts.push(chunk.subarray(from));
    if (records.length > 0) yield records;
  }
  const records: FileRecord[] = [];
  if (parts.length > 0) lines.read(Buffer.concat(parts), records);
  lines.checkEnd();
  yield records;
}

function createLineReader(options: FormatOptions) {
  let line = 0;
  let blank: number | null = null;
  let any = false;

  function checkSize(size: number): void {
    if (size > MAX_RECORD_BYTES) throw toReadFailed(options.label, `line ${line + 1} is longer than 1 MiB`);
  }

  return {
    checkSize,
    read: (bytes: Buffer, records: FileRecord[]): void => {
      checkSize(bytes.length);
      line += 1;
      const text = bytes.toString('utf8');
      if (text.trim() === '') {
        blank ??= line;
        return;
      }
      if (blank !== null) {
        throw toReadFailed(options.label, `line ${blank} is blank; blank lines may only be at the end`);
      }
      any = true;
      records.push(parseRecord(text, `line ${line}`, options));
    },
    checkEnd: (): void => {
      if (!any) throw toReadFailed(options.label, 'it is empty; there must be one object a line');
    },
  };
}
