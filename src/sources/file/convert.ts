/** A row or object of a file → a source user or group. */
import type { GroupMember, Json, SourceGroup, SourceUser } from '../../model.ts';
import { computeNearestName } from '../../nearest-name.ts';
import { isObject, type NameCollector } from '../attribute-names.ts';
import { toReadFailed } from './failure.ts';

/** One row or object, whatever the format. */
export interface FileRecord {
  /** `row 17`, `record 17` or `line 17`, from 1; the header of a CSV is row 1. */
  readonly position: string;
  readonly attributes: Readonly<Record<string, Json>>;
  /** Where several rows were merged: whether the person is active; else the attributes say it. */
  readonly active?: boolean;
}

/** What the reader of a format is told. */
export interface FormatOptions {
  readonly label: string;
  readonly kind: 'users' | 'groups';
  readonly idAttribute: string;
  /** CSV; null where it is to be found in the header. */
  readonly delimiter: string | null;
  /** LDIF, whose names have no case: how mappings and the spec spell names. */
  readonly spellings: readonly string[];
  /** Where the reader puts the names that it sees. */
  readonly names: NameCollector;
}

/** Turns UTF-8 chunks, cut at characters, into records; throws `ReadFailed` at the first thing that is wrong. */
export type FormatReader = (chunks: AsyncIterable<Buffer>, options: FormatOptions) => AsyncGenerator<FileRecord[]>;

/** Which columns tell a person for good, for the hint that names one. Never a mail address or a name: people change those. */
const USUAL_ID_NAMES = [
  'id',
  'objectid',
  'objectguid',
  'idpid',
  'immutableid',
  'userid',
  'personid',
  'employeeid',
  'employeenumber',
  'externalid',
  'guid',
  'uuid',
];

const NAMES_SHOWN = 30;

export function toSourceUser(record: FileRecord, options: FormatOptions): SourceUser {
  const { attributes, position } = record;
  return {
    id: toId(record, options),
    active: record.active ?? isActive(attributes),
    attributes,
    position,
  };
}

/** False only where one of the two attributes says so. */
export function isActive(attributes: FileRecord['attributes']): boolean {
  return !isFalse(attributes['active']) && !isFalse(attributes['accountEnabled']);
}

export interface MemberOptions {
  readonly membersAttribute: string;
  /** Several members may stand in one text, separated by `;`. A distinguished name may have one in it. */
  readonly splits: boolean;
}

export interface GroupRecord {
  readonly group: SourceGroup;
  readonly members: readonly GroupMember[];
}

/** A group without a name has its id for one: a file may have no other. */
export function toGroupRecord(record: FileRecord, options: FormatOptions & MemberOptions): GroupRecord {
  const { attributes, position } = record;
  const id = toId(record, options);
  const { displayName, name, cn } = attributes;
  const called = [displayName, name, cn, id].find((value) => typeof value === 'string' && value.trim() !== '');
  const members = toMembers(attributes[options.membersAttribute] ?? null, { ...options, position });
  const aliases = NAMES_IN_DIRECTORY.map((each) => attributes[each]).filter(
    (value): value is string => typeof value === 'string' && value.trim() !== '',
  );
  const group = { id, displayName: String(called), attributes, position };
  return { group: aliases.length === 0 ? group : { ...group, aliases }, members };
}

/** By which other groups name it as a member, where the file is the export of a directory. */
export const NAMES_IN_DIRECTORY = ['dn', 'distinguishedName'];

/** Of a list each is a text, a number or an object with `value` or `id`, as SCIM and most exports have it. */
function toMembers(
  value: Json,
  place: { readonly position: string; readonly label: string; readonly splits: boolean },
): readonly GroupMember[] {
  const items = Array.isArray(value) ? (value as readonly Json[]) : [value];
  return items.flatMap((item) => {
    const { value: plain = null, id = null } = isObject(item) ? item : { value: item };
    const ref = plain ?? id;
    if (ref === null && !isObject(item)) return [];
    if (typeof ref === 'number') return [{ kind: 'Any' as const, ref: String(ref) }];
    if (typeof ref !== 'string')
      throw toReadFailed(
        place.label,
        `${place.position}: a member is neither a text nor a number, nor has it a value or id`,
      );
    const parts = place.splits ? ref.split(';') : [ref];
    return parts
      .map((part) => part.trim())
      .filter((part) => part !== '')
      .map((part) => ({ kind: 'Any' as const, ref: part }));
  });
}

/** The id as text. Throws `ReadFailed` where there is none, or one that cannot tell people apart. */
export function toId({ attributes, position }: FileRecord, { label, idAttribute }: FormatOptions): string {
  if (!Object.hasOwn(attributes, idAttribute)) {
    throw toReadFailed(
      label,
      `${position} has no "${idAttribute}"; ${computeIdHint(Object.keys(attributes), idAttribute)}`,
    );
  }
  const value = attributes[idAttribute];
  if (typeof value === 'string' && value.trim() !== '') return value;
  // Above 2^53 two different numbers of the file are one number here, and two people would be one.
  if (Number.isSafeInteger(value)) return String(value);
  throw toReadFailed(label, `${position}: the id ("${idAttribute}") ${computeIdProblem(value)}`);
}

function computeIdProblem(value: Json | undefined): string {
  if (value === null || typeof value === 'string') return 'is empty';
  if (typeof value === 'number') return 'is a number that is no integer below 2^53; write it as a text, in quotes';
  return 'is neither a text nor an integer';
}

/** Nothing else than false means inactive: an empty cell or a word that is not known takes no account away. */
function isFalse(value: Json | undefined): boolean {
  return value === false || (typeof value === 'string' && value.toLowerCase() === 'false');
}

/** Mail addresses, numbers, dates, booleans and UUIDs: what a header does not have. */
const DATA = /@|^\W*\d[\d\W]*$|^(true|false)$|^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** The end of a message about a missing id: what is there, and what to set. */
export function computeIdHint(names: readonly string[], wanted: string): string {
  // A file without a header has a person where the names should be; a message may not show that person.
  if (names.some((name) => DATA.test(name))) {
    return 'what stands there looks like data, so the header may be missing. Add one, with a column for the id';
  }
  const near =
    computeNearestName(wanted, names) ??
    names.find((name) => USUAL_ID_NAMES.includes(name.toLowerCase().replace(/[^a-z]/g, '')));
  const more = names.length > NAMES_SHOWN ? ` and ${names.length - NAMES_SHOWN} more` : '';
  const found = names.length === 0 ? 'it has nothing' : `there are: ${names.slice(0, NAMES_SHOWN).join(', ')}${more}`;
  const example = near === undefined ? '' : `, for example ${near}`;
  return `${found}. Set idAttribute to the one that has each person's immutable id${example}`;
}
