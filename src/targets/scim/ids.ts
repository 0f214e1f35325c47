/** Ids whose case is not the application's own. UUIDs are one id in any case, and some services answer now this way, now that. */
import type { Observations } from './observations.ts';

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** As links and plans know it. */
export function toKnownId(id: string): string {
  return UUID.test(id) ? id.toLowerCase() : id;
}

/** As the application spells it, for a service that compares with case. */
export function toSentId(id: string, { upperIds }: Pick<Observations, 'upperIds'>): string {
  return upperIds && UUID.test(id) ? id.toUpperCase() : id;
}

/** @param id of an object, as the application answered it */
export function noteId(id: string, seen: Observations): void {
  if (UUID.test(id) && id !== id.toLowerCase() && id === id.toUpperCase()) seen.upperIds = true;
}

export function isSameId(left: string, right: string): boolean {
  return left.toLowerCase() === right.toLowerCase();
}
