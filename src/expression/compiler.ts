import { SyncError } from '../errors.ts';
import type { CallNode, ComparisonNode, Expression, ValueType } from './ast.ts';
import { checkExpression } from './checker.ts';
import { parseExpression } from './parser.ts';
import { FUNCTIONS, parameterAt, unknownFunction } from './registry.ts';
import { compareValues, type Environment, type Thunk, type Value } from './values.ts';

/** An expression that has been checked and can be evaluated for any number of people. */
export interface CompiledExpression {
  readonly source: string;
  /** Raw names of the attributes referred to, each once, in order of appearance. */
  readonly attributes: readonly string[];
  readonly resultType: ValueType;
  /** Pure. Throws SyncError `RecordInvalid` when this person's values do not fit; the message holds no value. */
  evaluate(environment: Environment): Value;
}

type Evaluate = (environment: Environment) => Value;

/** Parses, checks and compiles. Throws the leftmost ExpressionError. */
export function compileExpression(source: string): CompiledExpression {
  const expression = parseExpression(source);
  const { attributes, resultType, problems } = checkExpression(expression);
  const first = problems.toSorted((a, b) => a.line - b.line || a.column - b.column)[0];
  if (first !== undefined) throw first;
  return { source, attributes, resultType, evaluate: compileValue(expression, 'the comparison') };
}

/** `label` names the parameter that the value is for, in messages. */
function compileValue(node: Expression | ComparisonNode, label: string): Evaluate {
  switch (node.kind) {
    case 'Call':
      return compileCall(node);
    case 'Comparison':
      return compileComparison(node, label);
    case 'Attribute': {
      const { name } = node;
      return (environment) => environment.attribute(name);
    }
    case 'Number':
      return constant(numberValue(node.text));
    case 'Text':
      return constant(node.value);
    case 'Keyword':
      return constant(node.name);
  }
}

function compileCall(call: CallNode): Evaluate {
  const definition = FUNCTIONS.get(call.name);
  if (definition === undefined) throw new SyncError('Invalid', unknownFunction(call.name));
  const args = call.arguments.map((argument, index): Thunk | undefined => {
    const at = parameterAt(definition, index);
    if (at === undefined || argument.kind === 'Empty') return undefined;
    const label = `${call.name}: ${at.name}`;
    return { label, evaluate: compileValue(argument, label) };
  });
  return (environment) => definition.evaluate(args, environment);
}

function compileComparison({ operator, left, right }: ComparisonNode, label: string): Evaluate {
  const leftValue = compileValue(left, label);
  const rightValue = compileValue(right, label);
  const sideLabel = `${label}: each side of ${operator}`;
  return (environment) => compareValues(operator, [leftValue(environment), rightValue(environment)], sideLabel);
}

function constant(value: Value): Evaluate {
  return () => value;
}

/** Whole numbers that a JavaScript number cannot hold (file times) stay text: their digits must not change. */
function numberValue(text: string): number | string {
  if (text.startsWith('&')) {
    const value = BigInt(`0x${text.slice(2)}`);
    return value <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(value) : value.toString();
  }
  const value = Number(text);
  return text.includes('.') || Number.isSafeInteger(value) ? value : text;
}
