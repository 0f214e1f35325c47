import type { Argument, ComparisonOperator, Expression } from '../../src/expression/ast.ts';
import type { Environment } from '../../src/expression/values.ts';
import type { Json } from '../../src/model.ts';
import { createMoreInterpretations, printDate, readDate } from './expression-interpreter-more.ts';

/** Dates are JavaScript's own. */
export type Naive = Json | Date;

/**
 * A second, deliberately naive reading of the language: it walks the tree for every evaluation and shares no code with
 * the compiler, so that the two can be compared on random expressions. Throws EvaluationFailure where the compiled
 * expression fails with RecordInvalid.
 */
export function interpret(node: Expression, environment: Environment): Naive {
  switch (node.kind) {
    case 'Text':
      return node.value;
    case 'Keyword':
      if (node.name === 'IgnoreAttributeFlow') throw new EvaluationSkip();
      return node.name;
    case 'Attribute':
      return environment.attribute(node.name);
    case 'Number':
      return interpretNumber(node.text);
    case 'Call':
      return call(node.name, node.arguments, environment);
  }
}

export class EvaluationFailure extends Error {}

/** Nothing flows. */
export class EvaluationSkip extends Error {}

export type Args = readonly Argument[];
export type Interpretation = (args: Args, environment: Environment) => Naive;

const more = createMoreInterpretations({
  any,
  text,
  plain,
  one,
  whole,
  truth,
  fail: () => {
    throw new EvaluationFailure();
  },
  skip: () => {
    throw new EvaluationSkip();
  },
});

const INTERPRETATIONS: Readonly<Record<string, Interpretation>> = {
  ...more,
  Append: (args, env) => {
    const source = text(args[0], env);
    return source === null ? null : `${source}${text(args[1], env) ?? ''}`;
  },
  Coalesce: (args, env) => {
    for (const arg of args) {
      const value = any(arg, env);
      if (!absent(value)) return value;
    }
    return null;
  },
  IIF: (args, env) => (truth(any(args[0], env)) ? any(args[1], env) : any(args[2], env)),
  IsNull: (args, env) => absent(any(args[0], env)),
  IsNullOrEmpty: (args, env) => absent(any(args[0], env)) || any(args[0], env) === '',
  IsPresent: (args, env) => !absent(any(args[0], env)) && any(args[0], env) !== '',
  Join: (args, env) => {
    const separator = text(args[0], env) ?? '';
    // One argument after the other: what cannot be text is an error before a later one says that nothing flows.
    const values = args.slice(1).flatMap((arg) => {
      const value = any(arg, env);
      return (Array.isArray(value) ? value : [value]).map((each) => plain(each));
    });
    return values.filter((value) => value !== null && value !== '').join(separator);
  },
  Left: (args, env) => {
    const source = text(args[0], env);
    if (source === null) return '';
    const count = whole(any(args[1], env));
    return count < 0 ? source : [...source].slice(0, count).join('');
  },
  Mid: (args, env) => {
    const source = text(args[0], env);
    if (source === null) return '';
    const [start, length] = [whole(any(args[1], env)), whole(any(args[2], env))];
    if (length === 0) return '';
    const characters = [...source];
    if (length < 0 || start < 1 || start > characters.length) return source;
    return characters.filter((_, index) => index + 1 >= start && index + 1 < start + length).join('');
  },
  Not: (args, env) => {
    const value = any(args[0], env);
    return !(value === true || (typeof value === 'string' && /^true$/i.test(value)));
  },
  Replace: (args, env) => {
    if (isGiven(args[2])) return more['Replace']?.(args, env) ?? null;
    const source = text(args[0], env);
    if (source === null) return null;
    const old = text(args[1], env) ?? '';
    const template = args[6] !== undefined && args[6].kind !== 'Empty';
    const [subject, put] = template ? [text(args[6], env) ?? '', source] : [source, text(args[4], env) ?? ''];
    return old === '' ? subject : subject.split(old).join(put);
  },
  Split: (args, env) => {
    const source = any(args[0], env);
    const delimiter = text(args[1], env);
    if (!delimiter) throw new EvaluationFailure();
    if (source === null) return null;
    return (Array.isArray(source) ? source : [source])
      .map((value) => plain(value))
      .filter((value) => value !== null && value !== '')
      .flatMap((value) => String(value).split(delimiter))
      .map((part) => part.trim());
  },
  StripSpaces: (args, env) => text(args[0], env)?.split(' ').join('') ?? null,
  Switch: (args, env) => {
    const source = text(args[0], env) ?? '';
    for (let index = 2; index < args.length; index += 2) {
      if ((text(args[index], env) ?? '') === source) return any(args[index + 1], env);
    }
    return any(args[1], env);
  },
  ToLower: (args, env) => text(args[0], env)?.replace(/./gsu, (one) => sameLength(one, one.toLowerCase())) ?? null,
  ToUpper: (args, env) => text(args[0], env)?.replace(/./gsu, (one) => sameLength(one, one.toUpperCase())) ?? null,
};

function call(name: string, args: Args, environment: Environment): Naive {
  const interpretation = INTERPRETATIONS[name];
  if (interpretation === undefined) throw new Error(`the interpreter does not know ${name}`);
  return interpretation(args, environment);
}

function any(argument: Argument | undefined, environment: Environment): Naive {
  if (argument === undefined || argument.kind === 'Empty') return null;
  if (argument.kind !== 'Comparison') return interpret(argument, environment);
  const [left, right] = [interpret(argument.left, environment), interpret(argument.right, environment)];
  return compare(argument.operator, one(left), one(right));
}

function compare(operator: ComparisonOperator, left: Naive, right: Naive): boolean {
  const dates = [left, right].map((side) => (typeof side === 'string' ? readDate(side) : side));
  const isOfDates = [left, right].some((side) => side instanceof Date) && dates.every((side) => side instanceof Date);
  if (isOfDates) return compare(operator, Number(dates[0]), Number(dates[1]));
  const [a, b] = [number(left), number(right)];
  const numeric = a !== null && b !== null;
  const [s, t] = [plain(left) ?? '', plain(right) ?? ''];
  const equal = numeric && (typeof left === 'number' || typeof right === 'number') ? a === b : s === t;
  if (operator === '=') return equal;
  if (operator === '<>') return !equal;
  if (left === null || right === null) return false;
  const [x, y] = numeric ? [a, b] : [s, t];
  return { '<': x < y, '<=': x <= y, '>': x > y, '>=': x >= y }[operator];
}

function text(argument: Argument | undefined, environment: Environment): string | null {
  return plain(any(argument, environment));
}

function plain(value: Naive): string | null {
  const single = one(value);
  if (single === null) return null;
  if (typeof single === 'boolean') return single ? 'True' : 'False';
  return single instanceof Date ? printDate(single) : String(single);
}

function one(value: Naive): string | number | boolean | null | Date {
  if (Array.isArray(value) && value.length < 2) return value.length === 0 ? null : one(value[0]);
  if (value instanceof Date || value === null || typeof value !== 'object') return value;
  throw new EvaluationFailure();
}

function absent(value: Naive): boolean {
  return value === null || (Array.isArray(value) && value.length === 0);
}

function number(value: Naive): number | null {
  if (typeof value === 'number') return value;
  return typeof value === 'string' && /^\s*[+-]?\d+(\.\d+)?\s*$/.test(value) ? Number(value) : null;
}

function whole(value: Naive): number {
  const found = number(one(value));
  if (found === null || !Number.isInteger(found) || String(one(value)).includes('.')) throw new EvaluationFailure();
  return found;
}

function truth(value: Naive): boolean {
  const single = one(value);
  if (typeof single === 'boolean') return single;
  if (single === null || single === '') return false;
  if (single instanceof Date) throw new EvaluationFailure();
  if (/^true$/i.test(String(single))) return true;
  if (/^false$/i.test(String(single))) return false;
  const found = number(single);
  if (found === null) throw new EvaluationFailure();
  return found !== 0;
}

function interpretNumber(written: string): Naive {
  const exact = written.startsWith('&') ? BigInt(`0x${written.slice(2)}`).toString() : written;
  return written.includes('.') || Number.isSafeInteger(Number(exact)) ? Number(exact) : exact;
}

function isGiven(argument: Argument | undefined): boolean {
  return argument !== undefined && argument.kind !== 'Empty';
}

function sameLength(before: string, after: string): string {
  return before.length === after.length ? after : before;
}
