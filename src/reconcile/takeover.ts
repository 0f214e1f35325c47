/**
 * `spec.adoptFrom`: one id takes over what stands under another. The only way on from `EndpointChanged` that keeps who
 * belongs to whom; it happens once, in one transaction, and the field means nothing afterwards.
 */

import type { DirectorySyncResource } from '../api/directory-sync.ts';
import type { ResourceSet } from '../api/host.ts';
import { toFields } from '../api/rules.ts';
import { SyncError } from '../errors.ts';
import { INHERITED, type Json } from '../model.ts';
import type { DirectoryKey, DirectoryState } from '../state/store.ts';
import type { Predecessor, Takeover } from '../state/takeovers.ts';
import { type Adopted, type FactShapes, getFact, putFact } from './facts.ts';
import type { ReadStats } from './run.ts';

/** Identity of a resource, whatever else of it is wrong. */
export function toId({ metadata, spec }: DirectorySyncResource): string {
  const id = toFields(spec)?.['id'];
  return typeof id === 'string' ? id : metadata.name;
}

/** The same in the state store. */
export function toDirectoryKey(resource: DirectorySyncResource): DirectoryKey {
  return { namespace: resource.metadata.namespace ?? 'default', id: toId(resource) };
}

/** The id that it wants to take over; null for none. */
export function toOldId(resource: DirectorySyncResource): string | null {
  const id = toFields(resource.spec)?.['adoptFrom'];
  return typeof id === 'string' && id !== toId(resource) ? id : null;
}

export interface Move {
  readonly from: string;
  readonly old: Predecessor;
}

/**
 * What is still to be taken over; null where nothing is: no `adoptFrom`, or it was done, or people are linked and nobody
 * knows the old id any more.
 * @throws SyncError `IdInUse`, `Invalid`
 */
export async function findMove(
  state: DirectoryState,
  resource: DirectorySyncResource,
  resources: ResourceSet,
): Promise<Move | null> {
  const from = toOldId(resource);
  if (from === null || (await isTakenOver(state, from))) return null;
  const own = await state.links.counts();
  const isOwner = own.people + own.teams > 0;
  const old = await state.takeovers.find(from);
  const takenBy = old === null ? null : readFact(old, 'takenOverBy');
  const isEmpty = old === null || (takenBy !== null && old.links.people + old.links.teams === 0);
  if (isEmpty && isOwner) return null;
  refuseUsed(from, resource, resources);
  if (old === null || isEmpty) throw new SyncError('Invalid', toUnknown(from, takenBy));
  if (isOwner && old.links.people + old.links.teams > 0) {
    throw new SyncError(
      'Invalid',
      `spec.adoptFrom: ${JSON.stringify(from)} cannot be taken over, for ${own.people} people and ${own.teams} teams are linked under this id already. Take the field out, or give the resource an id that has none`,
    );
  }
  return isOwner ? null : { from, old };
}

/**
 * Has this id taken over from the other one? That there was nothing to take over holds for the target that was named then,
 * which may have been a slip of the pen: it is asked again until people are linked.
 */
export async function isTakenOver({ facts, links }: DirectoryState, from: string): Promise<boolean> {
  const adopted = await getFact(facts, 'adopted');
  if (adopted?.from !== from) return false;
  if (adopted.what !== 'nothing') return true;
  const { people, teams } = await links.counts();
  return people + teams > 0;
}

function readFact<K extends keyof FactShapes>({ facts }: Predecessor, name: K): FactShapes[K] | null {
  return (facts[name] as FactShapes[K] | undefined) ?? null;
}

function toUnknown(from: string, takenBy: string | null): string {
  const id = `spec.adoptFrom: ${JSON.stringify(from)}`;
  if (takenBy !== null)
    return `${id} was taken over by the id ${JSON.stringify(takenBy)} already: name that one, if no resource uses it any more`;
  return `${id} is an id that the state store does not know in this namespace: nothing was read or written. Check its spelling, and that this is the state store of that resource; take the field out to begin with what the target holds`;
}

/** Both would write the same accounts. */
function refuseUsed(from: string, { metadata }: DirectorySyncResource, { directorySyncs }: ResourceSet): void {
  const user = directorySyncs.find(
    (other) =>
      other.metadata.namespace === metadata.namespace && other.metadata.name !== metadata.name && toId(other) === from,
  );
  if (user === undefined) return;
  throw new SyncError(
    'IdInUse',
    `spec.adoptFrom: ${JSON.stringify(from)} is still the id of DirectorySync ${user.metadata.name}; delete that one first (it leaves everything as it is while this one names its id)`,
  );
}

/** Of the old id stays with the resource that had it. */
const OF_THE_RESOURCE = ['status', 'ended', 'adopted', 'takenOverBy'];
/** Said of people of another source: nothing of it holds for the new one. That nobody has looked yet makes the next run look. */
const OF_THE_SOURCE = ['approval', 'suspect', 'verifiedAt', 'detours', 'scopeGroups'];
/** How many people another directory had says nothing about this one, and neither does how many accounts come along. */
const NO_MEASURE: ReadStats = { people: 0, filled: {} };

/** @param endpoint what source and target are now */
export async function carryOutMove(
  state: DirectoryState,
  { from, old }: Move,
  { id, endpoint }: { readonly id: string; readonly endpoint: FactShapes['endpoint'] },
): Promise<void> {
  const before = readFact(old, 'endpoint') ?? endpoint;
  const isSameSource = before.source === endpoint.source;
  const { people, teams } = old.links;
  const adopted: Adopted = { from, people, teams, what: isSameSource ? 'everything' : 'accounts', told: false };
  if (before.target !== endpoint.target) {
    await noteNothing(state, { adopted, measure: isSameSource ? readFact(old, 'lastGoodRead') : null });
    return;
  }
  const common = { endpoint, adopted, takenOverBy: null };
  const takeover: Takeover = isSameSource
    ? { from, prefix: null, without: OF_THE_RESOURCE, facts: common, left: { takenOverBy: id } }
    : {
        from,
        prefix: `${INHERITED}${from}:`,
        without: [...OF_THE_RESOURCE, ...OF_THE_SOURCE],
        facts: { ...common, lastGoodRead: NO_MEASURE },
        left: { takenOverBy: id },
      };
  await state.takeovers.carryOut(takeover);
}

/** What stays under the old id can still be taken over by whoever goes back to its target. */
async function noteNothing(
  { facts }: DirectoryState,
  { adopted, measure }: { readonly adopted: Adopted; readonly measure: ReadStats | null },
): Promise<void> {
  // The same source must not lose half of its people by the move: that is measured as it was.
  if (measure !== null && (await getFact(facts, 'lastGoodRead')) === null)
    await putFact(facts, 'lastGoodRead', measure);
  if ((await getFact(facts, 'adopted'))?.from === adopted.from) return;
  await putFact(facts, 'adopted', { ...adopted, what: 'nothing' });
}

/** What an earlier connection observed of the target, where that is the same one. */
export function toOldMemory({ old }: Move, target: string): Json {
  return readFact(old, 'endpoint')?.target === target ? readFact(old, 'targetMemory') : null;
}

/** Stands behind `took over` in events, the history and on the terminal. */
export function describeAdopted({ from, people, teams, what }: Adopted): string {
  const links = `${people} ${people === 1 ? 'person' : 'people'} and ${teams} ${teams === 1 ? 'team' : 'teams'}`;
  switch (what) {
    case 'everything':
      return `${links} of the id ${from}`;
    case 'accounts':
      return `the accounts of ${links} of the id ${from}, which had another source: people are found by the matching attributes, and who is not found is removed only after approval`;
    case 'nothing':
      return `nothing of the id ${from}, which had another target: its ${links} stay there as they are`;
  }
}
