import type {
  Argument,
  AttributeNode,
  CallNode,
  ComparisonNode,
  Expression,
  KeywordNode,
  NumberNode,
  TextNode,
  ValueType,
} from './ast.ts';
import { ExpressionError } from './error.ts';
import type { FunctionDefinition, Parameter } from './functions/definition.ts';
import { parseSourcePath } from './paths.ts';
import { arityOf, FUNCTIONS, parameterAt, signatureOf, unknownFunction } from './registry.ts';

export interface CheckResult {
  readonly resultType: ValueType;
  /** Raw names of the attributes referred to, each once, in order of appearance. */
  readonly attributes: readonly string[];
  /** Everything that is wrong; empty when the expression can be compiled. */
  readonly problems: readonly ExpressionError[];
}

interface Findings {
  readonly attributes: Set<string>;
  readonly problems: ExpressionError[];
}

interface Place {
  readonly parameter: Parameter;
  /** `Mid: start` */
  readonly label: string;
}

/** Checks names of functions, counts and kinds of arguments, constants and attribute paths. Never throws. */
export function checkExpression(expression: Expression): CheckResult {
  const findings: Findings = { attributes: new Set(), problems: [] };
  if (expression.kind === 'Keyword') findings.problems.push(misplacedKeyword(expression));
  const resultType = checkValue(expression, findings);
  return { resultType, attributes: [...findings.attributes], problems: findings.problems };
}

function checkValue(node: Expression | ComparisonNode, findings: Findings): ValueType {
  switch (node.kind) {
    case 'Call':
      return checkCall(node, findings);
    case 'Attribute':
      findings.attributes.add(node.name);
      checkPath(node, findings);
      return 'Any';
    case 'Comparison':
      for (const side of [node.left, node.right]) checkSide(side, findings);
      return 'Boolean';
    case 'Number':
      return node.text.includes('.') ? 'Decimal' : 'Integer';
    default:
      return 'String';
  }
}

function checkPath(node: AttributeNode, findings: Findings): void {
  try {
    parseSourcePath(node.name);
  } catch (error) {
    if (!(error instanceof ExpressionError)) throw error;
    const { line, column } = node.position;
    const at = { line, column: column + error.column, length: error.length };
    findings.problems.push(new ExpressionError(error.detail, at));
  }
}

function checkSide(side: Expression, findings: Findings): void {
  if (side.kind === 'Keyword') findings.problems.push(misplacedKeyword(side));
  if (checkValue(side, findings) === 'List') {
    findings.problems.push(new ExpressionError('a list cannot be compared', side.position));
  }
}

function checkCall(call: CallNode, findings: Findings): ValueType {
  const definition = FUNCTIONS.get(call.name);
  if (definition === undefined) {
    findings.problems.push(new ExpressionError(unknownFunction(call.name), call.position));
    for (const argument of call.arguments) if (argument.kind !== 'Empty') checkValue(argument, findings);
    return 'Any';
  }
  const problem = countProblem(definition, call) ?? definition.check?.(call);
  if (problem !== undefined) findings.problems.push(new ExpressionError(problem, call.position));
  const types = call.arguments.map((argument, index) => checkArgument(definition, argument, { index, findings }));
  return typeof definition.result === 'string' ? definition.result : definition.result(types);
}

/** `Mid takes 3 arguments, got 2: Mid(source, start, length)`. Empty positions after the last parameter do no harm. */
function countProblem(definition: FunctionDefinition, call: CallNode): string | undefined {
  const { least, most } = arityOf(definition);
  const count = call.arguments.length;
  const surplus = call.arguments.slice(most).some((argument) => argument.kind !== 'Empty');
  if (count >= least && !surplus) return undefined;
  return `${definition.name} takes ${takes(least, most)}, got ${count}: ${signatureOf(definition)}`;
}

function takes(least: number, most: number): string {
  const plural = (count: number) => (count === 1 ? 'argument' : 'arguments');
  if (most === Infinity) return `at least ${least} ${plural(least)}`;
  return least === most ? `${most} ${plural(most)}` : `${least} to ${most} arguments`;
}

function checkArgument(
  definition: FunctionDefinition,
  argument: Argument,
  { index, findings }: { index: number; findings: Findings },
): ValueType | undefined {
  const type = argument.kind === 'Empty' ? undefined : checkValue(argument, findings);
  const at = parameterAt(definition, index);
  if (at === undefined) return type;
  const place: Place = { parameter: at.parameter, label: `${definition.name}: ${at.name}` };
  const problem = argumentProblem(argument, type, place);
  if (problem !== undefined) findings.problems.push(new ExpressionError(problem, argument.position));
  return type;
}

function argumentProblem(argument: Argument, type: ValueType | undefined, place: Place): string | undefined {
  switch (argument.kind) {
    case 'Empty':
      return place.parameter.optional ? undefined : `${place.label} is missing; write "" for an empty text`;
    case 'Keyword':
      return place.parameter.keywords?.includes(argument.name) ? undefined : keywordProblem(argument.name);
    case 'Comparison':
      return place.parameter.comparison
        ? undefined
        : `${place.label} cannot be a comparison; only conditions can, as in IIF`;
    case 'Text':
    case 'Number':
      return constantProblem(argument, place);
    default:
      return typeProblem(argument, type ?? 'Any', place);
  }
}

interface TypeRule {
  readonly noun: string;
  readonly constant?: RegExp;
  readonly refuses: readonly ValueType[];
}

/** What a parameter of each type refuses before anybody is evaluated. The rest is converted, or fails for one person. */
const TYPE_RULES: Readonly<Record<ValueType, TypeRule>> = {
  Any: { noun: 'any value', refuses: [] },
  List: { noun: 'a list', refuses: [] },
  String: { noun: 'one value', refuses: ['List'] },
  Boolean: { noun: 'True or False', constant: /^\s*(?:true|false|[+-]?\d+(?:\.\d+)?)\s*$/i, refuses: ['List'] },
  Integer: { noun: 'a whole number', constant: /^\s*[+-]?\d+\s*$/, refuses: ['List', 'Boolean'] },
  Decimal: { noun: 'a number', constant: /^\s*[+-]?\d+(?:\.\d+)?\s*$/, refuses: ['List', 'Boolean'] },
};

function constantProblem(constant: TextNode | NumberNode, { parameter, label }: Place): string | undefined {
  const text = constant.kind === 'Text' ? constant.value : constant.text;
  const rule = TYPE_RULES[parameter.type];
  const isHexadecimal = constant.kind === 'Number' && text.startsWith('&');
  if (rule.constant !== undefined && !isHexadecimal && !rule.constant.test(text)) {
    return `${label} must be ${rule.noun}, but is ${JSON.stringify(text)}`;
  }
  const problem = parameter.checkConstant?.(text);
  return problem === undefined ? undefined : `${label} ${problem}`;
}

function typeProblem(argument: Expression, type: ValueType, { parameter, label }: Place): string | undefined {
  const rule = TYPE_RULES[parameter.type];
  if (!rule.refuses.includes(type)) return undefined;
  const giver = argument.kind === 'Call' ? argument.name : 'it';
  return `${label} must be ${rule.noun}, but ${giver} gives a ${type}`;
}

function misplacedKeyword(keyword: KeywordNode): ExpressionError {
  return new ExpressionError(keywordProblem(keyword.name), keyword.position);
}

function keywordProblem(name: string): string {
  return `the keyword ${name} cannot stand here`;
}
