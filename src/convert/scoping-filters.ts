/** Scoping filters of Entra → `scope.filters`, as the table of docs/directory-sync.md has it. Pure. */
import type { Clause } from '../api/clause.ts';
import { SyncError } from '../errors.ts';
import { compileClause } from '../rule/clause.ts';
import { type Naming, toSourceName } from './entra-names.ts';
import type { FilterClause, FilterGroup } from './synchronization-schema.ts';

export interface ConvertedScope {
  readonly filters: readonly (readonly Clause[])[];
  /** Of clauses that only CEL can say; holds beside the filters. */
  readonly cel: string | null;
  /** Groups that could not be carried over whole are left out, which leaves people out and lets nobody in. */
  readonly lost: readonly string[];
}

type Conversion = (operands: { readonly attribute: string; readonly values: readonly string[] }) => Clause;

/** One value compares with it, several with any of them. */
function equals(one: 'Equals' | 'NotEquals', several: 'In' | 'NotIn'): Conversion {
  return ({ attribute, values }) =>
    values.length === 1
      ? { attribute, operator: one, value: only(values), caseSensitive: true }
      : { attribute, operator: several, values: [...values], caseSensitive: true };
}

function text(operator: 'Contains' | 'EndsWith' | 'Matches' | 'NotMatches'): Conversion {
  return ({ attribute, values }) => ({ attribute, operator, value: only(values), caseSensitive: true });
}

function number(operator: 'GreaterThan' | 'GreaterThanOrEquals'): Conversion {
  return ({ attribute, values }) => ({ attribute, operator, value: toNumber(only(values)) });
}

function alone(operator: 'IsTrue' | 'IsFalse' | 'IsNull' | 'IsNotNull'): Conversion {
  return ({ attribute }) => ({ attribute, operator });
}

/** By the name of the operator in capitals, with blanks for `_`. */
const OPERATORS: ReadonlyMap<string, Conversion> = new Map([
  ['EQUALS', equals('Equals', 'In')],
  ['NOT EQUALS', equals('NotEquals', 'NotIn')],
  ['INCLUDES', text('Contains')],
  ['ENDS WITH', text('EndsWith')],
  ['GREATER THAN', number('GreaterThan')],
  ['GREATER THAN OR EQUALS', number('GreaterThanOrEquals')],
  ['IS TRUE', alone('IsTrue')],
  ['IS FALSE', alone('IsFalse')],
  ['IS NULL', alone('IsNull')],
  ['IS NOT NULL', alone('IsNotNull')],
  ['REGEX MATCH', text('Matches')],
  ['NOT REGEX MATCH', text('NotMatches')],
  ['ISMEMBEROF', ({ values }) => ({ operator: 'IsMemberOf', value: only(values) })],
]);

/** `&` and `!&`: the value stands in a given text, or does not. No clause says that. */
const WITHIN: ReadonlySet<string> = new Set(['&', '!&']);

export function convertFilters(groups: readonly FilterGroup[], naming: Naming): ConvertedScope {
  const filled = groups.filter(({ clauses }) => clauses.length > 0);
  // CEL stands beside all filters: it can take a clause only where there is one filter.
  const mayUseCel = filled.length === 1;
  const filters: Clause[][] = [];
  const terms: string[] = [];
  const lost: string[] = [];
  for (const { name, clauses } of filled) {
    const within = mayUseCel ? clauses.filter(({ operator }) => WITHIN.has(operator)) : [];
    const others = clauses.filter((clause) => !within.includes(clause));
    try {
      const converted = others.map((clause) => convertClause(clause, naming));
      const added = within.map((clause) => toCelTerm(clause, naming));
      if (converted.length > 0) filters.push(converted);
      terms.push(...added);
    } catch (thrown) {
      const label = name === '' ? 'a filter' : `the filter ${JSON.stringify(name)}`;
      lost.push(`${label} is left out: ${SyncError.from(thrown).message}`);
    }
  }
  return { filters, cel: terms.length === 0 ? null : terms.join(' && '), lost };
}

function convertClause({ attribute, operator, values }: FilterClause, naming: Naming): Clause {
  const convert = OPERATORS.get(operator.trim().toUpperCase().replaceAll('_', ' '));
  if (convert === undefined) {
    throw new SyncError('Invalid', `the operator ${JSON.stringify(operator)} on ${attribute} has no counterpart`);
  }
  const clause = convert({ attribute: toSourceName(attribute, naming), values });
  try {
    compileClause(clause);
  } catch (thrown) {
    throw new SyncError('Invalid', `${attribute} ${operator}: ${SyncError.from(thrown).message}`);
  }
  return clause;
}

function toCelTerm({ attribute, operator, values }: FilterClause, naming: Naming): string {
  const name = toSourceName(attribute, naming);
  if (!/^[A-Za-z_][A-Za-z0-9_.]*$/.test(name))
    throw new SyncError('Invalid', `${attribute} ${operator}: write it as scope.cel by hand`);
  const contains = `${JSON.stringify(only(values))}.contains(user.${name})`;
  // As there an absent value meets neither.
  return `has(user.${name}) && ${operator === '!&' ? '!' : ''}${contains}`;
}

function only(values: readonly string[]): string {
  const [value, second] = values;
  if (value === undefined || second !== undefined)
    throw new SyncError('Invalid', `the operator takes one value, and ${values.length} are given`);
  return value;
}

function toNumber(value: string): number | string {
  return /^-?\d+$/.test(value) ? Number(value) : value;
}
