import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Json } from '../../../src/model.ts';
import type { ConditionNode, Rule, ValueNode } from '../../../src/rule/membership/ast.ts';
import { COMPARISONS } from '../../../src/rule/membership/ast.ts';
import { compileMembershipRule } from '../../../src/rule/membership/compiler.ts';
import { parseIsoDuration } from '../../../src/rule/membership/duration.ts';
import { RuleError } from '../../../src/rule/membership/error.ts';
import { parseRule } from '../../../src/rule/membership/parser.ts';
import { printRule } from '../../../src/rule/membership/print.ts';
import { aSubject } from '../../support/builders.ts';
import { RULE_CASES } from './cases.ts';
import { FACTS } from './facts.ts';

const CONTEXT = { isOwnName: (name: string) => name === 'license_tier' };

describe('rules of dynamic membership', () => {
  it.each(RULE_CASES.map((each) => ({ ...each, given: JSON.stringify(each.user) })))(
    '$fact: $rule on $given gives $gives',
    ({ rule, user, groups = [], gives }) => {
      if (typeof gives === 'string') {
        expect(() => compileMembershipRule(rule, CONTEXT)).toThrow(RuleError);
        expect(() => compileMembershipRule(rule, CONTEXT)).toThrow(gives);
        return;
      }
      const { needs, matches } = compileMembershipRule(rule, CONTEXT);
      expect(matches(aSubject(user, { groups }))).toBe(gives);
      expect(needs.groups).toBe(/memberOf/i.test(rule));
      const read: string[] = [];
      const property = (name: string): Json => {
        read.push(name);
        return user[name] ?? null;
      };
      matches({ ...aSubject(user, { groups }), property });
      expect(needs.properties).toEqual(expect.arrayContaining(read));
      expect(compileMembershipRule(printRule(parseRule(rule)), CONTEXT).matches(aSubject(user, { groups }))).toBe(
        gives,
      );
    },
  );

  it('has a case for everything that the documentation states, and none for anything else', () => {
    const cited = new Set(RULE_CASES.map(({ fact }) => fact));
    expect(FACTS.filter((fact) => !cited.has(fact))).toEqual([]);
    expect([...cited].filter((fact) => !FACTS.includes(fact))).toEqual([]);
    expect(RULE_CASES.length).toBeGreaterThan(150);
  });

  it('has cases that hold and cases that do not for every operator and property', () => {
    for (const fact of FACTS.filter((each) => /^(operator|property) /.test(each))) {
      const results = RULE_CASES.filter((each) => each.fact === fact).map(({ gives }) => gives);
      expect([fact, results.includes(true), results.includes(false)]).toEqual([fact, true, true]);
    }
  });
});

describe('parseIsoDuration', () => {
  it.each<readonly [string, number | null]>([
    ['P1D', 86_400_000],
    ['p2w', 1_209_600_000],
    ['PT1H30M', 5_400_000],
    ['P1DT1S', 86_401_000],
    ['P', null],
    ['P1DT', null],
    ['P1M', null],
    ['P1Y', null],
    ['1D', null],
  ])('%s is %s', (text, ms) => {
    expect(parseIsoDuration(text)).toBe(ms);
  });
});

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
const rules = tree(fc.oneof(condition('user.department'), condition('user.city'), quantified), 3);

/** The tree without its positions. */
function bare(node: unknown): unknown {
  return JSON.parse(JSON.stringify(node, (key, value) => (key === 'position' ? undefined : value)));
}

/** Written after the documentation alone, with no thought of speed. */
function interpret(rule: Rule, user: Readonly<Record<string, Json>>, item: Json = null): boolean {
  switch (rule.kind) {
    case 'Logical': {
      const sides = [interpret(rule.left, user, item), interpret(rule.right, user, item)];
      return rule.operator === '-and' ? sides[0] === true && sides[1] === true : sides.includes(true);
    }
    case 'Not':
      return !interpret(rule.operand, user, item);
    case 'Quantified': {
      const items = ((user['otherMails'] ?? []) as readonly Json[]).filter((each) => each !== '');
      const results = items.map((each) => interpret(rule.condition, user, each));
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

describe('properties of the language', () => {
  it('printing and parsing gives the same tree', () => {
    fc.assert(
      fc.property(rules, (rule) => {
        expect(bare(parseRule(printRule(rule)))).toEqual(bare(rule));
      }),
      { numRuns: 300 },
    );
  });

  it('a compiled rule decides as a naive reading of it', () => {
    const text = fc.oneof(fc.constantFrom('a', 'A', 'b', 'x', 'say "x"', '7', '', null), fc.string({ maxLength: 4 }));
    const people = fc.record({
      department: text,
      city: text,
      otherMails: fc.oneof(fc.constant(null), fc.array(text, { maxLength: 3 })),
    });
    fc.assert(
      fc.property(rules, people, (rule, person) => {
        const user = { ...person, otherMails: person.otherMails?.filter((each) => each !== null) ?? null };
        const compiled = compileMembershipRule(printRule(rule), CONTEXT);
        expect(compiled.matches(aSubject(user))).toBe(interpret(rule, user));
      }),
      { numRuns: 500 },
    );
  });

  it('throws nothing but its own error, with a place inside of the text', () => {
    const piece = fc.constantFrom(
      ...[
        'user.department',
        '-eq',
        '-any',
        '(',
        ')',
        '[',
        ']',
        ',',
        '"x"',
        "'y'",
        '`"',
        '-not',
        '-and',
        'null',
        '7',
        '–',
        '_',
        '$',
        ' ',
        '\n',
      ],
    );
    const anything = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.array(piece, { maxLength: 12 }).map((parts) => parts.join(' ')),
    );
    fc.assert(
      fc.property(anything, (text) => {
        try {
          compileMembershipRule(text, CONTEXT);
        } catch (thrown) {
          expect(thrown).toBeInstanceOf(RuleError);
          const { line, column } = thrown as RuleError;
          const lines = text.split(/\r\n|\r|\n/);
          expect(line).toBeLessThanOrEqual(lines.length);
          expect(column).toBeLessThanOrEqual((lines[line - 1] ?? '').length + 2);
        }
      }),
      { numRuns: 1000 },
    );
  });

  it('refuses parentheses that are nested too deep', () => {
    const nested = (depth: number) => `${'('.repeat(depth)}user.city -eq "x"${')'.repeat(depth)}`;
    expect(() => compileMembershipRule(nested(100), CONTEXT)).not.toThrow();
    expect(() => compileMembershipRule(nested(101), CONTEXT)).toThrow(
      'column 101: parentheses are nested more than 100 deep',
    );
  });
});
