/** What becomes of people between their deactivation and their deletion, and of those who come back. Pure. */
import type { Cause, Departure, Operation } from '../model.ts';
import type { PersonState } from '../state/staging.ts';
import type { Effect, Link } from '../state/store.ts';
import type { PlanSettings } from './settings.ts';
import { fitPolicy } from './target-limits.ts';

/**
 * The person with a link that says since when they are away. The grace begins when the account is first known to be
 * switched off, whoever did it and whatever the store has forgotten (rule I7); a time that lies ahead was written by a
 * clock that was wrong, and the grace begins anew: later than it might, never earlier.
 */
export function beginLeave(person: PersonState, cause: Departure, { now }: Pick<PlanSettings, 'now'>): PersonState {
  const { link, observed } = person;
  const active = observed === null ? link?.active : observed.attributes['active'] !== false;
  const since = link?.left?.at ?? null;
  if (link === null || active || (since !== null && since <= now)) return person;
  return { ...person, link: { ...link, left: { at: now, cause, teams: link.left?.teams ?? [] } } };
}

/** Whom only an entry for `active` switches off is not gone: they are never deleted; nor is anybody where none can be. */
export function isGraceOver({ left }: Link, desired: PersonState['desired'], settings: PlanSettings): boolean {
  const { deleteAfterMs, now } = settings;
  if (left === undefined || left.at === null || deleteAfterMs === null || desired?.byEntry === true) return false;
  if (fitPolicy('Delete', settings) !== 'Delete') return false;
  return now - left.at >= deleteAfterMs;
}

const DEPARTURES: ReadonlySet<Cause> = new Set<Cause>(['outOfScope', 'disabledAtSource', 'deletedAtSource']);

/** What a departure takes is remembered for a return, and forgotten when it was given back. */
export function toMemory({ id, kind, cause, member }: Pick<Operation, 'id' | 'kind' | 'cause' | 'member'>): Effect[] {
  const sourceId = member?.sourceId;
  if (sourceId === undefined || sourceId === null) return [];
  if (kind === 'addMembers') return cause === 'return' ? [{ type: 'recall', sourceId, key: id }] : [];
  return DEPARTURES.has(cause) ? [{ type: 'remember', sourceId, key: id, cause }] : [];
}
