/** What the checkers go by: a run as the world knows it, and what it was told. Nothing of it is asked of the engine. */
import type { Owned } from '../deletion.ts';
import type { Manifests } from '../model.ts';
import type { Server, User } from '../server.ts';
import type { Reading } from '../source.ts';

export type Rule = `I${1 | 2 | 3 | 4 | 5 | 6 | 7 | 8 | 9 | 10 | 11 | 12 | 13}` | 'oracle' | 'kstatus' | 'engine';

export interface Violation {
  readonly rule: Rule;
  readonly message: string;
}

export interface RunFacts {
  readonly name: string;
  readonly manifests: Manifests;
  readonly reading: Reading;
  readonly startedAt: number;
  /** The hash that is approved in this run. */
  readonly approve: string | null;
  /** It only plans. */
  readonly plans: boolean;
  /** Who alone this run is about; null: everybody. */
  readonly only: string | null;
  /** What goes in this run, because the DirectorySync is deleted; null: it stays. */
  readonly owned: Owned | null;
}

/** One request's change, and whose it is. */
export interface Moment {
  readonly facts: RunFacts;
  readonly now: number;
}

/** What the checkers share. */
export interface Scene {
  readonly server: Server;
  /** Objects that were made or taken over by a request. */
  readonly ours: Set<string>;
  /** The store was lost or rolled back. */
  damaged: boolean;
  fail(rule: Rule, message: string): void;
}

export type Standing = 'present' | 'leaves' | 'unknown';

/** Where this person stands by what the run read. */
export function standingOf(id: string | null, { reading, manifests }: RunFacts): Standing {
  const [record, twin] = reading.users.filter((user) => user.id === id);
  if (record === undefined)
    return reading.failed.some((each) => each.id === null || each.id === id) ? 'unknown' : 'leaves';
  if (twin !== undefined) return 'unknown';
  const { filters = [] } = manifests.spec.scope ?? {};
  if (filters.length > 0 && record.attributes['scope'] !== 'in') return 'leaves';
  return record.active ? 'present' : 'leaves';
}

export function isProtected({ externalId }: User, { manifests }: RunFacts): boolean {
  return externalId !== null && (manifests.spec.guards?.protectedUsers ?? []).includes(externalId);
}

/** Did the read leave out this attribute, for everybody or for this person? */
export function isUnknown(name: string, id: string | null, { reading }: RunFacts): boolean {
  const record = reading.users.find((user) => user.id === id);
  return !reading.attributes.includes(name) || (record?.unknown ?? []).includes(name);
}
