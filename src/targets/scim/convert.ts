/** Between attributes by path and SCIM documents. Pure. */

import type { Attributes, Json } from '../../model.ts';
import {
  parseScimPath,
  readScimPath,
  resolveScimPath,
  type ScimDocument,
  type ScimPath,
  writeScimPath,
} from '../../scim/path.ts';
import {
  type AttributeDefinition,
  CORE_GROUP,
  CORE_USER,
  createSchemaSet,
  ENTERPRISE_USER,
  type SchemaDefinition,
  URN_GROUP,
  URN_USER,
} from '../../scim/schema.ts';
import type { JsonObject } from './client.ts';

export type ScimResource = 'User' | 'Group';

/** Where an attribute stands, and how its values compare. */
export interface Place {
  readonly path: ScimPath;
  /** Null where no schema has it: values are then taken as they are. */
  readonly definition: AttributeDefinition | null;
  /**
   * The complex attribute whose only writable part this is, as `manager` is for `manager.value`: changed as a whole,
   * because servers want `{"value": id}` at `…:User:manager`.
   */
  readonly isWhole: boolean;
}

export type PlaceOf = (path: string) => Place;

/** Looks paths up in the RFC's schemas with the server's own laid over them. */
export function createPlaces(server: readonly SchemaDefinition[]): Readonly<Record<ScimResource, PlaceOf>> {
  const schemas = createSchemaSet([CORE_USER, CORE_GROUP, ENTERPRISE_USER, ...server]);
  const compute = (text: string, resource: ScimResource): Place => {
    try {
      const { path, definition, parent } = resolveScimPath(parseScimPath(text), schemas, resource);
      return { path, definition, isWhole: parent !== null && !parent.multiValued && path.sub === 'value' };
    } catch {
      // An extension that no schema describes, or a server that describes an attribute in another form than it takes.
      return { path: parseScimPath(text), definition: null, isWhole: false };
    }
  };
  const remember = (resource: ScimResource): PlaceOf => {
    const known = new Map<string, Place>();
    return (text) => {
      const place = known.get(text) ?? compute(text, resource);
      known.set(text, place);
      return place;
    };
  };
  return { User: remember('User'), Group: remember('Group') };
}

/** The value under a name, compared without case. */
export function readField(object: JsonObject, name: string): Json | undefined {
  return readScimPath({ urn: null, attribute: name, filter: null, sub: null }, object);
}

export function toObject(value: Json | undefined): JsonObject | null {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as JsonObject) : null;
}

/** A number that may arrive as a string. Null for anything else. */
export function toCount(value: Json | undefined): number | null {
  const number = typeof value === 'string' && value.trim() !== '' ? Number(value) : value;
  return typeof number === 'number' && Number.isInteger(number) && number >= 0 ? number : null;
}

/** null, "", [], {} and absent are one state: nothing there. */
export function isEmpty(value: Json | undefined): boolean {
  if (value === undefined || value === null || value === '') return true;
  if (Array.isArray(value)) return value.length === 0;
  return typeof value === 'object' && Object.keys(value).length === 0;
}

/** Values at the paths, under the paths' own spelling; empty ones are left out. */
export function toAttributes(resource: JsonObject, paths: Iterable<string>, placeOf: PlaceOf): Attributes {
  const attributes: Record<string, Json> = {};
  for (const text of paths) {
    const value = readPlace(resource, placeOf(text));
    if (value !== undefined) attributes[text] = value;
  }
  return attributes;
}

/** Undefined when nothing is there. "True" of an old server is true where a boolean is meant. */
export function readPlace(resource: JsonObject, place: Place): Json | undefined {
  const value = readScimPath(place.path, resource);
  if (value === undefined || isEmpty(value)) return undefined;
  if (place.definition?.type !== 'Boolean' || typeof value !== 'string') return value;
  const lower = value.toLowerCase();
  return lower === 'true' || lower === 'false' ? lower === 'true' : value;
}

/** A new resource with these attributes, as POST takes it; extensions are listed in `schemas`. */
export function toDocument(resource: ScimResource, attributes: Attributes, placeOf: PlaceOf): ScimDocument {
  const document: ScimDocument = { schemas: [resource === 'User' ? URN_USER : URN_GROUP] };
  for (const [text, value] of Object.entries(attributes)) {
    if (!isEmpty(value)) writeScimPath(placeOf(text).path, document, value);
  }
  return document;
}

/** Are the values equal as the attribute compares them? Lists compare without order. */
export function isSameValue(a: Json | undefined, b: Json | undefined, caseExact: boolean): boolean {
  if (isEmpty(a) || isEmpty(b)) return isEmpty(a) && isEmpty(b);
  return toComparable(a, caseExact) === toComparable(b, caseExact);
}

function toComparable(value: Json | undefined, caseExact: boolean): string {
  if (typeof value === 'string') return JSON.stringify(caseExact ? value : value.toLowerCase());
  if (Array.isArray(value)) return `[${value.map((each: Json) => toComparable(each, caseExact)).sort()}]`;
  const object = toObject(value);
  if (object === null) return JSON.stringify(value);
  const fields = Object.entries(object).filter(([, each]) => !isEmpty(each));
  return `{${fields.map(([key, each]) => `${key.toLowerCase()}:${toComparable(each, caseExact)}`).sort()}}`;
}

/** Ids of the members, each once: some servers keep a member twice that was added twice. Null without a list. */
export function readMembers(group: JsonObject): readonly string[] | null {
  const members = readField(group, 'members');
  if (!Array.isArray(members)) return null;
  const ids = members.map((each: Json) => readField(toObject(each) ?? {}, 'value'));
  return [...new Set(ids.filter((id) => typeof id === 'string'))];
}

/** The version, from the header or from `meta.version`. */
export function readVersion(resource: JsonObject, headers: Readonly<Record<string, string>>): string | null {
  const version = headers['etag'] ?? readField(toObject(readField(resource, 'meta')) ?? {}, 'version');
  return typeof version === 'string' && version !== '' ? version : null;
}
