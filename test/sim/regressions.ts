/**
 * Scenarios that broke a rule once, as small as they could be made. They are written out, because a seed means another
 * scenario as soon as anything is added to the generator.
 */
import type { RunStep, Scenario } from './scenario.ts';
import { PLAIN } from './server.ts';

export interface Regression {
  /** What went wrong. */
  readonly name: string;
  readonly scenario: Scenario;
}

const RUN: RunStep = { do: 'run', faults: [], approve: false, resync: false, twin: false };

export const REGRESSIONS: readonly Regression[] = [
  {
    // By guards that counted each run by itself, which is one of the breaks of test/mutation.
    name: 'two people leave on one day, each in a run of their own',
    scenario: {
      seed: 4,
      size: 3,
      dialect: PLAIN,
      steps: [
        RUN,
        { do: 'leave', who: 487 },
        { do: 'leave', who: 43 },
        { do: 'return', who: 474 },
        RUN,
        { do: 'leave', who: 148 },
        { do: 'rehire', who: 264 },
        { do: 'return', who: 377 },
      ],
    },
  },
];
