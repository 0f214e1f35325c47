/** The operators of a clause: what each needs, what it means, and how one value is judged. */
import { SyncError } from '../errors.ts';
import type { Json } from '../model.ts';
import { compilePattern } from '../pattern/pattern.ts';
import { parseDateTime, parseMoment } from './moment.ts';

/** What stands beside `operator` and `attribute`; with `name` a value that is a name, and no attribute. */
export type ClauseNeeds = 'values' | 'value' | 'none' | 'name';

/** The operators of a clause, what each needs, and what it means: one table for schema, code and docs. */
export const OPERATORS = [
  { name: 'In', needs: 'values', description: 'equals one of values' },
  { name: 'NotIn', needs: 'values', description: 'equals none of values' },
  { name: 'Equals', needs: 'value', description: 'equals value' },
  { name: 'NotEquals', needs: 'value', description: 'does not equal value' },
  { name: 'StartsWith', needs: 'value', description: 'begins with value' },
  { name: 'NotStartsWith', needs: 'value', description: 'does not begin with value' },
  { name: 'EndsWith', needs: 'value', description: 'ends with value' },
  { name: 'NotEndsWith', needs: 'value', description: 'does not end with value' },
  { name: 'Contains', needs: 'value', description: 'has value somewhere in it' },
  { name: 'NotContains', needs: 'value', description: 'has value nowhere in it' },
  { name: 'Matches', needs: 'value', description: 'has a part that the regular expression value describes' },
  { name: 'NotMatches', needs: 'value', description: 'has no such part' },
  { name: 'GreaterThan', needs: 'value', description: 'is a number above value' },
  { name: 'GreaterThanOrEquals', needs: 'value', description: 'is a number, value or above' },
  { name: 'LessThan', needs: 'value', description: 'is a number below value' },
  { name: 'LessThanOrEquals', needs: 'value', description: 'is a number, value or below' },
  { name: 'Before', needs: 'value', description: 'is a moment before value' },
  { name: 'After', needs: 'value', description: 'is a moment after value' },
  { name: 'IsTrue', needs: 'none', description: 'is true, as a boolean or as the word' },
  { name: 'IsFalse', needs: 'none', description: 'is false, as a boolean or as the word' },
  { name: 'IsNull', needs: 'none', description: 'is absent: null, an empty text or an empty list' },
  { name: 'IsNotNull', needs: 'none', description: 'has a value' },
  { name: 'IsMemberOf', needs: 'name', description: '(the person) belongs to this group of the source, by id or name' },
  { name: 'IsInTeam', needs: 'name', description: '(the person) is in this team of another rule' },
] as const satisfies readonly { name: string; needs: ClauseNeeds; description: string }[];

/** The table of operators of docs/team-rule.md, in Markdown. */
export function renderOperatorTable(): string {
  const rows = OPERATORS.map(({ name, needs, description }) => {
    const beside = needs === 'none' ? '' : needs === 'name' ? '`value`, no `attribute`' : `\`${needs}\``;
    return `| \`${name}\` | ${description} | ${beside} |`;
  });
  return ['| operator | holds when the attribute | needs |', '| --- | --- | --- |', ...rows, ''].join('\n');
}

export type Operator = (typeof OPERATORS)[number]['name'];
/** Those that look at no attribute. */
export type MembershipOperator = Extract<(typeof OPERATORS)[number], { readonly needs: 'name' }>['name'];
export type AttributeOperator = Exclude<Operator, MembershipOperator>;
export type Scalar = string | number | boolean;

/** What an operator compares with. */
export interface Operands {
  readonly operator: AttributeOperator;
  readonly values: readonly Scalar[];
  readonly caseSensitive: boolean;
}

/** Whether an attribute's value, of one or several values, meets an operator. */
export type Judge = (value: Json, now: Date) => boolean;

/** The same for the positive form and one value that is not absent. */
type Test = (value: Json, now: Date) => boolean;

/**
 * Null, "" and [] are absent and fail every operator but IsNull, the negative ones too. Of several values a positive
 * operator needs one that meets it, a negative one none.
 * @throws SyncError `Invalid` for operands that nothing could meet
 */
export function compileOperator(operands: Operands): Judge {
  switch (operands.operator) {
    case 'IsNull':
      return isAbsent;
    case 'IsNotNull':
      return (value) => !isAbsent(value);
    case 'IsTrue':
      return some((value) => isWord(value, 'true'));
    case 'IsFalse':
      return some((value) => isWord(value, 'false'));
    case 'Equals':
    case 'In':
      return some(equalsOne(operands));
    case 'NotEquals':
    case 'NotIn':
      return none(equalsOne(operands));
    default:
      return compileComparison(operands);
  }
}

function compileComparison(operands: Operands): Judge {
  switch (operands.operator) {
    case 'NotStartsWith':
    case 'NotEndsWith':
    case 'NotContains':
      return none(compareText(operands));
    case 'Matches':
      return some(comparePattern(operands));
    case 'NotMatches':
      return none(comparePattern(operands));
    case 'GreaterThan':
    case 'GreaterThanOrEquals':
    case 'LessThan':
    case 'LessThanOrEquals':
      return some(compareNumber(operands));
    case 'Before':
    case 'After':
      return some(compareMoment(operands));
    default:
      return some(compareText(operands));
  }
}

function some(test: Test): Judge {
  return (value, now) =>
    isList(value) ? value.some((item) => !isAbsent(item) && test(item, now)) : !isAbsent(value) && test(value, now);
}

function none(test: Test): Judge {
  const positive = some(test);
  return (value, now) => !isAbsent(value) && !positive(value, now);
}

function equalsOne({ values, caseSensitive }: Operands): Test {
  const fold = folding(caseSensitive);
  const operands = new Set(values.map((operand) => fold(String(operand))));
  return (value) => isScalar(value) && operands.has(fold(String(value)));
}

function compareText(operands: Operands): Test {
  const fold = folding(operands.caseSensitive);
  const operand = fold(String(operands.values[0]));
  const test = toTextTest(operands.operator);
  return (value) => isScalar(value) && test(fold(String(value)), operand);
}

function toTextTest(operator: AttributeOperator): (text: string, operand: string) => boolean {
  switch (operator) {
    case 'StartsWith':
    case 'NotStartsWith':
      return (text, operand) => text.startsWith(operand);
    case 'EndsWith':
    case 'NotEndsWith':
      return (text, operand) => text.endsWith(operand);
    default:
      return (text, operand) => text.includes(operand);
  }
}

function comparePattern({ operator, values, caseSensitive }: Operands): Test {
  try {
    const pattern = compilePattern(String(values[0]), { ignoreCase: !caseSensitive });
    return (value) => isScalar(value) && pattern.isMatch(String(value));
  } catch (thrown) {
    throw new SyncError('Invalid', `${operator}: ${SyncError.from(thrown).message}`);
  }
}

function compareNumber({ operator, values }: Operands): Test {
  const operand = toNumber(values[0] ?? null);
  if (operand === null) {
    const hint = typeof values[0] === 'string' && parseMoment(values[0]) !== null ? '; use Before or After' : '';
    throw new SyncError('Invalid', `${operator} needs a number, such as 7, but value is ${show(values[0])}${hint}`);
  }
  const holds = toOrder(operator);
  return (value) => {
    const number = toNumber(value);
    return number !== null && holds(number, operand);
  };
}

function toOrder(operator: AttributeOperator): (number: number, operand: number) => boolean {
  switch (operator) {
    case 'GreaterThan':
      return (number, operand) => number > operand;
    case 'GreaterThanOrEquals':
      return (number, operand) => number >= operand;
    case 'LessThan':
      return (number, operand) => number < operand;
    default:
      return (number, operand) => number <= operand;
  }
}

function compareMoment({ operator, values }: Operands): Test {
  const moment = typeof values[0] === 'string' ? parseMoment(values[0]) : null;
  if (moment === null) {
    const forms = 'an RFC 3339 date-time, a date such as 2026-03-01, or now with a duration such as now-720h';
    throw new SyncError('Invalid', `${operator} needs ${forms}, but value is ${show(values[0])}`);
  }
  return (value, now) => {
    const at = typeof value === 'string' ? parseDateTime(value) : null;
    return at !== null && (operator === 'Before' ? at < moment(now) : at > moment(now));
  };
}

function show(value: Scalar | undefined): string {
  return JSON.stringify(value);
}

const NUMERIC = /^[-+]?\d{1,15}(?:\.\d{1,15})?$/;

/** A number, or text that is one in decimal; null for everything else. */
function toNumber(value: Json): number | null {
  if (typeof value === 'number') return value;
  return typeof value === 'string' && NUMERIC.test(value) ? Number(value) : null;
}

function folding(caseSensitive: boolean): (text: string) => string {
  return caseSensitive ? (text) => text : (text) => text.toLowerCase();
}

function isWord(value: Json, word: 'true' | 'false'): boolean {
  return isScalar(value) && String(value).toLowerCase() === word;
}

/** Null, "" and []; a list of nothing but such values has no value either. */
export function isAbsent(value: Json): boolean {
  return value === null || value === '' || (isList(value) && value.every((item) => item === null || item === ''));
}

function isList(value: Json): value is readonly Json[] {
  return Array.isArray(value);
}

function isScalar(value: Json): value is Scalar {
  return value !== null && typeof value !== 'object';
}
