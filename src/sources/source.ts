/**
 * The contract of a source directory. The numbers stand again in the conformance suite, which every provider passes.
 *
 * - **S1** A read is complete only when a page with `end` arrived. A provider throws (`ReadFailed`, `ReadIncomplete`,
 *   `CredentialsRejected`) rather than end early; the engine treats iteration that stops without `end` as incomplete. Where
 *   the directory gives pages, `end` comes after its last one, and a page without anything on it is not the last one.
 * - **S2** An item that could not be read is reported in `failed`, never left out: left out means gone. So is one with an
 *   error in it, or without an id.
 * - **S3** `id` is the provider's immutable id, not empty, the same for one person in every read.
 * - **S4** `end.attributes` names every attribute that the read could deliver. A name that is missing there is unknown,
 *   not null (rule I13).
 * - **S5** The signal reaches the socket or file: after an abort, iteration throws within a second.
 * - **S6** Nothing is kept between calls; two reads at once do not disturb each other. Secrets come in as values, and
 *   reach no message.
 * - **S7** Memory does not grow with the directory: pages are bounded and not held.
 * - **S8** A source that changed while it was read is a failed read. A directory that gives pages is no snapshot: who is
 *   edited meanwhile is there once, as before or as after.
 * - **S9** For groups the same rules hold. A group whose members could not be read whole is in `failed` by its id, on
 *   whichever page, and counts as there; a list of groups that could not be read whole is a failed read.
 * - **S10** `readOne` says of a person what `readUsers` says, with the same names in `attributes`. `user` is null only when
 *   the source says for certain that it has nobody with this id: an id that cannot be read now, a directory that is away and
 *   an abort throw. A provider that reads everybody to find one leaves it out. Where names are told by records alone, one
 *   person may tell fewer: what is missing is unknown, and stays as it is.
 * - **S11** A page that came before, whatever asked for it, is a failed read: another one may be missing in its place. Where
 *   the directory says how many there are, fewer are `ReadIncomplete`.
 * - **S12** What is no whole answer of the directory ends the read with an error of the run: 401 and 403
 *   (`CredentialsRejected`), 429, 5xx, a page of a proxy, half a body, silence. What passes is waited for first, as long as
 *   the directory asks.
 * - **S13** `readPhoto` is there exactly where `offers` says that there are bytes. It gives the photo as it is now, and
 *   `unchanged` only when it is the one that had this `etag`. `none` is said only when the source says for certain that the
 *   person has no photo; what cannot be read now throws. More than `maxBytes` bytes are never held: that is `tooLarge`, and
 *   nothing of it is given.
 * - **S14** `readChanges` gives everything that has changed since a read, in the order in which it happened, and ends as a
 *   read does (S1). Its cursors, and those of a full read, are taken before the first page is: what changes meanwhile is
 *   given (again) by the next one. Something may come twice, or although it came before; the last word on it counts.
 * - **S15** A cursor that the directory does not take any more, for whatever reason, throws `CursorExpired`; so does a
 *   change that the provider cannot tell the meaning of. It is never an empty list of changes.
 * - **S16** Somebody (or a group) is gone, and nobody's member any more, by the feed's own word alone; whoever is left out is
 *   unchanged. Who was removed and is there again is in no group but those that the feed names afterwards.
 * - **S17** A change says of a person or group what a full read of the same projection would, with the same names; what it
 *   does not speak of stands in `keeps`. Whom a full read would not list (any more) is removed, or never named. An item that
 *   cannot be read is in `failed` (S2, S9).
 * - **S18** A read that is asked for what `schema` lists delivers everything that a read can without being told a name; where
 *   there is no `schema` every read does.
 * - **S19** Where `readGroups` is told whose members are wanted, those of other groups may be missing, and nothing else: every
 *   group is listed, and one whose members are wanted, by itself or in another one, has all of them or is in `failed` (S9).
 * - **S20** A feed that cannot name who is gone says with its end how many there are (`totals`). Where its changes come to
 *   another number, everybody is read: S16 then takes nobody for gone by what they do not say.
 * - **S21** `readMatching` gives of people what `readUsers` does, and is for a directory that can be asked for some of them.
 *   Whom it leaves out is asked for by `readOne`: a filter that takes too few costs requests, and one that takes too many
 *   nothing. A read with a `cursor` is gone on from by its changes instead.
 */
import type { ErrorCode } from '../errors.ts';
import type { HttpClient } from '../http/client.ts';
import type { GroupMember, PlatformToken, SourceGroup, SourceOffers, SourceUser, WantedPeople } from '../model.ts';

/**
 * Raised with a version in which a provider makes another record of the same answer: what older ones have left of their
 * reads is not gone on from.
 */
export const RECORD_FORM = 1;

/** An item of a page that is there but could not be turned into a record. */
export interface FailedRecord {
  /** The id where one could be read; null otherwise. */
  readonly id: string | null;
  readonly code: ErrorCode;
  readonly message: string;
}

export interface SourcePage {
  readonly users: readonly SourceUser[];
  readonly failed: readonly FailedRecord[];
  /** Only on the last page. */
  readonly end?: ReadEnd;
}

export interface ReadEnd {
  /** Attribute names delivered, nested ones dotted (`name`, `name.givenName`); at most 10,000. */
  readonly attributes: readonly string[];
  /** From where `readChanges` can go on, opaque to everybody else; null or absent: it cannot. */
  readonly cursor?: string | null;
  /** Of a directory that tells changes, why it does not tell them to this one: the end of a sentence that begins with "for". */
  readonly noCursor?: string;
}

/** Where reads ended from which `readChanges` goes on. */
export interface Cursors {
  readonly users: string;
  /** Null: groups are not asked for. */
  readonly groups: string | null;
}

/** Changes are carried out in the order of the list. */
export type SourceChange =
  /** There, or there anew. `keeps`: names of top-level attributes that stay as they were; null where nothing was. */
  | { readonly type: 'user'; readonly user: SourceUser; readonly keeps?: readonly string[] }
  | { readonly type: 'userRemoved'; readonly id: string }
  /** There, or there anew; its members stay as they were. */
  | { readonly type: 'group'; readonly group: SourceGroup }
  | { readonly type: 'groupRemoved'; readonly id: string }
  | {
      readonly type: 'members';
      readonly group: string;
      /** Whoever was a member before is none any more, unless named here or later. */
      readonly replaces: boolean;
      readonly added: readonly GroupMember[];
      /** Ids, or whatever else the reads name members by. */
      readonly removed: readonly string[];
    };

/** What changed, in parts of bounded size. */
export interface ChangePage {
  readonly changes: readonly SourceChange[];
  /** People who are there and could not be turned into a record, after the changes of the page. */
  readonly failed: readonly FailedRecord[];
  /** Groups that are there and whose record or members could not be read whole. */
  readonly failedGroups: readonly FailedRecord[];
  /** Only on the last page. */
  readonly end?: ChangesEnd;
}

export interface ChangesEnd {
  /** Names that these changes delivered; those of the full read before stay known. */
  readonly attributes: readonly string[];
  readonly groupAttributes: readonly string[];
  /** `groups` is null exactly where it was not asked for. */
  readonly cursors: Cursors;
  /** Only of a feed that does not name who is gone (S20): all that there are, those that cannot be read among them. */
  readonly totals?: { readonly users: number; readonly groups: number | null };
}

/** Top-level attribute names that are asked for. */
export interface ChangeProjection {
  readonly users: readonly string[];
  /** Null: groups are not asked for. */
  readonly groups: readonly string[] | null;
}

/** Groups, and members of them in parts of bounded size: of a group on this page or on one before. */
export interface GroupPage {
  readonly groups: readonly SourceGroup[];
  readonly members: readonly { readonly group: string; readonly members: readonly GroupMember[] }[];
  readonly failed: readonly FailedRecord[];
  /** Only on the last page. */
  readonly end?: ReadEnd;
}

/** Whose members a read of groups is for. */
export interface WantedMembers {
  readonly of: (group: Pick<SourceGroup, 'id' | 'displayName'>) => boolean;
  /** Those of groups in such groups too. */
  readonly nested: boolean;
}

/** Which directory this is: shown in status, and compared with the one that the links were made with. */
export interface SourceIdentity {
  readonly tenantId: string | null;
  readonly tenantName: string | null;
  readonly domains: readonly string[];
  /** What DefaultDomain() gives; only where `offers` says that there is one. */
  readonly defaultDomain?: string;
}

/** Values of a Secret that a part of the config names by itself. */
export interface NamedSecret {
  readonly secrets: Readonly<Record<string, string>>;
  /** What it is called in messages: `Secret identity/hr-export`. */
  readonly where: string;
}

/** Bytes of a named file or ConfigMap key, resolved and permitted by whoever runs the engine. */
export interface FileAccess {
  /** Absolute path of a `path` of the spec. Throws `Invalid` when it lies outside what may be read. */
  resolvePath(path: string): string;
  /** Throws `ReferenceNotFound` naming what is missing. */
  readConfigMap(name: string, key: string): Promise<Uint8Array>;
  /** A Secret that the place of a file names. Throws `ReferenceNotFound`. */
  readSecret(name: string): Promise<NamedSecret>;
}

export interface SourceContext {
  /** Values of the Secret that `credentialsRef` names; empty where the provider needs none. */
  readonly secrets: Readonly<Record<string, string>>;
  /** What the Secret is called in messages: `Secret identity/acme-workos`. */
  readonly where: string;
  readonly files: FileAccess;
  /** Takes requests to any host; each has its own budget. */
  readonly http: HttpClient;
  /** For what is not asked over HTTP. */
  readonly network: NetworkOptions;
  readonly now: () => Date;
  /** As it is now, for it is replaced while the process runs. Null, or absent: the platform gives none. */
  readonly readPlatformToken?: () => Promise<PlatformToken | null>;
  /** Who belongs to a group that a role is given to. `Flatten` by default. */
  readonly nestedGroups?: 'Flatten' | 'DirectOnly';
}

export interface NetworkOptions {
  /** Authorities of `caRef` in PEM, trusted beside the system's; null without any. */
  readonly ca: string | null;
  /** `timeouts.request`: how long the other side may be silent, in milliseconds. */
  readonly timeoutMs: number;
  /**
   * Waits for the turn of one request in the budget of its host, and counts it; whoever asks calls what it gets once the
   * request is over. Absent: nobody waits.
   */
  readonly begin?: (url: string, signal: AbortSignal) => Promise<() => void>;
}

/** A connection to one directory. */
export interface Source {
  identity(signal: AbortSignal): Promise<SourceIdentity>;
  /**
   * What a person is shown who asks whether the directory can be read, beside its identity and first page: what is missing
   * is a finding, each by itself. Throws what ends it.
   */
  inspect?(use: SourceUse, signal: AbortSignal): AsyncIterable<SourceFinding>;
  /**
   * What `readUsers` is asked for by whoever wants to see all that there is; absent: it gives all, whatever it is asked for.
   * What cannot be listed is a finding, which says how it is asked for all the same.
   */
  schema?(signal: AbortSignal): Promise<SourceSchema>;
  /**
   * All users, page by page.
   * @param projection top-level attribute names that mappings, rules and filters use; a provider may deliver more
   */
  readUsers(projection: readonly string[], signal: AbortSignal): AsyncIterable<SourcePage>;
  /**
   * All groups, page by page, with their direct members; absent where the directory, or the file, has no groups.
   * @param projection top-level attribute names that Team mappings use; a provider may deliver more
   * @param wanted members of other groups are not looked at; without it those of all are. A provider that has them at hand
   *   gives them all the same
   */
  readGroups?(projection: readonly string[], signal: AbortSignal, wanted?: WantedMembers): AsyncIterable<GroupPage>;
  /**
   * What has changed since reads of the same projection ended; absent where the directory does not tell.
   * @throws SyncError `CursorExpired`: everything must be read
   */
  readChanges?(since: Cursors, projection: ChangeProjection, signal: AbortSignal): AsyncIterable<ChangePage>;
  /**
   * In place of `readChanges`, where no more can be told than whether anything has changed: true only when a full read would
   * give what the one with these cursors gave. Throws what a read does.
   */
  isUnchanged?(since: Cursors, signal: AbortSignal): Promise<boolean>;
  /**
   * The same for some of the people; null: the directory cannot be asked for these. Only with `readOne`.
   */
  readMatching?(wanted: WantedPeople, projection: readonly string[]): ReadPeople | null;
  /**
   * One user, where the provider can ask for one; without it the engine reads all and plans one.
   */
  readOne?(id: string, projection: readonly string[], signal: AbortSignal): Promise<OneUser>;
  /** The photo of a user of a read. Throws `RecordInvalid` where what the record says of it is wrong. */
  readPhoto?(user: SourceUser, asked: PhotoRequest, signal: AbortSignal): Promise<PhotoAnswer>;
  close(): Promise<void>;
}

export type ReadPeople = (signal: AbortSignal) => AsyncIterable<SourcePage>;

/** What runs will ask of it. */
export interface SourceUse {
  /** See `readUsers`. */
  readonly projection: readonly string[];
  readonly groups: boolean;
}

export interface SourceSchema {
  /** For `readUsers`. */
  readonly projection: readonly string[];
  readonly findings: readonly SourceFinding[];
}

export interface SourceFinding {
  readonly verdict: 'ok' | 'warning' | 'error';
  /** A word or two: `clock`. */
  readonly about: string;
  /** Of a warning or an error also what to do. */
  readonly message: string;
}

export interface PhotoRequest {
  /** Of the photo that is known already; null: it is wanted in any case. */
  readonly etag: string | null;
  readonly maxBytes: number;
}

export type PhotoAnswer =
  | { readonly kind: 'none' }
  | { readonly kind: 'unchanged' }
  /** `size` in bytes; null: only that it is too large is known. */
  | { readonly kind: 'tooLarge'; readonly etag: string | null; readonly size: number | null }
  /** `etag`: another one when the photo is another one; null: the source has nothing of the kind. */
  | { readonly kind: 'photo'; readonly etag: string | null; readonly bytes: Uint8Array };

export interface OneUser extends Pick<ReadEnd, 'attributes'> {
  readonly user: SourceUser | null;
}

export interface SourceProvider<Config> {
  /** The key under `spec.source`. */
  readonly name: string;
  /** Problems of the config that can be seen offline, as one sentence each. */
  validate(config: Config): readonly string[];
  /**
   * Which directory of `mapping/catalog.ts` its records are like, where one provider reads several kinds; without it the
   * one that has the provider's name.
   */
  directory?(config: Config): string;
  /** What there is with this config, told offline; without it nothing. */
  offers?(config: Config): SourceOffers;
  /** What the directory takes of one credential; absent: what it bears. `limits.sourceRequestsPerSecond` may be less. */
  readonly requestsPerSecond?: number;
  /** When what the Secret holds ends, in milliseconds since 1970, where it says it itself; null where it does not. */
  expiresAt?(secrets: Readonly<Record<string, string>>): number | null;
  connect(config: Config, context: SourceContext): Promise<Source>;
}
