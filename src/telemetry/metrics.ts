/** Metrics for Prometheus. Names, labels and meanings are documented in docs/metrics.md, which a test compares. */

import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import { HELD_BY, type HeldBy } from '../model.ts';

/** Whose run it is. */
export interface RunLabels {
  readonly namespace: string;
  /** Name of the DirectorySync. */
  readonly directorySync: string;
}

export interface OperationLabels {
  /** `create`, `update`, … as in a plan. */
  readonly kind: string;
  /** `User` or `Team`. */
  readonly resource: string;
  readonly result: 'done' | 'failed';
}

export interface Expiry {
  /** `Token`, `SourceCredential`, `Authority` or `ServerCertificate`. */
  readonly kind: string;
  readonly host: string | null;
  readonly expiresAt: number;
}

export interface Metrics {
  /** Counts a run that ended and how long it took. A run that did all it could (`synced`, `held`) is a success. */
  countRun(run: RunLabels & { readonly outcome: string }, seconds: number): void;
  /** How long one step of a run took. */
  observeStep(step: string, seconds: number): void;
  /** @param count how many of them; default 1 */
  countOperation(labels: OperationLabels, count?: number): void;
  /** Units held by each guard, by a suspect read or for a rebuilt link; what is not named is 0. */
  setHeldUnits(run: RunLabels, kinds: Readonly<Partial<Record<HeldBy, number>>>): void;
  /** When what the target is reached with ends, in milliseconds since 1970; replaces what was said before. */
  setExpiries(run: RunLabels, expiries: readonly Expiry[]): void;
  /** What the last look at the whole target found: `attributes`, `memberships`, `missing`, `unmanaged`. */
  setDrift(run: RunLabels, counts: Readonly<Record<DriftKind, number>>): void;
  /** When the last success was, in milliseconds since 1970: told once after a start, from what the state store knows. */
  setLastSuccess(run: RunLabels, at: number): void;
  countRequest(side: 'source' | 'target', attempt: { readonly method: string; readonly code: string }): void;
  /** Drops every series of a DirectorySync that was deleted. */
  forget(run: RunLabels): void;
  /** The text of the exposition format. */
  expose(): Promise<string>;
  readonly contentType: string;
}

const DRIFT_KINDS = ['attributes', 'memberships', 'missing', 'unmanaged'] as const;
export type DriftKind = (typeof DRIFT_KINDS)[number];

const SUCCESSES: ReadonlySet<string> = new Set(['synced', 'held']);
const RUN_LABELS = ['namespace', 'directorysync'] as const;
/** From a run over nothing to one of hours. */
const RUN_BUCKETS = [0.1, 0.5, 1, 5, 15, 60, 300, 900, 3600, 14_400, 43_200];

/** A registry of its own each time, so that two in one process (tests) do not disturb each other. */
export function createMetrics(options: { now: () => number } = { now: Date.now }): Metrics {
  const registers = [new Registry()] as const;
  const [registry] = registers;
  collectDefaultMetrics({ register: registry });
  const lastSuccess = new Map<string, { labels: Record<(typeof RUN_LABELS)[number], string>; at: number }>();

  const runs = new Counter({
    name: 'dirsync_runs_total',
    help: 'Runs that ended, by outcome.',
    labelNames: [...RUN_LABELS, 'outcome'],
    registers: [...registers],
  });
  const runSeconds = new Histogram({
    name: 'dirsync_run_duration_seconds',
    help: 'How long runs took.',
    labelNames: [...RUN_LABELS],
    buckets: RUN_BUCKETS,
    registers: [...registers],
  });
  const stepSeconds = new Histogram({
    name: 'dirsync_step_duration_seconds',
    help: 'How long the steps of runs took.',
    labelNames: ['step'],
    buckets: RUN_BUCKETS,
    registers: [...registers],
  });
  const operations = new Counter({
    name: 'dirsync_operations_total',
    help: 'Operations carried out, by kind and result.',
    labelNames: ['kind', 'resource', 'result'],
    registers: [...registers],
  });
  const held = new Gauge({
    name: 'dirsync_held_units',
    help: 'Units that guards hold back, by what holds them.',
    labelNames: [...RUN_LABELS, 'kind'],
    registers: [...registers],
  });
  const drift = new Gauge({
    name: 'dirsync_drift',
    help: 'What the last look at the whole target found changed by hand, and accounts that belong to nobody.',
    labelNames: [...RUN_LABELS, 'kind'],
    registers: [...registers],
  });
  const requests = new Counter({
    name: 'dirsync_http_requests_total',
    help: 'Requests to sources and targets, repetitions included.',
    labelNames: ['side', 'method', 'code'],
    registers: [...registers],
  });
  const successTime = new Gauge({
    name: 'dirsync_last_success_timestamp_seconds',
    help: 'When the last successful run ended, in seconds since 1970.',
    labelNames: [...RUN_LABELS],
    registers: [...registers],
  });
  new Gauge({
    name: 'dirsync_seconds_since_last_success',
    help: 'Seconds since the last successful run ended.',
    labelNames: [...RUN_LABELS],
    registers: [...registers],
    collect() {
      this.reset();
      for (const { labels, at } of lastSuccess.values()) this.set(labels, Math.max(0, options.now() - at) / 1000);
    },
  });

  const expiries = new Map<string, { labels: Record<(typeof RUN_LABELS)[number], string>; list: readonly Expiry[] }>();
  new Gauge({
    name: 'dirsync_credentials_seconds_left',
    help: 'Seconds until a credential or certificate ends; negative afterwards.',
    labelNames: [...RUN_LABELS, 'kind', 'host'],
    registers: [...registers],
    collect() {
      this.reset();
      for (const { labels, list } of expiries.values()) {
        for (const { kind, host, expiresAt } of list)
          this.set({ ...labels, kind, host: host ?? '' }, (expiresAt - options.now()) / 1000);
      }
    },
  });

  function setLastSuccess(run: RunLabels, at: number): void {
    const labels = toLabels(run);
    lastSuccess.set(toKey(run), { labels, at });
    successTime.set(labels, at / 1000);
  }

  return {
    countRun(run, seconds) {
      runs.inc({ ...toLabels(run), outcome: run.outcome });
      runSeconds.observe(toLabels(run), seconds);
      if (SUCCESSES.has(run.outcome)) setLastSuccess(run, options.now());
    },
    observeStep: (step, seconds) => stepSeconds.observe({ step }, seconds),
    countOperation: ({ kind, resource, result }, count = 1) => operations.inc({ kind, resource, result }, count),
    setHeldUnits: (run, kinds) => {
      for (const kind of HELD_BY) held.set({ ...toLabels(run), kind }, kinds[kind] ?? 0);
    },
    setExpiries: (run, list) => void expiries.set(toKey(run), { labels: toLabels(run), list }),
    setDrift: (run, counts) => {
      for (const kind of DRIFT_KINDS) drift.set({ ...toLabels(run), kind }, counts[kind]);
    },
    setLastSuccess,
    countRequest: (side, { method, code }) => requests.inc({ side, method, code }),
    forget(run) {
      const { namespace, directorysync } = toLabels(run);
      lastSuccess.delete(toKey(run));
      expiries.delete(toKey(run));
      successTime.remove(namespace, directorysync);
      for (const kind of HELD_BY) held.remove(namespace, directorysync, kind);
      runSeconds.remove(namespace, directorysync);
      for (const kind of DRIFT_KINDS) drift.remove(namespace, directorysync, kind);
      for (const outcome of OUTCOMES) runs.remove(namespace, directorysync, outcome);
    },
    expose: () => registry.metrics(),
    contentType: registry.contentType,
  };
}

/** What a run's machine ends with. */
const OUTCOMES = ['synced', 'held', 'waiting', 'stalled', 'failed'] as const;

function toLabels(run: RunLabels): Record<(typeof RUN_LABELS)[number], string> {
  return { namespace: run.namespace, directorysync: run.directorySync };
}

function toKey(run: RunLabels): string {
  return `${run.namespace}/${run.directorySync}`;
}
