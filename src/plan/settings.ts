/** What planners must know of the DirectorySync. */
import type { Departure } from '../model.ts';
import type { TargetCapabilities } from '../targets/target.ts';
import type { PathShape } from './diff.ts';

export type LeavingPolicy = 'Deactivate' | 'Delete' | 'Retain';

export interface PlanSettings {
  readonly adoption: 'OnMatch' | 'Never';
  /** A rule may take over a team of its name that nobody owns. */
  readonly adoptTeams: boolean;
  readonly leaving: Readonly<Record<Departure, LeavingPolicy>>;
  readonly memberships: 'Remove' | 'Keep';
  /** Milliseconds from a confirmed deactivation to the deletion; null: never. */
  readonly deleteAfterMs: number | null;
  /** Who comes back gets what only their departure took. */
  readonly restoreMemberships: boolean;
  /** The time of this run, in milliseconds since 1970. */
  readonly now: number;
  readonly shapes: ReadonlyMap<string, PathShape>;
  /** An entry decides about `active`. */
  readonly activeMapped: boolean;
  /** Source ids, userNames and mail addresses in lower case. */
  readonly protectedUsers: ReadonlySet<string>;
  /** By what the account is known that the target is called with, in lower case; empty where that is not known. */
  readonly ownNames: ReadonlySet<string>;
  /** The read may have lost much: clearing of values is split off, so that it can wait alone (rule I1). */
  readonly suspect: boolean;
  /** `guards.update` limits something: updates are counted, attribute by attribute. */
  readonly countUpdates: boolean;
  /** Items of the read that errored and whose id is not known: nobody may be taken for absent. */
  readonly absenceProven: boolean;
  /** No item of the read errored. */
  readonly everybodyRead: boolean;
  readonly target: TargetLimits;
  /** Paths of CustomAttributes that are gone. */
  readonly retired: ReadonlySet<string>;
  /** Report: what was changed by hand in the target stays as it is. */
  readonly drift: 'Repair' | 'Report';
}

/** What the target can do, as far as plans depend on it. */
export type TargetLimits = Pick<
  TargetCapabilities,
  'deactivation' | 'deleteUsers' | 'teams' | 'renameTeams' | 'attribute'
>;
