/**
 * The contract of the state store: what Dirsync knows between runs, and, in `staging.ts`, the scratch space of the run that lasts.
 *
 * Nothing but this and what is read again is trusted between runs. The numbers stand again in the conformance suite,
 * which every implementation passes.
 *
 * - **D1** What a resolved promise wrote survives a kill of the process at any later moment.
 * - **D2** `Journal.settle` is atomic: an operation's result and its effects on links are written together or not at all.
 * - **D3** Two directories never see each other's rows, but for which accounts and teams neighbours have linked.
 * - **D4** One holder at a time has the store's lease, whatever process it is in; a killed holder frees it by dying.
 * - **D5** Memory does not grow with the directory: lists are streamed in pages of at most 500 rows.
 * - **D6** A store written by a newer version is refused; an older one is migrated forward before the first read.
 * - **D7** A file that is no state store, or a broken one, is `StateUnavailable`, and is left as it is.
 * - **D8** Streams may be read while rows of other tables are written; rows come once each, in a stable order.
 * - **D9** A takeover is atomic: after a kill at any moment either the old id has everything or the new one.
 * - **D10** A mirror is whole: after a kill at any moment its records are those that its head's cursors go on from, or there
 *   is none.
 */
import type { ErrorCode } from '../errors.ts';
import type {
  Attributes,
  Cause,
  DesiredTeam,
  GuardKind,
  GuardSubject,
  HeldBy,
  Json,
  Operation,
  Phase,
  RecordError,
  ResourceKind,
} from '../model.ts';
import type { Mirror } from './mirror.ts';
import type { SourceGroups } from './source-groups.ts';
import type { Staging } from './staging.ts';
import type { Takeovers } from './takeovers.ts';

/** Identity of one DirectorySync: namespace and `spec.id`; survives renaming of the resource. */
export interface DirectoryKey {
  readonly namespace: string;
  readonly id: string;
}

export interface Lease {
  release(): Promise<void>;
}

export interface StateStore {
  /** Where it is, for messages: a path or a URL without its password. */
  readonly location: string;
  /**
   * Waits until nobody else writes. Within one process it is shared: several directories run side by side.
   * @param holder shown to whoever waits, e.g. `dirsync apply (process 4711)`
   * @param onWait called once with the present holder when it has to wait
   */
  acquire(holder: string, options: { signal: AbortSignal; onWait?: (holder: string) => void }): Promise<Lease>;
  directory(key: DirectoryKey): Promise<DirectoryState>;
  directories(): Promise<readonly DirectoryKey[]>;
  /**
   * A store with the links, teams, facts, removals and sizes, backoffs, seen photos and unsettled operations of these directories as they
   * are now. What is written to it reaches nobody else and ends with `close`.
   */
  copy(keys: readonly DirectoryKey[]): Promise<StateStore>;
  close(): Promise<void>;
}

/**
 * Everything of one DirectorySync. Asking for it writes nothing; the directory is listed by `directories()` from its
 * first write on. One per run and directory at a time: two of the same key share their rows, the staging included.
 */
export interface DirectoryState {
  readonly facts: Facts;
  readonly links: Links;
  readonly staging: Staging;
  readonly groups: SourceGroups;
  readonly mirror: Mirror;
  readonly journal: Journal;
  readonly ledger: Ledger;
  readonly backoffs: Backoffs;
  readonly photos: Photos;
  readonly takeovers: Takeovers;
}

/** An operation on a person that failed, and is not sent again before `until`. */
export interface Backoff {
  readonly sourceId: string;
  /** Which operation: another one of the same person does not wait. */
  readonly mark: string;
  /** In a row. */
  readonly failures: number;
  readonly until: number;
  readonly code: ErrorCode;
  readonly message: string;
}

export interface Backoffs {
  /** By source id. */
  many(sourceIds: readonly string[]): Promise<ReadonlyMap<string, readonly Backoff[]>>;
  /** Those that ended before this. */
  purge(before: number): Promise<void>;
}

/** What was seen of a person's photo: never the photo itself. */
export interface SeenPhoto {
  readonly sourceId: string;
  readonly etag: string;
  /** SHA-256 in hexadecimal digits; null for one that was too large to be read. */
  readonly hash: string | null;
  /** In bytes; null: not known. */
  readonly size: number | null;
}

export interface Photos {
  /** By source id. */
  many(sourceIds: readonly string[]): Promise<ReadonlyMap<string, SeenPhoto>>;
  /** One of each person; the same source id again replaces what was said of it. */
  put(photos: readonly SeenPhoto[]): Promise<void>;
  /** Forgets those of people without a link. */
  purge(): Promise<void>;
}

/** Small documents by name (JSON). The reconcile folder owns their shapes. */
export interface Facts {
  get<T>(name: string): Promise<T | null>;
  /** Null removes it. */
  put(name: string, value: unknown): Promise<void>;
}

/** Source id ↔ target id of one person, with what was last applied. */
export interface Link {
  readonly sourceId: string;
  readonly targetId: string;
  /** userName or the like, so that a departure can be shown to people after the source forgot the name. */
  readonly name: string;
  readonly active: boolean;
  /** Values last applied or confirmed at the target; references as target ids. Stored compressed. */
  readonly applied: Attributes;
  /**
   * `recovered`: rebuilt from the target; removes nothing without approval (rule I7). `inherited`: taken over from an id
   * that had another source, whose id the account still carries.
   */
  readonly origin: 'created' | 'adopted' | 'recovered' | 'inherited';
  /** The target may hold something else than `applied` (a request whose end is not known): read it before planning. */
  readonly dirty: boolean;
  /** Of somebody who has left; kept after a return until the memberships are given back. */
  readonly left?: Leave;
}

export interface Leave {
  /**
   * When the deactivation was confirmed (or first seen): the grace counts from here. Null: not yet, but the departure has
   * taken the person out of teams.
   */
  readonly at: number | null;
  readonly cause: Cause;
  /** Keys of owned teams from which the departure took the person, sorted. */
  readonly teams: readonly string[];
}

export interface TeamLink {
  readonly key: string;
  readonly targetId: string;
  readonly displayName: string;
  readonly externalId: string | null;
  /** Values beside name and mark as they were written last, or seen to be as wanted. */
  readonly applied: Attributes;
  readonly rules: readonly string[];
  readonly deletionPolicy: DesiredTeam['deletionPolicy'];
  readonly origin: Link['origin'];
  readonly dirty: boolean;
}

export interface LinkCounts {
  readonly people: number;
  readonly active: number;
  readonly teams: number;
  readonly members: number;
}

export interface Links {
  get(sourceId: string): Promise<Link | null>;
  byTarget(targetId: string): Promise<Link | null>;
  /** All links by source id; for look-ups that need more than one row use this and not `get` in a loop. */
  many(sourceIds: readonly string[]): Promise<ReadonlyMap<string, Link>>;
  dirty(): AsyncIterable<readonly Link[]>;
  /** Those with the origin `recovered`, by source id. */
  recovered(): AsyncIterable<readonly Link[]>;
  team(key: string): Promise<TeamLink | null>;
  /** All team links, without members. */
  teams(): AsyncIterable<readonly TeamLink[]>;
  members(teamKey: string): Promise<number>;
  counts(): Promise<LinkCounts>;
  /** For state outside of a journalled operation (settling, an observed truth). Atomic over all effects. */
  apply(effects: readonly Effect[]): Promise<void>;
}

/**
 * A change of links; part of an operation's result. Effects of one list are carried out in its order. One on a link or
 * team that is not there (any more) changes nothing; each may be repeated without harm.
 */
export type Effect =
  /**
   * Creates or replaces. A target id belongs to one link: taking one that another link of the directory still has is
   * `Conflict`, and nothing of the list is written (drop the other link before).
   */
  | { readonly type: 'putLink'; readonly link: Link }
  | { readonly type: 'markDirty'; readonly sourceId: string }
  /** The departure took the person out of this team; without `left` it begins one whose grace does not count yet. */
  | { readonly type: 'remember'; readonly sourceId: string; readonly key: string; readonly cause: Cause }
  /** The membership was given back. */
  | { readonly type: 'recall'; readonly sourceId: string; readonly key: string }
  /** Who is back has everything again: nothing is remembered any more. */
  | { readonly type: 'endLeave'; readonly sourceId: string }
  /** Replaces that of the same person and mark. */
  | { readonly type: 'backOff'; readonly backoff: Backoff }
  | { readonly type: 'endBackOff'; readonly sourceId: string; readonly mark: string }
  /** Who the account's teams hold is not changed by it: an account that does not exist any more needs `dropMember` too. */
  | { readonly type: 'dropLink'; readonly sourceId: string }
  /** The account is another person's record now. `Conflict` where the other one has a link. */
  | { readonly type: 'rekeyLink'; readonly from: string; readonly to: string }
  /** Keeps the members that are stored under the key, unless that is another team of the target now. */
  | { readonly type: 'putTeam'; readonly team: TeamLink }
  /** A rename: members, and who is remembered as one, move with it. `Conflict` where another team has the new key. */
  | { readonly type: 'rekeyTeam'; readonly from: string; readonly to: string }
  | { readonly type: 'markTeamDirty'; readonly key: string }
  /** With its stored members. */
  | { readonly type: 'dropTeam'; readonly key: string }
  | { readonly type: 'addMembers'; readonly key: string; readonly targetIds: readonly string[] }
  | { readonly type: 'removeMembers'; readonly key: string; readonly targetIds: readonly string[] }
  /** May be members or not: added again where they are wanted, removed where they are not. */
  | { readonly type: 'doubtMembers'; readonly key: string; readonly targetIds: readonly string[] }
  /** The whole membership as the target has it. */
  | { readonly type: 'setMembers'; readonly key: string; readonly targetIds: readonly string[] }
  /**
   * Stored members become those that this run read of the team's target id (`Staging.addObservedTeams`), for a team that
   * is taken over or verified, but for linked accounts that are gone; nothing changes where the run did not read them.
   */
  | { readonly type: 'takeMembers'; readonly key: string }
  /** This account does not exist any more: it leaves the stored members of every team. */
  | { readonly type: 'dropMember'; readonly targetId: string }
  /**
   * One removal that guards count; approved ones are not written. The same kind, scope, unit and time again is the same
   * removal; a later time is one more.
   */
  | {
      readonly type: 'count';
      readonly kind: GuardKind;
      readonly scope: string;
      readonly unit: string;
      readonly at: number;
    };

export type OperationStatus = 'planned' | 'held' | 'begun' | 'done' | 'failed' | 'dropped';

export interface StoredOperation extends Operation {
  readonly runId: string;
  readonly status: OperationStatus;
  /** It goes by an approval: guards do not count it. */
  readonly approved: boolean;
  /** Why it failed; null otherwise. */
  readonly error: string | null;
  readonly code: ErrorCode | null;
}

/** What a guard needs to know of a unit; only units that a guard counts or that remove something. */
export interface Unit {
  readonly unit: string;
  /** Of all its operations, each once. */
  readonly guards: readonly GuardSubject[];
  readonly removal: boolean;
  /** An operation of it belongs to a recovered link and removes something. */
  readonly recovered: boolean;
  /** One line for each operation: kind, ids, cause and values; sorted. */
  readonly lines: readonly string[];
}

/**
 * Something that a look at the whole target found and that no operation says: what was changed there by hand, and
 * accounts that belong to nobody. Kept with runs that were asked for it.
 */
export interface Finding {
  readonly kind: FindingKind;
  readonly resource: ResourceKind;
  /** Source id of the person, or key of the team; null for an account that nobody owns. */
  readonly id: string | null;
  readonly targetId: string;
  /** userName or display name, for people to read. */
  readonly name: string;
  /** For `attribute`: what was applied and what is there now; an absent side is no value. */
  readonly attribute: { readonly path: string; readonly applied?: Json; readonly found?: Json } | null;
  /** For `membership`: who was added or removed. `sourceId` is null for somebody whom no link knows. */
  readonly member: {
    readonly change: 'added' | 'removed';
    readonly sourceId: string | null;
    readonly targetId: string;
    readonly name: string;
  } | null;
}

export type FindingKind = 'attribute' | 'membership' | 'missing' | 'unmanaged';

export interface OperationResult {
  readonly seq: number;
  readonly status: 'done' | 'failed' | 'dropped';
  readonly error?: { readonly code: ErrorCode; readonly message: string };
  readonly effects: readonly Effect[];
}

/** `Adopt`: a person has made recovered links ordinary; nothing was read or written. */
export type RunKind = 'Full' | 'Delta' | 'Verify' | 'OneUser' | 'Adopt';

export interface RunRecord {
  readonly id: string;
  readonly kind: RunKind;
  /** Milliseconds since 1970, UTC; as every time here. */
  readonly startedAt: number;
  readonly finishedAt: number | null;
  readonly outcome: string | null;
  readonly reason: string | null;
  /** Whatever else the history shows, as JSON. */
  readonly summary: Readonly<Record<string, unknown>>;
}

/** Runs, their plans (which are the journal of apply), and what became of every operation. */
export interface Journal {
  startRun(run: { id: string; kind: RunKind; startedAt: number }): Promise<void>;
  /** An unknown run throws; so do `addOperations`, `hold`, `release`, `begin`, `settle` (also for an unknown `seq`), `addErrors` and `addFindings`. */
  finishRun(
    id: string,
    end: { finishedAt: number; outcome: string; reason: string; summary: Readonly<Record<string, unknown>> },
  ): Promise<void>;
  /** Newest first. */
  runs(limit: number): Promise<readonly RunRecord[]>;
  /** `recovered` and `line` feed `units`; see Unit. */
  addOperations(
    runId: string,
    rows: readonly {
      readonly operation: Operation;
      readonly recovered: boolean;
      readonly line: string;
    }[],
  ): Promise<void>;
  units(runId: string): Promise<readonly Unit[]>;
  /** Operations of these units become `held`. */
  hold(runId: string, units: ReadonlyMap<string, HeldBy>): Promise<void>;
  /** Operations of these units are `approved`. */
  release(runId: string, units: Iterable<string>): Promise<void>;
  operations(
    runId: string,
    filter?: { phase?: Phase; status?: OperationStatus; seqs?: readonly number[]; unit?: string },
  ): AsyncIterable<readonly StoredOperation[]>;
  /** Takes operations of these units back that were not begun: the plan is as if it never had them. */
  withdraw(runId: string, units: readonly string[]): Promise<void>;
  /** Operations by kind, resource and status. */
  counts(
    runId: string,
  ): Promise<
    readonly { kind: Operation['kind']; resource: Operation['resource']; status: OperationStatus; count: number }[]
  >;
  /** Written before the requests of these operations are sent. */
  begin(runId: string, seqs: readonly number[]): Promise<void>;
  settle(runId: string, results: readonly OperationResult[]): Promise<void>;
  /** Begun operations of any run whose end is not known, oldest first. */
  unsettled(): AsyncIterable<readonly StoredOperation[]>;
  addErrors(runId: string, errors: readonly RecordError[]): Promise<void>;
  errors(runId: string): AsyncIterable<readonly RecordError[]>;
  countErrors(runId: string): Promise<{ readonly total: number; readonly conflicts: number }>;
  addFindings(runId: string, findings: readonly Finding[]): Promise<void>;
  /** In the order in which they were added. */
  findings(runId: string): AsyncIterable<readonly Finding[]>;
  /** Runs that started before this, with all that hangs on them; not those with an operation whose end is not known. */
  purge(before: number): Promise<void>;
}

/** Removals of the past and the sizes that percentages refer to. */
export interface Ledger {
  /** Units counted since then, per kind and scope (see GuardSubject). */
  removals(
    since: number,
  ): Promise<readonly { readonly kind: GuardKind; readonly scope: string; readonly count: number }[]>;
  /** Units of this kind counted since then, whatever their scope, each once. */
  units(kind: GuardKind, since: number): Promise<readonly string[]>;
  /** `scope` empty: people owned and active; `teams`: owned teams; else members of that team. Times do not go back. */
  addSamples(at: number, samples: readonly { readonly scope: string; readonly count: number }[]): Promise<void>;
  /**
   * The newest sample at or before `since`; where the record does not go back that far, the largest one after it; null
   * without any.
   */
  baseline(scope: string, since: number): Promise<number | null>;
  /** Removals before this, and samples that no `baseline` since then can need. */
  purge(before: number): Promise<void>;
}
