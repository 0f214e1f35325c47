/** The tree of a rule in Entra's language of dynamic membership. */

import type { Position } from '../../text-error.ts';

/** Operators of a condition, as the documentation spells them; without regard to case and with or without the hyphen. */
export const COMPARISONS = [
  '-eq',
  '-ne',
  '-startsWith',
  '-notStartsWith',
  '-endsWith',
  '-notEndsWith',
  '-contains',
  '-notContains',
  '-match',
  '-notMatch',
  '-in',
  '-notIn',
  '-ge',
  '-le',
] as const;
export type Comparison = (typeof COMPARISONS)[number];

export const QUANTIFIERS = ['-any', '-all'] as const;
export type Quantifier = (typeof QUANTIFIERS)[number];

export type Rule = LogicalNode | NotNode | ConditionNode | QuantifiedNode | DirectReportsNode;

/** `left -and right`, `left -or right`; the position is that of the operator. */
export interface LogicalNode {
  readonly kind: 'Logical';
  readonly operator: '-and' | '-or';
  readonly left: Rule;
  readonly right: Rule;
  readonly position: Position;
}

export interface NotNode {
  readonly kind: 'Not';
  readonly operand: Rule;
  readonly position: Position;
}

/** `property operator value`; the position is that of the property. */
export interface ConditionNode {
  readonly kind: 'Condition';
  readonly property: PropertyNode;
  readonly operator: Comparison;
  readonly value: ValueNode;
  readonly position: Position;
}

/** `collection -any (condition over its items)`. */
export interface QuantifiedNode {
  readonly kind: 'Quantified';
  readonly property: PropertyNode;
  readonly quantifier: Quantifier;
  readonly condition: Rule;
  readonly position: Position;
}

/** `Direct Reports for "<object id of the manager>"`. */
export interface DirectReportsNode {
  readonly kind: 'DirectReports';
  readonly manager: string;
  readonly position: Position;
}

/** As written: `user.department`, `device.…`, `_`, `assignedPlan.service`, `group.objectId`. */
export interface PropertyNode {
  readonly text: string;
  readonly position: Position;
}

export type ValueNode =
  | { readonly kind: 'Text'; readonly value: string; readonly position: Position }
  /** A number, `true`, `false` or a date: as written, without quotes. */
  | { readonly kind: 'Word'; readonly value: string; readonly position: Position }
  | { readonly kind: 'Null'; readonly position: Position }
  /** `system.now`, with an ISO 8601 duration to add; null for none. */
  | { readonly kind: 'Now'; readonly plus: string | null; readonly position: Position }
  | { readonly kind: 'List'; readonly values: readonly ValueNode[]; readonly position: Position };
