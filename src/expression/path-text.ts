/** The other way round than `paths.ts`: where a value stands in a record, as a path that is written. Pure. */

/** One step into a record. `first`: the entry that is marked as primary, else the first one; `[0]` where none ever is. */
export type PathPart =
  /** `isForced`: it is one name by itself, for with the one before it there is another. */
  | { readonly kind: 'name'; readonly name: string; readonly isForced?: boolean }
  | { readonly kind: 'type'; readonly type: string }
  | { readonly kind: 'first'; readonly isPrimary: boolean };

/** What chooses whose name it is, before a name: see `mapping/names.ts`. */
const PREFIX = /^(?:source|custom|standard|predefined|desired):/;
const PLAIN = /^[^.[\]"]+$/;
/** Of a SCIM extension (RFC 7643 section 3.3): dots and colons are parts of it. */
const URN = /^urn(?:[.:][^.:[\]"]+)+$/i;

/** The path that leads to what these steps lead to. The first one is a name. */
export function formatSourcePath(parts: readonly PathPart[]): string {
  const [first] = parts;
  const isUrn = first?.kind === 'name' && URN.test(first.name);
  return parts.reduce((text, part, index) => text + formatPart(part, { index, isUrn }), '');
}

function formatPart(part: PathPart, { index, isUrn }: { readonly index: number; readonly isUrn: boolean }): string {
  switch (part.kind) {
    case 'type':
      return `[type eq ${quote(part.type)}]`;
    case 'first':
      return part.isPrimary ? '[primary]' : '[0]';
    case 'name':
      return part.isForced === true ? `[${quote(part.name)}]` : formatName(part.name, { index, isUrn });
  }
}

function formatName(name: string, { index, isUrn }: { readonly index: number; readonly isUrn: boolean }): string {
  if (index === 0 && isUrn) return name;
  if (!PLAIN.test(name)) return `[${quote(name)}]`;
  if (index === 0) return PREFIX.test(name) ? `source:${name}` : name;
  return `${index === 1 && isUrn ? ':' : '.'}${name}`;
}

function quote(text: string): string {
  return `"${text.replace(/["\\]/g, '\\$&')}"`;
}
