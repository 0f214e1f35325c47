/**
 * The filter of the simulator's source for the people in scope, and what is wrong with it: it may leave out people, whom the
 * engine then asks for by id (rule S21 of `sources/source.ts`).
 */
import { isWanted } from '../../src/mapping/wanted-people.ts';
import type { SourceUser, WantedPeople } from '../../src/model.ts';
import type { ReadFault, ReadFaultKind } from './faults.ts';
import type { Reading } from './source.ts';

export interface ScopeFilter {
  /** Everybody in each read so far, as the last record was; null: there was none. */
  told: ReadonlyMap<string, SourceUser> | null;
  /** Everybody who was out of scope in some read: of them the engine may have what an older read said. */
  readonly out: Set<string>;
}

/**
 * Who is in every read, and passes in each, is known to the engine as one of those in scope, if anybody is. Of one who comes
 * back it knows nothing before the filter, or a read of everybody, names them.
 */
export function noteTold(filter: ScopeFilter, users: readonly SourceUser[]): void {
  const before = filter.told;
  for (const { id, attributes } of users) if (attributes['scope'] === 'out') filter.out.add(id);
  const inScope = users.filter(
    ({ id, attributes }) => attributes['scope'] === 'in' && (before === null || before.has(id)),
  );
  filter.told = new Map(inScope.map((user) => [user.id, user]));
}

const OF_LISTS: readonly ReadFaultKind[] = ['readError', 'readShort', 'readHangs', 'readBlank', 'columnGone'];

interface Views {
  readonly whole: Reading;
  readonly full: Reading;
  readonly fault: ReadFault | null;
}

/** What a read of the people in scope comes to with those who are asked for by id. Of other faults it knows nothing. */
export function toScopeReading({ whole, full, fault }: Views): Reading {
  const isOfList = fault !== null && OF_LISTS.includes(fault.kind);
  return isOfList ? full : { ...whole, groups: full.groups };
}

/** Those who pass; where a list would have lost many, the filter loses of those whom the engine knows. */
export function answerFilter({ told }: ScopeFilter, wanted: WantedPeople, views: Views): readonly SourceUser[] {
  const found = toScopeReading(views).users.filter(({ attributes }) => isWanted(wanted, attributes));
  const { kind, which = 0 } = views.fault ?? {};
  const isLost = ({ id }: SourceUser, index: number): boolean =>
    told?.has(id) === true && (kind === 'readEmpty' || (kind === 'readPartial' && (index + which) % 3 > 0));
  return found.filter((user, index) => !isLost(user, index));
}
