/** Since when accounts are switched off by a request, for the grace after which they go. */
import type { Change } from '../server.ts';

export interface Leavers {
  onChange(change: Change, now: number): void;
  leftAt(id: string): number | null;
}

export function createLeavers(): Leavers {
  const since = new Map<string, number>();
  return {
    onChange({ kind, before, after }, now) {
      if (kind === 'Team') return;
      const id = (after ?? before)?.id ?? '';
      if (after === null || after.active) since.delete(id);
      else if (before?.active === true) since.set(id, now);
    },
    leftAt: (id) => since.get(id) ?? null,
  };
}
