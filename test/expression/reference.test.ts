import { describe, expect, it } from 'vitest';
import { SyncError } from '../../src/errors.ts';
import { compileExpression, type Outcome } from '../../src/expression/compiler.ts';
import { DateTime } from '../../src/expression/dates/date-time.ts';
import { FUNCTIONS } from '../../src/expression/registry.ts';
import { UniqueCandidates } from '../../src/expression/values.ts';
import { anEnvironment } from '../support/expressions.ts';
import { BEHAVIOURS } from './reference/behaviours.ts';
import type { ReferenceCase } from './reference/case.ts';
import { CONDITION_CASES } from './reference/conditions.ts';
import { DATE_CASES, REPLACE_CASES } from './reference/dates-and-replace.ts';
import { STRING_CASES } from './reference/strings.ts';

const CASES = [...STRING_CASES, ...CONDITION_CASES, ...DATE_CASES, ...REPLACE_CASES];

/** The outcome in the form in which a case expects it. */
function outcomeOf({ source, user, expected }: ReferenceCase): unknown {
  try {
    const compiled = compileExpression(source);
    if (isForm(expected, 'warns')) return { warns: compiled.warnings.map(({ message }) => message).join('\n') };
    expect(compiled.warnings).toEqual([]);
    const context = { defaultDomain: user['noDomain'] === true ? null : 'corp.example' };
    return shown(compiled.evaluate(anEnvironment(user, { context })));
  } catch (thrown) {
    const error = SyncError.from(thrown);
    return { [error.code === 'RecordInvalid' ? 'fails' : 'refused']: error.message };
  }
}

function isForm(expected: unknown, key: string): boolean {
  return typeof expected === 'object' && expected !== null && key in expected;
}

function shown(outcome: Outcome): unknown {
  if ('skip' in outcome) return outcome;
  const { value } = outcome;
  if (value instanceof DateTime) return { date: value.toString() };
  return value instanceof UniqueCandidates ? { candidates: value.values } : value;
}

describe("Entra's documented behaviours", () => {
  it.each(CASES)('$of: $source', (each) => {
    const outcome = outcomeOf(each);
    const { expected } = each;
    if (
      typeof expected === 'object' &&
      expected !== null &&
      'matches' in expected &&
      expected.matches instanceof RegExp
    ) {
      expect(outcome).toMatch(expected.matches);
      return;
    }
    for (const key of ['fails', 'refused', 'warns'] as const) {
      if (!isForm(expected, key)) continue;
      const wanted = (expected as Record<string, string>)[key] ?? '';
      expect(outcome).toEqual({ [key]: expect.stringContaining(wanted) });
      return;
    }
    expect(outcome).toEqual(expected);
  });

  it('has a case for each, and each case names one', () => {
    const named = new Set(CASES.map(({ of }) => of));
    expect(Object.keys(BEHAVIOURS).filter((id) => !named.has(id))).toEqual([]);
    expect([...named].filter((id) => !(id in BEHAVIOURS))).toEqual([]);
    expect(CASES.length).toBeGreaterThanOrEqual(250);
  });

  it('has every function of the reference and no other', () => {
    const listed = `Append AppRoleAssignmentsComplex AssertiveAppRoleAssignmentsComplex BitAnd CBool CDate Coalesce
      ConvertToBase64 ConvertToUTF8Hex Count CStr DateAdd DateDiff DateFromNum DefaultDomain FormatDateTime Guid IIF
      IgnoreFlowIfNullOrEmpty InStr IsNull IsNullOrEmpty IsPresent IsString Item Join Left Len Mid NormalizeDiacritics Not
      Now NumFromDate PCase RandomString Redact RemoveDuplicates Replace SelectUniqueValue SingleAppRoleAssignment Split
      StripSpaces Switch ToLower ToUpper Word ConvertFromBase64 DNComponent Error Trim StringFromSid`.split(/\s+/);
    expect([...FUNCTIONS.keys()].toSorted()).toEqual(listed.toSorted());
    for (const name of listed)
      expect(
        CASES.some(({ source }) => source.includes(`${name}(`)),
        name,
      ).toBe(true);
  });
});
