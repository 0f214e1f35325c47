/** JSON Lines: one object a line. */
import type { FileRecord, FormatOptions } from './convert.ts';
import { MAX_RECORD_BYTES, toReadFailed } from './failure.ts';
import { parseRecord } from './json-record.ts';
import { type Line, readLines } from './lines.ts';

/**
 * Throws `ReadFailed` naming the line for one that does not parse, is no object, is longer than 1 MiB, or is blank before
 * the last object. The last line may lack its line end. A file without any line is a failure: it cannot be told from
 * one that was cut off at its start.
 */
export async function* readJsonLines(
  chunks: AsyncIterable<Buffer>,
  options: FormatOptions,
): AsyncGenerator<FileRecord[]> {
  const { label } = options;
  const objects = createObjectReader(options);
  const throwTooLong = (line: number): never => {
    throw toReadFailed(label, `line ${line} is longer than 1 MiB`);
  };
  for await (const lines of readLines(chunks, { maxBytes: MAX_RECORD_BYTES, throwTooLong })) {
    const records = lines.flatMap((line) => objects.read(line));
    if (records.length > 0) yield records;
  }
  objects.checkEnd();
}

function createObjectReader(options: FormatOptions) {
  let blank: number | null = null;
  let any = false;
  return {
    read: ({ text, number }: Line): readonly FileRecord[] => {
      if (text.trim() === '') {
        blank ??= number;
        return [];
      }
      if (blank !== null) {
        throw toReadFailed(options.label, `line ${blank} is blank; blank lines may only be at the end`);
      }
      any = true;
      return [parseRecord(text, `line ${number}`, options)];
    },
    checkEnd: (): void => {
      if (!any) throw toReadFailed(options.label, 'it is empty; there must be one object a line');
    },
  };
}
