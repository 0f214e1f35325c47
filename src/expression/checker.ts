import type { Position } from '../text-error.ts';
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
import { DATE_FORMS, parseDate } from './dates/parse.ts';
import { ExpressionError } from './error.ts';
import type { FunctionDefinition, Parameter } from './functions/definition.ts';
import { parseSourcePath } from './paths.ts';
import { arityOf, FUNCTIONS, parameterAt, signatureOf, unknownFunction } from './registry.ts';

export interface CheckResult {
  readonly resultType: ValueType;
  /** Raw names of the attributes referred to, each once, in order of appearance, and where each stands first. */
  readonly attributes: ReadonlyMap<string, Position>;
  /** Names of the functions called, and where each stands first. */
  readonly functions: ReadonlyMap<string, Position>;
  /** Everything that is wrong; empty when the expression can be compiled. */
  readonly problems: readonly ExpressionError[];
  /** What works and is seldom meant. */
  readonly warnings: readonly ExpressionError[];
}

interface Findings {
  readonly attributes: Map<string, Position>;
  readonly functions: Map<string, Position>;
  readonly problems: ExpressionError[];
  readonly warnings: ExpressionError[];
}

interface Place {
  readonly parameter: Parameter;
  /** `Mid: start` */
  readonly label: string;
}

/** Checks names of functions, counts and kinds of arguments, constants and attribute paths. Never throws. */
export function checkExpression(expression: Expression): CheckResult {
  const findings: Findings = { attributes: new Map(), functions: new Map(), problems: [], warnings: [] };
  if (expression.kind === 'Keyword') findings.problems.push(misplacedKeyword(expression));
  return { resultType: checkValue(expression, findings), ...findings };
}

function checkValue(node: Expression | ComparisonNode, findings: Findings): ValueType {
  switch (node.kind) {
    case 'Call':
      return checkCall(node, findings);
    case 'Attribute':
      if (!findings.attributes.has(node.name)) findings.attributes.set(node.name, node.position);
      checkPath(node, findings);
      return 'Any';
    case 'Comparison':
      checkComparison(node, findings);
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

function checkComparison({ left, right, operator }: ComparisonNode, findings: Findings): void {
  for (const side of [left, right]) checkSide(side, findings);
  if (operator !== '=' && operator !== '<>') return;
  for (const [side, other] of [[left, right] as const, [right, left] as const]) checkReach(side, other, findings);
}

function checkSide(side: Expression, findings: Findings): void {
  if (side.kind === 'Keyword') findings.problems.push(misplacedKeyword(side));
  checkPlace(side, findings);
  if (checkValue(side, findings) === 'List') {
    findings.problems.push(new ExpressionError('a list cannot be compared', side.position));
  }
}

/** A constant that `giver` can never be equal to. */
function checkReach(giver: Argument | undefined, constant: Argument, findings: Findings): void {
  if (giver?.kind !== 'Call' || (constant.kind !== 'Text' && constant.kind !== 'Number')) return;
  const reason = neverGives(giver, constant);
  if (reason === undefined) return;
  findings.problems.push(new ExpressionError(`${giver.name} ${reason}: this never matches`, constant.position));
}

/** What each type gives, where a text may show that it is never given. */
const TYPE_REACH: Partial<Record<ValueType, { readonly what: string; readonly accepts: (text: string) => boolean }>> = {
  Boolean: { what: 'gives "True" or "False"', accepts: (text) => text === 'True' || text === 'False' },
  Integer: { what: 'gives a whole number', accepts: (text) => /^\s*[+-]?\d+(?:\.0*)?\s*$|^&|^$/.test(text) },
  DateTime: { what: 'gives a date', accepts: (text) => text === '' || parseDate(text) !== undefined },
};

function neverGives(giver: CallNode, constant: TextNode | NumberNode): string | undefined {
  const text = constant.kind === 'Text' ? constant.value : constant.text;
  const definition = FUNCTIONS.get(giver.name);
  if (definition === undefined) return undefined;
  const reach = typeof definition.result === 'string' ? TYPE_REACH[definition.result] : undefined;
  if (reach !== undefined && !reach.accepts(text)) return reach.what;
  // A number is compared by its value: how it is written says nothing.
  return constant.kind === 'Text' ? definition.neverGives?.(text, giver) : undefined;
}

function checkPlace(node: Expression, findings: Findings): void {
  if (node.kind !== 'Call' || FUNCTIONS.get(node.name)?.topLevel !== true) return;
  findings.problems.push(
    new ExpressionError(`${node.name} must be the whole expression, not part of another function`, node.position),
  );
}

function checkCall(call: CallNode, findings: Findings): ValueType {
  const definition = FUNCTIONS.get(call.name);
  if (definition === undefined) {
    findings.problems.push(new ExpressionError(unknownFunction(call.name), call.position));
    for (const argument of call.arguments) if (argument.kind !== 'Empty') checkValue(argument, findings);
    return 'Any';
  }
  if (!findings.functions.has(call.name)) findings.functions.set(call.name, call.position);
  const problem = countProblem(definition, call) ?? definition.check?.(call);
  if (problem !== undefined) findings.problems.push(new ExpressionError(problem, call.position));
  const warning = definition.warn?.(call);
  if (warning !== undefined) findings.warnings.push(new ExpressionError(warning, call.position));
  if (call.name === 'Switch') checkKeys(call, findings);
  const types = call.arguments.map((argument, index) => checkArgument(definition, argument, { index, findings }));
  return typeof definition.result === 'string' ? definition.result : definition.result(types);
}

/** Keys that the source never is, and keys that stand there twice. */
function checkKeys(call: CallNode, findings: Findings): void {
  const seen = new Set<string>();
  for (const [index, key] of call.arguments.entries()) {
    if (index < 2 || index % 2 === 1) continue;
    checkReach(call.arguments[0], key, findings);
    if (key.kind !== 'Text' && key.kind !== 'Number') continue;
    const text = key.kind === 'Text' ? key.value : key.text;
    if (seen.has(text)) {
      const message = `the key ${JSON.stringify(text)} stands here a second time; only the first one counts`;
      findings.warnings.push(new ExpressionError(message, key.position));
    }
    seen.add(text);
  }
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
  if (argument.kind === 'Call') checkPlace(argument, findings);
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
  readonly accepts?: (constant: string) => boolean;
  readonly refuses: readonly ValueType[];
}

const matches = (pattern: RegExp) => (text: string) => pattern.test(text);

/** What a parameter of each type refuses before anybody is evaluated. The rest is converted, or fails for one person. */
const TYPE_RULES: Readonly<Record<ValueType, TypeRule>> = {
  Any: { noun: 'any value', refuses: [] },
  List: { noun: 'a list', refuses: [] },
  String: { noun: 'one value', refuses: ['List'] },
  Boolean: {
    noun: 'True or False',
    accepts: matches(/^\s*(?:true|false|[+-]?\d+(?:\.\d+)?)\s*$/i),
    refuses: ['List', 'DateTime'],
  },
  Integer: { noun: 'a whole number', accepts: matches(/^\s*[+-]?\d+\s*$/), refuses: ['List', 'Boolean', 'DateTime'] },
  Decimal: {
    noun: 'a number',
    accepts: matches(/^\s*[+-]?\d+(?:\.\d+)?\s*$/),
    refuses: ['List', 'Boolean', 'DateTime'],
  },
  DateTime: {
    noun: DATE_FORMS,
    accepts: (text) => parseDate(text) !== undefined,
    refuses: ['List', 'Boolean', 'Integer', 'Decimal'],
  },
};

function constantProblem(constant: TextNode | NumberNode, { parameter, label }: Place): string | undefined {
  const text = constant.kind === 'Text' ? constant.value : constant.text;
  const rule = TYPE_RULES[parameter.type];
  const isHexadecimal = constant.kind === 'Number' && text.startsWith('&');
  if (rule.accepts?.(text) === false && !isHexadecimal) {
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
