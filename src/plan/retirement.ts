/**
 * Values of CustomAttributes that are gone are removed from every account that Dirsync owns, whatever the source says of its
 * person. Pure.
 */
import type { Attributes } from '../model.ts';
import type { PersonState } from '../state/staging.ts';
import type { Link } from '../state/store.ts';
import { isName, toChangeGuards } from './changes.ts';
import { diffValues, isUnassigned } from './diff.ts';
import { type DraftOperation, type Planned, toDraft } from './draft.ts';
import { isSpared } from './protection.ts';
import type { PlanSettings } from './settings.ts';

/** By itself: what a guard may hold of it must not hold the rest, and nothing else must hold it. */
export function toRetirementUnit(sourceId: string): string {
  return `person:${sourceId}:attribute`;
}

/** Adds to the plan of a person what is to be removed from the account. */
export function addRetirement(planned: Planned, person: PersonState, settings: PlanSettings): Planned {
  const { link, gone, observed, contestedBy } = person;
  const paths = [...settings.retired].filter((path) => settings.target.attribute('User', path).writes === 'always');
  // Another DirectorySync that owns it as well is older, and decides about it.
  const isNotOurs = gone || contestedBy !== null || planned.operations.some(({ kind }) => kind === 'delete');
  if (link === null || isNotOurs || paths.length === 0) return planned;
  const current = observed?.attributes ?? link.applied;
  const clear = paths.filter((path) => !isName({ path }) || !isSpared(person, settings));
  const changes = diffValues({ attributes: {}, references: {}, clear }, current, settings.shapes);
  const spared = paths.some((path) => !clear.includes(path) && !isUnassigned(current[path])) ? 1 : 0;
  const known = observed === null ? planned : forgetAbsent(planned, link, { paths, observed: observed.attributes });
  if (changes.length === 0) return { ...known, protected: known.protected + spared };
  const operation = toDraft({
    phase: 'people',
    kind: 'update',
    resource: 'User',
    id: person.sourceId,
    targetId: link.targetId,
    name: link.name,
    changes,
    cause: 'mapping',
    reason: 'has a value of a CustomAttribute that is gone',
    unit: toRetirementUnit(person.sourceId),
    guards: toChangeGuards(changes, settings),
    removal: true,
  });
  return { ...known, operations: [...known.operations, operation], protected: known.protected + spared };
}

/** Somebody has removed them by hand: if the attribute comes back, they have to be written again. */
function forgetAbsent(
  planned: Planned,
  link: Link,
  { paths, observed }: { readonly paths: readonly string[]; readonly observed: Attributes },
): Planned {
  const isAbsent = (path: string): boolean => paths.includes(path) && isUnassigned(observed[path]);
  const clean = (of: Link): Link => ({
    ...of,
    applied: Object.fromEntries(Object.entries(of.applied).filter(([path]) => !isAbsent(path))),
  });
  if (!Object.keys(link.applied).some(isAbsent)) return planned;
  const writes = planned.effects.some(({ type }) => type === 'putLink');
  if (!writes) return { ...planned, effects: [{ type: 'putLink', link: clean(link) }, ...planned.effects] };
  return {
    ...planned,
    effects: planned.effects.map((effect) =>
      effect.type === 'putLink' ? { ...effect, link: clean(effect.link) } : effect,
    ),
  };
}

/**
 * Paths from which the plan of one person removes a value, by itself or with the account: until that has gone the person may
 * come back with it. What the target refused before is waited for no longer.
 */
export function listRetired(
  { operations }: Pick<Planned, 'operations'>,
  { sourceId, link, observed }: Pick<PersonState, 'sourceId' | 'link' | 'observed'>,
  {
    retired,
    hasFailed,
  }: { readonly retired: PlanSettings['retired']; readonly hasFailed: (deletion: DraftOperation) => boolean },
): readonly string[] {
  const unit = toRetirementUnit(sourceId);
  const cleared = operations
    .filter((each) => each.unit === unit)
    .flatMap(({ changes }) => changes.map(({ path }) => path));
  const held = observed?.attributes ?? link?.applied ?? {};
  const isEnding = operations.some((each) => each.kind === 'delete' && !hasFailed(each));
  return isEnding ? [...retired].filter((path) => !isUnassigned(held[path])) : cleared;
}
