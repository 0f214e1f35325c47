/**
 * Whoever leaves in the middle of a swap that a kill has cut: no mapping gives the account a value of its own again, so what
 * the swap would have ended with is written all the same. Pure.
 */
import type { AttributeChange, Json } from '../model.ts';
import type { PersonState } from '../state/staging.ts';
import { type Planned, toDraft } from './draft.ts';
import { isTemporary } from './names.ts';
import type { PlanSettings } from './settings.ts';

/** What the account of somebody on a way round ends with, by path. */
export type OwnValues = Readonly<Record<string, Json>>;

/** Values of the account that are temporary still, with what they must become. */
export function findTemporary({ link, observed, gone }: PersonState, own: OwnValues): readonly AttributeChange[] {
  if (link === null || gone) return [];
  const values = observed?.attributes ?? link.applied;
  return Object.entries(own).flatMap(([path, after]) => {
    const before = values[path];
    return before === undefined || !isTemporary(before) ? [] : [{ path, before, after }];
  });
}

/** Adds the end of the way round for who has left; everybody else gets it by their mapping. */
export function endDetour(
  person: PersonState,
  planned: Planned,
  { own, settings }: { readonly own: OwnValues; readonly settings: Pick<PlanSettings, 'absenceProven'> },
): Planned {
  const { sourceId, desired, link } = person;
  const changes = findTemporary(person, own);
  const hasLeft =
    desired === null ? settings.absenceProven : desired.presence !== 'present' && desired.presence !== 'undecided';
  const isPlanned = planned.operations.some(
    ({ kind, changes: others }) => kind === 'delete' || others.some(({ path }) => Object.hasOwn(own, path)),
  );
  if (link === null || changes.length === 0 || !hasLeft || isPlanned) return planned;
  const end = toDraft({
    phase: 'people',
    kind: 'update',
    resource: 'User',
    id: sourceId,
    targetId: link.targetId,
    name: link.name,
    changes,
    // Counted when the way round began.
    cause: 'swap',
    reason: 'was left in the middle of a swap',
    unit: `person:${sourceId}:swap`,
  });
  return { ...planned, operations: [...planned.operations, end] };
}
