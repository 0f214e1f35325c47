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
  /** A complete expression for the documentation; tests compile it. */
  readonly example: string;
  /** What counts and types cannot say; gives the problem, or undefined. */
  readonly check?: (call: CallNode) => string | undefined;
  /**
   * Arguments come unevaluated, in order; one that was left out or left empty is undefined. Must not throw anything but
   * SyncError `RecordInvalid`.
   */
  readonly evaluate: (args: readonly (Thunk | undefined)[], environment: Environment) => Value;
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
