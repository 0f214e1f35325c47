/** The pages of a file. */
import type { FileFormat } from '../../api/providers.ts';
import type { SourceUser } from '../../model.ts';
import type { SourcePage } from '../source.ts';
import { type FileSpot, throwIfAborted } from './client.ts';
import { DEFAULT_ID_ATTRIBUTE, type FileSourceConfig, toFormat } from './config.ts';
import { createNameCollector, type FormatOptions, type FormatReader, toSourceUser } from './convert.ts';
import { readCsv } from './csv.ts';
import { toReadFailed } from './failure.ts';
import { readJson } from './json.ts';
import { readJsonLines } from './json-lines.ts';
import { readUtf8 } from './utf8.ts';

const PAGE_SIZE = 500;

/** One line for each format. */
const READERS: Readonly<Record<FileFormat, FormatReader>> = {
  CSV: readCsv,
  JSON: readJson,
  JSONLines: readJsonLines,
};

/**
 * Pages of at most 500 users. The last one, with `end`, comes only after the whole file was parsed and found unchanged
 * (S1, S8). `failed` is always empty: what is wrong with one row makes the file not to be trusted.
 */
export async function* readUserPages(
  spot: FileSpot,
  config: FileSourceConfig,
  signal: AbortSignal,
): AsyncGenerator<SourcePage> {
  const format = toFormat(config);
  if (format === undefined) throw toReadFailed(spot.label, 'its format is not known; set format');
  const options: FormatOptions = {
    label: spot.label,
    idAttribute: config.idAttribute ?? DEFAULT_ID_ATTRIBUTE,
    delimiter: config.delimiter ?? null,
    names: createNameCollector(),
  };
  let users: SourceUser[] = [];
  for await (const records of READERS[format](readUtf8(spot.readBytes(signal), spot.label), options)) {
    for (const record of records) {
      users.push(toSourceUser(record, options));
      if (users.length < PAGE_SIZE) continue;
      yield { users, failed: [] };
      throwIfAborted(signal);
      users = [];
    }
  }
  throwIfAborted(signal);
  yield { users, failed: [], end: { attributes: options.names.list() } };
}
