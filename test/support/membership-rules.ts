/** Rules of dynamic membership of every kind, and a reading of them that knows nothing of the compiler. */
import fc from 'fast-check';
import type { Json } from '../../src/model.ts';
import { COMPARISONS, type ConditionNode, type Rule, type ValueNode } from '../../src/rule/membership/ast.ts';

const position = { line: 1, column: 1, length: 1 };
const texts = fc.oneof(
  fc.constantFrom('a', 'b', 'x', "it's", 'say "x"', 'tick `', '`"', ''),
  fc.string({ maxLength: 6 }),
);
const values: fc.Arbitrary<ValueNode> = fc.oneof(
  texts.map((value): ValueNode => ({ kind: 'Text', value, position })),
  fc
    .constantFrom('7', '-3', '8.5', 'true', 'false', '2026-03-01')
    .map((value): ValueNode => ({ kind: 'Word', value, position })),
);
const constant: fc.Arbitrary<ValueNode> = fc.constant({ kind: 'Null', position });

function condition(property: string): fc.Arbitrary<ConditionNode> {
  const node = (operator: ConditionNode['operator'], value: ValueNode): ConditionNode => ({
    kind: 'Condition',
    property: { text: property, position },
    operator,
    value,
    position,
  });
  const scalar = COMPARISONS.filter((each) => !/^-(?:in|notIn|match|notMatch|ge|le)$/.test(each));
  return fc.oneof(
    fc.tuple(fc.constantFrom(...scalar), values).map(([operator, value]) => node(operator, value)),
    fc.tuple(fc.constantFrom('-eq', '-ne'), constant).map(([operator, value]) => node(operator as '-eq', value)),
    fc
      .tuple(fc.constantFrom('-match', '-notMatch'), fc.constantFrom('a', '^b', 'x$', '.'))
      .map(([operator, value]) => node(operator as '-match', { kind: 'Text', value, position })),
    fc
      .tuple(fc.constantFrom('-in', '-notIn'), fc.array(values, { minLength: 1, maxLength: 3 }))
      .map(([operator, list]) => node(operator as '-in', { kind: 'List', values: list, position })),
  );
}

function tree(leaf: fc.Arbitrary<Rule>, depth: number): fc.Arbitrary<Rule> {
  if (depth === 0) return leaf;
  const inner = tree(leaf, depth - 1);
  return fc.oneof(
    leaf,
    inner.map((operand): Rule => ({ kind: 'Not', operand, position })),
    fc
      .tuple(fc.constantFrom('-and', '-or'), inner, inner)
      .map(
        ([operator, left, right]): Rule => ({ kind: 'Logical', operator: operator as '-and', left, right, position }),
      ),
  );
}

const quantified: fc.Arbitrary<Rule> = fc
  .tuple(fc.constantFrom('-any', '-all'), tree(condition('_'), 2))
  .map(([quantifier, inner]) => ({
    kind: 'Quantified',
    property: { text: 'user.otherMails', position },
    quantifier: quantifier as '-any',
    condition: inner,
    position,
  }));
export const anyRule = tree(fc.oneof(condition('user.department'), condition('user.city'), quantified), 3);

/** The tree without its positions. */
export function bare(node: unknown): unknown {
  return JSON.parse(JSON.stringify(node, (key, value) => (key === 'position' ? undefined : value)));
}

/** Written after the documentation alone, with no thought of speed. */
export function interpretRule(rule: Rule, user: Readonly<Record<string, Json>>, item: Json = null): boolean {
  switch (rule.kind) {
    case 'Logical': {
      const sides = [interpretRule(rule.left, user, item), interpretRule(rule.right, user, item)];
      return rule.operator === '-and' ? sides[0] === true && sides[1] === true : sides.includes(true);
    }
    case 'Not':
      return !interpretRule(rule.operand, user, item);
    case 'Quantified': {
      const items = ((user['otherMails'] ?? []) as readonly Json[]).filter((each) => each !== '');
      const results = items.map((each) => interpretRule(rule.condition, user, each));
      return rule.quantifier === '-any' ? results.includes(true) : !results.includes(false);
    }
    case 'Condition':
      return interpretCondition(rule, rule.property.text === '_' ? item : (user[rule.property.text.slice(5)] ?? null));
    case 'DirectReports':
      throw new Error('not generated');
  }
}

function interpretCondition({ operator, value }: ConditionNode, actual: Json): boolean {
  const negative = operator === '-ne' || operator.startsWith('-not');
  const found = actual === null || actual === '' ? null : String(actual).toLowerCase();
  const wanted = (value.kind === 'List' ? value.values : [value]).map((each) =>
    'value' in each ? each.value.toLowerCase() : '',
  );
  if (value.kind === 'Null') return (found === null) !== negative;
  if (found === null) return negative;
  const [first = ''] = wanted;
  const holds = {
    eq: found === first,
    ne: found === first,
    startswith: found.startsWith(first),
    endswith: found.endsWith(first),
    contains: found.includes(first),
    match: operator.toLowerCase().endsWith('match') && new RegExp(first, 'i').test(found),
    in: wanted.includes(found),
  }[operator.replace(/^-(not)?/, '').toLowerCase()];
  return holds !== negative;
}
