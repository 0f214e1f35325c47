/** Entries of a search with attributes that are found whatever the case of their names. Pure. */
import type { SearchEntry } from 'ldapts';

export interface LdapAttribute {
  /** As the server writes it, with options: `cn`, `description;lang-de`. */
  readonly name: string;
  readonly values: readonly Buffer[];
}

/** What can be asked for by name (RFC 4512 section 2.5), as `cn` or `description;lang-de`. */
export const ATTRIBUTE = /^(?:[a-z][a-z0-9-]*|[0-9]+(?:\.[0-9]+)+)(?:;[a-z0-9-]+)*$/i;

export interface LdapEntry {
  /** Without the ids that may stand before it. */
  readonly dn: string;
  /** By name in small letters. */
  readonly attributes: ReadonlyMap<string, LdapAttribute>;
}

/** What Active Directory puts before a distinguished name where it is asked to (MS-ADTS section 3.1.1.3.4.1.5). */
const IDS = /^<GUID=([0-9a-f-]{36})>;(?:<SID=[^>]*>;)?/i;

/** The distinguished name alone. */
export function toPlainDn(text: string): string {
  return text.replace(IDS, '');
}

/** The id of the entry that is named; null where it does not stand before the name. */
export function toNamedId(text: string): string | null {
  return IDS.exec(text)?.[1]?.toLowerCase() ?? null;
}

export function toEntry({ name, attributes }: SearchEntry): LdapEntry {
  return {
    dn: toPlainDn(name),
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
