import type { Json } from '../../model.ts';
import { DateTime } from '../dates/date-time.ts';
import {
  type Environment,
  evaluateArgument,
  integerOf,
  isList,
  recordError,
  type Thunk,
  textOf,
  toText,
  UniqueCandidates,
  type Value,
} from '../values.ts';
import type { FunctionDefinition } from './definition.ts';

/** Functions on multi-valued attributes, in alphabetical order. */
export const LIST_FUNCTIONS: readonly FunctionDefinition[] = [
  {
    name: 'Count',
    parameters: [{ name: 'attribute', type: 'Any' }],
    result: 'Integer',
    description: 'The number of values; of an absent attribute 0.',
    example: 'Count([proxyAddresses])',
    gives: '3',
    evaluate: (args, environment) => valuesOf(args[0], environment).length,
  },
  {
    name: 'Item',
    parameters: [
      { name: 'attribute', type: 'Any' },
      {
        name: 'index',
        type: 'Integer',
        checkConstant: (constant) => (Number(constant) < 1 ? 'must be at least 1: that is the first value' : undefined),
      },
    ],
    result: 'Any',
    description: 'The value of this number, the first one being 1; an error of that person when there are fewer.',
    example: 'Item([proxyAddresses], 2)',
    gives: 'SMTP:ada.byron@example.com',
    evaluate: (args, environment) => {
      const values = valuesOf(args[0], environment);
      const value = values[integerOf(args[1], environment) - 1];
      if (value === undefined) throw recordError(args[1]?.label ?? '', 'the number of a value that there is');
      return value;
    },
  },
  {
    name: 'RemoveDuplicates',
    parameters: [{ name: 'attribute', type: 'Any' }],
    result: 'List',
    description: 'The values, each once, in the order in which they come first. Case matters.',
    example: 'RemoveDuplicates([proxyAddresses])',
    gives: '["smtp:ada@example.com","SMTP:ada.byron@example.com"]',
    evaluate: (args, environment) => {
      const seen = new Set<string>();
      return valuesOf(args[0], environment).filter((value) => {
        const key = JSON.stringify(value);
        return !seen.has(key) && seen.add(key);
      });
    },
  },
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
    gives: '["red","green"]',
    evaluate: split,
  },
];

/** A single value is a list of one; an absent one has no values. */
function valuesOf(argument: Thunk | undefined, environment: Environment): readonly Json[] {
  const value = evaluateArgument(argument, environment);
  if (isList(value)) return value;
  if (value instanceof DateTime) return [value.toString()];
  return value === null || value instanceof UniqueCandidates ? [] : [value];
}

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
