/** Where changes go on, as reads of Active Directory leave it: opaque to everybody else. Pure. */
import { SyncError } from '../../errors.ts';
import { isObject } from '../attribute-names.ts';

/** Attribute of people whose values name other entries: they change with what they name. */
export interface Reference {
  readonly name: string;
  readonly isList: boolean;
}

export interface LdapCursor {
  /** Distinguished name of the naming context whose changes are told. */
  readonly context: string;
  /** Of the DirSync control, in base64. */
  readonly cookie: string;
  /** When it was taken, by our clock, in milliseconds since 1970: activity was judged by this time. */
  readonly at: number;
  /** Attributes of which a change matters. */
  readonly watched: readonly string[];
  readonly references: readonly Reference[];
}

export function printCursor({ context, cookie, at, watched, references }: LdapCursor): string {
  return JSON.stringify({ context, cookie, at, watched, references });
}

/**
 * Deleted entries are forgotten after the lifetime of tombstones, which is two days at the least (MS-ADTS section
 * 6.1.1.2.4.1.1, tombstoneLifetime): a deletion that is older may not be told any more.
 */
const MOST_AGE_MS = 2 * 86_400_000;

/**
 * @param now milliseconds since 1970
 * @throws SyncError `CursorExpired` for one that is too old, or none
 */
export function parseCursor(text: string, now: number): LdapCursor {
  const value = toObject(text);
  const { context, cookie, at, watched, references } = value;
  const isCursor = typeof context === 'string' && typeof cookie === 'string' && typeof at === 'number';
  if (!isCursor || !isListOf(watched, isText) || !isListOf(references, isReference))
    throw new SyncError('CursorExpired', 'what an earlier read left does not say where changes go on');
  if (Math.abs(now - at) > MOST_AGE_MS)
    throw new SyncError('CursorExpired', 'the last read is so old that deletions since may be forgotten');
  return { context, cookie, at, watched, references };
}

function toObject(text: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) ? value : {};
  } catch {
    return {};
  }
}

function isListOf<T>(value: unknown, isItem: (item: unknown) => item is T): value is readonly T[] {
  return Array.isArray(value) && value.every(isItem);
}

function isText(value: unknown): value is string {
  return typeof value === 'string';
}

function isReference(value: unknown): value is Reference {
  return isObject(value) && typeof value['name'] === 'string' && typeof value['isList'] === 'boolean';
}
