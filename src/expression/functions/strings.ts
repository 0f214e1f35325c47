import type { CallNode } from '../ast.ts';
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
import type { FunctionDefinition, Parameter } from './definition.ts';

const CULTURE: Parameter = {
  name: 'culture',
  type: 'String',
  optional: true,
  checkConstant: (constant) =>
    isCulture(constant)
      ? undefined
      : `must be the name of a culture, for example "en-US", but is ${JSON.stringify(constant)}`,
};

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
    evaluate: (args, environment) => {
      const source = textOf(args[0], environment);
      if (source === null) return null;
      const suffix = textOf(args[1], environment) ?? '';
      checkLength(source.length + suffix.length, 'Append');
      return source + suffix;
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
    evaluate: (args, environment) => {
      const text = textOf(args[0], environment);
      if (text === null) return '';
      const count = integerOf(args[1], environment);
      return count < 0 ? text : sliceCharacters(text, 0, count);
    },
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
    name: 'Replace',
    parameters: [
      { name: 'source', type: 'String' },
      { name: 'oldValue', type: 'String', optional: true, checkConstant: notEmpty },
      { name: 'regexPattern', type: 'String', optional: true },
      { name: 'regexGroupName', type: 'String', optional: true },
      { name: 'replacementValue', type: 'String', optional: true },
      { name: 'replacementAttributeName', type: 'String', optional: true },
      { name: 'template', type: 'String', optional: true },
    ],
    result: 'String',
    description:
      'With replacementValue: source with every oldValue replaced by it. With template: template with every oldValue replaced by source. Case matters; an absent source stays absent.',
    example: 'Replace([employeeId], "-", , , "", , )',
    check: checkReplace,
    evaluate: (args, environment) => {
      const source = textOf(args[0], environment);
      if (source === null) return null;
      const oldValue = textOf(args[1], environment) ?? '';
      const template = args[6];
      return template === undefined
        ? replaceAll(source, oldValue, textOf(args[4], environment) ?? '')
        : replaceAll(textOf(template, environment) ?? '', oldValue, source);
    },
  },
  {
    name: 'StripSpaces',
    parameters: [{ name: 'source', type: 'String' }],
    result: 'String',
    description: 'source without any space (U+0020 only).',
    example: 'StripSpaces([telephoneNumber])',
    evaluate: (args, environment) => textOf(args[0], environment)?.replaceAll(' ', '') ?? null,
  },
  {
    name: 'ToLower',
    parameters: [{ name: 'source', type: 'String' }, CULTURE],
    result: 'String',
    description: 'source in lower case, by the rules of culture (such as `"tr-TR"`) or of none.',
    example: 'ToLower([userPrincipalName])',
    evaluate: (args, environment) =>
      changeCase(args, environment, (text, culture) =>
        culture === undefined ? text.toLowerCase() : text.toLocaleLowerCase(culture),
      ),
  },
  {
    name: 'ToUpper',
    parameters: [{ name: 'source', type: 'String' }, CULTURE],
    result: 'String',
    description: 'source in upper case, by the rules of culture or of none.',
    example: 'ToUpper([country], "en-US")',
    evaluate: (args, environment) =>
      changeCase(args, environment, (text, culture) =>
        culture === undefined ? text.toUpperCase() : text.toLocaleUpperCase(culture),
      ),
  },
];

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

function checkReplace(call: CallNode): string | undefined {
  const given = (index: number) => (call.arguments[index]?.kind ?? 'Empty') !== 'Empty';
  if (given(2) || given(3) || given(5)) {
    return 'Replace with a regular expression is not supported; use oldValue';
  }
  if (!given(1)) return 'Replace needs oldValue';
  if (given(4) === given(6)) {
    return `Replace needs replacementValue (the 5th argument) or template (the 7th), ${given(4) ? 'not both' : 'found neither'}`;
  }
  return undefined;
}

/** An empty `oldValue` stands nowhere in a text: nothing is replaced. */
function replaceAll(text: string, oldValue: string, newValue: string): string {
  if (oldValue === '' || !text.includes(oldValue)) return text;
  const parts = text.split(oldValue);
  checkLength(text.length + (parts.length - 1) * (newValue.length - oldValue.length), 'Replace');
  return parts.join(newValue);
}

function notEmpty(constant: string): string | undefined {
  return constant === '' ? 'must not be empty' : undefined;
}

/** `""` is the invariant culture. */
function isCulture(name: string): boolean {
  if (name === '') return true;
  try {
    return Intl.getCanonicalLocales(name).length === 1;
  } catch {
    return false;
  }
}

/**
 * .NET maps one character to one character: `ß` has no upper case, and a sigma does not look where it stands. A mapping
 * that would change the length is therefore left out, which JavaScript's own would do.
 */
function changeCase(
  args: readonly (Thunk | undefined)[],
  environment: Environment,
  change: (text: string, culture: string | undefined) => string,
): Value {
  const text = textOf(args[0], environment);
  if (text === null) return null;
  const culture = cultureOf(args[1], environment);
  if (isAscii(text)) return change(text, culture);
  let changed = '';
  for (const character of text) {
    const local = change(character, culture);
    const mapped = local.length === character.length ? local : change(character, undefined);
    changed += mapped.length === character.length ? mapped : character;
  }
  return changed;
}

function cultureOf(argument: Thunk | undefined, environment: Environment): string | undefined {
  if (argument === undefined) return undefined;
  const culture = toText(evaluateArgument(argument, environment), argument.label);
  if (culture === null || culture === '') return undefined;
  if (!isCulture(culture)) throw recordError(argument.label, 'the name of a culture, for example "en-US"');
  return culture;
}

function isAscii(text: string): boolean {
  for (let index = 0; index < text.length; index += 1) {
    if (text.charCodeAt(index) > 127) return false;
  }
  return true;
}
