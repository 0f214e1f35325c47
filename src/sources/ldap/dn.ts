/** Distinguished names (RFC 4514): one spelling for all of them, and what can be told from one. Pure. */

/** `cn`, and the value without escapes. */
type Part = readonly [type: string, value: string];

/**
 * One spelling: no blanks around separators, escapes only where they are needed, the parts of one step in order. Letters
 * keep their case, which whoever compares must not mind. What is no distinguished name stays as it is.
 */
export function normaliseDn(text: string): string {
  const steps = parseDn(text);
  return steps === null ? text.trim() : steps.map(printStep).join(',');
}

/** Domain components at the end, as `corp.example`; null where there are none. */
export function toDomain(dn: string): string | null {
  const steps = parseDn(dn) ?? [];
  const domain = steps.slice(steps.findLastIndex((step) => !isType(step, 'dc')) + 1);
  return domain.length === 0 ? null : domain.map(([part]) => part?.[1]).join('.');
}

/** Is it the other one, or below it? */
export function isWithin(dn: string, base: string): boolean {
  const [inner, outer] = [normaliseDn(dn).toLowerCase(), normaliseDn(base).toLowerCase()];
  return outer === '' || inner === outer || inner.endsWith(`,${outer}`);
}

/** The value of the first step: what the entry is called. */
export function toName(dn: string): string {
  return parseDn(dn)?.[0]?.[0]?.[1] ?? '';
}

/**
 * Is it one of the partitions that every Active Directory refers to from the root of its domain? People are in none of them.
 * @param dn of the reference
 */
export function isServicePartition(dn: string): boolean {
  const [first = [], ...rest] = parseDn(dn) ?? [];
  const [type = '', value = ''] = first[0] ?? [];
  const name = `${type}=${value}`.toLowerCase();
  const isKnown = ['cn=configuration', 'dc=forestdnszones', 'dc=domaindnszones'].includes(name);
  return isKnown && rest.length > 0 && rest.every((step) => isType(step, 'dc'));
}

function isType(step: readonly Part[], type: string): boolean {
  return step.length === 1 && step[0]?.[0].toLowerCase() === type;
}

/** Null: it is none. */
function parseDn(text: string): readonly (readonly Part[])[] | null {
  if (text.trim() === '') return [];
  const steps = splitAt(text, /[,;]/).map((step) => splitAt(step, /\+/).map(parsePart));
  return steps.every((step): step is Part[] => step.every((part) => part !== null)) ? steps : null;
}

/** Between separators that are neither escaped nor in quotes. */
function splitAt(text: string, separator: RegExp): readonly string[] {
  const parts: string[] = [];
  let begin = 0;
  let isQuoted = false;
  for (let index = 0; index < text.length; index += 1) {
    const character = text.charAt(index);
    if (character === '\\') index += 1;
    else if (character === '"') isQuoted = !isQuoted;
    else if (!isQuoted && separator.test(character)) {
      parts.push(text.slice(begin, index));
      begin = index + 1;
    }
  }
  return [...parts, text.slice(begin)];
}

function parsePart(text: string): Part | null {
  const at = text.indexOf('=');
  const type = text.slice(0, Math.max(at, 0)).trim();
  return /^[a-z0-9][a-z0-9.-]*$/i.test(type) ? [type, unescapeValue(text.slice(at + 1))] : null;
}

/** An escape is one of a byte or of a character; blanks at the ends count only where they are escaped. */
function unescapeValue(text: string): string {
  const quoted = /^\s*"(.*)"\s*$/s.exec(text)?.[1];
  const parts = (quoted ?? text).match(/\\[0-9a-f]{2}|\\.|[^\\]/gis) ?? [];
  const isBlank = (part: string): boolean => quoted === undefined && /^\s$/.test(part);
  const begin = parts.findIndex((part) => !isBlank(part));
  const kept = begin < 0 ? [] : parts.slice(begin, parts.findLastIndex((part) => !isBlank(part)) + 1);
  return Buffer.concat(kept.map(toBytes)).toString('utf8');
}

function toBytes(part: string): Buffer {
  if (/^\\[0-9a-f]{2}$/i.test(part)) return Buffer.from(part.slice(1), 'hex');
  return Buffer.from(part.startsWith('\\') ? part.slice(1) : part);
}

function printStep(parts: readonly Part[]): string {
  const texts = parts.map(([type, value]) => `${type}=${escapeValue(value)}`);
  return texts.toSorted((a, b) => (a.toLowerCase() < b.toLowerCase() ? -1 : 1)).join('+');
}

function escapeValue(value: string): string {
  return value
    .replaceAll(/[,+"\\<>;]/g, '\\$&')
    .replaceAll(/\p{Cc}/gu, (character) => `\\${Buffer.from(character).toString('hex').toUpperCase()}`)
    .replace(/^[ #]/, '\\$&')
    .replace(/ $/, '\\ ');
}
