/** `attributes` and `excludedAttributes` (RFC 7644 section 3.9). */

import type { Json } from '../model.ts';
import { CORE_URNS, type ResourceType } from './catalog.ts';
import { isObject, type JsonObject, type MutableObject } from './json.ts';
import { toBadRequest } from './refusal.ts';

export interface Projection {
  /** Whether the answer can hold anything of this core attribute: what it cannot hold need not be read. */
  holds(attribute: string): boolean;
  apply(resource: JsonObject): JsonObject;
}

/** A place that a parameter names, in lower case: `name.givenname`, an extension's attribute, or a whole extension. */
interface Entry {
  readonly urn: string | null;
  readonly attribute: string;
  readonly sub: string | null;
  /** The text itself, which may be the URN of an extension. */
  readonly text: string;
}

const ALWAYS: ReadonlySet<string> = new Set(['id', 'schemas']);

const WHOLE: Projection = { holds: () => true, apply: (resource) => resource };

/** Lists as in the query, null when not given. Refuses with 400 when both are: they exclude each other. */
export function parseProjection(
  attributes: readonly string[] | null,
  excludedAttributes: readonly string[] | null,
  type: ResourceType,
): Projection {
  const included = toEntries(attributes, type);
  const excluded = toEntries(excludedAttributes, type);
  if (included.length > 0 && excluded.length > 0) {
    throw toBadRequest('invalidValue', '"attributes" and "excludedAttributes" cannot be used together');
  }
  if (included.length > 0) {
    return {
      holds: (name) => included.some((each) => each.urn === null && each.attribute === name.toLowerCase()),
      apply: (resource) => select(resource, included),
    };
  }
  if (excluded.length === 0) return WHOLE;
  return {
    holds: (name) =>
      !excluded.some((each) => each.urn === null && each.attribute === name.toLowerCase() && each.sub === null),
    apply: (resource) => omit(resource, excluded),
  };
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

function select(resource: JsonObject, entries: readonly Entry[]): JsonObject {
  const selected: MutableObject = {};
  for (const [key, value] of Object.entries(resource)) {
    const kept = ALWAYS.has(key) ? value : selectTop(key, value, entries);
    if (kept !== undefined) selected[key] = kept;
  }
  return selected;
}

function selectTop(key: string, value: Json, entries: readonly Entry[]): Json | undefined {
  const lower = key.toLowerCase();
  if (entries.some((each) => each.text === lower)) return value;
  if (!lower.startsWith('urn:'))
    return selectAttribute(
      lower,
      value,
      entries.filter((each) => each.urn === null),
    );
  const ofExtension = entries.filter((each) => each.urn === lower);
  return selectMembers(value, (name, each) => selectAttribute(name, each, ofExtension));
}

function selectAttribute(name: string, value: Json, entries: readonly Entry[]): Json | undefined {
  const named = entries.filter((each) => each.attribute === name);
  if (named.length === 0) return undefined;
  if (named.some((each) => each.sub === null)) return value;
  return eachEntry(value, (entry) =>
    selectMembers(entry, (sub, each) => (named.some((one) => one.sub === sub) ? each : undefined)),
  );
}

function omit(resource: JsonObject, entries: readonly Entry[]): JsonObject {
  const left: MutableObject = {};
  for (const [key, value] of Object.entries(resource)) {
    const kept = ALWAYS.has(key) ? value : omitTop(key, value, entries);
    if (kept !== undefined) left[key] = kept;
  }
  return left;
}

function omitTop(key: string, value: Json, entries: readonly Entry[]): Json | undefined {
  const lower = key.toLowerCase();
  if (entries.some((each) => each.text === lower)) return undefined;
  if (!lower.startsWith('urn:'))
    return omitAttribute(
      lower,
      value,
      entries.filter((each) => each.urn === null),
    );
  const ofExtension = entries.filter((each) => each.urn === lower);
  return selectMembers(value, (name, each) => omitAttribute(name, each, ofExtension));
}

function omitAttribute(name: string, value: Json, entries: readonly Entry[]): Json | undefined {
  const named = entries.filter((each) => each.attribute === name);
  if (named.length === 0) return value;
  if (named.some((each) => each.sub === null)) return undefined;
  return eachEntry(value, (entry) =>
    selectMembers(entry, (sub, each) => (named.some((one) => one.sub === sub) ? undefined : each)),
  );
}

/** The value, or each entry of a list, in another form; nothing when nothing is left. */
function eachEntry(value: Json, convert: (entry: Json) => Json | undefined): Json | undefined {
  if (!Array.isArray(value)) return convert(value);
  const entries = value.map((each: Json) => convert(each)).filter((each) => each !== undefined);
  return entries.length > 0 ? entries : undefined;
}

function selectMembers(value: Json, keep: (lowerName: string, value: Json) => Json | undefined): Json | undefined {
  if (!isObject(value)) return value;
  const kept: MutableObject = {};
  for (const [key, each] of Object.entries(value)) {
    const part = keep(key.toLowerCase(), each);
    if (part !== undefined) kept[key] = part;
  }
  return Object.keys(kept).length > 0 ? kept : undefined;
}
