import { SyncError } from '../errors.ts';
import type { Position } from '../text-error.ts';
import type { CallNode, ComparisonNode, Expression, ValueType } from './ast.ts';
import { checkExpression } from './checker.ts';
import type { ExpressionError } from './error.ts';
import { parseExpression } from './parser.ts';
import { FUNCTIONS, parameterAt, unknownFunction } from './registry.ts';
import {
  compareValues,
  type Environment,
  type Skip,
  SkipSignal,
  type Thunk,
  toWholeNumber,
  type Value,
} from './values.ts';

/** An expression that has been checked and can be evaluated for any number of people. */
export interface CompiledExpression {
  readonly source: string;
  /** Raw names of the attributes referred to, each once, in order of appearance. */
  readonly attributes: readonly string[];
  /** Where each of them stands first. */
  readonly positions: ReadonlyMap<string, Position>;
  /** Names of the functions called, and where each stands first. */
  readonly functions: ReadonlyMap<string, Position>;
  /** What works and is seldom meant. */
  readonly warnings: readonly ExpressionError[];
  readonly resultType: ValueType;
  /** Pure. Throws SyncError `RecordInvalid` when this person's values do not fit; the message holds no value. */
  evaluate(environment: Environment): Outcome;
}

/** A value, or the decision that none flows. */
export type Outcome = { readonly value: Value } | { readonly skip: Skip };

export type Evaluate = (environment: Environment) => Value;

/** Puts something around every part of an expression, such as a record of what it gave. */
export type Wrap = (node: Expression | ComparisonNode, evaluate: Evaluate) => Evaluate;

/** Parses, checks and compiles. Throws the leftmost ExpressionError. */
export function compileExpression(source: string, wrap: Wrap = (_, evaluate) => evaluate): CompiledExpression {
  const expression = parseExpression(source);
  const { attributes, functions, resultType, problems, warnings } = checkExpression(expression);
  const first = problems.toSorted((a, b) => a.line - b.line || a.column - b.column)[0];
  if (first !== undefined) throw first;
  const evaluate = compileValue(expression, 'the comparison', wrap);
  return {
    source,
    attributes: [...attributes.keys()],
    positions: attributes,
    functions,
    warnings,
    resultType,
    evaluate: (environment) => {
      try {
        return { value: evaluate(environment) };
      } catch (thrown) {
        if (thrown instanceof SkipSignal) return { skip: thrown.skip };
        throw thrown;
      }
    },
  };
}

/** `label` names the parameter that the value is for, in messages. */
function compileValue(node: Expression | ComparisonNode, label: string, wrap: Wrap): Evaluate {
  return wrap(node, compileNode(node, label, wrap));
}

function compileNode(node: Expression | ComparisonNode, label: string, wrap: Wrap): Evaluate {
  switch (node.kind) {
    case 'Call':
      return compileCall(node, wrap);
    case 'Comparison':
      return compileComparison(node, label, wrap);
    case 'Attribute': {
      const { name } = node;
      return (environment) => environment.attribute(name);
    }
    case 'Number':
      return constant(numberValue(node.text));
    case 'Text':
      return constant(node.value);
    case 'Keyword':
      return compileKeyword(node.name);
  }
}

const SKIPS: Readonly<Record<string, SkipSignal>> = {
  IgnoreAttributeFlow: new SkipSignal('SkipAttribute'),
  IgnoreObjectFlow: new SkipSignal('SkipObject'),
};

function compileKeyword(name: string): Evaluate {
  const skip = SKIPS[name];
  if (skip === undefined) return constant(name);
  return () => {
    throw skip;
  };
}

function compileCall(call: CallNode, wrap: Wrap): Evaluate {
  const definition = FUNCTIONS.get(call.name);
  if (definition === undefined) throw new SyncError('Invalid', unknownFunction(call.name));
  const args = call.arguments.map((argument, index): Thunk | undefined => {
    const at = parameterAt(definition, index);
    if (at === undefined || argument.kind === 'Empty') return undefined;
    const label = `${call.name}: ${at.name}`;
    return { label, evaluate: compileValue(argument, label, wrap) };
  });
  return (environment) => definition.evaluate(args, environment);
}

function compileComparison({ operator, left, right }: ComparisonNode, label: string, wrap: Wrap): Evaluate {
  const leftValue = compileValue(left, label, wrap);
  const rightValue = compileValue(right, label, wrap);
  const sideLabel = `${label}: each side of ${operator}`;
  return (environment) => compareValues(operator, [leftValue(environment), rightValue(environment)], sideLabel);
}

function constant(value: Value): Evaluate {
  return () => value;
}

/** Whole numbers that a JavaScript number cannot hold (file times) stay text: their digits must not change. */
function numberValue(text: string): number | string {
  if (text.startsWith('&')) return toWholeNumber(BigInt(`0x${text.slice(2)}`));
  const value = Number(text);
  return text.includes('.') || Number.isSafeInteger(value) ? value : text;
}
