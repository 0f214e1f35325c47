/**
 * What the runs of one DirectorySync remember of CustomAttributes: where their values are, what is to be removed, and which
 * deletions have been carried out. One fact of its state.
 */
import type { CustomAttributeResource } from '../api/custom-attribute.ts';
import type { ResourceSet } from '../api/host.ts';
import { ANNOTATIONS } from '../api/metadata.ts';
import type { AttributeMemory } from '../mapping/retired-paths.ts';
import { computeRetired } from '../mapping/retired-paths.ts';
import { toRetirementUnit } from '../plan/retirement.ts';
import type { DirectoryState, StoredOperation } from '../state/store.ts';
import type { CompiledResources } from './compile.ts';
import { type FactShapes, getFact, putFact } from './facts.ts';
import type { Loaded, RunDependencies } from './run.ts';

type Memory = FactShapes['attributes'];

const NOTHING: Memory = { written: {}, retired: {}, runId: null, deleted: {}, abandoned: {} };

/** Tells the deletion of one resource from that of another of its name; null while it is not under deletion. */
export function toDeletionMark({ metadata }: CustomAttributeResource): string | null {
  const { deletionTimestamp, uid = '' } = metadata;
  return deletionTimestamp === undefined ? null : `${uid} ${deletionTimestamp}`;
}

/** Its values are to stay, whatever becomes of it. */
export function isKept({ metadata }: CustomAttributeResource): boolean {
  return metadata.annotations?.[ANNOTATIONS.abandon] === 'true';
}

function listLocal({ customAttributes }: ResourceSet, namespace: string): readonly CustomAttributeResource[] {
  return customAttributes.filter(({ metadata }) => metadata.namespace === namespace);
}

/** What this run writes and removes. Nothing is remembered yet. */
export async function readAttributes(
  { state, resource, resources }: RunDependencies,
  { customs, mapping }: Pick<CompiledResources, 'customs' | 'mapping'>,
): Promise<AttributeMemory> {
  const here = listLocal(resources, resource.metadata.namespace);
  const memory = await getFact(state.facts, 'attributes');
  const names = (some: readonly CustomAttributeResource[]): readonly string[] =>
    some.map(({ metadata }) => metadata.name);
  const kept = new Set([...names(here.filter(isKept)), ...Object.keys(toAbandoned(memory, here))]);
  return computeRetired({ memory, customs, mapping, present: new Set(names(here)), kept });
}

/** A new resource of the name has nothing to do with the one that was let go. */
function toAbandoned(memory: Memory | null, here: readonly CustomAttributeResource[]): Memory['abandoned'] {
  const isNew = (name: string, uid: string): boolean =>
    here.some(({ metadata }) => metadata.name === name && (metadata.uid ?? '') !== uid);
  return Object.fromEntries(Object.entries(memory?.abandoned ?? {}).filter(([name, uid]) => !isNew(name, uid)));
}

/** Does the run write to the target? Of one that does not nothing has to be known later. */
function mayWrite({ options }: RunDependencies, { spec }: Loaded): boolean {
  return !options.planOnly && spec.mode === 'Apply';
}

/** Has nobody looked yet whether accounts have values of them that no link knows of? */
export async function isUnverified(run: RunDependencies, loaded: Loaded): Promise<boolean> {
  const paths = Object.keys(loaded.attributes.retired);
  if (paths.length === 0 || loaded.spec.mode !== 'Apply') return false;
  const memory = await getFact(run.state.facts, 'attributes');
  return paths.some((path) => memory?.retired[path]?.verified !== true);
}

/**
 * Before the first request, so that whatever a kill leaves behind is known.
 * @param wanted values that the plan removes, by path
 */
export async function rememberPlanned(
  run: RunDependencies,
  loaded: Loaded,
  wanted: ReadonlyMap<string, number>,
): Promise<void> {
  if (!mayWrite(run, loaded)) return;
  const memory = await getFact(run.state.facts, 'attributes');
  const before = memory ?? NOTHING;
  const here = listLocal(run.resources, run.resource.metadata.namespace);
  const abandoned = toAbandoned(memory, here);
  const { written, retired } = loaded.attributes;
  const isWhole = run.options.user === null;
  const entries = Object.entries(retired).filter(([, { resource }]) => abandoned[resource] === undefined);
  const next: Memory = {
    written,
    retired: Object.fromEntries(
      entries.map(([path, each]) => {
        const was = before.retired[path];
        const count = isWhole ? (wanted.get(path) ?? 0) : (was?.wanted ?? null);
        return [path, { ...each, verified: was?.verified ?? false, wanted: count }];
      }),
    ),
    runId: entries.length === 0 ? null : isWhole ? run.runId : before.runId,
    deleted: before.deleted,
    abandoned,
  };
  await putMemory(run.state, { before, next });
}

/** After a whole run that did what it could: what is gone from everybody is done with. */
export async function rememberCarriedOut(run: RunDependencies, loaded: Loaded, verified: boolean): Promise<void> {
  if (!mayWrite(run, loaded)) return;
  const before = (await getFact(run.state.facts, 'attributes')) ?? NOTHING;
  const counts = await countRetired(run.state, before);
  const entries = Object.entries(before.retired).map(([path, each]) => {
    return [path, { ...each, verified: each.verified || verified }] as const;
  });
  const left = entries.filter(([path, each]) => !each.verified || counts.get(path)?.left !== 0);
  const waiting = new Set(left.map(([, { resource }]) => resource));
  const deleted = listLocal(run.resources, run.resource.metadata.namespace).flatMap((custom) => {
    const { name } = custom.metadata;
    const mark = toDeletionMark(custom);
    return mark === null || waiting.has(name) ? [] : [[name, mark] as const];
  });
  const next = { ...before, retired: Object.fromEntries(left), deleted: Object.fromEntries(deleted) };
  await putMemory(run.state, { before, next });
}

async function putMemory(
  { facts }: DirectoryState,
  { before, next }: { readonly before: Memory; readonly next: Memory },
): Promise<void> {
  if (JSON.stringify(before) !== JSON.stringify(next)) await putFact(facts, 'attributes', next);
}

/** What it has written stays: no later run removes it. */
export async function abandonAttribute(
  { facts }: DirectoryState,
  { metadata }: CustomAttributeResource,
): Promise<void> {
  const before = (await getFact(facts, 'attributes')) ?? NOTHING;
  const { name, uid = '' } = metadata;
  const { [name]: _written, ...written } = before.written;
  const retired = Object.fromEntries(Object.entries(before.retired).filter(([, { resource }]) => resource !== name));
  await putFact(facts, 'attributes', { ...before, written, retired, abandoned: { ...before.abandoned, [name]: uid } });
}

export interface RetiredCount {
  /** Accounts that still have a value there; null: not counted yet. */
  readonly left: number | null;
  /** Of these whose removal waits for approval. */
  readonly held: number;
}

/** By path, as the last whole run counted it and what has been done since. */
export async function countRetired(
  { journal }: DirectoryState,
  { retired, runId }: Pick<Memory, 'retired' | 'runId'>,
): Promise<ReadonlyMap<string, RetiredCount>> {
  const removed = new Map<string, number>();
  const held = new Map<string, number>();
  for (const [status, counts] of [
    ['done', removed],
    ['held', held],
  ] as const) {
    if (runId === null) break;
    for await (const page of journal.operations(runId, { status }))
      for (const path of page.flatMap(listRemoved)) counts.set(path, (counts.get(path) ?? 0) + 1);
  }
  return new Map(
    Object.entries(retired).map(([path, { wanted }]) => {
      const left = wanted === null ? null : wanted - (removed.get(path) ?? 0);
      return [path, { left, held: held.get(path) ?? 0 }];
    }),
  );
}

function listRemoved({ id, unit, changes }: StoredOperation): readonly string[] {
  return unit === toRetirementUnit(id) ? changes.map(({ path }) => path) : [];
}
