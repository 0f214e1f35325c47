import { type Environment, evaluateArgument, recordError, type Thunk, toText } from '../values.ts';
import type { Parameter } from './definition.ts';

/** The parameter of functions that change letters. */
export const CULTURE: Parameter = {
  name: 'culture',
  type: 'String',
  optional: true,
  checkConstant: (constant) =>
    isCulture(constant)
      ? undefined
      : `must be the name of a culture, for example "en-US", but is ${JSON.stringify(constant)}`,
};

/**
 * Names of RFC 4646 whose language ICU knows; `""` is the invariant culture. What a letter becomes differs in Turkish and
 * Azeri (i), Lithuanian (accents) and Greek (accents of capitals); all others are as the invariant one.
 */
function isCulture(name: string): boolean {
  if (name === '') return true;
  try {
    return Intl.Collator.supportedLocalesOf(name).length === 1;
  } catch {
    return false;
  }
}

/** Undefined for the invariant culture. Throws RecordInvalid for a name that is none. */
export function cultureOf(argument: Thunk | undefined, environment: Environment): string | undefined {
  if (argument === undefined) return undefined;
  const culture = toText(evaluateArgument(argument, environment), argument.label);
  if (culture === null || culture === '') return undefined;
  if (!isCulture(culture)) throw recordError(argument.label, 'the name of a culture, for example "en-US"');
  return culture;
}

/**
 * .NET maps one character to one character: `ß` has no upper case, and a sigma does not look where it stands. A mapping
 * that would change the length is therefore left out, which JavaScript's own would do.
 */
export function mapLetters(text: string, direction: 'lower' | 'upper', culture: string | undefined): string {
  const change = CHANGES[direction];
  if (isAscii(text)) return change(text, culture);
  let changed = '';
  for (const character of text) {
    const local = change(character, culture);
    const mapped = local.length === character.length ? local : change(character, undefined);
    changed += mapped.length === character.length ? mapped : character;
  }
  return changed;
}

const CHANGES: Readonly<Record<'lower' | 'upper', (text: string, culture: string | undefined) => string>> = {
  lower: (text, culture) => (culture === undefined ? text.toLowerCase() : text.toLocaleLowerCase(culture)),
  upper: (text, culture) => (culture === undefined ? text.toUpperCase() : text.toLocaleUpperCase(culture)),
};

function isAscii(text: string): boolean {
  for (let index = 0; index < text.length; index += 1) {
    if (text.charCodeAt(index) > 127) return false;
  }
  return true;
}
