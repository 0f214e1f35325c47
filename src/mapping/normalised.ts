/** Standard and predefined attributes: one name whatever the directory calls it. Pure. */
import { PREDEFINED_NAMES, type PredefinedName } from '../api/custom-attribute.ts';
import { parseSourcePath, readSourcePath, type SourcePath } from '../expression/paths.ts';
import type { Json, SourceUser } from '../model.ts';
import type { AttributeType } from '../scim/schema.ts';
import { DIRECTORIES, type DirectoryName, PREDEFINED, STANDARD } from './catalog.ts';
import { coerceValue, isEmptyValue } from './coerce.ts';
import { toAddresses, toEmails } from './predefined.ts';

export interface NormalisedAttribute {
  /** Places in the record; empty: it is part of the record itself, or this directory has none, and it is always known. */
  readonly sources: readonly SourcePath[];
  readonly read: (user: SourceUser) => Json;
}

const OF_RECORDS: Readonly<Record<string, NormalisedAttribute>> = {
  idp_id: { sources: [], read: (user) => user.id },
  state: { sources: [], read: (user) => (user.active ? 'active' : 'inactive') },
  // Entra's name for it, offered by every provider so that mappings made there can be carried over.
  IsSoftDeleted: { sources: [], read: (user) => !user.active },
};

export const STANDARD_NAMES: readonly string[] = ['idp_id', 'state', ...Object.keys(STANDARD), 'IsSoftDeleted'];

const BY_DIRECTORY: ReadonlyMap<string, ReadonlyMap<string, NormalisedAttribute>> = new Map(
  DIRECTORIES.map((directory) => [directory, compileDirectory(directory)]),
);

/** `standard:` or `predefined:` and the name → how it is read. */
function compileDirectory(directory: DirectoryName): ReadonlyMap<string, NormalisedAttribute> {
  const standard = Object.entries(STANDARD).map(([name, { cells }]) => {
    const first = readFirst(toPaths(cells[directory]));
    const read = directory === 'entra' && name === 'email' ? (user: SourceUser) => toMember(first(user)) : first;
    return [`standard:${name}`, { sources: toPaths(cells[directory]), read }] as const;
  });
  const predefined = PREDEFINED_NAMES.map(
    (name) => [`predefined:${name}`, compilePredefined(directory, name)] as const,
  );
  return new Map([...standard, ...predefined]);
}

function compilePredefined(directory: DirectoryName, name: PredefinedName): NormalisedAttribute {
  const { cells, type } = PREDEFINED[name];
  const sources = toPaths(cells[directory]);
  const toList = { addresses: toAddresses, emails: toEmails }[name as string];
  if (toList !== undefined) {
    return {
      sources,
      read: ({ attributes }) =>
        toList(
          directory,
          sources.map((path) => readSourcePath(path, attributes)),
        ),
    };
  }
  const first = readFirst(sources);
  return { sources, read: (user) => toNormal(first(user), type) };
}

function toPaths(cell: readonly string[] | null): readonly SourcePath[] {
  return (cell ?? []).map((path) => parseSourcePath(path));
}

function readFirst(sources: readonly SourcePath[]): (user: SourceUser) => Json {
  return (user) => {
    for (const path of sources) {
      const value = readSourcePath(path, user.attributes);
      if (!isEmptyValue(value)) return value;
    }
    return null;
  };
}

/** Of a value that is not of the type whoever uses it makes an error; here it would be nobody's. */
function toNormal(value: Json, type: AttributeType): Json {
  if (value === null) return null;
  const coerced = coerceValue(value, { type, multiValued: false });
  return 'value' in coerced ? coerced.value : value;
}

/** The UPN of a guest is made of theirs: `ada_example.com#EXT#@corp.example` is ada@example.com. */
function toMember(value: Json): Json {
  const [, alias, domain] = typeof value === 'string' ? (/^(.+)_([^_]+)#EXT#@/i.exec(value) ?? []) : [];
  return alias === undefined || domain === undefined ? value : `${alias}@${domain}`;
}

/** Undefined: there is no standard attribute of this name. */
export function findStandardAttribute(directory: string, name: string): NormalisedAttribute | undefined {
  if (Object.hasOwn(OF_RECORDS, name)) return OF_RECORDS[name];
  return BY_DIRECTORY.get(directory)?.get(`standard:${name}`);
}

/** Undefined: there is no predefined attribute of this name. */
export function findPredefinedAttribute(directory: string, name: string): NormalisedAttribute | undefined {
  return BY_DIRECTORY.get(directory)?.get(`predefined:${name}`);
}
