/** Virtual time: nothing waits, and what would have waited happens in the order in which it would have come. */
import { setImmediate as nextTurn } from 'node:timers/promises';

export interface VirtualClock {
  /** Milliseconds since 1970 as the machine's clock says, which may be set back or forth. */
  wall(): number;
  /** Milliseconds since the beginning, whatever the machine's clock says. */
  elapsed(): number;
  /** Sets the machine's clock; what waits goes on waiting as long as it would have. */
  jump(ms: number): void;
  /** Calls back after so long. Returns what takes it back. */
  after(ms: number, callback: () => void): () => void;
  /** Lets time pass with nobody doing anything. */
  pass(ms: number): void;
  /**
   * Until `done` settles: fires what comes due whenever nobody is busy.
   * @param isBusy somebody works and needs no time for it
   * @throws when everybody waits for ever
   */
  drive(done: Promise<unknown>, isBusy: () => boolean): Promise<void>;
}

interface Timer {
  readonly at: number;
  readonly order: number;
  readonly callback: () => void;
}

/** Turns of the event loop in which nothing happens before everybody is taken to wait for ever. */
const PATIENCE = 50;

/** @param turns of the event loop with nobody at work before time goes on: a client may gather what is asked in one turn */
export function createClock(start: number, turns: number): VirtualClock {
  const timers = new Set<Timer>();
  let elapsed = 0;
  let offset = start;
  let orders = 0;

  const takeFirst = (until = Number.POSITIVE_INFINITY): Timer | null => {
    let first: Timer | null = null;
    for (const timer of timers) {
      if (timer.at > until) continue;
      if (first === null || timer.at < first.at || (timer.at === first.at && timer.order < first.order)) first = timer;
    }
    if (first !== null) timers.delete(first);
    return first;
  };
  const fire = (timer: Timer): void => {
    elapsed = Math.max(elapsed, timer.at);
    timer.callback();
  };
  const fireFirst = (): boolean => {
    const timer = takeFirst();
    if (timer !== null) fire(timer);
    return timer !== null;
  };

  return {
    wall: () => elapsed + offset,
    elapsed: () => elapsed,
    jump(ms) {
      offset += ms;
    },
    after(ms, callback) {
      orders += 1;
      const timer = { at: elapsed + Math.max(0, ms), order: orders, callback };
      timers.add(timer);
      return () => timers.delete(timer);
    },
    pass(ms) {
      const end = elapsed + ms;
      for (let timer = takeFirst(end); timer !== null; timer = takeFirst(end)) fire(timer);
      elapsed = end;
    },
    async drive(done, isBusy) {
      let settled = false;
      done.then(
        () => (settled = true),
        () => (settled = true),
      );
      for (let idle = 0; !settled; ) {
        await nextTurn();
        idle = settled || isBusy() ? 0 : idle + 1;
        if (idle >= turns && fireFirst()) idle = 0;
        if (idle > PATIENCE) throw new Error('everybody waits, and nothing will ever come');
      }
    },
  };
}
