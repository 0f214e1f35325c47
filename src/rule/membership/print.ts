import type { Rule, ValueNode } from './ast.ts';

/** Prints a rule in its one canonical form; parsing the result gives an equal tree. */
export function printRule(rule: Rule): string {
  switch (rule.kind) {
    case 'Logical':
      return `${printOperand(rule.left, rule, 'left')} ${rule.operator} ${printOperand(rule.right, rule, 'right')}`;
    case 'Not':
      return `-not ${printPrimary(rule.operand)}`;
    case 'Condition':
      return `${rule.property.text} ${rule.operator} ${printValue(rule.value)}`;
    case 'Quantified':
      return `${rule.property.text} ${rule.quantifier} (${printRule(rule.condition)})`;
    case 'DirectReports':
      return `Direct Reports for ${printText(rule.manager)}`;
  }
}

/** Both operators bind to the left, and -and more than -or. */
function printOperand(operand: Rule, parent: Extract<Rule, { kind: 'Logical' }>, side: 'left' | 'right'): string {
  if (operand.kind !== 'Logical') return printRule(operand);
  const isTighter = operand.operator === '-and' && parent.operator === '-or';
  const isChain = operand.operator === parent.operator && side === 'left';
  return isTighter || isChain ? printRule(operand) : `(${printRule(operand)})`;
}

function printPrimary(rule: Rule): string {
  return rule.kind === 'Logical' || rule.kind === 'Not' ? `(${printRule(rule)})` : printRule(rule);
}

function printValue(value: ValueNode): string {
  switch (value.kind) {
    case 'Text':
      return printText(value.value);
    case 'Word':
      return value.value;
    case 'Null':
      return 'null';
    case 'Now':
      return value.plus === null ? 'system.now' : `system.now -plus ${value.plus}`;
    case 'List':
      return `[${value.values.map(printValue).join(', ')}]`;
  }
}

/** Backticks have a meaning between double quotes, so a text that has one stands between single quotes. */
function printText(text: string): string {
  return text.includes('`') ? `'${text.replaceAll("'", "''")}'` : `"${text.replaceAll('"', '`"')}"`;
}
