/** What the loop tells of DirectorySyncs: status, events and metrics. The only place of the loop that writes to the host. */
import type { ResolvedDirectorySyncSpec } from '../api/defaults.ts';
import type { DirectorySyncResource } from '../api/directory-sync.ts';
import type { DirectorySyncStatus } from '../api/directory-sync-status.ts';
import type { ResourceHost, ResourceRef } from '../api/host.ts';
import { SyncError } from '../errors.ts';
import type { StateStore } from '../state/store.ts';
import type { Logger } from '../telemetry/log.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import { fromStored, mergeExpiries } from './expiry.ts';
import { createProgressWriter, type ProgressWriter } from './progress.ts';
import type { RunReport } from './run.ts';
import {
  type Commands,
  computeProgressing,
  computeResting,
  computeStatus,
  isGuarded,
  type Rest,
  toEvents,
} from './status.ts';
import { toDirectoryKey } from './takeover.ts';
import { type Requests, toQueueKey } from './triggers.ts';

export interface PublisherOptions {
  readonly host: ResourceHost;
  readonly store: StateStore;
  readonly log: Logger;
  readonly metrics?: Metrics;
  readonly now: () => number;
  /** What a person is told to type. */
  readonly commands: (resource: DirectorySyncResource) => Commands;
}

export interface Outcome {
  readonly resource: DirectorySyncResource;
  readonly report: RunReport;
  readonly requests: Requests;
  /** The held set that `requests.approve` names was released by an earlier run. */
  readonly isSpent: boolean;
  /** Null: the spec is wrong. */
  readonly spec: ResolvedDirectorySyncSpec | null;
  /** When the next run is due; null without one. */
  readonly next: Date | null;
  /** `once` has done what it could. */
  readonly completed: boolean;
}

/** Writes throw when the host is away, and may be repeated. */
export interface Publisher {
  /** A run begins for something new. */
  begin(resource: DirectorySyncResource): Promise<void>;
  follow(resource: DirectorySyncResource): ProgressWriter;
  /** A run was ended on purpose: what it showed of itself goes, the rest stays as it was. */
  endStopped(resource: DirectorySyncResource): Promise<void>;
  /** The outcome of a run, once. */
  end(outcome: Outcome): Promise<void>;
  /** Nothing goes on. */
  rest(resource: DirectorySyncResource, reason: Rest['reason']): Promise<void>;
  /** What a dashboard must know after a restart, before the first run has ended. */
  restore(resource: DirectorySyncResource): void;
  forget(key: string): void;
}

export function createPublisher(options: PublisherOptions): Publisher {
  const { host, metrics } = options;
  const now = (): Date => new Date(options.now());
  return {
    async begin(resource) {
      await host.writeStatus(toRef(resource), (status) => ({
        ...computeProgressing(status, { generation: toGeneration(resource), now: now() }),
      }));
    },
    follow: (resource) =>
      createProgressWriter({
        now: options.now,
        observeStep: (step, seconds) => metrics?.observeStep(step, seconds),
        write: (progress) => host.writeStatus(toRef(resource), (status) => ({ ...status, progress })),
      }),
    async endStopped(resource) {
      await host.writeStatus(toRef(resource), ({ progress: _over, ...status }) => status);
    },
    end: (outcome) => end(options, outcome),
    async rest(resource, reason) {
      await host.writeStatus(toRef(resource), (status, generation) => ({
        ...computeResting(status, { reason, generation, now: now() }),
      }));
    },
    restore(resource) {
      const labels = toLabels(resource);
      const { history = [], held, drift } = resource.status ?? {};
      const success = history.find(({ outcome }) => outcome === 'Synced' || outcome === 'Held');
      if (success?.finishedAt !== undefined) metrics?.setLastSuccess(labels, Date.parse(success.finishedAt));
      if (held !== undefined) metrics?.setHeldUnits(labels, held.kinds ?? {});
      metrics?.setExpiries(labels, fromStored(resource.status?.credentials));
      if (drift !== undefined) metrics?.setDrift(labels, { ...NO_DRIFT, ...drift });
    },
    forget(key) {
      const [namespace = '', directorySync = ''] = key.split('/');
      metrics?.forget({ namespace, directorySync });
    },
  };
}

const NO_DRIFT = { attributes: 0, memberships: 0, missing: 0, unmanaged: 0 };

export function toRef({ metadata }: DirectorySyncResource): ResourceRef {
  return { kind: 'DirectorySync', namespace: metadata.namespace, name: metadata.name };
}

function toGeneration({ metadata }: DirectorySyncResource): number {
  return metadata.generation ?? 1;
}

function toLabels({ metadata }: DirectorySyncResource): { namespace: string; directorySync: string } {
  return { namespace: metadata.namespace, directorySync: metadata.name };
}

async function end(options: PublisherOptions, outcome: Outcome): Promise<void> {
  const { host, log } = options;
  const { resource, report } = outcome;
  const key = toQueueKey(resource);
  const previous = host.resources().directorySyncs.find((each) => toQueueKey(each) === key)?.status;
  await host.writeStatus(toRef(resource), (status) => toOutcomeStatus(options, outcome, status));
  // The status says it all: an event that is lost, or a metric, is not worth a second run.
  const warn = (what: string) => (thrown: unknown) =>
    log.warn({ directorySync: key, err: SyncError.from(thrown) }, `${what} not told`);
  const events = toEvents(report, previous, options.commands(resource));
  for (const event of events) await host.event(toRef(resource), event).catch(warn('an event was'));
  if (report.expiries !== null)
    options.metrics?.setExpiries(toLabels(resource), mergeExpiries(report.expiries, previous));
  await measure(options, outcome).catch(warn('operations were'));
}

function toOutcomeStatus(
  { commands, now }: PublisherOptions,
  outcome: Outcome,
  status: Readonly<Record<string, unknown>>,
): Record<string, unknown> {
  const { resource, report, spec, next, completed } = outcome;
  const after = {
    ...computeStatus({
      resource,
      previous: status as DirectorySyncStatus,
      report,
      nextRunAt: next,
      historyLimit: spec?.historyLimit ?? 10,
      commands: commands(resource),
    }),
    ...toHandled(outcome),
  };
  if (!completed) return after;
  return {
    ...computeResting(after, { reason: 'Completed', generation: toGeneration(resource), now: new Date(now()) }),
  };
}

/**
 * An annotation is done with once it was acted upon; a new value asks again. A run that was asked for has then ended,
 * well or not; a resync has looked at the whole target and put it right; an approval was judged.
 */
function toHandled({ requests, report, isSpent }: Outcome): Partial<DirectorySyncStatus> {
  const { runNow, resync, approve, syncUser } = requests;
  const isVerified = report.kind === 'Verify' && report.failedStep === null;
  const isJudged = isSpent || report.approval !== null || report.reason === 'ApprovalMismatch';
  return {
    ...(runNow === null ? {} : { lastHandledRequest: runNow }),
    ...(resync === null || !isVerified ? {} : { lastHandledResync: resync }),
    ...(approve === null || !isJudged ? {} : { lastHandledApproval: approve }),
    ...(syncUser === null ? {} : { lastHandledUser: syncUser }),
  };
}

async function measure({ metrics, store }: PublisherOptions, { resource, report }: Outcome): Promise<void> {
  if (metrics === undefined) return;
  const labels = toLabels(resource);
  const { outcome, startedAt, finishedAt, held, runId } = report;
  metrics.countRun({ ...labels, outcome }, (finishedAt.getTime() - startedAt.getTime()) / 1000);
  if (isGuarded(report)) metrics.setHeldUnits(labels, held.kinds);
  if (report.drift !== null) metrics.setDrift(labels, report.drift);
  if (runId === '') return;
  const state = await store.directory(toDirectoryKey(resource));
  for (const { kind, resource: of, status, count } of await state.journal.counts(runId)) {
    if (status === 'done' || status === 'failed') metrics.countOperation({ kind, resource: of, result: status }, count);
  }
}
