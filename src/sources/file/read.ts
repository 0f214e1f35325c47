/** The pages of the files of users and groups. */
import type { FileFormat } from '../../api/providers.ts';
import { createNameCollector, type NameCollector } from '../attribute-names.ts';
import type { GroupPage, SourcePage } from '../source.ts';
import { type FileSpot, throwIfAborted } from './client.ts';
import {
  DEFAULT_ID_ATTRIBUTE,
  DEFAULT_MEMBERS_ATTRIBUTE,
  type FileLocation,
  type FileSourceConfig,
  toFormat,
} from './config.ts';
import { type FileRecord, type FormatOptions, type FormatReader, toGroupRecord, toSourceUser } from './convert.ts';
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
  const names = createNameCollector();
  const options = { ...toOptions(spot, config, names), idAttribute: config.idAttribute ?? DEFAULT_ID_ATTRIBUTE };
  const place = { location: config.users, spot, config, options };
  for await (const page of readRecordPages(place, signal)) {
    const users = page.records.map((record) => toSourceUser(record, options));
    yield page.isLast ? { users, failed: [], end: { attributes: names.list() } } : { users, failed: [] };
  }
}

/** Pages of at most 500 groups, each with all its members; see `readUserPages`. */
export async function* readGroupPages(
  spot: FileSpot,
  { config, location }: { readonly config: FileSourceConfig; readonly location: FileLocation },
  signal: AbortSignal,
): AsyncGenerator<GroupPage> {
  const names = createNameCollector();
  const options = toOptions(spot, config, names);
  const membersAttribute = config.membersAttribute ?? DEFAULT_MEMBERS_ATTRIBUTE;
  let count = 0;
  for await (const page of readRecordPages({ location, spot, config, options }, signal)) {
    const read = page.records.map((record) => toGroupRecord(record, { ...options, membersAttribute }));
    count += read.length;
    if (page.isLast && count > 0) checkMembers(spot, names.list(), membersAttribute);
    const groups = read.map(({ group }) => group);
    const members = read.map(({ group, members: list }) => ({ group: group.id, members: list }));
    yield { groups, members, failed: [], ...(page.isLast ? { end: { attributes: names.list() } } : {}) };
  }
}

/** Without the column all groups would pass for empty, and everybody would leave their teams (rule I13). */
function checkMembers({ label }: FileSpot, names: readonly string[], wanted: string): void {
  if (names.includes(wanted)) return;
  throw toReadFailed(
    label,
    `no group has "${wanted}"; there are: ${names.slice(0, 30).join(', ')}. Set membersAttribute to the one that has the members`,
  );
}

function toOptions({ label }: FileSpot, { delimiter }: FileSourceConfig, names: NameCollector): FormatOptions {
  return { label, idAttribute: DEFAULT_ID_ATTRIBUTE, delimiter: delimiter ?? null, names };
}

interface Place {
  readonly location: FileLocation;
  readonly spot: FileSpot;
  readonly config: FileSourceConfig;
  readonly options: FormatOptions;
}

interface RecordPage {
  readonly records: readonly FileRecord[];
  readonly isLast: boolean;
}

async function* readRecordPages(
  { location, spot, config, options }: Place,
  signal: AbortSignal,
): AsyncGenerator<RecordPage> {
  const format = toFormat(config, location);
  if (format === undefined) throw toReadFailed(spot.label, 'its format is not known; set format');
  let records: FileRecord[] = [];
  for await (const some of READERS[format](readUtf8(spot.readBytes(signal), spot.label), options)) {
    for (const record of some) {
      records.push(record);
      if (records.length < PAGE_SIZE) continue;
      yield { records, isLast: false };
      throwIfAborted(signal);
      records = [];
    }
  }
  throwIfAborted(signal);
  yield { records, isLast: true };
}
