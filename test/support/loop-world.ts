/** The loop over resources in memory, with the real engine and state store, and a clock that a test moves. */
import { onTestFinished } from 'vitest';
import type { DirectorySyncSpec } from '../../src/api/directory-sync.ts';
import { SyncError } from '../../src/errors.ts';
import { createEngine, type Engine, type RunRequest } from '../../src/reconcile/engine.ts';
import { createLoop, type Loop } from '../../src/reconcile/loop.ts';
import type { RunReport } from '../../src/reconcile/run.ts';
import { createLogger } from '../../src/telemetry/log.ts';
import { createMetrics, type Metrics } from '../../src/telemetry/metrics.ts';
import { aCompanyOf, type Company, createCompany } from './company.ts';
import { createManualClock, type ManualClock } from './manual-clock.ts';
import { createMemoryHost, type MemoryHost, NAMESPACE, toRef } from './memory-host.ts';

export interface LoopWorld {
  readonly company: Company;
  readonly host: MemoryHost;
  readonly clock: ManualClock;
  readonly metrics: Metrics;
  loop: Loop;
  /** What the engine was asked for, each with its report once it ended. */
  readonly runs: { readonly request: RunRequest; report: RunReport | null }[];
  /** Puts the DirectorySync of this spec; by default the company's. */
  putSync(spec?: Partial<DirectorySyncSpec>, name?: string): void;
  /** Resolves when it is true; looked at whenever something happens. */
  until(condition: () => boolean): Promise<void>;
  /** Lets everything go on that needs no time. */
  settle(): Promise<void>;
  /** Moves the clock, and lets everything go on that is due. */
  advance(ms: number): Promise<void>;
  /** Reports of runs that ended, in their order. */
  reports(): RunReport[];
  start(): Promise<void>;
  /** Ends the loop as a signal would; the state stays. */
  stop(): Promise<void>;
  /** A new process over the same state and resources. */
  restart(): Promise<void>;
  readonly stopping: AbortController;
}

export const ACME = toRef('DirectorySync', 'acme');
export const MINUTE = 60_000;

/** Ten people, one mapping, one DirectorySync of 40 minutes that does not settle; the loop is not started yet. */
export async function createLoopWorld(options: { spec?: Partial<DirectorySyncSpec> } = {}): Promise<LoopWorld> {
  const company = await createCompany();
  company.people = aCompanyOf(10);
  company.spec = { ...company.spec, settle: '0s', guards: { suspiciousDrop: 100 }, ...options.spec };
  const clock = createManualClock();
  const host = createMemoryHost();
  const metrics = createMetrics({ now: clock.now });
  const log = createLogger({ level: 'silent' });
  const waiting = new Set<() => void>();
  let controller = new AbortController();
  let running: Promise<void> = Promise.resolve();

  const look = (): void => {
    for (const each of [...waiting]) each();
  };
  host.onActivity = look;

  const toEngine = (): Engine => {
    const engine = createEngine({
      host,
      store: company.store,
      providers: company.providers,
      createHttp: () => ({
        send: () => Promise.reject(new SyncError('Unknown', 'no HTTP in this test')),
        sent: 0,
        beginPass: () => () => undefined,
        begin: async () => () => undefined,
        close: () => undefined,
      }),
      now: () => new Date(clock.now()),
      log,
      holder: 'test',
    });
    return {
      providers: engine.providers,
      async run(request) {
        const entry: LoopWorld['runs'][number] = { request, report: null };
        world.runs.push(entry);
        look();
        entry.report = await engine.run(request);
        look();
        return entry.report;
      },
    };
  };
  const toLoop = (): Loop =>
    createLoop({
      host,
      engine: toEngine(),
      store: company.store,
      log,
      metrics,
      clock,
      random: () => 1,
      commands: () => ({ review: 'dirsync plan', approve: (hash) => `dirsync approve ${hash}` }),
      onReport: look,
    });

  const world: LoopWorld = {
    company,
    host,
    clock,
    metrics,
    runs: [],
    loop: toLoop(),
    get stopping() {
      return controller;
    },
    putSync(spec = {}, name = 'acme') {
      const { metadata, ...rest } = company.resource();
      host.put({ ...rest, metadata: { ...metadata, name }, spec: { ...company.spec, ...spec } });
    },
    until: (condition) =>
      new Promise((resolve) => {
        const check = (): void => {
          if (!condition()) return;
          waiting.delete(check);
          resolve();
        };
        waiting.add(check);
        check();
      }),
    async settle() {
      // What goes on without a clock and outside of runs (statuses, events) takes a few turns of the event loop.
      for (let ended = -1; ended !== world.runs.length; ) {
        ended = world.runs.length;
        for (let turn = 0; turn < 20; turn += 1) await new Promise((resolve) => setImmediate(resolve));
        await world.until(() => world.runs.every(({ report }) => report !== null));
        for (let turn = 0; turn < 20; turn += 1) await new Promise((resolve) => setImmediate(resolve));
      }
    },
    async advance(ms) {
      clock.advance(ms);
      await world.settle();
    },
    reports: () => world.runs.flatMap(({ report }) => report ?? []),
    async start() {
      running = world.loop.run(controller.signal, new AbortController().signal);
      await world.settle();
    },
    async stop() {
      controller.abort();
      await running;
    },
    async restart() {
      await world.stop();
      controller = new AbortController();
      world.loop = toLoop();
      await world.start();
    },
  };
  host.put({
    apiVersion: 'dirsync.dev/v1alpha1',
    kind: 'AttributeMapping',
    metadata: { name: 'users', namespace: NAMESPACE },
    spec: company.mapping,
  });
  onTestFinished(async () => {
    await world.stop();
    await company.store.close();
  });
  return world;
}
