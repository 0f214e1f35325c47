import { describe, expect, it } from 'vitest';
import type { AttributeEntry } from '../../src/api/attribute-mapping.ts';
import { toMissingMessage } from '../../src/mapping/missing.ts';
import { KnownAttributes } from '../../src/mapping/names.ts';
import { compileRules } from '../../src/mapping/rules.ts';
import { type Clause, compileAny } from '../../src/rule/clause.ts';
import { aTeamRule, BASE_ENTRIES, compileWell } from '../support/builders.ts';

const entry = (target: string, more: Partial<AttributeEntry> = {}): AttributeEntry => ({
  target,
  source: 'surnme',
  ...more,
});

interface Uses {
  readonly entries?: readonly AttributeEntry[];
  readonly scope?: readonly Clause[];
  readonly rules?: readonly string[];
  readonly columns?: readonly string[];
  readonly base?: readonly AttributeEntry[];
}

function describeMissing({ entries = [], scope = [], rules = [], columns = [], base = BASE_ENTRIES }: Uses): string {
  const mapping = compileWell([...base, ...entries]);
  const resources = rules.map((name) => aTeamRule(name, { teamsFrom: { attributes: ['surnme'] } }));
  return toMissingMessage('surnme', {
    mapping,
    scope: compileAny(scope.length === 0 ? [] : [scope]),
    rules: compileRules(resources, mapping, []),
    known: new KnownAttributes(columns),
  });
}

describe('an attribute that the read did not deliver (I13)', () => {
  it.each<readonly [Uses, string]>([
    [{ entries: [entry('name.familyName')] }, 'the entry for name.familyName changed no account, and new ones lack it'],
    [
      { entries: [entry('name.familyName'), entry('title')] },
      'the entries for name.familyName, title changed no account, and new ones lack them',
    ],
    [
      { entries: [entry('name.familyName', { required: true }), entry('title')] },
      'the entries for name.familyName, title changed no account, and nobody new gets one',
    ],
    [
      { base: [entry('userName'), { target: 'externalId', source: 'id', matching: { precedence: 1 } }] },
      'the entry for userName changed no account, and nobody new gets one',
    ],
    [
      { base: [{ target: 'userName', source: 'mail' }, entry('externalId', { matching: { precedence: 1 } })] },
      'the entry for externalId changed no account, and nobody new gets one',
    ],
    [{ rules: ['b', 'a'] }, 'rules b, a changed no team'],
    [
      {
        scope: [{ attribute: 'surnme', operator: 'IsNotNull' }],
        entries: [entry('title', { source: undefined as never, expression: 'ToUpper([surnme])' })],
        rules: ['a'],
      },
      'the scope decided about nobody, so nobody is changed; the entry for title changed no account, and new ones ' +
        'lack it; rule a changed no team',
    ],
  ])('is told with what goes without it: %#', (uses, consequences) => {
    expect(describeMissing(uses)).toBe(`the read did not deliver "surnme": ${consequences}`);
  });

  it('is told with the attribute that was meant', () => {
    const entries = [entry('title')];
    expect(describeMissing({ entries, columns: ['mail', 'surname'] })).toMatch(
      /^the read did not deliver "surnme" \(did you mean "surname"\?\): /,
    );
    expect(new KnownAttributes(['surname']).nearest('source:surnme')).toBe('surname');
    expect(new KnownAttributes(['mail']).nearest('surnme')).toBeNull();
  });
});
