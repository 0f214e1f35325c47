import type { CallNode } from '../ast.ts';
import {
  conditionOf,
  type Environment,
  evaluateArgument,
  isNull,
  isNullOrEmpty,
  isTrueWord,
  SkipSignal,
  type Thunk,
  textOf,
  type Value,
} from '../values.ts';
import { commonType, FLOW_KEYWORDS, type FunctionDefinition } from './definition.ts';

const NOTHING_FLOWS = new SkipSignal('SkipAttribute');

/** Null handling and conditions, in alphabetical order. */
export const CONDITION_FUNCTIONS: readonly FunctionDefinition[] = [
  {
    name: 'CBool',
    parameters: [{ name: 'expression', type: 'Boolean', comparison: true }],
    result: 'Boolean',
    description: 'True when a comparison holds, a number is not zero or a text is the word True.',
    example: 'CBool([country] = "GB")',
    gives: 'True',
    evaluate: (args, environment) => conditionOf(args[0], environment),
  },
  {
    name: 'Coalesce',
    parameters: [{ name: 'source', type: 'Any', variadic: true, keywords: FLOW_KEYWORDS }],
    result: commonType,
    description: 'The first source that is not absent; `""` is a value. Absent when all are.',
    example: 'Coalesce([mail], [userPrincipalName])',
    gives: 'ada.byron@example.com',
    evaluate: (args, environment) => {
      for (const argument of args) {
        const value = evaluateArgument(argument, environment);
        if (!isNull(value)) return value;
      }
      return null;
    },
  },
  {
    name: 'IgnoreFlowIfNullOrEmpty',
    parameters: [{ name: 'expression', type: 'Any' }],
    result: (types) => types[0] ?? 'Any',
    description:
      'expression where it has a value. Where it is absent or empty nothing flows: the attribute of the target stays as it is, without default and without being cleared.',
    example: 'IgnoreFlowIfNullOrEmpty([department])',
    gives: 'Sales',
    evaluate: (args, environment) => {
      const value = evaluateArgument(args[0], environment);
      if (isNullOrEmpty(value)) throw NOTHING_FLOWS;
      return value;
    },
  },
  {
    name: 'IIF',
    parameters: [
      { name: 'condition', type: 'Boolean', comparison: true },
      { name: 'valueIfTrue', type: 'Any', keywords: FLOW_KEYWORDS },
      { name: 'valueIfFalse', type: 'Any', keywords: FLOW_KEYWORDS },
    ],
    result: (types) => commonType([types[1], types[2]]),
    description:
      'valueIfTrue when the condition holds, else valueIfFalse; the other one is not evaluated. The condition is a comparison (`=` `<>` `>` `>=` `<` `<=`) or something that is True or False.',
    example: 'IIF([country] = "GB", "UK", [country])',
    gives: 'UK',
    warn: warnCondition,
    evaluate: (args, environment) =>
      evaluateArgument(conditionOf(args[0], environment) ? args[1] : args[2], environment),
  },
  {
    name: 'IsNull',
    parameters: [{ name: 'source', type: 'Any' }],
    result: 'Boolean',
    description: 'True when source is absent.',
    example: 'IsNull([manager])',
    gives: 'False',
    evaluate: (args, environment) => isNull(evaluateArgument(args[0], environment)),
  },
  {
    name: 'IsNullOrEmpty',
    parameters: [{ name: 'source', type: 'Any' }],
    result: 'Boolean',
    description: 'True when source is absent or `""`.',
    example: 'IsNullOrEmpty([department])',
    gives: 'False',
    evaluate: (args, environment) => isNullOrEmpty(evaluateArgument(args[0], environment)),
  },
  {
    name: 'IsPresent',
    parameters: [{ name: 'source', type: 'Any' }],
    result: 'Boolean',
    description: 'True when source is neither absent nor `""`.',
    example: 'Switch(IsPresent([companyName]), [department], "True", [companyName])',
    gives: 'Corp Example',
    evaluate: (args, environment) => !isNullOrEmpty(evaluateArgument(args[0], environment)),
  },
  {
    name: 'Not',
    parameters: [{ name: 'source', type: 'Any', comparison: true }],
    result: 'Boolean',
    description: 'False when source is True, True for anything else.',
    example: 'Not([accountEnabled])',
    gives: 'False',
    evaluate: (args, environment) => {
      const value = evaluateArgument(args[0], environment);
      return !(value === true || (typeof value === 'string' && isTrueWord(value)));
    },
  },
  {
    name: 'Switch',
    parameters: [
      { name: 'source', type: 'String' },
      { name: 'defaultValue', type: 'Any', optional: true, keywords: FLOW_KEYWORDS },
      { name: 'key', type: 'String', variadic: true },
      { name: 'value', type: 'Any', optional: true, variadic: true, keywords: FLOW_KEYWORDS },
    ],
    result: (types) => commonType(types.filter((_, index) => index % 2 === 1)),
    description:
      'The value after the first key that source equals (case matters), else defaultValue. A key of `""` stands for an absent or empty source.',
    example: 'Switch([accountEnabled], , "True", "active", "False", "inactive")',
    gives: 'active',
    warn: warnSource,
    check: checkSwitch,
    evaluate: switchOn,
  },
];

function warnCondition(call: CallNode): string | undefined {
  const [condition] = call.arguments;
  if (condition?.kind !== 'Call' || condition.name !== 'IgnoreFlowIfNullOrEmpty') return undefined;
  return 'IgnoreFlowIfNullOrEmpty as the condition skips the attribute instead of choosing; put it around the whole IIF';
}

function warnSource(call: CallNode): string | undefined {
  const [source] = call.arguments;
  if (source?.kind !== 'Attribute' || !/(?:^|:)manager$/i.test(source.name)) return undefined;
  return `Switch on [${source.name}] compares what refers to a person; it is no text that means the same in the target`;
}

function checkSwitch(call: CallNode): string | undefined {
  const count = call.arguments.length;
  if (count % 2 === 0) return undefined;
  return `Switch takes an even number of arguments, got ${count}: every key needs a value after it`;
}

function switchOn(args: readonly (Thunk | undefined)[], environment: Environment): Value {
  const source = textOf(args[0], environment) ?? '';
  for (let index = 2; index < args.length; index += 2) {
    if ((textOf(args[index], environment) ?? '') === source) return evaluateArgument(args[index + 1], environment);
  }
  return evaluateArgument(args[1], environment);
}
