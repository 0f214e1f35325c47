/** What a name that no record of a read has means for whom and for what, in one sentence. Pure. */
import type { Condition } from '../rule/condition.ts';
import type { CompiledMapping } from './compile.ts';
import { toConditionNames } from './conditions.ts';
import type { CompiledEntry } from './entry.ts';
import type { KnownAttributes } from './names.ts';
import { type RuleSet, toRuleNames } from './rules.ts';

export interface NameUsers {
  readonly mapping: CompiledMapping;
  readonly scope: Condition;
  readonly rules: RuleSet;
  readonly known: KnownAttributes;
}

/** Names the attribute that was meant, if one is near, and the entries and rules that go without it (rule I13). */
export function toMissingMessage(name: string, users: NameUsers): string {
  const nearest = users.known.nearest(name);
  const meant = nearest === null ? '' : ` (did you mean ${JSON.stringify(nearest)}?)`;
  return `the read did not deliver ${JSON.stringify(name)}${meant}: ${toConsequences(name, users).join('; ')}`;
}

function toConsequences(name: string, { mapping, scope, rules }: NameUsers): readonly string[] {
  const entries = mapping.entries.filter((entry) => entry.names.includes(name));
  const frozen = rules.rules.filter((rule) => toRuleNames(rule).includes(name)).map((rule) => rule.name);
  return [
    ...(toConditionNames(scope).includes(name) ? ['the scope decided about nobody, so nobody is changed'] : []),
    ...(entries.length === 0 ? [] : [toEntriesConsequence(entries)]),
    ...(frozen.length === 0 ? [] : [toRulesConsequence(frozen)]),
  ];
}

function toEntriesConsequence(entries: readonly CompiledEntry[]): string {
  const targets = entries.map(({ target }) => target);
  const kept = `${targets.length === 1 ? 'the entry for' : 'the entries for'} ${targets.join(', ')}`;
  const needed = entries.some(
    ({ required, precedence, path }) => required || precedence !== null || path === 'userName',
  );
  const lack = targets.length === 1 ? 'new ones lack it' : 'new ones lack them';
  return `${kept} changed no account, and ${needed ? 'nobody new gets one' : lack}`;
}

function toRulesConsequence(rules: readonly string[]): string {
  return `${rules.length === 1 ? 'rule' : 'rules'} ${rules.join(', ')} changed no team`;
}
