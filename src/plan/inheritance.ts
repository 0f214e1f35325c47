/**
 * Accounts that were taken over from an id with another source: people of the new source are found by matching attributes,
 * without counting as adoptions, for the accounts are ours already. Pure.
 */
import { type DesiredUser, isInherited } from '../model.ts';
import type { Candidate, PersonState } from '../state/staging.ts';
import type { Link } from '../state/store.ts';
import { NOTHING, type Planned, toDraft } from './draft.ts';
import type { PlanSettings } from './settings.ts';
import { forget } from './values.ts';

/** Nobody has it, or nobody of the new source has it yet. */
export function isFree({ linkedTo, neighbour }: Candidate): boolean {
  return neighbour === null && (linkedTo === null || isInherited(linkedTo));
}

/**
 * An inherited account whose externalId is the old source's id was not found by it: two sources may count alike, and the
 * same id is somebody else's there.
 */
export function isEvidence({ linkedTo, path, object }: Candidate): boolean {
  if (linkedTo === null || !isInherited(linkedTo) || path !== 'externalId') return true;
  return !linkedTo.endsWith(`:${object.attributes['externalId']}`);
}

/** The account of a person who has none in the new source's terms becomes theirs; it needs no request. */
export function planInheritance(
  desired: DesiredUser,
  { object, path, linkedTo }: Candidate,
  own: Link | null,
): Planned {
  const { sourceId } = desired;
  const operation = toDraft({
    phase: 'recover',
    kind: 'recover',
    resource: 'User',
    id: sourceId,
    targetId: object.id,
    name: desired.name,
    cause: 'match',
    reason: `matches by ${path} an account that was taken over`,
    unit: `person:${sourceId}:recover`,
  });
  // Their own account does not exist any more.
  const before = own === null ? [] : [{ type: 'dropLink', sourceId } as const, ...forget(own)];
  return {
    ...NOTHING,
    operations: [operation],
    effects: [...before, { type: 'rekeyLink', from: linkedTo ?? '', to: sourceId }],
  };
}

/** Nobody of a read has this account. */
export function isUnclaimed({ sourceId, desired }: PersonState): boolean {
  return desired === null && isInherited(sourceId);
}

/**
 * May it be said that nobody has it? Not while somebody who could not be read may be its owner, and not while several
 * people match it.
 */
export function isUnclaimedForGood(
  { link }: PersonState,
  {
    settings,
    rivals,
  }: { readonly settings: Pick<PlanSettings, 'everybodyRead'>; readonly rivals: ReadonlyMap<string, unknown> },
): boolean {
  return settings.everybodyRead && !rivals.has(link?.targetId ?? '');
}

/** That the account still carries the id of the old source is put right like any value, and is no rename. */
export function isOldId(link: Link, path: string): boolean {
  return link.origin === 'inherited' && path === 'externalId';
}

/** Nothing of the old source is left of it: it is a link like any other. Not while the new id is unknown (rule I13). */
export function settleInherited(link: Link, { kept }: DesiredUser, changed: ReadonlySet<string>): Link {
  const isOld = changed.has('externalId') || kept.includes('externalId');
  return link.origin === 'inherited' && !isOld ? { ...link, origin: 'adopted' } : link;
}
