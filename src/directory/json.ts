/** Reading JSON documents whose names have no case (RFC 7643 section 2.1), by own keys alone. */

import type { Json } from '../model.ts';
import { toBadRequest } from './refusal.ts';

export type JsonObject = { readonly [key: string]: Json };
/** A document that the directory builds or changes. */
export type MutableObject = { [key: string]: Json };

export function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** null, an empty list and absent are one state, "unassigned" (RFC 7643 section 2.5). */
export function isUnassigned(value: Json | undefined): value is null | undefined {
  return value === undefined || value === null || (Array.isArray(value) && value.length === 0);
}

export function toList(value: Json | undefined): readonly Json[] {
  if (value === undefined || value === null) return [];
  return Array.isArray(value) ? value : [value as Json];
}

/** The key as the object spells it, or undefined. */
export function findKey(object: JsonObject, name: string): string | undefined {
  if (Object.hasOwn(object, name)) return name;
  const wanted = name.toLowerCase();
  return Object.keys(object).find((key) => key.toLowerCase() === wanted);
}

export function readKey(object: Json | undefined, name: string): Json | undefined {
  if (!isObject(object)) return undefined;
  const key = findKey(object, name);
  return key === undefined ? undefined : object[key];
}

/** `JSON.parse` makes an own key `__proto__`; copied by assignment it would replace the copy's prototype. */
export function assertSafeName(name: string): void {
  if (name === '__proto__') throw toBadRequest('invalidSyntax', '"__proto__" is no name of an attribute');
}

const MAX_DEPTH = 16;

/** Values of extensions that no schema describes are kept as they are; bounded, or one request could exhaust the stack. */
export function assertShallow(value: Json, depth = 0): void {
  if (typeof value !== 'object' || value === null) return;
  if (depth >= MAX_DEPTH) throw toBadRequest('invalidValue', `a value is nested more than ${MAX_DEPTH} levels deep`);
  for (const [key, each] of Object.entries(value)) {
    assertSafeName(key);
    assertShallow(each as Json, depth + 1);
  }
}
