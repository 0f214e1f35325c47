/** Which copies of the state file a scenario asks for. */
import type { Step } from './scenario.ts';

/** After which runs the state file is copied: each restore takes the last copy but one that is left. */
export function toWantedCopies(steps: readonly Step[]): ReadonlySet<number> {
  const wanted = new Set<number>();
  const left: number[] = [];
  let plays = 0;
  for (const step of steps) {
    if (step.do === 'run') {
      plays += 1;
      left.push(plays);
    }
    if (step.do !== 'store' || step.how === 'newer' || step.how === 'locked') continue;
    const [copy] = left.splice(-2, 1);
    if (copy !== undefined && step.how === 'rolledBack') wanted.add(copy);
  }
  return wanted;
}
