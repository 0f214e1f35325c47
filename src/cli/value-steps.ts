/** The parts of an expression or rule with what each gave, in lines. */
import type { ValueStep } from '../mapping/value-step.ts';
import { formatValue } from './plan-values.ts';

export function formatSteps({ text, value, steps }: ValueStep, indent = ''): readonly string[] {
  const shown = value === undefined ? '' : `  → ${formatValue(value, true)}`;
  return [`${indent}${text}${shown}`, ...steps.flatMap((step) => formatSteps(step, `${indent}  `))];
}
