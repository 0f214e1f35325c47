import type { Position } from '../text-error.ts';

/** `Name(argument, …)`; its position is that of the name. */
export interface CallNode {
  readonly kind: 'Call';
  readonly name: string;
  readonly arguments: readonly Argument[];
  readonly position: Position;
}

/** `[name]`. The name is kept as written; who evaluates decides what it means. `["a.b"]` keeps its inner brackets. */
export interface AttributeNode {
  readonly kind: 'Attribute';
  readonly name: string;
  readonly position: Position;
}

/** `"text"`, escapes undone. */
export interface TextNode {
  readonly kind: 'Text';
  readonly value: string;
  readonly position: Position;
}

/** `-10`, `42568.75` or `&HF7`, as written: file times do not fit a JavaScript number, so the text is the truth. */
export interface NumberNode {
  readonly kind: 'Number';
  readonly text: string;
  readonly position: Position;
}

/** One of KEYWORDS, written without quotes. */
export interface KeywordNode {
  readonly kind: 'Keyword';
  readonly name: string;
  readonly position: Position;
}

/** `left = right`; stands only as an argument, and the position is that of the operator. */
export interface ComparisonNode {
  readonly kind: 'Comparison';
  readonly operator: ComparisonOperator;
  readonly left: Expression;
  readonly right: Expression;
  readonly position: Position;
}

/** `f(a, , c)`: a parameter that was not given, which is not the same as `""`. */
interface EmptyNode {
  readonly kind: 'Empty';
  readonly position: Position;
}

export type Expression = CallNode | AttributeNode | TextNode | NumberNode | KeywordNode;
export type Argument = Expression | ComparisonNode | EmptyNode;
export type ComparisonOperator = '=' | '<>' | '>' | '>=' | '<' | '<=';

/** The words of the language that are neither functions nor constants (Entra's function reference). */
export const KEYWORDS: ReadonlySet<string> = new Set([
  'vbTextCompare',
  'vbBinaryCompare',
  'IgnoreAttributeFlow',
  'IgnoreObjectFlow',
  'Unicode',
  'ASCII',
  'UTF8',
]);

/** What a value is known to be before anybody is evaluated. `Any`: an attribute, or branches that disagree. */
export type ValueType = 'String' | 'Boolean' | 'Integer' | 'Decimal' | 'DateTime' | 'List' | 'Any';
