import { SyncError } from '../errors.ts';
import { toComparableName } from '../team-key.ts';
import { allOf, anyOf, type Condition, EVERYBODY, NO_NEEDS } from './condition.ts';
import {
  type AttributeOperator,
  type ClauseNeeds,
  compileOperator,
  type MembershipOperator,
  OPERATORS,
  type Operator,
  type Scalar,
} from './operators.ts';

/** One condition, mostly on one attribute, as it is written in scope filters and in a TeamRule's `match`. */
export interface Clause {
  readonly attribute?: string;
  readonly operator: Operator;
  readonly value?: Scalar;
  readonly values?: readonly Scalar[];
  /** Default false. */
  readonly caseSensitive?: boolean;
}

/** Compiles one clause. Throws SyncError `Invalid`, naming the operator and what it needs. */
export function compileClause(clause: Clause): Condition {
  checkClause(clause);
  const { operator, value } = clause;
  return isMembership(operator)
    ? compileMembership(clause, operator, String(value))
    : compileAttribute(clause.attribute ?? '', operator, clause);
}

function isMembership(operator: Operator): operator is MembershipOperator {
  return OPERATORS.some(({ name, needs }) => name === operator && needs === 'name');
}

function compileAttribute(attribute: string, operator: AttributeOperator, clause: Clause): Condition {
  const { value, values, caseSensitive = false } = clause;
  const judge = compileOperator({ operator, values: values ?? (value === undefined ? [] : [value]), caseSensitive });
  return {
    text: printClause(clause),
    needs: { ...NO_NEEDS, attributes: [attribute] },
    matches: ({ read, now }) => judge(read(attribute), now),
  };
}

/** `department In ["Sales", "Support"]`. */
function printClause({ attribute, operator, value, values, caseSensitive = false }: Clause): string {
  const operand = value ?? values;
  const parts = [attribute, operator, operand === undefined ? undefined : printOperand(operand)];
  return `${parts.filter((part) => part !== undefined).join(' ')}${caseSensitive ? ' (case-sensitive)' : ''}`;
}

function printOperand(operand: Scalar | readonly Scalar[]): string {
  return typeof operand === 'object' ? `[${operand.map(printOperand).join(', ')}]` : JSON.stringify(operand);
}

function compileMembership(clause: Clause, operator: MembershipOperator, name: string): Condition {
  const text = printClause(clause);
  if (operator === 'IsInTeam') {
    return {
      text,
      needs: { ...NO_NEEDS, teams: [name] },
      matches: ({ isInTeam }) => isInTeam(name),
    };
  }
  const wanted = toComparableName(name);
  return {
    text,
    needs: { ...NO_NEEDS, groups: true },
    matches: ({ groups }) =>
      groups.some((group) => toComparableName(group.id) === wanted || toComparableName(group.displayName) === wanted),
  };
}

/** All clauses must hold. An empty list is an error: it would mean everybody, which has to be said in other words. */
export function compileAll(clauses: readonly Clause[]): Condition {
  if (clauses.length === 0) {
    throw new SyncError('Invalid', 'the list of clauses is empty: an empty match is an error, never everybody');
  }
  return allOf(clauses.map(compileClause));
}

/** One of the groups must hold, each as in compileAll. No groups at all: everybody passes. */
export function compileAny(groups: readonly (readonly Clause[])[]): Condition {
  if (groups.length === 0) return EVERYBODY;
  return anyOf(groups.map(compileAll));
}

function checkClause({ attribute = '', operator, value, values }: Clause): void {
  const entry = OPERATORS.find(({ name }) => name === operator);
  if (entry === undefined) {
    const known = OPERATORS.map(({ name }) => name).join(', ');
    throw new SyncError('Invalid', `unknown operator "${operator}"; use one of ${known}`);
  }
  checkAttribute(entry, attribute);
  const given = [value === undefined ? '' : 'value', values === undefined ? '' : 'values'].filter(
    (name) => name !== '',
  );
  const wanted = entry.needs === 'none' ? '' : entry.needs === 'values' ? 'values' : 'value';
  if (given.join() !== wanted) throw new SyncError('Invalid', needMessage(operator, entry.needs, given));
  checkOperands(operator, value === undefined ? values : [value]);
}

function checkAttribute({ name, needs }: (typeof OPERATORS)[number], attribute: string): void {
  if (needs === 'name' && attribute !== '') {
    throw new SyncError('Invalid', `${name} takes no attribute: it asks where the person belongs`);
  }
  if (needs !== 'name' && attribute === '') throw new SyncError('Invalid', `${name} needs the name of an attribute`);
}

function needMessage(operator: Operator, needs: ClauseNeeds, given: readonly string[]): string {
  const found =
    given.length === 0 ? 'neither is given' : `${given.join(' and ')} ${given.length === 2 ? 'are' : 'is'} given`;
  switch (needs) {
    case 'none':
      return `${operator} takes neither value nor values, but ${found}`;
    case 'value':
      return `${operator} needs value (one constant), but ${found}`;
    case 'values':
      return `${operator} needs values (a list of constants), but ${found}`;
    case 'name':
      return `${operator} needs value (a name), but ${found}`;
  }
}

function checkOperands(operator: Operator, operands: readonly Scalar[] | undefined): void {
  if (operands?.length === 0) throw new SyncError('Invalid', `${operator} needs at least one of values`);
  if (operands?.includes('')) {
    throw new SyncError('Invalid', `${operator} cannot compare with an empty text; use IsNull or IsNotNull`);
  }
}
