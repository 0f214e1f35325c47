/** What a run works on: its state, or, while it may not write and has something to take over, a copy of both ids. */
import type { DirectorySyncResource } from '../api/directory-sync.ts';
import { toFields } from '../api/rules.ts';
import type { DirectoryKey, DirectoryState, Facts, StateStore } from '../state/store.ts';
import type { FactShapes } from './facts.ts';
import { isTakenOver, toId, toOldId } from './takeover.ts';

export interface RunState {
  readonly state: DirectoryState;
  close(): Promise<void>;
}

/**
 * A plan shows the effect of a takeover and moves nothing: it is carried out in a copy, by the same code, and what was
 * planned from there stands in the journal like any plan.
 */
export async function openRunState(
  store: StateStore,
  { resource, planOnly }: { readonly resource: DirectorySyncResource; readonly planOnly?: boolean },
): Promise<RunState> {
  const key: DirectoryKey = { namespace: resource.metadata.namespace ?? 'default', id: toId(resource) };
  const own = await store.directory(key);
  const from = toOldId(resource);
  const mayWrite = planOnly !== true && toFields(resource.spec)?.['mode'] !== 'Plan';
  if (mayWrite || from === null || (await isTakenOver(own, from))) return { state: own, close: async () => undefined };
  const copies = await store.copy([key, { ...key, id: from }]);
  return { state: join(own, await copies.directory(key)), close: () => copies.close() };
}

/** Of the run that planned, which did happen. */
const OF_THE_RUN: ReadonlySet<string> = new Set<keyof FactShapes>(['ended', 'status']);

function join(own: DirectoryState, copy: DirectoryState): DirectoryState {
  const facts: Facts = {
    get: (name) => (OF_THE_RUN.has(name) ? own : copy).facts.get(name),
    put: (name, value) => (OF_THE_RUN.has(name) ? own : copy).facts.put(name, value),
  };
  // What an earlier run began is looked at, and what is learnt of it is as little to last as the rest.
  const { unsettled, settle } = copy.journal;
  return { ...copy, facts, journal: { ...own.journal, unsettled, settle } };
}
