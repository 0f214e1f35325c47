/** The part of a filter that SQLite's indexes can answer. */

import type { ResourceType } from './catalog.ts';
import type { FilterNode } from './filter.ts';

export interface SqlCondition {
  /** An expression over the table `resources`, never NULL. */
  readonly sql: string;
  readonly parameters: readonly string[];
  /**
   * Whether it holds for exactly the resources that the filter matches. If not, it holds for these and perhaps for
   * others, and each row must still be tested.
   */
  readonly exact: boolean;
}

/** Null when no index helps. */
export function toSqlCondition(node: FilterNode, type: ResourceType): SqlCondition | null {
  switch (node.op) {
    case 'and':
      return toConjunction(node.nodes, type);
    case 'or':
      return toDisjunction(node.nodes, type);
    case 'not': {
      const inner = toSqlCondition(node.node, type);
      return inner?.exact ? { ...inner, sql: `NOT (${inner.sql})` } : null;
    }
    case 'any':
      return node.node.op === 'eq'
        ? toEquality(`${node.place.text}.${node.node.place.text}`, node.node.value, type)
        : null;
    case 'eq':
      return toEquality(node.place.text, node.value, type);
    default:
      return null;
  }
}

function toConjunction(nodes: readonly FilterNode[], type: ResourceType): SqlCondition | null {
  const all = nodes.map((each) => toSqlCondition(each, type));
  const conditions = all.filter((each) => each !== null);
  if (conditions.length === 0) return null;
  return {
    ...join(conditions, 'AND'),
    exact: conditions.length === all.length && conditions.every(({ exact }) => exact),
  };
}

function toDisjunction(nodes: readonly FilterNode[], type: ResourceType): SqlCondition | null {
  const conditions: SqlCondition[] = [];
  for (const each of nodes) {
    const condition = toSqlCondition(each, type);
    if (condition === null) return null;
    conditions.push(condition);
  }
  return { ...join(conditions, 'OR'), exact: conditions.every(({ exact }) => exact) };
}

function join(conditions: readonly SqlCondition[], operator: 'AND' | 'OR') {
  return {
    sql: conditions.map(({ sql }) => `(${sql})`).join(` ${operator} `),
    parameters: conditions.flatMap(({ parameters }) => parameters),
  };
}

const BY_ID = '(SELECT seq FROM resources WHERE id = ?)';

/** None is NULL for a NULL column, which would be lost under NOT; `IS ?` alone would not use the partial indexes. */
const CONDITIONS: Readonly<Record<ResourceType, Readonly<Record<string, string>>>> = {
  User: {
    id: 'id IS ?',
    externalId: 'external_id IS NOT NULL AND external_id = ?',
    userName: 'user_name IS ?',
    displayName: 'display_key IS NOT NULL AND display_key = ?',
    'groups.value': `seq IN (SELECT member_seq FROM members WHERE group_seq = ${BY_ID})`,
  },
  Group: {
    id: 'id IS ?',
    externalId: 'external_id IS NOT NULL AND external_id = ?',
    displayName: 'display_key IS NOT NULL AND display_key = ?',
    'members.value': `seq IN (SELECT group_seq FROM members WHERE member_seq = ${BY_ID})`,
  },
};

const CASE_EXACT: ReadonlySet<string> = new Set(['id', 'externalId']);

function toEquality(text: string, value: unknown, type: ResourceType): SqlCondition | null {
  const sql = Object.hasOwn(CONDITIONS[type], text) ? CONDITIONS[type][text] : undefined;
  if (sql === undefined || typeof value !== 'string') return null;
  // The other columns hold lower case, and so do ids, which members and groups refer to without regard to case.
  return { sql, parameters: [CASE_EXACT.has(text) ? value : value.toLowerCase()], exact: true };
}
