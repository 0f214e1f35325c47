import {
  checkLength,
  countCharacters,
  type Environment,
  evaluateArgument,
  integerOf,
  isList,
  recordError,
  sliceCharacters,
  type Thunk,
  textOf,
  toText,
  type Value,
} from '../values.ts';
import { mapLetters } from './culture.ts';
import { constantAt, type FunctionDefinition } from './definition.ts';

/** String functions, in alphabetical order. */
export const STRING_FUNCTIONS: readonly FunctionDefinition[] = [
  {
    name: 'Append',
    parameters: [
      { name: 'source', type: 'String' },
      { name: 'suffix', type: 'String' },
    ],
    result: 'String',
    description: 'source followed by suffix. Absent when source is absent, so that no value is made of a suffix alone.',
    example: 'Append([mailNickname], "@corp.example")',
    gives: 'ada.byron@corp.example',
    evaluate: (args, environment) => {
      const source = textOf(args[0], environment);
      if (source === null) return null;
      const suffix = textOf(args[1], environment) ?? '';
      checkLength(source.length + suffix.length, 'Append');
      return source + suffix;
    },
  },
  {
    name: 'InStr',
    parameters: [
      { name: 'value1', type: 'String' },
      { name: 'value2', type: 'String' },
      { name: 'start', type: 'Integer', optional: true },
      {
        name: 'compareType',
        type: 'String',
        optional: true,
        keywords: ['vbTextCompare', 'vbBinaryCompare'],
        checkConstant: (constant) =>
          COMPARE_TYPES.has(constant) ? undefined : 'must be vbTextCompare or vbBinaryCompare',
      },
    ],
    result: 'Integer',
    description:
      'Where value2 begins in value1, from start on; the first character is 1, and 0 says that it is not there. vbTextCompare ignores case, vbBinaryCompare and no compareType do not.',
    example: 'InStr([mail], "@")',
    gives: '10',
    evaluate: (args, environment) => {
      const [text, wanted] = [textOf(args[0], environment), textOf(args[1], environment)];
      const start = args[2] === undefined ? 1 : integerOf(args[2], environment);
      if (start < 1) throw recordError(args[2]?.label ?? '', 'at least 1');
      const ignoreCase = isTextCompare(args[3], environment);
      return text === null || wanted === null ? 0 : findText(text, wanted, { start, ignoreCase });
    },
  },
  {
    name: 'Join',
    parameters: [
      { name: 'separator', type: 'String' },
      { name: 'source', type: 'Any', variadic: true },
    ],
    result: 'String',
    description:
      'The sources with the separator between them. An absent or empty one is skipped together with its separator; a multi-valued one gives each of its values.',
    example: 'Join(" ", [givenName], [surname])',
    gives: 'Ada Byron',
    evaluate: join,
  },
  {
    name: 'Left',
    parameters: [
      { name: 'String', type: 'String' },
      { name: 'NumChars', type: 'Integer' },
    ],
    result: 'String',
    description: 'The first NumChars characters. A negative number gives the text unchanged, an absent text `""`.',
    example: 'Left([givenName], 1)',
    gives: 'A',
    neverGives: (text, call) => tooLong(text, constantAt(call, 1)),
    evaluate: (args, environment) => {
      const text = textOf(args[0], environment);
      if (text === null) return '';
      const count = integerOf(args[1], environment);
      return count < 0 ? text : sliceCharacters(text, 0, count);
    },
  },
  {
    name: 'Len',
    parameters: [{ name: 'String', type: 'String' }],
    result: 'Integer',
    description: 'The number of characters; of an absent text 0.',
    example: 'Len([employeeId])',
    gives: '6',
    evaluate: (args, environment) => countCharacters(textOf(args[0], environment) ?? ''),
  },
  {
    name: 'Mid',
    parameters: [
      { name: 'source', type: 'String' },
      { name: 'start', type: 'Integer' },
      { name: 'length', type: 'Integer' },
    ],
    result: 'String',
    description:
      'length characters from start, the first one being 1; fewer when the text ends. A start outside the text or a negative length gives the text unchanged, an absent text `""`.',
    example: 'Mid([employeeId], 1, 3)',
    gives: 'E-0',
    neverGives: (text, call) => (constantAt(call, 1) === '1' ? tooLong(text, constantAt(call, 2)) : undefined),
    evaluate: (args, environment) => {
      const text = textOf(args[0], environment);
      if (text === null) return '';
      const start = integerOf(args[1], environment);
      const length = integerOf(args[2], environment);
      if (length === 0) return '';
      if (length < 0 || start < 1 || start > countCharacters(text)) return text;
      return sliceCharacters(text, start - 1, start - 1 + length);
    },
  },
  {
    name: 'StripSpaces',
    parameters: [{ name: 'source', type: 'String' }],
    result: 'String',
    description: 'source without any space (U+0020 only).',
    example: 'StripSpaces([telephoneNumber])',
    gives: '+441632960042',
    neverGives: (text) => (text.includes(' ') ? 'gives no spaces' : undefined),
    evaluate: (args, environment) => textOf(args[0], environment)?.replaceAll(' ', '') ?? null,
  },
  {
    name: 'Trim',
    parameters: [{ name: 'value', type: 'Any' }],
    result: (types) => (types[0] === 'List' || types[0] === 'Any' ? types[0] : 'String'),
    description: 'value without blanks at both ends; of a multi-valued one each value by itself.',
    example: 'Trim("  Ada ")',
    gives: 'Ada',
    evaluate: (args, environment) => {
      const value = evaluateArgument(args[0], environment);
      const label = args[0]?.label ?? '';
      return isList(value) ? value.map((item) => trim(item, label)) : trim(value, label);
    },
  },
  {
    name: 'Word',
    parameters: [
      { name: 'String', type: 'String' },
      { name: 'WordNumber', type: 'Integer' },
      { name: 'Delimiters', type: 'String' },
    ],
    result: 'String',
    description:
      'The word of this number, the first one being 1; every character of Delimiters ends a word, several in a row end one. `""` when there are fewer words, or none.',
    example: 'Word([displayName], 2, " ,")',
    gives: 'Byron',
    evaluate: (args, environment) => {
      const text = textOf(args[0], environment);
      if (text === null) return '';
      const number = integerOf(args[1], environment);
      const delimiters = new Set(textOf(args[2], environment) ?? '');
      return number < 1 ? '' : (splitWords(text, delimiters)[number - 1] ?? '');
    },
  },
];

/** Of a constant number of characters; a negative one leaves the text whole. */
function tooLong(text: string, most: string | undefined): string | undefined {
  if (most === undefined || !/^\d+$/.test(most) || countCharacters(text) <= Number(most)) return undefined;
  return `gives at most ${most} characters`;
}

function join(args: readonly (Thunk | undefined)[], environment: Environment): string {
  const separator = textOf(args[0], environment) ?? '';
  let joined = '';
  const add = (value: Value, label: string): void => {
    const text = typeof value === 'string' ? value : toText(value, label);
    if (text === null || text === '') return;
    checkLength(joined.length + separator.length + text.length, 'Join');
    joined = joined === '' ? text : joined + separator + text;
  };
  for (let index = 1; index < args.length; index += 1) {
    const argument = args[index];
    if (argument === undefined) continue;
    const value = argument.evaluate(environment);
    if (isList(value)) for (const item of value) add(item, argument.label);
    else add(value, argument.label);
  }
  return joined;
}

/** .NET's blanks: those of JavaScript with NEL and without the byte order mark. */
const BLANKS = /^(?:[^\S\ufeff]|\u0085)+|(?:[^\S\ufeff]|\u0085)+$/g;

function trim(value: Value, label: string): string | null {
  const text = toText(value, label);
  return text === null ? null : text.replace(BLANKS, '');
}

function splitWords(text: string, delimiters: ReadonlySet<string>): string[] {
  const words = [''];
  for (const character of text) {
    if (delimiters.has(character)) words.push('');
    else words.push((words.pop() ?? '') + character);
  }
  return words.filter((word) => word !== '');
}

/** The lengths of the characters never change, so that a place in the one is the same place in the other. */
function findText(text: string, wanted: string, { start, ignoreCase }: { start: number; ignoreCase: boolean }): number {
  const fold = (part: string) => Array.from(ignoreCase ? mapLetters(part, 'lower', undefined) : part);
  const [characters, sought] = [fold(text), fold(wanted)];
  for (let at = start - 1; at + sought.length <= characters.length; at += 1) {
    if (sought.every((character, offset) => characters[at + offset] === character)) return at + 1;
  }
  return 0;
}

const COMPARE_TYPES: ReadonlyMap<string, boolean> = new Map([
  ['vbTextCompare', true],
  ['1', true],
  ['vbBinaryCompare', false],
  ['0', false],
]);

function isTextCompare(argument: Thunk | undefined, environment: Environment): boolean {
  if (argument === undefined) return false;
  const ignoreCase = COMPARE_TYPES.get(textOf(argument, environment) ?? 'vbBinaryCompare');
  if (ignoreCase === undefined) throw recordError(argument.label, 'vbTextCompare or vbBinaryCompare');
  return ignoreCase;
}
