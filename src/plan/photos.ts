/**
 * Photos of people, each an operation of its own: one that cannot be read or is not taken keeps nothing else back. What
 * was written last is known by its mark; the application is never asked for it. Pure.
 */
import type { AttributeChange } from '../model.ts';
import type { PersonState } from '../state/staging.ts';
import { toChangeGuards } from './changes.ts';
import { isClearing, isUnassigned } from './diff.ts';
import { type Planned, toDraft } from './draft.ts';
import type { PlanSettings } from './settings.ts';

/** The plan of a person, with what is to be done about the photo. */
export function withPhotos(person: PersonState, planned: Planned, settings: PlanSettings): Planned {
  const { desired, link, gone } = person;
  if (desired?.presence !== 'present' || desired.photos === undefined) return planned;
  const account = link === null || gone ? null : link;
  const isComing = planned.operations.some(({ kind }) => kind === 'create' || kind === 'adopt');
  if (account === null && !isComing) return planned;
  const changes = Object.entries(desired.photos)
    .filter(([path]) => settings.target.attribute('User', path).writes === 'always')
    .flatMap(([path, mark]) => toPhotoChange(path, account?.applied[path], mark));
  if (changes.length === 0) return planned;
  const operation = toDraft({
    phase: 'photos',
    kind: 'update',
    resource: 'User',
    id: desired.sourceId,
    targetId: account?.targetId ?? null,
    name: desired.name,
    changes,
    cause: 'mapping',
    reason: 'has another photo',
    unit: `person:${desired.sourceId}:photo`,
    guards: toChangeGuards(changes, settings),
    removal: changes.some(isClearing),
  });
  return { ...planned, operations: [...planned.operations, operation] };
}

function toPhotoChange(path: string, before: unknown, mark: string | null): AttributeChange[] {
  const held = typeof before === 'string' && !isUnassigned(before) ? { before } : {};
  if (mark === null) return held.before === undefined ? [] : [{ path, ...held }];
  return held.before === mark ? [] : [{ path, ...held, after: mark, photo: true }];
}
