import { type Environment, type Thunk, textOf, type Value } from '../values.ts';
import { CULTURE, cultureOf, mapLetters } from './culture.ts';
import { type FunctionDefinition, isGiven } from './definition.ts';
import { normalizeDiacritics } from './diacritics.ts';

/** Functions that change letters, in alphabetical order. */
export const LETTER_FUNCTIONS: readonly FunctionDefinition[] = [
  {
    name: 'NormalizeDiacritics',
    parameters: [{ name: 'source', type: 'String' }],
    result: 'String',
    description:
      'source with letters such as `ä` `ç` `ñ` `ø` `ß` as `a` `c` `n` `oe` `ss`, by the table of Entra; letters that are not in it stay.',
    example: 'NormalizeDiacritics("Zoë Müller-Søndergård")',
    gives: 'Zoe Muller-Soendergard',
    evaluate: (args, environment) => {
      const text = textOf(args[0], environment);
      return text === null ? null : normalizeDiacritics(text);
    },
  },
  {
    name: 'PCase',
    parameters: [
      { name: 'source', type: 'String' },
      { name: 'wordSeparators', type: 'String', optional: true },
    ],
    result: 'String',
    description:
      'The first letter of each word in upper case and all others in lower case. Words end at blanks, punctuation and symbols, or only at the characters of wordSeparators.',
    example: 'PCase("ADA O\'BYRON-king")',
    gives: "Ada O'Byron-King",
    evaluate: (args, environment) => {
      const text = textOf(args[0], environment);
      return text === null ? null : toProperCase(text, textOf(args[1], environment));
    },
  },
  {
    name: 'ToLower',
    parameters: [{ name: 'source', type: 'String' }, CULTURE],
    result: 'String',
    description: 'source in lower case, by the rules of culture (such as `"tr-TR"`) or of none.',
    example: 'ToLower([userPrincipalName])',
    gives: 'ada.byron@corp.example',
    neverGives: (text, call) =>
      !isGiven(call, 1) && mapLetters(text, 'lower', undefined) !== text ? 'gives no capitals' : undefined,
    evaluate: (args, environment) => changeCase(args, environment, 'lower'),
  },
  {
    name: 'ToUpper',
    parameters: [{ name: 'source', type: 'String' }, CULTURE],
    result: 'String',
    description: 'source in upper case, by the rules of culture or of none.',
    example: 'ToUpper([surname], "en-US")',
    gives: 'BYRON',
    neverGives: (text, call) =>
      !isGiven(call, 1) && mapLetters(text, 'upper', undefined) !== text ? 'gives no small letters' : undefined,
    evaluate: (args, environment) => changeCase(args, environment, 'upper'),
  },
];

function changeCase(
  args: readonly (Thunk | undefined)[],
  environment: Environment,
  direction: 'lower' | 'upper',
): Value {
  const text = textOf(args[0], environment);
  return text === null ? null : mapLetters(text, direction, cultureOf(args[1], environment));
}

/** The categories at which .NET's title case ends a word. Digits, letters and marks never do. */
const SEPARATOR = /[\p{Z}\p{Cc}\p{Cf}\p{P}\p{S}]/u;

function toProperCase(text: string, separators: string | null): string {
  const wanted = separators === null ? null : new Set(separators);
  let isFirst = true;
  let out = '';
  for (const character of text) {
    if (wanted?.has(character) ?? SEPARATOR.test(character)) {
      // Symbols have capitals too, such as a letter in a circle.
      out += mapLetters(character, 'lower', undefined);
      isFirst = true;
      continue;
    }
    out += mapLetters(character, isFirst ? 'upper' : 'lower', undefined);
    isFirst = false;
  }
  return out;
}
