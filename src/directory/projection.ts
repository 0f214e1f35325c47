/** `attributes` and `excludedAttributes` (RFC 7644 section 3.9), and what RFC 7643 section 2.2 calls `returned`. */

import type { Json } from '../model.ts';
import { type AttributeDefinition, findAttribute } from '../scim/schema.ts';
import { type Catalog, CORE_URNS, type ResourceType } from './catalog.ts';
import { isObject, type JsonObject, type MutableObject } from './json.ts';
import { toBadRequest } from './refusal.ts';

export interface Projection {
  /** Whether the answer can hold anything of this core attribute: what it cannot hold need not be read. */
  holds(attribute: string): boolean;
  apply(resource: JsonObject): JsonObject;
}

export interface ProjectionNames {
  /** As in the query; null when not given. */
  readonly attributes: readonly string[] | null;
  readonly excludedAttributes: readonly string[] | null;
}

/** A place that a parameter names, in lower case: `name.givenname`, an extension's attribute, or a whole extension. */
interface Entry {
  readonly urn: string | null;
  readonly attribute: string;
  readonly sub: string | null;
  /** The text itself, which may be the URN of an extension. */
  readonly text: string;
}

interface Rules {
  /** Whether the entries are all that is shown, or what is left out. */
  readonly mode: 'include' | 'exclude';
  readonly entries: readonly Entry[];
}

/** Refuses with 400 when both lists are given: they exclude each other. */
export function parseProjection(names: ProjectionNames, type: ResourceType, catalog: Catalog): Projection {
  const included = toEntries(names.attributes, type);
  const excluded = toEntries(names.excludedAttributes, type);
  if (included.length > 0 && excluded.length > 0) {
    throw toBadRequest('invalidValue', '"attributes" and "excludedAttributes" cannot be used together');
  }
  const rules: Rules =
    included.length > 0 ? { mode: 'include', entries: included } : { mode: 'exclude', entries: excluded };
  return {
    holds: (name) => isHeld(name.toLowerCase(), rules),
    apply: (resource) => project(resource, rules, type, catalog),
  };
}

function isHeld(attribute: string, { mode, entries }: Rules): boolean {
  const named = entries.filter((each) => each.urn === null && each.attribute === attribute);
  return mode === 'include' ? named.length > 0 : !named.some((each) => each.sub === null);
}

function toEntries(names: readonly string[] | null, type: ResourceType): Entry[] {
  const given = (names ?? []).map((each) => each.trim().toLowerCase()).filter((each) => each !== '');
  return given.map((text) => toEntry(text, type));
}

function toEntry(text: string, type: ResourceType): Entry {
  const colon = text.startsWith('urn:') ? text.lastIndexOf(':') : -1;
  const urn = colon === -1 ? null : text.slice(0, colon);
  const [attribute = '', sub = null] = text.slice(colon + 1).split('.');
  return { urn: urn === CORE_URNS[type].toLowerCase() ? null : urn, attribute, sub, text };
}

function project(resource: JsonObject, rules: Rules, type: ResourceType, catalog: Catalog): JsonObject {
  return pickMembers(resource, (key, value) => {
    if (!/^urn:/i.test(key)) return projectAttribute(value, catalog.findCore(type, key), toNaming(null, key, rules));
    const known = catalog.schemas.find(key)?.attributes ?? [];
    if (!isObject(value)) return value;
    const left = pickMembers(value, (name, each) =>
      projectAttribute(each, findAttribute(known, name), toNaming(key.toLowerCase(), name, rules)),
    );
    return toFilled(left);
  });
}

/** How the parameters name an attribute: as a whole, or some of its parts. */
interface Naming {
  readonly mode: Rules['mode'];
  readonly whole: boolean;
  readonly subs: ReadonlySet<string>;
}

function toNaming(urn: string | null, name: string, { mode, entries }: Rules): Naming {
  const attribute = name.toLowerCase();
  const own = entries.filter((each) => each.urn === urn && each.attribute === attribute);
  const whole = own.some((each) => each.sub === null) || (urn !== null && entries.some(({ text }) => text === urn));
  return { mode, whole, subs: new Set(own.map((each) => each.sub).filter((each) => each !== null)) };
}

/** What is shown of an attribute's value; undefined for nothing. Without a definition it is returned by default. */
function projectAttribute(value: Json, definition: AttributeDefinition | undefined, naming: Naming): Json | undefined {
  if (!isShown(definition?.returned ?? 'default', naming)) return undefined;
  const subs = definition?.subAttributes ?? [];
  const isPart = naming.subs.size > 0 && !(naming.mode === 'include' && naming.whole);
  if (!isPart && subs.every(({ returned }) => returned === 'default' || returned === 'always')) return value;
  const pick = (name: string, each: Json) =>
    isPartShown(name, findAttribute(subs, name)?.returned ?? 'default', naming) ? each : undefined;
  return eachEntry(value, (entry) => (isObject(entry) ? toFilled(pickMembers(entry, pick)) : entry));
}

function isPartShown(name: string, returned: AttributeDefinition['returned'], { mode, whole, subs }: Naming): boolean {
  const isNamed = subs.has(name.toLowerCase());
  if (returned === 'never' || returned === 'always') return returned === 'always';
  if (mode === 'exclude') return returned === 'default' && !isNamed;
  return isNamed || (returned === 'default' && (whole || subs.size === 0));
}

function isShown(returned: AttributeDefinition['returned'], { mode, whole, subs }: Naming): boolean {
  if (returned === 'never' || returned === 'always') return returned === 'always';
  return mode === 'include' ? whole || subs.size > 0 : returned === 'default' && !whole;
}

/** The value, or each entry of a list, in another form; nothing when nothing is left. */
function eachEntry(value: Json, convert: (entry: Json) => Json | undefined): Json | undefined {
  if (!Array.isArray(value)) return convert(value);
  const entries = value.map((each: Json) => convert(each)).filter((each) => each !== undefined);
  return entries.length > 0 ? entries : undefined;
}

function pickMembers(object: JsonObject, pick: (name: string, value: Json) => Json | undefined): MutableObject {
  const picked: MutableObject = {};
  for (const [name, value] of Object.entries(object)) {
    const part = pick(name, value);
    if (part !== undefined) picked[name] = part;
  }
  return picked;
}

function toFilled(object: MutableObject): MutableObject | undefined {
  return Object.keys(object).length > 0 ? object : undefined;
}
