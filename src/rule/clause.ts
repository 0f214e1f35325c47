import { SyncError } from '../errors.ts';
import type { Json } from '../model.ts';

/** The operators of a clause, what each needs beside `attribute`, and what it means: one table for schema, code and docs. */
export const OPERATORS = [
  { name: 'In', needs: 'values', description: 'equals one of values' },
  { name: 'NotIn', needs: 'values', description: 'equals none of values' },
  { name: 'Equals', needs: 'value', description: 'equals value' },
  { name: 'NotEquals', needs: 'value', description: 'does not equal value' },
  { name: 'StartsWith', needs: 'value', description: 'begins with value' },
  { name: 'EndsWith', needs: 'value', description: 'ends with value' },
  { name: 'Contains', needs: 'value', description: 'has value somewhere in it' },
  { name: 'IsTrue', needs: 'none', description: 'is true, as a boolean or as the word' },
  { name: 'IsFalse', needs: 'none', description: 'is false, as a boolean or as the word' },
  { name: 'IsNull', needs: 'none', description: 'is absent: null, an empty text or an empty list' },
  { name: 'IsNotNull', needs: 'none', description: 'has a value' },
] as const;

export type Operator = (typeof OPERATORS)[number]['name'];
type Scalar = string | number | boolean;

/** One condition on one attribute, as it is written in scope filters and in a TeamRule's `match`. */
export interface Clause {
  readonly attribute: string;
  readonly operator: Operator;
  readonly value?: Scalar;
  readonly values?: readonly Scalar[];
  /** Default false. */
  readonly caseSensitive?: boolean;
}

export interface CompiledClause {
  readonly attribute: string;
  /**
   * Whether an attribute's value meets the clause. Null, "" and [] are absent and fail every operator but IsNull, the
   * negative ones too. Of several values a positive operator needs one that meets it, a negative one none.
   */
  holds(value: Json): boolean;
}

export interface CompiledFilter {
  /** Attribute names as written, each once, in order of appearance. */
  readonly attributes: readonly string[];
  /** `read` gives an attribute's value by the name as written; null when the person has none. */
  matches(read: (attribute: string) => Json): boolean;
}

/** Whether one value that is not absent meets the positive form of an operator. */
type Test = (value: Json) => boolean;

/** Compiles one clause. Throws SyncError `Invalid`, naming the operator and what it needs. */
export function compileClause(clause: Clause): CompiledClause {
  checkClause(clause);
  const { attribute, operator } = clause;
  return { attribute, holds: compileOperator(clause, operator) };
}

/** All clauses must hold. An empty list is an error: it would mean everybody, which has to be said in other words. */
export function compileAll(clauses: readonly Clause[]): CompiledFilter {
  if (clauses.length === 0) {
    throw new SyncError('Invalid', 'the list of clauses is empty: an empty match is an error, never everybody');
  }
  const compiled = clauses.map(compileClause);
  return {
    attributes: [...new Set(compiled.map((clause) => clause.attribute))],
    matches: (read) => compiled.every((clause) => clause.holds(read(clause.attribute))),
  };
}

/** One of the groups must hold, each as in compileAll. No groups at all: everybody passes. */
export function compileAny(groups: readonly (readonly Clause[])[]): CompiledFilter {
  const compiled = groups.map(compileAll);
  return {
    attributes: [...new Set(compiled.flatMap((filter) => filter.attributes))],
    matches: (read) => compiled.length === 0 || compiled.some((filter) => filter.matches(read)),
  };
}

function checkClause({ attribute, operator, value, values }: Clause): void {
  const entry = OPERATORS.find(({ name }) => name === operator);
  if (entry === undefined) {
    const known = OPERATORS.map(({ name }) => name).join(', ');
    throw new SyncError('Invalid', `unknown operator "${operator}"; use one of ${known}`);
  }
  if (attribute === '') throw new SyncError('Invalid', `${operator} needs the name of an attribute`);
  const given = [value === undefined ? '' : 'value', values === undefined ? '' : 'values'].filter(
    (name) => name !== '',
  );
  const wanted = entry.needs === 'none' ? [] : [entry.needs];
  if (given.join() !== wanted.join()) throw new SyncError('Invalid', needMessage(operator, entry.needs, given));
  checkOperands(operator, value === undefined ? values : [value]);
}

function needMessage(operator: Operator, needs: 'value' | 'values' | 'none', given: readonly string[]): string {
  const found =
    given.length === 0 ? 'neither is given' : `${given.join(' and ')} ${given.length === 2 ? 'are' : 'is'} given`;
  switch (needs) {
    case 'none':
      return `${operator} takes neither value nor values, but ${found}`;
    case 'value':
      return `${operator} needs value (one constant), but ${found}`;
    case 'values':
      return `${operator} needs values (a list of constants), but ${found}`;
  }
}

function checkOperands(operator: Operator, operands: readonly Scalar[] | undefined): void {
  if (operands?.length === 0) throw new SyncError('Invalid', `${operator} needs at least one of values`);
  if (operands?.includes('')) {
    throw new SyncError('Invalid', `${operator} cannot compare with an empty text; use IsNull or IsNotNull`);
  }
}

function compileOperator(clause: Clause, operator: Operator): (value: Json) => boolean {
  switch (operator) {
    case 'IsNull':
      return isAbsent;
    case 'IsNotNull':
      return (value) => !isAbsent(value);
    case 'NotEquals':
    case 'NotIn':
      return none(equalsOne(clause));
    case 'Equals':
    case 'In':
      return some(equalsOne(clause));
    case 'StartsWith':
      return some(compareText(clause, (text, operand) => text.startsWith(operand)));
    case 'EndsWith':
      return some(compareText(clause, (text, operand) => text.endsWith(operand)));
    case 'Contains':
      return some(compareText(clause, (text, operand) => text.includes(operand)));
    case 'IsTrue':
      return some((value) => isWord(value, 'true'));
    case 'IsFalse':
      return some((value) => isWord(value, 'false'));
  }
}

function some(test: Test): (value: Json) => boolean {
  return (value) =>
    isList(value) ? value.some((item) => !isAbsent(item) && test(item)) : !isAbsent(value) && test(value);
}

function none(test: Test): (value: Json) => boolean {
  const positive = some(test);
  return (value) => !isAbsent(value) && !positive(value);
}

function equalsOne(clause: Clause): Test {
  const fold = folding(clause);
  const operands = new Set((clause.values ?? [clause.value ?? '']).map((operand) => fold(String(operand))));
  return (value) => isScalar(value) && operands.has(fold(String(value)));
}

function compareText(clause: Clause, test: (text: string, operand: string) => boolean): Test {
  const fold = folding(clause);
  const operand = fold(String(clause.value));
  return (value) => isScalar(value) && test(fold(String(value)), operand);
}

function folding(clause: Clause): (text: string) => string {
  return clause.caseSensitive === true ? (text) => text : (text) => text.toLowerCase();
}

function isWord(value: Json, word: 'true' | 'false'): boolean {
  return isScalar(value) && String(value).toLowerCase() === word;
}

/** Null, "" and []; a list of nothing but such values has no value either. */
function isAbsent(value: Json): boolean {
  return value === null || value === '' || (isList(value) && value.every((item) => item === null || item === ''));
}

function isList(value: Json): value is readonly Json[] {
  return Array.isArray(value);
}

function isScalar(value: Json): value is Scalar {
  return value !== null && typeof value !== 'object';
}
