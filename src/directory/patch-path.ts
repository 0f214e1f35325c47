/** The `path` of a PATCH operation (RFC 7644 section 3.5.2, figure 7), found in the schemas. */

import { SyncError } from '../errors.ts';
import { computeNearestName } from '../nearest-name.ts';
import { parseScimPath } from '../scim/path.ts';
import { type AttributeDefinition, findAttribute, type SchemaDefinition } from '../scim/schema.ts';
import { CORE_URNS } from './catalog.ts';
import { type FilterNode, parseValueFilter } from './filter.ts';
import { findKey, type JsonObject } from './json.ts';
import { toBadRequest } from './refusal.ts';
import type { ValidationContext } from './validate.ts';

/** What one operation changes. */
export type PatchTarget =
  /** The resource as a whole: a path that is the core schema's URN. */
  | { readonly kind: 'resource' }
  /** All attributes under an extension's URN. */
  | { readonly kind: 'extension'; readonly urn: string }
  | AttributeTarget;

export interface AttributeTarget {
  readonly kind: 'attribute';
  /** The path as the client wrote it, for refusals. */
  readonly text: string;
  /** The key of the extension object; null for a core attribute. */
  readonly urn: string | null;
  readonly name: string;
  /** Null where no schema describes the extension. */
  readonly definition: AttributeDefinition | null;
  readonly filter: FilterNode | null;
  readonly sub: string | null;
}

/** Refuses with 400 invalidPath or invalidFilter. `body` shows which extensions the resource already has. */
export function parsePatchPath(text: string, context: ValidationContext, body: JsonObject): PatchTarget {
  const { type, catalog } = context;
  if (text.toLowerCase() === CORE_URNS[type].toLowerCase()) return { kind: 'resource' };
  const extension = catalog.schemas.find(text)?.id ?? (/^urn:/i.test(text) ? findKey(body, text) : undefined);
  if (extension !== undefined) return { kind: 'extension', urn: extension };
  const open = text.indexOf('[');
  const close = text.lastIndexOf(']');
  if (open === -1) return toTarget(text, { head: text, filter: null }, context);
  if (close < open) throw toBadRequest('invalidPath', `the path ${JSON.stringify(text)} lacks a "]"`);
  const head = text.slice(0, open) + text.slice(close + 1);
  return toTarget(text, { head, filter: text.slice(open + 1, close) }, context);
}

function toTarget(
  text: string,
  parts: { readonly head: string; readonly filter: string | null },
  { type, catalog, lenient }: ValidationContext,
): AttributeTarget {
  const path = parseHead(parts.head, text);
  const isCore = path.urn === null || path.urn.toLowerCase() === CORE_URNS[type].toLowerCase();
  const schema = isCore ? undefined : catalog.schemas.find(path.urn ?? '');
  const definition = isCore
    ? requireKnown(catalog.findCore(type, path.attribute), path.attribute, catalog.coreNames(type))
    : findInExtension(schema, path.attribute);
  return {
    kind: 'attribute',
    text,
    urn: isCore ? null : (schema?.id ?? path.urn),
    name: definition?.name ?? path.attribute,
    definition,
    filter: parts.filter === null ? null : parseValueFilter(parts.filter, toEntryAttributes(definition, text), lenient),
    sub: toSub(path.sub, definition),
  };
}

/** Null in an extension that no schema describes. */
function findInExtension(schema: SchemaDefinition | undefined, name: string): AttributeDefinition | null {
  if (schema === undefined) return null;
  const known = schema.attributes.map((each) => each.name);
  return requireKnown(findAttribute(schema.attributes, name), name, known);
}

function requireKnown(definition: AttributeDefinition | undefined, name: string, known: readonly string[]) {
  if (definition === undefined) throw toUnknown(name, known);
  return definition;
}

function parseHead(head: string, text: string) {
  try {
    return parseScimPath(head);
  } catch (error) {
    if (error instanceof SyncError)
      throw toBadRequest('invalidPath', `${JSON.stringify(text)} is no path of an attribute`);
    throw error;
  }
}

/** What a filter on the list can name: an entry that is no object is its own `value`. Null where no schema tells. */
function toEntryAttributes(
  definition: AttributeDefinition | null,
  text: string,
): readonly AttributeDefinition[] | null {
  if (definition === null) return null;
  if (!definition.multiValued) {
    throw toBadRequest('invalidPath', `the path ${JSON.stringify(text)} filters what is not a list`);
  }
  return definition.type === 'Complex'
    ? definition.subAttributes
    : [{ ...definition, name: 'value', multiValued: false, required: false }];
}

function toSub(sub: string | null, definition: AttributeDefinition | null): string | null {
  if (sub === null || definition === null) return sub;
  const names = definition.subAttributes.map(({ name }) => name);
  const found = findAttribute(definition.subAttributes, sub);
  if (found === undefined)
    throw toUnknown(
      `${definition.name}.${sub}`,
      names.map((each) => `${definition.name}.${each}`),
    );
  return found.name;
}

function toUnknown(name: string, known: readonly string[]) {
  const nearest = computeNearestName(name, known);
  const hint = nearest === null ? '' : `; did you mean "${nearest}"?`;
  return toBadRequest('invalidPath', `no schema has the attribute "${name}"${hint}`);
}
