import type { CallNode, ValueType } from '../ast.ts';
import type { Environment, Thunk, Value } from '../values.ts';

/** One parameter of a function. */
export interface Parameter {
  readonly name: string;
  /** What constants and calls in this place must be; values of attributes are converted when a person is evaluated. */
  readonly type: ValueType;
  /** May be left out or left empty between commas. */
  readonly optional?: true;
  /** The variadic parameters end the list and repeat as one group, at least once: `key1, value1, key2, value2`. */
  readonly variadic?: true;
  /** A comparison such as `[a] = "b"` may stand here. */
  readonly comparison?: true;
  /** Keywords that may stand here; they are evaluated to their name. */
  readonly keywords?: readonly string[];
  /** Says what is wrong with a constant in this place, continuing `Split: delimiter …`; undefined when nothing is. */
  readonly checkConstant?: (constant: string) => string | undefined;
}

/**
 * One function of the language. To add one, write its definition into a file of this folder and list it in
 * `registry.ts`: checker, compiler, messages and documentation follow from it.
 */
export interface FunctionDefinition {
  readonly name: string;
  readonly parameters: readonly Parameter[];
  /** The type of the result, or how it follows from the types of the arguments (undefined: not given). */
  readonly result: ValueType | ((types: readonly (ValueType | undefined)[]) => ValueType);
  /** One sentence for the documentation. */
  readonly description: string;
  /** A complete expression for the documentation, and what it gives for the person of docs/expressions.md. */
  readonly example: string;
  readonly gives: string;
  /** What counts and types cannot say; gives the problem, or undefined. */
  readonly check?: (call: CallNode) => string | undefined;
  /** What works, and is seldom meant or does not work in Entra; gives the warning, or undefined. */
  readonly warn?: (call: CallNode) => string | undefined;
  /** Says why the result can never be this text, continuing `ToLower …`; undefined when it can. */
  readonly neverGives?: (text: string, call: CallNode) => string | undefined;
  /** It must be the whole expression and not an argument. */
  readonly topLevel?: true;
  /**
   * Arguments come unevaluated, in order; one that was left out or left empty is undefined. Must not throw anything but
   * SyncError `RecordInvalid` or SkipSignal.
   */
  readonly evaluate: (args: readonly (Thunk | undefined)[], environment: Environment) => Value;
}

/** What may stand where a branch gives the value of the whole. */
export const FLOW_KEYWORDS: readonly string[] = ['IgnoreAttributeFlow', 'IgnoreObjectFlow'];

/** The constant in a place of a call; undefined for anything that depends on the person. */
export function constantAt(call: CallNode, index: number): string | undefined {
  const argument = call.arguments[index];
  if (argument?.kind === 'Text') return argument.value;
  return argument?.kind === 'Number' ? argument.text : undefined;
}

/** Whether an argument stands in a place of a call. */
export function isGiven(call: CallNode, index: number): boolean {
  return (call.arguments[index]?.kind ?? 'Empty') !== 'Empty';
}

/** The one type of several branches; branches that are not given do not count. */
export function commonType(types: readonly (ValueType | undefined)[]): ValueType {
  let common: ValueType | undefined;
  for (const type of types) {
    if (type === undefined || type === common) continue;
    if (common === undefined) common = type;
    else if (isNumeric(common) && isNumeric(type)) common = 'Decimal';
    else return 'Any';
  }
  return common ?? 'Any';
}

function isNumeric(type: ValueType): boolean {
  return type === 'Integer' || type === 'Decimal';
}
