import type { Argument, Expression } from './ast.ts';

/** Prints an expression in its one canonical form; parsing the result gives an equal tree. */
export function printExpression(expression: Expression): string {
  return printArgument(expression);
}

/** A text constant as the language writes it: quotes and backslashes inside are escaped. */
function printText(text: string): string {
  return `"${text.replace(/["\\]/g, '\\$&')}"`;
}

/** The same of anything that may stand in a call. */
export function printArgument(argument: Argument): string {
  switch (argument.kind) {
    case 'Call':
      return `${argument.name}(${argument.arguments.map(printArgument).join(', ')})`;
    case 'Attribute':
      return `[${argument.name}]`;
    case 'Text':
      return printText(argument.value);
    case 'Number':
      return argument.text;
    case 'Keyword':
      return argument.name;
    case 'Comparison':
      return `${printArgument(argument.left)} ${argument.operator} ${printArgument(argument.right)}`;
    case 'Empty':
      return '';
  }
}
