import { describe, expect, it } from 'vitest';
import type { Json } from '../../../src/model.ts';
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

describe('the parser of rules', () => {
  it('refuses parentheses that are nested too deep', () => {
    const nested = (depth: number) => `${'('.repeat(depth)}user.city -eq "x"${')'.repeat(depth)}`;
    expect(() => compileMembershipRule(nested(100), CONTEXT)).not.toThrow();
    expect(() => compileMembershipRule(nested(101), CONTEXT)).toThrow(
      'column 101: parentheses are nested more than 100 deep',
    );
  });
});
