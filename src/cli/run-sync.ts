/** One run of one DirectorySync from the command line, and its status afterwards. */
import { withDefaults } from '../api/defaults.ts';
import type { DirectorySyncResource } from '../api/directory-sync.ts';
import type { DirectorySyncStatus } from '../api/directory-sync-status.ts';
import { writeDependents } from '../reconcile/dependents.ts';
import type { RunRequest } from '../reconcile/engine.ts';
import { toRef } from '../reconcile/publish.ts';
import type { RunOptions, RunReport } from '../reconcile/run.ts';
import { computeResting, computeStatus } from '../reconcile/status.ts';
import { toDirectoryKey } from '../reconcile/takeover.ts';
import type { DirectoryState } from '../state/store.ts';
import { createProgress } from './progress.ts';
import type { Session } from './session.ts';

export interface SyncRun {
  readonly resource: DirectorySyncResource;
  readonly report: RunReport;
  readonly state: DirectoryState;
  /** What the deletion of the resource would do was planned. */
  readonly deletion?: boolean;
}

export async function runSync(
  session: Session,
  resource: DirectorySyncResource,
  options: Partial<RunOptions> & Pick<RunRequest, 'witness'>,
): Promise<SyncRun> {
  const { io, engine } = session;
  const { name } = resource.metadata;
  const progress = createProgress(io, name);
  const report = await engine.run({
    // Typed by a person, who wants to know what goes now.
    tryAll: true,
    ...options,
    resource,
    signal: io.hard,
    stopping: io.stopping,
    onProgress: progress.show,
    onWait: (holder) => io.stderr(`waiting for ${holder}\n`),
  });
  progress.clear();
  const state = await session.store.directory(toDirectoryKey(resource));
  return { resource, report, state, deletion: options.deletion === true };
}

/**
 * Saves what the run came to. One that was stopped, and an approval that named nothing, say nothing about the resource:
 * its status stays.
 */
export async function saveRun(session: Session, { resource, report }: SyncRun): Promise<void> {
  const { host, statuses, commands } = session;
  const { namespace } = resource.metadata;
  if (!report.stopped && report.reason !== 'ApprovalMismatch' && report.reason !== 'StateUnavailable') {
    await host.writeStatus(toRef(resource), (status) =>
      computeStatus({
        resource,
        previous: status as DirectorySyncStatus,
        report,
        nextRunAt: null,
        historyLimit: readHistoryLimit(resource),
        // A condition is one line: the two commands are kept apart.
        commands: { ...commands, review: `${commands.review};` },
      }),
    );
  }
  const resources = host.resources();
  await statuses.saveResources(resources);
  await writeDependents({
    host,
    namespace,
    now: session.io.now(),
    providers: session.engine.providers,
    stateOf: async (name) => {
      const owner = resources.directorySyncs.find(
        ({ metadata }) => metadata.namespace === namespace && metadata.name === name,
      );
      return owner === undefined ? null : session.store.directory(toDirectoryKey(owner));
    },
  });
}

/** A suspended resource keeps the status of its last run, and says that it is suspended. */
export async function saveSuspended(session: Session, resource: DirectorySyncResource): Promise<void> {
  await session.host.writeStatus(toRef(resource), (status, generation) => ({
    ...computeResting(status, { reason: 'Suspended', generation, now: session.io.now() }),
  }));
  await session.statuses.saveResources(session.host.resources());
}

/** The newest status, as it would stand in a cluster. */
export function readStatus(session: Session, { metadata }: DirectorySyncResource): DirectorySyncStatus | undefined {
  return session.host
    .resources()
    .directorySyncs.find(
      (each) => each.metadata.name === metadata.name && each.metadata.namespace === metadata.namespace,
    )?.status;
}

export function isSuspended({ spec }: DirectorySyncResource): boolean {
  return spec.suspend === true;
}

/** A spec that is wrong still has a history. */
function readHistoryLimit(resource: DirectorySyncResource): number {
  try {
    return withDefaults(resource).historyLimit;
  } catch {
    return 10;
  }
}
