import {
  type Environment,
  evaluateArgument,
  isList,
  recordError,
  type Thunk,
  textOf,
  toText,
  type Value,
} from '../values.ts';
import type { FunctionDefinition } from './definition.ts';

/** Functions on multi-valued attributes, in alphabetical order. */
export const LIST_FUNCTIONS: readonly FunctionDefinition[] = [
  {
    name: 'Split',
    parameters: [
      { name: 'source', type: 'Any' },
      {
        name: 'delimiter',
        type: 'String',
        checkConstant: (constant) => (constant === '' ? 'must not be empty' : undefined),
      },
    ],
    result: 'List',
    description:
      'The parts of source between the delimiters as a list, each without blanks at its ends. An absent source stays absent; an empty part keeps its place.',
    example: 'Split([extensionAttribute5], ",")',
    evaluate: split,
  },
];

function split(args: readonly (Thunk | undefined)[], environment: Environment): Value {
  const source = evaluateArgument(args[0], environment);
  const delimiter = textOf(args[1], environment);
  if (delimiter === null || delimiter === '') throw recordError('Split: delimiter', 'a text that is not empty');
  if (source === null) return null;
  if (!isList(source)) return splitOne(source, delimiter);
  return source.flatMap((item) => splitOne(item, delimiter));
}

function splitOne(value: Value, delimiter: string): string[] {
  const text = toText(value, 'Split: source');
  return text === null || text === '' ? [] : text.split(delimiter).map((part) => part.trim());
}
