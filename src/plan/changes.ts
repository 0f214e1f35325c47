/**
 * Which changes of one account go together, and which guards count them: what one guard may hold must not hold the rest.
 * Pure.
 */
import type { AttributeChange, GuardSubject } from '../model.ts';
import { isMailPath } from '../scim/mail.ts';
import { isClearing } from './diff.ts';
import { isTemporary } from './names.ts';
import type { PlanSettings } from './settings.ts';

const NAMES: ReadonlySet<string> = new Set(['userName', 'externalId']);

/** By these an account is known: to the application, to Dirsync and to whoever protects it. */
export function isName({ path }: Pick<AttributeChange, 'path'>): boolean {
  return NAMES.has(path) || isMailPath(path);
}

/** A name that is filled for the first time takes nothing from anybody, nor does the end of a swap that was begun. */
function isRename(change: AttributeChange): boolean {
  return isName(change) && change.before !== undefined && !isTemporary(change.before);
}

function isActivation({ path, after }: AttributeChange): boolean {
  return path === 'active' && after === true;
}

/** The changes of one operation. */
export interface ChangeGroup {
  readonly kind: 'reactivate' | 'rename' | 'update';
  /** Last part of the unit's name. */
  readonly unit: 'return' | 'rename' | 'clear' | 'update' | 'id';
  readonly changes: readonly AttributeChange[];
}

/** A held rename holds no new title, a held return no rename, and a suspect read nothing but what is cleared (rule I1). */
export function splitChanges(
  changes: readonly AttributeChange[],
  { suspect }: Pick<PlanSettings, 'suspect'>,
): readonly ChangeGroup[] {
  const toUnit = (change: AttributeChange): ChangeGroup['unit'] => {
    if (isActivation(change)) return 'return';
    if (suspect && isClearing(change)) return 'clear';
    return isRename(change) ? 'rename' : 'update';
  };
  const byUnit = Map.groupBy(changes, toUnit);
  return (['return', 'rename', 'update', 'clear'] as const).flatMap((unit) => {
    const some = byUnit.get(unit);
    return some === undefined ? [] : [{ kind: toKind(unit), unit, changes: some }];
  });
}

function toKind(unit: ChangeGroup['unit']): ChangeGroup['kind'] {
  if (unit === 'return') return 'reactivate';
  return unit === 'rename' ? 'rename' : 'update';
}

/**
 * A name is the business of `rename` alone, and activity of `reactivate`; every other attribute is counted by itself.
 * The end of a swap that was begun was counted when it began, and that somebody is referred to for the first time belongs to a creation, whatever run does it.
 */
export function toChangeGuards(
  changes: readonly AttributeChange[],
  { countUpdates, shapes }: Pick<PlanSettings, 'countUpdates' | 'shapes'>,
): readonly GuardSubject[] {
  const guards: GuardSubject[] = [];
  if (changes.some(isActivation)) guards.push({ kind: 'reactivate', scope: '' });
  if (changes.some(isRename)) guards.push({ kind: 'rename', scope: '' });
  if (!countUpdates) return guards;
  const isFirst = ({ path, before }: AttributeChange): boolean =>
    before === undefined && (shapes.get(path)?.reference ?? null) !== null;
  const others = changes.filter(
    (change) => !isActivation(change) && !isRename(change) && !isFirst(change) && !isTemporary(change.before),
  );
  return [...guards, ...others.map(({ path }) => ({ kind: 'update', scope: path }) as const)];
}
