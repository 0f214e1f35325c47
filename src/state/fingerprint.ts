import { createHash } from 'node:crypto';
import type { Attributes, Json } from '../model.ts';

/**
 * 16 hex digits that are equal for equal values, whatever the order of their keys (that of lists counts). For "is it the
 * same as before?", 64 bits are enough; it proves nothing to an attacker.
 */
export function fingerprint(attributes: Attributes): string {
  return createHash('sha256').update(toCanonicalJson(attributes)).digest('hex').slice(0, 16);
}

function toCanonicalJson(value: Json): string {
  if (value === null || typeof value !== 'object') return JSON.stringify(value);
  if (isList(value)) return `[${value.map(toCanonicalJson).join(',')}]`;
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${entries.map(([key, item]) => `${JSON.stringify(key)}:${toCanonicalJson(item)}`).join(',')}}`;
}

/** `Array.isArray` does not narrow readonly arrays. */
function isList(value: Json): value is readonly Json[] {
  return Array.isArray(value);
}
