/**
 * The neutral records that travel from a source's page to a target's request:
 *
 *   SourceUser, SourceGroup → (mapping) → DesiredUser, team memberships → (plan) → Operation → (target) → request
 *
 * Nothing here knows a provider, Kubernetes or the state store.
 */

import type { ErrorCode } from './errors.ts';

/** Any JSON value. */
export type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json };

/** What only some directories have. A mapping that asks for what its source does not have is refused when it is loaded. */
export interface SourceOffers {
  /** Records have `appRoleAssignments`: the roles that people have in one application. */
  readonly appRoles: boolean;
  /** The tenant has a default domain. */
  readonly defaultDomain: boolean;
  /** Photos of people; null: none. */
  readonly photos: PhotoOffer | null;
}

export interface PhotoOffer {
  /** Attribute of records with the URL of the photo, where whoever may can fetch it; null: there is none. */
  readonly url: string | null;
  /** `Source.readPhoto` gives the photo itself. */
  readonly bytes: boolean;
  /** Attribute of records without which `readPhoto` cannot tell whether there is a photo; null: it needs none. */
  readonly needs: string | null;
}

export const NOTHING_OFFERED: SourceOffers = { appRoles: false, defaultDomain: false, photos: null };

/** A token by which the platform says which workload this process is (workload identity federation). */
export interface PlatformToken {
  readonly token: string;
  /** The application that the platform names; null: none. */
  readonly clientId: string | null;
  /** Where the platform says that access tokens are given for it; null: the usual place. */
  readonly authorityUrl: string | null;
}

/** A group of the source, as far as its members need to know it. */
export interface GroupName {
  readonly id: string;
  readonly displayName: string;
}

/** One user as a source directory says it, attributes untouched. */
export interface SourceUser {
  /** The provider's immutable id (the standard attribute `idp_id`). Never empty; never a mail address or a DN. */
  readonly id: string;
  /** The standard attribute `state`: may this person sign in? */
  readonly active: boolean;
  readonly attributes: Readonly<Record<string, Json>>;
  /** Attribute names that this one record's read did not deliver (rule I13): not the same as null. */
  readonly unknown?: readonly string[];
  /** The groups that the user belongs to, nested ones as the read resolved them; absent: unknown (rule I13). */
  readonly groups?: readonly GroupName[];
  /** Groups that the user may belong to or not, because their members could not be read whole (rule I13). */
  readonly maybeGroups?: readonly GroupName[];
  /** Whether the user belongs to one of `scope.groups`; absent: not asked for, or not to be told (rule I13). */
  readonly inScopeGroups?: boolean;
  /** Where the record stands, for messages: `row 17`, `line 3`. */
  readonly position?: string;
}

/**
 * Who belongs to a group, as the source says it. `Any`: it does not say whether the name is that of a person or of a
 * group. `Everyone`: all people of the read.
 */
export type GroupMember =
  | { readonly kind: 'User' | 'Group' | 'Any'; readonly ref: string }
  | { readonly kind: 'Everyone' };

/** What a directory is asked for: the value there, or one entry of a list, is one of these, whatever its case. */
export interface WantedValue {
  /** Dotted names, those of an extension behind its URN. */
  readonly path: string;
  readonly values: readonly (string | number | boolean)[];
}

/** People of whom one of these lists holds altogether; not empty, nor is one of the lists. */
export type WantedPeople = readonly (readonly WantedValue[])[];

/** One group as a source directory says it. Members may come in parts, see `GroupPage`. */
export interface SourceGroup {
  /** The provider's immutable id. Never empty. */
  readonly id: string;
  readonly displayName: string;
  /** By what else than the id other groups name it as a member, as a distinguished name: compared without case. */
  readonly aliases?: readonly string[];
  readonly attributes: Readonly<Record<string, Json>>;
  /** Where the record stands, for messages. */
  readonly position?: string;
}

/**
 * Attributes of an object of the target, flat: canonical SCIM path → value. Paths are spelled as the schema spells them
 * (`name.givenName`, `phoneNumbers[type eq "mobile"].value`, `urn:…:enterprise:2.0:User:department`). Values are never
 * null: an empty value is an absent key.
 */
export type Attributes = Readonly<Record<string, Json>>;

/** What kind of object an operation is about. */
export type ResourceKind = 'User' | 'Team';

/** Why a person leaves. Each has its own policy under `spec.deprovisioning`. */
export type Departure = 'outOfScope' | 'disabledAtSource' | 'deletedAtSource';

/** A value that a matching attribute of a desired user has; tried in this order. */
export interface MatchValue {
  readonly path: string;
  readonly value: string;
}

/**
 * Where a person stands after scope and mapping:
 * - `present`: in scope and active
 * - `outOfScope`, `disabledAtSource`: leaves by that policy
 * - `undecided`: scope or record could not be judged (unknown attribute, record error): nothing changes for this person
 */
export type Presence = 'present' | 'outOfScope' | 'disabledAtSource' | 'undecided';

/** By path, one or a list of them. */
export type References = Readonly<Record<string, string | readonly string[]>>;

/** What mappings say of one person of a complete read. People absent from the read have no such record. */
export interface DesiredUser {
  readonly sourceId: string;
  /** What a person who reviews a plan knows this record by (userName, else a mail address, else the id). */
  readonly name: string;
  readonly presence: Presence;
  /** `disabledAtSource` because an entry for `active` says so, while the source has the person active: never deleted. */
  readonly byEntry?: true;
  /** Values that hold always; `active` is set by the engine where no entry maps it. */
  readonly attributes: Attributes;
  /** Values of `apply: OnCreate` entries: part of the first request and never of a later one. */
  readonly onCreate: Attributes;
  /** Paths of `onCreate` whose value must be nobody else's → values in the order in which they are wanted; the first is there. */
  readonly candidates?: Readonly<Record<string, readonly Json[]>>;
  /** What is wrong with values that only a new account needs; `held`: it cannot be made without them. */
  readonly creation?: { readonly errors: readonly string[]; readonly held: boolean };
  /** Defaults of entries whose value is empty: part of the first request; on adoption only where the target has none. */
  readonly defaults: Attributes;
  /** Paths whose value is empty and whose entry says `onEmpty: Clear`. */
  readonly clear: readonly string[];
  /** Paths that must stay as the target has them: unknown (I13), or a record error of that attribute alone. */
  readonly kept: readonly string[];
  /**
   * Reference paths (`…:User:manager`) → whom they refer to, a list where the attribute has several: source ids of people;
   * ids or names of groups, or names of teams. Settled in plan.
   */
  readonly references: References;
  /** Matching attributes that have a value, by precedence. */
  readonly match: readonly MatchValue[];
  /** Paths of photos → the mark of the one that must be there; null: there must be none. A missing one stays as it is. */
  readonly photos?: Readonly<Record<string, string | null>>;
}

/** What is wanted of a team beside name, mark and members: as of a person. */
export type TeamValues = Pick<
  DesiredUser,
  'attributes' | 'onCreate' | 'defaults' | 'clear' | 'creation' | 'references'
>;

export const NO_VALUES: TeamValues = { attributes: {}, onCreate: {}, defaults: {}, clear: [], references: {} };

/** A team that rules call for, or a group of the source. */
export interface DesiredTeam {
  /** Identity in the state store: `rule:` and the normalised name, or `group:` and the id of the group. */
  readonly key: string;
  readonly displayName: string;
  /** The mark by which the team is recognised without a store. */
  readonly externalId: string;
  /** What stands in the target at any other path stays. */
  readonly values: TeamValues;
  /** Names of the TeamRules that give it members, sorted; none for the team of a group. */
  readonly rules: readonly string[];
  readonly whenEmpty: 'Retain' | 'Delete';
  /** What happens when the last of its rules is deleted. */
  readonly deletionPolicy: 'Retain' | 'Empty' | 'Delete';
}

/** One change of one attribute. An absent side is `undefined`: nothing there before, or to be removed. */
export interface AttributeChange {
  readonly path: string;
  readonly before?: Json;
  readonly after?: Json;
  /**
   * `after`, or every value of it, is the source id of a person or the key of a team, whose target id is filled in when the
   * request is made.
   */
  readonly reference?: ResourceKind;
  /** The value is the mark of a photo, whose bytes are filled in when the request is made: they are never stored. */
  readonly photo?: true;
  /** What `after` has and `before` has not is added to the list; nothing of the list goes. */
  readonly adds?: true;
  /** The expression of the attribute says Redact: values are written and not shown. */
  readonly redacted?: true;
}

/**
 * `create`, `update`, `rename`, `deactivate`, `reactivate`, `delete` are requests; `rename` changes by what somebody is
 * known (userName, externalId, mail addresses), `update` everything else. `adopt` takes over an account that nobody owned,
 * `recover` rebuilds a link by equal externalId; both may carry changes. `addMembers` and `removeMembers` are one person
 * and one team each; apply sends them in chunks.
 */
export type OperationKind =
  | 'create'
  | 'adopt'
  | 'recover'
  | 'update'
  | 'rename'
  | 'deactivate'
  | 'reactivate'
  | 'delete'
  | 'addMembers'
  | 'removeMembers';

/** Kinds that guards count: losses, and changes that would be as bad. */
export const GUARD_KINDS = [
  'deactivate',
  'delete',
  'adopt',
  'reactivate',
  'rename',
  'removeMembers',
  'deleteTeams',
  'update',
] as const;
export type GuardKind = (typeof GUARD_KINDS)[number];

/** What is counted together. `removeMembers` is judged for each team by itself, `update` for each attribute. */
export interface GuardSubject {
  readonly kind: GuardKind;
  /** For `removeMembers` the team's key, for `update` the attribute's path; else empty. */
  readonly scope: string;
}

/** Why an operation is there: a departure, a mapping, a rule, a drift, a policy. Shown to people, part of the held hash. */
export type Cause =
  | Departure
  | 'mapping'
  | 'rule'
  | 'ruleDeleted'
  | 'group'
  | 'groupDeleted'
  | 'drift'
  | 'match'
  | 'return'
  | 'swap'
  | 'resourceDeleted';

/**
 * Order of apply. Rebuilt links come first, because what follows needs them; then leavers, because that is what people
 * wait for. References, of people and of teams, and memberships need both of their ends; photos are large, and nobody waits
 * for them; deletions go last so that nothing refers to what is gone.
 */
export const PHASES = [
  'recover',
  'deactivate',
  'people',
  'teams',
  'references',
  'members',
  'photos',
  'deleteTeams',
  'deletePeople',
] as const;
export type Phase = (typeof PHASES)[number];

/** One operation of a plan. */
export interface Operation {
  /** Position in the plan, from 1. */
  readonly seq: number;
  readonly phase: Phase;
  readonly kind: OperationKind;
  readonly resource: ResourceKind;
  /** Source id of the person, or key of the team. */
  readonly id: string;
  /** The target's id; null while the object is still to be created. */
  readonly targetId: string | null;
  /** userName or display name, for people to read. */
  readonly name: string;
  readonly changes: readonly AttributeChange[];
  /** For teams that are made or recovered: which rules own it, and what is to become of it without them. */
  readonly team: Pick<DesiredTeam, 'rules' | 'deletionPolicy'> | null;
  /** For member operations: who. `sourceId` is null for a member of the target that Dirsync does not know. */
  readonly member: { readonly sourceId: string | null; readonly targetId: string | null; readonly name: string } | null;
  readonly cause: Cause;
  /** One sentence for a reviewer: `left the scope`, `rule finance-managers`. */
  readonly reason: string;
  /** What is held or released together: one person (or team) and one cause. */
  readonly unit: string;
  /** Guards that count this operation: one each time it is done. None for what another operation of the unit counts. */
  readonly guards: readonly GuardSubject[];
  /** A removal in the sense of I1: waits when the read is suspect. */
  readonly removal: boolean;
  /** The guard (or reason) that keeps the unit back; null when it may go. */
  readonly held: HeldBy | null;
}

/** `suspect`: the read lost too much; `recovered`: a link rebuilt from the target removes nothing without approval. */
export const HELD_BY = [...GUARD_KINDS, 'suspect', 'recovered'] as const;
export type HeldBy = (typeof HELD_BY)[number];

/** A failure of one record: counted, named by id, never the end of a run. */
export interface RecordError {
  readonly resource: ResourceKind | 'TeamRule';
  /** Source id, team key or rule name. */
  readonly id: string;
  readonly code: ErrorCode;
  /** May name values and ids (the history shows it); never copied into conditions or events. */
  readonly message: string;
}

/**
 * Begins the source id of a link that was taken over from an id with another source, as long as nobody of the new source
 * has the account: `inherited:<old id>:<source id there>`. Ids of two sources must not meet, for they may be counted alike.
 */
export const INHERITED = 'inherited:';

export function isInherited(sourceId: string): boolean {
  return sourceId.startsWith(INHERITED);
}
