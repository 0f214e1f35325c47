/** Entries of a search with attributes that are found whatever the case of their names. Pure. */
import type { SearchEntry } from 'ldapts';

export interface LdapAttribute {
  /** As the server writes it, with options: `cn`, `description;lang-de`. */
  readonly name: string;
  readonly values: readonly Buffer[];
}

export interface LdapEntry {
  readonly dn: string;
  /** By name in small letters. */
  readonly attributes: ReadonlyMap<string, LdapAttribute>;
}

export function toEntry({ name: dn, attributes }: SearchEntry): LdapEntry {
  return {
    dn,
    attributes: new Map(
      attributes.map(({ type, parsedBuffers }) => [type.toLowerCase(), { name: type, values: parsedBuffers }]),
    ),
  };
}

/** The values, decoded as text; none where there is no such attribute. */
export function readTexts({ attributes }: LdapEntry, name: string): readonly string[] {
  return attributes.get(name.toLowerCase())?.values.map((value) => value.toString('utf8')) ?? [];
}

export function readBytes({ attributes }: LdapEntry, name: string): Buffer | null {
  return attributes.get(name.toLowerCase())?.values[0] ?? null;
}
