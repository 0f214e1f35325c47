/** What a run works on: its state, or, while it may not write and has something to take over, a copy of both ids. */
import type { DirectorySyncResource } from '../api/directory-sync.ts';
import type { ResourceSet } from '../api/host.ts';
import { toFields } from '../api/rules.ts';
import type { DirectoryState, Facts, StateStore } from '../state/store.ts';
import { type FactShapes, getFact } from './facts.ts';
import { findNeighbours } from './neighbours.ts';
import { isTakenOver, toDirectoryKey, toOldId } from './takeover.ts';

export interface RunState {
  readonly state: DirectoryState;
  /** Where others stand beside it. */
  readonly store: StateStore;
  close(): Promise<void>;
}

/**
 * A plan shows the effect of a takeover and moves nothing: it is carried out in a copy, by the same code, and what was
 * planned from there stands in the journal like any plan.
 */
export async function openRunState(
  store: StateStore,
  { resource, planOnly }: { readonly resource: DirectorySyncResource; readonly planOnly?: boolean },
  resources: ResourceSet,
): Promise<RunState> {
  const key = toDirectoryKey(resource);
  const own = await store.directory(key);
  const from = toOldId(resource);
  const mayWrite = planOnly !== true && toFields(resource.spec)?.['mode'] !== 'Plan';
  if (mayWrite || from === null || (await isTakenOver(own, from))) {
    return { state: own, store, close: async () => undefined };
  }
  const old = { ...key, id: from };
  const target = (await getFact((await store.directory(old)).facts, 'endpoint'))?.target ?? '';
  const copies = await store.copy([key, old, ...(await findNeighbours(store, { resource, resources, target }))]);
  return { state: join(own, await copies.directory(key)), store: copies, close: () => copies.close() };
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
