/** What the process ends with. */
import { SITUATIONS } from '../api/conditions.ts';
import type { RunReport } from '../reconcile/run.ts';

export const EXIT = {
  done: 0,
  /** Failed or invalid. */
  failed: 1,
  /** `plan --detailed-exitcode` alone. */
  changesPending: 2,
  /** Done but for what guards hold. */
  held: 3,
  /** Done but for records that failed. */
  recordsFailed: 4,
  wrongUsage: 64,
} as const;
export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/** A plan without the people whose records failed is none of all that is wanted. */
export function toExitCode({ reason, stopped, people }: Pick<RunReport, 'reason' | 'stopped' | 'people'>): ExitCode {
  if (stopped) return EXIT.failed;
  return reason === 'Planned' && people.failed > 0 ? EXIT.recordsFailed : SITUATIONS[reason].exit;
}

const FROM_WORST: readonly ExitCode[] = [EXIT.wrongUsage, EXIT.failed, EXIT.recordsFailed, EXIT.held];

/** Of several resources the worst counts. */
export function toWorstExitCode(codes: readonly ExitCode[]): ExitCode {
  return FROM_WORST.find((code) => codes.includes(code)) ?? codes[0] ?? EXIT.done;
}

/** The command line itself is wrong: exit 64, and nothing was done. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}
