/** What can be told of a rule without anybody's values: names, operators and values that go together. */
import { computeNearestName } from '../../nearest-name.ts';
import { compilePattern } from '../../pattern/pattern.ts';
import type { Position } from '../../text-error.ts';
import { parseDateTime } from '../moment.ts';
import type { Comparison, ConditionNode, QuantifiedNode, Rule, ValueNode } from './ast.ts';
import { parseIsoDuration } from './duration.ts';
import { RuleError } from './error.ts';
import { findExtension, findProperty, MANAGER, PLAN_PARTS, type PropertyType, USER_PROPERTIES } from './properties.ts';

export interface RuleContext {
  /** Whether the name after `user.` is one of Dirsync's own: a CustomAttribute or a standard attribute. */
  readonly isOwnName: (name: string) => boolean;
}

export interface RuleUse {
  /** Names after `user.` in their documented spelling, each once; others as written. */
  readonly properties: readonly string[];
  readonly groups: boolean;
}

/** Entra's own limit on the groups of one rule. */
const MAX_GROUPS = 50;

/** Throws RuleError for the first thing that is wrong. */
export function checkRule(rule: Rule, context: RuleContext): RuleUse {
  const use: Use = { properties: new Set(), groups: false };
  if (rule.kind === 'DirectReports') return { properties: [MANAGER, 'objectId'], groups: false };
  visit(rule, { context, use, isWhole: true, item: null });
  return { properties: [...use.properties], groups: use.groups };
}

/** What is known of a property by its text; throws RuleError for names that mean nothing. */
export function toProperty(
  { text, position }: { readonly text: string; readonly position: Position },
  { isOwnName }: RuleContext,
): { readonly name: string; readonly type: PropertyType } {
  const [, prefix = '', name = ''] = /^(\w+)\.(.*)$/s.exec(text) ?? [];
  if (prefix.toLowerCase() === 'device') {
    throw new RuleError(
      'device rules choose devices, and Dirsync provisions people: a rule here is about user. properties',
      position,
    );
  }
  if (prefix.toLowerCase() !== 'user') {
    throw new RuleError(`a property begins with "user.", but found ${JSON.stringify(text)}`, position);
  }
  const documented = findProperty(name);
  if (documented !== undefined) return { name: documented, type: USER_PROPERTIES.get(documented) ?? 'Any' };
  if (findExtension(name) !== undefined) return { name, type: 'String' };
  if (isOwnName(name)) return { name, type: 'Any' };
  const nearest = computeNearestName(name, USER_PROPERTIES.keys());
  const hint = nearest === null ? '' : `; did you mean "user.${nearest}"?`;
  throw new RuleError(
    `there is no property "user.${name}"${hint}${nearest === null ? '; other attributes of a source can be used by a CustomAttribute, match or cel' : ''}`,
    position,
  );
}

interface Use {
  readonly properties: Set<string>;
  groups: boolean;
}

/** What the items of a collection are called inside of -any and -all. */
type ItemKind = 'StringCollection' | 'Plans' | 'Groups';

interface Place {
  readonly context: RuleContext;
  readonly use: Use;
  /** Nothing stands beside this node. */
  readonly isWhole: boolean;
  /** Null outside of -any and -all. */
  readonly item: ItemKind | null;
}

function visit(rule: Rule, place: Place): void {
  switch (rule.kind) {
    case 'Logical':
      visit(rule.left, { ...place, isWhole: false });
      visit(rule.right, { ...place, isWhole: false });
      return;
    case 'Not':
      visit(rule.operand, { ...place, isWhole: false });
      return;
    case 'Quantified':
      checkQuantified(rule, place);
      return;
    case 'Condition':
      checkCondition(rule, place);
      return;
    case 'DirectReports':
      throw new RuleError('"Direct Reports for" cannot be combined with other conditions', rule.position);
  }
}

function checkQuantified({ property, quantifier, condition, position }: QuantifiedNode, place: Place): void {
  if (place.item !== null) throw new RuleError(`${quantifier} cannot stand inside of -any or -all`, position);
  const { name, type } = toProperty(property, place.context);
  place.use.properties.add(name);
  if (type === 'Groups') {
    checkMemberOf({ quantifier, condition, position }, place);
    return;
  }
  if (type !== 'StringCollection' && type !== 'Plans' && type !== 'Any') {
    throw new RuleError(`${quantifier} goes with a collection, and user.${name} has one value`, position);
  }
  visit(condition, { ...place, isWhole: false, item: type === 'Plans' ? 'Plans' : 'StringCollection' });
}

/** Alone in its rule, by -any and -in: what else would be a promise that Entra does not make. */
function checkMemberOf(
  { quantifier, condition, position }: Pick<QuantifiedNode, 'quantifier' | 'condition' | 'position'>,
  place: Place,
): void {
  place.use.properties.delete('memberOf');
  place.use.groups = true;
  if (!place.isWhole) {
    throw new RuleError('memberOf stands alone in its rule, without other conditions and without -not', position);
  }
  const isPlain = quantifier === '-any' && condition.kind === 'Condition' && condition.operator === '-in';
  if (!isPlain || condition.property.text.toLowerCase() !== 'group.objectid') {
    throw new RuleError("memberOf is written as user.memberOf -any (group.objectId -in ['id', …])", position);
  }
  const groups = listOf(condition.value, condition.operator);
  for (const group of groups) {
    if (group.kind !== 'Text') throw new RuleError('ids of groups stand between quotes', group.position);
  }
  if (groups.length <= MAX_GROUPS) return;
  throw new RuleError(
    `memberOf takes at most ${MAX_GROUPS} groups, here are ${groups.length}`,
    condition.value.position,
  );
}

function checkCondition(condition: ConditionNode, place: Place): void {
  checkValue(condition, typeOf(condition, place));
}

function typeOf({ property }: ConditionNode, { context, use, item }: Place): PropertyType {
  if (item !== null) {
    checkItem(property, item);
    return 'String';
  }
  const { text, position } = property;
  if (text === '_' || /^(?:assignedPlan|group)\./i.test(text)) {
    throw new RuleError(`${JSON.stringify(text)} has a meaning only inside of -any and -all`, position);
  }
  const { name, type } = toProperty(property, context);
  if (type === 'Plans') {
    throw new RuleError('assignedPlans is compared by -any or -all: user.assignedPlans -any (…)', position);
  }
  if (type === 'Groups') {
    throw new RuleError("memberOf is written as user.memberOf -any (group.objectId -in ['id', …])", position);
  }
  use.properties.add(name);
  return type;
}

function checkItem({ text, position }: ConditionNode['property'], item: ItemKind): void {
  if (item === 'StringCollection') {
    if (text === '_') return;
    throw new RuleError(`an item of this collection is called "_", but found ${JSON.stringify(text)}`, position);
  }
  const [, part] = /^assignedPlan\.(\w+)$/i.exec(text) ?? [];
  if (part !== undefined && PLAN_PARTS.has(part.toLowerCase())) return;
  const known = [...PLAN_PARTS.values()].map((name) => `assignedPlan.${name}`).join(', ');
  throw new RuleError(`an item of assignedPlans has ${known}, but found ${JSON.stringify(text)}`, position);
}

const ORDER: readonly Comparison[] = ['-ge', '-le'];
const EQUALITY: readonly Comparison[] = ['-eq', '-ne'];
const LISTS: readonly Comparison[] = ['-in', '-notIn'];

function checkValue({ operator, value, property }: ConditionNode, type: PropertyType): void {
  const { text, position } = property;
  if (ORDER.includes(operator) && type !== 'DateTime') {
    throw new RuleError(`${operator} goes with user.employeeHireDate only`, position);
  }
  if (value.kind === 'Null') {
    if (EQUALITY.includes(operator)) return;
    throw new RuleError(`null is compared by -eq and -ne only, not by ${operator}`, value.position);
  }
  if (type === 'DateTime') {
    checkMoment(operator, value, position);
  } else if (value.kind === 'Now') {
    throw new RuleError(`${text} is no date: system.now goes with employeeHireDate`, value.position);
  } else if (type === 'Boolean') {
    checkBoolean(operator, value, text);
  } else {
    checkText(operator, value);
  }
}

function checkText(operator: Comparison, value: ValueNode): void {
  if (LISTS.includes(operator)) {
    for (const each of listOf(value, operator)) checkConstant(each);
    return;
  }
  if (value.kind === 'List')
    throw new RuleError(`a list goes with -in and -notIn, not with ${operator}`, value.position);
  if (operator === '-match' || operator === '-notMatch') checkPattern(value);
}

function listOf(value: ValueNode, operator: Comparison): readonly ValueNode[] {
  if (value.kind === 'List') return value.values;
  throw new RuleError(`${operator} needs a list such as ["a", "b"]`, value.position);
}

function checkConstant(value: ValueNode): void {
  if (value.kind === 'Text' || value.kind === 'Word') return;
  throw new RuleError('a list holds texts and numbers; compare with null by -eq null or -ne null', value.position);
}

function checkPattern(value: ValueNode): void {
  if (value.kind !== 'Text' && value.kind !== 'Word') return;
  try {
    compilePattern(value.value, { ignoreCase: true });
  } catch (thrown) {
    throw new RuleError(`the regular expression: ${thrown instanceof Error ? thrown.message : ''}`, value.position);
  }
}

function checkBoolean(operator: Comparison, value: ValueNode, text: string): void {
  const isWord = (value.kind === 'Word' || value.kind === 'Text') && /^(?:true|false)$/i.test(value.value);
  if (EQUALITY.includes(operator) && isWord) return;
  throw new RuleError(
    `${text} is true or false: compare it by -eq or -ne with one of them, or with null`,
    value.position,
  );
}

function checkMoment(operator: Comparison, value: ValueNode, position: Position): void {
  if (!EQUALITY.includes(operator) && !ORDER.includes(operator)) {
    throw new RuleError(`a date is compared by -eq, -ne, -ge or -le, not by ${operator}`, position);
  }
  if (value.kind === 'Now') {
    if (value.plus === null || parseIsoDuration(value.plus) !== null) return;
    throw new RuleError(`"${value.plus}" is no ISO 8601 duration; write for example p1d or PT12H`, value.position);
  }
  if ((value.kind === 'Text' || value.kind === 'Word') && parseDateTime(value.value) !== null) return;
  throw new RuleError('expected a date such as 2020-06-10T18:13:20Z, or system.now', value.position);
}
