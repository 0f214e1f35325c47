/** What `$` means in the replacement of a .NET pattern. */
import type { PatternMatch, Span } from './pattern.ts';

const REFERENCE = /\$(?:\$|&|`|'|\+|_|\{(\w+)\}|(\d+))/g;

/** A piece of the replacement: a text, or what the match makes of it. */
export type ReplacementPart = string | ((text: string, match: PatternMatch) => string);

/**
 * `${name}`, `${1}` and `$1` are groups, `$&` the whole match, `` $` `` and `$'` the text before and after it, `$_` all
 * of the text, `$+` the last group and `$$` a dollar. Anything else, a group that does not exist included, is itself.
 * @param groups every number and name that exists
 */
export function parseReplacement(
  replacement: string,
  groups: ReadonlyMap<number | string, readonly number[]>,
): ReplacementPart[] {
  const parts: ReplacementPart[] = [];
  let at = 0;
  const last = groups
    .keys()
    .filter((key) => typeof key === 'number')
    .reduce((a, b) => Math.max(a, b), 0);
  for (const hit of replacement.matchAll(REFERENCE)) {
    const part = toPart(hit, groups, last);
    if (part === null) continue;
    parts.push(replacement.slice(at, hit.index), part);
    at = hit.index + hit[0].length;
  }
  parts.push(replacement.slice(at));
  return parts;
}

function toPart(
  [whole, braced, digits]: RegExpExecArray,
  groups: ReadonlyMap<number | string, readonly number[]>,
  last: number,
): ReplacementPart | null {
  switch (whole[1]) {
    case '$':
      return '$';
    case '&':
      return (text, match) => cut(text, match);
    case '`':
      return (text, match) => text.slice(0, match.start);
    case "'":
      return (text, match) => text.slice(match.end);
    case '_':
      return (text) => text;
    case '+':
      return (text, match) => cut(text, match.group(last));
    default: {
      const name = braced ?? digits ?? '';
      const key = /^\d+$/.test(name) ? Number(name) : name;
      return groups.has(key) ? (text, match) => cut(text, match.group(key)) : null;
    }
  }
}

function cut(text: string, span: Span | undefined): string {
  return span === undefined ? '' : text.slice(span.start, span.end);
}
