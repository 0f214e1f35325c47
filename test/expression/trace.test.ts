import { describe, expect, it } from 'vitest';
import { SyncError } from '../../src/errors.ts';
import { ExpressionError } from '../../src/expression/error.ts';
import { type TraceNode, traceExpression } from '../../src/expression/trace.ts';
import { anEnvironment } from '../support/expressions.ts';

function lines({ text, value, parts }: TraceNode): unknown[] {
  return [value === undefined ? text : `${text} → ${JSON.stringify(value)}`, ...parts.map(lines)];
}

describe('traceExpression', () => {
  it('keeps every intermediate value, and leaves out what was not evaluated', () => {
    const source = 'IIF([country] = "GB", Join(" ", [first], ToUpper([last])), Left("x", [first]))';
    const { tree, outcome } = traceExpression(source, anEnvironment({ country: 'GB', first: 'Ada', last: 'Byron' }));
    expect(outcome).toEqual({ value: 'Ada BYRON' });
    expect(lines(tree)).toEqual([
      `${source} → "Ada BYRON"`,
      ['[country] = "GB" → true', ['[country] → "GB"'], ['"GB" → "GB"']],
      [
        'Join(" ", [first], ToUpper([last])) → "Ada BYRON"',
        ['" " → " "'],
        ['[first] → "Ada"'],
        ['ToUpper([last]) → "BYRON"', ['[last] → "Byron"']],
      ],
    ]);
  });

  it('shows how far a failure came', () => {
    const { tree, outcome, failure } = traceExpression('Left("abc", [n])', anEnvironment({ n: 'x' }));
    expect(outcome).toBeUndefined();
    expect(failure).toEqual(new SyncError('RecordInvalid', 'Left: NumChars must be a whole number'));
    expect(lines(tree)).toEqual(['Left("abc", [n])', ['"abc" → "abc"'], ['[n] → "x"']]);
  });

  it('shows where it was decided that nothing flows', () => {
    const { tree, outcome } = traceExpression(
      'Append("a", IIF([x], IgnoreAttributeFlow, "b"))',
      anEnvironment({ x: true }),
    );
    expect(outcome).toEqual({ skip: 'SkipAttribute' });
    expect(lines(tree).flat(3)).toContain('IgnoreAttributeFlow');
  });

  it('refuses what cannot be compiled', () => {
    expect(() => traceExpression('Nope()', anEnvironment({}))).toThrow(ExpressionError);
  });
});
