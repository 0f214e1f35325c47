/** What a change of a resource does to the loop: who is concerned is put into the queue, and the run under way is ended. */
import type { DirectorySyncResource } from '../api/directory-sync.ts';
import type { ResourceChange } from '../api/host.ts';
import { ANNOTATIONS } from '../api/metadata.ts';
import { SyncError } from '../errors.ts';
import { type LoopState, track } from './loop-state.ts';
import { toRef } from './publish.ts';
import { findConcerned, toFingerprint, toQueueKey, toSettle } from './triggers.ts';

/** Statuses of rules and mappings follow a change after this, so that many changes at once cost one pass. */
const DEPENDENTS_AFTER_MS = 1_000;

/** Called for every change that the host sees. What a run writes itself changes no fingerprint. */
export function onChange(loop: LoopState, change: ResourceChange): void {
  const resources = loop.host.resources();
  const concerned = findConcerned(change, resources);
  for (const resource of concerned) {
    const fingerprint = toFingerprint(resource, resources);
    const isOwn = change.kind === 'DirectorySync' && change.name === resource.metadata.name;
    const isOfSpec = isOwn || (change.kind !== 'DirectorySync' && !isData(change));
    const known = loop.tracked.get(toQueueKey(resource));
    if (isOfSpec && known?.fingerprint === fingerprint) continue;
    notice(loop, resource, { fingerprint, isData: isData(change) });
    if (isOwn && isAbandoned(resource)) letGo(loop, resource);
    loop.queue.add(toQueueKey(resource), change.kind === 'Secret' ? 0 : toSettle(resource));
  }
  if (change.kind === 'DirectorySync' && !concerned.some(({ metadata }) => metadata.name === change.name)) {
    // Gone: the queue finds nothing to do, and forgets it.
    const key = `${change.namespace}/${change.name}`;
    loop.tracked.get(key)?.current?.abort();
    loop.queue.add(key, 0);
  }
  if (!isData(change)) loop.dependents.add(change.namespace, DEPENDENTS_AFTER_MS);
}

export function isAbandoned({ metadata }: DirectorySyncResource): boolean {
  return metadata.deletionTimestamp !== undefined && metadata.annotations?.[ANNOTATIONS.abandon] === 'true';
}

/** Without waiting for the run under way, which may hang on a target that is gone for good. */
function letGo(loop: LoopState, resource: DirectorySyncResource): void {
  loop.host.setFinalizer(toRef(resource), false).catch((thrown: unknown) => {
    // The queue tries it again as for every deletion.
    loop.log.warn({ directorySync: toQueueKey(resource), err: SyncError.from(thrown) }, 'not let go yet');
  });
}

function isData({ kind }: ResourceChange): boolean {
  return kind === 'Secret' || kind === 'ConfigMap';
}

function notice(
  loop: LoopState,
  resource: DirectorySyncResource,
  { fingerprint, isData }: { fingerprint: string; isData: boolean },
): void {
  const state = track(loop, resource);
  if (state.fingerprint !== fingerprint || isData) state.current?.abort();
  state.fingerprint = fingerprint;
  state.failures = 0;
  state.changed = true;
}
