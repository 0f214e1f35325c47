/** The pages of the files of users and groups. */
import type { FileFormat } from '../../api/file-source.ts';
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
import {
  type FileRecord,
  type FormatOptions,
  type FormatReader,
  NAMES_IN_DIRECTORY,
  toGroupRecord,
  toSourceUser,
} from './convert.ts';
import { readCsv } from './csv.ts';
import { readText } from './encoding.ts';
import { toReadFailed } from './failure.ts';
import { readUnpacked } from './gzip.ts';
import { readJson } from './json.ts';
import { readJsonLines } from './json-lines.ts';
import { readLdif } from './ldif.ts';
import { mergeRows } from './merge.ts';

const PAGE_SIZE = 500;

/** One line for each format. */
const READERS: Readonly<Record<FileFormat, FormatReader>> = {
  CSV: readCsv,
  JSON: readJson,
  JSONLines: readJsonLines,
  LDIF: readLdif,
};

/** What a read of users or groups asks for. */
export interface Asked {
  readonly projection: readonly string[];
  readonly signal: AbortSignal;
}

/** What says who is active, see `isActive`. */
export const STATE_ATTRIBUTES = ['active', 'accountEnabled'];

/**
 * Pages of at most 500 users. The last one, with `end`, comes only after the whole file was parsed and found unchanged
 * (S1, S8). `failed` is always empty: what is wrong with one row makes the file not to be trusted.
 */
export async function* readUserPages(
  spot: FileSpot,
  config: FileSourceConfig,
  { projection, signal }: Asked,
): AsyncGenerator<SourcePage> {
  const names = createNameCollector();
  const { idAttribute = DEFAULT_ID_ATTRIBUTE, photoAttribute = idAttribute } = config;
  const spellings = [...projection, photoAttribute, ...STATE_ATTRIBUTES];
  const options: FormatOptions = { ...toOptions(spot, config, names), kind: 'users', idAttribute, spellings };
  const place = { location: config.users, spot, config, options };
  for await (const page of readRecordPages(place, signal)) {
    const users = page.records.map((record) => toSourceUser(record, options));
    const { last } = page;
    const end = last === null ? null : { attributes: names.list(), cursor: last.version };
    yield end === null ? { users, failed: [] } : { users, failed: [], end };
  }
}

/** Pages of at most 500 groups, each with all its members; see `readUserPages`. */
export async function* readGroupPages(
  spot: FileSpot,
  { config, location }: { readonly config: FileSourceConfig; readonly location: FileLocation },
  { projection, signal }: Asked,
): AsyncGenerator<GroupPage> {
  const names = createNameCollector();
  const membersAttribute = config.membersAttribute ?? DEFAULT_MEMBERS_ATTRIBUTE;
  const spellings = [...projection, membersAttribute, 'displayName', 'name', 'cn', ...NAMES_IN_DIRECTORY];
  const isLdif = toFormat(config, location) === 'LDIF';
  // In LDIF there is no column that groups could have for themselves: people and groups are told by the same attribute.
  const idAttribute = isLdif ? (config.idAttribute ?? DEFAULT_ID_ATTRIBUTE) : DEFAULT_ID_ATTRIBUTE;
  const options: FormatOptions = { ...toOptions(spot, config, names), kind: 'groups', idAttribute, spellings };
  let count = 0;
  for await (const page of readRecordPages({ location, spot, config, options }, signal)) {
    const read = page.records.map((record) => toGroupRecord(record, { ...options, membersAttribute, splits: !isLdif }));
    count += read.length;
    const { last } = page;
    if (last !== null && count > 0) checkMembers(spot, names.list(), membersAttribute);
    const groups = read.map(({ group }) => group);
    const members = read.map(({ group, members: list }) => ({ group: group.id, members: list }));
    const end = last === null ? {} : { end: { attributes: names.list(), cursor: last.version } };
    yield { groups, members, failed: [], ...end };
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

function toOptions(
  { label }: FileSpot,
  { delimiter }: FileSourceConfig,
  names: NameCollector,
): Pick<FormatOptions, 'label' | 'delimiter' | 'names'> {
  return { label, delimiter: delimiter ?? null, names };
}

interface Place {
  readonly location: FileLocation;
  readonly spot: FileSpot;
  readonly config: FileSourceConfig;
  readonly options: FormatOptions;
}

interface RecordPage {
  readonly records: readonly FileRecord[];
  /** Null: more pages come. */
  readonly last: { readonly version: string | null } | null;
}

async function* readRecordPages(
  { location, spot, config, options }: Place,
  signal: AbortSignal,
): AsyncGenerator<RecordPage> {
  const { label } = spot;
  const format = toFormat(config, location);
  if (format === undefined) throw toReadFailed(label, 'its format is not known; set format');
  let version: string | null = null;
  const bytes = spot.readBytes(signal, (whole) => {
    version = whole;
  });
  const text = readText(readUnpacked(bytes, label), { label, encoding: config.encoding ?? null });
  const rows = READERS[format](text, options);
  const isMerged = options.kind === 'users' && config.duplicateIds === 'Merge';
  let records: FileRecord[] = [];
  for await (const some of isMerged ? mergeRows(rows, options) : rows) {
    for (const record of some) {
      records.push(record);
      if (records.length < PAGE_SIZE) continue;
      yield { records, last: null };
      throwIfAborted(signal);
      records = [];
    }
  }
  throwIfAborted(signal);
  yield { records, last: { version } };
}
