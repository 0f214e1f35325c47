/**
 * One Dirsync process that can be killed at any await. Whatever it calls goes through here: after the kill nothing that
 * it does is heard of any more, and nothing that it waits for ever comes.
 */
import type { ResourceHost } from '../../src/api/host.ts';
import { SyncError } from '../../src/errors.ts';
import type { DirectoryKey, DirectoryState, Lease, StateStore } from '../../src/state/store.ts';

export interface Seam {
  readonly name: string;
  readonly alive: boolean;
  /** Calls under way that need no time. */
  readonly busy: number;
  /** Awaits so far. */
  readonly crossings: number;
  /** Resolves when the process dies. */
  readonly death: Promise<void>;
  kill(): void;
  /** Counts one await; whoever listens may kill the process at it. */
  cross(where: string): void;
  /** The call's result, unless the process is dead by then. */
  call<T>(where: string, work: () => Promise<T> | T): Promise<T>;
  /** The same for what needs virtual time. */
  wait<T>(where: string, work: () => Promise<T>): Promise<T>;
}

/** @param onCross called at every await, with the number of it */
export function createSeam(name: string, onCross: (seam: Seam, where: string) => void): Seam {
  let alive = true;
  let busy = 0;
  let crossings = 0;
  let die: () => void = () => undefined;
  const death = new Promise<void>((resolve) => {
    die = resolve;
  });
  const never = <T>(): Promise<T> => new Promise(() => undefined);
  const pass = async <T>(where: string, work: () => Promise<T> | T, isBusy: boolean): Promise<T> => {
    seam.cross(where);
    if (!alive) return never();
    busy += isBusy ? 1 : 0;
    try {
      return await work();
    } finally {
      busy -= isBusy ? 1 : 0;
      seam.cross(where);
      // Neither a result nor an error is heard of any more.
      if (!alive) await never();
    }
  };
  const seam: Seam = {
    name,
    death,
    get alive() {
      return alive;
    },
    get busy() {
      return busy;
    },
    get crossings() {
      return crossings;
    },
    kill() {
      alive = false;
      die();
    },
    cross(where) {
      if (!alive) return;
      crossings += 1;
      onCross(seam, where);
    },
    call: (where, work) => pass(where, work, true),
    wait: (where, work) => pass(where, work, false),
  };
  return seam;
}

/** What reads only, and so works on a full disk. Whatever is not named here is taken for a write. */
const READS = new Set([
  'find',
  'get',
  'byTarget',
  'many',
  'dirty',
  'team',
  'teams',
  'members',
  'counts',
  'users',
  'countUsers',
  'collisions',
  'contentions',
  'people',
  'memberDifferences',
  'presences',
  'countUnmanaged',
  'isObserved',
  'groupsOf',
  'groups',
  'partial',
  'count',
  'runs',
  'units',
  'operations',
  'unsettled',
  'errors',
  'countErrors',
  'removals',
  'baseline',
  'head',
]);

export interface StoreSeam {
  readonly seam: Seam;
  readonly isDiskFull: () => boolean;
  /** Waits for the lease of the file among all processes. */
  readonly acquire: (seam: Seam, signal: AbortSignal) => Promise<Lease>;
}

/** The store as one process sees it. */
export function toProcessStore(store: StateStore, options: StoreSeam): StateStore {
  const { seam, acquire } = options;
  return {
    location: store.location,
    acquire: (_holder, { signal }) => seam.wait('acquire', () => acquire(seam, signal)),
    directory: (key: DirectoryKey) =>
      seam.call('directory', async () => toProcessState(await store.directory(key), options)),
    directories: () => seam.call('directories', () => store.directories()),
    copy: (keys) => seam.call('copy', async () => toProcessStore(await store.copy(keys), options)),
    close: async () => undefined,
  };
}

function toProcessState(state: DirectoryState, options: StoreSeam): DirectoryState {
  const parts = Object.entries(state).map(([part, methods]) => [part, toProcessPart(part, methods, options)]);
  return Object.fromEntries(parts) as DirectoryState;
}

type Methods = Record<string, (...args: unknown[]) => unknown>;

function toProcessPart(part: string, methods: Methods, { seam, isDiskFull }: StoreSeam): unknown {
  return new Proxy(methods, {
    get(target, name: string) {
      const method = target[name];
      if (typeof method !== 'function') return method;
      const where = `${part}.${name}`;
      return (...args: unknown[]) => {
        seam.cross(where);
        if (!seam.alive) return nothing();
        if (!READS.has(name) && isDiskFull()) {
          return refusal(new SyncError('StateUnavailable', 'the state file cannot grow: no space left'));
        }
        const result = method.apply(target, args) as Promise<unknown> | AsyncIterable<unknown>;
        if (Symbol.asyncIterator in result) return iterate(seam, where, result);
        // Of a dead process nobody waits for it any more.
        result.catch(() => undefined);
        return seam.call(where, () => result);
      };
    },
  });
}

/** An error, whether it is awaited or iterated over. */
function refusal(error: SyncError): unknown {
  const refused = Promise.reject(error);
  refused.catch(() => undefined);
  return Object.assign(refused, { [Symbol.asyncIterator]: () => ({ next: () => refused }) });
}

/** What a dead process waits for, whether it awaits or iterates. */
function nothing(): unknown {
  const never = new Promise(() => undefined);
  return Object.assign(never, { [Symbol.asyncIterator]: () => ({ next: () => never }) });
}

async function* iterate(seam: Seam, where: string, pages: AsyncIterable<unknown>): AsyncGenerator<unknown> {
  const iterator = pages[Symbol.asyncIterator]();
  try {
    for (;;) {
      const page = await seam.call(where, () => iterator.next());
      if (page.done === true) return;
      yield page.value;
    }
  } finally {
    // Whoever stops early may leave something to clean up.
    await seam.call(where, async () => iterator.return?.());
  }
}

/** The host as one process sees it. */
export function toProcessHost(host: ResourceHost, seam: Seam): ResourceHost {
  return {
    ...host,
    readSecret: (namespace, name) => seam.call('readSecret', () => host.readSecret(namespace, name)),
    writeStatus: (ref, change) => seam.call('writeStatus', () => host.writeStatus(ref, change)),
    event: (ref, event) => seam.call('event', () => host.event(ref, event)),
  };
}
