/**
 * The scratch space of one run, part of the state store's contract: what was read, what is wanted and what was seen, set
 * beside each other for the plan.
 */
import type { DesiredTeam, DesiredUser, ResourceKind, SourceUser } from '../model.ts';
import type { TargetObject, TargetTeam } from '../targets/target.ts';
import type { DirectoryKey, Link, TeamLink } from './store.ts';

/** A value by which people (or accounts) are looked up, already normalised by the attribute's case rule. */
export interface MatchKey {
  readonly path: string;
  readonly key: string;
}

/**
 * Who has, wants or frees a value that one account at most may have. `has`: the account holds it now. `wants`: operation
 * `seq` of this plan writes it. `frees`: operation `seq` takes it from the person's own account. `doubts`: operation `seq`
 * wants it, and the target refused that before: where no account of ours has it, the operation frees nothing.
 */
export interface NameRow {
  readonly role: 'has' | 'wants' | 'frees' | 'doubts';
  readonly path: string;
  /** Normalised by the attribute's case rule. */
  readonly key: string;
  readonly sourceId: string;
  /** 0 for `has`. */
  readonly seq: number;
}

/** A value that an operation wants and somebody else's account has. */
export interface Contention {
  /** The operation that wants it, and whose it is. */
  readonly seq: number;
  readonly sourceId: string;
  readonly path: string;
  /** Source id of the person who has the value. */
  readonly holder: string;
  /** The operation by which the holder gives it up; null where this plan has none. */
  readonly freedBy: number | null;
}

/** A staged source record. */
export interface StagedUser {
  readonly user: SourceUser;
  /** Another record of this read has the same id: neither may be used. */
  readonly duplicate: boolean;
}

/** An account of the target that has one of a person's matching values. */
export interface Candidate {
  readonly object: TargetObject;
  readonly path: string;
  /** Source id of the person that it is linked to; null when nobody of this directory owns it. */
  readonly linkedTo: string | null;
  /** The neighbour that has it linked, the oldest of several; null when none has. */
  readonly neighbour: DirectoryKey | null;
}

/** Everything that is known of one person when a plan is made. */
export interface PersonState {
  readonly sourceId: string;
  /** Null: not in the read. */
  readonly desired: DesiredUser | null;
  readonly link: Link | null;
  /** What the target holds at the link's id, where this run looked. */
  readonly observed: TargetObject | null;
  /** The linked account was looked for in this run and does not exist. False without a link, or where nobody looked. */
  readonly gone: boolean;
  /**
   * Only for people without a link, or whose linked account is gone: the pairs of account and matching path, in the
   * order in which the person's keys were given, then by the account's id. At most 10.
   */
  readonly candidates: readonly Candidate[];
  /** An older neighbour that has linked the same account: it keeps it. Null without a link, and for almost everybody. */
  readonly contestedBy: DirectoryKey | null;
}

export interface TeamState {
  readonly key: string;
  /** Null: no rule calls for it any more. */
  readonly desired: DesiredTeam | null;
  readonly link: TeamLink | null;
  /** Without members (null): `memberDifferences` has them. */
  readonly observed: TargetTeam | null;
  /** The linked team was looked for in this run and does not exist. False without a link, or where nobody looked. */
  readonly gone: boolean;
  /**
   * Without members. Observed teams of the same mark or (trimmed, without case) the same name; not the linked one. Only
   * for desired teams; those of the same mark first, then by id; at most 10.
   */
  readonly candidates: readonly (Pick<Candidate, 'linkedTo' | 'neighbour'> & { readonly object: TargetTeam })[];
  /** How many people the rules put into it. */
  readonly desiredMembers: number;
  /**
   * What this run's read says of the group that the team is made of: it is there, not read whole, or not there. Null for a
   * team of rules, and where groups were not read, or not to their end.
   */
  readonly group: 'read' | 'partial' | 'absent' | null;
  /** Of a team of rules: key of the team of a group of this run that has the same name; null: none has. */
  readonly claimedBy: string | null;
}

/** A difference between the members that a team has and those that it must have. */
export interface MemberDifference {
  readonly change: 'add' | 'remove';
  /** Null for a member of the target that no link knows. */
  readonly sourceId: string | null;
  /** Null for a person who is still to be created (again, where the linked account is gone). */
  readonly targetId: string | null;
  /** Name of the desired user, else of the link, else the id. */
  readonly name: string;
  /** Null: not in the read (or not known at all). What follows from it is the plan's to decide. */
  readonly presence: DesiredUser['presence'] | null;
  /**
   * The target was changed by hand: the link's stored members have who is to be added, or do not have who is to be removed.
   * False without a link, and where this run did not read the members.
   */
  readonly byHand: boolean;
  /** Whether who is to be removed is a member at all only the target could say, and it does not. */
  readonly doubtful: boolean;
}

export interface MemberCount {
  /** Those of whom only the target could say whether they are members, which it does not, among them. */
  readonly all: number;
  readonly sure: number;
}

/**
 * Scratch space of one run. It belongs to this open store and dies with it; `clear` at the beginning of a run, and at its
 * end to give the space back.
 */
export interface Staging {
  clear(): Promise<void>;
  addUsers(users: readonly SourceUser[]): Promise<void>;
  /** In the order of the read. */
  users(): AsyncIterable<readonly StagedUser[]>;
  /** The first record with this id; null without any. */
  user(id: string): Promise<SourceUser | null>;
  countUsers(): Promise<number>;
  /** Keys in order of precedence. The same source id again replaces what was said of it, in its old place. */
  addDesired(rows: readonly { readonly desired: DesiredUser; readonly keys: readonly MatchKey[] }[]): Promise<void>;
  /**
   * Matching values that two or more people share, of those present or linked: neither may be created or matched by
   * it. `sourceIds` holds at most 10 of them, sorted; where there are more, further entries have the first one and the
   * next nine, until everybody was named.
   */
  collisions(): AsyncIterable<readonly { readonly path: string; readonly sourceIds: readonly string[] }[]>;
  /** Same key again: rules are united, the first display name stays, `Retain` wins over what removes more. */
  addTeams(teams: readonly DesiredTeam[]): Promise<void>;
  /** `keep`: whoever is a member stays, whoever is not does not become one (rule I13). A plain row wins over it. */
  addMemberships(
    rows: readonly { readonly team: string; readonly sourceId: string; readonly keep: boolean }[],
  ): Promise<void>;
  /** The same id again replaces what was said of it. */
  addObservedUsers(
    rows: readonly { readonly object: TargetObject; readonly keys: readonly MatchKey[] }[],
  ): Promise<void>;
  /** The same id again replaces what was said of it; without members it keeps those that were read before. */
  addObservedTeams(teams: readonly TargetTeam[]): Promise<void>;
  /** Directories of the same application (not this one): what they have linked is theirs. Replaces those said before. */
  setNeighbours(keys: readonly DirectoryKey[]): Promise<void>;
  /** The neighbour that has this account (or team) linked now, the oldest of several; null when none has. */
  neighbourOf(resource: 'User' | 'Team', targetId: string): Promise<DirectoryKey | null>;
  /** Was an account seen with this value? Only for paths whose keys were given. */
  isObserved(key: MatchKey): Promise<boolean>;
  /** Of a value that nobody else of this run may have: false when somebody asked for it before. */
  claim(key: MatchKey, sourceId: string): Promise<boolean>;
  /**
   * Target ids that were looked for one by one and do not exist. Takes back an earlier sight of them, and is taken back
   * by a later one.
   */
  addMissing(ids: { readonly users?: readonly string[]; readonly teams?: readonly string[] }): Promise<void>;
  /** The target's whole list was read to its end: whatever is linked and was not seen is gone. */
  setComplete(resource: ResourceKind): Promise<void>;
  /**
   * People of the read or with a link; the read's order first, then the rest by source id.
   * @param only this person alone
   */
  people(only?: string | null): AsyncIterable<readonly PersonState[]>;
  /** Of `people` those alone who have no link, or whose account is gone. Where hardly anybody has none it takes no time. */
  withoutAccount(only?: string | null): AsyncIterable<readonly PersonState[]>;
  /** Desired and linked teams, by key. */
  teams(): AsyncIterable<readonly TeamState[]>;
  /**
   * Against the observed members where this run read them, else against those of the link; against nobody where there is
   * no team, or it is gone. `targetId` names the observed team to compare with instead, where the plan takes one over
   * that is not linked yet. People who are `undecided` are in neither list. Those with a `keep` row neither. Additions
   * first; by source id, members that no link knows last by target id. A snapshot of the moment at which the first page
   * is asked for.
   */
  memberDifferences(teamKey: string, targetId?: string): AsyncIterable<readonly MemberDifference[]>;
  /** Presence by source id, for those of `sourceIds` that `addDesired` named (references to people of this read). */
  presences(sourceIds: readonly string[]): Promise<ReadonlyMap<string, DesiredUser['presence']>>;
  /**
   * How many members the linked team has: those observed where this run read them, else the stored ones. `targetId` as for
   * `memberDifferences`.
   */
  countMembers(teamKey: string, targetId?: string): Promise<MemberCount>;
  /** Accounts seen in the target that no link, none of a neighbour and no candidate of this run explains. */
  countUnmanaged(): Promise<number>;
  /** The same accounts, in the order in which they were seen. */
  unmanaged(): AsyncIterable<readonly TargetObject[]>;
  addNames(rows: readonly NameRow[]): Promise<void>;
  /** By operation, path and holder. Whoever has a value is in no contention with themselves. */
  contentions(): AsyncIterable<readonly Contention[]>;
}
