/** What a run is given, and what each of its steps hands to the next. */
import type { ResolvedDirectorySyncSpec } from '../api/defaults.ts';
import type { DirectorySyncResource } from '../api/directory-sync.ts';
import type { PlanCount, Step } from '../api/directory-sync-status.ts';
import type { ResourceHost, ResourceSet } from '../api/host.ts';
import type { ReadyReason } from '../api/reasons.ts';
import type { PooledHttpClient } from '../http/client.ts';
import type { KnownAttributes } from '../mapping/names.ts';
import type { AttributeMemory } from '../mapping/retired-paths.ts';
import type { PinnedGroup, ScopeGroups } from '../mapping/scope-groups.ts';
import type { HeldBy, RecordError } from '../model.ts';
import type { GuardResult } from '../plan/guard.ts';
import type { Order } from '../plan/order.ts';
import type { Ending } from '../plan/references.ts';
import type { Source, SourceIdentity, SourceProvider } from '../sources/source.ts';
import type { DirectoryKey, DirectoryState, LinkCounts, RunKind } from '../state/store.ts';
import type { Target, TargetCapabilities, TargetProvider } from '../targets/target.ts';
import type { Logger } from '../telemetry/log.ts';
import type { CompiledResources } from './compile.ts';
import type { CredentialExpiry, ExpiryLog } from './expiry.ts';
import type { Witness } from './witness.ts';

/** Providers by the key under `spec.source` and `spec.target`; built by whoever starts the engine. */
export interface Providers {
  readonly sources: ReadonlyMap<string, SourceProvider<unknown>>;
  readonly targets: ReadonlyMap<string, TargetProvider<unknown>>;
}

export interface HttpClientNeeds {
  readonly side: 'source' | 'target';
  /** Tells credentials apart without being one. */
  readonly credential: string;
  readonly spec: ResolvedDirectorySyncSpec;
  /** Authorities in PEM that are trusted beside the system's; null without any. */
  readonly ca: string | null;
  /** Told until when the certificate of a host is valid, in milliseconds since 1970. */
  readonly onCertificate: (host: string, expiresAt: number) => void;
  /** Told when no request may be sent for so many milliseconds, because the other side throttles. */
  readonly onPause: (ms: number) => void;
}

export interface RunHttpClient extends PooledHttpClient {
  /**
   * Requests from now on, until what it returns is called, are those of a pass over the whole target: one at a time, and at
   * most half of `limits.requestsPerSecond`, so that whoever shares host and credential is not kept waiting for it.
   */
  beginPass(): () => void;
  /**
   * For a request that is none of HTTP: waits for its turn in the budget of the host, and counts it. The caller calls what it
   * gets once the request is over.
   */
  begin(url: string, signal: AbortSignal): Promise<() => void>;
}

export interface Progress {
  readonly step: Step;
  readonly done: number;
  /** Null: not known yet. */
  readonly total: number | null;
  /** The other side throttles: nothing goes on before this time. */
  readonly pausedUntil?: Date;
}

/** A warning for status and terminal: names attributes and rules, never people. */
export interface Warning {
  readonly reason: string;
  readonly message: string;
  readonly count?: number;
}

export interface RunDependencies {
  readonly resource: DirectorySyncResource;
  readonly resources: ResourceSet;
  /** Others that write to this application; `target` as `FactShapes.endpoint` says it. */
  readonly neighbours: (target: string) => Promise<readonly DirectoryKey[]>;
  readonly host: ResourceHost;
  /** Open, and leased for this run. */
  readonly state: DirectoryState;
  readonly providers: Providers;
  readonly createHttp: (needs: HttpClientNeeds) => RunHttpClient;
  readonly now: () => Date;
  /** A secret that nobody can guess. */
  readonly makeSeed: () => string;
  readonly runId: string;
  readonly log: Logger;
  readonly onProgress: (progress: Progress) => void;
  /** Nothing goes on for so many milliseconds, because the other side throttles. */
  readonly onPause: (ms: number) => void;
  readonly options: RunOptions;
  /** Shown what becomes of people and teams; null: nobody asks. */
  readonly witness: Witness | null;
  readonly startedAt: Date;
  /** Ends the run at the next operation: what is on the wire is waited for. */
  readonly stopping: AbortSignal;
  /** Ends it now: requests under way are cut. */
  readonly signal: AbortSignal;
}

export interface RunOptions {
  /** Stop before apply, as `mode: Plan` does. */
  readonly planOnly: boolean;
  /** Hash of the held set that a person approves now. */
  readonly approve: string | null;
  /** Who approved: for the history. */
  readonly approvedBy: string | null;
  /** Carry out `deletionPolicy`: read no source, and let no guard judge. */
  readonly deletion: boolean;
  /** Read the target's own list, whatever `verifyEvery` says. */
  readonly resync: boolean;
  /** A person asks: what failed before is tried at once, whatever its backoff. */
  readonly tryAll: boolean;
  /** Source id of the one person whom this run is about; null: everybody. */
  readonly user: string | null;
  /** Keep what a look at the whole target finds, to be shown: what was changed by hand, accounts that belong to nobody. */
  readonly findings: boolean;
}

/** The problems are those of rules, and warnings: the run goes on. */
export interface Loaded extends Omit<CompiledResources, 'customs'> {
  readonly spec: ResolvedDirectorySyncSpec;
  readonly source: Source;
  readonly target: Target;
  readonly identity: SourceIdentity;
  readonly http: { readonly source: RunHttpClient; readonly target: RunHttpClient };
  /** What CustomAttributes write, and paths whose values are to be removed. */
  readonly attributes: AttributeMemory;
  /** What is known to expire; certificates join as connections are made. */
  readonly expiries: ExpiryLog;
}

/** What one complete read looked like; compared with the next one's. */
export interface ReadStats {
  readonly people: number;
  /** Filled values, by attribute that mappings or rules use. */
  readonly filled: Readonly<Record<string, number>>;
  /** Groups, where they were read. */
  readonly groups?: number;
  /** Their filled values, by attribute that mappings of teams use. */
  readonly groupsFilled?: Readonly<Record<string, number>>;
  /** The attribute that said who is active; null where none does. Missing in what older versions wrote. */
  readonly stateFrom?: string | null;
  /** Attributes that named people, since the last resync; only where something refers to people by name. */
  readonly aliases?: readonly string[];
}

/** What the read of the groups came to. */
export interface GroupsRead {
  readonly count: number;
  /** Every group is there, by its id: false when items failed whose id is not known. */
  readonly isComplete: boolean;
  /** `scope`: those of the groups of the scope alone were asked for; of other groups nobody knows who is in them. */
  readonly members: 'all' | 'scope';
  /** Members that name nobody of the read. */
  readonly unresolved: number;
  /** `some`: people lack names that an earlier read had. Who is named by one is not known, and is nobody's to remove. */
  readonly names: 'all' | 'some';
  /** Of their records. */
  readonly known: KnownAttributes;
  /** Groups that could not be read: their teams stay. */
  readonly errors: readonly RecordError[];
}

/** By changes since the last good read, or everybody; `why` is null where the source gives no changes at all. */
export type ReadWay =
  | { readonly kind: 'Changes' }
  | { readonly kind: 'Scope' }
  | { readonly kind: 'Full'; readonly why: string | null };

export interface ReadResult {
  readonly way: ReadWay;
  readonly stats: ReadStats;
  readonly known: KnownAttributes;
  /** Null: nothing suspicious. Else what was lost, as a sentence without names of people. */
  readonly suspicion: string | null;
  /** False when items failed whose id is not known: nobody may be taken for absent. */
  readonly absenceProven: boolean;
  /** Ids of items that failed: they are there, and nothing is known of them. */
  readonly failedIds: readonly string[];
  readonly errors: readonly RecordError[];
  /** Null: this run needs no groups. */
  readonly groups: GroupsRead | null;
  /** Null: the scope takes people by no group. */
  readonly scopeGroups: ScopeGroups | null;
}

export interface Mapped {
  readonly inScope: number;
  readonly errors: number;
  readonly frozenRules: readonly string[];
  readonly warnings: readonly Warning[];
}

export interface Observed {
  readonly kind: RunKind;
  readonly capabilities: TargetCapabilities;
  /** The target's whole list was read. */
  readonly verified: boolean;
  readonly unmanaged: number;
  /** Owned teams whose members the target does not tell: whether they were changed by hand is not known. */
  readonly unreadTeams: number;
  readonly warnings: readonly Warning[];
}

export interface PlanResult {
  readonly operations: number;
  readonly protected: number;
  /** Units of which something is not tried again yet: they are called for all the same. */
  readonly waiting: ReadonlySet<string>;
  /** What is deleted and referred to; `owed`: what somebody may refer to still, whatever becomes of this plan. */
  readonly release: { readonly endings: readonly Ending[]; readonly owed: readonly Ending[] };
  /** Null: this run did not look at the whole target. */
  readonly drift: DriftCounts | null;
  readonly warnings: readonly Warning[];
}

/** What was changed by hand in the target. */
export interface DriftCounts {
  readonly attributes: number;
  readonly memberships: number;
  /** Owned accounts and teams that do not exist any more. */
  readonly missing: number;
}

export interface Guarded extends GuardResult {
  /** The read is good, or a second one has confirmed it. */
  readonly trusted: boolean;
  readonly heldUnits: number;
  /** Of operations that want each other's values. */
  readonly order: Pick<Order, 'rounds' | 'waits'>;
}

export interface Applied {
  readonly done: number;
  readonly failed: number;
}

export interface Failure {
  readonly step: Step;
  readonly thrown: unknown;
}

/**
 * `synced`: nothing left to do. `held`: done but for what waits for approval. `failed`: done but for records that
 * failed. `waiting`: tried again by itself. `stalled`: a person must act.
 */
export type RunOutcome = 'synced' | 'held' | 'failed' | 'waiting' | 'stalled';

export type PlanCounts = Readonly<Partial<Record<PlanCount, number>>>;

export interface RunReport {
  readonly runId: string;
  readonly kind: RunKind;
  readonly startedAt: Date;
  readonly finishedAt: Date;
  readonly outcome: RunOutcome;
  readonly reason: ReadyReason;
  /** Stable and safe to show. */
  readonly message: string;
  /** The step that failed; null when the run ended well. */
  readonly failedStep: Step | null;
  /** How long the other side asked to wait; null when it did not. */
  readonly retryAfterMs: number | null;
  /** The run was ended on purpose; the next one goes on. */
  readonly stopped: boolean;
  /** The read arrived whole; false when it failed, null when the run did not get so far. */
  readonly sourceRead: boolean | null;
  /** How it was read; null where `sourceRead` is not true. */
  readonly readWay: ReadWay | null;
  readonly suspicion: string | null;
  /** What the entries of `scope.groups` mean; null: the run did not get so far as to know. */
  readonly resolvedGroups: readonly PinnedGroup[] | null;
  readonly identity: SourceIdentity | null;
  /** Which presets stand in for mappings that nobody named; null: the run did not get so far as to know. */
  readonly presets: Loaded['presets'] | null;
  /** Null: the run ended before there was a plan. */
  readonly plan: PlanCounts | null;
  readonly applied: PlanCounts;
  readonly samples: readonly { kind: string; resource: 'User' | 'Team'; id: string; attributes: readonly string[] }[];
  readonly held: {
    readonly count: number;
    readonly hash: string;
    readonly kinds: Readonly<Partial<Record<HeldBy, number>>>;
  };
  readonly people: {
    readonly inScope: number | null;
    readonly protected: number;
    readonly unmanaged: number;
    readonly conflicts: number;
    readonly failed: number;
  };
  readonly links: LinkCounts;
  /** Null: this run did not look at the whole target. */
  readonly drift: (DriftCounts & Pick<Observed, 'unmanaged' | 'unreadTeams'>) | null;
  /** At most 10. */
  readonly failures: readonly Pick<RecordError, 'resource' | 'id' | 'code'>[];
  readonly warnings: readonly Warning[];
  readonly requests: { readonly source: number; readonly target: number };
  /** When what the run worked with expires; null: it did not get so far as to know. */
  readonly expiries: readonly CredentialExpiry[] | null;
  readonly approval: { readonly hash: string; readonly by: string | null } | null;
  /**
   * What was taken over from another id, or would be, as a sentence; null in all runs but plans and the first that comes
   * to its end after it.
   */
  readonly takenOver: { readonly planned: boolean; readonly message: string } | null;
}

/** What the steps have produced so far; a step's product is there in every state behind it. */
export interface RunContext {
  readonly run: RunDependencies;
  readonly loaded?: Loaded;
  readonly read?: ReadResult;
  readonly mapped?: Mapped;
  readonly observed?: Observed;
  readonly planned?: PlanResult;
  readonly guarded?: Guarded;
  readonly applied?: Applied;
  readonly failure?: Failure;
  readonly report?: RunReport;
}
