/**
 * Rules of Entra's language as conditions. Strings compare without case; an absent value equals null only, and meets
 * what is negative: `-ne "x"` agrees with `-not (… -eq "x")`, which is not how clauses see it.
 */
import type { Json } from '../../model.ts';
import { compilePattern } from '../../pattern/pattern.ts';
import { type Condition, type ConditionParts, NO_NEEDS, type Subject } from '../condition.ts';
import { parseDateTime } from '../moment.ts';
import { isAbsent } from '../operators.ts';
import type { Comparison, ConditionNode, QuantifiedNode, Rule, ValueNode } from './ast.ts';
import { checkRule, type RuleContext, toProperty } from './checker.ts';
import { parseIsoDuration } from './duration.ts';
import { parseRule } from './parser.ts';
import { printRule } from './print.ts';
import { MANAGER, PLAN_PARTS, type PropertyType } from './properties.ts';

/** Throws RuleError, a SyncError `Invalid` with its place, for what is no rule or can never be judged. */
export function compileMembershipRule(source: string, context: RuleContext): Condition {
  return toCondition(parseRule(source), context);
}

function toCondition(rule: Rule, context: RuleContext): Condition {
  const { properties, groups } = checkRule(rule, context);
  const parts = toParts(rule, context);
  return {
    text: printRule(rule),
    needs: { ...NO_NEEDS, properties, groups },
    matches: compile(rule, context),
    ...(parts === null ? {} : { parts }),
  };
}

function toParts(rule: Rule, context: RuleContext): ConditionParts | null {
  if (rule.kind === 'Not') return { join: 'not', list: () => [toCondition(rule.operand, context)] };
  if (rule.kind !== 'Logical') return null;
  const join = rule.operator === '-and' ? 'and' : 'or';
  return { join, list: () => [rule.left, rule.right].map((side) => toCondition(side, context)) };
}

type Test = (subject: Subject) => boolean;
/** Whether one value meets a condition. */
type Judge = (value: Json, now: Date) => boolean;

function compile(rule: Rule, context: RuleContext): Test {
  switch (rule.kind) {
    case 'Logical': {
      const [left, right] = [compile(rule.left, context), compile(rule.right, context)];
      return rule.operator === '-and'
        ? (subject) => left(subject) && right(subject)
        : (subject) => left(subject) || right(subject);
    }
    case 'Not': {
      const operand = compile(rule.operand, context);
      return (subject) => !operand(subject);
    }
    case 'Condition': {
      const { name, type } = toProperty(rule.property, context);
      const judge = compileComparison(rule, type);
      return ({ property, now }) => judge(property(name), now);
    }
    case 'Quantified':
      return compileQuantified(rule, context);
    case 'DirectReports':
      return compileDirectReports(rule.manager);
  }
}

/** The manager is in the group too. */
function compileDirectReports(manager: string): Test {
  const isManager = equalsText(manager);
  return ({ property }) => [MANAGER, 'objectId'].some((name) => anyOf(property(name), isManager));
}

function compileQuantified({ property, quantifier, condition }: QuantifiedNode, context: RuleContext): Test {
  const { name, type } = toProperty(property, context);
  if (type === 'Groups') return compileMemberOf(condition);
  const holds = compileItem(condition);
  const test = quantifier === '-any' ? 'some' : 'every';
  return ({ property: read, now }) => toItems(read(name))[test]((item) => holds(item, now));
}

function compileMemberOf(condition: Rule): Test {
  const list = condition.kind === 'Condition' && condition.value.kind === 'List' ? condition.value.values : [];
  const ids = new Set(list.map((value) => toText(value).toLowerCase()));
  return ({ groups }) => groups.some(({ id }) => ids.has(id.toLowerCase()));
}

/** A condition over one item of a collection. */
function compileItem(rule: Rule): Judge {
  switch (rule.kind) {
    case 'Logical': {
      const [left, right] = [compileItem(rule.left), compileItem(rule.right)];
      return rule.operator === '-and'
        ? (item, now) => left(item, now) && right(item, now)
        : (item, now) => left(item, now) || right(item, now);
    }
    case 'Not': {
      const operand = compileItem(rule.operand);
      return (item, now) => !operand(item, now);
    }
    case 'Condition': {
      const judge = compileComparison(rule, 'String');
      const part = PLAN_PARTS.get(rule.property.text.replace(/^.*\./s, '').toLowerCase());
      return part === undefined ? judge : (item, now) => judge(readPart(item, part), now);
    }
    default:
      return () => false;
  }
}

/** The items of a collection that are there; one value alone is a collection of one. */
function toItems(value: Json): readonly Json[] {
  return (isList(value) ? value : [value]).filter((item) => !isAbsent(item));
}

function readPart(item: Json, part: string): Json {
  if (typeof item !== 'object' || item === null || isList(item)) return null;
  return Object.hasOwn(item, part) ? (item[part] ?? null) : null;
}

const NEGATIVES: ReadonlyMap<Comparison, Comparison> = new Map([
  ['-ne', '-eq'],
  ['-notStartsWith', '-startsWith'],
  ['-notEndsWith', '-endsWith'],
  ['-notContains', '-contains'],
  ['-notMatch', '-match'],
  ['-notIn', '-in'],
]);

function compileComparison({ operator, value }: Pick<ConditionNode, 'operator' | 'value'>, type: PropertyType): Judge {
  const positive = NEGATIVES.get(operator);
  if (positive !== undefined) {
    const judge = compileComparison({ operator: positive, value }, type);
    return (each, now) => !judge(each, now);
  }
  if (value.kind === 'Null') return isAbsent;
  const test = type === 'DateTime' ? compareMoment(operator, value) : compilePositive(operator, value);
  return (each, now) => anyOf(each, (one) => test(one, now));
}

/** Older rules compare a whole collection: then one of its values must meet the condition. */
function anyOf(value: Json, test: (one: Json) => boolean): boolean {
  return (isList(value) ? value : [value]).some((one) => !isAbsent(one) && test(one));
}

function compilePositive(operator: Comparison, value: ValueNode): Judge {
  switch (operator) {
    case '-in': {
      const tests = (value.kind === 'List' ? value.values : []).map((each) => equalsText(toText(each)));
      return (one) => tests.some((test) => test(one));
    }
    case '-match': {
      const pattern = compilePattern(toText(value), { ignoreCase: true });
      return (one) => isScalar(one) && pattern.isMatch(String(one));
    }
    case '-eq':
      return equalsText(toText(value));
    default:
      return compareText(operator, toText(value).toLowerCase());
  }
}

function compareText(operator: Comparison, operand: string): Judge {
  const test = (text: string): boolean => {
    if (operator === '-startsWith') return text.startsWith(operand);
    return operator === '-endsWith' ? text.endsWith(operand) : text.includes(operand);
  };
  return (one) => isScalar(one) && test(String(one).toLowerCase());
}

function equalsText(text: string): (one: Json) => boolean {
  const operand = text.toLowerCase();
  return (one) => isScalar(one) && String(one).toLowerCase() === operand;
}

function compareMoment(operator: Comparison, value: ValueNode): Judge {
  const moment = toMoment(value);
  return (one, now) => {
    const at = typeof one === 'string' ? parseDateTime(one) : null;
    if (at === null) return false;
    if (operator === '-ge') return at >= moment(now);
    return operator === '-le' ? at <= moment(now) : at === moment(now);
  };
}

function toMoment(value: ValueNode): (now: Date) => number {
  if (value.kind !== 'Now') {
    const fixed = parseDateTime(toText(value)) ?? Number.NaN;
    return () => fixed;
  }
  const plus = value.plus === null ? 0 : (parseIsoDuration(value.plus) ?? 0);
  return (now) => now.getTime() + plus;
}

function toText(value: ValueNode): string {
  return value.kind === 'Text' || value.kind === 'Word' ? value.value : '';
}

function isList(value: Json): value is readonly Json[] {
  return Array.isArray(value);
}

function isScalar(value: Json): value is string | number | boolean {
  return value !== null && typeof value !== 'object';
}
