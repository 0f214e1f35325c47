/**
 * Checks what a client sends against the schemas and brings it into the form that is stored: names in the schema's
 * spelling, nothing unassigned, nothing read-only.
 */

import { isDeepStrictEqual } from 'node:util';
import type { Json } from '../model.ts';
import { computeNearestName } from '../nearest-name.ts';
import { type AttributeDefinition, findAttribute, type SchemaDefinition } from '../scim/schema.ts';
import { type Catalog, CORE_URNS, type ResourceType } from './catalog.ts';
import {
  assertSafeName,
  assertShallow,
  isObject,
  isUnassigned,
  type JsonObject,
  type MutableObject,
  readKey,
} from './json.ts';
import { toBadRequest } from './refusal.ts';

export interface ValidResource {
  /** Attributes and extension objects; without `schemas`, `id`, `meta`, `groups`, `members`, `password`. */
  readonly body: MutableObject;
  /** Ids of a group's members as given, repetitions removed; empty for users. */
  readonly memberIds: readonly string[];
}

export interface ValidationContext {
  readonly type: ResourceType;
  readonly catalog: Catalog;
  /** Characters of a group's displayName. */
  readonly maxNameLength: number;
  /** Whether what clients are known to send beside the RFC is understood, and not refused. */
  readonly lenient: boolean;
}

/** The body of POST and PUT. Refuses with 400 what breaks a type, an unknown attribute, a missing required one. */
export function toValidResource(input: Json, context: ValidationContext): ValidResource {
  if (!isObject(input)) throw toBadRequest('invalidSyntax', 'the body must be a JSON object');
  assertSchemas(readKey(input, 'schemas'), CORE_URNS[context.type]);
  return toStoredForm(input, context);
}

/** Refuses a body whose `schemas` does not list the URN (RFC 7643 section 3). */
export function assertSchemas(schemas: Json | undefined, urn: string): void {
  const listed = Array.isArray(schemas) ? schemas.filter((each) => typeof each === 'string') : [];
  if (listed.some((each) => each.toLowerCase() === urn.toLowerCase())) return;
  throw toBadRequest('invalidSyntax', `"schemas" must be a list that holds "${urn}"`);
}

/** As `toValidResource` for a document that needs no `schemas`: a stored one after a PATCH. */
export function toStoredForm(input: JsonObject, context: ValidationContext): ValidResource {
  const body: MutableObject = {};
  for (const [key, value] of Object.entries(input)) {
    if (key.toLowerCase() === 'schemas' || isUnassigned(value)) continue;
    if (/^urn:/i.test(key)) assignExtension(body, key, value, context);
    else assignCore(body, key, value, context);
  }
  assertRequired(body, context);
  if (context.type === 'User') return { body, memberIds: [] };
  const { members, ...group } = body;
  return { body: group, memberIds: toMemberIds(members ?? []) };
}

function assignCore(body: MutableObject, key: string, value: Json, context: ValidationContext): void {
  const { catalog, type } = context;
  const definition = catalog.findCore(type, key) ?? failUnknown(key, catalog.coreNames(type));
  if (definition.mutability === 'readOnly') return;
  const valid = toValidValue(definition, value, { name: definition.name, lenient: context.lenient });
  if (valid !== undefined && definition.returned !== 'never') body[definition.name] = valid;
}

function assertRequired(body: JsonObject, context: ValidationContext): void {
  const core = context.catalog.schemas.find(CORE_URNS[context.type])?.attributes ?? [];
  for (const each of core) {
    if (each.required && (body[each.name] === undefined || body[each.name] === '')) {
      throw toBadRequest('invalidValue', `"${each.name}" is required`);
    }
  }
  const name = body['displayName'];
  if (context.type === 'Group' && typeof name === 'string' && name.length > context.maxNameLength) {
    throw toBadRequest('invalidValue', `"displayName" of a group takes at most ${context.maxNameLength} characters`);
  }
}

/** The ids in a valid value of `members`. */
export function toMemberIds(members: Json): string[] {
  const ids = (Array.isArray(members) ? members : []).map((each: Json) => readKey(each, 'value'));
  return [...new Set(ids.filter((each) => typeof each === 'string'))];
}

function assignExtension(body: MutableObject, key: string, value: Json, context: ValidationContext): void {
  if (key.toLowerCase() === CORE_URNS[context.type].toLowerCase()) {
    throw toBadRequest('invalidSyntax', `attributes of ${CORE_URNS[context.type]} stand at the top, not under its URN`);
  }
  if (!isObject(value)) throw toBadRequest('invalidValue', `"${key}" must be an object`);
  const schema = context.catalog.schemas.find(key);
  const valid = schema === undefined ? toUncheckedExtension(value) : toValidExtension(schema, value, context);
  if (Object.keys(valid).length > 0) body[schema?.id ?? key] = valid;
}

function toUncheckedExtension(value: JsonObject): MutableObject {
  assertShallow(value);
  return Object.fromEntries(Object.entries(value).filter(([, each]) => !isUnassigned(each)));
}

function toValidExtension(schema: SchemaDefinition, value: JsonObject, { lenient }: ValidationContext): MutableObject {
  // Clients that model an extension as a resource put its `schemas` into it.
  const { schemas: _schemas, ...attributes } = value;
  const valid = toValidMembers(schema.attributes, attributes, { name: schema.id, lenient }, ':');
  for (const each of schema.attributes) {
    // What is never returned is not kept either, so it cannot be asked for when a kept resource is changed.
    if (each.required && each.returned !== 'never' && valid[each.name] === undefined) {
      throw toBadRequest('invalidValue', `"${schema.id}:${each.name}" is required`);
    }
  }
  return valid;
}

/** The attributes of an object, each checked. */
function toValidMembers(
  definitions: readonly AttributeDefinition[],
  value: JsonObject,
  where: Where,
  separator: string,
): MutableObject {
  const valid: MutableObject = {};
  for (const [key, each] of Object.entries(value)) {
    const definition =
      findAttribute(definitions, key) ??
      failUnknown(
        `${where.name}${separator}${key}`,
        definitions.map(({ name }) => `${where.name}${separator}${name}`),
      );
    if (definition.mutability === 'readOnly' || isUnassigned(each)) continue;
    const checked = toValidValue(definition, each, { ...where, name: `${where.name}${separator}${definition.name}` });
    if (checked !== undefined && definition.returned !== 'never') valid[definition.name] = checked;
  }
  return valid;
}

export interface Where {
  /** Names the value in a refusal. */
  readonly name: string;
  readonly lenient: boolean;
}

/** A value in stored form, undefined when nothing of it is assigned. */
export function toValidValue(definition: AttributeDefinition, value: Json, where: Where): Json | undefined {
  if (!definition.multiValued) return toValidSingle(definition, value, where);
  if (!Array.isArray(value)) throw toBadRequest('invalidValue', `"${where.name}" must be a list`);
  const entries: Json[] = [];
  const seen = new Set<string>();
  value.forEach((each: Json, index) => {
    const place = { ...where, name: `${where.name}[${index}]` };
    const valid = isUnassigned(each) ? undefined : toValidSingle(definition, each, place);
    const text = JSON.stringify(valid);
    if (valid === undefined || seen.has(text)) return;
    seen.add(text);
    entries.push(valid);
  });
  if (entries.filter((each) => readKey(each, 'primary') === true).length > 1) {
    throw toBadRequest('invalidValue', `"${where.name}" has more than one entry with "primary": true`);
  }
  return entries.length > 0 ? entries : undefined;
}

function toValidSingle(definition: AttributeDefinition, given: Json, where: Where): Json | undefined {
  const value = where.lenient ? toMeant(definition, given) : given;
  if (definition.type !== 'Complex') {
    const form = FORMS[definition.type];
    if (!form.fits(value)) throw toBadRequest('invalidValue', `"${where.name}" must be ${form.text}`);
    return value;
  }
  if (!isObject(value)) {
    const example = findAttribute(definition.subAttributes, 'value') === undefined ? '' : ', as {"value": "…"}';
    throw toBadRequest('invalidValue', `"${where.name}" must be an object${example}`);
  }
  const valid = toValidMembers(definition.subAttributes, value, where, '.');
  for (const each of definition.subAttributes) {
    if (each.required && valid[each.name] === undefined) {
      throw toBadRequest('invalidValue', `"${where.name}.${each.name}" is required`);
    }
  }
  return Object.keys(valid).length > 0 ? valid : undefined;
}

/** `"True"` for a boolean, and the bare value of a complex one such as the manager: Entra ID sends both. */
function toMeant({ type, subAttributes }: AttributeDefinition, value: Json): Json {
  if (typeof value !== 'string') return value;
  if (type === 'Boolean' && /^(?:true|false)$/i.test(value)) return value.toLowerCase() === 'true';
  return type === 'Complex' && findAttribute(subAttributes, 'value') !== undefined ? { value } : value;
}

interface Form {
  readonly text: string;
  fits(value: Json): boolean;
}

const DATE_TIME = /^-?\d{4,}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)?$/;
const BASE64 = /^[A-Za-z0-9+/_-]*={0,2}$/;

const FORMS: Readonly<Record<Exclude<AttributeDefinition['type'], 'Complex'>, Form>> = {
  String: { text: 'a string', fits: (value) => typeof value === 'string' },
  Reference: { text: 'a string that holds a URI', fits: (value) => typeof value === 'string' },
  Boolean: { text: 'true or false, without quotes', fits: (value) => typeof value === 'boolean' },
  Integer: { text: 'a whole number', fits: (value) => Number.isSafeInteger(value) },
  Decimal: { text: 'a number', fits: (value) => typeof value === 'number' },
  DateTime: {
    text: 'a date and time, as "2026-01-31T08:00:00Z"',
    fits: (value) => typeof value === 'string' && DATE_TIME.test(value) && !Number.isNaN(Date.parse(value)),
  },
  Binary: { text: 'a string in base64', fits: (value) => typeof value === 'string' && BASE64.test(value) },
};

function failUnknown(name: string, known: readonly string[]): never {
  assertSafeName(name);
  const nearest = computeNearestName(name, known);
  const hint = nearest === null ? '' : `; did you mean "${nearest}"?`;
  throw toBadRequest('invalidSyntax', `no schema has the attribute "${name}"${hint}`);
}

/** Refuses with 400 mutability a change of what can be set only once (RFC 7643 section 2.2, `immutable`). */
export function assertImmutableKept(before: JsonObject, after: JsonObject, context: ValidationContext): void {
  const core = context.catalog.schemas.find(CORE_URNS[context.type]);
  for (const schema of context.catalog.schemas.schemas) {
    const [old, now] = schema === core ? [before, after] : [readKey(before, schema.id), readKey(after, schema.id)];
    for (const each of schema.attributes) {
      const kept = readKey(old, each.name);
      if (each.mutability !== 'immutable' || kept === undefined || isDeepStrictEqual(kept, readKey(now, each.name)))
        continue;
      throw toBadRequest('mutability', `"${each.name}" is immutable: it can be set once and not be changed`);
    }
  }
}
