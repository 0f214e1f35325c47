/**
 * The contract of a target application. The numbers stand again in the conformance suite, which every provider passes.
 *
 * - **T1** A list is complete only when a page with `last: true` arrived and every object of it was delivered; a
 *   provider throws rather than deliver a short list as a whole one.
 * - **T2** A returned object really has what was asked for: a server that ignores a filter must not make everybody match.
 * - **T3** A create that finds a taken unique value throws `Conflict`; one whose answer was lost throws with
 *   `outcomeUnknown`, and is never repeated by the provider itself.
 * - **T4** An update sends the given changes and nothing else. No changes, no request.
 * - **T5** Deleting what is gone is success; updating it throws `NotFound`.
 * - **T6** Members are never removed without naming each of them.
 * - **T7** 401 and 403 throw `CredentialsRejected`, and no further request is made with that secret in this run. A 403 to
 *   a deletion is looked into by one read, and is `TargetRejected` for that object; only of several, with nobody ever
 *   deleted, does it say that nobody can be. One to a change of one object is `TargetRejected` for that object, until it
 *   turns out that nothing may be changed.
 * - **T8** The signal reaches the socket.
 * - **T9** Values that the server reads as equal (null, [], absent; case of a value that is not caseExact) are not changes.
 * - **T10** What the capabilities say that the target cannot do is never sent to it.
 * - **T11** What an application does not keep, or keeps in a form of its own, is noticed from its answers and said by
 *   `capabilities`; it is not written for ever.
 */
import type { HttpClient } from '../http/client.ts';
import type { AttributeChange, Attributes, Json, ResourceKind } from '../model.ts';
import type { SchemaSet } from '../scim/schema.ts';

/** A user or team as the target holds it now. */
export interface TargetObject {
  readonly id: string;
  /** ETag where the server gives one, for a conditional write. */
  readonly version: string | null;
  /** Values at the paths that were asked for; empty ones are absent. */
  readonly attributes: Attributes;
}

export interface TargetTeam extends TargetObject {
  /**
   * Target ids of all members; null when they were not asked for, cannot be read there, or nobody is shown and no team has
   * shown anybody yet: then links are the truth.
   */
  readonly members: readonly string[] | null;
}

export interface TargetPage<T extends TargetObject> {
  readonly objects: readonly T[];
  readonly last: boolean;
  /** How many there are in all, where the server says so. */
  readonly total: number | null;
}

export interface TargetCapabilities {
  readonly patch: boolean;
  readonly filter: boolean;
  readonly etag: boolean;
  /** Changes of different objects that are best asked for at the same time, for they travel in one request; 1: none. */
  readonly changesTogether: number;
  /** Members that one request may change, whatever kind of change. */
  readonly membersPerRequest: number;
  /** Of these, how many may be added and removed; `mixed`: both in one request. */
  readonly memberChanges: { readonly add: number; readonly remove: number; readonly mixed: boolean };
  /** `removes`: an account that is switched off is gone, so a deactivation is a deletion, for guards and links too. */
  readonly deactivation: 'deactivates' | 'removes';
  /**
   * Accounts can be deleted for good; false: the policy Delete is carried out as Deactivate. Asked for when it is needed:
   * a refusal may change it in the middle of a run.
   */
  readonly deleteUsers: boolean;
  /** `updateOnly`: teams that are there can be filled, none can be made or deleted. */
  readonly teams: 'full' | 'updateOnly' | 'none';
  readonly renameTeams: boolean;
  /** False: `TargetTeam.members` is always null. */
  readonly readsMembers: boolean;
  /** Its teams were seen with members, so that one that shows nobody is empty. Asked for when it is needed. */
  readonly tellsMembers: boolean;
  /** Longest display name of a team; null when not known. */
  readonly maxTeamNameLength: number | null;
  /** The schemas that the server publishes; null when it publishes none. */
  readonly schemas: SchemaSet | null;
  /** Where the target says of itself otherwise than its configuration has it; an error is one that would break writes. */
  readonly contradictions: (use: { readonly teams: boolean }) => readonly TargetProblem[];
  /** What becomes of a value at this path. Asked for when it is needed: answers of the application may change it. */
  readonly attribute: (resource: ResourceKind, path: string) => AttributeBehaviour;
  /** What differs from what one would expect, as sentences for the status: no names of people. */
  readonly limitations: () => readonly TargetLimitation[];
}

export interface AttributeBehaviour {
  /** `onCreate`: only in the request that makes the object. `never`: left out of every request. */
  readonly writes: 'always' | 'onCreate' | 'never';
  /**
   * How a value that was written reads: `exactly`; in `otherCase`; `otherwise`, so that only what was written last can be
   * compared with; or `never`.
   */
  readonly shows: 'exactly' | 'otherCase' | 'otherwise' | 'never';
  /** Characters of the longest text that is taken; absent where that is not known. */
  readonly maxLength?: number;
}

/** Of a target without quirks. */
export const PLAIN_ATTRIBUTE: AttributeBehaviour = { writes: 'always', shows: 'exactly' };

export interface TargetLimitation {
  /** PascalCase, for the warning in the status. */
  readonly reason: string;
  readonly message: string;
}

/** A connection to one application. All methods throw SyncError. */
export interface Target {
  /**
   * userName, mail address or id of the account that the credentials belong to, as far as they tell it; it is never
   * switched off, deleted, renamed or taken over. Usually nothing is known.
   */
  ownNames(): readonly string[];
  /** Read once and kept for the life of the connection. */
  capabilities(signal: AbortSignal): Promise<TargetCapabilities>;
  /** @param without attributes that are large and not asked for: left out of the answers where the target can do so */
  listUsers(
    paths: readonly string[],
    signal: AbortSignal,
    without?: readonly string[],
  ): AsyncIterable<TargetPage<TargetObject>>;
  /** Teams with their members. */
  listTeams(signal: AbortSignal): AsyncIterable<TargetPage<TargetTeam>>;
  /** Null when there is none with this id. */
  readUser(id: string, paths: readonly string[], signal: AbortSignal): Promise<TargetObject | null>;
  readTeam(id: string, signal: AbortSignal): Promise<TargetTeam | null>;
  /** Users whose attribute equals the value, as the attribute compares (caseExact); at most 100. */
  findUsers(
    query: { path: string; value: Json },
    paths: readonly string[],
    signal: AbortSignal,
  ): Promise<readonly TargetObject[]>;
  /** Teams by `displayName` or `externalId`, without members. */
  findTeams(
    query: { path: 'displayName' | 'externalId'; value: string },
    signal: AbortSignal,
  ): Promise<readonly TargetTeam[]>;
  /** Returns the new object; `attributes` holds what the server answered at the paths that were sent. */
  createUser(attributes: Attributes, signal: AbortSignal): Promise<TargetObject>;
  updateUser(id: string, changes: readonly AttributeChange[], signal: AbortSignal): Promise<void>;
  /** `active` becomes false. */
  deactivateUser(id: string, signal: AbortSignal): Promise<void>;
  deleteUser(id: string, signal: AbortSignal): Promise<void>;
  createTeam(attributes: Attributes, signal: AbortSignal): Promise<TargetTeam>;
  updateTeam(id: string, changes: readonly AttributeChange[], signal: AbortSignal): Promise<void>;
  deleteTeam(id: string, signal: AbortSignal): Promise<void>;
  /** At most `membersPerRequest` ids in all, within `memberChanges`; idempotent. */
  changeMembers(
    id: string,
    change: { add: readonly string[]; remove: readonly string[] },
    signal: AbortSignal,
  ): Promise<void>;
  /** Looks at what the application shows of itself, finding by finding; writes nothing. */
  probe(wish: ProbeWish, signal: AbortSignal): AsyncIterable<ProbeFinding>;
  /** What was observed of the application, to be given to the next connection as `TargetContext.memory`. */
  memory(): Json;
  close(): Promise<void>;
}

/** What a probe is about. */
export interface ProbeWish {
  /** Paths that people are matched by. */
  readonly matching: readonly string[];
  /** Teams are wanted too. */
  readonly teams: boolean;
  /** A value that nobody has. */
  readonly nobody: string;
}

export interface ProbeFinding {
  /** `warning`: it works otherwise, or worse. `error`: it does not work. */
  readonly verdict: 'ok' | 'warning' | 'error';
  /** What was looked at: `search by userName`. */
  readonly about: string;
  /** Follows `about` in a sentence; holds no value of a person. */
  readonly message: string;
}

export interface TargetContext {
  readonly secrets: Readonly<Record<string, string>>;
  /** What the Secret is called in messages: `Secret identity/acme-app`; absent: by the field that names it. */
  readonly where?: string;
  /** Takes requests to any host; each has its own budget. */
  readonly http: HttpClient;
  /** Canonical paths that are read of every team, beside `displayName`, `externalId` and `description`. */
  readonly teamPaths?: readonly string[];
  /** What an earlier connection to this endpoint observed; null or absent: nothing yet. */
  readonly memory?: Json;
  /** What may have changed since it was observed is found out again. */
  readonly afresh?: boolean;
  /** The system's clock by default. */
  readonly now?: () => Date;
}

/** What a DirectorySync wants of a target. */
export interface TargetUse {
  /** Canonical paths that its mappings write. */
  readonly userPaths: readonly string[];
  /** The same of teams, beside their names and marks. */
  readonly teamPaths: readonly string[];
  /** It has TeamRules, or groups of its source become teams. */
  readonly teams: boolean;
  /** A policy of `deprovisioning` is Delete, or `deleteAfter` is set. */
  readonly deletes: boolean;
}

export interface TargetProblem {
  readonly severity: 'error' | 'warning';
  /** Names the attribute or field, and what to do. */
  readonly message: string;
}

export interface TargetProvider<Config> {
  /** The key under `spec.target`. */
  readonly name: string;
  /** Problems of the config that can be seen offline, as one sentence each. */
  validate(config: Config): readonly string[];
  /** What is wanted and cannot be had there, as far as that is known offline. An error stops the run at load. */
  check(config: Config, use: TargetUse): readonly TargetProblem[];
  /** Of these canonical paths of a preset, those that it does without: the application refuses or forgets them. */
  leavesOut?(config: Config, paths: readonly string[], resource: ResourceKind): readonly string[];
  /** Host, path and tenant, normalised: who has the same endpoint talks to the same application. No secrets. */
  endpoint(config: Config): string;
  /** When these secrets end, in milliseconds since 1970, where they say it themselves; null where they do not. */
  expiresAt?(secrets: Readonly<Record<string, string>>): number | null;
  connect(config: Config, context: TargetContext): Promise<Target>;
}
