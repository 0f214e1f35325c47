/**
 * The deletion of a CustomAttribute: who still has a value of it, what is waited for, and when the resource may go. The runs of
 * the DirectorySyncs remove the values; this only looks at what they have left behind.
 */
import type { CustomAttributeResource, CustomAttributeStatus } from '../api/custom-attribute.ts';
import type { DirectorySyncResource } from '../api/directory-sync.ts';
import type { ResourceEvent, ResourceSet } from '../api/host.ts';
import { findCondition } from '../api/kstatus.ts';
import type { DeletingReason, EventReason } from '../api/reasons.ts';
import { toFields } from '../api/rules.ts';
import type { DirectoryState } from '../state/store.ts';
import { countRetired, toDeletionMark } from './attribute-memory.ts';
import { getFact } from './facts.ts';
import { isSuspended } from './triggers.ts';

type Deletion = NonNullable<CustomAttributeStatus['deletion']>;
type SyncState = Deletion['directorySyncs'][number]['state'];

/** What the status of a CustomAttribute under deletion says. */
export interface Verdict {
  readonly reason: DeletingReason;
  readonly message: string;
  readonly deletion: Deletion;
}

interface Part {
  readonly name: string;
  readonly state: SyncState;
  /** Null: not counted yet. */
  readonly left: number | null;
  readonly message: string;
}

export interface DeletionInput {
  readonly custom: CustomAttributeResource;
  /** Of its namespace. */
  readonly resources: ResourceSet;
  readonly stateOf: (name: string) => Promise<DirectoryState | null>;
  /** What stops to compile without it, one sentence; null: nothing does. */
  readonly broken: string | null;
}

/** One that breaks its schema may say anything. */
export function appliesTo({ directorySyncs = 'All' }: { readonly directorySyncs?: unknown }, name: string): boolean {
  if (directorySyncs === 'All') return true;
  return listNames(directorySyncs).includes(name);
}

function listNames(directorySyncs: unknown): readonly string[] {
  const names = toFields(directorySyncs)?.['names'];
  return Array.isArray(names) ? names : [];
}

/** Null: nobody whom a DirectorySync owns has a value any more, and the resource may go. */
export async function judgeDeletion(input: DeletionInput): Promise<Verdict | null> {
  const { custom, resources, stateOf } = input;
  const parts: Part[] = [];
  for (const sync of resources.directorySyncs) {
    // What a DirectorySync under deletion has written is the business of its own deletionPolicy.
    if (!appliesTo(custom.spec, sync.metadata.name) || sync.metadata.deletionTimestamp !== undefined) continue;
    const state = await stateOf(sync.metadata.name);
    const part = state === null ? null : await judgeSync(custom, sync, state);
    if (part !== null) parts.push(part);
  }
  if (parts.length === 0) return null;
  const counted = parts.flatMap(({ left }) => left ?? []);
  const directorySyncs = parts.map(({ name, state, left }) => ({ name, state, ...(left === null ? {} : { left }) }));
  const sum = counted.reduce((total, left) => total + left, 0);
  return {
    reason: toReason(parts),
    message: [...parts.map(({ message }) => message), ...listRemarks(input, parts)].join('. '),
    deletion: { ...(counted.length === 0 ? {} : { left: sum }), directorySyncs },
  };
}

const REASONS: readonly (readonly [SyncState, DeletingReason])[] = [
  ['Failed', 'RemovalFailing'],
  ['Held', 'ValuesHeld'],
  ['Suspended', 'SyncSuspended'],
];

function toReason(parts: readonly Part[]): DeletingReason {
  const found = REASONS.find(([state]) => parts.some((part) => part.state === state));
  return found?.[1] ?? 'RemovingValues';
}

/** Null: it has nothing of it, and never will have. */
async function judgeSync(
  custom: CustomAttributeResource,
  sync: DirectorySyncResource,
  state: DirectoryState,
): Promise<Part | null> {
  const { name } = custom.metadata;
  const memory = await getFact(state.facts, 'attributes');
  if (memory?.deleted[name] === toDeletionMark(custom)) return null;
  if ((await state.links.counts()).people === 0) return null;
  const isWritten =
    memory === null ||
    memory.written[name] !== undefined ||
    Object.values(memory.retired).some(({ resource }) => resource === name);
  const idle = toIdle(sync);
  if (idle !== null && !isWritten) return null;
  const counts = memory === null ? [] : [...(await countRetired(state, memory))];
  const own = counts.filter(([path]) => memory?.retired[path]?.resource === name).map(([, count]) => count);
  const left = own.length === 0 ? null : own.reduce<number | null>((sum, each) => add(sum, each.left), 0);
  const held = own.reduce((sum, each) => sum + each.held, 0);
  return toPart(sync, { idle, left, held, isOver: await isOver(state, memory?.runId ?? null) });
}

function add(sum: number | null, left: number | null): number | null {
  return sum === null || left === null ? null : sum + left;
}

/** Why it writes nothing; null: it does. */
function toIdle(sync: DirectorySyncResource): string | null {
  if (isSuspended(sync)) return 'is suspended';
  return sync.spec.mode === 'Plan' ? 'has mode: Plan' : null;
}

/** Has the run come to its end that counted them? */
async function isOver({ journal }: DirectoryState, runId: string | null): Promise<boolean> {
  if (runId === null) return false;
  const run = (await journal.runs(LATEST)).find(({ id }) => id === runId);
  return run !== undefined && run.finishedAt !== null && run.outcome !== 'stopped';
}

const LATEST = 20;

interface Found {
  readonly idle: string | null;
  readonly left: number | null;
  readonly held: number;
  readonly isOver: boolean;
}

function toPart({ metadata, status }: DirectorySyncResource, { idle, left, held, isOver }: Found): Part {
  const { name } = metadata;
  const who = `DirectorySync ${name}`;
  const count = left === null ? null : `${left} ${left === 1 ? 'person still has' : 'people still have'} a value`;
  const say = (state: SyncState, what: string): Part => {
    return { name, state, left, message: count === null ? `${who} ${what}` : `${who} ${what}; ${count}` };
  };
  if (idle !== null) return say('Suspended', `${idle} and removes nothing`);
  if (held > 0) return say('Held', `holds ${held} ${held === 1 ? 'removal' : 'removals'} for approval`);
  const ready = findCondition(status?.conditions, 'Ready');
  if (ready?.status === 'False') return say('Failed', `could not remove them (${ready.reason})`);
  if (left !== null && left > 0 && isOver) return say('Failed', 'could not remove all; dirsync history names whose');
  return say('Removing', count === null ? 'removes them in its next run' : 'removes them');
}

/** What a person may want to know beside it. */
function listRemarks({ custom, resources, broken }: DeletionInput, parts: readonly Part[]): readonly string[] {
  const { directorySyncs } = custom.spec;
  const missing = listNames(directorySyncs).filter((name) => {
    return !resources.directorySyncs.some(({ metadata }) => metadata.name === name);
  });
  const remarks = missing.map((name) => `DirectorySync ${name} does not exist: what it wrote stays`);
  if (parts.some(({ state }) => state === 'Suspended' || state === 'Failed')) remarks.push(LET_GO);
  return broken === null ? remarks : [...remarks, broken];
}

const LET_GO = 'Annotate it with dirsync.dev/abandon=true to let it go with its values left where they are';

const EVENTS: Readonly<Record<DeletingReason, { readonly type: ResourceEvent['type']; readonly reason: EventReason }>> =
  {
    RemovingValues: { type: 'Normal', reason: 'Deleting' },
    ValuesHeld: { type: 'Warning', reason: 'Held' },
    SyncSuspended: { type: 'Warning', reason: 'Suspended' },
    RemovalFailing: { type: 'Warning', reason: 'Failed' },
  };

/** Told once for each thing that is waited for, and when it goes. Null: nothing is new. */
export function toDeletionEvent({ status }: CustomAttributeResource, verdict: Verdict | null): ResourceEvent | null {
  if (verdict === null)
    return { type: 'Normal', reason: 'Deleted', message: 'nobody has a value any more; the resource goes' };
  const before = findCondition(status?.conditions, 'Deleting');
  if (before?.reason === verdict.reason) return null;
  return { ...EVENTS[verdict.reason], message: verdict.message };
}

export const ABANDONED: ResourceEvent = {
  type: 'Warning',
  reason: 'Abandoned',
  message: 'the resource goes, and its values stay where they are (dirsync.dev/abandon)',
};
