/** The config block `spec.source.file`, and what can be said about it without opening the file. */

import type { FileFormat, FileSource } from '../../api/file-source.ts';
import { NOTHING_OFFERED, type SourceOffers } from '../../model.ts';
import type { PhotoColumn } from './photo.ts';

export type FileSourceConfig = FileSource;
/** Exactly one key of it is set. */
export type FileLocation = FileSourceConfig['users'];

/** As the schema says it; here for whoever connects without it. */
export const DEFAULT_ID_ATTRIBUTE = 'id';
export const DEFAULT_MEMBERS_ATTRIBUTE = 'members';

const FORMAT_OF_EXTENSION: Readonly<Record<string, FileFormat>> = {
  csv: 'CSV',
  tsv: 'CSV',
  json: 'JSON',
  jsonl: 'JSONLines',
  ndjson: 'JSONLines',
  ldif: 'LDIF',
};

/** How messages name the file: as the resource does, without the query of a URL. */
export function toLabel({ configMapRef, path, sftp, url }: FileLocation): string {
  if (configMapRef !== undefined) return `key ${configMapRef.key} of ConfigMap ${configMapRef.name}`;
  if (sftp !== undefined) return `sftp://${sftp.host}/${(sftp.path ?? sftp.pattern ?? '').replace(/^\//, '')}`;
  return path ?? url?.replace(/\?.*$/, '') ?? '';
}

/** The format of a file, or undefined where neither the field nor the extension says it. */
export function toFormat({ format }: FileSourceConfig, location: FileLocation): FileFormat | undefined {
  if (format !== undefined) return format;
  const name = location.configMapRef?.key ?? toLabel(location);
  const extension = /\.([^./\\]+)$/.exec(name.replace(/\.gz$/i, ''))?.[1]?.toLowerCase() ?? '';
  return Object.hasOwn(FORMAT_OF_EXTENSION, extension) ? FORMAT_OF_EXTENSION[extension] : undefined;
}

/** Null where nobody has a photo, or photos cannot lie beside the users. */
export function toPhotoColumn({ photoAttribute, users }: FileSourceConfig): PhotoColumn | null {
  return photoAttribute === undefined || users.path === undefined ? null : { name: photoAttribute, users: users.path };
}

export function toOffers(config: FileSourceConfig): SourceOffers {
  const { photoAttribute: name } = config;
  const photos = name === undefined ? null : { url: name, bytes: toPhotoColumn(config) !== null, needs: name };
  return { ...NOTHING_OFFERED, photos };
}

/** Problems that can be seen offline, one sentence each. */
export function validateConfig(config: FileSourceConfig): readonly string[] {
  const problems: string[] = [];
  const locations = [config.users, config.groups].filter((location) => location !== undefined);
  const formats = locations.map((location) => toFormat(config, location));
  for (const [index, location] of locations.entries()) {
    if (formats[index] !== undefined) continue;
    problems.push(
      `the format of ${toLabel(location)} cannot be told from its extension; set format to CSV, JSON, JSONLines or LDIF`,
    );
  }
  for (const { sftp } of locations) {
    if (sftp?.pattern === undefined || !/[*?].*\//.test(sftp.pattern)) continue;
    problems.push('the wildcards * and ? of sftp.pattern stand in its last part alone, as /export/people-*.csv');
  }
  if (config.delimiter === undefined) return problems;
  if (!/^[^"\r\n]$/.test(config.delimiter))
    problems.push('delimiter must be one character and neither a quote nor a line end, as ";"');
  const [format] = formats;
  if (format !== undefined && !formats.includes('CSV'))
    problems.push(`delimiter is for CSV, but the format of ${toLabel(config.users)} is ${format}`);
  return problems;
}
