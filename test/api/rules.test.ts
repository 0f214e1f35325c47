import { describe, expect, it } from 'vitest';
import { ADOPT_FROM_RULE, ID_IMMUTABLE_RULE } from '../../src/api/identity.ts';
import { KINDS } from '../../src/api/metadata.ts';
import { RESOURCE_SCHEMAS } from '../../src/api/resources.ts';
import { RULES_KEYWORD, type SchemaRule, toFields } from '../../src/api/rules.ts';
import { validateResource } from '../../src/api/validate.ts';
import { aDocument, RULE_CASES } from './rule-cases.ts';

function collectRules(node: unknown, found: Map<string, SchemaRule> = new Map()): Map<string, SchemaRule> {
  if (typeof node !== 'object' || node === null) return found;
  const rules = toFields(node)?.[RULES_KEYWORD] as readonly SchemaRule[] | undefined;
  for (const rule of rules ?? []) found.set(rule.name, rule);
  for (const [key, value] of Object.entries(node)) if (key !== RULES_KEYWORD) collectRules(value, found);
  return found;
}

/** Of the spec, and those over the whole resource that look at no older one. */
const rules = new Map(
  KINDS.flatMap((kind) => [
    ...collectRules(RESOURCE_SCHEMAS[kind].spec),
    ...RESOURCE_SCHEMAS[kind].rules
      .filter((rule) => rule !== ID_IMMUTABLE_RULE)
      .map((rule) => [rule.name, rule] as const),
  ]),
);

describe('rules of the schemas', () => {
  it.each(RULE_CASES)('$rule: $because', ({ rule, kind, spec, holds }) => {
    // Through JSON, as documents arrive: a key that is undefined is no key.
    const findings = validateResource(JSON.parse(JSON.stringify(aDocument(kind, spec))));
    if (holds) expect(findings).toEqual([]);
    else {
      // Of an object without names the schema itself says what is missing.
      const said = rule === 'directorySyncsAllOrNames' ? 'spec.directorySyncs' : (rules.get(rule)?.message ?? rule);
      expect(findings.map(({ message }) => message).join('\n')).toContain(said);
    }
  });

  it('have a kept and a broken case each, for both twins', () => {
    for (const name of rules.keys()) {
      const cases = RULE_CASES.filter((each) => each.rule === name);
      expect(new Set(cases.map(({ holds }) => holds)), name).toEqual(new Set([true, false]));
    }
    expect(RULE_CASES.filter(({ rule }) => !rules.has(rule))).toEqual([]);
  });

  it('have a form for the API server, CEL or structural', () => {
    for (const [name, rule] of rules) expect(rule.cel ?? rule.structural, name).toBeDefined();
  });

  it.each([
    { because: 'another id', before: { id: 'a' }, after: { id: 'b' }, holds: false },
    { because: 'an id where the default was', before: {}, after: { id: 'b' }, holds: false },
    { because: 'the default written out', before: {}, after: { id: 'sample' }, holds: true },
    { because: 'the default left out again', before: { id: 'sample' }, after: {}, holds: true },
    { because: 'the same id', before: { id: 'a' }, after: { id: 'a' }, holds: true },
  ])('idImmutable: $because', ({ before, after, holds }) => {
    const old = aDocument('DirectorySync', before);
    expect(ID_IMMUTABLE_RULE.holds(aDocument('DirectorySync', after), old)).toBe(holds);
  });

  it('adoptFromAnother: the name is the id by default', () => {
    const messages = (adoptFrom: string) =>
      validateResource(aDocument('DirectorySync', { adoptFrom })).map(({ message }) => message);
    expect([messages('sample'), messages('older')]).toEqual([[ADOPT_FROM_RULE.message], []]);
  });
});
