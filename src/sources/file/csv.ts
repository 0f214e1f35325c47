/** CSV (RFC 4180, with the delimiters and line ends that spreadsheets really write). */
import { type CsvError, Parser } from 'csv-parse';
import { SyncError } from '../../errors.ts';
import type { Json } from '../../model.ts';
import { computeIdHint, type FileRecord, type FormatOptions } from './convert.ts';
import { MAX_RECORD_BYTES, toReadFailed } from './failure.ts';

const DELIMITERS = [',', ';', '\t', '|'] as const;
const QUOTE = 0x22;

/**
 * Cells are taken as they are, not trimmed; an empty one, quoted or not, is null. Throws `ReadFailed` naming the row
 * (from 1, the header's) for a quote out of place or never closed, a row that is too short or too long, a blank line
 * before the last row, and a header that is empty, has a name twice or lacks the id.
 */
export async function* readCsv(chunks: AsyncIterable<Buffer>, options: FormatOptions): AsyncGenerator<FileRecord[]> {
  const table = createTable(options);
  for await (const rows of readRows(chunks, options)) {
    const records = table.toRecords(rows);
    if (records.length > 0) yield records;
  }
  if (!table.hasHeader()) throw toReadFailed(options.label, 'it is empty; the first row must be a header');
}

/** Holds back the bytes of the header until the delimiter is known. */
async function* readRows(chunks: AsyncIterable<Buffer>, options: FormatOptions): AsyncGenerator<string[][]> {
  let head: Buffer = Buffer.alloc(0);
  let rows: RowParser | null = null;
  for await (const chunk of chunks) {
    if (rows !== null) {
      yield await rows.write(chunk);
      continue;
    }
    head = Buffer.concat([head, chunk]);
    const end = findHeaderEnd(head);
    if (end === -1 && head.length < MAX_RECORD_BYTES) continue;
    rows = createRowParser(options.delimiter ?? computeDelimiter(head, end), options.label);
    yield await rows.write(head);
  }
  if (rows === null) {
    rows = createRowParser(options.delimiter ?? computeDelimiter(head, -1), options.label);
    yield await rows.write(head);
  }
  yield await rows.end();
}

/** Index of the line end that closes the header, outside of quotes; -1 where it is not there yet. */
function findHeaderEnd(bytes: Buffer): number {
  let quoted = false;
  for (let at = 0; at < bytes.length; at += 1) {
    const byte = bytes[at];
    if (byte === QUOTE) quoted = !quoted;
    else if (!quoted && (byte === 0x0a || byte === 0x0d)) return at;
  }
  return -1;
}

/** The candidate that stands most often in the header outside of quotes; a comma where none does. */
function computeDelimiter(bytes: Buffer, headerEnd: number): string {
  const header = bytes.toString('utf8', 0, headerEnd === -1 ? bytes.length : headerEnd).replace(/"[^"]*"/g, '');
  let best = { delimiter: ',', count: 0 };
  for (const delimiter of DELIMITERS) {
    const count = header.split(delimiter).length - 1;
    if (count > best.count) best = { delimiter, count };
  }
  return best.delimiter;
}

interface RowParser {
  /** Rows that are complete by now. */
  write(chunk: Buffer): Promise<string[][]>;
  end(): Promise<string[][]>;
}

/**
 * csv-parse, driven chunk by chunk: rows are caught in `on_record` and never enter the stream's own queue, which would
 * cost a turn of the event loop for each of them.
 */
function createRowParser(delimiter: string, label: string): RowParser {
  let rows: string[][] = [];
  let count = 0;
  const parser = new Parser({
    delimiter,
    record_delimiter: ['\r\n', '\n', '\r'],
    relax_column_count: true,
    skip_empty_lines: true,
    max_record_size: MAX_RECORD_BYTES,
    on_record: (row: string[], context) => {
      count += 1;
      if (context.empty_lines > 0) {
        throw toReadFailed(label, `there is a blank line before row ${count}; blank lines may only be at the end`);
      }
      rows.push(row);
      return null;
    },
  });
  // Every failure arrives in the callbacks below; without a listener it would end the process as well.
  parser.on('error', () => undefined);

  const take = (call: (done: (error?: Error | null) => void) => void) =>
    new Promise<string[][]>((resolve, reject) => {
      call((error) => {
        if (error !== undefined && error !== null) {
          reject(toFailure(error, count + 1, label));
          return;
        }
        const taken = rows;
        rows = [];
        resolve(taken);
      });
    });
  return {
    write: (chunk) => take((done) => parser.write(chunk, done)),
    end: () => take((done) => parser.end(done)),
  };
}

/** csv-parse's own messages quote cells, which are personal data: they stay in `cause`. */
function toFailure(error: Error, row: number, label: string): SyncError {
  if (error instanceof SyncError) return error;
  const { code } = error as CsvError;
  const what: Readonly<Record<string, string>> = {
    CSV_QUOTE_NOT_CLOSED: `row ${row} has a quote that is never closed; the file is cut off or the quote must be doubled`,
    CSV_INVALID_CLOSING_QUOTE: `row ${row} has text after a closing quote; a quote inside a quoted cell must be doubled`,
    INVALID_OPENING_QUOTE: `row ${row} has a quote inside a cell that is not quoted; quote the cell and double the quote`,
    CSV_MAX_RECORD_SIZE: `row ${row} is longer than 1 MiB; a quote may be missing`,
  };
  return toReadFailed(label, what[code] ?? `row ${row} is no valid CSV`, error);
}

/** Rows under their header. */
function createTable(options: FormatOptions) {
  let columns: readonly string[] | null = null;
  let row = 0;

  function toRecord(cells: readonly string[], header: readonly string[]): FileRecord {
    if (cells.length !== header.length) {
      const difference =
        cells.length < header.length ? 'the row is cut off' : 'a cell with the delimiter in it must be quoted';
      throw toReadFailed(
        options.label,
        `row ${row} has ${cells.length} cells where the header has ${header.length}; ${difference}`,
      );
    }
    const attributes: Record<string, Json> = {};
    let index = 0;
    for (const column of header) {
      attributes[column] = cells[index] || null;
      index += 1;
    }
    return { position: `row ${row}`, attributes };
  }

  return {
    hasHeader: () => columns !== null,
    toRecords: (rows: readonly string[][]): FileRecord[] => {
      const records: FileRecord[] = [];
      for (const cells of rows) {
        row += 1;
        if (columns === null) {
          checkHeader(cells, options);
          columns = cells;
          options.names.addColumns(cells);
        } else {
          records.push(toRecord(cells, columns));
        }
      }
      return records;
    },
  };
}

function checkHeader(columns: readonly string[], { label, idAttribute }: FormatOptions): void {
  if (!columns.includes(idAttribute)) {
    throw toReadFailed(label, `there is no column "${idAttribute}"; ${computeIdHint(columns, idAttribute)}`);
  }
  const seen = new Set<string>();
  for (const [index, column] of columns.entries()) {
    if (column.trim() === '') throw toReadFailed(label, `column ${index + 1} has no name in the header`);
    if (seen.has(column)) throw toReadFailed(label, `the header has "${column}" twice; each name must be there once`);
    // An object of JavaScript takes this name for something else, and the column would be lost.
    if (column === '__proto__') throw toReadFailed(label, 'a column cannot be named __proto__');
    seen.add(column);
  }
}
