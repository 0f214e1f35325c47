import { SyncError } from '../errors.ts';
import type { CelLibrary, CelValue } from './library.ts';

/** About a tenth of a second at the very worst: what needs more fails that one record. */
const MAX_COST = 100_000;
/** So many characters or elements that a function looks at are one unit. */
const PER_UNIT = 10;

/**
 * Counts the work of one evaluation: a unit for each call of a function or operator and each round of a loop, and more for
 * long texts and lists. The count is the same on every machine.
 */
export class CostMeter {
  #left = MAX_COST;

  start(): void {
    this.#left = MAX_COST;
  }

  /** Throws SyncError `RecordInvalid` when there is no budget left. */
  charge(size: number): void {
    this.#left -= 1 + size / PER_UNIT;
    this.check();
  }

  /** What has gone over the limit fails, even where another operand has hidden the error. */
  check(): void {
    if (this.#left < 0) throw new SyncError('RecordInvalid', `the expression would cost more than ${MAX_COST}`);
  }
}

/** Characters and elements of a value, elements of lists included. */
export function sizeOf(value: CelValue | undefined, library: CelLibrary): number {
  if (typeof value === 'string') return value.length;
  if (library.isCelList(value)) {
    let size = value.size;
    for (const each of value) size += typeof each === 'string' ? each.length : 1;
    return size;
  }
  if (library.isCelMap(value)) return value.size;
  return value instanceof Uint8Array ? value.length : 0;
}
