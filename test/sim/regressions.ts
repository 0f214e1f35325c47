/**
 * Scenarios that broke a rule once, as small as they could be made. They are written out, because a seed means another
 * scenario as soon as anything is added to the generator.
 */
import type { Scenario } from './scenario.ts';

export interface Regression {
  /** What went wrong. */
  readonly name: string;
  readonly scenario: Scenario;
}

export const REGRESSIONS: readonly Regression[] = [];
