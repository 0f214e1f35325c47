/** Values that are shown without being told: their form is left, letters and digits are not. Pure. */
import type { Json } from '../model.ts';

/** A date with a time, as RFC 3339 section 5.6 writes it. */
const DATE_TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:?\d\d)$/;

export function isDateTime(text: string): boolean {
  return DATE_TIME.test(text);
}

/** Characters of a mask. */
const MOST_SHOWN = 40;

/**
 * `Ada.Byron@corp.example` → `Aaa.Aaaaa@aaaa.aaaaaaa`, `2026-01-31T09:00:00Z` → `9999-99-99T99:99:99Z`: to see how values
 * are written. Of a Boolean the value is left, which tells nobody apart. At most 40 characters. Null: an object or a list.
 */
export function maskValue(value: Json): string | null {
  if (typeof value === 'boolean') return String(value);
  if (typeof value === 'number') return String(value).replace(/\d/g, '9');
  if (typeof value !== 'string') return null;
  // Cut before, so that a page of text costs no more than a word.
  const start = value.slice(0, MOST_SHOWN);
  const masked = isDateTime(value) ? start.replace(/\d/g, '9') : maskText(start);
  return value.length > MOST_SHOWN ? `${masked.slice(0, MOST_SHOWN - 1)}…` : masked;
}

/** What is neither letter, digit nor ordinary punctuation passes for a letter. */
function maskText(text: string): string {
  return text.replace(/[^ -/:-@[-`{-~]/gu, (character) => {
    if (/\p{N}/u.test(character)) return '9';
    return /\p{Lu}/u.test(character) ? 'A' : 'a';
  });
}
