/**
 * What is wanted against what the target says of its own schemas (RFC 7643 section 7): before a write, so that a mapping
 * which cannot work there stops once, and not at every person.
 */
import { parseScimPath } from '../scim/path.ts';
import {
  type AttributeDefinition,
  COMMON_ATTRIBUTES,
  findAttribute,
  type SchemaDefinition,
  type SchemaSet,
  URN_GROUP,
  URN_USER,
} from '../scim/schema.ts';

export interface SchemaFinding {
  /** An error cannot work; a warning may. */
  readonly severity: 'error' | 'warning';
  readonly reason:
    | 'ReadOnlyAttribute'
    | 'ImmutableAttribute'
    | 'RequiredAttribute'
    | 'UnlistedAttribute'
    | 'UnlistedSchema';
  /** Names attributes, and what to do. */
  readonly message: string;
}

export interface Wanted {
  /** What the mapping writes; `active` without an entry is not among it. */
  readonly entries: readonly WantedEntry[];
  /** Teams are written too. */
  readonly teams: boolean;
  /** What mappings write of them. */
  readonly teamEntries: readonly WantedEntry[];
}

export interface WantedEntry {
  /** Canonical path. */
  readonly path: string;
  /** Written when the account is made, and never again. */
  readonly onCreate: boolean;
}

/**
 * Lists are taken at their word where they forbid something. What they leave out is a warning: many list little. Without
 * the schema of users nothing is compared with it.
 */
export function compareSchemas({ entries, teams, teamEntries }: Wanted, schemas: SchemaSet): readonly SchemaFinding[] {
  const places = entries.map((entry) => locate(entry, schemas, URN_USER));
  return [
    ...findUnlistedSchemas(places),
    ...places.flatMap((place) => judgeEntry(place)),
    ...judgeActive(places, schemas),
    ...findRequired(places, schemas),
    ...(teams ? judgeTeams(schemas) : []),
    ...judgeTeamEntries(teamEntries, schemas),
  ];
}

interface Place extends WantedEntry {
  readonly urn: string;
  readonly attribute: string;
  readonly sub: string | null;
  /** Null: the target does not list it. */
  readonly schema: SchemaDefinition | null;
  /** From the attribute to its part; empty where it is not listed. */
  readonly definitions: readonly AttributeDefinition[];
}

function locate(entry: WantedEntry, schemas: SchemaSet, core: string): Place {
  const { urn, attribute, sub } = parseScimPath(entry.path);
  const schema = schemas.find(urn ?? core) ?? null;
  const common = urn === null ? COMMON_ATTRIBUTES : [];
  const found = findAttribute(schema?.attributes ?? [], attribute) ?? findAttribute(common, attribute);
  const part = sub === null || found === undefined ? undefined : findAttribute(found.subAttributes, sub);
  const definitions = [found, part].filter((each) => each !== undefined);
  return { ...entry, urn: urn ?? core, attribute, sub, schema, definitions };
}

function findUnlistedSchemas(places: readonly Place[]): readonly SchemaFinding[] {
  const urns = places
    .filter(({ schema, urn }) => schema === null && urn !== URN_USER && urn !== URN_GROUP)
    .map(({ urn }) => urn);
  return [...new Set(urns)].map((urn) => ({
    severity: 'warning',
    reason: 'UnlistedSchema',
    message: `the target does not list the schema ${urn}; it may drop its attributes`,
  }));
}

function judgeEntry({ path, onCreate, schema, definitions }: Place): readonly SchemaFinding[] {
  if (schema === null) return [];
  const name = JSON.stringify(path);
  if (definitions.length === 0) {
    const message = `the target does not list ${name}; it may drop it`;
    return [{ severity: 'warning', reason: 'UnlistedAttribute', message }];
  }
  if (definitions.some(({ mutability }) => mutability === 'readOnly')) {
    const message = `the target lists ${name} as read-only: take its entry out of the mapping`;
    return [{ severity: 'error', reason: 'ReadOnlyAttribute', message }];
  }
  if (!onCreate && definitions.some(({ mutability }) => mutability === 'immutable')) {
    const message = `the target lists ${name} as immutable and will refuse to change it; apply: OnCreate writes it once`;
    return [{ severity: 'warning', reason: 'ImmutableAttribute', message }];
  }
  return [];
}

/** Without an entry Dirsync sets it all the same: on creation, and when somebody leaves. */
function judgeActive(places: readonly Place[], schemas: SchemaSet): readonly SchemaFinding[] {
  const active = findAttribute(schemas.find(URN_USER)?.attributes ?? [], 'active');
  if (active?.mutability !== 'readOnly' || places.some(({ path }) => path === 'active')) return [];
  const message = 'the target lists "active" as read-only: nobody who leaves can be switched off there';
  return [{ severity: 'warning', reason: 'ReadOnlyAttribute', message }];
}

const NOT_MAPPED: ReadonlySet<string> = new Set(['id', 'schemas', 'meta', 'active']);

/** Of the schema of users, and of the extensions that the mapping uses: others are not part of what is sent. */
function findRequired(places: readonly Place[], schemas: SchemaSet): readonly SchemaFinding[] {
  const urns = [...new Set([URN_USER, ...places.map(({ urn }) => urn)])];
  return urns.flatMap((urn) => {
    const schema = schemas.find(urn);
    const here = places.filter((place) => place.urn.toLowerCase() === urn.toLowerCase());
    const prefix = urn === URN_USER ? '' : `${urn}:`;
    return (schema?.attributes ?? [])
      .filter(({ name, mutability }) => !NOT_MAPPED.has(name) && mutability !== 'readOnly')
      .flatMap((attribute) => findRequiredParts(attribute, here, prefix));
  });
}

/** The attribute itself, and what one that is sent must have in it. What must be in entries of lists is theirs to say. */
function findRequiredParts(
  attribute: AttributeDefinition,
  here: readonly Place[],
  prefix: string,
): readonly SchemaFinding[] {
  const isSame = (a: string | null, b: string): boolean => a?.toLowerCase() === b.toLowerCase();
  const mapped = here.filter((place) => isSame(place.attribute, attribute.name));
  if (mapped.length === 0) return attribute.required ? [toRequired(attribute, `${prefix}${attribute.name}`)] : [];
  if (attribute.multiValued || mapped.some(({ sub }) => sub === null)) return [];
  return attribute.subAttributes
    .filter(({ required, mutability }) => required && mutability !== 'readOnly')
    .filter(({ name }) => !mapped.some(({ sub }) => isSame(sub, name)))
    .map((part) => toRequired(part, `${prefix}${attribute.name}.${part.name}`));
}

function toRequired({ returned, mutability }: AttributeDefinition, path: string): SchemaFinding {
  const name = JSON.stringify(path);
  // No mapping can write it: whether it is right could not be told.
  if (returned === 'never' || mutability === 'writeOnly') {
    const message = `the target lists ${name} as required, which Dirsync does not write: it may refuse new accounts`;
    return { severity: 'warning', reason: 'RequiredAttribute', message };
  }
  const message = `the target lists ${name} as required: give it an entry in the mapping`;
  return { severity: 'error', reason: 'RequiredAttribute', message };
}

/** Its name is what `judgeTeams` looks at. */
function judgeTeamEntries(entries: readonly WantedEntry[], schemas: SchemaSet): readonly SchemaFinding[] {
  const others = entries.filter(({ path }) => path !== 'displayName');
  const places = others.map((entry) => locate(entry, schemas, URN_GROUP));
  return [...findUnlistedSchemas(places), ...places.flatMap((place) => judgeEntry(place))];
}

function judgeTeams(schemas: SchemaSet): readonly SchemaFinding[] {
  const group = schemas.find(URN_GROUP);
  return ['displayName', 'members'].flatMap((name) => {
    if (findAttribute(group?.attributes ?? [], name)?.mutability !== 'readOnly') return [];
    const message = `the target lists ${JSON.stringify(name)} of groups as read-only: no team can be written there; remove the TeamRules, and set groups.provision to None`;
    return [{ severity: 'error', reason: 'ReadOnlyAttribute', message }];
  });
}
