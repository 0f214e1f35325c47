/** Whom people and teams refer to: what is written now, what when the other side is there, and what may not stay. Pure. */
import type { AttributeChange, Attributes, Cause, Json, References, ResourceKind } from '../model.ts';
import { toChangeGuards } from './changes.ts';
import { isUnassigned } from './diff.ts';
import { type DraftOperation, toDraft } from './draft.ts';
import type { PlanSettings } from './settings.ts';

/** What a reference to a team means. */
export interface ReferredTeam {
  readonly key: string;
  /** Null: there is no team yet. */
  readonly targetId: string | null;
  /** This plan makes it. */
  readonly coming: boolean;
  /** It is to be deleted, now or when a guard lets it go. */
  readonly ending: boolean;
}

/** What the plan knows of those who are referred to. */
export interface ReferenceContext {
  /** Target ids of people by source id; missing: no account yet. */
  readonly accounts: ReadonlyMap<string, string>;
  /** Source ids of people for whom this plan makes an account. */
  readonly coming: ReadonlySet<string>;
  /** Source ids of people whose account is to be deleted, now or when a guard lets it go. */
  readonly ending: ReadonlySet<string>;
  /** Teams by what references call them; missing: nothing is called so. */
  readonly teams: ReadonlyMap<string, ReferredTeam>;
  /** Linked accounts that are not there any more, by target id: who refers to one refers to nobody. */
  readonly gone: ReadonlySet<string>;
  /** The same of teams. */
  readonly goneTeams: ReadonlySet<string>;
}

export interface ResolvedReferences {
  /** Path → target ids. */
  readonly known: Attributes;
  /** For the second pass: path → source ids of people for whom this plan makes an account, or keys of its teams. */
  readonly coming: readonly AttributeChange[];
}

interface Target {
  readonly settings: Pick<PlanSettings, 'target'>;
  readonly shapes: PlanSettings['shapes'];
  readonly resource: ResourceKind;
  /** What there is now. */
  readonly held: Attributes;
}

/**
 * Whom nobody answers to is kept as debt: nothing is written, and the next run looks again. Of a list those are written who
 * are known, and all of it once more when the others are there. Who is to be deleted is referred to by whoever does so already,
 * until the deletion.
 */
export function resolveReferences(
  references: References,
  context: ReferenceContext,
  { settings, shapes, resource, held }: Target,
): ResolvedReferences {
  const known: Record<string, Json> = {};
  const coming: AttributeChange[] = [];
  for (const [path, value] of Object.entries(references)) {
    const { reference = null, multiValued = false } = shapes.get(path) ?? {};
    const kind = reference ?? 'User';
    const before = new Set(([held[path]] as readonly unknown[]).flat().map(String));
    const found = [value]
      .flat()
      .flatMap((each: string) => find(each, kind, context))
      .filter(({ ending, targetId }) => !ending || before.has(String(targetId)));
    const ids = [...new Set(found.flatMap(({ targetId }) => targetId ?? []))];
    if (ids.length > 0) known[path] = multiValued ? ids : (ids[0] as string);
    const isLate = found.some((each) => each.targetId === null);
    if (!isLate || settings.target.attribute(resource, path).writes !== 'always') continue;
    const keys = found.map(({ key }) => key);
    coming.push({ path, after: multiValued ? keys : (keys[0] as string), reference: kind });
  }
  return { known, coming };
}

/** None, or the one that has an account or will have one. */
function find(
  name: string,
  kind: ResourceKind,
  { accounts, coming, teams, ending }: ReferenceContext,
): readonly ReferredTeam[] {
  if (kind === 'Team') {
    const team = teams.get(name);
    return team === undefined || (team.targetId === null && !team.coming) ? [] : [team];
  }
  const targetId = accounts.get(name) ?? null;
  return targetId === null && !coming.has(name)
    ? []
    : [{ key: name, targetId, coming: targetId === null, ending: ending.has(name) }];
}

export interface MendedReferences {
  /** Of references that are written in any case: what there is without those who are gone. */
  readonly current: Attributes;
  /** What stays of others. */
  readonly rest: Attributes;
  /** Others, of which nothing stays. */
  readonly clear: readonly string[];
}

/**
 * Who is gone is referred to no longer. Applications clear what refers to what is deleted, or do not: the plan is the same.
 * @param held what the account or team has, or was last given
 */
export function mendReferences(
  held: Attributes,
  { known, coming }: ResolvedReferences,
  { settings, shapes = settings.shapes, ...context }: Mending,
): MendedReferences {
  const current: Record<string, Json> = {};
  const rest: Record<string, Json> = {};
  const clear: string[] = [];
  const isWritten = (path: string): boolean =>
    known[path] !== undefined || coming.some((change) => change.path === path);
  for (const [path, left] of listGone(held, shapes, context)) {
    // A list is written as a whole, whoever is left of it.
    if (isWritten(path) && !Array.isArray(known[path])) current[path] = left;
    if (isWritten(path) || settings.suspect) continue;
    if (isUnassigned(left)) clear.push(path);
    else rest[path] = left;
  }
  return { current, rest, clear };
}

/** Paths that refer to somebody who is gone, with what is left there. */
function listGone(
  held: Attributes,
  shapes: PlanSettings['shapes'],
  { gone, goneTeams }: Pick<ReferenceContext, 'gone' | 'goneTeams'>,
): readonly (readonly [string, Json])[] {
  return [...shapes].flatMap(([path, { reference }]) => {
    const value = held[path];
    if (reference === null || value === undefined) return [];
    const left = without(value, reference === 'Team' ? goneTeams : gone);
    return left === value ? [] : [[path, left] as const];
  });
}

interface Mending extends Pick<ReferenceContext, 'gone' | 'goneTeams'> {
  /** A suspect read clears nothing (rule I1); the next good one does. */
  readonly settings: Pick<PlanSettings, 'suspect' | 'shapes'>;
  /** Those of people where it is missing. */
  readonly shapes?: PlanSettings['shapes'];
}

/** The value itself where nobody of it is gone. */
function without(value: Json, gone: ReadonlySet<string>): Json {
  const values: readonly Json[] = [value].flat() as readonly Json[];
  const rest = values.filter((each) => !gone.has(String(each)));
  if (rest.length === values.length) return value;
  return Array.isArray(value) ? rest : null;
}

/** Who refers, and when it is written. */
export interface Referring {
  readonly resource: ResourceKind;
  /** Source id of the person, or key of the team. */
  readonly id: string;
  readonly targetId: string | null;
  readonly name: string;
}

/** The second pass. */
export function toReferenceUpdate(
  { resource, ...referring }: Referring,
  changes: readonly AttributeChange[],
  { settings, cause }: { readonly settings: PlanSettings; readonly cause: Cause },
): readonly DraftOperation[] {
  if (changes.length === 0) return [];
  return [
    toDraft({
      ...referring,
      resource,
      phase: 'references',
      kind: 'update',
      changes,
      cause,
      reason: changes.some(({ reference }) => reference === 'User')
        ? 'refers to somebody who is new'
        : 'refers to a team that is new',
      unit: toReferenceUnit(resource, referring.id),
      guards: resource === 'User' ? toChangeGuards(changes, settings) : [],
    }),
  ];
}

export function toReferenceUnit(resource: ResourceKind, id: string): string {
  return resource === 'User' ? `person:${id}:references` : `team:${id}:references`;
}

/** Whom somebody was said to refer to until now. */
export function toReplaced(coming: readonly AttributeChange[], current: Attributes): readonly AttributeChange[] {
  return coming.map((change) => {
    const before = current[change.path];
    return isUnassigned(before) ? change : { ...change, before };
  });
}

/** The deletion of an account or team. */
export interface Ending extends Pick<DraftOperation, 'unit' | 'cause'> {
  readonly resource: ResourceKind;
  readonly targetId: string;
}

/**
 * Who refers to an account or team that this plan deletes refers to it no longer: part of that deletion, held or released
 * with it, and counted as that deletion alone, as the memberships of somebody who leaves are.
 * @param held what the account or team has when the rest of the plan is done
 */
export function planRelease(
  referring: Referring,
  held: Attributes,
  { endings, later, settings, shapes }: ReleaseContext,
): readonly DraftOperation[] {
  const byUnit = new Map<string, { ending: Ending; changes: AttributeChange[] }>();
  for (const [path, { reference }] of shapes) {
    const before = held[path];
    const writes = settings.target.attribute(referring.resource, path).writes === 'always';
    if (reference === null || isUnassigned(before) || before === undefined || later.has(path) || !writes) continue;
    const found = [before].flat().flatMap((id) => endings.get(toEndingKey(reference, String(id))) ?? []);
    const [ending] = found;
    if (ending === undefined) continue;
    const rest = without(before, new Set(found.map(({ targetId }) => targetId)));
    const change = { path, before, ...(isUnassigned(rest) ? {} : { after: rest }) };
    const unit = byUnit.get(ending.unit) ?? { ending, changes: [] };
    unit.changes.push(change);
    byUnit.set(ending.unit, unit);
  }
  return [...byUnit.values()].map(({ ending: { unit, cause, resource }, changes }) =>
    toDraft({
      ...referring,
      phase: 'references',
      kind: 'update',
      changes,
      cause,
      reason: resource === 'User' ? 'refers to somebody who is deleted' : 'refers to a team that is deleted',
      unit,
      removal: true,
    }),
  );
}

export interface ReleaseContext {
  /** By `toEndingKey`. */
  readonly endings: ReadonlyMap<string, Ending>;
  /** Paths that the plan writes when all who are new are there. */
  readonly later: ReadonlySet<string>;
  readonly settings: Pick<PlanSettings, 'target'>;
  readonly shapes: PlanSettings['shapes'];
}

export function toEndingKey(resource: ResourceKind, targetId: string): string {
  return `${resource}:${targetId}`;
}
