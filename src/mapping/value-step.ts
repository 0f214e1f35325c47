/** The parts of an expression or rule with what each gave, as they are shown. Pure. */
import type { TraceNode } from '../expression/trace.ts';
import { UniqueCandidates, type Value } from '../expression/values.ts';
import type { Json } from '../model.ts';
import { toPlainValue } from './expressions.ts';

export interface ValueStep {
  /** The part, in its canonical form. */
  readonly text: string;
  /** Missing where the part failed, or was not to be told. */
  readonly value?: Json;
  readonly steps: readonly ValueStep[];
}

/** Constants say of themselves what they give and are left out. */
export function toValueStep({ text, value, parts }: TraceNode): ValueStep {
  const steps = parts.map(toValueStep).filter((step) => !isConstant(step));
  return { text, ...(value === undefined ? {} : { value: toShown(value) }), steps };
}

function isConstant({ text, value }: ValueStep): boolean {
  return JSON.stringify(value) === text || String(value) === text;
}

/** Candidates are shown all: which one is free only the target can say. */
export function toShown(value: Value): Json {
  return value instanceof UniqueCandidates ? value.values : toPlainValue(value, false);
}
